use super::*;
use crate::{
    organization::{DataKind, PartyClass},
    rule::Rank,
    rule_pack::Pair,
};

fn today() -> LocalDate {
    "2026-11-21".parse().unwrap()
}

fn resolve(class: PartyClass, data: DataKind) -> Resolution {
    let pair = Pair { asker: class, provider: class, data };
    RulePack::embedded().resolve("xiamen-today", pair, today()).unwrap()
}

fn departments() -> Resolution {
    resolve(PartyClass::GovernmentDepartment, DataKind::GovernmentData)
}

fn public_services() -> Resolution {
    resolve(PartyClass::PublicServiceOrganization, DataKind::PublicServiceData)
}

/// The id of the rule under an answer.
fn id<T>(answer: Option<(T, RuleRef)>) -> String {
    answer.map(|(_, rule)| rule.id).unwrap_or_default()
}

#[test]
fn what_the_shipped_pack_says_on_lateness() {
    let inside = departments();
    assert_eq!(inside.warnings().unwrap().0, [500, 800, 950]);
    assert_eq!(inside.reason_hearing().unwrap().0, WorkingDays(5));
    assert_eq!(inside.counts_only_without_reason().unwrap().id, "N809-39-1-late");
    assert_eq!(id(inside.overdue_effect(PartyRole::Provider)), "N809-39-1-order");
    assert_eq!(id(inside.overdue_effect(PartyRole::Authority)), "N809-41-1-order");
    assert_eq!(id(inside.overdue_effect(PartyRole::Requester)), "N809-40-1-order");
    assert_eq!(inside.dispute_ladder().unwrap().0.len(), 3);

    // Outside decree 809 neither its reasons nor its ladder are law (must-refuse 50).
    let outside = public_services();
    assert_eq!(outside.counts_only_without_reason(), None);
    assert_eq!(id(outside.overdue_effect(PartyRole::Provider)), "REG22-63-1-order");
    assert_eq!(outside.overdue_effect(PartyRole::Authority), None);
    assert_eq!(outside.dispute_ladder(), None);
    assert_eq!(outside.reason_hearing().unwrap().1.rank, Rank::HouseRule);
}

#[test]
fn what_is_no_matter_of_a_pair() {
    let pack = RulePack::embedded();
    assert_eq!(pack.separation_of_duties(today()).unwrap().id, "HOUSE-separation");
    assert_eq!(pack.window_receipt(today()).unwrap().id, "HOUSE-receipt");
    assert_eq!(pack.hop_clock(today()).unwrap().0, WorkingDays(1));
    assert_eq!(pack.common_superior(today()).unwrap().id, "N809-28-2-cross-level");
    let (needed, rule) = pack.paper_decision_requires(today()).unwrap();
    assert_eq!(rule.id, "HOUSE-paper-decision");
    assert!(needed.iter().any(|part| part == "document_number"), "{needed:?}");
    // Before decree 809 there was no common superior in this.
    assert_eq!(pack.common_superior("2025-07-31".parse().unwrap()), None);
}
