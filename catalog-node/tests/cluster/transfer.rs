//! Leadership moves on purpose, and nobody who calls notices; every node answers reads.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use catalog_model::reason::Reason;
use luqiao_proto::{
    node::v1::GetRequest,
    organization::v1::{
        CreateOrganizationRequest, GetOrganizationRequest, ListOrganizationsRequest,
        ListOrganizationsResponse, Organization,
    },
};
use tokio::{task::JoinSet, time::timeout};

use crate::{
    bench::{AUTHORITY, AUTHORITY_SYSTEM, Cluster, SPEC, system},
    failover::{PATIENCE, put, same_state},
};

const CREATE: &str = "organization.v1.OrganizationService/CreateOrganization";
const GET: &str = "organization.v1.OrganizationService/GetOrganization";
const LIST: &str = "organization.v1.OrganizationService/ListOrganizations";

fn create(name: &str) -> CreateOrganizationRequest {
    CreateOrganizationRequest {
        parent: "domains/xiamen".to_owned(),
        organization: Some(Organization { display_name: name.to_owned(), ..Default::default() }),
        request_id: name.to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transfer_loses_no_attempt() {
    let cluster = Cluster::start(3, SPEC).await;
    let gateway = cluster.gateway();
    let caller = system(AUTHORITY, AUTHORITY_SYSTEM);
    let ended = Arc::new(AtomicBool::new(false));
    let made = Arc::new(AtomicU64::new(0));
    let mut callers = JoinSet::new();
    for writer in 0..6 {
        let (gateway, caller) = (gateway.clone(), caller.clone());
        let (ended, made) = (Arc::clone(&ended), Arc::clone(&made));
        callers.spawn(async move {
            let mut number = 0;
            while !ended.load(Ordering::Acquire) {
                let (node, name) = (1 + (writer + number) % 3, format!("{writer}-{number}"));
                // Every attempt succeeds the first time, whichever node it reaches, and is seen on
                // another at once.
                let organization: Organization =
                    gateway.call(node, &caller, CREATE, &create(&name)).await.unwrap();
                let get = GetOrganizationRequest { name: organization.name.clone() };
                let seen: Organization =
                    gateway.call(1 + node % 3, &caller, GET, &get).await.unwrap();
                assert_eq!(seen.display_name, name);
                number += 1;
                made.fetch_add(1, Ordering::AcqRel);
            }
        });
    }
    for _ in 0..4 {
        let wanted = made.load(Ordering::Acquire) + 30;
        let written = async {
            while made.load(Ordering::Acquire) < wanted {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, written).await.expect("writes go on");
        let leader = cluster.leader().await;
        let handle = cluster.nodes[&leader].handle();
        let next = timeout(PATIENCE, handle.transfer_leader(None)).await.unwrap().unwrap();
        assert_ne!(next, leader);
    }
    ended.store(true, Ordering::Release);
    while let Some(caller) = callers.join_next().await {
        caller.unwrap();
    }
    same_state(&cluster).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_on_every_node() {
    let cluster = Cluster::start(3, SPEC).await;
    let gateway = cluster.gateway();
    let leader = cluster.leader().await;
    let caller = system(AUTHORITY, AUTHORITY_SYSTEM);
    // What was acknowledged before a read began is in it, on whichever node it is asked.
    for number in 0..30u8 {
        put(&gateway, &[leader], &[number]).await;
        let node = u64::from(number) % 3 + 1;
        let get = GetRequest { key: vec![number].into() };
        assert!(gateway.probes(node).get(get).await.unwrap().into_inner().found, "on node {node}");
    }
    let list =
        ListOrganizationsRequest { parent: "domains/xiamen".to_owned(), ..Default::default() };
    for node in 1..=3 {
        let found: ListOrganizationsResponse =
            gateway.call(node, &caller, LIST, &list).await.unwrap();
        assert_eq!(found.organizations.len(), 3, "on node {node}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leadership_goes_only_to_whom_it_may() {
    let mut cluster = Cluster::start(3, SPEC).await;
    let leader = cluster.leader().await;
    let handle = cluster.nodes[&leader].handle();
    let dead = cluster.nodes.keys().copied().find(|id| *id != leader).unwrap();
    let other = cluster.nodes.keys().copied().find(|id| *id != leader && *id != dead).unwrap();
    cluster.kill(dead).await;
    for unfit in [leader, dead, 9] {
        let refused = timeout(PATIENCE, handle.transfer_leader(Some(unfit))).await.unwrap();
        assert_eq!(refused.unwrap_err().reason, Reason::TransferRefused, "to {unfit}");
    }
    assert_eq!(cluster.leader().await, leader, "asking costs nothing");
    // Whoever lags is not asked twice: the one that can, does.
    let next = timeout(PATIENCE, handle.transfer_leader(None)).await.unwrap().unwrap();
    assert_eq!(next, other);
}
