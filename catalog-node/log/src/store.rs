//! What does the replica need of a log? Reading without waiting, and one writer that can sync.
//!
//! A trait of its own, so that another store can be measured against the segment log.

use raft::eraftpb::{Entry, HardState};

use crate::LogError;

/// Reads of a log. Never waits for a sync.
pub trait LogRead {
    /// Index of the first entry that is kept; one after the compaction mark.
    fn first_index(&self) -> u64;

    /// Index of the last entry, durable or not; `first_index() - 1` if none is kept.
    fn last_index(&self) -> u64;

    /// Term of entry `index`, which may be `first_index() - 1`.
    fn term(&self, index: u64) -> Result<u64, LogError>;

    /// Entries `[low, high)`, cut so that their encoded size stays within `max_bytes`, but at least one.
    fn entries(&self, low: u64, high: u64, max_bytes: u64) -> Result<Vec<Entry>, LogError>;

    /// Encoded size of the entries from `low` to the last one, in bytes; what was compacted counts nothing.
    fn bytes_from(&self, low: u64) -> u64;
}

/// A log with its one writer.
pub trait LogStore: LogRead {
    /// Reads the same log from elsewhere, while this side writes and syncs.
    type Reader: LogRead + Clone;

    /// A reader of this log.
    fn reader(&self) -> Self::Reader;

    /// The hard state written last, durable or not.
    fn hard_state(&self) -> HardState;

    /// Starts an empty log after an entry `(index, term)` that no one will ever ask for, durably.
    ///
    /// `false`, and nothing done, if the log has begun before.
    fn bootstrap(&mut self, index: u64, term: u64) -> Result<bool, LogError>;

    /// Which state this log continues: the number given to the last [`LogStore::install`], 0 before any.
    ///
    /// A folder of states holds leftovers after a crash; this number says which of them counts.
    fn state_number(&self) -> u64;

    /// Makes the log the continuation of another state: from now on it begins after `(index, term)`, holds
    /// no entries, and belongs to the state of `state_number`. Durable when it returns; after a crash before
    /// that, all of the old log is there.
    ///
    /// The caller has made that state durable, and everything appended before is no longer needed. Panics
    /// if the number does not rise or the hard state knows less than the snapshot.
    fn install(
        &mut self,
        index: u64,
        term: u64,
        state_number: u64,
        hard_state: &HardState,
    ) -> Result<(), LogError>;

    /// Appends `entries` and then the hard state, as one batch: after a crash all of it is there or nothing.
    ///
    /// Entries are contiguous. An entry at an index that exists replaces it and everything after it.
    /// Panics if they leave a gap or reach into what was compacted: that is never the disk's fault.
    fn append(&mut self, entries: &[Entry], hard_state: Option<&HardState>)
    -> Result<(), LogError>;

    /// Makes everything appended so far durable. An error is final.
    fn sync(&mut self) -> Result<(), LogError>;

    /// Forgets entries up to and including `through`, and frees what only they used.
    ///
    /// The caller has made the state that contains them durable. Panics if `through` is beyond the log.
    fn compact(&mut self, through: u64) -> Result<(), LogError>;
}
