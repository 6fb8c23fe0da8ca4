//! Paper decisions: what must be on record of a decision that was made outside the platform?
use crate::time::LocalDate;
use minicbor::{Decode, Encode};
/// A decision of a government, an authority or a head made on paper (SHR-29). Who entered it is on the ledger record; never the decider.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PaperDecision {
    /// 文号
    #[n(0)]
    pub document_number: String,
    /// SHA-256 of the scanned document.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub digest: [u8; 32],
    /// Its date.
    #[n(2)]
    pub date: LocalDate,
    /// 发文机关
    #[n(3)]
    pub issuing_body: String,
    /// For whom it was entered.
    #[n(4)]
    pub recorded_for: String,
}
