//! Three nodes: nothing acknowledged is lost, whoever leads, and reads see what was acknowledged.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use catalog_node::CatalogNode;
use catalog_state::machine::state_hash;
use luqiao_proto::node::v1::{GetRequest, PutRequest, RangeRequest};
use tokio::{task::JoinHandle, time::timeout};

use crate::bench::{Cluster, Gateway, SPEC};

/// Bounds a test that would otherwise hang; nothing is measured by it.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// Puts through whichever node takes it.
pub(crate) async fn put(gateway: &Gateway, nodes: &[u64], key: &[u8]) -> u64 {
    loop {
        for node in nodes {
            let (key, value) = (key.to_vec().into(), key.to_vec().into());
            let put = PutRequest { key, value, ..Default::default() };
            if let Ok(done) = gateway.probes(*node).put(put).await {
                return done.into_inner().index;
            }
        }
        tokio::task::yield_now().await;
    }
}

pub(crate) async fn keys(gateway: &Gateway, nodes: &[u64]) -> Vec<Vec<u8>> {
    loop {
        for node in nodes {
            if let Ok(rows) = gateway.probes(*node).range(RangeRequest::default()).await {
                return rows.into_inner().rows.into_iter().map(|row| row.key.to_vec()).collect();
            }
        }
        tokio::task::yield_now().await;
    }
}

/// Writes numbers, one after the other, through whichever node takes them, until it is stopped.
pub(crate) struct Writer {
    ended: Arc<AtomicBool>,
    pub(crate) acknowledged: Arc<AtomicU64>,
    task: JoinHandle<u64>,
}

impl Writer {
    pub(crate) fn start(gateway: Gateway) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let acknowledged = Arc::new(AtomicU64::new(0));
        let (until, told) = (Arc::clone(&ended), Arc::clone(&acknowledged));
        // Waiting for the handle in `stop` is what the ban on spawning asks for.
        #[expect(clippy::disallowed_methods, reason = "joined by `stop`")]
        let task = tokio::spawn(async move {
            let nodes = gateway.node_ids();
            let mut number = 0u64;
            while !until.load(Ordering::Acquire) {
                put(&gateway, &nodes, &number.to_be_bytes()).await;
                number += 1;
                told.store(number, Ordering::Release);
            }
            number
        });
        Self { ended, acknowledged, task }
    }

    /// Waits until `more` writes were acknowledged.
    pub(crate) async fn written(&self, more: u64) {
        let wanted = self.acknowledged.load(Ordering::Acquire) + more;
        let written = async {
            while self.acknowledged.load(Ordering::Acquire) < wanted {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, written).await.expect("somebody takes writes");
    }

    /// Ends it, and returns how many were acknowledged.
    pub(crate) async fn stop(self) -> u64 {
        self.ended.store(true, Ordering::Release);
        self.task.await.unwrap()
    }
}

/// Every copy is the same, once each has applied the same entries.
pub(crate) async fn same_state(cluster: &Cluster) {
    let leader = cluster.leader().await;
    let index = cluster.nodes[&leader].handle().read().await.unwrap();
    let mut hashes = Vec::new();
    for node in cluster.nodes.values() {
        let handle = node.handle();
        timeout(PATIENCE, handle.wait_applied(index)).await.unwrap().unwrap();
        hashes.push(handle.view(|state| (state.applied(), state_hash(state))));
    }
    assert!(hashes.windows(2).all(|pair| pair[0] == pair[1]), "{hashes:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_node_keeps_what_it_acknowledged() {
    let mut cluster = Cluster::start(1, SPEC).await;
    let gateway = cluster.gateway();
    for number in 0..20u8 {
        put(&gateway, &[1], &[number]).await;
    }
    cluster.kill(1).await;
    cluster.run(1).await.unwrap();
    assert_eq!(cluster.leader().await, 1);
    assert_eq!(keys(&gateway, &[1]).await, (0..20u8).map(|key| vec![key]).collect::<Vec<_>>());
    cluster.nodes.remove(&1).unwrap().stop().await;
    cluster.run(1).await.unwrap();
    cluster.leader().await;
    assert_eq!(keys(&gateway, &[1]).await.len(), 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_when_each_leader_is_killed() {
    let mut cluster = Cluster::start(3, SPEC).await;
    let gateway = cluster.gateway();
    let writer = Writer::start(gateway.clone());
    for _ in 0..3 {
        writer.written(20).await;
        let leader = cluster.leader().await;
        let before = writer.acknowledged.load(Ordering::Acquire);
        cluster.kill(leader).await;
        writer.written(20).await;
        let others: Vec<u64> = cluster.nodes.keys().copied().collect();
        let found = keys(&gateway, &others).await;
        assert!(found.len() as u64 >= before, "{} of {before}", found.len());
        cluster.run(leader).await.unwrap();
    }
    let total = writer.stop().await;
    let expected: Vec<Vec<u8>> = (0..total).map(|number| number.to_be_bytes().to_vec()).collect();
    assert_eq!(keys(&gateway, &[1, 2, 3]).await, expected);
    same_state(&cluster).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leadership_is_handed_over_at_a_stop() {
    let mut cluster = Cluster::start(3, SPEC).await;
    let gateway = cluster.gateway();
    let leader = cluster.leader().await;
    put(&gateway, &[leader], b"a").await;
    cluster.nodes.remove(&leader).unwrap().stop().await;
    let next = timeout(PATIENCE, cluster.leader()).await.unwrap();
    assert_ne!(next, leader);
    let get = GetRequest { key: b"a".to_vec().into() };
    assert!(gateway.probes(next).get(get).await.unwrap().into_inner().found);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_isolated_leader_answers_no_reads() {
    let mut cluster = Cluster::start(3, SPEC).await;
    let leader = cluster.leader().await;
    let handle = cluster.nodes[&leader].handle();
    let others: Vec<u64> = cluster.nodes.keys().copied().filter(|id| *id != leader).collect();
    for other in others {
        cluster.kill(other).await;
    }
    let read = timeout(PATIENCE, handle.read()).await.expect("it steps down");
    assert!(read.is_err(), "nobody confirmed that it still leads");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_lost_its_disk_is_refused_by_its_peers() {
    let mut cluster = Cluster::start(3, SPEC).await;
    let gateway = cluster.gateway();
    let leader = cluster.leader().await;
    let lost = cluster.nodes.keys().copied().find(|id| *id != leader).unwrap();
    put(&gateway, &[leader], b"a").await;
    // Both others have met its store by now: it has acknowledged entries.
    let index = cluster.nodes[&leader].handle().read().await.unwrap();
    cluster.nodes[&lost].handle().wait_applied(index).await.unwrap();
    cluster.kill(lost).await;
    std::fs::remove_dir_all(cluster.path(&format!("data-{lost}"))).unwrap();
    cluster.nodes.insert(lost, CatalogNode::start(cluster.config(lost)).await.unwrap());

    put(&gateway, &[leader], b"b").await;
    let status = cluster.nodes[&leader].handle().status();
    let matched = status.replica.matched.iter().find(|(id, _)| *id == lost).unwrap().1;
    assert!(matched <= index, "nothing it says counts: {matched} ≤ {index}");
    // Alone with one sound peer the cluster still works; with the wiped one only, it must not.
    let sound = cluster.nodes.keys().copied().find(|id| *id != leader && *id != lost).unwrap();
    cluster.kill(sound).await;
    let handle = cluster.nodes[&leader].handle();
    let read = timeout(PATIENCE, handle.read()).await.expect("it steps down");
    assert!(read.is_err(), "the wiped node is no part of a quorum");
}
