//! Receipts of a ledger with the national algorithms. No tool in reach makes certificates of SM2
//! keys, so these are written here, by the book (RFC 5280, GM/T 0015).

use sm2::{
    dsa::{Signature, SigningKey, signature::Signer as _},
    pkcs8::EncodePrivateKey as _,
};

use super::*;
use crate::key::HeadKey;

const IDENTITY: &str = "1234567812345678";
/// Object identifiers as they are encoded.
const SM2_WITH_SM3: &[u8] = &[0x06, 0x08, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x83, 0x75];
const EC_PUBLIC_KEY: &[u8] = &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const SM2_CURVE: &[u8] = &[0x06, 0x08, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x82, 0x2d];
const COMMON_NAME: &[u8] = &[0x06, 0x03, 0x55, 0x04, 0x03];
const ALTERNATIVE_NAME: &[u8] = &[0x06, 0x03, 0x55, 0x1d, 0x11];
const BASIC_CONSTRAINTS: &[u8] = &[0x06, 0x03, 0x55, 0x1d, 0x13];

fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut bytes = vec![tag];
    match content.len() {
        short @ 0..=127 => bytes.push(short as u8),
        long @ 128..=255 => bytes.extend([0x81, long as u8]),
        longer => bytes.extend([0x82, (longer >> 8) as u8, longer as u8]),
    }
    bytes.extend(content);
    bytes
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    der(0x30, parts)
}

fn name_of(text: &str) -> Vec<u8> {
    let value = der(0x0c, &[text.as_bytes()]);
    sequence(&[&der(0x31, &[&sequence(&[COMMON_NAME, &value])])])
}

/// A certificate of `key`, of 2026, signed by `issuer`.
fn certificate(key: &SigningKey, subject: &str, issuer: &SigningKey, extension: &[u8]) -> Vec<u8> {
    let algorithm = sequence(&[SM2_WITH_SM3]);
    let time = |text: &str| der(0x17, &[text.as_bytes()]);
    let point = key.verifying_key().to_sec1_bytes();
    let body = sequence(&[
        &der(0xa0, &[&[0x02, 0x01, 0x02]]),
        &[0x02, 0x01, 0x01],
        &algorithm,
        &name_of("City SM2 CA"),
        &sequence(&[&time("260101000000Z"), &time("270101000000Z")]),
        &name_of(subject),
        &sequence(&[&sequence(&[EC_PUBLIC_KEY, SM2_CURVE]), &der(0x03, &[&[0], &point])]),
        &der(0xa3, &[&sequence(&[extension])]),
    ]);
    let signature: Signature = issuer.sign(&body);
    let signature = signature.to_der();
    sequence(&[&body, &algorithm, &der(0x03, &[&[0], signature.as_bytes()])])
}

fn authority(issuer: &SigningKey) -> Vec<u8> {
    let constraints = sequence(&[&[0x01, 0x01, 0xff]]);
    let extension = sequence(&[BASIC_CONSTRAINTS, &der(0x04, &[&constraints])]);
    certificate(issuer, "City SM2 CA", issuer, &extension)
}

fn of_node(key: &SigningKey, issuer: &SigningKey) -> Vec<u8> {
    let uri = head::certificate_uri(DOMAIN, "2", CLUSTER);
    let names = sequence(&[&der(0x86, &[uri.as_bytes()])]);
    let extension = sequence(&[ALTERNATIVE_NAME, &der(0x04, &[&names])]);
    certificate(key, "node 2", issuer, &extension)
}

fn pem(der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    let lines: Vec<&str> =
        body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

fn key(number: u8) -> SigningKey {
    SigningKey::from_slice(IDENTITY, &[number; 32]).unwrap()
}

/// A receipt of a ledger of three records, and the anchor for it.
fn receipt() -> (Receipt, TrustAnchor) {
    let (issuer, node) = (key(1), key(2));
    let suite = Suite::Sm3Sm2;
    let leaves: Vec<Hash> = (0..3).map(|number| suite.leaf_hash(&record(number))).collect();
    let left = suite.node_hash(&leaves[0], &leaves[1]);
    let mut tree_head = TreeHead {
        domain: DOMAIN.to_owned(),
        cluster_id: CLUSTER.to_owned(),
        generation: 3,
        tree_size: 3,
        root_hash: suite.node_hash(&left, &leaves[2]),
        time_ms: TIME_MS,
        hash_algorithm: "sm3".to_owned(),
        signature_algorithm: "sm2".to_owned(),
        signature: Vec::new(),
        certificate: of_node(&node, &issuer),
    };
    // As a node does: from its key file.
    let file = sm2::SecretKey::from_slice(&node.to_bytes()).unwrap().to_pkcs8_der().unwrap();
    let signer = HeadKey::from_pkcs8(suite, file.as_bytes()).unwrap();
    tree_head.signature = signer.sign(&tree_head.signed_bytes().unwrap());
    let anchor = TrustAnchor {
        domain: DOMAIN.to_owned(),
        cluster_id: CLUSTER.to_owned(),
        hash: "sm3".to_owned(),
        algorithm: "sm2".to_owned(),
        ca_certificates: vec![pem(&authority(&issuer))],
        forks: Vec::new(),
    };
    let receipt = Receipt {
        name: name(2),
        leaf_index: 2,
        record: record(2),
        inclusion_proof: vec![left],
        tree_head,
    };
    (receipt, anchor)
}

#[test]
fn sec_03_a_receipt_with_sm3_and_sm2_is_proven_and_each_change_noticed() {
    let (genuine, anchor) = receipt();
    assert_eq!(verify(&genuine, &anchor).unwrap().subject, name(2));
    let check = |what: &str, change: &dyn Fn(&mut Receipt, &mut TrustAnchor), expected: &str| {
        let (mut receipt, mut anchor) = (genuine.clone(), anchor.clone());
        change(&mut receipt, &mut anchor);
        assert_eq!(verify(&receipt, &anchor).expect_err(what).reason(), expected, "{what}");
    };
    check("record", &|r, _| *r.record.last_mut().unwrap() ^= 1, "not_included");
    check("root", &|r, _| r.tree_head.root_hash[0] ^= 1, "not_included");
    check("signature", &|r, _| r.tree_head.signature[40] ^= 1, "signature_wrong");
    check("time", &|r, _| r.tree_head.time_ms += 1, "signature_wrong");
    check(
        "another authority",
        &|_, a| {
            a.ca_certificates = vec![pem(&authority(&key(3)))];
        },
        "authority_unknown",
    );
    check(
        "re-signed by another key",
        &|r, _| {
            r.tree_head.certificate = of_node(&key(4), &key(5));
            let signature: Signature = key(4).sign(&r.tree_head.signed_bytes().unwrap());
            r.tree_head.signature = signature.to_vec();
        },
        "authority_unknown",
    );
    check(
        "called by the other names",
        &|r, a| {
            for (hash, algorithm) in [
                (&mut r.tree_head.hash_algorithm, &mut r.tree_head.signature_algorithm),
                (&mut a.hash, &mut a.algorithm),
            ] {
                "sha256".clone_into(hash);
                "ed25519".clone_into(algorithm);
            }
        },
        "not_included",
    );
    check(
        "half of the names",
        &|r, a| {
            "sha256".clone_into(&mut r.tree_head.hash_algorithm);
            "sha256".clone_into(&mut a.hash);
        },
        "not_of_anchor",
    );
    check(
        "after the certificate",
        &|r, _| {
            r.tree_head.time_ms += 365 * 86_400_000;
            let signature: Signature = key(2).sign(&r.tree_head.signed_bytes().unwrap());
            r.tree_head.signature = signature.to_vec();
        },
        "not_valid_then",
    );
}
