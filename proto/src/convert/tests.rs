mod values;

mod cases;
mod entries;
mod entry_files;
mod hostile;
mod masks;
mod small_values;
mod units;
mod whole_values;

use catalog_model::{
    credit_code::CreditCode,
    ids::OrganizationId,
    organization::{DataKind, Organization, PartyClass, PlatformRole},
    refusal::Refusal,
};
use prost_types::FieldMask;

use self::values::{at, domain, id};

/// The wrong fields of a refusal, in the order in which they were found.
pub(crate) fn wrong<T: std::fmt::Debug>(read: Result<T, Refusal>) -> Vec<String> {
    read.unwrap_err().fields.into_iter().map(|violation| violation.field).collect()
}

pub(crate) fn mask(paths: &[&str]) -> FieldMask {
    FieldMask { paths: paths.iter().map(|path| (*path).to_owned()).collect() }
}

pub(crate) fn unit() -> Organization {
    Organization {
        id: OrganizationId::from_bytes(id(20)),
        domain: domain("xiamen"),
        name: "市城市管理部门".into(),
        name_en: "City management".into(),
        credit_code: Some("91350100M000100Y43".parse::<CreditCode>().unwrap()),
        class: Some(PartyClass::GovernmentDepartment),
        capacities: vec![DataKind::GovernmentData, DataKind::PublicServiceData],
        platform_role: Some(PlatformRole::Government),
        region_code: "350200".into(),
        verified: true,
        version: 2,
        created_time: at(1),
        updated_time: at(2),
    }
}
