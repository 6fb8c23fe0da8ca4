use catalog_model::{reason::Reason, refusal::Refusal};
use luqiao_transport::status;
use tonic::{Code, Status};

use super::*;

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
        (ours(Reason::NodeQuarantined), Outcome::Unsound),
        (ours(Reason::OutcomeUnknown), Outcome::InDoubt),
        (ours(Reason::TimedOut), Outcome::InDoubt),
        (ours(Reason::GenerationForeign), Outcome::Foreign),
        (ours(Reason::Fenced), Outcome::Past),
        (ours(Reason::NodeInvalidated), Outcome::Past),
        (ours(Reason::EpochPast), Outcome::Outdated),
        (ours(Reason::GenerationNotOpen), leaderless(None)),
        (ours(Reason::EnvelopeRefused), Outcome::Unfit),
        (ours(Reason::NotFound), Outcome::Answer),
        (ours(Reason::EtagMismatch), Outcome::Answer),
        (ours(Reason::Overloaded), Outcome::Answer),
        (ours(Reason::DiskNearlyFull), Outcome::Answer),
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
