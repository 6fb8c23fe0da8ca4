//! History: what did each client ask, what did it hear, and when?
//!
//! One JSON object a line:
//! `{"client":1,"op":"cas","key":"a","in":"y","expect":"x","out":null,"ok":true,"call_ns":5,"return_ns":9}`.
//! Times are nanoseconds of one monotonic clock. `null` as a value says that the key is absent.

use std::io::{self, BufRead, Write};

use serde::{Deserialize, Serialize};

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Hears the value, `out`.
    Read,
    /// The value becomes `in`.
    Write,
    /// The value becomes `in` if it is `expect`.
    Cas,
}

/// One operation of one client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Op {
    /// Who asked.
    pub client: u64,
    /// What for.
    #[serde(rename = "op")]
    pub kind: Kind,
    /// Of which register.
    pub key: String,
    /// What was to be written.
    #[serde(rename = "in")]
    pub input: Option<String>,
    /// What had to be there.
    pub expect: Option<String>,
    /// What was read.
    #[serde(rename = "out")]
    pub output: Option<String>,
    /// Done; surely not done (of a cas: something else was there); unknown.
    pub ok: Option<bool>,
    /// When it was asked.
    pub call_ns: u64,
    /// When the client heard an answer, or gave up; `None` if it never did.
    pub return_ns: Option<u64>,
}

/// Why a line is no operation.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It could not be read at all.
    #[error("the history cannot be read")]
    Read(#[from] io::Error),
    /// It is something else.
    #[error("line {line} is no operation")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

impl Op {
    /// The operation as a line, without its end.
    ///
    /// # Panics
    ///
    /// Never: texts and numbers are JSON.
    pub fn to_line(&self) -> String {
        serde_json::to_string(self).expect("texts and numbers")
    }
}

/// Writes a history, a line an operation.
pub fn write(history: &[Op], out: &mut dyn Write) -> io::Result<()> {
    for op in history {
        writeln!(out, "{}", op.to_line())?;
    }
    out.flush()
}

/// Reads a history. Empty lines are nothing.
pub fn read(lines: impl BufRead) -> Result<Vec<Op>, ReadError> {
    let mut history = Vec::new();
    for (number, line) in lines.lines().enumerate() {
        let line = line?;
        if !line.trim().is_empty() {
            let op = serde_json::from_str(&line)
                .map_err(|source| ReadError::Line { line: number + 1, source })?;
            history.push(op);
        }
    }
    Ok(history)
}
