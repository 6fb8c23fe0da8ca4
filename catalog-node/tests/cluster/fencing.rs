//! Real nodes that hear of a later generation: they stop, stay stopped, tell each other, and turn
//! away every method there is.

use std::collections::BTreeSet;

use bytes::Bytes;
use catalog_model::{
    fence::{Said, Standing},
    name::{Resource, ResourceName},
    reason::Reason,
    site::Pair,
    time::UtcMillis,
    witness::{Act, Approval, Release, Statement},
};
use http::uri::PathAndQuery;
use luqiao_proto::{
    FILE_DESCRIPTOR_SET,
    convert::methods::{METHODS, MethodKind},
    node::v1::{
        CallRequest, Envelope, GetNodeStatusRequest, GetStandingRequest, HearRequest, NodeOpening,
        OpeningPair, PutRequest, StreamRequest, WatchRequest,
        fence_service_client::FenceServiceClient,
    },
    operations::v1::{GetStatusRequest, ListMembersRequest},
    organization::v1::ListOrganizationsRequest,
    peer::v1::{Hello, PrepareLeadershipRequest, peer_service_client::PeerServiceClient},
};
use luqiao_transport::{
    opening::{OPENING, Opening},
    status::Problem,
};
use prost::Message as _;
use prost_types::FileDescriptorSet;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, SigningKey};
use tokio::time::timeout;
use tonic::{Request, Response, Status, transport::Channel};

use crate::{
    bench::{
        AUTHORITY, AUTHORITY_SYSTEM, BUREAU, BUREAU_HEAD, Cluster, SCHOOL, SCHOOL_HEAD, SPEC,
        domain, envelope, system,
    },
    failover::{PATIENCE, put},
};

const LIST: &str = "organization.v1.OrganizationService/ListOrganizations";

fn pair(text: &str) -> Pair {
    text.parse().unwrap()
}

/// The header of a caller that has seen `heard`, and belongs to `belongs` if it is a node.
fn opening(belongs: Option<&str>, heard: &str) -> Opening {
    let said = Said { belongs: belongs.map(pair), heard: pair(heard), opened: Pair::FIRST };
    Opening { cluster: "ab".repeat(16), said }
}

fn saying<T>(message: T, opening: &Opening) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert(OPENING, opening.to_string().parse().unwrap());
    request
}

fn list() -> Envelope {
    let list =
        ListOrganizationsRequest { parent: "domains/xiamen".to_owned(), ..Default::default() };
    envelope(&system(AUTHORITY, AUTHORITY_SYSTEM), LIST, &list)
}

fn reason<T>(answer: Result<T, Status>) -> Option<Reason> {
    answer.err().and_then(|status| Problem::from_status(&status).reason)
}

/// Every method of every internal package, as the protocol files have them.
fn declared() -> Vec<String> {
    let set = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap();
    let internal = |package: &str| ["luqiao.node.v1", "luqiao.peer.v1"].contains(&package);
    let files = set.file.iter().filter(|file| internal(file.package()));
    let methods = files.flat_map(|file| {
        file.service.iter().flat_map(move |service| {
            let path = move |name: &str| format!("/{}.{}/{name}", file.package(), service.name());
            service.method.iter().map(move |method| path(method.name()))
        })
    });
    methods.collect()
}

/// Those that are answered whatever the node may still do: they say how it stands, or end it.
fn is_open(path: &str) -> bool {
    path.starts_with("/luqiao.node.v1.FenceService/") || path.ends_with("/GetNodeStatus")
}

/// Calls `path` with an empty message, as its first answer comes.
async fn bare(channel: &Channel, path: &str, opening: &Opening) -> Result<(), Status> {
    let mut client = tonic::client::Grpc::new(channel.clone());
    client.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
    let path: PathAndQuery = path.parse().unwrap();
    let codec = tonic_prost::ProstCodec::<(), ()>::default();
    let stream = tokio_stream::once(());
    let answer = client.streaming(saying(stream, opening), path, codec).await;
    let mut answer: Response<tonic::Streaming<()>> = answer?;
    answer.get_mut().message().await.map(drop)
}

/// Everything that a node which was fenced refuses; `path` says what was asked.
async fn refuses_everything(cluster: &Cluster, node: u64, expected: Reason, said: &Opening) {
    let gateway = cluster.gateway();
    let dialer = cluster.dialer("all", "spiffe://xiamen.luqiao/gateway/gw-2");
    let channel = cluster.channel(&dialer, node);
    for path in declared().iter().filter(|path| !is_open(path)) {
        // A call is in an envelope, below.
        if path.ends_with("NodeService/Call") {
            continue;
        }
        assert_eq!(reason(bare(&channel, path, said).await), Some(expected), "{path}");
    }
    for method in METHODS {
        if ["GetStatus", "ListMembers"].iter().any(|open| method.path.ends_with(open))
            && method.path.contains(".operations.")
        {
            continue;
        }
        let envelope = Envelope { method: method.path.to_owned(), call: Bytes::new(), ..list() };
        let said = |message| saying(message, said);
        let refused = if matches!(method.kind, MethodKind::Read | MethodKind::Write) {
            let call = CallRequest { envelope: Some(envelope) };
            reason(gateway.nodes(node).call(said(call)).await)
        } else {
            let stream = StreamRequest { envelope: Some(envelope) };
            let mut request = Request::new(stream);
            *request.metadata_mut() = said(CallRequest::default()).metadata().clone();
            reason(gateway.nodes(node).stream(request).await)
        };
        assert_eq!(refused, Some(expected), "{}", method.path);
    }
}

async fn standing(cluster: &Cluster, node: u64) -> NodeOpening {
    let dialer = cluster.dialer("looker", &person_uri(BUREAU, BUREAU_HEAD));
    let mut fences = FenceServiceClient::new(cluster.channel(&dialer, node));
    let answer = fences.get_standing(GetStandingRequest {}).await.unwrap().into_inner();
    assert_eq!((answer.node, answer.cluster_id), (node.to_string(), "ab".repeat(16)));
    answer.opening.unwrap()
}

/// Waits until the node's replica has ended.
async fn until_fenced(cluster: &Cluster, node: u64) {
    let mut status = cluster.nodes[&node].handle().watch_status();
    let fenced = status.wait_for(|status| status.sealed);
    timeout(PATIENCE, fenced).await.expect("the replica ends").unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_main_that_hears_the_pair_refuses_every_method_for_good() {
    let mut cluster = Cluster::start(3, SPEC).await;
    let gateway = cluster.gateway();
    let nodes = gateway.node_ids();
    put(&gateway, &nodes, b"before").await;
    let leader = cluster.leader().await;
    // Somebody who watches when it happens is told, too.
    let mut watching = gateway.probes(leader).watch(WatchRequest::default()).await.unwrap();

    // A gateway that has seen the new generation calls one node of the old one.
    let new = opening(None, "2.2");
    let call = CallRequest { envelope: Some(list()) };
    let first = gateway.nodes(leader).call(saying(call, &new)).await;
    assert_eq!(reason(first), Some(Reason::Fenced));
    // It tells its peers, and all of them stop.
    for node in &nodes {
        until_fenced(&cluster, *node).await;
    }
    let told = async {
        loop {
            match watching.get_mut().message().await {
                Ok(Some(_)) => {}
                Ok(None) => return None,
                Err(status) => return Problem::from_status(&status).reason,
            }
        }
    };
    assert_eq!(timeout(PATIENCE, told).await.unwrap(), Some(Reason::Fenced));

    // Whatever a caller has seen or not.
    for said in [&new, &opening(None, "1.1"), &opening(None, "3.7")] {
        refuses_everything(&cluster, leader, Reason::Fenced, said).await;
    }
    let read = cluster.nodes[&leader].handle().read().await;
    assert_eq!(read.unwrap_err().reason, Reason::Fenced);

    // How it stands is answered, with what it belongs to and what it heard.
    let shown = standing(&cluster, leader).await;
    let shown = (shown.belongs.unwrap(), shown.heard.unwrap(), shown.standing, shown.replica_ended);
    let message = |generation, epoch| OpeningPair { generation, epoch };
    assert_eq!(shown, (message(1, 1), message(3, 7), "fenced".to_owned(), true));
    let status = gateway.nodes(leader).get_node_status(GetNodeStatusRequest {}).await.unwrap();
    let said = status.metadata().get(OPENING).unwrap().to_str().unwrap();
    assert_eq!(said, format!("{} 1.1 3.7 1.1", "ab".repeat(16)));
    let status = status.into_inner();
    assert_eq!((status.standing.as_str(), status.generation), ("fenced", 1));
    assert!(status.alarms.iter().any(|alarm| alarm.name == "fenced"));
    let caller = system(AUTHORITY, AUTHORITY_SYSTEM);
    let name = "domains/xiamen".to_owned();
    let of_cluster = GetStatusRequest { name: name.clone() };
    let method = "operations.v1.OperationsService/GetStatus";
    let answer: luqiao_proto::operations::v1::GetStatusResponse =
        gateway.call(leader, &caller, method, &of_cluster).await.unwrap();
    assert_eq!(answer.nodes.len(), 3);
    let method = "operations.v1.OperationsService/ListMembers";
    let members = ListMembersRequest { name };
    let _: luqiao_proto::operations::v1::ListMembersResponse =
        gateway.call(leader, &caller, method, &members).await.unwrap();

    // It was on disk before it was acted on.
    for node in &nodes {
        cluster.kill(*node).await;
    }
    for node in &nodes {
        cluster.run(*node).await.unwrap();
        let handle = cluster.nodes[node].handle();
        assert_eq!(handle.known().standing(), Standing::Fenced);
        until_fenced(&cluster, *node).await;
        let refused = gateway.probes(*node).put(PutRequest::default()).await;
        assert_eq!(reason(refused), Some(Reason::Fenced));
    }
    // And it ends like any other.
    let node = cluster.nodes.remove(&leader).unwrap();
    timeout(PATIENCE, node.stop()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_follows_a_lower_epoch_is_turned_away_on_every_method() {
    let cluster = Cluster::start(1, SPEC).await;
    let gateway = cluster.gateway();
    // A switchover was committed.
    assert!(cluster.nodes[&1].handle().switched(pair("1.2")).unwrap());
    let past = opening(None, "1.1");
    let of_node: BTreeSet<String> =
        declared().into_iter().filter(|path| path.contains(".node.")).collect();
    let dialer = cluster.dialer("past", "spiffe://xiamen.luqiao/gateway/gw-2");
    let channel = cluster.channel(&dialer, 1);
    for path in of_node.iter().filter(|path| !is_open(path) && !path.ends_with("/Call")) {
        assert_eq!(reason(bare(&channel, path, &past).await), Some(Reason::EpochPast), "{path}");
    }
    for method in METHODS.iter().filter(|method| !method.path.contains(".operations.")) {
        let envelope = Envelope { method: method.path.to_owned(), call: Bytes::new(), ..list() };
        let call = CallRequest { envelope: Some(envelope) };
        // With the header and, as earlier programs, without.
        for request in [saying(call.clone(), &past), Request::new(call.clone())] {
            let refused = gateway.nodes(1).call(request).await.unwrap_err();
            let problem = Problem::from_status(&refused);
            assert_eq!(problem.reason, Some(Reason::EpochPast), "{}", method.path);
            assert_eq!(problem.metadata["pair"], "1.2");
            // It learns from the refusal what it is to follow.
            let said = refused.metadata().get(OPENING).unwrap().to_str().unwrap();
            assert_eq!(said.parse::<Opening>().unwrap().said.heard, pair("1.2"));
        }
    }
    // A later epoch fences nobody: it is in the log, or will be.
    for said in ["1.2", "1.9"] {
        let current = Envelope { epoch: pair(said).epoch, ..list() };
        let call = CallRequest { envelope: Some(current) };
        gateway.nodes(1).call(saying(call, &opening(None, said))).await.unwrap();
    }
    // What is no opening is no reason to guess.
    let mut request = Request::new(CallRequest { envelope: Some(list()) });
    request.metadata_mut().insert(OPENING, "later".parse().unwrap());
    let refused = gateway.nodes(1).call(request).await;
    assert_eq!(reason(refused), Some(Reason::MessageMalformed));
    // Strangers are not heard.
    let dialer = cluster.dialer("stranger", &person_uri(BUREAU, BUREAU_HEAD));
    let mut stranger = luqiao_proto::node::v1::node_service_client::NodeServiceClient::new(
        cluster.channel(&dialer, 1),
    );
    let call = CallRequest { envelope: Some(list()) };
    let refused = stranger.call(saying(call, &opening(None, "9.9"))).await;
    assert_eq!(reason(refused), Some(Reason::EnvelopeRefused));
    assert_eq!(cluster.nodes[&1].handle().known().standing(), Standing::Serving);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peers_of_an_earlier_generation_are_refused_and_those_of_a_later_one_fence() {
    let mut cluster = Cluster::start(3, SPEC).await;
    let gateway = cluster.gateway();
    let status = gateway.nodes(1).get_node_status(GetNodeStatusRequest {}).await.unwrap();
    let store_uuid = status.into_inner().store_uuid;
    // Node 2 is promoted in a failover; node 1 is its old main.
    let failover = "01J8ZFAILOVER".parse().unwrap();
    let handle = cluster.nodes[&2].handle();
    assert_eq!(handle.seal(&failover, pair("2.2")).await.unwrap(), Ok(true));
    assert!(handle.status().sealed, "the replica has ended when the seal returns");
    assert_eq!(handle.seal(&failover, pair("2.2")).await.unwrap(), Ok(false));
    assert_eq!(handle.promote(&failover).unwrap(), Ok(true));
    assert!(handle.opened(pair("2.2")).unwrap());

    let dialer = cluster.dialer("old", "spiffe://xiamen.luqiao/node/1");
    let mut peer = PeerServiceClient::new(cluster.channel(&dialer, 2));
    let hello = Hello {
        cluster_id: "ab".repeat(16),
        generation: 1,
        store_uuid,
        from: 1,
        to: 2,
        level: 3,
        ..Hello::default()
    };
    let asked = PrepareLeadershipRequest { hello: Some(hello), last_index: 1 };
    // As it is said now, and as programs say it that know of no openings.
    for request in
        [saying(asked.clone(), &opening(Some("1.1"), "1.1")), Request::new(asked.clone())]
    {
        let refused = peer.prepare_leadership(request).await.unwrap_err();
        let problem = Problem::from_status(&refused);
        assert_eq!(problem.reason, Some(Reason::EpochPast), "{refused:?}");
        assert_eq!(problem.metadata["pair"], "2.2");
    }
    // The real node 1 has dialed it, or will: it hears, and has no place in what opened.
    let first = cluster.nodes[&1].handle();
    let mut status = first.watch_status();
    timeout(PATIENCE, status.wait_for(|status| status.sealed)).await.unwrap().unwrap();
    let call = CallRequest { envelope: Some(list()) };
    let refused = gateway.nodes(1).call(Request::new(call)).await;
    assert!(matches!(reason(refused), Some(Reason::Fenced | Reason::NodeInvalidated)));
    assert!(first.opened(pair("2.2")).is_ok());
    assert_eq!(first.known().standing(), Standing::Invalidated);
    refuses_everything(&cluster, 1, Reason::NodeInvalidated, &opening(None, "2.2")).await;
    assert_eq!(standing(&cluster, 1).await.standing, "invalidated");
    drop((handle, first));
    cluster.kill(1).await;
    cluster.run(1).await.unwrap();
    assert_eq!(cluster.nodes[&1].handle().known().standing(), Standing::Invalidated);
}

fn person_uri(organization: &str, person: &str) -> String {
    format!("spiffe://xiamen.luqiao/organization/{organization}/person/{person}")
}

/// An approval of a failover that ends `ended`, by this person, with a certificate of its own.
fn approval(cluster: &Cluster, organization: &str, person: &str, ended: &str) -> Approval {
    let statement = Statement {
        domain: domain(),
        act: Act::Failover,
        from: "main".parse().unwrap(),
        to: "standby".parse().unwrap(),
        pair: pair(ended),
        expires: UtcMillis(cluster.wall_clock.now().0 + 3_600_000),
        release: Release::No,
    };
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let (file, _) = cluster.issue(person, &person_uri(organization, person), &key);
    let pem = std::fs::read(file).unwrap();
    let certificate = rustls_pki_types::pem::PemObject::from_pem_slice(&pem).unwrap();
    let certificate: rustls_pki_types::CertificateDer<'_> = certificate;
    Approval {
        approver: ResourceName::new(
            domain(),
            Resource::Person(organization.parse().unwrap(), person.parse().unwrap()),
        ),
        signature: key.sign(&statement.signed_bytes()).unwrap(),
        certificate: certificate.to_vec(),
        statement,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_persons_make_a_node_hear() {
    let cluster = Cluster::start(1, SPEC).await;
    let dialer = cluster.dialer("operator", &person_uri(BUREAU, BUREAU_HEAD));
    let mut fences = FenceServiceClient::new(cluster.channel(&dialer, 1));
    let one = approval(&cluster, BUREAU, BUREAU_HEAD, "1.1");
    let other = approval(&cluster, SCHOOL, SCHOOL_HEAD, "1.1");
    let hear = |opens: &str, approvals: &[Approval]| HearRequest {
        pair: Some(OpeningPair { generation: pair(opens).generation, epoch: pair(opens).epoch }),
        approvals: approvals
            .iter()
            .map(|approval| minicbor::to_vec(approval).unwrap().into())
            .collect(),
    };
    let changed = |change: fn(&mut Approval)| {
        let mut changed = other.clone();
        change(&mut changed);
        changed
    };
    let signed_otherwise = changed(|approval| approval.signature[9] ^= 1);
    let about_else = changed(|approval| approval.statement.release = Release::Yes);
    let anothers = Approval { certificate: one.certificate.clone(), ..other.clone() };
    let expired = changed(|approval| approval.statement.expires = UtcMillis(1));
    let switchover = changed(|approval| approval.statement.act = Act::Switchover);
    for (opens, approvals, expected) in [
        ("2.2", vec![], Reason::ApprovalsMissing),
        ("2.2", vec![one.clone()], Reason::ApprovalsMissing),
        ("2.2", vec![one.clone(), one.clone()], Reason::ApprovalsMissing),
        ("2.2", vec![one.clone(), signed_otherwise], Reason::ApprovalDiffers),
        ("2.2", vec![one.clone(), about_else], Reason::ApprovalDiffers),
        ("2.2", vec![one.clone(), anothers], Reason::ApprovalDiffers),
        ("2.2", vec![one.clone(), expired], Reason::ApprovalExpired),
        ("2.2", vec![one.clone(), switchover], Reason::ApprovalDiffers),
        ("3.3", vec![one.clone(), other.clone()], Reason::ApprovalDiffers),
        ("9.9", vec![one.clone(), other.clone()], Reason::ApprovalDiffers),
    ] {
        let refused = fences.hear(hear(opens, &approvals)).await;
        assert_eq!(reason(refused), Some(expected), "{opens} {approvals:?}");
        assert_eq!(cluster.nodes[&1].handle().known().standing(), Standing::Serving);
    }
    let junk = HearRequest { approvals: vec![Bytes::from_static(b"?")], ..hear("2.2", &[]) };
    assert_eq!(reason(fences.hear(junk).await), Some(Reason::MessageMalformed));
    assert_eq!(reason(fences.hear(HearRequest::default()).await), Some(Reason::FieldInvalid));
    // Somebody of another domain is not let in by the handshake; a gateway may bring them.
    let both = [one.clone(), other.clone()];
    let answer = fences.hear(hear("2.2", &both)).await.unwrap().into_inner();
    assert!(answer.changed);
    assert_eq!(answer.opening.unwrap().standing, "fenced");
    until_fenced(&cluster, 1).await;
    let again = fences.hear(hear("2.2", &both)).await.unwrap().into_inner();
    assert!(!again.changed);
    let gateway = cluster.gateway();
    let refused = gateway.probes(1).put(PutRequest::default()).await;
    assert_eq!(reason(refused), Some(Reason::Fenced));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_approval_dies_with_its_epoch() {
    let cluster = Cluster::start(1, SPEC).await;
    cluster.nodes[&1].handle().switched(pair("1.2")).unwrap();
    let dialer = cluster.dialer("operator", &person_uri(BUREAU, BUREAU_HEAD));
    let mut fences = FenceServiceClient::new(cluster.channel(&dialer, 1));
    let approvals = [
        approval(&cluster, BUREAU, BUREAU_HEAD, "1.1"),
        approval(&cluster, SCHOOL, SCHOOL_HEAD, "1.1"),
    ];
    let encoded = approvals.iter().map(|approval| minicbor::to_vec(approval).unwrap().into());
    let hear = HearRequest {
        pair: Some(OpeningPair { generation: 2, epoch: 2 }),
        approvals: encoded.collect(),
    };
    assert_eq!(reason(fences.hear(hear).await), Some(Reason::EpochPast));
    assert_eq!(cluster.nodes[&1].handle().known().standing(), Standing::Serving);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_promoted_node_takes_part_in_raft_and_answers_nobody_before_it_opened() {
    let mut cluster = Cluster::start(1, SPEC).await;
    let gateway = cluster.gateway();
    put(&gateway, &[1], b"before").await;
    let failover = "01J8ZFAILOVER".parse().unwrap();
    let handle = cluster.nodes[&1].handle();
    assert_eq!(handle.seal(&failover, pair("2.2")).await.unwrap(), Ok(true));
    assert_eq!(handle.promote(&failover).unwrap(), Ok(true));
    drop(handle);
    cluster.kill(1).await;
    cluster.run(1).await.unwrap();
    // It leads itself and no more: what comes first in the new generation is its own to write.
    assert_eq!(cluster.leader().await, 1);
    let new = opening(None, "2.2");
    refuses_everything(&cluster, 1, Reason::GenerationNotOpen, &new).await;
    assert_eq!(standing(&cluster, 1).await.standing, "opening");

    assert!(cluster.nodes[&1].handle().opened(pair("2.2")).unwrap());
    let call = CallRequest { envelope: Some(Envelope { generation: 2, epoch: 2, ..list() }) };
    gateway.nodes(1).call(saying(call, &new)).await.unwrap();
    let old = CallRequest { envelope: Some(list()) };
    assert_eq!(reason(gateway.nodes(1).call(old).await), Some(Reason::EpochPast));
}
