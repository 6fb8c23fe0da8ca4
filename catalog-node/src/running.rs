//! A running node: how is it begun, and how is it ended?
//!
//! In this order: configuration, keys, disk, replica, peers, and only then the port. It ends in one
//! of three ways: [`RunningNode::stop`] hands over what it leads and lets calls finish;
//! [`RunningNode::kill`] is a power cut as far as a process can imitate one; and a fatal error ends
//! the loop by itself.

use std::{
    collections::BTreeMap,
    error::Error,
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
        mpsc::sync_channel,
    },
    thread::JoinHandle,
    time::Duration,
};

use catalog_replica::{Config as ReplicaConfig, Replica, StartError};
use catalog_state::view::View;
use luqiao_proto::{
    node::v1::{node_service_server::NodeServiceServer, probe_service_server::ProbeServiceServer},
    peer::v1::{Hello, peer_service_server::PeerServiceServer},
};
use luqiao_transport::{
    accept::{ServeOptions, serve},
    dial::{DialError, DialOptions, Dialer, PEER_MESSAGE_BYTES_MAX, Target},
    drain::{CutOnDrop, Shutdown},
    identity::{SpiffeId, Subject},
    tls::{Expectation, TlsError, TlsMaterial},
};
use tokio::{net::TcpListener, sync::watch, time::timeout};
use tonic::service::Routes;

use crate::{
    alarms::Alarms,
    clock::StampClock,
    config::{Config, ConfigError, Member},
    duties,
    handle::NodeHandle,
    history::History,
    node::{NodeLoop, NodeStatus, Shell},
    peers::{PeerQueues, dial::Outgoing, serve::Incoming},
    services::{HeadKey, HeadKeyError, Services, call::NodeCalls, federation, probe::Probes},
    storage::{StateStore, Storage, StorageError, hex},
    telemetry::raft_logger,
};

/// Inputs that wait for the loop. Beyond it callers are told to slow down.
const INPUTS: usize = 4096;

/// How long a node that leads tries to hand over before it stops anyway.
const HANDOVER: Duration = Duration::from_secs(2);

/// How long the last readers of a killed node may keep its folder.
const RELEASE: Duration = Duration::from_secs(5);

/// Why a node did not start.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The configuration makes no sense.
    #[error("the configuration cannot be used")]
    Config(#[from] ConfigError),
    /// Certificate, key or authorities cannot be used.
    #[error("TLS cannot be used")]
    Tls(#[from] TlsError),
    /// The certificate is not this node's.
    #[error("the certificate names {found}, the configuration {expected}")]
    Certificate {
        /// Whom it names.
        found: String,
        /// Whom the configuration names.
        expected: String,
    },
    /// The key for tree heads cannot be used.
    #[error("the ledger key cannot be used")]
    HeadKey(#[from] HeadKeyError),
    /// The data folder cannot be used.
    #[error("the data folder cannot be used")]
    Storage(#[from] StorageError),
    /// The replica refuses to start on what is there.
    #[error("the replica refuses to start")]
    Replica(#[from] StartError),
    /// A member's address cannot be used.
    #[error("member {member} cannot be dialed")]
    Member {
        /// Which.
        member: u64,
        /// Why.
        source: DialError,
    },
    /// The port cannot be had.
    #[error("{address} cannot be listened on")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// No thread can be had.
    #[error("the node's thread does not start")]
    Thread(#[source] io::Error),
}

/// The catalog node.
#[derive(Debug)]
pub struct CatalogNode;

/// A node that runs. Dropping it kills it.
#[derive(Debug)]
pub struct RunningNode {
    id: u64,
    addr: SocketAddr,
    handle: Option<NodeHandle>,
    store: Weak<StateStore>,
    shutdown: Shutdown,
    grace: Duration,
    stopped: Arc<AtomicBool>,
    thread: Mutex<Option<JoinHandle<()>>>,
    failed: watch::Receiver<Option<String>>,
    /// Ends all tasks when it goes.
    cut: Option<CutOnDrop>,
}

impl CatalogNode {
    /// Starts a node. It returns once the port is open; a leader may take an election longer.
    pub async fn start(config: Config) -> Result<RunningNode, NodeError> {
        let address = config.listen;
        let listener = TcpListener::bind(address)
            .await
            .map_err(|source| NodeError::Listen { address, source })?;
        Self::start_on(config, listener).await
    }

    /// Starts a node on a port that is open already.
    pub async fn start_on(config: Config, listener: TcpListener) -> Result<RunningNode, NodeError> {
        config.check()?;
        let addr = listener
            .local_addr()
            .map_err(|source| NodeError::Listen { address: config.listen, source })?;
        let tls = Arc::new(TlsMaterial::load(config.tls.clone())?);
        check_certificate(&config, &tls)?;
        let head_key = HeadKey::load(&config.head, &config.domain, config.id, &config.cluster_id)?;
        let voters = config.voters();
        let Storage { state, log, identity, boot } =
            Storage::open(&config.data, config.cluster_id, config.id, &voters)?;

        let replica_config = ReplicaConfig {
            election_tick: config.election_ticks,
            ..ReplicaConfig::new(
                config.id,
                voters.clone(),
                u64::from_be_bytes(crate::random_bytes()),
            )
        };
        let logger = raft_logger(config.id);
        let replica = Replica::start(replica_config, &log, state.applied(), &logger)?;

        let alarms = Arc::new(Alarms::default());
        let history = History::new(state.applied());
        let clock = Arc::new(StampClock::new(
            config.wall_clock.clone(),
            View(&*state).clock(),
            config.clock_ahead_max,
            config.accept_clock,
            Arc::clone(&alarms),
        ));
        let others = voters.iter().copied().filter(|id| *id != config.id);
        let (queues, ends) = PeerQueues::new(others);
        let shell =
            Shell::new(Arc::clone(&state), Arc::clone(&history), Arc::clone(&clock), queues);
        let bootstrapped = View(&*state).cluster().is_some();
        let (status, shown) =
            watch::channel(NodeStatus { replica: replica.status(), bootstrapped, running: true });
        let (inputs, taken) = sync_channel(INPUTS);
        let stopped = Arc::new(AtomicBool::new(false));
        let node_loop = NodeLoop {
            replica,
            log,
            inputs: taken,
            tick: config.tick,
            // A start has as many contexts as nobody will use up.
            first_read: boot << 40,
            stopped: Arc::clone(&stopped),
            status,
            shell,
        };
        let handle = NodeHandle::new(
            inputs,
            shown,
            Arc::clone(&state),
            history,
            Arc::clone(&clock),
            Arc::clone(&alarms),
            config.domain.clone(),
            config.id,
        );

        let shutdown = Shutdown::new();
        let channels = channels(&config, &tls)?;
        let hello = Hello {
            cluster_id: hex(&identity.cluster_id),
            generation: identity.generation,
            epoch: 0,
            store_uuid: hex(&identity.store_uuid),
            from: config.id,
            to: 0,
            connection: 0,
        };
        for (peer, queue) in ends {
            let outgoing = Outgoing {
                peer,
                channel: channels[&peer].clone(),
                hello: Hello { to: peer, ..hello.clone() },
                first_connection: boot << 32,
                queue,
            };
            let (alarms, clock, ends) = (Arc::clone(&alarms), Arc::clone(&clock), shutdown.clone());
            drop(shutdown.spawn(async move { outgoing.run(ends, &alarms, &clock).await }));
        }
        drop(shutdown.spawn(duties::advance_clock(handle.clone(), shutdown.clone())));
        drop(shutdown.spawn(duties::watch_leader(handle.clone(), shutdown.clone())));

        let incoming = Incoming::new(handle.clone(), identity, voters, shutdown.clone());
        let services = Arc::new(Services {
            handle: handle.clone(),
            identity,
            members: config.members.clone(),
            channels,
            head_key,
            chains: federation::Chains::default(),
            shutdown: shutdown.clone(),
        });
        let routes = routes(incoming, services).await;
        let options =
            ServeOptions { shutdown_grace: config.shutdown_grace, ..ServeOptions::default() };
        let serving = serve(listener, tls, routes, options, shutdown.begun());
        drop(shutdown.spawn(serving));

        let (failing, failed) = watch::channel(None);
        let thread = std::thread::Builder::new()
            .name(format!("node-{}", config.id))
            .spawn(move || {
                if let Err(fatal) = node_loop.run() {
                    let cause = chain(&fatal);
                    tracing::error!(cause, "Node stopped for good");
                    failing.send_replace(Some(cause));
                }
            })
            .map_err(NodeError::Thread)?;
        tracing::info!(id = config.id, %addr, applied = state.applied(), "Node started");
        Ok(RunningNode {
            id: config.id,
            addr,
            handle: Some(handle),
            store: Arc::downgrade(&state),
            cut: Some(shutdown.cut_on_drop()),
            shutdown,
            grace: config.shutdown_grace,
            stopped,
            thread: Mutex::new(Some(thread)),
            failed,
        })
    }
}

impl RunningNode {
    /// The node's id.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Speaks with it. Whoever keeps a handle keeps the data folder open.
    pub fn handle(&self) -> NodeHandle {
        self.handle.clone().expect("it is taken only when the node ends")
    }

    /// Completes with the cause when the node ends by itself.
    pub async fn failed(&self) -> String {
        let mut failed = self.failed.clone();
        let ended = failed.wait_for(Option::is_some).await.map(|cause| cause.clone());
        match ended {
            Ok(cause) => cause.unwrap_or_default(),
            // The thread is gone without a word: it panicked, or the node was stopped.
            Err(_) if self.stopped.load(Ordering::Acquire) => std::future::pending().await,
            Err(_) => "the node's thread panicked".to_owned(),
        }
    }

    /// Hands over leadership, lets calls finish within the configured grace, and ends.
    pub async fn stop(mut self) {
        let handle = self.handle();
        if handle.status().is_leader() {
            match timeout(HANDOVER, handle.transfer_leader(None)).await {
                Ok(Ok(leader)) => tracing::info!(leader, "Leadership handed over"),
                Ok(Err(refusal)) => {
                    tracing::info!(reason = %refusal.reason, "Leadership not handed over");
                }
                Err(_) => tracing::warn!("Leadership not handed over in time"),
            }
        }
        drop(handle);
        let drained = self.shutdown.drain(self.grace).await;
        if !drained.is_clean() {
            tracing::warn!(cut = drained.cut, stuck = drained.stuck, "Tasks dropped at shutdown");
        }
        self.end().await;
        tracing::info!(id = self.id, "Node stopped");
    }

    /// Ends at once: no handover, no farewell to peers or callers, nothing flushed. Returns when
    /// threads and sockets are gone and the data folder can be opened again.
    pub async fn kill(mut self) {
        self.stopped.store(true, Ordering::Release);
        drop(self.cut.take());
        let shutdown = self.shutdown.clone();
        shutdown.drain(Duration::ZERO).await;
        self.end().await;
    }

    async fn end(&mut self) {
        self.stopped.store(true, Ordering::Release);
        drop(self.handle.take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // A panic of the loop was told by its hook.
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
        let released = async {
            while self.store.strong_count() > 0 {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        if timeout(RELEASE, released).await.is_err() {
            tracing::warn!(id = self.id, "Somebody still holds the node's state");
        }
    }
}

impl Drop for RunningNode {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Release);
    }
}

fn own_name(config: &Config, id: u64) -> SpiffeId {
    let id = id.to_string().parse().expect("a number is a name");
    SpiffeId { domain: config.domain.clone(), subject: Subject::Node { id } }
}

/// A node with another's certificate would be refused by all its peers; better said at once.
fn check_certificate(config: &Config, tls: &TlsMaterial) -> Result<(), NodeError> {
    let expected = own_name(config, config.id);
    match tls.own_certificate().spiffe {
        Some(found) if found == expected => Ok(()),
        found => Err(NodeError::Certificate {
            found: found.map_or_else(|| "nobody".to_owned(), |found| found.to_string()),
            expected: expected.to_string(),
        }),
    }
}

fn channels(
    config: &Config,
    tls: &Arc<TlsMaterial>,
) -> Result<BTreeMap<u64, tonic::transport::Channel>, NodeError> {
    let dialer = Dialer::new(Arc::clone(tls), DialOptions::default());
    let others = config.members.iter().filter(|member| member.id != config.id);
    others
        .map(|Member { id, address }| {
            let target = Target::new(address.as_str())
                .expecting(Expectation::exactly(own_name(config, *id)));
            let channel = dialer
                .channel(&target)
                .map_err(|source| NodeError::Member { member: *id, source })?;
            Ok((*id, channel))
        })
        .collect()
}

async fn routes(incoming: Incoming, services: Arc<Services>) -> Routes {
    let (health, health_service) = tonic_health::server::health_reporter();
    let calls = NodeServiceServer::new(NodeCalls(Arc::clone(&services)))
        .max_decoding_message_size(PEER_MESSAGE_BYTES_MAX)
        .max_encoding_message_size(PEER_MESSAGE_BYTES_MAX);
    let peers = PeerServiceServer::new(incoming).max_decoding_message_size(PEER_MESSAGE_BYTES_MAX);
    health.set_serving::<NodeServiceServer<NodeCalls>>().await;
    Routes::new(health_service)
        .add_service(calls)
        .add_service(ProbeServiceServer::new(Probes(services)))
        .add_service(peers)
        .prepare()
}

/// An error with its causes, as one line.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}
