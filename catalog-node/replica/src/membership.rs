//! Who belongs to the cluster, and what may become of that next?
//!
//! Raft's `ConfState` in our words, and the one rule of how it changes: one change at a time, each through an
//! explicit joint configuration that the leader leaves by a second entry of its own. The rule is pure, so
//! that whoever applies an entry can compute its effect, store it with the state, and tell the replica.
//!
//! raft-rs would also leave a joint configuration by itself (`auto_leave`); it forgets to when the leader
//! changes at the wrong moment, and its entry carries no context for the state machine. Never used here.

use bytes::Bytes;
use catalog_mutation::{Mutation, active};
use minicbor::{Decode, Encode};
use protobuf::Message;
use raft::eraftpb::{
    ConfChangeSingle, ConfChangeTransition, ConfChangeType, ConfChangeV2, ConfState, Entry,
    EntryType,
};

use crate::{Mode, mode::mode_of};

/// Who votes, who listens. Every list is sorted and names nobody twice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Membership {
    /// Those whose majority decides; while joint, the majority of `outgoing` must agree as well.
    #[n(0)]
    pub voters: Vec<u64>,
    /// The voters before the change that is under way; empty unless joint.
    #[n(1)]
    pub outgoing: Vec<u64>,
    /// Those who receive everything and decide nothing.
    #[n(2)]
    pub learners: Vec<u64>,
    /// Voters of `outgoing` who become learners when the joint configuration is left.
    #[n(3)]
    pub learners_next: Vec<u64>,
    /// Whether Raft leaves the joint configuration by itself; always false in what we write.
    #[n(4)]
    pub auto_leave: bool,
}

/// A change of the membership.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RaftChange {
    /// A new member that listens.
    AddLearner(u64),
    /// A learner becomes a voter.
    Promote(u64),
    /// A voter listens from now on, and decides nothing.
    Demote(u64),
    /// A member leaves.
    Remove(u64),
    /// A learner takes a voter's place.
    Replace {
        /// The voter that leaves.
        outgoing: u64,
        /// The learner that votes from now on.
        incoming: u64,
    },
    /// The change before this one is completed: the joint configuration is left.
    Finish,
}

/// Why a change does not fit the membership that it would change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeRefusal {
    /// A change is under way and must be finished first.
    #[error("another change of the membership is not finished")]
    Joint,
    /// There is nothing to finish.
    #[error("no change of the membership is under way")]
    NotJoint,
    /// The replica is a member already, or its id is 0.
    #[error("replica {0} cannot be added")]
    NotNew(u64),
    /// The replica is no learner.
    #[error("replica {0} is no learner")]
    NotALearner(u64),
    /// The replica is no member, or no voter where one is needed.
    #[error("replica {0} is not there to be removed")]
    NotThere(u64),
    /// Nobody would be left to decide.
    #[error("no voter would be left")]
    NoVoterLeft,
    /// The entry holds a change that no replica of ours proposes.
    #[error("the change cannot be read")]
    Unreadable,
}

impl Membership {
    /// A membership of `voters` and nobody else.
    pub fn of_voters(mut voters: Vec<u64>) -> Self {
        voters.sort_unstable();
        Self { voters, ..Self::default() }
    }

    /// Whether `id` belongs to it in any role.
    pub fn contains(&self, id: u64) -> bool {
        self.is_voter(id) || self.learners.contains(&id) || self.learners_next.contains(&id)
    }

    /// Whether `id` votes, be it only until the change under way is finished.
    pub fn is_voter(&self, id: u64) -> bool {
        self.voters.contains(&id) || self.outgoing.contains(&id)
    }

    /// Whether a change is under way.
    pub fn is_joint(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// Whether it names nobody: what a replica knows before its first snapshot.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Everybody, each once, in order.
    pub fn ids(&self) -> Vec<u64> {
        let lists = [&self.voters, &self.outgoing, &self.learners, &self.learners_next];
        let mut ids: Vec<u64> = lists.into_iter().flatten().copied().collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// As stored with the state and carried by snapshots.
    pub fn encode(&self) -> Vec<u8> {
        minicbor::to_vec(self).expect("writing to a Vec does not fail")
    }

    /// The inverse of [`Membership::encode`].
    pub fn decode(bytes: &[u8]) -> Result<Self, minicbor::decode::Error> {
        minicbor::decode(bytes)
    }

    /// The membership after `change`: joint, or no longer joint for [`RaftChange::Finish`].
    pub fn after(&self, change: RaftChange) -> Result<Self, ChangeRefusal> {
        if change == RaftChange::Finish {
            return if self.is_joint() {
                Ok(self.finished())
            } else {
                Err(ChangeRefusal::NotJoint)
            };
        }
        if self.is_joint() {
            return Err(ChangeRefusal::Joint);
        }
        let mut next = Self { outgoing: self.voters.clone(), ..self.clone() };
        match change {
            RaftChange::AddLearner(id) if id == 0 || self.contains(id) => {
                return Err(ChangeRefusal::NotNew(id));
            }
            RaftChange::AddLearner(id) => insert(&mut next.learners, id),
            RaftChange::Promote(id) => next.promote(id)?,
            RaftChange::Demote(id) if !self.voters.contains(&id) => {
                return Err(ChangeRefusal::NotThere(id));
            }
            RaftChange::Demote(id) => {
                next.voters.retain(|voter| *voter != id);
                insert(&mut next.learners_next, id);
            }
            RaftChange::Remove(id) if !self.contains(id) => {
                return Err(ChangeRefusal::NotThere(id));
            }
            RaftChange::Remove(id) => {
                next.voters.retain(|voter| *voter != id);
                next.learners.retain(|learner| *learner != id);
            }
            RaftChange::Replace { outgoing, .. } if !self.voters.contains(&outgoing) => {
                return Err(ChangeRefusal::NotThere(outgoing));
            }
            RaftChange::Replace { outgoing, incoming } => {
                next.voters.retain(|voter| *voter != outgoing);
                next.promote(incoming)?;
            }
            RaftChange::Finish => unreachable!("answered above"),
        }
        if next.voters.is_empty() { Err(ChangeRefusal::NoVoterLeft) } else { Ok(next) }
    }

    fn promote(&mut self, id: u64) -> Result<(), ChangeRefusal> {
        if !self.learners.contains(&id) {
            return Err(ChangeRefusal::NotALearner(id));
        }
        self.learners.retain(|learner| *learner != id);
        insert(&mut self.voters, id);
        Ok(())
    }

    fn finished(&self) -> Self {
        let mut next = self.clone();
        for id in next.learners_next.drain(..) {
            insert(&mut next.learners, id);
        }
        next.outgoing.clear();
        next.auto_leave = false;
        next
    }
}

fn insert(ids: &mut Vec<u64>, id: u64) {
    if let Err(place) = ids.binary_search(&id) {
        ids.insert(place, id);
    }
}

impl From<&ConfState> for Membership {
    fn from(state: &ConfState) -> Self {
        let sorted = |ids: &[u64]| {
            let mut ids = ids.to_vec();
            ids.sort_unstable();
            ids
        };
        Self {
            voters: sorted(&state.voters),
            outgoing: sorted(&state.voters_outgoing),
            learners: sorted(&state.learners),
            learners_next: sorted(&state.learners_next),
            auto_leave: state.auto_leave,
        }
    }
}

impl From<&Membership> for ConfState {
    fn from(membership: &Membership) -> Self {
        Self {
            voters: membership.voters.clone(),
            voters_outgoing: membership.outgoing.clone(),
            learners: membership.learners.clone(),
            learners_next: membership.learners_next.clone(),
            auto_leave: membership.auto_leave,
            ..Self::default()
        }
    }
}

/// What a committed entry is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind<'a> {
    /// Raft's own: the first entry of a leader, or a change of the membership that it neutralized.
    Raft,
    /// A command for the state machine.
    Command(&'a Bytes),
    /// A change of the mode of a cluster of two sites. The state machine decides by `command` whether it takes
    /// place; reported by [`Replica::apply_mode`](crate::Replica::apply_mode).
    Mode {
        /// The mode from then on.
        mode: Mode,
        /// What the state machine is told.
        command: &'a Bytes,
    },
    /// A change of the membership. Whoever applies it decides by `context` whether it takes place, stores
    /// [`Membership::after`], and reports by [`Replica::apply_members`](crate::Replica::apply_members).
    Members {
        /// The change, or why it cannot be read; such an entry is refused.
        change: Result<RaftChange, ChangeRefusal>,
        /// What the proposer gave with it.
        context: &'a Bytes,
    },
}

/// What `entry` is for.
pub fn kind_of(entry: &Entry) -> EntryKind<'_> {
    match entry.get_entry_type() {
        EntryType::EntryNormal if entry.data.is_empty() => EntryKind::Raft,
        EntryType::EntryNormal => match mode_of(entry) {
            Some(mode) => EntryKind::Mode { mode, command: &entry.data },
            None => EntryKind::Command(&entry.data),
        },
        EntryType::EntryConfChange | EntryType::EntryConfChangeV2 => {
            EntryKind::Members { change: RaftChange::of(entry), context: &entry.context }
        }
    }
}

impl RaftChange {
    /// As raft-rs wants it: through an explicit joint configuration.
    pub(crate) fn to_raft(self) -> ConfChangeV2 {
        use ConfChangeType::{AddLearnerNode, AddNode, RemoveNode};
        let singles = match self {
            Self::AddLearner(id) => vec![(AddLearnerNode, id)],
            // raft-rs tells it from a new learner by the id, and so do we: an added learner comes alone.
            Self::Demote(id) => vec![(AddLearnerNode, id), (AddLearnerNode, id)],
            Self::Promote(id) => vec![(AddNode, id)],
            Self::Remove(id) => vec![(RemoveNode, id)],
            Self::Replace { outgoing, incoming } => {
                vec![(RemoveNode, outgoing), (AddNode, incoming)]
            }
            Self::Finish => return ConfChangeV2::default(),
        };
        let singles: Vec<ConfChangeSingle> = singles
            .into_iter()
            .map(|(kind, node_id)| {
                let mut single = ConfChangeSingle { node_id, ..ConfChangeSingle::default() };
                single.set_change_type(kind);
                single
            })
            .collect();
        let mut change = ConfChangeV2::default();
        change.set_changes(singles.into());
        let auto_leave = active(Mutation::AutoLeave);
        change.set_transition(if auto_leave {
            ConfChangeTransition::Implicit
        } else {
            ConfChangeTransition::Explicit
        });
        change
    }

    fn of(entry: &Entry) -> Result<Self, ChangeRefusal> {
        use ConfChangeType::{AddLearnerNode, AddNode, RemoveNode};
        let change = raft_change(entry).ok_or(ChangeRefusal::Unreadable)?;
        let singles: Vec<(ConfChangeType, u64)> = change
            .get_changes()
            .iter()
            .map(|single| (single.get_change_type(), single.node_id))
            .collect();
        match (singles.as_slice(), change.get_transition()) {
            ([], ConfChangeTransition::Auto) => Ok(Self::Finish),
            (_, ConfChangeTransition::Auto) => Err(ChangeRefusal::Unreadable),
            ([(AddLearnerNode, id)], _) => Ok(Self::AddLearner(*id)),
            ([(AddLearnerNode, id), (AddLearnerNode, same)], _) if id == same => {
                Ok(Self::Demote(*id))
            }
            ([(AddNode, id)], _) => Ok(Self::Promote(*id)),
            ([(RemoveNode, id)], _) => Ok(Self::Remove(*id)),
            ([(RemoveNode, outgoing), (AddNode, incoming)], _) => {
                Ok(Self::Replace { outgoing: *outgoing, incoming: *incoming })
            }
            _ => Err(ChangeRefusal::Unreadable),
        }
    }
}

/// The change in `entry` as raft-rs wants it.
pub(crate) fn raft_change(entry: &Entry) -> Option<ConfChangeV2> {
    if entry.get_entry_type() != EntryType::EntryConfChangeV2 {
        return None;
    }
    ConfChangeV2::parse_from_bytes(&entry.data).ok()
}

#[cfg(test)]
mod tests;
