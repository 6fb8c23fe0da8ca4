//! Data taken in an emergency (CAT-16): used for it alone, assessed and treated afterwards, and the
//! applications shut down (REG22 21).

use catalog_model::{
    acquisition::{Emergency, EmergencyState},
    deadline::{DeadlineKind, WorkingDayClock},
    ids::{EmergencyId, EntryId, OrganizationId},
    name::Resource,
    organization::DataKind,
    policy::MAX_LIST,
    reason::Reason,
    refusal::Refusal,
    rule_pack::Pair,
    share_request::RequestContent,
};

use super::{
    check_proof, check_texts, done, entry_name, entry_of, fresh, is_of, may_file_for, name_of,
    on_record,
};
use crate::{
    apply::organizations::{in_order, on_file, same_version},
    command::{EmergencyContent, EmergencyStep},
    keys::{self, relations as key},
    ledger::{self, Fact},
    machine::{Law, not_permitted},
    outcome::Outcome,
    tx::Tx,
};

const THING: (&str, &str) = ("emergency", "应急事项");

/// The emergency for which the data of an entry were taken, if they were.
pub(crate) fn of_entry(tx: &Tx<'_>, entry: EntryId) -> Option<Emergency> {
    let id: EmergencyId = tx.get(&key::emergency_of_entry(tx.domain(), entry))?;
    Some(tx.get(&key::emergency(tx.domain(), id)).expect("an indexed emergency exists"))
}

/// Refuses what is asked for outside the emergency or after it.
fn check_use(emergency: &Emergency, serves: bool) -> Result<(), Refusal> {
    let refusal = if emergency.state != EmergencyState::Active {
        Refusal::new(Reason::EmergencyUseEnded)
    } else if !serves {
        Refusal::new(Reason::EmergencyUseOutside)
    } else {
        return Ok(());
    };
    Err(refusal.fact("event", &emergency.event))
}

/// Emergency data are shared for the emergency only: the scenario of a request names the event.
pub(crate) fn check_request(tx: &Tx<'_>, asked: &RequestContent) -> Result<(), Refusal> {
    let Resource::Entry(entry) = asked.entry.resource else { return Ok(()) };
    if tx.level < 3 || asked.entry.domain != *tx.domain() {
        return Ok(());
    }
    let Some(emergency) = of_entry(tx, entry) else { return Ok(()) };
    check_use(&emergency, asked.scenario.contains(&emergency.event))
}

pub(crate) fn open(
    tx: &mut Tx<'_>,
    id: EmergencyId,
    organization: OrganizationId,
    content: &EmergencyContent,
) -> Result<Outcome, Refusal> {
    may_file_for(tx, organization)?;
    let name = fresh(tx, Resource::Emergency(id))?;
    check_texts(&[
        ("emergency.event", &content.event),
        ("emergency.basis.title", &content.basis.title),
        ("emergency.purpose", &content.purpose),
        ("emergency.scope", &content.scope),
        ("emergency.manner", &content.manner),
    ])?;
    let entries = in_order(&content.entries);
    let applications = in_order(&content.applications);
    let length = entries.len().max(applications.len());
    if length > MAX_LIST {
        return Err(Refusal::new(Reason::TooManyItems)
            .fact("field", "emergency.entries")
            .fact("length", length)
            .fact("limit", MAX_LIST));
    }
    for entry in &entries {
        entry_of(tx, organization, *entry)?;
        let index = key::emergency_of_entry(tx.domain(), *entry);
        if tx.has(&index) {
            let name = entry_name(tx, *entry);
            return Err(Refusal::new(Reason::AlreadyExists).fact("name", name));
        }
        tx.put(&index, &id);
    }
    for system in &applications {
        if !tx.has(&keys::system(tx.domain(), organization, *system)) {
            let name = name_of(tx, Resource::System(organization, *system));
            return Err(Refusal::new(Reason::SystemUnknown).fact("name", name));
        }
    }
    let emergency = Emergency {
        id,
        domain: tx.domain().clone(),
        organization,
        event: content.event.clone(),
        basis: content.basis.clone(),
        purpose: content.purpose.clone(),
        scope: content.scope.clone(),
        manner: content.manner.clone(),
        entries,
        applications,
        state: EmergencyState::Active,
        proofs: Vec::new(),
        version: 1,
        created_time: tx.clock,
        updated_time: tx.clock,
    };
    tx.put(&key::emergency(&emergency.domain, id), &emergency);
    let texts = [
        ("event", emergency.event.as_str()),
        ("purpose", &emergency.purpose),
        ("scope", &emergency.scope),
        ("manner", &emergency.manner),
    ];
    let fact = Fact::EmergencyMoved { state: emergency.state, proof: None };
    ledger::append(tx, &name, fact, None, &texts);
    Ok(done(tx, name))
}

pub(crate) fn step(
    tx: &mut Tx<'_>,
    law: &Law,
    id: EmergencyId,
    version: u64,
    step: &EmergencyStep,
) -> Result<Outcome, Refusal> {
    let mut emergency: Emergency = on_record(tx, Resource::Emergency(id))?;
    if !is_of(tx, emergency.organization) {
        return Err(not_permitted(tx, "the department that took the data"));
    }
    same_version(emergency.version, version)?;
    let name = name_of(tx, Resource::Emergency(id));
    let state = emergency.state;
    let needs = |needed: EmergencyState| {
        let word = super::word_of(needed);
        if state == needed { Ok(()) } else { Err(super::wrong_state(THING, state, &word)) }
    };
    let proof = match step {
        EmergencyStep::Use { system, event } => {
            let known = emergency.applications.contains(system);
            check_use(&emergency, known && *event == emergency.event)?;
            let system = name_of(tx, Resource::System(emergency.organization, *system));
            ledger::append(tx, &name, Fact::EmergencyUsed { system }, None, &[]);
            return Ok(done(tx, name));
        }
        EmergencyStep::End => {
            needs(EmergencyState::Active)?;
            emergency.state = EmergencyState::Ended;
            if let Some(clock) = treatment_clock(tx, law, &emergency)? {
                tx.set_deadline(&name, &clock);
            }
            None
        }
        EmergencyStep::Assess { proof } => {
            needs(EmergencyState::Ended)?;
            check_proof(*proof, ("the assessment", "分类评估"))?;
            emergency.state = EmergencyState::Assessed;
            Some(*proof)
        }
        EmergencyStep::Treat { proof } => {
            needs(EmergencyState::Assessed)?;
            check_proof(*proof, ("the treatment", "安全处理"))?;
            emergency.state = EmergencyState::Treated;
            Some(*proof)
        }
        EmergencyStep::CloseApplications { proof } => {
            needs(EmergencyState::Treated)?;
            check_proof(*proof, ("the shutdown", "数据应用关停"))?;
            emergency.state = EmergencyState::AppsClosed;
            tx.clear_deadline(DeadlineKind::EmergencyTreatment, &name);
            Some(*proof)
        }
    };
    emergency.proofs.extend(proof);
    emergency.version += 1;
    emergency.updated_time = tx.clock;
    tx.put(&key::emergency(&emergency.domain, id), &emergency);
    let fact = Fact::EmergencyMoved { state: emergency.state, proof };
    ledger::append(tx, &name, fact, None, &[]);
    Ok(done(tx, name))
}

/// REG22 21¶3 says "afterwards" and no number: the house's number for 及时 holds.
fn treatment_clock(
    tx: &Tx<'_>,
    law: &Law,
    emergency: &Emergency,
) -> Result<Option<WorkingDayClock>, Refusal> {
    let department = on_file(tx, emergency.organization)?;
    let Some(class) = department.class else { return Ok(None) };
    let pair = Pair::for_catalog(class, DataKind::GovernmentData);
    let days = law.resolve(tx, pair, tx.today())?.house_days_of_word("及时");
    let kind = DeadlineKind::EmergencyTreatment;
    Ok(days.map(|(days, rule)| WorkingDayClock::start(kind, tx.clock, days, rule, &law.calendar)))
}
