//! Whose log goes on, and up to where is it settled?

use catalog_mutation::{Mutation, active};

use super::Sealed;

/// The node whose log holds every entry that was committed, if enough are sealed: the one with the greatest
/// last entry, learners included. Of equal ones the lowest id, so that all who ask find the same.
///
/// Not the one with the highest commit index: what is committed is known late, and to some only.
pub fn greatest(sealed: &[Sealed]) -> Option<&Sealed> {
    if active(Mutation::PromotesFixedNode) {
        return sealed.iter().min_by_key(|sealed| sealed.node);
    }
    sealed.iter().max_by_key(|sealed| {
        let log = (sealed.last_term, sealed.last_index);
        let log = if active(Mutation::PromotesHighestCommit) { (0, sealed.commit) } else { log };
        (log, std::cmp::Reverse(sealed.node))
    })
}

/// Up to where the greatest log is as it was: the greatest index that any sealed node knows committed.
///
/// Not the promoted node's own: a voter that is sealed may have applied, and told others of, a change of the
/// membership that the promoted node has in its log and has not heard the end of.
pub fn settled(sealed: &[Sealed]) -> u64 {
    if active(Mutation::TailOfOwnCommit) {
        return greatest(sealed).map_or(0, |sealed| sealed.commit);
    }
    sealed.iter().map(|sealed| sealed.commit).max().unwrap_or(0)
}
