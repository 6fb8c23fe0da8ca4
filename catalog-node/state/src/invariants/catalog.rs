//! What must be true of entries and what is on file about them.

use catalog_model::{
    catalog_entry::{CatalogEntry, EntryState},
    deadline::DeadlineKind,
    entry_file::{EntryFile, EntryVersion},
    ids::{DomainId, EntryId},
    name::Resource,
};

use super::{Violation, rows};
use crate::{
    keys::{self, Table},
    rows::DeadlineRow,
    store::Store,
    view::View,
};

/// Whether a deadline of the catalog belongs to a duty that is open.
pub(super) fn has_duty(view: View<'_>, row: &DeadlineRow) -> bool {
    let domain = &row.subject.domain;
    match (row.kind, &row.subject.resource) {
        (DeadlineKind::CatalogUpdate, _) => view.change_report(&row.subject).is_some(),
        (DeadlineKind::AttributeReview, Resource::Entry(id)) => {
            let review = view.entry_file(domain, *id).and_then(|file| file.attribute_review);
            review.is_some_and(|review| review.due_date.end() == row.due_time)
                && view.published_entry(domain, *id).is_some()
        }
        (DeadlineKind::Reclassification, Resource::Entry(id)) => {
            view.worklist_item(domain, *id).is_some_and(|item| item.outcome.is_none())
        }
        _ => false,
    }
}

/// Whether the entry is off the list for a proper reason, so that rights to it rest.
pub(super) fn is_suspended(view: View<'_>, domain: &DomainId, id: EntryId) -> bool {
    view.entry_file(domain, id).is_some_and(|file| file.suspension.is_some())
}

/// Versions on file count 1, 2, … without a gap, each newer than the one before; the last of a
/// listed entry is the one that is published (CAT-10, CAT-26).
pub(super) fn published_versions_are_unbroken(store: &dyn Store) -> Vec<Violation> {
    const NAME: &str = "published_versions_are_unbroken";
    let mut found = Vec::new();
    let mut last: Option<EntryVersion> = None;
    let mut check_last = |last: &Option<EntryVersion>| {
        let Some(last) = last else { return };
        let (domain, id) = (&last.entry.domain, last.entry.id);
        let view = View(store);
        let file: Option<EntryFile> = view.entry_file(domain, id);
        let published: Option<CatalogEntry> = view.published_entry(domain, id);
        let counted = file.is_some_and(|file| file.versions == last.number);
        if !counted || published.is_some_and(|published| published != last.entry) {
            let detail = format!("{id} ends at {}", last.number);
            found.push(Violation { invariant: NAME, detail });
        }
    };
    let mut gaps = Vec::new();
    for version in rows::<EntryVersion>(store, Table::EntryVersion) {
        let same = last.as_ref().filter(|last| last.entry.id == version.entry.id);
        let follows = match same {
            Some(last) => {
                version.number == last.number + 1 && version.entry.version > last.entry.version
            }
            None => version.number == 1,
        };
        if !follows {
            gaps.push(format!("{} has {}", version.entry.id, version.number));
        }
        if same.is_none() {
            check_last(&last);
        }
        last = Some(version);
    }
    check_last(&last);
    found.extend(gaps.into_iter().map(|detail| Violation { invariant: NAME, detail }));
    found
}

/// What is suspended, archived or withdrawn is not in the catalog, and a suspended entry has its
/// reason on file.
pub(super) fn suspended_entries_are_not_listed(store: &dyn Store) -> Vec<Violation> {
    const NAME: &str = "suspended_entries_are_not_listed";
    let mut found = Vec::new();
    for entry in rows::<CatalogEntry>(store, Table::Entry) {
        let listed = store.get(keys::published_entry(&entry.domain, entry.id).as_slice()).is_some();
        let suspended = is_suspended(View(store), &entry.domain, entry.id);
        let fits = match entry.state {
            EntryState::Suspended => !listed && suspended,
            EntryState::Withdrawn | EntryState::Archived => !listed && !suspended,
            _ => !(listed && suspended),
        };
        if !fits {
            let detail = format!("{} is {:?}", entry.id, entry.state);
            found.push(Violation { invariant: NAME, detail });
        }
    }
    found
}
