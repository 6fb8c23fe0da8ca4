//! A disk with state folders: which of them, and which applied batches, survive a loss of power?
//!
//! Modelled on RocksDB with its write-ahead log on and unsynced: a crash falls back to the end of some
//! earlier batch, never into the middle of one and never below what was synced. The Raft log gives
//! back what was lost. A state that comes with a snapshot is a folder of its own, complete and durable
//! before the log says that it counts; what the log does not name is garbage at the next start.

use std::collections::{BTreeMap, VecDeque};

use catalog_state::{
    snapshot::Progress,
    store::{MemStore, Row, Store, Writes},
};

use crate::prng::Prng;

/// One state folder.
#[derive(Clone, Debug, Default)]
pub struct StateFolder {
    rows: MemStore,
    applied: u64,
    applied_term: u64,
    membership: Option<Vec<u8>>,
    /// Of each batch that is not durable: how to take it back.
    unsynced: VecDeque<Undo>,
}

#[derive(Clone, Debug)]
struct Undo {
    applied: (u64, u64),
    membership: Option<Vec<u8>>,
    rows: Writes,
}

/// Everything in the data folder beside the log.
#[derive(Clone, Debug, Default)]
pub struct StateDisk {
    folders: BTreeMap<u64, StateFolder>,
    current: u64,
    /// Whether the current state cannot be read any more, or must not be.
    rotten: bool,
    /// The membership stored last, kept beside the states as well: a node whose state is lost still
    /// takes part as a voice for its log.
    membership: Option<Vec<u8>>,
    /// Rows of a snapshot that is being received: its id, its blocks so far.
    pub receiving: Option<Receiving>,
}

/// Blocks of a snapshot, checked and kept.
#[derive(Clone, Debug, Default)]
pub struct Receiving {
    /// The snapshot.
    pub snapshot: [u8; 32],
    /// The rows of all blocks so far.
    pub rows: MemStore,
    /// Where the transfer stands.
    pub progress: Progress,
}

impl StateFolder {
    /// A state that came with a snapshot.
    pub fn installed(rows: MemStore, applied: (u64, u64), membership: Vec<u8>) -> Self {
        let (applied, applied_term) = applied;
        let membership = Some(membership);
        Self { rows, applied, applied_term, membership, unsynced: VecDeque::new() }
    }

    /// The entry up to which the state contains everything; 0 while empty.
    pub fn applied(&self) -> u64 {
        self.applied
    }

    /// That entry's term.
    pub fn applied_term(&self) -> u64 {
        self.applied_term
    }

    /// Who takes part in Raft after that entry, if it was ever stored.
    pub fn membership(&self) -> Option<&[u8]> {
        self.membership.as_deref()
    }

    /// The entry up to which the state is durable.
    pub fn durable(&self) -> u64 {
        self.unsynced.front().map_or(self.applied, |undo| undo.applied.0)
    }

    /// All rows.
    pub fn rows(&self) -> &MemStore {
        &self.rows
    }

    fn commit(&mut self, writes: Writes, applied: (u64, u64), membership: Option<Vec<u8>>) {
        let before = writes.keys().map(|key| (key.clone(), self.rows.get(key))).collect();
        self.unsynced.push_back(Undo {
            applied: (self.applied, self.applied_term),
            membership: self.membership.clone(),
            rows: before,
        });
        self.rows.write(writes);
        (self.applied, self.applied_term) = applied;
        if membership.is_some() {
            self.membership = membership;
        }
    }

    /// Makes everything durable.
    pub fn sync(&mut self) {
        self.unsynced.clear();
    }

    /// Changes a row behind the back of everyone, durably.
    pub fn change(&mut self, key: &[u8], change: impl FnOnce(&mut Vec<u8>)) {
        if let Some(value) = self.rows.0.get_mut(key) {
            change(value);
        }
        for undo in &mut self.unsynced {
            undo.rows.remove(key);
        }
    }

    fn crash(&mut self, prng: &mut Prng) {
        let lost = prng.below(self.unsynced.len() as u64 + 1);
        for _ in 0..lost {
            let undo = self.unsynced.pop_back().expect("no more are lost than there are");
            self.rows.write(undo.rows);
            (self.applied, self.applied_term) = undo.applied;
            self.membership = undo.membership;
        }
        self.sync();
    }
}

impl StateDisk {
    /// A disk with one empty state.
    pub fn new() -> Self {
        let folders = BTreeMap::from([(0, StateFolder::default())]);
        Self { folders, ..Self::default() }
    }

    /// The state that counts.
    pub fn current(&self) -> &StateFolder {
        &self.folders[&self.current]
    }

    /// The same, to change it.
    pub fn current_mut(&mut self) -> &mut StateFolder {
        self.folders.get_mut(&self.current).expect("the current state is there")
    }

    /// Whether there is a state of that number, readable or not.
    pub fn has(&self, number: u64) -> bool {
        self.folders.contains_key(&number)
    }

    /// The process starts: the state that the log names counts, everything else goes. `false` if
    /// there is none that can be read.
    pub fn start(&mut self, number: u64) -> bool {
        // Another state than the one that had decayed was installed: power went before it was told.
        self.rotten &= number == self.current;
        let readable = self.folders.contains_key(&number) && !self.rotten;
        self.folders.retain(|other, _| *other == number);
        self.folders.entry(number).or_default();
        self.current = number;
        readable
    }

    /// The state cannot be read any more, and is thrown away. Another one has to come.
    pub fn throw_away(&mut self) {
        self.rotten = true;
        self.folders.insert(self.current, StateFolder::default());
    }

    /// The membership stored last, wherever the state that had it is now.
    pub fn membership(&self) -> Option<&[u8]> {
        self.membership.as_deref()
    }

    /// Makes one batch part of the current state, unsynced.
    pub fn commit(&mut self, writes: Writes, applied: (u64, u64), membership: Option<Vec<u8>>) {
        if membership.is_some() {
            self.membership.clone_from(&membership);
        }
        self.current_mut().commit(writes, applied, membership);
    }

    /// Lets the current state decay so that its checksums say so.
    pub fn rot(&mut self) {
        self.rotten = true;
    }

    /// The number for the next state.
    pub fn next_number(&self) -> u64 {
        self.folders.keys().next_back().map_or(1, |last| last + 1)
    }

    /// A complete state beside the current one, durable, not yet counting.
    pub fn add(&mut self, number: u64, folder: StateFolder) {
        self.folders.insert(number, folder);
    }

    /// From now on `number` counts, and no other is kept.
    pub fn swap(&mut self, number: u64) {
        assert!(self.folders.contains_key(&number), "there is no state {number}");
        self.current = number;
        self.folders.retain(|other, _| *other == number);
        self.receiving = None;
        self.rotten = false;
        self.membership = self.current().membership.clone();
    }

    /// Loses power.
    pub fn crash(&mut self, prng: &mut Prng) {
        for folder in self.folders.values_mut() {
            folder.crash(prng);
        }
    }
}

impl Store for StateFolder {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.rows.get(key)
    }

    fn range<'a>(&'a self, from: &[u8], to: &[u8]) -> Box<dyn Iterator<Item = Row> + 'a> {
        self.rows.range(from, to)
    }

    fn range_reversed<'a>(&'a self, from: &[u8], to: &[u8]) -> Box<dyn Iterator<Item = Row> + 'a> {
        self.rows.range_reversed(from, to)
    }
}
