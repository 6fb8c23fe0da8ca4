//! Notices: how far an organization has read, where it wants to be told, what came of deliveries.

use catalog_model::{
    caller::Identity,
    ids::{OrganizationId, WebhookId},
    name::{Resource, ResourceName},
    organization::Organization,
    reason::Reason,
    refusal::Refusal,
};

use super::text;
use crate::{
    apply::organizations::same_version,
    codec,
    command::work::{Attempt, EndedDelivery, WorkCommand},
    event::Event,
    keys::{self, Key, Table},
    ledger::{self, Fact},
    machine::not_permitted,
    notices::{DELIVERIES_KEPT, NoticeKind, WEBHOOKS_MAX, Webhook},
    outcome::Outcome,
    tx::Tx,
};

pub(crate) fn apply(tx: &mut Tx<'_>, command: &WorkCommand) -> Result<Outcome, Refusal> {
    match command {
        WorkCommand::AckNotices { through } => ack(tx, *through),
        WorkCommand::RegisterWebhook { id, url, kinds } => register(tx, *id, url, kinds),
        WorkCommand::RemoveWebhook { id, version } => remove(tx, *id, *version),
        WorkCommand::RecordDeliveries { id, from, through, ended, attempt } => {
            record(tx, *id, (*from, *through), ended, attempt.as_ref())
        }
    }
}

fn caller(tx: &Tx<'_>) -> Result<Organization, Refusal> {
    tx.caller_organization().ok_or_else(|| not_permitted(tx, "an organization of this domain"))
}

fn organization_name(tx: &Tx<'_>, id: OrganizationId) -> ResourceName {
    ResourceName::new(tx.domain().clone(), Resource::Organization(id))
}

fn name(tx: &Tx<'_>, id: WebhookId) -> ResourceName {
    ResourceName::new(tx.domain().clone(), Resource::Webhook(id))
}

/// A place that was acked stays acked: whoever acks an earlier one was late to say so.
fn ack(tx: &mut Tx<'_>, through: u64) -> Result<Outcome, Refusal> {
    let organization = caller(tx)?;
    if through > tx.counters().ledger {
        let (en, zh) = ("is beyond what happened", "超出已发生的记录");
        return Err(Refusal::new(Reason::FieldInvalid).field("through", en, zh));
    }
    let key = keys::notice_cursor(organization.id);
    let acked: u64 = tx.get(&key).unwrap_or_default();
    if through > acked {
        tx.put(&key, &through);
    }
    Ok(Outcome::Done(Some(organization_name(tx, organization.id))))
}

fn register(
    tx: &mut Tx<'_>,
    id: WebhookId,
    url: &str,
    kinds: &[NoticeKind],
) -> Result<Outcome, Refusal> {
    let organization = caller(tx)?;
    text::check_reason("url", url)?;
    if !(url.starts_with("https://") || url.starts_with("http://")) {
        let (en, zh) = ("must begin with https:// or http://", "须以 https:// 或 http:// 开头");
        return Err(Refusal::new(Reason::FieldInvalid).field("url", en, zh));
    }
    let name = name(tx, id);
    if tx.has(&keys::webhook(id)) {
        return Err(Refusal::new(Reason::AlreadyExists).fact("name", name));
    }
    let table = Key::table(Table::Webhook);
    let own = tx.rows(&table, usize::MAX).into_iter().filter(|(_, bytes)| {
        let row: Webhook = codec::decode(bytes).expect("rows are ours");
        row.organization == organization.id
    });
    if own.count() >= WEBHOOKS_MAX {
        return Err(Refusal::new(Reason::TooManyItems)
            .fact("field", "webhooks")
            .fact("length", WEBHOOKS_MAX + 1)
            .fact("limit", WEBHOOKS_MAX));
    }
    let mut kinds = kinds.to_vec();
    kinds.sort_unstable();
    kinds.dedup();
    let webhook = Webhook {
        id,
        domain: tx.domain().clone(),
        organization: organization.id,
        url: url.to_owned(),
        kinds,
        // What happened before is read by pulling.
        through: tx.counters().ledger,
        attempt: None,
        arrived: 0,
        given_up: 0,
        version: 1,
        created_time: tx.clock,
    };
    tx.put(&keys::webhook(id), &webhook);
    let fact = Fact::WebhookRegistered { organization: organization_name(tx, organization.id) };
    ledger::append(tx, &name, fact, None, &[("url", url)]);
    tx.emit(Event::ResourceChanged(name.clone()));
    Ok(Outcome::Done(Some(name)))
}

fn remove(tx: &mut Tx<'_>, id: WebhookId, version: u64) -> Result<Outcome, Refusal> {
    let name = name(tx, id);
    let unknown = || Refusal::new(Reason::NotFound).fact("name", &name);
    let organization = caller(tx)?;
    let webhook: Webhook = tx.get(&keys::webhook(id)).ok_or_else(unknown)?;
    if webhook.organization != organization.id {
        return Err(unknown());
    }
    same_version(webhook.version, version)?;
    tx.delete(&keys::webhook(id));
    for (key, _) in tx.rows(&keys::deliveries(id), DELIVERIES_KEPT + 1) {
        tx.delete(&Key::from_stored(key));
    }
    ledger::append(tx, &name, Fact::WebhookRemoved, None, &[]);
    tx.emit(Event::ResourceChanged(name.clone()));
    Ok(Outcome::Done(Some(name)))
}

fn record(
    tx: &mut Tx<'_>,
    id: WebhookId,
    (from, through): (u64, u64),
    ended: &[EndedDelivery],
    attempt: Option<&Attempt>,
) -> Result<Outcome, Refusal> {
    if !matches!(tx.caller.identity, Identity::Node { .. }) {
        return Err(not_permitted(tx, "a node"));
    }
    let name = name(tx, id);
    let done = Ok(Outcome::Done(Some(name.clone())));
    // It was removed meanwhile, or a node that led before has told the same.
    let Some(mut webhook) = tx.get::<Webhook>(&keys::webhook(id)) else { return done };
    if webhook.through != from || through < from || through > tx.counters().ledger {
        return done;
    }
    webhook.through = through;
    webhook.attempt = attempt.cloned();
    for delivery in ended {
        webhook.arrived += u64::from(delivery.arrived);
        webhook.given_up += u64::from(!delivery.arrived);
        tx.put(&keys::delivery(id, delivery.sequence), delivery);
        if !delivery.arrived {
            let fact = Fact::NoticeGivenUp { sequence: delivery.sequence };
            ledger::append(tx, &name, fact, None, &[]);
        }
    }
    let rows = tx.rows(&keys::deliveries(id), usize::MAX);
    let old = rows.len().saturating_sub(DELIVERIES_KEPT);
    for (key, _) in rows.into_iter().take(old) {
        tx.delete(&Key::from_stored(key));
    }
    tx.put(&keys::webhook(id), &webhook);
    done
}
