//! The clock: which time does the leader write on what it proposes?
//!
//! The only place that reads the machine's clock for replicated purposes. A stamp is data to
//! everyone else: it moves the committed clock, and with it legal deadlines. A clock that has
//! jumped must therefore not get through. The wall clock is believed as far as time has passed
//! since a committed clock was last seen, by the monotonic clock, and a margin; beyond that nothing
//! is stamped, an alarm is raised, and an operator either corrects the machine or starts the node
//! with `--accept-clock`. A clock that is behind never moves time back: the committed clock stands.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use catalog_model::{reason::Reason, refusal::Refusal, time::UtcMillis};
use catalog_state::stamp::Baseline;

use crate::alarms::Alarms;

/// Name of the alarm.
pub const CLOCK_AHEAD: &str = "clock-ahead";

/// Where the time of day comes from; another one in tests.
#[derive(Clone)]
pub struct WallClock(Arc<dyn Fn() -> UtcMillis + Send + Sync>);

impl WallClock {
    /// The machine's.
    pub fn system() -> Self {
        Self::from_fn(|| {
            let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
            UtcMillis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
        })
    }

    /// Whatever `now` says.
    pub fn from_fn(now: impl Fn() -> UtcMillis + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The time of day.
    pub fn now(&self) -> UtcMillis {
        (self.0)()
    }
}

impl Default for WallClock {
    fn default() -> Self {
        Self::system()
    }
}

impl fmt::Debug for WallClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WallClock")
    }
}

/// Stamps what this node proposes.
#[derive(Debug)]
pub struct StampClock {
    wall: WallClock,
    margin: Duration,
    alarms: Arc<Alarms>,
    /// Where the monotonic clock counts from.
    origin: Instant,
    seen: Mutex<Baseline>,
}

impl StampClock {
    /// A clock for a state whose committed clock is `committed`.
    pub fn new(
        wall: WallClock,
        committed: UtcMillis,
        margin: Duration,
        accepted: bool,
        alarms: Arc<Alarms>,
    ) -> Self {
        let mut seen = Baseline::new(committed, Duration::ZERO);
        if accepted {
            seen.vouch(wall.now(), Duration::ZERO);
        }
        Self { wall, margin, alarms, origin: Instant::now(), seen: Mutex::new(seen) }
    }

    /// The committed clock is `committed` now.
    pub fn saw(&self, committed: UtcMillis) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.saw(committed, self.origin.elapsed());
    }

    /// The committed clock that was seen last.
    pub fn committed(&self) -> UtcMillis {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).committed()
    }

    /// The time of day, for what is only shown to people.
    pub fn wall(&self) -> UtcMillis {
        self.wall.now()
    }

    /// The stamp for a command proposed now.
    pub fn stamp(&self) -> Result<UtcMillis, Refusal> {
        let wall = self.wall.now();
        let judged = {
            let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.stamp(wall, self.origin.elapsed(), self.margin)
        };
        match judged {
            Ok(stamp) => {
                self.alarms.clear(CLOCK_AHEAD, "");
                Ok(stamp)
            }
            Err(ahead_ms) => {
                self.alarms.raise(CLOCK_AHEAD, "", wall);
                Err(Refusal::new(Reason::StampOutOfBounds).fact("ahead_ms", ahead_ms))
            }
        }
    }
}

/// Sixteen bytes of a new ULID: milliseconds of the machine's clock, then chance.
pub(crate) fn ulid_bytes() -> [u8; 16] {
    let mut bytes: [u8; 16] = crate::random_bytes();
    bytes[..6].copy_from_slice(&WallClock::system().now().0.to_be_bytes()[2..]);
    bytes
}

#[cfg(test)]
mod tests;
