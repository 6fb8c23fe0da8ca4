//! The archive: how are bases, segments and attestations put away and found again?
//!
//! ```text
//! {cluster}/mark                                   sealed; tells a wrong key
//! {cluster}/pulse                                  how far the archive is; said again and again
//! {cluster}/packs/{random}                         blocks, many to a pack
//! {cluster}/bases/{generation}-{index}             which blocks make up the state at an entry
//! {cluster}/segments/{generation}-{first}-{last}   committed entries
//! {cluster}/attested/{generation}-{index}-{node}   what another node holds
//! ```
//!
//! Numbers have twenty digits, so that names sort as what they mean. What is written is written once (but
//! for the pulse); only pruning removes. A base is written after its packs: one that is there is whole.

use std::{io, ops::Range, sync::Arc};

use bytes::Bytes;
use catalog_state::codec;
use futures_util::TryStreamExt as _;
use minicbor::{Decode, Encode};
use object_store::{ObjectStore, ObjectStoreExt as _, PutPayload, path::Path};
use tokio::runtime::Handle;

use crate::{
    Attestation, BackupKey, Base, Segment, SegmentError, Target,
    base::BaseError,
    seal::{self, HEADER_BYTES, ObjectKey, OpenError},
};

/// Why the archive did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// A file of its own cannot be read or made.
    #[error("{folder} cannot be used")]
    Folder {
        /// Which.
        folder: String,
        /// Why.
        source: io::Error,
    },
    /// The store of objects refused: full, away, not ours.
    #[error("could not {attempt} {object}")]
    Store {
        /// What was attempted, as a verb.
        attempt: &'static str,
        /// Which object.
        object: String,
        /// Why.
        source: object_store::Error,
    },
    /// Something that must be there is not.
    #[error("{object} is missing")]
    Missing {
        /// Which object.
        object: String,
    },
    /// An object does not open.
    #[error("{object}: {source}")]
    Sealed {
        /// Which object.
        object: String,
        /// Why.
        source: OpenError,
    },
    /// A base is none, or of a version that is not known here.
    #[error("{object} cannot be used")]
    Base {
        /// Which object.
        object: String,
        /// Why.
        source: BaseError,
    },
    /// A segment is none.
    #[error("{object} cannot be used")]
    Segment {
        /// Which object.
        object: String,
        /// Why.
        source: SegmentError,
    },
    /// An object is not what its name says.
    #[error("{object} is not what its name says")]
    Misnamed {
        /// Which object.
        object: String,
    },
}

impl ArchiveError {
    /// Whether the archive is damaged or lacks something, as opposed to not being reachable now.
    pub fn is_damage(&self) -> bool {
        !matches!(self, Self::Store { .. } | Self::Folder { .. })
    }
}

/// Name of a base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BaseName {
    /// The generation.
    pub generation: u64,
    /// The last entry in it.
    pub index: u64,
}

/// Name of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SegmentName {
    /// The generation.
    pub generation: u64,
    /// The first entry.
    pub first: u64,
    /// The last entry.
    pub last: u64,
}

impl BaseName {
    fn text(self) -> String {
        format!("bases/{:020}-{:020}", self.generation, self.index)
    }
}

impl SegmentName {
    fn text(self) -> String {
        format!("segments/{:020}-{:020}-{:020}", self.generation, self.first, self.last)
    }
}

impl std::fmt::Display for BaseName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "base of generation {} at entry {}", self.generation, self.index)
    }
}

impl std::fmt::Display for SegmentName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { generation, first, last } = self;
        write!(f, "segment of generation {generation}, entries {first} to {last}")
    }
}

/// How far the archive is, said again and again by the node that keeps it. Nothing is restored by it: it
/// lets the other nodes see whether somebody keeps the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Pulse {
    /// The node.
    #[n(0)]
    pub node: u64,
    /// The generation.
    #[n(1)]
    pub generation: u64,
    /// The last entry in the archive.
    #[n(2)]
    pub covered: u64,
    /// When that was everything that the node knew to be committed, in milliseconds since 1970.
    #[n(3)]
    pub covered_ms: u64,
    /// The newest base's entry; 0 = none.
    #[n(4)]
    pub base: u64,
    /// When that was made.
    #[n(5)]
    pub base_ms: u64,
}

/// What there is, by name; all in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// The bases.
    pub bases: Vec<BaseName>,
    /// The segments.
    pub segments: Vec<SegmentName>,
    /// Generation, index and node of each attestation.
    pub attested: Vec<(u64, u64, u64)>,
    /// The packs: name, bytes, and when each was written, in milliseconds since 1970.
    pub packs: Vec<(String, u64, u64)>,
}

/// The archive of one cluster. Its calls block; never make them on a thread of the runtime.
#[derive(Debug, Clone)]
pub struct Archive {
    store: Arc<dyn ObjectStore>,
    runtime: Handle,
    key: BackupKey,
    cluster_id: [u8; 16],
    prefix: String,
}

/// What the mark holds.
const MARK: &[u8] = b"luqiao backup 1";

impl Archive {
    /// The archive of `cluster_id` at `target`. Refused if what is there is sealed with another key.
    pub fn open(
        target: &Target,
        key: BackupKey,
        cluster_id: [u8; 16],
        runtime: Handle,
    ) -> Result<Self, ArchiveError> {
        let prefix = crate::hex(&cluster_id);
        let archive = Self { store: target.open()?, runtime, key, cluster_id, prefix };
        match archive.read("mark") {
            Ok(_) | Err(ArchiveError::Missing { .. }) => Ok(archive),
            Err(error) => Err(error),
        }
    }

    /// Whose archive it is.
    pub fn cluster_id(&self) -> [u8; 16] {
        self.cluster_id
    }

    fn path(&self, name: &str) -> Path {
        Path::from(format!("{}/{name}", self.prefix))
    }

    /// Makes the mark, before the first object is written.
    pub fn begin(&self) -> Result<(), ArchiveError> {
        match self.read("mark") {
            Err(ArchiveError::Missing { .. }) => {
                let object = seal::seal(&self.key, "mark", MARK);
                self.put("mark", object)
            }
            other => other.map(drop),
        }
    }

    fn put(&self, name: &str, object: Vec<u8>) -> Result<(), ArchiveError> {
        let (path, payload) = (self.path(name), PutPayload::from(object));
        let stored = self.runtime.block_on(self.store.put(&path, payload));
        stored.map(drop).map_err(|source| failed("write", name, source))
    }

    fn get(&self, name: &str) -> Result<Bytes, ArchiveError> {
        let path = self.path(name);
        let got = self.runtime.block_on(async { self.store.get(&path).await?.bytes().await });
        got.map_err(|source| failed("read", name, source))
    }

    fn get_range(&self, name: &str, range: Range<u64>) -> Result<Bytes, ArchiveError> {
        let path = self.path(name);
        let got = self.runtime.block_on(self.store.get_range(&path, range));
        got.map_err(|source| failed("read", name, source))
    }

    /// Removes an object; one that is gone already is no error.
    fn delete(&self, name: &str) -> Result<(), ArchiveError> {
        match self.runtime.block_on(self.store.delete(&self.path(name))) {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(source) => Err(failed("remove", name, source)),
        }
    }

    fn read(&self, name: &str) -> Result<Vec<u8>, ArchiveError> {
        let object = self.get(name)?;
        seal::open(&self.key, name, &object).map_err(|source| sealed(name, source))
    }

    fn write(&self, name: &str, plain: &[u8]) -> Result<(), ArchiveError> {
        self.put(name, seal::seal(&self.key, name, plain))
    }

    /// What there is. Names of no form that is known are passed over.
    pub fn list(&self) -> Result<Listing, ArchiveError> {
        let root = Path::from(self.prefix.as_str());
        let listing = self.store.list(Some(&root)).try_collect::<Vec<_>>();
        let found = self.runtime.block_on(listing);
        let found = found.map_err(|source| failed("list", &self.prefix, source))?;
        let mut listing = Listing::default();
        for meta in found {
            let path = meta.location.to_string();
            let name = path.strip_prefix(&self.prefix).unwrap_or(&path).trim_start_matches('/');
            let Some((kind, rest)) = name.split_once('/') else { continue };
            let numbers: Vec<u64> = rest.split('-').filter_map(|part| part.parse().ok()).collect();
            match (kind, numbers.as_slice()) {
                ("bases", &[generation, index]) => {
                    listing.bases.push(BaseName { generation, index });
                }
                ("segments", &[generation, first, last]) => {
                    listing.segments.push(SegmentName { generation, first, last });
                }
                ("attested", &[generation, index, node]) => {
                    listing.attested.push((generation, index, node));
                }
                ("packs", _) => {
                    let written = meta.last_modified.timestamp_millis();
                    let written = u64::try_from(written).unwrap_or_default();
                    listing.packs.push((rest.to_owned(), meta.size, written));
                }
                _ => {}
            }
        }
        listing.bases.sort_unstable();
        listing.segments.sort_unstable();
        listing.attested.sort_unstable();
        listing.packs.sort_unstable();
        Ok(listing)
    }

    /// A base's list of blocks.
    pub fn read_base(&self, name: BaseName) -> Result<Base, ArchiveError> {
        let object = name.text();
        let bytes = self.read(&object)?;
        let base = Base::decode(&bytes)
            .map_err(|source| ArchiveError::Base { object: object.clone(), source })?;
        let found = (base.manifest.cluster_id, base.manifest.generation, base.manifest.index);
        if found != (self.cluster_id, name.generation, name.index) {
            return Err(ArchiveError::Misnamed { object });
        }
        Ok(base)
    }

    /// Writes a base whose packs are written.
    pub(crate) fn write_base(&self, base: &Base) -> Result<BaseName, ArchiveError> {
        let name = BaseName { generation: base.manifest.generation, index: base.manifest.index };
        self.write(&name.text(), &base.encode())?;
        Ok(name)
    }

    /// A segment.
    pub fn read_segment(&self, name: SegmentName) -> Result<Segment, ArchiveError> {
        let object = name.text();
        let bytes = self.read(&object)?;
        let segment = Segment::decode(&bytes)
            .map_err(|source| ArchiveError::Segment { object: object.clone(), source })?;
        let found = (segment.cluster_id, segment.generation, segment.first(), segment.last());
        if found != (self.cluster_id, name.generation, name.first, name.last) {
            return Err(ArchiveError::Misnamed { object });
        }
        Ok(segment)
    }

    /// Seals a segment.
    pub fn write_segment(&self, segment: &Segment) -> Result<SegmentName, ArchiveError> {
        let name = SegmentName {
            generation: segment.generation,
            first: segment.first(),
            last: segment.last(),
        };
        self.write(&name.text(), &segment.encode())?;
        Ok(name)
    }

    /// What another node said of the state at an entry.
    pub fn read_attestation(
        &self,
        generation: u64,
        index: u64,
        node: u64,
    ) -> Result<Attestation, ArchiveError> {
        let object = attested_name(generation, index, node);
        let bytes = self.read(&object)?;
        let misnamed = || ArchiveError::Misnamed { object: object.clone() };
        let said: Attestation = codec::decode(&bytes).map_err(|_| misnamed())?;
        let found = (said.cluster_id, said.generation, said.index, said.node);
        if found == (self.cluster_id, generation, index, node) { Ok(said) } else { Err(misnamed()) }
    }

    /// Keeps what another node said.
    pub fn write_attestation(&self, said: &Attestation) -> Result<(), ArchiveError> {
        let name = attested_name(said.generation, said.index, said.node);
        self.write(&name, &codec::encode(said))
    }

    /// What the node that keeps the archive said last; `None` if none ever did.
    pub fn read_pulse(&self) -> Result<Option<Pulse>, ArchiveError> {
        match self.read("pulse") {
            Ok(bytes) => Ok(codec::decode(&bytes).ok()),
            Err(ArchiveError::Missing { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Says how far the archive is.
    pub fn write_pulse(&self, pulse: &Pulse) -> Result<(), ArchiveError> {
        self.write("pulse", &codec::encode(pulse))
    }

    /// Writes a pack and returns when it lies there.
    pub(crate) fn write_pack(&self, name: &str, object: Vec<u8>) -> Result<(), ArchiveError> {
        self.put(&pack_name(name), object)
    }

    /// A key for a new pack.
    pub(crate) fn pack_key(&self, name: &str) -> ObjectKey {
        ObjectKey::new(&self.key, &pack_name(name))
    }

    /// The key of a pack that lies there.
    pub(crate) fn open_pack(&self, name: &str) -> Result<ObjectKey, ArchiveError> {
        let object = pack_name(name);
        let header = self.get_range(&object, 0..HEADER_BYTES as u64)?;
        ObjectKey::of_header(&self.key, &object, &header).map_err(|source| sealed(&object, source))
    }

    /// Part of a pack.
    pub(crate) fn read_pack(&self, name: &str, range: Range<u64>) -> Result<Bytes, ArchiveError> {
        self.get_range(&pack_name(name), range)
    }

    /// Removes what `prunable` names, packs last: what is interrupted leaves too much, never too little.
    pub fn remove(&self, prunable: &crate::Prunable) -> Result<(), ArchiveError> {
        for base in &prunable.bases {
            self.delete(&base.text())?;
        }
        for segment in &prunable.segments {
            self.delete(&segment.text())?;
        }
        for (generation, index, node) in &prunable.attested {
            self.delete(&attested_name(*generation, *index, *node))?;
        }
        for pack in &prunable.packs {
            self.delete(&pack_name(pack))?;
        }
        Ok(())
    }
}

fn pack_name(name: &str) -> String {
    format!("packs/{name}")
}

fn attested_name(generation: u64, index: u64, node: u64) -> String {
    format!("attested/{generation:020}-{index:020}-{node:020}")
}

fn failed(attempt: &'static str, object: &str, source: object_store::Error) -> ArchiveError {
    match source {
        object_store::Error::NotFound { .. } => ArchiveError::Missing { object: object.to_owned() },
        source => ArchiveError::Store { attempt, object: object.to_owned(), source },
    }
}

pub(crate) fn sealed(object: &str, source: OpenError) -> ArchiveError {
    ArchiveError::Sealed { object: object.to_owned(), source }
}
