use catalog_model::{
    caller::{Caller, Identity},
    catalog_entry::CatalogEntry,
    ids::{DomainId, EntryId},
    reason::Reason,
    time::UtcMillis,
};

use crate::{
    codec,
    command::{Body, Command, catalog::CatalogCommand},
    keys,
    machine::{Machine, Session},
    outcome::Outcome,
    script::World,
    store::MemStore,
    view::View,
};

fn apply(store: &mut MemStore, index: u64, caller: &Caller, at: UtcMillis, body: Body) -> Outcome {
    let command = Command {
        level: body.level(),
        stamped_at: at,
        received_at: None,
        caller: caller.clone(),
        request_id: None,
        call_digest: [0; 32],
        salt: [7; 16],
        body,
    };
    let mut session = Session::new(&*store);
    let applied = Machine::new().apply(&mut session, index, &command.encode()).unwrap();
    let writes = session.into_writes();
    store.write(writes);
    applied.outcome
}

/// More entries than one command looks at: the pass goes on with the steps of the clock, sees each
/// entry once, and none is listed twice (CAT-28).
#[test]
fn a_pass_goes_over_the_catalog_in_portions() {
    let mut world = World::default();
    world.run("cluster xiamen level=3 clock=\"2025-06-03 09:00\"");
    world.run("organization police");
    world.run(
        "listed plates provider=police checks=compliance,safety,usability sharing=not_shared \
         reason=r basis=\"Plan of the state||other_state_policy|\"",
    );
    let mut store = world.into_store("xiamen");
    let xiamen: DomainId = "xiamen".parse().unwrap();
    let listed = keys::Key::table(keys::Table::PublishedEntry);
    let (_, row) = store.0.range(listed.as_slice().to_vec()..).next().unwrap();
    let entry: CatalogEntry = codec::decode(row).unwrap();
    let all = super::PORTION + 3;
    for number in 1..all as u128 {
        let copy =
            CatalogEntry { id: EntryId::from_bytes((number << 64).to_be_bytes()), ..entry.clone() };
        let key = keys::published_entry(&xiamen, copy.id).into_vec();
        store.0.insert(key, codec::encode(&copy));
    }

    // Decree 809 is in force: the first step of the clock begins.
    let node = Identity::Node { id: "1".to_owned() };
    let node = Caller { domain: xiamen.clone(), identity: node };
    let (monday, index) = ("2025-08-04".parse::<catalog_model::time::LocalDate>().unwrap(), 1_000);
    let minute = |n: u64| monday.start().plus(n * 60_000);
    let step = |n| Body::AdvanceClock { to: minute(n), development: false, portion: None };
    apply(&mut store, index, &node, minute(0), step(0));
    let pass = View(&store).reclassification_pass().unwrap();
    assert_eq!((pass.number, pass.seen, pass.finished_time), (1, super::PORTION as u64, None));

    // Nobody begins another meanwhile.
    let authority = View(&store).get::<catalog_model::ids::OrganizationId>(&keys::platform_role(
        catalog_model::organization::PlatformRole::Authority,
    ));
    let identity = Identity::System {
        organization: authority.unwrap(),
        system: catalog_model::ids::SystemId::from_bytes([1; 16]),
        asserted_person: None,
    };
    let authority = Caller { domain: xiamen.clone(), identity };
    let again = CatalogCommand::StartReclassification { cause: "once more".to_owned() };
    let again = Body::Catalog(Box::new(again));
    let refused = apply(&mut store, index + 1, &authority, minute(0), again);
    assert_eq!(refused.refusal().map(|refusal| refusal.reason), Some(Reason::PassUnderWay));

    apply(&mut store, index + 2, &node, minute(1), step(1));
    apply(&mut store, index + 3, &node, minute(2), step(2));
    let view = View(&store);
    let pass = view.reclassification_pass().unwrap();
    let all = all as u64;
    assert_eq!((pass.number, pass.seen, pass.listed), (1, all, all));
    assert_eq!(pass.finished_time, Some(minute(1)));
    let items = view.worklist(&xiamen, true, None, 1000, 1000).rows;
    let later = items.iter().filter(|item| item.listed_time == minute(1)).count();
    assert_eq!((items.len() as u64, later), (all, 3));
}
