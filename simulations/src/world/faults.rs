//! How does a fault befall the world, and how is it repaired?

use catalog_log::{Disk, DiskFile};
use catalog_model::time::DAY_MS;
use catalog_state::keys;

use crate::{
    call::{Call, What},
    clock::{TOLERATED_AHEAD_MS, TOLERATED_BEHIND_MS},
    fault::{Boundary, Kind, Planned},
    node::Node,
    prng::Prng,
    world::{Event, Phase, Repair, World, operator},
};

/// Where a round that receives a snapshot can be cut.
pub(super) const OF_INSTALLS: [Boundary; 3] =
    [Boundary::BeforeInstall, Boundary::BetweenInstalls, Boundary::AfterInstall];

/// A member that is further behind is not whole.
const HEALTHY_LAG: u64 = 60;

/// A disk that is full and is not written to has room again after so long.
const FULL_MS: u64 = 5000;

/// Where any round can be cut.
const OF_ROUNDS: [Boundary; 6] = [
    Boundary::BeforeLogWrite,
    Boundary::BeforeSync,
    Boundary::AfterSync,
    Boundary::BeforeApply,
    Boundary::AfterApply,
    Boundary::Compaction,
];

impl World {
    pub(super) fn running(&self) -> Vec<u64> {
        self.nodes.iter().filter(|(_, node)| node.is_running()).map(|(id, _)| *id).collect()
    }

    /// Whether every member is whole: only then may one be taken away for good.
    pub(super) fn is_healthy(&self) -> bool {
        let membership = self.checker.memberships.last();
        !membership.is_joint()
            && self.operator.is_idle()
            && self.tainted.is_empty()
            && self.lost.is_empty()
            && self.absent.is_empty()
            && membership
                .ids()
                .iter()
                .all(|id| self.nodes.get(id).is_some_and(|node| self.is_whole(node)))
    }

    /// Whether the node runs and has applied nearly everything.
    pub(super) fn is_whole(&self, node: &Node) -> bool {
        node.status().is_some_and(|status| {
            let has_state = !status.reseeding && status.receiving.is_none();
            has_state && status.applied + HEALTHY_LAG >= self.checker.agreement.last()
        })
    }

    pub(super) fn fault(&mut self, fault: Planned) {
        if self.phase != Phase::Faulty {
            return;
        }
        let Planned { kind, lasts, chance, .. } = fault;
        let late = self.clock.now > self.faulty_until && kind != Kind::Membership;
        if late && self.faults.contains_key(&kind) {
            // Only what is missing comes now, and only once.
            return;
        }
        let mut prng = Prng::new(chance);
        if !self.befall(kind, lasts, &mut prng) {
            // It finds nobody to befall, and comes a little later, as long as faults may come.
            let at = self.clock.now + 150;
            if at < self.faulty_until || self.options.part.is_none() {
                self.plan_at(at, Event::Fault(Planned { at, ..fault }));
            }
        }
    }

    /// Whom a fault of this class befalls.
    fn victim(&self, kind: Kind, prng: &mut Prng) -> Option<u64> {
        let running = self.running();
        let leader = running.iter().copied().find(|id| self.nodes[id].leads());
        let members = self.checker.memberships.last().ids();
        let whole = |id: &u64| members.contains(id) && !self.lost.contains(id);
        let free = |id: &u64| !self.awaited.contains_key(id) && whole(id);
        let candidates: Vec<u64> = match kind {
            Kind::ClockAhead | Kind::Transfer => return leader,
            // A disk fails in one way at a time.
            Kind::TornWrite
            | Kind::DiskFailure
            | Kind::DiskFull
            | Kind::BoundaryCrash
            | Kind::BitRot
            | Kind::WipedDisk
            | Kind::StateLoss
            | Kind::LongAbsence => running.into_iter().filter(free).collect(),
            Kind::SilentChange => {
                let follows = |id: &u64| whole(id) && Some(*id) != leader;
                running.into_iter().filter(follows).collect()
            }
            _ => running,
        };
        // Leaders are worth more than their share.
        let leader = leader.filter(|leader| candidates.contains(leader));
        if kind != Kind::SilentChange && prng.chance(40) && leader.is_some() {
            return leader;
        }
        (!candidates.is_empty()).then(|| *prng.pick(&candidates))
    }

    /// `false` if there is nobody whom it could befall now.
    fn befall(&mut self, kind: Kind, lasts: u64, prng: &mut Prng) -> bool {
        if kind.is_lasting() && !self.is_healthy() {
            return false;
        }
        let Some(id) = self.victim(kind, prng) else { return false };
        let now = self.clock.now;
        self.note(format_args!("fault {kind} at node {id} for {lasts} ms"));
        let others: Vec<u64> = self.nodes.keys().copied().filter(|other| *other != id).collect();
        let other = *prng.pick(&others);
        let mut counts = true;
        match kind {
            Kind::PowerLoss => self.lose_power(id),
            Kind::TornWrite => {
                let operations = prng.below(6);
                self.node(id).disk.die_after(operations);
                self.awaited.insert(id, kind);
                let boot = self.node(id).boots();
                self.plan_in(500, Event::Repair(Repair::PowerLoss { node: id, boot }));
                counts = false;
            }
            Kind::BoundaryCrash => {
                let receives =
                    self.nodes[&id].status().is_some_and(|status| status.receiving.is_some());
                let boundary =
                    *prng.pick(if receives { OF_INSTALLS.as_slice() } else { &OF_ROUNDS });
                self.node(id).cut_at(boundary);
                counts = false;
            }
            Kind::PowerLossEverywhere => {
                for id in self.running() {
                    self.lose_power(id);
                }
            }
            Kind::Kill => self.kill(id),
            Kind::Pause => {
                let until = now + 2 * lasts;
                let node = self.node(id);
                node.busy_until = node.busy_until.max(until);
                self.checker.answers.paused(id, until);
                if prng.chance(50) {
                    // Nobody reaches it either: it does not hear what happened meanwhile.
                    for from in others {
                        // What was under way has arrived by then, and waits.
                        let cut = Repair::Cut { from, to: id, lasts: 2 * lasts + 400 };
                        self.plan_in(8, Event::Repair(cut));
                    }
                }
            }
            Kind::DiskFailure => {
                let which = prng.between(1, 3);
                let disk = &self.node(id).disk;
                if prng.chance(70) {
                    disk.fail_sync(which);
                } else {
                    disk.fail_write(which);
                }
                self.awaited.insert(id, kind);
                counts = false;
            }
            Kind::DiskFull => {
                self.fill_disk(id, prng.below(2000));
                self.awaited.insert(id, kind);
                // If it is not noticed before.
                self.plan_in(FULL_MS, Event::Repair(Repair::MakeRoom { node: id }));
                counts = false;
            }
            Kind::SlowDisk => self.node(id).slow_until = now + lasts,
            Kind::BitRot => {
                self.lose_power(id);
                if self.rot(id, prng) {
                    self.lost.insert(id);
                    self.awaited.insert(id, kind);
                    self.operator.replace(id);
                } else {
                    counts = false;
                }
            }
            // Only the log is gone: the state says that there was one.
            Kind::WipedDisk if prng.chance(40) => {
                self.lose_power(id);
                self.node(id).lose_log();
                self.checker.ghost.forget(id);
                self.lost.insert(id);
                self.awaited.insert(id, Kind::BitRot);
                self.operator.replace(id);
            }
            Kind::WipedDisk => {
                self.node(id).wipe();
                self.awaited.remove(&id);
                self.went_down(id);
                self.checker.ghost.forget(id);
                self.lost.insert(id);
                self.operator.replace(id);
            }
            Kind::StateLoss => {
                self.lose_power(id);
                self.node(id).states.rot();
            }
            Kind::SilentChange => {
                let key = keys::meta::state_hash();
                let state = self.node(id).states.current_mut();
                state.change(key.as_slice(), |hash| hash[0] ^= 1);
                self.tainted.insert(id, now);
                if prng.chance(60) {
                    self.leave_nobody_to_compare(id, lasts);
                }
            }
            Kind::LongAbsence => {
                self.node(id).kill();
                self.went_down(id);
                self.absent.insert(id);
                self.plan_in(1000 + 3 * lasts, Event::Repair(Repair::Return { node: id }));
            }
            Kind::Partition => {
                for other in others {
                    self.block(id, other, lasts);
                    self.block(other, id, lasts);
                }
            }
            Kind::OneWayPartition => self.block(id, other, lasts),
            Kind::SitePartition => {
                let sites: Vec<(u64, u64)> =
                    self.nodes.iter().map(|(id, node)| (*id, node.site)).collect();
                for (from, from_site) in &sites {
                    for (to, to_site) in &sites {
                        if from_site != to_site {
                            self.block(*from, *to, lasts);
                        }
                    }
                }
            }
            Kind::BrokenConnection => self.network.break_connection(now, id, other),
            Kind::Duplicates => {
                for (from, to) in [(id, other), (other, id)] {
                    let strays = self.network.stray(now, from, to);
                    self.network.break_connection(now, from, to);
                    for (at, parcel) in strays {
                        self.plan_at(at, Event::Parcel(Box::new(parcel)));
                    }
                }
            }
            Kind::Loss => {
                for other in others {
                    self.network.lose_until(now + lasts, id, other);
                }
            }
            Kind::Delay => {
                for (from, to) in [(id, other), (other, id)] {
                    self.network.delay_until(now + lasts, from, to);
                }
            }
            Kind::ClockAhead => {
                let ahead = if prng.chance(70) { 400 * DAY_MS } else { 2 * 3_600_000 };
                self.node(id).clock.offset_ms = ahead as i64;
                self.plan_in(lasts + 500, Event::Repair(Repair::SetClock { node: id }));
            }
            Kind::ClockOff => {
                self.node(id).clock.offset_ms = match prng.below(3) {
                    0 => prng.below(TOLERATED_AHEAD_MS as u64) as i64,
                    1 => -3_600_000,
                    _ => -(prng.below(TOLERATED_BEHIND_MS) as i64),
                };
                self.plan_in(lasts, Event::Repair(Repair::SetClock { node: id }));
            }
            Kind::Transfer => {
                let voters = self.checker.memberships.last().voters.clone();
                let to = *prng.pick(&voters);
                self.ask(id, What::Transfer(to));
            }
            Kind::Membership => {
                let voters = self.checker.memberships.last().voters.clone();
                self.operator.change(&voters, prng);
            }
        }
        if counts {
            *self.faults.entry(kind).or_default() += 1;
        }
        true
    }

    /// Lets the operator ask a node for something.
    pub(super) fn ask(&mut self, node: u64, what: What) {
        let attempt = self.operator.next_attempt();
        let (client, received_at) = (operator::CLIENT, self.clock.calendar());
        self.tell(format_args!("the operator asks node {node}: {what:?}"));
        let call = Box::new(Call { client, attempt, received_at, gateway_ahead_ms: 0, what });
        self.plan_in(1, Event::Call { node, call });
    }

    fn block(&mut self, from: u64, to: u64, lasts: u64) {
        self.network.block(self.clock.now, from, to);
        self.plan_in(lasts, Event::Repair(Repair::Unblock { from, to }));
    }

    /// The node whose state is wrong leads, and a voter is missing that could say so: it will need a
    /// snapshot when it is back, and must not get this one.
    fn leave_nobody_to_compare(&mut self, id: u64, lasts: u64) {
        let voters = self.checker.memberships.last().voters.clone();
        let leader = voters.iter().copied().find(|voter| self.nodes[voter].leads());
        let third = voters.iter().copied().find(|voter| *voter != id && Some(*voter) != leader);
        let (Some(leader), Some(third)) = (leader, third) else { return };
        self.kill(third);
        self.absent.insert(third);
        self.plan_in(1500 + lasts, Event::Repair(Repair::Return { node: third }));
        self.ask(leader, What::Transfer(id));
    }

    /// Leaves room for so many bytes.
    fn fill_disk(&mut self, id: u64, bytes: u64) {
        let disk = &self.node(id).disk;
        disk.set_capacity(Some(disk.used() + bytes));
    }

    /// Flips a bit of an old record of the log; `false` if there is none that is old enough.
    fn rot(&mut self, id: u64, prng: &mut Prng) -> bool {
        let disk = self.node(id).disk.clone();
        let mut names = disk.list().expect("a folder can be listed");
        // What was never finished has no number alone for a name.
        names.retain(|name| name.chars().any(|letter| letter.is_ascii_digit()));
        names.sort();
        // The end of the last segment cannot be told from a write that was never finished.
        names.pop();
        if names.is_empty() {
            return false;
        }
        let name = prng.pick(&names).clone();
        let file = disk.open(&name).expect("the file is there");
        let mut bytes = vec![0; file.len().expect("it has a length") as usize];
        file.read_at(0, &mut bytes).expect("it can be read");
        let used = bytes.iter().rposition(|byte| *byte != 0).unwrap_or(0) as u64;
        let place = prng.below(used.max(1)) as usize;
        let bit = 1 << prng.below(8);
        self.note(format_args!("byte {place} of {used} in {name} decays"));
        disk.damage(&name, |bytes| bytes[place] ^= bit);
        true
    }

    pub(super) fn repair(&mut self, repair: Repair) {
        self.note(format_args!("repair {repair:?}"));
        match repair {
            Repair::Unblock { from, to } => self.network.unblock(from, to),
            Repair::SetClock { node } => {
                let offset = self.prng.between(0, 2000) as i64 - 1000;
                if let Some(node) = self.nodes.get_mut(&node) {
                    node.clock.offset_ms = offset;
                }
            }
            Repair::PowerLoss { node, boot } => {
                let waits = self
                    .nodes
                    .get(&node)
                    .is_some_and(|node| node.is_running() && node.boots() == boot);
                if waits && self.awaited.get(&node) == Some(&Kind::TornWrite) {
                    *self.faults.entry(Kind::TornWrite).or_default() += 1;
                    self.lose_power(node);
                }
            }
            Repair::MakeRoom { node } => {
                if self.awaited.get(&node) == Some(&Kind::DiskFull) {
                    self.awaited.remove(&node);
                    self.make_room(node);
                }
            }
            Repair::Cut { from, to, lasts } => {
                if self.phase == Phase::Faulty {
                    self.block(from, to, lasts);
                }
            }
            Repair::Return { node } => {
                self.absent.remove(&node);
                self.plan_in(1, Event::Start { node });
            }
        }
    }

    /// Frees the disk of a node, and starts it if that was what kept it down.
    pub(super) fn make_room(&mut self, id: u64) {
        if let Some(node) = self.nodes.get(&id) {
            node.disk.set_capacity(None);
        }
        self.plan_in(1, Event::Start { node: id });
    }

    pub(super) fn leap_by_chance(&mut self) {
        if self.clock.now > self.faulty_until {
            return;
        }
        let hours =
            if self.prng.chance(60) { self.prng.between(1, 11) } else { self.prng.between(20, 70) };
        self.leap(hours * 3_600_000);
        let next = self.prng.between(700, 1500);
        self.plan_in(next, Event::Leap);
    }

    pub(super) fn leap(&mut self, millis: u64) {
        self.clock.leapt += millis;
        let now = self.clock.calendar();
        self.note(format_args!("it is {now}"));
    }
}
