//! A log that notes how long its syncs took: what a slow disk is judged by.

use std::time::{Duration, Instant};

use catalog_log::{FileDisk, LogError, LogRead, LogStore, SegmentLog};
use raft::eraftpb::{Entry, HardState};

/// The node's log, for one round.
pub(super) struct TimedLog<'a> {
    pub(super) log: &'a mut SegmentLog<FileDisk>,
    /// How long each sync took.
    pub(super) syncs: Vec<Duration>,
}

impl<'a> TimedLog<'a> {
    pub(super) fn new(log: &'a mut SegmentLog<FileDisk>) -> Self {
        Self { log, syncs: Vec::new() }
    }
}

impl LogRead for TimedLog<'_> {
    fn first_index(&self) -> u64 {
        self.log.first_index()
    }

    fn last_index(&self) -> u64 {
        self.log.last_index()
    }

    fn term(&self, index: u64) -> Result<u64, LogError> {
        self.log.term(index)
    }

    fn entries(&self, low: u64, high: u64, max_bytes: u64) -> Result<Vec<Entry>, LogError> {
        self.log.entries(low, high, max_bytes)
    }

    fn bytes_from(&self, low: u64) -> u64 {
        self.log.bytes_from(low)
    }
}

impl LogStore for TimedLog<'_> {
    type Reader = <SegmentLog<FileDisk> as LogStore>::Reader;

    fn reader(&self) -> Self::Reader {
        self.log.reader()
    }

    fn hard_state(&self) -> HardState {
        self.log.hard_state()
    }

    fn bootstrap(&mut self, index: u64, term: u64) -> Result<bool, LogError> {
        self.log.bootstrap(index, term)
    }

    fn state_number(&self) -> u64 {
        self.log.state_number()
    }

    fn install(
        &mut self,
        index: u64,
        term: u64,
        state_number: u64,
        hard_state: &HardState,
    ) -> Result<(), LogError> {
        self.log.install(index, term, state_number, hard_state)
    }

    fn append(
        &mut self,
        entries: &[Entry],
        hard_state: Option<&HardState>,
    ) -> Result<(), LogError> {
        self.log.append(entries, hard_state)
    }

    fn sync(&mut self) -> Result<(), LogError> {
        let began = Instant::now();
        let synced = self.log.sync();
        self.syncs.push(began.elapsed());
        synced
    }

    fn compact(&mut self, through: u64) -> Result<(), LogError> {
        self.log.compact(through)
    }
}
