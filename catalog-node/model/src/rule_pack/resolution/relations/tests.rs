use super::*;
use crate::{
    organization::{DataKind, PartyClass},
    rule_pack::{Pair, RulePack},
};

fn resolve(composition: &str, class: PartyClass, data: DataKind, date: &str) -> Resolution {
    let pair = Pair::for_catalog(class, data);
    RulePack::embedded().resolve(composition, pair, date.parse().unwrap()).unwrap()
}

fn department(composition: &str, date: &str) -> Resolution {
    resolve(composition, PartyClass::GovernmentDepartment, DataKind::GovernmentData, date)
}

fn utility(date: &str) -> Resolution {
    let class = PartyClass::PublicServiceOrganization;
    resolve("xiamen-today", class, DataKind::PublicServiceData, date)
}

/// CAT-08: two signatures were asked for by the plan of 2024, until it expired.
#[test]
fn both_sign_while_the_plan_is_in_force() {
    let rule = department("xiamen-today", "2026-06-06").transfer_cosigned().unwrap();
    assert_eq!(rule.id, "PLAN24-2.2.2-1-function-transfer");
    assert_eq!(department("xiamen-today", "2026-06-07").transfer_cosigned(), None);
}

/// CAT-12, CAT-13: decree 809 binds departments; a utility is bound by the special zone's
/// regulation, which knows exceptions.
#[test]
fn sources_and_collection_depend_on_the_pair() {
    let rule = department("xiamen-today", "2026-09-21").one_source().unwrap();
    assert_eq!(rule.id, "N809-19-2-source-department");
    assert_eq!(utility("2026-09-21").one_source(), None);
    let (ranks, rule) = department("xiamen-today", "2026-09-21").no_recollection().unwrap();
    assert_eq!((ranks, rule.id.as_str()), (vec![], "N809-19-1-no-recollection"));
    let (ranks, rule) = utility("2026-09-21").no_recollection().unwrap();
    assert!(ranks.contains(&Rank::Law) && ranks.contains(&Rank::SpecialZoneRegulation));
    assert_eq!(rule.id, "REG22-19-2-no-recollection");
}

/// SHR-16, QLT-04: to the provider by decree 809, to the authority where only Fuzhou's text holds.
#[test]
fn reports_go_where_the_rules_say() {
    let (desk, rule) = department("xiamen-today", "2026-09-21").report_recipient().unwrap();
    assert_eq!((desk, rule.id.as_str()), (Desk::Provider, "N809-26-2-correction-recipient"));
    let (days, rule) = department("xiamen-today", "2026-09-21").correction_days().unwrap();
    assert_eq!((days.0, rule.id.as_str()), (10, "N809-26-2-correction"));
    let (days, rule) = utility("2026-09-21").correction_days().unwrap();
    assert_eq!((days.0, rule.id.as_str()), (10, "HOUSE-vague-words"));
}

/// QLT-03: REG22 23 names both desks and gives no number.
#[test]
fn persons_concerned_have_two_desks() {
    let resolution = department("xiamen-today", "2026-09-21");
    let (desks, rule) = resolution.personal_objection_desks().unwrap();
    assert_eq!((desks.len(), rule.id.as_str()), (2, "REG22-23-2-objection"));
    let (days, rule) = resolution.personal_objection_days().unwrap();
    assert_eq!((days.0, rule.id.as_str()), (10, "HOUSE-vague-words"));
    let province = department("province-today", "2026-09-21");
    assert_eq!(province.personal_objection_desks(), None);
    assert_eq!(province.personal_objection_days(), None);
}

/// SHR-15: the authority's objection is a thing of the special zone.
#[test]
fn the_ladder_ends_with_the_government() {
    let (steps, rule) = department("xiamen-today", "2026-09-21").attribute_ladder().unwrap();
    assert_eq!(rule.id, "REG22-26-5-objection");
    assert_eq!(steps, [LadderStep::AuthorityObjects, LadderStep::Consult, LadderStep::Government]);
    assert_eq!(department("province-today", "2026-09-21").attribute_ladder(), None);
}
