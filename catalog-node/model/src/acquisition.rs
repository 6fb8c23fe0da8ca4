//! How data came to a department (CAT-06, 13, 15–17, 23): by duty, by contract, by purchase, in an
//! emergency, through a project; and what is owed for having them that way.

use minicbor::{Decode, Encode};

use crate::{
    document_digest::DocumentDigest,
    ids::{
        ContractId, DomainId, EmergencyId, EntryId, OrganizationId, ProjectId, PurchaseId, SystemId,
    },
    name::ResourceName,
    paper_decision::PaperDecision,
    rule::RuleRef,
    sharing::LegalCitation,
    time::{LocalDate, UtcMillis},
};

/// How the data of an entry were acquired (CAT-06).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Acquisition {
    /// 履职: collected in the course of a duty.
    #[n(0)]
    Duty,
    /// 委托: collected by a contractor.
    #[n(1)]
    Entrusted(#[n(0)] ContractId),
    /// 采购: bought, through the authority.
    #[n(2)]
    Purchased(#[n(0)] PurchaseId),
    /// Taken in an emergency.
    #[n(3)]
    Emergency(#[n(0)] EmergencyId),
}

/// Where the use of emergency data stands (REG22 21).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum EmergencyState {
    /// The emergency goes on: the data serve it and nothing else.
    #[n(0)]
    Active,
    /// It is over; the data wait for their assessment.
    #[n(1)]
    Ended,
    /// Classified and assessed.
    #[n(2)]
    Assessed,
    /// What is private, personal or secret was treated.
    #[n(3)]
    Treated,
    /// The applications are shut down: no use any more.
    #[n(4)]
    AppsClosed,
}

/// Data that a department took to meet an emergency.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Emergency {
    /// Its id.
    #[n(0)]
    pub id: EmergencyId,
    /// The domain.
    #[n(1)]
    pub domain: DomainId,
    /// The department that took the data.
    #[n(2)]
    pub organization: OrganizationId,
    /// The event, by the name or number under which it was declared.
    #[n(3)]
    pub event: String,
    /// The law on emergencies on which the taking rests.
    #[n(4)]
    pub basis: LegalCitation,
    /// Purpose of the use.
    #[n(5)]
    pub purpose: String,
    /// Its scope.
    #[n(6)]
    pub scope: String,
    /// Its manner.
    #[n(7)]
    pub manner: String,
    /// The entries that hold the data.
    #[n(8)]
    pub entries: Vec<EntryId>,
    /// The systems that use them.
    #[n(9)]
    pub applications: Vec<SystemId>,
    /// Where it stands.
    #[n(10)]
    pub state: EmergencyState,
    /// Digests of the assessment, the treatment and the proof of the shutdown, as they come.
    #[n(11)]
    pub proofs: Vec<DocumentDigest>,
    /// Counts up from 1 with every change.
    #[n(12)]
    pub version: u64,
    /// Committed time of the first version.
    #[n(13)]
    pub created_time: UtcMillis,
    /// Committed time of this version.
    #[n(14)]
    pub updated_time: UtcMillis,
}

/// Where a purchase stands (REG22 22).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum PurchaseState {
    /// A department needs data that nobody shares.
    #[n(0)]
    Requested,
    /// Another department's purchase serves it.
    #[n(1)]
    Merged,
    /// The authority will buy.
    #[n(2)]
    Approved,
    /// The authority has bought.
    #[n(3)]
    Bought,
    /// The authority will not buy.
    #[n(4)]
    Refused,
}

/// A purchase of non-public data, which the authority makes for the departments of its level.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Purchase {
    /// Its id.
    #[n(0)]
    pub id: PurchaseId,
    /// The domain.
    #[n(1)]
    pub domain: DomainId,
    /// The department that needs the data.
    #[n(2)]
    pub organization: OrganizationId,
    /// What it needs them for.
    #[n(3)]
    pub need: String,
    /// The items it needs.
    #[n(4)]
    pub items: Vec<String>,
    /// Entries of the catalog that have such items: found at the request, for the authority.
    #[n(5)]
    pub found: Vec<ResourceName>,
    /// Where it stands.
    #[n(6)]
    pub state: PurchaseState,
    /// The purchase that serves it, of a merged one.
    #[n(7)]
    pub into: Option<PurchaseId>,
    /// Why it was refused; else empty.
    #[n(8)]
    pub reason: String,
    /// The contract, once bought.
    #[n(9)]
    pub contract: Option<DocumentDigest>,
    /// Counts up from 1 with every change.
    #[n(10)]
    pub version: u64,
    /// Committed time of the first version.
    #[n(11)]
    pub created_time: UtcMillis,
    /// Committed time of this version.
    #[n(12)]
    pub updated_time: UtcMillis,
}

/// Where an entrusted collection stands (REG22 20).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum ContractState {
    /// The contractor collects.
    #[n(0)]
    Active,
    /// The contract is over; the data are still with the contractor.
    #[n(1)]
    Ended,
    /// The data were returned.
    #[n(2)]
    Returned,
    /// The data were deleted.
    #[n(3)]
    Deleted,
}

/// A collection of data by a contractor.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct CollectionContract {
    /// Its id.
    #[n(0)]
    pub id: ContractId,
    /// The domain.
    #[n(1)]
    pub domain: DomainId,
    /// The department that entrusts.
    #[n(2)]
    pub organization: OrganizationId,
    /// The contractor.
    #[n(3)]
    pub contractor: String,
    /// What is agreed.
    #[n(4)]
    pub terms: ContractTerms,
    /// To whom the department consented to sub-entrust.
    #[n(5)]
    pub sub_entrusted: Vec<String>,
    /// Where it stands.
    #[n(6)]
    pub state: ContractState,
    /// Proof that the data were returned or deleted.
    #[n(7)]
    pub proof: Option<DocumentDigest>,
    /// Counts up from 1 with every change.
    #[n(8)]
    pub version: u64,
    /// Committed time of the first version.
    #[n(9)]
    pub created_time: UtcMillis,
    /// Committed time of this version.
    #[n(10)]
    pub updated_time: UtcMillis,
}

/// What a contract on collection must agree on.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ContractTerms {
    /// 委托事项
    #[n(0)]
    pub matter: String,
    /// Purpose of the processing.
    #[n(1)]
    pub purpose: String,
    /// Its scope.
    #[n(2)]
    pub scope: String,
    /// Its manner.
    #[n(3)]
    pub manner: String,
}

/// A project that builds or changes systems, up to its final acceptance (CAT-23).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Project {
    /// Its id.
    #[n(0)]
    pub id: ProjectId,
    /// The domain.
    #[n(1)]
    pub domain: DomainId,
    /// Whose it is.
    #[n(2)]
    pub organization: OrganizationId,
    /// Its name.
    #[n(3)]
    pub title: String,
    /// The data assets named at feasibility.
    #[n(4)]
    pub assets: Vec<ProjectAsset>,
    /// When it was accepted.
    #[n(5)]
    pub accepted_time: Option<UtcMillis>,
    /// Counts up from 1 with every change.
    #[n(6)]
    pub version: u64,
    /// Committed time of the first version.
    #[n(7)]
    pub created_time: UtcMillis,
    /// Committed time of this version.
    #[n(8)]
    pub updated_time: UtcMillis,
}

/// One data asset of a project.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ProjectAsset {
    /// As it was named at feasibility.
    #[n(0)]
    pub title: String,
    /// The entry that lists it.
    #[n(1)]
    pub entry: Option<EntryId>,
}

/// A platform or exchange node beside the city's (CAT, FED-16): only what is to migrate.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PlatformNode {
    /// Who runs it.
    #[n(0)]
    pub organization: OrganizationId,
    /// Its name.
    #[n(1)]
    pub title: String,
    /// Whether it serves more than its own department.
    #[n(2)]
    pub cross_department: bool,
    /// The decision by which it was built, of one that serves several departments.
    #[n(3)]
    pub approval: Option<PaperDecision>,
    /// The day by which it joins the city's platform.
    #[n(4)]
    pub migrate_by: Option<LocalDate>,
    /// Committed time.
    #[n(5)]
    pub recorded_time: UtcMillis,
}

/// What a check for duplicate collection found (CAT-13).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum CollectionResult {
    /// Nobody shares what is to be collected.
    #[n(0)]
    Clear,
    /// Somebody does, and the law cited allows it all the same.
    #[n(1)]
    Excused,
    /// Somebody does.
    #[n(2)]
    Duplicated,
}

/// A check for duplicate collection, on record.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct CollectionCheck {
    /// The entry for which data are collected.
    #[n(0)]
    pub entry: EntryId,
    /// The items that are collected from persons and organizations.
    #[n(1)]
    pub items: Vec<String>,
    /// The result when it was checked last.
    #[n(2)]
    pub result: CollectionResult,
    /// Entries that share such items.
    #[n(3)]
    pub overlaps: Vec<ResourceName>,
    /// The exception that the provider claims.
    #[n(4)]
    pub exception: Option<LegalCitation>,
    /// The rule.
    #[n(5)]
    pub rule: Option<RuleRef>,
    /// Committed time.
    #[n(6)]
    pub checked_time: UtcMillis,
}
