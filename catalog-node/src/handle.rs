//! The handle: how does the rest of the process speak with the node's loop?
//!
//! Cheap to clone. Proposing waits until the command is committed *and* applied here; reading
//! waits until this node holds everything that was committed when the read began. Both are
//! refused by name when they cannot be had now.

use std::{
    sync::{Arc, OnceLock},
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
use catalog_replica::{RaftChange, RoleKind};
use catalog_state::{
    codec,
    command::{Body, Bootstrap, CLOCK_PORTION, Command, LEVEL, MemberChange},
    keys,
    rows::{ClusterConfig, Member, MemberRole, Members},
    store::Store,
    view::View,
};
use luqiao_proto::peer::v1::{
    PrepareLeadershipRequest, StateMark, peer_service_client::PeerServiceClient,
};
use tokio::{
    sync::{oneshot, watch},
    time::{Instant, sleep, timeout, timeout_at},
};
use tonic::Code;

use crate::{
    alarms::Alarms,
    clock::StampClock,
    handover::{self, Fitness},
    history::{History, Subscription},
    inbox::Full,
    node::{
        Answered, FromPeer, NodeInbox, NodeStatus, Report, Wish, disk_nearly_full, draining,
        leadership_moved, no_leader, not_leader, outcome_unknown, overloaded, quarantined,
    },
    peers::{Peers, read_index::FollowerReads},
    standing::Standing,
    storage::{IdentityFile, StateCell, StateStore, StateView, StorageError},
};

/// The level from which on the state names the members.
const MEMBERS_LEVEL: u32 = 2;

/// The level from which on a leader tells other nodes what is committed.
const READ_INDEX_LEVEL: u32 = 2;

/// What a mark counts for in the inbox, in bytes.
const MARK_BYTES: usize = 64;

/// How long a read waits for somebody to lead: two elections.
const READ_PATIENCE: Duration = Duration::from_secs(3);

/// How long a node may take to say whether it is fit to lead.
const PREPARE_WAIT: Duration = Duration::from_secs(1);

/// Pause before a read is tried again after leadership moved.
const AGAIN: Duration = Duration::from_millis(2);

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

/// What a handle is made of.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) inbox: Arc<NodeInbox>,
    pub(crate) status: watch::Receiver<NodeStatus>,
    pub(crate) cell: Arc<StateCell>,
    pub(crate) identity_file: Arc<IdentityFile>,
    pub(crate) history: Arc<History>,
    pub(crate) clock: Arc<StampClock>,
    pub(crate) alarms: Arc<Alarms>,
    pub(crate) standing: Arc<Standing>,
    pub(crate) peers: Arc<Peers>,
    pub(crate) follower_reads: Arc<FollowerReads>,
    pub(crate) domain: DomainId,
    pub(crate) node: u64,
    /// As configured; other nodes may reach it elsewhere.
    pub(crate) own_address: String,
}

#[derive(Debug)]
struct Inner {
    parts: Parts,
    /// Whether the clock is moved by hand: fixed when the cluster was created.
    development: OnceLock<bool>,
}

/// A command that was handed in.
#[derive(Debug)]
pub(crate) struct Begun(oneshot::Receiver<Result<Answered, Refusal>>);

impl Begun {
    /// What came of it, once it is committed and applied here.
    pub(crate) async fn answer(self) -> Result<Answered, Refusal> {
        self.0.await.unwrap_or_else(|_| Err(outcome_unknown()))
    }
}

impl NodeHandle {
    pub(crate) fn new(parts: Parts) -> Self {
        Self { inner: Arc::new(Inner { parts, development: OnceLock::new() }) }
    }

    fn parts(&self) -> &Parts {
        &self.inner.parts
    }

    /// Commits a command and answers what came of it, a refusal by the rules included.
    ///
    /// [`Reason::OutcomeUnknown`] says that it may have been committed: the same call with the
    /// same request id tells.
    pub async fn propose(&self, intent: Intent) -> Result<Answered, Refusal> {
        self.begin(intent)?.answer().await
    }

    /// Hands a command in, behind all that was handed in before; what comes of it is asked of what
    /// is returned.
    pub(crate) fn begin(&self, intent: Intent) -> Result<Begun, Refusal> {
        {
            let status = self.parts().status.borrow();
            if !status.is_leader() {
                return Err(not_leader(status.replica.leader));
            }
            // A machine without configuration stops at anything but a bootstrap command.
            if !status.bootstrapped && !matches!(intent.body, Body::Bootstrap(_)) {
                return Err(Refusal::new(Reason::NotBootstrapped));
            }
        }
        self.admit(&intent.body)?;
        let command = Bytes::from(self.command(intent)?.encode());
        let (waiter, answer) = oneshot::channel();
        let bytes = command.len();
        self.ask(Wish::Propose(command, waiter), bytes)?;
        Ok(Begun(answer))
    }

    /// The members as this node has applied them, with their version; before the state names any,
    /// those whom Raft knows at the addresses in use.
    pub(crate) fn members(&self) -> Members {
        if let Some(members) = self.view(|state| View(state).members()) {
            return members;
        }
        let membership = &self.status().replica.membership;
        let mut addresses = self.parts().peers.addresses();
        addresses.insert(self.id(), self.parts().own_address.clone());
        let member = |id: u64, role| Member {
            id,
            address: addresses.get(&id).cloned().unwrap_or_default(),
            role,
        };
        let voters = membership.voters.iter().map(|id| member(*id, MemberRole::Voter));
        let learners = membership.learners.iter().map(|id| member(*id, MemberRole::Learner));
        Members::first(&voters.chain(learners).collect::<Vec<_>>())
    }

    /// Commits a change of the members. It has taken effect if the outcome is
    /// [`Outcome::MembersChanged`](catalog_state::outcome::Outcome::MembersChanged), and is
    /// completed by whoever leads then.
    pub(crate) async fn change_members(
        &self,
        caller: Caller,
        idempotency: Option<(String, [u8; 32])>,
        change: MemberChange,
    ) -> Result<Answered, Refusal> {
        let status = self.status();
        if !status.is_leader() {
            return Err(not_leader(status.replica.leader));
        }
        let for_raft = match &change {
            MemberChange::AddLearner { id, .. } => RaftChange::AddLearner(*id),
            MemberChange::Promote { id } => RaftChange::Promote(*id),
            MemberChange::Remove { id } => RaftChange::Remove(*id),
            MemberChange::Replace { out, replacement } => {
                RaftChange::Replace { outgoing: *out, incoming: *replacement }
            }
            MemberChange::Finish => RaftChange::Finish,
        };
        let members = self.members();
        let body =
            Body::ChangeMembers { version: members.version, change, current: members.members };
        self.admit(&body)?;
        let intent = Intent { caller, received_at: None, idempotency, body };
        let command = Bytes::from(self.command(intent)?.encode());
        let (waiter, answer) = oneshot::channel();
        self.report(Report::ChangeMembers { change: for_raft, command, waiter });
        answer.await.unwrap_or_else(|_| Err(outcome_unknown()))
    }

    /// Whether this node, which leads, may take `body` now.
    pub(crate) fn admit(&self, body: &Body) -> Result<(), Refusal> {
        let parts = self.parts();
        if parts.standing.quarantined() {
            return Err(quarantined());
        }
        // What ends an outage, or moves it elsewhere, must get through.
        let housekeeping = matches!(
            body,
            Body::RecordOutage { .. } | Body::ChangeMembers { .. } | Body::AdvanceClock { .. }
        );
        if parts.standing.disk_nearly_full() && !housekeeping {
            return Err(disk_nearly_full(parts.node));
        }
        let needed = body.level();
        if needed > 1 && !matches!(body, Body::Bootstrap(_) | Body::RaiseLevel { .. }) {
            let level = View(&*parts.cell.current()).level();
            if needed > level {
                return Err(Refusal::new(Reason::LevelTooLow)
                    .fact("needed", needed)
                    .fact("level", level));
            }
        }
        Ok(())
    }

    /// The command that carries `intent`, stamped with the time and with the level that it needs.
    pub(crate) fn command(&self, intent: Intent) -> Result<Command, Refusal> {
        let clock = &self.parts().clock;
        let stamped_at = if self.development() { clock.committed() } else { clock.stamp()? };
        let (request_id, call_digest) = intent.idempotency.unzip();
        Ok(Command {
            level: intent.body.level(),
            stamped_at,
            received_at: intent.received_at,
            caller: intent.caller,
            request_id,
            call_digest: call_digest.unwrap_or_default(),
            salt: crate::random_bytes(),
            body: intent.body,
        })
    }

    /// How much of what is due one command may do, where the cluster knows of portions.
    pub(crate) fn clock_portion(&self) -> Option<u16> {
        let level = View(&*self.parts().cell.current()).level();
        (level >= 3).then_some(CLOCK_PORTION)
    }

    fn development(&self) -> bool {
        if let Some(development) = self.inner.development.get() {
            return *development;
        }
        let Some(cluster) = self.cluster() else { return false };
        *self.inner.development.get_or_init(|| cluster.development_clock)
    }

    /// Waits until this node holds everything that was committed by now, whoever leads. A
    /// [`NodeHandle::view`] taken afterwards is linearizable.
    ///
    /// Each attempt is a new one: a confirmation that leadership outran is never used.
    pub async fn read(&self) -> Result<u64, Refusal> {
        let until = Instant::now() + READ_PATIENCE;
        loop {
            let refused = match self.read_once().await {
                Err(refusal) if leadership_moved(refusal.reason) && !self.must_ask_elsewhere() => {
                    refusal
                }
                done => return done,
            };
            let mut status = self.watch_status();
            let settled = async {
                sleep(AGAIN).await;
                let known = status
                    .wait_for(|status| !status.running || status.replica.leader.is_some())
                    .await;
                known.is_ok_and(|status| status.running)
            };
            if !timeout_at(until, settled).await.unwrap_or(false) {
                return Err(refused);
            }
        }
    }

    /// Whether the leader is a program that does not tell others what is committed, as in the
    /// middle of an upgrade: then it must be asked itself.
    fn must_ask_elsewhere(&self) -> bool {
        let leader = self.status().replica.leader;
        let level = leader.and_then(|leader| self.parts().peers.level(leader));
        level.is_some_and(|level| level < READ_INDEX_LEVEL)
    }

    async fn read_once(&self) -> Result<u64, Refusal> {
        if self.parts().standing.quarantined() {
            return Err(quarantined());
        }
        if self.leads() {
            return self.confirm(true).await;
        }
        let status = self.status();
        let leader = status.replica.leader.filter(|_| status.running).ok_or_else(no_leader)?;
        let index = self.parts().follower_reads.index(leader).await?;
        self.wait_applied(index).await?;
        // A state that was found in doubt meanwhile answers nothing.
        if self.parts().standing.quarantined() { Err(quarantined()) } else { Ok(index) }
    }

    /// The index that makes a read linearizable that begins now, if this node leads.
    pub(crate) async fn read_index(&self) -> Result<u64, Refusal> {
        let status = self.status();
        if status.is_leader() {
            self.confirm(false).await
        } else {
            Err(not_leader(status.replica.leader))
        }
    }

    async fn confirm(&self, here: bool) -> Result<u64, Refusal> {
        let (waiter, answer) = oneshot::channel();
        self.ask(Wish::Read { waiter, here }, 0)?;
        answer.await.unwrap_or_else(|_| Err(no_leader()))
    }

    /// The state as this node has applied it, for the time of `look`. Blocks on the disk.
    pub fn view<T>(&self, look: impl FnOnce(&StateView<'_>) -> T) -> T {
        look(&self.parts().cell.current().view())
    }

    /// The newest state. Two reads of it may see different moments; one is as good as of a view,
    /// and costs less.
    pub(crate) fn newest(&self) -> Arc<StateStore> {
        self.parts().cell.current()
    }

    /// Like [`NodeHandle::view`], on a thread where blocking holds up nobody.
    pub async fn look<T, F>(&self, look: F) -> T
    where
        T: Send + 'static,
        F: FnOnce(&StateView<'_>) -> T + Send + 'static,
    {
        let store = self.parts().cell.current();
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
        let bytes = self.parts().cell.current().get(keys::meta::cluster().as_slice())?;
        Some(codec::decode(&bytes).expect("the configuration was written by this program"))
    }

    /// How the node stands.
    pub fn status(&self) -> NodeStatus {
        self.parts().status.borrow().clone()
    }

    /// Whether this node leads.
    pub(crate) fn leads(&self) -> bool {
        self.parts().status.borrow().is_leader()
    }

    /// Follows how the node stands.
    pub fn watch_status(&self) -> watch::Receiver<NodeStatus> {
        self.parts().status.clone()
    }

    /// Follows what is committed after entry `after`; from now on if it is `None`.
    pub fn subscribe(&self, after: Option<u64>) -> Subscription {
        self.parts().history.subscribe(after)
    }

    /// Waits until entry `index` is applied here.
    pub async fn wait_applied(&self, index: u64) -> Result<(), Refusal> {
        let mut applied = self.parts().history.applied();
        applied.wait_for(|applied| *applied >= index).await.map(drop).map_err(|_| no_leader())
    }

    /// Hands leadership to `to`, or to the fittest, and waits until somebody else leads. Whoever is
    /// to lead is asked first; writes that come meanwhile wait. Bounded by the caller.
    pub async fn transfer_leader(&self, to: Option<u64>) -> Result<u64, Refusal> {
        let to = self.find_successor(to).await?;
        let own = self.parts().node;
        let (waiter, answer) = oneshot::channel();
        self.report(Report::HandOver { to, waiter });
        answer.await.unwrap_or_else(|_| Err(draining()))?;
        let mut status = self.parts().status.clone();
        let changed = status
            .wait_for(|status| {
                !status.running || status.replica.leader.is_some_and(|leader| leader != own)
            })
            .await
            .map_err(|_| no_leader())?;
        changed.replica.leader.ok_or_else(no_leader)
    }

    /// `to`, or the first of the others that says it is fit to lead now.
    async fn find_successor(&self, to: Option<u64>) -> Result<u64, Refusal> {
        let refused = |node: &str, cause: &str| {
            Refusal::new(Reason::TransferRefused).fact("node", node).fact("cause", cause)
        };
        let status = self.status();
        let replica = &status.replica;
        if !status.is_leader() {
            return Err(not_leader(replica.leader));
        }
        let voters = &replica.membership.voters;
        let candidates = match to {
            Some(to) if to == replica.id => {
                return Err(refused(&to.to_string(), "it leads already"));
            }
            Some(to) if !voters.contains(&to) => {
                return Err(refused(&to.to_string(), "it is no voter"));
            }
            Some(to) => vec![to],
            None => handover::candidates(replica.id, voters, &replica.matched),
        };
        let mut last = refused("", "there is no other voter");
        for to in candidates {
            match prepare_leadership(&self.parts().peers, to, replica.last_index).await {
                Ok(()) => return Ok(to),
                Err(cause) => last = refused(&to.to_string(), &cause),
            }
        }
        Err(last)
    }

    /// Creates the cluster's configuration, once, with the nodes that there are as its members and
    /// the highest level of commands that all of them can apply. Waits for this node to lead or to
    /// know who does.
    pub async fn bootstrap(&self, mut bootstrap: Bootstrap) -> Result<(), Refusal> {
        let mut status = self.parts().status.clone();
        status
            .wait_for(|status| !status.running || status.replica.leader.is_some())
            .await
            .map_err(|_| no_leader())?;
        if self.status().bootstrapped {
            return Err(Refusal::new(Reason::AlreadyBootstrapped));
        }
        let members = self.members().members;
        let said = members.iter().filter_map(|member| self.parts().peers.level(member.id));
        let level = said.fold(LEVEL, u32::min);
        let level = bootstrap.level.map_or(level, |wanted| wanted.min(level));
        // Programs that know only the first level do not know the field either.
        bootstrap.level = Some(level).filter(|level| *level > 1);
        if level >= MEMBERS_LEVEL {
            bootstrap.members.get_or_insert(members);
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
        let mut status = self.parts().status.clone();
        let reached = status
            .wait_for(|status| !status.running || status.replica.role == role)
            .await
            .map_err(|_| no_leader())?;
        if reached.running { Ok(()) } else { Err(no_leader()) }
    }

    /// This node as a caller: clock and housekeeping.
    pub fn own_identity(&self) -> Caller {
        Caller {
            domain: self.parts().domain.clone(),
            identity: Identity::Node { id: self.parts().node.to_string() },
        }
    }

    /// This node's id.
    pub fn id(&self) -> u64 {
        self.parts().node
    }

    /// The domain that this node serves.
    pub fn domain(&self) -> &DomainId {
        &self.parts().domain
    }

    /// The clock that stamps.
    pub fn clock(&self) -> &StampClock {
        &self.parts().clock
    }

    /// This node's alarms.
    pub fn alarms(&self) -> &Alarms {
        &self.parts().alarms
    }

    /// The store with which `peer` presented itself first; `store_uuid` if this is the first time.
    pub(crate) fn peer_store(
        &self,
        peer: u64,
        store_uuid: [u8; 16],
    ) -> Result<[u8; 16], StorageError> {
        self.parts().identity_file.peer_store(peer, store_uuid)
    }

    /// What speaks against this node.
    pub(crate) fn standing(&self) -> &Standing {
        &self.parts().standing
    }

    /// The other nodes.
    pub(crate) fn peers(&self) -> &Arc<Peers> {
        &self.parts().peers
    }

    /// Takes in what a task of this node reports to its loop.
    pub(crate) fn report(&self, report: Report) {
        self.parts().inbox.report(report);
    }

    /// Takes in `bytes` of another node; dropped if the loop is behind, which Raft is made for.
    pub(crate) fn deliver(&self, from_peer: FromPeer, bytes: usize) {
        if !self.parts().inbox.deliver(from_peer, bytes) {
            tracing::debug!("Peer messages dropped");
        }
    }

    /// Takes in what `peer` says its state hash was at an entry.
    pub(crate) fn deliver_mark(&self, peer: u64, mark: &StateMark) {
        if let Ok(hash) = <[u8; 32]>::try_from(&*mark.state_hash) {
            self.deliver(FromPeer::Mark { peer, index: mark.index, hash }, MARK_BYTES);
        }
    }

    /// How this node stands before a leader whose last entry is `leader_last`.
    pub(crate) fn fitness(&self, leader_last: u64) -> Fitness {
        let (status, standing) = (self.status(), self.standing());
        Fitness {
            votes: status.replica.membership.voters.contains(&self.id()) && status.running,
            quarantined: standing.quarantined(),
            receiving_snapshot: standing.receiving_snapshot(),
            disk_nearly_full: standing.disk_nearly_full(),
            disk_slow: standing.disk_slow(),
            applied: status.replica.applied,
            leader_last,
        }
    }

    fn ask(&self, wish: Wish, bytes: usize) -> Result<(), Refusal> {
        self.parts().inbox.ask(wish, bytes).map_err(|full| match full {
            Full::NotNow => overloaded(),
            Full::Closed => draining(),
        })
    }
}

/// Asks `to` whether it is fit to lead; says why not.
async fn prepare_leadership(peers: &Peers, to: u64, last_index: u64) -> Result<(), String> {
    let channel = peers.channel(to).ok_or("it is not known")?;
    let request = PrepareLeadershipRequest { hello: Some(peers.hello_to(to)), last_index };
    let mut client = PeerServiceClient::new(channel);
    match timeout(PREPARE_WAIT, client.prepare_leadership(request)).await {
        Ok(Ok(answer)) => {
            let answer = answer.into_inner();
            if answer.fit { Ok(()) } else { Err(answer.cause) }
        }
        // A program older than the question; Raft itself will see whether it can.
        Ok(Err(status)) if status.code() == Code::Unimplemented => Ok(()),
        Ok(Err(status)) => Err(status.message().to_owned()),
        Err(_) => Err("it does not answer".to_owned()),
    }
}
