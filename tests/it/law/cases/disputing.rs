//! Disputes up to the government (SHR-28, SHR-29) and demands for what the catalog lacks (SHR-18):
//! who sees them, who is told when they change, and what of them can be proven.

use catalog_model::reason::Reason;
use federation_tests::{
    role::{Role, call, request_id},
    until_answered,
};
use luqiao::dev::cast::Level;
use luqiao_proto::{
    catalog::v1::SharingKind,
    ledger::v1::GetReceiptRequest,
    sharing::v1::{
        AnswerDemandRequest, CloseDemandRequest, CoordinateDisputeRequest, DecideDisputeRequest,
        Demand, DemandState, Dispute, DisputeState, EndConsultationRequest, FileDemandRequest,
        GetDemandRequest, GetDisputeRequest, ListDemandsRequest, ListDisputesRequest,
        PaperDecision, PreReviewDemandRequest, RaiseDisputeRequest, RouteDemandRequest,
        StatePositionRequest, SupplyDemandRequest, WatchDemandsRequest, WatchDisputesRequest,
    },
};
use tonic::Status;

use super::{Stage, fields, file_as, paper, refusal, refused};

async fn raise(role: &Role, request: &str, text: &str) -> Result<Dispute, Status> {
    until_answered!(role.disputes().raise_dispute(RaiseDisputeRequest {
        parent: role.domain(),
        request: request.to_owned(),
        text: text.to_owned(),
        request_id: request_id(),
    }))
}

async fn coordinate(role: &Role, dispute: &Dispute) -> Result<Dispute, Status> {
    until_answered!(role.disputes().coordinate_dispute(CoordinateDisputeRequest {
        name: dispute.name.clone(),
        etag: dispute.etag.clone(),
        agreed: false,
        minutes: "听取双方意见，未达成一致（合成）".to_owned(),
        paper: None,
        request_id: request_id(),
    }))
}

async fn decide(
    role: &Role,
    dispute: &Dispute,
    paper: Option<PaperDecision>,
) -> Result<Dispute, Status> {
    until_answered!(role.disputes().decide_dispute(DecideDisputeRequest {
        name: dispute.name.clone(),
        etag: dispute.etag.clone(),
        paper: paper.clone(),
        result: "予以共享（合成）".to_owned(),
        request_id: request_id(),
    }))
}

async fn seen(role: &Role, name: &str) -> Result<Dispute, Status> {
    until_answered!(role.disputes().get_dispute(GetDisputeRequest { name: name.to_owned() }))
}

async fn listed(role: &Role, state: DisputeState, request: &str) -> Vec<Dispute> {
    until_answered!(role.disputes().list_disputes(ListDisputesRequest {
        parent: role.domain(),
        state: state.into(),
        request: request.to_owned(),
        ..Default::default()
    }))
    .expect("anybody may ask")
    .disputes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shr_28_shr_18_disputes_and_demands_by_calls() {
    let stage = Stage::set(Level::Province).await;
    disputed(&stage).await;
    demanded(&stage).await;
}

async fn disputed(stage: &Stage) {
    let plates = stage.conditional("车辆登记信息").await;
    let case = stage.answered(&stage.open(&plates).await, refusal()).await;
    let (asker, provider, authority) = (&stage.asker, &stage.press.provider, &stage.authority);
    let watching = WatchDisputesRequest { parent: asker.domain(), after_index: 0 };
    let mut news =
        asker.disputes().watch_disputes(call(watching)).await.expect("a watch").into_inner();

    refused(raise(stage.stranger(), &case.name, "需要").await, Reason::CallerNotPermitted);
    refused(raise(asker, &case.name, " ").await, Reason::ReasonMissing);
    refused(raise(asker, &plates.name, "需要").await, Reason::NameInvalid);
    let raised = raise(asker, &case.name, "确为履职所需（合成）").await.expect("a side may");
    let told = news.message().await.expect("the watch goes on").expect("a change");
    assert_eq!(told.dispute.expect("the dispute"), raised);

    // The two sides and the platform; nobody else learns that there is one.
    for role in [asker, provider, authority, &stage.manager] {
        assert_eq!(seen(role, &raised.name).await.expect("it is seen"), raised);
        assert_eq!(
            listed(role, DisputeState::Unspecified, "").await,
            std::slice::from_ref(&raised)
        );
    }
    refused(seen(stage.stranger(), &raised.name).await, Reason::NotFound);
    assert!(listed(stage.stranger(), DisputeState::Unspecified, "").await.is_empty());
    assert!(listed(asker, DisputeState::Decided, "").await.is_empty());
    assert_eq!(listed(asker, DisputeState::Raised, &case.name).await.len(), 1);
    let receipt = async |role: &Role| {
        until_answered!(
            role.ledger()
                .get_receipt(GetReceiptRequest { name: raised.name.clone(), ..Default::default() })
        )
    };
    assert!(receipt(asker).await.expect("a side has its proof").record_json.contains("dispute"));
    refused(receipt(stage.stranger()).await, Reason::NotFound);
    let file = file_as(asker, &case.name).await.expect("the asker sees it");
    assert_eq!(file.disputes, std::slice::from_ref(&raised.name));

    refused(coordinate(authority, &raised).await, Reason::ConsultationSkipped);
    let consulting = until_answered!(provider.disputes().state_position(StatePositionRequest {
        name: raised.name.clone(),
        etag: raised.etag.clone(),
        text: "另有来源（合成）".to_owned(),
        paper: None,
        request_id: request_id(),
    }))
    .expect("the other side speaks");
    assert_eq!(consulting.state(), DisputeState::Consulting);
    let failed = until_answered!(asker.disputes().end_consultation(EndConsultationRequest {
        name: consulting.name.clone(),
        etag: consulting.etag.clone(),
        agreed: false,
        minutes: "周一协商，未果（合成）".to_owned(),
        request_id: request_id(),
    }))
    .expect("a side records it");
    let coordinator = failed.coordinator.clone().and_then(|who| who.same_level);
    assert_eq!(coordinator.expect("their authority").organization, authority.organization());
    refused(coordinate(&stage.manager, &failed).await, Reason::CallerNotPermitted);
    let above = coordinate(authority, &failed).await.expect("the authority coordinates");

    // The government decides on paper: what is no digest, no day or no paper is named.
    let manager = &stage.manager;
    let short = PaperDecision { digest: vec![7; 31].into(), ..paper("闽政函〔2026〕1号") };
    let problem = refused(decide(manager, &above, Some(short)).await, Reason::FieldInvalid);
    assert_eq!(fields(&problem), ["paper.digest"]);
    let never = PaperDecision { date: "2026-02-30".to_owned(), ..paper("闽政函〔2026〕1号") };
    let problem = refused(decide(manager, &above, Some(never)).await, Reason::FieldInvalid);
    assert_eq!(fields(&problem), ["paper.date"]);
    let problem = refused(decide(manager, &above, None).await, Reason::FieldInvalid);
    assert_eq!(fields(&problem), ["paper"]);
    refused(decide(manager, &above, Some(paper(""))).await, Reason::PaperIncomplete);
    let early = PaperDecision { date: "2027-01-01".to_owned(), ..paper("闽政函〔2026〕1号") };
    refused(decide(manager, &above, Some(early)).await, Reason::PaperDateInvalid);
    let decision = paper("闽政函〔2026〕1号（合成）");
    refused(decide(asker, &above, Some(decision.clone())).await, Reason::CallerNotPermitted);
    let decided = decide(manager, &above, Some(decision.clone())).await.expect("it is recorded");
    assert_eq!((decided.state(), decided.paper), (DisputeState::Decided, Some(decision)));
    assert_eq!(decided.minutes.len(), 3);
}

async fn moved(role: &Role, demand: &Demand, step: &str, with: &str) -> Result<Demand, Status> {
    let (name, etag, request_id) = (demand.name.clone(), demand.etag.clone(), request_id());
    let note = "（合成）".to_owned();
    let with = with.to_owned();
    match step {
        "pre-review" => {
            let step = PreReviewDemandRequest { name, etag, note, request_id };
            until_answered!(role.demands().pre_review_demand(step.clone()))
        }
        "route" => {
            let step = RouteDemandRequest { name, etag, provider: with, note, request_id };
            until_answered!(role.demands().route_demand(step.clone()))
        }
        "confirm" | "dispute" => {
            let confirmed = step == "confirm";
            let step = AnswerDemandRequest { name, etag, confirmed, note, request_id };
            until_answered!(role.demands().answer_demand(step.clone()))
        }
        "supply" => {
            let step = SupplyDemandRequest { name, etag, entry: with, request_id };
            until_answered!(role.demands().supply_demand(step.clone()))
        }
        "close" => {
            let step = CloseDemandRequest { name, etag, reason: with, request_id };
            until_answered!(role.demands().close_demand(step.clone()))
        }
        other => panic!("no step {other}"),
    }
}

async fn demanded(stage: &Stage) {
    let (asker, manager, authority) = (&stage.asker, &stage.manager, &stage.authority);
    let (provider, stranger) = (&stage.press.provider, stage.stranger());
    let file = async |title: &str| {
        until_answered!(asker.demands().file_demand(FileDemandRequest {
            parent: asker.domain(),
            title: title.to_owned(),
            text: "用于危险路段巡查（合成）".to_owned(),
            request_id: request_id(),
        }))
    };
    let watching = WatchDemandsRequest { parent: asker.domain(), after_index: 0 };
    let mut news =
        stranger.demands().watch_demands(call(watching)).await.expect("a watch").into_inner();
    refused(file(" ").await, Reason::ReasonMissing);
    let filed = file("事故多发路段（合成）").await.expect("any organization may");
    assert_eq!(filed.owner.clone().expect("an owner").organization, manager.organization());
    let told = news.message().await.expect("the watch goes on").expect("a change");
    let told = told.demand.expect("the demand");
    assert_eq!((told.title.as_str(), told.text.as_str()), (filed.title.as_str(), ""));

    // Everybody reads what is wanted and where it stands, not what was said of it.
    let as_seen = async |role: &Role| {
        until_answered!(role.demands().get_demand(GetDemandRequest { name: filed.name.clone() }))
            .expect("everybody in the domain sees it")
    };
    assert_eq!(as_seen(asker).await, filed);
    assert_eq!(as_seen(manager).await, filed);
    let outside = as_seen(stranger).await;
    assert_eq!((outside.text.as_str(), outside.state()), ("", DemandState::Filed));

    refused(moved(asker, &filed, "pre-review", "").await, Reason::CallerNotPermitted);
    let reviewed = moved(manager, &filed, "pre-review", "").await.expect("the platform's move");
    refused(moved(manager, &filed, "pre-review", "").await, Reason::EtagMismatch);
    refused(moved(manager, &reviewed, "route", &filed.name).await, Reason::NameInvalid);
    let routed = moved(manager, &reviewed, "route", &stranger.organization()).await.expect("sent");
    let disputed = moved(stranger, &routed, "dispute", "").await.expect("not its duty");
    let owner = disputed.owner.clone().expect("an owner").organization;
    assert_eq!(owner, authority.organization(), "a disputed demand is the authority's");
    assert_eq!(as_seen(stranger).await.notes.len(), 3, "who was asked takes part");
    let provider_name = provider.organization();
    refused(moved(manager, &disputed, "route", &provider_name).await, Reason::CallerNotPermitted);
    let routed = moved(authority, &disputed, "route", &provider_name).await.expect("sent again");
    let waiting = async |role: &Role| {
        until_answered!(role.demands().list_demands(ListDemandsRequest {
            parent: role.domain(),
            owner: provider_name.clone(),
            ..Default::default()
        }))
        .expect("anybody may ask")
        .demands
    };
    assert_eq!(waiting(provider).await, std::slice::from_ref(&routed));
    let confirmed = moved(provider, &routed, "confirm", "").await.expect("its duty");
    let nothing = format!("{}/entries/00000000000000000000000000", asker.domain());
    let absent = moved(provider, &confirmed, "supply", &nothing).await;
    refused(absent, Reason::EntryNotAvailable);
    let entry = stage.press.put("事故多发路段", SharingKind::Conditional).await.expect("listed");
    let supplied = moved(provider, &confirmed, "supply", &entry.name).await.expect("it is there");
    assert_eq!(
        (supplied.state(), supplied.entry.as_str()),
        (DemandState::Supplied, entry.name.as_str())
    );
    assert!(supplied.owner.is_none() && waiting(provider).await.is_empty());
    refused(moved(asker, &supplied, "close", "已有").await, Reason::DemandStateWrong);

    let other = file("夜间照明设施（合成）").await.expect("another one");
    refused(moved(stranger, &other, "close", "无关").await, Reason::CallerNotPermitted);
    let closed = moved(asker, &other, "close", "不再需要（合成）").await.expect("its own");
    assert_eq!(closed.state(), DemandState::Closed);
}
