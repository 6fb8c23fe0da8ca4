//! Reading proofs: heads of others, cosignatures on ours, segments, what lies beside a record.

use catalog_model::ids::DomainId;
use catalog_proofs::archive::Segment;

use super::{View, decode};
use crate::{
    keys::{self, Key, Table},
    ledger::Payload,
    rows::proof::{CosignatureRow, HeldHead, PayloadGone},
};

impl View<'_> {
    /// The newest head of a domain that extends all that were held before.
    pub fn held_head(&self, domain: &DomainId) -> Option<HeldHead> {
        self.get(&keys::held_head(domain))
    }

    /// The held heads of all domains, in the order of their names: what is to be cosigned.
    pub fn held_heads(&self) -> Vec<HeldHead> {
        let is_held = |key: &[u8]| key.ends_with(&[0, 0]);
        self.rows_of(Table::HeldHead, is_held)
    }

    /// Heads of a domain that did not extend the one held: evidence of a rewritten past.
    pub fn forked_heads(&self, domain: &DomainId) -> Vec<HeldHead> {
        let prefix = Key::table(Table::HeldHead).domain(domain).byte(1);
        let rows = self.0.range(prefix.as_slice(), &prefix.end());
        rows.map(|(_, bytes)| decode(&bytes)).collect()
    }

    /// Heads of a domain that its forced failovers left behind, oldest first: what was lost, not
    /// rewritten.
    pub fn left_heads(&self, domain: &DomainId) -> Vec<HeldHead> {
        let prefix = Key::table(Table::HeldHead).domain(domain).byte(2);
        let rows = self.0.range(prefix.as_slice(), &prefix.end());
        rows.map(|(_, bytes)| decode(&bytes)).collect()
    }

    /// The newest cosignature of a domain on a head of ours.
    pub fn cosignature(&self, cosigner: &DomainId) -> Option<CosignatureRow> {
        self.get(&keys::cosignature(cosigner))
    }

    /// The newest cosignature of each domain.
    pub fn cosignatures(&self) -> Vec<CosignatureRow> {
        self.rows_of(Table::Cosignature, |_| true)
    }

    /// A sealed segment.
    pub fn segment(&self, number: u64) -> Option<Segment> {
        self.get(&keys::segment(number))
    }

    /// The newest sealed segment.
    pub fn last_segment(&self) -> Option<Segment> {
        let table = Key::table(Table::Segment);
        let (_, bytes) = self.0.range_reversed(table.as_slice(), &table.end()).next()?;
        Some(decode(&bytes))
    }

    /// At most `limit` sealed segments from number `from` on.
    pub fn segments(&self, from: u64, limit: usize) -> Vec<Segment> {
        let end = Key::table(Table::Segment).end();
        let rows = self.0.range(keys::segment(from).as_slice(), &end).take(limit);
        rows.map(|(_, bytes)| decode(&bytes)).collect()
    }

    /// Text and persons beside a record, while they are there.
    pub fn payload(&self, sequence: u64) -> Option<Payload> {
        self.get(&keys::ledger_payload(sequence))
    }

    /// By which record the payload of `sequence` went, if it was erased or purged.
    pub fn payload_gone(&self, sequence: u64) -> Option<PayloadGone> {
        self.get(&keys::payload_erased(sequence))
            .or_else(|| self.payloads_purged().filter(|purged| sequence < purged.through))
    }

    /// How far payloads were purged.
    pub fn payloads_purged(&self) -> Option<PayloadGone> {
        self.get(&keys::payloads_purged())
    }

    fn rows_of<T: for<'b> minicbor::Decode<'b, ()>>(
        &self,
        table: Table,
        keep: impl Fn(&[u8]) -> bool,
    ) -> Vec<T> {
        let prefix = Key::table(table);
        let rows = self.0.range(prefix.as_slice(), &prefix.end());
        rows.filter(|(key, _)| keep(key)).map(|(_, bytes)| decode(&bytes)).collect()
    }
}
