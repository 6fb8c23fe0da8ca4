//! Bootstrapping from outside: a spec travels to whoever leads, in an envelope that only nodes of
//! the domain may send.

use std::{sync::Arc, time::Duration};

use catalog_model::{reason::Reason, refusal::Refusal};
use luqiao_proto::{
    convert::caller::caller_message,
    node::v1::{
        CallRequest, Envelope, RunBackupRequest, RunBackupResponse,
        node_service_client::NodeServiceClient,
    },
};
use luqiao_transport::{
    dial::{DialOptions, Dialer, Target},
    status::Problem,
    tls::{Expectation, TlsMaterial},
};
use tokio::time::{Instant, sleep};
use tonic::Status;

use crate::{bootstrap::Spec, config::Config, storage::hex};

/// The method in such an envelope; no public one.
pub(crate) const BOOTSTRAP: &str = "/luqiao.node.v1.NodeService/Bootstrap";

/// Pause between attempts while no node answers or leads.
const PAUSE: Duration = Duration::from_millis(200);

/// Has the cluster of `config` begin with `spec`, and returns the spec with the ids that were
/// drawn. Tries each member in turn for `wait`.
pub async fn bootstrap(
    config: &Config,
    tls: Arc<TlsMaterial>,
    spec: &Spec,
    wait: Duration,
) -> Result<Spec, Refusal> {
    let malformed =
        |error: serde_json::Error| Refusal::new(Reason::MessageMalformed).fact("cause", error);
    let call = serde_json::to_vec(spec).map_err(malformed)?;
    let dialer = Dialer::new(tls, DialOptions::default());
    let own = catalog_model::caller::Caller {
        domain: config.domain.clone(),
        identity: catalog_model::caller::Identity::Node { id: config.id.to_string() },
    };
    let envelope = Envelope {
        caller: Some(caller_message(&own)),
        method: BOOTSTRAP.to_owned(),
        call: call.into(),
        cluster_id: hex(&config.cluster_id),
        timeout_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
        ..Default::default()
    };
    let until = Instant::now() + wait;
    let mut last = Refusal::new(Reason::NoLeader);
    loop {
        for member in &config.members {
            let target = Target::new(member.address.as_str())
                .expecting(Expectation::node_of(config.domain.clone()));
            let Ok(channel) = dialer.channel(&target) else { continue };
            let request = CallRequest { envelope: Some(envelope.clone()) };
            match NodeServiceClient::new(channel).call(request).await {
                Ok(answer) => {
                    return serde_json::from_slice(&answer.into_inner().response)
                        .map_err(malformed);
                }
                Err(status) => {
                    let problem = Problem::from_status(&status);
                    let reason = problem.reason.unwrap_or(Reason::NoLeader);
                    last = Refusal::new(reason);
                    for (key, value) in &problem.metadata {
                        last = last.fact(key, value);
                    }
                    let passing = [Reason::NoLeader, Reason::NotLeader, Reason::Overloaded];
                    if !passing.contains(&reason) {
                        return Err(last);
                    }
                }
            }
        }
        if Instant::now() >= until {
            return Err(last);
        }
        sleep(PAUSE).await;
    }
}

/// Has the node of `config` take a base into the backup archive now, and waits for it: with the node's own
/// certificate, as somebody on its machine can.
pub async fn run_backup(
    config: &Config,
    tls: Arc<TlsMaterial>,
    wait: Duration,
) -> Result<RunBackupResponse, Status> {
    let own = config.members.iter().find(|member| member.id == config.id);
    let address = own.map_or_else(|| config.listen.to_string(), |own| own.address.clone());
    let target =
        Target::new(address.as_str()).expecting(Expectation::node_of(config.domain.clone()));
    let channel = Dialer::new(tls, DialOptions::default())
        .channel(&target)
        .map_err(|error| Status::invalid_argument(error.to_string()))?;
    let mut client = NodeServiceClient::new(channel);
    let done = tokio::time::timeout(wait, client.run_backup(RunBackupRequest {})).await;
    let late = |_| Status::deadline_exceeded("the base was not done in time");
    done.map_err(late)?.map(tonic::Response::into_inner)
}
