//! Stories begin: a cluster with its authority, platform manager and government, and the
//! organizations that provide and ask.

use std::collections::BTreeSet;

use catalog_model::{
    credit_code::CreditCode,
    ids::{DomainId, OrganizationId, PersonId, SystemId},
    name::Resource,
    organization::{DataKind, Organization, PartyClass, Person, PersonRole, PlatformRole, System},
    rule_pack::RulePack,
};

use super::{Cluster, Line, World, domain, instant, line::list};
use crate::{
    command::{Body, Bootstrap, OrganizationContent},
    invariants,
    machine::Machine,
    outcome::Outcome,
    rows::{ClusterConfig, DomainKind, Peer, PeerRelation},
    store::MemStore,
};

/// The calendar that comes with the product, as it is loaded.
pub(super) const CALENDAR: &str = include_str!("../../../model/data/calendar.csv");

impl World {
    /// `cluster xiamen [composition=xiamen-today] [clock="2026-09-21 09:00"] [peers=siming]
    /// [development] [answer_days=N] [level=2] [members=1,2,3] [switch=agreement_before_use]`
    /// [development] [answer_days=N] [without=RULE,RULE] [level=2] [members=1,2,3]`
    /// [development] [answer_days=N] [level=2] [members=1,2,3] [suite=sm3]`
    pub(super) fn cluster(&mut self, line: &Line) {
        let id = domain(line.subject());
        self.here = Some(id.clone());
        self.now = line.get("clock").map_or(self.now, instant);
        let number = self.clusters.len() as u8 + 1;
        self.clusters.insert(
            id.clone(),
            Cluster {
                machine: Machine::new(),
                store: MemStore::default(),
                index: 0,
                log: Vec::new(),
                watch: invariants::Watch::default(),
            },
        );
        let kind = match line.or("kind", "city") {
            "province" => DomainKind::Province,
            "district" => DomainKind::District,
            _ => DomainKind::City,
        };
        let composition = line.or("composition", "xiamen-today").to_owned();
        let cluster = ClusterConfig {
            cluster_id: [number; 16],
            generation: 1,
            domain: id.clone(),
            kind,
            display_name: id.to_string(),
            development_clock: line.subjects.iter().any(|word| word == "development"),
            composition,
            page_token_key: [number; 32],
            hash_suite: line.get("suite").map(super::proof::suite),
        };
        let mut bootstrap = Bootstrap {
            cluster,
            clock: self.now,
            calendar: CALENDAR.to_owned(),
            rule_pack: without(
                &switched_on(
                    with_fuzhou(rule_pack(line.get("answer_days")), line.or("composition", "")),
                    line.get("switch"),
                ),
                &self.rules_off(&list(line.or("without", ""))),
            ),
            organizations: Vec::new(),
            persons: Vec::new(),
            systems: Vec::new(),
            peers: list(line.or("peers", ""))
                .iter()
                .map(|peer| Peer { domain: domain(peer), relation: PeerRelation::Subordinate })
                .collect(),
            level: line.get("level").map(|level| level.parse().expect("a level")),
            members: line.get("members").map(super::members::members),
        };
        // `recipient=authority`: a pack in which error reports go there (FZ-M 18).
        if let Some(recipient) = line.get("recipient") {
            let key = "\"key\":\"quality.correction.recipient\",\"value\":";
            let (law, other) = (format!("{key}\"provider\""), format!("{key}\"{recipient}\""));
            bootstrap.rule_pack = bootstrap.rule_pack.replace(&law, &other);
        }
        for (word, role) in [
            ("authority", PlatformRole::Authority),
            ("manager", PlatformRole::PlatformManager),
            ("government", PlatformRole::Government),
        ] {
            let alias = format!("{id}.{word}");
            let organization = self.founder(&id, &alias, role);
            let (persons, system) = self.staff(&alias, organization.id);
            for (person, roles) in persons {
                bootstrap.persons.push(Person {
                    id: person,
                    organization: organization.id,
                    display_name: format!("{alias} person"),
                    roles,
                    version: 1,
                    created_time: self.now,
                    updated_time: self.now,
                    terms: None,
                });
            }
            bootstrap.systems.push(System {
                id: system,
                organization: organization.id,
                display_name: format!("{alias} system"),
                description: String::new(),
                version: 1,
                created_time: self.now,
                updated_time: self.now,
            });
            bootstrap.organizations.push(organization);
        }
        self.call(line, "node", Body::Bootstrap(Box::new(bootstrap)));
    }

    fn founder(&mut self, domain: &DomainId, alias: &str, role: PlatformRole) -> Organization {
        let id = OrganizationId::from_bytes(self.draw());
        self.name(alias, Resource::Organization(id));
        Organization {
            id,
            domain: domain.clone(),
            name: alias.to_owned(),
            name_en: String::new(),
            credit_code: Some(credit_code(self.drawn)),
            class: Some(PartyClass::GovernmentDepartment),
            capacities: vec![DataKind::GovernmentData],
            platform_role: Some(role),
            region_code: String::new(),
            verified: true,
            version: 1,
            created_time: self.now,
            updated_time: self.now,
        }
    }

    /// Names for a head, a head of the sharing office, a clerk and a system.
    fn staff(
        &mut self,
        alias: &str,
        organization: OrganizationId,
    ) -> (Vec<(PersonId, Vec<PersonRole>)>, SystemId) {
        let roles = [
            ("head", PersonRole::DepartmentHead),
            ("office", PersonRole::SharingOfficeHead),
            ("clerk", PersonRole::Operator),
        ];
        let persons = roles.map(|(word, role)| {
            let id = PersonId::from_bytes(self.draw());
            self.name(&format!("{alias}.{word}"), Resource::Person(organization, id));
            (id, vec![role])
        });
        let system = SystemId::from_bytes(self.draw());
        self.name(&format!("{alias}.system"), Resource::System(organization, system));
        (persons.to_vec(), system)
    }

    /// `organization police [class=public_service] [capacities=…] [unverified] [code=…] [name=…]`
    /// (`code=fire` is that of another organization):
    /// files it with `police.head`, `police.office`, `police.clerk` and `police.system`.
    pub(super) fn organization(&mut self, line: &Line) {
        let alias = line.subject().to_owned();
        let id = OrganizationId::from_bytes(self.draw());
        self.name(&alias, Resource::Organization(id));
        let content = self.content(line, &alias);
        let manager = format!("{}.manager.system", self.domain());
        let outcome = self.call(line, &manager, Body::CreateOrganization { id, content });
        if let Outcome::Done(_) = outcome {
            self.file_staff(&alias, id, &manager);
        }
    }

    fn file_staff(&mut self, alias: &str, organization: OrganizationId, manager: &str) {
        let (persons, system) = self.staff(alias, organization);
        self.caller = Some(self.caller(manager));
        for (id, roles) in persons {
            let display_name = format!("{alias} person");
            let body = Body::CreatePerson { id, organization, display_name, roles };
            self.commit(body, None, None, "");
        }
        let body = Body::CreateSystem {
            id: system,
            organization,
            display_name: format!("{alias} system"),
            description: String::new(),
        };
        self.commit(body, None, None, "");
    }

    /// `verify NAME class=…`: an organization that came with an import is checked and staffed.
    pub(super) fn verify(&mut self, line: &Line) {
        let alias = line.subject().to_owned();
        let key = crate::keys::organization_name(&self.domain(), line.value("name"));
        let id: OrganizationId = self.view().get(&key).expect("an imported organization");
        self.name(&alias, Resource::Organization(id));
        let version = self.view().organization(&self.domain(), id).expect("on file").version;
        let content = self.content(line, &alias);
        let manager = format!("{}.manager.system", self.domain());
        self.call(line, &manager, Body::UpdateOrganization { id, version, content });
        self.file_staff(&alias, id, &manager);
    }

    fn content(&mut self, line: &Line, alias: &str) -> OrganizationContent {
        let unverified = line.subjects.iter().any(|word| word == "unverified");
        let code = credit_code(self.drawn).to_string();
        let stated = match line.get("code") {
            Some(alias) if self.names.contains_key(alias) => {
                let id = self.organization_id(alias);
                let of = self.view().organization(&self.domain(), id).expect("on file");
                of.credit_code.expect("a code").to_string()
            }
            Some(code) => code.to_owned(),
            None => code,
        };
        let class = match line.or("class", "government") {
            "government" => PartyClass::GovernmentDepartment,
            "public_service" => PartyClass::PublicServiceOrganization,
            "court" => PartyClass::OtherStateOrgan,
            class => panic!("`{class}` is no class"),
        };
        let kinds = list(line.or("capacities", "government"));
        OrganizationContent {
            name: line.or("name", alias).to_owned(),
            name_en: String::new(),
            credit_code: if unverified { String::new() } else { stated },
            class: (!unverified).then_some(class),
            capacities: kinds.iter().map(|kind| data_kind(kind)).collect(),
            platform_role: None,
            region_code: String::new(),
        }
    }
}

pub(super) fn data_kind(word: &str) -> DataKind {
    match word {
        "government" => DataKind::GovernmentData,
        "public_service" => DataKind::PublicServiceData,
        kind => panic!("`{kind}` is no kind of data"),
    }
}

/// The pack that comes with the product; for tests of the clock one in which decree 809 holds
/// from the beginning and gives `answer_days` for the answer.
fn rule_pack(answer_days: Option<&str>) -> String {
    let pack = RulePack::embedded().json().to_owned();
    let Some(days) = answer_days else { return pack };
    let pack =
        pack.replace("\"effective_from\":\"2025-08-01\"", "\"effective_from\":\"2018-01-01\"");
    let (before, rule) = pack
        .split_once("\"id\":\"N809-21-1-conditional-answer\"")
        .expect("the pack has the answer clock of decree 809");
    let rule = rule.replacen("\"value\":10", &format!("\"value\":{days}"), 1);
    format!("{before}\"id\":\"N809-21-1-conditional-answer\"{rule}")
}

/// The pack with a composition of Fuzhou's texts, which the product's own does not list.
fn with_fuzhou(pack: String, composition: &str) -> String {
    if composition != "fuzhou-today" {
        return pack;
    }
    let list = "\"compositions\":{";
    assert!(pack.contains(list), "the pack has compositions");
    let order = "\"order\":[\"national\",\"fuzhou\",\"house\"],\"by_scope\":[]";
    pack.replacen(list, &format!("{list}\"fuzhou-today\":{{{order}}},"), 1)
}

/// The pack with switches of the house turned on.
fn switched_on(pack: String, switches: Option<&str>) -> String {
    const TABLE: &str = "\"submitter_may_approve\":false";
    assert!(pack.contains(TABLE), "the pack has the rule on separation of duties");
    switches
        .into_iter()
        .flat_map(|switches| switches.split(','))
        .fold(pack, |pack, switch| pack.replacen(TABLE, &format!("{TABLE},\"{switch}\":true"), 1))
}

impl World {
    /// The rules that a story takes out of its pack, and those that are missing in this world.
    fn rules_off(&self, without: &[String]) -> Vec<String> {
        without.iter().chain(&self.off).cloned().collect::<BTreeSet<_>>().into_iter().collect()
    }
}

/// The pack without these rules.
pub(super) fn without(pack: &str, rules: &[String]) -> String {
    let mut pack = pack.to_owned();
    for id in rules {
        let start = pack.find(&format!("{{\"id\":\"{id}\"")).expect("a rule of the pack");
        cut_object(&mut pack, start);
        // What others name as the consequence of their breach.
        pack = pack.replace(&format!("\"on_breach\":\"{id}\","), "");
        // Where a composition names it: as expired, or in a list.
        while let Some(start) = pack.find(&format!("{{\"rule\":\"{id}\"")) {
            cut_object(&mut pack, start);
        }
        for named in [format!("\"{id}\","), format!(",\"{id}\""), format!("\"{id}\"")] {
            pack = pack.replace(&named, "");
        }
    }
    pack
}

/// Takes the object that begins at `start` out of a list, with the comma before or after it.
fn cut_object(json: &mut String, start: usize) {
    let (mut depth, mut quoted, mut escaped) = (0, false, false);
    let end = json[start..].char_indices().find_map(|(place, c)| {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            '{' if !quoted => depth += 1,
            '}' if !quoted => depth -= 1,
            _ => {}
        }
        (depth == 0).then_some(start + place + 1)
    });
    let end = end.expect("an object ends");
    let after = usize::from(json[end..].starts_with(','));
    let before = usize::from(after == 0 && json[..start].ends_with(','));
    json.replace_range(start - before..end + after, "");
}

/// A code that can exist: check characters are tried out, so that only one place knows the rule.
fn credit_code(number: u128) -> CreditCode {
    const CHARACTERS: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";
    let body = format!("11350200{:08}", number % 100_000_000);
    for organization in CHARACTERS.chars() {
        for check in CHARACTERS.chars() {
            if let Ok(code) = format!("{body}{organization}{check}").parse() {
                return code;
            }
        }
    }
    unreachable!("one of the characters checks");
}
