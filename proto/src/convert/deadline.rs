//! Deadlines outside: the count of a clock, every day of it, in figures and in sentences.

use catalog_model::{
    calendar::{DayKind, DayLine, WorkingDayCalendar},
    deadline::{DeadlineKind, WorkingDayClock},
    reason::Lang,
    time::{LocalDate, UtcMillis},
};

use crate::{convert::case_rules::deadline_message, law::v1 as message, sharing::v1 as sharing};

/// The number of a kind in messages.
pub fn deadline_kind(kind: DeadlineKind) -> message::DeadlineKind {
    use message::DeadlineKind as Kind;
    match kind {
        DeadlineKind::Answer => Kind::Answer,
        DeadlineKind::CatalogReview => Kind::CatalogReview,
        DeadlineKind::Delivery => Kind::Delivery,
        DeadlineKind::Opinion => Kind::Opinion,
        DeadlineKind::CompletionLapse => Kind::CompletionLapse,
        DeadlineKind::ReasonHearing => Kind::ReasonHearing,
        DeadlineKind::Warning => Kind::Warning,
        DeadlineKind::Rectification => Kind::Rectification,
        DeadlineKind::Hop => Kind::Hop,
        DeadlineKind::CatalogUpdate => Kind::CatalogUpdate,
        DeadlineKind::ErrorReport => Kind::ErrorReport,
        DeadlineKind::ReportSilence => Kind::ReportSilence,
        DeadlineKind::PersonalObjection => Kind::PersonalObjection,
        DeadlineKind::AttributeReview => Kind::AttributeReview,
        DeadlineKind::Reclassification => Kind::Reclassification,
        DeadlineKind::FunctionTransfer => Kind::FunctionTransfer,
        DeadlineKind::EmergencyTreatment => Kind::EmergencyTreatment,
    }
}

/// What is owed, in words.
pub fn deadline_words(kind: DeadlineKind, lang: Lang) -> &'static str {
    let (en, zh) = match kind {
        DeadlineKind::Answer => ("the answer", "答复"),
        DeadlineKind::CatalogReview => ("the review of the updated entry", "目录更新审核"),
        DeadlineKind::Delivery => ("the delivery", "提供数据"),
        DeadlineKind::Opinion => ("the opinion", "反馈意见"),
        DeadlineKind::CompletionLapse => ("the completion of the request", "补正申请"),
        DeadlineKind::ReasonHearing => ("the claim of a reason", "说明逾期理由"),
        DeadlineKind::Warning => ("the next warning", "下一次提醒"),
        DeadlineKind::Rectification => ("the rectification", "整改"),
        DeadlineKind::Hop => ("passing the case on", "转送"),
        DeadlineKind::CatalogUpdate => ("the update of the catalog", "目录更新"),
        DeadlineKind::ErrorReport => ("the feedback to the report", "核查反馈"),
        DeadlineKind::ReportSilence => ("the reporter's word on the feedback", "报告人回应"),
        DeadlineKind::PersonalObjection => ("the answer to the person concerned", "答复当事人"),
        DeadlineKind::AttributeReview => ("the review of the sharing attribute", "共享属性复核"),
        DeadlineKind::Reclassification => ("the decision on the entry's basis", "依据不足目录处理"),
        DeadlineKind::FunctionTransfer => ("the word on the transfer", "职能划转确认"),
        DeadlineKind::EmergencyTreatment => ("the treatment after the emergency", "应急数据处置"),
    };
    match lang {
        Lang::En => en,
        Lang::Zh => zh,
    }
}

/// A day of a count.
pub fn day_message(line: &DayLine, lang: Lang) -> message::ExplainedDay {
    let name = |en: &str, zh: &str| match lang {
        Lang::En => en.to_owned(),
        Lang::Zh => zh.to_owned(),
    };
    let (kind, day_name) = match &line.kind {
        DayKind::Workday => (message::DayKind::Workday, String::new()),
        DayKind::MakeUpDay(day) => (message::DayKind::MakeUpDay, name(&day.en, &day.zh)),
        DayKind::Weekend => (message::DayKind::Weekend, String::new()),
        DayKind::Holiday(day) => (message::DayKind::Holiday, name(&day.en, &day.zh)),
        DayKind::Closure(document) => (message::DayKind::Closure, document.clone()),
    };
    message::ExplainedDay {
        date: line.date.to_string(),
        weekday: line.weekday.to_owned(),
        kind: kind.into(),
        day_name,
        counted: line.counted.map_or(0, u32::from),
        official: line.official,
        text: line.text(lang),
    }
}

/// A clock with every day of its count under `calendar`, the one by which it was counted; without
/// one, where another domain has counted, the days are not told.
pub fn explained_clock(
    clock: &WorkingDayClock,
    calendar: Option<&WorkingDayCalendar>,
    now: UtcMillis,
    running: bool,
    lang: Lang,
) -> message::ExplainedDeadline {
    let days = calendar.map_or_else(Vec::new, |calendar| clock.explain(calendar));
    let held_from = calendar.and_then(|calendar| clock.held_from(calendar));
    let overdue = running && clock.is_overdue(now);
    let mut deadline = deadline_message(clock, overdue);
    if clock.rule.id.is_empty() {
        deadline.rule = None;
    }
    let mut lines = vec![begins(clock, lang)];
    lines.extend(days.iter().map(|day| day.text(lang)));
    lines.extend(ends(clock, held_from, lang));
    if calendar.is_none() {
        lines.push(match lang {
            Lang::En => "counted by the domain that owns the case; its days are told there".into(),
            Lang::Zh => "由受理该申请的域计算，逐日说明请向该域查询".into(),
        });
    }
    if overdue {
        lines.push(match lang {
            Lang::En => "the time has run out".into(),
            Lang::Zh => "期限已过".into(),
        });
    }
    message::ExplainedDeadline {
        kind: deadline_kind(clock.kind).into(),
        deadline: Some(deadline),
        held_from: held_from.map(|day| day.to_string()).unwrap_or_default(),
        days: days.iter().map(|day| day_message(day, lang)).collect(),
        lines,
        running,
    }
}

/// A deadline that is an instant and no count of working days.
pub fn explained_instant(
    kind: DeadlineKind,
    due_time: UtcMillis,
    now: UtcMillis,
    lang: Lang,
) -> message::ExplainedDeadline {
    let last = UtcMillis(due_time.0.saturating_sub(1)).local_date();
    let what = deadline_words(kind, lang);
    message::ExplainedDeadline {
        kind: deadline_kind(kind).into(),
        deadline: Some(sharing::Deadline {
            due_date: last.to_string(),
            due_time: Some(crate::convert::time::timestamp(due_time)),
            overdue: now >= due_time,
            ..Default::default()
        }),
        lines: vec![match lang {
            Lang::En => format!("{what}: until the end of {last}; no count of working days"),
            Lang::Zh => format!("{what}：至 {last} 24:00，不按工作日计算"),
        }],
        running: true,
        ..Default::default()
    }
}

/// The last day of a clock in the present, where its count had ended before.
fn held(from: LocalDate, due: LocalDate, lang: Lang) -> String {
    match lang {
        Lang::En => format!(
            "held in the present: the count had ended on {from}; nobody is overdue in the past, so \
             the last day is {due}"
        ),
        Lang::Zh => format!("不追溯逾期：计数已于 {from} 届满，顺延至 {due}"),
    }
}

fn begins(clock: &WorkingDayClock, lang: Lang) -> String {
    let what = deadline_words(clock.kind, lang);
    let (length, extended, suspended) = (clock.length.0, clock.extended.0, clock.suspended.0);
    let start = clock.start_time.local_date();
    let mut parts = vec![match lang {
        Lang::En => format!("{what}: {length} working days"),
        Lang::Zh => format!("{what}：{length} 个工作日"),
    }];
    if !clock.rule.id.is_empty() {
        let rule = clock.rule.cite(lang);
        parts.push(match lang {
            Lang::En => format!(" under {rule}"),
            Lang::Zh => format!("（{rule}）"),
        });
    }
    for (days, en, zh) in
        [(extended, "by extension", "延期"), (suspended, "while it stood still", "中止计时")]
    {
        if days > 0 {
            parts.push(match lang {
                Lang::En => format!(", {days} added {en}"),
                Lang::Zh => format!("，另加{zh} {days} 个工作日"),
            });
        }
    }
    parts.push(match lang {
        Lang::En => format!("; {start} itself is not counted"),
        Lang::Zh => format!("；{start} 当日不计"),
    });
    parts.concat()
}

fn ends(clock: &WorkingDayClock, held_from: Option<LocalDate>, lang: Lang) -> Vec<String> {
    let due = clock.due_date;
    let mut lines = vec![match lang {
        Lang::En => format!("the last day is {due}, until 24:00"),
        Lang::Zh => format!("最后一日为 {due}，至 24:00"),
    }];
    if let Some(from) = held_from {
        lines.push(held(from, due, lang));
    }
    if clock.provisional {
        lines.push(match lang {
            Lang::En => "provisional: a day counted lies in a year without an official list, and \
                         the date is counted again when the list appears"
                .to_owned(),
            Lang::Zh => "暂定：计数跨入尚无官方日历的年度，待公布后重新计算".to_owned(),
        });
    }
    lines
}

#[cfg(test)]
mod tests {
    use catalog_model::{deadline::WorkingDays, rule::RuleRef};

    use super::*;

    fn clock(days: u16) -> (WorkingDayClock, UtcMillis) {
        let received: UtcMillis =
            UtcMillis("2026-09-21".parse::<LocalDate>().expect("a day").start().0 + 9 * 3_600_000);
        let clock = WorkingDayClock::start(
            DeadlineKind::Answer,
            received,
            WorkingDays(days),
            RuleRef::house("HOUSE-reasonable-period"),
            WorkingDayCalendar::embedded(),
        );
        (clock, received)
    }

    #[test]
    fn cal_11_every_day_of_a_count_is_a_line_and_the_last_one_is_named() {
        let (clock, now) = clock(10);
        let calendar = WorkingDayCalendar::embedded();
        let shown = explained_clock(&clock, Some(calendar), now, true, Lang::En);
        assert_eq!(shown.days.len(), clock.explain(calendar).len());
        assert_eq!(shown.days.last().expect("days").date, "2026-10-12");
        assert_eq!(shown.days.iter().filter(|day| day.counted > 0).count(), 10);
        assert!(shown.lines[0].contains("house rule HOUSE-reasonable-period"), "{shown:?}");
        assert!(shown.lines.iter().any(|line| line.contains("last day is 2026-10-12")));
        assert!(shown.days.iter().any(|day| day.day_name.contains("National Day")));
        let zh = explained_clock(&clock, Some(calendar), now, true, Lang::Zh);
        assert!(zh.lines[0].contains("10 个工作日"), "{zh:?}");
        assert!(zh.held_from.is_empty());
    }

    #[test]
    fn a_clock_that_was_held_says_since_when_its_count_was_over() {
        let (mut clock, now) = clock(3);
        clock.due_date = "2026-10-09".parse().expect("a day");
        let calendar = WorkingDayCalendar::embedded();
        let shown = explained_clock(&clock, Some(calendar), now, true, Lang::Zh);
        assert_eq!(shown.held_from, "2026-09-24");
        assert!(shown.lines.iter().any(|line| line.contains("不追溯逾期")), "{shown:?}");
    }

    #[test]
    fn where_another_domain_counted_no_days_are_made_up() {
        let (clock, now) = clock(3);
        let shown = explained_clock(&clock, None, now, false, Lang::En);
        assert!(shown.days.is_empty());
        assert!(shown.lines.iter().any(|line| line.contains("told there")), "{shown:?}");
    }
}
