//! The file of an entry: its versions, clocks and place on the worklist, as they are shown.

use catalog_model::{
    entry_file::{
        AttributeReview, AuthorityReview, ChangeReport, ChangeTrigger, EntryFile, EntrySuspension,
        EntryVersion, ReclassificationPass, ReportedChange, ReviewOutcome, SuspensionGround,
        WorklistItem, WorklistOutcome,
    },
    ids::{DomainId, EntryId},
    name::Resource,
    refusal::Refusal,
    time::UtcMillis,
};

use crate::{
    convert::{
        case_rules::{deadline_message, rule_ref_message},
        catalog_entry::entry_message,
        enumeration::{Enumerated, number},
        name::full_name,
        paper_decision::paper_decision_message,
        reading::{At, Reading},
        time::timestamp,
    },
    entry::v1 as message,
};

/// What changed, as a call states it.
pub fn read_trigger(number: i32, field: &str) -> Result<ChangeTrigger, Refusal> {
    required(number, field)
}

/// What a review came to, as a call states it.
pub fn read_outcome(number: i32, field: &str) -> Result<ReviewOutcome, Refusal> {
    required(number, field)
}

/// Why an entry is to be suspended, as a call states it.
pub fn read_ground(number: i32, field: &str) -> Result<SuspensionGround, Refusal> {
    required(number, field)
}

fn required<E: Enumerated>(number: i32, field: &str) -> Result<E, Refusal> {
    let mut reading = Reading::new();
    let member = reading.required(At::Root(field), number);
    reading.finish(member)
}

/// A published version as a message.
pub fn version_message(version: &EntryVersion) -> message::EntryVersion {
    message::EntryVersion {
        number: version.number,
        entry: Some(entry_message(&version.entry)),
        file_time: Some(timestamp(version.filed_time)),
        rule_pack_version: version.rule_pack_version,
    }
}

/// What is on file about an entry beside its versions; reports and worklist are added by whoever
/// asks for them. `clock` is the committed time.
pub fn file_message(
    domain: &DomainId,
    id: EntryId,
    file: &EntryFile,
    clock: UtcMillis,
) -> message::EntryFile {
    message::EntryFile {
        name: full_name(domain, Resource::Entry(id)),
        version_count: file.versions,
        submit_time: file.submitted_time.map(timestamp),
        attribute_since_time: file.attribute_since.map(timestamp),
        attribute_review: file.attribute_review.as_ref().map(attribute_review_message),
        authority_review: file
            .authority_review
            .as_ref()
            .map(|review| authority_review_message(review, clock)),
        suspension: file.suspension.as_ref().map(suspension_message),
        important_data: file.important.as_ref().map(paper_decision_message),
        ..Default::default()
    }
}

fn attribute_review_message(review: &AttributeReview) -> message::AttributeReview {
    message::AttributeReview {
        since_time: Some(timestamp(review.since)),
        due_date: review.due_date.to_string(),
        rule: Some(rule_ref_message(&review.rule)),
        default_rule: review.default.as_ref().map(rule_ref_message),
        last_outcome: number(review.last),
        missed: review.missed,
    }
}

fn authority_review_message(review: &AuthorityReview, now: UtcMillis) -> message::AuthorityReview {
    message::AuthorityReview {
        deadline: Some(deadline_message(&review.clock, review.clock.is_overdue(now))),
        order_rule: review.order.as_ref().map(rule_ref_message),
    }
}

fn suspension_message(suspension: &EntrySuspension) -> message::EntrySuspension {
    message::EntrySuspension {
        ground: suspension.ground.number(),
        reason: suspension.reason.clone(),
        since_time: Some(timestamp(suspension.since)),
    }
}

/// The updates that are owed for a subject.
pub fn change_report_message(report: &ChangeReport) -> message::ChangeReport {
    message::ChangeReport {
        name: report.subject.to_string(),
        provider: full_name(&report.subject.domain, Resource::Organization(report.provider)),
        changes: report.changes.iter().map(change_message).collect(),
    }
}

fn change_message(change: &ReportedChange) -> message::ReportedChange {
    message::ReportedChange {
        trigger: change.trigger.number(),
        day: change.day.to_string(),
        citation: change.citation.clone(),
        report_time: Some(timestamp(change.reported_time)),
        deadline: Some(deadline_message(&change.clock, change.overdue)),
        default_rule: change.default.as_ref().map(rule_ref_message),
        order_rule: change.order.as_ref().map(rule_ref_message),
    }
}

/// An item of the worklist.
pub fn worklist_item_message(domain: &DomainId, item: &WorklistItem) -> message::WorklistItem {
    use message::WorklistOutcome as Outcome;
    let (mut new_sharing, mut decision) = (0, None);
    let outcome = match &item.outcome {
        None => Outcome::Unspecified,
        Some(WorklistOutcome::Reclassified { to }) => {
            new_sharing = to.number();
            Outcome::Reclassified
        }
        Some(WorklistOutcome::BasisAdded) => Outcome::BasisAdded,
        Some(WorklistOutcome::Ruled { decision: paper }) => {
            decision = Some(paper_decision_message(paper));
            Outcome::Ruled
        }
        Some(WorklistOutcome::Withdrawn) => Outcome::Withdrawn,
        Some(WorklistOutcome::Sufficient) => Outcome::Sufficient,
    };
    message::WorklistItem {
        name: full_name(domain, Resource::Entry(item.entry)),
        provider: full_name(domain, Resource::Organization(item.provider)),
        title: item.title.clone(),
        sharing: item.sharing.number(),
        reason: item.reason.name().to_owned(),
        rule: item.rule.as_ref().map(rule_ref_message),
        pass: item.pass,
        rule_pack_version: item.rule_pack_version,
        list_time: Some(timestamp(item.listed_time)),
        deadline: item.clock.as_ref().map(|clock| deadline_message(clock, item.overdue)),
        outcome: outcome.into(),
        close_time: item.closed_time.map(timestamp),
        new_sharing,
        decision,
    }
}

/// A pass over the catalog.
pub fn pass_message(pass: &ReclassificationPass) -> message::ReclassificationPass {
    message::ReclassificationPass {
        number: pass.number,
        cause: pass.cause.clone(),
        rule_pack_version: pass.rule_pack_version,
        start_time: Some(timestamp(pass.started_time)),
        seen_count: pass.seen,
        listed_count: pass.listed,
        finish_time: pass.finished_time.map(timestamp),
    }
}
