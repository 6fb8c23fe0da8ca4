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

/// A proposer may ask for less than a command does by itself: the same fires, once each, and what is
/// counted again goes on in the same portions.
#[test]
fn a_clock_moved_in_portions_does_the_same() {
    let fired = |portion: Option<u16>| {
        let mut world = crate::script::World::default();
        for line in [
            "cluster xiamen level=3 clock=\"2026-12-21 09:00\"",
            "organization police",
            "organization tax",
            "listed plates provider=police",
            "request case1 entry=plates from=tax",
            "request case2 entry=plates from=tax",
            "request case3 entry=plates from=tax",
            "closure 2026-12-30 document=D1",
        ] {
            world.run(line);
        }
        let mut store = world.into_store("xiamen");
        // As if nobody had begun to count again.
        let work = crate::law::Work::Calendar { version: View(&store).calendar_version().unwrap() };
        let since = View(&store).clock();
        let waits =
            crate::law::PendingWork { what: work, cursor: None, looked_at: 0, changed: 0, since };
        store.0.insert(keys::pending_work(1).into_vec(), codec::encode(&waits));
        let to = "2027-01-10".parse::<LocalDate>().unwrap().start();
        let (mut machine, mut told) = (Machine::new(), Vec::new());
        for index in 1_000.. {
            let body = Body::AdvanceClock { to, development: false, portion };
            let mut session = Session::new(&store);
            let applied = machine.apply(&mut session, index, &command(3, body)).unwrap();
            let writes = session.into_writes();
            store.write(writes);
            let Outcome::ClockAdvanced { fired, more } = applied.outcome else { panic!("refused") };
            told.push((fired, View(&store).pending_work().is_empty()));
            if !more {
                break;
            }
        }
        let overdue = View(&store).counters().overdue_requests;
        (told, overdue, View(&store).next_due(), crate::ledger::Ledger(&store).size())
    };
    let (whole, overdue, next, records) = fired(None);
    // Six rows are counted again; of each case a warning and its answer fall due.
    assert_eq!((whole, overdue), (vec![(6, true)], 3));
    let (pairs, ..) = fired(Some(2));
    assert_eq!(pairs, [(2, false), (2, false), (2, true)]);
    for portion in [1, 2, 3, 5, 64, u16::MAX] {
        let (told, late, then, written) = fired(Some(portion));
        assert!(told.iter().all(|(fired, _)| *fired <= u32::from(portion)), "{portion}: {told:?}");
        assert_eq!((late, then, written), (overdue, next, records), "{portion}");
        assert_eq!(told.iter().map(|(fired, _)| fired).sum::<u32>(), 6, "{portion}");
    }
    // Nothing at all would never end.
    assert_eq!(fired(Some(0)).0.len(), fired(Some(1)).0.len());
    let body = |portion| Body::AdvanceClock { to: UtcMillis(1), development: false, portion };
    assert_eq!((body(None).level(), body(Some(1)).level()), (1, 3));
}

/// Where the deadlines begin is remembered, and forgotten when one is set before that: a paper of an
/// earlier day brings one that was due already.
#[test]
fn a_deadline_set_before_those_that_fired_is_found() {
    let due = |at: u64| Key::table(Table::Due).number(at).as_slice().to_vec();
    let mut machine = Machine::new();
    machine.follow_due(None, &Writes::from([(due(3), Some(Vec::new()))]));
    assert_eq!(machine.due_from, None);
    machine.follow_due(Some(due(100)), &Writes::from([(due(50), None), (due(200), Some(vec![]))]));
    assert_eq!(machine.due_from, Some(due(100)));
    machine.follow_due(None, &Writes::from([(due(70), Some(vec![])), (due(90), Some(vec![]))]));
    assert_eq!(machine.due_from, Some(due(70)));
    machine.follow_due(None, &Writes::from([(due(80), Some(vec![])), (vec![0], Some(vec![]))]));
    assert_eq!(machine.due_from, Some(due(70)));
}
