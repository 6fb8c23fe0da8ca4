//! Stories of sites: the cell at the witness, our own sites and mode, failovers and their records.

use catalog_model::{
    document_digest::DocumentDigest,
    ids::DomainId,
    name::ResourceName,
    site::{Mode, Pair, SiteId},
    time::UtcMillis,
    witness::{Act, ActAtRisk, Approval, Cell, CellWrite, Deposit, Seal, Statement, Writer},
};

use super::{Line, World, add, domain, instant, line::list};
use crate::{
    command::{
        Body,
        sites::{Attested, Fork, ModeBasis, NodeSite, SitesCommand},
    },
    rows::sites::{DrPolicyContent, GreatestHead, SwitchoverState, SwitchoverStep},
    view::View,
};

fn number(text: &str) -> u64 {
    text.parse().expect("a number")
}

fn numbers(text: &str) -> Vec<u64> {
    list(text).iter().map(|text| number(text)).collect()
}

fn site(text: &str) -> SiteId {
    text.parse().expect("a site")
}

fn pair(text: &str) -> Pair {
    text.parse().expect("a pair")
}

fn mode(text: &str) -> Mode {
    text.parse().expect("a mode")
}

/// `50/7`
fn two(text: &str) -> (u64, u64) {
    let (one, other) = text.split_once('/').expect("two numbers");
    (number(one), number(other))
}

impl World {
    fn persons(&self, text: &str) -> Vec<ResourceName> {
        list(text).iter().map(|alias| self.named(alias)).collect()
    }

    /// `approved=x,y [act=…] [from=…] [to=…] [of_pair=…] [release=…] [expires=…]`: what persons
    /// signed, by default just what is wanted. Apply does not check signatures.
    fn approvals(
        &self,
        line: &Line,
        of: &DomainId,
        wanted: (Act, &str, &str, &str),
    ) -> Vec<Approval> {
        let (act, from, to, of_pair) = wanted;
        let statement = Statement {
            domain: of.clone(),
            act: line.get("act").map_or(act, |act| act.parse().expect("an act")),
            from: site(line.or("from", from)),
            to: site(line.or("to", to)),
            pair: pair(line.or("of_pair", of_pair)),
            expires: line.get("expires").map_or(UtcMillis(u64::MAX), instant),
            release: line.or("release", "no").parse().expect("yes, no or not-known"),
        };
        let sign = |approver| Approval {
            statement: statement.clone(),
            approver,
            signature: b"signed".to_vec(),
            certificate: b"certificate".to_vec(),
        };
        self.persons(line.or("approved", "")).into_iter().map(sign).collect()
    }

    fn cell_of(&self, witness: &str, of: &DomainId) -> Option<Cell> {
        View(&self.clusters[&domain(witness)].store).cell(of).map(|row| row.cell)
    }

    /// `cell WHAT of=xiamen …` at the witness. By a node: `node=1 at=main pair=1.1 term=5`; always
    /// `[revision=N]`. What: `register sites=main,standby mode=sync [approvers=…]`, `take`,
    /// `mode to=async`, `renew [deposit=INDEX/SIZE] [named=INDEX:alias,…]`, `switch approved=x,y`,
    /// `failover to=standby approved=x,y`, `seal end=TERM/INDEX`, `open verdict=… nodes=4,5`,
    /// `confirm`, `vouch approved=x,y`.
    pub(super) fn cell(&mut self, line: &Line) {
        let of = domain(line.value("of"));
        let here = self.domain().to_string();
        let known = self.cell_of(&here, &of);
        let writer = line.get("node").map(|node| Writer {
            node: number(node),
            site: site(line.value("at")),
            pair: pair(line.value("pair")),
            term: number(line.or("term", "5")),
        });
        let write = self.cell_write(line, &of, known.as_ref(), writer.as_ref());
        let newest = known.map_or(0, |cell| cell.revision);
        let revision = line.get("revision").map_or(newest, number);
        let by = match &writer {
            Some(writer) => format!("node:{of}:{}", writer.node),
            None => format!("{of}.manager.head"),
        };
        let before = self.output.len();
        let command = SitesCommand::WriteCell { domain: of.clone(), revision, writer, write };
        self.call(line, &by, Body::Sites(Box::new(command)));
        if self.output[before..].starts_with("done") {
            self.output.truncate(before);
            let text = self.cell_text(&of);
            self.output.push_str(&text);
        }
    }

    fn cell_write(
        &self,
        line: &Line,
        of: &DomainId,
        known: Option<&Cell>,
        writer: Option<&Writer>,
    ) -> CellWrite {
        let active = known.map_or("main", |cell| cell.active_site.as_str());
        let now = known.map_or(Pair::FIRST, |cell| cell.pair).to_string();
        let at = writer.map_or(active, |writer| writer.site.as_str());
        let wanted = |act, to| self.approvals(line, of, (act, active, to, &now));
        match line.subject() {
            "register" => CellWrite::Register {
                sites: list(line.value("sites")).iter().map(|name| site(name)).collect(),
                active: site(at),
                mode: mode(line.value("mode")),
                approvers: self.persons(line.or("approvers", "")),
                approvals: wanted(Act::Failover, at),
            },
            "take" => CellWrite::Take,
            "mode" => CellWrite::SetMode { mode: mode(line.value("to")) },
            "renew" => {
                let named: Vec<ActAtRisk> = list(line.or("named", ""))
                    .iter()
                    .map(|act| {
                        let (index, alias) = act.split_once(':').expect("INDEX:alias");
                        ActAtRisk { index: number(index), name: self.named(alias) }
                    })
                    .collect();
                let held = known.and_then(|cell| cell.deposit.as_ref());
                let acts = held.map_or(0, |held| held.acts) + named.len() as u64;
                let deposit = line.get("deposit").map(two).map(|(index, ledger_size)| {
                    let root = [u8::try_from(index % 256).expect("below 256"); 32];
                    Deposit { index, ledger_size, root, signature: b"signed".to_vec(), acts }
                });
                CellWrite::Renew { deposit, named }
            }
            "switch" => CellWrite::Switch { approvals: wanted(Act::Switchover, at) },
            "failover" => {
                let to = line.value("to");
                CellWrite::BeginFailover { to: site(to), approvals: wanted(Act::Failover, to) }
            }
            "seal" => {
                let (last_term, last_index) = two(line.value("end"));
                let writer = writer.expect("a node seals");
                let seal = Seal {
                    node: writer.node,
                    site: writer.site.clone(),
                    belonged: writer.pair,
                    last_term,
                    last_index,
                    commit: line.get("commit").map_or(last_index, number),
                };
                CellWrite::ReportSeal { seal }
            }
            "open" => CellWrite::Open {
                verdict: line.value("verdict").parse().expect("a verdict"),
                nodes: numbers(line.value("nodes")),
            },
            "confirm" => CellWrite::Confirm,
            "vouch" => {
                CellWrite::ConfirmByApproval { approvals: wanted(Act::ConfirmWitness, active) }
            }
            word => panic!("`{word}` writes no cell"),
        }
    }

    /// What a watched domain does about its own sites:
    ///
    /// `policy number=… approvers=x,y [witness=fujian]`, `sites main=1,2,3 standby=4,5 active=main
    /// [version=N]`, `mode async cell=3` or `mode async approved=x,y reason=…`, `release_acts
    /// approved=x,y reason=…`, `switchover begin to=standby approved=x,y [pause=1000]`,
    /// `switchover paused [of=1]`, `fork pair=2.2 after=1.1 at=standby verdict=… [missing="a;b"]
    /// [head=N] approved=x,y attested="…" [nodes=4,5] [witness=fujian]`, `close_window 2
    /// reason=…`, `note_cell fujian`
    pub(super) fn own_sites(&mut self, line: &Line) {
        let here = self.domain();
        let row = self.view().sites();
        let active = row.as_ref().map_or("main", |row| row.active.as_str()).to_owned();
        let now = row.map_or(Pair::FIRST, |row| row.pair).to_string();
        let manager = format!("{here}.manager.system");
        let authority = format!("{here}.authority.system");
        let (by, command) = match line.verb.as_str() {
            "policy" => {
                let policy = DrPolicyContent {
                    document_number: line.or("number", "").to_owned(),
                    digest: DocumentDigest([line.get("number").map_or(0, |_| 9); 32]),
                    approvers: self.persons(line.or("approvers", "")),
                    witness: line.get("witness").map(domain),
                };
                (authority, SitesCommand::SetPolicy { policy })
            }
            "sites" => {
                let mut sites: Vec<NodeSite> = Vec::new();
                for name in ["main", "standby", "east"] {
                    let nodes = numbers(line.or(name, ""));
                    sites.extend(nodes.into_iter().map(|node| NodeSite { node, site: site(name) }));
                }
                let newest = self.view().members().map_or(0, |members| members.version);
                let version = line.get("version").map_or(newest, number);
                let active = site(line.or("active", "main"));
                (manager, SitesCommand::SetSites { version, sites, active })
            }
            "mode" => {
                let reason = line.or("reason", "").to_owned();
                let wanted = (Act::Release, active.as_str(), active.as_str(), now.as_str());
                let basis = match line.get("cell") {
                    Some(revision) => ModeBasis::Witness { revision: number(revision) },
                    None => ModeBasis::Approvals {
                        approvals: self.approvals(line, &here, wanted),
                        reason,
                    },
                };
                ("node".to_owned(), SitesCommand::ChangeMode { mode: mode(line.subject()), basis })
            }
            "release_acts" => {
                let wanted = (Act::ReleaseActs, active.as_str(), active.as_str(), now.as_str());
                let approvals = self.approvals(line, &here, wanted);
                let reason = line.or("reason", "").to_owned();
                (manager, SitesCommand::ReleaseActs { approvals, reason })
            }
            "switchover" => self.switchover_step(line, (&active, &now)),
            "fork" => (
                "node".to_owned(),
                SitesCommand::RecordFork { fork: Box::new(self.fork(line, &active)) },
            ),
            "close_window" => {
                let generation = number(line.subject());
                let reason = line.or("reason", "").to_owned();
                (manager, SitesCommand::CloseWindow { generation, reason })
            }
            _ => {
                let cell = self.cell_of(line.subject(), &here).expect("a cell there");
                ("node".to_owned(), SitesCommand::NoteCell { cell: Box::new(cell) })
            }
        };
        self.call(line, &by, Body::Sites(Box::new(command)));
    }

    fn switchover_step(&self, line: &Line, (active, now): (&str, &str)) -> (String, SitesCommand) {
        let states = [
            SwitchoverState::Begun,
            SwitchoverState::Members,
            SwitchoverState::Paused,
            SwitchoverState::Transferred,
            SwitchoverState::CellWritten,
            SwitchoverState::Done,
            SwitchoverState::Aborted,
        ];
        if line.subject() == "begin" {
            let to = line.value("to");
            let wanted = (Act::Switchover, active, to, now);
            let step = SwitchoverStep::Begin {
                to: site(to),
                approvals: self.approvals(line, &self.domain(), wanted),
                max_pause_ms: number(line.or("pause", "1000")),
            };
            let by = format!("{}.manager.system", self.domain());
            return (by, SitesCommand::Switchover { step });
        }
        let state = states.into_iter().find(|state| state.name() == line.subject());
        let newest = self.view().switchover().map_or(1, |row| row.number);
        let number = line.get("of").map_or(newest, number);
        let step = SwitchoverStep::Reach { number, state: state.expect("a state") };
        ("node".to_owned(), SitesCommand::Switchover { step })
    }

    fn fork(&self, line: &Line, active: &str) -> Fork {
        let here = self.domain();
        let (after, at) = (line.value("after"), line.value("at"));
        let witness = line.get("witness");
        let approvals = self.approvals(line, &here, (Act::Failover, active, at, after));
        Fork {
            from: pair(after),
            pair: pair(line.value("pair")),
            site: site(at),
            verdict: line.value("verdict").parse().expect("a verdict"),
            missing: line
                .or("missing", "")
                .split(';')
                .filter(|m| !m.is_empty())
                .map(str::to_owned)
                .collect(),
            greatest_head: line
                .get("head")
                .map(|size| GreatestHead { tree_size: number(size), root: [3; 32] }),
            approvals,
            attested: Attested {
                time: instant(line.value("attested")),
                nodes: numbers(line.or("nodes", "")),
            },
            cell: witness.and_then(|witness| self.cell_of(witness, &here)).map(Box::new),
            witness: witness.map(domain),
        }
    }

    fn cell_text(&self, of: &DomainId) -> String {
        let view = self.view();
        let Some(row) = view.cell(of) else { return format!("no cell for {of}\n") };
        let cell = row.cell;
        let generation = view.cluster().expect("a cluster").generation;
        let mut text = String::new();
        let unconfirmed = if cell.is_confirmed(generation) { "" } else { ", UNCONFIRMED" };
        add(
            &mut text,
            format_args!(
                "cell r{} of {of}: {} at {}, {}, term {} by node {}{unconfirmed}",
                cell.revision, cell.pair, cell.active_site, cell.mode, cell.term, cell.by
            ),
        );
        if let Some(lease) = cell.lease {
            let (length, term) = (lease.length_ms, lease.term);
            add(&mut text, format_args!("  lease of {length} ms for term {term}"));
        }
        if let Some(deposit) = &cell.deposit {
            let (index, size, acts) = (deposit.index, deposit.ledger_size, deposit.acts);
            add(&mut text, format_args!("  deposit to {index}, {size} records, {acts} acts named"));
        }
        if let Some(failover) = &cell.failover {
            let found = &failover.found;
            add(
                &mut text,
                format_args!(
                    "  failover in progress, found {} at {}, {}, wait {} ms, at best {}",
                    found.pair,
                    found.site,
                    found.mode,
                    found.wait_ms(),
                    failover.best_verdict().name()
                ),
            );
            for seal in &failover.seals {
                let (node, term, index) = (seal.node, seal.last_term, seal.last_index);
                add(&mut text, format_args!("  node {node} sealed at {term}/{index}"));
            }
        }
        if let Some(opened) = &cell.opened {
            let (pair, nodes) = (opened.pair, &opened.nodes);
            let verdict = opened.verdict.name();
            add(&mut text, format_args!("  opened {pair} with {nodes:?}: {verdict}"));
        }
        text
    }

    /// `show sites|forks|switchover`, `show cell|acts DOMAIN`, `show one_site N`
    pub(super) fn sites_text(&self, line: &Line) -> String {
        let view = self.view();
        let mut text = String::new();
        match line.subject() {
            "cell" => return self.cell_text(&domain(&line.subjects[1])),
            "acts" => {
                for act in view.acts_at_risk(&domain(&line.subjects[1]), 0, 100) {
                    add(&mut text, format_args!("at {}: {}", act.index, act.name));
                }
            }
            "one_site" => {
                let alone = view.one_site(number(&line.subjects[1]));
                add(&mut text, format_args!("{}", if alone { "one site" } else { "both sites" }));
            }
            "switchover" => {
                let row = view.switchover().expect("a switchover");
                let steps: Vec<&str> = row.steps.iter().map(|step| step.state.name()).collect();
                let (number, from, to) = (row.number, &row.from, &row.to);
                let steps = steps.join(", ");
                add(&mut text, format_args!("switchover {number} from {from} to {to}: {steps}"));
            }
            "forks" => {
                for row in view.forks() {
                    let closed = if row.window_closed.is_some() { "" } else { ", window open" };
                    let outage =
                        row.outage.map_or_else(String::new, |number| format!(", outage {number}"));
                    add(
                        &mut text,
                        format_args!(
                            "{} leaves {} after {} records at {}: {}, {} records lost{outage}{closed}",
                            row.pair,
                            row.from,
                            row.tree_size,
                            row.site,
                            row.verdict.name(),
                            row.records_lost()
                        ),
                    );
                }
            }
            _ => match view.sites() {
                None => add(&mut text, format_args!("one site")),
                Some(row) => {
                    let released = if row.acts_released { ", graded acts released" } else { "" };
                    let alone = if row.without_witness { ", without witness" } else { "" };
                    add(
                        &mut text,
                        format_args!(
                            "{} at {}, {}{alone}{released}",
                            row.pair, row.active, row.mode
                        ),
                    );
                }
            },
        }
        if text.is_empty() { "none\n".to_owned() } else { text }
    }
}
