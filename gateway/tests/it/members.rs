//! Members that come and go: which nodes a gateway asks, and that it outlives all it began with.

use std::{collections::BTreeSet, time::Duration};

use bytes::Bytes;
use catalog_model::{reason::Reason, refusal::Refusal};
use gateway::{Gateway, RunningGateway};
use luqiao_transport::status::Problem;
use tonic::{Code, transport::Channel};

use crate::{
    carry::{GET, SUBMIT, call, get, submit},
    node::{FakeNode, Reply},
    pki::Domain,
};

/// Between two looks of a gateway at its nodes.
const LOOKS: Duration = Duration::from_millis(200);

/// A gateway that was told of `nodes`, and looks at them often.
pub(crate) async fn before(domain: &Domain, nodes: &[&FakeNode]) -> RunningGateway {
    let mut config = domain.config(nodes);
    config.timeouts.probe_interval = LOOKS;
    Gateway::start(config).await.unwrap()
}

/// Which of `nodes` answer, when the same is asked for as often as it takes to meet each.
async fn met(
    system: &Channel,
    nodes: &[&FakeNode],
    method: &'static str,
) -> BTreeSet<&'static str> {
    let part = method.rsplit('/').next().unwrap();
    let before: Vec<usize> = nodes.iter().map(|node| node.memory.asked(part)).collect();
    for number in 0..2 * nodes.len() {
        let message = if method == GET { get() } else { submit(&number.to_string()) };
        call(system, method, message).await.unwrap();
    }
    let asked = nodes.iter().zip(before).filter(|(node, before)| node.memory.asked(part) > *before);
    asked.map(|(node, _)| node.id).collect()
}

/// Asks until exactly `expected` of `nodes` are asked.
pub(crate) async fn until_met(
    system: &Channel,
    nodes: &[&FakeNode],
    method: &'static str,
    expected: &[&str],
) {
    let expected: BTreeSet<&str> = expected.iter().copied().collect();
    let asking = async {
        while met(system, nodes, method).await != expected {
            // What has not been heard by now is heard at a later look; asking faster would only
            // use up what a caller may ask for.
            tokio::time::sleep(LOOKS / 4).await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(30), asking).await;
    assert!(in_time.is_ok(), "never exactly these for {method}: {expected:?}");
}

#[tokio::test]
async fn what_only_looks_goes_round_and_what_changes_goes_to_the_leader() {
    let domain = Domain::new("xiamen");
    let [one, two, three] = [
        FakeNode::start(&domain, "1").await,
        FakeNode::start(&domain, "2").await,
        FakeNode::start(&domain, "3").await,
    ];
    let nodes = [&one, &two, &three];
    for node in nodes {
        node.tell(1, "2", &nodes.map(|node| (node, "voter")));
    }
    let gateway = before(&domain, &nodes).await;
    let system = domain.system(gateway.addr()).await;
    until_met(&system, &nodes, SUBMIT, &["2"]).await;
    until_met(&system, &nodes, GET, &["1", "2", "3"]).await;
    // An answer to a look says nothing about who leads.
    until_met(&system, &nodes, SUBMIT, &["2"]).await;
}

#[tokio::test]
async fn a_gateway_outlives_every_node_that_it_was_told_of() {
    let domain = Domain::new("xiamen");
    let old = [
        FakeNode::start(&domain, "1").await,
        FakeNode::start(&domain, "2").await,
        FakeNode::start(&domain, "3").await,
    ];
    let new = [
        FakeNode::start(&domain, "4").await,
        FakeNode::start(&domain, "5").await,
        FakeNode::start(&domain, "6").await,
    ];
    let all: Vec<&FakeNode> = old.iter().chain(&new).collect();
    let gateway = before(&domain, &old.each_ref()).await;
    let system = domain.system(gateway.addr()).await;
    until_met(&system, &all, GET, &["1", "2", "3"]).await;

    // Two learners come, which are not asked; then they vote.
    let tell = |applied, leader: &str, rows: &[(usize, &str)]| {
        let members: Vec<_> = rows.iter().map(|(at, role)| (all[*at], *role)).collect();
        for (node, _) in &members {
            node.tell(applied, leader, &members);
        }
    };
    let (v, l) = ("voter", "learner");
    tell(10, "1", &[(0, v), (1, v), (2, v), (3, l), (4, l)]);
    old[0].heard().await;
    assert_eq!(met(&system, &all, GET).await, BTreeSet::from(["1", "2", "3"]));
    tell(20, "1", &[(0, v), (1, v), (2, v), (3, v), (4, v)]);
    until_met(&system, &all, GET, &["1", "2", "3", "4", "5"]).await;

    // All of the first go, and a third comes. Who was let go still says what it last knew.
    tell(30, "4", &[(3, v), (4, v), (5, v)]);
    until_met(&system, &all, GET, &["4", "5", "6"]).await;
    for node in &old {
        node.vanish().await;
    }
    until_met(&system, &all, GET, &["4", "5", "6"]).await;
    until_met(&system, &all, SUBMIT, &["4"]).await;
}

#[tokio::test]
async fn a_member_is_asked_only_if_it_shows_its_own_certificate() {
    let domain = Domain::new("xiamen");
    let other = Domain::new("siming");
    let one = FakeNode::start(&domain, "1").await;
    let impostor = FakeNode::start(&other, "2").await;
    one.tell(5, "1", &[(&one, "voter"), (&impostor, "voter")]);
    let gateway = before(&domain, &[&one]).await;
    let system = domain.system(gateway.addr()).await;
    one.heard().await;
    for number in 0..5 {
        call(&system, GET, get()).await.unwrap();
        call(&system, SUBMIT, submit(&number.to_string())).await.unwrap();
    }
    let (asked, looks) = impostor.memory.look(|rows| (rows.asked.len(), rows.looks));
    assert_eq!((asked, looks), (0, 0), "a node of another domain learns nothing");
}

#[tokio::test]
async fn a_node_whose_state_is_in_doubt_is_passed_over() {
    let domain = Domain::new("xiamen");
    let (sick, well) = (FakeNode::start(&domain, "1").await, FakeNode::start(&domain, "2").await);
    let gateway = before(&domain, &[&sick, &well]).await;
    let system = domain.system(gateway.addr()).await;
    sick.behave(|_| Reply::Refuse(Refusal::new(Reason::NodeQuarantined)));
    for number in 0..4 {
        call(&system, GET, get()).await.unwrap();
        call(&system, SUBMIT, submit(&number.to_string())).await.unwrap();
    }
    // Once it says so itself, it is not even tried.
    sick.memory.change(|rows| rows.status.standing = "quarantined".to_owned());
    until_met(&system, &[&sick, &well], GET, &["2"]).await;

    // With nobody else there, callers are told to come again.
    well.vanish().await;
    let mut request = tonic::Request::new(get());
    request.set_timeout(Duration::from_millis(500));
    let problem =
        Problem::from_status(&crate::carry::send(&system, GET, request).await.unwrap_err());
    assert_eq!(problem.code, Code::Unavailable);
    assert_eq!(problem.reason, Some(Reason::UpstreamUnreachable));
    assert!(problem.retry_delay.is_some());

    // When it is well again, it is asked again.
    sick.behave(|_| Reply::Answer(Bytes::new()));
    sick.memory.change(|rows| rows.status.standing = "voter".to_owned());
    until_met(&system, &[&sick], GET, &["1"]).await;
}

#[tokio::test]
async fn a_full_disk_is_told_to_the_caller_with_when_to_come_back() {
    let domain = Domain::new("xiamen");
    let node = FakeNode::start(&domain, "1").await;
    let gateway = before(&domain, &[&node]).await;
    let system = domain.system(gateway.addr()).await;
    node.behave(|_| Reply::Refuse(Refusal::new(Reason::DiskNearlyFull).retry_after(30_000)));
    let told = Problem::from_status(&call(&system, SUBMIT, submit("a")).await.unwrap_err());
    assert_eq!((told.code, told.reason), (Code::ResourceExhausted, Some(Reason::DiskNearlyFull)));
    assert_eq!(told.retry_delay, Some(Duration::from_secs(30)));
    assert_eq!(node.memory.asked("SubmitEntry"), 1, "asking again would not make room");
}
