//! Archiving: a sealed segment as a file, from what the store holds.

use std::io::Write;

use catalog_proofs::{
    Hash,
    archive::{self, ArchiveError},
    head::SignedHead,
};

use super::Ledger;
use crate::{store::Store, view::View};

/// Writes segment `number` of the ledger in `store`; `head` is one over its last record, where the
/// caller has signed one. Returns the digest of the file.
pub fn write(
    store: &dyn Store,
    number: u64,
    head: Option<&SignedHead>,
    out: &mut dyn Write,
) -> Result<Hash, ArchiveError> {
    let ledger = Ledger(store);
    let segment = View(store).segment(number);
    let segment = segment.ok_or(ArchiveError::HeaderWrong { detail: "it is not sealed" })?;
    let peaks = ledger.peaks(segment.from).expect("a sealed segment lies within the ledger");
    let records = (segment.from..segment.through)
        .map(|sequence| ledger.record_bytes(sequence).expect("records are dense"));
    archive::write(out, &segment, &peaks, records, head)
}
