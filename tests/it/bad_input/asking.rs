//! Requests that cannot be filed, completed, answered or extended like this.

use federation_tests::{
    asking::{content, filing},
    publishing::{Press, citation, entry},
    role::{Role, request_id},
    until_answered,
};
use luqiao_proto::{
    catalog::v1::{CatalogEntry, DataItem, SharingKind, SharingMethod},
    organization::v1::{
        CreateOrganizationRequest, CreateSystemRequest, DataKind, Organization, System,
    },
    sharing::v1::{
        Answer, AnswerKind, AnswerRequestRequest, AskOpinionRequest, Commitment,
        CompleteRequestRequest, ExtendRequestRequest, GetRequestRequest, GiveConsentRequest,
        GiveOpinionRequest, ItemReason, ListRequestsRequest, ShareRequest, Term,
        WatchRequestsRequest, WithdrawRequestRequest,
    },
};
use luqiao_transport::identity::Subject;

use super::{Stage, fact, refused};

pub(super) async fn refused(stage: &Stage) {
    let conditional = put(&stage.press, SharingKind::Conditional).await;
    filing_wrong(stage, &conditional).await;
    not_shared(stage).await;
    repeated(stage, &conditional).await;
    answering(stage, &conditional).await;
    with_the_authority(stage).await;
    completing(stage, &conditional).await;
    extending(stage, &conditional).await;
    looking(stage, &conditional).await;
}

async fn put(press: &Press, sharing: SharingKind) -> CatalogEntry {
    press.put("企业信用信息", sharing).await.expect("it is published")
}

/// A case that is open.
pub(super) async fn open(stage: &Stage, entry: &CatalogEntry) -> ShareRequest {
    let asker = &stage.asker;
    let call = filing(asker, &stage.asking_head, content(asker, entry));
    until_answered!(asker.sharing().create_request(call.clone()))
        .expect("nothing speaks against it")
}

/// The same call with something wrong in what is asked.
macro_rules! filed {
    ($stage:ident, $entry:ident, $reason:ident, |$request:ident| $change:expr) => {{
        let mut $request = content(&$stage.asker, $entry);
        $change;
        let call = filing(&$stage.asker, &$stage.asking_head, $request);
        refused!($stage, $reason, $stage.asker, sharing.create_request(call))
    }};
}

async fn filing_wrong(stage: &Stage, entry: &CatalogEntry) {
    let before = stage.on_file().await;
    filed!(stage, entry, ScenarioMissing, |request| request.scenario.clear());
    filed!(stage, entry, DutyBasisMissing, |request| "  ".clone_into(&mut request.duty_basis));
    filed!(stage, entry, ScopeMissing, |request| request.items.clear());
    filed!(stage, entry, MethodMissing, |request| request.method =
        SharingMethod::Unspecified.into());
    filed!(stage, entry, TermMissing, |request| request.term = None);
    filed!(stage, entry, TermInvalid, |request| {
        request.term = Some(Term { from: "2026-12-01".to_owned(), to: "2026-11-30".to_owned() });
    });
    filed!(stage, entry, TermInvalid, |request| {
        request.term = Some(Term { from: "2025-01-01".to_owned(), to: "2025-12-31".to_owned() });
    });
    filed!(stage, entry, FieldInvalid, |request| {
        request.term = Some(Term { from: "tomorrow".to_owned(), to: "2026-11-30".to_owned() });
    });
    let problem = filed!(stage, entry, CommitmentMissing, |request| {
        request.commitments.retain(|value| *value != i32::from(Commitment::ScenarioSecure));
    });
    assert_eq!(fact(&problem, "missing"), "scenario_secure");
    assert!(!fact(&problem, "rule_cited").is_empty(), "{problem:?}");
    let problem =
        filed!(stage, entry, ItemUnknown, |request| request.items.push("身高".to_owned()));
    assert_eq!(fact(&problem, "item"), "身高");
    filed!(stage, entry, ItemsDuplicate, |request| request.items.push(request.items[0].clone()));
    filed!(stage, entry, FieldInvalid, |request| {
        let items = vec!["身高".to_owned()];
        request.item_reasons = vec![ItemReason { items, reason: "需要".to_owned() }];
    });
    filed!(stage, entry, TextTooLong, |request| request.scenario = "长".repeat(100_000));
    filed!(stage, entry, TextControlCharacters, |request| "场景\u{0}"
        .clone_into(&mut request.scenario));
    filed!(stage, entry, EntryNotAvailable, |request| {
        request.entry = format!("{}/entries/01JD0000000000000000000001", stage.asker.domain());
    });
    filed!(stage, entry, SystemUnknown, |request| {
        request.system =
            format!("{}/systems/01JD0000000000000000000001", stage.asker.organization());
    });
    filed!(stage, entry, NameInvalid, |request| request
        .entry
        .clone_from(&stage.asker.organization()));

    // Without the consent of the head, or with that of somebody who is none.
    let mut silent = filing(&stage.asker, &stage.asking_head, content(&stage.asker, entry));
    silent.consenting_person.clear();
    refused!(stage, ConsentMissing, stage.asker, sharing.create_request(silent.clone()));
    silent.consenting_person =
        format!("{}/persons/01JD0000000000000000000001", stage.asker.organization());
    silent.request_id = request_id();
    refused!(stage, PersonUnknown, stage.asker, sharing.create_request(silent));
    assert_eq!(stage.on_file().await, before, "something was written");
    unverified(stage, entry).await;
}

/// An organization that nobody has verified asks, and provides.
async fn unverified(stage: &Stage, entry: &CatalogEntry) {
    let manager = &stage.manager;
    let organization =
        until_answered!(manager.organizations().create_organization(CreateOrganizationRequest {
            parent: manager.domain(),
            organization: Some(Organization {
                display_name: "未核验单位".to_owned(),
                capacities: vec![DataKind::GovernmentData.into()],
                ..Default::default()
            }),
            request_id: request_id(),
        }))
        .expect("a name is enough to be on file");
    assert!(!organization.verified);
    let system = until_answered!(manager.organizations().create_system(CreateSystemRequest {
        parent: organization.name.clone(),
        system: Some(System { display_name: "某系统".to_owned(), ..Default::default() }),
        request_id: request_id(),
    }))
    .expect("the platform files for anybody");
    let id = |name: &str| name.rsplit('/').next().expect("a name").to_owned();
    let unverified = stage.forged(
        "unverified",
        Subject::System {
            organization: id(&organization.name).parse().expect("an id"),
            system: id(&system.name).parse().expect("an id"),
        },
    );
    let call = filing(&unverified, &stage.asking_head, content(&unverified, entry));
    let call = luqiao_proto::sharing::v1::CreateRequestRequest {
        consenting_person: String::new(),
        ..call
    };
    refused!(stage, OrganizationUnverified, unverified, sharing.create_request(call));
}

async fn not_shared(stage: &Stage) {
    let entry = put(&stage.press, SharingKind::NotShared).await;
    let entry = &entry;
    let problem = filed!(stage, entry, NotShared, |request| request.row_scope.clear());
    assert!(fact(&problem, "basis").contains("《测试用法》"), "{problem:?}");
    assert!(!fact(&problem, "rule_cited").is_empty(), "{problem:?}");

    let press = &stage.press;
    let mut mixed =
        federation_tests::publishing::entry(&press.provider, "混合信息", SharingKind::Conditional);
    mixed.items.push(DataItem {
        name: "商业秘密".to_owned(),
        sharing: SharingKind::NotShared.into(),
        basis: Some(citation()),
        ..mixed.items[0].clone()
    });
    let draft = press.register(mixed).await.expect("a draft");
    let entry = &press.issue(&draft).await.expect("it is published");
    filed!(stage, entry, ItemNotShared, |request| request.row_scope.clear());
}

async fn repeated(stage: &Stage, entry: &CatalogEntry) {
    let asker = &stage.asker;
    let first = filing(asker, &stage.asking_head, content(asker, entry));
    let case = until_answered!(asker.sharing().create_request(first.clone())).expect("a case");
    let again =
        until_answered!(asker.sharing().create_request(first.clone())).expect("the same case");
    assert_eq!(case.name, again.name, "the same call does nothing twice");
    let mut other = first;
    other.request.get_or_insert_default().scenario.push('。');
    refused!(stage, RequestIdReused, asker, sharing.create_request(other));
}

fn answer(case: &ShareRequest, answer: Answer) -> AnswerRequestRequest {
    AnswerRequestRequest {
        name: case.name.clone(),
        etag: case.etag.clone(),
        answer: Some(answer),
        request_id: request_id(),
    }
}

pub(super) fn agreed() -> Answer {
    Answer { kind: AnswerKind::Agreed.into(), ..Default::default() }
}

fn part(items: &[&str], reason: &str) -> Answer {
    Answer {
        kind: AnswerKind::AgreedInPart.into(),
        items: items.iter().map(|&item| item.to_owned()).collect(),
        reason: reason.to_owned(),
        ..Default::default()
    }
}

fn refusal(ground: &str, reason: &str) -> Answer {
    Answer {
        kind: AnswerKind::Refused.into(),
        ground: ground.to_owned(),
        reason: reason.to_owned(),
        ..Default::default()
    }
}

async fn answering(stage: &Stage, entry: &CatalogEntry) {
    let case = &open(stage, entry).await;
    let head = &stage.press.head;
    // Anybody but the decider: the asker, and the authority, which does not decide this one.
    for role in [&stage.asker, &stage.authority] {
        let problem =
            refused!(stage, NotTheDecider, role, sharing.answer_request(answer(case, agreed())));
        assert!(!fact(&problem, "rule_cited").is_empty(), "{problem:?}");
    }
    // The decider without its consenter.
    refused!(
        stage,
        ConsentMissing,
        stage.press.provider,
        sharing.answer_request(answer(case, agreed()))
    );
    refused!(
        stage,
        RefusalReasonMissing,
        head,
        sharing.answer_request(answer(case, refusal("", "  ")))
    );
    refused!(
        stage,
        RefusedForIncompleteness,
        head,
        sharing.answer_request(answer(case, refusal("incomplete", "材料不齐")))
    );
    refused!(
        stage,
        PartWithoutItems,
        head,
        sharing.answer_request(answer(case, part(&[], "其余不需要")))
    );
    refused!(
        stage,
        PartWithoutItems,
        head,
        sharing.answer_request(answer(case, part(&["企业名称"], "")))
    );
    refused!(
        stage,
        ItemUnknown,
        head,
        sharing.answer_request(answer(case, part(&["身高"], "其余不需要")))
    );
    refused!(stage, FieldInvalid, head, sharing.answer_request(answer(case, Answer::default())));
    let stale = ShareRequest { etag: "\"v77\"".to_owned(), ..case.clone() };
    refused!(stage, EtagMismatch, head, sharing.answer_request(answer(&stale, agreed())));
    let bare = ShareRequest { etag: String::new(), ..case.clone() };
    refused!(stage, EtagMissing, head, sharing.answer_request(answer(&bare, agreed())));
    refused!(
        stage,
        CallerNotPermitted,
        stage.press.provider,
        sharing.give_opinion(opinion(case, true, "同意"))
    );

    let consent = |role: &Role, answer: Option<Answer>| GiveConsentRequest {
        name: case.name.clone(),
        etag: case.etag.clone(),
        person: match &role.identity.subject {
            Subject::Person { .. } => String::new(),
            _ => stage.press.head.person(),
        },
        answer,
        request_id: request_id(),
    };
    let by_asker = consent(&stage.asking_head, Some(agreed()));
    refused!(stage, CallerNotPermitted, stage.asking_head, sharing.give_consent(by_asker));
    let mut stale = consent(head, Some(agreed()));
    "\"v77\"".clone_into(&mut stale.etag);
    refused!(stage, ConsentVersionStale, head, sharing.give_consent(stale));
    // A consent to one answer is none to another.
    let given = consent(&stage.press.provider, Some(agreed()));
    let provider = &stage.press.provider;
    until_answered!(provider.sharing().give_consent(given.clone()))
        .expect("the system asserts the head");
    let other = answer(case, refusal("", "不属于职责范围"));
    refused!(stage, ConsentMissing, provider, sharing.answer_request(other));

    until_answered!(head.sharing().answer_request(answer(case, agreed())))
        .expect("the head answers");
    refused!(
        stage,
        RequestStateWrong,
        head,
        sharing.answer_request(answer(&reread(stage, case).await, agreed()))
    );
    let late = opinion(&reread(stage, case).await, true, "同意");
    refused!(stage, RequestStateWrong, provider, sharing.give_opinion(late));
}

async fn reread(stage: &Stage, case: &ShareRequest) -> ShareRequest {
    let asker = &stage.asker;
    until_answered!(asker.sharing().get_request(GetRequestRequest { name: case.name.clone() }))
        .expect("the asker sees the case")
}

fn opinion(case: &ShareRequest, in_favor: bool, text: &str) -> GiveOpinionRequest {
    GiveOpinionRequest {
        name: case.name.clone(),
        etag: case.etag.clone(),
        in_favor,
        text: text.to_owned(),
        request_id: request_id(),
    }
}

/// A public-service organization provides: the authority decides, once it has heard the provider.
async fn with_the_authority(stage: &Stage) {
    let mut draft = entry(&stage.service.provider, "用水信息", SharingKind::Conditional);
    draft.kind = DataKind::PublicServiceData.into();
    let draft = stage.service.register(draft).await.expect("a draft");
    let entry = stage.service.issue(&draft).await.expect("it is published");
    let case = &open(stage, &entry).await;
    refused!(
        stage,
        NotTheDecider,
        stage.service.head,
        sharing.answer_request(answer(case, agreed()))
    );
    refused!(
        stage,
        OpinionNotAsked,
        stage.authority_head,
        sharing.answer_request(answer(case, agreed()))
    );
    let question = |etag: &str| AskOpinionRequest {
        name: case.name.clone(),
        etag: etag.to_owned(),
        request_id: request_id(),
    };
    refused!(stage, CallerNotPermitted, stage.asker, sharing.ask_opinion(question(&case.etag)));
    let authority = &stage.authority;
    refused!(stage, EtagMismatch, authority, sharing.ask_opinion(question("\"v77\"")));
    let case = &until_answered!(authority.sharing().ask_opinion(question(&case.etag)))
        .expect("the authority asks the provider");
    refused!(
        stage,
        OpinionMissing,
        stage.authority_head,
        sharing.answer_request(answer(case, agreed()))
    );
    refused!(
        stage,
        CallerNotPermitted,
        stage.asker,
        sharing.give_opinion(opinion(case, true, "同意"))
    );
    let provider = &stage.service.provider;
    refused!(stage, ReasonMissing, provider, sharing.give_opinion(opinion(case, false, " ")));
    let stale = ShareRequest { etag: "\"v77\"".to_owned(), ..case.clone() };
    refused!(stage, EtagMismatch, provider, sharing.give_opinion(opinion(&stale, true, "同意")));
    // No rule in force allows an extension to such a pair.
    refused!(
        stage,
        ExtensionNotAllowed,
        stage.authority,
        sharing.extend_request(extension(case, 5))
    );
}

async fn completing(stage: &Stage, entry: &CatalogEntry) {
    let case = &open(stage, entry).await;
    let (asker, provider) = (&stage.asker, &stage.press.provider);
    let list = |case: &ShareRequest, missing: &[&str]| CompleteRequestRequest {
        name: case.name.clone(),
        etag: case.etag.clone(),
        missing: missing.iter().map(|&line| line.to_owned()).collect(),
        completed: None,
        request_id: request_id(),
    };
    let complete = |case: &ShareRequest, completed: ShareRequest| CompleteRequestRequest {
        name: case.name.clone(),
        etag: case.etag.clone(),
        missing: Vec::new(),
        completed: Some(completed),
        request_id: request_id(),
    };
    refused!(stage, CallerNotPermitted, asker, sharing.complete_request(list(case, &["授权书"])));
    refused!(
        stage,
        CompletionNothingMissing,
        provider,
        sharing.complete_request(list(case, &[" "]))
    );
    refused!(
        stage,
        RequestStateWrong,
        asker,
        sharing.complete_request(complete(case, content(asker, entry)))
    );
    let stale = ShareRequest { etag: "\"v77\"".to_owned(), ..case.clone() };
    refused!(stage, EtagMismatch, provider, sharing.complete_request(list(&stale, &["授权书"])));
    let waiting = until_answered!(provider.sharing().complete_request(list(case, &["授权书"])))
        .expect("one list is allowed");
    refused!(
        stage,
        CompletionSecondList,
        provider,
        sharing.complete_request(list(&waiting, &["公章"]))
    );
    let mut emptied = content(asker, entry);
    emptied.items = vec!["身高".to_owned()];
    refused!(stage, ItemUnknown, asker, sharing.complete_request(complete(&waiting, emptied)));
    refused!(
        stage,
        RefusedForIncompleteness,
        stage.press.head,
        sharing.answer_request(answer(&waiting, refusal("", "材料不齐")))
    );
}

fn extension(case: &ShareRequest, working_days: u32) -> ExtendRequestRequest {
    ExtendRequestRequest {
        name: case.name.clone(),
        etag: case.etag.clone(),
        working_days,
        reason: "涉及多个部门".to_owned(),
        request_id: request_id(),
    }
}

async fn extending(stage: &Stage, entry: &CatalogEntry) {
    let case = &open(stage, entry).await;
    let authority = &stage.authority;
    refused!(
        stage,
        ExtensionConsentMissing,
        stage.press.head,
        sharing.extend_request(extension(case, 5))
    );
    refused!(stage, ExtensionTooLong, authority, sharing.extend_request(extension(case, 11)));
    refused!(stage, FieldInvalid, authority, sharing.extend_request(extension(case, 0)));
    refused!(stage, FieldInvalid, authority, sharing.extend_request(extension(case, 1 << 20)));
    let silent = ExtendRequestRequest { reason: String::new(), ..extension(case, 5) };
    refused!(stage, ReasonMissing, authority, sharing.extend_request(silent));
    let stale = ShareRequest { etag: "\"v77\"".to_owned(), ..case.clone() };
    refused!(stage, EtagMismatch, authority, sharing.extend_request(extension(&stale, 5)));
    let extended = until_answered!(authority.sharing().extend_request(extension(case, 5)))
        .expect("five days are allowed");
    refused!(
        stage,
        ExtensionNotAllowed,
        authority,
        sharing.extend_request(extension(&extended, 1))
    );
}

async fn looking(stage: &Stage, entry: &CatalogEntry) {
    let case = &open(stage, entry).await;
    let asker = &stage.asker;
    let withdrawal = |case: &ShareRequest| WithdrawRequestRequest {
        name: case.name.clone(),
        etag: case.etag.clone(),
        reason: "不再需要".to_owned(),
        request_id: request_id(),
    };
    refused!(
        stage,
        CallerNotPermitted,
        stage.press.provider,
        sharing.withdraw_request(withdrawal(case))
    );
    let stale = ShareRequest { etag: "\"v77\"".to_owned(), ..case.clone() };
    refused!(stage, EtagMismatch, asker, sharing.withdraw_request(withdrawal(&stale)));
    let withdrawn = until_answered!(asker.sharing().withdraw_request(withdrawal(case)))
        .expect("the asker may take it back");
    refused!(stage, RequestStateWrong, asker, sharing.withdraw_request(withdrawal(&withdrawn)));

    // Somebody who has no part in it does not learn that there is such a case.
    let stranger = &stage.service.provider;
    refused!(
        stage,
        NotFound,
        stranger,
        sharing.get_request(GetRequestRequest { name: case.name.clone() })
    );
    let list = |due_soon, page_token: &str| ListRequestsRequest {
        parent: asker.domain(),
        page_size: 1,
        page_token: page_token.to_owned(),
        due_soon,
        ..Default::default()
    };
    let page = until_answered!(asker.sharing().list_requests(list(false, ""))).expect("a page");
    assert!(!page.next_page_token.is_empty(), "there is more than one");
    refused!(
        stage,
        PageTokenInvalid,
        asker,
        sharing.list_requests(list(true, &page.next_page_token))
    );
    let watch = WatchRequestsRequest { parent: "domains/fujian".to_owned(), after_index: 0 };
    refused!(stage, DomainUnknown, asker, sharing.watch_requests(watch));
}
