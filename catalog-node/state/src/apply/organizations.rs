//! Organizations, persons and systems: who may register whom, with checked credit codes.

pub(crate) mod persons;

use catalog_model::{
    credit_code::{CreditCode, CreditCodeError},
    ids::{OrganizationId, PersonId, SystemId},
    name::{Resource, ResourceName},
    organization::{Organization, Person, PersonRole, PlatformRole, System},
    reason::{Lang, Reason},
    refusal::Refusal,
};

use catalog_mutation::{Mutation, active};

use crate::{
    command::OrganizationContent, event::Event, keys, machine::not_permitted, outcome::Outcome,
    tx::Tx,
};

/// Writes an organization with its indexes.
pub(crate) fn store(tx: &mut Tx<'_>, organization: &Organization) {
    let domain = organization.domain.clone();
    let key = keys::organization(&domain, organization.id);
    if let Some(old) = tx.get::<Organization>(&key) {
        if let Some(code) = &old.credit_code {
            tx.delete(&keys::credit_code(code.as_str()));
        }
        if let Some(role) = old.platform_role {
            tx.delete(&keys::platform_role(role));
        }
        tx.delete(&keys::organization_name(&domain, &old.name));
    }
    tx.put(&key, organization);
    if let Some(code) = &organization.credit_code {
        tx.put(&keys::credit_code(code.as_str()), &organization.id);
    }
    if let Some(role) = organization.platform_role {
        tx.put(&keys::platform_role(role), &organization.id);
    }
    tx.put(&keys::organization_name(&domain, &organization.name), &organization.id);
    tx.emit(Event::OrganizationChanged(name(organization)));
}

fn name(organization: &Organization) -> ResourceName {
    ResourceName::new(organization.domain.clone(), Resource::Organization(organization.id))
}

/// Whether the caller acts for the authority or the platform manager of this domain.
pub(crate) fn is_platform(tx: &Tx<'_>) -> bool {
    tx.caller_organization().is_some_and(|organization| {
        matches!(
            organization.platform_role,
            Some(PlatformRole::Authority | PlatformRole::PlatformManager)
        )
    })
}

/// Whether the caller acts for the authority of this domain.
pub(crate) fn is_authority(tx: &Tx<'_>) -> bool {
    tx.caller_organization()
        .is_some_and(|organization| organization.platform_role == Some(PlatformRole::Authority))
}

/// The organization on file here with this id.
pub(crate) fn on_file(tx: &Tx<'_>, id: OrganizationId) -> Result<Organization, Refusal> {
    tx.get(&keys::organization(tx.domain(), id)).ok_or_else(|| {
        let name = ResourceName::new(tx.domain().clone(), Resource::Organization(id));
        Refusal::new(Reason::OrganizationUnknown).fact("name", name)
    })
}

pub(crate) fn create(
    tx: &mut Tx<'_>,
    id: OrganizationId,
    content: &OrganizationContent,
) -> Result<Outcome, Refusal> {
    if !is_platform(tx) {
        return Err(not_permitted(tx, "the authority or the platform manager"));
    }
    let credit_code = check(tx, id, content)?;
    check_platform_role(tx, id, content)?;
    if tx.has(&keys::organization_name(tx.domain(), &content.name)) {
        return Err(Refusal::new(Reason::AlreadyExists).fact("name", &content.name));
    }
    let organization = Organization {
        id,
        domain: tx.domain().clone(),
        name: content.name.clone(),
        name_en: content.name_en.clone(),
        verified: credit_code.is_some() && content.class.is_some(),
        credit_code,
        class: content.class,
        capacities: in_order(&content.capacities),
        platform_role: content.platform_role,
        region_code: content.region_code.clone(),
        version: 1,
        created_time: tx.clock,
        updated_time: tx.clock,
    };
    store(tx, &organization);
    Ok(Outcome::Done(Some(name(&organization))))
}

pub(crate) fn update(
    tx: &mut Tx<'_>,
    id: OrganizationId,
    version: u64,
    content: &OrganizationContent,
) -> Result<Outcome, Refusal> {
    if !is_platform(tx) {
        return Err(not_permitted(tx, "the authority or the platform manager"));
    }
    let old = on_file(tx, id)?;
    same_version(old.version, version)?;
    let credit_code = check(tx, id, content)?;
    check_platform_role(tx, id, content)?;
    let taken: Option<OrganizationId> =
        tx.get(&keys::organization_name(tx.domain(), &content.name));
    if taken.is_some_and(|other| other != id) {
        return Err(Refusal::new(Reason::AlreadyExists).fact("name", &content.name));
    }
    let organization = Organization {
        name: content.name.clone(),
        name_en: content.name_en.clone(),
        verified: credit_code.is_some() && content.class.is_some(),
        credit_code,
        class: content.class,
        capacities: in_order(&content.capacities),
        platform_role: content.platform_role,
        region_code: content.region_code.clone(),
        version: old.version + 1,
        updated_time: tx.clock,
        ..old
    };
    store(tx, &organization);
    Ok(Outcome::Done(Some(name(&organization))))
}

pub(crate) fn create_person(
    tx: &mut Tx<'_>,
    id: PersonId,
    organization: OrganizationId,
    display_name: &str,
    roles: &[PersonRole],
) -> Result<Outcome, Refusal> {
    may_file_for(tx, organization)?;
    on_file(tx, organization)?;
    let person = Person {
        id,
        organization,
        display_name: display_name.to_owned(),
        roles: in_order(roles),
        version: 1,
        created_time: tx.clock,
        updated_time: tx.clock,
        terms: None,
    };
    tx.put(&keys::person(&tx.domain().clone(), organization, id), &person);
    Ok(done(tx, Resource::Person(organization, id)))
}

pub(crate) fn create_system(
    tx: &mut Tx<'_>,
    id: SystemId,
    organization: OrganizationId,
    display_name: &str,
    description: &str,
) -> Result<Outcome, Refusal> {
    may_file_for(tx, organization)?;
    on_file(tx, organization)?;
    let system = System {
        id,
        organization,
        display_name: display_name.to_owned(),
        description: description.to_owned(),
        version: 1,
        created_time: tx.clock,
        updated_time: tx.clock,
    };
    tx.put(&keys::system(&tx.domain().clone(), organization, id), &system);
    Ok(done(tx, Resource::System(organization, id)))
}

fn done(tx: &mut Tx<'_>, resource: Resource) -> Outcome {
    let name = ResourceName::new(tx.domain().clone(), resource);
    tx.emit(Event::OrganizationChanged(name.clone()));
    Outcome::Done(Some(name))
}

/// An organization files for itself; the platform files for anybody.
fn may_file_for(tx: &Tx<'_>, organization: OrganizationId) -> Result<(), Refusal> {
    let own = tx.caller_organization().is_some_and(|caller| caller.id == organization);
    if own || is_platform(tx) {
        Ok(())
    } else {
        Err(not_permitted(tx, "the organization itself, the authority or the platform manager"))
    }
}

/// A domain has one authority, one platform manager and one government.
fn check_platform_role(
    tx: &Tx<'_>,
    id: OrganizationId,
    content: &OrganizationContent,
) -> Result<(), Refusal> {
    let Some(role) = content.platform_role else { return Ok(()) };
    match tx.get::<OrganizationId>(&keys::platform_role(role)) {
        Some(other) if other != id => {
            let name = ResourceName::new(tx.domain().clone(), Resource::Organization(other));
            let (en, zh) = ("another organization has this role", "该角色已由其他单位担任");
            let field = "organization.platform_role";
            Err(Refusal::new(Reason::AlreadyExists).fact("name", name).field(field, en, zh))
        }
        _ => Ok(()),
    }
}

/// The checked credit code of `content`; an absent one is allowed while unverified.
fn check(
    tx: &Tx<'_>,
    id: OrganizationId,
    content: &OrganizationContent,
) -> Result<Option<CreditCode>, Refusal> {
    if content.name.trim().is_empty() {
        return Err(Refusal::new(Reason::FieldInvalid).field(
            "organization.display_name",
            "a name is needed",
            "必须填写名称",
        ));
    }
    if content.credit_code.is_empty() {
        return Ok(None);
    }
    let code: CreditCode = content.credit_code.parse().map_err(|cause: CreditCodeError| {
        Refusal::new(Reason::CreditCodeInvalid)
            .fact("code", &content.credit_code)
            .fact("cause", cause.fault.text(Lang::En))
    })?;
    match tx.get::<OrganizationId>(&keys::credit_code(code.as_str())) {
        Some(other) if other != id => {
            let name = ResourceName::new(tx.domain().clone(), Resource::Organization(other));
            Err(Refusal::new(Reason::CreditCodeTaken)
                .fact("code", code.as_str())
                .fact("name", name))
        }
        _ => Ok(Some(code)),
    }
}

/// `"v{version}"` against what the caller read.
pub(crate) fn same_version(actual: u64, expected: u64) -> Result<(), Refusal> {
    if actual == expected || active(Mutation::VersionIgnored) {
        Ok(())
    } else {
        Err(Refusal::new(Reason::EtagMismatch)
            .fact("actual", format!("\"v{actual}\""))
            .fact("expected", format!("\"v{expected}\"")))
    }
}

/// Each value once, in order.
pub(crate) fn in_order<T: Ord + Clone>(values: &[T]) -> Vec<T> {
    values.iter().cloned().collect::<std::collections::BTreeSet<_>>().into_iter().collect()
}
