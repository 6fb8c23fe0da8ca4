//! Receiving from peers: is this stream from a node of our cluster, and is it the newest of its
//! pair?

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use catalog_model::{
    fence::{Said, TurnedAway},
    ids::DomainId,
    reason::{Lang, Reason},
    refusal::Refusal,
    site::Pair,
    time::UtcMillis,
};
use catalog_state::view::View;
use luqiao_proto::peer::v1::{
    ExchangeRequest, ExchangeResponse, FetchSnapshotRequest, FetchSnapshotResponse,
    GetContentDigestRequest, GetContentDigestResponse, GetReadIndexRequest, GetReadIndexResponse,
    Hello, OutageKind, PrepareLeadershipRequest, PrepareLeadershipResponse, ReportOutageRequest,
    ReportOutageResponse, exchange_request::Message as Part, peer_service_server::PeerService,
};
use luqiao_transport::{accept::ConnectionInfo, drain::Shutdown, identity::Subject, status};
use protobuf::Message as _;
use raft::eraftpb::Message;
use tokio::{
    sync::{Semaphore, mpsc},
    time::{sleep, timeout},
};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};

use crate::{
    backup::witnessed,
    fencing::{Fencing, Heard},
    handle::NodeHandle,
    handover,
    node::{FromPeer, Report, STORE_FOREIGN, no_leader, quarantined},
    outages,
    services::call::Answers,
    snapshots::{Pace, SEND_BYTES_PER_SECOND, ServeError, Snapshots},
    storage::{Identity, hex},
};

/// How long a peer may take to say who it is.
const HELLO_WAIT: Duration = Duration::from_secs(5);

/// How long another node waits for this one to come as far as it has.
const APPLIED_WAIT: Duration = Duration::from_secs(30);

/// Blocks of a snapshot that wait for a slow receiver.
const BLOCKS_AHEAD: usize = 2;

/// Receives for one node.
#[derive(Debug)]
pub(crate) struct Incoming {
    handle: NodeHandle,
    domain: DomainId,
    identity: Identity,
    fencing: Arc<Fencing>,
    snapshots: Snapshots,
    /// Of each peer the newest connection, and how it is ended when a newer one comes.
    newest: Mutex<BTreeMap<u64, (u64, CancellationToken)>>,
    /// Held by whoever reads all rows for another node.
    witnessing: Arc<Semaphore>,
    /// A peer's stream has no end of its own: without this one a shutdown waits out its grace.
    shutdown: Shutdown,
}

/// Why a peer is not spoken with.
#[derive(Debug)]
enum Stranger {
    /// It was a member, and the cluster let it go.
    Removed,
    /// It is not the node that was known by that id: its disk is another one.
    Replaced(String),
    /// It takes this node for one with another disk.
    KnowsAnother,
    /// It speaks for another generation, or this node speaks for none any more.
    OfAnotherGeneration(Refusal),
    /// Anything else, for both logs.
    Other(String),
}

impl From<String> for Stranger {
    fn from(cause: String) -> Self {
        Self::Other(cause)
    }
}

impl Stranger {
    fn status(self, peer: u64, own: u64) -> Status {
        let refusal = match self {
            Self::Removed => {
                tracing::debug!(peer, "Removed node refused");
                Refusal::new(Reason::MemberUnknown).fact("node", peer)
            }
            Self::Replaced(cause) => {
                tracing::warn!(peer, cause, "Peer refused");
                Refusal::new(Reason::StoreForeign).fact("node", peer)
            }
            Self::KnowsAnother => {
                tracing::debug!(peer, "Refused a peer that knows this node with another disk");
                Refusal::new(Reason::StoreForeign).fact("node", own)
            }
            Self::OfAnotherGeneration(refusal) => {
                tracing::warn!(peer, reason = %refusal.reason, "Peer of another generation refused");
                refusal
            }
            Self::Other(cause) => {
                tracing::warn!(peer, cause, "Peer refused");
                Refusal::new(Reason::GenerationForeign).fact("cause", &cause)
            }
        };
        status::of(&refusal, Lang::En)
    }
}

impl Incoming {
    pub(crate) fn new(
        handle: NodeHandle,
        identity: Identity,
        snapshots: Snapshots,
        shutdown: Shutdown,
    ) -> Self {
        let (domain, fencing) = (handle.domain().clone(), Arc::clone(handle.fencing()));
        let witnessing = Arc::new(Semaphore::new(1));
        let newest = Mutex::default();
        Self { handle, domain, identity, fencing, snapshots, newest, witnessing, shutdown }
    }

    /// Whether we belong together.
    fn check(&self, from_certificate: u64, hello: &Hello, said: &Said) -> Result<(), Stranger> {
        let own = &self.identity;
        let Hello { from, to, .. } = *hello;
        if from != from_certificate {
            return Err(Stranger::Other(format!(
                "the certificate is node {from_certificate}'s, the hello is from {from}"
            )));
        }
        if to != own.node {
            let cause = format!("the stream is for node {to}, this is node {}", own.node);
            return Err(Stranger::Other(cause));
        }
        if hello.cluster_id != hex(&own.cluster_id) {
            let cause = format!("the sender belongs to cluster {}", hello.cluster_id);
            return Err(Stranger::Other(cause));
        }
        self.check_generation(hello, said)?;
        if !hello.to_store_uuid.is_empty() && hello.to_store_uuid != hex(&own.store_uuid) {
            self.handle.peers().disowned_by(from);
            return Err(Stranger::KnowsAnother);
        }
        if self.handle.standing().disowned() {
            return Err(Stranger::KnowsAnother);
        }
        self.check_member(from)?;
        let store = u128::from_str_radix(&hello.store_uuid, 16).map(u128::to_be_bytes);
        let Ok(store) = store else {
            return Err(Stranger::Other("the store's id cannot be read".to_owned()));
        };
        let known = self
            .handle
            .peer_store(from, store)
            .map_err(|error| format!("its store cannot be remembered: {error}"))?;
        if known != store {
            return Err(Stranger::Replaced(format!(
                "node {from} comes with store {}, it was {}: a node that lost its disk comes back under a new id",
                hello.store_uuid,
                hex(&known)
            )));
        }
        // Last: a node that joins is taken in only by one that was found to be of its cluster.
        self.fencing
            .met(said)
            .map_err(|error| format!("its generation cannot be remembered: {error}"))?;
        Ok(())
    }

    /// Whether the sender speaks for our generation. What it knows of others was heard; a later one
    /// has fenced this node by now.
    fn check_generation(&self, hello: &Hello, said: &Said) -> Result<(), Stranger> {
        self.fencing.hear(said);
        self.fencing.admit_peer(said).map_err(Stranger::OfAnotherGeneration)?;
        let known = self.fencing.known();
        let past = match known.belongs {
            Some(own) => (hello.generation < own.generation).then_some(own),
            None => (hello.generation < known.heard.generation).then_some(known.heard),
        };
        match past {
            Some(pair) => Err(Stranger::OfAnotherGeneration(TurnedAway::Past { pair }.refusal())),
            None => Ok(()),
        }
    }

    /// Whether `from` may be another member. Certificate and cluster were checked: a node of which
    /// nothing is known here may have been let in by a change that this node has not applied yet,
    /// and has to be heard for it ever to be. One that was let go is told so.
    fn check_member(&self, from: u64) -> Result<(), Stranger> {
        let stranger = || Stranger::Other(format!("node {from} is no other member"));
        if from == self.identity.node {
            return Err(stranger());
        }
        let members = self.handle.view(|state| View(state).members());
        match members {
            Some(members) if members.get(from).is_some() => Ok(()),
            Some(members) if members.used_ids.contains(&from) => Err(Stranger::Removed),
            Some(_) => Ok(()),
            // The members are the founders as configured, or this node is new and knows nobody.
            None if self.handle.peers().contains(from) => Ok(()),
            None if self.handle.status().replica.membership.is_empty() => Ok(()),
            None => Err(stranger()),
        }
    }

    /// Whether a call is from a node of our cluster; which.
    fn caller<T>(&self, request: &Request<T>, hello: Option<&Hello>) -> Result<u64, Status> {
        let peer = node_in_certificate(request, &self.domain)?;
        let hello = hello.ok_or_else(|| Status::invalid_argument("a call carries a hello"))?;
        let said = said(request.extensions().get::<Heard>().copied(), hello);
        self.check(peer, hello, &said)
            .map_err(|stranger| stranger.status(peer, self.identity.node))?;
        Ok(peer)
    }

    /// Makes this the peer's connection, unless a newer one is.
    fn admit(&self, hello: &Hello) -> Result<CancellationToken, String> {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((connection, replaced)) = newest.get(&hello.from) {
            if *connection >= hello.connection {
                return Err(format!("connection {connection} is newer than {}", hello.connection));
            }
            replaced.cancel();
        }
        let replaced = CancellationToken::new();
        newest.insert(hello.from, (hello.connection, replaced.clone()));
        Ok(replaced)
    }
}

#[tonic::async_trait]
impl PeerService for Incoming {
    async fn exchange(
        &self,
        request: Request<Streaming<ExchangeRequest>>,
    ) -> Result<Response<ExchangeResponse>, Status> {
        let peer = node_in_certificate(&request, &self.domain)?;
        let heard = request.extensions().get::<Heard>().copied();
        let mut stream = request.into_inner();
        let first = timeout(HELLO_WAIT, stream.message())
            .await
            .map_err(|_| Status::deadline_exceeded("no hello came"))??;
        let Some(ExchangeRequest { message: Some(Part::Hello(hello)) }) = first else {
            return Err(Status::invalid_argument("a stream begins with a hello"));
        };
        let replaced = self
            .check(peer, &hello, &said(heard, &hello))
            .and_then(|()| self.admit(&hello).map_err(Stranger::from))
            .map_err(|stranger| stranger.status(peer, self.identity.node))?;
        self.handle.alarms().clear(STORE_FOREIGN, &peer.to_string());
        self.handle.peers().says_level(peer, hello.level);
        tracing::debug!(peer, connection = hello.connection, "Peer connected");

        let fenced = self.fencing.stopped();
        tokio::pin!(fenced);
        loop {
            let part = tokio::select! {
                () = &mut fenced => {
                    let refusal = self.fencing.refusal().unwrap_or_else(no_leader);
                    return Err(status::of(&refusal, Lang::En));
                }
                () = replaced.cancelled() => return Ok(Response::new(ExchangeResponse {})),
                () = self.shutdown.begun() => return Ok(Response::new(ExchangeResponse {})),
                part = stream.message() => part?,
            };
            match part.map(|part| part.message) {
                None => return Ok(Response::new(ExchangeResponse {})),
                Some(Some(Part::Batch(batch))) => {
                    let bytes = batch.messages.iter().map(Bytes::len).sum();
                    let mut messages = Vec::with_capacity(batch.messages.len());
                    for message in batch.messages {
                        let message = Message::parse_from_bytes(&message)
                            .map_err(|_| Status::invalid_argument("a message cannot be read"))?;
                        if message.from != peer {
                            return Err(Status::invalid_argument("a message of another sender"));
                        }
                        messages.push(message);
                    }
                    self.handle.deliver(FromPeer::Messages(messages), bytes);
                }
                Some(Some(Part::Mark(mark))) => self.handle.deliver_mark(peer, &mark),
                Some(_) => return Err(Status::invalid_argument("a second hello, or nothing")),
            }
        }
    }

    async fn get_read_index(
        &self,
        request: Request<GetReadIndexRequest>,
    ) -> Result<Response<GetReadIndexResponse>, Status> {
        self.caller(&request, request.get_ref().hello.as_ref())?;
        let index = self.handle.read_index().await;
        let index = index.map_err(|refusal| status::of(&refusal, Lang::En))?;
        Ok(Response::new(GetReadIndexResponse { index }))
    }

    async fn prepare_leadership(
        &self,
        request: Request<PrepareLeadershipRequest>,
    ) -> Result<Response<PrepareLeadershipResponse>, Status> {
        self.caller(&request, request.get_ref().hello.as_ref())?;
        let cause = handover::unfit(self.handle.fitness(request.get_ref().last_index));
        Ok(Response::new(PrepareLeadershipResponse {
            fit: cause.is_none(),
            cause: cause.unwrap_or_default().to_owned(),
        }))
    }

    async fn report_outage(
        &self,
        request: Request<ReportOutageRequest>,
    ) -> Result<Response<ReportOutageResponse>, Status> {
        let peer = self.caller(&request, request.get_ref().hello.as_ref())?;
        let request = request.into_inner();
        if request.kind() != OutageKind::DiskNearlyFull {
            return Err(Status::invalid_argument("an outage of no kind that is known here"));
        }
        let (from, until) = (UtcMillis(request.from_ms), UtcMillis(request.until_ms));
        outages::record(&self.handle, peer, from, until)
            .await
            .map_err(|refusal| status::of(&refusal, Lang::En))?;
        Ok(Response::new(ReportOutageResponse {}))
    }

    async fn get_content_digest(
        &self,
        request: Request<GetContentDigestRequest>,
    ) -> Result<Response<GetContentDigestResponse>, Status> {
        self.caller(&request, request.get_ref().hello.as_ref())?;
        if self.handle.standing().quarantined() {
            return Err(status::of(&quarantined(), Lang::En));
        }
        let at_least = self.handle.wait_applied(request.get_ref().at_least);
        timeout(APPLIED_WAIT, at_least)
            .await
            .map_err(|_| Status::unavailable("this node is behind"))?
            .map_err(|refusal| status::of(&refusal, Lang::En))?;
        let Ok(turn) = Arc::clone(&self.witnessing).try_acquire_owned() else {
            return Err(Status::resource_exhausted("the rows are being read already"));
        };
        let (store, shutdown) = (self.handle.newest(), self.shutdown.clone());
        // Goes with this call: who stopped waiting wants nothing read.
        let waits = Arc::new(());
        let asked = Arc::downgrade(&waits);
        let reading = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            witnessed::held(&store, || asked.strong_count() > 0 && !shutdown.has_begun())
        });
        let held = reading.await.map_err(|_| Status::internal("the rows could not be read"))?;
        drop(waits);
        let held = held.ok_or_else(|| Status::cancelled("the node ends"))?;
        Ok(Response::new(GetContentDigestResponse {
            index: held.index,
            content: held.content.to_vec().into(),
            rows: held.rows,
        }))
    }

    type FetchSnapshotStream = Answers<FetchSnapshotResponse>;

    async fn fetch_snapshot(
        &self,
        request: Request<FetchSnapshotRequest>,
    ) -> Result<Response<Self::FetchSnapshotStream>, Status> {
        let peer = self.caller(&request, request.get_ref().hello.as_ref())?;
        let FetchSnapshotRequest { manifest_id, first_block, .. } = request.into_inner();
        let (out, blocks) = mpsc::channel(BLOCKS_AHEAD);
        let (snapshots, handle) = (self.snapshots.clone(), self.handle.clone());
        let shutdown = self.shutdown.clone();
        let sending = async move {
            let mut pace = Pace::new(SEND_BYTES_PER_SECOND);
            for number in first_block.. {
                let block = tokio::select! {
                    () = out.closed() => return,
                    () = shutdown.begun() => return,
                    block = snapshots.block(&manifest_id, number) => block,
                };
                let message = match block {
                    Ok(block) => Ok(FetchSnapshotResponse { number, block: block.into() }),
                    // Everything was sent.
                    Err(ServeError::NoBlock) => return,
                    Err(error @ ServeError::Unknown) => Err(Status::not_found(error.to_string())),
                };
                let bytes = message.as_ref().map_or(0, |message| message.block.len());
                let failed = message.is_err();
                if out.send(message).await.is_err() || failed {
                    return;
                }
                handle.report(Report::SnapshotSent(peer));
                sleep(pace.sent(bytes, Instant::now())).await;
            }
        };
        drop(self.shutdown.spawn(sending));
        Ok(Response::new(Box::pin(ReceiverStream::new(blocks))))
    }
}

/// What the sender of `hello` knows of openings: as the gate heard it, and of programs that say
/// nothing there, as the hello says it.
fn said(heard: Option<Heard>, hello: &Hello) -> Said {
    let named = Pair { generation: hello.generation, epoch: hello.epoch.max(Pair::FIRST.epoch) };
    match heard {
        // A node that joins belongs nowhere; its hello names the first for want of another.
        Some(Heard(said @ Said { belongs: None, .. })) => said,
        Some(Heard(said)) => Said { heard: said.heard.max(named), ..said },
        None => Said { belongs: Some(named), heard: named, ..Said::NOTHING },
    }
}

/// Which node the certificate on which the request came names.
pub(crate) fn node_in_certificate<T>(
    request: &Request<T>,
    domain: &DomainId,
) -> Result<u64, Status> {
    let refused = || status::of(&Refusal::new(Reason::EnvelopeRefused), Default::default());
    let info = request.extensions().get::<ConnectionInfo>().ok_or_else(refused)?;
    let certificate = info.certificate.as_ref().ok_or_else(refused)?;
    match &certificate.spiffe {
        Some(name) if name.domain == *domain => match &name.subject {
            Subject::Node { id } => id.as_str().parse().map_err(|_| refused()),
            _ => Err(refused()),
        },
        _ => Err(refused()),
    }
}
