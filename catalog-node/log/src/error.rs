//! What can go wrong with a log, as the operator would tell it?

use std::io;

use crate::StoreIdentity;

/// Why the log did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The disk refused. For a write or a sync this is final, see [`LogError::Refusing`].
    #[error("could not {attempt} {file}")]
    Disk {
        /// What was attempted, as a verb.
        attempt: &'static str,
        /// Name of the file, or of the folder as `.`.
        file: String,
        /// What the disk said.
        source: io::Error,
    },
    /// A write or a sync failed before; what is on disk is unknown until the log is opened again.
    #[error("the log refuses everything since a write or sync of it failed")]
    Refusing,
    /// Something that was durable is no longer what was written. The store must be replaced under a new id.
    #[error("segment {segment} of the log is damaged at byte {offset}: {damage}")]
    Corrupt {
        /// Number of the segment.
        segment: u64,
        /// Byte offset in its file.
        offset: u64,
        /// What was found there.
        damage: Damage,
    },
    /// A segment between two others is gone.
    #[error("segment {segment} of the log is missing")]
    SegmentMissing {
        /// Its number.
        segment: u64,
    },
    /// Entries between the compaction mark and the first kept one are gone.
    #[error("the log is compacted to entry {compacted}, but its first entry is {found}")]
    EntriesMissing {
        /// Last entry that compaction took.
        compacted: u64,
        /// First entry that was found.
        found: u64,
    },
    /// The file in a segment's place was written by a newer program, or is no segment.
    #[error("segment {segment} has format version {found}, this program reads {known}")]
    UnsupportedFormat {
        /// Number of the segment.
        segment: u64,
        /// The version in its header.
        found: u32,
        /// The version this program writes.
        known: u32,
    },
    /// The log belongs to another cluster or another store.
    #[error("segment {segment} belongs to {found}, not to {expected}")]
    ForeignStore {
        /// Number of the segment.
        segment: u64,
        /// Whom its header names.
        found: StoreIdentity,
        /// Whom we are.
        expected: StoreIdentity,
    },
    /// The entry was compacted away.
    #[error("entry {index} was compacted, the log begins at {first}")]
    Compacted {
        /// The entry asked for.
        index: u64,
        /// First entry that is kept.
        first: u64,
    },
    /// The log does not reach that far.
    #[error("entry {index} is beyond the end of the log at {last}")]
    Unavailable {
        /// The entry asked for.
        index: u64,
        /// Last entry of the log.
        last: u64,
    },
}

/// What was found in the place of a sound record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// The file is shorter than a header, or its header does not match its checksum.
    #[error("the header does not match its checksum")]
    Header,
    /// A record does not match its checksum, or reaches beyond the file.
    #[error("a record does not match its checksum")]
    Record,
    /// A sound record that does not follow the one before it.
    #[error("the chain of records is broken")]
    Chain,
    /// A sound record whose content cannot be read.
    #[error("a record has content that cannot be read")]
    Content,
    /// A batch without its end, where writing went on afterwards.
    #[error("a batch of records has no end")]
    UnfinishedBatch,
    /// Bytes where nothing was ever written.
    #[error("there are bytes after the last record")]
    Trailing,
}

impl LogError {
    pub(crate) fn disk(
        attempt: &'static str,
        file: impl Into<String>,
    ) -> impl FnOnce(io::Error) -> Self {
        let file = file.into();
        move |source| Self::Disk { attempt, file, source }
    }
}
