//! The workload: what do clients ask for, and what were they told?
//!
//! Each client has one call under way. What carries a `request_id` is asked for again, on another node,
//! until it is answered; a probe without one is asked for once, and may stay in doubt. Clients share
//! what they know of the catalog, but each knows only what was acknowledged to one of them.

use std::collections::BTreeMap;

use catalog_model::{
    caller::Caller,
    ids::{EntryId, GrantId, OrganizationId, RequestId},
    name::{Resource, ResourceName},
    organization::DataKind,
    reason::Reason,
    share_request::Answer as Decision,
    time::{DAY_MS, UtcMillis},
};
use catalog_state::{
    command::{Body, OrganizationContent},
    outcome::Outcome,
    rows::ConsentKind,
};

use crate::{
    call::{Call, Change, NotDone, Reply, What},
    cast::{self, Member},
    checker::linearizable_probe::{Did, History},
    clock::WorldClock,
    prng::Prng,
};

mod settle;

/// After this much calendar time a client asks no more: a record of what became of a call lives for
/// 24 hours.
const GIVE_UP_MS: u64 = DAY_MS / 2;

/// Enough entries for many requests.
const MAX_ENTRIES: usize = 12;

/// Keys of the probe table.
const PROBE_KEYS: u64 = 8;

/// What a client was told for good.
#[derive(Clone, Debug)]
pub struct Acknowledged {
    /// By whom it was asked.
    pub caller: Caller,
    /// The key of the call; absent for probes.
    pub request_id: Option<String>,
    /// Text that tells what it made from everything else; empty if it made nothing.
    pub token: String,
    /// Its place in the log.
    pub index: u64,
    /// What it was told.
    pub outcome: Outcome,
    /// What it had asked for.
    pub body: Body,
}

/// Counts of what came of calls.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Changes asked for.
    pub asked: u64,
    /// Attempts after the first.
    pub retries: u64,
    /// Changes of which a client never heard.
    pub in_doubt: u64,
    /// Cases opened or granted at once.
    pub requests: u64,
    /// Cases answered.
    pub answers: u64,
    /// Calls asked again after they were answered, and answered the same.
    pub repeats: u64,
    /// Refusals by the rules that were meant to be refused.
    pub refused: u64,
}

/// All clients and what they know.
#[derive(Debug)]
pub struct Workload {
    clients: BTreeMap<u64, Client>,
    nodes: Vec<u64>,
    prng: Prng,
    /// Whether new commands are begun.
    open: bool,
    /// The level at which the cluster began: at level 1 nobody remembers the key of a probe, and an
    /// entry states no self-checks.
    level: u32,
    drafts: Vec<Draft>,
    published: Vec<Published>,
    cases: Vec<Case>,
    probes: u64,
    /// What was acknowledged, in the order in which clients heard.
    pub acknowledged: Vec<Acknowledged>,
    /// Every probe.
    pub history: History,
    /// Counts.
    pub tally: Tally,
    /// What clients were told and should not have been.
    pub surprises: Vec<String>,
}

#[derive(Debug, Default)]
struct Client {
    pending: Option<Pending>,
    /// Whether the last attempt was neither answered nor given up.
    in_flight: bool,
    attempts: u64,
    commands: u64,
    node: u64,
    /// The last call that was done, to use its key for another.
    last: Option<(Caller, String, UtcMillis)>,
    /// The same call in full and what it was told, to ask again.
    done: Option<(Change, Outcome, UtcMillis)>,
    /// What it saw last at each probe key.
    seen: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
}

#[derive(Debug)]
struct Pending {
    attempt: u64,
    what: What,
    token: String,
    intent: Intent,
    began: UtcMillis,
    attempted: bool,
}

/// Why a client asks.
#[derive(Clone, Debug)]
enum Intent {
    Organize,
    Register { provider: Member, unconditional: bool },
    Advance(Draft),
    Ask { granted: bool, left: bool },
    AskWrongly(Reason),
    Decide(Case),
    TakeBack(Case),
    ReuseKey { since: UtcMillis },
    Repeat { since: UtcMillis, outcome: Outcome },
    Probe { operation: usize, key: Vec<u8>, value: Option<Vec<u8>> },
}

/// An entry on its way into the catalog.
#[derive(Clone, Debug)]
struct Draft {
    id: EntryId,
    version: u64,
    provider: Member,
    unconditional: bool,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Registered,
    Consented,
    Submitted,
    /// Published and unconditional: the standing answer is missing.
    Published,
    /// Published by mistake, and to be withdrawn before anybody asks for it.
    Withdrawing,
}

#[derive(Clone, Debug)]
struct Published {
    name: ResourceName,
    provider: Member,
    unconditional: bool,
    /// Whether a request is granted at once.
    at_once: bool,
}

#[derive(Clone, Debug)]
struct Case {
    name: ResourceName,
    version: u64,
    asker: Member,
    provider: Member,
    /// Whether it may have been granted at once, without the client's knowing.
    unconditional: bool,
}

/// What the world does next for a client.
#[derive(Debug)]
pub enum Next {
    /// Sends a call to a node.
    Send(u64, Box<Call>),
    /// Nothing, until it is woken again.
    Rest,
    /// Nothing: it waits for an answer.
    Wait,
}

impl Workload {
    /// `count` clients of `nodes`, who choose by `prng`, of a cluster that began at `level`.
    pub fn new(count: u64, nodes: Vec<u64>, level: u32, prng: Prng) -> Self {
        let clients =
            (1..=count).map(|id| (id, Client { node: nodes[0], ..Client::default() })).collect();
        Self {
            clients,
            nodes,
            prng,
            open: true,
            level,
            drafts: Vec::new(),
            published: Vec::new(),
            cases: Vec::new(),
            probes: 0,
            acknowledged: Vec::new(),
            history: History::default(),
            tally: Tally::default(),
            surprises: Vec::new(),
        }
    }

    /// The ids of all clients.
    pub fn clients(&self) -> Vec<u64> {
        self.clients.keys().copied().collect()
    }

    /// Tells clients which nodes there are; those that ask one of no more go elsewhere.
    pub fn set_nodes(&mut self, nodes: Vec<u64>) {
        for client in self.clients.values_mut() {
            if !nodes.contains(&client.node) {
                client.node = nodes[0];
            }
        }
        self.nodes = nodes;
    }

    /// Lets clients begin nothing new.
    pub fn close(&mut self) {
        self.open = false;
    }

    /// Commands whose clients still wait.
    pub fn pending(&self) -> usize {
        self.clients.values().filter(|client| client.pending.is_some()).count()
    }

    /// Begins one last read of every probe key, on clients that have nothing to do.
    pub fn begin_last_reads(&mut self, world: &WorldClock, moment: u64) {
        let keys: Vec<Vec<u8>> = (0..PROBE_KEYS).map(probe_key).collect();
        let idle: Vec<u64> = self.clients();
        for (id, key) in idle.into_iter().zip(keys) {
            let operation = self.history.begin(id, key.clone(), Did::Read(None), moment);
            let client = self.clients.get_mut(&id).expect("a client");
            assert!(client.pending.is_none(), "last reads come when all is answered");
            client.pending = Some(Pending {
                attempt: 0,
                what: What::Read(key.clone()),
                token: String::new(),
                intent: Intent::Probe { operation, key, value: None },
                began: world.calendar(),
                attempted: false,
            });
        }
    }

    /// What client `id` does now that it is awake. `moment` orders the history.
    pub fn wake(&mut self, id: u64, world: &WorldClock, moment: u64) -> Next {
        let mut client = self.clients.remove(&id).expect("a client");
        let next = self.next(id, &mut client, world, moment);
        self.clients.insert(id, client);
        next
    }

    fn next(&mut self, id: u64, client: &mut Client, world: &WorldClock, moment: u64) -> Next {
        if let Some(pending) = &client.pending
            && matches!(pending.what, What::Change(_))
            && world.calendar().0 - pending.began.0 > GIVE_UP_MS
            && !client.in_flight
        {
            self.tally.in_doubt += 1;
            client.pending = None;
        }
        if client.pending.is_none() {
            if !self.open {
                return Next::Rest;
            }
            let Some(pending) = self.choose(id, client, world, moment) else { return Next::Rest };
            if matches!(pending.what, What::Change(_)) {
                self.tally.asked += 1;
            }
            client.pending = Some(pending);
        }
        if client.in_flight {
            // Woken twice: what it has asked is not asked again before it is answered or given up.
            return Next::Wait;
        }
        client.in_flight = true;
        client.attempts += 1;
        let pending = client.pending.as_mut().expect("chosen above");
        if pending.attempted {
            self.tally.retries += 1;
        }
        pending.attempted = true;
        pending.attempt = client.attempts;
        let call = Call {
            client: id,
            attempt: pending.attempt,
            received_at: world.calendar(),
            gateway_ahead_ms: gateway_ahead_ms(id),
            what: pending.what.clone(),
        };
        Next::Send(client.node, Box::new(call))
    }

    /// A call of client `id` was not answered in time. Says whether it should be woken now.
    pub fn time_out(&mut self, id: u64, attempt: u64) -> bool {
        let client = self.clients.get_mut(&id).expect("a client");
        if client.pending.as_ref().is_none_or(|pending| pending.attempt != attempt) {
            return false;
        }
        client.in_flight = false;
        client.node = *self.prng.pick(&self.nodes);
        self.doubt(id);
        true
    }

    /// A probe whose fate is unknown is not asked for again: it may have been done.
    fn doubt(&mut self, id: u64) {
        let client = self.clients.get_mut(&id).expect("a client");
        if let Some(pending) = &client.pending
            && matches!(&pending.what, What::Change(change) if change.request_id.is_none())
        {
            self.tally.in_doubt += 1;
            client.pending = None;
        }
    }

    /// Hands `reply` to its client; says after how many milliseconds it wakes, if it heard.
    pub fn hear(&mut self, reply: Reply, world: &WorldClock, moment: u64) -> Option<u64> {
        let client = self.clients.get_mut(&reply.client)?;
        if client.pending.as_ref()?.attempt != reply.attempt {
            return None;
        }
        client.in_flight = false;
        match reply.result {
            Ok(answer) => {
                let pending = client.pending.take()?;
                self.settle(reply.client, pending, answer, world, moment);
                Some(self.prng.between(0, 120))
            }
            Err(NotDone::Unknown) => {
                client.node = *self.prng.pick(&self.nodes);
                self.doubt(reply.client);
                Some(self.prng.between(20, 60))
            }
            Err(NotDone::NotLeader(leader)) => {
                let known = leader.filter(|leader| self.nodes.contains(leader));
                client.node = known.unwrap_or_else(|| *self.prng.pick(&self.nodes));
                Some(self.prng.between(20, 60))
            }
            Err(NotDone::NotReady | NotDone::ClockAhead | NotDone::Refused | NotDone::Expired) => {
                client.node = *self.prng.pick(&self.nodes);
                Some(self.prng.between(60, 180))
            }
        }
    }

    fn choose(
        &mut self,
        id: u64,
        client: &mut Client,
        world: &WorldClock,
        moment: u64,
    ) -> Option<Pending> {
        client.commands += 1;
        let token = format!("c{id}-{}", client.commands);
        let now = world.calendar();
        let today = now.local_date();
        let (caller, body, intent) = match self.prng.below(100) {
            0..=52 => return Some(self.choose_probe(id, client, now, moment)),
            53..=55 => {
                let content = OrganizationContent {
                    name: format!("单位 {token}"),
                    name_en: String::new(),
                    credit_code: String::new(),
                    class: None,
                    capacities: Vec::new(),
                    platform_role: None,
                    region_code: String::new(),
                };
                let id = OrganizationId::from_bytes([0; 16]);
                let body = Body::CreateOrganization { id, content };
                (cast::AUTHORITY.as_head(), body, Intent::Organize)
            }
            56..=58 if client.last.is_some() => {
                let (caller, key, since) = client.last.clone()?;
                if now.0 - since.0 > GIVE_UP_MS / 2 {
                    return self.choose(id, client, world, moment);
                }
                let what = What::Change(Box::new(Change {
                    caller,
                    request_id: Some(key),
                    body: self.ask(cast::ASKERS[0], &token, now).0,
                }));
                let intent = Intent::ReuseKey { since };
                let token = String::new();
                return Some(Pending {
                    attempt: 0,
                    what,
                    token,
                    intent,
                    began: since,
                    attempted: false,
                });
            }
            59..=62 if client.done.is_some() => {
                let (change, outcome, since) = client.done.clone()?;
                if now.0 - since.0 > GIVE_UP_MS / 2 {
                    client.done = None;
                    return self.choose(id, client, world, moment);
                }
                let intent = Intent::Repeat { since, outcome };
                return Some(Pending {
                    attempt: 0,
                    what: What::Change(Box::new(change)),
                    token: String::new(),
                    intent,
                    began: since,
                    attempted: false,
                });
            }
            63..=71 if self.entries() < MAX_ENTRIES || !self.drafts.is_empty() => {
                if self.drafts.is_empty() || self.entries() < 2 {
                    let provider = *self.prng.pick(&cast::PROVIDERS);
                    let unconditional = self.prng.chance(40);
                    let title = format!("目录 {token}");
                    let body = Body::RegisterEntry {
                        id: EntryId::from_bytes([0; 16]),
                        provider: provider.organization(),
                        kind: DataKind::GovernmentData,
                        content: cast::entry(provider, title, unconditional, today, self.level),
                    };
                    (provider.as_system(), body, Intent::Register { provider, unconditional })
                } else {
                    let place = self.prng.below(self.drafts.len() as u64) as usize;
                    let draft = self.drafts.remove(place);
                    let (caller, body) = draft.next_step();
                    (caller, body, Intent::Advance(draft))
                }
            }
            72..=83 if !self.cases.is_empty() => {
                let place = self.prng.below(self.cases.len() as u64) as usize;
                let case = self.cases.remove(place);
                if self.prng.chance(10) {
                    let body = Body::WithdrawRequest {
                        request: case.name.clone(),
                        version: case.version,
                        reason: format!("不再需要 {token}"),
                    };
                    (case.asker.as_system(), body, Intent::TakeBack(case))
                } else {
                    let answer = self.decision(&token);
                    let body = Body::AnswerRequest {
                        request: case.name.clone(),
                        version: case.version,
                        answer,
                        grant: GrantId::from_bytes([0; 16]),
                    };
                    (case.provider.as_head(), body, Intent::Decide(case))
                }
            }
            84..=86 if !self.published.is_empty() => {
                if self.prng.chance(30) {
                    // A version that never was: whoever changes must have read what is there.
                    let id = cast::PROVIDERS[0].organization();
                    let content = OrganizationContent {
                        name: format!("单位 {token}"),
                        name_en: String::new(),
                        credit_code: String::new(),
                        class: None,
                        capacities: Vec::new(),
                        platform_role: None,
                        region_code: String::new(),
                    };
                    let change = Change {
                        caller: cast::AUTHORITY.as_head(),
                        request_id: Some(token.clone()),
                        body: Body::UpdateOrganization { id, version: 999, content },
                    };
                    return Some(Pending {
                        attempt: 0,
                        what: What::Change(Box::new(change)),
                        token,
                        intent: Intent::AskWrongly(Reason::EtagMismatch),
                        began: now,
                        attempted: false,
                    });
                }
                let asker = *self.prng.pick(&cast::ASKERS);
                let (mut body, _) = self.ask(asker, &token, now);
                let Body::CreateRequest { content, .. } = &mut body else { unreachable!() };
                let reason = if self.prng.chance(50) {
                    content.items.push("没有的项".to_owned());
                    Reason::ItemUnknown
                } else {
                    content.commitments.clear();
                    Reason::CommitmentMissing
                };
                (asker.as_system(), body, Intent::AskWrongly(reason))
            }
            _ if !self.published.is_empty() => {
                let asker = *self.prng.pick(&cast::ASKERS);
                let (body, granted) = self.ask(asker, &token, now);
                let left = self.prng.chance(40);
                (asker.as_system(), body, Intent::Ask { granted, left })
            }
            _ => return Some(self.choose_probe(id, client, now, moment)),
        };
        let change = Change { caller, request_id: Some(token.clone()), body };
        let what = What::Change(Box::new(change));
        Some(Pending { attempt: 0, what, token, intent, began: now, attempted: false })
    }

    /// Entries of which somebody knows; those that were lost in doubt do not count.
    fn entries(&self) -> usize {
        self.drafts.len() + self.published.len()
    }

    /// A request for one of the published entries; none is published, then for one that never was.
    fn ask(&mut self, asker: Member, token: &str, now: UtcMillis) -> (Body, bool) {
        let (name, granted) = if self.published.is_empty() {
            let name = cast::name(Resource::Entry(EntryId::from_bytes([0xee; 16])));
            (name, false)
        } else {
            let entry = self.prng.pick(&self.published).clone();
            (entry.name, entry.at_once)
        };
        let content = cast::request(asker, name, format!("场景 {token}"), now.local_date());
        let body = Body::CreateRequest {
            id: RequestId::from_bytes([0; 16]),
            grant: GrantId::from_bytes([0; 16]),
            content,
            consenting_person: Some(asker.head()),
        };
        (body, granted)
    }

    fn decision(&mut self, token: &str) -> Decision {
        match self.prng.below(3) {
            0 => Decision::Agreed,
            1 => Decision::AgreedInPart {
                items: vec![cast::ITEMS[0].to_owned()],
                reason: format!("其余非必要 {token}"),
            },
            _ => Decision::Refused {
                ground: "not_necessary_for_duty".to_owned(),
                reason: format!("与职责无关 {token}"),
            },
        }
    }

    fn choose_probe(&mut self, id: u64, client: &Client, now: UtcMillis, moment: u64) -> Pending {
        let key = probe_key(self.prng.below(PROBE_KEYS));
        self.probes += 1;
        let value = format!("v{}", self.probes).into_bytes();
        // With a key it is asked for until it is answered; without one it may stay in doubt.
        let named = self.level > 1 && self.prng.chance(50);
        let named = named.then(|| format!("p{}", self.probes));
        let (what, did, value) = match self.prng.below(4) {
            0 | 1 => (What::Read(key.clone()), Did::Read(None), None),
            2 => {
                let body = Body::ProbePut { key: key.clone(), value: value.clone() };
                (probe(body, named), Did::Put(value.clone()), Some(value))
            }
            _ => {
                let expected = client.seen.get(&key).cloned().flatten();
                let body = Body::ProbeCompareAndSet {
                    key: key.clone(),
                    expected: expected.clone().map(Into::into),
                    value: value.clone(),
                };
                let did = Did::CompareAndSet { expected, value: value.clone(), done: None };
                (probe(body, named), did, Some(value))
            }
        };
        let operation = self.history.begin(id, key.clone(), did, moment);
        let intent = Intent::Probe { operation, key, value };
        Pending { attempt: 0, what, token: String::new(), intent, began: now, attempted: false }
    }
}

impl Draft {
    /// Who does what with it next.
    fn next_step(&self) -> (Caller, Body) {
        let (id, version) = (self.id, self.version);
        let consent = |kind| Body::GiveConsent {
            subject: cast::name(Resource::Entry(id)),
            version,
            kind,
            person: self.provider.head(),
            answer: None,
        };
        match self.stage {
            Stage::Registered => (self.provider.as_head(), consent(ConsentKind::Catalog)),
            Stage::Consented => (self.provider.as_system(), Body::SubmitEntry { id, version }),
            Stage::Submitted => (cast::AUTHORITY.as_head(), Body::PublishEntry { id, version }),
            Stage::Published => (self.provider.as_head(), consent(ConsentKind::StandingAnswer)),
            Stage::Withdrawing => {
                let reason = "发布有误".to_owned();
                (self.provider.as_system(), Body::WithdrawEntry { id, version, reason })
            }
        }
    }
}

/// Most gateways know what time it is. Nothing may depend on it.
fn gateway_ahead_ms(client: u64) -> i64 {
    match client % 8 {
        5 => 30 * DAY_MS as i64,
        6 => -3 * DAY_MS as i64,
        7 => 90_000,
        _ => 0,
    }
}

fn probe_key(number: u64) -> Vec<u8> {
    format!("k{number}").into_bytes()
}

fn probe(body: Body, request_id: Option<String>) -> What {
    What::Change(Box::new(Change { caller: cast::AUTHORITY.as_system(), request_id, body }))
}
