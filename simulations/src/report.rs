//! The report: what came of a run, or of many?

use std::{collections::BTreeMap, fmt, time::Duration};

use crate::{
    checker::Violation,
    fault::{Boundary, Kind, Planned},
    scenario::Scenario,
    workload::Tally,
};

/// Changes that clients must hear of, or the run was idle.
pub(crate) const MIN_ACKNOWLEDGED: u64 = 300;

/// Probes that must be answered, or their history says little.
pub(crate) const MIN_PROBES: u64 = 150;

/// Requests for data that must be made.
pub(crate) const MIN_REQUESTS: u64 = 5;

/// Changes of members that a run about members must see.
pub(crate) const MIN_CHANGES: u64 = 6;

/// What happened in a run beside faults, by name.
pub type Happenings = BTreeMap<&'static str, u64>;

/// What came of one run.
#[derive(Clone, Debug)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// In what kind of world.
    pub scenario: Scenario,
    /// Everything that was planned to go wrong.
    pub planned: Vec<Planned>,
    /// When faults ended, in virtual milliseconds.
    pub faulty_until: u64,
    /// Whether the plan is the seed's own: a part of one shows what it shows.
    pub whole: bool,
    /// Between which acts of a round power was lost.
    pub boundaries: BTreeMap<Boundary, u64>,
    /// What happened beside faults.
    pub happenings: Happenings,
    /// How often anything at all happened.
    pub steps: u64,
    /// Promises that were broken.
    pub violations: Vec<Violation>,
    /// Classes of faults that were to happen.
    pub enabled: Vec<Kind>,
    /// Faults that happened, by class.
    pub faults: BTreeMap<Kind, u64>,
    /// Changes that clients were told of.
    pub acknowledged: u64,
    /// Probes that were answered.
    pub probes: u64,
    /// Counts of the clients.
    pub tally: Tally,
    /// Calls that were committed more than once.
    pub repeats: u64,
    /// Deadlines that fired.
    pub deadlines: u64,
    /// Stamps that a node refused to give.
    pub stamps_refused: u64,
    /// Changes of leadership.
    pub elections: u64,
    /// Entries applied by anyone for the first time.
    pub entries: u64,
    /// Syncs of all disks.
    pub syncs: u64,
    /// Virtual milliseconds, without leaps.
    pub virtual_ms: u64,
    /// Calendar days that were leapt over.
    pub days: u64,
    /// The hash over everything that happened.
    pub trace: String,
}

impl Report {
    /// A run that ended in a panic.
    pub fn of_panic(seed: u64, scenario: Scenario, what: String) -> Self {
        Self {
            seed,
            scenario,
            planned: Vec::new(),
            whole: true,
            faulty_until: 0,
            boundaries: BTreeMap::new(),
            happenings: Happenings::new(),
            steps: 0,
            violations: vec![Violation { promise: "no panic", what }],
            enabled: Vec::new(),
            faults: BTreeMap::new(),
            acknowledged: 0,
            probes: 0,
            tally: Tally::default(),
            repeats: 0,
            deadlines: 0,
            stamps_refused: 0,
            elections: 0,
            entries: 0,
            syncs: 0,
            virtual_ms: 0,
            days: 0,
            trace: String::new(),
        }
    }

    /// Why the run shows nothing although nothing was broken.
    pub fn vacuous(&self) -> Option<String> {
        if !self.whole {
            return None;
        }
        if self.scenario == Scenario::TwoSites {
            return crate::two_sites::vacuous(self);
        }
        let missing = self.enabled.iter().find(|kind| !self.befell(**kind));
        if let Some(kind) = missing {
            return Some(format!("no {kind} happened, though it was enabled"));
        }
        if self.scenario == Scenario::Membership && self.happened("member changes") < MIN_CHANGES {
            return Some(format!("{} member changes", self.happened("member changes")));
        }
        let too_few = [
            ("changes acknowledged", self.acknowledged, MIN_ACKNOWLEDGED),
            ("probes answered", self.probes, MIN_PROBES),
            ("requests for data made", self.tally.requests, MIN_REQUESTS),
            ("deadlines fired", self.deadlines, 1),
            ("stamps refused by a clock that is ahead", self.stamps_refused, 1),
        ];
        too_few
            .into_iter()
            .find(|(_, count, least)| count < least)
            .map(|(what, count, least)| format!("{what}: {count}, at least {least} are needed"))
    }

    /// Whether a fault of this class happened. Members change for more than one reason.
    fn befell(&self, kind: Kind) -> bool {
        let planned = self.faults.get(&kind).is_some_and(|count| *count > 0);
        planned || (kind == Kind::Membership && self.happened("member changes") > 0)
    }

    /// How often `name` happened.
    pub fn happened(&self, name: &str) -> u64 {
        self.happenings.get(name).copied().unwrap_or(0)
    }

    /// Changes and probes that were answered, in a virtual second.
    pub fn rate(&self) -> u64 {
        (self.acknowledged + self.probes) * 1000 / self.virtual_ms.max(1)
    }

    /// Whether everything held and the run shows something.
    pub fn passed(&self) -> bool {
        self.violations.is_empty() && self.vacuous().is_none()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.passed() { "ok" } else { "FAILED" };
        write!(
            f,
            "seed {} {verdict}: {} changes acknowledged ({} retries, {} in doubt), {} requests, \
             {} answers, {} probes, {} deadlines fired over {} days, {} elections, {} stamps \
             refused, {} syncs, {} steps, {} commands in a virtual second",
            self.seed,
            self.acknowledged,
            self.tally.retries,
            self.tally.in_doubt,
            self.tally.requests,
            self.tally.answers,
            self.probes,
            self.deadlines,
            self.days,
            self.elections,
            self.stamps_refused,
            self.syncs,
            self.steps,
            self.rate(),
        )?;
        for (name, count) in &self.happenings {
            write!(f, ", {count} {name}")?;
        }
        if self.violations.is_empty()
            && let Some(vacuous) = self.vacuous()
        {
            write!(f, "\n  shows nothing: {vacuous}")?;
        }
        for violation in &self.violations {
            write!(f, "\n  {violation}")?;
        }
        Ok(())
    }
}

/// What came of many runs.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    seeds: u64,
    failed: Vec<u64>,
    commands: u64,
    faults: BTreeMap<Kind, u64>,
    boundaries: BTreeMap<Boundary, u64>,
    happenings: Happenings,
    virtual_ms: u64,
}

impl Summary {
    /// Adds a run.
    pub fn add(&mut self, report: &Report) {
        self.seeds += 1;
        if !report.passed() {
            self.failed.push(report.seed);
        }
        self.commands += report.acknowledged + report.probes;
        for (kind, count) in &report.faults {
            *self.faults.entry(*kind).or_default() += count;
        }
        for (boundary, count) in &report.boundaries {
            *self.boundaries.entry(*boundary).or_default() += count;
        }
        for (name, count) in &report.happenings {
            *self.happenings.entry(name).or_default() += count;
        }
        self.virtual_ms += report.virtual_ms;
    }

    /// The seeds that failed.
    pub fn failed(&self) -> &[u64] {
        &self.failed
    }

    /// How much faster than time it went.
    pub fn speed(&self, took: Duration) -> String {
        let virtual_s = self.virtual_ms as f64 / 1000.0;
        let took_s = took.as_secs_f64().max(0.001);
        format!(
            "{virtual_s:.0} virtual seconds in {took_s:.1} real ones: {:.0} in each, with {:.0} \
             commands a virtual second",
            virtual_s / took_s,
            self.commands as f64 / virtual_s.max(0.001)
        )
    }

    /// What happened beside faults, and where rounds were cut short.
    pub fn happenings(&self) -> String {
        let happenings = self.happenings.iter().map(|(name, count)| format!("{name} {count}"));
        let cut = self.boundaries.iter().map(|(cut, count)| format!("{} {count}", cut.name()));
        let (happenings, cut): (Vec<_>, Vec<_>) = (happenings.collect(), cut.collect());
        format!("beside them: {}; rounds cut: {}", happenings.join(", "), cut.join(", "))
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total: u64 = self.faults.values().sum();
        let faults: Vec<String> =
            self.faults.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
        write!(
            f,
            "{} seeds, {} failures, {} commands, {total} faults: {}",
            self.seeds,
            self.failed.len(),
            self.commands,
            faults.join(", ")
        )
    }
}

#[cfg(test)]
mod tests;
