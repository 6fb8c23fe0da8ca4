//! Duties: what does a leader do without being asked?
//!
//! It moves the committed clock while something waits for it. A deadline fires through a committed
//! command only, so somebody must propose one; whoever leads does, with its bounded stamp. Where
//! the clock is moved by hand, nobody does.

use std::time::Duration;

use catalog_model::time::UtcMillis;
use catalog_state::{command::Body, outcome::Outcome, view::View};
use luqiao_transport::drain::Shutdown;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::{
    alarms::Alarms,
    handle::{Intent, NodeHandle},
};

/// How often the leader looks whether something is due: the precision of firings.
const LOOK: Duration = Duration::from_secs(1);

/// How far the committed clock may fall behind the wall clock while deadlines wait and nobody
/// calls, in milliseconds. Committing every second would fill the log with the time of day.
const BEHIND_MAX_MS: u64 = 60_000;

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

/// Commits the clock, again while more deadlines are due than one command fires.
async fn advance(handle: &NodeHandle, to: UtcMillis) {
    loop {
        let intent = Intent {
            caller: handle.own_identity(),
            received_at: None,
            idempotency: None,
            body: Body::AdvanceClock { to, development: false },
        };
        match handle.propose(intent).await.map(|answered| answered.applied.outcome) {
            Ok(Outcome::ClockAdvanced { fired, more }) => {
                if fired > 0 {
                    tracing::info!(fired, clock = %to, "Deadlines fired");
                }
                if !more {
                    return;
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
