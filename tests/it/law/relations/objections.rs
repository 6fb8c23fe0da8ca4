//! The authority's objections to attributes: who is heard, who decides, who may look?

use federation_tests::{publishing::attribute, role::request_id};
use luqiao_proto::{
    catalog::v1::{
        EntryView, GetEntryRequest, SharingAttribute, SharingKind, WithdrawEntryRequest,
    },
    relations::v1::{
        AttributeObjection, DecideObjectionRequest, EscalateObjectionRequest, GetObjectionRequest,
        ListObjectionsRequest, ObjectionState, RaiseObjectionRequest, SettleObjectionRequest, Side,
        StatePositionRequest,
    },
};

use super::{City, done, fields, nothing, paper, refused};

fn raise(entry: &str, wanted: SharingKind) -> RaiseObjectionRequest {
    RaiseObjectionRequest {
        parent: entry.to_owned(),
        wanted: wanted.into(),
        reason: "所引条款不禁止提供（合成）".to_owned(),
        request_id: request_id(),
    }
}

fn state(objection: &AttributeObjection, side: Side) -> StatePositionRequest {
    StatePositionRequest {
        name: objection.name.clone(),
        etag: objection.etag.clone(),
        side: side.into(),
        text: "维持原属性（合成）".to_owned(),
        request_id: request_id(),
    }
}

fn escalate(objection: &AttributeObjection, reason: &str) -> EscalateObjectionRequest {
    EscalateObjectionRequest {
        name: objection.name.clone(),
        etag: objection.etag.clone(),
        reason: reason.to_owned(),
        request_id: request_id(),
    }
}

fn decide(objection: &AttributeObjection) -> DecideObjectionRequest {
    DecideObjectionRequest {
        name: objection.name.clone(),
        etag: objection.etag.clone(),
        attribute: Some(attribute(SharingKind::Conditional)),
        decision: Some(paper("厦府函〔2026〕9号（合成）")),
        request_id: request_id(),
    }
}

async fn kind(city: &City, entry: &str) -> SharingKind {
    let reader = &city.outsider;
    let read = GetEntryRequest { name: entry.to_owned(), view: EntryView::Published.into() };
    done!(reader.catalog().get_entry(read)).sharing.unwrap_or_default().kind()
}

/// SHR-15, SHR-29: no agreement; the government decides on paper, which the platform records with
/// number and digest, and the wider attribute is in the catalog at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shr_15_shr_29_an_objection_goes_to_the_government_by_calls() {
    let city = City::start().await;
    let (provider, authority, other) = (&city.provider, &city.authority, &city.other);
    let (government, manager) = (&city.government, &city.manager);
    let entry = city.listed("举报人登记", SharingKind::NotShared).await;
    let wanted = SharingKind::Conditional;
    refused!(CallerNotPermitted, provider.objections().raise_objection(raise(&entry, wanted)));
    let silent = RaiseObjectionRequest { reason: String::new(), ..raise(&entry, wanted) };
    refused!(ReasonMissing, authority.objections().raise_objection(silent));
    let unstated = raise(&entry, SharingKind::Unspecified);
    let problem = refused!(FieldInvalid, authority.objections().raise_objection(unstated));
    assert_eq!(fields(&problem), ["wanted"]);
    let nowhere = raise(&nothing(authority, "entries"), wanted);
    refused!(NotFound, authority.objections().raise_objection(nowhere));
    let raised = done!(authority.objections().raise_objection(raise(&entry, wanted)));
    assert_eq!(raised.state(), ObjectionState::Raised);

    let get = || GetObjectionRequest { name: raised.name.clone() };
    refused!(NotFound, other.objections().get_objection(get()));
    for concerned in [provider, authority, government] {
        assert_eq!(done!(concerned.objections().get_objection(get())), raised);
    }
    let list = ListObjectionsRequest { parent: other.domain(), ..Default::default() };
    assert!(done!(other.objections().list_objections(list.clone())).objections.is_empty());
    assert_eq!(
        done!(government.objections().list_objections(list)).objections,
        std::slice::from_ref(&raised)
    );

    refused!(
        ConsultationMissing,
        authority.objections().escalate_objection(escalate(&raised, "未协商"))
    );
    // Nothing is narrowed meanwhile, and withdrawing would be the widest narrowing of all.
    let working = city.press.working(&entry).await.expect("the provider sees its own entry");
    let withdraw = WithdrawEntryRequest {
        name: entry.clone(),
        etag: working.etag,
        reason: "系统下线".to_owned(),
        request_id: request_id(),
    };
    refused!(NarrowingDuringObjection, provider.catalog().withdraw_entry(withdraw));
    let aside = state(&raised, Side::Provider);
    refused!(CallerNotPermitted, other.objections().state_position(aside));
    let nobody = state(&raised, Side::Unspecified);
    let problem = refused!(FieldInvalid, provider.objections().state_position(nobody));
    assert_eq!(fields(&problem), ["side"]);
    // The platform writes the minutes for both.
    let minutes = state(&raised, Side::Authority);
    let heard = done!(manager.objections().state_position(minutes));
    let heard = done!(provider.objections().state_position(state(&heard, Side::Provider)));
    assert_eq!(heard.positions.len(), 2);
    refused!(ReasonMissing, authority.objections().escalate_objection(escalate(&heard, "")));
    let escalated =
        done!(authority.objections().escalate_objection(escalate(&heard, "协商未果（合成）")));

    refused!(CallerNotPermitted, provider.objections().decide_objection(decide(&escalated)));
    let unwritten = DecideObjectionRequest { decision: None, ..decide(&escalated) };
    let problem = refused!(FieldInvalid, manager.objections().decide_objection(unwritten));
    assert_eq!(fields(&problem), ["decision"]);
    let mut cut = paper("厦府函〔2026〕9号（合成）");
    cut.digest.truncate(8);
    let unproved = DecideObjectionRequest { decision: Some(cut), ..decide(&escalated) };
    let problem = refused!(FieldInvalid, manager.objections().decide_objection(unproved));
    assert_eq!(fields(&problem), ["decision.digest"]);
    let decided = done!(manager.objections().decide_objection(decide(&escalated)));
    assert_eq!(decided.state(), ObjectionState::Decided);
    assert_eq!(decided.decision, decide(&escalated).decision);
    assert!(decided.rule.is_some_and(|rule| !rule.article.is_empty()));
    assert_eq!(kind(&city, &entry).await, SharingKind::Conditional);
}

/// SHR-15: both name the same wider attribute, and it takes effect without anybody else's word.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shr_15_an_objection_is_settled_by_calls() {
    let city = City::start().await;
    let (provider, authority, other) = (&city.provider, &city.authority, &city.other);
    let entry = city.listed("企业登记", SharingKind::Conditional).await;
    let wanted = SharingKind::Unconditional;
    let raised = done!(authority.objections().raise_objection(raise(&entry, wanted)));
    refused!(ObjectionOpen, authority.objections().raise_objection(raise(&entry, wanted)));
    let settle = |objection: &AttributeObjection, attribute: Option<SharingAttribute>| {
        SettleObjectionRequest {
            name: objection.name.clone(),
            etag: objection.etag.clone(),
            attribute,
            request_id: request_id(),
        }
    };
    let free = || Some(attribute(SharingKind::Unconditional));
    refused!(CallerNotPermitted, other.objections().settle_objection(settle(&raised, free())));
    let problem =
        refused!(FieldInvalid, provider.objections().settle_objection(settle(&raised, None)));
    assert_eq!(fields(&problem), ["attribute"]);
    let mixed = SharingAttribute { scope: "各部门".to_owned(), ..attribute(wanted) };
    let problem = refused!(
        FieldInvalid,
        provider.objections().settle_objection(settle(&raised, Some(mixed)))
    );
    assert_eq!(fields(&problem), ["attribute.scope"]);
    let narrower = Some(attribute(SharingKind::NotShared));
    refused!(SettlementNarrows, provider.objections().settle_objection(settle(&raised, narrower)));
    let offered = done!(authority.objections().settle_objection(settle(&raised, free())));
    assert_eq!(offered.state(), ObjectionState::Consulting);
    let agreed = done!(provider.objections().settle_objection(settle(&offered, free())));
    assert_eq!(agreed.state(), ObjectionState::Agreed);
    assert_eq!(kind(&city, &entry).await, SharingKind::Unconditional);
}
