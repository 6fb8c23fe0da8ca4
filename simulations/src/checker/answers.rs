//! Answers: does every request that reached a node get one, if the node lives?
//!
//! "I do not know what came of it" is an answer. Silence is not: whoever hears nothing waits for ever.

use std::collections::BTreeMap;

/// A node that runs must have answered after so long, in virtual milliseconds, and ... Longer than a
/// leader may hold back a snapshot that nobody could confirm: where its quorum waits for that one,
/// nothing is committed meanwhile, and all of it at once afterwards.
pub const ANSWER_MS: u64 = 9000;

/// ... after so many other entries were committed: where nothing can be, waiting is right.
pub const ANSWER_ENTRIES: u64 = 100;

/// Requests that were taken and not answered: by node, client and attempt, since when, and after which
/// entry.
#[derive(Debug, Default)]
pub struct Answers {
    waiting: BTreeMap<(u64, u64, u64), (u64, u64)>,
}

impl Answers {
    /// A node took the attempt of a client, when entry `last` was the last one committed.
    pub fn taken(&mut self, node: u64, client: u64, attempt: u64, now: u64, last: u64) {
        self.waiting.insert((node, client, attempt), (now, last));
    }

    /// It answered.
    pub fn answered(&mut self, node: u64, client: u64, attempt: u64) {
        self.waiting.remove(&(node, client, attempt));
    }

    /// The node died: connections broke, and with them everyone knows.
    pub fn died(&mut self, node: u64) {
        self.waiting.retain(|(at, ..), _| *at != node);
    }

    /// The node stands still: its time counts anew.
    pub fn paused(&mut self, node: u64, until: u64) {
        for ((at, ..), (since, _)) in &mut self.waiting {
            if *at == node {
                *since = (*since).max(until);
            }
        }
    }

    /// Who has waited too long; `last` is the last committed entry.
    pub fn check(&self, now: u64, last: u64) -> Result<(), String> {
        let late =
            |(since, after): &(u64, u64)| now > since + ANSWER_MS && last > after + ANSWER_ENTRIES;
        let late = self.waiting.iter().find(|(_, taken)| late(taken));
        late.map_or(Ok(()), |((node, client, attempt), (since, _))| {
            Err(format!(
                "node {node} has not answered attempt {attempt} of client {client} for {} ms",
                now - since
            ))
        })
    }

    /// Who still waits when all is quiet and nothing is under way.
    pub fn finish(&self) -> Result<(), String> {
        match self.waiting.keys().next() {
            None => Ok(()),
            Some((node, client, attempt)) => {
                Err(format!("node {node} never answered attempt {attempt} of client {client}"))
            }
        }
    }
}
