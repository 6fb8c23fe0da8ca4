//! The index: which rows does a published entry leave behind, and how do they stay true?
//!
//! | row | key | value |
//! |---|---|---|
//! | marker | `0` | format and the index of the entry up to which the index is complete |
//! | sums | `1` | how many documents, how many occurrences in all |
//! | document | `2` + entry | what it left behind, so that it can be taken back |
//! | posting | `3` + term + `0` + entry | weight, length, sharing, kind |
//! | frequency | `4` + term | how many documents have it |

use std::collections::BTreeMap;

use catalog_model::{
    catalog_entry::{CatalogEntry, EntryContent},
    organization::DataKind,
    sharing::SharingKind,
};
use catalog_state::{
    codec,
    keys::{Key, Table},
    store::{Store, Writes},
};
use minicbor::{Decode, Encode};

use super::tokenize::terms;
use crate::{row_cache::RowCache, storage::StateStore, work_index};

/// Counts up with each change of the rows below; an index of another format is made again.
const FORMAT: u64 = 1;

/// Entries in one part, when the whole index is made again.
const PART: usize = 256;

/// What an occurrence counts in each field.
const TITLE: u32 = 8;
const KEYWORD: u32 = 4;
const ITEM: u32 = 2;
const PROVIDER: u32 = 2;
const TEXT: u32 = 1;

pub(super) const MARKER: [u8; 1] = [0];
pub(super) const SUMS: [u8; 1] = [1];
const DOCUMENT: u8 = 2;
const POSTING: u8 = 3;
const FREQUENCY: u8 = 4;

/// How many documents there are, and how many occurrences in them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
pub(super) struct Sums {
    #[n(0)]
    pub(super) documents: u64,
    #[n(1)]
    pub(super) length: u64,
}

/// Up to where an index is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub(super) struct Marker {
    #[n(0)]
    format: u64,
    #[n(1)]
    pub(super) applied: u64,
}

/// What an entry left in the index.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
struct Document {
    #[n(0)]
    length: u32,
    #[n(1)]
    terms: Vec<String>,
}

/// How a term occurs in an entry, with what queries filter by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Posting {
    pub(super) weight: u32,
    pub(super) length: u32,
    /// As in the API; 0 = none stated.
    pub(super) sharing: u8,
    /// As in the API.
    pub(super) kind: u8,
}

impl Posting {
    fn encode(self) -> Vec<u8> {
        let mut bytes = self.weight.to_be_bytes().to_vec();
        bytes.extend(self.length.to_be_bytes());
        bytes.extend([self.sharing, self.kind]);
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Self {
        let four = |at: usize| {
            u32::from_be_bytes(bytes[at..at + 4].try_into().expect("a posting has ten bytes"))
        };
        Self { weight: four(0), length: four(4), sharing: bytes[8], kind: bytes[9] }
    }
}

/// The number of a sharing attribute in the API.
fn sharing_number(content: &EntryContent) -> u8 {
    match content.sharing.as_ref().map(catalog_model::sharing::SharingAttribute::kind) {
        None => 0,
        Some(SharingKind::Unconditional) => 1,
        Some(SharingKind::Conditional) => 2,
        Some(SharingKind::NotShared) => 3,
    }
}

/// The number of a kind in the API.
fn kind_number(kind: DataKind) -> u8 {
    match kind {
        DataKind::GovernmentData => 1,
        DataKind::PublicServiceData => 2,
    }
}

/// Makes the index of `store` again if it is not the state's.
pub(crate) fn open(store: &StateStore) {
    let applied = store.applied();
    let marker: Option<Marker> =
        store.search_row(&MARKER).and_then(|bytes| codec::decode(&bytes).ok());
    let wanted = Marker { format: FORMAT, applied };
    if marker != Some(wanted) {
        make_again(store, wanted);
    }
}

/// What `writes` to the state, which was `before` without them, change in the index, complete up to
/// entry `applied`.
pub(crate) fn follow(
    store: &StateStore,
    known: &mut KnownCounts,
    before: &dyn Store,
    writes: &Writes,
    applied: u64,
) -> Writes {
    let mut changes = Changes::over(store, Some(known));
    let table = Key::table(Table::PublishedEntry);
    for (key, value) in writes.range(table.as_slice().to_vec()..table.end()) {
        // The state knows at once that an entry is new, by its filters; the index has none.
        if before.get(key).is_some() {
            changes.remove(&key[1..]);
        }
        if let Some(row) = value {
            changes.put(&key[1..], row);
        }
    }
    let mut rows = changes.finish();
    known.0.follow(&rows);
    let marker = Marker { format: FORMAT, applied };
    rows.insert(MARKER.to_vec(), Some(codec::encode(&marker)));
    rows
}

/// Makes the whole index from the state: in parts, so that memory stays bounded, and the marker
/// last, so that a part is never taken for the whole.
fn make_again(store: &StateStore, marker: Marker) {
    store.clear_index(&[], &[work_index::FIRST]);
    let table = Key::table(Table::PublishedEntry);
    let mut rows = store.range(table.as_slice(), &table.end()).peekable();
    let mut documents = 0;
    while rows.peek().is_some() {
        let mut changes = Changes::over(store, None);
        for (key, row) in rows.by_ref().take(PART) {
            changes.put(&key[1..], &row);
            documents += 1;
        }
        store.write_search(changes.finish());
    }
    let marker_row = (MARKER.to_vec(), Some(codec::encode(&marker)));
    store.write_search(Writes::from([marker_row]));
    tracing::info!(documents, applied = marker.applied, "Search index made again");
}

/// How many documents have a term, of the terms that were met lately: an entry counts in a hundred
/// terms, and the more there are, the longer it takes to read each.
#[derive(Debug, Default)]
pub(crate) struct KnownCounts(RowCache);

/// Changes of the index that are not written yet, over what is.
struct Changes<'a> {
    store: &'a StateStore,
    known: Option<&'a KnownCounts>,
    rows: Writes,
    frequencies: BTreeMap<String, i64>,
    documents: i64,
    length: i64,
}

impl<'a> Changes<'a> {
    fn over(store: &'a StateStore, known: Option<&'a KnownCounts>) -> Self {
        let (rows, frequencies) = (Writes::new(), BTreeMap::new());
        Self { store, known, rows, frequencies, documents: 0, length: 0 }
    }

    fn count(&self, key: &[u8]) -> u64 {
        let read = || self.store.search_row(key);
        let row = match self.known {
            Some(known) => known.0.row(key, read),
            None => read(),
        };
        row.map_or(0, |bytes| {
            codec::decode(&bytes).expect("index rows are written by this code alone")
        })
    }

    fn stored<T: for<'b> Decode<'b, ()>>(&self, key: &[u8]) -> Option<T> {
        let bytes = self.store.search_row(key)?;
        Some(codec::decode(&bytes).expect("index rows are written by this code alone"))
    }

    fn remove(&mut self, entry: &[u8]) {
        let key = document_key(entry);
        // A batch names each row once: what it put itself is never taken back in it.
        let Some(document) = self.stored::<Document>(&key) else { return };
        for term in document.terms {
            self.rows.insert(posting_key(&term, entry), None);
            *self.frequencies.entry(term).or_default() -= 1;
        }
        self.documents -= 1;
        self.length -= i64::from(document.length);
        self.rows.insert(key, None);
    }

    fn put(&mut self, entry: &[u8], row: &[u8]) {
        let value: CatalogEntry =
            codec::decode(row).unwrap_or_else(|error| panic!("a row does not decode: {error}"));
        if !value.state.is_listed() {
            return;
        }
        let weights = weights(&value);
        let length = weights.values().sum();
        for (term, weight) in &weights {
            let posting = Posting {
                weight: *weight,
                length,
                sharing: sharing_number(&value.content),
                kind: kind_number(value.kind),
            };
            self.rows.insert(posting_key(term, entry), Some(posting.encode()));
            *self.frequencies.entry(term.clone()).or_default() += 1;
        }
        self.documents += 1;
        self.length += i64::from(length);
        let document = Document { length, terms: weights.into_keys().collect() };
        self.rows.insert(document_key(entry), Some(codec::encode(&document)));
    }

    fn finish(mut self) -> Writes {
        for (term, change) in std::mem::take(&mut self.frequencies) {
            if change == 0 {
                continue;
            }
            let key = frequency_key(&term);
            let frequency = self.count(&key).saturating_add_signed(change);
            self.rows.insert(key, (frequency > 0).then(|| codec::encode(&frequency)));
        }
        if self.documents != 0 || self.length != 0 {
            let sums: Sums = self.stored(&SUMS).unwrap_or_default();
            let sums = Sums {
                documents: sums.documents.saturating_add_signed(self.documents),
                length: sums.length.saturating_add_signed(self.length),
            };
            self.rows.insert(SUMS.to_vec(), Some(codec::encode(&sums)));
        }
        self.rows
    }
}

/// How much each term counts in an entry.
fn weights(entry: &CatalogEntry) -> BTreeMap<String, u32> {
    let content = &entry.content;
    let mut weights = BTreeMap::new();
    let mut add = |text: &str, weight: u32| {
        for (term, count) in terms(text) {
            *weights.entry(term).or_default() += count.min(16) * weight;
        }
    };
    add(&content.title, TITLE);
    add(&content.title_en, TITLE);
    add(&content.abstract_text, TEXT);
    add(&content.abstract_en, TEXT);
    add(&entry.provider_name, PROVIDER);
    for keyword in &content.keywords {
        add(keyword, KEYWORD);
    }
    for item in &content.items {
        add(&item.name, ITEM);
        add(&item.name_en, ITEM);
    }
    weights
}

fn document_key(entry: &[u8]) -> Vec<u8> {
    [&[DOCUMENT], entry].concat()
}

/// Terms hold no zero byte: the order of postings is that of terms, then entries.
fn posting_key(term: &str, entry: &[u8]) -> Vec<u8> {
    [&[POSTING], term.as_bytes(), &[0], entry].concat()
}

/// The keys of the postings of one term, or of all that begin with it: first, and one past the
/// last.
pub(super) fn postings(term: &str, prefix: bool) -> (Vec<u8>, Vec<u8>) {
    let from = [&[POSTING], term.as_bytes()].concat();
    let end = [from.as_slice(), &[if prefix { u8::MAX } else { 1 }]].concat();
    (if prefix { from } else { [from.as_slice(), &[0]].concat() }, end)
}

/// Term and entry in the key of a posting.
pub(super) fn posting_parts(key: &[u8]) -> (&[u8], &[u8]) {
    let rest = &key[1..];
    let end = rest.iter().position(|byte| *byte == 0).expect("a term ends in a zero byte");
    (&rest[..end], &rest[end + 1..])
}

/// The key of one posting.
pub(super) fn posting(term: &str, entry: &[u8]) -> Vec<u8> {
    posting_key(term, entry)
}

pub(super) fn frequency_key(term: &str) -> Vec<u8> {
    [&[FREQUENCY], term.as_bytes()].concat()
}
