//! Certificate: who signed this, and was it theirs to sign?
//!
//! A key for heads is certified for one node of one cluster and for nothing else. Certificates are
//! checked at the time of what was signed, not of the checking: a receipt outlives them.

use rustls_pki_types::{CertificateDer, pem::PemObject};
use x509_parser::{
    certificate::X509Certificate,
    extensions::{GeneralName, ParsedExtension},
    prelude::{ASN1Time, FromDer},
};

use super::Rejected;
use crate::{head::certificate_uri, key, suite::Suite};

/// id-ecPublicKey
const EC_PUBLIC_KEY: &str = "1.2.840.10045.2.1";
/// The curve of GB/T 32918.5.
const SM2_CURVE: &str = "1.2.156.10197.1.301";
/// SM2 with SM3 as the signature of a certificate.
const SM2_WITH_SM3: &str = "1.2.156.10197.1.501";
/// id-Ed25519
const ED25519: &str = "1.3.101.112";

/// Something signed with a key for heads.
pub(super) struct Signed<'a> {
    /// The bytes.
    pub(super) message: &'a [u8],
    /// When.
    pub(super) time_ms: u64,
    /// By a node of which domain.
    pub(super) domain: &'a str,
    /// And of which cluster.
    pub(super) cluster_id: &'a str,
    /// With which suite's key.
    pub(super) suite: Suite,
    /// The signature.
    pub(super) signature: &'a [u8],
    /// DER certificate of the key.
    pub(super) certificate: &'a [u8],
}

/// Checks signature and certificate with these authorities (PEM); returns the node.
pub(super) fn verify(signed: &Signed<'_>, authorities: &[String]) -> Result<String, Rejected> {
    let (rest, certificate) = X509Certificate::from_der(signed.certificate)
        .map_err(|error| wrong(format!("unreadable: {error}")))?;
    if !rest.is_empty() {
        return Err(wrong("bytes after its end".to_owned()));
    }
    let node = node_named(&certificate, signed)?;
    if certificate.is_ca() {
        return Err(wrong("it is an authority's".to_owned()));
    }

    if suite_of_key(&certificate) != Some(signed.suite) {
        let expected = signed.suite.signature_name();
        return Err(wrong(format!("its key is not {expected}")));
    }
    let public_key = &certificate.public_key().subject_public_key.data;
    if !key::verify(signed.suite, public_key, signed.message, signed.signature) {
        return Err(Rejected::SignatureWrong);
    }

    let seconds = i64::try_from(signed.time_ms / 1000).unwrap_or(i64::MAX);
    let time = ASN1Time::from_timestamp(seconds).map_err(|_| Rejected::NotValidThen)?;
    issued_by_one_of(&certificate, authorities, time)?;
    Ok(node)
}

fn suite_of_key(certificate: &X509Certificate<'_>) -> Option<Suite> {
    let algorithm = &certificate.public_key().algorithm;
    match algorithm.algorithm.to_id_string().as_str() {
        ED25519 => Some(Suite::Sha256Ed25519),
        EC_PUBLIC_KEY => {
            let curve = algorithm.parameters.as_ref()?.as_oid().ok()?;
            (curve.to_id_string() == SM2_CURVE).then_some(Suite::Sm3Sm2)
        }
        _ => None,
    }
}

/// The node in the certificate's one URI, which must be for this domain and cluster.
fn node_named(certificate: &X509Certificate<'_>, signed: &Signed<'_>) -> Result<String, Rejected> {
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
    if node.is_empty() || uri != certificate_uri(signed.domain, node, signed.cluster_id) {
        return Err(wrong(format!("it is made out to {uri}")));
    }
    Ok(node.to_owned())
}

/// Whether one of these authorities (PEM) issued the certificate, both valid at `time`.
pub(crate) fn issued_by_one_of(
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
            && is_signed_by(certificate, &authority);
        if issued {
            let valid =
                certificate.validity().is_valid_at(time) && authority.validity().is_valid_at(time);
            return if valid { Ok(()) } else { Err(Rejected::NotValidThen) };
        }
    }
    Err(Rejected::AuthorityUnknown)
}

fn is_signed_by(certificate: &X509Certificate<'_>, authority: &X509Certificate<'_>) -> bool {
    let of_sm2 = certificate.signature_algorithm.algorithm.to_id_string() == SM2_WITH_SM3;
    if !of_sm2 {
        return certificate.verify_signature(Some(authority.public_key())).is_ok();
    }
    suite_of_key(authority) == Some(Suite::Sm3Sm2)
        && key::verify_sm2_der(
            &authority.public_key().subject_public_key.data,
            certificate.tbs_certificate.as_ref(),
            &certificate.signature_value.data,
        )
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
