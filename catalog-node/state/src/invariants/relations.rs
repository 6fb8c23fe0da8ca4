//! What must be true of that which ties entries together.

use std::collections::BTreeMap;

use catalog_model::{
    acquisition::{Emergency, EmergencyState},
    attribute_objection::AttributeObjection,
    catalog_entry::CatalogEntry,
    dataset::{ElementSource, element_key},
    deadline::DeadlineKind,
    function_transfer::{FunctionTransfer, TransferState},
    name::Resource,
    quality::{ErrorReport, PersonalObjection, PersonalObjectionState, ReportState},
};

use super::{Inspection, rows_below};
use crate::{
    apply::catalog::sharing_of,
    keys::{self, Table, relations as key},
    rows::DeadlineRow,
    view::View,
};

/// Whether what a deadline of these kinds asks for is still owed.
pub(super) fn is_owed(view: View<'_>, row: &DeadlineRow) -> bool {
    let domain = &row.subject.domain;
    match (&row.subject.resource, row.kind) {
        (Resource::ErrorReport(id), DeadlineKind::ErrorReport) => {
            view.error_report(domain, *id).is_some_and(|report| report.feedback_is_owed())
        }
        (Resource::ErrorReport(id), DeadlineKind::ReportSilence) => {
            view.error_report(domain, *id).is_some_and(|report| {
                matches!(report.state, ReportState::FedBack | ReportState::Propagated)
            })
        }
        (Resource::PersonalObjection(id), DeadlineKind::PersonalObjection) => {
            view.personal_objection(domain, *id).is_some_and(|objection| {
                let state = objection.state;
                matches!(state, PersonalObjectionState::Filed | PersonalObjectionState::Verifying)
            })
        }
        (Resource::FunctionTransfer(id), DeadlineKind::FunctionTransfer) => view
            .transfer(domain, *id)
            .is_some_and(|transfer| transfer.state == TransferState::Filed),
        (Resource::Emergency(id), DeadlineKind::EmergencyTreatment) => {
            view.emergency(domain, *id).is_some_and(|emergency| {
                let state = emergency.state;
                !matches!(state, EmergencyState::Active | EmergencyState::AppsClosed)
            })
        }
        _ => false,
    }
}

impl Inspection<'_> {
    /// All of them. The tables are empty in clusters below level 3.
    pub(super) fn relations_keep_their_rules(&mut self) {
        self.one_source_of_a_datum();
        self.one_owner_during_a_transfer();
        self.corrected_reports_have_a_batch();
        self.open_objections_are_found_by_entry();
        self.personal_objections_are_answered_with_reason();
        self.emergencies_are_proved();
        self.listed_items_are_indexed();
    }

    /// Two departments are never the source of one datum on one day, where a rule says so.
    fn one_source_of_a_datum(&mut self) {
        const NAME: &str = "one_source_of_a_datum";
        let mut of: BTreeMap<String, Vec<ElementSource>> = BTreeMap::new();
        for row in self.rows::<ElementSource>(Table::ElementSource) {
            if row.rule.is_some() {
                of.entry(element_key(&row.element)).or_default().push(row);
            }
        }
        for rows in of.values() {
            for (place, one) in rows.iter().enumerate() {
                if rows[..place].iter().any(|other| other.period.overlaps(&one.period)) {
                    self.violated(NAME, format!("{one:?}"));
                }
            }
        }
    }

    /// The entries that have moved are the receiver's, the others the giver's; each is found under
    /// its owner and under nobody else.
    fn one_owner_during_a_transfer(&mut self) {
        const NAME: &str = "one_owner_during_a_transfer";
        for transfer in
            rows_below::<FunctionTransfer>(self.store, &key::rows(Table::FunctionTransfer))
        {
            if transfer.state == TransferState::Completed {
                continue;
            }
            for (place, id) in transfer.entries.iter().enumerate() {
                let moved = place < transfer.moved as usize;
                let (owner, other) =
                    if moved { (transfer.to, transfer.from) } else { (transfer.from, transfer.to) };
                let view = View(self.store);
                let of = |organization| {
                    let index = keys::entry_by_provider(&transfer.domain, organization, *id);
                    self.store.get(index.as_slice()).is_some()
                };
                let entry = view.entry(&transfer.domain, *id);
                let listed = view.published_entry(&transfer.domain, *id);
                let fits = entry.is_some_and(|entry| entry.provider == owner)
                    && listed.is_none_or(|entry| entry.provider == owner)
                    && of(owner)
                    && !of(other)
                    && moved == view.transfer_of_entry(&transfer.domain, *id).is_none();
                if !fits {
                    self.violated(NAME, format!("{id} in {transfer:?}"));
                }
            }
        }
    }

    /// A report that was confirmed and is over names a batch on record; feedback that is owed has
    /// its deadline.
    fn corrected_reports_have_a_batch(&mut self) {
        const NAME: &str = "corrected_reports_have_a_batch";
        for report in rows_below::<ErrorReport>(self.store, &key::rows(Table::ErrorReport)) {
            let view = View(self.store);
            let name = catalog_model::name::ResourceName::new(
                report.domain.clone(),
                Resource::ErrorReport(report.id),
            );
            let batch = report.correction.as_ref().map(|correction| &correction.batch);
            let on_record =
                batch.is_none_or(|batch| view.batch(&report.domain, report.entry, batch).is_some());
            let needs_one =
                matches!(report.state, ReportState::Corrected | ReportState::Propagated);
            let runs = view.deadline(DeadlineKind::ErrorReport, &name).is_some();
            if !on_record || (needs_one && batch.is_none()) || runs != report.feedback_is_owed() {
                self.violated(NAME, format!("{report:?}"));
            }
        }
    }

    /// An objection is open ⇔ it is found by its entry.
    fn open_objections_are_found_by_entry(&mut self) {
        const NAME: &str = "open_objections_are_found_by_entry";
        for objection in rows_below::<AttributeObjection>(self.store, &key::rows(Table::Objection))
        {
            let found = View(self.store).open_objection(&objection.domain, objection.entry);
            if objection.state.is_open() != (found == Some(objection.id)) {
                self.violated(NAME, format!("{objection:?}"));
            }
        }
    }

    /// An answer to a person concerned has a reason, and the proof of the concern is there.
    fn personal_objections_are_answered_with_reason(&mut self) {
        const NAME: &str = "personal_objections_are_answered_with_reason";
        for objection in self.rows::<PersonalObjection>(Table::PersonalObjection) {
            let answered = !matches!(
                objection.state,
                PersonalObjectionState::Filed | PersonalObjectionState::Verifying
            );
            let proven =
                !objection.proof.identity.is_missing() && !objection.proof.relation.is_missing();
            if answered == objection.answer.is_empty() || !proven {
                self.violated(NAME, format!("{objection:?}"));
            }
        }
    }

    /// Each step after the end of an emergency has left its proof.
    fn emergencies_are_proved(&mut self) {
        const NAME: &str = "emergencies_are_proved";
        for emergency in rows_below::<Emergency>(self.store, &key::rows(Table::Emergency)) {
            let proofs = match emergency.state {
                EmergencyState::Active | EmergencyState::Ended => 0,
                EmergencyState::Assessed => 1,
                EmergencyState::Treated => 2,
                EmergencyState::AppsClosed => 3,
            };
            let given = emergency.proofs.iter().filter(|proof| !proof.is_missing()).count();
            if given != proofs {
                self.violated(NAME, format!("{emergency:?}"));
            }
        }
    }

    /// What the index says of an item is true of the catalog. The other direction holds once a
    /// catalog of before level 3 was brought in.
    fn listed_items_are_indexed(&mut self) {
        const NAME: &str = "listed_items_are_indexed";
        if !self.decoded.whole {
            return;
        }
        for index in self.keys(Table::ItemIndex) {
            let split = index.iter().position(|byte| *byte == 0).expect("an item ends in a zero");
            let item = std::str::from_utf8(&index[1..split]).expect("items are text");
            let (domain, id) = View::named_by_index(&index, split + 1);
            let id = catalog_model::ids::EntryId::from_bytes(id);
            let listed: Option<CatalogEntry> = View(self.store).published_entry(&domain, id);
            let shared = |entry: &CatalogEntry| {
                entry.content.items.iter().any(|known| {
                    element_key(&known.name) == item && sharing_of(entry, &known.name).is_some()
                })
            };
            if !listed.as_ref().is_some_and(shared) {
                self.violated(NAME, format!("{item} of {id}"));
            }
        }
    }
}
