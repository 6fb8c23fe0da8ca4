//! A node: the shell around the real replica, log and machine, as the simulation drives it.
//!
//! The shape is that of the product's loop: a round takes everything that has come in, lets the
//! replica decide, writes with one sync, applies in one batch and answers. What differs is where
//! things go: messages, replies and observations are handed back to the world.

use std::{collections::BTreeMap, mem};

use bytes::Bytes;
use catalog_log::{
    LogError, LogRead, LogStore, Options, SegmentLog, SegmentReader, StoreIdentity,
    sim_disk::{SimDisk, SimFile},
};
use catalog_model::{name::ResourceName, time::UtcMillis};
use catalog_replica::{
    Config, Outside, ProposeRefusal, ReadDone, ReadRefusal, Replica, ReplicaStatus, Role, RoleKind,
    bootstrap, settle,
};
use catalog_state::{
    command::{Body, Command, LEVEL},
    keys::{self, Key, Table},
    machine::{Applied, Machine, Session, state_hash},
    outcome::Outcome,
    rows::DeadlineRow,
    store::Store,
    view::View,
};
use raft::eraftpb::{Entry, Message};

use crate::{
    call::{Answer, Call, NotDone, Reply, What},
    cast,
    clock::{NodeClock, WorldClock},
    prng::Prng,
    state_store::SimStateStore,
};

/// Milliseconds of a tick: the product's local profile.
pub const TICK_MS: u64 = 20;

/// How often a leader moves the committed clock while deadlines wait, in milliseconds.
const ADVANCE_MS: u64 = 1000;

/// A call that took longer than this to arrive has timed out long ago: no connection holds it over a
/// leap of the calendar.
const CALL_EXPIRES_MS: u64 = 10 * 60_000;

/// Small, so that a run fills several segments.
const SEGMENT_BYTES: u64 = 32 * 1024;

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
}

/// What a round gave.
#[derive(Debug, Default)]
pub struct Output {
    /// Messages, and whether they leave only when the round's sync is over.
    pub messages: Vec<(bool, Message)>,
    /// Answers to clients.
    pub replies: Vec<Reply>,
    /// What was applied, in order.
    pub applied: Vec<AppliedEntry>,
    /// How many syncs the disk was asked for.
    pub syncs: u64,
    /// The new role, if it changed.
    pub role: Option<Role>,
    /// How often the clock was asked for a stamp and refused.
    pub stamps_refused: u64,
    /// Why the process ended, if it did.
    pub death: Option<Death>,
}

/// Why a process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Death {
    /// The disk failed: an ordinary event, of which no promise may break.
    Disk(String),
    /// A promise was broken, or seems so to the node.
    Broken(String),
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
    /// What came of it; absent for Raft's own.
    pub applied: Option<Applied>,
    /// The state hash after it.
    pub state_hash: [u8; 32],
    /// Every deadline after it; only where no node had applied the entry before.
    pub deadlines: Option<BTreeMap<Vec<u8>, DeadlineRow>>,
}

/// A machine with a disk, and perhaps a process on it.
#[derive(Debug)]
pub struct Node {
    id: u64,
    /// The log's disk.
    pub disk: SimDisk,
    /// The state's disk.
    pub state: SimStateStore,
    /// The clocks.
    pub clock: NodeClock,
    /// Since when the clock alarm stands, in virtual time.
    pub alarm_since: Option<u64>,
    /// The loop cannot begin another round before.
    pub busy_until: u64,
    /// What waits for the next round.
    pub inbox: Vec<Input>,
    boots: u64,
    log_begun: bool,
    prng: Prng,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    replica: Replica<SegmentReader<SimFile>>,
    log: SegmentLog<SimDisk>,
    shell: Shell,
}

/// Who waits for a proposal.
#[derive(Debug)]
enum Waiter {
    Client { client: u64, attempt: u64 },
    Itself,
}

#[derive(Debug, Default)]
struct Shell {
    machine: Machine,
    /// Of each entry proposed here and not applied yet: its term and who waits.
    proposed: BTreeMap<u64, (u64, Waiter)>,
    reads: BTreeMap<u64, Read>,
    confirmed: Vec<(u64, Read)>,
    next_read: u64,
    applied_term: u64,
    leadership_lost: bool,
    next_advance: u64,
}

#[derive(Debug)]
struct Read {
    client: u64,
    attempt: u64,
    key: Vec<u8>,
}

impl Node {
    /// A machine without anything on its disk.
    pub fn new(id: u64, clock: NodeClock, prng: Prng) -> Self {
        Self {
            id,
            disk: SimDisk::new(),
            state: SimStateStore::default(),
            clock,
            alarm_since: None,
            busy_until: 0,
            inbox: Vec::new(),
            boots: 0,
            log_begun: false,
            prng,
            running: None,
        }
    }

    /// Whether there is a process.
    pub fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// How often a process was started; tells the timers of one from those of another.
    pub fn boots(&self) -> u64 {
        self.boots
    }

    /// How the replica sees itself, if there is a process.
    pub fn status(&self) -> Option<ReplicaStatus> {
        self.running.as_ref().map(|running| running.replica.status())
    }

    /// Whether it leads, as far as it knows.
    pub fn leads(&self) -> bool {
        self.status().is_some_and(|status| status.role == RoleKind::Leader)
    }

    /// Entries `(low, high]` of its log.
    pub fn log_entries(&self, low: u64, high: u64) -> Result<Vec<Entry>, LogError> {
        let running = self.running.as_ref().expect("the node runs");
        running.log.entries(low + 1, high + 1, u64::MAX)
    }

    /// One line about what its log contains.
    pub fn describe_log(&self) -> String {
        self.running.as_ref().map_or_else(String::new, |running| {
            let state = running.log.hard_state();
            format!(
                "last={} term={} vote={} commit={} syncs={}",
                running.log.last_index(),
                state.term,
                state.vote,
                state.commit,
                self.disk.syncs(),
            )
        })
    }

    /// Starts a process on what the disks hold.
    pub fn start(&mut self, voters: &[u64], world: &WorldClock, seed: u64) -> Result<(), String> {
        let identity =
            StoreIdentity { cluster_id: cast::CLUSTER_ID, store_uuid: [self.id as u8; 16] };
        let options = Options { segment_bytes: SEGMENT_BYTES };
        let mut log = SegmentLog::open(self.disk.clone(), identity, options)
            .map_err(|error| format!("the log does not open: {error}"))?;
        if log.last_index() == 0 && self.log_begun {
            return Err("the log was begun before and is empty".to_owned());
        }
        bootstrap(&mut log).map_err(|error| format!("the log cannot be begun: {error}"))?;
        self.log_begun = true;
        // Counting the start syncs the state's own log, and with it everything before.
        self.state.sync();
        self.boots += 1;
        let config = Config::new(self.id, voters.to_vec(), seed);
        let logger = slog::Logger::root(slog::Discard, slog::o!());
        let replica = Replica::start(config, &log, self.state.applied(), &logger)
            .map_err(|error| format!("the replica does not start: {error}"))?;
        self.clock.boot(View(&self.state).clock(), world);
        let shell = Shell { next_read: self.boots << 32, ..Shell::default() };
        self.running = Some(Running { replica, log, shell });
        Ok(())
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
        self.state.crash(prng);
    }

    fn end(&mut self) {
        self.running = None;
        self.inbox.clear();
        self.alarm_since = None;
    }

    /// Does one round of the loop. `observed` is the last entry that any node has applied.
    pub fn round(&mut self, world: &WorldClock, observed: u64) -> Output {
        let mut output = Output::default();
        let inbox = mem::take(&mut self.inbox);
        let Some(mut running) = self.running.take() else { return output };
        let syncs = self.disk.syncs();
        let done = self.work(&mut running, inbox, world, observed, &mut output);
        output.syncs = self.disk.syncs() - syncs;
        match done {
            Ok(()) => self.running = Some(running),
            Err(death) => output.death = Some(death),
        }
        output
    }

    fn work(
        &mut self,
        running: &mut Running,
        inbox: Vec<Input>,
        world: &WorldClock,
        observed: u64,
        output: &mut Output,
    ) -> Result<(), Death> {
        let mut ticked = false;
        for input in inbox {
            match input {
                Input::Tick => ticked = true,
                Input::Peer(message) => match running.replica.step(message) {
                    Err(refusal) if refusal.is_fatal() => {
                        return Err(Death::Broken(refusal.to_string()));
                    }
                    Ok(()) | Err(_) => {}
                },
                Input::Unreachable(to) => running.replica.unreachable(to),
                Input::Call(call) => self.take_call(running, call, world, output),
            }
        }
        if ticked {
            running.replica.tick();
            self.propose_own(running, world, output);
        }
        loop {
            let mut acts = Acts {
                shell: &mut running.shell,
                state: &mut self.state,
                clock: &mut self.clock,
                world,
                syncs: self.disk.syncs(),
                disk: &self.disk,
                observed,
                output,
                failed: None,
            };
            let settled = settle(&mut running.replica, &mut running.log, &mut acts);
            if let Some(failure) = acts.failed.take() {
                return Err(Death::Broken(failure));
            }
            settled.map_err(|error| Death::Disk(describe(&error)))?;
            let applied = self.state.applied();
            if applied <= running.replica.status().applied {
                break;
            }
            running.replica.applied(applied);
        }
        if mem::take(&mut running.shell.leadership_lost)
            && running.replica.status().role != RoleKind::Leader
        {
            running.shell.fail_waiters(output);
        }
        Ok(())
    }

    fn take_call(
        &mut self,
        running: &mut Running,
        call: Call,
        world: &WorldClock,
        output: &mut Output,
    ) {
        let Call { client, attempt, received_at, what } = call;
        if world.calendar().0 - received_at.0 > CALL_EXPIRES_MS {
            return;
        }
        let refused = match what {
            What::Change(change) => {
                let status = running.replica.status();
                if status.role != RoleKind::Leader {
                    Some(NotDone::NotLeader(status.leader))
                } else if !self.is_bootstrapped() {
                    Some(NotDone::NotReady)
                } else if let Some(stamp) = self.stamp(world, output) {
                    let command = change.command(stamp, received_at, &mut self.prng);
                    propose(running, &command, Waiter::Client { client, attempt }).err()
                } else {
                    Some(NotDone::ClockAhead)
                }
            }
            What::Read(key) => {
                let context = running.shell.next_read;
                running.shell.next_read += 1;
                match running.replica.read(context) {
                    Ok(()) => {
                        running.shell.reads.insert(context, Read { client, attempt, key });
                        None
                    }
                    Err(ReadRefusal::NotLeader { leader }) => Some(NotDone::NotLeader(leader)),
                    Err(ReadRefusal::TermNotCommitted) => Some(NotDone::NotReady),
                    Err(ReadRefusal::ContextInUse) => unreachable!("contexts only grow"),
                }
            }
        };
        if let Some(not_done) = refused {
            output.replies.push(Reply { client, attempt, result: Err(not_done) });
        }
    }

    fn is_bootstrapped(&self) -> bool {
        self.state.get(keys::meta::cluster().as_slice()).is_some()
    }

    fn stamp(&mut self, world: &WorldClock, output: &mut Output) -> Option<UtcMillis> {
        if let Ok(stamp) = self.clock.stamp(world) {
            self.alarm_since = None;
            Some(stamp)
        } else {
            self.alarm_since.get_or_insert(world.now);
            output.stamps_refused += 1;
            None
        }
    }

    /// What a leader proposes without being asked.
    fn propose_own(&mut self, running: &mut Running, world: &WorldClock, output: &mut Output) {
        let status = running.replica.status();
        // Before an entry of its own term is applied, a leader does not know what was decided.
        if status.role != RoleKind::Leader || running.shell.applied_term != status.term {
            return;
        }
        let itself = running.shell.proposed.values();
        if itself.into_iter().any(|(_, waiter)| matches!(waiter, Waiter::Itself)) {
            return;
        }
        let body = if !self.is_bootstrapped() {
            Body::Bootstrap(Box::new(cast::bootstrap(world.calendar())))
        } else if world.now >= running.shell.next_advance && View(&self.state).next_due().is_some()
        {
            running.shell.next_advance = world.now + ADVANCE_MS;
            let Some(to) = self.stamp(world, output) else { return };
            Body::AdvanceClock { to, development: false }
        } else {
            return;
        };
        let stamped_at = match &body {
            Body::AdvanceClock { to, .. } => *to,
            _ => world.calendar(),
        };
        let command = Command {
            level: LEVEL,
            stamped_at,
            received_at: None,
            caller: cast::node_caller(self.id),
            request_id: None,
            call_digest: [0; 32],
            salt: self.prng.bytes(),
            body,
        };
        // A refusal ends with the transfer or the overload; the next tick asks again.
        let _ = propose(running, &command, Waiter::Itself);
    }
}

fn propose(running: &mut Running, command: &Command, waiter: Waiter) -> Result<(), NotDone> {
    match running.replica.propose(command.encode().into()) {
        Ok(place) => {
            running.shell.proposed.insert(place.index, (place.term, waiter));
            Ok(())
        }
        Err(ProposeRefusal::NotLeader { leader }) => Err(NotDone::NotLeader(leader)),
        Err(ProposeRefusal::Transferring | ProposeRefusal::Overloaded) => Err(NotDone::NotReady),
    }
}

fn describe(error: &LogError) -> String {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
    format!("{error}{}", cause.unwrap_or_default())
}

impl Shell {
    fn fail_waiters(&mut self, output: &mut Output) {
        for (_, (_, waiter)) in mem::take(&mut self.proposed) {
            output.answer(&waiter, Err(NotDone::Unknown));
        }
    }

    fn answer_confirmed(&mut self, state: &SimStateStore, output: &mut Output) {
        let (ready, waiting) = mem::take(&mut self.confirmed)
            .into_iter()
            .partition(|(index, _)| *index <= state.applied());
        self.confirmed = waiting;
        let ready: Vec<(u64, Read)> = ready;
        for (_, read) in ready {
            let value = View(state).probe(&read.key).map(|row| row.value);
            output.replies.push(Reply {
                client: read.client,
                attempt: read.attempt,
                result: Ok(Answer::Value(value)),
            });
        }
    }
}

impl Output {
    fn answer(&mut self, waiter: &Waiter, result: Result<Answer, NotDone>) {
        if let Waiter::Client { client, attempt } = *waiter {
            self.replies.push(Reply { client, attempt, result });
        }
    }
}

/// Where the acts of the replica go in one round.
struct Acts<'a> {
    shell: &'a mut Shell,
    state: &'a mut SimStateStore,
    clock: &'a mut NodeClock,
    world: &'a WorldClock,
    disk: &'a SimDisk,
    /// Syncs before the round: what is sent when there are more waited for one.
    syncs: u64,
    observed: u64,
    output: &'a mut Output,
    failed: Option<String>,
}

impl Acts<'_> {
    fn apply_batch(&mut self, entries: Vec<Entry>) -> Result<(), String> {
        let Some(last) = entries.last().map(|entry| (entry.index, entry.term)) else {
            return Ok(());
        };
        let mut session = Session::new(&*self.state);
        let mut batch = Vec::with_capacity(entries.len());
        for entry in entries {
            let applied = if entry.data.is_empty() {
                None
            } else {
                let applied = self.shell.machine.apply(&mut session, entry.index, &entry.data);
                Some(applied.map_err(|error| error.to_string())?)
            };
            let view = session.view();
            batch.push(AppliedEntry {
                index: entry.index,
                term: entry.term,
                data: entry.data,
                applied,
                state_hash: state_hash(&view),
                deadlines: (entry.index > self.observed).then(|| deadlines(&view)),
            });
        }
        let writes = session.into_writes();
        self.state.commit(writes, last.0);
        self.shell.applied_term = last.1;
        if let Some(newest) = batch.iter().rev().find_map(|entry| entry.applied.as_ref()) {
            self.clock.saw(newest.clock, self.world);
        }
        for entry in &batch {
            let Some((term, waiter)) = self.shell.proposed.remove(&entry.index) else { continue };
            let answer = match &entry.applied {
                Some(applied) if entry.term == term => {
                    if matches!(applied.outcome, Outcome::ClockAdvanced { more: true, .. }) {
                        self.shell.next_advance = 0;
                    }
                    let outcome = applied.outcome.clone();
                    let version = match &outcome {
                        Outcome::Done(Some(name)) => version(self.state, name),
                        _ => None,
                    };
                    Ok(Answer::Committed { index: entry.index, outcome, version })
                }
                _ => Err(NotDone::Unknown),
            };
            self.output.answer(&waiter, answer);
        }
        self.output.applied.extend(batch);
        self.shell.answer_confirmed(self.state, self.output);
        Ok(())
    }
}

/// Every deadline on file.
fn deadlines(store: &dyn Store) -> BTreeMap<Vec<u8>, DeadlineRow> {
    let table = Key::table(Table::Deadline);
    let view = View(store);
    store
        .range(table.as_slice(), &table.end())
        .filter_map(|(key, _)| Some((key.clone(), view.get(&Key::from_stored(key))?)))
        .collect()
}

/// The version of what a call made or changed, as its etag would show it.
fn version(state: &SimStateStore, name: &ResourceName) -> Option<u64> {
    use catalog_model::name::Resource;

    let view = View(state);
    match &name.resource {
        Resource::Entry(id) => view.entry(&name.domain, *id).map(|entry| entry.version),
        Resource::Request(id) => view.request(&name.domain, *id).map(|case| case.version),
        Resource::Grant(id) => view.grant(&name.domain, *id).map(|grant| grant.version),
        _ => None,
    }
}

impl Outside for Acts<'_> {
    fn send(&mut self, messages: Vec<Message>) {
        let late = self.disk.syncs() > self.syncs;
        self.output.messages.extend(messages.into_iter().map(|message| (late, message)));
    }

    fn apply(&mut self, entries: Vec<Entry>) {
        if self.failed.is_none() {
            self.failed = self.apply_batch(entries).err();
        }
    }

    fn answer_reads(&mut self, reads: Vec<ReadDone>) {
        for done in reads {
            if let Some(read) = self.shell.reads.remove(&done.context) {
                self.shell.confirmed.push((done.index, read));
            }
        }
        self.shell.answer_confirmed(self.state, self.output);
    }

    fn drop_reads(&mut self, contexts: Vec<u64>) {
        for context in contexts {
            if let Some(Read { client, attempt, .. }) = self.shell.reads.remove(&context) {
                let result = Err(NotDone::NotLeader(None));
                self.output.replies.push(Reply { client, attempt, result });
            }
        }
    }

    fn role_changed(&mut self, role: Role) {
        self.output.role = Some(role);
        if !role.is_leader {
            self.shell.leadership_lost = true;
        }
    }
}
