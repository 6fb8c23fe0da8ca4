//! Taking a base: the state of this node as of one moment goes into the archive, what is new of it.

use std::time::Instant;

use catalog_backup::{Archive, ArchiveError, Base, BaseWriter, State, Written};
use catalog_state::{machine::state_hash, snapshot::cut_by_key, view::View};

use crate::{snapshots::Pace, storage::StateStore};

/// A base that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BaseTaken {
    /// What was written.
    pub written: Written,
    /// Rows in it.
    pub rows: u64,
    /// When it was made, by the node's clock.
    pub made_ms: u64,
    /// How long it took.
    pub millis: u64,
}

/// Why no base was taken.
#[derive(Debug, thiserror::Error)]
pub enum TakeError {
    /// The cluster was not bootstrapped, or the log does not know the term of the newest entry.
    #[error("there is nothing yet to make a base of")]
    Nothing,
    /// The node ends.
    #[error("the node ends")]
    Unwanted,
    /// The archive refused.
    #[error("the archive refused a base")]
    Archive(#[from] ArchiveError),
}

/// What a base is taken with.
pub(crate) struct Taking<'a> {
    pub(crate) archive: &'a Archive,
    pub(crate) before: Option<&'a Base>,
    pub(crate) node: u64,
    pub(crate) now_ms: u64,
    /// The membership where the state names none.
    pub(crate) founded: Vec<u8>,
    /// Bytes that are read in a second.
    pub(crate) pace: u64,
    pub(crate) wanted: &'a (dyn Fn() -> bool + Sync),
}

/// Takes a base of what `store` holds now. Reads all of it, at the given pace.
pub(crate) fn take(
    store: &StateStore,
    term_of: impl FnOnce(u64) -> Option<u64>,
    taking: &Taking<'_>,
) -> Result<(Base, BaseTaken), TakeError> {
    let began = Instant::now();
    let view = store.view();
    let index = view.applied();
    let term = term_of(index).ok_or(TakeError::Nothing)?;
    let cluster = view.cluster().ok_or(TakeError::Nothing)?;
    let mut writer = BaseWriter::new(taking.archive, taking.before);
    let mut pace = Pace::new(taking.pace);
    for block in cut_by_key(&view) {
        writer.block(&block)?;
        let rest = pace.sent(block.bytes.len(), Instant::now());
        if !rest.is_zero() {
            std::thread::sleep(rest);
        }
        if !(taking.wanted)() {
            return Err(TakeError::Unwanted);
        }
    }
    let (base, written) = writer.finish(State {
        generation: cluster.generation,
        index,
        term,
        membership: view.membership().unwrap_or_else(|| taking.founded.clone()),
        level: View(&view).level(),
        state_hash: state_hash(&view),
        clock_ms: View(&view).clock().0,
        made_ms: taking.now_ms,
        node: taking.node,
    })?;
    let taken = BaseTaken {
        written,
        rows: base.manifest.rows,
        made_ms: taking.now_ms,
        millis: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
    };
    Ok((base, taken))
}

/// Takes a base of what `store` holds, as fast as it can: for a state that nobody else works on.
pub fn take_base(
    archive: &Archive,
    store: &StateStore,
    before: Option<&Base>,
    term: u64,
    founded: Vec<u8>,
) -> Result<(Base, BaseTaken), TakeError> {
    let taking = Taking {
        archive,
        before,
        node: 1,
        now_ms: crate::clock::WallClock::system().now().0,
        founded,
        pace: u64::MAX,
        wanted: &|| true,
    };
    take(store, |_| Some(term), &taking)
}
