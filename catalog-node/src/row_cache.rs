//! Row cache: must every command read again what the command before it read?
//!
//! Commands read few rows, and the same ones again and again: the configuration, the clock, the
//! caller's organization, the entry that was changed a moment ago. The loop that applies them is
//! the only one that writes, so it can remember what it read, as long as it hears of every write.

use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap},
    ops::Bound,
};

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
    /// Tables, by their first byte, of which it is known whether the store holds any row.
    tables: BTreeMap<u8, bool>,
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

    fn knows(&self, key: &[u8]) -> bool {
        self.young.contains_key(key) || self.old.contains_key(key)
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
        let Some(row) = self.young.get_mut(key) else {
            if let Some((key, _)) = self.old.remove_entry(key) {
                self.insert(key, value.cloned());
            }
            return;
        };
        let (before, after) = (bytes(key, row.as_ref()), bytes(key, value));
        if after <= ROW_BYTES_MAX && self.bytes - before + after <= BYTES_MAX {
            self.bytes = self.bytes - before + after;
            match (row, value) {
                (Some(row), Some(value)) => row.clone_from(value),
                (row, value) => *row = value.cloned(),
            }
        } else if let Some((key, _)) = self.young.remove_entry(key) {
            self.bytes -= before;
            self.insert(key, value.cloned());
        }
    }
}

/// The end of a table.
fn after(table: u8) -> Bound<Vec<u8>> {
    table.checked_add(1).map_or(Bound::Unbounded, |next| Bound::Excluded(vec![next]))
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
        // One that has had a row counts as one that has some.
        for (table, has_rows) in known.tables.iter_mut().filter(|(_, has_rows)| !**has_rows) {
            let rows = (Bound::Included(vec![*table]), after(*table));
            *has_rows = writes.range(rows).any(|(_, value)| value.is_some());
        }
    }

    /// Whether the store of which this was read holds nothing with `from ≤ key < to`, as far as that can be
    /// said without looking: many a table that commands look into has no row, and looking costs more than
    /// the rest of some of them. `is_empty` looks at a whole table.
    fn has_none(
        &self,
        from: &[u8],
        to: &[u8],
        is_empty: impl FnOnce(&[u8], &[u8]) -> bool,
    ) -> bool {
        let Some(table) = from.first().copied() else { return false };
        let Some(next) = table.checked_add(1) else { return false };
        if to > [next].as_slice() {
            return false;
        }
        let mut known = self.known.borrow_mut();
        !*known.tables.entry(table).or_insert_with(|| !is_empty(&[table], &[next]))
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

    /// Remembers the rows at `keys`, as far as they are not; `read` reads those, in their order.
    pub(crate) fn foresee(
        &self,
        keys: &[&[u8]],
        read: impl FnOnce(&[&[u8]]) -> Vec<Option<Vec<u8>>>,
    ) {
        let mut known = self.known.borrow_mut();
        let mut unknown = keys.to_vec();
        unknown.retain(|key| !known.knows(key));
        unknown.sort_unstable();
        unknown.dedup();
        if unknown.is_empty() {
            return;
        }
        for (key, row) in unknown.iter().zip(read(&unknown)) {
            known.insert(key.to_vec(), row);
        }
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

    fn get_many(&self, keys: &[&[u8]]) -> Vec<Option<Vec<u8>>> {
        self.foresee(keys);
        keys.iter().map(|key| self.get(key)).collect()
    }

    fn foresee(&self, keys: &[&[u8]]) {
        let wanted: Vec<&[u8]> = keys.iter().copied().filter(|key| !asked_once(key)).collect();
        self.cache.foresee(&wanted, |unknown| self.store.get_many(unknown));
    }

    fn range<'a>(&'a self, from: &[u8], to: &[u8]) -> Box<dyn Iterator<Item = Row> + 'a> {
        let is_empty = |from: &[u8], to: &[u8]| self.store.range(from, to).next().is_none();
        if self.cache.has_none(from, to, is_empty) {
            return Box::new(std::iter::empty());
        }
        self.store.range(from, to)
    }

    fn range_reversed<'a>(&'a self, from: &[u8], to: &[u8]) -> Box<dyn Iterator<Item = Row> + 'a> {
        let is_empty = |from: &[u8], to: &[u8]| self.store.range(from, to).next().is_none();
        if self.cache.has_none(from, to, is_empty) {
            return Box::new(std::iter::empty());
        }
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
    fn a_table_without_rows_is_empty_until_one_is_written() {
        let (mut store, mut cache) = (MemStore::default(), RowCache::default());
        let mut drawn = 9_u64;
        let mut draw = |below: u64| {
            drawn = drawn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (drawn >> 33) % below
        };
        let mut empty = 0;
        for turn in 0..2000 {
            let mut key = || vec![draw(8) as u8, draw(4) as u8];
            let keys: [Vec<u8>; 4] = std::array::from_fn(|_| key());
            for [from, to] in [[&keys[0], &keys[1]], [&vec![keys[2][0]], &vec![keys[2][0] + 1]]] {
                let over = cache.over(&store);
                let rows = |rows: Box<dyn Iterator<Item = Row> + '_>| rows.collect::<Vec<_>>();
                assert_eq!(rows(over.range(from, to)), rows(store.range(from, to)));
                assert_eq!(
                    rows(over.range_reversed(from, to)),
                    rows(store.range_reversed(from, to))
                );
            }
            assert_eq!(
                cache.over(&store).get_many(&keys.each_ref().map(Vec::as_slice)),
                keys.each_ref().map(|key| store.get(key))
            );
            empty += cache.known.borrow().tables.values().filter(|has_rows| !**has_rows).count();
            if turn % 100 == 0 {
                // Tables fill one after the other, and lose rows again.
                let table = (turn / 250) as u8;
                let row = (draw(4) > 0).then(|| vec![turn as u8]);
                let writes = Writes::from([(vec![table, draw(4) as u8], row)]);
                cache.follow(&writes);
                store.write(writes);
            }
        }
        assert!(empty > 1000, "hardly a table was known to be empty");
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
