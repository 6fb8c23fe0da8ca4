//! Quality: dispatch, and the batches by which problem data are traced (QLT-01, 02, 05).

pub(crate) mod personal;
pub(crate) mod reports;

use catalog_model::{
    calendar::WorkingDayCalendar,
    deadline::{DeadlineKind, WorkingDayClock},
    ids::{EntryId, OrganizationId, PersonId, SystemId},
    name::{Resource, ResourceName},
    policy::{MAX_LINE, MAX_LIST},
    quality::{CheckResult, ErrorReport, PersonalObjection, QualityBatch},
    reason::Reason,
    refusal::Refusal,
    rule::RuleRef,
    rule_pack::Resolution,
    share_request::PartyRole,
    time::{LocalDate, UtcMillis},
};

use super::{
    catalog,
    relations::{above, check_texts, digest_of, done, entry_name, may_file_for, organization_name},
};
use crate::{
    command::QualityCommand,
    event::Event,
    keys::{self, relations as key},
    ledger::{self, Fact},
    machine::Law,
    outcome::Outcome,
    rows::DeadlineRow,
    tx::Tx,
};

pub(crate) fn apply(
    tx: &mut Tx<'_>,
    law: &Law,
    command: &QualityCommand,
) -> Result<Outcome, Refusal> {
    use QualityCommand as C;
    match command {
        C::RecordBatch { entry, batch, system, person, rows, results } => {
            record_batch(tx, *entry, batch, (*system, *person), *rows, results)
        }
        C::FileReport { id, entry, items, description, desk } => {
            reports::file(tx, law, *id, *entry, (items, description), *desk)
        }
        C::Report { report, version, step } => reports::step(tx, law, *report, *version, step),
        C::FilePersonalObjection { id, entry, desk, window, proof, description } => {
            let filing = personal::Filing { desk: *desk, window, proof, description };
            personal::file(tx, law, *id, *entry, &filing)
        }
        C::PersonalObjection { objection, version, step } => {
            personal::step(tx, *objection, *version, step)
        }
    }
}

fn record_batch(
    tx: &mut Tx<'_>,
    entry: EntryId,
    batch: &str,
    (system, person): (SystemId, PersonId),
    rows: u64,
    results: &[CheckResult],
) -> Result<Outcome, Refusal> {
    let provider = catalog::working(tx, entry)?.provider;
    may_file_for(tx, provider)?;
    check_texts(&[("batch", batch)])?;
    if batch.chars().count() > MAX_LINE {
        return Err(Refusal::new(Reason::TextTooLong)
            .fact("field", "batch")
            .fact("length", batch.chars().count())
            .fact("limit", MAX_LINE));
    }
    if results.len() > MAX_LIST {
        return Err(Refusal::new(Reason::TooManyItems)
            .fact("field", "results")
            .fact("length", results.len())
            .fact("limit", MAX_LIST));
    }
    for (place, result) in results.iter().enumerate() {
        check_texts(&[(&format!("results[{place}].check"), &result.check)])?;
        if result.failed > result.rows {
            let (en, zh) = ("more rows failed than were looked at", "不合格行数多于检查行数");
            let field = format!("results[{place}].failed");
            return Err(Refusal::new(Reason::FieldInvalid).field(&field, en, zh));
        }
    }
    if !tx.has(&keys::system(tx.domain(), provider, system)) {
        let resource = Resource::System(provider, system);
        let name = ResourceName::new(tx.domain().clone(), resource);
        return Err(Refusal::new(Reason::SystemUnknown).fact("name", name));
    }
    if !tx.has(&keys::person(tx.domain(), provider, person)) {
        return Err(Refusal::new(Reason::PersonUnknown).fact("person", person));
    }
    let row = key::batch(tx.domain(), entry, batch);
    if tx.has(&row) {
        return Err(Refusal::new(Reason::AlreadyExists).fact("name", batch));
    }
    let record = QualityBatch {
        entry,
        batch: batch.to_owned(),
        system,
        person,
        rows,
        results: results.to_vec(),
        recorded_time: tx.clock,
    };
    tx.put(&row, &record);
    let name = entry_name(tx, entry);
    let failed = results.iter().fold(0u64, |sum, result| sum.saturating_add(result.failed));
    let fact = Fact::BatchRecorded { batch: digest_of(batch), rows, failed };
    let texts = [("batch", batch), ("responsible", &person.to_string())];
    ledger::append(tx, &name, fact, None, &texts);
    Ok(done(tx, name))
}

/// A batch that corrected data must be on record for the entry, and not from before somebody said that
/// they are wrong.
fn check_batch(tx: &Tx<'_>, entry: EntryId, batch: &str, since: UtcMillis) -> Result<(), Refusal> {
    let row: Option<QualityBatch> = tx.get(&key::batch(tx.domain(), entry, batch));
    if row.is_some_and(|row| row.recorded_time >= since) {
        return Ok(());
    }
    Err(Refusal::new(Reason::BatchUnknown).fact("batch", batch).fact("since", since))
}

/// What was owed was not given in time: order to the debtor, escalation past it. It stays owed: a
/// late feedback or answer is possible and is marked late.
fn overdue(
    tx: &mut Tx<'_>,
    row: &DeadlineRow,
    rule: RuleRef,
    debtor: OrganizationId,
    role: Option<PartyRole>,
) {
    let escalated_to = role.and_then(|role| above(tx, role, debtor));
    let fact = Fact::QualityOverdue {
        // The deadline ends with its last day.
        due_date: LocalDate::from_days(row.due_time.local_date().days() - 1),
        ordered: organization_name(tx, debtor),
        escalated_to: escalated_to.map(|above| organization_name(tx, above.id)),
    };
    ledger::append(tx, &row.subject, fact, Some(rule), &[]);
    tx.emit(Event::ResourceChanged(row.subject.clone()));
}

/// The calendar changed and the deadline of `kind` for `subject` was counted anew: the clock that is
/// shown with the report or objection is counted too. `lifted`: it had fired and is not due yet by
/// the new count, so that the mark goes; the order comes again in its time.
pub fn recounted(
    tx: &mut Tx<'_>,
    calendar: &WorkingDayCalendar,
    kind: DeadlineKind,
    subject: &ResourceName,
    lifted: bool,
) {
    let key = match (kind, &subject.resource) {
        (DeadlineKind::ErrorReport | DeadlineKind::ReportSilence, Resource::ErrorReport(id)) => {
            key::error_report(&subject.domain, *id)
        }
        (DeadlineKind::PersonalObjection, Resource::PersonalObjection(id)) => {
            key::personal_objection(&subject.domain, *id)
        }
        _ => return,
    };
    let now = tx.clock;
    let recount = |clock: &mut Option<WorkingDayClock>| {
        clock.as_mut().is_some_and(|clock| clock.recompute(calendar, now).is_some())
    };
    if kind == DeadlineKind::PersonalObjection {
        let Some(mut row) = tx.get::<PersonalObjection>(&key) else { return };
        if recount(&mut row.clock) || (lifted && row.overdue_since.is_some()) {
            row.overdue_since = row.overdue_since.filter(|_| !lifted);
            row.version += 1;
            row.updated_time = now;
            tx.put(&key, &row);
            tx.emit(Event::ResourceChanged(subject.clone()));
        }
        return;
    }
    let Some(mut row) = tx.get::<ErrorReport>(&key) else { return };
    let feedback = kind == DeadlineKind::ErrorReport;
    let clock = if feedback { &mut row.clock } else { &mut row.silence };
    let lifted = lifted && feedback;
    if recount(clock) || (lifted && row.overdue_since.is_some()) {
        row.overdue_since = row.overdue_since.filter(|_| !lifted);
        row.version += 1;
        row.updated_time = now;
        tx.put(&key, &row);
        tx.emit(Event::ResourceChanged(subject.clone()));
    }
}

/// To whom what a provider owes goes when it is overdue.
fn escalation(resolution: &Resolution) -> Option<PartyRole> {
    resolution.provider_escalation().map(|(role, _)| role)
}

#[cfg(test)]
mod tests;
