use catalog_model::{
    calendar::WorkingDayCalendar,
    caller::{Caller, Identity},
    deadline::DeadlineKind,
    name::{Resource, ResourceName},
    time::UtcMillis,
};

use super::recounted;
use crate::{
    command::{Body, Command},
    keys::{Table, relations as key},
    script::World,
    store::{Overlay, Store, Writes},
    tx::{Begins, Tx},
    view::View,
};

const CALENDAR: &str = include_str!("../../../../model/data/calendar.csv");

/// CAL-15: a calendar that is loaded late takes one of the days that were counted; what is shown
/// with the report is counted again, and a mark that is not due any more goes.
#[test]
fn a_report_is_counted_with_a_new_calendar() {
    let mut world = World::default();
    for line in [
        "cluster xiamen level=3 clock=\"2026-09-21 09:00\"",
        "organization police",
        "organization tax",
        "listed plates provider=police",
        "error_report r file entry=plates from=tax items=number about=wrong",
        "advance to=\"2026-10-13 09:00\"",
    ] {
        world.run(line);
    }
    let store = world.into_store("xiamen");
    let prefix = key::rows(Table::ErrorReport);
    let (stored, _) = store.range(prefix.as_slice(), &prefix.end()).next().unwrap();
    let (domain, id) = View::named_by_index(&stored, prefix.as_slice().len());
    let id = catalog_model::ids::ReportId::from_bytes(id);
    let before = View(&store).error_report(&domain, id).unwrap();
    assert!(before.overdue_since.is_some());
    assert_eq!(before.clock.as_ref().unwrap().due_date.to_string(), "2026-10-12");

    let view = View(&store);
    let begins = Begins {
        index: 1_000,
        clock: view.clock(),
        cluster: view.cluster().unwrap().into(),
        level: 3,
        counters: view.counters(),
    };
    let command = Command {
        level: 1,
        stamped_at: UtcMillis(0),
        received_at: None,
        caller: Caller { domain: domain.clone(), identity: Identity::Node { id: "1".to_owned() } },
        request_id: None,
        call_digest: [0; 32],
        salt: [0; 16],
        body: Body::ProbePut { key: Vec::new(), value: Vec::new() },
    };
    let writes = Writes::new();
    let mut tx = Tx::new(Overlay::new(&store, &writes), begins, &command);
    let name = ResourceName::new(domain.clone(), Resource::ErrorReport(id));
    // The Saturday that was worked for National Day is free by the new list.
    let text = CALENDAR.lines().filter(|line| !line.starts_with("2026-10-10"));
    let text = text.collect::<Vec<_>>().join("\n");
    let calendar = WorkingDayCalendar::parse(&text, 2).unwrap();
    recounted(&mut tx, &calendar, DeadlineKind::ErrorReport, &name, true);
    let (changed, events) = tx.finish();
    assert_eq!(events.len(), 1);
    let after: catalog_model::quality::ErrorReport =
        crate::codec::decode(changed[&stored].as_ref().unwrap()).unwrap();
    assert_eq!(after.overdue_since, None);
    assert_eq!(after.version, before.version + 1);
    assert_eq!(after.clock.unwrap().due_date.to_string(), "2026-10-13");
}
