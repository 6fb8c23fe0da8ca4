//! Posting: one request over one connection, with a time limit, answered by a status or not at all.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::Full;
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;

use super::address::Address;
use crate::{config::Webhooks, running::chain};

/// Time for one delivery, from the look-up of the name to the status.
const TIME: Duration = Duration::from_secs(10);

/// Why webhooks cannot be delivered at all.
#[derive(Debug, thiserror::Error)]
pub(super) enum PosterError {
    /// The file of authorities cannot be read.
    #[error("the authorities for webhooks cannot be read: {0}")]
    Authorities(String),
}

/// Posts to permitted hosts.
pub(super) struct Poster {
    hosts: Vec<String>,
    /// Absent where no authorities are named: then nothing is delivered over TLS.
    tls: Option<TlsConnector>,
}

impl Poster {
    pub(super) fn new(config: &Webhooks) -> Result<Self, PosterError> {
        let unread = |error: String| PosterError::Authorities(error);
        let tls = match &config.authorities {
            None => None,
            Some(file) => {
                let mut roots = RootCertStore::empty();
                let certificates = CertificateDer::pem_file_iter(file)
                    .map_err(|error| unread(error.to_string()))?;
                for certificate in certificates {
                    let certificate = certificate.map_err(|error| unread(error.to_string()))?;
                    roots.add(certificate).map_err(|error| unread(error.to_string()))?;
                }
                let provider = Arc::new(rustls::crypto::ring::default_provider());
                let config = ClientConfig::builder_with_provider(provider)
                    .with_safe_default_protocol_versions()
                    .map_err(|error| unread(error.to_string()))?
                    .with_root_certificates(roots)
                    .with_no_client_auth();
                Some(TlsConnector::from(Arc::new(config)))
            }
        };
        Ok(Self { hosts: config.hosts.clone(), tls })
    }

    /// The status if it says that the notice arrived; else what was answered, or why nothing was.
    pub(super) async fn post(
        &self,
        url: &str,
        headers: &[(&str, String)],
        body: String,
    ) -> Result<StatusCode, String> {
        // What was permitted when it was registered need not be now.
        let address = Address::read(url, &self.hosts).map_err(|(en, _)| en.to_owned())?;
        let sent = timeout(TIME, self.send(&address, headers, body)).await;
        let status = sent.map_err(|_| "no answer in time".to_owned())??;
        if status.is_success() { Ok(status) } else { Err(status.as_u16().to_string()) }
    }

    async fn send(
        &self,
        address: &Address,
        headers: &[(&str, String)],
        body: String,
    ) -> Result<StatusCode, String> {
        let stream = TcpStream::connect((address.host.as_str(), address.port))
            .await
            .map_err(|error| error.to_string())?;
        if !address.tls {
            return exchange(stream, address, headers, body).await;
        }
        let Some(tls) = &self.tls else {
            return Err("no authorities for https are configured".to_owned());
        };
        let name = ServerName::try_from(address.host.clone()).map_err(|error| error.to_string())?;
        let stream = tls.connect(name, stream).await.map_err(|error| error.to_string())?;
        exchange(stream, address, headers, body).await
    }
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    address: &Address,
    headers: &[(&str, String)],
    body: String,
) -> Result<StatusCode, String> {
    let failed = |error: hyper::Error| chain(&error);
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(failed)?;
    let mut request = Request::post(&address.path)
        .header(header::HOST, format!("{}:{}", address.host, address.port))
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, "luqiao")
        .header(header::CONNECTION, "close");
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let request = request.body(Full::new(Bytes::from(body))).map_err(|error| error.to_string())?;
    let answered = sender.send_request(request);
    tokio::pin!(answered, connection);
    let answered = tokio::select! {
        answered = &mut answered => answered,
        // A connection may end in the moment in which it brought the answer.
        _ = &mut connection => answered.await,
    };
    answered.map(|answer| answer.status()).map_err(failed)
}
