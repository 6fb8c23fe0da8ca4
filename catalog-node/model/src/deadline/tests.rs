use super::*;

fn date(text: &str) -> LocalDate {
    text.parse().expect("a date")
}

/// 09:00 of the day in Asia/Shanghai.
fn nine(text: &str) -> UtcMillis {
    date(text).start().plus(9 * 3_600_000)
}

fn clock(start: UtcMillis, days: u16) -> WorkingDayClock {
    WorkingDayClock::start(
        DeadlineKind::Answer,
        start,
        WorkingDays(days),
        RuleRef::house("HOUSE-reasonable-period"),
        WorkingDayCalendar::embedded(),
    )
}

#[test]
fn ends_at_midnight_of_the_last_day() {
    let clock = clock(nine("2026-09-21"), 10);
    assert_eq!(clock.due_date, date("2026-10-12"));
    assert_eq!(clock.due_time.local_text(), "2026-10-13 00:00:00");
    assert!(!clock.is_overdue(UtcMillis(clock.due_time.0 - 1)));
    assert!(clock.is_overdue(clock.due_time));
}

/// Receipt at 23:59 and at 00:00 are different days in Asia/Shanghai, whatever UTC says.
#[test]
fn starts_on_the_local_day() {
    let midnight = date("2026-09-22").start();
    assert_eq!(clock(UtcMillis(midnight.0 - 1), 1).due_date, date("2026-09-22"));
    assert_eq!(clock(midnight, 1).due_date, date("2026-09-23"));
}

#[test]
fn extension_and_suspension_add_working_days() {
    let calendar = WorkingDayCalendar::embedded();
    let mut clock = clock(nine("2026-09-21"), 10);
    clock.extend(WorkingDays(5), calendar);
    assert_eq!((clock.due_date, clock.revision), (date("2026-10-19"), 1));
    clock.suspend(WorkingDays(2), calendar);
    assert_eq!((clock.due_date, clock.revision), (date("2026-10-21"), 2));
    assert_eq!(clock.unsuspended_date(calendar), date("2026-10-19"));
    assert_eq!(clock.explain(calendar).last().and_then(|line| line.counted), Some(17));
}

/// The official list of 2027 arrives: a provisional date moves and is provisional no more.
#[test]
fn recomputes_when_a_year_appears() {
    let mut clock = clock(nine("2026-12-30"), 2);
    assert!(clock.provisional);
    let text = format!(
        "{}2027-01-01,holiday,New Year's Day,元旦,Fri,0\n",
        include_str!("../../data/calendar.csv")
    );
    let calendar = WorkingDayCalendar::parse(&text, 2).expect("a calendar");
    let changed = clock.recompute(&calendar, nine("2026-12-31")).expect("it moved");
    assert_eq!(
        changed,
        Recomputed { old_date: date("2027-01-01"), new_date: date("2027-01-04"), held: false }
    );
    assert_eq!((clock.provisional, clock.calendar_version, clock.revision), (false, 2, 1));
    assert_eq!(clock.recompute(&calendar, nine("2026-12-31")), None);
    assert_eq!(clock.revision, 1, "nothing changed, nothing fires again");
}

/// "Must refuse" 54: a recompute that makes a case overdue in the past.
#[test]
fn never_overdue_in_the_past() {
    let mut clock = clock(nine("2026-09-21"), 12);
    assert_eq!(clock.due_date, date("2026-10-14"));
    // A calendar in which National Day was no holiday: the days would have ended on October 8.
    let text: String = include_str!("../../data/calendar.csv")
        .lines()
        .filter(|line| !line.starts_with("2026-10-0"))
        .fold(String::new(), |text, line| text + line + "\n");
    let calendar = WorkingDayCalendar::parse(&text, 2).expect("a calendar");
    let changed = clock.recompute(&calendar, nine("2026-10-11")).expect("it is held");
    let held =
        Recomputed { old_date: date("2026-10-14"), new_date: date("2026-10-12"), held: true };
    assert_eq!(changed, held, "Sunday the 11th passes on to Monday");
    assert!(!clock.is_overdue(nine("2026-10-11")));
    // A clock that ran out under the old calendar stays overdue.
    let mut late = WorkingDayClock { due_time: nine("2026-10-09"), ..clock.clone() };
    late.recompute(&calendar, nine("2026-10-11"));
    assert!(late.is_overdue(nine("2026-10-11")));
}
