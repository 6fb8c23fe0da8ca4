//! Nodes that are not who they say they are, and settings that cannot be meant.

use std::{fs, path::Path};

use catalog_model::reason::Reason;
use federation_tests::{cluster::Cluster, role::refusal};

use crate::faults::{alone, at_work, judge};

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder can be made");
    for entry in fs::read_dir(from).expect("a folder").flatten() {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(&from, &to).map(drop).expect("a file");
        }
    }
}

#[test]
fn a_second_node_with_the_same_id_is_refused_by_the_others() {
    alone(async {
        let mut cluster = Cluster::plan(3);
        let mut clients = at_work(&mut cluster).await;
        let leader = cluster.leader().await;
        let followers: Vec<u64> = cluster.ids().into_iter().filter(|id| *id != leader).collect();
        let (original, witness) = (followers[0], followers[1]);

        // The same certificate and settings, another folder and another port.
        let mut double = cluster.double(original);
        double.start();
        cluster.until_said(leader, "Peer refused").await;
        cluster.until_said(witness, "Peer refused").await;
        // The original does not suffer: with it alone there is a majority.
        cluster.kill(witness);
        clients.until_going_on().await;
        cluster.start(witness);
        drop(double);
        judge(cluster, clients, "a_second_node_with_the_same_id_is_refused", 300).await;
    });
}

#[test]
fn a_node_of_another_cluster_is_refused_by_its_peers() {
    alone(async {
        let mut cluster = Cluster::plan(3);
        let mut clients = at_work(&mut cluster).await;
        cluster.kill(3);
        let data = cluster.node(3).data.clone();
        cluster.node(3).data = data.with_file_name("other-data");
        let own = cluster.cluster_id.clone();
        let other: String = own.chars().rev().collect();
        cluster.assign(3, &other);
        cluster.start(3);
        for id in [1, 2] {
            cluster.until_said(id, "belongs to cluster").await;
        }
        cluster.kill(3);
        // Back as itself.
        cluster.assign(3, &own);
        cluster.node(3).data = data;
        cluster.start(3);
        clients.until_going_on().await;
        judge(cluster, clients, "a_node_of_another_cluster_is_refused_by_its_peers", 200).await;
    });
}

#[test]
fn a_node_does_not_start_on_what_is_not_its_own() {
    alone(async {
        let mut cluster = Cluster::plan(3);
        cluster.bring_up().await;
        cluster.kill(2);
        cluster.kill(3);

        // Another node's data.
        let (own, other) = (cluster.node(3).data.clone(), cluster.node(2).data.clone());
        cluster.node(3).data = own.with_file_name("copied");
        copy(&other, &cluster.node(3).data.clone());
        cluster.start(3);
        let (status, said) = cluster.until_ended(3).await;
        assert!(!status.success() && said.contains("belongs to node 2"), "{said}");
        cluster.node(3).data.clone_from(&own);

        // Another cluster's.
        let cluster_id = cluster.cluster_id.clone();
        let other: String = cluster_id.chars().rev().collect();
        cluster.assign(3, &other);
        cluster.start(3);
        let (status, said) = cluster.until_ended(3).await;
        let told = format!("belongs to cluster {cluster_id}");
        assert!(!status.success() && said.contains(&told), "{said}");
        cluster.assign(3, &cluster_id);

        // A setting that nobody knows.
        cluster.node(3).more = vec![("consensus", "elecion_ticks = 7".to_owned())];
        cluster.start(3);
        let (status, said) = cluster.until_ended(3).await;
        assert!(!status.success() && said.contains("did you mean `election_ticks`?"), "{said}");
        cluster.node(3).more.clear();

        // None of it did any harm.
        cluster.start(2);
        cluster.start(3);
        cluster.until_level().await;
    });
}

#[test]
fn commands_that_a_member_does_not_know_are_not_used() {
    alone(async {
        let mut cluster = Cluster::plan(3);
        cluster.bring_up().await;
        let level = cluster.members().await.level;
        let refused = cluster.raise_level(level + 1).await;
        assert_eq!(refusal(refused), Reason::LevelUnsupported);
        let again = cluster.raise_level(level).await.expect("it is so already");
        assert!(!again.changed, "{again:?}");
        assert_eq!(cluster.members().await.level, level);
        cluster.until_level().await;
    });
}
