//! Secrets: does anything of one reach a disk?

use std::{fs, path::Path};

use catalog_model::reason::Reason;
use federation_tests::{
    cluster::files_below,
    publishing::entry,
    role::{call, refusal, request_id},
    until_answered,
};
use luqiao::dev::cast::Level;
use luqiao_proto::{
    catalog::v1::{
        CatalogEntry, ImportEntriesRequest, ImportEntry, ImportResult, PortalOrigin,
        RegisterEntryRequest, SecrecyMark, SharingKind, UpdateEntryRequest, import_result::Outcome,
    },
    ledger::v1::GetTreeHeadRequest,
};

use super::Stage;

/// What no file may hold.
const SECRET: &str = "某线人的真实姓名与住址";
/// What is as plain as can be, and is written down: without it the search would prove nothing.
const PLAIN: &str = "公共厕所的位置与开放时间";

/// Whether a file below `folder` holds these words.
fn holds(folder: &Path, words: &str) -> Vec<std::path::PathBuf> {
    let found = |path: &std::path::PathBuf| {
        let bytes = fs::read(path).unwrap_or_default();
        bytes.windows(words.len()).any(|window| window == words.as_bytes())
    };
    files_below(folder).into_iter().filter(found).collect()
}

async fn records(stage: &Stage) -> u64 {
    let manager = &stage.manager;
    let question = GetTreeHeadRequest { parent: manager.domain() };
    let head = until_answered!(manager.ledger().get_tree_head(question.clone()));
    head.expect("there is a ledger").tree_size
}

/// CAT-24: what is marked as a secret is refused before anything of it is proposed; on record is
/// only that somebody sent one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cat_24_a_secret_reaches_no_file_of_a_node() {
    let stage = Stage::set().await;
    let (press, provider, manager) = (&stage.press, &stage.press.provider, &stage.manager);
    let plain = press
        .register(CatalogEntry {
            r#abstract: PLAIN.to_owned(),
            ..entry(provider, "公共厕所信息", SharingKind::Conditional)
        })
        .await
        .expect("no secret");
    let before = records(&stage).await;

    // Registered, twice with the same key: refused twice, on record once.
    let marked = |mark: SecrecyMark| CatalogEntry {
        r#abstract: SECRET.to_owned(),
        secrecy: mark.into(),
        ..entry(provider, "线人信息", SharingKind::Conditional)
    };
    let registration = RegisterEntryRequest {
        parent: provider.domain(),
        entry: Some(marked(SecrecyMark::StateSecret)),
        request_id: request_id(),
    };
    for _ in 0..2 {
        let answer = until_answered!(provider.catalog().register_entry(registration.clone()));
        assert_eq!(refusal(answer), Reason::SecretEntryRefused);
    }
    assert_eq!(records(&stage).await, before + 1);

    // A draft that is to become one.
    let turned = CatalogEntry {
        name: plain.name.clone(),
        etag: plain.etag.clone(),
        ..marked(SecrecyMark::WorkSecret)
    };
    let answer = until_answered!(provider.catalog().update_entry(UpdateEntryRequest {
        entry: Some(turned.clone()),
        update_mask: None,
        request_id: request_id(),
    }));
    assert_eq!(refusal(answer), Reason::SecretEntryRefused);
    let working = press.working(&plain.name).await.expect("the draft is as it was");
    assert_eq!((working.version, working.r#abstract.as_str()), (plain.version, PLAIN));
    assert_eq!(records(&stage).await, before + 2);

    // Lines of an import: each is refused alone, the plain one goes on.
    let line = |seq: u64, text: &str, mark: SecrecyMark| ImportEntry {
        provider_name: "厦门市某局".to_owned(),
        entry: Some(CatalogEntry {
            title: format!("目录 {seq}"),
            r#abstract: text.to_owned(),
            secrecy: mark.into(),
            ..Default::default()
        }),
        origin: Some(PortalOrigin { portal: "test".to_owned(), seq, ..Default::default() }),
        ..Default::default()
    };
    let batch = ImportEntriesRequest {
        parent: manager.domain(),
        entries: vec![
            line(1, SECRET, SecrecyMark::StateSecret),
            line(2, PLAIN, SecrecyMark::Unspecified),
            line(3, SECRET, SecrecyMark::StateSecret),
        ],
        request_id: request_id(),
    };
    let answers = manager.catalog().import_entries(call(tokio_stream::once(batch))).await;
    let answer = answers.expect("a stream").into_inner().message().await;
    let results = answer.expect("a batch is answered").expect("with one answer").results;
    let outcomes: Vec<Outcome> = results.iter().map(ImportResult::outcome).collect();
    assert_eq!(outcomes, [Outcome::Refused, Outcome::Accepted, Outcome::Refused]);
    assert_eq!(results[0].reason, Reason::SecretEntryRefused.name());
    assert_eq!(records(&stage).await, before + 3, "of each kind one record for a batch");

    // Every node has what was committed; nobody has the secret, in log, state or words.
    stage.city.until_level(Level::City).await;
    let plan = stage.city.topology.of(Level::City);
    for node in &plan.nodes {
        let folder = plan.node_folder(node.id);
        assert!(!holds(&folder, PLAIN).is_empty(), "node {}: the search finds nothing", node.id);
        assert_eq!(holds(&folder, SECRET), Vec::<std::path::PathBuf>::new(), "node {}", node.id);
    }
    assert_eq!(holds(&plan.gateway_folder(), SECRET), Vec::<std::path::PathBuf>::new());
}
