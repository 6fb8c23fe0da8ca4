//! A checker that cannot fail proves nothing: here each of them does.

use bytes::Bytes;
use catalog_model::{
    deadline::DeadlineKind,
    ids::RequestId,
    name::{Resource, ResourceName},
    reason::Reason,
    refusal::Refusal,
    time::LocalDate,
};
use catalog_state::{
    codec,
    command::{Body, LEVEL},
    keys,
    machine::Applied,
    outcome::Outcome,
    rows::{DeadlineRow, OutageKind},
    store::{MemStore, Writes},
};

use super::*;
use crate::cast;

fn day(number: i32) -> UtcMillis {
    LocalDate::from_days(20_000 + number).start()
}

fn name(id: u8) -> ResourceName {
    cast::name(Resource::Request(RequestId::from_bytes([id; 16])))
}

fn command(clock: UtcMillis, request_id: Option<&str>, body: Body) -> Command {
    Command {
        level: body.level(),
        stamped_at: clock,
        received_at: None,
        caller: cast::AUTHORITY.as_system(),
        request_id: request_id.map(ToOwned::to_owned),
        call_digest: [1; 32],
        salt: [0; 16],
        body,
    }
}

fn done(clock: UtcMillis, outcome: Outcome) -> Applied {
    Applied { outcome, events: Vec::new(), clock }
}

fn put() -> Body {
    Body::ProbePut { key: b"k".to_vec(), value: b"v".to_vec() }
}

fn entry(index: u64, term: u64, hash: u8) -> AppliedEntry {
    let data = Bytes::from(command(day(0), None, put()).encode());
    AppliedEntry {
        index,
        term,
        command: data.clone(),
        data,
        applied: Some(done(day(0), Outcome::Done(None))),
        membership: None,
        state_hash: [hash; 32],
    }
}

#[test]
fn replicas_that_differ() {
    let broken = |second: AppliedEntry| {
        let mut agreement = agreement::Agreement::default();
        assert_eq!(agreement.observe(1, &entry(2, 2, 1)), Ok(true));
        agreement.observe(2, &second).is_err()
    };
    assert!(!broken(entry(2, 2, 1)));
    assert!(broken(entry(2, 3, 1)), "another term");
    assert!(broken(entry(2, 2, 9)), "another hash");
    assert!(broken(entry(4, 2, 1)), "a gap");
    let told = Some(done(day(0), Outcome::Done(Some(name(1)))));
    assert!(broken(AppliedEntry { applied: told, ..entry(2, 2, 1) }), "another outcome");
}

#[test]
fn entries_that_the_reference_applies_otherwise() {
    // Nothing can come before bootstrap.
    let mut checker = Checker::new(vec![1, 2, 3]);
    checker.observe(1, &entry(2, 2, 1), day(0));
    assert_eq!(checker.into_violations()[0].promise, "agreement");
}

#[test]
fn a_call_with_two_effects() {
    let twice = |outcome: Outcome, events: usize| {
        let mut idempotency = idempotency::Idempotency::default();
        let call = command(day(0), Some("a"), put());
        let first = done(day(0), Outcome::Done(Some(name(1))));
        idempotency.observe(2, &call, &first).unwrap();
        let events = vec![catalog_state::event::Event::RequestChanged(name(1)); events];
        idempotency.observe(3, &call, &Applied { events, ..done(day(0), outcome) }).is_err()
    };
    assert!(!twice(Outcome::Done(Some(name(1))), 0));
    assert!(twice(Outcome::Done(Some(name(2))), 0));
    assert!(twice(Outcome::Done(Some(name(1))), 1));
}

#[test]
fn deadlines_that_fire_wrongly() {
    let row = |fired_revision| DeadlineRow {
        subject: name(1),
        kind: DeadlineKind::Answer,
        due_time: day(5),
        revision: 0,
        fired_revision,
        count: None,
    };
    // Each command: the clock it moves to, and whether the deadline has fired after it.
    let broken = |commands: &[(UtcMillis, bool)]| {
        let mut deadlines = deadlines::Deadlines::default();
        let mut wrong = 0;
        for (index, (clock, fired)) in (2..).zip(commands) {
            let key = keys::deadline(DeadlineKind::Answer, &name(1));
            let bytes = codec::encode(&row(fired.then_some(0)));
            let writes = Writes::from([(key.into_vec(), Some(bytes))]);
            let command = command(
                *clock,
                None,
                Body::AdvanceClock { to: *clock, development: false, portion: None },
            );
            let applied = done(*clock, Outcome::ClockAdvanced { fired: 0, more: false });
            wrong += deadlines.observe(index, &command, &applied, &writes).len();
        }
        wrong
    };
    assert_eq!(broken(&[(day(0), false), (day(5), true), (day(6), true)]), 0);
    assert_eq!(broken(&[(day(0), false), (day(4), true)]), 1, "early");
    assert_eq!(broken(&[(day(0), false), (day(5), false)]), 1, "not at all");
    // It could fire again, is late, and does.
    assert_eq!(broken(&[(day(0), false), (day(5), true), (day(5), false), (day(6), true)]), 3);
}

fn appended(first: u64, terms: &[u64]) -> LogAct {
    let entries = terms.iter().map(|term| (*term, *term)).collect();
    LogAct::Appended { first, entries }
}

#[test]
fn logs_that_differ_or_forget() {
    let mut ghost = ghost::Ghost::default();
    for node in [1, 2] {
        ghost.start(node, GhostLog::found((1, 1), Vec::new(), (1, 0))).unwrap();
    }
    ghost.act(1, &appended(2, &[2, 2, 3])).unwrap();
    ghost.act(2, &appended(2, &[2, 2])).unwrap();
    let other = LogAct::Appended { first: 4, entries: vec![(3, 99)] };
    assert!(ghost.act(2, &other).is_err(), "the same place and term, another entry");
    assert!(ghost.act(1, &appended(9, &[3])).is_err(), "a gap");

    ghost.act(1, &LogAct::State { term: 3, vote: 1, commit: 1 }).unwrap();
    ghost.act(1, &LogAct::Synced { truly: true }).unwrap();
    assert!(ghost.act(1, &LogAct::State { term: 3, vote: 2, commit: 1 }).is_err(), "two votes");
    let shorter = GhostLog::found((1, 1), vec![2, 2], (3, 1));
    assert!(ghost.start(1, shorter).is_err(), "a durable entry is gone");
    ghost.start(2, GhostLog::found((1, 1), vec![2], (1, 0))).unwrap();

    let mut ghost = ghost::Ghost::default();
    ghost.start(1, GhostLog::found((1, 1), vec![2], (2, 3))).unwrap();
    assert!(ghost.start(1, GhostLog::found((1, 1), vec![2], (2, 0))).is_err(), "a vote is gone");
}

#[test]
fn commits_without_a_quorum() {
    let mut ghost = ghost::Ghost::default();
    for node in 1..=3 {
        ghost.start(node, GhostLog::found((1, 1), Vec::new(), (1, 0))).unwrap();
        ghost.act(node, &appended(2, &[2])).unwrap();
    }
    let three = Membership::of_voters(vec![1, 2, 3]);
    let check = |ghost: &ghost::Ghost, membership: &Membership| {
        durability::check(2, 2, ghost, 1..=3, std::slice::from_ref(membership)).is_ok()
    };
    ghost.act(1, &LogAct::Synced { truly: true }).unwrap();
    ghost.act(2, &LogAct::Synced { truly: false }).unwrap();
    assert!(!check(&ghost, &three));
    ghost.act(2, &LogAct::Synced { truly: true }).unwrap();
    assert!(check(&ghost, &three));
    let joint = Membership { outgoing: vec![3], ..three };
    assert!(!check(&ghost, &joint), "the old voters count, too");
}

#[test]
fn two_leaders_and_one_without_everything() {
    let mut elections = elections::Elections::default();
    assert_eq!(elections.observe(1, 2), Ok(true));
    assert_eq!(elections.observe(1, 2), Ok(false));
    assert!(elections.observe(2, 2).is_err());

    let mut agreement = agreement::Agreement::default();
    agreement.observe(1, &entry(2, 2, 1)).unwrap();
    let mut ghost = ghost::Ghost::default();
    for (node, terms) in [(1, vec![2]), (2, Vec::new()), (3, vec![3])] {
        ghost.start(node, GhostLog::found((1, 1), terms, (1, 0))).unwrap();
    }
    let complete = |node| elections.check_leader(node, 3, &ghost, &agreement).is_ok();
    assert!(complete(1));
    assert!(!complete(2));
    assert!(!complete(3));
}

#[test]
fn a_leader_that_learns_late_that_it_won() {
    let mut agreement = agreement::Agreement::default();
    for (index, term) in [(2, 2), (3, 4)] {
        agreement.observe(1, &entry(index, term, 1)).unwrap();
    }
    let mut ghost = ghost::Ghost::default();
    for (node, terms) in [(1, vec![2, 4]), (2, vec![3]), (3, vec![2, 3])] {
        ghost.start(node, GhostLog::found((1, 1), terms, (1, 0))).unwrap();
    }
    let mut elections = elections::Elections::default();
    for (node, term, commit) in [(1, 2, 2), (1, 4, 3)] {
        // Until somebody else was elected, what was committed is owed whole.
        assert!(elections.check_leader(3, 3, &ghost, &agreement).is_err());
        elections.observe(node, term).unwrap();
        elections.committed(term, commit);
    }
    let complete = |elections: &elections::Elections, node, term| {
        elections.check_leader(node, term, &ghost, &agreement).is_ok()
    };
    assert!(complete(&elections, 3, 3), "entry 3 was committed after its term");
    assert!(!complete(&elections, 2, 3), "entry 2 was committed before");
    assert!(complete(&elections, 1, 5));
    assert!(!complete(&elections, 3, 5), "the newest leader lacks entry 3");
    elections.committed(3, 3);
    assert!(!complete(&elections, 3, 3), "entry 3 was committed in its term");
}

#[test]
fn members_that_change_too_much() {
    let three = || Membership::of_voters(vec![1, 2, 3]);
    let allowed =
        |next: Membership| membership::Memberships::new(three()).observe(9, &next).is_ok();
    let joint = Membership { outgoing: vec![1, 2, 3], ..Membership::of_voters(vec![1, 2, 4]) };
    assert!(allowed(joint.clone()));
    assert!(!allowed(Membership::of_voters(vec![1, 2, 4])), "without being joint");
    assert!(!allowed(Membership { auto_leave: true, ..joint.clone() }));
    assert!(!allowed(Membership { voters: vec![1, 4, 5], ..joint.clone() }), "two at once");
    let mut memberships = membership::Memberships::new(three());
    memberships.observe(9, &joint).unwrap();
    let again = Membership { outgoing: vec![1, 2, 4], ..Membership::of_voters(vec![1, 4]) };
    assert!(memberships.observe(10, &again).is_err(), "in the middle of another");

    let mut memberships = membership::Memberships::new(three());
    let learner = |id| Membership { learners: vec![id], ..three() };
    for next in [learner(4), three(), learner(5)] {
        memberships.observe(9, &next).unwrap();
    }
    memberships.observe(10, &three()).unwrap();
    assert!(memberships.observe(11, &learner(4)).is_err(), "an id comes back");
}

#[test]
fn silence_is_no_answer() {
    let mut answers = answers::Answers::default();
    answers.taken(1, 7, 1, 0, 10);
    let (late, many) = (answers::ANSWER_MS + 1, 11 + answers::ANSWER_ENTRIES);
    assert!(answers.check(late, 10).is_ok(), "nothing could be committed");
    assert!(answers.check(late, many).is_err());
    assert!(answers.finish().is_err());
    answers.answered(1, 7, 1);
    assert!(answers.check(late, many).is_ok());
    answers.taken(1, 7, 2, 0, 10);
    answers.died(1);
    assert!(answers.finish().is_ok());
}

#[test]
fn levels_that_are_ignored() {
    let outage = Body::RecordOutage {
        node: 1,
        kind: OutageKind::DiskNearlyFull,
        from: day(0),
        until: day(0),
    };
    let command = command(day(0), None, outage);
    let refused = Outcome::Refused(Refusal::new(Reason::LevelTooLow));
    assert!(levels::check(2, 1, &command, &refused).is_ok());
    assert!(levels::check(2, 1, &command, &Outcome::Done(None)).is_err());
    assert!(levels::check(2, LEVEL, &command, &refused).is_err());
}

#[test]
fn snapshots_of_something_else() {
    let mut checker = Checker::new(vec![1]);
    let begins =
        AppliedEntry { data: Bytes::new(), command: Bytes::new(), applied: None, ..entry(2, 2, 0) };
    checker.observe(1, &begins, day(0));
    let equal = |hash: u8, rows: &MemStore| {
        let sum = reference::RowSum::of(rows);
        snapshots::check(2, 2, [hash; 32], sum, &checker.agreement, &checker.reference).is_ok()
    };
    let empty = MemStore::default();
    let other = MemStore([(b"k".to_vec(), b"v".to_vec())].into());
    assert!(equal(0, &empty));
    assert!(!equal(1, &empty));
    assert!(!equal(0, &other));
}
