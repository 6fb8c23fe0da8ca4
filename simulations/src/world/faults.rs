//! How does a fault befall the world, and how is it repaired?

use catalog_model::time::DAY_MS;

use crate::{
    clock::{TOLERATED_AHEAD_MS, TOLERATED_BEHIND_MS},
    fault::{Kind, Planned},
    world::{Event, FAULTS_TO, NODES, Phase, Repair, World},
};

impl World {
    pub(super) fn running(&self) -> Vec<u64> {
        self.nodes.iter().filter(|(_, node)| node.is_running()).map(|(id, _)| *id).collect()
    }

    pub(super) fn fault(&mut self, fault: Planned) {
        let Planned { kind, lasts, .. } = fault;
        let mut running = self.running();
        if self.prng.chance(50) {
            running.reverse();
        }
        let now = self.clock.now;
        // A fault that finds nobody to befall comes a little later, as long as faults may come.
        let leader = running.iter().copied().find(|id| self.nodes[id].leads());
        let disk = matches!(kind, Kind::TornWrite | Kind::SyncFailure);
        let victim = match kind {
            Kind::ClockAhead => leader,
            _ if running.is_empty() => None,
            // A disk fails in one way at a time.
            _ if disk => running.iter().copied().find(|id| !self.awaited.contains_key(id)),
            // Leaders are worth more than a third.
            _ => leader.filter(|_| self.prng.chance(40)).or_else(|| {
                let place = self.prng.below(running.len() as u64) as usize;
                Some(running[place])
            }),
        };
        let Some(id) = victim else {
            if self.phase == Phase::Faulty {
                let at = now + 200;
                self.plan_at(at, Event::Fault(Planned { at, ..fault }));
            }
            return;
        };
        self.note(format_args!("fault {kind} at node {id} for {lasts} ms"));
        let others: Vec<u64> = NODES.into_iter().filter(|other| *other != id).collect();
        let mut counts = true;
        match kind {
            Kind::PowerLoss => self.lose_power(id),
            Kind::TornWrite => {
                let operations = self.prng.below(6);
                self.node(id).disk.die_after(operations);
                self.awaited.insert(id, kind);
                let boot = self.node(id).boots();
                self.plan_in(500, Event::Repair(Repair::PowerLoss { node: id, boot }));
                counts = false;
            }
            Kind::PowerLossEverywhere => running.into_iter().for_each(|id| self.lose_power(id)),
            Kind::Kill => {
                if self.awaited.contains_key(&id) {
                    // Its disk is about to fail: there is no going on with what it holds.
                    self.lose_power(id);
                } else {
                    self.node(id).kill();
                    self.went_down(id);
                }
            }
            Kind::SyncFailure => {
                let which = self.prng.between(1, 3);
                self.node(id).disk.fail_sync(which);
                self.awaited.insert(id, kind);
                counts = false;
            }
            Kind::Partition => {
                for other in others {
                    for (from, to) in [(id, other), (other, id)] {
                        self.network.block(now, from, to);
                        self.plan_in(lasts, Event::Repair(Repair::Unblock { from, to }));
                    }
                }
            }
            Kind::OneWayPartition => {
                let other = *self.prng.pick(&others);
                self.network.block(now, id, other);
                let unblock = Repair::Unblock { from: id, to: other };
                self.plan_in(lasts, Event::Repair(unblock));
            }
            Kind::BrokenConnection => {
                let other = *self.prng.pick(&others);
                self.network.break_connection(now, id, other);
            }
            Kind::ClockAhead => {
                let ahead = if self.prng.chance(70) { 400 * DAY_MS } else { 2 * 3_600_000 };
                self.node(id).clock.offset_ms = ahead as i64;
                self.plan_in(lasts + 500, Event::Repair(Repair::SetClock { node: id }));
            }
            Kind::ClockOff => {
                let ahead = self.prng.chance(50);
                self.node(id).clock.offset_ms = if ahead {
                    self.prng.below(TOLERATED_AHEAD_MS as u64) as i64
                } else {
                    -(self.prng.below(TOLERATED_BEHIND_MS) as i64)
                };
                self.plan_in(lasts, Event::Repair(Repair::SetClock { node: id }));
            }
        }
        if counts {
            *self.faults.entry(kind).or_default() += 1;
        }
    }

    pub(super) fn repair(&mut self, repair: Repair) {
        self.note(format_args!("repair {repair:?}"));
        match repair {
            Repair::Unblock { from, to } => self.network.unblock(from, to),
            Repair::SetClock { node } => {
                let offset = self.prng.between(0, 2000) as i64 - 1000;
                self.node(node).clock.offset_ms = offset;
            }
            Repair::PowerLoss { node, boot } => {
                if self.node(node).is_running() && self.node(node).boots() == boot {
                    *self.faults.entry(Kind::TornWrite).or_default() += 1;
                    self.lose_power(node);
                }
            }
        }
    }

    pub(super) fn leap_by_chance(&mut self) {
        if self.clock.now > FAULTS_TO {
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

    pub(super) fn disk_failed(&mut self, id: u64, what: &str) {
        self.note(format_args!("node {id} ends: {what}"));
        match self.awaited.remove(&id) {
            Some(kind) => *self.faults.entry(kind).or_default() += 1,
            None => self.checker.violated("durability", format!("node {id}, unprovoked: {what}")),
        }
        self.lose_power(id);
    }

    pub(super) fn lose_power(&mut self, id: u64) {
        let mut prng = self.prng.fork();
        self.node(id).lose_power(&mut prng);
        self.went_down(id);
    }

    fn went_down(&mut self, id: u64) {
        // A sync that is to fail still is; an operation without power has had its blackout.
        if self.awaited.get(&id) == Some(&Kind::TornWrite) {
            self.awaited.remove(&id);
        }
        self.network.disconnect(self.clock.now, id, &NODES);
        self.node(id).busy_until = 0;
        let down = self.prng.between(100, 2500);
        self.note(format_args!("node {id} is down"));
        self.plan_in(down, Event::Start { node: id });
    }
}
