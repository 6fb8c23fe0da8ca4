use std::{env, fs, path::PathBuf};

use super::{World, domain};
use crate::{invariants, keys, view::View};

mod deadline_vectors;
#[cfg(feature = "mutations")]
mod mutations;
mod random;
mod state_hashes;

fn testdata() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata")
}

fn play(name: &str) {
    let path = testdata().join(format!("{name}.txt"));
    let story = fs::read_to_string(&path).unwrap();
    let told = World::play(&story);
    assert!(told.matches("----").count() > 1, "{name} tells nothing");
    assert!(!told.contains("VIOLATED"), "{name} breaks an invariant:\n{told}");
    if env::var_os("REWRITE").is_some() {
        if told != story {
            fs::write(&path, &told).unwrap();
        }
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
            let mut found: Vec<String> = fs::read_dir(testdata())
                .unwrap()
                .map(|file| file.unwrap().path())
                .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
                .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
                .collect();
            found.sort();
            let mut known = vec![$(stringify!($name)),*];
            known.sort_unstable();
            assert_eq!(found, known);
        }
    };
}

stories! {
    agreed_in_part,
    answer_at_the_due_instant,
    bootstrap,
    clock_far_ahead,
    completion_list_once,
    conditional_agreed,
    conditional_refused,
    development_clock,
    extension,
    feed_to_a_follower,
    forwarded_case,
    forwarded_case_refused,
    import_open_portal,
    members_change_one_at_a_time,
    members_of_an_older_cluster,
    messages_gone_astray,
    no_standing_answer,
    not_shared,
    opinion_clock,
    outage_on_record,
    overdue_over_national_day,
    probe_calls_repeated,
    publish_with_every_refusal,
    retry_with_request_id,
    suspend_and_terminate,
    unconditional_granted_at_once,
    update_published_entry,

    cosignature_of_another_ledger,
    head_of_a_rewritten_past,
    heads_held_and_cosigned,
    heads_late_and_twice,
    heads_of_strangers,
    ledger_with_sm3,
    purge_before_retention_ends,
    segments_sealed_and_archived,
    text_erased_and_chain_whole,
}

/// What a watch remembers spares work and hides nothing that comes later.
#[test]
fn a_watch_goes_on_where_it_was() {
    let mut world = World::default();
    for line in [
        "cluster xiamen clock=\"2026-09-21 09:00\"",
        "organization police",
        "listed plates provider=police",
    ] {
        world.run(line);
    }
    let before = world.clusters[&domain("xiamen")].store.clone();
    let mut watch = invariants::Watch::default();
    assert_eq!(invariants::check_on(&mut watch, &before), []);
    for line in ["listed beds provider=police", "listed fees provider=police"] {
        world.run(line);
    }
    let after = world.into_store("xiamen");
    let newest = keys::ledger_record(View(&after).counters().ledger - 1).into_vec();
    let mut holed = after.clone();
    holed.0.remove(&newest);
    assert!(!invariants::check_on(&mut watch.clone(), &holed).is_empty());
    assert_eq!(invariants::check_on(&mut watch, &after), []);
    // Put back to what was durable.
    assert_eq!(invariants::check_on(&mut watch, &before), []);
    assert_eq!(invariants::check_on(&mut watch, &after), []);
}
