//! What must be true of drills: at most one goes on, what its prober wrote fires in its time and
//! once, and how it ended is in the ledger.

use std::collections::BTreeSet;

use catalog_model::{
    drill::{Drill, DrillEnd, ProbeWrite},
    ids::DrillId,
    name::{Resource, ResourceName},
};

use super::Inspection;
use crate::{
    codec,
    keys::{Key, Table, drills as key},
    ledger::{Fact, Ledger},
    view::View,
};

impl Inspection<'_> {
    /// All invariants of drills.
    pub(super) fn drills_keep_to_themselves(&mut self) {
        self.one_drill_goes_on();
        self.probes_fire_once_and_in_time();
    }

    fn one_drill_goes_on(&mut self) {
        const NAME: &str = "one_drill_goes_on";
        let named: Option<DrillId> = View(self.store).get(&key::open());
        let mut open = Vec::new();
        let all = key::all();
        for (_, bytes) in self.store.range(all.as_slice(), &all.end()) {
            let drill: Drill = codec::decode(&bytes).expect("rows are ours");
            if drill.is_open() {
                open.push(drill.id);
            }
            if !drill.steps.windows(2).all(|pair| pair[0].phase <= pair[1].phase) {
                self.violated(NAME, format!("{} went back", drill.id));
            }
            let persons: BTreeSet<_> = drill.approvals.iter().map(|one| one.person).collect();
            let own = drill.person.is_some_and(|person| persons.contains(&person));
            if own || persons.len() != drill.approvals.len() {
                self.violated(NAME, format!("{} is approved by one twice", drill.id));
            }
            self.end_is_on_record(NAME, &drill);
        }
        if open != named.into_iter().collect::<Vec<_>>() {
            self.violated(NAME, format!("{open:?} are open, {named:?} is named"));
        }
    }

    fn end_is_on_record(&mut self, rule: &'static str, drill: &Drill) {
        let Some(end) = &drill.end else { return };
        let name = ResourceName::new(drill.domain.clone(), Resource::Drill(drill.id));
        let ledger = Ledger(self.store);
        let last = ledger.of_subject(&name).last().and_then(|place| ledger.record(*place));
        let told = match (end, last.map(|record| record.fact)) {
            (DrillEnd::Finished(result), Some(Fact::DrillClosed { report, .. })) => {
                report == result.report
            }
            (DrillEnd::Abandoned { .. }, Some(Fact::DrillAbandoned { .. })) => true,
            _ => false,
        };
        if !told {
            self.violated(rule, format!("{} ended without a record", drill.id));
        }
    }

    fn probes_fire_once_and_in_time(&mut self) {
        const NAME: &str = "probes_fire_once_and_in_time";
        let clock = View(self.store).clock();
        let mut waiting = BTreeSet::new();
        let table = Key::table(Table::DrillProbe);
        for (row_key, bytes) in self.store.range(table.as_slice(), &table.end()) {
            let id = row_key[1..17].try_into().expect("a probe's key names its drill");
            let (id, sequence) = (DrillId::from_bytes(id), key::sequence(&row_key));
            let row: ProbeWrite = codec::decode(&bytes).expect("rows are ours");
            let early = row.fired_time.zip(row.due).is_some_and(|(fired, due)| fired < due);
            let fired = row.fired_time.is_some_and(|fired| fired <= clock) == (row.fired > 0);
            if early || row.fired > 1 || !fired {
                self.violated(NAME, format!("{sequence} of {id}: {row:?}"));
            }
            if let (Some(due), 0) = (row.due, row.fired) {
                waiting.insert(key::due(due, id, sequence).into_vec());
            }
        }
        if self.keys(Table::DrillDue) != waiting {
            self.violated(NAME, "due rows are not the probes that have not fired".to_owned());
        }
    }
}
