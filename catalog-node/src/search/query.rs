//! Queries: which entries have all terms, and which of them first?
//!
//! The rarest term is read in full; the others only narrow what it found. Ranking is BM25 over
//! weighted occurrences. Scores are floats made while reading and decide nothing but an order.

use std::collections::BTreeMap;

use catalog_state::codec;

use super::{
    index::{MARKER, Marker, Posting, SUMS, Sums, frequency_key, posting, posting_parts, postings},
    tokenize::{Term, words},
};
use crate::storage::StateView;

const K1: f64 = 1.2;
const B: f64 = 0.75;

/// What the beginning of a word counts, where the word itself would count 1.
const PREFIX: f64 = 0.5;

/// From this many on, matches are not counted exactly.
pub(crate) const TOTAL_MAX: usize = 10_000;

/// Looking up one posting costs about as much as reading this many in order.
const LOOK_UP_COST: usize = 8;

/// What is asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Question {
    /// In the words of the caller.
    pub(crate) query: String,
    /// Entries of this domain only: the beginning of their keys.
    pub(crate) domain: Option<Vec<u8>>,
    /// Only with this sharing attribute; 0 = any.
    pub(crate) sharing: u8,
    /// Only of this kind; 0 = any.
    pub(crate) kind: u8,
    /// How many at most.
    pub(crate) limit: usize,
    /// Only what ranks after this.
    pub(crate) after: Option<Cursor>,
}

/// A place in a ranking.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cursor {
    pub(crate) score: f64,
    /// Of the entry: domain and id.
    pub(crate) key: Vec<u8>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Found {
    /// The best first.
    pub(crate) hits: Vec<Cursor>,
    /// Whether more rank after them.
    pub(crate) more: bool,
    /// How many match in all, exact up to [`TOTAL_MAX`].
    pub(crate) total: u32,
    /// The entry of the log up to which the index is complete.
    pub(crate) as_of: u64,
}

impl Cursor {
    /// Better first; entries of equal score in the order of their keys.
    fn order(&self, other: &Self) -> std::cmp::Ordering {
        other.score.total_cmp(&self.score).then_with(|| self.key.cmp(&other.key))
    }
}

/// Answers `question` as of `state`. A query without terms finds nothing.
pub(crate) fn search(state: &StateView<'_>, question: &Question) -> Found {
    let marker: Option<Marker> = row(state, &MARKER);
    let as_of = marker.map_or(0, |marker| marker.applied);
    let sums: Sums = row(state, &SUMS).unwrap_or_default();
    let mut wanted: Vec<(usize, Term)> =
        words(&question.query).into_iter().map(|term| (frequency(state, &term), term)).collect();
    wanted.sort();

    let mut scores: Option<BTreeMap<Vec<u8>, f64>> = None;
    for (frequency, term) in &wanted {
        let ranking = Ranking::new(sums, *frequency);
        let narrowed = match (scores, term) {
            (None, term) => read(state, term, question, &ranking, None),
            (Some(found), Term::Exact(term)) if found.len() * LOOK_UP_COST < *frequency => {
                look_up(state, term, found, &ranking)
            }
            (Some(found), term) => read(state, term, question, &ranking, Some(found)),
        };
        let nothing = narrowed.is_empty();
        scores = Some(narrowed);
        if nothing {
            break;
        }
    }

    let mut hits: Vec<Cursor> =
        scores.unwrap_or_default().into_iter().map(|(key, score)| Cursor { score, key }).collect();
    let total = u32::try_from(hits.len().min(TOTAL_MAX)).unwrap_or(u32::MAX);
    if let Some(after) = &question.after {
        hits.retain(|hit| after.order(hit).is_lt());
    }
    let more = hits.len() > question.limit;
    if more {
        hits.select_nth_unstable_by(question.limit, Cursor::order);
        hits.truncate(question.limit);
    }
    hits.sort_unstable_by(Cursor::order);
    Found { hits, more, total, as_of }
}

/// How much a posting adds to a score.
struct Ranking {
    rarity: f64,
    average_length: f64,
}

impl Ranking {
    fn new(sums: Sums, frequency: usize) -> Self {
        let (documents, frequency) = (sums.documents as f64, frequency as f64);
        let rarity = ((documents - frequency + 0.5).max(0.5) / (frequency + 0.5)).ln_1p();
        Self { rarity, average_length: sums.length as f64 / documents.max(1.0) }
    }

    fn score(&self, posting: Posting) -> f64 {
        let weight = f64::from(posting.weight);
        let length = f64::from(posting.length) / self.average_length.max(1.0);
        self.rarity * weight * (K1 + 1.0) / (weight + K1 * (1.0 - B + B * length))
    }
}

/// Reads all postings of `term`, of entries in `found` if given, and adds up the scores.
fn read(
    state: &StateView<'_>,
    term: &Term,
    question: &Question,
    ranking: &Ranking,
    found: Option<BTreeMap<Vec<u8>, f64>>,
) -> BTreeMap<Vec<u8>, f64> {
    let (text, prefix) = match term {
        Term::Exact(text) => (text, false),
        Term::Prefix(text) => (text, true),
    };
    let (from, end) = postings(text, prefix);
    let mut scores: BTreeMap<Vec<u8>, f64> = BTreeMap::new();
    for (key, value) in state.search_range(&from, &end) {
        let (whole, entry) = posting_parts(&key);
        let posting = Posting::decode(&value);
        let wanted = (question.sharing == 0 || posting.sharing == question.sharing)
            && (question.kind == 0 || posting.kind == question.kind)
            && question.domain.as_ref().is_none_or(|domain| entry.starts_with(domain));
        if !wanted {
            continue;
        }
        let before = match &found {
            None => 0.0,
            Some(found) => match found.get(entry) {
                None => continue,
                Some(score) => *score,
            },
        };
        let share = if whole.len() == text.len() { 1.0 } else { PREFIX };
        let added = share * ranking.score(posting);
        match scores.get_mut(entry) {
            Some(score) => *score = score.max(before + added),
            None => {
                scores.insert(entry.to_vec(), before + added);
            }
        }
    }
    scores
}

/// Looks up `term` for each entry of `found`, and keeps those that have it.
fn look_up(
    state: &StateView<'_>,
    term: &str,
    mut found: BTreeMap<Vec<u8>, f64>,
    ranking: &Ranking,
) -> BTreeMap<Vec<u8>, f64> {
    found.retain(|entry, score| match state.search_row(&posting(term, entry)) {
        None => false,
        Some(value) => {
            *score += ranking.score(Posting::decode(&value));
            true
        }
    });
    found
}

/// How many documents have the term; of a prefix, how many its terms have together.
fn frequency(state: &StateView<'_>, term: &Term) -> usize {
    let frequency: u64 = match term {
        Term::Exact(text) => row(state, &frequency_key(text)).unwrap_or_default(),
        Term::Prefix(text) => {
            let from = frequency_key(text);
            let end = [from.as_slice(), &[u8::MAX]].concat();
            let counts = state.search_range(&from, &end);
            counts.map(|(_, value)| decode::<u64>(&value)).fold(0, u64::saturating_add)
        }
    };
    usize::try_from(frequency).unwrap_or(usize::MAX)
}

fn row<T: for<'b> minicbor::Decode<'b, ()>>(state: &StateView<'_>, key: &[u8]) -> Option<T> {
    state.search_row(key).map(|bytes| decode(&bytes))
}

fn decode<T: for<'b> minicbor::Decode<'b, ()>>(bytes: &[u8]) -> T {
    codec::decode(bytes).expect("index rows are written by this code alone")
}

#[cfg(test)]
mod tests;
