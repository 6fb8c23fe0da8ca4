//! Cases as askers and deciders state them.

use catalog_model::{
    share_request::{Answer, ShareRequestState},
    time::UtcMillis,
};

use super::{
    values::{self, at},
    wrong,
};
use crate::{
    convert::{answer::*, share_request::*},
    sharing::v1 as sharing,
};

#[test]
fn an_open_case_is_overdue_from_its_due_instant_unless_its_clock_stands_still() {
    let mut case = values::request();
    let due = case.answer_clock.as_ref().unwrap().due_time;
    let overdue = |case: &_, clock| request_message(case, clock).deadline.unwrap().overdue;
    case.state = ShareRequestState::Submitted;
    assert!(!overdue(&case, UtcMillis(due.0 - 1)));
    assert!(overdue(&case, due));

    case.state = ShareRequestState::CompletionAsked;
    case.completion.as_mut().unwrap().completed_time = None;
    assert!(!overdue(&case, due));
    case.completion.as_mut().unwrap().suspends = false;
    assert!(overdue(&case, due));

    case.state = ShareRequestState::Refused;
    assert!(!overdue(&case, due));
}

#[test]
fn answers_say_what_belongs_to_their_kind() {
    for answer in [
        Answer::Agreed,
        Answer::AgreedInPart { items: vec!["a".into()], reason: "b".into() },
        Answer::Refused { ground: "g".into(), reason: "r".into() },
        // Whether the reason is owed is for the rules.
        Answer::Refused { ground: String::new(), reason: String::new() },
    ] {
        assert_eq!(read_answer(&answer_message(&answer), "answer"), Ok(answer));
    }
    let full = |kind| sharing::Answer {
        kind,
        items: vec!["a".into()],
        ground: "g".into(),
        reason: "r".into(),
    };
    for (kind, fields) in [
        (0, vec!["answer.kind"]),
        (1, vec!["answer.items", "answer.ground", "answer.reason"]),
        (2, vec!["answer.ground"]),
        (3, vec!["answer.items"]),
        (4, vec!["answer.kind"]),
        (-7, vec!["answer.kind"]),
    ] {
        assert_eq!(wrong(read_answer(&full(kind), "answer")), fields, "{kind}");
    }
}

#[test]
fn an_asker_names_entry_and_system() {
    let case = values::request();
    let shown = request_message(&case, at(0));
    assert_eq!(read_request_content(&shown, "request"), Ok(case.content));
    let empty = sharing::ShareRequest {
        method: 4,
        term: Some(sharing::Term { from: "2026-10-01".into(), to: String::new() }),
        commitments: vec![1, 7],
        ..Default::default()
    };
    assert_eq!(
        wrong(read_request_content(&empty, "request")),
        [
            "request.entry",
            "request.system",
            "request.method",
            "request.term.to",
            "request.commitments[1]",
        ]
    );
}

#[test]
fn a_completion_replaces_what_it_states() {
    let before = values::request().content;
    let nothing = sharing::ShareRequest::default();
    assert_eq!(complete_request_content(before.clone(), &nothing, "completed"), Ok(before.clone()));

    let stated = sharing::ShareRequest {
        entry: before.entry.to_string(),
        scenario: "内涝预警与调度".into(),
        items: vec!["管线编号".into()],
        commitments: vec![6, 1],
        ..Default::default()
    };
    let after = complete_request_content(before.clone(), &stated, "completed").unwrap();
    assert_eq!((after.scenario.as_str(), after.items.len()), ("内涝预警与调度", 1));
    assert_eq!(after.commitments.len(), 2);
    assert_eq!((after.term, after.duty_basis), (before.term, before.duty_basis.clone()));

    let other = values::grant().request.to_string();
    let other = sharing::ShareRequest { entry: other, ..Default::default() };
    assert_eq!(wrong(complete_request_content(before, &other, "completed")), ["completed.entry"]);
}
