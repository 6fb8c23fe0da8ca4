//! Stories in `testdata/*.txt`: what was done to one or more catalogs, what came of it, why that
//! is right.
//!
//! A story is a list of steps. A step is some commands, a line of four dashes and what they
//! showed; an empty line ends it, `#` begins a comment. `REWRITE=1 cargo test` writes what is
//! shown now into the files, to be read before it is kept. After every command the invariants are
//! checked, `replay` checks them over the whole history; one that does not hold is shown in the
//! story.
//!
//! Whatever a line names (`plates`, `police.head`) gets an id in the order of appearance, and is
//! shown by that name. The form of each command stands with its function.

mod cases;
mod catalog_law;
mod drills;
mod entries;
mod federation;
mod grants;
mod law;
mod line;
mod members;
mod proof;
mod requests;
mod setup;
mod show;
mod sites;
mod work;
// Relations and quality.
mod quality;
mod relations;

use std::{collections::BTreeMap, fmt::Write as _};

use catalog_model::{
    caller::{Caller, Identity},
    ids::{DomainId, EntryId, GrantId, OrganizationId, PersonId, RequestId, SystemId},
    name::{Resource, ResourceName},
    reason::Lang,
    time::{LocalDate, UtcMillis},
};

use crate::{
    command::{Body, Command},
    invariants,
    machine::{Machine, Session, state_hash},
    outcome::{ImportResult, Outcome},
    store::MemStore,
    view::View,
};
use line::Line;

/// One catalog of a story.
#[derive(Debug)]
struct Cluster {
    machine: Machine,
    store: MemStore,
    index: u64,
    /// The log, for a second machine that applies it again.
    log: Vec<Vec<u8>>,
    /// What was found good of the histories that only grow.
    watch: invariants::Watch,
}

/// Everything in a story.
#[derive(Debug, Default)]
pub struct World {
    clusters: BTreeMap<DomainId, Cluster>,
    /// Where the next command happens.
    here: Option<DomainId>,
    /// The proposers' clock.
    now: UtcMillis,
    caller: Option<Caller>,
    names: BTreeMap<String, ResourceName>,
    drawn: u128,
    output: String,
    /// Rules that are missing in the pack of every cluster of this world.
    off: Vec<String>,
}

impl World {
    /// Plays a story and returns it with what it shows now.
    pub fn play(story: &str) -> String {
        Self::default().tell(story)
    }

    /// Plays a story in this world and returns it with what it shows now.
    fn tell(&mut self, story: &str) -> String {
        let mut told = String::new();
        let mut within_shown = false;
        for line in story.lines() {
            if within_shown && !line.is_empty() {
                continue;
            }
            within_shown = false;
            told.push_str(line);
            told.push('\n');
            if line == "----" {
                told.push_str(&self.take_output());
                within_shown = true;
            } else if !line.is_empty() && !line.starts_with('#') {
                self.run(line);
            }
        }
        told
    }

    /// Runs one line.
    pub fn run(&mut self, text: &str) {
        let line = Line::parse(text);
        match line.verb.as_str() {
            "cluster" => self.cluster(&line),
            "on" => self.here = Some(domain(line.subject())),
            "at" => self.now = instant(&line.subjects.join(" ")),
            "organization" => self.organization(&line),
            "verify" => self.verify(&line),
            "restart" => self.here().machine = Machine::new(),
            "advance" => self.advance(&line),

            "register" => self.register(&line),
            "update" => self.update(&line),
            "submit" | "publish" => self.move_entry(&line),
            "return" | "take_out" => self.end_entry(&line),
            "listed" => self.listed(&line),
            "import" => self.import(&line),
            "consent" => self.consent(&line),

            "request" => self.request(&line),
            "missing" | "completed" => self.complete(&line),
            "opinion" => self.opinion(&line),
            "answer" => self.answer(&line),
            "extend" => self.extend(&line),
            "withdraw" => self.withdraw(&line),
            "suspend" | "terminate" => self.stop_grant(&line),

            "offer" | "retrieved" | "acknowledge" | "misused" | "rectified" | "judge"
            | "purpose_ended" | "require_disposal" | "disposed" | "wider" | "agreement" => {
                self.grant_act(&line);
            }
            "used" | "purge" => self.use_record(&line),
            "change_service" | "states" | "negotiated" | "filed" | "effect" | "abandon" => {
                self.service_change(&line);
            }
            "may_use" => self.may_use(&line),
            "inspect" => self.inspect(&line),
            "agreement_of" => self.agreement_of(&line),

            "deliver" => self.deliver(&line),
            "follow" => self.follow(&line),

            "member" => self.member(&line),
            "raise" => self.raise(&line),
            "outage" => self.outage(&line),

            "change" | "more_time" | "updated" | "review" | "reclassify" | "rule_on"
            | "take_off" | "put_back" | "archive" | "important" | "person" | "secret" => {
                self.life(&line);
            }

            "load_rules" | "load_calendar" | "ruling" | "withdraw_ruling" | "closure"
            | "open_again" | "platform_outage" | "rule_outage" | "law" | "explain" | "what_if" => {
                self.law(&line);
            }

            "ask_opinion" | "propose" | "consent_to" | "deny" | "claim" | "rule" | "separation"
            | "mixed" | "window" | "dispute" | "position" | "minutes" | "coordinate" | "decide"
            | "demand" | "pre_review" | "route" | "confirm" | "contest" | "supply" | "close" => {
                self.case_life(&line);
            }
            // Relations and quality.
            "dataset" => self.dataset(&line),
            "many" => self.many(&line),
            "bind" | "unbind" => self.bind(&line),
            "delete" => self.delete(&line),
            "duties" => self.duties(&line),
            "source" => self.source(&line),
            "collect" => self.collect(&line),
            "transfer" => self.transfer(&line),
            "objection" => self.objection(&line),
            "emergency" => self.emergency(&line),
            "purchase" => self.purchase(&line),
            "contract" => self.contract(&line),
            "acquired" => self.acquired(&line),
            "project" => self.project(&line),
            "platform" => self.platform(&line),
            "batch" => self.batch(&line),
            "error_report" => self.error_report(&line),
            "complaint" => self.complaint(&line),

            "probe" => self.probe(&line),
            "drill" => self.drill(&line),

            "head" => self.head(&line),
            "fork_head" => self.fork_head(&line),
            "lose" => self.lose(&line),
            "cosign" => self.cosign(&line),
            "seal" | "erase" | "purge_payloads" => self.keep(&line),
            "work" => self.work(&line),
            "policy" | "sites" | "mode" | "release_acts" | "switchover" | "fork"
            | "close_window" | "note_cell" => self.own_sites(&line),
            "cell" => self.cell(&line),
            "notices" => self.notices(&line),
            "acked" | "webhook" | "unhook" | "delivered" => self.hear(&line),
            "precedents" => self.precedents(&line),
            "statistics" => self.statistics(&line),
            "show" => self.show(&line),
            "replay" => self.replay(),
            verb => panic!("`{verb}` is no command of a story"),
        }
        line.check_all_used();
    }

    /// The catalog of a domain, as the story leaves it.
    pub fn into_store(mut self, of: &str) -> MemStore {
        self.clusters.remove(&domain(of)).expect("a cluster of the story").store
    }

    /// The store of a cluster as it is now; `None` before it was created.
    pub fn store(&self, of: &str) -> Option<&MemStore> {
        self.clusters.get(&domain(of)).map(|cluster| &cluster.store)
    }

    /// What was shown since the last call.
    fn take_output(&mut self) -> String {
        let mut output = std::mem::take(&mut self.output);
        for (alias, name) in &self.names {
            let id = match &name.resource {
                Resource::Entry(id) => id.to_string(),
                Resource::Request(id) => id.to_string(),
                Resource::Grant(id) => id.to_string(),
                Resource::Organization(id) => id.to_string(),
                Resource::Person(_, id) => id.to_string(),
                Resource::System(_, id) => id.to_string(),
                Resource::ServiceChange(id) => id.to_string(),
                Resource::Ruling(id) => id.to_string(),
                Resource::Dispute(id) => id.to_string(),
                Resource::Demand(id) => id.to_string(),
                Resource::Domain => continue,
                // Relations and quality.
                Resource::Objection(id) => id.to_string(),
                Resource::FunctionTransfer(id) => id.to_string(),
                Resource::ErrorReport(id) => id.to_string(),
                Resource::Dataset(id) => id.to_string(),
                Resource::Purchase(id) => id.to_string(),
                Resource::Emergency(id) => id.to_string(),
                Resource::PersonalObjection(id) => id.to_string(),
                Resource::Contract(id) => id.to_string(),
                Resource::Project(id) => id.to_string(),
                Resource::Webhook(id) => id.to_string(),
                Resource::Drill(id) => id.to_string(),
            };
            output = output.replace(&id, alias);
        }
        output
    }

    fn say(&mut self, text: impl AsRef<str>) {
        self.output.push_str(text.as_ref());
        self.output.push('\n');
    }

    fn domain(&self) -> DomainId {
        self.here.clone().expect("a story begins with a cluster")
    }

    fn here(&mut self) -> &mut Cluster {
        let here = self.domain();
        self.clusters.get_mut(&here).expect("a cluster of the story")
    }

    fn view(&self) -> View<'_> {
        View(&self.clusters[&self.domain()].store)
    }

    /// Sixteen bytes that no other thing of the story has.
    fn draw(&mut self) -> [u8; 16] {
        self.drawn += 1;
        self.drawn.to_be_bytes()
    }

    fn name(&mut self, alias: &str, resource: Resource) -> ResourceName {
        let name = ResourceName::new(self.domain(), resource);
        let twice = self.names.insert(alias.to_owned(), name.clone());
        assert!(twice.is_none(), "`{alias}` is named twice");
        name
    }

    fn named(&self, alias: &str) -> ResourceName {
        self.names.get(alias).unwrap_or_else(|| panic!("nothing is named `{alias}`")).clone()
    }

    fn organization_id(&self, alias: &str) -> OrganizationId {
        match self.named(alias).resource {
            Resource::Organization(id) => id,
            other => panic!("`{alias}` is {other:?}"),
        }
    }

    fn person_id(&self, alias: &str) -> PersonId {
        match self.named(alias).resource {
            Resource::Person(_, id) => id,
            other => panic!("`{alias}` is {other:?}"),
        }
    }

    fn system_id(&self, alias: &str) -> SystemId {
        match self.named(alias).resource {
            Resource::System(_, id) => id,
            other => panic!("`{alias}` is {other:?}"),
        }
    }

    fn entry_id(&self, alias: &str) -> EntryId {
        match self.named(alias).resource {
            Resource::Entry(id) => id,
            other => panic!("`{alias}` is {other:?}"),
        }
    }

    /// The caller that `by=` names: a person, a system, `system:person` for a person whom a
    /// system asserts, `gateway:DOMAIN`, `node` or `node:DOMAIN:2`.
    fn caller(&self, by: &str) -> Caller {
        if by == "node" {
            let identity = Identity::Node { id: "1".to_owned() };
            return Caller { domain: self.domain(), identity };
        }
        if let Some((of, id)) = by.strip_prefix("node:").and_then(|node| node.split_once(':')) {
            let identity = Identity::Node { id: id.to_owned() };
            return Caller { domain: domain(of), identity };
        }
        if let Some(gateway) = by.strip_prefix("gateway:") {
            let identity = Identity::Gateway { id: "1".to_owned() };
            return Caller { domain: domain(gateway), identity };
        }
        let (caller, asserted) = match by.split_once(':') {
            Some((system, person)) => (system, Some(self.person_id(person))),
            None => (by, None),
        };
        let name = self.named(caller);
        let identity = match name.resource {
            Resource::Person(organization, person) => Identity::Person { organization, person },
            Resource::System(organization, system) => {
                Identity::System { organization, system, asserted_person: asserted }
            }
            other => panic!("`{by}` is {other:?}, which does not call"),
        };
        Caller { domain: name.domain, identity }
    }

    /// Commits a command as the line's `by=` and shows what came of it.
    fn call(&mut self, line: &Line, otherwise: &str, body: Body) -> Outcome {
        self.caller = Some(self.caller(line.or("by", otherwise)));
        let received = line.get("received").map(instant);
        let request_id = line.get("request_id").map(str::to_owned);
        // The digest of the call as a gateway received it: here of the line's own words.
        let digest = line.or("call", "").to_owned();
        let outcome = self.commit(body, received, request_id, &digest);
        let shown = self.shown(&outcome);
        self.say(shown);
        outcome
    }

    fn commit(
        &mut self,
        body: Body,
        received_at: Option<UtcMillis>,
        request_id: Option<String>,
        call: &str,
    ) -> Outcome {
        let command = Command {
            level: body.level(),
            stamped_at: self.now,
            received_at,
            caller: self.caller.clone().expect("a command has a caller"),
            request_id,
            call_digest: sha2::Digest::finalize(<sha2::Sha256 as sha2::Digest>::new_with_prefix(
                call,
            ))
            .into(),
            salt: [7; 16],
            body,
        };
        let bytes = command.encode();
        let cluster = self.here();
        cluster.index += 1;
        cluster.log.push(bytes.clone());
        let mut session = Session::new(&cluster.store);
        let applied = cluster
            .machine
            .apply(&mut session, cluster.index, &bytes)
            .unwrap_or_else(|error| panic!("{error}: {:?}", std::error::Error::source(&error)));
        let writes = session.into_writes();
        cluster.store.write(writes.clone());
        let mut found =
            invariants::check_changes(&mut cluster.watch.clone(), &cluster.store, &writes);
        found.extend(invariants::check_on(&mut cluster.watch, &cluster.store));
        for violation in found {
            let text = format!("VIOLATED {}: {}", violation.invariant, violation.detail);
            self.say(text);
        }
        applied.outcome
    }

    fn shown(&self, outcome: &Outcome) -> String {
        match outcome {
            Outcome::Done(None) => "done".to_owned(),
            Outcome::Done(Some(name)) => self.status_of(name),
            Outcome::Refused(refusal) => {
                format!("refused {}: {}", refusal.reason, refusal.text(Lang::En))
            }
            Outcome::Imported(results) => {
                let each = results.iter().map(|result| match result {
                    ImportResult::Accepted(id) => format!("accepted {id}"),
                    ImportResult::Duplicate(id) => format!("duplicate of {id}"),
                    ImportResult::Refused(refusal) => {
                        format!("refused {}: {}", refusal.reason, refusal.text(Lang::En))
                    }
                });
                each.collect::<Vec<_>>().join("\n")
            }
            Outcome::ClockAdvanced { fired, more } => {
                let more = if *more { ", more are due" } else { "" };
                format!("it is {}, {fired} fired{more}", self.view().clock())
            }
            Outcome::Probe { done, .. } => format!("probe wrote: {done}"),
            Outcome::MembersChanged { version } => format!("the members are at v{version}"),
        }
    }

    /// Applies the whole log again: on a machine that is restarted between any two commands, and
    /// on one that applies it in batches of three and in one. All must come to the same state
    /// (issue 3 §3).
    fn replay(&mut self) {
        let cluster = self.here();
        let expected = state_hash(&cluster.store);
        for batch in [1, 3, usize::MAX] {
            let mut store = MemStore::default();
            let mut machine = Machine::new();
            let mut index = 0;
            for commands in cluster.log.chunks(batch) {
                if batch == 1 {
                    machine = Machine::new();
                }
                let mut session = Session::new(&store);
                for bytes in commands {
                    index += 1;
                    machine.apply(&mut session, index, bytes).expect("it was applied before");
                }
                let writes = session.into_writes();
                store.write(writes);
            }
            assert_eq!(state_hash(&store), expected, "batches of {batch}");
            assert_eq!(store, cluster.store, "batches of {batch}");
        }
        for violation in invariants::check(&self.here().store) {
            self.say(format!("VIOLATED {}: {}", violation.invariant, violation.detail));
        }
        self.say("the same log gives the same state");
    }

    fn probe(&mut self, line: &Line) {
        let key = line.subject().as_bytes().to_vec();
        let value = line.value("value").as_bytes().to_vec();
        let body = match line.get("expected") {
            None => Body::ProbePut { key, value },
            Some(expected) => Body::ProbeCompareAndSet {
                key,
                expected: (!expected.is_empty()).then(|| expected.as_bytes().to_vec().into()),
                value,
            },
        };
        self.call(line, "node", body);
    }
}

fn domain(text: &str) -> DomainId {
    text.parse().expect("a domain id")
}

/// `2026-09-21 09:00` in Asia/Shanghai.
fn instant(text: &str) -> UtcMillis {
    let (date, time) = text.split_once(' ').unwrap_or((text, "00:00"));
    let day: LocalDate = date.parse().expect("a date");
    let mut parts = time.split(':').map(|part| part.parse::<u64>().expect("a time"));
    let (hours, minutes) = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    day.start().plus((hours * 60 + minutes) * 60_000 + parts.next().unwrap_or(0) * 1_000)
}

fn grant_id(bytes: [u8; 16]) -> GrantId {
    GrantId::from_bytes(bytes)
}

fn request_id(bytes: [u8; 16]) -> RequestId {
    RequestId::from_bytes(bytes)
}

/// Adds a line to a text.
fn add(text: &mut String, line: std::fmt::Arguments<'_>) {
    let _ = text.write_fmt(line);
    text.push('\n');
}

#[cfg(test)]
mod tests;
