//! Slow disk: is this leader's disk so slow that another node should lead?
//!
//! Every acknowledged write waits for the leader's own sync only if the others are no faster, but
//! everything the leader does waits behind its disk. One long sync says nothing: every disk has
//! them. A run of them does. The rule takes durations and returns a verdict; who measures and who
//! hands over is the node's business.

use std::time::Duration;

/// A sync that takes longer than this is slow: ten times what a busy disk of a server takes.
pub(crate) const SLOW: Duration = Duration::from_millis(200);
/// So many slow ones of the last [`WINDOW`] make a slow disk.
pub(crate) const SLOW_MANY: usize = 6;
/// Syncs that are remembered.
pub(crate) const WINDOW: usize = 8;
/// At most this many slow ones of the last [`WINDOW`] make it a sound disk again. The gap between
/// both keeps the alarm from flickering.
pub(crate) const SLOW_FEW: usize = 2;

/// The last syncs of one disk.
#[derive(Debug, Clone, Default)]
pub(crate) struct Syncs {
    slow: std::collections::VecDeque<bool>,
    judged_slow: bool,
}

impl Syncs {
    /// A sync took `took`. Returns whether the disk counts as slow from now on, if that changed.
    pub(crate) fn saw(&mut self, took: Duration) -> Option<bool> {
        if self.slow.len() == WINDOW {
            self.slow.pop_front();
        }
        self.slow.push_back(took > SLOW);
        let slow = self.slow.iter().filter(|slow| **slow).count();
        let judged = if self.judged_slow { slow > SLOW_FEW } else { slow >= SLOW_MANY };
        (std::mem::replace(&mut self.judged_slow, judged) != judged).then_some(judged)
    }
}

#[cfg(test)]
mod tests;
