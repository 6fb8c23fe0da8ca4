//! Pruning: what may go?
//!
//! A plan says what is kept: any point in time within some days, then one base a day, a week, a month. The
//! newest base always stays, and with it what follows it; so does every pack that a kept base needs. A
//! pack that nothing needs goes only after a grace: a base that is being written names its packs last.

use std::{collections::BTreeSet, str::FromStr};

use crate::{BaseName, Listing, SegmentName};

/// Milliseconds of a day.
const DAY: u64 = 24 * 3_600_000;

/// What is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Days for which every point in time can be restored.
    pub days: u64,
    /// Days of which one base is kept.
    pub daily: u64,
    /// Weeks of which one base is kept.
    pub weekly: u64,
    /// Months (of thirty days) of which one base is kept.
    pub monthly: u64,
    /// Hours for which a pack that nothing names is left alone.
    pub grace_hours: u64,
}

impl Default for Keep {
    fn default() -> Self {
        Self { days: 35, daily: 35, weekly: 8, monthly: 12, grace_hours: 24 }
    }
}

/// Why a plan cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A word that is not known.
    #[error("`{word}` is no step of a plan; known are {KNOWN}")]
    Unknown {
        /// The word.
        word: String,
    },
    /// A step without a number.
    #[error("`{step}` needs a number, for instance daily=35")]
    Number {
        /// The step.
        step: String,
    },
}

const KNOWN: &str = "days, daily, weekly, monthly, grace_hours";

impl FromStr for Keep {
    type Err = PlanError;

    /// `days=35,daily=35,weekly=8,monthly=12,grace_hours=24`; what is left out is as by default.
    fn from_str(text: &str) -> Result<Self, PlanError> {
        let mut keep = Self::default();
        for step in text.split(',').map(str::trim).filter(|step| !step.is_empty()) {
            let (word, number) = step.split_once('=').unwrap_or((step, ""));
            let place = match word.trim() {
                "days" => &mut keep.days,
                "daily" => &mut keep.daily,
                "weekly" => &mut keep.weekly,
                "monthly" => &mut keep.monthly,
                "grace_hours" => &mut keep.grace_hours,
                word => return Err(PlanError::Unknown { word: word.to_owned() }),
            };
            *place =
                number.trim().parse().map_err(|_| PlanError::Number { step: step.to_owned() })?;
        }
        Ok(keep)
    }
}

/// A base as pruning sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prune {
    /// Its name.
    pub name: BaseName,
    /// When it was made, in milliseconds since 1970.
    pub made_ms: u64,
    /// Names of the packs that it needs.
    pub packs: Vec<String>,
}

/// What may go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prunable {
    /// Bases.
    pub bases: Vec<BaseName>,
    /// Segments.
    pub segments: Vec<SegmentName>,
    /// Attestations.
    pub attested: Vec<(u64, u64, u64)>,
    /// Packs.
    pub packs: Vec<String>,
    /// Bytes of these packs.
    pub pack_bytes: u64,
}

/// What may go of `listing`, whose bases are `bases` in order, at `now_ms`.
pub fn prune(listing: &Listing, bases: &[Prune], keep: &Keep, now_ms: u64) -> Prunable {
    let age = |base: &Prune| now_ms.saturating_sub(base.made_ms);
    let mut kept: BTreeSet<BaseName> = BTreeSet::new();
    kept.extend(bases.last().map(|base| base.name));
    kept.extend(bases.iter().filter(|base| age(base) <= keep.days * DAY).map(|base| base.name));
    // The base before the first one within the days: what lies between them begins there.
    let early = bases.iter().rev().find(|base| age(base) > keep.days * DAY);
    kept.extend(early.map(|base| base.name).filter(|_| keep.days > 0));
    for (length, count) in [(1, keep.daily), (7, keep.weekly), (30, keep.monthly)] {
        // The first of each day, week, month: one that is kept stays the one that is kept.
        let mut of_period: BTreeSet<u64> = BTreeSet::new();
        for base in bases.iter().filter(|base| age(base) <= count * length * DAY) {
            if of_period.insert(base.made_ms / (length * DAY)) {
                kept.insert(base.name);
            }
        }
    }
    // Of every generation: entries from the first base on from which any point is wanted.
    let first_point = early
        .filter(|_| keep.days > 0)
        .or_else(|| bases.iter().find(|base| age(base) <= keep.days * DAY))
        .or(bases.last())
        .map(|base| base.name);
    let needed: BTreeSet<&str> = bases
        .iter()
        .filter(|base| kept.contains(&base.name))
        .flat_map(|base| base.packs.iter().map(String::as_str))
        .collect();
    let first_kept = kept.first().copied();
    let before = |generation: u64, index: u64, point: Option<BaseName>| {
        point.is_some_and(|point| (generation, index) <= (point.generation, point.index))
    };
    let grace = keep.grace_hours * 3_600_000;
    let packs: Vec<&(String, u64, u64)> = listing
        .packs
        .iter()
        .filter(|(name, _, written)| {
            !needed.contains(name.as_str()) && now_ms.saturating_sub(*written) > grace
        })
        .collect();
    Prunable {
        bases: bases.iter().map(|base| base.name).filter(|name| !kept.contains(name)).collect(),
        segments: listing
            .segments
            .iter()
            .filter(|segment| before(segment.generation, segment.last, first_point))
            .copied()
            .collect(),
        attested: listing
            .attested
            .iter()
            .filter(|(generation, index, _)| {
                before(*generation, *index, first_kept)
                    && first_kept.is_some_and(|kept| kept.index != *index)
            })
            .copied()
            .collect(),
        pack_bytes: packs.iter().map(|(_, bytes, _)| bytes).sum(),
        packs: packs.into_iter().map(|(name, ..)| name.clone()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_000 * DAY;

    fn base(days_ago: u64, packs: &[&str]) -> Prune {
        let index = 10_000 - days_ago;
        Prune {
            name: BaseName { generation: 1, index },
            made_ms: NOW - days_ago * DAY,
            packs: packs.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    fn listing(bases: &[Prune]) -> Listing {
        let segments = bases
            .windows(2)
            .map(|pair| SegmentName {
                generation: 1,
                first: pair[0].name.index + 1,
                last: pair[1].name.index,
            })
            .collect();
        let pack = |name: &str, days_ago: u64| (name.to_owned(), 10, NOW - days_ago * DAY);
        Listing {
            bases: bases.iter().map(|base| base.name).collect(),
            segments,
            packs: vec![pack("old", 400), pack("shared", 300), pack("new", 0), pack("orphan", 0)],
            ..Listing::default()
        }
    }

    #[test]
    fn every_step_of_a_plan_is_known_or_refused() {
        let keep: Keep = "days=3, daily=7,weekly=4".parse().unwrap();
        assert_eq!((keep.days, keep.daily, keep.weekly, keep.monthly), (3, 7, 4, 12));
        let unknown = "daily=7,yearly=2".parse::<Keep>();
        assert_eq!(unknown, Err(PlanError::Unknown { word: "yearly".to_owned() }));
        assert!(matches!("daily".parse::<Keep>(), Err(PlanError::Number { .. })));
        assert!(matches!("daily=x".parse::<Keep>(), Err(PlanError::Number { .. })));
    }

    #[test]
    fn what_a_kept_base_needs_stays() {
        let bases =
            [base(400, &["old", "shared"]), base(2, &["shared"]), base(0, &["shared", "new"])];
        let keep = Keep { days: 1, daily: 3, weekly: 0, monthly: 0, grace_hours: 1 };
        let gone = prune(&listing(&bases), &bases, &keep, NOW);
        assert_eq!(gone.bases, [bases[0].name]);
        assert_eq!(gone.packs, ["old"], "shared is needed, new and orphan are young");
        // Points are wanted from the base of two days ago on.
        assert_eq!(gone.segments, [SegmentName { generation: 1, first: 9_601, last: 9_998 }]);
    }

    #[test]
    fn the_newest_base_is_never_pruned() {
        let bases = [base(900, &["old"]), base(800, &["shared"])];
        let keep = Keep { days: 0, daily: 0, weekly: 0, monthly: 0, grace_hours: 0 };
        let gone = prune(&listing(&bases), &bases, &keep, NOW);
        assert_eq!(gone.bases, [bases[0].name]);
        assert!(!gone.packs.contains(&"shared".to_owned()));
    }

    #[test]
    fn one_of_each_month_is_kept() {
        let bases: Vec<Prune> = (0..400).rev().map(|day| base(day, &["shared"])).collect();
        let keep = Keep { days: 2, daily: 7, weekly: 4, monthly: 12, grace_hours: 24 };
        let gone = prune(&listing(&bases), &bases, &keep, NOW);
        let left = bases.len() - gone.bases.len();
        assert!((18..=30).contains(&left), "{left} bases left");
        // Pruned again, nothing more goes: what stays is what stays.
        let rest: Vec<Prune> =
            bases.into_iter().filter(|base| !gone.bases.contains(&base.name)).collect();
        assert_eq!(prune(&listing(&rest), &rest, &keep, NOW).bases, []);
    }
}
