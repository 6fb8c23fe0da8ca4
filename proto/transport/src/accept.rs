//! Accept: how is a connection taken in, kept, and let go?
//!
//! tonic's own server cannot exchange certificates, has no jitter in the age of connections, and
//! waits for ever on shutdown for a client that never sends a byte or keeps a stream open. So the
//! loop is ours: TCP, TLS by [`TlsMaterial`] within a bounded time, HTTP/2 by hyper, and every
//! connection a task that is asked to end and, after the grace period, dropped.
//!
//! Who calls is not decided here. Each request carries a [`ConnectionInfo`] in its extensions, in
//! which the certificate may be absent.

use std::{
    collections::BTreeMap,
    future::Future,
    io,
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use catalog_model::reason::Lang;
use http::{Request, Response};
use hyper::{body::Incoming, server::conn::http2};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tonic::{body::Body, transport::server::TcpConnectInfo};
use tower::{BoxError, Service, ServiceExt};

use crate::{
    dial::FRAME_BYTES,
    drain::Shutdown,
    handshake::{Cause, HandshakeFailure},
    identity::PeerCertificate,
    tls::TlsMaterial,
};

/// Largest list of headers of one call, in bytes; generous for metadata, small for an attack.
const HEADER_LIST_BYTES_MAX: u32 = 64 << 10;
/// How much one stream may send before we have read it, in bytes.
const STREAM_WINDOW_BYTES: u32 = 1 << 20;
/// The same for all streams of one connection together.
const CONNECTION_WINDOW_BYTES: u32 = 4 << 20;
/// How long and how much we read on after a refused handshake. Closing on unread bytes resets the
/// connection, and a reset can overtake the alert that tells the other end why.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: u64 = 64 << 10;
/// Pause after the system could not hand us a connection (no descriptors left, for instance):
/// it will not be able to at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How connections are taken in, kept and let go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServeOptions {
    /// Time for the whole TLS handshake.
    pub handshake_timeout: Duration,
    /// Connections at one time; further ones wait in the system's queue.
    pub connections_max: usize,
    /// Calls at one time on one connection.
    pub streams_max: u32,
    /// Age at which a connection is asked to end, so that clients look up addresses again and
    /// meet new certificates. ±10 % by chance, so that those who came together do not return
    /// together.
    pub connection_age_max: Duration,
    /// How long a connection of that age may finish its calls.
    pub connection_age_grace: Duration,
    /// Silence after which the other end is asked whether it is still there.
    pub keepalive_interval: Duration,
    /// How long it may take to answer that.
    pub keepalive_timeout: Duration,
    /// How long calls may go on after shutdown began. Then everything is dropped.
    pub shutdown_grace: Duration,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            handshake_timeout: Duration::from_secs(10),
            connections_max: 4096,
            streams_max: 256,
            connection_age_max: Duration::from_mins(30),
            connection_age_grace: Duration::from_mins(1),
            keepalive_interval: Duration::from_secs(30),
            keepalive_timeout: Duration::from_secs(20),
            shutdown_grace: Duration::from_secs(10),
        }
    }
}

/// The connection on which a request came; in the extensions of every request.
#[derive(Debug, Clone)]
pub struct ConnectionInfo {
    /// The other end's address.
    pub remote: SocketAddr,
    /// The verified certificate of the other end, if it presented one.
    pub certificate: Option<Arc<PeerCertificate>>,
}

/// What a server did from its first connection to its end.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServeReport {
    /// Connections taken in, whatever became of them.
    pub accepted: u64,
    /// Handshakes that failed, by cause.
    pub refused: BTreeMap<Cause, u64>,
    /// Connections asked to end because of their age.
    pub aged: u64,
    /// Connections dropped because the shutdown's grace period was over.
    pub cut: u64,
    /// Tasks that could not even be dropped; they block a thread.
    pub stuck: usize,
}

/// Serves `service` on `listener` until `shutdown` completes.
///
/// Then nothing new is accepted, connections without a finished handshake are dropped at once,
/// the others may finish their calls within the grace period, and what is left after it is
/// dropped. Returns within the grace period and a second, whatever the clients do. Dropping the
/// future drops all connections.
pub async fn serve<S, B>(
    listener: TcpListener,
    tls: Arc<TlsMaterial>,
    service: S,
    options: ServeOptions,
    shutdown: impl Future<Output = ()>,
) -> ServeReport
where
    S: Service<Request<Body>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let connections = Shutdown::new();
    let _cut_with_us = connections.cut_on_drop();
    let seats = Arc::new(Semaphore::new(options.connections_max));
    let host = Arc::new(Host {
        tls,
        options,
        connections: connections.clone(),
        counts: Counts::default(),
    });

    let mut shutdown = pin!(shutdown);
    loop {
        let (stream, remote, seat) = tokio::select! {
            biased;
            () = &mut shutdown => break,
            accepted = accept(&listener, &seats) => accepted,
        };
        host.counts.accepted.fetch_add(1, Ordering::Relaxed);
        let connection = Arc::clone(&host).connection(stream, remote, service.clone());
        drop(connections.spawn(async move {
            connection.await;
            drop(seat);
        }));
    }
    drop(listener);

    let drained = connections.drain(host.options.shutdown_grace).await;
    let report = host.counts.report(drained.stuck);
    if report.cut > 0 {
        tracing::warn!(
            connections = report.cut,
            "Connections dropped at the end of the grace period"
        );
    }
    report
}

/// The next connection, once there is a seat for it.
async fn accept(
    listener: &TcpListener,
    seats: &Arc<Semaphore>,
) -> (TcpStream, SocketAddr, OwnedSemaphorePermit) {
    let seat = Arc::clone(seats).acquire_owned().await.expect("the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((stream, remote)) => return (stream, remote, seat),
            Err(error) if of_the_connection(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "Accept failed");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Whether accepting failed for this one connection, which is gone, rather than for us.
fn of_the_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}

/// What the connections of one server share.
struct Host {
    tls: Arc<TlsMaterial>,
    options: ServeOptions,
    connections: Shutdown,
    counts: Counts,
}

#[derive(Default)]
struct Counts {
    accepted: AtomicU64,
    /// Connections that ended by themselves. Invariant: closed ≤ accepted.
    closed: AtomicU64,
    aged: AtomicU64,
    refused: Mutex<BTreeMap<Cause, u64>>,
}

impl Counts {
    fn refuse(&self, cause: Cause) {
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner).entry(cause).or_default() += 1;
    }

    fn report(&self, stuck: usize) -> ServeReport {
        let accepted = self.accepted.load(Ordering::Relaxed);
        ServeReport {
            accepted,
            refused: self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            aged: self.aged.load(Ordering::Relaxed),
            cut: accepted - self.closed.load(Ordering::Relaxed),
            stuck,
        }
    }
}

impl Host {
    /// One connection from its first byte to its last.
    async fn connection<S, B>(self: Arc<Self>, stream: TcpStream, remote: SocketAddr, service: S)
    where
        S: Service<Request<Body>, Response = Response<B>> + Clone + Send + 'static,
        S::Future: Send + 'static,
        S::Error: Into<BoxError>,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        tokio::select! {
            biased;
            () = self.connections.begun() => {}
            shaken = self.shake_hands(stream, remote) => if let Some(stream) = shaken {
                self.converse(stream, remote, service).await;
            }
        }
        self.counts.closed.fetch_add(1, Ordering::Relaxed);
    }

    /// TLS, or `None` after the failure was logged and counted.
    async fn shake_hands(
        &self,
        stream: TcpStream,
        remote: SocketAddr,
    ) -> Option<TlsStream<TcpStream>> {
        // Small frames must not wait for company.
        let _ = stream.set_nodelay(true);
        let acceptor = TlsAcceptor::from(self.tls.server_config());
        let shaking = acceptor.accept(stream).into_fallible();
        let (failure, stream) = match timeout(self.options.handshake_timeout, shaking).await {
            Ok(Ok(stream)) => return Some(stream),
            Ok(Err((error, stream))) => (HandshakeFailure::from_io(&error), Some(stream)),
            Err(_) => (HandshakeFailure::silent(), None),
        };
        self.counts.refuse(failure.cause);
        tracing::warn!(
            %remote,
            cause = failure.cause.name(),
            explanation = failure.explain(Lang::En),
            detail = failure.detail,
            "Handshake failed"
        );
        if let Some(stream) = stream {
            let _ = timeout(LINGER, linger(stream)).await;
        }
        None
    }
}

/// Sends what is left to send and reads until the other end closes.
async fn linger(mut stream: TcpStream) -> io::Result<()> {
    stream.shutdown().await?;
    tokio::io::copy(&mut stream.take(LINGER_BYTES), &mut tokio::io::sink()).await?;
    Ok(())
}

impl Host {
    /// HTTP/2 until the client leaves, the connection is too old, or the server ends.
    async fn converse<S, B>(&self, stream: TlsStream<TcpStream>, remote: SocketAddr, service: S)
    where
        S: Service<Request<Body>, Response = Response<B>> + Clone + Send + 'static,
        S::Future: Send + 'static,
        S::Error: Into<BoxError>,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let certificate = stream.get_ref().1.peer_certificates().map(PeerCertificate::read);
        let certificate = match certificate.transpose() {
            Ok(certificate) => certificate.map(Arc::new),
            // The verifier has read it before; a second reading cannot end otherwise.
            Err(error) => unreachable!("a verified certificate is readable: {error}"),
        };
        let tcp = TcpConnectInfo {
            local_addr: stream.get_ref().0.local_addr().ok(),
            remote_addr: Some(remote),
        };
        let info = ConnectionInfo { remote, certificate };
        let service = service.map_request(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(info.clone());
            request.extensions_mut().insert(tcp.clone());
            request
        });

        let mut http = http2::Builder::new(self.connections.clone());
        http.timer(TokioTimer::new())
            .keep_alive_interval(self.options.keepalive_interval)
            .keep_alive_timeout(self.options.keepalive_timeout)
            .max_concurrent_streams(self.options.streams_max)
            .max_header_list_size(HEADER_LIST_BYTES_MAX)
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .max_frame_size(FRAME_BYTES);
        let connection =
            http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
        let mut connection = pin!(connection);

        let ended = tokio::select! {
            ended = connection.as_mut() => Some(ended),
            () = self.connections.begun() => None,
            () = sleep(around(self.options.connection_age_max)) => {
                self.counts.aged.fetch_add(1, Ordering::Relaxed);
                None
            }
        };
        let ended = if let Some(ended) = ended {
            ended
        } else {
            connection.as_mut().graceful_shutdown();
            // Past the shutdown's own grace period this task is dropped where it waits.
            timeout(self.options.connection_age_grace, connection).await.unwrap_or_else(|_| {
                tracing::debug!(%remote, "Connection closed with calls open, for its age");
                Ok(())
            })
        };
        if let Err(error) = ended {
            tracing::debug!(%remote, %error, "Connection broke");
        }
    }
}

/// `age`, up to a tenth more or less.
fn around(age: Duration) -> Duration {
    age.mul_f64(0.9 + 0.2 * fastrand::f64())
}
