//! The replica itself: raft-rs behind calls that refuse by name, hold back what is not durable, and leave
//! nothing to chance.

use std::{
    collections::{BTreeMap, VecDeque},
    mem,
};

use bytes::Bytes;
use catalog_log::{LogRead, LogStore};
use raft::{
    RawNode, ReadOnlyOption, StateRole,
    eraftpb::{ConfState, Entry, EntryType, HardState, Message, MessageType},
};

use crate::{
    Config, LogWrite, ProposeRefusal, ReadDone, ReadRefusal, Ready, ReplicaStatus, Role, RoleKind,
    StartError, StepRefusal, TransferRefusal, drive::BEGINNING, log_view::LogView,
};

/// Bytes of committed entries handed out at once; more follow in the next [`Ready`].
const APPLY_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// One voter of a cluster. `R` reads the log that its driver writes.
pub struct Replica<R: LogRead> {
    node: RawNode<LogView<R>>,
    config: Config,
    /// What was handed out and is not yet reported as durable, in the order of its numbers.
    unpersisted: VecDeque<Unpersisted>,
    /// Reads not yet answered, with the term they were begun in.
    reads: BTreeMap<u64, u64>,
    last_role: Role,
    /// Last entry handed out to be applied.
    handed_out: u64,
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

impl<R: LogRead> Replica<R> {
    /// Starts a replica on a log that was opened, and bootstrapped when the cluster was created.
    ///
    /// `applied` is the last entry that the state durably contains; 0 for an empty state. Entries after it
    /// will be handed out again. The commit index is allowed to be behind it, because it is written without
    /// a sync; the log is not.
    pub fn start<L: LogStore<Reader = R>>(
        config: Config,
        log: &L,
        applied: u64,
        logger: &slog::Logger,
    ) -> Result<Self, StartError> {
        let (first_index, last_index) = (log.first_index(), log.last_index());
        let mut voters = config.voters.clone();
        voters.sort_unstable();
        voters.dedup();
        if voters.len() != config.voters.len()
            || voters.contains(&0)
            || !voters.contains(&config.id)
        {
            return Err(StartError::NotAVoter { id: config.id, voters: config.voters });
        }
        if first_index <= BEGINNING {
            return Err(StartError::NotBootstrapped);
        }
        let applied = applied.max(BEGINNING);
        if applied > last_index {
            return Err(StartError::StateAheadOfLog { applied, last_index });
        }
        if applied + 1 < first_index {
            return Err(StartError::StateBehindLog { applied, first_index });
        }
        let mut hard_state: HardState = log.hard_state();
        if hard_state.commit > last_index {
            return Err(StartError::CommitBeyondLog { commit: hard_state.commit, last_index });
        }
        hard_state.commit = hard_state.commit.max(applied);

        let term = hard_state.term;
        let conf_state = ConfState { voters, ..ConfState::default() };
        let view = LogView::new(log.reader(), hard_state, conf_state);
        let node = RawNode::new(&raft_config(&config, applied), view, logger)?;
        Ok(Self {
            node,
            config,
            unpersisted: VecDeque::new(),
            reads: BTreeMap::new(),
            last_role: Role { leader: None, term, is_leader: false },
            handed_out: applied,
        })
    }

    /// One unit of time has passed.
    pub fn tick(&mut self) {
        self.set_election_timeout();
        self.node.tick();
    }

    /// Takes in a message from another replica.
    pub fn step(&mut self, message: Message) -> Result<(), StepRefusal> {
        if message.to != self.config.id {
            return Err(StepRefusal::NotForUs { to: message.to });
        }
        if message.from == self.config.id || !self.config.voters.contains(&message.from) {
            return Err(StepRefusal::UnknownSender { from: message.from });
        }
        match message.get_msg_type() {
            MessageType::MsgAppend
            | MessageType::MsgAppendResponse
            | MessageType::MsgRequestVote
            | MessageType::MsgRequestVoteResponse
            | MessageType::MsgRequestPreVote
            | MessageType::MsgRequestPreVoteResponse
            | MessageType::MsgHeartbeatResponse
            | MessageType::MsgTimeoutNow => {}
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
        Ok(self.node.step(message)?)
    }

    /// Proposes `data`, which is not empty. Only a leader takes proposals; none is forwarded.
    pub fn propose(&mut self, data: Bytes) -> Result<Proposed, ProposeRefusal> {
        assert!(!data.is_empty(), "empty data mark the entries that Raft itself writes");
        if self.node.raft.state != StateRole::Leader {
            return Err(ProposeRefusal::NotLeader { leader: self.leader() });
        }
        if self.node.raft.lead_transferee.is_some() {
            return Err(ProposeRefusal::Transferring);
        }
        let mut message = Message { from: self.config.id, ..Message::default() };
        message.set_msg_type(MessageType::MsgPropose);
        message.set_entries(vec![Entry { data, ..Entry::default() }].into());
        // The one reason that is left.
        self.node.step(message).map_err(|_| ProposeRefusal::Overloaded)?;
        Ok(Proposed { term: self.node.raft.term, index: self.node.raft.raft_log.last_index() })
    }

    /// Begins a linearizable read. It ends in [`Ready::reads`] or [`Ready::reads_dropped`].
    ///
    /// `context` is never used again, not even for another attempt of the same read: an answer to the first
    /// attempt must not be taken for one to the second.
    pub fn read(&mut self, context: u64) -> Result<(), ReadRefusal> {
        if self.node.raft.state != StateRole::Leader {
            return Err(ReadRefusal::NotLeader { leader: self.leader() });
        }
        if !self.node.raft.commit_to_current_term() {
            return Err(ReadRefusal::TermNotCommitted);
        }
        if self.reads.contains_key(&context) {
            return Err(ReadRefusal::ContextInUse);
        }
        self.reads.insert(context, self.node.raft.term);
        self.node.read_index(context.to_be_bytes().to_vec());
        Ok(())
    }

    /// Hands leadership to `to`; proposals are refused until it has it, or one election timeout is over.
    pub fn transfer_leader(&mut self, to: u64) -> Result<(), TransferRefusal> {
        if self.node.raft.state != StateRole::Leader {
            return Err(TransferRefusal::NotLeader { leader: self.leader() });
        }
        if to == self.config.id || !self.config.voters.contains(&to) {
            return Err(TransferRefusal::UnfitTarget { to });
        }
        self.node.transfer_leader(to);
        Ok(())
    }

    /// Messages to `to` were lost: a leader sends entries to it one message at a time until it answers.
    pub fn unreachable(&mut self, to: u64) {
        self.node.report_unreachable(to);
    }

    /// Stands for election without waiting for a timeout. Does nothing on a leader.
    pub fn campaign(&mut self) {
        self.node.campaign().expect("raft-rs takes every wish to stand");
    }

    /// What can be done now, or `None`. Between two calls any number of inputs is fine; a write that was
    /// handed out need not be done before the next call.
    pub fn ready(&mut self) -> Option<Ready> {
        if !self.node.has_ready() {
            return None;
        }
        let mut from_raft = self.node.ready();
        let number = from_raft.number();
        assert!(from_raft.snapshot().is_empty(), "no replica sends snapshots");

        let mut ready = Ready { role_change: self.role_change(), ..Ready::default() };
        ready.send_now = from_raft.take_messages();
        self.settle_reads(from_raft.take_read_states(), &mut ready);
        ready.apply = from_raft.take_committed_entries();
        for entry in &ready.apply {
            assert!(
                entry.get_entry_type() == EntryType::EntryNormal,
                "entry {} changes the membership, which this version cannot do",
                entry.index
            );
            assert_eq!(entry.index, self.handed_out + 1, "entries are applied in order");
            self.handed_out = entry.index;
        }

        let entries = from_raft.take_entries();
        let hard_state = from_raft.hs().cloned();
        let messages = from_raft.take_persisted_messages();
        let must_sync = from_raft.must_sync();
        self.node.mut_store().append(&entries);
        self.node.advance_append_async(from_raft);

        if !entries.is_empty() || hard_state.is_some() {
            self.unpersisted.push_back(Unpersisted { number, covers: number, messages });
            ready.write = Some(LogWrite { number, entries, hard_state, must_sync });
        } else if let Some(last) = self.unpersisted.back_mut() {
            // Nothing to write, but what these messages say may rest on a write that is under way.
            last.covers = number;
            last.messages.extend(messages);
        } else {
            self.node.on_persist_ready(number);
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
            self.node.on_persist_ready(write.covers);
        }
        self.evict();
        messages
    }

    /// The state contains all entries up to `index`, which were handed out.
    pub fn applied(&mut self, index: u64) {
        assert!(index <= self.handed_out, "entry {index} was not handed out");
        if index > self.node.raft.raft_log.applied {
            self.node.advance_apply_to(index);
            self.evict();
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
            last_index: raft.raft_log.last_index(),
            matched,
        }
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

    /// Sorts answers from raft-rs into those that still count and those that leadership outran.
    fn settle_reads(&mut self, states: Vec<raft::ReadState>, ready: &mut Ready) {
        let role = self.last_role;
        self.reads.retain(|context, term| {
            let counts = role.is_leader && *term == role.term;
            if !counts {
                ready.reads_dropped.push(*context);
            }
            counts
        });
        for state in states {
            let context = state.request_ctx.try_into().expect("contexts have eight bytes");
            let context = u64::from_be_bytes(context);
            if self.reads.remove(&context).is_some() {
                ready.reads.push(ReadDone { context, index: state.index });
            }
        }
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
        raft.set_randomized_election_timeout(self.config.election_tick + spread as usize);
    }
}

impl<R: LogRead> std::fmt::Debug for Replica<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Replica").field("status", &self.status()).finish_non_exhaustive()
    }
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
        read_only_option: ReadOnlyOption::Safe,
        batch_append: true,
        ..raft::Config::default()
    }
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
