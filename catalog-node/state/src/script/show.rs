//! What a story shows of a catalog.

use catalog_model::{
    catalog_entry::CatalogEntry,
    grant::Grant,
    name::{Resource, ResourceName},
    reason::Lang,
    share_request::{Answer, ShareRequest},
};

use super::{
    Line, World, add,
    grants::{course_text, service_change_text},
};
use crate::{
    codec,
    keys::{Key, Table},
    ledger::Ledger,
    rows::{ConsentKind, DeadlineRow},
    store::Store as _,
};

impl World {
    /// `show case1`, `show plates`, `show case1.grant`, `show deadlines|catalog|counters|gaps`,
    /// `show members|level|outages`, `show probe k`, `show ledger case1|domain`,
    /// `show records|heads|cosignatures|segments`, `show payload N`, `show against DOMAIN`,
    /// `show archive N`, `show sites|forks|switchover`, `show cell|acts DOMAIN`,
    /// `show one_site LOG_POSITION`
    pub(super) fn show(&mut self, line: &Line) {
        let text = match line.subject() {
            "deadlines" => self.deadlines(),
            "members" => self.members_text(),
            "outages" => self.outages(),
            "probe" => self.probe_text(&line.subjects[1]),
            "sites" | "cell" | "acts" | "forks" | "switchover" | "one_site" => {
                self.sites_text(line)
            }
            "level" => format!("level {}\n", self.view().level()),
            "catalog" => self.catalog(),
            // Relations and quality.
            "orphans" => self.orphans(line),
            "owners" => self.owners(),
            "source" => self.source_text(line),
            "duties" => self.duties_text(line),
            "trace" => self.trace_text(line),
            "scores" => self.scores_text(line),
            "counters" => {
                let counters = self.view().counters();
                format!(
                    "listed {}, open {}, overdue {}\n",
                    counters.listed_entries, counters.open_requests, counters.overdue_requests
                )
            }
            "ledger" if line.subjects[1] == "domain" => self.ledger(&self.domain_name()),
            "ledger" => self.ledger(&self.named(&line.subjects[1])),
            "punctuality" => self.punctuality_text(line),
            "heads" => self.heads_text(),
            "cosignatures" => self.cosignatures_text(),
            "segments" => self.segments_text(),
            "payload" => self.payload_text(&line.subjects[1]),
            "against" => self.against_text(&line.subjects[1]),
            "archive" => self.archive_text(&line.subjects[1]),
            "records" => self.records_text(),
            "gaps" => {
                let id = self.entry_id(&line.subjects[1]);
                let entry = self.view().entry(&self.domain(), id).expect("an entry");
                format!("{}\n", entry.gaps().join(", "))
            }
            "versions" | "diff" | "worklist" | "pass" | "owed" | "file" | "warnings" => {
                self.life_shown(line)
            }
            alias => self.resource(&self.named(alias)),
        };
        self.output.push_str(&text);
    }

    /// One line on a resource, as a call leaves it.
    pub(super) fn status_of(&self, name: &ResourceName) -> String {
        let view = self.view();
        match &name.resource {
            Resource::Entry(id) => match view.entry(&name.domain, *id) {
                Some(entry) => format!("{id} is {:?} at v{}", entry.state, entry.version),
                None => format!("{id} is not on file"),
            },
            Resource::Request(id) => match view.request(&name.domain, *id) {
                Some(case) => {
                    let due = case.answer_clock.as_ref().filter(|_| case.state.is_open());
                    let due =
                        due.map_or_else(String::new, |clock| format!(", due {}", clock.due_date));
                    format!("{id} is {:?} at v{}{due}", case.state, case.version)
                }
                None => format!("{id} is not on file"),
            },
            Resource::Grant(id) => match view.grant(&name.domain, *id) {
                Some(grant) => format!("{id} is {:?} at v{}", grant.state, grant.version),
                None => format!("{id} is not on file"),
            },
            Resource::Organization(id) => {
                let organization = view.organization(&name.domain, *id);
                let verified = organization.is_some_and(|organization| organization.verified);
                format!("{id} is on file, {}", if verified { "verified" } else { "unverified" })
            }
            Resource::ServiceChange(id) => match self.service_change_row(name) {
                Some(change) => format!("{id} is {:?} at v{}", change.state, change.version),
                None => format!("{id} is not on file"),
            },
            Resource::Dispute(id) => {
                let dispute = view.dispute(&name.domain, *id).expect("a dispute known here");
                format!("{id} is {:?} at v{}", dispute.state, dispute.version)
            }
            Resource::Demand(id) => {
                let demand = view.demand(&name.domain, *id).expect("a demand known here");
                format!("{id} is {:?} at v{}", demand.state, demand.version)
            }
            // Relations and quality.
            Resource::Objection(_)
            | Resource::FunctionTransfer(_)
            | Resource::ErrorReport(_)
            | Resource::Dataset(_)
            | Resource::Purchase(_)
            | Resource::Emergency(_)
            | Resource::PersonalObjection(_)
            | Resource::Contract(_)
            | Resource::Project(_) => self.relation_status(name),
            Resource::Webhook(id) => self.webhook_status(*id),
            _ => format!("done {name}"),
        }
    }

    fn resource(&self, name: &ResourceName) -> String {
        let view = self.view();
        match &name.resource {
            Resource::Entry(id) => {
                let mut text = String::new();
                if let Some(entry) = view.entry(&name.domain, *id) {
                    add(&mut text, format_args!("{}", entry_text(&entry, "working")));
                }
                match view.published_entry(&name.domain, *id) {
                    Some(entry) => add(&mut text, format_args!("{}", entry_text(&entry, "listed"))),
                    None => add(&mut text, format_args!("not listed here")),
                }
                text
            }
            Resource::Request(id) => match view.request(&name.domain, *id) {
                Some(case) => self.case_text(&case),
                None => "not known here\n".to_owned(),
            },
            Resource::Grant(id) => match view.grant(&name.domain, *id) {
                Some(grant) => grant_text(&grant),
                None => "not known here\n".to_owned(),
            },
            Resource::ServiceChange(_) => match self.service_change_row(name) {
                Some(change) => service_change_text(&change),
                None => "not known here\n".to_owned(),
            },
            Resource::Dispute(_) | Resource::Demand(_) => self.matter_text(name),
            // Relations and quality.
            Resource::Objection(_)
            | Resource::FunctionTransfer(_)
            | Resource::ErrorReport(_)
            | Resource::Dataset(_)
            | Resource::Purchase(_)
            | Resource::Emergency(_)
            | Resource::PersonalObjection(_)
            | Resource::Contract(_)
            | Resource::Project(_) => self.relation_text(name),
            other => panic!("{other:?} is not shown in stories"),
        }
    }

    fn case_text(&self, case: &ShareRequest) -> String {
        let mut text = String::new();
        add(
            &mut text,
            format_args!(
                "case {} of {} for {} ({}): {:?} at v{}",
                case.case_number,
                case.requester.name,
                case.entry_title,
                case.sharing,
                case.state,
                case.version,
            ),
        );
        if let Some(rules) = &case.rules {
            add(
                &mut text,
                format_args!(
                    "  {}: {:?} decides ({}), {:?} owes the answer",
                    rules.scope,
                    rules.decider,
                    rules.decider_rule.cite(Lang::En),
                    rules.debtor,
                ),
            );
        }
        if let Some(received) = case.received_time {
            add(&mut text, format_args!("  received {received}"));
        }
        if let Some(clock) = &case.answer_clock {
            let provisional = if clock.provisional { ", provisional" } else { "" };
            add(
                &mut text,
                format_args!(
                    "  due {}: {} working days + {} extended + {} stood still{provisional} ({})",
                    clock.due_date,
                    clock.length.0,
                    clock.extended.0,
                    clock.suspended.0,
                    clock.rule.cite(Lang::En),
                ),
            );
        }
        for opinion in &case.opinions {
            let side = if opinion.in_favor { "for" } else { "against" };
            add(&mut text, format_args!("  {} is {side}: {}", opinion.by.name, opinion.text));
        }
        if let Some(asked) = &case.completion {
            let suspends = if asked.suspends { "the clock stands still" } else { "the clock runs" };
            add(&mut text, format_args!("  missing {}; {suspends}", asked.missing.join("; ")));
        }
        if let Some(mark) = &case.overdue {
            let ordered: Vec<_> = mark.ordered.iter().map(|party| party.name.as_str()).collect();
            let above = mark.escalated_party.as_ref().map_or("nobody on file", |party| &party.name);
            add(
                &mut text,
                format_args!(
                    "  overdue since {}: order to {}, escalated to {above}",
                    mark.due_time,
                    ordered.join(" and "),
                ),
            );
        }
        if let Some(given) = &case.answer {
            let what = match &given.answer {
                Answer::Agreed => "agreed".to_owned(),
                Answer::AgreedInPart { items, reason } => {
                    format!("agreed to {}, because {reason}", items.join(", "))
                }
                Answer::Refused { ground, reason } => format!("refused [{ground}]: {reason}"),
            };
            let late = if given.late { ", late" } else { "" };
            let standing = if given.standing { ", at once" } else { "" };
            let rule = given.rule.as_ref().map_or_else(String::new, |rule| rule.cite(Lang::En));
            add(
                &mut text,
                format_args!(
                    "  {} {what} on {}{late}{standing} ({rule})",
                    given.by.name, given.given_time,
                ),
            );
        }
        if case.hops.len() > 1 {
            let hops: Vec<_> = case.hops.iter().map(|hop| hop.domain.as_str()).collect();
            add(&mut text, format_args!("  came by {}", hops.join(", ")));
        }
        let name = crate::apply::requests::name(case);
        if let Some(consent) = self.view().consent(ConsentKind::Request, &name) {
            let how = match (&consent.paper, consent.asserted_by) {
                (Some(_), _) => "on paper",
                (None, Some(_)) => "as its system says",
                (None, None) => "in person",
            };
            add(&mut text, format_args!("  the asker's head {} consents {how}", consent.person));
        }
        text.push_str(&self.file_text(case));
        text
    }

    fn deadlines(&self) -> String {
        let mut text = String::new();
        for row in self.decoded::<DeadlineRow>(Table::Deadline) {
            let fired = if row.fired_revision == Some(row.revision) { ", fired" } else { "" };
            add(
                &mut text,
                format_args!("{} {:?} by {}{fired}", row.subject, row.kind, row.due_time),
            );
        }
        if text.is_empty() { "no deadlines\n".to_owned() } else { text }
    }

    fn catalog(&self) -> String {
        let mut text = String::new();
        for entry in self.decoded::<CatalogEntry>(Table::PublishedEntry) {
            add(&mut text, format_args!("{} of {}", entry_text(&entry, "listed"), entry.domain));
        }
        if text.is_empty() { "nothing is listed\n".to_owned() } else { text }
    }

    pub(super) fn decoded<T: for<'b> minicbor::Decode<'b, ()>>(&self, table: Table) -> Vec<T> {
        let prefix = Key::table(table);
        let store = &self.clusters[&self.domain()].store;
        store
            .range(prefix.as_slice(), &prefix.end())
            .map(|(_, bytes)| codec::decode(&bytes).expect("rows are ours"))
            .collect()
    }

    /// The facts on record about a thing, with their rules and who caused them.
    fn ledger(&self, subject: &ResourceName) -> String {
        let ledger = Ledger(&self.clusters[&self.domain()].store);
        let mut text = String::new();
        for sequence in ledger.of_subject(subject) {
            let record = ledger.record(sequence).expect("an indexed record exists");
            let fact = format!("{:?}", record.fact);
            let kind = fact.split([' ', '{']).next().unwrap_or_default();
            let told = Self::life_fact(&record.fact).or_else(|| self.relation_fact(&record.fact));
            let kind = told.unwrap_or_else(|| kind.to_owned());
            let rule =
                record.rule.map_or_else(String::new, |rule| format!(" ({})", rule.cite(Lang::En)));
            let labels: Vec<_> =
                record.digests.iter().map(|digest| digest.label.as_str()).collect();
            let digests = if labels.is_empty() {
                String::new()
            } else {
                format!(", digests of {}", labels.join(", "))
            };
            let what = super::law::told(&record.fact);
            add(&mut text, format_args!("{kind}{what} by {}{rule}{digests}", record.actor));
        }
        if text.is_empty() { "nothing on record\n".to_owned() } else { text }
    }
}

pub(super) fn entry_text(entry: &CatalogEntry, row: &str) -> String {
    let sharing = entry.content.sharing.as_ref().map(|sharing| sharing.kind().to_string());
    let items: Vec<_> = entry.content.items.iter().map(|item| item.name.as_str()).collect();
    format!(
        "{row} {} \"{}\" v{} {:?}, {}, items {}",
        entry.id,
        entry.content.title,
        entry.version,
        entry.state,
        sharing.as_deref().unwrap_or("no attribute"),
        if items.is_empty() { "none".to_owned() } else { items.join("/") },
    )
}

fn grant_text(grant: &Grant) -> String {
    let mut text = String::new();
    let rule = grant.rule.as_ref().map_or_else(String::new, |rule| rule.cite(Lang::En));
    add(
        &mut text,
        format_args!(
            "{:?} to {}: {} of {} v{}, {} to {}, for \"{}\" ({rule})",
            grant.state,
            grant.consumer.name,
            grant.items.join("/"),
            grant.entry,
            grant.entry_version,
            grant.term.from,
            grant.term.to,
            grant.scenario,
        ),
    );
    if let Some(stopped) = &grant.suspension {
        add(
            &mut text,
            format_args!("  suspended: {}, to rectify by {}", stopped.reason, stopped.rectify_by),
        );
    }
    course_text(grant, &mut text);
    text
}
