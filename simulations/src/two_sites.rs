//! Two sites, a witness, an operator: is anything lost that was promised, whatever is lost?
//!
//! Six machines, three a site, under the product's own replica, log, mode keeper and failover decisions, with
//! the product's own witness cell ([`catalog_model::witness`]). Everything follows from the seed: sites that
//! lose power or are cut off in every mode, links that flap, a witness out of reach, clocks ten per cent
//! apart, consoles that die within a failover, old sites that come back. The operator fails over, releases,
//! and brings machines back under new ids; clients of both sites go on asking.
//!
//! The state machine is a small one: acts with a name, some of them graded, so that what is lost can be
//! counted by looking. The law has scenarios of its own.
//!
//! The same world is driven by scripts ([`script`]): executions that a stranger can read, each for a rule of
//! the protocol that stops it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::{checker::Violation, report::Report, scenario::Scenario, world::Options};

mod checks;
mod clients;
mod machine;
mod operator;
mod plan;
pub mod script;
mod shell;
mod witness;
mod world;

use self::world::World;

/// Acts that clients must hear of in a run.
const MIN_ACKNOWLEDGED: u64 = 200;
/// Reads that must be answered.
const MIN_READS: u64 = 100;

/// Runs one seed to its end.
pub(crate) fn run(seed: u64, options: &Options) -> Report {
    let told = catch_unwind(AssertUnwindSafe(|| {
        let mut world = World::new(seed, options.tell);
        world.play();
        world.report(options.scenario)
    }));
    told.unwrap_or_else(|panic| {
        let what = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Report::of_panic(seed, options.scenario, what.unwrap_or_else(|| "without words".to_owned()))
    })
}

/// Why a run shows nothing although nothing was broken.
pub(crate) fn vacuous(report: &Report) -> Option<String> {
    debug_assert_eq!(report.scenario, Scenario::TwoSites);
    let least = [
        ("acts acknowledged", report.acknowledged, MIN_ACKNOWLEDGED),
        ("reads answered", report.probes, MIN_READS),
        ("changes to async", report.happened("async"), 1),
        ("failovers opened", report.happened("opened"), 1),
        ("returns to sync", report.happened("sync"), 1),
    ];
    let few = least.into_iter().find(|(_, count, least)| count < least);
    few.map(|(what, count, least)| format!("{what}: {count}, at least {least} are needed"))
}

impl World {
    fn report(self, scenario: Scenario) -> Report {
        let violations: Vec<Violation> = self.checks.violations.clone();
        Report {
            violations,
            happenings: self.happenings,
            steps: self.happened,
            acknowledged: self.checks.acknowledged(),
            probes: self.checks.reads,
            elections: self.elections,
            virtual_ms: self.now,
            trace: self.trace.finish(),
            ..Report::of_panic(self.seed, scenario, String::new())
        }
    }
}
