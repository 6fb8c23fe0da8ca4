//! How does the log of an old generation become the beginning of a new one?
//!
//! The whole log is kept: what was acknowledged may be anywhere in it. But its tail was written for another
//! world. A change of the membership in it would bring back nodes that are to stay out, a change of the mode
//! would promise what nobody promises any more: both become empty entries. Everything in the tail gets the
//! new term, because two logs with the same term at an index are taken for equal, and these are not: sealed
//! nodes that join still have the tail as it was.
//!
//! One batch: after a crash the log is the old one or the new one.

use catalog_log::{LogError, LogStore};
use catalog_mutation::{Mutation, active};
use raft::eraftpb::{Entry, HardState};

use crate::{EntryKind, kind_of};

/// How far the term moves on: beyond any term that a node which was not sealed could reach meanwhile.
pub const TERM_STEP: u64 = 1000;

/// What was done to a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rewritten {
    /// Up to here the log is as it was, and committed.
    pub settled: u64,
    /// The last entry, which the old generation wrote.
    pub last_index: u64,
    /// The term of the tail; the first leader has a later one.
    pub term: u64,
    /// How many entries became empty.
    pub neutralised: u64,
    /// Whether it had been done before.
    pub already: bool,
}

/// Makes `log` the beginning of a new generation. `settled` comes from [`settled`](super::settled), `term` is
/// the greatest of any sealed node. May be asked again after a crash, with the same two.
///
/// The state has applied everything up to `settled` beforehand, as it was.
///
/// Panics if the log ends before `settled`: then it is not the greatest.
pub fn rewrite(log: &mut impl LogStore, settled: u64, term: u64) -> Result<Rewritten, LogError> {
    let last_index = log.last_index();
    assert!(
        settled <= last_index,
        "entry {settled} is committed, and the log ends at {last_index}"
    );
    let term = term + TERM_STEP;
    let already = log.hard_state().term >= term;
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
        if matches!(kind_of(entry), EntryKind::Members { .. } | EntryKind::Mode { .. }) {
            *entry = Entry { index: entry.index, term: entry.term, ..Entry::default() };
            rewritten.neutralised += 1;
        }
        if !active(Mutation::TailKeepsTerms) {
            entry.term = term;
        }
    }
    let hard_state = HardState { term, commit: settled, ..HardState::default() };
    log.append(&tail, Some(&hard_state))?;
    log.sync()?;
    Ok(rewritten)
}
