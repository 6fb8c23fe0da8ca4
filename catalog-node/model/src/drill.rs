//! Drill: what is on record of a rehearsed failure, and which step may follow which (DR-06)?
//!
//! A drill lives beside the law: it has a table of its own, its probes have due instants of their
//! own, and nothing of it is in a feed, a work list or a statistic. What it came to is in the ledger,
//! so that nobody can leave a bad one out.

use minicbor::{Decode, Encode};

use crate::{
    document_digest::DocumentDigest,
    ids::{DomainId, DrillId, OrganizationId, PersonId},
    time::UtcMillis,
};

/// Longest name of a plan or step, in characters.
pub const DRILL_NAME_MAX: usize = 64;
/// Longest note of a step, in characters.
pub const DRILL_NOTE_MAX: usize = 400;
/// Most steps of a drill.
pub const DRILL_STEPS_MAX: usize = 200;
/// Most approvals that a plan may ask for.
pub const DRILL_APPROVALS_MAX: u8 = 5;
/// Most sequence numbers of one write of the prober.
pub const PROBES_PER_WRITE: usize = 256;
/// The first sequence number that a prober may not write: what a drill leaves to be swept is bounded.
pub const PROBE_SEQUENCE_END: u64 = 1_000_000;
/// Longest time from a probe to its due instant: an hour.
pub const PROBE_DUE_MAX_MS: u64 = 3_600_000;

/// The parts of a drill, in the order in which they come. None goes back to an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum DrillPhase {
    /// Whether it may begin at all.
    #[n(0)]
    Precheck,
    /// The failure, made on purpose.
    #[n(1)]
    Act,
    /// What came of it.
    #[n(2)]
    Check,
    /// Everything as it was before.
    #[n(3)]
    Back,
}

impl DrillPhase {
    /// All of them, in order.
    pub const ALL: [Self; 4] = [Self::Precheck, Self::Act, Self::Check, Self::Back];

    /// The word on the wire and in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Precheck => "precheck",
            Self::Act => "act",
            Self::Check => "check",
            Self::Back => "back",
        }
    }
}

/// What is known of what was lost: the same three verdicts as of a failover.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Rpo {
    /// Nothing that was acknowledged is missing, and everything acknowledged was compared.
    #[n(0)]
    ProvenZero,
    /// Something is missing, and it is named.
    #[n(1)]
    Bounded,
    /// It could not be compared, or not all of it.
    #[n(2)]
    Unknown,
}

impl Rpo {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::ProvenZero, Self::Bounded, Self::Unknown];

    /// The word on the wire and in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::ProvenZero => "proven_zero",
            Self::Bounded => "bounded",
            Self::Unknown => "unknown",
        }
    }
}

/// Somebody who is not the one that opened the drill, and lets it happen.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct DrillApproval {
    /// Of which organization.
    #[n(0)]
    pub organization: OrganizationId,
    /// Who, by a certificate of their own or as their organization's system asserts.
    #[n(1)]
    pub person: PersonId,
    /// Whether a system vouched for the person (SEC-19).
    #[n(2)]
    pub asserted: bool,
    /// Committed time.
    #[n(3)]
    pub time: UtcMillis,
}

/// One step, as whoever carried it out told it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct DrillStep {
    /// To which part it belongs.
    #[n(0)]
    pub phase: DrillPhase,
    /// Its name in the plan.
    #[n(1)]
    pub name: String,
    /// When it began, by the clock of whoever carried it out.
    #[n(2)]
    pub began: UtcMillis,
    /// When it ended, by the same clock: not before it began.
    #[n(3)]
    pub ended: UtcMillis,
    /// Whether it came out as the plan wants it.
    #[n(4)]
    pub ok: bool,
    /// What was seen, in a line; no person.
    #[n(5)]
    pub note: String,
    /// Committed time at which it went on record.
    #[n(6)]
    pub recorded: UtcMillis,
}

/// What a drill came to.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct DrillResult {
    /// Whether everything came out as the plan wants it.
    #[n(0)]
    pub ok: bool,
    /// What is known of what was lost.
    #[n(1)]
    pub rpo: Rpo,
    /// Writes that the prober was told are done.
    #[n(2)]
    pub acknowledged: u64,
    /// Of these, how many are missing.
    #[n(3)]
    pub lost: u64,
    /// How many were done more than once.
    #[n(4)]
    pub duplicated: u64,
    /// Due instants of probes that fired twice, early or never.
    #[n(5)]
    pub timers_wrong: u64,
    /// Longest time between two acknowledgments, in milliseconds.
    #[n(6)]
    pub pause_ms: u64,
    /// From the failure to the first acknowledgment after it, in milliseconds.
    #[n(7)]
    pub rto_ms: u64,
    /// For a restore: what would have been lost had the last segment not been sealed first.
    #[n(8)]
    pub would_have_lost: Option<u64>,
    /// SHA-256 of the canonical report.
    #[n(9)]
    pub report: DocumentDigest,
}

/// How a drill ended.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum DrillEnd {
    /// It was gone through.
    #[n(0)]
    Finished(#[n(0)] DrillResult),
    /// It was given up.
    #[n(1)]
    Abandoned {
        /// Why.
        #[n(0)]
        reason: String,
    },
}

/// A drill on record.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Drill {
    /// Its id.
    #[n(0)]
    pub id: DrillId,
    /// The domain whose cluster is rehearsed.
    #[n(1)]
    pub domain: DomainId,
    /// Name of the plan.
    #[n(2)]
    pub plan: String,
    /// SHA-256 of the plan as it was read, so that it is known later what was rehearsed.
    #[n(3)]
    pub plan_digest: DocumentDigest,
    /// Why it is held.
    #[n(4)]
    pub why: String,
    /// Who opened it.
    #[n(5)]
    pub organization: OrganizationId,
    /// The person who did, where one is known.
    #[n(6)]
    pub person: Option<PersonId>,
    /// Whether a site is out of service afterwards until it is set up again.
    #[n(7)]
    pub takes_site: bool,
    /// How many others must let it happen before the act.
    #[n(8)]
    pub approvals_needed: u8,
    /// Who did, each person once, in the order in which they came.
    #[n(9)]
    pub approvals: Vec<DrillApproval>,
    /// The steps so far; their phases never fall.
    #[n(10)]
    pub steps: Vec<DrillStep>,
    /// How it ended; absent while it is open.
    #[n(11)]
    pub end: Option<DrillEnd>,
    /// Counts up with every change.
    #[n(12)]
    pub version: u64,
    /// Committed time.
    #[n(13)]
    pub opened_time: UtcMillis,
    /// Committed time; absent while it is open.
    #[n(14)]
    pub closed_time: Option<UtcMillis>,
}

impl Drill {
    /// Whether it goes on.
    pub fn is_open(&self) -> bool {
        self.end.is_none()
    }

    /// How many approvals are missing before the act.
    pub fn approvals_missing(&self) -> usize {
        usize::from(self.approvals_needed).saturating_sub(self.approvals.len())
    }

    /// Whether a step of `phase` may come now: none goes back.
    pub fn may_step(&self, phase: DrillPhase) -> bool {
        self.steps.last().is_none_or(|last| last.phase <= phase)
    }

    /// Whether the failure was made: a drill without one has nothing to report.
    pub fn has_acted(&self) -> bool {
        self.steps.iter().any(|step| step.phase == DrillPhase::Act)
    }
}

/// One write of the prober, as the state holds it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ProbeWrite {
    /// Log position of the first write.
    #[n(0)]
    pub index: u64,
    /// Committed time of the first write.
    #[n(1)]
    pub time: UtcMillis,
    /// How often it was written. More than once = a call that was repeated was done twice.
    #[n(2)]
    pub times: u32,
    /// When it is due, if it has a due instant.
    #[n(3)]
    pub due: Option<UtcMillis>,
    /// How often that fired.
    #[n(4)]
    pub fired: u32,
    /// Committed time at which it fired first: never before [`ProbeWrite::due`].
    #[n(5)]
    pub fired_time: Option<UtcMillis>,
}
