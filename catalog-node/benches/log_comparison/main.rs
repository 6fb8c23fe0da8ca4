//! How many entries a second does our log take, with a sync for each batch, against RocksDB as a log?
//!
//! `cargo bench -p catalog-node --bench log_comparison [-- FOLDER]`: both logs lie in FOLDER (else in
//! the system's temporary one), take the same batches in turn, and are compacted at the same pace.
//! Printed are ratios of rounds that stood beside each other, because a disk drifts. The answer is
//! kept in `docs/decisions/0006-a-log-of-our-own.md`.

use std::{
    env,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use catalog_log::{FileDisk, LogStore, Options, SegmentLog, StoreIdentity};
use raft::eraftpb::{Entry, HardState};

use self::rocks_log::RocksLog;

mod rocks_log;

/// Bytes of a command as most are.
const ENTRY_BYTES: usize = 300;
/// Entries in a batch, which has one sync.
const BATCHES: [usize; 4] = [1, 8, 64, 512];
/// Pairs of rounds for each size.
const ROUNDS: usize = 7;
/// How long a round is.
const ROUND: Duration = Duration::from_millis(1500);
/// Entries kept when the log is compacted, and by how many it outgrows them before.
const KEPT: u64 = 8192;

fn main() {
    // What cargo passes to every benchmark is not ours.
    let folder = env::args().skip(1).find(|arg| !arg.starts_with('-'));
    let root = folder.map_or_else(env::temp_dir, PathBuf::from);
    let root = root.join(format!("log-comparison-{}", std::process::id()));
    println!("entries of {ENTRY_BYTES} bytes; medians of {ROUNDS} pairs of rounds of {ROUND:?}");
    println!("{:>6} {:>12} {:>12} {:>8}  spread", "batch", "segments/s", "rocksdb/s", "ratio");
    for batch in BATCHES {
        let (mut ours, mut rocks) = (segments(&root.join("segments")), rocks(&root.join("rocks")));
        check_alike(&mut ours, &mut rocks);
        let mut rounds = Vec::new();
        for number in 0..=ROUNDS {
            // Each goes first every other time.
            let (a, b) = if number % 2 == 0 {
                let a = round(&mut ours, batch);
                (a, round(&mut rocks, batch))
            } else {
                let b = round(&mut rocks, batch);
                (round(&mut ours, batch), b)
            };
            // The first pair warms up.
            if number > 0 {
                rounds.push((a, b, a / b));
            }
        }
        let median = |of: fn(&(f64, f64, f64)) -> f64| {
            let mut values: Vec<f64> = rounds.iter().map(of).collect();
            values.sort_by(f64::total_cmp);
            (values[0], values[values.len() / 2], values[values.len() - 1])
        };
        let (low, ratio, high) = median(|round| round.2);
        println!(
            "{batch:>6} {:>12.0} {:>12.0} {ratio:>8.2}  {low:.2}–{high:.2}",
            median(|round| round.0).1,
            median(|round| round.1).1,
        );
        drop((ours, rocks));
        std::fs::remove_dir_all(&root).expect("what was made here can be removed");
    }
}

fn segments(folder: &Path) -> SegmentLog<FileDisk> {
    let identity = StoreIdentity { cluster_id: [1; 16], store_uuid: [2; 16] };
    let disk = FileDisk::open(folder).expect("the folder can be used");
    let mut log = SegmentLog::open(disk, identity, Options::default()).expect("a new log opens");
    log.bootstrap(1, 1).expect("a new log is begun");
    log
}

fn rocks(folder: &Path) -> RocksLog {
    let mut log = RocksLog::open(folder).expect("a new log opens");
    log.bootstrap(1, 1).expect("a new log is begun");
    log
}

fn entries(log: &impl LogStore, count: usize) -> Vec<Entry> {
    let next = log.last_index() + 1;
    (next..next + count as u64)
        .map(|index| Entry {
            index,
            term: 1,
            data: vec![index as u8; ENTRY_BYTES].into(),
            ..Entry::default()
        })
        .collect()
}

/// Entries a second, over one round.
fn round(log: &mut impl LogStore, batch: usize) -> f64 {
    let began = Instant::now();
    let mut taken = 0;
    while began.elapsed() < ROUND {
        let entries = entries(log, batch);
        let last = log.last_index() + batch as u64;
        let hard_state = HardState { term: 1, commit: last - 1, ..HardState::default() };
        log.append(&entries, Some(&hard_state)).expect("the disk takes it");
        log.sync().expect("the disk syncs it");
        taken += batch;
        if last - log.first_index() > 2 * KEPT {
            log.compact(last - KEPT).expect("the disk lets it go");
        }
    }
    taken as f64 / began.elapsed().as_secs_f64()
}

/// Two logs that answer differently after the same calls need not be compared.
fn check_alike(ours: &mut impl LogStore, rocks: &mut impl LogStore) {
    fn play(log: &mut impl LogStore) -> (u64, u64, u64, u64, Vec<Entry>, HardState) {
        let first = entries(log, 20);
        log.append(&first, None).expect("the disk takes it");
        // A leader of a later term replaces the end.
        let again: Vec<Entry> = first[15..]
            .iter()
            .map(|entry| Entry { term: 2, data: vec![9].into(), ..entry.clone() })
            .take(3)
            .collect();
        let hard_state = HardState { term: 2, vote: 3, commit: 5, ..HardState::default() };
        log.append(&again, Some(&hard_state)).expect("the disk takes it");
        log.sync().expect("the disk syncs it");
        log.compact(9).expect("the disk lets it go");
        let (first, last) = (log.first_index(), log.last_index());
        let terms = log.term(9).expect("known") * 100 + log.term(last).expect("known");
        let entries = log.entries(first, last + 1, 1500).expect("the disk gives them");
        (first, last, terms, log.bytes_from(first), entries, log.hard_state())
    }
    let (ours, rocks) = (play(ours), play(rocks));
    assert_eq!(ours, rocks, "the two logs differ");
}
