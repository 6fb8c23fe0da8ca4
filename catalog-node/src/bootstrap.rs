//! Bootstrap: what does a cluster know before anybody has called it?
//!
//! The first command of a log names the domain, its rules and calendar, and the organizations,
//! persons and systems without which nobody could call. An operator writes them as a [`Spec`], in
//! TOML or JSON; ids that it leaves open are drawn, and given back with it.

use std::path::PathBuf;

use catalog_model::{
    calendar::WorkingDayCalendar,
    credit_code::CreditCode,
    ids::{DomainId, OrganizationId, PersonId, SystemId},
    organization::{DataKind, Organization, PartyClass, Person, PersonRole, PlatformRole, System},
    rule_pack::RulePack,
    time::UtcMillis,
};
use catalog_proofs::suite::Suite;
use catalog_state::{
    command::{Bootstrap, LEVEL},
    rows::{ClusterConfig, DomainKind, Peer, PeerRelation},
};
use serde::{Deserialize, Serialize};

use crate::random_bytes;

/// What an operator says about a new cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The domain that it serves.
    pub domain: DomainId,
    /// `province`, `city`, `district`, `department` or `fusion`.
    pub kind: Kind,
    /// Its name for people.
    pub display_name: String,
    /// The composition of rule profiles, for instance `xiamen-today`.
    pub composition: String,
    /// With which hash and signature the ledger is proved: `sha256` (with Ed25519) if absent, or the
    /// national `sm3` (with SM2), for which each node needs an SM2 key for heads. Fixed for ever.
    /// Not written where it is absent: a node of an older program, which creates the cluster as well,
    /// has no word for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<LedgerHash>,
    /// Where the clock stands at the beginning, if it is to be moved by hand, for instance
    /// `2026-09-21T09:00:00+08:00`. Fixed for ever.
    #[serde(default)]
    pub development_clock: Option<String>,
    /// A calendar other than the built-in one, as CSV.
    #[serde(default)]
    pub calendar: Option<PathBuf>,
    /// A rule pack other than the built-in one, as JSON.
    #[serde(default)]
    pub rule_pack: Option<PathBuf>,
    /// Organizations that must exist before anybody can call.
    #[serde(default)]
    pub organizations: Vec<OrganizationSpec>,
    /// Domains with which this one federates.
    #[serde(default)]
    pub peers: Vec<PeerSpec>,
}

/// The hash of a ledger; the signature goes with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LedgerHash {
    /// SHA-256, with Ed25519.
    Sha256,
    /// SM3 (GB/T 32905), with SM2 (GB/T 32918).
    Sm3,
}

impl From<LedgerHash> for Suite {
    fn from(hash: LedgerHash) -> Self {
        match hash {
            LedgerHash::Sha256 => Self::Sha256Ed25519,
            LedgerHash::Sm3 => Self::Sm3Sm2,
        }
    }
}

/// Kind of a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words are those of `DomainKind`")]
pub enum Kind {
    Province,
    City,
    District,
    Department,
    Fusion,
}

/// An organization.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrganizationSpec {
    /// A ULID; drawn if absent.
    #[serde(default)]
    pub id: Option<String>,
    /// Its name.
    pub name: String,
    /// Its English name.
    #[serde(default)]
    pub name_en: String,
    /// Its unified social credit code; empty = unverified.
    #[serde(default)]
    pub credit_code: String,
    /// Its class.
    #[serde(default)]
    pub class: Option<PartyClass>,
    /// The catalogs that it may compile.
    #[serde(default)]
    pub capacities: Vec<DataKind>,
    /// `authority`, `platform_manager` or `government`.
    #[serde(default)]
    pub platform_role: Option<Role>,
    /// GB/T 2260 code.
    #[serde(default)]
    pub region_code: String,
    /// Its persons.
    #[serde(default)]
    pub persons: Vec<PersonSpec>,
    /// Its systems.
    #[serde(default)]
    pub systems: Vec<SystemSpec>,
}

/// Platform role of an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words are those of `PlatformRole`")]
pub enum Role {
    Authority,
    PlatformManager,
    Government,
}

/// A person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonSpec {
    /// A ULID; drawn if absent.
    #[serde(default)]
    pub id: Option<String>,
    /// The name.
    pub display_name: String,
    /// The roles.
    #[serde(default)]
    pub roles: Vec<OfficeRole>,
}

/// Role of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words are those of `PersonRole`")]
pub enum OfficeRole {
    DepartmentHead,
    SharingOfficeHead,
    ChiefDataOfficer,
    Operator,
}

/// A business system.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SystemSpec {
    /// A ULID; drawn if absent.
    #[serde(default)]
    pub id: Option<String>,
    /// The name.
    pub display_name: String,
    /// What it does.
    #[serde(default)]
    pub description: String,
}

/// A domain with which this one federates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeerSpec {
    /// Its id.
    pub domain: DomainId,
    /// `superior`, `subordinate` or `beside`.
    pub relation: Relation,
}

/// Where a peer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words are those of `PeerRelation`")]
pub enum Relation {
    Superior,
    Subordinate,
    Beside,
}

/// Why a spec cannot begin a cluster.
#[derive(Debug, thiserror::Error)]
#[error("{key}: {cause}")]
pub struct SpecError {
    /// Where in the spec.
    pub key: String,
    /// What is wrong.
    pub cause: String,
}

impl Spec {
    /// The first command of the log of cluster `cluster_id`, whose clock begins at `now` unless it
    /// is moved by hand. Draws the ids that are left open, and keeps them in the spec.
    pub fn command(
        &mut self,
        cluster_id: [u8; 16],
        now: UtcMillis,
    ) -> Result<Bootstrap, SpecError> {
        let rule_pack = match &self.rule_pack {
            None => RulePack::embedded().json().to_owned(),
            Some(file) => read(file, "rule_pack")?,
        };
        let pack = RulePack::parse(&rule_pack).map_err(|error| wrong("rule_pack", error))?;
        if !pack.compositions().any(|name| name == self.composition) {
            let known: Vec<&str> = pack.compositions().collect();
            let cause = format!("the rule pack knows {}", known.join(", "));
            return Err(wrong("composition", cause));
        }
        let calendar = match &self.calendar {
            None => include_str!("../model/data/calendar.csv").to_owned(),
            Some(file) => read(file, "calendar")?,
        };
        WorkingDayCalendar::parse(&calendar, 1).map_err(|error| wrong("calendar", error))?;
        let clock = match &self.development_clock {
            None => now,
            Some(text) => {
                let instant: jiff::Timestamp =
                    text.parse().map_err(|error| wrong("development_clock", error))?;
                let millis = u64::try_from(instant.as_millisecond())
                    .map_err(|_| wrong("development_clock", "lies before 1970"))?;
                UtcMillis(millis)
            }
        };

        let mut bootstrap = Bootstrap {
            cluster: ClusterConfig {
                cluster_id,
                generation: 1,
                domain: self.domain.clone(),
                kind: self.kind.into(),
                display_name: self.display_name.clone(),
                development_clock: self.development_clock.is_some(),
                composition: self.composition.clone(),
                page_token_key: random_bytes(),
                // Absent in every cluster with the usual one, as from the beginning.
                hash_suite: self.hash.map(Suite::from).filter(|suite| *suite != Suite::default()),
            },
            clock,
            calendar,
            rule_pack,
            organizations: Vec::new(),
            persons: Vec::new(),
            systems: Vec::new(),
            peers: self
                .peers
                .iter()
                .map(|peer| Peer { domain: peer.domain.clone(), relation: peer.relation.into() })
                .collect(),
            level: Some(LEVEL),
            members: None,
        };
        let domain = self.domain.clone();
        for (number, organization) in self.organizations.iter_mut().enumerate() {
            let key = format!("organizations[{number}]");
            organization.add_to(&mut bootstrap, &domain, &key)?;
        }
        Ok(bootstrap)
    }
}

impl OrganizationSpec {
    fn add_to(
        &mut self,
        bootstrap: &mut Bootstrap,
        domain: &DomainId,
        key: &str,
    ) -> Result<(), SpecError> {
        let at = bootstrap.clock;
        let id = OrganizationId(drawn(&mut self.id, &format!("{key}.id"))?);
        let credit_code: Option<CreditCode> = match self.credit_code.as_str() {
            "" => None,
            code => {
                Some(code.parse().map_err(|error| wrong(&format!("{key}.credit_code"), error))?)
            }
        };
        if bootstrap.organizations.iter().any(|other| other.name == self.name) {
            return Err(wrong(&format!("{key}.name"), "is another organization's"));
        }
        bootstrap.organizations.push(Organization {
            id,
            domain: domain.clone(),
            name: self.name.clone(),
            name_en: self.name_en.clone(),
            verified: credit_code.is_some() && self.class.is_some(),
            credit_code,
            class: self.class,
            capacities: self.capacities.clone(),
            platform_role: self.platform_role.map(Into::into),
            region_code: self.region_code.clone(),
            version: 1,
            created_time: at,
            updated_time: at,
        });
        for (number, person) in self.persons.iter_mut().enumerate() {
            bootstrap.persons.push(Person {
                id: PersonId(drawn(&mut person.id, &format!("{key}.persons[{number}].id"))?),
                organization: id,
                display_name: person.display_name.clone(),
                roles: person.roles.iter().map(|role| (*role).into()).collect(),
                version: 1,
                created_time: at,
                updated_time: at,
                terms: None,
            });
        }
        for (number, system) in self.systems.iter_mut().enumerate() {
            bootstrap.systems.push(System {
                id: SystemId(drawn(&mut system.id, &format!("{key}.systems[{number}].id"))?),
                organization: id,
                display_name: system.display_name.clone(),
                description: system.description.clone(),
                version: 1,
                created_time: at,
                updated_time: at,
            });
        }
        Ok(())
    }
}

/// The id that is stated, or a new one, which is then stated.
fn drawn(id: &mut Option<String>, key: &str) -> Result<ulid::Ulid, SpecError> {
    if let Some(text) = id {
        return ulid::Ulid::from_string(text).map_err(|error| wrong(key, error));
    }
    let new = ulid::Ulid::from_bytes(crate::clock::ulid_bytes());
    *id = Some(new.to_string());
    Ok(new)
}

fn read(file: &PathBuf, key: &str) -> Result<String, SpecError> {
    std::fs::read_to_string(file)
        .map_err(|error| wrong(key, format!("{}: {error}", file.display())))
}

fn wrong(key: &str, cause: impl ToString) -> SpecError {
    SpecError { key: key.to_owned(), cause: cause.to_string() }
}

macro_rules! same_words {
    ($($from:ident => $to:ident { $($word:ident)* })*) => {$(
        impl From<$from> for $to {
            fn from(word: $from) -> Self {
                match word { $($from::$word => Self::$word,)* }
            }
        }
    )*};
}

same_words! {
    Kind => DomainKind { Province City District Department Fusion }
    Role => PlatformRole { Authority PlatformManager Government }
    OfficeRole => PersonRole { DepartmentHead SharingOfficeHead ChiefDataOfficer Operator }
    Relation => PeerRelation { Superior Subordinate Beside }
}

#[cfg(test)]
mod tests;
