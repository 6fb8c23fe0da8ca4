//! Shrinking: which faults does it take to break the promise?
//!
//! Delta debugging over what was planned: fewer clients, less time, and ever smaller parts of the
//! faults, as long as the same promise is broken. What is left is printed as a plan that can be
//! replayed.

use std::fmt;

use crate::{
    fault::Planned,
    report::Report,
    scenario::CLIENTS,
    world::{self, Options, Part},
};

/// A plan that cannot be made smaller.
#[derive(Clone, Debug)]
pub struct Shrunken {
    /// The seed.
    pub seed: u64,
    /// How it was run.
    pub options: Options,
    /// The faults that are left.
    pub faults: Vec<Planned>,
    /// How many there were.
    pub planned: usize,
    /// What still breaks.
    pub report: Report,
    /// How many runs it took.
    pub runs: u64,
}

/// Shrinks what `seed` plans; `None` if nothing breaks.
pub fn shrink(seed: u64, options: &Options, mut progress: impl FnMut(&Part)) -> Option<Shrunken> {
    let whole = world::run(seed, options);
    let promise = whole.violations.first()?.promise;
    let planned = whole.planned.len();
    let mut runs = 1;
    let mut best =
        Part { faults: (0..planned).collect(), clients: CLIENTS, until: whole.faulty_until };
    let mut report = whole;
    let mut attempt = |part: &Part, best: &mut Part, report: &mut Report| {
        runs += 1;
        let run = world::run(seed, &Options { part: Some(part.clone()), ..options.clone() });
        let breaks = run.violations.first().is_some_and(|first| first.promise == promise);
        if breaks {
            best.clone_from(part);
            *report = run;
            progress(best);
        }
        breaks
    };
    // The plan as a part of itself: no more faults are added to fill a quota.
    let same = best.clone();
    if !attempt(&same, &mut best, &mut report) {
        return Some(Shrunken {
            seed,
            options: options.clone(),
            faults: report.planned.clone(),
            planned,
            report,
            runs,
        });
    }
    // Time, by halves and then by tenths.
    for keep in [2, 3, 4, 5, 6, 7, 8, 9] {
        let part = Part { until: same.until * keep / 10, ..best.clone() };
        if attempt(&part, &mut best, &mut report) {
            break;
        }
    }
    // Faults: leave out ever smaller pieces.
    let mut pieces = 2;
    while !best.faults.is_empty() {
        let size = best.faults.len().div_ceil(pieces);
        let smaller = (0..best.faults.len()).step_by(size).any(|from| {
            let mut faults = best.faults.clone();
            faults.drain(from..(from + size).min(faults.len()));
            let part = Part { faults, ..best.clone() };
            attempt(&part, &mut best, &mut report)
        });
        if smaller {
            pieces = (pieces - 1).max(2);
        } else if size == 1 {
            break;
        } else {
            pieces = (pieces * 2).min(best.faults.len());
        }
    }
    for clients in [1, 2, 4, 8] {
        if clients < best.clients {
            let part = Part { clients, ..best.clone() };
            if attempt(&part, &mut best, &mut report) {
                break;
            }
        }
    }
    let faults = best.faults.iter().map(|place| report.planned[*place]).collect();
    let options = Options { part: Some(best), ..options.clone() };
    Some(Shrunken { seed, options, faults, planned, report, runs })
}

impl fmt::Display for Shrunken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, options, faults, planned, report, runs } = self;
        writeln!(f, "{} of {planned} faults are left after {runs} runs:", faults.len())?;
        for fault in faults {
            writeln!(f, "  {fault}")?;
        }
        for violation in &report.violations {
            writeln!(f, "  {violation}")?;
        }
        write!(f, "simulate replay --seed {seed} --scenario {}", options.scenario)?;
        if let Some(part) = &options.part {
            write!(f, " {part}")?;
        }
        if let Some(mutation) = options.mutation {
            write!(f, " --mutate {}", mutation.name())?;
        }
        Ok(())
    }
}
