//! Work index: where does a list of work begin, without looking at everything that was ever done?
//!
//! Kept beside the state as the search index is, in the same column family and the same batch, and
//! like it no part of snapshot or state hash: each node has its own, and makes it again where it is
//! not the state's. It holds places only; what an item says is read of the state, so that a list is
//! never older than what it is about.
//!
//! | row | key | value |
//! |---|---|---|
//! | marker | `0x80` | format and the index of the entry up to which the index is complete |
//! | place | `0x81` + [`WorkItem::place`] | nothing |
//! | places | `0x82` + subject | its places, so that they can be taken back |

use std::collections::HashSet;

use catalog_model::{name::ResourceName, time::UtcMillis};
use catalog_state::{
    codec,
    keys::{self, Table},
    store::{Overlay, Store, Writes},
    view::View,
    work::{self, Band, WorkItem, WorkOwner},
};
use foldhash::fast::RandomState;
use minicbor::{Decode, Encode, bytes::ByteVec};

use crate::{
    row_cache::RowCache,
    storage::{StateStore, StateView},
};

/// Counts up with each change of the rows below or of what work follows from a subject; an index of
/// another format is made again.
const FORMAT: u64 = 1;

/// Subjects in one part, when the whole index is made again.
const PART: usize = 256;

/// The first byte of every row of this index, and of none of the search index.
pub(crate) const FIRST: u8 = 0x80;
const MARKER: [u8; 1] = [FIRST];
const PLACE: u8 = 0x81;
const PLACES: u8 = 0x82;

/// Up to where an index is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
struct Marker {
    #[n(0)]
    format: u64,
    #[n(1)]
    applied: u64,
}

/// Makes the index of `store` again if it is not the state's.
pub(crate) fn open(store: &StateStore) {
    let wanted = Marker { format: FORMAT, applied: store.applied() };
    let marker = store.search_row(&MARKER).and_then(|bytes| codec::decode(&bytes).ok());
    if marker != Some(wanted) {
        make_again(store, wanted);
    }
}

/// What `writes` to the state, which was `before` without them, change in the index, complete up to
/// entry `applied`.
pub(crate) fn follow(
    store: &StateStore,
    known: &mut KnownPlaces,
    before: &dyn Store,
    writes: &Writes,
    applied: u64,
) -> Writes {
    let after = Overlay::new(before, writes);
    let mut rows = Writes::new();
    let keys = writes.iter().filter(|(key, row)| !known.owes_as_before(key, row.as_deref()));
    let subjects = work::subjects_of(View(&after), keys.map(|(key, _)| key));
    let subjects: Vec<_> = subjects
        .into_iter()
        .map(|subject| (keys::of(&subject), places_key(&subject), subject))
        .collect();
    // The state knows at once that a subject is new, by its filters; the index has none.
    let is_old = |(row, ..): &&(Option<keys::Key>, Vec<u8>, ResourceName)| {
        row.as_ref().is_none_or(|row| before.get(row.as_slice()).is_some())
    };
    if let [_, _, ..] = &*subjects {
        let old: Vec<&[u8]> =
            subjects.iter().filter(is_old).map(|(_, key, _)| key.as_slice()).collect();
        known.rows.foresee(&old, |unknown| store.search_rows(unknown));
    }
    for subject in subjects {
        let old = known
            .of(&subject.1, || if is_old(&&subject) { store.search_row(&subject.1) } else { None });
        let (row, key, subject) = subject;
        let owes = put(View(&after), &subject, key, &old, &mut rows);
        known.note(row, !owes && work::owes_review_alone(View(&after), &subject));
    }
    known.rows.follow(&rows);
    let marker = Marker { format: FORMAT, applied };
    rows.insert(MARKER.to_vec(), Some(codec::encode(&marker)));
    rows
}

/// Makes the whole index from the state: in parts, so that memory stays bounded, and the marker
/// last, so that a part is never taken for the whole.
fn make_again(store: &StateStore, marker: Marker) {
    store.clear_index(&[FIRST], &[u8::MAX]);
    let mut subjects = 0;
    for table in work::tables() {
        let mut rows = store.range(table.as_slice(), &table.end()).peekable();
        while rows.peek().is_some() {
            let mut changes = Writes::new();
            for (key, _) in rows.by_ref().take(PART) {
                if let Some(subject) = work::subject_of(View(store), &key) {
                    let key = places_key(&subject);
                    put(View(store), &subject, key, &[], &mut changes);
                    subjects += 1;
                }
            }
            store.write_search(changes);
        }
    }
    let marker_row = (MARKER.to_vec(), Some(codec::encode(&marker)));
    store.write_search(Writes::from([marker_row]));
    tracing::info!(subjects, applied = marker.applied, "Work index made again");
}

fn places_key(subject: &ResourceName) -> Vec<u8> {
    [&[PLACES], subject.to_string().as_bytes()].concat()
}

/// Entries of which it is remembered that they owe nothing.
const SETTLED_MAX: usize = 16_384;

/// Where the work is that follows from subjects which changed lately. Mostly it is nowhere: a draft that
/// is compiled owes nobody anything, and to find that out anew costs more than the change.
#[derive(Debug, Default)]
pub(crate) struct KnownPlaces {
    rows: RowCache,
    /// Keys of entries that have no work, and of which none follows but from a row elsewhere, or when they
    /// are handed in.
    settled: HashSet<Vec<u8>, RandomState>,
}

impl KnownPlaces {
    /// The places in the row at `key`, which is what `read` reads if it is not remembered.
    fn of(&self, key: &[u8], read: impl FnOnce() -> Option<Vec<u8>>) -> Vec<ByteVec> {
        let row = self.rows.row(key, read);
        row.map_or_else(Vec::new, |bytes| {
            codec::decode(&bytes).expect("index rows are written by this code alone")
        })
    }

    /// Whether the subject whose own row is `key` has no work, and has none either once that row is `row`.
    fn owes_as_before(&self, key: &[u8], row: Option<&[u8]>) -> bool {
        key.first() == Some(&(Table::Entry as u8))
            && row.is_some_and(|row| self.settled.contains(key) && !work::owes_review(row))
    }

    fn note(&mut self, row: Option<keys::Key>, settled: bool) {
        let Some(row) = row else { return };
        if !settled {
            self.settled.remove(row.as_slice());
            return;
        }
        if self.settled.len() >= SETTLED_MAX {
            self.settled.clear();
        }
        self.settled.insert(row.into_vec());
    }
}

/// Puts the work that follows from `subject` where it belongs, `old` being where it was, as the row at
/// `key` says; whether there is any.
fn put(
    view: View<'_>,
    subject: &ResourceName,
    key: Vec<u8>,
    old: &[ByteVec],
    rows: &mut Writes,
) -> bool {
    let items = work::items_of(view, subject);
    let mut new: Vec<ByteVec> = items.iter().map(|item| item.place().into()).collect();
    new.sort_by(|a, b| a.as_slice().cmp(b.as_slice()));
    new.dedup();
    if new == old {
        return !new.is_empty();
    }
    for place in old {
        rows.insert([&[PLACE], place.as_slice()].concat(), None);
    }
    for place in &new {
        rows.insert([&[PLACE], place.as_slice()].concat(), Some(Vec::new()));
    }
    rows.insert(key, (!new.is_empty()).then(|| codec::encode(&new)));
    !new.is_empty()
}

/// What is asked of the index.
#[derive(Debug)]
pub(crate) struct Question<'a> {
    /// As whom somebody has work.
    pub(crate) owners: &'a [WorkOwner],
    /// Only what is due before this instant, and what has no day; absent = everything.
    pub(crate) until: Option<UtcMillis>,
    /// Where the page begins.
    pub(crate) from: Option<&'a [u8]>,
    /// How many at most.
    pub(crate) limit: usize,
    /// How many are looked at.
    pub(crate) scan: usize,
}

/// A page of work, and where the next one begins.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) items: Vec<WorkItem>,
    pub(crate) next: Option<Vec<u8>>,
}

/// The work of several owners in one order. `keep` leaves out what is not wanted.
pub(crate) fn list(
    state: &StateView<'_>,
    question: &Question<'_>,
    keep: impl Fn(&WorkItem) -> bool,
) -> Found {
    let mut items: Vec<WorkItem> = Vec::new();
    let mut looked_at = 0;
    for band in Band::ALL {
        // A place without its owner begins with the band: places of several owners compare by it.
        if question.from.is_some_and(|from| from.first().is_some_and(|at| *at > band as u8)) {
            continue;
        }
        let mut sources: Vec<_> = question
            .owners
            .iter()
            .map(|owner| {
                let source = places_of(state, owner, band, question);
                (owner, source.peekable())
            })
            .collect();
        loop {
            let first = sources
                .iter_mut()
                .enumerate()
                .filter_map(|(at, (_, source))| source.peek().map(|place| (place.clone(), at)))
                .min();
            let Some((place, at)) = first else { break };
            if items.len() == question.limit || looked_at == question.scan {
                return Found { items, next: Some(place) };
            }
            looked_at += 1;
            let (owner, source) = &mut sources[at];
            source.next();
            let item = item_at(View(state), owner, &place);
            // Whoever has work in two capacities has it once.
            let twice = |item: &WorkItem| {
                items
                    .iter()
                    .rev()
                    .take_while(|other| other.due == item.due)
                    .any(|other| other.kind == item.kind && other.subject == item.subject)
            };
            items.extend(item.filter(|item| !twice(item) && keep(item)));
        }
    }
    Found { items, next: None }
}

/// The places of one owner in one band, without the owner, in order.
fn places_of<'a, 'v>(
    state: &'a StateView<'v>,
    owner: &WorkOwner,
    band: Band,
    question: &Question<'_>,
) -> impl Iterator<Item = Vec<u8>> + use<'a, 'v> {
    let prefix = work::owner_prefix(owner, band);
    let dated = band != Band::Undated;
    let end = match question.until.filter(|_| dated) {
        Some(until) => work::owner_until(owner, band, until).into_vec(),
        None => prefix.end(),
    };
    let named = prefix.as_slice().len() - 1;
    let resumed = question
        .from
        .filter(|from| from.first() == Some(&(band as u8)))
        .map(|from| [&prefix.as_slice()[..named], from].concat());
    let from = resumed.unwrap_or_else(|| prefix.as_slice().to_vec());
    let bound = |place: &[u8]| [&[PLACE], place].concat();
    let rows = state.search_range(&bound(&from), &bound(&end));
    rows.map(move |(key, _)| key[1 + named..].to_vec())
}

/// The item at a place, as the state has it.
fn item_at(view: View<'_>, owner: &WorkOwner, place: &[u8]) -> Option<WorkItem> {
    let (kind, subject) = work::read_place(place)?;
    let items = work::items_of(view, &subject);
    items.into_iter().find(|item| item.kind == kind && item.owner == *owner)
}

#[cfg(test)]
mod tests;
