//! Delivery and use.

use federation_tests::role::request_id;
use luqiao_proto::{
    catalog::v1::SharingMethod,
    sharing::v1::{
        AcknowledgeDeliveryRequest, CheckUseRequest, DeliveryProof, Grant, GrantState,
        ListUseRecordsRequest, OfferDeliveryRequest, PartyRole, PurgeUseRecordsRequest,
        RecordRetrievalRequest, RecordUseRequest, UseEntry, UseField,
    },
};

use super::{City, done, grant, nowhere, refused};

pub(super) fn offer(grant: &Grant) -> OfferDeliveryRequest {
    OfferDeliveryRequest {
        name: grant.name.clone(),
        etag: grant.etag.clone(),
        method: SharingMethod::BatchExchange.into(),
        request_id: request_id(),
    }
}

pub(super) fn acknowledgement(grant: &Grant) -> AcknowledgeDeliveryRequest {
    AcknowledgeDeliveryRequest {
        name: grant.name.clone(),
        etag: grant.etag.clone(),
        request_id: request_id(),
    }
}

pub(super) fn retrieval(grant: &Grant, test: bool) -> RecordRetrievalRequest {
    RecordRetrievalRequest { name: grant.name.clone(), test, request_id: request_id() }
}

/// What a user states of a use, but for what became of the data.
pub(super) fn used(name: &str) -> RecordUseRequest {
    let entry =
        |field: UseField, text: &str| UseEntry { field: field.into(), text: text.to_owned() };
    RecordUseRequest {
        name: name.to_owned(),
        entries: vec![
            entry(UseField::Scenario, "企业信用核查"),
            entry(UseField::Process, "每日比对"),
            entry(UseField::Effect, "发现异常 3 条"),
            entry(UseField::Storage, "本部门数据库"),
        ],
        request_id: request_id(),
    }
}

pub(super) fn records(name: &str) -> ListUseRecordsRequest {
    ListUseRecordsRequest { parent: name.to_owned(), ..Default::default() }
}

pub(super) async fn shr_07_delivered_by_acknowledgement(city: &City) {
    let City { provider, user, outsider, gateway, .. } = city;
    let entry = city.entry("企业登记信息").await;
    let given = city.ask(&entry, |_| {}).await;
    let course = given.course.clone().expect("a course");
    let due = course.delivery_deadline.clone().expect("a clock");
    // Twenty working days from 2026-09-21, over the Mid-Autumn and National Day holidays.
    assert_eq!((due.working_days, due.due_date.as_str(), due.overdue), (20, "2026-10-26", false));
    assert_eq!(course.delivery_debtor(), PartyRole::Provider);
    assert!(due.rule.is_some_and(|rule| rule.article == "22"));

    refused!(GrantStateWrong, user.grants().acknowledge_delivery(acknowledgement(&given)));
    refused!(CallerNotPermitted, user.grants().offer_delivery(offer(&given)));
    // What only the edge can refuse.
    let without = |change: fn(&mut OfferDeliveryRequest)| {
        let mut call = offer(&given);
        change(&mut call);
        call
    };
    let problem =
        refused!(FieldInvalid, provider.grants().offer_delivery(without(|call| call.method = 0)));
    assert!(problem.fields.iter().any(|wrong| wrong.0 == "method"), "{:?}", problem.fields);
    refused!(FieldInvalid, provider.grants().offer_delivery(without(|call| call.method = 77)));
    refused!(EtagMissing, provider.grants().offer_delivery(without(|call| call.etag.clear())));
    let words = without(|call| "第二版".clone_into(&mut call.etag));
    refused!(FieldInvalid, provider.grants().offer_delivery(words));
    let stale = without(|call| "\"v77\"".clone_into(&mut call.etag));
    refused!(EtagMismatch, provider.grants().offer_delivery(stale));
    let mut unknown = offer(&given);
    unknown.name = nowhere(provider);
    refused!(NotFound, provider.grants().offer_delivery(unknown));
    let mut entry_instead = offer(&given);
    entry_instead.name.clone_from(&entry.name);
    refused!(NameInvalid, provider.grants().offer_delivery(entry_instead));

    let offered = done!(provider.grants().offer_delivery(offer(&given)));
    assert_eq!(offered.state(), GrantState::Offered);
    let tested = done!(gateway.grants().record_retrieval(retrieval(&offered, true)));
    let test = tested.course.clone().and_then(|course| course.offer).expect("an offer");
    assert_eq!((test.method(), test.tested_time.is_some()), (SharingMethod::BatchExchange, true));

    refused!(
        DeliveryWithoutProof,
        provider.grants().acknowledge_delivery(acknowledgement(&tested))
    );
    refused!(CallerNotPermitted, outsider.grants().acknowledge_delivery(acknowledgement(&tested)));
    refused!(EtagMismatch, user.grants().acknowledge_delivery(acknowledgement(&offered)));
    let call = acknowledgement(&tested);
    let delivered = done!(user.grants().acknowledge_delivery(call.clone()));
    let delivery = delivered.course.clone().and_then(|course| course.delivery).expect("it came");
    assert_eq!(delivered.state(), GrantState::Delivered);
    assert_eq!((delivery.proof(), delivery.late), (DeliveryProof::Acknowledgement, false));
    // The same call again is the same act.
    assert_eq!(done!(user.grants().acknowledge_delivery(call)).etag, delivered.etag);
    assert_eq!(grant(provider, &given.name).await, delivered);
}

pub(super) async fn shr_07_delivered_by_retrieval_which_the_platform_saw(city: &City) {
    let City { provider, user, gateway, .. } = city;
    let entry = city.entry("公交线路信息").await;
    let given = city.ask(&entry, |_| {}).await;
    // Nobody says so for the platform, and the platform says nothing else.
    refused!(CallerNotPermitted, user.grants().record_retrieval(retrieval(&given, false)));
    refused!(CallerNotPermitted, provider.grants().record_retrieval(retrieval(&given, false)));
    refused!(CallerNotPermitted, gateway.grants().offer_delivery(offer(&given)));
    refused!(GrantStateWrong, gateway.grants().record_retrieval(retrieval(&given, true)));

    let first = done!(gateway.grants().record_retrieval(retrieval(&given, false)));
    let delivery = first.course.clone().and_then(|course| course.delivery).expect("it came");
    assert_eq!(
        (first.state(), delivery.proof()),
        (GrantState::Delivered, DeliveryProof::Retrieval)
    );
    let second = done!(gateway.grants().record_retrieval(retrieval(&given, false)));
    assert_eq!(second.state(), GrantState::Active);
    let third = done!(gateway.grants().record_retrieval(retrieval(&given, false)));
    assert_eq!(third, second, "a repeat changes nothing");
}

pub(super) async fn shr_10_used_as_granted_and_not_otherwise(city: &City) {
    let City { provider, user, outsider, authority, gateway, .. } = city;
    let entry = city.entry("停车场信息").await;
    let items = |wanted: &mut luqiao_proto::sharing::v1::ShareRequest| {
        wanted.items.truncate(1);
        wanted.rate_per_day = 2;
    };
    let given = city.ask(&entry, items).await;
    assert_eq!(given.rate_per_day, 2);
    let wanted = CheckUseRequest { name: given.name.clone(), ..Default::default() };
    for role in [user, provider, authority, gateway] {
        let said = done!(role.grants().check_use(wanted.clone()));
        assert!(said.permitted && said.reason.is_empty() && said.rule.is_some(), "{said:?}");
    }
    refused!(NotFound, outsider.grants().check_use(wanted.clone()));
    let unknown = CheckUseRequest { name: nowhere(user), ..Default::default() };
    refused!(NotFound, user.grants().check_use(unknown));
    let system = CheckUseRequest { system: user.organization(), ..wanted.clone() };
    refused!(NameInvalid, user.grants().check_use(system));

    let other = entry.items[1].name.clone();
    for (reason, asked) in [
        ("USE_OUTSIDE_SCENARIO", CheckUseRequest { scenario: "广告".into(), ..wanted.clone() }),
        ("USE_OUTSIDE_ITEMS", CheckUseRequest { items: vec![other], ..wanted.clone() }),
        ("USE_BY_OTHER_SYSTEM", CheckUseRequest { system: provider.system(), ..wanted.clone() }),
        (
            "WIDER_USE_NOT_PERMITTED",
            CheckUseRequest { third_party: "某银行".into(), ..wanted.clone() },
        ),
        ("USE_RATE_EXCEEDED", CheckUseRequest { calls_before: 2, ..wanted.clone() }),
    ] {
        let said = done!(user.grants().check_use(asked));
        assert_eq!((said.permitted, said.reason.as_str()), (false, reason));
        assert!(!said.message.is_empty() && said.rule.is_some(), "{said:?}");
    }
}

pub(super) async fn shr_14_26_use_is_recorded_inspected_and_kept(city: &City) {
    let City { provider, user, outsider, authority, manager, gateway, .. } = city;
    let entry = city.entry("环境监测信息").await;
    let given = city.ask(&entry, |_| {}).await;
    refused!(GrantStateWrong, user.grants().record_use(used(&given.name)));
    done!(gateway.grants().record_retrieval(retrieval(&given, false)));

    refused!(CallerNotPermitted, provider.grants().record_use(used(&given.name)));
    refused!(NotFound, user.grants().record_use(used(&nowhere(user))));
    let mut none = used(&given.name);
    none.entries[2].field = 0;
    let problem = refused!(FieldInvalid, user.grants().record_use(none));
    assert!(problem.fields.iter().any(|wrong| wrong.0 == "entries[2].field"), "{problem:?}");
    let mut twice = used(&given.name);
    twice.entries[1].field = twice.entries[0].field;
    refused!(FieldInvalid, user.grants().record_use(twice));
    let mut long = used(&given.name);
    long.entries[0].text = "长".repeat(100_000);
    refused!(TextTooLong, user.grants().record_use(long));

    let call = used(&given.name);
    let record = done!(user.grants().record_use(call.clone()));
    let lacks: Vec<UseField> =
        record.missing.iter().map(luqiao_proto::sharing::v1::MissingField::field).collect();
    assert_eq!(lacks, [UseField::Destruction], "a finding against the user");
    assert!(record.missing[0].rule.as_ref().is_some_and(|rule| rule.article == "29"));
    let second = done!(user.grants().record_use(used(&given.name)));
    assert!(second.number > record.number);
    assert_eq!(grant(user, &given.name).await.state(), GrantState::Active);

    for role in [user, provider, authority] {
        let list = done!(role.grants().list_use_records(records(&given.name)));
        assert_eq!(list.use_records, [record.clone(), second.clone()]);
    }
    // Others do not learn that there is a right; the platform's manager does, and no more.
    refused!(NotFound, outsider.grants().list_use_records(records(&given.name)));
    refused!(CallerNotPermitted, manager.grants().list_use_records(records(&given.name)));
    refused!(NotFound, user.grants().list_use_records(records(&nowhere(user))));
    let one = ListUseRecordsRequest { page_size: 1, ..records(&given.name) };
    let page = done!(user.grants().list_use_records(one.clone()));
    let page_token = page.next_page_token;
    assert_eq!((page.use_records.len(), page_token.is_empty()), (1, false));
    let next = ListUseRecordsRequest { page_token, ..one };
    refused!(PageTokenInvalid, provider.grants().list_use_records(next.clone()));
    assert_eq!(done!(user.grants().list_use_records(next)).use_records, [second]);

    let purge = |before: &str| PurgeUseRecordsRequest {
        name: given.name.clone(),
        before: before.to_owned(),
        request_id: request_id(),
    };
    refused!(FieldInvalid, user.grants().purge_use_records(purge("明天")));
    refused!(CallerNotPermitted, provider.grants().purge_use_records(purge("2026-09-30")));
    refused!(UseRecordsRetained, user.grants().purge_use_records(purge("2026-09-30")));
    let nothing = done!(user.grants().purge_use_records(purge("2026-09-21")));
    assert!(!nothing.more);
    let list = done!(user.grants().list_use_records(records(&given.name)));
    assert_eq!(list.use_records.len(), 2, "none was old enough");
}
