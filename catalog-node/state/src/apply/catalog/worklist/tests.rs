use crate::{script::World, view::View};

/// More entries than one command looks at: the pass goes on with the steps of the clock, sees each
/// entry once, and none is listed twice (CAT-28).
#[test]
fn a_pass_goes_over_the_catalog_in_portions() {
    let mut world = World::default();
    world.run("cluster xiamen level=3 clock=\"2025-06-03 09:00\"");
    world.run("organization police");
    let checks = "checks=compliance,safety,usability";
    for number in 0..super::PORTION + 3 {
        let basis = "sharing=not_shared reason=r basis=\"Plan of the state||other_state_policy|\"";
        world.run(&format!("listed entry{number} provider=police {checks} {basis}"));
    }
    // Decree 809 is in force: the first step of the clock begins.
    world.run("advance to=\"2025-08-04 09:00\"");
    let told = world.tell("reclassify cause=\"once more\"\n----\n");
    assert!(told.contains("refused PASS_UNDER_WAY"), "{told}");
    world.run("advance to=\"2025-08-04 09:01\"");
    world.run("advance to=\"2025-08-04 09:02\"");
    world.run("replay");
    let store = world.into_store("xiamen");
    let view = View(&store);
    let pass = view.reclassification_pass().unwrap();
    let all = super::PORTION as u64 + 3;
    assert_eq!((pass.number, pass.seen, pass.listed), (1, all, all));
    assert!(pass.finished_time.is_some());
    let items = view.worklist(&"xiamen".parse().unwrap(), true, None, 1000, 1000).rows;
    assert_eq!(items.len() as u64, all);
    // The last three came with the next step of the clock.
    let (first, last) = (items[0].listed_time, items[items.len() - 1].listed_time);
    assert_eq!(last.0 - first.0, 60_000);
}
