//! Backups: what lies in the archive, who can read it, and does it say the same as another node?
//!
//! An archive holds the past of one cluster, on any store of objects, in four kinds of objects:
//!
//! * **Bases**: a consistent state, as a list of blocks with their digests. The blocks are those of
//!   `catalog_state::snapshot::cut_by_key`: most of a state that changed little has the same blocks as
//!   before, and only unseen ones are written, many to a pack.
//! * **Segments**: the committed entries of the log, sealed every few seconds, each naming the hash of
//!   the one before it. A hole or a rewritten entry shows.
//! * **Attestations**: what *another* node holds at an entry, as a digest over its own rows. A base that
//!   lacks a row cannot know of it; this does.
//! * The **mark**, by which a wrong key is known for one.
//!
//! Everything is compressed and sealed ([`seal`]); without the key the archive is noise with names that
//! say no more than numbers. What is here knows blocks, entries as bytes and time; what the entries mean
//! and how a data folder is made of them is the node's.
//!
//! Calls block: they are made from threads of their own.

pub use self::{
    archive::{Archive, ArchiveError, BaseName, Listing, Pulse, SegmentName},
    attestation::Attestation,
    base::{Base, BaseError, BaseManifest, BaseWriter, BlockRef, PackRef, State, Written},
    chain::{ChainFault, Hole, Run, runs},
    key::{BackupKey, KeyError},
    plan::{Keep, PlanError, Prunable, Prune, prune},
    segment::{SealedEntry, Segment, SegmentError},
    target::{S3, Target},
};

mod archive;
mod attestation;
mod base;
mod chain;
mod http_client;
mod key;
mod plan;
pub mod seal;
mod segment;
mod target;

/// Bytes as names and messages show them.
fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a string takes everything");
    }
    text
}
