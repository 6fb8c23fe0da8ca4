//! Changes of a service: what others live on is not ended without a talk and a filing.

use federation_tests::role::request_id;
use luqiao_proto::sharing::v1::{
    AbandonServiceChangeRequest, CheckUseRequest, EffectServiceChangeRequest,
    FileServiceChangeRequest, GetServiceChangeRequest, GrantState, ListServiceChangesRequest,
    ProposeServiceChangeRequest, RecordNegotiationRequest, ServiceChange, ServiceChangeCause,
    ServiceChangeKind, ServiceChangeState, StateOnServiceChangeRequest,
};

use super::{City, done, grant, refused};

pub(super) fn proposal(city: &City, entry: &str) -> ProposeServiceChangeRequest {
    ProposeServiceChangeRequest {
        parent: city.provider.domain(),
        entry: entry.to_owned(),
        kind: ServiceChangeKind::End.into(),
        items: Vec::new(),
        cause: ServiceChangeCause::Leak.into(),
        reason: "数据在网上流传".to_owned(),
        effective: "2026-09-21".to_owned(),
        request_id: request_id(),
    }
}

pub(super) fn statement(change: &ServiceChange, agrees: bool) -> StateOnServiceChangeRequest {
    StateOnServiceChangeRequest {
        name: change.name.clone(),
        etag: change.etag.clone(),
        agrees,
        text: String::new(),
        request_id: request_id(),
    }
}

pub(super) fn show(change: &ServiceChange) -> GetServiceChangeRequest {
    GetServiceChangeRequest { name: change.name.clone() }
}

fn filing(change: &ServiceChange) -> FileServiceChangeRequest {
    let (name, etag) = (change.name.clone(), change.etag.clone());
    FileServiceChangeRequest { name, etag, request_id: request_id() }
}

fn effect(change: &ServiceChange) -> EffectServiceChangeRequest {
    let (name, etag) = (change.name.clone(), change.etag.clone());
    EffectServiceChangeRequest { name, etag, request_id: request_id() }
}

pub(super) async fn shr_25_a_leak_stops_calls_and_the_procedure_follows(city: &City) {
    let City { provider, user, outsider, authority, .. } = city;
    let entry = city.entry("户外广告信息").await;
    refused!(
        ServiceChangeStateWrong,
        provider.service_changes().propose_service_change(proposal(city, &entry.name))
    );
    let given = city.ask(&entry, |_| {}).await;

    let with = |change: fn(&mut ProposeServiceChangeRequest)| {
        let mut call = proposal(city, &entry.name);
        change(&mut call);
        call
    };
    let kindless = with(|call| call.kind = 0);
    refused!(FieldInvalid, provider.service_changes().propose_service_change(kindless));
    let dateless = with(|call| call.effective.clear());
    refused!(FieldInvalid, provider.service_changes().propose_service_change(dateless));
    let reasonless = with(|call| call.reason.clear());
    refused!(ReasonMissing, provider.service_changes().propose_service_change(reasonless));
    let elsewhere = with(|call| "domains/fuzhou".clone_into(&mut call.parent));
    refused!(DomainUnknown, provider.service_changes().propose_service_change(elsewhere));
    let entryless = with(|call| "domains/xiamen".clone_into(&mut call.entry));
    refused!(NameInvalid, provider.service_changes().propose_service_change(entryless));
    let own = proposal(city, &entry.name);
    refused!(CallerNotPermitted, user.service_changes().propose_service_change(own.clone()));

    let proposed = done!(provider.service_changes().propose_service_change(own));
    assert_eq!((proposed.state(), proposed.grants.len()), (ServiceChangeState::Proposed, 1));
    let again = proposal(city, &entry.name);
    refused!(AlreadyExists, provider.service_changes().propose_service_change(again));
    let notice = grant(user, &given.name).await.course.and_then(|course| course.service);
    let notice = notice.expect("the user is told");
    assert_eq!(notice.change, proposed.name);
    assert!(notice.stopped_time.is_some());
    let wanted = CheckUseRequest { name: given.name.clone(), ..Default::default() };
    assert_eq!(done!(user.grants().check_use(wanted)).reason, "SERVICE_STOPPED");

    for role in [user, provider, authority] {
        assert_eq!(done!(role.service_changes().get_service_change(show(&proposed))), proposed);
    }
    refused!(NotFound, outsider.service_changes().get_service_change(show(&proposed)));
    let list = ListServiceChangesRequest {
        parent: provider.domain(),
        entry: entry.name.clone(),
        ..Default::default()
    };
    let seen = done!(user.service_changes().list_service_changes(list.clone()));
    assert_eq!(seen.service_changes, std::slice::from_ref(&proposed));
    let seen = done!(outsider.service_changes().list_service_changes(list.clone()));
    assert!(seen.service_changes.is_empty(), "{seen:?}");
    let nameless = ListServiceChangesRequest { entry: String::new(), ..list };
    refused!(NameInvalid, user.service_changes().list_service_changes(nameless));

    let stated = statement(&proposed, true);
    refused!(CallerNotPermitted, outsider.service_changes().state_on_service_change(stated));
    refused!(
        ServiceChangeNotNegotiated,
        provider.service_changes().file_service_change(filing(&proposed))
    );
    let agreed = done!(user.service_changes().state_on_service_change(statement(&proposed, true)));
    assert_eq!(agreed.state(), ServiceChangeState::Negotiated);
    refused!(EtagMismatch, provider.service_changes().file_service_change(filing(&proposed)));
    refused!(
        ServiceChangeNotFiled,
        provider.service_changes().effect_service_change(effect(&agreed))
    );
    let filed = done!(provider.service_changes().file_service_change(filing(&agreed)));
    assert!(filed.filed_time.is_some());
    let effective = done!(provider.service_changes().effect_service_change(effect(&filed)));
    assert_eq!(effective.state(), ServiceChangeState::Effective);
    assert_eq!(grant(user, &given.name).await.state(), GrantState::Ended);
}

pub(super) async fn shr_25_a_change_that_is_given_up(city: &City) {
    let City { provider, user, .. } = city;
    let entry = city.entry("旅游景区信息").await;
    let given = city.ask(&entry, |_| {}).await;
    let narrow = ProposeServiceChangeRequest {
        kind: ServiceChangeKind::Narrow.into(),
        cause: ServiceChangeCause::Other.into(),
        items: vec![entry.items[0].name.clone()],
        ..proposal(city, &entry.name)
    };
    let proposed = done!(provider.service_changes().propose_service_change(narrow));
    let minutes = |change: &ServiceChange, bytes: usize| RecordNegotiationRequest {
        name: change.name.clone(),
        etag: change.etag.clone(),
        minutes: vec![3; bytes].into(),
        request_id: request_id(),
    };
    refused!(FieldInvalid, provider.service_changes().record_negotiation(minutes(&proposed, 20)));
    refused!(CallerNotPermitted, user.service_changes().record_negotiation(minutes(&proposed, 32)));
    let talked = done!(provider.service_changes().record_negotiation(minutes(&proposed, 32)));
    assert_eq!((talked.state(), talked.minutes.len()), (ServiceChangeState::Negotiated, 32));
    let give_up = |reason: &str| AbandonServiceChangeRequest {
        name: talked.name.clone(),
        etag: talked.etag.clone(),
        reason: reason.to_owned(),
        request_id: request_id(),
    };
    refused!(ReasonMissing, provider.service_changes().abandon_service_change(give_up(" ")));
    let abandoned = done!(provider.service_changes().abandon_service_change(give_up("不再需要")));
    assert_eq!(abandoned.state(), ServiceChangeState::Abandoned);
    assert_eq!(grant(user, &given.name).await.items, given.items, "nothing was taken out");
    let nowhere = GetServiceChangeRequest {
        name: format!("{}/service-changes/01JD0000000000000000000001", user.domain()),
    };
    refused!(NotFound, user.service_changes().get_service_change(nowhere));
}
