//! Duties: what does a node do without being asked?
//!
//! A leader moves the committed clock while something waits for it. A deadline fires through a
//! committed command only, so somebody must propose one; whoever leads does, with its bounded stamp.
//! Where the clock is moved by hand, nobody does. It also completes changes of the members, and
//! hands over when its disk is no good; what the law leaves to it beside the clock has its own file.

pub(crate) mod relations;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    time::{Duration, Instant},
};

use catalog_model::time::UtcMillis;
use catalog_replica::LeaveDue;
use catalog_state::{
    command::{Body, MemberChange},
    outcome::Outcome,
    view::View,
};
use luqiao_proto::node::v1::{GetNodeStatusRequest, node_service_client::NodeServiceClient};
use luqiao_transport::drain::Shutdown;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use crate::{
    alarms::Alarms,
    config::Reserve,
    handle::{Intent, NodeHandle},
    outages::Outages,
    storage::{DiskChange, DiskMeter, DiskWatch},
};

/// How often the leader looks whether something is due: the precision of firings.
const LOOK: Duration = Duration::from_secs(1);

/// How far the committed clock may fall behind the wall clock while deadlines wait and nobody
/// calls, in milliseconds. Committing every second would fill the log with the time of day.
const BEHIND_MAX_MS: u64 = 60_000;

/// How long a leader waits before it tries again to hand over, or to complete a change.
const AGAIN: Duration = Duration::from_millis(500);

/// How long a node may take to hand over.
const HANDOVER_WAIT: Duration = Duration::from_secs(2);

/// How often the disk is measured.
const MEASURE: Duration = Duration::from_millis(500);

/// How long a node may take to say who the members are.
const ASK_WAIT: Duration = Duration::from_secs(1);

/// Name of the alarm.
const DISK_NEARLY_FULL: &str = "disk-nearly-full";

/// Name of the alarm.
const NO_LEADER: &str = "no-leader";
/// How long nobody may lead before that is worth an alarm: several elections.
const NO_LEADER_AFTER: Duration = Duration::from_secs(3);

/// Moves the committed clock while this node leads and deadlines wait.
pub(crate) async fn advance_clock(handle: NodeHandle, shutdown: Shutdown) {
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shutdown.begun() => return,
            _ = looks.tick() => {}
        }
        if !handle.status().is_leader() {
            continue;
        }
        let Some(cluster) = handle.cluster() else { continue };
        if cluster.development_clock {
            // Only a person moves this clock; what waits to be counted again goes on under it.
            if handle.look(|state| !View(state).pending_work().is_empty()).await {
                advance(&handle, handle.clock().committed()).await;
            }
            continue;
        }
        let Some(due) = handle.look(|state| View(state).next_due()).await else { continue };
        // A refused stamp has raised its alarm already.
        let Ok(to) = handle.clock().stamp() else { continue };
        if to >= due || to.0.saturating_sub(handle.clock().committed().0) >= BEHIND_MAX_MS {
            advance(&handle, to).await;
        }
    }
}

/// Counting again goes on in the background: of the time in which others write too, it takes one part
/// in so many. Nothing is late by that: whoever acts on a case, or lets its deadline fire, finds it
/// counted.
const COUNTING_PARTS: u32 = 4;

/// Deadlines that are counted again in one command while nobody else writes and nothing is due: each
/// command waits for the disks of a majority. A read that comes meanwhile waits for no more than that.
const COUNTED_ALONE: u16 = 256;

/// Commits the clock, again while more deadlines are due than one command fires, or more is to be
/// counted again.
async fn advance(handle: &NodeHandle, mut to: UtcMillis) {
    let development = handle.cluster().is_some_and(|cluster| cluster.development_clock);
    let mut last = None;
    // Whether nothing but counting was done lately, and nobody else wrote.
    let mut quiet = false;
    loop {
        let began = Instant::now();
        let portion = handle.clock_portion().map(|usual| if quiet { COUNTED_ALONE } else { usual });
        let intent = Intent {
            caller: handle.own_identity(),
            received_at: None,
            idempotency: None,
            body: Body::AdvanceClock { to, development: false, portion },
        };
        let (outcome, index) = match handle.propose(intent).await {
            Ok(answered) => (Ok(answered.applied.outcome), answered.index),
            Err(refusal) => (Err(refusal), 0),
        };
        match outcome {
            Ok(Outcome::ClockAdvanced { fired, more }) => {
                if fired > 0 {
                    tracing::info!(fired, clock = %to, "Deadlines fired");
                }
                if !more {
                    return;
                }
                let before = last.replace(index);
                let others = before.is_some_and(|last| index > last + 1);
                quiet = fired == 0 && before.is_some() && !others;
                if fired == 0 && others {
                    sleep(began.elapsed() * (COUNTING_PARTS - 1)).await;
                }
                // What becomes due while it is counted does not wait until all is.
                if !development {
                    to = handle.clock().stamp().unwrap_or(to);
                }
            }
            Ok(outcome) => {
                tracing::warn!(?outcome, "Clock not advanced");
                return;
            }
            // The next look tries again, on whoever leads then.
            Err(refusal) => {
                tracing::debug!(reason = %refusal.reason, "Clock not advanced");
                return;
            }
        }
    }
}

/// Raises an alarm while nobody leads.
pub(crate) async fn watch_leader(handle: NodeHandle, shutdown: Shutdown) {
    let alarms: &Alarms = handle.alarms();
    let mut status = handle.watch_status();
    loop {
        let leaderless = async {
            let _ = status.wait_for(|status| status.replica.leader.is_none()).await;
            sleep(NO_LEADER_AFTER).await;
        };
        tokio::select! {
            () = shutdown.begun() => return,
            () = leaderless => {}
        }
        if status.borrow().replica.leader.is_none() {
            alarms.raise(NO_LEADER, "", handle.clock().wall());
            tokio::select! {
                () = shutdown.begun() => return,
                known = status.wait_for(|status| status.replica.leader.is_some()) => {
                    if known.is_err() {
                        return;
                    }
                }
            }
            alarms.clear(NO_LEADER, "");
        }
    }
}

/// Completes changes of the members while this node leads: whoever leads does, whoever began them.
pub(crate) async fn complete_member_changes(handle: NodeHandle, shutdown: Shutdown) {
    let mut status = handle.watch_status();
    loop {
        let due = tokio::select! {
            () = shutdown.begun() => return,
            due = status.wait_for(|status| status.leave_due.is_some()) => match due {
                Ok(status) => status.leave_due,
                Err(_) => return,
            },
        };
        let done = match due {
            None => Ok(()),
            Some(LeaveDue::Propose) => {
                let own = handle.own_identity();
                handle.change_members(own, None, MemberChange::Finish).await.map(drop)
            }
            Some(LeaveDue::HandOver) => handle.transfer_leader(None).await.map(drop),
        };
        if let Err(refusal) = done {
            tracing::debug!(reason = %refusal.reason, "Change of the members not completed yet");
        }
        let completed = status.wait_for(|status| status.leave_due != due);
        tokio::select! {
            () = shutdown.begun() => return,
            _ = completed => {}
            () = sleep(AGAIN) => {}
        }
    }
}

/// Hands leadership over while this node's syncs are slow and another is fit.
pub(crate) async fn leave_slow_disk(handle: NodeHandle, shutdown: Shutdown) {
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shutdown.begun() => return,
            _ = looks.tick() => {}
        }
        if handle.standing().disk_slow() && handle.status().is_leader() {
            hand_over(&handle, "its disk is slow").await;
        }
    }
}

/// Tries to hand leadership to another node; that none is fit is no error.
async fn hand_over(handle: &NodeHandle, cause: &str) {
    match timeout(HANDOVER_WAIT, handle.transfer_leader(None)).await {
        Ok(Ok(leader)) => tracing::warn!(cause, leader, "Leadership handed over"),
        Ok(Err(refusal)) => {
            tracing::debug!(cause, reason = %refusal.reason, "Leadership not handed over");
        }
        Err(_) => tracing::debug!(cause, "Leadership not handed over in time"),
    }
}

/// Measures the disk. While it is nearly full, a leader hands over if it can and takes no writes if
/// it cannot; how long that was goes on record.
pub(crate) async fn watch_disk(
    handle: NodeHandle,
    folder: PathBuf,
    meter: DiskMeter,
    reserve: Reserve,
    shutdown: Shutdown,
) {
    let mut looks = interval(MEASURE);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut watch = DiskWatch::new(reserve.reserve_max_mib.saturating_mul(1 << 20));
    let mut outages = Outages::open(&folder);
    loop {
        tokio::select! {
            () = shutdown.begun() => return,
            _ = looks.tick() => {}
        }
        let (measured, meter) = (folder.clone(), meter.clone());
        let measuring = tokio::task::spawn_blocking(move || meter.measure(&measured));
        let Ok(Ok(space)) = measuring.await else { continue };
        let standing = handle.standing();
        standing.set_disk(space.free, space.total);
        let now = handle.clock().wall();
        match watch.measured(space) {
            Some(DiskChange::NearlyFull) => {
                tracing::warn!(free = space.free, "Disk nearly full: no writes are taken");
                standing.set_disk_nearly_full(true);
                handle.alarms().raise(DISK_NEARLY_FULL, "", now);
            }
            Some(DiskChange::RoomAgain) => {
                tracing::info!(free = space.free, "Disk has room again");
                standing.set_disk_nearly_full(false);
                handle.alarms().clear(DISK_NEARLY_FULL, "");
            }
            None => {}
        }
        if watch.nearly_full() && handle.status().is_leader() {
            outages.refusing(now).await;
            hand_over(&handle, "its disk is nearly full").await;
        }
        if !(watch.nearly_full() && handle.status().is_leader()) {
            outages.over(handle.clock().wall()).await;
        }
        outages.put_on_record(&handle).await;
    }
}

/// While this node knows no leader, or no way to it, asks whoever it knows who the members are now:
/// a node that joins, or was long away, knows addresses that are out of date.
pub(crate) async fn learn_members(
    handle: NodeHandle,
    configured: BTreeMap<u64, String>,
    shutdown: Shutdown,
) {
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shutdown.begun() => return,
            _ = looks.tick() => {}
        }
        let status = handle.status();
        let leader = status.replica.leader;
        let lost =
            leader.is_none_or(|leader| leader != handle.id() && !handle.peers().contains(leader));
        let standing = handle.standing();
        if !lost || !status.running || standing.removed() || standing.disowned() {
            continue;
        }
        meet(&handle, configured.clone());
        for peer in handle.peers().addresses().into_keys() {
            let told = tokio::select! {
                () = shutdown.begun() => return,
                told = ask_for_members(&handle, peer) => told,
            };
            meet(&handle, told.unwrap_or_default());
        }
    }
}

/// Makes a way to those who are not known yet, but not to those whom the cluster let go.
fn meet(handle: &NodeHandle, mut members: BTreeMap<u64, String>) {
    if let Some(known) = handle.view(|state| View(state).members()) {
        members.retain(|id, _| known.get(*id).is_some() || !known.used_ids.contains(id));
    }
    if let Err((node, error)) = handle.peers().add(&members) {
        tracing::debug!(node, %error, "A member cannot be dialed");
    }
}

/// The members as `peer` knows them.
async fn ask_for_members(handle: &NodeHandle, peer: u64) -> Option<BTreeMap<u64, String>> {
    let mut client = NodeServiceClient::new(handle.peers().channel(peer)?);
    let asked = client.get_node_status(GetNodeStatusRequest {});
    let answer = timeout(ASK_WAIT, asked).await.ok()?.ok()?.into_inner();
    if answer.cluster_id != handle.peers().hello_to(peer).cluster_id {
        return None;
    }
    let members = answer.members.into_iter();
    Some(members.filter_map(|one| Some((one.id.parse().ok()?, one.endpoint))).collect())
}
