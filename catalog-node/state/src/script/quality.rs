//! Stories about quality: batches, error reports, objections of persons concerned.

use catalog_model::{
    ids::{PersonalObjectionId, ReportId},
    name::{Resource, ResourceName},
    quality::{CheckResult, ConcernProof, Desk, Dimension, WindowFiling},
    reason::Lang,
};

use super::{
    Line, World, add,
    relations::{date, document},
};
use crate::{
    apply::relations::word_of,
    command::{Body, PersonalObjectionStep, QualityCommand, ReportStep},
};

/// `accuracy:100:3`: of a hundred rows three failed.
fn check_result(text: &str) -> CheckResult {
    let parts: Vec<&str> = text.split(':').collect();
    let number = |place: usize| parts[place].parse().expect("a number of rows");
    let dimension = match parts[0] {
        "truth" => Dimension::Truth,
        "completeness" => Dimension::Completeness,
        "accuracy" => Dimension::Accuracy,
        "timeliness" => Dimension::Timeliness,
        "usability" => Dimension::Usability,
        other => panic!("`{other}` is no side of quality"),
    };
    CheckResult { check: parts[0].to_owned(), dimension, rows: number(1), failed: number(2) }
}

impl World {
    fn report_id(&self, alias: &str) -> ReportId {
        match self.named(alias).resource {
            Resource::ErrorReport(id) => id,
            other => panic!("`{alias}` is {other:?}"),
        }
    }

    fn check_quality(&mut self, line: &Line, otherwise: &str, command: QualityCommand) {
        self.call(line, otherwise, Body::Quality(Box::new(command)));
    }

    fn provider_alias(&self, entry: catalog_model::ids::EntryId) -> String {
        let entry = self.view().entry(&self.domain(), entry).expect("an entry of this catalog");
        let of = Resource::Organization(entry.provider);
        let alias = self.names.iter().find(|(_, name)| name.resource == of);
        alias.expect("a provider of the story").0.clone()
    }

    /// `batch plates number=7 [rows=100] [results=accuracy:100:3,…] [system=…] [person=…]`
    pub(super) fn batch(&mut self, line: &Line) {
        let entry = self.entry_id(line.subject());
        let provider = self.provider_alias(entry);
        let system = line.or("system", &format!("{provider}.system")).to_owned();
        let person = line.or("person", &format!("{provider}.clerk")).to_owned();
        let results = line.list("results").unwrap_or_default();
        let command = QualityCommand::RecordBatch {
            entry,
            batch: line.value("number").to_owned(),
            system: self.system_id(&system),
            person: self.person_id(&person),
            rows: line.or("rows", "100").parse().expect("a number of rows"),
            results: results.iter().map(|text| check_result(text)).collect(),
        };
        self.check_quality(line, &format!("{provider}.system"), command);
    }

    /// `error_report r file entry=plates from=tax items=number about=… [desk=authority|provider]`,
    /// `error_report r hand_over|verify|confirm|reject|correct|feed_back|propagate|close|reopen
    /// [reason=…] [batch=…] [before=…] [after=…] [text=…]`
    pub(super) fn error_report(&mut self, line: &Line) {
        let alias = line.subject().to_owned();
        if line.subjects[1] == "file" {
            let id = ReportId::from_bytes(self.draw());
            self.name(&alias, Resource::ErrorReport(id));
            let desk = line.get("desk").map(|word| match word {
                "provider" => Desk::Provider,
                "authority" => Desk::Authority,
                other => panic!("`{other}` is no desk"),
            });
            let command = QualityCommand::FileReport {
                id,
                entry: self.entry_id(line.value("entry")),
                items: line.list("items").unwrap_or_default(),
                description: line.or("about", "").to_owned(),
                desk,
            };
            let from = line.value("from").to_owned();
            self.check_quality(line, &format!("{from}.system"), command);
            return;
        }
        let report = self.report_id(&alias);
        // A step of what was refused is refused too: it is not on file.
        let row = self.view().error_report(&self.domain(), report);
        let reporter = self.system_or_authority(row.as_ref().map(|row| row.reporter.organization));
        let provider = match &row {
            Some(row) => format!("{}.system", self.provider_alias(row.entry)),
            None => self.system_or_authority(None),
        };
        let text = |name: &str| line.or(name, "").to_owned();
        let (by, step) = match line.subjects[1].as_str() {
            "hand_over" => (format!("{}.authority.system", self.domain()), ReportStep::HandOver),
            "verify" => (provider, ReportStep::Verify),
            "confirm" => (provider, ReportStep::Confirm),
            "reject" => (provider, ReportStep::Reject { reason: text("reason") }),
            "correct" => {
                let (before, after) = (document(line, "before"), document(line, "after"));
                (provider, ReportStep::Correct { batch: text("batch"), before, after })
            }
            "feed_back" => (provider, ReportStep::FeedBack { text: text("text") }),
            "propagate" => (provider, ReportStep::Propagate),
            "close" => (reporter, ReportStep::Close),
            "reopen" => (reporter, ReportStep::Reopen { reason: text("reason") }),
            other => panic!("`{other}` is no step of a report"),
        };
        let version = super::entries::etag(line, row.map_or(1, |row| row.version));
        self.check_quality(line, &by, QualityCommand::Report { report, version, step });
    }

    /// `complaint c file entry=plates desk=police [identity=…] [relation=…] about=… [window=…
    /// stamped=…] [by=…]`, `complaint c verify|correct|reject [batch=…] [reason=…]`
    pub(super) fn complaint(&mut self, line: &Line) {
        let alias = line.subject().to_owned();
        if line.subjects[1] == "file" {
            let id = PersonalObjectionId::from_bytes(self.draw());
            self.name(&alias, Resource::PersonalObjection(id));
            let window = line.get("window").map(|number| WindowFiling {
                number: number.to_owned(),
                stamped: date(line.value("stamped")),
            });
            let desk = line.value("desk").to_owned();
            let command = QualityCommand::FilePersonalObjection {
                id,
                entry: self.entry_id(line.value("entry")),
                desk: self.organization_id(&desk),
                window,
                proof: ConcernProof {
                    identity: document(line, "identity"),
                    relation: document(line, "relation"),
                },
                description: line.or("about", "").to_owned(),
            };
            self.check_quality(line, &format!("{desk}.system"), command);
            return;
        }
        let objection = match self.named(&alias).resource {
            Resource::PersonalObjection(id) => id,
            other => panic!("`{alias}` is {other:?}"),
        };
        let row = self.view().personal_objection(&self.domain(), objection);
        let by = self.system_or_authority(row.as_ref().map(|row| row.receiver));
        let text = |name: &str| line.or(name, "").to_owned();
        let step = match line.subjects[1].as_str() {
            "verify" => PersonalObjectionStep::Verify,
            "correct" => {
                PersonalObjectionStep::Correct { batch: text("batch"), reason: text("reason") }
            }
            "reject" => PersonalObjectionStep::Reject { reason: text("reason") },
            other => panic!("`{other}` is no step of an objection"),
        };
        let version = super::entries::etag(line, row.map_or(1, |row| row.version));
        let command = QualityCommand::PersonalObjection { objection, version, step };
        self.check_quality(line, &by, command);
    }

    pub(super) fn quality_status(&self, name: &ResourceName) -> String {
        let (view, domain) = (self.view(), &name.domain);
        match &name.resource {
            Resource::ErrorReport(id) => match view.error_report(domain, *id) {
                None => format!("{id} is not on file"),
                Some(row) => {
                    let due = row.clock.as_ref().filter(|_| row.feedback_is_owed());
                    let due =
                        due.map_or_else(String::new, |clock| format!(", due {}", clock.due_date));
                    let late = if row.late { ", late" } else { "" };
                    format!("{id} is {} at v{}{due}{late}", word_of(row.state), row.version)
                }
            },
            Resource::PersonalObjection(id) => match view.personal_objection(domain, *id) {
                None => format!("{id} is not on file"),
                Some(row) => {
                    let due = row.clock.as_ref().filter(|_| row.answer.is_empty());
                    let due =
                        due.map_or_else(String::new, |clock| format!(", due {}", clock.due_date));
                    let late = if row.late { ", late" } else { "" };
                    format!("{id} is {} at v{}{due}{late}", word_of(row.state), row.version)
                }
            },
            _ => format!("done {name}"),
        }
    }

    pub(super) fn quality_text(&self, name: &ResourceName) -> String {
        let (view, domain) = (self.view(), &name.domain);
        let mut text = String::new();
        match &name.resource {
            Resource::ErrorReport(id) => {
                let Some(row) = view.error_report(domain, *id) else { return text };
                let rule = row.recipient_rule.as_ref().map(|rule| rule.cite(Lang::En));
                let rule = rule.unwrap_or_else(|| "no rule".to_owned());
                let routed = if row.desk == row.recipient {
                    String::new()
                } else {
                    format!(", left at the {}", word_of(row.desk))
                };
                add(
                    &mut text,
                    format_args!(
                        "  {} reports {}: {}; for the {}{routed} ({rule})",
                        row.reporter.name,
                        row.items.join("/"),
                        row.description,
                        word_of(row.recipient),
                    ),
                );
                if let Some(clock) = &row.clock {
                    let (due, cited) = (clock.due_date, clock.rule.cite(Lang::En));
                    add(&mut text, format_args!("  feedback by {due} ({cited})"));
                }
                if let Some(source) = row.source {
                    add(&mut text, format_args!("  its source is {}", self.alias_of(source)));
                }
                if let Some(since) = row.overdue_since {
                    add(&mut text, format_args!("  overdue since {since}"));
                }
                if let Some(correction) = &row.correction {
                    add(&mut text, format_args!("  corrected by batch {}", correction.batch));
                }
                if !row.feedback.is_empty() {
                    add(&mut text, format_args!("  fed back: {}", row.feedback));
                }
                if !row.told.is_empty() {
                    let told: Vec<_> = row.told.iter().map(ToString::to_string).collect();
                    add(&mut text, format_args!("  told: {}", told.join(", ")));
                }
            }
            Resource::PersonalObjection(id) => {
                let Some(row) = view.personal_objection(domain, *id) else { return text };
                let named =
                    |id| view.organization(domain, id).map_or_else(String::new, |found| found.name);
                let rule = row.receiver_rule.as_ref().map(|rule| rule.cite(Lang::En));
                let rule = rule.unwrap_or_else(|| "no rule".to_owned());
                let (desk, receiver) = (named(row.desk), named(row.receiver));
                add(&mut text, format_args!("  left at {desk}, handled by {receiver} ({rule})"));
                if let Some(since) = row.overdue_since {
                    add(&mut text, format_args!("  overdue since {since}"));
                }
                if !row.answer.is_empty() {
                    add(&mut text, format_args!("  answered: {}", row.answer));
                }
            }
            _ => {}
        }
        text
    }

    /// `show trace r`: issue → entry → batch → system → person.
    pub(super) fn trace_text(&self, line: &Line) -> String {
        let report = self.report_id(&line.subjects[1]);
        let Some(trace) = self.view().trace(&self.domain(), report) else {
            return "nothing is reported\n".to_owned();
        };
        let batch = trace.batch.as_ref().map_or("no batch", |batch| batch.batch.as_str());
        let system = trace.system.map_or_else(|| "no system".to_owned(), |id| id.to_string());
        let person = trace.person.map_or_else(|| "nobody".to_owned(), |id| id.to_string());
        let (issue, entry) = (trace.report.id, trace.report.entry);
        format!("{issue} → {entry} → batch {batch} → {system} → {person}\n")
    }

    /// `show scores plates number=7`
    pub(super) fn scores_text(&self, line: &Line) -> String {
        let entry = self.entry_id(&line.subjects[1]);
        let batch = self.view().batch(&self.domain(), entry, line.value("number"));
        let scores = batch.map_or_else(Vec::new, |batch| batch.scores());
        let each = scores.iter().map(|(side, score)| format!("{} {score}‰", word_of(side)));
        format!("{}\n", each.collect::<Vec<_>>().join(", "))
    }
}
