//! Nodes that come, go, and take each other's place.

use std::time::{Duration, Instant};

use federation_tests::{cluster::Cluster, role::PATIENCE};
use luqiao_proto::node::v1::GetNodeStatusResponse;
use tokio::time::sleep;

use super::{forgetful, keep_little, until_forgotten};
use crate::faults::{alone, at_work, judge};

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// Ids of the members that vote, once no change of them is under way.
async fn voters(cluster: &Cluster) -> Vec<u64> {
    let started = Instant::now();
    let members = loop {
        let members = cluster.members().await;
        if !members.joint {
            break members;
        }
        assert!(started.elapsed() < PATIENCE, "the change is not completed: {members:?}");
        sleep(PAUSE).await;
    };
    let voters = members.members.iter().filter(|member| member.role == "voter");
    let mut ids: Vec<u64> = voters.map(|member| member.id.parse().expect("a number")).collect();
    ids.sort_unstable();
    ids
}

#[test]
fn a_node_that_was_long_away_comes_back_by_a_snapshot() {
    alone(async {
        let mut cluster = forgetful(3);
        let mut clients = at_work(&mut cluster).await;
        let leader = cluster.leader().await;
        let away = cluster.ids().into_iter().find(|id| *id != leader).expect("three nodes");
        let before = cluster.until_status(away, "there", |_| true).await;
        cluster.kill(away);
        cluster.write_many(3_000, 1 << 10).await;
        until_forgotten(&cluster, before.last_index).await;
        clients.until_going_on().await;

        cluster.start(away);
        cluster.until_caught_up(away).await;
        // The state is there a moment before the log says that it goes on from it.
        let whole = |status: &GetNodeStatusResponse| {
            status.standing == "voter" && status.last_index >= status.applied_index
        };
        let after = cluster.until_status(away, "a voter with state and log", whole).await;
        assert!(
            after.first_index > before.last_index + 1,
            "it came back by the log, which should not have been there: {after:#?}"
        );
        judge(cluster, clients, "a_node_that_was_long_away_comes_back_by_a_snapshot", 400).await;
    });
}

#[test]
fn three_nodes_become_five_and_three_others_at_work() {
    alone(async {
        let mut cluster = forgetful(3);
        let mut clients = at_work(&mut cluster).await;
        cluster.write_many(500, 1 << 10).await;
        for id in [4, 5] {
            cluster.plan_joiner(id);
            keep_little(&mut cluster, id);
            cluster.start(id);
            assert!(cluster.add(id).await.changed);
            clients.add_node(&cluster, id);
            assert!(cluster.promote(id).await.changed);
            clients.until_going_on().await;
        }
        assert_eq!(voters(&cluster).await, [1, 2, 3, 4, 5]);

        // Two of five fail, and it goes on: the new ones count.
        let leader = cluster.leader().await;
        let down: Vec<u64> = [1, 2, 3].into_iter().filter(|id| *id != leader).take(2).collect();
        for id in &down {
            cluster.kill(*id);
        }
        clients.until_going_on().await;
        for id in &down {
            cluster.start(*id);
            cluster.until_caught_up(*id).await;
        }

        // Two of the first three go, the leader among them if it is one of these.
        for id in [1, 2] {
            let gone = cluster.remove(id).await;
            assert!(gone.changed);
            let left = voters(&cluster).await;
            cluster.remove(id).await;
            assert_eq!(voters(&cluster).await, left, "a repeated call changed something");
            // While it still runs its reader stands before it: it must not answer any more.
            clients.until_going_on().await;
            cluster.forget(id);
        }
        assert_eq!(voters(&cluster).await, [3, 4, 5]);
        judge(cluster, clients, "three_nodes_become_five_and_three_others_at_work", 600).await;
    });
}

#[test]
fn a_node_that_lost_its_disk_is_replaced_under_a_new_id() {
    alone(async {
        let mut cluster = forgetful(3);
        let mut clients = at_work(&mut cluster).await;
        cluster.kill(3);
        cluster.wipe(3);
        clients.until_going_on().await;
        // It cannot come back as if nothing had happened: it forgot for whom it voted. It is told
        // so, and tells whoever looks at it; it runs on, and nothing of it counts.
        let leader = cluster.leader().await;
        cluster.start(3);
        cluster.until_said(leader, "Peer refused").await;
        cluster.until_said(3, "This disk is not the one that the cluster knows as node 3").await;
        let told = |status: &GetNodeStatusResponse| {
            status.alarms.iter().any(|alarm| alarm.name == "store-foreign")
        };
        let status = cluster.until_status(3, "told that its disk is another", told).await;
        assert_eq!(status.standing, "quarantined", "{status:#?}");
        // What the leader goes on sending is not for it.
        for _ in 0..3 {
            clients.until_going_on().await;
        }
        let after = cluster.until_status(3, "there", |_| true).await;
        assert_eq!((after.term, after.commit_index), (status.term, status.commit_index));
        assert_ne!(cluster.leader().await, 3);
        cluster.kill(3);

        cluster.plan_joiner(4);
        keep_little(&mut cluster, 4);
        cluster.start(4);
        cluster.add(4).await;
        clients.add_node(&cluster, 4);
        assert!(cluster.replace(3, 4).await.changed);
        assert_eq!(voters(&cluster).await, [1, 2, 4]);
        cluster.forget(3);
        // The new one counts: without it and without another nothing would go on.
        cluster.kill(if leader == 1 { 2 } else { 1 });
        clients.until_going_on().await;
        cluster.start(if leader == 1 { 2 } else { 1 });
        judge(cluster, clients, "a_node_that_lost_its_disk_is_replaced_under_a_new_id", 400).await;
    });
}
