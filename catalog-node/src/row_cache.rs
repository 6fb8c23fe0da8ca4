//! Row cache: must every command read again what the command before it read?
//!
//! Commands read few rows, and the same ones again and again: the configuration, the clock, the
//! caller's organization, the entry that was changed a moment ago. The loop that applies them is
//! the only one that writes, so it can remember what it read, as long as it hears of every write.

use std::{cell::RefCell, collections::HashMap};

use catalog_state::store::{Row, Store, Writes};

/// Rows that are remembered; when they are more, all are forgotten.
const ROWS_MAX: usize = 8192;
/// And their bytes.
const BYTES_MAX: usize = 8 << 20;
/// A larger row is read again each time.
const ROW_BYTES_MAX: usize = 16 << 10;

/// What was read of one store by the one who writes to it.
#[derive(Debug, Default)]
pub(crate) struct RowCache {
    known: RefCell<Known>,
}

#[derive(Debug, Default)]
struct Known {
    rows: HashMap<Vec<u8>, Option<Vec<u8>>>,
    bytes: usize,
}

impl RowCache {
    /// Hears of writes that the store is about to hold.
    pub(crate) fn follow(&mut self, writes: &Writes) {
        let known = self.known.get_mut();
        for (key, value) in writes {
            if let Some(row) = known.rows.get_mut(key) {
                known.bytes += value.as_ref().map_or(0, Vec::len);
                known.bytes -= row.as_ref().map_or(0, Vec::len);
                row.clone_from(value);
            }
        }
        if known.bytes > BYTES_MAX {
            *known = Known::default();
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
        let mut known = self.cache.known.borrow_mut();
        if let Some(row) = known.rows.get(key) {
            return row.clone();
        }
        let row = self.store.get(key);
        let bytes = key.len() + row.as_ref().map_or(0, Vec::len);
        if bytes <= ROW_BYTES_MAX {
            if known.rows.len() >= ROWS_MAX || known.bytes + bytes > BYTES_MAX {
                *known = Known::default();
            }
            known.bytes += bytes;
            known.rows.insert(key.to_vec(), row.clone());
        }
        row
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
        let cache = RowCache::default();
        for key in keys {
            assert_eq!(cache.over(&store).get(&key).as_ref(), Some(&row));
            assert!(cache.known.borrow().bytes <= BYTES_MAX);
        }
    }
}
