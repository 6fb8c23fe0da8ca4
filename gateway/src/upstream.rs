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
//! What only looks goes to the nodes in turn: each of them can answer it, having asked the leader
//! how far it must be. What changes something, and what only the leader knows, goes there first.
//!
//! The gateway belongs to one cluster and, within it, follows the greatest pair of generation and
//! epoch that it has seen (`followed`). A node of another cluster, or of an older generation, is not
//! asked; before one node has answered, nobody is. Which nodes there are it learns from them, so
//! that it outlives all those it was configured with; those of several sites are addresses like any.

use std::{
    fmt,
    future::Future,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use catalog_model::{fence::Said, ids::DomainId, reason::Lang, site::Pair};
use luqiao_proto::{
    convert::caller::caller_message,
    ledger::v1::{Cosignature, TreeHead},
    node::v1::{
        AckOutboxRequest, ApplyFeedBatchRequest, CallRequest, Envelope, GetFeedCursorRequest,
        GetHeadStandingRequest, GetHeadStandingResponse, GetNodeStatusRequest,
        GetNodeStatusResponse, ListOutboxRequest, NodeMember, OutboxItem, StreamRequest,
        StreamResponse, TakeCosignatureRequest, TakeHeadRequest,
    },
};
use luqiao_transport::{
    dial::{DialError, Dialer},
    drain::Shutdown,
    identity::InstanceId,
    opening::Opening,
    timeout::BudgetSpent,
};
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};
use tonic::{Request, Status, Streaming};

use crate::{
    config::{Config, NodeConfig},
    policy::Permitted,
    route::Routed,
};

pub mod backoff;
pub mod breaker;
mod followed;
mod nodes;
mod outcome;
pub mod roster;
pub mod round;

use backoff::Backoff;
use followed::{Followed, Follows};
use nodes::{Node, Nodes, Reach};
use outcome::Outcome;
use roster::Roster;
use round::Round;

/// First and longest pause between two rounds through all nodes. An election of the local
/// profile takes about a third of a second.
const PAUSE_FIRST: Duration = Duration::from_millis(20);
const PAUSE_MAX: Duration = Duration::from_millis(400);

/// While no node has answered, they are looked at as often as this.
const FIRST_LOOK: Duration = Duration::from_millis(100);

/// What asks how the nodes stand.
const OF_STATUS: [&str; 2] = [
    "/luqiao.operations.v1.OperationsService/GetStatus",
    "/luqiao.operations.v1.OperationsService/ListMembers",
];

/// What a node says of itself when its state is in doubt.
const QUARANTINED: &str = "quarantined";

/// When a caller may come back after all nodes were in vain.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The nodes of the gateway's domain. Clones share connections and what is known of them.
#[derive(Debug, Clone)]
pub struct Upstream {
    cluster: Arc<Cluster>,
}

struct Cluster {
    gateway: InstanceId,
    reach: Reach,
    /// The nodes that the operator named.
    configured: Vec<NodeConfig>,
    /// Who the members are. Held while `nodes` is replaced, so that the two agree.
    roster: Mutex<Roster>,
    nodes: watch::Sender<Nodes>,
    /// The node that led when we last heard.
    leader: Mutex<Option<InstanceId>>,
    /// Where the next round begins.
    turn: AtomicUsize,
    /// Which opening of which cluster.
    followed: Arc<Mutex<Followed>>,
    /// Whether some node has said how it stands since the start.
    answered: watch::Sender<bool>,
    call_timeout: Duration,
    attempt_timeout: Duration,
    opened: Instant,
}

/// What a node answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The response message.
    pub message: Bytes,
    /// Whether what was changed is held by one site alone.
    pub one_site: bool,
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
    /// Whether the leader is asked before the others.
    leader_first: bool,
    /// Whether it asks how the nodes stand: then those of a past generation are asked too, last.
    of_status: bool,
    /// When the last attempt must be over.
    ends: Instant,
    /// How long one attempt may take if another can follow.
    attempt: Duration,
}

impl Upstream {
    /// Channels to the nodes that `config` names. They connect when they are first used.
    pub fn new(config: &Config, dialer: &Dialer) -> Result<Self, DialError> {
        let followed = Arc::<Mutex<Followed>>::default();
        let reach = Reach {
            domain: config.domain.clone(),
            dialer: dialer.clone(),
            followed: Arc::clone(&followed),
        };
        let roster = Roster::default();
        let nodes = Nodes::begin(roster.places(&config.nodes), &reach)?;
        let cluster = Cluster {
            gateway: config.gateway.clone(),
            reach,
            configured: config.nodes.clone(),
            roster: Mutex::new(roster),
            nodes: watch::Sender::new(nodes),
            leader: Mutex::default(),
            turn: AtomicUsize::new(0),
            followed,
            answered: watch::Sender::new(false),
            call_timeout: config.timeouts.call,
            attempt_timeout: config.timeouts.attempt,
            opened: Instant::now(),
        };
        Ok(Self { cluster: Arc::new(cluster) })
    }

    /// Makes the call and returns the response message, byte for byte.
    pub async fn call(&self, routed: &Routed) -> Result<Answer, CallFailed> {
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
        if manner.changes {
            // Only the leader answers these; it may have done so by way of another.
            self.cluster.heard_of_leader(&response.node);
        }
        Ok(Answer { message: response.response, one_site: response.one_site })
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
            | Outcome::Unsound
            | Outcome::Foreign
            | Outcome::Past
            | Outcome::Outdated
            | Outcome::Unreached
            | Outcome::InDoubt => CallFailed::NoLeader { retry_after: RETRY_AFTER },
        }
    }

    fn manner(&self, permitted: &Permitted) -> Result<Manner, CallFailed> {
        let (received, method) = (permitted.received(), permitted.method());
        let call_timeout = self.cluster.call_timeout;
        let time = match received.budget.for_upstream() {
            Ok(left) => left.unwrap_or(call_timeout).min(call_timeout),
            Err(BudgetSpent) => return Err(CallFailed::TimedOut),
        };
        Ok(Manner {
            repeatable: method.repeatable,
            changes: method.changes,
            leader_first: method.asks_leader(),
            of_status: OF_STATUS.contains(&method.path),
            ends: Instant::now() + time,
            attempt: self.cluster.attempt_timeout,
        })
    }

    fn envelope(&self, permitted: &Permitted, time: Option<Duration>) -> Envelope {
        let received = permitted.received();
        let Opening { cluster, said } = locked(&self.cluster.followed).opening();
        // A gateway that knows no cluster follows nothing yet, and says nothing.
        let pair = (!cluster.is_empty()).then_some(said.heard);
        Envelope {
            caller: Some(caller_message(permitted.caller())),
            gateway: self.cluster.gateway.to_string(),
            received_at: Some(received.received_at.into()),
            method: permitted.method().path.to_owned(),
            call: permitted.call().clone(),
            language: match received.lang {
                Lang::Zh => "zh",
                Lang::En => "en",
            }
            .to_owned(),
            cluster_id: cluster,
            generation: pair.map_or(0, |pair| pair.generation),
            epoch: pair.map_or(0, |pair| pair.epoch),
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

    /// What is owed to `domain`, which is at `peer_level`, after number `after`, waiting up to `wait`
    /// for the first.
    pub async fn outbox(
        &self,
        domain: &DomainId,
        peer_level: u32,
        after: u64,
        limit: u32,
        wait: Duration,
    ) -> Result<Vec<OutboxItem>, CallFailed> {
        let (domain, wait_ms) = (domain.to_string(), wait.as_millis() as u64);
        let request = ListOutboxRequest { domain, after, limit, wait_ms, peer_level };
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

    /// What is held of the ledger of `domain`, and it of ours.
    pub async fn head_standing(
        &self,
        domain: &DomainId,
    ) -> Result<GetHeadStandingResponse, CallFailed> {
        let request = GetHeadStandingRequest { domain: domain.to_string() };
        self.internal(Duration::ZERO, |node, time| {
            let (mut client, request) = (node.calls.clone(), timed(request.clone(), time));
            async move { Ok(client.get_head_standing(request).await?.into_inner()) }
        })
        .await
    }

    /// Another domain's newest head, whose signature was checked, with the way from the one held.
    pub async fn take_head(
        &self,
        head: Option<TreeHead>,
        from: u64,
        path: Vec<Bytes>,
    ) -> Result<(), CallFailed> {
        let request = TakeHeadRequest { head, from, path };
        self.internal(Duration::ZERO, |node, time| {
            let (mut client, request) = (node.calls.clone(), timed(request.clone(), time));
            async move { client.take_head(request).await.map(drop) }
        })
        .await
    }

    /// Another domain's cosignature, which was checked.
    pub async fn take_cosignature(&self, cosignature: Cosignature) -> Result<(), CallFailed> {
        let request = TakeCosignatureRequest { cosignature: Some(cosignature) };
        self.internal(Duration::ZERO, |node, time| {
            let (mut client, request) = (node.calls.clone(), timed(request.clone(), time));
            async move { client.take_cosignature(request).await.map(drop) }
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
            leader_first: true,
            of_status: false,
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
        let mut leader_first = manner.leader_first;
        // Until a node has said how it stands, the gateway does not know what it follows.
        let mut answered = cluster.answered.subscribe();
        let left = manner.ends.saturating_duration_since(Instant::now());
        if !matches!(timeout(left, answered.wait_for(|answered| *answered)).await, Ok(Ok(_))) {
            failed.or_unreachable(cluster, "none has answered since the start");
            return Err(failed);
        }
        loop {
            let nodes = Arc::clone(&cluster.nodes.borrow().asked);
            let mut round = Round::new(nodes.len(), cluster.turn());
            loop {
                let leader = if leader_first { cluster.leader_among(&nodes) } else { None };
                let Some(index) =
                    round.next(leader, |index| nodes[index].is_well(&cluster.followed))
                else {
                    break;
                };
                let node = &*nodes[index];
                let now = Instant::now();
                let left = manner.ends.saturating_duration_since(now);
                if left.is_zero() {
                    return Err(doubt.unwrap_or(failed));
                }
                match node.follows(&cluster.followed) {
                    Follows::Current | Follows::Behind => {}
                    Follows::Past if manner.of_status => {}
                    Follows::Past => {
                        failed.or_unreachable(cluster, "it is of a past generation");
                        continue;
                    }
                    Follows::Foreign => {
                        failed.or_unreachable(cluster, "it is of another cluster");
                        continue;
                    }
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
                tracing::debug!(node = %node.place.id, ?outcome, ?status, "Attempt failed");
                cluster.heed(node, &outcome);
                match outcome {
                    Outcome::Answer => return Err(CallFailed::Refused(expect_status(status))),
                    Outcome::Unfit => return Err(CallFailed::Unfit(expect_status(status))),
                    Outcome::Leaderless { .. } => {
                        failed = CallFailed::NoLeader { retry_after: RETRY_AFTER };
                        leader_first = true;
                    }
                    Outcome::Unsound => {
                        failed.or_unreachable(cluster, "its state is in doubt");
                    }
                    Outcome::Foreign => failed.or_unreachable(cluster, "it refused our cluster"),
                    Outcome::Past => failed.or_unreachable(cluster, "it is fenced"),
                    // It was heard with the answer; the next round says the later one.
                    Outcome::Outdated => failed = CallFailed::NoLeader { retry_after: RETRY_AFTER },
                    Outcome::Unreached => {
                        let status = expect_status(status);
                        let detail = DialError::find(&status)
                            .map_or_else(|| status.to_string(), |error| error.explain(Lang::En));
                        failed.or_unreachable(cluster, &detail);
                    }
                    Outcome::InDoubt => {
                        let detail = status.map_or_else(
                            || format!("node {} did not answer within {time:?}", node.place.id),
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

    /// Looks at every node once in `interval` until the end, to know who is there and who leads,
    /// and at those that join.
    pub async fn watch_nodes(&self, interval: Duration, shutdown: Shutdown) {
        let mut lists = self.cluster.nodes.subscribe();
        let mut watched: Vec<Arc<Node>> = Vec::new();
        loop {
            let nodes = lists.borrow_and_update().clone();
            // A node that is gone ends its own watch.
            watched.retain(|node| nodes.is_watched(node));
            for node in &*nodes.watched {
                if !watched.iter().any(|known| Arc::ptr_eq(known, node)) {
                    watched.push(Arc::clone(node));
                    let (upstream, node) = (self.clone(), Arc::clone(node));
                    let begun = shutdown.begun();
                    drop(shutdown.spawn(async move {
                        tokio::select! {
                            () = upstream.watch_node(&node, interval) => {}
                            () = begun => {}
                        }
                    }));
                }
            }
            if lists.changed().await.is_err() {
                return;
            }
        }
    }

    /// Looks at one node once in `interval` for as long as it is in the list.
    async fn watch_node(&self, node: &Arc<Node>, interval: Duration) {
        let cluster = &*self.cluster;
        while cluster.nodes.borrow().is_watched(node) {
            let mut client = node.calls.clone();
            let looked = timeout(interval, client.get_node_status(GetNodeStatusRequest {})).await;
            let answering = matches!(looked, Ok(Ok(_)));
            if node.answering.swap(answering, Ordering::Relaxed) != answering {
                tracing::info!(node = %node.place.id, answering, "Node seen");
            }
            if let Ok(Ok(status)) = looked {
                locked(&node.breaker).succeeded();
                cluster.introduced(node, status.into_inner());
            } else {
                locked(&node.breaker).failed(cluster.opened.elapsed());
                // Who leads now will be heard from the others.
                cluster.leads_no_more(node);
            }
            // The first answer is waited for by every call.
            let waited_for = !*cluster.answered.borrow();
            sleep(if waited_for { interval.min(FIRST_LOOK) } else { interval }).await;
        }
    }

    /// The witness says that this is the opening that counts, for gateways that are told where it
    /// is. Like a node's word: it only ever leads to a later one.
    pub fn witnessed(&self, pair: Pair) {
        let mut followed = locked(&self.cluster.followed);
        let opening = Opening { said: Said { heard: pair, ..Said::NOTHING }, ..followed.opening() };
        followed.hear(&opening);
    }

    /// Whether some node answered when it was last looked at.
    pub fn is_reachable(&self) -> bool {
        let nodes = Arc::clone(&self.cluster.nodes.borrow().asked);
        nodes.iter().any(|node| node.answering.load(Ordering::Relaxed))
    }
}

impl Cluster {
    /// Where the leader stands among `nodes`.
    fn leader_among(&self, nodes: &[Arc<Node>]) -> Option<usize> {
        let leader = locked(&self.leader);
        let leader = leader.as_ref()?;
        nodes.iter().position(|node| node.place.id == *leader)
    }

    fn leads_no_more(&self, node: &Node) {
        let mut leader = locked(&self.leader);
        // If another has become known meanwhile, it stays.
        if leader.as_ref() == Some(&node.place.id) {
            *leader = None;
        }
    }

    fn turn(&self) -> usize {
        self.turn.fetch_add(1, Ordering::Relaxed)
    }

    fn heard_of_leader(&self, id: &str) {
        let mut leader = locked(&self.leader);
        if leader.as_ref().is_none_or(|known| known.as_str() != id) {
            // Somebody who is not in the list is nobody to begin with.
            *leader = id.parse().ok();
        }
    }

    /// Draws the conclusions for the next call.
    fn heed(&self, node: &Node, outcome: &Outcome) {
        match outcome {
            Outcome::Answer | Outcome::Unfit | Outcome::Outdated => {
                locked(&node.breaker).succeeded();
            }
            Outcome::Leaderless { leader } => {
                locked(&node.breaker).succeeded();
                self.leads_no_more(node);
                if let Some(leader) = leader {
                    self.heard_of_leader(leader);
                }
            }
            Outcome::Unsound => {
                locked(&node.breaker).succeeded();
                // Until it says otherwise when it is looked at.
                node.sound.store(false, Ordering::Relaxed);
                self.leads_no_more(node);
            }
            Outcome::Foreign => {
                tracing::warn!(node = %node.place.id, "Node refused our cluster");
                locked(&node.breaker).failed(self.opened.elapsed());
            }
            Outcome::Past => {
                locked(&node.breaker).succeeded();
                self.leads_no_more(node);
            }
            Outcome::Unreached | Outcome::InDoubt => {
                locked(&node.breaker).failed(self.opened.elapsed());
                self.leads_no_more(node);
            }
        }
    }

    /// A node has told who it is, how it stands, who leads and who else is there.
    fn introduced(&self, node: &Node, status: GetNodeStatusResponse) {
        let before = node.follows(&self.followed);
        let told = followed::told_by(&status);
        locked(&self.followed).hear(&told);
        *locked(&node.told) = Some(told);
        let follows = node.follows(&self.followed);
        if follows != before {
            tracing::warn!(node = %node.place.id, ?follows, "Node changed its cluster or opening");
        }
        self.answered.send_if_modified(|answered| !std::mem::replace(answered, true));
        let ours = matches!(follows, Follows::Current | Follows::Behind);
        let sound = status.standing != QUARANTINED;
        if node.sound.swap(sound, Ordering::Relaxed) != sound {
            tracing::warn!(node = %node.place.id, sound, "Node changed its standing");
        }
        if !ours {
            self.leads_no_more(node);
            return;
        }
        if !status.leader.is_empty() {
            self.heard_of_leader(&status.leader);
        }
        // What is in doubt may be the very rows that name the members.
        if sound {
            self.follow_members(node, status.generation, status.applied_index, &status.members);
        }
    }

    /// Takes in who the members are, and connects to those that are new.
    fn follow_members(&self, node: &Node, generation: u64, applied: u64, members: &[NodeMember]) {
        let mut roster = locked(&self.roster);
        let before = roster.clone();
        match roster.heard(generation, applied, members) {
            Ok(false) => return,
            Ok(true) => {}
            Err(error) => {
                tracing::warn!(node = %node.place.id, %error, "List of members cannot be right");
                return;
            }
        }
        let nodes = self.nodes.borrow().follow(roster.places(&self.configured), &self.reach);
        let Some(nodes) = nodes else {
            tracing::warn!(node = %node.place.id, "None of the members can be reached");
            *roster = before;
            return;
        };
        let ids = |nodes: &[Arc<Node>]| {
            nodes.iter().map(|node| node.place.id.as_str()).collect::<Vec<_>>().join(" ")
        };
        tracing::info!(asked = ids(&nodes.asked), watched = ids(&nodes.watched), "Nodes changed");
        self.nodes.send_replace(nodes);
    }
}

impl CallFailed {
    /// A node could not be reached. That another answers and none leads says more than that.
    fn or_unreachable(&mut self, cluster: &Cluster, detail: &str) {
        if !matches!(self, Self::NoLeader { .. }) {
            *self = Self::Unreachable {
                domain: cluster.reach.domain.clone(),
                detail: detail.to_owned(),
                retry_after: RETRY_AFTER,
            };
        }
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster")
            .field("domain", &self.reach.domain)
            .field("nodes", &self.nodes.borrow().watched)
            .field("leader", &*locked(&self.leader))
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
