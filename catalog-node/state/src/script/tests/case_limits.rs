//! Bad input to cases: what is far too much or no text is refused in words (10,000 items, control
//! characters, reasons of a megabyte), and lateness that fell into an outage waits for the ruling
//! on it (SEC-18, must-refuse 44).

use catalog_model::{organization::PlatformRole, reason::Reason};

use crate::{keys, script::World};

fn setting() -> World {
    let mut world = World::default();
    for line in [
        "cluster xiamen level=3 clock=\"2026-09-21 09:00\"",
        "organization police",
        "organization tax",
        "organization hospital class=public_service capacities=public_service",
        "organization water class=public_service capacities=public_service",
        "listed plates provider=police",
        "listed beds provider=hospital kind=public_service",
        "request case1 entry=plates from=tax",
        "request case2 entry=beds from=water head=none",
    ] {
        world.run(line);
    }
    world.take_output();
    world
}

fn check(world: &mut World, line: &str, refusal: &str) {
    world.run(line);
    let told = world.take_output();
    assert!(told.starts_with(&format!("refused {refusal}: ")), "{told}");
    assert!(told.len() < 2_000, "a refusal of {} bytes", told.len());
}

#[test]
fn what_is_far_too_much_is_refused_in_words() {
    let mut world = setting();
    let items: Vec<String> = (0..10_000).map(|n| format!("item{n}")).collect();
    let items = items.join(",");
    check(
        &mut world,
        &format!("request many entry=plates from=tax items={items}"),
        "TOO_MANY_ITEMS",
    );
    let long = "长".repeat(1 << 20);
    for line in [
        format!("propose case1 days=5 reason={long}"),
        format!("dispute d1 case=case1 text={long}"),
        format!("demand n1 title=hydrants text={long}"),
        format!("separation on reason={long}"),
        format!("window opinion case2 for text={long} number=1 issued=hospital for=hospital"),
        format!("window opinion case2 for text=t number={long} issued=hospital for=hospital"),
        format!("window opinion case2 for text=t number=1 issued=hospital for=hospital at={long}"),
    ] {
        check(&mut world, &line, "TEXT_TOO_LONG");
    }
    for line in [
        "propose case1 days=5 reason=a\u{7}b",
        "dispute d2 case=case1 text=a\u{0}b",
        "demand n2 title=a\u{1b}b text=t",
        "window opinion case2 for text=t number=a\u{8}b issued=hospital for=hospital",
    ] {
        check(&mut world, line, "TEXT_CONTROL_CHARACTERS");
    }
    world.run("advance to=\"2026-10-13 00:00\"");
    world.take_output();
    check(&mut world, &format!("claim case1 text={long}"), "TEXT_TOO_LONG");
    check(&mut world, "claim case1 text=a\u{7}b", "TEXT_CONTROL_CHARACTERS");
    world.run("claim case1 text=flood");
    world.take_output();
    check(&mut world, &format!("rule case1 rejected reason={long}"), "TEXT_TOO_LONG");
    world.run("replay");
    assert_eq!(world.take_output(), "the same log gives the same state\n");
}

/// The platform was out on the last day of the first two cases, not on that of a third.
fn out_on_the_last_day(world: &mut World) {
    for line in [
        "at 2026-09-22 09:00",
        "request case3 entry=beds from=water head=none",
        "advance to=\"2026-10-13 00:00\"",
        "platform_outage from=\"2026-10-12 14:00\" until=\"2026-10-12 17:00\" source=carrier reason=r",
    ] {
        world.run(line);
    }
    let told = world.take_output();
    assert!(!told.contains("refused") && !told.contains("VIOLATED"), "{told}");
}

#[test]
fn nothing_counts_before_the_ruling_on_an_outage() {
    let mut world = setting();
    out_on_the_last_day(&mut world);
    check(&mut world, "rule case1 rejected reason=r", "OUTAGE_RULING_PENDING");
    // The time to claim a reason passes and settles nothing; of the other case it does.
    world.run("advance to=\"2026-10-14 00:00\"");
    world.run("advance to=\"2026-10-22 00:00\"");
    world.take_output();
    world.run("show punctuality police month=202610");
    assert_eq!(world.take_output(), "0 answered in time, 1 late: 0 counted, 0 excused\n");
    world.run("show punctuality hospital month=202610");
    assert_eq!(world.take_output(), "0 answered in time, 2 late: 1 counted, 0 excused\n");
    check(&mut world, "rule case1 rejected reason=r", "OUTAGE_RULING_PENDING");
    // Ruled that it counts as any other: now the reason, or its absence, is ruled on.
    world.run("rule_outage case1 counts reason=r by=xiamen.authority.head");
    world.run("rule case1 rejected reason=r");
    world.take_output();
    world.run("show punctuality police month=202610");
    assert_eq!(world.take_output(), "0 answered in time, 1 late: 1 counted, 0 excused\n");
}

/// Ruled that it does not count: the hearing ends so.
#[test]
fn lateness_by_an_outage_is_excused() {
    let mut world = setting();
    out_on_the_last_day(&mut world);
    world.run("rule_outage case1 excused reason=r by=xiamen.authority.head");
    world.run("advance to=\"2026-10-29 00:00\"");
    world.take_output();
    world.run("show punctuality police month=202610");
    assert_eq!(world.take_output(), "0 answered in time, 1 late: 0 counted, 1 excused\n");
}

/// A domain that has neither manager nor authority on file cannot look after a demand (SHR-18).
#[test]
fn no_demand_is_without_an_owner() {
    let mut world = setting();
    let cluster = world.clusters.values_mut().next().expect("one cluster");
    let roles = [PlatformRole::Authority, PlatformRole::PlatformManager];
    let gone = roles.map(|role| (keys::platform_role(role).into_vec(), None));
    cluster.store.write(gone.into_iter().collect());
    let refused = Reason::DemandWithoutOwner.name();
    check(&mut world, "demand n1 title=hydrants text=where by=tax.system", refused);
}
