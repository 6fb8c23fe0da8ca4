//! Quality (QLT-01..05, SHR-16): who found data wrong, who verifies, what was corrected, who was
//! told?

use minicbor::{Decode, Encode};

use crate::{
    deadline::WorkingDayClock,
    document_digest::DocumentDigest,
    ids::{DomainId, EntryId, OrganizationId, PersonId, PersonalObjectionId, ReportId, SystemId},
    name::ResourceName,
    rule::RuleRef,
    share_request::{Party, PartyRole},
    time::{LocalDate, UtcMillis},
};

/// The desk at which a report arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Desk {
    /// The department that provides the data.
    #[n(0)]
    Provider,
    /// The authority.
    #[n(1)]
    Authority,
}

/// Where an error report stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum ReportState {
    /// With the recipient that the rules name.
    #[n(0)]
    Filed,
    /// The provider verifies.
    #[n(1)]
    Verifying,
    /// The data are wrong.
    #[n(2)]
    Confirmed,
    /// A batch corrected them.
    #[n(3)]
    Corrected,
    /// The data are not wrong, with a reason.
    #[n(4)]
    NotConfirmed,
    /// The reporter was told: what the provider owed is done.
    #[n(5)]
    FedBack,
    /// Everybody who holds the data was told.
    #[n(6)]
    Propagated,
    /// Over; may be reopened.
    #[n(7)]
    Closed,
}

/// The batch that corrected the data.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Correction {
    /// Number of the batch, one on record for the entry.
    #[n(0)]
    pub batch: String,
    /// DocumentDigest of the rows before.
    #[n(1)]
    pub before: DocumentDigest,
    /// DocumentDigest of the rows after.
    #[n(2)]
    pub after: DocumentDigest,
}

/// A user of data found an error.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ErrorReport {
    /// Its id.
    #[n(0)]
    pub id: ReportId,
    /// The domain.
    #[n(1)]
    pub domain: DomainId,
    /// The entry.
    #[n(2)]
    pub entry: EntryId,
    /// Its provider.
    #[n(3)]
    pub provider: OrganizationId,
    /// Who found the error.
    #[n(4)]
    pub reporter: Party,
    /// The desk at which it was left.
    #[n(5)]
    pub desk: Desk,
    /// The desk to which the rules send it.
    #[n(6)]
    pub recipient: Desk,
    /// The rule that names the recipient; absent = the house's way, to the provider.
    #[n(7)]
    pub recipient_rule: Option<RuleRef>,
    /// The items that are wrong.
    #[n(8)]
    pub items: Vec<String>,
    /// What is wrong, in words.
    #[n(9)]
    pub description: String,
    /// Where it stands.
    #[n(10)]
    pub state: ReportState,
    /// The provider's clock, from its receipt.
    #[n(11)]
    pub clock: Option<WorkingDayClock>,
    /// To whom an overdue report goes, by role; never the debtor.
    #[n(12)]
    pub escalation: Option<PartyRole>,
    /// Since when it is overdue.
    #[n(13)]
    pub overdue_since: Option<UtcMillis>,
    /// What corrected the data.
    #[n(14)]
    pub correction: Option<Correction>,
    /// What the reporter was told.
    #[n(15)]
    pub feedback: String,
    /// When; met the clock unless [`Self::late`].
    #[n(16)]
    pub fed_back_time: Option<UtcMillis>,
    /// Whether the feedback came after the due instant.
    #[n(17)]
    pub late: bool,
    /// The rights of those who hold the data, as they were told.
    #[n(18)]
    pub told: Vec<ResourceName>,
    /// How often it was reopened.
    #[n(19)]
    pub reopened: u32,
    /// Counts up from 1 with every change.
    #[n(20)]
    pub version: u64,
    /// Committed time of the first version.
    #[n(21)]
    pub created_time: UtcMillis,
    /// Committed time of this version.
    #[n(22)]
    pub updated_time: UtcMillis,
    /// Working days after which a silent reporter's report closes, with the rule.
    #[n(23)]
    pub silence: Option<WorkingDayClock>,
    /// The department that is the source of a reported item, where that is not the provider
    /// (CAT-12): the provider corrects with it.
    #[n(24)]
    pub source: Option<OrganizationId>,
}

impl ErrorReport {
    /// Whether the provider still owes the feedback.
    pub fn feedback_is_owed(&self) -> bool {
        self.clock.is_some()
            && !matches!(
                self.state,
                ReportState::FedBack | ReportState::Propagated | ReportState::Closed
            )
    }
}

/// Where an objection of a person concerned stands (QLT-03).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum PersonalObjectionState {
    /// Received.
    #[n(0)]
    Filed,
    /// Being verified.
    #[n(1)]
    Verifying,
    /// Answered: the data were corrected.
    #[n(2)]
    Corrected,
    /// Answered: they were not, with a reason.
    #[n(3)]
    Rejected,
}

/// Proof that the data concern the one who objects: only digests, never the papers.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ConcernProof {
    /// Of the proof of identity.
    #[n(0)]
    pub identity: DocumentDigest,
    /// Of the proof of the relation to the data; the same as identity where the data name the
    /// person.
    #[n(1)]
    pub relation: DocumentDigest,
}

/// A filing that came by a window and was entered by a clerk (SHR-29).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct WindowFiling {
    /// Number of the filing at the window.
    #[n(0)]
    pub number: String,
    /// The day stamped there: the day of receipt.
    #[n(1)]
    pub stamped: LocalDate,
}

/// A person or an organization says that data about it are inaccurate or incomplete.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PersonalObjection {
    /// Its id.
    #[n(0)]
    pub id: PersonalObjectionId,
    /// The domain.
    #[n(1)]
    pub domain: DomainId,
    /// The entry.
    #[n(2)]
    pub entry: EntryId,
    /// Who entered it.
    #[n(3)]
    pub entered_by: OrganizationId,
    /// The filing at a window, if it came that way.
    #[n(4)]
    pub window: Option<WindowFiling>,
    /// Proof of who objects.
    #[n(5)]
    pub proof: ConcernProof,
    /// What is wrong, in words.
    #[n(6)]
    pub description: String,
    /// The desk at which it was left.
    #[n(7)]
    pub desk: OrganizationId,
    /// Who handles and answers it.
    #[n(8)]
    pub receiver: OrganizationId,
    /// The rule that names the receivers; absent = none in force, the department concerned.
    #[n(9)]
    pub receiver_rule: Option<RuleRef>,
    /// Where it stands.
    #[n(10)]
    pub state: PersonalObjectionState,
    /// The clock of the answer.
    #[n(11)]
    pub clock: Option<WorkingDayClock>,
    /// Since when it is overdue.
    #[n(12)]
    pub overdue_since: Option<UtcMillis>,
    /// The batch that corrected the data.
    #[n(13)]
    pub batch: Option<String>,
    /// The reason of the answer.
    #[n(14)]
    pub answer: String,
    /// Whether the answer came after the due instant.
    #[n(15)]
    pub late: bool,
    /// Counts up from 1 with every change.
    #[n(16)]
    pub version: u64,
    /// Committed time of the first version.
    #[n(17)]
    pub created_time: UtcMillis,
    /// Committed time of this version.
    #[n(18)]
    pub updated_time: UtcMillis,
}

/// The sides of quality (FZ-M 8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum Dimension {
    /// 真实性
    #[n(0)]
    Truth,
    /// 完整性
    #[n(1)]
    Completeness,
    /// 准确性
    #[n(2)]
    Accuracy,
    /// 时效性
    #[n(3)]
    Timeliness,
    /// 可用性
    #[n(4)]
    Usability,
}

/// What one check of a batch found.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct CheckResult {
    /// The check.
    #[n(0)]
    pub check: String,
    /// What it is about.
    #[n(1)]
    pub dimension: Dimension,
    /// Rows looked at.
    #[n(2)]
    pub rows: u64,
    /// Rows that failed.
    #[n(3)]
    pub failed: u64,
}

/// A batch of data that was aggregated for an entry (QLT-01, 02).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct QualityBatch {
    /// The entry.
    #[n(0)]
    pub entry: EntryId,
    /// Its number, unique for the entry.
    #[n(1)]
    pub batch: String,
    /// The system from which it came.
    #[n(2)]
    pub system: SystemId,
    /// Who answers for it.
    #[n(3)]
    pub person: PersonId,
    /// Its rows.
    #[n(4)]
    pub rows: u64,
    /// What the checks found.
    #[n(5)]
    pub results: Vec<CheckResult>,
    /// Committed time.
    #[n(6)]
    pub recorded_time: UtcMillis,
}

impl QualityBatch {
    /// Thousandths of the rows looked at that passed, by dimension (QLT-05), in order. A dimension
    /// that no check looked at has no score.
    pub fn scores(&self) -> Vec<(Dimension, u16)> {
        let dimensions = [
            Dimension::Truth,
            Dimension::Completeness,
            Dimension::Accuracy,
            Dimension::Timeliness,
            Dimension::Usability,
        ];
        let score = |dimension: Dimension| {
            let of: Vec<_> =
                self.results.iter().filter(|result| result.dimension == dimension).collect();
            let rows: u128 = of.iter().map(|result| u128::from(result.rows)).sum();
            let failed: u128 = of.iter().map(|result| u128::from(result.failed)).sum();
            let passed = rows.saturating_sub(failed);
            (rows > 0).then(|| (dimension, (passed * 1000 / rows) as u16))
        };
        dimensions.into_iter().filter_map(score).collect()
    }
}

#[cfg(test)]
mod tests;
