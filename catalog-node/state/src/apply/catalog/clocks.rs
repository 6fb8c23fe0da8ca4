//! Clocks of the catalog's own duties: when is something owed, and which clock stands behind a
//! deadline, should the calendar change?

use catalog_model::{
    calendar::WorkingDayCalendar,
    deadline::{DeadlineKind, WorkingDayClock, WorkingDays},
    name::{Resource, ResourceName},
    rule_pack::{Owed, Unit},
    time::{LocalDate, UtcMillis},
};

use super::file;
use crate::{keys, tx::Tx};

/// The clock of what is owed from `start` on, whose day is not counted.
pub(super) fn start(
    kind: DeadlineKind,
    start: UtcMillis,
    owed: &Owed,
    calendar: &WorkingDayCalendar,
) -> WorkingDayClock {
    let rule = owed.rule.clone();
    if owed.unit == Unit::WorkingDay {
        return WorkingDayClock::start(kind, start, WorkingDays(owed.n), rule, calendar);
    }
    let due = last_day(start.local_date(), owed, calendar);
    fixed(kind, start, due, rule, 0, calendar)
}

/// The last day of what is owed from `day` on. A period of months or years whose last day is no
/// working day ends on the next one (Civil Code 203).
pub(super) fn last_day(day: LocalDate, owed: &Owed, calendar: &WorkingDayCalendar) -> LocalDate {
    let mut due = match owed.unit {
        Unit::WorkingDay => return calendar.add_working_days(day, WorkingDays(owed.n)).date,
        Unit::Day => LocalDate::from_days(day.days().saturating_add(i32::from(owed.n))),
        Unit::Month => day.plus_months(owed.n),
        Unit::Year => day.plus_months(owed.n.saturating_mul(12)),
    };
    // No holiday is as long as this: a calendar without working days cannot hold us up.
    for _ in 0..60 {
        if calendar.is_working_day(due).counts() {
            break;
        }
        due = due.next();
    }
    due
}

/// A clock that ends on a day that is known.
pub(super) fn fixed(
    kind: DeadlineKind,
    start_time: UtcMillis,
    due_date: LocalDate,
    rule: catalog_model::rule::RuleRef,
    revision: u32,
    calendar: &WorkingDayCalendar,
) -> WorkingDayClock {
    WorkingDayClock {
        kind,
        start_time,
        length: WorkingDays(0),
        extended: WorkingDays(0),
        suspended: WorkingDays(0),
        due_date,
        due_time: due_date.end(),
        provisional: !calendar.is_official(due_date),
        calendar_version: calendar.version(),
        rule,
        revision,
    }
}

/// Counts the clocks of the catalog's duties behind the deadline of `kind` for `subject` anew,
/// after the calendar changed; says from which day to which the last day moved, if it did. Days
/// that were counted in months stay: a new calendar moves them only if their end is no working
/// day, and that shows at the next review.
pub fn recompute(
    tx: &mut Tx<'_>,
    calendar: &WorkingDayCalendar,
    kind: DeadlineKind,
    subject: &ResourceName,
) -> Option<(LocalDate, LocalDate)> {
    let now = tx.clock;
    match (kind, &subject.resource) {
        (DeadlineKind::CatalogUpdate, _) => {
            let mut report = super::changes::report_of(tx, subject)?;
            let mut moved = None;
            for change in report.changes.iter_mut().filter(|change| !change.overdue) {
                if let Some(found) = change.clock.recompute(calendar, now) {
                    moved = Some((found.old_date, found.new_date));
                }
            }
            moved?;
            super::changes::save(tx, &mut report);
            moved
        }
        (DeadlineKind::CatalogReview, Resource::Entry(id)) => {
            let mut file = file(tx, *id);
            let clock = &mut file.authority_review.as_mut()?.clock;
            let found = clock.recompute(calendar, now)?;
            let clock = clock.clone();
            tx.put(&keys::entry_file(&tx.domain().clone(), *id), &file);
            tx.set_deadline(subject, &clock);
            Some((found.old_date, found.new_date))
        }
        (DeadlineKind::Reclassification, Resource::Entry(id)) => {
            let mut item = super::worklist::item(tx, *id)?;
            let clock = item.clock.as_mut()?;
            let found = clock.recompute(calendar, now)?;
            let clock = clock.clone();
            tx.put(&keys::worklist(&tx.domain().clone(), *id), &item);
            tx.set_deadline(subject, &clock);
            Some((found.old_date, found.new_date))
        }
        _ => None,
    }
}
