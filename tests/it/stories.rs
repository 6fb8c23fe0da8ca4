//! Stories: what becomes of a cluster whose nodes are long away, come, go, lose what they had, or are
//! not who they say they are?
//!
//! Real processes, with clients at work. As with the faults: nothing that was acknowledged is lost, and
//! what clients saw is linearizable in the end.

mod damage;
mod membership;
mod strangers;

use federation_tests::cluster::Cluster;

/// Nodes that keep so little of their logs that whoever was away for a moment needs a snapshot.
fn forgetful(count: u64) -> Cluster {
    let mut cluster = Cluster::plan(count);
    for id in cluster.ids() {
        keep_little(&mut cluster, id);
    }
    cluster
}

fn keep_little(cluster: &mut Cluster, id: u64) {
    let node = cluster.node(id);
    node.more.push(("compaction", "keep_entries = 100\nkeep_mib = 1".to_owned()));
}

/// Waits until the leader's log has lost what came right after `index`.
async fn until_forgotten(cluster: &Cluster, index: u64) {
    cluster.leader_that(|status| status.first_index > index + 1).await;
}
