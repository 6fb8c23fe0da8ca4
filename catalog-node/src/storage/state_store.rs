//! The state store: how are replicated rows kept in RocksDB, and read as of one moment?
//!
//! Three column families share one write-ahead log, so that one batch is there whole or not at
//! all: `state` holds the replicated rows, `local` what this node must remember for itself,
//! `search` the index derived from the state.
//!
//! A read that the disk refuses does not return. The answer would be half of the truth, and every
//! caller would have to decide what to make of that; the thread panics, and the process ends.

use std::path::Path;

use catalog_state::{
    codec,
    store::{Row, Store, Writes},
};
use rocksdb::{
    BlockBasedOptions, Cache, ColumnFamily, ColumnFamilyDescriptor, DB, DBCompressionType,
    DBIteratorWithThreadMode, IteratorMode, Options, ReadOptions, Snapshot, WriteBatch,
    WriteOptions,
};

use super::{Identity, StorageError};

const STATE: &str = "state";
const LOCAL: &str = "local";
const SEARCH: &str = "search";

/// Memory for blocks read from disk, in bytes.
const CACHE_BYTES: usize = 48 << 20;
/// Memory in which writes of one column family gather, in bytes.
const WRITE_BUFFER_BYTES: usize = 8 << 20;

const IDENTITY: &str = "identity";
const APPLIED: &str = "applied";
const MEMBERS: &str = "members";
const LOG_BEGUN: &str = "log_begun";
const BOOT: &str = "boot";
const PEER_STORE: &str = "peer_store";

/// The rows of one node.
pub struct StateStore {
    db: DB,
}

impl std::fmt::Debug for StateStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StateStore").field("path", &self.db.path()).finish_non_exhaustive()
    }
}

/// The rows as they were at one moment.
pub struct StateView<'a> {
    db: &'a DB,
    snapshot: Snapshot<'a>,
    applied: u64,
}

impl std::fmt::Debug for StateView<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StateView").field("applied", &self.applied).finish_non_exhaustive()
    }
}

impl StateStore {
    /// Opens the store in `folder`, creating it if there is none.
    pub fn open(folder: &Path) -> Result<Self, StorageError> {
        let cache = Cache::new_lru_cache(CACHE_BYTES);
        let mut options = Options::default();
        options.create_if_missing(true);
        options.create_missing_column_families(true);
        options.set_max_open_files(256);
        options.set_max_background_jobs(2);
        options.set_keep_log_file_num(4);
        options.set_max_total_wal_size(64 << 20);
        let families = [STATE, LOCAL, SEARCH, "default"].map(|name| {
            let mut blocks = BlockBasedOptions::default();
            blocks.set_block_cache(&cache);
            blocks.set_bloom_filter(10.0, false);
            let mut options = Options::default();
            options.set_block_based_table_factory(&blocks);
            options.set_compression_type(DBCompressionType::Lz4);
            options.set_write_buffer_size(WRITE_BUFFER_BYTES);
            ColumnFamilyDescriptor::new(name, options)
        });
        let db = DB::open_cf_descriptors(&options, folder, families).map_err(|source| {
            StorageError::State { folder: folder.display().to_string(), source }
        })?;
        Ok(Self { db })
    }

    /// The rows as they are now, and stay for the view.
    pub fn view(&self) -> StateView<'_> {
        let snapshot = self.db.snapshot();
        let applied = snapshot
            .get_cf(family(&self.db, LOCAL), APPLIED)
            .unwrap_or_else(|error| stop("read", &error))
            .map_or(0, |bytes| number(&bytes));
        StateView { db: &self.db, snapshot, applied }
    }

    /// Index of the last entry whose writes the store holds; 0 for none.
    pub fn applied(&self) -> u64 {
        self.local(APPLIED).map_or(0, |bytes| number(&bytes))
    }

    /// Makes `writes` and their consequences for the search index part of the store, and with
    /// them that it contains every entry up to `applied`. All of it is there after a crash, or
    /// nothing.
    pub fn commit(&self, writes: Writes, search: Writes, applied: u64) {
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
        batch.put_cf(family(&self.db, LOCAL), APPLIED, applied.to_be_bytes());
        self.write(batch, false);
    }

    /// Removes the whole search index.
    pub fn clear_search(&self) {
        let mut batch = WriteBatch::default();
        batch.delete_range_cf(family(&self.db, SEARCH), Vec::new(), vec![u8::MAX]);
        self.write(batch, false);
    }

    /// Writes rows of the search index alone, while it is made again.
    pub fn write_search(&self, rows: Writes) {
        let family = family(&self.db, SEARCH);
        let mut batch = WriteBatch::default();
        for (key, value) in rows {
            match value {
                Some(value) => batch.put_cf(family, key, value),
                None => batch.delete_cf(family, key),
            }
        }
        self.write(batch, false);
    }

    /// A row of the search index.
    pub fn search_row(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.db.get_cf(family(&self.db, SEARCH), key).unwrap_or_else(|error| stop("read", &error))
    }

    pub(super) fn identity(&self) -> Result<Option<Identity>, StorageError> {
        self.local(IDENTITY)
            .map(|bytes| codec::decode(&bytes).map_err(|_| StorageError::Bookkeeping(IDENTITY)))
            .transpose()
    }

    pub(super) fn set_identity(&self, identity: &Identity) {
        self.set_local(IDENTITY, codec::encode(identity));
    }

    pub(super) fn members(&self) -> Result<Option<Vec<u64>>, StorageError> {
        self.local(MEMBERS)
            .map(|bytes| codec::decode(&bytes).map_err(|_| StorageError::Bookkeeping(MEMBERS)))
            .transpose()
    }

    pub(super) fn set_members(&self, members: &Vec<u64>) {
        self.set_local(MEMBERS, codec::encode(members));
    }

    pub(super) fn log_begun(&self) -> bool {
        self.local(LOG_BEGUN).is_some()
    }

    pub(super) fn set_log_begun(&self) {
        if self.local(LOG_BEGUN).is_none() {
            self.set_local(LOG_BEGUN, vec![1]);
        }
    }

    pub(super) fn count_boot(&self) -> u64 {
        let boot = self.local(BOOT).map_or(0, |bytes| number(&bytes)) + 1;
        self.set_local(BOOT, boot.to_be_bytes().to_vec());
        boot
    }

    /// The store with which `peer` presented itself first; remembers `store_uuid` if it is the
    /// first.
    pub fn peer_store(&self, peer: u64, store_uuid: [u8; 16]) -> [u8; 16] {
        let key = format!("{PEER_STORE}/{peer}");
        if let Some(known) = self.local(&key).and_then(|bytes| bytes.try_into().ok()) {
            return known;
        }
        self.set_local(&key, store_uuid.to_vec());
        store_uuid
    }

    fn local(&self, key: &str) -> Option<Vec<u8>> {
        self.db.get_cf(family(&self.db, LOCAL), key).unwrap_or_else(|error| stop("read", &error))
    }

    /// Durably: none of these rows can be had again from the log.
    fn set_local(&self, key: &str, value: Vec<u8>) {
        let mut batch = WriteBatch::default();
        batch.put_cf(family(&self.db, LOCAL), key, value);
        self.write(batch, true);
    }

    fn write(&self, batch: WriteBatch, sync: bool) {
        let mut options = WriteOptions::default();
        options.set_sync(sync);
        self.db.write_opt(batch, &options).unwrap_or_else(|error| stop("write", &error));
    }
}

impl StateView<'_> {
    /// The entry up to which the view contains everything.
    pub fn applied(&self) -> u64 {
        self.applied
    }

    /// A row of the search index.
    pub fn search_row(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.snapshot
            .get_cf(family(self.db, SEARCH), key)
            .unwrap_or_else(|error| stop("read", &error))
    }

    /// The rows of the search index with `from ≤ key < to`, in ascending order.
    pub fn search_range(
        &self,
        from: &[u8],
        to: &[u8],
    ) -> impl Iterator<Item = (Box<[u8]>, Box<[u8]>)> {
        let rows = self.snapshot.iterator_cf_opt(
            family(self.db, SEARCH),
            bounded(from, to),
            IteratorMode::Start,
        );
        rows.map(|row| row.unwrap_or_else(|error| stop("read", &error)))
    }
}

impl Store for StateStore {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.db.get_cf(family(&self.db, STATE), key).unwrap_or_else(|error| stop("read", &error))
    }

    fn range<'a>(&'a self, from: &[u8], to: &[u8]) -> Box<dyn Iterator<Item = Row> + 'a> {
        let state = family(&self.db, STATE);
        rows(from, to, || self.db.iterator_cf_opt(state, bounded(from, to), IteratorMode::Start))
    }

    fn range_reversed<'a>(&'a self, from: &[u8], to: &[u8]) -> Box<dyn Iterator<Item = Row> + 'a> {
        let state = family(&self.db, STATE);
        rows(from, to, || self.db.iterator_cf_opt(state, bounded(from, to), IteratorMode::End))
    }
}

impl Store for StateView<'_> {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        let state = family(self.db, STATE);
        self.snapshot.get_cf(state, key).unwrap_or_else(|error| stop("read", &error))
    }

    fn range<'a>(&'a self, from: &[u8], to: &[u8]) -> Box<dyn Iterator<Item = Row> + 'a> {
        let state = family(self.db, STATE);
        rows(from, to, || {
            self.snapshot.iterator_cf_opt(state, bounded(from, to), IteratorMode::Start)
        })
    }

    fn range_reversed<'a>(&'a self, from: &[u8], to: &[u8]) -> Box<dyn Iterator<Item = Row> + 'a> {
        let state = family(self.db, STATE);
        rows(from, to, || {
            self.snapshot.iterator_cf_opt(state, bounded(from, to), IteratorMode::End)
        })
    }
}

/// Rows that `open` yields, or none where `to` is not above `from`: RocksDB would take such bounds
/// for a mistake.
fn rows<'a>(
    from: &[u8],
    to: &[u8],
    open: impl FnOnce() -> DBIteratorWithThreadMode<'a, DB>,
) -> Box<dyn Iterator<Item = Row> + 'a> {
    if from >= to {
        return Box::new(std::iter::empty());
    }
    Box::new(open().map(|row| {
        let (key, value) = row.unwrap_or_else(|error| stop("read", &error));
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

fn number(bytes: &[u8]) -> u64 {
    u64::from_be_bytes(bytes.try_into().expect("a counter row has eight bytes"))
}

fn stop(attempt: &str, error: &rocksdb::Error) -> ! {
    panic!("the state store could not {attempt}: {error}")
}
