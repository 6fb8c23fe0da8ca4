//! Verifying: can the archive be restored, and to what another node held?
//!
//! Each base is opened block by block and made into a state; the entries after it are applied up to a
//! place at which another node said what it held, and the rows are compared there. A base that lacks a
//! row carries the right state hash all the same; only somebody who has the row can tell.

use std::{fs, path::Path};

use catalog_backup::{Archive, Attestation, BaseName, Hole, Listing, runs};

use super::rebuild::{RebuildError, Rebuilt, Until};
use crate::running::chain;

/// What became of one base.
#[derive(Debug)]
pub struct BaseVerdict {
    /// Which.
    pub base: BaseName,
    /// Rows in it; 0 if it could not be read.
    pub rows: u64,
    /// The last entry that can be reached from it.
    pub reach: u64,
    /// Where it was compared with another node, and with which; `None` if nobody said anything about a
    /// place that it reaches.
    pub compared: Option<(u64, u64)>,
    /// Why it is no good.
    pub fault: Option<RebuildError>,
}

/// What was found of an archive.
#[derive(Debug)]
pub struct Verdict {
    /// Of each base that was looked at.
    pub bases: Vec<BaseVerdict>,
    /// Times without entries: nothing in between can be restored.
    pub holes: Vec<Hole>,
    /// Segments that were looked at.
    pub segments: u64,
}

impl Verdict {
    /// Whether everything that was looked at is good, and something was.
    pub fn is_good(&self) -> bool {
        !self.bases.is_empty() && self.bases.iter().all(|base| base.fault.is_none())
    }
}

/// Verifies the newest `count` bases of `archive`, making each in `scratch`, which is removed again.
pub fn verify(
    archive: &Archive,
    scratch: &Path,
    count: usize,
) -> Result<Verdict, catalog_backup::ArchiveError> {
    let listing = archive.list()?;
    let skipped = listing.bases.len().saturating_sub(count);
    let mut bases = Vec::new();
    for (place, base) in listing.bases.iter().enumerate().skip(skipped) {
        // Up to the next base: what comes later is that one's matter.
        let next = listing.bases.get(place + 1);
        let next = next.filter(|next| next.generation == base.generation);
        let reach = listing.reach(*base);
        let until = next.map_or(reach, |next| next.index.min(reach));
        let mut verdict = BaseVerdict { base: *base, rows: 0, reach, compared: None, fault: None };
        let folder = scratch.join(format!("verify-{}-{}", base.generation, base.index));
        if let Err(fault) = look_at(archive, &listing, &mut verdict, until, &folder) {
            tracing::warn!(base = %base, cause = chain(&fault), "Base is no good");
            verdict.fault = Some(fault);
        }
        // What is left of it is nobody's.
        let _ = fs::remove_dir_all(&folder);
        bases.push(verdict);
    }
    let (_, holes) = runs(&listing.segments);
    Ok(Verdict { bases, holes, segments: listing.segments.len() as u64 })
}

fn look_at(
    archive: &Archive,
    listing: &Listing,
    verdict: &mut BaseVerdict,
    until: u64,
    folder: &Path,
) -> Result<(), RebuildError> {
    let base = archive.read_base(verdict.base)?;
    verdict.rows = base.manifest.rows;
    let in_folder = |source| RebuildError::Folder { folder: folder.to_owned(), source };
    fs::create_dir_all(folder).map_err(in_folder)?;
    let mut rebuilt = Rebuilt::of_base(archive, &base, &folder.join("state"))?;
    for said in witnessed(archive, listing, verdict.base, until, base.manifest.node)? {
        rebuilt.replay(archive, listing, Until::Index(said.index))?;
        rebuilt.check_witnessed(&said)?;
        verdict.compared = Some((said.index, said.node));
    }
    rebuilt.replay(archive, listing, Until::Index(until)).map(drop)
}

/// What was said about places between a base and `until` by nodes other than the one that made the base:
/// the first, which is nearest to the base, and the last, which is furthest along the entries.
pub(super) fn witnessed(
    archive: &Archive,
    listing: &Listing,
    base: BaseName,
    until: u64,
    made_by: u64,
) -> Result<Vec<Attestation>, RebuildError> {
    let places: Vec<(u64, u64)> = listing
        .attested
        .iter()
        .filter(|(generation, index, node)| {
            *generation == base.generation
                && (base.index..=until).contains(index)
                && *node != made_by
        })
        .map(|(_, index, node)| (*index, *node))
        .collect();
    let mut wanted = Vec::new();
    wanted.extend(places.first().copied());
    wanted.extend(places.last().copied());
    wanted.dedup();
    let mut said = Vec::new();
    for (index, node) in wanted {
        said.push(archive.read_attestation(base.generation, index, node)?);
    }
    Ok(said)
}
