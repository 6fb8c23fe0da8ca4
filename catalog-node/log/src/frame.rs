//! How does a record look in a segment, and what is at a given offset: a record, nothing, or damage?
//!
//! ```text
//!  0 length    u32  of the payload
//!  4 kind      u8   1 entry, 2 hard state, 3 compaction mark, 4 install, 5 state number; never 0
//!  5 flags     u8   bit 0: last record of its batch
//!  6 reserved  u16  0
//!  8 previous  u32  checksum of the record before, across segments
//! 12 durable   u32  how far this segment was known to be durable when the record was written
//! 16 checksum  u32  CRC-32 over the bytes 0..16 and the payload, begun with the segment's own seed
//! 20 payload
//! ```
//!
//! All numbers are little-endian. Preallocated space is zero, so an all-zero header is the end.
//!
//! `durable` settles what a checksum alone cannot: after a power loss, pages of unsynced writes may have
//! reached the disk out of order, so a sound record after an unsound one is no proof of damage. A sound
//! record that says the unsound one *was* durable is.
//!
//! The seed is the checksum of the segment's header, which names cluster, store and segment. A payload can
//! therefore not imitate a record without knowing the store's random name.

use crate::{Damage, LogError};

/// Bytes before the payload.
pub(crate) const HEADER_BYTES: usize = 20;

const LAST_OF_BATCH: u8 = 1;

/// What a record holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Entry,
    HardState,
    CompactionMark,
    /// Everything before it is gone, whatever segments say; only ever the first record of a segment.
    Install,
    /// Which state the log continues, repeated at the start of each segment.
    StateNumber,
}

impl Kind {
    const fn code(self) -> u8 {
        match self {
            Self::Entry => 1,
            Self::HardState => 2,
            Self::CompactionMark => 3,
            Self::Install => 4,
            Self::StateNumber => 5,
        }
    }

    const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Entry),
            2 => Some(Self::HardState),
            3 => Some(Self::CompactionMark),
            4 => Some(Self::Install),
            5 => Some(Self::StateNumber),
            _ => None,
        }
    }
}

/// A record whose checksum holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame<'a> {
    pub(crate) kind: Kind,
    pub(crate) last_of_batch: bool,
    pub(crate) previous: u32,
    pub(crate) durable: u32,
    pub(crate) checksum: u32,
    pub(crate) payload: &'a [u8],
}

impl Frame<'_> {
    /// Bytes it takes in the segment.
    pub(crate) fn size(&self) -> usize {
        HEADER_BYTES + self.payload.len()
    }
}

/// What is at an offset.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Found<'a> {
    Frame(Frame<'a>),
    /// Zeros, or less than a header's room.
    End,
    Unsound,
}

/// Appends one record to `out` and returns its checksum, the `previous` of the next.
pub(crate) fn write(
    out: &mut Vec<u8>,
    seed: u32,
    previous: u32,
    durable: u32,
    kind: Kind,
    last_of_batch: bool,
    payload: &[u8],
) -> u32 {
    let start = out.len();
    let length = u32::try_from(payload.len()).expect("a record is smaller than 4 GiB");
    out.extend_from_slice(&length.to_le_bytes());
    out.push(kind.code());
    out.push(if last_of_batch { LAST_OF_BATCH } else { 0 });
    out.extend_from_slice(&[0, 0]);
    out.extend_from_slice(&previous.to_le_bytes());
    out.extend_from_slice(&durable.to_le_bytes());
    let checksum = checksum(seed, &out[start..], payload);
    out.extend_from_slice(&checksum.to_le_bytes());
    out.extend_from_slice(payload);
    checksum
}

/// Looks at the start of `bytes`.
pub(crate) fn read(bytes: &[u8], seed: u32) -> Found<'_> {
    let Some((header, rest)) = bytes.split_at_checked(HEADER_BYTES) else {
        return if bytes.iter().all(|byte| *byte == 0) { Found::End } else { Found::Unsound };
    };
    if header.iter().all(|byte| *byte == 0) {
        return Found::End;
    }
    let length = number(header, 0) as usize;
    let (Some(kind), 0..=LAST_OF_BATCH, [0, 0], Some(payload)) =
        (Kind::from_code(header[4]), header[5], &header[6..8], rest.get(..length))
    else {
        return Found::Unsound;
    };
    let found = number(header, 16);
    if checksum(seed, &header[..16], payload) != found {
        return Found::Unsound;
    }
    Found::Frame(Frame {
        kind,
        last_of_batch: header[5] == LAST_OF_BATCH,
        previous: number(header, 8),
        durable: number(header, 12),
        checksum: found,
        payload,
    })
}

/// Whether a sound record anywhere in `bytes` says that more than `offset` bytes of the segment were durable.
///
/// Looks at every byte, because damage may have hit the length of a record.
pub(crate) fn any_claims_durable_beyond(bytes: &[u8], seed: u32, offset: u32) -> bool {
    // No record begins in the zeros at the end.
    let written = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    (0..written).any(|at| match read(&bytes[at..], seed) {
        Found::Frame(frame) => frame.durable > offset,
        Found::End | Found::Unsound => false,
    })
}

/// Checks one record that was read back by its place.
pub(crate) fn expect(
    bytes: &[u8],
    seed: u32,
    kind: Kind,
    segment: u64,
    offset: u64,
) -> Result<&[u8], LogError> {
    match read(bytes, seed) {
        Found::Frame(frame) if frame.kind == kind && frame.size() == bytes.len() => {
            Ok(frame.payload)
        }
        _ => Err(LogError::Corrupt { segment, offset, damage: Damage::Record }),
    }
}

fn checksum(seed: u32, header: &[u8], payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new_with_initial(seed);
    hasher.update(header);
    hasher.update(payload);
    hasher.finalize()
}

fn number(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}
