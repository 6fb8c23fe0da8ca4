//! Configuration: what must an operator say before a node can start?
//!
//! One TOML file; `catalog-node.example.toml` shows every key. A key that is not known is an error
//! that names the nearest one: a misspelt key must not mean that a default is silently used.

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use catalog_model::ids::DomainId;
use luqiao_transport::tls::{Scope, TlsFiles, TrustFile};
use serde::Deserialize;

use crate::{
    backup::{BackupConfig, Keep},
    clock::WallClock,
    storage::{DiskMeter, REFUSE_FLOOR, leaves::LEAVES_BYTES},
};

/// Everything that a node is told at its start.
#[derive(Debug, Clone)]
pub struct Config {
    /// The domain that the cluster serves.
    pub domain: DomainId,
    /// The cluster, drawn by the operator when it is created.
    pub cluster_id: [u8; 16],
    /// This node; never 0.
    pub id: u64,
    /// The folder that holds log and state.
    pub data: PathBuf,
    /// Where calls and peers are received.
    pub listen: SocketAddr,
    /// All members with whom the cluster is founded, this one among them; of a node that joins, those
    /// whom it can ask.
    pub members: Vec<Member>,
    /// Whether this node joins a cluster that runs. Asked only when its folder is new.
    pub join: bool,
    /// How backups are made; absent = not at all.
    pub backup: Option<BackupConfig>,
    /// What is kept of the Raft log.
    pub compaction: Compaction,
    /// What is kept in memory.
    pub memory: Memory,
    /// What is kept free of the disk.
    pub reserve: Reserve,
    /// Domains of which this cluster keeps the witness cell.
    pub watched: Vec<Watched>,
    /// Certificate, key and authorities.
    pub tls: TlsFiles,
    /// The key that signs tree heads, and its certificate, both PEM.
    pub head: HeadFiles,
    /// Where organizations are told of what concerns them.
    pub webhooks: Webhooks,
    /// The unit of elections and heartbeats; the same on every member.
    pub tick: Duration,
    /// Ticks without a leader before an election.
    pub election_ticks: usize,
    /// How far ahead of the committed clock a stamp may be.
    pub clock_ahead_max: Duration,
    /// How long calls may go on after shutdown began.
    pub shutdown_grace: Duration,
    /// What is written to the log.
    pub log: LogConfig,
    /// An operator vouches for the machine's clock, whatever the committed clock says. Not in the
    /// file: it holds for one start.
    pub accept_clock: bool,
    /// The time of day. Not in the file.
    pub wall_clock: WallClock,
    /// How the room on the disk is measured. Not in the file.
    pub disk: DiskMeter,
}

/// What is kept of the Raft log once its entries are durably part of the state. What is kept lets a
/// node that was briefly away catch up without a snapshot; it costs disk and time at the next start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compaction {
    /// Entries that are kept whoever needs them.
    pub keep_entries: u64,
    /// MiB up to which more is kept for a node that is alive and behind.
    pub keep_mib: u64,
}

impl Default for Compaction {
    fn default() -> Self {
        Self { keep_entries: 10_000, keep_mib: 64 }
    }
}

/// What is kept in memory beside what the node needs for its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// MiB for rows in the form in which lists showed them; 0 = every list reads the disk.
    pub lists_mib: usize,
}

impl Default for Memory {
    fn default() -> Self {
        Self { lists_mib: LEAVES_BYTES >> 20 }
    }
}

/// What is kept free of the disk that holds the data: a tenth of it, within bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reserve {
    /// MiB that are enough however large the disk is.
    pub reserve_max_mib: u64,
}

impl Default for Reserve {
    fn default() -> Self {
        Self { reserve_max_mib: 8 << 10 }
    }
}

/// Where organizations are told of what concerns them; the same on every member.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhooks {
    /// Hosts that may be called: names, or `*.name` for all below it; none = nothing is delivered.
    pub hosts: Vec<String>,
    /// Authorities that may name an https receiver, PEM; absent = only http is delivered.
    #[serde(default)]
    pub authorities: Option<PathBuf>,
    /// Milliseconds before the second attempt; each pause is twice the one before.
    pub retry_first_ms: u64,
    /// Seconds that a pause has at most.
    pub retry_max_s: u64,
    /// Hours after which a notice is given up.
    pub give_up_h: u64,
}

impl Default for Webhooks {
    fn default() -> Self {
        Self {
            hosts: Vec::new(),
            authorities: None,
            retry_first_ms: 1_000,
            retry_max_s: 3_600,
            give_up_h: 72,
        }
    }
}

impl Webhooks {
    /// How long a notice is tried.
    pub(crate) fn give_up_ms(&self) -> u64 {
        self.give_up_h.saturating_mul(3_600_000)
    }
}

/// A node of the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Its id, which is also the name in its certificate.
    pub id: u64,
    /// `host:port` at which it is reached.
    pub address: String,
}

/// A domain of which this cluster keeps the witness cell.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watched {
    /// The domain; it is also on the list of those with which the cluster federates.
    pub domain: DomainId,
    /// Authorities that vouch for its persons, PEM: approvals of failovers are checked with them.
    pub authorities: PathBuf,
}

/// Where the key for tree heads is kept.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeadFiles {
    /// Certificate for `spiffe://{domain}.luqiao/node/{id}/head/{cluster_id}`.
    pub certificate: PathBuf,
    /// Ed25519 key, PKCS #8.
    pub key: PathBuf,
}

/// What is written to the log.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogConfig {
    /// As in `RUST_LOG`.
    pub filter: String,
    /// One JSON object a line.
    pub json: bool,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{} cannot be read", .file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The text is not TOML of the wanted shape.
    #[error("{text}")]
    Shape {
        /// What is wrong, and where.
        text: String,
    },
    /// A value makes no sense.
    #[error("{key}: {cause}")]
    Value {
        /// Of which key.
        key: &'static str,
        /// Why not.
        cause: String,
    },
}

/// The file as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    domain: String,
    cluster_id: String,
    id: u64,
    data: PathBuf,
    listen: SocketAddr,
    /// Absent in files that are older than the key.
    #[serde(default)]
    join: bool,
    /// The same.
    #[serde(default)]
    backup: Option<BackupConfig>,
    members: Vec<Member>,
    tls: FileTls,
    ledger: HeadFiles,
    consensus: FileConsensus,
    clock: FileClock,
    shutdown: FileShutdown,
    /// Absent in files that are older than the section.
    #[serde(default)]
    compaction: Compaction,
    /// The same.
    #[serde(default)]
    watched: Vec<Watched>,
    /// The same.
    #[serde(default)]
    memory: Memory,
    /// The same.
    #[serde(default)]
    disk: Reserve,
    /// The same.
    #[serde(default)]
    webhooks: Webhooks,
    log: LogConfig,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileTls {
    certificate: PathBuf,
    key: PathBuf,
    authorities: PathBuf,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileConsensus {
    tick_ms: u64,
    election_ticks: usize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileClock {
    ahead_max_s: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileShutdown {
    grace_s: u64,
}

impl Config {
    /// Reads a file. Relative paths in it are relative to its folder.
    pub fn load(file: &Path) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(file)
            .map_err(|source| ConfigError::Read { file: file.to_owned(), source })?;
        Self::parse(&text, file.parent().unwrap_or(Path::new(".")))
    }

    /// Reads the text of a file that lies in `folder`.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, ConfigError> {
        let file: File = toml::from_str(text)
            .map_err(|error| ConfigError::Shape { text: with_nearest(&error.to_string()) })?;
        let wrong = |key, cause: String| ConfigError::Value { key, cause };
        let domain: DomainId =
            file.domain.parse().map_err(|error| wrong("domain", format!("{error}")))?;
        let cluster_id = (file.cluster_id.len() == 32)
            .then(|| u128::from_str_radix(&file.cluster_id, 16).ok())
            .flatten()
            .ok_or_else(|| wrong("cluster_id", "write 32 hexadecimal digits".to_owned()))?
            .to_be_bytes();
        let config = Self {
            tls: TlsFiles {
                certificate: folder.join(file.tls.certificate),
                key: folder.join(file.tls.key),
                trust: vec![TrustFile {
                    file: folder.join(file.tls.authorities),
                    scope: Scope::Domain(domain.clone()),
                }],
            },
            domain,
            cluster_id,
            id: file.id,
            data: folder.join(file.data),
            listen: file.listen,
            members: file.members,
            join: file.join,
            backup: file.backup.map(|backup| backup.in_folder(folder)),
            compaction: file.compaction,
            memory: file.memory,
            reserve: file.disk,
            webhooks: Webhooks {
                authorities: file.webhooks.authorities.map(|file| folder.join(file)),
                ..file.webhooks
            },
            watched: file
                .watched
                .into_iter()
                .map(|watched| Watched { authorities: folder.join(watched.authorities), ..watched })
                .collect(),
            head: HeadFiles {
                certificate: folder.join(file.ledger.certificate),
                key: folder.join(file.ledger.key),
            },
            tick: Duration::from_millis(file.consensus.tick_ms),
            election_ticks: file.consensus.election_ticks,
            clock_ahead_max: Duration::from_secs(file.clock.ahead_max_s),
            shutdown_grace: Duration::from_secs(file.shutdown.grace_s),
            log: file.log,
            accept_clock: false,
            wall_clock: WallClock::system(),
            disk: DiskMeter::system(),
        };
        config.check()?;
        Ok(config)
    }

    /// Refuses what could not work, before anything is opened.
    pub fn check(&self) -> Result<(), ConfigError> {
        let wrong = |key, cause: &str| Err(ConfigError::Value { key, cause: cause.to_owned() });
        let mut ids: Vec<u64> = self.members.iter().map(|member| member.id).collect();
        ids.sort_unstable();
        ids.dedup();
        if ids.len() != self.members.len() || ids.contains(&0) {
            return wrong("members", "ids are different from each other and from 0");
        }
        if self.id == 0 {
            return wrong("id", "is not 0");
        }
        if self.join {
            if ids.iter().all(|id| *id == self.id) {
                return wrong("members", "names at least one node of the cluster to be joined");
            }
        } else if !ids.contains(&self.id) {
            return wrong("id", "is not among the members");
        } else if !matches!(ids.len(), 1 | 3 | 5) {
            return wrong("members", "a cluster is founded with 1, 3 or 5 nodes");
        }
        if let Some(backup) = &self.backup {
            if backup.target().is_none() {
                return wrong("backup", "names either a folder or an s3 bucket");
            }
            if let Err(error) = backup.keep.parse::<Keep>() {
                let cause = error.to_string();
                return Err(ConfigError::Value { key: "backup.keep", cause });
            }
            let bounds = [backup.base_every_h, backup.segment_s, backup.segment_mib];
            if bounds.contains(&0) || backup.read_mib_per_s == 0 || backup.alarm_after_min == 0 {
                return wrong("backup", "times and sizes are at least 1");
            }
        }
        if self.compaction.keep_entries == 0 || self.compaction.keep_mib == 0 {
            return wrong("compaction", "keeps at least one entry and one MiB");
        }
        if self.reserve.reserve_max_mib < REFUSE_FLOOR >> 20 {
            return wrong("disk.reserve_max_mib", "is at least 24, whatever the disk");
        }
        if self.webhooks.retry_first_ms == 0 || self.webhooks.retry_max_s == 0 {
            return wrong("webhooks", "pauses are at least 1");
        }
        if self.tick.is_zero() {
            return wrong("consensus.tick_ms", "is at least 1");
        }
        if self.election_ticks < 4 {
            return wrong(
                "consensus.election_ticks",
                "is at least 4: twice the heartbeat's two ticks",
            );
        }
        Ok(())
    }

    /// The ids of all members.
    pub fn voters(&self) -> Vec<u64> {
        self.members.iter().map(|member| member.id).collect()
    }
}

/// Adds the nearest known key to serde's complaint about an unknown one.
fn with_nearest(error: &str) -> String {
    let Some((_, rest)) = error.split_once("unknown field `") else { return error.to_owned() };
    let Some((unknown, rest)) = rest.split_once('`') else { return error.to_owned() };
    let known: Vec<&str> = rest.split('`').skip(1).step_by(2).collect();
    let nearest = known
        .into_iter()
        .map(|key| (strsim::damerau_levenshtein(unknown, key), key))
        .min()
        .filter(|(distance, _)| *distance <= 3.max(unknown.len() / 2));
    match nearest {
        Some((_, key)) => format!("{}\ndid you mean `{key}`?", error.trim_end()),
        None => error.to_owned(),
    }
}

#[cfg(test)]
mod tests;
