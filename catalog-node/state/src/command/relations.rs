//! What is done to that which ties entries, systems, sources and functions together.

use catalog_model::{
    acquisition::{Acquisition, ContractTerms},
    attribute_objection::Side,
    dataset::{DatasetKind, Period},
    document_digest::DocumentDigest,
    ids::{
        ContractId, DatasetId, DomainId, EmergencyId, EntryId, ObjectionId, OrganizationId,
        ProjectId, PurchaseId, SystemId, TransferId,
    },
    paper_decision::PaperDecision,
    sharing::{LegalCitation, SharingAttribute, SharingKind},
    time::LocalDate,
};
use minicbor::{Decode, Encode};

/// Commands on relations. Level 3. Append only.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum RelationsCommand {
    /// Registers a dataset (CAT-05).
    #[n(0)]
    RegisterDataset {
        /// Drawn by the shell.
        #[n(0)]
        id: DatasetId,
        /// Whose.
        #[n(1)]
        organization: OrganizationId,
        /// What it is.
        #[n(2)]
        kind: DatasetKind,
        /// Its name.
        #[n(3)]
        title: String,
        /// What it holds.
        #[n(4)]
        description: String,
    },
    /// Links a dataset to the entry that describes it or to the system in which it lies.
    #[n(1)]
    Bind {
        /// The dataset.
        #[n(0)]
        dataset: DatasetId,
        /// Version that the caller read.
        #[n(1)]
        version: u64,
        /// What it is linked to.
        #[n(2)]
        to: LinkTarget,
        /// When.
        #[n(3)]
        period: Period,
    },
    /// Ends a link.
    #[n(2)]
    Unbind {
        /// The dataset.
        #[n(0)]
        dataset: DatasetId,
        /// Version that the caller read.
        #[n(1)]
        version: u64,
        /// What it was linked to.
        #[n(2)]
        from: LinkTarget,
        /// The last day.
        #[n(3)]
        until: LocalDate,
    },
    /// Deletes a dataset to which nothing is bound.
    #[n(3)]
    DeleteDataset {
        /// The dataset.
        #[n(0)]
        dataset: DatasetId,
        /// Version that the caller read.
        #[n(1)]
        version: u64,
    },
    /// Deletes a system that holds nothing any more.
    #[n(4)]
    DeleteSystem {
        /// Whose.
        #[n(0)]
        organization: OrganizationId,
        /// The system.
        #[n(1)]
        system: SystemId,
    },
    /// States the duties of an organization, the whole list (CAT-04).
    #[n(5)]
    StateDuties {
        /// Whose.
        #[n(0)]
        organization: OrganizationId,
        /// Version that the caller read; 0 = none is on file.
        #[n(1)]
        version: u64,
        /// The duties.
        #[n(2)]
        duties: Vec<String>,
    },
    /// The authority names the source of a datum (CAT-12).
    #[n(6)]
    AssignSource {
        /// The datum.
        #[n(0)]
        element: String,
        /// The department.
        #[n(1)]
        organization: OrganizationId,
        /// When.
        #[n(2)]
        period: Period,
        /// On what it rests.
        #[n(3)]
        basis: LegalCitation,
        /// The decision, where it was made on paper.
        #[n(4)]
        decision: Option<PaperDecision>,
    },
    /// The authority ends an assignment.
    #[n(7)]
    EndSource {
        /// The datum.
        #[n(0)]
        element: String,
        /// First day of the assignment.
        #[n(1)]
        from: LocalDate,
        /// Its last day.
        #[n(2)]
        until: LocalDate,
    },
    /// Brings published entries of before level 3 into the index of items, a batch at a time.
    #[n(8)]
    IndexPublished {
        /// The domain that owns them.
        #[n(0)]
        domain: DomainId,
        /// The last one of the batch before.
        #[n(1)]
        after: Option<EntryId>,
    },
    /// Checks whether what is to be collected can be had by sharing (CAT-13).
    #[n(9)]
    CheckCollection {
        /// The entry for which data are collected.
        #[n(0)]
        entry: EntryId,
        /// The items that are collected from persons and organizations.
        #[n(1)]
        items: Vec<String>,
        /// The exception that the provider claims.
        #[n(2)]
        exception: Option<LegalCitation>,
    },
    /// Begins the transfer of a function (CAT-08).
    #[n(10)]
    DraftTransfer {
        /// Drawn by the shell.
        #[n(0)]
        id: TransferId,
        /// The giving department.
        #[n(1)]
        from: OrganizationId,
        /// The receiving one.
        #[n(2)]
        to: OrganizationId,
        /// The entries.
        #[n(3)]
        entries: Vec<EntryId>,
        /// The legal act.
        #[n(4)]
        act: LegalCitation,
        /// The day on which the duty changed.
        #[n(5)]
        change_date: LocalDate,
    },
    /// Moves a transfer on.
    #[n(11)]
    Transfer {
        /// Which.
        #[n(0)]
        transfer: TransferId,
        /// Version that the caller read.
        #[n(1)]
        version: u64,
        /// How.
        #[n(2)]
        step: TransferStep,
    },
    /// The authority objects to the attribute of an entry (SHR-15).
    #[n(12)]
    RaiseObjection {
        /// Drawn by the shell.
        #[n(0)]
        id: ObjectionId,
        /// The entry.
        #[n(1)]
        entry: EntryId,
        /// What it wants instead.
        #[n(2)]
        wanted: SharingKind,
        /// Why.
        #[n(3)]
        reason: String,
    },
    /// Moves an objection on.
    #[n(13)]
    Objection {
        /// Which.
        #[n(0)]
        objection: ObjectionId,
        /// Version that the caller read.
        #[n(1)]
        version: u64,
        /// How.
        #[n(2)]
        step: ObjectionStep,
    },
    /// A department takes data to meet an emergency (CAT-16).
    #[n(14)]
    OpenEmergency {
        /// Drawn by the shell.
        #[n(0)]
        id: EmergencyId,
        /// The department.
        #[n(1)]
        organization: OrganizationId,
        /// What it states.
        #[n(2)]
        content: EmergencyContent,
    },
    /// Moves the handling of emergency data on.
    #[n(15)]
    Emergency {
        /// Which.
        #[n(0)]
        emergency: EmergencyId,
        /// Version that the caller read.
        #[n(1)]
        version: u64,
        /// How.
        #[n(2)]
        step: EmergencyStep,
    },
    /// A department needs data that must be bought (CAT-17).
    #[n(16)]
    RequestPurchase {
        /// Drawn by the shell.
        #[n(0)]
        id: PurchaseId,
        /// The department.
        #[n(1)]
        organization: OrganizationId,
        /// What for.
        #[n(2)]
        need: String,
        /// The items.
        #[n(3)]
        items: Vec<String>,
    },
    /// Moves a purchase on.
    #[n(17)]
    Purchase {
        /// Which.
        #[n(0)]
        purchase: PurchaseId,
        /// Version that the caller read.
        #[n(1)]
        version: u64,
        /// How.
        #[n(2)]
        step: PurchaseStep,
    },
    /// A department entrusts the collection of data (CAT-15).
    #[n(18)]
    OpenContract {
        /// Drawn by the shell.
        #[n(0)]
        id: ContractId,
        /// The department.
        #[n(1)]
        organization: OrganizationId,
        /// The contractor.
        #[n(2)]
        contractor: String,
        /// What is agreed.
        #[n(3)]
        terms: ContractTerms,
    },
    /// Moves a contract on.
    #[n(19)]
    Contract {
        /// Which.
        #[n(0)]
        contract: ContractId,
        /// Version that the caller read.
        #[n(1)]
        version: u64,
        /// How.
        #[n(2)]
        step: ContractStep,
    },
    /// States how the data of an entry were acquired (CAT-06).
    #[n(20)]
    StateAcquisition {
        /// The entry.
        #[n(0)]
        entry: EntryId,
        /// How.
        #[n(1)]
        acquisition: Acquisition,
    },
    /// Names the data assets of a project at feasibility (CAT-23).
    #[n(21)]
    OpenProject {
        /// Drawn by the shell.
        #[n(0)]
        id: ProjectId,
        /// Whose.
        #[n(1)]
        organization: OrganizationId,
        /// Its name.
        #[n(2)]
        title: String,
        /// The assets.
        #[n(3)]
        assets: Vec<String>,
    },
    /// Names the entry that lists an asset of a project.
    #[n(22)]
    ListAsset {
        /// Which project.
        #[n(0)]
        project: ProjectId,
        /// Version that the caller read.
        #[n(1)]
        version: u64,
        /// Place of the asset, from 0.
        #[n(2)]
        asset: u32,
        /// The entry.
        #[n(3)]
        entry: EntryId,
    },
    /// The authority passes a project for final acceptance.
    #[n(23)]
    AcceptProject {
        /// Which.
        #[n(0)]
        project: ProjectId,
        /// Version that the caller read.
        #[n(1)]
        version: u64,
    },
    /// Puts a platform beside the city's on record (SHR-11, FED-16).
    #[n(24)]
    RecordPlatform {
        /// Who runs it.
        #[n(0)]
        organization: OrganizationId,
        /// Its name.
        #[n(1)]
        title: String,
        /// Whether it serves more than its own department.
        #[n(2)]
        cross_department: bool,
        /// The decision by which it was built.
        #[n(3)]
        approval: Option<PaperDecision>,
        /// The day by which it joins the city's platform.
        #[n(4)]
        migrate_by: Option<LocalDate>,
        /// The law or administrative regulation that provides otherwise (decree 809 art. 31).
        #[n(5)]
        exception: Option<LegalCitation>,
    },
}

/// The other end of a dataset's link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum LinkTarget {
    /// An entry.
    #[n(0)]
    Entry(#[n(0)] EntryId),
    /// A system.
    #[n(1)]
    System(#[n(0)] SystemId),
}

/// A step of a transfer.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum TransferStep {
    /// The receiving department signs.
    #[n(0)]
    Cosign,
    /// The giving department files it.
    #[n(1)]
    File,
    /// The authority sends it back.
    #[n(2)]
    Return {
        /// Why.
        #[n(0)]
        reason: String,
    },
    /// The authority approves; the first batch of entries moves.
    #[n(3)]
    Approve,
    /// The next batch moves.
    #[n(4)]
    Continue,
}

/// A step of an objection.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum ObjectionStep {
    /// A side states its position.
    #[n(0)]
    State {
        /// Whose: the platform writes the minutes for both.
        #[n(0)]
        side: Side,
        /// In words.
        #[n(1)]
        text: String,
    },
    /// A side would settle for this attribute; where the other named the same, both agree.
    #[n(1)]
    Settle {
        /// The attribute.
        #[n(0)]
        attribute: SharingAttribute,
    },
    /// The authority brings it before the government.
    #[n(2)]
    Escalate {
        /// Why.
        #[n(0)]
        reason: String,
    },
    /// The government decided.
    #[n(3)]
    Decide {
        /// The attribute.
        #[n(0)]
        attribute: SharingAttribute,
        /// The decision.
        #[n(1)]
        decision: PaperDecision,
    },
}

/// What a department states when it takes data in an emergency (REG22 21).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct EmergencyContent {
    /// The event.
    #[n(0)]
    pub event: String,
    /// The law on which the taking rests.
    #[n(1)]
    pub basis: LegalCitation,
    /// Purpose.
    #[n(2)]
    pub purpose: String,
    /// Scope.
    #[n(3)]
    pub scope: String,
    /// Manner.
    #[n(4)]
    pub manner: String,
    /// The entries that hold the data.
    #[n(5)]
    pub entries: Vec<EntryId>,
    /// The systems that use them.
    #[n(6)]
    pub applications: Vec<SystemId>,
}

/// A step in the handling of emergency data.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum EmergencyStep {
    /// A system used the data.
    #[n(0)]
    Use {
        /// The system.
        #[n(0)]
        system: SystemId,
        /// For which event.
        #[n(1)]
        event: String,
    },
    /// The emergency is over.
    #[n(1)]
    End,
    /// The data were classified and assessed.
    #[n(2)]
    Assess {
        /// DocumentDigest of the assessment.
        #[n(0)]
        proof: DocumentDigest,
    },
    /// What is private, personal or secret was treated.
    #[n(3)]
    Treat {
        /// DocumentDigest of the record of it.
        #[n(0)]
        proof: DocumentDigest,
    },
    /// The applications were shut down.
    #[n(4)]
    CloseApplications {
        /// DocumentDigest of the proof.
        #[n(0)]
        proof: DocumentDigest,
    },
}

/// A step of a purchase. All are the authority's.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum PurchaseStep {
    /// Another purchase serves it.
    #[n(0)]
    Merge {
        /// Which.
        #[n(0)]
        into: PurchaseId,
    },
    /// It will be bought.
    #[n(1)]
    Approve,
    /// It will not.
    #[n(2)]
    Refuse {
        /// Why.
        #[n(0)]
        reason: String,
    },
    /// It was bought.
    #[n(3)]
    Buy {
        /// DocumentDigest of the contract.
        #[n(0)]
        contract: DocumentDigest,
    },
}

/// A step of a contract on collection.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum ContractStep {
    /// The department consents to a sub-contractor.
    #[n(0)]
    ConsentSubEntrusting {
        /// Whom.
        #[n(0)]
        to: String,
    },
    /// Somebody processed data under the contract.
    #[n(1)]
    Process {
        /// Who.
        #[n(0)]
        by: String,
    },
    /// The contract is over.
    #[n(2)]
    End {
        /// Why.
        #[n(0)]
        reason: String,
    },
    /// The data are not with the contractor any more.
    #[n(3)]
    Close {
        /// Returned, not deleted.
        #[n(0)]
        returned: bool,
        /// DocumentDigest of the proof.
        #[n(1)]
        proof: DocumentDigest,
    },
}
