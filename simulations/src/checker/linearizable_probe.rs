//! Linearizable probes: is there one order of all operations on a key that explains what every client
//! saw, and in which no operation comes before one that had ended when it began?
//!
//! Keys are independent, so each is searched on its own (Wing and Gong, with a memory of states that
//! led nowhere). An operation without an answer may have happened or not; the committed log tells
//! which, but not when: that is for the search.

use std::collections::{BTreeMap, BTreeSet};

/// What an operation did, or tried to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Did {
    /// Read this value.
    Read(Option<Vec<u8>>),
    /// Wrote a value, unlike any other's.
    Put(Vec<u8>),
    /// Wrote a value where another was.
    CompareAndSet {
        /// What had to be there.
        expected: Option<Vec<u8>>,
        /// What was written; unlike any other's.
        value: Vec<u8>,
        /// Whether it was; unknown while unanswered.
        done: Option<bool>,
    },
}

#[derive(Clone, Debug)]
struct Operation {
    client: u64,
    key: Vec<u8>,
    did: Did,
    began: u64,
    ended: Option<u64>,
}

/// Every operation of every client.
#[derive(Debug, Default)]
pub struct History {
    operations: Vec<Operation>,
}

impl History {
    /// An operation begins at `moment`; a number by which to end it.
    pub fn begin(&mut self, client: u64, key: Vec<u8>, did: Did, moment: u64) -> usize {
        self.operations.push(Operation { client, key, did, began: moment, ended: None });
        self.operations.len() - 1
    }

    /// A read ended.
    pub fn finish_read(&mut self, operation: usize, value: Option<Vec<u8>>, moment: u64) {
        let operation = &mut self.operations[operation];
        operation.did = Did::Read(value);
        operation.ended = Some(moment);
    }

    /// A write ended; `done` says whether a compare-and-set wrote.
    pub fn finish_write(&mut self, operation: usize, done: bool, moment: u64) {
        let operation = &mut self.operations[operation];
        if let Did::CompareAndSet { done: known, .. } = &mut operation.did {
            *known = Some(done);
        }
        operation.ended = Some(moment);
    }

    /// How many operations ended.
    pub fn finished(&self) -> u64 {
        self.operations.iter().filter(|operation| operation.ended.is_some()).count() as u64
    }

    /// The keys whose histories have no explanation. `place` says where in the committed log a written
    /// value is, if it is there.
    pub fn check(&self, place: impl Fn(&[u8]) -> Option<u64>) -> Vec<String> {
        let mut keys: BTreeMap<&[u8], Vec<(&Operation, Option<u64>)>> = BTreeMap::new();
        for operation in &self.operations {
            let place = operation.did.written().and_then(&place);
            let counts = operation.ended.is_some() || place.is_some();
            if counts {
                keys.entry(&operation.key).or_default().push((operation, place));
            }
        }
        keys.iter()
            .filter_map(|(key, operations)| {
                let unexplained = explain(operations).err()?;
                let searched: Vec<&Operation> =
                    operations.iter().map(|(operation, _)| *operation).collect();
                (!is_linearizable(&searched)).then(|| {
                    let clients: BTreeSet<u64> =
                        searched.iter().map(|operation| operation.client).collect();
                    format!(
                        "no order explains the {} operations of {} clients on {}; that of the log \
                         fails at {unexplained}",
                        operations.len(),
                        clients.len(),
                        String::from_utf8_lossy(key)
                    )
                })
            })
            .collect()
    }
}

impl Did {
    fn written(&self) -> Option<&[u8]> {
        match self {
            Self::Read(_) => None,
            Self::Put(value) | Self::CompareAndSet { value, .. } => Some(value),
        }
    }
}

/// Whether the order of the committed log, with each read right behind what it read, is an order that
/// explains everything. It nearly always is, and is found without a search. The error is the first
/// operation that does not fit.
fn explain(operations: &[(&Operation, Option<u64>)]) -> Result<(), String> {
    let mut writes: Vec<(u64, &Operation)> = Vec::new();
    let mut written: BTreeMap<&[u8], Vec<&Operation>> = BTreeMap::new();
    let mut unwritten: Vec<&Operation> = Vec::new();
    for (operation, place) in operations {
        match (&operation.did, place) {
            (Did::Read(None), _) => unwritten.push(operation),
            (Did::Read(Some(value)), _) => written.entry(value).or_default().push(operation),
            (_, Some(place)) => writes.push((*place, operation)),
            (_, None) => return Err(format!("{operation:?}, which is not in the log")),
        }
    }
    writes.sort_by_key(|(place, _)| *place);
    let mut moment = 0;
    let mut follow = |operation: &Operation| {
        moment = moment.max(operation.began);
        match operation.ended {
            Some(ended) if ended < moment => {
                Err(format!("{operation:?}, which comes after one that began at {moment}"))
            }
            _ => Ok(()),
        }
    };
    unwritten.sort_by_key(|operation| operation.began);
    unwritten.into_iter().try_for_each(&mut follow)?;
    let mut held = None;
    for (place, operation) in writes {
        let after = step(&operation.did, held)
            .ok_or_else(|| format!("{operation:?} at {place}, on {held:?}"))?;
        follow(operation)?;
        if after != held {
            held = after;
            let mut those = held.and_then(|held| written.remove(held)).unwrap_or_default();
            those.sort_by_key(|operation| operation.began);
            those.into_iter().try_for_each(&mut follow)?;
        }
    }
    match written.into_values().flatten().next() {
        None => Ok(()),
        Some(read) => Err(format!("{read:?}, which nobody wrote")),
    }
}

/// Which operations are in the order so far, and the value after them.
type Place<'a> = (Vec<bool>, Held<'a>);

/// What a key holds.
type Held<'a> = Option<&'a [u8]>;

/// How many places a search may reach. The log's own order has failed by then.
const SEARCHED: usize = 20_000;

fn is_linearizable(operations: &[&Operation]) -> bool {
    let mut barren: BTreeSet<Place<'_>> = BTreeSet::new();
    let mut search: Vec<Place<'_>> = vec![(vec![false; operations.len()], None)];
    while let Some((ordered, value)) = search.pop() {
        let left = || operations.iter().enumerate().filter(|(at, _)| !ordered[*at]);
        // What had ended before an operation began comes before it.
        let Some(horizon) = left().map(|(_, next)| next.ended.unwrap_or(u64::MAX)).min() else {
            return true;
        };
        if left().all(|(_, next)| next.ended.is_none()) {
            // What nobody waits for can come in any order.
            return true;
        }
        if !barren.insert((ordered.clone(), value)) {
            continue;
        }
        // An order that is not found in time is an order that is not there.
        if barren.len() > SEARCHED {
            return false;
        }
        for (at, next) in left().rev().filter(|(_, next)| next.began <= horizon) {
            if let Some(after) = step(&next.did, value) {
                let mut ordered = ordered.clone();
                ordered[at] = true;
                search.push((ordered, after));
            }
        }
    }
    false
}

/// The value after the operation, if it can have happened on `value`.
fn step<'a>(did: &'a Did, value: Held<'a>) -> Option<Held<'a>> {
    match did {
        Did::Read(read) => (read.as_deref() == value).then_some(value),
        Did::Put(written) => Some(Some(written)),
        Did::CompareAndSet { expected, value: written, done } => {
            let matches = expected.as_deref() == value;
            (done.is_none_or(|done| done == matches)).then_some(if matches {
                Some(written)
            } else {
                value
            })
        }
    }
}

#[cfg(test)]
mod tests;
