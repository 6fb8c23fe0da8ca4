//! Store: the same questions to both systems, through the same client stack.

use std::sync::Arc;

use bytes::Bytes;
use luqiao_proto::node::v1::{
    GetRequest, PutRequest, PutStreamRequest, RangeRequest, WatchRequest,
    probe_service_client::ProbeServiceClient,
};
use luqiao_transport::status::Problem;
use tokio::{sync::mpsc, task::JoinSet};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, transport::Channel};

use super::{
    etcd::{self, EtcdClient},
    pace::Arrivals,
};

/// Largest answer that is taken, in bytes.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// Keys and values of one node, over one connection.
#[derive(Debug, Clone)]
pub enum Store {
    /// `ProbeService` of a catalog node.
    Luqiao(ProbeServiceClient<Channel>),
    /// etcd's key-value service.
    Etcd(EtcdClient),
}

/// The key of that number: 16 bytes.
pub fn key(number: u64) -> Bytes {
    Bytes::from(format!("k{number:015}"))
}

/// A value of `bytes` bytes that compresses badly; different for different seeds.
pub fn value(bytes: usize, seed: u64) -> Bytes {
    let mut random = fastrand::Rng::with_seed(seed);
    (0..bytes).map(|_| random.u8(..)).collect()
}

/// Why a call was not answered, by name.
pub fn named(status: &Status) -> String {
    match Problem::from_status(status).reason {
        Some(reason) => reason.to_string(),
        None => format!("{:?}: {}", status.code(), status.message()),
    }
}

impl Store {
    /// A catalog node.
    pub fn luqiao(channel: Channel) -> Self {
        let client = ProbeServiceClient::new(channel)
            .max_decoding_message_size(ANSWER_BYTES_MAX)
            .max_encoding_message_size(ANSWER_BYTES_MAX);
        Self::Luqiao(client)
    }

    /// A member of an etcd cluster.
    pub fn etcd(channel: Channel) -> Self {
        Self::Etcd(EtcdClient::new(channel))
    }

    /// Writes a key; returns once a majority has it.
    pub async fn put(&mut self, key: Bytes, value: Bytes) -> Result<(), Status> {
        match self {
            Self::Luqiao(client) => {
                client.put(PutRequest { key, value, ..PutRequest::default() }).await.map(drop)
            }
            Self::Etcd(client) => client.put(etcd::PutRequest { key, value }).await.map(drop),
        }
    }

    /// Reads a key, linearizably.
    pub async fn get(&mut self, key: Bytes) -> Result<Option<Bytes>, Status> {
        match self {
            Self::Luqiao(client) => {
                let answer = client.get(GetRequest { key }).await?.into_inner();
                Ok(answer.found.then_some(answer.value))
            }
            Self::Etcd(client) => {
                let range = etcd::RangeRequest { key, ..Default::default() };
                Ok(client.range(range).await?.kvs.pop().map(|found| found.value))
            }
        }
    }

    /// How many of `limit` keys from `from` on there are, each read with its value, linearizably.
    pub async fn list(&mut self, from: Bytes, limit: u32) -> Result<usize, Status> {
        match self {
            Self::Luqiao(client) => {
                let range = RangeRequest { from, to: Bytes::new(), limit };
                Ok(client.range(range).await?.into_inner().rows.len())
            }
            Self::Etcd(client) => {
                let range = etcd::RangeRequest {
                    key: from,
                    // To the end.
                    range_end: Bytes::from_static(&[0]),
                    limit: i64::from(limit),
                    count_only: false,
                };
                Ok(client.range(range).await?.kvs.len())
            }
        }
    }

    /// Watches every key with a task among `watchers`, which hands each value that was written to
    /// `seen` until the stream ends. Returns once the watch stands.
    pub async fn watch(
        &mut self,
        watchers: &mut JoinSet<()>,
        seen: impl Fn(&Bytes) + Send + 'static,
    ) -> Result<(), Status> {
        match self {
            Self::Luqiao(client) => {
                let mut stream = client.watch(WatchRequest::default()).await?.into_inner();
                watchers.spawn(async move {
                    while let Ok(Some(answer)) = stream.message().await {
                        answer.rows.iter().for_each(|row| seen(&row.value));
                    }
                });
            }
            Self::Etcd(client) => {
                let all = Bytes::from_static(&[0]);
                let create = etcd::WatchCreate { key: all.clone(), range_end: all };
                let mut stream = client.watch(create).await?;
                while let Some(answer) = stream.message().await? {
                    if answer.created {
                        break;
                    }
                }
                watchers.spawn(async move {
                    while let Ok(Some(answer)) = stream.message().await {
                        let found = answer.events.iter().filter_map(|event| event.kv.as_ref());
                        found.for_each(|kv| seen(&kv.value));
                    }
                });
            }
        }
        Ok(())
    }

    /// Writes `puts` as fast as they are taken, with at most `ahead` unanswered ones, and counts
    /// what was answered. etcd has no such call; there several writes share a transaction.
    pub async fn stream(
        &mut self,
        puts: impl Iterator<Item = (Bytes, Bytes)> + Send + 'static,
        ahead: usize,
        done: Arc<Arrivals>,
    ) -> Result<(), Status> {
        match self {
            Self::Luqiao(client) => {
                let (sender, requests) = mpsc::channel(ahead);
                // Ends with this call: a request stream that goes on keeps the server busy.
                let mut feeding = JoinSet::new();
                feeding.spawn(async move {
                    for (key, value) in puts {
                        if sender.send(PutStreamRequest { key, value }).await.is_err() {
                            return;
                        }
                    }
                });
                let answer = client.put_stream(ReceiverStream::new(requests)).await;
                let mut answers = answer?.into_inner();
                while answers.message().await?.is_some() {
                    done.add(1);
                }
                Ok(())
            }
            Self::Etcd(client) => {
                let mut puts = puts.peekable();
                while puts.peek().is_some() {
                    let success: Vec<_> = puts
                        .by_ref()
                        .take(128)
                        .map(|(key, value)| etcd::PutRequest { key, value })
                        .map(|put| etcd::Operation { put: Some(put) })
                        .collect();
                    let count = success.len() as u64;
                    client.txn(etcd::TxnRequest { success }).await?;
                    done.add(count);
                }
                Ok(())
            }
        }
    }
}
