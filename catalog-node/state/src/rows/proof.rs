//! Rows about proofs: what is held of other domains' heads, what of the payloads is gone.

use catalog_model::time::UtcMillis;
use catalog_proofs::head::{Cosignature, SignedHead};
use minicbor::{Decode, Encode};

/// A head of another domain, held or refused.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HeldHead {
    /// The head with its signature: the evidence.
    #[n(0)]
    pub head: SignedHead,
    /// Committed time at which it came.
    #[n(1)]
    pub received_time: UtcMillis,
    /// Our record of it.
    #[n(2)]
    pub record: u64,
}

/// The newest cosignature of a domain on a head of ours.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct CosignatureRow {
    /// The cosignature.
    #[n(0)]
    pub cosignature: Cosignature,
    /// Committed time at which it came.
    #[n(1)]
    pub received_time: UtcMillis,
    /// Our record of it.
    #[n(2)]
    pub record: u64,
}

/// Payloads that are gone.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PayloadGone {
    /// The record after the last one of which the payload is gone.
    #[n(0)]
    pub through: u64,
    /// The record that says so.
    #[n(1)]
    pub record: u64,
    /// Committed time.
    #[n(2)]
    pub time: UtcMillis,
}
