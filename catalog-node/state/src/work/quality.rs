//! Work that follows from reported data: who must verify, hand over, reply, answer a person?

use catalog_model::{
    deadline::DeadlineKind,
    ids::{DomainId, PersonalObjectionId, ReportId},
    name::ResourceName,
    organization::PlatformRole,
    quality::{PersonalObjectionState, ReportState},
};

use super::{WorkItem, WorkKind, WorkOwner};
use crate::view::View;

pub(super) fn of_report(
    view: View<'_>,
    domain: &DomainId,
    name: &ResourceName,
    id: ReportId,
) -> Vec<WorkItem> {
    let Some(report) = view.error_report(domain, id) else { return Vec::new() };
    let entry = view.entry(domain, report.entry);
    let provider = entry.as_ref().map_or(report.provider, |entry| entry.provider);
    let title = entry.map_or_else(String::new, |entry| entry.content.title);
    let about = |item: WorkItem, other: String| {
        vec![WorkItem { title: title.clone(), counterpart: other, ..item }]
    };
    match report.state {
        // It waits at the authority until the provider's clock runs.
        ReportState::Filed if report.clock.is_none() => {
            let owner = WorkOwner::Role(PlatformRole::Authority);
            let item = WorkItem::new(WorkKind::ErrorHandOver, name, owner, report.created_time);
            about(item.due(None, report.recipient_rule), report.reporter.name)
        }
        ReportState::Filed
        | ReportState::Verifying
        | ReportState::Confirmed
        | ReportState::Corrected
        | ReportState::NotConfirmed => {
            let owner = WorkOwner::Organization(domain.clone(), provider);
            let clock = report.clock.as_ref();
            let (due, rule) = view.clock_of(DeadlineKind::ErrorReport, name, clock);
            let since = clock.map_or(report.created_time, |clock| clock.start_time);
            let item = WorkItem::new(WorkKind::ErrorReport, name, owner, since);
            about(item.due(due, rule), report.reporter.name)
        }
        ReportState::FedBack | ReportState::Propagated => {
            let owner = WorkOwner::of(&report.reporter);
            let clock = report.silence.as_ref();
            let (due, rule) = view.clock_of(DeadlineKind::ReportSilence, name, clock);
            let since = report.fed_back_time.unwrap_or(report.updated_time);
            let item = WorkItem::new(WorkKind::ReportReply, name, owner, since);
            about(item.due(due, rule), view.organization_named(domain, provider))
        }
        ReportState::Closed => Vec::new(),
    }
}

pub(super) fn of_objection(
    view: View<'_>,
    domain: &DomainId,
    name: &ResourceName,
    id: PersonalObjectionId,
) -> Vec<WorkItem> {
    let Some(objection) = view.personal_objection(domain, id) else { return Vec::new() };
    if !matches!(objection.state, PersonalObjectionState::Filed | PersonalObjectionState::Verifying)
    {
        return Vec::new();
    }
    let clock = objection.clock.as_ref();
    let (due, rule) = view.clock_of(DeadlineKind::PersonalObjection, name, clock);
    let owner = WorkOwner::Organization(domain.clone(), objection.receiver);
    let since = objection.created_time;
    let item = WorkItem::new(WorkKind::PersonalObjection, name, owner, since);
    // Who the person is stands nowhere here.
    vec![WorkItem { title: view.entry_title(domain, objection.entry), ..item.due(due, rule) }]
}
