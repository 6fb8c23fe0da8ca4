//! The replica itself: raft-rs behind calls that refuse by name, hold back what is not durable, and leave
//! nothing to chance.

use std::{
    collections::{BTreeMap, VecDeque},
    mem,
    sync::Arc,
};

use bytes::Bytes;
use catalog_log::{LogRead, LogStore};
use catalog_mutation::{Mutation, active};
use raft::{
    RawNode, ReadOnlyOption, StateRole,
    eraftpb::{ConfState, Entry, HardState, Message, MessageType},
};

pub use self::{members::LeaveDue, rule::AHEAD_MAX};
use self::{
    reads::Reads,
    rule::TwoSites,
    snapshots::{Incoming, Reseed},
};
use crate::{
    CannotLead, CompactLimits, Config, EntryKind, LogWrite, Membership, PeerProgress, PeerState,
    ProposeRefusal, Ready, ReplicaStatus, Role, RoleKind, StartError, StepRefusal, compaction,
    drive::BEGINNING, log_view::LogView,
};

mod members;
mod reads;
mod rule;
mod snapshots;

/// Bytes of committed entries handed out at once; more follow in the next [`Ready`].
const APPLY_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// One member of a cluster. `R` reads the log that its driver writes.
pub struct Replica<R: LogRead> {
    node: RawNode<LogView<R>>,
    config: Config,
    /// What was handed out and is not yet reported as durable, in the order of its numbers.
    unpersisted: VecDeque<Unpersisted>,
    reads: Reads,
    two_sites: TwoSites,
    last_role: Role,
    /// Last entry handed out to be applied.
    handed_out: u64,
    /// As far as changes were reported by [`Replica::apply_members`].
    membership: Arc<Membership>,
    /// Changes of the membership and of the mode that were handed out and not reported, oldest first.
    undecided: VecDeque<u64>,
    /// A snapshot that is being fetched, held back from raft-rs.
    incoming: Option<Incoming>,
    /// The install under way: number of its `Ready`, index of its snapshot.
    installing: Option<(u64, u64)>,
    /// On a leader, ticks since each other member answered. raft-rs has a flag for that, but clears it for
    /// all at once to see who answers next.
    silence: BTreeMap<u64, usize>,
    /// Ticks since a peer that is to receive a snapshot gave a sign of it.
    patience: BTreeMap<u64, usize>,
    /// Set while the state is bad.
    reseed: Option<Reseed>,
}

/// A write under way, and what waits for it.
#[derive(Debug)]
struct Unpersisted {
    /// Of the write.
    number: u64,
    /// The last raft-rs `Ready` that is durable with it: those after it that had nothing to write, too.
    covers: u64,
    messages: Vec<Message>,
}

/// Where a proposal stands in the log. It is committed when an entry with this index *and* term is applied;
/// an entry with another term at the index means that it never will be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proposed {
    /// The term in which it was proposed.
    pub term: u64,
    /// Its place.
    pub index: u64,
}

impl Proposed {
    /// Whether the entry of `term` at `index` is what was proposed. Another leader's entry may have taken the
    /// place; whoever waits is then told that the outcome is unknown.
    pub fn is_entry(self, index: u64, term: u64) -> bool {
        self.index == index && (self.term == term || active(Mutation::ProposalByIndex))
    }
}

impl<R: LogRead> Replica<R> {
    /// Starts a replica on a log that was opened, and bootstrapped when the cluster was created.
    ///
    /// `applied` is the last entry that the state durably contains; 0 for an empty state, and without meaning
    /// for one that is to be replaced ([`Config::reseed`]). Entries after it will be handed out again. The
    /// commit index is allowed to be behind it, because it is written without a sync; the log is not.
    ///
    /// A node that joins starts on an empty log with an empty membership; it votes for nobody until its
    /// first snapshot has come.
    pub fn start<L: LogStore<Reader = R>>(
        config: Config,
        log: &L,
        applied: u64,
        logger: &slog::Logger,
    ) -> Result<Self, StartError> {
        let (first_index, last_index) = (log.first_index(), log.last_index());
        let mut hard_state: HardState = log.hard_state();
        if hard_state.commit > last_index {
            return Err(StartError::CommitBeyondLog { commit: hard_state.commit, last_index });
        }
        let log_lost = active(Mutation::LostLogAccepted) && last_index == 0;
        let joins = log_lost || config.membership.is_empty() && !config.reseed;
        let applied = if joins && last_index > 0 {
            return Err(StartError::MembershipUnknown);
        } else if joins {
            0
        } else if first_index <= BEGINNING {
            return Err(StartError::LogEmpty { id: config.id });
        } else if config.reseed {
            // What is committed is not wanted; the snapshot will contain it.
            hard_state.commit.max(first_index - 1)
        } else {
            applied.max(BEGINNING)
        };
        if !fits(&config.membership, config.id, applied) {
            let Config { id, membership, .. } = config;
            return Err(StartError::NotAMember { id, membership });
        }
        if applied > last_index {
            return Err(StartError::StateAheadOfLog { applied, last_index });
        }
        if applied + 1 < first_index {
            return Err(StartError::StateBehindLog { applied, first_index });
        }
        if !active(Mutation::CommitBehindApplied) {
            hard_state.commit = hard_state.commit.max(applied);
        }

        let term = hard_state.term;
        let conf_state = ConfState::from(&config.membership);
        let view = LogView::new(log.reader(), hard_state, conf_state);
        let node = RawNode::new(&raft_config(&config, applied), view, logger)?;
        let mut replica = Self {
            node,
            membership: Arc::new(config.membership.clone()),
            reseed: config.reseed.then(Reseed::default),
            reads: Reads::default(),
            two_sites: TwoSites::new(config.sites.clone(), config.mode),
            config,
            unpersisted: VecDeque::new(),
            last_role: Role { leader: None, term, is_leader: false },
            handed_out: applied,
            undecided: VecDeque::new(),
            incoming: None,
            installing: None,
            silence: BTreeMap::new(),
            patience: BTreeMap::new(),
        };
        replica.derive_rule();
        Ok(replica)
    }

    /// One unit of time has passed.
    pub fn tick(&mut self) {
        self.set_election_timeout();
        self.node.tick();
        self.note_leadership();
        self.count_silence();
        self.tick_snapshots();
        self.tick_reads();
    }

    /// Takes in a message from another replica of the cluster; that it is one is not checked here.
    ///
    /// What a leader or a candidate says counts even if this replica has not applied the change yet by which
    /// it became a member: Raft is safe under it, and a replica that refused could never learn of that
    /// change. Answers count only from members, because only members are asked.
    pub fn step(&mut self, message: Message) -> Result<(), StepRefusal> {
        if message.to != self.config.id {
            return Err(StepRefusal::NotForUs { to: message.to });
        }
        if message.from == self.config.id || message.from == 0 {
            return Err(StepRefusal::UnknownSender { from: message.from });
        }
        match message.get_msg_type() {
            MessageType::MsgAppend => {}
            MessageType::MsgAppendResponse
            | MessageType::MsgRequestVoteResponse
            | MessageType::MsgRequestPreVoteResponse
            | MessageType::MsgHeartbeatResponse => {
                if self.node.raft.prs().get(message.from).is_none() {
                    return Err(StepRefusal::UnknownSender { from: message.from });
                }
                self.silence.insert(message.from, 0);
                self.note_snapshot_answer(&message);
                self.note_read_answer(&message);
                if self.withholds(&message) {
                    return Ok(());
                }
            }
            MessageType::MsgRequestVote | MessageType::MsgRequestPreVote => {
                // It has neither entries nor a term that could lose; raft-rs would panic at term 0 if it
                // refused, and a member whose log was lost may have voted.
                let empty = self.node.raft.raft_log.last_index() == 0;
                if empty && !active(Mutation::LostLogAccepted) {
                    return Err(StepRefusal::NothingToVoteOn);
                }
            }
            MessageType::MsgTimeoutNow => {
                let fit = self.may_lead();
                if let Err(unfit @ (CannotLead::NotAVoter | CannotLead::ReceivingSnapshot)) = fit {
                    return Err(StepRefusal::CannotLead(unfit));
                }
            }
            MessageType::MsgSnapshot => return self.hold_snapshot(message),
            // raft-rs would panic. A leader sends no more than what was acknowledged to it in its term.
            MessageType::MsgHeartbeat => {
                let last_index = self.node.raft.raft_log.last_index();
                if message.term >= self.node.raft.term && message.commit > last_index {
                    return Err(StepRefusal::AcknowledgedEntriesLost {
                        commit: message.commit,
                        last_index,
                    });
                }
            }
            unwanted => return Err(StepRefusal::UnwantedKind(unwanted)),
        }
        let stepped = self.node.step(message);
        self.note_leadership();
        Ok(stepped?)
    }

    /// Proposes `data`, which is not empty. Only a leader takes proposals; none is forwarded.
    pub fn propose(&mut self, data: Bytes) -> Result<Proposed, ProposeRefusal> {
        assert!(!data.is_empty(), "empty data mark the entries that Raft itself writes");
        self.check_proposal()?;
        self.append(Entry { data, ..Entry::default() })
    }

    /// Messages to `to` were lost: a leader sends entries to it one message at a time until it answers.
    pub fn unreachable(&mut self, to: u64) {
        self.node.report_unreachable(to);
    }

    /// Stands for election without waiting for a timeout. Does nothing on a leader or on one that must not
    /// become it.
    pub fn campaign(&mut self) {
        if self.node.raft.promotable() && self.reseed.is_none() {
            self.node.campaign().expect("raft-rs takes every wish to stand");
            self.note_leadership();
        }
    }

    /// What can be done now, or `None`. Between two calls any number of inputs is fine; a write that was
    /// handed out need not be done before the next call.
    pub fn ready(&mut self) -> Option<Ready> {
        self.ask_for_snapshot();
        let fetch = self.take_offer();
        if !self.node.has_ready() {
            self.begin_install();
        }
        if !self.node.has_ready() {
            if fetch.is_none() && !self.has_read_news() {
                return None;
            }
            let mut ready = Ready { fetch, ..Ready::default() };
            self.settle_reads(Vec::new(), &mut ready);
            return Some(ready);
        }
        let mut from_raft = self.node.ready();
        let number = from_raft.number();

        let mut ready = Ready { role_change: self.role_change(), fetch, ..Ready::default() };
        ready.send_now = from_raft.take_messages();
        drop_misplaced(&mut ready.send_now);
        self.settle_reads(from_raft.take_read_states(), &mut ready);
        ready.apply = self.hand_out(from_raft.take_committed_entries());

        let entries = from_raft.take_entries();
        let hard_state = from_raft.hs().cloned();
        let mut messages = from_raft.take_persisted_messages();
        self.vouch_for_log(&mut messages);
        if active(Mutation::AnswersBeforeWrite) {
            ready.send_now.append(&mut messages);
        }
        let must_sync = from_raft.must_sync();
        let snapshot = from_raft.snapshot().clone();
        if snapshot.is_empty() {
            self.node.mut_store().append(&entries);
        } else {
            assert!(entries.is_empty(), "a snapshot comes alone");
            ready.install = Some(self.install(number, snapshot, hard_state.clone()));
        }
        self.node.advance_append_async(from_raft);

        if ready.install.is_some() {
            self.unpersisted.push_back(Unpersisted { number, covers: number, messages });
        } else if !entries.is_empty() || hard_state.is_some() {
            self.unpersisted.push_back(Unpersisted { number, covers: number, messages });
            ready.write = Some(LogWrite { number, entries, hard_state, must_sync });
        } else if let Some(last) = self.unpersisted.back_mut() {
            // Nothing to write, but what these messages say may rest on a write that is under way.
            last.covers = number;
            last.messages.extend(messages);
        } else {
            self.persisted_here(number);
            ready.send_now.extend(messages);
        }
        Some(ready)
    }

    /// The write `number` and all before it are done, durably if they had to be. Returns the messages that
    /// waited for it.
    ///
    /// Panics if there was no such write: a replica that takes something for durable that is not would
    /// break promises.
    pub fn log_persisted(&mut self, number: u64) -> Vec<Message> {
        assert!(
            self.unpersisted.iter().any(|write| write.number == number),
            "write {number} is not under way"
        );
        let mut messages = Vec::new();
        while let Some(write) = self.unpersisted.pop_front_if(|write| write.number <= number) {
            messages.extend(write.messages);
            self.before_persisted(write.number);
            self.persisted_here(write.covers);
            self.after_persisted(write.number);
        }
        self.evict();
        messages
    }

    /// The state contains all entries up to `index`, which were handed out.
    pub fn applied(&mut self, index: u64) {
        assert!(index <= self.handed_out, "entry {index} was not handed out");
        assert!(
            self.undecided.front().is_none_or(|undecided| index < *undecided),
            "a change up to entry {index} was not reported"
        );
        if index > self.node.raft.raft_log.applied {
            self.node.advance_apply_to(index);
            self.evict();
        }
    }

    /// Up to where the log may be forgotten, given that the state durably contains everything up to
    /// `durable_applied`; `None` if nothing is to be gained or must go.
    pub fn compact_to(&self, durable_applied: u64, limits: CompactLimits) -> Option<u64> {
        let raft = &self.node.raft;
        if self.reseed.is_some() || self.installing.is_some() {
            return None;
        }
        let mut needed = None;
        if raft.state == StateRole::Leader {
            let live = self.peers().into_iter().filter(|(_, peer)| peer.recent_active);
            needed = live
                .map(|(_, peer)| match peer.state {
                    PeerState::Snapshot { index } => index.max(peer.matched),
                    PeerState::Probe | PeerState::Replicate => peer.matched,
                })
                .min();
        }
        let view = self.node.store();
        let mut durable_applied = durable_applied;
        if active(Mutation::TruncatedBeyondDurable) {
            durable_applied = raft.raft_log.applied;
        }
        compaction::compact_to(
            raft.raft_log.first_index(),
            durable_applied,
            needed,
            limits,
            |low| view.bytes_from(low),
        )
    }

    /// Who leads, in which term, and whether it is this one.
    pub fn role(&self) -> Role {
        Role {
            leader: self.leader(),
            term: self.node.raft.term,
            is_leader: self.node.raft.state == StateRole::Leader,
        }
    }

    /// A look at the replica.
    pub fn status(&self) -> ReplicaStatus {
        let raft = &self.node.raft;
        let mut matched = Vec::new();
        if raft.state == StateRole::Leader {
            matched.extend(raft.prs().iter().map(|(id, progress)| (*id, progress.matched)));
            matched.sort_unstable();
        }
        ReplicaStatus {
            id: self.config.id,
            leader: self.leader(),
            term: raft.term,
            role: RoleKind::from(raft.state),
            commit: raft.raft_log.committed,
            applied: raft.raft_log.applied,
            first_index: raft.raft_log.first_index(),
            last_index: raft.raft_log.last_index(),
            membership: Arc::clone(&self.membership),
            removed: !self.membership.is_empty()
                && !self.membership.contains(self.config.id)
                && self.reseed.is_none(),
            reseeding: self.reseed.is_some(),
            receiving: self.receiving(),
            transferring_to: raft.lead_transferee,
            peers: self.peers(),
            matched,
        }
    }

    /// What a leader knows of the others, by id.
    fn peers(&self) -> Vec<(u64, PeerProgress)> {
        let raft = &self.node.raft;
        if raft.state != StateRole::Leader {
            return Vec::new();
        }
        let others = raft.prs().iter().filter(|(id, _)| **id != self.config.id);
        let answers =
            |id| self.silence.get(id).is_none_or(|ticks| *ticks < self.config.election_tick);
        let mut peers: Vec<_> =
            others.map(|(id, progress)| (*id, PeerProgress::new(progress, answers(id)))).collect();
        peers.sort_unstable_by_key(|(id, _)| *id);
        peers
    }

    fn count_silence(&mut self) {
        let raft = &self.node.raft;
        if raft.state != StateRole::Leader {
            self.silence.clear();
            return;
        }
        self.silence.retain(|id, _| raft.prs().get(*id).is_some());
        for (id, _) in raft.prs().iter() {
            *self.silence.entry(*id).or_default() += 1;
        }
    }

    /// What of `committed` is to be applied: nothing while the state is bad.
    fn hand_out(&mut self, committed: Vec<Entry>) -> Vec<Entry> {
        if self.reseed.is_some() {
            return Vec::new();
        }
        for entry in &committed {
            assert_eq!(entry.index, self.handed_out + 1, "entries are applied in order");
            self.handed_out = entry.index;
            let kind = crate::kind_of(entry);
            if matches!(kind, EntryKind::Members { .. } | EntryKind::Mode { .. }) {
                self.undecided.push_back(entry.index);
            }
        }
        committed
    }

    fn leader(&self) -> Option<u64> {
        Some(self.node.raft.leader_id).filter(|id| *id != 0)
    }

    fn role_change(&mut self) -> Option<Role> {
        let role = Role {
            leader: self.leader(),
            term: self.node.raft.term,
            is_leader: self.node.raft.state == StateRole::Leader,
        };
        (mem::replace(&mut self.last_role, role) != role).then_some(role)
    }

    fn evict(&mut self) {
        let log = &self.node.raft.raft_log;
        let done = log.applied.min(log.persisted);
        let keep_bytes = self.config.cache_bytes;
        self.node.mut_store().evict(done, keep_bytes);
    }

    /// Replaces the one thing raft-rs leaves to chance, before every tick.
    fn set_election_timeout(&mut self) {
        let raft = &mut self.node.raft;
        let role = raft.state as u64;
        let mut mixed = self.config.seed;
        for part in [self.config.id, raft.term, role] {
            mixed = scramble(mixed ^ part);
        }
        let spread = mixed % self.config.election_tick as u64;
        let mut timeout = self.config.election_tick + spread as usize;
        if self.reseed.is_some() && raft.state != StateRole::Leader {
            // It never gets there, but grants votes as soon as its leader is silent.
            raft.election_elapsed = raft.election_elapsed.min(self.config.election_tick - 1);
            timeout = 2 * self.config.election_tick - 1;
        }
        raft.set_randomized_election_timeout(timeout);
    }
}

impl<R: LogRead> std::fmt::Debug for Replica<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Replica").field("status", &self.status()).finish_non_exhaustive()
    }
}

/// Whether `membership` can be that of a replica that has applied so much. One that was removed may start, in
/// order to say so; one that was never there is misconfigured.
fn fits(membership: &Membership, id: u64, applied: u64) -> bool {
    let ids = membership.ids();
    let listed = membership.voters.len() + membership.learners.len();
    let roles =
        Membership { outgoing: Vec::new(), learners_next: Vec::new(), ..membership.clone() };
    let twice = roles.ids().len() < listed;
    !ids.contains(&0) && !twice && (applied > BEGINNING || ids.is_empty() || ids.contains(&id))
}

fn raft_config(config: &Config, applied: u64) -> raft::Config {
    raft::Config {
        id: config.id,
        election_tick: config.election_tick,
        heartbeat_tick: config.heartbeat_tick,
        applied,
        max_size_per_msg: config.max_size_per_msg,
        max_inflight_msgs: config.max_inflight,
        max_uncommitted_size: config.max_uncommitted,
        max_committed_size_per_ready: APPLY_BYTES_MAX,
        // A leader without quorum steps down, and a replica that comes back does not disturb one that has it.
        check_quorum: true,
        pre_vote: true,
        // The lease of raft-rs looks at no clock: it answered stale reads.
        read_only_option: if active(Mutation::LeaseReads) {
            ReadOnlyOption::LeaseBased
        } else {
            ReadOnlyOption::Safe
        },
        batch_append: true,
        ..raft::Config::default()
    }
}

/// Drops appends whose entries do not follow the entry that they name. raft-rs batches entries into an
/// append that waits to be sent, and looks whether they follow only if that one has entries: after a
/// refusal has moved a peer back, they would be put behind the wrong entry, and the peer would acknowledge
/// more than it was sent. What is dropped is sent again after the next heartbeat.
fn drop_misplaced(messages: &mut Vec<Message>) {
    if active(Mutation::MisplacedBatchSent) {
        return;
    }
    messages.retain(|message| {
        let first = message.get_entries().first();
        message.get_msg_type() != MessageType::MsgAppend
            || first.is_none_or(|first| first.index == message.index + 1)
    });
}

/// `SplitMix64`'s finalizer.
fn scramble(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests;
