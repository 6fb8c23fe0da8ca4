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
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use catalog_log::LogStore as _;
use catalog_replica::{CompactLimits, Config as ReplicaConfig, Membership, Replica, StartError};
use catalog_state::{command::LEVEL, view::View};
use luqiao_proto::{
    node::v1::{fence_service_server::FenceServiceServer, node_service_server::NodeServiceServer},
    peer::v1::{Hello, peer_service_server::PeerServiceServer},
};
use luqiao_transport::{
    accept::{ServeOptions, serve},
    dial::{DialError, DialOptions, Dialer, PEER_MESSAGE_BYTES_MAX},
    drain::{CutOnDrop, Shutdown},
    identity::{SpiffeId, Subject},
    tls::{TlsError, TlsMaterial},
};
use tokio::{net::TcpListener, sync::watch, time::timeout};
use tonic::service::Routes;

use crate::{
    alarms::Alarms,
    backup,
    clock::StampClock,
    config::{Config, ConfigError},
    duties,
    fencing::Fencing,
    gate::Gate,
    handle::{NodeHandle, Parts},
    history::History,
    inbox::Inbox,
    node::{NodeLoop, NodeStatus, Report, STATE_LOST, STORE_FOREIGN, Shell, Work},
    peers::{
        Introduction, Peers, Verdicts, fetch::Fetcher, read_index::FollowerReads, serve::Incoming,
    },
    pulse,
    services::{
        HeadKey, HeadKeyError, ParsedPack, Services, call::NodeCalls, dr::trust::Trust, federation,
        fences::Fences, probe::ProbeLists,
    },
    snapshots::{self, Snapshots},
    standing::Standing,
    storage::{Founding, Identity, OpenStores, Reseed, StateStore, Storage, StorageError, hex},
    telemetry::raft_logger,
    webhooks,
};

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
    /// The authorities by which approvals are checked cannot be read.
    #[error("the authorities of approvals cannot be read")]
    Trust(#[source] std::io::Error),
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
    /// The membership that the state names cannot be read.
    #[error("the membership in the state cannot be read")]
    Membership(#[source] minicbor::decode::Error),
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
    stores: OpenStores,
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
        let own = config.tls.trust.iter().map(|trust| (&config.domain, trust.file.as_path()));
        let watched =
            config.watched.iter().map(|watched| (&watched.domain, watched.authorities.as_path()));
        let trust = Trust::read(own.chain(watched)).map_err(NodeError::Trust)?;
        let founders = config.voters();
        let founding = if config.join { Founding::Joiner } else { Founding::Founder(&founders) };
        let Storage { state: cell, log, identity, identity_file, boot, reseed, folders } =
            Storage::open(&config.data, config.cluster_id, config.id, founding)?;
        let store = cell.current();
        store.set_list_room(config.memory.lists_mib << 20);
        let applied = store.applied();
        let membership = match store.membership() {
            Some(bytes) => Membership::decode(&bytes).map_err(NodeError::Membership)?,
            None if config.join => Membership::default(),
            None => Membership::of_voters(founders),
        };

        let replica_config = ReplicaConfig {
            election_tick: config.election_ticks,
            membership: membership.clone(),
            reseed: reseed.is_some(),
            ..ReplicaConfig::new(config.id, Vec::new(), u64::from_be_bytes(crate::random_bytes()))
        };
        let logger = raft_logger(config.id);
        let replica = Replica::start(replica_config, &log, applied, &logger)?;

        let shutdown = Shutdown::new();
        let alarms = Arc::new(Alarms::default());
        let history = History::new(applied);
        let standing = Arc::new(Standing::default());
        // Nothing is answered from a state that is not there.
        standing.set_quarantined(reseed.is_some() || membership.is_empty());
        let clock = Arc::new(StampClock::new(
            config.wall_clock.clone(),
            View(&*store).clock(),
            config.clock_ahead_max,
            config.accept_clock,
            Arc::clone(&alarms),
        ));
        if let Some(Reseed { cause }) = &reseed {
            alarms.raise(STATE_LOST, "", clock.wall());
            tracing::error!(cause, "The state is made again from another node's");
        }
        let inbox = Arc::new(Inbox::new());
        let (status, shown) = watch::channel(NodeStatus {
            replica: replica.status(),
            bootstrapped: View(&*store).cluster().is_some(),
            running: true,
            leave_due: None,
            sealed: false,
        });
        let fencing =
            Fencing::new(Arc::clone(&identity_file), Arc::clone(&alarms), Arc::clone(&clock));
        fencing.wake_with({
            let inbox = Arc::clone(&inbox);
            move || inbox.report(Report::Fenced)
        });
        let peers = Arc::new(Peers::new(Introduction {
            dialer: Dialer::new(Arc::clone(&tls), DialOptions::default()),
            domain: config.domain.clone(),
            hello: Hello {
                cluster_id: hex(&identity.cluster_id),
                generation: 0,
                epoch: 0,
                store_uuid: hex(&identity.store_uuid),
                from: config.id,
                to: 0,
                connection: 0,
                level: LEVEL,
                to_store_uuid: String::new(),
            },
            stores: Arc::clone(&identity_file),
            fencing: Arc::clone(&fencing),
            first_connection: boot << 32,
            shutdown: shutdown.clone(),
            alarms: Arc::clone(&alarms),
            clock: Arc::clone(&clock),
            verdicts: Verdicts {
                removed: {
                    let inbox = Arc::clone(&inbox);
                    Arc::new(move || inbox.report(Report::Removed))
                },
                disowned: disowning(&identity, &standing, &alarms, &clock, &shown),
            },
        }));
        let dialed = peers.set(&first_members(&config, &store));
        dialed.map_err(|(member, source)| NodeError::Member { member, source })?;

        let snapshots = Snapshots::new(
            Arc::clone(&cell),
            folders,
            Arc::clone(&identity_file),
            snapshots::Options::default(),
        );
        let (offers, offered) = watch::channel(None);
        let fetcher = Fetcher {
            peers: Arc::clone(&peers),
            snapshots: snapshots.clone(),
            inbox: Arc::clone(&inbox),
        };
        let follower_reads = Arc::new(FollowerReads::default());
        let handle = NodeHandle::new(Parts {
            inbox: Arc::clone(&inbox),
            status: shown,
            cell: Arc::clone(&cell),
            identity_file,
            history: Arc::clone(&history),
            clock: Arc::clone(&clock),
            alarms: Arc::clone(&alarms),
            standing: Arc::clone(&standing),
            fencing: Arc::clone(&fencing),
            peers: Arc::clone(&peers),
            follower_reads: Arc::clone(&follower_reads),
            domain: config.domain.clone(),
            node: config.id,
            own_address: own_address(&config),
        });
        drop(store);
        let backup =
            backup::duty::begin(&config, handle.clone(), log.reader(), identity, shutdown.clone());
        let stopped = Arc::new(AtomicBool::new(false));
        let node_loop = NodeLoop {
            replica,
            log,
            inbox,
            tick: config.tick,
            handover_ticks: 2 * config.election_ticks,
            // A start has as many contexts as nobody will use up.
            next_read: boot << 40,
            stopped: Arc::clone(&stopped),
            status,
            shell: Shell::new(
                Arc::clone(&cell),
                history,
                Arc::clone(&clock),
                Arc::clone(&peers),
                membership,
                snapshots.clone(),
                offers,
            ),
            snapshots: snapshots.clone(),
            standing,
            fencing: Arc::clone(&fencing),
            alarms,
            clock,
            runtime: tokio::runtime::Handle::current(),
            limits: CompactLimits {
                keep_entries: config.compaction.keep_entries,
                keep_bytes: config.compaction.keep_mib << 20,
            },
            work: Work::default(),
        };

        drop(shutdown.spawn(duties::advance_clock(handle.clone(), shutdown.clone())));
        drop(shutdown.spawn(pulse::beat(Arc::clone(&peers), config.tick, shutdown.clone())));
        drop(shutdown.spawn(duties::relations::keep_up(handle.clone(), shutdown.clone())));
        drop(shutdown.spawn(duties::watch_leader(handle.clone(), shutdown.clone())));
        drop(shutdown.spawn(duties::complete_member_changes(handle.clone(), shutdown.clone())));
        drop(shutdown.spawn(duties::leave_slow_disk(handle.clone(), shutdown.clone())));
        let watched = duties::watch_disk(
            handle.clone(),
            config.data.clone(),
            config.disk.clone(),
            config.reserve,
            shutdown.clone(),
        );
        drop(shutdown.spawn(watched));
        drop(shutdown.spawn(duties::learn_members(
            handle.clone(),
            first_members(&config, &cell.current()),
            shutdown.clone(),
        )));
        drop(shutdown.spawn(fetcher.run(offered, shutdown.clone())));
        drop(shutdown.spawn(follower_reads.run(Arc::clone(&peers), shutdown.clone())));

        let incoming = Incoming::new(handle.clone(), identity, snapshots, shutdown.clone());
        let services = Arc::new(Services {
            handle: handle.clone(),
            identity,
            peers,
            head_key,
            chains: federation::Chains::default(),
            pack: ParsedPack::default(),
            webhook_hosts: config.webhooks.hosts.clone(),
            trust,
            backup,
            shutdown: shutdown.clone(),
        });
        let delivered = webhooks::deliver(Arc::clone(&services), config.webhooks.clone());
        drop(shutdown.spawn(delivered));
        let routes = Gate::new(
            routes(incoming, services, Arc::clone(&tls)).await,
            fencing,
            config.domain.clone(),
        );
        let options =
            ServeOptions { shutdown_grace: config.shutdown_grace, ..ServeOptions::default() };
        let serving = serve(listener, tls, routes, options, shutdown.begun());
        drop(shutdown.spawn(serving));

        let (failing, failed) = watch::channel(None);
        let runtime = tokio::runtime::Handle::current();
        let thread = std::thread::Builder::new()
            .name(format!("node-{}", config.id))
            .spawn(move || {
                // New peers are met on this thread; their tasks are the runtime's.
                let _runtime = runtime.enter();
                if let Err(fatal) = node_loop.run() {
                    let cause = chain(&fatal);
                    tracing::error!(cause, "Node stopped for good");
                    failing.send_replace(Some(cause));
                }
            })
            .map_err(NodeError::Thread)?;
        tracing::info!(id = config.id, %addr, applied, "Node started");
        Ok(RunningNode {
            id: config.id,
            addr,
            handle: Some(handle),
            stores: cell.open_stores(),
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
            while !self.stores.all_closed() {
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

/// The address at which the configuration says that this node is reached.
fn own_address(config: &Config) -> String {
    let own = config.members.iter().find(|member| member.id == config.id);
    own.map_or_else(|| config.listen.to_string(), |member| member.address.clone())
}

/// Whom to speak with at the start: the members that the state names, or the configured ones.
fn first_members(config: &Config, store: &StateStore) -> BTreeMap<u64, String> {
    match View(store).members() {
        Some(members) => {
            members.members.into_iter().map(|member| (member.id, member.address)).collect()
        }
        None => config.members.iter().map(|one| (one.id, one.address.clone())).collect(),
    }
}

/// What happens when a peer says that it knows this node with another store.
///
/// On a disk with nothing of the cluster on it, one voice is enough: what the node promised was on
/// the disk that the peer knows, and to vote again could lose what was acknowledged. A node that has
/// the cluster's state is not silenced by one that may itself be mistaken: only those two do not
/// speak with each other.
fn disowning(
    identity: &Identity,
    standing: &Arc<Standing>,
    alarms: &Arc<Alarms>,
    clock: &Arc<StampClock>,
    status: &watch::Receiver<NodeStatus>,
) -> Arc<dyn Fn(u64) + Send + Sync> {
    let (node, store) = (identity.node, hex(&identity.store_uuid));
    let (standing, status) = (Arc::clone(standing), status.clone());
    let (alarms, clock) = (Arc::clone(alarms), Arc::clone(clock));
    Arc::new(move |peer| {
        let has_state = status.borrow().bootstrapped;
        if !has_state {
            standing.set_disowned(true);
        }
        if !alarms.raise(STORE_FOREIGN, &peer.to_string(), clock.wall()) {
            return;
        }
        if has_state {
            tracing::error!(
                node,
                peer,
                store,
                "A peer knows this node with another disk: two nodes run under one id, or the peer \
                 met another first; the two do not speak with each other until one is replaced"
            );
        } else {
            tracing::error!(
                node,
                peer,
                store,
                "This disk is not the one that the cluster knows as node {node}: the node takes no \
                 part in anything; stop it and run `luqiao cluster replace {node} --by NEW`, or \
                 start it with the disk that it had"
            );
        }
    })
}

async fn routes(incoming: Incoming, services: Arc<Services>, tls: Arc<TlsMaterial>) -> Routes {
    let (health, health_service) = tonic_health::server::health_reporter();
    let calls = NodeServiceServer::new(NodeCalls(Arc::clone(&services)))
        .max_decoding_message_size(PEER_MESSAGE_BYTES_MAX)
        .max_encoding_message_size(PEER_MESSAGE_BYTES_MAX);
    let peers = PeerServiceServer::new(incoming).max_decoding_message_size(PEER_MESSAGE_BYTES_MAX);
    health.set_serving::<NodeServiceServer<NodeCalls>>().await;
    Routes::new(health_service)
        .add_service(calls)
        .add_service(FenceServiceServer::new(Fences::new(Arc::clone(&services), tls)))
        .add_service(ProbeLists::new(services))
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
