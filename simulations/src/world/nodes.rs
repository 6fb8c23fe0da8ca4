//! How do nodes live: start, tick, do a round, send, die?

use crate::{
    checker::{reference::RowSum, snapshots},
    fault::Kind,
    network::{Load, Parcel},
    node::{Death, Deed, Input, NoStart, Output, TICK_MS},
    trace::hex,
    world::{Event, Phase, Repair, World, faults::OF_INSTALLS},
};
use catalog_state::machine::state_hash;
use protobuf::Message as _;
use raft::eraftpb::Message;

impl World {
    pub(super) fn tick(&mut self, node: u64, boot: u64) {
        let Some(ticking) = self.nodes.get_mut(&node) else { return };
        if ticking.is_running() && ticking.boots() == boot {
            ticking.inbox.push(Input::Tick);
            self.poke(node);
            self.plan_in(TICK_MS, Event::Tick { node, boot });
        }
    }

    /// Lets `node` begin a round as soon as it can.
    pub(super) fn poke(&mut self, id: u64) {
        if self.round_planned.insert(id) {
            let at = self.node(id).busy_until.max(self.clock.now);
            self.plan_at(at, Event::Round { node: id });
        }
    }

    pub(super) fn start(&mut self, id: u64) {
        let clock = self.clock;
        let Some(node) = self.nodes.get_mut(&id) else { return };
        let no_room = self.awaited.get(&id) == Some(&Kind::DiskFull);
        if node.is_running() || self.absent.contains(&id) || no_room {
            return;
        }
        let found = match node.start(&clock) {
            Ok(found) => found,
            Err(NoStart::Disk(what)) => {
                // What was to fail was one of the start's own operations.
                self.disk_failed(id, &what);
                return;
            }
            Err(NoStart::Damaged(what)) if self.lost.contains(&id) || self.is_retired(id) => {
                self.note(format_args!("node {id} refuses to start: {what}"));
                self.count("damaged logs refused");
                return;
            }
            Err(NoStart::Damaged(what) | NoStart::Refused(what)) => {
                self.checker.violated("restart", format!("node {id}: {what}"));
                return;
            }
        };
        if self.lost.contains(&id) && self.awaited.get(&id) == Some(&Kind::BitRot) {
            let what = format!("node {id} starts on a log that has decayed or is gone");
            self.checker.violated("damage is refused", what);
            return;
        }
        let node = &self.nodes[&id];
        let (boot, applied) = (node.boots(), node.applied());
        self.check_state(id);
        let (first, last) = (found.base + 1, found.last());
        self.checker.started(id, found);
        self.note(format_args!("node {id} starts, applied={applied} log={first}..={last}"));
        if self.phase == Phase::Faulty
            && self.plan.enabled.contains(&Kind::BoundaryCrash)
            && self.prng.chance(20)
        {
            // Should it receive a snapshot, power goes in the middle of it.
            let boundary = *self.prng.pick(&OF_INSTALLS);
            self.node(id).cut_at(boundary);
        }
        let phase = self.prng.below(TICK_MS);
        self.plan_in(phase, Event::Tick { node: id, boot });
        self.poke(id);
    }

    /// What a node finds of its state at a start must be the cluster's, whichever batch it ends with.
    fn check_state(&mut self, id: u64) {
        let state = self.nodes[&id].states.current();
        let (applied, rows) = (state.applied(), state.rows());
        if self.checker.reference.sum_at(applied).is_none() {
            return;
        }
        let hash = state_hash(rows);
        let equal = snapshots::check(
            id,
            applied,
            hash,
            RowSum::of(rows),
            &self.checker.agreement,
            &self.checker.reference,
        );
        match equal {
            // It was replaced, and power went before anybody was told.
            Ok(()) => drop(self.tainted.remove(&id)),
            Err(_) if self.tainted.contains_key(&id) => {}
            Err(what) => self.checker.violated("state survives", what),
        }
    }

    pub(super) fn round(&mut self, id: u64) {
        self.round_planned.remove(&id);
        let Some(node) = self.nodes.get(&id) else { return };
        if node.busy_until > self.clock.now {
            // It was paused after the round was planned.
            self.poke(id);
            return;
        }
        let clock = self.clock;
        let output = self.node(id).round(&clock);
        let Output { sent, replies, deeds, syncs, role, stamps_refused, happened, death } = output;
        self.stamps_refused += stamps_refused;
        for happening in happened {
            self.count(happening);
        }
        for deed in deeds {
            self.did(id, deed);
            self.checker.step();
        }
        if let Some(role) = role {
            self.note(format_args!("node {id} {role:?}"));
            if role.is_leader && self.checker.leads(id, role.term) {
                self.elections += 1;
            }
        }
        // The loop stands still while its disk syncs.
        let slow = self.nodes[&id].slow_until > clock.now;
        let waits = match syncs {
            0 => 0,
            _ if slow => self.prng.between(50, 250),
            _ if self.prng.chance(1) => self.prng.between(20, 100),
            _ => self.prng.between(1, 3),
        };
        self.node(id).busy_until = clock.now + waits;
        for (late, to, load) in sent {
            self.send(if late { waits } else { 0 }, id, to, load);
        }
        for reply in replies {
            self.checker.answers.answered(id, reply.client, reply.attempt);
            let lost = self.phase == Phase::Faulty && self.prng.chance(1);
            let delay = waits + self.prng.between(1, 3);
            if !lost {
                self.plan_in(delay, Event::Reply { node: id, reply: Box::new(reply) });
            }
        }
        match death {
            None => {}
            Some(Death::Disk(what)) => self.disk_failed(id, &what),
            Some(Death::Power(boundary)) => {
                *self.boundaries.entry(boundary).or_default() += 1;
                *self.faults.entry(Kind::BoundaryCrash).or_default() += 1;
                self.note(format_args!("node {id} loses power at {}", boundary.name()));
                self.lose_power(id);
            }
            Some(Death::Diverged) => {
                self.note(format_args!("node {id} has another state than the others"));
                if !self.tainted.contains_key(&id) {
                    let what = format!("node {id} thinks so of its state, which was not changed");
                    self.checker.violated("divergence", what);
                }
                self.node(id).quarantine();
                self.kill(id);
            }
            Some(Death::Lost(what)) => {
                self.note(format_args!("node {id} ends: {what}"));
                if self.lost.contains(&id) || self.is_retired(id) {
                    self.count("wiped disks noticed");
                    self.node(id).kill();
                    self.network_down(id);
                } else {
                    self.checker.violated("durability", format!("node {id}: {what}"));
                }
            }
            Some(Death::Broken(what)) => {
                self.checker.violated("no broken node", format!("node {id}: {what}"));
            }
        }
    }

    /// Takes note of what a node did to its log or state.
    fn did(&mut self, id: u64, deed: Deed) {
        match deed {
            Deed::Logged(act) => {
                if self.trace.tells() {
                    self.tell(format_args!("node {id} wrote {act:?}"));
                }
                let (numbers, what) = act.numbers();
                self.mark(what, &numbers, &id.to_be_bytes());
                self.checker.logged(id, &act);
            }
            Deed::Applied(mut entry) => {
                let hash = entry.state_hash;
                let outcome = entry.applied.as_ref().map(|applied| &applied.outcome);
                if self.trace.tells() {
                    self.tell(format_args!(
                        "node {id} applies {}/{} {outcome:?} state={}",
                        entry.index,
                        entry.term,
                        hex(&hash[..8])
                    ));
                }
                self.mark("apply", &[id, entry.index, entry.term], &hash);
                if self.tainted.contains_key(&id) {
                    // Its hash is known to be wrong; that it is found out is checked at the end.
                    entry.state_hash = match self.checker.agreement.at(entry.index) {
                        Some(agreed) => agreed.state_hash,
                        None => self.checker.reference.hash_after(&entry),
                    };
                }
                self.checker.observe(id, &entry, self.clock.calendar());
            }
            Deed::Installed { index, state_hash, sum } => {
                self.note(format_args!("node {id} installs the state after {index}"));
                self.tainted.remove(&id);
                let Self { checker, .. } = self;
                let equal = snapshots::check(
                    id,
                    index,
                    state_hash,
                    sum,
                    &checker.agreement,
                    &checker.reference,
                );
                if let Err(what) = equal {
                    self.checker.violated("snapshot equality", what);
                }
            }
        }
    }

    fn send(&mut self, after: u64, from: u64, to: u64, load: Load) {
        let at = self.clock.now + after;
        if self.trace.tells() {
            self.tell(format_args!("send {}", describe(from, to, &load)));
        }
        let bytes = match &load {
            Load::Raft(message) => message.write_to_bytes().expect("a message can be encoded"),
            Load::BlockAsked { snapshot, .. } => snapshot.to_vec(),
            Load::Block { bytes, .. } => bytes.as_deref().unwrap_or_default().to_vec(),
            Load::Mark { hash, .. } => hash.to_vec(),
        };
        self.mark("send", &[from, to, after], &bytes);
        let load = self.damage(load);
        let reachable = self.nodes.get(&to).is_some_and(crate::node::Node::is_running);
        let sender = &self.nodes[&from];
        let parcel = Parcel::new((from, sender.store), (to, sender.known_store(to)), load);
        match self.network.send(at, parcel).filter(|_| reachable) {
            Some(arrivals) => {
                for (arrives, parcel) in arrivals {
                    self.plan_at(arrives, Event::Parcel(Box::new(parcel)));
                }
            }
            None => self.node(from).inbox.push(Input::Unreachable(to)),
        }
    }

    /// Now and then a block of a snapshot loses a bit on its way.
    fn damage(&mut self, load: Load) -> Load {
        let Load::Block { snapshot, number, bytes: Some(bytes) } = load else { return load };
        if self.phase != Phase::Faulty || !self.prng.chance(4) {
            return Load::Block { snapshot, number, bytes: Some(bytes) };
        }
        let mut bytes = bytes.to_vec();
        let place = self.prng.below(bytes.len() as u64) as usize;
        bytes[place] ^= 1 << self.prng.below(8);
        Load::Block { snapshot, number, bytes: Some(bytes.into()) }
    }

    pub(super) fn arrive(&mut self, parcel: Parcel) {
        let now = self.clock.now;
        let Parcel { from, to, store, to_store, .. } = parcel;
        let arrives = self.network.arrives(now, &parcel);
        let Some(node) = self.nodes.get_mut(&to).filter(|node| arrives && node.is_running()) else {
            self.mark("lost", &[from, to], &[]);
            return;
        };
        let meant = to_store.is_none_or(|to_store| to_store == node.store);
        if !meant || !node.knows(from, store) {
            self.mark("stranger", &[from, to], &[]);
            self.count("strangers refused");
            return;
        }
        node.inbox.push(match parcel.load {
            Load::Raft(message) => Input::Peer(message),
            other => Input::Other(from, other),
        });
        self.poke(to);
    }

    pub(super) fn disk_failed(&mut self, id: u64, what: &str) {
        self.note(format_args!("node {id} ends: {what}"));
        match self.awaited.get(&id).copied() {
            Some(Kind::DiskFull) => {
                *self.faults.entry(Kind::DiskFull).or_default() += 1;
                let lasts = self.prng.between(200, 1200);
                self.plan_in(lasts, Event::Repair(Repair::MakeRoom { node: id }));
            }
            Some(kind) => {
                self.awaited.remove(&id);
                *self.faults.entry(kind).or_default() += 1;
            }
            None => self.checker.violated("durability", format!("node {id}, unprovoked: {what}")),
        }
        self.lose_power(id);
    }

    pub(super) fn lose_power(&mut self, id: u64) {
        let mut prng = self.prng.fork();
        self.node(id).lose_power(&mut prng);
        self.went_down(id);
    }

    /// Ends a process; what it wrote stays, unless its disk is about to fail: then there is no going on
    /// with what it holds.
    pub(super) fn kill(&mut self, id: u64) {
        if self.awaited.contains_key(&id) {
            self.lose_power(id);
        } else {
            self.node(id).kill();
            self.went_down(id);
        }
    }

    /// Connections of a node that is down are gone.
    pub(super) fn network_down(&mut self, id: u64) {
        let others: Vec<u64> = self.nodes.keys().copied().collect();
        self.network.disconnect(self.clock.now, id, &others);
        self.checker.answers.died(id);
        self.node(id).busy_until = 0;
    }

    pub(super) fn went_down(&mut self, id: u64) {
        // A sync that is to fail still is; an operation without power has had its blackout.
        if self.awaited.get(&id) == Some(&Kind::TornWrite) {
            self.awaited.remove(&id);
        }
        self.network_down(id);
        let down = self.prng.between(100, 1500);
        self.note(format_args!("node {id} is down"));
        self.plan_in(down, Event::Start { node: id });
    }
}

fn describe(from: u64, to: u64, load: &Load) -> String {
    match load {
        Load::Raft(message) => describe_message(message),
        Load::BlockAsked { number, .. } => format!("{from}->{to} asks for block {number}"),
        Load::Block { number, bytes, .. } => {
            let bytes = bytes.as_ref().map_or(0, bytes::Bytes::len);
            format!("{from}->{to} block {number}, {bytes} bytes")
        }
        Load::Mark { index, hash } => format!("{from}->{to} mark {index} {}", hex(&hash[..8])),
    }
}

fn describe_message(message: &Message) -> String {
    format!(
        "{}->{} {:?} term={} index={} log_term={} commit={} entries={}{}{}",
        message.from,
        message.to,
        message.get_msg_type(),
        message.term,
        message.index,
        message.log_term,
        message.commit,
        message.entries.len(),
        if message.reject { " rejected" } else { "" },
        if message.request_snapshot == 0 { "" } else { " asks for a snapshot" },
    )
}
