//! Head: who signed this root of the ledger, and was that theirs to sign?
//!
//! The one place that knows the signed bytes of a tree head and how the certificate of a key for
//! heads is made out. It is on purpose not shared with the code that signs: two writings of the
//! same promise can disagree, one cannot.

use ring::signature::{ED25519, UnparsedPublicKey};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use x509_parser::{
    certificate::X509Certificate,
    extensions::{GeneralName, ParsedExtension},
    prelude::{ASN1Time, FromDer},
};

use super::{Rejected, document::TreeHead};

/// The bytes that a tree head's signature covers.
pub fn signed_bytes(head: &TreeHead) -> Vec<u8> {
    use std::fmt::Write as _;
    let mut root = String::with_capacity(64);
    for byte in head.root_hash {
        let _ = write!(root, "{byte:02x}");
    }
    let TreeHead { domain, cluster_id, generation, tree_size, time_ms, .. } = head;
    format!(
        "luqiao-tree-head-v1\n{domain}\n{cluster_id}\n{generation}\n{tree_size}\n{root}\n{time_ms}\nsha256\n"
    )
    .into_bytes()
}

/// The URI in the certificate of a key for heads: it names the node and the cluster, and is none
/// of the names with which anybody could make a call.
pub fn certificate_uri(domain: &str, node: &str, cluster_id: &str) -> String {
    format!("spiffe://{domain}.luqiao/node/{node}/head/{cluster_id}")
}

/// Checks signature and certificate of `head` with these authorities (PEM); returns the node.
pub fn verify(head: &TreeHead, authorities: &[String]) -> Result<String, Rejected> {
    let (rest, certificate) = X509Certificate::from_der(&head.certificate)
        .map_err(|error| wrong(format!("unreadable: {error}")))?;
    if !rest.is_empty() {
        return Err(wrong("bytes after its end".to_owned()));
    }
    let node = node_named(&certificate, head)?;
    if certificate.is_ca() {
        return Err(wrong("it is an authority's".to_owned()));
    }

    let key = certificate.public_key();
    if key.algorithm.algorithm != x509_parser::oid_registry::OID_SIG_ED25519 {
        return Err(wrong("its key is not Ed25519".to_owned()));
    }
    UnparsedPublicKey::new(&ED25519, &key.subject_public_key.data)
        .verify(&signed_bytes(head), &head.signature)
        .map_err(|_| Rejected::SignatureWrong)?;

    let seconds = i64::try_from(head.time_ms / 1000).unwrap_or(i64::MAX);
    let time = ASN1Time::from_timestamp(seconds).map_err(|_| Rejected::NotValidThen)?;
    issued_by_one_of(&certificate, authorities, time)?;
    Ok(node)
}

/// The node in the certificate's one URI, which must be for this domain and cluster.
fn node_named(certificate: &X509Certificate<'_>, head: &TreeHead) -> Result<String, Rejected> {
    let names = certificate
        .subject_alternative_name()
        .map_err(|error| wrong(format!("unreadable names: {error}")))?;
    let uris: Vec<&str> = names
        .iter()
        .flat_map(|extension| &extension.value.general_names)
        .filter_map(|name| match name {
            GeneralName::URI(uri) => Some(*uri),
            _ => None,
        })
        .collect();
    let [uri] = uris[..] else {
        return Err(wrong(format!("it has {} URIs instead of one", uris.len())));
    };
    let node = uri.split('/').nth(4).unwrap_or_default();
    if node.is_empty() || uri != certificate_uri(&head.domain, node, &head.cluster_id) {
        return Err(wrong(format!("it is made out to {uri}")));
    }
    Ok(node.to_owned())
}

fn issued_by_one_of(
    certificate: &X509Certificate<'_>,
    authorities: &[String],
    time: ASN1Time,
) -> Result<(), Rejected> {
    for pem in authorities {
        let authority = CertificateDer::from_pem_slice(pem.as_bytes())
            .map_err(|error| wrong(format!("an authority of the anchor is unreadable: {error}")))?;
        let (_, authority) = X509Certificate::from_der(&authority)
            .map_err(|error| wrong(format!("an authority of the anchor is unreadable: {error}")))?;
        let issued = may_issue(&authority)
            && certificate.issuer() == authority.subject()
            && certificate.verify_signature(Some(authority.public_key())).is_ok();
        if issued {
            let valid =
                certificate.validity().is_valid_at(time) && authority.validity().is_valid_at(time);
            return if valid { Ok(()) } else { Err(Rejected::NotValidThen) };
        }
    }
    Err(Rejected::AuthorityUnknown)
}

fn may_issue(authority: &X509Certificate<'_>) -> bool {
    authority.is_ca()
        && authority.extensions().iter().all(|extension| match extension.parsed_extension() {
            ParsedExtension::KeyUsage(usage) => usage.key_cert_sign(),
            _ => true,
        })
}

fn wrong(detail: String) -> Rejected {
    Rejected::CertificateWrong { detail }
}
