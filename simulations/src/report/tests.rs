use super::*;

fn report() -> Report {
    Report {
        violations: Vec::new(),
        enabled: vec![Kind::PowerLoss],
        faults: BTreeMap::from([(Kind::PowerLoss, 1)]),
        acknowledged: MIN_ACKNOWLEDGED,
        probes: MIN_PROBES,
        tally: Tally { requests: MIN_REQUESTS, ..Tally::default() },
        deadlines: 1,
        stamps_refused: 1,
        ..Report::of_panic(1, Scenario::Standard, String::new())
    }
}

#[test]
fn a_run_that_shows_nothing_fails() {
    assert!(report().passed());
    let check = |change: fn(&mut Report), expected: &str| {
        let mut report = report();
        change(&mut report);
        assert!(!report.passed());
        let reason = report.vacuous().expect("it is vacuous");
        assert!(reason.contains(expected), "{reason}");
    };
    check(|report| report.enabled.push(Kind::Partition), "no partition happened");
    check(|report| report.acknowledged -= 1, "changes acknowledged: 299");
    check(|report| report.probes = 0, "probes answered: 0");
    check(|report| report.tally.requests = 0, "requests for data made");
    check(|report| report.deadlines = 0, "deadlines fired");
    check(|report| report.stamps_refused = 0, "stamps refused");
}

#[test]
fn a_broken_promise_fails() {
    let violation = Violation { promise: "agreement", what: "two states".to_owned() };
    let report = Report { violations: vec![violation], ..report() };
    assert!(!report.passed());
    assert!(report.to_string().contains("agreement: two states"));
    let mut summary = Summary::default();
    summary.add(&report);
    assert_eq!(summary.failed(), [1]);
}
