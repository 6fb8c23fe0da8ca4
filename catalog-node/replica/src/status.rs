//! How does the replica see itself?

use raft::StateRole;

/// A look at a replica.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicaStatus {
    /// This replica.
    pub id: u64,
    /// The leader, if known.
    pub leader: Option<u64>,
    /// The current term.
    pub term: u64,
    /// What this replica is in it.
    pub role: RoleKind,
    /// Last entry known to be committed; `applied <= commit <= last_index`.
    pub commit: u64,
    /// Last entry reported as applied.
    pub applied: u64,
    /// Last entry of the log, durable or not.
    pub last_index: u64,
    /// On the leader, what each voter is known to have durably, by id; otherwise empty.
    pub matched: Vec<(u64, u64)>,
}

/// What a replica is in a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoleKind {
    /// Follows a leader, or waits for one.
    Follower,
    /// Asks whether it would be elected.
    PreCandidate,
    /// Stands for election.
    Candidate,
    /// Leads.
    Leader,
}

impl From<StateRole> for RoleKind {
    fn from(role: StateRole) -> Self {
        match role {
            StateRole::Follower => Self::Follower,
            StateRole::PreCandidate => Self::PreCandidate,
            StateRole::Candidate => Self::Candidate,
            StateRole::Leader => Self::Leader,
        }
    }
}
