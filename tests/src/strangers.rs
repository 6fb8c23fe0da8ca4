//! Strangers: who comes to a gateway with a certificate that should not be enough?

use std::{fs, path::Path, sync::Arc};

use luqiao::{
    context::Context,
    dev::{cast::Level, topology::Topology},
};
use luqiao_transport::identity::{SpiffeId, Subject};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, SanType, date_time_ymd,
};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint};

/// An authority that issues whatever it is asked for.
pub struct Forger {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl std::fmt::Debug for Forger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Forger")
    }
}

/// What a forged certificate says.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The name of ours in it, if it has one.
    pub name: Option<SpiffeId>,
    /// The last year in which it is valid.
    pub until_year: i32,
}

impl Forger {
    /// A fresh authority.
    ///
    /// # Panics
    ///
    /// If no key can be made.
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(2119, 1, 1);
        let key = KeyPair::generate().expect("a key can be made");
        Self { issuer: CertifiedIssuer::self_signed(params, key).expect("it can sign itself") }
    }

    /// The authority's own certificate, PEM.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// Writes a certificate and key into `folder` and returns the context of whoever uses them at
    /// the gateway of `level`.
    ///
    /// # Panics
    ///
    /// If they cannot be made or written.
    pub fn context(
        &self,
        topology: &Topology,
        level: Level,
        folder: &Path,
        stem: &str,
        claim: &Claim,
    ) -> Context {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, stem);
        if let Some(name) = &claim.name {
            let uri = name.to_string().try_into().expect("a URI is ASCII");
            params.subject_alt_names.push(SanType::URI(uri));
        }
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(claim.until_year, 12, 31);
        let key = KeyPair::generate().expect("a key can be made");
        let certificate = params.signed_by(&key, &self.issuer).expect("it can be signed");
        let file = |ending: &str| folder.join(format!("{stem}.{ending}"));
        fs::write(file("pem"), certificate.pem()).expect("a file can be written");
        fs::write(file("key"), key.serialize_pem()).expect("a file can be written");
        let plan = topology.of(level);
        Context {
            gateways: vec![plan.gateway.to_string()],
            nodes: Vec::new(),
            ca: plan.folder.join("ca.pem"),
            cert: file("pem"),
            key: file("key"),
            trust: None,
            domain: Some(level.domain_text().to_owned()),
        }
    }
}

/// A name of `level` for a system or person of it.
pub fn named(level: Level, subject: Subject) -> SpiffeId {
    SpiffeId { domain: level.domain(), subject }
}

/// A connection to the gateway of `level` by somebody without any certificate.
///
/// # Panics
///
/// If the authority of the level cannot be read.
pub fn without_certificate(topology: &Topology, level: Level) -> Channel {
    let plan = topology.of(level);
    let mut roots = RootCertStore::empty();
    for authority in CertificateDer::pem_file_iter(plan.folder.join("ca.pem")).expect("the CA") {
        roots.add(authority.expect("a certificate")).expect("a usable authority");
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("known versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let connector = TlsConnector::from(Arc::new(config));
    let address = plan.gateway;
    let dial = tower::service_fn(move |_| {
        let connector = connector.clone();
        async move {
            let stream = TcpStream::connect(address).await?;
            let name = ServerName::try_from("localhost").expect("a host name");
            connector.connect(name, stream).await.map(hyper_util::rt::TokioIo::new)
        }
    });
    Endpoint::from_shared(format!("http://{address}"))
        .expect("an address")
        .connect_with_connector_lazy(dial)
}
