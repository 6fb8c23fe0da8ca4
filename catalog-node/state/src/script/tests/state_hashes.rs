//! The states in which the stories end, told as hashes: a cluster that is rolled from one version
//! to the next has both at work on one log, and they must come to the same bytes.
//!
//! `testdata/state_hashes.csv` was begun by the version in `tests/upgrade-from.txt`. `REWRITE=1`
//! adds the stories that it does not name; a line that stands is never changed.

use std::{collections::BTreeMap, env, fmt::Write as _, fs};

use crate::{machine::state_hash, script::World};

#[test]
fn every_story_ends_in_the_state_in_which_it_always_ended() {
    let file = super::testdata().join("state_hashes.csv");
    let mut kept: BTreeMap<String, String> = fs::read_to_string(&file)
        .unwrap_or_default()
        .lines()
        .filter_map(|line| line.rsplit_once(','))
        .map(|(story, hash)| (story.to_owned(), hash.to_owned()))
        .collect();
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(super::testdata()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "txt") {
            continue;
        }
        let mut world = World::default();
        world.tell(&fs::read_to_string(&path).unwrap());
        for (domain, cluster) in &world.clusters {
            let story = path.file_stem().unwrap().to_str().unwrap();
            let hash = state_hash(&cluster.store).iter().fold(String::new(), |mut text, byte| {
                let _ = write!(text, "{byte:02x}");
                text
            });
            found.insert(format!("{story},{domain}"), hash);
        }
    }
    if env::var_os("REWRITE").is_some() {
        let missing = found.iter().filter(|(story, _)| !kept.contains_key(*story));
        let missing: Vec<_> = missing.map(|(story, hash)| (story.clone(), hash.clone())).collect();
        kept.extend(missing);
        let lines: Vec<String> =
            kept.iter().map(|(story, hash)| format!("{story},{hash}\n")).collect();
        fs::write(&file, lines.concat()).unwrap();
    }
    assert!(found.len() > 20, "only {} states", found.len());
    assert_eq!(kept, found);
}
