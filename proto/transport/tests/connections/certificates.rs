//! Certificates: an authority of its own for every test, and the files that daemons would read.

use std::{fs, path::PathBuf, sync::Arc};

use luqiao_transport::tls::{Scope, TlsFiles, TlsMaterial, TrustFile};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, SanType, date_time_ymd,
};
use tempfile::TempDir;

/// An authority that can issue anything.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate to be issued.
pub(crate) struct Holder {
    uris: Vec<String>,
    hosts: Vec<String>,
    /// First and last year.
    years: (i32, i32),
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// Certificate and key, PEM.
    pub(crate) fn issue(&self, holder: &Holder) -> (String, String) {
        let mut params = CertificateParams::new(holder.hosts.clone()).unwrap();
        params
            .subject_alt_names
            .extend(holder.uris.iter().map(|uri| SanType::URI(uri.as_str().try_into().unwrap())));
        params.distinguished_name.push(DnType::CommonName, "holder");
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.not_before = date_time_ymd(holder.years.0, 1, 1);
        params.not_after = date_time_ymd(holder.years.1, 12, 31);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        (certificate.pem(), key.serialize_pem())
    }
}

impl Holder {
    /// Holder of this name of ours on this machine, valid now.
    pub(crate) fn named(uri: &str) -> Self {
        Self { uris: vec![uri.to_owned()], ..Self::nameless() }
    }

    /// Holder without a name of ours.
    pub(crate) fn nameless() -> Self {
        Self {
            uris: Vec::new(),
            hosts: vec!["127.0.0.1".to_owned(), "localhost".to_owned()],
            years: (2020, 2120),
        }
    }

    pub(crate) fn and(mut self, uri: &str) -> Self {
        self.uris.push(uri.to_owned());
        self
    }

    pub(crate) fn on_host(mut self, host: &str) -> Self {
        self.hosts = vec![host.to_owned()];
        self
    }

    pub(crate) fn valid(mut self, first_year: i32, last_year: i32) -> Self {
        self.years = (first_year, last_year);
        self
    }
}

/// The TLS files of one daemon, and the material read from them.
pub(crate) struct Files {
    folder: TempDir,
    pub(crate) files: TlsFiles,
}

impl Files {
    pub(crate) fn write(own: &(String, String), trust: &[(&Authority, Scope)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let trust = trust.iter().enumerate().map(|(index, (authority, scope))| {
            let file = path(&format!("authority-{index}.pem"));
            fs::write(&file, authority.pem()).unwrap();
            TrustFile { file, scope: scope.clone() }
        });
        let files = TlsFiles {
            certificate: path("certificate.pem"),
            key: path("key.pem"),
            trust: trust.collect(),
        };
        let this = Self { folder, files };
        this.replace(&own.0, &own.1);
        this
    }

    /// Overwrites certificate and key.
    pub(crate) fn replace(&self, certificate: &str, key: &str) {
        fs::write(&self.files.certificate, certificate).unwrap();
        fs::write(&self.files.key, key).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn load(&self) -> Arc<TlsMaterial> {
        Arc::new(TlsMaterial::load(self.files.clone()).unwrap())
    }
}

/// The material of a holder that trusts `trust`.
pub(crate) fn material(
    authority: &Authority,
    holder: &Holder,
    trust: &[(&Authority, Scope)],
) -> Arc<TlsMaterial> {
    Files::write(&authority.issue(holder), trust).load()
}

/// The authority of one domain, and trust in it for that domain only.
pub(crate) fn domain(name: &str) -> Scope {
    Scope::Domain(name.parse().unwrap())
}
