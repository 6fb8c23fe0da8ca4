//! Names in calls: does the text name a resource of the kind that is wanted here?

use catalog_model::{
    ids::{
        ContractId, DatasetId, DemandId, DisputeId, DomainId, DrillId, EmergencyId, EntryId,
        GrantId, ObjectionId, OrganizationId, PersonId, PersonalObjectionId, ProjectId, PurchaseId,
        ReportId, RequestId, ServiceChangeId, SystemId, TransferId,
    },
    name::{Resource, ResourceName},
    refusal::Refusal,
};

use crate::convert::reading::{At, Reading};

/// A kind of name: how it looks, and what is taken from a name of that kind.
pub(crate) struct Kind<T> {
    pub(crate) form: &'static str,
    pub(crate) take: fn(ResourceName) -> Option<T>,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $function:ident, $kind:ident: $type:ty, $form:literal, $name:ident => $take:expr;)*) => {$(
        pub(crate) const $kind: Kind<$type> = Kind { form: $form, take: |$name| $take };

        $(#[$doc])*
        ///
        /// Anything else in `field` is refused as `NAME_INVALID`.
        pub fn $function(text: &str, field: &str) -> Result<$type, Refusal> {
            let mut reading = Reading::new();
            let named = reading.name(At::Root(field), text, &$kind);
            reading.finish(named)
        }
    )*};
}

kinds! {
    /// Any resource.
    resource_name, RESOURCE: ResourceName, "domains/{domain}/…", name => Some(name);
    /// `domains/{domain}`
    domain_name, DOMAIN: DomainId, "domains/{domain}",
        name => matches!(name.resource, Resource::Domain).then_some(name.domain);
    /// `domains/{domain}/entries/{id}`
    entry_name, ENTRY: (DomainId, EntryId), "domains/{domain}/entries/{id}", name => {
        let Resource::Entry(id) = name.resource else { return None };
        Some((name.domain, id))
    };
    /// `domains/{domain}/requests/{id}`
    request_name, REQUEST: (DomainId, RequestId), "domains/{domain}/requests/{id}", name => {
        let Resource::Request(id) = name.resource else { return None };
        Some((name.domain, id))
    };
    /// `domains/{domain}/grants/{id}`
    grant_name, GRANT: (DomainId, GrantId), "domains/{domain}/grants/{id}", name => {
        let Resource::Grant(id) = name.resource else { return None };
        Some((name.domain, id))
    };
    /// `domains/{domain}/service-changes/{id}`
    service_change_name, SERVICE_CHANGE: (DomainId, ServiceChangeId),
        "domains/{domain}/service-changes/{id}", name => {
        let Resource::ServiceChange(id) = name.resource else { return None };
        Some((name.domain, id))
    };
    /// `domains/{domain}/disputes/{id}`
    dispute_name, DISPUTE: (DomainId, DisputeId), "domains/{domain}/disputes/{id}", name => {
        let Resource::Dispute(id) = name.resource else { return None };
        Some((name.domain, id))
    };
    /// `domains/{domain}/demands/{id}`
    demand_name, DEMAND: (DomainId, DemandId), "domains/{domain}/demands/{id}", name => {
        let Resource::Demand(id) = name.resource else { return None };
        Some((name.domain, id))
    };
    /// `domains/{domain}/drills/{id}`
    drill_name, DRILL: (DomainId, DrillId), "domains/{domain}/drills/{id}", name => {
        let Resource::Drill(id) = name.resource else { return None };
        Some((name.domain, id))
    };
    /// `domains/{domain}/organizations/{id}`
    organization_name, ORGANIZATION: (DomainId, OrganizationId),
        "domains/{domain}/organizations/{id}", name => {
        let Resource::Organization(id) = name.resource else { return None };
        Some((name.domain, id))
    };
    /// `domains/{domain}/organizations/{id}/persons/{id}`
    person_name, PERSON: (DomainId, OrganizationId, PersonId),
        "domains/{domain}/organizations/{id}/persons/{id}", name => {
        let Resource::Person(organization, id) = name.resource else { return None };
        Some((name.domain, organization, id))
    };
    /// `domains/{domain}/organizations/{id}/systems/{id}`
    system_name, SYSTEM: (DomainId, OrganizationId, SystemId),
        "domains/{domain}/organizations/{id}/systems/{id}", name => {
        let Resource::System(organization, id) = name.resource else { return None };
        Some((name.domain, organization, id))
    };
    // Relations and quality.
    /// `domains/{domain}/datasets/{id}`
    dataset_name, DATASET: (DomainId, DatasetId), "domains/{domain}/datasets/{id}", name => {
        let Resource::Dataset(id) = name.resource else { return None };
        Some((name.domain, id))
    };
    /// `domains/{domain}/functionTransfers/{id}`
    transfer_name, TRANSFER: (DomainId, TransferId), "domains/{domain}/functionTransfers/{id}", name => {
        let Resource::FunctionTransfer(id) = name.resource else { return None };
        Some((name.domain, id))
    };
    /// `domains/{domain}/objections/{id}`
    objection_name, OBJECTION: (DomainId, ObjectionId), "domains/{domain}/objections/{id}", name => {
        let Resource::Objection(id) = name.resource else { return None };
        Some((name.domain, id))
    };
    /// `domains/{domain}/emergencies/{id}`
    emergency_name, EMERGENCY: (DomainId, EmergencyId), "domains/{domain}/emergencies/{id}", name => {
        let Resource::Emergency(id) = name.resource else { return None };
        Some((name.domain, id))
    };
    /// `domains/{domain}/purchases/{id}`
    purchase_name, PURCHASE: (DomainId, PurchaseId), "domains/{domain}/purchases/{id}", name => {
        let Resource::Purchase(id) = name.resource else { return None };
        Some((name.domain, id))
    };
    /// `domains/{domain}/collectionContracts/{id}`
    contract_name, CONTRACT: (DomainId, ContractId), "domains/{domain}/collectionContracts/{id}", name => {
        let Resource::Contract(id) = name.resource else { return None };
        Some((name.domain, id))
    };
    /// `domains/{domain}/projects/{id}`
    project_name, PROJECT: (DomainId, ProjectId), "domains/{domain}/projects/{id}", name => {
        let Resource::Project(id) = name.resource else { return None };
        Some((name.domain, id))
    };
    /// `domains/{domain}/errorReports/{id}`
    report_name, REPORT: (DomainId, ReportId), "domains/{domain}/errorReports/{id}", name => {
        let Resource::ErrorReport(id) = name.resource else { return None };
        Some((name.domain, id))
    };
    /// `domains/{domain}/personalObjections/{id}`
    personal_objection_name, PERSONAL_OBJECTION: (DomainId, PersonalObjectionId), "domains/{domain}/personalObjections/{id}", name => {
        let Resource::PersonalObjection(id) = name.resource else { return None };
        Some((name.domain, id))
    };
}

/// The full name of a resource, as text.
pub fn full_name(domain: &DomainId, resource: Resource) -> String {
    ResourceName::new(domain.clone(), resource).to_string()
}
