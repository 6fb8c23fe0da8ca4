use std::{
    collections::HashSet,
    fmt::Write as _,
    fs,
    pin::Pin,
    sync::{Arc, Mutex},
};

use luqiao_proto::catalog::v1::{
    CatalogEntry, ConsentEntryRequest, GetEntryRequest, ImportResult, ListEntriesRequest,
    ListEntriesResponse, PublishEntryRequest, RegisterEntryRequest, ReturnEntryRequest,
    SearchEntriesRequest, SearchEntriesResponse, SubmitEntryRequest, UpdateEntryRequest,
    WatchEntriesRequest, WatchEntriesResponse, WithdrawEntryRequest,
    catalog_service_server::{CatalogService, CatalogServiceServer},
};
use tempfile::TempDir;
use tokio_stream::{Stream, StreamExt};
use tonic::{Response, Status};

use super::{super::batch::ENTRIES_MAX, *};

/// A catalog that answers as told: it refuses titles with `refuse`, has every `known` one
/// already, and breaks off before answering batch `breaks_at`.
#[derive(Clone, Default)]
struct Catalog {
    breaks_at: Option<usize>,
    batches: Arc<Mutex<Vec<ImportEntriesRequest>>>,
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

// Written out, because `async_trait` does not look into macros.
macro_rules! not_here {
    ($($name:ident: $request:ty => $response:ty;)*) => {
        $(fn $name<'a, 'b>(
            &'a self,
            _: Request<$request>,
        ) -> Pin<Box<dyn Future<Output = Result<Response<$response>, Status>> + Send + 'b>>
        where
            'a: 'b,
            Self: 'b,
        {
            Box::pin(async { Err(Status::unimplemented("this catalog only imports")) })
        })*
    };
}

#[tonic::async_trait]
impl CatalogService for Catalog {
    type ImportEntriesStream = Answers<ImportEntriesResponse>;
    type WatchEntriesStream = Answers<WatchEntriesResponse>;

    async fn import_entries(
        &self,
        request: Request<Streaming<ImportEntriesRequest>>,
    ) -> Result<Response<Self::ImportEntriesStream>, Status> {
        let catalog = self.clone();
        let answers = request.into_inner().map(move |batch| {
            let batch = batch?;
            let mut batches = catalog.batches.lock().unwrap();
            if catalog.breaks_at == Some(batches.len()) {
                return Err(Status::unavailable("the leader is gone"));
            }
            let results = batch.entries.iter().map(|entry| {
                let title = &entry.entry.as_ref().unwrap().title;
                let outcome = if title.contains("refuse") {
                    Word::Refused
                } else if title.contains("known") {
                    Word::Duplicate
                } else {
                    Word::Accepted
                };
                ImportResult {
                    outcome: i32::from(outcome),
                    reason: "TEXT_TOO_LONG".to_owned(),
                    message: "too long".to_owned(),
                    ..Default::default()
                }
            });
            let results = results.collect();
            batches.push(batch);
            Ok(ImportEntriesResponse { results })
        });
        Ok(Response::new(Box::pin(answers)))
    }

    not_here! {
        register_entry: RegisterEntryRequest => CatalogEntry;
        consent_entry: ConsentEntryRequest => CatalogEntry;
        submit_entry: SubmitEntryRequest => CatalogEntry;
        return_entry: ReturnEntryRequest => CatalogEntry;
        publish_entry: PublishEntryRequest => CatalogEntry;
        update_entry: UpdateEntryRequest => CatalogEntry;
        withdraw_entry: WithdrawEntryRequest => CatalogEntry;
        get_entry: GetEntryRequest => CatalogEntry;
        list_entries: ListEntriesRequest => ListEntriesResponse;
        search_entries: SearchEntriesRequest => SearchEntriesResponse;
        watch_entries: WatchEntriesRequest => Self::WatchEntriesStream;
    }
}

async fn import(catalog: &Catalog, text: &str) -> (Outcome, Vec<ImportEntriesRequest>, String) {
    let folder = TempDir::new().unwrap();
    let (source, kept) = (folder.path().join("in.jsonl"), folder.path().join("kept.jsonl"));
    fs::write(&source, text).unwrap();
    let client = CatalogServiceClient::new(CatalogServiceServer::new(catalog.clone()));
    let outcome =
        upload_over(client, Request::new, "domains/city", &source, Some(&kept)).await.unwrap();
    let batches = catalog.batches.lock().unwrap().clone();
    (outcome, batches, fs::read_to_string(&kept).unwrap_or_default())
}

fn lines(titles: impl Iterator<Item = String>) -> String {
    titles.fold(String::new(), |mut text, title| {
        writeln!(text, r#"{{"portal":"p","title":"{title}","provider":"q"}}"#).unwrap();
        text
    })
}

#[tokio::test]
async fn every_accepted_line_travels_once_in_order_and_in_batches_of_its_own_id() {
    let text = lines((0..1_000).map(|number| format!("t{number}")));
    let (outcome, batches, _) = import(&Catalog::default(), &text).await;
    assert_eq!(outcome.failure, None);
    assert_eq!((outcome.report.read, outcome.report.accepted), (1_000, 1_000));
    let titles: Vec<String> = batches
        .iter()
        .flat_map(|batch| &batch.entries)
        .map(|entry| entry.entry.clone().unwrap().title)
        .collect();
    assert_eq!(titles, (0..1_000).map(|number| format!("t{number}")).collect::<Vec<_>>());
    assert!(batches.iter().all(|batch| batch.entries.len() <= ENTRIES_MAX));
    assert!(batches.iter().all(|batch| batch.parent == "domains/city"));
    let ids: HashSet<&str> = batches.iter().map(|batch| batch.request_id.as_str()).collect();
    assert_eq!(ids.len(), batches.len());
}

#[tokio::test]
async fn what_the_server_knows_or_refuses_is_counted_as_it_says() {
    let titles = ["a", "known b", "refuse c", "a", "d"];
    let mut text = lines(titles.iter().map(ToString::to_string));
    text.push_str("not json\n");
    let (outcome, batches, kept) = import(&Catalog::default(), &text).await;
    let report = outcome.report;
    assert_eq!(
        (report.read, report.accepted, report.duplicates, report.quarantined),
        (6, 2, 2, 2),
        "`a` is a duplicate here, `known b` there"
    );
    assert_eq!(batches.iter().map(|batch| batch.entries.len()).sum::<usize>(), 4);
    assert_eq!(report.first_quarantined.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [3, 6]);
    assert!(kept.contains("\"reason\":\"TEXT_TOO_LONG\"") && kept.contains("refuse c"), "{kept}");
    assert!(kept.contains("\"reason\":\"not_json\""), "{kept}");
}

#[tokio::test]
async fn large_entries_fill_a_batch_by_bytes() {
    let description = "d".repeat(7_000);
    let mut text = String::new();
    for number in 0..200 {
        writeln!(text, r#"{{"title":"t{number}","provider":"q","description":"{description}"}}"#)
            .unwrap();
    }
    let (outcome, batches, _) = import(&Catalog::default(), &text).await;
    assert_eq!(outcome.report.accepted, 200);
    assert_eq!(batches.len(), 3, "1.4 MB in batches of at most 512 KiB");
}

#[tokio::test]
async fn a_connection_that_breaks_leaves_what_was_answered_and_advice() {
    let text = lines((0..3_000).map(|number| format!("t{number}")));
    let catalog = Catalog { breaks_at: Some(3), ..Catalog::default() };
    let (outcome, batches, _) = import(&catalog, &text).await;
    let failure = outcome.failure.unwrap();
    assert_eq!(failure.exit, Exit::Unavailable);
    assert!(failure.advice.en.contains("run the same import again"), "{failure:?}");
    assert_eq!(batches.len(), 3);
    let report = outcome.report;
    assert_eq!((report.read, report.accepted), (600, 600));
}

#[tokio::test]
async fn nothing_is_sent_of_a_file_that_breaks_off_or_is_no_catalog() {
    let catalog = Catalog::default();
    let client = || CatalogServiceClient::new(CatalogServiceServer::new(catalog.clone()));
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("in.jsonl.gz");

    let text = lines((0..3_000).map(|number| format!("t{number}")));
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, text.as_bytes()).unwrap();
    let whole = encoder.finish().unwrap();
    for (bytes, reason) in [
        (&whole[..whole.len() - 100], "file_truncated"),
        (b"[{\"title\":\"a\",\"provider\":\"b\"}][{}]".as_slice(), "not_json_lines"),
    ] {
        fs::write(&path, bytes).unwrap();
        let outcome =
            upload_over(client(), Request::new, "domains/city", &path, None).await.unwrap();
        assert_eq!(outcome.failure.unwrap().reason, reason);
    }
    assert_eq!(catalog.batches.lock().unwrap().len(), 0);
}
