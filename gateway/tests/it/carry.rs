//! Single calls: who is let in, what reaches the node, and what happens while nodes come and go.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use catalog_model::{
    reason::{Lang, Reason},
    refusal::Refusal,
};
use gateway::{Gateway, RunningGateway, config::CertificateRow, identity, raw::RawCodec};
use http::uri::PathAndQuery;
use hyper_util::rt::TokioIo;
use luqiao_proto::{
    catalog::v1::{GetEntryRequest, SubmitEntryRequest},
    node::v1::Envelope,
    operations::v1::{GetStatusRequest, GetStatusResponse, TransferLeaderRequest},
};
use luqiao_transport::status::{self, Problem};
use prost::Message;
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::{
    Code, Request, Status,
    client::Grpc,
    transport::{Channel, Endpoint, Uri},
};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};
use tower::service_fn;

use crate::{
    node::{FakeNode, Reply},
    pki::{Domain, ORGANIZATION, PERSON, SYSTEM},
};

pub(crate) const GET: &str = "/luqiao.catalog.v1.CatalogService/GetEntry";
pub(crate) const SUBMIT: &str = "/luqiao.catalog.v1.CatalogService/SubmitEntry";
const TRANSFER: &str = "/luqiao.operations.v1.OperationsService/TransferLeader";
const ENTRY: &str = "domains/xiamen/entries/01JD0000000000000000000001";

/// A call of any method with any bytes.
pub(crate) async fn call(
    channel: &Channel,
    method: &'static str,
    message: Bytes,
) -> Result<Bytes, Status> {
    send(channel, method, Request::new(message)).await
}

pub(crate) async fn send(
    channel: &Channel,
    method: &'static str,
    request: Request<Bytes>,
) -> Result<Bytes, Status> {
    let mut grpc = Grpc::new(channel.clone()).max_encoding_message_size(usize::MAX);
    grpc.ready().await.unwrap();
    let answer = grpc.unary(request, PathAndQuery::from_static(method), RawCodec).await?;
    Ok(answer.into_inner())
}

pub(crate) fn get() -> Bytes {
    GetEntryRequest { name: ENTRY.to_owned(), view: 0 }.encode_to_vec().into()
}

pub(crate) fn submit(request_id: &str) -> Bytes {
    let (name, etag, request_id) = (ENTRY.to_owned(), String::new(), request_id.to_owned());
    SubmitEntryRequest { name, etag, request_id }.encode_to_vec().into()
}

fn refuse(reason: Reason) -> impl Fn(&Envelope) -> Reply + Send + 'static {
    move |_| Reply::Refuse(Refusal::new(reason))
}

fn reason(answer: Result<Bytes, Status>) -> (Code, Option<Reason>) {
    let problem = Problem::from_status(&answer.expect_err("a refusal"));
    (problem.code, problem.reason)
}

/// Three nodes and a gateway before them.
async fn city() -> (Domain, [FakeNode; 3], RunningGateway) {
    let domain = Domain::new("xiamen");
    let nodes = [
        FakeNode::start(&domain, "1").await,
        FakeNode::start(&domain, "2").await,
        FakeNode::start(&domain, "3").await,
    ];
    let gateway = Gateway::start(domain.config(&nodes.each_ref())).await.unwrap();
    (domain, nodes, gateway)
}

/// One node and a gateway before it.
async fn town() -> (Domain, FakeNode, RunningGateway) {
    let domain = Domain::new("xiamen");
    let node = FakeNode::start(&domain, "1").await;
    let gateway = Gateway::start(domain.config(&[&node])).await.unwrap();
    (domain, node, gateway)
}

#[tokio::test]
async fn a_call_reaches_the_node_to_the_byte_with_who_made_it() {
    let (domain, node, gateway) = town().await;
    node.behave(|envelope| Reply::Answer(envelope.call.clone()));
    let system = domain.system(gateway.addr()).await;

    // A field of a later version is neither known here nor lost here.
    let message: Bytes = [&get()[..], &[0xfa, 0x3e, 0x02, 0x00, 0xff]].concat().into();
    let mut request = Request::new(message.clone());
    request.metadata_mut().insert(identity::PERSON, PERSON.parse().unwrap());
    request.metadata_mut().insert("accept-language", "zh-CN, en;q=0.5".parse().unwrap());
    assert_eq!(send(&system, GET, request).await.unwrap(), message);

    let envelope = node.memory.look(|rows| rows.asked[0].clone());
    let caller = envelope.caller.unwrap();
    assert_eq!((&*caller.domain, &*caller.organization), ("xiamen", ORGANIZATION));
    assert_eq!((&*caller.system, &*caller.person), (SYSTEM, PERSON));
    assert_eq!((&*envelope.gateway, &*envelope.method), ("gw-1", GET));
    assert_eq!((envelope.call, &*envelope.language), (message, "zh"));
    assert!(envelope.received_at.is_some() && envelope.timeout_ms > 0);
}

#[tokio::test]
async fn without_a_certificate_only_health_and_reflection_answer() {
    let (domain, _node, gateway) = town().await;
    let nobody = without_certificate(&domain, gateway.addr().to_string()).await;

    let mut request = Request::new(get());
    request.metadata_mut().insert("accept-language", "zh".parse().unwrap());
    let problem = Problem::from_status(&send(&nobody, GET, request).await.unwrap_err());
    assert_eq!(problem.code, Code::Unauthenticated);
    assert_eq!(problem.reason, Some(Reason::CertificateMissing));
    assert_eq!(problem.message, Reason::CertificateMissing.text(Lang::Zh));

    HealthClient::new(nobody.clone()).check(HealthCheckRequest::default()).await.unwrap();

    let question = ServerReflectionRequest {
        message_request: Some(MessageRequest::ListServices(String::new())),
        ..Default::default()
    };
    let mut answers = ServerReflectionClient::new(nobody)
        .server_reflection_info(tokio_stream::once(question))
        .await
        .unwrap()
        .into_inner();
    let answer = answers.message().await.unwrap().unwrap().message_response.unwrap();
    let MessageResponse::ListServicesResponse(listed) = answer else { panic!("{answer:?}") };
    let listed: Vec<_> = listed.service.into_iter().map(|service| service.name).collect();
    assert!(listed.contains(&"luqiao.sharing.v1.SharingService".to_owned()), "{listed:?}");
    assert!(!listed.iter().any(|name| name.contains(".node.") || name.contains(".peer.")));
}

/// A connection that shows no certificate.
async fn without_certificate(domain: &Domain, address: String) -> Channel {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(domain.ca()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let connector = TlsConnector::from(Arc::new(config));
    let uri: Uri = format!("http://{address}").parse().unwrap();
    Endpoint::from(uri)
        .connect_with_connector(service_fn(move |_| {
            let (connector, address) = (connector.clone(), address.clone());
            async move {
                let stream = TcpStream::connect(address).await?;
                let name = ServerName::try_from("localhost").unwrap();
                connector.connect(name, stream).await.map(TokioIo::new)
            }
        }))
        .await
        .unwrap()
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_known_by_the_table() {
    let domain = Domain::new("xiamen");
    let government = Domain::new("government");
    let node = FakeNode::start(&domain, "1").await;
    let row = CertificateRow {
        issuer: "CN=government".to_owned(),
        serial: Some("5F:01".to_owned()),
        subject: None,
        identity: format!("spiffe://xiamen.luqiao/organization/{ORGANIZATION}/system/{SYSTEM}")
            .parse()
            .unwrap(),
    };
    let mut config = domain.config(&[&node]);
    config.tls.other_ca.push(government.ca());
    let unlisted = Gateway::start(config.clone()).await.unwrap();
    config.certificates.push(row);
    let listed = Gateway::start(config).await.unwrap();

    let dialer = luqiao_transport::dial::Dialer::new(
        government.material(None, &[&domain]),
        luqiao_transport::dial::DialOptions::default(),
    );
    let connect = |address: std::net::SocketAddr| {
        let dialer = dialer.clone();
        async move {
            let target = luqiao_transport::dial::Target::new(address.to_string());
            dialer.connect(&target).await.unwrap()
        }
    };
    let answer = call(&connect(unlisted.addr()).await, GET, get()).await;
    assert_eq!(reason(answer), (Code::Unauthenticated, Some(Reason::CertificateUnknown)));
    call(&connect(listed.addr()).await, GET, get()).await.unwrap();
    let caller = node.memory.look(|rows| rows.asked[0].caller.clone().unwrap());
    assert_eq!(caller.system, SYSTEM);
}

#[tokio::test]
async fn what_could_not_succeed_never_reaches_a_node() {
    let (domain, node, gateway) = town().await;
    let system = domain.system(gateway.addr()).await;
    let far = GetEntryRequest { name: ENTRY.replace("xiamen", "fuzhou"), view: 0 };
    let large = [&get()[..], &[0x1a, 0x80, 0x80, 0x80, 0x02], &vec![0; 4 << 20]].concat();
    for (method, message, expected) in [
        ("/luqiao.catalog.v1.CatalogService/Nothing", get(), Reason::MethodUnknown),
        ("/luqiao.node.v1.NodeService/Call", get(), Reason::MethodUnknown),
        (
            "/luqiao.federation.v1.FederationService/DescribeDomain",
            Bytes::new(),
            Reason::CallerNotPermitted,
        ),
        (SUBMIT, submit(""), Reason::RequestIdMissing),
        (GET, Bytes::new(), Reason::NameInvalid),
        (GET, Bytes::from_static(&[0x0a, 0x09]), Reason::MessageMalformed),
        (GET, far.encode_to_vec().into(), Reason::DomainUnknown),
        (GET, large.into(), Reason::MessageMalformed),
    ] {
        assert_eq!(reason(call(&system, method, message).await).1, Some(expected), "{method}");
    }
    assert_eq!(node.memory.look(|rows| rows.asked.len()), 0);
}

#[tokio::test]
async fn a_refusal_of_the_cluster_is_passed_on_as_it_is() {
    let (domain, node, gateway) = town().await;
    let refusal =
        Refusal::new(Reason::EtagMismatch).fact("actual", "\"v3\"").fact("expected", "\"v2\"");
    let expected = status::of(&refusal, Lang::En);
    node.behave(move |_| Reply::Refuse(refusal.clone()));
    let system = domain.system(gateway.addr()).await;
    let told = call(&system, SUBMIT, submit("a")).await.unwrap_err();
    assert_eq!(told.code(), Code::Aborted);
    assert_eq!(Problem::from_status(&told), Problem::from_status(&expected));
    assert_eq!(node.memory.asked("SubmitEntry"), 1, "an answer is not asked for again");
}

#[tokio::test]
async fn what_a_node_says_to_operators_is_not_for_callers() {
    let (domain, node, gateway) = town().await;
    let system = domain.system(gateway.addr()).await;
    node.behave(refuse(Reason::EnvelopeRefused));
    assert_eq!(reason(call(&system, GET, get()).await), (Code::Internal, Some(Reason::Internal)));
    node.behave(|_| Reply::Fail(Status::unimplemented("secret")));
    let told = call(&system, GET, get()).await.unwrap_err();
    assert!(!told.message().contains("secret"), "{told:?}");
    assert_eq!(Problem::from_status(&told).reason, Some(Reason::Internal));
}

#[tokio::test]
async fn a_node_that_does_not_lead_names_the_one_that_does() {
    let (domain, nodes, gateway) = city().await;
    for node in &nodes[..2] {
        node.behave(|_| Reply::Refuse(Refusal::new(Reason::NotLeader).fact("leader", "3")));
    }
    let system = domain.system(gateway.addr()).await;
    for number in 0..5 {
        call(&system, SUBMIT, submit(&number.to_string())).await.unwrap();
    }
    let asked = nodes.each_ref().map(|node| node.memory.asked("SubmitEntry"));
    assert_eq!(asked[2], 5);
    assert!(asked[0] + asked[1] <= 1, "once the leader is known it is asked first: {asked:?}");
}

#[tokio::test]
async fn a_call_outlives_the_leader_that_had_it() {
    let (domain, nodes, gateway) = city().await;
    // The first two are silent until they vanish, whichever is asked; the third answers.
    for node in &nodes[..2] {
        node.behave(|_| Reply::Silence);
    }
    let system = domain.system(gateway.addr()).await;
    let calling =
        tokio::time::timeout(Duration::from_secs(30), call(&system, SUBMIT, submit("once")));
    let vanishing = async {
        for node in &nodes[..2] {
            if node.memory.look(|rows| rows.asked.is_empty()) {
                tokio::select! {
                    () = node.memory.until("the call came", |rows| !rows.asked.is_empty()) => {}
                    () = nodes[2].memory.until("the call came", |rows| !rows.asked.is_empty()) => {}
                }
            }
            node.vanish().await;
        }
    };
    let (answer, ()) = tokio::join!(calling, vanishing);
    answer.expect("an answer in time").unwrap();
    let asked = nodes.iter().flat_map(|node| node.memory.look(|rows| rows.asked.clone()));
    for envelope in asked {
        assert_eq!(envelope.call, submit("once"), "every attempt is the same call");
    }
    assert_eq!(nodes[2].memory.asked("SubmitEntry"), 1);
}

#[tokio::test]
async fn an_election_is_waited_for() {
    let (domain, nodes, gateway) = city().await;
    let refusals = Arc::new(AtomicUsize::new(7));
    for node in &nodes {
        let refusals = Arc::clone(&refusals);
        node.behave(move |_| {
            let left = refusals
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
            match left {
                Ok(_) => Reply::Refuse(Refusal::new(Reason::NoLeader)),
                Err(_) => Reply::Answer(Bytes::new()),
            }
        });
    }
    let system = domain.system(gateway.addr()).await;
    call(&system, SUBMIT, submit("a")).await.unwrap();
    let asked: usize = nodes.iter().map(|node| node.memory.asked("SubmitEntry")).sum();
    assert_eq!(asked, 8);
}

#[tokio::test]
async fn if_nobody_leads_in_time_the_caller_is_told_when_to_come_back() {
    let (domain, nodes, gateway) = city().await;
    for node in &nodes {
        node.behave(refuse(Reason::NoLeader));
    }
    let system = domain.system(gateway.addr()).await;
    let mut request = Request::new(submit("a"));
    request.set_timeout(Duration::from_millis(500));
    let problem = Problem::from_status(&send(&system, SUBMIT, request).await.unwrap_err());
    assert_eq!((problem.code, problem.reason), (Code::Unavailable, Some(Reason::NoLeader)));
    assert!(problem.retry_delay.is_some());
}

#[tokio::test]
async fn if_no_node_is_there_the_caller_is_told_so() {
    let (domain, node, gateway) = town().await;
    node.vanish().await;
    let system = domain.system(gateway.addr()).await;
    let mut request = Request::new(submit("a"));
    request.set_timeout(Duration::from_millis(500));
    let problem = Problem::from_status(&send(&system, SUBMIT, request).await.unwrap_err());
    assert_eq!(problem.code, Code::Unavailable);
    assert_eq!(problem.reason, Some(Reason::UpstreamUnreachable));
}

#[tokio::test]
async fn a_call_that_cannot_be_repeated_safely_is_not() {
    let (domain, nodes, gateway) = city().await;
    for node in &nodes {
        node.behave(|_| Reply::Fail(Status::unknown("connection reset")));
    }
    let system = domain.system(gateway.addr()).await;
    let transfer = TransferLeaderRequest { name: "domains/xiamen".to_owned(), node: String::new() };
    let answer = call(&system, TRANSFER, transfer.encode_to_vec().into()).await;
    assert_eq!(reason(answer), (Code::Unknown, Some(Reason::OutcomeUnknown)));
    let asked: usize = nodes.iter().map(|node| node.memory.asked("TransferLeader")).sum();
    assert_eq!(asked, 1);
    // But if it certainly was not taken on, it is.
    nodes[0].behave(refuse(Reason::NotLeader));
    nodes[1].behave(refuse(Reason::NotLeader));
    nodes[2].behave(|_| Reply::Answer(Bytes::new()));
    call(&system, TRANSFER, transfer.encode_to_vec().into()).await.unwrap();
}

#[tokio::test]
async fn a_write_whose_fate_is_unknown_to_the_end_is_said_to_be() {
    let (domain, node, gateway) = town().await;
    node.behave(|_| Reply::Fail(Status::unknown("connection reset")));
    let system = domain.system(gateway.addr()).await;
    let bounded = |message| {
        let mut request = Request::new(message);
        request.set_timeout(Duration::from_millis(400));
        request
    };
    let answer = send(&system, SUBMIT, bounded(submit("a"))).await;
    assert_eq!(reason(answer), (Code::Unknown, Some(Reason::OutcomeUnknown)));
    assert!(node.memory.asked("SubmitEntry") > 1, "it was tried again all the same");
    // A read has no fate.
    let answer = send(&system, GET, bounded(get())).await;
    assert_eq!(reason(answer), (Code::Unavailable, Some(Reason::UpstreamUnreachable)));
}

#[tokio::test]
async fn a_caller_with_too_many_calls_in_flight_is_told_to_wait() {
    let domain = Domain::new("xiamen");
    let node = FakeNode::start(&domain, "1").await;
    let mut config = domain.config(&[&node]);
    config.limits.caller_calls_max = 1;
    let gateway = Gateway::start(config).await.unwrap();
    node.behave(|envelope| {
        if envelope.method == SUBMIT { Reply::Silence } else { Reply::Answer(Bytes::new()) }
    });
    let system = domain.system(gateway.addr()).await;
    {
        let held = call(&system, SUBMIT, submit("a"));
        tokio::select! {
            _ = held => panic!("the node is silent"),
            () = node.memory.until("the call came", |rows| !rows.asked.is_empty()) => {}
        }
    }
    // The call above was given up, and its seat with it; while it is held, a second one waits.
    let held = call(&system, SUBMIT, submit("b"));
    let refused = async {
        node.memory.until("the second came", |rows| rows.asked.len() == 2).await;
        call(&system, GET, get()).await
    };
    tokio::select! {
        _ = held => panic!("the node is silent"),
        answer = refused => {
            let problem = Problem::from_status(&answer.unwrap_err());
            assert_eq!(problem.code, Code::ResourceExhausted);
            assert_eq!(problem.reason, Some(Reason::Overloaded));
            assert!(problem.retry_delay.is_some());
        }
    }
}

#[tokio::test]
async fn a_gateway_with_the_certificate_of_another_does_not_begin() {
    let domain = Domain::new("xiamen");
    let node = FakeNode::start(&domain, "1").await;
    let mut config = domain.config(&[&node]);
    (config.tls.cert, config.tls.key) = domain.issue(Some("gateway/gw-2"));
    let error = Gateway::start(config).await.unwrap_err();
    assert!(error.to_string().contains("spiffe://xiamen.luqiao/gateway/gw-2"), "{error}");
}

#[tokio::test]
async fn the_status_is_the_clusters_with_our_links() {
    let (domain, node, gateway) = town().await;
    let said = GetStatusResponse { term: 7, ..Default::default() };
    let bytes: Bytes = said.encode_to_vec().into();
    node.behave(move |_| Reply::Answer(bytes.clone()));
    let system = domain.system(gateway.addr()).await;
    let ask = GetStatusRequest { name: "domains/xiamen".to_owned() };
    let method = "/luqiao.operations.v1.OperationsService/GetStatus";
    let answer = call(&system, method, ask.encode_to_vec().into()).await.unwrap();
    assert_eq!(GetStatusResponse::decode(answer).unwrap(), said);
}
