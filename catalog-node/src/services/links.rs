//! The links' side of `NodeService`: what the domain owes to others, and where it stands in their
//! feeds. Asked by the gateway's own workers.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use catalog_model::{
    caller::{Caller, Identity},
    ids::DomainId,
    reason::Reason,
    refusal::Refusal,
    share_request::ShareRequest,
};
use catalog_state::{
    command::Body, event::Event, outbox::Message as Owed, outcome::Outcome, view::View,
};
use luqiao_proto::{
    convert::{grant::grant_message, share_request::request_message},
    federation::v1::{
        self as federation_message, FollowFeedResponse, ForwardRequestRequest, RelayStatusRequest,
    },
    node::v1::{
        AckOutboxRequest, AckOutboxResponse, ApplyFeedBatchRequest, ApplyFeedBatchResponse,
        GetFeedCursorRequest, GetFeedCursorResponse, ListOutboxRequest, ListOutboxResponse,
        OutboxItem,
    },
};
use prost::Message;
use tokio::time::timeout;

use super::{
    Services,
    federation::{read_token, scope_from, token_message},
};
use crate::{handle::Intent, node::Answered};

const FORWARD: &str = "/luqiao.federation.v1.FederationService/ForwardRequest";
const RELAY: &str = "/luqiao.federation.v1.FederationService/RelayStatus";

/// From this command level on a domain takes courses of grants, rates and renewals.
const COURSE_LEVEL: u32 = 3;

/// Most items of one answer.
const ITEMS_MAX: u32 = 200;
/// Longest time that an answer waits for the first item.
const WAIT_MAX: Duration = Duration::from_secs(30);

pub(super) async fn list_outbox(
    services: &Arc<Services>,
    request: ListOutboxRequest,
) -> Result<ListOutboxResponse, Refusal> {
    let domain = domain_id(&request.domain)?;
    let limit = match request.limit {
        0 => ITEMS_MAX,
        asked => asked.min(ITEMS_MAX),
    };
    let wait = Duration::from_millis(request.wait_ms).min(WAIT_MAX);
    let peer_level = request.peer_level;
    // First the place, then the rows: what comes between is found in both.
    let mut subscription = services.handle.subscribe(None);
    services.handle.read().await?;
    let read = |domain: DomainId| {
        services.handle.look(move |state| {
            let view = View(state);
            let clock = view.clock();
            let items = view.outbox(&domain, request.after, limit as usize);
            items.into_iter().map(|item| owed(item, clock, peer_level)).collect::<Vec<_>>()
        })
    };
    let mut items = read(domain.clone()).await;
    if items.is_empty() && !wait.is_zero() {
        let grown = async {
            while let Some(Ok(committed)) = subscription.next().await {
                let mut events = committed.iter().flat_map(|one| &one.events);
                if events.any(|event| matches!(event, Event::OutboxGrew(to) if *to == domain)) {
                    break;
                }
            }
        };
        tokio::select! {
            _ = timeout(wait, grown) => {}
            () = services.shutdown.begun() => {}
        }
        items = read(domain).await;
    }
    Ok(ListOutboxResponse { items })
}

/// One item as it is to be delivered to a domain at `peer_level`. A domain that is below the level
/// of courses refuses what speaks of one, and everything behind it would wait: what it can know, it
/// is told, and the rest once it is there.
fn owed(
    item: catalog_state::outbox::OutboxItem,
    clock: catalog_model::time::UtcMillis,
    peer_level: u32,
) -> OutboxItem {
    let whole = peer_level >= COURSE_LEVEL;
    let told = |case: Box<ShareRequest>| {
        let case = *case;
        if whole { case } else { ShareRequest { content: case.content.without_rate(), ..case } }
    };
    let idempotency_key = item.idempotency_key;
    let (method, call) = match item.message {
        Owed::Forward(case) => {
            let request = Some(request_message(&told(case), clock));
            let key = idempotency_key.clone();
            (FORWARD, ForwardRequestRequest { request, idempotency_key: key }.encode_to_vec())
        }
        Owed::Status { request, grant } => {
            let grant = grant.map(|grant| if whole { *grant } else { grant.without_course() });
            let call = RelayStatusRequest {
                request: Some(request_message(&told(request), clock)),
                grant: grant.as_ref().map(grant_message),
                idempotency_key: idempotency_key.clone(),
            };
            (RELAY, call.encode_to_vec())
        }
    };
    OutboxItem {
        sequence: item.sequence,
        idempotency_key,
        method: method.to_owned(),
        call: call.into(),
    }
}

pub(super) async fn ack_outbox(
    services: &Arc<Services>,
    request: AckOutboxRequest,
) -> Result<AckOutboxResponse, Refusal> {
    let destination = domain_id(&request.domain)?;
    commit(services, Body::AckOutbox { destination, through: request.through }).await?;
    Ok(AckOutboxResponse {})
}

pub(super) async fn get_feed_cursor(
    services: &Arc<Services>,
    request: GetFeedCursorRequest,
) -> Result<GetFeedCursorResponse, Refusal> {
    let source = domain_id(&request.domain)?;
    let scope = scope_from(request.scope, "scope")?;
    services.handle.read().await?;
    let token = services.handle.view(|state| View(state).feed_cursor(&source, scope));
    let token = token.map(|token| encoded(&token_message(&token))).unwrap_or_default();
    Ok(GetFeedCursorResponse { token })
}

pub(super) async fn apply_feed_batch(
    services: &Arc<Services>,
    request: ApplyFeedBatchRequest,
) -> Result<ApplyFeedBatchResponse, Refusal> {
    let malformed =
        |error: prost::DecodeError| Refusal::new(Reason::MessageMalformed).fact("cause", error);
    let source = domain_id(&request.domain)?;
    let expected = if request.expected.is_empty() {
        None
    } else {
        let token = federation_message::FeedToken::decode(request.expected).map_err(malformed)?;
        Some(read_token(&token, "expected")?)
    };
    let batch = FollowFeedResponse::decode(request.batch).map_err(malformed)?;
    let token = batch.token.ok_or_else(|| Refusal::new(Reason::FeedTokenUnknown))?;
    let body = Body::ApplyFeedBatch {
        source,
        scope: scope_from(token.scope, "batch.token.scope")?,
        expected,
        records: batch.records.into_iter().map(|record| record.record.to_vec().into()).collect(),
        token: read_token(&token, "batch.token")?,
    };
    commit(services, body).await?;
    Ok(ApplyFeedBatchResponse { token: encoded(&token) })
}

/// Commits on behalf of this domain's own gateway, which is all that asks here.
pub(super) async fn commit(services: &Arc<Services>, body: Body) -> Result<Answered, Refusal> {
    let caller = Caller {
        domain: services.handle.domain().clone(),
        identity: Identity::Gateway { id: "link".to_owned() },
    };
    let intent = Intent { caller, received_at: None, idempotency: None, body };
    let answered = services.handle.propose(intent).await?;
    match answered.applied.outcome {
        Outcome::Refused(refusal) => Err(refusal),
        _ => Ok(answered),
    }
}

pub(super) fn domain_id(text: &str) -> Result<DomainId, Refusal> {
    text.parse().map_err(|error| {
        Refusal::new(Reason::FieldInvalid).field("domain", format!("{error}"), "不是域标识")
    })
}

fn encoded(message: &impl Message) -> Bytes {
    message.encode_to_vec().into()
}

#[cfg(test)]
mod tests;
