//! Backups: how does the past of the cluster leave it, and how does a node come back from there?
//!
//! The archive and its format are `catalog-backup`'s. Here is what needs a node: who writes (`duty`), a
//! base of what the node holds (`base`), what another node says of its own state (`witnessed`), the state
//! made again from base and entries by the real state machine (`rebuild`), whether that is what it should
//! be ([`verify`]), and a data folder on which a node can start ([`restore`]).

pub mod restore;
pub mod verify;

mod base;
pub(crate) mod duty;
mod rebuild;
pub(crate) mod witnessed;

use std::path::PathBuf;

pub use catalog_backup::{
    Archive, ArchiveError, BackupKey, Keep, KeyError, Prunable, Prune, S3, Target, prune,
};
use serde::Deserialize;
use tokio::runtime::Handle;

pub use self::{
    base::{BaseTaken, TakeError, take_base},
    rebuild::RebuildError,
};
use crate::config::Config;

/// How backups are made; the same on every member.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupConfig {
    /// Folder for the archive: another disk, or a mounted share. This or `s3`.
    #[serde(default)]
    pub folder: Option<PathBuf>,
    /// Bucket for the archive.
    #[serde(default)]
    pub s3: Option<S3>,
    /// The key that seals it: a file with 64 hexadecimal digits. Who loses it has no backup.
    pub key: PathBuf,
    /// Hours between two bases.
    pub base_every_h: u64,
    /// Seconds after which committed entries are sealed at the latest; half of it is what a loss of all
    /// sites costs on average.
    pub segment_s: u64,
    /// MiB of entries that are sealed without waiting.
    pub segment_mib: u64,
    /// MiB that are read in a second for a base, so that those who write are not slowed.
    pub read_mib_per_s: u64,
    /// Minutes after which the archive counts as too old.
    pub alarm_after_min: u64,
    /// What pruning keeps, for instance `days=35,daily=35,weekly=8,monthly=12,grace_hours=24`.
    pub keep: String,
}

impl BackupConfig {
    /// Where the archive lies; `None` if both places are named, or none.
    pub fn target(&self) -> Option<Target> {
        match (&self.folder, &self.s3) {
            (Some(folder), None) => Some(Target::Folder(folder.clone())),
            (None, Some(s3)) => Some(Target::S3(s3.clone())),
            _ => None,
        }
    }

    /// The same, with relative paths made relative to `folder`.
    pub(crate) fn in_folder(self, folder: &std::path::Path) -> Self {
        Self {
            folder: self.folder.map(|path| folder.join(path)),
            s3: self.s3.map(|s3| S3 {
                credentials: folder.join(s3.credentials),
                authorities: s3.authorities.map(|file| folder.join(file)),
                ..s3
            }),
            key: folder.join(self.key),
            ..self
        }
    }
}

/// Why there is no way to an archive.
#[derive(Debug, thiserror::Error)]
pub enum OpenArchiveError {
    /// The configuration names none.
    #[error("the configuration has no section [backup]")]
    NotConfigured,
    /// There is no key.
    #[error("there is no key for the archive")]
    Key(#[from] KeyError),
    /// The archive cannot be used, or not with this key.
    #[error("the archive cannot be used")]
    Archive(#[from] ArchiveError),
}

/// The archive that `config` names.
pub fn open_archive(config: &Config, runtime: Handle) -> Result<Archive, OpenArchiveError> {
    let backup = config.backup.as_ref().ok_or(OpenArchiveError::NotConfigured)?;
    let target = backup.target().ok_or(OpenArchiveError::NotConfigured)?;
    let key = BackupKey::read(&backup.key)?;
    Ok(Archive::open(&target, key, config.cluster_id, runtime)?)
}
