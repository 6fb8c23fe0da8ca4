//! `OrganizationService`: organizations, their persons and their systems.

use catalog_model::{
    ids::{OrganizationId, PersonId, SystemId},
    name::{Resource, ResourceName},
    organization::{Organization, Person, System},
    reason::Reason,
    refusal::Refusal,
};
use catalog_state::{
    command::{Body, OrganizationContent, catalog::CatalogCommand},
    keys::{Key, Table},
    outcome::Outcome,
};
use luqiao_proto::{
    convert::{
        name::{domain_name, organization_name, person_name, system_name},
        organization::{
            OrganizationContent as Stated, apply_organization_mask, organization_message,
            person_message, read_organization_content, read_person_content, read_system_content,
            read_terms, system_message,
        },
        stated,
    },
    organization::v1::{
        self as message, CreateOrganizationRequest, CreatePersonRequest, CreateSystemRequest,
        GetOrganizationRequest, GetPersonRequest, GetSystemRequest, ListOrganizationsRequest,
        ListOrganizationsResponse, ListPersonsRequest, ListPersonsResponse, ListSystemsRequest,
        ListSystemsResponse, UpdateOrganizationRequest, UpdatePersonRequest,
    },
};

use super::{Call, Look, Reply, draw, not_found, paging, version_in};

pub(super) async fn create(call: &Call) -> Result<Reply, Refusal> {
    let request: CreateOrganizationRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    call.look_now(|look| look.own(&domain))?;
    let organization = stated(request.organization.as_ref(), "organization")?;
    let content = content(read_organization_content(organization, "organization")?);
    let body = Body::CreateOrganization { id: OrganizationId(draw()), content };
    call.write(&request.request_id, body, shown).await
}

pub(super) async fn get(call: &Call) -> Result<Reply, Refusal> {
    let request: GetOrganizationRequest = call.decode()?;
    let (domain, id) = organization_name(&request.name, "name")?;
    call.read(move |look| {
        let organization = look.view().organization(&domain, id);
        organization.as_ref().map(organization_message).ok_or_else(|| not_found(&request.name))
    })
    .await
}

pub(super) async fn list(call: &Call) -> Result<Reply, Refusal> {
    let mut request: ListOrganizationsRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    let size = paging::size(std::mem::take(&mut request.page_size))?;
    let token = std::mem::take(&mut request.page_token);
    let query = paging::query_digest(call.method.path, &call.caller.to_string(), &request);
    call.read(move |look| {
        let from = paging::open(look.page_key(), &query, &token)?;
        let prefix = Key::table(Table::Organization).domain(&domain);
        let page =
            look.view()
                .page::<Organization>(&prefix, from.as_deref(), size, paging::SCAN, |_| true);
        Ok(ListOrganizationsResponse {
            organizations: page.rows.iter().map(organization_message).collect(),
            next_page_token: next(look, &query, page.next),
        })
    })
    .await
}

pub(super) async fn update(call: &Call) -> Result<Reply, Refusal> {
    let request: UpdateOrganizationRequest = call.decode()?;
    let organization = stated(request.organization.as_ref(), "organization")?;
    let (domain, id) = organization_name(&organization.name, "organization.name")?;
    let version = version_in(&organization.etag, "organization.etag")?;
    let content = call.look_now(|look| {
        look.own(&domain)?;
        let current = look.view().organization(&domain, id);
        let current = current.ok_or_else(|| not_found(&organization.name))?;
        let mask = request.update_mask.as_ref();
        apply_organization_mask(Stated::of(&current), organization, mask, "organization")
            .map(content)
    })?;
    call.write(&request.request_id, Body::UpdateOrganization { id, version, content }, shown).await
}

pub(super) async fn create_person(call: &Call) -> Result<Reply, Refusal> {
    let request: CreatePersonRequest = call.decode()?;
    let (domain, organization) = organization_name(&request.parent, "parent")?;
    call.look_now(|look| look.own(&domain))?;
    let person = stated(request.person.as_ref(), "person")?;
    let stated = read_person_content(person, "person")?;
    let body = Body::CreatePerson {
        id: PersonId(draw()),
        organization,
        display_name: stated.display_name,
        roles: stated.roles,
    };
    call.write(&request.request_id, body, |look, outcome| {
        let Resource::Person(organization, id) = done(outcome)?.resource else {
            return Err(Refusal::new(Reason::Internal));
        };
        let person = look.view().person(look.domain(), organization, id);
        person.map(|person| person_message(look.domain(), &person)).ok_or_else(|| not_found(id))
    })
    .await
}

pub(super) async fn get_person(call: &Call) -> Result<Reply, Refusal> {
    let request: GetPersonRequest = call.decode()?;
    let (domain, organization, id) = person_name(&request.name, "name")?;
    call.read(move |look| {
        let person = look.view().person(&domain, organization, id);
        let person = person.filter(|_| sees_persons(look, organization));
        person
            .map(|person| person_message(&domain, &person))
            .ok_or_else(|| not_found(&request.name))
    })
    .await
}

pub(super) async fn list_persons(call: &Call) -> Result<Reply, Refusal> {
    let mut request: ListPersonsRequest = call.decode()?;
    let (domain, organization) = organization_name(&request.parent, "parent")?;
    let size = paging::size(std::mem::take(&mut request.page_size))?;
    let token = std::mem::take(&mut request.page_token);
    let query = paging::query_digest(call.method.path, &call.caller.to_string(), &request);
    call.read(move |look| {
        let from = paging::open(look.page_key(), &query, &token)?;
        known(look, &domain, organization, &request.parent)?;
        if !sees_persons(look, organization) {
            return Err(not_found(&request.parent));
        }
        let prefix = Key::table(Table::Person).domain(&domain).id(organization.to_bytes());
        let page =
            look.view().page::<Person>(&prefix, from.as_deref(), size, paging::SCAN, |_| true);
        Ok(ListPersonsResponse {
            persons: page.rows.iter().map(|person| person_message(&domain, person)).collect(),
            next_page_token: next(look, &query, page.next),
        })
    })
    .await
}

pub(super) async fn update_person(call: &Call) -> Result<Reply, Refusal> {
    let request: UpdatePersonRequest = call.decode()?;
    let (domain, organization, id) = person_name(&request.name, "name")?;
    let version = version_in(&request.etag, "etag")?;
    let person = stated(request.person.as_ref(), "person")?;
    let terms = read_terms(&person.terms, "person.terms")?;
    let known = call.look_now(|look| {
        look.own(&domain)?;
        let person = look.view().person(&domain, organization, id);
        person.filter(|_| sees_persons(look, organization)).ok_or_else(|| not_found(&request.name))
    })?;
    let display_name = match person.display_name.as_str() {
        "" => known.display_name,
        name => name.to_owned(),
    };
    let command =
        CatalogCommand::UpdatePerson { organization, person: id, version, display_name, terms };
    call.write(&request.request_id, Body::Catalog(Box::new(command)), move |look, _| {
        let person = look.view().person(&domain, organization, id);
        person.map(|person| person_message(&domain, &person)).ok_or_else(|| not_found(id))
    })
    .await
}

pub(super) async fn create_system(call: &Call) -> Result<Reply, Refusal> {
    let request: CreateSystemRequest = call.decode()?;
    let (domain, organization) = organization_name(&request.parent, "parent")?;
    call.look_now(|look| look.own(&domain))?;
    let stated = read_system_content(stated(request.system.as_ref(), "system")?);
    let body = Body::CreateSystem {
        id: SystemId(draw()),
        organization,
        display_name: stated.display_name,
        description: stated.description,
    };
    call.write(&request.request_id, body, |look, outcome| {
        let Resource::System(organization, id) = done(outcome)?.resource else {
            return Err(Refusal::new(Reason::Internal));
        };
        let system = look.view().system(look.domain(), organization, id);
        system.map(|system| system_message(look.domain(), &system)).ok_or_else(|| not_found(id))
    })
    .await
}

pub(super) async fn get_system(call: &Call) -> Result<Reply, Refusal> {
    let request: GetSystemRequest = call.decode()?;
    let (domain, organization, id) = system_name(&request.name, "name")?;
    call.read(move |look| {
        let system = look.view().system(&domain, organization, id);
        system
            .map(|system| system_message(&domain, &system))
            .ok_or_else(|| not_found(&request.name))
    })
    .await
}

pub(super) async fn list_systems(call: &Call) -> Result<Reply, Refusal> {
    let mut request: ListSystemsRequest = call.decode()?;
    let (domain, organization) = organization_name(&request.parent, "parent")?;
    let size = paging::size(std::mem::take(&mut request.page_size))?;
    let token = std::mem::take(&mut request.page_token);
    let query = paging::query_digest(call.method.path, &call.caller.to_string(), &request);
    call.read(move |look| {
        let from = paging::open(look.page_key(), &query, &token)?;
        known(look, &domain, organization, &request.parent)?;
        let prefix = Key::table(Table::System).domain(&domain).id(organization.to_bytes());
        let page =
            look.view().page::<System>(&prefix, from.as_deref(), size, paging::SCAN, |_| true);
        Ok(ListSystemsResponse {
            systems: page.rows.iter().map(|system| system_message(&domain, system)).collect(),
            next_page_token: next(look, &query, page.next),
        })
    })
    .await
}

/// Persons are personal data: their own organization and the platform's see them.
fn sees_persons(look: &Look<'_>, organization: OrganizationId) -> bool {
    look.caller.organization() == Some(organization) || look.is_platform()
}

fn known(
    look: &Look<'_>,
    domain: &catalog_model::ids::DomainId,
    organization: OrganizationId,
    name: &str,
) -> Result<(), Refusal> {
    look.own(domain)?;
    look.view().organization(domain, organization).map(drop).ok_or_else(|| not_found(name))
}

fn shown(look: &Look<'_>, outcome: &Outcome) -> Result<message::Organization, Refusal> {
    let name = done(outcome)?;
    let Resource::Organization(id) = name.resource else {
        return Err(Refusal::new(Reason::Internal));
    };
    let organization = look.view().organization(&name.domain, id);
    organization.as_ref().map(organization_message).ok_or_else(|| not_found(name))
}

fn content(stated: Stated) -> OrganizationContent {
    OrganizationContent {
        name: stated.name,
        name_en: stated.name_en,
        credit_code: stated.credit_code.map(|code| code.to_string()).unwrap_or_default(),
        class: stated.class,
        capacities: stated.capacities,
        platform_role: stated.platform_role,
        region_code: stated.region_code,
    }
}

/// The resource that a command made or changed.
pub(super) fn done(outcome: &Outcome) -> Result<ResourceName, Refusal> {
    match outcome {
        Outcome::Done(Some(name)) => Ok(name.clone()),
        _ => Err(Refusal::new(Reason::Internal)),
    }
}

/// The token of the next page; empty if there is none.
pub(super) fn next(look: &Look<'_>, query: &[u8; 32], next: Option<Vec<u8>>) -> String {
    next.map(|next| paging::seal(look.page_key(), query, &next)).unwrap_or_default()
}
