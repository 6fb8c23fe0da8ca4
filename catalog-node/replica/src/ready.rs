//! What does the replica want done outside?

use raft::eraftpb::{Entry, HardState, Message};

/// Everything that can be done now; see the crate's documentation for the order.
#[derive(Debug, Default, PartialEq)]
#[must_use = "what is not done is lost: the replica does not ask twice"]
pub struct Ready {
    /// Set when leader, term or own leadership changed since the last time.
    pub role_change: Option<Role>,
    /// May be sent at once, before anything is written.
    pub send_now: Vec<Message>,
    /// To be written and reported by [`Replica::log_persisted`](crate::Replica::log_persisted).
    pub write: Option<LogWrite>,
    /// Committed and durable, in order, each exactly once until the replica is restarted. Empty data are
    /// Raft's own entries.
    pub apply: Vec<Entry>,
    /// Reads that may be answered once their index is applied.
    pub reads: Vec<ReadDone>,
    /// Contexts of reads that will not be answered because leadership changed. Ask again with a new one.
    pub reads_dropped: Vec<u64>,
}

/// One batch for the log.
#[derive(Clone, Debug, PartialEq)]
pub struct LogWrite {
    /// Rises with every write, with gaps. Writes reach the log in this order.
    pub number: u64,
    /// To append, replacing what is at their indexes and after.
    pub entries: Vec<Entry>,
    /// To remember, after the entries.
    pub hard_state: Option<HardState>,
    /// Whether it must be durable before it is reported. Otherwise only the commit index moved, which may
    /// be lost.
    pub must_sync: bool,
}

/// A read that is linearizable at `index`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadDone {
    /// As given to [`Replica::read`](crate::Replica::read).
    pub context: u64,
    /// The state may answer once it has applied this entry.
    pub index: u64,
}

/// Who leads, as far as this replica knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Role {
    /// The leader's id, if known.
    pub leader: Option<u64>,
    /// The current term.
    pub term: u64,
    /// Whether it is this replica.
    pub is_leader: bool,
}
