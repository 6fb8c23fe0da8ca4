//! Is our rule the one that raft-rs follows?

use proptest::prelude::*;
use raft::{Config as RaftConfig, RawNode, storage::MemStorage};

use super::*;

fn changes() -> impl Strategy<Value = Vec<RaftChange>> {
    let id = 0_u64..7;
    let change = prop_oneof![
        id.clone().prop_map(RaftChange::AddLearner),
        id.clone().prop_map(RaftChange::Promote),
        id.clone().prop_map(RaftChange::Demote),
        id.clone().prop_map(RaftChange::Remove),
        (id.clone(), id)
            .prop_map(|(outgoing, incoming)| RaftChange::Replace { outgoing, incoming }),
        Just(RaftChange::Finish),
        Just(RaftChange::Finish),
    ];
    prop::collection::vec(change, 0..40)
}

fn entry(change: RaftChange) -> Entry {
    let data = change.to_raft().write_to_bytes().unwrap();
    let mut entry = Entry { data: data.into(), ..Entry::default() };
    entry.set_entry_type(EntryType::EntryConfChangeV2);
    entry
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_we_take_raft_takes_and_with_the_same_result(changes in changes()) {
        let mut membership = Membership::of_voters(vec![3, 1, 2]);
        let storage = MemStorage::new_with_conf_state(ConfState::from(&membership));
        let logger = slog::Logger::root(slog::Discard, slog::o!());
        let mut node = RawNode::new(&RaftConfig::new(1), storage, &logger).unwrap();
        for change in changes {
            let entry = entry(change);
            prop_assert_eq!(RaftChange::of(&entry), Ok(change));
            let Ok(next) = membership.after(change) else { continue };
            let state = node.apply_conf_change(&raft_change(&entry).unwrap()).unwrap();
            prop_assert_eq!(&Membership::from(&state), &next, "after {:?}", change);
            prop_assert_eq!(Membership::decode(&next.encode()).unwrap(), next.clone());
            prop_assert!(!next.voters.is_empty());
            let moved = next.voters.iter().filter(|id| !membership.voters.contains(id)).count();
            prop_assert!(moved <= 1, "one change at a time");
            membership = next;
        }
    }
}

#[test]
fn refusals_have_names() {
    use ChangeRefusal::{Joint, NoVoterLeft, NotALearner, NotJoint, NotNew, NotThere};
    use RaftChange::{AddLearner, Finish, Promote, Remove, Replace};
    let settled = Membership { learners: vec![4], ..Membership::of_voters(vec![1, 2, 3]) };
    for (change, refusal) in [
        (AddLearner(0), NotNew(0)),
        (AddLearner(3), NotNew(3)),
        (AddLearner(4), NotNew(4)),
        (Promote(3), NotALearner(3)),
        (Promote(9), NotALearner(9)),
        (Remove(9), NotThere(9)),
        (RaftChange::Demote(4), NotThere(4)),
        (Replace { outgoing: 4, incoming: 4 }, NotThere(4)),
        (Replace { outgoing: 3, incoming: 2 }, NotALearner(2)),
        (Replace { outgoing: 3, incoming: 9 }, NotALearner(9)),
        (Finish, NotJoint),
    ] {
        assert_eq!(settled.after(change), Err(refusal), "{change:?}");
    }
    let joint = settled.after(Promote(4)).unwrap();
    assert!(joint.is_joint() && joint.is_voter(4));
    assert_eq!(joint.after(Remove(3)), Err(Joint));
    assert_eq!(Membership::of_voters(vec![1]).after(Remove(1)), Err(NoVoterLeft));
    let demoted = settled.after(RaftChange::Demote(3)).unwrap();
    assert!(demoted.is_voter(3) && demoted.learners_next == [3]);
    assert_eq!(demoted.after(RaftChange::Finish).unwrap().learners, [3, 4]);
}

#[test]
fn entries_say_what_they_are_for() {
    let command = Entry { data: Bytes::from_static(b"x"), ..Entry::default() };
    assert_eq!(kind_of(&command), EntryKind::Command(&Bytes::from_static(b"x")));
    assert_eq!(kind_of(&Entry::default()), EntryKind::Raft);
    let mut change = entry(RaftChange::Finish);
    assert!(change.data.is_empty(), "only its type tells it from an entry of Raft's own");
    change.context = Bytes::from_static(b"why");
    let why = Bytes::from_static(b"why");
    let expected = EntryKind::Members { change: Ok(RaftChange::Finish), context: &why };
    assert_eq!(kind_of(&change), expected);

    // What none of our replicas proposes is refused, not guessed.
    let mut foreign = entry(RaftChange::Promote(4));
    let mut changed = raft_change(&foreign).unwrap();
    changed.set_transition(ConfChangeTransition::Auto);
    foreign.data = changed.write_to_bytes().unwrap().into();
    assert_eq!(RaftChange::of(&foreign), Err(ChangeRefusal::Unreadable));
    foreign.data = Bytes::from_static(b"\xff");
    assert_eq!(RaftChange::of(&foreign), Err(ChangeRefusal::Unreadable));
}

/// The bytes are stored with states and travel with snapshots.
#[test]
fn the_bytes_of_a_membership_are_fixed() {
    let membership = Membership {
        voters: vec![1, 2, 300],
        outgoing: vec![1, 2, 3],
        learners: vec![4],
        learners_next: vec![],
        auto_leave: false,
    };
    assert_eq!(
        membership.encode(),
        [0x85, 0x83, 1, 2, 0x19, 0x01, 0x2c, 0x83, 1, 2, 3, 0x81, 4, 0x80, 0xf4]
    );
}
