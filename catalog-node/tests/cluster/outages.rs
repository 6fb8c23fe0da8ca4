//! Does it go on record that a node took no writes, whoever leads when it can be written?

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use catalog_node::storage::{DiskMeter, DiskSpace};
use catalog_state::{
    codec,
    keys::{Key, Table},
    rows::{OutageKind, OutageRow},
    store::Store,
};
use tokio::{task::yield_now, time::timeout};

use crate::{
    bench::{Cluster, SPEC},
    failover::{PATIENCE, put, same_state},
};

const TOTAL: u64 = 100 << 30;

/// The outages that `node` has on record.
fn on_record(cluster: &Cluster, node: u64) -> Vec<OutageRow> {
    let prefix = Key::table(Table::Outage);
    cluster.nodes[&node].handle().view(|state| {
        let rows = state.range(prefix.as_slice(), &prefix.end());
        rows.map(|(_, bytes)| codec::decode(&bytes).unwrap()).collect()
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_that_hands_over_still_has_it_put_on_record() {
    let mut cluster = Cluster::prepare(3);
    let mut free = Vec::new();
    for id in 1..=3 {
        let room = Arc::new(AtomicU64::new(TOTAL));
        free.push(Arc::clone(&room));
        let meter = DiskMeter::from_fn(move |_| {
            Ok(DiskSpace { total: TOTAL, free: room.load(Ordering::Relaxed) })
        });
        cluster.disks.insert(id, meter);
    }
    cluster.begin(SPEC).await;
    let full = cluster.leader().await;
    let position = usize::try_from(full).unwrap() - 1;
    free[position].store(0, Ordering::Relaxed);

    // Its disk stays nearly full: it never leads again.
    let recorded = async {
        loop {
            let leader = cluster.leader().await;
            let rows = on_record(&cluster, leader);
            if leader != full && !rows.is_empty() {
                return rows;
            }
            yield_now().await;
        }
    };
    let rows = timeout(PATIENCE, recorded).await.expect("it goes on record");
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!((rows[0].node, rows[0].kind), (full, OutageKind::DiskNearlyFull));
    assert!(rows[0].from <= rows[0].until);

    // What is on record is not told again, not by another start either.
    cluster.kill(full).await;
    cluster.run(full).await.unwrap();
    let gateway = cluster.gateway();
    put(&gateway, &gateway.node_ids(), b"a").await;
    same_state(&cluster).await;
    assert_eq!(on_record(&cluster, full), rows);
}
