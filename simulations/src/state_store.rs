//! A state store that loses power: which applied batches survive?
//!
//! Modelled on RocksDB with its write-ahead log on and unsynced: a crash falls back to the end of some
//! earlier batch, never into the middle of one and never below what was synced. The Raft log gives
//! back what was lost.

use std::collections::VecDeque;

use catalog_state::store::{MemStore, Row, Store, Writes};

use crate::prng::Prng;

/// State and the index of the entry up to which it contains everything.
#[derive(Clone, Debug, Default)]
pub struct SimStateStore {
    rows: MemStore,
    applied: u64,
    /// Of each batch that is not durable: how to take it back.
    unsynced: VecDeque<Undo>,
}

#[derive(Clone, Debug)]
struct Undo {
    applied: u64,
    rows: Writes,
}

impl SimStateStore {
    /// The entry up to which the state contains everything; 0 while empty.
    pub fn applied(&self) -> u64 {
        self.applied
    }

    /// All rows.
    pub fn rows(&self) -> &MemStore {
        &self.rows
    }

    /// Makes one batch part of the state, unsynced.
    pub fn commit(&mut self, writes: Writes, applied: u64) {
        let before = writes.keys().map(|key| (key.clone(), self.rows.get(key))).collect();
        self.unsynced.push_back(Undo { applied: self.applied, rows: before });
        self.rows.write(writes);
        self.applied = applied;
    }

    /// Makes everything durable.
    pub fn sync(&mut self) {
        self.unsynced.clear();
    }

    /// Loses power and with it any number of the last batches; says how many.
    pub fn crash(&mut self, prng: &mut Prng) -> u64 {
        let lost = prng.below(self.unsynced.len() as u64 + 1);
        for _ in 0..lost {
            let undo = self.unsynced.pop_back().expect("no more are lost than there are");
            self.rows.write(undo.rows);
            self.applied = undo.applied;
        }
        self.sync();
        lost
    }
}

impl Store for SimStateStore {
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
