//! Rulings, explanations and findings: what a keeper of the law does with a pack.

use super::*;
use crate::{reason::Lang, rule_pack::resolution::Lost};

fn ruling(effect: RulingEffect, from: &str, to: Option<&str>) -> Ruling {
    Ruling {
        id: "r1".to_owned(),
        effect,
        from: date(from),
        to: to.map(date),
        document_number: String::new(),
    }
}

fn prefer(rule: &str, over: &str) -> RulingEffect {
    RulingEffect::Prefer { rule: rule.to_owned(), over: over.to_owned() }
}

fn proceed(rule: &str) -> RulingEffect {
    RulingEffect::Continue { rule: rule.to_owned() }
}

fn set(pack: &mut Value, id: &str, field: &str, value: Value) {
    let rules = pack["rules"].as_array_mut().expect("rules");
    let rule = rules.iter_mut().find(|rule| rule["id"] == id).expect("the rule");
    rule[field] = value;
}

/// What the authority ruled is part of the pack's text, and comes back from it.
#[test]
fn rulings_are_carried_by_the_text() {
    let pack = RulePack::embedded();
    assert!(pack.rulings().is_empty());
    let adapts = ruling(prefer("REG22-26-3-decider", "N809-20-3-decider"), "2026-09-21", None);
    let ruled = pack.with_rulings(std::slice::from_ref(&adapts)).expect("its rules exist");
    assert_eq!(ruled.rulings(), [adapts]);
    assert_eq!(RulePack::parse(ruled.json()).expect("its own text"), ruled);
    assert_eq!(ruled.with_rulings(&[]).expect("rules stay"), *pack);
    let unknown = ruling(proceed("REG22-26-3-decidre"), "2026-09-21", None);
    let error = pack.with_rulings(&[unknown]).expect_err("no such rule");
    assert!(
        matches!(error, PackError::UnknownInRuling { nearest, .. } if nearest == "REG22-26-3-decider")
    );
}

/// 会同 as an adaptation for the special zone: from its first to its last day, for the pair alone.
#[test]
fn an_adaptation_holds_before_a_higher_rank() {
    let adapts =
        ruling(prefer("REG22-26-3-decider", "N809-20-3-decider"), "2026-09-21", Some("2026-12-31"));
    let pack = RulePack::embedded().with_rulings(&[adapts]).expect("a pack");
    let on = |day: &str| pack.resolve("xiamen-today", pair(GOV, GOV), date(day)).expect("known");
    assert_eq!(on("2026-09-20").decider().expect("law").0, Decider::Provider);
    let it = on("2026-09-21");
    assert_eq!(it.decider().expect("law").0, Decider::AuthorityWithProvider);
    let merged = it.merged(RuleKey::SharingConditionalDecider).expect("merged");
    assert_eq!(merged.losers[0].0.id, "N809-20-3-decider");
    assert_eq!(merged.losers[0].1, Lost::ByRuling);
    assert_eq!(on("2027-01-01").decider().expect("law").0, Decider::Provider);
    // What was asked for under the decree otherwise stays asked for.
    assert_eq!(it.answer_days(SharingKind::Conditional).expect("law").0, WorkingDays(10));
    assert!(it.answer_head_consent().is_some());
}

/// Rulings that go in a circle rule nobody out.
#[test]
fn a_circle_of_rulings_rules_nobody_out() {
    let one = ruling(prefer("REG22-26-3-decider", "N809-20-3-decider"), "2026-09-21", None);
    let other = ruling(prefer("N809-20-3-decider", "REG22-26-3-decider"), "2026-09-21", None);
    let pack = RulePack::embedded().with_rulings(&[one, other]).expect("a pack");
    let it = pack.resolve("xiamen-today", pair(GOV, GOV), date("2026-09-21")).expect("known");
    assert_eq!(it.decider().expect("law").0, Decider::Provider);
}

/// Must-refuse 51: an expired rule counts after its end by a recorded decision alone.
#[test]
fn an_expired_rule_goes_on_by_a_ruling_alone() {
    let ended =
        changed(|pack| set(pack, "REG22-26-3-decider", "effective_to", json!("2026-09-25")))
            .expect("a pack");
    let services = pair(SERVICE, SERVICE);
    let today = date("2026-09-28");
    let it = ended.resolve("xiamen-today", services, today).expect("known");
    assert_eq!(it.decider(), None);
    let key = RuleKey::SharingConditionalDecider;
    let refusal = it.required(key).expect_err("nobody decides");
    assert_eq!(refusal.facts["expired_rule"], "REG22-26-3-decider");
    assert!(refusal.text(Lang::Zh).contains("已于 2026-09-25 失效"), "{}", refusal.text(Lang::Zh));
    assert_eq!(it.expired_on(key).len(), 1);
    assert!(it.continued().is_empty());

    assert_eq!(ended.check_continuation("REG22-26-3-decider", today), Ok(()));
    let pack = ended
        .with_rulings(&[ruling(proceed("REG22-26-3-decider"), "2026-09-28", None)])
        .expect("a pack");
    let it = pack.resolve("xiamen-today", services, today).expect("known");
    let (decider, rule) = it.decider().expect("it goes on");
    assert_eq!(decider, Decider::AuthorityWithProvider);
    let expired = date("2026-09-25");
    assert_eq!(it.mark(&rule), RuleMark::Continued { expired, ruling: "r1".to_owned() });
    assert_eq!(it.continued(), [(rule, expired, "r1".to_owned())]);
    assert!(it.expired_on(key).is_empty());
    let before = pack.resolve("xiamen-today", services, date("2026-09-27")).expect("known");
    assert_eq!(before.decider(), None, "a ruling is not backwards");
}

#[test]
fn rulings_that_cannot_be_made() {
    let pack = RulePack::embedded();
    let day = date("2026-11-21");
    let proceeds = |rule| pack.check_continuation(rule, day);
    assert!(matches!(proceeds("N809-20-3-decider"), Err(RulingFault::NotExpired(_))));
    assert!(matches!(
        proceeds("PLAN24-2.3.1-1-refusal-ground"),
        Err(RulingFault::Governed { successors, .. }) if successors.contains("21")
    ));
    assert_eq!(proceeds("DEV23-12-2-review"), Ok(()), "nothing governs instead");
    let prefers = |rule, over| pack.check_preference(rule, over, true);
    assert_eq!(prefers("REG22-26-3-decider", "N809-20-3-decider"), Ok(()));
    for (rule, over) in [
        ("N809-20-3-decider", "REG22-26-3-decider"),
        ("REG22-26-3-decider", "N809-21-1-conditional-answer"),
        ("FZ-M-17-1-decider", "N809-20-3-decider"),
        ("REG22-26-3-answer", "N809-21-1-conditional-answer"),
        ("REG22-26-3-decider", "REG22-26-3-decider"),
        ("nothing", "N809-20-3-decider"),
    ] {
        let fault = prefers(rule, over).expect_err(rule);
        assert_ne!(fault.text(Lang::Zh), fault.text(Lang::En));
    }
}

/// POL-07: since when does one pack say something else than another?
#[test]
fn differs_since_the_first_day_on_which_it_does() {
    let old = RulePack::embedded();
    let today = date("2026-11-21");
    let since = |change: &dyn Fn(&mut Value)| {
        changed(change).expect("a pack").differs_since(old, today).map(|day| day.to_string())
    };
    let answer = "N809-21-1-conditional-answer";
    assert_eq!(since(&|_| {}), None);
    assert_eq!(since(&|pack| set(pack, answer, "note", json!("a word"))), None);
    // Its document begins on 1 August 2025, and no rule before its document.
    assert_eq!(since(&|pack| set(pack, answer, "value", json!(9))).as_deref(), Some("2025-08-01"));
    let later = since(&|pack| set(pack, answer, "effective_from", json!("2026-03-01")));
    assert_eq!(later.as_deref(), Some("2025-08-01"), "it did not hold meanwhile");
    let ends = since(&|pack| set(pack, answer, "effective_to", json!("2026-03-01")));
    assert_eq!(ends.as_deref(), Some("2026-03-02"));
    let ends = since(&|pack| set(pack, answer, "effective_to", json!("2026-11-21")));
    assert_eq!(ends, None, "that is not over");
    let begins = since(&|pack| {
        set(pack, "REG22-26-3-answer", "effective_from", json!("2026-11-21"));
        set(pack, "REG22-26-3-answer", "effective_to", json!("2026-11-21"));
    });
    assert_eq!(begins.as_deref(), Some("2023-03-01"), "until then it said something");
    let gone = since(&|pack| {
        let rules = pack["rules"].as_array_mut().expect("rules");
        rules.retain(|rule| rule["id"] != "REG22-26-3-decider");
    });
    assert_eq!(gone.as_deref(), Some("2023-03-01"));
    let operator = since(&|pack| pack["merge"]["sharing.delivery"]["op"] = json!("union"));
    assert_eq!(operator.as_deref(), Some("2019-01-01"), "everything may differ");
}

#[test]
fn explains_who_lost_and_why() {
    let day = date("2026-11-21");
    let told = |asker, provider, key: RuleKey| {
        explain_rule(RulePack::embedded(), "xiamen-today", pair(asker, provider), day, key)
            .expect("known")
    };
    let answer = told(GOV, GOV, RuleKey::SharingConditionalAnswer);
    assert_eq!(answer.value, Some(RuleValue::Count { n: 10, unit: Unit::WorkingDay }));
    let standings: Vec<(&str, &Standing)> =
        answer.rules.iter().map(|(rule, _, standing)| (rule.id.as_str(), standing)).collect();
    assert_eq!(
        standings,
        [
            ("N809-21-1-conditional-answer", &Standing::Gives),
            ("REG22-26-3-answer", &Standing::GaveWay(Lost::WithoutNumber)),
            ("FZ-M-17-1-answer", &Standing::OutOfScope),
        ]
    );
    let update = told(GOV, GOV, RuleKey::CatalogUpdate);
    let expired = update.rules.iter().find(|(rule, ..)| rule.id == "PLAN24-2.2.2-1-update");
    assert_eq!(expired.expect("of the pack").2, Standing::Expired(date("2026-06-06")));
    let default = told(SERVICE, SERVICE, RuleKey::SharingConditionalAnswerDefault);
    assert!(default.lines(Lang::En)[1].contains("house rule HOUSE-reasonable-period"));
    for key in RuleKey::ALL {
        let it = told(GOV, SERVICE, *key);
        let on_key = RulePack::embedded().rules().iter().filter(|rule| rule.key == *key).count();
        assert_eq!(it.rules.len(), on_key, "every rule is accounted for");
        let lines = it.lines(Lang::Zh).len();
        assert_eq!(lines, 1 + on_key + usize::from(it.ruling_wanted));
    }
}

#[test]
fn finds_what_a_keeper_should_know() {
    let day = date("2026-11-21");
    let found = check(RulePack::embedded(), day);
    assert!(found.iter().all(|finding| finding.severity != Severity::Error), "{found:#?}");
    let about =
        |rule: &str| found.iter().filter(|finding| finding.rule == rule).collect::<Vec<_>>();
    // DEV23 has ended without a successor for its clocks; PLAN24's refusal ground has one.
    let gone = &about("DEV23-12-2-review")[0];
    assert_eq!(gone.severity, Severity::RulingWanted);
    assert_eq!(
        gone.what,
        Found::ExpiredWithoutSuccessor { last: date("2025-12-27"), ruling: None }
    );
    assert!(about("PLAN24-2.3.1-1-refusal-ground").is_empty());
    // Two texts of Fuzhou on who may apply for opening: no mistake, a matter for the authority.
    let fuzhou = &about("FZ-M-22-2-open-applicants")[0];
    assert_eq!(fuzhou.severity, Severity::RulingWanted);
    assert_eq!(fuzhou.what, Found::Contradicts { other: "FZ-O-8-1-applicants".to_owned() });
    for finding in &found {
        assert_ne!(finding.text(Lang::Zh), finding.text(Lang::En));
    }
    let twice = changed(|pack| {
        let rules = pack["rules"].as_array_mut().expect("rules");
        let rule = rules.iter().find(|rule| rule["id"] == "REG22-26-3-decider").expect("it");
        let mut other = rule.clone();
        other["id"] = json!("REG22-26-3-other");
        (other["value"], other["debtor"]) = (json!(["authority"]), json!("authority"));
        rules.push(other);
    })
    .expect("it can be read");
    let errors: Vec<_> = check(&twice, day)
        .into_iter()
        .filter(|finding| finding.severity == Severity::Error)
        .collect();
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].rule, "REG22-26-3-decider");
    // A rule after the other has ended contradicts nobody.
    let after = changed(|pack| {
        set(pack, "REG22-26-3-decider", "effective_to", json!("2026-06-30"));
        let rules = pack["rules"].as_array_mut().expect("rules");
        let rule = rules.iter().find(|rule| rule["id"] == "REG22-26-3-decider").expect("it");
        let mut other = rule.clone();
        other["id"] = json!("REG22-26-3-other");
        other["effective_from"] = json!("2026-07-01");
        other["effective_to"] = json!(null);
        (other["value"], other["debtor"]) = (json!(["authority"]), json!("authority"));
        rules.push(other);
    })
    .expect("it can be read");
    assert!(check(&after, day).iter().all(|finding| finding.severity != Severity::Error));
}

/// A refused pack says why in both languages.
#[test]
fn faults_are_told_in_both_languages() {
    let id = "N809-21-1-conditional-answer";
    let faults: [&dyn Fn(&mut Value); 12] = [
        &|pack| set(pack, id, "key", json!("sharing.conditional.anser")),
        &|pack| set(pack, id, "scope", json!("gov_to_gvo")),
        &|pack| set(pack, id, "scope", json!(null)),
        &|pack| set(pack, id, "source", json!("N80")),
        &|pack| set(pack, id, "on_breach", json!("N809-99")),
        &|pack| set(pack, id, "rank", json!("house_rule")),
        &|pack| set(pack, id, "article", json!(null)),
        &|pack| set(pack, id, "effective_to", json!("2025-07-31")),
        &|pack| set(pack, id, "value", json!("ten")),
        &|pack| pack["merge"]["shring.types"] = json!({"op": "override"}),
        &|pack| pack["merge"]["sharing.conditional.answer"]["op"] = json!(null),
        &|pack| pack["scopes"]["society"]["asker"] = json!(["natural_persons"]),
    ];
    for fault in faults {
        let error = changed(fault).expect_err("a fault");
        let (en, zh) = (error.text(Lang::En), error.text(Lang::Zh));
        assert_eq!(en, error.to_string());
        assert!(!zh.is_ascii() && zh != en, "{zh}");
    }
}
