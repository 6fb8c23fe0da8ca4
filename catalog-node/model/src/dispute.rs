//! A dispute between asker and provider: who tries to settle it, and where does it stand?
//!
//! `raised → consulting → coordinating → agreed | decided` (SHR-28; decree 809 art. 28). Two of one
//! level consult first, then the authority of their level coordinates; between different levels or
//! regions the common superior authority does, consulted or not. What is still open the government
//! of that authority decides, on paper.

use minicbor::{Decode, Encode};

use crate::{
    ids::{DisputeId, DomainId},
    name::ResourceName,
    paper_decision::PaperDecision,
    rule::RuleRef,
    share_request::Party,
    time::UtcMillis,
};

/// Where a dispute stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum DisputeState {
    /// One side has stated its position.
    #[n(0)]
    Raised,
    /// Both have, and consult.
    #[n(1)]
    Consulting,
    /// They did not agree; an authority coordinates.
    #[n(2)]
    Coordinating,
    /// They did not agree before the authority either; the government decides.
    #[n(3)]
    BeforeGovernment,
    /// Settled between the two.
    #[n(4)]
    Agreed,
    /// Decided by the government.
    #[n(5)]
    Decided,
}

impl DisputeState {
    /// Whether it is still open.
    pub fn is_open(self) -> bool {
        !matches!(self, Self::Agreed | Self::Decided)
    }
}

/// Which authority coordinates.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Coordinator {
    /// The authority of both sides' level, on file here.
    #[n(0)]
    SameLevel(#[n(0)] Party),
    /// The common superior authority: it stands above this domain and its result comes on paper.
    #[n(1)]
    CommonSuperior,
}

/// What a side says.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Position {
    /// Which side.
    #[n(0)]
    pub by: Party,
    /// In words.
    #[n(1)]
    pub text: String,
    /// Committed time.
    #[n(2)]
    pub stated_time: UtcMillis,
}

/// A dispute.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Dispute {
    /// Its id.
    #[n(0)]
    pub id: DisputeId,
    /// The domain that owns the case.
    #[n(1)]
    pub domain: DomainId,
    /// The case.
    #[n(2)]
    pub request: ResourceName,
    /// Who raised it.
    #[n(3)]
    pub raised_by: Party,
    /// The other side.
    #[n(4)]
    pub against: Party,
    /// Where it stands.
    #[n(5)]
    pub state: DisputeState,
    /// What each side says, in order.
    #[n(6)]
    pub positions: Vec<Position>,
    /// Who coordinates, once it comes to that.
    #[n(7)]
    pub coordinator: Option<Coordinator>,
    /// Minutes of consultation, coordination and result, in order.
    #[n(8)]
    pub minutes: Vec<String>,
    /// The paper on which the last step rests, if it came on paper.
    #[n(9)]
    pub paper: Option<PaperDecision>,
    /// The rule that gives the ladder.
    #[n(10)]
    pub rule: RuleRef,
    /// Counts up from 1.
    #[n(11)]
    pub version: u64,
    /// Committed time of the first version.
    #[n(12)]
    pub created_time: UtcMillis,
    /// Committed time of this version.
    #[n(13)]
    pub updated_time: UtcMillis,
}
