//! What the law leaves to the leader: whose entries have still to move, and which listings of before
//! level 3 are not in the index of items?
//!
//! Both are read from the state each time, so it matters to nobody who led before, or whether a
//! command was committed whose outcome its sender never learnt. One that comes twice is refused for
//! its version, or changes nothing.

use std::time::Duration;

use catalog_model::{
    function_transfer::FunctionTransfer,
    ids::{DomainId, EntryId},
    refusal::Refusal,
};
use catalog_state::{
    command::{Body, RelationsCommand, TransferStep},
    outcome::Outcome,
    view::{Unindexed, View},
};
use luqiao_transport::drain::Shutdown;
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::LOOK;
use crate::handle::{Intent, NodeHandle};

/// The level from which on there are transfers and an index.
const RELATIONS_LEVEL: u32 = 3;

/// Listings that are looked through at a time, so that no reader of the disk waits behind them.
const LOOKED_THROUGH: usize = 1_000;

/// Between two portions, so that after a restart with a large catalog a quarter of one core is busy
/// with it and calls have the rest.
const PAUSE: Duration = Duration::from_millis(100);

/// What a leader finds to do.
#[derive(Debug)]
enum Work {
    /// An approved transfer has entries left.
    Move(Box<FunctionTransfer>),
    /// Listings of this domain after this entry are not in the index.
    Index(DomainId, Option<EntryId>),
}

/// How far the listings have been looked through. Once through, always through: from level 3 on
/// whatever is listed is put into the index with the listing, so a process looks once.
#[derive(Debug, Default)]
enum Looked {
    #[default]
    Not,
    Until(DomainId, Option<EntryId>),
    Through,
}

/// Moves what approved transfers left and completes the index, while this node leads.
pub(crate) async fn keep_up(handle: NodeHandle, shutdown: Shutdown) {
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut looked = Looked::default();
    loop {
        tokio::select! {
            () = shutdown.begun() => return,
            _ = looks.tick() => {}
        }
        while handle.status().is_leader() && !shutdown.has_begun() {
            let before = std::mem::take(&mut looked);
            let (work, now) = handle.look(move |state| find(View(state), before)).await;
            looked = now;
            let done = match work {
                None if matches!(looked, Looked::Until(..)) => {
                    tokio::select! {
                        () = shutdown.begun() => return,
                        () = sleep(PAUSE) => continue,
                    }
                }
                None => break,
                Some(work) => take(&handle, work).await,
            };
            // The next look tries again, on whoever leads then.
            if let Err(refusal) = done {
                tracing::debug!(reason = %refusal.reason, "Work on relations not done yet");
                break;
            }
        }
    }
}

/// The next thing to do, and how far the listings have been looked through by then.
fn find(view: View<'_>, looked: Looked) -> (Option<Work>, Looked) {
    let Some(cluster) = view.cluster().filter(|_| view.level() >= RELATIONS_LEVEL) else {
        return (None, looked);
    };
    if let Some(transfer) = view.transfer_under_way(&cluster.domain) {
        return (Some(Work::Move(Box::new(transfer))), looked);
    }
    let (domain, after) = match looked {
        Looked::Through => return (None, Looked::Through),
        Looked::Not => match view.listed_domain(None) {
            None => return (None, Looked::Through),
            Some(first) => (first, None),
        },
        Looked::Until(domain, after) => (domain, after),
    };
    match view.unindexed(&domain, after, LOOKED_THROUGH) {
        Unindexed::After(before) => {
            (Some(Work::Index(domain.clone(), before)), Looked::Until(domain, before))
        }
        Unindexed::NotUntil(last) => (None, Looked::Until(domain, Some(last))),
        Unindexed::None => match view.listed_domain(Some(&domain)) {
            None => (None, Looked::Through),
            Some(next) => (None, Looked::Until(next, None)),
        },
    }
}

async fn take(handle: &NodeHandle, work: Work) -> Result<(), Refusal> {
    let command = match work {
        Work::Move(approved) => {
            let FunctionTransfer { id: transfer, version, moved, ref entries, .. } = *approved;
            tracing::info!(%transfer, moved, of = entries.len(), "Entries move on");
            RelationsCommand::Transfer { transfer, version, step: TransferStep::Continue }
        }
        Work::Index(domain, after) => {
            tracing::info!(%domain, "Listings go into the index of items");
            RelationsCommand::IndexPublished { domain, after }
        }
    };
    let intent = Intent {
        caller: handle.own_identity(),
        received_at: None,
        idempotency: None,
        body: Body::Relations(Box::new(command)),
    };
    match handle.propose(intent).await?.applied.outcome {
        Outcome::Refused(refusal) => Err(refusal),
        _ => Ok(()),
    }
}
