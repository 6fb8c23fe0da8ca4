//! Organizations, their persons and systems: shown, and written by those who register them.

use catalog_model::{
    credit_code::CreditCode,
    ids::DomainId,
    name::Resource,
    organization::{
        DataKind, Organization, PartyClass, Person, PersonRole, PlatformRole, RoleTerm, System,
    },
    reason::{Lang, Reason},
    refusal::Refusal,
};
use prost_types::FieldMask;

use crate::{
    convert::{
        enumeration::{Enumerated as _, number, numbers},
        etag,
        mask::masked,
        name::full_name,
        reading::{At, Reading, repeated},
        time::timestamp,
    },
    organization::v1 as message,
};

/// The fields of an organization that can be updated, by their names in the message.
pub const EDITABLE: &[&str] = &[
    "display_name",
    "display_name_en",
    "credit_code",
    "party_class",
    "capacities",
    "platform_role",
    "region_code",
];

/// What is written about an organization.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OrganizationContent {
    /// Its name; empty if not stated.
    pub name: String,
    /// Its English name; empty if none.
    pub name_en: String,
    /// Its unified social credit code.
    pub credit_code: Option<CreditCode>,
    /// Its class.
    pub class: Option<PartyClass>,
    /// The kinds of catalog which it may compile, in order, each once.
    pub capacities: Vec<DataKind>,
    /// Its part for the platform.
    pub platform_role: Option<PlatformRole>,
    /// GB/T 2260 code of its seat; empty if not stated.
    pub region_code: String,
}

/// What is written about a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonContent {
    /// The name; empty if not stated.
    pub display_name: String,
    /// The roles, in order, each once.
    pub roles: Vec<PersonRole>,
}

/// What is written about a system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemContent {
    /// Its name; empty if not stated.
    pub display_name: String,
    /// What it does, in words.
    pub description: String,
}

impl OrganizationContent {
    /// What is on file, to apply a mask to.
    pub fn of(organization: &Organization) -> Self {
        Self {
            name: organization.name.clone(),
            name_en: organization.name_en.clone(),
            credit_code: organization.credit_code,
            class: organization.class,
            capacities: organization.capacities.clone(),
            platform_role: organization.platform_role,
            region_code: organization.region_code.clone(),
        }
    }
}

/// The organization as a message.
pub fn organization_message(organization: &Organization) -> message::Organization {
    message::Organization {
        name: full_name(&organization.domain, Resource::Organization(organization.id)),
        display_name: organization.name.clone(),
        display_name_en: organization.name_en.clone(),
        credit_code: organization.credit_code.map(|code| code.to_string()).unwrap_or_default(),
        party_class: number(organization.class),
        capacities: numbers(&organization.capacities),
        platform_role: number(organization.platform_role),
        region_code: organization.region_code.clone(),
        verified: organization.verified,
        etag: etag(organization.version),
        create_time: Some(timestamp(organization.created_time)),
        update_time: Some(timestamp(organization.updated_time)),
    }
}

/// The person as a message; `domain` is the one in which the organization is registered.
pub fn person_message(domain: &DomainId, person: &Person) -> message::Person {
    message::Person {
        name: full_name(domain, Resource::Person(person.organization, person.id)),
        display_name: person.display_name.clone(),
        roles: numbers(&person.roles),
        etag: etag(person.version),
        create_time: Some(timestamp(person.created_time)),
        update_time: Some(timestamp(person.updated_time)),
        terms: person.terms.iter().flatten().map(term_message).collect(),
    }
}

fn term_message(term: &RoleTerm) -> message::RoleTerm {
    message::RoleTerm {
        role: term.role.number(),
        from: term.from.to_string(),
        until: term.until.map(String::from).unwrap_or_default(),
    }
}

/// Roles with their time; which of them may follow which is for the state to say.
pub fn read_terms(terms: &[message::RoleTerm], field: &str) -> Result<Vec<RoleTerm>, Refusal> {
    let (mut reading, at) = (Reading::new(), At::Root(field));
    let terms = terms
        .iter()
        .enumerate()
        .filter_map(|(index, term)| {
            let at = at.index(index);
            let role = reading.required(at.field("role"), term.role);
            let from = reading.date(at.field("from"), &term.from);
            let until = reading.optional_date(at.field("until"), &term.until);
            Some(RoleTerm { role: role?, from: from?, until })
        })
        .collect();
    reading.finish(Some(terms))
}

/// The system as a message; `domain` is the one in which the organization is registered.
pub fn system_message(domain: &DomainId, system: &System) -> message::System {
    message::System {
        name: full_name(domain, Resource::System(system.organization, system.id)),
        display_name: system.display_name.clone(),
        description: system.description.clone(),
        etag: etag(system.version),
        create_time: Some(timestamp(system.created_time)),
        update_time: Some(timestamp(system.updated_time)),
    }
}

/// Everything editable that the message states.
pub fn read_organization_content(
    organization: &message::Organization,
    field: &str,
) -> Result<OrganizationContent, Refusal> {
    apply_organization_mask(OrganizationContent::default(), organization, None, field)
}

/// `current` with the masked fields as the message states them. No mask, an empty one and `*`
/// mean every [`EDITABLE`] field; fields outside the mask are not even read.
pub fn apply_organization_mask(
    mut current: OrganizationContent,
    organization: &message::Organization,
    mask: Option<&FieldMask>,
    field: &str,
) -> Result<OrganizationContent, Refusal> {
    let mut reading = Reading::new();
    for path in masked(&mut reading, mask, EDITABLE) {
        read_field(&mut reading, At::Root(field), organization, path, &mut current);
    }
    reading.finish(Some(current))
}

fn read_field(
    reading: &mut Reading,
    at: At<'_>,
    organization: &message::Organization,
    path: &'static str,
    content: &mut OrganizationContent,
) {
    let here = at.field(path);
    match path {
        "display_name" => content.name.clone_from(&organization.display_name),
        "display_name_en" => content.name_en.clone_from(&organization.display_name_en),
        "credit_code" => {
            content.credit_code = credit_code_value(reading, here, &organization.credit_code);
        }
        "party_class" => content.class = reading.optional(here, organization.party_class),
        "capacities" => content.capacities = reading.set(here, &organization.capacities),
        "platform_role" => {
            content.platform_role = reading.optional(here, organization.platform_role);
        }
        "region_code" => content.region_code.clone_from(&organization.region_code),
        // Only paths of EDITABLE get here; a test walks the list.
        unread => unreachable!("{unread} is editable but not read"),
    }
}

fn credit_code_value(reading: &mut Reading, at: At<'_>, text: &str) -> Option<CreditCode> {
    if text.is_empty() {
        return None;
    }
    match text.parse::<CreditCode>() {
        Ok(code) => Some(code),
        Err(error) => {
            let because = Refusal::new(Reason::CreditCodeInvalid)
                .fact("code", repeated(text))
                .fact("cause", error.fault.text(Lang::En));
            reading.wrong_because(
                at,
                because,
                error.fault.text(Lang::En),
                error.fault.text(Lang::Zh),
            );
            None
        }
    }
}

/// What the message says about a person.
pub fn read_person_content(
    person: &message::Person,
    field: &str,
) -> Result<PersonContent, Refusal> {
    let (mut reading, at) = (Reading::new(), At::Root(field));
    let roles = reading.set(at.field("roles"), &person.roles);
    reading.finish(Some(PersonContent { display_name: person.display_name.clone(), roles }))
}

/// What the message says about a system; nothing in it can be wrong by itself.
pub fn read_system_content(system: &message::System) -> SystemContent {
    SystemContent {
        display_name: system.display_name.clone(),
        description: system.description.clone(),
    }
}
