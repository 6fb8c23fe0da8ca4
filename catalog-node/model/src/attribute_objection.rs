//! Objections of the authority to a sharing attribute (SHR-15): who wanted what, and how did it end?
//!
//! Raised → consulting → agreed, where a widening takes effect at once | escalated → decided by the
//! government, mostly on paper. A requester's way is another one (SHR-28).

use minicbor::{Decode, Encode};

use crate::{
    ids::{DomainId, EntryId, ObjectionId, OrganizationId},
    paper_decision::PaperDecision,
    rule::RuleRef,
    sharing::{SharingAttribute, SharingKind},
    time::UtcMillis,
};

/// Where an objection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum ObjectionState {
    /// The authority has objected.
    #[n(0)]
    Raised,
    /// At least one side has stated its position.
    #[n(1)]
    Consulting,
    /// Both agreed.
    #[n(2)]
    Agreed,
    /// No agreement: it is with the government.
    #[n(3)]
    Escalated,
    /// The government has decided.
    #[n(4)]
    Decided,
}

impl ObjectionState {
    /// Whether it is not settled yet: nothing is narrowed while it is.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Raised | Self::Consulting | Self::Escalated)
    }
}

/// One of the two who consult.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Side {
    /// The authority.
    #[n(0)]
    Authority,
    /// The provider.
    #[n(1)]
    Provider,
}

/// What a side said, for the minutes.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Position {
    /// Who.
    #[n(0)]
    pub side: Side,
    /// In words.
    #[n(1)]
    pub text: String,
    /// Committed time.
    #[n(2)]
    pub time: UtcMillis,
}

/// The objection of the authority to the attribute of an entry in the catalog.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct AttributeObjection {
    /// Its id.
    #[n(0)]
    pub id: ObjectionId,
    /// The domain.
    #[n(1)]
    pub domain: DomainId,
    /// The entry.
    #[n(2)]
    pub entry: EntryId,
    /// Its provider.
    #[n(3)]
    pub provider: OrganizationId,
    /// The attribute to which the authority objects.
    #[n(4)]
    pub published: SharingKind,
    /// What the authority wants instead.
    #[n(5)]
    pub wanted: SharingKind,
    /// Why.
    #[n(6)]
    pub reason: String,
    /// Where it stands.
    #[n(7)]
    pub state: ObjectionState,
    /// What was said.
    #[n(8)]
    pub positions: Vec<Position>,
    /// The attribute to which a side would agree: the last it named.
    #[n(9)]
    pub offers: Vec<(Side, SharingAttribute)>,
    /// The attribute at the end.
    #[n(10)]
    pub outcome: Option<SharingKind>,
    /// The government's decision.
    #[n(11)]
    pub decision: Option<PaperDecision>,
    /// The rule of the ladder.
    #[n(12)]
    pub rule: RuleRef,
    /// Counts up from 1 with every change.
    #[n(13)]
    pub version: u64,
    /// Committed time of the first version.
    #[n(14)]
    pub created_time: UtcMillis,
    /// Committed time of this version.
    #[n(15)]
    pub updated_time: UtcMillis,
}
