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
