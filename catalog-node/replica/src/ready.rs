//! What does the replica want done outside?

use bytes::Bytes;
use raft::eraftpb::{Entry, HardState, Message};

use crate::Membership;

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
    /// Committed and durable, in order, each exactly once until the replica is restarted; see
    /// [`kind_of`](crate::kind_of) for what each is for. A change of the membership is reported by
    /// [`Replica::apply_members`](crate::Replica::apply_members) before it counts as applied.
    pub apply: Vec<Entry>,
    /// Reads that may be answered once their index is applied.
    pub reads: Vec<ReadDone>,
    /// Contexts of reads that will not be answered because leadership changed. Ask again with a new one.
    pub reads_dropped: Vec<u64>,
    /// A snapshot that this replica needs. Its blocks are to be fetched; then
    /// [`Replica::snapshot_fetched`](crate::Replica::snapshot_fetched), or
    /// [`Replica::snapshot_refused`](crate::Replica::snapshot_refused). A later offer replaces an earlier one.
    pub fetch: Option<SnapshotOffer>,
    /// The state is to be replaced; never together with a write or with entries to apply.
    pub install: Option<Install>,
}

/// A snapshot that a leader wants this replica to have. Raft has not seen it yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotOffer {
    /// The leader that sent it.
    pub from: u64,
    /// Last entry that the snapshot contains.
    pub index: u64,
    /// That entry's term.
    pub term: u64,
    /// As given to [`Replica::snapshot_made`](crate::Replica::snapshot_made) over there.
    pub data: Bytes,
}

/// The replacement of this replica's state by a snapshot that was fetched and verified.
///
/// Everything written before is durable, and everything handed out was applied. The order that makes a
/// crash leave the old state or the new one: the state is complete and durable under its number, then the
/// log is installed (the one write that decides), then the new state is used, then
/// [`Replica::log_persisted`](crate::Replica::log_persisted).
#[derive(Clone, Debug, PartialEq)]
pub struct Install {
    /// To be reported as persisted, as for a [`LogWrite`].
    pub number: u64,
    /// Last entry that the snapshot contains; the state has applied it afterwards.
    pub index: u64,
    /// That entry's term.
    pub term: u64,
    /// Who belongs to the cluster at that entry.
    pub membership: Membership,
    /// As in the [`SnapshotOffer`].
    pub data: Bytes,
    /// Goes into the log with it.
    pub hard_state: HardState,
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
