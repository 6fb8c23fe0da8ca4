//! Mutations: every mistake on the list is still noticed by the seed that is kept for it.
//!
//! Without the feature there is nothing to make faulty, and this file is empty:
//! `cargo test -p simulations --features mutations --test mutations`.
#![cfg(feature = "mutations")]

use std::sync::Mutex;

use catalog_mutation::Mutation;
use simulations::{
    mutations::{self, Catch, SEEDS_MAX},
    scenario::Scenario,
    shrink,
    world::{self, Options},
};

fn catches() -> Vec<Catch> {
    mutations::read(include_str!("../seeds/mutations.txt")).unwrap()
}

#[test]
fn the_file_names_every_mutation_once() {
    let catches = catches();
    let named: Vec<Mutation> = catches.iter().map(|catch| catch.mutation).collect();
    let seen_here = |mutation: &Mutation| mutations::noticed_elsewhere(*mutation).is_none();
    let expected: Vec<Mutation> = Mutation::ALL.iter().copied().filter(seen_here).collect();
    assert_eq!(named, expected, "the file and the list differ");
    assert!(named.len() >= 25, "only {} mutations", named.len());
    for catch in &catches {
        assert!(catch.tried <= SEEDS_MAX, "{catch}");
        assert_eq!(catch.to_string().parse(), Ok(catch.clone()));
    }
}

#[test]
fn every_mutation_is_noticed() {
    let catches = Mutex::new(catches().into_iter());
    let unnoticed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let next = catches.lock().unwrap().next();
                    let Some(Catch { mutation, scenario, seed, .. }) = next else { return };
                    if mutations::breaks(mutation, scenario, seed).is_none() {
                        unnoticed.lock().unwrap().push(mutation.name());
                    }
                }
            });
        }
    });
    let unnoticed = unnoticed.into_inner().unwrap();
    assert!(unnoticed.is_empty(), "nothing notices {unnoticed:?}");
}

#[test]
fn seeds_that_notice_are_sound_without_the_mistake() {
    for Catch { scenario, seed, .. } in catches().into_iter().step_by(5) {
        let report = world::run(seed, &Options { scenario, ..Options::default() });
        assert!(report.passed(), "{report}");
    }
}

#[test]
fn a_failure_shrinks_to_what_it_takes() {
    let mutation = Mutation::NoSync;
    let catch = catches().into_iter().find(|catch| catch.mutation == mutation).unwrap();
    let options =
        Options { scenario: Scenario::Standard, mutation: Some(mutation), ..Options::default() };
    let shrunken = shrink::shrink(catch.seed, &options, |_| {}).expect("it breaks");
    assert!(shrunken.faults.len() < shrunken.planned, "{shrunken}");
    let again = world::run(catch.seed, &shrunken.options);
    assert_eq!(again.violations.first(), shrunken.report.violations.first());
    assert!(!again.violations.is_empty());
}
