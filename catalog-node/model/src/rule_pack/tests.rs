mod law;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{
    catalog_entry::AssessmentKind,
    deadline::WorkingDays,
    rule::Rank,
    share_request::{Commitment, Decider},
};

const GOV: PartyClass = PartyClass::GovernmentDepartment;
const AUTHORIZED: PartyClass = PartyClass::LawAuthorizedOrganization;
const ORGAN: PartyClass = PartyClass::OtherStateOrgan;
const SERVICE: PartyClass = PartyClass::PublicServiceOrganization;

fn date(text: &str) -> LocalDate {
    text.parse().expect("a date")
}

fn pair(asker: PartyClass, provider: PartyClass) -> Pair {
    Pair { asker, provider, data: DataKind::GovernmentData }
}

fn today(asker: PartyClass, provider: PartyClass) -> Resolution {
    on("xiamen-today", asker, provider, "2026-11-21")
}

fn on(composition: &str, asker: PartyClass, provider: PartyClass, day: &str) -> Resolution {
    RulePack::embedded().resolve(composition, pair(asker, provider), date(day)).expect("known")
}

fn changed(change: impl FnOnce(&mut Value)) -> Result<RulePack, PackError> {
    let mut pack: Value = serde_json::from_str(RulePack::embedded().json()).expect("JSON");
    change(&mut pack);
    RulePack::parse(&serde_json::to_string_pretty(&pack).expect("JSON"))
}

fn ids<T>(list: &[(T, RuleRef)]) -> Vec<&str> {
    list.iter().map(|(_, rule)| rule.id.as_str()).collect()
}

/// The column "composite" of requirements §12: a case between government departments in Xiamen.
#[test]
fn composite_of_government_departments() {
    let it = today(GOV, AUTHORIZED);
    assert_eq!(it.scope(), "gov_to_gov");
    let (decider, rule) = it.decider().expect("N809 names one");
    assert_eq!((decider, rule.id.as_str()), (Decider::Provider, "N809-20-3-decider"));
    let merged = it.merged(RuleKey::SharingConditionalDecider).expect("merged");
    assert_eq!(merged.losers.len(), 1, "the joint answer of Xiamen gives way and is recorded");
    assert_eq!(merged.losers[0].0.id, "REG22-26-3-decider");
    assert_eq!(merged.losers[0].1, Lost::LowerRank);
    assert_eq!(it.debtor(), Some(PartyRole::Provider));

    let (days, rule) = it.answer_days(SharingKind::Conditional).expect("a number");
    assert_eq!((days, rule.id.as_str()), (WorkingDays(10), "N809-21-1-conditional-answer"));
    assert_eq!((rule.article.as_str(), rule.paragraph), ("21", 1));
    let (days, rule) = it.answer_days(SharingKind::Unconditional).expect("a number");
    assert_eq!((days, rule.id.as_str()), (WorkingDays(1), "N809-21-1-unconditional-answer"));
    assert_eq!(it.answer_days(SharingKind::NotShared), None);

    let extension = it.extension(SharingKind::Conditional).expect("N809 allows one");
    assert_eq!(extension.max, WorkingDays(10));
    assert_eq!(extension.rule.id, "N809-21-1-extension-max");
    let (count, rule) = extension.count.expect("the house says once");
    assert_eq!((count, rule.rank, rule.article.as_str()), (1, Rank::HouseRule, ""));
    assert!(extension.authority_consent.is_some());
    assert_eq!(extension.requires.len(), 3);
    assert_eq!(it.extension(SharingKind::Unconditional), None, "the house limits it");

    assert_eq!(it.answer_head_consent().expect("law").id, "N809-20-3-answer-head-consent");
    assert_eq!(it.request_head_consent().expect("law").id, "N809-20-2-request-head-consent");
    assert_eq!(it.catalog_head_consent().expect("law").id, "N809-13-1-head-consent");
    let assessments = it.assessments();
    assert_eq!(
        assessments.iter().map(|(kind, _)| *kind).collect::<Vec<_>>(),
        [AssessmentKind::SecrecyRisk, AssessmentKind::PersonalInformationImpact]
    );

    // Union: everything that either text asks for, each with its own rule.
    let contents = it.request_contents();
    assert_eq!(contents.len(), 5);
    assert!(ids(&contents).iter().all(|id| *id == "N809-20-2-request-contents"));
    let commitments = it.commitments();
    assert_eq!(commitments.len(), 6);
    let scenario = commitments.iter().find(|(c, _)| *c == Commitment::ScenarioSecure);
    assert_eq!(scenario.expect("REG22 27").1.id, "REG22-27-1-commitments");
    let needs: Vec<RefusalNeed> = it.refusal_requires().iter().map(|(need, _)| *need).collect();
    assert_eq!(needs, [RefusalNeed::Reasons, RefusalNeed::WrittenReasons]);

    // Intersection: only what both allow.
    let (ranks, rule) = it.none_basis().expect("both name ranks");
    assert_eq!(ranks, [Rank::Law, Rank::AdministrativeRegulation, Rank::StateCouncilDecision]);
    assert_eq!(rule.id, "N809-14-1-none-basis");
    let merged = it.merged(RuleKey::SharingNoneBasis).expect("merged");
    assert_eq!(merged.losers[0].1, Lost::Narrowed);
    assert_eq!(it.none_explicit().expect("law").id, "N809-14-1-none-explicit");
    let (third, rule) = it.third_party_permitted().expect("both speak of it");
    assert_eq!((third, rule.id.as_str()), (ThirdParty::Never, "REG22-27-2-third-party"));

    assert_eq!(it.conditional_conditions().len(), 2);
    assert_eq!(it.conditional_basis_required(), None, "only Fuzhou asks for it");
    let (name, rule) = it.third_type_name().expect("both name it");
    assert_eq!((name.as_str(), rule.id.as_str()), ("不予共享", "N809-14-1-types"));
    assert_eq!(it.standing_answer().expect("house").rank, Rank::HouseRule);
    assert_eq!(it.direct_access().expect("law").id, "REG22-26-2-unconditional");
    assert_eq!(it.opinion_clock(SharingKind::Conditional), None, "nobody else is heard");
    assert_eq!(it.catalog_review_days().expect("law").0, WorkingDays(2));
    let (target, _) = it.escalation(PartyRole::Provider).expect("house");
    assert_eq!(target, PartyRole::Authority);

    let completion = it.completion();
    assert_eq!(completion.one_notice.expect("law").id, "N809-21-2-one-notice");
    let suspension = completion.suspension.expect("house");
    assert_eq!(suspension.last_day_for_notice, WorkingDays(3));
    assert_eq!(suspension.rule.rank, Rank::HouseRule);
    assert_eq!(completion.lapse.expect("house").0, WorkingDays(20));

    // PLAN24 has ended: links and grade stay, the one as house rule, the other as law.
    assert_eq!(it.links_required().expect("house").rank, Rank::HouseRule);
    assert_eq!(it.grade_required().expect("law").id, "N809-13-2-contents");
    let catalog_update = it.merged(RuleKey::CatalogUpdate).expect("merged");
    assert_eq!(catalog_update.value, RuleValue::Count { n: 10, unit: Unit::WorkingDay });
    assert_eq!(catalog_update.losers[0].1, Lost::WithoutNumber);
}

/// "Must refuse" 50: an N809 rule applied as law to a pair outside its scope.
#[test]
fn pairs_outside_the_decree() {
    for (asker, provider, scope) in [
        (GOV, SERVICE, "public_service_pair"),
        (SERVICE, GOV, "public_service_pair"),
        (ORGAN, GOV, "other_state_organs"),
        (GOV, ORGAN, "other_state_organs"),
    ] {
        let it = today(asker, provider);
        assert_eq!(it.scope(), scope);
        assert_eq!(it.decider().expect("REG22").0, Decider::AuthorityWithProvider);
        assert_eq!(it.debtor(), Some(PartyRole::AuthorityAndProvider));
        let (days, rule) = it.answer_days(SharingKind::Conditional).expect("the house's number");
        assert_eq!((days, rule.id.as_str()), (WorkingDays(10), "HOUSE-reasonable-period"));
        assert_eq!(rule.cite(crate::reason::Lang::Zh), "内部规则 HOUSE-reasonable-period");
        assert_eq!(it.answer_days(SharingKind::Unconditional), None, "taken directly");
        assert_eq!(it.extension(SharingKind::Conditional), None, "REG22 grants none");
        assert_eq!(it.opinion_clock(SharingKind::Conditional).expect("house").0, WorkingDays(5));
        assert_eq!(it.request_head_consent(), None);
        assert_eq!(it.answer_head_consent(), None);
        assert_eq!(it.request_contents().len(), 1, "the scenario");
        assert_eq!(it.commitments().len(), 3);
        let (ranks, _) = it.none_basis().expect("REG22");
        assert!(ranks.contains(&Rank::OtherStatePolicy));
        assert_eq!(it.third_type_name().expect("REG22").0, "暂不共享");
        let (target, _) = it.escalation(PartyRole::AuthorityAndProvider).expect("house");
        assert_eq!(target, PartyRole::GovernmentOrSuperior, "never the debtor");
        for key in it.keys() {
            for source in it.merged(key).expect("a key of its own").sources {
                // The unit rules bind the provider whoever asks; the pair rules must not.
                let rule = RulePack::embedded().rule(&source.id).expect("of the pack");
                assert_ne!(rule.scope, "gov_to_gov", "{}", source.id);
            }
        }
    }
}

/// Government departments that share public-service data: outside N809 by the data.
#[test]
fn the_data_belongs_to_the_scope() {
    let pair = Pair { asker: GOV, provider: GOV, data: DataKind::PublicServiceData };
    let it = RulePack::embedded()
        .resolve("xiamen-today", pair, date("2026-11-21"))
        .expect("a composition");
    assert_eq!(it.scope(), "xiamen_sharing");
    assert_eq!(it.decider().expect("REG22").0, Decider::AuthorityWithProvider);
}

/// Fuzhou without the decree: the authority decides and owes the answer in twenty working days (CAL-02).
#[test]
fn fuzhou_outside_the_decree() {
    let pack = changed(|pack| {
        pack["compositions"]["fuzhou-outside"] =
            json!({"order": ["fuzhou", "house"], "by_scope": []});
        pack["compositions"]["fuzhou-today"] =
            json!({"order": ["national", "fuzhou", "house"], "by_scope": []});
    })
    .expect("a pack");
    let it = pack.resolve("fuzhou-outside", pair(GOV, GOV), date("2026-11-21")).expect("known");
    assert_eq!(it.scope(), "fuzhou_sharing");
    let (decider, rule) = it.decider().expect("FZ-M 17");
    assert_eq!((decider, rule.id.as_str()), (Decider::Authority, "FZ-M-17-1-decider"));
    assert_eq!(it.debtor(), Some(PartyRole::Authority));
    let (days, _) = it.answer_days(SharingKind::Conditional).expect("FZ-M 17");
    assert_eq!(days, WorkingDays(20));
    assert_eq!(it.opinion_clock(SharingKind::Conditional).expect("house").0, WorkingDays(10));
    assert_eq!(it.extension(SharingKind::Conditional), None);
    assert_eq!(it.conditional_basis_required().expect("FZ-M 16").id, "FZ-M-16-5-conditional-basis");
    let (target, _) = it.escalation(PartyRole::Authority).expect("house");
    assert_eq!(target, PartyRole::GovernmentOrSuperior, "the authority is the debtor");

    // Inside the decree the shorter limit and the higher rank win.
    let it = pack.resolve("fuzhou-today", pair(GOV, GOV), date("2026-11-21")).expect("known");
    let (days, rule) = it.answer_days(SharingKind::Conditional).expect("both have a number");
    assert_eq!((days, rule.id.as_str()), (WorkingDays(10), "N809-21-1-conditional-answer"));
    let merged = it.merged(RuleKey::SharingConditionalAnswer).expect("merged");
    assert_eq!(merged.losers[0].1, Lost::NotTheLimit);
    assert_eq!(it.decider().expect("N809").0, Decider::Provider);
}

/// "Must refuse" 51: an expired rule applied to a case received after its end.
#[test]
fn plan_of_2024_ends_with_its_last_day() {
    let needs_ground = |day: &str| {
        let it = on("xiamen-today", GOV, GOV, day);
        it.refusal_requires()
            .into_iter()
            .find(|(need, _)| *need == RefusalNeed::StatutoryGround)
            .map(|(_, rule)| rule.id)
    };
    let ground = Some("PLAN24-2.3.1-1-refusal-ground".to_owned());
    assert_eq!(needs_ground("2024-06-06"), None);
    assert_eq!(needs_ground("2024-06-07"), ground);
    assert_eq!(needs_ground("2026-05-01"), ground);
    assert_eq!(needs_ground("2026-06-06"), ground);
    assert_eq!(needs_ground("2026-06-07"), None);
    assert_eq!(needs_ground("2026-09-21"), None);

    let links = |day| on("xiamen-today", GOV, GOV, day).links_required().expect("always").id;
    assert_eq!(links("2026-05-01"), "PLAN24-2.2.1-1-one-ledger");
    assert_eq!(links("2026-09-21"), "HOUSE-catalog-links");
    let update = |day: &str| {
        on("xiamen-today", GOV, GOV, day).merged(RuleKey::CatalogUpdate).expect("law").value
    };
    assert_eq!(update("2026-05-01"), RuleValue::Count { n: 7, unit: Unit::WorkingDay });
    assert_eq!(update("2026-09-21"), RuleValue::Count { n: 10, unit: Unit::WorkingDay });

    let expired = on("xiamen-today", GOV, GOV, "2026-09-21").expired();
    let (_, last) = expired
        .iter()
        .find(|(rule, _)| rule.id == "PLAN24-2.3.1-1-refusal-ground")
        .expect("shown as expired");
    assert_eq!(*last, date("2026-06-06"));
}

/// Before the decree came into force, Xiamen's own regulation governed alone.
#[test]
fn before_the_decree() {
    let it = on("xiamen-today", GOV, GOV, "2025-07-31");
    assert_eq!(it.decider().expect("REG22").0, Decider::AuthorityWithProvider);
    let it = on("xiamen-today", GOV, GOV, "2025-08-01");
    assert_eq!(it.decider().expect("N809").0, Decider::Provider);
}

#[test]
fn the_province_has_the_decree_and_the_house() {
    let it = on("province-today", GOV, GOV, "2026-09-21");
    assert_eq!(it.scope(), "gov_to_gov");
    assert_eq!(it.decider().expect("N809").0, Decider::Provider);
    assert_eq!(it.answer_days(SharingKind::Conditional).expect("N809").0, WorkingDays(10));
    assert_eq!(it.commitments().len(), 3);
    let (third, rule) = it.third_party_permitted().expect("N809");
    assert_eq!(
        (third, rule.id.as_str()),
        (ThirdParty::WithProviderConsent, "N809-25-1-third-party")
    );
    assert_eq!(it.links_required().expect("house").rank, Rank::HouseRule);
    // Nothing of Xiamen reaches the province, not even a house rule for Xiamen's pairs.
    let it = on("province-today", GOV, SERVICE, "2026-09-21");
    assert_eq!(it.decider(), None);
    assert_eq!(it.answer_days(SharingKind::Conditional), None);
    assert_eq!(it.scope(), "any_case");
}

#[test]
fn names_the_nearest_composition() {
    let error = RulePack::embedded()
        .resolve("xiamen-tody", pair(GOV, GOV), date("2026-09-21"))
        .expect_err("no such composition");
    assert_eq!(error.nearest, "xiamen-today");
}

/// The whole list: 120 keys, each with an operator in the shipped pack and the name it states.
#[test]
fn the_list_of_keys_is_closed_and_complete() {
    assert_eq!(RuleKey::ALL.len(), 120);
    for key in RuleKey::ALL {
        assert_eq!(RuleKey::from_name(key.name()), Ok(*key));
        assert!(RulePack::embedded().operator(*key).is_some(), "{}", key.name());
        assert!(RulePack::embedded().rules().iter().any(|rule| rule.key == *key));
    }
}

#[test]
fn a_house_rule_has_no_article() {
    for rule in RulePack::embedded().rules() {
        let house = rule.reference.rank == Rank::HouseRule;
        assert_eq!(rule.reference.article.is_empty(), house, "{}", rule.reference.id);
        assert_eq!(rule.reference.title.is_empty(), house, "{}", rule.reference.id);
        assert_eq!(rule.profile == "house", house, "{}", rule.reference.id);
    }
}

/// Each change of a good pack, and the fault that it must be refused with.
#[test]
fn refuses_packs_that_could_be_misread() {
    fn rule_fault(change: impl FnOnce(&mut Value)) -> RuleFault {
        match changed(change).expect_err("a bad pack") {
            PackError::Rule { rule, line, fault } => {
                assert_eq!(rule, "N809-21-1-conditional-answer");
                assert!(line > 1, "the line is told");
                fault
            }
            other => panic!("not a fault of a rule: {other}"),
        }
    }
    fn rule(pack: &mut Value) -> &mut Value {
        pack["rules"]
            .as_array_mut()
            .expect("rules")
            .iter_mut()
            .find(|rule| rule["id"] == "N809-21-1-conditional-answer")
            .expect("the rule")
    }
    let fault = rule_fault(|pack| rule(pack)["key"] = json!("sharing.conditional.anwser"));
    let RuleFault::UnknownKey { nearest, .. } = fault else { panic!("{fault}") };
    assert_eq!(nearest, "sharing.conditional.answer");

    let fault = rule_fault(|pack| {
        pack["merge"].as_object_mut().expect("table").remove("sharing.conditional.answer");
    });
    assert_eq!(fault, RuleFault::NoMergeOperator("sharing.conditional.answer".to_owned()));
    let fault = rule_fault(|pack| {
        pack["merge"]["sharing.conditional.answer"].as_object_mut().expect("entry").remove("op");
    });
    assert_eq!(fault, RuleFault::NoMergeOperator("sharing.conditional.answer".to_owned()));
    let fault = rule_fault(|pack| {
        rule(pack).as_object_mut().expect("rule").remove("scope");
    });
    assert_eq!(fault, RuleFault::NoScope);
    let fault = rule_fault(|pack| rule(pack)["scope"] = json!("gov_to_gvo"));
    assert!(matches!(fault, RuleFault::UnknownScope { nearest, .. } if nearest == "gov_to_gov"));
    let fault = rule_fault(|pack| rule(pack)["source"] = json!("N80"));
    assert!(matches!(fault, RuleFault::UnknownDocument { nearest, .. } if nearest == "N809"));
    let fault = rule_fault(|pack| rule(pack)["on_breach"] = json!("N809-99"));
    assert_eq!(fault, RuleFault::UnknownBreachRule("N809-99".to_owned()));
    let fault = rule_fault(|pack| rule(pack)["rank"] = json!("house_rule"));
    assert_eq!(fault, RuleFault::HouseRuleWithArticle);
    let fault = rule_fault(|pack| rule(pack)["article"] = json!(null));
    assert_eq!(fault, RuleFault::NoArticle);
    let fault = rule_fault(|pack| rule(pack)["effective_to"] = json!("2025-07-31"));
    assert_eq!(fault, RuleFault::EndsBeforeItBegins);
    for wrong in [json!("ten"), json!(-1), json!(70_000), json!(0.5), json!([10])] {
        let fault = rule_fault(|pack| rule(pack)["value"] = wrong);
        assert!(matches!(fault, RuleFault::WrongShape(_)), "{fault}");
    }
    let fault = rule_fault(|pack| rule(pack)["unit"] = json!("fortnight"));
    assert!(matches!(fault, RuleFault::WrongShape(_)), "{fault}");
    let fault = rule_fault(|pack| {
        let twin = rule(pack).clone();
        pack["rules"].as_array_mut().expect("rules").push(twin);
    });
    assert_eq!(fault, RuleFault::DuplicateId);
    let fault = rule_fault(|pack| {
        rule(pack)["key"] = json!("sharing.request.commitments");
        rule(pack)["value"] = json!(["request_lawfull"]);
    });
    assert!(matches!(fault, RuleFault::UnknownWord { nearest, .. } if nearest == "request_lawful"));
    let fault = rule_fault(|pack| {
        rule(pack)["key"] = json!("sharing.conditional.decider");
        rule(pack)["value"] = json!(["provider", "authority"]);
    });
    assert!(matches!(fault, RuleFault::WrongShape(_)), "{fault}");
    let fault = rule_fault(|pack| {
        rule(pack)["key"] = json!("overdue.escalation_target");
        rule(pack)["value"] = json!({"authority": "authority_same_level"});
    });
    assert_eq!(fault, RuleFault::EscalatesToDebtor("authority".to_owned()));
    // One key, one unit: twelve months and three years are not compared.
    let error = changed(|pack| rule(pack)["unit"] = json!("day")).expect_err("two units");
    assert!(matches!(error, PackError::Rule { fault: RuleFault::UnitsDiffer, .. }), "{error}");
}

#[test]
fn refuses_packs_that_are_wrong_as_a_whole() {
    let error = RulePack::parse("{\n \"version\": 2,\n").expect_err("cut off");
    assert!(matches!(error, PackError::Malformed { line: 2.., .. }), "{error}");
    let error = changed(|pack| pack["rules"][0]["valeu"] = json!(1)).expect_err("a typing error");
    assert!(error.to_string().contains("valeu"), "{error}");
    let error = changed(|pack| pack["merge"]["shring.types"] = json!({"op": "override"}));
    assert_eq!(
        error.expect_err("a typing error"),
        PackError::UnknownMergeKey {
            key: "shring.types".to_owned(),
            nearest: "sharing.types".to_owned()
        }
    );
    let error = changed(|pack| pack["ranks"].as_array_mut().expect("ranks").reverse());
    assert!(matches!(error, Err(PackError::RankOrder(_))));
    let error = changed(|pack| pack["scopes"]["society"]["asker"] = json!(["natural_persons"]));
    assert!(matches!(error, Err(PackError::UnknownScopeWord { .. })));
    let error = changed(|pack| pack["compositions"]["xiamen-today"]["order"][0] = json!("nation"));
    let Err(PackError::UnknownInComposition { what, nearest, .. }) = error else { panic!() };
    assert_eq!((what, nearest.as_str()), ("profile", "national"));
}

/// FZ-M 22 against FZ-O 8 on open applicants: same rank, same scope, two answers (POL-08).
#[test]
fn contradiction_within_a_rank_wants_a_ruling() {
    let pack = changed(|pack| {
        let mut other = pack["rules"]
            .as_array()
            .expect("rules")
            .iter()
            .find(|rule| rule["id"] == "REG22-26-3-decider")
            .expect("the rule")
            .clone();
        other["id"] = json!("REG22-26-3-other");
        other["value"] = json!(["authority"]);
        other["debtor"] = json!("authority");
        pack["rules"].as_array_mut().expect("rules").push(other);
    })
    .expect("a pack");
    let it = pack.resolve("xiamen-today", pair(GOV, SERVICE), date("2026-11-21")).expect("known");
    let merged = it.merged(RuleKey::SharingConditionalDecider).expect("merged");
    assert!(merged.ruling_wanted);
    assert_eq!(merged.sources[0].id, "REG22-26-3-decider");
    assert_eq!(merged.losers[0].1, Lost::SameRank);
}

#[test]
fn is_stored_as_its_text() {
    let pack = RulePack::embedded();
    let bytes = minicbor::to_vec(pack).expect("a vector takes any bytes");
    let again: RulePack = minicbor::decode(&bytes).expect("our bytes");
    assert_eq!(&again, pack);
    assert_eq!(again.rules(), pack.rules());
    assert_eq!(minicbor::to_vec(&again).expect("bytes"), bytes, "the same bytes on every replica");
}

proptest! {
    /// Whatever the pair and the day: every key has a value that some rule in force gives, each
    /// rule in force on a key is a winner or a recorded loser, a house rule never beats law.
    #[test]
    fn every_rule_is_accounted_for(
        asker in 0..6_usize, provider in 0..6_usize, service in any::<bool>(),
        day in 17_900..21_000_i32, city in any::<bool>(),
    ) {
        let classes = [GOV, AUTHORIZED, ORGAN, SERVICE, PartyClass::Society, PartyClass::Developer];
        let data = if service { DataKind::PublicServiceData } else { DataKind::GovernmentData };
        let pair = Pair { asker: classes[asker], provider: classes[provider], data };
        let day = LocalDate::from_days(day);
        let composition = if city { "xiamen-today" } else { "province-today" };
        let pack = RulePack::embedded();
        let it = pack.resolve(composition, pair, day).expect("known");
        for key in it.keys() {
            let merged = it.merged(key).expect("a key of its own");
            prop_assert!(!merged.sources.is_empty());
            let all = merged.sources.iter().chain(merged.losers.iter().map(|(rule, _)| rule));
            let mut seen = std::collections::BTreeSet::new();
            for reference in all {
                let rule = pack.rule(&reference.id).expect("of the pack");
                prop_assert!(rule.in_force(day));
                prop_assert!(seen.insert(reference.id.clone()));
            }
            let of_house = |rule: &RuleRef| rule.rank == Rank::HouseRule;
            let valued_law = merged.losers.iter().any(|(rule, why)| {
                !of_house(rule) && *why != Lost::WithoutNumber
            });
            prop_assert!(!(valued_law && merged.sources.iter().any(of_house)));
        }
    }
}
