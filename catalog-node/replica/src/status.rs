//! How does the replica see itself?

use std::sync::Arc;

use raft::{Progress, ProgressState, StateRole};

use crate::{Membership, Mode, RuleEffect, SiteId};

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
    /// First entry of the log that is kept.
    pub first_index: u64,
    /// Last entry of the log, durable or not.
    pub last_index: u64,
    /// Who belongs to the cluster, as far as this replica has applied it.
    pub membership: Arc<Membership>,
    /// Whether this replica was a member and is none any more: it never leads again and should be stopped.
    pub removed: bool,
    /// Whether it waits for a snapshot because its state, not its log, is lost or bad.
    pub reseeding: bool,
    /// The index of the snapshot that it fetches or installs.
    pub receiving: Option<u64>,
    /// On a leader that hands over, to whom.
    pub transferring_to: Option<u64>,
    /// On the leader, what it knows of each other member, by id; otherwise empty.
    pub peers: Vec<(u64, PeerProgress)>,
    /// On the leader, what each member, itself included, is known to have durably, by id; otherwise empty.
    pub matched: Vec<(u64, u64)>,
}

/// How a replica sees the sites.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteStatus {
    /// The mode in force; `None` in a cluster of one site.
    pub mode: Option<Mode>,
    /// The mode of the applied state.
    pub mode_applied: Option<Mode>,
    /// What the site rule amounts to.
    pub rule: RuleEffect,
    /// Whether it leads and may commit nothing.
    pub held: bool,
    /// Whether a change of the membership is under way.
    pub joint: bool,
    /// On the leader, what it knows of each voter, itself included, by id.
    pub voters: Vec<VoterSeen>,
}

/// What a leader knows of a voter at a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VoterSeen {
    /// Which.
    pub id: u64,
    /// Where it stands.
    pub site: Option<SiteId>,
    /// The last entry it is known to have durably.
    pub matched: u64,
    /// The last entry that it is known to know committed.
    pub committed: u64,
    /// Whether it answered within the last election timeout, or had no time to yet.
    pub answers: bool,
}

impl SiteStatus {
    /// The last entry that a voter of a site other than `home` is known to have; 0 if there is none.
    pub fn held_elsewhere(&self, home: SiteId) -> u64 {
        self.elsewhere(home).map(|voter| voter.matched).max().unwrap_or(0)
    }

    /// The voters that stand at another site than `home`.
    pub fn elsewhere(&self, home: SiteId) -> impl Iterator<Item = &VoterSeen> {
        self.voters.iter().filter(move |voter| voter.site.is_some_and(|site| site != home))
    }
}

/// What a leader knows of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerProgress {
    /// The last entry it is known to have durably.
    pub matched: u64,
    /// Whether it answered within the last election timeout, or had no time to yet.
    pub recent_active: bool,
    /// How it is sent entries.
    pub state: PeerState,
}

/// How a leader sends entries to a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerState {
    /// One message at a time, until it is known what it has.
    Probe,
    /// As fast as it takes them.
    Replicate,
    /// Not at all: it is to receive the snapshot at this index.
    Snapshot {
        /// Last entry that the snapshot contains.
        index: u64,
    },
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

impl PeerProgress {
    pub(crate) fn new(progress: &Progress, recent_active: bool) -> Self {
        Self {
            matched: progress.matched,
            recent_active,
            state: match progress.state {
                ProgressState::Probe => PeerState::Probe,
                ProgressState::Replicate => PeerState::Replicate,
                ProgressState::Snapshot => PeerState::Snapshot { index: progress.pending_snapshot },
            },
        }
    }
}
