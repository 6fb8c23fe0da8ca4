use super::*;

const FIT: Fitness = Fitness {
    votes: true,
    quarantined: false,
    receiving_snapshot: false,
    disk_nearly_full: false,
    disk_slow: false,
    applied: 1000,
    leader_last: 1000,
};

#[test]
fn a_node_leads_only_if_nothing_speaks_against_it() {
    let check =
        |node: Fitness, expected: Option<&str>| assert_eq!(unfit(node), expected, "{node:?}");
    check(FIT, None);
    check(Fitness { leader_last: 1128, ..FIT }, None);
    check(Fitness { leader_last: 1129, ..FIT }, Some("it lags behind"));
    check(Fitness { applied: u64::MAX, ..FIT }, None);
    check(Fitness { votes: false, ..FIT }, Some("it has no vote"));
    check(Fitness { quarantined: true, ..FIT }, Some("its state is in doubt"));
    check(Fitness { receiving_snapshot: true, ..FIT }, Some("it is receiving a snapshot"));
    check(Fitness { disk_nearly_full: true, ..FIT }, Some("its disk is nearly full"));
    check(Fitness { disk_slow: true, ..FIT }, Some("its disk is slow"));
}

#[test]
fn the_most_caught_up_voter_is_asked_first() {
    let matched = [(1, 90), (2, 70), (3, 80), (4, 95), (5, 80)];
    assert_eq!(candidates(1, &[1, 2, 3, 5], &matched), [3, 5, 2]);
    assert_eq!(candidates(1, &[1], &matched), [0_u64; 0]);
}
