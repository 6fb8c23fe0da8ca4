//! The prober's list: what does somebody outside know of what was acknowledged to him?
//!
//! A text file that is only appended to, one event a line, in the order in which the prober learnt of
//! it; every acknowledgment is on disk before another number is begun by the same writer. Times are
//! milliseconds since 1970 by the prober's clock: the wall clock at its start and a steady clock from
//! there.
//!
//! ```text
//! luqiao-probe 1 domains/xiamen/drills/01…   first line: format and drill
//! s 1789952400000                            a prober started
//! b 17 1789952400120                         number 17 is sent for the first time
//! f 17 1789952400190 answered NO_LEADER      an attempt failed: answered, silent or unreached
//! a 17 1789952400410 2 1                     acknowledged, at the second attempt; it has a due instant
//! g 17 1789952430120                         given up: nobody knows what became of it
//! e 1789952460000                            the prober ended in order
//! ```

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    path::Path,
};

use sha2::{Digest, Sha256};

use crate::{both, exit::Exit, failure::Failure};

/// The first words of a list.
const FORMAT: &str = "luqiao-probe 1 ";

/// How an attempt failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Failed {
    /// A gateway answered that it could not be done: one that could have tried again itself.
    Answered,
    /// A gateway did not answer in time.
    Silent,
    /// No gateway was reached.
    Unreached,
}

impl Failed {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Answered, Self::Silent, Self::Unreached];

    /// The word in the list.
    pub fn word(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Silent => "silent",
            Self::Unreached => "unreached",
        }
    }
}

/// One line of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A prober started.
    Started {
        /// When.
        at: u64,
    },
    /// A number was sent for the first time.
    Begun {
        /// The number.
        sequence: u64,
        /// When.
        at: u64,
    },
    /// An attempt failed.
    Failed {
        /// The number.
        sequence: u64,
        /// When.
        at: u64,
        /// How.
        how: Failed,
        /// The reason that was told, or what the connection said in a word.
        reason: String,
    },
    /// It was acknowledged.
    Acknowledged {
        /// The number.
        sequence: u64,
        /// When.
        at: u64,
        /// At which attempt.
        attempts: u32,
        /// Whether it has a due instant.
        due: bool,
    },
    /// It was given up.
    GivenUp {
        /// The number.
        sequence: u64,
        /// When.
        at: u64,
    },
    /// The prober ended in order.
    Ended {
        /// When.
        at: u64,
    },
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started { at } => writeln!(f, "s {at}"),
            Self::Begun { sequence, at } => writeln!(f, "b {sequence} {at}"),
            Self::Failed { sequence, at, how, reason } => {
                writeln!(f, "f {sequence} {at} {} {reason}", how.word())
            }
            Self::Acknowledged { sequence, at, attempts, due } => {
                writeln!(f, "a {sequence} {at} {attempts} {}", u8::from(*due))
            }
            Self::GivenUp { sequence, at } => writeln!(f, "g {sequence} {at}"),
            Self::Ended { at } => writeln!(f, "e {at}"),
        }
    }
}

impl Event {
    fn read(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let kind = words.next()?;
        let mut number = || words.next()?.parse::<u64>().ok();
        let event = match kind {
            "s" => Self::Started { at: number()? },
            "e" => Self::Ended { at: number()? },
            "b" => Self::Begun { sequence: number()?, at: number()? },
            "g" => Self::GivenUp { sequence: number()?, at: number()? },
            "a" => Self::Acknowledged {
                sequence: number()?,
                at: number()?,
                attempts: u32::try_from(number()?).ok()?,
                due: number()? == 1,
            },
            "f" => {
                let (sequence, at) = (number()?, number()?);
                let how = words.next()?;
                let how = Failed::ALL.into_iter().find(|one| one.word() == how)?;
                let reason = words.next()?.to_owned();
                Self::Failed { sequence, at, how, reason }
            }
            _ => return None,
        };
        words.next().is_none().then_some(event)
    }
}

/// A list that is being written.
#[derive(Debug)]
pub struct Writer {
    file: File,
}

impl Writer {
    /// Opens the list of `drill` to append to it, and begins it if it is not there. What a prober that
    /// broke down left of a last line is cut off.
    pub fn open(path: &Path, drill: &str) -> Result<(Self, List), Failure> {
        let failed = |error: io::Error| Failure::file(path, &error);
        let mut file =
            OpenOptions::new().create(true).read(true).append(true).open(path).map_err(failed)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed)?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        if whole < bytes.len() {
            file.set_len(whole as u64).map_err(failed)?;
            bytes.truncate(whole);
        }
        if bytes.is_empty() {
            bytes = format!("{FORMAT}{drill}\n").into_bytes();
            file.write_all(&bytes).map_err(failed)?;
            file.sync_data().map_err(failed)?;
        }
        let list = List::of_bytes(&bytes).filter(|list| list.drill == drill);
        let list = list.ok_or_else(|| not_a_list(path, drill))?;
        Ok((Self { file }, list))
    }

    /// Appends events and, if there is an acknowledgment among them, waits until they are on disk.
    pub fn append(&mut self, events: &[Event]) -> io::Result<()> {
        let text: String = events.iter().map(ToString::to_string).collect();
        self.file.write_all(text.as_bytes())?;
        if events.iter().any(|event| !matches!(event, Event::Begun { .. } | Event::Failed { .. })) {
            self.file.sync_data()?;
        }
        Ok(())
    }
}

/// A list that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// The drill.
    pub drill: String,
    /// Every event, in order.
    pub events: Vec<Event>,
    /// SHA-256 of the file.
    pub digest: [u8; 32],
    /// Whether the last prober ended in order: one that did not may have been told more than it wrote.
    pub ended: bool,
}

impl List {
    /// Reads the list of `drill`.
    pub fn read(path: &Path, drill: &str) -> Result<Self, Failure> {
        let bytes = std::fs::read(path).map_err(|error| Failure::file(path, &error))?;
        // Of a list that is still being written the last line may be half there.
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let list = Self::of_bytes(&bytes[..whole]).filter(|list| list.drill == drill);
        list.ok_or_else(|| not_a_list(path, drill))
    }

    fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let mut lines = std::str::from_utf8(bytes).ok()?.lines();
        let drill = lines.next()?.strip_prefix(FORMAT)?.to_owned();
        let events = lines.map(Event::read).collect::<Option<Vec<_>>>()?;
        let ended = matches!(events.last(), Some(Event::Ended { .. }));
        Some(Self { drill, events, digest: Sha256::digest(bytes).into(), ended })
    }

    /// The numbers that were acknowledged, each with the time of its acknowledgment.
    pub fn acknowledged(&self) -> BTreeMap<u64, u64> {
        let told = self.events.iter().filter_map(|event| match event {
            Event::Acknowledged { sequence, at, .. } => Some((*sequence, *at)),
            _ => None,
        });
        told.collect()
    }

    /// The numbers that were acknowledged and have a due instant.
    pub fn timers(&self) -> BTreeSet<u64> {
        let told = self.events.iter().filter_map(|event| match event {
            Event::Acknowledged { sequence, due: true, .. } => Some(*sequence),
            _ => None,
        });
        told.collect()
    }

    /// The first number that no prober of this list has begun.
    pub fn next_sequence(&self) -> u64 {
        let begun = self.events.iter().filter_map(|event| match event {
            Event::Begun { sequence, .. } => Some(*sequence + 1),
            _ => None,
        });
        begun.max().unwrap_or(1)
    }

    /// Times of the acknowledgments, in order.
    pub fn times(&self) -> Vec<u64> {
        let mut times: Vec<u64> = self.acknowledged().into_values().collect();
        times.sort_unstable();
        times
    }
}

fn not_a_list(path: &Path, drill: &str) -> Failure {
    let path = path.display();
    Failure::new(
        Exit::Error,
        "list_damaged",
        both!(
            "{path} is not the whole list of a prober of {drill}",
            "{path} 不是 {drill} 探测写入的完整清单"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRILL: &str = "domains/xiamen/drills/1";

    fn events() -> Vec<Event> {
        vec![
            Event::Started { at: 90 },
            Event::Begun { sequence: 1, at: 100 },
            Event::Failed {
                sequence: 1,
                at: 105,
                how: Failed::Answered,
                reason: "NO_LEADER".to_owned(),
            },
            Event::Acknowledged { sequence: 1, at: 110, attempts: 2, due: true },
            Event::Begun { sequence: 2, at: 111 },
            Event::GivenUp { sequence: 2, at: 200 },
            Event::Ended { at: 210 },
        ]
    }

    #[test]
    fn what_was_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list.txt");
        let (mut writer, before) = Writer::open(&path, DRILL).unwrap();
        assert_eq!((before.events.len(), before.next_sequence()), (0, 1));
        writer.append(&events()).unwrap();
        let list = List::read(&path, DRILL).unwrap();
        assert_eq!(list.events, events());
        assert!(list.ended);
        assert_eq!(list.acknowledged(), BTreeMap::from([(1, 110)]));
        assert_eq!(list.timers(), BTreeSet::from([1]));
        assert_eq!(list.next_sequence(), 3);
        assert_eq!(
            List::read(&path, "domains/xiamen/drills/2").unwrap_err().reason,
            "list_damaged"
        );
    }

    #[test]
    fn a_prober_that_broke_down_leaves_no_half_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list.txt");
        let (mut writer, _) = Writer::open(&path, DRILL).unwrap();
        writer.append(&events()[..5]).unwrap();
        writer.file.write_all(b"a 2 1").unwrap();
        assert_eq!(List::read(&path, DRILL).unwrap().acknowledged().len(), 1);
        let (mut writer, found) = Writer::open(&path, DRILL).unwrap();
        assert!(!found.ended);
        assert_eq!(found.next_sequence(), 3);
        writer.append(&[Event::Started { at: 300 }]).unwrap();
        assert_eq!(List::read(&path, DRILL).unwrap().events.len(), 6);
    }

    #[test]
    fn a_line_that_is_none_spoils_the_list() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list.txt");
        for line in ["a 1 2 3", "x 1 2", "b 1", "f 1 2 lost NO_LEADER", "b 1 2 3"] {
            std::fs::write(&path, format!("{FORMAT}{DRILL}\n{line}\n")).unwrap();
            assert_eq!(List::read(&path, DRILL).unwrap_err().reason, "list_damaged", "{line}");
        }
    }
}
