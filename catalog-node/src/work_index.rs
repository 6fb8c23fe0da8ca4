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

use catalog_model::{name::ResourceName, time::UtcMillis};
use catalog_state::{
    codec, keys,
    store::{Overlay, Store, Writes},
    view::View,
    work::{self, Band, WorkItem, WorkOwner},
};
use minicbor::{Decode, Encode, bytes::ByteVec};

use crate::storage::{StateStore, StateView};

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
    before: &dyn Store,
    writes: &Writes,
    applied: u64,
) -> Writes {
    let after = Overlay::new(before, writes);
    let mut rows = Writes::new();
    for subject in work::subjects_of(View(&after), writes) {
        // The state knows at once that a subject is new, by its filters; the index has none.
        let known = keys::of(&subject).is_none_or(|key| before.get(key.as_slice()).is_some());
        let old = if known { places(store, &subject) } else { Vec::new() };
        put(View(&after), &subject, &old, &mut rows);
    }
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
                    put(View(store), &subject, &[], &mut changes);
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

fn places(store: &StateStore, subject: &ResourceName) -> Vec<ByteVec> {
    let row = store.search_row(&places_key(subject));
    row.map_or_else(Vec::new, |bytes| {
        codec::decode(&bytes).expect("index rows are written by this code alone")
    })
}

/// Puts the work that follows from `subject` where it belongs, `old` being where it was.
fn put(view: View<'_>, subject: &ResourceName, old: &[ByteVec], rows: &mut Writes) {
    let items = work::items_of(view, subject);
    let mut new: Vec<ByteVec> = items.iter().map(|item| item.place().into()).collect();
    new.sort_by(|a, b| a.as_slice().cmp(b.as_slice()));
    new.dedup();
    if new == old {
        return;
    }
    for place in old {
        rows.insert([&[PLACE], place.as_slice()].concat(), None);
    }
    for place in &new {
        rows.insert([&[PLACE], place.as_slice()].concat(), Some(Vec::new()));
    }
    rows.insert(places_key(subject), (!new.is_empty()).then(|| codec::encode(&new)));
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
