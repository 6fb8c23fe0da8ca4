//! Segments: which committed entries followed, and is none missing?
//!
//! A segment is sealed once and never changed. It names the hash of the one before it, and its own hash is
//! over that, its bounds and its entries, so that the last hash stands for all that came before. The first
//! of a run (of a generation, or after a time without backups) names none: there must be a base to begin
//! from.

use catalog_state::codec;
use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};

/// The only format so far.
const FORMAT: u32 = 1;

/// A committed entry of the log.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct SealedEntry {
    /// Its place.
    #[n(0)]
    pub index: u64,
    /// Its term.
    #[n(1)]
    pub term: u64,
    /// As the log encodes it.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub bytes: Vec<u8>,
}

/// Entries that follow each other.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Segment {
    /// The format.
    #[n(0)]
    pub format: u32,
    /// Whose.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub cluster_id: [u8; 16],
    /// The generation that committed them.
    #[n(2)]
    pub generation: u64,
    /// Hash of the segment before it; zeros where a run begins.
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    pub previous: [u8; 32],
    /// Hash of this one.
    #[n(4)]
    #[cbor(with = "minicbor::bytes")]
    pub hash: [u8; 32],
    /// When it was sealed, by the node's clock, in milliseconds since 1970.
    #[n(5)]
    pub sealed_ms: u64,
    /// The entries, at least one.
    #[n(6)]
    pub entries: Vec<SealedEntry>,
}

/// Why a segment cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SegmentError {
    /// It does not decode.
    #[error("it does not decode")]
    Undecodable,
    /// A newer version wrote it.
    #[error("it has format {0}; this version reads {FORMAT}")]
    Format(u32),
    /// Its entries do not follow each other, or are not those of its hash.
    #[error("its entries are not those of its hash")]
    Hash,
}

impl Segment {
    /// The segment of `entries`, which follow each other, after the segment with hash `previous`.
    pub fn of(
        cluster_id: [u8; 16],
        generation: u64,
        previous: [u8; 32],
        sealed_ms: u64,
        entries: Vec<SealedEntry>,
    ) -> Self {
        let mut segment = Self {
            format: FORMAT,
            cluster_id,
            generation,
            previous,
            hash: [0; 32],
            sealed_ms,
            entries,
        };
        segment.hash = segment.compute();
        segment
    }

    fn compute(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(b"luqiao segment 1\n");
        hash.update(self.cluster_id);
        hash.update(self.generation.to_be_bytes());
        hash.update(self.previous);
        for entry in &self.entries {
            hash.update(entry.index.to_be_bytes());
            hash.update(entry.term.to_be_bytes());
            hash.update((entry.bytes.len() as u64).to_be_bytes());
            hash.update(&entry.bytes);
        }
        hash.finalize().into()
    }

    /// The first entry's place.
    pub fn first(&self) -> u64 {
        self.entries.first().map_or(0, |entry| entry.index)
    }

    /// The last entry's place.
    pub fn last(&self) -> u64 {
        self.entries.last().map_or(0, |entry| entry.index)
    }

    /// The bytes to be sealed.
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// The segment in `bytes`, if it is what it says.
    pub fn decode(bytes: &[u8]) -> Result<Self, SegmentError> {
        let segment: Self = codec::decode(bytes).map_err(|_| SegmentError::Undecodable)?;
        if segment.format != FORMAT {
            return Err(SegmentError::Format(segment.format));
        }
        let follows = segment
            .entries
            .windows(2)
            .all(|pair| pair[0].index + 1 == pair[1].index && pair[0].term <= pair[1].term);
        if segment.entries.is_empty() || !follows || segment.hash != segment.compute() {
            return Err(SegmentError::Hash);
        }
        Ok(segment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(range: std::ops::Range<u64>) -> Segment {
        let entries =
            range.map(|index| SealedEntry { index, term: 2, bytes: vec![index as u8; 5] });
        Segment::of([1; 16], 1, [9; 32], 1_000, entries.collect())
    }

    #[test]
    fn a_segment_is_what_its_hash_says() {
        let good = segment(5..9);
        assert_eq!(Segment::decode(&good.encode()), Ok(good.clone()));
        assert_eq!((good.first(), good.last()), (5, 8));
        let mut changed = good.clone();
        changed.entries[1].bytes[0] ^= 1;
        assert_eq!(Segment::decode(&changed.encode()), Err(SegmentError::Hash));
        let mut shorter = good.clone();
        shorter.entries.pop();
        assert_eq!(Segment::decode(&shorter.encode()), Err(SegmentError::Hash));
        let newer = Segment { format: 2, ..good };
        assert_eq!(Segment::decode(&newer.encode()), Err(SegmentError::Format(2)));
    }

    #[test]
    fn entries_with_a_hole_are_no_segment() {
        let mut entries = segment(1..5).entries;
        entries.remove(2);
        let holed = Segment::of([1; 16], 1, [0; 32], 0, entries);
        assert_eq!(Segment::decode(&holed.encode()), Err(SegmentError::Hash));
    }
}
