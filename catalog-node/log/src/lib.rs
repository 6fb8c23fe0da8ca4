//! The Raft log: how does a node remember entries and votes so that no crash makes it break a promise?
//!
//! A [`SegmentLog`] keeps Raft entries and the hard state in preallocated, framed, CRC-chained segments
//! on a [`Disk`]. The disk is a trait with two implementations, so that the code that runs in production
//! runs unchanged on a simulated disk that loses power: [`FileDisk`] and [`sim_disk::SimDisk`].
//!
//! What it promises:
//!
//! * What was appended before a successful [`LogStore::sync`] is there after any crash, whole.
//! * What was appended after it is there whole, or not at all: a batch has no halves.
//! * Damage to anything that was durable is refused when the log is opened, with segment and offset,
//!   unless it is the very last batch, which cannot be told from a write that never finished.
//! * After a failed write or sync the log answers nothing but [`LogError::Refusing`]: what the kernel did
//!   with the pages is unknown, and a retry that succeeds proves nothing.
//!
//! In reading order: what the log needs of a disk, what the replica needs of a log, the bytes, the log.

pub use self::{
    disk::{Disk, DiskFile},
    error::{Damage, LogError},
    file_disk::FileDisk,
    segment::StoreIdentity,
    segment_log::{Options, SegmentLog, SegmentReader},
    store::{LogRead, LogStore},
};

mod ahead;
mod disk;
mod error;
mod file_disk;
mod frame;
mod index;
mod recovery;
mod segment;
mod segment_log;
pub mod sim_disk;
mod store;
