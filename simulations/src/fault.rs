//! Faults: what goes wrong in a run, and when?
//!
//! A plan is drawn from the seed before anything happens. Each seed switches classes on and off, so
//! that some runs are about disks and others about clocks. Every class that is on is planned at least
//! once; a run in which one of them did not come to pass proves less than it says, and fails.
//!
//! Each fault brings its own chance with it: taking one out of a plan does not change what the others
//! are. That is what makes a plan shrink.

use std::fmt;

use crate::{prng::Prng, scenario::Scenario};

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal;)*) => {
        /// The classes of faults.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Kind {
            $($(#[doc = $doc])+ $variant,)*
        }

        impl Kind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name in reports.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

kinds! {
    /// A machine loses power, and what was not synced with it.
    PowerLoss = "power-loss";
    /// The same in the middle of a write: at one of the next operations of the disk.
    TornWrite = "torn-write";
    /// The same between two acts of a round: see [`Boundary`].
    BoundaryCrash = "boundary-crash";
    /// All machines lose power at once.
    PowerLossEverywhere = "power-loss-everywhere";
    /// A process is killed; what it wrote stays.
    Kill = "kill";
    /// A process stands still for a while, and its timers with it. Connections hold.
    Pause = "pause";
    /// A sync or a write fails. The process ends, and the machine starts anew: what its memory held is
    /// gone.
    DiskFailure = "disk-failure";
    /// The disk is full for a while: the process ends, and cannot start before there is room.
    DiskFull = "disk-full";
    /// Every sync takes long for a while.
    SlowDisk = "slow-disk";
    /// An old record of a log decays. The node refuses to start on it and is replaced.
    BitRot = "bit-rot";
    /// A machine comes back with an empty disk, under its old id. It is refused and replaced.
    WipedDisk = "wiped-disk";
    /// A state cannot be read any more; the log can. The node gets a snapshot under the same id.
    StateLoss = "state-loss";
    /// A row of a state changes and no checksum notices.
    SilentChange = "silent-change";
    /// A node is cut off from the others.
    Partition = "partition";
    /// One direction between two nodes is cut.
    OneWayPartition = "one-way-partition";
    /// The two sites are cut off from each other.
    SitePartition = "site-partition";
    /// A connection breaks and loses what was under way.
    BrokenConnection = "broken-connection";
    /// A connection breaks, and some of what was sent on it comes later, or again.
    Duplicates = "duplicates";
    /// A direction loses a part of its messages for a while.
    Loss = "loss";
    /// A direction is slow for a while.
    Delay = "delay";
    /// A leader's wall clock jumps ahead, by 400 days or by two hours.
    ClockAhead = "clock-ahead";
    /// A wall clock moves within what is tolerated ahead, or back by hours.
    ClockOff = "clock-off";
    /// A node is down so long that the others forget what it misses: it needs a snapshot.
    LongAbsence = "long-absence";
    /// Leadership is handed over.
    Transfer = "transfer";
    /// A member is added, promoted, removed or replaced.
    Membership = "membership";
}

impl Kind {
    /// Whether the cluster needs seconds to get over it. Such faults wait for each other.
    pub(crate) fn is_lasting(self) -> bool {
        matches!(
            self,
            Self::BitRot
                | Self::WipedDisk
                | Self::StateLoss
                | Self::SilentChange
                | Self::LongAbsence
                | Self::Membership
        )
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where, between two acts of a round, the power can go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Boundary {
    /// Before the log is written.
    BeforeLogWrite,
    /// After the log was written, before it is synced.
    BeforeSync,
    /// After the sync, before anything that waited for it is sent.
    AfterSync,
    /// Messages left, their entries are committed, the state does not have them.
    BeforeApply,
    /// The state has a batch; nobody was told.
    AfterApply,
    /// Before a snapshot's new state is built.
    BeforeInstall,
    /// The new state is complete; the log does not know.
    BetweenInstalls,
    /// The log begins after the snapshot; the old state is still the current one.
    AfterInstall,
    /// Between the mark of a compaction and the freeing of its segments.
    Compaction,
}

impl Boundary {
    /// All of them, in the order of a round.
    pub const ALL: [Self; 9] = [
        Self::BeforeLogWrite,
        Self::BeforeSync,
        Self::AfterSync,
        Self::BeforeApply,
        Self::AfterApply,
        Self::BeforeInstall,
        Self::BetweenInstalls,
        Self::AfterInstall,
        Self::Compaction,
    ];

    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::BeforeLogWrite => "before-log-write",
            Self::BeforeSync => "before-sync",
            Self::AfterSync => "after-sync",
            Self::BeforeApply => "before-apply",
            Self::AfterApply => "after-apply",
            Self::BeforeInstall => "before-install",
            Self::BetweenInstalls => "between-installs",
            Self::AfterInstall => "after-install",
            Self::Compaction => "compaction",
        }
    }
}

/// A fault to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planned {
    /// When, in virtual milliseconds.
    pub at: u64,
    /// What.
    pub kind: Kind,
    /// How long until it is repaired, in virtual milliseconds.
    pub lasts: u64,
    /// From which everything else about it is drawn.
    pub chance: u64,
}

impl fmt::Display for Planned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, kind, lasts, .. } = self;
        write!(f, "at {}.{:03} {kind} for {lasts} ms", at / 1000, at % 1000)
    }
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
    pub fn draw(scenario: Scenario, prng: &mut Prng, from: u64, to: u64) -> Self {
        let enabled: Vec<Kind> = Kind::ALL
            .iter()
            .copied()
            .filter(|kind| prng.chance(scenario.likelihood(*kind)))
            .collect();
        let weighted: Vec<Kind> = enabled
            .iter()
            .flat_map(|kind| (0..scenario.weight(*kind)).map(move |_| *kind))
            .collect();
        let mut owed = enabled.clone();
        let mut faults = Vec::new();
        let mut at = from;
        while at < to {
            // Most are of a class that has not been planned yet.
            let kind = if owed.is_empty() || faults.len() % 4 == 3 {
                *prng.pick(&weighted)
            } else {
                owed.swap_remove(prng.below(owed.len() as u64) as usize)
            };
            owed.retain(|other| *other != kind);
            let (lasts, chance) = (prng.between(200, 1500), prng.draw());
            faults.push(Planned { at, kind, lasts, chance });
            at += prng.between(200, 1300);
        }
        assert!(owed.is_empty(), "a run is long enough for one fault of each class");
        Self { enabled, faults }
    }
}
