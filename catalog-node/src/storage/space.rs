//! Disk space: is there room for what a write leaves behind?
//!
//! A disk that is full takes the node with it: the log cannot be extended, and a log that cannot
//! be synced ends the process. So a leader refuses writes while there is still room for everything
//! that is under way, and takes them again once there is clearly more: between the two bounds the
//! answer stays what it was, so that a disk at the bound does not flicker.

use std::{fmt, io, path::Path, sync::Arc};

/// The share of the disk below which writes are refused, as a divisor: a tenth.
const REFUSE_SHARE: u64 = 10;

/// Below this many free bytes writes are refused however small the disk is: the next segment of
/// the log, and what RocksDB writes out of memory meanwhile.
pub const REFUSE_FLOOR: u64 = 24 << 20;

/// What is taken in again needs this much more than what is refused, in tenths: writes refused
/// below 10 % are taken again from 12 % on.
const RESUME_TENTHS: u64 = 12;

/// How much room a disk has, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskSpace {
    /// In all.
    pub total: u64,
    /// Free for this process.
    pub free: u64,
}

impl DiskSpace {
    /// The disk that holds `folder`, now.
    pub fn of(folder: &Path) -> io::Result<Self> {
        let found = rustix::fs::statvfs(folder)?;
        Ok(Self { total: found.f_blocks * found.f_frsize, free: found.f_bavail * found.f_frsize })
    }

    /// Fewer free bytes than this, and writes are refused. `reserve_max` bytes are enough however
    /// large the disk is: a tenth of ten terabytes may be no shortage.
    pub fn refuse_below(&self, reserve_max: u64) -> u64 {
        (self.total / REFUSE_SHARE).min(reserve_max).max(REFUSE_FLOOR)
    }

    /// At least this many free bytes, and they are taken again.
    pub fn resume_at(&self, reserve_max: u64) -> u64 {
        self.refuse_below(reserve_max) / 10 * RESUME_TENTHS
    }
}

/// How the room on a disk is measured; another way in tests.
#[derive(Clone)]
pub struct DiskMeter(Arc<Measure>);

type Measure = dyn Fn(&Path) -> io::Result<DiskSpace> + Send + Sync;

impl DiskMeter {
    /// By asking the system.
    pub fn system() -> Self {
        Self::from_fn(DiskSpace::of)
    }

    /// Whatever `measure` says.
    pub fn from_fn(
        measure: impl Fn(&Path) -> io::Result<DiskSpace> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(measure))
    }

    /// The disk that holds `folder`, now.
    pub fn measure(&self, folder: &Path) -> io::Result<DiskSpace> {
        (self.0)(folder)
    }
}

impl fmt::Debug for DiskMeter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DiskMeter")
    }
}

/// Whether a disk is nearly full, from what is measured now and then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskWatch {
    nearly_full: bool,
    reserve_max: u64,
}

/// What a measurement changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiskChange {
    /// From now on writes are refused.
    NearlyFull,
    /// From now on they are taken again.
    RoomAgain,
}

impl DiskWatch {
    /// Nothing was measured yet; for `reserve_max` see [`DiskSpace::refuse_below`].
    pub fn new(reserve_max: u64) -> Self {
        Self { nearly_full: false, reserve_max }
    }

    /// Whether writes are refused.
    pub fn nearly_full(&self) -> bool {
        self.nearly_full
    }

    /// Takes a measurement in.
    pub fn measured(&mut self, space: DiskSpace) -> Option<DiskChange> {
        if !self.nearly_full && space.free < space.refuse_below(self.reserve_max) {
            self.nearly_full = true;
            return Some(DiskChange::NearlyFull);
        }
        if self.nearly_full && space.free >= space.resume_at(self.reserve_max) {
            self.nearly_full = false;
            return Some(DiskChange::RoomAgain);
        }
        None
    }
}

#[cfg(test)]
mod tests;
