//! What must hold, whatever is lost?
//!
//! Named after the invariants of the protocol. The checks know everything, disks and all sites included; the
//! code under test is asked nothing that it could answer wrongly.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use catalog_model::site::Pair;
use catalog_replica::failover::Verdict;
use raft::eraftpb::Entry;

use super::{machine::Act, world::World};
use crate::checker::Violation;

/// An act that a client was told is done.
#[derive(Clone, Copy, Debug)]
struct Acked {
    act: Act,
    index: u64,
    generation: u64,
    /// Whether it was told that both sites hold it.
    both: bool,
    /// Whether a failover is known to have lost it.
    lost: bool,
}

#[derive(Debug)]
pub(super) struct Checks {
    pub(super) violations: Vec<Violation>,
    acked: Vec<Acked>,
    pub(super) reads: u64,
    acts: u64,
    /// The greatest pair that opened.
    pub(super) opened: Pair,
    /// By generation and index: what was applied.
    agreed: BTreeMap<u64, BTreeMap<u64, (u64, Bytes, Bytes)>>,
    pairs: BTreeMap<u64, (Pair, Pair)>,
    cell: Pair,
}

impl Default for Checks {
    fn default() -> Self {
        Self {
            violations: Vec::new(),
            acked: Vec::new(),
            reads: 0,
            acts: 0,
            opened: Pair::FIRST,
            agreed: BTreeMap::new(),
            pairs: BTreeMap::new(),
            cell: Pair::FIRST,
        }
    }
}

impl Checks {
    pub(super) fn broken(&mut self, promise: &'static str, what: String) {
        self.violations.push(Violation { promise, what });
    }

    pub(super) fn acknowledged(&self) -> u64 {
        self.acked.len() as u64
    }

    pub(super) fn new_act(&mut self) -> u64 {
        self.acts += 1;
        self.acts
    }

    /// Agreement within a generation; and nothing new in one that is over.
    pub(super) fn applied(&mut self, generation: u64, node: u64, entry: &Entry) {
        let told = (entry.term, entry.data.clone(), entry.context.clone());
        let over = generation < self.opened.generation;
        let agreed = self.agreed.entry(generation).or_default();
        match agreed.get(&entry.index) {
            Some(first) if *first != told => {
                let what =
                    format!("node {node} applies {told:?} at {}, another {first:?}", entry.index);
                self.broken("agreement", what);
            }
            Some(_) => {}
            None => {
                agreed.insert(entry.index, told);
                if over {
                    let what = format!("node {node} commits entry {} of {generation}", entry.index);
                    self.broken("no generation commits after a later one opened", what);
                }
            }
        }
    }

    /// The witness itself was restored: its cell is an older one, and says that it is unconfirmed.
    pub(super) fn witness_restored(&mut self) {
        self.cell = Pair::FIRST;
    }

    /// A generation begins with what another had settled.
    pub(super) fn forked(&mut self, from: u64, to: u64, settled: u64) {
        let before = self.agreed.entry(from).or_default().clone();
        let kept = before.into_iter().filter(|(index, _)| *index <= settled).collect();
        // A failover that never opened leaves nothing.
        self.agreed.insert(to, kept);
    }

    /// A generation opened with what `holds`, and `verdict` was said of what was lost.
    pub(super) fn opened(&mut self, pair: Pair, holds: &BTreeSet<u64>, verdict: &Verdict) -> u64 {
        self.opened = pair;
        let mut found = Vec::new();
        let mut lost = 0;
        for acked in &mut self.acked {
            if acked.lost || holds.contains(&acked.act.id) {
                continue;
            }
            acked.lost = true;
            lost += 1;
            let Acked { act, index, generation, both, .. } = *acked;
            let what = format!("act {} at entry {index} of {generation} is lost", act.id);
            match verdict {
                Verdict::ProvenZero => {
                    found.push((
                        "the verdict agrees with the truth",
                        format!("{what}, proven zero"),
                    ));
                }
                Verdict::Bounded { after, through } => {
                    if both {
                        found.push(("what both sites hold survives one", what.clone()));
                    }
                    // An act that never came to the promoted log can have an index that something else has
                    // there; beyond the bound it cannot be.
                    if index > *through {
                        let what = format!("{what}, beyond {after}..{through}");
                        found.push(("the verdict agrees with the truth", what));
                    }
                }
                Verdict::Unknown { missing } => {
                    if missing.is_empty() {
                        found.push(("unknown names what is missing", what));
                    }
                }
            }
        }
        for (promise, what) in found {
            self.broken(promise, what);
        }
        lost
    }
}

impl World {
    /// A node tells a client that an act is done.
    pub(super) fn acknowledge(&mut self, machine: usize, act: Act, index: u64, both: bool) {
        let (id, site) = (self.machines[machine].id, self.machines[machine].site);
        let generation = self.machines[machine].identity.belongs.generation;
        if generation < self.checks.opened.generation {
            let what = format!("node {id} of {generation} acknowledges act {}", act.id);
            self.checks.broken("no generation commits after a later one opened", what);
        }
        if act.graded && !both {
            let what = format!("node {id} acknowledges graded act {} alone", act.id);
            self.checks.broken("graded acts need both sites", what);
        }
        if both {
            let held = self.machines.iter().any(|other| {
                other.site != site
                    && !other.condemned
                    && other.identity.belongs.generation == generation
                    && other.has_for_good(index, act.id)
            });
            if !held {
                let what = format!("node {id} says so of act {} at entry {index}", act.id);
                self.checks.broken("what is said to be at both sites is", what);
            }
        } else {
            self.count("told of one site");
        }
        let lost = false;
        self.checks.acked.push(Acked { act, index, generation, both, lost });
        self.trace.mark(self.now, "ack", &[id, act.id, index, u64::from(both)], &[]);
    }

    /// A node shows a client what there is: everything that was acknowledged before it asked.
    pub(super) fn show(&mut self, machine: usize, knows: usize) {
        let here = &self.machines[machine];
        let (id, generation) = (here.id, here.identity.belongs.generation);
        let acts = &here.state().acts;
        let missing = self.checks.acked[..knows]
            .iter()
            .find(|acked| !acked.lost && !acts.contains_key(&acked.act.id))
            .copied();
        if generation < self.checks.opened.generation {
            let what = format!("node {id} of {generation} answers a read");
            self.checks.broken("no linearizable read misses an act", what);
        }
        if let Some(missed) = missing {
            let what = format!("node {id} misses act {}", missed.act.id);
            self.checks.broken("no linearizable read misses an act", what);
        }
        self.checks.reads += 1;
        self.trace.mark(self.now, "read", &[id, knows as u64], &[]);
    }

    /// Pairs never fall, on no node and not in the cell.
    pub(super) fn check_pairs(&mut self) {
        for machine in &self.machines {
            let identity = machine.identity;
            let seen = self
                .checks
                .pairs
                .insert(machine.id, (identity.belongs, identity.heard))
                .unwrap_or((Pair::FIRST, Pair::FIRST));
            if identity.belongs < seen.0 || identity.heard < seen.1 {
                let what = format!("node {} had {seen:?}, and has {identity:?}", machine.id);
                let violation = Violation { promise: "pairs never fall", what };
                self.checks.violations.push(violation);
            }
        }
        let cell = self.witness.cell.pair;
        if cell < self.checks.cell {
            let what = format!("the cell had {}, and has {cell}", self.checks.cell);
            self.checks.broken("pairs never fall", what);
        }
        self.checks.cell = cell;
    }

    /// After healing, everybody has the same.
    pub(super) fn check_agreement(&mut self) {
        let states: Vec<(u64, BTreeMap<u64, u64>)> =
            self.machines.iter().map(|m| (m.id, m.state().acts.clone())).collect();
        let (first, acts) = &states[0];
        if let Some((other, _)) = states.iter().find(|(_, other)| other != acts) {
            let what = format!("nodes {first} and {other} have different acts");
            self.checks.broken("after healing all agree", what);
        }
        let missing = self.checks.acked.iter().find(|a| !a.lost && !acts.contains_key(&a.act.id));
        if let Some(missing) = missing {
            let what =
                format!("act {} is nowhere, and nobody said that it is lost", missing.act.id);
            self.checks.broken("nothing is lost in silence", what);
        }
    }
}
