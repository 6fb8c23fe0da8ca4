//! Witnessed: what do the rows of this node come to, for another that keeps the archive?

use std::{sync::Arc, thread, time::Instant};

use catalog_state::snapshot::{ContentDigest, cut_by_key};

use crate::{snapshots::Pace, storage::StateStore};

/// What this node holds as of one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held {
    /// The last entry in it.
    pub(crate) index: u64,
    /// Digest over its rows.
    pub(crate) content: [u8; 32],
    /// How many they are.
    pub(crate) rows: u64,
}

/// Bytes that are read in a second: as for a snapshot.
const BYTES_PER_SECOND: u64 = 64 << 20;

/// Reads all rows, at a pace. `None` if `wanted` says meanwhile that nobody waits any more.
pub(crate) fn held(store: &Arc<StateStore>, wanted: impl Fn() -> bool) -> Option<Held> {
    let view = store.view();
    let mut pace = Pace::new(BYTES_PER_SECOND);
    let mut digest = ContentDigest::default();
    for block in cut_by_key(&view) {
        digest.block(&block.info());
        let rest = pace.sent(block.bytes.len(), Instant::now());
        if !rest.is_zero() {
            thread::sleep(rest);
        }
        if !wanted() {
            return None;
        }
    }
    let rows = digest.rows;
    Some(Held { index: view.applied(), content: digest.finish(), rows })
}
