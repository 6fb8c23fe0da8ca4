//! HTTP for object stores, over the TLS that everything else here uses: the library's own client brings a
//! second crypto provider.
//!
//! A connection per request. Objects are megabytes and seldom; what a kept connection would save is not
//! worth a pool. Trusted are the authorities that the configuration names, no others.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Uri, header, uri::Scheme};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
    HttpResponseBody, HttpService,
};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;

/// Time for a connection, and for a request with its answer: a pack over a slow line.
const CONNECT: Duration = Duration::from_secs(10);
const ANSWER: Duration = Duration::from_mins(5);

/// Makes clients.
#[derive(Debug)]
pub(crate) struct OwnHttp {
    authorities: Option<PathBuf>,
}

impl OwnHttp {
    pub(crate) fn new(authorities: Option<PathBuf>) -> Self {
        Self { authorities }
    }
}

impl HttpConnector for OwnHttp {
    fn connect(&self, _options: &object_store::ClientOptions) -> object_store::Result<HttpClient> {
        let tls = self.authorities.as_deref().map(trusting).transpose().map_err(|error| {
            object_store::Error::Generic { store: "S3", source: Box::new(error) }
        })?;
        Ok(HttpClient::new(Client { tls }))
    }
}

/// TLS that trusts the authorities in a file.
fn trusting(file: &Path) -> io::Result<TlsConnector> {
    let wrong = |cause: String| io::Error::other(format!("{}: {cause}", file.display()));
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(file).map_err(|e| wrong(e.to_string()))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
        roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

struct Client {
    /// Absent where no authorities are named: then there is no `https`.
    tls: Option<TlsConnector>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("tls", &self.tls.is_some()).finish()
    }
}

#[async_trait]
impl HttpService for Client {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let uri = request.uri().clone();
        let no_host = || io::Error::new(io::ErrorKind::InvalidInput, "the address has no host");
        let host = uri.host().ok_or_else(no_host).map_err(connecting)?.to_owned();
        let tls = uri.scheme() == Some(&Scheme::HTTPS);
        let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let late = || io::Error::new(io::ErrorKind::TimedOut, "no connection in time");
        let stream = timeout(CONNECT, TcpStream::connect((host.as_str(), port)))
            .await
            .map_err(|_| connecting(late()))?
            .map_err(connecting)?;
        if !tls {
            return exchange(stream, request, &uri).await;
        }
        let none = || io::Error::other("no authorities for https are configured");
        let connector = self.tls.as_ref().ok_or_else(none).map_err(connecting)?;
        let name = ServerName::try_from(host).map_err(|e| connecting(io::Error::other(e)))?;
        let stream = timeout(CONNECT, connector.connect(name, stream))
            .await
            .map_err(|_| connecting(late()))?
            .map_err(connecting)?;
        exchange(stream, request, &uri).await
    }
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    mut request: HttpRequest,
    uri: &Uri,
) -> Result<HttpResponse, HttpError> {
    let failed = |error: hyper::Error| HttpError::new(HttpErrorKind::Request, error);
    // What goes over the line is the path; the host is a header.
    if !request.headers().contains_key(header::HOST)
        && let Some(authority) = uri.authority()
        && let Ok(host) = authority.as_str().parse()
    {
        request.headers_mut().insert(header::HOST, host);
    }
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    *request.uri_mut() =
        path.parse().map_err(|error| HttpError::new(HttpErrorKind::Unknown, error))?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(failed)?;
    let answering = async {
        let answer = sender.send_request(request).await?;
        let (parts, body) = answer.into_parts();
        Ok::<_, hyper::Error>((parts, body.collect().await?.to_bytes()))
    };
    let both = async {
        tokio::pin!(answering, connection);
        tokio::select! {
            answered = &mut answering => answered,
            // A connection may end in the moment in which it brought the answer.
            _ = &mut connection => answering.await,
        }
    };
    let late = || io::Error::new(io::ErrorKind::TimedOut, "no answer in time");
    let (parts, bytes): (_, Bytes) = timeout(ANSWER, both)
        .await
        .map_err(|_| HttpError::new(HttpErrorKind::Timeout, late()))?
        .map_err(failed)?;
    let body = Full::new(bytes).map_err(|never| match never {});
    Ok(HttpResponse::from_parts(parts, HttpResponseBody::new(body)))
}

fn connecting(error: io::Error) -> HttpError {
    HttpError::new(HttpErrorKind::Connect, error)
}
