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
use tokio::time::timeout;

use crate::bench::{Cluster, Gateway, SPEC};

/// Bounds a test that would otherwise hang; nothing is measured by it.
const PATIENCE: Duration = Duration::from_mins(1);

/// Puts through whichever node takes it.
async fn put(gateway: &Gateway, nodes: &[u64], key: &[u8]) -> u64 {
    loop {
        for node in nodes {
            let put = PutRequest { key: key.to_vec().into(), value: key.to_vec().into() };
            if let Ok(done) = gateway.probes(*node).put(put).await {
                return done.into_inner().index;
            }
        }
        tokio::task::yield_now().await;
    }
}

async fn keys(gateway: &Gateway, nodes: &[u64]) -> Vec<Vec<u8>> {
    loop {
        for node in nodes {
            if let Ok(rows) = gateway.probes(*node).range(RangeRequest::default()).await {
                return rows.into_inner().rows.into_iter().map(|row| row.key.to_vec()).collect();
            }
        }
        tokio::task::yield_now().await;
    }
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
    let ended = Arc::new(AtomicBool::new(false));
    let acknowledged = Arc::new(AtomicU64::new(0));
    let writer = {
        let (gateway, ended, acknowledged) =
            (gateway.clone(), Arc::clone(&ended), Arc::clone(&acknowledged));
        // Waiting for the handle below is what the ban on spawning asks for.
        #[expect(clippy::disallowed_methods, reason = "joined below")]
        tokio::spawn(async move {
            let mut number = 0u64;
            while !ended.load(Ordering::Acquire) {
                put(&gateway, &[1, 2, 3], &number.to_be_bytes()).await;
                number += 1;
                acknowledged.store(number, Ordering::Release);
            }
            number
        })
    };
    let written = async |more: u64| {
        let wanted = acknowledged.load(Ordering::Acquire) + more;
        while acknowledged.load(Ordering::Acquire) < wanted {
            tokio::task::yield_now().await;
        }
    };
    for _ in 0..3 {
        written(20).await;
        let leader = cluster.leader().await;
        let before = acknowledged.load(Ordering::Acquire);
        cluster.kill(leader).await;
        timeout(PATIENCE, written(20)).await.expect("the others go on");
        let others: Vec<u64> = cluster.nodes.keys().copied().collect();
        let found = keys(&gateway, &others).await;
        assert!(found.len() as u64 >= before, "{} of {before}", found.len());
        cluster.run(leader).await.unwrap();
    }
    ended.store(true, Ordering::Release);
    let total = writer.await.unwrap();
    let expected: Vec<Vec<u8>> = (0..total).map(|number| number.to_be_bytes().to_vec()).collect();
    assert_eq!(keys(&gateway, &[1, 2, 3]).await, expected);

    // Every copy is the same, once each has applied the same entries.
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
