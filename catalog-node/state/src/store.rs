//! Where rows are kept: an ordered key-value store, RocksDB in production and a `BTreeMap` in
//! simulations.

use std::{collections::BTreeMap, ops::Bound};

/// A row: key and stored value.
pub type Row = (Vec<u8>, Vec<u8>);

/// Reading rows in key order.
///
/// A store that cannot read its own disk does not return: a node with a broken disk stops, it
/// does not go on with half of the truth.
pub trait Store {
    /// The value of `key`.
    fn get(&self, key: &[u8]) -> Option<Vec<u8>>;

    /// The values of several keys, in their order. The same as asking for each, and cheaper where the store
    /// looks for neighbours together.
    fn get_many(&self, keys: &[&[u8]]) -> Vec<Option<Vec<u8>>> {
        keys.iter().map(|key| self.get(key)).collect()
    }

    /// These rows are about to be asked for, one by one. A hint: a store that remembers what it read may
    /// read them together, and what it answers afterwards is the same either way.
    fn foresee(&self, _keys: &[&[u8]]) {}

    /// The rows with `from ≤ key < to`, in ascending order.
    fn range<'a>(&'a self, from: &[u8], to: &[u8]) -> Box<dyn Iterator<Item = Row> + 'a>;

    /// The same rows in descending order.
    fn range_reversed<'a>(&'a self, from: &[u8], to: &[u8]) -> Box<dyn Iterator<Item = Row> + 'a>;
}

/// Writes in key order; `None` deletes.
pub type Writes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// The bounds of `from ≤ key < to`; nothing where `to` is not above `from`.
fn bounds<'a>(from: &'a [u8], to: &'a [u8]) -> (Bound<&'a [u8]>, Bound<&'a [u8]>) {
    (Bound::Included(from), Bound::Excluded(to.max(from)))
}

/// A store in memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemStore(pub BTreeMap<Vec<u8>, Vec<u8>>);

impl MemStore {
    /// Makes `writes` part of the store.
    pub fn write(&mut self, writes: Writes) {
        for (key, value) in writes {
            match value {
                Some(value) => self.0.insert(key, value),
                None => self.0.remove(&key),
            };
        }
    }
}

impl Store for MemStore {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.0.get(key).cloned()
    }

    fn range<'a>(&'a self, from: &[u8], to: &[u8]) -> Box<dyn Iterator<Item = Row> + 'a> {
        Box::new(self.0.range::<[u8], _>(bounds(from, to)).map(|(k, v)| (k.clone(), v.clone())))
    }

    fn range_reversed<'a>(&'a self, from: &[u8], to: &[u8]) -> Box<dyn Iterator<Item = Row> + 'a> {
        let rows = self.0.range::<[u8], _>(bounds(from, to));
        Box::new(rows.rev().map(|(k, v)| (k.clone(), v.clone())))
    }
}

/// A store with writes laid over it that it does not hold yet.
#[derive(Clone, Copy)]
pub struct Overlay<'a> {
    base: &'a dyn Store,
    writes: &'a Writes,
}

impl std::fmt::Debug for Overlay<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Overlay").field("writes", &self.writes.len()).finish_non_exhaustive()
    }
}

impl<'a> Overlay<'a> {
    /// `writes` laid over `base`.
    pub fn new(base: &'a dyn Store, writes: &'a Writes) -> Self {
        Self { base, writes }
    }
}

impl Store for Overlay<'_> {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        match self.writes.get(key) {
            Some(value) => value.clone(),
            None => self.base.get(key),
        }
    }

    fn foresee(&self, keys: &[&[u8]]) {
        if self.writes.is_empty() {
            return self.base.foresee(keys);
        }
        let below: Vec<&[u8]> =
            keys.iter().copied().filter(|key| !self.writes.contains_key(*key)).collect();
        self.base.foresee(&below);
    }

    fn range<'a>(&'a self, from: &[u8], to: &[u8]) -> Box<dyn Iterator<Item = Row> + 'a> {
        Box::new(Merged {
            base: self.base.range(from, to).peekable(),
            writes: Box::new(self.writes.range::<[u8], _>(bounds(from, to))) as Ranged<'a>,
            next_write: None,
            reversed: false,
        })
    }

    fn range_reversed<'a>(&'a self, from: &[u8], to: &[u8]) -> Box<dyn Iterator<Item = Row> + 'a> {
        Box::new(Merged {
            base: self.base.range_reversed(from, to).peekable(),
            writes: Box::new(self.writes.range::<[u8], _>(bounds(from, to)).rev()) as Ranged<'a>,
            next_write: None,
            reversed: true,
        })
    }
}

type Ranged<'a> = Box<dyn Iterator<Item = (&'a Vec<u8>, &'a Option<Vec<u8>>)> + 'a>;

/// Two ordered sequences as one; a write hides the base row of its key.
struct Merged<'a> {
    base: std::iter::Peekable<Box<dyn Iterator<Item = Row> + 'a>>,
    writes: Ranged<'a>,
    next_write: Option<(&'a Vec<u8>, &'a Option<Vec<u8>>)>,
    reversed: bool,
}

impl Iterator for Merged<'_> {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        loop {
            if self.next_write.is_none() {
                self.next_write = self.writes.next();
            }
            let Some((key, value)) = self.next_write else { return self.base.next() };
            if let Some((base_key, _)) = self.base.peek() {
                let base_first = if self.reversed { base_key > key } else { base_key < key };
                if base_first {
                    return self.base.next();
                }
                if base_key == key {
                    self.base.next();
                }
            }
            self.next_write = None;
            if let Some(value) = value {
                return Some((key.clone(), value.clone()));
            }
        }
    }
}

#[cfg(test)]
mod tests;
