//! Points: must a row that everybody asks for be looked for each time?
//!
//! Calls read the same rows again and again: the configuration, the caller's organization, the entry
//! that was changed a moment ago. What was read as of the newest entry is kept with the entry since
//! which it is true, and follows the writes that come; whoever looks at the store as of an earlier
//! entry does not get it.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use catalog_state::store::Writes;
use foldhash::fast::RandomState;

use crate::row_cache::asked_once;

/// Rows of one generation; when they are more, the generation before it is forgotten.
const ROWS_MAX: usize = 16_384;
/// And their bytes.
const BYTES_MAX: usize = 6 << 20;
/// A larger row is read again each time.
const ROW_BYTES_MAX: usize = 16 << 10;

#[derive(Debug)]
struct Point {
    /// The entry from which on it is true.
    since: u64,
    row: Vec<u8>,
}

/// What was read of one store, for all who read it.
#[derive(Debug)]
pub(super) struct Points(Mutex<Known>);

#[derive(Debug)]
struct Known {
    /// The newest entry whose writes were told.
    newest: u64,
    /// What was read since the last generation was full, and what was before that.
    young: HashMap<Vec<u8>, Point, RandomState>,
    old: HashMap<Vec<u8>, Point, RandomState>,
    /// Of the young rows.
    bytes: usize,
}

impl Known {
    fn insert(&mut self, key: Vec<u8>, point: Point) {
        let bytes = key.len() + point.row.len();
        if bytes > ROW_BYTES_MAX {
            return;
        }
        if self.young.len() >= ROWS_MAX || self.bytes + bytes > BYTES_MAX {
            self.old = std::mem::take(&mut self.young);
            self.bytes = 0;
        }
        self.bytes += bytes;
        self.young.insert(key, point);
    }

    fn take(&mut self, key: &[u8]) -> Option<(Vec<u8>, Point)> {
        if let Some((key, point)) = self.young.remove_entry(key) {
            self.bytes -= key.len() + point.row.len();
            return Some((key, point));
        }
        self.old.remove_entry(key)
    }
}

impl Points {
    /// Of a store that holds everything up to entry `newest`.
    pub(super) fn new(newest: u64) -> Self {
        let (young, old) = (HashMap::default(), HashMap::default());
        Self(Mutex::new(Known { newest, young, old, bytes: 0 }))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hears of writes up to entry `newest` that the store is about to hold.
    pub(super) fn follow(&self, writes: &Writes, newest: u64) {
        let mut known = self.known();
        known.newest = newest;
        if known.young.is_empty() && known.old.is_empty() {
            return;
        }
        for (key, value) in writes.iter().filter(|(key, _)| !asked_once(key)) {
            if let Some((key, _)) = known.take(key)
                && let Some(row) = value.clone()
            {
                known.insert(key, Point { since: newest, row });
            }
        }
    }

    /// The row of `key` as of entry `at`, which was told already; `None` if it is not known.
    pub(super) fn get(&self, key: &[u8], at: u64) -> Option<Vec<u8>> {
        if asked_once(key) {
            return None;
        }
        let mut known = self.known();
        if let Some(point) = known.young.get(key) {
            return (point.since <= at).then(|| point.row.clone());
        }
        let (key, point) = known.old.remove_entry(key)?;
        let row = (point.since <= at).then(|| point.row.clone());
        known.insert(key, point);
        row
    }

    /// Keeps a row that was read as of entry `at`, unless something was written since.
    pub(super) fn keep(&self, key: &[u8], at: u64, row: &[u8]) {
        let mut known = self.known();
        if known.newest == at && !asked_once(key) {
            known.take(key);
            known.insert(key.to_vec(), Point { since: at, row: row.to_vec() });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use catalog_state::store::{MemStore, Store as _};
    use tempfile::TempDir;

    use super::*;
    use crate::storage::{StateStore, folders::Folders};

    #[test]
    fn a_row_is_what_the_view_holds_under_writes_and_with_little_room() {
        let folder = TempDir::new().unwrap();
        let store = StateStore::open(&Folders::new(folder.path()), 0, Arc::default()).unwrap();
        let mut drawn = 11_u64;
        let mut draw = |below: u64| {
            drawn = drawn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (drawn >> 33) % below
        };
        let mut model = MemStore::default();
        let mut views = Vec::new();
        let mut turned = 0;
        for applied in 1..4000 {
            let rows = (0..draw(4)).map(|_| {
                // Rows of this length fill a generation in a few hundred.
                let row = (draw(4) > 0).then(|| vec![draw(256) as u8; draw(15 << 10) as usize]);
                ((draw(3000) as u16).to_be_bytes().to_vec(), row)
            });
            let mut writes: Writes = rows.collect();
            writes.insert(vec![0; 2], Some(vec![draw(256) as u8]));
            store.commit(writes.clone(), Writes::new(), applied, None);
            model.write(writes);
            if draw(100) == 0 {
                views.push((store.view(), model.clone()));
            }
            for _ in 0..4 {
                let key = (draw(3000) as u16).to_be_bytes();
                assert_eq!(store.view().get(&key), model.get(&key));
                assert_eq!(store.get_newest(&key), model.get(&key));
                assert_eq!(store.get_newest(&[0; 2]), model.get(&[0; 2]));
            }
            if let Some((view, model)) = views.last() {
                let key = (draw(3000) as u16).to_be_bytes();
                assert_eq!(view.get(&key), model.get(&key));
                assert_eq!(view.get(&[0; 2]), model.get(&[0; 2]));
            }
            let known = store.points().known();
            let sum = |rows: &HashMap<Vec<u8>, Point, RandomState>| -> usize {
                rows.iter().map(|(key, point)| key.len() + point.row.len()).sum()
            };
            assert_eq!(known.bytes, sum(&known.young));
            turned = turned.max(known.old.len());
            assert!(known.bytes <= BYTES_MAX && sum(&known.old) <= BYTES_MAX);
        }
        assert!(turned > 100, "no generation was full, or only with {turned} rows");
    }
}
