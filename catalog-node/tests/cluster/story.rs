//! From a draft to a proof: an entry is published, found, followed, asked for and granted, and the
//! receipt holds without anybody's word.

use catalog_model::caller::{Caller, Identity};
use catalog_proofs::{suite::Suite, tree::verify_inclusion};
use luqiao_proto::{
    catalog::v1::{
        Assessment, AssessmentKind, CatalogEntry, ConsentEntryRequest, DataFormat, DataItem,
        DataLevel, EntryState, Grade, ItemType, PublishEntryRequest, RegisterEntryRequest,
        SearchEntriesRequest, SearchEntriesResponse, SharingAttribute, SharingKind, SharingMethod,
        SourceLink, SubmitEntryRequest, UpdateCycle,
    },
    federation::v1::{FollowFeedRequest, FollowFeedResponse},
    ledger::v1::{GetReceiptRequest, Receipt},
    organization::v1::DataKind,
    sharing::v1::{
        Commitment, CreateRequestRequest, GetGrantRequest, Grant, ListRequestsRequest,
        ListRequestsResponse, ShareRequest, ShareRequestState, Term,
    },
};
use prost::Message as _;

use crate::bench::{
    AUTHORITY, AUTHORITY_SYSTEM, BUREAU, BUREAU_HEAD, BUREAU_SYSTEM, Cluster, Gateway, SCHOOL,
    SCHOOL_HEAD, SCHOOL_SYSTEM, SPEC, person, system,
};

pub(crate) const PARENT: &str = "domains/xiamen";

fn grade() -> Grade {
    Grade { level: DataLevel::General as i32, grade: 1 }
}

/// An unconditional entry of the bureau.
pub(crate) fn entry() -> CatalogEntry {
    let text = ToOwned::to_owned;
    CatalogEntry {
        provider: format!("{PARENT}/organizations/{BUREAU}"),
        kind: DataKind::GovernmentData as i32,
        title: text("维修信息"),
        title_en: text("Repairs"),
        r#abstract: text("住宅维修资金使用情况"),
        classification: text("城乡建设"),
        resource_code: text("350200/000001"),
        formats: vec![DataFormat::Database as i32],
        items: vec![DataItem {
            name: text("小区名称"),
            name_en: text("Estate"),
            r#type: ItemType::Character as i32,
            description: text("小区的名称"),
            grade: Some(grade()),
            ..Default::default()
        }],
        update_cycle: UpdateCycle::Month as i32,
        sharing: Some(SharingAttribute {
            kind: SharingKind::Unconditional as i32,
            ..Default::default()
        }),
        sharing_method: SharingMethod::ServiceInterface as i32,
        conditions_of_use: text("履行职责"),
        grade: Some(grade()),
        assessments: [AssessmentKind::SecrecyRisk, AssessmentKind::PersonalInformationImpact]
            .into_iter()
            .map(|kind| Assessment {
                kind: kind as i32,
                passed: true,
                date: text("2026-09-01"),
                note: String::new(),
            })
            .collect(),
        links: vec![SourceLink {
            system: format!("{PARENT}/organizations/{BUREAU}/systems/{BUREAU_SYSTEM}"),
            dataset: text("repairs"),
        }],
        duty_basis: text("三定规定"),
        keywords: vec![text("维修")],
        region_code: text("350200"),
        issued_date: text("2026-09-01"),
        synthetic: true,
        ..Default::default()
    }
}

/// The whole path of a new entry of the bureau, the standing answer included.
pub(crate) async fn publish(gateway: &Gateway, entry: CatalogEntry) -> CatalogEntry {
    let bureau = system(BUREAU, BUREAU_SYSTEM);
    let head = person(BUREAU, BUREAU_HEAD);
    let authority = system(AUTHORITY, AUTHORITY_SYSTEM);
    let standing_answer =
        entry.sharing.as_ref().is_some_and(|sharing| sharing.kind() == SharingKind::Unconditional);
    let catalog = |method: &str| format!("catalog.v1.CatalogService/{method}");

    let request = RegisterEntryRequest {
        parent: PARENT.to_owned(),
        entry: Some(entry),
        request_id: "register".to_owned(),
    };
    let draft: CatalogEntry =
        gateway.call(1, &bureau, &catalog("RegisterEntry"), &request).await.unwrap();
    let consent = ConsentEntryRequest {
        name: draft.name.clone(),
        etag: draft.etag.clone(),
        standing_answer,
        request_id: "consent".to_owned(),
        ..Default::default()
    };
    let agreed: CatalogEntry =
        gateway.call(1, &head, &catalog("ConsentEntry"), &consent).await.unwrap();
    let submit = SubmitEntryRequest {
        name: draft.name.clone(),
        etag: agreed.etag,
        request_id: "submit".to_owned(),
    };
    let submitted: CatalogEntry =
        gateway.call(1, &bureau, &catalog("SubmitEntry"), &submit).await.unwrap();
    let publish = PublishEntryRequest {
        name: draft.name.clone(),
        etag: submitted.etag,
        request_id: "publish".to_owned(),
    };
    let published: CatalogEntry =
        gateway.call(1, &authority, &catalog("PublishEntry"), &publish).await.unwrap();
    assert_eq!(published.state, EntryState::Published as i32);
    published
}

/// The school's request for the first item of an entry.
pub(crate) fn request(entry: &str, request_id: &str) -> CreateRequestRequest {
    let text = ToOwned::to_owned;
    CreateRequestRequest {
        parent: PARENT.to_owned(),
        request: Some(ShareRequest {
            entry: entry.to_owned(),
            system: format!("{PARENT}/organizations/{SCHOOL}/systems/{SCHOOL_SYSTEM}"),
            scenario: text("招生片区核对"),
            duty_basis: text("义务教育招生"),
            items: vec![text("小区名称")],
            method: SharingMethod::ServiceInterface as i32,
            term: Some(Term { from: text("2026-09-22"), to: text("2027-09-21") }),
            commitments: (1..=6)
                .map(|number| Commitment::try_from(number).unwrap() as i32)
                .collect(),
            ..Default::default()
        }),
        consenting_person: format!("{PARENT}/organizations/{SCHOOL}/persons/{SCHOOL_HEAD}"),
        request_id: request_id.to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_is_published_asked_for_and_proved() {
    let cluster = Cluster::start(1, SPEC).await;
    let gateway = cluster.gateway();
    let bureau = system(BUREAU, BUREAU_SYSTEM);
    let head = person(BUREAU, BUREAU_HEAD);
    let authority = system(AUTHORITY, AUTHORITY_SYSTEM);
    let draft = publish(&gateway, entry()).await;

    let school = system(SCHOOL, SCHOOL_SYSTEM);
    let search = SearchEntriesRequest {
        parent: "domains/-".to_owned(),
        query: "维修".to_owned(),
        ..Default::default()
    };
    let found: SearchEntriesResponse =
        gateway.call(1, &school, "catalog.v1.CatalogService/SearchEntries", &search).await.unwrap();
    assert_eq!((found.total, found.hits.len()), (1, 1));
    assert_eq!(found.hits[0].entry.as_ref().unwrap().name, draft.name);

    let superior = Caller {
        domain: "fujian".parse().unwrap(),
        identity: Identity::Gateway { id: "gw-1".to_owned() },
    };
    let follow = FollowFeedRequest { scope: 1, ..Default::default() };
    let method = "federation.v1.FederationService/FollowFeed";
    let mut feed = gateway.stream(1, &superior, method, &follow).await.unwrap();
    let batch = feed.message().await.unwrap().unwrap();
    let batch = FollowFeedResponse::decode(batch.response).unwrap();
    assert_eq!((batch.records.len(), batch.newest_revision), (1, 1));
    assert_eq!(batch.records[0].entry_name, draft.name);
    assert_eq!(batch.token.as_ref().unwrap().hash, batch.records[0].hash);
    let resumed = FollowFeedRequest { after: batch.token, ..follow };
    let mut feed = gateway.stream(1, &superior, method, &resumed).await.unwrap();
    let nothing = feed.message().await.unwrap().unwrap();
    assert!(FollowFeedResponse::decode(nothing.response).unwrap().records.is_empty());

    let request = request(&draft.name, "ask");
    let case: ShareRequest = gateway
        .call(1, &school, "sharing.v1.SharingService/CreateRequest", &request)
        .await
        .unwrap();
    assert_eq!(case.state, ShareRequestState::Agreed as i32, "granted at once");
    let grant: Grant = gateway
        .call(
            1,
            &school,
            "sharing.v1.SharingService/GetGrant",
            &GetGrantRequest { name: case.grant.clone() },
        )
        .await
        .unwrap();
    assert_eq!(grant.request, case.name);
    for (caller, seen) in [(&school, 1), (&bureau, 1), (&authority, 1), (&head, 1)] {
        let list = ListRequestsRequest { parent: PARENT.to_owned(), ..Default::default() };
        let method = "sharing.v1.SharingService/ListRequests";
        let cases: ListRequestsResponse = gateway.call(1, caller, method, &list).await.unwrap();
        assert_eq!(cases.requests.len(), seen, "{caller}");
    }

    let receipt: Receipt = gateway
        .call(
            1,
            &school,
            "ledger.v1.LedgerService/GetReceipt",
            &GetReceiptRequest { name: grant.name.clone(), record: None },
        )
        .await
        .unwrap();
    let tree_head = receipt.tree_head.unwrap();
    let path: Vec<[u8; 32]> =
        receipt.inclusion_proof.iter().map(|hash| hash.as_ref().try_into().unwrap()).collect();
    let root = tree_head.root_hash.as_ref().try_into().unwrap();
    let suite = Suite::default();
    let leaf = suite.leaf_hash(&receipt.record);
    let (index, size) = (receipt.leaf_index, tree_head.tree_size);
    assert!(verify_inclusion(suite, leaf, index, size, &path, root));
    assert!(receipt.record_json.contains("\"fact\":\"granted\""), "{}", receipt.record_json);
}
