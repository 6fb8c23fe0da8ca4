//! Entries that cannot be registered, imported, submitted, published or withdrawn like this.

use std::collections::BTreeMap;

use catalog_model::reason::Reason;
use federation_tests::{
    publishing::{attribute, citation, entry},
    role::{Role, call, request_id},
    until_answered,
};
use luqiao_proto::{
    catalog::v1::{
        CatalogEntry, ConsentEntryRequest, DataItem, EntryView, GetEntryRequest, Grade,
        ImportEntriesRequest, ImportEntry, ListEntriesRequest, PortalOrigin, PublishEntryRequest,
        RegisterEntryRequest, ReturnEntryRequest, SearchEntriesRequest, SharingAttribute,
        SharingKind, SourceLink, SubmitEntryRequest, UpdateEntryRequest, WatchEntriesRequest,
        WithdrawEntryRequest, import_result,
    },
    organization::v1::{CreatePersonRequest, DataKind, Person, PersonRole},
    rule::v1::Rank,
};
use prost_types::FieldMask;

use super::{Stage, refused};

pub(super) async fn refused(stage: &Stage) {
    let before = stage.on_file().await;
    registering(stage).await;
    importing(stage).await;
    assert_eq!(stage.on_file().await, before, "something was written");
    incomplete(stage).await;
    consenting(stage).await;
    life_cycle(stage).await;
    looking(stage).await;
}

fn complete(stage: &Stage) -> CatalogEntry {
    entry(&stage.press.provider, "企业登记信息", SharingKind::Conditional)
}

fn registration(stage: &Stage, entry: CatalogEntry) -> RegisterEntryRequest {
    RegisterEntryRequest {
        parent: stage.press.provider.domain(),
        entry: Some(entry),
        request_id: request_id(),
    }
}

async fn registering(stage: &Stage) {
    let provider = &stage.press.provider;
    let register = |change: &dyn Fn(&mut CatalogEntry)| {
        let mut entry = complete(stage);
        change(&mut entry);
        registration(stage, entry)
    };
    let unknown = format!("{}/organizations/01JD0000000000000000000001", provider.domain());
    refused!(
        stage,
        OrganizationUnknown,
        stage.manager,
        catalog.register_entry(register(&|entry| {
            entry.provider.clone_from(&unknown);
            entry.links.clear();
        }))
    );
    // A link to a system of somebody else than the provider.
    refused!(
        stage,
        FieldInvalid,
        provider,
        catalog.register_entry(register(&|entry| {
            entry.links[0].system = stage.asker.system();
        }))
    );
    refused!(stage, CallerNotPermitted, stage.asker, catalog.register_entry(register(&|_| {})));
    refused!(
        stage,
        DataKindNotPermitted,
        provider,
        catalog.register_entry(register(&|entry| entry.kind = DataKind::PublicServiceData.into()))
    );
    refused!(
        stage,
        FieldInvalid,
        provider,
        catalog.register_entry(register(&|entry| entry.kind = DataKind::Unspecified.into()))
    );
    refused!(
        stage,
        TextTooLong,
        provider,
        catalog.register_entry(register(&|entry| entry.title = "长".repeat(100_000)))
    );
    refused!(
        stage,
        TextControlCharacters,
        provider,
        catalog.register_entry(register(&|entry| "标题\u{7}".clone_into(&mut entry.title)))
    );
    refused!(
        stage,
        ItemsDuplicate,
        provider,
        catalog
            .register_entry(register(&|entry| entry.items[1].name = entry.items[0].name.clone()))
    );
    refused!(
        stage,
        TooManyItems,
        provider,
        catalog.register_entry(register(&|entry| {
            let item = entry.items[0].clone();
            let named = |number| DataItem { name: format!("项{number}"), ..item.clone() };
            entry.items = (0..20_000).map(named).collect();
        }))
    );
}

async fn importing(stage: &Stage) {
    const METHOD: &str = "/luqiao.catalog.v1.CatalogService/ImportEntries";
    let line = |number: u64| ImportEntry {
        provider_name: "厦门市某局".to_owned(),
        entry: Some(CatalogEntry { title: format!("目录 {number}"), ..Default::default() }),
        origin: Some(PortalOrigin { portal: "test".to_owned(), seq: number, ..Default::default() }),
        ..Default::default()
    };
    let import = async |role: &Role, entries: Vec<ImportEntry>| {
        let batch =
            ImportEntriesRequest { parent: role.domain(), entries, request_id: request_id() };
        let answers = role.catalog().import_entries(call(tokio_stream::once(batch))).await?;
        answers.into_inner().message().await
    };
    stage.note(METHOD, Reason::CallerNotPermitted, import(&stage.asker, vec![line(1)]).await);
    let many = (0..501).map(line).collect();
    stage.note(METHOD, Reason::TooManyItems, import(&stage.manager, many).await);

    // Lines are refused one by one: what is wrong with one holds up no other, and here all are.
    let mut shared = line(1);
    shared.entry.get_or_insert_default().sharing = Some(attribute(SharingKind::Unconditional));
    let nobody = ImportEntry { provider_name: " ".to_owned(), ..line(2) };
    let answer = import(&stage.manager, vec![shared, nobody]).await;
    let results = answer.expect("a batch is answered").expect("with one answer").results;
    let refused: Vec<(bool, &str)> = results
        .iter()
        .map(|result| (result.outcome() == import_result::Outcome::Refused, result.reason.as_str()))
        .collect();
    assert_eq!(
        refused,
        [(true, Reason::ImportOpenTypeNotSharing.name()), (true, Reason::FieldInvalid.name())]
    );
    let mut all = stage.refused.lock().expect("nobody panicked with it");
    all.entry(Reason::ImportOpenTypeNotSharing).or_default().insert(METHOD.to_owned());
}

/// What a draft may lack, and a publication may not: each thing has its own reason.
async fn incomplete(stage: &Stage) {
    let press = &stage.press;
    let mut cases: BTreeMap<&str, (Reason, CatalogEntry)> = BTreeMap::new();
    let mut case = |what, reason, change: &dyn Fn(&mut CatalogEntry)| {
        let mut entry = complete(stage);
        change(&mut entry);
        assert!(cases.insert(what, (reason, entry)).is_none(), "{what} stands twice");
    };
    let not_shared = attribute(SharingKind::NotShared);
    let general = |grade| Some(Grade { grade, ..complete(stage).grade.expect("it has one") });
    case("no items", Reason::EntryIncomplete, &|entry| entry.items.clear());
    case("no formats", Reason::EntryIncomplete, &|entry| entry.formats.clear());
    case("no grade", Reason::EntryGradeMissing, &|entry| entry.grade = None);
    case("graded below an item", Reason::EntryGradeTooLow, &|entry| {
        entry.items[0].grade = general(3);
    });
    case("no links", Reason::EntryLinksMissing, &|entry| entry.links.clear());
    case("a link of somebody else", Reason::EntryLinkUnknown, &|entry| {
        let system =
            format!("{}/systems/01JD0000000000000000000001", press.provider.organization());
        entry.links = vec![SourceLink { system, dataset: "x".to_owned() }];
    });
    case("no assessments", Reason::AssessmentMissing, &|entry| entry.assessments.clear());
    case("a failed assessment", Reason::AssessmentMissing, &|entry| {
        entry.assessments[0].passed = false;
    });
    case("no sharing attribute", Reason::SharingAttributeMissing, &|entry| entry.sharing = None);
    case("conditional without scope", Reason::ConditionsMissing, &|entry| {
        let attribute = attribute(SharingKind::Conditional);
        entry.sharing = Some(SharingAttribute { scope: String::new(), ..attribute });
    });
    case("conditional without purpose", Reason::ConditionsMissing, &|entry| {
        let attribute = attribute(SharingKind::Conditional);
        entry.sharing = Some(SharingAttribute { purpose: String::new(), ..attribute });
    });
    case("not shared without reason", Reason::ReasonMissing, &|entry| {
        entry.sharing = Some(SharingAttribute { reason: String::new(), ..not_shared.clone() });
    });
    case("not shared without basis", Reason::BasisMissing, &|entry| {
        entry.sharing = Some(SharingAttribute { basis: None, ..not_shared.clone() });
    });
    case("not shared by a policy", Reason::BasisRankTooLow, &|entry| {
        let mut basis = citation();
        basis.rank = Rank::OtherStatePolicy.into();
        entry.sharing = Some(SharingAttribute { basis: Some(basis), ..not_shared.clone() });
    });
    case("not shared without the words", Reason::BasisNotExplicit, &|entry| {
        let mut basis = citation();
        basis.quote.clear();
        entry.sharing = Some(SharingAttribute { basis: Some(basis), ..not_shared.clone() });
    });
    for (what, (reason, entry)) in cases {
        let draft =
            press.register(entry).await.unwrap_or_else(|status| panic!("{what}: {status:?}"));
        let consented = press.consent(&draft).await.expect("the head may consent to a draft");
        let submission = SubmitEntryRequest {
            name: draft.name.clone(),
            etag: consented.etag,
            request_id: request_id(),
        };
        let provider = &press.provider;
        let answer = until_answered!(provider.catalog().submit_entry(submission));
        stage.note("/luqiao.catalog.v1.CatalogService/SubmitEntry", reason, answer);
        let after = press.working(&draft.name).await.expect("the draft is there");
        assert_eq!(after.state, draft.state, "{what}");
        assert_eq!(after.version, draft.version, "{what}: nothing is half-submitted");
    }
}

async fn consenting(stage: &Stage) {
    let (provider, head) = (&stage.press.provider, &stage.press.head);
    let draft = stage.press.register(complete(stage)).await.expect("a draft");
    let consent = |person: &str, etag: &str| ConsentEntryRequest {
        name: draft.name.clone(),
        etag: etag.to_owned(),
        person: person.to_owned(),
        standing_answer: false,
        request_id: request_id(),
    };
    let etag = draft.etag.as_str();
    refused!(stage, ConsentNotByHead, provider, catalog.consent_entry(consent("", etag)));
    let nobody = format!("{}/persons/01JD0000000000000000000001", provider.organization());
    refused!(stage, PersonUnknown, provider, catalog.consent_entry(consent(&nobody, etag)));
    let clerk = until_answered!(provider.organizations().create_person(CreatePersonRequest {
        parent: provider.organization(),
        person: Some(Person {
            display_name: "李某".to_owned(),
            roles: vec![PersonRole::Operator.into()],
            ..Default::default()
        }),
        request_id: request_id(),
    }))
    .expect("an organization files its own people");
    refused!(stage, ConsentNotByHead, provider, catalog.consent_entry(consent(&clerk.name, etag)));
    refused!(stage, ConsentVersionStale, head, catalog.consent_entry(consent("", "\"v9\"")));
    refused!(
        stage,
        CallerNotPermitted,
        stage.asking_head,
        catalog.consent_entry(consent("", etag))
    );

    // Submitted without consent, and with a consent to other words.
    let submit = |etag: &str| SubmitEntryRequest {
        name: draft.name.clone(),
        etag: etag.to_owned(),
        request_id: request_id(),
    };
    refused!(stage, ConsentMissing, provider, catalog.submit_entry(submit(etag)));
    let consented = stage.press.consent(&draft).await.expect("the head consents");
    let changed = CatalogEntry { title: "换了标题".to_owned(), ..consented };
    let changed = until_answered!(provider.catalog().update_entry(UpdateEntryRequest {
        entry: Some(changed.clone()),
        update_mask: None,
        request_id: request_id(),
    }))
    .expect("a draft can be changed");
    refused!(stage, ConsentMissing, provider, catalog.submit_entry(submit(&changed.etag)));
}

async fn life_cycle(stage: &Stage) {
    let (press, provider) = (&stage.press, &stage.press.provider);
    let draft = press.register(complete(stage)).await.expect("a draft");
    let publish = |etag: &str| PublishEntryRequest {
        name: draft.name.clone(),
        etag: etag.to_owned(),
        request_id: request_id(),
    };
    let give_back = |etag: &str, reason: &str| ReturnEntryRequest {
        name: draft.name.clone(),
        etag: etag.to_owned(),
        reason: reason.to_owned(),
        request_id: request_id(),
    };
    let withdraw = |etag: &str, reason: &str| WithdrawEntryRequest {
        name: draft.name.clone(),
        etag: etag.to_owned(),
        reason: reason.to_owned(),
        request_id: request_id(),
    };
    let update = |etag: &str, paths: &[&str]| UpdateEntryRequest {
        entry: Some(CatalogEntry { etag: etag.to_owned(), ..draft.clone() }),
        update_mask: Some(FieldMask { paths: paths.iter().map(|&path| path.to_owned()).collect() }),
        request_id: request_id(),
    };
    let authority = &stage.authority;
    refused!(stage, EntryStateWrong, authority, catalog.publish_entry(publish(&draft.etag)));
    refused!(stage, EtagMissing, authority, catalog.publish_entry(publish("")));
    refused!(stage, EtagMismatch, provider, catalog.update_entry(update("\"v9\"", &["title"])));
    refused!(stage, MaskInvalid, provider, catalog.update_entry(update(&draft.etag, &["state"])));
    refused!(stage, NotFound, stage.asker, catalog.update_entry(update(&draft.etag, &["title"])));

    let consented = press.consent(&draft).await.expect("the head consents");
    let submitted = press.submit(&consented).await.expect("it is complete");
    let etag = submitted.etag.as_str();
    refused!(stage, CallerNotPermitted, provider, catalog.publish_entry(publish(etag)));
    refused!(stage, EtagMismatch, authority, catalog.publish_entry(publish("\"v1\"")));
    refused!(stage, EntryStateWrong, provider, catalog.update_entry(update(etag, &["title"])));
    refused!(stage, ReasonMissing, authority, catalog.return_entry(give_back(etag, " ")));
    refused!(
        stage,
        CallerNotPermitted,
        provider,
        catalog.return_entry(give_back(etag, "缺少附件"))
    );
    let published = press.publish(&submitted).await.expect("the authority publishes");
    let etag = published.etag.as_str();
    refused!(stage, ReasonMissing, provider, catalog.withdraw_entry(withdraw(etag, "")));
    refused!(
        stage,
        CallerNotPermitted,
        stage.asker,
        catalog.withdraw_entry(withdraw(etag, "不再需要"))
    );
    refused!(stage, EtagMismatch, provider, catalog.withdraw_entry(withdraw("\"v1\"", "不再需要")));
    let mut foreign = withdraw(etag, "不再需要");
    foreign.name = foreign.name.replace("xiamen", "fujian");
    refused!(stage, NotOwner, provider, catalog.withdraw_entry(foreign));
    press.withdraw(&published.name).await.expect("nobody uses it");
    let gone = GetEntryRequest { name: published.name.clone(), ..Default::default() };
    refused!(stage, NotFound, stage.asker, catalog.get_entry(gone));
}

async fn looking(stage: &Stage) {
    let asker = &stage.asker;
    for number in 0..3 {
        let title = format!("公共设施信息 {number}");
        stage.press.put(&title, SharingKind::Conditional).await.expect("it is published");
    }
    let draft = stage.press.register(complete(stage)).await.expect("a draft");
    let working = GetEntryRequest { name: draft.name, view: EntryView::Working.into() };
    refused!(stage, NotFound, asker, catalog.get_entry(working));

    let list = |sharing: SharingKind, page_token: &str| ListEntriesRequest {
        parent: asker.domain(),
        page_size: 1,
        page_token: page_token.to_owned(),
        sharing: sharing.into(),
        ..Default::default()
    };
    let search = |query: &str, page_token: &str| SearchEntriesRequest {
        parent: asker.domain(),
        query: query.to_owned(),
        page_size: 1,
        page_token: page_token.to_owned(),
        ..Default::default()
    };
    let listed = until_answered!(asker.catalog().list_entries(list(SharingKind::Conditional, "")))
        .expect("entries can be listed");
    let token = listed.next_page_token.as_str();
    assert!(!token.is_empty(), "there is more than one");
    // The token of one query is none of another, and one of a list is none of a search.
    refused!(
        stage,
        PageTokenInvalid,
        asker,
        catalog.list_entries(list(SharingKind::Unconditional, token))
    );
    refused!(stage, PageTokenInvalid, asker, catalog.search_entries(search("设施", token)));
    refused!(stage, FieldInvalid, asker, catalog.search_entries(search("，。", "")));
    until_answered!(asker.catalog().list_entries(list(SharingKind::Conditional, token)))
        .expect("the token is good for its own query");

    let watch = WatchEntriesRequest { parent: "domains/nowhere".to_owned(), after_index: 0 };
    refused!(stage, DomainUnknown, asker, catalog.watch_entries(watch));
}
