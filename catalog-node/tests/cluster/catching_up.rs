//! Does a node that was away take in much of the log without disturbing the others?

use catalog_node::config::Compaction;
use luqiao_proto::node::v1::PutRequest;
use tokio::{task::JoinSet, time::timeout};

use crate::{
    bench::{Cluster, Gateway, SPEC},
    failover::{PATIENCE, same_state},
};

const PEER_UNREACHABLE: &str = "peer-unreachable";

/// Values that together are more than one message between nodes may hold.
const VALUES: u32 = 640;
const VALUE_BYTES: usize = 64 << 10;

async fn write(gateway: &Gateway, leader: u64) {
    let mut writers = JoinSet::new();
    for writer in 0..16 {
        let gateway = gateway.clone();
        writers.spawn(async move {
            for number in (writer..VALUES).step_by(16) {
                let value = vec![7; VALUE_BYTES].into();
                let key = number.to_be_bytes().to_vec().into();
                let put = PutRequest { key, value, ..Default::default() };
                gateway.probes(leader).put(put).await.unwrap();
            }
        });
    }
    while let Some(written) = writers.join_next().await {
        written.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn much_of_the_log_at_once() {
    let mut cluster = Cluster::prepare(3);
    // Nothing of the log goes: it is the log that is sent, not a snapshot.
    cluster.compaction = Compaction { keep_entries: 1_000_000, keep_mib: 1024 };
    cluster.begin(SPEC).await;
    let gateway = cluster.gateway();
    let leader = cluster.leader().await;
    let away = cluster.nodes.keys().copied().find(|id| *id != leader).unwrap();
    cluster.kill(away).await;
    write(&gateway, leader).await;
    let handle = cluster.nodes[&leader].handle();
    let term = handle.status().replica.term;
    assert!(handle.status().is_leader());
    let subject = away.to_string();
    let before = handle.alarms().times_raised(PEER_UNREACHABLE, &subject);

    cluster.run(away).await.unwrap();
    timeout(PATIENCE, same_state(&cluster)).await.expect("it catches up");
    let handle = cluster.nodes[&leader].handle();
    let after = handle.alarms().times_raised(PEER_UNREACHABLE, &subject);
    assert!(after <= before + 1, "the connection broke {} times", after - before);
    for (id, node) in &cluster.nodes {
        assert_eq!(node.handle().status().replica.term, term, "node {id} saw an election");
    }
    let away = cluster.nodes[&away].handle();
    assert_eq!(away.alarms().times_raised(PEER_UNREACHABLE, &leader.to_string()), 0);
}
