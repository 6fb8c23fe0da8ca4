//! Audit: does this store still hold the history that it claims to hold?
//!
//! Everything that was ever hashed is hashed again: each record in its place, each stored hash of
//! the tree, each text beside a record, and the root against every head that somebody else kept. A
//! store that somebody edited by hand fails at the records; one that was rewritten with all its
//! hashes, and signed anew, fails at the heads of others (FED-15), and at nothing else.

use catalog_proofs::{against::Against, head::Head, record};

use super::{Ledger, Payload};
use crate::{codec, keys, store::Store, view::View};

/// What is wrong with a ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// There is no record in a place below the size.
    Missing {
        /// The place.
        place: u64,
    },
    /// A record says that it stands elsewhere, or is none: reordered or replaced.
    Misplaced {
        /// The place.
        place: u64,
    },
    /// A record is not the one whose hash stands in the tree.
    Changed {
        /// The place.
        place: u64,
    },
    /// A stored hash of the tree is not that of the subtree below it.
    TreeWrong {
        /// Height above the leaves, from 1.
        level: u8,
        /// Place among the subtrees of that height.
        position: u64,
    },
    /// Text or person beside a record are not those whose digests it holds, or went without a record
    /// of it.
    TextWrong {
        /// The record.
        place: u64,
    },
    /// Somebody else holds a head that this ledger does not extend.
    Rewritten(Against),
    /// The head to compare with is of another domain, cluster or suite.
    HeadOfAnother,
}

/// Everything wrong with the ledger in `store`, held against `heads` that others kept of it; at most
/// `limit` findings, in the order of the records.
pub fn audit(store: &dyn Store, heads: &[Head], limit: usize) -> Vec<Finding> {
    let ledger = Ledger(store);
    let mut found = portion(store, 0, ledger.size(), limit);
    for head in heads {
        match ledger.verify_against(head) {
            Against::Extends { .. } => {}
            Against::Unknown => found.push(Finding::HeadOfAnother),
            verdict @ Against::Rewritten { .. } => found.push(Finding::Rewritten(verdict)),
        }
    }
    found.truncate(limit);
    found
}

/// What is wrong with the records from `from` to before `through`, which lies within the size. The
/// portions of a ledger together say what an [`audit`] without heads says, because each record
/// brings the hashes of the subtrees that it completes.
pub fn portion(store: &dyn Store, from: u64, through: u64, limit: usize) -> Vec<Finding> {
    let (ledger, view) = (Ledger(store), View(store));
    let suite = ledger.suite();
    let mut found = Vec::new();
    for place in from..through {
        if found.len() >= limit {
            return found;
        }
        let Some(bytes) = ledger.record_bytes(place) else {
            found.push(Finding::Missing { place });
            // Hashes above it say nothing any more.
            break;
        };
        let begins = record::beginning(&bytes).is_some_and(|record| record.sequence == place);
        if !begins {
            found.push(Finding::Misplaced { place });
        }
        let leaf = suite.leaf_hash(&bytes);
        let stored = |level, position| store.get(keys::ledger_node(level, position).as_slice());
        if stored(0, place).as_deref() != Some(leaf.as_slice()) {
            found.push(Finding::Changed { place });
        }
        // The subtrees that this leaf completes; what stands left of them was looked at before.
        let (mut hash, mut level, mut position) = (leaf, 0u8, place);
        while position % 2 == 1 {
            let left = stored(level, position - 1).and_then(|left| left.try_into().ok());
            hash = suite.node_hash(&left.unwrap_or_default(), &hash);
            (level, position) = (level + 1, position / 2);
            if stored(level, position).as_deref() != Some(hash.as_slice()) {
                found.push(Finding::TreeWrong { level, position });
            }
        }
        if begins && !texts_fit(&view, place, &bytes) {
            found.push(Finding::TextWrong { place });
        }
    }
    found.truncate(limit);
    found
}

fn texts_fit(view: &View<'_>, place: u64, bytes: &[u8]) -> bool {
    let suite = Ledger(view.0).suite();
    let Ok(record) = codec::decode::<super::LedgerRecord>(bytes) else { return false };
    match view.payload(place) {
        Some(Payload { salt, texts }) => {
            texts.len() == record.digests.len()
                && texts.iter().zip(&record.digests).all(|((label, text), kept)| {
                    *label == kept.label && suite.text_digest(&salt, label, text) == kept.digest
                })
        }
        None => record.digests.is_empty() || view.payload_gone(place).is_some(),
    }
}
