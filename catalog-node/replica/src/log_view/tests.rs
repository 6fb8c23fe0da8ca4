//! Does it matter where an entry is, in memory or on disk?

use catalog_log::{LogStore, Options, SegmentLog, StoreIdentity, sim_disk::SimDisk};
use proptest::prelude::*;
use raft::{eraftpb::Snapshot, storage::MemStorage};

use super::*;

#[derive(Clone, Debug)]
enum Act {
    /// Hands out entries to be written, `back` before the end.
    HandOut { back: u64, sizes: Vec<usize> },
    /// The oldest write that is under way reaches the log.
    Write,
    /// Entries up to this share of the durable ones are applied; memory is short.
    Evict { share: u64, keep_bytes: u64 },
    /// A snapshot comes, so many entries after the last one; only when no write is under way.
    Install { ahead: u64 },
}

/// What reaches the log, in order.
enum Write {
    Entries(Vec<Entry>),
    Install { index: u64, term: u64 },
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        3 => (0_u64..4, prop::collection::vec(0_usize..300, 1..5))
            .prop_map(|(back, sizes)| Act::HandOut { back, sizes }),
        3 => Just(Act::Write),
        2 => (0_u64..=100, 0_u64..600).prop_map(|(share, keep_bytes)| Act::Evict { share, keep_bytes }),
        1 => (1_u64..20).prop_map(|ahead| Act::Install { ahead }),
    ];
    prop::collection::vec(act, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn answers_like_memory_storage_wherever_entries_are(acts in acts()) {
        let identity = StoreIdentity { cluster_id: [0; 16], store_uuid: [0; 16] };
        let mut log = SegmentLog::open(SimDisk::new(), identity, Options { segment_bytes: 4096 }).unwrap();
        let mut view = LogView::new(log.reader(), HardState::default(), ConfState::default());
        let model = MemStorage::new();
        let mut under_way: VecDeque<Write> = VecDeque::new();
        let mut done = 0;
        for (term, act) in (1..).zip(&acts) {
            match act {
                Act::HandOut { back, sizes } => {
                    let last = view.last_index().unwrap();
                    // What is committed is not replaced.
                    let start = (last + 1).saturating_sub(*back).max(done + 1);
                    let entries: Vec<Entry> = sizes
                        .iter()
                        .zip(start..)
                        .map(|(size, index)| Entry { index, term, data: vec![7; *size].into(), ..Entry::default() })
                        .collect();
                    view.append(&entries);
                    model.wl().append(&entries).unwrap();
                    under_way.push_back(Write::Entries(entries));
                }
                Act::Write => {
                    match under_way.pop_front() {
                        None => {}
                        Some(Write::Entries(entries)) => log.append(&entries, None).unwrap(),
                        Some(Write::Install { index, term }) => {
                            let state = HardState { term, commit: index, ..HardState::default() };
                            log.install(index, term, log.state_number() + 1, &state).unwrap();
                            view.installed();
                        }
                    }
                }
                Act::Install { ahead } => {
                    if !under_way.is_empty() {
                        continue;
                    }
                    let index = view.last_index().unwrap() + ahead;
                    view.install(index, term);
                    let mut snapshot = Snapshot::default();
                    snapshot.mut_metadata().index = index;
                    snapshot.mut_metadata().term = term;
                    model.wl().apply_snapshot(snapshot).unwrap();
                    done = index;
                    under_way.push_back(Write::Install { index, term });
                }
                Act::Evict { share, keep_bytes } => {
                    let replaced = under_way.iter().map(|write| match write {
                        Write::Entries(entries) => entries[0].index - 1,
                        Write::Install { index, .. } => *index,
                    });
                    let durable = replaced.min().unwrap_or(u64::MAX).min(log.last_index());
                    done = done.max(durable * share / 100);
                    view.evict(done, *keep_bytes);
                }
            }
            let (first, last) = (model.first_index().unwrap(), model.last_index().unwrap());
            prop_assert_eq!((view.first_index().unwrap(), view.last_index().unwrap()), (first, last));
            for index in first - 1..=last {
                prop_assert_eq!(view.term(index).unwrap(), model.term(index).unwrap());
            }
            for low in first..=last {
                for max_bytes in [0, 250, 700, u64::MAX] {
                    let context = || GetEntriesContext::empty(false);
                    prop_assert_eq!(
                        view.entries(low, last + 1, max_bytes, context()).unwrap(),
                        model.entries(low, last + 1, max_bytes, context()).unwrap()
                    );
                }
            }
        }
    }
}
