//! Faults: is what clients see always the story of one register, whatever happens to the processes,
//! the network between them and their disks?
//!
//! Three real nodes; clients read, write and compare meanwhile. In the end the nodes are level, and
//! the history of what every client asked and heard is judged: *linearizable*, or the test fails. The
//! histories are kept in `fault-results/`, for any other checker. Each test also asserts that its fault
//! did happen, and that clients got on with their work: otherwise it would show nothing.
//!
//! `make faults` runs all of them.

mod disk;
mod network;
mod processes;
mod weather;

use federation_tests::{clients::Clients, cluster::Cluster, confined::turn};

/// Runs a story while no other one runs: each wants the machine for its nodes.
pub(crate) fn alone(story: impl Future<Output = ()>) {
    let _turn = turn();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime can be had").block_on(story);
}

/// A cluster that is up, and clients at work on it.
pub(crate) async fn at_work(cluster: &mut Cluster) -> Clients {
    cluster.bring_up().await;
    let mut clients = Clients::start(cluster);
    clients.until_going_on().await;
    clients
}

/// The end of every story: all is healed, writing goes on, the nodes become level, and what the
/// clients saw is linearizable.
pub(crate) async fn judge(mut cluster: Cluster, mut clients: Clients, test: &str, least: u64) {
    for id in cluster.ids() {
        cluster.until_caught_up(id).await;
    }
    clients.until_going_on().await;
    // However slow the machine: what is judged is long enough to show something.
    clients.until("enough was answered", |heard| heard.answered >= least).await;
    let record = clients.stop().await;
    cluster.until_level().await;
    record.judge(test, least);
}
