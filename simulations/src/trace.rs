//! The trace: did two runs do the same? A hash over everything that happened, in order.
//!
//! Events, messages, log writes, outcomes and state hashes all go through here as one line each, so
//! that equal hashes mean equal runs and the first different line of two told runs shows where they
//! part.

use std::fmt;

use sha2::{Digest, Sha256};

/// What happened so far.
#[derive(Clone)]
pub struct Trace {
    hash: Sha256,
    lines: u64,
    tell: bool,
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trace").field("lines", &self.lines).finish_non_exhaustive()
    }
}

impl Trace {
    /// An empty trace; `tell` prints every line.
    pub fn new(tell: bool) -> Self {
        Self { hash: Sha256::new(), lines: 0, tell }
    }

    /// Notes what happened at virtual time `at`, in milliseconds.
    pub fn note(&mut self, at: u64, what: fmt::Arguments<'_>) {
        let line = format!("{:>3}.{:03} {what}\n", at / 1000, at % 1000);
        self.hash.update(line.as_bytes());
        self.lines += 1;
        if self.tell {
            print!("{line}");
        }
    }

    /// How many lines there are.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// The hash over all lines, in hexadecimal.
    pub fn finish(self) -> String {
        hex(&self.hash.finalize())
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string does not fail");
        text
    })
}
