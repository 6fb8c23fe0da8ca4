use super::*;
use crate::store::{MemStore, Writes};

/// A ledger of `size` records "0", "1", … built leaf by leaf as `append` does.
fn ledger_of(size: u64) -> MemStore {
    let mut store = MemStore::default();
    for index in 0..size {
        let mut writes = Writes::new();
        let (mut hash, mut level, mut position) =
            (leaf_hash(index.to_string().as_bytes()), 0u8, index);
        writes.insert(keys::ledger_node(level, position).into_vec(), Some(hash.to_vec()));
        while position % 2 == 1 {
            hash = node_hash(
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
        [] => empty_root(),
        [one] => leaf_hash(one.to_string().as_bytes()),
        _ => {
            let k = (records.len() as u64).next_power_of_two() / 2;
            let (left, right) = records.split_at(k as usize);
            node_hash(&plain_root(left), &plain_root(right))
        }
    }
}

#[test]
fn sec_03_roots_and_proofs_agree_with_the_plain_definition() {
    const MOST: u64 = 33;
    let store = ledger_of(MOST);
    let ledger = Ledger(&store);
    let all: Vec<u64> = (0..MOST).collect();
    for size in 0..=MOST {
        let root = ledger.root(size).unwrap();
        assert_eq!(root, plain_root(&all[..size as usize]), "root over {size}");
        for index in 0..size {
            let path = ledger.inclusion_proof(index, size).unwrap();
            let leaf = leaf_hash(index.to_string().as_bytes());
            assert!(verify_inclusion(leaf, index, size, &path, &root), "{index} of {size}");
            assert!(!verify_inclusion(leaf_hash(b"x"), index, size, &path, &root));
            if size > 1 {
                assert!(!verify_inclusion(leaf, (index + 1) % size, size, &path, &root));
            }
        }
        for first in 1..=size {
            let path = ledger.consistency_proof(first, size).unwrap();
            let first_root = ledger.root(first).unwrap();
            assert!(verify_consistency(first, size, &path, &first_root, &root), "{first} → {size}");
            let mut wrong = first_root;
            wrong[0] ^= 1;
            assert!(!verify_consistency(first, size, &path, &wrong, &root), "{first} → {size}");
        }
    }
    assert_eq!(ledger.root(MOST + 1), None);
    assert_eq!(ledger.inclusion_proof(MOST, MOST), None);
}

/// Known answers of the reference trees of RFC 6962 (same hashing as RFC 9162): the eight leaves
/// and roots that Certificate Transparency implementations test with.
#[test]
fn sec_03_known_answers_of_certificate_transparency() {
    let hex = |bytes: [u8; 32]| {
        use std::fmt::Write as _;
        bytes.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    };
    assert_eq!(
        hex(empty_root()),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
    assert_eq!(
        hex(leaf_hash(b"")),
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    );
    assert_eq!(
        hex(node_hash(&leaf_hash(b""), &leaf_hash(&[0]))),
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
    );
}
