//! A checker that cannot fail proves nothing: here each of them does.

use std::collections::BTreeMap;

use bytes::Bytes;
use catalog_model::{
    deadline::DeadlineKind,
    ids::RequestId,
    name::{Resource, ResourceName},
    time::LocalDate,
};
use catalog_state::{
    command::{Body, LEVEL},
    machine::Applied,
    outcome::Outcome,
    rows::DeadlineRow,
};

use super::*;
use crate::cast;

fn day(number: i32) -> UtcMillis {
    LocalDate::from_days(20_000 + number).start()
}

fn name(id: u8) -> ResourceName {
    cast::name(Resource::Request(RequestId::from_bytes([id; 16])))
}

fn entry(index: u64, clock: UtcMillis, request_id: Option<&str>, body: Body) -> AppliedEntry {
    let command = Command {
        level: LEVEL,
        stamped_at: clock,
        received_at: None,
        caller: cast::AUTHORITY.as_system(),
        request_id: request_id.map(ToOwned::to_owned),
        call_digest: [1; 32],
        salt: [0; 16],
        body,
    };
    let outcome = match &command.body {
        Body::AdvanceClock { .. } => Outcome::ClockAdvanced { fired: 0, more: false },
        _ => Outcome::Done(Some(name(1))),
    };
    AppliedEntry {
        index,
        term: 2,
        data: Bytes::from(command.encode()),
        applied: Some(Applied { outcome, events: Vec::new(), clock }),
        state_hash: [index as u8; 32],
        deadlines: Some(BTreeMap::new()),
    }
}

fn put() -> Body {
    Body::ProbePut { key: b"k".to_vec(), value: b"v".to_vec() }
}

fn advance(index: u64, clock: UtcMillis, rows: &[DeadlineRow]) -> AppliedEntry {
    let rows = rows.iter().map(|row| (row.subject.to_string().into_bytes(), row.clone()));
    AppliedEntry {
        deadlines: Some(rows.collect()),
        ..entry(index, clock, None, Body::AdvanceClock { to: clock, development: false })
    }
}

fn row(due: UtcMillis, fired_revision: Option<u32>) -> DeadlineRow {
    let (subject, kind) = (name(1), DeadlineKind::Answer);
    DeadlineRow { subject, kind, due_time: due, revision: 0, fired_revision }
}

/// The promises that `entries`, applied by nodes, break.
fn broken(entries: &[(u64, AppliedEntry)]) -> Vec<&'static str> {
    let mut checker = Checker::default();
    for (node, entry) in entries {
        checker.observe(*node, entry, day(100));
    }
    checker.into_violations().iter().map(|violation| violation.promise).collect()
}

#[test]
fn replicas_that_differ() {
    let first = entry(2, day(0), None, put());
    assert_eq!(broken(&[(1, first.clone()), (2, first.clone())]), [""; 0]);
    let other_hash = AppliedEntry { state_hash: [9; 32], ..first.clone() };
    assert_eq!(broken(&[(1, first.clone()), (2, other_hash)]), ["agreement"]);
    let other_term = AppliedEntry { term: 3, ..first.clone() };
    assert_eq!(broken(&[(1, first.clone()), (2, other_term)]), ["agreement"]);
    let gap = entry(4, day(0), None, put());
    assert_eq!(broken(&[(1, first), (1, gap)]), ["agreement"]);
}

#[test]
fn a_clock_beyond_the_truth() {
    assert_eq!(broken(&[(1, entry(2, day(100), None, put()))]), [""; 0]);
    assert_eq!(broken(&[(1, entry(2, day(101), None, put()))]), ["time"]);
}

#[test]
fn a_call_with_two_effects() {
    let first = entry(2, day(0), Some("a"), put());
    let repeated = entry(3, day(0), Some("a"), put());
    assert_eq!(broken(&[(1, first.clone()), (1, repeated.clone())]), [""; 0]);
    let mut other = repeated.clone();
    other.applied.as_mut().unwrap().outcome = Outcome::Done(Some(name(2)));
    assert_eq!(broken(&[(1, first.clone()), (1, other)]), ["idempotency"]);
    let mut told = repeated;
    told.applied.as_mut().unwrap().events =
        vec![catalog_state::event::Event::RequestChanged(name(1))];
    assert_eq!(broken(&[(1, first), (1, told)]), ["idempotency"]);
}

#[test]
fn deadlines_that_fire_wrongly() {
    let waits = || (1, advance(2, day(0), &[row(day(5), None)]));
    let fired = |index, clock| (1, advance(index, clock, &[row(day(5), Some(0))]));
    assert_eq!(broken(&[waits(), fired(3, day(5)), fired(4, day(6))]), [""; 0]);
    // Early.
    assert_eq!(broken(&[waits(), fired(3, day(4))]), ["deadlines"]);
    // Not at all.
    assert_eq!(broken(&[waits(), (1, advance(3, day(5), &[row(day(5), None)]))]), ["deadlines"]);
    // Twice: it could fire again, is late, and does.
    let again = (1, advance(4, day(5), &[row(day(5), None)]));
    assert_eq!(broken(&[waits(), fired(3, day(5)), again, fired(5, day(6))]), ["deadlines"; 3]);
    // By a command that moves no clock.
    let mut other = entry(3, day(5), None, put());
    other.deadlines = fired(3, day(5)).1.deadlines;
    assert_eq!(broken(&[waits(), (1, other)]), ["deadlines"]);
}
