//! Linearizability: can everything that clients saw have happened one after the other, each operation
//! at one moment between its call and its answer?
//!
//! The data are registers, one a key, all absent in the beginning. Operations read, write, or write
//! where a certain value is (*cas*). Keys are independent of each other, so each is judged on its own;
//! how is told in [`search`]. A history that was too hard to judge is [`Finding::Unknown`], which must
//! count as a failure: a check that fails open checks nothing.
//!
//! Histories are kept as JSON lines ([`history`]), so that any other checker can judge them, too.

pub mod history;
pub mod search;

use std::{collections::BTreeMap, fmt};

pub use history::{Kind, Op};
use search::{Found, Register};

/// What is true of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// There is an order that explains everything.
    Linearizable,
    /// There is none.
    NotLinearizable {
        /// Whose operations contradict each other.
        key: String,
        /// The shortest part of the history, from its beginning, that no order explains.
        explanation: String,
    },
    /// The search was given up.
    Unknown {
        /// At which key.
        key: String,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Linearizable => f.write_str("linearizable"),
            Self::NotLinearizable { key, explanation } => {
                write!(f, "NOT linearizable, key {key}: {explanation}")
            }
            Self::Unknown { key } => write!(f, "unknown: the search was given up at key {key}"),
        }
    }
}

/// Judges a history. At most `limit` situations are looked at for each key.
pub fn check(history: &[Op], limit: usize) -> Finding {
    let mut keys: BTreeMap<&str, Vec<&Op>> = BTreeMap::new();
    for op in history {
        keys.entry(&op.key).or_default().push(op);
    }
    let mut given_up = None;
    for (key, ops) in keys {
        match Register::of(&ops, u64::MAX).search(limit) {
            Found::Order => {}
            Found::Nothing => {
                let explanation = explain(&ops, limit);
                return Finding::NotLinearizable { key: key.to_owned(), explanation };
            }
            Found::TooMuch => {
                given_up.get_or_insert(key);
            }
        }
    }
    match given_up {
        Some(key) => Finding::Unknown { key: key.to_owned() },
        None => Finding::Linearizable,
    }
}

/// Tells the shortest beginning of a contradictory history that contradicts itself already: up to
/// one answer, everything that was unanswered then counting as unanswered.
fn explain(ops: &[&Op], limit: usize) -> String {
    const TOLD: usize = 12;

    let mut answers: Vec<u64> =
        ops.iter().filter(|op| op.ok.is_some()).filter_map(|op| op.return_ns).collect();
    answers.sort_unstable();
    answers.dedup();
    // What ends in a contradiction goes on in one: the first contradictory beginning is found by
    // halving. Where a beginning cannot be judged, a longer one is told.
    let first =
        answers.partition_point(|&until| Register::of(ops, until).search(limit) != Found::Nothing);
    let until = answers.get(first).copied().unwrap_or(u64::MAX);
    let mut begun: Vec<&Op> = ops.iter().copied().filter(|op| op.call_ns <= until).collect();
    begun.sort_by_key(|op| (op.return_ns.unwrap_or(u64::MAX), op.call_ns));
    let ended = begun.iter().filter(|op| op.return_ns.is_some_and(|end| end <= until)).count();
    let mut text = format!(
        "no order explains the {} operations begun until {until} ns; the last of them:",
        begun.len()
    );
    for op in &begun[ended.saturating_sub(TOLD)..begun.len().min(ended + TOLD)] {
        text.push_str("\n  ");
        text.push_str(&op.to_line());
    }
    text
}
