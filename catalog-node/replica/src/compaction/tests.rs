//! The rule as a table.

use super::*;

const LIMITS: CompactLimits = CompactLimits { keep_entries: 10, keep_bytes: 1000 };

/// A log from entry 5 to entry 200, of 10 bytes each.
fn check(durable_applied: u64, needed: Option<u64>, expected: Option<u64>) {
    let bytes_from = |low: u64| (200 - low + 1) * 10;
    assert_eq!(
        compact_to(5, durable_applied, needed, LIMITS, bytes_from),
        expected,
        "durable up to {durable_applied}, needed after {needed:?}"
    );
}

#[test]
fn what_is_not_durable_elsewhere_stays_and_some_more() {
    check(190, None, Some(180));
    check(15, None, Some(5));
    check(14, None, None);
    check(0, None, None);
    // A peer that has more than we would keep anyway changes nothing.
    check(190, Some(200), Some(180));
    check(190, Some(180), Some(180));
}

#[test]
fn a_live_peer_that_is_behind_is_waited_for_as_long_as_that_is_cheap() {
    check(190, Some(150), Some(150));
    check(190, Some(100), Some(100));
    // From here on, a snapshot is cheaper.
    check(190, Some(99), Some(180));
    check(190, Some(0), Some(180));
    // It needs all of the log.
    assert_eq!(compact_to(5, 190, Some(4), LIMITS, |_| 10), None);
}

#[test]
fn a_log_without_limits_shrinks_to_nothing() {
    let nothing = CompactLimits { keep_entries: 0, keep_bytes: 0 };
    assert_eq!(compact_to(2, 9, None, nothing, |_| 1), Some(9));
    assert_eq!(compact_to(2, 9, Some(3), nothing, |_| 1), Some(9));
}
