use super::*;

fn list(events: Vec<Event>) -> List {
    List { drill: String::new(), events, digest: [0; 32], ended: true }
}

fn told(sequence: u64, at: u64, due: bool) -> Event {
    Event::Acknowledged { sequence, at, attempts: 1, due }
}

/// Acknowledged every 10 ms from `from` to `to`, but for what lies in a pause.
fn steady(from: u64, to: u64, pause: Pause) -> Vec<Event> {
    let times = (from..=to).step_by(10).filter(|at| *at <= pause.from || *at >= pause.to);
    times.zip(1..).map(|(at, sequence)| told(sequence, at, false)).collect()
}

fn once() -> There {
    There { times: 1, ..There::default() }
}

fn kill(at: u64) -> Disturbance {
    Disturbance {
        at,
        node: "2".to_owned(),
        what: "killed".to_owned(),
        exact: true,
        seen: None,
        decided: None,
    }
}

#[test]
fn lost_is_what_was_told_and_is_not_there() {
    let list = list(vec![told(1, 10, false), told(2, 20, false), told(3, 30, false)]);
    let there =
        BTreeMap::from([(1, once()), (3, There { times: 2, ..There::default() }), (4, once())]);
    let found = compare(&list, &there, 100);
    assert_eq!((found.acknowledged, found.present, found.untold), (3, 3, 1));
    assert_eq!((found.lost.clone(), found.duplicated.clone()), (vec![2], vec![3]));
    assert_eq!(found.rpo(true), Rpo::Bounded);
    assert_eq!(found.rpo(false), Rpo::Unknown);
    let none = compare(&list, &BTreeMap::from([(1, once()), (2, once()), (3, once())]), 100);
    assert_eq!(none.rpo(true), Rpo::ProvenZero);
}

#[test]
fn due_instants_fire_once_in_their_time_or_are_named() {
    let events = (1..=6).map(|sequence| told(sequence, sequence, true)).collect();
    let there = |due, fired, fired_at| There { times: 1, due, fired, fired_at };
    let rows = BTreeMap::from([
        (1, there(Some(50), 1, Some(60))),
        (2, there(Some(50), 2, Some(50))),
        (3, there(Some(50), 1, Some(49))),
        (4, there(Some(50), 0, None)),
        (5, there(Some(500), 0, None)),
        (6, there(None, 0, None)),
    ]);
    let timers = compare(&list(events), &rows, 100).timers;
    assert_eq!((timers.set, timers.fired, timers.latest_ms), (6, 3, 10));
    assert_eq!((timers.twice.clone(), timers.early.clone()), (vec![2], vec![3]));
    assert_eq!((timers.never.clone(), timers.wrong()), (vec![4, 6], 4));
}

#[test]
fn a_recovery_is_split_at_what_was_seen() {
    let outage = Pause { from: 1_000, to: 2_500 };
    let mut list = list(steady(0, 4_000, outage));
    assert_eq!(longest_pause(&pauses(&list)), outage);
    list.events.push(Event::Failed {
        sequence: 9,
        at: 1_300,
        how: Failed::Answered,
        reason: "NO_LEADER".to_owned(),
    });
    let kill = Disturbance { seen: Some(1_200), decided: Some(2_400), ..kill(1_005) };
    let found = recovery(&list, std::slice::from_ref(&kill));
    // Longer than three times the longest ordinary pause, or 100 ms: the first sign of all.
    let expected = Recovery { total_ms: 1_495, detect_ms: 100, decide_ms: 1_295, execute_ms: 100 };
    assert_eq!(found, expected);
    // A person who was asked is late to say when it was.
    let asked = Disturbance { at: 1_900, exact: false, ..kill };
    assert_eq!(recovery(&list, &[asked]).total_ms, 1_500);
}

#[test]
fn what_nobody_noticed_is_no_outage() {
    let list = list(steady(0, 4_000, Pause { from: 5_000, to: 5_000 }));
    let found = recovery(&list, &[kill(1_005)]);
    assert_eq!(found, Recovery { total_ms: 5, execute_ms: 5, ..Recovery::default() });
    // A pause long after the act is not of its making.
    let late = super::recovery(&list, &[]);
    assert_eq!(late, Recovery::default());
}

#[test]
fn nobody_waits_while_there_is_no_prober_and_whoever_waits_at_its_end_waited_until_then() {
    let mut events = vec![Event::Started { at: 0 }];
    events.extend(steady(10, 100, Pause { from: 200, to: 200 }));
    events.push(Event::Started { at: 9_000 });
    events.extend([told(500, 9_010, false), told(501, 9_050, false), Event::Ended { at: 9_900 }]);
    let list = list(events);
    assert_eq!(longest_pause(&pauses(&list)), Pause { from: 9_050, to: 9_900 });
    assert_eq!(
        recovery(&list, &[kill(9_045)]).total_ms,
        850,
        "what was still answered is no outage"
    );
}

#[test]
fn the_slowest_of_several_disturbances_counts() {
    let mut events = steady(0, 3_000, Pause { from: 1_000, to: 1_300 });
    events.extend(steady(3_010, 6_000, Pause { from: 4_000, to: 4_900 }));
    // Numbers of their own, so that none replaces another.
    for (place, event) in events.iter_mut().enumerate() {
        let Event::Acknowledged { sequence, .. } = event else { unreachable!("only these") };
        *sequence = place as u64;
    }
    let found = recovery(&list(events), &[kill(1_000), kill(4_000)]);
    assert_eq!(found.total_ms, 900);
}

#[test]
fn attempts_waits_and_columns_are_counted() {
    let list = list(vec![
        Event::Begun { sequence: 1, at: 100 },
        Event::Failed { sequence: 1, at: 150, how: Failed::Silent, reason: "timed-out".to_owned() },
        Event::Acknowledged { sequence: 1, at: 180, attempts: 2, due: false },
        Event::Begun { sequence: 2, at: 190 },
        told(2, 390, false),
        Event::GivenUp { sequence: 3, at: 400 },
    ]);
    let found = attempts(&list);
    assert_eq!((found.silent, found.repeated, found.given_up), (1, 1, 1));
    assert_eq!(found.reasons, BTreeMap::from([("timed-out".to_owned(), 1)]));
    assert_eq!(latency(&list), Latency { p50_ms: 200, p99_ms: 200, max_ms: 200 });
    assert_eq!(buckets(&list), Buckets { start: 100, counts: vec![1, 0, 1] });
    assert_eq!(buckets(&super::tests::list(Vec::new())), Buckets::default());
}
