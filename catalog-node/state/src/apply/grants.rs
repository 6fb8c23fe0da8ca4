//! Grants: the right that an agreed request ends in, and everything that follows from it.
//!
//! The delivery is owed by the rules under which the case was received; what the parties do
//! afterwards (use, misuse, disposal, changes of the service) is judged by the rules in force on
//! the day on which they do it, see `conduct_rules`. The domain that gave a right alone changes
//! it; its user acts there, from whichever domain it comes. Use records alone are kept in the
//! user's own domain.

mod agreement;
pub(crate) mod delivery;
pub(crate) mod live;
mod misuse;
mod purpose;
mod service_change;
mod use_records;
mod wider_use;

use catalog_model::{
    catalog_entry::CatalogEntry,
    grant::{Grant, GrantCourse, GrantState},
    ids::GrantId,
    name::{Resource, ResourceName},
    organization::DataKind,
    reason::Reason,
    refusal::Refusal,
    rule::RuleRef,
    rule_pack::{Pair, Resolution},
    share_request::{Party, ShareRequest, Term},
    time::LocalDate,
};
use catalog_mutation::{Mutation, active};

use crate::{
    apply::requests,
    command::GrantCommand,
    event::Event,
    keys,
    ledger::{self, Fact},
    machine::{Law, not_permitted},
    outcome::Outcome,
    tx::Tx,
};

pub(crate) use self::{
    delivery::overdue as delivery_overdue,
    live::live_grants,
    misuse::{lapsed as rectification_lapsed, suspend, terminate},
    purpose::check_asked,
};

/// From this level on a right has a course.
const COURSE_LEVEL: u32 = 3;

/// Decides a command of level 3.
pub(crate) fn apply(
    tx: &mut Tx<'_>,
    law: &Law,
    command: &GrantCommand,
) -> Result<Outcome, Refusal> {
    use GrantCommand as C;
    match command {
        C::OfferDelivery { grant, version, method } => {
            delivery::offer(tx, grant, *version, *method)
        }
        C::RecordRetrieval { grant, test } => delivery::retrieved(tx, law, grant, *test),
        C::AcknowledgeDelivery { grant, version } => {
            delivery::acknowledge(tx, law, grant, *version)
        }
        C::SuspendForMisuse { grant, version, ground, reason, evidence, rectify_by } => {
            let found = Some((*ground, *evidence));
            misuse::stop(tx, law, grant, *version, reason, *rectify_by, found)
        }
        C::ReportRectification { grant, version, refused, text, digest } => {
            misuse::report(tx, law, grant, *version, *refused, text, *digest)
        }
        C::JudgeRectification { grant, version, adequate, reason } => {
            misuse::judge(tx, law, grant, *version, *adequate, reason)
        }
        C::EndPurpose { grant, version, kind, note } => {
            purpose::end(tx, law, grant, *version, *kind, note)
        }
        C::RequireDisposal { grant, version, manner, note } => {
            purpose::require_disposal(tx, law, grant, *version, *manner, note)
        }
        C::ProveDisposal { grant, version, manner, digest } => {
            purpose::prove_disposal(tx, law, grant, *version, *manner, *digest)
        }
        C::RecordUse { grant, entries } => use_records::record(tx, law, grant, entries),
        C::PurgeUseRecords { grant, before } => use_records::purge(tx, law, grant, *before),
        C::ConsentWiderUse { grant, version, kind, recipient, purpose, items } => {
            let wanted = wider_use::Wanted { kind: *kind, recipient, purpose, items };
            wider_use::consent(tx, law, grant, *version, &wanted)
        }
        C::RecordAgreement { grant, version, number, digest, signed } => {
            agreement::record(tx, law, grant, *version, number, *digest, *signed)
        }
        C::ProposeServiceChange { id, entry, kind, items, cause, reason, effective } => {
            let wanted = service_change::Wanted {
                kind: *kind,
                items,
                cause: *cause,
                reason,
                effective: *effective,
            };
            service_change::propose(tx, law, *id, entry, &wanted)
        }
        C::StateOnServiceChange { change, version, agrees, text } => {
            service_change::state(tx, law, change, *version, *agrees, text)
        }
        C::RecordNegotiation { change, version, minutes } => {
            service_change::negotiated(tx, law, change, *version, *minutes)
        }
        C::FileServiceChange { change, version } => service_change::file(tx, law, change, *version),
        C::EffectServiceChange { change, version } => {
            service_change::effect(tx, law, change, *version)
        }
        C::AbandonServiceChange { change, version, reason } => {
            service_change::abandon(tx, change, *version, reason)
        }
    }
}

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
    let mut grant = Grant {
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
        course: (tx.level >= COURSE_LEVEL).then(Box::default),
        rate_per_day: case.content.rate_per_day,
    };
    let owed = delivery::owed(tx, law, resolution, &mut grant);
    if grant.course.is_some() {
        service_change::join(tx, &mut grant);
    }
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
    if let Some(clock) = owed {
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

/// The grant of this name, wherever it was given.
fn known(tx: &Tx<'_>, name: &ResourceName) -> Result<Grant, Refusal> {
    let Resource::Grant(id) = name.resource else {
        return Err(Refusal::new(Reason::NameInvalid).fact("name", name));
    };
    tx.get(&keys::grant(&name.domain, id))
        .ok_or_else(|| Refusal::new(Reason::NotFound).fact("name", name))
}

/// The grant of this name, which this domain gave.
fn owned(tx: &Tx<'_>, name: &ResourceName) -> Result<Grant, Refusal> {
    let grant = known(tx, name)?;
    if grant.domain == *tx.domain() {
        Ok(grant)
    } else {
        Err(Refusal::new(Reason::NotOwner).fact("owner", &grant.domain))
    }
}

/// What holds for the pair of a right today, by the rules of this domain: conduct is judged by the
/// law of its day, whenever the right was given.
fn conduct_rules(
    tx: &Tx<'_>,
    law: &Law,
    grant: &Grant,
) -> Result<std::sync::Arc<Resolution>, Refusal> {
    law.resolve(tx, pair(tx, grant)?, tx.today())
}

fn pair(tx: &Tx<'_>, grant: &Grant) -> Result<Pair, Refusal> {
    let classed = |party: &Party| {
        let unknown = || Refusal::new(Reason::OrganizationUnverified).fact("name", &party.name);
        party.class.ok_or_else(unknown)
    };
    let entry = match grant.entry.resource {
        Resource::Entry(id) => tx
            .get::<CatalogEntry>(&keys::entry(&grant.entry.domain, id))
            .or_else(|| tx.get(&keys::published_entry(&grant.entry.domain, id))),
        _ => None,
    };
    Ok(Pair {
        asker: classed(&grant.consumer)?,
        provider: classed(&grant.provider)?,
        // An entry of another domain that has left the catalog since: what most entries are.
        data: entry.map_or(DataKind::GovernmentData, |entry| entry.kind),
    })
}

/// Whether the caller acts for `party`, here or from the domain in which it is registered.
fn acts_for(tx: &Tx<'_>, party: &Party) -> bool {
    tx.caller.domain == party.domain && tx.caller.organization() == Some(party.organization)
}

fn check_user(tx: &Tx<'_>, grant: &Grant) -> Result<(), Refusal> {
    if acts_for(tx, &grant.consumer) { Ok(()) } else { Err(not_permitted(tx, "the user")) }
}

fn check_provider(tx: &Tx<'_>, grant: &Grant) -> Result<(), Refusal> {
    if acts_for(tx, &grant.provider) { Ok(()) } else { Err(not_permitted(tx, "the provider")) }
}

/// The course of a right, to be written on; a right of an older cluster begins one.
fn course(grant: &mut Grant) -> &mut GrantCourse {
    grant.course.get_or_insert_with(Box::default)
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
    Refusal::new(Reason::GrantStateWrong).fact("state", grant.state.word()).fact("needed", needed)
}

fn under(refusal: Refusal, rule: Option<RuleRef>) -> Refusal {
    match rule {
        Some(rule) => refusal.under(rule),
        None => refusal,
    }
}
