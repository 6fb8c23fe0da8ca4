//! Upstream: how does a call reach a node that can answer it, while nodes come and go?
//!
//! A node that does not lead passes a call on to the one that does, so any node will do; asking
//! the leader first saves the hop. If a node cannot be reached, does not know a leader, or falls
//! silent, the next one is asked, round by round with growing pauses, until the caller's time is
//! over. That is safe for reads, and for writes that carry a `request_id`: the state machine
//! keeps the first outcome and answers a repetition with it. Other calls are repeated only if it
//! is certain that the first attempt never arrived.
//!
//! What cannot be known is said: a write whose last attempt may have taken effect ends as
//! *outcome unknown*, never as *unavailable*.
//!
//! The gateway belongs to one cluster and, within it, to the highest generation that it has heard
//! of. A node of another cluster, or of an older generation, is not asked.

use std::{
    fmt,
    future::Future,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use catalog_model::{ids::DomainId, reason::Lang};
use luqiao_proto::{
    convert::caller::caller_message,
    node::v1::{
        AckOutboxRequest, ApplyFeedBatchRequest, CallRequest, Envelope, GetFeedCursorRequest,
        GetNodeStatusRequest, GetNodeStatusResponse, ListOutboxRequest, OutboxItem, StreamRequest,
        StreamResponse, node_service_client::NodeServiceClient,
    },
};
use luqiao_transport::{
    dial::{DialError, Dialer, PEER_MESSAGE_BYTES_MAX, Target},
    identity::{InstanceId, SpiffeId, Subject},
    timeout::BudgetSpent,
    tls::Expectation,
};
use tokio::time::{Instant, sleep, timeout};
use tonic::{Request, Status, Streaming, transport::Channel};

use crate::{config::Config, policy::Permitted, route::Routed};

pub mod backoff;
pub mod breaker;
mod outcome;

use backoff::Backoff;
use breaker::Breaker;
use outcome::Outcome;

/// First and longest pause between two rounds through all nodes. An election of the local
/// profile takes about a third of a second.
const PAUSE_FIRST: Duration = Duration::from_millis(20);
const PAUSE_MAX: Duration = Duration::from_millis(400);

/// When a caller may come back after all nodes were in vain.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// No node is known to lead.
const NOBODY: usize = usize::MAX;

/// The nodes of the gateway's domain. Clones share connections and what is known of them.
#[derive(Debug, Clone)]
pub struct Upstream {
    cluster: Arc<Cluster>,
}

struct Cluster {
    domain: DomainId,
    gateway: InstanceId,
    /// Invariant: not empty.
    nodes: Vec<Node>,
    /// Index of the node that led when we last heard.
    leader: AtomicUsize,
    /// Where the next round begins if no leader is known.
    turn: AtomicUsize,
    known: Mutex<Known>,
    call_timeout: Duration,
    attempt_timeout: Duration,
    opened: Instant,
}

struct Node {
    id: InstanceId,
    calls: NodeServiceClient<Channel>,
    /// A connection of their own, so that streams never take the calls' places.
    streams: NodeServiceClient<Channel>,
    breaker: Mutex<Breaker>,
    /// Whether it answered when it was last looked at.
    answering: AtomicBool,
    /// Whether it belongs to another cluster or to an older generation.
    foreign: AtomicBool,
}

/// The cluster as it introduced itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Known {
    /// Empty until a node has answered.
    cluster_id: String,
    /// The highest that was heard.
    generation: u64,
}

/// Why a call has no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CallFailed {
    /// A node answered, with a refusal that is meant for the caller.
    #[error("refused: {}", .0.message())]
    Refused(Status),
    /// A node answered something that is not meant for callers.
    #[error("a node answered {:?}: {}", .0.code(), .0.message())]
    Unfit(Status),
    /// Nodes answer, but none leads.
    #[error("no leader")]
    NoLeader {
        /// When the caller may come back.
        retry_after: Duration,
    },
    /// No node can be reached.
    #[error("no node of domain {domain} can be reached: {detail}")]
    Unreachable {
        /// Our own domain.
        domain: DomainId,
        /// What the last attempt met.
        detail: String,
        /// When the caller may come back.
        retry_after: Duration,
    },
    /// An attempt may have taken effect, and no later one could find out.
    #[error("the outcome is not known: {detail}")]
    OutcomeUnknown {
        /// What became of the attempt.
        detail: String,
    },
    /// The caller's time is over and nothing was done.
    #[error("time is over")]
    TimedOut,
}

/// How a call may be tried.
#[derive(Debug, Clone, Copy)]
struct Manner {
    /// Whether it may be made twice and takes effect once.
    repeatable: bool,
    /// Whether it can change anything.
    changes: bool,
    /// When the last attempt must be over.
    ends: Instant,
    /// How long one attempt may take if another can follow.
    attempt: Duration,
}

impl Upstream {
    /// Channels to the nodes that `config` names. They connect when they are first used.
    pub fn new(config: &Config, dialer: &Dialer) -> Result<Self, DialError> {
        let nodes = config.nodes.iter().map(|node| {
            let expected = SpiffeId {
                domain: config.domain.clone(),
                subject: Subject::Node { id: node.id.clone() },
            };
            let mut target = Target::new(&node.endpoint).expecting(Expectation::exactly(expected));
            target.server_name.clone_from(&node.server_name);
            let client = || {
                Ok(NodeServiceClient::new(dialer.channel(&target)?)
                    .max_decoding_message_size(PEER_MESSAGE_BYTES_MAX)
                    .max_encoding_message_size(PEER_MESSAGE_BYTES_MAX))
            };
            Ok(Node {
                id: node.id.clone(),
                calls: client()?,
                streams: client()?,
                breaker: Mutex::default(),
                answering: AtomicBool::new(false),
                foreign: AtomicBool::new(false),
            })
        });
        let cluster = Cluster {
            domain: config.domain.clone(),
            gateway: config.gateway.clone(),
            nodes: nodes.collect::<Result<_, DialError>>()?,
            leader: AtomicUsize::new(NOBODY),
            turn: AtomicUsize::new(0),
            known: Mutex::default(),
            call_timeout: config.timeouts.call,
            attempt_timeout: config.timeouts.attempt,
            opened: Instant::now(),
        };
        Ok(Self { cluster: Arc::new(cluster) })
    }

    /// Makes the call and returns the response message, byte for byte.
    pub async fn call(&self, routed: &Routed) -> Result<Bytes, CallFailed> {
        let permitted = routed.permitted();
        let manner = self.manner(permitted)?;
        let response = self
            .ask(manner, |node, time| {
                let envelope = self.envelope(permitted, Some(time));
                let mut client = node.calls.clone();
                async move {
                    let mut request = Request::new(CallRequest { envelope: Some(envelope) });
                    request.set_timeout(time);
                    client.call(request).await
                }
            })
            .await?
            .into_inner();
        self.heard_of_leader(&response.node);
        Ok(response.response)
    }

    /// Opens the stream. Once it has begun it is not repeated: the caller knows where it stood.
    pub async fn stream(&self, routed: &Routed) -> Result<Streaming<StreamResponse>, CallFailed> {
        let permitted = routed.permitted();
        let manner = self.manner(permitted)?;
        let response = self
            .ask(manner, |node, _| {
                let envelope = self.envelope(permitted, None);
                let mut client = node.streams.clone();
                async move { client.stream(StreamRequest { envelope: Some(envelope) }).await }
            })
            .await?;
        Ok(response.into_inner())
    }

    /// What a stream that had begun and ended with `status` tells the caller: to come again.
    pub fn broken_stream(status: &Status) -> CallFailed {
        match outcome::of(status) {
            Outcome::Answer => CallFailed::Refused(status.clone()),
            Outcome::Unfit => CallFailed::Unfit(status.clone()),
            Outcome::Leaderless { .. }
            | Outcome::Foreign
            | Outcome::Unreached
            | Outcome::InDoubt => CallFailed::NoLeader { retry_after: RETRY_AFTER },
        }
    }

    fn manner(&self, permitted: &Permitted) -> Result<Manner, CallFailed> {
        let received = permitted.received();
        let call_timeout = self.cluster.call_timeout;
        let time = match received.budget.for_upstream() {
            Ok(left) => left.unwrap_or(call_timeout).min(call_timeout),
            Err(BudgetSpent) => return Err(CallFailed::TimedOut),
        };
        Ok(Manner {
            repeatable: received.method.repeatable,
            changes: received.method.changes,
            ends: Instant::now() + time,
            attempt: self.cluster.attempt_timeout,
        })
    }

    fn envelope(&self, permitted: &Permitted, time: Option<Duration>) -> Envelope {
        let received = permitted.received();
        let Known { cluster_id, generation } = locked(&self.cluster.known).clone();
        Envelope {
            caller: Some(caller_message(permitted.caller())),
            gateway: self.cluster.gateway.to_string(),
            received_at: Some(received.received_at.into()),
            method: received.method.path.to_owned(),
            call: permitted.call().clone(),
            language: match received.lang {
                Lang::Zh => "zh",
                Lang::En => "en",
            }
            .to_owned(),
            cluster_id,
            generation,
            epoch: 0,
            // 0 for streams: they last as long as they are listened to.
            timeout_ms: time.map_or(0, |time| time.as_millis() as u64),
            forwarded: 0,
        }
    }
}

/// What the links ask of their own cluster. All of it may be repeated: cursor and outbox are
/// compared or named by number.
impl Upstream {
    /// Where our copy of `domain`'s feed stands; empty at the beginning.
    pub async fn feed_cursor(&self, domain: &DomainId, scope: i32) -> Result<Bytes, CallFailed> {
        let request = GetFeedCursorRequest { domain: domain.to_string(), scope };
        self.internal(Duration::ZERO, |node, time| {
            let (mut client, request) = (node.calls.clone(), timed(request.clone(), time));
            async move { Ok(client.get_feed_cursor(request).await?.into_inner().token) }
        })
        .await
    }

    /// Applies a batch if the copy stands at `expected`; returns where it stands then.
    pub async fn apply_feed_batch(
        &self,
        domain: &DomainId,
        expected: Bytes,
        batch: Bytes,
    ) -> Result<Bytes, CallFailed> {
        let request = ApplyFeedBatchRequest { domain: domain.to_string(), expected, batch };
        self.internal(Duration::ZERO, |node, time| {
            let (mut client, request) = (node.calls.clone(), timed(request.clone(), time));
            async move { Ok(client.apply_feed_batch(request).await?.into_inner().token) }
        })
        .await
    }

    /// What is owed to `domain` after number `after`, waiting up to `wait` for the first.
    pub async fn outbox(
        &self,
        domain: &DomainId,
        after: u64,
        limit: u32,
        wait: Duration,
    ) -> Result<Vec<OutboxItem>, CallFailed> {
        let wait_ms = wait.as_millis() as u64;
        let request = ListOutboxRequest { domain: domain.to_string(), after, limit, wait_ms };
        self.internal(wait, |node, time| {
            // It may wait long: beside the other streams, not among the calls.
            let (mut client, request) = (node.streams.clone(), timed(request.clone(), time));
            async move { Ok(client.list_outbox(request).await?.into_inner().items) }
        })
        .await
    }

    /// `domain` has everything up to number `through`.
    pub async fn ack_outbox(&self, domain: &DomainId, through: u64) -> Result<(), CallFailed> {
        let request = AckOutboxRequest { domain: domain.to_string(), through };
        self.internal(Duration::ZERO, |node, time| {
            let (mut client, request) = (node.calls.clone(), timed(request.clone(), time));
            async move { client.ack_outbox(request).await.map(drop) }
        })
        .await
    }

    async fn internal<T, F>(
        &self,
        wait: Duration,
        attempt: impl Fn(&Node, Duration) -> F,
    ) -> Result<T, CallFailed>
    where
        F: Future<Output = Result<T, Status>>,
    {
        let manner = Manner {
            repeatable: true,
            changes: false,
            ends: Instant::now() + wait + self.cluster.call_timeout,
            attempt: wait + self.cluster.attempt_timeout,
        };
        self.ask(manner, attempt).await
    }
}

impl Upstream {
    /// Asks node after node until one answers or the time is over.
    async fn ask<T, F>(
        &self,
        manner: Manner,
        attempt: impl Fn(&Node, Duration) -> F,
    ) -> Result<T, CallFailed>
    where
        F: Future<Output = Result<T, Status>>,
    {
        let cluster = &*self.cluster;
        let mut backoff = Backoff::new(PAUSE_FIRST, PAUSE_MAX);
        let mut failed = CallFailed::TimedOut;
        let mut doubt = None;
        loop {
            let mut round = Round::new(cluster.nodes.len(), cluster.turn());
            while let Some(index) = round.next(cluster.leader()) {
                let node = &cluster.nodes[index];
                let now = Instant::now();
                let left = manner.ends.saturating_duration_since(now);
                if left.is_zero() {
                    return Err(doubt.unwrap_or(failed));
                }
                if node.foreign.load(Ordering::Relaxed) {
                    failed.or_unreachable(cluster, "it is of another cluster or generation");
                    continue;
                }
                if !locked(&node.breaker).try_pass(now - cluster.opened) {
                    failed.or_unreachable(cluster, "it failed several times in a row");
                    continue;
                }
                let time = if manner.repeatable { left.min(manner.attempt) } else { left };
                let status = match timeout(time, attempt(node, time)).await {
                    Ok(Ok(answer)) => {
                        locked(&node.breaker).succeeded();
                        return Ok(answer);
                    }
                    Ok(Err(status)) => Some(status),
                    Err(_) => None,
                };
                let outcome = status.as_ref().map_or(Outcome::InDoubt, outcome::of);
                tracing::debug!(node = %node.id, ?outcome, ?status, "Attempt failed");
                cluster.heed(index, &outcome);
                match outcome {
                    Outcome::Answer => return Err(CallFailed::Refused(expect_status(status))),
                    Outcome::Unfit => return Err(CallFailed::Unfit(expect_status(status))),
                    Outcome::Leaderless { .. } => {
                        failed = CallFailed::NoLeader { retry_after: RETRY_AFTER };
                    }
                    Outcome::Foreign => failed.or_unreachable(cluster, "it refused our cluster"),
                    Outcome::Unreached => {
                        let status = expect_status(status);
                        let detail = DialError::find(&status)
                            .map_or_else(|| status.to_string(), |error| error.explain(Lang::En));
                        failed.or_unreachable(cluster, &detail);
                    }
                    Outcome::InDoubt => {
                        let detail = status.map_or_else(
                            || format!("node {} did not answer within {time:?}", node.id),
                            |status| status.message().to_owned(),
                        );
                        if manner.changes {
                            doubt = Some(CallFailed::OutcomeUnknown { detail });
                        } else {
                            failed.or_unreachable(cluster, &detail);
                        }
                        if !manner.repeatable {
                            return Err(doubt.unwrap_or(failed));
                        }
                    }
                }
            }
            let pause = backoff.pause(fastrand::f64());
            if manner.ends.saturating_duration_since(Instant::now()) <= pause {
                return Err(doubt.unwrap_or(failed));
            }
            sleep(pause).await;
        }
    }

    /// Looks at one node for ever, once in `interval`, to know who leads and who is there.
    pub async fn watch_node(&self, index: usize, interval: Duration) {
        loop {
            let node = &self.cluster.nodes[index];
            let mut client = node.calls.clone();
            let looked = timeout(interval, client.get_node_status(GetNodeStatusRequest {})).await;
            let answering = matches!(looked, Ok(Ok(_)));
            if node.answering.swap(answering, Ordering::Relaxed) != answering {
                tracing::info!(node = %node.id, answering, "Node seen");
            }
            if let Ok(Ok(status)) = looked {
                locked(&node.breaker).succeeded();
                self.cluster.introduced(index, status.into_inner());
            } else {
                locked(&node.breaker).failed(self.cluster.opened.elapsed());
                // Who leads now will be heard from the others.
                self.cluster.leads_no_more(index);
            }
            sleep(interval).await;
        }
    }

    /// How many nodes there are to watch.
    pub fn node_count(&self) -> usize {
        self.cluster.nodes.len()
    }

    /// Whether some node answered when it was last looked at.
    pub fn is_reachable(&self) -> bool {
        self.cluster.nodes.iter().any(|node| node.answering.load(Ordering::Relaxed))
    }

    fn heard_of_leader(&self, id: &str) {
        self.cluster.heard_of_leader(id);
    }
}

impl Cluster {
    fn leader(&self) -> Option<usize> {
        let index = self.leader.load(Ordering::Relaxed);
        (index != NOBODY).then_some(index)
    }

    fn leads_no_more(&self, index: usize) {
        // If another has become known meanwhile, it stays.
        let relaxed = Ordering::Relaxed;
        let _ = self.leader.compare_exchange(index, NOBODY, relaxed, relaxed);
    }

    fn turn(&self) -> usize {
        self.turn.fetch_add(1, Ordering::Relaxed)
    }

    fn heard_of_leader(&self, id: &str) {
        if let Some(index) = self.nodes.iter().position(|node| node.id.as_str() == id) {
            self.leader.store(index, Ordering::Relaxed);
        }
    }

    /// Draws the conclusions for the next call.
    fn heed(&self, index: usize, outcome: &Outcome) {
        let node = &self.nodes[index];
        match outcome {
            Outcome::Answer | Outcome::Unfit => locked(&node.breaker).succeeded(),
            Outcome::Leaderless { leader } => {
                locked(&node.breaker).succeeded();
                self.leads_no_more(index);
                if let Some(leader) = leader {
                    self.heard_of_leader(leader);
                }
            }
            Outcome::Foreign => {
                tracing::warn!(node = %node.id, "Node refused our cluster or generation");
                locked(&node.breaker).failed(self.opened.elapsed());
            }
            Outcome::Unreached | Outcome::InDoubt => {
                locked(&node.breaker).failed(self.opened.elapsed());
                self.leads_no_more(index);
            }
        }
    }

    /// A node has told who it is and who leads.
    fn introduced(&self, index: usize, status: GetNodeStatusResponse) {
        let node = &self.nodes[index];
        let heard = Known { cluster_id: status.cluster_id, generation: status.generation };
        let ours = locked(&self.known).heard(heard);
        if node.foreign.swap(!ours, Ordering::Relaxed) == ours {
            tracing::warn!(node = %node.id, ours, "Node changed its cluster or generation");
        }
        if ours && !status.leader.is_empty() {
            self.heard_of_leader(&status.leader);
        }
    }
}

impl CallFailed {
    /// A node could not be reached. That another answers and none leads says more than that.
    fn or_unreachable(&mut self, cluster: &Cluster, detail: &str) {
        if !matches!(self, Self::NoLeader { .. }) {
            *self = Self::Unreachable {
                domain: cluster.domain.clone(),
                detail: detail.to_owned(),
                retry_after: RETRY_AFTER,
            };
        }
    }
}

impl Known {
    /// Whether a node that says so is to be asked. A generation is never left for an older one.
    fn heard(&mut self, heard: Self) -> bool {
        if heard.cluster_id.is_empty() {
            // Not bootstrapped: it says so itself when it is asked.
            return true;
        }
        if self.cluster_id.is_empty() {
            *self = heard;
            return true;
        }
        self.generation = self.generation.max(if heard.cluster_id == self.cluster_id {
            heard.generation
        } else {
            0
        });
        heard == *self
    }
}

/// One round through the nodes: the leader first if it is known, each at most once.
#[derive(Debug)]
struct Round {
    asked: Vec<bool>,
    turn: usize,
}

impl Round {
    fn new(nodes: usize, turn: usize) -> Self {
        Self { asked: vec![false; nodes], turn: turn % nodes }
    }

    /// Whom to ask next; `leader` may have become known since.
    fn next(&mut self, leader: Option<usize>) -> Option<usize> {
        let nodes = self.asked.len();
        let in_turn = (0..nodes).map(|step| (self.turn + step) % nodes);
        let next = leader.into_iter().chain(in_turn).find(|index| !self.asked[*index])?;
        self.asked[next] = true;
        Some(next)
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster")
            .field("domain", &self.domain)
            .field("nodes", &self.nodes.iter().map(|node| node.id.as_str()).collect::<Vec<_>>())
            .field("leader", &self.leader())
            .finish_non_exhaustive()
    }
}

fn timed<T>(message: T, time: Duration) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(time);
    request
}

fn expect_status(status: Option<Status>) -> Status {
    status.expect("a silent node gives no answer to classify")
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What these locks guard is replaced as a whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
