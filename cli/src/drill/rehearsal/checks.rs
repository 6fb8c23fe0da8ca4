//! Checks: is the cluster as the plan wants it, before and after?

use std::time::Duration;

use catalog_model::drill::DrillPhase;
use tokio::time::{Instant, sleep};

use super::{LOOK_EVERY, Rehearsal};
use crate::{
    both,
    drill::{
        cluster::{read_head, whole},
        findings::compare,
        list::List,
        step::Check,
    },
    exit::Exit,
    failure::Failure,
    language::Bilingual,
};

/// How long a check after the act may wait for what it looks for.
const CHECK_WAIT: Duration = Duration::from_mins(1);
/// How long an alarm may take to pass by itself.
const ALARMS_WAIT: Duration = Duration::from_secs(10);
/// So many writes must be acknowledged after the act.
const WRITES_AGAIN: usize = 20;

impl Rehearsal<'_> {
    /// Makes a check; what was seen, in a line.
    pub(super) async fn check(
        &mut self,
        check: Check,
        phase: DrillPhase,
    ) -> Result<String, Failure> {
        match check {
            Check::OneLeader => {
                let status = self.place.cluster.patient_status().await?;
                let leading = status.nodes.iter().filter(|node| node.role == "leader").count();
                expect(
                    leading == 1,
                    format!("{leading} lead; node {} in term {}", status.leader, status.term),
                )
            }
            Check::NodesUp => {
                if phase > DrillPhase::Precheck {
                    self.place.cluster.until_whole(CHECK_WAIT).await?;
                }
                let status = self.place.cluster.patient_status().await?;
                let found = whole(&status);
                let nodes = status.nodes.len();
                expect(found.is_ok(), found.err().unwrap_or_else(|| format!("{nodes} nodes")))
            }
            Check::SameState => {
                if phase > DrillPhase::Precheck {
                    self.stop_prober().await?;
                }
                self.same_state().await
            }
            Check::NoAlarms => self.no_alarms().await,
            Check::WritesAgain => self.writes_again().await,
            Check::LeaderChanged => {
                let now = self.place.cluster.leader().await?;
                let changed = match (&self.kept.traces.led, &now) {
                    (Some((old, before)), Some((new, term))) => old != new && term > before,
                    _ => false,
                };
                let said = |led: &Option<(String, u64)>| {
                    led.as_ref().map_or_else(
                        || "nobody".to_owned(),
                        |(node, term)| format!("node {node} in term {term}"),
                    )
                };
                expect(changed, format!("{}, then {}", said(&self.kept.traces.led), said(&now)))
            }
            Check::LedgerExtends => {
                let head = read_head(&self.kept.head)?;
                let extends = self.place.cluster.extends(&head).await?;
                expect(extends, format!("over {} records", head.tree_size))
            }
            Check::NothingLost => {
                let last = phase == DrillPhase::Back;
                if last {
                    self.stop_prober().await?;
                    self.fire_all().await?;
                }
                self.compare(last).await
            }
            check => Err(Failure::new(
                Exit::Conflict,
                "drill_not_available",
                check.missing().unwrap_or_default(),
            )),
        }
    }

    /// No alarm is raised, or those that are pass by themselves in a moment, as after a start.
    async fn no_alarms(&self) -> Result<String, Failure> {
        let patience = Instant::now() + ALARMS_WAIT;
        loop {
            let alarms = self.place.cluster.patient_status().await?.alarms;
            if alarms.is_empty() || Instant::now() > patience {
                let names: Vec<&str> = alarms.iter().map(|alarm| alarm.name.as_str()).collect();
                return expect(names.is_empty(), names.join(", "));
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Every node holds the same, once nobody writes.
    async fn same_state(&self) -> Result<String, Failure> {
        let patience = Instant::now() + CHECK_WAIT;
        loop {
            let status = self.place.cluster.patient_status().await?;
            let mut held: Vec<_> =
                status.nodes.iter().map(|node| (node.applied_index, &node.state_hash)).collect();
            held.dedup();
            if let [(index, hash)] = held[..] {
                return Ok(format!("at {index}: {}", hash.get(..16).unwrap_or(hash)));
            }
            let at_one_index = held.windows(2).all(|pair| pair[0].0 == pair[1].0);
            if at_one_index || Instant::now() > patience {
                return expect(false, format!("{held:?}"));
            }
            sleep(LOOK_EVERY).await;
        }
    }

    async fn writes_again(&self) -> Result<String, Failure> {
        let since = self.kept.traces.disturbances.iter().map(|one| one.at).max().unwrap_or(0);
        let patience = Instant::now() + CHECK_WAIT;
        loop {
            let list = List::read(&self.list(), &self.drill.name)?;
            let after = list.times().into_iter().filter(|at| *at > since).count();
            if after >= WRITES_AGAIN || Instant::now() > patience {
                return expect(after >= WRITES_AGAIN, format!("{after} acknowledged"));
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Waits until every due instant has fired; a development clock is moved on for it.
    async fn fire_all(&self) -> Result<(), Failure> {
        let patience = Instant::now() + CHECK_WAIT;
        let development = self.place.cluster.patient_status().await?.development_clock;
        loop {
            let (there, clock) = self.place.cluster.probes(&self.drill.name).await?;
            let waiting = there.values().filter(|row| row.fired == 0).filter_map(|row| row.due);
            let Some(last) = waiting.max() else { return Ok(()) };
            if Instant::now() > patience {
                return Ok(());
            }
            if development {
                let by = last.saturating_sub(clock) + 1;
                // What fails now is tried again.
                let _ = self.place.cluster.move_clock(Duration::from_millis(by)).await;
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Holds the list against what is there. While the prober writes, a due instant may be about to
    /// fire; at the end every one must have.
    async fn compare(&mut self, last: bool) -> Result<String, Failure> {
        // First the list, then what is there: what was acknowledged in between is not missed.
        let list = List::read(&self.list(), &self.drill.name)?;
        let (there, _) = self.place.cluster.probes(&self.drill.name).await?;
        let mut found = compare(&list, &there, if last { u64::MAX } else { 0 });
        if !last {
            found.timers.never.clear();
        }
        if last && !list.ended {
            self.incomplete.push(both!("the prober's list has no end", "探测清单不完整"));
        }
        let clean =
            found.lost.is_empty() && found.duplicated.is_empty() && found.timers.wrong() == 0;
        let note = format!(
            "acknowledged {}, lost {}, twice {}, due instants fired {} of {}, wrong {}",
            found.acknowledged,
            found.lost.len(),
            found.duplicated.len(),
            found.timers.fired,
            found.timers.set,
            found.timers.wrong(),
        );
        self.comparison = found;
        expect(clean, note)
    }
}

/// What was seen, or that it is not as it should be.
fn expect(holds: bool, seen: String) -> Result<String, Failure> {
    if holds {
        return Ok(seen);
    }
    Err(Failure::new(Exit::Unhealthy, "check_failed", Bilingual::same(seen)))
}
