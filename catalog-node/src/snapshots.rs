//! Snapshots: how does the whole state leave this node, and how does another's come in?
//!
//! Out: a thread of its own reads the state as of one moment, once, to learn its blocks
//! ([`Snapshots::build`]), and then stays to cut single blocks again when they are asked for
//! ([`Snapshots::block`]). Nothing is written: RocksDB keeps what that moment held, and equal rows
//! give equal blocks. In: blocks are verified one by one and become sorted files
//! ([`Snapshots::receive`]), these a state folder of their own, complete and synced, and that the
//! state of this node, in two steps with the log's decision between them ([`Snapshots::prepare`],
//! [`Snapshots::installed`]).
//!
//! The process may end between any two [`Step`]s. Until the log has decided, the next start finds
//! the old state and may go on receiving; afterwards it finds the new one. Never a mixture.

use std::{
    fs, io,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use catalog_state::snapshot::{BLOCK_BYTES, BlockError, Manifest, ManifestError};

use self::build::Built;
pub(crate) use self::{build::ServeError, pace::Pace, receive::Receiving};
use crate::storage::{
    DiskSpace, IdentityFile, StateCell, StateStore, StorageError,
    folders::{Folders, sync_folder},
    hex,
};

mod build;
mod pace;
mod receive;

/// Bytes that are read in a second to learn the blocks of a snapshot: a state of 1 GiB takes half
/// a minute, and a tenth of a core for as long.
const BUILD_BYTES_PER_SECOND: u64 = 32 << 20;

/// Bytes of blocks that one receiver is sent in a second, at most: a quarter of a gigabit link, so
/// that the log's entries do not wait behind them.
pub(crate) const SEND_BYTES_PER_SECOND: u64 = 32 << 20;

/// Rows gathered in memory before they become a file, in bytes as they travel. What is lost when a
/// receiver ends in the middle.
const PART_BYTES: usize = 32 << 20;

/// Snapshots that can be asked for at a time: the newest, and the one before while somebody still
/// fetches it.
const KEPT: usize = 2;

/// After this long without a request nobody fetches a snapshot any more.
const IDLE: Duration = Duration::from_mins(1);

/// How snapshots are made and taken in.
#[derive(Clone)]
pub(crate) struct Options {
    /// Size at which blocks are cut.
    pub(crate) block_bytes: usize,
    /// See [`PART_BYTES`].
    pub(crate) part_bytes: usize,
    /// See [`BUILD_BYTES_PER_SECOND`].
    pub(crate) build_bytes_per_second: u64,
    /// Told of every step when it is done; an error ends the work there, as a crash would.
    pub(crate) on_step: Arc<dyn Fn(Step) -> io::Result<()> + Send + Sync>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            block_bytes: BLOCK_BYTES,
            part_bytes: PART_BYTES,
            build_bytes_per_second: BUILD_BYTES_PER_SECOND,
            on_step: Arc::new(|_| Ok(())),
        }
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("block_bytes", &self.block_bytes).finish_non_exhaustive()
    }
}

/// What has been done of taking a snapshot in, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// The manifest is in its folder, and what was received of others is gone.
    Begun,
    /// Rows are in a sorted file.
    PartWritten,
    /// That file counts: receiving goes on after it.
    ProgressSaved,
    /// All rows are in a state store.
    RowsIngested,
    /// The store was read again, names its entry and has its search index.
    Verified,
    /// All its files are durable.
    Synced,
    /// The store says so itself: it can be put in its place.
    MadeReady,
    /// It has its name among the states.
    Renamed,
    /// That name is durable. Only the log's decision is missing.
    ParentSynced,
    /// After the log decided: it is the state of this node.
    Replaced,
    /// What was needed to receive it is gone.
    TidiedUp,
}

/// Why a snapshot was not taken in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReceiveError {
    /// The manifest is none, or of a version or level that is not known here.
    #[error("the manifest of a snapshot cannot be used")]
    Manifest(#[from] ManifestError),
    /// It is another cluster's, or of another generation.
    #[error("the snapshot is of cluster {found}, this node's is {expected}")]
    Foreign {
        /// Whose it is, with its generation.
        found: String,
        /// Whose this folder is.
        expected: String,
    },
    /// There is not enough room for it beside the present state.
    #[error("the snapshot needs {needed} bytes beside the present state, {free} are free")]
    NoRoom {
        /// What it needs.
        needed: u64,
        /// What there is.
        free: u64,
    },
    /// A block is not what the manifest promised. The receiver stands where it stood.
    #[error("a block was refused")]
    Block(#[from] BlockError),
    /// The disk refused.
    #[error("could not {attempt} a received snapshot")]
    Disk {
        /// What was attempted, as a verb.
        attempt: &'static str,
        /// What the disk said.
        source: io::Error,
    },
    /// RocksDB refused.
    #[error("could not {attempt} a received snapshot")]
    Rows {
        /// What was attempted, as a verb.
        attempt: &'static str,
        /// Why.
        source: rocksdb::Error,
    },
    /// The new store does not open.
    #[error("a received state does not open")]
    Store(#[source] Box<StorageError>),
    /// What was read again is not what was written.
    #[error("a received state is not what was received: {what}")]
    Differs {
        /// In what.
        what: &'static str,
    },
    /// It was not received completely, or something else was since.
    #[error("the snapshot is not here completely")]
    NotReady,
}

impl ReceiveError {
    fn disk(attempt: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Disk { attempt, source }
    }

    fn rows(attempt: &'static str) -> impl FnOnce(rocksdb::Error) -> Self {
        move |source| Self::Rows { attempt, source }
    }

    fn store(error: StorageError) -> Self {
        Self::Store(Box::new(error))
    }
}

/// The snapshots of one node, leaving and coming. Clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Snapshots {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Arc<StateCell>,
    folders: Folders,
    identity: Arc<IdentityFile>,
    options: Options,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    building: bool,
    /// What can be asked for, the newest last.
    built: Vec<Built>,
    /// In its place, until the log has decided.
    prepared: Option<StateStore>,
}

impl Snapshots {
    /// The snapshots of the node whose state is `state`.
    pub(crate) fn new(
        state: Arc<StateCell>,
        folders: Folders,
        identity: Arc<IdentityFile>,
        options: Options,
    ) -> Self {
        let inner = Mutex::default();
        Self { shared: Arc::new(Shared { state, folders, identity, options, inner }) }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.shared.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets go of snapshots that nobody can use any more because the log begins at `first_index`:
    /// whoever installed one would miss the entries after it. One that is being fetched stays
    /// until its receiver has it or gives up; it may still bring the receiver closer.
    pub(crate) fn forget_before(&self, first_index: u64) {
        self.lock()
            .built
            .retain(|built| built.manifest.index + 1 >= first_index || !built.is_idle());
    }

    /// Lets go of all that were made here: the state that they are of is in doubt. Whoever fetches one
    /// is told that it is not here any more.
    pub(crate) fn withdraw(&self) {
        self.lock().built.clear();
    }

    /// Begins to take in the snapshot of `manifest`, or goes on where an earlier attempt ended,
    /// in this process or before; what was received of other snapshots is removed. Blocks on the
    /// disk.
    pub(crate) fn receive(&self, manifest: &[u8]) -> Result<Receiving, ReceiveError> {
        let manifest = Manifest::decode(manifest)?;
        let own = self.shared.identity.identity();
        let found = (manifest.cluster_id, manifest.generation);
        let expected = (own.cluster_id, own.generation);
        // Of its own generation, says who sends it. The state in it may be of the one before: one
        // that was promoted and has not applied what says otherwise.
        if found.0 != expected.0 || found.1 > expected.1 {
            let text = |(id, generation): ([u8; 16], u64)| {
                format!("{} (generation {generation})", hex(&id))
            };
            return Err(ReceiveError::Foreign { found: text(found), expected: text(expected) });
        }
        let receiving = Receiving::begin(manifest, &self.shared)?;
        let space =
            DiskSpace::of(self.shared.folders.root()).map_err(ReceiveError::disk("measure"))?;
        // As much again for the search index and what RocksDB rewrites.
        let needed = receiving.bytes_left() * 2;
        if space.free < needed {
            return Err(ReceiveError::NoRoom { needed, free: space.free });
        }
        Ok(receiving)
    }

    /// Puts the received snapshot of `manifest` in its place, not yet in use, and returns its
    /// number for the log to decide on. Short: everything was made ready before.
    pub(crate) fn prepare(&self, manifest: &[u8]) -> Result<u64, ReceiveError> {
        let manifest = Manifest::decode(manifest)?;
        let folder = receive::folder(&self.shared.folders, &manifest.id());
        if !receive::is_ready(&folder) {
            return Err(ReceiveError::NotReady);
        }
        // One left by an attempt on which the log did not decide is closed before its folder goes.
        self.lock().prepared = None;
        let number = self.shared.state.current().number() + 1;
        let place = self.shared.folders.state(number);
        remove_all(&place).map_err(ReceiveError::disk("replace"))?;
        fs::rename(receive::state_folder(&folder), &place).map_err(ReceiveError::disk("place"))?;
        self.step(Step::Renamed)?;
        sync_folder(&folder)
            .and_then(|()| sync_folder(self.shared.folders.root()))
            .map_err(ReceiveError::disk("place"))?;
        self.step(Step::ParentSynced)?;
        let mark = self.shared.state.open_mark();
        let store =
            StateStore::open(&self.shared.folders, number, mark).map_err(ReceiveError::store)?;
        if store.applied() != manifest.index {
            return Err(ReceiveError::Differs { what: "its entry" });
        }
        self.lock().prepared = Some(store);
        Ok(number)
    }

    /// The log has decided: what was prepared is the state from now on. Whoever reads the old one
    /// finishes; it goes with the last of them. What is left to tidy up waits for the next start
    /// if the disk refuses now.
    pub(crate) fn installed(&self) {
        let mut inner = self.lock();
        let store = inner.prepared.take().expect("the log decides on what was prepared");
        // They are of the state that goes, and would keep it.
        inner.built.clear();
        drop(inner);
        self.shared.state.replace(store);
        let tidied = self.step(Step::Replaced).and_then(|()| {
            let folders = &self.shared.folders;
            folders.clear_suspicion().map_err(ReceiveError::disk("tidy up after"))?;
            remove_all(&folders.received()).map_err(ReceiveError::disk("tidy up after"))?;
            self.step(Step::TidiedUp)
        });
        if let Err(error) = tidied {
            tracing::warn!(%error, "An installed snapshot leaves something behind");
        }
    }

    fn step(&self, step: Step) -> Result<(), ReceiveError> {
        self.shared.step(step)
    }
}

impl Shared {
    fn step(&self, step: Step) -> Result<(), ReceiveError> {
        (self.options.on_step)(step).map_err(ReceiveError::disk("go on with"))
    }
}

/// Removes a folder, if it is there.
fn remove_all(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
