//! Relations: datasets, duties, sources, transfers, objections and acquisitions, as they are shown,
//! and what is stated about them.
//!
//! All of it stays within its domain, so nothing here is read back whole: a call states an argument
//! or two, and the state knows the rest.

pub mod acquisition;
pub mod dataset;
pub mod objection;
pub mod transfer;

use catalog_model::{
    dataset::Period,
    ids::{DomainId, EntryId, OrganizationId, SystemId},
    name::{Resource, ResourceName},
    refusal::Refusal,
    sharing::{LegalCitation, SharingAttribute, SharingKind},
    time::LocalDate,
};

use crate::{
    catalog::v1 as catalog,
    convert::{
        catalog_entry::{citation_value, sharing_value},
        name::{self, full_name},
        reading::{At, Reading},
    },
};

/// The days that a call states; an empty last day means that no end is known.
pub fn read_period(from: &str, until: &str) -> Result<Period, Refusal> {
    let mut reading = Reading::new();
    let from = reading.date(At::Root("from"), from);
    let until = reading.optional_date(At::Root("until"), until);
    reading.finish(from.map(|from| Period { from, until }))
}

/// The day that `field` states, if it states one.
pub fn read_optional_date(text: &str, field: &str) -> Result<Option<LocalDate>, Refusal> {
    let mut reading = Reading::new();
    let date = reading.optional_date(At::Root(field), text);
    reading.finish(Some(date))
}

/// The law that a call has to cite.
pub fn read_citation(
    citation: Option<&catalog::LegalCitation>,
    field: &str,
) -> Result<LegalCitation, Refusal> {
    let (mut reading, at) = (Reading::new(), At::Root(field));
    let citation = reading
        .message(at, citation)
        .and_then(|citation| citation_value(&mut reading, at, citation));
    reading.finish(citation)
}

/// The law that a call may cite.
pub fn read_optional_citation(
    citation: Option<&catalog::LegalCitation>,
    field: &str,
) -> Result<Option<LegalCitation>, Refusal> {
    citation.map(|citation| read_citation(Some(citation), field)).transpose()
}

/// The sharing attribute that a call has to state.
pub fn read_attribute(
    attribute: Option<&catalog::SharingAttribute>,
    field: &str,
) -> Result<SharingAttribute, Refusal> {
    let (mut reading, at) = (Reading::new(), At::Root(field));
    let attribute = reading
        .message(at, attribute)
        .and_then(|attribute| sharing_value(&mut reading, at, attribute));
    reading.finish(attribute)
}

/// The kind of sharing that a call has to state.
pub fn read_sharing_kind(number: i32, field: &str) -> Result<SharingKind, Refusal> {
    let mut reading = Reading::new();
    let kind = reading.required(At::Root(field), number);
    reading.finish(kind)
}

/// Entries of one domain by their names, as the call lists them.
pub fn read_entries(
    names: &[String],
    domain: &DomainId,
    field: &'static str,
) -> Result<Vec<EntryId>, Refusal> {
    let (mut reading, at) = (Reading::new(), At::Root(field));
    let mut entries = Vec::with_capacity(names.len());
    for (place, text) in names.iter().enumerate() {
        let here = at.index(place);
        match reading.name(here, text, &name::ENTRY) {
            Some((of, id)) if of == *domain => entries.push(id),
            Some(_) => foreign(&mut reading, here),
            None => {}
        }
    }
    reading.finish(Some(entries))
}

/// Systems of one organization by their names, as the call lists them.
pub fn read_systems(
    names: &[String],
    (domain, organization): (&DomainId, OrganizationId),
    field: &'static str,
) -> Result<Vec<SystemId>, Refusal> {
    let (mut reading, at) = (Reading::new(), At::Root(field));
    let mut systems = Vec::with_capacity(names.len());
    for (place, text) in names.iter().enumerate() {
        let here = at.index(place);
        match reading.name(here, text, &name::SYSTEM) {
            Some((of, owner, id)) if of == *domain && owner == organization => systems.push(id),
            Some(_) => reading.wrong(
                here,
                "is not a system of the organization that the call is about",
                "不是该单位的业务系统",
            ),
            None => {}
        }
    }
    reading.finish(Some(systems))
}

fn foreign(reading: &mut Reading, at: At<'_>) {
    reading.wrong(at, "is not of the domain that the call is about", "不属于本次调用所涉的域");
}

/// The last day as text; empty while no end is known.
pub(crate) fn day_text(day: Option<LocalDate>) -> String {
    day.map(|day| day.to_string()).unwrap_or_default()
}

/// The name of an organization of `domain`.
pub(crate) fn organization_text(domain: &DomainId, id: OrganizationId) -> String {
    full_name(domain, Resource::Organization(id))
}

/// The name of an entry of `domain`.
pub(crate) fn entry_text(domain: &DomainId, id: EntryId) -> String {
    full_name(domain, Resource::Entry(id))
}

/// Names as they are shown.
pub(crate) fn names(names: &[ResourceName]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests;
