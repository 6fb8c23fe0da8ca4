//! The node: one loop on a thread of its own around the replica.
//!
//! Each round takes whatever has come in, peers' messages before clients' wishes, lets the replica decide, writes the log once for all of
//! it with one sync, sends what may be sent, applies what is committed in one batch, and answers
//! those who wait. Many callers share one sync; that is where throughput comes from.
//!
//! Fenced (`fencing`), the loop ends its replica and goes on only to turn away whoever asks: the process
//! stays, to say how the node stands.
//!
//! Two things end the loop for good, and with it the process: a log that could not be synced,
//! because nobody knows any more what is durable, and a committed command that this version cannot
//! apply, because going on would make this copy different from the others.
//!
//! Not answered here: what a command means (`catalog-state`), how messages travel (`peers`), who
//! may call (`services`).

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use catalog_log::{FileDisk, LogError, SegmentLog, SegmentReader};
use catalog_model::{reason::Reason, refusal::Refusal, time::UtcMillis};
use catalog_replica::{
    CompactLimits, LeaveDue, Membership, ProposeRefusal, RaftChange, ReadRefusal, Replica,
    ReplicaStatus, RoleKind, TransferRefusal, mode_of, settle,
};
use catalog_state::machine::{Applied, ApplyError};
use raft::eraftpb::Message;
use tokio::sync::{oneshot, watch};

use self::{marks::Marks, offers::Offers, shell::Reader, timed_log::TimedLog, upkeep::Rest};
pub(crate) use self::{
    refusals::{
        LEADER_RETRY_MS, disk_nearly_full, draining, leadership_moved, members_changing, no_leader,
        not_leader, outcome_unknown, overloaded, quarantined,
    },
    shell::{ProposeWaiter, ReadWaiter, Shell},
};
use crate::{
    alarms::Alarms, clock::StampClock, fencing::Fencing, inbox::Inbox, slow_disk::Syncs,
    snapshots::Snapshots, standing::Standing,
};

mod fenced;
mod marks;
mod offers;
mod refusals;
mod shell;
mod timed_log;
mod upkeep;

pub(crate) use self::upkeep::RECEIVING_SNAPSHOT;

/// Name of the alarm of a node whose state was lost or found damaged.
pub(crate) const STATE_LOST: &str = "state-lost";

/// Name of the alarm of a node that is known with another disk, one for each peer that says so.
pub(crate) const STORE_FOREIGN: &str = "store-foreign";

/// The replica as this node runs it.
pub(crate) type NodeReplica = Replica<SegmentReader<std::fs::File>>;

/// The inbox as this node uses it.
pub(crate) type NodeInbox = Inbox<Report, FromPeer, Wish>;

/// Writes that wait while leadership is handed over, in number and in bytes. Beyond it callers are
/// told to slow down.
const HELD_MAX: usize = 4096;
const HELD_BYTES_MAX: usize = 64 << 20;

/// A round applies commands for this part of a tick before it looks up: a leader that is busy still says so
/// in time.
const APPLY_PARTS: u32 = 10;

/// What a client wants.
#[derive(Debug)]
pub(crate) enum Wish {
    /// A command to be committed.
    Propose(Bytes, ProposeWaiter),
    /// A linearizable read; answered with an index.
    Read {
        /// Who asks.
        waiter: ReadWaiter,
        /// Whether the index must be applied here before the answer.
        here: bool,
    },
}

/// What a peer sent.
#[derive(Debug)]
pub(crate) enum FromPeer {
    /// Raft's messages.
    Messages(Vec<Message>),
    /// Its state hash at an entry.
    Mark {
        /// Whose.
        peer: u64,
        /// The entry.
        index: u64,
        /// The hash after it.
        hash: [u8; 32],
    },
}

/// What a task of this node reports.
#[derive(Debug)]
pub(crate) enum Report {
    /// Another node says that the cluster let this one go.
    Removed,
    /// A later generation was heard of. Known by [`Fencing`] already; this wakes the loop.
    Fenced,
    /// Leadership is to go to a node that said it is fit. Answered when it has gone, or cannot.
    HandOver {
        /// To whom.
        to: u64,
        /// Who asks.
        waiter: oneshot::Sender<Result<(), Refusal>>,
    },
    /// The members are to change; the state machine decides by `command`.
    ChangeMembers {
        /// For Raft.
        change: RaftChange,
        /// For the state machine.
        command: Bytes,
        /// Who asks.
        waiter: ProposeWaiter,
    },
    /// The state is durable up to this entry.
    Durable(u64),
    /// A snapshot can be fetched from here, or none could be made.
    SnapshotBuilt(Option<Built>),
    /// A block of a snapshot went to this peer.
    SnapshotSent(u64),
    /// All of an offered snapshot is here.
    SnapshotFetched {
        /// Its last entry.
        index: u64,
    },
    /// An offered snapshot cannot be had.
    SnapshotRefused {
        /// Its last entry.
        index: u64,
    },
}

/// A snapshot that was made here.
#[derive(Debug)]
pub(crate) struct Built {
    /// Its last entry.
    pub(crate) index: u64,
    /// That entry's term.
    pub(crate) term: u64,
    /// Who belongs to the cluster at that entry.
    pub(crate) membership: Membership,
    /// Its manifest, encoded.
    pub(crate) manifest: Bytes,
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
    /// What this node, if it leads, has to do to complete a change of the members.
    pub leave_due: Option<LeaveDue>,
    /// Whether the replica has ended because the node was fenced: it sends, votes and commits nothing
    /// more, the log is as it was then, and `replica` is how it stood.
    pub sealed: bool,
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

/// How the rounds ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The process stops.
    Stopped,
    /// A later generation was heard of.
    Fenced,
}

/// What the loop works on.
pub(crate) struct NodeLoop {
    pub(crate) replica: NodeReplica,
    pub(crate) log: SegmentLog<FileDisk>,
    pub(crate) inbox: Arc<NodeInbox>,
    pub(crate) tick: Duration,
    /// Ticks after which a transfer of leadership has failed.
    pub(crate) handover_ticks: usize,
    /// The first context of reads of this start; they are never used twice, not by any start.
    pub(crate) next_read: u64,
    pub(crate) stopped: Arc<AtomicBool>,
    pub(crate) status: watch::Sender<NodeStatus>,
    pub(crate) shell: Shell,
    pub(crate) snapshots: Snapshots,
    pub(crate) standing: Arc<Standing>,
    pub(crate) fencing: Arc<Fencing>,
    pub(crate) alarms: Arc<Alarms>,
    pub(crate) clock: Arc<StampClock>,
    pub(crate) runtime: tokio::runtime::Handle,
    pub(crate) limits: CompactLimits,
    pub(crate) work: Work,
}

/// What the loop has under way.
#[derive(Default)]
pub(crate) struct Work {
    handover: Option<Handover>,
    /// Writes that came while leadership is handed over, in order.
    held: Held,
    marks: Marks,
    rest: Rest,
    offers: Offers,
    syncs: Syncs,
    /// How long the syncs of this round took.
    syncing: Duration,
    /// Whether the state is being made durable.
    making_durable: bool,
    /// The entry up to which that was done last, and the bytes of the log then.
    durable: u64,
    log_bytes: u64,
}

/// Leadership on its way to another node.
pub(crate) struct Handover {
    to: u64,
    /// Whether Raft has been told: it is, once nothing of ours is under way.
    begun: bool,
    ticks_left: usize,
    waiter: oneshot::Sender<Result<(), Refusal>>,
}

/// Writes that wait for leadership to settle.
#[derive(Default)]
pub(crate) struct Held {
    waiting: VecDeque<(Bytes, ProposeWaiter)>,
    bytes: usize,
}

impl NodeLoop {
    /// Runs until it is stopped (`Ok`) or must not go on.
    pub(crate) fn run(mut self) -> Result<(), Fatal> {
        let ended = self.rounds();
        if matches!(ended, Ok(Ended::Fenced)) {
            self.stay_fenced();
            return Ok(());
        }
        self.inbox.close();
        self.status.send_modify(|status| status.running = false);
        ended.map(drop)
    }

    fn rounds(&mut self) -> Result<Ended, Fatal> {
        if self.fencing.standing().stops_raft() {
            return Ok(Ended::Fenced);
        }
        if self.shell.peers.is_empty() {
            // Nobody else could be elected; waiting would only delay the start.
            self.replica.campaign();
        }
        let mut next_tick = Instant::now() + self.tick;
        self.settle()?;
        loop {
            // What waits to be applied goes on at once, after what has come meanwhile.
            let wait = if self.shell.has_waiting() {
                Duration::ZERO
            } else {
                next_tick.saturating_duration_since(Instant::now())
            };
            self.shell.peers.pulse.round_ends();
            let taken = self.inbox.take(wait);
            self.shell.peers.pulse.round_begins();
            if self.stopped.load(Ordering::Acquire) {
                return Ok(Ended::Stopped);
            }
            // Before anything that has come is looked at: what a peer said, or a client asked, is of
            // a generation that is over.
            if self.fencing.standing().stops_raft() {
                self.turn_away(taken);
                return Ok(Ended::Fenced);
            }
            let began = Instant::now();
            for report in taken.own {
                self.take_report(report)?;
            }
            for (from_peer, _) in taken.peers {
                self.take_from_peer(from_peer)?;
            }
            for (wish, _) in taken.clients {
                self.take_wish(wish);
            }
            let now = Instant::now();
            if now >= next_tick {
                // One tick however late: a process that stood still must hear what has come
                // meanwhile before it takes the others for dead.
                self.tick();
                next_tick = (next_tick + self.tick).max(now + self.tick / 2);
            }
            self.begin_read();
            self.settle()?;
            // What came while a round of reads was under way begins its own as soon as that ends,
            // not with the next input.
            while self.may_begin_read() {
                self.begin_read();
                self.settle()?;
            }
            if self.drive_handover() {
                self.settle()?;
            }
            self.tell_long_round(began);
        }
    }

    /// A round that is half as long as an election lets others take this node for dead: it says where
    /// the time went.
    fn tell_long_round(&mut self, began: Instant) {
        let (took, applying) = (began.elapsed(), std::mem::take(&mut self.shell.applying));
        let syncing = std::mem::take(&mut self.work.syncing);
        if took > self.tick * self.handover_ticks as u32 / 4 {
            let millis = |time: Duration| time.as_millis() as u64;
            tracing::warn!(
                took_ms = millis(took),
                applying_ms = millis(applying),
                syncing_ms = millis(syncing),
                applied = self.shell.applied,
                "Long round"
            );
        }
    }

    fn tick(&mut self) {
        // One that the cluster let go has nothing to be elected for, and one that it knows with
        // another disk must not be.
        if !self.standing.removed() && !self.standing.disowned() {
            self.replica.tick();
        }
        if let Some(handover) = &mut self.work.handover {
            handover.ticks_left = handover.ticks_left.saturating_sub(1);
        }
        self.mark_rest();
        self.hand_on_after_patience();
    }

    fn take_report(&mut self, report: Report) -> Result<(), Fatal> {
        match report {
            Report::HandOver { to, waiter } => {
                if self.work.handover.is_some() {
                    let busy = Refusal::new(Reason::TransferRefused)
                        .fact("node", to)
                        .fact("cause", "leadership is being handed over already");
                    let _ = waiter.send(Err(busy));
                } else {
                    let ticks_left = self.handover_ticks;
                    self.work.handover = Some(Handover { to, begun: false, ticks_left, waiter });
                }
            }
            Report::Removed => self.removed(),
            Report::ChangeMembers { change, command, waiter } => {
                self.change_members(change, command, waiter);
            }
            Report::Durable(applied) => return self.compact(applied),
            // That a node was fenced is seen at the top of the round.
            Report::Fenced | Report::SnapshotBuilt(None) => {}
            // A snapshot of a state that was replaced meanwhile is never handed in here.
            Report::SnapshotBuilt(Some(built)) => self.snapshot_built(built),
            Report::SnapshotSent(peer) => self.replica.snapshot_progress(peer),
            Report::SnapshotFetched { index } => self.replica.snapshot_fetched(index),
            Report::SnapshotRefused { index } => self.replica.snapshot_refused(index),
        }
        Ok(())
    }

    fn take_from_peer(&mut self, from_peer: FromPeer) -> Result<(), Fatal> {
        // What came before that was known: it is for the node that was here before.
        if self.standing.disowned() {
            return Ok(());
        }
        match from_peer {
            FromPeer::Messages(messages) => {
                for message in messages {
                    match self.replica.step(message) {
                        Ok(()) => {}
                        Err(refusal) if refusal.is_fatal() => return Err(Fatal::Lost(refusal)),
                        Err(refusal) => tracing::debug!(%refusal, "Message dropped"),
                    }
                }
            }
            FromPeer::Mark { peer, index, hash } => {
                self.work.marks.heard(peer, index, hash);
                self.judge(index);
            }
        }
        Ok(())
    }

    fn take_wish(&mut self, wish: Wish) {
        match wish {
            Wish::Propose(data, waiter) if self.work.handover.is_some() => self.hold(data, waiter),
            Wish::Propose(data, waiter) => {
                if let Err((refusal, _, waiter)) = self.propose(data, waiter) {
                    let _ = waiter.send(Err(match refusal {
                        ProposeRefusal::NotLeader { leader } => not_leader(leader),
                        ProposeRefusal::Transferring => no_leader(),
                        ProposeRefusal::Overloaded | ProposeRefusal::Held => overloaded(),
                    }));
                }
            }
            Wish::Read { waiter, here } => {
                let role = self.replica.role();
                if role.is_leader {
                    self.shell.reads.forming.push(Reader { waiter, here });
                } else {
                    let _ = waiter.send(Err(not_leader(role.leader)));
                }
            }
        }
    }

    fn propose(
        &mut self,
        data: Bytes,
        waiter: ProposeWaiter,
    ) -> Result<(), (ProposeRefusal, Bytes, ProposeWaiter)> {
        match self.replica.propose(data.clone()) {
            Ok(place) => {
                self.shell.proposed.insert(place.index, (place.term, waiter));
                Ok(())
            }
            Err(refusal) => Err((refusal, data, waiter)),
        }
    }

    /// Keeps a write until leadership has settled, so that no caller notices the handover.
    fn hold(&mut self, data: Bytes, waiter: ProposeWaiter) {
        let held = &mut self.work.held;
        if held.waiting.len() >= HELD_MAX || held.bytes + data.len() > HELD_BYTES_MAX {
            let _ = waiter.send(Err(overloaded()));
            return;
        }
        held.bytes += data.len();
        held.waiting.push_back((data, waiter));
    }

    /// Takes a handover one step further: Raft is told once nothing of ours is under way, so that
    /// no outcome becomes unknown; what waited goes on here if it fails. Returns whether Raft has
    /// something to do now.
    fn drive_handover(&mut self) -> bool {
        let Some(handover) = &mut self.work.handover else { return self.release_held() };
        if self.replica.status().role != RoleKind::Leader {
            // Those who waited were told when leadership went.
            if let Some(handover) = self.work.handover.take() {
                let _ = handover.waiter.send(Ok(()));
            }
            return false;
        }
        let to = handover.to;
        let refused = |cause: &str| {
            Refusal::new(Reason::TransferRefused).fact("node", to).fact("cause", cause)
        };
        let mut acted = false;
        let failed = if handover.ticks_left == 0 {
            Some(refused("it did not take over in time"))
        } else if !handover.begun && self.shell.proposed.is_empty() {
            handover.begun = true;
            acted = true;
            match self.replica.transfer_leader(to) {
                Ok(()) => None,
                Err(TransferRefusal::NotLeader { leader }) => Some(not_leader(leader)),
                Err(refusal) => Some(refused(&refusal.to_string())),
            }
        } else {
            None
        };
        if let Some(refusal) = failed
            && let Some(handover) = self.work.handover.take()
        {
            let _ = handover.waiter.send(Err(refusal));
            acted = true;
        }
        acted
    }

    /// Proposes what waited for a handover that has failed, as soon as Raft takes it. Returns
    /// whether it took any.
    fn release_held(&mut self) -> bool {
        let mut acted = false;
        while let Some((data, waiter)) = self.work.held.waiting.pop_front() {
            let bytes = data.len();
            match self.propose(data, waiter) {
                Ok(()) => {
                    self.work.held.bytes -= bytes;
                    acted = true;
                }
                Err((ProposeRefusal::Transferring, data, waiter)) => {
                    self.work.held.waiting.push_front((data, waiter));
                    break;
                }
                Err((ProposeRefusal::Overloaded | ProposeRefusal::Held, _, waiter)) => {
                    self.work.held.bytes -= bytes;
                    let _ = waiter.send(Err(overloaded()));
                }
                Err((ProposeRefusal::NotLeader { leader }, _, waiter)) => {
                    self.work.held.bytes -= bytes;
                    let _ = waiter.send(Err(not_leader(leader)));
                }
            }
        }
        acted
    }

    /// Whether reads wait for whom a round can begin now.
    fn may_begin_read(&self) -> bool {
        let reads = &self.shell.reads;
        !reads.forming.is_empty() && reads.under_way.is_none() && self.replica.can_read()
    }

    /// Begins a round for the reads that have come, unless one is under way.
    fn begin_read(&mut self) {
        let reads = &mut self.shell.reads;
        if reads.forming.is_empty() || reads.under_way.is_some() {
            return;
        }
        let context = self.next_read;
        self.next_read += 1;
        match self.replica.read(context) {
            Ok(()) => reads.under_way = Some((context, std::mem::take(&mut reads.forming))),
            // They wait until the leader's first entry is committed.
            Err(ReadRefusal::TermNotCommitted) => {}
            Err(ReadRefusal::Held) => {
                for reader in std::mem::take(&mut reads.forming) {
                    let _ = reader.waiter.send(Err(no_leader()));
                }
            }
            Err(ReadRefusal::NotLeader { leader }) => {
                for reader in std::mem::take(&mut reads.forming) {
                    let _ = reader.waiter.send(Err(not_leader(leader)));
                }
            }
            Err(ReadRefusal::ContextInUse) => unreachable!("contexts only grow"),
        }
    }

    /// Lets the replica do all that it wants done, applies what is committed as far as there is time, and
    /// shows how it stands afterwards.
    fn settle(&mut self) -> Result<(), Fatal> {
        let until = Instant::now() + self.tick / APPLY_PARTS;
        loop {
            let mut log = TimedLog::new(&mut self.log);
            settle(&mut self.replica, &mut log, &mut self.shell)?;
            let syncs = log.syncs;
            self.work.syncing += syncs.iter().sum::<Duration>();
            self.saw_syncs(&syncs);
            // Whoever waits for what is committed is not told that its outcome is unknown.
            let asked = self.shell.leadership_lost && !self.shell.proposed.is_empty();
            let left = until.saturating_duration_since(Instant::now());
            let time = if asked { Duration::MAX } else { left };
            self.shell.apply_waiting(time);
            if let Some(fatal) = self.shell.failed.take() {
                return Err(fatal);
            }
            for id in std::mem::take(&mut self.shell.unreachable) {
                self.replica.unreachable(id);
            }
            if std::mem::take(&mut self.shell.state_replaced) {
                self.state_replaced();
            }
            for (entry, accepted) in std::mem::take(&mut self.shell.changes_applied) {
                if mode_of(&entry).is_some() {
                    self.replica.apply_mode(&entry, accepted);
                    continue;
                }
                let membership = self.replica.apply_members(&entry, accepted);
                assert_eq!(
                    membership,
                    *self.replica.membership(),
                    "state and replica know the same members"
                );
            }
            let applied = self.shell.applied;
            if applied <= self.replica.status().applied {
                break;
            }
            self.replica.applied(applied);
            if self.shell.has_waiting() && Instant::now() >= until {
                break;
            }
        }
        if std::mem::take(&mut self.shell.leadership_lost) {
            let status = self.replica.status();
            let leader = status.leader.filter(|leader| *leader != status.id);
            self.shell.fail_waiters(leader);
            // What was held back was never proposed: it surely had no effect.
            self.work.held.bytes = 0;
            for (_, waiter) in std::mem::take(&mut self.work.held.waiting) {
                let _ = waiter.send(Err(not_leader(leader)));
            }
        }
        self.compare_marks();
        self.begin_compaction();
        self.begin_snapshot();
        self.show();
        Ok(())
    }

    fn show(&mut self) {
        let replica = self.replica.status();
        let leave_due = self.replica.leave_due();
        if self.standing.set_receiving_snapshot(replica.receiving.is_some()) {
            self.alarm(RECEIVING_SNAPSHOT, "", replica.receiving.is_some());
        }
        if replica.removed {
            self.removed();
        }
        self.status.send_if_modified(|shown| {
            if shown.replica == replica && shown.leave_due == leave_due {
                return false;
            }
            shown.bootstrapped = shown.bootstrapped || self.shell.bootstrapped();
            shown.leave_due = leave_due;
            shown.replica = replica;
            true
        });
    }

    fn now(&self) -> UtcMillis {
        self.clock.wall()
    }

    fn alarm(&self, name: &str, subject: &str, holds: bool) {
        if holds {
            self.alarms.raise(name, subject, self.now());
        } else {
            self.alarms.clear(name, subject);
        }
    }
}
