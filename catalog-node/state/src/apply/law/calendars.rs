//! Calendars: the yearly lists, their corrections, and the days declared closed here.
//!
//! A day that was counted officially stays counted: orders rest on it. What was provisional may
//! still become anything. Every other change moves running clocks, each with a record.

use std::{collections::BTreeMap, fmt::Write as _, sync::Arc};

use catalog_model::{
    calendar::WorkingDayCalendar, policy::MAX_LINE, reason::Reason, refusal::Refusal,
    rule_pack::RuleKey, time::LocalDate,
};
use sha2::{Digest, Sha256};

use super::{by_authority, by_two_persons, needed, own, packs, work};
use crate::{
    apply::text,
    command::ClosureEffect,
    event::Event,
    keys,
    law::Work,
    ledger::{self, Fact},
    machine::Law,
    outcome::Outcome,
    rows::VersionedText,
    tx::Tx,
};

/// The most days that one document closes.
const MAX_CLOSED: usize = 31;

pub(super) fn load(
    tx: &mut Tx<'_>,
    law: &Law,
    csv: &str,
    reason: &str,
) -> Result<Outcome, Refusal> {
    by_authority(tx)?;
    text::check_reason("reason", reason)?;
    packs::check_length("text", csv)?;
    let stated = WorkingDayCalendar::parse(csv, 0).map_err(|error| {
        let zh = format!("第 {} 行：{}", error.line, error.fault);
        refused(error.to_string(), zh)
    })?;
    if let Some((day, _)) = stated.closures().next() {
        let en = format!("{day} is a closure; closures are declared one by one");
        return Err(refused(en, format!("{day} 为停工日，应另行申报")));
    }
    check_years(law, &stated)?;
    let closures: BTreeMap<LocalDate, String> =
        law.calendar.closures().map(|(day, document)| (day, document.to_owned())).collect();
    let text = with_closures(csv, &closures);
    let next = read(&text, law.calendar.version() + 1);
    check_counted(tx, law, &next)?;
    let domain = tx.domain_name();
    if next.clone().with_version(law.calendar.version()) == *law.calendar {
        return Ok(Outcome::Done(Some(domain)));
    }
    let digest = Sha256::digest(csv).into();
    if !by_two_persons(tx, law, "calendar", digest)? {
        return Ok(Outcome::Done(Some(domain)));
    }
    let years = next.years().collect();
    let fact = Fact::CalendarLoaded { version: next.version(), digest, years };
    ledger::append(tx, &domain, fact, None, &[("reason", reason)]);
    store(tx, law, text, next);
    Ok(Outcome::Done(Some(domain)))
}

/// Every year that had an official list keeps one, and no year between is left out.
fn check_years(law: &Law, stated: &WorkingDayCalendar) -> Result<(), Refusal> {
    let years: Vec<i16> = stated.years().collect();
    let lost = law.calendar.years().find(|year| !years.contains(year));
    let gap = years.windows(2).find(|pair| pair[0] + 1 != pair[1]).map(|pair| pair[0] + 1);
    match lost.or(gap) {
        Some(year) => Err(Refusal::new(Reason::CalendarYearMissing).fact("year", year)),
        None => Ok(()),
    }
}

/// No day that is over and was counted by an official list is taken out of the count.
fn check_counted(tx: &Tx<'_>, law: &Law, next: &WorkingDayCalendar) -> Result<(), Refusal> {
    let Some(first) = law.calendar.years().next() else { return Ok(()) };
    let mut day: LocalDate = format!("{first}-01-01").parse().expect("a year has a first day");
    while day < tx.today() {
        if law.calendar.is_official(day) && law.calendar.counts(day) && !next.counts(day) {
            return Err(Refusal::new(Reason::CalendarDayCounted).fact("date", day));
        }
        day = day.next();
    }
    Ok(())
}

pub(super) fn declare(
    tx: &mut Tx<'_>,
    law: &Law,
    document_number: &str,
    days: &[LocalDate],
    effect: ClosureEffect,
) -> Result<Outcome, Refusal> {
    by_authority(tx)?;
    let rule = needed(&own(tx, law)?, RuleKey::CalendarLocalLayer)?;
    check_document(document_number, days)?;
    if let Some(day) = days.iter().find(|day| **day < tx.today()) {
        return Err(Refusal::new(Reason::CalendarDayCounted).under(rule).fact("date", day));
    }
    if let Some(day) = days.iter().find(|day| !law.calendar.counts(**day)) {
        let (en, zh) = (format!("{day} is no working day"), format!("{day} 不是工作日"));
        return Err(Refusal::new(Reason::FieldInvalid).field("days", en, zh));
    }
    let counted = effect == ClosureEffect::NotCounted;
    let version = law.calendar.version() + u64::from(counted);
    let fact = Fact::ClosureDeclared {
        version,
        document_number: document_number.to_owned(),
        days: days.to_vec(),
        counted: !counted,
    };
    let domain = tx.domain_name();
    ledger::append(tx, &domain, fact, Some(rule), &[]);
    if counted {
        let mut closures = closures_of(law);
        closures.extend(days.iter().map(|day| (*day, document_number.to_owned())));
        change_closures(tx, law, &closures);
    }
    Ok(Outcome::Done(Some(domain)))
}

pub(super) fn withdraw(
    tx: &mut Tx<'_>,
    law: &Law,
    document_number: &str,
    days: &[LocalDate],
) -> Result<Outcome, Refusal> {
    by_authority(tx)?;
    let rule = needed(&own(tx, law)?, RuleKey::CalendarLocalLayer)?;
    check_document(document_number, days)?;
    let mut closures = closures_of(law);
    for day in days {
        if closures.remove(day).is_none() {
            return Err(Refusal::new(Reason::ClosureUnknown).fact("date", day));
        }
    }
    let fact = Fact::ClosureWithdrawn {
        version: law.calendar.version() + 1,
        document_number: document_number.to_owned(),
        days: days.to_vec(),
    };
    let domain = tx.domain_name();
    ledger::append(tx, &domain, fact, Some(rule), &[]);
    change_closures(tx, law, &closures);
    Ok(Outcome::Done(Some(domain)))
}

/// A closure is nobody's habit: a document orders it, on days that it names.
fn check_document(document_number: &str, days: &[LocalDate]) -> Result<(), Refusal> {
    let mut refusal = Refusal::new(Reason::FieldInvalid);
    let length = document_number.chars().count();
    if document_number.trim().is_empty() || length > MAX_LINE {
        refusal = refusal.field("document_number", "missing or too long", "缺少或过长");
    }
    if document_number.chars().any(char::is_control) {
        refusal = refusal.field("document_number", "control characters", "含有控制字符");
    }
    if days.is_empty() || days.len() > MAX_CLOSED {
        refusal = refusal.field("days", "between 1 and 31 days", "应为 1 至 31 日");
    }
    if refusal.fields.is_empty() { Ok(()) } else { Err(refusal) }
}

fn closures_of(law: &Law) -> BTreeMap<LocalDate, String> {
    law.calendar.closures().map(|(day, document)| (day, document.to_owned())).collect()
}

fn change_closures(tx: &mut Tx<'_>, law: &Law, closures: &BTreeMap<LocalDate, String>) {
    let row: VersionedText =
        tx.get(&keys::calendar(law.calendar.version())).expect("the version in force is on file");
    let official: String = row
        .text
        .lines()
        .filter(|line| !is_closure(line))
        .fold(String::new(), |text, line| text + line + "\n");
    let text = with_closures(&official, closures);
    let next = read(&text, law.calendar.version() + 1);
    store(tx, law, text, next);
}

fn is_closure(line: &str) -> bool {
    line.split(',').nth(1) == Some("closure")
}

/// The official lists with the closures behind them.
fn with_closures(official: &str, closures: &BTreeMap<LocalDate, String>) -> String {
    let mut text = official.trim_end().to_owned();
    text.push('\n');
    for (day, document) in closures {
        let document = document.replace('"', "\"\"");
        let _ = writeln!(text, "{day},closure,\"{document}\",,{},0", day.weekday());
    }
    text
}

fn read(text: &str, version: u64) -> WorkingDayCalendar {
    WorkingDayCalendar::parse(text, version)
        .expect("the lists were read, closures are written here")
}

/// Makes `next` the calendar in force and begins to count running clocks again.
fn store(tx: &mut Tx<'_>, law: &Law, text: String, next: WorkingDayCalendar) {
    let version = next.version();
    let row = VersionedText { version, text, known_since: tx.clock };
    tx.put(&keys::calendar(version), &row);
    tx.put(&keys::meta::calendar_version(), &version);
    let domain = tx.domain_name();
    tx.emit(Event::ResourceChanged(domain));
    let law = Law { calendar: Arc::new(next), ..law.clone() };
    work::begin(tx, &law, Work::Calendar { version });
}

fn refused(en: String, zh: String) -> Refusal {
    Refusal::new(Reason::CalendarRefused).fact("cause", en).fact("cause_zh", zh)
}
