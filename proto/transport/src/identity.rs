//! Identity: whom does a certificate name?
//!
//! Not whether it is genuine (`tls` has verified the chain before anyone asks), nor what its
//! holder may do (the gateway's later stages). Our own certificates carry exactly one URI,
//!
//! ```text
//! spiffe://{domain}.luqiao/organization/{id}/person/{id}
//! spiffe://{domain}.luqiao/organization/{id}/system/{id}
//! spiffe://{domain}.luqiao/gateway/{id}
//! spiffe://{domain}.luqiao/node/{id}
//! ```
//!
//! and certificates of other authorities, which cannot be made to, are mapped by a
//! [`CertificateTable`] kept by the operator.

use std::{collections::BTreeMap, fmt, str::FromStr};

use catalog_model::ids::{DomainId, IdError, OrganizationId, PersonId, SystemId};
use rustls_pki_types::CertificateDer;
use x509_parser::{
    certificate::X509Certificate,
    extensions::GeneralName,
    prelude::{FromDer, X509Error},
};

/// The ending of our trust domains: `xiamen.luqiao`.
const TRUST_DOMAIN_SUFFIX: &str = ".luqiao";

/// The name of someone or something of one domain, as certificates carry it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpiffeId {
    /// The domain that vouches for the subject.
    pub domain: DomainId,
    /// Who or what is named.
    pub subject: Subject,
}

/// Who or what a [`SpiffeId`] names within its domain.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A person acting with a credential of their own.
    Person {
        /// Where the person works.
        organization: OrganizationId,
        /// The person.
        person: PersonId,
    },
    /// A business system of an organization.
    System {
        /// Who runs the system.
        organization: OrganizationId,
        /// The system.
        system: SystemId,
    },
    /// A gateway of the domain.
    Gateway {
        /// Which one.
        id: InstanceId,
    },
    /// A catalog node of the domain.
    Node {
        /// Which one.
        id: InstanceId,
    },
}

/// The name of one gateway or catalog node within its domain, for instance `2` or `gw-north-1`.
///
/// One to 63 characters of `a-z`, `0-9` and `-`, beginning with a letter or digit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceId(String);

/// What a certificate says about its holder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerCertificate {
    /// The certificates as presented, the holder's first, in DER.
    pub chain: Vec<CertificateDer<'static>>,
    /// The subject's name, for instance `C=CN, O=思明区数据局, CN=case-system`.
    pub subject: String,
    /// The issuer's name in the same form.
    pub issuer: String,
    /// The serial number in lower-case hexadecimal without leading zeros.
    pub serial: String,
    /// The last second of validity, in seconds since 1970 (UTC).
    pub not_after_seconds: i64,
    /// Our name for the holder; `None` in certificates of other authorities.
    pub spiffe: Option<SpiffeId>,
}

/// Why a certificate names nobody, although it tries to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateRefused {
    /// There was no certificate in the chain.
    #[error("the certificate chain is empty")]
    Empty,
    /// The bytes are not an X.509 certificate, or repeat an extension.
    #[error("the certificate cannot be read: {detail}")]
    Unreadable {
        /// What the parser met.
        detail: String,
    },
    /// A SPIFFE certificate has exactly one URI (X.509-SVID §2); with two, which one counts?
    #[error("the certificate carries {count} URIs beside a spiffe:// one, exactly one is allowed")]
    SeveralUris {
        /// How many URIs there are in all.
        count: usize,
    },
    /// The URI lies in one of our trust domains and has no meaning there.
    #[error("the certificate's URI is not a name of ours")]
    Malformed(#[from] IdError),
}

impl SpiffeId {
    /// Whether this is a catalog node of `domain`.
    pub fn is_node_of(&self, domain: &DomainId) -> bool {
        self.domain == *domain && matches!(self.subject, Subject::Node { .. })
    }

    /// Whether this is a gateway of `domain`.
    pub fn is_gateway_of(&self, domain: &DomainId) -> bool {
        self.domain == *domain && matches!(self.subject, Subject::Gateway { .. })
    }

    /// Whether `uri` claims to be one of our names, well formed or not.
    fn claims(uri: &str) -> bool {
        let uri = uri.to_ascii_lowercase();
        uri.strip_prefix("spiffe://")
            .and_then(|rest| rest.split(['/', '?', '#']).next())
            .is_some_and(|trust_domain| trust_domain.ends_with(TRUST_DOMAIN_SUFFIX))
    }
}

impl fmt::Display for SpiffeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "spiffe://{}{TRUST_DOMAIN_SUFFIX}", self.domain)?;
        match &self.subject {
            Subject::Person { organization, person } => {
                write!(f, "/organization/{organization}/person/{person}")
            }
            Subject::System { organization, system } => {
                write!(f, "/organization/{organization}/system/{system}")
            }
            Subject::Gateway { id } => write!(f, "/gateway/{id}"),
            Subject::Node { id } => write!(f, "/node/{id}"),
        }
    }
}

impl FromStr for SpiffeId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let unknown = || IdError {
            text: text.to_owned(),
            expected: "a Luqiao name (spiffe://{domain}.luqiao/organization/{id}/person/{id}, \
                       …/organization/{id}/system/{id}, …/gateway/{id} or …/node/{id})",
        };
        let rest = text.strip_prefix("spiffe://").ok_or_else(unknown)?;
        let (trust_domain, path) = rest.split_once('/').ok_or_else(unknown)?;
        let domain = trust_domain.strip_suffix(TRUST_DOMAIN_SUFFIX).ok_or_else(unknown)?.parse()?;
        let parts: Vec<&str> = path.split('/').collect();
        let subject = match parts.as_slice() {
            ["organization", organization, "person", person] => {
                Subject::Person { organization: organization.parse()?, person: person.parse()? }
            }
            ["organization", organization, "system", system] => {
                Subject::System { organization: organization.parse()?, system: system.parse()? }
            }
            ["gateway", id] => Subject::Gateway { id: id.parse()? },
            ["node", id] => Subject::Node { id: id.parse()? },
            _ => return Err(unknown()),
        };
        Ok(Self { domain, subject })
    }
}

impl InstanceId {
    /// The text form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for InstanceId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let legal = (1..=63).contains(&text.len())
            && !text.starts_with('-')
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if legal {
            Ok(Self(text.to_owned()))
        } else {
            Err(IdError {
                text: text.to_owned(),
                expected: "the name of a gateway or node (1–63 of a-z, 0-9, -, not beginning with -)",
            })
        }
    }
}

impl PeerCertificate {
    /// Reads the first certificate of `chain`, the holder's.
    ///
    /// Says nothing about whether the chain can be trusted.
    pub fn read(chain: &[CertificateDer<'_>]) -> Result<Self, CertificateRefused> {
        let first = chain.first().ok_or(CertificateRefused::Empty)?;
        let unreadable = |detail: String| CertificateRefused::Unreadable { detail };
        let (rest, certificate) =
            X509Certificate::from_der(first).map_err(|error| unreadable(error.to_string()))?;
        if !rest.is_empty() {
            return Err(unreadable("bytes follow the certificate".to_owned()));
        }
        let spiffe = spiffe_of(&certificate)?;
        Ok(Self {
            chain: chain.iter().map(|part| part.clone().into_owned()).collect(),
            subject: certificate.subject().to_string(),
            issuer: certificate.issuer().to_string(),
            serial: serial_text(certificate.raw_serial()),
            not_after_seconds: certificate.validity().not_after.timestamp(),
            spiffe,
        })
    }
}

fn spiffe_of(certificate: &X509Certificate<'_>) -> Result<Option<SpiffeId>, CertificateRefused> {
    let names = certificate.subject_alternative_name().map_err(|error: X509Error| {
        CertificateRefused::Unreadable { detail: format!("subject alternative names: {error}") }
    })?;
    let uris: Vec<&str> = names
        .iter()
        .flat_map(|names| &names.value.general_names)
        .filter_map(|name| if let GeneralName::URI(uri) = name { Some(*uri) } else { None })
        .collect();
    match uris.as_slice() {
        [uri] if SpiffeId::claims(uri) => Ok(Some(uri.parse()?)),
        several if several.len() > 1 && several.iter().any(|uri| SpiffeId::claims(uri)) => {
            Err(CertificateRefused::SeveralUris { count: several.len() })
        }
        _ => Ok(None),
    }
}

fn serial_text(bytes: &[u8]) -> String {
    use fmt::Write as _;

    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(text, "{byte:02x}").expect("writing to a string does not fail");
    }
    normal_serial(&text)
}

/// `00:A1:b2` and `a1b2` are the same number.
fn normal_serial(text: &str) -> String {
    let digits: String =
        text.chars().filter(|c| *c != ':').map(|c| c.to_ascii_lowercase()).collect();
    let significant = digits.trim_start_matches('0');
    if significant.is_empty() { "0".to_owned() } else { significant.to_owned() }
}

/// Which certificates of other authorities stand for which of our names.
///
/// A row names the issuer, so that a serial number of one authority never stands for that of
/// another, and one certificate by its serial number, or every certificate of one subject. The
/// serial number, being narrower, is looked up first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CertificateTable {
    rows: BTreeMap<(String, Holder), SpiffeId>,
}

/// How a row of a [`CertificateTable`] picks certificates of an issuer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Holder {
    /// The one with this serial number, in hexadecimal; colons, case and leading zeros do not
    /// matter.
    Serial(String),
    /// All with this subject, written as in [`PeerCertificate::subject`].
    Subject(String),
}

/// Why a row cannot be added to a [`CertificateTable`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// The serial number holds something else than hexadecimal digits and colons.
    #[error("`{0}` is not a serial number in hexadecimal")]
    Serial(String),
    /// There is a row for this holder already.
    #[error("certificates of `{issuer}` with {holder:?} already stand for {first}")]
    Duplicate {
        /// The issuer of both rows.
        issuer: String,
        /// The holder of both rows.
        holder: Holder,
        /// What the first of the two stands for.
        first: Box<SpiffeId>,
    },
}

impl CertificateTable {
    /// A table without rows: only certificates with a name of ours are known.
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on certificates of `issuer` picked by `holder` stand for `identity`.
    pub fn add(
        &mut self,
        issuer: &str,
        holder: Holder,
        identity: SpiffeId,
    ) -> Result<(), TableError> {
        let holder = match holder {
            Holder::Serial(text) => {
                if text.is_empty() || !text.bytes().all(|b| b.is_ascii_hexdigit() || b == b':') {
                    return Err(TableError::Serial(text));
                }
                Holder::Serial(normal_serial(&text))
            }
            subject @ Holder::Subject(_) => subject,
        };
        let key = (issuer.to_owned(), holder);
        if let Some(first) = self.rows.get(&key) {
            let (issuer, holder) = key;
            return Err(TableError::Duplicate { issuer, holder, first: Box::new(first.clone()) });
        }
        self.rows.insert(key, identity);
        Ok(())
    }

    /// Whom the certificate names: its own name of ours, or else the one in the table.
    pub fn identify<'a>(&'a self, certificate: &'a PeerCertificate) -> Option<&'a SpiffeId> {
        certificate.spiffe.as_ref().or_else(|| {
            let row = |holder| self.rows.get(&(certificate.issuer.clone(), holder));
            row(Holder::Serial(certificate.serial.clone()))
                .or_else(|| row(Holder::Subject(certificate.subject.clone())))
        })
    }
}

#[cfg(test)]
mod tests;
