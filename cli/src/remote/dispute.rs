//! `luqiao dispute`.

use luqiao_proto::sharing::v1::{
    CoordinateDisputeRequest, DecideDisputeRequest, EndConsultationRequest, GetDisputeRequest,
    ListDisputesRequest, RaiseDisputeRequest, StatePositionRequest,
};

use crate::{
    args::{VersionedChange, case::Dispute},
    exit::Exit,
    failure::Failure,
    message::kind,
    output::{Column, column},
};

use super::{Remote, answer};

const COLUMNS: [Column; 5] = [
    column("NAME", "资源名", "/name"),
    column("STATE", "状态", "/state"),
    column("RAISED BY", "提出方", "/raised_by/display_name"),
    column("AGAINST", "相对方", "/against/display_name"),
    column("REQUEST", "申请", "/request"),
];

/// Does it.
pub async fn run(remote: &Remote, command: Dispute) -> Result<Exit, Failure> {
    let session = &remote.session;
    let mut client = session.disputes();
    let dispute = match command {
        Dispute::Raise { request, text, change } => {
            let request = RaiseDisputeRequest {
                parent: session.parent(),
                request,
                text,
                request_id: remote.attempt(change.request_id),
            };
            answer(client.raise_dispute(session.call(request)).await)?
        }
        Dispute::Position { name, text, letter, change } => {
            let paper = letter.message()?;
            let (etag, request_id) = version(remote, &name, change).await?;
            let request = StatePositionRequest { name, etag, text, paper, request_id };
            answer(client.state_position(session.call(request)).await)?
        }
        Dispute::EndConsultation { name, agreed, minutes, change } => {
            let (etag, request_id) = version(remote, &name, change).await?;
            let request = EndConsultationRequest { name, etag, agreed, minutes, request_id };
            answer(client.end_consultation(session.call(request)).await)?
        }
        Dispute::Coordinate { name, agreed, minutes, letter, change } => {
            let paper = letter.message()?;
            let (etag, request_id) = version(remote, &name, change).await?;
            let request =
                CoordinateDisputeRequest { name, etag, agreed, minutes, paper, request_id };
            answer(client.coordinate_dispute(session.call(request)).await)?
        }
        Dispute::Decide { name, result, paper, change } => {
            let paper = Some(paper.message()?);
            let (etag, request_id) = version(remote, &name, change).await?;
            let request = DecideDisputeRequest { name, etag, paper, result, request_id };
            answer(client.decide_dispute(session.call(request)).await)?
        }
        Dispute::Show { name } => {
            let request = GetDisputeRequest { name };
            answer(client.get_dispute(session.call(request)).await)?
        }
        Dispute::List { state, request, page } => {
            let request = ListDisputesRequest {
                parent: session.parent(),
                page_size: page.page_size,
                page_token: page.page_token,
                state: state.map_or(0, i32::from),
                request,
            };
            let list = answer(client.list_disputes(session.call(request)).await)?;
            remote.show_page(kind::DISPUTE_PAGE, &list, "disputes", &COLUMNS)?;
            return Ok(Exit::Ok);
        }
    };
    remote.show(kind::DISPUTE, &dispute)?;
    Ok(Exit::Ok)
}

async fn version(
    remote: &Remote,
    name: &str,
    change: VersionedChange,
) -> Result<(String, String), Failure> {
    let etag = if let Some(etag) = change.etag {
        etag
    } else {
        let request = GetDisputeRequest { name: name.to_owned() };
        let mut client = remote.session.disputes();
        answer(client.get_dispute(remote.session.call(request)).await)?.etag
    };
    Ok((etag, remote.attempt(change.change.request_id)))
}
