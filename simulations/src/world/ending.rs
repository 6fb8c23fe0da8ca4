//! How does a run end: healed, read once more, long after, settled, and judged?

use std::collections::BTreeSet;

use catalog_model::time::DAY_MS;
use catalog_state::{
    command::{Body, Command},
    view::View,
};

use crate::{
    checker::acknowledged,
    fault::{Kind, Planned},
    report::{MIN_ACKNOWLEDGED, MIN_PROBES, MIN_REQUESTS, Report},
    world::{
        Event, FAULTS_LAST, FAULTS_TO, HEALING_MS, NODES, OPERATOR_MS, Phase, WATCH_MS, World,
    },
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
        let world = self.clock;
        for id in NODES {
            let node = self.node(id);
            if node.alarm_since.is_some_and(|since| now >= since + OPERATOR_MS) {
                node.alarm_since = None;
                // Either the clock is right and the bound had reasons of its own, or it is not.
                let sound = node.clock.is_sound();
                if sound {
                    node.clock.vouch(&world);
                } else {
                    node.clock.offset_ms = 0;
                }
                self.note(format_args!(
                    "an operator comes to node {id}, whose clock is sound: {sound}"
                ));
            }
        }
        let all_run = self.running().len() == NODES.len();
        match self.phase {
            Phase::Faulty
                if (FAULTS_TO..FAULTS_LAST).contains(&now) && self.owed() != Owed::Nothing =>
            {
                if let Owed::Fault(kind) = self.owed()
                    && (now - FAULTS_TO).is_multiple_of(1500)
                {
                    self.plan_in(1, Event::Fault(Planned { at: now + 1, kind, lasts: 1500 }));
                }
            }
            Phase::Faulty if now >= FAULTS_TO => {
                self.network.heal();
                for id in NODES {
                    self.node(id).clock.offset_ms = 0;
                }
                self.workload.close();
                self.enter(Phase::Healing);
            }
            Phase::Healing if all_run && self.workload.pending() == 0 => {
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
            Phase::LongAfter if all_run && self.nothing_is_due() => self.enter(Phase::Settling),
            Phase::Settling if all_run && self.replicas_are_equal() => {
                self.check_end();
                self.enter(Phase::Over);
            }
            Phase::Faulty | Phase::Over => {}
            _ if now > self.phase_since + HEALING_MS => {
                let what = format!(
                    "{:?} is not over after {HEALING_MS} ms without faults, {} commands wait",
                    self.phase,
                    self.workload.pending()
                );
                self.checker.violated("liveness", what);
            }
            _ => {}
        }
        self.plan_in(WATCH_MS, Event::Watch);
    }

    /// What is still needed for the run to show something.
    fn owed(&self) -> Owed {
        let happened = |kind: &Kind| self.faults.get(kind).is_some_and(|count| *count > 0);
        if let Some(kind) = self.plan.enabled.iter().find(|kind| !happened(kind)) {
            return Owed::Fault(*kind);
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
        self.nodes
            .values()
            .any(|node| node.leads() && View(&node.state).next_due().is_none_or(|due| due > now))
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
        let reference = &self.nodes[&NODES[0]].state;
        let mut wrong: Vec<(&'static str, String)> = Vec::new();
        for (id, node) in &self.nodes {
            if node.state.rows() != reference.rows() {
                wrong.push(("agreement", format!("node {id} ends with other rows than node 1")));
            }
            match node.log_entries(1, self.checker.agreement.last()) {
                Ok(entries) => wrong.extend(entries.iter().filter_map(|entry| {
                    let agreed = self.checker.agreement.at(entry.index)?;
                    let same = agreed.term == entry.term && agreed.data == entry.data;
                    (!same).then(|| {
                        (
                            "agreement",
                            format!("node {id} has another entry {} in its log", entry.index),
                        )
                    })
                })),
                Err(error) => wrong.push(("durability", format!("node {id}: {error}"))),
            }
        }
        let log = &self.checker.agreement;
        let lost = acknowledged::check(&self.workload.acknowledged, log, reference);
        wrong.extend(lost.into_iter().map(|what| ("acknowledged", what)));
        wrong.extend(
            self.checker.deadlines.finish(reference).into_iter().map(|what| ("deadlines", what)),
        );
        let mut written = BTreeSet::new();
        for index in 2..=log.last() {
            let data = &log.at(index).expect("the log has no gaps").data;
            if let Ok(command) = Command::decode(data)
                && let Body::ProbePut { value, .. } | Body::ProbeCompareAndSet { value, .. } =
                    command.body
            {
                written.insert(value);
            }
        }
        let unexplained = self.workload.history.check(|value| written.contains(value));
        wrong.extend(unexplained.into_iter().map(|what| ("linearizable probes", what)));
        wrong.extend(
            catalog_state::invariants::check(reference)
                .into_iter()
                .map(|violation| ("invariants", format!("{violation:?}"))),
        );
        for (promise, what) in wrong {
            self.checker.violated(promise, what);
        }
    }

    pub(super) fn report(self) -> Report {
        let syncs = self.nodes.values().map(|node| node.disk.syncs()).sum();
        let acknowledged = self.acknowledged();
        Report {
            seed: self.seed,
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
