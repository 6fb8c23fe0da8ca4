use std::collections::BTreeMap;

use catalog_state::store::{MemStore, Store as _};
use tempfile::TempDir;

use super::*;
use crate::storage::{StateCell, StateStore, folders::Folders};

/// Shows key and row with a mark between, and takes the first byte of the row as its state.
static PLAIN: Listing = Listing { table: Table::Probe, show };

fn show(key: &[u8], row: &[u8], out: &mut BytesMut) -> Facts {
    out.extend_from_slice(key);
    out.extend_from_slice(b"=");
    out.extend_from_slice(row);
    Facts { state: i32::from(row.first().copied().unwrap_or_default()), ..Facts::default() }
}

struct Random(u64);

impl Random {
    fn below(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695);
        (self.0 >> 33) % below
    }

    /// Of 500 keys in the listed table, and now and then of a neighbouring one.
    fn key(&mut self) -> Vec<u8> {
        let table = if self.below(20) == 0 { Table::Outage } else { Table::Probe };
        let number = self.below(500) as u16;
        Key::table(table).bytes(&number.to_be_bytes()).into_vec()
    }

    fn row(&mut self) -> Option<Vec<u8>> {
        // Some alone are more than a leaf keeps.
        let length = if self.below(200) == 0 { KEPT_BYTES_MAX as u64 } else { self.below(60) };
        let byte = self.below(4) as u8;
        (self.below(4) > 0).then(|| vec![byte; length as usize])
    }
}

/// What a list of `model` shows, by the words of the contract.
fn expected(
    model: &MemStore,
    wanted: &Wanted<'_>,
    keep: impl Fn(&[u8], &Facts) -> bool,
) -> (Vec<u8>, usize, Option<Vec<u8>>) {
    let (mut shown, mut count) = (BytesMut::new(), 0);
    for (looked_at, (key, row)) in model.range(wanted.from, wanted.to).enumerate() {
        if count == wanted.limit || looked_at == wanted.scan {
            return (shown.to_vec(), count, Some(key));
        }
        let mut one = BytesMut::new();
        if keep(&key, &show(&key, &row, &mut one)) {
            shown.extend_from_slice(&one);
            count += 1;
        }
    }
    (shown.to_vec(), count, None)
}

fn flat(listed: Listed) -> (Vec<u8>, usize, Option<Vec<u8>>) {
    assert_eq!(listed.len(), listed.parts.iter().map(Bytes::len).sum::<usize>());
    (listed.parts.concat(), listed.rows, listed.next)
}

impl Leaves {
    /// That leaves do not overlap and are counted.
    fn check(&self) -> usize {
        let kept = self.kept();
        let mut reached: &[u8] = &[];
        for (from, leaf) in &kept.leaves {
            assert!(*from == leaf.from && reached <= from.as_slice() && leaf.from < leaf.to);
            assert!(leaf.since <= kept.newest);
            reached = &leaf.to;
        }
        assert_eq!(kept.bytes, kept.leaves.values().map(|leaf| leaf.bytes()).sum::<usize>());
        assert!(kept.bytes <= self.room());
        kept.leaves.len()
    }
}

#[test]
fn lists_of_every_view_show_its_rows_under_writes_evictions_and_snapshots() {
    let mut from_memory = 0;
    for seed in 0..12 {
        let mut random = Random(seed);
        let folder = TempDir::new().unwrap();
        let folders = Folders::new(folder.path());
        let cell = StateCell::new(StateStore::open(&folders, 0, Arc::default()).unwrap());
        let (mut model, mut applied, mut number) = (MemStore::default(), 0, 0);
        for _ in 0..8 {
            let store = cell.current();
            // Views that were taken some time ago, with what they saw.
            let mut views = Vec::new();
            for _ in 0..80 {
                match random.below(10) {
                    0..3 => {
                        let count = [1, 4, 60][random.below(3) as usize];
                        let writes: Writes =
                            (0..count).map(|_| (random.key(), random.row())).collect();
                        applied += 1 + random.below(3);
                        store.commit(writes.clone(), Writes::new(), applied, None);
                        model.write(writes);
                    }
                    3 => views.push((store.view(), model.clone())),
                    4 => store.set_list_room([0, 2_000, 20_000, 1 << 20][random.below(4) as usize]),
                    _ => {
                        let (mut from, mut to) = (random.key(), random.key());
                        if from[0] != PLAIN.table as u8 || to[0] != PLAIN.table as u8 {
                            let table = Key::table(PLAIN.table);
                            (from, to) = (table.as_slice().to_vec(), table.end());
                        }
                        let wanted = Wanted {
                            listing: &PLAIN,
                            from: &from,
                            to: &to,
                            limit: random.below(200) as usize + 1,
                            scan: [150, 1000][random.below(2) as usize],
                        };
                        let state = random.below(6) as i32;
                        let keep = |_: &[u8], facts: &Facts| state > 3 || facts.state == state;
                        if let Some(listed) = store.list_known(&wanted, keep) {
                            assert_eq!(flat(listed), expected(&model, &wanted, keep));
                            from_memory += 1;
                        }
                        let newest = (store.view(), model.clone());
                        let place = random.below(views.len() as u64 + 1) as usize;
                        let (view, model) = views.get(place).unwrap_or(&newest);
                        if let Some(listed) = view.list_known(&wanted, keep) {
                            assert_eq!(flat(listed), expected(model, &wanted, keep));
                        }
                        assert_eq!(
                            flat(view.list(&wanted, keep)),
                            expected(model, &wanted, keep),
                            "seed {seed}"
                        );
                    }
                }
                store.leaves().check();
            }
            // A snapshot comes, of a state that this node has never seen.
            number += 1;
            applied += 100;
            model = MemStore(BTreeMap::new());
            let rows: Writes = (0..300).map(|_| (random.key(), random.row())).collect();
            model.write(rows.clone());
            let new = StateStore::open(&folders, number, cell.open_mark()).unwrap();
            new.commit(rows, Writes::new(), applied, None);
            drop(views);
            drop(store);
            cell.replace(new);
        }
    }
    assert!(from_memory > 100, "{from_memory}");
}

#[test]
fn what_was_read_before_a_write_does_not_become_a_leaf_after_it() {
    let folder = TempDir::new().unwrap();
    let store = StateStore::open(&Folders::new(folder.path()), 0, Arc::default()).unwrap();
    let table = Key::table(PLAIN.table);
    let key = table.clone().bytes(b"a").into_vec();
    let put = |key: &[u8], row: &[u8], applied| {
        let writes = Writes::from([(key.to_vec(), Some(row.to_vec()))]);
        store.commit(writes, Writes::new(), applied, None);
    };
    let end = table.end();
    let wanted = Wanted { listing: &PLAIN, from: table.as_slice(), to: &end, limit: 10, scan: 10 };
    put(&key, b"1", 1);
    let before = store.view();
    put(&key, b"2", 2);
    assert_eq!(before.list(&wanted, |_, _| true).parts.concat(), b"\x70a=1");
    assert_eq!(store.leaves().check(), 0);
    assert_eq!(store.view().list(&wanted, |_, _| true).parts.concat(), b"\x70a=2");
    assert_eq!(store.leaves().check(), 1);
    // The leaf is of the newest state: the older view does not get it.
    assert_eq!(before.list_known(&wanted, |_, _| true), None);
    assert_eq!(before.list(&wanted, |_, _| true).parts.concat(), b"\x70a=1");
    // A write elsewhere leaves it where it is.
    put(Key::table(Table::Outage).bytes(b"x").as_slice(), b"3", 3);
    assert!(store.list_known(&wanted, |_, _| true).is_some());
    put(&table.clone().bytes(b"b").into_vec(), b"4", 4);
    assert_eq!(store.list_known(&wanted, |_, _| true), None);
}
