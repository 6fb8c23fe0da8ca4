//! The parties of a case, and the persons who act for them.

use catalog_model::{ids::PersonId, name::Resource, share_request::Party};

use crate::{
    convert::{
        enumeration::number,
        name::{self, full_name},
        reading::{At, Reading},
    },
    sharing::v1 as message,
};

/// The party as a message.
pub fn party_message(party: &Party) -> message::Party {
    message::Party {
        organization: full_name(&party.domain, Resource::Organization(party.organization)),
        display_name: party.name.clone(),
        party_class: number(party.class),
    }
}

pub(crate) fn party_value(
    reading: &mut Reading,
    at: At<'_>,
    party: Option<&message::Party>,
) -> Option<Party> {
    let party = reading.message(at, party)?;
    let named = reading.name(at.field("organization"), &party.organization, &name::ORGANIZATION);
    let class = reading.optional(at.field("party_class"), party.party_class);
    let (domain, organization) = named?;
    Some(Party { domain, organization, name: party.display_name.clone(), class })
}

/// The full name of a person who acts for `by`; empty if none is known.
pub(crate) fn acting_person(by: &Party, person: Option<PersonId>) -> String {
    person
        .map_or_else(String::new, |id| full_name(&by.domain, Resource::Person(by.organization, id)))
}

/// The person who acts for `by`. A person of another organization cannot.
pub(crate) fn acting_person_value(
    reading: &mut Reading,
    at: At<'_>,
    text: &str,
    by: Option<&Party>,
) -> Option<PersonId> {
    let (domain, organization, id) = reading.optional_name(at, text, &name::PERSON)?;
    if by.is_some_and(|by| by.domain != domain || by.organization != organization) {
        reading.wrong(at, "is not a person of the organization that acts", "不是行为单位的人员");
    }
    Some(id)
}
