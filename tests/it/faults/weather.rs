//! A network that is slow, breaks connections, or is silent in one direction: a proxy stands before
//! each node, where the others are told that it listens.

use std::{collections::BTreeMap, sync::atomic::Ordering, time::Instant};

use federation_tests::{
    clients::Clients,
    cluster::Cluster,
    proxy::{Proxy, Weather},
    role::PATIENCE,
};

use super::{alone, at_work, judge};

async fn with_proxies() -> (Cluster, BTreeMap<u64, Proxy>) {
    let mut cluster = Cluster::plan(3);
    let mut proxies = BTreeMap::new();
    for node in cluster.nodes() {
        let proxy = Proxy::before(node.listen, node.id).await;
        node.told = proxy.address;
        proxies.insert(node.id, proxy);
    }
    (cluster, proxies)
}

/// Waits, with clients at work, until the weather was as bad as it was to be.
async fn until(clients: &mut Clients, bad: impl Fn() -> bool) {
    let started = Instant::now();
    while !bad() {
        assert!(started.elapsed() < PATIENCE, "the weather stays fair");
        clients.until_going_on().await;
    }
}

#[test]
fn everything_between_nodes_is_late() {
    alone(async {
        let (mut cluster, proxies) = with_proxies().await;
        let mut clients = at_work(&mut cluster).await;
        for proxy in proxies.values() {
            proxy.set(Weather { delay_ms: 25, jitter_ms: 100, ..Weather::default() });
        }
        for _ in 0..4 {
            clients.until_going_on().await;
        }
        let delayed = |proxy: &Proxy| proxy.passed.delayed.load(Ordering::Relaxed);
        until(&mut clients, || proxies.values().all(|proxy| delayed(proxy) > 20)).await;
        for proxy in proxies.values() {
            proxy.set(Weather::default());
        }
        judge(cluster, clients, "everything_between_nodes_is_late", 300).await;
    });
}

#[test]
fn connections_between_nodes_break_all_the_time() {
    alone(async {
        let (mut cluster, proxies) = with_proxies().await;
        let mut clients = at_work(&mut cluster).await;
        for proxy in proxies.values() {
            proxy.set(Weather { breaking: 30, delay_ms: 1, jitter_ms: 20, ..Weather::default() });
        }
        for _ in 0..4 {
            clients.until_going_on().await;
        }
        let broken = |proxy: &Proxy| proxy.passed.broken.load(Ordering::Relaxed);
        until(&mut clients, || proxies.values().map(broken).sum::<u64>() > 10).await;
        for proxy in proxies.values() {
            proxy.set(Weather::default());
        }
        judge(cluster, clients, "connections_between_nodes_break_all_the_time", 300).await;
    });
}

#[test]
fn leader_speaks_and_hears_nobody() {
    alone(async {
        let (mut cluster, proxies) = with_proxies().await;
        let mut clients = at_work(&mut cluster).await;
        for _ in 0..2 {
            let (leader, term) = cluster.leader_and_term().await;
            let proxy = &proxies[&leader];
            proxy.set(Weather { silent: true, ..Weather::default() });
            // It must not go on leading because it can still speak.
            let next = cluster.leader_that(|status| status.term > term).await;
            assert_ne!(next, leader, "a node that hears nobody was elected");
            cluster
                .until_status(leader, "a leader no more", |status| status.role != "leader")
                .await;
            clients.until_going_on().await;
            assert!(proxy.passed.kept.load(Ordering::Relaxed) > 0, "{proxy:?}");
            proxy.set(Weather::default());
            cluster.until_caught_up(leader).await;
        }
        judge(cluster, clients, "leader_speaks_and_hears_nobody", 300).await;
    });
}
