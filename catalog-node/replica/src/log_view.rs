//! What does raft-rs see as its log? Recent entries in memory, written or not yet, over the log on disk.
//!
//! raft-rs takes an entry as stored as soon as it was handed out to be written. Until the write is done,
//! and for a while after, the entry is answered from here.

use std::collections::VecDeque;

use catalog_log::{LogError, LogRead};
use protobuf::Message;
use raft::{
    GetEntriesContext, RaftState, Storage, StorageError,
    eraftpb::{ConfState, Entry, HardState, Snapshot},
};

/// The log as raft-rs reads it.
///
/// Invariant: `recent` is contiguous up to the last entry; the log on disk has every entry before it. What
/// the log on disk has at or after `recent`'s first index may be outdated and is not looked at.
#[derive(Debug)]
pub(crate) struct LogView<R> {
    log: R,
    recent: VecDeque<Entry>,
    recent_bytes: u64,
    hard_state: HardState,
    conf_state: ConfState,
}

impl<R: LogRead> LogView<R> {
    pub(crate) fn new(log: R, hard_state: HardState, conf_state: ConfState) -> Self {
        Self { log, recent: VecDeque::new(), recent_bytes: 0, hard_state, conf_state }
    }

    /// Takes in entries that were handed out to be written.
    pub(crate) fn append(&mut self, entries: &[Entry]) {
        let Some(first) = entries.first() else { return };
        while self.recent.back().is_some_and(|last| last.index >= first.index) {
            let replaced = self.recent.pop_back().expect("it was just seen");
            self.recent_bytes -= size(&replaced);
        }
        debug_assert!(self.recent.back().is_none_or(|last| last.index + 1 == first.index));
        for entry in entries {
            self.recent_bytes += size(entry);
            self.recent.push_back(entry.clone());
        }
    }

    /// Lets go of the oldest entries beyond `keep_bytes`, but of none after `done`, up to which entries are
    /// both durable and applied.
    pub(crate) fn evict(&mut self, done: u64, keep_bytes: u64) {
        while self.recent_bytes > keep_bytes
            && let Some(entry) = self.recent.pop_front_if(|entry| entry.index <= done)
        {
            self.recent_bytes -= size(&entry);
        }
    }

    #[cfg(test)]
    pub(crate) fn recent_len(&self) -> usize {
        self.recent.len()
    }

    fn recent_first(&self) -> Option<u64> {
        self.recent.front().map(|entry| entry.index)
    }
}

impl<R: LogRead> Storage for LogView<R> {
    fn initial_state(&self) -> raft::Result<RaftState> {
        Ok(RaftState { hard_state: self.hard_state.clone(), conf_state: self.conf_state.clone() })
    }

    fn entries(
        &self,
        low: u64,
        high: u64,
        max_size: impl Into<Option<u64>>,
        _: GetEntriesContext,
    ) -> raft::Result<Vec<Entry>> {
        let max_bytes = max_size.into().unwrap_or(u64::MAX);
        if low < self.log.first_index() {
            return Err(StorageError::Compacted.into());
        }
        let recent_first = self.recent_first().unwrap_or(u64::MAX);
        let mut entries = if low < recent_first {
            self.log.entries(low, high.min(recent_first), max_bytes).map_err(storage_error)?
        } else {
            Vec::new()
        };
        let mut taken: u64 = entries.iter().map(size).sum();
        let mut next = low + entries.len() as u64;
        // Going on only if the log gave everything it was asked for.
        while next < high && next >= recent_first {
            let entry =
                self.recent.get((next - recent_first) as usize).ok_or(StorageError::Unavailable)?;
            taken = taken.saturating_add(size(entry));
            if taken > max_bytes && !entries.is_empty() {
                break;
            }
            entries.push(entry.clone());
            next += 1;
        }
        Ok(entries)
    }

    fn term(&self, index: u64) -> raft::Result<u64> {
        match self.recent_first() {
            Some(first) if index >= first => {
                let entry = self.recent.get((index - first) as usize);
                Ok(entry.ok_or(StorageError::Unavailable)?.term)
            }
            _ => Ok(self.log.term(index).map_err(storage_error)?),
        }
    }

    fn first_index(&self) -> raft::Result<u64> {
        Ok(self.log.first_index())
    }

    fn last_index(&self) -> raft::Result<u64> {
        Ok(self.recent.back().map_or_else(|| self.log.last_index(), |last| last.index))
    }

    fn snapshot(&self, _: u64, _: u64) -> raft::Result<Snapshot> {
        Err(StorageError::SnapshotTemporarilyUnavailable.into())
    }
}

/// As encoded, which is how raft-rs and the log on disk count.
fn size(entry: &Entry) -> u64 {
    u64::from(entry.compute_size())
}

/// Anything but a missing entry stops the replica: raft-rs makes it a panic.
fn storage_error(error: LogError) -> StorageError {
    match error {
        LogError::Compacted { .. } => StorageError::Compacted,
        LogError::Unavailable { .. } => StorageError::Unavailable,
        other => StorageError::Other(Box::new(other)),
    }
}

#[cfg(test)]
mod tests;
