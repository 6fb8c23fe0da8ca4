//! Standing: what speaks against this node, apart from what Raft knows?
//!
//! Found by different tasks, read by many: by whoever answers calls, before it answers; by whoever
//! is asked whether this node could lead; by whoever shows how the node stands.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What speaks against a node. Everything is false on one that is sound.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    quarantined: AtomicBool,
    receiving_snapshot: AtomicBool,
    removed: AtomicBool,
    disowned: AtomicBool,
    disk_nearly_full: AtomicBool,
    disk_slow: AtomicBool,
    disk_free: AtomicU64,
    disk_size: AtomicU64,
    log_needed_from: AtomicU64,
}

macro_rules! flags {
    ($($(#[$doc:meta])* $name:ident, $set:ident;)*) => {$(
        $(#[$doc])*
        pub(crate) fn $name(&self) -> bool {
            self.$name.load(Ordering::Acquire)
        }

        /// Sets it, and returns whether that changed anything.
        pub(crate) fn $set(&self, holds: bool) -> bool {
            self.$name.swap(holds, Ordering::AcqRel) != holds
        }
    )*};
}

impl Standing {
    flags! {
        /// Whether a snapshot is on its way here.
        receiving_snapshot, set_receiving_snapshot;
        /// Whether the cluster let this node go.
        removed, set_removed;
        /// Whether the cluster knows this node with another disk: on this one is nothing of what the
        /// node promised. Never taken back while the process runs.
        disowned, set_disowned;
        /// Whether the disk has too little room for changes.
        disk_nearly_full, set_disk_nearly_full;
        /// Whether the disk's syncs are slow.
        disk_slow, set_disk_slow;
    }

    /// Whether the state is in doubt or incomplete: nothing is answered from it.
    pub(crate) fn quarantined(&self) -> bool {
        self.quarantined.load(Ordering::Acquire) || self.disowned()
    }

    /// Sets it, and returns whether that changed anything.
    pub(crate) fn set_quarantined(&self, holds: bool) -> bool {
        self.quarantined.swap(holds, Ordering::AcqRel) != holds
    }

    /// The first entry that is not in the backup archive yet, if this node keeps it; `None` if nobody
    /// waits for the log.
    pub(crate) fn log_needed_from(&self) -> Option<u64> {
        match self.log_needed_from.load(Ordering::Acquire) {
            0 | u64::MAX => None,
            index => Some(index),
        }
    }

    /// Entries from `index` on are still to be archived; `u64::MAX` = none.
    pub(crate) fn set_log_needed_from(&self, index: u64) {
        self.log_needed_from.store(index, Ordering::Release);
    }

    /// Free and total bytes of the disk that holds the data, as measured last.
    pub(crate) fn disk(&self) -> (u64, u64) {
        (self.disk_free.load(Ordering::Relaxed), self.disk_size.load(Ordering::Relaxed))
    }

    /// The disk was measured.
    pub(crate) fn set_disk(&self, free: u64, size: u64) {
        self.disk_free.store(free, Ordering::Relaxed);
        self.disk_size.store(size, Ordering::Relaxed);
    }
}
