//! Who joins, who leaves, who leads next?
//!
//! raft-rs accepts a change of the membership that it cannot take and silently turns it into an empty entry;
//! it takes a transfer to a peer that could not lead for long. Both are refused here before it hears of them.

use std::sync::Arc;

use bytes::Bytes;
use catalog_log::LogRead;
use catalog_mutation::{Mutation, active};
use protobuf::Message as _;
use raft::{
    StateRole,
    eraftpb::{Entry, EntryType, Message, MessageType},
};

use super::{Proposed, Replica};
use crate::{
    CannotLead, MemberRefusal, Membership, PeerState, ProposeRefusal, RaftChange, TransferRefusal,
    membership,
};

/// How many entries the next leader may lack: sent within a few heartbeats, while nothing can be written.
const TRANSFER_LAG_MAX: u64 = 128;

/// What a leader has to do about a change of the membership that is half done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaveDue {
    /// To propose [`RaftChange::Finish`].
    Propose,
    /// To hand over to one of the voters that stay: it leaves with this change.
    HandOver,
}

impl<R: LogRead> Replica<R> {
    /// Proposes `change`, with a `context` for whoever applies it. It takes place when it was applied and
    /// accepted, and is completed by another proposal, [`RaftChange::Finish`], see [`Replica::leave_due`].
    ///
    /// One change at a time: everything that raft-rs would neutralize is refused by name.
    pub fn propose_members(
        &mut self,
        change: RaftChange,
        context: Bytes,
    ) -> Result<Proposed, MemberRefusal> {
        self.check_proposal()?;
        let neutralized_too = active(Mutation::NeutralizedChangeTaken);
        if !neutralized_too && self.node.raft.has_pending_conf() {
            return Err(MemberRefusal::Pending);
        }
        let next = self.membership.after(change)?;
        if !next.voters.contains(&self.config.id) {
            return Err(MemberRefusal::RemovesLeader);
        }
        if let RaftChange::Promote(id) | RaftChange::Replace { incoming: id, .. } = change
            && !self.follows(id)
        {
            return Err(MemberRefusal::NotReady { id });
        }
        if let RaftChange::Promote(id) | RaftChange::Replace { incoming: id, .. } = change
            && !self.is_placed(id)
        {
            return Err(MemberRefusal::NotPlaced { id });
        }
        if !self.keeps_rule(&next) {
            return Err(MemberRefusal::LeavesOneSite);
        }
        let data = change.to_raft().write_to_bytes().expect("a change can be encoded");
        let mut entry = Entry { data: data.into(), context, ..Entry::default() };
        entry.set_entry_type(EntryType::EntryConfChangeV2);
        let proposed = self.append(entry)?;
        let taken = self.node.raft.raft_log.unstable.entries.last();
        if neutralized_too
            || taken.is_some_and(|entry| entry.get_entry_type() == EntryType::EntryConfChangeV2)
        {
            Ok(proposed)
        } else {
            Err(MemberRefusal::Pending)
        }
    }

    /// A change of the membership that was handed out is applied: it takes place if the state machine
    /// accepted it, and nothing happens if not; the answer must be the same on every replica. To be called
    /// for each, in order, before it is reported by [`Replica::applied`]. Returns the membership from
    /// then on, which the state stores with the same batch.
    ///
    /// Panics if an accepted change does not fit the membership: [`Membership::after`] says so beforehand.
    pub fn apply_members(&mut self, entry: &Entry, accepted: bool) -> Membership {
        assert_eq!(
            self.undecided.pop_front(),
            Some(entry.index),
            "changes of the membership are reported in order"
        );
        if accepted {
            let change = membership::raft_change(entry).expect("an accepted change can be read");
            self.yield_to_change(entry);
            let state = self.node.apply_conf_change(&change).expect("an accepted change fits");
            self.membership = Arc::new(Membership::from(&state));
            let raft = &mut self.node.raft;
            // raft-rs lets it lead on, and panics at the next commit.
            if raft.state == StateRole::Leader && !self.membership.is_voter(self.config.id) {
                raft.become_follower(raft.term, 0);
                self.note_leadership();
            }
            self.derive_rule();
        }
        Membership::clone(&self.membership)
    }

    fn yield_to_change(&mut self, entry: &Entry) {
        if let crate::EntryKind::Members { change: Ok(change), .. } = crate::kind_of(entry)
            && let Ok(next) = self.membership.after(change)
        {
            self.yield_to(&next);
        }
    }

    /// Who belongs to the cluster, as far as this replica has applied it.
    pub fn membership(&self) -> &Membership {
        &self.membership
    }

    /// What this replica, if it leads, has to do to complete a change of the membership.
    pub fn leave_due(&self) -> Option<LeaveDue> {
        let raft = &self.node.raft;
        if raft.state != StateRole::Leader
            || !self.membership.is_joint()
            || raft.has_pending_conf()
            || raft.lead_transferee.is_some()
        {
            return None;
        }
        let stays = self.membership.voters.contains(&self.config.id);
        Some(if stays { LeaveDue::Propose } else { LeaveDue::HandOver })
    }

    /// Hands leadership to `to`; proposals are refused until it has it, or one election timeout is over.
    pub fn transfer_leader(&mut self, to: u64) -> Result<(), TransferRefusal> {
        self.lead_fitness(to)?;
        self.node.transfer_leader(to);
        Ok(())
    }

    /// Whether `to` could take over from this leader, as far as it knows. What only `to` knows is answered
    /// there, by [`Replica::may_lead`].
    pub fn lead_fitness(&self, to: u64) -> Result<(), TransferRefusal> {
        let raft = &self.node.raft;
        if raft.state != StateRole::Leader {
            return Err(TransferRefusal::NotLeader { leader: self.leader() });
        }
        let peer = self.peers().into_iter().find(|(id, _)| *id == to);
        let (Some((_, peer)), true) = (peer, self.membership.voters.contains(&to)) else {
            return Err(TransferRefusal::UnfitTarget { to });
        };
        let transfers_anyway = active(Mutation::TransferDuringSnapshot);
        if transfers_anyway {
            return Ok(());
        }
        if matches!(peer.state, PeerState::Snapshot { .. }) {
            return Err(TransferRefusal::ReceivingSnapshot { to });
        }
        if peer.matched + 1 < raft.raft_log.first_index() {
            return Err(TransferRefusal::NeedsSnapshot { to });
        }
        let behind = raft.raft_log.last_index().saturating_sub(peer.matched);
        if behind > TRANSFER_LAG_MAX {
            return Err(TransferRefusal::Lagging { to, behind });
        }
        Ok(())
    }

    /// Whether this replica could lead now.
    pub fn may_lead(&self) -> Result<(), CannotLead> {
        if self.reseed.is_some() || self.incoming.is_some() || self.installing.is_some() {
            return Err(CannotLead::ReceivingSnapshot);
        }
        if !self.membership.voters.contains(&self.config.id) {
            return Err(CannotLead::NotAVoter);
        }
        let log = &self.node.raft.raft_log;
        match log.committed - log.applied {
            0..=TRANSFER_LAG_MAX => Ok(()),
            entries => Err(CannotLead::Behind { entries }),
        }
    }

    /// Whether proposals are taken at all.
    pub(super) fn check_proposal(&self) -> Result<(), ProposeRefusal> {
        self.check_leads()?;
        if self.is_held() {
            return Err(ProposeRefusal::Held);
        }
        if self.node.raft.raft_log.last_index() + 1 >= self.proposal_limit() {
            return Err(ProposeRefusal::Overloaded);
        }
        Ok(())
    }

    pub(super) fn check_leads(&self) -> Result<(), ProposeRefusal> {
        if self.node.raft.state != StateRole::Leader {
            return Err(ProposeRefusal::NotLeader { leader: self.leader() });
        }
        if self.node.raft.lead_transferee.is_some() {
            return Err(ProposeRefusal::Transferring);
        }
        Ok(())
    }

    pub(super) fn append(&mut self, entry: Entry) -> Result<Proposed, ProposeRefusal> {
        let mut message = Message { from: self.config.id, ..Message::default() };
        message.set_msg_type(MessageType::MsgPropose);
        message.set_entries(vec![entry].into());
        // The one reason that is left.
        self.node.step(message).map_err(|_| ProposeRefusal::Overloaded)?;
        Ok(Proposed { term: self.node.raft.term, index: self.node.raft.raft_log.last_index() })
    }

    fn follows(&self, id: u64) -> bool {
        let peer = self.peers().into_iter().find(|(peer, _)| *peer == id);
        peer.is_some_and(|(_, peer)| peer.state == PeerState::Replicate)
    }
}
