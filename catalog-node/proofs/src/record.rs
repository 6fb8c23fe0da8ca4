//! Record: what do the proven bytes say they are about?
//!
//! Only the beginning of a record is read, which every version of it shares: `[format]`, then a
//! CBOR array that starts with domain, generation, sequence, time and subject. Without this a
//! genuine receipt could be passed off as that of another case, or a genuine record put in another
//! place of an archive.

use catalog_model::{drill::Rpo, ids::DomainId, name::ResourceName, time::UtcMillis};
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

/// What a record says that closed a drill, as far as a report can be held against it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrillClosed {
    /// Name of the plan.
    pub plan: String,
    /// Whether everything came out as the plan wants it.
    pub ok: bool,
    /// Verdict on what was lost.
    pub rpo: Rpo,
    /// Acknowledged, lost, done twice, fired wrong, longest pause and recovery in milliseconds.
    pub numbers: [u64; 6],
    /// SHA-256 of the canonical report.
    pub report: [u8; 32],
}

/// The number of the fact that a drill was closed.
const DRILL_CLOSED: u64 = 203;

/// Reads a record that closed a drill; `None` if it is another one. The fact follows the beginning:
/// an array of its number and its fields, which are only ever appended to.
pub fn drill_closed(record: &[u8]) -> Option<DrillClosed> {
    beginning(record)?;
    let (_, rest) = record.split_first()?;
    let mut decoder = Decoder::new(rest);
    decoder.array().ok()?;
    for _ in 0..5 {
        decoder.skip().ok()?;
    }
    (decoder.array().ok()? == Some(2) && decoder.u64().ok()? == DRILL_CLOSED).then_some(())?;
    (decoder.array().ok()? >= Some(10)).then_some(())?;
    let plan = decoder.str().ok()?.to_owned();
    let ok = decoder.bool().ok()?;
    let rpo = decoder.decode().ok()?;
    let mut numbers = [0; 6];
    for number in &mut numbers {
        *number = decoder.u64().ok()?;
    }
    let report = decoder.bytes().ok()?.try_into().ok()?;
    Some(DrillClosed { plan, ok, rpo, numbers, report })
}
