use proptest::prelude::*;

use super::*;

fn date(text: &str) -> LocalDate {
    text.parse().expect("a date")
}

/// Every row of the deadline vectors.
#[test]
fn vectors() {
    let calendar = WorkingDayCalendar::embedded();
    let mut rows = 0;
    let file = &include_bytes!("../../data/deadline_vectors.csv")[..];
    for row in csv::Reader::from_reader(file).records() {
        let row = row.expect("the vectors are a csv");
        assert_eq!(&row[8], "day_after_receipt");
        let start = date(&row[1]);
        assert_eq!(start.weekday(), &row[2], "row {}", &row[0]);
        assert_eq!(calendar.is_working_day(start).counts(), &row[3] == "1", "row {}", &row[0]);
        let n = WorkingDays(row[4].parse().expect("a number"));
        let due = calendar.add_working_days(start, n);
        assert_eq!(due, Due { date: date(&row[5]), provisional: false }, "row {}", &row[0]);
        assert_eq!(due.date.weekday(), &row[6], "row {}", &row[0]);
        rows += 1;
    }
    assert_eq!(rows, 60);
}

/// The walk's own clock: ten working days from 2026-09-21 cross Mid-autumn and National Day and
/// count the make-up Saturday 2026-10-10.
#[test]
fn explains_two_holidays_and_a_make_up_day() {
    let lines = WorkingDayCalendar::embedded().explain(date("2026-09-21"), WorkingDays(10));
    let told: Vec<String> = lines
        .iter()
        .map(|line| {
            let kind = match &line.kind {
                DayKind::Workday => "workday".to_owned(),
                DayKind::MakeUpDay(name) => format!("make-up {}", name.zh),
                DayKind::Weekend => "weekend".to_owned(),
                DayKind::Holiday(name) => name.zh.clone(),
                DayKind::Closure(document) => document.clone(),
            };
            let counted = line.counted.map_or("-".to_owned(), |n| n.to_string());
            format!("{} {} {kind} {counted}", line.date, line.weekday)
        })
        .collect();
    assert_eq!(told[0], "2026-09-21 Mon workday -", "the day of receipt is not counted");
    assert_eq!(told[1], "2026-09-22 Tue workday 1");
    assert!(told.contains(&"2026-09-25 Fri 中秋节 -".to_owned()), "{told:#?}");
    assert!(told.contains(&"2026-10-01 Thu 国庆节 -".to_owned()), "{told:#?}");
    assert!(told.contains(&"2026-10-10 Sat make-up 国庆节 9".to_owned()), "{told:#?}");
    assert_eq!(told.last().expect("days"), "2026-10-12 Mon workday 10");
}

#[test]
fn a_year_without_a_list_is_provisional() {
    let calendar = WorkingDayCalendar::embedded();
    let due = calendar.add_working_days(date("2026-12-30"), WorkingDays(1));
    assert_eq!(due, Due { date: date("2026-12-31"), provisional: false });
    // 2027-01-01 is a Friday: nobody knows yet that it is a holiday, and the answer says so.
    let due = calendar.add_working_days(date("2026-12-30"), WorkingDays(2));
    assert_eq!(due, Due { date: date("2027-01-01"), provisional: true });
    let due = calendar.add_working_days(date("2018-12-31"), WorkingDays(1));
    assert_eq!(due, Due { date: date("2019-01-02"), provisional: false });
}

#[test]
fn ends_where_days_end() {
    let last = LocalDate::from_days(i32::MAX);
    let due = WorkingDayCalendar::embedded().add_working_days(last, WorkingDays(3));
    assert_eq!(due.date, last);
    let zero = WorkingDayCalendar::embedded().add_working_days(date("2026-10-01"), WorkingDays(0));
    assert_eq!(zero, Due { date: date("2026-10-01"), provisional: false });
}

#[test]
fn refuses_a_calendar_that_contradicts_itself() {
    let check = |rows: &str, line, words: &str| {
        let text = format!("date,kind,name,name_zh,weekday,in_lieu\n{rows}");
        let error = WorkingDayCalendar::parse(&text, 1).expect_err(rows);
        assert_eq!(error.line, line, "{error}");
        assert!(error.fault.contains(words), "{error}");
    };
    check("2026-01-01,holiday,New Year,元旦,Thu,0\n2026-01-01,holiday,X,X,Thu,0\n", 3, "twice");
    check("2026-01-02,holiday,New Year,元旦,Thu,0\n", 2, "is a Fri");
    check("2026-01-02,workday,New Year,元旦,Fri,0\n", 2, "no weekend");
    check("2026-13-02,workday,New Year,元旦,Fri,0\n", 2, "date");
    check("2026-01-02,rest,New Year,元旦,Fri,0\n", 2, "rest");
    check("2026-01-02\n", 2, "fields");
    let error = WorkingDayCalendar::parse("day\n", 1).expect_err("another header");
    assert_eq!(error.line, 1);
}

#[test]
fn survives_its_encoding() {
    let calendar = WorkingDayCalendar::embedded().clone().with_version(7);
    let bytes = minicbor::to_vec(&calendar).expect("a vector takes any bytes");
    assert_eq!(minicbor::decode::<WorkingDayCalendar>(&bytes).expect("our bytes"), calendar);
    assert_eq!(calendar.years().collect::<Vec<_>>(), (2019..=2026).collect::<Vec<_>>());
    assert_eq!(calendar.version(), 7);
}

proptest! {
    /// The count equals the plain way: list the days, strike out what does not count, take the n-th.
    #[test]
    fn equals_the_plain_way(start in 16_436..21_600_i32, n in 1..120_u16) {
        let calendar = WorkingDayCalendar::embedded();
        let start = LocalDate::from_days(start);
        let plain = (1..1000)
            .map(|step| LocalDate::from_days(start.days() + step))
            .filter(|day| calendar.is_working_day(*day).counts())
            .nth(usize::from(n) - 1)
            .expect("a thousand days hold the count");
        let due = calendar.add_working_days(start, WorkingDays(n));
        prop_assert_eq!(due.date, plain);
        let passed = (start.days() + 1..=plain.days()).map(LocalDate::from_days);
        let provisional = passed.clone().any(|day| !(2019..=2026).contains(&day.year()));
        prop_assert_eq!(due.provisional, provisional);

        let lines = calendar.explain(start, WorkingDays(n));
        prop_assert_eq!(lines.len() as i32, plain.days() - start.days() + 1);
        prop_assert_eq!(lines.last().and_then(|line| line.counted), Some(n));
        prop_assert_eq!(lines.iter().filter_map(|line| line.counted).collect::<Vec<_>>(),
            (1..=n).collect::<Vec<_>>());
    }
}

/// A declared closure is no holiday: it stops the count, says by which document, and makes no year
/// official.
#[test]
fn a_closure_is_a_layer_over_the_list() {
    let text = format!(
        "{}2026-09-23,closure,\"number, one\",,Wed,0\n2026-09-26,closure,weekend,,Sat,0\n\
         2027-03-01,closure,later,,Mon,0\n",
        include_str!("../../data/calendar.csv")
    );
    let calendar = WorkingDayCalendar::parse(&text, 2).expect("a calendar");
    assert_eq!(calendar.is_working_day(date("2026-09-23")), DayKind::Closure("number, one".into()));
    assert!(!calendar.counts(date("2026-09-23")));
    assert_ne!(calendar.is_working_day(date("2026-09-26")), DayKind::Closure("weekend".into()));
    assert!(!calendar.is_official(date("2027-03-01")));
    let due = |calendar: &WorkingDayCalendar| {
        calendar.add_working_days(date("2026-09-21"), WorkingDays(3)).date
    };
    assert_eq!(due(WorkingDayCalendar::embedded()), date("2026-09-24"));
    assert_eq!(due(&calendar), date("2026-09-28"));
    let told: Vec<String> = calendar
        .explain(date("2026-09-22"), WorkingDays(1))
        .iter()
        .map(|line| line.text(Lang::En))
        .collect();
    assert_eq!(told[1], "2026-09-23 Wed     declared closed by number, one");
    assert_eq!(calendar.first_open_day(date("2026-09-25").start()), date("2026-09-28"));
    let twice = format!("{text}2026-09-23,closure,again,,Wed,0\n");
    assert!(WorkingDayCalendar::parse(&twice, 2).is_err());
    // A calendar without closures is stored as it always was.
    let bytes = minicbor::to_vec(WorkingDayCalendar::embedded()).expect("bytes");
    let again: WorkingDayCalendar = minicbor::decode(&bytes).expect("our bytes");
    assert_eq!(&again, WorkingDayCalendar::embedded());
    assert_eq!(bytes[0], 0x84, "four fields");
}
