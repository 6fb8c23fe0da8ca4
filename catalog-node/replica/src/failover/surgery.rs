//! How does the log of an old generation become the beginning of a new one?
//!
//! The whole log is kept: what was acknowledged may be anywhere in it. But a change of the membership in its
//! tail would bring back nodes that are to stay out, so it becomes an empty entry. Changes of the mode stay:
//! they decide what became of the acts after them, and an act that was acknowledged must come out as it did.
//! What ends them is one more entry behind the tail, the first of the new generation, which says *async*.
//! Everything from the tail on gets the new term, because two logs with the same term at an index are taken
//! for equal, and these are not: sealed nodes that join still have the tail as it was.
//!
//! One batch: after a crash the log is the old one or the new one.

use bytes::Bytes;
use catalog_log::{LogError, LogStore};
use catalog_mutation::{Mutation, active};
use raft::eraftpb::{Entry, HardState};

use crate::{EntryKind, Mode, kind_of, mode};

/// How far the term moves on: beyond any term that a node which was not sealed could reach meanwhile.
pub const TERM_STEP: u64 = 1000;

/// What was done to a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rewritten {
    /// Up to here the log is as it was, and committed.
    pub settled: u64,
    /// The last entry that the old generation wrote; the next one begins the new generation.
    pub last_index: u64,
    /// The term of the tail; the first leader has a later one.
    pub term: u64,
    /// How many entries became empty.
    pub neutralised: u64,
    /// Whether it had been done before.
    pub already: bool,
}

/// Makes `log` the beginning of a new generation. `settled` comes from [`settled`](super::settled), `term` is
/// the greatest of any sealed node; `fork` is what the state machine is told at the beginning, not empty. May be
/// asked again after a crash, with the same three.
///
/// The state has applied everything up to `settled` beforehand, as it was.
///
/// Panics if the log ends before `settled`: then it is not the greatest.
pub fn rewrite(
    log: &mut impl LogStore,
    settled: u64,
    term: u64,
    fork: Bytes,
) -> Result<Rewritten, LogError> {
    assert!(!fork.is_empty(), "empty data mark the entries that Raft itself writes");
    let term = term + TERM_STEP;
    let already = log.hard_state().term >= term;
    let last_index = log.last_index() - u64::from(already);
    assert!(
        settled <= last_index,
        "entry {settled} is committed, and the log ends at {last_index}"
    );
    let mut rewritten = Rewritten { settled, last_index, term, neutralised: 0, already };
    if already {
        return Ok(rewritten);
    }
    let mut tail = if settled < last_index {
        log.entries(settled + 1, last_index + 1, u64::MAX)?
    } else {
        Vec::new()
    };
    for entry in &mut tail {
        if matches!(kind_of(entry), EntryKind::Members { .. }) {
            *entry = Entry { index: entry.index, term: entry.term, ..Entry::default() };
            rewritten.neutralised += 1;
        }
        if !active(Mutation::TailKeepsTerms) {
            entry.term = term;
        }
    }
    let begins = mode::entry(Mode::Async { released: false }, fork);
    tail.push(Entry { index: last_index + 1, term, ..begins });
    let hard_state = HardState { term, commit: settled, ..HardState::default() };
    log.append(&tail, Some(&hard_state))?;
    log.sync()?;
    Ok(rewritten)
}
