//! The trace: did two runs do the same? A hash over everything that happened, in order.
//!
//! Events, the bytes of messages, log writes, outcomes and state hashes all go through here, so that
//! equal hashes mean equal runs. What happens often is hashed as numbers and bytes, and put into words
//! only for who wants to read it: the words are nearly all of the cost.

use std::fmt;

use sha2::{Digest, Sha256};

/// How much is gathered before it is hashed.
const GATHERED: usize = 16 * 1024;

/// What happened so far.
#[derive(Clone)]
pub struct Trace {
    hash: Sha256,
    gathered: Vec<u8>,
    marks: u64,
    tells: bool,
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trace").field("marks", &self.marks).finish_non_exhaustive()
    }
}

impl Trace {
    /// An empty trace; `tells` prints what is noted.
    pub fn new(tells: bool) -> Self {
        Self { hash: Sha256::new(), gathered: Vec::with_capacity(2 * GATHERED), marks: 0, tells }
    }

    /// Whether lines are printed: what is only for them need not be computed otherwise.
    pub fn tells(&self) -> bool {
        self.tells
    }

    /// Hashes what happened at virtual time `at`: its kind, its numbers, its bytes.
    pub fn mark(&mut self, at: u64, kind: &str, numbers: &[u64], bytes: &[u8]) {
        self.gather(kind.as_bytes());
        self.gather(&at.to_be_bytes());
        for number in numbers {
            self.gather(&number.to_be_bytes());
        }
        self.gather(&(bytes.len() as u64).to_be_bytes());
        self.gather(bytes);
        self.marks += 1;
    }

    /// Prints what happened at virtual time `at`, if anyone listens. Not hashed.
    pub fn tell(&self, at: u64, what: fmt::Arguments<'_>) {
        if self.tells {
            println!("{:>3}.{:03} {what}", at / 1000, at % 1000);
        }
    }

    /// Hashes and prints a rare event in words.
    pub fn note(&mut self, at: u64, what: fmt::Arguments<'_>) {
        self.tell(at, what);
        let words = what.to_string();
        self.mark(at, "note", &[], words.as_bytes());
    }

    /// How much was hashed so far.
    pub fn marks(&self) -> u64 {
        self.marks
    }

    /// The hash over everything, in hexadecimal.
    pub fn finish(mut self) -> String {
        self.hash.update(&self.gathered);
        hex(&self.hash.finalize())
    }

    fn gather(&mut self, bytes: &[u8]) {
        self.gathered.extend_from_slice(bytes);
        if self.gathered.len() >= GATHERED {
            self.hash.update(&self.gathered);
            self.gathered.clear();
        }
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
