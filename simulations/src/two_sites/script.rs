//! Executions that a stranger can read: what was done, what came of it, why that is right.
//!
//! A script is a list of steps. A step is some commands, a line of four dashes, and the minutes of what
//! happened; an empty line ends it. Clocks are right and nothing goes wrong but what the script says.
//!
//! ```text
//! begin                           node 1 is elected
//! pass SECONDS
//! lose X | power X                X is main, standby or a node
//! cut A B | join A B              between two of main, standby, witness and console
//! isolate N | free                nobody hears that machine | all hear each other
//! clock N RATE                    N (or console) runs at RATE thousandths of the true rate
//! act at N | graded at N          a client there asks N to do an act
//! read at N                       ... to show what there is
//! change N replace=A,B            N, leading, proposes to let B vote for A
//! transfer N to=M
//! hold-requests N | let-go        N's requests to the witness wait in a broken connection | come at last
//! keep-cell | restore-witness     the witness is restored to what it was when it was kept
//! failover FROM TO no|yes|not-known   the operator wants it, with that word on a release
//! attest                          two persons attest that what has no power stays without
//! release                         two persons let the active site go on alone
//! staff                           from now on the operator brings machines back and fills their places
//! show                            leader, mode, members, cell, nodes
//! ```

use std::{fmt::Write, mem};

use catalog_model::witness::Release;
use catalog_replica::{RaftChange, SiteId};

use super::{
    clients::{Reply, What},
    machine::{Act, MAIN, STANDBY},
    world::{Place, World},
};

/// A script being played.
pub struct Script {
    world: World,
    output: String,
    kept: Option<catalog_model::witness::Cell>,
}

impl std::fmt::Debug for Script {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Script").field("now", &self.world.now).finish_non_exhaustive()
    }
}

impl Default for Script {
    fn default() -> Self {
        Self { world: World::scripted(), output: String::new(), kept: None }
    }
}

impl Script {
    /// The minutes since the last time.
    pub fn take_minutes(&mut self) -> String {
        self.take_notes();
        if self.output.is_empty() { "nothing\n".to_owned() } else { mem::take(&mut self.output) }
    }

    /// Promises that were broken so far, in words.
    pub fn broken(&self) -> Vec<String> {
        self.world.checks.violations.iter().map(ToString::to_string).collect()
    }

    /// Does what a line says.
    ///
    /// Panics if it says nothing that there is.
    pub fn run(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let word = |place: usize| *words.get(place).unwrap_or_else(|| panic!("too short: {line}"));
        let world = &mut self.world;
        match word(0) {
            "begin" => {
                world.pass(200);
                let first = world.machines[0].running.as_mut().expect("it runs");
                first.replica.campaign();
                world.process(0);
                world.pass(2000);
            }
            "free" => world.isolated.clear(),
            "pass" => {
                let seconds: f64 = word(1).parse().expect("seconds");
                world.pass((seconds * 1000.0) as u64);
            }
            "lose" | "power" => {
                let lose = word(0) == "lose";
                match (site(word(1)), lose) {
                    (Some(site), true) => world.lose_site(site),
                    (Some(site), false) => world.power_site(site),
                    (None, lose) => {
                        let machine = node(world, word(1));
                        world.machines[machine].kept_down = lose;
                        if lose { world.lose_power(machine) } else { world.resume(machine) }
                    }
                }
            }
            "cut" => world.cut(place(word(1)), place(word(2))),
            "join" => world.join(place(word(1)), place(word(2))),
            "isolate" => {
                let machine = node(world, word(1));
                world.isolated.insert(machine);
            }
            "clock" => {
                let rate = word(2).parse().expect("a rate");
                if word(1) == "console" {
                    world.operator.rate = rate;
                } else {
                    let machine = node(world, word(1));
                    world.machines[machine].rate = rate;
                }
            }
            "act" | "graded" => {
                let (id, graded) = (world.checks.new_act(), word(0) == "graded");
                let machine = node(world, word(2));
                self.ask(machine, What::Do(Act { id, graded }), &format!("act {id}"));
            }
            "read" => {
                let knows = world.checks.acknowledged() as usize;
                let machine = node(world, word(2));
                self.ask(machine, What::Read { knows }, "the read");
            }
            "change" => {
                let ids: Vec<u64> = option(word(2), "replace")
                    .split(',')
                    .map(|id| id.parse().expect("a node"))
                    .collect();
                let change = RaftChange::Replace { outgoing: ids[0], incoming: ids[1] };
                let machine = node(world, word(1));
                let running = world.machines[machine].running.as_mut().expect("it runs");
                let taken = running.replica.propose_members(change, b"script"[..].into());
                world.note(format_args!("node {} proposes {change:?}: {taken:?}", word(1)));
                world.process(machine);
            }
            "transfer" => {
                let to = option(word(2), "to").parse().expect("a node");
                let machine = node(world, word(1));
                let running = world.machines[machine].running.as_mut().expect("it runs");
                running.replica.transfer_leader(to).expect("it can");
                world.process(machine);
            }
            "hold-requests" => {
                world.witness.held = Some((word(1).parse().expect("a node"), Vec::new()));
            }
            "let-go" => {
                for late in world.witness.held.take().expect("they are held").1 {
                    world.plan_in(1, late);
                }
            }
            "keep-cell" => self.kept = Some(world.witness.cell.clone()),
            "restore-witness" => {
                world.witness.cell = self.kept.clone().expect("it was kept");
                world.witness.generation += 1;
                world.checks.witness_restored();
            }
            "failover" => {
                let release = match word(3) {
                    "no" => Release::No,
                    "yes" => Release::Yes,
                    _ => Release::NotKnown,
                };
                let from = site(word(1)).expect("a site");
                let to = site(word(2)).expect("a site");
                world.operator.wants = Some((from, to, release));
            }
            "attest" => world.operator.attests = true,
            "release" => assert!(world.release(), "it cannot be released"),
            "staff" => world.operator.staffs = true,
            "show" => self.show(),
            _ => panic!("no such command: {line}"),
        }
    }

    fn take_notes(&mut self) {
        let notes = self.world.minutes.as_mut().map(mem::take).unwrap_or_default();
        let mut told = std::collections::BTreeSet::new();
        // What is tried again and again is told once.
        for note in notes.into_iter().filter(|note| told.insert(note.clone())) {
            writeln!(self.output, "{note}").expect("writing to a string does not fail");
        }
    }

    /// Asks, and waits for the answer.
    fn ask(&mut self, machine: usize, what: What, name: &str) {
        self.world.ask_there(machine, what);
        for _ in 0..60 {
            if self.world.clients[0].heard.is_some() {
                break;
            }
            self.world.pass(50);
        }
        let told = match self.world.clients[0].heard {
            Some(Reply::Done { .. }) if matches!(what, What::Read { .. }) => "is answered",
            Some(Reply::Done { both: true }) => "is done, at both sites",
            Some(Reply::Done { both: false }) => "is done, at one site",
            Some(Reply::StandbyRequired) => "is refused: it needs both sites",
            Some(Reply::Elsewhere(Some(leader))) => &format!("is refused: ask node {leader}"),
            Some(Reply::Elsewhere(None)) => "is refused",
            Some(Reply::Unknown) | None => "hears nothing",
        };
        self.world.note(format_args!("{name} {told}"));
    }

    fn show(&mut self) {
        let world = &mut self.world;
        let lines: Vec<String> = world
            .machines
            .iter()
            .map(|machine| {
                let (id, state, identity) = (machine.id, machine.state(), machine.identity);
                let what = match &machine.running {
                    _ if machine.down => "has no power".to_owned(),
                    None => format!("is stopped, having heard of {}", identity.heard),
                    Some(running) => {
                        let status = running.replica.status();
                        format!("is {:?}", status.role).to_lowercase()
                    }
                };
                let acts: Vec<u64> = state.acts.keys().copied().collect();
                format!("  node {id} of {} {what}; acts {acts:?}", identity.belongs)
            })
            .collect();
        if let Some(leader) = world.leader() {
            let running = world.machines[leader].running.as_ref().expect("it leads");
            let status = running.replica.site_status();
            let members = &world.machines[leader].state().membership;
            let held = if status.held { ", held" } else { "" };
            let line = format!(
                "node {} leads in {:?}{held}; voters {:?} learners {:?}",
                world.machines[leader].id,
                status.mode.expect("a mode"),
                members.voters,
                members.learners
            );
            world.note(format_args!("{line}"));
        }
        let cell = &world.witness.cell;
        let begun = if cell.failover.is_some() { ", failing over" } else { "" };
        let line = format!("the cell: {} at {}, {}{begun}", cell.pair, cell.active_site, cell.mode);
        world.note(format_args!("{line}"));
        for line in lines {
            world.note(format_args!("{line}"));
        }
    }
}

fn option<'a>(word: &'a str, name: &str) -> &'a str {
    word.strip_prefix(name)
        .and_then(|rest| rest.strip_prefix('='))
        .unwrap_or_else(|| panic!("{name}= is missing"))
}

fn site(word: &str) -> Option<SiteId> {
    match word {
        "main" => Some(MAIN),
        "standby" => Some(STANDBY),
        _ => None,
    }
}

fn place(word: &str) -> Place {
    match word {
        "witness" => Place::Witness,
        "console" => Place::Console,
        word => Place::Site(site(word).unwrap_or_else(|| panic!("no such place: {word}"))),
    }
}

fn node(world: &World, word: &str) -> usize {
    let id = word.parse().unwrap_or_else(|_| panic!("no node: {word}"));
    world.machine_of(id).unwrap_or_else(|| panic!("there is no node {id}"))
}
