//! Key: who signs heads, and is this signature theirs?
//!
//! A node has one key for heads, of its cluster's suite. Ed25519 signatures are those of RFC 8032;
//! SM2 ones those of GB/T 32918.2 with the identity that GM/T 0009 gives to whoever has none of
//! their own, 64 bytes `r ‖ s`.

use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use sm2::{
    SecretKey,
    dsa::{
        Signature, SigningKey, VerifyingKey,
        signature::{Signer as _, Verifier as _},
    },
    pkcs8::DecodePrivateKey as _,
};

use crate::suite::Suite;

/// The identity in SM2 signatures of keys that name none (GM/T 0009, section 10).
const SM2_IDENTITY: &str = "1234567812345678";

/// A key that signs heads.
pub enum HeadKey {
    /// Ed25519.
    Ed25519(Box<Ed25519KeyPair>),
    /// SM2.
    Sm2(Box<SigningKey>),
}

impl std::fmt::Debug for HeadKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("HeadKey").field(&self.suite()).finish()
    }
}

/// The bytes are no key of the suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no {} key in PKCS #8", .0.signature_name())]
pub struct NotAKey(pub Suite);

impl HeadKey {
    /// The key of `suite` in a PKCS #8 document.
    pub fn from_pkcs8(suite: Suite, der: &[u8]) -> Result<Self, NotAKey> {
        let wrong = NotAKey(suite);
        match suite {
            Suite::Sha256Ed25519 => {
                let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map_err(|_| wrong)?;
                Ok(Self::Ed25519(Box::new(pair)))
            }
            Suite::Sm3Sm2 => {
                let key = SecretKey::from_pkcs8_der(der).map_err(|_| wrong)?;
                let key = SigningKey::new(SM2_IDENTITY, &key).map_err(|_| wrong)?;
                Ok(Self::Sm2(Box::new(key)))
            }
        }
    }

    /// Its suite.
    pub fn suite(&self) -> Suite {
        match self {
            Self::Ed25519(_) => Suite::Sha256Ed25519,
            Self::Sm2(_) => Suite::Sm3Sm2,
        }
    }

    /// Its public half as certificates hold it: 32 bytes, or an uncompressed point.
    pub fn public_key(&self) -> Vec<u8> {
        match self {
            Self::Ed25519(pair) => pair.public_key().as_ref().to_vec(),
            Self::Sm2(key) => key.verifying_key().to_sec1_bytes().to_vec(),
        }
    }

    /// Signs `message`. The same message always gets the same signature.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Self::Sm2(key) => {
                let signature: Signature = key.sign(message);
                signature.to_vec()
            }
        }
    }
}

/// Whether `signature` is that of the key's owner on `message`.
pub fn verify(suite: Suite, public_key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    match suite {
        Suite::Sha256Ed25519 => {
            UnparsedPublicKey::new(&ED25519, public_key).verify(message, signature).is_ok()
        }
        Suite::Sm3Sm2 => {
            let key = VerifyingKey::from_sec1_bytes(SM2_IDENTITY, public_key);
            let signature = Signature::from_slice(signature);
            key.is_ok_and(|key| {
                signature.is_ok_and(|signature| key.verify(message, &signature).is_ok())
            })
        }
    }
}

/// As [`verify`] for SM2, with the signature as certificates hold it: a DER sequence of `r` and `s`.
pub(crate) fn verify_sm2_der(public_key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    Signature::from_der(signature)
        .is_ok_and(|signature| verify(Suite::Sm3Sm2, public_key, message, &signature.to_vec()))
}

#[cfg(test)]
mod tests;
