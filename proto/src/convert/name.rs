//! Names in calls: does the text name a resource of the kind that is wanted here?

use catalog_model::{
    ids::{
        DemandId, DisputeId, DomainId, EntryId, GrantId, OrganizationId, PersonId, RequestId,
        SystemId,
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
}

/// The full name of a resource, as text.
pub fn full_name(domain: &DomainId, resource: Resource) -> String {
    ResourceName::new(domain.clone(), resource).to_string()
}
