//! The committed clock moves, and what is due fires: once, in the order of due instants, whatever
//! the clocks of machines did.
//!
//! A firing is idempotent by (deadline, revision); the cluster's generation is no part of it. At
//! most [`FIRED_PER_COMMAND`] deadlines fire in one command, so that no command is unbounded, and no
//! more than the command says; the proposer repeats it while more are due.

use catalog_model::{deadline::DeadlineKind, reason::Reason, refusal::Refusal};
use catalog_mutation::{Mutation, active};

use crate::{
    event::Event,
    keys::{Key, Table},
    machine::{Law, not_permitted},
    outcome::Outcome,
    rows::DeadlineRow,
    tx::Tx,
};

use super::{cluster, drills, foreseen, law as law_itself};

/// Bound on the work of one command.
pub const FIRED_PER_COMMAND: usize = 256;

pub(crate) fn advance(
    tx: &mut Tx<'_>,
    law: &Law,
    development: bool,
    portion: Option<u16>,
) -> Result<Outcome, Refusal> {
    if development && !tx.cluster.development_clock {
        return Err(Refusal::new(Reason::DevelopmentClockOff));
    }
    if development && !cluster::operates(tx) {
        return Err(not_permitted(tx, "the platform manager"));
    }
    let complete = tx.level >= 3;
    let bound =
        portion.map_or(FIRED_PER_COMMAND, |most| usize::from(most).clamp(1, FIRED_PER_COMMAND));
    let working = complete && law_itself::work(tx, law, bound);
    let table = Key::table(Table::Due);
    let early = if active(Mutation::DeadlineFiresEarly) { 24 * 3_600_000 } else { 0 };
    let to = Key::table(Table::Due).number(tx.clock.plus(early).0.saturating_add(1));
    let known = law.due_from.as_deref().filter(|from| *from <= to.as_slice());
    let from = known.unwrap_or(table.as_slice());
    let due = tx.rows_between(from, to.as_slice(), bound + 1);
    let more = due.len() > bound;
    if !active(Mutation::DeadlineFiresTwice) {
        // The last one that is taken now, or that nothing is left.
        let last = due.get(bound.saturating_sub(1)).filter(|_| more);
        tx.due_passed = Some(last.map_or_else(|| to.as_slice().to_vec(), |(key, _)| key.clone()));
    }
    // The key of a due row is its instant followed by the deadline's own key.
    foreseen::due(tx, due.iter().take(bound).map(|(key, _)| &key[9..]));
    let mut fired = 0;
    for (due_key, _) in due.into_iter().take(bound) {
        let deadline = Key::from_stored(due_key[9..].to_vec());
        let due_key = Key::from_stored(due_key);
        if complete && tx.has(&due_key) {
            law_itself::freshen_due(tx, law, &deadline);
        }
        // What fired before it in this command ended it or moved it, or the calendar in force did.
        if !tx.has(&due_key) {
            continue;
        }
        if !active(Mutation::DeadlineFiresTwice) {
            tx.delete(&due_key);
        }
        if active(Mutation::DeadlineLost) && fired > 0 {
            continue;
        }
        let mut row: DeadlineRow = tx.get(&deadline).expect("a due row points to its deadline");
        if row.fired_revision == Some(row.revision) {
            continue;
        }
        if !active(Mutation::DeadlineFiresTwice) {
            row.fired_revision = Some(row.revision);
        }
        tx.put(&deadline, &row);
        match row.kind {
            DeadlineKind::Answer => super::requests::answer_overdue(tx, law, &row),
            DeadlineKind::CatalogReview => super::catalog::review_overdue(tx, &row),
            DeadlineKind::Delivery => super::grants::delivery_overdue(tx, &row),
            DeadlineKind::Rectification => super::grants::rectification_lapsed(tx, &row),
            DeadlineKind::CatalogUpdate => super::catalog::changes::overdue(tx, &row),
            DeadlineKind::AttributeReview => super::catalog::review::missed(tx, &row),
            DeadlineKind::Reclassification => super::catalog::worklist::overdue(tx, &row),
            DeadlineKind::Opinion => super::cases::opinion::silent(tx, &row),
            DeadlineKind::CompletionLapse => super::cases::lapse::fired(tx, law, &row),
            DeadlineKind::ReasonHearing => super::cases::overdue::hearing_over(tx, law, &row),
            DeadlineKind::Warning => super::cases::warnings::fired(tx, law, &row),
            DeadlineKind::Hop => super::cases::hop::fired(tx, law, &row),
            // Relations and quality.
            DeadlineKind::ErrorReport => super::quality::reports::overdue(tx, &row),
            DeadlineKind::ReportSilence => super::quality::reports::silent(tx, &row),
            DeadlineKind::PersonalObjection => super::quality::personal::overdue(tx, &row),
            DeadlineKind::FunctionTransfer | DeadlineKind::EmergencyTreatment => {
                super::relations::missed(tx, &row);
            }
        }
        fired += 1;
    }
    if fired > 0 {
        tx.emit(Event::DeadlinesFired(fired));
    }
    // After what is owed by law, and counted nowhere.
    let rehearsing = drills::fire(tx);
    Ok(Outcome::ClockAdvanced { fired, more: more || working || rehearsing })
}
