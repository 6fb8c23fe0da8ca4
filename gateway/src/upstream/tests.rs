use catalog_model::{reason::Reason, refusal::Refusal};
use luqiao_transport::status;
use tonic::{Code, Status};

use super::*;

fn order(nodes: usize, turn: usize, leader: Option<usize>) -> Vec<usize> {
    let mut round = Round::new(nodes, turn);
    std::iter::from_fn(|| round.next(leader)).collect()
}

#[test]
fn a_round_asks_the_leader_first_and_everyone_once() {
    assert_eq!(order(3, 0, None), [0, 1, 2]);
    assert_eq!(order(3, 7, None), [1, 2, 0]);
    assert_eq!(order(3, 0, Some(2)), [2, 0, 1]);
    assert_eq!(order(1, 5, Some(0)), [0]);
    assert_eq!(order(3, usize::MAX, None).len(), 3);
}

#[test]
fn a_leader_that_becomes_known_within_a_round_is_next() {
    let mut round = Round::new(5, 0);
    assert_eq!(round.next(None), Some(0));
    assert_eq!(round.next(Some(3)), Some(3));
    assert_eq!(round.next(Some(3)), Some(1));
    assert_eq!(round.next(Some(0)), Some(2));
    assert_eq!(round.next(Some(0)), Some(4));
    assert_eq!(round.next(Some(0)), None);
}

#[test]
fn a_generation_is_never_left_for_an_older_one() {
    let heard = |known: &mut Known, cluster: &str, generation| {
        known.heard(Known { cluster_id: cluster.to_owned(), generation })
    };
    let mut known = Known::default();
    assert!(heard(&mut known, "", 0), "not bootstrapped yet");
    assert!(heard(&mut known, "a", 3));
    assert!(heard(&mut known, "a", 3));
    assert!(!heard(&mut known, "a", 2), "an old main");
    assert!(!heard(&mut known, "b", 9), "another cluster, whatever its generation");
    assert!(heard(&mut known, "a", 4), "failed over");
    assert!(!heard(&mut known, "a", 3));
    assert_eq!(known, Known { cluster_id: "a".to_owned(), generation: 4 });
}

#[test]
fn a_status_says_whether_the_call_may_be_tried_again() {
    let ours = |reason| status::of(&Refusal::new(reason), Lang::En);
    let leaderless =
        |leader: Option<&str>| Outcome::Leaderless { leader: leader.map(str::to_owned) };
    let mut unreached = Status::unavailable("connect");
    let dial = DialError::Unreachable { address: "a:1".to_owned(), detail: "refused".to_owned() };
    unreached.set_source(Arc::new(dial));
    let with_leader = status::of(&Refusal::new(Reason::NotLeader).fact("leader", "2"), Lang::En);
    for (status, expected) in [
        (ours(Reason::NoLeader), leaderless(None)),
        (with_leader, leaderless(Some("2"))),
        (ours(Reason::Draining), leaderless(None)),
        (ours(Reason::OutcomeUnknown), Outcome::InDoubt),
        (ours(Reason::TimedOut), Outcome::InDoubt),
        (ours(Reason::GenerationForeign), Outcome::Foreign),
        (ours(Reason::EnvelopeRefused), Outcome::Unfit),
        (ours(Reason::NotFound), Outcome::Answer),
        (ours(Reason::EtagMismatch), Outcome::Answer),
        (ours(Reason::Overloaded), Outcome::Answer),
        (ours(Reason::Internal), Outcome::Answer),
        (unreached, Outcome::Unreached),
        (Status::new(Code::Unknown, "h2 protocol error"), Outcome::InDoubt),
        (Status::unavailable("broken pipe"), Outcome::InDoubt),
        (Status::cancelled("Timeout expired"), Outcome::InDoubt),
        (Status::unimplemented("an older node"), Outcome::Unfit),
    ] {
        assert_eq!(outcome::of(&status), expected, "{status:?}");
    }
}
