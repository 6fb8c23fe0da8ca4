//! A network whose routes lead nowhere: each node lives in a network namespace of its own.
//!
//! A black hole takes packets in one direction only. The other direction lives on, until it needs an
//! acknowledgement.

use std::net::SocketAddr;

use federation_tests::{
    cluster::Cluster,
    confined::{command, confined},
};

use super::{alone, at_work, judge};

const TOOLS: [&str; 1] = ["nsenter"];

/// Nodes 1, 2 and 3 in network namespaces of their own on one bridge, on which this test stands, too.
fn apart() -> Cluster {
    let words = |line: &str| command(&line.split(' ').collect::<Vec<_>>());
    words("ip link add between type bridge");
    words("ip addr add 10.77.0.254/24 dev between");
    words("ip link set between up");
    for id in 1..=3 {
        words(&format!("ip netns add node-{id}"));
        words(&format!("ip link add to-{id} type veth peer name out netns node-{id}"));
        words(&format!("ip link set to-{id} master between"));
        words(&format!("ip link set to-{id} up"));
        words(&format!("ip -n node-{id} link set lo up"));
        words(&format!("ip -n node-{id} addr add 10.77.0.{id}/24 dev out"));
        words(&format!("ip -n node-{id} link set out up"));
    }
    let places: Vec<SocketAddr> =
        (1..=3).map(|id| SocketAddr::from(([10, 77, 0, id], 7100))).collect();
    let mut cluster = Cluster::plan_at(&places);
    for node in cluster.nodes() {
        node.process.set_within(&["nsenter", &format!("--net=/run/netns/node-{}", node.id), "--"]);
    }
    cluster
}

/// From now on nothing that `from` sends reaches `to`.
fn lose(from: u64, to: u64) {
    route(from, "add", to);
    assert!(is_lost(from, to), "packets of node {from} to node {to} still have a way");
}

/// That is over.
fn find(from: u64, to: u64) {
    route(from, "del", to);
    assert!(!is_lost(from, to), "packets of node {from} to node {to} have no way");
}

fn route(from: u64, what: &str, to: u64) {
    let (space, host) = (format!("node-{from}"), format!("10.77.0.{to}/32"));
    command(&["ip", "-n", &space, "route", what, "blackhole", &host]);
}

fn is_lost(from: u64, to: u64) -> bool {
    let (space, host) = (format!("node-{from}"), format!("10.77.0.{to}"));
    let output = std::process::Command::new("ip")
        .args(["-n", &space, "route", "get", &host])
        .output()
        .expect("ip starts");
    !output.status.success()
}

fn others(id: u64) -> impl Iterator<Item = u64> {
    (1..=3).filter(move |other| *other != id)
}

#[test]
fn leader_is_cut_off_with_its_clients() {
    const TEST: &str = "faults::network::leader_is_cut_off_with_its_clients";
    if !confined(TEST, &TOOLS) {
        return;
    }
    alone(async {
        let mut cluster = apart();
        let mut clients = at_work(&mut cluster).await;
        for _ in 0..2 {
            let (leader, term) = cluster.leader_and_term().await;
            for other in others(leader) {
                lose(leader, other);
                lose(other, leader);
            }
            let next = cluster.leader_that(|status| status.term > term).await;
            assert_ne!(next, leader, "a node that is cut off leads");
            cluster
                .until_status(leader, "a leader no more", |status| status.role != "leader")
                .await;
            clients.until_going_on().await;
            for other in others(leader) {
                find(leader, other);
                find(other, leader);
            }
            cluster.until_caught_up(leader).await;
        }
        judge(cluster, clients, "leader_is_cut_off_with_its_clients", 300).await;
    });
}

#[test]
fn nobody_hears_the_leader() {
    const TEST: &str = "faults::network::nobody_hears_the_leader";
    if !confined(TEST, &TOOLS) {
        return;
    }
    alone(async {
        let mut cluster = apart();
        let mut clients = at_work(&mut cluster).await;
        let (leader, term) = cluster.leader_and_term().await;
        others(leader).for_each(|other| lose(leader, other));
        let next = cluster.leader_that(|status| status.term > term).await;
        assert_ne!(next, leader, "a node that nobody hears was elected");
        clients.until_going_on().await;
        others(leader).for_each(|other| find(leader, other));
        cluster.until_caught_up(leader).await;
        judge(cluster, clients, "nobody_hears_the_leader", 300).await;
    });
}

#[test]
fn a_follower_that_was_cut_off_disturbs_nobody_when_it_is_back() {
    const TEST: &str =
        "faults::network::a_follower_that_was_cut_off_disturbs_nobody_when_it_is_back";
    if !confined(TEST, &TOOLS) {
        return;
    }
    alone(async {
        let mut cluster = apart();
        let mut clients = at_work(&mut cluster).await;
        let leader = cluster.leader().await;
        let follower = others(leader).next().expect("three nodes");
        // It hears nobody, and would ask for an election again and again.
        others(follower).for_each(|other| lose(other, follower));
        let before = cluster.until_status(follower, "there", |_| true).await;
        cluster.until_status(follower, "alone", |status| status.leader.is_empty()).await;
        for _ in 0..3 {
            clients.until_going_on().await;
        }
        let alone = cluster.until_status(follower, "there", |_| true).await;
        assert_eq!(alone.term, before.term, "it counted up terms while nobody voted for it");
        others(follower).for_each(|other| find(other, follower));
        cluster.until_caught_up(follower).await;
        judge(cluster, clients, "a_follower_that_was_cut_off_disturbs_nobody", 300).await;
    });
}
