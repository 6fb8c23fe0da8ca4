//! Organizations, their persons and their business systems.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{
    credit_code::CreditCode,
    ids::{DomainId, OrganizationId, PersonId, SystemId},
    time::{LocalDate, UtcMillis},
};

/// What kind of body an organization is: the classes that the scopes of rules name.
///
/// Scope is a property of the pair of asker and provider (decree 809 art. 2; requirements §0.3).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize,
)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum PartyClass {
    /// 政务部门
    #[n(0)]
    GovernmentDepartment,
    /// 法律、法规授权的具有管理公共事务职能的组织
    #[n(1)]
    LawAuthorizedOrganization,
    /// A state organ outside the government: congress, court, procuratorate, supervision.
    #[n(2)]
    OtherStateOrgan,
    /// 公共服务组织
    #[n(3)]
    PublicServiceOrganization,
    /// A natural or legal person of society.
    #[n(4)]
    Society,
    /// A developer on the fusion-development platform.
    #[n(5)]
    Developer,
}

/// The two catalogs of CAT-01; also the capacity in which a unit compiles an entry.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize,
)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum DataKind {
    /// 政务数据
    #[n(0)]
    GovernmentData,
    /// 公共服务数据
    #[n(1)]
    PublicServiceData,
}

/// The part an organization plays for the platform of its domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum PlatformRole {
    /// 大数据主管部门: publishes the catalog, consents to extensions, receives escalations.
    #[n(0)]
    Authority,
    /// 公共数据资源管理机构: handles requests, decides nothing (REG22 18).
    #[n(1)]
    PlatformManager,
    /// 人民政府 of this level: receives what the authority itself owes.
    #[n(2)]
    Government,
}

/// A body that provides or asks for data.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Organization {
    /// Its id.
    #[n(0)]
    pub id: OrganizationId,
    /// The domain in which it is registered.
    #[n(1)]
    pub domain: DomainId,
    /// Its name, usually Chinese.
    #[n(2)]
    pub name: String,
    /// Its English name; empty if none was given.
    #[n(3)]
    pub name_en: String,
    /// The unified social credit code (GB 32100). Unverified, imported organizations may lack it.
    #[n(4)]
    pub credit_code: Option<CreditCode>,
    /// Its class; unknown until someone verified the organization.
    #[n(5)]
    pub class: Option<PartyClass>,
    /// The kinds of catalog which it may compile (CAT-01), in order, each once.
    #[n(6)]
    pub capacities: Vec<DataKind>,
    /// Its part for the platform, if it has one.
    #[n(7)]
    pub platform_role: Option<PlatformRole>,
    /// GB/T 2260 code of its seat; empty if unknown.
    #[n(8)]
    pub region_code: String,
    /// Whether its name, code and class were checked by the platform; imports are not.
    #[n(9)]
    pub verified: bool,
    /// Counts up from 1 with every change; the etag is `"v{version}"`.
    #[n(10)]
    pub version: u64,
    /// Committed time of the first version.
    #[n(11)]
    pub created_time: UtcMillis,
    /// Committed time of this version.
    #[n(12)]
    pub updated_time: UtcMillis,
}

/// What a person on file does for the organization (CAT-18).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum PersonRole {
    /// 部门负责人: consents to the unit's catalog (decree 809 art. 13).
    #[n(0)]
    DepartmentHead,
    /// 政务数据共享工作机构负责人: consents to requests and answers (arts. 11, 20).
    #[n(1)]
    SharingOfficeHead,
    /// 首席数据官 or leader in charge.
    #[n(2)]
    ChiefDataOfficer,
    /// Who compiles, files and answers from day to day.
    #[n(3)]
    Operator,
}

/// A role with its time (CAT-18).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RoleTerm {
    /// The role.
    #[n(0)]
    pub role: PersonRole,
    /// First day.
    #[n(1)]
    pub from: LocalDate,
    /// Last day; absent = open.
    #[n(2)]
    pub until: Option<LocalDate>,
}

/// A person of an organization.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Person {
    /// The id.
    #[n(0)]
    pub id: PersonId,
    /// The organization for which the person acts.
    #[n(1)]
    pub organization: OrganizationId,
    /// The name; never in the ledger but as a salted digest (SEC-03).
    #[n(2)]
    pub display_name: String,
    /// The roles, in order, each once.
    #[n(3)]
    pub roles: Vec<PersonRole>,
    /// Counts up from 1 with every change.
    #[n(4)]
    pub version: u64,
    /// Committed time of the first version.
    #[n(5)]
    pub created_time: UtcMillis,
    /// Committed time of this version.
    #[n(6)]
    pub updated_time: UtcMillis,
    /// Roles with their time, past ones included; absent = `roles` without limit.
    #[n(7)]
    pub terms: Option<Vec<RoleTerm>>,
}

impl Person {
    /// Whether the person has this role on this day.
    pub fn holds(&self, role: PersonRole, day: LocalDate) -> bool {
        match &self.terms {
            None => self.roles.contains(&role),
            Some(terms) => terms.iter().any(|term| term.role == role && term.covers(day)),
        }
    }

    /// Whether the person is on the list on this day: with any role.
    pub fn serves(&self, day: LocalDate) -> bool {
        match &self.terms {
            None => !self.roles.is_empty(),
            Some(terms) => terms.iter().any(|term| term.covers(day)),
        }
    }
}

impl RoleTerm {
    /// Whether the day lies within the term.
    pub fn covers(&self, day: LocalDate) -> bool {
        self.from <= day && self.until.is_none_or(|until| day <= until)
    }
}

/// A business system of an organization: what holds data, and what asks for them.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct System {
    /// The id.
    #[n(0)]
    pub id: SystemId,
    /// The organization that runs it.
    #[n(1)]
    pub organization: OrganizationId,
    /// Its name.
    #[n(2)]
    pub display_name: String,
    /// What it does and where it stands, in words.
    #[n(3)]
    pub description: String,
    /// Counts up from 1 with every change.
    #[n(4)]
    pub version: u64,
    /// Committed time of the first version.
    #[n(5)]
    pub created_time: UtcMillis,
    /// Committed time of this version.
    #[n(6)]
    pub updated_time: UtcMillis,
}
