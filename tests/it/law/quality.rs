//! Quality by calls: batches, error reports, and objections of persons concerned (QLT-01..05,
//! SHR-16, SHR-29).
//!
//! Clocks and their rules state scripts show (`catalog-node/state/testdata/error_report_*.txt`,
//! `person_concerned_objects.txt`); here is what calls add: who may see what, and what cannot be read.

use federation_tests::{
    asking::{content, filing},
    role::request_id,
};
use luqiao_proto::{
    catalog::v1::{GetEntryRequest, SharingKind},
    quality::v1::{
        CheckResult, CloseReportRequest, ConcernProof, ConfirmReportRequest,
        CorrectPersonalObjectionRequest, CorrectReportRequest, Correction, Desk, Dimension,
        ErrorReport, FeedBackReportRequest, FilePersonalObjectionRequest, FileReportRequest,
        GetPersonalObjectionRequest, GetReportRequest, HandOverReportRequest, ListBatchesRequest,
        ListPersonalObjectionsRequest, ListReportsRequest, PersonalObjectionState,
        PropagateReportRequest, RecordBatchRequest, RejectPersonalObjectionRequest,
        RejectReportRequest, ReopenReportRequest, ReportState, TraceReportRequest,
        VerifyPersonalObjectionRequest, VerifyReportRequest, WindowFiling,
    },
};

use super::relations::{City, done, fields, nothing, refused};

/// The same in every step: which thing, in which version, under which attempt.
macro_rules! step {
    ($request:ident, $thing:expr $(, $field:ident: $value:expr)* $(,)?) => {
        $request {
            name: $thing.name.clone(),
            etag: $thing.etag.clone(),
            request_id: request_id(),
            $($field: $value,)*
        }
    };
}

fn batch(city: &City, entry: &str, number: &str) -> RecordBatchRequest {
    let result = |check: &str, dimension: Dimension, failed| CheckResult {
        check: check.to_owned(),
        dimension: dimension.into(),
        rows: 1000,
        failed,
    };
    RecordBatchRequest {
        parent: entry.to_owned(),
        batch: number.to_owned(),
        system: city.provider.system(),
        person: city.head.person(),
        rows: 1000,
        results: vec![
            result("非空", Dimension::Completeness, 25),
            result("代码校验", Dimension::Accuracy, 0),
        ],
        request_id: request_id(),
    }
}

fn report(entry: &str, items: &[&str]) -> FileReportRequest {
    FileReportRequest {
        parent: entry.to_owned(),
        items: items.iter().map(|&item| item.to_owned()).collect(),
        description: "代码与名称不符（合成）".to_owned(),
        desk: Desk::Unspecified.into(),
        request_id: request_id(),
    }
}

fn correction(number: &str, after: Vec<u8>) -> Correction {
    let before = vec![1; 32].into();
    Correction { batch: number.to_owned(), before, after: after.into() }
}

/// QLT-02, QLT-05: a batch is on record with what its checks found; how good the data are everybody
/// sees, who answers for them only the provider and the platform.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn qlt_02_qlt_05_batches_are_recorded_and_scored_by_calls() {
    let city = City::start().await;
    let (provider, user, manager) = (&city.provider, &city.other, &city.manager);
    let entry = city.listed("企业登记", SharingKind::Conditional).await;
    refused!(CallerNotPermitted, user.quality().record_batch(batch(&city, &entry, "1")));
    let odd = RecordBatchRequest { system: entry.clone(), ..batch(&city, &entry, "1") };
    refused!(NameInvalid, provider.quality().record_batch(odd));
    let theirs = RecordBatchRequest { system: user.system(), ..batch(&city, &entry, "1") };
    refused!(SystemUnknown, provider.quality().record_batch(theirs));
    let mut vague = batch(&city, &entry, "1");
    vague.results[1].dimension = 0;
    let problem = refused!(FieldInvalid, provider.quality().record_batch(vague));
    assert_eq!(fields(&problem), ["results[1].dimension"]);
    let mut impossible = batch(&city, &entry, "1");
    impossible.results[0].failed = 1001;
    let problem = refused!(FieldInvalid, provider.quality().record_batch(impossible));
    assert_eq!(fields(&problem), ["results[0].failed"]);
    let nowhere = batch(&city, &nothing(provider, "entries"), "1");
    refused!(NotFound, provider.quality().record_batch(nowhere));

    let recorded = done!(provider.quality().record_batch(batch(&city, &entry, "1")));
    let scores: Vec<_> = recorded.scores.iter().map(|s| (s.dimension(), s.thousandths)).collect();
    assert_eq!(scores, [(Dimension::Completeness, 975), (Dimension::Accuracy, 1000)]);
    refused!(AlreadyExists, provider.quality().record_batch(batch(&city, &entry, "1")));
    done!(provider.quality().record_batch(batch(&city, &entry, "2")));

    let list =
        |page_token: String| ListBatchesRequest { parent: entry.clone(), page_size: 1, page_token };
    let first = done!(user.quality().list_batches(list(String::new())));
    let seen = &first.batches[0];
    assert_eq!(seen.scores, recorded.scores);
    assert_eq!((seen.system.as_str(), seen.person.as_str()), ("", ""));
    let second = done!(user.quality().list_batches(list(first.next_page_token)));
    assert_eq!((second.batches[0].batch.as_str(), second.next_page_token.as_str()), ("2", ""));
    let whole = done!(manager.quality().list_batches(list(String::new())));
    assert_eq!(whole.batches[0].person, city.head.person());
    let draft = ListBatchesRequest { parent: nothing(user, "entries"), ..Default::default() };
    refused!(NotFound, user.quality().list_batches(draft));
}

/// QLT-01, QLT-04, SHR-16: a user reports an error; the provider verifies, corrects with a batch and
/// feeds back; everybody who holds the data is told; the data are traced to a person.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn qlt_01_qlt_04_shr_16_an_error_is_reported_corrected_and_propagated_by_calls() {
    let city = City::start().await;
    let (provider, user, outsider) = (&city.provider, &city.other, &city.outsider);
    let entry = city.listed("企业登记", SharingKind::Unconditional).await;
    let read = GetEntryRequest { name: entry.clone(), view: 1 };
    let listed = done!(user.catalog().get_entry(read));
    let user_head = &city.other_press.head;
    let held = filing(user, user_head, content(user, &listed));
    let case = done!(user.sharing().create_request(held));
    assert!(!case.grant.is_empty(), "{case:?}");

    let unsaid = FileReportRequest { description: String::new(), ..report(&entry, &[]) };
    refused!(ReasonMissing, user.quality().file_report(unsaid));
    refused!(FieldInvalid, user.quality().file_report(report(&entry, &["住址"])));
    let desk = FileReportRequest { desk: 9, ..report(&entry, &[]) };
    let problem = refused!(FieldInvalid, user.quality().file_report(desk));
    assert_eq!(fields(&problem), ["desk"]);
    refused!(NotFound, user.quality().file_report(report(&nothing(user, "entries"), &[])));
    let filed = done!(user.quality().file_report(report(&entry, &["统一社会信用代码"])));
    let deadline = filed.deadline.clone().expect("the provider's clock runs");
    assert!(deadline.rule.is_some_and(|rule| !rule.article.is_empty()));

    let get = || GetReportRequest { name: filed.name.clone() };
    refused!(NotFound, outsider.quality().get_report(get()));
    assert_eq!(done!(provider.quality().get_report(get())), filed);
    let list = |entry: &str| ListReportsRequest {
        parent: user.domain(),
        entry: entry.to_owned(),
        ..Default::default()
    };
    assert!(done!(outsider.quality().list_reports(list(&entry))).reports.is_empty());
    assert_eq!(
        done!(user.quality().list_reports(list(&entry))).reports,
        std::slice::from_ref(&filed)
    );
    assert_eq!(
        done!(provider.quality().list_reports(list(""))).reports,
        std::slice::from_ref(&filed)
    );

    // It is at the provider already: there is nothing to hand over.
    let authority = &city.authority;
    let over = step!(HandOverReportRequest, filed);
    refused!(RelationStateWrong, authority.quality().hand_over_report(over));
    let verify = step!(VerifyReportRequest, filed);
    refused!(CallerNotPermitted, user.quality().verify_report(verify));
    let verified = done!(provider.quality().verify_report(step!(VerifyReportRequest, filed)));
    let stale = step!(ConfirmReportRequest, filed);
    refused!(EtagMismatch, provider.quality().confirm_report(stale));
    let confirmed = done!(provider.quality().confirm_report(step!(ConfirmReportRequest, verified)));
    let early = step!(FeedBackReportRequest, confirmed, text: "已知悉".to_owned());
    refused!(CorrectionMissing, provider.quality().feed_back_report(early));

    let correct = |number: &str, after: Vec<u8>| step!(CorrectReportRequest, confirmed, correction: Some(correction(number, after)));
    refused!(BatchUnknown, provider.quality().correct_report(correct("7", vec![2; 32])));
    done!(provider.quality().record_batch(batch(&city, &entry, "7")));
    let problem =
        refused!(FieldInvalid, provider.quality().correct_report(correct("7", vec![2; 31])));
    assert_eq!(fields(&problem), ["correction.after"]);
    let bare = step!(CorrectReportRequest, confirmed, correction: None);
    let problem = refused!(FieldInvalid, provider.quality().correct_report(bare));
    assert_eq!(fields(&problem), ["correction"]);
    let corrected = done!(provider.quality().correct_report(correct("7", vec![2; 32])));
    let tell = step!(FeedBackReportRequest, corrected, text: "以批次 7 更正".to_owned());
    let fed_back = done!(provider.quality().feed_back_report(tell));
    assert!(!fed_back.late && fed_back.silence.is_some(), "{fed_back:?}");
    let propagate = step!(PropagateReportRequest, fed_back);
    let propagated = done!(provider.quality().propagate_report(propagate));
    assert_eq!(propagated.told, [case.grant]);

    let trace = || TraceReportRequest { name: filed.name.clone() };
    let traced = done!(provider.quality().trace_report(trace()));
    assert_eq!((traced.system, traced.person), (provider.system(), city.head.person()));
    assert_eq!(traced.batch.map(|batch| batch.batch).as_deref(), Some("7"));
    // The reporter knows the report, and not who answers for the data.
    refused!(NotFound, user.quality().trace_report(trace()));

    let closed = done!(user.quality().close_report(step!(CloseReportRequest, propagated)));
    assert_eq!(closed.state(), ReportState::Closed);
    let unsaid = step!(ReopenReportRequest, closed, reason: " ".to_owned());
    refused!(ReasonMissing, user.quality().reopen_report(unsaid));
    let reopen = step!(ReopenReportRequest, closed, reason: "仍有错误（合成）".to_owned());
    let reopened = done!(user.quality().reopen_report(reopen));
    assert_eq!((reopened.state(), reopened.reopened), (ReportState::Verifying, 1));
    let reject = step!(RejectReportRequest, reopened, reason: String::new());
    refused!(ReasonMissing, provider.quality().reject_report(reject));
    let reject = step!(RejectReportRequest, reopened, reason: "经核实无误（合成）".to_owned());
    let rejected: ErrorReport = done!(provider.quality().reject_report(reject));
    assert_eq!(rejected.state(), ReportState::NotConfirmed);
}

/// QLT-03, SHR-29: a person's objection comes by a window with its number and stamped day; only
/// digests of the proofs are sent, and only those who handle it see it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn qlt_03_shr_29_a_person_objects_by_calls() {
    let city = City::start().await;
    let (provider, desk, authority) = (&city.provider, &city.other, &city.authority);
    let outsider = &city.outsider;
    let entry = city.listed("企业登记", SharingKind::Conditional).await;
    let object = || FilePersonalObjectionRequest {
        parent: entry.clone(),
        desk: provider.organization(),
        window: Some(WindowFiling {
            number: "窗2026-0917-3（合成）".to_owned(),
            stamped: "2026-09-17".to_owned(),
        }),
        proof: Some(ConcernProof { identity: vec![5; 32].into(), relation: vec![6; 32].into() }),
        description: "法定代表人信息有误（合成）".to_owned(),
        request_id: request_id(),
    };
    let unproved = FilePersonalObjectionRequest { proof: None, ..object() };
    let problem = refused!(ConcernNotProven, desk.quality().file_personal_objection(unproved));
    assert_eq!(fields(&problem), ["proof.identity", "proof.relation"]);
    let cut = ConcernProof { identity: vec![5; 32].into(), relation: vec![6; 5].into() };
    let half = FilePersonalObjectionRequest { proof: Some(cut), ..object() };
    let problem = refused!(FieldInvalid, desk.quality().file_personal_objection(half));
    assert_eq!(fields(&problem), ["proof.relation"]);
    let stamped = |day: &str| FilePersonalObjectionRequest {
        window: Some(WindowFiling { number: "3".to_owned(), stamped: day.to_owned() }),
        ..object()
    };
    refused!(FieldInvalid, desk.quality().file_personal_objection(stamped("17.9.2026")));
    refused!(FieldInvalid, desk.quality().file_personal_objection(stamped("2026-09-22")));
    let filed = done!(desk.quality().file_personal_objection(object()));
    assert_eq!(filed.entered_by, desk.organization());
    assert_eq!(filed.receiver, provider.organization());
    assert!(filed.deadline.is_some(), "{filed:?}");

    let get = || GetPersonalObjectionRequest { name: filed.name.clone() };
    refused!(NotFound, outsider.quality().get_personal_objection(get()));
    for concerned in [desk, provider, authority] {
        assert_eq!(done!(concerned.quality().get_personal_objection(get())), filed);
    }
    let list = || ListPersonalObjectionsRequest {
        parent: provider.domain(),
        state: PersonalObjectionState::Filed.into(),
        ..Default::default()
    };
    let seen = done!(outsider.quality().list_personal_objections(list()));
    assert!(seen.objections.is_empty(), "{seen:?}");
    let seen = done!(provider.quality().list_personal_objections(list()));
    assert_eq!(seen.objections, std::slice::from_ref(&filed));

    let verify = step!(VerifyPersonalObjectionRequest, filed);
    refused!(CallerNotPermitted, desk.quality().verify_personal_objection(verify));
    let verify = step!(VerifyPersonalObjectionRequest, filed);
    let verified = done!(provider.quality().verify_personal_objection(verify));
    let unsaid = step!(RejectPersonalObjectionRequest, verified, reason: String::new());
    refused!(ReasonMissing, provider.quality().reject_personal_objection(unsaid));
    let correct = |number: &str| {
        step!(
            CorrectPersonalObjectionRequest,
            verified,
            batch: number.to_owned(),
            reason: "已更正（合成）".to_owned(),
        )
    };
    refused!(BatchUnknown, provider.quality().correct_personal_objection(correct("8")));
    done!(provider.quality().record_batch(batch(&city, &entry, "8")));
    let corrected = done!(provider.quality().correct_personal_objection(correct("8")));
    assert_eq!(corrected.state(), PersonalObjectionState::Corrected);
    assert_eq!((corrected.batch.as_str(), corrected.late), ("8", false));
}
