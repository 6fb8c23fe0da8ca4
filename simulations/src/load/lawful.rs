//! Lawful writes: what does a write cost that is more than bytes?
//!
//! `UpdateEntry` with 256 bytes of payload, the version that was read and an idempotency key,
//! handed to the leader in an envelope as a gateway does: rights, version and content are checked,
//! the entry with its indexes and events is written, the answer of the key is kept.

use std::{
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use federation_tests::{bench::corpus::Text, publishing::attribute};
use luqiao::dev::cast::{AUTHORITY, DEPARTMENT, MANAGER};
use luqiao_proto::{
    catalog::v1::{
        Assessment, AssessmentKind, CatalogEntry, ConsentEntryRequest, DataFormat, DataItem,
        DataLevel, EntryState, Grade, ImportEntriesRequest, ImportEntriesResponse, ImportEntry,
        ItemType, PortalOrigin, PublishEntryRequest, RegisterEntryRequest, SharingKind,
        SharingMethod, SourceLink, SubmitEntryRequest, UpdateCycle, UpdateEntryRequest,
        import_result::Outcome,
    },
    node::v1::{CallRequest, Caller, Envelope, node_service_client::NodeServiceClient},
    organization::v1::DataKind,
};
use prost::Message;
use tokio::{sync::Mutex, time::sleep};
use tonic::{Status, transport::Channel};

use super::{
    cluster::{caller, head},
    store::named,
};

/// Bytes that each update writes.
pub const PAYLOAD_BYTES: usize = 256;

const REGISTER: &str = "/luqiao.catalog.v1.CatalogService/RegisterEntry";
const UPDATE: &str = "/luqiao.catalog.v1.CatalogService/UpdateEntry";
const CONSENT: &str = "/luqiao.catalog.v1.CatalogService/ConsentEntry";
const SUBMIT: &str = "/luqiao.catalog.v1.CatalogService/SubmitEntry";
const PUBLISH: &str = "/luqiao.catalog.v1.CatalogService/PublishEntry";
const IMPORT: &str = "/luqiao.catalog.v1.CatalogService/ImportEntries";

/// Lines of one import batch.
const BATCH: u64 = 200;
/// How long a batch is sent again and again, and the pause between.
const PATIENCE: Duration = Duration::from_secs(30);
const AGAIN: Duration = Duration::from_millis(100);

/// Entries, each of which one client changes again and again.
#[derive(Debug, Clone)]
pub struct Entries {
    clients: Arc<[NodeServiceClient<Channel>]>,
    caller: Caller,
    drafts: Arc<[Mutex<CatalogEntry>]>,
}

impl Entries {
    /// Registers `count` drafts through `channels` to the leader, with the least that a draft has to
    /// say.
    pub async fn register(channels: Vec<Channel>, count: usize) -> anyhow::Result<Self> {
        Self::begin(channels, count, false).await
    }

    /// Registers drafts that can be published, and publishes each for the first time.
    pub async fn publish(channels: Vec<Channel>, count: usize) -> anyhow::Result<Self> {
        let entries = Self::begin(channels, count, true).await?;
        for client in 0..count {
            entries.revise(client, 0).await?;
        }
        Ok(entries)
    }

    async fn begin(channels: Vec<Channel>, count: usize, complete: bool) -> anyhow::Result<Self> {
        let clients: Arc<[_]> = channels.into_iter().map(NodeServiceClient::new).collect();
        let caller = caller(DEPARTMENT);
        let mut entries = Self { clients, caller, drafts: Arc::default() };
        let mut drafts = Vec::with_capacity(count);
        for number in 0..count {
            let domain = format!("domains/{}", entries.caller.domain);
            let compiler = &entries.caller;
            let entry =
                if complete { complete_entry(compiler, number) } else { bare(compiler, number) };
            let request_id = request_id();
            let call = RegisterEntryRequest { parent: domain, entry: Some(entry), request_id };
            let draft: CatalogEntry = entries.call(number, REGISTER, &call).await?;
            ensure!(!draft.etag.is_empty(), "a draft has an etag");
            drafts.push(Mutex::new(draft));
        }
        entries.drafts = drafts.into();
        Ok(entries)
    }

    /// Takes over `count` lines of a foreign catalog, made of `texts` under numbered titles.
    pub async fn import(channels: Vec<Channel>, texts: &[Text], count: u64) -> anyhow::Result<()> {
        let clients: Arc<[_]> = channels.into_iter().map(NodeServiceClient::new).collect();
        let importer = Self { clients, caller: caller(MANAGER), drafts: Arc::default() };
        let texts: Arc<[Text]> = texts.into();
        let next = Arc::new(AtomicU64::new(0));
        let mut tasks = tokio::task::JoinSet::new();
        for client in 0..importer.clients.len() {
            let (importer, texts) = (importer.clone(), Arc::clone(&texts));
            let next = Arc::clone(&next);
            tasks.spawn(async move {
                loop {
                    let from = next.fetch_add(BATCH, Ordering::Relaxed);
                    if from >= count {
                        return anyhow::Ok(());
                    }
                    let lines = (from..count.min(from + BATCH)).map(|number| line(&texts, number));
                    importer.import_batch(client, lines.collect()).await?;
                }
            });
        }
        while let Some(ended) = tasks.join_next().await {
            ended??;
        }
        Ok(())
    }

    async fn import_batch(&self, client: usize, lines: Vec<ImportEntry>) -> anyhow::Result<()> {
        let call = ImportEntriesRequest {
            parent: format!("domains/{}", self.caller.domain),
            entries: lines,
            request_id: request_id(),
        };
        // A batch whose outcome is unknown, because leadership moved, is sent again under its key.
        let until = Instant::now() + PATIENCE;
        let told: ImportEntriesResponse = loop {
            match self.call(client, IMPORT, &call).await {
                Ok(told) => break told,
                Err(status) if Instant::now() < until => {
                    eprintln!("  a batch is sent again: {}", named(&status));
                    sleep(AGAIN).await;
                }
                Err(status) => return Err(status.into()),
            }
        };
        for result in told.results {
            ensure!(result.outcome() == Outcome::Accepted, "a line was not accepted: {result:?}");
        }
        Ok(())
    }

    /// Brings the entry of `client` out in a new version, for the `number`-th time: a change, the
    /// head's consent, submission, publication. The last leaves a leaf in the ledger and a revision
    /// in the feed.
    pub async fn revise(&self, client: usize, number: u64) -> Result<(), Status> {
        let mut draft = self.drafts[client].lock().await;
        let change = Self::change(&draft, number);
        let changed: CatalogEntry = self.call(client, UPDATE, &change).await?;
        let consent = ConsentEntryRequest {
            name: changed.name.clone(),
            etag: changed.etag.clone(),
            request_id: request_id(),
            ..ConsentEntryRequest::default()
        };
        let head = head(DEPARTMENT);
        let consented: CatalogEntry = self.call_as(&head, client, CONSENT, &consent).await?;
        let submit = SubmitEntryRequest {
            name: consented.name.clone(),
            etag: consented.etag.clone(),
            request_id: request_id(),
        };
        let submitted: CatalogEntry = self.call(client, SUBMIT, &submit).await?;
        let publish = PublishEntryRequest {
            name: submitted.name.clone(),
            etag: submitted.etag.clone(),
            request_id: request_id(),
        };
        let authority = caller(AUTHORITY);
        *draft = self.call_as(&authority, client, PUBLISH, &publish).await?;
        if draft.state() == EntryState::Published {
            Ok(())
        } else {
            Err(Status::internal("it is not published"))
        }
    }

    async fn call<A: Message + Default>(
        &self,
        client: usize,
        method: &str,
        call: &impl Message,
    ) -> Result<A, Status> {
        self.call_as(&self.caller, client, method, call).await
    }

    async fn call_as<A: Message + Default>(
        &self,
        caller: &Caller,
        client: usize,
        method: &str,
        call: &impl Message,
    ) -> Result<A, Status> {
        call_as(&self.clients[client % self.clients.len()], caller, method, call).await
    }

    /// Changes the entry of `client`, for the `number`-th time.
    pub async fn update(&self, client: usize, number: u64) -> Result<(), Status> {
        let mut draft = self.drafts[client].lock().await;
        let call = Self::change(&draft, number);
        *draft = self.call(client, UPDATE, &call).await?;
        Ok(())
    }

    fn change(draft: &CatalogEntry, number: u64) -> UpdateEntryRequest {
        UpdateEntryRequest {
            entry: Some(CatalogEntry {
                name: draft.name.clone(),
                etag: draft.etag.clone(),
                r#abstract: format!("{number:0PAYLOAD_BYTES$}"),
                ..CatalogEntry::default()
            }),
            update_mask: Some(prost_types::FieldMask { paths: vec!["abstract".to_owned()] }),
            request_id: request_id(),
        }
    }

    /// That the entry of `client` holds what was written last.
    pub async fn holds(&self, client: usize) -> anyhow::Result<()> {
        let draft = self.drafts.get(client).context("an entry")?.lock().await;
        ensure!(draft.r#abstract.len() == PAYLOAD_BYTES, "the payload was written");
        Ok(())
    }
}

/// A draft with the least that it has to say.
fn bare(compiler: &Caller, number: usize) -> CatalogEntry {
    let Caller { domain, organization, .. } = compiler;
    CatalogEntry {
        provider: format!("domains/{domain}/organizations/{organization}"),
        kind: DataKind::GovernmentData.into(),
        title: format!("目录 {number:05}"),
        r#abstract: "量".to_owned(),
        synthetic: true,
        ..CatalogEntry::default()
    }
}

/// A draft of `compiler` with all that publishing asks.
pub(super) fn complete_entry(compiler: &Caller, number: usize) -> CatalogEntry {
    let bare = bare(compiler, number);
    let assessment = |kind: AssessmentKind| Assessment {
        kind: kind.into(),
        passed: true,
        date: "2026-09-01".to_owned(),
        ..Assessment::default()
    };
    CatalogEntry {
        formats: vec![DataFormat::Database.into()],
        items: vec![DataItem {
            name: "名称".to_owned(),
            r#type: ItemType::Character.into(),
            ..DataItem::default()
        }],
        update_cycle: UpdateCycle::Month.into(),
        sharing: Some(attribute(SharingKind::Conditional)),
        sharing_method: SharingMethod::ServiceInterface.into(),
        grade: Some(Grade { level: DataLevel::General.into(), grade: 2 }),
        assessments: vec![
            assessment(AssessmentKind::SecrecyRisk),
            assessment(AssessmentKind::PersonalInformationImpact),
        ],
        links: vec![SourceLink {
            system: format!("{}/systems/{}", bare.provider, compiler.system),
            dataset: "jbxx".to_owned(),
        }],
        ..bare
    }
}

/// Hands a call to a node as a gateway does.
pub(super) async fn call_as<A: Message + Default>(
    client: &NodeServiceClient<Channel>,
    caller: &Caller,
    method: &str,
    call: &impl Message,
) -> Result<A, Status> {
    let envelope = Envelope {
        caller: Some(caller.clone()),
        gateway: "load".to_owned(),
        method: method.to_owned(),
        call: Bytes::from(call.encode_to_vec()),
        language: "en".to_owned(),
        timeout_ms: 30_000,
        ..Envelope::default()
    };
    let answer = client.clone().call(CallRequest { envelope: Some(envelope) }).await?;
    A::decode(answer.into_inner().response)
        .map_err(|error| Status::internal(format!("the answer cannot be read: {error}")))
}

/// An idempotency key that was not used before, not even by an earlier run on the same cluster; as
/// long as the ULID that a gateway's caller would draw.
pub(super) fn request_id() -> String {
    static RUN: LazyLock<u64> = LazyLock::new(|| fastrand::u64(..100_000_000));
    static KEYS: AtomicU64 = AtomicU64::new(1);
    format!("{:08}{:018}", *RUN, KEYS.fetch_add(1, Ordering::Relaxed))
}

/// A line of a foreign catalog.
fn line(texts: &[Text], number: u64) -> ImportEntry {
    let text = &texts[number as usize % texts.len()];
    let round = number / texts.len() as u64;
    ImportEntry {
        // As many as a city has.
        provider_name: format!("数据提供单位{:02}", number % 60),
        entry: Some(CatalogEntry {
            title: format!("{}（{round}）", text.title),
            r#abstract: text.description.clone(),
            ..CatalogEntry::default()
        }),
        origin: Some(PortalOrigin {
            portal: "load".to_owned(),
            seq: number,
            ..PortalOrigin::default()
        }),
        ..ImportEntry::default()
    }
}
