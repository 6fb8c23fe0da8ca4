use super::*;

fn limits() -> Limits {
    Limits {
        calls_max: 4,
        caller_calls_max: 3,
        streams_max: 2,
        caller_streams_max: 1,
        caller_rate: 10,
        caller_burst: 100,
        ..Limits::default()
    }
}

const START: Duration = Duration::from_secs(1_000);

#[test]
fn a_caller_may_burst_and_then_keeps_to_its_rate() {
    let mut gate = Gate::new(Limits { caller_burst: 2, ..limits() });
    let mut call = |now| {
        let admitted = gate.enter("a", Seating::Call, now);
        if admitted.is_ok() {
            gate.leave("a", Seating::Call);
        }
        admitted
    };
    let after = |millis| START + Duration::from_millis(millis);
    let too_fast = |millis| Err(NotNow::TooFast { retry_after: Duration::from_millis(millis) });

    assert_eq!(call(START), Ok(()));
    assert_eq!(call(START), Ok(()));
    assert_eq!(call(START), too_fast(100));
    // Asking again does not put it off.
    assert_eq!(call(after(60)), too_fast(40));
    assert_eq!(call(after(99)), too_fast(1));
    assert_eq!(call(after(100)), Ok(()));
    assert_eq!(call(after(100)), too_fast(100));
    // A clock that went back gives nothing and takes nothing.
    assert_eq!(call(START), too_fast(100));
    assert_eq!(call(after(200)), Ok(()));
    // However long the pause, not more than the burst.
    assert_eq!(call(after(60_000)), Ok(()));
    assert_eq!(call(after(60_000)), Ok(()));
    assert_eq!(call(after(60_000)), too_fast(100));
}

#[test]
fn one_caller_cannot_take_all_the_places() {
    let mut gate = Gate::new(limits());
    for _ in 0..3 {
        gate.enter("a", Seating::Call, START).unwrap();
    }
    let busy = Err(NotNow::CallerBusy { retry_after: BUSY_WAIT });
    assert_eq!(gate.enter("a", Seating::Call, START), busy);
    gate.enter("b", Seating::Call, START).unwrap();
    let full = Err(NotNow::GatewayBusy { retry_after: BUSY_WAIT });
    assert_eq!(gate.enter("b", Seating::Call, START), full);
    gate.leave("a", Seating::Call);
    assert_eq!(gate.enter("b", Seating::Call, START), Ok(()));
}

#[test]
fn streams_have_places_of_their_own() {
    let mut gate = Gate::new(limits());
    gate.enter("a", Seating::Stream, START).unwrap();
    let busy = Err(NotNow::CallerBusy { retry_after: BUSY_WAIT });
    assert_eq!(gate.enter("a", Seating::Stream, START), busy);
    for _ in 0..3 {
        gate.enter("a", Seating::Call, START).unwrap();
    }
    gate.enter("b", Seating::Stream, START).unwrap();
    let full = Err(NotNow::GatewayBusy { retry_after: BUSY_WAIT });
    assert_eq!(gate.enter("c", Seating::Stream, START), full);
    gate.leave("a", Seating::Stream);
    assert_eq!(gate.enter("c", Seating::Stream, START), Ok(()));
}

#[test]
fn a_refusal_costs_the_caller_nothing() {
    let mut gate = Gate::new(Limits { caller_burst: 4, ..limits() });
    for _ in 0..3 {
        gate.enter("a", Seating::Call, START).unwrap();
    }
    for _ in 0..10 {
        gate.enter("a", Seating::Call, START).unwrap_err();
    }
    gate.leave("a", Seating::Call);
    assert_eq!(gate.enter("a", Seating::Call, START), Ok(()), "one of four is left");
}

#[test]
fn callers_that_owe_nothing_are_forgotten() {
    let mut gate = Gate::new(Limits { calls_max: u32::MAX, ..limits() });
    gate.enter("stays", Seating::Call, START).unwrap();
    for number in 0..3 * CALLERS_KEPT {
        let caller = number.to_string();
        // After ten calls' time each has its whole burst again.
        let now = START + Duration::from_secs(number as u64);
        gate.enter(&caller, Seating::Call, now).unwrap();
        gate.leave(&caller, Seating::Call);
        assert!(gate.callers.len() <= CALLERS_KEPT + 1);
    }
    gate.leave("stays", Seating::Call);
}
