//! Stories of drills: who rehearses what, what the prober wrote, what fired.

use std::fmt::Write as _;

use catalog_model::{
    document_digest::DocumentDigest,
    drill::{DrillEnd, DrillPhase, DrillResult, Rpo},
    ids::DrillId,
    name::Resource,
};

use super::{Line, World, add};
use crate::command::{
    Body,
    drill::{DrillCommand, StepTold},
};

/// Who calls unless the line says otherwise.
const MANAGER: &str = "xiamen.manager.system";

fn number(text: &str) -> u64 {
    text.parse().expect("a number")
}

/// `1-5` or `7`.
fn numbers(text: &str) -> Vec<u64> {
    match text.split_once('-') {
        Some((from, to)) => (number(from)..=number(to)).collect(),
        None => vec![number(text)],
    }
}

impl World {
    /// `drill open d1 plan=leader-kill [why=…] [approvals=N] [takes_site] [confirmed=xiamen]`,
    /// `drill approve d1 by=…`, `drill step d1 act kill-leader [failed] [note=…] [ended_before]`,
    /// `drill probe d1 1-5 [due=MS]`, `drill close d1 [failed] [rpo=bounded] [acknowledged=N] [lost=N]
    /// [duplicated=N] [report=none]`, `drill abandon d1 [reason=…]`, `drill sweep d1`; each with
    /// `[version=N]`.
    pub(super) fn drill(&mut self, line: &Line) {
        let alias = line.subjects[1].clone();
        let flag = |word: &str| line.subjects.iter().any(|subject| subject == word);
        if line.subject() == "open" {
            let id = DrillId::from_bytes(self.draw());
            self.name(&alias, Resource::Drill(id));
            let command = DrillCommand::Open {
                id,
                plan: line.or("plan", "leader-kill").to_owned(),
                plan_digest: DocumentDigest([7; 32]),
                why: line.or("why", "每季度一次").to_owned(),
                approvals_needed: number(line.or("approvals", "0")) as u8,
                takes_site: flag("takes_site"),
                confirmed: line.or("confirmed", "").to_owned(),
            };
            self.call(line, MANAGER, Body::Drill(Box::new(command)));
            return;
        }
        let drill = self.drill_id(&alias);
        let known = self.view().drill(drill).map_or(0, |row| row.version);
        let version = line.get("version").map_or(known, number);
        let command = match line.subject() {
            "approve" => DrillCommand::Approve { drill },
            "step" => {
                let word = &line.subjects[2];
                let phase = DrillPhase::ALL.into_iter().find(|phase| phase.word() == word);
                let ended = if flag("ended_before") { self.now } else { self.now.plus(40) };
                DrillCommand::Step {
                    drill,
                    version,
                    step: StepTold {
                        phase: phase.unwrap_or_else(|| panic!("`{word}` is no part of a drill")),
                        name: line.subjects[3].clone(),
                        began: if flag("ended_before") { self.now.plus(1) } else { self.now },
                        ended,
                        ok: !flag("failed"),
                        note: line.or("note", "").to_owned(),
                    },
                }
            }
            "probe" => DrillCommand::Probe {
                drill,
                sequences: numbers(&line.subjects[2]),
                due_after_ms: line.get("due").map(number),
            },
            "close" => {
                let rpo = line.or("rpo", "proven_zero");
                let rpo = Rpo::ALL.into_iter().find(|known| known.word() == rpo);
                let digest = if line.get("report").is_some() { 0 } else { 9 };
                DrillCommand::Close {
                    drill,
                    version,
                    result: DrillResult {
                        ok: !flag("failed"),
                        rpo: rpo.expect("a verdict"),
                        acknowledged: number(line.or("acknowledged", "5")),
                        lost: number(line.or("lost", "0")),
                        duplicated: number(line.or("duplicated", "0")),
                        timers_wrong: 0,
                        pause_ms: 40,
                        rto_ms: 35,
                        would_have_lost: None,
                        report: DocumentDigest([digest; 32]),
                    },
                }
            }
            "abandon" => {
                let reason = line.or("reason", "改期").to_owned();
                DrillCommand::Abandon { drill, version, reason }
            }
            "sweep" => DrillCommand::Sweep { drill },
            word => panic!("`{word}` is nothing that is done to a drill"),
        };
        self.call(line, MANAGER, Body::Drill(Box::new(command)));
    }

    fn drill_id(&self, alias: &str) -> DrillId {
        match self.named(alias).resource {
            Resource::Drill(id) => id,
            other => panic!("`{alias}` is {other:?}"),
        }
    }

    /// One line on a drill, as a call leaves it.
    pub(super) fn drill_status(&self, id: DrillId) -> String {
        let Some(drill) = self.view().drill(id) else { return format!("{id} is not on file") };
        let state = match &drill.end {
            None => "open".to_owned(),
            Some(DrillEnd::Finished(result)) => {
                let word = if result.ok { "passed" } else { "failed" };
                format!("{word}, {}, {} lost", result.rpo.word(), result.lost)
            }
            Some(DrillEnd::Abandoned { .. }) => "given up".to_owned(),
        };
        format!("{id} ({}) is {state} at v{}", drill.plan, drill.version)
    }

    /// A drill with its steps, and what is there of its probes.
    pub(super) fn drill_text(&self, id: DrillId) -> String {
        let mut text = self.drill_status(id) + "\n";
        let Some(drill) = self.view().drill(id) else { return text };
        let (found, needed) = (drill.approvals.len(), drill.approvals_needed);
        add(&mut text, format_args!("  {found} of {needed} approvals"));
        for step in &drill.steps {
            let word = if step.ok { "done" } else { "failed" };
            add(&mut text, format_args!("  {} {}: {word}", step.phase.word(), step.name));
        }
        for (sequence, probe) in self.view().drill_probes(id, 0, 100) {
            let _ = write!(text, "  probe {sequence} written {}×", probe.times);
            if let Some(due) = probe.due {
                let _ = write!(text, ", due {due}, fired {}×", probe.fired);
            }
            if let Some(fired) = probe.fired_time {
                let _ = write!(text, " at {fired}");
            }
            text.push('\n');
        }
        text
    }
}
