//! Actor: as whom does the walk call, and through which node does it look again?
//!
//! What changes something goes as any caller's call does: to the gateway, with the caller's own
//! certificate. What is believed of it is read again through a [`Witness`]: a node other than the
//! one that leads is asked directly, for the same caller, and must itself hold the state from which
//! the answer was given: same position of the log, same state hash.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use catalog_model::reason::{Lang, Reason};
use luqiao_proto::node::v1::{
    CallRequest, Caller, Envelope, GetNodeStatusRequest, GetNodeStatusResponse,
    node_service_client::NodeServiceClient,
};
use luqiao_transport::{
    dial::{DialOptions, Dialer, MESSAGE_BYTES_MAX, Target},
    identity::Subject,
    language,
    status::Problem,
    tls::{Expectation, Scope, TlsFiles, TlsMaterial, TrustFile},
};
use prost::Message;
use tokio::time::{Instant, sleep};
use tonic::{Code, Request, Status, transport::Channel};

use crate::{both, context, exit::Exit, failure::Failure, remote::session::Session};

use super::topology::{DomainPlan, WITNESS};

/// How long the walk waits for something that others have to do first.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// How often it looks.
pub const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Somebody with a certificate.
#[derive(Debug)]
pub struct Actor {
    /// The connection to the gateway.
    pub session: Session,
    /// `domains/{domain}/organizations/{id}`
    pub organization: String,
    /// The same with the system or person.
    pub name: String,
    caller: Caller,
}

impl Actor {
    /// Whoever the context `name` speaks for.
    pub async fn open(contexts: &Path, name: &str, lang: Lang) -> Result<Self, Failure> {
        let file = context::read(contexts)?;
        let (_, context) = file.choose(Some(name))?;
        let session = Session::open(context, lang, Some(PATIENCE)).await?;
        let spiffe = session.caller().cloned().ok_or_else(|| {
            Failure::usage(both!("context `{name}` names nobody", "上下文“{name}”未指明主体"))
        })?;
        let mut caller = Caller { domain: spiffe.domain.to_string(), ..Default::default() };
        let domain = &spiffe.domain;
        let (organization, name) = match spiffe.subject {
            Subject::Person { organization, person } => {
                caller.organization = organization.to_string();
                caller.person = person.to_string();
                let organization = format!("domains/{domain}/organizations/{organization}");
                let name = format!("{organization}/persons/{person}");
                (organization, name)
            }
            Subject::System { organization, system } => {
                caller.organization = organization.to_string();
                caller.system = system.to_string();
                let organization = format!("domains/{domain}/organizations/{organization}");
                let name = format!("{organization}/systems/{system}");
                (organization, name)
            }
            Subject::Gateway { .. } | Subject::Node { .. } => {
                return Err(Failure::usage(both!(
                    "context `{name}` is not one of a department",
                    "上下文“{name}”不属于任何部门"
                )));
            }
        };
        Ok(Self { session, organization, name, caller })
    }

    /// `domains/{domain}`
    pub fn parent(&self) -> String {
        self.session.parent()
    }
}

/// Looks at the nodes of one domain, each by itself.
#[derive(Debug)]
pub struct Witness {
    cluster_id: String,
    lang: Lang,
    nodes: Vec<(u64, NodeServiceClient<Channel>)>,
    turn: AtomicUsize,
}

/// An answer and the node through which it was got.
#[derive(Debug, Clone)]
pub struct Look<R> {
    /// The answer.
    pub answer: R,
    /// The node that was asked.
    pub node: u64,
}

impl Witness {
    /// A witness with a gateway's certificate of its own.
    pub fn new(plan: &DomainPlan, lang: Lang) -> Result<Self, Failure> {
        let domain = plan.level.domain();
        let file = |name: &str| plan.gateway_folder().join(name);
        let tls = TlsMaterial::load(TlsFiles {
            certificate: file(&format!("{WITNESS}.pem")),
            key: file(&format!("{WITNESS}.key")),
            trust: vec![TrustFile {
                file: plan.folder.join("ca.pem"),
                scope: Scope::Domain(domain.clone()),
            }],
        })
        .map_err(|error| {
            let error = format!("{:#}", anyhow::Error::new(error));
            Failure::new(Exit::Error, "tls", both!("TLS files: {error}", "TLS 文件：{error}"))
        })?;
        let dialer = Dialer::new(Arc::new(tls), DialOptions::default());
        let nodes = plan
            .nodes
            .iter()
            .map(|node| {
                let target = Target::new(node.address.to_string())
                    .expecting(Expectation::node_of(domain.clone()));
                let channel = dialer.channel(&target).map_err(|error| Failure::dial(&error))?;
                let client = NodeServiceClient::new(channel)
                    .max_decoding_message_size(MESSAGE_BYTES_MAX)
                    .max_encoding_message_size(MESSAGE_BYTES_MAX);
                Ok((node.id, client))
            })
            .collect::<Result<Vec<_>, Failure>>()?;
        Ok(Self { cluster_id: plan.cluster_id.clone(), lang, nodes, turn: AtomicUsize::new(0) })
    }

    /// What each node says of itself; nothing of those that do not answer.
    pub async fn statuses(&self) -> Vec<(u64, GetNodeStatusResponse)> {
        let mut statuses = Vec::new();
        for (id, client) in &self.nodes {
            let mut call = Request::new(GetNodeStatusRequest {});
            call.set_timeout(Duration::from_secs(2));
            if let Ok(answer) = client.clone().get_node_status(call).await {
                statuses.push((*id, answer.into_inner()));
            }
        }
        statuses
    }

    /// The node that leads, if one that answers says that it does.
    pub async fn leader(&self) -> Option<u64> {
        let statuses = self.statuses().await;
        let leading = statuses.iter().filter(|(_, status)| status.role == "leader");
        leading.max_by_key(|(_, status)| status.term).map(|(id, _)| *id)
    }

    /// Asks, for `actor`, a node that does not lead; in a cluster of one the only node.
    ///
    /// Waits while the cluster has no leader.
    pub async fn look<M: Message, R: Message + Default>(
        &self,
        actor: &Actor,
        method: &str,
        question: &M,
    ) -> Result<Look<R>, Status> {
        let patience = Instant::now() + PATIENCE;
        loop {
            let answer = self.look_once(actor, method, question).await;
            match answer {
                Err(status) if may_pass(&status) && Instant::now() < patience => {
                    sleep(LOOK_EVERY).await;
                }
                answer => return answer,
            }
        }
    }

    async fn look_once<M: Message, R: Message + Default>(
        &self,
        actor: &Actor,
        method: &str,
        question: &M,
    ) -> Result<Look<R>, Status> {
        let statuses = self.statuses().await;
        let leading = statuses
            .iter()
            .filter(|(_, status)| status.role == "leader")
            .max_by_key(|(_, status)| status.term)
            .map(|(id, _)| *id);
        let up = |id: &u64| statuses.iter().any(|(other, _)| other == id);
        let others: Vec<_> = self
            .nodes
            .iter()
            .filter(|(id, _)| up(id) && (self.nodes.len() == 1 || Some(*id) != leading))
            .collect();
        if others.is_empty() || leading.is_none() {
            return Err(Status::unavailable("no leader, or no other node"));
        }
        let (id, client) = others[self.turn.fetch_add(1, Ordering::Relaxed) % others.len()];
        let envelope = Envelope {
            caller: Some(actor.caller.clone()),
            gateway: WITNESS.to_owned(),
            method: method.to_owned(),
            call: question.encode_to_vec().into(),
            language: language::tag(self.lang).to_owned(),
            cluster_id: self.cluster_id.clone(),
            timeout_ms: 5000,
            ..Default::default()
        };
        let mut call = Request::new(CallRequest { envelope: Some(envelope) });
        call.set_timeout(Duration::from_secs(5));
        let answer = client.clone().call(call).await?.into_inner();
        self.until_same(*id, answer.index).await?;
        let answer = R::decode(answer.response)
            .map_err(|error| Status::internal(format!("an answer cannot be read: {error}")))?;
        Ok(Look { answer, node: *id })
    }
}

impl Witness {
    /// Waits until `node` holds what the answer at `index` was given from, by its state hash.
    async fn until_same(&self, node: u64, index: u64) -> Result<(), Status> {
        if self.nodes.len() == 1 {
            return Ok(());
        }
        let patience = Instant::now() + PATIENCE;
        loop {
            let statuses = self.statuses().await;
            let own = statuses.iter().find(|(id, _)| *id == node).map(|(_, status)| status);
            let own = own.ok_or_else(|| Status::unavailable("the node that was asked is gone"))?;
            let twin = statuses
                .iter()
                .find(|(id, other)| *id != node && other.applied_index == own.applied_index);
            if let Some((other, twin)) = twin
                && own.applied_index >= index
            {
                if own.state_hash == twin.state_hash {
                    return Ok(());
                }
                return Err(Status::data_loss(format!(
                    "nodes {node} and {other} differ at position {}",
                    own.applied_index
                )));
            }
            if Instant::now() > patience {
                return Err(Status::aborted(format!(
                    "node {node} did not get to position {index}"
                )));
            }
            sleep(LOOK_EVERY).await;
        }
    }
}

/// Whether the same read may succeed in a moment.
fn may_pass(status: &Status) -> bool {
    let problem = Problem::from_status(status);
    matches!(status.code(), Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled)
        || matches!(
            problem.reason,
            Some(Reason::NoLeader | Reason::NotLeader | Reason::OutcomeUnknown)
        )
}
