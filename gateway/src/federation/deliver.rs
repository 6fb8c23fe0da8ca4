//! Deliver: how does another domain get what we owe it?
//!
//! The cluster keeps an outbox for each domain. Its calls are made in order, each until the other
//! side has taken it, and only then struck off: at least once, and because the other side knows
//! them by their idempotency keys, in effect exactly once. One that the other side refuses holds
//! up those behind it, visibly (`outbox_size`, `last_error`): a status that is left out would
//! leave a case standing as it never stood.
//!
//! While nothing is owed the other side is asked now and then who it is, so that a link that is
//! down is known before it is needed.

use std::convert::Infallible;

use bytes::Bytes;
use catalog_model::reason::Reason;
use luqiao_proto::{
    federation::v1::{DescribeDomainRequest, DescribeDomainResponse},
    node::v1::OutboxItem,
};
use luqiao_transport::status::Problem;
use prost::Message as _;
use tokio::time::sleep;

use super::{LinkFailed, PAUSE_FIRST, Peer, Work, Worker};

const DESCRIBE_DOMAIN: &str = "/luqiao.federation.v1.FederationService/DescribeDomain";
/// What an outbox may ask us to call, and nothing else.
const DELIVERED: [&str; 2] = [
    "/luqiao.federation.v1.FederationService/ForwardRequest",
    "/luqiao.federation.v1.FederationService/RelayStatus",
];
/// How many are looked at together.
const AT_ONCE: u32 = 64;

impl Worker {
    /// Delivers what is owed until something fails.
    pub(super) async fn deliver(&self) -> Result<Infallible, LinkFailed> {
        let mut peer = self.dial().await?;
        let mut delivered = 0;
        loop {
            let level = self.greet(&mut peer).await?;
            self.connected(Work::Delivering);
            loop {
                let (domain, idle) = (&self.peer.domain, self.link_idle);
                let items = self.upstream.outbox(domain, level, delivered, AT_ONCE, idle).await?;
                self.note(|state| state.outbox = items.len() as u64);
                let Some(last) = items.last().map(|item| item.sequence) else {
                    // The cluster may have answered early, for instance when its leader changed.
                    sleep(PAUSE_FIRST).await;
                    break;
                };
                for item in items {
                    let sequence = item.sequence;
                    if let Err(failed) = self.hand_over(&mut peer, item).await {
                        if delivered > 0 {
                            self.upstream.ack_outbox(domain, delivered).await?;
                        }
                        return Err(failed);
                    }
                    delivered = sequence;
                }
                self.upstream.ack_outbox(domain, last).await?;
            }
        }
    }

    /// Whether the other side is there and is whom its certificate names; the level of commands that
    /// it uses, by which we know what it can be told.
    async fn greet(&self, peer: &mut Peer) -> Result<u32, LinkFailed> {
        let question = DescribeDomainRequest {}.encode_to_vec().into();
        let answer = peer.call(DESCRIBE_DOMAIN, question).await?;
        let described = DescribeDomainResponse::decode(answer)?;
        if described.domain == self.peer.domain.as_str() {
            Ok(described.level)
        } else {
            Err(LinkFailed::OtherDomain(described.domain))
        }
    }

    async fn hand_over(&self, peer: &mut Peer, item: OutboxItem) -> Result<Bytes, LinkFailed> {
        let Some(method) = DELIVERED.into_iter().find(|method| *method == item.method) else {
            return Err(LinkFailed::Undeliverable(item.method));
        };
        let answer = peer.call(method, item.call).await;
        let domain = &self.peer.domain;
        match answer {
            // The other side knows a later state of the case: this one has been overtaken.
            Err(LinkFailed::Refused(status))
                if Problem::from_status(&status).reason == Some(Reason::StatusStale) =>
            {
                tracing::debug!(%domain, sequence = item.sequence, "Delivery overtaken");
                Ok(Bytes::new())
            }
            answer => {
                if answer.is_ok() {
                    tracing::debug!(%domain, sequence = item.sequence, method, "Delivered");
                }
                answer
            }
        }
    }
}
