//! History: what happened lately, for those who watch?
//!
//! Watchers read committed changes from one bounded ring, each at its own pace, and need no queue
//! of their own: a slow one costs nothing, and one that falls out of the ring is told from where
//! to go on. The ring is this node's memory, not state: a watcher that comes back to another node
//! finds there what that node has applied since it started.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use catalog_model::{reason::Reason, refusal::Refusal, time::UtcMillis};
use catalog_state::event::Event;
use tokio::sync::watch;

/// Entries that are kept. Entries without events are not.
const KEPT: usize = 16 * 1024;

/// What one committed entry changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// Its place in the log.
    pub index: u64,
    /// The committed clock after it.
    pub clock: UtcMillis,
    /// What changed, in order.
    pub events: Vec<Event>,
}

/// What happened lately on this node.
#[derive(Debug)]
pub struct History {
    ring: Mutex<Ring>,
    newest: watch::Sender<u64>,
}

#[derive(Debug)]
struct Ring {
    /// In the order of their indexes.
    kept: VecDeque<Arc<Committed>>,
    /// Everything after this entry is kept.
    complete_after: u64,
}

/// A place in the history, from which it is read on.
#[derive(Debug)]
pub struct Subscription {
    history: Arc<History>,
    newest: watch::Receiver<u64>,
    after: u64,
}

/// The watcher is further behind than the history reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("changes after entry {after} are not kept any more; they are from entry {kept} on")]
pub struct FellBehind {
    /// Where the watcher stands.
    pub after: u64,
    /// The oldest entry after which everything is kept.
    pub kept: u64,
}

impl FellBehind {
    /// What the watcher is told: read the present state, then watch from there.
    pub fn refusal(self) -> Refusal {
        Refusal::new(Reason::Overloaded)
            .fact("after_index", self.after)
            .fact("kept_after_index", self.kept)
            .field(
                "after_index",
                format!(
                    "changes are kept after {} only: list again, then watch from there",
                    self.kept
                ),
                format!("仅保留位置 {} 之后的变更，请重新列出后再从该处监视", self.kept),
            )
            .retry_after(0)
    }
}

impl History {
    /// A history that begins after entry `applied`.
    pub fn new(applied: u64) -> Arc<Self> {
        let ring = Ring { kept: VecDeque::new(), complete_after: applied };
        Arc::new(Self { ring: Mutex::new(ring), newest: watch::Sender::new(applied) })
    }

    /// Adds what entries up to `applied` changed.
    pub fn add(&self, committed: Vec<Committed>, applied: u64) {
        {
            let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
            for one in committed.into_iter().filter(|one| !one.events.is_empty()) {
                if ring.kept.len() == KEPT
                    && let Some(oldest) = ring.kept.pop_front()
                {
                    ring.complete_after = oldest.index;
                }
                ring.kept.push_back(Arc::new(one));
            }
        }
        self.newest.send_replace(applied);
    }

    /// The state was replaced by one that contains everything up to `applied`: what happened in
    /// between is not known here, and whoever watched is told so.
    pub fn restart(&self, applied: u64) {
        {
            let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
            ring.kept.clear();
            ring.complete_after = applied;
        }
        self.newest.send_replace(applied);
    }

    /// Reads on after entry `after`; from now on if it is `None`.
    pub fn subscribe(self: &Arc<Self>, after: Option<u64>) -> Subscription {
        let newest = self.newest.subscribe();
        let after = after.unwrap_or_else(|| *newest.borrow());
        Subscription { history: Arc::clone(self), newest, after }
    }

    /// Follows which entry is applied on this node.
    pub fn applied(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }

    fn after(&self, after: u64) -> Result<Vec<Arc<Committed>>, FellBehind> {
        let ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        if after < ring.complete_after {
            return Err(FellBehind { after, kept: ring.complete_after });
        }
        let first = ring.kept.partition_point(|one| one.index <= after);
        Ok(ring.kept.iter().skip(first).take(256).cloned().collect())
    }
}

impl Subscription {
    /// What was committed next, at least one; `None` when the node ends.
    pub async fn next(&mut self) -> Option<Result<Vec<Arc<Committed>>, FellBehind>> {
        loop {
            let newest = *self.newest.borrow_and_update();
            match self.history.after(self.after) {
                Err(behind) => return Some(Err(behind)),
                Ok(found) => {
                    if let Some(last) = found.last() {
                        self.after = last.index;
                        return Some(Ok(found));
                    }
                    // Entries without events need not be kept for us.
                    self.after = self.after.max(newest);
                }
            }
            self.newest.changed().await.ok()?;
        }
    }

    /// The entry up to which everything was read.
    pub fn after(&self) -> u64 {
        self.after
    }
}

#[cfg(test)]
mod tests;
