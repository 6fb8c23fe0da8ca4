//! What becomes of a node that was away for long, or whose disk is not what it was?

use std::{fs, time::Duration};

use catalog_node::{CatalogNode, NodeError, config::Compaction, storage::StorageError};
use catalog_state::keys;
use luqiao_proto::node::v1::PutRequest;
use luqiao_transport::status::Problem;
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{
    bench::{Cluster, Gateway, SPEC},
    failover::{PATIENCE, keys as probe_keys, put, same_state},
};

/// Writes `count` values, many at a time.
async fn write_many(gateway: &Gateway, leader: u64, prefix: u8, count: u32) {
    let mut writers = JoinSet::new();
    for writer in 0..16 {
        let gateway = gateway.clone();
        writers.spawn(async move {
            for number in (writer..count).step_by(16) {
                let key = [&[prefix][..], &number.to_be_bytes()].concat();
                let value = vec![prefix; 64];
                let put = PutRequest { key: key.into(), value: value.into(), ..Default::default() };
                gateway.probes(leader).put(put).await.unwrap();
            }
        });
    }
    while let Some(written) = writers.join_next().await {
        written.unwrap();
    }
}

/// A cluster whose nodes keep little of their logs.
async fn forgetful(size: u64) -> Cluster {
    let mut cluster = Cluster::prepare(size);
    cluster.compaction = Compaction { keep_entries: 50, keep_mib: 1 };
    cluster.begin(SPEC).await;
    cluster
}

/// Writes through `leader` until the logs of `ids` begin after entry `index`, and returns how many
/// values it took. A leader keeps more for one that was there a moment ago.
async fn write_until_compacted(cluster: &Cluster, leader: u64, ids: &[u64], index: u64) -> usize {
    let gateway = cluster.gateway();
    let begins = |id: &u64| cluster.nodes[id].handle().status().replica.first_index;
    let mut written = 0;
    let compacted = async {
        while ids.iter().any(|id| begins(id) <= index) {
            written += 1;
            write_many(&gateway, leader, 100 + written, 100).await;
        }
    };
    timeout(PATIENCE, compacted).await.expect("it lets go of its log");
    usize::from(written) * 100
}

fn alarms(cluster: &Cluster, id: u64) -> Vec<String> {
    let alarms = cluster.nodes[&id].handle().alarms().list();
    alarms.into_iter().map(|alarm| alarm.name).collect()
}

/// Waits until `id` has said that it receives no snapshot; the alarm goes before that is said.
async fn received(cluster: &Cluster, id: u64) {
    let mut status = cluster.nodes[&id].handle().watch_status();
    let over = status.wait_for(|status| status.replica.receiving.is_none());
    timeout(PATIENCE, over).await.expect("the snapshot is through").expect("the node runs");
}

fn follower(cluster: &Cluster, leader: u64) -> u64 {
    cluster.nodes.keys().copied().find(|id| *id != leader).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn snapshot_to_a_node_long_away() {
    let mut cluster = forgetful(3).await;
    let gateway = cluster.gateway();
    let leader = cluster.leader().await;
    let away = follower(&cluster, leader);
    let said = cluster.nodes[&away].handle().watch_status();
    cluster.kill(away).await;
    // What it took after it last said so is less than this; and whoever leads when it comes back,
    // neither has what it lacks.
    let last = said.borrow().replica.last_index + 100;
    let there: Vec<u64> = cluster.nodes.keys().copied().collect();
    let written = write_until_compacted(&cluster, leader, &there, last).await;

    cluster.run(away).await.unwrap();
    same_state(&cluster).await;
    assert_eq!(probe_keys(&gateway, &[away]).await.len(), written);
    let folders: Vec<String> = fs::read_dir(cluster.path(&format!("data-{away}")))
        .unwrap()
        .map(|found| found.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(folders.contains(&"state-1".to_owned()), "it got a snapshot: {folders:?}");
    received(&cluster, away).await;
    assert!(!alarms(&cluster, away).contains(&"receiving-snapshot".to_owned()));
    // What it got had been confirmed by the node that was there.
    let raised = cluster.nodes[&leader].handle().alarms().times_raised("snapshot-unconfirmed", "");
    assert_eq!(raised, 0, "nobody confirmed the leader's state");

    // It goes on from there as any other, and after a restart too.
    write_many(&gateway, leader, 2, 10).await;
    cluster.kill(away).await;
    cluster.run(away).await.unwrap();
    same_state(&cluster).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn corrupted_state_reseeds_under_the_same_id() {
    let mut cluster = forgetful(3).await;
    let gateway = cluster.gateway();
    let leader = cluster.leader().await;
    let damaged = follower(&cluster, leader);
    let written = write_until_compacted(&cluster, leader, &[damaged], 100).await;
    cluster.kill(damaged).await;
    // What RocksDB needs to find its files.
    let state = cluster.path(&format!("data-{damaged}/state"));
    for file in fs::read_dir(&state).unwrap() {
        let file = file.unwrap().path();
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with("MANIFEST") {
            let mut bytes = fs::read(&file).unwrap();
            for byte in bytes.iter_mut().take(64) {
                *byte ^= 0xff;
            }
            fs::write(&file, bytes).unwrap();
        }
    }
    cluster.run(damaged).await.unwrap();
    same_state(&cluster).await;
    assert_eq!(probe_keys(&gateway, &[damaged]).await.len(), written);
    received(&cluster, damaged).await;
    assert!(alarms(&cluster, damaged).is_empty(), "{:?}", alarms(&cluster, damaged));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_log_is_refused_and_says_what_to_do() {
    let mut cluster = Cluster::start(3, SPEC).await;
    let leader = cluster.leader().await;
    let lost = follower(&cluster, leader);
    cluster.kill(lost).await;
    fs::remove_dir_all(cluster.path(&format!("data-{lost}/log"))).unwrap();
    let refused = cluster.run(lost).await.unwrap_err();
    assert!(matches!(refused, NodeError::Storage(StorageError::LogLost)), "{refused}");
    assert!(catalog_node::running::chain(&refused).contains("replace it under a new id"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn diverged_replica_is_quarantined_and_gets_a_sound_copy() {
    let mut cluster = Cluster::start(3, SPEC).await;
    let gateway = cluster.gateway();
    let leader = cluster.leader().await;
    let wrong = follower(&cluster, leader);
    put(&gateway, &[leader], b"a").await;
    let index = cluster.nodes[&leader].handle().read().await.unwrap();
    cluster.nodes[&wrong].handle().wait_applied(index).await.unwrap();
    cluster.kill(wrong).await;
    // A state that is not what the log makes of it, as a fault in memory would leave it.
    let folder = cluster.path(&format!("data-{wrong}/state"));
    let families = rocksdb::DB::list_cf(&rocksdb::Options::default(), &folder).unwrap();
    let state = rocksdb::DB::open_cf(&rocksdb::Options::default(), &folder, families).unwrap();
    let family = state.cf_handle("state").unwrap();
    state.put_cf(family, keys::meta::state_hash().as_slice(), [7; 32]).unwrap();
    drop(state);
    cluster.run(wrong).await.unwrap();

    let handle = cluster.nodes[&wrong].handle();
    let noticed = async {
        // Also if it is over by the time that somebody looks.
        while handle.alarms().times_raised("state-diverged", "") == 0 {
            sleep(Duration::from_millis(1)).await;
        }
    };
    let written = write_many(&gateway, leader, 1, 1200);
    let (noticed, ()) = tokio::join!(timeout(PATIENCE, noticed), written);
    noticed.expect("it finds out that it is alone with its state");
    // While it has no sound copy it answers nothing; then it is as good as the others.
    let healed = async {
        loop {
            match handle.read().await {
                Ok(_) if alarms(&cluster, wrong).is_empty() => return,
                Ok(_) | Err(_) => sleep(Duration::from_millis(20)).await,
            }
        }
    };
    let healed = timeout(PATIENCE, healed).await;
    assert!(healed.is_ok(), "no sound copy: {:?} {:?}", alarms(&cluster, wrong), handle.status());
    same_state(&cluster).await;
    assert_eq!(probe_keys(&gateway, &[wrong]).await.len(), 1201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_with_one_id() {
    let cluster = Cluster::start(3, SPEC).await;
    let gateway = cluster.gateway();
    let leader = cluster.leader().await;
    let copied = follower(&cluster, leader);
    put(&gateway, &[leader], b"a").await;
    // Both others have met the first one's store by now.
    let index = cluster.nodes[&leader].handle().read().await.unwrap();
    cluster.nodes[&copied].handle().wait_applied(index).await.unwrap();

    let mut config = cluster.config(copied);
    config.data = cluster.path("data-second");
    config.listen.set_port(0);
    let second = CatalogNode::start(config).await.unwrap();
    for number in 0..50u8 {
        put(&gateway, &[leader], &[number]).await;
    }
    let status = second.handle().status();
    assert_eq!((status.replica.applied, status.replica.leader), (1, None), "nobody speaks with it");
    assert_eq!(cluster.leader().await, leader, "and it disturbs nobody");
    same_state(&cluster).await;
    second.kill().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_in_one_folder() {
    let cluster = Cluster::start(1, SPEC).await;
    let mut config = cluster.config(1);
    config.listen.set_port(0);
    let refused = CatalogNode::start(config).await.unwrap_err();
    assert!(matches!(refused, NodeError::Storage(StorageError::Held { .. })), "{refused}");
    let gateway = cluster.gateway();
    let refused = gateway.probes(1).put(PutRequest::default()).await.err();
    assert!(refused.is_none(), "{:?}", refused.map(|status| Problem::from_status(&status)));
}
