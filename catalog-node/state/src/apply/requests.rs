//! Share requests: the case from its receipt to its answer (SHR-03..09, 22, 30, 31).
//!
//! The domain that owns the entry alone changes the legal state of a case; the asker's domain
//! holds a copy that follows (FED-14). Everything that belongs to a case beside its row (its
//! place in the indexes, its deadline, the counters, the word to the asker's domain) follows from
//! the row in one place, `save`, so that it cannot be forgotten.

mod answer;
mod create;
mod mixed;
mod running;

use std::sync::Arc;

use catalog_model::{
    deadline::DeadlineKind,
    grant::Grant,
    ids::OrganizationId,
    name::{Resource, ResourceName},
    organization::{Organization, PlatformRole},
    reason::Reason,
    refusal::Refusal,
    rule_pack::{Pair, Resolution},
    share_request::{Decider, Party, ShareRequest, ShareRequestState},
    time::UtcMillis,
};

use crate::{
    event::Event,
    keys,
    machine::Law,
    outbox::{self, Message},
    outcome::Outcome,
    rows::DeadlineRow,
    tx::Tx,
    view::View,
};

pub(crate) use self::{
    answer::{answer, give_opinion},
    create::{assess, create, receive, refuse_on_receipt},
    mixed::create_mixed,
    running::{
        answer_overdue, check_extension, complete, completed_by_asker, debtors, extend, lengthen,
        mark_if_overdue, withdraw, withdrawn_by_asker,
    },
};

/// The name of a case.
pub(crate) fn name(case: &ShareRequest) -> ResourceName {
    ResourceName::new(case.domain.clone(), Resource::Request(case.id))
}

/// The case of this name, wherever it is owned.
pub(crate) fn known(tx: &Tx<'_>, name: &ResourceName) -> Result<ShareRequest, Refusal> {
    let Resource::Request(id) = name.resource else {
        return Err(Refusal::new(Reason::NameInvalid).fact("name", name));
    };
    tx.get(&keys::request(&name.domain, id))
        .ok_or_else(|| Refusal::new(Reason::NotFound).fact("name", name))
}

/// The case of this name, which this domain may change.
pub(crate) fn owned(tx: &Tx<'_>, name: &ResourceName) -> Result<ShareRequest, Refusal> {
    let mut case = known(tx, name)?;
    if case.owner_domain == *tx.domain() {
        crate::apply::relations::transfers::follow_entry(tx, &mut case);
        Ok(case)
    } else {
        Err(Refusal::new(Reason::NotOwner).fact("owner", &case.owner_domain))
    }
}

/// Whether an answer is still owed.
pub(crate) fn check_open(case: &ShareRequest) -> Result<(), Refusal> {
    if case.state.is_open() { Ok(()) } else { Err(wrong_state(case, "an open request")) }
}

fn wrong_state(case: &ShareRequest, needed: &str) -> Refusal {
    let state = match case.state {
        ShareRequestState::Submitted => "submitted",
        ShareRequestState::Forwarded => "forwarded",
        ShareRequestState::CompletionAsked => "completion_asked",
        ShareRequestState::Agreed => "agreed",
        ShareRequestState::AgreedInPart => "agreed_in_part",
        ShareRequestState::Refused => "refused",
        ShareRequestState::Withdrawn => "withdrawn",
        ShareRequestState::NotCompleted => "not_completed",
    };
    Refusal::new(Reason::RequestStateWrong).fact("state", state).fact("needed", needed)
}

/// Whether an answer is owed by this domain.
pub(crate) fn is_owed_here(case: &ShareRequest, domain: &catalog_model::ids::DomainId) -> bool {
    case.owner_domain == *domain && case.state.is_open() && case.rules.is_some()
}

/// Whether the answer clock runs. It stands still between a list of what is missing that came in
/// time and the completion (CAL-19).
pub(crate) fn clock_runs(case: &ShareRequest) -> bool {
    let waits = case.state == ShareRequestState::CompletionAsked
        && case.completion.as_ref().is_some_and(|completion| completion.suspends);
    case.state.is_open() && case.answer_clock.is_some() && !waits
}

/// The instant by which an open case is listed.
fn listed_due(case: &ShareRequest) -> Option<UtcMillis> {
    case.answer_clock.as_ref().filter(|_| case.state.is_open()).map(|clock| clock.due_time)
}

/// Files a new case or the next version of one.
pub(crate) fn save(tx: &mut Tx<'_>, old: Option<&ShareRequest>, case: &ShareRequest) {
    let domain = tx.domain().clone();
    tx.put(&keys::request(&case.domain, case.id), case);
    let name = name(case);

    if let Some(due) = old.and_then(listed_due) {
        tx.delete(&keys::request_by_due(due, &case.domain, case.id));
    }
    if let Some(due) = listed_due(case) {
        tx.put_bytes(&keys::request_by_due(due, &case.domain, case.id), Vec::new());
    }
    for party in parties(tx, case) {
        tx.put_bytes(&keys::request_by_party(party, &case.domain, case.id), Vec::new());
    }

    let owed = |case: &ShareRequest| u64::from(is_owed_here(case, &domain));
    let late = |case: &ShareRequest| owed(case) * u64::from(case.overdue.is_some());
    let (owed_before, late_before) = old.map_or((0, 0), |old| (owed(old), late(old)));
    let (owed, late) = (owed(case), late(case));
    if (owed_before, late_before) != (owed, late) {
        let counters = tx.counters_mut();
        counters.open_requests = counters.open_requests + owed - owed_before;
        counters.overdue_requests = counters.overdue_requests + late - late_before;
    }

    if case.owner_domain == domain {
        follow_clock(tx, &name, case);
        super::cases::end_clocks(tx, &name, case);
        if case.domain != domain {
            let grant =
                case.grant.as_ref().and_then(keys::of).and_then(|key| tx.get::<Grant>(&key));
            let message =
                Message::Status { request: Box::new(case.clone()), grant: grant.map(Box::new) };
            outbox::owe(tx, &case.domain, &name, case.version, message);
        }
    }
    tx.emit(Event::RequestChanged(name));
}

/// Makes the deadline row what the case's clock says. A deadline that has not moved keeps the
/// mark of its firing.
fn follow_clock(tx: &mut Tx<'_>, name: &ResourceName, case: &ShareRequest) {
    match case.answer_clock.as_ref().filter(|_| clock_runs(case)) {
        None => tx.clear_deadline(DeadlineKind::Answer, name),
        Some(clock) => {
            let row: Option<DeadlineRow> = tx.get(&keys::deadline(DeadlineKind::Answer, name));
            let moved = row
                .is_none_or(|row| (row.due_time, row.revision) != (clock.due_time, clock.revision));
            if moved {
                tx.set_deadline(name, clock);
            }
        }
    }
}

/// Stores the next version of a case.
pub(crate) fn change(tx: &mut Tx<'_>, old: &ShareRequest, case: ShareRequest) -> Outcome {
    let case = ShareRequest { version: old.version + 1, updated_time: tx.clock, ..case };
    save(tx, Some(old), &case);
    Outcome::Done(Some(name(&case)))
}

/// The organizations that find the case among theirs.
fn parties(tx: &Tx<'_>, case: &ShareRequest) -> Vec<OrganizationId> {
    let mut parties = vec![case.requester.organization, case.provider.organization];
    let with_authority =
        case.rules.as_ref().is_some_and(|rules| rules.decider != Decider::Provider);
    if with_authority && case.owner_domain == *tx.domain() {
        parties.extend(tx.platform_organization_id(PlatformRole::Authority));
    }
    let escalated = case.overdue.as_ref().and_then(|mark| mark.escalated_party.as_ref());
    parties.extend(escalated.map(|party| party.organization));
    parties
}

/// The rules under which the case was received: a case keeps them, whatever is loaded later.
pub(crate) fn rules_of(tx: &Tx<'_>, law: &Law, case: &ShareRequest) -> Arc<Resolution> {
    let rules = case.rules.as_ref().expect("a received case has its rules");
    let received = case.received_time.expect("a received case has its receipt").local_date();
    let Resource::Entry(id) = case.content.entry.resource else {
        panic!("a case is about an entry");
    };
    let entry = tx
        .get_bytes(&keys::entry(&case.content.entry.domain, id))
        .expect("an entry that was ever asked for stays on file");
    let pair = Pair {
        asker: case.requester.class.expect("a received case has a classed asker"),
        provider: case.provider.class.expect("a received case has a classed provider"),
        data: View::kind_of_entry(&entry),
    };
    law.resolve_under(tx, rules.pack_version, &rules.composition, pair, received)
        .expect("a case's composition is its pack's")
}

/// The organization of this domain that answers the case.
pub(crate) fn deciding_organization(tx: &Tx<'_>, case: &ShareRequest) -> Option<OrganizationId> {
    match case.rules.as_ref()?.decider {
        Decider::Provider => Some(case.provider.organization),
        Decider::Authority | Decider::AuthorityWithProvider => {
            tx.platform_organization_id(PlatformRole::Authority)
        }
    }
}

/// The caller's organization, if it is the provider of the case.
fn calling_provider(tx: &Tx<'_>, case: &ShareRequest) -> Option<Organization> {
    tx.caller_organization().filter(|caller| caller.id == case.provider.organization)
}

/// Whether an organization of this domain owes the answer to a case.
pub(crate) fn owes(tx: &Tx<'_>, case: &ShareRequest, organization: OrganizationId) -> bool {
    let debtor = case.rules.as_ref().map(|rules| rules.debtor);
    debtor.is_some_and(|debtor| {
        debtors(tx, case, debtor).iter().any(|party| party.organization == organization)
    })
}

/// The caller's organization, if it owes the answer.
pub(crate) fn calling_debtor(tx: &Tx<'_>, case: &ShareRequest) -> Option<Organization> {
    tx.caller_organization().filter(|caller| owes(tx, case, caller.id))
}

/// Whether the caller acts for the asker.
fn is_asker(tx: &Tx<'_>, case: &ShareRequest) -> bool {
    case.requester.domain == *tx.domain()
        && tx.caller_organization().is_some_and(|caller| caller.id == case.requester.organization)
}

/// The party that speaks where nobody decides: the platform.
fn platform(tx: &Tx<'_>, provider: &Party) -> Party {
    tx.platform_organization(PlatformRole::PlatformManager)
        .or_else(|| tx.platform_organization(PlatformRole::Authority))
        .map_or_else(|| provider.clone(), |organization| tx.party(&organization))
}
