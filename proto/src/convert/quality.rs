//! Quality: batches, error reports and objections of persons concerned, as they are shown, and what
//! is stated about them.

use catalog_model::{
    document_digest::DocumentDigest,
    ids::{DomainId, OrganizationId},
    name::Resource,
    quality::{
        CheckResult, ConcernProof, Correction, Desk, ErrorReport, PersonalObjection, QualityBatch,
        WindowFiling,
    },
    refusal::Refusal,
};

use crate::{
    convert::{
        case_rules::{deadline_message, rule_ref_message},
        digest::{digest_bytes, digest_value},
        enumeration::{Enumerated as _, number},
        etag,
        name::full_name,
        party::party_message,
        reading::{At, Reading},
        relations::{entry_text, names, organization_text},
        time::timestamp,
    },
    quality::v1 as message,
};

/// The batch of an entry of `domain`. From where it came and who answers for it is shown for the
/// `provider` that is given, and to nobody where none is.
pub fn batch_message(
    domain: &DomainId,
    provider: Option<OrganizationId>,
    batch: &QualityBatch,
) -> message::Batch {
    let of = |resource: fn(OrganizationId, &QualityBatch) -> Resource| {
        provider.map(|of| full_name(domain, resource(of, batch))).unwrap_or_default()
    };
    message::Batch {
        entry: entry_text(domain, batch.entry),
        batch: batch.batch.clone(),
        system: of(|provider, batch| Resource::System(provider, batch.system)),
        person: of(|provider, batch| Resource::Person(provider, batch.person)),
        rows: batch.rows,
        results: batch
            .results
            .iter()
            .map(|result| message::CheckResult {
                check: result.check.clone(),
                dimension: result.dimension.number(),
                rows: result.rows,
                failed: result.failed,
            })
            .collect(),
        scores: batch
            .scores()
            .into_iter()
            .map(|(dimension, thousandths)| message::Score {
                dimension: dimension.number(),
                thousandths: thousandths.into(),
            })
            .collect(),
        record_time: Some(timestamp(batch.recorded_time)),
    }
}

/// What the checks of a batch found, as a call states it.
pub fn read_results(results: &[message::CheckResult]) -> Result<Vec<CheckResult>, Refusal> {
    let (mut reading, at) = (Reading::new(), At::Root("results"));
    let read = results
        .iter()
        .enumerate()
        .filter_map(|(place, result)| {
            let here = at.index(place);
            let dimension = reading.required(here.field("dimension"), result.dimension)?;
            let (check, rows, failed) = (result.check.clone(), result.rows, result.failed);
            Some(CheckResult { check, dimension, rows, failed })
        })
        .collect();
    reading.finish(Some(read))
}

/// The desk at which something is left; absent = where the rules send it.
pub fn read_desk(desk: i32, field: &str) -> Result<Option<Desk>, Refusal> {
    let mut reading = Reading::new();
    let desk = reading.optional(At::Root(field), desk);
    reading.finish(Some(desk))
}

/// The correction that a call has to state.
pub fn read_correction(
    correction: Option<&message::Correction>,
    field: &str,
) -> Result<Correction, Refusal> {
    let (mut reading, at) = (Reading::new(), At::Root(field));
    let read = reading.message(at, correction).and_then(|correction| {
        let before = digest_value(&mut reading, at.field("before"), &correction.before);
        let after = digest_value(&mut reading, at.field("after"), &correction.after);
        let batch = correction.batch.clone();
        Some(Correction { batch, before: before?, after: after? })
    });
    reading.finish(read)
}

/// The filing at a window, if the call states one.
pub fn read_window(
    window: Option<&message::WindowFiling>,
    field: &str,
) -> Result<Option<WindowFiling>, Refusal> {
    let (mut reading, at) = (Reading::new(), At::Root(field));
    let read = window.and_then(|window| {
        let stamped = reading.date(at.field("stamped"), &window.stamped)?;
        Some(WindowFiling { number: window.number.clone(), stamped })
    });
    reading.finish(Some(read))
}

/// The proofs of identity and relation. One that is not stated is missing; whether it may be is for
/// the state to say, under the rule that asks for it.
pub fn read_concern(
    proof: Option<&message::ConcernProof>,
    field: &str,
) -> Result<ConcernProof, Refusal> {
    let (mut reading, at) = (Reading::new(), At::Root(field));
    let mut digest = |field, bytes: &[u8]| {
        if bytes.is_empty() {
            return Some(DocumentDigest([0; 32]));
        }
        digest_value(&mut reading, at.field(field), bytes)
    };
    let none = message::ConcernProof::default();
    let proof = proof.unwrap_or(&none);
    let identity = digest("identity", &proof.identity);
    let relation = digest("relation", &proof.relation);
    let read = identity.zip(relation);
    reading.finish(read.map(|(identity, relation)| ConcernProof { identity, relation }))
}

/// The report as a message.
pub fn report_message(report: &ErrorReport) -> message::ErrorReport {
    let domain = &report.domain;
    let organization = |id| organization_text(domain, id);
    message::ErrorReport {
        name: full_name(domain, Resource::ErrorReport(report.id)),
        entry: entry_text(domain, report.entry),
        provider: organization(report.provider),
        reporter: Some(party_message(&report.reporter)),
        desk: report.desk.number(),
        recipient: report.recipient.number(),
        recipient_rule: report.recipient_rule.as_ref().map(rule_ref_message),
        items: report.items.clone(),
        description: report.description.clone(),
        state: report.state.number(),
        deadline: report
            .clock
            .as_ref()
            .map(|clock| deadline_message(clock, report.overdue_since.is_some())),
        escalation: number(report.escalation),
        overdue_since: report.overdue_since.map(timestamp),
        correction: report.correction.as_ref().map(|correction| message::Correction {
            batch: correction.batch.clone(),
            before: digest_bytes(correction.before),
            after: digest_bytes(correction.after),
        }),
        feedback: report.feedback.clone(),
        feedback_time: report.fed_back_time.map(timestamp),
        late: report.late,
        told: names(&report.told),
        reopened: report.reopened,
        silence: report.silence.as_ref().map(|clock| deadline_message(clock, false)),
        source: report.source.map(organization).unwrap_or_default(),
        etag: etag(report.version),
        create_time: Some(timestamp(report.created_time)),
        update_time: Some(timestamp(report.updated_time)),
    }
}

/// The objection as a message.
pub fn personal_objection_message(objection: &PersonalObjection) -> message::PersonalObjection {
    let domain = &objection.domain;
    let organization = |id| organization_text(domain, id);
    message::PersonalObjection {
        name: full_name(domain, Resource::PersonalObjection(objection.id)),
        entry: entry_text(domain, objection.entry),
        entered_by: organization(objection.entered_by),
        window: objection.window.as_ref().map(|window| message::WindowFiling {
            number: window.number.clone(),
            stamped: window.stamped.to_string(),
        }),
        proof: Some(message::ConcernProof {
            identity: digest_bytes(objection.proof.identity),
            relation: digest_bytes(objection.proof.relation),
        }),
        description: objection.description.clone(),
        desk: organization(objection.desk),
        receiver: organization(objection.receiver),
        receiver_rule: objection.receiver_rule.as_ref().map(rule_ref_message),
        state: objection.state.number(),
        deadline: objection
            .clock
            .as_ref()
            .map(|clock| deadline_message(clock, objection.overdue_since.is_some())),
        overdue_since: objection.overdue_since.map(timestamp),
        batch: objection.batch.clone().unwrap_or_default(),
        answer: objection.answer.clone(),
        late: objection.late,
        etag: etag(objection.version),
        create_time: Some(timestamp(objection.created_time)),
        update_time: Some(timestamp(objection.updated_time)),
    }
}

#[cfg(test)]
mod tests;
