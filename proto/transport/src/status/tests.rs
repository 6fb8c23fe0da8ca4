use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use catalog_model::{
    reason::{Lang, Reason},
    refusal::Refusal,
    rule::RuleRef,
};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::{DETAILS_BYTES_MAX, FIELDS_OMITTED, Problem, code, of, shortened};

#[test]
fn every_reason_has_a_code_that_is_an_error_and_travels() {
    for reason in Reason::ALL {
        assert_ne!(code(*reason), Code::Ok, "{reason}");
        for lang in [Lang::Zh, Lang::En] {
            let problem = Problem::from_status(&of(&Refusal::new(*reason), lang));
            assert_eq!(problem.reason, Some(*reason));
            assert_eq!(problem.code, code(*reason));
            assert_eq!(problem.message, reason.text(lang));
        }
    }
}

#[test]
fn codes_tell_clients_what_to_do() {
    let table = [
        (Reason::CertificateMissing, Code::Unauthenticated),
        (Reason::EtagMismatch, Code::Aborted),
        (Reason::NoLeader, Code::Unavailable),
        (Reason::Overloaded, Code::ResourceExhausted),
        (Reason::OutcomeUnknown, Code::Unknown),
        (Reason::TimedOut, Code::DeadlineExceeded),
        (Reason::NotFound, Code::NotFound),
        (Reason::MethodUnknown, Code::Unimplemented),
    ];
    for (reason, expected) in table {
        assert_eq!(code(reason), expected, "{reason}");
    }
}

#[test]
fn a_refusal_reads_back_with_all_that_it_carries() {
    let refusal = Refusal::new(Reason::EntryIncomplete)
        .fact("name", "domains/xiamen/entries/1")
        .under(RuleRef::house("HOUSE-1"))
        .field("entry.title", "is missing", "缺失")
        .field("entry.items[2].name", "is empty", "为空")
        .retry_after(1500);
    let status = of(&refusal, Lang::Zh);
    assert_eq!(status.message(), refusal.text(Lang::En));

    let details = status.get_error_details();
    let info = details.error_info().unwrap();
    assert_eq!((info.reason.as_str(), info.domain.as_str()), ("ENTRY_INCOMPLETE", "luqiao"));
    assert_eq!(details.localized_message().unwrap().locale, "zh-CN");
    let precondition = &details.precondition_failure().unwrap().violations[0];
    assert_eq!(precondition.r#type, "ENTRY_INCOMPLETE");
    assert_eq!(precondition.subject, "domains/xiamen/entries/1");

    assert_eq!(
        Problem::from_status(&status),
        Problem {
            code: Code::FailedPrecondition,
            reason: Some(Reason::EntryIncomplete),
            reason_name: "ENTRY_INCOMPLETE".to_owned(),
            message: refusal.text(Lang::Zh),
            metadata: BTreeMap::from(
                [
                    ("name", "domains/xiamen/entries/1"),
                    ("rule", "HOUSE-1"),
                    ("rule_cited", "内部规则 HOUSE-1"),
                ]
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
            ),
            fields: vec![
                ("entry.title".to_owned(), "缺失".to_owned()),
                ("entry.items[2].name".to_owned(), "为空".to_owned()),
            ],
            retry_delay: Some(Duration::from_millis(1500)),
        }
    );

    let english = Problem::from_status(&of(&refusal, Lang::En));
    assert_eq!(english.fields[0].1, "is missing");
    assert_eq!(english.message, refusal.text(Lang::En));
}

#[test]
fn only_what_a_refusal_has_is_sent() {
    let details = of(&Refusal::new(Reason::NotFound), Lang::En).get_error_details();
    assert!(details.error_info().is_some() && details.localized_message().is_some());
    assert!(details.bad_request().is_none());
    assert!(details.precondition_failure().is_none());
    assert!(details.retry_info().is_none());
}

#[test]
fn a_status_of_somebody_else_is_a_problem_too() {
    let problem = Problem::from_status(&Status::not_found("no such thing"));
    assert_eq!((problem.code, problem.reason), (Code::NotFound, None));
    assert_eq!(problem.message, "no such thing");
    assert!(problem.reason_name.is_empty() && problem.fields.is_empty());

    let foreign = tonic_types::ErrorDetails::with_error_info(
        "NOT_FOUND",
        "example.org",
        HashMap::<String, String>::new(),
    );
    let problem = Problem::from_status(&Status::with_error_details(Code::NotFound, "x", foreign));
    assert_eq!(problem.reason, None, "the same word in another domain is another reason");
    assert_eq!(problem.reason_name, "NOT_FOUND");
}

#[test]
fn a_status_fits_into_the_trailers_whatever_the_refusal_holds() {
    let mut refusal = Refusal::new(Reason::EntryIncomplete).fact("name", "名".repeat(10_000));
    for index in 0..1000 {
        refusal =
            refusal.field(&format!("entry.items[{index}]"), "x".repeat(900), "错".repeat(900));
    }
    for lang in [Lang::Zh, Lang::En] {
        let status = of(&refusal, lang);
        assert!(status.details().len() <= DETAILS_BYTES_MAX, "{}", status.details().len());
        assert!(status.message().len() <= 900);
        let problem = Problem::from_status(&status);
        assert!(!problem.fields.is_empty());
        let omitted: usize = problem.metadata[FIELDS_OMITTED].parse().unwrap();
        assert_eq!(omitted + problem.fields.len(), 1000);
    }
}

#[test]
fn shortening_keeps_whole_characters() {
    for (text, bytes, expected) in
        [("abc", 3, "abc"), ("abcd", 5, "abcd"), ("abcdef", 5, "ab…"), ("错错错", 7, "错…")]
    {
        assert_eq!(shortened(text, bytes), expected, "{text}");
        assert!(shortened(text, bytes).len() <= bytes);
    }
}
