//! Rows of the law: what the authority ruled, which cases law loaded late touches, what a platform
//! outage leaves to be ruled, and the counting again that is still under way.

use catalog_model::{
    deadline::DeadlineKind,
    ids::{OrganizationId, PersonId, RulingId},
    name::ResourceName,
    paper_decision::PaperDecision,
    refusal::Refusal,
    rule::RuleRef,
    rule_pack::RulingEffect,
    share_request::{Decider, Party, PartyRole},
    time::{LocalDate, UtcMillis},
};
use minicbor::{Decode, Encode, bytes::ByteVec};

/// The longest text of a pack or calendar, in bytes: ten times what ships.
pub const MAX_LAW_TEXT: usize = 1 << 20;

/// What a ruling of the authority does. Rules are named by id.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum RulingKind {
    /// An expired rule without successor goes on (POL-03).
    #[n(0)]
    ContinueExpired {
        /// The rule.
        #[n(0)]
        rule: String,
    },
    /// A regulation of the special zone adapts a text of higher rank (requirements §0.2).
    #[n(1)]
    Adapt {
        /// The rule that holds.
        #[n(0)]
        rule: String,
        /// The rule that gives way.
        #[n(1)]
        over: String,
    },
    /// Of two rules of one rank one holds (POL-08).
    #[n(2)]
    Choose {
        /// The rule that holds.
        #[n(0)]
        rule: String,
        /// The rule that gives way.
        #[n(1)]
        over: String,
    },
}

impl RulingKind {
    /// Its name on the wire and in the ledger.
    pub fn name(&self) -> &'static str {
        match self {
            Self::ContinueExpired { .. } => "continue_expired",
            Self::Adapt { .. } => "adapt",
            Self::Choose { .. } => "choose",
        }
    }

    /// The rule that holds by it.
    pub fn rule(&self) -> &str {
        match self {
            Self::ContinueExpired { rule }
            | Self::Adapt { rule, .. }
            | Self::Choose { rule, .. } => rule,
        }
    }

    /// The rule that gives way, if there is one.
    pub fn over(&self) -> Option<&str> {
        match self {
            Self::ContinueExpired { .. } => None,
            Self::Adapt { over, .. } | Self::Choose { over, .. } => Some(over),
        }
    }

    /// What the pack is told of it.
    pub fn effect(&self) -> RulingEffect {
        let rule = self.rule().to_owned();
        match self.over() {
            None => RulingEffect::Continue { rule },
            Some(over) => RulingEffect::Prefer { rule, over: over.to_owned() },
        }
    }
}

/// A ruling on record.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RulingRow {
    /// Its id.
    #[n(0)]
    pub id: RulingId,
    /// What it does.
    #[n(1)]
    pub kind: RulingKind,
    /// First day on which it holds.
    #[n(2)]
    pub from: LocalDate,
    /// Last day; none = until it is withdrawn.
    #[n(3)]
    pub to: Option<LocalDate>,
    /// The paper on which it was made; none = the authority decided in the platform.
    #[n(4)]
    pub decision: Option<PaperDecision>,
    /// Why.
    #[n(5)]
    pub reason: String,
    /// Committed time.
    #[n(6)]
    pub recorded_time: UtcMillis,
    /// The version of the rule pack that carries it first.
    #[n(7)]
    pub pack_version: u64,
    /// When it was withdrawn.
    #[n(8)]
    pub withdrawn_time: Option<UtcMillis>,
}

/// A case that fell overdue while the platform was out, and what was ruled on it (SEC-18).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct OutageRuling {
    /// Whether the lateness counts; none = nobody has ruled yet.
    #[n(0)]
    pub ruled: Option<bool>,
    /// The case.
    #[n(1)]
    pub case: ResourceName,
    /// Its last day.
    #[n(2)]
    pub due_date: LocalDate,
    /// Numbers of the outages on that day.
    #[n(3)]
    pub outages: Vec<u64>,
    /// Committed time since when a ruling is wanted.
    #[n(4)]
    pub wanted_time: UtcMillis,
    /// Who ruled.
    #[n(5)]
    pub by: Option<Party>,
    /// Why it was ruled so.
    #[n(6)]
    pub reason: Option<String>,
    /// When.
    #[n(7)]
    pub ruled_time: Option<UtcMillis>,
}

/// An outage of the platform, as people or nodes told it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PlatformOutage {
    /// Counts up from 1.
    #[n(0)]
    pub number: u64,
    /// Since when.
    #[n(1)]
    pub from: UtcMillis,
    /// Until when.
    #[n(2)]
    pub until: UtcMillis,
    /// Nodes that have an outage of their own on record in this time: they are a source.
    #[n(3)]
    pub nodes: Vec<u64>,
    /// The source beside whoever enters it; empty where nodes are the source.
    #[n(4)]
    pub second_source: String,
    /// Committed time.
    #[n(5)]
    pub recorded_time: UtcMillis,
    /// Its ledger record.
    #[n(6)]
    pub record: u64,
}

/// What comes of a case under one version of the law.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct CaseOutcome {
    /// Why it would be refused on receipt, with the rule.
    #[n(0)]
    pub refused: Option<Refusal>,
    /// Whether it is granted at once.
    #[n(1)]
    pub at_once: bool,
    /// Who decides.
    #[n(2)]
    pub decider: Option<Decider>,
    /// Who owes the answer.
    #[n(3)]
    pub debtor: Option<PartyRole>,
    /// The rule that says who decides.
    #[n(4)]
    pub decider_rule: Option<RuleRef>,
    /// Working days for the answer, without extension.
    #[n(5)]
    pub answer_days: Option<u16>,
    /// Their rule.
    #[n(6)]
    pub answer_rule: Option<RuleRef>,
    /// The last day, with what was extended and stood still.
    #[n(7)]
    pub due_date: Option<LocalDate>,
    /// Whether the answer came, or is still owed, after the last day; none where none is owed.
    #[n(8)]
    pub late: Option<bool>,
}

/// A case received before law that binds it was loaded: both results (POL-07).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct LateLaw {
    /// The case.
    #[n(0)]
    pub case: ResourceName,
    /// The version of the rule pack that was loaded late.
    #[n(1)]
    pub pack_version: u64,
    /// What came of it under the version of its receipt.
    #[n(2)]
    pub old: CaseOutcome,
    /// What the law says that binds it.
    #[n(3)]
    pub new: CaseOutcome,
    /// The last day before the recomputation, if its clock ran.
    #[n(4)]
    pub due_before: Option<LocalDate>,
    /// And after it.
    #[n(5)]
    pub due_after: Option<LocalDate>,
    /// Whether the new count ended in the past, so that the last day was held in the present.
    #[n(6)]
    pub held: bool,
    /// Committed time.
    #[n(7)]
    pub time: UtcMillis,
}

/// Work that a command left to be done in portions, one with each [`crate::command::Body::AdvanceClock`].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PendingWork {
    /// What is to be done.
    #[n(0)]
    pub what: Work,
    /// The last key that was looked at.
    #[n(1)]
    pub cursor: Option<ByteVec>,
    /// Rows looked at so far.
    #[n(2)]
    pub looked_at: u64,
    /// Of these, changed or flagged.
    #[n(3)]
    pub changed: u64,
    /// Committed time at which it began.
    #[n(4)]
    pub since: UtcMillis,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Work {
    /// Running clocks are counted again under this version of the calendar.
    #[n(0)]
    Calendar {
        /// The version.
        #[n(0)]
        version: u64,
    },
    /// Cases received from this day on are held against this version of the rule pack.
    #[n(1)]
    LateLaw {
        /// The version.
        #[n(0)]
        version: u64,
        /// The first day on which it says something else than the version before.
        #[n(1)]
        since: LocalDate,
    },
    /// Overdue cases whose last day lies in this outage are marked.
    #[n(2)]
    Outage {
        /// Number of the outage.
        #[n(0)]
        number: u64,
    },
}

impl Work {
    /// Its name in the ledger.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Calendar { .. } => "calendar",
            Self::LateLaw { .. } => "late_law",
            Self::Outage { .. } => "outage",
        }
    }
}

/// A change of the law that waits for its second person (house switch).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ProposedEdit {
    /// `rule_pack` or `calendar`.
    #[n(0)]
    pub what: String,
    /// SHA-256 of the text.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub digest: [u8; 32],
    /// Who proposed it.
    #[n(2)]
    pub person: PersonId,
    /// For which organization.
    #[n(3)]
    pub organization: OrganizationId,
    /// Committed time.
    #[n(4)]
    pub time: UtcMillis,
}

/// What a deadline needs to be counted again under another calendar; kept from level 3 on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct DeadlineCount {
    /// The event from which it counts.
    #[n(0)]
    pub start: UtcMillis,
    /// All working days: of the rule, added and stood still.
    #[n(1)]
    pub days: u16,
    /// Version of the calendar by which it was counted.
    #[n(2)]
    pub calendar_version: u64,
    /// Whether a day counted lies in a year without an official list.
    #[n(3)]
    pub provisional: bool,
}

/// A deadline that was counted again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// What is owed.
    pub kind: DeadlineKind,
    /// The last day as it was.
    pub from: LocalDate,
    /// The last day as it is now.
    pub to: LocalDate,
    /// Whether it was held in the present.
    pub held: bool,
    /// Whether an order that had been given was taken back.
    pub lifted: bool,
}

#[cfg(test)]
mod tests;
