//! The handle: how does the rest of the process speak with the node's loop?
//!
//! Cheap to clone. Proposing waits until the command is committed *and* applied here; reading
//! waits until this node holds everything that was committed when the read began. Both are
//! refused by name when they cannot be had now.

use std::{
    sync::{
        Arc,
        mpsc::{SyncSender, TrySendError},
    },
    time::Duration,
};

use bytes::Bytes;
use catalog_model::{
    caller::{Caller, Identity},
    ids::DomainId,
    reason::Reason,
    refusal::Refusal,
    time::UtcMillis,
};
use catalog_replica::RoleKind;
use catalog_state::{
    codec,
    command::{Body, Bootstrap, Command, LEVEL},
    keys,
    rows::ClusterConfig,
    store::Store,
};
use tokio::sync::{oneshot, watch};

use crate::{
    alarms::Alarms,
    clock::StampClock,
    history::{History, Subscription},
    node::{Answered, Input, NodeStatus, no_leader, not_leader, outcome_unknown, overloaded},
    storage::{StateStore, StateView},
};

/// What is to be committed; the handle adds stamp and salt.
#[derive(Debug, Clone)]
pub struct Intent {
    /// Who causes it.
    pub caller: Caller,
    /// When the gateway received the call.
    pub received_at: Option<UtcMillis>,
    /// The caller's idempotency key with the digest of the call, for calls that carry one.
    pub idempotency: Option<(String, [u8; 32])>,
    /// What happens.
    pub body: Body,
}

/// Speaks with one node.
#[derive(Debug, Clone)]
pub struct NodeHandle {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    inputs: SyncSender<Input>,
    status: watch::Receiver<NodeStatus>,
    store: Arc<StateStore>,
    history: Arc<History>,
    clock: Arc<StampClock>,
    alarms: Arc<Alarms>,
    domain: DomainId,
    node: u64,
}

impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Input")
    }
}

impl NodeHandle {
    #[expect(clippy::too_many_arguments, reason = "built in one place, from what was just opened")]
    pub(crate) fn new(
        inputs: SyncSender<Input>,
        status: watch::Receiver<NodeStatus>,
        store: Arc<StateStore>,
        history: Arc<History>,
        clock: Arc<StampClock>,
        alarms: Arc<Alarms>,
        domain: DomainId,
        node: u64,
    ) -> Self {
        Self {
            inner: Arc::new(Inner { inputs, status, store, history, clock, alarms, domain, node }),
        }
    }

    /// Commits a command and answers what came of it, a refusal by the rules included.
    ///
    /// [`Reason::OutcomeUnknown`] says that it may have been committed: the same call with the
    /// same request id tells.
    pub async fn propose(&self, intent: Intent) -> Result<Answered, Refusal> {
        let status = self.status();
        if !status.is_leader() {
            return Err(not_leader(status.replica.leader));
        }
        // A machine without configuration stops at anything but a bootstrap command.
        if !status.bootstrapped && !matches!(intent.body, Body::Bootstrap(_)) {
            return Err(Refusal::new(Reason::NotBootstrapped));
        }
        let command = self.command(intent)?;
        let (waiter, answer) = oneshot::channel();
        self.send(Input::Propose(Bytes::from(command.encode()), waiter))?;
        answer.await.unwrap_or_else(|_| Err(outcome_unknown()))
    }

    fn command(&self, intent: Intent) -> Result<Command, Refusal> {
        let development = self.cluster().is_some_and(|cluster| cluster.development_clock);
        let stamped_at =
            if development { self.inner.clock.committed() } else { self.inner.clock.stamp()? };
        let (request_id, call_digest) = intent.idempotency.unzip();
        Ok(Command {
            level: LEVEL,
            stamped_at,
            received_at: intent.received_at,
            caller: intent.caller,
            request_id,
            call_digest: call_digest.unwrap_or_default(),
            salt: crate::random_bytes(),
            body: intent.body,
        })
    }

    /// Waits until this node, which leads, holds everything that was committed by now. A
    /// [`NodeHandle::view`] taken afterwards is linearizable.
    pub async fn read(&self) -> Result<u64, Refusal> {
        let (waiter, answer) = oneshot::channel();
        self.send(Input::Read(waiter))?;
        answer.await.unwrap_or_else(|_| Err(no_leader()))
    }

    /// The state as this node has applied it, for the time of `look`. Blocks on the disk.
    pub fn view<T>(&self, look: impl FnOnce(&StateView<'_>) -> T) -> T {
        look(&self.inner.store.view())
    }

    /// Like [`NodeHandle::view`], on a thread where blocking holds up nobody.
    pub async fn look<T, F>(&self, look: F) -> T
    where
        T: Send + 'static,
        F: FnOnce(&StateView<'_>) -> T + Send + 'static,
    {
        let store = Arc::clone(&self.inner.store);
        match tokio::task::spawn_blocking(move || look(&store.view())).await {
            Ok(seen) => seen,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime ends, and whoever waits here ends with it.
                Err(_cancelled) => std::future::pending().await,
            },
        }
    }

    /// What was fixed when the cluster was created; `None` before that.
    pub fn cluster(&self) -> Option<ClusterConfig> {
        let bytes = self.inner.store.get(keys::meta::cluster().as_slice())?;
        Some(codec::decode(&bytes).expect("the configuration was written by this program"))
    }

    /// How the node stands.
    pub fn status(&self) -> NodeStatus {
        self.inner.status.borrow().clone()
    }

    /// Follows how the node stands.
    pub fn watch_status(&self) -> watch::Receiver<NodeStatus> {
        self.inner.status.clone()
    }

    /// Follows what is committed after entry `after`; from now on if it is `None`.
    pub fn subscribe(&self, after: Option<u64>) -> Subscription {
        self.inner.history.subscribe(after)
    }

    /// Waits until entry `index` is applied here.
    pub async fn wait_applied(&self, index: u64) -> Result<(), Refusal> {
        let mut applied = self.inner.history.applied();
        applied.wait_for(|applied| *applied >= index).await.map(drop).map_err(|_| no_leader())
    }

    /// Hands leadership to `to`, or to the node that is most caught up, and waits until somebody
    /// else leads. Bounded by the caller.
    pub async fn transfer_leader(&self, to: Option<u64>) -> Result<u64, Refusal> {
        let own = self.inner.node;
        let (waiter, answer) = oneshot::channel();
        self.send(Input::Transfer(to, waiter))?;
        answer.await.unwrap_or_else(|_| Err(no_leader()))?;
        let mut status = self.inner.status.clone();
        let changed = status
            .wait_for(|status| {
                !status.running || status.replica.leader.is_some_and(|leader| leader != own)
            })
            .await
            .map_err(|_| no_leader())?;
        changed.replica.leader.ok_or_else(no_leader)
    }

    /// Creates the cluster's configuration, once. Waits for this node to lead or to know who does.
    pub async fn bootstrap(&self, bootstrap: Bootstrap) -> Result<(), Refusal> {
        let mut status = self.inner.status.clone();
        status
            .wait_for(|status| !status.running || status.replica.leader.is_some())
            .await
            .map_err(|_| no_leader())?;
        if self.status().bootstrapped {
            return Err(Refusal::new(Reason::AlreadyBootstrapped));
        }
        let intent = Intent {
            caller: self.own_identity(),
            received_at: None,
            idempotency: None,
            body: Body::Bootstrap(Box::new(bootstrap)),
        };
        let answered = self.propose(intent).await?;
        if let Some(refusal) = answered.applied.outcome.refusal() {
            return Err(refusal.clone());
        }
        status
            .wait_for(|status| !status.running || status.bootstrapped)
            .await
            .map(drop)
            .map_err(|_| no_leader())
    }

    /// Waits until `role` is what this node is; for tests and start-up.
    pub async fn wait_role(&self, role: RoleKind) -> Result<(), Refusal> {
        let mut status = self.inner.status.clone();
        let reached = status
            .wait_for(|status| !status.running || status.replica.role == role)
            .await
            .map_err(|_| no_leader())?;
        if reached.running { Ok(()) } else { Err(no_leader()) }
    }

    /// This node as a caller: clock and housekeeping.
    pub fn own_identity(&self) -> Caller {
        Caller {
            domain: self.inner.domain.clone(),
            identity: Identity::Node { id: self.inner.node.to_string() },
        }
    }

    /// This node's id.
    pub fn id(&self) -> u64 {
        self.inner.node
    }

    /// The domain that this node serves.
    pub fn domain(&self) -> &DomainId {
        &self.inner.domain
    }

    /// The clock that stamps.
    pub fn clock(&self) -> &StampClock {
        &self.inner.clock
    }

    /// This node's alarms.
    pub fn alarms(&self) -> &Alarms {
        &self.inner.alarms
    }

    pub(crate) fn store(&self) -> &Arc<StateStore> {
        &self.inner.store
    }

    /// Messages of another node; dropped if the loop is behind, which Raft is made for.
    pub(crate) fn deliver(&self, messages: Vec<raft::eraftpb::Message>) {
        if self.inner.inputs.try_send(Input::Messages(messages)).is_err() {
            tracing::debug!("Peer messages dropped");
        }
    }

    fn send(&self, input: Input) -> Result<(), Refusal> {
        self.inner.inputs.try_send(input).map_err(|error| match error {
            TrySendError::Full(_) => overloaded(),
            TrySendError::Disconnected(_) => Refusal::new(Reason::Draining)
                .retry_after(u64::try_from(DRAINING_RETRY.as_millis()).unwrap_or(u64::MAX)),
        })
    }
}

/// What callers of a node that has stopped are advised to wait.
const DRAINING_RETRY: Duration = Duration::from_millis(200);
