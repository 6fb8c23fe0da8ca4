//! TLS: with which certificate do we show ourselves, and whose do we believe?
//!
//! A [`TlsMaterial`] is our chain and key and the authorities we trust, read from PEM files and
//! exchanged as one by [`TlsMaterial::reload`]: connections that stand keep what they began with,
//! new ones get the new pair, and a bad file changes nothing.
//!
//! Every authority is trusted *for something* ([`Scope`]). The authority of one domain cannot name
//! anybody of another, although both are trusted: otherwise any federation partner could issue
//! itself the identity of our gateway.
//!
//! Servers make client certificates optional. A caller without one is told so by the identity
//! stage, in words; a caller with a bad one is told by a TLS alert, because nobody stands there
//! to whom words could be addressed.

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use catalog_model::ids::DomainId;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error as TlsFailure,
    OtherError, RootCertStore, ServerConfig, SignatureScheme,
    client::{
        Resumption, WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    server::{
        NoServerSessionStorage, WebPkiClientVerifier,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
    sign::{CertifiedKey, SingleCertAndKey},
};
use rustls_pki_types::{
    CertificateDer, PrivateKeyDer, ServerName, UnixTime,
    pem::{self, PemObject},
};

use crate::identity::{CertificateRefused, PeerCertificate, SpiffeId};

/// The one application protocol that gRPC speaks.
const ALPN_H2: &[u8] = b"h2";

/// Where our certificate, key and trusted authorities are kept, all PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// Our certificate, followed by those of intermediate authorities.
    pub certificate: PathBuf,
    /// The private key of our certificate.
    pub key: PathBuf,
    /// The authorities we trust.
    pub trust: Vec<TrustFile>,
}

/// A file of authorities and what they are trusted for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustFile {
    /// One or more certificates of authorities.
    pub file: PathBuf,
    /// Whom they may name.
    pub scope: Scope,
}

/// Whom an authority may name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Everyone in this domain, nobody else. The rule for a federation.
    Domain(DomainId),
    /// Holders without a name of ours, known through a `CertificateTable`.
    Others,
    /// Everyone in every domain and others. For installations with a single authority.
    Everyone,
}

impl Scope {
    fn covers(&self, name: Option<&SpiffeId>) -> bool {
        match (self, name) {
            (Self::Everyone, _) | (Self::Others, None) => true,
            (Self::Domain(domain), Some(name)) => *domain == name.domain,
            (Self::Others, Some(_)) | (Self::Domain(_), None) => false,
        }
    }
}

/// Whom a server must prove to be before we send it anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expectation {
    /// The domain it must belong to.
    pub domain: DomainId,
    /// What it must be there.
    pub role: ExpectedRole,
}

/// What a server must be in its domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExpectedRole {
    /// Any of the domain's gateways.
    Gateway,
    /// Any of the domain's catalog nodes.
    Node,
    /// Exactly this one, for instance the Raft peer with this id.
    Exactly(crate::identity::Subject),
}

impl Expectation {
    /// A gateway of `domain`.
    pub fn gateway_of(domain: DomainId) -> Self {
        Self { domain, role: ExpectedRole::Gateway }
    }

    /// A catalog node of `domain`.
    pub fn node_of(domain: DomainId) -> Self {
        Self { domain, role: ExpectedRole::Node }
    }

    /// The holder of this name and no other.
    pub fn exactly(name: SpiffeId) -> Self {
        Self { domain: name.domain, role: ExpectedRole::Exactly(name.subject) }
    }

    fn met_by(&self, name: &SpiffeId) -> bool {
        match &self.role {
            ExpectedRole::Gateway => name.is_gateway_of(&self.domain),
            ExpectedRole::Node => name.is_node_of(&self.domain),
            ExpectedRole::Exactly(subject) => {
                name.domain == self.domain && name.subject == *subject
            }
        }
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.role {
            ExpectedRole::Gateway => write!(f, "a gateway of domain {}", self.domain),
            ExpectedRole::Node => write!(f, "a catalog node of domain {}", self.domain),
            ExpectedRole::Exactly(subject) => {
                SpiffeId { domain: self.domain.clone(), subject: subject.clone() }.fmt(f)
            }
        }
    }
}

/// A genuine server that is not the one we meant to call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, met {}", .found.as_ref().map_or("a server without a Luqiao name".to_owned(), ToString::to_string))]
pub struct UnexpectedServer {
    /// Whom we meant to call.
    pub expected: Expectation,
    /// Who answered; `None` if its certificate has no name of ours.
    pub found: Option<SpiffeId>,
}

/// Why certificate, key or authorities cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or is not PEM.
    #[error("{} cannot be read as PEM", .file.display())]
    Pem {
        /// The file.
        file: PathBuf,
        /// Why not.
        source: pem::Error,
    },
    /// A file holds no certificate.
    #[error("{} holds no certificate", .file.display())]
    NoCertificate {
        /// The file.
        file: PathBuf,
    },
    /// Our own certificate cannot be understood.
    #[error("the certificate in {} is refused", .file.display())]
    Certificate {
        /// The file.
        file: PathBuf,
        /// Why.
        source: CertificateRefused,
    },
    /// The key is of an unknown kind, or is not the certificate's.
    #[error("the key in {} does not go with the certificate in {}", .key.display(), .certificate.display())]
    Pair {
        /// The file of the certificate.
        certificate: PathBuf,
        /// The file of the key.
        key: PathBuf,
        /// Why.
        source: TlsFailure,
    },
    /// The certificate that should replace a good one has expired.
    #[error("the certificate in {} has expired; the previous one stays in use", .file.display())]
    Expired {
        /// The file.
        file: PathBuf,
    },
    /// An authority cannot be used.
    #[error("an authority in {} cannot be used", .file.display())]
    Authority {
        /// The file.
        file: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The list of trust files is empty: nobody could ever connect.
    #[error("no trust file is named")]
    NoTrust,
    /// The settings do not form a configuration.
    #[error("TLS cannot be configured")]
    Configuration(#[source] TlsFailure),
}

/// Our certificate, key and trusted authorities, exchangeable while in use.
pub struct TlsMaterial {
    files: TlsFiles,
    /// Invariant: chain, key and authorities in it were read together and fit together.
    current: ArcSwap<Loaded>,
}

struct Loaded {
    own: PeerCertificate,
    pair: Arc<CertifiedKey>,
    trust: Arc<Trust>,
    server: Arc<ServerConfig>,
}

impl TlsMaterial {
    /// Reads the files.
    ///
    /// A certificate that has expired is taken and logged: a daemon that starts can still be
    /// looked at, and its peers say what is wrong.
    pub fn load(files: TlsFiles) -> Result<Self, TlsError> {
        let loaded = Loaded::read(&files)?;
        if loaded.has_expired() {
            tracing::warn!(file = %files.certificate.display(), "Own certificate has expired");
        }
        Ok(Self { files, current: ArcSwap::from_pointee(loaded) })
    }

    /// Reads the files again. New connections use what they hold; on an error nothing changes.
    pub fn reload(&self) -> Result<(), TlsError> {
        let loaded = Loaded::read(&self.files)?;
        if loaded.has_expired() {
            return Err(TlsError::Expired { file: self.files.certificate.clone() });
        }
        self.current.store(Arc::new(loaded));
        Ok(())
    }

    /// Our own certificate, as others see it.
    pub fn own_certificate(&self) -> PeerCertificate {
        self.current.load().own.clone()
    }

    /// Whom a certificate names that came otherwise than in a handshake, if an authority that may
    /// name them issued it and it is valid `since_epoch`, counted from 1970 (UTC).
    pub fn verify_holder(
        &self,
        certificate: &CertificateDer<'_>,
        since_epoch: Duration,
    ) -> Result<Option<SpiffeId>, TlsFailure> {
        let now = UnixTime::since_unix_epoch(since_epoch);
        let verify = |bundle: &Bundle| bundle.clients.verify_client_cert(certificate, &[], now);
        self.current.load().trust.verify(certificate, verify).map(|(_, name)| name)
    }

    /// How the next incoming connection is accepted.
    pub fn server_config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current.load().server)
    }

    /// How the next outgoing connection is made.
    ///
    /// Chain and host name of the server are always verified; with an expectation also that it
    /// is whom we mean.
    pub fn client_config(
        &self,
        expected: Option<Expectation>,
    ) -> Result<Arc<ClientConfig>, TlsError> {
        let current = self.current.load();
        let verifier = ServerVerifier { trust: Arc::clone(&current.trust), expected };
        let mut config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Configuration)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(Arc::clone(&current.pair))));
        config.alpn_protocols = vec![ALPN_H2.to_vec()];
        // A resumed session would skip the checks above.
        config.resumption = Resumption::disabled();
        Ok(Arc::new(config))
    }
}

impl fmt::Debug for TlsMaterial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Never the key.
        f.debug_struct("TlsMaterial").field("files", &self.files).finish_non_exhaustive()
    }
}

impl Loaded {
    fn read(files: &TlsFiles) -> Result<Self, TlsError> {
        let chain = read_certificates(&files.certificate)?;
        let own = PeerCertificate::read(&chain)
            .map_err(|source| TlsError::Certificate { file: files.certificate.clone(), source })?;
        let key = PrivateKeyDer::from_pem_file(&files.key)
            .map_err(|source| TlsError::Pem { file: files.key.clone(), source })?;
        let pair =
            CertifiedKey::from_der(chain, key, &provider()).map_err(|source| TlsError::Pair {
                certificate: files.certificate.clone(),
                key: files.key.clone(),
                source,
            })?;
        let pair = Arc::new(pair);
        let trust = Arc::new(Trust::read(&files.trust)?);

        let verifier = ClientVerifier { hints: trust.hints(), trust: Arc::clone(&trust) };
        let mut server = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Configuration)?
            .with_client_cert_verifier(Arc::new(verifier))
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(Arc::clone(&pair))));
        server.alpn_protocols = vec![ALPN_H2.to_vec()];
        // Connections live long; resuming saves nothing, and would accept a certificate that has
        // expired or lost its authority meanwhile.
        server.session_storage = Arc::new(NoServerSessionStorage {});
        server.send_tls13_tickets = 0;
        Ok(Self { own, pair, trust, server: Arc::new(server) })
    }

    fn has_expired(&self) -> bool {
        let now = UnixTime::now().as_secs();
        u64::try_from(self.own.not_after_seconds).map_or(true, |not_after| not_after < now)
    }
}

fn read_certificates(file: &PathBuf) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let failed = |source| TlsError::Pem { file: file.clone(), source };
    let certificates = CertificateDer::pem_file_iter(file)
        .map_err(failed)?
        .collect::<Result<Vec<_>, _>>()
        .map_err(failed)?;
    if certificates.is_empty() {
        return Err(TlsError::NoCertificate { file: file.clone() });
    }
    Ok(certificates)
}

/// ring, named explicitly: another crate of the process may have installed something else.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// The authorities we trust, each with its scope.
#[derive(Debug)]
struct Trust {
    bundles: Vec<Bundle>,
    provider: Arc<CryptoProvider>,
}

#[derive(Debug)]
struct Bundle {
    scope: Scope,
    clients: Arc<dyn ClientCertVerifier>,
    servers: Arc<WebPkiServerVerifier>,
}

impl Trust {
    fn read(files: &[TrustFile]) -> Result<Self, TlsError> {
        if files.is_empty() {
            return Err(TlsError::NoTrust);
        }
        let bundles = files.iter().map(Bundle::read).collect::<Result<_, _>>()?;
        Ok(Self { bundles, provider: provider() })
    }

    fn hints(&self) -> Vec<DistinguishedName> {
        self.bundles.iter().flat_map(|b| b.clients.root_hint_subjects()).cloned().collect()
    }

    /// Verifies with the authorities that may name this holder, and returns the name.
    fn verify<T>(
        &self,
        end_entity: &CertificateDer<'_>,
        verify: impl Fn(&Bundle) -> Result<T, TlsFailure>,
    ) -> Result<(T, Option<SpiffeId>), TlsFailure> {
        let name = PeerCertificate::read(std::slice::from_ref(end_entity)).map_err(other)?.spiffe;
        let mut failure = TlsFailure::from(CertificateError::UnknownIssuer);
        for bundle in self.bundles.iter().filter(|b| b.scope.covers(name.as_ref())) {
            match verify(bundle) {
                Ok(verified) => return Ok((verified, name)),
                // Not signed by this authority, or by another one that goes by its name. *Expired*
                // from the right authority says more than that.
                Err(TlsFailure::InvalidCertificate(
                    CertificateError::UnknownIssuer | CertificateError::BadSignature,
                )) => {}
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    fn tls12(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsFailure> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn tls13(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsFailure> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

fn other(error: impl std::error::Error + Send + Sync + 'static) -> TlsFailure {
    CertificateError::Other(OtherError(Arc::new(error))).into()
}

impl Bundle {
    fn read(trust: &TrustFile) -> Result<Self, TlsError> {
        let failed = |source: Box<dyn std::error::Error + Send + Sync>| TlsError::Authority {
            file: trust.file.clone(),
            source,
        };
        let mut roots = RootCertStore::empty();
        for authority in read_certificates(&trust.file)? {
            roots.add(authority).map_err(|error| failed(error.into()))?;
        }
        let roots = Arc::new(roots);
        let clients = WebPkiClientVerifier::builder_with_provider(Arc::clone(&roots), provider())
            .build()
            .map_err(|error| failed(error.into()))?;
        let servers = WebPkiServerVerifier::builder_with_provider(roots, provider())
            .build()
            .map_err(|error| failed(error.into()))?;
        Ok(Self { scope: trust.scope.clone(), clients, servers })
    }
}

/// Verifies callers: chain, validity, and that the authority may name the holder.
#[derive(Debug)]
struct ClientVerifier {
    trust: Arc<Trust>,
    hints: Vec<DistinguishedName>,
}

impl ClientCertVerifier for ClientVerifier {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.hints
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, TlsFailure> {
        let verify =
            |bundle: &Bundle| bundle.clients.verify_client_cert(end_entity, intermediates, now);
        self.trust.verify(end_entity, verify).map(|(verified, _)| verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsFailure> {
        self.trust.tls12(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsFailure> {
        self.trust.tls13(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.trust.schemes()
    }
}

/// Verifies servers: chain, validity, host name, and that it is whom we mean to call.
#[derive(Debug)]
struct ServerVerifier {
    trust: Arc<Trust>,
    expected: Option<Expectation>,
}

impl ServerCertVerifier for ServerVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsFailure> {
        let verify = |bundle: &Bundle| {
            bundle.servers.verify_server_cert(
                end_entity,
                intermediates,
                server_name,
                ocsp_response,
                now,
            )
        };
        let (verified, found) = self.trust.verify(end_entity, verify)?;
        match &self.expected {
            Some(expected) if !found.as_ref().is_some_and(|name| expected.met_by(name)) => {
                Err(other(UnexpectedServer { expected: expected.clone(), found }))
            }
            _ => Ok(verified),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsFailure> {
        self.trust.tls12(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsFailure> {
        self.trust.tls13(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.trust.schemes()
    }
}
