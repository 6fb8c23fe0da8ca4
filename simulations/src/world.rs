//! The world: in which order does everything happen?
//!
//! One queue of events, ordered by virtual time and, within a millisecond, by the order in which they
//! were planned. Everything random is drawn from the seed. So a seed is a history: run again, it gives
//! the same one, bit for bit.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
};

use catalog_model::time::LocalDate;
use raft::eraftpb::Message;

use crate::{
    call::{Call, NotDone, Reply},
    checker::Checker,
    clock::{NodeClock, WorldClock},
    fault::{Kind, Plan, Planned},
    network::{Network, Parcel},
    node::{Death, Input, Node, Output, TICK_MS},
    prng::Prng,
    report::Report,
    trace::{Trace, hex},
    workload::{Next, Workload},
};

mod ending;
mod faults;

const NODES: [u64; 3] = [1, 2, 3];
const CLIENTS: u64 = 6;

/// When faults begin and end, in virtual milliseconds.
const FAULTS_FROM: u64 = 1500;
const FAULTS_TO: u64 = 25_000;

/// A run that was unlucky goes on until here, to show something after all.
const FAULTS_LAST: u64 = 60_000;

/// How long each step of healing may take: the bound of every promise of liveness.
const HEALING_MS: u64 = 15_000;

/// After this long an operator has come to a node that raised an alarm.
const OPERATOR_MS: u64 = 1200;

/// A client waits this long for an answer.
const TIMEOUT_MS: u64 = 700;

/// How often the world looks after alarms and phases.
const WATCH_MS: u64 = 50;

/// What a run is given beside its seed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Prints everything that happens.
    pub tell: bool,
    /// The mutation: syncs of the log do nothing, and say that they did.
    pub ignore_syncs: bool,
}

#[derive(Debug)]
enum Event {
    Tick { node: u64, boot: u64 },
    Round { node: u64 },
    Parcel(Parcel),
    Call { node: u64, call: Box<Call> },
    Reply(Box<Reply>),
    Wake { client: u64 },
    TimeOut { client: u64, attempt: u64 },
    Fault(Planned),
    Repair(Repair),
    Start { node: u64 },
    Leap,
    Watch,
}

#[derive(Clone, Copy, Debug)]
enum Repair {
    Unblock {
        from: u64,
        to: u64,
    },
    SetClock {
        node: u64,
    },
    /// A write that was to be torn and never came.
    PowerLoss {
        node: u64,
        boot: u64,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Things go wrong.
    Faulty,
    /// Nothing goes wrong any more; clients wait for what they have asked.
    Healing,
    /// Every probe key is read once more.
    LastReads,
    /// Long after: everything falls due.
    LongAfter,
    /// Replicas become equal.
    Settling,
    /// The run is over.
    Over,
}

struct World {
    seed: u64,
    clock: WorldClock,
    queue: BTreeMap<(u64, u64), Event>,
    planned: u64,
    happened: u64,
    prng: Prng,
    nodes: BTreeMap<u64, Node>,
    round_planned: BTreeMap<u64, bool>,
    network: Network,
    workload: Workload,
    plan: Plan,
    faults: BTreeMap<Kind, u64>,
    /// Nodes whose next failure of the disk is of this class.
    awaited: BTreeMap<u64, Kind>,
    checker: Checker,
    trace: Trace,
    phase: Phase,
    phase_since: u64,
    leader: Option<(u64, u64)>,
    elections: u64,
    stamps_refused: u64,
}

/// Runs one seed to its end.
pub fn run(seed: u64, options: Options) -> Report {
    let told = catch_unwind(AssertUnwindSafe(|| World::new(seed, options).run()));
    told.unwrap_or_else(|panic| {
        let what = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_else(|| "without words".to_owned());
        Report::of_panic(seed, what)
    })
}

impl World {
    fn new(seed: u64, options: Options) -> Self {
        let mut prng = Prng::new(seed);
        // Nine in the morning of some day under the rules of 2025 and 2026, holidays included.
        let first: LocalDate = "2025-09-01".parse().expect("a date");
        let day = LocalDate::from_days(first.days() + prng.below(400) as i32);
        let clock = WorldClock { began: day.start().plus(9 * 3_600_000), now: 0, leapt: 0 };
        let mut nodes = BTreeMap::new();
        for id in NODES {
            let offset = prng.between(0, 4000) as i64 - 2000;
            let rate = prng.between(0, 400) as i64 - 200;
            let node = Node::new(id, NodeClock::new(offset, rate), prng.fork());
            node.disk.ignore_syncs(options.ignore_syncs);
            nodes.insert(id, node);
        }
        let plan = Plan::draw(&mut prng.fork(), FAULTS_FROM, FAULTS_TO);
        Self {
            seed,
            clock,
            queue: BTreeMap::new(),
            planned: 0,
            happened: 0,
            nodes,
            round_planned: BTreeMap::new(),
            network: Network::new(prng.fork()),
            workload: Workload::new(CLIENTS, NODES.to_vec(), prng.fork()),
            plan,
            faults: BTreeMap::new(),
            awaited: BTreeMap::new(),
            checker: Checker::default(),
            trace: Trace::new(options.tell),
            phase: Phase::Faulty,
            phase_since: 0,
            leader: None,
            elections: 0,
            stamps_refused: 0,
            prng,
        }
    }

    fn run(mut self) -> Report {
        for node in NODES {
            self.plan_at(0, Event::Start { node });
        }
        for client in self.workload.clients() {
            let at = self.prng.between(400, 900);
            self.plan_at(at, Event::Wake { client });
        }
        for fault in self.plan.faults.clone() {
            self.plan_at(fault.at, Event::Fault(fault));
        }
        self.plan_at(WATCH_MS, Event::Watch);
        self.plan_at(FAULTS_FROM + 1000, Event::Leap);

        while self.phase != Phase::Over && !self.checker.failed() {
            let ((at, _), event) = self.queue.pop_first().expect("the watch is always planned");
            self.clock.now = at;
            self.happened += 1;
            self.happen(event);
        }
        for surprise in self.workload.surprises.clone() {
            self.checker.violated("workload", surprise);
        }
        self.report()
    }

    fn plan_at(&mut self, at: u64, event: Event) {
        self.planned += 1;
        self.queue.insert((at, self.planned), event);
    }

    fn plan_in(&mut self, after: u64, event: Event) {
        self.plan_at(self.clock.now + after, event);
    }

    fn note(&mut self, what: std::fmt::Arguments<'_>) {
        self.trace.note(self.clock.now, what);
    }

    fn node(&mut self, id: u64) -> &mut Node {
        self.nodes.get_mut(&id).expect("a node")
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Tick { node, boot } => {
                let ticking = self.node(node);
                if ticking.is_running() && ticking.boots() == boot {
                    ticking.inbox.push(Input::Tick);
                    self.poke(node);
                    self.plan_in(TICK_MS, Event::Tick { node, boot });
                }
            }
            Event::Round { node } => self.round(node),
            Event::Parcel(parcel) => {
                let (now, to) = (self.clock.now, parcel.message.to);
                if self.network.arrives(now, &parcel) && self.node(to).is_running() {
                    self.node(to).inbox.push(Input::Peer(parcel.message));
                    self.poke(to);
                } else {
                    let line = describe(&parcel.message);
                    self.note(format_args!("lost {line}"));
                }
            }
            Event::Call { node, call } => {
                if self.node(node).is_running() {
                    self.node(node).inbox.push(Input::Call(*call));
                    self.poke(node);
                } else {
                    let Call { client, attempt, .. } = *call;
                    let result = Err(NotDone::NotLeader(None));
                    self.plan_in(2, Event::Reply(Box::new(Reply { client, attempt, result })));
                }
            }
            Event::Reply(reply) => {
                let client = reply.client;
                self.note(format_args!("client {client} hears {:?}", reply.result));
                if let Some(after) = self.workload.hear(*reply, &self.clock, self.happened) {
                    self.plan_in(after, Event::Wake { client });
                }
            }
            Event::Wake { client } => self.wake(client),
            Event::TimeOut { client, attempt } => {
                if self.workload.time_out(client, attempt) {
                    self.note(format_args!("client {client} hears nothing"));
                    self.plan_in(1, Event::Wake { client });
                }
            }
            Event::Fault(fault) => self.fault(fault),
            Event::Repair(repair) => self.repair(repair),
            Event::Start { node } => self.start(node),
            Event::Leap => self.leap_by_chance(),
            Event::Watch => self.watch(),
        }
    }

    // Nodes.

    /// Lets `node` begin a round as soon as it can.
    fn poke(&mut self, id: u64) {
        if !self.round_planned.get(&id).copied().unwrap_or(false) {
            self.round_planned.insert(id, true);
            let at = self.node(id).busy_until.max(self.clock.now);
            self.plan_at(at, Event::Round { node: id });
        }
    }

    fn start(&mut self, id: u64) {
        if self.node(id).is_running() {
            return;
        }
        let (clock, seed) = (self.clock, self.seed);
        let started = self.node(id).start(&NODES, &clock, seed);
        if let Err(what) = started {
            if self.awaited.get(&id) == Some(&Kind::SyncFailure) {
                // The sync that was to fail was one of the start's own.
                self.disk_failed(id, &what);
            } else {
                self.checker.violated("restart", format!("node {id}: {what}"));
            }
            return;
        }
        let line = self.node(id).describe_log();
        let (boot, applied) = (self.node(id).boots(), self.node(id).state.applied());
        self.note(format_args!("node {id} starts, applied={applied} {line}"));
        let phase = self.prng.below(TICK_MS);
        self.plan_in(phase, Event::Tick { node: id, boot });
        self.poke(id);
    }

    fn round(&mut self, id: u64) {
        self.round_planned.insert(id, false);
        let (clock, observed) = (self.clock, self.checker.agreement.last());
        let output = self.node(id).round(&clock, observed);
        let Output { messages, replies, applied, syncs, role, stamps_refused, death } = output;
        self.stamps_refused += stamps_refused;
        for entry in &applied {
            self.checker.observe(id, entry, clock.calendar());
            let outcome = entry.applied.as_ref().map(|applied| &applied.outcome);
            self.note(format_args!(
                "node {id} applies {}/{} {outcome:?} state={}",
                entry.index,
                entry.term,
                hex(&entry.state_hash[..8])
            ));
        }
        if let Some(role) = role {
            self.note(format_args!("node {id} {role:?}"));
            if role.is_leader && self.leader != Some((id, role.term)) {
                self.leader = Some((id, role.term));
                self.elections += 1;
            }
        }
        // The loop stands still while its disk syncs.
        let waits = match syncs {
            0 => 0,
            _ if self.prng.chance(2) => self.prng.between(20, 120),
            _ => self.prng.between(1, 5),
        };
        self.node(id).busy_until = clock.now + waits;
        if syncs > 0 {
            let line = self.node(id).describe_log();
            self.note(format_args!("node {id} wrote {line}"));
        }
        for (late, message) in messages {
            self.send(if late { waits } else { 0 }, message);
        }
        for reply in replies {
            let lost = self.phase == Phase::Faulty && self.prng.chance(2);
            let delay = waits + self.prng.between(1, 4);
            if !lost {
                self.plan_in(delay, Event::Reply(Box::new(reply)));
            }
        }
        match death {
            None => {}
            Some(Death::Disk(what)) => self.disk_failed(id, &what),
            Some(Death::Broken(what)) => {
                self.checker.violated("durability", format!("node {id}: {what}"));
            }
        }
    }

    fn send(&mut self, after: u64, message: Message) {
        let at = self.clock.now + after;
        let (from, to) = (message.from, message.to);
        let line = describe(&message);
        let reachable = self.node(to).is_running();
        let sent = self.network.send(at, message).filter(|_| reachable);
        if let Some((arrives, parcel)) = sent {
            self.note(format_args!("send {line}"));
            self.plan_at(arrives, Event::Parcel(parcel));
        } else {
            self.note(format_args!("unreachable {line}"));
            self.node(from).inbox.push(Input::Unreachable(to));
        }
    }

    // Clients.

    fn wake(&mut self, client: u64) {
        match self.workload.wake(client, &self.clock, self.happened) {
            Next::Send(node, call) => {
                let attempt = call.attempt;
                self.note(format_args!("client {client} asks node {node}: {:?}", call.what));
                self.plan_in(TIMEOUT_MS, Event::TimeOut { client, attempt });
                let lost = self.phase == Phase::Faulty && self.prng.chance(2);
                let delay = self.prng.between(1, 4);
                if !lost {
                    self.plan_in(delay, Event::Call { node, call });
                }
            }
            Next::Rest => {
                // It is awake again when new work may have come, or never.
                if self.phase == Phase::Faulty {
                    self.plan_in(100, Event::Wake { client });
                }
            }
        }
    }
}

fn describe(message: &Message) -> String {
    format!(
        "{}->{} {:?} term={} index={} log_term={} commit={} entries={}{}",
        message.from,
        message.to,
        message.get_msg_type(),
        message.term,
        message.index,
        message.log_term,
        message.commit,
        message.entries.len(),
        if message.reject { " rejected" } else { "" }
    )
}
