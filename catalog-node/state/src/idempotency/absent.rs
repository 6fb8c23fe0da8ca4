//! Absent: which idempotency keys were surely not used, without looking for them?
//!
//! Nearly every call has a key of its own, so the question whether it was used before is nearly always
//! asked for a row that is not there, and that is dear to find out from a disk. Here every record is
//! counted, in slots that its key picks; a key with an empty slot has none. A key all of whose slots
//! are taken may have one, and is looked for.
//!
//! What is counted are the rows of the order of records: each record that can be found is named there,
//! and each of them comes and goes once, which a row that is written over does not. They are counted a
//! few with each command, so that a machine that starts anew does not hold anybody up; until all are,
//! nothing is known to be absent. What comes of a command is the same either way.

use std::hash::Hasher as _;

use crate::{
    keys::{Key, Table},
    tx::Tx,
};

/// Slots; a power of two. With a million records about one question in seven is answered by looking.
const SLOTS: usize = 1 << 21;

/// Rows that are counted with one command.
const PORTION: usize = 64;

/// Counts of records.
#[derive(Default)]
pub(super) struct Absent {
    /// How many records a slot has; one that is full stays so. Empty before the first is counted.
    slots: Vec<u8>,
    /// Rows of the order before this key are counted and kept up; the rows from it on are not.
    counted_to: Vec<u8>,
    complete: bool,
}

impl std::fmt::Debug for Absent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Absent").field("complete", &self.complete).finish_non_exhaustive()
    }
}

/// The two slots of a key.
#[expect(clippy::disallowed_types, reason = "never stored or compared with another node's")]
fn slots_of(key: &[u8]) -> [usize; 2] {
    let mut hasher = std::hash::DefaultHasher::new();
    hasher.write(key);
    let hash = hasher.finish();
    [hash as usize % SLOTS, (hash >> 32) as usize % SLOTS]
}

impl Absent {
    /// Forgets everything: the next command is another state's.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Counts the next records of the state that `tx` begins on; all of them are counted in the end.
    pub(super) fn go_on(&mut self, tx: &Tx<'_>) {
        if self.complete {
            return;
        }
        let table = Key::table(Table::IdempotencyOrder);
        if self.counted_to.is_empty() {
            self.counted_to = table.as_slice().to_vec();
        }
        let rows = tx.rows_between(&self.counted_to, &table.end(), PORTION);
        self.complete = rows.len() < PORTION;
        self.counted_to = match rows.last() {
            // The first key after it.
            Some((last, _)) if !self.complete => [last.as_slice(), &[0]].concat(),
            _ => table.end(),
        };
        for (_, key) in &rows {
            self.count(key);
        }
    }

    /// Whether there is surely no record under `key`.
    pub(super) fn is_sure(&self, key: &Key) -> bool {
        let empty = |slot: usize| self.slots.get(slot).is_none_or(|count| *count == 0);
        self.complete && slots_of(key.as_slice()).into_iter().any(empty)
    }

    /// The row `order` names the record under `key` from now on.
    pub(super) fn added(&mut self, order: &Key, key: &Key) {
        if order.as_slice() < self.counted_to.as_slice() {
            self.count(key.as_slice());
        }
    }

    /// The row `order`, which named the record under `key`, is gone.
    pub(super) fn removed(&mut self, order: &Key, key: &Key) {
        if order.as_slice() >= self.counted_to.as_slice() {
            return;
        }
        for slot in slots_of(key.as_slice()) {
            let count = &mut self.slots[slot];
            if *count < u8::MAX {
                *count -= 1;
            }
        }
    }

    fn count(&mut self, key: &[u8]) {
        if self.slots.is_empty() {
            self.slots = vec![0; SLOTS];
        }
        for slot in slots_of(key) {
            self.slots[slot] = self.slots[slot].saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests;
