//! How data came to a department: by collecting what nobody shares, by contract, by purchase, in an
//! emergency, through a project; and the platforms beside the city's.

use federation_tests::{publishing::citation, role::request_id};
use luqiao_proto::{
    catalog::v1::{GetEntryRequest, LegalCitation, SharingKind, SubmitEntryRequest},
    quality::v1::RecordBatchRequest,
    relations::v1::{
        AcceptProjectRequest, AcquisitionKind, ApprovePurchaseRequest, AssessEmergencyRequest,
        BuyPurchaseRequest, CheckCollectionRequest, CloseContractRequest,
        CloseEmergencyApplicationsRequest, CollectionResult, ConsentSubEntrustingRequest,
        ContractState, EmergencyState, EndContractRequest, EndEmergencyRequest, EnterAssetRequest,
        GetAcquisitionRequest, GetCollectionCheckRequest, GetContractRequest, GetEmergencyRequest,
        GetProjectRequest, GetPurchaseRequest, ListContractsRequest, ListEmergenciesRequest,
        ListPlatformsRequest, ListProjectsRequest, ListPurchasesRequest, MergePurchaseRequest,
        OpenContractRequest, OpenEmergencyRequest, OpenProjectRequest, PurchaseState,
        RecordPlatformRequest, RecordProcessingRequest, RefusePurchaseRequest,
        RequestPurchaseRequest, StateAcquisitionRequest, TreatEmergencyRequest,
        UseEmergencyDataRequest,
    },
};

use super::{City, done, fields, nothing, paper, refused};

/// The same in every step: which thing, in which version, under which attempt.
macro_rules! step {
    ($request:ident, $thing:expr $(, $field:ident: $value:expr)* $(,)?) => {
        $request {
            name: $thing.name.clone(),
            etag: $thing.etag.clone(),
            request_id: request_id(),
            $($field: $value,)*
        }
    };
}

fn proof(byte: u8) -> bytes::Bytes {
    vec![byte; 32].into()
}

/// CAT-13: what somebody shares is not collected again, as long as it is shared.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cat_13_nothing_is_collected_twice_by_calls() {
    let city = City::start().await;
    let (collector, provider, outsider) = (&city.other, &city.provider, &city.outsider);
    let shared = city.listed("企业登记", SharingKind::Conditional).await;
    let entry = city.draft("企业走访").await;
    let check = |items: &[&str]| CheckCollectionRequest {
        name: entry.clone(),
        items: items.iter().map(|&item| item.to_owned()).collect(),
        exception: None,
        request_id: request_id(),
    };
    refused!(CallerNotPermitted, provider.collection().check_collection(check(&["企业名称"])));
    refused!(FieldInvalid, collector.collection().check_collection(check(&["住址"])));
    let found = done!(collector.collection().check_collection(check(&["企业名称"])));
    assert_eq!(found.result(), CollectionResult::Duplicated);
    assert_eq!(found.overlaps, [shared]);
    assert!(found.rule.is_some());
    let get = || GetCollectionCheckRequest { name: entry.clone() };
    assert_eq!(done!(collector.collection().get_collection_check(get())), found);
    refused!(NotFound, outsider.collection().get_collection_check(get()));

    let read = GetEntryRequest { name: entry.clone(), view: 2 };
    let draft = done!(collector.catalog().get_entry(read));
    let consented = city.other_press.consent(&draft).await.expect("the head consents");
    let submit =
        SubmitEntryRequest { name: entry.clone(), etag: consented.etag, request_id: request_id() };
    refused!(CollectionDuplicated, collector.catalog().submit_entry(submit.clone()));
    // Decree 809 knows no exception, whatever law a government department cites.
    let cited = CheckCollectionRequest { exception: Some(citation()), ..check(&["企业名称"]) };
    let cited = done!(collector.collection().check_collection(cited));
    assert_eq!(cited.result(), CollectionResult::Duplicated);
    assert_eq!(cited.exception, Some(citation()));
    let rankless = LegalCitation { rank: 0, ..citation() };
    let unclear = CheckCollectionRequest { exception: Some(rankless), ..check(&["企业名称"]) };
    let problem = refused!(FieldInvalid, collector.collection().check_collection(unclear));
    assert_eq!(fields(&problem), ["exception.rank"]);

    city.press.withdraw(&found.overlaps[0]).await.expect("it is withdrawn");
    let clear = done!(collector.collection().check_collection(check(&["企业名称"])));
    assert_eq!(clear.result(), CollectionResult::Clear);
    let submit = SubmitEntryRequest { request_id: request_id(), ..submit };
    done!(collector.catalog().submit_entry(submit));
}

/// CAT-06, CAT-17: a department asks for a purchase, the authority sees what the catalog has, merges
/// or buys, and only what was bought is data by purchase.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cat_06_cat_17_data_are_bought_through_the_authority_by_calls() {
    let city = City::start().await;
    let (buyer, authority, outsider) = (&city.other, &city.authority, &city.outsider);
    let shared = city.listed("企业登记", SharingKind::Conditional).await;
    let ask = |need: &str| RequestPurchaseRequest {
        parent: buyer.organization(),
        need: need.to_owned(),
        items: vec!["企业名称".to_owned()],
        request_id: request_id(),
    };
    refused!(CallerNotPermitted, outsider.purchases().request_purchase(ask("企业画像")));
    refused!(FieldInvalid, buyer.purchases().request_purchase(ask(" ")));
    let asked = done!(buyer.purchases().request_purchase(ask("企业画像")));
    assert_eq!(asked.found, [shared]);
    let get = || GetPurchaseRequest { name: asked.name.clone() };
    refused!(NotFound, outsider.purchases().get_purchase(get()));
    assert_eq!(done!(authority.purchases().get_purchase(get())), asked);

    let approve = step!(ApprovePurchaseRequest, asked);
    refused!(CallerNotPermitted, buyer.purchases().approve_purchase(approve));
    let second = done!(buyer.purchases().request_purchase(ask("企业风险")));
    let merge = step!(MergePurchaseRequest, second, into: asked.name.clone());
    let merged = done!(authority.purchases().merge_purchase(merge));
    assert_eq!((merged.state(), &merged.into), (PurchaseState::Merged, &asked.name));
    let third = done!(buyer.purchases().request_purchase(ask("企业年报")));
    let unsaid = step!(RefusePurchaseRequest, third, reason: String::new());
    refused!(ReasonMissing, authority.purchases().refuse_purchase(unsaid));
    let refuse = step!(RefusePurchaseRequest, third, reason: "目录已有（合成）".to_owned());
    let refused = done!(authority.purchases().refuse_purchase(refuse));
    assert_eq!(refused.state(), PurchaseState::Refused);

    let entry = city.draft("企业画像").await;
    let state = |kind: AcquisitionKind, through: &str| StateAcquisitionRequest {
        name: entry.clone(),
        kind: kind.into(),
        through: through.to_owned(),
        request_id: request_id(),
    };
    let early = state(AcquisitionKind::Purchased, &asked.name);
    refused!(PurchaseNotApproved, buyer.collection().state_acquisition(early));
    let approved =
        done!(authority.purchases().approve_purchase(step!(ApprovePurchaseRequest, asked)));
    let cut = step!(BuyPurchaseRequest, approved, contract: vec![1; 31].into());
    let problem = refused!(FieldInvalid, authority.purchases().buy_purchase(cut));
    assert_eq!(fields(&problem), ["contract"]);
    let buy = step!(BuyPurchaseRequest, approved, contract: proof(1));
    let bought = done!(authority.purchases().buy_purchase(buy));
    assert_eq!((bought.state(), bought.contract.as_ref()), (PurchaseState::Bought, &[1; 32][..]));

    let unnamed = state(AcquisitionKind::Purchased, "");
    refused!(NameInvalid, buyer.collection().state_acquisition(unnamed));
    let contradicted = state(AcquisitionKind::Duty, &asked.name);
    let problem = refused!(FieldInvalid, buyer.collection().state_acquisition(contradicted));
    assert_eq!(fields(&problem), ["through"]);
    let acquired = state(AcquisitionKind::Purchased, &asked.name);
    let acquired = done!(buyer.collection().state_acquisition(acquired));
    let read = || GetAcquisitionRequest { name: entry.clone() };
    assert_eq!(done!(buyer.collection().get_acquisition(read())), acquired);
    refused!(NotFound, outsider.collection().get_acquisition(read()));
    let list = ListPurchasesRequest {
        parent: authority.domain(),
        state: PurchaseState::Bought.into(),
        ..Default::default()
    };
    assert_eq!(done!(authority.purchases().list_purchases(list)).purchases, [bought]);
}

/// CAT-15: a contractor collects within its terms, a sub-contractor only with consent, and afterwards
/// the data are proved to be back or gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cat_15_collection_is_entrusted_by_calls() {
    let city = City::start().await;
    let (department, outsider) = (&city.other, &city.outsider);
    let open = |scope: &str| OpenContractRequest {
        parent: department.organization(),
        contractor: "某测绘公司（合成）".to_owned(),
        matter: "楼盘现状采集".to_owned(),
        purpose: "城市体检".to_owned(),
        scope: scope.to_owned(),
        manner: "现场采集".to_owned(),
        request_id: request_id(),
    };
    refused!(CallerNotPermitted, outsider.contracts().open_contract(open("思明区")));
    let answer = federation_tests::until_answered!(department.contracts().open_contract(open("")));
    answer.expect_err("a contract without scope is none");
    let opened = done!(department.contracts().open_contract(open("思明区")));
    let by = |by: &str| step!(RecordProcessingRequest, opened, by: by.to_owned());
    refused!(SubEntrustingUnconsented, department.contracts().record_processing(by("某劳务公司")));
    let consent = step!(ConsentSubEntrustingRequest, opened, to: "某劳务公司".to_owned());
    let consented = done!(department.contracts().consent_sub_entrusting(consent));
    assert_eq!(consented.sub_entrusted, ["某劳务公司"]);
    let process = step!(RecordProcessingRequest, consented, by: "某劳务公司".to_owned());
    let processed = done!(department.contracts().record_processing(process));
    let end = step!(EndContractRequest, processed, reason: "期满".to_owned());
    let ended = done!(department.contracts().end_contract(end));
    let close = step!(CloseContractRequest, ended, returned: true, proof: bytes::Bytes::new());
    let problem = refused!(FieldInvalid, department.contracts().close_contract(close));
    assert_eq!(fields(&problem), ["proof"]);
    let close = step!(CloseContractRequest, ended, returned: true, proof: proof(0));
    refused!(ProofMissing, department.contracts().close_contract(close));
    let close = step!(CloseContractRequest, ended, returned: true, proof: proof(2));
    let closed = done!(department.contracts().close_contract(close));
    assert_eq!(closed.state(), ContractState::Returned);
    let get = || GetContractRequest { name: opened.name.clone() };
    refused!(NotFound, outsider.contracts().get_contract(get()));
    assert_eq!(done!(department.contracts().get_contract(get())), closed);
    let list = ListContractsRequest { parent: outsider.domain(), ..Default::default() };
    assert!(done!(outsider.contracts().list_contracts(list)).contracts.is_empty());
}

/// CAT-16: emergency data serve the emergency and nothing else, and are assessed, treated and shut
/// down after it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cat_16_emergency_data_end_with_the_emergency_by_calls() {
    let city = City::start().await;
    let (department, outsider) = (&city.other, &city.outsider);
    let entry = city.draft("受灾人员").await;
    let open = || OpenEmergencyRequest {
        parent: department.organization(),
        event: "台风应急响应（合成）".to_owned(),
        basis: Some(citation()),
        purpose: "转移安置".to_owned(),
        scope: "沿海街道".to_owned(),
        manner: "现场登记".to_owned(),
        entries: vec![entry.clone()],
        applications: vec![department.system()],
        request_id: request_id(),
    };
    let lawless = OpenEmergencyRequest { basis: None, ..open() };
    let problem = refused!(FieldInvalid, department.emergencies().open_emergency(lawless));
    assert_eq!(fields(&problem), ["basis"]);
    let theirs = OpenEmergencyRequest { applications: vec![outsider.system()], ..open() };
    let problem = refused!(FieldInvalid, department.emergencies().open_emergency(theirs));
    assert_eq!(fields(&problem), ["applications[0]"]);
    let opened = done!(department.emergencies().open_emergency(open()));
    let used = |event: &str| {
        step!(
            UseEmergencyDataRequest,
            opened,
            system: department.system(),
            event: event.to_owned(),
        )
    };
    refused!(EmergencyUseOutside, department.emergencies().use_emergency_data(used("日常巡查")));
    let used = done!(department.emergencies().use_emergency_data(used("台风应急响应（合成）")));
    assert_eq!(used.state(), EmergencyState::Active);
    let ended = done!(department.emergencies().end_emergency(step!(EndEmergencyRequest, used)));
    assert!(ended.due_time.is_some(), "the treatment is owed: {ended:?}");
    let short = step!(AssessEmergencyRequest, ended, proof: vec![3; 16].into());
    let problem = refused!(FieldInvalid, department.emergencies().assess_emergency(short));
    assert_eq!(fields(&problem), ["proof"]);
    let assess = step!(AssessEmergencyRequest, ended, proof: proof(3));
    let assessed = done!(department.emergencies().assess_emergency(assess));
    let treat = step!(TreatEmergencyRequest, assessed, proof: proof(4));
    let treated = done!(department.emergencies().treat_emergency(treat));
    let close = step!(CloseEmergencyApplicationsRequest, treated, proof: proof(5));
    let closed = done!(department.emergencies().close_emergency_applications(close));
    assert_eq!(closed.state(), EmergencyState::AppsClosed);
    assert_eq!((closed.proofs.len(), closed.due_time), (3, None));
    let get = || GetEmergencyRequest { name: opened.name.clone() };
    refused!(NotFound, outsider.emergencies().get_emergency(get()));
    assert_eq!(done!(department.emergencies().get_emergency(get())), closed);
    let list = ListEmergenciesRequest { parent: outsider.domain(), ..Default::default() };
    assert!(done!(outsider.emergencies().list_emergencies(list)).emergencies.is_empty());
}

/// CAT-23: a project is accepted once each of its data assets is in the catalog and was aggregated.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cat_23_a_project_is_accepted_with_its_data_by_calls() {
    let city = City::start().await;
    let (department, authority, outsider) = (&city.provider, &city.authority, &city.outsider);
    let entry = city.listed("企业登记", SharingKind::Conditional).await;
    let open = |assets: &[&str]| OpenProjectRequest {
        parent: department.organization(),
        title: "企业登记系统改造".to_owned(),
        assets: assets.iter().map(|&asset| asset.to_owned()).collect(),
        request_id: request_id(),
    };
    refused!(FieldInvalid, department.projects().open_project(open(&[])));
    let opened = done!(department.projects().open_project(open(&["企业登记库"])));
    let accept = step!(AcceptProjectRequest, opened);
    refused!(CallerNotPermitted, department.projects().accept_project(accept));
    let accept = step!(AcceptProjectRequest, opened);
    refused!(ProjectAssetsMissing, authority.projects().accept_project(accept));
    let beyond = step!(EnterAssetRequest, opened, asset: 7, entry: entry.clone());
    let problem = refused!(FieldInvalid, department.projects().enter_asset(beyond));
    assert_eq!(fields(&problem), ["asset"]);
    let enter = step!(EnterAssetRequest, opened, asset: 0, entry: entry.clone());
    let entered = done!(department.projects().enter_asset(enter));
    assert_eq!(entered.assets[0].entry, entry);
    let batch = RecordBatchRequest {
        parent: entry.clone(),
        batch: "2026-09".to_owned(),
        system: department.system(),
        person: city.head.person(),
        rows: 10,
        results: Vec::new(),
        request_id: request_id(),
    };
    done!(department.quality().record_batch(batch));
    let accept = step!(AcceptProjectRequest, entered);
    let accepted = done!(authority.projects().accept_project(accept));
    assert!(accepted.accept_time.is_some());
    let get = || GetProjectRequest { name: opened.name.clone() };
    refused!(NotFound, outsider.projects().get_project(get()));
    assert_eq!(done!(department.projects().get_project(get())), accepted);
    let list = ListProjectsRequest { parent: authority.domain(), ..Default::default() };
    assert_eq!(done!(authority.projects().list_projects(list)).projects, [accepted]);
    let unknown = GetProjectRequest { name: nothing(authority, "projects") };
    refused!(NotFound, authority.projects().get_project(unknown));
}

/// SHR-11, FED-16: a platform beside the city's stands on record with the decision by which it was
/// built and the day by which it joins.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shr_11_fed_16_platforms_beside_the_citys_are_recorded_by_calls() {
    let city = City::start().await;
    let (department, outsider) = (&city.other, &city.outsider);
    let record = || RecordPlatformRequest {
        parent: department.organization(),
        title: "应急共享平台（合成）".to_owned(),
        cross_department: true,
        approval: Some(paper("厦府函〔2020〕1号（合成）")),
        migrate_by: "2026-12-31".to_owned(),
        exception: None,
        request_id: request_id(),
    };
    refused!(CallerNotPermitted, outsider.platforms().record_platform(record()));
    let never = RecordPlatformRequest { migrate_by: "later".to_owned(), ..record() };
    let problem = refused!(FieldInvalid, department.platforms().record_platform(never));
    assert_eq!(fields(&problem), ["migrate_by"]);
    let recorded = done!(department.platforms().record_platform(record()));
    assert_eq!(recorded.migrate_by, "2026-12-31");
    let list = ListPlatformsRequest { parent: outsider.domain(), ..Default::default() };
    assert_eq!(done!(outsider.platforms().list_platforms(list)).platforms, [recorded]);
}
