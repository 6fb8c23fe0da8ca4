//! Is the rule as sets the rule that raft-rs counts by?

use proptest::prelude::*;
use raft::{Config as RaftConfig, RawNode, eraftpb::ConfState, storage::MemStorage};

use super::*;

const MAIN: SiteId = SiteId(1);
const STANDBY: SiteId = SiteId(2);

fn five() -> Sites {
    [(1, MAIN), (2, MAIN), (3, MAIN), (4, STANDBY), (5, STANDBY)].into_iter().collect()
}

fn set(ids: &[u64]) -> BTreeSet<u64> {
    ids.iter().copied().collect()
}

#[test]
fn what_it_takes_to_commit() {
    let plain = Membership::of_voters(vec![1, 2, 3, 4, 5]);
    // Half done: 5 takes the place of 3.
    let joint =
        Membership { outgoing: vec![1, 2, 3, 4], ..Membership::of_voters(vec![1, 2, 4, 5]) };
    let check = |membership: &Membership, holders: &[u64], off: bool, on: bool| {
        let found = [false, true].map(|on| commits(on, membership, &five(), &set(holders)));
        assert_eq!(found, [off, on], "{holders:?} of {membership:?}");
    };
    check(&plain, &[1, 2, 3], true, false);
    check(&plain, &[1, 2, 4], true, true);
    check(&plain, &[1, 4, 5], true, true);
    check(&plain, &[4, 5], false, false);
    check(&plain, &[1, 4], false, false);
    check(&plain, &[1, 2, 3, 6], true, false);
    check(&joint, &[1, 2, 3], false, false);
    check(&joint, &[1, 2, 4], true, true);
    check(&joint, &[1, 2, 3, 5], true, false);
    check(&joint, &[1, 2, 3, 4], true, true);
}

#[test]
fn a_rule_without_effect_is_named_and_commits_nothing() {
    let check = |voters: &[u64], sites: &Sites, expected: RuleEffect| {
        let membership = Membership::of_voters(voters.to_vec());
        assert_eq!(effect(true, &membership, sites), expected, "{voters:?}");
        assert_eq!(effect(false, &membership, sites), RuleEffect::Off);
        let all = set(voters);
        assert_eq!(commits(true, &membership, sites, &all), expected == RuleEffect::InEffect);
        assert!(commits(false, &membership, sites, &all));
    };
    check(&[1, 2, 3, 4, 5], &five(), RuleEffect::InEffect);
    check(&[1, 2, 3], &five(), RuleEffect::OneSite);
    check(&[4], &five(), RuleEffect::OneSite);
    check(&[1, 4, 6, 7], &five(), RuleEffect::Unplaced(vec![6, 7]));
    let mut many = five();
    many.place(6, SiteId(3));
    check(&[1, 4, 6], &many, RuleEffect::ManySites);
    // Before standby's voters became learners, and after.
    let joint = Membership { outgoing: vec![1, 2, 3, 4], ..Membership::of_voters(vec![1, 2, 3]) };
    assert_eq!(effect(true, &joint, &five()), RuleEffect::OneSite);
}

#[test]
fn what_a_failover_must_seal() {
    let plain = Membership::of_voters(vec![1, 2, 3, 4, 5]);
    let check = |met: &[u64], off: bool, on: bool| {
        let found = [false, true].map(|on| every_commit_meets(on, &plain, &five(), &set(met)));
        assert_eq!(found, [off, on], "{met:?}");
    };
    // The whole standby site: main's majority could go on only without the rule.
    check(&[4, 5], false, true);
    // One of two: the other would do for the rule.
    check(&[4], false, false);
    check(&[4, 3, 2], true, true);
    check(&[1, 2, 4], true, true);
    check(&[1, 4], false, false);
    check(&[4, 5, 3], true, true);
    // Main, when standby died before it opened.
    check(&[1, 2, 3], true, true);
    check(&[1, 2], false, false);
}

fn ids() -> impl Strategy<Value = Vec<u64>> {
    proptest::sample::subsequence((1..=7).collect::<Vec<u64>>(), 1..=7)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Where the rule has an effect, raft-rs commits exactly what we say; where it has none, raft-rs commits
    /// something all the same, which is why a replica has to refuse.
    #[test]
    fn raft_counts_by_the_same_rule(
        voters in ids(),
        outgoing in proptest::option::of(ids()),
        places in proptest::collection::vec(0_u8..3, 7),
        holders in ids(),
        on: bool,
    ) {
        let outgoing = outgoing.unwrap_or_default();
        let sites: Sites = (1_u64..=7)
            .zip(places)
            .filter(|(_, place)| *place > 0)
            .map(|(id, place)| (id, SiteId(place)))
            .collect();
        let membership = Membership { outgoing, ..Membership::of_voters(voters) };
        let storage = MemStorage::new_with_conf_state(ConfState::from(&membership));
        let logger = slog::Logger::root(slog::Discard, slog::o!());
        let mut node = RawNode::new(&RaftConfig::new(1), storage, &logger).unwrap();
        let tracker = node.raft.mut_prs();
        for (id, progress) in tracker.iter_mut() {
            progress.matched = u64::from(holders.contains(id));
            progress.commit_group_id = sites.of(*id).map_or(0, SiteId::group);
        }
        tracker.enable_group_commit(on);
        let (index, by_groups) = tracker.maximal_committed_index();
        let ours = commits(on, &membership, &sites, &holders.iter().copied().collect());
        match effect(on, &membership, &sites) {
            RuleEffect::Off => prop_assert_eq!(index == 1, ours),
            RuleEffect::InEffect => {
                prop_assert!(by_groups);
                prop_assert_eq!(index == 1, ours);
            }
            _ => prop_assert!(!ours),
        }
    }

    #[test]
    fn those_who_are_met_are_in_every_set_that_commits(
        voters in ids(),
        places in proptest::collection::vec(1_u8..3, 7),
        met in ids(),
        on: bool,
    ) {
        let sites: Sites = (1_u64..=7).zip(places.into_iter().map(SiteId)).collect();
        let membership = Membership::of_voters(voters);
        let met: BTreeSet<u64> = met.into_iter().collect();
        // The plain way: all sets there are.
        let all_met = (0_u32..1 << 7).all(|bits| {
            let holders = (1_u64..=7).filter(|id| bits & (1 << (id - 1)) != 0).collect();
            !commits(on, &membership, &sites, &holders) || !holders.is_disjoint(&met)
        });
        prop_assert_eq!(every_commit_meets(on, &membership, &sites, &met), all_met);
    }
}
