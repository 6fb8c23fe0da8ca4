//! Command line: what does `luqiao` say, and how does it end?

use std::{
    ffi::OsStr,
    process::{Command, Output, Stdio},
};

use serde_json::Value;

use crate::repository::program;

/// What came of a command.
#[derive(Debug)]
pub struct Said {
    /// The exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// Data.
    pub stdout: String,
    /// Talk.
    pub stderr: String,
}

impl Said {
    /// The last line of the data, which with `-o json` is one object.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn last_object(&self) -> Value {
        let last = self.stdout.lines().rfind(|line| !line.trim().is_empty());
        last.and_then(|line| serde_json::from_str(line).ok())
            .filter(Value::is_object)
            .unwrap_or_else(|| panic!("the last line is no object: {self:#?}"))
    }

    /// Every line of the data as an object.
    ///
    /// # Panics
    ///
    /// If one is something else.
    pub fn objects(&self) -> Vec<Value> {
        self.stdout
            .lines()
            .map(|line| {
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
            })
            .collect()
    }

    /// What was said, if it ended well.
    ///
    /// # Panics
    ///
    /// If it did not.
    pub fn well(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("data are UTF-8"),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// `luqiao` with these arguments, deaf to the settings of whoever runs the tests.
pub fn luqiao<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new(program("luqiao"));
    command.args(arguments).stdin(Stdio::null());
    for setting in ["LUQIAO_CONTEXT", "LUQIAO_CONTEXTS", "RUST_LOG"] {
        command.env_remove(setting);
    }
    command
}

/// Runs `luqiao` to its end.
///
/// # Panics
///
/// If it cannot be started.
pub fn run<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Said {
    luqiao(arguments).output().expect("luqiao starts").into()
}
