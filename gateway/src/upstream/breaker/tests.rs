use super::*;

fn at(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn failed(times: u32, now: Duration) -> Breaker {
    let mut breaker = Breaker::default();
    for _ in 0..times {
        breaker.failed(now);
    }
    breaker
}

#[test]
fn a_few_failures_in_a_row_close_it() {
    assert!(failed(FAILURES_MAX - 1, at(0)).try_pass(at(0)));
    assert!(!failed(FAILURES_MAX, at(0)).try_pass(at(0)));
}

#[test]
fn failures_between_successes_do_not() {
    let mut breaker = Breaker::default();
    for _ in 0..100 {
        breaker.failed(at(0));
        breaker.failed(at(0));
        breaker.succeeded();
    }
    assert!(breaker.try_pass(at(0)));
}

#[test]
fn after_the_pause_one_call_tries_for_all() {
    let mut breaker = failed(FAILURES_MAX, at(1000));
    assert!(!breaker.try_pass(at(1099)));
    assert!(breaker.try_pass(at(1100)));
    assert!(!breaker.try_pass(at(1100)), "one is trying");
    breaker.succeeded();
    assert!(breaker.try_pass(at(1100)));
}

#[test]
fn the_pause_doubles_up_to_its_bound() {
    for (times, pause) in [(3, 100), (4, 200), (5, 400), (7, 1600), (8, 2000), (u32::MAX, 2000)] {
        let mut breaker = Breaker { failures: times - 1, ..Breaker::default() };
        breaker.failed(at(0));
        assert!(!breaker.try_pass(at(pause - 1)), "{times} failures");
        assert!(breaker.try_pass(at(pause)), "{times} failures");
    }
}

#[test]
fn one_that_tries_and_is_never_heard_of_does_not_close_it_for_ever() {
    let mut breaker = failed(FAILURES_MAX, at(0));
    assert!(breaker.try_pass(at(100)));
    assert!(!breaker.try_pass(at(199)));
    assert!(breaker.try_pass(at(200)));
}
