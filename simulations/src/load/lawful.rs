//! Lawful writes: what does a write cost that is more than bytes?
//!
//! `UpdateEntry` with 256 bytes of payload, the version that was read and an idempotency key,
//! handed to the leader in an envelope as a gateway does: rights, version and content are checked,
//! the entry with its indexes and events is written, the answer of the key is kept.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use luqiao::dev::cast::DEPARTMENT;
use luqiao_proto::{
    catalog::v1::{CatalogEntry, RegisterEntryRequest, UpdateEntryRequest},
    node::v1::{CallRequest, Caller, Envelope, node_service_client::NodeServiceClient},
    organization::v1::DataKind,
};
use prost::Message;
use tokio::sync::Mutex;
use tonic::{Status, transport::Channel};

use super::cluster::caller;

/// Bytes that each update writes.
pub const PAYLOAD_BYTES: usize = 256;

const REGISTER: &str = "/luqiao.catalog.v1.CatalogService/RegisterEntry";
const UPDATE: &str = "/luqiao.catalog.v1.CatalogService/UpdateEntry";

/// Entries, each of which one client changes again and again.
#[derive(Debug, Clone)]
pub struct Entries {
    clients: Arc<[NodeServiceClient<Channel>]>,
    caller: Caller,
    drafts: Arc<[Mutex<CatalogEntry>]>,
    keys: Arc<AtomicU64>,
}

impl Entries {
    /// Registers `count` drafts through `channels` to the leader.
    pub async fn register(channels: Vec<Channel>, count: usize) -> anyhow::Result<Self> {
        let clients: Arc<[_]> = channels.into_iter().map(NodeServiceClient::new).collect();
        let caller = caller(DEPARTMENT);
        let mut entries =
            Self { clients, caller, drafts: Arc::default(), keys: Arc::new(AtomicU64::new(1)) };
        let mut drafts = Vec::with_capacity(count);
        for number in 0..count {
            let domain = format!("domains/{}", entries.caller.domain);
            let entry = CatalogEntry {
                provider: format!("{domain}/organizations/{}", entries.caller.organization),
                kind: DataKind::GovernmentData.into(),
                title: format!("目录 {number:05}"),
                r#abstract: "量".to_owned(),
                synthetic: true,
                ..CatalogEntry::default()
            };
            let request_id = entries.request_id();
            let call = RegisterEntryRequest { parent: domain, entry: Some(entry), request_id };
            let draft: CatalogEntry = entries.call(number, REGISTER, &call).await?;
            ensure!(!draft.etag.is_empty(), "a draft has an etag");
            drafts.push(Mutex::new(draft));
        }
        entries.drafts = drafts.into();
        Ok(entries)
    }

    fn request_id(&self) -> String {
        // As long as the ULID that a gateway's caller would draw.
        format!("{:026}", self.keys.fetch_add(1, Ordering::Relaxed))
    }

    async fn call<A: Message + Default>(
        &self,
        client: usize,
        method: &str,
        call: &impl Message,
    ) -> Result<A, Status> {
        let envelope = Envelope {
            caller: Some(self.caller.clone()),
            gateway: "load".to_owned(),
            method: method.to_owned(),
            call: Bytes::from(call.encode_to_vec()),
            language: "en".to_owned(),
            timeout_ms: 30_000,
            ..Envelope::default()
        };
        let mut client = self.clients[client % self.clients.len()].clone();
        let answer = client.call(CallRequest { envelope: Some(envelope) }).await?;
        A::decode(answer.into_inner().response)
            .map_err(|error| Status::internal(format!("the answer cannot be read: {error}")))
    }

    /// Changes the entry of `client`, for the `number`-th time.
    pub async fn update(&self, client: usize, number: u64) -> Result<(), Status> {
        let mut draft = self.drafts[client].lock().await;
        let payload = format!("{number:0PAYLOAD_BYTES$}");
        let call = UpdateEntryRequest {
            entry: Some(CatalogEntry {
                name: draft.name.clone(),
                etag: draft.etag.clone(),
                r#abstract: payload,
                ..CatalogEntry::default()
            }),
            update_mask: Some(prost_types::FieldMask { paths: vec!["abstract".to_owned()] }),
            request_id: self.request_id(),
        };
        *draft = self.call(client, UPDATE, &call).await?;
        Ok(())
    }

    /// That the entry of `client` holds what was written last.
    pub async fn holds(&self, client: usize) -> anyhow::Result<()> {
        let draft = self.drafts.get(client).context("an entry")?.lock().await;
        ensure!(draft.r#abstract.len() == PAYLOAD_BYTES, "the payload was written");
        Ok(())
    }
}
