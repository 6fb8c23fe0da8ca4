//! Agreement: do all replicas apply the same entries, and come to the same state after each?
//!
//! The first to apply an entry sets what it is; everyone after, also the same node after a crash, must
//! find the same bytes, the same term, the same outcome and the same state hash at the same index.

use bytes::Bytes;
use catalog_state::outcome::Outcome;

use crate::node::AppliedEntry;

/// An entry as it was first applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// The term in which it was proposed.
    pub term: u64,
    /// Its bytes.
    pub data: Bytes,
    /// The command in them; empty for Raft's own.
    pub command: Bytes,
    /// What came of it; absent for Raft's own.
    pub outcome: Option<Outcome>,
    /// The state hash after it.
    pub state_hash: [u8; 32],
}

/// The committed log as it was first applied, without the entry that every log begins after.
#[derive(Debug, Default)]
pub struct Agreement {
    log: Vec<Agreed>,
}

/// Index of the first entry that can be applied.
const FIRST: u64 = 2;

impl Agreement {
    /// The first index that can be applied.
    pub fn first(&self) -> u64 {
        FIRST
    }

    /// The last index that any node has applied.
    pub fn last(&self) -> u64 {
        FIRST - 1 + self.log.len() as u64
    }

    /// The entry at `index`, if it was applied anywhere.
    pub fn at(&self, index: u64) -> Option<&Agreed> {
        self.log.get(index.checked_sub(FIRST)? as usize)
    }

    /// Whether `entry` is new; an error if it differs from what was applied before.
    pub(crate) fn observe(&mut self, node: u64, entry: &AppliedEntry) -> Result<bool, String> {
        let index = entry.index;
        let outcome = entry.applied.as_ref().map(|applied| &applied.outcome);
        match self.at(index) {
            Some(agreed) => {
                let differs = if agreed.data != entry.data || agreed.term != entry.term {
                    "another entry"
                } else if agreed.outcome.as_ref() != outcome {
                    "another outcome"
                } else if agreed.state_hash != entry.state_hash {
                    "another state hash"
                } else {
                    return Ok(false);
                };
                Err(format!("node {node} has {differs} at {index}"))
            }
            None if index == self.last() + 1 => {
                self.log.push(Agreed {
                    term: entry.term,
                    data: entry.data.clone(),
                    command: entry.command.clone(),
                    outcome: outcome.cloned(),
                    state_hash: entry.state_hash,
                });
                Ok(true)
            }
            None => Err(format!("node {node} applied {index} after {}", self.last())),
        }
    }
}
