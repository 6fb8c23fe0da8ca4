//! Is what the law leaves to the leader done by whoever leads: do all entries of a transfer move, and
//! is every listing of before level 3 found by a check for duplicate collection?

use catalog_model::{
    caller::{Caller, Identity},
    reason::Reason,
};
use catalog_state::{
    command::{Body, RelationsCommand},
    view::{Unindexed, View},
};
use luqiao_proto::{
    catalog::v1::{
        CatalogEntry, ConsentEntryRequest, GetEntryRequest, LegalCitation, PublishEntryRequest,
        RegisterEntryRequest, SubmitEntryRequest,
    },
    organization::v1::DataKind,
    relations::v1::{
        ApproveTransferRequest, CosignTransferRequest, DraftTransferRequest, FileTransferRequest,
        FunctionTransfer, GetTransferRequest, ListSharersRequest, ListSharersResponse,
        TransferState,
    },
    rule::v1::Rank,
};
use tokio::time::timeout;

use crate::{
    bench::{
        AUTHORITY, AUTHORITY_SYSTEM, BUREAU, BUREAU_HEAD, BUREAU_SYSTEM, Cluster, Gateway, SCHOOL,
        SCHOOL_SYSTEM, SPEC, domain, person, system,
    },
    failover::{PATIENCE, same_state},
    members::Operator,
    story,
};

const PARENT: &str = "domains/xiamen";
/// More than one command moves.
const ENTRIES: usize = 300;

fn organization(id: &str) -> String {
    format!("{PARENT}/organizations/{id}")
}

fn transfers(method: &str) -> String {
    format!("relations.v1.TransferService/{method}")
}

/// Registers drafts of the bureau and returns their names.
async fn register(gateway: &Gateway, node: u64, count: usize) -> Vec<String> {
    let bureau = system(BUREAU, BUREAU_SYSTEM);
    let mut names = Vec::new();
    for number in 0..count {
        let draft = CatalogEntry {
            provider: organization(BUREAU),
            kind: DataKind::GovernmentData as i32,
            title: format!("维修信息 {number}"),
            ..Default::default()
        };
        let request = RegisterEntryRequest {
            parent: PARENT.to_owned(),
            entry: Some(draft),
            request_id: format!("register-{number}"),
        };
        let method = "catalog.v1.CatalogService/RegisterEntry";
        let made: CatalogEntry = gateway.call(node, &bureau, method, &request).await.unwrap();
        names.push(made.name);
    }
    names
}

/// Asks whoever answers until the transfer is as `fits` says.
async fn until(
    gateway: &Gateway,
    nodes: &[u64],
    name: &str,
    fits: impl Fn(&FunctionTransfer) -> bool,
) -> FunctionTransfer {
    let school = system(SCHOOL, SCHOOL_SYSTEM);
    let request = GetTransferRequest { name: name.to_owned() };
    let method = transfers("GetTransfer");
    let wait = async {
        loop {
            for node in nodes {
                match gateway.call(*node, &school, &method, &request).await {
                    Ok(transfer) if fits(&transfer) => return transfer,
                    _ => tokio::task::yield_now().await,
                }
            }
        }
    };
    timeout(PATIENCE, wait).await.expect("it comes about")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cat_08_entries_of_a_transfer_move_on_under_another_leader() {
    let mut cluster = Cluster::start(3, SPEC).await;
    let gateway = cluster.gateway();
    let leader = cluster.leader().await;
    let (bureau, school) = (system(BUREAU, BUREAU_SYSTEM), system(SCHOOL, SCHOOL_SYSTEM));
    let authority = system(AUTHORITY, AUTHORITY_SYSTEM);
    let entries = register(&gateway, leader, ENTRIES).await;

    let draft = DraftTransferRequest {
        parent: organization(BUREAU),
        to: organization(SCHOOL),
        entries: entries.clone(),
        act: Some(LegalCitation {
            title: "《机构改革方案》".to_owned(),
            article: "第三条".to_owned(),
            rank: Rank::NormativeDocument.into(),
            quote: String::new(),
        }),
        change_date: "2026-09-18".to_owned(),
        request_id: "draft".to_owned(),
    };
    let drafted: FunctionTransfer =
        gateway.call(leader, &bureau, &transfers("DraftTransfer"), &draft).await.unwrap();
    let cosign = CosignTransferRequest {
        name: drafted.name.clone(),
        etag: drafted.etag,
        request_id: "cosign".to_owned(),
    };
    let signed: FunctionTransfer =
        gateway.call(leader, &school, &transfers("CosignTransfer"), &cosign).await.unwrap();
    let file = FileTransferRequest {
        name: drafted.name.clone(),
        etag: signed.etag,
        request_id: "file".to_owned(),
    };
    let filed: FunctionTransfer =
        gateway.call(leader, &bureau, &transfers("FileTransfer"), &file).await.unwrap();
    assert!(filed.due_time.is_some(), "the authority owes its word");
    let approve = ApproveTransferRequest {
        name: drafted.name.clone(),
        etag: filed.etag,
        request_id: "approve".to_owned(),
    };
    let approved: FunctionTransfer =
        gateway.call(leader, &authority, &transfers("ApproveTransfer"), &approve).await.unwrap();
    let moved = usize::try_from(approved.moved).unwrap();
    assert!(approved.state() == TransferState::Approved && moved < ENTRIES, "{moved}");

    // Whoever leads next knows what is left.
    cluster.kill(leader).await;
    let others: Vec<u64> = gateway.node_ids().into_iter().filter(|id| *id != leader).collect();
    let done = until(&gateway, &others, &drafted.name, |transfer| {
        transfer.state() == TransferState::Completed
    })
    .await;
    assert_eq!(usize::try_from(done.moved).unwrap(), ENTRIES);
    let next = cluster.leader().await;
    for name in [&entries[0], &entries[ENTRIES - 1]] {
        let get = GetEntryRequest { name: name.clone(), view: 2 };
        let method = "catalog.v1.CatalogService/GetEntry";
        let entry: CatalogEntry = gateway.call(next, &school, method, &get).await.unwrap();
        assert_eq!(entry.provider, organization(SCHOOL));
    }
    cluster.run(leader).await.unwrap();
    same_state(&cluster).await;
}

async fn publish(gateway: &Gateway, node: u64) -> CatalogEntry {
    let (bureau, head) = (system(BUREAU, BUREAU_SYSTEM), person(BUREAU, BUREAU_HEAD));
    let authority = system(AUTHORITY, AUTHORITY_SYSTEM);
    let catalog = |method: &str| format!("catalog.v1.CatalogService/{method}");
    let register = RegisterEntryRequest {
        parent: PARENT.to_owned(),
        entry: Some(story::entry()),
        request_id: "register".to_owned(),
    };
    let draft: CatalogEntry =
        gateway.call(node, &bureau, &catalog("RegisterEntry"), &register).await.unwrap();
    let consent = ConsentEntryRequest {
        name: draft.name.clone(),
        etag: draft.etag,
        standing_answer: true,
        request_id: "consent".to_owned(),
        ..Default::default()
    };
    let agreed: CatalogEntry =
        gateway.call(node, &head, &catalog("ConsentEntry"), &consent).await.unwrap();
    let submit = SubmitEntryRequest {
        name: draft.name.clone(),
        etag: agreed.etag,
        request_id: "submit".to_owned(),
    };
    let submitted: CatalogEntry =
        gateway.call(node, &bureau, &catalog("SubmitEntry"), &submit).await.unwrap();
    let publish = PublishEntryRequest {
        name: draft.name,
        etag: submitted.etag,
        request_id: "publish".to_owned(),
    };
    gateway.call(node, &authority, &catalog("PublishEntry"), &publish).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cat_13_listings_of_before_the_level_are_found_after_it_was_raised() {
    let mut cluster = Cluster::prepare(3);
    cluster.level = Some(2);
    cluster.begin(SPEC).await;
    let gateway = cluster.gateway();
    let leader = cluster.leader().await;
    let published = publish(&gateway, leader).await;
    let item = published.items[0].name.clone();

    let school = system(SCHOOL, SCHOOL_SYSTEM);
    let request = ListSharersRequest { parent: PARENT.to_owned(), item, ..Default::default() };
    let method = "relations.v1.SourceService/ListSharers";
    let none: ListSharersResponse = gateway.call(leader, &school, method, &request).await.unwrap();
    assert!(none.entries.is_empty(), "{none:?}");

    Operator::new(cluster.gateway()).raise(leader, 3, false).await.unwrap();
    let wait = async {
        loop {
            let found: ListSharersResponse =
                gateway.call(leader, &school, method, &request).await.unwrap();
            if !found.entries.is_empty() {
                return found.entries;
            }
        }
    };
    let found = timeout(PATIENCE, wait).await.expect("it comes into the index");
    assert_eq!(found, [published.name]);
    let handle = cluster.nodes[&leader].handle();
    let left = handle.view(|state| View(state).unindexed(&domain(), None, 10));
    assert_eq!(left, Unindexed::None);

    // Nobody but a node and the platform sends what only a node has reason to send.
    let intent = catalog_node::handle::Intent {
        caller: Caller { domain: domain(), identity: school.identity.clone() },
        received_at: None,
        idempotency: None,
        body: Body::Relations(Box::new(RelationsCommand::IndexPublished {
            domain: domain(),
            after: None,
        })),
    };
    assert!(matches!(intent.caller.identity, Identity::System { .. }));
    let outcome = handle.propose(intent).await.unwrap().applied.outcome;
    assert_eq!(outcome.refusal().unwrap().reason, Reason::CallerNotPermitted);
    same_state(&cluster).await;
}
