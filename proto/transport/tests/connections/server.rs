//! Server: a health service behind an identity stage, as a daemon would run it.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use catalog_model::{
    reason::{Lang, Reason},
    refusal::Refusal,
};
use http::{HeaderValue, Request, Response};
use luqiao_transport::{
    accept::{ConnectionInfo, ServeOptions, ServeReport, serve},
    dial::{DialError, DialOptions, Dialer, Target},
    drain::Shutdown,
    status,
    tls::TlsMaterial,
};
use tokio::{net::TcpListener, sync::Semaphore, task::JoinHandle, time::timeout};
use tonic::{
    Request as Call, Response as Answer, Status, Streaming, body::Body, service::Routes,
    transport::Channel,
};
use tonic_health::pb::{
    HealthCheckRequest, HealthCheckResponse,
    health_client::HealthClient,
    health_server::{Health, HealthServer},
};
use tower::{ServiceExt, service_fn};

/// Far more than any step takes; only a hang reaches it.
pub(crate) const HANG: Duration = Duration::from_mins(1);
pub(crate) const HOUR: Duration = Duration::from_hours(1);

/// Options under which nothing ends by itself during a test.
pub(crate) fn patient() -> ServeOptions {
    ServeOptions {
        handshake_timeout: HOUR,
        connection_age_max: 10 * HOUR,
        connection_age_grace: HOUR,
        shutdown_grace: HOUR,
        ..ServeOptions::default()
    }
}

/// A server that runs.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) shutdown: Shutdown,
    pub(crate) doors: Doors,
    serving: JoinHandle<ServeReport>,
}

/// What a test sees and holds of the calls within the server.
#[derive(Clone)]
pub(crate) struct Doors {
    /// A call of `check` has come in.
    pub(crate) entered: Arc<Semaphore>,
    /// Lets one call of `check` out.
    pub(crate) exit: Arc<Semaphore>,
    streams: Arc<AtomicU64>,
}

impl Doors {
    fn new(open: bool) -> Self {
        Self {
            entered: Arc::new(Semaphore::new(0)),
            exit: Arc::new(Semaphore::new(if open { Semaphore::MAX_PERMITS } else { 0 })),
            streams: Arc::default(),
        }
    }

    /// Streams whose producer still lives.
    pub(crate) fn streams(&self) -> u64 {
        self.streams.load(Ordering::SeqCst)
    }
}

#[tonic::async_trait]
impl Health for Doors {
    async fn check(
        &self,
        _: Call<HealthCheckRequest>,
    ) -> Result<Answer<HealthCheckResponse>, Status> {
        self.entered.add_permits(1);
        self.exit.acquire().await.unwrap().forget();
        Ok(Answer::new(HealthCheckResponse { status: 1 }))
    }

    type WatchStream = Watch;

    async fn watch(&self, _: Call<HealthCheckRequest>) -> Result<Answer<Watch>, Status> {
        self.streams.fetch_add(1, Ordering::SeqCst);
        Ok(Answer::new(Watch { begun: false, streams: Arc::clone(&self.streams) }))
    }
}

/// One message, then silence for ever.
pub(crate) struct Watch {
    begun: bool,
    streams: Arc<AtomicU64>,
}

impl tokio_stream::Stream for Watch {
    type Item = Result<HealthCheckResponse, Status>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        if self.begun {
            return std::task::Poll::Pending;
        }
        self.begun = true;
        std::task::Poll::Ready(Some(Ok(HealthCheckResponse { status: 1 })))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.streams.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Server {
    /// Serves at once; calls are answered at once.
    pub(crate) async fn start(tls: Arc<TlsMaterial>, options: ServeOptions) -> Self {
        Self::start_with(tls, options, Doors::new(true)).await
    }

    /// Serves at once; a call of `check` is answered when the test lets it out.
    pub(crate) async fn start_guarded(tls: Arc<TlsMaterial>, options: ServeOptions) -> Self {
        Self::start_with(tls, options, Doors::new(false)).await
    }

    async fn start_with(tls: Arc<TlsMaterial>, options: ServeOptions, doors: Doors) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = Shutdown::new();
        let routes = Routes::new(HealthServer::new(doors.clone()));
        let service = service_fn(move |request: Request<Body>| identify(routes.clone(), request));
        let begun = shutdown.begun();
        let serving = tokio::spawn(serve(listener, tls, service, options, begun));
        Self { address, shutdown, doors, serving }
    }

    /// Asks the server to end and returns its report.
    pub(crate) async fn end(self) -> ServeReport {
        self.shutdown.begin();
        self.ended().await
    }

    /// Waits for the end that was asked for.
    pub(crate) async fn ended(self) -> ServeReport {
        timeout(HANG, self.serving).await.expect("the server ends").unwrap()
    }

    /// Drops the server where it stands.
    pub(crate) async fn vanish(self) {
        self.serving.abort();
        assert!(self.serving.await.unwrap_err().is_cancelled());
    }

    pub(crate) fn target(&self) -> Target {
        Target::new(self.address.to_string())
    }
}

/// Refuses callers without certificate; tells the others as whom they are known.
async fn identify(routes: Routes, request: Request<Body>) -> Result<Response<Body>, Infallible> {
    let info = request.extensions().get::<ConnectionInfo>().expect("every request has it").clone();
    assert!(info.remote.ip().is_loopback());
    let Some(certificate) = info.certificate else {
        return Ok(status::of(&Refusal::new(Reason::CertificateMissing), Lang::En).into_http());
    };
    let known_as = certificate.spiffe.as_ref().map_or("nobody".to_owned(), ToString::to_string);
    let mut response = routes.oneshot(request).await?;
    response.headers_mut().insert("known-as", HeaderValue::from_str(&known_as).unwrap());
    Ok(response)
}

/// A client that shows itself with `tls`.
pub(crate) fn dialer(tls: Arc<TlsMaterial>) -> Dialer {
    Dialer::new(tls, DialOptions { connect_timeout: HANG, ..DialOptions::default() })
}

/// Calls `check`, and returns as whom the server knows us.
pub(crate) async fn check(channel: Channel) -> Result<String, Status> {
    let answer = HealthClient::new(channel).check(HealthCheckRequest::default()).await?;
    assert_eq!(answer.get_ref().status, 1);
    Ok(answer.metadata().get("known-as").unwrap().to_str().unwrap().to_owned())
}

/// Connects and calls `check`.
pub(crate) async fn reach(tls: Arc<TlsMaterial>, target: &Target) -> Result<String, DialError> {
    let channel = timeout(HANG, dialer(tls).connect(target)).await.expect("dialing ends")?;
    Ok(check(channel).await.unwrap())
}

/// Opens a stream and takes its first message.
pub(crate) async fn watch(channel: Channel) -> Streaming<HealthCheckResponse> {
    let mut client = HealthClient::new(channel);
    let mut stream = client.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    assert!(stream.message().await.unwrap().is_some());
    stream
}
