//! `luqiao demand`.

use luqiao_proto::sharing::v1::{
    AnswerDemandRequest, CloseDemandRequest, FileDemandRequest, GetDemandRequest,
    ListDemandsRequest, PreReviewDemandRequest, RouteDemandRequest, SupplyDemandRequest,
};

use crate::{
    args::{VersionedChange, case::Demand},
    exit::Exit,
    failure::Failure,
    message::kind,
    output::{Column, column},
};

use super::{Remote, answer};

const COLUMNS: [Column; 5] = [
    column("NAME", "资源名", "/name"),
    column("STATE", "状态", "/state"),
    column("TITLE", "名称", "/title"),
    column("REQUESTER", "需求单位", "/requester/display_name"),
    column("OWNER", "当前承办", "/owner/display_name"),
];

/// Does it.
pub async fn run(remote: &Remote, command: Demand) -> Result<Exit, Failure> {
    let session = &remote.session;
    let mut client = session.demands();
    let demand = match command {
        Demand::File { title, text, change } => {
            let request = FileDemandRequest {
                parent: session.parent(),
                title,
                text,
                request_id: remote.attempt(change.request_id),
            };
            answer(client.file_demand(session.call(request)).await)?
        }
        Demand::PreReview { name, note, change } => {
            let (etag, request_id) = version(remote, &name, change).await?;
            let request = PreReviewDemandRequest { name, etag, note, request_id };
            answer(client.pre_review_demand(session.call(request)).await)?
        }
        Demand::Route { name, provider, note, change } => {
            let (etag, request_id) = version(remote, &name, change).await?;
            let request = RouteDemandRequest { name, etag, provider, note, request_id };
            answer(client.route_demand(session.call(request)).await)?
        }
        Demand::Answer { name, confirmed, note, change } => {
            let (etag, request_id) = version(remote, &name, change).await?;
            let request = AnswerDemandRequest { name, etag, confirmed, note, request_id };
            answer(client.answer_demand(session.call(request)).await)?
        }
        Demand::Supply { name, entry, change } => {
            let (etag, request_id) = version(remote, &name, change).await?;
            let request = SupplyDemandRequest { name, etag, entry, request_id };
            answer(client.supply_demand(session.call(request)).await)?
        }
        Demand::Close { name, reason, change } => {
            let (etag, request_id) = version(remote, &name, change).await?;
            let request = CloseDemandRequest { name, etag, reason, request_id };
            answer(client.close_demand(session.call(request)).await)?
        }
        Demand::Show { name } => {
            let request = GetDemandRequest { name };
            answer(client.get_demand(session.call(request)).await)?
        }
        Demand::List { state, owner, page } => {
            let request = ListDemandsRequest {
                parent: session.parent(),
                page_size: page.page_size,
                page_token: page.page_token,
                state: state.map_or(0, i32::from),
                owner,
            };
            let list = answer(client.list_demands(session.call(request)).await)?;
            remote.show_page(kind::DEMAND_PAGE, &list, "demands", &COLUMNS)?;
            return Ok(Exit::Ok);
        }
    };
    remote.show(kind::DEMAND, &demand)?;
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
        let request = GetDemandRequest { name: name.to_owned() };
        let mut client = remote.session.demands();
        answer(client.get_demand(remote.session.call(request)).await)?.etag
    };
    Ok((etag, remote.attempt(change.change.request_id)))
}
