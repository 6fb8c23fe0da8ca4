use catalog_model::{
    ids::{DomainId, RequestId},
    name::{Resource, ResourceName},
    time::UtcMillis,
};
use catalog_proofs::suite::Suite;
use prost_types::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
    PKCS_ED25519, SanType,
};
use ring::signature::Ed25519KeyPair;

use super::*;

pub(crate) const CLUSTER: &str = "01010101010101010101010101010101";
/// 2026-09-21 09:00 Asia/Shanghai.
pub(crate) const TIME_MS: u64 = 1_789_952_400_000;

/// The only record of a ledger, as it is stored.
fn record(domain: &DomainId, name: &ResourceName) -> Vec<u8> {
    let mut bytes = vec![1];
    let mut encoder = minicbor::Encoder::new(&mut bytes);
    encoder.array(5).unwrap().encode(domain).unwrap().u64(1).unwrap().u64(0).unwrap();
    encoder.encode(UtcMillis(TIME_MS)).unwrap().encode(name).unwrap();
    bytes
}

/// The receipt of the only record of a ledger, and the anchor by which it is checked.
pub(crate) fn receipt_of(record: Vec<u8>, subject: &ResourceName) -> (Value, TrustAnchor) {
    let domain = &subject.domain;
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.distinguished_name.push(DnType::CommonName, "City CA");
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    let mut params = CertificateParams::default();
    let uri = head::certificate_uri(domain.as_str(), "2", CLUSTER);
    params.subject_alt_names = vec![SanType::URI(uri.try_into().unwrap())];
    let certificate = params.signed_by(&key, &authority).unwrap();
    let root = Suite::default().leaf_hash(&record);
    let signed =
        head::signed_bytes(domain.as_str(), CLUSTER, 1, 1, &root, TIME_MS, Suite::default());
    let signer = Ed25519KeyPair::from_pkcs8(&key.serialize_der()).unwrap();
    let receipt = luqiao_proto::ledger::v1::Receipt {
        name: subject.to_string(),
        leaf_index: 0,
        record: record.into(),
        record_json: "{\"words\":\"nobody proves them\"}".to_owned(),
        inclusion_proof: Vec::new(),
        tree_head: Some(luqiao_proto::ledger::v1::TreeHead {
            domain: domain.to_string(),
            cluster_id: CLUSTER.to_owned(),
            generation: 1,
            tree_size: 1,
            root_hash: root.to_vec().into(),
            time: Some(Timestamp { seconds: (TIME_MS / 1000).cast_signed(), nanos: 0 }),
            hash_algorithm: "sha256".to_owned(),
            signature_algorithm: "ed25519".to_owned(),
            signature: signer.sign(&signed).as_ref().to_vec().into(),
            certificate: certificate.der().to_vec().into(),
        }),
        one_site: false,
    };
    let anchor = serde_json::from_value(json!({
        "domain": domain.to_string(),
        "cluster_id": CLUSTER,
        "hash": "sha256",
        "algorithm": "ed25519",
        "ca_certificates": [authority.pem()],
    }));
    let json = crate::message::to_json(crate::message::kind::RECEIPT, &receipt).unwrap();
    (json, anchor.unwrap())
}

/// What the API answers is a file that this command proves: the two know the same fields.
#[test]
fn what_the_api_prints_can_be_verified() {
    let domain: DomainId = "luqiao-city".parse().unwrap();
    let id = RequestId::from_bytes([7; 16]);
    let name = ResourceName::new(domain.clone(), Resource::Request(id));
    let (json, anchor) = receipt_of(record(&domain, &name), &name);
    let receipt: Receipt = serde_json::from_value(json).unwrap();
    assert_eq!(verify(&receipt, &anchor).unwrap().subject, name.to_string());
}

#[test]
fn a_verdict_is_said_in_both_languages() {
    let words = message(&Rejected::NotIncluded);
    assert!(words.en.starts_with("not proven") && words.zh.starts_with("未能证明"));
}
