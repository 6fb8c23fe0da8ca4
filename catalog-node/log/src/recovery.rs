//! What did the last run leave behind: a sound log, an unfinished tail to cut, or damage to refuse?
//!
//! Every segment but the last was durable before the next one got its name, so anything unsound in it is
//! damage. In the last one an unsound tail is an ordinary crash, unless a later record says that it was
//! durable. What remains is synced before the log is used: bytes that merely survived in the operating
//! system's memory must not be taken for durable ones.

use std::sync::Arc;

use protobuf::Message;
use raft::eraftpb::{Entry, HardState};

use crate::{
    Damage, Disk, DiskFile, LogError, StoreIdentity,
    frame::{self, Found, Frame, Kind},
    index::{Index, Mark, Place, Segment},
    segment::{self, Header},
};

/// Where writing goes on.
#[derive(Debug)]
pub(crate) struct Tail {
    pub(crate) segment: u64,
    pub(crate) end: u32,
    /// Checksum of the last record.
    pub(crate) previous: u32,
}

#[derive(Debug)]
pub(crate) struct Recovered<F> {
    pub(crate) index: Index<F>,
    pub(crate) hard_state: HardState,
    pub(crate) state_number: u64,
    /// `None` if there is no segment yet.
    pub(crate) tail: Option<Tail>,
}

/// Reads what is on `disk`, cuts an unfinished tail, and makes the rest durable.
pub(crate) fn recover<D: Disk>(
    disk: &D,
    identity: StoreIdentity,
    segment_bytes: u64,
) -> Result<Recovered<D::File>, LogError> {
    let mut recovered = Recovered {
        index: Index::new(),
        hard_state: HardState::default(),
        state_number: 0,
        tail: None,
    };
    let names = disk.list().map_err(LogError::disk("list", "."))?;
    let mut numbers = Vec::new();
    for name in names {
        if name.ends_with(segment::UNFINISHED_SUFFIX) {
            // Never named, so nothing in it was ever relied upon.
            disk.remove(&name).map_err(LogError::disk("remove", name))?;
        } else if let Some(number) = segment::number(&name) {
            numbers.push(number);
        }
    }
    let Some(last) = numbers.last().copied() else {
        return Ok(recovered);
    };
    for (position, number) in numbers.iter().copied().enumerate() {
        if position > 0 && numbers[position - 1] + 1 != number {
            return Err(LogError::SegmentMissing { segment: numbers[position - 1] + 1 });
        }
        recovered.replay(disk, identity, number, number == last, segment_bytes)?;
    }
    recovered.index.finish()?;
    disk.sync_dir().map_err(LogError::disk("sync", "."))?;
    Ok(recovered)
}

impl<F: DiskFile> Recovered<F> {
    fn replay<D: Disk<File = F>>(
        &mut self,
        disk: &D,
        identity: StoreIdentity,
        number: u64,
        is_last: bool,
        segment_bytes: u64,
    ) -> Result<(), LogError> {
        let name = segment::name(number);
        let file = disk.open(&name).map_err(LogError::disk("open", &*name))?;
        let length = file.len().map_err(LogError::disk("measure", &*name))?;
        let mut bytes = vec![0; length as usize];
        file.read_at(0, &mut bytes).map_err(LogError::disk("read", &*name))?;

        let (header, seed) = Header::decode(&bytes, number, identity)?;
        if let Some(before) = &self.tail
            && before.previous != header.previous
        {
            return Err(LogError::Corrupt {
                segment: before.segment,
                offset: u64::from(before.end),
                damage: Damage::Chain,
            });
        }

        // Invariant: everything before `end` belongs to finished batches, `chain` is its last checksum.
        let mut end = segment::HEADER_BYTES;
        let mut chain = header.previous;
        let mut batch: Vec<(usize, Frame<'_>)> = Vec::new();
        let mut at = end;
        let mut previous = chain;
        let unsound = loop {
            match frame::read(&bytes[at..], seed) {
                Found::Frame(frame) if frame.previous != previous => break Some(Damage::Chain),
                Found::Frame(frame) => {
                    batch.push((at, frame));
                    at += frame.size();
                    previous = frame.checksum;
                    if frame.last_of_batch {
                        for (offset, frame) in batch.drain(..) {
                            self.take(number, offset, frame)?;
                        }
                        end = at;
                        chain = previous;
                    }
                }
                Found::End => break None,
                Found::Unsound => break Some(Damage::Record),
            }
        };

        let tail = &bytes[end..];
        let clean = tail.iter().all(|byte| *byte == 0);
        if !clean {
            let ordinary_crash =
                is_last && !frame::any_claims_durable_beyond(tail, seed, end as u32);
            if !ordinary_crash {
                let damage = unsound.unwrap_or(if at > end {
                    Damage::UnfinishedBatch
                } else {
                    Damage::Trailing
                });
                return Err(LogError::Corrupt { segment: number, offset: at as u64, damage });
            }
        }
        // The first batch was durable before the segment had its name.
        if end == segment::HEADER_BYTES {
            return Err(LogError::Corrupt {
                segment: number,
                offset: end as u64,
                damage: Damage::Record,
            });
        }
        if is_last {
            if !clean {
                file.truncate(end as u64).map_err(LogError::disk("truncate", &*name))?;
            }
            file.allocate(length.max(segment_bytes)).map_err(LogError::disk("allocate", &*name))?;
            file.sync().map_err(LogError::disk("sync", &*name))?;
        }
        self.index.segments.insert(number, Segment { file: Arc::new(file), seed });
        self.tail = Some(Tail { segment: number, end: end as u32, previous: chain });
        Ok(())
    }

    /// Takes one record of a finished batch.
    fn take(&mut self, segment: u64, offset: usize, frame: Frame<'_>) -> Result<(), LogError> {
        let unreadable =
            LogError::Corrupt { segment, offset: offset as u64, damage: Damage::Content };
        match frame.kind {
            Kind::Entry => {
                let Ok(entry) = Entry::parse_from_bytes(frame.payload) else {
                    return Err(unreadable);
                };
                let place = Place {
                    segment,
                    offset: offset as u32,
                    size: frame.size() as u32,
                    term: entry.term,
                };
                self.index.push(entry.index, place);
            }
            Kind::HardState => {
                let Some([term, vote, commit]) = numbers(frame.payload) else {
                    return Err(unreadable);
                };
                self.hard_state = HardState { term, vote, commit, ..HardState::default() };
            }
            Kind::CompactionMark => {
                let Some([index, term]) = numbers(frame.payload) else {
                    return Err(unreadable);
                };
                self.index.forget(Mark { index, term });
            }
            Kind::Install => {
                let Some([index, term, state_number]) = numbers(frame.payload) else {
                    return Err(unreadable);
                };
                self.index.install(Mark { index, term });
                self.state_number = state_number;
            }
            Kind::StateNumber => {
                let Some([state_number]) = numbers(frame.payload) else {
                    return Err(unreadable);
                };
                self.state_number = state_number;
            }
        }
        Ok(())
    }
}

/// The payload of a hard state.
pub(crate) fn encode_hard_state(state: &HardState) -> Vec<u8> {
    [state.term, state.vote, state.commit].iter().flat_map(|number| number.to_le_bytes()).collect()
}

/// The payload of a compaction mark.
pub(crate) fn encode_mark(mark: Mark) -> Vec<u8> {
    [mark.index, mark.term].iter().flat_map(|number| number.to_le_bytes()).collect()
}

/// The payload of an install.
pub(crate) fn encode_install(mark: Mark, state_number: u64) -> Vec<u8> {
    let numbers = [mark.index, mark.term, state_number];
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

fn numbers<const N: usize>(payload: &[u8]) -> Option<[u64; N]> {
    let (numbers, rest) = payload.as_chunks::<8>();
    let numbers: [[u8; 8]; N] = numbers.try_into().ok()?;
    rest.is_empty().then(|| numbers.map(u64::from_le_bytes))
}
