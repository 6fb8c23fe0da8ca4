//! A small city with a ledger, and the files that it hands out.

use catalog_model::{
    ids::{DomainId, RequestId},
    name::{Resource, ResourceName},
    time::UtcMillis,
};
use catalog_proofs::{
    Hash,
    archive::{self, Segment},
    head::{Cosignature, Head, SignedHead, certificate_uri},
    hex,
    key::HeadKey,
    suite::Suite,
    tree::Frontier,
};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
    PKCS_ED25519, SanType,
};
use serde_json::{Value, json};

/// 2026-09-21 09:00 Asia/Shanghai.
pub(crate) const TIME_MS: u64 = 1_789_952_400_000;
pub(crate) const SALT: [u8; 16] = [7; 16];
pub(crate) const SUITE: Suite = Suite::Sha256Ed25519;

/// Somebody with a key for heads.
pub(crate) struct Signer {
    pub(crate) domain: &'static str,
    pub(crate) cluster_id: [u8; 16],
    authority: CertifiedIssuer<'static, KeyPair>,
    key: HeadKey,
    certificate: Vec<u8>,
}

impl Signer {
    pub(crate) fn new(domain: &'static str, number: u8) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.distinguished_name.push(DnType::CommonName, format!("{domain} CA"));
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let pair = KeyPair::generate_for(&PKCS_ED25519).unwrap();
        let cluster_id = [number; 16];
        let mut params = CertificateParams::default();
        let uri = certificate_uri(domain, "2", &hex(&cluster_id));
        params.subject_alt_names = vec![SanType::URI(uri.try_into().unwrap())];
        params.not_before = rcgen::date_time_ymd(2026, 1, 1);
        params.not_after = rcgen::date_time_ymd(2027, 1, 1);
        let certificate = params.signed_by(&pair, &authority).unwrap().der().to_vec();
        let key = HeadKey::from_pkcs8(SUITE, &pair.serialize_der()).unwrap();
        Self { domain, cluster_id, authority, key, certificate }
    }

    /// The trust anchor that its domain publishes.
    pub(crate) fn anchor(&self) -> Value {
        json!({
            "domain": self.domain,
            "cluster_id": hex(&self.cluster_id),
            "hash": "sha256",
            "algorithm": "ed25519",
            "ca_certificates": [self.authority.pem()],
            "forks": [],
        })
    }

    fn sign(&self, head: Head) -> SignedHead {
        let signature = self.key.sign(&head.signed_bytes());
        SignedHead { head, signature, certificate: self.certificate.clone() }
    }

    /// Cosigns a head.
    pub(crate) fn cosign(&self, head: &Head) -> Cosignature {
        let mut cosignature = Cosignature {
            cosigner: self.domain.parse().unwrap(),
            cosigner_cluster: self.cluster_id,
            time: UtcMillis(TIME_MS + 1000),
            head: head.clone(),
            suite: SUITE,
            signature: Vec::new(),
            certificate: self.certificate.clone(),
        };
        cosignature.signature = self.key.sign(&cosignature.signed_bytes());
        cosignature
    }
}

/// The free text beside record `number`.
pub(crate) fn scenario(number: u64) -> String {
    format!("维修企业信用核查 {number}")
}

/// A domain with a ledger of a few records.
pub(crate) struct City {
    pub(crate) signer: Signer,
    records: Vec<Vec<u8>>,
}

impl City {
    pub(crate) fn new(size: u64) -> Self {
        Self::with(Signer::new("luqiao-city", 1), size)
    }

    pub(crate) fn with(signer: Signer, size: u64) -> Self {
        let mut city = Self { signer, records: Vec::new() };
        city.records = (0..size).map(|number| city.written(number)).collect();
        city
    }

    fn resource(&self, number: u64) -> ResourceName {
        let id = RequestId::from_bytes((u128::from(number) << 80 | 0xabcd).to_be_bytes());
        ResourceName::new(self.signer.domain.parse().unwrap(), Resource::Request(id))
    }

    /// What record `number` is about.
    pub(crate) fn name(&self, number: u64) -> String {
        self.resource(number).to_string()
    }

    fn written(&self, number: u64) -> Vec<u8> {
        let domain: DomainId = self.signer.domain.parse().unwrap();
        let mut bytes = vec![1];
        let mut encoder = minicbor::Encoder::new(&mut bytes);
        encoder.array(7).unwrap().encode(&domain).unwrap().u64(3).unwrap().u64(number).unwrap();
        encoder.encode(UtcMillis(TIME_MS)).unwrap().encode(self.resource(number)).unwrap();
        encoder.str("what happened").unwrap();
        encoder.bytes(&SUITE.text_digest(&SALT, "scenario", &scenario(number))).unwrap();
        bytes
    }

    /// The stored bytes of a record.
    pub(crate) fn record(&self, number: u64) -> Vec<u8> {
        self.records[number as usize].clone()
    }

    /// Somebody changes the past: the ledger goes on as if nothing were.
    pub(crate) fn rewrite(&mut self, number: u64) {
        *self.records[number as usize].last_mut().unwrap() ^= 1;
    }

    fn leaves(&self) -> Vec<Hash> {
        self.records.iter().map(|record| SUITE.leaf_hash(record)).collect()
    }

    fn root(leaves: &[Hash]) -> Hash {
        let mut frontier = Frontier::new(SUITE);
        for leaf in leaves {
            frontier.push(*leaf);
        }
        frontier.root()
    }

    /// RFC 9162 §2.1.3.1
    pub(crate) fn path(&self, number: u64) -> Vec<Hash> {
        fn of(index: usize, leaves: &[Hash]) -> Vec<Hash> {
            if leaves.len() == 1 {
                return Vec::new();
            }
            let middle = leaves.len().next_power_of_two() / 2;
            let (left, right) = leaves.split_at(middle);
            let (mut path, sibling) = if index < middle {
                (of(index, left), City::root(right))
            } else {
                (of(index - middle, right), City::root(left))
            };
            path.push(sibling);
            path
        }
        of(number as usize, &self.leaves())
    }

    /// RFC 9162 §2.1.4.1
    pub(crate) fn consistency(&self, first: u64) -> Vec<Hash> {
        fn of(first: usize, leaves: &[Hash], whole: bool) -> Vec<Hash> {
            if first == leaves.len() {
                return if whole { Vec::new() } else { vec![City::root(leaves)] };
            }
            let middle = leaves.len().next_power_of_two() / 2;
            let (left, right) = leaves.split_at(middle);
            let (mut path, sibling) = if first <= middle {
                (of(first, left, whole), City::root(right))
            } else {
                (of(first - middle, right, false), City::root(left))
            };
            path.push(sibling);
            path
        }
        of(first as usize, &self.leaves(), true)
    }

    /// The head over the first `size` records.
    pub(crate) fn head_over(&self, size: u64) -> SignedHead {
        self.signer.sign(Head {
            domain: self.signer.domain.parse().unwrap(),
            cluster_id: self.signer.cluster_id,
            generation: 3,
            tree_size: size,
            root_hash: Self::root(&self.leaves()[..size as usize]),
            time: UtcMillis(TIME_MS),
            suite: SUITE,
        })
    }

    pub(crate) fn signed_head(&self) -> SignedHead {
        self.head_over(self.records.len() as u64)
    }

    /// As `luqiao receipt get` writes it.
    pub(crate) fn receipt(&self, number: u64) -> Value {
        let path: Vec<String> = self.path(number).iter().map(|hash| base64(hash)).collect();
        json!({
            "name": self.name(number),
            "leaf_index": number.to_string(),
            "record": base64(&self.record(number)),
            "record_json": "{}",
            "inclusion_proof": path,
            "tree_head": head_json(&self.signed_head()),
        })
    }

    /// As the API answers it.
    pub(crate) fn consistency_json(&self, first: u64) -> Value {
        let path: Vec<String> = self.consistency(first).iter().map(|hash| base64(hash)).collect();
        json!({
            "first_size": first,
            "second_size": self.records.len(),
            "path": path,
            "second_head": head_json(&self.signed_head()),
        })
    }

    /// Segments of the ledger as files; each ends before one of `ends`.
    pub(crate) fn archive(&self, ends: &[u64]) -> Vec<Vec<u8>> {
        let mut last: Option<Segment> = None;
        let mut files = Vec::new();
        for (number, through) in (1..).zip(ends) {
            let from = last.as_ref().map_or(0, |segment| segment.through);
            let mut before = Frontier::new(SUITE);
            for leaf in &self.leaves()[..from as usize] {
                before.push(*leaf);
            }
            let segment = Segment {
                domain: self.signer.domain.parse().unwrap(),
                cluster_id: self.signer.cluster_id,
                suite: SUITE,
                number,
                from,
                through: *through,
                root_before: before.root(),
                root: Self::root(&self.leaves()[..*through as usize]),
                previous: last.as_ref().map_or([0; 32], Segment::link),
            };
            let records = self.records[from as usize..*through as usize].iter().cloned();
            let mut file = Vec::new();
            let head = self.head_over(*through);
            archive::write(&mut file, &segment, before.peaks(), records, Some(&head)).unwrap();
            files.push(file);
            last = Some(segment);
        }
        files
    }
}

pub(crate) fn head_json(signed: &SignedHead) -> Value {
    let SignedHead { head, signature, certificate } = signed;
    json!({
        "domain": head.domain.as_str(),
        "cluster_id": hex(&head.cluster_id),
        "generation": head.generation,
        "tree_size": head.tree_size,
        "root_hash": base64(&head.root_hash),
        "time": "2026-09-21T01:00:00Z",
        "hash_algorithm": head.suite.hash_name(),
        "signature_algorithm": head.suite.signature_name(),
        "signature": base64(signature),
        "certificate": base64(certificate),
    })
}

pub(crate) fn cosignature_json(cosignature: &Cosignature, head: &SignedHead) -> Value {
    json!({
        "cosigner": cosignature.cosigner.as_str(),
        "cosigner_cluster_id": hex(&cosignature.cosigner_cluster),
        "time": cosignature.time.0,
        "tree_head": head_json(head),
        "signature_algorithm": cosignature.suite.signature_name(),
        "signature": base64(&cosignature.signature),
        "certificate": base64(&cosignature.certificate),
    })
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    STANDARD.encode(bytes)
}
