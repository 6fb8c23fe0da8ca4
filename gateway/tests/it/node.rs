//! A catalog node that does what the test says, and remembers what it was asked.
//!
//! It keeps a feed, an outbox and copies of other domains' feeds, as a cluster would but without
//! any of its rules: what the gateway carries is what the tests look at.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    ops::Deref,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use bytes::Bytes;
use catalog_model::{
    reason::{Lang, Reason},
    refusal::Refusal,
};
use luqiao_proto::{
    federation::v1::{
        DescribeDomainResponse, FeedRecord, FeedToken, FollowFeedRequest, FollowFeedResponse,
    },
    node::v1::{
        AckOutboxRequest, AckOutboxResponse, ApplyFeedBatchRequest, ApplyFeedBatchResponse,
        CallRequest, CallResponse, Envelope, GetFeedCursorRequest, GetFeedCursorResponse,
        GetHeadStandingRequest, GetHeadStandingResponse, GetNodeStatusRequest,
        GetNodeStatusResponse, ListOutboxRequest, ListOutboxResponse, NodeMember, NodeOpening,
        OpeningPair, OutboxItem, RunBackupRequest, RunBackupResponse, StreamRequest,
        StreamResponse, TakeCosignatureRequest, TakeCosignatureResponse, TakeHeadRequest,
        TakeHeadResponse,
        node_service_server::{NodeService, NodeServiceServer},
    },
};
use luqiao_transport::{
    accept::{self, ServeOptions},
    drain::Shutdown,
    status,
};
use prost::Message as _;
use tokio::{net::TcpListener, sync::watch, time::timeout};
use tokio_stream::Stream;
use tonic::{Request, Response, Status, service::Routes};

use crate::pki::Domain;

/// What the node does with a call.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    Answer(Bytes),
    Refuse(Refusal),
    /// A status without any reason of ours.
    Fail(Status),
    /// Says nothing, ever.
    Silence,
}

type Behavior = Box<dyn Fn(&Envelope) -> Reply + Send>;
type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// One node. Dropping it drops its connections.
pub(crate) struct FakeNode {
    pub(crate) id: &'static str,
    pub(crate) memory: Arc<Memory>,
    address: SocketAddr,
    shutdown: Shutdown,
}

/// What the node knows and was asked.
pub(crate) struct Memory {
    id: &'static str,
    domain: &'static str,
    behavior: Mutex<Behavior>,
    rows: watch::Sender<Rows>,
}

#[derive(Default)]
pub(crate) struct Rows {
    /// Every call and stream, in the order of their arrival.
    pub(crate) asked: Vec<Envelope>,
    /// Streams that are open now.
    pub(crate) streams: usize,
    /// The own feed.
    pub(crate) feed: Vec<FeedRecord>,
    /// What is owed, by domain.
    pub(crate) outbox: BTreeMap<String, Vec<OutboxItem>>,
    /// Copies of others' feeds, by domain: where they stand and what they hold.
    pub(crate) copies: BTreeMap<String, (Bytes, Vec<FeedRecord>)>,
    /// The level that the cluster says it uses, and that of the domain for which it was last asked
    /// what it owes.
    pub(crate) level: u32,
    pub(crate) told_for: Option<u32>,
    /// What it says of itself, beside who it is.
    pub(crate) status: GetNodeStatusResponse,
    /// How often it was asked that.
    pub(crate) looks: usize,
}

impl FakeNode {
    /// A node of `domain` that answers every call with an empty message.
    pub(crate) async fn start(domain: &Domain, id: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let memory = Arc::new(Memory {
            id,
            domain: domain.name,
            behavior: Mutex::new(Box::new(|_| Reply::Answer(Bytes::new()))),
            rows: watch::Sender::new(Rows::default()),
        });
        let tls = domain.material(Some(&format!("node/{id}")), &[]);
        let service = Routes::new(NodeServiceServer::new(Served(Arc::clone(&memory))));
        let shutdown = Shutdown::new();
        let options = ServeOptions { shutdown_grace: Duration::ZERO, ..ServeOptions::default() };
        let serving = accept::serve(listener, tls, service, options, shutdown.begun());
        drop(shutdown.spawn(serving));
        Self { id, memory, address, shutdown }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on calls are answered so.
    pub(crate) fn behave(&self, behavior: impl Fn(&Envelope) -> Reply + Send + 'static) {
        *self.memory.behavior() = Box::new(behavior);
    }

    /// From now on it says that `members` are the members as of entry `applied`, and that `leader`
    /// leads.
    pub(crate) fn tell(&self, applied: u64, leader: &str, members: &[(&Self, &str)]) {
        let member = |(node, role): &(&Self, &str)| NodeMember {
            id: node.id.to_owned(),
            endpoint: node.address.to_string(),
            role: (*role).to_owned(),
        };
        let members = members.iter().map(member).collect();
        self.memory.change(|rows| {
            rows.status.applied_index = applied;
            leader.clone_into(&mut rows.status.leader);
            rows.status.members = members;
        });
    }

    /// From now on it says that it belongs to the opening `belongs` of its cluster, and has heard of
    /// `heard`; both as generation and epoch.
    pub(crate) fn belong(&self, belongs: (u64, u64), heard: (u64, u64)) {
        let pair = |(generation, epoch)| Some(OpeningPair { generation, epoch });
        let (belongs, heard) = (pair(belongs), pair(heard));
        let opening = NodeOpening { belongs, heard, opened: belongs, ..Default::default() };
        self.memory.change(|rows| rows.status.opening = Some(opening));
    }

    /// Waits until a gateway has heard what the node says of itself now.
    pub(crate) async fn heard(&self) {
        let looks = self.memory.look(|rows| rows.looks);
        // It had the answer to the one before the last when it asked again.
        self.memory.until("it was looked at", |rows| rows.looks >= looks + 2).await;
    }

    /// The node vanishes: no goodbye, its connections with it.
    pub(crate) async fn vanish(&self) {
        self.shutdown.drain(Duration::ZERO).await;
    }
}

impl Drop for FakeNode {
    fn drop(&mut self) {
        drop(self.shutdown.cut_on_drop());
    }
}

impl Memory {
    fn behavior(&self) -> MutexGuard<'_, Behavior> {
        self.behavior.lock().unwrap()
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Rows)) {
        self.rows.send_modify(change);
    }

    pub(crate) fn look<T>(&self, look: impl FnOnce(&Rows) -> T) -> T {
        look(&self.rows.borrow())
    }

    /// Waits until the rows are as wanted.
    pub(crate) async fn until(&self, what: &str, wanted: impl FnMut(&Rows) -> bool) {
        let mut rows = self.rows.subscribe();
        let waiting = timeout(Duration::from_secs(30), rows.wait_for(wanted));
        assert!(waiting.await.is_ok(), "never came about: {what}");
    }

    /// How often `method` (its last part) was asked for.
    pub(crate) fn asked(&self, method: &str) -> usize {
        self.look(|rows| rows.asked.iter().filter(|asked| asked.method.ends_with(method)).count())
    }

    /// Adds a record to the own feed.
    pub(crate) fn publish(&self, entry_name: &str) {
        self.change(|rows| {
            let revision = rows.feed.len() as u64 + 1;
            let entry_name = entry_name.to_owned();
            rows.feed.push(FeedRecord { revision, entry_name, ..Default::default() });
        });
    }

    /// Owes `domain` a call.
    pub(crate) fn owe(&self, domain: &str, method: &str, call: &str) {
        self.change(|rows| {
            let owed = rows.outbox.entry(domain.to_owned()).or_default();
            let sequence = owed.last().map_or(1, |item| item.sequence + 1);
            owed.push(OutboxItem {
                sequence,
                idempotency_key: format!("key-{sequence}"),
                method: method.to_owned(),
                call: Bytes::copy_from_slice(call.as_bytes()),
            });
        });
    }

    async fn reply(&self, envelope: Envelope) -> Result<CallResponse, Status> {
        let reply = (self.behavior())(&envelope);
        let describes = envelope.method.ends_with("/DescribeDomain");
        self.change(|rows| rows.asked.push(envelope));
        let response = match reply {
            _ if describes => {
                let (domain, level) = (self.domain.to_owned(), self.look(|rows| rows.level));
                let described = DescribeDomainResponse { domain, level, ..Default::default() };
                described.encode_to_vec().into()
            }
            Reply::Answer(response) => response,
            Reply::Refuse(refusal) => return Err(status::of(&refusal, Lang::En)),
            Reply::Fail(status) => return Err(status),
            Reply::Silence => std::future::pending().await,
        };
        Ok(CallResponse { response, index: 1, node: self.id.to_owned(), one_site: false })
    }
}

/// Counts an open stream for as long as it lives.
struct Open(Arc<Memory>);

impl Open {
    fn new(memory: &Arc<Memory>) -> Self {
        memory.change(|rows| rows.streams += 1);
        Self(Arc::clone(memory))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.change(|rows| rows.streams -= 1);
    }
}

/// The memory as a service.
struct Served(Arc<Memory>);

impl Deref for Served {
    type Target = Memory;

    fn deref(&self) -> &Memory {
        &self.0
    }
}

#[tonic::async_trait]
impl NodeService for Served {
    type StreamStream = Answers<StreamResponse>;

    async fn call(&self, request: Request<CallRequest>) -> Result<Response<CallResponse>, Status> {
        let envelope = request.into_inner().envelope.unwrap();
        Ok(Response::new(self.reply(envelope).await?))
    }

    async fn stream(
        &self,
        request: Request<StreamRequest>,
    ) -> Result<Response<Self::StreamStream>, Status> {
        let envelope = request.into_inner().envelope.unwrap();
        if envelope.method.ends_with("/FollowFeed") {
            let question = FollowFeedRequest::decode(envelope.call.clone()).unwrap();
            self.change(|rows| rows.asked.push(envelope));
            return Ok(Response::new(Box::pin(feed(Arc::clone(&self.0), question))));
        }
        // Any other stream begins with the reply to it and then stays open.
        let first = self.reply(envelope).await?;
        let open = Open::new(&self.0);
        let first = StreamResponse { response: first.response, index: 1 };
        Ok(Response::new(Box::pin(async_stream(Some(first), move |first| {
            let _open = &open;
            let first = first.take();
            async move {
                match first {
                    Some(first) => Some(Ok(first)),
                    None => std::future::pending().await,
                }
            }
        }))))
    }

    async fn run_backup(
        &self,
        _: Request<RunBackupRequest>,
    ) -> Result<Response<RunBackupResponse>, Status> {
        Err(Status::unimplemented("gateways ask for no backup"))
    }

    async fn get_node_status(
        &self,
        _: Request<GetNodeStatusRequest>,
    ) -> Result<Response<GetNodeStatusResponse>, Status> {
        let said = self.look(|rows| rows.status.clone());
        self.change(|rows| rows.looks += 1);
        Ok(Response::new(GetNodeStatusResponse {
            id: self.id.to_owned(),
            cluster_id: "c0ffee".to_owned(),
            generation: 3,
            ..said
        }))
    }

    async fn list_outbox(
        &self,
        request: Request<ListOutboxRequest>,
    ) -> Result<Response<ListOutboxResponse>, Status> {
        let ListOutboxRequest { domain, after, limit, wait_ms, peer_level } = request.into_inner();
        self.change(|rows| rows.told_for = Some(peer_level));
        let owed = |rows: &Rows| {
            let owed = rows.outbox.get(&domain).into_iter().flatten();
            let items = owed.filter(|item| item.sequence > after).take(limit as usize);
            items.cloned().collect::<Vec<_>>()
        };
        let mut rows = self.rows.subscribe();
        let wait = Duration::from_millis(wait_ms);
        let _ = timeout(wait, rows.wait_for(|rows| !owed(rows).is_empty())).await;
        Ok(Response::new(ListOutboxResponse { items: self.look(owed) }))
    }

    async fn ack_outbox(
        &self,
        request: Request<AckOutboxRequest>,
    ) -> Result<Response<AckOutboxResponse>, Status> {
        let AckOutboxRequest { domain, through } = request.into_inner();
        self.change(|rows| {
            rows.outbox.entry(domain).or_default().retain(|item| item.sequence > through);
        });
        Ok(Response::new(AckOutboxResponse {}))
    }

    async fn get_feed_cursor(
        &self,
        request: Request<GetFeedCursorRequest>,
    ) -> Result<Response<GetFeedCursorResponse>, Status> {
        let domain = request.into_inner().domain;
        let token = self.look(|rows| rows.copies.get(&domain).map(|copy| copy.0.clone()));
        Ok(Response::new(GetFeedCursorResponse { token: token.unwrap_or_default() }))
    }

    async fn apply_feed_batch(
        &self,
        request: Request<ApplyFeedBatchRequest>,
    ) -> Result<Response<ApplyFeedBatchResponse>, Status> {
        let ApplyFeedBatchRequest { domain, expected, batch } = request.into_inner();
        let batch = FollowFeedResponse::decode(batch).unwrap();
        let mut applied = None;
        self.change(|rows| {
            let (cursor, records) = rows.copies.entry(domain).or_default();
            if *cursor == expected {
                *cursor = batch.token.unwrap().encode_to_vec().into();
                records.extend(batch.records);
                applied = Some(cursor.clone());
            }
        });
        match applied {
            Some(token) => Ok(Response::new(ApplyFeedBatchResponse { token })),
            None => Err(status::of(&Refusal::new(Reason::FeedCursorMoved), Lang::En)),
        }
    }

    // This node has no ledger: nothing is held, and heads are not exchanged.

    async fn get_head_standing(
        &self,
        _: Request<GetHeadStandingRequest>,
    ) -> Result<Response<GetHeadStandingResponse>, Status> {
        Ok(Response::new(GetHeadStandingResponse::default()))
    }

    async fn take_head(
        &self,
        _: Request<TakeHeadRequest>,
    ) -> Result<Response<TakeHeadResponse>, Status> {
        Err(status::of(&Refusal::new(Reason::NotBootstrapped), Lang::En))
    }

    async fn take_cosignature(
        &self,
        _: Request<TakeCosignatureRequest>,
    ) -> Result<Response<TakeCosignatureResponse>, Status> {
        Err(status::of(&Refusal::new(Reason::NotBootstrapped), Lang::En))
    }
}

/// The feed after the token, in batches, without end.
fn feed(
    memory: Arc<Memory>,
    question: FollowFeedRequest,
) -> impl Stream<Item = Result<StreamResponse, Status>> + Send {
    let open = Open::new(&memory);
    let after = question.after.map_or(0, |token| token.revision as usize);
    async_stream((after, memory.rows.subscribe()), move |(after, rows)| {
        let _open = &open;
        let (mut rows, from) = (rows.clone(), *after);
        let scope = question.scope;
        // A batch of the size asked for moves the position before it is handed out.
        let batch = rows
            .borrow_and_update()
            .feed
            .iter()
            .skip(from)
            .take(question.batch_size as usize)
            .cloned()
            .collect::<Vec<_>>();
        *after += batch.len();
        async move {
            let mut batch = batch;
            if batch.is_empty() {
                let grown = rows.wait_for(|rows| rows.feed.len() > from).await.ok()?;
                drop(grown);
                // A sign of life without records; the next question finds the records.
                batch = Vec::new();
            }
            let revision = (from + batch.len()) as u64;
            let token = FeedToken { revision, scope, ..Default::default() };
            let newest_revision = rows.borrow().feed.len() as u64;
            let response =
                FollowFeedResponse { records: batch, token: Some(token), newest_revision };
            Some(Ok(StreamResponse { response: response.encode_to_vec().into(), index: 1 }))
        }
    })
}

/// A stream that asks `next` for each of its items.
fn async_stream<S, T, F>(
    state: S,
    next: impl FnMut(&mut S) -> F + Send,
) -> impl Stream<Item = T> + Send
where
    S: Send,
    F: Future<Output = Option<T>> + Send,
{
    struct Unfold<S, N, F> {
        state: S,
        next: N,
        pending: Option<Pin<Box<F>>>,
    }

    impl<S, N, F> Unpin for Unfold<S, N, F> {}

    impl<S, T, N, F> Stream for Unfold<S, N, F>
    where
        N: FnMut(&mut S) -> F,
        F: Future<Output = Option<T>>,
    {
        type Item = T;

        fn poll_next(
            self: Pin<&mut Self>,
            cx: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<T>> {
            let this = self.get_mut();
            let (state, next) = (&mut this.state, &mut this.next);
            let pending = this.pending.get_or_insert_with(|| Box::pin(next(state)));
            let item = std::task::ready!(pending.as_mut().poll(cx));
            this.pending = None;
            std::task::Poll::Ready(item)
        }
    }

    Unfold { state, next, pending: None }
}
