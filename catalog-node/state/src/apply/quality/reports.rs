//! Error reports (QLT-04, SHR-16): a user of data says what is wrong, the provider verifies,
//! corrects and feeds back, everybody who holds the data is told.
//!
//! The clock runs from the provider's receipt and is met by the feedback, never by what the reporter
//! says to it. A report at the wrong desk is handed on, not refused.

use catalog_model::{
    deadline::{DeadlineKind, WorkingDayClock},
    grant::{Grant, GrantState},
    ids::{EntryId, GrantId, OrganizationId, ReportId},
    name::{Resource, ResourceName},
    quality::{Correction, Desk, ErrorReport, ReportState},
    reason::Reason,
    refusal::Refusal,
    rule_pack::{Pair, Resolution},
};

use super::check_batch;
use crate::{
    apply::{
        catalog,
        organizations::{is_authority, on_file, same_version},
        relations::{
            check_proof, digest_of, done, entry_name, fresh, is_late, is_of, name_of, on_record,
            sources, wrong_state,
        },
        text,
    },
    command::ReportStep,
    keys::{self, Key, Table, relations as key},
    ledger::{self, Fact},
    machine::{Law, not_permitted},
    outcome::Outcome,
    rows::DeadlineRow,
    tx::Tx,
    view::View,
};

const THING: (&str, &str) = ("report", "差错报告");
/// Rights that one report names; whoever holds more learns it from the catalog's feed.
const TOLD_MAX: usize = 1_000;

pub(crate) fn file(
    tx: &mut Tx<'_>,
    law: &Law,
    id: ReportId,
    entry: EntryId,
    (items, description): (&[String], &str),
    desk: Option<Desk>,
) -> Result<Outcome, Refusal> {
    let Some(reporter) = tx.caller_organization() else {
        return Err(not_permitted(tx, "a department of this domain"));
    };
    let name = fresh(tx, Resource::ErrorReport(id))?;
    let published: catalog_model::catalog_entry::CatalogEntry = tx
        .get(&keys::published_entry(tx.domain(), entry))
        .ok_or_else(|| Refusal::new(Reason::NotFound).fact("name", entry_name(tx, entry)))?;
    text::check_reason("description", description)?;
    text::check_list("items", items)?;
    for (place, item) in items.iter().enumerate() {
        if !published.content.items.iter().any(|known| known.name == *item) {
            let field = format!("items[{place}]");
            let (en, zh) = ("not an item of the entry", "不是该目录的信息项");
            return Err(Refusal::new(Reason::FieldInvalid).field(&field, en, zh));
        }
    }
    let provider = on_file(tx, published.provider)?;
    let (Some(asker), Some(class)) = (reporter.class, provider.class) else {
        let unknown = if reporter.class.is_none() { &reporter } else { &provider };
        return Err(Refusal::new(Reason::OrganizationUnverified).fact("name", &unknown.name));
    };
    let pair = Pair { asker, provider: class, data: published.kind };
    let received = tx.receipt_time();
    let resolution = law.resolve(tx, pair, received.local_date())?;
    let (recipient, recipient_rule) = match resolution.report_recipient() {
        Some((desk, rule)) => (desk, Some(rule)),
        None => (Desk::Provider, None),
    };
    let mut report = ErrorReport {
        id,
        domain: tx.domain().clone(),
        entry,
        provider: provider.id,
        reporter: tx.party(&reporter),
        desk: desk.unwrap_or(recipient),
        recipient,
        recipient_rule,
        items: items.to_vec(),
        description: description.to_owned(),
        state: ReportState::Filed,
        clock: None,
        escalation: super::escalation(&resolution),
        overdue_since: None,
        correction: None,
        feedback: String::new(),
        fed_back_time: None,
        late: false,
        told: Vec::new(),
        reopened: 0,
        version: 0,
        created_time: tx.clock,
        updated_time: tx.clock,
        silence: None,
        source: source(tx, items, provider.id),
    };
    if recipient == Desk::Provider {
        start(tx, law, &resolution, &name, &mut report, received);
    }
    let index = key::reports_of_entry(tx.domain(), entry).id(id.to_bytes());
    tx.put_bytes(&index, Vec::new());
    let rule = report.recipient_rule.clone();
    Ok(change(tx, &name, report, rule, &[("description", description)]))
}

/// The source of the first of these items that has one other than the provider.
fn source(tx: &Tx<'_>, items: &[String], provider: OrganizationId) -> Option<OrganizationId> {
    items
        .iter()
        .filter_map(|item| sources::source_of(tx, item, tx.today()))
        .map(|source| source.organization)
        .find(|source| *source != provider)
}

/// The provider has it: its clock starts.
fn start(
    tx: &mut Tx<'_>,
    law: &Law,
    resolution: &Resolution,
    name: &ResourceName,
    report: &mut ErrorReport,
    received: catalog_model::time::UtcMillis,
) {
    let Some((days, rule)) = resolution.correction_days() else { return };
    let kind = DeadlineKind::ErrorReport;
    let clock = WorkingDayClock::start(kind, received, days, rule, &law.calendar);
    tx.set_deadline(name, &clock);
    report.clock = Some(clock);
    report.overdue_since = None;
    report.late = false;
}

/// Stores the next version and its record.
fn change(
    tx: &mut Tx<'_>,
    name: &ResourceName,
    report: ErrorReport,
    rule: Option<catalog_model::rule::RuleRef>,
    texts: &[(&str, &str)],
) -> Outcome {
    let report = ErrorReport { version: report.version + 1, updated_time: tx.clock, ..report };
    tx.put(&key::error_report(&report.domain, report.id), &report);
    let fact = Fact::ReportMoved { state: report.state, late: report.late };
    ledger::append(tx, name, fact, rule, texts);
    done(tx, name.clone())
}

/// The rules for reporter and provider, today.
fn rules(
    tx: &Tx<'_>,
    law: &Law,
    report: &ErrorReport,
) -> Result<std::sync::Arc<Resolution>, Refusal> {
    let entry = catalog::working(tx, report.entry)?;
    let provider = on_file(tx, entry.provider)?;
    let (Some(asker), Some(class)) = (report.reporter.class, provider.class) else {
        return Err(Refusal::new(Reason::OrganizationUnverified).fact("name", &provider.name));
    };
    law.resolve(tx, Pair { asker, provider: class, data: entry.kind }, tx.today())
}

pub(crate) fn step(
    tx: &mut Tx<'_>,
    law: &Law,
    id: ReportId,
    version: u64,
    step: &ReportStep,
) -> Result<Outcome, Refusal> {
    let mut report: ErrorReport = on_record(tx, Resource::ErrorReport(id))?;
    // The entry may have gone to another department with its function: that one answers now.
    report.provider = catalog::working(tx, report.entry)?.provider;
    let (permitted, needed) = match step {
        ReportStep::HandOver => (is_authority(tx), "the authority"),
        ReportStep::Close | ReportStep::Reopen { .. } => {
            (is_of(tx, report.reporter.organization), "the reporter")
        }
        _ => (is_of(tx, report.provider), "the provider of the entry"),
    };
    if !permitted {
        return Err(not_permitted(tx, needed));
    }
    same_version(report.version, version)?;
    let name = name_of(tx, Resource::ErrorReport(id));
    let state = report.state;
    let wrong = |needed| Err(wrong_state(THING, state, needed));
    let mut texts: Vec<(&str, &str)> = Vec::new();
    let mut rule = None;
    match step {
        ReportStep::HandOver => {
            if state != ReportState::Filed || report.clock.is_some() {
                return wrong("a report that waits at the authority");
            }
            let resolution = rules(tx, law, &report)?;
            let now = tx.clock;
            start(tx, law, &resolution, &name, &mut report, now);
            report.state = ReportState::Verifying;
        }
        ReportStep::Verify => {
            if state != ReportState::Filed || report.clock.is_none() {
                return wrong("a report that the provider has received");
            }
            report.state = ReportState::Verifying;
        }
        ReportStep::Confirm => {
            if state != ReportState::Verifying {
                return wrong("a report under verification");
            }
            report.state = ReportState::Confirmed;
        }
        ReportStep::Reject { reason } => {
            if state != ReportState::Verifying {
                return wrong("a report under verification");
            }
            text::check_reason("reason", reason)?;
            report.state = ReportState::NotConfirmed;
            texts.push(("reason", reason));
        }
        ReportStep::Correct { batch, before, after } => {
            if state != ReportState::Confirmed {
                return wrong("a confirmed report");
            }
            check_batch(tx, report.entry, batch, report.created_time)?;
            check_proof(*before, ("the rows before", "更正前数据"))?;
            check_proof(*after, ("the rows after", "更正后数据"))?;
            if before == after {
                let (en, zh) = ("nothing was corrected", "数据未发生变化");
                return Err(Refusal::new(Reason::FieldInvalid).field("after", en, zh));
            }
            report.state = ReportState::Corrected;
            report.correction =
                Some(Correction { batch: batch.clone(), before: *before, after: *after });
            let batch = digest_of(batch);
            let fact = Fact::ReportCorrected { batch, before: *before, after: *after };
            ledger::append(tx, &name, fact, None, &[]);
        }
        ReportStep::FeedBack { text: said } => {
            if matches!(state, ReportState::Confirmed) {
                let refusal = Refusal::new(Reason::CorrectionMissing);
                let clock = report.clock.as_ref();
                return Err(match clock {
                    Some(clock) => refusal.under(clock.rule.clone()),
                    None => refusal,
                });
            }
            if !matches!(state, ReportState::Corrected | ReportState::NotConfirmed) {
                return wrong("a corrected or rejected report");
            }
            text::check_reason("text", said)?;
            rule = report.clock.as_ref().map(|clock| clock.rule.clone());
            feed_back(tx, law, &name, &mut report, said)?;
            texts.push(("feedback", said));
        }
        ReportStep::Propagate => {
            if state != ReportState::FedBack || report.correction.is_none() {
                return wrong("a corrected report that was fed back");
            }
            propagate(tx, &name, &mut report);
            report.state = ReportState::Propagated;
        }
        ReportStep::Close => {
            let over = match (state, &report.correction) {
                (ReportState::FedBack, None) => true,
                (state, _) => state == ReportState::Propagated,
            };
            if !over {
                return wrong("a report that was fed back, and propagated if the data were wrong");
            }
            tx.clear_deadline(DeadlineKind::ReportSilence, &name);
            report.state = ReportState::Closed;
        }
        ReportStep::Reopen { reason } => {
            if !matches!(
                state,
                ReportState::FedBack | ReportState::Propagated | ReportState::Closed
            ) {
                return wrong("a report that was fed back");
            }
            text::check_reason("reason", reason)?;
            tx.clear_deadline(DeadlineKind::ReportSilence, &name);
            let resolution = rules(tx, law, &report)?;
            let received = tx.receipt_time();
            report.state = ReportState::Verifying;
            report.correction = None;
            report.silence = None;
            report.feedback = String::new();
            report.fed_back_time = None;
            report.reopened += 1;
            start(tx, law, &resolution, &name, &mut report, received);
            texts.push(("reason", reason));
        }
    }
    Ok(change(tx, &name, report, rule, &texts))
}

/// The feedback meets the clock; the reporter may speak while the house's clock of silence runs.
fn feed_back(
    tx: &mut Tx<'_>,
    law: &Law,
    name: &ResourceName,
    report: &mut ErrorReport,
    said: &str,
) -> Result<(), Refusal> {
    let resolution = rules(tx, law, report)?;
    report.late = is_late(tx, DeadlineKind::ErrorReport, name);
    tx.clear_deadline(DeadlineKind::ErrorReport, name);
    report.state = ReportState::FedBack;
    said.clone_into(&mut report.feedback);
    report.fed_back_time = Some(tx.clock);
    if let Some((days, rule)) = resolution.report_silence_days() {
        let kind = DeadlineKind::ReportSilence;
        let clock = WorkingDayClock::start(kind, tx.clock, days, rule, &law.calendar);
        tx.set_deadline(name, &clock);
        report.silence = Some(clock);
    }
    Ok(())
}

/// Everybody who holds the data, by the rights that have not ended.
fn propagate(tx: &mut Tx<'_>, name: &ResourceName, report: &mut ErrorReport) {
    let domain = &report.domain;
    let prefix = Key::table(Table::GrantByEntry).domain(domain).id(report.entry.to_bytes());
    let mut holders = Vec::new();
    for (index, _) in tx.rows(&prefix, usize::MAX) {
        let (domain, id) = View::named_by_index(&index, prefix.as_slice().len());
        let id = GrantId::from_bytes(id);
        let grant: Grant = tx.get(&keys::grant(&domain, id)).expect("an indexed grant exists");
        let concerned =
            report.items.is_empty() || grant.items.iter().any(|item| report.items.contains(item));
        if grant.state != GrantState::Terminated && concerned && holders.len() < TOLD_MAX {
            holders.push(ResourceName::new(domain, Resource::Grant(id)));
        }
    }
    report.told.clone_from(&holders);
    ledger::append(tx, name, Fact::ReportPropagated { holders }, None, &[]);
}

/// The provider did not feed back in time.
pub(crate) fn overdue(tx: &mut Tx<'_>, row: &DeadlineRow) {
    let Resource::ErrorReport(id) = row.subject.resource else { return };
    let mut report: ErrorReport =
        tx.get(&key::error_report(tx.domain(), id)).expect("a deadline belongs to a report");
    let Some(clock) = report.clock.clone() else { return };
    let entry = catalog::working(tx, report.entry).expect("entries are never deleted");
    report.overdue_since = Some(row.due_time);
    report.version += 1;
    report.updated_time = tx.clock;
    tx.put(&key::error_report(&report.domain, id), &report);
    super::overdue(tx, row, clock.rule, entry.provider, report.escalation);
}

/// The reporter said nothing to the feedback: the report closes, and may be reopened (CAL-23). Who
/// holds corrected data is told even so.
pub(crate) fn silent(tx: &mut Tx<'_>, row: &DeadlineRow) {
    let Resource::ErrorReport(id) = row.subject.resource else { return };
    let mut report: ErrorReport =
        tx.get(&key::error_report(tx.domain(), id)).expect("a deadline belongs to a report");
    if report.state == ReportState::FedBack && report.correction.is_some() {
        propagate(tx, &row.subject, &mut report);
    }
    report.state = ReportState::Closed;
    let rule = report.silence.as_ref().map(|clock| clock.rule.clone());
    tx.clear_deadline(DeadlineKind::ReportSilence, &row.subject);
    change(tx, &row.subject, report, rule, &[]);
}
