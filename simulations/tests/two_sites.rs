//! Two sites (DR-01): the executions that the protocol's rules stop, told as minutes, and what seeds must show.
//!
//! `REWRITE=1` writes what happens now into the scripts, to be read before it is kept.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use simulations::{
    scenario::Scenario,
    two_sites::script::Script,
    world::{self, Options},
};

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/two_sites").join(format!("{name}.txt"))
}

/// The story with what happens now, and the promises that break in it.
fn tell(story: &str) -> (String, Vec<String>) {
    let mut script = Script::default();
    let mut told = String::new();
    let mut within_minutes = false;
    for line in story.lines() {
        if within_minutes && !line.is_empty() {
            // They are told anew.
            continue;
        }
        within_minutes = false;
        told.push_str(line);
        told.push('\n');
        if line == "----" {
            told.push_str(&script.take_minutes());
            within_minutes = true;
        } else if !line.is_empty() && !line.starts_with('#') {
            script.run(line);
        }
    }
    let broken = script.broken();
    (told, broken)
}

fn play(name: &str) {
    let path = path(name);
    let story = fs::read_to_string(&path).unwrap();
    let (told, broken) = tell(&story);
    assert!(told.contains("\n----\n"), "{name} tells nothing");
    assert_eq!(broken, Vec::<String>::new(), "{name}: {told}");
    if env::var_os("REWRITE").is_some() {
        fs::write(&path, &told).unwrap();
        return;
    }
    let difference = told.lines().zip(story.lines()).find(|(new, old)| new != old);
    assert!(
        told == story,
        "{name} goes differently now, first at {difference:?}. All of it:\n{told}"
    );
}

macro_rules! executions {
    ($($name:ident),* $(,)?) => {
        $(#[test] fn $name() { play(stringify!($name)); })*

        #[cfg(feature = "mutations")]
        const EXECUTIONS: &[&str] = &[$(stringify!($name)),*];

        #[test]
        fn every_execution_is_played() {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/two_sites");
            let mut found: Vec<String> = fs::read_dir(folder)
                .unwrap()
                .map(|file| file.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
                .collect();
            found.sort();
            let mut known = vec![$(stringify!($name)),*];
            known.sort_unstable();
            assert_eq!(found, known);
        }
    };
}

executions! {
    e01_release_then_failover,
    e02_switchover_half_done,
    e03_sync_written_late,
    e04_old_main_sends_to_a_sealed_node,
    e06_read_at_the_cut_off_main,
    e08_learners_are_no_protection,
    e09_clocks_apart,
    e10_longest_log_older_commit,
    e11_standby_dies_before_opening,
    e12_witness_restored,
    e13_one_node_of_main_left,
}

#[test]
fn seeds_of_two_sites_hold() {
    let mut verdicts =
        [("proven zero", 0), ("bounded", 0), ("unknown", 0), ("openings with a loss", 0)];
    for seed in 1..=12 {
        let options = Options { scenario: Scenario::TwoSites, ..Options::default() };
        let report = world::run(seed, &options);
        assert!(report.passed(), "{report}");
        for (verdict, count) in &mut verdicts {
            *count += report.happened(verdict);
        }
    }
    for (verdict, count) in verdicts {
        assert!(count > 0, "{verdict}: never");
    }
}

/// What no seed notices, an execution does: its minutes are told differently, or a promise breaks.
#[cfg(feature = "mutations")]
#[test]
fn mutations_of_two_sites_change_an_execution() {
    use catalog_mutation::{Mutation, choose};
    use simulations::mutations::noticed_elsewhere;

    let of_two_sites =
        Mutation::ALL.iter().filter(|mutation| **mutation >= Mutation::RuleOnOneNode);
    for mutation in of_two_sites {
        let noticed = EXECUTIONS.iter().copied().filter(|name| {
            let story = fs::read_to_string(path(name)).unwrap();
            choose(Some(*mutation));
            let told = std::panic::catch_unwind(|| tell(&story));
            choose(None);
            told.map_or(true, |(told, broken)| told != story || !broken.is_empty())
        });
        let noticed: Vec<&str> = noticed.collect();
        println!("{}: {}", mutation.name(), noticed.join(", "));
        let elsewhere =
            noticed_elsewhere(*mutation).and_then(|it| it.strip_prefix("simulations: "));
        let Some(elsewhere) = elsewhere else { continue };
        let named = noticed.contains(&elsewhere);
        assert!(named, "{} is not noticed by {elsewhere}", mutation.name());
    }
}
