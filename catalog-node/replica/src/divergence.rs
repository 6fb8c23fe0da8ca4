//! Do the replicas still have the same state, and if not, who is wrong?
//!
//! Each keeps the hash of its state at agreed indexes and hears those of the others. A pure judgement over
//! what is known at one index. Two habits it does not have: to believe the leader, who has no better claim
//! than any other, and to take silence for agreement; a hash that is missing says nothing.

use std::collections::{BTreeMap, BTreeSet};

use catalog_mutation::{Mutation, active};

/// The state of one replica at one index, as far as its hash tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The last entry that the state contained.
    pub index: u64,
    /// The hash of the state then.
    pub hash: [u8; 32],
}

/// What the marks at one index say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// A majority of the voters has the same state as we, and nobody is known to have another.
    Agreed,
    /// Nobody is known to have another state, but too few are known to have ours.
    Unknown,
    /// A majority of the voters has one state, and ours is another: ours is wrong, and is to be replaced.
    Alone,
    /// A majority of the voters has our state, and these replicas have another, in order of their ids.
    Other(Vec<u64>),
    /// There are different states, and none has a majority of the voters. Somebody has to look.
    Undecided,
}

/// Judges our mark by those of the others at the same index; marks at other indexes are as good as none.
///
/// `id` is this replica. Only voters can make a majority; a learner can be found wrong like any other.
pub fn judge(id: u64, own: Mark, others: &BTreeMap<u64, Mark>, voters: &[u64]) -> Comparison {
    let mut known: BTreeMap<u64, [u8; 32]> = others
        .iter()
        .filter(|(_, mark)| mark.index == own.index)
        .map(|(other, mark)| (*other, mark.hash))
        .collect();
    known.insert(id, own.hash);
    let has_majority = |hash: &[u8; 32]| {
        let agreeing = voters
            .iter()
            .filter(|voter| match known.get(voter) {
                Some(known) => known == hash,
                None => active(Mutation::MissingHashIsEqual),
            })
            .count();
        agreeing * 2 > voters.len()
    };
    let hashes: BTreeSet<&[u8; 32]> = known.values().collect();
    if hashes.len() == 1 {
        return if has_majority(&own.hash) { Comparison::Agreed } else { Comparison::Unknown };
    }
    if has_majority(&own.hash) {
        let differing = known.iter().filter(|(_, hash)| **hash != own.hash);
        return Comparison::Other(differing.map(|(other, _)| *other).collect());
    }
    if hashes.into_iter().any(has_majority) { Comparison::Alone } else { Comparison::Undecided }
}

#[cfg(test)]
mod tests;
