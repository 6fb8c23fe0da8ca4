//! The working-day calendar: which days count, and on which day does a count end?
//!
//! Monday to Friday, less the holidays and with the make-up days of the yearly notice of the
//! State Council. The day of the event is not counted, the last day ends at 24:00 in
//! Asia/Shanghai (house rule, after Civil Code 201 and 203). A year without an official list
//! counts Monday to Friday, and a date that rests on such a day is *provisional*: it is computed
//! again when the list appears.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use minicbor::{Decode, Encode};

use crate::{
    deadline::WorkingDays,
    reason::Lang,
    time::{LocalDate, UtcMillis},
};

/// The calendar, as replicated and versioned data.
///
/// No day is both a holiday and a make-up day; every listed day lies in one of the years.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct WorkingDayCalendar {
    /// Counts up with every published change; stored with each date computed.
    #[n(0)]
    version: u64,
    /// Years with an official list.
    #[n(1)]
    years: BTreeSet<i16>,
    /// Days off beyond Saturdays and Sundays, and the weekend days of a holiday.
    #[n(2)]
    holidays: BTreeMap<LocalDate, DayName>,
    /// Saturdays and Sundays on which work is made up.
    #[n(3)]
    make_up_days: BTreeMap<LocalDate, DayName>,
    /// Days declared closed here (typhoon stop-work): a layer of the house over the official list.
    #[n(4)]
    closures: Option<BTreeMap<LocalDate, String>>,
}

/// What a listed day is called.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct DayName {
    /// Chinese.
    #[n(0)]
    pub zh: String,
    /// English.
    #[n(1)]
    pub en: String,
}

/// Why a day counts or does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DayKind {
    /// Monday to Friday, and no holiday.
    Workday,
    /// A Saturday or Sunday on which work is made up for this holiday.
    MakeUpDay(DayName),
    /// A Saturday or Sunday.
    Weekend,
    /// A holiday of this name.
    Holiday(DayName),
    /// A working day that was declared closed by the document of this number: house rule, no
    /// statutory holiday.
    Closure(String),
}

impl DayKind {
    /// Whether a count of working days counts the day.
    pub fn counts(&self) -> bool {
        matches!(self, Self::Workday | Self::MakeUpDay(_))
    }

    /// Why the day counts or does not, in words; `official` is whether its year has an official
    /// list.
    pub fn text(&self, lang: Lang, official: bool) -> String {
        let kind = match (self, lang) {
            (Self::Workday, Lang::En) => "working day".to_owned(),
            (Self::Workday, Lang::Zh) => "工作日".to_owned(),
            (Self::MakeUpDay(name), Lang::En) => format!("make-up day for {}", name.en),
            (Self::MakeUpDay(name), Lang::Zh) => format!("{}调休上班", name.zh),
            (Self::Weekend, Lang::En) => "weekend".to_owned(),
            (Self::Weekend, Lang::Zh) => "周末".to_owned(),
            (Self::Holiday(name), Lang::En) => format!("holiday, {}", name.en),
            (Self::Holiday(name), Lang::Zh) => format!("{}放假", name.zh),
            (Self::Closure(number), Lang::En) => format!("declared closed by {number}"),
            (Self::Closure(number), Lang::Zh) => format!("{number}停工"),
        };
        let official = match (official, lang) {
            (true, _) => "",
            (false, Lang::En) => ", provisional: its year has no official list yet",
            (false, Lang::Zh) => "（暂定：该年度尚无官方日历）",
        };
        format!("{kind}{official}")
    }
}

/// The last day of a count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// The day.
    pub date: LocalDate,
    /// Whether a day passed on the way lies in a year without an official list.
    pub provisional: bool,
}

/// One day of an explained count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayLine {
    /// The day.
    pub date: LocalDate,
    /// `Mon` … `Sun`.
    pub weekday: &'static str,
    /// Why it counts or does not.
    pub kind: DayKind,
    /// Which working day of the count it is, from 1; none if it does not count. The first line
    /// is the day of the event, which never counts.
    pub counted: Option<u16>,
    /// Whether its year has an official list.
    pub official: bool,
}

impl DayLine {
    /// `2026-10-01 Thu     holiday 国庆节`: the day as a line of an explained count.
    pub fn text(&self, lang: Lang) -> String {
        let counted = self.counted.map(|n| n.to_string()).unwrap_or_default();
        let why = self.kind.text(lang, self.official);
        format!("{} {} {counted:>3} {why}", self.date, self.weekday)
    }
}

/// A calendar file that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the calendar: {fault}")]
pub struct CalendarError {
    /// The line, from 1; the header is line 1.
    pub line: u64,
    /// What is wrong with it.
    pub fault: String,
}

impl WorkingDayCalendar {
    /// The calendar that comes with the product: the official lists of 2019 to 2026, version 1.
    pub fn embedded() -> &'static Self {
        static EMBEDDED: LazyLock<WorkingDayCalendar> = LazyLock::new(|| {
            let text = include_str!("../data/calendar.csv");
            WorkingDayCalendar::parse(text, 1).expect("the embedded calendar is tested")
        });
        &EMBEDDED
    }

    /// Reads `date,kind,name,name_zh,weekday,in_lieu`, kind being `holiday`, `workday` or
    /// `closure`; a closure has the number of its document as name.
    ///
    /// A year is official as soon as one of its days is listed: the notice is for a whole year. A
    /// closure is no part of it.
    pub fn parse(text: &str, version: u64) -> Result<Self, CalendarError> {
        let mut calendar = Self {
            version,
            years: BTreeSet::new(),
            holidays: BTreeMap::new(),
            make_up_days: BTreeMap::new(),
            closures: None,
        };
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let expected = ["date", "kind", "name", "name_zh", "weekday", "in_lieu"];
        let header = reader.headers().map_err(|e| fault(1, e))?;
        if header.iter().ne(expected) {
            return Err(fault(1, format!("the header is not {}", expected.join(","))));
        }
        for row in reader.records() {
            let row = row.map_err(|e| fault(e.position().map_or(0, csv::Position::line), &e))?;
            let line = row.position().map_or(0, csv::Position::line);
            let date: LocalDate = row[0].parse().map_err(|e| fault(line, e))?;
            if date.weekday() != &row[4] {
                return Err(fault(
                    line,
                    format!("{date} is a {}, not a {}", date.weekday(), &row[4]),
                ));
            }
            if &row[1] == "closure" {
                let closures = calendar.closures.get_or_insert_default();
                if closures.insert(date, row[2].to_owned()).is_some() {
                    return Err(fault(line, format!("{date} is declared closed twice")));
                }
                continue;
            }
            let name = DayName { zh: row[3].to_owned(), en: row[2].to_owned() };
            let twice = match &row[1] {
                "holiday" => {
                    calendar.make_up_days.contains_key(&date)
                        || calendar.holidays.insert(date, name).is_some()
                }
                "workday" if !date.is_weekend() => {
                    return Err(fault(line, format!("{date} is a make-up day but no weekend")));
                }
                "workday" => {
                    calendar.holidays.contains_key(&date)
                        || calendar.make_up_days.insert(date, name).is_some()
                }
                other => {
                    return Err(fault(
                        line,
                        format!("`{other}` is neither holiday, workday nor closure"),
                    ));
                }
            };
            if twice {
                return Err(fault(line, format!("{date} is listed twice")));
            }
            calendar.years.insert(date.year());
        }
        Ok(calendar)
    }

    /// The version.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The same days under another version.
    pub fn with_version(mut self, version: u64) -> Self {
        self.version = version;
        self
    }

    /// Years with an official list, ascending.
    pub fn years(&self) -> impl Iterator<Item = i16> + '_ {
        self.years.iter().copied()
    }

    /// The holidays with their names, ascending.
    pub fn holidays(&self) -> impl Iterator<Item = (LocalDate, &DayName)> {
        self.holidays.iter().map(|(date, name)| (*date, name))
    }

    /// The make-up days with the holiday for which they make up, ascending.
    pub fn make_up_days(&self) -> impl Iterator<Item = (LocalDate, &DayName)> {
        self.make_up_days.iter().map(|(date, name)| (*date, name))
    }

    /// Whether the year of this day has an official list.
    pub fn is_official(&self, date: LocalDate) -> bool {
        self.years.contains(&date.year())
    }

    /// What kind of day it is.
    pub fn is_working_day(&self, date: LocalDate) -> DayKind {
        let official = if let Some(name) = self.holidays.get(&date) {
            DayKind::Holiday(name.clone())
        } else if let Some(name) = self.make_up_days.get(&date) {
            DayKind::MakeUpDay(name.clone())
        } else if date.is_weekend() {
            DayKind::Weekend
        } else {
            DayKind::Workday
        };
        match self.closure(date) {
            Some(document) if official.counts() => DayKind::Closure(document.to_owned()),
            _ => official,
        }
    }

    /// The day on which the count of `n` working days ends. The day of the start is not counted;
    /// zero days end on the day of the start.
    pub fn add_working_days(&self, start: LocalDate, n: WorkingDays) -> Due {
        let mut due = Due { date: start, provisional: false };
        self.walk(start, n, |date, _, _| {
            due.date = date;
            due.provisional |= !self.is_official(date);
        });
        due
    }

    /// The count of `add_working_days`, day by day, the day of the start first.
    pub fn explain(&self, start: LocalDate, n: WorkingDays) -> Vec<DayLine> {
        let line = |date: LocalDate, counted| DayLine {
            date,
            weekday: date.weekday(),
            kind: self.is_working_day(date),
            counted,
            official: self.is_official(date),
        };
        let mut lines = vec![line(start, None)];
        self.walk(start, n, |date, counts, counted| {
            lines.push(line(date, counts.then_some(counted)));
        });
        lines
    }

    /// The number of the document by which the day is declared closed.
    pub fn closure(&self, date: LocalDate) -> Option<&str> {
        self.closures.as_ref()?.get(&date).map(String::as_str)
    }

    /// The days declared closed with their documents, ascending.
    pub fn closures(&self) -> impl Iterator<Item = (LocalDate, &str)> {
        self.closures.iter().flatten().map(|(date, document)| (*date, document.as_str()))
    }

    /// The first day from the day of `now` on that is not over and counts: where a count that has
    /// run out meanwhile is held.
    pub fn first_open_day(&self, now: UtcMillis) -> LocalDate {
        let mut day = now.local_date();
        while !self.counts(day) && day.next() != day {
            day = day.next();
        }
        day
    }

    /// Whether the day counts, without its name.
    pub fn counts(&self, date: LocalDate) -> bool {
        if self.closure(date).is_some() {
            return false;
        }
        if date.is_weekend() {
            self.make_up_days.contains_key(&date)
        } else {
            !self.holidays.contains_key(&date)
        }
    }

    /// Hands over each day after `start` until `n` working days are counted.
    fn walk(&self, start: LocalDate, n: WorkingDays, mut each: impl FnMut(LocalDate, bool, u16)) {
        let mut date = start;
        let mut counted = 0;
        while counted < n.0 {
            let next = date.next();
            // The last day that can be written is followed by itself; a count ends there.
            if next == date {
                return;
            }
            date = next;
            let counts = self.counts(date);
            counted += u16::from(counts);
            each(date, counts, counted);
        }
    }
}

fn fault(line: u64, fault: impl ToString) -> CalendarError {
    CalendarError { line, fault: fault.to_string() }
}

#[cfg(test)]
mod tests;
