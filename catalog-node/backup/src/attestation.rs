//! Attestations: what does another node hold at an entry?

use minicbor::{Decode, Encode};

/// What a node that did not make the backup says of its own state.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Attestation {
    /// Whose state.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub cluster_id: [u8; 16],
    /// Its generation.
    #[n(1)]
    pub generation: u64,
    /// The last entry in that state.
    #[n(2)]
    pub index: u64,
    /// The node that says so.
    #[n(3)]
    pub node: u64,
    /// The node that asked, and kept the answer.
    #[n(4)]
    pub asked_by: u64,
    /// Content digest over the rows that the node read.
    #[n(5)]
    #[cbor(with = "minicbor::bytes")]
    pub content: [u8; 32],
    /// How many rows these were.
    #[n(6)]
    pub rows: u64,
    /// When it came, by the asking node's clock, in milliseconds since 1970.
    #[n(7)]
    pub at_ms: u64,
}
