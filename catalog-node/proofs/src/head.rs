//! Head: what exactly does a domain sign of its ledger, and another domain with it?
//!
//! A head is a promise: these are the first `tree_size` records, and whatever comes later extends
//! them. A *cosignature* is another domain's word that it holds this head and will accept only what
//! extends it, so that a domain with all its own keys and nodes cannot rewrite its past unnoticed
//! (FED-15). Both are signed over plain text, so that whoever checks one needs no decoder.

use catalog_model::{ids::DomainId, time::UtcMillis};
use minicbor::{Decode, Encode};

use crate::{Hash, hex, suite::Suite};

/// A root of a ledger, as it is signed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Head {
    /// Whose ledger.
    #[n(0)]
    pub domain: DomainId,
    /// Which cluster keeps it.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub cluster_id: [u8; 16],
    /// The cluster's generation.
    #[n(2)]
    pub generation: u64,
    /// How many records the tree has.
    #[n(3)]
    pub tree_size: u64,
    /// Its root.
    #[n(4)]
    #[cbor(with = "minicbor::bytes")]
    pub root_hash: Hash,
    /// Committed time of the cluster when it was signed.
    #[n(5)]
    pub time: UtcMillis,
    /// With which hash the tree is made, and with which signature the head is signed.
    #[n(6)]
    pub suite: Suite,
}

impl Head {
    /// The bytes that its signature covers.
    pub fn signed_bytes(&self) -> Vec<u8> {
        signed_bytes(
            self.domain.as_str(),
            &hex(&self.cluster_id),
            self.generation,
            self.tree_size,
            &self.root_hash,
            self.time.0,
            self.suite,
        )
    }

    /// Whether both are promises about the same history.
    pub fn same_ledger(&self, other: &Self) -> bool {
        (&self.domain, self.cluster_id, self.suite)
            == (&other.domain, other.cluster_id, other.suite)
    }
}

/// A head with its signature.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct SignedHead {
    /// What is signed.
    #[n(0)]
    pub head: Head,
    /// Over [`Head::signed_bytes`].
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub signature: Vec<u8>,
    /// DER certificate of the node's key for heads.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub certificate: Vec<u8>,
}

/// Another domain's signature on a head.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Cosignature {
    /// Who cosigns.
    #[n(0)]
    pub cosigner: DomainId,
    /// The cosigner's cluster: its certificate names it.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub cosigner_cluster: [u8; 16],
    /// The cosigner's committed time when it took the head.
    #[n(2)]
    pub time: UtcMillis,
    /// The head.
    #[n(3)]
    pub head: Head,
    /// With which signature the cosigner signs: its own cluster's, not the head's.
    #[n(4)]
    pub suite: Suite,
    /// Over [`Cosignature::signed_bytes`].
    #[n(5)]
    #[cbor(with = "minicbor::bytes")]
    pub signature: Vec<u8>,
    /// DER certificate of the cosigner's key for heads.
    #[n(6)]
    #[cbor(with = "minicbor::bytes")]
    pub certificate: Vec<u8>,
}

impl Cosignature {
    /// The bytes that its signature covers.
    pub fn signed_bytes(&self) -> Vec<u8> {
        let Self { cosigner, cosigner_cluster, time, head, .. } = self;
        let mut bytes =
            format!("luqiao-cosignature-v1\n{cosigner}\n{}\n{}\n", hex(cosigner_cluster), time.0)
                .into_bytes();
        bytes.extend(head.signed_bytes());
        bytes
    }
}

/// The canonical bytes of a head; see `docs/receipts.md`.
#[allow(clippy::too_many_arguments, reason = "the lines of the text, in their order")]
pub fn signed_bytes(
    domain: &str,
    cluster_id: &str,
    generation: u64,
    tree_size: u64,
    root_hash: &Hash,
    time_ms: u64,
    suite: Suite,
) -> Vec<u8> {
    let (root, hash) = (hex(root_hash), suite.hash_name());
    format!(
        "luqiao-tree-head-v1\n{domain}\n{cluster_id}\n{generation}\n{tree_size}\n{root}\n{time_ms}\n{hash}\n"
    )
    .into_bytes()
}

/// The URI in the certificate of a key for heads: it names the node and the cluster, and is none
/// of the names with which anybody could make a call.
pub fn certificate_uri(domain: &str, node: &str, cluster_id: &str) -> String {
    format!("spiffe://{domain}.luqiao/node/{node}/head/{cluster_id}")
}

#[cfg(test)]
mod tests;
