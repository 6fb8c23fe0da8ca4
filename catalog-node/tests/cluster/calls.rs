//! Public calls in envelopes, through leader and follower.

use catalog_model::{
    caller::{Caller, Identity},
    reason::Reason,
};
use luqiao_proto::{
    catalog::v1::{
        CatalogEntry, EntryState, EntryView, GetEntryRequest, ImportEntriesRequest,
        ImportEntriesResponse, ImportEntry, ListEntriesRequest, ListEntriesResponse, PortalOrigin,
        RegisterEntryRequest, SearchEntriesRequest, UpdateEntryRequest, WatchEntriesRequest,
        WatchEntriesResponse,
    },
    federation::v1::{
        DescribeDomainRequest, DescribeDomainResponse, FollowFeedRequest, FollowFeedResponse,
    },
    ledger::v1::{GetConsistencyProofRequest, GetTreeHeadRequest, TreeHead},
    node::v1::{GetFeedCursorRequest, ListOutboxRequest},
    operations::v1::{
        GetStatusRequest, GetStatusResponse, TransferLeaderRequest, TransferLeaderResponse,
    },
    organization::v1::{
        CreateOrganizationRequest, CreateSystemRequest, DataKind, GetOrganizationRequest,
        GetPersonRequest, ListOrganizationsRequest, ListOrganizationsResponse, Organization,
        Person, System,
    },
    rule::v1::{Calendar, GetCalendarRequest, GetRulePackRequest, RulePack},
};
use prost::Message;

use crate::bench::{
    AUTHORITY, AUTHORITY_SYSTEM, BUREAU, BUREAU_HEAD, BUREAU_SYSTEM, Cluster, SCHOOL,
    SCHOOL_SYSTEM, SPEC, domain, person, system,
};

const PARENT: &str = "domains/xiamen";

fn create(name: &str, request_id: &str) -> CreateOrganizationRequest {
    CreateOrganizationRequest {
        parent: PARENT.to_owned(),
        organization: Some(Organization { display_name: name.to_owned(), ..Default::default() }),
        request_id: request_id.to_owned(),
    }
}

fn register(title: &str, request_id: &str) -> RegisterEntryRequest {
    RegisterEntryRequest {
        parent: PARENT.to_owned(),
        entry: Some(CatalogEntry {
            provider: format!("{PARENT}/organizations/{BUREAU}"),
            kind: DataKind::GovernmentData as i32,
            title: title.to_owned(),
            ..Default::default()
        }),
        request_id: request_id.to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_has_the_leader_answer() {
    let cluster = Cluster::start(3, SPEC).await;
    let gateway = cluster.gateway();
    let leader = cluster.leader().await;
    let follower = if leader == 1 { 2 } else { 1 };
    let caller = system(AUTHORITY, AUTHORITY_SYSTEM);
    let method = "organization.v1.OrganizationService/CreateOrganization";

    let made: Organization =
        gateway.call(follower, &caller, method, &create("交通局", "once")).await.unwrap();
    assert_eq!((made.display_name.as_str(), made.etag.as_str()), ("交通局", "\"v1\""));
    // The same call again, on another node, changes nothing.
    let again: Organization =
        gateway.call(leader, &caller, method, &create("交通局", "once")).await.unwrap();
    assert_eq!(again, made);
    let reused = gateway.refused(leader, &caller, method, &create("水务局", "once")).await;
    assert_eq!(reused, Reason::RequestIdReused);
    let missing = gateway.refused(leader, &caller, method, &create("水务局", "")).await;
    assert_eq!(missing, Reason::RequestIdMissing);
    // Acknowledged there, seen here.
    let get = GetOrganizationRequest { name: made.name.clone() };
    for node in [1, 2, 3] {
        let read: Organization = gateway
            .call(node, &caller, "organization.v1.OrganizationService/GetOrganization", &get)
            .await
            .unwrap();
        assert_eq!(read, made);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_continue_and_tokens_are_bound_to_their_query() {
    let cluster = Cluster::start(1, SPEC).await;
    let gateway = cluster.gateway();
    let caller = system(AUTHORITY, AUTHORITY_SYSTEM);
    let method = "organization.v1.OrganizationService/ListOrganizations";
    let mut request =
        ListOrganizationsRequest { parent: PARENT.to_owned(), page_size: 2, ..Default::default() };
    let mut names = Vec::new();
    loop {
        let page: ListOrganizationsResponse =
            gateway.call(1, &caller, method, &request).await.unwrap();
        names.extend(page.organizations.into_iter().map(|organization| organization.display_name));
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(names, ["市数据主管部门", "住房局", "教育局"]);
    let other = system(BUREAU, BUREAU_SYSTEM);
    assert_eq!(gateway.refused(1, &other, method, &request).await, Reason::PageTokenInvalid);
    request.page_token = "AAAA".to_owned();
    assert_eq!(gateway.refused(1, &caller, method, &request).await, Reason::PageTokenInvalid);
    request.page_token.clear();
    request.page_size = -1;
    assert_eq!(gateway.refused(1, &caller, method, &request).await, Reason::FieldInvalid);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drafts_are_shown_to_their_provider_and_the_platform() {
    let cluster = Cluster::start(1, SPEC).await;
    let gateway = cluster.gateway();
    let bureau = system(BUREAU, BUREAU_SYSTEM);
    let mut watching = gateway
        .stream(
            1,
            &bureau,
            "catalog.v1.CatalogService/WatchEntries",
            &WatchEntriesRequest { parent: PARENT.to_owned(), after_index: 0 },
        )
        .await
        .unwrap();
    let draft: CatalogEntry = gateway
        .call(1, &bureau, "catalog.v1.CatalogService/RegisterEntry", &register("维修信息", "a"))
        .await
        .unwrap();
    assert_eq!(draft.state, EntryState::Draft as i32);
    assert!(!draft.gaps.is_empty());
    let told = watching.message().await.unwrap().unwrap();
    let told = WatchEntriesResponse::decode(told.response).unwrap();
    assert_eq!(told.entry.unwrap(), draft);

    let method = "catalog.v1.CatalogService/GetEntry";
    let get = |view: EntryView| GetEntryRequest { name: draft.name.clone(), view: view as i32 };
    let authority = system(AUTHORITY, AUTHORITY_SYSTEM);
    let school = system(SCHOOL, SCHOOL_SYSTEM);
    for caller in [&bureau, &authority] {
        let seen: CatalogEntry =
            gateway.call(1, caller, method, &get(EntryView::Working)).await.unwrap();
        assert_eq!(seen, draft);
        assert_eq!(
            gateway.refused(1, caller, method, &get(EntryView::Published)).await,
            Reason::NotFound
        );
    }
    assert_eq!(
        gateway.refused(1, &school, method, &get(EntryView::Working)).await,
        Reason::NotFound
    );

    let list = |provider: &str| ListEntriesRequest {
        parent: PARENT.to_owned(),
        view: EntryView::Working as i32,
        provider: provider.to_owned(),
        ..Default::default()
    };
    let bureau_name = format!("{PARENT}/organizations/{BUREAU}");
    for (caller, provider, expected) in [
        (&bureau, "", 1),
        (&bureau, bureau_name.as_str(), 1),
        (&school, "", 0),
        (&school, bureau_name.as_str(), 0),
    ] {
        let method = "catalog.v1.CatalogService/ListEntries";
        let page: ListEntriesResponse =
            gateway.call(1, caller, method, &list(provider)).await.unwrap();
        assert_eq!(page.entries.len(), expected, "{caller} {provider}");
    }

    // A stale etag changes nothing; the right one with a mask changes what it names.
    let method = "catalog.v1.CatalogService/UpdateEntry";
    let update = |etag: &str, request_id: &str| UpdateEntryRequest {
        entry: Some(CatalogEntry {
            name: draft.name.clone(),
            etag: etag.to_owned(),
            title: "别的标题".to_owned(),
            r#abstract: "摘要".to_owned(),
            ..Default::default()
        }),
        update_mask: Some(prost_types::FieldMask { paths: vec!["abstract".to_owned()] }),
        request_id: request_id.to_owned(),
    };
    assert_eq!(
        gateway.refused(1, &bureau, method, &update("\"v7\"", "u1")).await,
        Reason::EtagMismatch
    );
    assert_eq!(gateway.refused(1, &bureau, method, &update("", "u2")).await, Reason::EtagMissing);
    assert_eq!(gateway.refused(1, &bureau, method, &update("x", "u3")).await, Reason::FieldInvalid);
    let changed: CatalogEntry =
        gateway.call(1, &bureau, method, &update(&draft.etag, "u4")).await.unwrap();
    assert_eq!((changed.title.as_str(), changed.r#abstract.as_str()), ("维修信息", "摘要"));
    let head: Person = gateway
        .call(
            1,
            &bureau,
            "organization.v1.OrganizationService/GetPerson",
            &GetPersonRequest { name: format!("{bureau_name}/persons/{BUREAU_HEAD}") },
        )
        .await
        .unwrap();
    assert_eq!(head.display_name, "甲");
    let hidden = gateway
        .refused(
            1,
            &school,
            "organization.v1.OrganizationService/GetPerson",
            &GetPersonRequest { name: head.name },
        )
        .await;
    assert_eq!(hidden, Reason::NotFound);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn imports_answer_line_by_line() {
    let cluster = Cluster::start(1, SPEC).await;
    let gateway = cluster.gateway();
    let platform = system(AUTHORITY, AUTHORITY_SYSTEM);
    let line = |title: &str, seq: u64| ImportEntry {
        provider_name: "港口局".to_owned(),
        entry: Some(CatalogEntry { title: title.to_owned(), ..Default::default() }),
        origin: Some(PortalOrigin { portal: "xm".to_owned(), seq, ..Default::default() }),
        ..Default::default()
    };
    let batch = ImportEntriesRequest {
        parent: PARENT.to_owned(),
        entries: vec![line("船舶", 1), ImportEntry::default(), line("船舶", 2), line("泊位", 3)],
        request_id: "batch".to_owned(),
    };
    let method = "catalog.v1.CatalogService/ImportEntries";
    let first: ImportEntriesResponse = gateway.call(1, &platform, method, &batch).await.unwrap();
    let outcomes: Vec<i32> = first.results.iter().map(|result| result.outcome).collect();
    assert_eq!(outcomes, [1, 3, 2, 1], "accepted, refused, duplicate, accepted");
    assert_eq!(first.results[2].name, first.results[0].name);
    assert!(!first.results[1].message.is_empty());
    let again: ImportEntriesResponse = gateway.call(1, &platform, method, &batch).await.unwrap();
    assert_eq!(again, first);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peers_follow_the_feed_that_is_theirs() {
    let cluster = Cluster::start(1, SPEC).await;
    let gateway = cluster.gateway();
    let peer = |domain: &str| Caller {
        domain: domain.parse().unwrap(),
        identity: Identity::Gateway { id: "gw-1".to_owned() },
    };
    let described: DescribeDomainResponse = gateway
        .call(
            1,
            &peer("fujian"),
            "federation.v1.FederationService/DescribeDomain",
            &DescribeDomainRequest {},
        )
        .await
        .unwrap();
    assert_eq!((described.domain.as_str(), described.feeds.len()), ("xiamen", 2));

    let method = "federation.v1.FederationService/FollowFeed";
    let follow = |scope: i32| FollowFeedRequest { scope, ..Default::default() };
    let mut feed = gateway.stream(1, &peer("fujian"), method, &follow(1)).await.unwrap();
    let first = feed.message().await.unwrap().unwrap();
    let first = FollowFeedResponse::decode(first.response).unwrap();
    assert_eq!((first.records.len(), first.newest_revision), (0, 0));
    let token = first.token.unwrap();
    let resumed = FollowFeedRequest { after: Some(token.clone()), ..follow(1) };
    assert!(gateway.stream(1, &peer("fujian"), method, &resumed).await.is_ok());

    let refused = async |caller: &Caller, request: FollowFeedRequest| {
        let Err(status) = gateway.stream(1, caller, method, &request).await else {
            panic!("{caller} may not follow");
        };
        luqiao_transport::status::Problem::from_status(&status).reason.unwrap()
    };
    assert_eq!(refused(&peer("siming"), follow(1)).await, Reason::CallerNotPermitted);
    assert_eq!(refused(&peer("zhangzhou"), follow(2)).await, Reason::DomainForeign);
    assert_eq!(refused(&system(BUREAU, BUREAU_SYSTEM), follow(2)).await, Reason::DomainForeign);
    assert_eq!(refused(&peer("fujian"), follow(0)).await, Reason::FieldInvalid);
    let foreign = luqiao_proto::federation::v1::FeedToken { revision: 3, ..token };
    let ahead = FollowFeedRequest { after: Some(foreign), ..follow(1) };
    assert_eq!(refused(&peer("fujian"), ahead).await, Reason::FeedTokenUnknown);

    let outbox = ListOutboxRequest { domain: "fujian".to_owned(), ..Default::default() };
    assert!(gateway.nodes(1).list_outbox(outbox).await.unwrap().into_inner().items.is_empty());
    let cursor = GetFeedCursorRequest { domain: "fujian".to_owned(), scope: 2 };
    assert!(gateway.nodes(1).get_feed_cursor(cursor).await.unwrap().into_inner().token.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn status_heads_rules_and_search_answer() {
    let mut cluster = Cluster::start(3, SPEC).await;
    let gateway = cluster.gateway();
    let leader = cluster.leader().await;
    let caller = system(AUTHORITY, AUTHORITY_SYSTEM);
    let name = || PARENT.to_owned();

    let method = "operations.v1.OperationsService/GetStatus";
    let status: GetStatusResponse =
        gateway.call(leader, &caller, method, &GetStatusRequest { name: name() }).await.unwrap();
    assert_eq!((status.nodes.len(), status.failure_tolerance), (3, 1));
    assert_eq!(status.nodes.iter().filter(|node| node.role == "leader").count(), 1);
    assert_eq!(status.leader, leader.to_string());

    let to = (1..=3).find(|id| *id != leader).unwrap();
    let transfer = TransferLeaderRequest { name: name(), node: to.to_string() };
    let method = "operations.v1.OperationsService/TransferLeader";
    let school = system(SCHOOL, SCHOOL_SYSTEM);
    assert_eq!(
        gateway.refused(leader, &school, method, &transfer).await,
        Reason::CallerNotPermitted
    );
    let moved: TransferLeaderResponse =
        gateway.call(leader, &caller, method, &transfer).await.unwrap();
    assert_eq!(moved.leader, to.to_string());
    assert_eq!(cluster.leader().await, to);

    let head: TreeHead = gateway
        .call(
            to,
            &caller,
            "ledger.v1.LedgerService/GetTreeHead",
            &GetTreeHeadRequest { parent: name() },
        )
        .await
        .unwrap();
    assert_eq!(head.tree_size, 1, "the cluster was created");
    verify(&head);
    let proof = GetConsistencyProofRequest { parent: name(), first_size: 0, second_size: 0 };
    let method = "ledger.v1.LedgerService/GetConsistencyProof";
    assert_eq!(gateway.refused(to, &caller, method, &proof).await, Reason::FieldInvalid);

    let pack = GetRulePackRequest { name: "rulePacks/current".to_owned() };
    let pack: RulePack =
        gateway.call(to, &caller, "rule.v1.RuleService/GetRulePack", &pack).await.unwrap();
    assert!(pack.rule_count > 0 && !pack.json.is_empty());
    let calendar = GetCalendarRequest { name: "calendars/1".to_owned() };
    let calendar: Calendar =
        gateway.call(to, &caller, "rule.v1.RuleService/GetCalendar", &calendar).await.unwrap();
    assert!(calendar.official_years.contains(&2026));

    let search =
        SearchEntriesRequest { parent: name(), query: "，。".to_owned(), ..Default::default() };
    let method = "catalog.v1.CatalogService/SearchEntries";
    assert_eq!(gateway.refused(to, &caller, method, &search).await, Reason::FieldInvalid);
    let unknown = gateway.refused(to, &caller, "catalog.v1.CatalogService/Nothing", &search).await;
    assert_eq!(unknown, Reason::MethodUnknown);

    // A person files a system for the own organization; with one node down the cluster says so.
    let head = person(BUREAU, BUREAU_HEAD);
    let make = CreateSystemRequest {
        parent: format!("{PARENT}/organizations/{BUREAU}"),
        system: Some(System { display_name: "新系统".to_owned(), ..Default::default() }),
        request_id: "s".to_owned(),
    };
    let method = "organization.v1.OrganizationService/CreateSystem";
    let made: System = gateway.call(to, &head, method, &make).await.unwrap();
    assert_eq!(made.display_name, "新系统");
    let down = (1..=3).find(|id| *id != to).unwrap();
    cluster.kill(down).await;
    let method = "operations.v1.OperationsService/GetStatus";
    let status: GetStatusResponse =
        gateway.call(to, &caller, method, &GetStatusRequest { name: name() }).await.unwrap();
    assert_eq!(status.failure_tolerance, 0);
    let unreachable = status.nodes.iter().find(|node| node.id == down.to_string()).unwrap();
    assert_eq!(unreachable.role, "unreachable");
}

/// Checks a head with nothing but what it carries.
fn verify(head: &TreeHead) {
    use ring::signature::{ED25519, UnparsedPublicKey};
    use x509_parser::prelude::FromDer as _;

    let time = head.time.as_ref().unwrap();
    let millis = time.seconds as u64 * 1000 + time.nanos as u64 / 1_000_000;
    let root = head.root_hash.as_ref().try_into().unwrap();
    let signed = catalog_proofs::head::signed_bytes(
        domain().as_str(),
        &head.cluster_id,
        head.generation,
        head.tree_size,
        root,
        millis,
        catalog_proofs::suite::Suite::default(),
    );
    let (_, certificate) =
        x509_parser::certificate::X509Certificate::from_der(&head.certificate).unwrap();
    let key = certificate.public_key().subject_public_key.data.to_vec();
    UnparsedPublicKey::new(&ED25519, key).verify(&signed, &head.signature).unwrap();
}
