//! What does the replica say no to? Every refusal is at once and by name: raft-rs itself drops silently.

use raft::eraftpb::MessageType;

/// Why a proposal was not taken. It left no trace and may be tried again elsewhere or later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProposeRefusal {
    /// Another replica leads, or none.
    #[error("not the leader")]
    NotLeader {
        /// Who does, if known.
        leader: Option<u64>,
    },
    /// Leadership is being handed over; it ends within one election timeout.
    #[error("leadership is being transferred")]
    Transferring,
    /// Too many bytes are proposed and not yet committed.
    #[error("too much is uncommitted")]
    Overloaded,
}

/// Why a read was not begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadRefusal {
    /// Another replica leads, or none.
    #[error("not the leader")]
    NotLeader {
        /// Who does, if known.
        leader: Option<u64>,
    },
    /// A new leader does not know what is committed before an entry of its own term is.
    #[error("no entry of this term is committed yet")]
    TermNotCommitted,
    /// The context is of a read that is not answered yet; contexts are never used twice.
    #[error("the context is in use")]
    ContextInUse,
}

/// Why leadership was not handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransferRefusal {
    /// Another replica leads, or none.
    #[error("not the leader")]
    NotLeader {
        /// Who does, if known.
        leader: Option<u64>,
    },
    /// The target leads already, or is no voter.
    #[error("{to} cannot take over")]
    UnfitTarget {
        /// The target.
        to: u64,
    },
}

/// Why a message was not taken in.
#[derive(Debug, thiserror::Error)]
pub enum StepRefusal {
    /// It is for another replica.
    #[error("a message for replica {to}")]
    NotForUs {
        /// For which.
        to: u64,
    },
    /// It is from no member.
    #[error("a message from replica {from}, which is no member")]
    UnknownSender {
        /// From whom it claims to be.
        from: u64,
    },
    /// No replica of ours sends such messages: proposals and reads are not forwarded between replicas,
    /// and there are no snapshots.
    #[error("a message of the kind {0:?}")]
    UnwantedKind(MessageType),
    /// The leader remembers entries that this replica acknowledged and no longer has. The log lost durable
    /// entries: stop this replica and replace it under a new id.
    #[error("entry {commit} was acknowledged before, but the log ends at {last_index}")]
    AcknowledgedEntriesLost {
        /// What the leader knows this replica had.
        commit: u64,
        /// Where its log ends.
        last_index: u64,
    },
    /// The consensus library refused it.
    #[error("the message was refused")]
    Refused(#[from] raft::Error),
}

impl StepRefusal {
    /// Whether the replica must stop; any other refused message is simply dropped.
    pub fn is_fatal(&self) -> bool {
        matches!(self, Self::AcknowledgedEntriesLost { .. })
    }
}
