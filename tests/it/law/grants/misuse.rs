//! Misuse: a right is stopped for a ground and with evidence, what was wrong is to be put right, and
//! only then may the right end.

use federation_tests::role::request_id;
use luqiao_proto::sharing::v1::{
    CheckUseRequest, Grant, GrantState, JudgeRectificationRequest, MisuseGround,
    ReportRectificationRequest, SuspendForMisuseRequest, TerminateGrantRequest,
};

use super::{City, delivery::retrieval, done, grant, refused};

pub(super) fn suspension(grant: &Grant) -> SuspendForMisuseRequest {
    SuspendForMisuseRequest {
        name: grant.name.clone(),
        etag: grant.etag.clone(),
        ground: MisuseGround::BeyondScope.into(),
        reason: "调取全部数据".to_owned(),
        evidence: vec![7; 32].into(),
        rectify_by: "2026-10-09".to_owned(),
        request_id: request_id(),
    }
}

pub(super) fn report(grant: &Grant, refused: bool) -> ReportRectificationRequest {
    ReportRectificationRequest {
        name: grant.name.clone(),
        etag: grant.etag.clone(),
        refused,
        text: "已删除超范围数据".to_owned(),
        digest: Vec::new().into(),
        request_id: request_id(),
    }
}

pub(super) fn judgement(grant: &Grant, adequate: bool) -> JudgeRectificationRequest {
    JudgeRectificationRequest {
        name: grant.name.clone(),
        etag: grant.etag.clone(),
        adequate,
        reason: "现场核查".to_owned(),
        request_id: request_id(),
    }
}

fn termination(grant: &Grant) -> TerminateGrantRequest {
    TerminateGrantRequest {
        name: grant.name.clone(),
        etag: grant.etag.clone(),
        reason: "整改不到位".to_owned(),
        request_id: request_id(),
    }
}

pub(super) async fn shr_24_stopped_rectified_and_in_force_again(city: &City) {
    let City { provider, user, outsider, gateway, .. } = city;
    let entry = city.entry("医疗机构信息").await;
    let given = city.ask(&entry, |_| {}).await;
    let given = done!(gateway.grants().record_retrieval(retrieval(&given, false)));

    let with = |change: fn(&mut SuspendForMisuseRequest)| {
        let mut call = suspension(&given);
        change(&mut call);
        call
    };
    let short = with(|call| call.evidence.truncate(31));
    let problem = refused!(FieldInvalid, provider.grants().suspend_for_misuse(short));
    assert_eq!(problem.fields[0].0, "evidence");
    let none = with(|call| call.evidence.clear());
    refused!(FieldInvalid, provider.grants().suspend_for_misuse(none));
    let no_ground = with(|call| call.ground = 0);
    refused!(FieldInvalid, provider.grants().suspend_for_misuse(no_ground));
    let no_reason = with(|call| call.reason.clear());
    refused!(ReasonMissing, provider.grants().suspend_for_misuse(no_reason));
    let long = with(|call| call.reason = "长".repeat(100_000));
    refused!(TextTooLong, provider.grants().suspend_for_misuse(long));
    let today = with(|call| "2026-09-21".clone_into(&mut call.rectify_by));
    refused!(FieldInvalid, provider.grants().suspend_for_misuse(today));
    let stale = with(|call| "\"v77\"".clone_into(&mut call.etag));
    refused!(EtagMismatch, provider.grants().suspend_for_misuse(stale));
    refused!(CallerNotPermitted, user.grants().suspend_for_misuse(suspension(&given)));
    refused!(CallerNotPermitted, outsider.grants().suspend_for_misuse(suspension(&given)));

    let stopped = done!(provider.grants().suspend_for_misuse(suspension(&given)));
    let owed = stopped.course.clone().and_then(|course| course.rectification).expect("an order");
    assert_eq!(
        (stopped.state(), owed.ground()),
        (GrantState::Suspended, MisuseGround::BeyondScope)
    );
    assert_eq!((owed.evidence.as_ref(), owed.before()), (&[7; 32][..], GrantState::Delivered));
    let wanted = CheckUseRequest { name: given.name.clone(), ..Default::default() };
    let said = done!(user.grants().check_use(wanted.clone()));
    assert_eq!(said.reason, "GRANT_SUSPENDED");
    assert!(said.rule.is_some_and(|rule| rule.article == "27" && rule.paragraph == 2));

    refused!(CallerNotPermitted, provider.grants().report_rectification(report(&stopped, false)));
    let mut wordless = report(&stopped, false);
    wordless.text.clear();
    refused!(ReasonMissing, user.grants().report_rectification(wordless));
    let mut half = report(&stopped, false);
    half.digest = vec![7; 16].into();
    refused!(FieldInvalid, user.grants().report_rectification(half));
    let reported = done!(user.grants().report_rectification(report(&stopped, false)));
    refused!(CallerNotPermitted, user.grants().judge_rectification(judgement(&reported, true)));
    refused!(EtagMismatch, provider.grants().judge_rectification(judgement(&stopped, true)));
    let again = done!(provider.grants().judge_rectification(judgement(&reported, true)));
    assert_eq!(again.state(), GrantState::Active);
    assert!(done!(user.grants().check_use(wanted)).permitted);
    assert_eq!(grant(user, &given.name).await, again);
}

pub(super) async fn shr_24_ended_after_an_inadequate_rectification(city: &City) {
    let City { provider, user, .. } = city;
    let entry = city.entry("餐饮许可信息").await;
    let given = city.ask(&entry, |_| {}).await;
    let stopped = done!(provider.grants().suspend_for_misuse(suspension(&given)));
    refused!(RectificationRunning, provider.sharing().terminate_grant(termination(&stopped)));
    refused!(
        RectificationRunning,
        provider.grants().judge_rectification(judgement(&stopped, false))
    );
    let reported = done!(user.grants().report_rectification(report(&stopped, false)));
    refused!(RectificationUnjudged, provider.sharing().terminate_grant(termination(&reported)));
    let judged = done!(provider.grants().judge_rectification(judgement(&reported, false)));
    assert_eq!(judged.state(), GrantState::Suspended);
    let ended = done!(provider.sharing().terminate_grant(termination(&judged)));
    assert_eq!(ended.state(), GrantState::Terminated);
    refused!(GrantStateWrong, user.grants().report_rectification(report(&ended, false)));
}
