//! Row cache: must every command read again what the command before it read?
//!
//! Commands read few rows, and the same ones again and again: the configuration, the clock, the
//! caller's organization, the entry that was changed a moment ago. The loop that applies them is
//! the only one that writes, so it can remember what it read, as long as it hears of every write.

use std::{cell::RefCell, collections::HashMap};

use catalog_state::{
    keys::Table,
    store::{Row, Store, Writes},
};
use foldhash::fast::RandomState;

/// Rows of one generation; when they are more, the generation before it is forgotten.
const ROWS_MAX: usize = 16_384;
/// And their bytes.
const BYTES_MAX: usize = 4 << 20;
/// A larger row is read again each time.
const ROW_BYTES_MAX: usize = 16 << 10;

/// Whether the row at `key` of a state is asked for once, if at all: each call has an idempotency key of its
/// own, and remembering those would only push out what is asked for again.
pub(crate) fn asked_once(key: &[u8]) -> bool {
    const ONCE: [u8; 2] = [Table::Idempotency as u8, Table::IdempotencyOrder as u8];
    key.first().is_some_and(|table| ONCE.contains(table))
}

/// What was read of one store by the one who writes to it.
#[derive(Debug, Default)]
pub(crate) struct RowCache {
    known: RefCell<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// What was read or written since the last generation was full, and what was before that.
    young: HashMap<Vec<u8>, Option<Vec<u8>>, RandomState>,
    old: HashMap<Vec<u8>, Option<Vec<u8>>, RandomState>,
    /// Of the young rows.
    bytes: usize,
}

impl Known {
    #[expect(clippy::option_option, reason = "not known, or known not to be there")]
    fn get(&mut self, key: &[u8]) -> Option<Option<Vec<u8>>> {
        if let Some(row) = self.young.get(key) {
            return Some(row.clone());
        }
        let (key, row) = self.old.remove_entry(key)?;
        self.insert(key, row.clone());
        Some(row)
    }

    /// Takes a row up that is not young.
    fn insert(&mut self, key: Vec<u8>, row: Option<Vec<u8>>) {
        let bytes = bytes(&key, row.as_ref());
        if bytes > ROW_BYTES_MAX {
            return;
        }
        if self.young.len() >= ROWS_MAX || self.bytes + bytes > BYTES_MAX {
            self.old = std::mem::take(&mut self.young);
            self.bytes = 0;
        }
        self.bytes += bytes;
        self.young.insert(key, row);
    }

    fn write(&mut self, key: &[u8], value: Option<&Vec<u8>>) {
        let known = match self.young.remove_entry(key) {
            Some((key, row)) => {
                self.bytes -= bytes(&key, row.as_ref());
                Some(key)
            }
            None => self.old.remove_entry(key).map(|(key, _)| key),
        };
        if let Some(key) = known {
            self.insert(key, value.cloned());
        }
    }
}

fn bytes(key: &[u8], row: Option<&Vec<u8>>) -> usize {
    key.len() + row.map_or(0, Vec::len)
}

impl RowCache {
    /// Hears of writes that the store is about to hold.
    pub(crate) fn follow(&mut self, writes: &Writes) {
        let known = self.known.get_mut();
        for (key, value) in writes.iter().filter(|(key, _)| !asked_once(key)) {
            known.write(key, value.as_ref());
        }
    }

    /// The row at `key`, which is what `read` reads if it is not remembered.
    pub(crate) fn row(
        &self,
        key: &[u8],
        read: impl FnOnce() -> Option<Vec<u8>>,
    ) -> Option<Vec<u8>> {
        let mut known = self.known.borrow_mut();
        if let Some(row) = known.get(key) {
            return row;
        }
        let row = read();
        known.insert(key.to_vec(), row.clone());
        row
    }

    /// `store` with what is remembered of it.
    pub(crate) fn over<'a>(&'a self, store: &'a dyn Store) -> CachedStore<'a> {
        CachedStore { store, cache: self }
    }
}

/// A store whose rows are remembered once they were read.
pub(crate) struct CachedStore<'a> {
    store: &'a dyn Store,
    cache: &'a RowCache,
}

impl Store for CachedStore<'_> {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        if asked_once(key) {
            return self.store.get(key);
        }
        self.cache.row(key, || self.store.get(key))
    }

    fn range<'a>(&'a self, from: &[u8], to: &[u8]) -> Box<dyn Iterator<Item = Row> + 'a> {
        self.store.range(from, to)
    }

    fn range_reversed<'a>(&'a self, from: &[u8], to: &[u8]) -> Box<dyn Iterator<Item = Row> + 'a> {
        self.store.range_reversed(from, to)
    }
}

#[cfg(test)]
mod tests {
    use catalog_state::store::MemStore;

    use super::*;

    #[test]
    fn what_is_remembered_is_what_the_store_holds_after_every_write() {
        let (mut store, mut cache) = (MemStore::default(), RowCache::default());
        let mut drawn = 4_u64;
        let mut draw = |below: u64| {
            drawn = drawn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (drawn >> 33) % below
        };
        for _ in 0..2000 {
            for _ in 0..4 {
                let key = [draw(16) as u8];
                assert_eq!(cache.over(&store).get(&key), store.get(&key));
            }
            let value = (draw(2) == 0).then(|| vec![draw(256) as u8; draw(40) as usize]);
            let writes = Writes::from([(vec![draw(16) as u8], value)]);
            cache.follow(&writes);
            store.write(writes);
        }
    }

    #[test]
    fn it_stays_within_its_bounds() {
        let mut store = MemStore::default();
        let row = vec![7; ROW_BYTES_MAX / 2];
        let keys = (0..2 * (BYTES_MAX / row.len()) as u32).map(|key| key.to_be_bytes().to_vec());
        let writes: Writes = keys.clone().map(|key| (key, Some(row.clone()))).collect();
        store.write(writes);
        let mut cache = RowCache::default();
        let within = |cache: &RowCache| {
            let known = cache.known.borrow();
            let sum = |rows: &HashMap<Vec<u8>, Option<Vec<u8>>, RandomState>| -> usize {
                rows.iter().map(|(key, row)| bytes(key, row.as_ref())).sum()
            };
            assert_eq!(known.bytes, sum(&known.young));
            assert!(known.bytes <= BYTES_MAX && sum(&known.old) <= BYTES_MAX);
            assert!(known.young.len() <= ROWS_MAX && known.old.len() <= ROWS_MAX);
        };
        for key in keys.clone() {
            assert_eq!(cache.over(&store).get(&key).as_ref(), Some(&row));
            within(&cache);
        }
        for key in keys {
            let writes = Writes::from([(key.clone(), Some(vec![8; ROW_BYTES_MAX - 4]))]);
            cache.follow(&writes);
            store.write(writes);
            within(&cache);
            assert_eq!(cache.over(&store).get(&key), store.get(&key));
        }
        for key in 0..3 * ROWS_MAX as u32 {
            assert_eq!(cache.over(&store).get(&[key.to_be_bytes(), [9; 4]].concat()), None);
            within(&cache);
        }
    }
}
