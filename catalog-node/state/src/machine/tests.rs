use catalog_model::{
    caller::{Caller, Identity},
    ids::DomainId,
};

use super::*;
use crate::{store::MemStore, view::View};

fn command(level: u32, body: Body) -> Vec<u8> {
    let domain: DomainId = "xiamen".parse().unwrap();
    Command {
        level,
        stamped_at: UtcMillis(1),
        received_at: None,
        caller: Caller { domain, identity: Identity::Node { id: "1".to_owned() } },
        request_id: None,
        call_digest: [0; 32],
        salt: [0; 16],
        body,
    }
    .encode()
}

fn put() -> Body {
    Body::ProbePut { key: vec![1], value: vec![2] }
}

/// A node stops rather than diverge: nothing of such an entry is applied.
#[test]
fn what_cannot_be_applied_stops_the_node_and_changes_nothing() {
    let store = MemStore::default();
    let mut session = Session::new(&store);
    let mut machine = Machine::new();
    let unknown = machine.apply(&mut session, 1, &[9]);
    assert!(matches!(unknown, Err(ApplyError::Undecodable { index: 1, .. })));
    let newer = machine.apply(&mut session, 2, &command(LEVEL + 1, put()));
    assert!(matches!(newer, Err(ApplyError::Level { index: 2, level }) if level == LEVEL + 1));
    // A body binds by what it needs, whatever level stands on the command.
    let above = machine.apply(&mut session, 2, &command(1, Body::RaiseLevel { level: LEVEL + 1 }));
    assert!(matches!(above, Err(ApplyError::Level { index: 2, level }) if level == LEVEL + 1));
    let early = machine.apply(&mut session, 3, &command(LEVEL, put()));
    assert!(matches!(early, Err(ApplyError::NotBootstrapped { index: 3 })));
    assert!(session.into_writes().is_empty());
}

/// The chain runs over the index and every write, so two histories that end in the same rows have
/// different hashes.
#[test]
fn the_state_hash_knows_the_history() {
    let play = |lines: &[&str]| {
        let mut world = crate::script::World::default();
        world.run("cluster xiamen clock=\"2026-09-21 09:00\"");
        for line in lines {
            world.run(line);
        }
        let store = world.into_store("xiamen");
        (View(&store).probe(b"k").map(|row| row.value), state_hash(&store))
    };
    let (value, once) = play(&["probe k value=2"]);
    let (other_value, twice) = play(&["probe k value=1", "probe k value=2"]);
    assert_eq!(value, other_value);
    assert_ne!(once, twice);
    assert_eq!(play(&["probe k value=2"]).1, once);
}
