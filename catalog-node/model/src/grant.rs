//! A grant: the lasting right that an agreed request ends in.

mod course;

use minicbor::{Decode, Encode};

pub use self::course::{
    Delivery, DeliveryOffer, DeliveryProof, DisposalManner, DisposalProof, DisposalRequirement,
    GrantCourse, Judgement, MisuseGround, PurposeEnd, PurposeEndKind, Rectification,
    RectificationReport, ServiceNotice, UseAgreement, WiderUse, WiderUseKind,
};

use crate::{
    ids::{DomainId, GrantId},
    name::ResourceName,
    rule::RuleRef,
    share_request::{Party, Term},
    time::UtcMillis,
};

/// The life cycle of a grant (requirements §15): granted → offered → delivered → active ↔ suspended
/// → terminated, or purpose ended → disposed, or ended with the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum GrantState {
    /// The right exists; delivery is owed.
    #[n(0)]
    Granted,
    /// Stopped for misuse, with an order to rectify by a date (SHR-24).
    #[n(1)]
    Suspended,
    /// Ended after suspension and a rectification that failed.
    #[n(2)]
    Terminated,
    /// The provider says how it is to be had; nobody has had it yet.
    #[n(3)]
    Offered,
    /// It arrived, with a proof of it (SHR-07).
    #[n(4)]
    Delivered,
    /// In use.
    #[n(5)]
    Active,
    /// Its purpose is met, cannot be met or needs it no more; what was received is to be disposed
    /// of (SHR-23).
    #[n(6)]
    PurposeEnded,
    /// What was received is disposed of, with a proof of it.
    #[n(7)]
    Disposed,
    /// The provider ended the service in a change that was negotiated and filed (SHR-25).
    #[n(8)]
    Ended,
}

impl GrantState {
    /// Whether the right holds: it is neither stopped nor over.
    pub fn is_in_force(self) -> bool {
        matches!(self, Self::Granted | Self::Offered | Self::Delivered | Self::Active)
    }

    /// Whether the right is over for ever.
    pub fn has_ended(self) -> bool {
        matches!(self, Self::Terminated | Self::PurposeEnded | Self::Disposed | Self::Ended)
    }

    /// The word for it in refusals and on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::Suspended => "suspended",
            Self::Terminated => "terminated",
            Self::Offered => "offered",
            Self::Delivered => "delivered",
            Self::Active => "active",
            Self::PurposeEnded => "purpose_ended",
            Self::Disposed => "disposed",
            Self::Ended => "ended",
        }
    }
}

/// A suspension with its order to rectify (decree 809 art. 27¶2).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Suspension {
    /// The ground, in words.
    #[n(0)]
    pub reason: String,
    /// When it began.
    #[n(1)]
    pub since: UtcMillis,
    /// The last day for rectification.
    #[n(2)]
    pub rectify_by: crate::time::LocalDate,
    /// Who ordered it.
    #[n(3)]
    pub by: Party,
}

/// Who may use which items of an entry, from which system, for what, how long (SHR-10).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Grant {
    /// Its id.
    #[n(0)]
    pub id: GrantId,
    /// The domain of the provider.
    #[n(1)]
    pub domain: DomainId,
    /// The request that was agreed to.
    #[n(2)]
    pub request: ResourceName,
    /// The entry.
    #[n(3)]
    pub entry: ResourceName,
    /// The version of the entry to which the answer belongs.
    #[n(4)]
    pub entry_version: u64,
    /// Who provides.
    #[n(5)]
    pub provider: Party,
    /// Who may use.
    #[n(6)]
    pub consumer: Party,
    /// The calling system to which the grant is bound.
    #[n(7)]
    pub system: ResourceName,
    /// The declared scenario.
    #[n(8)]
    pub scenario: String,
    /// The items, by name.
    #[n(9)]
    pub items: Vec<String>,
    /// Row scope in words; empty = all rows.
    #[n(10)]
    pub row_scope: String,
    /// How long.
    #[n(11)]
    pub term: Term,
    /// Where it stands.
    #[n(12)]
    pub state: GrantState,
    /// The last suspension.
    #[n(13)]
    pub suspension: Option<Suspension>,
    /// Why it was terminated; empty if it was not.
    #[n(14)]
    pub termination_reason: String,
    /// The rule under which it was given.
    #[n(15)]
    pub rule: Option<RuleRef>,
    /// Counts up from 1 with every change.
    #[n(16)]
    pub version: u64,
    /// Committed time of the grant.
    #[n(17)]
    pub granted_time: UtcMillis,
    /// Committed time of this version.
    #[n(18)]
    pub updated_time: UtcMillis,
    /// What came after the grant, in clusters from level 3 on.
    #[n(19)]
    pub course: Option<Box<GrantCourse>>,
    /// Calls a day; absent = no rate was named.
    #[n(20)]
    pub rate_per_day: Option<u32>,
}

impl Grant {
    /// Whether the provider stopped the service because of a leak or a secret (CAT-30).
    pub fn is_stopped(&self) -> bool {
        let service = self.course.as_ref().and_then(|course| course.service.as_ref());
        service.is_some_and(|service| service.stopped_time.is_some())
    }

    /// The right as a domain below command level 3 can hold it: without a course or a rate, and in
    /// one of the states that there are. What is over is over there too.
    #[must_use]
    pub fn without_course(self) -> Self {
        use GrantState as S;
        let (state, ended) = match self.state {
            S::Offered | S::Delivered | S::Active => (S::Granted, ""),
            S::PurposeEnded | S::Disposed | S::Ended => (S::Terminated, self.state.word()),
            state @ (S::Granted | S::Suspended | S::Terminated) => (state, ""),
        };
        let termination_reason = match ended {
            "" => self.termination_reason,
            word => word.to_owned(),
        };
        Self { state, termination_reason, course: None, rate_per_day: None, ..self }
    }
}
