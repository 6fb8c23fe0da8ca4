//! The replica: given what happened, what may be sent, what must be written, what may be applied?
//!
//! Sans-io over raft-rs. Inputs are calls ([`Replica::tick`], [`Replica::step`], [`Replica::propose`],
//! [`Replica::read`], [`Replica::log_persisted`], [`Replica::applied`]); everything that should happen
//! outside comes back as a [`Ready`]. No socket, no file, no clock and no chance: the same calls give the
//! same answers, on a node and in a simulation. Proposals are bytes; what they mean is not known here.
//!
//! The order that everything hangs on, and that [`settle`] keeps for both drivers:
//!
//! 1. [`Ready::send_now`] may leave at once: only a leader has such messages, and a leader's own disk is
//!    one voice of the quorum like any other.
//! 2. [`Ready::write`] goes to the log, in the order of its numbers.
//! 3. Only when it is durable, [`Replica::log_persisted`] hands out the messages that depended on it.
//!    A vote or an acknowledgment that leaves earlier is a promise that a power loss breaks.
//! 4. [`Ready::apply`] holds only entries that are committed *and* durable here.
//!
//! Not here yet: snapshots. The storage below answers `SnapshotTemporarilyUnavailable`, so nothing may be
//! compacted that a peer still needs; changes of membership stop the replica when they are committed.

pub use self::{
    config::{Config, StartError},
    drive::{Outside, bootstrap, persist, settle},
    ready::{LogWrite, ReadDone, Ready, Role},
    refusal::{ProposeRefusal, ReadRefusal, StepRefusal, TransferRefusal},
    replica::{Proposed, Replica},
    status::{ReplicaStatus, RoleKind},
};

mod config;
mod drive;
mod log_view;
mod ready;
mod refusal;
mod replica;
mod status;
