//! Archive: is this piece of the ledger whole, in its place and the one that was sealed?
//!
//! A segment holds the stored bytes of the records `[from, through)`. It proves itself: its header
//! names the root before its first record and after its last, it carries the complete subtrees
//! before its first record, and from these and the records anybody computes the second root. Each
//! segment names the one before it, so that one that is missing, or put in the place of another, is
//! noticed; a head over the second root, where there is one, ties the chain to a signature.
//!
//! The file is a sequence of CBOR byte strings (RFC 8742): the mark, the header, the subtrees, each
//! record, the head (empty without one), and the hash of everything before that last one. Records
//! are read one by one: a segment may be larger than memory. Texts and persons are not in it, only
//! their digests, as in the ledger: lawful erasure never has to reach into an archive.

use std::io::{self, Read, Write};

use catalog_model::ids::DomainId;
use minicbor::{Decode, Encode};

use crate::{
    Hash,
    head::SignedHead,
    record,
    suite::{Hasher, Suite},
    tree::Frontier,
};

/// First item of every file.
const MARK: &[u8] = b"luqiao-archive-1";
/// Longest record, header or head that is read, in bytes: a command has fewer.
const ITEM_BYTES_MAX: u64 = 16 << 20;

/// The header of a segment: what it is a piece of, and which.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Segment {
    /// Whose ledger.
    #[n(0)]
    pub domain: DomainId,
    /// The cluster that keeps it.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub cluster_id: [u8; 16],
    /// Its suite.
    #[n(2)]
    pub suite: Suite,
    /// Counts from 1 without a gap.
    #[n(3)]
    pub number: u64,
    /// First record.
    #[n(4)]
    pub from: u64,
    /// The record after its last: `from < through`.
    #[n(5)]
    pub through: u64,
    /// Root over the records before `from`.
    #[n(6)]
    #[cbor(with = "minicbor::bytes")]
    pub root_before: Hash,
    /// Root over the records before `through`.
    #[n(7)]
    #[cbor(with = "minicbor::bytes")]
    pub root: Hash,
    /// [`Segment::link`] of the one before; zeros in the first.
    #[n(8)]
    #[cbor(with = "minicbor::bytes")]
    pub previous: Hash,
}

impl Segment {
    /// The link of the chain: the hash of this header, which the next segment names.
    pub fn link(&self) -> Hash {
        self.suite.hash(&[b"luqiao-segment-v1\n", &self.encoded()])
    }

    fn encoded(&self) -> Vec<u8> {
        minicbor::to_vec(self).expect("writing to a Vec does not fail")
    }
}

/// Why an archive is not what it should be.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The file could not be read or written.
    #[error("the file could not be read or written")]
    Io(#[from] io::Error),
    /// It is no archive of ours.
    #[error("this is no segment of an archive")]
    NotASegment,
    /// It ends too early.
    #[error("the file ends within {within}")]
    Truncated {
        /// What was being read.
        within: String,
    },
    /// Something follows its end.
    #[error("something follows the end of the segment")]
    Longer,
    /// The header says what cannot be.
    #[error("the header is wrong: {detail}")]
    HeaderWrong {
        /// What is wrong with it.
        detail: &'static str,
    },
    /// A record is not the one of its place: reordered, of another ledger, or not a record.
    #[error("record {place} is not what stands in its place")]
    RecordMisplaced {
        /// The place.
        place: u64,
    },
    /// The records do not give the root: at least one is not what was sealed.
    #[error("the records do not give the root of the segment")]
    RootWrong,
    /// The head in it is of another ledger or another root.
    #[error("the head in the segment is not one over its root")]
    HeadWrong,
    /// The bytes are not those that were written.
    #[error("the bytes are not those that were written")]
    DigestWrong,
    /// Segments between are missing.
    #[error("segment {expected} is missing; {found} comes in its place")]
    Missing {
        /// The number that should follow.
        expected: u64,
        /// The number that does.
        found: u64,
    },
    /// The number is right, but it does not continue the one before it.
    #[error("segment {number} does not continue the one before it: one of them was swapped")]
    Swapped {
        /// Its number.
        number: u64,
    },
    /// It is not the segment that the ledger has on record under this number.
    #[error("segment {number} is not the one that was sealed")]
    NotAsSealed {
        /// Its number.
        number: u64,
    },
}

impl ArchiveError {
    /// A stable name.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Io(_) => "unreadable",
            Self::NotASegment => "not_a_segment",
            Self::Truncated { .. } => "truncated",
            Self::Longer => "longer",
            Self::HeaderWrong { .. } => "header_wrong",
            Self::RecordMisplaced { .. } => "record_misplaced",
            Self::RootWrong => "root_wrong",
            Self::HeadWrong => "head_wrong",
            Self::DigestWrong => "digest_wrong",
            Self::Missing { .. } => "missing",
            Self::Swapped { .. } => "swapped",
            Self::NotAsSealed { .. } => "not_as_sealed",
        }
    }
}

/// A segment that proved itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Its header.
    pub segment: Segment,
    /// The head in it; its signature is for [`crate::receipt`] to check.
    pub head: Option<SignedHead>,
    /// Hash of the file up to its last item, which is this hash.
    pub digest: Hash,
}

/// Writes a segment. `peaks` are the complete subtrees before `segment.from`, the largest first;
/// `records` gives the stored bytes from there on. Returns the digest of the file.
pub fn write(
    out: &mut dyn Write,
    segment: &Segment,
    peaks: &[Hash],
    records: impl IntoIterator<Item = Vec<u8>>,
    head: Option<&SignedHead>,
) -> Result<Hash, ArchiveError> {
    let mut out = Hashing { inner: out, hash: Hasher::new(segment.suite) };
    out.item(MARK)?;
    out.item(&segment.encoded())?;
    out.item(peaks.as_flattened())?;
    let mut written = 0;
    for record in records {
        out.item(&record)?;
        written += 1;
    }
    if segment.from + written != segment.through {
        return Err(ArchiveError::Truncated {
            within: format!("record {}", segment.from + written),
        });
    }
    let head = head.map(|head| minicbor::to_vec(head).expect("writing to a Vec does not fail"));
    out.item(head.as_deref().unwrap_or_default())?;
    let digest = out.hash.clone().finish();
    out.item(&digest)?;
    Ok(digest)
}

/// Reads a segment to its end; every record is handed to `see` once its place is known to be right,
/// and counts only if the whole segment is returned.
pub fn read(
    input: &mut dyn Read,
    mut see: impl FnMut(u64, &[u8]),
) -> Result<Verified, ArchiveError> {
    // The suite stands in the header, so the first two items are hashed once they are known.
    let mut bytes = Vec::new();
    let mark = read_item(input, &mut bytes, "its mark").map_err(|error| match error {
        ArchiveError::Io(error) => ArchiveError::Io(error),
        _ => ArchiveError::NotASegment,
    })?;
    if mark != MARK {
        return Err(ArchiveError::NotASegment);
    }
    let header = read_item(input, &mut bytes, "its header")?;
    let segment: Segment = minicbor::decode(&header)
        .map_err(|_| ArchiveError::HeaderWrong { detail: "it cannot be read" })?;
    if segment.encoded() != header {
        return Err(ArchiveError::HeaderWrong { detail: "it is not written as it should be" });
    }
    if segment.from >= segment.through || segment.number == 0 {
        return Err(ArchiveError::HeaderWrong { detail: "its range or number cannot be" });
    }
    let suite = segment.suite;
    let mut hash = Hasher::new(suite);
    hash.update(&bytes);
    let mut next = |within: &str| {
        let mut bytes = Vec::new();
        let item = read_item(input, &mut bytes, within);
        let before = hash.clone();
        hash.update(&bytes);
        item.map(|item| (item, before))
    };

    let (peaks, _) = next("its subtrees")?;
    let (peaks, rest) = peaks.as_chunks::<32>();
    let frontier = Frontier::of_peaks(suite, segment.from, peaks.to_vec());
    let Some(mut frontier) = frontier.filter(|_| rest.is_empty()) else {
        return Err(ArchiveError::HeaderWrong { detail: "there are not as many subtrees" });
    };
    if frontier.root() != segment.root_before {
        return Err(ArchiveError::HeaderWrong {
            detail: "the subtrees do not give the root before it",
        });
    }
    for place in segment.from..segment.through {
        let (stored, _) = next(&format!("record {place}"))?;
        let fits = record::beginning(&stored)
            .is_some_and(|record| record.domain == segment.domain && record.sequence == place);
        if !fits {
            return Err(ArchiveError::RecordMisplaced { place });
        }
        frontier.push(suite.leaf_hash(&stored));
        see(place, &stored);
    }
    if frontier.root() != segment.root {
        return Err(ArchiveError::RootWrong);
    }
    let (head, _) = next("its head")?;
    let head: Option<SignedHead> = if head.is_empty() {
        None
    } else {
        Some(minicbor::decode(&head).map_err(|_| ArchiveError::HeadWrong)?)
    };
    if let Some(SignedHead { head, .. }) = &head {
        let of_it = (&head.domain, head.cluster_id, head.suite)
            == (&segment.domain, segment.cluster_id, suite)
            && (head.tree_size, head.root_hash) == (segment.through, segment.root);
        if !of_it {
            return Err(ArchiveError::HeadWrong);
        }
    }
    let (said, before) = next("its digest")?;
    let digest = before.finish();
    if said != digest {
        return Err(ArchiveError::DigestWrong);
    }
    if input.read(&mut [0])? != 0 {
        return Err(ArchiveError::Longer);
    }
    Ok(Verified { segment, head, digest })
}

/// Segments in the order in which they are held against each other, from the first one on.
#[derive(Debug, Default)]
pub struct Chain {
    last: Option<Segment>,
}

impl Chain {
    /// Nothing read yet: segment 1 comes first.
    pub fn new() -> Self {
        Self::default()
    }

    /// Goes on from a segment that is known to be good, for instance from the ledger's own record
    /// of it.
    pub fn after(segment: Segment) -> Self {
        Self { last: Some(segment) }
    }

    /// The last segment that fitted.
    pub fn last(&self) -> Option<&Segment> {
        self.last.as_ref()
    }

    /// Takes the next segment.
    pub fn next(&mut self, segment: &Segment) -> Result<(), ArchiveError> {
        let (expected, fits) = match &self.last {
            None => {
                let begins = segment.from == 0
                    && segment.previous == [0; 32]
                    && segment.root_before == segment.suite.empty_root();
                (1, begins)
            }
            Some(last) => {
                let same = (&last.domain, last.cluster_id, last.suite)
                    == (&segment.domain, segment.cluster_id, segment.suite);
                let continues = segment.from == last.through
                    && segment.root_before == last.root
                    && segment.previous == last.link();
                (last.number + 1, same && continues)
            }
        };
        if segment.number != expected {
            return Err(ArchiveError::Missing { expected, found: segment.number });
        }
        if !fits {
            return Err(ArchiveError::Swapped { number: segment.number });
        }
        self.last = Some(segment.clone());
        Ok(())
    }

    /// As [`Chain::next`], and the segment must be the one that the ledger has on record.
    pub fn next_as_sealed(
        &mut self,
        segment: &Segment,
        sealed: &Segment,
    ) -> Result<(), ArchiveError> {
        if segment.number == sealed.number && segment != sealed {
            return Err(ArchiveError::NotAsSealed { number: segment.number });
        }
        self.next(segment)
    }
}

struct Hashing<'a> {
    inner: &'a mut dyn Write,
    hash: Hasher,
}

impl Hashing<'_> {
    fn item(&mut self, bytes: &[u8]) -> Result<(), ArchiveError> {
        let mut item = Vec::with_capacity(bytes.len() + 9);
        minicbor::Encoder::new(&mut item).bytes(bytes).expect("writing to a Vec does not fail");
        self.hash.update(&item);
        self.inner.write_all(&item)?;
        Ok(())
    }
}

/// One byte string; `raw` gets its bytes as they stand in the file, after what it has.
fn read_item(
    input: &mut dyn Read,
    raw: &mut Vec<u8>,
    within: &str,
) -> Result<Vec<u8>, ArchiveError> {
    let exactly = |input: &mut dyn Read, buffer: &mut [u8]| {
        input.read_exact(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => ArchiveError::Truncated { within: within.to_owned() },
            _ => ArchiveError::Io(error),
        })
    };
    let mut first = [0];
    exactly(input, &mut first)?;
    raw.extend(first);
    let more = match first[0] {
        0x40..=0x57 => 0,
        0x58 => 1,
        0x59 => 2,
        0x5a => 4,
        0x5b => 8,
        _ => return Err(ArchiveError::Truncated { within: within.to_owned() }),
    };
    let mut length = [0; 8];
    exactly(input, &mut length[8 - more..])?;
    raw.extend_from_slice(&length[8 - more..]);
    let length = match more {
        0 => u64::from(first[0] - 0x40),
        _ => u64::from_be_bytes(length),
    };
    if length > ITEM_BYTES_MAX {
        return Err(ArchiveError::Truncated { within: within.to_owned() });
    }
    let mut item = vec![0; length as usize];
    exactly(input, &mut item)?;
    raw.extend_from_slice(&item);
    Ok(item)
}

#[cfg(test)]
mod tests;
