//! A rehearsal: prechecks, act, checks, back, one step after the other, each on record before the
//! next.
//!
//! What was done is known by the drill's record in the cluster, what was seen by the prober's list and
//! a small file beside it; whoever is interrupted goes on from there. An act of which nobody knows how
//! far it got is never begun a second time.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use catalog_model::drill::DrillPhase;
use luqiao_proto::operations::v1::{AbandonDrillRequest, Drill, DrillStep, StepDrillRequest};
use tokio::{task::JoinSet, time::sleep};

use crate::{
    both, dev::cast, exit::Exit, failure::Failure, language::Bilingual, output::Output,
    remote::session::request_id,
};

use super::{
    cluster::{Cluster, persist, timestamp},
    findings::Comparison,
    operator::{Around, Operator, REHEARSED},
    plan::{Doing, Plan, PlanStep},
    prober::{Wanted, Watch},
    prober_process::ProberProcess,
};

mod checks;
mod kept;

pub use self::kept::{Kept, on_record};

/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How often a development clock is moved on, and by how much: as fast as time goes.
const CLOCK_STEP: Duration = Duration::from_millis(200);

/// Where a rehearsal happens.
#[derive(Debug)]
pub struct Place {
    /// The cluster.
    pub cluster: Cluster,
    /// Who reaches the processes.
    pub operator: Operator,
    /// The file of contexts, and the operator's.
    pub contexts: PathBuf,
    /// The name of the operator's context.
    pub context: String,
    /// How this run speaks.
    pub output: Output,
    /// The runner's clock.
    pub watch: Watch,
}

/// A rehearsal under way.
#[derive(Debug)]
pub struct Rehearsal<'a> {
    place: &'a mut Place,
    plan: &'a Plan,
    /// The drill as it is on record.
    pub drill: Drill,
    folder: PathBuf,
    /// What is kept beside the record.
    pub kept: Kept,
    prober: Option<ProberProcess>,
    /// Who moves a development clock on; dropped, that ends.
    clock: JoinSet<()>,
    /// Whether the prober has ended: none is started again.
    probed: bool,
    /// The comparison of the last check `nothing-lost`.
    pub comparison: Comparison,
    /// Why it is not whole.
    pub incomplete: Vec<Bilingual>,
}

impl<'a> Rehearsal<'a> {
    /// A rehearsal of `plan`, as far as `drill` has come.
    pub fn new(place: &'a mut Place, plan: &'a Plan, drill: Drill, folder: &Path) -> Self {
        let began = place.watch.now();
        Self {
            place,
            plan,
            drill,
            folder: folder.to_owned(),
            kept: Kept { began, ..Kept::default() },
            prober: None,
            clock: JoinSet::new(),
            probed: false,
            comparison: Comparison::default(),
            incomplete: Vec::new(),
        }
    }

    /// Takes up what an interrupted run left.
    pub fn resume(&mut self) -> Result<(), Failure> {
        let path = self.folder.join("run.json");
        let text = fs::read_to_string(&path).map_err(|error| Failure::file(&path, &error))?;
        let value = serde_json::from_str(&text).unwrap_or_default();
        self.kept = Kept::read(&value).ok_or_else(|| {
            let path = path.display();
            Failure::new(
                Exit::Error,
                "file_malformed",
                both!("{path} cannot be understood", "无法理解 {path}"),
            )
        })?;
        self.kept.resumed = true;
        Ok(())
    }

    /// The prober's list.
    pub fn list(&self) -> PathBuf {
        self.folder.join("list.txt")
    }

    /// Goes through what is left of the plan.
    pub async fn go(&mut self) -> Result<(), Failure> {
        self.keep()?;
        for (at, step) in self.plan.steps.iter().enumerate().skip(self.drill.steps.len()) {
            if step.phase >= DrillPhase::Act {
                self.may_act().await?;
            }
            self.tell(step);
            let began = self.place.watch.now();
            let (ok, note) = match self.take(at, step).await {
                Ok(note) => (true, note),
                Err(failure) if failure.exit == Exit::Interrupted => return Err(failure),
                Err(failure) => (false, noted(&failure)),
            };
            let ended = self.place.watch.now();
            self.record(step, (began, ended), ok, note).await?;
            if step.phase == DrillPhase::Precheck && !ok {
                return Err(self.refuse(step).await?);
            }
        }
        // A plan ends with a comparison, and that has ended them.
        self.prober = None;
        self.clock.shutdown().await;
        Ok(())
    }

    fn tell(&self, step: &PlanStep) {
        let (title, phase) = (step.doing.title(), step.phase.word());
        let expected = match step.expect_ms / 1000 {
            0 => Bilingual::default(),
            seconds => both!(" (about {seconds} s)", "（约 {seconds} 秒）"),
        };
        self.place.output.say(&Bilingual {
            en: format!("{phase}: {}{}", title.en, expected.en),
            zh: format!("{phase}：{}{}", title.zh, expected.zh),
        });
    }

    /// A red precheck ends the drill before anything happened.
    async fn refuse(&mut self, step: &PlanStep) -> Result<Failure, Failure> {
        let word = step.doing.word();
        let note = self.drill.steps.last().map(|step| step.note.clone()).unwrap_or_default();
        let request = AbandonDrillRequest {
            name: self.drill.name.clone(),
            etag: self.drill.etag.clone(),
            reason: format!("precheck {word}: {note}"),
            request_id: request_id(),
        };
        self.drill = persist!(self.place.cluster, drills.abandon_drill(request))?;
        Ok(Failure::new(
            Exit::Conflict,
            "precheck_failed",
            both!(
                "the precheck {word} says no: {note}; nothing was done",
                "事前检查 {word} 未通过：{note}；未执行任何操作"
            ),
        ))
    }

    /// Before the act: the approvals are there, the head of the ledger is known, the prober writes.
    async fn may_act(&mut self) -> Result<(), Failure> {
        self.approved().await?;
        if self.kept.head.is_null() {
            self.kept.head = self.place.cluster.head().await?;
            self.keep()?;
        }
        if self.prober.is_some() || self.probed {
            return Ok(());
        }
        let status = self.place.cluster.patient_status().await?;
        if status.development_clock {
            self.clock.spawn(tick(self.place.cluster.clone()));
        }
        let prober = self.plan.prober;
        let wanted = Wanted {
            drill: self.drill.name.clone(),
            list: self.list(),
            rate: prober.rate,
            writers: prober.writers,
            due_every: prober.due_every,
            due_after_ms: prober.due_after_ms,
        };
        let log = self.folder.join("prober.log");
        let mut process =
            ProberProcess::start(&wanted, &self.place.contexts, &self.place.context, &log)?;
        process.ready().await?;
        let id = process.id();
        self.place.output.detail(&both!("the prober is process {id}", "探测进程 {id}"));
        self.prober = Some(process);
        sleep(Duration::from_millis(prober.warm_up_ms)).await;
        Ok(())
    }

    async fn approved(&mut self) -> Result<(), Failure> {
        let mut told = false;
        loop {
            let (found, needed) =
                (self.drill.approvals.len(), self.drill.approvals_needed as usize);
            if found >= needed {
                return Ok(());
            }
            if let Operator::Town(town) = &self.place.operator {
                // The heads of the platform's offices of the town stand for those who would be asked.
                let offices = [cast::AUTHORITY, cast::MANAGER];
                let office = offices.get(found).copied().unwrap_or(cast::AUTHORITY);
                let head = town.head(REHEARSED, office).await?;
                let request = luqiao_proto::operations::v1::ApproveDrillRequest {
                    name: self.drill.name.clone(),
                    request_id: request_id(),
                };
                let call = head.session.call(request);
                let answer = head.session.drills().approve_drill(call).await;
                self.drill = answer.map_err(|status| Failure::call(&status))?.into_inner();
                continue;
            }
            if !told {
                let name = &self.drill.name;
                self.place.output.say(&both!(
                    "{found} of {needed} approvals are there; others approve with `luqiao drill approve {name}`",
                    "已有 {found}/{needed} 份批准；请其他人员执行 luqiao drill approve {name}"
                ));
                told = true;
            }
            sleep(LOOK_EVERY * 5).await;
            self.drill = self.place.cluster.drill(&self.drill.name).await?;
        }
    }

    /// Carries a step out; what was seen, in a line.
    async fn take(&mut self, at: usize, step: &PlanStep) -> Result<String, Failure> {
        match step.doing {
            Doing::Act(act) => {
                if step.phase == DrillPhase::Act && self.kept.acting >= Some(at) {
                    return Err(Failure::new(
                        Exit::OutcomeUnknown,
                        "act_interrupted",
                        both!("interrupted; it is not done twice", "曾被中断，不再重复执行"),
                    ));
                }
                if step.phase == DrillPhase::Act {
                    self.kept.acting = Some(at);
                    self.keep()?;
                }
                if act == super::step::Act::StopProber {
                    self.stop_prober().await?;
                }
                let place = &mut *self.place;
                let around =
                    Around { cluster: &place.cluster, watch: place.watch, output: place.output };
                let before = self.kept.traces.disturbances.len();
                let done = place.operator.perform(act, around, &mut self.kept.traces).await;
                self.keep()?;
                done?;
                let nodes: Vec<&str> = self.kept.traces.disturbances[before..]
                    .iter()
                    .map(|one| one.node.as_str())
                    .collect();
                Ok(if nodes.is_empty() {
                    String::new()
                } else {
                    format!("node {}", nodes.join(", "))
                })
            }
            Doing::Check(check) => self.check(check, step.phase).await,
        }
    }

    /// Lets the prober write a little longer, then ends it.
    async fn stop_prober(&mut self) -> Result<(), Failure> {
        let Some(prober) = self.prober.take() else { return Ok(()) };
        sleep(Duration::from_millis(self.plan.prober.cool_down_ms)).await;
        if !prober.end().await? {
            self.incomplete.push(both!(
                "the prober did not learn what became of its last writes, or broke down",
                "探测进程异常结束，或未能得知最后写入的结果"
            ));
        }
        self.clock.shutdown().await;
        self.probed = true;
        Ok(())
    }

    /// Puts a step on record.
    async fn record(
        &mut self,
        step: &PlanStep,
        (began, ended): (u64, u64),
        ok: bool,
        note: String,
    ) -> Result<(), Failure> {
        let note: String = note.chars().take(400).collect();
        let word = if ok { "ok" } else { "NOT OK" };
        self.place.output.say(&Bilingual::same(format!("  {word} {note}").trim_end()));
        let request = StepDrillRequest {
            name: self.drill.name.clone(),
            etag: self.drill.etag.clone(),
            step: Some(DrillStep {
                phase: step.phase.word().to_owned(),
                step: step.doing.word().to_owned(),
                began: Some(timestamp(began)),
                ended: Some(timestamp(ended)),
                ok,
                note,
                recorded_time: None,
            }),
            request_id: request_id(),
        };
        self.drill = persist!(self.place.cluster, drills.step_drill(request))?;
        Ok(())
    }

    fn keep(&self) -> Result<(), Failure> {
        let path = self.folder.join("run.json");
        let text = format!("{:#}\n", self.kept.to_json());
        fs::write(&path, text).map_err(|error| Failure::file(&path, &error))
    }
}

/// Moves a development clock on as time goes.
async fn tick(cluster: Cluster) {
    loop {
        sleep(CLOCK_STEP).await;
        // While nobody leads it stands still, as it does where nobody moves it.
        let _ = cluster.move_clock(CLOCK_STEP).await;
    }
}

/// A failure as the note of a step.
fn noted(failure: &Failure) -> String {
    if failure.reason == "check_failed" {
        return failure.message.en.clone();
    }
    format!("{}: {}", failure.reason, failure.message.en)
}
