//! Who may speak with a node at all?

use catalog_model::{
    caller::{Caller, Identity},
    reason::Reason,
};
use catalog_node::{CatalogNode, NodeError, config::Config};
use luqiao_proto::{
    node::v1::{
        CallRequest, Envelope, GetNodeStatusRequest, PutRequest,
        node_service_client::NodeServiceClient, probe_service_client::ProbeServiceClient,
    },
    organization::v1::ListOrganizationsRequest,
    peer::v1::{Hello, PrepareLeadershipRequest, peer_service_client::PeerServiceClient},
    sharing::v1::AcknowledgeDeliveryRequest,
};
use luqiao_transport::status::Problem;

use crate::bench::{
    AUTHORITY, AUTHORITY_SYSTEM, BUREAU, BUREAU_SYSTEM, CLUSTER, Cluster, SPEC, envelope, system,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_gateways_of_the_domain_hand_over_calls() {
    let cluster = Cluster::start(1, SPEC).await;
    let caller = system(AUTHORITY, AUTHORITY_SYSTEM);
    let list =
        ListOrganizationsRequest { parent: "domains/xiamen".to_owned(), ..Default::default() };
    let good = envelope(&caller, "organization.v1.OrganizationService/ListOrganizations", &list);

    for uri in [
        format!("spiffe://xiamen.luqiao/organization/{BUREAU}/system/{BUREAU_SYSTEM}"),
        "spiffe://xiamen.luqiao/node/1".to_owned(),
    ] {
        let dialer = cluster.dialer("stranger", &uri);
        let channel = cluster.channel(&dialer, 1);
        let call = CallRequest { envelope: Some(good.clone()) };
        let refused = NodeServiceClient::new(channel.clone()).call(call).await.unwrap_err();
        assert_eq!(Problem::from_status(&refused).reason, Some(Reason::EnvelopeRefused), "{uri}");
        let refused =
            ProbeServiceClient::new(channel).put(PutRequest::default()).await.unwrap_err();
        assert_eq!(Problem::from_status(&refused).reason, Some(Reason::EnvelopeRefused), "{uri}");
    }
    // A gateway of another domain does not even get through the handshake.
    let dialer = cluster.dialer("foreign", "spiffe://fujian.luqiao/gateway/gw-1");
    let call = CallRequest { envelope: Some(good.clone()) };
    assert!(NodeServiceClient::new(cluster.channel(&dialer, 1)).call(call).await.is_err());

    let gateway = cluster.gateway();
    // What it says of generations is not even heard from another cluster: this one goes on.
    let foreign = Envelope { cluster_id: "cd".repeat(16), generation: 2, epoch: 2, ..good.clone() };
    let refused = gateway.nodes(1).call(CallRequest { envelope: Some(foreign) }).await.unwrap_err();
    assert_eq!(Problem::from_status(&refused).reason, Some(Reason::GenerationForeign));
    let nothing = gateway.nodes(1).call(CallRequest { envelope: None }).await.unwrap_err();
    assert_eq!(Problem::from_status(&nothing).reason, Some(Reason::FieldInvalid));
    assert!(gateway.nodes(1).call(CallRequest { envelope: Some(good) }).await.is_ok());
    let status =
        gateway.nodes(1).get_node_status(GetNodeStatusRequest {}).await.unwrap().into_inner();
    assert_eq!((status.id.as_str(), status.role.as_str()), ("1", "leader"));
}

/// Their gateway carries the call and ours hands it over; the node looks for itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn departments_of_other_domains_come_with_the_calls_that_are_carried() {
    let cluster = Cluster::start(1, SPEC).await;
    let gateway = cluster.gateway();
    let foreign =
        Caller { domain: "siming".parse().unwrap(), ..system(AUTHORITY, AUTHORITY_SYSTEM) };
    let list =
        ListOrganizationsRequest { parent: "domains/xiamen".to_owned(), ..Default::default() };
    let organizations = "organization.v1.OrganizationService/ListOrganizations";
    let reason = gateway.refused(1, &foreign, organizations, &list).await;
    assert_eq!(reason, Reason::DomainForeign);
    let name = "domains/xiamen/grants/01JD0000000000000000000001".to_owned();
    let (etag, request_id) = ("\"v1\"".to_owned(), "1".to_owned());
    let acknowledge = AcknowledgeDeliveryRequest { name, etag, request_id };
    let delivery = "sharing.v1.GrantService/AcknowledgeDelivery";
    let reason = gateway.refused(1, &foreign, delivery, &acknowledge).await;
    assert_eq!(reason, Reason::NotFound, "it is taken in, and there is no such right");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_takes_a_node_for_another_is_refused() {
    let cluster = Cluster::start(3, SPEC).await;
    let leader = cluster.leader().await;
    let peer = cluster.nodes.keys().copied().find(|id| *id != leader).unwrap();
    let gateway = cluster.gateway();
    let store_of = async |id| {
        let status = gateway.nodes(id).get_node_status(GetNodeStatusRequest {}).await;
        status.unwrap().into_inner().store_uuid
    };
    let hello = Hello {
        cluster_id: "ab".repeat(16),
        generation: 1,
        store_uuid: store_of(peer).await,
        from: peer,
        to: leader,
        level: 3,
        ..Hello::default()
    };
    let dialer = cluster.dialer("peer", &format!("spiffe://xiamen.luqiao/node/{peer}"));
    let mut client = PeerServiceClient::new(cluster.channel(&dialer, leader));
    let mut ask = async |hello: Hello| {
        let asked = PrepareLeadershipRequest { hello: Some(hello), last_index: 1 };
        let asked = client.prepare_leadership(asked).await;
        asked.map_err(|status| Problem::from_status(&status))
    };
    // As it is, and as programs say it that are older than the field.
    let own = Hello { to_store_uuid: store_of(leader).await, ..hello.clone() };
    assert!(ask(own).await.is_ok());
    assert!(ask(hello.clone()).await.is_ok());

    // Of the receiver it knows another disk.
    let other = Hello { to_store_uuid: "cd".repeat(16), ..hello.clone() };
    let refused = ask(other).await.unwrap_err();
    assert_eq!(refused.reason, Some(Reason::StoreForeign));
    assert_eq!(refused.metadata["node"], leader.to_string());
    let handle = cluster.nodes[&leader].handle();
    let alarms = handle.alarms().list();
    let raised = |name: &str| alarms.iter().any(|alarm| alarm.name == name);
    assert!(raised("store-foreign"), "{alarms:?}");
    // A node that has the cluster's state is not silenced by one voice.
    assert!(handle.read().await.is_ok());

    // And the receiver knows another disk of it.
    let other = Hello { store_uuid: "cd".repeat(16), ..hello };
    let refused = ask(other).await.unwrap_err();
    assert_eq!(refused.reason, Some(Reason::StoreForeign));
    assert_eq!(refused.metadata["node"], peer.to_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_before_the_bootstrap_are_refused_and_do_no_harm() {
    let mut cluster = Cluster::prepare(1);
    cluster.run(1).await.unwrap();
    cluster.leader().await;
    let gateway = cluster.gateway();
    let refused = gateway.probes(1).put(PutRequest::default()).await.unwrap_err();
    assert_eq!(Problem::from_status(&refused).reason, Some(Reason::NotBootstrapped));
    let caller = Caller {
        domain: "fujian".parse().unwrap(),
        identity: Identity::Gateway { id: "1".to_owned() },
    };
    let list =
        ListOrganizationsRequest { parent: "domains/xiamen".to_owned(), ..Default::default() };
    let reason = gateway
        .refused(1, &caller, "organization.v1.OrganizationService/ListOrganizations", &list)
        .await;
    assert_eq!(reason, Reason::NotBootstrapped);

    let mut spec: catalog_node::bootstrap::Spec = toml::from_str(SPEC).unwrap();
    let command = spec.command(CLUSTER, cluster.wall_clock.now()).unwrap();
    cluster.nodes[&1].handle().bootstrap(command.clone()).await.unwrap();
    let again = cluster.nodes[&1].handle().bootstrap(command).await.unwrap_err();
    assert_eq!(again.reason, Reason::AlreadyBootstrapped);
    gateway.probes(1).put(PutRequest::default()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_spec_is_taken_from_nodes_only_and_once() {
    let mut cluster = Cluster::prepare(3);
    for id in 1..=3 {
        cluster.run(id).await.unwrap();
    }
    let spec: catalog_node::bootstrap::Spec = toml::from_str(SPEC).unwrap();
    let config = cluster.config(1);
    let tls = || {
        std::sync::Arc::new(luqiao_transport::tls::TlsMaterial::load(config.tls.clone()).unwrap())
    };
    let wait = std::time::Duration::from_secs(30);
    let taken = catalog_node::remote::bootstrap(&config, tls(), &spec, wait).await.unwrap();
    assert_eq!(taken.organizations[0].id.as_deref(), Some(AUTHORITY));
    let again = catalog_node::remote::bootstrap(&config, tls(), &spec, wait).await.unwrap_err();
    assert_eq!(again.reason, Reason::AlreadyBootstrapped);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_with_anothers_papers_does_not_start() {
    let cluster = Cluster::prepare(3);
    let stolen = Config { tls: cluster.config(2).tls, ..cluster.config(1) };
    let error = CatalogNode::start(stolen).await.unwrap_err();
    assert!(matches!(error, NodeError::Certificate { .. }), "{error}");
    let stolen = Config { head: cluster.config(2).head, ..cluster.config(1) };
    let error = CatalogNode::start(stolen).await.unwrap_err();
    assert!(matches!(error, NodeError::HeadKey(_)), "{error}");
}
