//! A request that is never completed is closed as "not completed": after a warning, without a
//! refusal, and it may be filed again (SHR-22, CAL-20; must-refuse 41).

use catalog_model::{
    case_file::CompletionLapse,
    deadline::{DeadlineKind, WorkingDayClock},
    name::ResourceName,
    share_request::{ShareRequest, ShareRequestState},
};

use super::{file_of, put_file, warnings};
use crate::{
    apply::requests,
    event::Event,
    ledger::{self, Fact},
    machine::Law,
    rows::DeadlineRow,
    tx::Tx,
};

/// The list of what is missing went out: the asker's time to complete begins, where a rule has
/// one. It fires first as a warning, then at its end.
pub(crate) fn begin(tx: &mut Tx<'_>, law: &Law, case: &ShareRequest) {
    if tx.level < super::LEVEL {
        return;
    }
    let resolution = requests::rules_of(tx, law, case);
    let Some((days, rule)) = resolution.completion().lapse else { return };
    let name = requests::name(case);
    let kind = DeadlineKind::CompletionLapse;
    let mut clock = WorkingDayClock::start(kind, tx.clock, days, rule, &law.calendar);
    let warning = resolution.warnings().and_then(|(shares, _)| shares.into_iter().max());
    let warned = warning.is_none();
    match warning {
        Some(share) => warnings::set(tx, &name, &clock, warnings::instant(law, &clock, share)),
        None => tx.set_deadline(&name, &clock),
    }
    // The end is another revision than the warning: each fires once.
    clock.revision += 1;
    let mut file = file_of(tx, &name);
    file.lapse = Some(CompletionLapse { clock, warned });
    put_file(tx, &name, &file);
}

/// The calendar changed before the warning came: it moves with the asker's time. Whether that moved.
pub(crate) fn follow(tx: &mut Tx<'_>, law: &Law, name: &ResourceName) -> bool {
    let Ok(case) = requests::owned(tx, name) else { return false };
    let mut file = file_of(tx, name);
    let Some(lapse) = file.lapse.as_mut().filter(|lapse| !lapse.warned) else { return false };
    if lapse.clock.recompute(&law.calendar, tx.clock).is_none() {
        return false;
    }
    let shares = requests::rules_of(tx, law, &case).warnings();
    if let Some(share) = shares.and_then(|(shares, _)| shares.into_iter().max()) {
        let clock = &lapse.clock;
        warnings::set(tx, name, clock, warnings::instant(law, clock, share));
    }
    // As at the beginning: the end is another revision than the warning.
    lapse.clock.revision += 1;
    put_file(tx, name, &file);
    true
}

/// The warning, or the end of the asker's time.
pub(crate) fn fired(tx: &mut Tx<'_>, law: &Law, row: &DeadlineRow) {
    let old = requests::owned(tx, &row.subject).expect("a completion is owed in a case of ours");
    let mut file = file_of(tx, &row.subject);
    let Some(lapse) = file.lapse.as_mut() else { return };
    if old.state != ShareRequestState::CompletionAsked {
        return;
    }
    let rule = Some(lapse.clock.rule.clone());
    if !lapse.warned {
        lapse.warned = true;
        // The warning was set by the calendar of the list's day.
        lapse.clock.recompute(&law.calendar, tx.clock);
        let clock = lapse.clock.clone();
        put_file(tx, &row.subject, &file);
        let fact = Fact::CompletionWarned { due_date: clock.due_date };
        ledger::append(tx, &row.subject, fact, rule, &[]);
        tx.set_deadline(&row.subject, &clock);
        tx.emit(Event::RequestChanged(row.subject.clone()));
        return;
    }
    ledger::append(tx, &row.subject, Fact::RequestNotCompleted, rule, &[]);
    let case = ShareRequest { state: ShareRequestState::NotCompleted, ..old.clone() };
    requests::change(tx, &old, case);
}
