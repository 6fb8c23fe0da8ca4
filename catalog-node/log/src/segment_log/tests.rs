//! Does the log keep its promises? Against raft's own memory storage, against power loss at every byte, and
//! against decay.

use proptest::prelude::*;
use raft::{GetEntriesContext, Storage, eraftpb::Snapshot, storage::MemStorage};

use super::*;
use crate::{Damage, FileDisk, sim_disk::SimDisk};

const IDENTITY: StoreIdentity = StoreIdentity { cluster_id: [1; 16], store_uuid: [2; 16] };

/// Small, so that every test crosses segments.
const OPTIONS: Options = Options { segment_bytes: 2048 };

fn open<D: Disk>(disk: &D) -> Result<SegmentLog<D>, LogError> {
    SegmentLog::open(disk.clone(), IDENTITY, OPTIONS)
}

fn entry(index: u64, term: u64, bytes: usize) -> Entry {
    Entry { index, term, data: vec![index as u8 ^ term as u8; bytes].into(), ..Entry::default() }
}

fn hard_state(term: u64, vote: u64, commit: u64) -> HardState {
    HardState { term, vote, commit, ..HardState::default() }
}

/// Everything a reader can see.
fn contents(log: &impl LogStore) -> Contents {
    let (first, last) = (log.first_index(), log.last_index());
    let entries = log.entries(first, last + 1, u64::MAX).unwrap();
    let bytes: u64 = entries.iter().map(|entry| u64::from(entry.compute_size())).sum();
    assert_eq!(log.bytes_from(first), bytes);
    let before = log.term(first - 1).unwrap();
    Contents { first, before, entries, hard_state: log.hard_state(), state: log.state_number() }
}

#[derive(Clone, Debug, PartialEq)]
struct Contents {
    first: u64,
    /// Term of the entry before the first.
    before: u64,
    entries: Vec<Entry>,
    hard_state: HardState,
    state: u64,
}

impl Contents {
    /// What a log shows that was never written.
    fn empty() -> Self {
        Self { first: 1, before: 0, entries: vec![], hard_state: HardState::default(), state: 0 }
    }
}

#[derive(Clone, Debug)]
enum Act {
    /// Entries of the given sizes at `back` before the end, at a term `newer` than the last.
    Append {
        back: u64,
        newer: u64,
        sizes: Vec<usize>,
        with_state: bool,
    },
    Vote {
        newer: u64,
    },
    /// Forgets this share of the log, in hundredths.
    Compact {
        share: u64,
    },
    /// Another state comes, so many entries after the first one of the log.
    Install {
        ahead: u64,
    },
    Sync,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let sizes = prop::collection::vec(prop_oneof![9 => 0_usize..200, 1 => 1500_usize..3000], 1..6);
    let act = prop_oneof![
        6 => (0_u64..5, 0_u64..2, sizes, any::<bool>())
            .prop_map(|(back, newer, sizes, with_state)| Act::Append { back, newer, sizes, with_state }),
        2 => (0_u64..3).prop_map(|newer| Act::Vote { newer }),
        1 => (0_u64..90).prop_map(|share| Act::Compact { share }),
        1 => (0_u64..40).prop_map(|ahead| Act::Install { ahead }),
        3 => Just(Act::Sync),
    ];
    prop::collection::vec(act, 1..40)
}

/// Does the same to the log and to the model, to the log first.
fn act(
    log: &mut SegmentLog<SimDisk>,
    model: Option<&MemStorage>,
    act: &Act,
) -> Result<(), LogError> {
    let mut model = model.map(MemStorage::wl);
    let (first, last) = (log.first_index(), log.last_index());
    let mut term = log.hard_state().term;
    match act {
        Act::Append { back, newer, sizes, with_state } => {
            // What is overwritten was written at an older term.
            term += u64::from(*back > 0) | newer;
            let start = (last + 1).saturating_sub(*back).max(first);
            let entries: Vec<Entry> =
                sizes.iter().zip(start..).map(|(size, index)| entry(index, term, *size)).collect();
            let state = hard_state(term, 1, start - 1);
            log.append(&entries, with_state.then_some(&state))?;
            if let Some(model) = &mut model {
                model.append(&entries).unwrap();
                if *with_state {
                    model.set_hardstate(state);
                }
            }
        }
        Act::Vote { newer } => {
            let state = hard_state(term + newer, 2, 0);
            log.append(&[], Some(&state))?;
            if let Some(model) = &mut model {
                model.set_hardstate(state);
            }
        }
        Act::Compact { share } => {
            let through = first + (last + 1 - first) * share / 100;
            // The model cannot be emptied.
            if through >= first && through < last {
                log.compact(through)?;
                if let Some(model) = &mut model {
                    model.compact(through + 1).unwrap();
                }
            }
        }
        Act::Install { ahead } => {
            // The model calls a snapshot outdated that ends before its first entry.
            let index = first + ahead;
            let state = hard_state(term + 1, 1, index);
            log.install(index, term, log.state_number() + 1, &state)?;
            if let Some(model) = &mut model {
                let mut snapshot = Snapshot::default();
                snapshot.mut_metadata().index = index;
                snapshot.mut_metadata().term = term;
                model.apply_snapshot(snapshot).unwrap();
                model.set_hardstate(state);
            }
        }
        Act::Sync => log.sync()?,
    }
    Ok(())
}

fn assert_same(log: &SegmentLog<SimDisk>, model: &MemStorage) {
    let (first, last) = (model.first_index().unwrap(), model.last_index().unwrap());
    assert_eq!((log.first_index(), log.last_index()), (first, last));
    assert_eq!(&log.hard_state(), model.rl().hard_state());
    for index in first..=last {
        assert_eq!(log.term(index).unwrap(), model.term(index).unwrap(), "term of {index}");
    }
    for (low, high, max) in
        [(first, last + 1, u64::MAX), (first, last + 1, 300), (u64::midpoint(first, last), last, 0)]
    {
        if low >= first && low < high {
            let expected = model.entries(low, high, max, GetEntriesContext::empty(false)).unwrap();
            assert_eq!(
                log.entries(low, high, max).unwrap(),
                expected,
                "[{low}, {high}) in {max} bytes"
            );
        }
    }
    assert!(matches!(log.entries(last + 1, last + 2, 1), Err(LogError::Unavailable { .. })));
    if first > 1 {
        assert!(matches!(log.entries(first - 1, last + 1, 1), Err(LogError::Compacted { .. })));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn behaves_like_memory_storage_over_restarts(acts in acts()) {
        let disk = SimDisk::new();
        let model = MemStorage::new();
        let mut log = open(&disk).unwrap();
        for step in &acts {
            act(&mut log, Some(&model), step).unwrap();
            assert_same(&log, &model);
            disk.kill();
            log = open(&disk).unwrap();
            assert_same(&log, &model);
        }
    }

    #[test]
    fn a_crash_keeps_what_was_synced_and_a_prefix_of_the_rest(
        acts in acts(),
        seed in any::<u64>(),
        crash_every in 1_usize..12,
    ) {
        let disk = SimDisk::new();
        let mut log = open(&disk).unwrap();
        // The contents that a crash may leave: the last durable ones, and those after each later batch.
        let mut possible = vec![contents(&log)];
        for (position, step) in acts.iter().enumerate() {
            act(&mut log, None, step).unwrap();
            if disk.unsynced() == 0 {
                possible.clear();
            }
            possible.push(contents(&log));
            if position % crash_every == crash_every - 1 {
                disk.crash(seed.wrapping_add(position as u64));
                log = open(&disk).unwrap();
                let found = contents(&log);
                prop_assert!(possible.contains(&found), "{found:?} is none of {possible:?}");
                prop_assert_eq!(disk.unsynced(), 0, "what an opened log shows is durable");
                possible = vec![found];
            }
        }
    }

    #[test]
    fn power_may_go_before_any_operation(
        acts in acts(),
        seed in any::<u64>(),
        lifetimes in prop::collection::vec(0_u64..60, 1..8),
    ) {
        let disk = SimDisk::new();
        let mut lifetimes = lifetimes.iter();
        let mut crashes = seed;
        let mut steps = acts.iter();
        // As above; an empty disk and a log that was only opened look the same.
        let mut possible = vec![Contents::empty()];
        'boot: loop {
            match lifetimes.next() {
                Some(operations) => disk.die_after(*operations),
                None if steps.len() == 0 => break,
                None => {}
            }
            let mut log = match open(&disk) {
                Ok(log) => log,
                Err(LogError::Disk { .. }) => {
                    crashes = crashes.wrapping_add(1);
                    disk.crash(crashes);
                    continue;
                }
                Err(other) => return Err(TestCaseError::fail(format!("{other:?}"))),
            };
            let found = contents(&log);
            prop_assert!(possible.contains(&found), "{:?} is none of {:?}", found, possible);
            possible = vec![found];
            for step in steps.by_ref() {
                let after = {
                    let mut ahead = open(&disk.duplicate()).unwrap();
                    act(&mut ahead, None, step).unwrap();
                    contents(&ahead)
                };
                possible.push(after);
                if act(&mut log, None, step).is_err() {
                    crashes = crashes.wrapping_add(1);
                    disk.crash(crashes);
                    continue 'boot;
                }
                if disk.unsynced() == 0 {
                    possible.drain(..possible.len() - 1);
                }
            }
            disk.crash(crashes);
        }
    }
}

/// A log with two synced batches, and the bytes of its only segment.
fn two_batches() -> (SimDisk, Vec<u8>) {
    let disk = SimDisk::new();
    let mut log = open(&disk).unwrap();
    log.append(&[entry(1, 1, 40)], Some(&hard_state(1, 1, 0))).unwrap();
    log.sync().unwrap();
    log.append(&[entry(2, 1, 40), entry(3, 1, 0)], Some(&hard_state(1, 1, 1))).unwrap();
    log.sync().unwrap();
    drop(log);
    let mut bytes = Vec::new();
    disk.damage(&segment::name(1), |content| bytes.clone_from(content));
    (disk, bytes)
}

fn written(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1
}

#[test]
fn a_tail_torn_at_any_byte_is_cut_to_the_batch_before() {
    let (whole, bytes) = two_batches();
    let mut before = bytes.clone();
    let before_end = {
        // Written alone, the first batch ends where the second begins.
        let disk = SimDisk::new();
        let mut log = open(&disk).unwrap();
        log.append(&[entry(1, 1, 40)], Some(&hard_state(1, 1, 0))).unwrap();
        log.tail.end as usize
    };
    before[before_end..].fill(0);
    for torn_at in before_end..written(&bytes) {
        let disk = whole.duplicate();
        disk.damage(&segment::name(1), |content| content[torn_at..].fill(0));
        let mut log = open(&disk).unwrap();
        assert_eq!(contents(&log).entries, [entry(1, 1, 40)], "torn at {torn_at}");
        assert_eq!(log.hard_state(), hard_state(1, 1, 0), "torn at {torn_at}");
        disk.damage(&segment::name(1), |content| assert_eq!(*content, before, "torn at {torn_at}"));

        log.append(&[entry(2, 2, 9)], None).unwrap();
        log.sync().unwrap();
        disk.crash_losing_all();
        assert_eq!(contents(&open(&disk).unwrap()).entries, [entry(1, 1, 40), entry(2, 2, 9)]);
    }
}

#[test]
fn a_bit_flipped_under_later_durable_records_is_refused() {
    let (whole, bytes) = two_batches();
    let mut log = open(&whole).unwrap();
    log.append(&[entry(4, 1, 10)], None).unwrap();
    log.sync().unwrap();
    let end = written(&bytes);
    for at in 0..end {
        let disk = whole.duplicate();
        disk.damage(&segment::name(1), |content| content[at] ^= 1 << (at % 8));
        match open(&disk) {
            Err(LogError::Corrupt { segment: 1, offset, .. }) => {
                assert!(offset as usize <= at, "byte {at} reported at {offset}");
            }
            other => panic!("flipped bit in byte {at}: {:?}", other.map(|log| contents(&log))),
        }
    }
}

#[test]
fn damage_before_the_last_segment_is_refused_wherever_it_is() {
    let disk = SimDisk::new();
    let mut log = open(&disk).unwrap();
    for index in 1..60 {
        log.append(&[entry(index, 1, 100)], Some(&hard_state(1, 1, index - 1))).unwrap();
    }
    log.sync().unwrap();
    let segments = log.segments();
    assert!(segments.len() > 3, "{segments:?}");

    // In unused space at the end, and in the last record.
    for from_end in [1, 60, 400] {
        let damaged = disk.duplicate();
        damaged.damage(&segment::name(2), |content| {
            let at = content.len() - from_end;
            content[at] ^= 0x10;
        });
        assert!(
            matches!(open(&damaged), Err(LogError::Corrupt { segment: 2, .. })),
            "{from_end} from the end"
        );
    }

    let shortened = disk.duplicate();
    shortened.damage(&segment::name(2), |content| {
        // The last batch is an entry of 100 bytes and a hard state; take it away whole.
        let end = written(content);
        let batch = content[..end]
            .windows(100)
            .rposition(|bytes| bytes.iter().all(|byte| *byte == bytes[0]));
        content[batch.unwrap() - 40..].fill(0);
    });
    assert!(matches!(open(&shortened), Err(LogError::Corrupt { segment: 2, .. })));

    let missing = disk.duplicate();
    missing.remove(&segment::name(3)).unwrap();
    assert!(matches!(open(&missing), Err(LogError::SegmentMissing { segment: 3 })));

    let headless = disk.duplicate();
    headless.remove(&segment::name(1)).unwrap();
    assert!(matches!(open(&headless), Err(LogError::EntriesMissing { compacted: 0, .. })));
}

#[test]
fn damage_is_noticed_by_reads_too() {
    let (disk, _) = two_batches();
    let log = open(&disk).unwrap();
    let place = log.reader.read().place(2).unwrap();
    disk.damage(&segment::name(1), |content| content[place.offset as usize + 30] ^= 1);
    assert_eq!(log.entries(1, 2, u64::MAX).unwrap(), [entry(1, 1, 40)]);
    assert!(matches!(
        log.entries(1, 3, u64::MAX),
        Err(LogError::Corrupt { segment: 1, damage: Damage::Record, .. })
    ));
}

#[test]
fn a_failed_sync_is_final() {
    let disk = SimDisk::new();
    let mut log = open(&disk).unwrap();
    log.append(&[entry(1, 1, 5)], None).unwrap();
    log.sync().unwrap();
    log.append(&[entry(2, 1, 5)], None).unwrap();
    disk.fail_sync(1);
    assert!(matches!(log.sync(), Err(LogError::Disk { attempt: "sync", .. })));
    let syncs = disk.syncs();
    assert!(matches!(log.sync(), Err(LogError::Refusing)));
    assert!(matches!(log.append(&[entry(3, 1, 5)], None), Err(LogError::Refusing)));
    assert!(matches!(log.compact(1), Err(LogError::Refusing)));
    assert_eq!(disk.syncs(), syncs, "nothing is tried again");

    disk.crash_losing_all();
    assert_eq!(open(&disk).unwrap().last_index(), 1);
}

#[test]
fn every_sync_of_new_bytes_reaches_the_disk_and_no_other_does() {
    let disk = SimDisk::new();
    let mut log = open(&disk).unwrap();
    for index in 1..5 {
        let before = disk.syncs();
        log.append(&[entry(index, 1, 5)], None).unwrap();
        assert_eq!(disk.syncs(), before);
        log.sync().unwrap();
        assert_eq!(disk.syncs(), before + 1);
        log.sync().unwrap();
        assert_eq!(disk.syncs(), before + 1, "nothing to sync");
    }
}

#[test]
fn removed_syncs_lose_entries() {
    let disk = SimDisk::new();
    let mut log = open(&disk).unwrap();
    disk.ignore_syncs(true);
    log.append(&[entry(1, 1, 5)], None).unwrap();
    log.sync().unwrap();
    disk.crash_losing_all();
    assert_eq!(open(&disk).unwrap().last_index(), 0);
}

#[test]
fn bootstrap_happens_once_and_lasts() {
    let disk = SimDisk::new();
    let mut log = open(&disk).unwrap();
    assert!(log.bootstrap(1, 1).unwrap());
    disk.crash_losing_all();
    let mut log = open(&disk).unwrap();
    assert!(!log.bootstrap(1, 1).unwrap());
    let begun =
        Contents { first: 2, before: 1, hard_state: hard_state(1, 0, 1), ..Contents::empty() };
    assert_eq!(contents(&log), begun);
    assert_eq!(log.last_index(), 1);
}

#[test]
fn compaction_frees_segments_and_keeps_the_hard_state() {
    let disk = SimDisk::new();
    let mut log = open(&disk).unwrap();
    log.append(&[], Some(&hard_state(7, 3, 0))).unwrap();
    for index in 1..100 {
        log.append(&[entry(index, 7, 100)], None).unwrap();
    }
    let reader = log.reader();
    let before = log.segments();
    log.compact(80).unwrap();
    assert!(log.segments().len() < before.len(), "{before:?} became {:?}", log.segments());
    assert_eq!((reader.first_index(), reader.term(80).unwrap()), (81, 7));
    assert!(matches!(reader.term(79), Err(LogError::Compacted { .. })));
    log.sync().unwrap();
    let kept = contents(&log);

    disk.crash_losing_all();
    let mut log = open(&disk).unwrap();
    assert_eq!(contents(&log), kept);
    assert_eq!(log.hard_state(), hard_state(7, 3, 0));
    log.compact(99).unwrap();
    assert_eq!((log.first_index(), log.last_index()), (100, 99));
    assert_eq!(log.segments().len(), 1);
    log.append(&[entry(100, 8, 1)], None).unwrap();
    assert_eq!(open(&disk.duplicate()).unwrap().last_index(), 100);
}

#[test]
fn the_log_of_another_store_or_a_newer_program_is_refused() {
    let (disk, _) = two_batches();
    let other = StoreIdentity { store_uuid: [9; 16], ..IDENTITY };
    assert!(matches!(
        SegmentLog::open(disk.clone(), other, OPTIONS),
        Err(LogError::ForeignStore { segment: 1, .. })
    ));
    disk.damage(&segment::name(1), |content| {
        content[8] += 2;
        let checksum = crc32fast::hash(&content[..60]);
        content[60..64].copy_from_slice(&checksum.to_le_bytes());
    });
    assert!(matches!(open(&disk), Err(LogError::UnsupportedFormat { found: 3, known: 2, .. })));
}

/// The bytes of format version 1: whoever changes them changes the version.
#[test]
fn the_bytes_of_the_format_are_fixed() {
    let (_, bytes) = two_batches();
    assert_eq!(written(&bytes), 381);
    assert_eq!(crc32fast::hash(&bytes), 243_707_432);
}

#[test]
fn a_payload_cannot_imitate_a_durable_record() {
    let disk = SimDisk::new();
    let mut log = open(&disk).unwrap();
    let mut forged = Vec::new();
    frame::write(
        &mut forged,
        0,
        0,
        u32::MAX,
        Kind::HardState,
        true,
        &encode_hard_state(&hard_state(9, 9, 9)),
    );
    let mut entry = entry(1, 1, 0);
    entry.data = forged.into();
    log.append(&[entry], None).unwrap();
    log.sync().unwrap();
    let end = log.tail.end as usize;
    // The record around it is torn, the forgery in it is whole.
    disk.damage(&segment::name(1), |content| content[end - 1 - 40 - HEADER_OF_ENTRY] ^= 1);
    assert_eq!(open(&disk).unwrap().last_index(), 0);
}

/// Bytes of an entry with small numbers before its data.
const HEADER_OF_ENTRY: usize = 6;

#[test]
fn segments_of_a_folder_are_used_again_and_hold_nothing_of_what_they_held() {
    let folder = tempfile::tempdir().unwrap();
    let disk = FileDisk::open(folder.path().join("log")).unwrap();
    let mut log = open(&disk).unwrap();
    log.bootstrap(1, 1).unwrap();
    let mut index = 2;
    for turn in 0..6 {
        for _ in 0..60 {
            log.append(&[entry(index, 1, 100)], Some(&hard_state(1, 1, index - 1))).unwrap();
            log.sync().unwrap();
            index += 1;
        }
        log.compact(index - 10).unwrap();
        let kept = contents(&log);
        assert_eq!(kept.entries.len(), 9);
        if turn % 2 == 1 {
            drop(log);
            log = open(&disk).unwrap();
            assert_eq!(contents(&log), kept);
        }
    }
}

#[test]
fn works_on_a_real_folder_held_by_one_process() {
    let folder = tempfile::tempdir().unwrap();
    let disk = FileDisk::open(folder.path().join("log")).unwrap();
    let mut log = open(&disk).unwrap();
    log.bootstrap(1, 1).unwrap();
    for index in 2..60 {
        log.append(&[entry(index, 1, 100)], Some(&hard_state(1, 1, index - 1))).unwrap();
        log.sync().unwrap();
    }
    log.compact(30).unwrap();
    assert!(log.segments()[0] > 1);
    let held = FileDisk::open(folder.path().join("log")).unwrap_err();
    assert_eq!(held.kind(), std::io::ErrorKind::WouldBlock);
    let kept = contents(&log);
    let reader = log.reader();
    drop((log, disk));

    let disk = FileDisk::open(folder.path().join("log")).unwrap();
    let name = disk.list().unwrap().pop().unwrap();
    let file = disk.open(&name).unwrap();
    assert_eq!(DiskFile::len(&file).unwrap(), OPTIONS.segment_bytes);
    let log = open(&disk).unwrap();
    assert_eq!(contents(&log), kept);
    assert_eq!(
        reader.entries(31, 60, u64::MAX).unwrap(),
        kept.entries,
        "a reader outlives its log"
    );
}

/// A log that a snapshot has replaced, some entries after it, and the bytes of its last segment.
fn installed() -> (SimDisk, SegmentLog<SimDisk>) {
    let disk = SimDisk::new();
    let mut log = open(&disk).unwrap();
    log.bootstrap(1, 1).unwrap();
    for index in 2..40 {
        log.append(&[entry(index, 2, 100)], Some(&hard_state(2, 1, index - 1))).unwrap();
    }
    log.install(90, 3, 1, &hard_state(4, 2, 90)).unwrap();
    (disk, log)
}

#[test]
fn an_install_replaces_everything_and_frees_it() {
    let (disk, mut log) = installed();
    let after = Contents {
        first: 91,
        before: 3,
        entries: vec![],
        hard_state: hard_state(4, 2, 90),
        state: 1,
    };
    assert_eq!(contents(&log), after);
    assert_eq!((log.segments().len(), disk.unsynced()), (1, 0));
    assert!(matches!(log.reader().term(89), Err(LogError::Compacted { .. })));
    disk.crash_losing_all();
    assert_eq!(contents(&open(&disk).unwrap()), after);

    // Every later segment repeats which state it is, so that the first may be freed.
    log = open(&disk).unwrap();
    for index in 91..150 {
        log.append(&[entry(index, 4, 100)], None).unwrap();
    }
    log.compact(140).unwrap();
    assert!(log.segments()[0] > 3);
    disk.crash_losing_all();
    let log = open(&disk).unwrap();
    assert_eq!((log.state_number(), log.first_index(), log.last_index()), (1, 141, 149));
}

/// The decision is one name: before it has that name the old log counts, after it the new one.
#[test]
fn a_crash_at_any_step_of_an_install_leaves_the_old_log_or_the_new_one() {
    let mut seen = Vec::new();
    for operations in 0.. {
        let disk = SimDisk::new();
        let mut log = open(&disk).unwrap();
        log.bootstrap(1, 1).unwrap();
        for index in 2..40 {
            log.append(&[entry(index, 2, 100)], Some(&hard_state(2, 1, index - 1))).unwrap();
        }
        log.sync().unwrap();
        let old = contents(&log);
        disk.die_after(operations);
        let whole = log.install(90, 3, 1, &hard_state(4, 2, 90)).is_ok();
        for crash in 0..20 {
            let disk = disk.clone();
            let after_crash = if whole { disk } else { disk.fork() };
            after_crash.crash(crash);
            let found = contents(&open(&after_crash).unwrap());
            let is_old = found == old;
            assert!(is_old || (found.first, found.state) == (91, 1), "{operations}: {found:?}");
            assert!(!(whole && is_old), "it was durable");
            seen.push(is_old);
            if whole {
                break;
            }
        }
        if whole {
            assert!(seen.contains(&true) && seen.contains(&false));
            return;
        }
    }
}

#[test]
#[should_panic(expected = "state 1 is not after state 1")]
fn a_state_number_never_comes_back() {
    let (_, mut log) = installed();
    let _ = log.install(95, 4, 1, &hard_state(4, 2, 95));
}

/// The bytes of format version 2, in which logs with snapshots are written.
#[test]
fn the_bytes_of_the_second_format_are_fixed() {
    let (disk, mut log) = installed();
    log.append(&[entry(91, 4, 40)], None).unwrap();
    log.sync().unwrap();
    let mut bytes = Vec::new();
    disk.damage(disk.list().unwrap().last().unwrap(), |content| bytes.clone_from(content));
    assert_eq!(bytes[8], 2);
    assert_eq!((written(&bytes), crc32fast::hash(&bytes)), (218, 281_101_047));
}

#[test]
fn a_disk_that_is_full_or_broken_ends_the_log_and_keeps_what_was_durable() {
    let fill: fn(&SimDisk) = |disk| disk.set_capacity(Some(disk.used()));
    let spoil: fn(&SimDisk) = |disk| disk.fail_write(3);
    for break_disk in [fill, spoil] {
        let disk = SimDisk::new();
        let mut log = open(&disk).unwrap();
        log.append(&[entry(1, 1, 500)], None).unwrap();
        log.sync().unwrap();
        break_disk(&disk);
        let mut durable = 1;
        let ended = loop {
            let next = entry(durable + 1, 1, 500);
            if let Err(error) = log.append(&[next], None).and_then(|()| log.sync()) {
                break error;
            }
            durable += 1;
        };
        assert!(matches!(ended, LogError::Disk { .. }), "{ended:?}");
        assert!(matches!(log.append(&[entry(durable + 1, 1, 1)], None), Err(LogError::Refusing)));
        disk.set_capacity(None);
        disk.crash_losing_all();
        assert_eq!(open(&disk).unwrap().last_index(), durable);
    }
}

/// Wherever one bit flips in what later records vouch for, it is noticed before anybody relies on it.
#[test]
fn decay_is_found_when_the_log_is_opened() {
    let disk = SimDisk::new();
    let mut log = open(&disk).unwrap();
    for index in 1..60 {
        log.append(&[entry(index, 1, 100)], Some(&hard_state(1, 1, index - 1))).unwrap();
        log.sync().unwrap();
    }
    let sound = contents(&log);
    let last = disk.list().unwrap().pop().unwrap();
    let mut found = 0;
    for seed in 0..200 {
        let damaged = disk.duplicate();
        let (segment, at) = damaged.rot(seed).unwrap();
        match open(&damaged) {
            Err(LogError::Corrupt { .. }) => found += 1,
            Err(other) => panic!("{segment} at {at}: {other:?}"),
            // The last batch cannot be told from one that was never finished.
            Ok(log) => {
                assert_eq!(segment, last, "byte {at}");
                assert!(contents(&log).entries.len() + 1 == sound.entries.len(), "byte {at}");
            }
        }
    }
    assert!(found > 150, "{found}");
}
