//! The state store: how are replicated rows kept in RocksDB, and read as of one moment?
//!
//! Three column families share one write-ahead log, so that one batch is there whole or not at
//! all: `state` holds the replicated rows, `local` which entry they contain and with which members,
//! `search` the indexes derived from the state: of what was written, and of what is to be done.
//!
//! A read that the disk refuses does not return. The answer would be half of the truth, and every
//! caller would have to decide what to make of that; the thread panics, and the process ends. If
//! it was the state itself that cannot be trusted, that is noted first: the next start asks another
//! node for a sound one.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use arc_swap::ArcSwapOption;
use catalog_model::fence::Known;
use catalog_state::{
    codec,
    keys::{self, Key},
    rows::ClusterConfig,
    store::{Row, Store, Writes},
};
use rocksdb::{
    BlockBasedIndexType, BlockBasedOptions, Cache, ColumnFamily, ColumnFamilyDescriptor, DB,
    DBCompressionType, DBIteratorWithThreadMode, DBRecoveryMode, Direction, Error, ErrorKind,
    FlushOptions, IngestExternalFileOptions, IteratorMode, Options, ReadOptions, Snapshot,
    SstFileWriter, WriteBatch, WriteOptions,
};

use super::{
    StorageError,
    folders::Folders,
    identity::{Content, Identity},
    leaves::{Answer, Facts, Growing, Leaves, Listed, Wanted},
    points::Points,
};

const STATE: &str = "state";
const LOCAL: &str = "local";
const SEARCH: &str = "search";

/// Memory for blocks read from disk, in bytes; with them their indexes and filters, which would
/// otherwise grow with the state: what the node needs in memory must not depend on how much it
/// holds.
const CACHE_BYTES: usize = 128 << 20;
/// Memory in which writes of one column family gather, in bytes.
const WRITE_BUFFER_BYTES: usize = 16 << 20;
/// And those of all together, before the largest is written out.
const WRITE_BUFFERS_BYTES: usize = 48 << 20;

/// Write buffers of one column family that may wait to be written out before writers wait for them. They
/// count in what all have together, so that several are full only while the disk is behind.
const WRITE_BUFFERS: i32 = 6;
/// Files of the newest level before they are merged into the next: the more, the less often a row is written
/// again.
const NEWEST_FILES: i32 = 8;
/// Files of the newest level before writers are slowed down, and before they wait.
const NEWEST_FILES_SLOW: i32 = 100;
const NEWEST_FILES_STOP: i32 = 200;
/// Parts of indexes and filters, in bytes.
const METADATA_BYTES: usize = 4 << 10;
/// After so many bytes a file that is written is handed to the disk.
const SYNCED_BYTES: u64 = 1 << 20;

const APPLIED: &str = "applied";
const MEMBERSHIP: &str = "membership";

/// Rows that the first versions kept here; now the identity file's.
mod before {
    pub(super) const IDENTITY: &str = "identity";
    pub(super) const MEMBERS: &str = "members";
    pub(super) const LOG_BEGUN: &str = "log_begun";
    pub(super) const BOOT: &str = "boot";
    pub(super) const PEER_STORE: &str = "peer_store";
}

/// The rows of one node.
pub struct StateStore {
    db: DB,
    leaves: Leaves,
    points: Points,
    /// The cluster's configuration, which every call asks for: its row, and what that says.
    cluster: ArcSwapOption<(Vec<u8>, Arc<ClusterConfig>)>,
    /// The last entry whose writes everybody sees.
    seen: AtomicU64,
    /// After `db`, so that it goes when the files are closed.
    place: Place,
}

/// Where a store is, and what becomes of the place when it is closed.
struct Place {
    folders: Folders,
    number: u64,
    retired: AtomicBool,
    open: Option<Arc<()>>,
}

impl std::fmt::Debug for StateStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StateStore").field("path", &self.db.path()).finish_non_exhaustive()
    }
}

/// The rows as they were at one moment.
pub struct StateView<'a> {
    store: &'a StateStore,
    snapshot: Snapshot<'a>,
    applied: u64,
}

impl std::fmt::Debug for StateView<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StateView").field("applied", &self.applied).finish_non_exhaustive()
    }
}

impl Drop for Place {
    /// The folder of a replaced store goes with it, on a thread of its own: whoever read it last
    /// does not wait for its files.
    fn drop(&mut self) {
        if !self.retired.load(Ordering::Acquire) {
            return;
        }
        let (folder, open) = (self.folders.state(self.number), self.open.take());
        std::thread::spawn(move || {
            if let Err(error) = std::fs::remove_dir_all(&folder) {
                // The next start finds it again.
                tracing::warn!(folder = %folder.display(), %error, "Replaced state not removed");
            }
            drop(open);
        });
    }
}

impl StateStore {
    /// Opens state `number` of the data folder, creating it if there is none.
    pub(crate) fn open(
        folders: &Folders,
        number: u64,
        open: Arc<()>,
    ) -> Result<Self, StorageError> {
        Self::open_at(&folders.state(number), folders, number, open)
    }

    /// Opens a store in `folder` that is to become state `number`, creating it if there is none.
    pub(crate) fn open_at(
        folder: &Path,
        folders: &Folders,
        number: u64,
        open: Arc<()>,
    ) -> Result<Self, StorageError> {
        let cache = Cache::new_lru_cache(CACHE_BYTES);
        let mut options = Options::default();
        options.create_if_missing(true);
        options.create_missing_column_families(true);
        options.set_max_open_files(256);
        options.set_max_background_jobs(2);
        options.set_keep_log_file_num(4);
        options.set_max_total_wal_size(64 << 20);
        // What would be synced in one piece at the end of a file goes out while it is written: the Raft log
        // wants the same disk.
        options.set_bytes_per_sync(SYNCED_BYTES);
        options.set_wal_bytes_per_sync(SYNCED_BYTES);
        // A write to the system for each batch is a tenth of what a batch costs. What a killed process has
        // not handed over is as much as a power loss may take: the Raft log has it.
        options.set_manual_wal_flush(true);
        options.set_db_write_buffer_size(WRITE_BUFFERS_BYTES);
        // Damage is found where it lies: at the opening, or by the checksum of what is read.
        options.set_paranoid_checks(true);
        options.set_track_and_verify_wals_in_manifest(true);
        // A torn end of the unsynced log is what a power loss leaves; the Raft log has the rest.
        options.set_wal_recovery_mode(DBRecoveryMode::PointInTime);
        let families = [STATE, LOCAL, SEARCH, "default"]
            .map(|name| ColumnFamilyDescriptor::new(name, family_options(name, &cache)));
        let db = DB::open_cf_descriptors(&options, folder, families).map_err(|source| {
            StorageError::State { folder: folder.display().to_string(), source }
        })?;
        let place = Place {
            folders: folders.clone(),
            number,
            retired: AtomicBool::new(false),
            open: Some(open),
        };
        let applied = try_applied(&db).map_err(|source| StorageError::State {
            folder: folder.display().to_string(),
            source,
        })?;
        let (leaves, points) = (Leaves::new(applied), Points::new(applied));
        let cluster = ArcSwapOption::empty();
        Ok(Self { db, leaves, points, cluster, seen: AtomicU64::new(applied), place })
    }

    /// Which state of the data folder this is.
    pub fn number(&self) -> u64 {
        self.place.number
    }

    /// Another store is in use: this one's folder is removed when its last reader is gone.
    pub(super) fn retire(&self) {
        self.place.retired.store(true, Ordering::Release);
    }

    pub(super) fn open_mark(&self) -> Arc<()> {
        Arc::clone(self.place.open.as_ref().expect("taken only when the store is gone"))
    }

    /// Notes, durably, that this state is not to be trusted. The next start of the node sets it
    /// aside and makes it again: from its own log where that reaches back to the beginning, else
    /// from another node's snapshot.
    pub fn mark_suspect(&self, cause: &str) {
        if let Err(error) = self.place.folders.mark_suspect(self.place.number, cause) {
            tracing::error!(%error, cause, "A suspicion of the state could not be noted");
        }
    }

    /// The rows as they are now, and stay for the view.
    pub fn view(&self) -> StateView<'_> {
        let snapshot = self.db.snapshot();
        let applied = snapshot
            .get_cf(family(&self.db, LOCAL), APPLIED)
            .unwrap_or_else(|error| self.stop("read", &error))
            .map_or(0, |bytes| number(&bytes));
        StateView { store: self, snapshot, applied }
    }

    /// Index of the last entry whose writes the store holds; 0 for none.
    pub fn applied(&self) -> u64 {
        self.local(APPLIED).map_or(0, |bytes| number(&bytes))
    }

    /// The membership that holds at [`StateStore::applied`], as the replica encodes it; `None` if
    /// it never changed since the cluster was founded.
    pub fn membership(&self) -> Option<Vec<u8>> {
        self.local(MEMBERSHIP)
    }

    /// Makes `writes` and their consequences for the search index part of the store, and with
    /// them that it contains every entry up to `applied`, and the membership from there on if it
    /// changed. All of it is there after a crash, or nothing.
    pub fn commit(&self, writes: Writes, search: Writes, applied: u64, membership: Option<&[u8]>) {
        // First: whoever sees the writes must not meet what was remembered before them.
        self.leaves.follow(&writes, applied);
        self.points.follow(&writes, applied);
        let mut batch = WriteBatch::default();
        for (name, writes) in [(STATE, writes), (SEARCH, search)] {
            let family = family(&self.db, name);
            for (key, value) in writes {
                match value {
                    Some(value) => batch.put_cf(family, key, value),
                    None => batch.delete_cf(family, key),
                }
            }
        }
        let local = family(&self.db, LOCAL);
        batch.put_cf(local, APPLIED, applied.to_be_bytes());
        if let Some(membership) = membership {
            batch.put_cf(local, MEMBERSHIP, membership);
        }
        self.write(batch);
        self.seen.store(applied, Ordering::Release);
    }

    /// Memory that lists may use for what they showed before, in bytes.
    pub(crate) fn set_list_room(&self, bytes: usize) {
        self.leaves.set_room(bytes);
    }

    /// The same.
    pub(crate) fn list_room(&self) -> usize {
        self.leaves.room()
    }

    /// As [`StateView::list_known`], of the newest state.
    pub(crate) fn list_known(
        &self,
        wanted: &Wanted<'_>,
        keep: impl FnMut(&[u8], &Facts) -> bool,
    ) -> Option<Listed> {
        self.list_known_at(self.seen.load(Ordering::Acquire), wanted, keep)
    }

    /// A replicated row as it is now, remembered for whoever asks next.
    pub(crate) fn get_newest(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.remembered(key, self.seen.load(Ordering::Acquire), || self.try_get(key))
    }

    fn remembered(
        &self,
        key: &[u8],
        at: u64,
        read: impl FnOnce() -> Result<Option<Vec<u8>>, Error>,
    ) -> Option<Vec<u8>> {
        if let Some(row) = self.points.get(key, at) {
            return Some(row);
        }
        let row = read().unwrap_or_else(|error| self.stop("read", &error))?;
        self.points.keep(key, at, &row);
        Some(row)
    }

    #[cfg(test)]
    pub(super) fn points(&self) -> &Points {
        &self.points
    }

    #[cfg(test)]
    pub(super) fn leaves(&self) -> &Leaves {
        &self.leaves
    }

    fn list_known_at(
        &self,
        applied: u64,
        wanted: &Wanted<'_>,
        keep: impl FnMut(&[u8], &Facts) -> bool,
    ) -> Option<Listed> {
        let mut answer = Answer::begin(wanted, keep);
        let mut leaf = self.leaves.find(wanted.from, applied)?;
        let mut from = wanted.from;
        let mut before;
        while answer.take(&leaf, from) {
            before = leaf;
            from = before.end();
            leaf = self.leaves.find(from, applied)?;
        }
        Some(answer.finish())
    }

    /// Makes what is committed so far durable, and returns up to which entry that is: the Raft log
    /// is not needed for it any more. Waits for the disk; commits go on meanwhile.
    pub fn make_durable(&self) -> u64 {
        let applied = self.applied();
        self.db.flush_wal(true).unwrap_or_else(|error| self.stop("sync", &error));
        applied
    }

    /// Removes the rows of an index with `from ≤ key < to`.
    pub fn clear_index(&self, from: &[u8], to: &[u8]) {
        let mut batch = WriteBatch::default();
        batch.delete_range_cf(family(&self.db, SEARCH), from, to);
        self.write(batch);
    }

    /// Writes rows of an index alone, while it is made again.
    pub fn write_search(&self, rows: Writes) {
        let family = family(&self.db, SEARCH);
        let mut batch = WriteBatch::default();
        for (key, value) in rows {
            match value {
                Some(value) => batch.put_cf(family, key, value),
                None => batch.delete_cf(family, key),
            }
        }
        self.write(batch);
    }

    /// A row of the search index.
    pub fn search_row(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.db
            .get_cf(family(&self.db, SEARCH), key)
            .unwrap_or_else(|error| self.stop("read", &error))
    }

    /// Rows of the search index, in the order of `keys`.
    pub(crate) fn search_rows(&self, keys: &[&[u8]]) -> Vec<Option<Vec<u8>>> {
        self.rows_at(SEARCH, keys)
    }

    fn rows_at(&self, name: &str, keys: &[&[u8]]) -> Vec<Option<Vec<u8>>> {
        let rows =
            self.db.batched_multi_get_cf(family(&self.db, name), keys.iter().copied(), false);
        let rows =
            rows.into_iter().map(|row| row.unwrap_or_else(|error| self.stop("read", &error)));
        rows.map(|row| row.map(|row| row.to_vec())).collect()
    }

    /// Makes a sorted file of `rows`, in their order, durably.
    pub(crate) fn write_part(file: &Path, rows: &[Row]) -> Result<(), Error> {
        let options = family_options(STATE, &Cache::new_lru_cache(0));
        let mut writer = SstFileWriter::create(&options);
        writer.open(file)?;
        for (key, value) in rows {
            writer.put(key, value)?;
        }
        writer.finish()
    }

    /// Takes sorted files of replicated rows over as its own, all or none. For a new store.
    pub(crate) fn ingest(&self, files: Vec<PathBuf>) -> Result<(), Error> {
        let mut options = IngestExternalFileOptions::default();
        options.set_move_files(true);
        self.db.ingest_external_file_cf_opts(family(&self.db, STATE), &options, files)
    }

    /// How many replicated rows there are, reading all of them.
    pub(crate) fn count(&self) -> Result<u64, Error> {
        let mut options = ReadOptions::default();
        options.fill_cache(false);
        let rows = self.db.iterator_cf_opt(family(&self.db, STATE), options, IteratorMode::Start);
        let mut count = 0;
        for row in rows {
            row?;
            count += 1;
        }
        Ok(count)
    }

    /// Leaves nothing in memory or in the log alone that is in no file yet.
    pub(crate) fn write_out(&self) -> Result<(), Error> {
        let families = [STATE, LOCAL, SEARCH].map(|name| family(&self.db, name));
        let mut options = FlushOptions::default();
        options.set_wait(true);
        self.db.flush_cfs_opt(&families, &options)?;
        self.db.flush_wal(true)
    }

    /// Which entry the store contains, where that may be unreadable.
    pub(super) fn try_applied(&self) -> Result<u64, Error> {
        try_applied(&self.db)
    }

    /// A replicated row, where it may be unreadable.
    pub(super) fn try_get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        self.db.get_cf(family(&self.db, STATE), key)
    }

    /// What the first versions kept here and is the identity file's now.
    pub(super) fn content_before(&self) -> Result<Option<Content>, StorageError> {
        let Some(identity) = self.local(before::IDENTITY) else { return Ok(None) };
        let unreadable = |_| StorageError::Bookkeeping(before::IDENTITY);
        let identity: Identity = codec::decode(&identity).map_err(unreadable)?;
        let founders = match self.local(before::MEMBERS) {
            Some(bytes) => {
                codec::decode(&bytes).map_err(|_| StorageError::Bookkeeping(before::MEMBERS))?
            }
            None => Vec::new(),
        };
        let mut peer_stores = BTreeMap::new();
        let prefix = format!("{}/", before::PEER_STORE);
        let from = IteratorMode::From(prefix.as_bytes(), Direction::Forward);
        for row in self.db.iterator_cf(family(&self.db, LOCAL), from) {
            let (key, value) = row.unwrap_or_else(|error| self.stop("read", &error));
            let Some(peer) = key.strip_prefix(prefix.as_bytes()) else { break };
            let peer = std::str::from_utf8(peer).ok().and_then(|peer| peer.parse().ok());
            let (Some(peer), Ok(store)) = (peer, value.into_vec().try_into()) else {
                return Err(StorageError::Bookkeeping(before::PEER_STORE));
            };
            peer_stores.insert(peer, store);
        }
        Ok(Some(Content {
            identity,
            founders,
            log_begun: self.local(before::LOG_BEGUN).is_some(),
            boot: self.local(before::BOOT).map_or(0, |bytes| number(&bytes)),
            peer_stores,
            known: Known::founding(),
        }))
    }

    fn local(&self, key: &str) -> Option<Vec<u8>> {
        self.db
            .get_cf(family(&self.db, LOCAL), key)
            .unwrap_or_else(|error| self.stop("read", &error))
    }

    fn write(&self, batch: WriteBatch) {
        let mut options = WriteOptions::default();
        options.set_sync(false);
        self.db.write_opt(batch, &options).unwrap_or_else(|error| self.stop("write", &error));
    }

    /// The store cannot be relied on: the process ends here.
    fn stop(&self, attempt: &str, error: &Error) -> ! {
        let damaged = match error.kind() {
            ErrorKind::Corruption => true,
            // A write that failed is in the Raft log; what cannot be read is nowhere else.
            ErrorKind::IOError => attempt == "read",
            _ => false,
        };
        if damaged {
            self.mark_suspect(&format!("could not {attempt}: {error}"));
        }
        panic!("the state store could not {attempt}: {error}")
    }
}

/// How a column family uses memory and disk.
fn family_options(name: &str, cache: &Cache) -> Options {
    let mut blocks = BlockBasedOptions::default();
    blocks.set_block_cache(cache);
    blocks.set_cache_index_and_filter_blocks(true);
    blocks.set_pin_l0_filter_and_index_blocks_in_cache(true);
    // In parts of a block's size, with what leads to the parts held fast: whole, those of one large file
    // are as big as the share of the cache in which they lie (it is cut into up to 64), so that a store
    // larger than the cache reads and checks megabytes for a single row.
    blocks.set_index_type(BlockBasedIndexType::TwoLevelIndexSearch);
    blocks.set_partition_filters(true);
    blocks.set_metadata_block_size(METADATA_BYTES);
    blocks.set_pin_top_level_index_and_filter(true);
    // The index is read in ranges and by terms that exist: a filter would only take room.
    if name != SEARCH {
        blocks.set_bloom_filter(10.0, false);
    }
    let mut options = Options::default();
    if name == STATE {
        // Every call with a key of its own asks for a row that is not there.
        options.set_memtable_whole_key_filtering(true);
        options.set_memtable_prefix_bloom_ratio(0.02);
    }
    options.set_block_based_table_factory(&blocks);
    // The newest levels are small and written again and again.
    let (plain, packed) = (DBCompressionType::None, DBCompressionType::Lz4);
    options.set_compression_per_level(&[plain, plain, packed, packed, packed, packed, packed]);
    options.set_level_zero_file_num_compaction_trigger(NEWEST_FILES);
    options.set_write_buffer_size(WRITE_BUFFER_BYTES);
    options.set_max_write_buffer_number(WRITE_BUFFERS);
    options.set_level_zero_slowdown_writes_trigger(NEWEST_FILES_SLOW);
    options.set_level_zero_stop_writes_trigger(NEWEST_FILES_STOP);
    options
}

impl StateView<'_> {
    /// The membership that holds at [`StateView::applied`]; see [`StateStore::membership`].
    pub fn membership(&self) -> Option<Vec<u8>> {
        self.snapshot
            .get_cf(family(&self.store.db, LOCAL), MEMBERSHIP)
            .unwrap_or_else(|error| self.store.stop("read", &error))
    }

    /// The entry up to which the view contains everything.
    pub fn applied(&self) -> u64 {
        self.applied
    }

    /// The cluster's configuration; `None` before it was bootstrapped.
    pub(crate) fn cluster(&self) -> Option<Arc<ClusterConfig>> {
        let row = self.get(keys::meta::cluster().as_slice())?;
        if let Some(known) = &*self.store.cluster.load()
            && known.0 == row
        {
            return Some(Arc::clone(&known.1));
        }
        let decoded = codec::decode(&row).expect("rows are written by this program");
        let cluster = Arc::new(decoded);
        self.store.cluster.store(Some(Arc::new((row, Arc::clone(&cluster)))));
        Some(cluster)
    }

    /// A row of the search index.
    pub fn search_row(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.snapshot
            .get_cf(family(&self.store.db, SEARCH), key)
            .unwrap_or_else(|error| self.store.stop("read", &error))
    }
}

impl<'v> StateView<'v> {
    /// The rows of the search index with `from ≤ key < to`, in ascending order.
    pub fn search_range<'s>(
        &'s self,
        from: &[u8],
        to: &[u8],
    ) -> impl Iterator<Item = (Box<[u8]>, Box<[u8]>)> + use<'s, 'v> {
        let rows = self.snapshot.iterator_cf_opt(
            family(&self.store.db, SEARCH),
            bounded(from, to),
            IteratorMode::Start,
        );
        rows.map(|row| row.unwrap_or_else(|error| self.store.stop("read", &error)))
    }
}

impl Store for StateStore {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.try_get(key).unwrap_or_else(|error| self.stop("read", &error))
    }

    fn get_many(&self, keys: &[&[u8]]) -> Vec<Option<Vec<u8>>> {
        self.rows_at(STATE, keys)
    }

    fn range<'a>(&'a self, from: &[u8], to: &[u8]) -> Box<dyn Iterator<Item = Row> + 'a> {
        let state = family(&self.db, STATE);
        rows(self, from, to, |options| self.db.iterator_cf_opt(state, options, IteratorMode::Start))
    }

    fn range_reversed<'a>(&'a self, from: &[u8], to: &[u8]) -> Box<dyn Iterator<Item = Row> + 'a> {
        let state = family(&self.db, STATE);
        rows(self, from, to, |options| self.db.iterator_cf_opt(state, options, IteratorMode::End))
    }
}

impl StateView<'_> {
    /// Shows `each` the rows with `from ≤ key < to` in ascending order, where they lie, until it
    /// has enough.
    pub fn scan(&self, from: &[u8], to: &[u8], mut each: impl FnMut(&[u8], &[u8]) -> bool) {
        // RocksDB would take such bounds for a mistake.
        if from >= to {
            return;
        }
        let state = family(&self.store.db, STATE);
        let mut rows = self.snapshot.raw_iterator_cf_opt(state, bounded(from, to));
        rows.seek_to_first();
        while let Some((key, value)) = rows.item() {
            if !each(key, value) {
                return;
            }
            rows.next();
        }
        rows.status().unwrap_or_else(|error| self.store.stop("read", &error));
    }
}

impl StateView<'_> {
    /// Rows as lists show them, of those that `keep` accepts; `None` if they are not all in memory:
    /// [`StateView::list`] reads them then. Never waits for the disk.
    pub(crate) fn list_known(
        &self,
        wanted: &Wanted<'_>,
        keep: impl FnMut(&[u8], &Facts) -> bool,
    ) -> Option<Listed> {
        self.store.list_known_at(self.applied, wanted, keep)
    }

    /// The same: from memory what is there, the others from the disk, and into memory.
    pub(crate) fn list(
        &self,
        wanted: &Wanted<'_>,
        keep: impl FnMut(&[u8], &Facts) -> bool,
    ) -> Listed {
        let mut answer = Answer::begin(wanted, keep);
        let end = Key::table(wanted.listing.table).end();
        let mut rows = None;
        let mut at = wanted.from.to_vec();
        while at.as_slice() < wanted.to {
            if let Some(leaf) = self.store.leaves.find(&at, self.applied) {
                if !answer.take(&leaf, &at) {
                    break;
                }
                at = leaf.end().to_vec();
                rows = None;
                continue;
            }
            let until = self.store.leaves.next_begin(&at).filter(|next| *next < end);
            let until = until.as_ref().unwrap_or(&end);
            let rows = rows.get_or_insert_with(|| {
                let state = family(&self.store.db, STATE);
                let mut rows = self.snapshot.raw_iterator_cf_opt(state, bounded(&at, &end));
                rows.seek_to_first();
                rows
            });
            let mut growing = Growing::begin(&at, self.applied);
            let leaf = loop {
                match rows.item() {
                    Some((key, _)) if key >= until.as_slice() => break growing.end(until),
                    Some((key, _)) if growing.is_full() => break growing.end(key),
                    Some((key, row)) => {
                        growing.add(wanted.listing, key, row);
                        rows.next();
                    }
                    None => {
                        rows.status().unwrap_or_else(|error| self.store.stop("read", &error));
                        break growing.end(until);
                    }
                }
            };
            let leaf = Arc::new(leaf);
            self.store.leaves.keep(&leaf);
            if !answer.take(&leaf, &at) {
                break;
            }
            at = leaf.end().to_vec();
        }
        answer.finish()
    }
}

impl Store for StateView<'_> {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        let state = family(&self.store.db, STATE);
        self.store.remembered(key, self.applied, || self.snapshot.get_cf(state, key))
    }

    fn range<'a>(&'a self, from: &[u8], to: &[u8]) -> Box<dyn Iterator<Item = Row> + 'a> {
        let state = family(&self.store.db, STATE);
        rows(self.store, from, to, |options| {
            self.snapshot.iterator_cf_opt(state, options, IteratorMode::Start)
        })
    }

    fn range_reversed<'a>(&'a self, from: &[u8], to: &[u8]) -> Box<dyn Iterator<Item = Row> + 'a> {
        let state = family(&self.store.db, STATE);
        rows(self.store, from, to, |options| {
            self.snapshot.iterator_cf_opt(state, options, IteratorMode::End)
        })
    }
}

/// Rows that `open` yields, or none where `to` is not above `from`: RocksDB would take such bounds
/// for a mistake.
fn rows<'a>(
    store: &'a StateStore,
    from: &[u8],
    to: &[u8],
    open: impl FnOnce(ReadOptions) -> DBIteratorWithThreadMode<'a, DB>,
) -> Box<dyn Iterator<Item = Row> + 'a> {
    if from >= to {
        return Box::new(std::iter::empty());
    }
    Box::new(open(bounded(from, to)).map(|row| {
        let (key, value) = row.unwrap_or_else(|error| store.stop("read", &error));
        (key.into_vec(), value.into_vec())
    }))
}

fn bounded(from: &[u8], to: &[u8]) -> ReadOptions {
    let mut options = ReadOptions::default();
    options.set_iterate_lower_bound(from);
    options.set_iterate_upper_bound(to);
    options
}

fn family<'a>(db: &'a DB, name: &str) -> &'a ColumnFamily {
    db.cf_handle(name).expect("the column families were opened with the store")
}

fn try_applied(db: &DB) -> Result<u64, Error> {
    let row = db.get_cf(family(db, LOCAL), APPLIED)?;
    Ok(row.map_or(0, |bytes| number(&bytes)))
}

fn number(bytes: &[u8]) -> u64 {
    u64::from_be_bytes(bytes.try_into().expect("a counter row has eight bytes"))
}
