//! Config: what does the operator decide about a gateway?
//!
//! One TOML file, read and checked as a whole before a port is bound. `gateway.example.toml`
//! shows every key with its default. A key that does not exist is an error that names the nearest
//! one that does: a misspelled limit must not silently be no limit.

use std::{
    collections::BTreeSet,
    fmt, fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use catalog_model::ids::DomainId;
use luqiao_transport::{
    identity::{CertificateTable, Holder, InstanceId, SpiffeId, TableError},
    tls::{Scope, TlsFiles, TrustFile},
};
use serde::{Deserialize, Deserializer, de};

/// All settings of a gateway.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The domain that the gateway belongs to.
    pub domain: DomainId,
    /// The gateway's name in its domain, as in its certificate.
    #[serde(deserialize_with = "from_text")]
    pub gateway: InstanceId,
    /// Where callers and other domains connect.
    pub listen: SocketAddr,
    /// Catalog nodes of the domain to begin with; they tell who the others are. One is enough if
    /// it is there, all are better.
    pub nodes: Vec<NodeConfig>,
    /// Certificate, key and authorities.
    pub tls: TlsConfig,
    /// The domains to which there is a link.
    #[serde(default)]
    pub peers: Vec<PeerConfig>,
    /// Certificates of other authorities and whom they stand for.
    #[serde(default)]
    pub certificates: Vec<CertificateRow>,
    /// How much is taken on at one time.
    #[serde(default)]
    pub limits: Limits,
    /// How long things may take.
    #[serde(default)]
    pub timeouts: Timeouts,
}

/// A catalog node of the gateway's domain.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeConfig {
    /// Its name, as in its certificate.
    #[serde(deserialize_with = "from_text")]
    pub id: InstanceId,
    /// `host:port`.
    pub endpoint: String,
    /// The name in its certificate where that is not the host of the endpoint.
    #[serde(default)]
    pub server_name: Option<String>,
}

/// Files in PEM. A relative path counts from the folder of the configuration file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// The gateway's certificate, then those of intermediate authorities.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// The authority of the own domain. It can name nobody of another domain.
    pub ca: PathBuf,
    /// Authorities whose certificates carry no name of ours; `certificates` says who they are.
    #[serde(default)]
    pub other_ca: Vec<PathBuf>,
}

/// A domain to which there is a link.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeerConfig {
    /// Its name, as its gateways' certificates prove it.
    pub domain: DomainId,
    /// Its place relative to us.
    pub kind: PeerKind,
    /// Its gateways, `host:port`.
    pub endpoints: Vec<String>,
    /// The name in their certificates where that is not the host of the endpoint.
    #[serde(default)]
    pub server_name: Option<String>,
    /// The authority of that domain. It can name nobody of another domain.
    pub ca: PathBuf,
    /// The authority that certifies its keys for tree heads; absent = `ca`.
    #[serde(default)]
    pub head_ca: Option<PathBuf>,
    /// Which of its feeds we follow; absent = none.
    #[serde(default)]
    pub follow: Option<Follow>,
}

/// The place of another domain relative to ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PeerKind {
    /// The next administrative level above: it may follow our full feed.
    Superior,
    /// The next level below: it may follow what we share.
    Subordinate,
    /// The fusion-development platform beside us: it may follow what we share.
    Fusion,
}

/// Which feed of a peer is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Follow {
    /// Every entry from its first publication, as subordinates owe it upward.
    Full,
    /// What is shared, as superiors pass it down.
    Shared,
}

/// A certificate of another authority, picked by serial number or by subject.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertificateRow {
    /// The issuer's name, as logged when the certificate was refused.
    pub issuer: String,
    /// The serial number in hexadecimal.
    #[serde(default)]
    pub serial: Option<String>,
    /// The subject's name; every certificate of the issuer with it is meant.
    #[serde(default)]
    pub subject: Option<String>,
    /// Whom it stands for: `spiffe://{domain}.luqiao/organization/{id}/system/{id}` or `…/person/{id}`.
    #[serde(deserialize_with = "from_text")]
    pub identity: SpiffeId,
}

/// How much is taken on at one time.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Connections at one time; further ones wait.
    pub connections_max: usize,
    /// Calls in flight, of all callers together.
    pub calls_max: u32,
    /// Calls in flight of one caller.
    pub caller_calls_max: u32,
    /// Open streams of all callers together. A connection to a node carries 256, and the links
    /// need a few.
    pub streams_max: u32,
    /// Open streams of one caller.
    pub caller_streams_max: u32,
    /// Calls per second of one caller, in the long run.
    pub caller_rate: u32,
    /// Calls of one caller at once after a pause.
    pub caller_burst: u32,
    /// Records of a feed in one batch.
    pub feed_batch: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 4096,
            calls_max: 4096,
            caller_calls_max: 512,
            streams_max: 200,
            caller_streams_max: 64,
            caller_rate: 2000,
            caller_burst: 4000,
            feed_batch: 100,
        }
    }
}

/// How long things may take. Written with a unit: `300ms`, `5s`, `30m`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Timeouts {
    /// A call whose caller sets no bound, or a longer one.
    #[serde(deserialize_with = "duration")]
    pub call: Duration,
    /// One attempt at one node, where another may follow.
    #[serde(deserialize_with = "duration")]
    pub attempt: Duration,
    /// Address lookup, TCP and TLS of a connection that we open.
    #[serde(deserialize_with = "duration")]
    pub connect: Duration,
    /// TLS of a connection that is opened to us.
    #[serde(deserialize_with = "duration")]
    pub handshake: Duration,
    /// Between two looks at the nodes' roles.
    #[serde(deserialize_with = "duration")]
    pub probe_interval: Duration,
    /// Longest pause between two attempts to restore a link.
    #[serde(deserialize_with = "duration")]
    pub link_retry_max: Duration,
    /// Between two signs of life on an idle link.
    #[serde(deserialize_with = "duration")]
    pub link_idle: Duration,
    /// Between two exchanges of tree heads with a linked domain. A held head is itself a record:
    /// more often proves little more and fills the ledgers.
    #[serde(deserialize_with = "duration")]
    pub head_exchange: Duration,
    /// Age at which a connection is asked to end, ±10 %.
    #[serde(deserialize_with = "duration")]
    pub connection_age_max: Duration,
    /// How long open calls may go on once the gateway is told to end.
    #[serde(deserialize_with = "duration")]
    pub shutdown_grace: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            call: Duration::from_secs(15),
            attempt: Duration::from_secs(3),
            connect: Duration::from_secs(2),
            handshake: Duration::from_secs(10),
            probe_interval: Duration::from_secs(1),
            link_retry_max: Duration::from_secs(5),
            link_idle: Duration::from_secs(5),
            head_exchange: Duration::from_hours(1),
            connection_age_max: Duration::from_mins(30),
            shutdown_grace: Duration::from_secs(10),
        }
    }
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{} cannot be read", .file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The text is not TOML, lacks a key or has one that does not exist.
    #[error("{message}")]
    Text {
        /// The place, what is wrong there and, for an unknown key, the nearest known one.
        message: String,
    },
    /// The values do not go together.
    #[error("{0}")]
    Value(String),
    /// A row of `certificates` cannot be used.
    #[error("a row of `certificates` cannot be used")]
    Certificate(#[from] TableError),
}

impl Config {
    /// Reads and checks `file`.
    pub fn load(file: &Path) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(file)
            .map_err(|source| ConfigError::Read { file: file.to_owned(), source })?;
        Self::parse(&text, file.parent().unwrap_or(Path::new("")))
    }

    /// Reads and checks a text; relative paths in it count from `folder`.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, ConfigError> {
        let mut config: Self = toml::from_str(text)
            .map_err(|error| ConfigError::Text { message: explained(&error) })?;
        let tls = &mut config.tls;
        let files = [&mut tls.cert, &mut tls.key, &mut tls.ca].into_iter();
        let peers = config
            .peers
            .iter_mut()
            .flat_map(|peer| [Some(&mut peer.ca), peer.head_ca.as_mut()])
            .flatten();
        for file in files.chain(&mut tls.other_ca).chain(peers) {
            // Joining leaves an absolute path as it is.
            *file = folder.join(&*file);
        }
        config.check()?;
        Ok(config)
    }

    /// Whether the values go together.
    pub fn check(&self) -> Result<(), ConfigError> {
        let wrong = |text: String| Err(ConfigError::Value(text));
        if self.nodes.is_empty() {
            return wrong("`nodes` is empty: name at least one catalog node".to_owned());
        }
        let mut ids = BTreeSet::new();
        if let Some(node) = self.nodes.iter().find(|node| !ids.insert(&node.id)) {
            return wrong(format!("node `{}` is listed twice", node.id));
        }
        let mut domains = BTreeSet::from([&self.domain]);
        if let Some(peer) = self.peers.iter().find(|peer| !domains.insert(&peer.domain)) {
            return wrong(format!("domain `{}` is listed twice, or is our own", peer.domain));
        }
        if let Some(peer) = self.peers.iter().find(|peer| peer.endpoints.is_empty()) {
            return wrong(format!("peer `{}` has no endpoints", peer.domain));
        }
        let Limits {
            connections_max,
            calls_max,
            caller_calls_max,
            streams_max,
            caller_streams_max,
            caller_rate,
            caller_burst,
            feed_batch,
        } = self.limits;
        let counts = [
            calls_max,
            caller_calls_max,
            streams_max,
            caller_streams_max,
            caller_rate,
            caller_burst,
            feed_batch,
        ];
        if connections_max == 0 || counts.contains(&0) {
            return wrong("a limit of 0 would let nothing pass".to_owned());
        }
        let Timeouts { call, attempt, connect, probe_interval, head_exchange, .. } = self.timeouts;
        if [call, attempt, connect, probe_interval, head_exchange].contains(&Duration::ZERO) {
            return wrong("a timeout of 0 would let nothing finish".to_owned());
        }
        self.certificate_table().map(drop)
    }

    /// The table of certificates of other authorities.
    pub fn certificate_table(&self) -> Result<CertificateTable, ConfigError> {
        let mut table = CertificateTable::new();
        for row in &self.certificates {
            let holder = match (&row.serial, &row.subject) {
                (Some(serial), None) => Holder::Serial(serial.clone()),
                (None, Some(subject)) => Holder::Subject(subject.clone()),
                _ => {
                    return Err(ConfigError::Value(format!(
                        "the row for {} in `certificates` needs either `serial` or `subject`",
                        row.identity
                    )));
                }
            };
            table.add(&row.issuer, holder, row.identity.clone())?;
        }
        Ok(table)
    }

    /// Which files TLS reads, and which authority may name whom.
    pub fn tls_files(&self) -> TlsFiles {
        let own =
            TrustFile { file: self.tls.ca.clone(), scope: Scope::Domain(self.domain.clone()) };
        let peers = self.peers.iter().map(|peer| TrustFile {
            file: peer.ca.clone(),
            scope: Scope::Domain(peer.domain.clone()),
        });
        let others = self
            .tls
            .other_ca
            .iter()
            .map(|file| TrustFile { file: file.clone(), scope: Scope::Others });
        TlsFiles {
            certificate: self.tls.cert.clone(),
            key: self.tls.key.clone(),
            trust: std::iter::once(own).chain(peers).chain(others).collect(),
        }
    }
}

/// The parser's words, and for an unknown key the nearest one that exists.
fn explained(error: &toml::de::Error) -> String {
    let text = error.to_string();
    let mut quoted = error.message().split('`').skip(1).step_by(2);
    let nearest =
        error.message().starts_with("unknown ").then(|| quoted.next()).flatten().and_then(
            |unknown| quoted.min_by_key(|known| strsim::damerau_levenshtein(unknown, known)),
        );
    match nearest {
        Some(known) => format!("{text}did you mean `{known}`?"),
        None => text,
    }
}

fn from_text<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: std::str::FromStr<Err: fmt::Display>,
{
    String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    let wrong = || {
        de::Error::custom(format!(
            "`{text}` is not a time: write a whole number and ms, s, m or h, for instance `300ms`"
        ))
    };
    let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let (count, unit) = text.split_at(digits);
    let millis = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(wrong()),
    };
    let count: u64 = count.parse().map_err(|_| wrong())?;
    count.checked_mul(millis).map(Duration::from_millis).ok_or_else(wrong)
}

#[cfg(test)]
mod tests;
