//! Import: how does a foreign catalog become drafts here, and what of it cannot?
//!
//! The file is JSON lines, plain or gzip, in the form that `cli/data/README.md` describes. Every
//! line that is not blank is counted exactly once, so that always
//!
//! ```text
//! read = accepted + duplicates + quarantined
//! ```
//!
//! in this order: a line that cannot be read as an object with texts where texts belong is
//! *quarantined*; a line whose portal, title, provider and description (an absent one included)
//! all occurred before is a *duplicate*, whatever became of the first; a line without title or
//! provider, with a word for open type or update cycle that is `other` or unknown, or that the
//! checks of registering an entry do not pass, is *quarantined* with its number and the reason;
//! what is left is *accepted*.
//!
//! What the source does not state stays absent: it is counted in the gap report and never
//! guessed. An *open* type says how the public may use data; no line of this module makes a
//! *sharing* attribute of it (CAT-29).
//!
//! Memory does not grow with the length of a line (one beyond [`reader::LINE_BYTES_MAX`] is
//! passed over, not stored); sixteen bytes are kept for each entry, to know its duplicates.
//!
//! With a server the whole file is read twice. The first time nothing is sent: a file that breaks
//! off or is no catalog at all is refused before anything of it has been written.

pub mod reader;

pub mod normalize;

pub mod report;

pub mod batch;
pub mod upload;

use std::{collections::HashSet, io::BufRead, path::Path};

use catalog_model::{policy::check_entry_content, reason::Lang};
use luqiao_proto::convert::catalog_entry::read_import;
use serde_json::Value;

use crate::{failure::Failure, language::Bilingual};

use self::{
    normalize::{Draft, Fault},
    reader::{Line, LineReader},
    report::{QuarantineFile, Report},
};

/// A line that passed: what would be sent, and what to say if the server refuses it after all.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// Number of the line, from 1.
    pub line: u64,
    /// The line as it stands in the file.
    pub raw: Vec<u8>,
    /// What is made of it.
    pub draft: Draft,
}

/// Goes through a file line by line, sorts lines out and keeps count.
#[derive(Debug)]
pub struct Scan<R> {
    lines: LineReader<R>,
    seen: HashSet<[u8; 16]>,
    report: Report,
    quarantine: Option<QuarantineFile>,
}

impl<R: BufRead> Scan<R> {
    /// A scan that writes quarantined lines to `quarantine`, if there is one.
    pub fn new(lines: LineReader<R>, quarantine: Option<QuarantineFile>) -> Self {
        Self { lines, seen: HashSet::new(), report: Report::default(), quarantine }
    }

    /// The next line that passed; it is counted as read, the caller counts it as accepted.
    pub fn next_accepted(&mut self) -> Result<Option<Accepted>, Failure> {
        loop {
            let number = self.lines.line() + 1;
            let line = match self.lines.next_line() {
                Ok(Some(line)) => line,
                Ok(None) => return Ok(None),
                Err(error) => return Err(error.into()),
            };
            let (judged, raw) = match line {
                Line::Text(raw) if raw.trim_ascii().is_empty() => continue,
                Line::Text(raw) => (judge(raw, number, &mut self.seen), raw),
                Line::TooLong { bytes, beginning } => {
                    (Judged::Quarantined(Fault::LineTooLong { bytes }), beginning)
                }
            };
            self.report.read += 1;
            let raw = raw.to_vec();
            match judged {
                Judged::Passed(draft) => {
                    return Ok(Some(Accepted { line: number, raw, draft: *draft }));
                }
                Judged::Duplicate => self.report.duplicates += 1,
                Judged::Quarantined(fault) => {
                    self.report.quarantine(number, fault, &raw, self.quarantine.as_ref())?;
                }
            }
        }
    }

    /// The counts so far.
    pub fn report(&mut self) -> &mut Report {
        &mut self.report
    }

    /// Closes the file of quarantined lines and returns the counts.
    pub fn finish(self) -> (Report, Result<(), Failure>) {
        let closed = self.quarantine.as_ref().map_or(Ok(()), QuarantineFile::finish);
        (self.report, closed)
    }
}

/// What becomes of one line.
enum Judged {
    Passed(Box<Draft>),
    Duplicate,
    Quarantined(Fault),
}

fn judge(raw: &[u8], number: u64, seen: &mut HashSet<[u8; 16]>) -> Judged {
    let object = match read_object(raw) {
        Ok(object) => object,
        Err(fault) => return Judged::Quarantined(fault),
    };
    let fields = match normalize::Fields::of(&object) {
        Ok(fields) => fields,
        Err(fault) => return Judged::Quarantined(fault),
    };
    if !seen.insert(fields.identity()) {
        return Judged::Duplicate;
    }
    match fields.draft(number).and_then(checked) {
        Ok(draft) => Judged::Passed(Box::new(draft)),
        Err(fault) => Judged::Quarantined(fault),
    }
}

/// The checks that the platform makes of every entry that is registered, made here already: a dry
/// run tells what the server would say, as far as that can be told from the line alone.
fn checked(draft: Draft) -> Result<Draft, Fault> {
    let checked =
        read_import(&draft.entry, "line").and_then(|line| check_entry_content(&line.content));
    match checked {
        Ok(()) => Ok(draft),
        Err(refusal) => Err(Fault::Refused {
            reason: refusal.reason.name().to_owned(),
            message: Bilingual { en: refusal.text(Lang::En), zh: refusal.text(Lang::Zh) },
        }),
    }
}

fn read_object(raw: &[u8]) -> Result<serde_json::Map<String, Value>, Fault> {
    let text =
        std::str::from_utf8(raw).map_err(|error| Fault::NotUtf8 { at: error.valid_up_to() })?;
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(Value::Array(_)) => Err(Fault::NotAnObject { found: "array" }),
        Ok(_) => Err(Fault::NotAnObject { found: "single value" }),
        Err(error) => Err(Fault::NotJson { detail: error.to_string() }),
    }
}

/// How an import ended: the counts, and what stopped it if something did.
#[derive(Debug)]
pub struct Outcome {
    /// What was counted until the end or until it stopped.
    pub report: Report,
    /// Why not everything was read or sent.
    pub failure: Option<Failure>,
}

/// Reads the file at `path` as an import would, without a server.
pub fn dry_run(path: &Path, quarantine: Option<&Path>) -> Result<Outcome, Failure> {
    let quarantine = quarantine.map(|to| QuarantineFile::create(to, path)).transpose()?;
    Ok(read_through(reader::open(path)?, quarantine))
}

/// Reads everything, accepts what passes, and closes the file of quarantined lines.
pub fn read_through<R: BufRead>(
    lines: LineReader<R>,
    quarantine: Option<QuarantineFile>,
) -> Outcome {
    let mut scan = Scan::new(lines, quarantine);
    let stopped = loop {
        match scan.next_accepted() {
            Ok(Some(accepted)) => scan.report().accept(&accepted.draft),
            Ok(None) => break None,
            Err(failure) => break Some(failure),
        }
    };
    let (report, closed) = scan.finish();
    Outcome { report, failure: stopped.or(closed.err()) }
}

#[cfg(test)]
mod tests;
