//! What can happen to a right after it was given: delivery, misuse, the end of its purpose, use
//! records, wider use, changes of the service.

use catalog_model::{
    catalog_entry::SharingMethod,
    document_digest::DocumentDigest,
    grant::{DisposalManner, MisuseGround, PurposeEndKind, WiderUseKind},
    ids::ServiceChangeId,
    name::ResourceName,
    service_change::{ServiceChangeCause, ServiceChangeKind},
    time::LocalDate,
    use_record::UseEntry,
};
use minicbor::{Decode, Encode};

/// The commands about grants of level 3. A `version` is the one that the caller read.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum GrantCommand {
    /// The provider says how the data are to be had (SHR-07).
    #[n(0)]
    OfferDelivery {
        /// The grant.
        #[n(0)]
        grant: ResourceName,
        /// Of the grant.
        #[n(1)]
        version: u64,
        /// 共享方式
        #[n(2)]
        method: SharingMethod,
    },
    /// The platform saw data come through the grant: the first time is the delivery.
    #[n(1)]
    RecordRetrieval {
        /// The grant.
        #[n(0)]
        grant: ResourceName,
        /// Whether it was the platform's own test.
        #[n(1)]
        test: bool,
    },
    /// The user says that the data arrived.
    #[n(2)]
    AcknowledgeDelivery {
        /// The grant.
        #[n(0)]
        grant: ResourceName,
        /// Of the grant.
        #[n(1)]
        version: u64,
    },
    /// Stops a right for misuse, with a ground and evidence (SHR-24).
    #[n(3)]
    SuspendForMisuse {
        /// The grant.
        #[n(0)]
        grant: ResourceName,
        /// Of the grant.
        #[n(1)]
        version: u64,
        /// One of the three of the law.
        #[n(2)]
        ground: MisuseGround,
        /// In words.
        #[n(3)]
        reason: String,
        /// The evidence.
        #[n(4)]
        evidence: DocumentDigest,
        /// Last day for rectification.
        #[n(5)]
        rectify_by: LocalDate,
    },
    /// The user says what it did, or that it will not.
    #[n(4)]
    ReportRectification {
        /// The grant.
        #[n(0)]
        grant: ResourceName,
        /// Of the grant.
        #[n(1)]
        version: u64,
        /// Whether it refuses to rectify.
        #[n(2)]
        refused: bool,
        /// In words.
        #[n(3)]
        text: String,
        /// The report itself.
        #[n(4)]
        digest: Option<DocumentDigest>,
    },
    /// Whether that is enough. If it is, the right holds again.
    #[n(5)]
    JudgeRectification {
        /// The grant.
        #[n(0)]
        grant: ResourceName,
        /// Of the grant.
        #[n(1)]
        version: u64,
        /// Whether it is.
        #[n(2)]
        adequate: bool,
        /// Why.
        #[n(3)]
        reason: String,
    },
    /// The purpose is met, cannot be met or needs the data no more (SHR-23).
    #[n(6)]
    EndPurpose {
        /// The grant.
        #[n(0)]
        grant: ResourceName,
        /// Of the grant.
        #[n(1)]
        version: u64,
        /// How.
        #[n(2)]
        kind: PurposeEndKind,
        /// In words; may be empty.
        #[n(3)]
        note: String,
    },
    /// The provider says what is to become of the data.
    #[n(7)]
    RequireDisposal {
        /// The grant.
        #[n(0)]
        grant: ResourceName,
        /// Of the grant.
        #[n(1)]
        version: u64,
        /// The manner.
        #[n(2)]
        manner: DisposalManner,
        /// In words; may be empty.
        #[n(3)]
        note: String,
    },
    /// The user shows what became of them.
    #[n(8)]
    ProveDisposal {
        /// The grant.
        #[n(0)]
        grant: ResourceName,
        /// Of the grant.
        #[n(1)]
        version: u64,
        /// The manner.
        #[n(2)]
        manner: DisposalManner,
        /// The proof.
        #[n(3)]
        digest: DocumentDigest,
    },
    /// The user records a use (SHR-14).
    #[n(9)]
    RecordUse {
        /// The grant.
        #[n(0)]
        grant: ResourceName,
        /// What it states.
        #[n(1)]
        entries: Vec<UseEntry>,
    },
    /// Removes use records that need to be kept no longer (SHR-26).
    #[n(10)]
    PurgeUseRecords {
        /// The grant.
        #[n(0)]
        grant: ResourceName,
        /// Those recorded before this day.
        #[n(1)]
        before: LocalDate,
    },
    /// The provider consents to a use beyond the grant (SHR-10).
    #[n(11)]
    ConsentWiderUse {
        /// The grant.
        #[n(0)]
        grant: ResourceName,
        /// Of the grant.
        #[n(1)]
        version: u64,
        /// In which respect.
        #[n(2)]
        kind: WiderUseKind,
        /// Who receives the data; empty for another purpose.
        #[n(3)]
        recipient: String,
        /// For what.
        #[n(4)]
        purpose: String,
        /// Which items.
        #[n(5)]
        items: Vec<String>,
    },
    /// The agreement on the use is signed (SHR-13).
    #[n(12)]
    RecordAgreement {
        /// The grant.
        #[n(0)]
        grant: ResourceName,
        /// Of the grant.
        #[n(1)]
        version: u64,
        /// Its number.
        #[n(2)]
        number: String,
        /// The document.
        #[n(3)]
        digest: DocumentDigest,
        /// The day of signing.
        #[n(4)]
        signed: LocalDate,
    },
    /// The provider wants to end or change what others live on (SHR-25).
    #[n(13)]
    ProposeServiceChange {
        /// Drawn by the shell.
        #[n(0)]
        id: ServiceChangeId,
        /// The entry.
        #[n(1)]
        entry: ResourceName,
        /// What is to happen.
        #[n(2)]
        kind: ServiceChangeKind,
        /// The items that are taken out, where some are.
        #[n(3)]
        items: Vec<String>,
        /// Why.
        #[n(4)]
        cause: ServiceChangeCause,
        /// Why, in words.
        #[n(5)]
        reason: String,
        /// The first day on which it may hold.
        #[n(6)]
        effective: LocalDate,
    },
    /// A user says what it thinks of it.
    #[n(14)]
    StateOnServiceChange {
        /// The change.
        #[n(0)]
        change: ResourceName,
        /// Of the change.
        #[n(1)]
        version: u64,
        /// Whether it agrees.
        #[n(2)]
        agrees: bool,
        /// In words; may be empty.
        #[n(3)]
        text: String,
    },
    /// The provider records the minutes of the talk.
    #[n(15)]
    RecordNegotiation {
        /// The change.
        #[n(0)]
        change: ResourceName,
        /// Of the change.
        #[n(1)]
        version: u64,
        /// The minutes.
        #[n(2)]
        minutes: DocumentDigest,
    },
    /// The provider files it with the authority.
    #[n(16)]
    FileServiceChange {
        /// The change.
        #[n(0)]
        change: ResourceName,
        /// Of the change.
        #[n(1)]
        version: u64,
    },
    /// It takes effect.
    #[n(17)]
    EffectServiceChange {
        /// The change.
        #[n(0)]
        change: ResourceName,
        /// Of the change.
        #[n(1)]
        version: u64,
    },
    /// The provider gives it up; what was stopped runs again.
    #[n(18)]
    AbandonServiceChange {
        /// The change.
        #[n(0)]
        change: ResourceName,
        /// Of the change.
        #[n(1)]
        version: u64,
        /// Why.
        #[n(2)]
        reason: String,
    },
}

impl GrantCommand {
    /// The grant, or the entry, that a step is about by which something goes on. What only stops
    /// or tells of a use has none.
    pub(crate) fn goes_on(&self) -> Option<&ResourceName> {
        match self {
            Self::OfferDelivery { grant, .. }
            | Self::AcknowledgeDelivery { grant, .. }
            | Self::ReportRectification { grant, .. }
            | Self::JudgeRectification { grant, .. }
            | Self::ConsentWiderUse { grant, .. }
            | Self::RecordAgreement { grant, .. } => Some(grant),
            Self::ProposeServiceChange { entry, .. } => Some(entry),
            _ => None,
        }
    }
}
