//! More time, and lateness: SHR-06 (extension), SHR-31 and CAL-21 (order, hearing, count), and who
//! is told which person acted (SEC-19).

use catalog_model::reason::Reason;
use federation_tests::{
    asking,
    role::{Role, request_id},
    until_answered,
};
use luqiao::dev::cast::{AUTHORITY, Level};
use luqiao_proto::{
    catalog::v1::{CatalogEntry, SharingKind},
    operations::v1::SetDevelopmentClockRequest,
    sharing::v1::{
        AnswerExtensionRequest, CaseFile, ClaimReasonRequest, GetPunctualityRequest,
        HearingOutcome, ProposeExtensionRequest, Punctuality, RuleOnReasonRequest, ShareRequest,
    },
};
use prost_types::Timestamp;
use tonic::Status;

use super::{Stage, agreed, case_as, fields, file_as, refused};

/// 2026-10-13 00:00 in Asia/Shanghai: the end of the last day for what came on 2026-09-21.
const OVERDUE: i64 = 1_791_820_800;
/// Half a year later.
const LONG_AFTER: i64 = OVERDUE + 180 * 86_400;

fn proposal(case: &ShareRequest, working_days: u32) -> ProposeExtensionRequest {
    ProposeExtensionRequest {
        name: case.name.clone(),
        etag: case.etag.clone(),
        working_days,
        reason: "涉及历史数据清洗（合成）".to_owned(),
        request_id: request_id(),
    }
}

async fn propose(role: &Role, call: ProposeExtensionRequest) -> Result<ShareRequest, Status> {
    until_answered!(role.sharing().propose_extension(call.clone()))
}

async fn answer(
    role: &Role,
    case: &ShareRequest,
    consents: bool,
    reason: &str,
) -> Result<ShareRequest, Status> {
    until_answered!(role.sharing().answer_extension(AnswerExtensionRequest {
        name: case.name.clone(),
        etag: case.etag.clone(),
        consents,
        reason: reason.to_owned(),
        request_id: request_id(),
    }))
}

async fn claim(role: &Role, name: &str, etag: &str, text: &str) -> Result<CaseFile, Status> {
    until_answered!(role.sharing().claim_reason(ClaimReasonRequest {
        name: name.to_owned(),
        etag: etag.to_owned(),
        text: text.to_owned(),
        request_id: request_id(),
    }))
}

async fn rule(role: &Role, file: &CaseFile, debtor: &str) -> Result<CaseFile, Status> {
    until_answered!(role.sharing().rule_on_reason(RuleOnReasonRequest {
        name: file.name.clone(),
        etag: file.etag.clone(),
        debtor: debtor.to_owned(),
        accepted: true,
        reason: "情况属实（合成）".to_owned(),
        request_id: request_id(),
    }))
}

async fn punctuality(role: &Role, of: &Role, month: &str) -> Result<Punctuality, Status> {
    until_answered!(role.sharing().get_punctuality(GetPunctualityRequest {
        name: of.organization(),
        month: month.to_owned(),
    }))
}

async fn clock_to(stage: &Stage, seconds: i64) {
    let manager = &stage.manager;
    until_answered!(manager.operations().set_development_clock(SetDevelopmentClockRequest {
        name: manager.domain(),
        time: Some(Timestamp { seconds, nanos: 0 }),
        request_id: request_id(),
    }))
    .expect("the manager moves the clock");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shr_06_shr_31_cal_21_more_time_and_lateness_by_calls() {
    let stage = Stage::set(Level::City).await;
    let plates = stage.conditional("车辆登记信息").await;
    bad_input(&stage, &plates).await;
    denied_then_granted(&stage, &plates).await;
    of_the_authority_itself(&stage).await;

    let late = stage.open(&plates).await;
    let beds = stage.of_the_hospital().await;
    let of_the_authority = stage.open(&beds).await;
    refused(case_as(&stage.government, &of_the_authority.name).await, Reason::NotFound);
    clock_to(&stage, OVERDUE).await;
    heard_and_excused(&stage, &late).await;
    above_the_authority(&stage, &of_the_authority).await;
}

/// What is wrong is refused for its own reason, by the provider who owes the answer.
async fn bad_input(stage: &Stage, entry: &CatalogEntry) {
    let case = &stage.open(entry).await;
    let head = &stage.press.head;
    refused(propose(&stage.asker, proposal(case, 5)).await, Reason::CallerNotPermitted);
    refused(propose(head, proposal(case, 11)).await, Reason::ExtensionTooLong);
    let zero = refused(propose(head, proposal(case, 0)).await, Reason::FieldInvalid);
    let many = refused(propose(head, proposal(case, 70_000)).await, Reason::FieldInvalid);
    assert_eq!((fields(&zero), fields(&many)), (vec!["working_days"], vec!["working_days"]));
    let because = |reason: String| ProposeExtensionRequest { reason, ..proposal(case, 5) };
    refused(propose(head, because(" ".to_owned())).await, Reason::ReasonMissing);
    refused(propose(head, because("长".repeat(350_000))).await, Reason::TextTooLong);
    refused(propose(head, because("清\u{7}洗".to_owned())).await, Reason::TextControlCharacters);
    let stale = ShareRequest { etag: "\"v77\"".to_owned(), ..case.clone() };
    refused(propose(head, proposal(&stale, 5)).await, Reason::EtagMismatch);
    let none = ShareRequest { etag: String::new(), ..case.clone() };
    refused(propose(head, proposal(&none, 5)).await, Reason::EtagMissing);
    let unknown = ShareRequest {
        name: format!("{}/requests/00000000000000000000000000", stage.asker.domain()),
        ..case.clone()
    };
    refused(propose(head, proposal(&unknown, 5)).await, Reason::NotFound);

    // A request for ten thousand items.
    let mut content = asking::content(&stage.asker, entry);
    content.items = (0..10_000).map(|number| format!("数据项{number}")).collect();
    let asker = &stage.asker;
    let filing = asking::filing(asker, &stage.asking_head, content);
    let answer = until_answered!(asker.sharing().create_request(filing.clone()));
    refused(answer, Reason::TooManyItems);
    stage.answered(case, agreed()).await;
}

/// The authority may say no with a reason, and yes later; the persons are told to their own
/// organization and the platform only.
async fn denied_then_granted(stage: &Stage, entry: &CatalogEntry) {
    let case = stage.open(entry).await;
    let (head, authority) = (&stage.press.head, &stage.authority);
    let due = case.deadline.clone().expect("a deadline").due_date;
    let proposed = propose(head, proposal(&case, 5)).await.expect("who owes the answer asks");
    assert_eq!(proposed.deadline.as_ref().expect("a deadline").due_date, due);
    refused(propose(head, proposal(&proposed, 5)).await, Reason::ExtensionPending);

    refused(file_as(stage.stranger(), &case.name).await, Reason::NotFound);
    let person = |file: CaseFile| file.proposal.expect("it waits").person;
    let seen_by = async |role| person(file_as(role, &case.name).await.expect("it is seen"));
    assert_eq!(seen_by(&stage.press.provider).await, head.person());
    assert_eq!(seen_by(authority).await, head.person());
    assert_eq!(seen_by(&stage.asker).await, "", "the asker is not told who it was");

    refused(
        answer(&stage.press.provider, &proposed, true, "").await,
        Reason::ExtensionConsentMissing,
    );
    refused(answer(authority, &proposed, false, "").await, Reason::ReasonMissing);
    let denied = answer(authority, &proposed, false, "理由不充分（合成）").await.expect("denied");
    let file = file_as(&stage.asker, &case.name).await.expect("the asker sees it");
    assert_eq!((file.denials.len(), file.proposal, &file.etag), (1, None, &denied.etag));
    assert_eq!(denied.deadline.as_ref().expect("a deadline").due_date, due);

    let again = propose(head, proposal(&denied, 5)).await.expect("a no is not the end");
    let granted = answer(authority, &again, true, "").await.expect("consented to");
    let deadline = granted.deadline.clone().expect("a deadline");
    assert_eq!((due.as_str(), deadline.due_date.as_str()), ("2026-10-12", "2026-10-19"));
    assert_eq!((deadline.extended_days, granted.extensions.len()), (5, 1));
    // The house allows one.
    refused(propose(head, proposal(&granted, 5)).await, Reason::ExtensionNotAllowed);
    stage.answered(&granted, agreed()).await;
}

/// Where the authority owes the answer itself, its government sees the case while the proposal
/// waits there, and consents.
async fn of_the_authority_itself(stage: &Stage) {
    let press = stage.federation.press(stage.level, AUTHORITY);
    let entry = press.put("目录编制标准", SharingKind::Conditional).await.expect("published");
    let case = stage.open(&entry).await;
    let (authority, government) = (&stage.authority, &stage.government);
    refused(case_as(government, &case.name).await, Reason::NotFound);
    let proposed = propose(authority, proposal(&case, 5)).await.expect("it owes the answer");
    let own = answer(authority, &proposed, true, "").await;
    refused(own, Reason::ExtensionConsentMissing);
    let seen = case_as(government, &case.name).await.expect("it waits for the government");
    assert_eq!(seen.etag, proposed.etag);
    let granted = answer(government, &seen, true, "").await.expect("the government consents");
    assert_eq!(granted.deadline.expect("a deadline").due_date, "2026-10-19");
    refused(case_as(government, &case.name).await, Reason::NotFound);
}

/// The debtor speaks, the authority rules, and the record says so.
async fn heard_and_excused(stage: &Stage, case: &ShareRequest) {
    let (provider, head, authority) = (&stage.press.provider, &stage.press.head, &stage.authority);
    let overdue = case_as(provider, &case.name).await.expect("the provider sees it");
    refused(propose(head, proposal(&overdue, 5)).await, Reason::ExtensionTooLate);

    let file = file_as(&stage.asker, &case.name).await.expect("the asker sees it");
    assert_eq!(file.orders.len(), 1, "{file:?}");
    assert!(!file.orders[0].effects.is_empty() && file.orders[0].rule.is_some(), "{file:?}");
    let debtor = file.orders[0].debtor.clone().expect("a debtor").organization;
    assert_eq!(debtor, provider.organization());
    assert!(file.hearing_deadline.is_some(), "a reason can be claimed until a day");
    let (name, etag) = (&file.name, &file.etag);
    refused(claim(&stage.asker, name, etag, "不知").await, Reason::HearingNotOpen);
    refused(claim(head, name, etag, "").await, Reason::ReasonMissing);
    refused(rule(authority, &file, &debtor).await, Reason::ReasonNotHeard);
    let claimed = claim(head, name, etag, "机房搬迁（合成）").await.expect("within its time");
    refused(rule(&stage.manager, &claimed, &debtor).await, Reason::NotTheEscalation);
    refused(rule(authority, &claimed, &case.name).await, Reason::NameInvalid);
    let ruled = rule(authority, &claimed, &debtor).await.expect("the case was escalated to it");
    let hearing = ruled.hearings[0].clone();
    assert_eq!(hearing.outcome(), HearingOutcome::Excused);
    assert_eq!(hearing.claim.expect("a claim").person, head.person(), "the platform is told");
    assert!(hearing.ruling.expect("a ruling").accepted);
    let seen = file_as(&stage.asker, name).await.expect("the asker sees it").hearings[0].clone();
    assert_eq!(seen.claim.expect("a claim").person, "");

    for role in [provider, authority, &stage.manager, &stage.government] {
        let count = punctuality(role, provider, "2026-10").await.expect("it is told");
        assert_eq!((count.on_time, count.late, count.counted, count.excused), (2, 1, 0, 1));
    }
    refused(punctuality(&stage.asker, provider, "2026-10").await, Reason::NotFound);
    let month = refused(punctuality(provider, provider, "2026-13").await, Reason::FieldInvalid);
    assert_eq!(fields(&month), ["month"]);
    let before = punctuality(provider, provider, "2026-09").await.expect("nothing was due");
    assert_eq!((before.on_time, before.late), (0, 0));

    // A late answer stays possible.
    let file = file_as(provider, name).await.expect("the provider sees it");
    let current = ShareRequest { etag: file.etag, ..overdue };
    let answered = stage.answered(&current, agreed()).await;
    assert!(answered.answer.expect("an answer").late);
}

/// Where the authority owes the answer, the government above it sees the case and rules.
async fn above_the_authority(stage: &Stage, case: &ShareRequest) {
    let government = &stage.government;
    let file = file_as(government, &case.name).await.expect("it was escalated to the government");
    let authority = stage.authority.organization();
    let debtors = file.hearings.iter().filter_map(|heard| heard.debtor.as_ref());
    assert!(debtors.clone().any(|debtor| debtor.organization == authority), "{file:?}");
    refused(rule(&stage.authority, &file, &authority).await, Reason::NotTheEscalation);
    clock_to(stage, LONG_AFTER).await;
    // Silence is no reason: it counts without anybody's ruling.
    let settled = file_as(government, &case.name).await.expect("it stays visible");
    let counted = settled.hearings.iter().all(|heard| heard.outcome() == HearingOutcome::Counted);
    assert!(counted && !settled.hearings.is_empty(), "{settled:?}");
    let late = rule(government, &settled, &authority).await;
    refused(late, Reason::HearingNotOpen);
}
