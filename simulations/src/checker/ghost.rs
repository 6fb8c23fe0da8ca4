//! Ghost logs: what does every node have in its log, and what of it is truly durable?
//!
//! Kept from what nodes write, and from what their disks say about syncs, not from what the code under
//! test says about itself. The promises about logs are judged by them.

use std::collections::{BTreeMap, VecDeque};

/// What a node did with its log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogAct {
    /// Entries were written, replacing what was at their indexes and after: (term, hash of content).
    Appended {
        /// Index of the first one.
        first: u64,
        /// Of each one its term and a hash of its content.
        entries: Vec<(u64, u64)>,
    },
    /// The hard state was written.
    State {
        /// The term.
        term: u64,
        /// For whom the node voted in it; 0 = for nobody.
        vote: u64,
        /// The commit index.
        commit: u64,
    },
    /// A sync returned; the disk says whether nothing is left that a power loss could take.
    Synced {
        /// Whether everything is durable.
        truly: bool,
    },
    /// Entries up to this one were forgotten, durably.
    Compacted {
        /// The last one that was forgotten.
        through: u64,
    },
    /// A write failed: it may have been done all the same.
    Failed,
    /// The log begins anew after a snapshot, durably.
    Installed {
        /// Last entry in the snapshot.
        index: u64,
        /// Its term.
        term: u64,
    },
}

impl LogAct {
    /// What is hashed of it.
    pub fn numbers(&self) -> (Vec<u64>, &'static str) {
        match self {
            Self::Appended { first, entries } => {
                let mut numbers = vec![*first];
                numbers.extend(entries.iter().flat_map(|(term, hash)| [*term, *hash]));
                (numbers, "appended")
            }
            Self::State { term, vote, commit } => (vec![*term, *vote, *commit], "state"),
            Self::Synced { truly } => (vec![u64::from(*truly)], "synced"),
            Self::Compacted { through } => (vec![*through], "compacted"),
            Self::Failed => (Vec::new(), "failed"),
            Self::Installed { index, term } => (vec![*index, *term], "installed"),
        }
    }
}

/// One node's log.
#[derive(Clone, Debug, Default)]
pub struct GhostLog {
    /// The log begins after this entry.
    pub base: u64,
    base_term: u64,
    terms: VecDeque<u64>,
    /// Last durable entry.
    pub durable: u64,
    state: (u64, u64),
    durable_state: (u64, u64),
    /// Whether entries were written since everything was durable.
    dirty: bool,
}

impl GhostLog {
    /// A log as it was found on a disk, all of it durable.
    pub fn found(base: (u64, u64), terms: Vec<u64>, state: (u64, u64)) -> Self {
        let terms: VecDeque<u64> = terms.into();
        let durable = base.0 + terms.len() as u64;
        Self {
            base: base.0,
            base_term: base.1,
            terms,
            durable,
            state,
            durable_state: state,
            dirty: false,
        }
    }

    /// The last entry.
    pub fn last(&self) -> u64 {
        self.base + self.terms.len() as u64
    }

    /// The term of an entry, or of the one before the first.
    pub fn term(&self, index: u64) -> Option<u64> {
        if index == self.base {
            return Some(self.base_term);
        }
        let place = index.checked_sub(self.base + 1)?;
        self.terms.get(place as usize).copied()
    }

    /// Whether a power loss would leave the entry, here or in the state that the log begins after.
    pub fn has_durably(&self, index: u64, term: u64) -> bool {
        index <= self.base || (index <= self.durable && self.term(index) == Some(term))
    }
}

/// All logs, and all entries that were ever written.
#[derive(Debug, Default)]
pub struct Ghost {
    logs: BTreeMap<u64, GhostLog>,
    /// Logs of disks that are gone: what was committed with their help was durable then.
    gone: BTreeMap<u64, GhostLog>,
    /// Of each (index, term), the hash of its content and the term before it.
    written: BTreeMap<(u64, u64), (u64, Option<u64>)>,
}

impl Ghost {
    /// The log of `node`, if it ever started.
    pub fn log(&self, node: u64) -> Option<&GhostLog> {
        self.logs.get(&node)
    }

    /// The node has no log any more: its disk is gone.
    pub fn forget(&mut self, node: u64) {
        let log = self.logs.remove(&node);
        self.gone.extend(log.map(|log| (node, log)));
    }

    /// Whether `node` has, or had when its disk was lost, the entry durably.
    pub fn has_durably(&self, node: u64, index: u64, term: u64) -> bool {
        let logs = [self.logs.get(&node), self.gone.get(&node)];
        logs.into_iter().flatten().any(|log| log.has_durably(index, term))
    }

    /// A node starts on a log that was `found`. What was durable must be there.
    pub fn start(&mut self, node: u64, found: GhostLog) -> Result<(), String> {
        let before = self.logs.insert(node, found);
        let (Some(before), found) = (before, &self.logs[&node]) else { return Ok(()) };
        for index in before.base.max(found.base)..=before.durable {
            let (was, is) = (before.term(index), found.term(index));
            if was != is {
                return Err(format!(
                    "node {node} had durable entry {index} of term {was:?}, and now of {is:?}"
                ));
            }
        }
        if !before.dirty && found.last() != before.last() {
            return Err(format!(
                "node {node} had a log up to {}, all of it durable, and now has one up to {}",
                before.last(),
                found.last()
            ));
        }
        let ((term, vote), (found_term, found_vote)) = (before.durable_state, found.state);
        if found_term < term || (found_term == term && vote != 0 && found_vote != vote) {
            return Err(format!(
                "node {node} had voted for {vote} in term {term}, and now says {found_vote} in \
                 {found_term}"
            ));
        }
        Ok(())
    }

    /// A node did something with its log. What it wrote must be what others wrote at the same place in
    /// the same term.
    pub fn act(&mut self, node: u64, act: &LogAct) -> Result<(), String> {
        let log = self.logs.entry(node).or_default();
        match act {
            LogAct::Appended { first, entries } => {
                if *first <= log.base || *first > log.last() + 1 {
                    return Err(format!(
                        "node {node} writes entry {first} into a log of {}..={}",
                        log.base + 1,
                        log.last()
                    ));
                }
                log.terms.truncate((first - log.base - 1) as usize);
                log.durable = log.durable.min(first - 1);
                log.dirty = true;
                for (place, (term, hash)) in entries.iter().enumerate() {
                    let index = first + place as u64;
                    let before = log.term(index - 1);
                    log.terms.push_back(*term);
                    let written = self.written.entry((index, *term)).or_insert((*hash, before));
                    if written.0 != *hash || (before.is_some() && written.1 != before) {
                        return Err(format!(
                            "node {node} has another entry {index} of term {term}, or another one \
                             before it"
                        ));
                    }
                }
            }
            LogAct::State { term, vote, .. } => {
                let (had_term, had_vote) = log.state;
                if *term < had_term || (*term == had_term && had_vote != 0 && *vote != had_vote) {
                    return Err(format!(
                        "node {node} voted for {had_vote} in term {had_term}, then for {vote} in \
                         {term}"
                    ));
                }
                log.state = (*term, *vote);
            }
            LogAct::Synced { truly } => {
                if *truly {
                    log.durable = log.last();
                    log.dirty = false;
                    log.durable_state = log.state;
                }
            }
            LogAct::Compacted { through } => {
                // Forgetting is durable, and with it everything before.
                while log.base < *through
                    && let Some(term) = log.terms.pop_front()
                {
                    log.base += 1;
                    log.base_term = term;
                }
                log.durable = log.durable.max(log.base);
            }
            LogAct::Failed => log.dirty = true,
            LogAct::Installed { index, term } => {
                log.base = *index;
                log.base_term = *term;
                log.terms.clear();
                log.durable = *index;
                log.dirty = false;
                log.durable_state = log.state;
            }
        }
        Ok(())
    }
}
