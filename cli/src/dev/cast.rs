//! Cast: who lives in the three domains of a development environment?
//!
//! All bodies are invented and say so in their names. Ids are fixed, so that a context means the
//! same role in every run; credit codes are computed, well formed and of nobody.

use catalog_model::{
    credit_code::CreditCode,
    ids::{DomainId, OrganizationId, PersonId, SystemId},
    organization::{DataKind, PartyClass, PlatformRole},
};
use luqiao_transport::identity::Subject;
use ulid::Ulid;

/// The administrative levels, one domain each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// 省: `fujian`, one node.
    Province,
    /// 市: `xiamen`, three nodes.
    City,
    /// 区: `siming`, one node.
    District,
}

impl Level {
    /// From the top down.
    pub const ALL: [Self; 3] = [Self::Province, Self::City, Self::District];

    /// Its word in contexts and on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Province => "province",
            Self::City => "city",
            Self::District => "district",
        }
    }

    /// Its domain.
    pub fn domain(self) -> DomainId {
        self.domain_text().parse().expect("a domain id")
    }

    /// Its domain as text.
    pub fn domain_text(self) -> &'static str {
        match self {
            Self::Province => "fujian",
            Self::City => "xiamen",
            Self::District => "siming",
        }
    }

    /// The level with this word or domain.
    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| text == level.word() || text == level.domain_text())
    }

    /// Its name for people.
    pub fn display_name(self) -> &'static str {
        match self {
            Self::Province => "福建省公共数据资源平台（演示）",
            Self::City => "厦门市公共数据资源平台（演示）",
            Self::District => "厦门市思明区公共数据资源平台（演示）",
        }
    }

    /// GB/T 2260.
    pub fn region(self) -> &'static str {
        match self {
            Self::Province => "350000",
            Self::City => "350200",
            Self::District => "350203",
        }
    }

    /// The composition of rule profiles that it runs.
    pub fn composition(self) -> &'static str {
        match self {
            Self::Province => "province-today",
            Self::City | Self::District => "xiamen-today",
        }
    }

    /// How many nodes its cluster has.
    pub fn nodes(self) -> u64 {
        match self {
            Self::City => 3,
            Self::Province | Self::District => 1,
        }
    }

    /// The levels next to it, with which it has a link.
    pub fn neighbours(self) -> &'static [Self] {
        match self {
            Self::Province | Self::District => &[Self::City],
            Self::City => &[Self::Province, Self::District],
        }
    }

    /// The bodies that exist there from the beginning.
    pub fn offices(self) -> &'static [Office] {
        match self {
            Self::Province => &PROVINCE,
            Self::City => &CITY,
            Self::District => &DISTRICT,
        }
    }
}

/// A body with one system and one head.
#[derive(Debug, Clone, Copy)]
pub struct Office {
    /// Its word in contexts, for instance `department-a`.
    pub word: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Its English name.
    pub name_en: &'static str,
    /// Its part for the platform.
    pub role: Option<PlatformRole>,
    /// Its class.
    pub class: PartyClass,
}

const fn office(
    word: &'static str,
    name: &'static str,
    name_en: &'static str,
    role: Option<PlatformRole>,
) -> Office {
    Office { word, name, name_en, role, class: PartyClass::GovernmentDepartment }
}

const fn service(word: &'static str, name: &'static str, name_en: &'static str) -> Office {
    Office { word, name, name_en, role: None, class: PartyClass::PublicServiceOrganization }
}

/// The word of the competent authority.
pub const AUTHORITY: &str = "authority";
/// The word of the platform manager.
pub const MANAGER: &str = "manager";
/// The word of the department that asks, and in province and district also provides.
pub const DEPARTMENT: &str = "department-a";
/// The word of a second department.
pub const OTHER_DEPARTMENT: &str = "department-b";
/// The word of the public-service organization.
pub const SERVICE: &str = "service";

static PROVINCE: [Office; 6] = [
    office(
        "government",
        "福建省人民政府（演示）",
        "Fujian Provincial Government (demo)",
        Some(PlatformRole::Government),
    ),
    office(
        AUTHORITY,
        "福建省数据管理局（演示）",
        "Fujian Data Administration (demo)",
        Some(PlatformRole::Authority),
    ),
    office(
        MANAGER,
        "福建省信息中心（演示）",
        "Fujian Information Center (demo)",
        Some(PlatformRole::PlatformManager),
    ),
    office(
        DEPARTMENT,
        "福建省医疗保障局（演示）",
        "Fujian Healthcare Security Administration (demo)",
        None,
    ),
    office(
        OTHER_DEPARTMENT,
        "福建省交通运输厅（演示）",
        "Fujian Department of Transport (demo)",
        None,
    ),
    service(SERVICE, "福建省第一医院（演示）", "Fujian First Hospital (demo)"),
];

static CITY: [Office; 6] = [
    office(
        "government",
        "厦门市人民政府（演示）",
        "Xiamen Municipal Government (demo)",
        Some(PlatformRole::Government),
    ),
    office(
        AUTHORITY,
        "厦门市数据管理局（演示）",
        "Xiamen Data Administration (demo)",
        Some(PlatformRole::Authority),
    ),
    office(
        MANAGER,
        "厦门市信息中心（演示）",
        "Xiamen Information Center (demo)",
        Some(PlatformRole::PlatformManager),
    ),
    office(
        DEPARTMENT,
        "厦门市医疗保障局（演示）",
        "Xiamen Healthcare Security Bureau (demo)",
        None,
    ),
    office(
        OTHER_DEPARTMENT,
        "厦门市应急管理局（演示）",
        "Xiamen Emergency Management Bureau (demo)",
        None,
    ),
    service(SERVICE, "厦门市自来水公司（演示）", "Xiamen Water Supply (demo)"),
];

static DISTRICT: [Office; 5] = [
    office(
        "government",
        "思明区人民政府（演示）",
        "Siming District Government (demo)",
        Some(PlatformRole::Government),
    ),
    office(
        AUTHORITY,
        "思明区数据管理局（演示）",
        "Siming Data Administration (demo)",
        Some(PlatformRole::Authority),
    ),
    office(
        MANAGER,
        "思明区信息中心（演示）",
        "Siming Information Center (demo)",
        Some(PlatformRole::PlatformManager),
    ),
    office(DEPARTMENT, "思明区民政局（演示）", "Siming Civil Affairs Bureau (demo)", None),
    service(SERVICE, "思明区社区医院（演示）", "Siming Community Hospital (demo)"),
];

/// An office at its level, with its ids.
#[derive(Debug, Clone, Copy)]
pub struct Seat {
    /// The level.
    pub level: Level,
    /// Its place among the level's offices.
    pub place: usize,
    /// The office.
    pub office: &'static Office,
}

impl Seat {
    /// Every seat of a level.
    pub fn of(level: Level) -> impl Iterator<Item = Self> {
        level.offices().iter().enumerate().map(move |(place, office)| Self { level, place, office })
    }

    /// The organization.
    pub fn organization(self) -> OrganizationId {
        OrganizationId(self.id(0))
    }

    /// Its business system.
    pub fn system(self) -> SystemId {
        SystemId(self.id(1))
    }

    /// Its head, who is also head of its sharing office.
    pub fn head(self) -> PersonId {
        PersonId(self.id(2))
    }

    /// What the system's certificate names.
    pub fn system_subject(self) -> Subject {
        Subject::System { organization: self.organization(), system: self.system() }
    }

    /// What the head's certificate names.
    pub fn head_subject(self) -> Subject {
        Subject::Person { organization: self.organization(), person: self.head() }
    }

    /// The context of its system: `city-department-a`.
    pub fn context(self) -> String {
        format!("{}-{}", self.level.word(), self.office.word)
    }

    /// The context of its head: `city-department-a-head`.
    pub fn head_context(self) -> String {
        format!("{}-head", self.context())
    }

    /// Its credit code.
    pub fn credit_code(self) -> CreditCode {
        credit_code(self.office.class, self.level, self.place as u32)
    }

    /// The kinds of catalog that it may compile.
    pub fn capacities(self) -> &'static [DataKind] {
        match self.office.class {
            PartyClass::PublicServiceOrganization => &[DataKind::PublicServiceData],
            _ => &[DataKind::GovernmentData],
        }
    }

    fn id(self, part: u128) -> Ulid {
        let level = self.level as u128;
        Ulid::from_parts(super::CLOCK_START_MS, level << 16 | (self.place as u128) << 8 | part)
    }
}

/// A well-formed code for the `serial`-th invented body of a level.
///
/// # Panics
///
/// If `serial` has more than four digits.
pub fn credit_code(class: PartyClass, level: Level, serial: u32) -> CreditCode {
    // 11: a state organ; 12: a public institution.
    let kind = if class == PartyClass::PublicServiceOrganization { "12" } else { "11" };
    let body = format!("{kind}{}LQDE{serial:04}", level.region());
    let organization_check = "0123456789X".chars();
    organization_check
        .flat_map(|first| "0123456789ABCDEFGHJKLMNPQRTUWXY".chars().map(move |last| (first, last)))
        .find_map(|(first, last)| format!("{body}{first}{last}").parse().ok())
        .expect("one pair of check characters fits")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_and_ids_are_all_different() {
        let seats: Vec<Seat> = Level::ALL.into_iter().flat_map(Seat::of).collect();
        let codes: BTreeSet<_> = seats.iter().map(|seat| seat.credit_code()).collect();
        let ids: BTreeSet<_> = seats
            .iter()
            .flat_map(|seat| [seat.organization().0, seat.system().0, seat.head().0])
            .collect();
        assert_eq!((codes.len(), ids.len()), (seats.len(), 3 * seats.len()));
        let contexts: BTreeSet<_> = seats.iter().map(|seat| seat.context()).collect();
        assert_eq!(contexts.len(), seats.len());
    }

    #[test]
    fn every_level_has_its_platform_and_a_public_service_organization() {
        for level in Level::ALL {
            let roles: BTreeSet<_> = Seat::of(level).filter_map(|seat| seat.office.role).collect();
            assert_eq!(roles.len(), 3, "{level:?}");
            assert!(
                Seat::of(level).any(|s| s.office.class == PartyClass::PublicServiceOrganization)
            );
            assert_eq!(Level::named(level.word()), Some(level));
            assert_eq!(Level::named(level.domain_text()), Some(level));
        }
        assert_eq!(Level::named("county"), None);
    }
}
