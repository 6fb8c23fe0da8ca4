use super::{LocalDate, UtcMillis};

#[test]
fn a_day_ends_where_the_next_begins_in_shanghai() {
    let day: LocalDate = "2026-09-21".parse().unwrap();
    assert_eq!(day.weekday(), "Mon");
    assert_eq!(day.start().local_text(), "2026-09-21 00:00:00");
    assert_eq!(day.end(), day.next().start());
    assert_eq!(UtcMillis(day.end().0 - 1).local_date(), day);
    assert_eq!(day.end().local_date(), day.next());
    // 09:00 in Shanghai is 01:00 UTC.
    assert_eq!(UtcMillis(1_789_952_400_000).local_text(), "2026-09-21 09:00:00");
}

#[test]
fn dates_read_as_they_are_written() {
    for text in ["1970-01-01", "2019-12-31", "2024-02-29", "2027-01-01"] {
        let date: LocalDate = text.parse().unwrap();
        assert_eq!(date.to_string(), text);
        assert_eq!(LocalDate::from_days(date.days()), date);
        let bytes = minicbor::to_vec(date).unwrap();
        assert_eq!(minicbor::decode::<LocalDate>(&bytes).unwrap(), date);
    }
    for text in ["", "2026-9-1", "2026-13-01", "2025-02-29", "20260921", "2026-09-21T00"] {
        assert!(text.parse::<LocalDate>().is_err(), "{text}");
    }
}
