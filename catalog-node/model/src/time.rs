//! Time as data: instants as milliseconds, days as dates of Asia/Shanghai.
//!
//! Replicated code is handed its time; nothing here reads a clock. China has one zone, UTC+8,
//! and no daylight saving: the offset is a constant, so that no zone database can change a due
//! date.

use std::{fmt, str::FromStr};

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// Asia/Shanghai is eight hours ahead of UTC the whole year.
const OFFSET_MS: i64 = 8 * 3_600_000;

/// Milliseconds of one day.
pub const DAY_MS: u64 = 86_400_000;

/// An instant: milliseconds since 1970-01-01 00:00 UTC.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Encode,
    Decode,
    Serialize,
    Deserialize,
)]
#[cbor(transparent)]
pub struct UtcMillis(#[n(0)] pub u64);

impl UtcMillis {
    /// The instant `millis` later.
    pub fn plus(self, millis: u64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// The day in Asia/Shanghai on which this instant lies.
    pub fn local_date(self) -> LocalDate {
        let days = (self.0 as i64 + OFFSET_MS).div_euclid(DAY_MS as i64);
        LocalDate::from_days(days as i32)
    }

    /// `2026-09-21 09:00:00` in Asia/Shanghai, for people.
    pub fn local_text(self) -> String {
        let date = self.local_date();
        let second = ((self.0 as i64 + OFFSET_MS).rem_euclid(DAY_MS as i64)) / 1000;
        format!("{date} {:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
    }
}

impl fmt::Display for UtcMillis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.local_text())
    }
}

/// A calendar day in Asia/Shanghai.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LocalDate(jiff::civil::Date);

impl LocalDate {
    /// The day `days` after 1970-01-01. Days outside the years 1–9999 are held to its ends.
    pub fn from_days(days: i32) -> Self {
        let epoch = jiff::civil::date(1970, 1, 1);
        Self(epoch.saturating_add(jiff::Span::new().days(days.clamp(-700_000, 2_900_000))))
    }

    /// Days since 1970-01-01.
    pub fn days(self) -> i32 {
        let epoch = jiff::civil::date(1970, 1, 1);
        (self.0 - epoch).get_days()
    }

    /// The year.
    pub fn year(self) -> i16 {
        self.0.year()
    }

    /// The next day.
    pub fn next(self) -> Self {
        Self::from_days(self.days() + 1)
    }

    /// The same day `months` later, or the last day of that month if it has none (Civil Code 202).
    pub fn plus_months(self, months: u16) -> Self {
        Self(self.0.saturating_add(jiff::Span::new().months(i64::from(months.min(12_000)))))
    }

    /// Whether the day is a Saturday or a Sunday.
    pub fn is_weekend(self) -> bool {
        matches!(self.0.weekday(), jiff::civil::Weekday::Saturday | jiff::civil::Weekday::Sunday)
    }

    /// `Mon` … `Sun`.
    pub fn weekday(self) -> &'static str {
        const NAMES: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
        NAMES[usize::from(self.0.weekday().to_monday_zero_offset().unsigned_abs())]
    }

    /// The instant at which the day begins in Asia/Shanghai. Days before 1970-01-02 begin at zero.
    pub fn start(self) -> UtcMillis {
        UtcMillis((i64::from(self.days()) * DAY_MS as i64 - OFFSET_MS).max(0) as u64)
    }

    /// The instant at which the day ends (24:00), which is the first instant of the next day.
    pub fn end(self) -> UtcMillis {
        self.next().start()
    }
}

impl FromStr for LocalDate {
    type Err = crate::ids::IdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong =
            || crate::ids::IdError { text: text.to_owned(), expected: "a date (YYYY-MM-DD)" };
        if text.len() != 10 {
            return Err(wrong());
        }
        text.parse().map(Self).map_err(|_| wrong())
    }
}

impl TryFrom<String> for LocalDate {
    type Error = crate::ids::IdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<LocalDate> for String {
    fn from(date: LocalDate) -> Self {
        date.to_string()
    }
}

impl fmt::Display for LocalDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for LocalDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<C> Encode<C> for LocalDate {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.i32(self.days())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for LocalDate {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        Ok(Self::from_days(d.i32()?))
    }
}

#[cfg(test)]
mod tests;
