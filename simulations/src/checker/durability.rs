//! Durability: is everything that was committed on the disks of a quorum?
//!
//! Looked at when an entry is first applied anywhere: from then on clients can hear of it, and a power
//! loss of any minority, or of all at once, must not take it back.

use std::collections::BTreeSet;

use catalog_replica::Membership;

use crate::checker::ghost::Ghost;

/// Whether the nodes of `durable` decide in every quorum that `membership` asks for.
fn is_quorum(membership: &Membership, durable: &BTreeSet<u64>) -> bool {
    let majority = |voters: &[u64]| {
        voters.is_empty()
            || voters.iter().filter(|id| durable.contains(id)).count() > voters.len() / 2
    };
    majority(&membership.voters) && majority(&membership.outgoing)
}

/// Entry `index` of `term` was applied. `memberships` are those in force about then: a leader may
/// have counted by any of them, as it applied changes before or after it counted.
pub fn check(
    index: u64,
    term: u64,
    ghost: &Ghost,
    nodes: impl Iterator<Item = u64>,
    memberships: &[Membership],
) -> Result<(), String> {
    let durable: BTreeSet<u64> = nodes.filter(|id| ghost.has_durably(*id, index, term)).collect();
    if memberships.iter().any(|membership| is_quorum(membership, &durable)) {
        return Ok(());
    }
    Err(format!(
        "entry {index} of term {term} was applied, and only {durable:?} have it durably, of \
         {memberships:?}"
    ))
}
