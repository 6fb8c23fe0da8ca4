//! Pki: who vouches for whom in a development environment?
//!
//! Every domain has an [`Authority`] of its own that issues what the domain's nodes, gateways,
//! systems and persons show each other, and the keys that sign tree heads. Domains share no key:
//! what one trusts of another is the other's authority, for names of that domain only.
//!
//! The authority's private key stays in memory. A folder of the development environment can
//! therefore be opened again, but nothing more can be issued for it.

pub mod national;

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use catalog_model::ids::DomainId;
use luqiao_transport::identity::{InstanceId, SpiffeId, Subject};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, PKCS_ED25519, SanType, date_time_ymd,
};

use crate::receipt::head::certificate_uri;

/// First and last year of every certificate. A machine's clock may stand anywhere, and the walk
/// moves a clock of its own; age is not what these certificates are about.
const YEARS: (i32, i32) = (2019, 2119);

/// Why something could not be issued or written.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    /// A key or certificate could not be made.
    #[error("a certificate could not be made")]
    Issue(#[from] rcgen::Error),
    /// An SM2 key could not be made.
    #[error("an SM2 key could not be made")]
    National,
    /// A file could not be written.
    #[error("{} cannot be written", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// The authority of one domain.
pub struct Authority {
    domain: DomainId,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").field("domain", &self.domain).finish_non_exhaustive()
    }
}

/// A certificate and its key, both PEM.
pub struct Issued {
    /// The certificate.
    pub certificate: String,
    /// The private key, PKCS #8.
    pub key: String,
}

impl std::fmt::Debug for Issued {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Issued").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

impl Authority {
    /// A fresh authority for `domain`.
    pub fn new(domain: &DomainId) -> Result<Self, PkiError> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name.push(DnType::OrganizationName, "Luqiao development");
        params.distinguished_name.push(DnType::CommonName, format!("{domain} authority"));
        validity(&mut params);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        Ok(Self { domain: domain.clone(), issuer })
    }

    /// The domain whose names it issues.
    pub fn domain(&self) -> &DomainId {
        &self.domain
    }

    /// Its certificate, PEM.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// Issues the certificate of `subject` in this domain. Nodes and gateways serve on this
    /// machine and call others; systems and persons only call.
    pub fn issue(&self, subject: Subject) -> Result<Issued, PkiError> {
        let serves = matches!(subject, Subject::Node { .. } | Subject::Gateway { .. });
        let name = SpiffeId { domain: self.domain.clone(), subject };
        let hosts =
            if serves { vec!["localhost".to_owned(), "127.0.0.1".to_owned()] } else { Vec::new() };
        let mut params = self.params(&name.to_string(), hosts)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        if serves {
            params.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth);
        }
        self.sign(&params, &KeyPair::generate()?)
    }

    /// Issues the key with which `node` signs tree heads of the cluster (32 hexadecimal digits).
    /// It serves for nothing else: its name is none with which anybody could make a call.
    pub fn issue_head(&self, node: &InstanceId, cluster_id: &str) -> Result<Issued, PkiError> {
        let uri = certificate_uri(self.domain.as_str(), node.as_str(), cluster_id);
        let params = self.params(&uri, Vec::new())?;
        self.sign(&params, &KeyPair::generate_for(&PKCS_ED25519)?)
    }

    fn params(&self, uri: &str, hosts: Vec<String>) -> Result<CertificateParams, PkiError> {
        let mut params = CertificateParams::new(hosts)?;
        params.subject_alt_names.push(SanType::URI(uri.try_into()?));
        params.distinguished_name.push(DnType::OrganizationName, "Luqiao development");
        params.distinguished_name.push(DnType::CommonName, self.domain.as_str());
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        validity(&mut params);
        Ok(params)
    }

    fn sign(&self, params: &CertificateParams, key: &KeyPair) -> Result<Issued, PkiError> {
        let certificate = params.signed_by(key, &self.issuer)?;
        Ok(Issued { certificate: certificate.pem(), key: key.serialize_pem() })
    }
}

fn validity(params: &mut CertificateParams) {
    params.not_before = date_time_ymd(YEARS.0, 1, 1);
    params.not_after = date_time_ymd(YEARS.1, 12, 31);
}

impl Issued {
    /// Writes `{stem}.pem` and, for its owner's eyes only, `{stem}.key` into `folder`.
    pub fn write(&self, folder: &Path, stem: &str) -> Result<(), PkiError> {
        write(&folder.join(format!("{stem}.pem")), &self.certificate, 0o644)?;
        write(&folder.join(format!("{stem}.key")), &self.key, 0o600)
    }
}

/// Writes a file with this mode from its first byte on, replacing what is there.
fn write(path: &Path, text: &str, mode: u32) -> Result<(), PkiError> {
    let failed = |source| PkiError::Write { path: path.to_owned(), source };
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(mode);
    let mut file = options.open(path).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)
}

#[cfg(test)]
mod tests;
