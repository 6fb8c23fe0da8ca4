//! The log itself: how do batches get into segments, and how do readers find them while a sync runs?
//!
//! A batch is one write and lies in one segment. When it does not fit, the segment is synced and the next
//! one made: preallocated, begun with a checkpoint (compaction mark and hard state), synced, and only then
//! named. So every segment but the last is durable, and old segments can be freed without losing the vote.
//!
//! Snapshots are not known here: [`LogStore::compact`] only frees entries whose effects the caller has made
//! durable elsewhere.

use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};

use catalog_mutation::{Mutation, active};
use protobuf::Message;
use raft::eraftpb::{Entry, HardState};

use crate::{
    Disk, DiskFile, LogError, LogRead, LogStore, StoreIdentity,
    frame::{self, Kind},
    index::{Index, Mark, Place, Segment},
    recovery::{self, Tail, encode_hard_state, encode_install, encode_mark},
    segment::{self, Header},
};

/// How a log uses its disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Size of a segment in bytes, preallocated; a larger batch makes a larger segment.
    pub segment_bytes: u64,
}

impl Default for Options {
    /// 8 MiB: a few milliseconds of preallocation, and seldom.
    fn default() -> Self {
        Self { segment_bytes: 8 * 1024 * 1024 }
    }
}

/// A Raft log in segments; see the crate's documentation for what it promises.
#[derive(Debug)]
pub struct SegmentLog<D: Disk> {
    disk: D,
    identity: StoreIdentity,
    options: Options,
    reader: SegmentReader<D::File>,
    hard_state: HardState,
    state_number: u64,
    /// The segment that is written to.
    active: Segment<D::File>,
    tail: Tail,
    capacity: u64,
    /// How far the active segment is durable; `durable <= tail.end`.
    durable: u32,
    /// Set by the first failed write or sync, never cleared.
    failed: bool,
}

/// Reads a [`SegmentLog`] from elsewhere. Waits for table-of-contents updates, never for the disk's syncs.
#[derive(Debug)]
pub struct SegmentReader<F> {
    index: Arc<RwLock<Index<F>>>,
}

impl<F> Clone for SegmentReader<F> {
    fn clone(&self) -> Self {
        Self { index: Arc::clone(&self.index) }
    }
}

impl<D: Disk> SegmentLog<D> {
    /// Opens the log on `disk`, or begins an empty one there.
    ///
    /// An unfinished tail is cut; anything else that is not as it was written is an error.
    pub fn open(disk: D, identity: StoreIdentity, options: Options) -> Result<Self, LogError> {
        assert!(
            (1024..=1 << 30).contains(&options.segment_bytes),
            "a segment has between 1 KiB and 1 GiB, not {} bytes",
            options.segment_bytes
        );
        let mut recovered = recovery::recover(&disk, identity, options.segment_bytes)?;
        let (tail, active) = if let Some(tail) = recovered.tail {
            let active = recovered.index.segments[&tail.segment].clone();
            (tail, active)
        } else {
            let (tail, active) = begin_segment(
                &disk,
                Header { identity, number: 1, previous: 0, format: 1 },
                options.segment_bytes,
                &Checkpoint::Going { mark: Mark::default(), state_number: 0 },
                &recovered.hard_state,
            )?;
            recovered.index.segments.insert(tail.segment, active.clone());
            (tail, active)
        };
        let capacity =
            active.file.len().map_err(LogError::disk("measure", segment::name(tail.segment)))?;
        Ok(Self {
            disk,
            identity,
            options,
            reader: SegmentReader { index: Arc::new(RwLock::new(recovered.index)) },
            hard_state: recovered.hard_state,
            state_number: recovered.state_number,
            active,
            durable: tail.end,
            tail,
            capacity,
            failed: false,
        })
    }

    /// Numbers of the segments on disk, oldest first.
    pub fn segments(&self) -> Vec<u64> {
        self.reader.read().segments.keys().copied().collect()
    }

    /// Runs `act` unless the log refuses, and makes its failure final.
    fn guarded<T>(
        &mut self,
        act: impl FnOnce(&mut Self) -> Result<T, LogError>,
    ) -> Result<T, LogError> {
        if self.failed {
            return Err(LogError::Refusing);
        }
        // Set first: a panic in the middle is as final as an error.
        self.failed = true;
        let done = act(self)?;
        self.failed = false;
        Ok(done)
    }

    fn append_guarded(
        &mut self,
        entries: &[Entry],
        hard_state: Option<&HardState>,
    ) -> Result<(), LogError> {
        let mut payloads = Vec::with_capacity(entries.len());
        for entry in entries {
            payloads.push(entry.write_to_bytes().expect("an entry of this process can be encoded"));
        }
        let mut records: Vec<(Kind, &[u8])> =
            payloads.iter().map(|payload| (Kind::Entry, payload.as_slice())).collect();
        let state_payload = hard_state.map(encode_hard_state);
        records.extend(state_payload.as_deref().map(|payload| (Kind::HardState, payload)));

        let mut offset = self.write_batch(&records)?;
        let segment = self.tail.segment;
        let mut index = self.reader.write();
        for (entry, payload) in entries.iter().zip(&payloads) {
            let size = (frame::HEADER_BYTES + payload.len()) as u32;
            index.push(entry.index, Place { segment, offset, size, term: entry.term });
            offset += size;
        }
        drop(index);
        if let Some(state) = hard_state {
            self.hard_state.clone_from(state);
        }
        Ok(())
    }

    /// Writes `records` as one batch, not yet durable, and returns where it begins.
    fn write_batch(&mut self, records: &[(Kind, &[u8])]) -> Result<u32, LogError> {
        let size: u64 =
            records.iter().map(|(_, payload)| (frame::HEADER_BYTES + payload.len()) as u64).sum();
        if u64::from(self.tail.end) + size > self.capacity {
            self.begin_next_segment(size)?;
        }
        let mut bytes = Vec::with_capacity(size as usize);
        for (position, (kind, payload)) in records.iter().enumerate() {
            let last_of_batch = position + 1 == records.len();
            self.tail.previous = frame::write(
                &mut bytes,
                self.active.seed,
                self.tail.previous,
                self.durable,
                *kind,
                last_of_batch,
                payload,
            );
        }
        let offset = self.tail.end;
        self.active
            .file
            .write_at(u64::from(offset), &bytes)
            .map_err(LogError::disk("write", segment::name(self.tail.segment)))?;
        self.tail.end += bytes.len() as u32;
        Ok(offset)
    }

    fn sync_guarded(&mut self) -> Result<(), LogError> {
        if self.durable < self.tail.end {
            if !active(Mutation::NoSync) {
                self.active
                    .file
                    .sync()
                    .map_err(LogError::disk("sync", segment::name(self.tail.segment)))?;
            }
            self.durable = self.tail.end;
        }
        Ok(())
    }

    fn begin_next_segment(&mut self, batch_bytes: u64) -> Result<(), LogError> {
        self.sync_guarded()?;
        // Room for the header and its checkpoint.
        let capacity = self.options.segment_bytes.max(batch_bytes + 256);
        let mark = self.reader.read().mark;
        let checkpoint = Checkpoint::Going { mark, state_number: self.state_number };
        let (tail, active) = begin_segment(
            &self.disk,
            self.next_header(&checkpoint),
            capacity,
            &checkpoint,
            &self.hard_state,
        )?;
        self.reader.write().segments.insert(tail.segment, active.clone());
        self.go_on_in(tail, active, capacity);
        self.disk.expect(self.options.segment_bytes);
        Ok(())
    }

    fn next_header(&self, checkpoint: &Checkpoint) -> Header {
        Header {
            identity: self.identity,
            number: self.tail.segment + 1,
            previous: self.tail.previous,
            format: checkpoint.format(),
        }
    }

    fn go_on_in(&mut self, tail: Tail, active: Segment<D::File>, capacity: u64) {
        self.active = active;
        self.durable = tail.end;
        self.tail = tail;
        self.capacity = capacity;
    }

    /// The name that the new segment gets is what decides: before it the old log counts, after it the
    /// segment's first batch, which empties the log.
    fn install_guarded(
        &mut self,
        mark: Mark,
        state_number: u64,
        hard_state: &HardState,
    ) -> Result<(), LogError> {
        self.sync_guarded()?;
        let checkpoint = Checkpoint::Install { mark, state_number };
        let capacity = self.options.segment_bytes;
        let header = self.next_header(&checkpoint);
        let (tail, active) = begin_segment(&self.disk, header, capacity, &checkpoint, hard_state)?;
        let mut index = self.reader.write();
        index.install(mark);
        index.segments.insert(tail.segment, active.clone());
        drop(index);
        self.go_on_in(tail, active, capacity);
        self.state_number = state_number;
        self.hard_state.clone_from(hard_state);
        self.free_segments()
    }

    /// Writes a compaction mark durably, then takes it over.
    fn mark(&mut self, mark: Mark, hard_state: Option<&HardState>) -> Result<(), LogError> {
        let mark_payload = encode_mark(mark);
        let mut records = vec![(Kind::CompactionMark, mark_payload.as_slice())];
        let state_payload = hard_state.map(encode_hard_state);
        records.extend(state_payload.as_deref().map(|payload| (Kind::HardState, payload)));
        self.write_batch(&records)?;
        self.sync_guarded()?;
        self.reader.write().forget(mark);
        if let Some(state) = hard_state {
            self.hard_state.clone_from(state);
        }
        Ok(())
    }

    /// Frees the segments that hold no kept entry. Oldest first and each one durably, because a gap between
    /// segments is damage.
    fn free_segments(&mut self) -> Result<(), LogError> {
        let index = self.reader.read();
        let first_kept = index.places.front().map_or(self.tail.segment, |place| place.segment);
        let free: Vec<u64> =
            index.segments.range(..first_kept).map(|(number, _)| *number).collect();
        drop(index);
        for number in free {
            let name = segment::name(number);
            self.disk
                .take_back(&name, self.options.segment_bytes)
                .map_err(LogError::disk("remove", name))?;
            if !active(Mutation::FreedWithoutSync) {
                self.disk.sync_dir().map_err(LogError::disk("sync", "."))?;
            }
            self.reader.write().segments.remove(&number);
        }
        Ok(())
    }
}

/// What a segment repeats of those before it, so that they can be freed.
enum Checkpoint {
    /// The log goes on.
    Going { mark: Mark, state_number: u64 },
    /// The log begins anew.
    Install { mark: Mark, state_number: u64 },
}

impl Checkpoint {
    fn format(&self) -> u32 {
        if matches!(self, Self::Going { state_number: 0, .. }) { 1 } else { 2 }
    }

    fn records(&self) -> Vec<(Kind, Vec<u8>)> {
        match self {
            Self::Going { mark, state_number: 0 } => {
                vec![(Kind::CompactionMark, encode_mark(*mark))]
            }
            Self::Going { mark, state_number } => vec![
                (Kind::StateNumber, state_number.to_le_bytes().to_vec()),
                (Kind::CompactionMark, encode_mark(*mark)),
            ],
            Self::Install { mark, state_number } => {
                vec![(Kind::Install, encode_install(*mark, *state_number))]
            }
        }
    }
}

/// Makes a segment with its header and checkpoint; it has its name only once these are durable.
fn begin_segment<D: Disk>(
    disk: &D,
    header: Header,
    capacity: u64,
    checkpoint: &Checkpoint,
    hard_state: &HardState,
) -> Result<(Tail, Segment<D::File>), LogError> {
    let unfinished = segment::unfinished_name(header.number);
    let name = segment::name(header.number);
    let mut bytes = header.encode().to_vec();
    let seed = crc32fast::hash(&bytes[..segment::HEADER_BYTES - 4]);
    let mut previous = header.previous;
    for (kind, payload) in checkpoint.records() {
        previous = frame::write(&mut bytes, seed, previous, 0, kind, false, &payload);
    }
    let previous = frame::write(
        &mut bytes,
        seed,
        previous,
        0,
        Kind::HardState,
        true,
        &encode_hard_state(hard_state),
    );

    let file = disk
        .create_allocated(&unfinished, capacity)
        .map_err(LogError::disk("allocate", &*unfinished))?;
    file.write_at(0, &bytes).map_err(LogError::disk("write", &*unfinished))?;
    file.sync().map_err(LogError::disk("sync", &*unfinished))?;
    disk.rename(&unfinished, &name).map_err(LogError::disk("rename", &*unfinished))?;
    disk.sync_dir().map_err(LogError::disk("sync", "."))?;
    let tail = Tail { segment: header.number, end: bytes.len() as u32, previous };
    Ok((tail, Segment { file: Arc::new(file), seed }))
}

impl<D: Disk> LogRead for SegmentLog<D> {
    fn first_index(&self) -> u64 {
        self.reader.first_index()
    }

    fn last_index(&self) -> u64 {
        self.reader.last_index()
    }

    fn term(&self, index: u64) -> Result<u64, LogError> {
        self.reader.term(index)
    }

    fn entries(&self, low: u64, high: u64, max_bytes: u64) -> Result<Vec<Entry>, LogError> {
        self.reader.entries(low, high, max_bytes)
    }

    fn bytes_from(&self, low: u64) -> u64 {
        self.reader.bytes_from(low)
    }
}

impl<D: Disk> LogStore for SegmentLog<D> {
    type Reader = SegmentReader<D::File>;

    fn reader(&self) -> Self::Reader {
        self.reader.clone()
    }

    fn hard_state(&self) -> HardState {
        self.hard_state.clone()
    }

    fn bootstrap(&mut self, index: u64, term: u64) -> Result<bool, LogError> {
        if self.last_index() > 0 || self.hard_state != HardState::default() {
            return Ok(false);
        }
        let hard_state = HardState { term, commit: index, ..HardState::default() };
        self.guarded(|log| log.mark(Mark { index, term }, Some(&hard_state)))?;
        Ok(true)
    }

    fn state_number(&self) -> u64 {
        self.state_number
    }

    fn install(
        &mut self,
        index: u64,
        term: u64,
        state_number: u64,
        hard_state: &HardState,
    ) -> Result<(), LogError> {
        assert!(
            state_number > self.state_number,
            "state {state_number} is not after state {}",
            self.state_number
        );
        assert!(
            hard_state.commit >= index && hard_state.term >= term,
            "a snapshot at {index}/{term} is more than {hard_state:?} knows"
        );
        self.guarded(|log| log.install_guarded(Mark { index, term }, state_number, hard_state))
    }

    fn append(
        &mut self,
        entries: &[Entry],
        hard_state: Option<&HardState>,
    ) -> Result<(), LogError> {
        if let Some(first) = entries.first() {
            assert!(first.index <= self.last_index() + 1, "a gap before entry {}", first.index);
            assert!(first.index >= self.first_index(), "entry {} was compacted", first.index);
            let contiguous = entries.windows(2).all(|pair| pair[0].index + 1 == pair[1].index);
            assert!(contiguous, "a gap within the batch that begins at entry {}", first.index);
        }
        self.guarded(|log| {
            if entries.is_empty() && hard_state.is_none() {
                return Ok(());
            }
            log.append_guarded(entries, hard_state)
        })
    }

    fn sync(&mut self) -> Result<(), LogError> {
        self.guarded(Self::sync_guarded)
    }

    fn compact(&mut self, through: u64) -> Result<(), LogError> {
        assert!(
            through <= self.last_index(),
            "compaction through {through} beyond the end of the log"
        );
        self.guarded(|log| {
            if through < log.first_index() {
                return Ok(());
            }
            let term = log.term(through)?;
            log.mark(Mark { index: through, term }, None)?;
            log.free_segments()
        })
    }
}

impl<F> SegmentReader<F> {
    fn read(&self) -> RwLockReadGuard<'_, Index<F>> {
        self.index.read().expect("no holder of the index panics")
    }

    fn write(&self) -> RwLockWriteGuard<'_, Index<F>> {
        self.index.write().expect("no holder of the index panics")
    }
}

impl<F: DiskFile> LogRead for SegmentReader<F> {
    fn first_index(&self) -> u64 {
        self.read().base
    }

    fn last_index(&self) -> u64 {
        self.read().last()
    }

    fn term(&self, index: u64) -> Result<u64, LogError> {
        self.read().term(index)
    }

    fn bytes_from(&self, low: u64) -> u64 {
        let index = self.read();
        let entries = (index.last() + 1).saturating_sub(low.max(index.base));
        index.sizes_from(low) - entries * frame::HEADER_BYTES as u64
    }

    fn entries(&self, low: u64, high: u64, max_bytes: u64) -> Result<Vec<Entry>, LogError> {
        let mut entries = Vec::new();
        let mut taken = 0;
        // Held over the reads, so that no segment is freed under them; the writer takes it without the disk.
        let index = self.read();
        if low < high {
            index.place(high - 1)?;
        }
        for number in low..high {
            let place = index.place(number)?;
            taken += u64::from(place.size) - frame::HEADER_BYTES as u64;
            if taken > max_bytes && !entries.is_empty() {
                break;
            }
            let segment = &index.segments[&place.segment];
            let mut bytes = vec![0; place.size as usize];
            segment
                .file
                .read_at(u64::from(place.offset), &mut bytes)
                .map_err(LogError::disk("read", segment::name(place.segment)))?;
            let offset = u64::from(place.offset);
            let payload = frame::expect(&bytes, segment.seed, Kind::Entry, place.segment, offset)?;
            let entry = Entry::parse_from_bytes(payload).map_err(|_| LogError::Corrupt {
                segment: place.segment,
                offset,
                damage: crate::Damage::Content,
            })?;
            entries.push(entry);
        }
        Ok(entries)
    }
}

#[cfg(test)]
mod tests;
