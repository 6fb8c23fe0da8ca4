//! The observed log: what does a node do with its log, and where is it cut short?
//!
//! The product's log with two additions: everything done to it is told to the checker, and a round can
//! lose power between two of its operations.

use std::{cell::Cell, cell::RefCell, rc::Rc};

use catalog_log::{
    LogError, LogRead, LogStore, SegmentLog, SegmentReader,
    sim_disk::{SimDisk, SimFile},
};
use raft::eraftpb::{Entry, HardState};

use crate::{
    checker::{
        ghost::{GhostLog, LogAct},
        reference::content_hash,
    },
    fault::Boundary,
    node::Deed,
};

/// What a round did, in order.
pub(crate) type Deeds = Rc<RefCell<Vec<Deed>>>;

/// Where a round is to lose power, and whether it has.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cut(Rc<Cell<(Option<Boundary>, bool)>>);

impl Cut {
    /// Power is to go at `boundary`.
    pub(crate) fn set(&self, boundary: Option<Boundary>) {
        self.0.set((boundary, false));
    }

    /// Whether power is gone now that the round is at `boundary`.
    pub(crate) fn reaches(&self, boundary: Boundary) -> bool {
        let (at, gone) = self.0.get();
        let gone = gone || at == Some(boundary);
        self.0.set((at, gone));
        gone
    }

    /// Where power went, if it did.
    pub(crate) fn gone(&self) -> Option<Boundary> {
        let (at, gone) = self.0.get();
        at.filter(|_| gone)
    }

    /// Where it is to go.
    pub(crate) fn planned(&self) -> Option<Boundary> {
        self.0.get().0
    }
}

/// The log of a simulated node.
#[derive(Debug)]
pub(crate) struct ObservedLog {
    log: SegmentLog<SimDisk>,
    disk: SimDisk,
    deeds: Deeds,
    cut: Cut,
}

impl ObservedLog {
    pub(crate) fn new(log: SegmentLog<SimDisk>, disk: SimDisk, deeds: Deeds, cut: Cut) -> Self {
        Self { log, disk, deeds, cut }
    }

    /// What is in it.
    pub(crate) fn found(&self) -> Result<GhostLog, LogError> {
        let (first, last) = (self.log.first_index(), self.log.last_index());
        let base = first - 1;
        let base_term = if base == 0 { 0 } else { self.log.term(base)? };
        let terms = (first..=last).map(|index| self.log.term(index)).collect::<Result<_, _>>()?;
        let state = self.log.hard_state();
        Ok(GhostLog::found((base, base_term), terms, (state.term, state.vote)))
    }

    fn did(&self, act: LogAct) {
        self.deeds.borrow_mut().push(Deed::Logged(act));
    }
}

impl LogRead for ObservedLog {
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

impl LogStore for ObservedLog {
    type Reader = SegmentReader<SimFile>;

    fn reader(&self) -> Self::Reader {
        self.log.reader()
    }

    fn hard_state(&self) -> HardState {
        self.log.hard_state()
    }

    fn bootstrap(&mut self, index: u64, term: u64) -> Result<bool, LogError> {
        self.log.bootstrap(index, term)
    }

    fn append(
        &mut self,
        entries: &[Entry],
        hard_state: Option<&HardState>,
    ) -> Result<(), LogError> {
        if self.cut.reaches(Boundary::BeforeLogWrite) {
            return Err(LogError::Refusing);
        }
        let appended = self.log.append(entries, hard_state);
        appended.inspect_err(|_| self.did(LogAct::Failed))?;
        if let Some(first) = entries.first() {
            let content = |entry: &Entry| {
                (entry.term, content_hash(&entry.data) ^ content_hash(&entry.context))
            };
            let entries = entries.iter().map(content).collect();
            self.did(LogAct::Appended { first: first.index, entries });
        }
        if let Some(HardState { term, vote, commit, .. }) = hard_state {
            self.did(LogAct::State { term: *term, vote: *vote, commit: *commit });
        }
        Ok(())
    }

    fn sync(&mut self) -> Result<(), LogError> {
        if self.cut.reaches(Boundary::BeforeSync) {
            return Err(LogError::Refusing);
        }
        self.log.sync()?;
        self.did(LogAct::Synced { truly: self.disk.unsynced() == 0 });
        Ok(())
    }

    fn compact(&mut self, through: u64) -> Result<(), LogError> {
        if self.cut.reaches(Boundary::Compaction) {
            // Between the mark and the freeing, or between two segments.
            self.disk.die_after(2);
        }
        let compacted = self.log.compact(through);
        compacted.inspect_err(|_| self.did(LogAct::Failed))?;
        // What the new base stands for is in the log's own words; only its place moves.
        self.did(LogAct::Compacted { through });
        Ok(())
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
        if self.cut.reaches(Boundary::BetweenInstalls) {
            return Err(LogError::Refusing);
        }
        let installed = self.log.install(index, term, state_number, hard_state);
        installed.inspect_err(|_| self.did(LogAct::Failed))?;
        let HardState { term: of, vote, commit, .. } = *hard_state;
        self.did(LogAct::State { term: of, vote, commit });
        self.did(LogAct::Installed { index, term });
        Ok(())
    }
}
