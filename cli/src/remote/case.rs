//! More of `luqiao request`: time, lateness, windows, several entries, the file of a case.

use luqiao_proto::sharing::v1::{
    AnswerExtensionRequest, ClaimReasonRequest, CreateMixedRequestRequest, FileOnBehalfRequest,
    FiledAnswer, FiledOpinion, FiledRequest, GetCaseFileRequest, ProposeExtensionRequest,
    RuleOnReasonRequest, ShareRequest, file_on_behalf_request::Filing,
};

use crate::{
    args::{
        case::{FileFor, Life},
        paper::Paper,
    },
    exit::Exit,
    failure::Failure,
    message::kind,
};

use super::{
    Remote, answer, case_file,
    catalog::read,
    json,
    request::{COLUMNS, own_system, stated, to_answer, version},
};

/// Does it.
pub async fn run(remote: &Remote, command: Life) -> Result<Exit, Failure> {
    let session = &remote.session;
    let mut client = session.sharing();
    match command {
        Life::ProposeExtension { name, working_days, reason, change } => {
            let (etag, request_id) = version(remote, &name, change).await?;
            let request = ProposeExtensionRequest { name, etag, working_days, reason, request_id };
            let case = answer(client.propose_extension(session.call(request)).await)?;
            remote.show(kind::SHARE_REQUEST, &case)?;
        }
        Life::AnswerExtension { name, consents, reason, change } => {
            let (etag, request_id) = version(remote, &name, change).await?;
            let request = AnswerExtensionRequest { name, etag, consents, reason, request_id };
            let case = answer(client.answer_extension(session.call(request)).await)?;
            remote.show(kind::SHARE_REQUEST, &case)?;
        }
        Life::ClaimReason { name, text, change } => {
            let (etag, request_id) = version(remote, &name, change).await?;
            let request = ClaimReasonRequest { name, etag, text, request_id };
            let file = answer(client.claim_reason(session.call(request)).await)?;
            show(remote, &file)?;
        }
        Life::RuleOnReason { name, debtor, accepted, reason, change } => {
            let (etag, request_id) = version(remote, &name, change).await?;
            let request = RuleOnReasonRequest { name, etag, debtor, accepted, reason, request_id };
            let file = answer(client.rule_on_reason(session.call(request)).await)?;
            show(remote, &file)?;
        }
        Life::FileFor(filed) => {
            let (filing, paper, window, request_id) = filing(remote, filed).await?;
            let request = FileOnBehalfRequest {
                parent: session.parent(),
                paper: Some(paper.message()?),
                window,
                request_id,
                filing: Some(filing),
            };
            let case = answer(client.file_on_behalf(session.call(request)).await)?;
            remote.show(kind::SHARE_REQUEST, &case)?;
        }
        Life::CreateMixed { parts, consenting_person, change } => {
            let own = own_system(remote).unwrap_or_default();
            let parts = parts.iter().map(|file| {
                let mut part: ShareRequest = read(kind::SHARE_REQUEST, file)?;
                if part.system.is_empty() {
                    part.system.clone_from(&own);
                }
                Ok(part)
            });
            let request = CreateMixedRequestRequest {
                parent: session.parent(),
                parts: parts.collect::<Result<_, Failure>>()?,
                consenting_person,
                request_id: remote.attempt(change.request_id),
            };
            let made = answer(client.create_mixed_request(session.call(request)).await)?;
            remote.show_page(kind::MIXED_REQUEST, &made, "requests", &COLUMNS)?;
        }
        Life::Case { name } => {
            let request = GetCaseFileRequest { name };
            let file = answer(client.get_case_file(session.call(request)).await)?;
            show(remote, &file)?;
        }
    }
    Ok(Exit::Ok)
}

async fn filing(
    remote: &Remote,
    filed: FileFor,
) -> Result<(Filing, Paper, String, String), Failure> {
    Ok(match filed {
        FileFor::Request { organization, asked, head, window, paper, change } => {
            let content = Some(stated(*asked)?);
            let filing = Filing::Request(FiledRequest { organization, content, head });
            (filing, paper, window, remote.attempt(change.request_id))
        }
        FileFor::Answer { name, answer, head, window, paper, change } => {
            let (etag, request_id) = version(remote, &name, change).await?;
            let answer = Some(to_answer(answer));
            let filing = Filing::Answer(FiledAnswer { request: name, etag, answer, head });
            (filing, paper, window, request_id)
        }
        FileFor::Opinion { name, in_favor, text, window, paper, change } => {
            let (etag, request_id) = version(remote, &name, change).await?;
            let filing = Filing::Opinion(FiledOpinion { request: name, etag, in_favor, text });
            (filing, paper, window, request_id)
        }
    })
}

fn show(remote: &Remote, file: &luqiao_proto::sharing::v1::CaseFile) -> Result<(), Failure> {
    let json = json(kind::CASE_FILE, file)?;
    remote.output.data(&json, |out, lang| case_file::write(out, file, lang))
}
