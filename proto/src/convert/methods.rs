//! Methods: what may be done with a call of which only the path and the bytes are known?
//!
//! The gateway carries calls without a line of code for any one method; what it has to know of
//! each stands here, one row a method of the public packages. A test holds the table against the
//! protocol files: no method without a row, no row that says otherwise than they do.

use std::fmt;

use catalog_model::{ids::DomainId, name::ResourceName, reason::Reason, refusal::Refusal};
use prost::Message;

use crate::convert::{name, reading::repeated};

/// What a method does, and how its messages travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MethodKind {
    /// One question, one answer; changes nothing.
    Read,
    /// One call, one answer; changes something.
    Write,
    /// One question, answers without end; changes nothing.
    ServerStream,
    /// Many messages, one answer.
    ClientStream,
    /// Many messages, each with its answer.
    Bidi,
}

/// Which field of the request names what the call is about, and with it the domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RoutingField {
    /// None: the call is about the domain that is asked.
    None,
    /// `name`
    Name,
    /// `parent`
    Parent,
    /// `parent`, which may also be `domains/-`: every domain that is held here.
    ParentOrEvery,
    /// `entry.name`
    EntryName,
    /// `organization.name`
    OrganizationName,
}

impl RoutingField {
    /// The path of the field in the request.
    pub fn path(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Name => Some("name"),
            Self::Parent | Self::ParentOrEvery => Some("parent"),
            Self::EntryName => Some("entry.name"),
            Self::OrganizationName => Some("organization.name"),
        }
    }
}

/// Whether a gateway carries a call of a person or system of its own domain to another domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Carriage {
    /// It does not: the domain in which the caller is at home answers.
    Home,
    /// To the domain in the name of what the call is about.
    ToNamed,
    /// Our own domain is asked first; if it answers that another does (`NOT_OWNER`), to that one.
    ToOwner,
}

/// One method of the public API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Method {
    /// `/luqiao.catalog.v1.CatalogService/GetEntry`
    pub path: &'static str,
    /// What it does.
    pub kind: MethodKind,
    /// Whether the same bytes may be sent again by someone who does not know what became of the
    /// first call: it changes nothing, or it carries the key by which a repetition is known.
    pub safe_to_retry: bool,
    /// Where its domain comes from.
    pub routing: RoutingField,
    /// Where it is answered.
    pub carriage: Carriage,
}

impl Method {
    /// Whether it is asked of a witness: by nodes and persons of the domain that is watched, whose
    /// own gateways may be what is lost.
    pub fn is_of_witness(&self) -> bool {
        self.service() == "luqiao.dr.v1.WitnessService"
    }

    /// Whether it may come from another domain, carried by that domain's gateway.
    pub fn is_carried(&self) -> bool {
        self.carriage != Carriage::Home
    }

    /// The full name of the service, for instance `luqiao.catalog.v1.CatalogService`.
    pub fn service(&self) -> &'static str {
        self.path.trim_start_matches('/').split_once('/').map_or("", |(service, _)| service)
    }
}

/// What a call is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoutingName {
    /// This resource; a domain is a resource too.
    Resource(ResourceName),
    /// Every domain that is held where the call arrives: `domains/-`.
    EveryDomain,
}

impl RoutingName {
    /// The one domain in the name.
    pub fn domain(&self) -> Option<&DomainId> {
        match self {
            Self::Resource(name) => Some(&name.domain),
            Self::EveryDomain => None,
        }
    }
}

impl fmt::Display for RoutingName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resource(name) => name.fmt(f),
            Self::EveryDomain => f.write_str(EVERY_DOMAIN),
        }
    }
}

const EVERY_DOMAIN: &str = "domains/-";

macro_rules! methods {
    ($($service:literal { $(
        $method:literal $kind:ident $retry:ident $routing:ident $($carriage:ident)?,
    )* })*) => {
        /// Every method of the public packages.
        pub const METHODS: &[Method] = &[$($(Method {
            path: concat!("/", $service, "/", $method),
            kind: MethodKind::$kind,
            safe_to_retry: methods!(@ $retry),
            routing: RoutingField::$routing,
            carriage: methods!(@ $($carriage)?),
        },)*)*];
    };
    (@) => { Carriage::Home };
    (@ carried) => { Carriage::ToNamed };
    (@ asked_on) => { Carriage::ToOwner };
    (@ again) => { true };
    (@ once) => { false };
}

methods! {
    "luqiao.catalog.v1.CatalogService" {
        "RegisterEntry" Write again Parent,
        "ImportEntries" Bidi again Parent,
        "ConsentEntry" Write again Name,
        "SubmitEntry" Write again Name,
        "ReturnEntry" Write again Name,
        "PublishEntry" Write again Name,
        "UpdateEntry" Write again EntryName,
        "WithdrawEntry" Write again Name,
        "GetEntry" Read again Name,
        "ListEntries" Read again ParentOrEvery,
        "SearchEntries" Read again ParentOrEvery,
        "WatchEntries" ServerStream again Parent,
    }
    "luqiao.dr.v1.DisasterRecoveryService" {
        "GetStatus" Read again Name,
        "SetSites" Write again Name,
        "SetPolicy" Write again Name,
        "ReleaseActs" Write again Name,
        "BeginSwitchover" Write again Name,
        "AbortSwitchover" Write again Name,
        "CloseWindow" Write again Name,
    }
    "luqiao.dr.v1.WitnessService" {
        "GetCell" Read again None,
        "WriteCell" Write again None,
        "ListActsAtRisk" Read again None,
    }
    "luqiao.entry.v1.EntryService" {
        "CheckEntry" Read again Name,
        "ReportChange" Write again Name,
        "ExtendUpdate" Write again Name,
        "CompleteUpdate" Write again Name,
        "ReviewAttribute" Write again Name,
        "StartReclassification" Write again Parent,
        "RuleReclassification" Write again Name,
        "SuspendEntry" Write again Name,
        "ResumeEntry" Write again Name,
        "ArchiveEntry" Write again Name,
        "MarkImportant" Write again Name,
        "ListEntryVersions" Read again Parent,
        "DiffEntry" Read again Name,
        "GetEntryFile" Read again Name,
        "ListChangeReports" Read again Parent,
        "ListWorklist" Read again Parent,
        "GetReclassificationPass" Read again Name,
    }
    "luqiao.federation.v1.FederationService" {
        "DescribeDomain" Read again None,
        "FollowFeed" ServerStream again None,
        "ForwardRequest" Write again None,
        "RelayStatus" Write again None,
        "ExchangeHeads" Read again None,
        "CarryCall" Write again None,
    }
    "luqiao.law.v1.LawService" {
        "RecordRuling" Write again Parent,
        "WithdrawRuling" Write again Name,
        "ListRulings" Read again Parent,
        "WhatIf" Read again Parent,
        "GetLateLaw" Read again Name,
        "ExplainDeadline" Read again Name,
        "RecordOutage" Write again Parent,
        "RuleOutage" Write again Name,
        "ListOutages" Read again Parent,
        "ListOutageRulings" Read again Parent,
    }
    "luqiao.ledger.v1.LedgerService" {
        "GetTreeHead" Read again Parent,
        "GetReceipt" Read again Name,
        "GetConsistencyProof" Read again Parent,
        "QueryRecords" Read again Parent,
        "TailRecords" ServerStream again Parent,
        "VerifyLedger" Read again Parent,
        "VerifyAgainst" Read again Parent,
        "ListHeads" Read again Parent,
        "SealSegment" Write again Parent,
        "ListSegments" Read again Parent,
        "ExportSegment" ServerStream again Parent,
        "ErasePayload" Write again Parent,
        "PurgePayloads" Write again Parent,
        "GetCaseBag" Read again Name,
    }
    "luqiao.operations.v1.DrillService" {
        "OpenDrill" Write again Parent,
        "ApproveDrill" Write again Name,
        "StepDrill" Write again Name,
        "CloseDrill" Write again Name,
        "AbandonDrill" Write again Name,
        "GetDrill" Read again Name,
        "ListDrills" Read again Parent,
        "WriteProbes" Write again Name,
        "ListProbes" Read again Name,
        "SweepProbes" Write again Name,
    }
    "luqiao.operations.v1.OperationsService" {
        "GetStatus" Read again Name,
        "TransferLeader" Write once Name,
        "SetDevelopmentClock" Write again Name,
        "ListMembers" Read again Name,
        "AddMember" Write again Name,
        "PromoteMember" Write again Name,
        "RemoveMember" Write again Name,
        "ReplaceMember" Write again Name,
        "ListMemberChanges" Read again Name,
        "RaiseLevel" Write again Name,
    }
    "luqiao.organization.v1.OrganizationService" {
        "CreateOrganization" Write again Parent,
        "GetOrganization" Read again Name,
        "ListOrganizations" Read again Parent,
        "UpdateOrganization" Write again OrganizationName,
        "CreatePerson" Write again Parent,
        "GetPerson" Read again Name,
        "ListPersons" Read again Parent,
        "UpdatePerson" Write again Name,
        "CreateSystem" Write again Parent,
        "GetSystem" Read again Name,
        "ListSystems" Read again Parent,
        "DeleteSystem" Write again Name,
    }
    "luqiao.quality.v1.QualityService" {
        "RecordBatch" Write again Parent,
        "ListBatches" Read again Parent,
        "FileReport" Write again Parent,
        "HandOverReport" Write again Name,
        "VerifyReport" Write again Name,
        "ConfirmReport" Write again Name,
        "RejectReport" Write again Name,
        "CorrectReport" Write again Name,
        "FeedBackReport" Write again Name,
        "PropagateReport" Write again Name,
        "CloseReport" Write again Name,
        "ReopenReport" Write again Name,
        "GetReport" Read again Name,
        "ListReports" Read again Parent,
        "TraceReport" Read again Name,
        "FilePersonalObjection" Write again Parent,
        "VerifyPersonalObjection" Write again Name,
        "CorrectPersonalObjection" Write again Name,
        "RejectPersonalObjection" Write again Name,
        "GetPersonalObjection" Read again Name,
        "ListPersonalObjections" Read again Parent,
    }
    "luqiao.relations.v1.CollectionService" {
        "CheckCollection" Write again Name,
        "GetCollectionCheck" Read again Name,
        "StateAcquisition" Write again Name,
        "GetAcquisition" Read again Name,
    }
    "luqiao.relations.v1.ContractService" {
        "OpenContract" Write again Parent,
        "ConsentSubEntrusting" Write again Name,
        "RecordProcessing" Write again Name,
        "EndContract" Write again Name,
        "CloseContract" Write again Name,
        "GetContract" Read again Name,
        "ListContracts" Read again Parent,
    }
    "luqiao.relations.v1.DatasetService" {
        "RegisterDataset" Write again Parent,
        "BindDataset" Write again Name,
        "UnbindDataset" Write again Name,
        "DeleteDataset" Write again Name,
        "GetDataset" Read again Name,
        "ListDatasets" Read again Parent,
        "ListOrphans" Read again Parent,
    }
    "luqiao.relations.v1.DutyService" {
        "StateDuties" Write again Name,
        "GetDuties" Read again Name,
        "GetDutyGaps" Read again Name,
    }
    "luqiao.relations.v1.EmergencyService" {
        "OpenEmergency" Write again Parent,
        "UseEmergencyData" Write again Name,
        "EndEmergency" Write again Name,
        "AssessEmergency" Write again Name,
        "TreatEmergency" Write again Name,
        "CloseEmergencyApplications" Write again Name,
        "GetEmergency" Read again Name,
        "ListEmergencies" Read again Parent,
    }
    "luqiao.relations.v1.ObjectionService" {
        "RaiseObjection" Write again Parent,
        "StatePosition" Write again Name,
        "SettleObjection" Write again Name,
        "EscalateObjection" Write again Name,
        "DecideObjection" Write again Name,
        "GetObjection" Read again Name,
        "ListObjections" Read again Parent,
    }
    "luqiao.relations.v1.PlatformService" {
        "RecordPlatform" Write again Parent,
        "ListPlatforms" Read again Parent,
    }
    "luqiao.relations.v1.ProjectService" {
        "OpenProject" Write again Parent,
        "EnterAsset" Write again Name,
        "AcceptProject" Write again Name,
        "GetProject" Read again Name,
        "ListProjects" Read again Parent,
    }
    "luqiao.relations.v1.PurchaseService" {
        "RequestPurchase" Write again Parent,
        "MergePurchase" Write again Name,
        "ApprovePurchase" Write again Name,
        "RefusePurchase" Write again Name,
        "BuyPurchase" Write again Name,
        "GetPurchase" Read again Name,
        "ListPurchases" Read again Parent,
    }
    "luqiao.relations.v1.SourceService" {
        "AssignSource" Write again Parent,
        "EndSource" Write again Parent,
        "FindSource" Read again Parent,
        "ListSources" Read again Parent,
        "ListSharers" Read again Parent,
    }
    "luqiao.relations.v1.TransferService" {
        "DraftTransfer" Write again Parent,
        "CosignTransfer" Write again Name,
        "FileTransfer" Write again Name,
        "ReturnTransfer" Write again Name,
        "ApproveTransfer" Write again Name,
        "GetTransfer" Read again Name,
        "ListTransfers" Read again Parent,
    }
    "luqiao.rule.v1.RuleService" {
        "GetRulePack" Read again None,
        "ListRulePacks" Read again None,
        "GetCalendar" Read again None,
        "ListCalendars" Read again None,
        "ListRules" Read again Parent,
        "ExplainRule" Read again Parent,
        "CheckRulePack" Read again Parent,
        "LoadRulePack" Write again Parent,
        "LoadCalendar" Write again Parent,
        "DeclareClosure" Write again Parent,
        "WithdrawClosure" Write again Parent,
        "ListProposedEdits" Read again Parent,
        "GetPendingWork" Read again Name,
    }
    "luqiao.sharing.v1.GrantService" {
        "OfferDelivery" Write again Name,
        "RecordRetrieval" Write again Name,
        "AcknowledgeDelivery" Write again Name carried,
        "SuspendForMisuse" Write again Name,
        "ReportRectification" Write again Name carried,
        "JudgeRectification" Write again Name,
        "EndPurpose" Write again Name carried,
        "RequireDisposal" Write again Name,
        "ProveDisposal" Write again Name carried,
        "ConsentWiderUse" Write again Name,
        "RecordAgreement" Write again Name,
        "RecordUse" Write again Name,
        "ListUseRecords" Read again Parent asked_on,
        "PurgeUseRecords" Write again Name,
        "CheckUse" Read again Name carried,
    }
    "luqiao.sharing.v1.ServiceChangeService" {
        "ProposeServiceChange" Write again Parent,
        "StateOnServiceChange" Write again Name carried,
        "RecordNegotiation" Write again Name,
        "FileServiceChange" Write again Name,
        "EffectServiceChange" Write again Name,
        "AbandonServiceChange" Write again Name,
        "GetServiceChange" Read again Name carried,
        "ListServiceChanges" Read again Parent carried,
    }
    "luqiao.sharing.v1.DemandService" {
        "FileDemand" Write again Parent,
        "PreReviewDemand" Write again Name,
        "RouteDemand" Write again Name,
        "AnswerDemand" Write again Name,
        "SupplyDemand" Write again Name,
        "CloseDemand" Write again Name,
        "GetDemand" Read again Name,
        "ListDemands" Read again Parent,
        "WatchDemands" ServerStream again Parent,
    }
    "luqiao.sharing.v1.DisputeService" {
        "RaiseDispute" Write again Parent,
        "StatePosition" Write again Name,
        "EndConsultation" Write again Name,
        "CoordinateDispute" Write again Name,
        "DecideDispute" Write again Name,
        "GetDispute" Read again Name,
        "ListDisputes" Read again Parent,
        "WatchDisputes" ServerStream again Parent,
    }
    "luqiao.sharing.v1.SharingService" {
        "CreateRequest" Write again Parent,
        "GetRequest" Read again Name,
        "ListRequests" Read again Parent,
        "CompleteRequest" Write again Name,
        "GiveConsent" Write again Name,
        "AskOpinion" Write again Name,
        "GiveOpinion" Write again Name,
        "AnswerRequest" Write again Name,
        "ExtendRequest" Write again Name,
        "WithdrawRequest" Write again Name,
        "CreateMixedRequest" Write again Parent,
        "ProposeExtension" Write again Name,
        "AnswerExtension" Write again Name,
        "ClaimReason" Write again Name,
        "RuleOnReason" Write again Name,
        "FileOnBehalf" Write again Parent,
        "GetCaseFile" Read again Name,
        "GetPunctuality" Read again Name,
        "SwitchSeparation" Write again Name,
        "GetSeparation" Read again Name,
        "GetGrant" Read again Name,
        "ListGrants" Read again Parent,
        "SuspendGrant" Write again Name,
        "TerminateGrant" Write again Name,
        "WatchRequests" ServerStream again Parent,
    }
    "luqiao.work.v1.WorkService" {
        "ListWork" Read again Parent,
        "GetCalendarFeed" Read again Parent,
        "ListPrecedents" Read again Name,
        "GetStatistics" Read again Parent,
        "ExplainCall" Read again Parent,
        "ListNotices" Read again Parent,
        "AckNotices" Write again Parent,
        "RegisterWebhook" Write again Parent,
        "ListWebhooks" Read again Parent,
        "RemoveWebhook" Write again Name,
        "ListDeliveries" Read again Name,
    }
}

/// The row of the method at this path; `METHOD_UNKNOWN` for every other path.
pub fn method(path: &str) -> Result<&'static Method, Refusal> {
    METHODS
        .iter()
        .find(|method| method.path == path)
        .ok_or_else(|| Refusal::new(Reason::MethodUnknown).fact("method", repeated(path)))
}

/// A request of which only its first field is read, which every routing field is; a test holds
/// that against the protocol files. What else is in the bytes is skipped.
#[derive(Clone, PartialEq, Eq, Message)]
struct Named {
    #[prost(string, tag = "1")]
    name: String,
}

/// A request whose first field is a message with a name.
#[derive(Clone, PartialEq, Eq, Message)]
struct Wrapped {
    #[prost(message, optional, tag = "1")]
    resource: Option<Named>,
}

/// What a call is about; `None` for methods that name nothing.
///
/// Reads from the bytes of a request exactly what its full decoding would. Bytes that are no
/// message are `MESSAGE_MALFORMED`; a name that is none, or is absent, is `NAME_INVALID`.
pub fn routing_name(method: &Method, call: &[u8]) -> Result<Option<RoutingName>, Refusal> {
    let Some(field) = method.routing.path() else { return Ok(None) };
    let malformed =
        |error: prost::DecodeError| Refusal::new(Reason::MessageMalformed).fact("cause", error);
    let text = match method.routing {
        RoutingField::EntryName | RoutingField::OrganizationName => Wrapped::decode(call)
            .map_err(malformed)?
            .resource
            .map(|resource| resource.name)
            .unwrap_or_default(),
        _ => Named::decode(call).map_err(malformed)?.name,
    };
    if method.routing == RoutingField::ParentOrEvery && text == EVERY_DOMAIN {
        return Ok(Some(RoutingName::EveryDomain));
    }
    name::resource_name(&text, field).map(|name| Some(RoutingName::Resource(name)))
}

#[cfg(test)]
mod tests;
