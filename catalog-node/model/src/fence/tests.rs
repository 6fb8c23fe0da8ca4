use proptest::prelude::*;

use super::*;
use crate::reason::{Lang, Reason};

fn pair(text: &str) -> Pair {
    text.parse().unwrap()
}

fn failover(text: &str) -> FailoverId {
    text.parse().unwrap()
}

/// `belongs heard opened`, `-` for none.
fn known(text: &str) -> Known {
    let [belongs, heard, opened] = text.split(' ').collect::<Vec<_>>()[..] else {
        panic!("three pairs: {text}")
    };
    let belongs = (belongs != "-").then(|| pair(belongs));
    Known { belongs, heard: pair(heard), opened: pair(opened), sealed: None }
}

fn said(text: &str) -> Said {
    known(text).said()
}

#[test]
fn what_a_node_may_do_follows_from_what_it_knows() {
    for (text, expected) in [
        ("1.1 1.1 1.1", Standing::Serving),
        // A later epoch of its own generation is in the log that it follows.
        ("1.1 1.4 1.1", Standing::Serving),
        ("1.1 2.2 1.1", Standing::Fenced),
        ("1.9 2.2 1.1", Standing::Fenced),
        ("1.1 2.2 2.2", Standing::Invalidated),
        ("1.1 3.3 2.2", Standing::Invalidated),
        ("2.2 2.2 1.1", Standing::Opening),
        ("2.2 2.2 2.2", Standing::Serving),
        ("2.5 2.5 2.2", Standing::Serving),
        ("2.2 3.3 1.1", Standing::Fenced),
        ("- 3.3 3.3", Standing::Serving),
    ] {
        assert_eq!(known(text).standing(), expected, "{text}");
    }
}

#[test]
fn callers_and_peers_are_turned_away_by_name() {
    let fenced = TurnedAway::Fenced { heard: pair("2.2") };
    let past = |text| TurnedAway::Past { pair: pair(text) };
    for (node, caller, gateway, peer) in [
        ("1.1 1.1 1.1", "- 1.1 1.1", Ok(()), Ok(())),
        // A gateway ahead of the log is served: the leader is asked how far the node must be.
        ("1.1 1.2 1.1", "- 1.2 1.1", Ok(()), Ok(())),
        ("1.3 1.3 1.1", "- 1.2 1.1", Err(past("1.3")), Ok(())),
        // A peer of the same generation has not applied the switchover yet, and has to.
        ("1.3 1.3 1.1", "1.2 1.2 1.1", Err(past("1.3")), Ok(())),
        ("2.2 2.2 2.2", "1.1 1.1 1.1", Err(past("2.2")), Err(past("2.2"))),
        ("2.2 2.2 2.2", "1.1 2.2 2.2", Ok(()), Err(past("2.2"))),
        ("1.1 2.2 1.1", "- 2.2 1.1", Err(fenced), Err(fenced)),
        ("1.1 2.2 1.1", "1.1 1.1 1.1", Err(fenced), Err(fenced)),
        (
            "1.1 2.2 2.2",
            "- 2.2 2.2",
            Err(TurnedAway::Invalidated { opened: pair("2.2") }),
            Err(TurnedAway::Invalidated { opened: pair("2.2") }),
        ),
        ("2.2 2.2 1.1", "2.2 2.2 1.1", Err(TurnedAway::NotOpen { pair: pair("2.2") }), Ok(())),
        ("2.2 2.2 2.2", "- 2.2 2.2", Ok(()), Ok(())),
    ] {
        let (node_knows, says) = (known(node), said(caller));
        assert_eq!(node_knows.judge_gateway(&says), gateway, "{node} by gateway {caller}");
        assert_eq!(node_knows.judge_peer(&says), peer, "{node} by node {caller}");
    }
}

#[test]
fn a_program_that_knows_no_pairs_is_served_until_something_changed() {
    let first = Known::founding();
    assert_eq!(first.judge_gateway(&Said::NOTHING), Ok(()));
    for later in ["1.2 1.2 1.1", "2.2 2.2 2.2"] {
        assert!(known(later).judge_gateway(&Said::NOTHING).is_err(), "{later}");
    }
}

#[test]
fn a_node_seals_once_per_failover() {
    let mut node = Known::founding();
    let (one, other) = (failover("01J8Z-one"), failover("01J8Z-other"));
    assert_eq!(node.seal(&one, pair("2.2")), Ok(true));
    assert_eq!(node.standing(), Standing::Fenced);
    assert_eq!(node.seal(&one, pair("2.2")), Ok(false), "asked again, it says the same");
    let sealed = SealRefused::Otherwise { failover: one.clone(), pair: pair("2.2") };
    assert_eq!(node.seal(&other, pair("2.2")), Err(sealed.clone()), "two consoles at once");
    assert_eq!(node.seal(&one, pair("3.3")), Err(sealed));
    // The first never opened: a later one may have the node.
    assert_eq!(node.seal(&other, pair("3.3")), Ok(true));
    let sealed = SealRefused::Otherwise { failover: other.clone(), pair: pair("3.3") };
    assert_eq!(node.seal(&one, pair("2.2")), Err(sealed));

    assert_eq!(node.promote(&one), Err(PromoteRefused::NotSealed));
    assert_eq!(node.promote(&other), Ok(true));
    assert_eq!((node.belongs, node.standing()), (Some(pair("3.3")), Standing::Opening));
    assert_eq!(node.promote(&other), Ok(false), "resumed after a crash");
    assert!(node.opened(pair("3.3")));
    assert_eq!(node.standing(), Standing::Serving);
}

#[test]
fn who_was_sealed_and_not_promoted_joins_who_was() {
    let (mut node, id) = (Known::founding(), failover("01J8Z"));
    let promoted = said("2.2 2.2 1.1");
    assert_eq!(node.join(&id, &promoted), Err(PromoteRefused::NotSealed));
    node.seal(&id, pair("2.2")).unwrap();
    assert_eq!(node.join(&id, &said("3.3 3.3 1.1")), Err(PromoteRefused::NotSealed));
    node.opened(pair("2.2"));
    assert_eq!(node.standing(), Standing::Fenced, "it has a place in what opened");
    assert_eq!(node.promote(&id), Err(PromoteRefused::Opened { pair: pair("2.2") }));
    assert_eq!(node.join(&id, &said("2.3 2.3 2.2")), Ok(true));
    assert_eq!((node.belongs, node.standing()), (Some(pair("2.3")), Standing::Serving));
    assert_eq!(node.join(&id, &promoted), Ok(false));

    let mut left_out = Known::founding();
    left_out.seal(&id, pair("2.2")).unwrap();
    left_out.opened(pair("3.3"));
    assert_eq!(left_out.standing(), Standing::Invalidated, "what opened is another failover's");
    left_out.opened(pair("4.4"));
    assert_eq!(left_out.join(&id, &promoted), Err(PromoteRefused::NotSealed));
}

#[test]
fn who_cannot_be_sealed_says_why() {
    let later = failover("later");
    for (text, wanted, refused) in [
        ("2.2 2.2 2.2", "2.2", SealRefused::NotLater { belongs: pair("2.2") }),
        ("2.2 2.2 2.2", "2.9", SealRefused::NotLater { belongs: pair("2.2") }),
        ("1.1 3.3 1.1", "2.2", SealRefused::Overtaken { heard: pair("3.3") }),
        ("1.1 2.2 2.2", "3.3", SealRefused::Invalidated { opened: pair("2.2") }),
        ("- 1.1 1.1", "2.2", SealRefused::Joining),
    ] {
        let mut node = known(text);
        assert_eq!(node.seal(&later, pair(wanted)), Err(refused), "{text}");
        assert_eq!(node, known(text), "and nothing changed");
    }
    let mut node = Known::founding();
    node.seal(&later, pair("2.2")).unwrap();
    node.hear(&said("- 3.3 1.1"));
    assert_eq!(node.promote(&later), Err(PromoteRefused::Overtaken { heard: pair("3.3") }));
}

#[test]
fn a_node_that_joins_belongs_where_the_first_that_calls_it_does() {
    let mut joiner = Known::joining();
    assert!(!joiner.met(&said("- 2.2 2.2")), "a gateway takes nobody in");
    assert!(!joiner.met(&said("1.1 2.2 2.2")), "a fenced node takes nobody in");
    assert!(joiner.met(&said("2.3 2.3 2.2")));
    assert_eq!((joiner.belongs, joiner.standing()), (Some(pair("2.3")), Standing::Serving));
    assert!(!joiner.met(&said("3.4 3.4 3.4")), "once");

    let mut warned = Known::joining();
    warned.hear(&said("- 2.2 2.2"));
    assert!(!warned.met(&said("1.1 1.1 1.1")), "it knows of a later one");
    assert!(warned.met(&said("2.2 2.2 2.2")));
}

#[test]
fn a_switchover_stays_in_its_generation() {
    let mut node = Known::founding();
    assert!(!node.switched(pair("2.2")));
    assert!(node.switched(pair("1.2")));
    assert!(!node.switched(pair("1.2")) && !node.switched(pair("1.1")));
    assert_eq!(node.said(), said("1.2 1.2 1.1"));
}

#[test]
fn refusals_name_the_pair_in_both_languages() {
    let counts = pair("7.9");
    for (turned_away, reason) in [
        (TurnedAway::Fenced { heard: counts }, Reason::Fenced),
        (TurnedAway::Invalidated { opened: counts }, Reason::NodeInvalidated),
        (TurnedAway::NotOpen { pair: counts }, Reason::GenerationNotOpen),
        (TurnedAway::Past { pair: counts }, Reason::EpochPast),
    ] {
        let refusal = turned_away.refusal();
        assert_eq!(refusal.reason, reason);
        for lang in [Lang::En, Lang::Zh] {
            assert!(refusal.text(lang).contains("7.9"), "{reason}");
        }
    }
}

#[test]
fn failovers_have_plain_names() {
    for illegal in ["", "a b", "a\n", "x/y", &"x".repeat(65)] {
        assert!(illegal.parse::<FailoverId>().is_err(), "{illegal:?}");
    }
}

#[derive(Debug, Clone)]
enum Step {
    Hear(Said),
    Meet(Said),
    Seal(u8, Pair),
    Promote(u8),
    Join(u8, Said),
    Switched(Pair),
    Opened(Pair),
}

fn pairs() -> impl Strategy<Value = Pair> {
    (1..5u64, 1..6u64).prop_map(|(generation, epoch)| Pair { generation, epoch })
}

fn saids() -> impl Strategy<Value = Said> {
    (prop::option::of(pairs()), pairs(), pairs()).prop_map(|(belongs, heard, opened)| Said {
        belongs,
        heard,
        opened,
    })
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        saids().prop_map(Step::Hear),
        saids().prop_map(Step::Meet),
        (0..3u8, pairs()).prop_map(|(id, pair)| Step::Seal(id, pair)),
        (0..3u8).prop_map(Step::Promote),
        (0..3u8, saids()).prop_map(|(id, said)| Step::Join(id, said)),
        pairs().prop_map(Step::Switched),
        pairs().prop_map(Step::Opened),
    ]
}

proptest! {
    #[test]
    fn nothing_ever_falls(joins: bool, steps in prop::collection::vec(steps(), 0..40)) {
        let mut node = if joins { Known::joining() } else { Known::founding() };
        for step in steps {
            let before = node.clone();
            match &step {
                Step::Hear(said) => drop(node.hear(said)),
                Step::Meet(said) => drop(node.met(said)),
                Step::Seal(id, pair) => drop(node.seal(&failover(&id.to_string()), *pair)),
                Step::Promote(id) => drop(node.promote(&failover(&id.to_string()))),
                Step::Join(id, said) => drop(node.join(&failover(&id.to_string()), said)),
                Step::Switched(pair) => drop(node.switched(*pair)),
                Step::Opened(pair) => drop(node.opened(*pair)),
            }
            prop_assert!(node.belongs >= before.belongs, "{step:?}");
            prop_assert!(node.heard >= before.heard && node.opened >= before.opened, "{step:?}");
            prop_assert_eq!(node.check(), Ok(()), "{:?}", step);
            // Out of a fence lead a promotion and a promoted node that takes it in, and nothing else.
            if before.standing().stops_raft() && !node.standing().stops_raft() {
                prop_assert!(matches!(step, Step::Promote(_) | Step::Join(..)), "{step:?}");
            }
            if before.standing() == Standing::Invalidated {
                prop_assert_eq!(node.standing(), Standing::Invalidated, "{:?}", step);
            }
        }
    }
}
