//! Share requests: written by the asker, shown to the parties, carried between domains.

use catalog_model::{
    deadline::DeadlineKind,
    ids::{DomainId, SystemId},
    name::{Resource, ResourceName},
    refusal::Refusal,
    share_request::{Hop, ItemReason, RequestContent, ShareRequest, Term},
    time::UtcMillis,
};

use crate::{
    convert::{
        answer::{
            completion_message, completion_value, extension_message, extension_value,
            given_answer_message, given_answer_value, opinion_message, opinion_value,
            overdue_message, overdue_value,
        },
        case_rules::{case_rules_message, case_rules_value, clock_value, deadline_message},
        enumeration::{Enumerated as _, number, numbers},
        etag,
        name::{self, full_name},
        party::{party_message, party_value},
        reading::{At, Reading},
        time::timestamp,
    },
    sharing::v1 as message,
};

/// The case as a message. `clock` is the committed time at which it is shown: with it an open
/// case whose clock is not standing still is marked overdue.
pub fn request_message(case: &ShareRequest, clock: UtcMillis) -> message::ShareRequest {
    let ShareRequest { content, requester, .. } = case;
    let standing_still = case
        .completion
        .as_ref()
        .is_some_and(|completion| completion.suspends && completion.completed_time.is_none());
    let owed = case.state.is_open() && !standing_still;
    message::ShareRequest {
        name: full_name(&case.domain, Resource::Request(case.id)),
        case_number: case.case_number.clone(),
        owner_domain: case.owner_domain.to_string(),
        requester: Some(party_message(requester)),
        provider: Some(party_message(&case.provider)),
        entry: content.entry.to_string(),
        entry_title: case.entry_title.clone(),
        entry_version: case.entry_version,
        system: full_name(
            &requester.domain,
            Resource::System(requester.organization, content.system),
        ),
        scenario: content.scenario.clone(),
        duty_basis: content.duty_basis.clone(),
        items: content.items.clone(),
        item_reasons: content
            .item_reasons
            .iter()
            .map(|given| message::ItemReason {
                items: given.items.clone(),
                reason: given.reason.clone(),
            })
            .collect(),
        row_scope: content.row_scope.clone(),
        method: number(content.method),
        term: content.term.map(term_message),
        commitments: numbers(&content.commitments),
        sharing: case.sharing.number(),
        state: case.state.number(),
        received_time: case.received_time.map(timestamp),
        rules: case.rules.as_ref().map(case_rules_message),
        deadline: case
            .answer_clock
            .as_ref()
            .map(|answer| deadline_message(answer, owed && clock >= answer.due_time)),
        opinions: case.opinions.iter().map(opinion_message).collect(),
        completion: case.completion.as_ref().map(completion_message),
        extensions: case.extensions.iter().map(extension_message).collect(),
        overdue: case.overdue.as_ref().map(overdue_message),
        answer: case.answer.as_ref().map(given_answer_message),
        grant: case.grant.as_ref().map(ToString::to_string).unwrap_or_default(),
        hops: case
            .hops
            .iter()
            .map(|hop| message::Hop {
                domain: hop.domain.to_string(),
                arrived_time: Some(timestamp(hop.arrived_time)),
            })
            .collect(),
        etag: etag(case.version),
        create_time: Some(timestamp(case.created_time)),
        update_time: Some(timestamp(case.updated_time)),
        rate_per_day: content.rate_per_day.unwrap_or_default(),
        renews: content.renews.as_ref().map(ToString::to_string).unwrap_or_default(),
    }
}

/// What an asker writes; `field` is `request` there. `entry` and `system` have to be named, the
/// rest may be absent as far as this reader is concerned.
pub fn read_request_content(
    request: &message::ShareRequest,
    field: &str,
) -> Result<RequestContent, Refusal> {
    let mut reading = Reading::new();
    let content = content_value(&mut reading, At::Root(field), request);
    reading.finish(content.map(|(content, _)| content))
}

/// `current` with what the asker's completion states: a text or list that is not empty, a
/// message that is there. A completion cannot ask for another entry.
pub fn complete_request_content(
    mut current: RequestContent,
    completed: &message::ShareRequest,
    field: &str,
) -> Result<RequestContent, Refusal> {
    let (mut reading, at) = (Reading::new(), At::Root(field));
    let entry = reading.optional_name(at.field("entry"), &completed.entry, &name::RESOURCE);
    if entry.is_some_and(|entry| entry != current.entry) {
        reading.wrong(
            at.field("entry"),
            format!("is not the entry of the case, {}", current.entry),
            format!("不是本申请的目录条目 {}", current.entry),
        );
    }
    let system = reading.optional_name(at.field("system"), &completed.system, &name::SYSTEM);
    if let Some((_, _, system)) = system {
        current.system = system;
    }
    for (text, stated) in [
        (&mut current.scenario, &completed.scenario),
        (&mut current.duty_basis, &completed.duty_basis),
        (&mut current.row_scope, &completed.row_scope),
    ] {
        if !stated.is_empty() {
            text.clone_from(stated);
        }
    }
    if !completed.items.is_empty() {
        current.items.clone_from(&completed.items);
    }
    if !completed.item_reasons.is_empty() {
        current.item_reasons = item_reasons(completed);
    }
    let method = reading.optional(at.field("method"), completed.method);
    current.method = method.or(current.method);
    let term =
        completed.term.as_ref().and_then(|term| term_value(&mut reading, at.field("term"), term));
    current.term = term.or(current.term);
    if !completed.commitments.is_empty() {
        current.commitments = reading.set(at.field("commitments"), &completed.commitments);
    }
    current.rate_per_day = rate(completed).or(current.rate_per_day);
    current.renews = renewed(&mut reading, at, completed).or(current.renews);
    reading.finish(Some(current))
}

/// A case, whole, as another domain holds it and [`request_message`] wrote it there.
///
/// `Deadline.overdue` is not part of the value: every domain says it by its own clock.
pub fn read_request(request: &message::ShareRequest, field: &str) -> Result<ShareRequest, Refusal> {
    let mut reading = Reading::new();
    let case = case_value(&mut reading, At::Root(field), request);
    reading.finish(case)
}

fn case_value(
    reading: &mut Reading,
    at: At<'_>,
    request: &message::ShareRequest,
) -> Option<ShareRequest> {
    let named = reading.name(at.field("name"), &request.name, &name::REQUEST);
    let owner_domain = domain_value(reading, at.field("owner_domain"), &request.owner_domain);
    let requester = party_value(reading, at.field("requester"), request.requester.as_ref());
    let provider = party_value(reading, at.field("provider"), request.provider.as_ref());
    let content = content_value(reading, at, request);
    if let (Some((_, (domain, organization))), Some(requester)) = (&content, &requester)
        && (*domain != requester.domain || *organization != requester.organization)
    {
        reading.wrong(at.field("system"), "is not a system of the requester", "不是申请单位的系统");
    }
    let sharing = reading.required(at.field("sharing"), request.sharing);
    let state = reading.required(at.field("state"), request.state);
    let received_time =
        reading.optional_instant(at.field("received_time"), request.received_time.as_ref());
    let rules = request
        .rules
        .as_ref()
        .and_then(|rules| case_rules_value(reading, at.field("rules"), rules));
    let answer_clock = request.deadline.as_ref().and_then(|deadline| {
        clock_value(reading, at.field("deadline"), deadline, DeadlineKind::Answer)
    });
    let opinions_at = at.field("opinions");
    let opinions = request
        .opinions
        .iter()
        .enumerate()
        .filter_map(|(index, opinion)| opinion_value(reading, opinions_at.index(index), opinion))
        .collect();
    let completion = request
        .completion
        .as_ref()
        .and_then(|completion| completion_value(reading, at.field("completion"), completion));
    let extensions_at = at.field("extensions");
    let extensions = request
        .extensions
        .iter()
        .enumerate()
        .filter_map(|(index, given)| extension_value(reading, extensions_at.index(index), given))
        .collect();
    let overdue =
        request.overdue.as_ref().and_then(|mark| overdue_value(reading, at.field("overdue"), mark));
    let answer = request
        .answer
        .as_ref()
        .and_then(|given| given_answer_value(reading, at.field("answer"), given));
    let grant = reading.optional_name(at.field("grant"), &request.grant, &name::GRANT);
    let hops_at = at.field("hops");
    let hops = request
        .hops
        .iter()
        .enumerate()
        .filter_map(|(index, hop)| hop_value(reading, hops_at.index(index), hop))
        .collect();
    let version = reading.version(at.field("etag"), &request.etag);
    let created_time = reading.instant(at.field("create_time"), request.create_time.as_ref());
    let updated_time = reading.instant(at.field("update_time"), request.update_time.as_ref());
    let (domain, id) = named?;
    Some(ShareRequest {
        id,
        domain,
        owner_domain: owner_domain?,
        case_number: request.case_number.clone(),
        requester: requester?,
        provider: provider?,
        content: content?.0,
        entry_title: request.entry_title.clone(),
        entry_version: request.entry_version,
        sharing: sharing?,
        state: state?,
        received_time,
        rules,
        answer_clock,
        opinions,
        completion,
        extensions,
        overdue,
        answer,
        granted: grant.as_ref().map(|(_, id)| *id),
        grant: grant.map(|(domain, id)| ResourceName::new(domain, Resource::Grant(id))),
        hops,
        version: version?,
        created_time: created_time?,
        updated_time: updated_time?,
    })
}

/// The content, and the organization in the name of its system.
fn content_value(
    reading: &mut Reading,
    at: At<'_>,
    request: &message::ShareRequest,
) -> Option<(RequestContent, (DomainId, catalog_model::ids::OrganizationId))> {
    let entry = reading.name(at.field("entry"), &request.entry, &name::ENTRY);
    let system = reading.name(at.field("system"), &request.system, &name::SYSTEM);
    let method = reading.optional(at.field("method"), request.method);
    let term = request.term.as_ref().and_then(|term| term_value(reading, at.field("term"), term));
    let commitments = reading.set(at.field("commitments"), &request.commitments);
    let renews = renewed(reading, at, request);
    let (domain, id) = entry?;
    let (system_domain, organization, system): (_, _, SystemId) = system?;
    let content = RequestContent {
        entry: ResourceName::new(domain, Resource::Entry(id)),
        system,
        scenario: request.scenario.clone(),
        duty_basis: request.duty_basis.clone(),
        items: request.items.clone(),
        item_reasons: item_reasons(request),
        row_scope: request.row_scope.clone(),
        method,
        term,
        commitments,
        rate_per_day: rate(request),
        renews,
    };
    Some((content, (system_domain, organization)))
}

/// 0 names no rate.
fn rate(request: &message::ShareRequest) -> Option<u32> {
    Some(request.rate_per_day).filter(|rate| *rate > 0)
}

fn renewed(
    reading: &mut Reading,
    at: At<'_>,
    request: &message::ShareRequest,
) -> Option<ResourceName> {
    let grant = reading.optional_name(at.field("renews"), &request.renews, &name::GRANT);
    grant.map(|(domain, id)| ResourceName::new(domain, Resource::Grant(id)))
}

fn item_reasons(request: &message::ShareRequest) -> Vec<ItemReason> {
    request
        .item_reasons
        .iter()
        .map(|given| ItemReason { items: given.items.clone(), reason: given.reason.clone() })
        .collect()
}

pub(crate) fn term_message(term: Term) -> message::Term {
    message::Term { from: term.from.to_string(), to: term.to.to_string() }
}

pub(crate) fn term_value(reading: &mut Reading, at: At<'_>, term: &message::Term) -> Option<Term> {
    let from = reading.date(at.field("from"), &term.from);
    let to = reading.date(at.field("to"), &term.to);
    Some(Term { from: from?, to: to? })
}

fn hop_value(reading: &mut Reading, at: At<'_>, hop: &message::Hop) -> Option<Hop> {
    let domain = domain_value(reading, at.field("domain"), &hop.domain);
    let arrived_time = reading.instant(at.field("arrived_time"), hop.arrived_time.as_ref());
    Some(Hop { domain: domain?, arrived_time: arrived_time? })
}

pub(crate) fn domain_value(reading: &mut Reading, at: At<'_>, text: &str) -> Option<DomainId> {
    let domain = text.parse().ok();
    if domain.is_none() {
        reading.wrong(
            at,
            "is not a domain id (1–31 of a-z, 0-9, -, beginning with a letter)",
            "不是域标识（1–31 个 a-z、0-9、- 字符，以字母开头）",
        );
    }
    domain
}
