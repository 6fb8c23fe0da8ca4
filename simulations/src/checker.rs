//! The checker: what must hold, whatever failed?
//!
//! One file a promise. Most are checked at every applied entry and every write of a log, the dear ones
//! every thousand steps, the rest when all is healed. The checker knows everything, the truth about time
//! and disks included; the code under test is asked nothing that it could answer wrongly.

use catalog_model::time::UtcMillis;
use catalog_replica::Membership;
use catalog_state::{command::Command, view::View};

use crate::{
    checker::ghost::{GhostLog, LogAct},
    clock::TOLERATED_AHEAD_MS,
    node::AppliedEntry,
};

pub mod ghost;
pub mod reference;

pub mod acknowledged;
pub mod agreement;
pub mod answers;
pub mod deadlines;
pub mod durability;
pub mod elections;
pub mod idempotency;
pub mod levels;
pub mod linearizable_probe;
pub mod membership;
pub mod snapshots;

/// After so many steps the dear checks are due again. A step is something done to a log or a state.
const DEAR_STEPS: u64 = 1000;

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The name of the promise.
    pub promise: &'static str,
    /// What was seen.
    pub what: String,
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.promise, self.what)
    }
}

/// Everything that was seen so far, and what was wrong with it.
#[derive(Debug)]
pub struct Checker {
    /// All replicas apply the same.
    pub agreement: agreement::Agreement,
    /// What every log holds, and what of it durably.
    pub ghost: ghost::Ghost,
    /// One leader a term.
    pub elections: elections::Elections,
    /// Members change one step at a time.
    pub memberships: membership::Memberships,
    /// Every request is answered.
    pub answers: answers::Answers,
    /// A replica that never fails.
    pub reference: reference::Reference,
    /// Deadlines fire once and in time.
    pub deadlines: deadlines::Deadlines,
    /// No call has two effects.
    pub idempotency: idempotency::Idempotency,
    steps: u64,
    dear_checks: u64,
    violations: Vec<Violation>,
}

impl Checker {
    /// Nothing was seen yet of a cluster that begins with `voters`.
    pub fn new(voters: Vec<u64>) -> Self {
        Self {
            agreement: agreement::Agreement::default(),
            ghost: ghost::Ghost::default(),
            elections: elections::Elections::default(),
            memberships: membership::Memberships::new(Membership {
                voters,
                ..Membership::default()
            }),
            answers: answers::Answers::default(),
            reference: reference::Reference::default(),
            deadlines: deadlines::Deadlines::default(),
            idempotency: idempotency::Idempotency::default(),
            steps: 0,
            dear_checks: 0,
            violations: Vec::new(),
        }
    }

    /// Node `node` applied `entry` when the right time of day was `truth`.
    pub fn observe(&mut self, node: u64, entry: &AppliedEntry, truth: UtcMillis) {
        match self.agreement.observe(node, entry) {
            Ok(true) => {}
            Ok(false) => return self.same_membership(node, entry),
            Err(what) => return self.violated("agreement", what),
        }
        let level = View(self.reference.rows()).level();
        let (applied, writes) = match self.reference.apply(entry) {
            Ok(applied) => applied,
            Err(what) => return self.violated("agreement", what),
        };
        for what in self.reference.changes_break(&writes) {
            self.violated("state invariants", what);
        }
        let memberships = self.memberships.recent();
        let nodes = memberships
            .iter()
            .flat_map(|membership| membership.voters.iter().chain(&membership.outgoing).copied());
        let durable = durability::check(entry.index, entry.term, &self.ghost, nodes, &memberships);
        if let Err(what) = durable {
            self.violated("committed is durable", what);
        }
        if let Some(membership) = &entry.membership
            && let Err(what) = self.memberships.observe(entry.index, membership)
        {
            self.violated("membership", what);
        }
        let Some(applied) = applied else { return };
        // No stamp may be further ahead than the clocks that are allowed to stamp.
        if applied.clock.0 > truth.0 + TOLERATED_AHEAD_MS as u64 {
            let ahead = applied.clock.0 - truth.0;
            self.violated(
                "time",
                format!(
                    "entry {} moved the committed clock {ahead} ms beyond the truth",
                    entry.index
                ),
            );
        }
        let command = match Command::decode(&entry.command) {
            Ok(command) => command,
            Err(error) => {
                return self.violated("agreement", format!("entry {}: {error}", entry.index));
            }
        };
        if let Err(what) = levels::check(entry.index, level, &command, &applied.outcome) {
            self.violated("levels", what);
        }
        for what in self.deadlines.observe(entry.index, &command, &applied, &writes) {
            self.violated("deadlines", what);
        }
        if let Err(what) = self.idempotency.observe(entry.index, &command, &applied) {
            self.violated("idempotency", what);
        }
    }

    fn same_membership(&mut self, node: u64, entry: &AppliedEntry) {
        if let Some(membership) = &entry.membership
            && membership != self.memberships.at(entry.index)
        {
            let what = format!("node {node} has {membership:?} after entry {}", entry.index);
            self.violated("membership", what);
        }
    }

    /// Node `node` starts on a log that was `found`.
    pub fn started(&mut self, node: u64, found: GhostLog) {
        if let Err(what) = self.ghost.start(node, found) {
            self.violated("durability", what);
        }
    }

    /// Node `node` did `act` with its log.
    pub fn logged(&mut self, node: u64, act: &LogAct) {
        if let LogAct::Appended { first, entries } = act
            && let Some(log) = self.ghost.log(node)
        {
            // What it had and was committed must stay as it is.
            let kept = (*first..=log.last().min(self.agreement.last())).find(|index| {
                let agreed = self.agreement.at(*index).map(|agreed| agreed.term);
                let new = entries.get((index - first) as usize).map(|(term, _)| *term);
                agreed.is_some() && log.term(*index) == agreed && new != agreed
            });
            if let Some(index) = kept {
                let what = format!("node {node} writes over entry {index}, which was committed");
                self.violated("log matching", what);
            }
        }
        if let LogAct::State { term, commit, .. } = act {
            self.elections.committed(*term, *commit);
        }
        if let Err(what) = self.ghost.act(node, act) {
            self.violated("log matching", what);
        }
    }

    /// Node `node` leads in `term`; says whether that is news.
    pub fn leads(&mut self, node: u64, term: u64) -> bool {
        match self.elections.observe(node, term) {
            Ok(false) => false,
            Ok(true) => {
                let complete =
                    self.elections.check_leader(node, term, &self.ghost, &self.agreement);
                if let Err(what) = complete {
                    self.violated("leader completeness", what);
                }
                true
            }
            Err(what) => {
                self.violated("election safety", what);
                false
            }
        }
    }

    /// One more thing was done to a log or a state.
    pub fn step(&mut self) {
        self.steps += 1;
        if self.steps.is_multiple_of(DEAR_STEPS) {
            self.check_dear();
        }
    }

    /// Whether somebody waits too long. Between rounds: within one, what was applied is told a little later.
    pub fn check_answers(&mut self, now: u64) {
        if let Err(what) = self.answers.check(now, self.agreement.last()) {
            self.violated("every request is answered", what);
        }
    }

    /// The dear checks.
    pub fn check_dear(&mut self) {
        self.dear_checks += 1;
        for what in self.reference.invariants() {
            self.violated("state invariants", what);
        }
    }

    /// Notes a broken promise.
    pub fn violated(&mut self, promise: &'static str, what: String) {
        self.violations.push(Violation { promise, what });
    }

    /// Whether a promise was broken.
    pub fn failed(&self) -> bool {
        !self.violations.is_empty()
    }

    /// What was broken, in the order in which it was seen.
    pub fn into_violations(self) -> Vec<Violation> {
        self.violations
    }
}

#[cfg(test)]
mod tests;
