//! The reference: one more replica, that never fails and sees every entry once.
//!
//! It tells what each entry writes, so that the other promises need not look at whole states; it has
//! the sum over all rows after every entry, by which snapshots are judged; and the invariants of the
//! state are checked on it.

use catalog_state::{
    invariants,
    machine::{Applied, Machine, Session, state_hash},
    store::{MemStore, Store, Writes},
};

use crate::node::AppliedEntry;

/// A sum over rows: equal for equal sets of rows, whatever their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowSum(u128);

impl RowSum {
    /// The sum over everything in `store`.
    pub fn of(store: &MemStore) -> Self {
        let mut sum = Self::default();
        for (key, value) in &store.0 {
            sum.add(key, value);
        }
        sum
    }

    fn add(&mut self, key: &[u8], value: &[u8]) {
        self.0 = self.0.wrapping_add(mix(key, value));
    }

    fn subtract(&mut self, key: &[u8], value: &[u8]) {
        self.0 = self.0.wrapping_sub(mix(key, value));
    }
}

/// Enough against accidents, which is what is looked for.
fn mix(key: &[u8], value: &[u8]) -> u128 {
    let lane = |seed: u64| {
        let mut mixed = seed ^ key.len() as u64;
        for part in key.chunks(8).chain(value.chunks(8)) {
            let mut word = [0; 8];
            word[..part.len()].copy_from_slice(part);
            mixed = (mixed ^ u64::from_le_bytes(word)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            mixed ^= mixed >> 29;
        }
        mixed ^ value.len() as u64
    };
    u128::from(lane(1)) << 64 | u128::from(lane(2))
}

/// A hash of bytes, for comparing contents.
pub fn content_hash(bytes: &[u8]) -> u64 {
    mix(&[], bytes) as u64
}

/// The replica that never fails.
#[derive(Debug, Default)]
pub struct Reference {
    rows: MemStore,
    machine: Machine,
    sum: RowSum,
    watch: invariants::Watch,
    /// The sum after each entry, from [`FIRST`] on.
    sums: Vec<RowSum>,
}

const FIRST: u64 = 2;

impl Reference {
    /// Its rows.
    pub fn rows(&self) -> &MemStore {
        &self.rows
    }

    /// The sum over all rows after entry `index`.
    pub fn sum_at(&self, index: u64) -> Option<RowSum> {
        self.sums.get(index.checked_sub(FIRST)? as usize).copied()
    }

    /// Applies an entry that was first applied by a node, and says what it wrote. The reference must
    /// come to the same as the node.
    pub fn apply(&mut self, entry: &AppliedEntry) -> Result<(Option<Applied>, Writes), String> {
        let mut session = Session::new(&self.rows);
        let applied = if entry.command.is_empty() {
            None
        } else {
            let applied = self.machine.apply(&mut session, entry.index, &entry.command);
            Some(applied.map_err(|error| error.to_string())?)
        };
        if applied != entry.applied {
            return Err(format!(
                "entry {} gives {:?} to who applies it once, {:?} to a node",
                entry.index,
                applied.map(|applied| applied.outcome),
                entry.applied.as_ref().map(|applied| &applied.outcome)
            ));
        }
        let writes = session.into_writes();
        for (key, value) in &writes {
            if let Some(old) = self.rows.0.get(key) {
                self.sum.subtract(key, old);
            }
            match value {
                Some(value) => {
                    self.sum.add(key, value);
                    self.rows.0.insert(key.clone(), value.clone());
                }
                None => {
                    self.rows.0.remove(key);
                }
            }
        }
        self.sums.push(self.sum);
        if state_hash(&self.rows) != entry.state_hash {
            return Err(format!("a node has another state hash after entry {}", entry.index));
        }
        Ok((applied, writes))
    }

    /// The state hash after `entry`, which nobody has applied yet whose state can be trusted.
    pub fn hash_after(&mut self, entry: &AppliedEntry) -> [u8; 32] {
        let mut session = Session::new(&self.rows);
        if !entry.command.is_empty() {
            // A command that cannot be applied is noticed when it is.
            let _ = self.machine.apply(&mut session, entry.index, &entry.command);
        }
        state_hash(&session.view())
    }

    /// What is wrong with what an entry wrote, by the invariants of the state.
    pub fn changes_break(&mut self, writes: &Writes) -> Vec<String> {
        let found = invariants::check_changes(&mut self.watch, &self.rows as &dyn Store, writes);
        found.into_iter().map(|violation| format!("{violation:?}")).collect()
    }

    /// What is wrong with the whole state, by its own invariants.
    pub fn invariants(&mut self) -> Vec<String> {
        let found = invariants::check_on(&mut self.watch, &self.rows as &dyn Store);
        found.into_iter().map(|violation| format!("{violation:?}")).collect()
    }
}
