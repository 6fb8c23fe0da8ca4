//! Approval: has this person signed just this, as the person's own domain says who that is?
//!
//! Whether two persons approved, whether what they approved is what is wanted now, and whether it
//! is still alive is decided by `catalog_model::witness`. Here is what needs keys: the signature of
//! one approval, and the certificate behind it, checked with nothing but the authority's own. A file
//! holds one approval; a *prepared token* is such a file, written beforehand.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use catalog_model::{
    site::Pair,
    time::UtcMillis,
    witness::{Approval, Statement},
};
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ED25519, UnparsedPublicKey,
    VerificationAlgorithm,
};
use serde::{Deserialize, Serialize};
use x509_parser::{
    certificate::X509Certificate,
    extensions::GeneralName,
    prelude::{ASN1Time, FromDer},
};

use crate::receipt::{Rejected, certificate::issued_by_one_of};

/// What a file of this kind begins with.
const KIND: &str = "luqiao-dr-approval";

/// The URI in the certificate of the person: the same with which the person makes calls.
pub fn person_uri(approval: &Approval) -> String {
    let name = approval.approver.to_string();
    let within = name.split_once("/organizations/").map_or("", |(_, within)| within);
    let (organization, person) = within.split_once("/persons/").unwrap_or_default();
    let domain = &approval.approver.domain;
    format!("spiffe://{domain}.luqiao/organization/{organization}/person/{person}")
}

/// Checks signature and certificate of one approval with the authorities (PEM) of its domain. The
/// certificate must be valid at `time`: when the approval is used.
pub fn verify(
    approval: &Approval,
    authorities: &[String],
    time: UtcMillis,
) -> Result<(), Rejected> {
    let wrong = |detail: String| Rejected::CertificateWrong { detail };
    let (rest, certificate) = X509Certificate::from_der(&approval.certificate)
        .map_err(|error| wrong(format!("unreadable: {error}")))?;
    if !rest.is_empty() {
        return Err(wrong("bytes after its end".to_owned()));
    }
    if certificate.is_ca() {
        return Err(wrong("it is an authority's".to_owned()));
    }
    if approval.approver.domain != approval.statement.domain {
        return Err(wrong("it is of a person of another domain".to_owned()));
    }
    let named = uris(&certificate)?;
    if named != [person_uri(approval)] {
        return Err(wrong(format!("it is made out to {}", named.join(", "))));
    }
    let algorithm = algorithm_of(&certificate)
        .ok_or_else(|| wrong("its key is none of P-256, P-384 and Ed25519".to_owned()))?;
    let public_key = &certificate.public_key().subject_public_key.data;
    UnparsedPublicKey::new(algorithm, public_key)
        .verify(&approval.statement.signed_bytes(), &approval.signature)
        .map_err(|_| Rejected::SignatureWrong)?;
    let seconds = i64::try_from(time.0 / 1000).unwrap_or(i64::MAX);
    let time = ASN1Time::from_timestamp(seconds).map_err(|_| Rejected::NotValidThen)?;
    issued_by_one_of(&certificate, authorities, time)
}

fn uris(certificate: &X509Certificate<'_>) -> Result<Vec<String>, Rejected> {
    let names = certificate.subject_alternative_name().map_err(|error| {
        Rejected::CertificateWrong { detail: format!("unreadable names: {error}") }
    })?;
    let uris =
        names.iter().flat_map(|extension| &extension.value.general_names).filter_map(|name| {
            match name {
                GeneralName::URI(uri) => Some((*uri).to_owned()),
                _ => None,
            }
        });
    Ok(uris.collect())
}

fn algorithm_of(certificate: &X509Certificate<'_>) -> Option<&'static dyn VerificationAlgorithm> {
    let algorithm = &certificate.public_key().algorithm;
    let curve = || Some(algorithm.parameters.as_ref()?.as_oid().ok()?.to_id_string());
    match algorithm.algorithm.to_id_string().as_str() {
        // id-Ed25519
        "1.3.101.112" => Some(&ED25519),
        // id-ecPublicKey with secp256r1 or secp384r1
        "1.2.840.10045.2.1" => match curve()?.as_str() {
            "1.2.840.10045.3.1.7" => Some(&ECDSA_P256_SHA256_ASN1),
            "1.3.132.0.34" => Some(&ECDSA_P384_SHA384_ASN1),
            _ => None,
        },
        _ => None,
    }
}

/// An approval as a file holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    kind: String,
    domain: String,
    act: String,
    from: String,
    to: String,
    generation: u64,
    epoch: u64,
    expires_ms: u64,
    release: String,
    approver: String,
    signature: String,
    certificate: String,
}

/// A file that holds no approval.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is no approval: {cause}")]
pub struct NotAnApproval {
    /// Why not.
    pub cause: String,
}

/// The text of the file that holds this approval.
///
/// # Panics
///
/// Never: texts and numbers are always JSON.
pub fn to_file(approval: &Approval) -> String {
    let Approval { statement, approver, signature, certificate } = approval;
    let Statement { domain, act, from, to, pair, expires, release } = statement;
    let file = File {
        kind: KIND.to_owned(),
        domain: domain.to_string(),
        act: act.name().to_owned(),
        from: from.to_string(),
        to: to.to_string(),
        generation: pair.generation,
        epoch: pair.epoch,
        expires_ms: expires.0,
        release: release.name().to_owned(),
        approver: approver.to_string(),
        signature: BASE64_STANDARD.encode(signature),
        certificate: BASE64_STANDARD.encode(certificate),
    };
    serde_json::to_string_pretty(&file).expect("texts and numbers") + "\n"
}

/// The approval in a file. Whether it is genuine is for [`verify`].
pub fn from_file(text: &str) -> Result<Approval, NotAnApproval> {
    let not = |cause: String| NotAnApproval { cause };
    let file: File = serde_json::from_str(text).map_err(|error| not(error.to_string()))?;
    if file.kind != KIND {
        return Err(not(format!("it is a {}", file.kind)));
    }
    let read = |error: catalog_model::ids::IdError| not(error.to_string());
    let bytes = |text: &str| BASE64_STANDARD.decode(text).map_err(|error| not(error.to_string()));
    Ok(Approval {
        statement: Statement {
            domain: file.domain.parse().map_err(read)?,
            act: file.act.parse().map_err(read)?,
            from: file.from.parse().map_err(read)?,
            to: file.to.parse().map_err(read)?,
            pair: Pair { generation: file.generation, epoch: file.epoch },
            expires: UtcMillis(file.expires_ms),
            release: file.release.parse().map_err(read)?,
        },
        approver: file.approver.parse().map_err(read)?,
        signature: bytes(&file.signature)?,
        certificate: bytes(&file.certificate)?,
    })
}

#[cfg(test)]
mod tests;
