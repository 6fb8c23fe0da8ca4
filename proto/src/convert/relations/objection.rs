//! The authority's objections to sharing attributes, as they are shown.

use catalog_model::{
    attribute_objection::{AttributeObjection, Side},
    name::Resource,
    refusal::Refusal,
};

use crate::{
    convert::{
        case_rules::rule_ref_message,
        catalog_entry::sharing_message,
        enumeration::{Enumerated as _, number},
        etag,
        name::full_name,
        paper_decision::paper_decision_message,
        reading::{At, Reading},
        time::timestamp,
    },
    relations::v1 as message,
};

use super::{entry_text, organization_text};

/// The objection as a message.
pub fn objection_message(objection: &AttributeObjection) -> message::AttributeObjection {
    let domain = &objection.domain;
    message::AttributeObjection {
        name: full_name(domain, Resource::Objection(objection.id)),
        entry: entry_text(domain, objection.entry),
        provider: organization_text(domain, objection.provider),
        published: objection.published.number(),
        wanted: objection.wanted.number(),
        reason: objection.reason.clone(),
        state: objection.state.number(),
        positions: objection
            .positions
            .iter()
            .map(|position| message::Position {
                side: position.side.number(),
                text: position.text.clone(),
                time: Some(timestamp(position.time)),
            })
            .collect(),
        offers: objection
            .offers
            .iter()
            .map(|(side, attribute)| message::Offer {
                side: side.number(),
                attribute: Some(sharing_message(attribute)),
            })
            .collect(),
        outcome: number(objection.outcome),
        decision: objection.decision.as_ref().map(paper_decision_message),
        rule: Some(rule_ref_message(&objection.rule)),
        etag: etag(objection.version),
        create_time: Some(timestamp(objection.created_time)),
        update_time: Some(timestamp(objection.updated_time)),
    }
}

/// The side for which a position is stated.
pub fn read_side(side: i32, field: &str) -> Result<Side, Refusal> {
    let mut reading = Reading::new();
    let side = reading.required(At::Root(field), side);
    reading.finish(side)
}
