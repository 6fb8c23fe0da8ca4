use std::collections::BTreeMap;

use serde_json::json;

use super::*;

fn nobody(_: &str) -> Option<String> {
    None
}

/// The kinds of facts with the keys of their details, as the table in `record_json.rs` has them:
/// its match does not compile with a fact or a field missing.
fn kinds() -> BTreeMap<String, Vec<String>> {
    let source = include_str!("../record_json.rs");
    let table = source.split("fact;\n").nth(1).and_then(|rest| rest.split("Fact::Outage").next());
    let table = table.expect("the table of facts");
    let mut kinds = BTreeMap::new();
    for row in table.split('}') {
        let (Some((head, fields)), true) = (row.split_once('{'), row.contains('"')) else {
            continue;
        };
        let word = head.split('"').nth(1).expect("the word of a fact").to_owned();
        let fields = fields.split(',').map(|field| match field.split_once(" as ") {
            Some((_, key)) => key.trim().trim_matches('"').to_owned(),
            None => field.trim().to_owned(),
        });
        kinds.insert(word, fields.filter(|field| !field.is_empty()).collect());
    }
    let by_hand = ["node", "from", "until", "text_zh", "text_en"].map(str::to_owned);
    kinds.insert("outage_recorded".to_owned(), by_hand.into());
    kinds
}

/// The fields that a template speaks of.
fn spoken(template: &str) -> Vec<&str> {
    let values = template.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    let choices = template.split('[').skip(1).filter_map(|rest| rest.split('?').next());
    values.chain(choices).filter(|field| *field != "subject").collect()
}

#[test]
fn every_kind_of_fact_has_a_sentence_that_speaks_of_what_is_there() {
    let kinds = kinds();
    assert!(kinds.len() > 120, "{}", kinds.len());
    let templates: Vec<&str> = TEMPLATES.iter().map(|(word, ..)| *word).collect();
    for kind in kinds.keys() {
        assert!(templates.contains(&kind.as_str()), "{kind} has no sentence");
    }
    for (kind, zh, en) in TEMPLATES {
        let fields = &kinds[*kind];
        for field in spoken(zh).into_iter().chain(spoken(en)) {
            assert!(fields.iter().any(|known| known == field), "{kind} has no {field}");
        }
    }
}

#[test]
fn a_sentence_takes_values_choices_and_names() {
    let details = json!({
        "kind": "agreed_in_part", "items": ["a", "b"], "late": true, "grant": null,
        "standing": false,
    });
    let say = |lang| sentence("request_answered", "domains/x/requests/1", &details, lang, &nobody);
    assert_eq!(say(Lang::Zh), "作出答复：部分同意（a、b），逾期作出");
    assert_eq!(say(Lang::En), "answered: agreed in part (a, b), late");

    let details = json!({ "version": 2, "sharing": "not_shared", "sha256": "ab" });
    let known = |name: &str| (name == "domains/x/entries/1").then(|| "《甲》".to_owned());
    let said = sentence("entry_published", "domains/x/entries/1", &details, Lang::Zh, &known);
    assert_eq!(said, "《甲》第 2 版发布，共享属性：不予共享");
}

#[test]
fn what_is_not_known_here_stays_as_it_is() {
    let said = sentence("later_fact", "domains/x", &json!({ "n": 1 }), Lang::En, &nobody);
    assert_eq!(said, "later_fact {\"n\":1}");
    let details = json!({ "domain": "xiamen", "tree_size": 3, "held_size": 5 });
    let said = sentence("head_forked", "domains/xiamen", &details, Lang::En, &nobody);
    assert!(said.contains("3 records") && said.contains("(5)"), "{said}");
}
