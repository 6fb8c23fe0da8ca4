//! Streams: many messages one way or the other.

use std::time::Duration;

use bytes::Bytes;
use catalog_model::{reason::Reason, refusal::Refusal};
use gateway::Gateway;
use luqiao_proto::catalog::v1::{
    ImportEntriesRequest, ImportEntriesResponse, ImportResult, WatchEntriesRequest,
    WatchEntriesResponse, catalog_service_client::CatalogServiceClient,
};
use luqiao_transport::status::Problem;
use prost::Message as _;
use tokio::time::timeout;
use tonic::Code;

use crate::{
    node::{FakeNode, Reply},
    pki::Domain,
};

fn batch(request_id: &str) -> ImportEntriesRequest {
    let (parent, request_id) = ("domains/xiamen".to_owned(), request_id.to_owned());
    ImportEntriesRequest { parent, request_id, entries: Vec::new() }
}

/// A node that names the batch in its answer, and takes none called "bad".
fn importing(node: &FakeNode) {
    node.behave(|envelope| {
        let batch = ImportEntriesRequest::decode(envelope.call.clone()).unwrap();
        if batch.request_id == "bad" {
            return Reply::Refuse(Refusal::new(Reason::TooManyItems));
        }
        let result = ImportResult { name: batch.request_id, ..Default::default() };
        let answer = ImportEntriesResponse { results: vec![result] };
        Reply::Answer(answer.encode_to_vec().into())
    });
}

#[tokio::test]
async fn every_batch_of_an_import_is_a_call_and_answered_in_order() {
    let domain = Domain::new("xiamen");
    let node = FakeNode::start(&domain, "1").await;
    importing(&node);
    let gateway = Gateway::start(domain.config(&[&node])).await.unwrap();
    let mut client = CatalogServiceClient::new(domain.system(gateway.addr()).await);

    let batches: Vec<_> = ["a", "b", "c"].into_iter().map(batch).collect();
    let mut answers =
        client.import_entries(tokio_stream::iter(batches)).await.unwrap().into_inner();
    let mut names = Vec::new();
    while let Some(answer) = answers.message().await.unwrap() {
        names.extend(answer.results.into_iter().map(|result| result.name));
    }
    assert_eq!(names, ["a", "b", "c"]);
    assert_eq!(node.memory.asked("ImportEntries"), 3);
}

#[tokio::test]
async fn a_refused_batch_ends_the_import_and_those_before_it_stand() {
    let domain = Domain::new("xiamen");
    let node = FakeNode::start(&domain, "1").await;
    importing(&node);
    let gateway = Gateway::start(domain.config(&[&node])).await.unwrap();
    let mut client = CatalogServiceClient::new(domain.system(gateway.addr()).await);
    for (third, expected) in [("bad", Reason::TooManyItems), ("", Reason::RequestIdMissing)] {
        let batches: Vec<_> = ["a", "b", third, "d"].into_iter().map(batch).collect();
        let mut answers =
            client.import_entries(tokio_stream::iter(batches)).await.unwrap().into_inner();
        answers.message().await.unwrap().unwrap();
        answers.message().await.unwrap().unwrap();
        let problem = Problem::from_status(&answers.message().await.unwrap_err());
        assert_eq!(problem.reason, Some(expected));
    }
    let taken = node.memory.look(|rows| rows.asked.len());
    assert_eq!(taken, 5, "a, b, bad; a, b");
}

#[tokio::test]
async fn a_watcher_is_told_when_the_gateway_ends() {
    let domain = Domain::new("xiamen");
    let node = FakeNode::start(&domain, "1").await;
    let change = WatchEntriesResponse { index: 7, ..Default::default() };
    let bytes: Bytes = change.encode_to_vec().into();
    node.behave(move |_| Reply::Answer(bytes.clone()));
    let gateway = Gateway::start(domain.config(&[&node])).await.unwrap();
    let mut client = CatalogServiceClient::new(domain.system(gateway.addr()).await);

    let question = WatchEntriesRequest { parent: "domains/xiamen".to_owned(), after_index: 6 };
    let mut watch = client.watch_entries(question).await.unwrap().into_inner();
    assert_eq!(watch.message().await.unwrap(), Some(change));

    let (report, told) = tokio::join!(
        timeout(Duration::from_secs(30), gateway.shutdown()),
        timeout(Duration::from_secs(30), watch.message())
    );
    let problem = Problem::from_status(&told.unwrap().unwrap_err());
    assert_eq!((problem.code, problem.reason), (Code::Unavailable, Some(Reason::Draining)));
    assert_eq!(report.unwrap().cut, 0, "nobody had to be dropped");
    node.memory.until("the node's stream ended", |rows| rows.streams == 0).await;
}

#[tokio::test]
async fn a_stream_of_a_vanished_node_ends_with_come_again() {
    let domain = Domain::new("xiamen");
    let node = FakeNode::start(&domain, "1").await;
    let gateway = Gateway::start(domain.config(&[&node])).await.unwrap();
    let mut client = CatalogServiceClient::new(domain.system(gateway.addr()).await);
    let question = WatchEntriesRequest { parent: "domains/xiamen".to_owned(), after_index: 0 };
    let mut watch = client.watch_entries(question).await.unwrap().into_inner();
    watch.message().await.unwrap().unwrap();
    node.vanish().await;
    let problem = Problem::from_status(&watch.message().await.unwrap_err());
    assert_eq!((problem.code, problem.reason), (Code::Unavailable, Some(Reason::NoLeader)));
}
