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
//! crash N                       power loss: what no sync confirmed is gone
//! restart N [applied=I]         the state begins at entry I, or empty
//! status | log N | syncs N
//! ```

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt::Write,
    mem,
};

use catalog_log::{LogRead, LogStore, Options, SegmentLog, SegmentReader, StoreIdentity, sim_disk};
use catalog_replica::{Config, LogWrite, Outside, ReadDone, Replica, Role, bootstrap, settle};
use raft::eraftpb::{Entry, Message, MessageType};
use sim_disk::{SimDisk, SimFile};

#[derive(Debug, Default)]
pub(crate) struct World {
    nodes: BTreeMap<u64, Node>,
    network: VecDeque<Message>,
    isolated: BTreeSet<u64>,
    /// Whether messages and writes are shown.
    verbose: bool,
    output: String,
}

#[derive(Debug)]
struct Node {
    disk: SimDisk,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    log: SegmentLog<SimDisk>,
    replica: Replica<SegmentReader<SimFile>>,
    /// While syncs are held: writes handed to the disk and not confirmed.
    held: Option<Vec<LogWrite>>,
}

/// What a replica wanted done, in order.
#[derive(Debug, Default)]
struct Acts {
    lines: Vec<String>,
    messages: Vec<Message>,
    applied: u64,
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
        self.verbose = matches!(verb, "deliver" | "campaign" | "propose" | "read" | "transfer");
        match verb {
            "cluster" => {
                let count = option("nodes").expect("how many nodes");
                for id in 1..=count {
                    let mut node = Node { disk: SimDisk::new(), running: None };
                    bootstrap(&mut open(id, &node.disk)).unwrap();
                    node.running = Some(start(id, count, &node.disk, 0).unwrap());
                    self.nodes.insert(id, node);
                }
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
                let count = self.nodes.len() as u64;
                let node = self.nodes.get_mut(&id()).unwrap();
                match start(id(), count, &node.disk, option("applied").unwrap_or(0)) {
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
                    describe_entries(&entries),
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
        let running = self.running(id);
        let mut acts = Acts::default();
        let mut written = Vec::new();
        if let Some(held) = &mut running.held {
            // The other driver: the log is written, but nothing is reported until a sync is confirmed.
            while let Some(ready) = running.replica.ready() {
                ready.role_change.into_iter().for_each(|role| acts.role_changed(role));
                acts.send(ready.send_now);
                acts.answer_reads(ready.reads);
                acts.drop_reads(ready.reads_dropped);
                acts.apply(ready.apply);
                if let Some(write) = ready.write {
                    running.log.append(&write.entries, write.hard_state.as_ref()).unwrap();
                    written.push(format!("{} unconfirmed", describe_write(&write)));
                    held.push(write);
                }
            }
        } else {
            settle(&mut running.replica, &mut running.log, &mut acts).unwrap();
        }
        if acts.applied > 0 {
            running.replica.applied(acts.applied);
        }
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
                || self.nodes[&message.to].running.is_none();
            if self.verbose {
                let line = describe_message(&message);
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
        self.applied = entries.last().map_or(self.applied, |last| last.index);
        if !entries.is_empty() {
            self.lines.push(format!("applies {}", describe_entries(&entries)));
        }
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

fn start(
    id: u64,
    count: u64,
    disk: &SimDisk,
    applied: u64,
) -> Result<Running, catalog_replica::StartError> {
    let log = open(id, disk);
    let config = Config {
        max_uncommitted: 1024,
        max_size_per_msg: 512,
        ..Config::new(id, (1..=count).collect(), 7)
    };
    let logger = slog::Logger::root(slog::Discard, slog::o!());
    let replica = Replica::start(config, &log, applied, &logger)?;
    Ok(Running { log, replica, held: None })
}

fn describe_entries(entries: &[Entry]) -> String {
    let words: Vec<String> = entries
        .iter()
        .map(|entry| {
            let mut text = String::from_utf8_lossy(&entry.data);
            if text.len() > 40 {
                text = format!("{}..({} bytes)", &text[..3], text.len()).into();
            }
            format!(
                "{}/{}{}{text}",
                entry.index,
                entry.term,
                if text.is_empty() { "" } else { ":" }
            )
        })
        .collect();
    if words.is_empty() { "no entries".to_owned() } else { words.join(" ") }
}

fn describe_write(write: &LogWrite) -> String {
    let mut line = format!("writes {}", describe_entries(&write.entries));
    if let Some(state) = &write.hard_state {
        write!(line, "; term={} vote={} commit={}", state.term, state.vote, state.commit).unwrap();
    }
    line
}

fn describe_message(message: &Message) -> String {
    let kind = message.get_msg_type();
    let mut line = format!("{}->{} {kind:?} term={}", message.from, message.to, message.term);
    match kind {
        MessageType::MsgAppend => {
            let entries = describe_entries(&message.entries);
            write!(
                line,
                " after {}/{}: {entries}; commit={}",
                message.index, message.log_term, message.commit
            )
        }
        MessageType::MsgRequestVote | MessageType::MsgRequestPreVote => {
            write!(line, " log={}/{}", message.index, message.log_term)
        }
        MessageType::MsgAppendResponse => write!(line, " index={}", message.index),
        MessageType::MsgHeartbeat => write!(line, " commit={}", message.commit),
        _ => Ok(()),
    }
    .unwrap();
    if let Ok(context) = <[u8; 8]>::try_from(message.context.as_ref()) {
        write!(line, " read={}", u64::from_be_bytes(context)).unwrap();
    }
    if message.reject {
        line.push_str(" rejected");
    }
    line
}
