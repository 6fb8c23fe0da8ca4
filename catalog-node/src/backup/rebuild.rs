//! Rebuilding: the state at an entry, from a base and the entries after it, by the real state machine.
//!
//! Nothing is interpreted here: what an entry does is what it did, and what a change of the members came
//! to is what the state machine says, as on every node. A segment that does not name the one before it
//! ends the work.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use catalog_backup::{
    Archive, ArchiveError, Attestation, Base, BaseName, ChainFault, Listing, Segment, SegmentName,
};
use catalog_model::time::UtcMillis;
use catalog_replica::{EntryKind, Membership, kind_of};
use catalog_state::{
    machine::{ApplyError, Machine, Session, state_hash},
    outcome::Outcome,
    snapshot::ContentDigest,
    store::{Row, Writes},
    view::View,
};
use protobuf::Message as _;
use raft::eraftpb::Entry;

use crate::storage::{StateStore, StorageError, folders::Folders};

/// Rows gathered before they become a file, in bytes.
const PART_BYTES: usize = 32 << 20;

/// Entries applied in one piece.
const BATCH: usize = 1_024;

/// Why a state cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// The archive does not have it, or not as it was.
    #[error("the archive does not give it")]
    Archive(#[from] ArchiveError),
    /// There is no unbroken way to it.
    #[error("the archive does not reach it")]
    Chain(#[from] ChainFault),
    /// A segment does not follow the one before it.
    #[error("the {segment} does not name the one before it")]
    Unchained {
        /// Which.
        segment: SegmentName,
    },
    /// An entry cannot be read.
    #[error("entry {index} cannot be read")]
    Entry {
        /// Which.
        index: u64,
    },
    /// An entry cannot be applied by this version.
    #[error("an entry cannot be applied")]
    Apply(#[from] ApplyError),
    /// The rows are not the state that the base promised.
    #[error("the {base} is not the state that it promises: {what}")]
    NotTheState {
        /// Which base.
        base: BaseName,
        /// What differs.
        what: &'static str,
    },
    /// Another node had another state.
    #[error("at entry {index} node {node} held other rows than those that are in the archive")]
    NotWitnessed {
        /// Where.
        index: u64,
        /// Who said otherwise.
        node: u64,
    },
    /// The scratch folder cannot be used.
    #[error("{} cannot be used", folder.display())]
    Folder {
        /// Which.
        folder: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// RocksDB refuses.
    #[error("the rows cannot be stored")]
    Rows(#[from] rocksdb::Error),
    /// The new store does not open.
    #[error("the new state does not open")]
    Store(#[source] Box<StorageError>),
}

/// How far entries are applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// Up to this entry.
    Index(u64),
    /// As long as the committed clock is not after this instant, and not after this entry.
    Time(UtcMillis, u64),
}

/// A state that is made again.
#[derive(Debug)]
pub(super) struct Rebuilt {
    pub(super) store: StateStore,
    pub(super) machine: Machine,
    pub(super) membership: Membership,
    pub(super) base: BaseName,
    /// The last entry in it, and its term.
    pub(super) applied: u64,
    pub(super) term: u64,
    /// Hash of the last segment of which anything was applied, and its last entry.
    chained: Option<(u64, [u8; 32])>,
}

impl Rebuilt {
    /// The state of `base`, in `folder`, which is new.
    pub(super) fn of_base(
        archive: &Archive,
        base: &Base,
        folder: &Path,
    ) -> Result<Self, RebuildError> {
        let manifest = &base.manifest;
        let name = BaseName { generation: manifest.generation, index: manifest.index };
        let parts = folder.with_extension("parts");
        let in_folder = |source| RebuildError::Folder { folder: parts.clone(), source };
        fs::create_dir_all(&parts).map_err(in_folder)?;
        let mut gathered: (Vec<Row>, usize, Vec<PathBuf>) = Default::default();
        archive.read_rows::<RebuildError>(base, |rows| {
            let (waiting, bytes, files) = &mut gathered;
            *bytes += rows.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>();
            waiting.extend(rows);
            if *bytes >= PART_BYTES {
                write_part(&parts, waiting, files)?;
                *bytes = 0;
            }
            Ok(())
        })?;
        let (mut waiting, _, mut files) = gathered;
        write_part(&parts, &mut waiting, &mut files)?;
        let root = folder.parent().unwrap_or(folder);
        let store = StateStore::open_at(folder, &Folders::new(root), 0, Arc::new(()))
            .map_err(|error| RebuildError::Store(Box::new(error)))?;
        if !files.is_empty() {
            store.ingest(files)?;
        }
        fs::remove_dir_all(&parts).map_err(in_folder)?;

        let wrong = |what| RebuildError::NotTheState { base: name, what };
        if state_hash(&store) != manifest.state_hash {
            return Err(wrong("its hash"));
        }
        let cluster = View(&store).cluster().ok_or_else(|| wrong("it has no cluster"))?;
        if (cluster.cluster_id, cluster.generation) != (archive.cluster_id(), name.generation) {
            return Err(wrong("whose it is"));
        }
        if View(&store).level() != manifest.level || View(&store).clock().0 != manifest.clock_ms {
            return Err(wrong("its level or its clock"));
        }
        let membership =
            Membership::decode(&manifest.membership).map_err(|_| wrong("its membership"))?;
        store.commit(Writes::new(), Writes::new(), manifest.index, Some(&manifest.membership));
        Ok(Self {
            store,
            machine: Machine::new(),
            membership,
            base: name,
            applied: manifest.index,
            term: manifest.term,
            chained: None,
        })
    }

    /// Applies entries of the archive. Returns whether it stopped before the last entry of `until`
    /// because of the time.
    pub(super) fn replay(
        &mut self,
        archive: &Archive,
        listing: &Listing,
        until: Until,
    ) -> Result<bool, RebuildError> {
        let last = match until {
            Until::Index(index) | Until::Time(_, index) => index,
        };
        let from = BaseName { index: self.applied, ..self.base };
        for name in listing.segments_for(from, last)? {
            let segment = archive.read_segment(name)?;
            self.check_chain(archive, listing, name, &segment)?;
            let wanted = segment
                .entries
                .iter()
                .filter(|entry| entry.index > self.applied && entry.index <= last);
            let mut entries = Vec::with_capacity(segment.entries.len());
            for sealed in wanted {
                let unreadable = || RebuildError::Entry { index: sealed.index };
                let entry = Entry::parse_from_bytes(&sealed.bytes).map_err(|_| unreadable())?;
                if (entry.index, entry.term) != (sealed.index, sealed.term) {
                    return Err(unreadable());
                }
                entries.push(entry);
            }
            for batch in entries.chunks(BATCH) {
                let not_after = match until {
                    Until::Index(_) => None,
                    Until::Time(time, _) => Some(time),
                };
                if !self.apply(batch, not_after)? {
                    return Ok(true);
                }
            }
            self.chained = Some((segment.last(), segment.hash));
        }
        Ok(false)
    }

    /// Every segment names the one before it, whichever node sealed that.
    fn check_chain(
        &self,
        archive: &Archive,
        listing: &Listing,
        name: SegmentName,
        segment: &Segment,
    ) -> Result<(), RebuildError> {
        let Some((last, hash)) = self.chained else { return Ok(()) };
        if segment.previous == hash {
            return Ok(());
        }
        if last + 1 == name.first {
            // Two nodes sealed in turn: then another segment ends there, too.
            let others = listing.segments.iter().filter(|other| {
                other.generation == name.generation && other.last + 1 == name.first
            });
            for other in others {
                if archive.read_segment(*other)?.hash == segment.previous {
                    return Ok(());
                }
            }
            return Err(RebuildError::Unchained { segment: name });
        }
        // It overlaps the one before: what it names ends before both.
        Ok(())
    }

    /// Applies a batch; of one that goes beyond `not_after` only what does not. Returns whether all of
    /// it was applied.
    fn apply(
        &mut self,
        entries: &[Entry],
        not_after: Option<UtcMillis>,
    ) -> Result<bool, RebuildError> {
        let before = self.membership.clone();
        let (writes, clock) = self.session(entries)?;
        if not_after.is_none_or(|time| clock <= time) {
            self.commit(writes, entries, &before);
            return Ok(true);
        }
        self.membership = before;
        // What was given up is not the state that the machine remembers.
        self.machine = Machine::new();
        for entry in entries {
            let before = self.membership.clone();
            let one = std::slice::from_ref(entry);
            let (writes, clock) = self.session(one)?;
            if not_after.is_some_and(|time| clock > time) {
                self.membership = before;
                self.machine = Machine::new();
                return Ok(false);
            }
            self.commit(writes, one, &before);
        }
        Ok(true)
    }

    /// What `entries` write, and the clock after them.
    fn session(&mut self, entries: &[Entry]) -> Result<(Writes, UtcMillis), RebuildError> {
        let mut session = Session::new(&self.store);
        for entry in entries {
            let index = entry.index;
            match kind_of(entry) {
                EntryKind::Raft => {}
                EntryKind::Command(command) | EntryKind::Mode { command, .. } => {
                    self.machine.apply(&mut session, index, command)?;
                }
                EntryKind::Members { change, context } => {
                    // As on a node: what does not fit Raft's members never reaches the rows.
                    let after = change.and_then(|change| self.membership.after(change));
                    if let Ok(after) = after {
                        let applied = self.machine.apply(&mut session, index, context)?;
                        if matches!(applied.outcome, Outcome::MembersChanged { .. }) {
                            self.membership = after;
                        }
                    }
                }
            }
        }
        let clock = View(&session.view()).clock();
        Ok((session.into_writes(), clock))
    }

    fn commit(&mut self, writes: Writes, entries: &[Entry], before: &Membership) {
        let Some(last) = entries.last() else { return };
        let membership = (self.membership != *before).then(|| self.membership.encode());
        self.store.commit(writes, Writes::new(), last.index, membership.as_deref());
        (self.applied, self.term) = (last.index, last.term);
    }

    /// Compares the rows with what another node held at the same entry.
    pub(super) fn check_witnessed(&self, said: &Attestation) -> Result<(), RebuildError> {
        assert_eq!(said.index, self.applied, "it is compared where it was said");
        if ContentDigest::of(&self.store.view()) == said.content {
            Ok(())
        } else {
            Err(RebuildError::NotWitnessed { index: said.index, node: said.node })
        }
    }
}

fn write_part(
    folder: &Path,
    rows: &mut Vec<Row>,
    files: &mut Vec<PathBuf>,
) -> Result<(), RebuildError> {
    if rows.is_empty() {
        return Ok(());
    }
    let file = folder.join(format!("part-{:06}.sst", files.len()));
    StateStore::write_part(&file, rows)?;
    files.push(file);
    rows.clear();
    Ok(())
}
