//! Clocks: what time is it in truth, and what does each node believe?
//!
//! Virtual time drives ticks, messages and timeouts, in milliseconds. Calendar time moves with it and
//! also *leaps*: for hours or days at once nothing happens, as at night and over holidays, so that
//! legal deadlines fall due in a run of a minute. Nodes see leaps on both of their clocks, as they
//! would see quiet days. What is false is what faults make false: a wall clock that is ahead or
//! behind, a monotonic clock that runs at another rate.

use std::time::Duration;

use catalog_model::time::UtcMillis;
use catalog_state::stamp::Baseline;

/// How far a stamp may be ahead of what the clocks explain; the product's default.
pub const MARGIN: Duration = Duration::from_mins(5);

/// A wall clock that is no more than this ahead may stamp. Less than [`MARGIN`], so that a correct
/// node never has to be refused.
pub const TOLERATED_AHEAD_MS: i64 = 4 * 60_000;

/// A leader's wall clock that is behind holds the committed clock back, and when a right one takes
/// over, that much of the 24 hours passes at once for which calls are remembered. Clients give up
/// after twelve; beyond the difference nobody promises that a retry is recognized.
pub const TOLERATED_BEHIND_MS: u64 = 10 * 3_600_000;

/// The truth.
#[derive(Clone, Copy, Debug)]
pub struct WorldClock {
    /// Calendar time at the beginning.
    pub began: UtcMillis,
    /// Virtual milliseconds since the beginning.
    pub now: u64,
    /// Milliseconds that were leapt over so far.
    pub leapt: u64,
}

impl WorldClock {
    /// The right time of day.
    pub fn calendar(&self) -> UtcMillis {
        self.began.plus(self.elapsed())
    }

    /// Milliseconds since the beginning, leaps included.
    pub fn elapsed(&self) -> u64 {
        self.now + self.leapt
    }
}

/// The clocks of one node, and what it knows about time.
#[derive(Clone, Debug)]
pub struct NodeClock {
    /// By how many milliseconds the wall clock is ahead; negative = behind.
    pub offset_ms: i64,
    /// By how many millionths the monotonic clock is fast.
    rate_ppm: i64,
    baseline: Baseline,
}

impl NodeClock {
    /// A clock that is off by so much.
    pub fn new(offset_ms: i64, rate_ppm: i64) -> Self {
        let baseline = Baseline::new(UtcMillis(0), Duration::ZERO);
        Self { offset_ms, rate_ppm, baseline }
    }

    /// The process begins with a state whose committed clock is `committed`.
    pub fn boot(&mut self, committed: UtcMillis, world: &WorldClock) {
        self.baseline = Baseline::new(committed, self.monotonic(world));
    }

    /// The committed clock is `committed` now.
    pub fn saw(&mut self, committed: UtcMillis, world: &WorldClock) {
        self.baseline.saw(committed, self.monotonic(world));
    }

    /// An operator vouches for what the wall clock shows.
    pub fn vouch(&mut self, world: &WorldClock) {
        self.baseline.vouch(self.wall(world), self.monotonic(world));
    }

    /// What the wall clock shows.
    fn wall(&self, world: &WorldClock) -> UtcMillis {
        UtcMillis(world.calendar().0.saturating_add_signed(self.offset_ms))
    }

    fn monotonic(&self, world: &WorldClock) -> Duration {
        let passed = world.elapsed() as i64;
        Duration::from_millis((passed + passed * self.rate_ppm / 1_000_000) as u64)
    }

    /// Whether a command may carry this clock's time, by the truth that only the checker knows.
    pub fn is_sound(&self) -> bool {
        self.offset_ms <= TOLERATED_AHEAD_MS
    }

    /// The stamp for a command proposed now, or by how many milliseconds the wall clock is beyond
    /// what can be explained: the rule of the product.
    pub fn stamp(&self, world: &WorldClock) -> Result<UtcMillis, u64> {
        self.baseline.stamp(self.wall(world), self.monotonic(world), MARGIN)
    }
}
