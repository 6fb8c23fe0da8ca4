//! The deadline vectors as due dates of cases: a request is decided under a pack whose answer
//! clock is the row's number of working days, received on the row's date.
//!
//! Most rows lie before the laws of the shipped pack, so the pack of this test is of the house
//! alone; it also shows how small a pack can be that the product works with.

use catalog_model::{
    calendar::WorkingDayCalendar,
    catalog_entry::{DataItem, ItemType},
    deadline::{DeadlineKind, WorkingDayClock},
    ids::{EntryId, SystemId},
    name::{Resource, ResourceName},
    organization::{DataKind, PartyClass},
    policy::{EntryFacts, Route, decide},
    rule_pack::{Pair, RulePack},
    share_request::RequestContent,
    sharing::SharingAttribute,
    time::LocalDate,
};
use serde_json::json;
use ulid::Ulid;

fn pack_with_answer_clock(n: u16) -> RulePack {
    let rule = |id: &str, key: &str, value: serde_json::Value| {
        json!({
            "id": id, "profile": "house", "key": key, "value": value, "unit": "working_day",
            "debtor": "provider", "scope": "any_case", "source": "HOUSE", "rank": "house_rule",
            "effective_from": "2019-01-01"
        })
    };
    let pack = json!({
        "version": 2,
        "ranks": [{"rank": "house_rule"}],
        "merge": {
            "sharing.conditional.answer.default": {"op": "override"},
            "sharing.conditional.decider": {"op": "override"},
            "overdue.escalation_target": {"op": "override"}
        },
        "scopes": {
            "any_case": {"asker": ["any"], "provider": ["any"], "data": ["any"], "match": "both",
                         "definition": "everyone"}
        },
        "documents": {"HOUSE": {"title": "house rules", "effective_from": "2019-01-01"}},
        "rules": [
            rule("HOUSE-answer", "sharing.conditional.answer.default", json!(n)),
            rule("HOUSE-decider", "sharing.conditional.decider", json!(["provider"])),
            rule("HOUSE-escalation", "overdue.escalation_target",
                 json!({"provider": "authority_same_level"}))
        ],
        "compositions": {"test": {"order": ["house"], "by_scope": []}}
    });
    RulePack::parse(&pack.to_string()).expect("a pack")
}

#[test]
fn every_row_is_the_due_date_of_a_case() {
    let sharing = SharingAttribute::Conditional {
        scope: "departments".to_owned(),
        purpose: "duty".to_owned(),
        basis: None,
    };
    let item = DataItem {
        name: "address".to_owned(),
        name_en: String::new(),
        item_type: ItemType::Character,
        description: String::new(),
        sharing: None,
        grade: None,
        personal: false,
        basis: None,
    };
    let items = [item];
    let entry =
        EntryFacts { listed: true, sharing: Some(&sharing), items: &items, standing_answer: false };
    let asked = RequestContent {
        entry: ResourceName::new(
            "xiamen".parse().expect("a domain"),
            Resource::Entry(EntryId(Ulid::from_bytes([1; 16]))),
        ),
        system: SystemId(Ulid::from_bytes([2; 16])),
        scenario: "a duty".to_owned(),
        duty_basis: String::new(),
        items: vec!["address".to_owned()],
        item_reasons: Vec::new(),
        row_scope: String::new(),
        method: None,
        term: None,
        commitments: Vec::new(),
        rate_per_day: None,
        renews: None,
    };
    let pair = Pair {
        asker: PartyClass::GovernmentDepartment,
        provider: PartyClass::GovernmentDepartment,
        data: DataKind::GovernmentData,
    };
    let calendar = WorkingDayCalendar::embedded();

    let file = &include_bytes!("../data/deadline_vectors.csv")[..];
    let mut rows = 0;
    for row in csv::Reader::from_reader(file).records() {
        let row = row.expect("the vectors are a csv");
        let received: LocalDate = row[1].parse().expect("a date");
        let n: u16 = row[4].parse().expect("a number");
        let rules = pack_with_answer_clock(n).resolve("test", pair, received).expect("known");
        let route = decide(&rules, &entry, &asked, received).expect("nothing speaks against it");
        let Route::OpenCase { answer: (days, rule), .. } = route else { panic!("a case") };
        // The last instant of the day of receipt: the day is not counted however late it was.
        let instant = received.end().0 - 1;
        let instant = catalog_model::time::UtcMillis(instant);
        let clock = WorkingDayClock::start(DeadlineKind::Answer, instant, days, rule, calendar);
        assert_eq!(clock.due_date.to_string(), &row[5], "row {}", &row[0]);
        assert!(!clock.provisional);
        assert!(!clock.is_overdue(clock.due_date.start()));
        assert!(clock.is_overdue(clock.due_date.end()));
        rows += 1;
    }
    assert_eq!(rows, 60);
}
