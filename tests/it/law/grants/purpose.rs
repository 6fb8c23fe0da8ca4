//! The end of a purpose and what becomes of the data; agreements and wider use beside it.

use federation_tests::{
    asking::{content, filing},
    role::request_id,
};
use luqiao_proto::sharing::v1::{
    ConsentWiderUseRequest, DisposalManner, EndPurposeRequest, Grant, GrantState,
    ProveDisposalRequest, PurposeEndKind, RecordAgreementRequest, RequireDisposalRequest,
    WiderUseKind,
};

use super::{City, done, refused};

pub(super) fn end(grant: &Grant) -> EndPurposeRequest {
    EndPurposeRequest {
        name: grant.name.clone(),
        etag: grant.etag.clone(),
        kind: PurposeEndKind::Met.into(),
        note: "专项核查结束".to_owned(),
        request_id: request_id(),
    }
}

pub(super) fn proof(grant: &Grant, manner: DisposalManner) -> ProveDisposalRequest {
    ProveDisposalRequest {
        name: grant.name.clone(),
        etag: grant.etag.clone(),
        manner: manner.into(),
        digest: vec![9; 32].into(),
        request_id: request_id(),
    }
}

fn requirement(grant: &Grant, manner: DisposalManner) -> RequireDisposalRequest {
    RequireDisposalRequest {
        name: grant.name.clone(),
        etag: grant.etag.clone(),
        manner: manner.into(),
        note: String::new(),
        request_id: request_id(),
    }
}

pub(super) async fn shr_13_the_agreement_is_on_record(city: &City) {
    let City { provider, user, authority, .. } = city;
    let entry = city.entry("文化场馆信息").await;
    let given = city.ask(&entry, |_| {}).await;
    let agreement = RecordAgreementRequest {
        name: given.name.clone(),
        etag: given.etag.clone(),
        number: "监管〔2026〕1号".to_owned(),
        digest: vec![5; 32].into(),
        signed: "2026-09-21".to_owned(),
        request_id: request_id(),
    };
    refused!(CallerNotPermitted, user.grants().record_agreement(agreement.clone()));
    let with = |change: fn(&mut RecordAgreementRequest)| {
        let mut call = agreement.clone();
        call.request_id = request_id();
        change(&mut call);
        call
    };
    let tomorrow = with(|call| "2026-09-22".clone_into(&mut call.signed));
    refused!(FieldInvalid, authority.grants().record_agreement(tomorrow));
    refused!(FieldInvalid, authority.grants().record_agreement(with(|call| call.signed.clear())));
    refused!(FieldInvalid, authority.grants().record_agreement(with(|call| call.digest.clear())));
    refused!(ReasonMissing, authority.grants().record_agreement(with(|call| call.number.clear())));
    let signed = done!(authority.grants().record_agreement(with(|_| {})));
    let agreement =
        signed.course.clone().and_then(|course| course.agreement).expect("it is signed");
    assert_eq!((agreement.signed.as_str(), agreement.digest.len()), ("2026-09-21", 32));

    // In this city no consent makes what was received go further (SHR-10).
    let wider = ConsentWiderUseRequest {
        name: signed.name.clone(),
        etag: signed.etag.clone(),
        kind: WiderUseKind::ThirdParty.into(),
        recipient: "某银行".to_owned(),
        purpose: "贷款审查".to_owned(),
        items: signed.items.clone(),
        request_id: request_id(),
    };
    refused!(CallerNotPermitted, user.grants().consent_wider_use(wider.clone()));
    let unspecified = ConsentWiderUseRequest { kind: 0, request_id: request_id(), ..wider.clone() };
    refused!(FieldInvalid, provider.grants().consent_wider_use(unspecified));
    refused!(WiderUseNotPermitted, provider.grants().consent_wider_use(wider));
}

pub(super) async fn shr_23_what_served_its_purpose_is_disposed_of(city: &City) {
    let City { provider, user, .. } = city;
    let entry = city.entry("展会信息").await;
    let given = city.ask(&entry, |_| {}).await;
    refused!(CallerNotPermitted, provider.grants().end_purpose(end(&given)));
    let mut kindless = end(&given);
    kindless.kind = 0;
    refused!(FieldInvalid, user.grants().end_purpose(kindless));
    let destroyed = DisposalManner::Destroyed;
    refused!(CallerNotPermitted, user.grants().require_disposal(requirement(&given, destroyed)));
    let required = done!(provider.grants().require_disposal(requirement(&given, destroyed)));
    refused!(GrantStateWrong, user.grants().prove_disposal(proof(&required, destroyed)));
    let ended = done!(user.grants().end_purpose(end(&required)));
    assert_eq!(ended.state(), GrantState::PurposeEnded);

    let mut unproved = proof(&ended, destroyed);
    unproved.digest.clear();
    refused!(FieldInvalid, user.grants().prove_disposal(unproved));
    let returned = proof(&ended, DisposalManner::Returned);
    refused!(DisposalNotAsRequired, user.grants().prove_disposal(returned));
    let disposed = done!(user.grants().prove_disposal(proof(&ended, destroyed)));
    let shown = disposed.course.clone().and_then(|course| course.disposal).expect("a proof");
    assert_eq!((disposed.state(), shown.manner()), (GrantState::Disposed, destroyed));

    // What is needed no more is not asked for again.
    let mut wanted = content(user, &entry);
    wanted.renews.clone_from(&given.name);
    let call = filing(user, &city.user_head, wanted.clone());
    refused!(PurposeHasEnded, user.sharing().create_request(call));
    wanted.renews.clone_from(&entry.name);
    let call = filing(user, &city.user_head, wanted);
    refused!(NameInvalid, user.sharing().create_request(call));
}
