use serde_json::Value;

use super::*;
use crate::{
    organization::{DataKind, PartyClass},
    rule_pack::{Pair, RulePack},
};

const GOV: PartyClass = PartyClass::GovernmentDepartment;
const SERVICE: PartyClass = PartyClass::PublicServiceOrganization;

/// What holds in Xiamen for a provider's catalog, with some rules not in force.
fn without(rules: &[&str], class: PartyClass, day: &str) -> Resolution {
    let mut pack: Value = serde_json::from_str(RulePack::embedded().json()).expect("JSON");
    // Compositions name their rules, so a rule is ended on its first day instead of being taken out.
    let all = pack["rules"].as_array_mut().expect("rules");
    for id in rules {
        let rule = all.iter_mut().find(|rule| rule["id"] == *id).expect("a rule of the pack");
        rule["effective_to"] = rule["effective_from"].clone();
    }
    let pack = RulePack::parse(&pack.to_string()).expect("a pack");
    let kind = match class {
        GOV => DataKind::GovernmentData,
        _ => DataKind::PublicServiceData,
    };
    let pair = Pair::for_catalog(class, kind);
    pack.resolve("xiamen-today", pair, day.parse().expect("a day")).expect("known")
}

fn owed(owed: Option<Owed>) -> String {
    owed.map_or_else(String::new, |owed| {
        let default = owed.default.map_or_else(String::new, |rule| format!(" by {}", rule.id));
        format!("{} {}{default}", owed.n, owed.rule.id)
    })
}

/// CAL-13, CAT-09, CAT-10: each change has the clock of the rule that names it, the shortest of
/// several; any other the house's number for the word of the law.
#[test]
fn a_change_is_taken_in_by_the_rule_that_names_it() {
    use ChangeTrigger::{Duty, Law, Resource};
    let today = "2026-09-21";
    let (decree, vague) = ("N809-17-2-update", "REG22-16-2-timely-update");
    let (by_law, by_word) = (format!("10 {decree}"), format!("10 {vague} by HOUSE-vague-words"));
    let now = |trigger| owed(without(&[], GOV, today).catalog_update(trigger));
    assert_eq!(now(Law), by_law);
    assert_eq!(now(Duty), by_law);
    assert_eq!(now(Resource), by_word);
    // While the plan held, its seven days for functions and systems.
    let then = |trigger| owed(without(&[], GOV, "2026-06-05").catalog_update(trigger));
    assert_eq!(then(Law), by_law);
    assert_eq!(then(Duty), "7 PLAN24-2.2.2-1-update");
    assert_eq!(then(Resource), "7 PLAN24-2.2.2-1-update");
    // Outside the decree, and with rules taken away one after the other.
    assert_eq!(owed(without(&[], SERVICE, today).catalog_update(Law)), by_word);
    let less = |rules: &[&str]| owed(without(rules, GOV, today).catalog_update(Law));
    assert_eq!(less(&[decree]), by_word);
    assert_eq!(less(&[decree, vague]), "");
    assert_eq!(less(&[decree, "HOUSE-vague-words"]), "");
}

/// Every accessor rests on its rule: without the rule it answers nothing.
#[test]
fn without_its_rule_nothing_is_asked() {
    type Question = fn(&Resolution) -> bool;
    let questions: [(&str, &str, Question); 9] = [
        ("2026-06-05", "PLAN24-2.2.2-1-self-check", |r| r.self_checks().len() == 3),
        ("2026-06-05", "PLAN24-2.2.5-1-theme-libraries", |r| r.theme_libraries().is_some()),
        ("2026-09-21", "REG22-17-1-base-libraries", |r| r.base_libraries().is_some()),
        ("2026-09-21", "N809-3-1-secrets-excluded", |r| r.secrecy_excluded().len() == 2),
        ("2026-09-21", "N809-17-2-update-extension", |r| r.catalog_update_extension().is_some()),
        ("2026-09-21", "REG22-26-1-review", |r| r.attribute_review().is_some()),
        ("2026-09-21", "HOUSE-vague-words", |r| r.reclassification().is_some()),
        ("2026-09-21", "N809-15-1-no-added-conditions", |r| r.no_added_conditions().is_some()),
        ("2026-09-21", "N809-27-3-service-change", |r| r.withdrawal_is_service_change().is_some()),
    ];
    for (day, rule, asked) in questions {
        assert!(asked(&without(&[], GOV, day)), "{rule} on {day}");
        assert!(!asked(&without(&[rule], GOV, day)), "without {rule} on {day}");
    }
    let review = without(&[], GOV, "2026-09-21").attribute_review().expect("REG22 26");
    assert_eq!((review.n, review.unit), (12, Unit::Month));
    assert_eq!(review.default.expect("a default").id, "HOUSE-vague-words");
}

/// An order rests on the law of the pair: the decree's inside its scope, REG22's outside.
#[test]
fn who_is_ordered_depends_on_the_pair() {
    let order = |class| without(&[], class, "2026-09-21").update_order().map(|rule| rule.id);
    assert_eq!(order(GOV).as_deref(), Some("N809-39-1-order"));
    assert_eq!(order(SERVICE).as_deref(), Some("REG22-63-1-order"));
    let above = without(&[], GOV, "2026-09-21");
    assert_eq!(above.authority_order().map(|rule| rule.id).as_deref(), Some("N809-41-1-order"));
    assert_eq!(above.escalation_of(PartyRole::Provider), Some(PartyRole::Authority));
    assert_eq!(above.escalation_of(PartyRole::Authority), Some(PartyRole::GovernmentOrSuperior));
    assert_eq!(above.only_persons_on_file(), None);
}
