//! Commands on the life of catalog entries: updates that are owed, reviews, re-classification,
//! suspension, persons on file. Level 3.

use catalog_model::{
    catalog_entry::SecrecyMark,
    entry_file::{ChangeTrigger, ReviewOutcome, SuspensionGround},
    ids::{EntryId, OrganizationId, PersonId},
    name::ResourceName,
    organization::RoleTerm,
    paper_decision::PaperDecision,
    time::LocalDate,
};
use minicbor::{Decode, Encode};

/// What happens to an entry beside compiling and publishing it. Append only.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum CatalogCommand {
    /// A law, decision or duty changed: the catalog must be updated (CAL-13). By the provider or
    /// the authority.
    #[n(0)]
    ReportChange {
        /// The entry, or the organization for all of its catalog.
        #[n(0)]
        subject: ResourceName,
        /// What changed.
        #[n(1)]
        trigger: ChangeTrigger,
        /// On which day.
        #[n(2)]
        day: LocalDate,
        /// By which text or decision.
        #[n(3)]
        citation: String,
    },
    /// The authority consents to more time for an update.
    #[n(1)]
    ExtendUpdate {
        /// The subject of the report.
        #[n(0)]
        subject: ResourceName,
        /// Working days to add.
        #[n(1)]
        working_days: u16,
        /// The special reason.
        #[n(2)]
        reason: String,
    },
    /// The provider says by which entries a change of the whole organization was taken in.
    #[n(2)]
    CompleteUpdate {
        /// The organization.
        #[n(0)]
        organization: OrganizationId,
        /// The entries, each updated and handed in since the change.
        #[n(1)]
        entries: Vec<EntryId>,
    },
    /// The provider reviewed the sharing attribute (SHR-02).
    #[n(3)]
    ReviewAttribute {
        /// The entry.
        #[n(0)]
        id: EntryId,
        /// Version that the caller read.
        #[n(1)]
        version: u64,
        /// What came of it.
        #[n(2)]
        outcome: ReviewOutcome,
        /// In words.
        #[n(3)]
        note: String,
    },
    /// The authority has the bases of all listed entries looked at (CAT-28).
    #[n(4)]
    StartReclassification {
        /// Why.
        #[n(0)]
        cause: String,
    },
    /// The authority rules, on paper, on an entry of the worklist.
    #[n(5)]
    RuleReclassification {
        /// The entry.
        #[n(0)]
        id: EntryId,
        /// The ruling.
        #[n(1)]
        decision: PaperDecision,
    },
    /// Takes an entry off the list at once. By the provider or the authority.
    #[n(6)]
    SuspendEntry {
        /// The entry.
        #[n(0)]
        id: EntryId,
        /// Version that the caller read.
        #[n(1)]
        version: u64,
        /// The proper reason.
        #[n(2)]
        ground: SuspensionGround,
        /// In words.
        #[n(3)]
        reason: String,
    },
    /// The authority puts a suspended entry back as it was.
    #[n(7)]
    ResumeEntry {
        /// The entry.
        #[n(0)]
        id: EntryId,
        /// Version that the caller read.
        #[n(1)]
        version: u64,
        /// Why.
        #[n(2)]
        reason: String,
    },
    /// Puts a withdrawn entry away for ever. By the provider or the authority.
    #[n(8)]
    ArchiveEntry {
        /// The entry.
        #[n(0)]
        id: EntryId,
        /// Version that the caller read.
        #[n(1)]
        version: u64,
    },
    /// The authority records that data are listed as important, or no longer (CAT-22).
    #[n(9)]
    MarkImportant {
        /// The entry.
        #[n(0)]
        id: EntryId,
        /// Whether they are.
        #[n(1)]
        important: bool,
        /// The decision.
        #[n(2)]
        decision: PaperDecision,
    },
    /// Files other roles of a person, or that the person has left (CAT-18). By the organization
    /// or the platform.
    #[n(10)]
    UpdatePerson {
        /// The organization.
        #[n(0)]
        organization: OrganizationId,
        /// The person.
        #[n(1)]
        person: PersonId,
        /// Version that the caller read.
        #[n(2)]
        version: u64,
        /// The name.
        #[n(3)]
        display_name: String,
        /// All roles with their time, past ones included.
        #[n(4)]
        terms: Vec<RoleTerm>,
    },
    /// The edge saw that what somebody sent is a secret, and sends only this (CAT-24).
    #[n(11)]
    RefuseSecret {
        /// The organization that sent it.
        #[n(0)]
        organization: OrganizationId,
        /// What it is.
        #[n(1)]
        mark: SecrecyMark,
    },
}
