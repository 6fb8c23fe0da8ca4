//! Receiving from peers: is this stream from a node of our cluster, and is it the newest of its
//! pair?

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use catalog_model::{ids::DomainId, reason::Reason, refusal::Refusal};
use luqiao_proto::peer::v1::{
    ExchangeRequest, ExchangeResponse, Hello, exchange_request::Message as Part,
    peer_service_server::PeerService,
};
use luqiao_transport::{accept::ConnectionInfo, drain::Shutdown, identity::Subject, status};
use protobuf::Message as _;
use raft::eraftpb::Message;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};

use crate::{
    handle::NodeHandle,
    storage::{Identity, hex},
};

/// How long a peer may take to say who it is.
const HELLO_WAIT: Duration = Duration::from_secs(5);

/// Receives for one node.
#[derive(Debug)]
pub(crate) struct Incoming {
    handle: NodeHandle,
    domain: DomainId,
    identity: Identity,
    members: Vec<u64>,
    /// Of each peer the newest connection, and how it is ended when a newer one comes.
    newest: Mutex<BTreeMap<u64, (u64, CancellationToken)>>,
    /// A peer's stream has no end of its own: without this one a shutdown waits out its grace.
    shutdown: Shutdown,
}

impl Incoming {
    pub(crate) fn new(
        handle: NodeHandle,
        identity: Identity,
        members: Vec<u64>,
        shutdown: Shutdown,
    ) -> Self {
        let domain = handle.domain().clone();
        Self { handle, domain, identity, members, newest: Mutex::default(), shutdown }
    }

    /// Whether we belong together; what is wrong otherwise, for both logs.
    fn check(&self, from_certificate: u64, hello: &Hello) -> Result<(), String> {
        let own = &self.identity;
        let Hello { from, to, .. } = *hello;
        if from != from_certificate {
            return Err(format!(
                "the certificate is node {from_certificate}'s, the hello is from {from}"
            ));
        }
        if !self.members.contains(&from) || from == own.node {
            return Err(format!("node {from} is no other member"));
        }
        if to != own.node {
            return Err(format!("the stream is for node {to}, this is node {}", own.node));
        }
        if hello.cluster_id != hex(&own.cluster_id) {
            return Err(format!("the sender belongs to cluster {}", hello.cluster_id));
        }
        if hello.generation != own.generation {
            return Err(format!("the sender is of generation {}", hello.generation));
        }
        let store = u128::from_str_radix(&hello.store_uuid, 16).map(u128::to_be_bytes);
        let Ok(store) = store else { return Err("the store's id cannot be read".to_owned()) };
        let known = self.handle.store().peer_store(from, store);
        if known != store {
            return Err(format!(
                "node {from} comes with store {}, it was {}: a node that lost its disk comes back under a new id",
                hello.store_uuid,
                hex(&known)
            ));
        }
        Ok(())
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
        let mut stream = request.into_inner();
        let first = timeout(HELLO_WAIT, stream.message())
            .await
            .map_err(|_| Status::deadline_exceeded("no hello came"))??;
        let Some(ExchangeRequest { message: Some(Part::Hello(hello)) }) = first else {
            return Err(Status::invalid_argument("a stream begins with a hello"));
        };
        let replaced = self.check(peer, &hello).and_then(|()| self.admit(&hello));
        let replaced = replaced.map_err(|cause| {
            tracing::warn!(peer, cause, "Peer refused");
            let refusal = Refusal::new(Reason::GenerationForeign).fact("cause", &cause);
            status::of(&refusal, Default::default())
        })?;
        tracing::debug!(peer, connection = hello.connection, "Peer connected");

        loop {
            let part = tokio::select! {
                () = replaced.cancelled() => return Ok(Response::new(ExchangeResponse {})),
                () = self.shutdown.begun() => return Ok(Response::new(ExchangeResponse {})),
                part = stream.message() => part?,
            };
            match part.map(|part| part.message) {
                None => return Ok(Response::new(ExchangeResponse {})),
                Some(Some(Part::Batch(batch))) => {
                    let mut messages = Vec::with_capacity(batch.messages.len());
                    for bytes in batch.messages {
                        let message = Message::parse_from_bytes(&bytes)
                            .map_err(|_| Status::invalid_argument("a message cannot be read"))?;
                        if message.from != peer {
                            return Err(Status::invalid_argument("a message of another sender"));
                        }
                        messages.push(message);
                    }
                    self.handle.deliver(messages);
                }
                Some(_) => return Err(Status::invalid_argument("a second hello, or nothing")),
            }
        }
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
