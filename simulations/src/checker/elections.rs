//! Elections: is there at most one leader in a term, and does every leader have what was committed?

use std::collections::BTreeMap;

use crate::checker::{agreement::Agreement, ghost::Ghost};

/// All leaders, and what was known to be committed in their terms.
#[derive(Debug, Default)]
pub struct Elections {
    leaders: BTreeMap<u64, u64>,
    /// Of each term, the highest commit index that anybody wrote down in it.
    committed: BTreeMap<u64, u64>,
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

    /// Somebody who had come to `term` wrote down that everything up to entry `commit` is committed: the
    /// leader of this term, or of one before, had counted it.
    pub fn committed(&mut self, term: u64, commit: u64) {
        let known = self.committed.entry(term).or_default();
        *known = (*known).max(commit);
    }

    /// Leader completeness: what was ever applied anywhere is in the log of `node`, which leads in `term`.
    ///
    /// A leader may learn that it won when others have elected the next one already: it was paused while
    /// the last vote was on its way. Raft owes it what was committed up to its own term, and no more:
    /// whoever voted later votes and writes for it no longer, so it can commit nothing. Only a leader of
    /// a later term that was seen makes it such a late one.
    pub fn check_leader(
        &self,
        node: u64,
        term: u64,
        ghost: &Ghost,
        agreed: &Agreement,
    ) -> Result<(), String> {
        let Some(log) = ghost.log(node) else {
            return Err(format!("node {node} leads without a log"));
        };
        let late = self.leaders.last_key_value().is_some_and(|(newest, _)| *newest > term);
        let owed = if late {
            self.committed.range(..=term).map(|(_, commit)| *commit).max().unwrap_or_default()
        } else {
            agreed.last()
        };
        for index in agreed.first().max(log.base + 1)..=agreed.last().min(owed) {
            let agreed = agreed.at(index).map(|entry| entry.term);
            if log.term(index) != agreed {
                return Err(format!(
                    "node {node} leads in term {term} with entry {index} of term {:?}; the one of {agreed:?} \
                     was committed",
                    log.term(index)
                ));
            }
        }
        Ok(())
    }
}
