//! The receiving end: which block is wanted next, and is the whole what was promised?
//!
//! No input or output: bytes go in, rows come out. A receiver that was stopped goes on from its
//! [`Progress`]; what it let through before is not checked again.

use minicbor::{Decode, Encode};

use super::{BlockError, BlockFault, Manifest, ManifestError, read_block};
use crate::{codec, keys, rows::ClusterConfig, store::Row};

/// Where a transfer stands, to be kept beside what has arrived.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub struct Progress {
    /// Blocks that have arrived and were found good.
    #[n(0)]
    pub blocks: u32,
    /// The key of the last row.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    last_key: Vec<u8>,
    /// What the rows so far say of whose state it is.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    cluster_id: Option<[u8; 16]>,
    /// See `cluster_id`.
    #[n(3)]
    generation: u64,
    /// The level row, if there is one.
    #[n(4)]
    level: Option<u32>,
    /// The hash row.
    #[n(5)]
    #[cbor(with = "minicbor::bytes")]
    state_hash: Option<[u8; 32]>,
}

/// A snapshot on its way in.
#[derive(Debug, Clone)]
pub struct Receiver {
    manifest: Manifest,
    progress: Progress,
}

impl Receiver {
    /// Nothing has arrived yet.
    pub fn new(manifest: Manifest) -> Result<Self, ManifestError> {
        Self::resume(manifest, Progress::default())
    }

    /// `progress` was reached with this manifest before.
    pub fn resume(manifest: Manifest, progress: Progress) -> Result<Self, ManifestError> {
        manifest.check()?;
        if progress.blocks as usize > manifest.blocks.len() {
            return Err(ManifestError::Place(progress.blocks));
        }
        Ok(Self { manifest, progress })
    }

    /// What is being received.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Where the transfer stands.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// The next block; `None` once all are here.
    pub fn wants(&self) -> Option<u32> {
        ((self.progress.blocks as usize) < self.manifest.blocks.len())
            .then_some(self.progress.blocks)
    }

    /// Whether all blocks are here and are the state that was promised.
    pub fn done(&self) -> bool {
        self.wants().is_none()
    }

    /// Takes block `number` and returns its rows. After an error the receiver stands where it stood.
    pub fn take(&mut self, number: u32, bytes: &[u8]) -> Result<Vec<Row>, BlockError> {
        if self.wants() != Some(number) {
            return Err(BlockError { number, fault: BlockFault::Turn });
        }
        let info = &self.manifest.blocks[number as usize];
        let after = (number > 0).then_some(self.progress.last_key.as_slice());
        let rows = read_block(number, info, after, bytes)?;
        let mut progress = self.progress.clone();
        progress.blocks += 1;
        progress.see(&rows).ok_or(BlockError { number, fault: BlockFault::State })?;
        let last = progress.blocks as usize == self.manifest.blocks.len();
        if last && !progress.fits(&self.manifest) {
            return Err(BlockError { number, fault: BlockFault::State });
        }
        self.progress = progress;
        Ok(rows)
    }
}

impl Progress {
    /// Remembers what rows say of the state itself; `None` if one of these does not decode.
    fn see(&mut self, rows: &[Row]) -> Option<()> {
        let (cluster, level) = (keys::meta::cluster(), keys::meta::level());
        let state_hash = keys::meta::state_hash();
        for (key, value) in rows {
            if key == cluster.as_slice() {
                let row: ClusterConfig = codec::decode(value).ok()?;
                (self.cluster_id, self.generation) = (Some(row.cluster_id), row.generation);
            } else if key == level.as_slice() {
                self.level = Some(codec::decode(value).ok()?);
            } else if key == state_hash.as_slice() {
                self.state_hash = Some(value.as_slice().try_into().ok()?);
            }
        }
        self.last_key.clone_from(&rows.last()?.0);
        Some(())
    }

    /// Whether the rows are those of the manifest. How many there were is known from the blocks.
    fn fits(&self, manifest: &Manifest) -> bool {
        self.cluster_id == Some(manifest.cluster_id)
            && self.generation == manifest.generation
            && self.level.unwrap_or(1) == manifest.level
            && self.state_hash == Some(manifest.state_hash)
    }
}
