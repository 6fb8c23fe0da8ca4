//! `DemandService`: what somebody needs and the catalog lacks, and whose move it is.
//!
//! Everybody in the domain reads title and state; text and notes are for whoever filed it, for the
//! organization to which it was routed, and for the platform's organizations.

use catalog_model::{
    demand::Demand,
    ids::DemandId,
    name::{Resource, ResourceName},
    reason::Reason,
    refusal::Refusal,
};
use catalog_state::{
    codec,
    command::{Body, case::CaseCommand},
    keys::{Key, Table},
    outcome::Outcome,
};
use luqiao_proto::{
    convert::{
        demand::demand_message,
        name::{demand_name, domain_name, entry_name, organization_name},
    },
    sharing::v1::{
        self as message, AnswerDemandRequest, CloseDemandRequest, FileDemandRequest,
        GetDemandRequest, ListDemandsRequest, ListDemandsResponse, PreReviewDemandRequest,
        RouteDemandRequest, SupplyDemandRequest,
    },
};

use super::{
    Call, Look, Reply, draw, not_found,
    organizations::{done, next},
    paging, version_in,
};

pub(super) async fn dispatch(call: &Call) -> Result<Reply, Refusal> {
    match call.method.path {
        "/luqiao.sharing.v1.DemandService/FileDemand" => file(call).await,
        "/luqiao.sharing.v1.DemandService/PreReviewDemand" => pre_review(call).await,
        "/luqiao.sharing.v1.DemandService/RouteDemand" => route(call).await,
        "/luqiao.sharing.v1.DemandService/AnswerDemand" => answer(call).await,
        "/luqiao.sharing.v1.DemandService/SupplyDemand" => supply(call).await,
        "/luqiao.sharing.v1.DemandService/CloseDemand" => close(call).await,
        "/luqiao.sharing.v1.DemandService/GetDemand" => get(call).await,
        "/luqiao.sharing.v1.DemandService/ListDemands" => list(call).await,
        path => Err(Refusal::new(Reason::MethodUnknown).fact("method", path)),
    }
}

async fn file(call: &Call) -> Result<Reply, Refusal> {
    let request: FileDemandRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    call.look_now(|look| look.own(&domain))?;
    let filed =
        CaseCommand::FileDemand { id: DemandId(draw()), title: request.title, text: request.text };
    write(call, &request.request_id, filed).await
}

async fn pre_review(call: &Call) -> Result<Reply, Refusal> {
    let request: PreReviewDemandRequest = call.decode()?;
    let reviewed = CaseCommand::PreReviewDemand {
        demand: named(&request.name)?,
        version: version_in(&request.etag, "etag")?,
        note: request.note,
    };
    write(call, &request.request_id, reviewed).await
}

async fn route(call: &Call) -> Result<Reply, Refusal> {
    let request: RouteDemandRequest = call.decode()?;
    let demand = named(&request.name)?;
    let (domain, provider) = organization_name(&request.provider, "provider")?;
    call.look_now(|look| look.own(&domain))?;
    let version = version_in(&request.etag, "etag")?;
    let routed = CaseCommand::RouteDemand { demand, version, provider, note: request.note };
    write(call, &request.request_id, routed).await
}

async fn answer(call: &Call) -> Result<Reply, Refusal> {
    let request: AnswerDemandRequest = call.decode()?;
    let answered = CaseCommand::AnswerDemand {
        demand: named(&request.name)?,
        version: version_in(&request.etag, "etag")?,
        confirmed: request.confirmed,
        note: request.note,
    };
    write(call, &request.request_id, answered).await
}

async fn supply(call: &Call) -> Result<Reply, Refusal> {
    let request: SupplyDemandRequest = call.decode()?;
    let demand = named(&request.name)?;
    let (domain, entry) = entry_name(&request.entry, "entry")?;
    let supplied = CaseCommand::SupplyDemand {
        demand,
        version: version_in(&request.etag, "etag")?,
        entry: ResourceName::new(domain, Resource::Entry(entry)),
    };
    write(call, &request.request_id, supplied).await
}

async fn close(call: &Call) -> Result<Reply, Refusal> {
    let request: CloseDemandRequest = call.decode()?;
    let closed = CaseCommand::CloseDemand {
        demand: named(&request.name)?,
        version: version_in(&request.etag, "etag")?,
        reason: request.reason,
    };
    write(call, &request.request_id, closed).await
}

async fn get(call: &Call) -> Result<Reply, Refusal> {
    let request: GetDemandRequest = call.decode()?;
    let (domain, id) = demand_name(&request.name, "name")?;
    call.read(move |look| {
        let demand = look.view().demand(&domain, id).filter(|_| sees(look));
        let demand = demand.ok_or_else(|| not_found(&request.name))?;
        Ok(demand_message(&demand, takes_part(look, &demand)))
    })
    .await
}

async fn list(call: &Call) -> Result<Reply, Refusal> {
    let mut request: ListDemandsRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    let owner = match request.owner.as_str() {
        "" => None,
        owner => Some(organization_name(owner, "owner")?),
    };
    let size = paging::size(std::mem::take(&mut request.page_size))?;
    let token = std::mem::take(&mut request.page_token);
    let query = paging::query_digest(call.method.path, &call.caller.to_string(), &request);
    call.read(move |look| {
        look.own(&domain)?;
        let from = paging::open(look.page_key(), &query, &token)?;
        let prefix = Key::table(Table::Demand);
        let page = look.view().page_of(&prefix, from.as_deref(), size, paging::SCAN, |_, bytes| {
            let demand: Demand = codec::decode(bytes).expect("rows are written by this program");
            let moves = owner.as_ref().is_none_or(|(domain, organization)| {
                demand.owner.as_ref().is_some_and(|owner| {
                    owner.domain == *domain && owner.organization == *organization
                })
            });
            let shown = demand_message(&demand, takes_part(look, &demand));
            let wanted = moves && (request.state == 0 || shown.state == request.state);
            (wanted && sees(look)).then_some(shown)
        });
        let next_page_token = next(look, &query, page.next);
        Ok(ListDemandsResponse { demands: page.rows, next_page_token })
    })
    .await
}

/// Whether the caller is of this domain; title and state are for everybody there.
pub(super) fn sees(look: &Look<'_>) -> bool {
    look.caller.domain == *look.domain()
}

/// Whether the caller filed it, was asked for it, or acts for the platform.
pub(super) fn takes_part(look: &Look<'_>, demand: &Demand) -> bool {
    look.is_party(&demand.requester)
        || demand.provider.as_ref().is_some_and(|provider| look.is_party(provider))
        || look.is_platform()
}

fn named(name: &str) -> Result<ResourceName, Refusal> {
    demand_name(name, "name").map(|(domain, id)| ResourceName::new(domain, Resource::Demand(id)))
}

async fn write(call: &Call, request_id: &str, command: CaseCommand) -> Result<Reply, Refusal> {
    call.write(request_id, Body::Case(Box::new(command)), shown).await
}

fn shown(look: &Look<'_>, outcome: &Outcome) -> Result<message::Demand, Refusal> {
    let name = done(outcome)?;
    let Resource::Demand(id) = name.resource else { return Err(Refusal::new(Reason::Internal)) };
    let demand = look.view().demand(&name.domain, id).ok_or_else(|| not_found(&name))?;
    Ok(demand_message(&demand, takes_part(look, &demand)))
}
