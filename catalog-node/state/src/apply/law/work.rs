//! Counting again: clocks under a new calendar, cases under law loaded late, cases of an outage.
//!
//! At most [`LOOKED_AT_PER_COMMAND`] rows are looked at in one command; the rest waits in a row of
//! its own and goes on with every advance of the clock. Whoever acts on a case meanwhile, or lets
//! its deadline fire, finds it counted under the calendar in force first.

use std::{collections::BTreeMap, sync::Arc};

use catalog_model::{
    deadline::{DeadlineKind, WorkingDayClock, WorkingDays},
    name::{Resource, ResourceName},
    rule::RuleRef,
    rule_pack::RulePack,
    share_request::ShareRequest,
    time::{LocalDate, UtcMillis},
};
use minicbor::Decode;

use super::outage;
use crate::{
    apply::{cases, catalog, foreseen, grants, quality, requests},
    codec,
    command::Body,
    keys::{self, Key, Table},
    law::{DeadlineCount, LateLaw, Moved, PendingWork, Work},
    ledger::{self, Fact},
    machine::Law,
    rows::DeadlineRow,
    tx::Tx,
    what_if,
};

/// Bound on the work of one command.
pub(crate) const LOOKED_AT_PER_COMMAND: usize = 256;

/// Begins a work and does its first portion.
pub(super) fn begin(tx: &mut Tx<'_>, law: &Law, what: Work) {
    if let Work::Calendar { version } = what {
        // Counting under an older version is void: this one looks at every clock again.
        let rows = tx.rows(&keys::pending_work_all(), usize::MAX);
        for (key, bytes) in rows {
            let row: PendingWork = codec::decode(&bytes).expect("rows are ours");
            if matches!(row.what, Work::Calendar { .. }) {
                tx.delete(&Key::from_stored(key));
            }
        }
        tx.put(&keys::meta::recount(), &version);
    }
    let row = PendingWork { what, cursor: None, looked_at: 0, changed: 0, since: tx.clock };
    let number = tx.index;
    tx.put(&keys::pending_work(number), &row);
    go_on(tx, law, number, row, LOOKED_AT_PER_COMMAND);
}

/// Does a portion of what waits, of so many rows at most; whether more waits.
pub(crate) fn work(tx: &mut Tx<'_>, law: &Law, portion: usize) -> bool {
    let mut left = portion.min(LOOKED_AT_PER_COMMAND);
    while left > 0 {
        let Some((key, bytes)) = tx.rows(&keys::pending_work_all(), 1).pop() else { return false };
        let number = key[key.len() - 8..].try_into().expect("the key ends in a number");
        let row: PendingWork = codec::decode(&bytes).expect("rows are ours");
        left -= go_on(tx, law, u64::from_be_bytes(number), row, left).max(1);
    }
    !tx.rows(&keys::pending_work_all(), 1).is_empty()
}

/// Looks at no more than `bound` rows; how many it looked at.
fn go_on(tx: &mut Tx<'_>, law: &Law, number: u64, mut row: PendingWork, bound: usize) -> usize {
    let table = match row.what {
        Work::Calendar { .. } => Key::table(Table::Deadline),
        Work::LateLaw { .. } | Work::Outage { .. } => Key::table(Table::Request),
    };
    let mut from = row.cursor.as_ref().map_or_else(|| table.as_slice().to_vec(), |c| c.to_vec());
    if row.cursor.is_some() {
        from.push(0);
    }
    let rows = tx.rows_between(&from, &table.end(), bound + 1);
    let done = rows.len() <= bound;
    if matches!(row.what, Work::Calendar { .. }) {
        foreseen::counted(tx, rows.iter().take(bound).map(|(key, _)| key.as_slice()));
    }
    let mut packs = BTreeMap::new();
    let mut looked_at = 0;
    for (key, bytes) in rows.into_iter().take(bound) {
        let changed = match &row.what {
            Work::Calendar { .. } => recount(tx, law, &Key::from_stored(key.clone())),
            Work::LateLaw { version, since } => {
                let case = codec::decode(&bytes).expect("rows are ours");
                hold_against(tx, law, &mut packs, &case, (*version, *since))
            }
            Work::Outage { number } => {
                let case = codec::decode(&bytes).expect("rows are ours");
                outage::mark_for(tx, law, &case, *number)
            }
        };
        row.changed += u64::from(changed);
        row.cursor = Some(key.into());
        looked_at += 1;
    }
    row.looked_at += looked_at as u64;
    let key = keys::pending_work(number);
    if !done {
        tx.put(&key, &row);
        return looked_at;
    }
    tx.delete(&key);
    if matches!(row.what, Work::Calendar { .. }) {
        tx.delete(&keys::meta::recount());
    }
    if row.changed > 0 {
        let fact = Fact::RecomputeFinished {
            what: row.what.name().to_owned(),
            looked_at: row.looked_at,
            changed: row.changed,
        };
        let domain = tx.domain_name();
        ledger::append(tx, &domain, fact, None, &[]);
    }
    looked_at
}

/// Counts the clock of the case on which `body` acts under the calendar in force, before anything
/// is judged by it. The case keeps its version: that is the command's to raise.
pub(crate) fn freshen(tx: &mut Tx<'_>, law: &Law, body: &Body) {
    let case = match body {
        Body::CompleteRequest { request, .. }
        | Body::GiveOpinion { request, .. }
        | Body::AnswerRequest { request, .. }
        | Body::ExtendRequest { request, .. }
        | Body::WithdrawRequest { request, .. } => request.clone(),
        Body::GiveConsent { subject, .. } => subject.clone(),
        Body::ReceiveForwarded { request, .. } => requests::name(request),
        Body::Case(command) => match command.request() {
            Some(request) => request.clone(),
            None => return,
        },
        _ => return,
    };
    if matches!(case.resource, Resource::Request(_)) && tx.has(&keys::meta::recount()) {
        recount_case(tx, law, &case, true);
        for kind in
            [DeadlineKind::Opinion, DeadlineKind::CompletionLapse, DeadlineKind::ReasonHearing]
        {
            recount(tx, law, &keys::deadline(kind, &case));
        }
    }
}

/// Counts a deadline that is due under the calendar in force, if that is still to be done.
pub(crate) fn freshen_due(tx: &mut Tx<'_>, law: &Law, deadline: &Key) {
    if tx.has(&keys::meta::recount()) {
        recount(tx, law, deadline);
    }
}

/// Counts a deadline again; whether it has moved.
fn recount(tx: &mut Tx<'_>, law: &Law, key: &Key) -> bool {
    let Some(row) = tx.get::<DeadlineRow>(key) else { return false };
    match row.kind {
        // A warning is a fraction of the answer clock and moves with it.
        DeadlineKind::Answer | DeadlineKind::Warning => {
            return recount_case(tx, law, &row.subject, false);
        }
        DeadlineKind::CompletionLapse if row.count.is_none() => {
            return cases::lapse::follow(tx, law, &row.subject);
        }
        _ => {}
    }
    let Some(count) = row.count.as_ref() else { return false };
    if count.calendar_version >= law.calendar.version() {
        return false;
    }
    let old = last_day(row.due_time);
    // Without a rule of its own: only the count is taken from it.
    let mut clock = WorkingDayClock {
        kind: row.kind,
        start_time: count.start,
        length: WorkingDays(count.days),
        extended: WorkingDays(0),
        suspended: WorkingDays(0),
        due_date: old,
        due_time: row.due_time,
        provisional: count.provisional,
        calendar_version: count.calendar_version,
        rule: RuleRef::house(""),
        revision: row.revision,
    };
    let Some(change) = clock.recompute(&law.calendar, tx.clock) else {
        return row.kind == DeadlineKind::CatalogUpdate && later_changes(tx, law, &row);
    };
    let fired = row.fired_revision == Some(row.revision);
    if row.due_time <= tx.clock && clock.is_overdue(tx.clock) || fired && !can_lift(tx, &row) {
        return false;
    }
    tx.set_deadline(&row.subject, &clock);
    let moved =
        Moved { kind: row.kind, from: old, to: change.new_date, held: change.held, lifted: fired };
    note(tx, law, &row.subject, moved, None);
    shown_beside(tx, law, &row, fired);
    true
}

/// Behind the change of law that is due first wait others, whose days may move while its day stays.
fn later_changes(tx: &mut Tx<'_>, law: &Law, row: &DeadlineRow) -> bool {
    let moved = catalog::clocks::recompute(tx, &law.calendar, row.kind, &row.subject);
    let Some((from, to)) = moved else { return false };
    let moved = Moved { kind: row.kind, from, to, held: false, lifted: false };
    note(tx, law, &row.subject, moved, None);
    true
}

/// Whether what a deadline did when it fired can be taken back: a mark of lateness, nothing else.
fn can_lift(tx: &Tx<'_>, row: &DeadlineRow) -> bool {
    match row.kind {
        DeadlineKind::ErrorReport | DeadlineKind::PersonalObjection => true,
        DeadlineKind::Delivery => grants::delivery::is_marked(tx, &row.subject),
        _ => false,
    }
}

/// The clock that is kept and shown beside a deadline that has moved moves with it.
fn shown_beside(tx: &mut Tx<'_>, law: &Law, row: &DeadlineRow, lifted: bool) {
    let (kind, subject) = (row.kind, &row.subject);
    match kind {
        DeadlineKind::CatalogUpdate
        | DeadlineKind::CatalogReview
        | DeadlineKind::Reclassification => {
            catalog::clocks::recompute(tx, &law.calendar, kind, subject);
        }
        DeadlineKind::Opinion | DeadlineKind::CompletionLapse | DeadlineKind::ReasonHearing => {
            cases::recounted(tx, law, kind, subject);
        }
        DeadlineKind::Delivery => grants::delivery::recounted(tx, law, subject, lifted),
        DeadlineKind::ErrorReport
        | DeadlineKind::ReportSilence
        | DeadlineKind::PersonalObjection => {
            quality::recounted(tx, &law.calendar, kind, subject, lifted);
        }
        // Nothing is kept beside the row, or a day that no calendar moves.
        DeadlineKind::Answer
        | DeadlineKind::Warning
        | DeadlineKind::Hop
        | DeadlineKind::Rectification
        | DeadlineKind::AttributeReview
        | DeadlineKind::FunctionTransfer
        | DeadlineKind::EmergencyTreatment => {}
    }
}

/// The day that ends at this instant.
fn last_day(due: UtcMillis) -> LocalDate {
    UtcMillis(due.0.saturating_sub(1)).local_date()
}

/// By which calendar the answer clock of a case was counted, of all that its row holds.
#[derive(Decode)]
struct Counted {
    #[n(13)]
    answer_clock: Option<CountedBy>,
}

#[derive(Decode)]
struct CountedBy {
    #[n(8)]
    calendar_version: u64,
}

/// Whether the answer clock of the case still has to be counted. Half of the rows that are looked at are
/// warnings of cases that were counted with their answer: reading one whole would cost more than that.
fn waits_for_count(tx: &Tx<'_>, law: &Law, name: &ResourceName) -> bool {
    let Resource::Request(id) = name.resource else { return false };
    let row: Option<Counted> = tx.get(&keys::request(&name.domain, id));
    let clock = row.and_then(|row| row.answer_clock);
    clock.is_some_and(|clock| clock.calendar_version < law.calendar.version())
}

fn recount_case(tx: &mut Tx<'_>, law: &Law, name: &ResourceName, same_version: bool) -> bool {
    if !waits_for_count(tx, law, name) {
        return false;
    }
    let Ok(old) = requests::owned(tx, name) else { return false };
    let Some(clock) = old.answer_clock.clone().filter(|_| requests::clock_runs(&old)) else {
        return false;
    };
    let mut counted = clock.clone();
    let Some(change) = counted.recompute(&law.calendar, tx.clock) else { return false };
    let moved = Moved {
        kind: clock.kind,
        from: change.old_date,
        to: change.new_date,
        held: change.held,
        lifted: false,
    };
    let rule = clock.rule.clone();
    let Some((case, moved)) = with_clock(tx, &old, &clock, counted, moved) else { return false };
    note(tx, law, name, moved, Some(rule));
    if same_version {
        requests::save(tx, Some(&old), &case);
    } else {
        requests::change(tx, &old, case.clone());
    }
    // Warnings are fractions of the clock, so they move with it.
    cases::warnings::follow(tx, law, &case);
    true
}

/// Warnings are fractions of the clock, so they move with it.
fn follow_warnings(tx: &mut Tx<'_>, law: &Law, name: &ResourceName) {
    if let Ok(case) = requests::owned(tx, name) {
        cases::warnings::follow(tx, law, &case);
    }
}

/// The case with its clock counted anew. A case that ran out under the old count stays overdue
/// where the new count is over too; where it is not, the order is taken back. None = it stays.
fn with_clock(
    tx: &mut Tx<'_>,
    old: &ShareRequest,
    clock: &WorkingDayClock,
    counted: WorkingDayClock,
    mut moved: Moved,
) -> Option<(ShareRequest, Moved)> {
    if clock.is_overdue(tx.clock) && counted.is_overdue(tx.clock) {
        return None;
    }
    let mut case = old.clone();
    if clock.is_overdue(tx.clock) {
        moved.lifted = case.overdue.take().is_some();
        outage::forget(tx, &requests::name(old));
        cases::overdue::lifted(tx, &requests::name(old), clock.due_date);
    }
    case.answer_clock = Some(counted);
    Some((case, moved))
}

fn note(tx: &mut Tx<'_>, law: &Law, subject: &ResourceName, moved: Moved, rule: Option<RuleRef>) {
    let Moved { kind, from, to, held, lifted } = moved;
    let calendar_version = law.calendar.version();
    let fact = Fact::DeadlineRecomputed { kind, calendar_version, from, to, held, lifted };
    ledger::append(tx, subject, fact, rule, &[]);
}

/// Holds a case that was received before the law that binds it was loaded against that law, flags
/// it with both results if they differ, and lets a clock that runs take the new length (POL-07).
fn hold_against(
    tx: &mut Tx<'_>,
    law: &Law,
    packs: &mut BTreeMap<u64, [Arc<RulePack>; 2]>,
    case: &ShareRequest,
    (version, since): (u64, LocalDate),
) -> bool {
    let (Some(rules), Some(received)) = (&case.rules, case.received_time) else { return false };
    let ours = case.owner_domain == *tx.domain();
    if !ours || received.local_date() < since || rules.pack_version >= version {
        return false;
    }
    let [own, late] = packs.entry(rules.pack_version).or_insert_with(|| {
        let own = law.pack(tx, rules.pack_version);
        let late = what_if::under_rulings_of(&own, &law.pack(tx, version));
        [own, Arc::new(late)]
    });
    let packs = [&**own, &**late];
    let outcomes = what_if::outcomes(&tx.overlay(), packs, &law.calendar, case, tx.clock);
    let Some([old, new]) = outcomes else { return false };
    // A clock that stands still takes the length too, and goes on with it.
    let running = case.answer_clock.as_ref().filter(|_| case.state.is_open());
    let due_before = running.map(|clock| clock.due_date);
    let other_clock = running.zip(new.answer_days).is_some_and(|(clock, days)| {
        let rule = new.answer_rule.as_ref().is_some_and(|rule| rule.id != clock.rule.id);
        clock.length.0 != days || rule
    });
    if what_if::differences(&old, &new).is_empty() && !other_clock {
        return false;
    }
    let name = requests::name(case);
    let (mut due_after, mut held, mut lifted) = (due_before, false, false);
    if let (Some(clock), Some(days), Some(rule)) = (running, new.answer_days, &new.answer_rule)
        && other_clock
    {
        let mut counted = clock.clone();
        let days = WorkingDays(days);
        let change = counted.take_length(days, rule.clone(), &law.calendar, tx.clock);
        let moved = Moved {
            kind: clock.kind,
            from: clock.due_date,
            to: counted.due_date,
            held: change.is_some_and(|change| change.held),
            lifted: false,
        };
        // An order that stands rests on the rule under which it was given.
        let changed = if requests::clock_runs(case) {
            with_clock(tx, case, clock, counted, moved)
        } else {
            Some((ShareRequest { answer_clock: Some(counted), ..case.clone() }, moved))
        };
        if let Some((changed, moved)) = changed {
            (due_after, held, lifted) = (Some(moved.to), moved.held, moved.lifted);
            requests::change(tx, case, changed);
            follow_warnings(tx, law, &name);
        }
    }
    let fact = Fact::LawLoadedLate {
        version,
        old_decider: old.decider,
        new_decider: new.decider,
        from: due_before,
        to: due_after,
        held,
        lifted,
    };
    let rule = new.answer_rule.clone().or_else(|| new.decider_rule.clone());
    ledger::append(tx, &name, fact, rule, &[]);
    let row = LateLaw {
        case: name.clone(),
        pack_version: version,
        old,
        new,
        due_before,
        due_after,
        held,
        time: tx.clock,
    };
    tx.put(&keys::late_law(&name, version), &row);
    tx.emit(crate::event::Event::RequestChanged(name));
    true
}

/// What a deadline row keeps of its clock, so that it can be counted again.
pub(crate) fn count_of(clock: &WorkingDayClock) -> DeadlineCount {
    DeadlineCount {
        start: clock.start_time,
        days: clock.total().0,
        calendar_version: clock.calendar_version,
        provisional: clock.provisional,
    }
}
