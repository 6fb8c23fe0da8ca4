//! Under which rule are entries committed now, and where is that written?
//!
//! A cluster of two sites is in a [`Mode`], and its changes are entries of its own log. Such an entry is
//! marked in the entry itself, as changes of the membership are: a replica that becomes the leader finds the
//! mode in the tail of its log, long before the state machine has seen it. Taken from the applied state
//! alone, the mode of a new leader would be one that its predecessor had left.

use bytes::Bytes;
use raft::eraftpb::{Entry, EntryType};

/// How the two sites stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// Every entry is held by both sites before it commits.
    Sync,
    /// The active site commits alone, for as long as the witness lends it that right.
    Async {
        /// Without the witness: two persons gave their word that the other site is stopped and stays so.
        released: bool,
    },
    /// On the way back: committed as in sync, promised as in async. A phase of its leader, in no log; the
    /// witness, the state and the log say *async*.
    SyncRecover,
}

impl Mode {
    /// Whether the site rule is on.
    pub fn rule_on(self) -> bool {
        match self {
            Self::Sync | Self::SyncRecover => true,
            Self::Async { .. } => false,
        }
    }

    /// Whether a leader commits only while the witness lends it the right to.
    pub fn needs_lease(self) -> bool {
        self == Self::Async { released: false }
    }
}

const MARK: u8 = b'M';

/// The entry that changes the mode: `command` is for the state machine.
pub(crate) fn entry(mode: Mode, command: Bytes) -> Entry {
    let number = match mode {
        Mode::Sync => 0,
        Mode::Async { released: false } => 1,
        Mode::Async { released: true } => 2,
        Mode::SyncRecover => panic!("a phase of the leader is not for the log"),
    };
    let context = Bytes::copy_from_slice(&[MARK, number]);
    Entry { data: command, context, ..Entry::default() }
}

/// The mode that `entry` brings, if it changes it.
pub fn mode_of(entry: &Entry) -> Option<Mode> {
    if entry.get_entry_type() != EntryType::EntryNormal || entry.data.is_empty() {
        return None;
    }
    match entry.context.as_ref() {
        [MARK, 0] => Some(Mode::Sync),
        [MARK, 1] => Some(Mode::Async { released: false }),
        [MARK, 2] => Some(Mode::Async { released: true }),
        _ => None,
    }
}
