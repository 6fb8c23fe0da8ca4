use crate::{
    organization::{DataKind, PartyClass},
    rule_pack::{Pair, RulePack},
};

#[test]
fn sec_16_records_are_kept_for_three_years_since_decree_809_and_without_a_rule_for_no_time() {
    let pair = Pair::for_catalog(PartyClass::GovernmentDepartment, DataKind::GovernmentData);
    let on = |day: &str| {
        let day = day.parse().unwrap();
        RulePack::embedded().resolve("xiamen-today", pair, day).unwrap().retention()
    };
    let (years, rule) = on("2026-09-21").expect("a rule in force");
    assert_eq!((years, rule.id.as_str()), (3, "N809-29-2-retention"));
    assert_eq!(on("2025-07-31"), None, "the day before it took effect");
}
