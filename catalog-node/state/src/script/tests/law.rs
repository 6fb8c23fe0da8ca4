//! Whatever is done to the calendar while cases run: nobody is late by it, nothing fires early or
//! twice, every move has a record, and the same log gives the same state.

use std::collections::BTreeMap;

use catalog_model::{share_request::ShareRequest, time::LocalDate};
use proptest::prelude::*;

use crate::{
    keys::Table,
    ledger::{Fact, Ledger},
    script::World,
    view::View,
};

fn setting() -> World {
    let mut world = World::default();
    for line in [
        "cluster xiamen level=3 clock=\"2026-12-14 09:00\"",
        "organization police",
        "organization tax",
        "listed plates provider=police",
        // One person may change the calendar here, so that a step is one line.
        "load_rules drop=HOUSE-two-person-edits reason=r by=xiamen.authority.clerk",
        "load_rules drop=HOUSE-two-person-edits reason=r by=xiamen.authority.head",
    ] {
        world.run(line);
    }
    world
}

/// A holiday or a make-up day of January 2027, by number.
fn listed(day: u8) -> String {
    let day: LocalDate = format!("2027-01-{:02}", 1 + day % 28).parse().unwrap();
    let kind = if day.is_weekend() { "workday" } else { "holiday" };
    format!("{day} {kind} x")
}

fn due_dates(world: &World) -> BTreeMap<String, (bool, LocalDate, bool)> {
    let clock = world.view().clock();
    world
        .decoded::<ShareRequest>(Table::Request)
        .into_iter()
        .filter_map(|case| {
            let running = case.answer_clock?;
            let late = running.is_overdue(clock);
            Some((case.case_number, (late, running.due_date, case.overdue.is_some())))
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn nobody_is_late_by_a_calendar(steps in prop::collection::vec(any::<(u8, u8, u8, u16)>(), 8..40)) {
        let mut world = setting();
        let mut made = 0;
        for (verb, one, other, minutes) in steps {
            world.now = world.now.plus(u64::from(minutes % 2_880) * 60_000);
            let before = due_dates(&world);
            let domain = world.domain_name();
            let facts = Ledger(&world.clusters[&world.domain()].store).size();
            let today = world.now.local_date();
            let law = match verb % 6 {
                0 | 1 => {
                    made += 1;
                    world.run(&format!("request case{made} entry=plates from=tax"));
                    false
                }
                2 => {
                    let to = world.now.local_text();
                    world.run(&format!("advance to=\"{to}\""));
                    false
                }
                3 => {
                    let line = format!("load_calendar add=\"{},{}\" reason=r", listed(one), listed(other | 1));
                    if listed(one) != listed(other | 1) {
                        world.run(&line);
                    }
                    true
                }
                4 => {
                    let day = LocalDate::from_days(today.days() + i32::from(one % 20));
                    world.run(&format!("closure {day} document=number{other}"));
                    true
                }
                _ => {
                    let closed: Vec<String> = world
                        .view()
                        .calendar_in_force()
                        .unwrap()
                        .closures()
                        .map(|(day, _)| day.to_string())
                        .collect();
                    if let Some(day) = closed.get(usize::from(one) % closed.len().max(1)) {
                        world.run(&format!("open_again {day} document=number{other}"));
                    }
                    true
                }
            };
            if !law {
                continue;
            }
            // Against the clock of the command: who was in time before it is in time after it.
            let clock = world.view().clock();
            let ledger = Ledger(&world.clusters[&world.domain()].store);
            let moves = (facts..ledger.size())
                .filter_map(|place| ledger.record(place))
                .filter(|record| {
                    record.subject != domain && matches!(record.fact, Fact::DeadlineRecomputed { .. })
                })
                .count();
            let mut moved = 0;
            for (number, (late, day, marked)) in due_dates(&world) {
                let (_, day_before, marked_before) = before[&number];
                prop_assert!(!late || day_before.end() <= clock, "{number} is late by a calendar");
                prop_assert!(!marked || marked_before, "{number} was marked by a calendar");
                moved += usize::from(day != day_before);
            }
            // A date that is provisional no more is a move too, though it stays.
            prop_assert!(moved <= moves, "{moved} days moved, {moves} on record");
        }
        let end = world.now.plus(90 * 86_400_000).local_text();
        for line in [format!("advance to=\"{end}\""), "replay".to_owned()] {
            world.run(&line);
        }
        let told = world.take_output();
        prop_assert!(!told.contains("VIOLATED"), "{told}");
        // In the end every case that is open has fired, once: nothing is lost.
        let view = View(&world.clusters[&world.domain()].store);
        prop_assert_eq!(view.counters().open_requests, view.counters().overdue_requests);
        let ledger = Ledger(&world.clusters[&world.domain()].store);
        for case in world.decoded::<ShareRequest>(Table::Request) {
            let name = crate::apply::requests::name(&case);
            let facts: Vec<Fact> = ledger
                .of_subject(&name)
                .into_iter()
                .filter_map(|place| ledger.record(place))
                .map(|record| record.fact)
                .collect();
            let orders = facts.iter().filter(|fact| matches!(fact, Fact::RequestOverdue { .. })).count();
            let lifted = facts
                .iter()
                .filter(|fact| matches!(fact, Fact::DeadlineRecomputed { lifted: true, .. }))
                .count();
            prop_assert_eq!(orders, 1 + lifted, "{}", case.case_number);
        }
    }
}

/// Texts of the law have limits like all texts, and are not stored with control characters.
#[test]
fn texts_beyond_their_limits_are_refused() {
    let mut world = setting();
    let (long, clerk) = ("x".repeat(1_100_000), "by=xiamen.authority.clerk");
    for (line, refused) in [
        (format!("load_calendar text={long} reason=r {clerk}"), "TEXT_TOO_LONG"),
        (format!("load_rules swap=\"'version':2=>{long}\" reason=r {clerk}"), "TEXT_TOO_LONG"),
        (format!("load_rules reason={long} {clerk}"), "TEXT_TOO_LONG"),
        (format!("load_calendar reason=a\u{7}b {clerk}"), "TEXT_CONTROL_CHARACTERS"),
        (format!("closure 2026-12-30 document=a\u{7}b {clerk}"), "FIELD_INVALID"),
        (format!("closure 2026-12-30 document={long} {clerk}"), "FIELD_INVALID"),
        (
            format!(
                "platform_outage from=2026-12-13 until=2026-12-14 source={long} reason=r {clerk}"
            ),
            "TEXT_TOO_LONG",
        ),
    ] {
        let _ = world.take_output();
        world.run(&line);
        let told = world.take_output();
        assert!(told.starts_with(&format!("refused {refused}")), "{}", &told[..80]);
    }
}
