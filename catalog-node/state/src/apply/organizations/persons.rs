//! Persons on file: which roles does somebody have, from when to when (CAT-18)?
//!
//! A role counts on the day on which it is used. Who left stays on file with the last day; a unit
//! whose sharing office has no head can neither file requests nor answer them (decree 809 art. 20).

use catalog_model::{
    ids::{OrganizationId, PersonId},
    name::{Resource, ResourceName},
    organization::{Person, PersonRole, RoleTerm},
    policy::MAX_LIST,
    reason::Reason,
    refusal::Refusal,
    rule::RuleRef,
    time::LocalDate,
};

use super::{done, in_order, may_file_for, on_file, same_version};
use crate::{
    apply::text,
    codec,
    keys::{self, Key, Table},
    ledger::{self, Fact},
    outcome::Outcome,
    tx::Tx,
};

pub(crate) fn update(
    tx: &mut Tx<'_>,
    organization: OrganizationId,
    person: PersonId,
    version: u64,
    display_name: &str,
    terms: &[RoleTerm],
) -> Result<Outcome, Refusal> {
    may_file_for(tx, organization)?;
    on_file(tx, organization)?;
    let key = keys::person(tx.domain(), organization, person);
    let old: Person =
        tx.get(&key).ok_or_else(|| Refusal::new(Reason::PersonUnknown).fact("person", person))?;
    same_version(old.version, version)?;
    text::check("person.display_name", display_name)?;
    let invalid = |field: &str, en: &str, zh: &str| {
        Err(Refusal::new(Reason::FieldInvalid).field(field, en, zh))
    };
    if display_name.trim().is_empty() {
        return invalid("person.display_name", "missing", "缺少");
    }
    if terms.len() > MAX_LIST {
        return Err(Refusal::new(Reason::TooManyItems)
            .fact("field", "person.terms")
            .fact("length", terms.len())
            .fact("limit", MAX_LIST));
    }
    if let Some(place) = terms.iter().position(|t| t.until.is_some_and(|until| until < t.from)) {
        let field = format!("person.terms[{place}].until");
        return invalid(&field, "before the first day", "早于起始日");
    }
    let today = tx.today();
    let roles = in_order(&roles_on(terms, today));
    let updated = Person {
        display_name: display_name.to_owned(),
        roles: roles.clone(),
        terms: Some(terms.to_vec()),
        version: old.version + 1,
        updated_time: tx.clock,
        ..old
    };
    tx.put(&key, &updated);
    let subject = ResourceName::new(tx.domain().clone(), Resource::Organization(organization));
    let fact = Fact::PersonRolesChanged { roles };
    let (id, name) = (person.to_string(), display_name);
    ledger::append(tx, &subject, fact, None, &[("filed_person", &id), ("name", name)]);
    Ok(done(tx, Resource::Person(organization, person)))
}

fn roles_on(terms: &[RoleTerm], day: LocalDate) -> Vec<PersonRole> {
    terms.iter().filter(|term| term.covers(day)).map(|term| term.role).collect()
}

/// Refuses where nobody of the unit is head of its sharing office; a caller who is merely not
/// that head is told so by whoever asks.
pub(crate) fn check_office(
    tx: &Tx<'_>,
    organization: OrganizationId,
    head: PersonRole,
) -> Result<(), Refusal> {
    if tx.level < 3 || head != PersonRole::SharingOfficeHead {
        return Ok(());
    }
    let prefix = Key::table(Table::Person).domain(tx.domain()).id(organization.to_bytes());
    let today = tx.today();
    let staffed = tx.rows(&prefix, usize::MAX).iter().any(|(_, bytes)| {
        codec::decode::<Person>(bytes).expect("a person row is ours").holds(head, today)
    });
    if staffed { Ok(()) } else { Err(Refusal::new(Reason::SharingOfficeHeadMissing)) }
}

/// Refuses a call that no person on file of this organization stands behind. Only while the house
/// switch is on.
pub(crate) fn check_on_file(
    tx: &Tx<'_>,
    organization: OrganizationId,
    switch: RuleRef,
) -> Result<(), Refusal> {
    let person = tx.caller.person();
    let on_file: Option<Person> =
        person.and_then(|person| tx.get(&keys::person(tx.domain(), organization, person)));
    if on_file.is_some_and(|person| person.serves(tx.today())) {
        Ok(())
    } else {
        Err(Refusal::new(Reason::SubmitterNotOnFile).under(switch))
    }
}
