//! The file of an entry: what is on record about it beside its working version?
//!
//! Its published versions, the clocks that run for it, why it is off the list, where it stands in
//! a re-classification. An entry of a cluster below command level 3 has no file.

use minicbor::{Decode, Encode};

use crate::{
    catalog_entry::CatalogEntry,
    deadline::WorkingDayClock,
    ids::{EntryId, OrganizationId, PersonId},
    name::ResourceName,
    paper_decision::PaperDecision,
    reason::Reason,
    rule::RuleRef,
    share_request::PartyRole,
    sharing::SharingKind,
    time::{LocalDate, UtcMillis},
};

/// A published version, kept for ever (CAT-10, CAT-26).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct EntryVersion {
    /// Counts up from 1 with every publication, without a gap.
    #[n(0)]
    pub number: u64,
    /// The entry as it was published.
    #[n(1)]
    pub entry: CatalogEntry,
    /// When it came on file: the publication, or for a version that was published below command
    /// level 3 the next change.
    #[n(2)]
    pub filed_time: UtcMillis,
    /// The rule pack under which it was published: the compilation standard that it met (CAT-02).
    #[n(3)]
    pub rule_pack_version: u64,
}

/// Everything on file about an entry.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct EntryFile {
    /// How many published versions there are.
    #[n(0)]
    pub versions: u64,
    /// When the provider last handed it to the authority.
    #[n(1)]
    pub submitted_time: Option<UtcMillis>,
    /// Since when the published attribute holds (SHR-01).
    #[n(2)]
    pub attribute_since: Option<UtcMillis>,
    /// The regular review of the attribute; absent where no rule asks for one.
    #[n(3)]
    pub attribute_review: Option<AttributeReview>,
    /// The authority's review of an update, while it runs (CAL-14).
    #[n(4)]
    pub authority_review: Option<AuthorityReview>,
    /// Why it is off the list; absent = it is not suspended.
    #[n(5)]
    pub suspension: Option<EntrySuspension>,
    /// The decision by which the data are listed as important (CAT-22).
    #[n(6)]
    pub important: Option<PaperDecision>,
    /// The person who submitted it last, if one is known; who may not publish it where the domain
    /// separates the two.
    #[n(7)]
    pub submitter: Option<PersonId>,
}

/// The clock of the regular review (SHR-02).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct AttributeReview {
    /// From when it counts: publication of the attribute, or the last review.
    #[n(0)]
    pub since: UtcMillis,
    /// The last day.
    #[n(1)]
    pub due_date: LocalDate,
    /// The rule that says 定期.
    #[n(2)]
    pub rule: RuleRef,
    /// The house's number for that word; absent where the rule itself has one.
    #[n(3)]
    pub default: Option<RuleRef>,
    /// What the last review came to; absent = there was none yet.
    #[n(4)]
    pub last: Option<ReviewOutcome>,
    /// Whether the last day passed without one.
    #[n(5)]
    pub missed: bool,
    /// Counts up with every new date.
    #[n(6)]
    pub revision: u32,
}

/// What a review of the attribute came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum ReviewOutcome {
    /// It stays as it is.
    #[n(0)]
    Kept,
    /// It will be widened: a new version follows.
    #[n(1)]
    ToBeWidened,
    /// It will be narrowed, with a basis: a new version follows.
    #[n(2)]
    ToBeNarrowed,
}

/// The authority's clock for an updated entry.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct AuthorityReview {
    /// The clock.
    #[n(0)]
    pub clock: WorkingDayClock,
    /// To whom it goes when overdue; never the authority itself.
    #[n(1)]
    pub escalation: Option<PartyRole>,
    /// The rule that says what follows.
    #[n(2)]
    pub order: Option<RuleRef>,
}

/// Why an entry is taken off the list at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum SuspensionGround {
    /// Data leaked, or are suspected to have.
    #[n(0)]
    Leak,
    /// They turned out to be state secrets.
    #[n(1)]
    StateSecret,
    /// They turned out to be work secrets.
    #[n(2)]
    WorkSecret,
}

impl SuspensionGround {
    /// Its name in facts and the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Leak => "leak",
            Self::StateSecret => "state_secret",
            Self::WorkSecret => "work_secret",
        }
    }
}

/// An entry that is off the list.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct EntrySuspension {
    /// The proper reason.
    #[n(0)]
    pub ground: SuspensionGround,
    /// In words.
    #[n(1)]
    pub reason: String,
    /// Since when.
    #[n(2)]
    pub since: UtcMillis,
}

/// What makes an update of the catalog due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum ChangeTrigger {
    /// 法律调整
    #[n(0)]
    Law,
    /// 行政法规调整
    #[n(1)]
    AdministrativeRegulation,
    /// 国务院决定调整
    #[n(2)]
    StateCouncilDecision,
    /// 职责变化
    #[n(3)]
    Duty,
    /// The resource or its business system changed.
    #[n(4)]
    Resource,
}

impl ChangeTrigger {
    /// Its name in facts and the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Law => "law",
            Self::AdministrativeRegulation => "administrative_regulation",
            Self::StateCouncilDecision => "state_council_decision",
            Self::Duty => "duty",
            Self::Resource => "resource",
        }
    }
}

/// A change for which the catalog must be updated.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ReportedChange {
    /// What changed.
    #[n(0)]
    pub trigger: ChangeTrigger,
    /// The day on which it changed.
    #[n(1)]
    pub day: LocalDate,
    /// The text or decision by which.
    #[n(2)]
    pub citation: String,
    /// When it was reported.
    #[n(3)]
    pub reported_time: UtcMillis,
    /// The clock from that day.
    #[n(4)]
    pub clock: WorkingDayClock,
    /// The house's number, where the rule has only a word (适时): shown as profile default.
    #[n(5)]
    pub default: Option<RuleRef>,
    /// Whether the last day passed.
    #[n(6)]
    pub overdue: bool,
    /// Who is ordered to correct by which rule; absent = no rule gives such an order.
    #[n(7)]
    pub order: Option<RuleRef>,
    /// To whom it goes when overdue.
    #[n(8)]
    pub escalation: Option<PartyRole>,
}

/// The changes for which an entry, or all a provider's catalog, still owes an update.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ChangeReport {
    /// The entry or the organization.
    #[n(0)]
    pub subject: ResourceName,
    /// Who owes the update.
    #[n(1)]
    pub provider: OrganizationId,
    /// The changes, in the order of their reports; never empty.
    #[n(2)]
    pub changes: Vec<ReportedChange>,
    /// How many deadlines this subject ever had: the revision of the next one.
    #[n(3)]
    pub revision: u32,
}

/// An entry whose sharing attribute rests on too little.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct WorklistItem {
    /// The entry.
    #[n(0)]
    pub entry: EntryId,
    /// Who must do something about it.
    #[n(1)]
    pub provider: OrganizationId,
    /// Its title when it was listed.
    #[n(2)]
    pub title: String,
    /// Its attribute when it was listed.
    #[n(3)]
    pub sharing: SharingKind,
    /// What is wrong with the basis.
    #[n(4)]
    pub reason: Reason,
    /// By which rule.
    #[n(5)]
    pub rule: Option<RuleRef>,
    /// The pass that found it.
    #[n(6)]
    pub pass: u64,
    /// The rule pack by which.
    #[n(7)]
    pub rule_pack_version: u64,
    /// When.
    #[n(8)]
    pub listed_time: UtcMillis,
    /// The house's clock for it; absent where no rule gives a number.
    #[n(9)]
    pub clock: Option<WorkingDayClock>,
    /// Whether the last day passed.
    #[n(10)]
    pub overdue: bool,
    /// What became of it; absent = it is open.
    #[n(11)]
    pub outcome: Option<WorklistOutcome>,
    /// When that was.
    #[n(12)]
    pub closed_time: Option<UtcMillis>,
}

/// What became of an item of the worklist.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum WorklistOutcome {
    /// A version with another attribute was published.
    #[n(0)]
    Reclassified {
        /// The new attribute.
        #[n(0)]
        to: SharingKind,
    },
    /// A version with a sufficient basis was published.
    #[n(1)]
    BasisAdded,
    /// The authority ruled, on paper.
    #[n(2)]
    Ruled {
        /// The ruling.
        #[n(0)]
        decision: PaperDecision,
    },
    /// The entry left the catalog.
    #[n(3)]
    Withdrawn,
    /// A later pass found nothing wrong with it.
    #[n(4)]
    Sufficient,
}

impl WorklistOutcome {
    /// Its name in facts and the command line.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Reclassified { .. } => "reclassified",
            Self::BasisAdded => "basis_added",
            Self::Ruled { .. } => "ruled",
            Self::Withdrawn => "withdrawn",
            Self::Sufficient => "sufficient",
        }
    }
}

/// A pass over all listed entries, in portions.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ReclassificationPass {
    /// Counts up from 1.
    #[n(0)]
    pub number: u64,
    /// Why it was made, in words.
    #[n(1)]
    pub cause: String,
    /// The rule pack by which; one that is loaded meanwhile starts the next pass.
    #[n(2)]
    pub rule_pack_version: u64,
    /// When it began.
    #[n(3)]
    pub started_time: UtcMillis,
    /// The last entry that was looked at; absent before the first.
    #[n(4)]
    pub after: Option<EntryId>,
    /// How many entries were looked at.
    #[n(5)]
    pub seen: u64,
    /// How many of them were listed.
    #[n(6)]
    pub listed: u64,
    /// When it was through; absent = it goes on.
    #[n(7)]
    pub finished_time: Option<UtcMillis>,
}
