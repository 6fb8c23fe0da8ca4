//! Every scenario under some seeds, and proof that it can fail.

use std::{
    collections::BTreeSet,
    process::{Command, Output},
    sync::Mutex,
};

use simulations::{
    fault::{Boundary, Kind},
    report::Report,
    scenario::Scenario,
    world::{self, Options, Part},
};

fn of(scenario: Scenario) -> Options {
    Options { scenario, ..Options::default() }
}

/// Runs the seeds on two threads; each run is deterministic, whoever runs it.
fn run_all(seeds: impl Iterator<Item = (u64, Scenario)> + Send) -> Vec<Report> {
    let seeds = Mutex::new(seeds);
    let reports = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let next = seeds.lock().unwrap().next();
                    let Some((seed, scenario)) = next else { return };
                    let report = world::run(seed, &of(scenario));
                    reports.lock().unwrap().push(report);
                }
            });
        }
    });
    reports.into_inner().unwrap()
}

fn expect_all_passed(reports: &[Report]) {
    let failed: Vec<String> =
        reports.iter().filter(|report| !report.passed()).map(ToString::to_string).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn the_standard_scenario_holds_for_seeds() {
    let reports = run_all((1..=40).map(|seed| (seed, Scenario::Standard)));
    assert_eq!(reports.len(), 40);
    expect_all_passed(&reports);
    // What single runs may lack, all together must have seen.
    let sum = |count: fn(&Report) -> u64| reports.iter().map(count).sum::<u64>();
    assert!(sum(|report| report.repeats) > 0, "no retry was ever committed twice");
    assert!(sum(|report| report.tally.in_doubt) > 0, "no client was ever left in doubt");
    assert!(sum(|report| report.tally.answers) > 0, "no request was ever answered");
    assert!(sum(|report| report.tally.refused) > 0, "nothing was ever refused");
    for happening in [
        "snapshots made",
        "snapshots installed",
        "blocks refused",
        "compactions",
        "member changes",
        "transfers begun",
        "damaged logs refused",
        "strangers refused",
        "divergences found",
    ] {
        let times: u64 = reports.iter().map(|report| report.happened(happening)).sum();
        assert!(times > 0, "{happening}: never");
    }
    let classes: BTreeSet<Kind> =
        reports.iter().flat_map(|report| report.faults.keys().copied()).collect();
    assert_eq!(classes.len(), Kind::ALL.len(), "only {classes:?} happened");
    let cuts: BTreeSet<Boundary> =
        reports.iter().flat_map(|report| report.boundaries.keys().copied()).collect();
    assert_eq!(cuts.len(), Boundary::ALL.len(), "rounds were only cut at {cuts:?}");
    let rate = sum(Report::rate) / reports.len() as u64;
    assert!(rate >= 50, "only {rate} commands in a virtual second");
}

#[test]
fn the_other_scenarios_hold_for_seeds() {
    let others = [Scenario::Harsh, Scenario::Membership];
    let reports = run_all((1..=8).flat_map(|seed| others.map(|scenario| (seed, scenario))));
    expect_all_passed(&reports);
    let members = reports.iter().filter(|report| report.scenario == Scenario::Membership);
    let changes: u64 = members.map(|report| report.happened("member changes")).sum();
    assert!(changes > 40, "only {changes} changes of members");
}

#[test]
fn seeds_that_once_failed_hold() {
    let seeds: Vec<(u64, Scenario)> = include_str!("../seeds/regressions.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let mut words = line.split_whitespace();
            let seed = words.next().unwrap().parse().unwrap();
            (seed, words.next().unwrap().parse().unwrap())
        })
        .collect();
    assert!(!seeds.is_empty());
    expect_all_passed(&run_all(seeds.into_iter()));
}

#[test]
fn a_seed_is_a_history() {
    for scenario in Scenario::ALL {
        let (first, again) = (world::run(5, &of(scenario)), world::run(5, &of(scenario)));
        assert_eq!(first.trace, again.trace);
        assert_eq!(first.to_string(), again.to_string());
        assert_ne!(first.trace, world::run(6, &of(scenario)).trace);
    }
    let harsh = world::run(5, &of(Scenario::Harsh));
    assert_ne!(world::run(5, &of(Scenario::Standard)).trace, harsh.trace);
}

#[test]
fn a_run_whose_faults_do_not_come_fails() {
    let mut report = world::run(1, &of(Scenario::Standard));
    assert!(report.passed(), "{report}");
    let (kind, _) = report.faults.pop_first().unwrap();
    assert!(!report.passed());
    assert_eq!(report.vacuous(), Some(format!("no {kind} happened, though it was enabled")));

    // Nor does one in which nobody asks for anything.
    let part = Part { faults: Vec::new(), clients: 0, until: 3000 };
    let mut idle = world::run(1, &Options { part: Some(part), ..of(Scenario::Standard) });
    assert!(idle.violations.is_empty(), "{idle}");
    idle.whole = true;
    idle.enabled.clear();
    assert!(idle.vacuous().is_some_and(|why| why.contains("changes acknowledged: 0")), "{idle}");
}

#[test]
fn a_part_of_a_plan_is_a_history_too() {
    let part = Part { faults: vec![0, 2], clients: 3, until: 9000 };
    let options = Options { part: Some(part), ..of(Scenario::Standard) };
    let (first, again) = (world::run(9, &options), world::run(9, &options));
    assert!(first.passed(), "{first}");
    assert_eq!(first.trace, again.trace);
    assert!(first.faults.values().sum::<u64>() <= 2, "{first}");
}

fn simulate(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_simulate")).args(arguments).output().unwrap()
}

fn last_line(output: &Output) -> String {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().last().unwrap_or_default().to_owned()
}

#[test]
fn the_command_tells_what_came_of_it() {
    let run = simulate(&["run", "--seeds", "1..2"]);
    assert!(run.status.success(), "{run:?}");
    let line = last_line(&run);
    assert!(line.starts_with("2 seeds, 0 failures, "), "{line}");
    assert!(line.contains("power-loss "), "{line}");

    assert_eq!(simulate(&["run", "--seeds", "2..1"]).status.code(), Some(2));
    let unknown = simulate(&["run", "--seeds", "1", "--scenario", "gentle"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("standard, harsh, membership"));

    let sound = simulate(&["shrink", "--seed", "1"]);
    assert!(sound.status.success());
    assert_eq!(last_line(&sound), "seed 1 breaks nothing");
}

#[test]
fn replays_give_the_same_hash() {
    let short = simulate(&["replay", "--seed", "7"]);
    let told = simulate(&["replay", "--seed", "7", "-v"]);
    assert!(short.status.success(), "{short:?}");
    assert_eq!(last_line(&short).len(), 64);
    assert_eq!(last_line(&short), last_line(&told));
    assert!(told.stdout.len() > 100 * short.stdout.len(), "-v tells what happened");
    assert_ne!(last_line(&short), last_line(&simulate(&["replay", "--seed", "8"])));
}
