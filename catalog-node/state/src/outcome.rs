//! What came of a command: done, or refused and why. An outcome is the same on every replica.

use catalog_model::{ids::EntryId, name::ResourceName, refusal::Refusal};
use minicbor::{Decode, Encode};

/// The outcome of one command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Done; the resource that was made or changed. A repeated call gets the same name.
    Done(Option<ResourceName>),
    /// Refused; nothing changed, but for the record of the refusal where it has legal effect.
    Refused(Refusal),
    /// An import batch: one result for each line.
    Imported(Vec<ImportResult>),
    /// The clock moved.
    ClockAdvanced {
        /// How many deadlines fired.
        fired: u32,
        /// Whether more are due: the proposer repeats the command.
        more: bool,
    },
    /// A probe command.
    Probe {
        /// Whether it wrote.
        done: bool,
        /// Log position at which that was decided: of a repeated call the first one's.
        index: u64,
    },
    /// The members changed, and raft's own change takes effect. Nothing else lets it: not even the
    /// repetition of this command, whose outcome is [`Outcome::Done`].
    MembersChanged {
        /// The version of the new list.
        version: u64,
    },
}

/// The result for one imported line.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum ImportResult {
    /// Became a draft.
    #[n(0)]
    Accepted(#[n(0)] EntryId),
    /// Repeats an entry.
    #[n(1)]
    Duplicate(#[n(0)] EntryId),
    /// Was refused.
    #[n(2)]
    Refused(#[n(0)] Refusal),
}

impl Outcome {
    /// The refusal, if it is one.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }
}
