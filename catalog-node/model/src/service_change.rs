//! Service changes: a provider may not end or change what others live on without a reason, a talk
//! with them and a filing (SHR-25, CAT-30).
//!
//! `proposed → negotiated → filed → effective`; given up at any time before it is effective. A leak
//! or a secret stops the calls at once and is the proper reason of the procedure that follows.

use minicbor::{Decode, Encode};

use crate::{
    document_digest::DocumentDigest,
    ids::{DomainId, ServiceChangeId},
    name::ResourceName,
    rule::RuleRef,
    share_request::Party,
    time::{LocalDate, UtcMillis},
};

/// What is to happen to the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum ServiceChangeKind {
    /// It ends, as it does when the entry is withdrawn.
    #[n(0)]
    End,
    /// Items are taken out of it.
    #[n(1)]
    Narrow,
    /// It goes on in another way: method, frequency, form.
    #[n(2)]
    Change,
}

/// Why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum ServiceChangeCause {
    /// The provider's functions changed.
    #[n(0)]
    FunctionsChanged,
    /// The law changed.
    #[n(1)]
    LawChanged,
    /// The source is gone or replaced.
    #[n(2)]
    SourceEnded,
    /// Data leaked: calls stop at once.
    #[n(3)]
    Leak,
    /// The data turned out to be secret: calls stop at once.
    #[n(4)]
    Secret,
    /// Another reason, in words.
    #[n(5)]
    Other,
}

impl ServiceChangeCause {
    /// Whether calls stop before anything is negotiated.
    pub fn stops_at_once(self) -> bool {
        matches!(self, Self::Leak | Self::Secret)
    }

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::FunctionsChanged => "functions_changed",
            Self::LawChanged => "law_changed",
            Self::SourceEnded => "source_ended",
            Self::Leak => "leak",
            Self::Secret => "secret",
            Self::Other => "other",
        }
    }
}

/// Where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum ServiceChangeState {
    /// Proposed with a reason.
    #[n(0)]
    Proposed,
    /// Every user agreed, or minutes of the talk are on record.
    #[n(1)]
    Negotiated,
    /// Filed with the authority (备案).
    #[n(2)]
    Filed,
    /// It holds.
    #[n(3)]
    Effective,
    /// Given up.
    #[n(4)]
    Abandoned,
}

impl ServiceChangeState {
    /// Whether it may still take effect.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Proposed | Self::Negotiated | Self::Filed)
    }

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Negotiated => "negotiated",
            Self::Filed => "filed",
            Self::Effective => "effective",
            Self::Abandoned => "abandoned",
        }
    }
}

/// What a change needs by rule (decree 809 art. 27¶3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ServiceChangeNeed {
    /// 正当理由
    ProperReason,
    /// 与政务数据需求部门协商
    Negotiation,
    /// 报同级政务数据共享主管部门备案
    Filing,
}

/// A grant that rests on the service.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct AffectedGrant {
    /// The grant.
    #[n(0)]
    pub grant: ResourceName,
    /// Its user.
    #[n(1)]
    pub consumer: Party,
    /// What the user says to it.
    #[n(2)]
    pub statement: Option<ConsumerStatement>,
    /// When the right came to be, if that was after the proposal and nobody has talked with its
    /// user since.
    #[n(3)]
    pub joined_time: Option<UtcMillis>,
}

impl AffectedGrant {
    /// Whether its user agrees.
    pub fn agrees(&self) -> bool {
        self.statement.as_ref().is_some_and(|said| said.agrees)
    }
}

/// What a user says to a change.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ConsumerStatement {
    /// Whether it agrees.
    #[n(0)]
    pub agrees: bool,
    /// In words.
    #[n(1)]
    pub text: String,
    /// When.
    #[n(2)]
    pub stated_time: UtcMillis,
}

/// A change of the service that live grants rest on.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ServiceChange {
    /// Its id.
    #[n(0)]
    pub id: ServiceChangeId,
    /// The provider's domain.
    #[n(1)]
    pub domain: DomainId,
    /// The entry.
    #[n(2)]
    pub entry: ResourceName,
    /// Who changes.
    #[n(3)]
    pub provider: Party,
    /// What is to happen.
    #[n(4)]
    pub kind: ServiceChangeKind,
    /// The items that are taken out, for [`ServiceChangeKind::Narrow`].
    #[n(5)]
    pub items: Vec<String>,
    /// Why.
    #[n(6)]
    pub cause: ServiceChangeCause,
    /// Why, in words.
    #[n(7)]
    pub reason: String,
    /// The first day on which it may hold.
    #[n(8)]
    pub effective: LocalDate,
    /// Where it stands.
    #[n(9)]
    pub state: ServiceChangeState,
    /// The grants that it concerns, each with what its user says.
    #[n(10)]
    pub grants: Vec<AffectedGrant>,
    /// Minutes of the talk.
    #[n(11)]
    pub minutes: Option<DocumentDigest>,
    /// When it was filed with the authority.
    #[n(12)]
    pub filed_time: Option<UtcMillis>,
    /// When it took effect.
    #[n(13)]
    pub effected_time: Option<UtcMillis>,
    /// The rule that asks for the procedure.
    #[n(14)]
    pub rule: Option<RuleRef>,
    /// Counts up from 1 with every change.
    #[n(15)]
    pub version: u64,
    /// Committed time of the proposal.
    #[n(16)]
    pub created_time: UtcMillis,
    /// Committed time of this version.
    #[n(17)]
    pub updated_time: UtcMillis,
}

impl ServiceChange {
    /// Whether every user whom the proposal concerned has agreed.
    pub fn all_agree(&self) -> bool {
        self.grants
            .iter()
            .filter(|affected| affected.joined_time.is_none())
            .all(AffectedGrant::agrees)
    }

    /// Whether the change touches a grant of these items.
    pub fn touches(&self, items: &[String]) -> bool {
        self.items.is_empty() || items.iter().any(|item| self.items.contains(item))
    }
}
