//! Signed by a person: does the key in this certificate have signed this message?
//!
//! Not whether the certificate is genuine (the authorities of TLS say that), nor what the message
//! is good for. Ed25519, and ECDSA on P-256 or P-384 with the digest of that size: the keys that
//! certificates of persons have.

use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ED25519, UnparsedPublicKey,
    VerificationAlgorithm,
};
use x509_parser::prelude::{FromDer, X509Certificate};

/// Whether `signature` over `message` is by the key of `certificate` (DER).
pub(super) fn check(certificate: &[u8], message: &[u8], signature: &[u8]) -> Result<(), ()> {
    let (_, certificate) = X509Certificate::from_der(certificate).map_err(drop)?;
    let key = certificate.public_key();
    let algorithm: &'static dyn VerificationAlgorithm =
        match key.algorithm.algorithm.to_id_string().as_str() {
            "1.3.101.112" => &ED25519,
            "1.2.840.10045.2.1" => {
                let curve = key.algorithm.parameters.as_ref().ok_or(())?;
                match curve.as_oid().map_err(drop)?.to_id_string().as_str() {
                    "1.2.840.10045.3.1.7" => &ECDSA_P256_SHA256_ASN1,
                    "1.3.132.0.34" => &ECDSA_P384_SHA384_ASN1,
                    _ => return Err(()),
                }
            }
            _ => return Err(()),
        };
    UnparsedPublicKey::new(algorithm, &key.subject_public_key.data)
        .verify(message, signature)
        .map_err(drop)
}
