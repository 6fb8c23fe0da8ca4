//! Grants: shown to provider and consumer, carried to the domains that follow the case.

pub(crate) mod course;

use catalog_model::{
    catalog_entry::SharingMethod,
    grant::{DisposalManner, Grant, MisuseGround, PurposeEndKind, Suspension, WiderUseKind},
    name::{Resource, ResourceName},
    refusal::Refusal,
};

use crate::{
    convert::{
        case_rules::{optional_rule, rule_ref_message},
        enumeration::Enumerated as _,
        etag,
        name::{self, full_name},
        party::{party_message, party_value},
        reading::{At, Reading},
        share_request::{term_message, term_value},
        time::timestamp,
    },
    sharing::v1 as message,
};

use self::course::{course_message, course_value};

/// The grant as a message.
pub fn grant_message(grant: &Grant) -> message::Grant {
    message::Grant {
        name: full_name(&grant.domain, Resource::Grant(grant.id)),
        request: grant.request.to_string(),
        entry: grant.entry.to_string(),
        entry_version: grant.entry_version,
        provider: Some(party_message(&grant.provider)),
        consumer: Some(party_message(&grant.consumer)),
        system: grant.system.to_string(),
        scenario: grant.scenario.clone(),
        items: grant.items.clone(),
        row_scope: grant.row_scope.clone(),
        term: Some(term_message(grant.term)),
        state: grant.state.number(),
        suspension: grant.suspension.as_ref().map(|suspension| message::Suspension {
            reason: suspension.reason.clone(),
            since: Some(timestamp(suspension.since)),
            rectify_by: suspension.rectify_by.to_string(),
            by: Some(party_message(&suspension.by)),
        }),
        termination_reason: grant.termination_reason.clone(),
        rule: grant.rule.as_ref().map(rule_ref_message),
        etag: etag(grant.version),
        grant_time: Some(timestamp(grant.granted_time)),
        update_time: Some(timestamp(grant.updated_time)),
        course: grant.course.as_deref().map(course_message),
        rate_per_day: grant.rate_per_day.unwrap_or_default(),
    }
}

/// A grant, whole, as another domain holds it and [`grant_message`] wrote it there.
pub fn read_grant(grant: &message::Grant, field: &str) -> Result<Grant, Refusal> {
    let mut reading = Reading::new();
    let value = grant_value(&mut reading, At::Root(field), grant);
    reading.finish(value)
}

macro_rules! words {
    ($($(#[$doc:meta])* $function:ident: $kind:ty;)*) => {$(
        $(#[$doc])*
        ///
        /// `FIELD_INVALID` where `field` is not stated or is none.
        pub fn $function(number: i32, field: &str) -> Result<$kind, Refusal> {
            let mut reading = Reading::new();
            let word = reading.required(At::Root(field), number);
            reading.finish(word)
        }
    )*};
}

words! {
    /// How data are to be had.
    read_sharing_method: SharingMethod;
    /// Why a right is stopped.
    read_ground: MisuseGround;
    /// How a purpose ended.
    read_purpose_end: PurposeEndKind;
    /// What becomes of data.
    read_disposal_manner: DisposalManner;
    /// In which respect a use goes beyond a grant.
    read_wider_use: WiderUseKind;
}

fn grant_value(reading: &mut Reading, at: At<'_>, grant: &message::Grant) -> Option<Grant> {
    let named = reading.name(at.field("name"), &grant.name, &name::GRANT);
    let request = reading.name(at.field("request"), &grant.request, &name::REQUEST);
    let entry = reading.name(at.field("entry"), &grant.entry, &name::ENTRY);
    let provider = party_value(reading, at.field("provider"), grant.provider.as_ref());
    let consumer = party_value(reading, at.field("consumer"), grant.consumer.as_ref());
    let system = reading.name(at.field("system"), &grant.system, &name::SYSTEM);
    let term_at = at.field("term");
    let term = reading
        .message(term_at, grant.term.as_ref())
        .and_then(|term| term_value(reading, term_at, term));
    let state = reading.required(at.field("state"), grant.state);
    let suspension = grant
        .suspension
        .as_ref()
        .and_then(|suspension| suspension_value(reading, at.field("suspension"), suspension));
    let rule = optional_rule(reading, at.field("rule"), grant.rule.as_ref());
    let version = reading.version(at.field("etag"), &grant.etag);
    let granted_time = reading.instant(at.field("grant_time"), grant.grant_time.as_ref());
    let updated_time = reading.instant(at.field("update_time"), grant.update_time.as_ref());
    let course =
        grant.course.as_ref().map(|course| course_value(reading, at.field("course"), course));
    let (domain, id) = named?;
    let (request_domain, request) = request?;
    let (entry_domain, entry) = entry?;
    let (system_domain, organization, system) = system?;
    Some(Grant {
        id,
        domain,
        request: ResourceName::new(request_domain, Resource::Request(request)),
        entry: ResourceName::new(entry_domain, Resource::Entry(entry)),
        entry_version: grant.entry_version,
        provider: provider?,
        consumer: consumer?,
        system: ResourceName::new(system_domain, Resource::System(organization, system)),
        scenario: grant.scenario.clone(),
        items: grant.items.clone(),
        row_scope: grant.row_scope.clone(),
        term: term?,
        state: state?,
        suspension,
        termination_reason: grant.termination_reason.clone(),
        rule,
        version: version?,
        granted_time: granted_time?,
        updated_time: updated_time?,
        course: course.map(Box::new),
        rate_per_day: Some(grant.rate_per_day).filter(|rate| *rate > 0),
    })
}

fn suspension_value(
    reading: &mut Reading,
    at: At<'_>,
    suspension: &message::Suspension,
) -> Option<Suspension> {
    let since = reading.instant(at.field("since"), suspension.since.as_ref());
    let rectify_by = reading.date(at.field("rectify_by"), &suspension.rectify_by);
    let by = party_value(reading, at.field("by"), suspension.by.as_ref());
    Some(Suspension {
        reason: suspension.reason.clone(),
        since: since?,
        rectify_by: rectify_by?,
        by: by?,
    })
}
