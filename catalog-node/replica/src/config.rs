//! What must a replica know before it starts, and when must it not start at all?

use crate::{Membership, Mode, Sites};

/// Settings of one replica. All replicas of a cluster share them but for `id`, what the
/// state says, and `reseed`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// This replica; never 0. A store that was lost comes back under a new id.
    pub id: u64,
    /// The membership stored with the state that the replica starts on; the founding voters if the state has
    /// none yet; empty for a node that joins and still waits for its first snapshot.
    pub membership: Membership,
    /// At which site each replica stands, as the state says; empty in a cluster of one site.
    pub sites: Sites,
    /// The mode of the state that the replica starts on; `None` in a cluster of one site.
    pub mode: Option<Mode>,
    /// The state is lost or bad and the log is sound: the replica takes part as a voice for the log, but
    /// hands out nothing to apply and never leads until a snapshot has replaced its state.
    pub reseed: bool,
    /// Ticks without a leader before standing for election; the actual number lies in
    /// `[election_tick, 2 * election_tick)`.
    pub election_tick: usize,
    /// Ticks between heartbeats; less than `election_tick`.
    pub heartbeat_tick: usize,
    /// Bytes of entries in one message; a single larger entry still goes alone.
    pub max_size_per_msg: u64,
    /// Messages with entries under way to one peer.
    pub max_inflight: usize,
    /// Bytes of uncommitted proposals beyond which a leader refuses more. Without it, a leader without
    /// quorum would fill its memory.
    pub max_uncommitted: u64,
    /// Bytes of applied entries kept in memory for peers that are slightly behind.
    pub cache_bytes: u64,
    /// Ticks that a leader waits for the next sign of a snapshot under way before it takes it for lost and
    /// begins again.
    pub snapshot_patience: usize,
    /// Spreads the election timeouts. Any number; the same one gives the same run.
    pub seed: u64,
}

impl Config {
    /// The settings that consensus work settled on, for a local cluster.
    pub fn new(id: u64, voters: Vec<u64>, seed: u64) -> Self {
        Self {
            id,
            membership: Membership { voters, ..Membership::default() },
            sites: Sites::default(),
            mode: None,
            reseed: false,
            election_tick: 12,
            heartbeat_tick: 2,
            max_size_per_msg: 512 * 1024,
            max_inflight: 128,
            max_uncommitted: 64 * 1024 * 1024,
            cache_bytes: 8 * 1024 * 1024,
            snapshot_patience: 100,
            seed,
        }
    }
}

/// Why a replica did not start. Each of these would break a promise if it did.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The log was never begun, see [`bootstrap`](crate::bootstrap), or it was lost: a member must not come
    /// back on an empty log under the same id, because it may have voted.
    #[error("the log is empty, but replica {id} belongs to the cluster already")]
    LogEmpty {
        /// This replica.
        id: u64,
    },
    /// Nothing says who the members are, although the log has entries.
    #[error("the log has entries, but no membership is known")]
    MembershipUnknown,
    /// The membership names a replica twice or as 0, or does not name this one before it ever applied
    /// anything.
    #[error("replica {id} does not fit the membership {membership:?}")]
    NotAMember {
        /// This replica.
        id: u64,
        /// The membership given.
        membership: Membership,
    },
    /// The state has applied entries that the log does not have: the log lost durable entries.
    #[error("the state has applied entry {applied}, but the log ends at {last_index}")]
    StateAheadOfLog {
        /// Last entry the state contains.
        applied: u64,
        /// Last entry of the log.
        last_index: u64,
    },
    /// The log no longer has the entries that the state needs next.
    #[error("the state has applied entry {applied}, but the log begins at {first_index}")]
    StateBehindLog {
        /// Last entry the state contains.
        applied: u64,
        /// First entry of the log.
        first_index: u64,
    },
    /// The log knows of a commit that it does not contain: it lost durable entries.
    #[error("entry {commit} was committed, but the log ends at {last_index}")]
    CommitBeyondLog {
        /// The commit in the hard state.
        commit: u64,
        /// Last entry of the log.
        last_index: u64,
    },
    /// The consensus library refused the settings.
    #[error("the settings were refused")]
    Refused(#[from] raft::Error),
}
