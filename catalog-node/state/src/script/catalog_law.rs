//! Stories about the life of entries: updates that are owed, reviews, re-classification,
//! suspension, persons on file.

use catalog_model::{
    catalog_entry::{
        DataItem, EntryContent, EntryParticulars, Library, OpenType, SecrecyMark, SelfCheck,
        SelfCheckKind,
    },
    entry_file::{ChangeTrigger, ReviewOutcome, SuspensionGround, WorklistItem},
    name::{Resource, ResourceName},
    organization::{PersonRole, RoleTerm},
    paper_decision::PaperDecision,
    policy,
    reason::Lang,
    rule_pack::{Pair, RulePack},
    share_request::PartyRole,
    time::LocalDate,
};

use super::{Line, World, add, entries::etag};
use crate::{
    command::{Body, catalog::CatalogCommand},
    ledger::Fact,
    view::View,
};

impl World {
    /// `change plates|police trigger=law|regulation|decision|duty|resource day=… citation=…`,
    /// `more_time plates days=5 reason=…`, `updated police entries=plates,owners`,
    /// `review plates kept|widen|narrow note=…`, `reclassify cause=…`,
    /// `rule_on plates number=… body=… for=… [date=…]`,
    /// `take_off plates ground=leak|state_secret|work_secret reason=…`,
    /// `put_back plates reason=…`, `archive plates`,
    /// `important plates [no] number=… body=… for=…`,
    /// `person police.office roles=office:A..B,operator:A.. [version=N]`,
    /// `secret police mark=state|work`
    pub(super) fn life(&mut self, line: &Line) {
        let text = |name: &str| line.or(name, "").to_owned();
        let authority = format!("{}.authority.system", self.domain());
        let (command, caller) = match line.verb.as_str() {
            "change" => {
                let trigger = match line.value("trigger") {
                    "law" => ChangeTrigger::Law,
                    "regulation" => ChangeTrigger::AdministrativeRegulation,
                    "decision" => ChangeTrigger::StateCouncilDecision,
                    "duty" => ChangeTrigger::Duty,
                    "resource" => ChangeTrigger::Resource,
                    other => panic!("`{other}` is no trigger"),
                };
                let subject = self.named(line.subject());
                let day = date(line.value("day"));
                let citation = text("citation");
                let by = self.provider_of(&subject);
                (CatalogCommand::ReportChange { subject, trigger, day, citation }, by)
            }
            "more_time" => {
                let subject = self.named(line.subject());
                let working_days = line.value("days").parse().expect("days");
                let reason = text("reason");
                (CatalogCommand::ExtendUpdate { subject, working_days, reason }, authority)
            }
            "updated" => {
                let organization = self.organization_id(line.subject());
                let names = line.list("entries").unwrap_or_default();
                let entries = names.iter().map(|name| self.entry_id(name)).collect();
                let by = format!("{}.system", line.subject());
                (CatalogCommand::CompleteUpdate { organization, entries }, by)
            }
            "review" => {
                let (id, version) = self.at_version(line);
                let outcome = match line.subjects[1].as_str() {
                    "kept" => ReviewOutcome::Kept,
                    "widen" => ReviewOutcome::ToBeWidened,
                    "narrow" => ReviewOutcome::ToBeNarrowed,
                    other => panic!("`{other}` is no outcome"),
                };
                let by = self.provider_of(&self.named(line.subject()));
                let note = text("note");
                (CatalogCommand::ReviewAttribute { id, version, outcome, note }, by)
            }
            "reclassify" => {
                (CatalogCommand::StartReclassification { cause: text("cause") }, authority)
            }
            "rule_on" => {
                let id = self.entry_id(line.subject());
                let decision = decision(line);
                (CatalogCommand::RuleReclassification { id, decision }, authority)
            }
            "take_off" => {
                let (id, version) = self.at_version(line);
                let ground = match line.value("ground") {
                    "leak" => SuspensionGround::Leak,
                    "state_secret" => SuspensionGround::StateSecret,
                    "work_secret" => SuspensionGround::WorkSecret,
                    other => panic!("`{other}` is no ground"),
                };
                let by = self.provider_of(&self.named(line.subject()));
                let reason = text("reason");
                (CatalogCommand::SuspendEntry { id, version, ground, reason }, by)
            }
            "put_back" => {
                let (id, version) = self.at_version(line);
                let reason = text("reason");
                (CatalogCommand::ResumeEntry { id, version, reason }, authority)
            }
            "archive" => {
                let (id, version) = self.at_version(line);
                let by = self.provider_of(&self.named(line.subject()));
                (CatalogCommand::ArchiveEntry { id, version }, by)
            }
            "important" => {
                let id = self.entry_id(line.subject());
                let important = line.subjects.get(1).is_none_or(|word| word != "no");
                let decision = decision(line);
                (CatalogCommand::MarkImportant { id, important, decision }, authority)
            }
            "person" => return self.person(line),
            "secret" => {
                let organization = self.organization_id(line.subject());
                let mark = mark(line.value("mark"));
                let by = format!("{}.system", line.subject());
                (CatalogCommand::RefuseSecret { organization, mark }, by)
            }
            verb => panic!("`{verb}` is no command on entries"),
        };
        self.call(line, &caller, Body::Catalog(Box::new(command)));
    }

    fn person(&mut self, line: &Line) {
        let name = self.named(line.subject());
        let Resource::Person(organization, person) = name.resource else {
            panic!("`{}` is no person", line.subject());
        };
        let on_file = self.view().person(&name.domain, organization, person).expect("on file");
        let terms = line.list("roles").unwrap_or_default();
        let command = CatalogCommand::UpdatePerson {
            organization,
            person,
            version: etag(line, on_file.version),
            display_name: line.or("name", &on_file.display_name).to_owned(),
            terms: terms.iter().map(|term| role_term(term)).collect(),
        };
        let unit = line.subject().split_once('.').expect("a person of a unit").0.to_owned();
        self.call(line, &format!("{unit}.system"), Body::Catalog(Box::new(command)));
    }

    fn at_version(&self, line: &Line) -> (catalog_model::ids::EntryId, u64) {
        let id = self.entry_id(line.subject());
        let entry = self.view().entry(&self.domain(), id).expect("an entry of this catalog");
        (id, etag(line, entry.version))
    }

    fn provider_of(&self, subject: &ResourceName) -> String {
        if let Resource::Entry(id) = subject.resource {
            return self.provider_system(id);
        }
        let alias = self.names.iter().find(|(_, name)| *name == subject);
        format!("{}.system", alias.expect("named in the story").0)
    }

    /// `show versions plates`, `show diff plates 1 2`, `show worklist`, `show pass`,
    /// `show file plates`, `show owed plates|police`, `show warnings plates`
    pub(super) fn life_shown(&self, line: &Line) -> String {
        let mut text = String::new();
        let view = self.view();
        let domain = self.domain();
        match line.subject() {
            "worklist" => {
                for item in view.worklist(&domain, false, None, 100, 1000).rows {
                    add(&mut text, format_args!("{}", item_text(&item)));
                }
            }
            "pass" => {
                if let Some(pass) = view.reclassification_pass() {
                    let through = if pass.finished_time.is_some() { "through" } else { "goes on" };
                    add(
                        &mut text,
                        format_args!(
                            "pass {} because of \"{}\": {} seen, {} listed, {through}",
                            pass.number, pass.cause, pass.seen, pass.listed
                        ),
                    );
                }
            }
            "owed" => {
                let subject = self.named(&line.subjects[1]);
                let changes = view.change_report(&subject).map_or_else(Vec::new, |r| r.changes);
                for change in changes {
                    let default = change.default.as_ref().map_or_else(String::new, |rule| {
                        format!(", profile default {}", rule.cite(Lang::En))
                    });
                    let late = if change.overdue { ", overdue" } else { "" };
                    add(
                        &mut text,
                        format_args!(
                            "{} changed on {} ({}): due {}, {} working days + {} ({}{default}){late}",
                            change.trigger.name(),
                            change.day,
                            change.citation,
                            change.clock.due_date,
                            change.clock.length.0,
                            change.clock.extended.0,
                            change.clock.rule.cite(Lang::En),
                        ),
                    );
                }
            }
            word => {
                let id = self.entry_id(&line.subjects[1]);
                match word {
                    "versions" => {
                        for version in view.entry_versions(&domain, id, None, 100).rows {
                            add(
                                &mut text,
                                format_args!(
                                    "{}: {} (rules v{})",
                                    version.number,
                                    super::show::entry_text(&version.entry, "published"),
                                    version.rule_pack_version
                                ),
                            );
                        }
                    }
                    "diff" => {
                        let number = |place: usize| line.subjects[place].parse().expect("a number");
                        let changes = view.entry_diff(&domain, id, number(2), number(3));
                        for change in changes.expect("versions on file") {
                            let said = |text: &str| {
                                if text.is_empty() { "—".to_owned() } else { text.to_owned() }
                            };
                            let (old, new) = (said(&change.old), said(&change.new));
                            add(&mut text, format_args!("{}: {old} → {new}", change.label));
                        }
                    }
                    "file" => self.entry_file_text(view, id, &mut text),
                    _ => self.warnings(id, &mut text),
                }
            }
        }
        if text.is_empty() { "nothing\n".to_owned() } else { text }
    }

    fn entry_file_text(&self, view: View<'_>, id: catalog_model::ids::EntryId, text: &mut String) {
        let Some(file) = view.entry_file(&self.domain(), id) else { return };
        add(text, format_args!("{} published versions", file.versions));
        if let Some(since) = file.attribute_since {
            add(text, format_args!("  the attribute holds since {since}"));
        }
        if let Some(review) = &file.attribute_review {
            let default = review.default.as_ref().map_or_else(String::new, |rule| {
                format!(", profile default {}", rule.cite(Lang::En))
            });
            let missed = if review.missed { ", missed" } else { "" };
            let last = review.last.map_or_else(String::new, |last| format!(", last {last:?}"));
            let (due, rule) = (review.due_date, review.rule.cite(Lang::En));
            add(text, format_args!("  to be reviewed by {due} ({rule}{default}){last}{missed}"));
        }
        if let Some(off) = &file.suspension {
            let (ground, since) = (off.ground.name(), off.since);
            add(text, format_args!("  off the list for {ground} since {since}: {}", off.reason));
        }
        if let Some(decision) = &file.important {
            let (number, body) = (&decision.document_number, &decision.issuing_body);
            add(text, format_args!("  important data by {number} of {body}"));
        }
    }

    /// What a clerk should know, by the rules of today.
    fn warnings(&self, id: catalog_model::ids::EntryId, text: &mut String) {
        let view = self.view();
        let entry = view.entry(&self.domain(), id).expect("an entry");
        let pack = view.rule_pack(view.rule_pack_version().expect("a pack")).expect("a pack");
        let pack = RulePack::parse(&pack.text).expect("a pack of this product");
        let pair = Pair::for_catalog(entry.provider_class.expect("a class"), entry.kind);
        let composition = view.cluster().expect("a cluster").composition;
        let today = view.clock().local_date();
        let resolution = pack.resolve(&composition, pair, today).expect("a composition");
        for warning in policy::entry_warnings(&resolution, &entry.content) {
            add(text, format_args!("{} ({})", warning.en, warning.rule.cite(Lang::En)));
        }
    }

    /// A fact of this group as a sentence; none for others.
    pub(super) fn life_fact(fact: &Fact) -> Option<String> {
        let day = |day: &Option<LocalDate>| day.map_or("no day".to_owned(), |day| day.to_string());
        let to = |role: &Option<PartyRole>| match role {
            Some(role) => format!("goes to {role:?}"),
            None => "goes nowhere".to_owned(),
        };
        Some(match fact {
            Fact::ChangeReported { trigger, day, due_date, by_default } => {
                let default = if *by_default { " as profile default" } else { "" };
                let trigger = trigger.name();
                format!("ChangeReported [{trigger} of {day}, due {due_date}{default}]")
            }
            Fact::UpdateExtended { working_days, from, to } => {
                format!("UpdateExtended [{working_days} working days, {from} → {to}]")
            }
            Fact::UpdateOverdue { due_date, ordered, escalated_to } => {
                let ordered = ordered.as_ref().map_or_else(
                    || "nobody is ordered".to_owned(),
                    |who| format!("order to correct to {who}"),
                );
                format!("UpdateOverdue [since {due_date}, {ordered}, {}]", to(escalated_to))
            }
            Fact::UpdateMet { trigger, day, late } => {
                let late = if *late { ", late" } else { "" };
                format!("UpdateMet [{} of {day}{late}]", trigger.name())
            }
            Fact::AuthorityReviewOverdue { due_date, escalated_to } => {
                format!("AuthorityReviewOverdue [since {due_date}, {}]", to(escalated_to))
            }
            Fact::AttributeReviewed { outcome, next } => {
                format!("AttributeReviewed [{outcome:?}, next by {}]", day(next))
            }
            Fact::AttributeChanged { from, to } => format!("AttributeChanged [{from} → {to}]"),
            Fact::ReclassificationStarted { pass, rule_pack_version } => {
                format!("ReclassificationStarted [pass {pass}, rules v{rule_pack_version}]")
            }
            Fact::ReclassificationEnded { pass, seen, listed } => {
                format!("ReclassificationEnded [pass {pass}, {listed} of {seen} listed]")
            }
            Fact::ReclassificationListed { sharing, reason, due_date } => {
                format!("ReclassificationListed [{sharing}, {reason}, due {}]", day(due_date))
            }
            Fact::ReclassificationClosed { outcome, sharing } => match sharing {
                Some(sharing) => format!("ReclassificationClosed [{outcome}, now {sharing}]"),
                None => format!("ReclassificationClosed [{outcome}]"),
            },
            Fact::EntrySuspended { ground, .. } => format!("EntrySuspended [{}]", ground.name()),
            Fact::ImportantDataListed { listed, .. } => {
                format!("ImportantDataListed [{}]", if *listed { "listed" } else { "no longer" })
            }
            Fact::SecretRefused { mark } => format!("SecretRefused [{}]", mark.name()),
            Fact::PersonRolesChanged { roles } => format!("PersonRolesChanged [{roles:?}]"),
            _ => return None,
        })
    }

    /// Words of an entry's content beyond the guide: `duty library=base:…|theme:… checks personal
    /// open secret`.
    pub(super) fn particulars(line: &Line, content: &mut EntryContent) {
        if let Some(duty) = line.get("duty") {
            duty.clone_into(&mut content.duty_basis);
        }
        if let Some(open) = line.get("open") {
            content.open_type = (open == "yes").then_some(OpenType::OnApplication);
        }
        if let Some(names) = line.list("personal") {
            let mark = |item: &mut DataItem| item.personal = names.contains(&item.name);
            content.items.iter_mut().for_each(mark);
        }
        let mut stated = content.particulars.clone().unwrap_or_default();
        if let Some(library) = line.get("library") {
            stated.library = match library.split_once(':') {
                Some(("base", name)) => Some(Library::Base(name.to_owned())),
                Some(("theme", name)) => Some(Library::Theme(name.to_owned())),
                _ => None,
            };
        }
        if let Some(checks) = line.list("checks") {
            stated.self_checks = checks.iter().map(|word| self_check(word)).collect();
        }
        if let Some(secret) = line.get("secret") {
            stated.secrecy = (secret != "no").then(|| mark(secret));
        }
        content.particulars = (stated != EntryParticulars::default()).then_some(stated);
    }
}

fn item_text(item: &WorklistItem) -> String {
    let due =
        item.clock.as_ref().map_or_else(String::new, |clock| format!(", due {}", clock.due_date));
    let rule = item.rule.as_ref().map_or_else(String::new, |rule| rule.cite(Lang::En));
    let outcome = match (&item.outcome, item.overdue) {
        (Some(outcome), _) => format!(": {}", outcome.name()),
        (None, true) => ": open, overdue".to_owned(),
        (None, false) => ": open".to_owned(),
    };
    let title = &item.title;
    format!("{title} is {}, {} ({rule}){due}{outcome}", item.sharing, item.reason)
}

fn date(text: &str) -> LocalDate {
    text.parse().expect("a date")
}

fn mark(word: &str) -> SecrecyMark {
    match word {
        "state" => SecrecyMark::StateSecret,
        "work" => SecrecyMark::WorkSecret,
        other => panic!("`{other}` is no secret"),
    }
}

/// `compliance`, `safety`, `usability`, with `!` for one that failed.
fn self_check(word: &str) -> SelfCheck {
    let (word, passed) = word.strip_suffix('!').map_or((word, true), |word| (word, false));
    let kind = SelfCheckKind::from_word(word).unwrap_or_else(|| panic!("`{word}` is no check"));
    SelfCheck { kind, passed, date: date("2026-09-01"), checker: "data office".to_owned() }
}

/// `number=… body=… for=… [date=…] [digest=none]`
fn decision(line: &Line) -> PaperDecision {
    PaperDecision {
        document_number: line.or("number", "").to_owned(),
        digest: if line.get("digest").is_some() { [0; 32] } else { [9; 32] },
        date: date(line.or("date", "2025-08-01")),
        issuing_body: line.or("body", "").to_owned(),
        recorded_for: line.or("for", "").to_owned(),
    }
}

/// `office:2026-01-01..2026-09-30`, `head:2026-01-01..`
fn role_term(text: &str) -> RoleTerm {
    let (role, days) = text.split_once(':').expect("a role with its days");
    let role = match role {
        "head" => PersonRole::DepartmentHead,
        "office" => PersonRole::SharingOfficeHead,
        "officer" => PersonRole::ChiefDataOfficer,
        "operator" => PersonRole::Operator,
        other => panic!("`{other}` is no role"),
    };
    let (from, until) = days.split_once("..").expect("days from..until");
    RoleTerm { role, from: date(from), until: (!until.is_empty()).then(|| date(until)) }
}
