//! A demand: data that somebody needs and the catalog lacks. Whose move is it?
//!
//! `filed → pre-reviewed → routed → confirmed | disputed → supplied | closed` (SHR-18). A demand
//! is never without an owner: while it is open, some organization has the next move.

use minicbor::{Decode, Encode};

use crate::{
    ids::{DemandId, DomainId},
    name::ResourceName,
    share_request::Party,
    time::UtcMillis,
};

/// Where a demand stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum DemandState {
    /// Received by the platform.
    #[n(0)]
    Filed,
    /// The platform found that the catalog lacks it.
    #[n(1)]
    PreReviewed,
    /// Sent to the organization whose duty it may be.
    #[n(2)]
    Routed,
    /// That organization will compile it.
    #[n(3)]
    Confirmed,
    /// It says that it is not its duty; the authority routes it anew or closes it.
    #[n(4)]
    Disputed,
    /// It is in the catalog now.
    #[n(5)]
    Supplied,
    /// It ended otherwise, with a reason.
    #[n(6)]
    Closed,
}

impl DemandState {
    /// Whether somebody still has a move.
    pub fn is_open(self) -> bool {
        !matches!(self, Self::Supplied | Self::Closed)
    }
}

/// A demand.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Demand {
    /// Its id.
    #[n(0)]
    pub id: DemandId,
    /// The domain in which it was filed.
    #[n(1)]
    pub domain: DomainId,
    /// Who needs the data.
    #[n(2)]
    pub requester: Party,
    /// What people call it.
    #[n(3)]
    pub title: String,
    /// What is needed and for which duty.
    #[n(4)]
    pub text: String,
    /// Where it stands.
    #[n(5)]
    pub state: DemandState,
    /// Who has the next move; absent once it ended.
    #[n(6)]
    pub owner: Option<Party>,
    /// The organization to which it was routed.
    #[n(7)]
    pub provider: Option<Party>,
    /// The entry that met it.
    #[n(8)]
    pub entry: Option<ResourceName>,
    /// What was said at each step, in order.
    #[n(9)]
    pub notes: Vec<String>,
    /// Counts up from 1.
    #[n(10)]
    pub version: u64,
    /// Committed time of the first version.
    #[n(11)]
    pub created_time: UtcMillis,
    /// Committed time of this version.
    #[n(12)]
    pub updated_time: UtcMillis,
}
