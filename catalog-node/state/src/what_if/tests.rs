use super::*;
use crate::{script::World, store::MemStore};

/// Sixteen cases of two kinds of pairs over two weeks, some answered early, some late, some never.
fn cases() -> MemStore {
    let mut world = World::default();
    for line in [
        "cluster xiamen level=3 clock=\"2026-09-21 09:00\"",
        "organization police",
        "organization tax",
        "organization hospital class=public_service capacities=public_service",
        "organization water class=public_service capacities=public_service",
        "listed plates provider=police",
        "listed register provider=tax sharing=unconditional standing",
        "listed beds provider=hospital kind=public_service",
    ] {
        world.run(line);
    }
    for day in 0..4 {
        world.run(&format!("advance to=\"2026-09-{} 10:00\"", 21 + day));
        for line in [
            format!("request police{day} entry=plates from=tax"),
            format!("request tax{day} entry=register from=police"),
            format!("request beds{day} entry=beds from=water head=none"),
            format!("request more{day} entry=plates from=tax items=name"),
        ] {
            world.run(&line);
        }
    }
    world.run("advance to=\"2026-10-09 10:00\"");
    for day in 0..4 {
        world.run(&format!("answer more{day} agreed by=police.office"));
    }
    // The entry goes on: what was asked for then is judged as it was then.
    for line in [
        "update plates items=name,number,colour",
        "consent catalog plates person=police.head",
        "submit plates",
        "publish plates",
        "advance to=\"2026-11-09 10:00\"",
        "replay",
    ] {
        world.run(line);
    }
    world.into_store("xiamen")
}

fn draft(from: &str, to: &str) -> RulePack {
    let json = RulePack::embedded().json();
    assert!(json.contains(from), "the pack has no {from}");
    RulePack::parse(&json.replacen(from, to, 1)).expect("a draft")
}

fn found(store: &MemStore, draft: &RulePack, since: &str) -> (Vec<Difference>, u64) {
    let mut cases = what_if(View(store), draft, since.parse().unwrap()).expect("a cluster");
    let found: Vec<Difference> = cases.by_ref().collect();
    (found, cases.looked_at())
}

#[test]
fn the_law_as_it_is_changes_nothing() {
    let store = cases();
    assert_eq!(found(&store, RulePack::embedded(), "2026-09-21"), (Vec::new(), 16));
}

#[test]
fn a_shorter_clock_makes_some_late() {
    let store = cases();
    let ten = "\"id\":\"N809-21-1-conditional-answer\",\"profile\":\"national\",\
               \"key\":\"sharing.conditional.answer\",\"value\":10";
    let draft = draft(ten, &ten.replace("\"value\":10", "\"value\":9"));
    let (differences, looked_at) = found(&store, &draft, "2026-09-22");
    assert_eq!(looked_at, 12);
    // Three of those that nobody answered, three of those that were: the due date of all, and none
    // of the public-service pairs, to which the decree does not speak.
    assert_eq!(differences.len(), 6);
    for difference in &differences {
        assert!(difference.what.contains(&Changed::DueDate), "{difference:?}");
        let rule = |outcome: &CaseOutcome| outcome.answer_rule.clone().expect("a clock").id;
        assert_eq!(rule(&difference.old), rule(&difference.new));
        assert_eq!((difference.old.answer_days, difference.new.answer_days), (Some(10), Some(9)));
    }
    // Answered on 9 October: in time under ten days for all, under nine for none of the first day.
    let (differences, _) = found(&store, &draft, "2026-09-21");
    let late: Vec<_> =
        differences.iter().filter(|case| case.what.contains(&Changed::Timeliness)).collect();
    assert!(late.iter().all(|case| case.old.late == Some(false) && case.new.late == Some(true)));
    // Twice the same.
    assert_eq!(found(&store, &draft, "2026-09-21").0, differences);
}

#[test]
fn without_the_standing_answer_somebody_owes_one() {
    let store = cases();
    let draft = draft(
        "\"id\":\"HOUSE-standing-answer\",\"profile\":\"house\"",
        "\"id\":\"HOUSE-standing-answer\",\"profile\":\"fuzhou\"",
    );
    let (differences, _) = found(&store, &draft, "2026-09-21");
    assert_eq!(differences.len(), 4);
    for difference in &differences {
        assert!(difference.old.at_once && !difference.new.at_once);
        assert_eq!(difference.new.answer_days, Some(1));
    }
}

#[test]
fn a_rule_that_ended_leaves_nobody_to_decide() {
    let store = cases();
    let decider = "\"id\":\"REG22-26-3-decider\"";
    let ended = format!("{decider},\"effective_to\":\"2026-09-22\"");
    let (differences, _) = found(&store, &draft(decider, &ended), "2026-09-21");
    // Of the public-service pairs, those received after the end.
    assert_eq!(differences.len(), 2);
    for difference in &differences {
        let refusal = difference.new.refused.as_ref().expect("nobody decides");
        assert_eq!(refusal.reason, catalog_model::reason::Reason::NoRuleInForce);
        assert_eq!(refusal.facts["expired_rule"], "REG22-26-3-decider");
        assert_eq!(difference.what, [Changed::Route, Changed::Contents]);
    }
}

#[test]
fn portions_together_find_what_one_look_finds() {
    let store = cases();
    let ten = "\"id\":\"N809-21-1-conditional-answer\",\"profile\":\"national\",\
               \"key\":\"sharing.conditional.answer\",\"value\":10";
    let draft = draft(ten, &ten.replace("\"value\":10", "\"value\":9"));
    let (whole, looked_at) = found(&store, &draft, "2026-09-22");
    for (limit, rows) in [(1, 100), (100, 1), (2, 5), (100, 100)] {
        let (mut differences, mut seen, mut from) = (Vec::new(), 0, None::<Vec<u8>>);
        loop {
            let cases = what_if(View(&store), &draft, "2026-09-22".parse().unwrap()).unwrap();
            let portion = cases.portion(from.as_deref(), limit, rows);
            assert!(portion.differences.len() <= limit, "{limit} {rows}");
            differences.extend(portion.differences);
            seen += portion.looked_at;
            from = portion.next;
            if from.is_none() {
                break;
            }
        }
        assert_eq!((&differences, seen), (&whole, looked_at), "{limit} {rows}");
    }
}

#[test]
fn who_may_not_see_a_case_is_not_told_how_it_would_have_ended() {
    let store = cases();
    let draft = draft("\"value\":10", "\"value\":10");
    let cases = what_if(View(&store), &draft, "2026-09-21".parse().unwrap()).unwrap();
    let portion = cases.only(|case| case.requester.name.contains("water")).portion(None, 100, 100);
    assert_eq!(portion.looked_at, 4);
}
