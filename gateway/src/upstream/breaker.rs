//! Breaker: is it worth asking this node now?
//!
//! It counts failures in a row, exactly, and no averages: a node that is gone fails every call,
//! and one that fails now and then is still the best there is. After a few in a row the node is
//! left alone for a moment, then one call tries it, and its outcome decides for all. The pause
//! doubles up to a bound that is short, because a breaker that outlasts an election would itself
//! be the outage.

use std::time::Duration;

/// Failures in a row after which a node is left alone.
const FAILURES_MAX: u32 = 3;
/// First pause, and the longest.
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// The standing of one node. Times count from any fixed moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Breaker {
    /// Failures since the last success.
    failures: u32,
    /// Until when the node is left alone; meaningful only once `failures` reached the bound.
    rests_until: Duration,
}

impl Breaker {
    /// Whether a call may try the node at `now`. If the answer ends a pause, it is yes only once:
    /// that call tries for all others.
    pub fn try_pass(&mut self, now: Duration) -> bool {
        if self.failures < FAILURES_MAX {
            return true;
        }
        if now < self.rests_until {
            return false;
        }
        // If the one that tries is never heard of again, another may after the same pause.
        self.rests_until = now + self.pause();
        true
    }

    /// The node answered, whatever it said.
    pub fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// The node did not answer.
    pub fn failed(&mut self, now: Duration) {
        self.failures = self.failures.saturating_add(1);
        if self.failures >= FAILURES_MAX {
            self.rests_until = now + self.pause();
        }
    }

    fn pause(self) -> Duration {
        let doublings = self.failures.saturating_sub(FAILURES_MAX).min(16);
        PAUSE_MAX.min(PAUSE_MIN * 2_u32.pow(doublings))
    }
}

#[cfg(test)]
mod tests;
