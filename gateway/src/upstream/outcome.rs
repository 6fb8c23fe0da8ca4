//! Outcome: what does a node's status say about the call that it ended?
//!
//! Three questions decide what happens next: did the call arrive, may it have taken effect, and
//! is the status meant for the caller? A status with one of our reasons answers them itself; one
//! without was made by the libraries on the way, and then only a failed dial is certain.

use catalog_model::reason::Reason;
use luqiao_transport::{dial::DialError, status::Problem};
use tonic::{Code, Status};

/// What became of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The cluster's answer to the caller.
    Answer,
    /// An answer that tells the caller nothing and another node would repeat.
    Unfit,
    /// It arrived and was not taken on: the node does not lead and reached nobody who does.
    Leaderless {
        /// Who leads, if the node knows.
        leader: Option<String>,
    },
    /// It arrived and was not taken on: the node's own copy of the state is in doubt.
    Unsound,
    /// The node is of another cluster; it did nothing.
    Foreign,
    /// The node is of an earlier generation than one that it heard of; it did nothing.
    Past,
    /// The gateway followed an earlier opening than the node, and has heard of the later one with the
    /// answer; the node did nothing.
    Outdated,
    /// It never arrived.
    Unreached,
    /// It may have arrived and may have taken effect.
    InDoubt,
}

/// Reads `status`.
pub(super) fn of(status: &Status) -> Outcome {
    if DialError::find(status).is_some() {
        return Outcome::Unreached;
    }
    let mut problem = Problem::from_status(status);
    match problem.reason {
        Some(Reason::NoLeader | Reason::NotLeader | Reason::Draining) => {
            Outcome::Leaderless { leader: problem.metadata.remove("leader") }
        }
        // It will answer once the new generation opened.
        Some(Reason::GenerationNotOpen) => Outcome::Leaderless { leader: None },
        Some(Reason::Fenced | Reason::NodeInvalidated) => Outcome::Past,
        Some(Reason::EpochPast) => Outcome::Outdated,
        Some(Reason::NodeQuarantined) => Outcome::Unsound,
        Some(Reason::OutcomeUnknown | Reason::TimedOut) => Outcome::InDoubt,
        Some(Reason::GenerationForeign) => Outcome::Foreign,
        Some(Reason::EnvelopeRefused) => Outcome::Unfit,
        Some(_) => Outcome::Answer,
        // A later node may know reasons that we do not: they are for the caller all the same.
        None if !problem.reason_name.is_empty() => Outcome::Answer,
        None => match status.code() {
            Code::Unavailable
            | Code::Unknown
            | Code::Cancelled
            | Code::Internal
            | Code::DeadlineExceeded => Outcome::InDoubt,
            _ => Outcome::Unfit,
        },
    }
}
