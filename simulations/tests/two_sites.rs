//! Two sites (DR-01): the executions that the protocol's rules stop, told as minutes, and what seeds must show.
//!
//! `REWRITE=1` writes what happens now into the scripts, to be read before it is kept.

use std::{env, fs, path::Path};

use simulations::{
    scenario::Scenario,
    two_sites::script::Script,
    world::{self, Options},
};

fn play(name: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/two_sites");
    let path = folder.join(format!("{name}.txt"));
    let story = fs::read_to_string(&path).unwrap();
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
    assert!(told.contains("\n----\n"), "{name} tells nothing");
    assert_eq!(script.broken(), Vec::<String>::new(), "{name}: {told}");
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
