//! Open services: what may be asked without a certificate?
//!
//! Health (is the gateway there, and does it reach its cluster?) and reflection (which methods
//! are there?), for load balancers and for people with grpcurl. Nothing else. Reflection shows
//! the public packages only.

use std::time::Duration;

use tokio::time::sleep;
use tonic::service::Routes;
use tonic_health::{
    ServingStatus,
    server::{HealthReporter, health_reporter},
};

use crate::{method::public_descriptors, upstream::Upstream};

/// Paths that begin like this are open.
const OPEN: [&str; 2] = ["/grpc.health.v1.Health/", "/grpc.reflection.v1.ServerReflection/"];

/// Whether a call of `path` needs no certificate.
pub fn serves(path: &str) -> bool {
    OPEN.iter().any(|prefix| path.starts_with(prefix))
}

/// The open services, and by what the gateway's health is told.
pub fn open_services() -> (Routes, HealthReporter) {
    let (reporter, health) = health_reporter();
    let reflection = tonic_reflection::server::Builder::configure()
        .register_file_descriptor_set(public_descriptors())
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()
        .expect("the descriptors were written by our own build");
    (Routes::new(health).add_service(reflection), reporter)
}

/// Tells for ever whether the gateway can serve: whether it reaches its cluster.
///
/// Not whether there is a leader: during an election calls wait, and a gateway taken out of
/// service for that would make a pause into an outage.
pub async fn report_health(reporter: HealthReporter, upstream: Upstream, interval: Duration) {
    loop {
        let status = if upstream.is_reachable() {
            ServingStatus::Serving
        } else {
            ServingStatus::NotServing
        };
        reporter.set_service_status("", status).await;
        sleep(interval).await;
    }
}
