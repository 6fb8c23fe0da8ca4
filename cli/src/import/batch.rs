//! Batch: which lines travel together?
//!
//! The server answers once for each batch, and each is one command in its log: large enough that
//! the log is not written for every entry, small enough that others get their turn between two.

use luqiao_proto::catalog::v1::ImportEntry;
use prost::Message;

use super::Accepted;

/// Most entries of a batch.
pub const ENTRIES_MAX: usize = 200;
/// Most bytes of a batch, on the wire and as lines of the file; one entry alone may have more.
pub const BYTES_MAX: usize = 512 << 10;

/// Lines that are sent and answered together.
#[derive(Debug, Default)]
pub struct Batch {
    /// In the order of the file.
    pub lines: Vec<Accepted>,
    bytes: usize,
}

impl Batch {
    /// The messages of the lines.
    pub fn entries(&self) -> Vec<ImportEntry> {
        self.lines.iter().map(|line| line.draft.entry.clone()).collect()
    }

    fn add(&mut self, line: Accepted) {
        self.bytes += weight(&line);
        self.lines.push(line);
    }

    fn has_room_for(&self, line: &Accepted) -> bool {
        self.lines.is_empty()
            || (self.lines.len() < ENTRIES_MAX && self.bytes + weight(line) <= BYTES_MAX)
    }
}

/// What a line costs: what it takes on the wire or here, whichever is more.
fn weight(line: &Accepted) -> usize {
    line.draft.entry.encoded_len().max(line.raw.len())
}

/// Collects lines into batches.
#[derive(Debug, Default)]
pub struct Batcher {
    open: Batch,
}

impl Batcher {
    /// Adds a line; returns the batch that it no longer fitted into.
    pub fn add(&mut self, line: Accepted) -> Option<Batch> {
        let full = (!self.open.has_room_for(&line)).then(|| std::mem::take(&mut self.open));
        self.open.add(line);
        full
    }

    /// The last batch, unless it is empty.
    pub fn finish(self) -> Option<Batch> {
        (!self.open.lines.is_empty()).then_some(self.open)
    }
}
