//! Enumerations: one member of the model for each number but 0, and the compiler counts them.

use catalog_model::{
    acquisition::{CollectionResult, ContractState, EmergencyState, PurchaseState},
    attribute_objection::{ObjectionState, Side},
    catalog_entry::{
        AssessmentKind, DataFormat, EntryState, ItemType, OpenType, SecrecyMark, SelfCheckKind,
        SharingMethod, UpdateCycle,
    },
    dataset::DatasetKind,
    demand::DemandState,
    dispute::DisputeState,
    entry_file::{ChangeTrigger, ReviewOutcome, SuspensionGround},
    function_transfer::TransferState,
    grant::{
        DeliveryProof, DisposalManner, GrantState, MisuseGround, PurposeEndKind, WiderUseKind,
    },
    organization::{DataKind, PartyClass, PersonRole, PlatformRole},
    overdue::HearingOutcome,
    quality::{Desk, Dimension, PersonalObjectionState, ReportState},
    rule::Rank,
    service_change::{ServiceChangeCause, ServiceChangeKind, ServiceChangeState},
    share_request::{Commitment, Decider, PartyRole, ShareRequestState},
    sharing::SharingKind,
    use_record::UseField,
};

use crate::{
    catalog::v1 as catalog, entry::v1 as entry, organization::v1 as organization,
    quality::v1 as quality, relations::v1 as relations, rule::v1 as rule, sharing::v1 as sharing,
};

/// An enumeration of the model that messages carry as a number.
pub(crate) trait Enumerated: Copy {
    /// The number in messages; never 0, which says "unspecified".
    fn number(self) -> i32;

    /// The member with this number; none for 0 and for numbers unknown to this version.
    fn from_number(number: i32) -> Option<Self>;
}

/// The number of a member that may be absent.
pub(crate) fn number<E: Enumerated>(member: Option<E>) -> i32 {
    member.map_or(0, E::number)
}

/// The numbers of a list.
pub(crate) fn numbers<E: Enumerated>(members: &[E]) -> Vec<i32> {
    members.iter().map(|member| member.number()).collect()
}

// Both matches are exhaustive: a member that one side lacks does not compile.
macro_rules! enumerated {
    ($($model:ident = $message:ty { $($member:ident),* $(,)? })*) => {$(
        impl Enumerated for $model {
            fn number(self) -> i32 {
                match self { $(Self::$member => <$message>::$member as i32,)* }
            }

            fn from_number(number: i32) -> Option<Self> {
                match <$message>::try_from(number).ok()? {
                    <$message>::Unspecified => None,
                    $(<$message>::$member => Some(Self::$member),)*
                }
            }
        }
    )*};
}

enumerated! {
    EntryState = catalog::EntryState {
        ImportedDraft, Draft, Submitted, Published, ChangePending, ChangeSubmitted, Withdrawn,
        Suspended, Archived,
    }
    SharingKind = catalog::SharingKind { Unconditional, Conditional, NotShared }
    DataFormat = catalog::DataFormat {
        Document, Spreadsheet, Database, Image, Media, SelfDescribing, ServiceInterface,
    }
    ItemType = catalog::ItemType {
        Character, Numeric, Currency, Date, DateTime, Logical, Memo, General, Double, Integer, Float,
    }
    UpdateCycle = catalog::UpdateCycle {
        Realtime, SubDay, Day, Week, Month, Quarter, HalfYear, Year, Irregular,
    }
    SharingMethod = catalog::SharingMethod { ServiceInterface, BatchExchange, FileDownload }
    OpenType = catalog::OpenType { Unconditional, OnApplication, Secure }
    AssessmentKind = catalog::AssessmentKind { SecrecyRisk, PersonalInformationImpact }
    SelfCheckKind = catalog::SelfCheckKind { Compliance, Safety, Usability }
    SecrecyMark = catalog::SecrecyMark { StateSecret, WorkSecret }
    ChangeTrigger = entry::ChangeTrigger {
        Law, AdministrativeRegulation, StateCouncilDecision, Duty, Resource,
    }
    ReviewOutcome = entry::ReviewOutcome { Kept, ToBeWidened, ToBeNarrowed }
    SuspensionGround = entry::SuspensionGround { Leak, StateSecret, WorkSecret }

    PartyClass = organization::PartyClass {
        GovernmentDepartment, LawAuthorizedOrganization, OtherStateOrgan,
        PublicServiceOrganization, Society, Developer,
    }
    DataKind = organization::DataKind { GovernmentData, PublicServiceData }
    PlatformRole = organization::PlatformRole { Authority, PlatformManager, Government }
    PersonRole = organization::PersonRole {
        DepartmentHead, SharingOfficeHead, ChiefDataOfficer, Operator,
    }

    Rank = rule::Rank {
        Law, AdministrativeRegulation, StateCouncilDecision, SpecialZoneRegulation,
        LocalRegulation, DepartmentRule, LocalGovernmentRule, NormativeDocument, Plan,
        OtherStatePolicy, HouseRule,
    }

    ShareRequestState = sharing::ShareRequestState {
        Submitted, Forwarded, CompletionAsked, Agreed, AgreedInPart, Refused, Withdrawn,
        NotCompleted,
    }
    PartyRole = sharing::PartyRole {
        Requester, Provider, Authority, AuthorityAndProvider, PlatformManager,
        GovernmentOrSuperior,
    }
    Decider = sharing::Decider { Provider, Authority, AuthorityWithProvider }
    Commitment = sharing::Commitment {
        ScenarioAuthentic, ScenarioCompliant, ScenarioSecure, RequestAuthentic, RequestLawful,
        RequestNecessary,
    }
    GrantState = sharing::GrantState {
        Granted, Suspended, Terminated, Offered, Delivered, Active, PurposeEnded, Disposed, Ended,
    }
    DeliveryProof = sharing::DeliveryProof { Retrieval, Acknowledgement }
    MisuseGround = sharing::MisuseGround { BeyondScope, BeyondPurpose, ThirdParty }
    PurposeEndKind = sharing::PurposeEndKind { Met, Impossible, NotNeeded }
    DisposalManner = sharing::DisposalManner { Destroyed, Returned, Deidentified, Sealed }
    WiderUseKind = sharing::WiderUseKind { ThirdParty, OtherPurpose }
    ServiceChangeKind = sharing::ServiceChangeKind { End, Narrow, Change }
    ServiceChangeCause = sharing::ServiceChangeCause {
        FunctionsChanged, LawChanged, SourceEnded, Leak, Secret, Other,
    }
    ServiceChangeState = sharing::ServiceChangeState {
        Proposed, Negotiated, Filed, Effective, Abandoned,
    }
    UseField = sharing::UseField {
        Scenario, Process, Effect, Storage, Destruction, Purpose, User, Approver, Content, Time,
        Manner, Medium,
    }

    DatasetKind = relations::DatasetKind { Table, File, Interface }
    CollectionResult = relations::CollectionResult { Clear, Excused, Duplicated }
    TransferState = relations::TransferState {
        Drafted, Cosigned, Filed, Returned, Approved, Completed,
    }
    ObjectionState = relations::ObjectionState { Raised, Consulting, Agreed, Escalated, Decided }
    Side = relations::Side { Authority, Provider }
    EmergencyState = relations::EmergencyState { Active, Ended, Assessed, Treated, AppsClosed }
    PurchaseState = relations::PurchaseState { Requested, Merged, Approved, Bought, Refused }
    ContractState = relations::ContractState { Active, Ended, Returned, Deleted }

    Dimension = quality::Dimension { Truth, Completeness, Accuracy, Timeliness, Usability }
    Desk = quality::Desk { Provider, Authority }
    ReportState = quality::ReportState {
        Filed, Verifying, Confirmed, Corrected, NotConfirmed, FedBack, Propagated, Closed,
    }
    PersonalObjectionState = quality::PersonalObjectionState {
        Filed, Verifying, Corrected, Rejected,
    }
    HearingOutcome = sharing::HearingOutcome { Counted, Excused }
    DisputeState = sharing::DisputeState {
        Raised, Consulting, Coordinating, BeforeGovernment, Agreed, Decided,
    }
    DemandState = sharing::DemandState {
        Filed, PreReviewed, Routed, Confirmed, Disputed, Supplied, Closed,
    }
}
