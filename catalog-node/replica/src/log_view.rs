//! What does raft-rs see as its log? Recent entries in memory, written or not yet, over the log on disk.
//!
//! raft-rs takes an entry as stored as soon as it was handed out to be written. Until the write is done,
//! and for a while after, the entry is answered from here.

use std::{cell::Cell, collections::VecDeque};

use bytes::Bytes;
use catalog_log::{LogError, LogRead};
use protobuf::Message;
use raft::{
    GetEntriesContext, RaftState, Storage, StorageError,
    eraftpb::{ConfState, Entry, HardState, Snapshot, SnapshotMetadata},
};

use crate::Membership;

/// The log as raft-rs reads it.
///
/// Invariant: `recent` is contiguous up to the last entry; the log on disk has every entry before it. What
/// the log on disk has at or after `recent`'s first index may be outdated and is not looked at.
#[derive(Debug)]
pub(crate) struct LogView<R> {
    log: R,
    recent: VecDeque<Entry>,
    recent_bytes: u64,
    /// An install under way: until the log has it, everything before and at this `(index, term)` is gone.
    installing: Option<(u64, u64)>,
    made: Option<Made>,
    /// The lowest index at which a snapshot was asked for in vain. Set while reading, hence the cell.
    wanted: Cell<Option<u64>>,
    hard_state: HardState,
    conf_state: ConfState,
}

/// A snapshot that can be offered to others.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub(crate) index: u64,
    pub(crate) term: u64,
    pub(crate) membership: Membership,
    pub(crate) data: Bytes,
}

impl<R: LogRead> LogView<R> {
    pub(crate) fn new(log: R, hard_state: HardState, conf_state: ConfState) -> Self {
        Self {
            log,
            recent: VecDeque::new(),
            recent_bytes: 0,
            installing: None,
            made: None,
            wanted: Cell::new(None),
            hard_state,
            conf_state,
        }
    }

    /// Begins anew after an entry that a snapshot contains. The log on disk follows; see
    /// [`LogView::installed`].
    pub(crate) fn install(&mut self, index: u64, term: u64) {
        self.recent.clear();
        self.recent_bytes = 0;
        self.installing = Some((index, term));
    }

    /// The log on disk begins anew, too.
    pub(crate) fn installed(&mut self) {
        let (index, _) = self.installing.take().expect("an install is under way");
        assert_eq!(self.log.first_index(), index + 1, "the log was not installed");
    }

    /// Keeps a snapshot to be offered.
    pub(crate) fn offer(&mut self, made: Made) {
        if self.made.as_ref().is_none_or(|before| before.index <= made.index) {
            self.made = Some(made);
            self.wanted.set(None);
        }
    }

    /// The lowest index of a snapshot that would serve those who asked in vain.
    pub(crate) fn wanted(&self) -> Option<u64> {
        self.wanted.get().map(|index| index.max(self.first() - 1))
    }

    /// Nobody asks for a snapshot any more.
    pub(crate) fn forget_wishes(&self) {
        self.wanted.set(None);
    }

    /// Encoded bytes of the log from entry `low` on.
    pub(crate) fn bytes_from(&self, low: u64) -> u64 {
        self.log.bytes_from(low)
    }

    fn first(&self) -> u64 {
        self.installing.map_or_else(|| self.log.first_index(), |(index, _)| index + 1)
    }

    fn last(&self) -> u64 {
        match (self.recent.back(), self.installing) {
            (Some(last), _) => last.index,
            (None, Some((index, _))) => index,
            (None, None) => self.log.last_index(),
        }
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
        if low < self.first() {
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
            _ => match self.installing {
                Some((installed, term)) if index == installed => Ok(term),
                Some((installed, _)) if index < installed => Err(StorageError::Compacted.into()),
                Some(_) => Err(StorageError::Unavailable.into()),
                None => Ok(self.log.term(index).map_err(storage_error)?),
            },
        }
    }

    fn first_index(&self) -> raft::Result<u64> {
        Ok(self.first())
    }

    fn last_index(&self) -> raft::Result<u64> {
        Ok(self.last())
    }

    /// What was made before, if it serves `to`; else it is noted that one is wanted, and raft-rs asks again
    /// at its next chance.
    fn snapshot(&self, request_index: u64, to: u64) -> raft::Result<Snapshot> {
        // What an earlier leader asked for may reach beyond what this one has; entries that this one does
        // not have were never committed.
        let mut needed = request_index.min(self.last());
        if let Some(made) = &self.made {
            // A receiver ignores a snapshot of a membership that it does not belong to.
            let knows_receiver = made.membership.contains(to);
            if knows_receiver && made.index >= needed && made.index + 1 >= self.first() {
                return Ok(made.to_raft());
            }
            if !knows_receiver {
                needed = needed.max(made.index + 1);
            }
        }
        // The easiest wish first: it may take that one peer to commit what the other wishes need.
        self.wanted.set(Some(self.wanted.get().map_or(needed, |wanted| wanted.min(needed))));
        Err(StorageError::SnapshotTemporarilyUnavailable.into())
    }
}

impl Made {
    fn to_raft(&self) -> Snapshot {
        let mut metadata =
            SnapshotMetadata { index: self.index, term: self.term, ..SnapshotMetadata::default() };
        metadata.set_conf_state(ConfState::from(&self.membership));
        let mut snapshot = Snapshot { data: self.data.clone(), ..Snapshot::default() };
        snapshot.set_metadata(metadata);
        snapshot
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
