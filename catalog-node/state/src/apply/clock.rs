//! The committed clock moves, and what is due fires: once, in the order of due instants, whatever
//! the clocks of machines did.
//!
//! A firing is idempotent by (deadline, revision); the cluster's generation is no part of it. At
//! most [`FIRED_PER_COMMAND`] deadlines fire in one command, so that no command is unbounded; the
//! proposer repeats it while more are due.

use catalog_model::{deadline::DeadlineKind, reason::Reason, refusal::Refusal};
use catalog_mutation::{Mutation, active};

use crate::{
    event::Event,
    keys::{Key, Table},
    machine::not_permitted,
    outcome::Outcome,
    rows::DeadlineRow,
    tx::Tx,
};

use super::cluster;

/// Bound on the work of one command.
pub const FIRED_PER_COMMAND: usize = 256;

pub(crate) fn advance(tx: &mut Tx<'_>, development: bool) -> Result<Outcome, Refusal> {
    if development && !tx.cluster.development_clock {
        return Err(Refusal::new(Reason::DevelopmentClockOff));
    }
    if development && !cluster::operates(tx) {
        return Err(not_permitted(tx, "the platform manager"));
    }
    let from = Key::table(Table::Due);
    let early = if active(Mutation::DeadlineFiresEarly) { 24 * 3_600_000 } else { 0 };
    let to = Key::table(Table::Due).number(tx.clock.plus(early).0.saturating_add(1));
    let due = tx.rows_between(from.as_slice(), to.as_slice(), FIRED_PER_COMMAND + 1);
    let more = due.len() > FIRED_PER_COMMAND;
    let mut fired = 0;
    for (due_key, _) in due.into_iter().take(FIRED_PER_COMMAND) {
        // The key of a due row is its instant followed by the deadline's own key.
        let deadline = Key::from_stored(due_key[9..].to_vec());
        if !active(Mutation::DeadlineFiresTwice) {
            tx.delete(&Key::from_stored(due_key));
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
            DeadlineKind::Answer => super::requests::answer_overdue(tx, &row),
            DeadlineKind::CatalogReview => super::catalog::review_overdue(tx, &row),
            DeadlineKind::Delivery => super::grants::delivery_overdue(tx, &row),
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
    Ok(Outcome::ClockAdvanced { fired, more })
}
