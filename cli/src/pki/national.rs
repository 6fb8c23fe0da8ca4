//! National: who certifies keys for heads in a domain whose ledger is proved with SM3 and SM2?
//!
//! TLS stays as it is; only keys for heads are SM2. No tool in reach makes certificates of such
//! keys, so these few bytes are written here, by the book (RFC 5280, GM/T 0015). For a development
//! environment: an authority in earnest is somebody else's, with hardware of its own.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use catalog_model::ids::DomainId;
use luqiao_transport::identity::InstanceId;
use ring::rand::{SecureRandom as _, SystemRandom};
use sm2::{
    SecretKey,
    dsa::{Signature, SigningKey, signature::Signer as _},
    pkcs8::EncodePrivateKey as _,
};

use super::{Issued, PkiError, YEARS};
use crate::receipt::head::certificate_uri;

/// The identity in signatures of keys that name none (GM/T 0009, section 10).
const IDENTITY: &str = "1234567812345678";

/// Object identifiers as they are encoded.
const SM2_WITH_SM3: &[u8] = &[0x06, 0x08, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x83, 0x75];
const EC_PUBLIC_KEY: &[u8] = &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const SM2_CURVE: &[u8] = &[0x06, 0x08, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x82, 0x2d];
const COMMON_NAME: &[u8] = &[0x06, 0x03, 0x55, 0x04, 0x03];
const ALTERNATIVE_NAME: &[u8] = &[0x06, 0x03, 0x55, 0x1d, 0x11];
const BASIC_CONSTRAINTS: &[u8] = &[0x06, 0x03, 0x55, 0x1d, 0x13];
const TRUE: &[u8] = &[0x01, 0x01, 0xff];

/// The authority that certifies SM2 keys for heads of one domain.
pub struct NationalAuthority {
    domain: DomainId,
    key: SigningKey,
}

impl std::fmt::Debug for NationalAuthority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NationalAuthority").field("domain", &self.domain).finish_non_exhaustive()
    }
}

impl NationalAuthority {
    /// A fresh authority for `domain`.
    pub fn new(domain: &DomainId) -> Result<Self, PkiError> {
        Ok(Self { domain: domain.clone(), key: signing(&fresh()?)? })
    }

    fn name(&self) -> String {
        format!("{} authority for heads", self.domain)
    }

    /// Its certificate, PEM.
    pub fn pem(&self) -> String {
        let constraints = der(0x04, &[&sequence(&[TRUE])]);
        let extension = sequence(&[BASIC_CONSTRAINTS, TRUE, &constraints]);
        self.certificate(&self.key, &self.name(), 1, &extension)
    }

    /// Issues the key with which `node` signs tree heads of the cluster (32 hexadecimal digits).
    pub fn issue_head(&self, node: &InstanceId, cluster_id: &str) -> Result<Issued, PkiError> {
        let secret = fresh()?;
        let key = signing(&secret)?;
        let uri = certificate_uri(self.domain.as_str(), node.as_str(), cluster_id);
        let names = der(0x04, &[&sequence(&[&der(0x86, &[uri.as_bytes()])])]);
        let extension = sequence(&[ALTERNATIVE_NAME, &names]);
        let file = secret.to_pkcs8_der().map_err(|_| PkiError::National)?;
        Ok(Issued {
            certificate: self.certificate(&key, node.as_str(), 2, &extension),
            key: pem("PRIVATE KEY", file.as_bytes()),
        })
    }

    /// A certificate of `key`, signed by this authority.
    fn certificate(&self, key: &SigningKey, subject: &str, serial: u8, extension: &[u8]) -> String {
        let algorithm = sequence(&[SM2_WITH_SM3]);
        let time = |year: i32, rest: &str| der(0x18, &[format!("{year}{rest}").as_bytes()]);
        let point = key.verifying_key().to_sec1_bytes();
        let body = sequence(&[
            &der(0xa0, &[&[0x02, 0x01, 0x02]]),
            &[0x02, 0x01, serial],
            &algorithm,
            &name_of(&self.name()),
            &sequence(&[&time(YEARS.0, "0101000000Z"), &time(YEARS.1, "1231000000Z")]),
            &name_of(subject),
            &sequence(&[&sequence(&[EC_PUBLIC_KEY, SM2_CURVE]), &der(0x03, &[&[0], &point])]),
            &der(0xa3, &[&sequence(&[extension])]),
        ]);
        let signature: Signature = self.key.sign(&body);
        let signature = signature.to_der();
        let whole = sequence(&[&body, &algorithm, &der(0x03, &[&[0], signature.as_bytes()])]);
        pem("CERTIFICATE", &whole)
    }
}

fn fresh() -> Result<SecretKey, PkiError> {
    let random = SystemRandom::new();
    loop {
        let mut bytes = [0; 32];
        random.fill(&mut bytes).map_err(|_| PkiError::National)?;
        // One in four thousand million is no key: then another.
        if let Ok(key) = SecretKey::from_slice(&bytes) {
            return Ok(key);
        }
    }
}

fn signing(key: &SecretKey) -> Result<SigningKey, PkiError> {
    SigningKey::new(IDENTITY, key).map_err(|_| PkiError::National)
}

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

fn pem(label: &str, der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    let lines: Vec<&str> = body
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).expect("base64 is ASCII"))
        .collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use catalog_proofs::{
        head::{Head, SignedHead},
        key::HeadKey,
        receipt::{
            document::{TreeHead, TrustAnchor},
            verify_head,
        },
        suite::Suite,
    };
    use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};

    use super::*;

    const CLUSTER: &str = "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a";

    #[test]
    fn a_head_signed_with_an_issued_key_is_proven_by_its_authority_and_no_other() {
        let domain: DomainId = "xiamen".parse().expect("a domain");
        let authority = NationalAuthority::new(&domain).expect("an authority");
        let node = "2".parse().expect("a name");
        let issued = authority.issue_head(&node, CLUSTER).expect("a key");
        let file = PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).expect("a key in PEM");
        let key = HeadKey::from_pkcs8(Suite::Sm3Sm2, file.secret_der()).expect("an SM2 key");
        let certificate =
            CertificateDer::from_pem_slice(issued.certificate.as_bytes()).expect("a certificate");
        let head = Head {
            domain,
            cluster_id: [10; 16],
            generation: 1,
            tree_size: 1,
            root_hash: [7; 32],
            time: catalog_model::time::UtcMillis(1_789_952_400_000),
            suite: Suite::Sm3Sm2,
        };
        let signature = key.sign(&head.signed_bytes());
        let signed = SignedHead { head, signature, certificate: certificate.to_vec() };
        let anchor = |pem: String| TrustAnchor {
            domain: "xiamen".to_owned(),
            cluster_id: CLUSTER.to_owned(),
            hash: "sm3".to_owned(),
            algorithm: "sm2".to_owned(),
            ca_certificates: vec![pem],
            forks: Vec::new(),
        };
        let head = TreeHead::from(&signed);
        assert_eq!(verify_head(&head, &anchor(authority.pem())), Ok("2".to_owned()));
        let other = NationalAuthority::new(&signed.head.domain).expect("an authority");
        verify_head(&head, &anchor(other.pem())).expect_err("another authority of that name");
    }
}
