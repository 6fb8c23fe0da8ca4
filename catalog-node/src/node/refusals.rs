//! What does the node itself refuse, and in which words?

use catalog_model::{reason::Reason, refusal::Refusal};

/// What callers are advised to wait before they try again after a change of leadership.
pub(crate) const LEADER_RETRY_MS: u64 = 60;

/// What callers of a node that has stopped are advised to wait.
const DRAINING_RETRY_MS: u64 = 200;

/// What callers of a node without a sound state, or without room on its disk, are advised to wait.
const RECOVERY_RETRY_MS: u64 = 1000;

/// No node leads at the moment.
pub(crate) fn no_leader() -> Refusal {
    Refusal::new(Reason::NoLeader).retry_after(LEADER_RETRY_MS)
}

/// Another node leads, or none.
pub(crate) fn not_leader(leader: Option<u64>) -> Refusal {
    match leader {
        Some(leader) => {
            Refusal::new(Reason::NotLeader).fact("leader", leader).retry_after(LEADER_RETRY_MS)
        }
        None => no_leader(),
    }
}

/// What was proposed may or may not be committed.
pub(crate) fn outcome_unknown() -> Refusal {
    Refusal::new(Reason::OutcomeUnknown).retry_after(LEADER_RETRY_MS)
}

/// The same, of what was proposed before this node was fenced; a retry through the site that is
/// active then tells.
pub(crate) fn fenced_under_way() -> Refusal {
    Refusal::new(Reason::OutcomeUnknown).fact("cause", Reason::Fenced)
}

/// Too much waits already; nothing was done.
pub(crate) fn overloaded() -> Refusal {
    Refusal::new(Reason::Overloaded).retry_after(LEADER_RETRY_MS)
}

/// The node has stopped.
pub(crate) fn draining() -> Refusal {
    Refusal::new(Reason::Draining).retry_after(DRAINING_RETRY_MS)
}

/// The node's state is in doubt or incomplete.
pub(crate) fn quarantined() -> Refusal {
    Refusal::new(Reason::NodeQuarantined).retry_after(RECOVERY_RETRY_MS)
}

/// The disk of the node that leads has too little room.
pub(crate) fn disk_nearly_full(node: u64) -> Refusal {
    Refusal::new(Reason::DiskNearlyFull).fact("node", node).retry_after(RECOVERY_RETRY_MS)
}

/// Another change of the members is under way.
pub(crate) fn members_changing() -> Refusal {
    Refusal::new(Reason::MembersChanging).retry_after(RECOVERY_RETRY_MS)
}

/// Whether the same call may be tried again at once, elsewhere or a little later, because it
/// surely had no effect: leadership moved before it was taken.
pub(crate) fn leadership_moved(reason: Reason) -> bool {
    matches!(reason, Reason::NoLeader | Reason::NotLeader)
}
