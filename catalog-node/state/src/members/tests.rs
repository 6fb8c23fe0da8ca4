use proptest::prelude::*;

use super::*;
use MemberRole::{Learner, Leaving, Voter};

/// `1 2 3 +4 -5`: voters, a learner, one that leaves; joint where one leaves or with `*`.
fn list(text: &str) -> Members {
    let mut members = Members::default();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let (role, id) = match word.split_at(1) {
            ("+", id) => (Learner, id),
            ("-", id) => (Leaving, id),
            ("*", "") => {
                members.joint = true;
                continue;
            }
            _ => (Voter, word),
        };
        members.joint |= role == Leaving;
        let id = id.parse().unwrap();
        members.members.push(Member { id, address: address(id), role, site: None });
        members.used_ids.push(id);
    }
    // Node 9 was a member once.
    members.used_ids.push(9);
    members
}

fn address(id: u64) -> String {
    format!("node-{id}:7001")
}

fn shown(members: &Members) -> String {
    let word = |member: &Member| match member.role {
        Voter => member.id.to_string(),
        Learner => format!("+{}", member.id),
        Leaving => format!("-{}", member.id),
    };
    let mut words: Vec<String> = members.members.iter().map(word).collect();
    words.extend(members.joint.then(|| "*".to_owned()));
    words.join(" ")
}

/// `add 4`, `add 4 node-1:7001`, `promote 4`, `remove 3`, `replace 3 4`, `finish`.
fn wish(text: &str) -> MemberChange {
    let words: Vec<&str> = text.split(' ').collect();
    let id = |place: usize| words[place].parse().unwrap();
    match words[0] {
        "add" => MemberChange::AddLearner {
            id: id(1),
            address: words.get(2).map_or_else(|| address(id(1)), |&address| address.to_owned()),
            site: words.get(3).map(|site| site.parse().unwrap()),
        },
        "promote" => MemberChange::Promote { id: id(1) },
        "remove" => MemberChange::Remove { id: id(1) },
        "replace" => MemberChange::Replace { out: id(1), replacement: id(2) },
        _ => MemberChange::Finish,
    }
}

fn answer(before: &Members, wished: &str, unreachable: &[u64]) -> String {
    match plan(before, &wish(wished), &unreachable.iter().copied().collect()) {
        Plan::Already => "already".to_owned(),
        Plan::Change(planned) => {
            assert_eq!(planned.after.version, before.version + 1);
            shown(&planned.after)
        }
        Plan::Refused(refusal) => {
            refusal.reason.name().to_owned()
                + &refusal.facts.get("cause").map_or_else(String::new, |cause| format!(": {cause}"))
        }
    }
}

#[test]
fn what_becomes_of_a_wish() {
    for (before, wished, expected) in [
        // A node comes in as a learner, under an id and at an address that nobody had.
        ("1 2 3", "add 4", "1 2 3 +4 *"),
        ("1 2 3 +4", "add 4", "already"),
        ("1 2 3", "add 2", "already"),
        ("1 2 3", "add 9", "MEMBER_ID_USED"),
        ("1 2 -3", "add 3", "MEMBER_ID_USED"),
        (
            "1 2 3 +4",
            "add 4 other:1",
            "MEMBER_CHANGE_REFUSED: it is a member at node-4:7001 already",
        ),
        (
            "1 2 3",
            "add 4 node-1:7001",
            "MEMBER_CHANGE_REFUSED: node-1:7001 is the address of node 1",
        ),
        ("1 2 3", "add 0", "MEMBER_CHANGE_REFUSED: ids begin with 1"),
        ("1 2 3", "add 4 nowhere", "MEMBER_CHANGE_REFUSED: its address is not host:port"),
        ("1 2 3", "add 4 :7001", "MEMBER_CHANGE_REFUSED: its address is not host:port"),
        ("1 2 3", "add 4 host:0", "MEMBER_CHANGE_REFUSED: its address is not host:port"),
        ("1 2 3", "add 4 host:70000", "MEMBER_CHANGE_REFUSED: its address is not host:port"),
        ("1 2 3", "add 4 [::1]:7001", "1 2 3 +4 *"),
        (
            "1 2 3 4 5 6 7 8 10 11 12 13 14 15 16 17",
            "add 18",
            "MEMBER_CHANGE_REFUSED: a cluster has at most 16 members",
        ),
        // It gets its vote.
        ("1 2 3 +4", "promote 4", "1 2 3 4 *"),
        ("1 2 3 4", "promote 4", "already"),
        ("1 2 3 4 *", "promote 4", "already"),
        ("1 2 3", "promote 4", "MEMBER_UNKNOWN"),
        ("1 2 3", "promote 9", "MEMBER_UNKNOWN"),
        ("1 2 -3", "promote 3", "MEMBERS_CHANGING"),
        // One goes; a second wish of that kind finds it gone.
        ("1 2 3", "remove 3", "1 2 -3 *"),
        ("1 2 -3", "remove 3", "already"),
        ("1 2", "remove 9", "already"),
        ("1 2", "remove 7", "MEMBER_UNKNOWN"),
        ("1 2 3 +4", "remove 4", "1 2 3 *"),
        ("1", "remove 1", "MEMBER_CHANGE_REFUSED: it is the last voter"),
        ("1 +2", "remove 1", "MEMBER_CHANGE_REFUSED: it is the last voter"),
        ("1 +2", "remove 2", "1 *"),
        // One takes the place of another.
        ("1 2 3 +4", "replace 3 4", "1 2 -3 4 *"),
        ("1 +2", "replace 1 2", "-1 2 *"),
        ("1 2 -3 4", "replace 3 4", "already"),
        ("1 2 4", "replace 9 4", "already"),
        ("1 2 3 +4", "replace 7 4", "MEMBER_UNKNOWN"),
        ("1 2 3", "replace 3 4", "MEMBER_UNKNOWN"),
        ("1 2 3 4", "replace 3 4", "MEMBER_CHANGE_REFUSED: node 4 votes already"),
        ("1 2 3", "replace 3 3", "MEMBER_CHANGE_REFUSED: node 3 votes already"),
        ("1 2 3 +4 +5", "replace 4 5", "MEMBER_CHANGE_REFUSED: it has no vote to hand on"),
        // One change at a time.
        ("1 2 -3", "add 4", "MEMBERS_CHANGING"),
        ("1 2 -3 +4", "promote 4", "MEMBERS_CHANGING"),
        ("1 2 -3", "remove 2", "MEMBERS_CHANGING"),
        ("1 2 -3 +4", "replace 2 4", "MEMBERS_CHANGING"),
        ("1 2 3 +4 *", "replace 2 4", "MEMBERS_CHANGING"),
        // The change ends.
        ("1 2 -3 4", "finish", "1 2 4"),
        ("1 2 3 +4 *", "finish", "1 2 3 +4"),
        ("1 2 3", "finish", "already"),
    ] {
        assert_eq!(answer(&list(before), wished, &[]), expected, "{wished} of {before}");
    }
}

#[test]
fn votes_before_and_after() {
    for (before, wished, unreachable, expected) in [
        // voters, quorum, how many may still fail
        ("1 2 3", "add 4", &[][..], "3 2 1 -> 3 2 1"),
        ("1 2 3 +4", "promote 4", &[], "3 2 1 -> 4 3 1"),
        ("1 2 3 +4", "promote 4", &[2], "3 2 0 -> 4 3 0"),
        ("1 2 3", "remove 3", &[], "3 2 1 -> 2 2 0"),
        ("1 2 3", "remove 3", &[3], "3 2 0 -> 2 2 0"),
        ("1 2 3 +4", "replace 3 4", &[3], "3 2 0 -> 3 2 1"),
        ("1 2 3 4 +5", "promote 5", &[], "4 3 1 -> 5 3 2"),
        ("1 2 3 4 5", "remove 5", &[1], "5 3 1 -> 4 3 0"),
    ] {
        let unreachable: BTreeSet<u64> = unreachable.iter().copied().collect();
        let Plan::Change(planned) = plan(&list(before), &wish(wished), &unreachable) else {
            panic!("{wished} of {before} is no change");
        };
        let QuorumEffect { before: old, after: new } = planned.effect;
        let told =
            |votes: Votes| format!("{} {} {}", votes.voters, votes.quorum(), votes.tolerance());
        assert_eq!(format!("{} -> {}", told(old), told(new)), expected, "{wished} of {before}");
    }
}

/// Who takes out a voter that answers while another does not would stand still afterwards.
#[test]
fn a_change_that_would_end_in_silence_is_refused() {
    let two_left = list("1 2 3");
    assert_eq!(
        answer(&two_left, "remove 3", &[2]),
        "MEMBER_CHANGE_REFUSED: of the 2 voters after it only 1 can be reached"
    );
    assert_eq!(answer(&two_left, "remove 2", &[2]), "1 -2 3 *");
    assert_eq!(
        answer(&list("1 2 3 +4"), "replace 1 4", &[2, 4]),
        "MEMBER_CHANGE_REFUSED: of the 3 voters after it only 1 can be reached"
    );
    // What is under way is finished even so: it is the way back.
    assert_eq!(answer(&list("1 2 -3"), "finish", &[2]), "1 2");
}

proptest! {
    /// Whatever is wished in whatever order: there is always a voter, every id is used once, every
    /// address stands once, and repeating the wish that was just fulfilled changes nothing.
    #[test]
    fn any_history_keeps_the_rules(wishes in prop::collection::vec((0u8..5, 1u64..7, 1u64..7), 1..40)) {
        let mut members = list("1 2 3");
        let mut gone = BTreeSet::from([9]);
        for (kind, id, other) in wishes {
            let wish = match kind {
                0 => MemberChange::AddLearner { id, address: address(id), site: None },
                1 => MemberChange::Promote { id },
                2 => MemberChange::Remove { id },
                3 => MemberChange::Replace { out: id, replacement: other },
                _ => MemberChange::Finish,
            };
            let Plan::Change(planned) = plan(&members, &wish, &BTreeSet::new()) else { continue };
            let after = planned.after;
            prop_assert!(!after.voters().is_empty());
            prop_assert_eq!(after.version, members.version + 1);
            prop_assert_eq!(after.joint, wish != MemberChange::Finish);
            let ids: Vec<u64> = after.members.iter().map(|member| member.id).collect();
            prop_assert!(ids.is_sorted_by(|a, b| a < b));
            prop_assert!(after.used_ids.is_sorted_by(|a, b| a < b));
            prop_assert!(ids.iter().all(|id| after.used_ids.binary_search(id).is_ok()));
            prop_assert!(ids.iter().all(|id| !gone.contains(id)), "{id} came back");
            gone.extend(members.members.iter().map(|m| m.id).filter(|id| !ids.contains(id)));
            prop_assert_eq!(plan(&after, &wish, &BTreeSet::new()), Plan::Already);
            // A majority of the old voters and one of the new ones have a node in common.
            if after.joint {
                let moved = |from: &Members, to: &Members| {
                    from.voters().iter().filter(|id| !to.voters().contains(id)).count()
                };
                prop_assert!(moved(&members, &after) <= 1 && moved(&after, &members) <= 1);
            }
            members = after;
        }
    }
}
