//! Clients: they ask whoever may lead, again and again, until they are told.

use catalog_model::site::Pair;
use catalog_replica::{ProposeRefusal, SiteId};

use super::{
    machine::Act,
    world::{Event, Place, World},
};

/// How long a client waits.
const TIMEOUT_MS: u64 = 2500;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// To do an act.
    Do(Act),
    /// To see everything that was acknowledged before: so many acts.
    Read { knows: usize },
}

/// Who waits for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asker {
    pub(super) client: usize,
    pub(super) attempt: u64,
    pub(super) what: What,
}

/// What a client is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// It is done, or here it is; whether both sites hold it.
    Done { both: bool },
    /// Not while one site alone would hold it.
    StandbyRequired,
    /// Ask this node, or anybody.
    Elsewhere(Option<u64>),
    /// Nobody knows what came of it.
    Unknown,
}

pub(super) struct Client {
    site: SiteId,
    wish: Option<What>,
    attempt: u64,
    waits: bool,
    /// The greatest pair it has seen: it follows no lower one.
    pair: Pair,
    hint: Option<u64>,
    /// In a script: asks when it is told to, and keeps what it heard.
    pub(super) scripted: bool,
    pub(super) heard: Option<Reply>,
}

impl Client {
    pub(super) fn new(site: SiteId) -> Self {
        Self {
            site,
            wish: None,
            attempt: 0,
            waits: false,
            pair: Pair::FIRST,
            hint: None,
            scripted: false,
            heard: None,
        }
    }
}

impl World {
    /// In a script: a client at the site of `machine` asks it, and nobody else.
    pub(super) fn ask_there(&mut self, machine: usize, what: What) {
        let pair = self.machines[machine].identity.belongs;
        let asks = &mut self.clients[0];
        asks.site = self.machines[machine].site;
        asks.attempt += 1;
        (asks.waits, asks.heard) = (true, None);
        let attempt = asks.attempt;
        self.plan_in(TIMEOUT_MS, Event::TimeOut { client: 0, attempt });
        self.plan_in(1, Event::Call { machine, asker: Asker { client: 0, attempt, what }, pair });
    }

    pub(super) fn wake(&mut self, client: usize) {
        if self.clients[client].waits {
            return;
        }
        if self.clients[client].wish.is_none() {
            if self.resting {
                return self.plan_in(400, Event::Wake { client });
            }
            let knows = self.checks.acknowledged() as usize;
            let wish = if self.prng.chance(60) {
                let id = self.checks.new_act();
                What::Do(Act { id, graded: self.prng.chance(12) })
            } else {
                What::Read { knows }
            };
            self.clients[client].wish = Some(wish);
        }
        // A read that is asked again is another read.
        let knows = self.checks.acknowledged() as usize;
        let asks = &mut self.clients[client];
        if let Some(What::Read { knows: before }) = &mut asks.wish {
            *before = knows;
        }
        asks.attempt += 1;
        asks.waits = true;
        let (attempt, pair) = (asks.attempt, asks.pair);
        let what = asks.wish.expect("it was just set");
        let (hint, place) = (asks.hint, Place::Site(asks.site));
        self.plan_in(TIMEOUT_MS, Event::TimeOut { client, attempt });
        let machine = hint
            .and_then(|id| self.machine_of(id))
            .unwrap_or_else(|| self.prng.below(self.machines.len() as u64) as usize);
        if self.reaches(machine, place) {
            let there = Place::Site(self.machines[machine].site);
            let after = self.delay(place, there);
            self.plan_in(
                after,
                Event::Call { machine, asker: Asker { client, attempt, what }, pair },
            );
        }
    }

    pub(super) fn call(&mut self, machine: usize, asker: Asker, pair: Pair) {
        if self.machines[machine].down {
            return;
        }
        self.hear_pair(machine, pair);
        let identity = self.machines[machine].identity;
        let Some(mut running) = self.machines[machine].running.take() else {
            return self.answer(machine, asker, Reply::Elsewhere(None));
        };
        // The loan ends by the clock, not when somebody looks: it is looked at before anything is taken in.
        if !self.keep(machine, &mut running) {
            self.machines[machine].running = Some(running);
            self.end_process(machine);
            return self.answer(machine, asker, Reply::Elsewhere(None));
        }
        let refused = if identity.belongs != pair && identity.belongs < pair || !identity.open {
            Some(Reply::Elsewhere(None))
        } else {
            match asker.what {
                What::Do(act) => match running.replica.propose(act.encode().into()) {
                    Ok(place) => {
                        running.proposed.insert(place.index, (place.term, asker));
                        None
                    }
                    Err(ProposeRefusal::NotLeader { leader }) => Some(Reply::Elsewhere(leader)),
                    Err(_) => Some(Reply::Elsewhere(None)),
                },
                What::Read { .. } => {
                    let role = running.replica.role();
                    if role.is_leader {
                        running.forming.push(asker);
                        None
                    } else {
                        Some(Reply::Elsewhere(role.leader))
                    }
                }
            }
        };
        self.machines[machine].running = Some(running);
        match refused {
            Some(reply) => self.answer(machine, asker, reply),
            None => self.process(machine),
        }
    }

    /// Sends a reply, if the client can be reached.
    pub(super) fn answer(&mut self, machine: usize, asker: Asker, reply: Reply) {
        let Asker { client, attempt, .. } = asker;
        let place = Place::Site(self.clients[client].site);
        let here = Place::Site(self.machines[machine].site);
        if self.reaches(machine, place) {
            let pair = self.machines[machine].identity.belongs;
            let after = self.delay(here, place);
            self.plan_in(after, Event::Reply { client, attempt, pair, reply });
        }
    }

    pub(super) fn hear(&mut self, client: usize, attempt: u64, pair: Pair, reply: Reply) {
        let asks = &mut self.clients[client];
        if asks.attempt != attempt || !asks.waits {
            return;
        }
        asks.waits = false;
        if asks.scripted {
            asks.heard = Some(reply);
            return;
        }
        let older = pair < asks.pair;
        asks.pair = asks.pair.max(pair);
        asks.hint = match reply {
            Reply::Elsewhere(leader) if !older => leader,
            Reply::Done { .. } if !older => asks.hint,
            _ => None,
        };
        let done = matches!(reply, Reply::Done { .. } | Reply::StandbyRequired) && !older;
        let after = if done {
            asks.wish = None;
            self.prng.between(40, 400)
        } else {
            self.prng.between(30, 250)
        };
        self.plan_in(after, Event::Wake { client });
    }
}
