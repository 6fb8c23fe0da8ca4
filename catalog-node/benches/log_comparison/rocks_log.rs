//! RocksDB as a Raft log, as well as we know how: big-endian keys, no compression, a write-ahead log
//! whose files are used again, one write and one sync a batch. For comparison only.

use std::{
    collections::VecDeque,
    io,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use catalog_log::{LogError, LogRead, LogStore};
use protobuf::Message as _;
use raft::eraftpb::{Entry, HardState};
use rocksdb::{DB, DBCompressionType, Error, Options, WriteBatch, WriteOptions};

const ENTRY: u8 = 1;
const HARD_STATE: [u8; 1] = [2];
const MARK: [u8; 1] = [3];

/// A log in RocksDB, and its reader.
#[derive(Clone)]
pub(crate) struct RocksLog {
    db: Arc<DB>,
    known: Arc<Mutex<Known>>,
}

/// What a log must answer without the disk: as the segment log does, from memory.
#[derive(Default)]
struct Known {
    /// The entry before the first one, with its term.
    mark: (u64, u64),
    /// Term and size of each entry.
    entries: VecDeque<(u64, u64)>,
    hard_state: HardState,
    state_number: u64,
    /// Written by nobody's sync yet.
    unsynced: WriteBatch,
}

fn key(index: u64) -> Vec<u8> {
    let mut key = vec![ENTRY];
    key.extend(index.to_be_bytes());
    key
}

fn failed(attempt: &'static str) -> impl FnOnce(Error) -> LogError {
    move |error| LogError::Disk { attempt, file: ".".to_owned(), source: io::Error::other(error) }
}

impl RocksLog {
    pub(crate) fn open(folder: &Path) -> Result<Self, Error> {
        let mut options = Options::default();
        options.create_if_missing(true);
        options.set_compression_type(DBCompressionType::None);
        options.set_write_buffer_size(64 << 20);
        options.set_max_write_buffer_number(4);
        options.set_max_background_jobs(2);
        options.set_recycle_log_file_num(4);
        let db = Arc::new(DB::open(&options, folder)?);
        Ok(Self { db, known: Arc::default() })
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn last(&self) -> u64 {
        self.mark.0 + self.entries.len() as u64
    }

    fn place(&self, index: u64) -> Result<(u64, u64), LogError> {
        if index <= self.mark.0 {
            return Err(LogError::Compacted { index, first: self.mark.0 + 1 });
        }
        let place = self.entries.get((index - self.mark.0 - 1) as usize);
        place.copied().ok_or(LogError::Unavailable { index, last: self.last() })
    }

    fn put_mark(&mut self) {
        let (index, term) = self.mark;
        let bytes = [index, term, self.state_number].map(u64::to_be_bytes).concat();
        self.unsynced.put(MARK, bytes);
    }
}

impl LogRead for RocksLog {
    fn first_index(&self) -> u64 {
        self.known().mark.0 + 1
    }

    fn last_index(&self) -> u64 {
        self.known().last()
    }

    fn term(&self, index: u64) -> Result<u64, LogError> {
        let known = self.known();
        if index == known.mark.0 {
            return Ok(known.mark.1);
        }
        known.place(index).map(|(term, _)| term)
    }

    fn entries(&self, low: u64, high: u64, max_bytes: u64) -> Result<Vec<Entry>, LogError> {
        let (mut entries, mut taken) = (Vec::new(), 0);
        for index in low..high {
            let (_, size) = self.known().place(index)?;
            taken += size;
            if taken > max_bytes && !entries.is_empty() {
                break;
            }
            let bytes = self.db.get_pinned(key(index)).map_err(failed("read"))?;
            let bytes = bytes.expect("what is known is there");
            entries.push(Entry::parse_from_bytes(&bytes).expect("it was written here"));
        }
        Ok(entries)
    }

    fn bytes_from(&self, low: u64) -> u64 {
        let known = self.known();
        let skipped = low.saturating_sub(known.mark.0 + 1) as usize;
        known.entries.iter().skip(skipped).map(|(_, size)| size).sum()
    }
}

impl LogStore for RocksLog {
    type Reader = Self;

    fn reader(&self) -> Self {
        self.clone()
    }

    fn hard_state(&self) -> HardState {
        self.known().hard_state.clone()
    }

    fn bootstrap(&mut self, index: u64, term: u64) -> Result<bool, LogError> {
        let hard_state = HardState { term, commit: index, ..HardState::default() };
        {
            let mut known = self.known();
            if known.last() > 0 {
                return Ok(false);
            }
            known.mark = (index, term);
            known.put_mark();
        }
        self.append(&[], Some(&hard_state))?;
        self.sync()?;
        Ok(true)
    }

    fn state_number(&self) -> u64 {
        self.known().state_number
    }

    fn install(
        &mut self,
        index: u64,
        term: u64,
        state_number: u64,
        hard_state: &HardState,
    ) -> Result<(), LogError> {
        {
            let mut known = self.known();
            let last = known.last();
            known.unsynced.delete_range(key(0), key(last + 1));
            known.entries.clear();
            known.mark = (index, term);
            known.state_number = state_number;
            known.put_mark();
        }
        self.append(&[], Some(hard_state))?;
        self.sync()
    }

    fn append(
        &mut self,
        entries: &[Entry],
        hard_state: Option<&HardState>,
    ) -> Result<(), LogError> {
        let mut known = self.known();
        for entry in entries {
            let kept = (entry.index - known.mark.0 - 1) as usize;
            for replaced in (entry.index..=known.last()).rev() {
                known.unsynced.delete(key(replaced));
            }
            known.entries.truncate(kept);
            let bytes = entry.write_to_bytes().expect("an entry can be encoded");
            known.entries.push_back((entry.term, bytes.len() as u64));
            known.unsynced.put(key(entry.index), bytes);
        }
        if let Some(state) = hard_state {
            let bytes = state.write_to_bytes().expect("a hard state can be encoded");
            known.unsynced.put(HARD_STATE, bytes);
            known.hard_state.clone_from(state);
        }
        Ok(())
    }

    fn sync(&mut self) -> Result<(), LogError> {
        let batch = std::mem::take(&mut self.known().unsynced);
        let mut options = WriteOptions::default();
        options.set_sync(true);
        self.db.write_opt(batch, &options).map_err(failed("sync"))
    }

    fn compact(&mut self, through: u64) -> Result<(), LogError> {
        {
            let mut known = self.known();
            if through <= known.mark.0 {
                return Ok(());
            }
            let (term, _) = known.place(through)?;
            let first = known.mark.0 + 1;
            known.unsynced.delete_range(key(first), key(through + 1));
            let freed = (through - known.mark.0) as usize;
            known.entries.drain(..freed);
            known.mark = (through, term);
            known.put_mark();
        }
        self.sync()
    }
}
