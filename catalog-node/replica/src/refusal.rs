//! What does the replica say no to? Every refusal is at once and by name: raft-rs itself drops silently.

use raft::eraftpb::MessageType;

use crate::ChangeRefusal;

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
    /// Too many bytes are proposed and not yet committed; in a cluster of two sites, or too many entries beyond
    /// what may be acknowledged.
    #[error("too much is uncommitted")]
    Overloaded,
    /// The leader may not commit: its site rule has no effect, or the witness lends it nothing any more.
    #[error("nothing may be committed now")]
    Held,
}

/// Why a change of the membership was not proposed. It left no trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MemberRefusal {
    /// As any proposal.
    #[error(transparent)]
    Proposal(#[from] ProposeRefusal),
    /// A change before this one may still be under way: a new leader waits until all that it found in its
    /// log is applied.
    #[error("an earlier change may still be under way")]
    Pending,
    /// It does not fit the members as they are.
    #[error(transparent)]
    Unfit(#[from] ChangeRefusal),
    /// While entries need both sites, only one would have voters.
    #[error("only one site would have voters")]
    LeavesOneSite,
    /// In a cluster of two sites, it is not known where the replica stands.
    #[error("it is not known at which site replica {id} stands")]
    NotPlaced {
        /// The learner.
        id: u64,
    },
    /// The leader would have no vote afterwards. Leadership is handed over first.
    #[error("the leader itself would have no vote")]
    RemovesLeader,
    /// The learner that is to vote does not follow the log yet.
    #[error("replica {id} does not follow the log yet")]
    NotReady {
        /// The learner.
        id: u64,
    },
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
    /// The leader cannot say what is the newest: it may not commit now, or it has led for an election timeout
    /// without committing anything, because the other site does not answer. What it has may be shown as of
    /// then.
    #[error("the leader cannot vouch for what it has")]
    Held,
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
    /// The target would first have to catch up, and nothing could be written meanwhile.
    #[error("{to} is {behind} entries behind")]
    Lagging {
        /// The target.
        to: u64,
        /// Entries that it is not known to have.
        behind: u64,
    },
    /// The entries that the target lacks are not in the log any more: it needs a snapshot first, however few
    /// they are.
    #[error("{to} needs a snapshot first")]
    NeedsSnapshot {
        /// The target.
        to: u64,
    },
    /// The target receives a snapshot; leadership would be without effect until that is over.
    #[error("{to} receives a snapshot")]
    ReceivingSnapshot {
        /// The target.
        to: u64,
    },
}

/// Why this replica would not make a good leader now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotLead {
    /// It has no vote, or will have none once the change under way is finished.
    #[error("it has no lasting vote")]
    NotAVoter,
    /// Its state is being replaced.
    #[error("its state is being replaced by a snapshot")]
    ReceivingSnapshot,
    /// It would first have to apply what is committed.
    #[error("{entries} committed entries are not applied")]
    Behind {
        /// How many.
        entries: u64,
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
    /// An answer from no member, or a message from nobody or from ourselves.
    #[error("a message from replica {from}, which is no member")]
    UnknownSender {
        /// From whom it claims to be.
        from: u64,
    },
    /// No replica of ours sends such messages: proposals and reads are not forwarded between replicas.
    #[error("a message of the kind {0:?}")]
    UnwantedKind(MessageType),
    /// A replica that has nothing yet votes for nobody: it was asked by mistake, or its log was lost.
    #[error("asked for a vote before anything was received")]
    NothingToVoteOn,
    /// This replica must not lead now.
    #[error("asked to lead, but {0}")]
    CannotLead(CannotLead),
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
