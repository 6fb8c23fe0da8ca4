//! `luqiao request`.

use catalog_model::name::{Resource, ResourceName};
use luqiao_proto::sharing::v1::{
    Answer, AnswerKind, AnswerRequestRequest, AskOpinionRequest, CompleteRequestRequest,
    CreateRequestRequest, ExtendRequestRequest, GetRequestRequest, GiveConsentRequest,
    GiveOpinionRequest, ListRequestsRequest, ShareRequest, Term, WithdrawRequestRequest,
};
use luqiao_transport::identity::Subject;

use crate::{
    args::{
        VersionedChange,
        sharing::{AnswerWord, Answered, Asked, Request},
    },
    exit::Exit,
    failure::Failure,
    message::kind,
    output::{Column, column},
};

use super::{Remote, answer, case, catalog::read, work};

pub(super) const COLUMNS: [Column; 7] = [
    column("NAME", "资源名", "/name"),
    column("CASE", "案号", "/case_number"),
    column("STATE", "状态", "/state"),
    column("DUE", "期限", "/deadline/due_date"),
    column("OVERDUE", "逾期", "/deadline/overdue"),
    column("ENTRY", "目录条目", "/entry_title"),
    column("REQUESTER", "申请单位", "/requester/display_name"),
];

/// Does it.
pub async fn run(remote: &Remote, command: Request) -> Result<Exit, Failure> {
    let session = &remote.session;
    let mut client = session.sharing();
    match command {
        Request::Create { asked, consenting_person, change } => {
            let mut content = stated(*asked)?;
            if content.system.is_empty() {
                content.system = own_system(remote).unwrap_or_default();
            }
            let request = CreateRequestRequest {
                parent: session.parent(),
                request: Some(content),
                consenting_person,
                request_id: remote.attempt(change.request_id),
            };
            let case = answer(client.create_request(session.call(request)).await)?;
            remote.show(kind::SHARE_REQUEST, &case)?;
        }
        Request::Show { name } => {
            let request = GetRequestRequest { name };
            let case = answer(client.get_request(session.call(request)).await)?;
            remote.show(kind::SHARE_REQUEST, &case)?;
            work::beside(remote, &case.name).await;
        }
        Request::Precedents { name, limit } => {
            return work::precedents(remote, name, limit).await;
        }
        Request::Explain { name } => return super::deadline::explain(remote, name).await,
        Request::List { domain, due_soon, state, page } => {
            let request = ListRequestsRequest {
                parent: remote.parent(domain.as_deref()),
                page_size: page.page_size,
                page_token: page.page_token,
                due_soon,
                state: state.map_or(0, i32::from),
            };
            let list = answer(client.list_requests(session.call(request)).await)?;
            remote.show_page(kind::REQUEST_PAGE, &list, "requests", &COLUMNS)?;
        }
        Request::Complete { name, missing, asked, change } => {
            let (etag, request_id) = version(remote, &name, change).await?;
            let completed = if missing.is_empty() { Some(stated(*asked)?) } else { None };
            let request = CompleteRequestRequest { name, etag, missing, completed, request_id };
            let case = answer(client.complete_request(session.call(request)).await)?;
            remote.show(kind::SHARE_REQUEST, &case)?;
        }
        Request::Consent { name, answer: answered, person, change } => {
            let (etag, request_id) = version(remote, &name, change).await?;
            let given = Some(to_answer(answered));
            let request = GiveConsentRequest { name, etag, person, answer: given, request_id };
            let consent = answer(client.give_consent(session.call(request)).await)?;
            remote.show(kind::CONSENT, &consent)?;
        }
        Request::AskOpinion { name, change } => {
            let (etag, request_id) = version(remote, &name, change).await?;
            let request = AskOpinionRequest { name, etag, request_id };
            let case = answer(client.ask_opinion(session.call(request)).await)?;
            remote.show(kind::SHARE_REQUEST, &case)?;
        }
        Request::Opinion { name, in_favor, text, change } => {
            let (etag, request_id) = version(remote, &name, change).await?;
            let request = GiveOpinionRequest { name, etag, in_favor, text, request_id };
            let case = answer(client.give_opinion(session.call(request)).await)?;
            remote.show(kind::SHARE_REQUEST, &case)?;
        }
        Request::Answer { name, answer: answered, change } => {
            let (etag, request_id) = version(remote, &name, change).await?;
            let given = Some(to_answer(answered));
            let request = AnswerRequestRequest { name, etag, answer: given, request_id };
            let case = answer(client.answer_request(session.call(request)).await)?;
            remote.show(kind::SHARE_REQUEST, &case)?;
        }
        Request::Extend { name, working_days, reason, change } => {
            let (etag, request_id) = version(remote, &name, change).await?;
            let request = ExtendRequestRequest { name, etag, working_days, reason, request_id };
            let case = answer(client.extend_request(session.call(request)).await)?;
            remote.show(kind::SHARE_REQUEST, &case)?;
        }
        Request::Withdraw { name, reason, change } => {
            let (etag, request_id) = version(remote, &name, change).await?;
            let request = WithdrawRequestRequest { name, etag, reason, request_id };
            let case = answer(client.withdraw_request(session.call(request)).await)?;
            remote.show(kind::SHARE_REQUEST, &case)?;
        }
        Request::Life(life) => return case::run(remote, life).await,
    }
    Ok(Exit::Ok)
}

/// What the flags state, over what the file states.
pub(super) fn stated(asked: Asked) -> Result<ShareRequest, Failure> {
    let mut content: ShareRequest = match &asked.file {
        Some(file) => read(kind::SHARE_REQUEST, file)?,
        None => ShareRequest::default(),
    };
    let texts = [
        (&mut content.entry, asked.entry),
        (&mut content.system, asked.system),
        (&mut content.scenario, asked.scenario),
        (&mut content.duty_basis, asked.duty_basis),
        (&mut content.row_scope, asked.rows),
        (&mut content.renews, asked.renews),
    ];
    for (field, text) in texts {
        if let Some(text) = text {
            *field = text;
        }
    }
    if !asked.items.is_empty() {
        content.items = asked.items;
    }
    if !asked.item_reasons.is_empty() {
        content.item_reasons = asked.item_reasons;
    }
    if let Some(method) = asked.method {
        content.method = i32::from(method);
    }
    if let (Some(from), Some(to)) = (asked.from, asked.to) {
        content.term = Some(Term { from: from.to_string(), to: to.to_string() });
    }
    if let Some(rate) = asked.rate_per_day {
        content.rate_per_day = rate;
    }
    if !asked.commitments.is_empty() {
        content.commitments = asked.commitments.into_iter().map(i32::from).collect();
    }
    Ok(content)
}

pub(super) fn to_answer(answered: Answered) -> Answer {
    let kind = match answered.answer {
        AnswerWord::Agreed => AnswerKind::Agreed,
        AnswerWord::AgreedInPart => AnswerKind::AgreedInPart,
        AnswerWord::Refused => AnswerKind::Refused,
    };
    Answer {
        kind: i32::from(kind),
        items: answered.items,
        ground: answered.ground,
        reason: answered.reason,
    }
}

/// The system whose certificate we show, if it is a system's.
pub(super) fn own_system(remote: &Remote) -> Option<String> {
    let caller = remote.session.caller()?;
    match caller.subject {
        Subject::System { organization, system } => {
            let resource = Resource::System(organization, system);
            Some(ResourceName::new(caller.domain.clone(), resource).to_string())
        }
        Subject::Person { .. } | Subject::Gateway { .. } | Subject::Node { .. } => None,
    }
}

pub(super) async fn version(
    remote: &Remote,
    name: &str,
    change: VersionedChange,
) -> Result<(String, String), Failure> {
    let etag = if let Some(etag) = change.etag {
        etag
    } else {
        let request = GetRequestRequest { name: name.to_owned() };
        let mut client = remote.session.sharing();
        answer(client.get_request(remote.session.call(request)).await)?.etag
    };
    Ok((etag, remote.attempt(change.change.request_id)))
}
