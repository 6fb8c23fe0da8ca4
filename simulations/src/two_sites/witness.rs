//! The witness: the product's own cell, behind messages that are late or lost.

use catalog_model::{
    ids::{DomainId, OrganizationId, PersonId},
    name::{Resource, ResourceName},
    site::{Mode as CellMode, Pair, SiteId as CellSite},
    time::UtcMillis,
    witness::{
        Act, Approval, Cell, CellWrite, Context, Deposit, Release, Statement, Writer, decide,
    },
};
use catalog_replica::{
    SiteId,
    keeper::{Answer, Ask, CellSeen, Promise, Wish},
};

use super::{
    machine::{MAIN, STANDBY},
    world::{Event, Place, World},
};

/// The instant at which everything happens, by the witness's calendar: approvals do not run out here.
const NOW: UtcMillis = UtcMillis(1_780_000_000_000);

pub(super) struct Witness {
    pub(super) cell: Cell,
    domain: DomainId,
    /// Of the witness's own cluster.
    pub(super) generation: u64,
    /// In a script: a node whose requests wait in a connection, until they are let go.
    pub(super) held: Option<(u64, Vec<Event>)>,
}

pub(super) fn named(site: SiteId) -> CellSite {
    let name = if site == MAIN { "main" } else { "standby" };
    name.parse().expect("a site")
}

pub(super) fn numbered(site: &CellSite) -> SiteId {
    if site.as_str() == "main" { MAIN } else { STANDBY }
}

impl Witness {
    /// The cell of a cluster in sync that began on main.
    pub(super) fn registered() -> Self {
        let domain: DomainId = "luqiao".parse().expect("a domain");
        let writer = |node, site| Writer { node, site: named(site), pair: Pair::FIRST, term: 1 };
        let (main, standby) = (writer(1, MAIN), writer(4, STANDBY));
        let register = CellWrite::Register {
            sites: vec![named(MAIN), named(STANDBY)],
            active: named(MAIN),
            mode: CellMode::Sync,
            approvers: Vec::new(),
            approvals: Vec::new(),
        };
        let context = |revision, writer| Context {
            domain: &domain,
            revision,
            writer: Some(writer),
            now: NOW,
            witness_generation: 1,
        };
        let first = decide(None, &register, &context(0, &main)).expect("a first word");
        let cell = decide(Some(&first), &CellWrite::Confirm, &context(first.revision, &standby))
            .expect("the other site answers");
        Self { cell, domain, generation: 1, held: None }
    }

    /// What comes of a write on `revision` by a node, or by operators.
    pub(super) fn write(
        &mut self,
        revision: u64,
        writer: Option<&Writer>,
        write: &CellWrite,
    ) -> Result<(), String> {
        let context = Context {
            domain: &self.domain,
            revision,
            writer,
            now: NOW,
            witness_generation: self.generation,
        };
        match decide(Some(&self.cell), write, &context) {
            Ok(cell) => {
                self.cell = cell;
                Ok(())
            }
            Err(refusal) => Err(format!("{refusal:?}")),
        }
    }

    /// Two persons' approval of a failover to `to`, with their word on a release.
    pub(super) fn approvals(&self, to: SiteId, release: Release) -> Vec<Approval> {
        let statement = Statement {
            domain: self.domain.clone(),
            act: Act::Failover,
            from: self.cell.active_site.clone(),
            to: named(to),
            pair: self.cell.pair,
            expires: UtcMillis(NOW.0 + 1),
            release,
        };
        let office = OrganizationId::from_bytes([1; 16]);
        [1, 2]
            .into_iter()
            .map(|number| Approval {
                statement: statement.clone(),
                approver: ResourceName::new(
                    self.domain.clone(),
                    Resource::Person(office, PersonId::from_bytes([number; 16])),
                ),
                signature: Vec::new(),
                certificate: Vec::new(),
            })
            .collect()
    }

    fn seen_by(&self, term: u64) -> CellSeen {
        let cell = &self.cell;
        CellSeen {
            revision: cell.revision,
            pair: (cell.pair.generation, cell.pair.epoch),
            failing_over: cell.failover.is_some(),
            promise: match cell.mode {
                CellMode::Sync => Promise::Sync,
                CellMode::Async => Promise::Async,
            },
            term: cell.term,
            lends: cell.lease.is_some_and(|lease| lease.term == term),
            deposit: cell.deposit.as_ref().map_or(0, |deposit| deposit.index),
        }
    }
}

impl World {
    /// A node asks the witness.
    pub(super) fn ask_witness(&mut self, machine: usize, ask: Ask) {
        let boot = self.machines[machine].boots;
        let pair = self.machines[machine].identity.belongs;
        let home = Place::Site(self.machines[machine].site);
        // Some requests wait in a connection that will break.
        let late = !self.is_scripted() && self.prng.chance(3);
        let delay = if late { self.prng.between(1000, 9000) } else { self.prng.between(5, 30) };
        let asks = Event::AskWitness { machine, boot, pair, home, ask };
        let node = self.machines[machine].id;
        if let Some((_, held)) = self.witness.held.as_mut().filter(|(slow, _)| *slow == node) {
            held.push(asks);
        } else if late || self.reaches(machine, Place::Witness) {
            self.plan_in(delay, asks);
        }
    }

    pub(super) fn ask_arrives(
        &mut self,
        machine: usize,
        boot: u64,
        pair: Pair,
        home: Place,
        ask: Ask,
    ) {
        if !self.hears(home, Place::Witness) {
            return;
        }
        let node = self.machines[machine].id;
        let Place::Site(site) = home else { return };
        let writer = Writer { node, site: named(site), pair, term: ask.term };
        let write = match ask.wish {
            Wish::Look => None,
            Wish::Take => Some(CellWrite::Take),
            Wish::Promise(Promise::Sync) => Some(CellWrite::SetMode { mode: CellMode::Sync }),
            Wish::Promise(Promise::Async) => Some(CellWrite::SetMode { mode: CellMode::Async }),
            Wish::Renew { deposit } => Some(CellWrite::Renew {
                deposit: Some(Deposit {
                    index: deposit,
                    ledger_size: deposit,
                    root: [0; 32],
                    signature: Vec::new(),
                    acts: self.witness.cell.deposit.as_ref().map_or(0, |deposit| deposit.acts),
                }),
                named: Vec::new(),
            }),
        };
        let done = match &write {
            None => Ok(()),
            Some(write) => self.witness.write(ask.revision, Some(&writer), write),
        };
        let answer = match done {
            Ok(()) => Answer::Done(self.witness.seen_by(ask.term)),
            Err(refusal) => {
                self.note(format_args!("the witness refuses {node}'s {:?}: {refusal}", ask.wish));
                self.count("cell writes refused");
                Answer::Refused
            }
        };
        if let Some(write) = write.filter(|_| matches!(answer, Answer::Done(_)))
            && !matches!(write, CellWrite::Renew { .. })
        {
            let cell = &self.witness.cell;
            let what = format!("{} at revision {}: {}", write.name(), cell.revision, cell.mode);
            self.note(format_args!("the witness notes node {node}'s {what}"));
        }
        let after = self.prng.between(5, 30);
        self.plan_in(after, Event::WitnessAnswers { machine, boot, number: ask.number, answer });
    }

    pub(super) fn witness_answers(&mut self, machine: usize, number: u64, answer: Answer) {
        if !self.reaches(machine, Place::Witness) {
            return;
        }
        let now = self.machines[machine].local(self.now);
        if let Some(running) = &mut self.machines[machine].running {
            running.keeper.answered(number, answer, now);
        }
        self.process(machine);
    }
}
