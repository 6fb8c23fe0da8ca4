//! Document digests: which document is meant that the platform does not keep?

use minicbor::{Decode, Encode};

/// SHA-256 of a document that is kept elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct DocumentDigest(
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub [u8; 32],
);

impl DocumentDigest {
    /// Whether there is no document behind it: nobody finds a text with this digest.
    pub fn is_missing(self) -> bool {
        self.0 == [0; 32]
    }
}
