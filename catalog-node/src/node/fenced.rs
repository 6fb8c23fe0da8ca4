//! Fenced: what becomes of the loop of a node that heard of a later generation?
//!
//! The replica ends where it stood: nothing that has come is looked at any more, and what it would
//! still have sent goes with it. What was proposed may have been committed by others, so its outcome
//! is unknown; who asked anything else is told why. The log stays open, held against other
//! processes, until the node stops.

use std::sync::atomic::Ordering;

use catalog_model::refusal::Refusal;

use super::{FromPeer, NodeLoop, Report, Wish, no_leader};
use crate::inbox::Taken;

impl NodeLoop {
    /// Turns away what was taken for a round that does not take place.
    pub(super) fn turn_away(&self, taken: Taken<Report, FromPeer, Wish>) {
        turn_away(taken, &|| self.fencing.refusal().unwrap_or_else(no_leader));
    }

    /// Ends the replica, tells whoever waits, and turns away whoever comes until the node stops.
    pub(super) fn stay_fenced(mut self) {
        self.shell.peers.pulse.round_ends();
        self.shell.peers.pulse.forget();
        let refusal = self.fencing.refusal().unwrap_or_else(no_leader);
        self.shell.fence_waiters(&refusal);
        for (_, waiter) in std::mem::take(&mut self.work.held.waiting) {
            // It was held back for a handover and never proposed.
            let _ = waiter.send(Err(refusal.clone()));
        }
        if let Some(handover) = self.work.handover.take() {
            let _ = handover.waiter.send(Err(refusal));
        }
        let replica = self.replica.status();
        let Self { replica: ended, inbox, stopped, status, fencing, log, tick, .. } = self;
        // With all that it would still have sent.
        drop(ended);
        tracing::info!(
            term = replica.term,
            last_index = replica.last_index,
            commit = replica.commit,
            "Replica ended"
        );
        status.send_modify(|status| {
            status.replica = replica;
            status.replica.leader = None;
            status.running = false;
            status.sealed = true;
        });
        let refusal = || fencing.refusal().unwrap_or_else(no_leader);
        while !stopped.load(Ordering::Acquire) {
            turn_away(inbox.take(tick), &refusal);
        }
        inbox.close();
        drop(log);
    }
}

fn turn_away(taken: Taken<Report, FromPeer, Wish>, refusal: &impl Fn() -> Refusal) {
    for report in taken.own {
        match report {
            Report::HandOver { waiter, .. } => drop(waiter.send(Err(refusal()))),
            Report::ChangeMembers { waiter, .. } => drop(waiter.send(Err(refusal()))),
            // What tasks of this node found out for a replica that is no more.
            Report::Removed
            | Report::Fenced
            | Report::Durable(_)
            | Report::SnapshotBuilt(_)
            | Report::SnapshotSent(_)
            | Report::SnapshotFetched { .. }
            | Report::SnapshotRefused { .. } => {}
        }
    }
    for (wish, _) in taken.clients {
        match wish {
            Wish::Propose(_, waiter) => drop(waiter.send(Err(refusal()))),
            Wish::Read { waiter, .. } => drop(waiter.send(Err(refusal()))),
        }
    }
}
