//! The ledger of catalog, data and systems: datasets, duties, and the sources of data.

use catalog_model::{
    dataset::{Dataset, DatasetKind, DutyList, ElementSource, Period},
    ids::{DomainId, OrganizationId},
    name::{Resource, ResourceName},
    refusal::Refusal,
};

use crate::{
    convert::{
        case_rules::rule_ref_message,
        catalog_entry::citation_message,
        enumeration::Enumerated as _,
        etag,
        name::full_name,
        paper_decision::paper_decision_message,
        reading::{At, Reading},
        time::timestamp,
    },
    relations::v1 as message,
};

use super::{day_text, organization_text};

/// The dataset as a message.
pub fn dataset_message(dataset: &Dataset) -> message::Dataset {
    let domain = &dataset.domain;
    let link = |resource, period: Period| message::DatasetLink {
        to: full_name(domain, resource),
        from: period.from.to_string(),
        until: day_text(period.until),
    };
    let system = |id| Resource::System(dataset.organization, id);
    message::Dataset {
        name: full_name(domain, Resource::Dataset(dataset.id)),
        organization: organization_text(domain, dataset.organization),
        kind: dataset.kind.number(),
        title: dataset.title.clone(),
        description: dataset.description.clone(),
        systems: dataset.systems.iter().map(|of| link(system(of.system), of.period)).collect(),
        entries: dataset
            .entries
            .iter()
            .map(|of| link(Resource::Entry(of.entry), of.period))
            .collect(),
        etag: etag(dataset.version),
        create_time: Some(timestamp(dataset.created_time)),
        update_time: Some(timestamp(dataset.updated_time)),
    }
}

/// What a dataset is, which has to be stated.
pub fn read_dataset_kind(number: i32, field: &str) -> Result<DatasetKind, Refusal> {
    let mut reading = Reading::new();
    let kind = reading.required(At::Root(field), number);
    reading.finish(kind)
}

/// The duties of an organization of `domain`; without any, an empty list without etag.
pub fn duties_message(
    domain: &DomainId,
    organization: OrganizationId,
    list: Option<&DutyList>,
) -> message::DutyList {
    message::DutyList {
        organization: organization_text(domain, organization),
        duties: list.map(|list| list.duties.clone()).unwrap_or_default(),
        etag: list.map(|list| etag(list.version)).unwrap_or_default(),
        update_time: list.map(|list| timestamp(list.updated_time)),
    }
}

/// The source of a datum, named by the authority of `domain`.
pub fn source_message(domain: &DomainId, source: &ElementSource) -> message::ElementSource {
    message::ElementSource {
        element: source.element.clone(),
        organization: organization_text(domain, source.organization),
        from: source.period.from.to_string(),
        until: day_text(source.period.until),
        basis: Some(citation_message(&source.basis)),
        decision: source.decision.as_ref().map(paper_decision_message),
        rule: source.rule.as_ref().map(rule_ref_message),
        assign_time: Some(timestamp(source.assigned_time)),
    }
}

/// Something to which nothing is bound.
pub fn orphan_message(
    name: &ResourceName,
    title: &str,
    organization: OrganizationId,
) -> message::Orphan {
    message::Orphan {
        name: name.to_string(),
        title: title.to_owned(),
        organization: organization_text(&name.domain, organization),
    }
}
