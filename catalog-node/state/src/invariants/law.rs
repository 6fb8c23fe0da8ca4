//! What must be true of the law itself: its text carries what was ruled and declared, and work that
//! waits is known to whoever must not judge without it.

use catalog_model::deadline::DeadlineKind;

use super::{Inspection, requests};
use crate::{
    keys::{self, Table},
    law::{LateLaw, OutageRuling, PendingWork, PlatformOutage, RulingRow, Work},
    ledger::{Fact, Ledger},
    view::View,
};

impl Inspection<'_> {
    /// All invariants of the law.
    pub(super) fn the_law_fits_its_rows(&mut self) {
        let view = View(self.store);
        if view.level() < 3 {
            return;
        }
        self.recount_is_known_while_it_waits();
        self.rulings_are_in_the_pack();
        self.what_waits_for_a_ruling_is_overdue();
        self.law_is_flagged_on_cases();
        self.running_clocks_are_of_the_calendar_in_force();
    }

    /// A calendar's work waits ⇔ whoever judges by a clock is told to count it first.
    fn recount_is_known_while_it_waits(&mut self) {
        const NAME: &str = "recount_is_known_while_it_waits";
        let view = View(self.store);
        let told: Option<u64> = view.get(&keys::meta::recount());
        let waits: Vec<u64> = view
            .pending_work()
            .into_iter()
            .filter_map(|row: PendingWork| match row.what {
                Work::Calendar { version } => Some(version),
                _ => None,
            })
            .collect();
        if waits != Vec::from_iter(told) || told.is_some() && told != view.calendar_version() {
            self.violated(NAME, format!("told {told:?}, {waits:?} waits"));
        }
    }

    /// The pack in force carries every ruling that was not withdrawn, and no other.
    fn rulings_are_in_the_pack(&mut self) {
        const NAME: &str = "rulings_are_in_the_pack";
        let rows: Vec<RulingRow> = self.rows(Table::Ruling);
        if rows.is_empty() {
            return;
        }
        let Some(pack) = View(self.store).pack_in_force() else { return };
        let open = rows.iter().filter(|row| row.withdrawn_time.is_none());
        let mut recorded: Vec<String> = open.map(|row| row.id.to_string()).collect();
        let mut carried: Vec<String> =
            pack.rulings().iter().map(|ruling| ruling.id.clone()).collect();
        recorded.sort();
        carried.sort();
        if recorded != carried {
            self.violated(NAME, format!("recorded {recorded:?}, carried {carried:?}"));
        }
    }

    /// Who waits for a ruling fell overdue on a day of an outage that is on record (SEC-18).
    fn what_waits_for_a_ruling_is_overdue(&mut self) {
        const NAME: &str = "what_waits_for_a_ruling_is_overdue";
        for row in self.rows::<OutageRuling>(Table::OutageRuling) {
            let outages = row.outages.iter().map(|number| {
                View(self.store).get::<PlatformOutage>(&keys::platform_outage(*number))
            });
            let on_that_day = outages.into_iter().all(|outage| {
                outage.is_some_and(|outage| {
                    outage.from < row.due_date.end() && outage.until > row.due_date.start()
                })
            });
            let ruled = row.ruled.is_some() == row.ruled_time.is_some();
            let doubted = !row.outages.is_empty() || self.may_be_doubted(&row);
            if !on_that_day || !doubted || !ruled {
                self.violated(NAME, format!("{row:?}"));
            }
        }
        for row in self.rows::<PlatformOutage>(Table::PlatformOutage) {
            let PlatformOutage { number, from, until, nodes, .. } = row;
            let fact = Fact::PlatformOutageRecorded { number, from, until, nodes };
            let record = Ledger(self.store).record(row.record);
            if record.is_none_or(|record| record.fact != fact) {
                self.violated(NAME, format!("outage {number} is not on record"));
            }
        }
    }

    /// Without an outage on that day a ruling is wanted after a fork that left something unproven,
    /// or because an act on the case was refused while one site alone worked.
    fn may_be_doubted(&self, row: &OutageRuling) -> bool {
        let view = View(self.store);
        let in_window = view.forks().iter().any(|fork| {
            let closed = fork.window_closed.is_none_or(|closed| row.wanted_time <= closed);
            row.wanted_time >= fork.last_time && closed
        });
        in_window || view.get::<u64>(&keys::sites::standby_refused(&row.case)).is_some()
    }

    /// A flag is on a case that was received before the version that it names was known.
    fn law_is_flagged_on_cases(&mut self) {
        const NAME: &str = "law_is_flagged_on_cases";
        for row in self.rows::<LateLaw>(Table::LateLaw) {
            let known = View(self.store).rule_pack(row.pack_version).map(|pack| pack.known_since);
            let case = keys::of(&row.case)
                .and_then(|key| View(self.store).get::<super::ShareRequest>(&key));
            let before = case
                .and_then(|case| case.received_time)
                .zip(known)
                .is_some_and(|(received, known)| received <= known);
            if !before {
                self.violated(NAME, format!("{}", row.case));
            }
        }
    }

    /// Once no work waits, a clock that runs ends where the calendar in force says, or later where
    /// it was held.
    fn running_clocks_are_of_the_calendar_in_force(&mut self) {
        const NAME: &str = "running_clocks_are_of_the_calendar_in_force";
        let view = View(self.store);
        if view.calendar_version() == Some(1) || !view.pending_work().is_empty() {
            return;
        }
        let Some(calendar) = view.calendar_in_force() else { return };
        for case in &self.decoded.cases {
            let owed = requests::is_owed_here(case, &self.domain) && requests::clock_runs(case);
            let Some(clock) = case.answer_clock.as_ref().filter(|_| owed) else { continue };
            let name = requests::name(case);
            let fired = View(self.store)
                .deadline(DeadlineKind::Answer, &name)
                .is_some_and(|row| row.fired_revision == Some(row.revision));
            let start = clock.start_time.local_date();
            let counted = calendar.add_working_days(start, clock.total()).date;
            if !fired && clock.due_date < counted {
                self.violated(NAME, format!("{name} is due {}, not {counted}", clock.due_date));
            }
        }
    }
}
