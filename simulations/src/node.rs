//! A node: the shell around the real replica, log and machine, as the simulation drives it.
//!
//! The shape is that of the product's loop: a round takes everything that has come in, lets the
//! replica decide, writes with one sync, applies in one batch and answers. What differs is where
//! things go: messages, replies and observations are handed back to the world.

use std::{cell::RefCell, collections::BTreeMap, mem, rc::Rc};

use bytes::Bytes;
use catalog_log::{
    LogError, LogRead, LogStore, Options, SegmentLog, StoreIdentity, sim_disk::SimDisk,
};
use catalog_replica::{
    CompactLimits, Config, Membership, Replica, ReplicaStatus, Role, RoleKind, StartError,
    bootstrap,
};
use catalog_state::{machine::Applied, view::View};
use raft::eraftpb::Message;

use crate::{
    call::{Call, Reply},
    cast,
    checker::{
        ghost::{GhostLog, LogAct},
        reference::RowSum,
    },
    clock::{NodeClock, WorldClock},
    fault::Boundary,
    network::Load,
    node::{
        observed_log::{Cut, Deeds, ObservedLog},
        shell::{Running, Shell},
    },
    prng::Prng,
    state_disk::StateDisk,
};

pub(crate) mod observed_log;
mod shell;
mod snapshots;

/// Milliseconds of a tick: the product's local profile.
pub const TICK_MS: u64 = 20;

/// Small, so that a run fills many segments.
const SEGMENT_BYTES: u64 = 16 * 1024;

/// What comes in.
#[derive(Debug)]
pub enum Input {
    /// A tick of the node's timer.
    Tick,
    /// A message of another node.
    Peer(Message),
    /// Messages to that node were lost.
    Unreachable(u64),
    /// A client's call.
    Call(Call),
    /// Anything else from another node.
    Other(u64, Load),
}

/// What a round gave.
#[derive(Debug, Default)]
pub struct Output {
    /// What goes to whom, and whether it leaves only when the round's sync is over.
    pub sent: Vec<(bool, u64, Load)>,
    /// Answers to clients.
    pub replies: Vec<Reply>,
    /// What was done to log and state, in order.
    pub deeds: Vec<Deed>,
    /// How many syncs the disk was asked for.
    pub syncs: u64,
    /// The new role, if it changed.
    pub role: Option<Role>,
    /// How often the clock was asked for a stamp and refused.
    pub stamps_refused: u64,
    /// What happened that a report counts.
    pub happened: Vec<&'static str>,
    /// Why the process ended, if it did.
    pub death: Option<Death>,
}

/// Something done to log or state.
#[derive(Clone, Debug)]
pub enum Deed {
    /// To the log.
    Logged(LogAct),
    /// An entry was applied.
    Applied(Box<AppliedEntry>),
    /// The state was replaced by that of a snapshot.
    Installed {
        /// The last entry in it.
        index: u64,
        /// Its hash chain.
        state_hash: [u8; 32],
        /// The sum over its rows.
        sum: RowSum,
    },
}

/// Why a process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Death {
    /// The disk failed: an ordinary event, of which no promise may break.
    Disk(String),
    /// Power went, between two acts of the round.
    Power(Boundary),
    /// The others have another state, and they are more.
    Diverged,
    /// The node lacks what it had acknowledged, and says so.
    Lost(String),
    /// A promise was broken, or seems so to the node.
    Broken(String),
}

/// Why a process did not start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoStart {
    /// The disk failed.
    Disk(String),
    /// What is in the log is not what was written, or not all of it.
    Damaged(String),
    /// Anything else.
    Refused(String),
}

/// An entry as one node applied it.
#[derive(Clone, Debug)]
pub struct AppliedEntry {
    /// Its place.
    pub index: u64,
    /// The term in which it was proposed.
    pub term: u64,
    /// Its bytes; none for Raft's own.
    pub data: Bytes,
    /// The command in it; none in Raft's own.
    pub command: Bytes,
    /// What came of it; absent for Raft's own.
    pub applied: Option<Applied>,
    /// Who belongs to the cluster after it, if it is about that.
    pub membership: Option<Membership>,
    /// The state hash after it.
    pub state_hash: [u8; 32],
}

/// What all nodes of a run have in common.
#[derive(Clone, Copy, Debug)]
pub struct Habits {
    /// Seed of the election timeouts.
    pub seed: u64,
    /// How much of the log is kept.
    pub limits: CompactLimits,
    /// How large blocks of snapshots are.
    pub block_bytes: usize,
    /// The level at which the cluster begins.
    pub level: u32,
    /// Whether shells wait for what comes of a proposal when they do not lead any more.
    pub patient: bool,
    /// After how many entries the hash of the state is told to the others.
    pub mark_every: u64,
}

/// A machine with a disk, and perhaps a process on it.
#[derive(Debug)]
pub struct Node {
    id: u64,
    /// Where the machine stands.
    pub site: u64,
    habits: Habits,
    /// Voters that found the cluster, if this node is one of them.
    founders: Vec<u64>,
    /// The store's own id, drawn with its disk.
    pub store: [u8; 16],
    /// The log's disk.
    pub disk: SimDisk,
    /// The states' disk.
    pub states: StateDisk,
    /// The stores under which other nodes presented themselves first.
    known_stores: BTreeMap<u64, [u8; 16]>,
    /// The clocks.
    pub clock: NodeClock,
    /// Since when the clock alarm stands, in virtual time.
    pub alarm_since: Option<u64>,
    /// The loop cannot begin another round before.
    pub busy_until: u64,
    /// Until then every sync takes long.
    pub slow_until: u64,
    /// What waits for the next round.
    pub inbox: Vec<Input>,
    boots: u64,
    log_begun: bool,
    /// The state is to be replaced, though it can be read.
    quarantined: bool,
    cut: Cut,
    deeds: Deeds,
    prng: Prng,
    running: Option<Running>,
}

impl Node {
    /// A machine without anything on its disk.
    pub fn new(id: u64, founders: Vec<u64>, habits: Habits, clock: NodeClock, prng: Prng) -> Self {
        let mut prng = prng;
        Self {
            id,
            site: id % 2,
            habits,
            founders,
            store: prng.bytes(),
            disk: SimDisk::new(),
            states: StateDisk::new(),
            known_stores: BTreeMap::new(),
            clock,
            alarm_since: None,
            busy_until: 0,
            slow_until: 0,
            inbox: Vec::new(),
            boots: 0,
            log_begun: false,
            quarantined: false,
            cut: Cut::default(),
            deeds: Rc::new(RefCell::new(Vec::new())),
            prng,
            running: None,
        }
    }

    /// Whether a process runs.
    pub fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// How often a process was started.
    pub fn boots(&self) -> u64 {
        self.boots
    }

    /// How the replica stands, if it runs.
    pub fn status(&self) -> Option<ReplicaStatus> {
        self.running.as_ref().map(|running| running.replica.status())
    }

    /// Whether it leads, as far as it knows.
    pub fn leads(&self) -> bool {
        self.running.as_ref().is_some_and(|running| running.shell.leads)
    }

    /// The last entry that it has applied.
    pub fn applied(&self) -> u64 {
        self.states.current().applied()
    }

    /// Entries of the log that are still there, from `low` to `high`, both included.
    pub fn log_entries(&self, low: u64, high: u64) -> Result<Vec<raft::eraftpb::Entry>, LogError> {
        let Some(running) = &self.running else { return Ok(Vec::new()) };
        let mut entries = Vec::new();
        let mut next = low.max(running.log.first_index());
        while next <= high.min(running.log.last_index()) {
            let more = running.log.entries(next, high + 1, u64::MAX)?;
            next += more.len() as u64;
            entries.extend(more);
        }
        Ok(entries)
    }

    /// Whether the sender of something may be who it says: a store that is not the one it had the
    /// first time is another node under its id.
    pub fn knows(&mut self, sender: u64, store: [u8; 16]) -> bool {
        *self.known_stores.entry(sender).or_insert(store) == store
    }

    /// The store under which another node presented itself first.
    pub fn known_store(&self, of: u64) -> Option<[u8; 16]> {
        self.known_stores.get(&of).copied()
    }

    /// Lets the next round that gets there lose power at `boundary`.
    pub fn cut_at(&self, boundary: Boundary) {
        self.cut.set(Some(boundary));
    }

    /// Takes the cut back if no round has got there; says whether one was planned.
    pub fn uncut(&self) -> bool {
        let planned = self.cut.planned().is_some();
        self.cut.set(None);
        planned
    }

    /// The others have another state: the next start gets it from them.
    pub fn quarantine(&mut self) {
        self.quarantined = true;
    }

    /// A new disk is put in: everything is gone, the id remains.
    pub fn wipe(&mut self) {
        self.end();
        self.disk = SimDisk::new();
        self.states = StateDisk::new();
        self.known_stores.clear();
        self.store = self.prng.bytes();
        self.log_begun = false;
    }

    /// The folder of the log is lost, and nothing else.
    pub fn lose_log(&mut self) {
        self.disk = SimDisk::new();
    }

    /// Starts a process on what is on the disks; says what was found in the log.
    pub fn start(&mut self, world: &WorldClock) -> Result<GhostLog, NoStart> {
        let identity = StoreIdentity { cluster_id: cast::CLUSTER_ID, store_uuid: self.store };
        let options = Options { segment_bytes: SEGMENT_BYTES };
        let mut log = SegmentLog::open(self.disk.clone(), identity, options).map_err(no_start)?;
        // Only a store that is new begins a log.
        if !self.founders.is_empty() && !self.log_begun {
            bootstrap(&mut log).map_err(no_start)?;
        }
        let number = log.state_number();
        if !self.states.has(number) {
            let what = format!("the log belongs to state {number}, which is not there");
            return Err(NoStart::Damaged(what));
        }
        let mut readable = self.states.start(number);
        if mem::take(&mut self.quarantined) {
            readable = false;
        }
        if !readable {
            self.states.throw_away();
        }
        // Counting the start syncs the state's own log, and with it everything before.
        self.states.current_mut().sync();
        self.boots += 1;
        let state = self.states.current();
        let stored = if readable { state.membership() } else { self.states.membership() };
        let membership = match stored {
            Some(bytes) => Membership::decode(bytes)
                .map_err(|error| NoStart::Refused(format!("the membership: {error}")))?,
            None => Membership::of_voters(self.founders.clone()),
        };
        let reseed = !readable;
        let config =
            Config { membership, reseed, ..Config::new(self.id, Vec::new(), self.habits.seed) };
        let logger = slog::Logger::root(slog::Discard, slog::o!());
        let replica =
            Replica::start(config, &log, state.applied(), &logger).map_err(
                |error| match error {
                    StartError::CommitBeyondLog { .. }
                    | StartError::StateAheadOfLog { .. }
                    | StartError::LogEmpty { .. } => NoStart::Damaged(error.to_string()),
                    other => NoStart::Refused(other.to_string()),
                },
            )?;
        self.clock.boot(View(state).clock(), world);
        self.deeds.borrow_mut().clear();
        let log =
            ObservedLog::new(log, self.disk.clone(), Rc::clone(&self.deeds), self.cut.clone());
        let found = log.found().map_err(no_start)?;
        self.log_begun |= found.last() > 0;
        let shell = Shell::new(self.boots << 32, state.applied_term());
        self.running = Some(Running { replica, log, shell });
        Ok(found)
    }

    /// Ends the process; what it wrote stays.
    pub fn kill(&mut self) {
        self.end();
        self.disk.kill();
    }

    /// Takes the power away, and with it what was not synced.
    pub fn lose_power(&mut self, prng: &mut Prng) {
        self.end();
        // A disk that loses everything unsynced is the honest minimum; torn writes are worse.
        if prng.chance(50) {
            self.disk.crash_losing_all();
        } else {
            self.disk.crash(prng.draw());
        }
        self.states.crash(prng);
    }

    fn end(&mut self) {
        self.running = None;
        self.inbox.clear();
        self.alarm_since = None;
        self.cut.set(None);
    }

    /// Does one round of the loop.
    pub fn round(&mut self, world: &WorldClock) -> Output {
        let mut output = Output::default();
        let inbox = mem::take(&mut self.inbox);
        let Some(mut running) = self.running.take() else { return output };
        let syncs = self.disk.syncs();
        let done = self.work(&mut running, inbox, world, &mut output);
        output.syncs = self.disk.syncs() - syncs;
        output.deeds = mem::take(&mut *self.deeds.borrow_mut());
        let done = match self.cut.gone() {
            Some(boundary) => Err(Death::Power(boundary)),
            None => done,
        };
        match done {
            Ok(()) if output.death.is_some() => {}
            Ok(()) => {
                running.shell.leads = running.replica.status().role == RoleKind::Leader;
                self.running = Some(running);
            }
            Err(death) => output.death = Some(death),
        }
        output
    }
}

fn no_start(error: LogError) -> NoStart {
    match error {
        LogError::Disk { .. } | LogError::Refusing => NoStart::Disk(describe(&error)),
        damaged => NoStart::Damaged(describe(&damaged)),
    }
}

/// The error with its causes.
fn describe(error: &LogError) -> String {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
    format!("{error}{}", cause.unwrap_or_default())
}
