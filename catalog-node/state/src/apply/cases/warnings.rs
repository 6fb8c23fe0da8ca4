//! Warnings that an answer will be due: at fractions of its clock, a fact and an event, nothing
//! else (house rule of §13).
//!
//! A fraction is counted in working time: four fifths of a clock of ten working days is the end of
//! the eighth, nineteen twentieths of a clock of one day a moment in its evening. A clock that was
//! moved warns anew; what is already past is not made up for.

use catalog_model::{
    deadline::{DeadlineKind, WorkingDayClock, WorkingDays},
    name::ResourceName,
    rule::RuleRef,
    rule_pack::Resolution,
    share_request::ShareRequest,
    time::UtcMillis,
};

use crate::{
    apply::requests,
    event::Event,
    ledger::{self, Fact},
    machine::Law,
    rows::DeadlineRow,
    tx::Tx,
};

const DAY_MS: u64 = 24 * 3_600_000;

/// The instant at which `share` thousandths of a clock have run.
pub(crate) fn instant(law: &Law, clock: &WorkingDayClock, share: u16) -> UtcMillis {
    let run = u64::from(clock.total().0) * DAY_MS * u64::from(share) / 1_000;
    let (days, rest) = ((run / DAY_MS) as u16, run % DAY_MS);
    let start = clock.start_time.local_date();
    if rest == 0 {
        law.calendar.add_working_days(start, WorkingDays(days)).date.end()
    } else {
        law.calendar.add_working_days(start, WorkingDays(days + 1)).date.start().plus(rest)
    }
}

/// Sets the next warning of a case, or none.
pub(crate) fn follow(tx: &mut Tx<'_>, law: &Law, case: &ShareRequest) {
    if tx.level < super::LEVEL {
        return;
    }
    if requests::clock_runs(case) {
        follow_by(tx, law, &requests::rules_of(tx, law, case), case);
    } else {
        tx.clear_deadline(DeadlineKind::Warning, &requests::name(case));
    }
}

/// As [`follow`], with the rules of the case at hand: resolving them costs more than the rest.
pub(crate) fn follow_by(tx: &mut Tx<'_>, law: &Law, resolution: &Resolution, case: &ShareRequest) {
    let Some(clock) = case.answer_clock.as_ref().filter(|_| requests::clock_runs(case)) else {
        return;
    };
    if tx.level < super::LEVEL {
        return;
    }
    let name = requests::name(case);
    let (shares, _) = shares(resolution);
    let mut instants = shares.iter().map(|share| instant(law, clock, *share));
    match instants.find(|at| *at > tx.clock && *at < clock.due_time) {
        Some(at) => tx.set_deadline_at(&name, DeadlineKind::Warning, at, clock.revision),
        None => tx.clear_deadline(DeadlineKind::Warning, &name),
    }
}

/// The fractions, in order, with their rule; none without one.
fn shares(resolution: &Resolution) -> (Vec<u16>, Option<RuleRef>) {
    let Some((mut shares, rule)) = resolution.warnings() else { return (Vec::new(), None) };
    shares.sort_unstable();
    (shares, Some(rule))
}

/// A fraction of the answer clock has run.
pub(crate) fn fired(tx: &mut Tx<'_>, law: &Law, row: &DeadlineRow) {
    let case = requests::owned(tx, &row.subject).expect("a warning is of a case of ours");
    let Some(clock) = case.answer_clock.clone().filter(|_| requests::clock_runs(&case)) else {
        return;
    };
    let resolution = requests::rules_of(tx, law, &case);
    let (shares, rule) = shares(&resolution);
    // Of several that passed while the clock jumped, the last one says it.
    let passed = shares.iter().rfind(|share| instant(law, &clock, **share) <= tx.clock);
    if let Some(share) = passed.copied()
        && !clock.is_overdue(tx.clock)
    {
        let fact = Fact::AnswerWarned { share, due_date: clock.due_date };
        ledger::append(tx, &row.subject, fact, rule, &[]);
        tx.emit(Event::RequestChanged(row.subject.clone()));
    }
    follow_by(tx, law, &resolution, &case);
}

/// Sets a deadline aside of a working-day clock's own instant.
pub(crate) fn set(tx: &mut Tx<'_>, name: &ResourceName, clock: &WorkingDayClock, at: UtcMillis) {
    tx.set_deadline_at(name, clock.kind, at, clock.revision);
}
