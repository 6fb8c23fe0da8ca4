use catalog_model::{
    caller::{Caller, Identity},
    ids::DomainId,
};

use super::*;
use crate::{store::MemStore, view::View};

fn command(level: u32, body: Body) -> Vec<u8> {
    let domain: DomainId = "xiamen".parse().unwrap();
    Command {
        level,
        stamped_at: UtcMillis(1),
        received_at: None,
        caller: Caller { domain, identity: Identity::Node { id: "1".to_owned() } },
        request_id: None,
        call_digest: [0; 32],
        salt: [0; 16],
        body,
    }
    .encode()
}

fn put() -> Body {
    Body::ProbePut { key: vec![1], value: vec![2] }
}

/// A node stops rather than diverge: nothing of such an entry is applied.
#[test]
fn what_cannot_be_applied_stops_the_node_and_changes_nothing() {
    let store = MemStore::default();
    let mut session = Session::new(&store);
    let mut machine = Machine::new();
    let unknown = machine.apply(&mut session, 1, &[9]);
    assert!(matches!(unknown, Err(ApplyError::Undecodable { index: 1, .. })));
    let newer = machine.apply(&mut session, 2, &command(LEVEL + 1, put()));
    assert!(matches!(newer, Err(ApplyError::Level { index: 2, level }) if level == LEVEL + 1));
    // A body binds by what it needs, whatever level stands on the command.
    let above = machine.apply(&mut session, 2, &command(1, Body::RaiseLevel { level: LEVEL + 1 }));
    assert!(matches!(above, Err(ApplyError::Level { index: 2, level }) if level == LEVEL + 1));
    let early = machine.apply(&mut session, 3, &command(LEVEL, put()));
    assert!(matches!(early, Err(ApplyError::NotBootstrapped { index: 3 })));
    assert!(session.into_writes().is_empty());
}

/// The chain runs over the index and every write, so two histories that end in the same rows have
/// different hashes.
#[test]
fn the_state_hash_knows_the_history() {
    let play = |lines: &[&str]| {
        let mut world = crate::script::World::default();
        world.run("cluster xiamen clock=\"2026-09-21 09:00\"");
        for line in lines {
            world.run(line);
        }
        let store = world.into_store("xiamen");
        (View(&store).probe(b"k").map(|row| row.value), state_hash(&store))
    };
    let (value, once) = play(&["probe k value=2"]);
    let (other_value, twice) = play(&["probe k value=1", "probe k value=2"]);
    assert_eq!(value, other_value);
    assert_ne!(once, twice);
    assert_eq!(play(&["probe k value=2"]).1, once);
}

/// What is kept of merged rules is kept by everything that it follows from: another version of the
/// pack, another day or pair is another question.
#[test]
fn merged_rules_are_kept_by_version_pair_and_day() {
    use catalog_model::{
        organization::{DataKind, PartyClass},
        sharing::SharingKind,
    };
    let ten = "\"key\":\"sharing.conditional.answer\",\"value\":10";
    let json = RulePack::embedded().json();
    assert!(json.contains(ten));
    let shorter = RulePack::parse(&json.replace(ten, &ten.replace("10", "5"))).unwrap();
    let packs = [(1, RulePack::embedded()), (2, &shorter)];
    let pair = |provider| Pair {
        asker: PartyClass::GovernmentDepartment,
        provider,
        data: DataKind::GovernmentData,
    };
    let days = ["2026-09-21", "2020-01-02"].map(|day| day.parse::<LocalDate>().unwrap());
    let classes = [PartyClass::GovernmentDepartment, PartyClass::PublicServiceOrganization];
    let kept = Resolutions::default();
    for _ in 0..2 {
        for (version, pack) in packs {
            for (day, class) in days.iter().flat_map(|day| classes.map(|class| (*day, class))) {
                let of = kept.of((version, pack), "xiamen-today", pair(class), day).unwrap();
                let anew = pack.resolve("xiamen-today", pair(class), day).unwrap();
                assert_eq!(format!("{of:?}"), format!("{anew:?}"));
                let days = |rules: &Resolution| rules.answer_days(SharingKind::Conditional);
                assert_eq!(days(&of), days(&anew));
            }
        }
    }
    assert!(kept.of(packs[0], "nowhere", pair(classes[0]), days[0]).is_err());
    assert_eq!(kept.0.lock().unwrap().len(), 8);
    // However many days are asked for, no more than so many are kept.
    let mut day = days[0];
    for _ in 0..=RESOLUTIONS_KEPT {
        kept.of(packs[0], "xiamen-today", pair(classes[0]), day).unwrap();
        day = day.next();
    }
    assert!(kept.0.lock().unwrap().len() <= RESOLUTIONS_KEPT);
}
