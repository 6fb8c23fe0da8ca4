//! Handing over leadership: who is fit to lead, and who is asked first?
//!
//! Raft has no negative answer to a transfer: a target that is not up to it costs one election
//! timeout without writes. So the target is asked first, and judges itself by [`fit`]. What is
//! decided here are values; who asks whom is the node's business (`node`, `handle`).

/// How many entries a target may lack. More, and the writes that wait would wait for it.
pub(crate) const LAG_MAX: u64 = 128;

/// How a node stands that was asked whether it could lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent findings, named one by one")]
pub(crate) struct Fitness {
    /// Whether it has a vote.
    pub(crate) votes: bool,
    /// Whether its state is in doubt.
    pub(crate) quarantined: bool,
    /// Whether a snapshot is on its way to it.
    pub(crate) receiving_snapshot: bool,
    /// Whether its disk has too little room for changes.
    pub(crate) disk_nearly_full: bool,
    /// Whether its own syncs are slow.
    pub(crate) disk_slow: bool,
    /// The last entry that it has applied.
    pub(crate) applied: u64,
    /// The last entry of the leader that asks.
    pub(crate) leader_last: u64,
}

/// Why a node is not to lead now; `None` if it may.
pub(crate) fn unfit(node: Fitness) -> Option<&'static str> {
    if !node.votes {
        Some("it has no vote")
    } else if node.quarantined {
        Some("its state is in doubt")
    } else if node.receiving_snapshot {
        Some("it is receiving a snapshot")
    } else if node.disk_nearly_full {
        Some("its disk is nearly full")
    } else if node.disk_slow {
        Some("its disk is slow")
    } else if node.applied.saturating_add(LAG_MAX) < node.leader_last {
        Some("it lags behind")
    } else {
        None
    }
}

/// Whom to ask whether it would lead: the voters but `own`, the most caught up first.
pub(crate) fn candidates(own: u64, voters: &[u64], matched: &[(u64, u64)]) -> Vec<u64> {
    let mut others: Vec<(u64, u64)> =
        matched.iter().copied().filter(|(id, _)| *id != own && voters.contains(id)).collect();
    others.sort_by_key(|(id, matched)| (std::cmp::Reverse(*matched), *id));
    others.into_iter().map(|(id, _)| id).collect()
}

#[cfg(test)]
mod tests;
