//! The node: one loop on a thread of its own around the replica.
//!
//! Each round takes whatever has come in, lets the replica decide, writes the log once for all of
//! it with one sync, sends what may be sent, applies what is committed in one batch, and answers
//! those who wait. Many callers share one sync; that is where throughput comes from.
//!
//! Two things end the loop for good, and with it the process: a log that could not be synced,
//! because nobody knows any more what is durable, and a committed command that this version cannot
//! apply, because going on would make this copy different from the others.
//!
//! Not answered here: what a command means (`catalog-state`), how messages travel (`peers`), who
//! may call (`services`).

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use catalog_log::{FileDisk, LogError, SegmentLog, SegmentReader};
use catalog_model::{reason::Reason, refusal::Refusal};
use catalog_replica::{
    Outside, ProposeRefusal, ReadDone, ReadRefusal, Replica, ReplicaStatus, Role, RoleKind,
    TransferRefusal, settle,
};
use catalog_state::{
    keys,
    machine::{Applied, ApplyError, Machine, Session},
    store::Store,
};
use raft::eraftpb::{Entry, Message};
use tokio::sync::{oneshot, watch};

use crate::{
    clock::StampClock,
    history::{Committed, History},
    peers::PeerQueues,
    search,
    storage::StateStore,
};

/// The replica as this node runs it.
pub(crate) type NodeReplica = Replica<SegmentReader<std::fs::File>>;

/// Inputs taken in one round. A round is as long as its sync; more would make it longer.
const INPUTS_PER_ROUND: usize = 2048;

/// What callers are advised to wait before they try again after a change of leadership.
pub(crate) const LEADER_RETRY_MS: u64 = 60;

/// What comes in.
pub(crate) enum Input {
    /// Messages of another node.
    Messages(Vec<Message>),
    /// A command to be committed.
    Propose(Bytes, oneshot::Sender<Result<Answered, Refusal>>),
    /// A linearizable read; answered with an index, once that is applied.
    Read(oneshot::Sender<Result<u64, Refusal>>),
    /// Leadership goes to a node, or to the one that is most caught up.
    Transfer(Option<u64>, oneshot::Sender<Result<(), Refusal>>),
}

/// A command that was committed and applied here.
#[derive(Debug)]
pub struct Answered {
    /// Its place in the log.
    pub index: u64,
    /// What came of it.
    pub applied: Applied,
}

/// How the node stands; what followers of it see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeStatus {
    /// The replica's view.
    pub replica: ReplicaStatus,
    /// Whether the cluster was bootstrapped, as far as this node has applied.
    pub bootstrapped: bool,
    /// Whether the loop runs.
    pub running: bool,
}

impl NodeStatus {
    /// Whether this node leads.
    pub fn is_leader(&self) -> bool {
        self.running && self.replica.role == RoleKind::Leader
    }
}

/// Why the loop ended for good.
#[derive(Debug, thiserror::Error)]
pub enum Fatal {
    /// The log could not be written or synced.
    #[error("the log failed; what is durable is unknown")]
    Log(#[from] LogError),
    /// A committed command cannot be applied.
    #[error("a committed command cannot be applied")]
    Apply(#[from] ApplyError),
    /// The replica found that this node lost what it had acknowledged.
    #[error("this node lost entries that it had acknowledged")]
    Lost(#[source] catalog_replica::StepRefusal),
}

/// What the loop works on.
pub(crate) struct NodeLoop {
    pub(crate) replica: NodeReplica,
    pub(crate) log: SegmentLog<FileDisk>,
    pub(crate) inputs: Receiver<Input>,
    pub(crate) tick: Duration,
    /// The first context of reads of this start; they are never used twice, not by any start.
    pub(crate) first_read: u64,
    pub(crate) stopped: Arc<AtomicBool>,
    pub(crate) status: watch::Sender<NodeStatus>,
    pub(crate) shell: Shell,
}

/// Where the acts of the replica go.
pub(crate) struct Shell {
    store: Arc<StateStore>,
    machine: Machine,
    history: Arc<History>,
    clock: Arc<StampClock>,
    peers: PeerQueues,
    applied: u64,
    /// Of each entry proposed here and not applied yet: its term and who waits.
    proposed: BTreeMap<u64, (u64, oneshot::Sender<Result<Answered, Refusal>>)>,
    reads: Reads,
    leadership_lost: bool,
    unreachable: Vec<u64>,
    failed: Option<Fatal>,
}

/// Those who wait for one round.
type Readers = Vec<oneshot::Sender<Result<u64, Refusal>>>;

/// Linearizable reads, batched: one round of heartbeats answers all that had come before it.
#[derive(Default)]
struct Reads {
    forming: Readers,
    /// Closed: whoever joined after the round began would not be covered by it.
    under_way: Option<(u64, Readers)>,
    /// Confirmed at an index that is not applied yet.
    confirmed: VecDeque<(u64, Readers)>,
}

impl Shell {
    pub(crate) fn new(
        store: Arc<StateStore>,
        history: Arc<History>,
        clock: Arc<StampClock>,
        peers: PeerQueues,
    ) -> Self {
        let applied = store.applied();
        search::open(&store);
        Self {
            store,
            machine: Machine::new(),
            history,
            clock,
            peers,
            applied,
            proposed: BTreeMap::new(),
            reads: Reads::default(),
            leadership_lost: false,
            unreachable: Vec::new(),
            failed: None,
        }
    }

    fn bootstrapped(&self) -> bool {
        self.store.get(keys::meta::cluster().as_slice()).is_some()
    }

    fn apply_batch(&mut self, entries: &[Entry]) -> Result<(), ApplyError> {
        let Some(last) = entries.last() else { return Ok(()) };
        let store = Arc::clone(&self.store);
        let mut session = Session::new(&*store);
        let mut results = Vec::with_capacity(entries.len());
        // An entry without data is a new leader's first: it commits what came before.
        for entry in entries.iter().filter(|entry| !entry.data.is_empty()) {
            let applied = self.machine.apply(&mut session, entry.index, &entry.data)?;
            results.push((entry.index, entry.term, applied));
        }
        let writes = session.into_writes();
        let search = search::follow(&self.store, &writes, last.index);
        self.store.commit(writes, search, last.index);
        self.applied = last.index;
        if let Some((_, _, newest)) = results.last() {
            self.clock.saw(newest.clock);
        }

        let committed = results
            .iter()
            .map(|(index, _, applied)| Committed {
                index: *index,
                clock: applied.clock,
                events: applied.events.clone(),
            })
            .collect();
        self.history.add(committed, last.index);
        for (index, term, applied) in results {
            if let Some((proposed_term, waiter)) = self.proposed.remove(&index) {
                let answer = if proposed_term == term {
                    Ok(Answered { index, applied })
                } else {
                    // Another leader's entry took the place.
                    Err(outcome_unknown())
                };
                // A waiter that went away does not want to know.
                let _ = waiter.send(answer);
            }
        }
        self.answer_confirmed();
        Ok(())
    }

    fn answer_confirmed(&mut self) {
        while let Some((index, waiters)) =
            self.reads.confirmed.pop_front_if(|(index, _)| *index <= self.applied)
        {
            for waiter in waiters {
                let _ = waiter.send(Ok(index));
            }
        }
    }

    /// Everybody who still waits is told that leadership went. What was proposed may yet be
    /// committed by the next leader, so its outcome is unknown, not refused.
    fn fail_waiters(&mut self, leader: Option<u64>) {
        for (_, (_, waiter)) in std::mem::take(&mut self.proposed) {
            let _ = waiter.send(Err(outcome_unknown()));
        }
        let under_way = self.reads.under_way.take().map(|(_, waiters)| waiters).unwrap_or_default();
        for waiter in std::mem::take(&mut self.reads.forming).into_iter().chain(under_way) {
            let _ = waiter.send(Err(not_leader(leader)));
        }
    }
}

impl Outside for Shell {
    fn send(&mut self, messages: Vec<Message>) {
        self.unreachable.extend(self.peers.send(messages));
    }

    fn apply(&mut self, entries: Vec<Entry>) {
        if self.failed.is_some() {
            return;
        }
        if let Err(error) = self.apply_batch(&entries) {
            self.failed = Some(error.into());
        }
    }

    fn answer_reads(&mut self, reads: Vec<ReadDone>) {
        for done in reads {
            let context = self.reads.under_way.as_ref().map(|(context, _)| *context);
            if context == Some(done.context)
                && let Some((_, waiters)) = self.reads.under_way.take()
            {
                self.reads.confirmed.push_back((done.index, waiters));
            }
        }
        self.answer_confirmed();
    }

    fn drop_reads(&mut self, contexts: Vec<u64>) {
        if let Some((context, _)) = &self.reads.under_way
            && contexts.contains(context)
            && let Some((_, waiters)) = self.reads.under_way.take()
        {
            for waiter in waiters {
                let _ = waiter.send(Err(no_leader()));
            }
        }
    }

    fn role_changed(&mut self, role: Role) {
        tracing::info!(
            term = role.term,
            leader = role.leader.unwrap_or_default(),
            leads = role.is_leader,
            "Role changed"
        );
        if !role.is_leader {
            self.leadership_lost = true;
        }
    }
}

impl NodeLoop {
    /// Runs until it is stopped (`Ok`) or must not go on.
    pub(crate) fn run(mut self) -> Result<(), Fatal> {
        let ended = self.rounds();
        self.status.send_modify(|status| status.running = false);
        ended
    }

    fn rounds(&mut self) -> Result<(), Fatal> {
        if self.shell.peers.is_empty() {
            // Nobody else could be elected; waiting would only delay the start.
            self.replica.campaign();
        }
        let mut next_tick = Instant::now() + self.tick;
        let mut next_read = self.first_read;
        self.settle()?;
        loop {
            if self.stopped.load(Ordering::Acquire) {
                return Ok(());
            }
            let wait = next_tick.saturating_duration_since(Instant::now());
            match self.inputs.recv_timeout(wait) {
                Ok(input) => self.take(input)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            for _ in 1..INPUTS_PER_ROUND {
                match self.inputs.try_recv() {
                    Ok(input) => self.take(input)?,
                    Err(_) => break,
                }
            }
            if self.stopped.load(Ordering::Acquire) {
                return Ok(());
            }
            let now = Instant::now();
            if now >= next_tick {
                // One tick however late: a process that stood still must hear what has come
                // meanwhile before it takes the others for dead.
                self.replica.tick();
                next_tick = (next_tick + self.tick).max(now + self.tick / 2);
            }
            self.begin_read(&mut next_read);
            self.settle()?;
        }
    }

    fn take(&mut self, input: Input) -> Result<(), Fatal> {
        match input {
            Input::Messages(messages) => {
                for message in messages {
                    match self.replica.step(message) {
                        Ok(()) => {}
                        Err(refusal) if refusal.is_fatal() => return Err(Fatal::Lost(refusal)),
                        Err(refusal) => tracing::debug!(%refusal, "Message dropped"),
                    }
                }
            }
            Input::Propose(data, waiter) => match self.replica.propose(data) {
                Ok(place) => {
                    self.shell.proposed.insert(place.index, (place.term, waiter));
                }
                Err(refusal) => {
                    let _ = waiter.send(Err(match refusal {
                        ProposeRefusal::NotLeader { leader } => not_leader(leader),
                        ProposeRefusal::Transferring => no_leader(),
                        ProposeRefusal::Overloaded => overloaded(),
                    }));
                }
            },
            Input::Read(waiter) => {
                let status = self.replica.status();
                if status.role == RoleKind::Leader {
                    self.shell.reads.forming.push(waiter);
                } else {
                    let _ = waiter.send(Err(not_leader(status.leader)));
                }
            }
            Input::Transfer(to, waiter) => {
                let _ = waiter.send(self.transfer(to));
            }
        }
        Ok(())
    }

    fn transfer(&mut self, to: Option<u64>) -> Result<(), Refusal> {
        let status = self.replica.status();
        let others = status.matched.iter().filter(|(id, _)| *id != status.id);
        let best = others.max_by_key(|(_, matched)| *matched).map(|(id, _)| *id);
        let refused = |node: String, cause: &str| {
            Refusal::new(Reason::TransferRefused).fact("node", node).fact("cause", cause)
        };
        let Some(to) = to.or(best) else {
            return Err(match status.role {
                RoleKind::Leader => refused(String::new(), "there is no other voter"),
                _ => not_leader(status.leader),
            });
        };
        self.replica.transfer_leader(to).map_err(|refusal| match refusal {
            TransferRefusal::NotLeader { leader } => not_leader(leader),
            TransferRefusal::UnfitTarget { to } => {
                refused(to.to_string(), "it leads already or is no voter")
            }
        })
    }

    /// Begins a round for the reads that have come, unless one is under way.
    fn begin_read(&mut self, next_read: &mut u64) {
        let reads = &mut self.shell.reads;
        if reads.forming.is_empty() || reads.under_way.is_some() {
            return;
        }
        let context = *next_read;
        *next_read += 1;
        match self.replica.read(context) {
            Ok(()) => reads.under_way = Some((context, std::mem::take(&mut reads.forming))),
            // They wait until the leader's first entry is committed.
            Err(ReadRefusal::TermNotCommitted) => {}
            Err(ReadRefusal::NotLeader { leader }) => {
                for waiter in std::mem::take(&mut reads.forming) {
                    let _ = waiter.send(Err(not_leader(leader)));
                }
            }
            Err(ReadRefusal::ContextInUse) => unreachable!("contexts only grow"),
        }
    }

    /// Lets the replica do all that it wants done, and shows how it stands afterwards.
    fn settle(&mut self) -> Result<(), Fatal> {
        loop {
            settle(&mut self.replica, &mut self.log, &mut self.shell)?;
            if let Some(fatal) = self.shell.failed.take() {
                return Err(fatal);
            }
            for id in std::mem::take(&mut self.shell.unreachable) {
                self.replica.unreachable(id);
            }
            let applied = self.shell.applied;
            if applied <= self.replica.status().applied {
                break;
            }
            self.replica.applied(applied);
        }
        if std::mem::take(&mut self.shell.leadership_lost) {
            let status = self.replica.status();
            self.shell.fail_waiters(status.leader.filter(|leader| *leader != status.id));
        }
        self.show();
        Ok(())
    }

    fn show(&self) {
        let replica = self.replica.status();
        self.status.send_if_modified(|shown| {
            if shown.replica == replica {
                return false;
            }
            shown.bootstrapped = shown.bootstrapped || self.shell.bootstrapped();
            shown.replica = replica;
            true
        });
    }
}

/// No node leads at the moment.
pub(crate) fn no_leader() -> Refusal {
    Refusal::new(Reason::NoLeader).retry_after(LEADER_RETRY_MS)
}

/// Another node leads, or none.
pub(crate) fn not_leader(leader: Option<u64>) -> Refusal {
    match leader {
        Some(leader) => {
            Refusal::new(Reason::NotLeader).fact("leader", leader).retry_after(LEADER_RETRY_MS)
        }
        None => no_leader(),
    }
}

/// What was proposed may or may not be committed.
pub(crate) fn outcome_unknown() -> Refusal {
    Refusal::new(Reason::OutcomeUnknown).retry_after(LEADER_RETRY_MS)
}

pub(crate) fn overloaded() -> Refusal {
    Refusal::new(Reason::Overloaded).retry_after(LEADER_RETRY_MS)
}
