//! The change feed of a domain's catalog: every change numbered and chained, in two scopes.
//!
//! *Full* (upward) holds every entry from its first publication; *shared* (downward) the published
//! unconditional and conditional ones and, of those not shared, name, owner and basis. Drafts are
//! in neither; leaving *shared* is a tombstone there. Revisions are dense. A record's hash is
//! `SHA-256(previous hash ‖ stored bytes)`, so that a follower sees a gap or a change at once.

use catalog_model::{
    catalog_entry::{CatalogEntry, EntryContent},
    ids::EntryId,
    reason::Reason,
    refusal::Refusal,
    sharing::SharingAttribute,
};
use catalog_mutation::{Mutation, active};
use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};

use crate::{codec, event::Event, keys, rows::ChainHead, tx::Tx};

/// Which changes a follower gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum FeedScope {
    /// Upward: everything listed.
    #[n(1)]
    Full = 1,
    /// Downward: what is shared.
    #[n(2)]
    Shared = 2,
}

/// Where a follower stands in a feed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct FeedToken {
    /// Whose cluster.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub cluster_id: [u8; 16],
    /// Its generation.
    #[n(1)]
    pub generation: u64,
    /// Which feed.
    #[n(2)]
    pub scope: FeedScope,
    /// The newest revision that the follower has applied.
    #[n(3)]
    pub revision: u64,
    /// Its hash.
    #[n(4)]
    #[cbor(with = "minicbor::bytes")]
    pub hash: [u8; 32],
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct FeedRecord {
    /// Dense, from 1.
    #[n(0)]
    pub revision: u64,
    /// The entry.
    #[n(1)]
    pub entry: EntryId,
    /// What it is now; absent = it left the scope.
    #[n(2)]
    pub now: Option<CatalogEntry>,
}

/// The hash of the link after `previous` over a record's stored bytes.
pub fn link(previous: &[u8; 32], record: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(previous);
    hash.update(record);
    hash.finalize().into()
}

/// Tells both feeds what became of an entry: `Some` at its published version, `None` once it is
/// out of the catalog.
pub(crate) fn entry_changed(tx: &mut Tx<'_>, id: EntryId, now: Option<&CatalogEntry>) {
    append(tx, FeedScope::Full, id, now.cloned());
    append(tx, FeedScope::Shared, id, now.map(as_shared));
}

fn append(tx: &mut Tx<'_>, scope: FeedScope, id: EntryId, now: Option<CatalogEntry>) {
    let place = keys::feed_entry(scope, id);
    let tombstone = now.is_none();
    if tombstone && (!tx.has(&place) || active(Mutation::FeedTombstoneLost)) {
        return;
    }
    let head = head_of(tx.counters(), scope).clone();
    let mut revision = head.revision + 1;
    if active(Mutation::FeedGap) && revision.is_multiple_of(4) {
        revision += 1;
    }
    let record = FeedRecord { revision, entry: id, now };
    let bytes = tx.put_returning(&keys::feed(scope, record.revision), &record);
    if record.now.is_some() {
        tx.put(&place, &record.revision);
    } else {
        tx.delete(&place);
    }
    let next = ChainHead { revision: record.revision, hash: link(&head.hash, &bytes) };
    match scope {
        FeedScope::Full => tx.counters_mut().feed_full = next,
        FeedScope::Shared => tx.counters_mut().feed_shared = next,
    }
    tx.emit(Event::FeedGrew);
}

/// The newest link of a feed.
pub fn head_of(counters: &crate::rows::Counters, scope: FeedScope) -> &ChainHead {
    match scope {
        FeedScope::Full => &counters.feed_full,
        FeedScope::Shared => &counters.feed_shared,
    }
}

/// What subordinate domains see of an entry: all of it where it is shared; name, owner and basis
/// where it is not.
fn as_shared(entry: &CatalogEntry) -> CatalogEntry {
    match &entry.content.sharing {
        Some(SharingAttribute::NotShared { .. }) => CatalogEntry {
            content: EntryContent {
                title: entry.content.title.clone(),
                title_en: entry.content.title_en.clone(),
                sharing: entry.content.sharing.clone(),
                abstract_text: String::new(),
                abstract_en: String::new(),
                classification: String::new(),
                resource_code: String::new(),
                formats: Vec::new(),
                items: Vec::new(),
                update_cycle: None,
                sharing_method: None,
                conditions_of_use: String::new(),
                open_type: None,
                grade: None,
                assessments: Vec::new(),
                links: Vec::new(),
                duty_basis: String::new(),
                related_codes: Vec::new(),
                keywords: Vec::new(),
                region_code: String::new(),
                issued_date: None,
                synthetic: entry.content.synthetic,
                particulars: None,
            },
            ..entry.clone()
        },
        _ => entry.clone(),
    }
}

/// Checks that `records` continue the chain from `after` and returns them decoded, with the hash
/// at which they end.
pub fn verify(
    after: Option<&FeedToken>,
    records: &[minicbor::bytes::ByteVec],
) -> Result<(Vec<FeedRecord>, u64, [u8; 32]), Refusal> {
    let (mut revision, mut hash) = after.map_or((0, [0; 32]), |token| (token.revision, token.hash));
    let mut decoded = Vec::with_capacity(records.len());
    for bytes in records {
        let broken = || Refusal::new(Reason::FeedChainBroken).fact("revision", revision + 1);
        let record: FeedRecord = codec::decode(bytes).map_err(|_| broken())?;
        if record.revision != revision + 1 {
            return Err(broken());
        }
        hash = link(&hash, bytes);
        revision = record.revision;
        decoded.push(record);
    }
    Ok((decoded, revision, hash))
}
