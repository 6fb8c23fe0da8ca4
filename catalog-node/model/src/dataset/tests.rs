use super::{Period, element_key};

fn period(from: &str, until: Option<&str>) -> Period {
    Period { from: from.parse().unwrap(), until: until.map(|day| day.parse().unwrap()) }
}

/// CAT-13: what two departments write differently and mean alike is one datum.
#[test]
fn the_same_datum_is_known_by_other_writing() {
    let check = |one: &str, two: &str, same: bool| {
        assert_eq!(element_key(one) == element_key(two), same, "{one} and {two}");
    };
    check("联系电话（手机）", "联系电话(手机)", true);
    check("Plate No.", "plate no", true);
    check("ＩＤ１", "id1", true);
    check("住址", "户籍住址", false);
    check("name", "names", false);
}

#[test]
fn periods_share_days_or_do_not() {
    let check = |one: Period, two: Period, share: bool| {
        assert_eq!(one.overlaps(&two), share, "{one:?} {two:?}");
        assert_eq!(two.overlaps(&one), share, "{two:?} {one:?}");
    };
    check(period("2026-01-01", None), period("2030-01-01", None), true);
    check(period("2026-01-01", Some("2026-06-30")), period("2026-07-01", None), false);
    check(period("2026-01-01", Some("2026-07-01")), period("2026-07-01", None), true);
    assert!(!period("2026-07-01", Some("2026-06-30")).is_sound());
    let half = period("2026-01-01", Some("2026-06-30"));
    assert!(half.holds("2026-06-30".parse().unwrap()));
    assert!(!half.holds("2026-07-01".parse().unwrap()));
    assert!(half.is_over("2026-07-01".parse().unwrap()));
}
