//! Updates that are owed: a law, a decision or a duty changed, and the catalog with it (CAT-09,
//! CAL-13).
//!
//! The clock runs from the day of the change, whoever reports it and when. It is met by an update
//! *and* its submission; for a change of a whole organization the provider names the entries. Each
//! change keeps its own clock; the deadline of a subject is that of the change that is due first.

use catalog_model::{
    catalog_entry::{CatalogEntry, EntryState},
    deadline::{DeadlineKind, WorkingDays},
    entry_file::{ChangeReport, ChangeTrigger, ReportedChange},
    ids::{EntryId, OrganizationId},
    name::{Resource, ResourceName},
    organization::DataKind,
    policy::MAX_LIST,
    reason::Reason,
    refusal::Refusal,
    rule_pack::{Pair, Resolution, RuleKey},
    share_request::PartyRole,
    time::{LocalDate, UtcMillis},
};

use super::{clocks, entry_name, file, working, wrong_state};
use crate::{
    apply::{
        organizations::{is_authority, on_file},
        text,
    },
    event::Event,
    keys,
    ledger::{self, Fact},
    machine::{Law, not_permitted},
    outcome::Outcome,
    rows::DeadlineRow,
    tx::Tx,
};

/// The changes for which `subject` still owes an update.
pub(crate) fn report_of(tx: &Tx<'_>, subject: &ResourceName) -> Option<ChangeReport> {
    tx.get(&keys::change_report(subject))
}

/// Writes a report and sets the deadline of its first change that is not overdue yet; a report
/// without changes goes.
pub(super) fn save(tx: &mut Tx<'_>, report: &mut ChangeReport) {
    let key = keys::change_report(&report.subject);
    if report.changes.is_empty() {
        tx.delete(&key);
        tx.clear_deadline(DeadlineKind::CatalogUpdate, &report.subject);
        return;
    }
    let next = report.changes.iter().filter(|change| !change.overdue);
    if let Some(change) = next.min_by_key(|change| change.clock.due_time) {
        report.revision += 1;
        let mut clock = change.clock.clone();
        clock.revision = report.revision;
        tx.set_deadline(&report.subject, &clock);
    }
    tx.put(&key, report);
}

pub(super) fn report(
    tx: &mut Tx<'_>,
    law: &Law,
    subject: &ResourceName,
    trigger: ChangeTrigger,
    day: LocalDate,
    citation: &str,
) -> Result<Outcome, Refusal> {
    let (provider, kind) = subject_of(tx, subject)?;
    if !is_own(tx, provider) && !is_authority(tx) {
        return Err(not_permitted(tx, "the provider or the authority"));
    }
    if day > tx.today() {
        let refusal = Refusal::new(Reason::FieldInvalid);
        return Err(refusal.field("day", "lies in the future", "晚于今日"));
    }
    text::check_reason("citation", citation)?;
    let known = report_of(tx, subject);
    let changes = known.as_ref().map_or(&[][..], |report| &report.changes);
    if changes.iter().any(|change| change.trigger == trigger && change.day == day) {
        return Err(Refusal::new(Reason::AlreadyExists)
            .fact("name", format!("{subject} {} {day}", trigger.name())));
    }
    if changes.len() == MAX_LIST {
        return Err(Refusal::new(Reason::TooManyItems)
            .fact("field", "changes")
            .fact("length", changes.len() + 1)
            .fact("limit", MAX_LIST));
    }
    let resolution = rules_on(tx, law, provider, kind, day)?;
    let Some(owed) = resolution.catalog_update(trigger) else {
        let key = RuleKey::CatalogUpdate.name();
        return Err(Refusal::new(Reason::NoRuleInForce).fact("key", key));
    };
    let clock = clocks::start(DeadlineKind::CatalogUpdate, day.start(), &owed, &law.calendar);
    let fact = Fact::ChangeReported {
        trigger,
        day,
        due_date: clock.due_date,
        by_default: owed.default.is_some(),
    };
    ledger::append(tx, subject, fact, Some(owed.rule), &[("citation", citation)]);
    let change = ReportedChange {
        trigger,
        day,
        citation: citation.to_owned(),
        reported_time: tx.clock,
        clock,
        default: owed.default,
        overdue: false,
        order: resolution.update_order(),
        escalation: resolution.escalation_of(PartyRole::Provider),
    };
    let mut report = known.unwrap_or_else(|| ChangeReport {
        subject: subject.clone(),
        provider,
        changes: Vec::new(),
        revision: 0,
    });
    report.changes.push(change);
    save(tx, &mut report);
    Ok(told(tx, subject))
}

pub(super) fn extend(
    tx: &mut Tx<'_>,
    law: &Law,
    subject: &ResourceName,
    working_days: u16,
    reason: &str,
) -> Result<Outcome, Refusal> {
    let mut report = owed(tx, subject)?;
    let (provider, kind) = subject_of(tx, subject)?;
    let first = (0..report.changes.len())
        .filter(|place| !report.changes[*place].clock.is_overdue(tx.clock))
        .min_by_key(|place| report.changes[*place].clock.due_time);
    let Some(place) = first else {
        return Err(Refusal::new(Reason::UpdateExtensionTooLate).fact("name", subject));
    };
    let change = &report.changes[place];
    let resolution = rules_on(tx, law, provider, kind, change.day)?;
    // What allows more time allows it for the clock of its own text.
    let extension = resolution
        .catalog_update_extension()
        .filter(|(_, rule)| rule.title == change.clock.rule.title);
    let Some((max, rule)) = extension else {
        return Err(Refusal::new(Reason::ExtensionNotAllowed));
    };
    if !is_authority(tx) {
        return Err(Refusal::new(Reason::ExtensionConsentMissing).under(rule));
    }
    text::check_reason("reason", reason)?;
    if working_days == 0 {
        let refusal = Refusal::new(Reason::FieldInvalid);
        return Err(refusal.field("working_days", "none", "为零"));
    }
    if change.clock.extended.0.saturating_add(working_days) > max.0 {
        return Err(Refusal::new(Reason::ExtensionTooLong).under(rule).fact("limit", max.0));
    }
    let clock = &mut report.changes[place].clock;
    let from = clock.due_date;
    clock.extend(WorkingDays(working_days), &law.calendar);
    let fact = Fact::UpdateExtended { working_days, from, to: clock.due_date };
    ledger::append(tx, subject, fact, Some(rule), &[("reason", reason)]);
    save(tx, &mut report);
    Ok(told(tx, subject))
}

/// The provider names the entries by which a change of the organization was taken in.
pub(super) fn complete(
    tx: &mut Tx<'_>,
    organization: OrganizationId,
    entries: &[EntryId],
) -> Result<Outcome, Refusal> {
    let subject = ResourceName::new(tx.domain().clone(), Resource::Organization(organization));
    if !is_own(tx, organization) {
        return Err(not_permitted(tx, "the provider"));
    }
    let mut report = owed(tx, &subject)?;
    if entries.is_empty() || entries.len() > MAX_LIST {
        let refusal = Refusal::new(Reason::FieldInvalid);
        return Err(refusal.field("entries", "from 1 to 500", "1 至 500 项"));
    }
    let first = report.changes.iter().map(|change| change.day).min().expect("never empty");
    let mut since = LocalDate::from_days(i32::MAX);
    for id in entries {
        let entry = working(tx, *id)?;
        if entry.provider != organization {
            return Err(not_permitted(tx, "the provider of the entry"));
        }
        let submitted = file(tx, *id).submitted_time.map(UtcMillis::local_date);
        let Some(day) = submitted.filter(|day| *day >= first) else {
            let refusal = Refusal::new(Reason::UpdateNotDone);
            return Err(refusal.fact("name", entry_name(tx, *id)).fact("day", first));
        };
        since = since.min(day);
    }
    settle(tx, &mut report, |change| change.day <= since);
    Ok(told(tx, &subject))
}

/// An entry was handed in: what had changed before its last edit is taken in.
pub(super) fn submitted(tx: &mut Tx<'_>, entry: &CatalogEntry) {
    let name = entry_name(tx, entry.id);
    if let Some(mut report) = report_of(tx, &name) {
        let edited = entry.updated_time.local_date();
        settle(tx, &mut report, |change| change.day <= edited);
    }
}

/// An entry left the catalog: nothing is owed for it any more.
pub(super) fn withdrawn(tx: &mut Tx<'_>, entry: &CatalogEntry) {
    let name = entry_name(tx, entry.id);
    if let Some(mut report) = report_of(tx, &name) {
        settle(tx, &mut report, |_| true);
    }
}

fn settle(tx: &mut Tx<'_>, report: &mut ChangeReport, met: impl Fn(&ReportedChange) -> bool) {
    let (done, open): (Vec<_>, Vec<_>) = report.changes.drain(..).partition(met);
    report.changes = open;
    let any = !done.is_empty();
    for change in done {
        let late = change.clock.is_overdue(tx.clock);
        let fact = Fact::UpdateMet { trigger: change.trigger, day: change.day, late };
        ledger::append(tx, &report.subject, fact, Some(change.clock.rule), &[]);
    }
    if any {
        // The deadline row may be that of a change which is met now.
        tx.clear_deadline(DeadlineKind::CatalogUpdate, &report.subject);
        save(tx, report);
    }
}

/// The update was not made in time: the provider is ordered to make it, and it goes past the
/// provider. A late update stays possible.
pub(crate) fn overdue(tx: &mut Tx<'_>, row: &DeadlineRow) {
    let Some(mut report) = report_of(tx, &row.subject) else { return };
    let now = tx.clock;
    let provider = ResourceName::new(tx.domain().clone(), Resource::Organization(report.provider));
    for change in report.changes.iter_mut().filter(|change| !change.overdue) {
        if !change.clock.is_overdue(now) {
            continue;
        }
        change.overdue = true;
        let fact = Fact::UpdateOverdue {
            due_date: change.clock.due_date,
            ordered: change.order.as_ref().map(|_| provider.clone()),
            escalated_to: change.escalation,
        };
        ledger::append(tx, &row.subject, fact, change.order.clone(), &[]);
    }
    save(tx, &mut report);
    told(tx, &row.subject);
}

fn owed(tx: &Tx<'_>, subject: &ResourceName) -> Result<ChangeReport, Refusal> {
    report_of(tx, subject)
        .ok_or_else(|| Refusal::new(Reason::ChangeNotReported).fact("name", subject))
}

/// Who owes updates of `subject`, and in which capacity.
fn subject_of(tx: &Tx<'_>, subject: &ResourceName) -> Result<(OrganizationId, DataKind), Refusal> {
    if subject.domain != *tx.domain() {
        return Err(Refusal::new(Reason::NotOwner).fact("owner", &subject.domain));
    }
    match subject.resource {
        Resource::Entry(id) => {
            let entry = working(tx, id)?;
            if !entry.state.is_listed() && entry.state != EntryState::Suspended {
                return Err(wrong_state(&entry, "an entry in the catalog"));
            }
            Ok((entry.provider, entry.kind))
        }
        Resource::Organization(id) => {
            let organization = on_file(tx, id)?;
            let kind = organization.capacities.first().copied();
            Ok((id, kind.unwrap_or(DataKind::GovernmentData)))
        }
        _ => Err(Refusal::new(Reason::NameInvalid).fact("name", subject)),
    }
}

/// What holds for the provider's catalog on the day of a change.
fn rules_on(
    tx: &Tx<'_>,
    law: &Law,
    provider: OrganizationId,
    kind: DataKind,
    day: LocalDate,
) -> Result<std::sync::Arc<Resolution>, Refusal> {
    let provider = on_file(tx, provider)?;
    let Some(class) = provider.class.filter(|_| provider.verified) else {
        return Err(Refusal::new(Reason::OrganizationUnverified).fact("name", &provider.name));
    };
    law.resolve(tx, Pair::for_catalog(class, kind), day)
}

fn is_own(tx: &Tx<'_>, provider: OrganizationId) -> bool {
    tx.caller_organization().is_some_and(|caller| caller.id == provider)
}

/// Tells those who watch the subject.
fn told(tx: &mut Tx<'_>, subject: &ResourceName) -> Outcome {
    tx.emit(match subject.resource {
        Resource::Entry(_) => Event::EntryEdited(subject.clone()),
        _ => Event::OrganizationChanged(subject.clone()),
    });
    Outcome::Done(Some(subject.clone()))
}
