//! Bases: of which blocks is the state at an entry made, and where do they lie?
//!
//! A base is a list. Blocks that an earlier base has are named where they lie; the others go into new
//! packs. A pack that is mostly dead weight is not leant on any more: its living blocks are written again,
//! so that what pruning can free grows with time and not without end.

use std::collections::{BTreeMap, HashMap};

use catalog_state::{
    codec,
    command::LEVEL,
    snapshot::{Block, BlockError, BlockInfo, ContentDigest, read_block},
    store::Row,
};
use minicbor::{Decode, Encode};
use ring::rand::{SecureRandom, SystemRandom};

use crate::{
    archive::{Archive, ArchiveError, BaseName, sealed},
    seal::{ObjectKey, OpenError},
};

/// The only format so far.
const FORMAT: u32 = 1;

/// Size at which a pack is written: few objects, and little to read for one block.
const PACK_BYTES: usize = 8 << 20;

/// How much is read at a time.
const READ_BYTES: u64 = 4 << 20;

/// A pack of which less than one part in so many is alive is left behind.
const LIVE_PART: u64 = 4;

/// What a base says of the state.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct BaseManifest {
    /// The format.
    #[n(0)]
    pub format: u32,
    /// Whose state it is.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub cluster_id: [u8; 16],
    /// Its generation.
    #[n(2)]
    pub generation: u64,
    /// The last entry in it.
    #[n(3)]
    pub index: u64,
    /// That entry's term.
    #[n(4)]
    pub term: u64,
    /// Who took part in raft after it; the replica's own bytes.
    #[n(5)]
    #[cbor(with = "minicbor::bytes")]
    pub membership: Vec<u8>,
    /// The level of commands that the cluster used.
    #[n(6)]
    pub level: u32,
    /// The hash chain after that entry.
    #[n(7)]
    #[cbor(with = "minicbor::bytes")]
    pub state_hash: [u8; 32],
    /// The committed clock, in milliseconds.
    #[n(8)]
    pub clock_ms: u64,
    /// Digest over the blocks in order.
    #[n(9)]
    #[cbor(with = "minicbor::bytes")]
    pub content: [u8; 32],
    /// Rows of all blocks.
    #[n(10)]
    pub rows: u64,
    /// Bytes of all blocks.
    #[n(11)]
    pub bytes: u64,
    /// When it was made, by the node's clock, in milliseconds since 1970.
    #[n(12)]
    pub made_ms: u64,
    /// The node that made it.
    #[n(13)]
    pub node: u64,
}

/// A block, and where it lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct BlockRef {
    /// SHA-256 of its bytes.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub digest: [u8; 32],
    /// Its bytes.
    #[n(1)]
    pub bytes: u32,
    /// Its rows.
    #[n(2)]
    pub rows: u32,
    /// Which of the base's packs.
    #[n(3)]
    pub pack: u32,
    /// Which frame of the pack.
    #[n(4)]
    pub frame: u32,
    /// Where that begins in the pack.
    #[n(5)]
    pub offset: u64,
    /// How many bytes it has there.
    #[n(6)]
    pub stored: u32,
}

impl BlockRef {
    /// What is known of the block itself.
    pub fn info(&self) -> BlockInfo {
        BlockInfo { digest: self.digest, bytes: self.bytes, rows: self.rows }
    }
}

/// A pack that a base needs.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PackRef {
    /// Its name.
    #[n(0)]
    pub name: String,
    /// Its bytes.
    #[n(1)]
    pub bytes: u64,
}

/// A base: what it says, and its blocks in order.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Base {
    /// What it says of the state.
    #[n(0)]
    pub manifest: BaseManifest,
    /// The packs that it needs.
    #[n(1)]
    pub packs: Vec<PackRef>,
    /// Its blocks, in the order of their keys.
    #[n(2)]
    pub blocks: Vec<BlockRef>,
}

/// Why a base cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BaseError {
    /// It does not decode.
    #[error("it does not decode")]
    Undecodable,
    /// A newer version wrote it.
    #[error("it has format {0}; this version reads {FORMAT}")]
    Format(u32),
    /// Nobody here could apply what comes after it.
    #[error("it is of level {0}; this version applies up to {LEVEL}")]
    Level(u32),
    /// Its blocks are not those of its content digest.
    #[error("its blocks are not those of its content digest")]
    Content,
    /// A block is not what the list says.
    #[error("one of its blocks is not what the list says")]
    Block(#[from] BlockError),
}

impl Base {
    /// The bytes to be sealed.
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// The base in `bytes`, if it is one that this version can use and that fits itself.
    pub fn decode(bytes: &[u8]) -> Result<Self, BaseError> {
        let base: Self = codec::decode(bytes).map_err(|_| BaseError::Undecodable)?;
        if base.manifest.format != FORMAT {
            return Err(BaseError::Format(base.manifest.format));
        }
        if base.manifest.level > LEVEL {
            return Err(BaseError::Level(base.manifest.level));
        }
        let mut content = ContentDigest::default();
        base.blocks.iter().for_each(|block| content.block(&block.info()));
        let sums = (content.rows, content.bytes) == (base.manifest.rows, base.manifest.bytes);
        let placed = base.blocks.iter().all(|block| (block.pack as usize) < base.packs.len());
        if !sums || !placed || content.finish() != base.manifest.content {
            return Err(BaseError::Content);
        }
        Ok(base)
    }

    /// Bytes of living blocks in each pack, as they are stored.
    fn live(&self) -> Vec<u64> {
        let mut live = vec![0; self.packs.len()];
        for block in &self.blocks {
            live[block.pack as usize] += u64::from(block.stored);
        }
        live
    }
}

/// What writing a base cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Its name.
    pub base: BaseName,
    /// Its blocks.
    pub blocks: u64,
    /// Of these, written now.
    pub new_blocks: u64,
    /// Bytes that went to the archive, without the list.
    pub new_bytes: u64,
}

/// What a writer is told of the state when all blocks are there; the rest it knows itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The generation.
    pub generation: u64,
    /// The last entry.
    pub index: u64,
    /// Its term.
    pub term: u64,
    /// The membership after it.
    pub membership: Vec<u8>,
    /// The level.
    pub level: u32,
    /// The hash chain.
    pub state_hash: [u8; 32],
    /// The committed clock.
    pub clock_ms: u64,
    /// The node's clock.
    pub made_ms: u64,
    /// The node.
    pub node: u64,
}

/// Writes a base: told the blocks in order, it writes those that are new.
#[derive(Debug)]
pub struct BaseWriter<'a> {
    archive: &'a Archive,
    /// Where known blocks lie: name of the pack, and the reference with the pack's number left open.
    known: HashMap<[u8; 32], (usize, BlockRef)>,
    known_packs: Vec<PackRef>,
    /// Number in this base of each known pack that it uses.
    numbers: BTreeMap<usize, u32>,
    packs: Vec<PackRef>,
    blocks: Vec<BlockRef>,
    content: ContentDigest,
    open: Option<OpenPack>,
    new_blocks: u64,
    new_bytes: u64,
}

#[derive(Debug)]
struct OpenPack {
    name: String,
    number: u32,
    key: ObjectKey,
    object: Vec<u8>,
    frames: u32,
}

impl<'a> BaseWriter<'a> {
    /// A writer that leans on `before`, where there is one.
    pub fn new(archive: &'a Archive, before: Option<&Base>) -> Self {
        let mut known = HashMap::new();
        let mut known_packs = Vec::new();
        if let Some(before) = before {
            known_packs.clone_from(&before.packs);
            let live = before.live();
            for block in &before.blocks {
                let pack = block.pack as usize;
                if live[pack] * LIVE_PART >= known_packs[pack].bytes {
                    known.insert(block.digest, (pack, *block));
                }
            }
        }
        Self {
            archive,
            known,
            known_packs,
            numbers: BTreeMap::new(),
            packs: Vec::new(),
            blocks: Vec::new(),
            content: ContentDigest::default(),
            open: None,
            new_blocks: 0,
            new_bytes: 0,
        }
    }

    /// Takes the next block.
    pub fn block(&mut self, block: &Block) -> Result<(), ArchiveError> {
        let info = block.info();
        self.content.block(&info);
        if let Some((pack, mut known)) = self.known.get(&info.digest).copied() {
            let (packs, known_packs) = (&mut self.packs, &self.known_packs);
            known.pack = *self.numbers.entry(pack).or_insert_with(|| {
                packs.push(known_packs[pack].clone());
                packs.len() as u32 - 1
            });
            self.blocks.push(known);
            return Ok(());
        }
        let open = match &mut self.open {
            Some(open) => open,
            none => {
                let name = random_name();
                let key = self.archive.pack_key(&name);
                self.packs.push(PackRef { name: name.clone(), bytes: 0 });
                let number = self.packs.len() as u32 - 1;
                let object = key.header();
                none.insert(OpenPack { name, number, key, object, frames: 0 })
            }
        };
        let offset = open.object.len() as u64;
        let stored = open.key.seal(open.frames, &block.bytes, &mut open.object);
        self.blocks.push(BlockRef {
            digest: info.digest,
            bytes: info.bytes,
            rows: info.rows,
            pack: open.number,
            frame: open.frames,
            offset,
            stored,
        });
        open.frames += 1;
        self.new_blocks += 1;
        self.new_bytes += u64::from(stored);
        if open.object.len() >= PACK_BYTES {
            self.write_pack()?;
        }
        Ok(())
    }

    fn write_pack(&mut self) -> Result<(), ArchiveError> {
        let Some(open) = self.open.take() else { return Ok(()) };
        self.packs[open.number as usize].bytes = open.object.len() as u64;
        self.archive.write_pack(&open.name, open.object)
    }

    /// All blocks were told: the base is there when this returns, and not before.
    pub fn finish(mut self, state: State) -> Result<(Base, Written), ArchiveError> {
        self.write_pack()?;
        let manifest = BaseManifest {
            format: FORMAT,
            cluster_id: self.archive.cluster_id(),
            generation: state.generation,
            index: state.index,
            term: state.term,
            membership: state.membership,
            level: state.level,
            state_hash: state.state_hash,
            clock_ms: state.clock_ms,
            rows: self.content.rows,
            bytes: self.content.bytes,
            content: self.content.finish(),
            made_ms: state.made_ms,
            node: state.node,
        };
        let base = Base { manifest, packs: self.packs, blocks: self.blocks };
        let name = self.archive.write_base(&base)?;
        let written = Written {
            base: name,
            blocks: base.blocks.len() as u64,
            new_blocks: self.new_blocks,
            new_bytes: self.new_bytes,
        };
        Ok((base, written))
    }
}

fn random_name() -> String {
    let mut bytes = [0_u8; 16];
    SystemRandom::new().fill(&mut bytes).expect("the system has randomness");
    crate::hex(&bytes)
}

impl Archive {
    /// Hands the rows of `base` to `take`, block by block in order, each checked: opened, digest, form,
    /// order of keys. The first that is not as it should be ends it.
    pub fn read_rows<E: From<ArchiveError>>(
        &self,
        base: &Base,
        mut take: impl FnMut(Vec<Row>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut keys: BTreeMap<u32, ObjectKey> = BTreeMap::new();
        let mut last_key: Option<Vec<u8>> = None;
        let mut number = 0;
        let mut rest = base.blocks.as_slice();
        while let Some(first) = rest.first() {
            let count = together(rest);
            let (now, later) = rest.split_at(count);
            rest = later;
            let pack = &base.packs[first.pack as usize].name;
            let key = match keys.entry(first.pack) {
                std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
                std::collections::btree_map::Entry::Vacant(new) => {
                    new.insert(self.open_pack(pack)?)
                }
            };
            let end =
                now.last().map_or(first.offset, |block| block.offset + u64::from(block.stored));
            let bytes = self.read_pack(pack, first.offset..end)?;
            for block in now {
                let damaged = |source| sealed(&format!("packs/{pack}"), source);
                let from = (block.offset - first.offset) as usize;
                let frame = bytes.get(from..).ok_or_else(|| damaged(OpenError::Damaged))?;
                let (plain, _) = key.open(block.frame, frame).map_err(damaged)?;
                let rows = read_block(number, &block.info(), last_key.as_deref(), &plain).map_err(
                    |source| ArchiveError::Base {
                        object: format!("packs/{pack}"),
                        source: BaseError::Block(source),
                    },
                )?;
                last_key = rows.last().map(|(key, _)| key.clone());
                number += 1;
                take(rows)?;
            }
        }
        Ok(())
    }
}

/// How many of the first blocks lie behind each other in one pack, within what is read at a time.
fn together(blocks: &[BlockRef]) -> usize {
    let first = blocks[0];
    let mut count = 1;
    for pair in blocks.windows(2) {
        let (one, next) = (pair[0], pair[1]);
        let behind = next.pack == one.pack && next.offset == one.offset + u64::from(one.stored);
        let end = next.offset + u64::from(next.stored);
        if !behind || end - first.offset > READ_BYTES {
            break;
        }
        count += 1;
    }
    count
}
