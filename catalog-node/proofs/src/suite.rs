//! Suite: with which hash and which signature does a cluster prove its history?
//!
//! Chosen once, when the cluster is created: SHA-256 with Ed25519, or the national SM3 (GB/T 32905)
//! with SM2 (GB/T 32918). Both hashes have 32 bytes, so that every row and every proof has one form.
//! The suite is of the ledger alone: feeds, idempotency and the hash of the state stay with SHA-256,
//! because they prove nothing to anybody outside.

use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};
use sm3::Sm3;

use crate::Hash;

/// Hash of the ledger's tree and signature of its heads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(index_only)]
pub enum Suite {
    /// SHA-256 and Ed25519.
    #[default]
    #[n(0)]
    Sha256Ed25519,
    /// SM3 and SM2.
    #[n(1)]
    Sm3Sm2,
}

impl Suite {
    /// The suite with these names of hash and signature, in any case of letters.
    pub fn named(hash: &str, signature: &str) -> Option<Self> {
        [Self::Sha256Ed25519, Self::Sm3Sm2].into_iter().find(|suite| {
            hash.eq_ignore_ascii_case(suite.hash_name())
                && signature.eq_ignore_ascii_case(suite.signature_name())
        })
    }

    /// `sha256` or `sm3`, as heads and trust anchors name it.
    pub fn hash_name(self) -> &'static str {
        match self {
            Self::Sha256Ed25519 => "sha256",
            Self::Sm3Sm2 => "sm3",
        }
    }

    /// `ed25519` or `sm2`.
    pub fn signature_name(self) -> &'static str {
        match self {
            Self::Sha256Ed25519 => "ed25519",
            Self::Sm3Sm2 => "sm2",
        }
    }

    /// The hash of `parts`, one after the other.
    pub fn hash(self, parts: &[&[u8]]) -> Hash {
        match self {
            Self::Sha256Ed25519 => digest::<Sha256>(parts),
            Self::Sm3Sm2 => digest::<Sm3>(parts),
        }
    }

    /// RFC 9162 §2.1.1: the hash of a leaf, `H(0x00 ‖ record)`.
    pub fn leaf_hash(self, record: &[u8]) -> Hash {
        self.hash(&[&[0], record])
    }

    /// RFC 9162 §2.1.1: the hash of an inner node, `H(0x01 ‖ left ‖ right)`.
    pub fn node_hash(self, left: &Hash, right: &Hash) -> Hash {
        self.hash(&[&[1], left, right])
    }

    /// The root of the tree without leaves: the hash of nothing.
    pub fn empty_root(self) -> Hash {
        self.hash(&[])
    }

    /// What a record holds of a free text or a person: `H(salt ‖ label ‖ 0x00 ‖ text)`.
    pub fn text_digest(self, salt: &[u8; 16], label: &str, text: &str) -> Hash {
        self.hash(&[salt, label.as_bytes(), &[0], text.as_bytes()])
    }
}

fn digest<D: Digest>(parts: &[&[u8]]) -> Hash {
    let mut hash = D::new();
    for part in parts {
        hash.update(part);
    }
    let mut bytes = [0; 32];
    bytes.copy_from_slice(&hash.finalize());
    bytes
}

/// A streamed hash, for what is too long to hold.
#[derive(Clone)]
pub struct Hasher(Inner);

#[derive(Clone)]
enum Inner {
    Sha256(Sha256),
    Sm3(Sm3),
}

impl std::fmt::Debug for Hasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hasher")
    }
}

impl Hasher {
    /// Nothing hashed yet.
    pub fn new(suite: Suite) -> Self {
        Self(match suite {
            Suite::Sha256Ed25519 => Inner::Sha256(Sha256::new()),
            Suite::Sm3Sm2 => Inner::Sm3(Sm3::new()),
        })
    }

    /// Goes on with `bytes`.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            Inner::Sha256(hash) => hash.update(bytes),
            Inner::Sm3(hash) => hash.update(bytes),
        }
    }

    /// The hash of everything so far.
    pub fn finish(self) -> Hash {
        let mut bytes = [0; 32];
        match self.0 {
            Inner::Sha256(hash) => bytes.copy_from_slice(&hash.finalize()),
            Inner::Sm3(hash) => bytes.copy_from_slice(&hash.finalize()),
        }
        bytes
    }
}

#[cfg(test)]
mod tests;
