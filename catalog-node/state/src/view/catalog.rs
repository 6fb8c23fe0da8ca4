//! Reading what is on file about catalog entries.

use catalog_model::{
    catalog_entry::{FieldChange, diff},
    entry_file::{ChangeReport, EntryFile, EntryVersion, ReclassificationPass, WorklistItem},
    ids::{DomainId, EntryId},
    name::ResourceName,
};

use super::{Page, View};
use crate::keys::{self, Key, Table};

impl View<'_> {
    /// What is on file about an own entry; absent where nothing is, for instance for entries that
    /// nobody touched since the cluster came to command level 3.
    pub fn entry_file(&self, domain: &DomainId, id: EntryId) -> Option<EntryFile> {
        self.get(&keys::entry_file(domain, id))
    }

    /// A published version, from 1.
    pub fn entry_version(
        &self,
        domain: &DomainId,
        id: EntryId,
        number: u64,
    ) -> Option<EntryVersion> {
        self.get(&keys::entry_version(domain, id, number))
    }

    /// A page of an entry's published versions, the oldest first.
    pub fn entry_versions(
        &self,
        domain: &DomainId,
        id: EntryId,
        from: Option<&[u8]>,
        limit: usize,
    ) -> Page<EntryVersion> {
        let prefix = Key::table(Table::EntryVersion).domain(domain).id(id.to_bytes());
        self.page(&prefix, from, limit, limit, |_| true)
    }

    /// What a provider changed between two published versions; absent if one is not on file.
    pub fn entry_diff(
        &self,
        domain: &DomainId,
        id: EntryId,
        from: u64,
        to: u64,
    ) -> Option<Vec<FieldChange>> {
        let old = self.entry_version(domain, id, from)?;
        let new = self.entry_version(domain, id, to)?;
        Some(diff(&old.entry.content, &new.entry.content))
    }

    /// The changes for which an entry or an organization still owes an update.
    pub fn change_report(&self, subject: &ResourceName) -> Option<ChangeReport> {
        self.get(&keys::change_report(subject))
    }

    /// Every subject that owes an update, a page of them.
    pub fn change_reports(&self, from: Option<&[u8]>, limit: usize) -> Page<ChangeReport> {
        self.page(&Key::table(Table::ChangeReport), from, limit, limit, |_| true)
    }

    /// The entry's item of the re-classification worklist, open or closed.
    pub fn worklist_item(&self, domain: &DomainId, id: EntryId) -> Option<WorklistItem> {
        self.get(&keys::worklist(domain, id))
    }

    /// A page of the worklist; `open` leaves out what was dealt with.
    pub fn worklist(
        &self,
        domain: &DomainId,
        open: bool,
        from: Option<&[u8]>,
        limit: usize,
        scan: usize,
    ) -> Page<WorklistItem> {
        let prefix = Key::table(Table::Worklist).domain(domain);
        self.page(&prefix, from, limit, scan, |item: &WorklistItem| !open || item.outcome.is_none())
    }

    /// The last pass over the catalog, or the one that is under way.
    pub fn reclassification_pass(&self) -> Option<ReclassificationPass> {
        self.get(&keys::meta::reclassification())
    }
}
