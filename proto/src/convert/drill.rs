//! Drills: shown as they are on record; steps and results are read as somebody told them.

use catalog_model::{
    drill::{Drill, DrillApproval, DrillEnd, DrillPhase, DrillResult, DrillStep, ProbeWrite, Rpo},
    ids::OrganizationId,
    name::Resource,
    refusal::Refusal,
    time::UtcMillis,
};

use crate::{
    convert::{
        digest::{digest_bytes, digest_value},
        etag,
        name::full_name,
        reading::{At, Reading},
        time::timestamp,
    },
    operations::v1 as message,
};

/// The drill as a message.
pub fn drill_message(drill: &Drill) -> message::Drill {
    let organization = |id: OrganizationId| full_name(&drill.domain, Resource::Organization(id));
    let person = |organization, id| full_name(&drill.domain, Resource::Person(organization, id));
    let approval = |one: &DrillApproval| message::DrillApproval {
        organization: organization(one.organization),
        person: person(one.organization, one.person),
        asserted: one.asserted,
        time: Some(timestamp(one.time)),
    };
    let (state, result, reason) = match &drill.end {
        None => ("open", None, ""),
        Some(DrillEnd::Finished(result)) => ("finished", Some(result_message(result)), ""),
        Some(DrillEnd::Abandoned { reason }) => ("abandoned", None, reason.as_str()),
    };
    message::Drill {
        name: full_name(&drill.domain, Resource::Drill(drill.id)),
        plan: drill.plan.clone(),
        plan_digest: digest_bytes(drill.plan_digest),
        why: drill.why.clone(),
        organization: organization(drill.organization),
        person: drill.person.map(|id| person(drill.organization, id)).unwrap_or_default(),
        takes_site: drill.takes_site,
        approvals_needed: drill.approvals_needed.into(),
        approvals: drill.approvals.iter().map(approval).collect(),
        steps: drill.steps.iter().map(step_message).collect(),
        state: state.to_owned(),
        result,
        abandoned_reason: reason.to_owned(),
        opened_time: Some(timestamp(drill.opened_time)),
        closed_time: drill.closed_time.map(timestamp),
        etag: etag(drill.version),
    }
}

fn step_message(step: &DrillStep) -> message::DrillStep {
    message::DrillStep {
        phase: step.phase.word().to_owned(),
        step: step.name.clone(),
        began: Some(timestamp(step.began)),
        ended: Some(timestamp(step.ended)),
        ok: step.ok,
        note: step.note.clone(),
        recorded_time: Some(timestamp(step.recorded)),
    }
}

fn result_message(result: &DrillResult) -> message::DrillResult {
    message::DrillResult {
        ok: result.ok,
        rpo: result.rpo.word().to_owned(),
        acknowledged: result.acknowledged,
        lost: result.lost,
        duplicated: result.duplicated,
        timers_wrong: result.timers_wrong,
        pause_ms: result.pause_ms,
        rto_ms: result.rto_ms,
        would_have_lost: result.would_have_lost,
        report_digest: digest_bytes(result.report),
    }
}

/// One number of the prober as a message.
pub fn probe_message(sequence: u64, probe: &ProbeWrite) -> message::Probe {
    message::Probe {
        sequence,
        times: probe.times,
        due: probe.due.map(timestamp),
        fired: probe.fired,
        fired_time: probe.fired_time.map(timestamp),
    }
}

/// What was told of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldStep {
    /// To which part it belongs.
    pub phase: DrillPhase,
    /// When it began.
    pub began: UtcMillis,
    /// When it ended.
    pub ended: UtcMillis,
}

/// The part and the times of a step that somebody told.
pub fn read_step(step: &message::DrillStep, field: &str) -> Result<ToldStep, Refusal> {
    let mut reading = Reading::new();
    let phase = DrillPhase::ALL.into_iter().find(|phase| phase.word() == step.phase);
    if phase.is_none() {
        reading.wrong(
            At::Root(&format!("{field}.phase")),
            "takes precheck, act, check or back".to_owned(),
            "须为 precheck、act、check 或 back".to_owned(),
        );
    }
    let (began_field, ended_field) = (format!("{field}.began"), format!("{field}.ended"));
    let began = reading.instant(At::Root(&began_field), step.began.as_ref());
    let ended = reading.instant(At::Root(&ended_field), step.ended.as_ref());
    let told = phase.zip(began.zip(ended));
    reading.finish(told.map(|(phase, (began, ended))| ToldStep { phase, began, ended }))
}

/// What somebody says that a drill came to.
pub fn read_result(result: &message::DrillResult, field: &str) -> Result<DrillResult, Refusal> {
    let mut reading = Reading::new();
    let rpo = Rpo::ALL.into_iter().find(|rpo| rpo.word() == result.rpo);
    if rpo.is_none() {
        reading.wrong(
            At::Root(&format!("{field}.rpo")),
            "takes proven_zero, bounded or unknown".to_owned(),
            "须为 proven_zero、bounded 或 unknown".to_owned(),
        );
    }
    let digest_field = format!("{field}.report_digest");
    let report = digest_value(&mut reading, At::Root(&digest_field), &result.report_digest);
    reading.finish(rpo.zip(report).map(|(rpo, report)| DrillResult {
        ok: result.ok,
        rpo,
        acknowledged: result.acknowledged,
        lost: result.lost,
        duplicated: result.duplicated,
        timers_wrong: result.timers_wrong,
        pause_ms: result.pause_ms,
        rto_ms: result.rto_ms,
        would_have_lost: result.would_have_lost,
        report,
    }))
}

#[cfg(test)]
mod tests {
    use catalog_model::document_digest::DocumentDigest;

    use super::*;

    #[test]
    fn a_result_is_read_as_it_is_shown() {
        let result = DrillResult {
            ok: true,
            rpo: Rpo::Bounded,
            acknowledged: 9,
            lost: 1,
            duplicated: 0,
            timers_wrong: 0,
            pause_ms: 4,
            rto_ms: 5,
            would_have_lost: Some(0),
            report: DocumentDigest([3; 32]),
        };
        let shown = result_message(&result);
        assert_eq!(read_result(&shown, "result"), Ok(result));
        let wrong =
            message::DrillResult { rpo: "none".to_owned(), ..message::DrillResult::default() };
        let refusal = read_result(&wrong, "result").unwrap_err();
        let fields: Vec<&str> = refusal.fields.iter().map(|field| field.field.as_str()).collect();
        assert_eq!(fields, ["result.rpo", "result.report_digest"]);
    }

    #[test]
    fn a_step_names_its_part_and_its_times() {
        let step = message::DrillStep {
            phase: "act".to_owned(),
            began: Some(timestamp(UtcMillis(5))),
            ended: Some(timestamp(UtcMillis(7))),
            ..message::DrillStep::default()
        };
        let told = ToldStep { phase: DrillPhase::Act, began: UtcMillis(5), ended: UtcMillis(7) };
        assert_eq!(read_step(&step, "step"), Ok(told));
        let refusal = read_step(&message::DrillStep::default(), "step").unwrap_err();
        let fields: Vec<&str> = refusal.fields.iter().map(|field| field.field.as_str()).collect();
        assert_eq!(fields, ["step.phase", "step.began", "step.ended"]);
    }
}
