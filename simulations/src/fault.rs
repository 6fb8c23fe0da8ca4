//! Faults: what goes wrong in a run, and when?
//!
//! A plan is drawn from the seed before anything happens. Every class that is enabled is planned at
//! least once; a run in which one of them did not come to pass proves less than it says, and fails.

use std::fmt;

use crate::prng::Prng;

/// The classes of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A machine loses power, and what was not synced with it.
    PowerLoss,
    /// The same in the middle of a write: at one of the next operations of the disk.
    TornWrite,
    /// All machines lose power at once.
    PowerLossEverywhere,
    /// A process is killed; what it wrote stays.
    Kill,
    /// A sync fails. The process ends, and the machine starts anew: what its memory held is gone.
    SyncFailure,
    /// A node is cut off from the others.
    Partition,
    /// One direction between two nodes is cut.
    OneWayPartition,
    /// A connection breaks and loses what was under way.
    BrokenConnection,
    /// A leader's wall clock jumps ahead, by 400 days or by two hours.
    ClockAhead,
    /// A wall clock moves within what is tolerated ahead, or back by hours.
    ClockOff,
}

impl Kind {
    const ALL: [Self; 10] = [
        Self::PowerLoss,
        Self::TornWrite,
        Self::PowerLossEverywhere,
        Self::Kill,
        Self::SyncFailure,
        Self::Partition,
        Self::OneWayPartition,
        Self::BrokenConnection,
        Self::ClockAhead,
        Self::ClockOff,
    ];

    /// Whether every run has it.
    fn is_always(self) -> bool {
        matches!(self, Self::PowerLoss | Self::Partition | Self::ClockAhead)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PowerLoss => "power-loss",
            Self::TornWrite => "torn-write",
            Self::PowerLossEverywhere => "power-loss-everywhere",
            Self::Kill => "kill",
            Self::SyncFailure => "sync-failure",
            Self::Partition => "partition",
            Self::OneWayPartition => "one-way-partition",
            Self::BrokenConnection => "broken-connection",
            Self::ClockAhead => "clock-ahead",
            Self::ClockOff => "clock-off",
        })
    }
}

/// A fault to come.
#[derive(Clone, Copy, Debug)]
pub struct Planned {
    /// When, in virtual milliseconds.
    pub at: u64,
    /// What.
    pub kind: Kind,
    /// How long until it is repaired, in virtual milliseconds.
    pub lasts: u64,
}

/// All faults of a run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The classes that this run must see.
    pub enabled: Vec<Kind>,
    /// The faults, in order.
    pub faults: Vec<Planned>,
}

impl Plan {
    /// Draws the faults between `from` and `to`, in virtual milliseconds.
    pub fn draw(prng: &mut Prng, from: u64, to: u64) -> Self {
        let enabled: Vec<Kind> =
            Kind::ALL.into_iter().filter(|kind| kind.is_always() || prng.chance(65)).collect();
        let mut owed = enabled.clone();
        let mut faults = Vec::new();
        let mut at = from;
        while at < to {
            let kind = if owed.is_empty() {
                *prng.pick(&enabled)
            } else {
                owed.swap_remove(prng.below(owed.len() as u64) as usize)
            };
            faults.push(Planned { at, kind, lasts: prng.between(200, 2500) });
            at += prng.between(300, 2200);
        }
        assert!(owed.is_empty(), "a run is long enough for one fault of each class");
        Self { enabled, faults }
    }
}
