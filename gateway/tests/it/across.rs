//! Across: how a call of one domain's department reaches the domain that owns what it is about.

use bytes::Bytes;
use catalog_model::{reason::Reason, refusal::Refusal};
use luqiao_proto::{
    federation::v1::{CarriedCaller, CarryCallRequest, CarryCallResponse},
    node::v1::Envelope,
    sharing::v1::{AcknowledgeDeliveryRequest, ListUseRecordsRequest, OfferDeliveryRequest},
};
use luqiao_transport::status::Problem;
use prost::Message as _;
use tonic::{Request, Status, transport::Channel};

use crate::{
    carry::{call, send},
    links::{Pair, pair},
    node::Reply,
    pki::{ORGANIZATION, PERSON, SYSTEM},
};

const CARRY: &str = "/luqiao.federation.v1.FederationService/CarryCall";
const ACKNOWLEDGE: &str = "/luqiao.sharing.v1.GrantService/AcknowledgeDelivery";
const OFFER: &str = "/luqiao.sharing.v1.GrantService/OfferDelivery";
const LIST: &str = "/luqiao.sharing.v1.GrantService/ListUseRecords";
const THEIRS: &str = "domains/fujian/grants/01JD0000000000000000000009";
const OURS: &str = "domains/xiamen/grants/01JD0000000000000000000009";

fn acknowledge(name: &str) -> Bytes {
    AcknowledgeDeliveryRequest {
        name: name.to_owned(),
        etag: "\"v2\"".to_owned(),
        request_id: "r1".to_owned(),
    }
    .encode_to_vec()
    .into()
}

fn list(parent: &str) -> Bytes {
    let parent = parent.to_owned();
    ListUseRecordsRequest { parent, ..Default::default() }.encode_to_vec().into()
}

fn reason(answer: Result<Bytes, Status>) -> Option<Reason> {
    Problem::from_status(&answer.expect_err("a refusal")).reason
}

/// A system of the city, at the city's gateway.
async fn department(pair: &Pair) -> Channel {
    pair.city.domain.system(pair.city.gateway.addr()).await
}

/// What the province's cluster was asked with this method.
fn asked(pair: &Pair, method: &str) -> Vec<Envelope> {
    pair.province
        .node
        .memory
        .look(|rows| rows.asked.iter().filter(|asked| asked.method == method).cloned().collect())
}

#[tokio::test]
async fn a_user_of_another_domain_acts_where_the_right_was_given() {
    let pair = pair().await;
    pair.province.node.behave(|_| Reply::Answer(Bytes::from_static(b"a grant")));
    let department = department(&pair).await;
    let answer = call(&department, ACKNOWLEDGE, acknowledge(THEIRS)).await.unwrap();
    assert_eq!(answer, "a grant");
    let asked = asked(&pair, ACKNOWLEDGE);
    let [envelope] = &asked[..] else { panic!("{asked:?}") };
    let caller = envelope.caller.clone().unwrap();
    assert_eq!((&*caller.domain, &*caller.organization), ("xiamen", ORGANIZATION));
    assert_eq!((&*caller.system, &*caller.person, &*caller.gateway), (SYSTEM, "", ""));
    assert_eq!(envelope.call, acknowledge(THEIRS), "byte for byte");
    assert_eq!(pair.city.node.memory.asked("AcknowledgeDelivery"), 0, "nothing is on record here");

    // A right that our own domain gave is changed here.
    call(&department, ACKNOWLEDGE, acknowledge(OURS)).await.unwrap();
    assert_eq!(pair.city.node.memory.asked("AcknowledgeDelivery"), 1);
    // Of a domain that we have no link with nobody can answer.
    let stranger = THEIRS.replace("fujian", "fuzhou");
    let refused = call(&department, ACKNOWLEDGE, acknowledge(&stranger)).await;
    assert_eq!(reason(refused), Some(Reason::DomainUnknown));
}

#[tokio::test]
async fn a_person_and_an_asserted_person_are_told_apart_at_the_owner() {
    let pair = pair().await;
    let department = department(&pair).await;
    let mut asserted = Request::new(acknowledge(THEIRS));
    asserted.metadata_mut().insert("x-luqiao-person", PERSON.parse().unwrap());
    send(&department, ACKNOWLEDGE, asserted).await.unwrap();
    let path = format!("organization/{ORGANIZATION}/person/{PERSON}");
    let person = pair.city.domain.connect(&path, &[], pair.city.gateway.addr()).await;
    call(&person, ACKNOWLEDGE, acknowledge(THEIRS)).await.unwrap();
    let callers: Vec<_> = asked(&pair, ACKNOWLEDGE)
        .into_iter()
        .map(|asked| asked.caller.unwrap())
        .map(|caller| (caller.system, caller.person))
        .collect();
    let texts = |system: &str, person: &str| (system.to_owned(), person.to_owned());
    assert_eq!(callers, [texts(SYSTEM, PERSON), texts("", PERSON)]);
}

#[tokio::test]
async fn a_refusal_of_the_owner_reaches_the_user_in_its_language() {
    let pair = pair().await;
    pair.province
        .node
        .behave(|_| Reply::Refuse(Refusal::new(Reason::EtagMismatch).fact("actual", 3)));
    let mut request = Request::new(acknowledge(THEIRS));
    request.metadata_mut().insert("accept-language", "zh".parse().unwrap());
    let refused = send(&department(&pair).await, ACKNOWLEDGE, request).await;
    assert_eq!(reason(refused), Some(Reason::EtagMismatch));
    assert_eq!(asked(&pair, ACKNOWLEDGE)[0].language, "zh");
}

#[tokio::test]
async fn a_question_goes_on_to_the_domain_that_our_own_names() {
    let pair = pair().await;
    pair.city
        .node
        .behave(|_| Reply::Refuse(Refusal::new(Reason::NotOwner).fact("owner", "fujian")));
    pair.province.node.behave(|_| Reply::Answer(Bytes::from_static(b"records")));
    let department = department(&pair).await;
    let answer = call(&department, LIST, list(OURS)).await.unwrap();
    assert_eq!(answer, "records");
    assert_eq!(asked(&pair, LIST).len(), 1);
    // A change that our own domain refused is not made elsewhere.
    let refused = call(&department, ACKNOWLEDGE, acknowledge(OURS)).await;
    assert_eq!(reason(refused), Some(Reason::NotOwner));
    // One that is not even named as carried stays where it was asked, whatever it is about.
    let offer = OfferDeliveryRequest {
        name: THEIRS.to_owned(),
        request_id: "r1".to_owned(),
        ..Default::default()
    };
    let refused = call(&department, OFFER, offer.encode_to_vec().into()).await;
    assert_eq!(reason(refused), Some(Reason::NotOwner));
    assert_eq!((asked(&pair, ACKNOWLEDGE).len(), asked(&pair, OFFER).len()), (0, 0));
}

#[tokio::test]
async fn what_was_carried_goes_no_further() {
    let pair = pair().await;
    // Each believes the other to hold the records.
    pair.city
        .node
        .behave(|_| Reply::Refuse(Refusal::new(Reason::NotOwner).fact("owner", "fujian")));
    pair.province
        .node
        .behave(|_| Reply::Refuse(Refusal::new(Reason::NotOwner).fact("owner", "xiamen")));
    let refused = call(&department(&pair).await, LIST, list(OURS)).await;
    assert_eq!(reason(refused), Some(Reason::NotOwner));
    assert_eq!(asked(&pair, LIST).len(), 1);
    assert_eq!(pair.city.node.memory.asked("ListUseRecords"), 1);
}

#[tokio::test]
async fn a_gateway_carries_for_its_own_callers_and_only_what_is_carried() {
    let pair = pair().await;
    let (city, province) = (&pair.city, &pair.province);
    let at = province.gateway.addr();
    let gateway = city.domain.connect("gateway/gw-9", &[&province.domain], at).await;
    let caller = CarriedCaller {
        organization: ORGANIZATION.to_owned(),
        system: SYSTEM.to_owned(),
        person: String::new(),
    };
    let carry = |method: &str, message: Bytes, caller: Option<CarriedCaller>| {
        let (method, idempotency_key) = (method.to_owned(), "r1".to_owned());
        let request = CarryCallRequest { method, call: message, caller, idempotency_key };
        call(&gateway, CARRY, request.encode_to_vec().into())
    };
    let answer = carry(ACKNOWLEDGE, acknowledge(THEIRS), Some(caller.clone())).await.unwrap();
    assert_eq!(CarryCallResponse::decode(answer).unwrap().answer, Bytes::new());

    let refused = carry(OFFER, acknowledge(THEIRS), Some(caller.clone())).await;
    assert_eq!(reason(refused), Some(Reason::CallerNotPermitted));
    let refused = carry(CARRY, Bytes::new(), Some(caller.clone())).await;
    assert_eq!(reason(refused), Some(Reason::CallerNotPermitted));
    let refused = carry("/nothing", Bytes::new(), Some(caller.clone())).await;
    assert_eq!(reason(refused), Some(Reason::MethodUnknown));
    let refused = carry(ACKNOWLEDGE, acknowledge(THEIRS), None).await;
    assert_eq!(reason(refused), Some(Reason::FieldInvalid));
    let nobody = CarriedCaller { system: "1".to_owned(), ..caller.clone() };
    let refused = carry(ACKNOWLEDGE, acknowledge(THEIRS), Some(nobody)).await;
    assert_eq!(reason(refused), Some(Reason::FieldInvalid));
    // What is carried is looked at like any other call.
    let without_key = AcknowledgeDeliveryRequest { name: THEIRS.to_owned(), ..Default::default() };
    let refused =
        carry(ACKNOWLEDGE, without_key.encode_to_vec().into(), Some(caller.clone())).await;
    assert_eq!(reason(refused), Some(Reason::RequestIdMissing));
    let refused = carry(ACKNOWLEDGE, acknowledge("nonsense"), Some(caller.clone())).await;
    assert_eq!(reason(refused), Some(Reason::NameInvalid));
    // Whatever it is about, it is asked of the cluster here.
    let refused = carry(ACKNOWLEDGE, acknowledge(OURS), Some(caller)).await;
    assert!(refused.is_ok(), "{refused:?}");
    assert_eq!(pair.city.node.memory.asked("AcknowledgeDelivery"), 0, "it is not carried back");

    // A department of the city does not come by itself, nor does it carry.
    let path = format!("organization/{ORGANIZATION}/system/{SYSTEM}");
    let foreign = city.domain.connect(&path, &[&province.domain], at).await;
    let refused = call(&foreign, ACKNOWLEDGE, acknowledge(THEIRS)).await;
    assert_eq!(reason(refused), Some(Reason::DomainForeign));
    let refused = call(&foreign, CARRY, Bytes::new()).await;
    assert_eq!(reason(refused), Some(Reason::DomainForeign));
    let own = call(&department(&pair).await, CARRY, Bytes::new()).await;
    assert_eq!(reason(own), Some(Reason::CallerNotPermitted));
}

#[tokio::test]
async fn over_a_cut_link_nothing_is_carried_and_the_user_knows_whether_it_was() {
    let pair = pair().await;
    let department = department(&pair).await;
    let fujian = pair.province.id();
    pair.city.gateway.links().cut(&fujian);
    let status = call(&department, ACKNOWLEDGE, acknowledge(THEIRS)).await.unwrap_err();
    let problem = Problem::from_status(&status);
    assert_eq!(problem.reason, Some(Reason::UpstreamUnreachable));
    assert_eq!(problem.metadata["domain"], "fujian");
    assert_eq!(asked(&pair, ACKNOWLEDGE).len(), 0);
    pair.city.gateway.links().heal(&fujian);
    call(&department, ACKNOWLEDGE, acknowledge(THEIRS)).await.unwrap();

    // It was taken in, and the link is cut before its answer: a change may have been made, a
    // question can simply be asked again.
    pair.city
        .node
        .behave(|_| Reply::Refuse(Refusal::new(Reason::NotOwner).fact("owner", "fujian")));
    for (method, message, expected) in [
        (ACKNOWLEDGE, acknowledge(THEIRS), Reason::OutcomeUnknown),
        (LIST, list(OURS), Reason::UpstreamUnreachable),
    ] {
        pair.province.node.behave(|_| Reply::Silence);
        let before = asked(&pair, method).len();
        let came = |rows: &crate::node::Rows| {
            rows.asked.iter().filter(|asked| asked.method == method).count() > before
        };
        let waiting = async {
            pair.province.node.memory.until("it came", came).await;
            pair.city.gateway.links().cut(&fujian);
        };
        let (answer, ()) = tokio::join!(call(&department, method, message), waiting);
        assert_eq!(reason(answer), Some(expected), "{method}");
        pair.city.gateway.links().heal(&fujian);
    }
}
