//! Resource names: how the API and the ledger name a thing (AIP-122).

use std::{fmt, str::FromStr};

use minicbor::{Decode, Encode};

use crate::ids::{
    ContractId, DatasetId, DomainId, DrillId, EmergencyId, EntryId, GrantId, IdError, ObjectionId,
    OrganizationId, PersonId, PersonalObjectionId, ProjectId, PurchaseId, ReportId, RequestId,
    RulingId, ServiceChangeId, SystemId, TransferId, WebhookId,
};

/// The full name of a resource, for instance `domains/xiamen/entries/01J…`.
///
/// The domain is the one that *owns* the thing, but for requests: a case is named where it was
/// first received and keeps that name everywhere.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct ResourceName {
    /// The domain in the name.
    #[n(0)]
    pub domain: DomainId,
    /// What is named within the domain.
    #[n(1)]
    pub resource: Resource,
}

/// The part of a name after its domain.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum Resource {
    /// The domain itself: `domains/{domain}`.
    #[n(0)]
    Domain,
    /// `entries/{id}`
    #[n(1)]
    Entry(#[n(0)] EntryId),
    /// `requests/{id}`
    #[n(2)]
    Request(#[n(0)] RequestId),
    /// `grants/{id}`
    #[n(3)]
    Grant(#[n(0)] GrantId),
    /// `organizations/{id}`
    #[n(4)]
    Organization(#[n(0)] OrganizationId),
    /// `organizations/{id}/persons/{id}`
    #[n(5)]
    Person(#[n(0)] OrganizationId, #[n(1)] PersonId),
    /// `organizations/{id}/systems/{id}`
    #[n(6)]
    System(#[n(0)] OrganizationId, #[n(1)] SystemId),
    /// `service-changes/{id}`
    #[n(9)]
    ServiceChange(#[n(0)] ServiceChangeId),
    /// `rulings/{id}`
    #[n(15)]
    Ruling(#[n(0)] RulingId),
    /// `disputes/{id}`
    #[n(7)]
    Dispute(#[n(0)] crate::ids::DisputeId),
    /// `demands/{id}`
    #[n(8)]
    Demand(#[n(0)] crate::ids::DemandId),
    // Relations and quality.
    /// `objections/{id}`
    #[n(10)]
    Objection(#[n(0)] ObjectionId),
    /// `functionTransfers/{id}`
    #[n(11)]
    FunctionTransfer(#[n(0)] TransferId),
    /// `errorReports/{id}`
    #[n(12)]
    ErrorReport(#[n(0)] ReportId),
    /// `datasets/{id}`
    #[n(13)]
    Dataset(#[n(0)] DatasetId),
    /// `purchases/{id}`
    #[n(14)]
    Purchase(#[n(0)] PurchaseId),
    /// `emergencies/{id}`
    #[n(16)]
    Emergency(#[n(0)] EmergencyId),
    /// `personalObjections/{id}`
    #[n(20)]
    PersonalObjection(#[n(0)] PersonalObjectionId),
    /// `collectionContracts/{id}`
    #[n(21)]
    Contract(#[n(0)] ContractId),
    /// `projects/{id}`
    #[n(22)]
    Project(#[n(0)] ProjectId),
    /// `webhooks/{id}`
    #[n(23)]
    Webhook(#[n(0)] WebhookId),
    /// `drills/{id}`
    #[n(48)]
    Drill(#[n(0)] DrillId),
}

impl ResourceName {
    /// The name of `resource` in `domain`.
    pub fn new(domain: DomainId, resource: Resource) -> Self {
        Self { domain, resource }
    }
}

impl fmt::Display for ResourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "domains/{}", self.domain)?;
        match &self.resource {
            Resource::Domain => Ok(()),
            Resource::Entry(id) => write!(f, "/entries/{id}"),
            Resource::Request(id) => write!(f, "/requests/{id}"),
            Resource::Grant(id) => write!(f, "/grants/{id}"),
            Resource::Organization(id) => write!(f, "/organizations/{id}"),
            Resource::Person(organization, id) => {
                write!(f, "/organizations/{organization}/persons/{id}")
            }
            Resource::System(organization, id) => {
                write!(f, "/organizations/{organization}/systems/{id}")
            }
            Resource::ServiceChange(id) => write!(f, "/service-changes/{id}"),
            Resource::Ruling(id) => write!(f, "/rulings/{id}"),
            Resource::Dispute(id) => write!(f, "/disputes/{id}"),
            Resource::Demand(id) => write!(f, "/demands/{id}"),
            // Relations and quality.
            Resource::Objection(id) => write!(f, "/objections/{id}"),
            Resource::FunctionTransfer(id) => write!(f, "/functionTransfers/{id}"),
            Resource::ErrorReport(id) => write!(f, "/errorReports/{id}"),
            Resource::Dataset(id) => write!(f, "/datasets/{id}"),
            Resource::Purchase(id) => write!(f, "/purchases/{id}"),
            Resource::Emergency(id) => write!(f, "/emergencies/{id}"),
            Resource::PersonalObjection(id) => write!(f, "/personalObjections/{id}"),
            Resource::Contract(id) => write!(f, "/collectionContracts/{id}"),
            Resource::Project(id) => write!(f, "/projects/{id}"),
            Resource::Webhook(id) => write!(f, "/webhooks/{id}"),
            Resource::Drill(id) => write!(f, "/drills/{id}"),
        }
    }
}

impl FromStr for ResourceName {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let unknown = || IdError {
            text: text.to_owned(),
            expected: "a resource name (domains/{domain}/entries/{id}, …/requests/{id}, \
                       …/grants/{id}, …/organizations/{id}[/persons/{id}|/systems/{id}])",
        };
        let mut parts = text.split('/');
        if parts.next() != Some("domains") {
            return Err(unknown());
        }
        let domain = parts.next().ok_or_else(unknown)?.parse()?;
        let rest: Vec<&str> = parts.collect();
        let resource = match rest.as_slice() {
            [] => Resource::Domain,
            ["entries", id] => Resource::Entry(id.parse()?),
            ["requests", id] => Resource::Request(id.parse()?),
            ["grants", id] => Resource::Grant(id.parse()?),
            ["organizations", id] => Resource::Organization(id.parse()?),
            ["organizations", organization, "persons", id] => {
                Resource::Person(organization.parse()?, id.parse()?)
            }
            ["organizations", organization, "systems", id] => {
                Resource::System(organization.parse()?, id.parse()?)
            }
            ["service-changes", id] => Resource::ServiceChange(id.parse()?),
            ["rulings", id] => Resource::Ruling(id.parse()?),
            ["disputes", id] => Resource::Dispute(id.parse()?),
            ["demands", id] => Resource::Demand(id.parse()?),
            // Relations and quality.
            ["objections", id] => Resource::Objection(id.parse()?),
            ["functionTransfers", id] => Resource::FunctionTransfer(id.parse()?),
            ["errorReports", id] => Resource::ErrorReport(id.parse()?),
            ["datasets", id] => Resource::Dataset(id.parse()?),
            ["purchases", id] => Resource::Purchase(id.parse()?),
            ["emergencies", id] => Resource::Emergency(id.parse()?),
            ["personalObjections", id] => Resource::PersonalObjection(id.parse()?),
            ["collectionContracts", id] => Resource::Contract(id.parse()?),
            ["projects", id] => Resource::Project(id.parse()?),
            ["webhooks", id] => Resource::Webhook(id.parse()?),
            ["drills", id] => Resource::Drill(id.parse()?),
            _ => return Err(unknown()),
        };
        Ok(Self { domain, resource })
    }
}

#[cfg(test)]
mod tests;
