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
}

impl Method {
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
    ($($service:literal { $($method:literal $kind:ident $retry:ident $routing:ident,)* })*) => {
        /// Every method of the public packages.
        pub const METHODS: &[Method] = &[$($(Method {
            path: concat!("/", $service, "/", $method),
            kind: MethodKind::$kind,
            safe_to_retry: methods!(@ $retry),
            routing: RoutingField::$routing,
        },)*)*];
    };
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
    "luqiao.federation.v1.FederationService" {
        "DescribeDomain" Read again None,
        "FollowFeed" ServerStream again None,
        "ForwardRequest" Write again None,
        "RelayStatus" Write again None,
    }
    "luqiao.ledger.v1.LedgerService" {
        "GetTreeHead" Read again Parent,
        "GetReceipt" Read again Name,
        "GetConsistencyProof" Read again Parent,
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
        "CreateSystem" Write again Parent,
        "GetSystem" Read again Name,
        "ListSystems" Read again Parent,
    }
    "luqiao.rule.v1.RuleService" {
        "GetRulePack" Read again None,
        "ListRulePacks" Read again None,
        "GetCalendar" Read again None,
        "ListCalendars" Read again None,
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
