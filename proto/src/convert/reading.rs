//! Reading: what is wrong with a message, all of it at once?
//!
//! A reader of one field notes what is wrong and goes on with `None`; only
//! [`Reading::finish`] decides. So `None` from an optional field means *absent* to the reader of
//! a whole message: were it wrong instead, the whole would not be used.

use std::fmt;

use catalog_model::{
    reason::Reason,
    refusal::{FieldViolation, Refusal},
    time::{LocalDate, UtcMillis},
};
use prost_types::Timestamp;

use crate::convert::{
    enumeration::Enumerated,
    name::Kind,
    time::{LocalDateError, parse_date, parse_timestamp},
};

/// A refusal travels in the trailers of a call: it lists so many fields and counts the rest.
const LISTED: usize = 32;

/// What was given is repeated in a refusal up to this many characters.
const REPEATED: usize = 120;

/// Where in the call a value stands. Built while reading, written only if something is wrong.
#[derive(Clone, Copy)]
pub(crate) enum At<'a> {
    /// The path at which the message stands; may be empty.
    Root(&'a str),
    /// A field of the message there.
    Field(&'a At<'a>, &'static str),
    /// An element of the list there, counted from 0.
    Index(&'a At<'a>, usize),
}

impl<'a> At<'a> {
    /// The field `name` of the message here.
    pub(crate) fn field(&'a self, name: &'static str) -> Self {
        At::Field(self, name)
    }

    /// The element `index` of the list here.
    pub(crate) fn index(&'a self, index: usize) -> Self {
        At::Index(self, index)
    }
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            At::Root(path) => f.write_str(path),
            At::Field(At::Root(""), name) => f.write_str(name),
            At::Field(parent, name) => write!(f, "{parent}.{name}"),
            At::Index(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

/// What is wrong so far.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    /// The first reason that is more telling than a wrong field, with its facts.
    because: Option<Refusal>,
    listed: Vec<FieldViolation>,
    /// Wrong fields beyond those listed.
    unlisted: usize,
}

impl Reading {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// The value if nothing was wrong. A reader that gives no value has noted why.
    pub(crate) fn finish<T>(self, value: Option<T>) -> Result<T, Refusal> {
        let wrong = self.because.is_some() || !self.listed.is_empty();
        match value {
            Some(value) if !wrong => Ok(value),
            _ => {
                let mut refusal =
                    self.because.unwrap_or_else(|| Refusal::new(Reason::FieldInvalid));
                refusal.fields = self.listed;
                if self.unlisted > 0 {
                    refusal = refusal.fact("unlisted_fields", self.unlisted);
                }
                Err(refusal)
            }
        }
    }

    /// Notes a wrong field.
    pub(crate) fn wrong(&mut self, at: At<'_>, en: impl Into<String>, zh: impl Into<String>) {
        if self.listed.len() == LISTED {
            self.unlisted += 1;
            return;
        }
        self.listed.push(FieldViolation { field: at.to_string(), en: en.into(), zh: zh.into() });
    }

    /// Notes a wrong field for which there is a reason of its own. The first one names the
    /// refusal as a whole.
    pub(crate) fn wrong_because(
        &mut self,
        at: At<'_>,
        because: Refusal,
        en: impl Into<String>,
        zh: impl Into<String>,
    ) {
        self.because.get_or_insert(because);
        self.wrong(at, en, zh);
    }

    /// Notes a field that has to be stated.
    pub(crate) fn missing(&mut self, at: At<'_>) {
        self.wrong(at, "has to be stated", "必须填写");
    }

    /// A message that has to be there.
    pub(crate) fn message<'a, T>(&mut self, at: At<'_>, message: Option<&'a T>) -> Option<&'a T> {
        if message.is_none() {
            self.missing(at);
        }
        message
    }

    /// A member of an enumeration; absent where the number is 0.
    pub(crate) fn optional<E: Enumerated>(&mut self, at: At<'_>, number: i32) -> Option<E> {
        let member = E::from_number(number);
        if member.is_none() && number != 0 {
            self.wrong(
                at,
                format!("{number} is not a value of this enumeration"),
                format!("{number} 不是该枚举的取值"),
            );
        }
        member
    }

    /// A member of an enumeration that has to be stated.
    pub(crate) fn required<E: Enumerated>(&mut self, at: At<'_>, number: i32) -> Option<E> {
        if number == 0 {
            self.missing(at);
        }
        self.optional(at, number)
    }

    /// The members of a list, in the order of the enumeration, each once.
    pub(crate) fn set<E: Enumerated + Ord>(&mut self, at: At<'_>, numbers: &[i32]) -> Vec<E> {
        let mut members: Vec<E> = numbers
            .iter()
            .enumerate()
            .filter_map(|(index, number)| self.required(at.index(index), *number))
            .collect();
        members.sort_unstable();
        members.dedup();
        members
    }

    /// A name of this kind; absent where the text is empty.
    pub(crate) fn optional_name<T>(&mut self, at: At<'_>, text: &str, kind: &Kind<T>) -> Option<T> {
        if text.is_empty() { None } else { self.name(at, text, kind) }
    }

    /// A name of this kind.
    pub(crate) fn name<T>(&mut self, at: At<'_>, text: &str, kind: &Kind<T>) -> Option<T> {
        let named = text.parse().ok().and_then(|name| (kind.take)(name));
        if named.is_none() {
            self.wrong_because(
                at,
                Refusal::new(Reason::NameInvalid).fact("name", repeated(text)),
                format!("is not of the form {}", kind.form),
                format!("格式应为 {}", kind.form),
            );
        }
        named
    }

    /// A day; absent where the text is empty.
    pub(crate) fn optional_date(&mut self, at: At<'_>, text: &str) -> Option<LocalDate> {
        if text.is_empty() { None } else { self.date(at, text) }
    }

    /// A day.
    pub(crate) fn date(&mut self, at: At<'_>, text: &str) -> Option<LocalDate> {
        parse_date(text).map_err(|LocalDateError { en, zh }| self.wrong(at, en, zh)).ok()
    }

    /// An instant; absent where there is no timestamp.
    pub(crate) fn optional_instant(
        &mut self,
        at: At<'_>,
        timestamp: Option<&Timestamp>,
    ) -> Option<UtcMillis> {
        let instant = parse_timestamp(timestamp?);
        if instant.is_none() {
            self.wrong(
                at,
                "is not an instant between 1970 and 9999",
                "不是 1970 至 9999 年之间的时刻",
            );
        }
        instant
    }

    /// An instant.
    pub(crate) fn instant(
        &mut self,
        at: At<'_>,
        timestamp: Option<&Timestamp>,
    ) -> Option<UtcMillis> {
        self.message(at, timestamp).and_then(|timestamp| self.optional_instant(at, Some(timestamp)))
    }

    /// A small number, for instance of working days.
    pub(crate) fn small(&mut self, at: At<'_>, number: u32) -> Option<u16> {
        let small = u16::try_from(number).ok();
        if small.is_none() {
            self.wrong(
                at,
                format!("{number} is more than {}", u16::MAX),
                format!("{number} 超过 {}", u16::MAX),
            );
        }
        small
    }

    /// The version in an etag.
    pub(crate) fn version(&mut self, at: At<'_>, etag: &str) -> Option<u64> {
        let version = crate::convert::parse_etag(etag);
        if version.is_none() {
            self.wrong(at, "is not of the form \"v{version}\"", "格式应为 \"v{version}\"");
        }
        version
    }
}

/// The beginning of what was given, short enough to repeat.
pub(crate) fn repeated(text: &str) -> String {
    match text.char_indices().nth(REPEATED) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
