mod national;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use catalog_model::{
    ids::{DomainId, RequestId},
    name::{Resource, ResourceName},
    time::UtcMillis,
};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
    PKCS_ED25519, SanType,
};
use ring::signature::Ed25519KeyPair;
use serde_json::json;

use super::{document::Fork, *};
use crate::{Hash, head};

const SUITE: Suite = Suite::Sha256Ed25519;

fn leaf_hash(record: &[u8]) -> Hash {
    SUITE.leaf_hash(record)
}

fn node_hash(left: &Hash, right: &Hash) -> Hash {
    SUITE.node_hash(left, right)
}

const DOMAIN: &str = "luqiao-city";
const CLUSTER: &str = "01K5Z0000000000000000000CC";
/// 2026-09-21 09:00 Asia/Shanghai.
const TIME_MS: u64 = 1_789_952_400_000;

fn name(number: u64) -> String {
    let id = RequestId::from_bytes(u128::from(number + 1).to_be_bytes());
    ResourceName::new(DOMAIN.parse().unwrap(), Resource::Request(id)).to_string()
}

/// Record `number` as a ledger stores it, with what follows the beginning.
fn record(number: u64) -> Vec<u8> {
    let mut bytes = vec![1];
    let mut encoder = minicbor::Encoder::new(&mut bytes);
    encoder.array(6).unwrap();
    encoder.encode(DOMAIN.parse::<DomainId>().unwrap()).unwrap();
    encoder.u64(3).unwrap().u64(number).unwrap();
    encoder.encode(UtcMillis(TIME_MS)).unwrap();
    encoder.encode(name(number).parse::<ResourceName>().unwrap()).unwrap();
    encoder.str("what happened").unwrap();
    bytes
}

/// The root of the tree over `leaves`, from its definition (RFC 9162 §2.1.1).
fn plain_root(leaves: &[Hash]) -> Hash {
    if let [leaf] = leaves {
        return *leaf;
    }
    let (left, right) = leaves.split_at(largest_power_below(leaves.len()));
    node_hash(&plain_root(left), &plain_root(right))
}

/// The proof for the leaf at `index`, from its definition (RFC 9162 §2.1.3.1).
fn plain_proof(index: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let split = largest_power_below(leaves.len());
    let (left, right) = leaves.split_at(split);
    let (mut proof, sibling) = if index < split {
        (plain_proof(index, left), plain_root(right))
    } else {
        (plain_proof(index - split, right), plain_root(left))
    };
    proof.push(sibling);
    proof
}

fn largest_power_below(size: usize) -> usize {
    (size / 2 + size % 2).next_power_of_two()
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.distinguished_name.push(DnType::CommonName, "City CA");
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A node's key for heads, certified for `uri` from 2026 to `until_year`.
fn certified(
    authority: &CertifiedIssuer<'static, KeyPair>,
    uri: &str,
    until_year: i32,
) -> (KeyPair, Vec<u8>) {
    let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    let mut params = CertificateParams::default();
    params.subject_alt_names = vec![SanType::URI(uri.try_into().unwrap())];
    params.not_before = rcgen::date_time_ymd(2026, 1, 1);
    params.not_after = rcgen::date_time_ymd(until_year, 1, 1);
    let certificate = params.signed_by(&key, authority).unwrap();
    (key, certificate.der().to_vec())
}

fn sign(head: &mut TreeHead, key: &KeyPair) {
    let key = Ed25519KeyPair::from_pkcs8(&key.serialize_der()).unwrap();
    head.signature = key.sign(&head.signed_bytes().unwrap()).as_ref().to_vec();
}

struct Ledger {
    authority: CertifiedIssuer<'static, KeyPair>,
    key: KeyPair,
    anchor: TrustAnchor,
    receipt: Receipt,
}

/// A receipt for record `index` of `size`.
fn ledger(index: u64, size: u64) -> Ledger {
    let authority = authority();
    let (key, certificate) =
        certified(&authority, &head::certificate_uri(DOMAIN, "2", CLUSTER), 2027);
    let leaves: Vec<Hash> = (0..size).map(|number| leaf_hash(&record(number))).collect();
    let mut tree_head = TreeHead {
        domain: DOMAIN.to_owned(),
        cluster_id: CLUSTER.to_owned(),
        generation: 3,
        tree_size: size,
        root_hash: plain_root(&leaves),
        time_ms: TIME_MS,
        hash_algorithm: "sha256".to_owned(),
        signature_algorithm: "ed25519".to_owned(),
        signature: Vec::new(),
        certificate,
    };
    sign(&mut tree_head, &key);
    let anchor = TrustAnchor {
        domain: DOMAIN.to_owned(),
        cluster_id: CLUSTER.to_owned(),
        hash: "sha256".to_owned(),
        algorithm: "ed25519".to_owned(),
        ca_certificates: vec![authority.pem()],
        forks: Vec::new(),
    };
    let receipt = Receipt {
        name: name(index),
        leaf_index: index,
        record: record(index),
        inclusion_proof: plain_proof(index as usize, &leaves),
        tree_head,
    };
    Ledger { authority, key, anchor, receipt }
}

#[test]
fn a_genuine_receipt_is_proven_also_after_the_certificate_has_expired() {
    // The certificate ended with 2026; today's date is never asked for.
    for (index, size) in [(0, 1), (4, 7), (6, 7)] {
        let ledger = ledger(index, size);
        let proven = verify(&ledger.receipt, &ledger.anchor).unwrap();
        assert_eq!(
            proven,
            Proven {
                subject: name(index),
                node: "2".to_owned(),
                leaf_index: index,
                tree_size: size,
                time: "2026-09-21T01:00:00Z".to_owned(),
            }
        );
    }
}

#[test]
fn whatever_is_changed_is_noticed() {
    type Change = fn(&mut Ledger);
    let check = |what: &str, change: Change, expected: &str| {
        let mut ledger = ledger(4, 7);
        change(&mut ledger);
        let rejected = verify(&ledger.receipt, &ledger.anchor).expect_err(what);
        assert_eq!(rejected.reason(), expected, "{what}");
        for lang in [Lang::En, Lang::Zh] {
            assert!(!rejected.text(lang).is_empty(), "{what}");
        }
    };
    check("record", |l| *l.receipt.record.last_mut().unwrap() ^= 1, "not_included");
    check("place", |l| l.receipt.leaf_index = 5, "not_included");
    check("proof", |l| l.receipt.inclusion_proof[0][0] ^= 1, "not_included");
    check("shorter proof", |l| l.receipt.inclusion_proof.truncate(1), "not_included");
    check("root", |l| l.receipt.tree_head.root_hash[0] ^= 1, "not_included");
    check("name", |l| l.receipt.name = name(5), "about_something_else");
    check("signature", |l| l.receipt.tree_head.signature[0] ^= 1, "signature_wrong");
    check("no signature", |l| l.receipt.tree_head.signature.clear(), "signature_wrong");
    check("time", |l| l.receipt.tree_head.time_ms += 1, "signature_wrong");
    check("generation", |l| l.receipt.tree_head.generation += 1, "signature_wrong");
    check("domain", |l| l.receipt.tree_head.domain = "other".to_owned(), "not_of_anchor");
    check("cluster", |l| l.anchor.cluster_id = "other".to_owned(), "not_of_anchor");
    check("hash", |l| l.anchor.hash = "sm3".to_owned(), "not_of_anchor");
    check(
        "both name another algorithm",
        |l| {
            l.anchor.algorithm = "sm2".to_owned();
            l.receipt.tree_head.signature_algorithm = "sm2".to_owned();
        },
        "not_of_anchor",
    );
    check("no certificate", |l| l.receipt.tree_head.certificate.clear(), "certificate_wrong");
    check(
        "another CA",
        |l| l.anchor.ca_certificates = vec![authority().pem()],
        "authority_unknown",
    );
    check("no CA", |l| l.anchor.ca_certificates.clear(), "authority_unknown");
    check(
        "lost in a failover",
        |l| l.anchor.forks.push(Fork { generation: 3, tree_size: 4 }),
        "lost_in_failover",
    );
}

#[test]
fn a_record_before_the_fork_and_one_of_another_generation_are_not_lost() {
    let mut ledger = ledger(4, 7);
    ledger.anchor.forks =
        vec![Fork { generation: 3, tree_size: 5 }, Fork { generation: 2, tree_size: 0 }];
    verify(&ledger.receipt, &ledger.anchor).unwrap();
}

#[test]
fn only_a_certificate_for_heads_of_this_cluster_counts() {
    let check = |uri: &str, until_year: i32, expected: &str| {
        let mut ledger = ledger(4, 7);
        let (key, certificate) = certified(&ledger.authority, uri, until_year);
        ledger.receipt.tree_head.certificate = certificate;
        sign(&mut ledger.receipt.tree_head, &key);
        let rejected = verify(&ledger.receipt, &ledger.anchor).expect_err(uri);
        assert_eq!(rejected.reason(), expected, "{uri}");
    };
    check("spiffe://luqiao-city.luqiao/node/2", 2027, "certificate_wrong");
    check(&head::certificate_uri(DOMAIN, "2", "other"), 2027, "certificate_wrong");
    check(&head::certificate_uri("other", "2", CLUSTER), 2027, "certificate_wrong");
    check(&head::certificate_uri(DOMAIN, "", CLUSTER), 2027, "certificate_wrong");
    check(&head::certificate_uri(DOMAIN, "2/x", CLUSTER), 2027, "certificate_wrong");
    // In force only until before the head was signed.
    let mut ledger = ledger(4, 7);
    ledger.receipt.tree_head.time_ms += 365 * 86_400_000;
    sign(&mut ledger.receipt.tree_head, &ledger.key);
    assert_eq!(verify(&ledger.receipt, &ledger.anchor), Err(Rejected::NotValidThen));
}

#[test]
fn a_receipt_file_is_read_in_every_spelling_of_proto_json() {
    let Ledger { receipt, anchor, .. } = ledger(4, 7);
    let base64 = |bytes: &[u8]| STANDARD.encode(bytes);
    let head = &receipt.tree_head;
    let proof: Vec<String> = receipt.inclusion_proof.iter().map(|hash| base64(hash)).collect();
    let hex = head.root_hash.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    let snake = json!({
        "name": receipt.name,
        "leaf_index": 4,
        "record": base64(&receipt.record),
        "record_json": "{}",
        "inclusion_proof": proof,
        "tree_head": {
            "domain": DOMAIN, "cluster_id": CLUSTER, "generation": 3, "tree_size": 7,
            "root_hash": base64(&head.root_hash), "time": "2026-09-21T01:00:00Z",
            "hash_algorithm": "sha256", "signature_algorithm": "ed25519",
            "signature": base64(&head.signature), "certificate": base64(&head.certificate),
        },
    });
    let camel = json!({
        "name": receipt.name,
        "leafIndex": "4",
        "record": base64(&receipt.record),
        "inclusionProof": proof,
        "treeHead": {
            "domain": DOMAIN, "clusterId": CLUSTER, "generation": "3", "treeSize": "7",
            "rootHash": hex, "time": TIME_MS,
            "hashAlgorithm": "sha256", "signatureAlgorithm": "ed25519",
            "signature": base64(&head.signature), "certificate": base64(&head.certificate),
        },
    });
    for value in [snake, camel] {
        let read: Receipt = serde_json::from_value(value).unwrap();
        assert_eq!(read, receipt);
        verify(&read, &anchor).unwrap();
    }
}

/// What a clerk is handed fits on one sheet, also after years (issue 5: at most 4 KB): a long answer
/// with its rule, at ten million records, as the API writes it.
#[test]
fn a_receipt_at_ten_million_records_has_at_most_4_kb() {
    let ledger = ledger(4, 7);
    let head = &ledger.receipt.tree_head;
    let base64 = |bytes: &[u8]| STANDARD.encode(bytes);
    let size = 10_000_000_u64;
    let path: Vec<String> =
        (0..size.next_power_of_two().ilog2()).map(|at| base64(&[at as u8; 32])).collect();
    assert_eq!(path.len(), 24);

    // As the ledger stores an answer: who, to which items, under which rule, with its digests.
    let rule = catalog_model::rule::RuleRef {
        id: "N809-21-1-conditional-answer".to_owned(),
        title: "政务数据共享条例".to_owned(),
        article: "21".to_owned(),
        paragraph: 1,
        rank: catalog_model::rule::Rank::AdministrativeRegulation,
        quote: "10个工作日内向政务数据需求部门答复是否同意共享".to_owned(),
    };
    let mut record = record(4);
    let mut encoder = minicbor::Encoder::new(&mut record);
    for item in ["号牌号码", "车辆类型", "所有人名称", "注册日期", "检验有效期"]
    {
        encoder.str(item).unwrap();
    }
    encoder.encode(name(9).parse::<ResourceName>().unwrap()).unwrap().encode(&rule).unwrap();
    encoder.str("luqiao-city/organizations/01K5Z0000000000000000000AA/systems/01K5Z0000000000000000000BB").unwrap();
    for label in ["reason", "person", "consenter"] {
        encoder.str(label).unwrap().bytes(&[9; 32]).unwrap();
    }
    let digests: Vec<_> = ["reason", "person", "consenter"]
        .iter()
        .map(|label| json!({ "label": label, "sha256": "9".repeat(64) }))
        .collect();
    let words = json!({
        "domain": DOMAIN, "generation": 3, "sequence": size - 1, "time_ms": TIME_MS,
        "time": "2026-09-21 09:00:00", "subject": name(4), "fact": "request_answered",
        "details": { "kind": "agreed_in_part", "items": ["号牌号码", "车辆类型", "所有人名称",
            "注册日期", "检验有效期"], "late": false, "grant": name(9), "standing": false },
        "rule": { "id": rule.id, "cited_zh": rule.cite(Lang::Zh), "cited_en": rule.cite(Lang::En) },
        "actor": "luqiao-city/organizations/01K5Z0000000000000000000AA/systems/01K5Z0000000000000000000BB",
        "digests": digests,
    });
    let receipt = json!({
        "name": name(4),
        "leaf_index": (size - 1).to_string(),
        "record": base64(&record),
        "record_json": words.to_string(),
        "inclusion_proof": path,
        "tree_head": {
            "domain": DOMAIN, "cluster_id": CLUSTER, "generation": "3",
            "tree_size": size.to_string(), "root_hash": base64(&head.root_hash),
            "time": "2026-09-21T01:00:00Z", "hash_algorithm": "sha256",
            "signature_algorithm": "ed25519", "signature": base64(&head.signature),
            "certificate": base64(&head.certificate),
        },
    });
    let bytes = receipt.to_string().len();
    println!("a receipt has {bytes} bytes, {} of them the record", record.len());
    assert!((2_000..=4_096).contains(&bytes), "{bytes} bytes");
}
