use super::*;
use crate::hex;

/// GB/T 32905-2016, appendix A: the examples of the standard.
#[test]
fn sec_03_sm3_gives_the_examples_of_gb_t_32905() {
    let long = b"abcd".repeat(16);
    for (message, expected) in [
        (b"abc".as_slice(), "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
        (long.as_slice(), "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"),
    ] {
        assert_eq!(hex(&Suite::Sm3Sm2.hash(&[message])), expected);
        let (one, other) = message.split_at(2);
        let mut hasher = Hasher::new(Suite::Sm3Sm2);
        hasher.update(one);
        hasher.update(other);
        assert_eq!(hex(&hasher.finish()), expected);
    }
}

/// FIPS 180-4, the one-block example.
#[test]
fn sha_256_gives_the_example_of_fips_180() {
    let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(hex(&Suite::Sha256Ed25519.hash(&[b"a", b"bc"])), expected);
    let mut hasher = Hasher::new(Suite::Sha256Ed25519);
    hasher.update(b"abc");
    assert_eq!(hex(&hasher.finish()), expected);
}

#[test]
fn a_suite_is_named_by_both_its_names() {
    assert_eq!(Suite::named("SHA256", "ed25519"), Some(Suite::Sha256Ed25519));
    assert_eq!(Suite::named("sm3", "SM2"), Some(Suite::Sm3Sm2));
    assert_eq!(Suite::named("sm3", "ed25519"), None);
    assert_eq!(Suite::named("sha256", ""), None);
}

#[test]
fn leaves_nodes_and_texts_never_hash_alike() {
    for suite in [Suite::Sha256Ed25519, Suite::Sm3Sm2] {
        let (left, right) = (suite.leaf_hash(b"a"), suite.leaf_hash(b"b"));
        let node = suite.node_hash(&left, &right);
        assert_ne!(node, suite.leaf_hash(&[left, right].concat()));
        assert_ne!(suite.text_digest(&[7; 16], "a", "bc"), suite.text_digest(&[7; 16], "ab", "c"));
        assert_eq!(suite.empty_root(), suite.hash(&[b""]));
    }
}
