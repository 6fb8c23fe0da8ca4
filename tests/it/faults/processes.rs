//! Processes that are killed, stand still, or come back with nothing.

use std::time::Duration;

use federation_tests::cluster::Cluster;
use tokio::time::sleep;

use super::{alone, at_work, judge};

#[test]
fn leader_is_killed_again_and_again() {
    alone(async {
        let mut cluster = Cluster::plan(3);
        let mut clients = at_work(&mut cluster).await;
        for _ in 0..4 {
            let (leader, term) = cluster.leader_and_term().await;
            cluster.kill(leader);
            let next = cluster.leader_that(|status| status.term > term).await;
            assert_ne!(next, leader, "a killed node leads");
            clients.until_going_on().await;
            cluster.start(leader);
            cluster.until_caught_up(leader).await;
        }
        judge(cluster, clients, "leader_is_killed_again_and_again", 500).await;
    });
}

#[test]
fn leader_stands_still_for_thirty_seconds_and_goes_on() {
    alone(async {
        let mut cluster = Cluster::plan(3);
        let mut clients = at_work(&mut cluster).await;
        let (leader, term) = cluster.leader_and_term().await;
        cluster.node(leader).process.pause();
        let next = cluster.leader_that(|status| status.term > term).await;
        assert_ne!(next, leader, "a node that stands still leads");
        clients.until_going_on().await;
        // The fault itself: it is not over sooner for anything that happens.
        sleep(Duration::from_secs(30)).await;
        assert!(cluster.node(leader).process.is_paused(), "it went on too soon");
        clients.until_going_on().await;
        cluster.node(leader).process.resume();
        // It believed that it led. Its reader stands before it with a question.
        let woken =
            cluster.until_status(leader, "of the new term", |status| status.term > term).await;
        assert!(woken.applied_index > 0);
        judge(cluster, clients, "leader_stands_still_for_thirty_seconds_and_goes_on", 1_000).await;
    });
}

#[test]
fn every_node_stands_still_in_turn() {
    alone(async {
        let mut cluster = Cluster::plan(3);
        let mut clients = at_work(&mut cluster).await;
        for round in 0..6 {
            // Longer than an election takes, and shorter.
            let leader = cluster.leader().await;
            cluster.node(leader).process.pause();
            sleep(Duration::from_millis(if round % 2 == 0 { 1_500 } else { 250 })).await;
            assert!(cluster.node(leader).process.is_paused(), "it went on too soon");
            cluster.node(leader).process.resume();
            clients.until_going_on().await;
        }
        judge(cluster, clients, "every_node_stands_still_in_turn", 500).await;
    });
}

#[test]
fn power_fails_for_all_nodes_at_once() {
    alone(async {
        let mut cluster = Cluster::plan(3);
        let mut clients = at_work(&mut cluster).await;
        for _ in 0..3 {
            for id in cluster.ids() {
                cluster.kill(id);
            }
            assert!(cluster.statuses().await.is_empty(), "somebody answers");
            for id in cluster.ids() {
                cluster.start(id);
            }
            clients.until_going_on().await;
        }
        judge(cluster, clients, "power_fails_for_all_nodes_at_once", 400).await;
    });
}
