//! Objections of persons and organizations concerned (QLT-03): data about them are inaccurate or
//! incomplete. To the platform or the department; the receiver handles and answers.
//!
//! Who the person is never comes here: only digests of the proofs of identity and relation. A person
//! has no credential of a department, so a clerk or the platform enters the objection.

use catalog_model::{
    deadline::{DeadlineKind, WorkingDayClock},
    ids::{EntryId, OrganizationId, PersonalObjectionId},
    name::{Resource, ResourceName},
    organization::PlatformRole,
    quality::{ConcernProof, PersonalObjection, PersonalObjectionState, WindowFiling},
    reason::Reason,
    refusal::Refusal,
};

use super::check_batch;
use crate::{
    apply::{
        organizations::{on_file, same_version},
        relations::{
            done, entry_name, fresh, is_late, is_of, name_of, on_record, organization_name,
            rules_for, wrong_state,
        },
        text,
    },
    command::PersonalObjectionStep,
    keys::{self, relations as key},
    ledger::{self, Fact},
    machine::{Law, not_permitted},
    outcome::Outcome,
    rows::DeadlineRow,
    tx::Tx,
};

const THING: (&str, &str) = ("objection", "异议申请");

/// What is filed.
#[derive(Debug)]
pub(crate) struct Filing<'a> {
    pub(crate) desk: OrganizationId,
    pub(crate) window: &'a Option<WindowFiling>,
    pub(crate) proof: &'a ConcernProof,
    pub(crate) description: &'a str,
}

pub(crate) fn file(
    tx: &mut Tx<'_>,
    law: &Law,
    id: PersonalObjectionId,
    entry: EntryId,
    filing: &Filing<'_>,
) -> Result<Outcome, Refusal> {
    let Some(clerk) = tx.caller_organization() else {
        return Err(not_permitted(tx, "a department or the platform, for the person concerned"));
    };
    let name = fresh(tx, Resource::PersonalObjection(id))?;
    let published: catalog_model::catalog_entry::CatalogEntry = tx
        .get(&keys::published_entry(tx.domain(), entry))
        .ok_or_else(|| Refusal::new(Reason::NotFound).fact("name", entry_name(tx, entry)))?;
    on_file(tx, filing.desk)?;
    text::check_reason("description", filing.description)?;
    let resolution = rules_for(tx, law, &published)?;
    let desks = resolution.personal_objection_desks();
    let mut missing = Refusal::new(Reason::ConcernNotProven);
    if let Some((_, rule)) = &desks {
        missing = missing.under(rule.clone());
    }
    for (field, digest) in
        [("proof.identity", filing.proof.identity), ("proof.relation", filing.proof.relation)]
    {
        if digest.is_missing() {
            missing = missing.field(field, "missing", "缺少");
        }
    }
    if !missing.fields.is_empty() {
        return Err(missing);
    }
    let mut received = tx.receipt_time();
    if let Some(window) = filing.window {
        super::check_texts(&[("window.number", &window.number)])?;
        if window.stamped > tx.today() {
            let (en, zh) = ("lies in the future", "日期在将来");
            return Err(Refusal::new(Reason::FieldInvalid).field("window.stamped", en, zh));
        }
        // Receipt is the day stamped at the window, not the day on which a clerk enters it.
        if window.stamped < received.local_date() {
            received = window.stamped.start();
        }
    }
    let receiver = receiver(tx, desks.as_ref().map(|(words, _)| words), filing.desk, &published);
    let clock = resolution.personal_objection_days().map(|(days, rule)| {
        let kind = DeadlineKind::PersonalObjection;
        WorkingDayClock::start(kind, received, days, rule, &law.calendar)
    });
    // What came in long ago may be overdue on entry; it fires at the next moment of the clock.
    if let Some(clock) = &clock {
        tx.set_deadline(&name, clock);
    }
    let rule = desks.map(|(_, rule)| rule);
    let objection = PersonalObjection {
        id,
        domain: tx.domain().clone(),
        entry,
        entered_by: clerk.id,
        window: filing.window.clone(),
        proof: filing.proof.clone(),
        description: filing.description.to_owned(),
        desk: filing.desk,
        receiver,
        receiver_rule: rule.clone(),
        state: PersonalObjectionState::Filed,
        clock,
        overdue_since: None,
        batch: None,
        answer: String::new(),
        late: false,
        version: 0,
        created_time: tx.clock,
        updated_time: tx.clock,
    };
    let number = filing.window.as_ref().map_or("", |window| window.number.as_str());
    let texts = [("description", filing.description), ("window", number)];
    Ok(change(tx, &name, objection, rule, &texts))
}

/// Who handles it: the desk, if the rules know it as one, else the department concerned. A wrong
/// desk hands on, it does not refuse.
fn receiver(
    tx: &Tx<'_>,
    desks: Option<&Vec<String>>,
    desk: OrganizationId,
    entry: &catalog_model::catalog_entry::CatalogEntry,
) -> OrganizationId {
    let named = |word: &str| desks.is_some_and(|words| words.iter().any(|known| known == word));
    let platform = [PlatformRole::Authority, PlatformRole::PlatformManager]
        .into_iter()
        .filter_map(|role| tx.platform_organization(role))
        .any(|platform| platform.id == desk);
    if platform && named("platform") { desk } else { entry.provider }
}

/// Stores the next version and its record.
fn change(
    tx: &mut Tx<'_>,
    name: &ResourceName,
    objection: PersonalObjection,
    rule: Option<catalog_model::rule::RuleRef>,
    texts: &[(&str, &str)],
) -> Outcome {
    let objection =
        PersonalObjection { version: objection.version + 1, updated_time: tx.clock, ..objection };
    tx.put(&key::personal_objection(&objection.domain, objection.id), &objection);
    let fact = Fact::PersonalObjectionMoved {
        state: objection.state,
        receiver: organization_name(tx, objection.receiver),
        late: objection.late,
    };
    ledger::append(tx, name, fact, rule, texts);
    done(tx, name.clone())
}

pub(crate) fn step(
    tx: &mut Tx<'_>,
    id: PersonalObjectionId,
    version: u64,
    step: &PersonalObjectionStep,
) -> Result<Outcome, Refusal> {
    let mut objection: PersonalObjection = on_record(tx, Resource::PersonalObjection(id))?;
    if !is_of(tx, objection.receiver) {
        return Err(not_permitted(tx, "the receiver of the objection"));
    }
    same_version(objection.version, version)?;
    let name = name_of(tx, Resource::PersonalObjection(id));
    let open = matches!(
        objection.state,
        PersonalObjectionState::Filed | PersonalObjectionState::Verifying
    );
    if !open {
        return Err(wrong_state(THING, objection.state, "an objection that is not answered"));
    }
    let (state, reason) = match step {
        PersonalObjectionStep::Verify => (PersonalObjectionState::Verifying, ""),
        PersonalObjectionStep::Correct { batch, reason } => {
            text::check_reason("reason", reason)?;
            check_batch(tx, objection.entry, batch, objection.created_time)?;
            objection.batch = Some(batch.clone());
            (PersonalObjectionState::Corrected, reason.as_str())
        }
        PersonalObjectionStep::Reject { reason } => {
            text::check_reason("reason", reason)?;
            (PersonalObjectionState::Rejected, reason.as_str())
        }
    };
    objection.state = state;
    let mut rule = None;
    if state != PersonalObjectionState::Verifying {
        objection.late = is_late(tx, DeadlineKind::PersonalObjection, &name);
        tx.clear_deadline(DeadlineKind::PersonalObjection, &name);
        reason.clone_into(&mut objection.answer);
        rule = objection.clock.as_ref().map(|clock| clock.rule.clone());
    }
    Ok(change(tx, &name, objection, rule, &[("reason", reason)]))
}

/// The receiver did not answer in time.
pub(crate) fn overdue(tx: &mut Tx<'_>, row: &DeadlineRow) {
    let Resource::PersonalObjection(id) = row.subject.resource else { return };
    let mut objection: PersonalObjection = tx
        .get(&key::personal_objection(tx.domain(), id))
        .expect("a deadline belongs to an objection");
    let Some(clock) = objection.clock.clone() else { return };
    objection.overdue_since = Some(row.due_time);
    objection.version += 1;
    objection.updated_time = tx.clock;
    let receiver = objection.receiver;
    tx.put(&key::personal_objection(&objection.domain, id), &objection);
    // What the provider owes goes to the authority; what the authority owes goes above it.
    let role = catalog_model::share_request::PartyRole::Authority;
    super::overdue(tx, row, clock.rule, receiver, Some(role));
}
