//! Everything at once, under chance: lost and late messages, power losses, a log that is forgotten, snapshots,
//! bad states, members that come and go. What one replica applies, all apply; and when the faults end, all
//! members have the same state again.

use std::collections::BTreeMap;

use catalog_log::{Disk, LogError};

use super::*;
use crate::{
    CompactLimits, EntryKind, Install, LeaveDue, Membership, RaftChange, SnapshotOffer, kind_of,
};

const FOUNDERS: u64 = 3;
const JOINERS: u64 = 2;

/// What a state machine amounts to: the sum of all it was told.
#[derive(Clone, Debug, Default, PartialEq)]
struct State {
    applied: u64,
    term: u64,
    membership: Membership,
    sum: u64,
}

struct Node {
    disk: SimDisk,
    log: SimLog,
    replica: SimReplica,
    live: State,
    /// By number: what a power loss leaves of the states on this disk.
    durable: BTreeMap<u64, State>,
    offer: Option<SnapshotOffer>,
}

struct Shell<'a> {
    world: &'a mut World,
    id: u64,
    live: State,
    durable: BTreeMap<u64, State>,
    number: u64,
    changes: Vec<(Entry, bool)>,
    offer: Option<SnapshotOffer>,
    broken: Option<String>,
    disk: SimDisk,
}

#[derive(Default)]
struct World {
    network: VecDeque<Message>,
    agreed: BTreeMap<u64, State>,
    snapshots: BTreeMap<Vec<u8>, State>,
    /// Places of changes of the membership that were proposed: index and term.
    proposed: Vec<(u64, u64)>,
    counts: BTreeMap<&'static str, u64>,
}

impl World {
    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }
}

impl Shell<'_> {
    fn touch_disk(&self) -> Result<(), LogError> {
        let in_folder = |source| LogError::Disk { attempt: "sync", file: ".".to_owned(), source };
        self.disk.sync_dir().map_err(in_folder)
    }

    fn apply_one(&mut self, entry: &Entry) {
        self.live.applied = entry.index;
        self.live.term = entry.term;
        match kind_of(entry) {
            EntryKind::Raft => {
                if self.world.proposed.contains(&(entry.index, entry.term)) {
                    self.broken = Some(format!("entry {} was to change members", entry.index));
                }
            }
            EntryKind::Mode { .. } => unreachable!("a cluster of one site has no mode"),
            EntryKind::Command(data) => {
                self.live.sum =
                    scramble(self.live.sum ^ u64::from_be_bytes(data[..].try_into().unwrap()));
            }
            EntryKind::Members { change, .. } => {
                let next = self.live.membership.after(change.unwrap());
                self.changes.push((entry.clone(), next.is_ok()));
                self.live.membership = next.unwrap_or_else(|_| self.live.membership.clone());
                self.world.count("changes applied");
            }
        }
        let first = self.world.agreed.entry(entry.index).or_insert_with(|| self.live.clone());
        if *first != self.live {
            self.broken = Some(format!("{} has {:?}, another {first:?}", self.id, self.live));
        }
    }
}

impl Outside for Shell<'_> {
    fn send(&mut self, messages: Vec<Message>) {
        self.world.network.extend(messages);
    }
    fn apply(&mut self, entries: Vec<Entry>) {
        for entry in &entries {
            if entry.index != self.live.applied + 1 {
                self.broken = Some(format!("{} after {:?}", entry.index, self.live));
            }
            self.apply_one(entry);
        }
    }
    fn answer_reads(&mut self, _: Vec<ReadDone>) {}
    fn drop_reads(&mut self, _: Vec<u64>) {}
    fn role_changed(&mut self, _: Role) {}
    fn fetch(&mut self, offer: SnapshotOffer) {
        self.offer = Some(offer);
    }
    fn prepare_install(&mut self, install: &Install) -> Result<u64, LogError> {
        let state = self.world.snapshots[&install.data[..]].clone();
        assert_eq!((state.applied, state.term), (install.index, install.term));
        assert_eq!(state.membership, install.membership);
        // The power may go before the new state is whole, and after.
        self.touch_disk()?;
        self.durable.insert(self.number + 1, state);
        self.touch_disk()?;
        Ok(self.number + 1)
    }
    fn installed(&mut self, _: &Install) {
        self.number += 1;
        self.live = self.durable[&self.number].clone();
        self.durable.retain(|number, _| *number == self.number);
        self.world.count("installs");
    }
}

struct Cluster {
    nodes: BTreeMap<u64, Node>,
    world: World,
    seed: u64,
}

impl Cluster {
    fn new(seed: u64) -> Self {
        let mut cluster = Self { nodes: BTreeMap::new(), world: World::default(), seed };
        for id in 1..=FOUNDERS + JOINERS {
            let disk = SimDisk::new();
            let mut state = State::default();
            let mut log = open(id, &disk);
            if id <= FOUNDERS {
                bootstrap(&mut log).unwrap();
                state.applied = 1;
                state.membership = Membership::of_voters((1..=FOUNDERS).collect());
            }
            let replica = start_on(&log, cluster.config(id, &state, false), 0).unwrap();
            let durable = BTreeMap::from([(0, state.clone())]);
            let node = Node { disk, log, replica, live: state, durable, offer: None };
            cluster.nodes.insert(id, node);
        }
        cluster
    }

    fn config(&self, id: u64, state: &State, reseed: bool) -> Config {
        Config {
            election_tick: 6,
            snapshot_patience: 20,
            membership: state.membership.clone(),
            reseed,
            ..Config::new(id, vec![], self.seed)
        }
    }

    fn settle(&mut self, id: u64) -> Result<(), String> {
        let node = self.nodes.get_mut(&id).unwrap();
        loop {
            let mut shell = Shell {
                world: &mut self.world,
                id,
                live: node.live.clone(),
                durable: node.durable.clone(),
                number: node.log.state_number(),
                changes: Vec::new(),
                offer: None,
                broken: None,
                disk: node.disk.clone(),
            };
            let settled = settle(&mut node.replica, &mut node.log, &mut shell);
            if let Some(broken) = shell.broken {
                return Err(broken);
            }
            let Shell { live, durable, changes, offer, .. } = shell;
            (node.live, node.durable) = (live, durable);
            node.offer = offer.or(node.offer.take());
            if settled.is_err() {
                self.world.count("power lost within");
                let chance = scramble(self.seed ^ self.world.agreed.len() as u64);
                return self.crash(id, chance, false);
            }
            for (entry, accepted) in changes {
                node.replica.apply_members(&entry, accepted);
            }
            let status = node.replica.status();
            if !status.reseeding && *status.membership != node.live.membership {
                return Err(format!(
                    "{id}: {:?} and {:?}",
                    status.membership, node.live.membership
                ));
            }
            if status.reseeding || node.live.applied <= status.applied {
                return Ok(());
            }
            node.replica.applied(node.live.applied);
        }
    }

    /// Power loss: the state falls back to what was durable, or is found to be bad.
    fn crash(&mut self, id: u64, chance: u64, bad: bool) -> Result<(), String> {
        let mut node = self.nodes.remove(&id).unwrap();
        node.disk.crash(chance);
        node.log = open(id, &node.disk);
        let terms = node.log.first_index() - 1..=node.log.last_index();
        if !terms.map(|index| node.log.term(index).unwrap()).is_sorted() {
            return Err(format!("terms of {id} go back"));
        }
        node.live = node.durable[&node.log.state_number()].clone();
        let reseed = bad && node.log.last_index() > 0;
        let state = if reseed { State::default() } else { node.live.clone() };
        let config = self.config(id, &state, reseed);
        node.replica =
            start_on(&node.log, config, state.applied).map_err(|error| error.to_string())?;
        node.offer = None;
        self.world.count(if reseed { "reseeds" } else { "crashes" });
        self.nodes.insert(id, node);
        Ok(())
    }

    /// The chores of a shell.
    fn upkeep(&mut self, id: u64, chance: u64) {
        let node = self.nodes.get_mut(&id).unwrap();
        if node.replica.snapshot_wanted() {
            let name = format!("{id}/{}", node.live.applied).into_bytes();
            self.world.snapshots.insert(name.clone(), node.live.clone());
            let State { applied, term, membership, .. } = node.live.clone();
            node.replica.snapshot_made(applied, term, membership, name.into());
        }
        if let Some(offer) = node.offer.take_if(|_| chance.is_multiple_of(5)) {
            if chance.is_multiple_of(3) {
                node.replica.snapshot_refused(offer.index);
            } else {
                node.replica.snapshot_fetched(offer.index);
            }
        }
        if chance.is_multiple_of(7) {
            node.durable.insert(node.log.state_number(), node.live.clone());
        }
        if chance.is_multiple_of(11) {
            let durable = &node.durable[&node.log.state_number()];
            let limits = CompactLimits { keep_entries: 1, keep_bytes: 300 };
            if let Some(through) = node.replica.compact_to(durable.applied, limits)
                && node.log.compact(through).is_ok()
            {
                self.world.count("compactions");
            }
        }
        match node.replica.leave_due() {
            Some(LeaveDue::Propose) => {
                let _ = node.replica.propose_members(RaftChange::Finish, Bytes::new());
            }
            Some(LeaveDue::HandOver) => {
                let to = node.replica.membership().voters[0];
                let _ = node.replica.transfer_leader(to);
            }
            None => {}
        }
    }

    fn reseeds(&self) -> bool {
        self.nodes.values().any(|node| node.replica.status().reseeding)
    }

    /// Whether two other voters, now and after what is in the logs, can make a bad state anew: one of them
    /// leads, and the other elects it even if the bad one has entries that neither has.
    fn can_spare_a_state(&self) -> bool {
        let settled = |node: &Node| {
            let next = node.live.applied + 1;
            let rest = node.log.entries(next, node.log.last_index() + 1, u64::MAX).unwrap();
            rest.iter().all(|entry| !matches!(kind_of(entry), EntryKind::Members { .. }))
        };
        let latest = self.nodes.values().max_by_key(|node| node.live.applied).unwrap();
        let membership = &latest.live.membership;
        !self.reseeds()
            && membership.voters.len() >= 3
            && !membership.is_joint()
            && self.nodes.values().all(settled)
    }

    fn step(&mut self, message: Message) -> Result<(), String> {
        let Some(node) = self.nodes.get_mut(&message.to) else { return Ok(()) };
        match node.replica.step(message) {
            Err(refusal) if refusal.is_fatal() => Err(refusal.to_string()),
            _ => Ok(()),
        }
    }
}

/// A change that some leader might be asked for.
fn some_change(chance: u64) -> RaftChange {
    let id = 1 + chance / 8 % (FOUNDERS + JOINERS);
    match chance % 8 {
        0..3 => RaftChange::AddLearner(id),
        3..6 => RaftChange::Promote(id),
        6 => RaftChange::Remove(id),
        _ => RaftChange::Replace { outgoing: id, incoming: 1 + chance / 64 % 5 },
    }
}

fn run(seed: u64) -> Result<Cluster, String> {
    let mut chance = seed;
    let mut below = |bound: u64| {
        chance = scramble(chance);
        chance % bound
    };
    let mut cluster = Cluster::new(seed);
    let mut removed = Vec::new();
    for turn in 0..4000_u64 {
        let faults = turn < 2500;
        let ids: Vec<u64> = cluster.nodes.keys().copied().collect();
        let id = ids[below(ids.len() as u64) as usize];
        let what = below(200);
        let (reseeds, spare) = (cluster.reseeds(), cluster.can_spare_a_state());
        let replica = &mut cluster.nodes.get_mut(&id).unwrap().replica;
        match what {
            0..50 => replica.tick(),
            50..80 => {
                let _ = replica.propose(turn.to_be_bytes().to_vec().into());
            }
            80..90 if faults && !reseeds => {
                let change = some_change(below(u64::MAX));
                // An id that was used is not used again.
                let anew = matches!(change, RaftChange::AddLearner(id) if removed.contains(&id));
                if !anew && let Ok(place) = replica.propose_members(change, Bytes::new()) {
                    cluster.world.proposed.push((place.index, place.term));
                    removed.extend(match change {
                        RaftChange::Remove(id) | RaftChange::Replace { outgoing: id, .. } => {
                            Some(id)
                        }
                        _ => None,
                    });
                }
            }
            90 => {
                let _ = replica.transfer_leader(1 + below(5));
            }
            95..101 if faults => cluster.nodes[&id].disk.die_after(below(12)),
            91..94 if faults => cluster.crash(id, below(u64::MAX), false)?,
            94 if faults && spare => {
                cluster.crash(id, below(u64::MAX), true)?;
            }
            _ => {}
        }
        for _ in 0..6 {
            let late = faults && below(10) == 0 && cluster.world.network.len() > 1;
            let network = &mut cluster.world.network;
            let Some(message) = (if late { network.remove(1) } else { network.pop_front() }) else {
                break;
            };
            if !faults || below(20) > 0 {
                cluster.step(message)?;
            }
        }
        for id in ids {
            cluster.upkeep(id, below(u64::MAX));
            cluster.settle(id)?;
        }
    }
    Ok(cluster)
}

/// Whether all members stand where the last entry is, under one leader.
fn agree(cluster: &Cluster) -> bool {
    let leaders = cluster.nodes.values().filter(|node| {
        let status = node.replica.status();
        status.role == RoleKind::Leader && !status.membership.is_joint()
    });
    let Some(leader) = leaders.max_by_key(|node| node.replica.status().term) else { return false };
    let members = leader.live.membership.ids();
    members.iter().all(|id| cluster.nodes[id].live == leader.live)
}

/// A run under faults, and then without, until all agree.
fn run_to_rest(seed: u64) -> Result<Cluster, String> {
    let mut cluster = run(seed)?;
    let mut chance = seed;
    for _ in 0..3000 {
        if agree(&cluster) {
            return Ok(cluster);
        }
        for id in 1..=FOUNDERS + JOINERS {
            chance = scramble(chance);
            cluster.nodes.get_mut(&id).unwrap().replica.tick();
            cluster.upkeep(id, chance);
            cluster.settle(id)?;
        }
        while let Some(message) = cluster.world.network.pop_front() {
            let to = message.to;
            cluster.step(message)?;
            cluster.settle(to)?;
        }
    }
    let stands: Vec<_> = cluster.nodes.values().map(|node| node.replica.status()).collect();
    Err(format!("does not come to rest: {stands:#?}"))
}

#[test]
fn states_agree_whatever_happens_and_everybody_comes_back() {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for seed in 0..60 {
        let cluster = run_to_rest(seed).unwrap_or_else(|broken| panic!("seed {seed}: {broken}"));
        assert!(cluster.world.agreed.len() > 20, "seed {seed} did too little");
        for (what, count) in &cluster.world.counts {
            *counts.entry(what).or_default() += count;
        }
    }
    for (what, least) in [
        ("changes applied", 100),
        ("installs", 50),
        ("compactions", 1000),
        ("crashes", 500),
        ("power lost within", 200),
        ("reseeds", 50),
    ] {
        assert!(counts[what] >= least, "too few {what}: {counts:?}");
    }
}

/// The test above is worth something only if it notices faults. Those that show in reads, or in what a
/// shell does with an answer, are for the simulation of the whole system.
#[cfg(feature = "mutations")]
#[test]
fn faults_are_noticed() {
    use catalog_mutation::{Mutation, choose};

    let mut unnoticed = Vec::new();
    for mutation in [
        Mutation::NoSync,
        Mutation::AnswersBeforeWrite,
        Mutation::VoteNotSynced,
        Mutation::WriteReportedFirst,
        Mutation::CommitBehindApplied,
        Mutation::SuffixKept,
        Mutation::NeutralizedChangeTaken,
        Mutation::InstallDecidedFirst,
        Mutation::TruncatedBeyondDurable,
        Mutation::SnapshotFailureUnheard,
        Mutation::AutoLeave,
        Mutation::FreedWithoutSync,
    ] {
        let noticed = (0..400).find(|seed| {
            choose(Some(mutation));
            let run = panic::catch_unwind(|| run_to_rest(*seed));
            choose(None);
            !run.is_ok_and(|run| run.is_ok())
        });
        match noticed {
            Some(seed) => println!("{}: noticed by seed {seed}", mutation.name()),
            None => unnoticed.push(mutation.name()),
        }
    }
    assert!(unnoticed.is_empty(), "{unnoticed:?}");
}
