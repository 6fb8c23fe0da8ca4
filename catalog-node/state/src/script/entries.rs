//! Stories about entries: compiled, consented to, published, taken out.

use catalog_model::{
    catalog_entry::{
        Assessment, AssessmentKind, DataFormat, DataItem, EntryContent, EntryOrigin, Grade,
        ItemType, OpenType, SharingMethod, SourceLink, UpdateCycle,
    },
    ids::{EntryId, OrganizationId},
    name::Resource,
    reason::Reason,
    rule::Rank,
    sharing::{LegalCitation, SharingAttribute, SharingKind},
};

use super::{Line, World, setup::data_kind};
use crate::{
    command::{Body, ImportedEntry},
    outcome::Outcome,
    rows::ConsentKind,
};

impl World {
    /// `register plates provider=police [kind=government] [content…]`
    pub(super) fn register(&mut self, line: &Line) {
        let alias = line.subject().to_owned();
        let id = EntryId::from_bytes(self.draw());
        self.name(&alias, Resource::Entry(id));
        let provider = line.value("provider").to_owned();
        let content = self.entry_content(line, EntryContent::default(), &alias);
        let body = Body::RegisterEntry {
            id,
            provider: self.organization_id(&provider),
            kind: data_kind(line.or("kind", "government")),
            content,
        };
        self.call(line, &format!("{provider}.system"), body);
    }

    /// `update plates [etag=N] [content…]`: what is not named stays.
    pub(super) fn update(&mut self, line: &Line) {
        let id = self.entry_id(line.subject());
        let entry = self.view().entry(&self.domain(), id).expect("an entry of this catalog");
        let caller = self.provider_system(id);
        let content = self.entry_content(line, entry.content.clone(), line.subject());
        let version = etag(line, entry.version);
        self.call(line, &caller, Body::UpdateEntry { id, version, content });
    }

    /// `submit plates`, `publish plates`
    pub(super) fn move_entry(&mut self, line: &Line) {
        let id = self.entry_id(line.subject());
        let entry = self.view().entry(&self.domain(), id).expect("an entry of this catalog");
        let version = etag(line, entry.version);
        if line.verb == "submit" {
            let caller = self.provider_system(id);
            let outcome = self.call(line, &caller, Body::SubmitEntry { id, version });
            self.check_as_submitted(line, id, &outcome);
        } else {
            let caller = format!("{}.authority.system", self.domain());
            self.call(line, &caller, Body::PublishEntry { id, version });
        }
    }

    /// What a pre-check says of the entry is what came of its submission: no script passes in which
    /// it promises more or less. Who may submit, and what was read, it does not say.
    fn check_as_submitted(&mut self, line: &Line, id: EntryId, outcome: &Outcome) {
        const ASIDE: [Reason; 4] = [
            Reason::CallerNotPermitted,
            Reason::EtagMismatch,
            Reason::EntryStateWrong,
            Reason::SubmitterNotOnFile,
        ];
        let refused = outcome.refusal().map(|refusal| refusal.reason);
        let aside = refused.is_some_and(|reason| ASIDE.contains(&reason));
        let repeated = line.get("request_id").is_some();
        if self.view().level() < 3 || aside || repeated {
            return;
        }
        let check = self.view().check_entry(&self.domain(), id).expect("an entry of this catalog");
        let promised = check.findings.first().map(|finding| finding.reason);
        if promised != refused {
            self.say(format!("VIOLATED pre-check: says {promised:?}, came {refused:?}"));
        }
    }

    /// `return plates reason=…`, `take_out plates reason=…`
    pub(super) fn end_entry(&mut self, line: &Line) {
        let id = self.entry_id(line.subject());
        let entry = self.view().entry(&self.domain(), id).expect("an entry of this catalog");
        let version = etag(line, entry.version);
        let reason = line.or("reason", "").to_owned();
        if line.verb == "return" {
            let caller = format!("{}.authority.system", self.domain());
            self.call(line, &caller, Body::ReturnEntry { id, version, reason });
        } else {
            let caller = self.provider_system(id);
            self.call(line, &caller, Body::WithdrawEntry { id, version, reason });
        }
    }

    /// `listed plates provider=police [kind=…] [standing] [content…]`: the whole way into the
    /// catalog, as the provider, its head and the authority go it.
    pub(super) fn listed(&mut self, line: &Line) {
        let alias = line.subject().to_owned();
        let id = EntryId::from_bytes(self.draw());
        let name = self.name(&alias, Resource::Entry(id));
        let provider = line.value("provider").to_owned();
        let content = complete(&alias, self.system_id(&format!("{provider}.system")));
        let content = self.entry_content(line, content, &alias);
        let system = self.caller(&format!("{provider}.system"));
        self.caller = Some(system.clone());
        let organization = self.organization_id(&provider);
        let kind = data_kind(line.or("kind", "government"));
        let mut outcomes = vec![self.commit(
            Body::RegisterEntry { id, provider: organization, kind, content },
            None,
            None,
            "",
        )];
        let consent = |kind, person| Body::GiveConsent {
            subject: name.clone(),
            version: 1,
            kind,
            person,
            answer: None,
        };
        let head = self.person_id(&format!("{provider}.head"));
        outcomes.push(self.commit(consent(ConsentKind::Catalog, head), None, None, ""));
        if line.subjects.iter().any(|word| word == "standing") {
            let office = self.person_id(&format!("{provider}.office"));
            let body = consent(ConsentKind::StandingAnswer, office);
            outcomes.push(self.commit(body, None, None, ""));
        }
        outcomes.push(self.commit(Body::SubmitEntry { id, version: 1 }, None, None, ""));
        self.caller = Some(self.caller(&format!("{}.authority.system", self.domain())));
        outcomes.push(self.commit(Body::PublishEntry { id, version: 2 }, None, None, ""));
        let last = outcomes
            .iter()
            .find(|outcome| outcome.refusal().is_some())
            .unwrap_or(&outcomes[outcomes.len() - 1]);
        let shown = self.shown(last);
        self.say(shown);
    }

    /// `import NAME… provider_name=… [title=…] [portal=…] [sharing=…] [abstract=…]`: one batch
    /// with a line for each name.
    pub(super) fn import(&mut self, line: &Line) {
        let mut entries = Vec::new();
        for (place, alias) in line.subjects.iter().enumerate() {
            let id = EntryId::from_bytes(self.draw());
            self.name(alias, Resource::Entry(id));
            let organization = OrganizationId::from_bytes(self.draw());
            let mut content = self.entry_content(line, EntryContent::default(), alias);
            content.open_type = Some(OpenType::OnApplication);
            entries.push(ImportedEntry {
                id,
                organization,
                provider_name: line.or("provider_name", "").to_owned(),
                provider_name_en: String::new(),
                content,
                origin: EntryOrigin::OpenPortal {
                    portal: line.or("portal", "open portal").to_owned(),
                    seq: place as u64 + 1,
                    open_type_raw: "依申请开放".to_owned(),
                    update_cycle_raw: String::new(),
                },
            });
        }
        let manager = format!("{}.manager.system", self.domain());
        self.call(line, &manager, Body::ImportEntries { entries });
    }

    /// `consent KIND SUBJECT person=police.head [version=N] [by=…] [answer words…]`
    pub(super) fn consent(&mut self, line: &Line) {
        let kind = match line.subject() {
            "catalog" => ConsentKind::Catalog,
            "request" => ConsentKind::Request,
            "answer" => ConsentKind::Answer,
            "standing_answer" => ConsentKind::StandingAnswer,
            kind => panic!("`{kind}` is no kind of consent"),
        };
        let subject = self.named(&line.subjects[1]);
        let current = match subject.resource {
            Resource::Entry(id) => {
                self.view().entry(&subject.domain, id).map_or(1, |entry| entry.version)
            }
            Resource::Request(id) => {
                self.view().request(&subject.domain, id).map_or(1, |case| case.version)
            }
            _ => 1,
        };
        let person = line.value("person").to_owned();
        let body = Body::GiveConsent {
            subject,
            version: line.get("version").map_or(current, |text| text.parse().expect("a version")),
            kind,
            person: self.person_id(&person),
            answer: line.subjects.get(2).map(|word| super::requests::answer_in(line, word)),
        };
        let outcome = self.call(line, &person, body);
        if let Outcome::Done(_) = outcome {
            self.say(format!("consent of {person}"));
        }
    }

    pub(super) fn provider_system(&self, id: EntryId) -> String {
        let entry = self.view().entry(&self.domain(), id).expect("an entry of this catalog");
        let provider = Resource::Organization(entry.provider);
        let alias = self.names.iter().find(|(_, name)| name.resource == provider);
        match alias {
            Some((alias, _)) => format!("{alias}.system"),
            // A provider that came with an import has no name in the story yet.
            None => format!("{}.manager.system", self.domain()),
        }
    }

    /// Content by the line's words: `title abstract items sharing scope purpose reason basis grade
    /// links assessments method formats cycle conditions`.
    fn entry_content(&self, line: &Line, mut content: EntryContent, title: &str) -> EntryContent {
        if content.title.is_empty() {
            title.clone_into(&mut content.title);
        }
        let set = |name: &str, field: &mut String| {
            if let Some(text) = line.get(name) {
                text.clone_into(field);
            }
        };
        set("title", &mut content.title);
        set("abstract", &mut content.abstract_text);
        set("conditions", &mut content.conditions_of_use);
        set("duty_basis", &mut content.duty_basis);
        if let Some(items) = line.list("items") {
            content.items = items.iter().map(|item| data_item(item)).collect();
        }
        if let Some(grade) = line.get("grade") {
            content.grade = match grade {
                "none" => None,
                "important" => Some(Grade::Important),
                "core" => Some(Grade::Core),
                general => Some(Grade::General(general.parse().expect("a grade"))),
            };
        }
        if let Some(systems) = line.list("links") {
            content.links = systems
                .iter()
                .map(|system| SourceLink {
                    system: self.system_id(system),
                    dataset: "table".to_owned(),
                })
                .collect();
        }
        if let Some(words) = line.list("assessments") {
            content.assessments = words.iter().map(|word| assessment(word)).collect();
        }
        if let Some(method) = line.get("method") {
            content.sharing_method =
                (method == "interface").then_some(SharingMethod::ServiceInterface);
        }
        if let Some(format) = line.get("formats") {
            content.formats = if format == "none" { vec![] } else { vec![DataFormat::Database] };
        }
        if let Some(cycle) = line.get("cycle") {
            content.update_cycle = (cycle == "day").then_some(UpdateCycle::Day);
        }
        let text = |name: &str| line.or(name, "").to_owned();
        let basis = line.get("basis").map(citation);
        match line.get("sharing") {
            None => {}
            Some("none") => content.sharing = None,
            Some("unconditional") => content.sharing = Some(SharingAttribute::Unconditional),
            Some("conditional") => {
                content.sharing = Some(SharingAttribute::Conditional {
                    scope: text("scope"),
                    purpose: text("purpose"),
                    basis,
                });
            }
            Some("not_shared") => {
                content.sharing =
                    Some(SharingAttribute::NotShared { reason: text("reason"), basis });
            }
            Some(other) => panic!("`{other}` is no sharing attribute"),
        }
        Self::particulars(line, &mut content);
        content
    }
}

/// The version that a line says it has read.
pub(super) fn etag(line: &Line, current: u64) -> u64 {
    line.get("etag").map_or(current, |text| text.parse().expect("a version"))
}

/// An entry that says all that decree 809 asks, graded 2 and assessed.
fn complete(title: &str, system: catalog_model::ids::SystemId) -> EntryContent {
    EntryContent {
        title: title.to_owned(),
        abstract_text: format!("about {title}"),
        formats: vec![DataFormat::Database],
        items: vec![data_item("name"), data_item("number")],
        update_cycle: Some(UpdateCycle::Day),
        sharing: Some(SharingAttribute::Conditional {
            scope: "departments of the city".to_owned(),
            purpose: "their duties".to_owned(),
            basis: None,
        }),
        sharing_method: Some(SharingMethod::ServiceInterface),
        grade: Some(Grade::General(2)),
        assessments: vec![assessment("secrecy"), assessment("personal")],
        links: vec![SourceLink { system, dataset: "table".to_owned() }],
        ..EntryContent::default()
    }
}

/// `name`, `name:not_shared`, `name:conditional`
fn data_item(text: &str) -> DataItem {
    let (name, attribute) = text.split_once(':').unwrap_or((text, ""));
    let sharing = match attribute {
        "" => None,
        "unconditional" => Some(SharingKind::Unconditional),
        "conditional" => Some(SharingKind::Conditional),
        "not_shared" => Some(SharingKind::NotShared),
        other => panic!("`{other}` is no sharing attribute"),
    };
    let forbidden = sharing == Some(SharingKind::NotShared);
    DataItem {
        name: name.to_owned(),
        name_en: String::new(),
        item_type: ItemType::Character,
        description: String::new(),
        sharing,
        grade: None,
        personal: false,
        basis: forbidden.then(|| citation("Statistics Law|25|law|不得对外提供")),
    }
}

/// `secrecy`, `personal`, with `!` for one that failed.
fn assessment(word: &str) -> Assessment {
    let (word, passed) = word.strip_suffix('!').map_or((word, true), |word| (word, false));
    let kind = match word {
        "secrecy" => AssessmentKind::SecrecyRisk,
        "personal" => AssessmentKind::PersonalInformationImpact,
        other => panic!("`{other}` is no assessment"),
    };
    Assessment { kind, passed, date: "2026-09-01".parse().expect("a date"), note: String::new() }
}

/// `title|article|rank|quote`
pub(super) fn citation(text: &str) -> LegalCitation {
    let parts: Vec<&str> = text.split('|').collect();
    let part = |place: usize| parts.get(place).copied().unwrap_or_default().to_owned();
    let ranks = [
        Rank::Law,
        Rank::AdministrativeRegulation,
        Rank::StateCouncilDecision,
        Rank::SpecialZoneRegulation,
        Rank::LocalGovernmentRule,
        Rank::NormativeDocument,
        Rank::OtherStatePolicy,
    ];
    let rank = ranks.into_iter().find(|rank| rank.name() == part(2)).expect("a rank");
    LegalCitation { title: part(0), article: part(1), rank, quote: part(3) }
}
