//! Where is entry *i*? The log's table of contents, kept in memory, rebuilt when the log is opened.
//!
//! Takes 24 bytes per entry that is not compacted.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

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
    pub(crate) segments: BTreeMap<u64, Segment<F>>,
}

impl<F> Index<F> {
    pub(crate) fn new() -> Self {
        Self { mark: Mark::default(), base: 1, places: VecDeque::new(), segments: BTreeMap::new() }
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
            self.places.clear();
            self.base = index;
        } else {
            self.places.truncate((index - self.base) as usize);
        }
        self.places.push_back(place);
    }

    /// Forgets entries up to and including the mark.
    pub(crate) fn forget(&mut self, mark: Mark) {
        if mark.index < self.mark.index {
            return;
        }
        self.mark = mark;
        while self.base <= mark.index && self.places.pop_front().is_some() {
            self.base += 1;
        }
        if self.places.is_empty() {
            self.base = mark.index + 1;
        }
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
