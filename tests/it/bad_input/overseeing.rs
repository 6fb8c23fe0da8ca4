//! Rules, ledger and operations asked for what there is not; and at last the clock is moved into
//! a year without an official calendar.

use catalog_model::reason::Reason;
use federation_tests::{publishing::entry, role::request_id, until_answered};
use luqiao_proto::{
    catalog::v1::SharingKind,
    ledger::v1::{
        Cosignature, ErasePayloadRequest, ExportSegmentRequest, GetCaseBagRequest,
        GetConsistencyProofRequest, GetReceiptRequest, GetTreeHeadRequest, ListHeadsRequest,
        ListSegmentsRequest, PurgePayloadsRequest, QueryRecordsRequest, SealSegmentRequest,
        TailRecordsRequest, VerifyAgainstRequest, VerifyLedgerRequest,
    },
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
    proofs(stage).await;
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
        record: None,
        name: format!("{}/requests/01JD0000000000000000000001", asker.domain()),
    };
    refused!(stage, NotFound, asker, ledger.get_receipt(receipt));
}

async fn proofs(stage: &Stage) {
    let (asker, authority) = (&stage.asker, &stage.authority);
    let (domain, elsewhere) = (asker.domain(), "domains/fujian".to_owned());
    let query = QueryRecordsRequest { parent: domain.clone(), ..Default::default() };
    refused!(
        stage,
        DomainUnknown,
        asker,
        ledger.query_records(QueryRecordsRequest { parent: elsewhere.clone(), ..query.clone() })
    );
    let kinds = vec!["request_answered".to_owned(), "gossip".to_owned()];
    refused!(
        stage,
        FieldInvalid,
        asker,
        ledger.query_records(QueryRecordsRequest { kinds: kinds.clone(), ..query.clone() })
    );
    let subject = "requests/1".to_owned();
    refused!(
        stage,
        NameInvalid,
        asker,
        ledger.query_records(QueryRecordsRequest { subject: subject.clone(), ..query.clone() })
    );
    let from_time = Some(Timestamp { seconds: -1, nanos: 0 });
    refused!(
        stage,
        FieldInvalid,
        asker,
        ledger.query_records(QueryRecordsRequest { from_time, ..query.clone() })
    );
    let page_token = "bm90IG91cnM".to_owned();
    refused!(
        stage,
        PageTokenInvalid,
        asker,
        ledger.query_records(QueryRecordsRequest { page_token: page_token.clone(), ..query })
    );
    let tail = TailRecordsRequest { parent: domain.clone(), kinds, ..Default::default() };
    refused!(stage, FieldInvalid, asker, ledger.tail_records(tail));

    // What costs, and what changes anything, is for those who run the platform.
    let verify = VerifyLedgerRequest { parent: domain.clone(), ..Default::default() };
    refused!(stage, CallerNotPermitted, asker, ledger.verify_ledger(verify));
    let export = ExportSegmentRequest { parent: domain.clone(), number: 1 };
    refused!(stage, CallerNotPermitted, asker, ledger.export_segment(export));
    let export = ExportSegmentRequest { parent: domain.clone(), number: 9 };
    refused!(stage, NotFound, authority, ledger.export_segment(export));
    let seal = SealSegmentRequest { parent: domain.clone(), through: 1, request_id: request_id() };
    refused!(stage, CallerNotPermitted, asker, ledger.seal_segment(seal));
    let erase = ErasePayloadRequest {
        parent: domain.clone(),
        record: 0,
        ground: "当事人申请".to_owned(),
        request_id: request_id(),
    };
    refused!(stage, CallerNotPermitted, asker, ledger.erase_payload(erase));
    let purge =
        PurgePayloadsRequest { parent: domain.clone(), through: 1, request_id: request_id() };
    refused!(stage, CallerNotPermitted, asker, ledger.purge_payloads(purge));

    let segments = ListSegmentsRequest { parent: elsewhere.clone(), ..Default::default() };
    refused!(stage, DomainUnknown, asker, ledger.list_segments(segments));
    refused!(
        stage,
        DomainUnknown,
        asker,
        ledger.list_heads(ListHeadsRequest { parent: elsewhere.clone() })
    );
    let against = VerifyAgainstRequest { parent: domain.clone(), ..Default::default() };
    let nobody = "domains/nowhere".to_owned();
    refused!(
        stage,
        NotFound,
        asker,
        ledger.verify_against(VerifyAgainstRequest { holder: nobody.clone(), ..against.clone() })
    );
    refused!(stage, NameInvalid, asker, ledger.verify_against(against.clone()));
    let cosignature = Some(Cosignature { cosigner: "fujian".to_owned(), ..Default::default() });
    refused!(
        stage,
        FieldInvalid,
        asker,
        ledger.verify_against(VerifyAgainstRequest {
            holder: elsewhere.clone(),
            cosignature: cosignature.clone(),
            ..against
        })
    );
    let bag = |name: String| GetCaseBagRequest { name };
    let unknown = format!("{domain}/requests/01JD0000000000000000000001");
    refused!(stage, NotFound, asker, ledger.get_case_bag(bag(unknown)));
    refused!(stage, NameInvalid, asker, ledger.get_case_bag(bag(domain.clone())));
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
