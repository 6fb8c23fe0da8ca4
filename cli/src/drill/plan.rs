//! Plans: what is rehearsed, step by step, and within which bounds is it well?
//!
//! A plan is a file that an operator can read aloud. Seven are in the program; `--plan-file` takes one
//! of one's own. What a plan names that this program does not know is refused before anything
//! happens, and so is a plan of which a step cannot be carried out yet: by name, with what is missing.

use std::{collections::BTreeSet, fs, path::Path};

use catalog_model::drill::{DRILL_APPROVALS_MAX, DRILL_STEPS_MAX, DrillPhase, PROBE_DUE_MAX_MS};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::{both, exit::Exit, failure::Failure, language::Bilingual};

use super::step::{Act, Check};

/// The plans in the program, in the order in which they are listed.
const OWN: [&str; 7] = [
    include_str!("../../data/drills/leader-kill.toml"),
    include_str!("../../data/drills/rolling-restart.toml"),
    include_str!("../../data/drills/switchover.toml"),
    include_str!("../../data/drills/site-loss.toml"),
    include_str!("../../data/drills/standby-loss.toml"),
    include_str!("../../data/drills/split-brain.toml"),
    include_str!("../../data/drills/restore.toml"),
];

/// What is rehearsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Its name: a-z, 0-9 and -.
    pub name: String,
    /// What it is called.
    pub title: Bilingual,
    /// What happens, in a sentence.
    pub about: Bilingual,
    /// How many persons other than the operator must let it happen.
    pub approvals: u8,
    /// Whether a site is out of service afterwards: the cluster's name is asked for.
    pub takes_site: bool,
    /// Longest time between two acknowledgments with which it is well, in milliseconds.
    pub pause_max_ms: u64,
    /// Longest time to the first acknowledgment after the failure, in milliseconds.
    pub rto_max_ms: u64,
    /// What the outside prober does.
    pub prober: Prober,
    /// The steps; their parts come in the order of [`DrillPhase`].
    pub steps: Vec<PlanStep>,
    /// The file, as it was read.
    pub text: String,
}

/// What the outside prober does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prober {
    /// Writes a second, by all writers together; 1 to 1,000.
    pub rate: u32,
    /// How many write at once; 1 to 64.
    pub writers: u32,
    /// Every so many-th number has a due instant of its own; 0 = none has.
    pub due_every: u64,
    /// After how much committed time it is due, in milliseconds.
    pub due_after_ms: u64,
    /// How long it writes before the act, in milliseconds: what is ordinary is learnt then.
    pub warm_up_ms: u64,
    /// How long it goes on after the last step, in milliseconds.
    pub cool_down_ms: u64,
}

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanStep {
    /// To which part it belongs.
    pub phase: DrillPhase,
    /// What is done.
    pub doing: Doing,
    /// How long it takes as a rule, in milliseconds; 0 = next to nothing.
    pub expect_ms: u64,
}

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// Something is done to the cluster.
    Act(Act),
    /// Something is looked at.
    Check(Check),
}

impl Doing {
    /// Its word in plans, in the ledger and in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Act(act) => act.word(),
            Self::Check(check) => check.word(),
        }
    }

    /// What it does, for people.
    pub fn title(self) -> Bilingual {
        match self {
            Self::Act(act) => act.title(),
            Self::Check(check) => check.title(),
        }
    }

    /// Why it cannot be carried out by this program; `None` if it can.
    pub fn missing(self) -> Option<Bilingual> {
        match self {
            Self::Act(act) => act.missing(),
            Self::Check(check) => check.missing(),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanFile {
    name: String,
    title: Words,
    about: Words,
    approvals: u8,
    takes_site: bool,
    pause_max_ms: u64,
    rto_max_ms: u64,
    prober: Prober,
    #[serde(rename = "step")]
    steps: Vec<StepFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    en: String,
    zh: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StepFile {
    phase: String,
    act: Option<String>,
    check: Option<String>,
    #[serde(default)]
    expect_ms: u64,
}

impl Plan {
    /// The plans in the program.
    ///
    /// # Panics
    ///
    /// If one of them is no plan, which a test rules out.
    pub fn own() -> Vec<Self> {
        OWN.iter()
            .map(|text| Self::parse(text).expect("the plans in the program are plans"))
            .collect()
    }

    /// The plan in the program of that name.
    pub fn named(name: &str) -> Result<Self, Failure> {
        let own = Self::own();
        let names: Vec<String> = own.iter().map(|plan| plan.name.clone()).collect();
        own.into_iter().find(|plan| plan.name == name).ok_or_else(|| {
            let names = names.join(", ");
            Failure::usage(both!(
                "no plan is called `{name}`; known are {names}, and --plan-file takes one of your own",
                "没有预案“{name}”；已有 {names}，亦可用 --plan-file 指定"
            ))
        })
    }

    /// The plan `name`, from `file` if one is named; the file must say the same name.
    pub fn choose(name: &str, file: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = file else { return Self::named(name) };
        let text = fs::read_to_string(path).map_err(|error| Failure::file(path, &error))?;
        let plan = Self::parse(&text)?;
        if plan.name == name {
            return Ok(plan);
        }
        let (found, path) = (&plan.name, path.display());
        Err(Failure::usage(both!(
            "{path} holds the plan `{found}`, not `{name}`",
            "{path} 中的预案是“{found}”，不是“{name}”"
        )))
    }

    /// Reads a plan.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let read: PlanFile = toml::from_str(text).map_err(|error| {
            let error = error.to_string();
            wrong(both!("the plan cannot be read: {error}", "无法读取预案：{error}"))
        })?;
        let steps = read.steps.iter().enumerate();
        let steps = steps.map(|(at, step)| step.read(at)).collect::<Result<Vec<_>, _>>()?;
        let plan = Self {
            name: read.name,
            title: read.title.into(),
            about: read.about.into(),
            approvals: read.approvals,
            takes_site: read.takes_site,
            pause_max_ms: read.pause_max_ms,
            rto_max_ms: read.rto_max_ms,
            prober: read.prober,
            steps,
            text: text.to_owned(),
        };
        plan.check()?;
        Ok(plan)
    }

    fn check(&self) -> Result<(), Failure> {
        let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if self.name.is_empty() || self.name.len() > 64 || !self.name.chars().all(legal) {
            return Err(wrong(both!(
                "`name` takes 1 to 64 of a-z, 0-9 and -",
                "name 须为 1 至 64 个 a-z、0-9 或 -"
            )));
        }
        if self.approvals > DRILL_APPROVALS_MAX {
            return Err(wrong(both!("`approvals` takes 0 to 5", "approvals 须为 0 至 5")));
        }
        let Prober { rate, writers, due_every, due_after_ms, warm_up_ms, cool_down_ms } =
            self.prober;
        let bounds = [
            ("prober.rate", u64::from(rate), 1, 1_000),
            ("prober.writers", u64::from(writers), 1, 64),
            ("prober.due_every", due_every, 0, 1_000),
            ("prober.due_after_ms", due_after_ms, 1, PROBE_DUE_MAX_MS),
            ("prober.warm_up_ms", warm_up_ms, 500, 600_000),
            ("prober.cool_down_ms", cool_down_ms, 500, 600_000),
        ];
        for (field, value, least, most) in bounds {
            if !(least..=most).contains(&value) {
                return Err(wrong(both!(
                    "`{field}` is {value}; it takes {least} to {most}",
                    "{field} 为 {value}，须为 {least} 至 {most}"
                )));
            }
        }
        let phases: Vec<DrillPhase> = self.steps.iter().map(|step| step.phase).collect();
        if !phases.is_sorted() {
            return Err(wrong(both!(
                "the parts come as precheck, act, check, back; none goes back to an earlier one",
                "步骤须按 precheck、act、check、back 的顺序排列"
            )));
        }
        if !phases.contains(&DrillPhase::Act) || phases.len() > DRILL_STEPS_MAX / 2 {
            return Err(wrong(both!(
                "a plan has an act, and at most 100 steps",
                "预案须有 act 步骤，且步骤不超过 100 个"
            )));
        }
        let compared = self.steps.last().map(|step| step.doing);
        if compared != Some(Doing::Check(Check::NothingLost)) {
            return Err(wrong(both!(
                "the last step is the check `nothing-lost`: a drill that does not compare shows nothing",
                "最后一步须为检查 nothing-lost：未经比对的演练不说明任何问题"
            )));
        }
        Ok(())
    }

    /// What this program cannot carry out yet of it: word and why, each once.
    pub fn missing(&self) -> Vec<(&'static str, Bilingual)> {
        let mut seen = BTreeSet::new();
        let words = self.steps.iter().filter(|step| seen.insert(step.doing.word()));
        words.filter_map(|step| Some((step.doing.word(), step.doing.missing()?))).collect()
    }

    /// Refuses a plan of which a step cannot be carried out.
    pub fn can_run(&self) -> Result<(), Failure> {
        let missing = self.missing();
        if missing.is_empty() {
            return Ok(());
        }
        let name = &self.name;
        let list = |en: bool| -> String {
            let one = |(word, why): &(&str, Bilingual)| {
                if en { format!("{word} ({})", why.en) } else { format!("{word}（{}）", why.zh) }
            };
            missing.iter().map(one).collect::<Vec<_>>().join(if en { ", " } else { "、" })
        };
        let message = Bilingual {
            en: format!("the plan {name} cannot be run here; missing: {}", list(true)),
            zh: format!("此处无法执行预案 {name}，缺少：{}", list(false)),
        };
        Err(Failure::new(Exit::Conflict, "drill_not_available", message).advising(both!(
            "nothing was done; `luqiao drill list` shows which plans run here",
            "未执行任何操作；luqiao drill list 可查看可执行的预案"
        )))
    }

    /// SHA-256 of the file.
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.text.as_bytes()).into()
    }
}

impl StepFile {
    fn read(&self, at: usize) -> Result<PlanStep, Failure> {
        let number = at + 1;
        let phase = DrillPhase::ALL.into_iter().find(|phase| phase.word() == self.phase);
        let phase = phase.ok_or_else(|| {
            let phase = &self.phase;
            wrong(both!(
                "step {number}: `{phase}` is no part of a drill; known are precheck, act, check, back",
                "第 {number} 步：没有“{phase}”这一阶段；可用 precheck、act、check、back"
            ))
        })?;
        let doing = match (&self.act, &self.check) {
            (Some(word), None) => Act::named(word).map(Doing::Act).ok_or_else(|| {
                let known = Act::ALL.map(Act::word).join(", ");
                wrong(both!(
                    "step {number}: no act is called `{word}`; known are {known}",
                    "第 {number} 步：没有操作“{word}”；可用 {known}"
                ))
            })?,
            (None, Some(word)) => Check::named(word).map(Doing::Check).ok_or_else(|| {
                let known = Check::ALL.map(Check::word).join(", ");
                wrong(both!(
                    "step {number}: no check is called `{word}`; known are {known}",
                    "第 {number} 步：没有检查“{word}”；可用 {known}"
                ))
            })?,
            _ => {
                return Err(wrong(both!(
                    "step {number}: a step names an act or a check, and not both",
                    "第 {number} 步：须写明 act 或 check 之一"
                )));
            }
        };
        let fits = match (phase, doing) {
            (DrillPhase::Precheck | DrillPhase::Check, Doing::Act(_)) => false,
            (DrillPhase::Act, doing) => matches!(doing, Doing::Act(act) if !act.is_back()),
            (DrillPhase::Precheck, Doing::Check(check)) => !check.needs_act(),
            (DrillPhase::Back, Doing::Act(act)) => act.is_back(),
            (DrillPhase::Check | DrillPhase::Back, Doing::Check(_)) => true,
        };
        if !fits {
            let (word, part) = (doing.word(), phase.word());
            return Err(wrong(both!(
                "step {number}: `{word}` has no place in the part {part}",
                "第 {number} 步：“{word}”不能出现在阶段 {part}"
            )));
        }
        Ok(PlanStep { phase, doing, expect_ms: self.expect_ms })
    }
}

impl From<Words> for Bilingual {
    fn from(Words { en, zh }: Words) -> Self {
        Self { en, zh }
    }
}

fn wrong(message: Bilingual) -> Failure {
    Failure::new(Exit::Usage, "plan_wrong", message)
}

#[cfg(test)]
mod tests;
