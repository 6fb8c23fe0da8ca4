//! A small world for stories: replicas with real logs on simulated disks, and a network that is a queue.
//!
//! ```text
//! cluster nodes=N               N fresh replicas
//! campaign N                    stands for election
//! tick N [times=K]              time passes for N only
//! run ticks=K                   time passes for all, messages are delivered; only turns of events are shown
//! deliver [times=K]             all messages, and those they cause, shown one by one; or only K
//! settle                        the same, but only turns of events are shown
//! propose N TEXT                `a*900` is 900 times `a`
//! read N CONTEXT
//! transfer N to=M
//! isolate N | heal              messages from and to N are lost | no one is isolated any more
//! hold-syncs N | release-syncs N  N's disk takes writes but confirms none | confirms all
//! lose KIND                     messages of this kind that are under way are lost
//! crash N                       power loss: what no sync confirmed is gone
//! restart N [applied=I]         the state begins at entry I, or empty
//! restart N kept | reseed       the state is as it was | it is bad and is to be replaced
//! join N | wipe N               a new node with an empty disk | a node loses its disk
//! change N add=M | promote=M | remove=M | replace=M,K | finish [unlawful]
//!                               proposes a change of the membership, which the state may refuse
//! compact N keep=K              forgets the log but for K applied entries and what live peers need
//! snapshot N                    makes a snapshot of N's state and offers it
//! fetched N | refused N         the snapshot offered to N has arrived | cannot be had
//! blocks N to=M                 N sees blocks of a snapshot flow to M
//! reseed N                      N's state turns out to be bad
//! seal N                           N ends its part for ever: its log is synced, and it says how that ends
//! sites main=IDS standby=IDS    where the replicas stand; those at a site are named 1,2,3
//! mode N sync|async|released     N, leading, proposes to change the mode
//! recover N                      N, leading, switches the rule on
//! lend N through=I | take-back N  the witness lends N the right to commit alone up to I | and takes it back
//! status | log N | syncs N | members N | rule N
//! ```

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt::Write,
    mem,
};

use catalog_log::{
    LogError, LogRead, LogStore, Options, SegmentLog, SegmentReader, StoreIdentity, sim_disk,
};
use catalog_replica::{
    CompactLimits, Config, EntryKind, Install, LogWrite, Membership, Mode, Outside, RaftChange,
    ReadDone, Replica, Role, SiteId, Sites, SnapshotOffer, StartError, bootstrap, failover::Sealed,
    kind_of, mode_of, settle,
};
use raft::eraftpb::{Entry, Message};
use sim_disk::{SimDisk, SimFile};

mod describe;

#[derive(Debug, Default)]
pub(crate) struct World {
    nodes: BTreeMap<u64, Node>,
    network: VecDeque<Message>,
    isolated: BTreeSet<u64>,
    /// What snapshots contain, by their names.
    snapshots: BTreeMap<String, State>,
    founders: u64,
    /// Where the nodes stand, and the mode that the cluster began in.
    sites: Sites,
    first_mode: Option<Mode>,
    /// Whether messages and writes are shown.
    verbose: bool,
    output: String,
}

#[derive(Debug)]
struct Node {
    disk: SimDisk,
    /// By number; the log says which one counts.
    states: BTreeMap<u64, State>,
    running: Option<Running>,
}

/// A state machine that remembers what it was told.
#[derive(Clone, Debug, Default, PartialEq)]
struct State {
    applied: u64,
    term: u64,
    membership: Membership,
    mode: Option<Mode>,
    told: Vec<String>,
}

#[derive(Debug)]
struct Running {
    log: SegmentLog<SimDisk>,
    replica: Replica<SegmentReader<SimFile>>,
    /// While syncs are held: writes handed to the disk and not confirmed.
    held: Option<Vec<LogWrite>>,
    state: State,
    /// The snapshot to be fetched, and its name.
    offer: Option<SnapshotOffer>,
    wants_snapshot: bool,
}

/// What a replica wanted done, in order.
#[derive(Debug, Default)]
struct Acts {
    lines: Vec<String>,
    messages: Vec<Message>,
    state: State,
    /// Changes of the membership that were applied, and whether they took place.
    changes: Vec<(Entry, bool)>,
    offer: Option<SnapshotOffer>,
    snapshots: BTreeMap<String, State>,
    state_number: u64,
    /// Whether the state came with a snapshot.
    replaced: bool,
}

impl World {
    pub(crate) fn take_output(&mut self) -> String {
        if self.output.is_empty() { "nothing\n".to_owned() } else { mem::take(&mut self.output) }
    }

    pub(crate) fn run(&mut self, command: &str) {
        let mut words = command.split_whitespace();
        let verb = words.next().expect("a command");
        let words: Vec<&str> = words.collect();
        let word = |position: usize| {
            *words.get(position).unwrap_or_else(|| panic!("too short: {command}"))
        };
        let id = || word(0).parse::<u64>().unwrap_or_else(|_| panic!("no node: {command}"));
        let option = |name: &str| {
            let value = words.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
            value.map(|value| value.parse::<u64>().unwrap())
        };
        let named = |name: &str| words.contains(&name);
        self.verbose = matches!(
            verb,
            "deliver" | "campaign" | "propose" | "read" | "transfer" | "change" | "mode"
        );
        match verb {
            "cluster" => {
                let count = option("nodes").expect("how many nodes");
                self.founders = count;
                for id in 1..=count {
                    let mut node = Node::new();
                    bootstrap(&mut open(id, &node.disk)).unwrap();
                    node.running =
                        Some(start(id, &node.disk, founded(count), false, &self.sites).unwrap());
                    self.nodes.insert(id, node);
                }
            }
            "join" => {
                let mut node = Node::new();
                node.running =
                    Some(start(id(), &node.disk, State::default(), false, &self.sites).unwrap());
                self.nodes.insert(id(), node);
            }
            "wipe" => {
                self.nodes.insert(id(), Node::new());
            }
            "change" => {
                let change = change(&words[1..]);
                let context = if named("unlawful") { "unlawful" } else { "lawful" };
                self.with_shown(id(), |replica| {
                    match replica.propose_members(change, context.into()) {
                        Ok(proposed) => format!("proposes {}/{}", proposed.index, proposed.term),
                        Err(refusal) => format!("refuses: {refusal:?}"),
                    }
                });
            }
            "compact" => {
                let limits =
                    CompactLimits { keep_entries: option("keep").unwrap(), keep_bytes: 4096 };
                let running = self.running(id());
                let through = running.replica.compact_to(running.state.applied, limits);
                if let Some(through) = through {
                    running.log.compact(through).unwrap();
                }
                let through = through.map_or("nothing".to_owned(), |last| format!("up to {last}"));
                self.show(id(), &format!("forgets {through}"));
            }
            "snapshot" => {
                let state = self.running(id()).state.clone();
                let name = format!("state of {} at {}", id(), state.applied);
                self.snapshots.insert(name.clone(), state.clone());
                self.show(id(), &format!("makes a snapshot of its {name}"));
                self.running(id()).wants_snapshot = false;
                self.with(id(), |replica| {
                    let State { applied, term, membership, .. } = state;
                    replica.snapshot_made(applied, term, membership, name.into());
                });
            }
            "fetched" => {
                let offer = self.running(id()).offer.take().expect("a snapshot is offered");
                self.with(id(), |replica| replica.snapshot_fetched(offer.index));
            }
            "refused" => {
                let offer = self.running(id()).offer.take().expect("a snapshot is offered");
                self.with(id(), |replica| replica.snapshot_refused(offer.index));
            }
            "blocks" => {
                let to = option("to").unwrap();
                self.with(id(), |replica| replica.snapshot_progress(to));
            }
            "reseed" => self.with(id(), Replica::request_snapshot),
            "lose" => {
                let before = self.network.len();
                self.network.retain(|message| format!("{:?}", message.get_msg_type()) != word(0));
                let lost = before - self.network.len();
                writeln!(self.output, "{lost} messages are lost").unwrap();
            }
            "members" => {
                let line = describe::members(self.running(id()).replica.membership());
                let due = self.running(id()).replica.leave_due();
                let due = due.map_or(String::new(), |due| format!("; due: {due:?}"));
                self.show(id(), &format!("knows {line}{due}"));
            }
            "sites" => {
                for (name, site) in [("main", MAIN), ("standby", STANDBY)] {
                    let ids =
                        words.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
                    for id in ids.into_iter().flat_map(|ids| ids.split(',')) {
                        self.sites.place(id.parse().unwrap(), site);
                    }
                }
                // Before anything happened, a cluster of two sites is in sync.
                let fresh = self.nodes.values().all(|node| {
                    node.running.as_ref().is_some_and(|running| running.state.applied <= 1)
                });
                if fresh {
                    self.first_mode = Some(Mode::Sync);
                }
                for node in self.nodes.values_mut() {
                    let Some(running) = &mut node.running else { continue };
                    if fresh {
                        running.state.mode = self.first_mode;
                        running.replica.sites_replaced(self.first_mode, self.sites.clone());
                    } else {
                        running.replica.set_sites(self.sites.clone());
                    }
                }
            }
            "mode" => {
                let mode = mode(word(1));
                self.with_shown(id(), |replica| match replica.propose_mode(mode, "mode".into()) {
                    Ok(proposed) => format!("proposes {}/{}", proposed.index, proposed.term),
                    Err(refusal) => format!("refuses: {refusal:?}"),
                });
            }
            "seal" => {
                let node = self.nodes.get_mut(&id()).unwrap();
                let Running { replica, mut log, state, .. } = node.running.take().unwrap();
                replica.seal();
                log.sync().unwrap();
                let site = self.sites.of(id()).expect("it stands somewhere");
                let sealed =
                    Sealed::of(id(), site, 1, &log, state.applied, &state.membership).unwrap();
                let line = format!(
                    "is sealed with {}/{}, commit={}",
                    sealed.last_index, sealed.last_term, sealed.commit
                );
                self.show(id(), &line);
            }
            "recover" => self.with(id(), |replica| replica.recover(true)),
            "lend" => self.with(id(), |replica| replica.lend(option("through"))),
            "take-back" => self.with(id(), |replica| replica.lend(None)),
            "rule" => {
                let status = self.running(id()).replica.site_status();
                let line = describe::rule(&status);
                self.show(id(), &line);
            }
            "campaign" => self.with(id(), Replica::campaign),
            "tick" => {
                for _ in 0..option("times").unwrap_or(1) {
                    self.with(id(), Replica::tick);
                }
            }
            "run" => {
                for _ in 0..option("ticks").expect("how many ticks") {
                    for id in self.nodes.keys().copied().collect::<Vec<_>>() {
                        if self.nodes[&id].running.is_some() {
                            self.with(id, Replica::tick);
                        }
                    }
                    self.deliver(u64::MAX);
                }
            }
            "deliver" | "settle" => self.deliver(option("times").unwrap_or(u64::MAX)),
            "propose" => {
                let text = match word(1).split_once('*') {
                    Some((part, times)) => part.repeat(times.parse().unwrap()),
                    None => word(1).to_owned(),
                };
                self.with_shown(id(), |replica| match replica.propose(text.into()) {
                    Ok(proposed) => format!("proposes {}/{}", proposed.index, proposed.term),
                    Err(refusal) => format!("refuses: {refusal:?}"),
                });
            }
            "read" => {
                let context = word(1).parse().unwrap();
                self.with_shown(id(), |replica| match replica.read(context) {
                    Ok(()) => format!("begins read {context}"),
                    Err(refusal) => format!("refuses: {refusal:?}"),
                });
            }
            "transfer" => {
                let to = option("to").unwrap();
                self.with_shown(id(), |replica| match replica.transfer_leader(to) {
                    Ok(()) => format!("transfers to {to}"),
                    Err(refusal) => format!("refuses: {refusal:?}"),
                });
            }
            "isolate" => {
                self.isolated.insert(id());
            }
            "heal" => self.isolated.clear(),
            "hold-syncs" => self.running(id()).held = Some(Vec::new()),
            "release-syncs" => self.release_syncs(id()),
            "crash" => {
                let node = self.nodes.get_mut(&id()).unwrap();
                node.running = None;
                node.disk.crash_losing_all();
                // What was under way to or from a machine without power is gone, too.
                self.network.retain(|message| message.from != id() && message.to != id());
            }
            "restart" => {
                let applied = option("applied").unwrap_or(0);
                let begun = State { applied, mode: self.first_mode, ..founded(self.founders) };
                let node = self.nodes.get_mut(&id()).unwrap();
                let number = open(id(), &node.disk).state_number();
                let state = if named("kept") { node.states[&number].clone() } else { begun };
                match start(id(), &node.disk, state, named("reseed"), &self.sites) {
                    Ok(running) => {
                        node.running = Some(running);
                        self.show_status(id());
                        self.process(id());
                    }
                    Err(refusal) => self.show(id(), &format!("does not start: {refusal}")),
                }
            }
            "status" => {
                for id in self.nodes.keys().copied().collect::<Vec<_>>() {
                    self.show_status(id);
                }
            }
            "log" => {
                let log = &self.running(id()).log;
                let entries =
                    log.entries(log.first_index(), log.last_index() + 1, u64::MAX).unwrap();
                let state = log.hard_state();
                let line = format!(
                    "has {}; term={} vote={} commit={}",
                    describe::entries(&entries),
                    state.term,
                    state.vote,
                    state.commit
                );
                self.show(id(), &line);
            }
            "syncs" => {
                let syncs = self.nodes[&id()].disk.syncs();
                self.show(id(), &format!("synced {syncs} times"));
            }
            _ => panic!("no such command: {command}"),
        }
    }

    fn running(&mut self, id: u64) -> &mut Running {
        let node = self.nodes.get_mut(&id).unwrap_or_else(|| panic!("there is no node {id}"));
        node.running.as_mut().unwrap_or_else(|| panic!("node {id} is down"))
    }

    fn show(&mut self, id: u64, line: &str) {
        writeln!(self.output, "{id} {line}").unwrap();
    }

    fn show_status(&mut self, id: u64) {
        let Some(running) = &self.nodes[&id].running else {
            return self.show(id, "is down");
        };
        let status = running.replica.status();
        let mut line = format!(
            "is {:?} at term {}, commit={} applied={} last={}",
            status.role, status.term, status.commit, status.applied, status.last_index
        );
        for (peer, matched) in &status.matched {
            write!(line, " matched[{peer}]={matched}").unwrap();
        }
        for (peer, progress) in &status.peers {
            if let catalog_replica::PeerState::Snapshot { index } = progress.state {
                write!(line, " sends-snapshot[{peer}]={index}").unwrap();
            }
        }
        if let Some(index) = status.receiving {
            write!(line, " receiving={index}").unwrap();
        }
        if status.reseeding {
            line.push_str(" reseeding");
        }
        if status.removed {
            line.push_str(" removed");
        }
        self.show(id, &line);
    }

    fn with(&mut self, id: u64, input: impl FnOnce(&mut Replica<SegmentReader<SimFile>>)) {
        input(&mut self.running(id).replica);
        self.process(id);
    }

    fn with_shown(
        &mut self,
        id: u64,
        input: impl FnOnce(&mut Replica<SegmentReader<SimFile>>) -> String,
    ) {
        let line = input(&mut self.running(id).replica);
        self.show(id, &line);
        self.process(id);
    }

    /// Does what the replica wants done.
    fn process(&mut self, id: u64) {
        let verbose = self.verbose;
        let snapshots = self.snapshots.clone();
        let sites = self.sites.clone();
        let running = self.running(id);
        let mut acts = Acts {
            state: running.state.clone(),
            snapshots,
            state_number: running.log.state_number(),
            ..Acts::default()
        };
        let mut written = Vec::new();
        if let Some(held) = &mut running.held {
            // The other driver: the log is written, but nothing is reported until a sync is confirmed.
            while let Some(ready) = running.replica.ready() {
                ready.role_change.into_iter().for_each(|role| acts.role_changed(role));
                acts.send(ready.send_now);
                acts.answer_reads(ready.reads);
                acts.drop_reads(ready.reads_dropped);
                acts.apply(ready.apply);
                ready.fetch.into_iter().for_each(|offer| acts.fetch(offer));
                if let Some(write) = ready.write {
                    running.log.append(&write.entries, write.hard_state.as_ref()).unwrap();
                    written.push(format!("{} unconfirmed", describe::write(&write)));
                    held.push(write);
                }
            }
        } else {
            loop {
                settle(&mut running.replica, &mut running.log, &mut acts).unwrap();
                if mem::take(&mut acts.replaced) {
                    running.replica.sites_replaced(acts.state.mode, sites.clone());
                }
                for (entry, accepted) in acts.changes.drain(..) {
                    if mode_of(&entry).is_some() {
                        running.replica.apply_mode(&entry, accepted);
                    } else {
                        running.replica.apply_members(&entry, accepted);
                    }
                }
                if !running.replica.status().reseeding {
                    assert_eq!(acts.state.membership, *running.replica.membership());
                }
                if acts.state.applied <= running.replica.status().applied {
                    break;
                }
                running.replica.applied(acts.state.applied);
            }
        }
        if !running.replica.status().reseeding {
            running.state = acts.state;
        }
        running.offer = acts.offer.or(running.offer.take());
        let wanted = running.replica.snapshot_wanted();
        if wanted && !std::mem::replace(&mut running.wants_snapshot, wanted) {
            acts.lines.push("wants a snapshot to be made".to_owned());
        }
        let (number, state) = (running.log.state_number(), running.state.clone());
        self.nodes.get_mut(&id).unwrap().states.insert(number, state);
        for line in acts.lines {
            self.show(id, &line);
        }
        if verbose {
            for line in written {
                self.show(id, &line);
            }
        }
        self.network.extend(acts.messages);
    }

    fn release_syncs(&mut self, id: u64) {
        let running = self.running(id);
        let held = running.held.take().expect("syncs are held");
        running.log.sync().unwrap();
        if let Some(last) = held.last() {
            let messages = running.replica.log_persisted(last.number);
            self.network.extend(messages);
        }
        self.process(id);
    }

    fn deliver(&mut self, times: u64) {
        for _ in 0..times {
            let Some(message) = self.network.pop_front() else { return };
            let lost = self.isolated.contains(&message.from)
                || self.isolated.contains(&message.to)
                || self.nodes.get(&message.to).is_none_or(|node| node.running.is_none());
            if self.verbose {
                let line = describe::message(&message);
                writeln!(self.output, "{line}{}", if lost { " (lost)" } else { "" }).unwrap();
            }
            if !lost {
                let to = message.to;
                if let Err(refusal) = self.running(to).replica.step(message) {
                    self.show(to, &format!("refuses: {refusal}"));
                }
                self.process(to);
            }
        }
    }
}

impl Outside for Acts {
    fn send(&mut self, messages: Vec<Message>) {
        self.messages.extend(messages);
    }

    fn apply(&mut self, entries: Vec<Entry>) {
        let Some(last) = entries.last() else { return };
        (self.state.applied, self.state.term) = (last.index, last.term);
        let mut refused = Vec::new();
        for entry in &entries {
            match kind_of(entry) {
                EntryKind::Raft => {}
                EntryKind::Mode { mode, .. } => {
                    self.state.mode = Some(mode);
                    self.changes.push((entry.clone(), true));
                }
                EntryKind::Command(data) => {
                    self.state.told.push(String::from_utf8_lossy(data).into_owned());
                }
                EntryKind::Members { change, context } => {
                    let next = self.state.membership.after(change.unwrap());
                    let accepted = context.as_ref() != b"unlawful" && next.is_ok();
                    if accepted {
                        self.state.membership = next.unwrap();
                    }
                    if !accepted {
                        refused.push(format!("refuses change {}", entry.index));
                    }
                    self.changes.push((entry.clone(), accepted));
                }
            }
        }
        self.lines.push(format!("applies {}", describe::entries(&entries)));
        self.lines.extend(refused);
    }

    fn fetch(&mut self, offer: SnapshotOffer) {
        let name = String::from_utf8_lossy(&offer.data);
        self.lines.push(format!("is offered the {name} by {}", offer.from));
        self.offer = Some(offer);
    }

    fn prepare_install(&mut self, install: &Install) -> Result<u64, LogError> {
        let name = String::from_utf8_lossy(&install.data).into_owned();
        self.state = self.snapshots[&name].clone();
        assert_eq!(self.state.membership, install.membership);
        Ok(self.state_number + 1)
    }

    fn installed(&mut self, install: &Install) {
        self.state_number += 1;
        self.replaced = true;
        assert_eq!(self.state.applied, install.index);
        self.lines.push(format!(
            "installs the {} as its state number {}",
            String::from_utf8_lossy(&install.data),
            self.state_number
        ));
    }

    fn answer_reads(&mut self, reads: Vec<ReadDone>) {
        self.lines.extend(
            reads.iter().map(|read| format!("answers read {} at {}", read.context, read.index)),
        );
    }

    fn drop_reads(&mut self, contexts: Vec<u64>) {
        self.lines.extend(contexts.iter().map(|context| format!("drops read {context}")));
    }

    fn role_changed(&mut self, role: Role) {
        self.lines.push(match role {
            Role { is_leader: true, term, .. } => format!("leads at term {term}"),
            Role { leader: Some(leader), term, .. } => format!("follows {leader} at term {term}"),
            Role { leader: None, term, .. } => format!("knows no leader at term {term}"),
        });
    }
}

fn open(id: u64, disk: &SimDisk) -> SegmentLog<SimDisk> {
    let identity = StoreIdentity { cluster_id: [7; 16], store_uuid: [id as u8; 16] };
    SegmentLog::open(disk.clone(), identity, Options { segment_bytes: 4096 }).unwrap()
}

impl Node {
    fn new() -> Self {
        Self { disk: SimDisk::new(), states: BTreeMap::new(), running: None }
    }
}

/// The state that a cluster of so many nodes begins with.
fn founded(count: u64) -> State {
    State { membership: Membership::of_voters((1..=count).collect()), ..State::default() }
}

const MAIN: SiteId = SiteId(1);
const STANDBY: SiteId = SiteId(2);

fn mode(word: &str) -> Mode {
    match word {
        "sync" => Mode::Sync,
        "async" => Mode::Async { released: false },
        "released" => Mode::Async { released: true },
        _ => panic!("no such mode: {word}"),
    }
}

fn change(words: &[&str]) -> RaftChange {
    let (verb, value) = words[0].split_once('=').unwrap_or((words[0], "0"));
    let ids: Vec<u64> = value.split(',').map(|id| id.parse().unwrap()).collect();
    match verb {
        "add" => RaftChange::AddLearner(ids[0]),
        "promote" => RaftChange::Promote(ids[0]),
        "remove" => RaftChange::Remove(ids[0]),
        "replace" => RaftChange::Replace { outgoing: ids[0], incoming: ids[1] },
        "finish" => RaftChange::Finish,
        _ => panic!("no such change: {verb}"),
    }
}

fn start(
    id: u64,
    disk: &SimDisk,
    state: State,
    reseed: bool,
    sites: &Sites,
) -> Result<Running, StartError> {
    let log = open(id, disk);
    let config = Config {
        max_uncommitted: 1024,
        max_size_per_msg: 512,
        snapshot_patience: 10,
        membership: if reseed { Membership::default() } else { state.membership.clone() },
        reseed,
        sites: sites.clone(),
        mode: state.mode,
        ..Config::new(id, vec![], 7)
    };
    let logger = slog::Logger::root(slog::Discard, slog::o!());
    let replica = Replica::start(config, &log, state.applied, &logger)?;
    Ok(Running { log, replica, held: None, state, offer: None, wants_snapshot: false })
}
