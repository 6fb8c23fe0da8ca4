//! Commands about proofs: heads of other domains, archives, what lies beside the records.

use catalog_model::site::Pair;
use catalog_proofs::head::{Cosignature, SignedHead};
use minicbor::{Decode, Encode, bytes::ByteArray};

/// A command about proofs (SEC-03, SEC-16, FED-15).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum ProofCommand {
    /// Another domain shows its newest head. Whoever brings it has checked signature and
    /// certificate; that it extends the head held here is decided by apply.
    #[n(0)]
    ReceiveHead {
        /// The head.
        #[n(0)]
        head: SignedHead,
        /// Size at which the proof begins: the smaller of the held head and this one; 0 where none
        /// is held.
        #[n(1)]
        from: u64,
        /// RFC 9162 §2.1.4 between the two, empty where none is held.
        #[n(2)]
        path: Vec<ByteArray<32>>,
    },
    /// Another domain cosigned a head of ours; signature and certificate were checked by whoever
    /// brings it.
    #[n(1)]
    ReceiveCosignature {
        /// The cosignature.
        #[n(0)]
        cosignature: Cosignature,
    },
    /// Seals the records since the last segment and before `through`, to be archived.
    #[n(2)]
    SealSegment {
        /// The record after the last.
        #[n(0)]
        through: u64,
    },
    /// Lawful erasure of text and persons beside one record.
    #[n(3)]
    ErasePayload {
        /// The record.
        #[n(0)]
        sequence: u64,
        /// On which ground; becomes a digest with a payload itself.
        #[n(1)]
        ground: String,
    },
    /// Deletes texts and persons beside the records before `through`, after the end of retention.
    #[n(4)]
    PurgePayloads {
        /// The record after the last.
        #[n(0)]
        through: u64,
    },
    /// Another domain's newest head is of a later generation and leaves the history that is held: a
    /// forced failover lost records that had left the building (FED-15). Level 4.
    #[n(5)]
    ReceiveFork {
        /// The head; its signature was checked by whoever brings it.
        #[n(0)]
        head: SignedHead,
        /// The opening that began with the fork.
        #[n(1)]
        pair: Pair,
        /// Records that both histories share.
        #[n(2)]
        tree_size: u64,
        /// The root over them.
        #[n(3)]
        #[cbor(with = "minicbor::bytes")]
        root: [u8; 32],
        /// RFC 9162 §2.1.4 from there to the head.
        #[n(4)]
        path: Vec<ByteArray<32>>,
    },
}
