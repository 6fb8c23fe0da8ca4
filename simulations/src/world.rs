//! The world: in which order does everything happen?
//!
//! One queue of events, ordered by virtual time and, within a millisecond, by the order in which they
//! were planned. Everything random is drawn from the seed. So a seed is a history: run again, it gives
//! the same one, bit for bit.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap},
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
};

use catalog_model::time::LocalDate;
use catalog_mutation::Mutation;
use catalog_replica::CompactLimits;

use crate::{
    call::{Call, NotDone, Reply},
    cast,
    checker::Checker,
    clock::{NodeClock, WorldClock},
    fault::{Boundary, Kind, Plan, Planned},
    network::{Network, Parcel},
    node::{Habits, Node},
    prng::Prng,
    report::{Happenings, Report},
    scenario::{CLIENTS, Scenario},
    trace::Trace,
    workload::{Next, Workload},
    world::operator::Operator,
};

mod ending;
mod faults;
mod nodes;
mod operator;

/// When faults begin and end, in virtual milliseconds.
const FAULTS_FROM: u64 = 1500;
const FAULTS_TO: u64 = 26_000;

/// A run that was unlucky goes on until here, to show something after all.
const FAULTS_LAST: u64 = 60_000;

/// How long each step of healing may take: the bound of every promise of liveness.
const HEALING_MS: u64 = 20_000;

/// After this long an operator has come to a node that raised an alarm.
const OPERATOR_MS: u64 = 1200;

/// After this long an operator has looked at states that differ without it being clear whose is wrong.
const LOOKED_AT_MS: u64 = 4000;

/// A client waits this long for an answer.
const TIMEOUT_MS: u64 = 700;

/// How often the world looks after alarms and phases.
const WATCH_MS: u64 = 50;

/// No history is as long as that: something goes round in circles.
const STEPS_MAX: u64 = 3_000_000;

/// What a run is given beside its seed.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// In what kind of world.
    pub scenario: Scenario,
    /// Prints everything that happens.
    pub tell: bool,
    /// A line of the product that is made faulty. Needs the feature `mutations`.
    pub mutation: Option<Mutation>,
    /// Only a part of what the seed plans.
    pub part: Option<Part>,
}

/// A part of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Places of the faults that come, in the seed's plan.
    pub faults: Vec<usize>,
    /// How many clients there are.
    pub clients: u64,
    /// When faults end, in virtual milliseconds.
    pub until: u64,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faults: Vec<String> = self.faults.iter().map(ToString::to_string).collect();
        let faults = if faults.is_empty() { "none".to_owned() } else { faults.join(",") };
        write!(f, "--faults {faults} --clients {} --until {}", self.clients, self.until)
    }
}

#[derive(Debug)]
enum Event {
    Tick { node: u64, boot: u64 },
    Round { node: u64 },
    Parcel(Box<Parcel>),
    Call { node: u64, call: Box<Call> },
    Reply { node: u64, reply: Box<Reply> },
    Wake { client: u64 },
    TimeOut { client: u64, attempt: u64 },
    Fault(Planned),
    Repair(Repair),
    Start { node: u64 },
    Leap,
    Watch,
}

/// An event in the queue: earlier ones first, and of two at the same time the one planned first.
#[derive(Debug)]
struct Queued(u64, u64, Event);

impl PartialEq for Queued {
    fn eq(&self, other: &Self) -> bool {
        (self.0, self.1) == (other.0, other.1)
    }
}

impl Eq for Queued {}

impl PartialOrd for Queued {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Queued {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.0, self.1).cmp(&(other.0, other.1))
    }
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
    /// A write that was to be torn and never came, or a cut that no round has reached.
    PowerLoss {
        node: u64,
        boot: u64,
    },
    /// There is room on the disk again.
    MakeRoom {
        node: u64,
    },
    /// No repair: a direction is cut a little later than the fault began.
    Cut {
        from: u64,
        to: u64,
        lasts: u64,
    },
    /// A node that was down for long comes back.
    Return {
        node: u64,
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
    options: Options,
    habits: Habits,
    clock: WorldClock,
    queue: BinaryHeap<Reverse<Queued>>,
    planned: u64,
    happened: u64,
    prng: Prng,
    nodes: BTreeMap<u64, Node>,
    round_planned: BTreeSet<u64>,
    network: Network,
    workload: Workload,
    operator: Operator,
    plan: Plan,
    /// What the plan was before a part of it was taken.
    whole_plan: Vec<Planned>,
    faulty_until: u64,
    faults: BTreeMap<Kind, u64>,
    boundaries: BTreeMap<Boundary, u64>,
    happenings: Happenings,
    /// Nodes whose next failure of the disk is of this class.
    awaited: BTreeMap<u64, Kind>,
    /// Nodes whose state was changed behind everyone's back and not replaced yet, and since when.
    tainted: BTreeMap<u64, u64>,
    /// Nodes that lost their disk or their log, until they are replaced.
    lost: BTreeSet<u64>,
    /// Nodes that are down for long.
    absent: BTreeSet<u64>,
    checker: Checker,
    trace: Trace,
    phase: Phase,
    phase_since: u64,
    elections: u64,
    stamps_refused: u64,
}

/// Runs one seed to its end.
pub fn run(seed: u64, options: &Options) -> Report {
    choose(options.mutation);
    if options.scenario == Scenario::TwoSites {
        let report = crate::two_sites::run(seed, options);
        choose(None);
        return report;
    }
    let told = catch_unwind(AssertUnwindSafe(|| World::new(seed, options).run()));
    choose(None);
    told.unwrap_or_else(|panic| {
        let what = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_else(|| "without words".to_owned());
        Report::of_panic(seed, options.scenario, what)
    })
}

#[cfg(feature = "mutations")]
fn choose(mutation: Option<Mutation>) {
    catalog_mutation::choose(mutation);
}

#[cfg(not(feature = "mutations"))]
fn choose(mutation: Option<Mutation>) {
    assert!(mutation.is_none(), "mutations need the feature of that name");
}

impl World {
    fn new(seed: u64, options: &Options) -> Self {
        let mut prng = Prng::new(seed);
        let scenario = options.scenario;
        // Nine in the morning of some day under the rules of 2025 and 2026, holidays included.
        let first: LocalDate = "2025-09-01".parse().expect("a date");
        let day = LocalDate::from_days(first.days() + prng.below(400) as i32);
        let habits = Habits {
            seed,
            limits: CompactLimits {
                keep_entries: *prng.pick(&[20, 60, 150, 400]),
                // Without any order a snapshot takes its time: enough must be left to go on from it.
                keep_bytes: *prng.pick(if scenario.is_unordered() {
                    &[600_000, 1_000_000]
                } else {
                    &[60_000, 200_000]
                }),
            },
            block_bytes: *prng.pick(&[30_000, 60_000, 120_000]),
            level: if prng.chance(20) { 1 } else { cast::LEVEL },
            patient: prng.chance(50),
            mark_every: *prng.pick(&[16, 32, 64]),
        };
        // An older cluster has no word for the self-checks that the plan of 2024 asks for until it ends.
        let ended: LocalDate = "2026-06-07".parse().expect("a date");
        let day = if habits.level < cast::LEVEL { day.max(ended) } else { day };
        let clock = WorldClock { began: day.start().plus(9 * 3_600_000), now: 0, leapt: 0 };
        let founders = cast::FOUNDERS.to_vec();
        let mut nodes = BTreeMap::new();
        for id in founders.clone() {
            let node_clock = draw_clock(&mut prng);
            let node = Node::new(id, founders.clone(), habits, node_clock, prng.fork());
            nodes.insert(id, node);
        }
        let mut plan = Plan::draw(scenario, &mut prng.fork(), FAULTS_FROM, FAULTS_TO);
        let whole_plan = plan.faults.clone();
        let (mut clients, mut faulty_until) = (CLIENTS, FAULTS_TO);
        if let Some(part) = &options.part {
            let kept = part.faults.iter().filter_map(|place| whole_plan.get(*place));
            plan.faults = kept.copied().collect();
            clients = part.clients;
            faulty_until = part.until;
        }
        let strays = plan.enabled.contains(&Kind::Duplicates);
        Self {
            seed,
            options: options.clone(),
            habits,
            clock,
            queue: BinaryHeap::new(),
            planned: 0,
            happened: 0,
            nodes,
            round_planned: BTreeSet::new(),
            network: Network::new(scenario.is_unordered(), strays, prng.fork()),
            workload: Workload::new(clients, founders.clone(), habits.level, prng.fork()),
            operator: Operator::new(prng.fork()),
            plan,
            whole_plan,
            faulty_until,
            faults: BTreeMap::new(),
            boundaries: BTreeMap::new(),
            happenings: Happenings::new(),
            awaited: BTreeMap::new(),
            tainted: BTreeMap::new(),
            lost: BTreeSet::new(),
            absent: BTreeSet::new(),
            checker: Checker::new(founders),
            trace: Trace::new(options.tell),
            phase: Phase::Faulty,
            phase_since: 0,
            elections: 0,
            stamps_refused: 0,
            prng,
        }
    }

    fn run(mut self) -> Report {
        let ids: Vec<u64> = self.nodes.keys().copied().collect();
        for node in ids {
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
            let Reverse(Queued(at, _, event)) =
                self.queue.pop().expect("the watch is always planned");
            self.clock.now = at;
            self.happened += 1;
            self.happen(event);
            if self.happened > STEPS_MAX {
                self.checker.violated("liveness", "nothing comes to an end".to_owned());
            }
        }
        for surprise in self.workload.surprises.clone() {
            self.checker.violated("workload", surprise);
        }
        self.report()
    }

    fn plan_at(&mut self, at: u64, event: Event) {
        self.planned += 1;
        self.queue.push(Reverse(Queued(at, self.planned, event)));
    }

    fn plan_in(&mut self, after: u64, event: Event) {
        self.plan_at(self.clock.now + after, event);
    }

    fn note(&mut self, what: fmt::Arguments<'_>) {
        self.trace.note(self.clock.now, what);
    }

    fn tell(&self, what: fmt::Arguments<'_>) {
        self.trace.tell(self.clock.now, what);
    }

    fn mark(&mut self, kind: &str, numbers: &[u64], bytes: &[u8]) {
        self.trace.mark(self.clock.now, kind, numbers, bytes);
    }

    fn count(&mut self, happening: &'static str) {
        *self.happenings.entry(happening).or_default() += 1;
    }

    fn node(&mut self, id: u64) -> &mut Node {
        self.nodes.get_mut(&id).expect("a node")
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Tick { node, boot } => self.tick(node, boot),
            Event::Round { node } => self.round(node),
            Event::Parcel(parcel) => self.arrive(*parcel),
            Event::Call { node, call } => self.call(node, *call),
            Event::Reply { node, reply } => self.reply(node, *reply),
            Event::Wake { client } => self.wake(client),
            Event::TimeOut { client, attempt } => {
                if self.workload.time_out(client, attempt) {
                    self.mark("timeout", &[client, attempt], &[]);
                    self.tell(format_args!("client {client} hears nothing"));
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

    // Clients.

    fn wake(&mut self, client: u64) {
        match self.workload.wake(client, &self.clock, self.happened) {
            Next::Send(node, call) => {
                let attempt = call.attempt;
                self.mark("ask", &[client, attempt, node], &[]);
                self.tell(format_args!("client {client} asks node {node}: {:?}", call.what));
                // Some wait longer than it takes to elect another leader.
                let waits = if client.is_multiple_of(3) { 4 * TIMEOUT_MS } else { TIMEOUT_MS };
                self.plan_in(waits, Event::TimeOut { client, attempt });
                let lost = self.phase == Phase::Faulty && self.prng.chance(1);
                let delay = self.prng.between(1, 3);
                if !lost {
                    self.plan_in(delay, Event::Call { node, call });
                }
            }
            Next::Wait => {}
            Next::Rest => {
                // It is awake again when new work may have come, or never.
                if self.phase == Phase::Faulty {
                    self.plan_in(100, Event::Wake { client });
                }
            }
        }
    }

    fn call(&mut self, node: u64, call: Call) {
        if self.nodes.get(&node).is_some_and(Node::is_running) {
            let (client, attempt) = (call.client, call.attempt);
            let last = self.checker.agreement.last();
            self.checker.answers.taken(node, client, attempt, self.clock.now, last);
            self.node(node).inbox.push(crate::node::Input::Call(call));
            self.poke(node);
        } else {
            let Call { client, attempt, .. } = call;
            let reply = Box::new(Reply { client, attempt, result: Err(NotDone::NotLeader(None)) });
            self.plan_in(2, Event::Reply { node, reply });
        }
    }

    fn reply(&mut self, node: u64, reply: Reply) {
        let Reply { client, attempt, .. } = reply;
        if self.trace.tells() {
            self.tell(format_args!("client {client} hears of node {node}: {:?}", reply.result));
        }
        let done = u64::from(reply.result.is_ok());
        self.mark("hear", &[client, attempt, done], &[]);
        if client == operator::CLIENT {
            // What came of it is seen in the state.
            return;
        }
        if let Some(after) = self.workload.hear(reply, &self.clock, self.happened) {
            self.plan_in(after, Event::Wake { client });
        }
    }
}

/// A clock that is off by a little, as clocks are.
fn draw_clock(prng: &mut Prng) -> NodeClock {
    let offset = prng.between(0, 4000) as i64 - 2000;
    let rate = prng.between(0, 400) as i64 - 200;
    NodeClock::new(offset, rate)
}
