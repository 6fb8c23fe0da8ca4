//! Where is entry *i*? The log's table of contents, kept in memory, rebuilt when the log is opened.
//!
//! Takes 24 bytes per entry that is not compacted.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use catalog_mutation::{Mutation, active};

use crate::LogError;

/// The last entry that is gone; reads of its term still work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) index: u64,
    pub(crate) term: u64,
}

/// The place of one entry's record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) segment: u64,
    pub(crate) offset: u32,
    /// Of the whole record.
    pub(crate) size: u32,
    pub(crate) term: u64,
}

#[derive(Debug)]
pub(crate) struct Segment<F> {
    pub(crate) file: Arc<F>,
    pub(crate) seed: u32,
}

impl<F> Clone for Segment<F> {
    fn clone(&self) -> Self {
        Self { file: Arc::clone(&self.file), seed: self.seed }
    }
}

/// Invariant outside recovery: `base == mark.index + 1`, and `places[i]` is the place of entry `base + i`.
#[derive(Debug)]
pub(crate) struct Index<F> {
    pub(crate) mark: Mark,
    pub(crate) base: u64,
    pub(crate) places: VecDeque<Place>,
    /// Sum of the sizes in `places`; asked for at every round of a node.
    sizes: u64,
    pub(crate) segments: BTreeMap<u64, Segment<F>>,
}

impl<F> Index<F> {
    pub(crate) fn new() -> Self {
        Self {
            mark: Mark::default(),
            base: 1,
            places: VecDeque::new(),
            sizes: 0,
            segments: BTreeMap::new(),
        }
    }

    /// Bytes of the records of all entries from `low` on.
    pub(crate) fn sizes_from(&self, low: u64) -> u64 {
        let before = (low.saturating_sub(self.base) as usize).min(self.places.len());
        self.sizes - self.places.iter().take(before).map(|place| u64::from(place.size)).sum::<u64>()
    }

    /// Drops everything from the `length`-th place on.
    fn truncate(&mut self, length: usize) {
        let dropped = self.places.drain(length.min(self.places.len())..);
        self.sizes -= dropped.map(|place| u64::from(place.size)).sum::<u64>();
    }

    pub(crate) fn last(&self) -> u64 {
        self.base + self.places.len() as u64 - 1
    }

    /// Puts entry `index` at the end, dropping what it replaces.
    ///
    /// A gap is taken silently: while a log is replayed whose first segments were freed, only its end can
    /// tell whether compaction explains the gap, see [`Index::finish`].
    pub(crate) fn push(&mut self, index: u64, place: Place) {
        if index < self.base || index > self.base + self.places.len() as u64 {
            self.truncate(0);
            self.base = index;
        } else if active(Mutation::SuffixKept) && index <= self.last() {
            let old = std::mem::replace(&mut self.places[(index - self.base) as usize], place);
            self.sizes = self.sizes + u64::from(place.size) - u64::from(old.size);
            return;
        } else {
            self.truncate((index - self.base) as usize);
        }
        self.sizes += u64::from(place.size);
        self.places.push_back(place);
    }

    /// Forgets entries up to and including the mark.
    pub(crate) fn forget(&mut self, mark: Mark) {
        if mark.index < self.mark.index {
            return;
        }
        self.mark = mark;
        while self.base <= mark.index
            && let Some(place) = self.places.pop_front()
        {
            self.sizes -= u64::from(place.size);
            self.base += 1;
        }
        if self.places.is_empty() {
            self.base = mark.index + 1;
        }
    }

    /// Begins anew after `mark`, with no entries.
    pub(crate) fn install(&mut self, mark: Mark) {
        self.mark = mark;
        self.base = mark.index + 1;
        self.truncate(0);
    }

    /// Checks the invariant after a replay.
    pub(crate) fn finish(&self) -> Result<(), LogError> {
        if self.base == self.mark.index + 1 {
            Ok(())
        } else {
            Err(LogError::EntriesMissing { compacted: self.mark.index, found: self.base })
        }
    }

    pub(crate) fn place(&self, index: u64) -> Result<Place, LogError> {
        if index < self.base {
            return Err(LogError::Compacted { index, first: self.base });
        }
        self.places
            .get((index - self.base) as usize)
            .copied()
            .ok_or_else(|| LogError::Unavailable { index, last: self.last() })
    }

    pub(crate) fn term(&self, index: u64) -> Result<u64, LogError> {
        if index == self.mark.index { Ok(self.mark.term) } else { Ok(self.place(index)?.term) }
    }
}
