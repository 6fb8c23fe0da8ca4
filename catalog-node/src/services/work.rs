//! `WorkService`: what must be done next, what was answered before, how it was answered, what became
//! of a call.
//!
//! An organization sees its own work and its own figures; those of others are for the organizations
//! of the platform. What is not seen is not found.

use catalog_model::{
    ids::OrganizationId, organization::Organization, reason::Reason, refusal::Refusal,
};
use luqiao_proto::convert::name::organization_name;

use super::{Call, Look, Reply, not_found};

mod explain;
mod feed;
mod ics;
mod list;
mod notices;
mod precedents;
mod statistics;

pub(super) async fn dispatch(call: &Call) -> Result<Reply, Refusal> {
    match call.method.path {
        "/luqiao.work.v1.WorkService/ListWork" => list::list(call).await,
        "/luqiao.work.v1.WorkService/GetCalendarFeed" => feed::get(call).await,
        "/luqiao.work.v1.WorkService/ListPrecedents" => precedents::list(call).await,
        "/luqiao.work.v1.WorkService/GetStatistics" => statistics::get(call).await,
        "/luqiao.work.v1.WorkService/ExplainCall" => explain::get(call).await,
        "/luqiao.work.v1.WorkService/ListNotices" => notices::list(call).await,
        "/luqiao.work.v1.WorkService/AckNotices" => notices::ack(call).await,
        "/luqiao.work.v1.WorkService/RegisterWebhook" => notices::register(call).await,
        "/luqiao.work.v1.WorkService/ListWebhooks" => notices::list_webhooks(call).await,
        "/luqiao.work.v1.WorkService/RemoveWebhook" => notices::remove(call).await,
        "/luqiao.work.v1.WorkService/ListDeliveries" => notices::deliveries(call).await,
        path => Err(Refusal::new(Reason::MethodUnknown).fact("method", path)),
    }
}

/// The organization whose work is asked for: the named one, or the caller's own.
fn asked_organization(look: &Look<'_>, named: &str) -> Result<Organization, Refusal> {
    let own = look.caller.organization().filter(|_| look.caller.domain == *look.domain());
    let id = if named.is_empty() {
        own.ok_or_else(|| {
            Refusal::new(Reason::CallerNotPermitted)
                .fact("caller", look.caller)
                .fact("needed", "an organization of this domain")
        })?
    } else {
        let (domain, id) = organization_name(named, "organization")?;
        look.own(&domain)?;
        if own != Some(id) && !look.is_platform() {
            return Err(not_found(named));
        }
        id
    };
    look.view().organization(look.domain(), id).ok_or_else(|| not_found(named_or(named, id)))
}

fn named_or(named: &str, id: OrganizationId) -> String {
    if named.is_empty() { id.to_string() } else { named.to_owned() }
}
