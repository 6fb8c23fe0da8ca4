//! Work and statistics over every story: nothing that runs is forgotten, nothing is counted twice.

use std::{collections::BTreeSet, fs, sync::LazyLock};

use catalog_model::{
    calendar::WorkingDayCalendar, deadline::DeadlineKind, name::ResourceName, time::LocalDate,
};

use crate::{
    keys::{Key, Table},
    ledger::Ledger,
    rows::DeadlineRow,
    script::World,
    statistics::{Period, Told, figures, told_by_ledger},
    store::{MemStore, Store as _, Writes},
    view::View,
    work::{WorkKind, items_of, subject_of, subjects_of},
};

/// The states in which the stories end, told once for all of these tests.
static ENDS: LazyLock<Vec<(String, MemStore)>> = LazyLock::new(ends);

fn ends() -> Vec<(String, MemStore)> {
    let mut ends = Vec::new();
    for entry in fs::read_dir(super::testdata()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "txt") {
            continue;
        }
        let story = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let mut world = World::default();
        world.tell(&fs::read_to_string(&path).unwrap());
        for (domain, cluster) in world.clusters {
            ends.push((format!("{story} in {domain}"), cluster.store));
        }
    }
    ends.sort_by(|a, b| a.0.cmp(&b.0));
    assert!(ends.len() > 100, "only {} states", ends.len());
    ends
}

/// The work that a running deadline is about; nothing is owed by a warning.
fn owed(kind: DeadlineKind) -> &'static [WorkKind] {
    match kind {
        DeadlineKind::Answer => &[WorkKind::Answer],
        DeadlineKind::CatalogReview => &[WorkKind::CatalogReview],
        // A right that is suspended before its delivery is rectified first.
        DeadlineKind::Delivery => {
            &[WorkKind::Delivery, WorkKind::Retrieval, WorkKind::Rectification]
        }
        DeadlineKind::Rectification => &[WorkKind::Rectification, WorkKind::RectificationJudgement],
        DeadlineKind::CatalogUpdate => &[WorkKind::CatalogUpdate],
        DeadlineKind::AttributeReview => &[WorkKind::AttributeReview],
        DeadlineKind::Reclassification => &[WorkKind::Reclassification],
        DeadlineKind::Opinion => &[WorkKind::Opinion],
        DeadlineKind::CompletionLapse => &[WorkKind::Completion],
        // What was claimed waits to be ruled on, without a day.
        DeadlineKind::ReasonHearing => &[WorkKind::ReasonClaim, WorkKind::ReasonRuling],
        DeadlineKind::Warning => &[],
        DeadlineKind::Hop => &[WorkKind::Hop],
        DeadlineKind::ErrorReport => &[WorkKind::ErrorReport],
        DeadlineKind::ReportSilence => &[WorkKind::ReportReply],
        DeadlineKind::PersonalObjection => &[WorkKind::PersonalObjection],
        DeadlineKind::FunctionTransfer => &[WorkKind::TransferApproval],
        DeadlineKind::EmergencyTreatment => &[WorkKind::Emergency],
    }
}

/// Whatever clock runs at the end of a story is on somebody's list, to the day; what has no clock
/// any more is on none (issue 5 item 7).
#[test]
fn every_running_deadline_is_somebodys_work() {
    let mut met = BTreeSet::new();
    let mut listed = 0;
    for (story, store) in &*ENDS {
        let view = View(store);
        let table = Key::table(Table::Deadline);
        for (_, bytes) in store.range(table.as_slice(), &table.end()) {
            let row: DeadlineRow = crate::codec::decode(&bytes).unwrap();
            // What fired and is not ended is history where nobody can meet it any more.
            let fired = row.fired_revision == Some(row.revision);
            let wanted = owed(row.kind);
            if wanted.is_empty() || fired {
                continue;
            }
            // An outage may have excused everybody before the time to claim a reason is over.
            let heard = |file: catalog_model::case_file::CaseFile| {
                file.hearings.iter().all(|hearing| hearing.outcome.is_some())
            };
            let over = view.case_file(&row.subject).is_some_and(heard);
            if row.kind == DeadlineKind::ReasonHearing && over {
                continue;
            }
            let items = items_of(view, &row.subject);
            let found = items.iter().find(|item| wanted.contains(&item.kind));
            // While the answer clock stands still the asker has the next move.
            let item = found.unwrap_or_else(|| {
                panic!("{story}: {:?} of {} is nobody's work: {items:?}", row.kind, row.subject)
            });
            let own_day = row.kind == DeadlineKind::CompletionLapse
                || matches!(item.kind, WorkKind::RectificationJudgement | WorkKind::ReasonRuling)
                || row.kind == DeadlineKind::Delivery && item.kind == WorkKind::Rectification;
            if !own_day {
                assert_eq!(item.due, Some(row.due_time), "{story}: {item:?}");
            }
            met.insert(row.kind);
            listed += 1;
        }
    }
    assert!(met.len() >= 10 && listed > 100, "{listed} deadlines of the kinds {met:?}");
}

/// What a state says when it is looked at as a whole, it says of the rows of which it was made: an
/// index that hears of every write misses no subject.
#[test]
fn writes_name_every_subject_of_work() {
    for (story, store) in &*ENDS {
        let view = View(store);
        let writes: Writes =
            store.0.iter().map(|(key, row)| (key.clone(), Some(row.clone()))).collect();
        let named = subjects_of(view, writes.keys());
        let table = Key::table(Table::Deadline);
        for (key, bytes) in store.range(table.as_slice(), &table.end()) {
            let row: DeadlineRow = crate::codec::decode(&bytes).unwrap();
            assert_eq!(subject_of(view, &key).as_ref(), Some(&row.subject), "{story}");
            assert!(named.contains(&row.subject), "{story}: {}", row.subject);
        }
        // The plain way looks at each.
        let mut all: BTreeSet<Vec<u8>> = BTreeSet::new();
        for subject in &named {
            all.extend(items_of(view, subject).iter().map(crate::work::WorkItem::place));
        }
        let owners: BTreeSet<_> = named
            .iter()
            .flat_map(|subject: &ResourceName| items_of(view, subject))
            .map(|item| item.owner)
            .collect();
        let plain: BTreeSet<Vec<u8>> = owners
            .iter()
            .flat_map(|owner| view.work_list(owner))
            .filter(|item| item.kind != WorkKind::Agreement)
            .map(|item| item.place())
            .collect();
        assert_eq!(plain, all, "{story}");
    }
}

/// The same figures of the ledger alone, case by case and in sum (issue 5 item 7).
#[test]
fn figures_are_counted_again_from_the_ledger_alone() {
    let day = |text: &str| text.parse::<LocalDate>().unwrap();
    let always = Period { from: day("2020-01-01"), to: day("2036-12-31") };
    let calendar = WorkingDayCalendar::embedded();
    let (mut answered, mut overdue, mut refused) = (0, 0, 0);
    for (story, store) in &*ENDS {
        let mut of_rows = View(store).told(None);
        let mut of_ledger = told_by_ledger(Ledger(store));
        for (case, told) in &mut of_ledger {
            let row = of_rows.get_mut(case).unwrap_or_else(|| panic!("{story}: {case} has no row"));
            // Where the text was erased nobody can say the ground from the ledger any more.
            if let (Some(by_ledger), Some(by_row)) = (&mut told.answered, &mut row.answered)
                && by_ledger.ground.is_none()
            {
                by_row.ground = None;
            }
            let open = |told: &Told| told.answered.is_none();
            assert_eq!(open(told), open(row), "{story}: {case}");
        }
        assert_eq!(of_rows, of_ledger, "{story}");
        let of_rows = figures(of_rows.values(), always, calendar);
        assert_eq!(of_rows, figures(of_ledger.values(), always, calendar), "{story}");
        for figures in of_rows.values() {
            answered += figures.answered;
            overdue += figures.overdue;
            refused += figures.refused.values().sum::<u64>();
        }
    }
    assert!(answered > 30 && overdue > 5 && refused > 3, "{answered} {overdue} {refused}");
}
