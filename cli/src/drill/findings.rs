//! Findings: what does the prober's list say, held against what is there afterwards?
//!
//! Pure functions over two lists: what somebody outside was told is done, and what the cluster holds.
//! Lost is what was told and is not there. How long nothing was acknowledged is measured by the
//! outsider's clock alone.

use std::collections::BTreeMap;

use catalog_model::drill::Rpo;

use super::list::{Event, Failed, List};

/// Width of a column of the picture, in milliseconds.
pub const BUCKET_MS: u64 = 100;
/// A pause shorter than this is none, whatever was ordinary before the act.
const ORDINARY_LEAST_MS: u64 = 100;
/// An outage that a disturbance caused begins within this time.
const CAUSED_WITHIN_MS: u64 = 15_000;
/// How many numbers are named in a report; more are only counted.
pub const NAMED_MAX: usize = 1_000;

/// A number of the prober as the cluster holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct There {
    /// How often it was written.
    pub times: u32,
    /// When it is due, by the committed clock.
    pub due: Option<u64>,
    /// How often that fired.
    pub fired: u32,
    /// When first, by the committed clock.
    pub fired_at: Option<u64>,
}

/// The two lists held against each other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Comparison {
    /// Numbers that were acknowledged.
    pub acknowledged: u64,
    /// Numbers that are there.
    pub present: u64,
    /// Acknowledged and not there.
    pub lost: Vec<u64>,
    /// Written more than once.
    pub duplicated: Vec<u64>,
    /// There, though nobody was told so: allowed, because the caller knows that he does not know.
    pub untold: u64,
    /// Due instants.
    pub timers: Timers,
}

/// What became of due instants.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Timers {
    /// Acknowledged numbers with a due instant.
    pub set: u64,
    /// How many fired.
    pub fired: u64,
    /// Fired more than once.
    pub twice: Vec<u64>,
    /// Fired before they were due.
    pub early: Vec<u64>,
    /// Due by the committed clock and not fired, or without the due instant that was acknowledged.
    pub never: Vec<u64>,
    /// The longest time from a due instant to its firing, by the committed clock.
    pub latest_ms: u64,
}

impl Timers {
    /// How many went wrong.
    pub fn wrong(&self) -> u64 {
        (self.twice.len() + self.early.len() + self.never.len()) as u64
    }
}

impl Comparison {
    /// The verdict on what was lost; `whole` = the list holds everything that was acknowledged, and
    /// everything that is there was read.
    pub fn rpo(&self, whole: bool) -> Rpo {
        match (whole, self.lost.is_empty()) {
            (false, _) => Rpo::Unknown,
            (true, true) => Rpo::ProvenZero,
            (true, false) => Rpo::Bounded,
        }
    }
}

/// Holds the list against what is there when the committed clock is `clock`.
pub fn compare(list: &List, there: &BTreeMap<u64, There>, clock: u64) -> Comparison {
    let acknowledged = list.acknowledged();
    let timers = list.timers();
    let absent = |sequence: &&u64| !there.contains_key(sequence);
    let mut found = Comparison {
        acknowledged: acknowledged.len() as u64,
        present: there.len() as u64,
        lost: acknowledged.keys().filter(absent).copied().collect(),
        untold: there.keys().filter(|one| !acknowledged.contains_key(one)).count() as u64,
        ..Comparison::default()
    };
    found.timers.set = timers.len() as u64;
    for (sequence, row) in there {
        if row.times > 1 {
            found.duplicated.push(*sequence);
        }
        let Some(due) = row.due else {
            if timers.contains(sequence) {
                found.timers.never.push(*sequence);
            }
            continue;
        };
        match (row.fired, row.fired_at) {
            (0, _) if due <= clock => found.timers.never.push(*sequence),
            (0, _) | (_, None) => {}
            (times, Some(at)) => {
                found.timers.fired += 1;
                if times > 1 {
                    found.timers.twice.push(*sequence);
                }
                if at < due {
                    found.timers.early.push(*sequence);
                }
                found.timers.latest_ms = found.timers.latest_ms.max(at.saturating_sub(due));
            }
        }
    }
    found
}

/// A time in which nothing was acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pause {
    /// The acknowledgment before.
    pub from: u64,
    /// The acknowledgment after.
    pub to: u64,
}

impl Pause {
    /// How long, in milliseconds.
    pub fn length(self) -> u64 {
        self.to.saturating_sub(self.from)
    }
}

/// The times between two acknowledgments, in order. Where a prober was started anew none is counted:
/// nobody asked meanwhile. Whoever still waited when the prober ended, waited until then.
pub fn pauses(list: &List) -> Vec<Pause> {
    let mut found = Vec::new();
    let probers = list.events.split(|event| matches!(event, Event::Started { .. }));
    for events in probers {
        let mut times: Vec<u64> = events
            .iter()
            .filter_map(|event| match event {
                Event::Acknowledged { at, .. } | Event::Ended { at } => Some(*at),
                _ => None,
            })
            .collect();
        times.sort_unstable();
        found.extend(times.windows(2).map(|pair| Pause { from: pair[0], to: pair[1] }));
    }
    found
}

/// The longest of them.
pub fn longest_pause(pauses: &[Pause]) -> Pause {
    pauses.iter().copied().max_by_key(|pause| pause.length()).unwrap_or_default()
}

/// A failure that was made on purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disturbance {
    /// When, by the clock of whoever made it.
    pub at: u64,
    /// To what.
    pub node: String,
    /// Which, in a word.
    pub what: String,
    /// Whether `at` is the instant itself; else a person was asked, and it lies after it.
    pub exact: bool,
    /// When it was first seen from outside that nobody led, or another.
    pub seen: Option<u64>,
    /// When it was first seen from outside who leads now.
    pub decided: Option<u64>,
}

/// How long it took to come back, and of what that is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Recovery {
    /// From the failure, or from the last acknowledgment if that came later, to the next one.
    pub total_ms: u64,
    /// Until it was noticed.
    pub detect_ms: u64,
    /// From there until it was known who goes on.
    pub decide_ms: u64,
    /// From there to the first acknowledgment.
    pub execute_ms: u64,
}

/// The slowest recovery from any of the disturbances; none of anything = zeros.
pub fn recovery(list: &List, disturbances: &[Disturbance]) -> Recovery {
    let pauses = pauses(list);
    let first = disturbances.iter().map(|one| one.at).min().unwrap_or(u64::MAX);
    let before: Vec<Pause> = pauses.iter().copied().filter(|pause| pause.to < first).collect();
    let ordinary = (3 * longest_pause(&before).length()).max(ORDINARY_LEAST_MS);
    let recoveries = disturbances.iter().enumerate().map(|(place, one)| {
        let until = disturbances.get(place + 1).map_or(u64::MAX, |next| next.at);
        recover(list, &pauses, one, until, ordinary)
    });
    recoveries.max_by_key(|recovery| recovery.total_ms).unwrap_or_default()
}

fn recover(
    list: &List,
    pauses: &[Pause],
    disturbance: &Disturbance,
    until: u64,
    ordinary: u64,
) -> Recovery {
    let at = disturbance.at;
    let caused = |pause: &&Pause| {
        let before = if disturbance.exact { at } else { at.saturating_sub(CAUSED_WITHIN_MS) };
        let near = pause.to > before && pause.from < until && pause.from < at + CAUSED_WITHIN_MS;
        near && pause.length() > ordinary
    };
    let outage = pauses.iter().filter(caused).max_by_key(|pause| pause.length()).copied();
    let Some(outage) = outage else {
        // Nobody outside noticed: it took as long as the next acknowledgment.
        let next = pauses.iter().map(|pause| pause.to).find(|time| *time > at).unwrap_or(at);
        let total_ms = next - at;
        return Recovery { total_ms, execute_ms: total_ms, ..Recovery::default() };
    };
    // What was still acknowledged after the failure was served: an ordered end is asked for before
    // anything stops.
    let start = if disturbance.exact { at.max(outage.from) } else { outage.from };
    let end = outage.to;
    let failed = list.events.iter().find_map(|event| match event {
        Event::Failed { at, .. } if (start..=end).contains(at) => Some(*at),
        _ => None,
    });
    // A caller who waits longer than ever before knows it too.
    let waited = outage.from.max(start) + ordinary;
    let signs = [failed, disturbance.seen.filter(|seen| *seen >= start), Some(waited)];
    let detected = signs.into_iter().flatten().min().unwrap_or(end).min(end);
    let decided = disturbance.decided.unwrap_or(end).clamp(detected, end);
    Recovery {
        total_ms: end - start,
        detect_ms: detected - start,
        decide_ms: decided - detected,
        execute_ms: end - decided,
    }
}

/// Attempts that brought no acknowledgment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attempts {
    /// A gateway answered that it could not be done: it could have tried again itself.
    pub answered: u64,
    /// A gateway did not answer in time.
    pub silent: u64,
    /// No gateway was reached.
    pub unreached: u64,
    /// Numbers of which nobody knows what became of them.
    pub given_up: u64,
    /// Numbers that were acknowledged at a later attempt than the first.
    pub repeated: u64,
    /// How often each reason was told.
    pub reasons: BTreeMap<String, u64>,
}

/// Counts failed attempts.
pub fn attempts(list: &List) -> Attempts {
    let mut found = Attempts::default();
    for event in &list.events {
        match event {
            Event::Failed { how, reason, .. } => {
                match how {
                    Failed::Answered => found.answered += 1,
                    Failed::Silent => found.silent += 1,
                    Failed::Unreached => found.unreached += 1,
                }
                *found.reasons.entry(reason.clone()).or_default() += 1;
            }
            Event::GivenUp { .. } => found.given_up += 1,
            Event::Acknowledged { attempts, .. } if *attempts > 1 => found.repeated += 1,
            _ => {}
        }
    }
    found
}

/// How long writers waited for their acknowledgments, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Latency {
    /// Half of them waited no longer.
    pub p50_ms: u64,
    /// 99 of 100 waited no longer.
    pub p99_ms: u64,
    /// The longest.
    pub max_ms: u64,
}

/// How long writers waited.
pub fn latency(list: &List) -> Latency {
    let mut begun = BTreeMap::new();
    let mut waits = Vec::new();
    for event in &list.events {
        match event {
            Event::Begun { sequence, at } => drop(begun.insert(*sequence, *at)),
            Event::Acknowledged { sequence, at, .. } => {
                waits.extend(begun.get(sequence).map(|from| at.saturating_sub(*from)));
            }
            _ => {}
        }
    }
    waits.sort_unstable();
    let at = |share: usize| waits.get((waits.len() * share / 100).min(waits.len().max(1) - 1));
    let at = |share| at(share).copied().unwrap_or_default();
    Latency { p50_ms: at(50), p99_ms: at(99), max_ms: waits.last().copied().unwrap_or_default() }
}

/// Acknowledgments in each tenth of a second.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Buckets {
    /// When the first one begins.
    pub start: u64,
    /// How many there were in each.
    pub counts: Vec<u64>,
}

/// Counts acknowledgments by tenths of a second, from the first event to the last.
pub fn buckets(list: &List) -> Buckets {
    let times = list.times();
    let (Some(first), Some(last)) = (times.first(), times.last()) else {
        return Buckets::default();
    };
    let start = first / BUCKET_MS * BUCKET_MS;
    let mut counts = vec![0; usize::try_from((last - start) / BUCKET_MS + 1).unwrap_or(0)];
    for time in &times {
        if let Ok(count) = usize::try_from((time - start) / BUCKET_MS) {
            counts[count] += 1;
        }
    }
    Buckets { start, counts }
}

#[cfg(test)]
mod tests;
