//! Three nodes: nothing acknowledged is lost, whoever leads, and reads see what was acknowledged.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use catalog_model::reason::Reason;
use catalog_node::{CatalogNode, RunningNode};
use catalog_state::machine::state_hash;
use luqiao_proto::node::v1::{GetRequest, PutRequest, PutStreamRequest, RangeRequest};
use luqiao_transport::status::Problem;
use tokio::{
    task::{JoinHandle, JoinSet},
    time::timeout,
};
use tonic::{Code, Request};

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

/// Writes one after the other at one node, until one is refused; why.
async fn write_until_refused(
    gateway: Gateway,
    node: u64,
    writer: u8,
    told: Arc<AtomicU64>,
) -> Reason {
    for number in 0u64.. {
        let key = [&[writer], &number.to_be_bytes()[..]].concat();
        let put = PutRequest { key: key.into(), ..Default::default() };
        match gateway.probes(node).put(put).await {
            Ok(_) => told.fetch_add(1, Ordering::AcqRel),
            Err(status) => return Problem::from_status(&status).reason.expect("a reason of ours"),
        };
    }
    unreachable!("there are more numbers than seconds")
}

/// The same in one stream, with many under way.
async fn stream_until_refused(gateway: Gateway, node: u64, told: Arc<AtomicU64>) -> Reason {
    let puts = (0u64..).map(|number| PutStreamRequest {
        key: number.to_be_bytes().to_vec().into(),
        value: Vec::new().into(),
    });
    let answers = gateway.probes(node).put_stream(tokio_stream::iter(puts)).await;
    let mut answers = answers.expect("it leads").into_inner();
    loop {
        match answers.message().await {
            Ok(Some(_)) => told.fetch_add(1, Ordering::AcqRel),
            Ok(None) => panic!("the stream ended without a word"),
            Err(status) => return Problem::from_status(&status).reason.expect("a reason of ours"),
        };
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_waits_for_a_leader_that_lost_its_majority() {
    const WRITERS: u8 = 8;
    let mut cluster = Cluster::start(3, SPEC).await;
    let leader = cluster.leader().await;
    let gateway = cluster.gateway();
    let told = Arc::new(AtomicU64::new(0));
    let mut callers = JoinSet::new();
    for writer in 0..WRITERS {
        callers.spawn(write_until_refused(gateway.clone(), leader, writer, Arc::clone(&told)));
    }
    callers.spawn(stream_until_refused(gateway.clone(), leader, Arc::clone(&told)));
    let begun = async {
        while told.load(Ordering::Acquire) < 100 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, begun).await.expect("it takes writes");

    // Both at once: whatever is under way then, nobody will ever commit it here.
    let others: Vec<u64> = cluster.nodes.keys().copied().filter(|id| *id != leader).collect();
    let others: Vec<RunningNode> =
        others.iter().map(|id| cluster.nodes.remove(id).unwrap()).collect();
    for other in others {
        other.kill().await;
    }
    let mut heard = Vec::new();
    while let Some(reason) =
        timeout(PATIENCE, callers.join_next()).await.expect("everybody is told")
    {
        heard.push(reason.unwrap());
    }
    let ends = [Reason::OutcomeUnknown, Reason::NotLeader, Reason::NoLeader];
    assert!(heard.iter().all(|reason| ends.contains(reason)), "{heard:?}");
    assert!(heard.contains(&Reason::OutcomeUnknown), "nothing was under way: {heard:?}");

    // And whoever comes now is told at once or at their own deadline.
    let handle = cluster.nodes[&leader].handle();
    for millis in [1, 20, 60_000] {
        let mut put =
            Request::new(PutRequest { key: b"late".to_vec().into(), ..Default::default() });
        put.set_timeout(Duration::from_millis(millis));
        let refused = timeout(PATIENCE, gateway.probes(leader).put(put)).await;
        let refused = refused.expect("it ends").unwrap_err();
        let reason = Problem::from_status(&refused).reason;
        // The client's own clock may run out before our answer comes.
        let ours = reason.is_some_and(|reason| {
            [Reason::TimedOut, Reason::NotLeader, Reason::NoLeader].contains(&reason)
        });
        assert!(ours || refused.code() == Code::Cancelled, "{refused:?}");
    }
    let transfer = timeout(PATIENCE, handle.transfer_leader(None)).await.expect("it ends");
    assert!(transfer.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_held_for_a_handover_to_a_dead_node_go_on() {
    let mut cluster = Cluster::start(3, SPEC).await;
    let leader = cluster.leader().await;
    let gateway = cluster.gateway();
    let handle = cluster.nodes[&leader].handle();
    let target = cluster.nodes.keys().copied().find(|id| *id != leader).unwrap();
    let writer = Writer::start(gateway.clone());
    writer.written(20).await;
    // Asked and found fit, then gone before it can take over.
    let (transferring, dying) = {
        let handle = handle.clone();
        let node = cluster.nodes.remove(&target).unwrap();
        (async move { handle.transfer_leader(Some(target)).await }, node.kill())
    };
    let (transferred, ()) =
        timeout(PATIENCE, async { tokio::join!(transferring, dying) }).await.expect("both end");
    // Whichever was first: it has an end, and writing goes on.
    if let Err(refusal) = &transferred {
        let ends = [Reason::TransferRefused, Reason::NotLeader, Reason::NoLeader];
        assert!(ends.contains(&refusal.reason), "{refusal:?}");
    }
    writer.written(40).await;
    let total = writer.stop().await;
    cluster.run(target).await.unwrap();
    assert_eq!(keys(&gateway, &[1, 2, 3]).await.len() as u64, total);
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

    // It is told, by those whom it calls or by those who call it, and runs on without a voice.
    let wiped = cluster.nodes[&lost].handle();
    let told = async {
        while wiped.alarms().list().iter().all(|alarm| alarm.name != "store-foreign") {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, told).await.expect("it is told that its disk is another");
    assert_eq!(wiped.read().await.unwrap_err().reason, Reason::NodeQuarantined);
    let term = wiped.status().replica.term;

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
    let status = wiped.status();
    assert!(status.running, "it ended");
    assert_eq!((status.replica.term, status.replica.leader), (term, None), "it heard something");
}
