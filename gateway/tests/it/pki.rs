//! Domains with an authority, certificates and settings of their own.

use std::{fs, path::PathBuf, sync::Arc};

use gateway::config::{Config, Follow, NodeConfig, PeerConfig, PeerKind, TlsConfig};
use luqiao_transport::{
    dial::{DialOptions, Dialer, Target},
    tls::{Scope, TlsFiles, TlsMaterial, TrustFile},
};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, SanType, SerialNumber,
};
use tempfile::TempDir;
use tonic::transport::Channel;

use crate::node::FakeNode;

pub(crate) const ORGANIZATION: &str = "01JD0000000000000000000001";
pub(crate) const SYSTEM: &str = "01JD0000000000000000000002";
pub(crate) const PERSON: &str = "01JD0000000000000000000003";

/// A domain's authority and the folder with everybody's files.
pub(crate) struct Domain {
    pub(crate) name: &'static str,
    folder: TempDir,
    authority: CertifiedIssuer<'static, KeyPair>,
}

impl Domain {
    pub(crate) fn new(name: &'static str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();
        Self { name, folder, authority }
    }

    pub(crate) fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Issues a certificate to `path` of this domain, for instance `gateway/gw-1`; without a path
    /// one that carries no name of ours.
    pub(crate) fn issue(&self, path: Option<&str>) -> (PathBuf, PathBuf) {
        let hosts = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
        let mut params = CertificateParams::new(hosts).unwrap();
        params.distinguished_name.push(DnType::CommonName, "holder");
        params.serial_number = Some(SerialNumber::from_slice(&[0x5f, 0x01]));
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        if let Some(path) = path {
            let uri = format!("spiffe://{}.luqiao/{path}", self.name);
            params.subject_alt_names.push(SanType::URI(uri.as_str().try_into().unwrap()));
        }
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.authority).unwrap();
        let name = path.unwrap_or("nameless").replace('/', "-");
        let file = |ending: &str| self.folder.path().join(format!("{name}.{ending}"));
        fs::write(file("crt"), certificate.pem()).unwrap();
        fs::write(file("key"), key.serialize_pem()).unwrap();
        (file("crt"), file("key"))
    }

    /// What the holder of such a certificate needs to talk to `others` and to its own domain.
    pub(crate) fn material(&self, path: Option<&str>, others: &[&Self]) -> Arc<TlsMaterial> {
        let (certificate, key) = self.issue(path);
        let trust = |domain: &Self| TrustFile {
            file: domain.ca(),
            scope: Scope::Domain(domain.name.parse().unwrap()),
        };
        let trust = others.iter().copied().chain([self]).map(trust).collect();
        Arc::new(TlsMaterial::load(TlsFiles { certificate, key, trust }).unwrap())
    }

    /// A connection of the department's system to the gateway at `address`.
    pub(crate) async fn system(&self, address: impl ToString) -> Channel {
        self.connect(&format!("organization/{ORGANIZATION}/system/{SYSTEM}"), &[], address).await
    }

    pub(crate) async fn connect(
        &self,
        path: &str,
        others: &[&Self],
        address: impl ToString,
    ) -> Channel {
        let dialer = Dialer::new(self.material(Some(path), others), DialOptions::default());
        dialer.connect(&Target::new(address.to_string())).await.unwrap()
    }

    /// Settings of a gateway before `nodes`, without peers, impatient where that hurts no test.
    pub(crate) fn config(&self, nodes: &[&FakeNode]) -> Config {
        let (cert, key) = self.issue(Some("gateway/gw-1"));
        let mut config = Config {
            domain: self.name.parse().unwrap(),
            gateway: "gw-1".parse().unwrap(),
            listen: "127.0.0.1:0".parse().unwrap(),
            nodes: nodes
                .iter()
                .map(|node| NodeConfig {
                    id: node.id.parse().unwrap(),
                    endpoint: node.address().to_string(),
                    server_name: None,
                })
                .collect(),
            tls: TlsConfig { cert, key, ca: self.ca(), other_ca: Vec::new() },
            peers: Vec::new(),
            certificates: Vec::new(),
            limits: Default::default(),
            timeouts: Default::default(),
        };
        config.timeouts.link_retry_max = std::time::Duration::from_millis(50);
        config
    }
}

/// The settings of a link to `domain`, whose gateway is at `address`.
pub(crate) fn peer(
    domain: &Domain,
    kind: PeerKind,
    address: impl ToString,
    follow: Option<Follow>,
) -> PeerConfig {
    PeerConfig {
        domain: domain.name.parse().unwrap(),
        kind,
        endpoints: vec![address.to_string()],
        server_name: None,
        ca: domain.ca(),
        head_ca: None,
        follow,
    }
}
