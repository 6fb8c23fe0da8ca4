//! Which file is a segment, whose is it, and what follows what?

use std::fmt;

use crate::{Damage, LogError};

/// The newest format this program knows. A reader that meets a higher one stops.
///
/// 1 has entries, hard states and compaction marks; 2 may have installs and state numbers too. A segment
/// has the lowest version that can hold it, so that a log without snapshots stays readable to the programs
/// that wrote it.
pub(crate) const FORMAT_VERSION: u32 = 2;

/// Bytes before the first record.
pub(crate) const HEADER_BYTES: usize = 64;

const MAGIC: [u8; 8] = *b"LUQIAOLG";
const NAME_SUFFIX: &str = ".segment";

/// A segment carries this suffix until its header is durable.
pub(crate) const UNFINISHED_SUFFIX: &str = ".segment.new";

/// Whose log it is: a log copied to another machine, or found after a disk was wiped, must not vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreIdentity {
    /// The cluster, drawn when it was created.
    pub cluster_id: [u8; 16],
    /// This node's store, drawn when its folder was created; never drawn again for the same id.
    pub store_uuid: [u8; 16],
}

impl fmt::Display for StoreIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "cluster {:032x}, store {:032x}",
            u128::from_be_bytes(self.cluster_id),
            u128::from_be_bytes(self.store_uuid)
        )
    }
}

/// The first bytes of a segment.
///
/// ```text
///  0 magic       8 bytes
///  8 format      u32
/// 12 reserved    u32  0
/// 16 cluster id 16 bytes
/// 32 store uuid 16 bytes
/// 48 number      u64
/// 56 previous    u32  checksum of the last record of the segment before; 0 in the first
/// 60 checksum    u32  CRC-32 over the bytes 0..60; also the seed of every record's checksum
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) identity: StoreIdentity,
    pub(crate) number: u64,
    pub(crate) previous: u32,
    /// The format version.
    pub(crate) format: u32,
}

impl Header {
    pub(crate) fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[0..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&self.format.to_le_bytes());
        bytes[16..32].copy_from_slice(&self.identity.cluster_id);
        bytes[32..48].copy_from_slice(&self.identity.store_uuid);
        bytes[48..56].copy_from_slice(&self.number.to_le_bytes());
        bytes[56..60].copy_from_slice(&self.previous.to_le_bytes());
        let checksum = crc32fast::hash(&bytes[..60]);
        bytes[60..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// Reads the header of segment `number` and the seed of its records.
    pub(crate) fn decode(
        bytes: &[u8],
        number: u64,
        expected: StoreIdentity,
    ) -> Result<(Self, u32), LogError> {
        let damaged = LogError::Corrupt { segment: number, offset: 0, damage: Damage::Header };
        let Some(bytes) = bytes.first_chunk::<HEADER_BYTES>() else {
            return Err(damaged);
        };
        let seed = u32::from_le_bytes(four(bytes, 60));
        if bytes[0..8] != MAGIC || crc32fast::hash(&bytes[..60]) != seed {
            return Err(damaged);
        }
        let format = u32::from_le_bytes(four(bytes, 8));
        if !(1..=FORMAT_VERSION).contains(&format) {
            return Err(LogError::UnsupportedFormat {
                segment: number,
                found: format,
                known: FORMAT_VERSION,
            });
        }
        let mut identity = StoreIdentity { cluster_id: [0; 16], store_uuid: [0; 16] };
        identity.cluster_id.copy_from_slice(&bytes[16..32]);
        identity.store_uuid.copy_from_slice(&bytes[32..48]);
        if identity != expected {
            return Err(LogError::ForeignStore { segment: number, found: identity, expected });
        }
        let mut own_number = [0; 8];
        own_number.copy_from_slice(&bytes[48..56]);
        if u64::from_le_bytes(own_number) != number {
            return Err(damaged);
        }
        let previous = u32::from_le_bytes(four(bytes, 56));
        Ok((Self { identity, number, previous, format }, seed))
    }
}

/// The name of segment `number`; names sort as numbers do.
pub(crate) fn name(number: u64) -> String {
    format!("{number:016}{NAME_SUFFIX}")
}

/// The name a segment has until it may be relied upon.
pub(crate) fn unfinished_name(number: u64) -> String {
    format!("{number:016}{UNFINISHED_SUFFIX}")
}

/// The number in a segment's name; `None` for any other file.
pub(crate) fn number(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(NAME_SUFFIX)?;
    (digits.len() == 16).then(|| digits.parse().ok())?
}

fn four(bytes: &[u8; HEADER_BYTES], at: usize) -> [u8; 4] {
    [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]
}
