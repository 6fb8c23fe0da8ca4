//! How does a node end its part in a generation, and what does it say about it?
//!
//! Sealing takes the [`Replica`] away: messages that waited for a write go with it, so that a write that ends
//! after the seal has nobody left to tell. The shell drains its log writer first, persists the pair that it
//! heard, and only then reports what is here.

use catalog_log::{LogError, LogRead, LogStore};

use crate::{EntryKind, Membership, Replica, SiteId, kind_of};

/// Entries of the log looked at at once, in bytes.
const SCAN_BYTES: u64 = 1 << 20;

/// What a sealed node says about its log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The node.
    pub node: u64,
    /// Where it stands.
    pub site: SiteId,
    /// The generation to which it belonged until then.
    pub generation: u64,
    /// Term of the last entry.
    pub last_term: u64,
    /// Index of the last entry.
    pub last_index: u64,
    /// The greatest term that the node knows of.
    pub term: u64,
    /// The last entry that it knows committed; its state contains no later one.
    pub commit: u64,
    /// Every configuration that it has: that of its state first, then what changes in the log after it make of
    /// it, each.
    pub configurations: Vec<Membership>,
}

impl<R: LogRead> Replica<R> {
    /// Ends this replica: whatever it would still have sent is never sent.
    pub fn seal(self) {
        drop(self);
    }
}

impl Sealed {
    /// What `log` says, of a node whose state has applied everything up to `applied` and then has
    /// `membership`. The log holds all that was ever written to it: the writer was drained.
    pub fn of<L: LogStore>(
        node: u64,
        site: SiteId,
        generation: u64,
        log: &L,
        applied: u64,
        membership: &Membership,
    ) -> Result<Self, LogError> {
        let hard_state = log.hard_state();
        let last_index = log.last_index();
        let last_term = if last_index == 0 { 0 } else { log.term(last_index)? };
        Ok(Self {
            node,
            site,
            generation,
            last_term,
            last_index,
            term: hard_state.term.max(last_term),
            commit: hard_state.commit.max(applied),
            configurations: configurations(log, applied, membership)?,
        })
    }
}

/// `membership`, and all that changes in `log` after `applied` would make of it, one after the other. A change
/// that does not fit is one that no leader could have proposed here, and changes nothing.
pub fn configurations(
    log: &impl LogRead,
    applied: u64,
    membership: &Membership,
) -> Result<Vec<Membership>, LogError> {
    let mut found = vec![membership.clone()];
    let mut next = (applied + 1).max(log.first_index());
    while next <= log.last_index() {
        let entries = log.entries(next, log.last_index() + 1, SCAN_BYTES)?;
        let Some(last) = entries.last() else { break };
        next = last.index + 1;
        for entry in &entries {
            let EntryKind::Members { change: Ok(change), .. } = kind_of(entry) else { continue };
            let newest = found.last().expect("there is one from the start");
            if let Ok(after) = newest.after(change) {
                found.push(after);
            }
        }
    }
    Ok(found)
}
