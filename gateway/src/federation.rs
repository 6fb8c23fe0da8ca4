//! Federation: how do two domains keep in touch?
//!
//! Each side of a link dials the other. What it wants to know it follows (`follow`), what it
//! owes it delivers (`deliver`), what each holds of the other's ledger is exchanged (`exchange`),
//! and what the other side asks it serves like any call, within the bounds of [`serve`]. Calls of
//! our departments about what the other side owns are carried there one by one ([`carry`]). Cursor
//! and outbox are replicated, in the cluster; here is only the
//! carrying, so that any gateway of the domain can take over from any other, and two that carry
//! at once do no harm.
//!
//! A link can be cut and healed, for drills and for the demonstration. A cut link is cut: our
//! connections to the other domain are dropped wherever they stand, and its calls and streams to
//! us end without a word, as they would if a cable had been pulled.

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use catalog_model::{ids::DomainId, reason::Lang};
use http::uri::PathAndQuery;
use luqiao_proto::operations::v1::{GetStatusResponse, LinkStatus};
use luqiao_transport::{
    dial::{DialError, Dialer, PEER_MESSAGE_BYTES_MAX, Target},
    drain::Shutdown,
    language,
    status::Problem,
    tls::Expectation,
};
use prost::Message as _;
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};
use tonic::{
    Request, Status, Streaming, client::Grpc, metadata::MetadataValue, transport::Channel,
};

use crate::{
    config::{Config, PeerConfig},
    identity::loop_guard,
    raw::RawCodec,
    upstream::{CallFailed, Upstream, backoff::Backoff},
};

pub mod carry;
mod deliver;
mod exchange;
mod follow;
pub mod serve;

pub use exchange::Holders;

/// The one method whose answer the gateway completes: only it knows its connections.
pub const GET_STATUS: &str = "/luqiao.operations.v1.OperationsService/GetStatus";

/// First pause before a broken link is restored.
const PAUSE_FIRST: Duration = Duration::from_millis(50);

/// The links of a gateway to other domains. Clones are the same links.
#[derive(Debug, Clone)]
pub struct Links {
    links: Arc<BTreeMap<DomainId, Link>>,
    /// Counts what happened to any of them.
    changes: watch::Sender<u64>,
}

#[derive(Debug)]
struct Link {
    /// Whether the link may be used.
    open: watch::Sender<bool>,
    state: Mutex<State>,
}

/// What is known of a link.
#[derive(Debug, Clone, Default)]
struct State {
    /// How following goes; `None` if nothing is followed.
    following: Option<Side>,
    delivering: Side,
    /// Up to where our copy holds, and what there is.
    feed_revision: u64,
    newest_revision: u64,
    /// What is still owed, as far as it was looked at.
    outbox: u64,
    /// What is wrong with one ledger in the eyes of the other.
    forked: Option<String>,
}

/// One direction of work on a link.
#[derive(Debug, Clone, Default)]
struct Side {
    connected: bool,
    last_error: String,
}

/// Which direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    Following,
    Delivering,
}

/// Why work on a link stopped for the moment.
#[derive(Debug, thiserror::Error)]
enum LinkFailed {
    #[error("the other domain cannot be reached")]
    Dial(#[from] DialError),
    #[error("the other domain refused: {}", .0.message())]
    Refused(#[source] Status),
    #[error("the other domain did not answer in time")]
    Silent,
    #[error("the other domain ended the stream")]
    Ended,
    #[error("the other domain says that it is {0}")]
    OtherDomain(String),
    #[error("the other domain sent a batch that cannot be read")]
    Malformed(#[from] prost::DecodeError),
    #[error("our own cluster did not do its part")]
    Own(#[from] CallFailed),
    #[error("the outbox holds a call of {0}, which is not delivered")]
    Undeliverable(String),
    #[error("what the other domain says of its ledger is not believed: {0}")]
    Unbelieved(#[from] exchange::Unbelieved),
}

impl Links {
    /// The links that `config` names, all open.
    pub fn new(config: &Config) -> Self {
        let link = |peer: &PeerConfig| Link {
            open: watch::Sender::new(true),
            state: Mutex::new(State {
                following: peer.follow.map(|_| Side::default()),
                ..State::default()
            }),
        };
        let links = config.peers.iter().map(|peer| (peer.domain.clone(), link(peer)));
        Self { links: Arc::new(links.collect()), changes: watch::Sender::new(0) }
    }

    /// Cuts the link to `domain`: connections are dropped, nothing passes until it is healed.
    /// `false` if there is no such link.
    pub fn cut(&self, domain: &DomainId) -> bool {
        self.set_open(domain, false)
    }

    /// Lets the link to `domain` be used again. `false` if there is no such link.
    pub fn heal(&self, domain: &DomainId) -> bool {
        self.set_open(domain, true)
    }

    fn set_open(&self, domain: &DomainId, open: bool) -> bool {
        let Some(link) = self.links.get(domain) else {
            return false;
        };
        if link.open.send_replace(open) != open {
            tracing::warn!(%domain, open, "Link switched");
            self.changed();
        }
        true
    }

    /// Completes when the link to `domain` is cut; at once if it is; never if there is none.
    pub fn until_cut(&self, domain: &DomainId) -> impl Future<Output = ()> + Send + use<> {
        self.until_open_is(domain, false)
    }

    /// Completes when the link to `domain` may be used.
    fn until_healed(&self, domain: &DomainId) -> impl Future<Output = ()> + Send + use<> {
        self.until_open_is(domain, true)
    }

    fn until_open_is(
        &self,
        domain: &DomainId,
        wanted: bool,
    ) -> impl Future<Output = ()> + Send + use<> {
        let open = self.links.get(domain).map(|link| link.open.subscribe());
        async move {
            match open {
                Some(mut open) => {
                    // The sender lives as long as the links do.
                    let _ = open.wait_for(|open| *open == wanted).await;
                }
                None => std::future::pending().await,
            }
        }
    }

    /// How each link fares, as this gateway sees it.
    pub fn status(&self) -> Vec<LinkStatus> {
        let row = |(domain, link): (&DomainId, &Link)| {
            let state = link.state().clone();
            let sides = || state.following.iter().chain([&state.delivering]);
            LinkStatus {
                domain: domain.to_string(),
                connected: *link.open.borrow() && sides().all(|side| side.connected),
                feed_revision: state.feed_revision,
                feed_lag: state.newest_revision.saturating_sub(state.feed_revision),
                outbox_size: state.outbox,
                last_error: sides()
                    .find(|side| !side.connected)
                    .map(|side| side.last_error.clone())
                    .or_else(|| state.forked.clone())
                    .unwrap_or_default(),
            }
        };
        self.links.iter().map(row).collect()
    }

    /// Waits until the links fare as wanted, and returns how they do.
    pub async fn until(&self, wanted: impl Fn(&[LinkStatus]) -> bool) -> Vec<LinkStatus> {
        let mut changes = self.changes.subscribe();
        loop {
            changes.mark_unchanged();
            let status = self.status();
            if wanted(&status) {
                return status;
            }
            // The sender lives as long as the links do.
            let _ = changes.changed().await;
        }
    }

    fn changed(&self) {
        self.changes.send_modify(|changes| *changes += 1);
    }

    /// Completes the answer to [`GET_STATUS`] with the links; every other answer stays as it is.
    pub fn complete(&self, method: &str, answer: Bytes) -> Bytes {
        if method != GET_STATUS {
            return answer;
        }
        match GetStatusResponse::decode(answer.clone()) {
            Ok(mut status) => {
                status.links = merged(status.links, self.status());
                status.encode_to_vec().into()
            }
            Err(error) => {
                tracing::error!(%error, "Status of a node cannot be read");
                answer
            }
        }
    }
}

/// Of each link what the cluster knows of it (numbers that are replicated) with what we know
/// (whether there is a connection).
fn merged(of_cluster: Vec<LinkStatus>, ours: Vec<LinkStatus>) -> Vec<LinkStatus> {
    let mut rows: BTreeMap<String, LinkStatus> =
        of_cluster.into_iter().map(|row| (row.domain.clone(), row)).collect();
    for mut row in ours {
        if let Some(known) = rows.remove(&row.domain) {
            row.feed_revision = row.feed_revision.max(known.feed_revision);
            row.feed_lag = row.feed_lag.max(known.feed_lag);
            row.outbox_size = row.outbox_size.max(known.outbox_size);
        }
        rows.insert(row.domain.clone(), row);
    }
    rows.into_values().collect()
}

impl Link {
    fn state(&self) -> MutexGuard<'_, State> {
        // Each change is a plain assignment.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn side(&mut self, work: Work) -> &mut Side {
        match work {
            Work::Following => self.following.get_or_insert_default(),
            Work::Delivering => &mut self.delivering,
        }
    }
}

/// All that the work on one link needs.
#[derive(Clone)]
struct Worker {
    domain: DomainId,
    peer: PeerConfig,
    dialer: Dialer,
    upstream: Upstream,
    links: Links,
    feed_batch: u32,
    call_timeout: Duration,
    link_idle: Duration,
    link_retry_max: Duration,
    head_exchange: Duration,
}

/// Works on every link until `shutdown` begins.
pub fn start(
    config: &Config,
    dialer: &Dialer,
    upstream: &Upstream,
    links: &Links,
    shutdown: &Shutdown,
) {
    for worker in workers(config, dialer, upstream, links) {
        let follows = worker.peer.follow.map(|_| Work::Following);
        for work in follows.into_iter().chain([Work::Delivering]) {
            let (worker, begun) = (worker.clone(), shutdown.begun());
            drop(shutdown.spawn(async move {
                tokio::select! {
                    () = worker.keep(work) => {}
                    () = begun => {}
                }
            }));
        }
        let begun = shutdown.begun();
        drop(shutdown.spawn(async move {
            tokio::select! {
                () = worker.exchange() => {}
                () = begun => {}
            }
        }));
    }
}

/// A worker for each link.
fn workers(
    config: &Config,
    dialer: &Dialer,
    upstream: &Upstream,
    links: &Links,
) -> impl Iterator<Item = Worker> {
    config.peers.iter().map(move |peer| Worker {
        domain: config.domain.clone(),
        peer: peer.clone(),
        dialer: dialer.clone(),
        upstream: upstream.clone(),
        links: links.clone(),
        feed_batch: config.limits.feed_batch,
        call_timeout: config.timeouts.call,
        link_idle: config.timeouts.link_idle,
        link_retry_max: config.timeouts.link_retry_max,
        head_exchange: config.timeouts.head_exchange,
    })
}

impl Worker {
    /// Does `work` for ever, beginning again after each failure, and resting while the link is
    /// cut.
    async fn keep(&self, work: Work) {
        let domain = &self.peer.domain;
        let mut backoff = Backoff::new(PAUSE_FIRST, self.link_retry_max);
        loop {
            self.links.until_healed(domain).await;
            let failed = tokio::select! {
                // Dropping the work drops its connections.
                () = self.links.until_cut(domain) => None,
                failed = self.attempt(work) => Some(failed),
            };
            let was_connected = self.disconnected(work, failed.as_ref());
            if was_connected {
                backoff = Backoff::new(PAUSE_FIRST, self.link_retry_max);
            }
            sleep(backoff.pause(fastrand::f64())).await;
        }
    }

    async fn attempt(&self, work: Work) -> LinkFailed {
        let ended = match work {
            Work::Following => self.follow().await,
            Work::Delivering => self.deliver().await,
        };
        match ended {
            Ok(never) => match never {},
            Err(failed) => failed,
        }
    }

    fn connected(&self, work: Work) {
        let now = Side { connected: true, last_error: String::new() };
        let before = self.note(|state| std::mem::replace(state.side(work), now));
        if !before.connected {
            tracing::info!(domain = %self.peer.domain, ?work, "Link connected");
        }
    }

    /// Notes why the work stopped; says whether it had been going on.
    fn disconnected(&self, work: Work, failed: Option<&LinkFailed>) -> bool {
        let text = failed.map_or_else(|| "the link is cut".to_owned(), LinkFailed::explain);
        let now = Side { connected: false, last_error: text.clone() };
        let before = self.note(|state| std::mem::replace(state.side(work), now));
        if before.connected || before.last_error != text {
            tracing::warn!(domain = %self.peer.domain, ?work, error = text, "Link disconnected");
        }
        before.connected
    }

    /// Changes what is known of the link, and tells those who wait for it.
    fn note<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let link = &self.links.links[&self.peer.domain];
        let noted = change(&mut link.state());
        self.links.changed();
        noted
    }

    /// A connection to one of the peer's gateways, which has proved to be one.
    async fn dial(&self) -> Result<Peer, LinkFailed> {
        dial(&self.dialer, &self.peer, &self.domain, self.call_timeout).await
    }
}

/// A connection of `domain` to one of the gateways of `peer`, which has proved to be one.
async fn dial(
    dialer: &Dialer,
    peer: &PeerConfig,
    domain: &DomainId,
    call_timeout: Duration,
) -> Result<Peer, LinkFailed> {
    let mut endpoints: Vec<&String> = peer.endpoints.iter().collect();
    let first = fastrand::usize(..endpoints.len());
    endpoints.rotate_left(first);
    let mut failed = None;
    for endpoint in endpoints {
        let mut target =
            Target::new(endpoint).expecting(Expectation::gateway_of(peer.domain.clone()));
        target.server_name.clone_from(&peer.server_name);
        match dialer.connect(&target).await {
            Ok(channel) => {
                let grpc = Grpc::new(channel)
                    .max_decoding_message_size(PEER_MESSAGE_BYTES_MAX)
                    .max_encoding_message_size(PEER_MESSAGE_BYTES_MAX);
                return Ok(Peer { grpc, path: domain.clone(), call_timeout });
            }
            Err(error) => failed = Some(error),
        }
    }
    Err(failed.expect("a peer has at least one endpoint").into())
}

/// A connected gateway of the other domain.
struct Peer {
    grpc: Grpc<Channel>,
    /// The domains that our calls have passed: our own.
    path: DomainId,
    call_timeout: Duration,
}

impl Peer {
    async fn call(&mut self, method: &'static str, call: Bytes) -> Result<Bytes, LinkFailed> {
        self.call_in(method, call, None).await
    }

    /// A call whose refusal is wanted in a language.
    async fn call_in(
        &mut self,
        method: &'static str,
        call: Bytes,
        language: Option<&'static str>,
    ) -> Result<Bytes, LinkFailed> {
        let mut request = self.request(call);
        if let Some(language) = language {
            let tag = MetadataValue::from_static(language);
            request.metadata_mut().insert(language::ACCEPT_LANGUAGE, tag);
        }
        let time = self.call_timeout;
        request.set_timeout(time);
        let answer = async {
            self.ready().await?;
            self.grpc.unary(request, PathAndQuery::from_static(method), RawCodec).await
        };
        match timeout(time, answer).await {
            Ok(answer) => Ok(answer.map_err(LinkFailed::Refused)?.into_inner()),
            Err(_) => Err(LinkFailed::Silent),
        }
    }

    async fn stream(
        &mut self,
        method: &'static str,
        call: Bytes,
    ) -> Result<Streaming<Bytes>, LinkFailed> {
        let time = self.call_timeout;
        let request = self.request(call);
        let answer = async {
            self.ready().await?;
            self.grpc.server_streaming(request, PathAndQuery::from_static(method), RawCodec).await
        };
        match timeout(time, answer).await {
            Ok(answer) => Ok(answer.map_err(LinkFailed::Refused)?.into_inner()),
            Err(_) => Err(LinkFailed::Silent),
        }
    }

    async fn ready(&mut self) -> Result<(), Status> {
        self.grpc.ready().await.map_err(|error| Status::from_error(Box::new(error)))
    }

    fn request(&self, call: Bytes) -> Request<Bytes> {
        let mut request = Request::new(call);
        let path = self.path.as_str().parse().expect("a domain id is ASCII");
        request.metadata_mut().insert(loop_guard::PATH, path);
        request
    }
}

impl LinkFailed {
    /// In one sentence, for the people on duty.
    fn explain(&self) -> String {
        match self {
            Self::Dial(error) => error.explain(Lang::En),
            Self::Refused(status) => match DialError::find(status) {
                Some(error) => error.explain(Lang::En),
                None => format!("refused: {}", Problem::from_status(status).message),
            },
            Self::Own(error) => format!("{self}: {error}"),
            Self::Malformed(error) => format!("{self}: {error}"),
            Self::Silent
            | Self::Ended
            | Self::OtherDomain(_)
            | Self::Undeliverable(_)
            | Self::Unbelieved(_) => self.to_string(),
        }
    }
}

#[cfg(test)]
mod tests;
