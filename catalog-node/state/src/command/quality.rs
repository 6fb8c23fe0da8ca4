//! What is done about the quality of data: batches, error reports, objections of persons concerned.

use catalog_model::{
    document_digest::DocumentDigest,
    ids::{EntryId, OrganizationId, PersonId, PersonalObjectionId, ReportId, SystemId},
    quality::{CheckResult, ConcernProof, Desk, WindowFiling},
};
use minicbor::{Decode, Encode};

/// Commands on quality. Level 3. Append only.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum QualityCommand {
    /// Puts a batch of an entry's data on record (QLT-01, 02).
    #[n(0)]
    RecordBatch {
        /// The entry.
        #[n(0)]
        entry: EntryId,
        /// Its number, new for the entry.
        #[n(1)]
        batch: String,
        /// The provider's system from which it came.
        #[n(2)]
        system: SystemId,
        /// Who answers for it.
        #[n(3)]
        person: PersonId,
        /// Its rows.
        #[n(4)]
        rows: u64,
        /// What the checks found.
        #[n(5)]
        results: Vec<CheckResult>,
    },
    /// A user of data reports an error (QLT-04, SHR-16).
    #[n(1)]
    FileReport {
        /// Drawn by the shell.
        #[n(0)]
        id: ReportId,
        /// The entry.
        #[n(1)]
        entry: EntryId,
        /// The items that are wrong.
        #[n(2)]
        items: Vec<String>,
        /// What is wrong.
        #[n(3)]
        description: String,
        /// The desk at which it is left; absent = where the rules send it.
        #[n(4)]
        desk: Option<Desk>,
    },
    /// Moves a report on.
    #[n(2)]
    Report {
        /// Which.
        #[n(0)]
        report: ReportId,
        /// Version that the caller read.
        #[n(1)]
        version: u64,
        /// How.
        #[n(2)]
        step: ReportStep,
    },
    /// A person or an organization objects to data about itself (QLT-03).
    #[n(3)]
    FilePersonalObjection {
        /// Drawn by the shell.
        #[n(0)]
        id: PersonalObjectionId,
        /// The entry.
        #[n(1)]
        entry: EntryId,
        /// The desk at which it is left.
        #[n(2)]
        desk: OrganizationId,
        /// The filing at a window, if it came that way.
        #[n(3)]
        window: Option<WindowFiling>,
        /// Proof of who objects.
        #[n(4)]
        proof: ConcernProof,
        /// What is wrong.
        #[n(5)]
        description: String,
    },
    /// Moves the objection of a person concerned on.
    #[n(4)]
    PersonalObjection {
        /// Which.
        #[n(0)]
        objection: PersonalObjectionId,
        /// Version that the caller read.
        #[n(1)]
        version: u64,
        /// How.
        #[n(2)]
        step: PersonalObjectionStep,
    },
}

/// A step of an error report.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum ReportStep {
    /// The authority hands it to the provider, where the rules send it to the authority first.
    #[n(0)]
    HandOver,
    /// The provider verifies.
    #[n(1)]
    Verify,
    /// The data are wrong.
    #[n(2)]
    Confirm,
    /// They are not.
    #[n(3)]
    Reject {
        /// Why.
        #[n(0)]
        reason: String,
    },
    /// A batch corrected them.
    #[n(4)]
    Correct {
        /// The batch, on record for the entry.
        #[n(0)]
        batch: String,
        /// DocumentDigest of the rows before.
        #[n(1)]
        before: DocumentDigest,
        /// DocumentDigest of the rows after.
        #[n(2)]
        after: DocumentDigest,
    },
    /// The reporter is told.
    #[n(5)]
    FeedBack {
        /// What.
        #[n(0)]
        text: String,
    },
    /// Everybody who holds the data is told.
    #[n(6)]
    Propagate,
    /// It is over.
    #[n(7)]
    Close,
    /// The reporter is not content.
    #[n(8)]
    Reopen {
        /// Why.
        #[n(0)]
        reason: String,
    },
}

/// A step of a personal objection.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum PersonalObjectionStep {
    /// The receiver verifies.
    #[n(0)]
    Verify,
    /// The data were corrected.
    #[n(1)]
    Correct {
        /// The batch, on record for the entry.
        #[n(0)]
        batch: String,
        /// What the person is told.
        #[n(1)]
        reason: String,
    },
    /// They were not.
    #[n(2)]
    Reject {
        /// Why.
        #[n(0)]
        reason: String,
    },
}
