//! Backoff: how long is waited before the same thing is tried again?
//!
//! The pause doubles from attempt to attempt up to a bound. Each is drawn between half and the
//! whole of it, so that those who failed together do not return together.

use std::time::Duration;

/// The pauses of one series of attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    next: Duration,
    max: Duration,
}

impl Backoff {
    /// Pauses that begin at about `first` and grow to about `max`.
    pub fn new(first: Duration, max: Duration) -> Self {
        Self { next: first.min(max), max }
    }

    /// The next pause; `chance` lies between 0 and 1.
    pub fn pause(&mut self, chance: f64) -> Duration {
        let whole = self.next;
        self.next = (whole * 2).min(self.max);
        whole / 2 + (whole / 2).mul_f64(chance.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_bound_and_keep_between_half_and_whole() {
        let mut backoff = Backoff::new(Duration::from_millis(20), Duration::from_millis(100));
        let longest: Vec<_> = (0..4).map(|_| backoff.pause(1.0).as_millis()).collect();
        assert_eq!(longest, [20, 40, 80, 100]);
        assert_eq!(backoff.pause(0.0).as_millis(), 50);
        assert_eq!(backoff.pause(7.0).as_millis(), 100);
    }
}
