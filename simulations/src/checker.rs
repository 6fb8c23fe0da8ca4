//! The checker: what must hold, whatever failed?
//!
//! One file a promise. Some are checked at every applied entry, some when all is healed. The checker
//! knows everything, the truth about time included; the code under test is asked nothing that it could
//! answer wrongly.

use catalog_model::time::UtcMillis;
use catalog_state::command::Command;

use crate::{clock::TOLERATED_AHEAD_MS, node::AppliedEntry};

pub mod acknowledged;
pub mod agreement;
pub mod deadlines;
pub mod idempotency;
pub mod linearizable_probe;

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
#[derive(Debug, Default)]
pub struct Checker {
    /// All replicas apply the same.
    pub agreement: agreement::Agreement,
    /// Deadlines fire once and in time.
    pub deadlines: deadlines::Deadlines,
    /// No call has two effects.
    pub idempotency: idempotency::Idempotency,
    violations: Vec<Violation>,
}

impl Checker {
    /// Node `node` applied `entry` when the right time of day was `truth`.
    pub fn observe(&mut self, node: u64, entry: &AppliedEntry, truth: UtcMillis) {
        let first = match self.agreement.observe(node, entry) {
            Ok(first) => first,
            Err(what) => return self.violated("agreement", what),
        };
        if !first {
            return;
        }
        let (Some(applied), false) = (&entry.applied, entry.data.is_empty()) else { return };
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
        let command = match Command::decode(&entry.data) {
            Ok(command) => command,
            Err(error) => {
                return self.violated("agreement", format!("entry {}: {error}", entry.index));
            }
        };
        let rows = entry.deadlines.as_ref().expect("deadlines are noted where an entry is new");
        for what in self.deadlines.observe(entry.index, &command, applied, rows) {
            self.violated("deadlines", what);
        }
        if let Err(what) = self.idempotency.observe(entry.index, &command, applied) {
            self.violated("idempotency", what);
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
