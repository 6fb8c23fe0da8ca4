//! `luqiao organization`, `luqiao person`, `luqiao system`.

use catalog_model::time::{LocalDate, UtcMillis};
use luqiao_proto::organization::v1::{
    CreateOrganizationRequest, CreatePersonRequest, CreateSystemRequest, DeleteSystemRequest,
    GetOrganizationRequest, GetPersonRequest, GetSystemRequest, ListOrganizationsRequest,
    ListPersonsRequest, ListSystemsRequest, Organization, Person, RoleTerm, System,
    UpdateOrganizationRequest, UpdatePersonRequest,
};
use luqiao_proto::sharing::v1::GetPunctualityRequest;
use prost_types::FieldMask;

use crate::{
    args::organization::{self as args, Facts},
    both,
    exit::Exit,
    failure::Failure,
    message::kind,
    output::{Column, column},
};

use super::{Remote, answer, whole_json};

const ORGANIZATION_COLUMNS: [Column; 5] = [
    column("NAME", "资源名", "/name"),
    column("DISPLAY NAME", "名称", "/display_name"),
    column("CREDIT CODE", "信用代码", "/credit_code"),
    column("CLASS", "类别", "/party_class"),
    column("VERIFIED", "已核验", "/verified"),
];
const PERSON_COLUMNS: [Column; 3] = [
    column("NAME", "资源名", "/name"),
    column("DISPLAY NAME", "姓名", "/display_name"),
    column("ROLES", "职责", "/roles"),
];
const SYSTEM_COLUMNS: [Column; 3] = [
    column("NAME", "资源名", "/name"),
    column("DISPLAY NAME", "名称", "/display_name"),
    column("DESCRIPTION", "说明", "/description"),
];

/// Does it.
pub async fn run(remote: &Remote, command: args::Organization) -> Result<Exit, Failure> {
    let session = &remote.session;
    let mut client = session.organizations();
    match command {
        args::Organization::Create { facts, change } => {
            let (organization, _) = stated(facts);
            let request = CreateOrganizationRequest {
                parent: session.parent(),
                organization: Some(organization),
                request_id: remote.attempt(change.request_id),
            };
            let made = answer(client.create_organization(session.call(request)).await)?;
            remote.show(kind::ORGANIZATION, &made)?;
        }
        args::Organization::Update { organization: name, facts, change } => {
            let (organization, paths) = stated(facts);
            let etag = if let Some(etag) = change.etag {
                etag
            } else {
                let request = GetOrganizationRequest { name: name.clone() };
                answer(client.get_organization(session.call(request)).await)?.etag
            };
            let request = UpdateOrganizationRequest {
                organization: Some(Organization { name, etag, ..organization }),
                update_mask: Some(FieldMask { paths }),
                request_id: remote.attempt(change.change.request_id),
            };
            let changed = answer(client.update_organization(session.call(request)).await)?;
            remote.show(kind::ORGANIZATION, &changed)?;
        }
        args::Organization::Get { name } => {
            let request = GetOrganizationRequest { name };
            let found = answer(client.get_organization(session.call(request)).await)?;
            remote.show(kind::ORGANIZATION, &found)?;
        }
        args::Organization::List { domain, page } => {
            let request = ListOrganizationsRequest {
                parent: remote.parent(domain.as_deref()),
                page_size: page.page_size,
                page_token: page.page_token,
            };
            let list = answer(client.list_organizations(session.call(request)).await)?;
            remote.show_page(
                kind::ORGANIZATION_PAGE,
                &list,
                "organizations",
                &ORGANIZATION_COLUMNS,
            )?;
        }
        args::Organization::Punctuality { name, month } => {
            let request = GetPunctualityRequest { name, month };
            let mut client = session.sharing();
            let count = answer(client.get_punctuality(session.call(request)).await)?;
            // A zero is what one hopes for.
            remote.output.resource(&whole_json(kind::PUNCTUALITY, &count)?)?;
        }
    }
    Ok(Exit::Ok)
}

/// Does it, for a person.
pub async fn run_person(remote: &Remote, command: args::Person) -> Result<Exit, Failure> {
    let session = &remote.session;
    let mut client = session.organizations();
    match command {
        args::Person::Create { organization, name, roles, change } => {
            let request = CreatePersonRequest {
                parent: organization,
                person: Some(Person {
                    display_name: name,
                    roles: roles.into_iter().map(i32::from).collect(),
                    ..Default::default()
                }),
                request_id: remote.attempt(change.request_id),
            };
            let made = answer(client.create_person(session.call(request)).await)?;
            remote.show(kind::PERSON, &made)?;
        }
        args::Person::Update { name, display_name, terms, left, change } => {
            if display_name.is_empty() && terms.is_empty() && left.is_none() {
                return Err(Failure::usage(both!(
                    "state what is to change: --name, --term or --left",
                    "请写明变更内容：--name、--term 或 --left"
                )));
            }
            let request = GetPersonRequest { name: name.clone() };
            let known = answer(client.get_person(session.call(request)).await)?;
            let terms = if terms.is_empty() { terms_of(&known) } else { terms };
            let request = UpdatePersonRequest {
                name,
                etag: change.etag.unwrap_or(known.etag),
                person: Some(Person {
                    display_name,
                    terms: ended(terms, left),
                    ..Default::default()
                }),
                request_id: remote.attempt(change.change.request_id),
            };
            let changed = answer(client.update_person(session.call(request)).await)?;
            remote.show(kind::PERSON, &changed)?;
        }
        args::Person::Get { name } => {
            let request = GetPersonRequest { name };
            let found = answer(client.get_person(session.call(request)).await)?;
            remote.show(kind::PERSON, &found)?;
        }
        args::Person::List { organization, page } => {
            let request = ListPersonsRequest {
                parent: organization,
                page_size: page.page_size,
                page_token: page.page_token,
            };
            let list = answer(client.list_persons(session.call(request)).await)?;
            remote.show_page(kind::PERSON_PAGE, &list, "persons", &PERSON_COLUMNS)?;
        }
    }
    Ok(Exit::Ok)
}

/// Does it, for a business system.
pub async fn run_system(remote: &Remote, command: args::System) -> Result<Exit, Failure> {
    let session = &remote.session;
    let mut client = session.organizations();
    match command {
        args::System::Create { organization, name, description, change } => {
            let request = CreateSystemRequest {
                parent: organization,
                system: Some(System { display_name: name, description, ..Default::default() }),
                request_id: remote.attempt(change.request_id),
            };
            let made = answer(client.create_system(session.call(request)).await)?;
            remote.show(kind::SYSTEM, &made)?;
        }
        args::System::Delete { name, change } => {
            let request_id = remote.attempt(change.request_id);
            let request = DeleteSystemRequest { name: name.clone(), request_id };
            answer(client.delete_system(session.call(request)).await)?;
            remote.deleted(&name)?;
        }
        args::System::Get { name } => {
            let request = GetSystemRequest { name };
            let found = answer(client.get_system(session.call(request)).await)?;
            remote.show(kind::SYSTEM, &found)?;
        }
        args::System::List { organization, page } => {
            let request = ListSystemsRequest {
                parent: organization,
                page_size: page.page_size,
                page_token: page.page_token,
            };
            let list = answer(client.list_systems(session.call(request)).await)?;
            remote.show_page(kind::SYSTEM_PAGE, &list, "systems", &SYSTEM_COLUMNS)?;
        }
    }
    Ok(Exit::Ok)
}

/// The terms on file; roles without any hold since the person was put on file.
fn terms_of(person: &Person) -> Vec<RoleTerm> {
    if !person.terms.is_empty() {
        return person.terms.clone();
    }
    let seconds = person.create_time.map_or(0, |created| created.seconds);
    let from = UtcMillis(u64::try_from(seconds).unwrap_or(0) * 1000).local_date().to_string();
    let roles = person.roles.iter();
    roles.map(|role| RoleTerm { role: *role, from: from.clone(), until: String::new() }).collect()
}

/// Open roles end on the day on which the person left.
fn ended(mut terms: Vec<RoleTerm>, left: Option<LocalDate>) -> Vec<RoleTerm> {
    if let Some(left) = left {
        for term in terms.iter_mut().filter(|term| term.until.is_empty()) {
            term.until = left.to_string();
        }
    }
    terms
}

/// What was stated, and the paths of the fields that were.
fn stated(facts: Facts) -> (Organization, Vec<String>) {
    let given = [
        ("display_name", facts.name.is_some()),
        ("display_name_en", facts.name_en.is_some()),
        ("credit_code", facts.credit_code.is_some()),
        ("party_class", facts.class.is_some()),
        ("capacities", !facts.capacities.is_empty()),
        ("platform_role", facts.role.is_some()),
        ("region_code", facts.region.is_some()),
    ];
    let paths = given.iter().filter(|(_, given)| *given).map(|(path, _)| (*path).to_owned());
    let organization = Organization {
        display_name: facts.name.unwrap_or_default(),
        display_name_en: facts.name_en.unwrap_or_default(),
        credit_code: facts.credit_code.unwrap_or_default(),
        party_class: facts.class.map_or(0, i32::from),
        capacities: facts.capacities.into_iter().map(i32::from).collect(),
        platform_role: facts.role.map_or(0, i32::from),
        region_code: facts.region.unwrap_or_default(),
        ..Default::default()
    };
    (organization, paths.collect())
}

#[cfg(test)]
mod tests {
    use luqiao_proto::organization::v1::PersonRole;
    use prost_types::Timestamp;

    use super::*;

    #[test]
    fn who_leaves_stays_on_file_with_the_last_day() {
        let person = Person {
            roles: vec![PersonRole::Operator.into()],
            create_time: Some(Timestamp { seconds: 1_789_952_400, nanos: 0 }),
            ..Default::default()
        };
        let day: LocalDate = "2026-12-31".parse().expect("a day");
        let term = |until: &str| RoleTerm {
            role: PersonRole::Operator.into(),
            from: "2026-09-21".to_owned(),
            until: until.to_owned(),
        };
        assert_eq!(ended(terms_of(&person), Some(day)), [term("2026-12-31")]);
        // What had ended before keeps its last day.
        let before = Person { terms: vec![term("2026-10-01")], ..person };
        assert_eq!(ended(terms_of(&before), Some(day)), [term("2026-10-01")]);
    }
}
