//! Deadlines: does each fire once, in time, and not before?
//!
//! A firing is seen where a deadline's fired revision becomes its revision. It must not come before
//! the committed clock has reached the due instant, not twice, and not later than the command that
//! moved the clock past it and said that nothing more is due.

use std::collections::{BTreeMap, BTreeSet};

use catalog_model::{deadline::DeadlineKind, name::ResourceName};
use catalog_state::{
    codec,
    command::{Body, Command},
    keys::Table,
    machine::Applied,
    outcome::Outcome,
    rows::DeadlineRow,
    store::{Store, Writes},
    view::View,
};

/// All deadlines as of the last applied entry, and every firing.
#[derive(Debug, Default)]
pub struct Deadlines {
    rows: BTreeMap<Vec<u8>, DeadlineRow>,
    fired: BTreeSet<(Vec<u8>, u32, u64)>,
    overdue: Vec<ResourceName>,
}

impl Deadlines {
    /// How many have fired.
    pub fn fired(&self) -> u64 {
        self.fired.len() as u64
    }

    pub(crate) fn observe(
        &mut self,
        index: u64,
        command: &Command,
        applied: &Applied,
        writes: &Writes,
    ) -> Vec<String> {
        let mut wrong = Vec::new();
        let moves_clock = matches!(command.body, Body::AdvanceClock { .. });
        let of_deadlines = |key: &&Vec<u8>| key.first() == Some(&(Table::Deadline as u8));
        for key in writes.keys().filter(of_deadlines) {
            let Some(bytes) = &writes[key] else {
                self.rows.remove(key);
                continue;
            };
            let row: DeadlineRow = match codec::decode(bytes) {
                Ok(row) => row,
                Err(error) => {
                    wrong.push(format!("entry {index} writes a deadline badly: {error}"));
                    continue;
                }
            };
            let (subject, due) = (&row.subject, row.due_time);
            // A warning comes at a fraction of its clock, whatever the hour.
            let warns = key.get(1) == Some(&(DeadlineKind::Warning as u8));
            if !warns && due != due.local_date().start() {
                wrong.push(format!("{subject} is due at {due}, which is not the end of a day"));
            }
            let has_fired = row.fired_revision == Some(row.revision);
            let same = |old: &&DeadlineRow| old.revision == row.revision && old.due_time == due;
            let old = self.rows.get(key).filter(same);
            let had_fired = old.is_some_and(|old| old.fired_revision == Some(old.revision));
            if had_fired && !has_fired {
                wrong.push(format!("{subject} could fire again after entry {index}"));
            }
            if has_fired && !had_fired {
                if applied.clock < due {
                    wrong
                        .push(format!("{subject} fired at {} and was due at {due}", applied.clock));
                }
                if !moves_clock {
                    wrong.push(format!("{subject} fired by entry {index}, which moves no clock"));
                }
                if !self.fired.insert((key.clone(), row.revision, due.0)) {
                    wrong.push(format!("{subject} fired twice, again at entry {index}"));
                }
                if row.kind == DeadlineKind::Answer {
                    self.overdue.push(subject.clone());
                }
            }
            self.rows.insert(key.clone(), row);
        }
        if matches!(applied.outcome, Outcome::ClockAdvanced { more: false, .. }) {
            for row in self.rows.values() {
                let (subject, due) = (&row.subject, row.due_time);
                if row.fired_revision != Some(row.revision) && due <= applied.clock {
                    wrong.push(format!(
                        "{subject} was due at {due} and did not fire at {}",
                        applied.clock
                    ));
                }
            }
        }
        wrong
    }

    /// What is wrong when all is quiet: something due that has not fired, or a firing that left no
    /// mark.
    pub fn finish(&self, state: &dyn Store) -> Vec<String> {
        let view = View(state);
        let clock = view.clock();
        let late = self
            .rows
            .values()
            .filter(|row| row.due_time <= clock && row.fired_revision != Some(row.revision))
            .map(|row| format!("{} was due at {} and was lost", row.subject, row.due_time));
        let unmarked = self.overdue.iter().filter_map(|subject| {
            let catalog_model::name::Resource::Request(id) = &subject.resource else {
                return Some(format!("{subject} owes an answer and is no request"));
            };
            let marked = view.request(&subject.domain, *id)?.overdue.is_some();
            (!marked).then(|| format!("{subject} fell overdue and is not marked"))
        });
        late.chain(unmarked).collect()
    }
}
