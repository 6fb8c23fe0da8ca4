//! The few messages of etcd's API that the comparison needs, by the field numbers of its published
//! protocol files. Its own client crate would need a protocol compiler on the machine.

use bytes::Bytes;
use http::uri::PathAndQuery;
use prost::Message;
use tonic::{Request, Status, client::Grpc, transport::Channel};
use tonic_prost::ProstCodec;

macro_rules! message {
    ($(#[$doc:meta])* $name:ident { $($(#[$field:meta])* $member:ident: $kind:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Message)]
        #[allow(missing_docs, reason = "the names are etcd's; some have none")]
        pub struct $name {
            $($(#[$field])* pub $member: $kind,)*
        }
    };
}

message! {
    /// In every answer.
    Header {
        #[prost(uint64, tag = "2")]
        member_id: u64,
        #[prost(int64, tag = "3")]
        revision: i64,
    }
}

message! {
    /// Writes one key.
    PutRequest {
        #[prost(bytes = "bytes", tag = "1")]
        key: Bytes,
        #[prost(bytes = "bytes", tag = "2")]
        value: Bytes,
    }
}

message! {
    /// That it was written.
    PutResponse {
        #[prost(message, optional, tag = "1")]
        header: Option<Header>,
    }
}

message! {
    /// Reads keys, linearizably unless said otherwise.
    RangeRequest {
        #[prost(bytes = "bytes", tag = "1")]
        key: Bytes,
        #[prost(bytes = "bytes", tag = "2")]
        range_end: Bytes,
        #[prost(int64, tag = "3")]
        limit: i64,
        #[prost(bool, tag = "9")]
        count_only: bool,
    }
}

message! {
    /// A key with its value.
    KeyValue {
        #[prost(bytes = "bytes", tag = "1")]
        key: Bytes,
        #[prost(bytes = "bytes", tag = "5")]
        value: Bytes,
    }
}

message! {
    /// What was found.
    RangeResponse {
        #[prost(message, repeated, tag = "2")]
        kvs: Vec<KeyValue>,
        #[prost(int64, tag = "4")]
        count: i64,
    }
}

message! {
    /// One of several writes.
    Operation {
        #[prost(message, optional, tag = "2")]
        put: Option<PutRequest>,
    }
}

message! {
    /// Several writes in one.
    TxnRequest {
        #[prost(message, repeated, tag = "2")]
        success: Vec<Operation>,
    }
}

message! {
    /// Whether they were done.
    TxnResponse {
        #[prost(bool, tag = "2")]
        succeeded: bool,
    }
}

message! {
    /// What is to be watched.
    WatchCreate {
        #[prost(bytes = "bytes", tag = "1")]
        key: Bytes,
        #[prost(bytes = "bytes", tag = "2")]
        range_end: Bytes,
    }
}

message! {
    /// Begins a watch.
    WatchRequest {
        #[prost(message, optional, tag = "1")]
        create: Option<WatchCreate>,
    }
}

message! {
    /// A change.
    Event {
        #[prost(message, optional, tag = "2")]
        kv: Option<KeyValue>,
    }
}

message! {
    /// Changes of a watch.
    WatchResponse {
        #[prost(bool, tag = "3")]
        created: bool,
        #[prost(message, repeated, tag = "11")]
        events: Vec<Event>,
    }
}

message! {
    /// Asks how a member stands.
    StatusRequest {}
}

message! {
    /// How it stands.
    StatusResponse {
        #[prost(message, optional, tag = "1")]
        header: Option<Header>,
        #[prost(string, tag = "2")]
        version: String,
        #[prost(uint64, tag = "4")]
        leader: u64,
    }
}

message! {
    /// Hands leadership to a member.
    MoveLeaderRequest {
        #[prost(uint64, tag = "1")]
        target: u64,
    }
}

message! {
    /// That it was handed over.
    MoveLeaderResponse {}
}

/// Calls one member of an etcd cluster.
#[derive(Debug, Clone)]
pub struct EtcdClient {
    grpc: Grpc<Channel>,
}

impl EtcdClient {
    /// Over `channel`.
    pub fn new(channel: Channel) -> Self {
        let grpc = Grpc::new(channel).max_decoding_message_size(64 << 20);
        Self { grpc }
    }

    async fn unary<Q, A>(&mut self, path: &'static str, message: Q) -> Result<A, Status>
    where
        Q: Message + Send + Sync + 'static,
        A: Message + Default + Send + Sync + 'static,
    {
        self.ready().await?;
        let codec = ProstCodec::default();
        let path = PathAndQuery::from_static(path);
        self.grpc.unary(Request::new(message), path, codec).await.map(tonic::Response::into_inner)
    }

    async fn ready(&mut self) -> Result<(), Status> {
        self.grpc.ready().await.map_err(|error| Status::unavailable(error.to_string()))
    }

    /// Writes one key.
    pub async fn put(&mut self, put: PutRequest) -> Result<PutResponse, Status> {
        self.unary("/etcdserverpb.KV/Put", put).await
    }

    /// Reads keys.
    pub async fn range(&mut self, range: RangeRequest) -> Result<RangeResponse, Status> {
        self.unary("/etcdserverpb.KV/Range", range).await
    }

    /// Writes several keys at once; at most 128 with etcd's defaults.
    pub async fn txn(&mut self, txn: TxnRequest) -> Result<TxnResponse, Status> {
        self.unary("/etcdserverpb.KV/Txn", txn).await
    }

    /// How the member stands.
    pub async fn status(&mut self) -> Result<StatusResponse, Status> {
        self.unary("/etcdserverpb.Maintenance/Status", StatusRequest {}).await
    }

    /// Asks the leader to hand over.
    pub async fn move_leader(&mut self, target: u64) -> Result<MoveLeaderResponse, Status> {
        self.unary("/etcdserverpb.Maintenance/MoveLeader", MoveLeaderRequest { target }).await
    }

    /// Watches a range.
    pub async fn watch(
        &mut self,
        create: WatchCreate,
    ) -> Result<tonic::Streaming<WatchResponse>, Status> {
        self.ready().await?;
        let first = WatchRequest { create: Some(create) };
        // The watch ends with the stream of its requests.
        let requests = tokio_stream::StreamExt::chain(
            tokio_stream::once(first),
            tokio_stream::pending::<WatchRequest>(),
        );
        let codec = ProstCodec::default();
        let path = PathAndQuery::from_static("/etcdserverpb.Watch/Watch");
        let answer = self.grpc.streaming(Request::new(requests), path, codec).await?;
        Ok(answer.into_inner())
    }
}
