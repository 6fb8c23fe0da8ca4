//! Every story is restored to every moment of it: nothing that was taken back since comes to life, and
//! the state keeps its rules (DR-07, must-refuse 31).

use std::{collections::BTreeMap, fs};

use catalog_model::{
    caller::{Caller, Identity},
    catalog_entry::{CatalogEntry, EntryState},
    grant::{Grant, GrantState},
    share_request::{ShareRequest, ShareRequestState},
};

use super::{Carried, CarriedAct, decoded};
use crate::{
    invariants,
    keys::{self, Key, Table},
    ledger::Ledger,
    machine::{Machine, Opening, Session, state_hash},
    script::World,
    store::{MemStore, Store},
    view::View,
};

/// Opens the generation after the newest on `restored`.
fn open(restored: &MemStore, later: Option<&MemStore>) -> (MemStore, Vec<Carried>) {
    let cluster = View(restored).cluster().expect("it is bootstrapped");
    let newest = later.and_then(|later| View(later).cluster()).map_or(1, |later| later.generation);
    let domain = cluster.domain;
    let mut session = Session::new(restored);
    let opening = Opening {
        generation: newest.max(cluster.generation) + 1,
        later: later.map(|later| later as &dyn Store),
        caller: Caller { domain, identity: Identity::Node { id: "9".to_owned() } },
        salt: [7; 16],
    };
    let carried = Machine::new().open_generation(&mut session, 1_000_000, &opening).unwrap();
    let writes = session.into_writes();
    let mut store = restored.clone();
    store.write(writes);
    (store, carried)
}

fn rows(store: &MemStore, table: Table) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> + '_ {
    let prefix = Key::table(table);
    store.range(prefix.as_slice(), &prefix.end()).collect::<Vec<_>>().into_iter()
}

/// What of `opened` is alive though `later` says that it is over.
fn revived(opened: &MemStore, later: &MemStore) -> Vec<String> {
    let own = View(opened).cluster().unwrap().domain;
    let mut found = Vec::new();
    for (key, bytes) in rows(later, Table::Entry) {
        let then: CatalogEntry = decoded(&bytes);
        let now: Option<CatalogEntry> = opened.get(&key).map(|bytes| decoded(&bytes));
        let off = matches!(
            then.state,
            EntryState::Withdrawn | EntryState::Suspended | EntryState::Archived
        );
        let published = keys::published_entry(&then.domain, then.id);
        if off && now.is_some() && opened.get(published.as_slice()).is_some() {
            found.push(format!("entry {} is listed", then.id));
        }
        if matches!(then.state, EntryState::Withdrawn | EntryState::Archived)
            && now.is_some_and(|now| now.state != then.state)
        {
            found.push(format!("entry {} is not {:?}", then.id, then.state));
        }
    }
    for (key, bytes) in rows(later, Table::Grant) {
        let then: Grant = decoded(&bytes);
        let now: Option<Grant> = opened.get(&key).map(|bytes| decoded(&bytes));
        let gone = then.state == GrantState::Suspended || then.state.has_ended();
        if gone && now.is_some_and(|now| now.state.is_in_force()) {
            found.push(format!("grant {} is in force", then.id));
        }
    }
    for (key, bytes) in rows(later, Table::Request) {
        let then: ShareRequest = decoded(&bytes);
        let now: Option<ShareRequest> = opened.get(&key).map(|bytes| decoded(&bytes));
        let own = then.owner_domain == own;
        let withdrawn = then.state == ShareRequestState::Withdrawn;
        if own && withdrawn && now.is_some_and(|now| now.state.is_open()) {
            found.push(format!("case {} is open", then.id));
        }
    }
    for (key, _) in rows(opened, Table::PublishedEntry) {
        if later.get(&key).is_none()
            && !rows(later, Table::Entry).any(|(own, _)| own[1..] == key[1..])
        {
            found.push(format!("an entry of another domain is listed: {key:02x?}"));
        }
    }
    let size = View(later).counters().ledger;
    for sequence in 0..size {
        let gone = View(later).payload_gone(sequence).is_some();
        // Records behind the restored moment are other records here.
        let same = later.get(keys::ledger_record(sequence).as_slice())
            == opened.get(keys::ledger_record(sequence).as_slice());
        if gone && same && opened.get(keys::ledger_payload(sequence).as_slice()).is_some() {
            found.push(format!("the text beside record {sequence} is there"));
        }
    }
    found
}

/// Whether `later` goes on from `moment`: what a failover lost is no moment of its history.
fn follows(later: &MemStore, moment: &MemStore) -> bool {
    let size = View(moment).counters().ledger;
    Ledger(later).root(size) == Ledger(moment).root(size)
}

/// The commands of a story, without what they show.
fn lines(story: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut shown = false;
    for line in story.lines() {
        if line == "----" {
            shown = true;
        } else if line.is_empty() {
            shown = false;
        } else if !shown && !line.starts_with('#') {
            lines.push(line);
        }
    }
    lines
}

fn stories() -> BTreeMap<String, String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata");
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files
        .filter(|file| file.extension().is_some_and(|ending| ending == "txt"))
        .map(|file| {
            let name = file.file_stem().unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(&file).unwrap())
        })
        .collect()
}

#[test]
fn no_story_comes_back_to_life_at_any_moment_of_it() {
    let mut carried_kinds: BTreeMap<CarriedAct, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (name, story) in stories() {
        let lines = lines(&story);
        let domains: Vec<&str> = lines
            .iter()
            .filter_map(|line| line.strip_prefix("cluster ")?.split(' ').next())
            .collect();
        let mut world = World::default();
        let mut moments: BTreeMap<&str, BTreeMap<[u8; 32], (&str, MemStore)>> = BTreeMap::new();
        for line in &lines {
            world.run(line);
            for domain in &domains {
                let Some(store) = world.store(domain).filter(|s| View(*s).cluster().is_some())
                else {
                    continue;
                };
                let known = moments.entry(domain).or_default();
                known.entry(state_hash(store)).or_insert_with(|| (line, store.clone()));
            }
        }
        for (domain, moments) in moments {
            let later = world.store(domain).expect("it was there before");
            if !invariants::check(later).is_empty() {
                // The story is about a state that breaks a rule.
                continue;
            }
            for (line, restored) in moments.into_values() {
                if !follows(later, &restored) {
                    continue;
                }
                let (opened, carried) = open(&restored, Some(later));
                let (broken, revived) = (invariants::check(&opened), revived(&opened, later));
                if !broken.is_empty() || !revived.is_empty() {
                    wrong.push(format!("{name}: {domain} at `{line}`: {broken:?} {revived:?}"));
                }
                for one in carried {
                    *carried_kinds.entry(one.act).or_default() += 1;
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} moments:\n{}", wrong.len(), wrong.join("\n"));
    // The stories are worth something for each of these.
    for act in [
        CarriedAct::RequestWithdrawn,
        CarriedAct::GrantSuspended,
        CarriedAct::GrantEnded,
        CarriedAct::EntryWithdrawn,
        CarriedAct::EntrySuspended,
        CarriedAct::EntryArchived,
        CarriedAct::CatalogOfOther,
        CarriedAct::PersonChanged,
        CarriedAct::PayloadErased,
        CarriedAct::UseRecordsPurged,
    ] {
        assert!(carried_kinds.contains_key(&act), "no story has {act:?}: {carried_kinds:?}");
    }
}

#[test]
fn the_newest_state_is_opened_as_it_is() {
    let mut world = World::default();
    for line in ["cluster xiamen level=3", "organization police", "listed plates provider=police"] {
        world.run(line);
    }
    let restored = world.into_store("xiamen");
    let (opened, carried) = open(&restored, None);
    assert_eq!(carried, []);
    let (before, after) = (View(&restored), View(&opened));
    assert_eq!(before.counters(), after.counters());
    assert_eq!(before.clock(), after.clock());
    assert_eq!(after.cluster().unwrap().generation, 2);
    assert_ne!(state_hash(&restored), state_hash(&opened), "the chain knows of the opening");
}
