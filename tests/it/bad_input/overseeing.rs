//! Rules, ledger and operations asked for what there is not; and at last the clock is moved into
//! a year without an official calendar.

use catalog_model::reason::Reason;
use federation_tests::{publishing::entry, role::request_id, until_answered};
use luqiao_proto::{
    catalog::v1::SharingKind,
    ledger::v1::{GetConsistencyProofRequest, GetReceiptRequest, GetTreeHeadRequest},
    operations::v1::{GetStatusRequest, SetDevelopmentClockRequest, TransferLeaderRequest},
    rule::v1::{
        GetCalendarRequest, GetRulePackRequest, ListCalendarsRequest, ListRulePacksRequest,
    },
    sharing::v1::ExtendRequestRequest,
};
use prost_types::Timestamp;

use super::{Stage, asking, refused};

pub(super) async fn refused(stage: &Stage) {
    rules(stage).await;
    ledger(stage).await;
    operations(stage).await;
    a_year_without_a_calendar(stage).await;
}

async fn rules(stage: &Stage) {
    let asker = &stage.asker;
    for (name, reason) in [("99", Reason::NotFound), ("latest", Reason::NameInvalid)] {
        let pack = GetRulePackRequest { name: format!("rulePacks/{name}") };
        let answer = until_answered!(asker.rules().get_rule_pack(pack.clone()));
        stage.note("/luqiao.rule.v1.RuleService/GetRulePack", reason, answer);
        let calendar = GetCalendarRequest { name: format!("calendars/{name}") };
        let answer = until_answered!(asker.rules().get_calendar(calendar.clone()));
        stage.note("/luqiao.rule.v1.RuleService/GetCalendar", reason, answer);
    }
    let page_token = "bm90IG91cnM".to_owned();
    let packs = ListRulePacksRequest { page_token: page_token.clone(), ..Default::default() };
    refused!(stage, PageTokenInvalid, asker, rules.list_rule_packs(packs));
    let calendars = ListCalendarsRequest { page_token, ..Default::default() };
    refused!(stage, PageTokenInvalid, asker, rules.list_calendars(calendars));
}

async fn ledger(stage: &Stage) {
    let asker = &stage.asker;
    let elsewhere = "domains/fujian".to_owned();
    let head = GetTreeHeadRequest { parent: elsewhere.clone() };
    refused!(stage, DomainUnknown, asker, ledger.get_tree_head(head));
    let proof = |parent: &str, first_size| GetConsistencyProofRequest {
        parent: parent.to_owned(),
        first_size,
        second_size: 0,
    };
    refused!(stage, DomainUnknown, asker, ledger.get_consistency_proof(proof(&elsewhere, 1)));
    refused!(
        stage,
        FieldInvalid,
        asker,
        ledger.get_consistency_proof(proof(&asker.domain(), 1 << 40))
    );
    let receipt = GetReceiptRequest {
        name: format!("{}/requests/01JD0000000000000000000001", asker.domain()),
    };
    refused!(stage, NotFound, asker, ledger.get_receipt(receipt));
}

async fn operations(stage: &Stage) {
    let (asker, manager) = (&stage.asker, &stage.manager);
    let status = GetStatusRequest { name: "domains/fujian".to_owned() };
    refused!(stage, DomainUnknown, asker, operations.get_status(status));
    let transfer =
        |node: &str| TransferLeaderRequest { name: manager.domain(), node: node.to_owned() };
    refused!(stage, CallerNotPermitted, asker, operations.transfer_leader(transfer("1")));
    refused!(stage, TransferRefused, manager, operations.transfer_leader(transfer("9")));
    refused!(
        stage,
        CallerNotPermitted,
        asker,
        operations.set_development_clock(clock(asker.domain(), NEW_YEAR))
    );
    let timeless = SetDevelopmentClockRequest { time: None, ..clock(manager.domain(), NEW_YEAR) };
    refused!(stage, FieldInvalid, manager, operations.set_development_clock(timeless));

    let now = until_answered!(
        manager.operations().get_status(GetStatusRequest { name: manager.domain() })
    )
    .expect("there is a status");
    let seconds = now.clock.expect("a clock").seconds;
    assert!(seconds < NEW_YEAR, "a clock that may not be moved does not move: {seconds}");
}

/// 2026-12-30 09:00 in Asia/Shanghai, in seconds since 1970.
const NEW_YEAR: i64 = 1_798_592_400;

fn clock(name: String, seconds: i64) -> SetDevelopmentClockRequest {
    SetDevelopmentClockRequest {
        name,
        time: Some(Timestamp { seconds, nanos: 0 }),
        request_id: request_id(),
    }
}

async fn a_year_without_a_calendar(stage: &Stage) {
    let manager = &stage.manager;
    let entry = entry(&stage.press.provider, "跨年信息", SharingKind::Conditional);
    let draft = stage.press.register(entry).await.expect("a draft");
    let entry = stage.press.issue(&draft).await.expect("it is published");
    let old = asking::open(stage, &entry).await;
    assert!(!old.deadline.as_ref().expect("a deadline").provisional, "2026 has its calendar");

    let call = clock(manager.domain(), NEW_YEAR);
    until_answered!(manager.operations().set_development_clock(call.clone()))
        .expect("the manager moves the clock");
    // What was due in October is overdue now, and not to be extended any more.
    let overdue = ExtendRequestRequest {
        name: old.name.clone(),
        etag: "\"v2\"".to_owned(),
        working_days: 5,
        reason: "涉及多个部门".to_owned(),
        request_id: request_id(),
    };
    refused!(stage, ExtensionTooLate, stage.authority, sharing.extend_request(overdue));

    let case = asking::open(stage, &entry).await;
    let deadline = case.deadline.expect("a deadline");
    assert!(deadline.due_date.starts_with("2027-"), "{deadline:?}");
    assert!(deadline.provisional, "a date in a year without a calendar says so: {deadline:?}");
}
