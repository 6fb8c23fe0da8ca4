//! Elections: is there at most one leader in a term, and does every leader have what was committed?

use std::collections::BTreeMap;

use crate::checker::{agreement::Agreement, ghost::Ghost};

/// All leaders.
#[derive(Debug, Default)]
pub struct Elections {
    leaders: BTreeMap<u64, u64>,
}

impl Elections {
    /// How many there were.
    pub fn count(&self) -> u64 {
        self.leaders.len() as u64
    }

    /// `node` leads in `term`. Says whether that is news.
    pub fn observe(&mut self, node: u64, term: u64) -> Result<bool, String> {
        match self.leaders.insert(term, node) {
            None => Ok(true),
            Some(other) if other == node => Ok(false),
            Some(other) => Err(format!("nodes {other} and {node} both lead in term {term}")),
        }
    }
}

/// Leader completeness: what was ever applied anywhere is in the log of every new leader.
pub fn check_leader(node: u64, ghost: &Ghost, agreed: &Agreement) -> Result<(), String> {
    let Some(log) = ghost.log(node) else {
        return Err(format!("node {node} leads without a log"));
    };
    for index in agreed.first().max(log.base + 1)..=agreed.last() {
        let term = agreed.at(index).map(|entry| entry.term);
        if log.term(index) != term {
            return Err(format!(
                "node {node} leads with entry {index} of term {:?}; it was committed in {term:?}",
                log.term(index)
            ));
        }
    }
    Ok(())
}
