//! What is owed to other domains: written in the same command as its cause, delivered at least
//! once, acknowledged in order.
//!
//! An item holds what is to be said as it was when it was owed. Its idempotency key carries the
//! generation that produced it, so that a receiver can tell a repeat from a rewritten past.

use catalog_model::{grant::Grant, ids::DomainId, name::ResourceName, share_request::ShareRequest};
use minicbor::{Decode, Encode};

use crate::{event::Event, keys, tx::Tx};

/// One item.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct OutboxItem {
    /// Its place; grows, with gaps.
    #[n(0)]
    pub sequence: u64,
    /// Equal for every delivery of the item.
    #[n(1)]
    pub idempotency_key: String,
    /// What is to be said.
    #[n(2)]
    pub message: Message,
}

/// What one domain says to another.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Message {
    /// Here is a case about one of your entries.
    #[n(0)]
    Forward(#[n(0)] Box<ShareRequest>),
    /// This is how a case of yours stands.
    #[n(1)]
    Status {
        /// The case.
        #[n(0)]
        request: Box<ShareRequest>,
        /// The grant, once there is one.
        #[n(1)]
        grant: Option<Box<Grant>>,
    },
}

/// Puts `message` about `subject` at `version` into the outbox for `destination`.
pub(crate) fn owe(
    tx: &mut Tx<'_>,
    destination: &DomainId,
    subject: &ResourceName,
    version: u64,
    message: Message,
) {
    let counters = tx.counters_mut();
    counters.outbox += 1;
    let sequence = counters.outbox;
    let kind = match &message {
        Message::Forward(_) => "forward",
        Message::Status { .. } => "status",
    };
    let generation = tx.cluster.generation;
    let item = OutboxItem {
        sequence,
        idempotency_key: format!("{kind}/{subject}/v{version}/g{generation}"),
        message,
    };
    tx.put(&keys::outbox(destination, sequence), &item);
    tx.emit(Event::OutboxGrew(destination.clone()));
}
