//! Calendar: by which day, counted in working days, is an answer owed?
//!
//! No server and no data folder: the calendar of the State Council's notices is in the program.

use std::io::{self, Write};

use catalog_model::{
    calendar::{DayKind, DayLine, Due, WorkingDayCalendar},
    deadline::WorkingDays,
    reason::Lang,
    time::LocalDate,
};
use serde_json::{Value, json};

use crate::{both, failure::Failure, output::Output};

/// `luqiao calendar due`.
pub fn due(
    from: LocalDate,
    working_days: u16,
    explain: bool,
    output: &Output,
) -> Result<(), Failure> {
    let calendar = WorkingDayCalendar::embedded();
    let days = WorkingDays(working_days);
    let due = calendar.add_working_days(from, days);
    let lines = if explain { calendar.explain(from, days) } else { Vec::new() };
    let json = to_json(from, working_days, calendar.version(), due, &lines);
    output.data(&json, |out, lang| write_text(out, due, &lines, lang))?;
    if due.provisional {
        let date = due.date;
        output.say(&both!(
            "provisional: days in a year without an official calendar were counted Monday to Friday; {date} may move",
            "暂定：其中部分日期所在年份尚无官方日历，按周一至周五计算，{date} 可能变动"
        ));
    }
    Ok(())
}

fn to_json(from: LocalDate, working_days: u16, version: u64, due: Due, lines: &[DayLine]) -> Value {
    let mut json = json!({
        "due": due.date,
        "provisional": due.provisional,
        "from": from,
        "working_days": working_days,
        "calendar_version": version,
    });
    if !lines.is_empty() {
        json["days"] = lines
            .iter()
            .map(|line| {
                json!({
                    "date": line.date,
                    "weekday": line.weekday,
                    "kind": kind_name(&line.kind),
                    "name": name(&line.kind, Lang::En),
                    "name_zh": name(&line.kind, Lang::Zh),
                    "counted": line.counted,
                    "official": line.official,
                })
            })
            .collect();
    }
    json
}

fn write_text(out: &mut dyn Write, due: Due, lines: &[DayLine], lang: Lang) -> io::Result<()> {
    for line in lines {
        let count = line.counted.map(|n| n.to_string()).unwrap_or_default();
        let kind = kind_words(&line.kind, lang);
        let name = name(&line.kind, lang);
        let official = match (line.official, lang) {
            (true, _) => "",
            (false, Lang::En) => " (no official calendar)",
            (false, Lang::Zh) => "（无官方日历）",
        };
        let line = format!("{} {}  {count:>4}  {kind} {name}{official}", line.date, line.weekday);
        writeln!(out, "{}", line.trim_end())?;
    }
    writeln!(out, "{}", due.date)
}

fn kind_name(kind: &DayKind) -> &'static str {
    match kind {
        DayKind::Workday => "workday",
        DayKind::MakeUpDay(_) => "make_up_day",
        DayKind::Weekend => "weekend",
        DayKind::Holiday(_) => "holiday",
        DayKind::Closure(_) => "closure",
    }
}

fn kind_words(kind: &DayKind, lang: Lang) -> &'static str {
    match (kind, lang) {
        (DayKind::Workday, Lang::En) => "working day",
        (DayKind::Workday, Lang::Zh) => "工作日",
        (DayKind::MakeUpDay(_), Lang::En) => "make-up day",
        (DayKind::MakeUpDay(_), Lang::Zh) => "调休上班",
        (DayKind::Weekend, Lang::En) => "weekend",
        (DayKind::Weekend, Lang::Zh) => "周末",
        (DayKind::Holiday(_), Lang::En) => "holiday",
        (DayKind::Holiday(_), Lang::Zh) => "放假",
        (DayKind::Closure(_), Lang::En) => "declared closed by",
        (DayKind::Closure(_), Lang::Zh) => "停工",
    }
}

/// What a day that is on the calendar's list is called.
fn name(kind: &DayKind, lang: Lang) -> &str {
    match (kind, lang) {
        (DayKind::MakeUpDay(name) | DayKind::Holiday(name), Lang::En) => &name.en,
        (DayKind::MakeUpDay(name) | DayKind::Holiday(name), Lang::Zh) => &name.zh,
        (DayKind::Closure(document), _) => document,
        (DayKind::Workday | DayKind::Weekend, _) => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(from: &str, days: u16, lang: Lang) -> String {
        let from = from.parse().unwrap();
        let calendar = WorkingDayCalendar::embedded();
        let due = calendar.add_working_days(from, WorkingDays(days));
        let lines = calendar.explain(from, WorkingDays(days));
        let mut out = Vec::new();
        write_text(&mut out, due, &lines, lang).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn an_explained_count_names_holidays_and_the_make_up_day() {
        let text = text("2026-09-21", 10, Lang::En);
        assert!(text.ends_with("\n2026-10-12\n"), "{text}");
        assert!(text.contains("holiday National Day"), "{text}");
        assert!(text.lines().any(|line| line.contains("make-up day")), "{text}");
        assert!(!text.contains("no official calendar"), "{text}");
    }

    #[test]
    fn a_year_without_a_calendar_is_said_to_be_one() {
        let calendar = WorkingDayCalendar::embedded();
        let from = "2031-03-03".parse().unwrap();
        let due = calendar.add_working_days(from, WorkingDays(3));
        let json = to_json(from, 3, calendar.version(), due, &[]);
        assert_eq!(json["provisional"], true);
        assert_eq!(json["due"], "2031-03-06");
        assert!(text("2031-03-03", 3, Lang::Zh).contains("（无官方日历）"));
    }
}
