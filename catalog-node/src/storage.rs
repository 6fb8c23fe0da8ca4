//! Storage: what must be on this node's disk, and is it ours?
//!
//! A data folder holds two stores. `log/` is the Raft log, synced before anything is promised.
//! `state/` is RocksDB: the replicated state, the local bookkeeping and the search index, each in
//! a column family, written in one batch with the index of the entry that they contain. Its own
//! log is on but unsynced: what a power loss takes from it, the Raft log gives back.
//!
//! A folder belongs to one node of one cluster. Whatever else is found in it is refused here, by
//! name, before a port is bound: a node that starts on the wrong folder, or on half of one, could
//! break promises that it does not remember.

use std::{fs, io, path::Path, sync::Arc};

use catalog_log::{FileDisk, LogError, LogRead, Options, SegmentLog, StoreIdentity};
use minicbor::{Decode, Encode};

pub use self::state_store::{StateStore, StateView};

mod state_store;

/// Whose folder this is. Written once, durably, before anything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Identity {
    /// The cluster.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub cluster_id: [u8; 16],
    /// The node within it.
    #[n(1)]
    pub node: u64,
    /// Drawn when the folder was created. A node that comes back with another one has lost what
    /// it promised, and its peers do not talk to it.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub store_uuid: [u8; 16],
    /// The generation to which the folder belongs; from 1.
    #[n(3)]
    pub generation: u64,
}

/// Why a data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The folder cannot be created or read.
    #[error("the data folder {folder} cannot be used")]
    Folder {
        /// The folder.
        folder: String,
        /// Why.
        source: io::Error,
    },
    /// RocksDB does not open.
    #[error("the state store in {folder} does not open")]
    State {
        /// The folder.
        folder: String,
        /// Why.
        source: rocksdb::Error,
    },
    /// The Raft log does not open.
    #[error("the log in {folder} does not open")]
    Log {
        /// The folder.
        folder: String,
        /// Why.
        source: LogError,
    },
    /// The folder is another cluster's.
    #[error(
        "the data folder belongs to cluster {found}; the configuration names cluster {expected}"
    )]
    OtherCluster {
        /// Whose it is, hexadecimal.
        found: String,
        /// Whom the configuration names.
        expected: String,
    },
    /// The folder is another node's.
    #[error("the data folder belongs to node {found}; the configuration names node {expected}")]
    OtherNode {
        /// Whose it is.
        found: u64,
        /// Whom the configuration names.
        expected: u64,
    },
    /// There is a log but no state that goes with it.
    #[error(
        "there is a log but no state store: restore the state under the same id, or replace the node under a new one"
    )]
    StateLost,
    /// There is a state but no log that goes with it.
    #[error(
        "there is a state store but no log: the node may have voted; replace it under a new id"
    )]
    LogLost,
    /// The configuration names other members than those with whom the folder was used.
    #[error(
        "the members are {found:?}; the configuration names {expected:?}, and this version cannot change them"
    )]
    MembersChanged {
        /// Who they are.
        found: Vec<u64>,
        /// Whom the configuration names.
        expected: Vec<u64>,
    },
    /// A bookkeeping row cannot be read.
    #[error("the bookkeeping row `{0}` cannot be read")]
    Bookkeeping(&'static str),
}

/// An opened data folder.
#[derive(Debug)]
pub struct Storage {
    /// State, bookkeeping and search index.
    pub state: Arc<StateStore>,
    /// The Raft log.
    pub log: SegmentLog<FileDisk>,
    /// Whose folder it is.
    pub identity: Identity,
    /// How often the folder was opened; tells connections and reads of this start from earlier ones.
    pub boot: u64,
}

impl Storage {
    /// Opens `folder` for `node` of `cluster_id`, creating it if it is empty.
    pub fn open(
        folder: &Path,
        cluster_id: [u8; 16],
        node: u64,
        members: &[u64],
    ) -> Result<Self, StorageError> {
        let log_folder = folder.join("log");
        let in_folder =
            |source| StorageError::Folder { folder: folder.display().to_string(), source };
        fs::create_dir_all(folder).map_err(in_folder)?;
        let has_log = has_segments(&log_folder).map_err(in_folder)?;
        let state = StateStore::open(&folder.join("state"))?;

        let identity = match state.identity()? {
            Some(found) if found.cluster_id != cluster_id => {
                return Err(StorageError::OtherCluster {
                    found: hex(&found.cluster_id),
                    expected: hex(&cluster_id),
                });
            }
            Some(found) if found.node != node => {
                return Err(StorageError::OtherNode { found: found.node, expected: node });
            }
            Some(found) => found,
            None if has_log => return Err(StorageError::StateLost),
            None => {
                let store_uuid = crate::random_bytes();
                let identity = Identity { cluster_id, node, store_uuid, generation: 1 };
                state.set_identity(&identity);
                identity
            }
        };
        if state.log_begun() && !has_log {
            return Err(StorageError::LogLost);
        }
        let mut expected = members.to_vec();
        expected.sort_unstable();
        match state.members()? {
            Some(found) if found != expected => {
                return Err(StorageError::MembersChanged { found, expected });
            }
            Some(_) => {}
            None => state.set_members(&expected),
        }

        let in_log =
            |source| StorageError::Log { folder: log_folder.display().to_string(), source };
        let disk = FileDisk::open(&log_folder).map_err(|source| {
            in_log(LogError::Disk { attempt: "open", file: ".".to_owned(), source })
        })?;
        let of_log = StoreIdentity { cluster_id, store_uuid: identity.store_uuid };
        let mut log = SegmentLog::open(disk, of_log, Options::default()).map_err(in_log)?;
        if log.last_index() == 0 && state.log_begun() {
            return Err(StorageError::LogLost);
        }
        catalog_replica::bootstrap(&mut log).map_err(in_log)?;
        state.set_log_begun();
        let boot = state.count_boot();
        Ok(Self { state: Arc::new(state), log, identity, boot })
    }
}

fn has_segments(folder: &Path) -> io::Result<bool> {
    match fs::read_dir(folder) {
        Ok(mut files) => Ok(files.any(|file| file.is_ok_and(|file| file.file_name() != "LOCK"))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;

    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string does not fail");
        text
    })
}

#[cfg(test)]
mod tests;
