//! A disk that loses power: what is left of writes that no sync confirmed?
//!
//! Everything is in memory and a function of the calls and the seed given to [`SimDisk::crash`]. Each file
//! keeps what is durable apart from what is merely written; a crash keeps, drops or tears each unsynced
//! write on its own, in any combination, which is more than most disks do. Changes of names survive as a
//! prefix of their order, as on a journaling file system, or in any combination, as on others; each of them
//! whole, because no file system tears a name.
//!
//! Power can also go before any single operation, see [`SimDisk::die_after`]. A disk can decay
//! ([`SimDisk::rot`]), refuse ([`SimDisk::fail_write`], [`SimDisk::fail_read`]), be full
//! ([`SimDisk::set_capacity`]) and be slow ([`SimDisk::slow_syncs`]); time is not known here, so a slow sync
//! only says how slow it was. Also here, because a checker that cannot fail proves nothing: syncs can be
//! counted, made to fail, and made to do nothing.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, MutexGuard},
};

use crate::{Disk, DiskFile};

/// What a power loss keeps or loses as one: half a sector is never written.
const SECTOR_BYTES: usize = 512;

/// A simulated folder. Clones speak of the same one.
#[derive(Clone, Debug, Default)]
pub struct SimDisk {
    inner: Arc<Mutex<Inner>>,
}

/// An open file of a [`SimDisk`]; dead after a crash.
#[derive(Clone, Debug)]
pub struct SimFile {
    disk: SimDisk,
    file: u64,
    boots: u64,
}

#[derive(Debug, Default)]
struct Inner {
    files: BTreeMap<u64, Content>,
    next_file: u64,
    names: BTreeMap<String, u64>,
    durable_names: BTreeMap<String, u64>,
    unsynced_names: Vec<NameChange>,
    /// Handles from before a crash are dead.
    boots: u64,
    syncs: u64,
    ignore_syncs: bool,
    failing_sync: Option<u64>,
    /// How many changes and syncs are still done before everything fails.
    operations_left: Option<u64>,
    /// How many writes, or reads, are still done before one fails.
    writes_before_failure: Option<u64>,
    reads_before_failure: Option<u64>,
    /// Bytes that all named files may have together.
    capacity: Option<usize>,
    sync_delay: u64,
    delay: u64,
}

#[derive(Clone, Debug, Default)]
struct Content {
    live: Vec<u8>,
    durable: Vec<u8>,
    /// In order; `live` is `durable` with all of them done.
    unsynced: Vec<Change>,
}

#[derive(Clone, Debug)]
enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Length(usize),
}

#[derive(Clone, Debug)]
enum NameChange {
    Set(String, u64),
    Remove(String),
    Rename(String, String, u64),
}

impl SimDisk {
    /// An empty disk.
    pub fn new() -> Self {
        Self::default()
    }

    /// Loses power: unsynced writes are kept, dropped or torn as `seed` says, open files die.
    pub fn crash(&self, seed: u64) {
        let mut chance = Chance(seed);
        let mut inner = self.lock();
        let inner = &mut *inner;
        let ordered = chance.below(2) == 0;
        let prefix = chance.below(inner.unsynced_names.len() + 1);
        for (position, change) in inner.unsynced_names.drain(..).enumerate() {
            let kept = if ordered { position < prefix } else { chance.below(2) == 0 };
            if kept {
                change.apply(&mut inner.durable_names);
            }
        }
        inner.reboot(&mut |change, content| change.survive(content, &mut chance));
    }

    /// Loses power and every unsynced write with it.
    pub fn crash_losing_all(&self) {
        let mut inner = self.lock();
        inner.unsynced_names.clear();
        inner.reboot(&mut |_, _| {});
    }

    /// Ends the process that used the disk, but not the machine: everything written stays, open files die.
    pub fn kill(&self) {
        self.lock().boots += 1;
    }

    /// Lets `operations` more changes and syncs happen; all after them fail until a crash brings the power
    /// back.
    pub fn die_after(&self, operations: u64) {
        self.lock().operations_left = Some(operations);
    }

    /// Lets the `n`-th write from now (1 = the next) fail without effect: an input/output error. Growing and
    /// cutting files count as writes.
    pub fn fail_write(&self, n: u64) {
        assert!(n > 0, "the next write is number 1");
        self.lock().writes_before_failure = Some(n - 1);
    }

    /// Lets the `n`-th read from now (1 = the next) fail: an input/output error.
    pub fn fail_read(&self, n: u64) {
        assert!(n > 0, "the next read is number 1");
        self.lock().reads_before_failure = Some(n - 1);
    }

    /// Bounds the bytes that all files may have together; `None` is no bound. What there is beyond it stays,
    /// and what would add to it fails as on a full disk.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.lock().capacity = bytes.map(|bytes| bytes as usize);
    }

    /// Bytes that all files have together.
    pub fn used(&self) -> u64 {
        self.lock().used() as u64
    }

    /// Lets every sync from now on be slow by `delay`, in whatever unit the driver counts.
    pub fn slow_syncs(&self, delay: u64) {
        self.lock().sync_delay = delay;
    }

    /// How slow the syncs since the last time were, together. Whoever drives the disk lets that time pass.
    pub fn take_delay(&self) -> u64 {
        std::mem::take(&mut self.lock().delay)
    }

    /// Flips one bit of what is durably written, chosen by `seed`, and returns where; `None` if nothing is
    /// written. Preallocated space holds nothing that could decay with effect.
    pub fn rot(&self, seed: u64) -> Option<(String, u64)> {
        let mut chance = Chance(seed);
        let mut inner = self.lock();
        let inner = &mut *inner;
        let written: Vec<(&String, u64, usize)> = inner
            .durable_names
            .iter()
            .filter_map(|(name, file)| {
                let durable = &inner.files.get(file)?.durable;
                let last = durable.iter().rposition(|byte| *byte != 0)?;
                Some((name, *file, last + 1))
            })
            .collect();
        let total = written.iter().map(|(_, _, length)| length).sum();
        let mut at = if total == 0 { return None } else { chance.below(total) };
        let (name, file, _) = written.into_iter().find(|(_, _, length)| {
            let here = at < *length;
            at -= if here { 0 } else { *length };
            here
        })?;
        let content = inner.files.get_mut(&file).expect("a named file has content");
        let bit = 1 << chance.below(8);
        content.durable[at] ^= bit;
        if let Some(byte) = content.live.get_mut(at) {
            *byte ^= bit;
        }
        Some((name.clone(), at as u64))
    }

    /// How many syncs of files and of the folder there were, failed and ignored ones included.
    pub fn syncs(&self) -> u64 {
        self.lock().syncs
    }

    /// How many changes a crash could lose now.
    pub fn unsynced(&self) -> usize {
        let inner = self.lock();
        inner.unsynced_names.len()
            + inner.files.values().map(|file| file.unsynced.len()).sum::<usize>()
    }

    /// Lets every later sync succeed and do nothing: the mutation that durability checks must catch.
    pub fn ignore_syncs(&self, ignore: bool) {
        self.lock().ignore_syncs = ignore;
    }

    /// Lets the `n`-th sync from now (1 = the next) fail. As on real systems, what it should have made
    /// durable stays readable, is lost in a crash, and a later sync that succeeds does not change that.
    pub fn fail_sync(&self, n: u64) {
        assert!(n > 0, "the next sync is number 1");
        let mut inner = self.lock();
        inner.failing_sync = Some(inner.syncs + n);
    }

    /// Changes the bytes of `name` behind the back of its user, durably: decay.
    ///
    /// Panics if there is no such file.
    pub fn damage(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut inner = self.lock();
        let file = *inner.names.get(name).unwrap_or_else(|| panic!("no file {name}"));
        let content = inner.files.get_mut(&file).expect("a named file has content");
        change(&mut content.live);
        content.durable.clone_from(&content.live);
        content.unsynced.clear();
    }

    /// A disk of its own with what is written to this one, all of it durable.
    pub fn duplicate(&self) -> Self {
        let inner = self.lock();
        let files = inner
            .files
            .iter()
            .map(|(file, content)| {
                let bytes = content.live.clone();
                (*file, Content { live: bytes.clone(), durable: bytes, unsynced: Vec::new() })
            })
            .collect();
        let copy = Inner {
            files,
            next_file: inner.next_file,
            capacity: inner.capacity,
            names: inner.names.clone(),
            durable_names: inner.names.clone(),
            ..Inner::default()
        };
        Self { inner: Arc::new(Mutex::new(copy)) }
    }

    /// A disk of its own, with the same content and the same fate before it: what is unsynced here is
    /// unsynced there.
    pub fn fork(&self) -> Self {
        let inner = self.lock();
        let copy = Inner {
            files: inner.files.clone(),
            next_file: inner.next_file,
            names: inner.names.clone(),
            durable_names: inner.durable_names.clone(),
            unsynced_names: inner.unsynced_names.clone(),
            capacity: inner.capacity,
            operations_left: inner.operations_left,
            ..Inner::default()
        };
        Self { inner: Arc::new(Mutex::new(copy)) }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("no holder of the simulated disk panics")
    }
}

impl Inner {
    fn reboot(&mut self, survive: &mut impl FnMut(Change, &mut Vec<u8>)) {
        self.boots += 1;
        self.operations_left = None;
        self.writes_before_failure = None;
        self.reads_before_failure = None;
        self.names.clone_from(&self.durable_names);
        let names = &self.names;
        self.files.retain(|file, _| names.values().any(|named| named == file));
        for content in self.files.values_mut() {
            for change in std::mem::take(&mut content.unsynced) {
                survive(change, &mut content.durable);
            }
            content.live.clone_from(&content.durable);
        }
    }

    /// Counts a change or a sync against the power that is left.
    fn operate(&mut self) -> io::Result<()> {
        match &mut self.operations_left {
            None => Ok(()),
            Some(0) => Err(io::Error::other("the power is gone")),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
        }
    }

    fn used(&self) -> usize {
        self.names.values().map(|file| self.files[file].live.len()).sum()
    }

    /// Whether a write may happen that lets a file of `length` bytes have `new_length`.
    fn write(&mut self, length: usize, new_length: usize) -> io::Result<()> {
        self.operate()?;
        count_down(&mut self.writes_before_failure)?;
        let added = new_length.saturating_sub(length);
        if added > 0 && self.capacity.is_some_and(|capacity| self.used() + added > capacity) {
            return Err(io::Error::new(io::ErrorKind::StorageFull, "the simulated disk is full"));
        }
        Ok(())
    }

    /// Counts a sync and says whether it takes effect.
    fn count_sync(&mut self) -> Sync {
        self.syncs += 1;
        self.delay += self.sync_delay;
        if self.failing_sync == Some(self.syncs) {
            self.failing_sync = None;
            Sync::Failed
        } else if self.ignore_syncs {
            Sync::Ignored
        } else {
            Sync::Done
        }
    }
}

fn count_down(left: &mut Option<u64>) -> io::Result<()> {
    match left {
        None => Ok(()),
        Some(0) => {
            *left = None;
            Err(io::Error::other("simulated input/output error"))
        }
        Some(more) => {
            *more -= 1;
            Ok(())
        }
    }
}

#[derive(Clone, Copy)]
enum Sync {
    Done,
    Ignored,
    Failed,
}

impl Change {
    /// The length that it lets a file of `length` bytes have.
    fn length_after(&self, length: usize) -> usize {
        match self {
            Self::Write { offset, bytes } => length.max(offset + bytes.len()),
            Self::Length(length) => *length,
        }
    }

    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write { offset, bytes } => write(content, *offset, bytes),
            Self::Length(length) => content.resize(*length, 0),
        }
    }

    /// What a power loss makes of it.
    fn survive(self, content: &mut Vec<u8>, chance: &mut Chance) {
        match (chance.below(4), self) {
            (0, _) => {}
            (1, change) | (_, change @ Self::Length(_)) => change.apply(content),
            // Torn: everything up to some byte.
            (2, Self::Write { offset, bytes }) => {
                let kept = chance.below(bytes.len() + 1);
                write(content, offset, &bytes[..kept]);
            }
            // Torn: some of the sectors, in no order.
            (_, Self::Write { offset, bytes }) => {
                let mut at = 0;
                while at < bytes.len() {
                    let end = (at + SECTOR_BYTES - (offset + at) % SECTOR_BYTES).min(bytes.len());
                    if chance.below(2) == 0 {
                        write(content, offset + at, &bytes[at..end]);
                    }
                    at = end;
                }
            }
        }
    }
}

fn write(content: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[offset..end].copy_from_slice(bytes);
}

impl NameChange {
    fn apply(self, names: &mut BTreeMap<String, u64>) {
        match self {
            Self::Set(name, file) => {
                names.insert(name, file);
            }
            Self::Remove(name) => {
                names.remove(&name);
            }
            Self::Rename(from, to, file) => {
                if names.get(&from) == Some(&file) {
                    names.remove(&from);
                }
                names.insert(to, file);
            }
        }
    }
}

impl Disk for SimDisk {
    type File = SimFile;

    fn create(&self, name: &str) -> io::Result<SimFile> {
        let mut inner = self.lock();
        inner.operate()?;
        let file = inner.next_file;
        inner.next_file += 1;
        inner.files.insert(file, Content::default());
        inner.names.insert(name.to_owned(), file);
        inner.unsynced_names.push(NameChange::Set(name.to_owned(), file));
        Ok(SimFile { disk: self.clone(), file, boots: inner.boots })
    }

    fn open(&self, name: &str) -> io::Result<SimFile> {
        let inner = self.lock();
        let file = *inner.names.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(SimFile { disk: self.clone(), file, boots: inner.boots })
    }

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.lock().names.keys().cloned().collect())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut inner = self.lock();
        inner.operate()?;
        inner.names.remove(name).ok_or(io::ErrorKind::NotFound)?;
        inner.unsynced_names.push(NameChange::Remove(name.to_owned()));
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut inner = self.lock();
        inner.operate()?;
        let file = inner.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        inner.names.insert(to.to_owned(), file);
        inner.unsynced_names.push(NameChange::Rename(from.to_owned(), to.to_owned(), file));
        Ok(())
    }

    fn sync_dir(&self) -> io::Result<()> {
        let mut inner = self.lock();
        let inner = &mut *inner;
        inner.operate()?;
        match inner.count_sync() {
            Sync::Done => {
                for change in inner.unsynced_names.drain(..) {
                    change.apply(&mut inner.durable_names);
                }
                Ok(())
            }
            Sync::Ignored => Ok(()),
            Sync::Failed => {
                inner.unsynced_names.clear();
                Err(failed_sync())
            }
        }
    }
}

impl SimFile {
    fn with<T>(&self, act: impl FnOnce(&mut Content) -> io::Result<T>) -> io::Result<T> {
        let mut inner = self.disk.lock();
        self.check_alive(&inner)?;
        act(inner.files.get_mut(&self.file).expect("an open file has content"))
    }

    fn check_alive(&self, inner: &Inner) -> io::Result<()> {
        if self.boots == inner.boots {
            Ok(())
        } else {
            Err(io::Error::other("the file was opened before a crash"))
        }
    }

    fn change(&self, change: Change) -> io::Result<()> {
        let mut inner = self.disk.lock();
        self.check_alive(&inner)?;
        let length = inner.files[&self.file].live.len();
        inner.write(length, change.length_after(length))?;
        let content = inner.files.get_mut(&self.file).expect("an open file has content");
        change.apply(&mut content.live);
        content.unsynced.push(change);
        Ok(())
    }
}

impl DiskFile for SimFile {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.change(Change::Write { offset: offset as usize, bytes: bytes.to_vec() })
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        count_down(&mut self.disk.lock().reads_before_failure)?;
        self.with(|content| {
            let start = offset as usize;
            let found =
                content.live.get(start..start + bytes.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
            bytes.copy_from_slice(found);
            Ok(())
        })
    }

    fn sync(&self) -> io::Result<()> {
        let mut inner = self.disk.lock();
        self.check_alive(&inner)?;
        inner.operate()?;
        let outcome = inner.count_sync();
        let content = inner.files.get_mut(&self.file).expect("an open file has content");
        match outcome {
            Sync::Done => {
                for change in std::mem::take(&mut content.unsynced) {
                    change.apply(&mut content.durable);
                }
                Ok(())
            }
            Sync::Ignored => Ok(()),
            Sync::Failed => {
                content.unsynced.clear();
                Err(failed_sync())
            }
        }
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.change(Change::Length(length as usize))
    }

    fn len(&self) -> io::Result<u64> {
        self.with(|content| Ok(content.live.len() as u64))
    }

    fn allocate(&self, length: u64) -> io::Result<()> {
        if self.len()? < length { self.truncate(length) } else { Ok(()) }
    }
}

fn failed_sync() -> io::Error {
    io::Error::other("simulated failure of a sync")
}

/// SplitMix64: enough chance for a crash, and the same on every machine.
#[derive(Debug)]
struct Chance(u64);

impl Chance {
    /// A number below `bound`, which is not 0.
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }
}

#[cfg(test)]
mod tests;
