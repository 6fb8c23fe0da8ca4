use super::*;

const MARGIN: Duration = Duration::from_mins(5);
const DAY: u64 = 86_400_000;

#[test]
fn refuses_raises_and_clears() {
    let now = Arc::new(std::sync::atomic::AtomicU64::new(1_000 * DAY));
    let shown = Arc::clone(&now);
    let wall =
        WallClock::from_fn(move || UtcMillis(shown.load(std::sync::atomic::Ordering::Relaxed)));
    let alarms = Arc::new(Alarms::default());
    let clock = StampClock::new(wall, UtcMillis(1_000 * DAY), MARGIN, false, Arc::clone(&alarms));
    assert_eq!(clock.stamp(), Ok(UtcMillis(1_000 * DAY)));

    now.store(1_400 * DAY, std::sync::atomic::Ordering::Relaxed);
    let refusal = clock.stamp().expect_err("400 days ahead");
    assert_eq!(refusal.reason, Reason::StampOutOfBounds);
    assert_eq!(alarms.list().len(), 1);

    now.store(999 * DAY, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(clock.stamp(), Ok(UtcMillis(1_000 * DAY)), "never backwards");
    assert_eq!(alarms.list(), []);
}

#[test]
fn an_operator_accepts_one_reading() {
    let now = Arc::new(std::sync::atomic::AtomicU64::new(1_400 * DAY));
    let shown = Arc::clone(&now);
    let wall =
        WallClock::from_fn(move || UtcMillis(shown.load(std::sync::atomic::Ordering::Relaxed)));
    let alarms = Arc::new(Alarms::default());
    let clock = StampClock::new(wall, UtcMillis(1_000 * DAY), MARGIN, true, alarms);
    assert_eq!(clock.stamp(), Ok(UtcMillis(1_400 * DAY)));
    clock.saw(UtcMillis(1_001 * DAY));
    assert_eq!(clock.stamp(), Ok(UtcMillis(1_400 * DAY)), "old entries do not end it");
    now.store(1_800 * DAY, std::sync::atomic::Ordering::Relaxed);
    assert!(clock.stamp().is_err(), "another jump is not covered");
}
