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
//! A snapshot travels in two parts: Raft's message, which holds no more than a manifest and is held back
//! here ([`Ready::fetch`]), and the blocks, which the shell fetches. Only when they are all there does Raft
//! hear of it ([`Ready::install`]), so that it never waits for a transfer.
//!
//! A cluster may span two sites: then the [`mode`](Mode) in force says whether an entry needs both
//! ([`sites`]), and a replica that may not commit is held (`replica/rule.rs`).
//!
//! Which mode a leader should be in, and what the witness must know first, is another pure machine
//! ([`keeper`]); what becomes of a site when the other is lost is decided by [`failover`].
//!
//! Members change one at a time ([`Replica::propose_members`]), through a joint configuration that the
//! leader's shell leaves ([`Replica::leave_due`]).

pub use self::{
    compaction::CompactLimits,
    config::{Config, StartError},
    drive::{Outside, bootstrap, persist, settle},
    membership::{ChangeRefusal, EntryKind, Membership, RaftChange, kind_of},
    mode::{Mode, mode_of},
    ready::{Install, LogWrite, ReadDone, Ready, Role, SnapshotOffer},
    refusal::{
        CannotLead, MemberRefusal, ProposeRefusal, ReadRefusal, StepRefusal, TransferRefusal,
    },
    replica::{AHEAD_MAX, LeaveDue, Proposed, Replica},
    sites::{RuleEffect, SiteId, Sites},
    status::{PeerProgress, PeerState, ReplicaStatus, RoleKind, SiteStatus, VoterSeen},
};

mod compaction;
mod config;
pub mod divergence;
mod drive;
pub mod failover;
pub mod keeper;
mod log_view;
mod membership;
mod mode;
mod ready;
mod refusal;
mod replica;
pub mod sites;
mod status;
