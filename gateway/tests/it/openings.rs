//! Two sites after a failover: whom a gateway follows that knows nodes of both.

use std::time::Duration;

use bytes::Bytes;
use catalog_model::{reason::Reason, refusal::Refusal};
use gateway::Gateway;
use luqiao_proto::operations::v1::{GetStatusRequest, GetStatusResponse};
use luqiao_transport::status::Problem;
use prost::Message as _;
use tokio::time::timeout;
use tonic::Request;

use crate::{
    carry::{GET, SUBMIT, call, get, send, submit},
    members::{before, until_met},
    node::{FakeNode, Reply},
    pki::Domain,
};

const STATUS: &str = "/luqiao.operations.v1.OperationsService/GetStatus";

/// What a caller with little time is told.
async fn refused(
    system: &tonic::transport::Channel,
    method: &'static str,
    message: Bytes,
) -> Problem {
    let mut request = Request::new(message);
    request.set_timeout(Duration::from_millis(700));
    Problem::from_status(&send(system, method, request).await.unwrap_err())
}

#[tokio::test]
async fn a_gateway_that_has_seen_the_greater_pair_never_goes_back() {
    let domain = Domain::new("xiamen");
    let (old, new) = (FakeNode::start(&domain, "1").await, FakeNode::start(&domain, "2").await);
    for node in [&old, &new] {
        node.belong((3, 3), (3, 3));
    }
    let gateway = before(&domain, &[&old, &new]).await;
    let system = domain.system(gateway.addr()).await;
    until_met(&system, &[&old, &new], GET, &["1", "2"]).await;

    // The standby was promoted; the old main is cut off from it and says what it always said.
    new.belong((4, 4), (4, 4));
    until_met(&system, &[&old, &new], GET, &["2"]).await;
    until_met(&system, &[&old, &new], SUBMIT, &["2"]).await;
    let said = new.memory.look(|rows| rows.asked.last().cloned()).unwrap();
    assert_eq!((said.generation, said.epoch), (4, 4));

    // Even if nobody else is there.
    let asked = old.memory.look(|rows| rows.asked.len());
    new.vanish().await;
    for (method, message) in [(GET, get()), (SUBMIT, submit("alone"))] {
        let told = refused(&system, method, message).await;
        assert!(
            matches!(told.reason, Some(Reason::UpstreamUnreachable | Reason::OutcomeUnknown)),
            "{told:?}"
        );
    }
    assert_eq!(old.memory.look(|rows| rows.asked.len()), asked, "it was not asked");

    // But how it stands is asked, for people who want to know.
    let status = GetStatusRequest { name: "domains/xiamen".to_owned() };
    old.behave(|_| Reply::Answer(GetStatusResponse::default().encode_to_vec().into()));
    call(&system, STATUS, status.encode_to_vec().into()).await.unwrap();
    assert_eq!(old.memory.asked("GetStatus"), 1);

    // Wiped, and a member of the new generation, it is asked again.
    old.belong((4, 4), (4, 4));
    until_met(&system, &[&old], GET, &["1"]).await;
}

#[tokio::test]
async fn what_a_fenced_node_heard_counts_and_the_node_does_not() {
    let domain = Domain::new("xiamen");
    let (fenced, well) = (FakeNode::start(&domain, "1").await, FakeNode::start(&domain, "2").await);
    fenced.behave(|_| Reply::Refuse(Refusal::new(Reason::Fenced).fact("pair", "4.4")));
    let gateway = before(&domain, &[&fenced, &well]).await;
    let system = domain.system(gateway.addr()).await;
    for number in 0..4 {
        call(&system, SUBMIT, submit(&number.to_string())).await.unwrap();
    }
    fenced.belong((3, 3), (4, 4));
    fenced.heard().await;
    // Nobody belongs to what was heard: the one that answers is of the past, too.
    well.belong((3, 3), (3, 3));
    well.heard().await;
    assert_eq!(refused(&system, GET, get()).await.reason, Some(Reason::UpstreamUnreachable));
    well.belong((4, 4), (4, 4));
    until_met(&system, &[&fenced, &well], GET, &["2"]).await;
}

#[tokio::test]
async fn nothing_is_served_before_a_node_has_answered() {
    let domain = Domain::new("xiamen");
    let gone = FakeNode::start(&domain, "1").await;
    gone.vanish().await;
    let mut config = domain.config(&[&gone]);
    config.timeouts.probe_interval = Duration::from_millis(200);
    let gateway = Gateway::start(config).await.unwrap();
    let system = domain.system(gateway.addr()).await;
    let told = timeout(Duration::from_secs(30), refused(&system, GET, get())).await.unwrap();
    assert_eq!(told.reason, Some(Reason::UpstreamUnreachable), "{told:?}");
    assert!(gone.memory.look(|rows| rows.asked.is_empty()));
}
