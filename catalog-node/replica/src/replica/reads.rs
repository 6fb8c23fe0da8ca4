//! When is a read linearizable, and who says so?
//!
//! raft-rs asks every member by a heartbeat that carries the read's context, and is content with a majority.
//! With two sites that is not enough: after a failover the other site may have answered writes that this
//! majority knows nothing of. So the answers of *that very round* are kept here, and the leader judges when
//! they arrive: in sync a majority and a voter of the other site. A voter that answered after the read began
//! was not sealed then, hence nothing newer was open; no clock is needed. Without the rule, a majority does,
//! for as long as the witness lends the leader its right; a leader without it is held and answers nothing.
//!
//! Only the leader judges. Followers are told who leads, and `step` takes no read from a peer, because
//! raft-rs would answer it without us.
//!
//! raft-rs stops asking once a majority has answered; while the other site's voice is missing, we go on
//! asking by contexts of our own, longer than any reader's. A round that nobody completes ends after two
//! election timeouts: readers are told rather than kept.

use std::collections::{BTreeMap, BTreeSet};

use catalog_log::LogRead;
use catalog_mutation::{Mutation, active};
use raft::{
    StateRole,
    eraftpb::{Message, MessageType},
};

use super::Replica;
use crate::{ReadDone, ReadRefusal, Ready};

/// Contexts of readers have eight bytes; ours begin with this and have nine.
const AGAIN: u8 = b'r';

/// Reads under way.
#[derive(Debug, Default)]
pub(super) struct Reads {
    /// By context.
    begun: BTreeMap<u64, Begun>,
    /// Numbers the rounds of this replica.
    rounds: u64,
    /// Judged well, to be handed out.
    done: Vec<ReadDone>,
    /// To be handed out as failed.
    dropped: Vec<u64>,
    /// Ticks of a leadership without a committed entry of its own.
    uncommitted: usize,
}

#[derive(Debug)]
struct Begun {
    /// An answer to this round or a later one is one to this read.
    round: u64,
    term: u64,
    /// Who answered, the leader included.
    answered: BTreeSet<u64>,
    /// What raft-rs says the read must see, once a majority answered.
    index: Option<u64>,
    ticks: usize,
}

impl<R: LogRead> Replica<R> {
    /// Begins a linearizable read. It ends in [`Ready::reads`] or [`Ready::reads_dropped`].
    ///
    /// `context` is never used again, not even for another attempt of the same read: an answer to the first
    /// attempt must not be taken for one to the second.
    pub fn read(&mut self, context: u64) -> Result<(), ReadRefusal> {
        let raft = &self.node.raft;
        if raft.state != StateRole::Leader {
            return Err(ReadRefusal::NotLeader { leader: self.leader() });
        }
        if self.is_held() {
            return Err(ReadRefusal::Held);
        }
        if !raft.commit_to_current_term() {
            // raft-rs would drop it without a word.
            let late = self.reads.uncommitted >= self.config.election_tick;
            return Err(if late && self.mode().is_some() {
                ReadRefusal::Held
            } else {
                ReadRefusal::TermNotCommitted
            });
        }
        if self.reads.begun.contains_key(&context) {
            return Err(ReadRefusal::ContextInUse);
        }
        self.reads.rounds += 1;
        let begun = Begun {
            round: self.reads.rounds,
            term: raft.term,
            answered: BTreeSet::from([self.config.id]),
            index: None,
            ticks: 0,
        };
        self.reads.begun.insert(context, begun);
        let asked = if active(Mutation::ReadContextReused) { 0 } else { context };
        self.node.read_index(asked.to_be_bytes().to_vec());
        Ok(())
    }

    /// Whether this replica leads and has committed an entry of its term, so that [`Replica::read`] works.
    pub fn can_read(&self) -> bool {
        self.node.raft.state == StateRole::Leader
            && self.node.raft.commit_to_current_term()
            && !self.is_held()
    }

    /// Before raft-rs hears of an answer to a heartbeat: whose reads it answers.
    pub(super) fn note_read_answer(&mut self, message: &Message) {
        if message.get_msg_type() != MessageType::MsgHeartbeatResponse
            || message.term != self.node.raft.term
        {
            return;
        }
        let context: &[u8] = &message.context;
        let round = if let Ok(context) = <[u8; 8]>::try_from(context) {
            self.reads.begun.get(&u64::from_be_bytes(context)).map(|begun| begun.round)
        } else if let Some((&AGAIN, round)) = context.split_first() {
            <[u8; 8]>::try_from(round).ok().map(u64::from_be_bytes)
        } else {
            None
        };
        let Some(round) = round else { return };
        for begun in self.reads.begun.values_mut() {
            if begun.round <= round {
                begun.answered.insert(message.from);
            }
        }
        self.judge_reads();
    }

    /// Hands out the reads whose round is complete.
    fn judge_reads(&mut self) {
        let reads = &self.reads.begun;
        let complete = |begun: &Begun| begun.index.is_some() && self.suffices(&begun.answered);
        let complete: Vec<u64> = reads
            .iter()
            .filter(|(_, begun)| complete(begun))
            .map(|(context, _)| *context)
            .collect();
        for context in complete {
            let begun = self.reads.begun.remove(&context).expect("it was just seen");
            let index = begun.index.expect("it is complete");
            self.reads.done.push(ReadDone { context, index });
        }
    }

    /// Asks again where the other site has not answered, and gives up what waits for too long.
    pub(super) fn tick_reads(&mut self) {
        let raft = &self.node.raft;
        let waits = raft.state == StateRole::Leader && !raft.commit_to_current_term();
        self.reads.uncommitted = if waits { self.reads.uncommitted + 1 } else { 0 };
        if self.mode().is_none() || self.reads.begun.is_empty() {
            return;
        }
        let (patience, beat) = (2 * self.config.election_tick, self.config.heartbeat_tick);
        let mut asks = false;
        for begun in self.reads.begun.values_mut() {
            begun.ticks += 1;
            asks |= begun.index.is_some() && begun.ticks.is_multiple_of(beat);
        }
        let late: Vec<u64> = self
            .reads
            .begun
            .iter()
            .filter(|(_, begun)| begun.ticks > patience)
            .map(|(context, _)| *context)
            .collect();
        for context in late {
            self.reads.begun.remove(&context);
            self.reads.dropped.push(context);
        }
        if asks {
            let mut context = vec![AGAIN];
            context.extend(self.reads.rounds.to_be_bytes());
            self.node.read_index(context);
        }
    }

    /// No read under way is answered any more.
    pub(super) fn drop_all_reads(&mut self) {
        let begun = std::mem::take(&mut self.reads.begun);
        self.reads.dropped.extend(begun.into_keys());
        let done = std::mem::take(&mut self.reads.done);
        self.reads.dropped.extend(done.into_iter().map(|done| done.context));
    }

    /// Whether reads ended of which nobody was told.
    pub(super) fn has_read_news(&self) -> bool {
        !self.reads.done.is_empty() || !self.reads.dropped.is_empty()
    }

    /// Sorts answers from raft-rs into those that still count and those that leadership outran, and hands out
    /// what has ended.
    pub(super) fn settle_reads(&mut self, states: Vec<raft::ReadState>, ready: &mut Ready) {
        let role = self.last_role;
        let dropped = &mut self.reads.dropped;
        self.reads.begun.retain(|context, begun| {
            let counts = role.is_leader && begun.term == role.term;
            if !counts && !active(Mutation::DroppedReadForgotten) {
                dropped.push(*context);
            }
            counts
        });
        for state in states {
            // An answer to our own asking again says nothing by itself.
            let Ok(context) = <[u8; 8]>::try_from(state.request_ctx) else { continue };
            let context = u64::from_be_bytes(context);
            if active(Mutation::ReadContextReused) || active(Mutation::ReadBatchOpen) {
                let joined = std::mem::take(&mut self.reads.begun).into_keys();
                ready.reads.extend(joined.map(|context| ReadDone { context, index: state.index }));
            }
            if let Some(begun) = self.reads.begun.get_mut(&context) {
                begun.index = Some(state.index);
            }
        }
        self.judge_reads();
        ready.reads.append(&mut self.reads.done);
        ready.reads_dropped.append(&mut self.reads.dropped);
    }
}
