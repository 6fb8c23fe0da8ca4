//! The walk: does `luqiao dev` hold what it shows, and does it fail where it is made to? One catalog to
//! search and to ask of, which shows nobody what is not theirs (CAT-25), is part of it.

use federation_tests::{
    command_line::{Said, run},
    repository::harvested_catalogs,
    skipped,
};
use serde_json::Value;

fn walk(more: &[&str]) -> Said {
    run(["dev", "--exit", "--json"].iter().chain(more))
}

/// The steps of a walk by name, each with whether it held.
fn steps(said: &Said) -> Vec<(String, bool)> {
    let objects = said.objects();
    let (summary, steps) = objects.split_last().expect("a walk says something");
    assert_eq!(summary["summary"], Value::Bool(true), "{said:#?}");
    assert_eq!(summary["steps"].as_u64(), Some(steps.len() as u64), "{said:#?}");
    let told: Vec<(String, bool)> = steps
        .iter()
        .map(|step| {
            assert!(step["took_ms"].is_u64() && step["resource"].is_string(), "{step}");
            let name = step["step"].as_str().unwrap_or_else(|| panic!("no name: {step}"));
            (name.to_owned(), step["ok"].as_bool().unwrap_or_else(|| panic!("no verdict: {step}")))
        })
        .collect();
    let failed = told.iter().filter(|(_, held)| !held).count();
    assert_eq!(summary["failed"].as_u64(), Some(failed as u64), "{said:#?}");
    told
}

fn held(said: Said) -> Vec<String> {
    assert_eq!(said.code, Some(0), "{said:#?}");
    let steps = steps(&said);
    assert!(steps.iter().all(|(_, held)| *held), "{said:#?}");
    assert!(steps.len() >= 15, "a walk this short leaves something out: {steps:?}");
    steps.into_iter().map(|(name, _)| name).collect()
}

#[test]
fn every_step_holds_in_one_process_and_each_fails_when_it_is_broken() {
    for name in held(walk(&[])) {
        let said = walk(&["--break", &name]);
        assert_eq!(said.code, Some(1), "`--break {name}` went unnoticed: {said:#?}");
        let steps = steps(&said);
        let failed = steps.iter().find(|(_, held)| !held).map(|(step, _)| step);
        assert_eq!(failed, Some(&name), "{said:#?}");
    }
}

#[test]
fn every_step_holds_across_processes() {
    held(walk(&["--processes"]));
}

#[test]
fn every_step_holds_on_the_real_catalog_of_xiamen() {
    let xiamen = harvested_catalogs().and_then(|files| {
        let mut files = files.into_iter();
        files.find(|file| file.ends_with("xiamen.jsonl.gz")).ok_or("no xiamen.jsonl.gz".to_owned())
    });
    let file = match xiamen {
        Ok(file) => file,
        Err(reason) => {
            return skipped("walk::every_step_holds_on_the_real_catalog_of_xiamen", reason);
        }
    };
    held(walk(&["--catalog", &format!("city={}", file.display())]));
}
