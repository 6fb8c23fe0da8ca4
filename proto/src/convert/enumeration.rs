//! Enumerations: one member of the model for each number but 0, and the compiler counts them.

use catalog_model::{
    catalog_entry::{
        AssessmentKind, DataFormat, EntryState, ItemType, OpenType, SharingMethod, UpdateCycle,
    },
    demand::DemandState,
    dispute::DisputeState,
    grant::GrantState,
    organization::{DataKind, PartyClass, PersonRole, PlatformRole},
    overdue::HearingOutcome,
    rule::Rank,
    share_request::{Commitment, Decider, PartyRole, ShareRequestState},
    sharing::SharingKind,
};

use crate::{
    catalog::v1 as catalog, organization::v1 as organization, rule::v1 as rule,
    sharing::v1 as sharing,
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
    HearingOutcome = sharing::HearingOutcome { Counted, Excused }
    DisputeState = sharing::DisputeState {
        Raised, Consulting, Coordinating, BeforeGovernment, Agreed, Decided,
    }
    DemandState = sharing::DemandState {
        Filed, PreReviewed, Routed, Confirmed, Disputed, Supplied, Closed,
    }
}
