//! The witness cell: what a cluster in another domain keeps of two sites that must not both open.
//!
//! One cell for each watched domain, kept by an ordinary replicated command of the witness's own
//! cluster. [`decide`] is all of it: a compare-and-set on the revision by pure rules. No clock: a
//! lease says how long it is, and whoever opens a new generation waits that out by its own clock
//! from its own first sight of the new pair. The one instant that is compared is an approval's end.
//!
//! Promises, each a property in the tests:
//! * an accepted write makes the revision one greater, or changes nothing (it was so already);
//! * pairs only grow, and so do terms within a generation;
//! * a deposit never falls within a generation;
//! * the active site changes only with two approvals of it;
//! * what a failover found is kept, through failovers that never opened, until one opens.

pub mod approval;
mod decide;
mod refusal;

use minicbor::{Decode, Encode};

pub use self::{
    approval::{Act, Approval, Release, Statement},
    decide::{Context, decide},
    refusal::CellRefusal,
};
use crate::{
    name::ResourceName,
    site::{Mode, Pair, SiteId},
    time::UtcMillis,
};

/// How long a lease is, counted by the leader from before its request left.
pub const LEASE_MS: u64 = 30_000;
/// How often the leader renews it.
pub const RENEWAL_MS: u64 = 5_000;
/// How many entries past the last confirmed deposit may be acknowledged.
pub const UNDEPOSITED_MAX: u64 = 10_000;
/// After how many entries a deposit is due even before the next renewal.
pub const DEPOSIT_EVERY: u64 = 5_000;
/// Most names of legal acts in one deposit: two of them cover [`UNDEPOSITED_MAX`].
pub const ACTS_MAX: usize = 5_000;
/// Fewest sites that can stand in for one another, and most that a cell knows.
pub const SITES: std::ops::RangeInclusive<usize> = 2..=5;
/// Most nodes whose seals a failover holds; as many as a cluster has members.
pub const SEALS_MAX: usize = 16;

/// What the witness keeps of a watched domain.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Cell {
    /// One more with each write; from 1.
    #[n(0)]
    pub revision: u64,
    /// The opening that counts, or that a failover in progress will open.
    #[n(1)]
    pub pair: Pair,
    /// Where the leader belongs; of a failover in progress, its target.
    #[n(2)]
    pub active_site: SiteId,
    /// Every site, ascending.
    #[n(3)]
    pub sites: Vec<SiteId>,
    /// What the leader promises.
    #[n(4)]
    pub mode: Mode,
    /// Raft term of the last write by a leader.
    #[n(5)]
    pub term: u64,
    /// The leader of that term.
    #[n(6)]
    pub by: u64,
    /// In async: what lets the leader acknowledge alone. Never in sync.
    #[n(7)]
    pub lease: Option<Lease>,
    /// The newest deposit of this generation.
    #[n(8)]
    pub deposit: Option<Deposit>,
    /// Under way and not opened.
    #[n(9)]
    pub failover: Option<Failover>,
    /// Who may approve; empty = every person for whom the domain's authority vouches.
    #[n(10)]
    pub approvers: Vec<ResourceName>,
    /// What stands between the word of this cell and a belief in it, and for which generation of
    /// the witness's own cluster it was cleared.
    #[n(11)]
    pub confirmation: Confirmation,
    /// The last failover that opened.
    #[n(12)]
    pub opened: Option<Opened>,
}

/// A term's right to acknowledge from one site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Lease {
    /// The term to which it was given; it dies with it.
    #[n(0)]
    pub term: u64,
    /// How long it is, from before the request for it left.
    #[n(1)]
    pub length_ms: u64,
    /// How often it was renewed.
    #[n(2)]
    pub renewals: u64,
}

/// How far a loss of the active site could reach: everything up to here is named or counted.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Deposit {
    /// Applied index.
    #[n(0)]
    pub index: u64,
    /// Records in the ledger at that index.
    #[n(1)]
    pub ledger_size: u64,
    /// The ledger's root at that size.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub root: [u8; 32],
    /// The leader's signature on that head.
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    pub signature: Vec<u8>,
    /// Legal acts named since the mode became async, up to `index`. Their names are kept beside
    /// the cell.
    #[n(4)]
    pub acts: u64,
}

/// A legal act that one site alone holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct ActAtRisk {
    /// Its log position.
    #[n(0)]
    pub index: u64,
    /// What it made or changed.
    #[n(1)]
    pub name: ResourceName,
}

/// Whether the cell can be believed. A witness whose own cluster opened a new generation may have
/// forgotten writes that it confirmed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub struct Confirmation {
    /// The generation of the witness's cluster for which it holds.
    #[n(0)]
    pub witness_generation: u64,
    /// Whether the leader has registered since.
    #[n(1)]
    pub registered: bool,
    /// Sites of which a node answered with the cell's pair since, ascending.
    #[n(2)]
    pub sites: Vec<SiteId>,
}

/// A forced failover in progress.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Failover {
    /// What it replaced: the last value that was open, also after failovers that never opened.
    #[n(0)]
    pub found: Found,
    /// Whether main was released without the witness, as the approvers of this failover and of
    /// those before it that never opened say.
    #[n(1)]
    pub release: Release,
    /// The evidence.
    #[n(2)]
    pub approvals: Vec<Approval>,
    /// The end of each sealed node's log, by node, ascending; once each.
    #[n(3)]
    pub seals: Vec<Seal>,
    /// When the witness committed it.
    #[n(4)]
    pub begun_time: UtcMillis,
}

/// The cell as a failover found it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Found {
    /// The opening that it ends.
    #[n(0)]
    pub pair: Pair,
    /// Where that was led.
    #[n(1)]
    pub site: SiteId,
    /// What was promised.
    #[n(2)]
    pub mode: Mode,
    /// What is to be waited out.
    #[n(3)]
    pub lease: Option<Lease>,
    /// How far a loss can reach.
    #[n(4)]
    pub deposit: Option<Deposit>,
    /// Whether the cell could be believed. If not, the lease is waited whatever the mode says.
    #[n(5)]
    pub confirmed: bool,
}

impl Found {
    /// How long whoever opens waits from its own first sight of the new pair, so that no lease of
    /// the old leader is alive: the lease and a quarter, for clocks that differ in rate.
    pub fn wait_ms(&self) -> u64 {
        let length = match (self.lease, self.mode, self.confirmed) {
            (Some(lease), ..) => lease.length_ms,
            (None, Mode::Sync, true) => 0,
            (None, ..) => LEASE_MS,
        };
        length.saturating_add(length / 4)
    }
}

/// What a sealed node reports: it holds this and answers nothing more for the old generation.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Seal {
    /// The node.
    #[n(0)]
    pub node: u64,
    /// Its site.
    #[n(1)]
    pub site: SiteId,
    /// The pair to which it belonged.
    #[n(2)]
    pub belonged: Pair,
    /// Term of the last entry of its log.
    #[n(3)]
    pub last_term: u64,
    /// Index of that entry.
    #[n(4)]
    pub last_index: u64,
    /// The greatest index that it knew committed.
    #[n(5)]
    pub commit: u64,
}

/// What is known of what was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum Verdict {
    /// Nothing, and it is proven.
    #[n(0)]
    ProvenZero,
    /// At most what lies past the promoted end, up to 10,000 entries past the deposit.
    #[n(1)]
    Bounded,
    /// Something is missing to say more.
    #[n(2)]
    Unknown,
}

impl Verdict {
    /// Its name on the wire, in reports and in the ledger.
    pub fn name(self) -> &'static str {
        match self {
            Self::ProvenZero => "proven_zero",
            Self::Bounded => "bounded",
            Self::Unknown => "unknown",
        }
    }
}

impl std::str::FromStr for Verdict {
    type Err = crate::ids::IdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "proven_zero" => Ok(Self::ProvenZero),
            "bounded" => Ok(Self::Bounded),
            "unknown" => Ok(Self::Unknown),
            _ => Err(crate::ids::IdError {
                text: text.to_owned(),
                expected: "a verdict (proven_zero, bounded, unknown)",
            }),
        }
    }
}

impl Failover {
    /// The best verdict that what was found allows: the cell refuses a better one.
    pub fn best_verdict(&self) -> Verdict {
        match (self.found.confirmed, self.found.mode, self.release) {
            (true, Mode::Sync, Release::No) => Verdict::ProvenZero,
            (true, Mode::Async, _) => Verdict::Bounded,
            _ => Verdict::Unknown,
        }
    }

    /// The greatest log among the sealed nodes.
    pub fn greatest(&self) -> Option<(u64, u64)> {
        self.seals.iter().map(|seal| (seal.last_term, seal.last_index)).max()
    }
}

/// A failover that opened.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Opened {
    /// What it opened.
    #[n(0)]
    pub pair: Pair,
    /// What was lost.
    #[n(1)]
    pub verdict: Verdict,
    /// The node that was promoted and those that joined it before it opened.
    #[n(2)]
    pub nodes: Vec<u64>,
    /// When the witness committed it.
    #[n(3)]
    pub time: UtcMillis,
}

/// Who writes, where it is a node.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Writer {
    /// The node.
    #[n(0)]
    pub node: u64,
    /// Its site.
    #[n(1)]
    pub site: SiteId,
    /// The pair to which it belongs.
    #[n(2)]
    pub pair: Pair,
    /// The term in which it leads; of a node that does not lead, the last that it knows.
    #[n(3)]
    pub term: u64,
}

/// A wish to change a cell.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum CellWrite {
    /// A leader says what is: the first write of a domain, after a failover without witness, or to
    /// a witness that must be confirmed.
    #[n(0)]
    Register {
        /// Every site.
        #[n(0)]
        sites: Vec<SiteId>,
        /// The active one.
        #[n(1)]
        active: SiteId,
        /// What is promised.
        #[n(2)]
        mode: Mode,
        /// Who may approve.
        #[n(3)]
        approvers: Vec<ResourceName>,
        /// Of the failover that the cell did not see; of none otherwise.
        #[n(4)]
        approvals: Vec<Approval>,
    },
    /// A new leader takes the cell. In async the active site's gets the lease with it.
    #[n(1)]
    Take,
    /// The active site's leader changes what it promises.
    #[n(2)]
    SetMode {
        /// To this; `async` gives a lease.
        #[n(0)]
        mode: Mode,
    },
    /// The active site's leader renews its lease, deposits, or both.
    #[n(3)]
    Renew {
        /// How far it is; `acts` counts those named so far, with `named`.
        #[n(0)]
        deposit: Option<Deposit>,
        /// Legal acts since the last deposit, ascending, up to the deposit's index.
        #[n(1)]
        named: Vec<ActAtRisk>,
    },
    /// The leader at the target of a planned switchover makes its site the active one.
    #[n(4)]
    Switch {
        /// Two persons' approvals of it.
        #[n(0)]
        approvals: Vec<Approval>,
    },
    /// Operators begin a forced failover.
    #[n(5)]
    BeginFailover {
        /// To here.
        #[n(0)]
        to: SiteId,
        /// Two persons' approvals of it.
        #[n(1)]
        approvals: Vec<Approval>,
    },
    /// A node of the target site was sealed.
    #[n(6)]
    ReportSeal {
        /// How its log ends.
        #[n(0)]
        seal: Seal,
    },
    /// The promoted node is about to serve.
    #[n(7)]
    Open {
        /// What was lost.
        #[n(0)]
        verdict: Verdict,
        /// With these nodes, itself among them.
        #[n(1)]
        nodes: Vec<u64>,
    },
    /// A node of a site answers with its pair, to a witness that must be confirmed.
    #[n(8)]
    Confirm,
    /// Two persons stand in for a site that cannot answer.
    #[n(9)]
    ConfirmByApproval {
        /// Theirs.
        #[n(0)]
        approvals: Vec<Approval>,
    },
}

impl CellWrite {
    /// Its name in records and on the wire.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Register { .. } => "register",
            Self::Take => "take",
            Self::SetMode { .. } => "set_mode",
            Self::Renew { .. } => "renew",
            Self::Switch { .. } => "switch",
            Self::BeginFailover { .. } => "begin_failover",
            Self::ReportSeal { .. } => "report_seal",
            Self::Open { .. } => "open",
            Self::Confirm => "confirm",
            Self::ConfirmByApproval { .. } => "confirm_by_approval",
        }
    }

    /// The approvals that it carries.
    pub fn approvals(&self) -> &[Approval] {
        match self {
            Self::Register { approvals, .. }
            | Self::Switch { approvals }
            | Self::BeginFailover { approvals, .. }
            | Self::ConfirmByApproval { approvals } => approvals,
            _ => &[],
        }
    }
}

impl Cell {
    /// Whether its word counts: nothing was forgotten since it was last confirmed.
    pub fn is_confirmed(&self, witness_generation: u64) -> bool {
        self.confirmation.witness_generation == witness_generation
            && self.confirmation.registered
            && self.confirmation.sites == self.sites
    }
}

#[cfg(test)]
mod tests;
