//! What another domain cannot ask of the city, although it has a link.

use catalog_model::reason::Reason;
use federation_tests::{
    publishing::entry,
    role::{Role, call, request_id},
};
use luqiao_proto::{
    catalog::v1::SharingKind,
    federation::v1::{
        CarriedCaller, CarryCallRequest, FeedScope, FeedToken, FollowFeedRequest,
        ForwardRequestRequest, RelayStatusRequest,
        federation_service_client::FederationServiceClient,
    },
    sharing::v1::{AcknowledgeDeliveryRequest, ShareRequest, ShareRequestState},
};
use prost::Message as _;

use super::{Stage, asking};

const FORWARD: &str = "/luqiao.federation.v1.FederationService/ForwardRequest";
const RELAY: &str = "/luqiao.federation.v1.FederationService/RelayStatus";
const CARRY: &str = "/luqiao.federation.v1.FederationService/CarryCall";
const FOLLOW: &str = "/luqiao.federation.v1.FederationService/FollowFeed";

pub(super) async fn refused(stage: &Stage) {
    following(stage).await;
    carrying(stage).await;
    Box::pin(handing_over(stage)).await;
}

fn client(role: &Role) -> FederationServiceClient<tonic::transport::Channel> {
    FederationServiceClient::new(role.channel())
}

async fn following(stage: &Stage) {
    let follow = async |role: &Role, scope: FeedScope, after: Option<FeedToken>| {
        let question = FollowFeedRequest { scope: scope.into(), after, batch_size: 1 };
        let mut stream = client(role).follow_feed(call(question)).await?.into_inner();
        stream.message().await
    };
    let answer = follow(&stage.subordinate, FeedScope::Full, None).await;
    stage.note(FOLLOW, Reason::CallerNotPermitted, answer);
    let answer = follow(&stage.superior, FeedScope::Full, None).await;
    let first = answer.expect("the superior may follow everything").expect("a batch");
    let token = first.token.expect("a batch has a token");
    let forged = FeedToken { hash: vec![7; 32].into(), ..token.clone() };
    stage.note(
        FOLLOW,
        Reason::FeedTokenUnknown,
        follow(&stage.superior, FeedScope::Full, Some(forged)).await,
    );
    let ahead = FeedToken { revision: 1_000_000, ..token.clone() };
    stage.note(
        FOLLOW,
        Reason::FeedTokenUnknown,
        follow(&stage.superior, FeedScope::Full, Some(ahead)).await,
    );
    let other_cluster = FeedToken { cluster_id: "0".repeat(32), ..token };
    let answer = follow(&stage.superior, FeedScope::Full, Some(other_cluster)).await;
    stage.note(FOLLOW, Reason::FeedTokenUnknown, answer);
}

/// The province speaks for its own departments, and with nothing but the calls that are carried.
async fn carrying(stage: &Stage) {
    let caller = CarriedCaller {
        organization: "01JD0000000000000000000001".to_owned(),
        system: "01JD0000000000000000000002".to_owned(),
        person: String::new(),
    };
    let grant = "domains/xiamen/grants/01JD0000000000000000000009";
    let acknowledge = AcknowledgeDeliveryRequest {
        name: grant.to_owned(),
        etag: "\"v1\"".to_owned(),
        request_id: request_id(),
    };
    let carry = async |method: &str, caller: Option<&CarriedCaller>| {
        let question = CarryCallRequest {
            method: method.to_owned(),
            call: acknowledge.encode_to_vec().into(),
            caller: caller.cloned(),
            idempotency_key: acknowledge.request_id.clone(),
        };
        client(&stage.superior).carry_call(call(question)).await
    };
    let theirs = "/luqiao.sharing.v1.GrantService/AcknowledgeDelivery";
    let answer = carry(theirs, None).await;
    stage.note(CARRY, Reason::FieldInvalid, answer);
    let nobody = CarriedCaller { organization: "none".to_owned(), ..caller.clone() };
    stage.note(CARRY, Reason::FieldInvalid, carry(theirs, Some(&nobody)).await);
    let ours = "/luqiao.sharing.v1.GrantService/OfferDelivery";
    stage.note(CARRY, Reason::CallerNotPermitted, carry(ours, Some(&caller)).await);
    stage.note(CARRY, Reason::MethodUnknown, carry("/none", Some(&caller)).await);
    // It is carried, and the city's law says what it says to everybody.
    stage.note(CARRY, Reason::NotFound, carry(theirs, Some(&caller)).await);
}

async fn handing_over(stage: &Stage) {
    let entry = stage
        .press
        .register(entry(&stage.press.provider, "户外广告信息", SharingKind::Conditional))
        .await
        .expect("a draft");
    let entry = stage.press.issue(&entry).await.expect("it is published");
    let own = asking::open(stage, &entry).await;

    // The case as a district would hand it over, except for what each call changes in it.
    let there = |text: &str| text.replace("domains/xiamen/", "domains/siming/");
    let id = "01JD0000000000000000000003";
    let mut case = ShareRequest {
        name: format!("domains/siming/requests/{id}"),
        system: there(&own.system),
        state: ShareRequestState::Forwarded.into(),
        received_time: None,
        rules: None,
        deadline: None,
        ..own.clone()
    };
    let requester = case.requester.get_or_insert_default();
    requester.organization = there(&requester.organization);
    let forward = async |role: &Role, case: &ShareRequest| {
        let question =
            ForwardRequestRequest { request: Some(case.clone()), idempotency_key: "1".to_owned() };
        client(role).forward_request(call(question)).await
    };
    let relay = async |role: &Role, case: &ShareRequest| {
        let question = RelayStatusRequest {
            request: Some(case.clone()),
            grant: None,
            idempotency_key: "1".to_owned(),
        };
        Box::pin(client(role).relay_status(call(question))).await
    };

    // The gateway of a domain that has nothing to do with the case.
    stage.note(FORWARD, Reason::CallerNotPermitted, forward(&stage.superior, &case).await);
    let elsewhere = ShareRequest {
        owner_domain: "fujian".to_owned(),
        entry: case.entry.replace("xiamen", "fujian"),
        ..case.clone()
    };
    stage.note(FORWARD, Reason::ForwardNotForUs, forward(&stage.subordinate, &elsewhere).await);
    let nothing = ShareRequest::default();
    stage.note(FORWARD, Reason::NameInvalid, forward(&stage.subordinate, &nothing).await);

    // The city's own case is not the province's to answer, and one that it does not have is none.
    stage.note(RELAY, Reason::CallerNotPermitted, relay(&stage.superior, &own).await);
    let not_theirs = ShareRequest { owner_domain: "fujian".to_owned(), ..own.clone() };
    stage.note(RELAY, Reason::NotOwner, relay(&stage.superior, &not_theirs).await);
    let missing = ShareRequest {
        name: format!("domains/xiamen/requests/{id}"),
        owner_domain: "fujian".to_owned(),
        ..own
    };
    stage.note(RELAY, Reason::NotFound, relay(&stage.superior, &missing).await);
}
