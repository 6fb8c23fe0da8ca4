//! A leader's clock that has jumped stamps nothing, moves nothing, and says so.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use catalog_model::{reason::Reason, time::UtcMillis};
use catalog_node::clock::WallClock;
use luqiao_proto::{
    node::v1::{GetNodeStatusRequest, PutRequest},
    operations::v1::{SetDevelopmentClockRequest, SetDevelopmentClockResponse},
};
use luqiao_transport::status::Problem;
use prost_types::Timestamp;

use crate::bench::{AUTHORITY, AUTHORITY_SYSTEM, Cluster, SPEC, system};

const DAY: u64 = 86_400_000;
const NOW: u64 = 20_600 * DAY;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_400_days_ahead_stops_writes_until_it_is_corrected() {
    let mut cluster = Cluster::prepare(1);
    let shown = Arc::new(AtomicU64::new(NOW));
    let read = Arc::clone(&shown);
    cluster.wall_clock = WallClock::from_fn(move || UtcMillis(read.load(Ordering::Relaxed)));
    cluster.run(1).await.unwrap();
    let spec = SPEC.replace("development_clock = \"2026-09-21T09:00:00+08:00\"\n", "");
    let mut spec: catalog_node::bootstrap::Spec = toml::from_str(&spec).unwrap();
    let bootstrap = spec.command(crate::bench::CLUSTER, UtcMillis(NOW)).unwrap();
    cluster.leader().await;
    cluster.nodes[&1].handle().bootstrap(bootstrap).await.unwrap();
    let gateway = cluster.gateway();
    gateway.probes(1).put(PutRequest::default()).await.unwrap();

    shown.store(NOW + 400 * DAY, Ordering::Relaxed);
    let refused = gateway.probes(1).put(PutRequest::default()).await.unwrap_err();
    assert_eq!(Problem::from_status(&refused).reason, Some(Reason::StampOutOfBounds));
    let status =
        gateway.nodes(1).get_node_status(GetNodeStatusRequest {}).await.unwrap().into_inner();
    assert_eq!(
        status.alarms.iter().map(|alarm| alarm.name.as_str()).collect::<Vec<_>>(),
        ["clock-ahead"]
    );
    let clock = status.clock.unwrap();
    assert!((clock.seconds as u64) < NOW / 1000 + 86_400, "the committed clock did not move");

    shown.store(NOW + 1_000, Ordering::Relaxed);
    gateway.probes(1).put(PutRequest::default()).await.unwrap();
    let status =
        gateway.nodes(1).get_node_status(GetNodeStatusRequest {}).await.unwrap().into_inner();
    assert!(status.alarms.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_development_clock_is_moved_by_hand_only() {
    let cluster = Cluster::start(1, SPEC).await;
    let gateway = cluster.gateway();
    gateway.probes(1).put(PutRequest::default()).await.unwrap();
    let clock = async || {
        let status = gateway.nodes(1).get_node_status(GetNodeStatusRequest {}).await.unwrap();
        status.into_inner().clock.unwrap().seconds
    };
    let begun = clock().await;
    assert_eq!(UtcMillis(begun as u64 * 1000).local_text(), "2026-09-21 09:00:00");
    let set = SetDevelopmentClockRequest {
        name: "domains/xiamen".to_owned(),
        time: Some(Timestamp { seconds: begun + 3600, nanos: 0 }),
        request_id: "move".to_owned(),
    };
    let method = "operations.v1.OperationsService/SetDevelopmentClock";
    let caller = system(AUTHORITY, AUTHORITY_SYSTEM);
    let moved: SetDevelopmentClockResponse = gateway.call(1, &caller, method, &set).await.unwrap();
    assert_eq!(moved.clock.unwrap().seconds, begun + 3600);
    assert_eq!(clock().await, begun + 3600);
}
