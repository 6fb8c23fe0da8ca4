//! Scenarios: in what kind of world does a seed happen?

use std::{fmt, str::FromStr};

use crate::fault::Kind;

/// How many clients there are.
pub(crate) const CLIENTS: u64 = 20;

/// A kind of world.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scenario {
    /// Three nodes, two sites, every class of faults; each seed has its own selection of them.
    #[default]
    Standard,
    /// The same on a network without any order: messages overtake each other, come twice, get lost.
    Harsh,
    /// Members come and go all the time, between three and five of them, under load.
    Membership,
    /// Two sites and a witness, of which any can be lost; see [`crate::two_sites`].
    TwoSites,
}

impl Scenario {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Standard, Self::Harsh, Self::Membership, Self::TwoSites];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Harsh => "harsh",
            Self::Membership => "membership",
            Self::TwoSites => "two-sites",
        }
    }

    /// How many of a hundred seeds have this class.
    pub(crate) fn likelihood(self, kind: Kind) -> u64 {
        match (self, kind) {
            (_, Kind::PowerLoss | Kind::Partition | Kind::ClockAhead)
            | (Self::Membership, Kind::Membership) => 100,
            (Self::Membership, Kind::WipedDisk | Kind::BitRot | Kind::LongAbsence) => 30,
            // What the network of this scenario does at any time is no event.
            (Self::Harsh, Kind::Loss | Kind::Delay | Kind::Duplicates) => 0,
            _ => 50,
        }
    }

    /// How often a class is drawn, compared with others.
    pub(crate) fn weight(self, kind: Kind) -> u64 {
        match (self, kind) {
            (Self::Membership, Kind::Membership) => 16,
            (_, kind) if kind.is_lasting() => 1,
            _ => 4,
        }
    }

    /// Whether messages keep no order at all.
    pub(crate) fn is_unordered(self) -> bool {
        self == Self::Harsh
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Scenario {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|scenario| scenario.name() == text).ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|scenario| scenario.name()).collect();
            format!("there is no scenario `{text}`, only {}", names.join(", "))
        })
    }
}
