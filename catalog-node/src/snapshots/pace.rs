//! Pace: how long must a sender pause so that it stays below a rate?
//!
//! Counts from when it began or last was ahead: a sender that was held up does not make up for it
//! with a burst.

use std::time::{Duration, Instant};

/// Keeps something below a number of bytes in a second.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    bytes_per_second: u64,
    /// When everything that was counted so far may have gone out.
    free_at: Option<Instant>,
}

impl Pace {
    /// Nothing has gone out yet.
    pub(crate) fn new(bytes_per_second: u64) -> Self {
        Self { bytes_per_second, free_at: None }
    }

    /// Counts `bytes` that go out at `now`, and says how long to pause before the next.
    pub(crate) fn sent(&mut self, bytes: usize, now: Instant) -> Duration {
        let nanos = bytes as u128 * 1_000_000_000 / u128::from(self.bytes_per_second.max(1));
        let takes = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        let free_at = self.free_at.map_or(now, |free_at| free_at.max(now)) + takes;
        self.free_at = Some(free_at);
        free_at - now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_pauses_for_what_it_sent_and_does_not_catch_up() {
        let begin = Instant::now();
        let after = |millis| begin + Duration::from_millis(millis);
        let mut pace = Pace::new(1000);
        assert_eq!(pace.sent(100, begin), Duration::from_millis(100));
        assert_eq!(pace.sent(100, after(50)), Duration::from_millis(150), "it was early by 50");
        assert_eq!(pace.sent(100, after(900)), Duration::from_millis(100), "late is no credit");
        assert_eq!(pace.sent(0, after(2000)), Duration::ZERO);
    }
}
