//! Function transfers (CAT-08): which entries go to whom with a function, and who signed?
//!
//! Drafted by the giving department → cosigned by the receiving one → filed → approved, and the
//! entries move in bounded batches | returned. Each entry has one owner at every moment.

use minicbor::{Decode, Encode};

use crate::{
    ids::{DomainId, EntryId, OrganizationId, TransferId},
    rule::RuleRef,
    sharing::LegalCitation,
    time::{LocalDate, UtcMillis},
};

/// Where a transfer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum TransferState {
    /// Signed by the giving department.
    #[n(0)]
    Drafted,
    /// Signed by both.
    #[n(1)]
    Cosigned,
    /// With the authority.
    #[n(2)]
    Filed,
    /// Sent back; may be filed again.
    #[n(3)]
    Returned,
    /// Approved; entries are moving.
    #[n(4)]
    Approved,
    /// Every entry has moved.
    #[n(5)]
    Completed,
}

impl TransferState {
    /// Whether its entries are spoken for: none of them is in another transfer.
    pub fn is_open(self) -> bool {
        self != Self::Completed
    }
}

/// A function goes from one department to another, and its entries with it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct FunctionTransfer {
    /// Its id.
    #[n(0)]
    pub id: TransferId,
    /// The domain.
    #[n(1)]
    pub domain: DomainId,
    /// The giving department.
    #[n(2)]
    pub from: OrganizationId,
    /// The receiving department.
    #[n(3)]
    pub to: OrganizationId,
    /// The legal act of the change.
    #[n(4)]
    pub act: LegalCitation,
    /// The day on which the duty changed: the day from which the update of the catalog is owed.
    #[n(5)]
    pub change_date: LocalDate,
    /// The entries, in order, each once.
    #[n(6)]
    pub entries: Vec<EntryId>,
    /// How many of them have moved: always the first ones.
    #[n(7)]
    pub moved: u32,
    /// Whether the receiving department has signed.
    #[n(8)]
    pub cosigned: bool,
    /// Where it stands.
    #[n(9)]
    pub state: TransferState,
    /// Why it was returned last; empty if it was not.
    #[n(10)]
    pub return_reason: String,
    /// The rule that asked for both signatures when it was filed; absent = none was in force.
    #[n(11)]
    pub rule: Option<RuleRef>,
    /// Counts up from 1 with every change.
    #[n(12)]
    pub version: u64,
    /// Committed time of the first version.
    #[n(13)]
    pub created_time: UtcMillis,
    /// Committed time of this version.
    #[n(14)]
    pub updated_time: UtcMillis,
}
