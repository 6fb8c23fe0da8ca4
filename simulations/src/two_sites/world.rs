//! In which order does everything happen, and who hears whom?

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap},
    fmt,
};

use catalog_model::site::Pair;
use catalog_replica::{
    SiteId, Sites,
    keeper::{Answer, Ask},
};
use raft::eraftpb::Message;

use super::{
    checks::Checks,
    clients::{Asker, Client, Reply},
    machine::{MAIN, Machine, STANDBY, State},
    operator::Operator,
    witness::Witness,
};
use crate::{prng::Prng, report::Happenings, trace::Trace};

/// Milliseconds of a node's clock between two ticks.
const TICK_MS: u64 = 100;

/// Who or what sends and receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// The machines of a site, and clients there.
    Site(SiteId),
    /// The other domain that keeps the cell.
    Witness,
    /// Where the operator sits.
    Console,
}

/// What travels between nodes: with the pair that the sender belongs to, and the greatest it heard.
#[derive(Debug)]
pub(super) struct Parcel {
    pub(super) belongs: Pair,
    pub(super) heard: Pair,
    pub(super) message: Message,
}

#[derive(Debug)]
pub(super) enum Event {
    Start { machine: usize },
    Tick { machine: usize, boot: u64 },
    Sync { machine: usize, boot: u64 },
    Parcel { machine: usize, parcel: Box<Parcel> },
    Fetched { machine: usize, boot: u64, index: u64, from: u64 },
    Wake { client: usize },
    Call { machine: usize, asker: Asker, pair: Pair },
    Reply { client: usize, attempt: u64, pair: Pair, reply: Reply },
    TimeOut { client: usize, attempt: u64 },
    AskWitness { machine: usize, boot: u64, pair: Pair, home: Place, ask: Ask },
    WitnessAnswers { machine: usize, boot: u64, number: u64, answer: Answer },
    Operate,
    Noise,
    Resume { machine: usize },
}

/// Earlier ones first, and of two at the same time the one planned first.
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

/// Everything.
pub(super) struct World {
    pub(super) seed: u64,
    pub(super) now: u64,
    queue: BinaryHeap<Reverse<Queued>>,
    planned: u64,
    pub(super) happened: u64,
    pub(super) prng: Prng,
    pub(super) machines: Vec<Machine>,
    pub(super) snapshots: BTreeMap<u64, State>,
    /// Pairs of places that do not hear each other.
    pub(super) cuts: BTreeSet<(Place, Place)>,
    /// Machines that hear nobody.
    pub(super) isolated: BTreeSet<usize>,
    pub(super) witness: Witness,
    pub(super) operator: Operator,
    pub(super) clients: Vec<Client>,
    pub(super) checks: Checks,
    pub(super) trace: Trace,
    pub(super) happenings: Happenings,
    pub(super) elections: u64,
    /// No new acts any more.
    pub(super) resting: bool,
    /// In a script: what happened since it was last asked.
    pub(super) minutes: Option<Vec<String>>,
}

/// Where nodes stand: founders, and those who come later under ids that say it.
pub(super) fn sites() -> Sites {
    let of = |ids: std::ops::Range<u64>, site: SiteId| ids.map(move |id| (id, site));
    of(1..4, MAIN)
        .chain(of(4..7, STANDBY))
        .chain(of(100..160, MAIN))
        .chain(of(200..260, STANDBY))
        .collect()
}

pub(super) fn other(site: SiteId) -> SiteId {
    if site == MAIN { STANDBY } else { MAIN }
}

impl World {
    pub(super) fn new(seed: u64, tells: bool) -> Self {
        let mut prng = Prng::new(seed);
        let founders = vec![1, 2, 3, 4, 5];
        let mut machines = Vec::new();
        for id in 1..=6 {
            let site = if id <= 3 { MAIN } else { STANDBY };
            // Up to a tenth off, and often just that.
            let rate = *prng.pick(&[901, 901, 950, 1000, 1000, 1050, 1099, 1099]);
            let mut machine = Machine::new(id, site, rate);
            machine.found(&State::founded(founders.clone(), 6));
            machines.push(machine);
        }
        let clients = (0..6).map(|place| Client::new(if place % 3 == 2 { STANDBY } else { MAIN }));
        let mut world = Self {
            seed,
            now: 0,
            queue: BinaryHeap::new(),
            planned: 0,
            happened: 0,
            machines,
            snapshots: BTreeMap::new(),
            cuts: BTreeSet::new(),
            isolated: BTreeSet::new(),
            witness: Witness::registered(),
            operator: Operator::new(*prng.pick(&[901, 1000, 1099])),
            clients: clients.collect(),
            checks: Checks::default(),
            trace: Trace::new(tells),
            happenings: Happenings::new(),
            elections: 0,
            resting: false,
            minutes: None,
            prng,
        };
        for machine in 0..world.machines.len() {
            world.plan_in(0, Event::Start { machine });
        }
        world.plan_in(500, Event::Operate);
        world
    }

    /// A world in which only happens what a script says.
    pub(super) fn scripted() -> Self {
        let mut world = Self::new(1, false);
        world.minutes = Some(Vec::new());
        world.operator = Operator::new(1000);
        world.operator.staffs = false;
        world.clients.truncate(1);
        world.clients[0].scripted = true;
        for machine in &mut world.machines {
            machine.rate = 1000;
        }
        world
    }

    /// Clients begin to ask.
    pub(super) fn let_ask(&mut self) {
        for client in 0..self.clients.len() {
            let at = self.prng.between(1500, 3000);
            self.plan_in(at, Event::Wake { client });
        }
    }

    pub(super) fn plan_in(&mut self, after: u64, event: Event) {
        self.planned += 1;
        self.queue.push(Reverse(Queued(self.now + after, self.planned, event)));
    }

    /// Whether a script says what happens, and chance has no say.
    pub(super) fn is_scripted(&self) -> bool {
        self.minutes.is_some()
    }

    pub(super) fn note(&mut self, what: fmt::Arguments<'_>) {
        if let Some(minutes) = &mut self.minutes {
            minutes.push(what.to_string());
        }
        self.trace.note(self.now, what);
    }

    pub(super) fn count(&mut self, what: &'static str) {
        *self.happenings.entry(what).or_default() += 1;
    }

    /// Lets `ms` pass, or less if something is wrong.
    pub(super) fn pass(&mut self, ms: u64) {
        let until = self.now + ms;
        while self.checks.violations.is_empty()
            && self.queue.peek().is_some_and(|Reverse(next)| next.0 <= until)
        {
            let Reverse(Queued(at, _, event)) = self.queue.pop().expect("it was just seen");
            self.now = at;
            self.happened += 1;
            self.happen(event);
        }
        self.now = until.max(self.now);
        self.check_pairs();
    }

    /// Whether what is sent from one place arrives at the other.
    pub(super) fn hears(&self, from: Place, to: Place) -> bool {
        !self.cuts.contains(&(from.min(to), from.max(to)))
    }

    pub(super) fn cut(&mut self, one: Place, two: Place) {
        self.cuts.insert((one.min(two), one.max(two)));
    }

    pub(super) fn join(&mut self, one: Place, two: Place) {
        self.cuts.remove(&(one.min(two), one.max(two)));
    }

    /// Whether a machine and a place hear each other.
    pub(super) fn reaches(&self, machine: usize, place: Place) -> bool {
        let own = Place::Site(self.machines[machine].site);
        !self.isolated.contains(&machine) && (own == place || self.hears(own, place))
    }

    pub(super) fn machine_of(&self, id: u64) -> Option<usize> {
        self.machines.iter().position(|machine| machine.id == id)
    }

    /// How long something is under way.
    pub(super) fn delay(&mut self, one: Place, two: Place) -> u64 {
        if one == two { self.prng.between(1, 4) } else { self.prng.between(6, 22) }
    }

    fn is_boot(&self, machine: usize, boot: u64) -> bool {
        self.machines[machine].boots == boot && self.machines[machine].running.is_some()
    }

    fn happen(&mut self, event: Event) {
        // A process that stands still does nothing now, and everything later.
        if let Event::Tick { machine, .. }
        | Event::Sync { machine, .. }
        | Event::Parcel { machine, .. }
        | Event::Fetched { machine, .. }
        | Event::Call { machine, .. }
        | Event::WitnessAnswers { machine, .. } = &event
        {
            let until = self.machines[*machine].paused_until;
            if until > self.now {
                return self.plan_in(until - self.now, event);
            }
        }
        match event {
            Event::Start { machine } => self.start(machine),
            Event::Tick { machine, boot } => {
                if self.is_boot(machine, boot) {
                    let after = TICK_MS * 1000 / self.machines[machine].rate;
                    self.plan_in(after, Event::Tick { machine, boot });
                    self.tick(machine);
                }
            }
            Event::Sync { machine, boot } => {
                if self.is_boot(machine, boot) {
                    self.sync(machine);
                }
            }
            Event::Parcel { machine, parcel } => self.arrive(machine, *parcel),
            Event::Fetched { machine, boot, index, from } => {
                if self.is_boot(machine, boot) {
                    self.fetched(machine, index, from);
                }
            }
            Event::Wake { client } => self.wake(client),
            Event::Call { machine, asker, pair } => self.call(machine, asker, pair),
            Event::Reply { client, attempt, pair, reply } => {
                self.hear(client, attempt, pair, reply);
            }
            Event::TimeOut { client, attempt } => {
                self.hear(client, attempt, Pair::FIRST, Reply::Unknown);
            }
            Event::AskWitness { machine, boot, pair, home, ask } => {
                self.ask_arrives(machine, boot, pair, home, ask);
            }
            Event::WitnessAnswers { machine, boot, number, answer } => {
                if self.is_boot(machine, boot) {
                    self.witness_answers(machine, number, answer);
                }
            }
            Event::Operate => {
                self.plan_in(500, Event::Operate);
                self.operate();
            }
            Event::Noise => self.make_noise(),
            Event::Resume { machine } => self.resume(machine),
        }
    }

    fn start(&mut self, machine: usize) {
        if self.machines[machine].start() {
            let boot = self.machines[machine].boots;
            let first = self.prng.between(1, TICK_MS);
            self.plan_in(first, Event::Tick { machine, boot });
            self.process(machine);
        }
    }

    /// Power is back.
    pub(super) fn resume(&mut self, machine: usize) {
        if self.machines[machine].down && !self.machines[machine].kept_down {
            self.machines[machine].down = false;
            let id = self.machines[machine].id;
            self.note(format_args!("node {id} has power again"));
            self.start(machine);
        }
    }

    pub(super) fn lose_power(&mut self, machine: usize) {
        if !self.machines[machine].down {
            let chance = self.prng.draw();
            self.end_process(machine);
            self.machines[machine].lose_power(chance);
            let id = self.machines[machine].id;
            self.note(format_args!("node {id} loses power"));
            self.count("power losses");
        }
    }
}
