//! Skipped: how does a test say that it could not run here?

use std::io::Write as _;

/// Writes the line by which `make test` counts the test as skipped; the test then returns.
///
/// Not `eprintln!`: the test harness swallows that.
pub fn skipped(test: &str, reason: impl std::fmt::Display) {
    writeln!(std::io::stderr(), "SKIPPED {test}: {reason}").expect("standard error is open");
}
