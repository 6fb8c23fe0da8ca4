//! Work that follows from a case: who must answer, speak, complete, consent, claim or rule?

use catalog_model::{
    deadline::DeadlineKind,
    ids::RequestId,
    name::{Resource, ResourceName},
    organization::{PersonRole, PlatformRole},
    share_request::{Decider, Party, ShareRequest, ShareRequestState},
    time::UtcMillis,
};

use super::{WorkItem, WorkKind, WorkOwner, in_role};
use crate::{keys::relations as key, rows::ConsentKind, view::View};

pub(super) fn of(view: View<'_>, name: &ResourceName, id: RequestId) -> Vec<WorkItem> {
    let Some(mut case) = view.request(&name.domain, id) else { return Vec::new() };
    let Some(domain) = view.own_domain() else { return Vec::new() };
    let mut items = Vec::new();
    if case.owner_domain == domain {
        follow_entry(view, &mut case);
        owed_here(view, name, &case, &mut items);
    } else if case.state == ShareRequestState::Forwarded {
        let owner = WorkOwner::Role(PlatformRole::PlatformManager);
        if let Some(row) = view.deadline(DeadlineKind::Hop, name) {
            let item = WorkItem::new(WorkKind::Hop, name, owner, case.created_time);
            items.push(about(item.due(Some(row.due_time), None), &case, &case.requester));
        }
    }
    if case.state == ShareRequestState::CompletionAsked {
        let file = view.case_file(name);
        let lapse = file.as_ref().and_then(|file| file.lapse.as_ref());
        // Of a deadline that warns first, the clock says when the time is over.
        let (due, rule) =
            (lapse.map(|lapse| lapse.clock.due_time), lapse.map(|lapse| lapse.clock.rule.clone()));
        let since = case.completion.as_ref().map_or(case.updated_time, |list| list.asked_time);
        let owner = WorkOwner::of(&case.requester);
        let item = WorkItem::new(WorkKind::Completion, name, owner, since).due(due, rule);
        items.push(about(item, &case, &case.provider));
    }
    items
}

/// An open case about an entry that went to another department is that department's.
fn follow_entry(view: View<'_>, case: &mut ShareRequest) {
    let Resource::Entry(id) = case.content.entry.resource else { return };
    let domain = &case.content.entry.domain;
    let moved = view.0.get(key::moved_entry(domain, id).as_slice()).is_some();
    if !moved || !case.state.is_open() {
        return;
    }
    let Some(entry) = view.entry(domain, id) else { return };
    if entry.provider != case.provider.organization
        && let Some(provider) = view.organization(domain, entry.provider)
    {
        case.provider.organization = provider.id;
        case.provider.name = provider.name;
    }
}

fn owed_here(view: View<'_>, name: &ResourceName, case: &ShareRequest, items: &mut Vec<WorkItem>) {
    let Some(rules) = &case.rules else { return };
    let received = case.received_time.unwrap_or(case.created_time);
    let file = view.case_file(name).unwrap_or_default();
    let clock = case.answer_clock.as_ref();
    let due = clock.map(|clock| clock.due_time);
    let rule = rules.answer_rule.clone().or_else(|| clock.map(|clock| clock.rule.clone()));
    if case.state == ShareRequestState::Submitted {
        let mut owners = in_role(rules.debtor, &case.requester, &case.provider);
        // Who owes the answer in common gives it through the one who decides.
        if rules.decider != Decider::Provider {
            let authority = WorkOwner::Role(PlatformRole::Authority);
            if !owners.contains(&authority) {
                owners.insert(0, authority);
            }
        }
        let waits = rules.answer_head_consent.is_some() && !has_consent(view, name, case);
        for owner in owners {
            let item = WorkItem::new(WorkKind::Answer, name, owner, received);
            let mut item = about(item.due(due, rule.clone()), case, &case.requester);
            item.needs = waits.then_some(PersonRole::SharingOfficeHead);
            items.push(item);
        }
    }
    let mut add = |kind, owner, since: UtcMillis, due, rule, other: &Party| {
        let item = WorkItem::new(kind, name, owner, since).due(due, rule);
        items.push(about(item, case, other));
    };
    if case.state.is_open() {
        if let Some(asked) = file.opinion.as_ref().filter(|asked| !asked.silent)
            && case.opinions.is_empty()
        {
            let (due, rule) = view.clock_of(DeadlineKind::Opinion, name, asked.clock.as_ref());
            let owner = WorkOwner::of(&case.provider);
            add(WorkKind::Opinion, owner, asked.asked_time, due, rule, &case.requester);
        }
        if let Some(proposal) = &file.proposal {
            let owner = WorkOwner::Role(PlatformRole::Authority);
            let since = proposal.proposed_time;
            add(WorkKind::ExtensionConsent, owner, since, due, rule.clone(), &proposal.by);
        }
    }
    let Some(mark) = &case.overdue else { return };
    let above = mark
        .escalated_party
        .as_ref()
        .map_or(WorkOwner::Role(PlatformRole::Authority), WorkOwner::of);
    for hearing in file.hearings.iter().filter(|hearing| hearing.outcome.is_none()) {
        let debtor = &hearing.debtor;
        match &hearing.claim {
            None => {
                let clock = file.hearing_clock.as_ref();
                let (due, rule) = view.clock_of(DeadlineKind::ReasonHearing, name, clock);
                let owner = WorkOwner::of(debtor);
                add(WorkKind::ReasonClaim, owner, mark.fired_time, due, rule, &case.requester);
            }
            Some(claim) => {
                let since = claim.claimed_time;
                add(WorkKind::ReasonRuling, above.clone(), since, None, None, debtor);
            }
        }
    }
    if view.outage_ruling(name).is_some_and(|row| row.ruled.is_none()) {
        add(WorkKind::OutageRuling, above.clone(), mark.fired_time, None, None, &case.provider);
    }
    if case.state.is_open() {
        add(WorkKind::Escalation, above, mark.fired_time, None, None, &case.provider);
    }
}

/// Whether a head consented to an answer since the case was last complete.
fn has_consent(view: View<'_>, name: &ResourceName, case: &ShareRequest) -> bool {
    let since = case.completion.as_ref().and_then(|list| list.completed_time);
    view.consent(ConsentKind::Answer, name)
        .is_some_and(|consent| since.is_none_or(|since| consent.given_time >= since))
}

fn about(item: WorkItem, case: &ShareRequest, other: &Party) -> WorkItem {
    WorkItem {
        title: case.entry_title.clone(),
        number: case.case_number.clone(),
        counterpart: other.name.clone(),
        ..item
    }
}
