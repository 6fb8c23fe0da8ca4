//! Seen: how much of a record is shown to this caller?
//!
//! The ledger is one, and those it concerns are many. The platform sees all of it. Everybody in the
//! domain sees what is about the domain itself; a case, a right and an entry are seen in the ledger
//! by those to whom the thing itself is shown; of everything else, those who caused a record about
//! it or are named in one. Texts are shown to the parties of a case or right, and otherwise to who
//! wrote them; who a person was, only to whose record it is and the platform.

use std::{cell::RefCell, collections::BTreeMap};

use catalog_model::{
    ids::PersonId,
    name::{Resource, ResourceName},
    time::UtcMillis,
};
use catalog_state::ledger::{Ledger, LedgerRecord, Payload};
use luqiao_proto::{
    convert::time::timestamp,
    ledger::v1::{self as message, RecordText, TextsState},
};
use serde_json::Value;

use super::{record_json, sentence};
use crate::services::{Look, catalog::sees_working, demands, disputes};
use catalog_model::reason::Lang;

/// Labels of texts that are persons or say who one is: whoever acted, consented, was put on file or
/// answers for something.
const PERSONS: [&str; 6] =
    ["person", "consenter", "filed_person", "name", "responsible", "processed_by"];
/// Records about one thing that are looked at for whom it concerns; the parties stand in the first.
const INVOLVED_SCAN: usize = 500;

/// How much is shown, each with what is before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sight {
    /// Not even that there is a record.
    Nothing,
    /// The record.
    Facts,
    /// Also the texts beside it.
    Texts,
    /// Also who the person was.
    Person,
}

/// A look at the ledger by one caller.
pub(super) struct Seeing<'a> {
    look: &'a Look<'a>,
    platform: bool,
    /// `{domain}/organizations/{id}` of the caller, as actors are written.
    own: Option<String>,
    subjects: RefCell<BTreeMap<ResourceName, Sight>>,
}

impl<'a> Seeing<'a> {
    pub(super) fn new(look: &'a Look<'a>) -> Self {
        let caller = look.caller;
        let own = caller.organization().map(|id| format!("{}/organizations/{id}", caller.domain));
        Self { look, platform: look.is_platform(), own, subjects: RefCell::default() }
    }

    /// Whether the record is shown at all.
    pub(super) fn sees(&self, record: &LedgerRecord) -> bool {
        self.sight(record) > Sight::Nothing
    }

    fn sight(&self, record: &LedgerRecord) -> Sight {
        if self.platform || self.caused(record) {
            return Sight::Person;
        }
        let subject = self.sight_of(&record.subject);
        if subject == Sight::Nothing && self.named_in(record) { Sight::Facts } else { subject }
    }

    fn caused(&self, record: &LedgerRecord) -> bool {
        self.own.as_deref().is_some_and(|own| within(&record.actor, own))
    }

    /// Whether the record names the caller's organization.
    fn named_in(&self, record: &LedgerRecord) -> bool {
        let Some(own) = &self.own else { return false };
        let name = format!("domains/{own}");
        within(&record.subject.to_string(), &name)
            || says(&record_json(record)["details"], &|text| within(text, &name))
    }

    /// How much is shown of whatever is about `subject`.
    fn sight_of(&self, subject: &ResourceName) -> Sight {
        if let Some(known) = self.subjects.borrow().get(subject) {
            return *known;
        }
        let found = self.find_sight(subject);
        self.subjects.borrow_mut().insert(subject.clone(), found);
        found
    }

    fn find_sight(&self, subject: &ResourceName) -> Sight {
        let (look, view) = (self.look, self.look.view());
        let shown = |holds: bool, sight| if holds { sight } else { Sight::Nothing };
        let domain = &subject.domain;
        match &subject.resource {
            Resource::Domain => shown(look.caller.domain == *look.domain(), Sight::Facts),
            Resource::Request(id) => match view.request(domain, *id) {
                Some(case) => shown(look.sees_request(&case), Sight::Texts),
                // The law refused it at once: there is no case, only its asker on record.
                None => shown(self.involved(subject), Sight::Texts),
            },
            Resource::Grant(id) => {
                let grant = view.grant(domain, *id);
                shown(grant.is_some_and(|grant| look.sees_grant(&grant)), Sight::Texts)
            }
            Resource::Entry(id) => {
                let working = view.entry(domain, *id);
                if working.is_some_and(|entry| sees_working(look, &entry)) {
                    return Sight::Texts;
                }
                shown(view.published_entry(domain, *id).is_some(), Sight::Facts)
            }
            Resource::Organization(id) | Resource::Person(id, _) | Resource::System(id, _) => {
                let own = look.caller.domain == *domain && look.caller.organization() == Some(*id);
                shown(own, Sight::Texts)
            }
            Resource::Dispute(_) => shown(disputes::seen(look, subject).is_some(), Sight::Texts),
            // What is proven is a digest of the words: who reads no text of it has nothing to prove.
            Resource::Demand(id) => {
                let demand = view.demand(domain, *id);
                shown(demand.is_some_and(|demand| demands::takes_part(look, &demand)), Sight::Texts)
            }
            _ => shown(self.involved(subject), Sight::Facts),
        }
    }

    /// Whether the caller caused a record about `subject` or is named in one.
    fn involved(&self, subject: &ResourceName) -> bool {
        let ledger = Ledger(self.look.state);
        let records = ledger.of_subject(subject);
        let mut records =
            records.into_iter().take(INVOLVED_SCAN).filter_map(|place| ledger.record(place));
        records.any(|record| self.caused(&record) || self.named_in(&record))
    }

    /// The texts beside a record that are shown, and the salt where all are.
    pub(super) fn texts(&self, record: &LedgerRecord) -> (Vec<(String, String)>, Beside) {
        if record.digests.is_empty() {
            return (Vec::new(), Beside::None);
        }
        let sight = self.sight(record);
        let Some(Payload { salt, texts }) = self.look.view().payload(record.sequence) else {
            return (Vec::new(), Beside::Erased);
        };
        let all = texts.len();
        let shown: Vec<(String, String)> = texts
            .into_iter()
            .filter(|(label, text)| {
                let needed = if is_person(label, text) { Sight::Person } else { Sight::Texts };
                sight >= needed
            })
            .collect();
        // With the salt, a text that is not shown could be guessed.
        let beside = if shown.len() == all { Beside::Shown(salt) } else { Beside::Withheld };
        (shown, beside)
    }

    /// The record as a message; `None` if nothing of it is shown.
    pub(super) fn record_message(
        &self,
        record: &LedgerRecord,
        lang: Lang,
    ) -> Option<message::LedgerRecord> {
        self.sees(record).then(|| self.whole_message(record, lang))
    }

    /// The record as a message for whoever may see it.
    fn whole_message(&self, record: &LedgerRecord, lang: Lang) -> message::LedgerRecord {
        let json = record_json(record);
        let (texts, beside) = self.texts(record);
        let (salt, state) = match beside {
            Beside::None => (None, TextsState::None),
            Beside::Erased => (None, TextsState::Erased),
            Beside::Withheld => (None, TextsState::Withheld),
            Beside::Shown(salt) => (Some(salt), TextsState::Shown),
        };
        message::LedgerRecord {
            sequence: record.sequence,
            time: Some(timestamp(record.time)),
            subject: record.subject.to_string(),
            kind: json["fact"].as_str().unwrap_or_default().to_owned(),
            sentence: self.sentence(record, &json, lang),
            actor: record.actor.clone(),
            rule: record.rule.as_ref().map(|rule| rule.cite(lang)).unwrap_or_default(),
            record_json: json.to_string(),
            texts: texts.into_iter().map(|(label, text)| RecordText { label, text }).collect(),
            salt: salt.map(|salt| salt.to_vec()).unwrap_or_default().into(),
            texts_state: state.into(),
            actor_name: self.actor(record),
        }
    }

    /// What a clerk would write of the record.
    pub(super) fn sentence(&self, record: &LedgerRecord, json: &Value, lang: Lang) -> String {
        let kind = json["fact"].as_str().unwrap_or_default();
        let known = |name: &str| self.known(name);
        sentence::sentence(kind, &record.subject.to_string(), &json["details"], lang, &known)
    }

    /// How people call a resource, as far as everybody may know.
    pub(super) fn known(&self, name: &str) -> Option<String> {
        let name: ResourceName = name.parse().ok()?;
        let view = self.look.view();
        match &name.resource {
            Resource::Domain => Some(name.domain.to_string()),
            Resource::Organization(id) => Some(view.organization(&name.domain, *id)?.name),
            Resource::Entry(id) => {
                let entry = view.published_entry(&name.domain, *id)?;
                Some(format!("《{}》", entry.content.title))
            }
            Resource::System(organization, id) => {
                Some(view.system(&name.domain, *organization, *id)?.display_name)
            }
            Resource::Request(id) => Some(view.request(&name.domain, *id)?.case_number)
                .filter(|number| !number.is_empty()),
            _ => None,
        }
    }

    /// Who caused a record, as people call them.
    pub(super) fn actor(&self, record: &LedgerRecord) -> String {
        let organization = record.actor.split('/').take(3).collect::<Vec<_>>().join("/");
        self.known(&format!("domains/{organization}")).unwrap_or_else(|| record.actor.clone())
    }
}

/// What is beside a record.
pub(super) enum Beside {
    /// Nothing, and never was.
    None,
    /// All of it is shown; with the salt of the digests.
    Shown([u8; 16]),
    /// Some of it is not for this caller.
    Withheld,
    /// It was erased, or deleted after the end of retention.
    Erased,
}

/// Persons are in texts by their ids, whatever the label of a later program.
pub(super) fn is_person(label: &str, text: &str) -> bool {
    PERSONS.contains(&label) || text.parse::<PersonId>().is_ok()
}

/// Whether `name` is `whole`, or something below it.
pub(super) fn within(name: &str, whole: &str) -> bool {
    name.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether a text somewhere in `value` is one that is wanted.
pub(super) fn says(value: &Value, wanted: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => wanted(text),
        Value::Array(values) => values.iter().any(|value| says(value, wanted)),
        Value::Object(fields) => fields.values().any(|value| says(value, wanted)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The first of `size` records at or after `time`; they are in the order of time.
pub(super) fn first_at(ledger: &Ledger<'_>, size: u64, time: UtcMillis) -> u64 {
    let (mut low, mut high) = (0, size);
    while low < high {
        let middle = low + (high - low) / 2;
        let before = ledger.record(middle).is_some_and(|record| record.time < time);
        if before {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}
