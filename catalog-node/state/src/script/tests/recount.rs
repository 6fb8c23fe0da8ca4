//! The calendar changes while the catalog's duties run: their days are counted anew.

use catalog_model::{calendar::WorkingDayCalendar, deadline::DeadlineKind, time::LocalDate};

use crate::{
    apply::catalog::clocks,
    command::{Body, Command},
    rows::DeadlineRow,
    script::{World, setup::CALENDAR},
    store::{Overlay, Writes},
    tx::{Begins, Tx},
    view::View,
};

fn day(text: &str) -> LocalDate {
    text.parse().unwrap()
}

/// A holiday is added late: what was due after it moves by a day, to the same day in the case and in
/// its deadline; a second recount changes nothing (CAL-13, CAL-14, must-refuse 54).
#[test]
fn duties_of_the_catalog_follow_the_calendar() {
    let mut world = World::default();
    for line in [
        "cluster xiamen level=3 clock=\"2026-09-07 09:00\"",
        "organization police",
        "listed plates provider=police",
        "change plates trigger=duty day=2026-09-07 citation=c",
        "change police trigger=duty day=2026-09-07 citation=c",
        "update plates title=t",
        "consent catalog plates person=police.head",
        "submit plates",
        "change plates trigger=law day=2026-09-07 citation=c",
    ] {
        world.run(line);
    }
    let (plates, police) = (world.named("plates"), world.named("police"));
    let caller = world.caller("node");
    let store = world.into_store("xiamen");
    let view = View(&store);
    let command = Command {
        level: 1,
        stamped_at: view.clock(),
        received_at: None,
        caller,
        request_id: None,
        call_digest: [0; 32],
        salt: [0; 16],
        body: Body::AdvanceClock { to: view.clock(), development: false, portion: None },
    };
    let begins = Begins {
        index: 1_000,
        clock: view.clock(),
        cluster: view.cluster().unwrap().into(),
        level: 3,
        counters: view.counters(),
    };
    let none = Writes::new();
    let mut tx = Tx::new(Overlay::new(&store, &none), begins, &command);
    let late = "2026-09-09,holiday,Added late,临时放假,Wed,0
2026-09-20,workday";
    let calendar = CALENDAR.replacen("2026-09-20,workday", late, 1);
    let calendar = WorkingDayCalendar::parse(&calendar, 2).unwrap();
    let kinds = [
        (DeadlineKind::CatalogUpdate, &police, "2026-09-20", "2026-09-21"),
        (DeadlineKind::CatalogReview, &plates, "2026-09-09", "2026-09-10"),
    ];
    for (kind, subject, old, new) in kinds {
        let moved = clocks::recompute(&mut tx, &calendar, kind, subject);
        assert_eq!(moved, Some((day(old), day(new))), "{kind:?}");
        let row: DeadlineRow = tx.get(&crate::keys::deadline(kind, subject)).unwrap();
        assert_eq!(row.due_time, day(new).end());
        assert_eq!(clocks::recompute(&mut tx, &calendar, kind, subject), None);
    }
}
