//! The walking scenario under many seeds, and proof that it can fail.

use std::{
    process::{Command, Output},
    sync::Mutex,
};

use simulations::{
    report::Report,
    world::{self, Options},
};

const HONEST: Options = Options { tell: false, ignore_syncs: false };
const NO_SYNC: Options = Options { tell: false, ignore_syncs: true };

/// Runs the seeds on two threads; each run is deterministic, whoever runs it.
fn run_all(seeds: impl Iterator<Item = u64> + Send, options: Options) -> Vec<Report> {
    let seeds = Mutex::new(seeds);
    let reports = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let next = seeds.lock().unwrap().next();
                    let Some(seed) = next else { return };
                    let report = world::run(seed, options);
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
fn walking_scenario_holds_for_seeds() {
    let reports = run_all(1..=40, HONEST);
    assert_eq!(reports.len(), 40);
    expect_all_passed(&reports);
    // What single runs may lack, all together must have seen.
    let sum = |count: fn(&Report) -> u64| reports.iter().map(count).sum::<u64>();
    assert!(sum(|report| report.repeats) > 0, "no retry was ever committed twice");
    assert!(sum(|report| report.tally.in_doubt) > 0, "no client was ever left in doubt");
    assert!(sum(|report| report.tally.answers) > 0, "no request was ever answered");
    assert!(sum(|report| report.tally.refused) > 0, "nothing was ever refused");
    let mut classes: Vec<_> = reports.iter().flat_map(|report| report.faults.keys()).collect();
    classes.sort();
    classes.dedup();
    assert_eq!(classes.len(), 10, "only {classes:?} happened");
}

#[test]
fn seeds_that_once_failed_hold() {
    let seeds: Vec<u64> = include_str!("../seeds/regressions.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split_whitespace().next().unwrap().parse().unwrap())
        .collect();
    assert!(!seeds.is_empty());
    expect_all_passed(&run_all(seeds.into_iter(), HONEST));
}

#[test]
fn a_seed_is_a_history() {
    let (first, again, other) =
        (world::run(5, HONEST), world::run(5, HONEST), world::run(6, HONEST));
    assert_eq!(first.trace, again.trace);
    assert_eq!(first.to_string(), again.to_string());
    assert_ne!(first.trace, other.trace);
}

/// Shown-by 6: kill -9 cannot show durability, this does.
#[test]
fn without_syncs_promises_break() {
    expect_all_passed(&run_all(1..=6, HONEST));
    let broken = run_all(1..=6, NO_SYNC);
    let noticed = broken.iter().filter(|report| !report.violations.is_empty()).count();
    assert!(noticed >= 5, "only {noticed} of 6 seeds noticed that nothing was synced");
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

    let broken = simulate(&["run", "--seeds", "1..2", "--mutate", "no-sync"]);
    assert_eq!(broken.status.code(), Some(1), "{broken:?}");
    assert!(!last_line(&broken).contains(" 0 failures"), "{broken:?}");

    assert_eq!(simulate(&["run", "--seeds", "2..1"]).status.code(), Some(2));
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
