//! Organizations, persons, systems.

use catalog_model::{
    ids::{PersonId, SystemId},
    organization::{Person, PersonRole, System},
    reason::Reason,
};

use super::{
    unit,
    values::{at, id},
    wrong,
};
use crate::{
    convert::{name::*, organization::*},
    organization::v1 as organization,
};

#[test]
fn organizations_persons_and_systems_are_shown_and_read() {
    let unit = unit();
    let shown = organization_message(&unit);
    assert_eq!(shown.name, format!("domains/xiamen/organizations/{}", unit.id));
    assert_eq!(shown.etag, "\"v2\"");
    assert!(shown.verified && shown.create_time.is_some());
    assert_eq!(read_organization_content(&shown, ""), Ok(OrganizationContent::of(&unit)));

    let mut wrong_code = shown.clone();
    wrong_code.credit_code = "91350100M000100Y44".into();
    wrong_code.capacities.push(5);
    let refusal = read_organization_content(&wrong_code, "organization").unwrap_err();
    assert_eq!(refusal.reason, Reason::CreditCodeInvalid);
    assert_eq!(refusal.facts["code"], "91350100M000100Y44");
    let fields: Vec<_> = refusal.fields.iter().map(|wrong| wrong.field.as_str()).collect();
    assert_eq!(fields, ["organization.credit_code", "organization.capacities[2]"]);

    let person = Person {
        id: PersonId::from_bytes(id(21)),
        organization: unit.id,
        display_name: "林一".into(),
        roles: vec![PersonRole::DepartmentHead, PersonRole::Operator],
        version: 1,
        created_time: at(3),
        updated_time: at(3),
        terms: None,
    };
    let shown = person_message(&unit.domain, &person);
    assert_eq!(person_name(&shown.name, "").unwrap(), (unit.domain.clone(), unit.id, person.id));
    let read = read_person_content(&shown, "person").unwrap();
    assert_eq!((read.display_name, read.roles), (person.display_name, person.roles));
    let shown = organization::Person { roles: vec![4, 9, 0], ..shown };
    assert_eq!(
        wrong(read_person_content(&shown, "person")),
        ["person.roles[1]", "person.roles[2]"]
    );

    let system = System {
        id: SystemId::from_bytes(id(22)),
        organization: unit.id,
        display_name: "城管平台".into(),
        description: "工单".into(),
        version: 4,
        created_time: at(4),
        updated_time: at(5),
    };
    let shown = system_message(&unit.domain, &system);
    assert_eq!(system_name(&shown.name, "").unwrap(), (unit.domain, unit.id, system.id));
    let read = read_system_content(&shown);
    assert_eq!((read.display_name, read.description), (system.display_name, system.description));
}
