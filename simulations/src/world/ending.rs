//! How does a run end: healed, read once more, long after, settled, and judged?

use std::collections::BTreeMap;

use catalog_model::time::DAY_MS;
use catalog_state::{
    command::{Body, Command},
    view::View,
};

use crate::{
    call::What,
    checker::{acknowledged, reference::RowSum},
    fault::{Kind, Planned},
    node::Node,
    report::{MIN_ACKNOWLEDGED, MIN_CHANGES, MIN_PROBES, MIN_REQUESTS, Report},
    scenario::Scenario,
    world::{Event, FAULTS_LAST, HEALING_MS, LOOKED_AT_MS, OPERATOR_MS, Phase, WATCH_MS, World},
};

/// What a run needs before it may end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owed {
    Nothing,
    Work,
    Fault(Kind),
}

impl World {
    /// Sends operators to alarms, and moves on to the next phase.
    pub(super) fn watch(&mut self) {
        let now = self.clock.now;
        self.look_at_clocks();
        self.look_at_states();
        self.checker.check_answers(now);
        self.operate();
        self.ask_unwisely();
        match self.phase {
            Phase::Faulty
                if (self.faulty_until..FAULTS_LAST).contains(&now)
                    && self.owed() != Owed::Nothing =>
            {
                if let Owed::Fault(kind) = self.owed()
                    && (now - self.faulty_until).is_multiple_of(1500)
                {
                    let chance = self.prng.draw();
                    let fault = Planned { at: now + 1, kind, lasts: 1000, chance };
                    self.plan_in(1, Event::Fault(fault));
                }
            }
            // A state that is wrong is found out by comparing, and there is nothing to compare when
            // nobody changes anything.
            Phase::Faulty if !self.tainted.is_empty() && now < FAULTS_LAST => {}
            Phase::Faulty if now >= self.faulty_until => self.heal(),
            Phase::Healing if self.all_members_run() && self.workload.pending() == 0 => {
                self.workload.begin_last_reads(&self.clock, self.happened);
                for client in self.workload.clients() {
                    self.plan_in(1, Event::Wake { client });
                }
                self.enter(Phase::LastReads);
            }
            Phase::LastReads if self.workload.pending() == 0 => {
                self.leap(60 * DAY_MS);
                self.enter(Phase::LongAfter);
            }
            Phase::LongAfter if self.all_members_run() && self.nothing_is_due() => {
                self.enter(Phase::Settling);
            }
            Phase::Settling if self.all_members_run() && self.replicas_are_equal() => {
                self.check_end();
                self.enter(Phase::Over);
            }
            Phase::Faulty | Phase::Over => {}
            _ if now > self.phase_since + HEALING_MS => {
                let what = format!(
                    "{:?} is not over after {HEALING_MS} ms without faults: {}",
                    self.phase,
                    self.what_is_missing()
                );
                self.checker.violated("liveness", what);
            }
            _ => {}
        }
        self.plan_in(WATCH_MS, Event::Watch);
    }

    fn look_at_clocks(&mut self) {
        let (now, world) = (self.clock.now, self.clock);
        let mut seen = Vec::new();
        for (id, node) in &mut self.nodes {
            if node.alarm_since.is_some_and(|since| now >= since + OPERATOR_MS) {
                node.alarm_since = None;
                // Either the clock is right and the bound had reasons of its own, or it is not.
                let sound = node.clock.is_sound();
                if sound {
                    node.clock.vouch(&world);
                } else {
                    node.clock.offset_ms = 0;
                }
                seen.push((*id, sound));
            }
        }
        for (id, sound) in seen {
            self.note(format_args!("an operator comes to node {id}, its clock is sound: {sound}"));
        }
    }

    /// Somebody wants a member to lead that waits for a state: it must be refused.
    fn ask_unwisely(&mut self) {
        if self.phase != Phase::Faulty || !self.plan.enabled.contains(&Kind::Transfer) {
            return;
        }
        let voters = self.checker.memberships.last().voters.iter();
        let receives = |id: &&u64| {
            let status = self.nodes.get(id).and_then(Node::status);
            status.is_some_and(|status| status.receiving.is_some())
        };
        let to = voters.copied().find(|id| receives(&id));
        let leader = self.nodes.iter().find(|(_, node)| node.leads()).map(|(id, _)| *id);
        if let (Some(to), Some(leader)) = (to, leader)
            && self.prng.chance(10)
        {
            self.ask(leader, What::Transfer(to));
        }
    }

    /// Where too few can be compared to say whose state is wrong, somebody has to look.
    fn look_at_states(&mut self) {
        let now = self.clock.now;
        let members = self.checker.memberships.last().ids();
        let compared =
            members.iter().all(|id| self.nodes.get(id).is_some_and(|node| self.is_whole(node)));
        let looked_at = self.tainted.iter().find(|(_, since)| now >= **since + LOOKED_AT_MS);
        let Some(id) = looked_at.map(|(id, _)| *id).filter(|_| !compared) else { return };
        let status = self.nodes.get(&id).and_then(Node::status);
        if status.is_some_and(|status| !status.reseeding) {
            self.note(format_args!("an operator throws away the state of node {id}"));
            self.count("divergences found by hand");
            self.tainted.insert(id, now);
            self.node(id).quarantine();
            self.kill(id);
        }
    }

    fn heal(&mut self) {
        self.network.heal();
        let mut ready = Vec::new();
        for (id, node) in &mut self.nodes {
            node.clock.offset_ms = 0;
            node.slow_until = 0;
            node.uncut();
            ready.push(*id);
        }
        self.absent.clear();
        for node in ready {
            self.plan_in(1, Event::Start { node });
        }
        self.workload.close();
        self.enter(Phase::Healing);
    }

    fn what_is_missing(&self) -> String {
        let membership = self.checker.memberships.last();
        let nodes: Vec<String> = self
            .nodes
            .iter()
            .map(|(id, node)| match node.status() {
                None => format!("{id} is down"),
                Some(status) => format!(
                    "{id} {:?} term {} applied {} of {}{}{}",
                    status.role,
                    status.term,
                    status.applied,
                    status.last_index,
                    if status.reseeding { " without a state" } else { "" },
                    status.receiving.map_or(String::new(), |index| format!(" receives {index}")),
                ),
            })
            .collect();
        format!(
            "{} commands wait; {membership:?}; operator {:?}; lost {:?}; changed {:?}; {}",
            self.workload.pending(),
            self.operator,
            self.lost,
            self.tainted,
            nodes.join(", ")
        )
    }

    /// What is still needed for the run to show something.
    fn owed(&self) -> Owed {
        if self.options.part.is_some() {
            return Owed::Nothing;
        }
        let happened = |kind: &Kind| {
            let members_change = self.checker.memberships.changes() > 0;
            self.faults.get(kind).is_some_and(|count| *count > 0)
                || (*kind == Kind::Membership && members_change)
        };
        if let Some(kind) = self.plan.enabled.iter().find(|kind| !happened(kind)) {
            return Owed::Fault(*kind);
        }
        let changes = self.checker.memberships.changes();
        if self.options.scenario == Scenario::Membership && changes < MIN_CHANGES {
            return Owed::Fault(Kind::Membership);
        }
        if self.stamps_refused == 0 {
            return Owed::Fault(Kind::ClockAhead);
        }
        let (acknowledged, probes) = (self.acknowledged(), self.workload.history.finished());
        let enough = acknowledged >= MIN_ACKNOWLEDGED
            && probes >= MIN_PROBES
            && self.workload.tally.requests >= MIN_REQUESTS;
        if enough { Owed::Nothing } else { Owed::Work }
    }

    /// Changes that clients were told of.
    fn acknowledged(&self) -> u64 {
        let told = self.workload.acknowledged.iter();
        told.filter(|told| told.request_id.is_some()).count() as u64
    }

    fn enter(&mut self, phase: Phase) {
        self.note(format_args!("{phase:?}"));
        self.phase = phase;
        self.phase_since = self.clock.now;
    }

    /// Whether the leader has fired all that is due by the right time of day.
    fn nothing_is_due(&self) -> bool {
        let now = self.clock.calendar();
        self.nodes.values().any(|node| {
            let due = View(node.states.current()).next_due();
            node.leads() && due.is_none_or(|due| due > now)
        })
    }

    fn replicas_are_equal(&self) -> bool {
        let last = self.checker.agreement.last();
        self.nodes.values().all(|node| {
            node.status().is_some_and(|status| {
                status.applied == last && status.commit == last && status.last_index == last
            })
        })
    }

    fn check_end(&mut self) {
        let mut wrong: Vec<(&'static str, String)> = Vec::new();
        let reference = self.checker.reference.rows();
        let sum = RowSum::of(reference);
        let log = &self.checker.agreement;
        for (id, node) in &self.nodes {
            if RowSum::of(node.states.current().rows()) != sum {
                wrong.push(("agreement", format!("node {id} ends with rows of its own")));
            }
            match node.log_entries(1, log.last()) {
                Ok(entries) => wrong.extend(entries.iter().filter_map(|entry| {
                    let agreed = log.at(entry.index)?;
                    let same = agreed.term == entry.term && agreed.data == entry.data;
                    let what = format!("node {id} has another entry {} in its log", entry.index);
                    (!same).then_some(("log matching", what))
                })),
                Err(error) => wrong.push(("durability", format!("node {id}: {error}"))),
            }
        }
        let lost = acknowledged::check(&self.workload.acknowledged, log, reference);
        wrong.extend(lost.into_iter().map(|what| ("acknowledged", what)));
        let deadlines = self.checker.deadlines.finish(reference);
        wrong.extend(deadlines.into_iter().map(|what| ("deadlines", what)));
        let mut places = BTreeMap::new();
        for index in log.first()..=log.last() {
            let command = &log.at(index).expect("the log has no gaps").command;
            if let Ok(command) = Command::decode(command)
                && let Body::ProbePut { value, .. } | Body::ProbeCompareAndSet { value, .. } =
                    command.body
            {
                // A retry has no effect of its own.
                places.entry(value).or_insert(index);
            }
        }
        let unexplained = self.workload.history.check(|value| places.get(value).copied());
        wrong.extend(unexplained.into_iter().map(|what| ("linearizability", what)));
        for (promise, what) in wrong {
            self.checker.violated(promise, what);
        }
        self.checker.check_dear();
        if let Err(what) = self.checker.answers.finish() {
            self.checker.violated("every request is answered", what);
        }
    }

    pub(super) fn report(self) -> Report {
        let syncs = self.nodes.values().map(|node| node.disk.syncs()).sum();
        let acknowledged = self.acknowledged();
        let mut happenings = self.happenings;
        happenings.insert("member changes", self.checker.memberships.changes());
        Report {
            seed: self.seed,
            scenario: self.options.scenario,
            planned: self.whole_plan,
            whole: self.options.part.is_none(),
            faulty_until: self.clock.now.min(FAULTS_LAST),
            boundaries: self.boundaries,
            happenings,
            steps: self.happened,
            enabled: self.plan.enabled,
            faults: self.faults,
            acknowledged,
            probes: self.workload.history.finished(),
            tally: self.workload.tally,
            repeats: self.checker.idempotency.repeats,
            deadlines: self.checker.deadlines.fired(),
            stamps_refused: self.stamps_refused,
            elections: self.elections,
            entries: self.checker.agreement.last() - 1,
            syncs,
            virtual_ms: self.clock.now,
            days: self.clock.leapt / DAY_MS,
            violations: self.checker.into_violations(),
            trace: self.trace.finish(),
        }
    }
}
