//! The stamp: which time may a proposer write on a command?
//!
//! A pure rule, so that nodes and simulations share it; who reads which clock is the shell's affair.
//! A stamp is data to everyone else: it moves the committed clock, and with it legal deadlines. A
//! clock that has jumped must therefore not get through. The wall clock is believed as far as time
//! has passed since a trusted instant, by the monotonic clock, and a margin. The trusted instant is
//! the committed clock, or what an operator vouched for until the committed clock has caught up.

use std::time::Duration;

use catalog_model::time::UtcMillis;
use catalog_mutation::{Mutation, active};

/// What a proposer knows about time. `now` is always the monotonic clock, from any fixed origin.
#[derive(Debug, Clone)]
pub struct Baseline {
    committed: UtcMillis,
    trusted: UtcMillis,
    /// When `trusted` was met.
    at: Duration,
    /// Whether an operator vouched for `trusted`.
    vouched: bool,
}

impl Baseline {
    /// Of a state whose committed clock is `committed`.
    pub fn new(committed: UtcMillis, now: Duration) -> Self {
        Self { committed, trusted: committed, at: now, vouched: false }
    }

    /// The newest committed clock that was seen.
    pub fn committed(&self) -> UtcMillis {
        self.committed
    }

    /// The committed clock is `committed` now. Entries from before an operator's word, applied late,
    /// do not end it.
    pub fn saw(&mut self, committed: UtcMillis, now: Duration) {
        if committed > self.committed {
            self.committed = committed;
            if !self.vouched || committed >= self.trusted {
                *self = Self::new(committed, now);
            }
        }
    }

    /// An operator vouches that it is `wall` now. What the wall clock shows later must fit that: the
    /// word is for one reading, not for the clock.
    pub fn vouch(&mut self, wall: UtcMillis, now: Duration) {
        *self = Self { trusted: wall.max(self.committed), at: now, vouched: true, ..*self };
    }

    /// The stamp for a wall clock of `wall`, never before the committed clock; or by how many
    /// milliseconds `wall` is further ahead than the time passed and `margin` explain.
    ///
    /// A cluster whose clock is still zero has nothing to compare with and takes what it gets.
    pub fn stamp(
        &self,
        wall: UtcMillis,
        now: Duration,
        margin: Duration,
    ) -> Result<UtcMillis, u64> {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let elapsed = now.saturating_sub(self.at);
        let plausible = self.trusted.plus(millis(elapsed)).plus(millis(margin));
        let bounded = !active(Mutation::StampUnbounded);
        if self.trusted != UtcMillis(0) && wall > plausible && bounded {
            return Err(wall.0 - plausible.0);
        }
        Ok(wall.max(self.committed))
    }
}

#[cfg(test)]
mod tests;
