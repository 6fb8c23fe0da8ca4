use catalog_model::{
    catalog_entry::SharingMethod,
    grant::{DeliveryOffer, Grant, GrantCourse, GrantState},
    ids::{EntryId, GrantId, OrganizationId, RequestId, SystemId},
    name::{Resource, ResourceName},
    share_request::{Party, RequestContent, ShareRequestState, Term},
    sharing::SharingKind,
    time::UtcMillis,
};
use catalog_state::outbox;
use luqiao_proto::sharing::v1 as message;

use super::*;

fn domain(text: &str) -> DomainId {
    text.parse().expect("a domain")
}

fn party(home: &str, number: u8) -> Party {
    Party {
        domain: domain(home),
        organization: OrganizationId::from_bytes([number; 16]),
        name: format!("{home} {number}"),
        class: None,
    }
}

fn grant(state: GrantState) -> Grant {
    let day = "2026-09-21".parse().expect("a day");
    let offer = DeliveryOffer {
        method: SharingMethod::BatchExchange,
        offered_time: UtcMillis(1),
        tested_time: None,
    };
    Grant {
        id: GrantId::from_bytes([1; 16]),
        domain: domain("xiamen"),
        request: ResourceName::new(
            domain("siming"),
            Resource::Request(RequestId::from_bytes([2; 16])),
        ),
        entry: ResourceName::new(domain("xiamen"), Resource::Entry(EntryId::from_bytes([3; 16]))),
        entry_version: 1,
        provider: party("xiamen", 4),
        consumer: party("siming", 5),
        system: ResourceName::new(
            domain("siming"),
            Resource::System(OrganizationId::from_bytes([5; 16]), SystemId::from_bytes([6; 16])),
        ),
        scenario: "核验".into(),
        items: vec!["名称".into()],
        row_scope: String::new(),
        term: Term { from: day, to: day },
        state,
        suspension: None,
        termination_reason: String::new(),
        rule: None,
        version: 2,
        granted_time: UtcMillis(1),
        updated_time: UtcMillis(2),
        course: Some(Box::new(GrantCourse { offer: Some(offer), ..Default::default() })),
        rate_per_day: Some(10),
    }
}

fn case() -> ShareRequest {
    let grant = grant(GrantState::Offered);
    ShareRequest {
        id: RequestId::from_bytes([2; 16]),
        domain: domain("siming"),
        owner_domain: domain("xiamen"),
        case_number: "1".into(),
        requester: grant.consumer.clone(),
        provider: grant.provider.clone(),
        content: RequestContent {
            entry: grant.entry.clone(),
            system: SystemId::from_bytes([6; 16]),
            scenario: "核验".into(),
            duty_basis: String::new(),
            items: grant.items.clone(),
            item_reasons: Vec::new(),
            row_scope: String::new(),
            method: None,
            term: None,
            commitments: Vec::new(),
            rate_per_day: Some(10),
            renews: Some(ResourceName::new(domain("xiamen"), Resource::Grant(grant.id))),
        },
        entry_title: "目录".into(),
        entry_version: 1,
        sharing: SharingKind::Unconditional,
        state: ShareRequestState::Agreed,
        received_time: None,
        rules: None,
        answer_clock: None,
        opinions: Vec::new(),
        completion: None,
        extensions: Vec::new(),
        overdue: None,
        answer: None,
        granted: Some(grant.id),
        grant: Some(ResourceName::new(domain("xiamen"), Resource::Grant(grant.id))),
        hops: Vec::new(),
        version: 3,
        created_time: UtcMillis(1),
        updated_time: UtcMillis(2),
    }
}

/// What a domain at `level` is told of a right in this state.
fn told(state: GrantState, level: u32) -> (message::ShareRequest, message::Grant) {
    let item = outbox::OutboxItem {
        sequence: 7,
        idempotency_key: "key".into(),
        message: Owed::Status { request: Box::new(case()), grant: Some(Box::new(grant(state))) },
    };
    let delivered = owed(item, UtcMillis(3), level);
    assert_eq!((delivered.sequence, delivered.method.as_str()), (7, RELAY));
    let call = RelayStatusRequest::decode(delivered.call).expect("a message");
    (call.request.expect("a case"), call.grant.expect("a grant"))
}

#[test]
fn a_domain_at_level_3_is_told_everything() {
    let (case, grant) = told(GrantState::Active, 3);
    assert_eq!((case.rate_per_day, grant.rate_per_day), (10, 10));
    assert!(!case.renews.is_empty() && grant.course.is_some());
    assert_eq!(grant.state(), message::GrantState::Active);
}

#[test]
fn a_domain_below_is_told_what_it_can_hold() {
    use message::GrantState as S;
    for (state, told_as) in [
        (GrantState::Granted, S::Granted),
        (GrantState::Offered, S::Granted),
        (GrantState::Delivered, S::Granted),
        (GrantState::Active, S::Granted),
        (GrantState::Suspended, S::Suspended),
        (GrantState::Terminated, S::Terminated),
        (GrantState::PurposeEnded, S::Terminated),
        (GrantState::Disposed, S::Terminated),
        (GrantState::Ended, S::Terminated),
    ] {
        // 0: its program is older than the field in which it would say so.
        for level in [0, 1, 2] {
            let (case, grant) = told(state, level);
            assert_eq!((case.rate_per_day, grant.rate_per_day), (0, 0));
            assert!(case.renews.is_empty() && grant.course.is_none());
            assert_eq!(grant.state(), told_as);
            let over = state.has_ended() && state != GrantState::Terminated;
            assert_eq!(grant.termination_reason, if over { state.word() } else { "" });
        }
    }
}

#[test]
fn a_case_is_handed_over_without_what_the_owner_could_not_take() {
    for (level, rate) in [(2, 0), (3, 10)] {
        let item = outbox::OutboxItem {
            sequence: 1,
            idempotency_key: "key".into(),
            message: Owed::Forward(Box::new(case())),
        };
        let call = ForwardRequestRequest::decode(owed(item, UtcMillis(3), level).call);
        assert_eq!(call.expect("a message").request.expect("a case").rate_per_day, rate);
    }
}
