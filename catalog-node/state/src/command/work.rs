//! Commands about notices: how far an organization has read, and where it wants to be told.

use catalog_model::{ids::WebhookId, time::UtcMillis};
use minicbor::{Decode, Encode};

use crate::notices::NoticeKind;

/// A command about notices.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum WorkCommand {
    /// The caller's organization has dealt with every notice before this place of the ledger.
    #[n(0)]
    AckNotices {
        /// The place after the last one.
        #[n(0)]
        through: u64,
    },
    /// The caller's organization wants to be told at this address.
    #[n(1)]
    RegisterWebhook {
        /// Its id.
        #[n(0)]
        id: WebhookId,
        /// Where; whether the platform delivers there is checked by whoever takes the call.
        #[n(1)]
        url: String,
        /// Of what, in order, each once; none = of everything.
        #[n(2)]
        kinds: Vec<NoticeKind>,
    },
    /// It does not any more.
    #[n(2)]
    RemoveWebhook {
        /// Which.
        #[n(0)]
        id: WebhookId,
        /// The version that was read.
        #[n(1)]
        version: u64,
    },
    /// A node tells what came of deliveries.
    #[n(3)]
    RecordDeliveries {
        /// Of which webhook.
        #[n(0)]
        id: WebhookId,
        /// Where it stood when they began; if it stands elsewhere now, another node told already.
        #[n(1)]
        from: u64,
        /// Where it stands now: everything before it was delivered or given up.
        #[n(2)]
        through: u64,
        /// What was delivered or given up, in order.
        #[n(3)]
        ended: Vec<EndedDelivery>,
        /// The one that is under way.
        #[n(4)]
        attempt: Option<Attempt>,
    },
}

/// A delivery that is over.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct EndedDelivery {
    /// Of which record.
    #[n(0)]
    pub sequence: u64,
    /// Whether it arrived; else it was given up.
    #[n(1)]
    pub arrived: bool,
    /// How often it was tried.
    #[n(2)]
    pub attempts: u32,
    /// What was answered last, or why there was no answer.
    #[n(3)]
    pub answer: String,
    /// When, by the node's clock.
    #[n(4)]
    pub time: UtcMillis,
}

/// A delivery that has not arrived yet.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Attempt {
    /// Of which record.
    #[n(0)]
    pub sequence: u64,
    /// How often it was tried.
    #[n(1)]
    pub attempts: u32,
    /// When first, by the node's clock.
    #[n(2)]
    pub first_time: UtcMillis,
    /// Not to be tried again before.
    #[n(3)]
    pub next_time: UtcMillis,
    /// What was answered last, or why there was no answer.
    #[n(4)]
    pub answer: String,
}
