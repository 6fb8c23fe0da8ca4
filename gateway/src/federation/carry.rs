//! Carry: how does a call reach the domain that owns what it is about, and its answer the caller?
//!
//! A right is changed in the domain that gave it, and its user may be of ours. The user calls our
//! gateway, as for everything; we know it by its certificate and hand the call to a gateway of the
//! owner, which knows *us* by ours and believes what we say of our own callers and of nobody
//! else's. It answers from its own cluster or not at all.
//!
//! Nothing is kept: no queue, no copy, no connection. A change carries its caller's `request_id`, so
//! that whoever is left without an answer asks again, and the call has taken effect once.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use catalog_model::{ids::DomainId, reason::Lang};
use luqiao_proto::{
    convert::carried::carried_caller,
    federation::v1::{CarryCallRequest, CarryCallResponse},
};
use luqiao_transport::{
    dial::{DialError, Dialer},
    language,
    status::Problem,
    timeout::BudgetSpent,
};
use prost::Message as _;
use tokio::time::timeout;
use tonic::Status;

use super::{LinkFailed, Links, Peer, dial};
use crate::{
    config::{Config, PeerConfig},
    policy::Permitted,
    upstream::CallFailed,
};

/// The one method that carries others.
pub const CARRY_CALL: &str = "/luqiao.federation.v1.FederationService/CarryCall";

/// When a caller may come back after the other domain could not be reached.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Carries calls to the domains that we have a link with. Clones are the same.
#[derive(Debug, Clone)]
pub struct Carrier {
    domain: DomainId,
    peers: Arc<[PeerConfig]>,
    dialer: Dialer,
    links: Links,
    call_timeout: Duration,
}

impl Carrier {
    /// To the domains that `config` names, over `links`.
    pub fn new(config: &Config, dialer: &Dialer, links: &Links) -> Self {
        Self {
            domain: config.domain.clone(),
            peers: config.peers.clone().into(),
            dialer: dialer.clone(),
            links: links.clone(),
            call_timeout: config.timeouts.call,
        }
    }

    /// Carries the call to `owner` and returns its answer, byte for byte.
    pub async fn carry(&self, owner: &DomainId, call: &Permitted) -> Result<Bytes, CallFailed> {
        let time = match call.received().budget.for_upstream() {
            Ok(left) => left.unwrap_or(self.call_timeout).min(self.call_timeout),
            Err(BudgetSpent) => return Err(CallFailed::TimedOut),
        };
        let unreachable = |detail: String| CallFailed::Unreachable {
            domain: owner.clone(),
            detail,
            retry_after: RETRY_AFTER,
        };
        let Some(peer) = self.peers.iter().find(|peer| peer.domain == *owner) else {
            return Err(unreachable("there is no link with it".to_owned()));
        };
        // Until the call is sent nothing can have happened.
        let connected = async { timeout(time, dial(&self.dialer, peer, &self.domain, time)).await };
        let mut gateway = tokio::select! {
            () = self.links.until_cut(owner) => return Err(unreachable("the link is cut".into())),
            connected = connected => match connected {
                Ok(Ok(gateway)) => gateway,
                Ok(Err(error)) => return Err(unreachable(error.explain())),
                Err(_) => return Err(unreachable(format!("no connection within {time:?}"))),
            },
        };
        let answer = tokio::select! {
            () = self.links.until_cut(owner) => Err(LinkFailed::Silent),
            answer = self.hand_over(&mut gateway, call) => answer,
        };
        let lost = |detail: String| {
            if call.method().changes {
                CallFailed::OutcomeUnknown { detail }
            } else {
                unreachable(detail)
            }
        };
        match answer {
            Ok(answer) => Ok(answer),
            Err(LinkFailed::Refused(status)) => Err(failure(status, &lost, &unreachable)),
            Err(failed) => Err(lost(failed.explain())),
        }
    }

    async fn hand_over(&self, gateway: &mut Peer, call: &Permitted) -> Result<Bytes, LinkFailed> {
        let fields = call.method().fields(call.call()).unwrap_or_default();
        let carry = CarryCallRequest {
            method: call.method().path.to_owned(),
            call: call.call().clone(),
            caller: carried_caller(call.caller()),
            idempotency_key: fields.request_id.unwrap_or_default().to_owned(),
        };
        let lang = language::tag(call.received().lang);
        let answer = gateway.call_in(CARRY_CALL, carry.encode_to_vec().into(), Some(lang)).await?;
        Ok(CarryCallResponse::decode(answer)?.answer)
    }
}

/// What a status of the other side says to our caller. One with a reason is meant for the caller and
/// worded already.
fn failure(
    status: Status,
    lost: &impl Fn(String) -> CallFailed,
    unreachable: &impl Fn(String) -> CallFailed,
) -> CallFailed {
    if Problem::from_status(&status).reason.is_some() {
        return CallFailed::Refused(status);
    }
    match DialError::find(&status) {
        Some(error) => unreachable(error.explain(Lang::En)),
        None => lost(status.message().to_owned()),
    }
}
