//! Grants: the right that an agreed request ends in, and how it is stopped (SHR-10, 24).

use catalog_model::{
    deadline::{DeadlineKind, WorkingDayClock, WorkingDays},
    grant::{Grant, GrantState, Suspension},
    ids::GrantId,
    name::{Resource, ResourceName},
    organization::Organization,
    reason::Reason,
    refusal::Refusal,
    rule::RuleRef,
    rule_pack::{Resolution, RuleKey, RuleValue, Unit},
    share_request::{ShareRequest, Term},
    time::LocalDate,
};
use catalog_mutation::{Mutation, active};

use crate::{
    apply::{organizations::same_version, requests, text},
    event::Event,
    keys,
    ledger::{self, Fact},
    machine::{Law, not_permitted},
    outcome::Outcome,
    rows::DeadlineRow,
    tx::Tx,
};

/// The name of a grant that this domain gives.
pub(crate) fn name(tx: &Tx<'_>, id: GrantId) -> ResourceName {
    ResourceName::new(tx.domain().clone(), Resource::Grant(id))
}

/// Gives the right to `items` to the asker of `case`, bound to what was declared, and notes it on
/// the case. Delivery is owed from here where the rules have a number for it (CAL-12).
pub(crate) fn give(
    tx: &mut Tx<'_>,
    law: &Law,
    resolution: &Resolution,
    case: &mut ShareRequest,
    id: GrantId,
    items: Vec<String>,
    rule: RuleRef,
) {
    let requester = case.requester.clone();
    let term = case.content.term.unwrap_or_else(|| open_term(tx.today()));
    let grant = Grant {
        id,
        domain: tx.domain().clone(),
        request: requests::name(case),
        entry: case.content.entry.clone(),
        entry_version: case.entry_version,
        provider: case.provider.clone(),
        system: ResourceName::new(
            requester.domain.clone(),
            Resource::System(requester.organization, case.content.system),
        ),
        consumer: requester,
        scenario: case.content.scenario.clone(),
        items,
        row_scope: case.content.row_scope.clone(),
        term,
        state: GrantState::Granted,
        suspension: None,
        termination_reason: String::new(),
        rule: Some(rule.clone()),
        version: 1,
        granted_time: tx.clock,
        updated_time: tx.clock,
    };
    store(tx, &grant);
    let name = name(tx, id);
    let consumer = &grant.consumer;
    let fact = Fact::Granted {
        request: grant.request.clone(),
        entry: grant.entry.clone(),
        consumer: ResourceName::new(
            consumer.domain.clone(),
            Resource::Organization(consumer.organization),
        ),
        system: grant.system.clone(),
        items: grant.items.clone(),
        from: term.from,
        to: term.to,
    };
    let texts = [("scenario", grant.scenario.as_str()), ("row_scope", &grant.row_scope)];
    ledger::append(tx, &name, fact, Some(rule), &texts);
    if let Some((days, rule)) = delivery_days(resolution) {
        let kind = DeadlineKind::Delivery;
        let clock = WorkingDayClock::start(kind, tx.clock, days, rule, &law.calendar);
        tx.set_deadline(&name, &clock);
    }
    if !active(Mutation::GrantWithoutRequest) {
        case.grant = Some(name);
        case.granted = Some(id);
    }
}

/// Where no rule asks for a term and none was stated, the right has no last day of its own.
fn open_term(today: LocalDate) -> Term {
    Term { from: today, to: LocalDate::from_days(i32::MAX) }
}

fn delivery_days(resolution: &Resolution) -> Option<(WorkingDays, RuleRef)> {
    let merged = resolution.merged(RuleKey::SharingDelivery)?;
    match merged.value {
        RuleValue::Count { n, unit: Unit::WorkingDay } => {
            Some((WorkingDays(n), merged.sources.into_iter().next()?))
        }
        _ => None,
    }
}

/// Writes a grant with its indexes.
pub(crate) fn store(tx: &mut Tx<'_>, grant: &Grant) {
    let (domain, id) = (&grant.domain, grant.id);
    tx.put(&keys::grant(domain, id), grant);
    if let Resource::Entry(entry) = grant.entry.resource {
        tx.put_bytes(&keys::grant_by_entry((&grant.entry.domain, entry), domain, id), Vec::new());
    }
    for party in [grant.provider.organization, grant.consumer.organization] {
        tx.put_bytes(&keys::grant_by_party(party, domain, id), Vec::new());
    }
    tx.emit(Event::GrantChanged(ResourceName::new(domain.clone(), Resource::Grant(id))));
}

pub(crate) fn suspend(
    tx: &mut Tx<'_>,
    _law: &Law,
    grant: &ResourceName,
    version: u64,
    reason: &str,
    rectify_by: LocalDate,
) -> Result<Outcome, Refusal> {
    let old = owned(tx, grant)?;
    let by = supervisor(tx, &old)?;
    same_version(old.version, version)?;
    if old.state != GrantState::Granted {
        return Err(wrong_state(&old, "a grant in force"));
    }
    text::check_reason("reason", reason)?;
    if rectify_by <= tx.today() {
        let (en, zh) = ("not before tomorrow", "不得早于明日");
        return Err(Refusal::new(Reason::FieldInvalid).field("rectify_by", en, zh));
    }
    let suspension =
        Suspension { reason: reason.to_owned(), since: tx.clock, rectify_by, by: tx.party(&by) };
    let fact = Fact::GrantSuspended { rectify_by };
    ledger::append(tx, grant, fact, None, &[("reason", reason)]);
    let next = Grant { state: GrantState::Suspended, suspension: Some(suspension), ..old };
    Ok(change(tx, next))
}

pub(crate) fn terminate(
    tx: &mut Tx<'_>,
    _law: &Law,
    grant: &ResourceName,
    version: u64,
    reason: &str,
) -> Result<Outcome, Refusal> {
    let old = owned(tx, grant)?;
    supervisor(tx, &old)?;
    same_version(old.version, version)?;
    match (old.state, &old.suspension) {
        (GrantState::Terminated, _) => return Err(wrong_state(&old, "a suspended grant")),
        (GrantState::Suspended, Some(suspension)) if tx.today() > suspension.rectify_by => {}
        (GrantState::Suspended, Some(suspension)) => {
            let date = suspension.rectify_by;
            return Err(Refusal::new(Reason::RectificationRunning).fact("date", date));
        }
        _ => return Err(Refusal::new(Reason::TerminationWithoutSuspension)),
    }
    text::check_reason("reason", reason)?;
    tx.clear_deadline(DeadlineKind::Delivery, grant);
    ledger::append(tx, grant, Fact::GrantTerminated, None, &[("reason", reason)]);
    let next =
        Grant { state: GrantState::Terminated, termination_reason: reason.to_owned(), ..old };
    Ok(change(tx, next))
}

/// Delivery was owed by now.
pub(crate) fn delivery_overdue(tx: &mut Tx<'_>, row: &DeadlineRow) {
    let fact = Fact::DeadlineMissed { kind: row.kind, due: row.due_time };
    ledger::append(tx, &row.subject, fact, None, &[]);
    tx.emit(Event::GrantChanged(row.subject.clone()));
}

/// The grant of this name, which this domain gave.
fn owned(tx: &Tx<'_>, name: &ResourceName) -> Result<Grant, Refusal> {
    let Resource::Grant(id) = name.resource else {
        return Err(Refusal::new(Reason::NameInvalid).fact("name", name));
    };
    let grant: Grant = tx
        .get(&keys::grant(&name.domain, id))
        .ok_or_else(|| Refusal::new(Reason::NotFound).fact("name", name))?;
    if grant.domain == *tx.domain() {
        Ok(grant)
    } else {
        Err(Refusal::new(Reason::NotOwner).fact("owner", &grant.domain))
    }
}

/// The caller's organization, if it may stop the right: the provider or the authority (decree 809
/// art. 27¶2).
fn supervisor(tx: &Tx<'_>, grant: &Grant) -> Result<Organization, Refusal> {
    let authority = super::organizations::is_authority(tx);
    tx.caller_organization()
        .filter(|caller| authority || caller.id == grant.provider.organization)
        .ok_or_else(|| not_permitted(tx, "the provider or the authority"))
}

/// Stores the next version of a grant. The asker's domain hears of it through the case.
fn change(tx: &mut Tx<'_>, grant: Grant) -> Outcome {
    let grant = Grant { version: grant.version + 1, updated_time: tx.clock, ..grant };
    store(tx, &grant);
    if grant.request.domain != *tx.domain()
        && let Ok(case) = requests::owned(tx, &grant.request)
    {
        requests::change(tx, &case, case.clone());
    }
    Outcome::Done(Some(name(tx, grant.id)))
}

fn wrong_state(grant: &Grant, needed: &str) -> Refusal {
    let state = match grant.state {
        GrantState::Granted => "granted",
        GrantState::Suspended => "suspended",
        GrantState::Terminated => "terminated",
    };
    Refusal::new(Reason::GrantStateWrong).fact("state", state).fact("needed", needed)
}
