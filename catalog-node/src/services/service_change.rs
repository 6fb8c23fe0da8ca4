//! `ServiceChangeService`: changes of a service that others live on.
//!
//! Seen by the provider, by the users whom a change concerns, from whichever domain they come, and
//! by the platform. A user sees what it said itself, not what others did.

use catalog_model::{
    ids::ServiceChangeId,
    name::{Resource, ResourceName},
    reason::Reason,
    refusal::Refusal,
    service_change::ServiceChange,
};
use catalog_state::{
    command::{Body, GrantCommand},
    outcome::Outcome,
};
use luqiao_proto::{
    convert::{
        digest::read_digest,
        name::{domain_name, entry_name, service_change_name},
        service_change::{Proposal, read_proposal, service_change_message},
    },
    sharing::v1::{
        self as message, AbandonServiceChangeRequest, EffectServiceChangeRequest,
        FileServiceChangeRequest, GetServiceChangeRequest, ListServiceChangesRequest,
        ListServiceChangesResponse, ProposeServiceChangeRequest, RecordNegotiationRequest,
        StateOnServiceChangeRequest,
    },
};

use super::{
    Call, Look, Reply, draw, not_found,
    organizations::{done, next},
    paging, version_in,
};

pub(super) async fn dispatch(call: &Call) -> Result<Reply, Refusal> {
    match call.method.path {
        "/luqiao.sharing.v1.ServiceChangeService/ProposeServiceChange" => propose(call).await,
        "/luqiao.sharing.v1.ServiceChangeService/StateOnServiceChange" => state(call).await,
        "/luqiao.sharing.v1.ServiceChangeService/RecordNegotiation" => negotiated(call).await,
        "/luqiao.sharing.v1.ServiceChangeService/FileServiceChange" => file(call).await,
        "/luqiao.sharing.v1.ServiceChangeService/EffectServiceChange" => effect(call).await,
        "/luqiao.sharing.v1.ServiceChangeService/AbandonServiceChange" => abandon(call).await,
        "/luqiao.sharing.v1.ServiceChangeService/GetServiceChange" => get(call).await,
        "/luqiao.sharing.v1.ServiceChangeService/ListServiceChanges" => list(call).await,
        path => Err(Refusal::new(Reason::MethodUnknown).fact("method", path)),
    }
}

fn changed_name(name: &str) -> Result<ResourceName, Refusal> {
    let (domain, id) = service_change_name(name, "name")?;
    Ok(ResourceName::new(domain, Resource::ServiceChange(id)))
}

/// Name and version of a change that is to go on.
fn read_at(name: &str, etag: &str) -> Result<(ResourceName, u64), Refusal> {
    Ok((changed_name(name)?, version_in(etag, "etag")?))
}

async fn change(call: &Call, request_id: &str, command: GrantCommand) -> Result<Reply, Refusal> {
    call.write(request_id, Body::Grant(Box::new(command)), shown).await
}

async fn propose(call: &Call) -> Result<Reply, Refusal> {
    let request: ProposeServiceChangeRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    call.look_now(|look| look.own(&domain))?;
    let (owner, entry) = entry_name(&request.entry, "entry")?;
    let Proposal { kind, cause, effective } = read_proposal(&request)?;
    let command = GrantCommand::ProposeServiceChange {
        id: ServiceChangeId(draw()),
        entry: ResourceName::new(owner, Resource::Entry(entry)),
        kind,
        items: request.items,
        cause,
        reason: request.reason,
        effective,
    };
    change(call, &request.request_id, command).await
}

async fn state(call: &Call) -> Result<Reply, Refusal> {
    let request: StateOnServiceChangeRequest = call.decode()?;
    let (name, version) = read_at(&request.name, &request.etag)?;
    let (agrees, text) = (request.agrees, request.text);
    let command = GrantCommand::StateOnServiceChange { change: name, version, agrees, text };
    change(call, &request.request_id, command).await
}

async fn negotiated(call: &Call) -> Result<Reply, Refusal> {
    let request: RecordNegotiationRequest = call.decode()?;
    let (name, version) = read_at(&request.name, &request.etag)?;
    let minutes = read_digest(&request.minutes, "minutes")?;
    let command = GrantCommand::RecordNegotiation { change: name, version, minutes };
    change(call, &request.request_id, command).await
}

async fn file(call: &Call) -> Result<Reply, Refusal> {
    let request: FileServiceChangeRequest = call.decode()?;
    let (name, version) = read_at(&request.name, &request.etag)?;
    let command = GrantCommand::FileServiceChange { change: name, version };
    change(call, &request.request_id, command).await
}

async fn effect(call: &Call) -> Result<Reply, Refusal> {
    let request: EffectServiceChangeRequest = call.decode()?;
    let (name, version) = read_at(&request.name, &request.etag)?;
    let command = GrantCommand::EffectServiceChange { change: name, version };
    change(call, &request.request_id, command).await
}

async fn abandon(call: &Call) -> Result<Reply, Refusal> {
    let request: AbandonServiceChangeRequest = call.decode()?;
    let (name, version) = read_at(&request.name, &request.etag)?;
    let reason = request.reason;
    let command = GrantCommand::AbandonServiceChange { change: name, version, reason };
    change(call, &request.request_id, command).await
}

async fn get(call: &Call) -> Result<Reply, Refusal> {
    let request: GetServiceChangeRequest = call.decode()?;
    let (domain, id) = service_change_name(&request.name, "name")?;
    call.read(move |look| {
        let change = look.view().service_change(&domain, id);
        change.and_then(|change| seen(look, change)).ok_or_else(|| not_found(&request.name))
    })
    .await
}

async fn list(call: &Call) -> Result<Reply, Refusal> {
    let mut request: ListServiceChangesRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    let (owner, entry) = entry_name(&request.entry, "entry")?;
    let size = paging::size(std::mem::take(&mut request.page_size))?;
    let token = std::mem::take(&mut request.page_token);
    let query = paging::query_digest(call.method.path, &call.caller.to_string(), &request);
    call.read(move |look| {
        look.own(&domain)?;
        let from = paging::open(look.page_key(), &query, &token)?;
        let page = look.view().service_changes((&owner, entry), from.as_deref(), size);
        Ok(ListServiceChangesResponse {
            service_changes: page.rows.into_iter().filter_map(|row| seen(look, row)).collect(),
            next_page_token: next(look, &query, page.next),
        })
    })
    .await
}

/// The change as the caller may see it; `None` if it may not.
fn seen(look: &Look<'_>, mut change: ServiceChange) -> Option<message::ServiceChange> {
    if !look.is_party(&change.provider) && !look.is_platform() {
        change.grants.retain(|affected| look.is_party(&affected.consumer));
        if change.grants.is_empty() {
            return None;
        }
    }
    Some(service_change_message(&change))
}

fn shown(look: &Look<'_>, outcome: &Outcome) -> Result<message::ServiceChange, Refusal> {
    let name = done(outcome)?;
    let Resource::ServiceChange(id) = name.resource else {
        return Err(Refusal::new(Reason::Internal));
    };
    let change = look.view().service_change(&name.domain, id);
    change.and_then(|change| seen(look, change)).ok_or_else(|| not_found(&name))
}
