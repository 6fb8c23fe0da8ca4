//! Dial: how is another gateway or node reached, and if not, why not?
//!
//! A [`Dialer`] makes tonic channels over a connector of our own, because tonic's can neither
//! exchange certificates nor check whom it has met. Every attempt ends in a stream or in a
//! [`DialError`] that tells *nobody there* from *somebody there who would not talk to us*, and can
//! be found again inside the `Status` of the call that suffered from it.
//!
//! In TLS 1.3 a client has finished its handshake before the server has looked at its
//! certificate. The connector therefore waits for the server's first bytes, the HTTP/2 settings
//! that every server sends unasked: instead of them a refusing server sends its alert.

use std::{
    error::Error,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Buf, Bytes, BytesMut};
use catalog_model::reason::Lang;
use http::Uri;
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tonic::transport::{Channel, Endpoint};
use tower::service_fn;

use crate::{
    handshake::{Cause, End, HandshakeFailure},
    tls::{Expectation, TlsError, TlsMaterial},
};

/// Largest message of the public API in either direction, in bytes. Set it on generated clients
/// and servers.
pub const MESSAGE_BYTES_MAX: usize = 4 << 20;
/// Largest message between nodes of one cluster, in bytes: a full Raft message and its frame.
pub const PEER_MESSAGE_BYTES_MAX: usize = 16 << 20;

/// How long we wait for the first bytes of a server that has finished its handshake. One that
/// speaks only when spoken to is spoken to after that.
const FIRST_BYTES_WAIT: Duration = Duration::from_secs(1);
/// How much one stream may be sent before we have read it, in bytes.
const STREAM_WINDOW_BYTES: u32 = 1 << 20;
/// The same for all streams of one connection together.
const CONNECTION_WINDOW_BYTES: u32 = 4 << 20;

/// Largest frame that may be sent to us, in bytes: with its head it fills whole TLS records, and a
/// large answer takes few of them.
pub(crate) const FRAME_BYTES: u32 = 4 * (16 << 10) - 9;

/// How connections are made and kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DialOptions {
    /// Time for address lookup, TCP and TLS together.
    pub connect_timeout: Duration,
    /// Silence after which the server is asked whether it is still there, calls or not.
    pub keepalive_interval: Duration,
    /// How long it may take to answer that.
    pub keepalive_timeout: Duration,
}

impl Default for DialOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            keepalive_interval: Duration::from_secs(30),
            keepalive_timeout: Duration::from_secs(20),
        }
    }
}

/// Whom to call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// `host:port`, IPv6 in brackets.
    pub address: String,
    /// The name that the server's certificate must carry, where it differs from the host.
    pub server_name: Option<String>,
    /// Whom the server must prove to be.
    pub expected: Option<Expectation>,
}

impl Target {
    /// The server at `address`, whoever it is.
    pub fn new(address: impl Into<String>) -> Self {
        Self { address: address.into(), server_name: None, expected: None }
    }

    /// The server must prove to be this one.
    pub fn expecting(mut self, expected: Expectation) -> Self {
        self.expected = Some(expected);
        self
    }
}

/// Why a server could not be reached.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DialError {
    /// The address or server name cannot be understood; no attempt was made.
    #[error("`{address}` is not a usable address: {detail}")]
    Address {
        /// The address as given.
        address: String,
        /// What is wrong with it.
        detail: String,
    },
    /// Our own certificate or settings do not allow an attempt.
    #[error("no attempt to reach {address} could be made")]
    Own {
        /// The address.
        address: String,
        /// Why.
        #[source]
        source: Arc<TlsError>,
    },
    /// Nobody answers there: refused, unknown host, no route.
    #[error("{address} cannot be reached: {detail}")]
    Unreachable {
        /// The address.
        address: String,
        /// The system's words.
        detail: String,
    },
    /// No connection came about in time.
    #[error("{address} did not answer within {after:?}")]
    TimedOut {
        /// The address.
        address: String,
        /// The time it had.
        after: Duration,
    },
    /// Somebody answers, but the two ends could not agree to talk.
    #[error("the handshake with {address} failed")]
    Handshake {
        /// The address.
        address: String,
        /// Why.
        #[source]
        source: HandshakeFailure,
    },
}

impl DialError {
    /// The dial error within `error`, for instance a `tonic::Status`, if it stems from one.
    pub fn find<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(found) = error.downcast_ref::<Self>() {
                return Some(found);
            }
            next = error.source();
        }
        None
    }

    /// What happened and what to do about it.
    pub fn explain(&self, lang: Lang) -> String {
        match (self, lang) {
            (Self::Address { address, detail }, Lang::En) => {
                format!("`{address}` is not a usable address ({detail}): write host:port")
            }
            (Self::Address { address, detail }, Lang::Zh) => {
                format!("“{address}”不是可用的地址（{detail}）：请写作 主机:端口")
            }
            (Self::Own { address, source }, Lang::En) => {
                format!(
                    "no attempt to reach {address} could be made ({source}): check the TLS files"
                )
            }
            (Self::Own { address, source }, Lang::Zh) => {
                format!("未能尝试连接 {address}（{source}）：请检查 TLS 文件")
            }
            (Self::Unreachable { address, detail }, Lang::En) => {
                format!(
                    "nobody answers at {address} ({detail}): is the server running, is the address right?"
                )
            }
            (Self::Unreachable { address, detail }, Lang::Zh) => {
                format!("{address} 无应答（{detail}）：请确认服务已启动、地址无误")
            }
            (Self::TimedOut { address, after }, Lang::En) => {
                format!(
                    "{address} did not answer within {after:?}: check the network and firewalls between"
                )
            }
            (Self::TimedOut { address, after }, Lang::Zh) => {
                format!("{address} 在 {after:?} 内未应答：请检查其间的网络和防火墙")
            }
            (Self::Handshake { address, source }, Lang::En) => {
                format!("{address} answers, but {}", source.explain(lang))
            }
            (Self::Handshake { address, source }, Lang::Zh) => {
                format!("{address} 有应答，但{}", source.explain(lang))
            }
        }
    }
}

/// Makes channels with our certificate.
#[derive(Debug, Clone)]
pub struct Dialer {
    tls: Arc<TlsMaterial>,
    options: DialOptions,
}

impl Dialer {
    /// A dialer that shows itself with `tls`; a reload there holds for its next connections.
    pub fn new(tls: Arc<TlsMaterial>, options: DialOptions) -> Self {
        Self { tls, options }
    }

    /// A channel that connects when it is first used, and again after the connection is lost.
    ///
    /// A failed attempt fails the call that needed it; see [`DialError::find`].
    pub fn channel(&self, target: &Target) -> Result<Channel, DialError> {
        let (endpoint, attempt) = self.prepare(target)?;
        Ok(endpoint.connect_with_connector_lazy(service_fn(move |_: Uri| attempt.clone().open())))
    }

    /// A channel that is connected.
    pub async fn connect(&self, target: &Target) -> Result<Channel, DialError> {
        let (endpoint, attempt) = self.prepare(target)?;
        let connector = service_fn(move |_: Uri| attempt.clone().open());
        endpoint
            .connect_with_connector(connector)
            .await
            .map_err(|error| Self::found_or_unreachable(&error, &target.address))
    }

    fn found_or_unreachable(error: &tonic::transport::Error, address: &str) -> DialError {
        DialError::find(error).cloned().unwrap_or_else(|| DialError::Unreachable {
            address: address.to_owned(),
            detail: error.to_string(),
        })
    }

    fn prepare(&self, target: &Target) -> Result<(Endpoint, Attempt), DialError> {
        let address = &target.address;
        let unusable = |detail: String| DialError::Address { address: address.clone(), detail };
        let uri = |scheme: &str| {
            format!("{scheme}://{address}")
                .parse::<Uri>()
                .map_err(|error| unusable(error.to_string()))
        };
        let origin = uri("https")?;
        let (Some(host), Some(port)) = (origin.host(), origin.port_u16()) else {
            return Err(unusable("host or port is missing".to_owned()));
        };
        if origin.path() != "/" || origin.query().is_some() || address.contains('@') {
            return Err(unusable("it holds more than host and port".to_owned()));
        }
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let server_name = target.server_name.clone().unwrap_or_else(|| host.clone());
        let server_name =
            ServerName::try_from(server_name).map_err(|error| unusable(error.to_string()))?;

        // tonic would look for its own TLS on an https endpoint; ours is in the connector.
        let endpoint = Endpoint::from(uri("http")?)
            .origin(origin)
            .http2_keep_alive_interval(self.options.keepalive_interval)
            .keep_alive_timeout(self.options.keepalive_timeout)
            .keep_alive_while_idle(true)
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .max_frame_size(FRAME_BYTES);
        let attempt = Attempt {
            tls: Arc::clone(&self.tls),
            connect_timeout: self.options.connect_timeout,
            address: address.clone(),
            host,
            port,
            server_name,
            expected: target.expected.clone(),
        };
        Ok((endpoint, attempt))
    }
}

/// All that one attempt needs.
#[derive(Clone)]
struct Attempt {
    tls: Arc<TlsMaterial>,
    connect_timeout: Duration,
    address: String,
    host: String,
    port: u16,
    server_name: ServerName<'static>,
    expected: Option<Expectation>,
}

impl Attempt {
    async fn open(self) -> Result<TokioIo<Opened>, DialError> {
        match timeout(self.connect_timeout, self.open_unbounded()).await {
            Ok(opened) => opened.map(TokioIo::new),
            Err(_) => Err(DialError::TimedOut {
                address: self.address.clone(),
                after: self.connect_timeout,
            }),
        }
    }

    async fn open_unbounded(&self) -> Result<Opened, DialError> {
        let config = self.tls.client_config(self.expected.clone()).map_err(|source| {
            DialError::Own { address: self.address.clone(), source: Arc::new(source) }
        })?;
        let stream =
            TcpStream::connect((self.host.as_str(), self.port)).await.map_err(|error| {
                DialError::Unreachable { address: self.address.clone(), detail: error.to_string() }
            })?;
        // Small frames must not wait for company.
        let _ = stream.set_nodelay(true);
        let refused = |error: &io::Error| self.refused(HandshakeFailure::from_io(error));
        let mut tls = TlsConnector::from(config)
            .connect(self.server_name.clone(), stream)
            .await
            .map_err(|error| refused(&error))?;

        let mut early = BytesMut::with_capacity(1024);
        match timeout(FIRST_BYTES_WAIT, tls.read_buf(&mut early)).await {
            Ok(Ok(0)) => Err(self.refused(HandshakeFailure {
                cause: Cause::WentAway,
                refused_by: End::Theirs,
                detail: "the server closed the connection before its first byte".to_owned(),
            })),
            Ok(Err(error)) => Err(refused(&error)),
            Ok(Ok(_)) | Err(_) => Ok(Opened { early: early.freeze(), tls }),
        }
    }

    fn refused(&self, source: HandshakeFailure) -> DialError {
        DialError::Handshake { address: self.address.clone(), source }
    }
}

/// A connection whose first bytes have been read already.
struct Opened {
    early: Bytes,
    tls: TlsStream<TcpStream>,
}

impl AsyncRead for Opened {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.early.has_remaining() {
            let length = self.early.remaining().min(buf.remaining());
            buf.put_slice(&self.early.split_to(length));
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.tls).poll_read(cx, buf)
    }
}

impl AsyncWrite for Opened {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tls).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tls).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.tls.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_shutdown(cx)
    }
}
