use super::months_later;

#[test]
fn retention_ends_on_the_day_or_the_last_of_the_month() {
    let check = |date: &str, months, expected: &str| {
        let later = months_later(date.parse().unwrap(), months);
        assert_eq!(later, expected.parse().unwrap(), "{date} and {months} months");
    };
    check("2026-09-21", 36, "2029-09-21");
    check("2024-02-29", 36, "2027-02-28");
    check("2026-11-30", 3, "2027-02-28");
    check("2026-12-31", 1, "2027-01-31");
    check("2026-01-31", 12, "2027-01-31");
}
