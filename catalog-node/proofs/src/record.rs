//! Record: what do the proven bytes say they are about?
//!
//! Only the beginning of a record is read, which every version of it shares: `[format]`, then a
//! CBOR array that starts with domain, generation, sequence, time and subject. Without this a
//! genuine receipt could be passed off as that of another case, or a genuine record put in another
//! place of an archive.

use catalog_model::{ids::DomainId, name::ResourceName, time::UtcMillis};
use minicbor::Decoder;

/// The format byte of CBOR records.
pub const FORMAT_CBOR: u8 = 1;

/// The beginning of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beginning {
    /// Whose ledger.
    pub domain: DomainId,
    /// The generation that wrote it.
    pub generation: u64,
    /// Its place in the ledger, from 0.
    pub sequence: u64,
    /// Committed time.
    pub time: UtcMillis,
    /// What it is about.
    pub subject: ResourceName,
}

/// Reads the beginning of `record`; `None` if it is not the beginning of a record.
pub fn beginning(record: &[u8]) -> Option<Beginning> {
    let (&FORMAT_CBOR, rest) = record.split_first()? else {
        return None;
    };
    let mut decoder = Decoder::new(rest);
    (decoder.array().ok()? >= Some(5)).then_some(())?;
    Some(Beginning {
        domain: decoder.decode().ok()?,
        generation: decoder.decode().ok()?,
        sequence: decoder.decode().ok()?,
        time: decoder.decode().ok()?,
        subject: decoder.decode().ok()?,
    })
}
