//! Sites: which place keeps a copy, which promise holds between the places, and since which
//! opening?
//!
//! A site is named by its operators (`main`, `standby`); no rule depends on the name. The *home*
//! site is the active one: there the leader belongs, and it alone sets the mode. `sync_recover`, in
//! which the site commit rule is on again while the standby catches up, is a phase of the leader
//! and no mode: until it ends, everything on record says `async`.

use std::{fmt, str::FromStr};

use minicbor::{Decode, Encode};

use crate::ids::IdError;

/// The name of a site: one to fifteen characters of `a-z`, `0-9` and `-`, beginning with a letter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct SiteId(#[n(0)] String);

impl SiteId {
    /// The text form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SiteId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let legal = text.len() <= 15
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if legal {
            Ok(Self(text.to_owned()))
        } else {
            Err(IdError {
                text: text.to_owned(),
                expected: "a site id (1–15 of a-z, 0-9, -, beginning with a letter)",
            })
        }
    }
}

impl fmt::Display for SiteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What an acknowledgement promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Mode {
    /// A voter of each site holds it.
    #[n(0)]
    Sync,
    /// The active site alone holds it, under a lease from the witness.
    #[n(1)]
    Async,
}

impl Mode {
    /// Its name on the wire, in scripts and in the ledger.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::Async => "async",
        }
    }
}

impl FromStr for Mode {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        match text {
            "sync" => Ok(Self::Sync),
            "async" => Ok(Self::Async),
            _ => Err(IdError { text: text.to_owned(), expected: "a mode (sync, async)" }),
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which opening of a cluster is meant: pairs compare generation first and only ever grow, on
/// every node, in every gateway and in the witness cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Pair {
    /// Counts the histories: one more with each forced failover or restore; from 1.
    #[n(0)]
    pub generation: u64,
    /// Counts the changes of the active site, planned or forced; from 1.
    #[n(1)]
    pub epoch: u64,
}

impl Pair {
    /// With which every cluster begins.
    pub const FIRST: Self = Self { generation: 1, epoch: 1 };

    /// After a planned switchover: the same history, led elsewhere.
    #[must_use]
    pub fn switched(self) -> Self {
        Self { epoch: self.epoch.saturating_add(1), ..self }
    }

    /// After a forced failover: another history.
    #[must_use]
    pub fn failed_over(self) -> Self {
        Self { generation: self.generation.saturating_add(1), ..self.switched() }
    }
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.generation, self.epoch)
    }
}

impl FromStr for Pair {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let (generation, epoch) = text.split_once('.').unwrap_or_default();
        match (generation.parse(), epoch.parse()) {
            (Ok(generation), Ok(epoch)) => Ok(Self { generation, epoch }),
            _ => Err(IdError {
                text: text.to_owned(),
                expected: "a pair (generation.epoch, for instance 2.3)",
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sites_are_named_as_in_certificates() {
        for legal in ["main", "standby", "x", "east-2"] {
            assert_eq!(legal.parse::<SiteId>().unwrap().as_str(), legal);
        }
        for illegal in ["", "2nd", "Main", "a b", "-a", "sixteen-letters-"] {
            assert!(illegal.parse::<SiteId>().is_err(), "{illegal}");
        }
    }

    #[test]
    fn pairs_compare_generation_first() {
        let pair = |text: &str| text.parse::<Pair>().unwrap();
        assert!(pair("1.9") < pair("2.1") && pair("2.1") < pair("2.2"));
        assert_eq!(Pair::FIRST.switched(), pair("1.2"));
        assert_eq!(pair("1.2").failed_over(), pair("2.3"));
        assert!("1".parse::<Pair>().is_err() && "1.x".parse::<Pair>().is_err());
    }
}
