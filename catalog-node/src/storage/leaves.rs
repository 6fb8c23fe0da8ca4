//! Leaves: must a list read, decode and encode again what the list before it showed?
//!
//! A leaf is a run of neighbouring rows of one table, each in the form in which lists show it. What a
//! list answers is then a few pieces of memory behind each other. Leaves are made by reads, and go
//! when an applied write falls between their bounds, or to make room.
//!
//! A leaf says since which entry of the log it is true. It is told of every write before the store
//! holds it, so that a leaf which is still there is true up to the newest entry told. Whoever looks
//! at the store as of an entry before the leaf's does not get it, and what was read as of an entry
//! that is not the newest becomes a leaf only if its table was not written to since. The leaves are
//! the store's: a snapshot that is installed comes with none.

use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use bytes::{Bytes, BytesMut};
use catalog_state::{
    keys::{Key, Table},
    store::Writes,
};

/// Memory for leaves where nobody says otherwise, in bytes.
pub(crate) const LEAVES_BYTES: usize = 32 << 20;

/// Rows of one leaf.
const ROWS: usize = 64;
/// Bytes at which a leaf ends, however few rows it has.
const LEAF_BYTES: usize = 64 << 10;
/// A greater one is not kept.
const KEPT_BYTES_MAX: usize = 256 << 10;
/// What a leaf costs beside its rows, in bytes, about.
const OVERHEAD: usize = 512;

/// How the rows of one table are shown by lists. The same row always looks the same.
#[derive(Debug)]
pub(crate) struct Listing {
    /// The table. No two listings are of one table.
    pub(crate) table: Table,
    /// Appends how a row is shown, from its key and its stored bytes, and says what lists choose by.
    pub(crate) show: fn(&[u8], &[u8], &mut BytesMut) -> Facts,
}

/// What lists choose rows by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Whose the row is.
    pub(crate) owner: [u8; 16],
    /// As in the API.
    pub(crate) sharing: i32,
    /// As in the API.
    pub(crate) state: i32,
}

/// What is listed.
#[derive(Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) listing: &'static Listing,
    /// The first key, and one past the last.
    pub(crate) from: &'a [u8],
    pub(crate) to: &'a [u8],
    /// How many rows at most.
    pub(crate) limit: usize,
    /// How many are looked at.
    pub(crate) scan: usize,
}

/// Rows as they are shown, and where the next ones begin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Listed {
    /// The rows, in pieces.
    pub(crate) parts: Vec<Bytes>,
    /// How many they are.
    pub(crate) rows: usize,
    /// The key at which to go on; absent = there is nothing more.
    pub(crate) next: Option<Vec<u8>>,
}

impl Listed {
    /// Bytes of all parts.
    pub(crate) fn len(&self) -> usize {
        self.parts.iter().map(Bytes::len).sum()
    }
}

/// A run of rows of one table.
#[derive(Debug)]
pub(super) struct Leaf {
    /// The first key that it speaks for, and one past the last.
    from: Vec<u8>,
    to: Vec<u8>,
    /// The entry from which on it is true.
    since: u64,
    keys: Vec<u8>,
    shown: Bytes,
    rows: Vec<Shown>,
    used: AtomicBool,
}

/// Where key and form of a row end.
#[derive(Debug, Clone, Copy)]
struct Shown {
    key_end: u32,
    end: u32,
    facts: Facts,
}

impl Leaf {
    fn bytes(&self) -> usize {
        let rows = self.rows.len() * size_of::<Shown>();
        OVERHEAD + self.from.len() + self.to.len() + self.keys.len() + self.shown.len() + rows
    }

    fn key(&self, row: usize) -> &[u8] {
        let begin = row.checked_sub(1).map_or(0, |before| self.rows[before].key_end);
        &self.keys[begin as usize..self.rows[row].key_end as usize]
    }

    /// The first row whose key is not below `key`.
    fn row_at(&self, key: &[u8]) -> usize {
        let (mut low, mut high) = (0, self.rows.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.key(middle) < key {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    fn covers(&self, key: &[u8]) -> bool {
        self.from.as_slice() <= key && key < self.to.as_slice()
    }

    /// One past the last key that it speaks for.
    pub(super) fn end(&self) -> &[u8] {
        &self.to
    }
}

/// A leaf under construction.
#[derive(Debug)]
pub(super) struct Growing {
    leaf: Leaf,
    shown: BytesMut,
}

impl Growing {
    /// A leaf that begins at `from`, of rows as of entry `since`.
    pub(super) fn begin(from: &[u8], since: u64) -> Self {
        let leaf = Leaf {
            from: from.to_vec(),
            to: Vec::new(),
            since,
            keys: Vec::new(),
            shown: Bytes::new(),
            rows: Vec::with_capacity(ROWS),
            used: AtomicBool::new(true),
        };
        Self { leaf, shown: BytesMut::new() }
    }

    pub(super) fn is_full(&self) -> bool {
        self.leaf.rows.len() >= ROWS || self.shown.len() >= LEAF_BYTES
    }

    pub(super) fn add(&mut self, listing: &Listing, key: &[u8], row: &[u8]) {
        self.leaf.keys.extend_from_slice(key);
        let facts = (listing.show)(key, row, &mut self.shown);
        let (key_end, end) = (self.leaf.keys.len() as u32, self.shown.len() as u32);
        self.leaf.rows.push(Shown { key_end, end, facts });
    }

    /// The leaf, of all rows below `to`.
    pub(super) fn end(mut self, to: &[u8]) -> Leaf {
        self.leaf.to = to.to_vec();
        self.leaf.shown = self.shown.freeze();
        self.leaf
    }
}

/// Puts an answer together.
pub(super) struct Answer<'a, K> {
    wanted: &'a Wanted<'a>,
    keep: K,
    looked_at: usize,
    listed: Listed,
}

impl<'a, K: FnMut(&[u8], &Facts) -> bool> Answer<'a, K> {
    pub(super) fn begin(wanted: &'a Wanted<'a>, keep: K) -> Self {
        Self { wanted, keep, looked_at: 0, listed: Listed::default() }
    }

    /// Takes the rows of `leaf` from `from` on; `false` once there are enough.
    pub(super) fn take(&mut self, leaf: &Leaf, from: &[u8]) -> bool {
        let first = leaf.row_at(from);
        let ends_at = |row: usize| row.checked_sub(1).map_or(0, |row| leaf.rows[row].end as usize);
        let mut begun = ends_at(first);
        let mut row = first;
        let full = loop {
            if row == leaf.rows.len() {
                break false;
            }
            let key = leaf.key(row);
            if key >= self.wanted.to {
                break true;
            }
            if self.listed.rows == self.wanted.limit || self.looked_at == self.wanted.scan {
                self.listed.next = Some(key.to_vec());
                break true;
            }
            self.looked_at += 1;
            if (self.keep)(key, &leaf.rows[row].facts) {
                self.listed.rows += 1;
            } else {
                self.part(leaf, begun, ends_at(row));
                begun = leaf.rows[row].end as usize;
            }
            row += 1;
        };
        self.part(leaf, begun, ends_at(row));
        !full && leaf.to.as_slice() < self.wanted.to
    }

    fn part(&mut self, leaf: &Leaf, from: usize, to: usize) {
        if from < to {
            self.listed.parts.push(leaf.shown.slice(from..to));
        }
    }

    pub(super) fn finish(self) -> Listed {
        self.listed
    }
}

/// The leaves of one store.
#[derive(Debug)]
pub(super) struct Leaves {
    kept: Mutex<Kept>,
    /// In bytes.
    room: AtomicUsize,
}

#[derive(Debug, Default)]
struct Kept {
    /// By their first key. They do not overlap.
    leaves: BTreeMap<Vec<u8>, Arc<Leaf>>,
    bytes: usize,
    /// The newest entry whose writes were told, and of each listed table the newest that wrote to it.
    newest: u64,
    written: BTreeMap<u8, u64>,
    /// Where the search for room goes on.
    hand: Vec<u8>,
}

/// Tables of which there are leaves.
const LISTED: [Table; 3] = [Table::Entry, Table::PublishedEntry, Table::Probe];

impl Leaves {
    /// Of a store that holds everything up to entry `newest`.
    pub(super) fn new(newest: u64) -> Self {
        let kept = Kept { newest, ..Kept::default() };
        Self { kept: Mutex::new(kept), room: AtomicUsize::new(LEAVES_BYTES) }
    }

    /// Keeps at most so many bytes from now on.
    pub(super) fn set_room(&self, bytes: usize) {
        self.room.store(bytes, Ordering::Relaxed);
        self.kept().make_room(bytes);
    }

    pub(super) fn room(&self) -> usize {
        self.room.load(Ordering::Relaxed)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hears of writes up to entry `newest` that the store is about to hold.
    pub(super) fn follow(&self, writes: &Writes, newest: u64) {
        let mut kept = self.kept();
        kept.newest = newest;
        for table in LISTED {
            let table = Key::table(table);
            let end = table.end();
            let within = (Bound::Included(table.as_slice()), Bound::Excluded(end.as_slice()));
            let mut keys = writes.range::<[u8], _>(within).map(|(key, _)| key).peekable();
            if keys.peek().is_some() {
                kept.written.insert(table.as_slice()[0], newest);
            }
            for key in keys {
                if kept.leaves.is_empty() {
                    break;
                }
                kept.forget(key);
            }
        }
    }

    /// The leaf that speaks for `key` as of entry `at`, which was told already.
    pub(super) fn find(&self, key: &[u8], at: u64) -> Option<Arc<Leaf>> {
        let kept = self.kept();
        let leaf = kept.at(key).filter(|leaf| leaf.since <= at)?;
        leaf.used.store(true, Ordering::Relaxed);
        Some(Arc::clone(leaf))
    }

    /// The first key above `key` for which a leaf speaks already.
    pub(super) fn next_begin(&self, key: &[u8]) -> Option<Vec<u8>> {
        let above = (Bound::Excluded(key), Bound::Unbounded);
        self.kept().leaves.range::<[u8], _>(above).next().map(|(from, _)| from.clone())
    }

    /// Keeps a leaf that was read as of its `since`, unless that may not be true any more.
    pub(super) fn keep(&self, leaf: &Arc<Leaf>) {
        let (bytes, room) = (leaf.bytes(), self.room());
        if bytes > KEPT_BYTES_MAX.min(room) || leaf.from >= leaf.to {
            return;
        }
        let mut kept = self.kept();
        let written = kept.written.get(&leaf.from[0]).copied().unwrap_or_default();
        // Another reader may have been there first.
        let taken = kept.at(&leaf.from).is_some()
            || kept
                .leaves
                .range::<[u8], _>((Bound::Included(&leaf.from[..]), Bound::Excluded(&leaf.to[..])))
                .next()
                .is_some();
        if written > leaf.since || leaf.since > kept.newest || taken {
            return;
        }
        kept.bytes += bytes;
        kept.leaves.insert(leaf.from.clone(), Arc::clone(leaf));
        kept.make_room(room);
    }
}

impl Kept {
    fn at(&self, key: &[u8]) -> Option<&Arc<Leaf>> {
        let below = (Bound::Unbounded, Bound::Included(key));
        let (_, leaf) = self.leaves.range::<[u8], _>(below).next_back()?;
        leaf.covers(key).then_some(leaf)
    }

    fn forget(&mut self, key: &[u8]) {
        if let Some(leaf) = self.at(key).cloned() {
            self.leaves.remove(&leaf.from);
            self.bytes -= leaf.bytes();
        }
    }

    /// Lets leaves go that nobody used since the search came by the last time.
    fn make_room(&mut self, room: usize) {
        while self.bytes > room {
            let onward = (Bound::Excluded(&self.hand[..]), Bound::Unbounded);
            let Some((from, leaf)) = self.leaves.range::<[u8], _>(onward).next() else {
                self.hand.clear();
                continue;
            };
            self.hand.clone_from(from);
            if !leaf.used.swap(false, Ordering::Relaxed) {
                self.bytes -= leaf.bytes();
                self.leaves.remove(&self.hand);
            }
        }
    }
}

#[cfg(test)]
mod tests;
