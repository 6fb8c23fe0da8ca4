//! Commands about sites: the witness cell kept for others, our own sites and mode, what protects
//! graded data, and the record of a fork.

use catalog_model::{
    ids::DomainId,
    name::ResourceName,
    site::{Mode, Pair, SiteId},
    time::UtcMillis,
    witness::{Approval, Cell, CellWrite, Verdict, Writer},
};
use minicbor::{Decode, Encode};

use crate::rows::sites::{DrPolicyContent, GreatestHead, SwitchoverStep};

/// A command about sites (DR-01, DR-02, DR-04, SEC-12, SEC-18). Append only. Level 4.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum SitesCommand {
    /// At the witness: a watched domain writes its cell. Signatures of approvals were checked where
    /// the call entered.
    #[n(0)]
    WriteCell {
        /// The watched domain.
        #[n(0)]
        domain: DomainId,
        /// The revision that the writer read; 0 = there was no cell.
        #[n(1)]
        revision: u64,
        /// The node that writes; absent for operators.
        #[n(2)]
        writer: Option<Writer>,
        /// What is to become of the cell.
        #[n(3)]
        write: CellWrite,
    },
    /// At the watched domain: what its witness keeps now, so that both ledgers tell of it.
    #[n(1)]
    NoteCell {
        /// The cell as the witness answered.
        #[n(0)]
        cell: Box<Cell>,
    },
    /// Says at which site each member is, and which site is the active one.
    #[n(2)]
    SetSites {
        /// Version of the list of members that the proposer read.
        #[n(0)]
        version: u64,
        /// Node and site, every member once.
        #[n(1)]
        sites: Vec<NodeSite>,
        /// Where the leader belongs.
        #[n(2)]
        active: SiteId,
    },
    /// The leader promises something else from here on.
    #[n(3)]
    ChangeMode {
        /// What.
        #[n(0)]
        mode: Mode,
        /// By what right.
        #[n(1)]
        basis: ModeBasis,
    },
    /// Files the disaster recovery policy, or a new one (DR-04).
    #[n(4)]
    SetPolicy {
        /// The policy.
        #[n(0)]
        policy: DrPolicyContent,
    },
    /// Lets graded acts be taken while one site alone holds them, until the mode changes.
    #[n(5)]
    ReleaseActs {
        /// Two persons' approvals of it.
        #[n(0)]
        approvals: Vec<Approval>,
        /// Why.
        #[n(1)]
        reason: String,
    },
    /// A step of a planned switchover.
    #[n(6)]
    Switchover {
        /// Which.
        #[n(0)]
        step: SwitchoverStep,
    },
    /// The first record of a new generation: where it leaves the old one, and what that cost.
    #[n(7)]
    RecordFork {
        /// What is recorded.
        #[n(0)]
        fork: Box<Fork>,
    },
    /// Neighbours were asked: overdue orders leave again.
    #[n(8)]
    CloseWindow {
        /// Of this generation.
        #[n(0)]
        generation: u64,
        /// What the neighbours said.
        #[n(1)]
        reason: String,
    },
}

/// A node and where it is.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct NodeSite {
    /// The node.
    #[n(0)]
    pub node: u64,
    /// Its site.
    #[n(1)]
    pub site: SiteId,
}

/// By what right the mode changes.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum ModeBasis {
    /// The witness has written it first (leaving), or the site commit rule is on and every standby
    /// voter consistent (returning). Of a returning leader the revision that it found.
    #[n(0)]
    Witness {
        /// Revision of the cell.
        #[n(0)]
        revision: u64,
    },
    /// The witness cannot be reached: two persons give their word that the other site is stopped
    /// and stays so. Only out of sync.
    #[n(1)]
    Approvals {
        /// Theirs.
        #[n(0)]
        approvals: Vec<Approval>,
        /// Why.
        #[n(1)]
        reason: String,
    },
}

/// What the promoted node records first. Size and root of the ledger at the fork are not in it:
/// every replica finds them in its own ledger, where the old generation ends.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Fork {
    /// The opening that ended.
    #[n(0)]
    pub from: Pair,
    /// The one that begins.
    #[n(1)]
    pub pair: Pair,
    /// The site that opens it.
    #[n(2)]
    pub site: SiteId,
    /// What was lost.
    #[n(3)]
    pub verdict: Verdict,
    /// What was missing to say more; empty unless the verdict is `unknown`.
    #[n(4)]
    pub missing: Vec<String>,
    /// The greatest head of the old generation that anybody outside is known to hold.
    #[n(5)]
    pub greatest_head: Option<GreatestHead>,
    /// Of the two persons.
    #[n(6)]
    pub approvals: Vec<Approval>,
    /// What time it is, and who says so.
    #[n(7)]
    pub attested: Attested,
    /// The cell with the failover in progress, if a witness could be reached.
    #[n(8)]
    pub cell: Option<Box<Cell>>,
    /// The domain that keeps the cell.
    #[n(9)]
    pub witness: Option<DomainId>,
}

/// What time it is after an outage: a new generation cannot infer it from the time passed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Attested {
    /// The instant.
    #[n(0)]
    pub time: UtcMillis,
    /// Two nodes whose clocks say so within 30 s of each other and of the witness; empty = the
    /// approvers say so.
    #[n(1)]
    pub nodes: Vec<u64>,
}

impl Fork {
    /// The persons who approved.
    pub fn approvers(&self) -> impl Iterator<Item = &ResourceName> {
        self.approvals.iter().map(|approval| &approval.approver)
    }
}

#[cfg(test)]
mod tests;
