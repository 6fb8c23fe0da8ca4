//! The cast: who is in the catalog that the simulated clients use?
//!
//! One city domain under `xiamen-today`: an authority, two providers and two askers, each with a head
//! and a system. Everything else comes to be by commands.

use catalog_model::{
    caller::{Caller, Identity},
    catalog_entry::{
        Assessment, AssessmentKind, DataFormat, DataItem, EntryContent, EntryParticulars, Grade,
        ItemType, SelfCheck, SelfCheckKind, SharingMethod, SourceLink, UpdateCycle,
    },
    ids::{DomainId, OrganizationId, PersonId, SystemId},
    name::{Resource, ResourceName},
    organization::{DataKind, Organization, PartyClass, Person, PersonRole, PlatformRole, System},
    rule_pack::RulePack,
    share_request::{Commitment, RequestContent, Term},
    sharing::SharingAttribute,
    time::{LocalDate, UtcMillis},
};
use catalog_state::{
    command::Bootstrap,
    rows::{ClusterConfig, DomainKind, MemberRole},
};

/// The cluster's id, also that of the logs.
pub const CLUSTER_ID: [u8; 16] = [0x5a; 16];

/// The command level at which most clusters begin and to which the others are raised: that of new
/// clusters.
pub const LEVEL: u32 = catalog_state::command::LEVEL;

/// The calendar that is loaded at the beginning.
const CALENDAR: &str = include_str!("../../catalog-node/model/data/calendar.csv");

/// Names of the items of every entry; the first is always among those asked for.
pub const ITEMS: [&str; 3] = ["地址", "面积", "竣工日期"];

/// A member of the cast: an organization, its head and its system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member(u8);

/// Publishes the catalog.
pub const AUTHORITY: Member = Member(1);
/// Answerable for entries.
pub const PROVIDERS: [Member; 2] = [Member(2), Member(3)];
/// Ask for data.
pub const ASKERS: [Member; 2] = [Member(4), Member(5)];

const MEMBERS: [(Member, &str); 5] = [
    (AUTHORITY, "数据管理局"),
    (PROVIDERS[0], "房屋维修中心"),
    (PROVIDERS[1], "不动产登记中心"),
    (ASKERS[0], "消防救援支队"),
    (ASKERS[1], "统计局"),
];

impl Member {
    /// Its organization.
    pub fn organization(self) -> OrganizationId {
        OrganizationId::from_bytes([self.0; 16])
    }

    /// Its head, in every respect that rules ask for.
    pub fn head(self) -> PersonId {
        PersonId::from_bytes([self.0 | 0x40; 16])
    }

    /// Its business system.
    pub fn system(self) -> SystemId {
        SystemId::from_bytes([self.0 | 0x20; 16])
    }

    /// The head by a credential of their own.
    pub fn as_head(self) -> Caller {
        caller(Identity::Person { organization: self.organization(), person: self.head() })
    }

    /// The system, speaking for the head.
    pub fn as_system(self) -> Caller {
        caller(Identity::System {
            organization: self.organization(),
            system: self.system(),
            asserted_person: Some(self.head()),
        })
    }
}

/// The one domain.
pub fn domain() -> DomainId {
    "xiamen".parse().expect("a domain id")
}

fn caller(identity: Identity) -> Caller {
    Caller { domain: domain(), identity }
}

/// The caller of what node `id` proposes on its own.
pub fn node_caller(id: u64) -> Caller {
    caller(Identity::Node { id: format!("node-{id}") })
}

/// The members with which every cluster begins.
pub const FOUNDERS: [u64; 3] = [1, 2, 3];

/// The address of a node, as far as nodes have one here.
pub fn address(id: u64) -> String {
    format!("node-{id}.sim:7000")
}

/// The first command of the log, at calendar time `clock`, of a cluster of `founders` that
/// begins at `level`.
pub fn bootstrap(clock: UtcMillis, founders: &[u64], level: u32) -> Bootstrap {
    let cluster = ClusterConfig {
        cluster_id: CLUSTER_ID,
        generation: 1,
        domain: domain(),
        kind: DomainKind::City,
        display_name: "厦门市".to_owned(),
        development_clock: false,
        composition: "xiamen-today".to_owned(),
        page_token_key: [7; 32],
        hash_suite: None,
    };
    let organization = |(member, name): (Member, &str)| Organization {
        id: member.organization(),
        domain: domain(),
        name: name.to_owned(),
        name_en: String::new(),
        credit_code: None,
        class: Some(PartyClass::GovernmentDepartment),
        capacities: vec![DataKind::GovernmentData],
        platform_role: (member == AUTHORITY).then_some(PlatformRole::Authority),
        region_code: "350200".to_owned(),
        verified: true,
        version: 1,
        created_time: clock,
        updated_time: clock,
    };
    let person = |(member, _): (Member, &str)| Person {
        id: member.head(),
        organization: member.organization(),
        display_name: "负责人".to_owned(),
        roles: vec![PersonRole::DepartmentHead, PersonRole::SharingOfficeHead],
        version: 1,
        created_time: clock,
        updated_time: clock,
        terms: None,
    };
    let system = |(member, _): (Member, &str)| System {
        id: member.system(),
        organization: member.organization(),
        display_name: "业务系统".to_owned(),
        description: String::new(),
        version: 1,
        created_time: clock,
        updated_time: clock,
    };
    Bootstrap {
        cluster,
        clock,
        calendar: CALENDAR.to_owned(),
        rule_pack: RulePack::embedded().json().to_owned(),
        organizations: MEMBERS.map(organization).into(),
        persons: MEMBERS.map(person).into(),
        systems: MEMBERS.map(system).into(),
        peers: Vec::new(),
        level: (level > 1).then_some(level),
        members: (level > 1).then(|| {
            founders
                .iter()
                .map(|id| catalog_state::rows::Member {
                    id: *id,
                    address: address(*id),
                    role: MemberRole::Voter,
                    site: None,
                })
                .collect()
        }),
    }
}

/// An entry that the rules let through; `today` dates its assessments. From level 3 on it states the
/// self-checks that the plan of 2024 asks for as long as it holds.
pub fn entry(
    provider: Member,
    title: String,
    unconditional: bool,
    today: LocalDate,
    level: u32,
) -> EntryContent {
    let checks = [SelfCheckKind::Compliance, SelfCheckKind::Safety, SelfCheckKind::Usability];
    let checked =
        |kind| SelfCheck { kind, passed: true, date: today, checker: "办公室".to_owned() };
    let passed = |kind| Assessment { kind, passed: true, date: today, note: "通过".to_owned() };
    let item = |name: &str| DataItem {
        name: name.to_owned(),
        name_en: String::new(),
        item_type: ItemType::Character,
        description: String::new(),
        sharing: None,
        grade: None,
        personal: false,
        basis: None,
    };
    EntryContent {
        title,
        abstract_text: "房屋维修登记信息".to_owned(),
        classification: "城乡建设".to_owned(),
        formats: vec![DataFormat::Database],
        items: ITEMS.map(item).into(),
        update_cycle: Some(UpdateCycle::Day),
        sharing: Some(if unconditional {
            SharingAttribute::Unconditional
        } else {
            SharingAttribute::Conditional {
                scope: "政务部门".to_owned(),
                purpose: "公共安全管理".to_owned(),
                basis: None,
            }
        }),
        sharing_method: Some(SharingMethod::ServiceInterface),
        grade: Some(Grade::General(2)),
        assessments: vec![
            passed(AssessmentKind::SecrecyRisk),
            passed(AssessmentKind::PersonalInformationImpact),
        ],
        links: vec![SourceLink { system: provider.system(), dataset: "repairs".to_owned() }],
        synthetic: true,
        particulars: (level >= 3).then(|| EntryParticulars {
            self_checks: checks.map(checked).into(),
            ..EntryParticulars::default()
        }),
        ..EntryContent::default()
    }
}

/// A request that the rules let through; `scenario` tells it from every other.
pub fn request(
    asker: Member,
    entry: ResourceName,
    scenario: String,
    today: LocalDate,
) -> RequestContent {
    RequestContent {
        entry,
        system: asker.system(),
        scenario,
        duty_basis: "依法履行监督管理职责".to_owned(),
        items: ITEMS[..2].iter().map(|item| (*item).to_owned()).collect(),
        item_reasons: Vec::new(),
        row_scope: String::new(),
        method: Some(SharingMethod::ServiceInterface),
        term: Some(Term { from: today, to: LocalDate::from_days(today.days() + 365) }),
        commitments: vec![
            Commitment::ScenarioAuthentic,
            Commitment::ScenarioCompliant,
            Commitment::ScenarioSecure,
            Commitment::RequestAuthentic,
            Commitment::RequestLawful,
            Commitment::RequestNecessary,
        ],
        rate_per_day: None,
        renews: None,
    }
}

/// The name of an entry, case or grant of the one domain.
pub fn name(resource: Resource) -> ResourceName {
    ResourceName::new(domain(), resource)
}
