use super::*;

const MARGIN: Duration = Duration::from_mins(5);
const DAY: u64 = 86_400_000;

#[test]
fn bounds_of_a_stamp() {
    let check = |wall: u64, committed: u64, elapsed_ms: u64, expected: Result<u64, u64>| {
        let baseline = Baseline::new(UtcMillis(committed), Duration::from_secs(1));
        let now = Duration::from_secs(1) + Duration::from_millis(elapsed_ms);
        let stamp = baseline.stamp(UtcMillis(wall), now, MARGIN);
        assert_eq!(stamp.map(|stamp| stamp.0), expected, "{wall} after {committed} + {elapsed_ms}");
    };
    let now = 20_000 * DAY;
    // As fast as the monotonic clock.
    check(now + 1_000, now, 1_000, Ok(now + 1_000));
    // Behind: time never moves back.
    check(now - 1, now, 0, Ok(now));
    check(0, now, 0, Ok(now));
    // Ahead within the margin, and just beyond it.
    check(now + 300_000, now, 0, Ok(now + 300_000));
    check(now + 300_001, now, 0, Err(1));
    // What has passed counts.
    check(now + 300_001, now, 1, Ok(now + 300_001));
    // 400 days ahead.
    check(now + 400 * DAY, now, 1_000, Err(400 * DAY - 301_000));
    // Nothing committed yet.
    check(now, 0, 0, Ok(now));
    // No overflow at the end of time.
    check(u64::MAX, u64::MAX - 1, 1 << 40, Ok(u64::MAX));
}

#[test]
fn an_operator_vouches_for_one_reading() {
    let (old, now, zero) = (UtcMillis(1_000 * DAY), UtcMillis(1_002 * DAY), Duration::ZERO);
    let mut baseline = Baseline::new(old, zero);
    assert!(baseline.stamp(now, zero, MARGIN).is_err(), "two days passed while nobody looked");
    baseline.vouch(now, zero);
    assert_eq!(baseline.stamp(now, zero, MARGIN), Ok(now));
    // The clock jumps before the first stamp is committed: nobody vouched for that.
    assert!(baseline.stamp(now.plus(400 * DAY), zero, MARGIN).is_err());
    // Old entries, applied late, do not end the word; the first one of its time does.
    baseline.saw(old.plus(1), zero);
    assert_eq!(baseline.stamp(now, zero, MARGIN), Ok(now));
    baseline.saw(now.plus(1), zero);
    assert_eq!(baseline.stamp(now, zero, MARGIN), Ok(now.plus(1)), "never backwards");
    assert_eq!(baseline.committed(), now.plus(1));
}
