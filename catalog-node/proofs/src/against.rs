//! Against: is a ledger still the one of which somebody else holds a head?
//!
//! The held head is a promise from the past. A ledger keeps it if its root over as many records is
//! the promised one; a ledger that has fewer records, or another root, was rewritten or cut, and no
//! explanation of the ledger's own domain changes that (FED-15).

use crate::{Hash, head::Head, tree::verify_consistency};

/// What comes of holding a ledger against a head of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Against {
    /// Every record of the held head is there, in its place, unchanged.
    Extends {
        /// Records in the held head.
        held_size: u64,
        /// Records in the ledger.
        size: u64,
    },
    /// The ledger is not what the held head promised.
    Rewritten {
        /// Records in the held head.
        held_size: u64,
        /// Its root.
        held_root: Hash,
        /// Records in the ledger.
        size: u64,
        /// The ledger's root over `held_size` records; `None` if it has fewer, or cannot be told.
        root: Option<Hash>,
    },
    /// They cannot be compared: the head is of another domain, cluster or suite, or has no records.
    Unknown,
}

/// Holds the newest head of a ledger against an older one that somebody else kept. `path` is the
/// ledger's own consistency proof between the two: a ledger that has none to give was rewritten.
pub fn compare(held: &Head, newest: &Head, path: &[Hash]) -> Against {
    if !held.same_ledger(newest) || held.tree_size == 0 {
        return Against::Unknown;
    }
    let (held_size, size) = (held.tree_size, newest.tree_size);
    let extends =
        verify_consistency(held.suite, held_size, size, path, &held.root_hash, &newest.root_hash);
    if extends {
        return Against::Extends { held_size, size };
    }
    let root = (held_size == size).then_some(newest.root_hash);
    Against::Rewritten { held_size, held_root: held.root_hash, size, root }
}

#[cfg(test)]
mod tests;
