//! Daemon: how does a gateway begin, and how does it end?
//!
//! Begin: read and check everything, bind the port, then serve; the nodes are looked for while
//! serving, and health says whether they were found. End: no new connections, streams are told,
//! calls may finish within the grace period, then everything is dropped.

use std::{
    io,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use luqiao_transport::{
    accept::{self, ServeOptions, ServeReport},
    dial::{DialError, DialOptions, Dialer},
    drain::Shutdown,
    timeout::CallTimeoutLayer,
    tls::{TlsError, TlsMaterial},
};
use tokio::{net::TcpListener, task::JoinHandle};
use tower::Layer as _;

use crate::{
    admission::Admission,
    config::{Config, ConfigError},
    federation::{self, Holders, Links, carry::Carrier},
    identity::Registry,
    method::{Method, Shape},
    open_services::{open_services, report_health},
    pipeline::{Pipeline, Stages},
    policy::Rules,
    route::Routes,
    upstream::Upstream,
};

/// How long tasks that hold no call may take to end.
const TASKS_GRACE: Duration = Duration::from_secs(1);

/// Starts gateways.
#[derive(Debug)]
pub struct Gateway;

/// A gateway at work. Dropping it ends it at once, with everything it holds.
#[derive(Debug)]
pub struct RunningGateway {
    address: SocketAddr,
    links: Links,
    tls: Arc<TlsMaterial>,
    shutdown: Shutdown,
    server: JoinHandle<Option<ServeReport>>,
    _cut: luqiao_transport::drain::CutOnDrop,
}

/// Why a gateway did not begin.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The settings do not go together.
    #[error("the configuration cannot be used")]
    Config(#[from] ConfigError),
    /// Certificates or keys cannot be used.
    #[error("the TLS files cannot be used")]
    Tls(#[from] TlsError),
    /// The certificate is not that of the gateway that is configured.
    #[error("the certificate names {found}, the configuration {wanted}")]
    OtherName {
        /// Whom the certificate names.
        found: String,
        /// Whom the configuration names.
        wanted: String,
    },
    /// The address of a node cannot be understood.
    #[error("a node's endpoint cannot be used")]
    Node(#[from] DialError),
    /// The port cannot be bound.
    #[error("{address} cannot be bound")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
}

impl Gateway {
    /// Binds `config.listen` and serves.
    pub async fn start(config: Config) -> Result<RunningGateway, StartError> {
        let address = config.listen;
        let listener = TcpListener::bind(address)
            .await
            .map_err(|source| StartError::Bind { address, source })?;
        Self::start_on(config, listener)
    }

    /// Serves on `listener`, which is bound already: for those who must know the port before.
    ///
    /// Must be called within a tokio runtime.
    pub fn start_on(config: Config, listener: TcpListener) -> Result<RunningGateway, StartError> {
        config.check()?;
        let address = listener
            .local_addr()
            .map_err(|source| StartError::Bind { address: config.listen, source })?;
        let tls = Arc::new(TlsMaterial::load(config.tls_files())?);
        check_own_name(&config, &tls)?;
        let dialer = Dialer::new(
            Arc::clone(&tls),
            DialOptions {
                connect_timeout: config.timeouts.connect,
                // A node or link that has fallen silent must be noticed within seconds.
                keepalive_interval: config.timeouts.link_idle,
                keepalive_timeout: config.timeouts.link_idle * 2,
            },
        );
        let upstream = Upstream::new(&config, &dialer)?;
        let links = Links::new(&config);
        let shutdown = Shutdown::new();
        let cut = shutdown.cut_on_drop();

        let (open, health) = open_services();
        let stages = Stages {
            registry: Registry {
                domain: config.domain.clone(),
                peers: config.peers.iter().map(|peer| peer.domain.clone()).collect(),
                table: config.certificate_table()?,
            },
            admission: Admission::new(config.limits.clone(), Instant::now()),
            rules: Rules {
                peers: config.peers.iter().map(|peer| (peer.domain.clone(), peer.kind)).collect(),
            },
            routes: Routes {
                domain: config.domain.clone(),
                peers: config.peers.iter().map(|peer| peer.domain.clone()).collect(),
            },
            upstream: upstream.clone(),
            carrier: Carrier::new(&config, &dialer, &links),
            holders: Holders::new(&config, &dialer, &upstream, &links),
            links: links.clone(),
            shutdown: shutdown.clone(),
        };
        // A stream lasts as long as its caller likes; each of its messages has the bound.
        let streams: Vec<_> =
            Method::all().filter(|method| method.shape != Shape::Unary).map(|m| m.path).collect();
        let service = CallTimeoutLayer::new(config.timeouts.call)
            .without_default(&streams)
            .layer(Pipeline::new(stages, open));

        let (watching, interval) = (upstream.clone(), config.timeouts.probe_interval);
        let tasks = shutdown.clone();
        until_end(&shutdown, async move { watching.watch_nodes(interval, tasks).await });
        until_end(
            &shutdown,
            report_health(health, upstream.clone(), config.timeouts.probe_interval),
        );
        federation::start(&config, &dialer, &upstream, &links, &shutdown);

        let options = ServeOptions {
            handshake_timeout: config.timeouts.handshake,
            connections_max: config.limits.connections_max,
            connection_age_max: config.timeouts.connection_age_max,
            shutdown_grace: config.timeouts.shutdown_grace,
            ..ServeOptions::default()
        };
        let serving = accept::serve(listener, Arc::clone(&tls), service, options, shutdown.begun());
        let server = shutdown.spawn(serving);
        tracing::info!(domain = %config.domain, gateway = %config.gateway, %address, "Gateway serves");
        Ok(RunningGateway { address, links, tls, shutdown, server, _cut: cut })
    }
}

impl RunningGateway {
    /// Where it serves.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// Its links to other domains.
    pub fn links(&self) -> &Links {
        &self.links
    }

    /// Reads certificates and authorities again; on an error the old ones stay in use.
    pub fn reload_certificates(&self) -> Result<(), TlsError> {
        self.tls.reload()
    }

    /// Ends it: calls may finish within the grace period.
    pub async fn shutdown(self) -> ServeReport {
        self.shutdown.begin();
        let report = self.server.await.ok().flatten().unwrap_or_default();
        let drained = self.shutdown.drain(TASKS_GRACE).await;
        tracing::info!(
            connections = report.accepted,
            cut = report.cut,
            tasks_cut = drained.cut,
            "Gateway ended"
        );
        report
    }
}

/// Runs `task` until the gateway is told to end.
fn until_end(shutdown: &Shutdown, task: impl Future<Output = ()> + Send + 'static) {
    let begun = shutdown.begun();
    drop(shutdown.spawn(async move {
        tokio::select! {
            () = task => {}
            () = begun => {}
        }
    }));
}

/// A gateway with another's certificate would be refused by every node and peer, one by one.
fn check_own_name(config: &Config, tls: &TlsMaterial) -> Result<(), StartError> {
    let wanted = format!("spiffe://{}.luqiao/gateway/{}", config.domain, config.gateway);
    let own = tls.own_certificate();
    let found = own
        .spiffe
        .map_or_else(|| format!("nobody of ours ({})", own.subject), |name| name.to_string());
    if found == wanted { Ok(()) } else { Err(StartError::OtherName { found, wanted }) }
}
