//! Stories about replicas, told in `testdata/*.txt`: what was done, what came of it.
//!
//! A story is a list of steps. A step is some commands, a line of four dashes, and what they showed; an
//! empty line ends it. `REWRITE=1` writes what is shown now into the files, to be read before it is kept.

use std::{env, fs, path::Path};

use interaction::World;

mod interaction;

fn play(name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(format!("{name}.txt"));
    let story = fs::read_to_string(&path).unwrap();
    let mut world = World::default();
    let mut told = String::new();
    let mut within_shown = false;
    for line in story.lines() {
        if within_shown && !line.is_empty() {
            // It is told anew.
            continue;
        }
        within_shown = false;
        told.push_str(line);
        told.push('\n');
        if line == "----" {
            told.push_str(&world.take_output());
            within_shown = true;
        } else if !line.is_empty() && !line.starts_with('#') {
            world.run(line);
        }
    }
    assert!(told.matches("----").count() > 1, "{name} tells nothing");
    if env::var_os("REWRITE").is_some() {
        fs::write(&path, &told).unwrap();
        return;
    }
    let difference = told.lines().zip(story.lines()).find(|(new, old)| new != old);
    assert!(
        told == story,
        "{name} is told differently now, first at {difference:?}. All of it:\n{told}"
    );
}

macro_rules! stories {
    ($($name:ident),* $(,)?) => {
        $(#[test] fn $name() { play(stringify!($name)); })*

        #[test]
        fn every_story_is_played() {
            let mut found: Vec<String> = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata"))
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

stories! {
    bad_state_is_replaced,
    bad_state_under_a_new_leader,
    committed_entry_survives,
    easiest_snapshot_first,
    elect_leader,
    fetched_snapshot_survives_its_sender,
    joiner_becomes_a_voter,
    joint_change_survives_loss_of_leader,
    lagging_follower_gets_a_snapshot,
    leader_isolated_cannot_read,
    newer_snapshot_wins,
    one_change_at_a_time,
    overloaded_leader_keeps_its_followers,
    proposal_dropped_while_transferring,
    read_dropped_when_leadership_changes,
    removed_leader_hands_over,
    replace_a_dead_node,
    replicate_and_commit,
    restart_keeps_log,
    site_rule_alone_on_loan,
    site_rule_found_in_the_tail,
    site_rule_needs_both_sites,
    site_rule_of_one_site_holds,
    site_rule_read_asks_both_sites,
    site_rule_survives_changes,
    site_seal_keeps_held_answers,
    snapshot_lost_and_sent_again,
    transfer_to_who_needs_a_snapshot,
    transfer_waits_for_a_snapshot,
    two_nodes_of_three_lost_unsynced_writes,
}
