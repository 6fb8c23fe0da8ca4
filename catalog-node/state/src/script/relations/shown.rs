//! What a story shows of that which ties entries together.

use catalog_model::{
    acquisition::Acquisition,
    name::{Resource, ResourceName},
    time::LocalDate,
};

use super::{Line, World, add, date, word_of};
use crate::ledger::Fact;

impl World {
    /// One line on a thing of these groups, as a call leaves it.
    pub(in crate::script) fn relation_status(&self, name: &ResourceName) -> String {
        let (view, domain) = (self.view(), &name.domain);
        let told = match &name.resource {
            Resource::Dataset(id) => view.dataset(domain, *id).map(|row| {
                let (entries, systems) = (row.entries.len(), row.systems.len());
                let links = format!("{entries} links to entries and {systems} to systems");
                (format!("{id} has {links}"), row.version)
            }),
            Resource::FunctionTransfer(id) => view.transfer(domain, *id).map(|row| {
                let moved = format!("{} of {} entries moved", row.moved, row.entries.len());
                (format!("{id} is {}, {moved}", word_of(row.state)), row.version)
            }),
            Resource::Objection(id) => view
                .objection(domain, *id)
                .map(|row| (format!("{id} is {}", word_of(row.state)), row.version)),
            Resource::Emergency(id) => view
                .emergency(domain, *id)
                .map(|row| (format!("{id} is {}", word_of(row.state)), row.version)),
            Resource::Purchase(id) => view.purchase(domain, *id).map(|row| {
                let found = match row.found.len() {
                    0 => String::new(),
                    n => format!(", {n} entries share such items"),
                };
                (format!("{id} is {}{found}", word_of(row.state)), row.version)
            }),
            Resource::Contract(id) => view
                .contract(domain, *id)
                .map(|row| (format!("{id} is {}", word_of(row.state)), row.version)),
            Resource::Project(id) => view.project(domain, *id).map(|row| {
                let state = if row.accepted_time.is_some() { "accepted" } else { "at work" };
                (format!("{id} is {state}, {} assets", row.assets.len()), row.version)
            }),
            _ => return self.quality_status(name),
        };
        match told {
            Some((text, version)) => format!("{text}, at v{version}"),
            None => format!("{name} is not on file"),
        }
    }

    /// `show vehicles`, `show o` …: what is on record of such a thing.
    pub(in crate::script) fn relation_text(&self, name: &ResourceName) -> String {
        let (view, domain) = (self.view(), &name.domain);
        let mut text = self.relation_status(name);
        text.push('\n');
        let end = |until: Option<LocalDate>| {
            until.map_or_else(String::new, |until| format!(" to {until}"))
        };
        match &name.resource {
            Resource::Dataset(id) => {
                let Some(row) = view.dataset(domain, *id) else { return text };
                for link in &row.entries {
                    let (from, until) = (link.period.from, end(link.period.until));
                    add(
                        &mut text,
                        format_args!("  described by {} from {from}{until}", link.entry),
                    );
                }
                for link in &row.systems {
                    let (from, until) = (link.period.from, end(link.period.until));
                    add(&mut text, format_args!("  lies in {} from {from}{until}", link.system));
                }
            }
            Resource::Objection(id) => {
                let Some(row) = view.objection(domain, *id) else { return text };
                let cited = row.rule.cite(catalog_model::reason::Lang::En);
                let why = format!("{} is published, {} is wanted", row.published, row.wanted);
                add(&mut text, format_args!("  {why}, because {} ({cited})", row.reason));
                for position in &row.positions {
                    add(&mut text, format_args!("  {:?}: {}", position.side, position.text));
                }
                if let Some(outcome) = row.outcome {
                    add(&mut text, format_args!("  it ends as {outcome}"));
                }
                if let Some(paper) = &row.decision {
                    add(
                        &mut text,
                        format_args!(
                            "  decided by {} on paper, {} of {}, recorded for {}",
                            paper.issuing_body,
                            paper.document_number,
                            paper.date,
                            paper.recorded_for,
                        ),
                    );
                }
            }
            Resource::FunctionTransfer(id) => {
                let Some(row) = view.transfer(domain, *id) else { return text };
                let (from, to) = (self.alias_of(row.from), self.alias_of(row.to));
                let signed = if row.cosigned { "signed by both" } else { "signed by the giver" };
                let act = format!("{} of {}", row.act, row.change_date);
                add(&mut text, format_args!("  from {from} to {to}, {signed}, by {act}"));
                for entry in &row.entries {
                    let owner =
                        view.entry(domain, *entry).map(|entry| self.alias_of(entry.provider));
                    add(
                        &mut text,
                        format_args!("  {entry} is owned by {}", owner.unwrap_or_default()),
                    );
                }
            }
            Resource::Emergency(id) => {
                let Some(row) = view.emergency(domain, *id) else { return text };
                let limits = format!("{}; {}; {}", row.purpose, row.scope, row.manner);
                add(
                    &mut text,
                    format_args!("  taken for {} by {}: {limits}", row.event, row.basis),
                );
            }
            Resource::Contract(id) => {
                let Some(row) = view.contract(domain, *id) else { return text };
                let subs = row.sub_entrusted.join(", ");
                let subs = if subs.is_empty() { "nobody".to_owned() } else { subs };
                add(&mut text, format_args!("  with {}, sub-entrusted to {subs}", row.contractor));
            }
            Resource::Project(id) => {
                let Some(row) = view.project(domain, *id) else { return text };
                for asset in &row.assets {
                    let entry =
                        asset.entry.map_or_else(|| "no entry".to_owned(), |id| id.to_string());
                    add(&mut text, format_args!("  {}: {entry}", asset.title));
                }
            }
            _ => text.push_str(&self.quality_text(name)),
        }
        text
    }

    /// `show orphans on=…`: the three reports on what is bound to nothing.
    pub(in crate::script) fn orphans(&self, line: &Line) -> String {
        let day = date(line.or("on", "2026-09-21"));
        let (view, domain) = (self.view(), self.domain());
        let or_none = |names: Vec<String>| {
            if names.is_empty() { "none".to_owned() } else { names.join(", ") }
        };
        let entries = view.entries_without_data(&domain, day, None, 100, 1_000).rows;
        let datasets = view.datasets_without_entry(&domain, day, None, 100, 1_000).rows;
        let systems = view.systems_without_dataset(&domain, day, None, 100, 1_000).rows;
        // The platform's own systems hold no catalogued data and would stand in every report.
        let platform = format!("{domain}.");
        let systems: Vec<_> = systems
            .iter()
            .filter(|system| !self.alias_of(system.organization).starts_with(&platform))
            .collect();
        format!(
            "entries without data: {}\ndatasets without an entry: {}\nsystems without data: {}\n",
            or_none(entries.iter().map(|entry| entry.id.to_string()).collect()),
            or_none(datasets.iter().map(|dataset| dataset.id.to_string()).collect()),
            or_none(systems.iter().map(|system| system.id.to_string()).collect()),
        )
    }

    /// `show source ELEMENT on=…`
    pub(in crate::script) fn source_text(&self, line: &Line) -> String {
        let element = &line.subjects[1];
        let day = date(line.or("on", "2026-09-21"));
        match self.view().source_of(element, day) {
            None => format!("{element} has no source on {day}\n"),
            Some(row) => {
                let rule = row.rule.map_or_else(
                    || "no rule".to_owned(),
                    |rule| rule.cite(catalog_model::reason::Lang::En),
                );
                let of = self.alias_of(row.organization);
                format!("{element} comes from {of} on {day}, by {} ({rule})\n", row.basis)
            }
        }
    }

    /// `show duties police`
    pub(in crate::script) fn duties_text(&self, line: &Line) -> String {
        let organization = self.organization_id(&line.subjects[1]);
        let day = date(line.or("on", "2026-09-21"));
        let gaps = self.view().duty_gaps(&self.domain(), organization, day);
        let systems: Vec<_> = gaps.systems.iter().map(ToString::to_string).collect();
        format!(
            "duties without an entry: {}\nsystems without data: {}\n",
            if gaps.duties.is_empty() { "none".to_owned() } else { gaps.duties.join(", ") },
            if systems.is_empty() { "none".to_owned() } else { systems.join(", ") },
        )
    }

    /// What a fact of these groups says, as a sentence of the minutes.
    pub(in crate::script) fn relation_fact(&self, fact: &Fact) -> Option<String> {
        let end = |until: &Option<LocalDate>| {
            until.map_or_else(String::new, |until| format!(" to {until}"))
        };
        let short = |name: &ResourceName| match name.resource {
            Resource::Organization(id) => self.alias_of(id),
            _ => name.to_string().rsplit('/').next().unwrap_or_default().to_owned(),
        };
        let all = |names: &[ResourceName]| {
            let names: Vec<_> = names.iter().map(short).collect();
            if names.is_empty() { "nobody".to_owned() } else { names.join(", ") }
        };
        Some(match fact {
            Fact::DatasetRegistered { organization } => {
                format!("dataset of {} registered", short(organization))
            }
            Fact::DatasetBound { to, from, until } => {
                format!("bound to {} from {from}{}", short(to), end(until))
            }
            Fact::DatasetUnbound { from, until } => {
                format!("bound to {} until {until}", short(from))
            }
            Fact::DatasetDeleted => "dataset deleted".to_owned(),
            Fact::SystemDeleted => "system deleted".to_owned(),
            Fact::DutiesStated { count, .. } => format!("{count} duties stated"),
            Fact::SourceAssigned { organization, from, until } => {
                format!("{} is the source from {from}{}", short(organization), end(until))
            }
            Fact::SourceEnded { from, until } => format!("source from {from} only to {until}"),
            Fact::CollectionChecked { result, overlaps } => {
                format!("collection {}, shared by {}", word_of(result), all(overlaps))
            }
            Fact::TransferMoved { state, moved } => {
                format!("transfer {}, {moved} entries moved", word_of(state))
            }
            Fact::EntryTransferred { from, to, version, .. } => {
                format!("went from {} to {} at v{version}", short(from), short(to))
            }
            Fact::ObjectionMoved { state, decision, .. } => {
                let paper = if decision.is_some() { " on paper" } else { "" };
                format!("objection {}{paper}", word_of(state))
            }
            Fact::AttributeSettled { version, sharing, .. } => {
                format!("settled as {sharing} at v{version}")
            }
            Fact::EmergencyMoved { state, proof } => {
                let proof = if proof.is_some() { ", proved" } else { "" };
                format!("emergency {}{proof}", word_of(state))
            }
            Fact::EmergencyUsed { system } => format!("used by {}", short(system)),
            Fact::PurchaseMoved { state, .. } => format!("purchase {}", word_of(state)),
            Fact::ContractMoved { state, proof } => {
                let proof = if proof.is_some() { ", proved" } else { "" };
                format!("contract {}{proof}", word_of(state))
            }
            Fact::AcquisitionStated { acquisition } => match acquisition {
                Acquisition::Duty => "acquired by duty".to_owned(),
                Acquisition::Entrusted(id) => format!("acquired by contract {id}"),
                Acquisition::Purchased(id) => format!("acquired by purchase {id}"),
                Acquisition::Emergency(id) => format!("acquired in emergency {id}"),
            },
            Fact::ProjectOpened { assets } => format!("project with {assets} assets"),
            Fact::AssetListed { asset, entry } => format!("asset {asset} is {}", short(entry)),
            Fact::ProjectAccepted => "project accepted".to_owned(),
            Fact::PlatformRecorded { cross_department, migrate_by } => {
                let serves = if *cross_department { "several departments" } else { "its own" };
                let until = migrate_by.map_or_else(String::new, |day| format!(", joins by {day}"));
                format!("platform for {serves}{until}")
            }
            Fact::BatchRecorded { rows, failed, .. } => {
                format!("batch of {rows} rows, {failed} failures")
            }
            Fact::ReportMoved { state, late } => {
                format!("report {}{}", word_of(state), if *late { ", late" } else { "" })
            }
            Fact::ReportCorrected { .. } => "corrected by a batch".to_owned(),
            Fact::ReportPropagated { holders } => format!("told to {}", all(holders)),
            Fact::QualityOverdue { due_date, ordered, escalated_to } => {
                let above = escalated_to.as_ref().map_or_else(|| "nobody".to_owned(), short);
                let ordered = short(ordered);
                format!("overdue since {due_date}: order to {ordered}, escalated to {above}")
            }
            Fact::PersonalObjectionMoved { state, receiver, late } => {
                let late = if *late { ", late" } else { "" };
                format!("objection {} at {}{late}", word_of(state), short(receiver))
            }
            _ => return None,
        })
    }
}
