//! Work that follows from the catalog: what must be reviewed, updated, decided anew, confirmed?

use catalog_model::{
    catalog_entry::EntryState,
    deadline::DeadlineKind,
    entry_file::{ChangeReport, EntryFile},
    ids::EntryId,
    name::ResourceName,
    organization::PlatformRole,
};

use super::{WorkItem, WorkKind, WorkOwner};
use crate::view::View;

pub(super) fn of_entry(view: View<'_>, name: &ResourceName, id: EntryId) -> Vec<WorkItem> {
    let Some(entry) = view.entry(&name.domain, id) else { return Vec::new() };
    let file = view.entry_file(&name.domain, id).unwrap_or_default();
    let provider = WorkOwner::Organization(name.domain.clone(), entry.provider);
    let mut items = Vec::new();
    if is_reviewed(entry.state) {
        let clock = file.authority_review.as_ref().map(|review| &review.clock);
        let (due, rule) = view.clock_of(DeadlineKind::CatalogReview, name, clock);
        let since = file.submitted_time.unwrap_or(entry.updated_time);
        let owner = WorkOwner::Role(PlatformRole::Authority);
        let item = WorkItem::new(WorkKind::CatalogReview, name, owner, since).due(due, rule);
        items.push(WorkItem { counterpart: entry.provider_name.clone(), ..item });
    }
    let gone = matches!(entry.state, EntryState::Withdrawn | EntryState::Archived);
    if let Some(review) = file.attribute_review.as_ref().filter(|_| !gone) {
        let due = view.due_of(DeadlineKind::AttributeReview, name);
        let due = due.unwrap_or_else(|| review.due_date.end());
        let item = WorkItem::new(WorkKind::AttributeReview, name, provider.clone(), review.since);
        // Where the house says how often, the law says only that it is done.
        let rule = review.default.clone().unwrap_or_else(|| review.rule.clone());
        items.push(item.due(Some(due), Some(rule)));
    }
    if let Some(listed) = view.worklist_item(&name.domain, id)
        && listed.outcome.is_none()
    {
        let (due, rule) =
            view.clock_of(DeadlineKind::Reclassification, name, listed.clock.as_ref());
        let since = listed.listed_time;
        let item = WorkItem::new(WorkKind::Reclassification, name, provider, since);
        items.push(item.due(due, rule.or(listed.rule)));
    }
    if let Some(report) = view.change_report(name) {
        items.extend(update(view, name, &report));
    }
    for item in &mut items {
        item.title.clone_from(&entry.content.title);
    }
    items
}

/// Whether work may follow from an entry beside its review.
pub(super) fn is_on_file(view: View<'_>, name: &ResourceName, id: EntryId) -> bool {
    let has_review = |file: EntryFile| file.attribute_review.is_some();
    view.entry_file(&name.domain, id).is_some_and(has_review)
        || view.worklist_item(&name.domain, id).is_some_and(|listed| listed.outcome.is_none())
        || view.change_report(name).is_some()
}

/// Whether the authority has to look at an entry in this state.
pub(super) fn is_reviewed(state: EntryState) -> bool {
    matches!(state, EntryState::Submitted | EntryState::ChangeSubmitted)
}

/// An organization whose duties changed owes an update of its catalog.
pub(super) fn of_organization(view: View<'_>, name: &ResourceName) -> Vec<WorkItem> {
    let report = view.change_report(name);
    report.and_then(|report| update(view, name, &report)).into_iter().collect()
}

/// The update owed first: there is one deadline for all changes of a subject.
fn update(view: View<'_>, name: &ResourceName, report: &ChangeReport) -> Option<WorkItem> {
    let change = report.changes.iter().min_by_key(|change| change.clock.due_time)?;
    let (due, rule) = view.clock_of(DeadlineKind::CatalogUpdate, name, Some(&change.clock));
    let rule = change.default.clone().or(rule);
    let owner = WorkOwner::Organization(name.domain.clone(), report.provider);
    let item = WorkItem::new(WorkKind::CatalogUpdate, name, owner, change.reported_time);
    Some(WorkItem { title: change.citation.clone(), ..item.due(due, rule) })
}

/// Changes of the law wait for a second person of the authority.
pub(super) fn of_domain(view: View<'_>, name: &ResourceName) -> Vec<WorkItem> {
    let edits = view.proposed_edits();
    let Some(first) = edits.first() else { return Vec::new() };
    let owner = WorkOwner::Role(PlatformRole::Authority);
    let item = WorkItem::new(WorkKind::LawEdit, name, owner, first.time);
    let what: Vec<_> = edits.iter().map(|edit| edit.what.clone()).collect();
    vec![WorkItem { title: what.join(", "), ..item }]
}
