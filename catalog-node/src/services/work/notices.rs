//! Notices, pulled and told: an organization's own, and its own addresses.

use catalog_model::{
    ids::{OrganizationId, WebhookId},
    name::{Resource, ResourceName},
    reason::{Lang, Reason},
    refusal::Refusal,
};
use catalog_state::{
    command::{
        Body,
        work::{Attempt, EndedDelivery, WorkCommand},
    },
    notices::{Notice, NoticeKind, Webhook},
};
use luqiao_proto::{
    convert::{
        etag,
        name::{domain_name, full_name, resource_name},
        time::timestamp,
    },
    work::v1::{
        self as message, AckNoticesRequest, AckNoticesResponse, DeliveryState,
        ListDeliveriesRequest, ListDeliveriesResponse, ListNoticesRequest, ListNoticesResponse,
        ListWebhooksRequest, ListWebhooksResponse, RegisterWebhookRequest, RemoveWebhookRequest,
        RemoveWebhookResponse,
    },
};

use super::{
    super::{Call, Look, Reply, draw, not_found, organizations::done, paging, version_in},
    asked_organization,
};
use crate::webhooks::address::Address;

fn own(look: &Look<'_>) -> Result<OrganizationId, Refusal> {
    asked_organization(look, "").map(|organization| organization.id)
}

pub(super) async fn list(call: &Call) -> Result<Reply, Refusal> {
    let request: ListNoticesRequest = call.decode()?;
    let size = paging::size(request.page_size)?;
    let domain = domain_name(&request.parent, "parent")?;
    let kinds = kinds(&request.kinds)?;
    let lang = call.lang;
    call.read(move |look| {
        look.own(&domain)?;
        let organization = own(look)?;
        let acked = look.view().notices_acked(organization);
        let from = request.from_place.unwrap_or(acked);
        let page = look.view().notices(organization, &kinds, from, size, paging::SCAN);
        Ok(ListNoticesResponse {
            notices: page.notices.iter().map(|notice| shown(notice, lang)).collect(),
            through: page.through,
            more: page.more,
            acked,
        })
    })
    .await
}

pub(super) async fn ack(call: &Call) -> Result<Reply, Refusal> {
    let request: AckNoticesRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    call.look_now(|look| look.own(&domain))?;
    let command = WorkCommand::AckNotices { through: request.through };
    call.write(&request.request_id, Body::Work(Box::new(command)), |look, _| {
        Ok(AckNoticesResponse { acked: look.view().notices_acked(own(look)?) })
    })
    .await
}

pub(super) async fn register(call: &Call) -> Result<Reply, Refusal> {
    let request: RegisterWebhookRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    call.look_now(|look| look.own(&domain))?;
    let kinds = kinds(&request.kinds)?;
    if let Err((en, zh)) = Address::read(&request.url, &call.services.webhook_hosts) {
        return Err(Refusal::new(Reason::FieldInvalid).field("url", en, zh));
    }
    let id = WebhookId(draw());
    let command = WorkCommand::RegisterWebhook { id, url: request.url, kinds };
    call.write(&request.request_id, Body::Work(Box::new(command)), |look, outcome| {
        let Resource::Webhook(id) = done(outcome)?.resource else {
            return Err(Refusal::new(Reason::Internal));
        };
        look.view().webhook(id).map(|row| webhook(&row)).ok_or_else(|| not_found(id))
    })
    .await
}

pub(super) async fn list_webhooks(call: &Call) -> Result<Reply, Refusal> {
    let request: ListWebhooksRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    call.read(move |look| {
        look.own(&domain)?;
        let organization = own(look)?;
        let rows = look.view().webhooks().into_iter();
        let own = rows.filter(|row| row.organization == organization);
        Ok(ListWebhooksResponse { webhooks: own.map(|row| webhook(&row)).collect() })
    })
    .await
}

pub(super) async fn remove(call: &Call) -> Result<Reply, Refusal> {
    let request: RemoveWebhookRequest = call.decode()?;
    let id = webhook_id(&request.name)?;
    let version = version_in(&request.etag, "etag")?;
    let command = WorkCommand::RemoveWebhook { id, version };
    call.write(&request.request_id, Body::Work(Box::new(command)), |_, _| {
        Ok(RemoveWebhookResponse {})
    })
    .await
}

pub(super) async fn deliveries(call: &Call) -> Result<Reply, Refusal> {
    let request: ListDeliveriesRequest = call.decode()?;
    let id = webhook_id(&request.name)?;
    call.read(move |look| {
        let organization = own(look)?;
        let row = look.view().webhook(id).filter(|row| row.organization == organization);
        let row = row.ok_or_else(|| not_found(&request.name))?;
        let ended = look.view().deliveries(id);
        let under_way = row.attempt.iter().map(under_way);
        let deliveries = under_way.chain(ended.iter().map(over)).collect();
        Ok(ListDeliveriesResponse { deliveries })
    })
    .await
}

fn webhook_id(name: &str) -> Result<WebhookId, Refusal> {
    match resource_name(name, "name")? {
        ResourceName { resource: Resource::Webhook(id), .. } => Ok(id),
        _ => Err(Refusal::new(Reason::NameInvalid).field(
            "name",
            "is not domains/{domain}/webhooks/{id}",
            "不是 domains/{domain}/webhooks/{id}",
        )),
    }
}

fn kinds(numbers: &[i32]) -> Result<Vec<NoticeKind>, Refusal> {
    let known = |number: &i32| {
        let kind = NoticeKind::ALL.iter().find(|kind| **kind as i32 == *number);
        kind.copied().ok_or_else(|| {
            let (en, zh) = ("has a value that is not known", "含未知取值");
            Refusal::new(Reason::FieldInvalid).field("kinds", en, zh)
        })
    };
    numbers.iter().map(known).collect()
}

fn shown(notice: &Notice, lang: Lang) -> message::Notice {
    message::Notice {
        key: notice.key.clone(),
        kind: notice.kind as i32,
        text: notice.kind.text(lang).to_owned(),
        subject: notice.subject.to_string(),
        sequence: notice.sequence,
        time: Some(timestamp(notice.time)),
        due_date: notice.due_date.map_or_else(String::new, |day| day.to_string()),
    }
}

fn webhook(row: &Webhook) -> message::Webhook {
    message::Webhook {
        name: full_name(&row.domain, Resource::Webhook(row.id)),
        url: row.url.clone(),
        kinds: row.kinds.iter().map(|kind| *kind as i32).collect(),
        through: row.through,
        arrived: row.arrived,
        given_up: row.given_up,
        under_way: row.attempt.as_ref().map(under_way),
        etag: etag(row.version),
        create_time: Some(timestamp(row.created_time)),
    }
}

fn under_way(attempt: &Attempt) -> message::Delivery {
    message::Delivery {
        sequence: attempt.sequence,
        state: DeliveryState::UnderWay.into(),
        attempts: attempt.attempts,
        answer: attempt.answer.clone(),
        time: Some(timestamp(attempt.next_time)),
    }
}

fn over(ended: &EndedDelivery) -> message::Delivery {
    let state = if ended.arrived { DeliveryState::Arrived } else { DeliveryState::GivenUp };
    message::Delivery {
        sequence: ended.sequence,
        state: state.into(),
        attempts: ended.attempts,
        answer: ended.answer.clone(),
        time: Some(timestamp(ended.time)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers and words of the two tables are the same.
    #[test]
    fn kinds_of_notices_are_those_of_the_protocol() {
        for kind in NoticeKind::ALL {
            let known =
                message::NoticeKind::try_from(*kind as i32).expect("a number of the protocol");
            assert_eq!(known.as_str_name(), format!("NOTICE_KIND_{}", kind.word()));
        }
        assert!(kinds(&[0]).is_err() && kinds(&[9_999]).is_err());
    }
}
