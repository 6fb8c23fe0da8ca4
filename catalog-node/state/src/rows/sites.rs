//! Rows about sites: how ours stand, the policy, switchovers, forks, and cells kept for others.

use catalog_model::{
    document_digest::DocumentDigest,
    ids::DomainId,
    name::ResourceName,
    site::{Mode, Pair, SiteId},
    time::UtcMillis,
    witness::{Approval, Cell, Verdict},
};
use minicbor::{Decode, Encode};

use crate::command::sites::Attested;

/// How our sites stand; absent in clusters of one site.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct SitesRow {
    /// The opening that this history belongs to.
    #[n(0)]
    pub pair: Pair,
    /// Where the leader belongs.
    #[n(1)]
    pub active: SiteId,
    /// What is promised.
    #[n(2)]
    pub mode: Mode,
    /// Log position of the last change of the mode: what was committed after it in async is held
    /// by one site.
    #[n(3)]
    pub since_index: u64,
    /// Committed time of that change.
    #[n(4)]
    pub since_time: UtcMillis,
    /// Whether graded acts are released, until the mode changes.
    #[n(5)]
    pub acts_released: bool,
    /// Whether the mode was changed without the witness.
    #[n(6)]
    pub without_witness: bool,
}

/// What an authority writes in a policy.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct DrPolicyContent {
    /// 文号
    #[n(0)]
    pub document_number: String,
    /// SHA-256 of the document.
    #[n(1)]
    pub digest: DocumentDigest,
    /// Who may approve failovers and releases: persons on file; at least two.
    #[n(2)]
    pub approvers: Vec<ResourceName>,
    /// The domain that keeps the cell; absent = none does.
    #[n(3)]
    pub witness: Option<DomainId>,
}

/// The disaster recovery policy on file (DR-04).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct DrPolicy {
    /// Counts up from 1.
    #[n(0)]
    pub version: u64,
    /// What it says.
    #[n(1)]
    pub content: DrPolicyContent,
    /// When it was filed.
    #[n(2)]
    pub filed_time: UtcMillis,
}

/// A cell that is kept for a watched domain, or at the watched domain what its witness said last.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct CellRow {
    /// The cell.
    #[n(0)]
    pub cell: Cell,
    /// Committed time of the last write here.
    #[n(1)]
    pub time: UtcMillis,
}

/// Where a switchover stands. In their order; `Aborted` ends it before `CellWritten`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum SwitchoverState {
    /// Approved and begun: prechecks are green.
    #[n(0)]
    Begun,
    /// The voters are those of the target's order, in one explicit joint change, applied
    /// everywhere and left.
    #[n(1)]
    Members,
    /// Writes pause, for no longer than `max_pause_ms`.
    #[n(2)]
    Paused,
    /// A node of the target leads.
    #[n(3)]
    Transferred,
    /// The cell names the target: from here on it only goes forward.
    #[n(4)]
    CellWritten,
    /// The new epoch is in force.
    #[n(5)]
    Done,
    /// Undone.
    #[n(6)]
    Aborted,
}

impl SwitchoverState {
    /// Its name on the wire and in the ledger.
    pub fn name(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Members => "members",
            Self::Paused => "paused",
            Self::Transferred => "transferred",
            Self::CellWritten => "cell_written",
            Self::Done => "done",
            Self::Aborted => "aborted",
        }
    }

    /// Whether nothing comes after it.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Aborted)
    }
}

/// A step of a switchover, by operators (`Begin`, `Abort`) or by whoever leads.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum SwitchoverStep {
    /// Begins one.
    #[n(0)]
    Begin {
        /// The target.
        #[n(0)]
        to: SiteId,
        /// Two persons' approvals of it.
        #[n(1)]
        approvals: Vec<Approval>,
        /// Longest pause of writes, in milliseconds.
        #[n(2)]
        max_pause_ms: u64,
    },
    /// Reached a state; `Done` carries the new epoch into the log.
    #[n(1)]
    Reach {
        /// Which switchover.
        #[n(0)]
        number: u64,
        /// The state.
        #[n(1)]
        state: SwitchoverState,
    },
}

/// A switchover on record.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Switchover {
    /// Counts up from 1.
    #[n(0)]
    pub number: u64,
    /// From the site that was active.
    #[n(1)]
    pub from: SiteId,
    /// To this one.
    #[n(2)]
    pub to: SiteId,
    /// The opening in which it began.
    #[n(3)]
    pub pair: Pair,
    /// Its evidence; the cell is written with it.
    #[n(4)]
    pub approvals: Vec<Approval>,
    /// Longest pause of writes, in milliseconds.
    #[n(5)]
    pub max_pause_ms: u64,
    /// Every state that it reached, with committed time and log position.
    #[n(6)]
    pub steps: Vec<SwitchoverAt>,
}

/// A state and when it was reached.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct SwitchoverAt {
    /// The state.
    #[n(0)]
    pub state: SwitchoverState,
    /// Committed time.
    #[n(1)]
    pub time: UtcMillis,
    /// Log position.
    #[n(2)]
    pub index: u64,
}

impl Switchover {
    /// Where it stands.
    pub fn state(&self) -> SwitchoverState {
        self.steps.last().map_or(SwitchoverState::Begun, |step| step.state)
    }
}

/// A head that left the building.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct GreatestHead {
    /// Records in it.
    #[n(0)]
    pub tree_size: u64,
    /// Its root.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub root: [u8; 32],
}

/// A fork on record: where a generation leaves the one before.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ForkRow {
    /// The opening that ended.
    #[n(0)]
    pub from: Pair,
    /// The one that began.
    #[n(1)]
    pub pair: Pair,
    /// The site that opened it.
    #[n(2)]
    pub site: SiteId,
    /// Records of the ledger that both histories share.
    #[n(3)]
    pub tree_size: u64,
    /// The root over them.
    #[n(4)]
    #[cbor(with = "minicbor::bytes")]
    pub root: [u8; 32],
    /// The greatest head of the old generation that anybody outside is known to hold.
    #[n(5)]
    pub greatest_head: Option<GreatestHead>,
    /// What was lost.
    #[n(6)]
    pub verdict: Verdict,
    /// What was missing to say more.
    #[n(7)]
    pub missing: Vec<String>,
    /// The evidence.
    #[n(8)]
    pub approvals: Vec<Approval>,
    /// What time it was, and who said so.
    #[n(9)]
    pub attested: Attested,
    /// The last committed clock of the old generation.
    #[n(10)]
    pub last_time: UtcMillis,
    /// The platform outage recorded with it, if time passed.
    #[n(11)]
    pub outage: Option<u64>,
    /// Its ledger record.
    #[n(12)]
    pub record: u64,
    /// When an operator closed the window in which no overdue order leaves; of a verdict
    /// `proven_zero` there is none, and it is closed from the beginning.
    #[n(13)]
    pub window_closed: Option<UtcMillis>,
    /// Log position.
    #[n(14)]
    pub index: u64,
}

impl ForkRow {
    /// Records that somebody outside holds a head over and that the new generation has not; 0 also
    /// where no such head is known.
    pub fn records_lost(&self) -> u64 {
        let head = self.greatest_head.as_ref();
        head.map_or(0, |head| head.tree_size.saturating_sub(self.tree_size))
    }
}
