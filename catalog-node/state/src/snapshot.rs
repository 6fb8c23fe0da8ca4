//! Snapshots: how does the whole state get to another node, so that both hold the same?
//!
//! Logical, not files: the rows in key order, cut into blocks. Two stores with the same rows give
//! the same blocks, whatever happened to them before and on whichever engine they lie; a transfer
//! that broke goes on from any node that has the manifest. The [`Manifest`] names every block by
//! its digest and travels inside raft's message; the blocks follow outside of it.
//!
//! What arrives is believed block by block: digest first, then form, then the order of keys, at the
//! end the sums and the state hash. Nothing of a block that fails any of these is handed out.
//!
//! A block is `[format]` and then rows: `key length, key, value length, value`, lengths as four
//! bytes, big-endian.

mod by_key;
mod receiver;

pub use by_key::{ContentDigest, KeyedBlocks, cut_by_key, cut_rows_by_key};
pub use receiver::{Progress, Receiver};

use catalog_mutation::{Mutation, active};
use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};

use crate::{
    codec,
    command::LEVEL,
    keys::Table,
    machine::state_hash,
    store::{Row, Store},
    view::View,
};

/// The only format so far, of the manifest and of blocks.
pub const FORMAT: u32 = 1;

/// Size at which a block is cut. One that holds a single row may be larger.
pub const BLOCK_BYTES: usize = 1 << 20;

/// Above every key: tables are numbered far below.
const END: [u8; 1] = [0xff];

/// What a snapshot is: the state after one log entry, and its blocks.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Manifest {
    /// [`FORMAT`].
    #[n(0)]
    pub format: u32,
    /// Whose state it is.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub cluster_id: [u8; 16],
    /// The cluster's generation.
    #[n(2)]
    pub generation: u64,
    /// The last log entry that is in it.
    #[n(3)]
    pub index: u64,
    /// That entry's term.
    #[n(4)]
    pub term: u64,
    /// Who takes part in raft after that entry; the replica's own bytes.
    #[n(5)]
    #[cbor(with = "minicbor::bytes")]
    pub membership: Vec<u8>,
    /// The level of commands that the cluster uses: a node that cannot apply it needs no copy.
    #[n(6)]
    pub level: u32,
    /// The hash chain after that entry.
    #[n(7)]
    #[cbor(with = "minicbor::bytes")]
    pub state_hash: [u8; 32],
    /// Rows of all blocks.
    #[n(8)]
    pub rows: u64,
    /// Bytes of all blocks.
    #[n(9)]
    pub bytes: u64,
    /// The blocks, in order.
    #[n(10)]
    pub blocks: Vec<BlockInfo>,
}

/// What a manifest knows of a block.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct BlockInfo {
    /// SHA-256 of its bytes.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub digest: [u8; 32],
    /// How many bytes it has.
    #[n(1)]
    pub bytes: u32,
    /// How many rows.
    #[n(2)]
    pub rows: u32,
}

/// The place in the log at which a snapshot is taken, and who takes part there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The last entry that is in the state.
    pub index: u64,
    /// Its term.
    pub term: u64,
    /// The replica's bytes for the membership after it.
    pub membership: Vec<u8>,
}

/// Bytes that are no manifest of ours.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// They do not decode.
    #[error("the manifest does not decode")]
    Undecodable(#[from] codec::DecodeError),
    /// A newer version made it.
    #[error("the snapshot has format {0}; this version reads {FORMAT}")]
    Format(u32),
    /// Nobody here could apply what comes after it.
    #[error("the snapshot is of level {0}; this version applies up to {LEVEL}")]
    Level(u32),
    /// It contradicts itself.
    #[error("the manifest's sums do not fit its blocks")]
    Sums,
    /// Where a transfer stopped is no place in this manifest.
    #[error("a transfer cannot go on at block {0}")]
    Place(u32),
}

/// A block that must not be used. The snapshot is fetched again, from this block on or from
/// another node.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("block {number} of the snapshot: {fault}")]
pub struct BlockError {
    /// Which block, from 0.
    pub number: u32,
    /// What is wrong with it.
    pub fault: BlockFault,
}

/// What is wrong with a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BlockFault {
    /// Another block is wanted now.
    #[error("it is not its turn")]
    Turn,
    /// Not the bytes that the manifest names.
    #[error("its digest is not the manifest's")]
    Digest,
    /// A format that this version does not know.
    #[error("its format is not known to this version")]
    Format,
    /// Rows that end before they should, or more or fewer than the manifest says.
    #[error("its rows do not fit its length")]
    Rows,
    /// A key that does not follow the one before.
    #[error("its keys are not in order")]
    Order,
    /// All blocks are here, and they are not the state that the manifest promised.
    #[error("the rows are not the state of the manifest")]
    State,
}

impl Manifest {
    /// The manifest of what is in `store` at `position`, cut into `blocks`. `None` before
    /// bootstrap: there is nothing yet that another node could not read from the log.
    pub fn of(store: &dyn Store, position: Position, blocks: Vec<BlockInfo>) -> Option<Self> {
        let view = View(store);
        let cluster = view.cluster()?;
        Some(Self {
            format: FORMAT,
            cluster_id: cluster.cluster_id,
            generation: cluster.generation,
            index: position.index,
            term: position.term,
            membership: position.membership,
            level: view.level(),
            state_hash: state_hash(store),
            rows: blocks.iter().map(|block| u64::from(block.rows)).sum(),
            bytes: blocks.iter().map(|block| u64::from(block.bytes)).sum(),
            blocks,
        })
    }

    /// The bytes that travel.
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// The manifest in `bytes`, if it is one that this version can read and that fits itself.
    pub fn decode(bytes: &[u8]) -> Result<Self, ManifestError> {
        let manifest: Self = codec::decode(bytes)?;
        if manifest.format != FORMAT {
            return Err(ManifestError::Format(manifest.format));
        }
        if manifest.level > LEVEL {
            return Err(ManifestError::Level(manifest.level));
        }
        manifest.check()?;
        Ok(manifest)
    }

    fn check(&self) -> Result<(), ManifestError> {
        let rows: u64 = self.blocks.iter().map(|block| u64::from(block.rows)).sum();
        let bytes: u64 = self.blocks.iter().map(|block| u64::from(block.bytes)).sum();
        let numbered = u32::try_from(self.blocks.len()).is_ok();
        let empty = self.blocks.is_empty() || self.blocks.iter().any(|block| block.rows == 0);
        if rows != self.rows || bytes != self.bytes || empty || !numbered {
            return Err(ManifestError::Sums);
        }
        Ok(())
    }

    /// Its name: SHA-256 of its bytes. Blocks are asked for under it.
    pub fn id(&self) -> [u8; 32] {
        Sha256::digest(self.encode()).into()
    }
}

/// Rows that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// As they travel.
    pub bytes: Vec<u8>,
    /// How many rows.
    pub rows: u32,
    /// The key of the first: where [`cut_from`] begins to cut this block again.
    pub first_key: Vec<u8>,
}

impl Block {
    /// What a manifest says of it.
    pub fn info(&self) -> BlockInfo {
        BlockInfo {
            digest: Sha256::digest(&self.bytes).into(),
            bytes: self.bytes.len() as u32,
            rows: self.rows,
        }
    }
}

/// The blocks of a store, one at a time: memory for one block, one pass over the rows.
pub fn cut(store: &dyn Store, block_bytes: usize) -> Blocks<'_> {
    cut_from(store, &[], block_bytes)
}

/// The blocks from the one that begins with `first_key` on. The same block sizes give the same
/// blocks as [`cut`] does.
pub fn cut_from<'a>(store: &'a dyn Store, first_key: &[u8], block_bytes: usize) -> Blocks<'a> {
    let lost = |key: &[u8]| {
        active(Mutation::SnapshotWithoutRetries) && key.first() == Some(&(Table::Idempotency as u8))
    };
    cut_rows(store.range(first_key, &END).filter(move |(key, _)| !lost(key)), block_bytes)
}

/// The blocks of rows that come in the order of their keys.
pub fn cut_rows<'a>(rows: impl Iterator<Item = Row> + 'a, block_bytes: usize) -> Blocks<'a> {
    Blocks { rows: Box::new(rows), held: None, block_bytes }
}

/// An iterator over blocks.
pub struct Blocks<'a> {
    rows: Box<dyn Iterator<Item = Row> + 'a>,
    /// The row that did not fit into the block before.
    held: Option<Row>,
    block_bytes: usize,
}

impl std::fmt::Debug for Blocks<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Blocks").field("block_bytes", &self.block_bytes).finish_non_exhaustive()
    }
}

impl Iterator for Blocks<'_> {
    type Item = Block;

    fn next(&mut self) -> Option<Block> {
        let first = self.held.take().or_else(|| self.rows.next())?;
        let mut block = Block { bytes: vec![FORMAT as u8], rows: 0, first_key: first.0.clone() };
        block.push(&first);
        for row in self.rows.by_ref() {
            if block.bytes.len() + 8 + row.0.len() + row.1.len() > self.block_bytes {
                self.held = Some(row);
                break;
            }
            block.push(&row);
        }
        Some(block)
    }
}

impl Block {
    fn push(&mut self, (key, value): &Row) {
        for part in [key, value] {
            let length = u32::try_from(part.len()).expect("keys and values are below 4 GiB");
            self.bytes.extend_from_slice(&length.to_be_bytes());
            self.bytes.extend_from_slice(part);
        }
        self.rows += 1;
    }
}

/// The rows of block `number`, which `info` describes and `bytes` claims to be. `after` is the last
/// key of the block before it.
pub fn read_block(
    number: u32,
    info: &BlockInfo,
    after: Option<&[u8]>,
    bytes: &[u8],
) -> Result<Vec<Row>, BlockError> {
    let fault = |fault| Err(BlockError { number, fault });
    let digest: [u8; 32] = Sha256::digest(bytes).into();
    let good = bytes.len() == info.bytes as usize && digest == info.digest;
    if !good && !active(Mutation::SnapshotNotVerified) {
        return fault(BlockFault::Digest);
    }
    let Some((&format, mut rest)) = bytes.split_first() else { return fault(BlockFault::Rows) };
    if u32::from(format) != FORMAT {
        return fault(BlockFault::Format);
    }
    // What a peer says of its number of rows is not worth memory before the rows are seen.
    let mut rows: Vec<Row> = Vec::new();
    while !rest.is_empty() {
        let Some(key) = part(&mut rest) else { return fault(BlockFault::Rows) };
        let Some(value) = part(&mut rest) else { return fault(BlockFault::Rows) };
        let last = rows.last().map(|(key, _)| key.as_slice()).or(after);
        if last.is_some_and(|last| key <= last) {
            return fault(BlockFault::Order);
        }
        rows.push((key.to_vec(), value.to_vec()));
    }
    if rows.len() != info.rows as usize {
        return fault(BlockFault::Rows);
    }
    Ok(rows)
}

/// A length and as many bytes.
fn part<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, after) = rest.split_first_chunk::<4>()?;
    let (part, after) = after.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    *rest = after;
    Some(part)
}

#[cfg(test)]
mod tests;
