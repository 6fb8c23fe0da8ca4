//! What a node's loop does: the same order as the product's, with a disk that syncs a little later.

use std::mem;

use catalog_log::{LogRead, LogStore};
use catalog_model::site::Pair;
use catalog_replica::{
    CompactLimits, EntryKind, LeaveDue, Mode, RaftChange, ReadRefusal, RoleKind,
    keeper::{Alarm, Do, View},
    kind_of,
};
use raft::eraftpb::{Entry, Message};

use super::{
    clients::{Asker, Reply, What},
    machine::{MAIN, Outcome, Running},
    world::{Event, Parcel, Place, World, sites},
};

/// More changes of the mode than this within the life of a process have no end.
const MODES_MAX: u64 = 200;

impl World {
    pub(super) fn tick(&mut self, machine: usize) {
        if let Some(running) = &mut self.machines[machine].running {
            running.replica.tick();
        }
        self.process(machine);
        if self.prng.chance(2) {
            self.upkeep(machine);
        }
    }

    /// Everything appended so far is durable.
    pub(super) fn sync(&mut self, machine: usize) {
        let Some(mut running) = self.machines[machine].running.take() else { return };
        running.sync_planned = false;
        running.log.sync().expect("the disk is sound");
        self.machines[machine].synced_to = running.log.last_index();
        if let Some(number) = running.unsynced.take() {
            let messages = running.replica.log_persisted(number);
            self.send(machine, messages);
        }
        self.machines[machine].running = Some(running);
        self.process(machine);
    }

    pub(super) fn arrive(&mut self, machine: usize, parcel: Parcel) {
        if self.machines[machine].down {
            return;
        }
        self.hear_pair(machine, parcel.heard);
        let own = self.machines[machine].identity.belongs;
        if own.generation != parcel.belongs.generation {
            return;
        }
        if parcel.message.to != self.machines[machine].id {
            return;
        }
        let Some(mut running) = self.machines[machine].running.take() else { return };
        if !self.keep(machine, &mut running) {
            self.machines[machine].running = Some(running);
            return self.end_process(machine);
        }
        if let Err(refusal) = running.replica.step(parcel.message)
            && refusal.is_fatal()
        {
            self.checks.broken("no broken node", format!("node {own}: {refusal}"));
        }
        self.machines[machine].running = Some(running);
        self.process(machine);
    }

    pub(super) fn fetched(&mut self, machine: usize, index: u64, from: u64) {
        let source = self.machine_of(from);
        let here = Place::Site(self.machines[machine].site);
        let there = source.is_some_and(|source| {
            self.machines[source].running.is_some()
                && self.reaches(source, here)
                && !self.isolated.contains(&machine)
        });
        if let Some(running) = &mut self.machines[machine].running {
            if there {
                running.replica.snapshot_fetched(index);
            } else {
                running.replica.snapshot_refused(index);
            }
        }
        self.process(machine);
    }

    /// A node hears of a pair; if it is greater than its own, its Raft stops for good.
    pub(super) fn hear_pair(&mut self, machine: usize, pair: Pair) {
        let identity = &mut self.machines[machine].identity;
        if pair <= identity.heard {
            return;
        }
        identity.heard = pair;
        if self.machines[machine].running.is_some() {
            let id = self.machines[machine].id;
            self.note(format_args!("node {id} hears of {pair} and stops"));
            self.count("fenced");
            self.end_process(machine);
        }
    }

    /// Ends the process; who waited is told that nobody knows.
    pub(super) fn end_process(&mut self, machine: usize) {
        let Some(running) = self.machines[machine].running.take() else { return };
        let Running { mut log, proposed, graded, forming, under_way, confirmed, .. } = running;
        log.sync().expect("the disk is sound");
        self.machines[machine].synced_to = log.last_index();
        let askers = proposed.into_values().map(|(_, asker)| asker);
        let askers = askers.chain(graded.into_iter().map(|(_, asker)| asker));
        let askers = askers.chain(forming).chain(under_way.into_values().flatten());
        let askers: Vec<Asker> = askers.chain(confirmed.into_iter().map(|(_, a)| a)).collect();
        for asker in askers {
            self.answer(machine, asker, Reply::Unknown);
        }
    }

    /// Lets the replica do all that it wants done.
    pub(super) fn process(&mut self, machine: usize) {
        let Some(mut running) = self.machines[machine].running.take() else { return };
        for _ in 0..64 {
            if !self.keep(machine, &mut running) {
                // It belongs to the past; what it had is synced.
                self.machines[machine].running = Some(running);
                return self.end_process(machine);
            }
            let mut acted = false;
            while let Some(ready) = running.replica.ready() {
                acted = true;
                self.do_ready(machine, &mut running, ready);
            }
            self.lead(machine, &mut running);
            acted |= self.begin_read(machine, &mut running);
            if !acted {
                break;
            }
        }
        self.machines[machine].running = Some(running);
    }

    fn do_ready(&mut self, machine: usize, running: &mut Running, ready: catalog_replica::Ready) {
        if let Some(role) = ready.role_change {
            let id = self.machines[machine].id;
            if role.is_leader && running.led_term != role.term {
                running.led_term = role.term;
                self.elections += 1;
                let pair = self.machines[machine].identity.belongs;
                self.note(format_args!("node {id} leads {pair} at term {}", role.term));
            }
            if !role.is_leader {
                let proposed = mem::take(&mut running.proposed);
                let askers = proposed.into_values().map(|(_, asker)| asker);
                let graded = mem::take(&mut running.graded).into_iter().map(|(_, asker)| asker);
                let askers: Vec<Asker> =
                    askers.chain(graded).chain(mem::take(&mut running.forming)).collect();
                for asker in askers {
                    self.answer(machine, asker, Reply::Unknown);
                }
            }
        }
        self.send(machine, ready.send_now);
        for read in ready.reads {
            let askers = running.under_way.remove(&read.context).unwrap_or_default();
            running.confirmed.extend(askers.into_iter().map(|asker| (read.index, asker)));
        }
        for context in ready.reads_dropped {
            for asker in running.under_way.remove(&context).unwrap_or_default() {
                self.answer(machine, asker, Reply::Elsewhere(None));
            }
        }
        if let Some(offer) = ready.fetch {
            let boot = self.machines[machine].boots;
            let (index, from) = (offer.index, offer.from);
            running.offer = Some(offer);
            self.plan_in(40, Event::Fetched { machine, boot, index, from });
        }
        if let Some(install) = ready.install {
            self.install(machine, running, &install);
        }
        self.apply(machine, running, ready.apply);
        if let Some(write) = ready.write {
            if let Some(first) = write.entries.first() {
                let synced = &mut self.machines[machine].synced_to;
                *synced = (*synced).min(first.index - 1);
            }
            running.log.append(&write.entries, write.hard_state.as_ref()).expect("a sound disk");
            running.unsynced = Some(write.number);
            if !mem::replace(&mut running.sync_planned, true) {
                let boot = self.machines[machine].boots;
                let slow = !self.is_scripted() && self.prng.chance(2);
                let after = if slow { self.prng.between(20, 90) } else { self.prng.between(1, 5) };
                self.plan_in(after, Event::Sync { machine, boot });
            }
        }
    }

    fn install(
        &mut self,
        machine: usize,
        running: &mut Running,
        install: &catalog_replica::Install,
    ) {
        let name = u64::from_be_bytes(install.data[..].try_into().expect("a name of ours"));
        let state = self.snapshots[&name].clone();
        let number = running.log.state_number() + 1;
        let here = &mut self.machines[machine];
        here.durable = state.clone();
        here.states.insert(number, state.clone());
        running
            .log
            .install(install.index, install.term, number, &install.hard_state)
            .expect("the disk is sound");
        here.states.retain(|known, _| *known == number);
        here.synced_to = install.index;
        let messages = running.replica.log_persisted(install.number);
        running.replica.sites_replaced(state.mode, sites());
        self.send(machine, messages);
        self.count("snapshots installed");
    }

    fn apply(&mut self, machine: usize, running: &mut Running, entries: Vec<Entry>) {
        let Some(last) = entries.last().map(|entry| entry.index) else { return };
        let id = self.machines[machine].id;
        let generation = self.machines[machine].identity.belongs.generation;
        for entry in entries {
            self.checks.applied(generation, id, &entry);
            let (outcome, accepted) = self.machines[machine].state_mut().apply(&entry);
            match kind_of(&entry) {
                EntryKind::Members { .. } => {
                    running.replica.apply_members(&entry, accepted);
                }
                EntryKind::Mode { mode, .. } => {
                    running.replica.apply_mode(&entry, accepted);
                    if running.replica.role().is_leader {
                        let what = if mode == Mode::Sync { "sync" } else { "async" };
                        self.count(what);
                        self.note(format_args!("the mode is {mode:?} since entry {}", entry.index));
                    }
                }
                EntryKind::Raft | EntryKind::Command(_) => {}
            }
            let Some((term, asker)) = running.proposed.remove(&entry.index) else { continue };
            match outcome {
                _ if term != entry.term => self.answer(machine, asker, Reply::Unknown),
                Outcome::There(index) => running.graded.push((index, asker)),
                Outcome::StandbyRequired => {
                    self.count("graded acts refused");
                    self.answer(machine, asker, Reply::StandbyRequired);
                }
                Outcome::Other => self.answer(machine, asker, Reply::Unknown),
            }
        }
        running.replica.applied(last);
        self.tell_done(machine, running);
    }

    /// Tells those whose acts are where they must be. An ordinary act is told at once, with what holds it.
    fn tell_done(&mut self, machine: usize, running: &mut Running) {
        if running.graded.is_empty() && running.confirmed.is_empty() {
            return;
        }
        let status = running.replica.site_status();
        let home = self.machines[machine].state().home.unwrap_or(MAIN);
        let held = status.held_elsewhere(home);
        let in_sync = status.mode == Some(Mode::Sync) && status.mode_applied == Some(Mode::Sync);
        let (told, waiting): (Vec<_>, Vec<_>) =
            mem::take(&mut running.graded).into_iter().partition(|(index, asker)| {
                let graded = matches!(asker.what, What::Do(act) if act.graded);
                !graded || in_sync || held >= *index
            });
        running.graded = waiting;
        for (index, asker) in told {
            let What::Do(act) = asker.what else { continue };
            let both = in_sync || held >= index;
            self.acknowledge(machine, act, index, both);
            self.answer(machine, asker, Reply::Done { both });
        }
        let applied = self.machines[machine].state().applied;
        let (ready, waiting): (Vec<_>, Vec<_>) =
            mem::take(&mut running.confirmed).into_iter().partition(|(at, _)| *at <= applied);
        running.confirmed = waiting;
        for (_, asker) in ready {
            let What::Read { knows } = asker.what else { continue };
            self.show(machine, knows);
            self.answer(machine, asker, Reply::Done { both: true });
        }
    }

    fn begin_read(&mut self, machine: usize, running: &mut Running) -> bool {
        self.tell_done(machine, running);
        if running.forming.is_empty() || !running.under_way.is_empty() {
            return false;
        }
        let context = running.next_context;
        match running.replica.read(context) {
            Ok(()) => {
                running.next_context += 1;
                running.under_way.insert(context, mem::take(&mut running.forming));
                true
            }
            Err(ReadRefusal::TermNotCommitted) => false,
            Err(_) => {
                for asker in mem::take(&mut running.forming) {
                    self.answer(machine, asker, Reply::Elsewhere(None));
                }
                false
            }
        }
    }

    /// Lets the mode keeper have its say; `false` if the node is to stop.
    pub(super) fn keep(&mut self, machine: usize, running: &mut Running) -> bool {
        let here = &self.machines[machine];
        let status = running.replica.status();
        let leads = (status.role == RoleKind::Leader).then_some(status.term);
        if !here.identity.open {
            // Nobody is served yet, so nothing is promised that a loan would have to stand for.
            running.replica.lend(leads.map(|_| u64::MAX - 1));
            return true;
        }
        let pair = here.identity.belongs;
        let view = View {
            now: here.local(self.now),
            leads,
            home: here.state().home.unwrap_or(MAIN),
            pair: (pair.generation, pair.epoch),
            sites: running.replica.site_status(),
            last_index: status.last_index,
            commit: status.commit,
            applied: here.state().applied,
        };
        for done in running.keeper.advance(&view) {
            match done {
                Do::Lend(through) => running.replica.lend(through),
                Do::Recover(begin) => running.replica.recover(begin),
                Do::Propose(mode) => {
                    // A refusal is not for ever: it is said again.
                    let proposed = running.replica.propose_mode(mode, b"mode"[..].into());
                    running.modes_proposed += u64::from(proposed.is_ok());
                    if running.modes_proposed == MODES_MAX {
                        let what =
                            format!("node {} proposed {MODES_MAX}", self.machines[machine].id);
                        self.checks.broken("the mode does not change without end", what);
                    }
                }
                Do::Ask(ask) => self.ask_witness(machine, ask),
                Do::DemoteElsewhere => {
                    let home = view.home;
                    running.demote = view.sites.elsewhere(home).map(|voter| voter.id).collect();
                }
                Do::Outdated((generation, epoch)) => {
                    let pair = Pair { generation, epoch };
                    let id = self.machines[machine].id;
                    self.note(format_args!("node {id} learns of {pair} from the witness"));
                    self.machines[machine].identity.heard = pair;
                    return false;
                }
                Do::Alarm(Alarm::Stalled) => self.count("stalls"),
                Do::Alarm(_) => self.count("alarms"),
            }
        }
        true
    }

    /// What a leader does without being asked.
    fn lead(&mut self, machine: usize, running: &mut Running) {
        let status = running.replica.status();
        if status.role != RoleKind::Leader {
            return;
        }
        match running.replica.leave_due() {
            Some(LeaveDue::Propose) => {
                let _ = running.replica.propose_members(RaftChange::Finish, b"finish"[..].into());
            }
            Some(LeaveDue::HandOver) => {
                for to in status.membership.voters.clone() {
                    if running.replica.transfer_leader(to).is_ok() {
                        break;
                    }
                }
            }
            None => {}
        }
        let voters = &status.membership.voters;
        let next = running.demote.iter().find(|id| voters.contains(id)).copied();
        if let Some(id) = next
            && !status.membership.is_joint()
            && running.replica.propose_members(RaftChange::Demote(id), b"demote"[..].into()).is_ok()
        {
            running.demote.remove(&id);
            self.count("demotions");
        }
        let home = self.machines[machine].state().home;
        if home.is_some_and(|home| home != self.machines[machine].site)
            && status.transferring_to.is_none()
        {
            // The leader belongs home: to whoever is there and has most.
            let sites = sites();
            let at_home = status.matched.iter().filter(|(id, _)| sites.of(*id) == home);
            let best = at_home.max_by_key(|(id, matched)| (*matched, *id)).map(|(id, _)| *id);
            if best.is_some_and(|to| running.replica.transfer_leader(to).is_ok()) {
                self.count("transfers home");
            }
        }
        if running.replica.snapshot_wanted() {
            self.machines[machine].sync_state();
            let state = self.machines[machine].state().clone();
            let name = self.snapshots.len() as u64 + 1;
            let (applied, term, members) = (state.applied, state.term, state.membership.clone());
            self.snapshots.insert(name, state);
            let data = name.to_be_bytes().to_vec().into();
            running.replica.snapshot_made(applied, term, members, data);
        }
    }

    fn upkeep(&mut self, machine: usize) {
        let here = &mut self.machines[machine];
        if here.running.is_none() {
            return;
        }
        here.sync_state();
        let durable = here.durable.applied;
        let running = here.running.as_mut().expect("it was just seen");
        let limits = CompactLimits { keep_entries: 300, keep_bytes: 40_000 };
        if let Some(through) = running.replica.compact_to(durable, limits) {
            running.log.compact(through).expect("the disk is sound");
        }
    }

    pub(super) fn send(&mut self, machine: usize, messages: Vec<Message>) {
        let identity = self.machines[machine].identity;
        let from = Place::Site(self.machines[machine].site);
        for message in messages {
            let Some(to) = self.machine_of(message.to) else { continue };
            let there = Place::Site(self.machines[to].site);
            if !self.reaches(machine, there) || self.isolated.contains(&to) {
                continue;
            }
            let after = self.delay(from, there);
            let parcel = Parcel { belongs: identity.belongs, heard: identity.heard, message };
            self.plan_in(after, Event::Parcel { machine: to, parcel: Box::new(parcel) });
        }
    }
}
