//! The operator: two persons and a console, who do the next thing that can be done, and may be gone between
//! any two.
//!
//! Nothing of a failover lives here that could not be found again: what was begun is in the cell, what a node
//! was sealed for in its identity, what it has in its log. Only the wait for the lease is counted anew by a
//! console that starts again.

use std::collections::{BTreeMap, BTreeSet};

use catalog_model::{
    site::{Mode as CellMode, Pair},
    witness::{self as cell, CellWrite, Release, Writer},
};
use catalog_replica::{
    EntryKind, Mode, RaftChange, RoleKind, SiteId,
    failover::{
        Evidence, Found, Missing, Sealed, Verdict, greatest, may_promote, settled, verdict,
    },
    kind_of,
};

use super::{
    machine::{Act, MAIN},
    witness::{named, numbered},
    world::{Event, Place, World, other, sites},
};

/// For so long all nodes of a site are waited for before it is opened without some.
const PATIENCE_MS: u64 = 10_000;

pub(super) struct Operator {
    pub(super) rate: u64,
    /// The failover that is wanted: from where, to where, and what the persons say of a release.
    pub(super) wants: Option<(SiteId, SiteId, Release)>,
    /// The console is gone until then.
    pub(super) gone_until: u64,
    /// The pair that is being opened, and since when this console knows.
    seen: Option<(Pair, u64)>,
    reports: BTreeMap<u64, Sealed>,
    powerless: BTreeSet<u64>,
    promoted: Option<Promoted>,
    ids: BTreeMap<SiteId, u64>,
    /// How many nodes a leader has at home and elsewhere.
    pub(super) staffs: bool,
    /// In a script: whether two persons attest that what has no power stays so.
    pub(super) attests: bool,
    /// What was last said to be missing.
    said: Option<String>,
}

/// What a promotion rested on.
struct Promoted {
    machine: usize,
    id: u64,
    pair: Pair,
    at: u64,
    verdict: Verdict,
    /// The acts in its log.
    holds: BTreeSet<u64>,
}

impl Operator {
    pub(super) fn new(rate: u64) -> Self {
        Self {
            rate,
            wants: None,
            gone_until: 0,
            seen: None,
            reports: BTreeMap::new(),
            powerless: BTreeSet::new(),
            promoted: None,
            ids: BTreeMap::new(),
            staffs: true,
            attests: false,
            said: None,
        }
    }

    /// The console is gone, with what it had in memory.
    pub(super) fn forget(&mut self) {
        self.seen = None;
        self.reports.clear();
    }

    fn new_id(&mut self, site: SiteId) -> u64 {
        let used = self.ids.entry(site).or_default();
        *used += 1;
        u64::from(site.0) * 100 + *used - 1
    }
}

impl World {
    /// The next thing that can be done.
    pub(super) fn operate(&mut self) {
        if self.now < self.operator.gone_until {
            return;
        }
        if self.hears(Place::Console, Place::Witness) {
            self.go_on_failing_over();
        }
        if self.operator.staffs {
            self.restaff();
        }
    }

    fn go_on_failing_over(&mut self) {
        let Some((from, to, release)) = self.operator.wants else { return };
        let active = numbered(&self.witness.cell.active_site);
        let begun = self.witness.cell.failover.is_some();
        if !begun && active == to && from != to || begun && self.promoted_elsewhere(to) {
            self.operator.wants = None;
            return;
        }
        if !begun || active != to {
            let write = CellWrite::BeginFailover {
                to: named(to),
                approvals: self.witness.approvals(to, release),
            };
            let revision = self.witness.cell.revision;
            match self.witness.write(revision, None, &write) {
                Ok(()) => {
                    let pair = self.witness.cell.pair;
                    self.note(format_args!("the operator begins failover {pair} to {to}"));
                    self.count("failovers begun");
                }
                Err(refusal) => self.note(format_args!("the failover is refused: {refusal}")),
            }
            return;
        }
        let pair = self.witness.cell.pair;
        let local = self.now * self.operator.rate / 1000;
        if self.operator.seen.is_none_or(|(seen, _)| seen != pair) {
            self.operator.seen = Some((pair, local));
            self.operator.reports.clear();
            if self.operator.promoted.as_ref().is_some_and(|promoted| promoted.pair != pair) {
                self.operator.promoted = None;
            }
        }
        if self.operator.promoted.is_some() {
            self.go_on_opening(to);
        } else {
            self.seal_all(to, pair);
            self.promote_if(to, pair, local);
        }
    }

    fn promoted_elsewhere(&self, to: SiteId) -> bool {
        let promoted = self.operator.promoted.as_ref();
        promoted.is_some_and(|promoted| self.machines[promoted.machine].site != to)
            && self.checks.opened == self.witness.cell.pair
    }

    fn seal_all(&mut self, to: SiteId, pair: Pair) {
        let Some(failover) = &self.witness.cell.failover else { return };
        let ends = failover.found.pair.generation;
        for machine in 0..self.machines.len() {
            let here = &self.machines[machine];
            let awake = !here.down && here.paused_until <= self.now && !here.condemned;
            if here.site != to
                || !awake
                || !self.reaches(machine, Place::Console)
                || here.identity.belongs.generation != ends
                || here.state().membership.is_empty()
                || self.operator.reports.contains_key(&here.id)
            {
                continue;
            }
            self.end_process(machine);
            let here = &mut self.machines[machine];
            let belonged = here.identity.belongs;
            let sealed = here.seal(pair);
            let (id, site) = (here.id, here.site);
            self.note(format_args!(
                "node {id} is sealed for {pair}: {}/{}, committed {}",
                sealed.last_index, sealed.last_term, sealed.commit
            ));
            let seal = cell::Seal {
                node: id,
                site: named(site),
                belonged,
                last_term: sealed.last_term,
                last_index: sealed.last_index,
                commit: sealed.commit,
            };
            let writer = Writer { node: id, site: named(site), pair: belonged, term: sealed.term };
            let revision = self.witness.cell.revision;
            let write = CellWrite::ReportSeal { seal };
            if let Err(refusal) = self.witness.write(revision, Some(&writer), &write) {
                self.note(format_args!("the seal of {id} is refused: {refusal}"));
                continue;
            }
            self.operator.reports.insert(id, sealed);
            self.count("sealed");
        }
    }

    fn promote_if(&mut self, to: SiteId, pair: Pair, local: u64) {
        let Some(failover) = self.witness.cell.failover.clone() else { return };
        let since = self.operator.seen.map_or(local, |(_, since)| since);
        let sealed: Vec<Sealed> = self.operator.reports.values().cloned().collect();
        let sites = sites();
        let powerless = self.operator.powerless.clone();
        let evidence = Evidence {
            generation: failover.found.pair.generation,
            found: match (failover.found.confirmed, failover.found.mode) {
                (false, _) => Found::Unknown,
                (true, CellMode::Sync) => Found::Sync,
                (true, CellMode::Async) => Found::Async,
            },
            never_released: failover.release == Release::No,
            lease_waited: local >= since + failover.found.wait_ms(),
            sites: &sites,
            sealed: &sealed,
            powerless: &powerless,
        };
        if let Err(missing) = may_promote(&evidence) {
            let what = missing.to_string();
            if self.operator.said.as_ref() != Some(&what) {
                self.note(format_args!("{pair} cannot open: {what}"));
                self.operator.said = Some(what);
            }
            if let Missing::Quorum { nodes, .. } = missing {
                self.fence_or_attest(&nodes, pair, local, since);
            }
            return;
        }
        let Some(best) = greatest(&sealed) else { return };
        let deposit = failover.found.deposit.as_ref().map_or(0, |deposit| deposit.index);
        let said = verdict(&evidence, to, best, deposit);
        if matches!(said, Verdict::Unknown { .. }) && local < since + PATIENCE_MS {
            return;
        }
        let Some(machine) = self.machine_of(best.node) else { return };
        if self.machines[machine].down || !self.reaches(machine, Place::Console) {
            return;
        }
        let (settled, term) = (settled(&sealed), sealed.iter().map(|s| s.term).max().unwrap_or(0));
        let from = self.machines[machine].identity.belongs.generation;
        // Power may fail after any of the steps.
        let steps =
            if !self.is_scripted() && self.prng.chance(20) { self.prng.below(3) } else { 9 };
        if !self.machines[machine].promote(pair, settled, term, steps) {
            self.note(format_args!("node {} loses power within its promotion", best.node));
            self.count("promotions interrupted");
            self.lose_power(machine);
            return self.plan_in(2000, Event::Resume { machine });
        }
        let holds = self.acts_of(machine);
        self.note(format_args!(
            "node {} is promoted for {pair}, settled {settled}: {said:?}",
            best.node
        ));
        self.checks.forked(from, pair.generation, settled);
        self.operator.promoted =
            Some(Promoted { machine, id: best.node, pair, at: local, verdict: said, holds });
        self.plan_in(1, Event::Start { machine });
    }

    /// Those who could still commit are told of the new pair, or two persons say that they have no power.
    fn fence_or_attest(&mut self, nodes: &[u64], pair: Pair, local: u64, since: u64) {
        for id in nodes {
            let Some(machine) = self.machine_of(*id) else { continue };
            let here = &self.machines[machine];
            if !here.down && here.paused_until <= self.now && self.reaches(machine, Place::Console)
            {
                if here.site != numbered(&self.witness.cell.active_site) {
                    self.hear_pair(machine, pair);
                    self.operator.powerless.insert(*id);
                }
            } else if here.down && local >= since + PATIENCE_MS && self.attests() {
                self.machines[machine].condemned = true;
                self.operator.powerless.insert(*id);
                self.note(format_args!("two persons attest that node {id} has no power"));
                self.count("attested powerless");
            }
        }
    }

    fn attests(&mut self) -> bool {
        if self.is_scripted() { self.operator.attests } else { self.prng.chance(25) }
    }

    /// Every act in the state and the log of a node.
    fn acts_of(&self, machine: usize) -> BTreeSet<u64> {
        use catalog_log::LogRead;
        let here = &self.machines[machine];
        let mut acts: BTreeSet<u64> = here.state().acts.keys().copied().collect();
        let log = here.open_log();
        let next = here.state().applied.max(log.first_index() - 1) + 1;
        if next <= log.last_index() {
            let tail = log.entries(next, log.last_index() + 1, u64::MAX).expect("a sound log");
            acts.extend(tail.iter().filter_map(|entry| match kind_of(entry) {
                EntryKind::Command(data) => Act::decode(data).map(|act| act.id),
                _ => None,
            }));
        }
        acts
    }

    /// Those of the site that were sealed join the promoted node; with one of them, or alone after a while, it
    /// opens.
    fn go_on_opening(&mut self, to: SiteId) {
        let Some(promoted) = self.operator.promoted.take() else { return };
        if !self.open_if(to, &promoted) {
            self.operator.promoted = Some(promoted);
        }
    }

    fn open_if(&mut self, to: SiteId, promoted: &Promoted) -> bool {
        let Promoted { machine, id, pair, at, .. } = *promoted;
        let here = &self.machines[machine];
        if here.id != id || here.identity.belongs != pair {
            return true;
        }
        let Some(running) = &here.running else { return false };
        let status = running.replica.status();
        if status.role != RoleKind::Leader || !self.reaches(machine, Place::Console) {
            return false;
        }
        let joiner = (0..self.machines.len()).find(|other| {
            let there = &self.machines[*other];
            there.site == to
                && !there.down
                && !there.condemned
                && there.identity.sealed == Some(pair)
                && self.reaches(*other, Place::Console)
        });
        if let Some(other) = joiner {
            let id = self.machines[other].id;
            // Under its own id: in this generation it has never said anything.
            self.machines[other].wipe(id, pair, false);
            self.plan_in(1, Event::Start { machine: other });
        }
        self.change_members(machine);
        let local = self.now * self.operator.rate / 1000;
        let voters = self.machines[machine].state().membership.voters.clone();
        if voters.len() < 2 && local < at + 2 * PATIENCE_MS || status.membership.is_joint() {
            return false;
        }
        let writer = Writer { node: id, site: named(to), pair, term: status.term };
        let said = match &promoted.verdict {
            Verdict::ProvenZero => cell::Verdict::ProvenZero,
            Verdict::Bounded { .. } => cell::Verdict::Bounded,
            Verdict::Unknown { .. } => cell::Verdict::Unknown,
        };
        let write = CellWrite::Open { verdict: said, nodes: voters };
        let revision = self.witness.cell.revision;
        if let Err(refusal) = self.witness.write(revision, Some(&writer), &write) {
            self.note(format_args!("opening is refused: {refusal}"));
            return false;
        }
        for machine in &mut self.machines {
            machine.identity.open |= machine.identity.belongs == pair;
        }
        let lost = self.checks.opened(pair, &promoted.holds, &promoted.verdict);
        self.note(format_args!("{pair} opens, {said:?}; {lost} acknowledged acts are lost"));
        self.count("opened");
        self.count(match said {
            cell::Verdict::ProvenZero => "proven zero",
            cell::Verdict::Bounded => "bounded",
            cell::Verdict::Unknown => "unknown",
        });
        if lost > 0 {
            self.count("openings with a loss");
        }
        self.operator.wants = None;
        true
    }

    /// The open leader of the newest pair, if there is one.
    pub(super) fn leader(&self) -> Option<usize> {
        (0..self.machines.len()).find(|machine| {
            let here = &self.machines[*machine];
            let leads =
                here.running.as_ref().is_some_and(|running| running.replica.role().is_leader);
            leads && here.identity.open && here.identity.belongs == self.checks.opened
        })
    }

    /// Machines of the past come back under new ids; voters are where they belong.
    fn restaff(&mut self) {
        let Some(leader) = self.leader() else { return };
        if !self.reaches(leader, Place::Console) {
            return;
        }
        let pair = self.machines[leader].identity.belongs;
        for machine in 0..self.machines.len() {
            let here = &self.machines[machine];
            let past = here.identity.belongs < pair || here.condemned;
            let sealed_for_more = here.identity.heard > pair;
            let awake = !here.down && here.paused_until <= self.now;
            if past && awake && !sealed_for_more && self.reaches(machine, Place::Console) {
                self.hear_pair(machine, pair);
                if self.is_scripted() || self.prng.chance(20) {
                    let site = self.machines[machine].site;
                    let id = self.operator.new_id(site);
                    let before = self.machines[machine].id;
                    self.note(format_args!("node {before} comes back as {id}"));
                    self.machines[machine].wipe(id, pair, true);
                    self.count("rejoined");
                    self.plan_in(1, Event::Start { machine });
                }
            }
        }
        self.change_members(leader);
    }

    /// One step of a leader's membership towards all machines of its pair being members.
    fn change_members(&mut self, leader: usize) {
        let here = &self.machines[leader];
        let (pair, home) = (here.identity.belongs, here.state().home.unwrap_or(MAIN));
        let members = here.state().membership.clone();
        let sites = sites();
        if members.is_joint() {
            return;
        }
        let present: Vec<u64> = self
            .machines
            .iter()
            .filter(|machine| machine.identity.belongs == pair && !machine.condemned)
            .map(|machine| machine.id)
            .collect();
        let voters = |site| members.voters.iter().filter(|id| sites.of(**id) == Some(site)).count();
        let lacks = |site| voters(site) < if site == home { 3 } else { 2 };
        let promotable = members
            .learners
            .iter()
            .find(|id| sites.of(**id).is_some_and(lacks) && present.contains(id));
        let newcomer = present.iter().find(|id| !members.contains(**id));
        let gone = members.ids().into_iter().find(|id| self.machine_of(*id).is_none());
        let change = match (newcomer, promotable, gone) {
            (Some(id), ..) => RaftChange::AddLearner(*id),
            (None, Some(id), _) => RaftChange::Promote(*id),
            (None, None, Some(id)) => RaftChange::Remove(id),
            (None, None, None) => return,
        };
        if let Some(running) = &mut self.machines[leader].running
            && running.replica.propose_members(change, b"staff"[..].into()).is_ok()
        {
            self.note(format_args!("the operator asks for {change:?}"));
            self.process(leader);
        }
    }

    /// Two persons let the active site go on alone, giving their word that the other is stopped.
    pub(super) fn release(&mut self) -> bool {
        let Some(leader) = self.leader() else { return false };
        let site = self.machines[leader].site;
        let stopped = self.machines.iter().filter(|m| m.site == other(site)).all(|m| m.down);
        assert!(stopped, "the persons look before they give their word");
        let mode = Mode::Async { released: true };
        let Some(running) = &mut self.machines[leader].running else { return false };
        let taken = running.replica.propose_mode(mode, b"release"[..].into()).is_ok();
        self.process(leader);
        if taken {
            self.note(format_args!("two persons release {site} to commit alone"));
            self.count("released");
        }
        taken
    }
}
