//! Webhooks: how does an organization hear of what concerns it without asking?
//!
//! Whoever leads delivers: for each webhook the notices after its place in the ledger, one after the
//! other. What came of it is committed; until then the same notice is delivered again, by this node or
//! by the next that leads, under the same key. So each is told at least once and in order, and a
//! receiver that remembers keys acts once.
//!
//! A delivery that fails is tried again after a pause that doubles, and holds up those after it;
//! after the time that the configuration names it is given up, which is a record, and can still be
//! pulled. A body names what happened to what and never what was written. It is signed with the
//! key that signs the node's tree heads, whose certificate goes with it: a receiver verifies it with
//! the trust anchor that it has for receipts, and no secret lies in the state.
//!
//! A department must not make a node call whatever it likes: only hosts that the operator lists are
//! called, and redirects are not followed.

pub(crate) mod address;
mod post;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use catalog_model::{
    ids::WebhookId,
    name::{Resource, ResourceName},
    time::UtcMillis,
};
use catalog_state::{
    command::{
        Body,
        work::{Attempt, EndedDelivery, WorkCommand},
    },
    notices::{Notice, Webhook},
    view::View,
};
use tokio::time::{MissedTickBehavior, interval};

use self::post::Poster;
use crate::{config::Webhooks, handle::Intent, services::Services};

/// How often the leader looks whether there is something to deliver.
const LOOK: Duration = Duration::from_millis(500);
/// Notices of one webhook that are delivered between two commands.
const NOTICES: usize = 20;
/// Records that are looked at for them.
const SCAN: usize = 5_000;
/// A place that moved so far without a notice is committed, so that the next leader does not look at
/// all of it again.
const PLACES: u64 = 10_000;

/// Longest word on why there was no answer, in characters.
const ANSWER_MAX: usize = 200;

/// What signed bytes begin with.
const ABOUT: &[u8] = b"luqiao webhook v1\0";

/// Delivers while this node leads.
pub(crate) async fn deliver(services: Arc<Services>, config: Webhooks) {
    if config.hosts.is_empty() {
        return;
    }
    let poster = match Poster::new(&config) {
        Ok(poster) => Arc::new(poster),
        Err(error) => {
            tracing::error!(%error, "Webhooks are not delivered");
            return;
        }
    };
    let courier = Arc::new(Courier {
        services: Arc::clone(&services),
        config,
        poster,
        seen: Mutex::default(),
    });
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let shutdown = services.shutdown.clone();
    loop {
        tokio::select! {
            () = shutdown.begun() => return,
            _ = looks.tick() => {}
        }
        if !services.handle.status().is_leader() {
            courier.seen.lock().unwrap_or_else(PoisonError::into_inner).clear();
            continue;
        }
        let webhooks = services.handle.look(|state| View(state).webhooks()).await;
        // Side by side: one receiver that does not answer must not hold up the others for long.
        let rounds: Vec<_> = webhooks
            .into_iter()
            .map(|webhook| {
                let courier = Arc::clone(&courier);
                shutdown.spawn(async move { courier.round(webhook).await })
            })
            .collect();
        for round in rounds {
            // A round that was cut was cut by the shutdown.
            let _ = round.await;
        }
    }
}

struct Courier {
    services: Arc<Services>,
    config: Webhooks,
    poster: Arc<Poster>,
    /// Of each webhook the place up to which this node found nothing to deliver.
    seen: Mutex<BTreeMap<WebhookId, u64>>,
}

impl Courier {
    /// Delivers what one webhook waits for, and commits what came of it.
    async fn round(&self, webhook: Webhook) {
        let handle = &self.services.handle;
        let now = handle.clock().wall();
        if webhook.attempt.as_ref().is_some_and(|attempt| attempt.next_time > now) {
            return;
        }
        let seen =
            self.seen.lock().unwrap_or_else(PoisonError::into_inner).get(&webhook.id).copied();
        let from = webhook.through.max(seen.unwrap_or_default());
        let (organization, kinds) = (webhook.organization, webhook.kinds.clone());
        let page = handle
            .look(move |state| View(state).notices(organization, &kinds, from, NOTICES, SCAN))
            .await;
        let mut ended = Vec::new();
        let mut attempt = None;
        let mut through = page.through;
        for notice in &page.notices {
            let before = webhook.attempt.as_ref().filter(|tried| tried.sequence == notice.sequence);
            match self.one(&webhook, notice, before).await {
                Tried::Over(delivery) => ended.push(delivery),
                Tried::Again(again) => {
                    (attempt, through) = (Some(again), notice.sequence);
                    break;
                }
            }
        }
        let told = !ended.is_empty() || attempt.is_some();
        if !told && through - webhook.through < PLACES {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.insert(webhook.id, through);
            return;
        }
        let command = WorkCommand::RecordDeliveries {
            id: webhook.id,
            from: webhook.through,
            through,
            ended,
            attempt,
        };
        let intent = Intent {
            caller: handle.own_identity(),
            received_at: None,
            idempotency: None,
            body: Body::Work(Box::new(command)),
        };
        // Not committed: whoever leads next delivers it again, under the same key.
        if let Err(refusal) = handle.propose(intent).await {
            tracing::debug!(reason = %refusal.reason, "Deliveries not recorded");
        }
    }

    async fn one(&self, webhook: &Webhook, notice: &Notice, before: Option<&Attempt>) -> Tried {
        let body = body(webhook, notice);
        let time = self.services.handle.clock().wall();
        let signed = [ABOUT, time.0.to_string().as_bytes(), b"\0", body.as_bytes()].concat();
        let key = &self.services.head_key;
        let headers = [
            ("luqiao-key", notice.key.clone()),
            ("luqiao-time", time.0.to_string()),
            ("luqiao-signature", STANDARD.encode(key.sign_message(&signed))),
            ("luqiao-algorithm", key.suite().signature_name().to_owned()),
            ("luqiao-certificate", STANDARD.encode(key.certificate())),
        ];
        let outcome = self.poster.post(&webhook.url, &headers, body).await;
        let now = self.services.handle.clock().wall();
        let attempts = before.map_or(0, |attempt| attempt.attempts) + 1;
        let first_time = before.map_or(now, |attempt| attempt.first_time);
        let over = |arrived, answer| {
            Tried::Over(EndedDelivery {
                sequence: notice.sequence,
                arrived,
                attempts,
                answer,
                time: now,
            })
        };
        // What a receiver makes a library say goes into the log: no more of it than people read.
        let outcome = outcome.map_err(|answer| answer.chars().take(ANSWER_MAX).collect::<String>());
        match outcome {
            Ok(status) => over(true, status.as_u16().to_string()),
            Err(answer) if now.0.saturating_sub(first_time.0) >= self.config.give_up_ms() => {
                tracing::warn!(webhook = %webhook.id, attempts, answer, "Notice given up");
                over(false, answer)
            }
            Err(answer) => Tried::Again(Attempt {
                sequence: notice.sequence,
                attempts,
                first_time,
                next_time: now.plus(pause_ms(&self.config, attempts)),
                answer,
            }),
        }
    }
}

enum Tried {
    Over(EndedDelivery),
    Again(Attempt),
}

/// How long to wait after so many attempts: twice as long each time, within bounds.
fn pause_ms(config: &Webhooks, attempts: u32) -> u64 {
    let doubled = attempts.saturating_sub(1).min(32);
    config.retry_first_ms.saturating_mul(1 << doubled).min(config.retry_max_s * 1000)
}

/// What is sent: what happened to what.
fn body(webhook: &Webhook, notice: &Notice) -> String {
    let name = ResourceName::new(webhook.domain.clone(), Resource::Webhook(webhook.id));
    serde_json::json!({
        "key": notice.key,
        "kind": notice.kind.word(),
        "subject": notice.subject.to_string(),
        "sequence": notice.sequence,
        "time": rfc3339(notice.time),
        "due_date": notice.due_date.map(|day| day.to_string()),
        "webhook": name.to_string(),
    })
    .to_string()
}

/// `2026-09-21T09:00:00+08:00`: as people of the domain read it, and any parser too.
fn rfc3339(time: UtcMillis) -> String {
    format!("{}+08:00", time.local_text().replacen(' ', "T", 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let config = Webhooks { retry_first_ms: 1_000, retry_max_s: 60, ..Webhooks::default() };
        let pauses: Vec<u64> = (1..=8).map(|attempts| pause_ms(&config, attempts)).collect();
        assert_eq!(pauses, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
        assert_eq!(pause_ms(&config, u32::MAX), 60_000);
    }

    #[test]
    fn a_body_says_what_happened_and_nothing_that_was_written() {
        let webhook = Webhook {
            id: WebhookId::from_bytes([1; 16]),
            domain: "xiamen".parse().unwrap(),
            organization: catalog_model::ids::OrganizationId::from_bytes([2; 16]),
            url: "https://oa.example/luqiao".to_owned(),
            kinds: vec![],
            through: 0,
            attempt: None,
            arrived: 0,
            given_up: 0,
            version: 1,
            created_time: UtcMillis(0),
        };
        let notice = Notice {
            sequence: 7,
            key: "notice/x/7/g1".to_owned(),
            kind: catalog_state::notices::NoticeKind::Overdue,
            subject: "domains/xiamen".parse().unwrap(),
            time: UtcMillis(1_790_000_000_000),
            due_date: Some("2026-10-12".parse().unwrap()),
        };
        let value: serde_json::Value = serde_json::from_str(&body(&webhook, &notice)).unwrap();
        let keys: Vec<_> = value.as_object().unwrap().keys().cloned().collect();
        assert_eq!(keys, ["key", "kind", "subject", "sequence", "time", "due_date", "webhook"]);
        assert_eq!(value["kind"], "OVERDUE");
        assert!(value["time"].as_str().unwrap().ends_with("+08:00"), "{value}");
    }
}
