//! How does a state come over whole, without Raft waiting for it?
//!
//! On the receiving side Raft's message is held back while the blocks are fetched. A snapshot is of committed
//! entries, so it stays good whoever leads when it has arrived; it is handed to raft-rs in the name of the
//! leader of that moment. raft-rs is only told when nothing else is under way: no write, no entry to apply.
//! One install at a time; of two offers the higher wins.
//!
//! On the sending side raft-rs stops sending entries to a peer that is to receive a snapshot, until it hears
//! how that went. It hears of success from the peer's own answer and of failure from the ticks counted here.
//!
//! A replica whose state is bad asks for a snapshot although its log is sound. While its request stands it
//! takes no entries, hence it also vouches for those it has: else a leader that waits for exactly these
//! could never make the snapshot.

use std::sync::Arc;

use bytes::Bytes;
use catalog_log::LogRead;
use catalog_mutation::{Mutation, active};
use raft::{
    ProgressState, SnapshotStatus, StateRole,
    eraftpb::{HardState, Message, MessageType, Snapshot},
};

use super::Replica;
use crate::{Install, Membership, SnapshotOffer, StepRefusal, log_view::Made};

/// Marks an acknowledgment that says nothing about a snapshot.
const VOUCHING: &[u8] = b"vouching";

/// A snapshot that is being fetched.
#[derive(Debug)]
pub(super) struct Incoming {
    /// Raft's own, held back.
    message: Message,
    /// Whether the shell was told to fetch it.
    offered: bool,
    /// Whether all of it has arrived.
    fetched: bool,
}

impl Incoming {
    fn index(&self) -> u64 {
        self.message.get_snapshot().get_metadata().index
    }
}

/// How a bad state is to be replaced.
#[derive(Debug, Default)]
pub(super) struct Reseed {
    /// The request that stands: the term it was made in, and the last entry of the log then.
    request: Option<(u64, u64)>,
}

impl<R: LogRead> Replica<R> {
    /// Everything that the snapshot at `index` consists of is here and was verified. It is installed as soon
    /// as nothing else is under way, unless it is outdated by then.
    pub fn snapshot_fetched(&mut self, index: u64) {
        if let Some(incoming) = &mut self.incoming
            && incoming.index() == index
        {
            incoming.fetched = true;
        }
    }

    /// The snapshot at `index` cannot be had. The leader will offer one again after its patience.
    pub fn snapshot_refused(&mut self, index: u64) {
        self.incoming.take_if(|incoming| incoming.index() == index);
    }

    /// Whether a peer needs a snapshot and none serves it: one is to be made of the state as it is applied
    /// now or later, and given to [`Replica::snapshot_made`].
    pub fn snapshot_wanted(&self) -> bool {
        let raft = &self.node.raft;
        let wanted = self.node.store().wanted();
        raft.state == StateRole::Leader
            && wanted.is_some_and(|index| raft.raft_log.applied >= index)
    }

    /// A snapshot of the state at `index` can be fetched from this replica from now on, by the name `data`.
    /// `membership` is the one stored with that state.
    ///
    /// Kept until a newer one is made; not offered any more once the log does not go on from it.
    pub fn snapshot_made(&mut self, index: u64, term: u64, membership: Membership, data: Bytes) {
        assert!(index <= self.handed_out, "entry {index} was not handed out");
        self.node.mut_store().offer(Made { index, term, membership, data });
    }

    /// Blocks of a snapshot flow to `peer`.
    pub fn snapshot_progress(&mut self, peer: u64) {
        if let Some(ticks) = self.patience.get_mut(&peer) {
            *ticks = 0;
        }
    }

    /// The state is bad, and the log is not: from now on nothing is handed out, until a snapshot has replaced
    /// the state. It steps down if it leads, and never stands for election meanwhile.
    pub fn request_snapshot(&mut self) {
        if self.reseed.is_some() {
            return;
        }
        self.reseed = Some(Reseed::default());
        self.undecided.clear();
        let raft = &mut self.node.raft;
        if raft.state != StateRole::Follower {
            raft.become_follower(raft.term, 0);
        }
    }

    /// The index of the snapshot that is fetched or installed.
    pub(super) fn receiving(&self) -> Option<u64> {
        let installing = self.installing.map(|(_, index)| index);
        installing.or_else(|| self.incoming.as_ref().map(Incoming::index))
    }

    /// Takes in Raft's message, and keeps it from raft-rs if it means that something must be fetched.
    pub(super) fn hold_snapshot(&mut self, message: Message) -> Result<(), StepRefusal> {
        let raft = &self.node.raft;
        if message.term < raft.term {
            return Ok(());
        }
        let metadata = message.get_snapshot().get_metadata();
        let membership = Membership::from(metadata.get_conf_state());
        let requested = raft.pending_request_snapshot != 0;
        let has_it = !requested && raft.raft_log.match_term(metadata.index, metadata.term);
        let outdated = metadata.index < raft.raft_log.committed || has_it;
        if outdated || !membership.contains(self.config.id) {
            // raft-rs answers what this replica has.
            return Ok(self.node.step(message)?);
        }
        match &mut self.incoming {
            Some(incoming) if incoming.index() > metadata.index => {}
            Some(incoming)
                if incoming.index() == metadata.index
                    && incoming.message.get_snapshot().data == message.get_snapshot().data =>
            {
                incoming.offered &= incoming.message.from == message.from;
                incoming.message = message;
            }
            _ => self.incoming = Some(Incoming { message, offered: false, fetched: false }),
        }
        Ok(())
    }

    /// What the shell is to fetch and does not know yet.
    pub(super) fn take_offer(&mut self) -> Option<SnapshotOffer> {
        let incoming = self.incoming.as_mut().filter(|incoming| !incoming.offered)?;
        incoming.offered = true;
        if incoming.fetched {
            return None;
        }
        let snapshot = incoming.message.get_snapshot();
        Some(SnapshotOffer {
            from: incoming.message.from,
            index: snapshot.get_metadata().index,
            term: snapshot.get_metadata().term,
            data: snapshot.data.clone(),
        })
    }

    /// Hands raft-rs the snapshot that was fetched, if nothing else is under way.
    pub(super) fn begin_install(&mut self) {
        let raft = &mut self.node.raft;
        let quiet = self.unpersisted.is_empty()
            && (self.reseed.is_some() || raft.raft_log.applied == self.handed_out);
        let Some(incoming) = self.incoming.take_if(|incoming| quiet && incoming.fetched) else {
            return;
        };
        let mut message = incoming.message;
        let metadata = message.get_snapshot().get_metadata();
        let (index, term) = (metadata.index, metadata.term);
        if raft.state == StateRole::Leader || index < raft.raft_log.committed {
            return;
        }
        if self.reseed.is_some() && raft.raft_log.match_term(index, term) {
            if index < raft.raft_log.last_index() {
                // Entries after it were acknowledged to another leader since: a later one is needed.
                return;
            }
            // Without a request that stands, raft-rs would take the log's word for the state.
            raft.pending_request_snapshot = index;
        }
        if message.term < raft.term {
            if raft.leader_id == 0 {
                self.incoming = Some(Incoming { message, offered: true, fetched: true });
                return;
            }
            message.term = raft.term;
            message.from = raft.leader_id;
        }
        self.node.step(message).expect("raft-rs takes every snapshot");
    }

    /// What the shell has to do about the snapshot that raft-rs has taken.
    pub(super) fn install(
        &mut self,
        number: u64,
        mut snapshot: Snapshot,
        hard_state: Option<HardState>,
    ) -> Install {
        let metadata = snapshot.get_metadata();
        let (index, term) = (metadata.index, metadata.term);
        let membership = Membership::from(metadata.get_conf_state());
        self.node.mut_store().install(index, term);
        self.installing = Some((number, index));
        self.handed_out = index;
        self.undecided.clear();
        self.membership = Arc::new(membership.clone());
        Install {
            number,
            index,
            term,
            membership,
            data: snapshot.take_data(),
            hard_state: hard_state.unwrap_or_else(|| self.node.raft.hard_state()),
        }
    }

    /// Before raft-rs hears that the write `number` is durable.
    pub(super) fn before_persisted(&mut self, number: u64) {
        if self.installing.is_some_and(|(install, _)| install == number) {
            self.node.mut_store().installed();
        }
    }

    /// After raft-rs has heard that the write `number` is durable.
    pub(super) fn after_persisted(&mut self, number: u64) {
        if let Some((_, index)) = self.installing.take_if(|(install, _)| *install == number) {
            self.reseed = None;
            self.node.advance_apply_to(index);
        }
    }

    /// Counts the patience of a leader with peers that are to receive a snapshot.
    pub(super) fn tick_snapshots(&mut self) {
        if self.node.raft.state != StateRole::Leader {
            self.patience.clear();
            self.node.store().forget_wishes();
            return;
        }
        let progress = self.node.raft.prs().iter();
        let mut receiving: Vec<u64> = progress
            .filter(|(_, progress)| progress.state == ProgressState::Snapshot)
            .map(|(id, _)| *id)
            .collect();
        receiving.sort_unstable();
        self.patience.retain(|peer, _| receiving.contains(peer));
        for peer in receiving {
            let ticks = self.patience.entry(peer).or_default();
            *ticks += 1;
            if *ticks > self.config.snapshot_patience {
                self.patience.remove(&peer);
                if !active(Mutation::SnapshotFailureUnheard) {
                    self.node.report_snapshot(peer, SnapshotStatus::Failure);
                }
            }
        }
    }

    /// Tells raft-rs that a snapshot has arrived. It would find out by itself, but for a peer that asked for
    /// one: there it would keep the request and send another.
    pub(super) fn note_snapshot_answer(&mut self, message: &Message) {
        let arrived = self.node.raft.prs().get(message.from).is_some_and(|progress| {
            progress.state == ProgressState::Snapshot && message.index >= progress.pending_snapshot
        });
        if arrived
            && self.node.raft.state == StateRole::Leader
            && message.term == self.node.raft.term
            && message.get_msg_type() == MessageType::MsgAppendResponse
            && !message.reject
            && message.context.as_ref() != VOUCHING
        {
            self.node.report_snapshot(message.from, SnapshotStatus::Finish);
        }
    }

    /// Asks the leader for a snapshot, as soon as the log ends with an entry of the leader's own: then it
    /// is known to be the leader's log.
    pub(super) fn ask_for_snapshot(&mut self) {
        let Some(reseed) = &mut self.reseed else { return };
        let raft = &mut self.node.raft;
        if reseed.request.is_some_and(|(term, _)| term != raft.term) {
            // The new leader needs this replica's voice for its first entry, and a standing request refuses
            // all entries.
            reseed.request = None;
            raft.pending_request_snapshot = 0;
        }
        if reseed.request.is_none()
            && self.installing.is_none()
            && raft.leader_id != 0
            && raft.state == StateRole::Follower
            && raft.raft_log.last_term() == raft.term
        {
            let last_index = raft.raft_log.last_index();
            if self.node.request_snapshot().is_ok() {
                // What was offered before lacks entries that were acknowledged since.
                self.incoming.take_if(|incoming| incoming.index() < last_index);
                reseed.request = Some((self.node.raft.term, last_index));
            }
        }
    }

    /// Puts an acknowledgment of the whole log before a request for a snapshot, until one is offered.
    pub(super) fn vouch_for_log(&mut self, messages: &mut Vec<Message>) {
        let Some((term, index)) = self.reseed.as_ref().and_then(|reseed| reseed.request) else {
            return;
        };
        let Some(place) = messages.iter().position(|message| message.request_snapshot != 0) else {
            return;
        };
        let request = &messages[place];
        if self.incoming.is_some() || request.term != term {
            return;
        }
        let mut vouching = Message {
            from: request.from,
            to: request.to,
            term,
            index,
            commit: self.node.raft.raft_log.committed,
            context: Bytes::from_static(VOUCHING),
            ..Message::default()
        };
        vouching.set_msg_type(MessageType::MsgAppendResponse);
        messages.insert(place, vouching);
    }
}
