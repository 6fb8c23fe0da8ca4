//! Time outside: timestamps for instants, `YYYY-MM-DD` for days of Asia/Shanghai.

use catalog_model::{
    refusal::Refusal,
    time::{LocalDate, UtcMillis},
};
use prost_types::Timestamp;

use crate::convert::reading::{At, Reading};

/// The last instant that a timestamp may name: the end of the year 9999, in milliseconds.
const LAST_MS: u64 = 253_402_300_799_999;

/// The instant as a timestamp.
pub fn timestamp(instant: UtcMillis) -> Timestamp {
    Timestamp { seconds: (instant.0 / 1000) as i64, nanos: (instant.0 % 1000) as i32 * 1_000_000 }
}

/// The instant that `field` names, cut to milliseconds; from 1970 to 9999.
pub fn read_timestamp(timestamp: Option<&Timestamp>, field: &str) -> Result<UtcMillis, Refusal> {
    let mut reading = Reading::new();
    let instant = reading.instant(At::Root(field), timestamp);
    reading.finish(instant)
}

/// The day that `field` names as `YYYY-MM-DD`, from 1900 to 9999.
pub fn read_date(text: &str, field: &str) -> Result<LocalDate, Refusal> {
    let mut reading = Reading::new();
    let date = reading.date(At::Root(field), text);
    reading.finish(date)
}

pub(crate) fn parse_timestamp(timestamp: &Timestamp) -> Option<UtcMillis> {
    let seconds = u64::try_from(timestamp.seconds).ok()?;
    let nanos = u64::try_from(timestamp.nanos).ok().filter(|nanos| *nanos < 1_000_000_000)?;
    let millis = seconds.checked_mul(1000)?.checked_add(nanos / 1_000_000)?;
    (millis <= LAST_MS).then_some(UtcMillis(millis))
}

/// Why a text is no day.
pub(crate) struct LocalDateError {
    pub(crate) en: &'static str,
    pub(crate) zh: &'static str,
}

pub(crate) fn parse_date(text: &str) -> Result<LocalDate, LocalDateError> {
    text.parse::<LocalDate>()
        .ok()
        // One text for each day; the parser also knows other forms.
        .filter(|date| date.to_string() == text)
        .filter(|date| date.year() >= 1900)
        .ok_or(LocalDateError {
            en: "is not a day of the form YYYY-MM-DD from 1900 on",
            zh: "不是 1900 年以来格式为 YYYY-MM-DD 的日期",
        })
}
