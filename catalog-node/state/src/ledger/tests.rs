use catalog_proofs::tree::{verify_consistency, verify_inclusion};

use super::*;
use crate::store::{MemStore, Writes};

const SUITE: Suite = Suite::Sha256Ed25519;

/// A ledger of `size` records "0", "1", … built leaf by leaf as `append` does.
fn ledger_of(size: u64) -> MemStore {
    let mut store = MemStore::default();
    for index in 0..size {
        let mut writes = Writes::new();
        let (mut hash, mut level, mut position) =
            (SUITE.leaf_hash(index.to_string().as_bytes()), 0u8, index);
        writes.insert(keys::ledger_node(level, position).into_vec(), Some(hash.to_vec()));
        while position % 2 == 1 {
            hash = SUITE.node_hash(
                &stored(store.get(keys::ledger_node(level, position - 1).as_slice())),
                &hash,
            );
            (level, position) = (level + 1, position / 2);
            writes.insert(keys::ledger_node(level, position).into_vec(), Some(hash.to_vec()));
        }
        store.write(writes);
    }
    let counters = crate::rows::Counters { ledger: size, ..Default::default() };
    store.0.insert(keys::meta::counters().into_vec(), codec::encode(&counters));
    store
}

/// RFC 9162 §2.1.1, written down as the text says it.
fn plain_root(records: &[u64]) -> [u8; 32] {
    match records {
        [] => SUITE.empty_root(),
        [one] => SUITE.leaf_hash(one.to_string().as_bytes()),
        _ => {
            let k = (records.len() as u64).next_power_of_two() / 2;
            let (left, right) = records.split_at(k as usize);
            SUITE.node_hash(&plain_root(left), &plain_root(right))
        }
    }
}

#[test]
fn sec_03_roots_and_proofs_agree_with_the_plain_definition() {
    const MOST: u64 = 64;
    let store = ledger_of(MOST);
    let ledger = Ledger(&store);
    let all: Vec<u64> = (0..MOST).collect();
    for size in 0..=MOST {
        let root = ledger.root(size).unwrap();
        assert_eq!(root, plain_root(&all[..size as usize]), "root over {size}");
        for index in 0..size {
            let path = ledger.inclusion_proof(index, size).unwrap();
            let leaf = SUITE.leaf_hash(index.to_string().as_bytes());
            assert!(verify_inclusion(SUITE, leaf, index, size, &path, &root), "{index} of {size}");
            assert!(!verify_inclusion(SUITE, SUITE.leaf_hash(b"x"), index, size, &path, &root));
            if size > 1 {
                assert!(!verify_inclusion(SUITE, leaf, (index + 1) % size, size, &path, &root));
            }
        }
        for first in 1..=size {
            let path = ledger.consistency_proof(first, size).unwrap();
            let first_root = ledger.root(first).unwrap();
            assert!(
                verify_consistency(SUITE, first, size, &path, &first_root, &root),
                "{first} → {size}"
            );
            let mut wrong = first_root;
            wrong[0] ^= 1;
            assert!(
                !verify_consistency(SUITE, first, size, &path, &wrong, &root),
                "{first} → {size}"
            );
        }
    }
    assert_eq!(ledger.root(MOST + 1), None);
    assert_eq!(ledger.inclusion_proof(MOST, MOST), None);
}

/// A ledger of any size, of which every hash is there and none is stored: what is read is counted.
struct Counting {
    size: u64,
    reads: std::cell::Cell<u64>,
}

impl Store for Counting {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        if key == keys::meta::counters().as_slice() {
            let counters = crate::rows::Counters { ledger: self.size, ..Default::default() };
            return Some(codec::encode(&counters));
        }
        if key[0] != Table::LedgerNode as u8 {
            return None;
        }
        self.reads.set(self.reads.get() + 1);
        Some(SUITE.hash(&[key]).to_vec())
    }

    fn range<'a>(&'a self, _: &[u8], _: &[u8]) -> Box<dyn Iterator<Item = crate::store::Row> + 'a> {
        panic!("a proof needs no range")
    }

    fn range_reversed<'a>(
        &'a self,
        _: &[u8],
        _: &[u8],
    ) -> Box<dyn Iterator<Item = crate::store::Row> + 'a> {
        panic!("a proof needs no range")
    }
}

/// A proof at ten million records reads a number of rows that grows with the number of digits of
/// the size, not with the size: at most one row for each level and each ragged right edge below it.
#[test]
fn sec_03_a_proof_at_ten_million_records_reads_a_few_hundred_rows_at_most() {
    let store = Counting { size: 10_000_000, reads: std::cell::Cell::new(0) };
    let ledger = Ledger(&store);
    let levels = u64::from(store.size.ilog2() + 1);
    let mut most = 0;
    for index in [0, 1, 4_999_999, 8_388_607, 8_388_608, 9_999_998, 9_999_999] {
        store.reads.set(0);
        let path = ledger.inclusion_proof(index, store.size).unwrap();
        assert!(path.len() as u64 <= levels, "{index}");
        most = most.max(store.reads.get());
    }
    for first in [1, 3, 1_048_576, 1_048_577, 9_999_999] {
        store.reads.set(0);
        let path = ledger.consistency_proof(first, store.size).unwrap();
        assert!(path.len() as u64 <= levels + 1, "{first}");
        most = most.max(store.reads.get());
    }
    store.reads.set(0);
    ledger.root(store.size).unwrap();
    most = most.max(store.reads.get());
    assert!(most <= 2 * levels, "{most} rows read");
}

#[test]
fn the_peaks_over_any_size_give_its_root() {
    let store = ledger_of(64);
    let ledger = Ledger(&store);
    for size in 0..=64 {
        let peaks = ledger.peaks(size).unwrap();
        let frontier = catalog_proofs::tree::Frontier::of_peaks(SUITE, size, peaks).unwrap();
        assert_eq!(Some(frontier.root()), ledger.root(size), "{size}");
    }
    assert_eq!(ledger.peaks(65), None);
}

/// A catalog with a few decisions, and what became of it in the hands of somebody with a disk.
#[test]
fn sec_03_an_edited_a_reordered_a_truncated_and_a_rewritten_ledger_are_each_noticed() {
    use audit::{Finding, audit};

    let mut world = crate::script::World::default();
    for line in [
        "cluster xiamen level=3 clock=\"2026-09-21 09:00\"",
        "organization police",
        "organization tax",
        "listed plates provider=police standing sharing=unconditional",
        "request case1 entry=plates from=tax",
        "listed beds provider=police",
        "erase 2 ground=\"PIPL 47\"",
    ] {
        world.run(line);
    }
    let store = world.into_store("xiamen");
    let cluster = crate::view::View(&store).cluster().unwrap();
    let size = Ledger(&store).size();
    assert!(size > 8, "{size} records");
    let head = |size: u64| Head {
        domain: cluster.domain.clone(),
        cluster_id: cluster.cluster_id,
        generation: 1,
        tree_size: size,
        root_hash: Ledger(&store).root(size).unwrap(),
        time: UtcMillis(0),
        suite: SUITE,
    };
    // What somebody else holds: an older head and the newest one.
    let heads = [head(5), head(size)];
    let found = |change: &dyn Fn(&mut MemStore)| {
        let mut store = store.clone();
        change(&mut store);
        audit(&store, &heads, 100)
    };
    assert_eq!(found(&|_| {}), []);

    let record = |place: u64| keys::ledger_record(place).into_vec();
    // A bit.
    let flipped = found(&|store| {
        *store.0.get_mut(&record(6)).unwrap().last_mut().unwrap() ^= 1;
    });
    assert!(flipped.contains(&Finding::Changed { place: 6 }), "{flipped:?}");
    // Two records in each other's place.
    let reordered = found(&|store| {
        let (one, other) = (store.0[&record(3)].clone(), store.0[&record(4)].clone());
        store.0.insert(record(3), other);
        store.0.insert(record(4), one);
    });
    assert!(reordered.contains(&Finding::Misplaced { place: 3 }), "{reordered:?}");
    assert!(reordered.contains(&Finding::Misplaced { place: 4 }), "{reordered:?}");
    // A record that is gone.
    let holed = found(&|store| {
        store.0.remove(&record(5));
    });
    assert_eq!(holed[0], Finding::Missing { place: 5 });
    // The newest records, with the counter set back: whole in itself, and shorter than promised.
    let truncated = found(&|store| {
        let mut counters = crate::view::View(store).counters();
        counters.ledger = size - 2;
        let row = codec::encode(&counters);
        store.0.insert(keys::meta::counters().into_vec(), row);
    });
    assert!(
        matches!(truncated[..], [Finding::Rewritten(Against::Rewritten { root: None, .. })]),
        "{truncated:?}"
    );
    // A text that was replaced, and one that went without a word.
    let payload = |place: u64| keys::ledger_payload(place).into_vec();
    let with_text = (0..size).find(|place| store.0.contains_key(&payload(*place))).unwrap();
    let replaced = found(&|store| {
        let other = Payload { salt: [1; 16], texts: vec![("reason".into(), "another".into())] };
        store.0.insert(payload(with_text), codec::encode(&other));
    });
    assert_eq!(replaced, [Finding::TextWrong { place: with_text }]);
    let gone = found(&|store| {
        store.0.remove(&payload(with_text));
    });
    assert_eq!(gone, [Finding::TextWrong { place: with_text }]);
    // A hash of the tree.
    let tree = found(&|store| {
        store.0.get_mut(&keys::ledger_node(1, 0).into_vec()).unwrap()[0] ^= 1;
    });
    assert!(tree.contains(&Finding::TreeWrong { level: 1, position: 0 }), "{tree:?}");

    // Somebody with everything rewrites the past, computes every hash anew and would sign it with
    // their own key: in itself it is whole, and only the heads that others kept tell.
    let rewritten = found(&|store| {
        let mut past: LedgerRecord = codec::decode(&store.0[&record(4)]).unwrap();
        past.time = UtcMillis(past.time.0 + 1);
        store.0.insert(record(4), codec::encode(&past));
        let mut frontier = catalog_proofs::tree::Frontier::new(SUITE);
        for place in 0..size {
            let leaf = SUITE.leaf_hash(&store.0[&record(place)]);
            store.0.insert(keys::ledger_node(0, place).into_vec(), leaf.to_vec());
            frontier.push(leaf);
            let (mut hash, mut level, mut position) = (leaf, 0u8, place);
            while position % 2 == 1 {
                let left = stored(store.get(keys::ledger_node(level, position - 1).as_slice()));
                hash = SUITE.node_hash(&left, &hash);
                (level, position) = (level + 1, position / 2);
                store.0.insert(keys::ledger_node(level, position).into_vec(), hash.to_vec());
            }
        }
        assert_eq!(Ledger(store).root(size), Some(frontier.root()));
    });
    assert!(
        matches!(
            rewritten[..],
            [Finding::Rewritten(_), Finding::Rewritten(Against::Rewritten { root: Some(_), .. })]
        ),
        "{rewritten:?}"
    );
    let foreign = Head { cluster_id: [0xee; 16], ..head(5) };
    assert_eq!(audit(&store, &[foreign], 100), [Finding::HeadOfAnother]);
}

/// A ledger that was made long in portions is the ledger that anybody would have written: every
/// record is found by what it is about, and its path leads to the root.
#[test]
fn a_ledger_made_long_proves_each_record() {
    let mut world = crate::script::World::default();
    world.run("cluster xiamen clock=\"2026-09-21 09:00\"");
    world.run("organization police");
    let mut store = world.into_store("xiamen");
    let from = Ledger(&store).size();
    let subject = |number: u64| -> ResourceName {
        let id = catalog_model::ids::RequestId::from_bytes([number as u8; 16]);
        ResourceName::new("xiamen".parse().unwrap(), catalog_model::name::Resource::Request(id))
    };
    for portion in [5, 64, 31] {
        let begin = Ledger(&store).size() - from;
        let writes = grown(&store, portion, |number| subject((begin + number) % 3));
        store.write(writes);
    }
    let (ledger, size) = (Ledger(&store), from + 100);
    assert_eq!(ledger.size(), size);
    let root = ledger.root(size).unwrap();
    for sequence in 0..size {
        let leaf = SUITE.leaf_hash(&ledger.record_bytes(sequence).unwrap());
        let path = ledger.inclusion_proof(sequence, size).unwrap();
        assert!(verify_inclusion(SUITE, leaf, sequence, size, &path, &root), "{sequence}");
    }
    for about in 0..4 {
        let of = ledger.of_subject(&subject(about));
        assert_eq!(of.last().copied(), ledger.newest_of(&subject(about)), "{about}");
        assert_eq!(of.len(), [34, 33, 33, 0][about as usize]);
    }
    assert_eq!(ledger.record(from + 5).unwrap().subject, subject(2));
}
