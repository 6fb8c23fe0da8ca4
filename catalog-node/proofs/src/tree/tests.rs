use super::*;
use crate::hex;

const SHA: Suite = Suite::Sha256Ed25519;

/// The reference tree of Certificate Transparency. Leaves, roots and paths are the known answers of
/// its C++ reference implementation (`ReferenceMerklePath`, `ReferenceSnapshotConsistency`), which
/// other implementations repeat in their tests; RFC 9162 kept the hashing of RFC 6962.
const LEAVES: [&[u8]; 8] = [
    &[],
    &[0x00],
    &[0x10],
    &[0x20, 0x21],
    &[0x30, 0x31],
    &[0x40, 0x41, 0x42, 0x43],
    &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
    &[
        0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e,
        0x6f,
    ],
];

/// Roots over the first 0..8 leaves.
const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

/// Index from 0, size, path.
const INCLUSION: [(u64, u64, &[&str]); 5] = [
    (0, 1, &[]),
    (
        0,
        8,
        &[
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        5,
        8,
        &[
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (2, 3, &["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    (
        1,
        5,
        &[
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
];

/// First size, second size, path.
const CONSISTENCY: [(u64, u64, &[&str]); 4] = [
    (1, 1, &[]),
    (
        1,
        8,
        &[
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        6,
        8,
        &[
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (
        2,
        5,
        &[
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
];

fn unhex(text: &str) -> Hash {
    let byte = |at: usize| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap();
    std::array::from_fn(byte)
}

fn path(hashes: &[&str]) -> Vec<Hash> {
    hashes.iter().map(|hash| unhex(hash)).collect()
}

/// RFC 9162 §2.1.1, written down as the text says it.
fn plain_root(suite: Suite, leaves: &[Hash]) -> Hash {
    match leaves {
        [] => suite.empty_root(),
        [one] => *one,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            suite.node_hash(&plain_root(suite, left), &plain_root(suite, right))
        }
    }
}

/// §2.1.3.1
fn plain_path(suite: Suite, index: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let middle = leaves.len().next_power_of_two() / 2;
    let (left, right) = leaves.split_at(middle);
    let (mut path, sibling) = if index < middle {
        (plain_path(suite, index, left), plain_root(suite, right))
    } else {
        (plain_path(suite, index - middle, right), plain_root(suite, left))
    };
    path.push(sibling);
    path
}

/// §2.1.4.1
fn plain_consistency(suite: Suite, first: usize, leaves: &[Hash], whole: bool) -> Vec<Hash> {
    if first == leaves.len() {
        return if whole { Vec::new() } else { vec![plain_root(suite, leaves)] };
    }
    let middle = leaves.len().next_power_of_two() / 2;
    let (left, right) = leaves.split_at(middle);
    let (mut path, sibling) = if first <= middle {
        (plain_consistency(suite, first, left, whole), plain_root(suite, right))
    } else {
        (plain_consistency(suite, first - middle, right, false), plain_root(suite, left))
    };
    path.push(sibling);
    path
}

#[test]
fn sec_03_known_answers_of_certificate_transparency() {
    let mut frontier = Frontier::new(SHA);
    assert_eq!(hex(&frontier.root()), ROOTS[0]);
    for (leaf, expected) in LEAVES.iter().zip(&ROOTS[1..]) {
        frontier.push(SHA.leaf_hash(leaf));
        assert_eq!(hex(&frontier.root()), *expected);
    }
    let leaves: Vec<Hash> = LEAVES.iter().map(|leaf| SHA.leaf_hash(leaf)).collect();
    for (index, size, expected) in INCLUSION {
        let expected = path(expected);
        assert_eq!(plain_path(SHA, index as usize, &leaves[..size as usize]), expected);
        let (leaf, root) = (leaves[index as usize], unhex(ROOTS[size as usize]));
        assert!(verify_inclusion(SHA, leaf, index, size, &expected, &root), "{index} of {size}");
    }
    for (first, second, expected) in CONSISTENCY {
        let expected = path(expected);
        assert_eq!(
            plain_consistency(SHA, first as usize, &leaves[..second as usize], true),
            expected
        );
        let (from, to) = (unhex(ROOTS[first as usize]), unhex(ROOTS[second as usize]));
        assert!(verify_consistency(SHA, first, second, &expected, &from, &to), "{first}..{second}");
    }
}

#[test]
fn sec_03_every_path_of_every_tree_up_to_64_leads_to_its_root_and_no_changed_one_does() {
    for suite in [Suite::Sha256Ed25519, Suite::Sm3Sm2] {
        let leaves: Vec<Hash> = (0..64u8).map(|number| suite.leaf_hash(&[number])).collect();
        let mut frontier = Frontier::new(suite);
        for size in 1..=64usize {
            let tree = &leaves[..size];
            let root = plain_root(suite, tree);
            frontier.push(leaves[size - 1]);
            assert_eq!(frontier.root(), root, "{size}");
            let again =
                Frontier::of_peaks(suite, size as u64, frontier.peaks().to_vec()).expect("peaks");
            assert_eq!(again, frontier);
            for index in 0..size {
                let path = plain_path(suite, index, tree);
                let check = |index: usize, path: &[Hash]| {
                    verify_inclusion(suite, leaves[index], index as u64, size as u64, path, &root)
                };
                assert!(check(index, &path), "{index} of {size}");
                let mut longer = path.clone();
                longer.push(root);
                assert!(!check(index, &longer), "{index} of {size} with one more");
                if let Some((last, shorter)) = path.split_last() {
                    assert!(!check(index, shorter), "{index} of {size} with one less");
                    let mut changed = shorter.to_vec();
                    changed.push(*last);
                    changed[path.len() / 2][size % 32] ^= 1 << (index % 8);
                    assert!(!check(index, &changed), "{index} of {size} changed");
                    assert!(!check((index + 1) % size, &path), "{index} of {size} elsewhere");
                }
            }
            for first in 1..=size {
                let path = plain_consistency(suite, first, tree, true);
                let first_root = plain_root(suite, &leaves[..first]);
                let check = |path: &[Hash], from: &Hash, to: &Hash| {
                    verify_consistency(suite, first as u64, size as u64, path, from, to)
                };
                assert!(check(&path, &first_root, &root), "{first} to {size}");
                let mut other = first_root;
                other[first % 32] ^= 1;
                assert!(!check(&path, &other, &root), "{first} to {size} from another");
                let mut other = root;
                other[size % 32] ^= 1;
                assert!(!check(&path, &first_root, &other), "{first} to {size} to another");
                for at in 0..path.len() {
                    let mut changed = path.clone();
                    changed[at][0] ^= 1;
                    assert!(!check(&changed, &first_root, &root), "{first} to {size} changed");
                }
                let mut longer = path.clone();
                longer.push(root);
                assert!(!check(&longer, &first_root, &root), "{first} to {size} with one more");
            }
        }
    }
}

#[test]
fn impossible_numbers_prove_nothing() {
    let root = SHA.empty_root();
    assert_eq!(root_of_path(SHA, root, 0, 0, &[]), None);
    assert_eq!(root_of_path(SHA, root, 5, 5, &[]), None);
    assert_eq!(root_of_path(SHA, root, u64::MAX - 1, u64::MAX, &[root]), None);
    assert!(!verify_consistency(SHA, 0, 0, &[], &root, &root));
    assert!(!verify_consistency(SHA, 0, 5, &[], &root, &root));
    assert!(!verify_consistency(SHA, 6, 5, &[], &root, &root));
    assert!(!verify_consistency(SHA, 5, 6, &[], &root, &root));
    assert!(!verify_consistency(SHA, 1, u64::MAX, &[root; 64], &root, &root));
    assert_eq!(Frontier::of_peaks(SHA, 5, vec![root]), None);
}
