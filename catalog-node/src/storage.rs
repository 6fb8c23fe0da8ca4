//! Storage: what must be on this node's disk, and is it ours?
//!
//! A data folder holds two stores. `log/` is the Raft log, synced before anything is promised. The
//! state is RocksDB: the replicated rows and the search index, written in one batch with the index
//! of the entry that they contain. Its own log is on but unsynced: what a power loss takes from it,
//! the Raft log gives back. There may be several state folders for a moment while a snapshot is
//! installed; the log says which one counts (see `folders`).
//!
//! A folder belongs to one node of one cluster. Whatever else is found in it is refused here, by
//! name, before a port is bound: a node that starts on the wrong folder, or on half of one, could
//! break promises that it does not remember. What can be lost without breaking one is the state
//! alone: it is set aside and made again, from the log or from another node.
//!
//! | found | what happens |
//! |---|---|
//! | nothing | a new folder is begun |
//! | state missing, damaged, suspected, or behind what the log still has | made again, same id |
//! | log missing, damaged, or behind the state | refused: the node may have voted |
//! | another cluster's, node's or store's folder, or one in use | refused |

use std::{fs, io, path::Path, sync::Arc};

use catalog_log::{FileDisk, LogError, LogRead, LogStore, Options, SegmentLog, StoreIdentity};
use catalog_model::fence::Known;
use catalog_state::{codec, keys, rows::ClusterConfig};

pub(crate) use self::restored::Restored;
use self::{folders::Folders, identity::Content};
pub use self::{
    identity::{Identity, IdentityFile},
    space::{DiskChange, DiskMeter, DiskSpace, DiskWatch, REFUSE_FLOOR},
    state_cell::{OpenStores, StateCell},
    state_store::{StateStore, StateView},
};

pub(crate) mod folders;
mod identity;
pub(crate) mod leaves;
mod points;
mod restored;
mod space;
mod state_cell;
mod state_store;

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
    /// Another process works in the folder.
    #[error("the data folder {folder} is in use by another process")]
    Held {
        /// The folder.
        folder: String,
    },
    /// The identity file is not as it was written.
    #[error("the file IDENTITY cannot be trusted: {cause}; replace the node under a new id")]
    Identity {
        /// What is wrong with it.
        cause: &'static str,
    },
    /// RocksDB does not open.
    #[error("the state store in {folder} does not open")]
    State {
        /// The folder.
        folder: String,
        /// Why.
        source: rocksdb::Error,
    },
    /// The Raft log cannot be read or written.
    #[error("the log in {folder} does not open")]
    Log {
        /// The folder.
        folder: String,
        /// Why.
        source: LogError,
    },
    /// The Raft log is not what was written to it.
    #[error(
        "the log in {folder} is damaged: the node may have voted and acknowledged what is lost; replace it under a new id"
    )]
    LogDamaged {
        /// The folder.
        folder: String,
        /// Where, and how.
        source: LogError,
    },
    /// The log was written by another store.
    #[error(
        "the log in {folder} is not this folder's: put the right one back, or replace the node under a new id"
    )]
    ForeignLog {
        /// The folder.
        folder: String,
        /// Whose it is.
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
    /// The state in the folder is another cluster's, or of another generation.
    #[error("the state is of cluster {found}; the folder belongs to {expected}")]
    OtherState {
        /// Whose it is, with its generation.
        found: String,
        /// Whose the folder is, with its generation.
        expected: String,
    },
    /// There is a log, and nothing that says whose it is.
    #[error(
        "there is a log but no file IDENTITY: nobody knows as whom it voted; replace the node under a new id"
    )]
    IdentityLost,
    /// The folder was used before, and its log is gone.
    #[error("the log is missing: the node may have voted; replace it under a new id")]
    LogLost,
    /// The log ends before what the state contains.
    #[error(
        "the state contains entry {applied}, but the log ends at {last_index}: it lost what was durable; replace the node under a new id"
    )]
    LogBehind {
        /// Last entry the state contains.
        applied: u64,
        /// Last entry of the log.
        last_index: u64,
    },
    /// The configuration names other founding members than those with whom the folder was begun.
    #[error(
        "the cluster was founded with the members {found:?}, the configuration names {expected:?}: members of a running cluster are changed by its operators, not in the configuration"
    )]
    MembersChanged {
        /// Who they are.
        found: Vec<u64>,
        /// Whom the configuration names.
        expected: Vec<u64>,
    },
    /// A bookkeeping row of an earlier version cannot be read.
    #[error("the bookkeeping row `{0}` cannot be read")]
    Bookkeeping(&'static str),
}

impl StorageError {
    fn in_folder(folder: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let folder = folder.display().to_string();
        move |source| Self::Folder { folder, source }
    }

    fn in_log(folder: &Path) -> impl FnOnce(LogError) -> Self + use<> {
        let folder = folder.display().to_string();
        move |source| match source {
            LogError::Corrupt { .. }
            | LogError::SegmentMissing { .. }
            | LogError::EntriesMissing { .. } => Self::LogDamaged { folder, source },
            LogError::ForeignStore { .. } => Self::ForeignLog { folder, source },
            source => Self::Log { folder, source },
        }
    }
}

/// The first entry in the log of a founder: every log begins after one entry that nobody asks for,
/// see [`catalog_replica::bootstrap`].
const FIRST_INDEX: u64 = 2;

/// How a node comes to be in its cluster; asked only when its folder is begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Founding<'a> {
    /// It is one of these first voters.
    Founder(&'a [u64]),
    /// It is added to a cluster that runs, and knows nothing before its first snapshot.
    Joiner,
}

/// The state was lost or is not to be trusted, and the log does not reach back far enough to make
/// it again: the node asks another for a snapshot, and until it has one neither leads nor answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reseed {
    /// What is wrong with the state that was there.
    pub cause: String,
}

/// An opened data folder.
#[derive(Debug)]
pub struct Storage {
    /// State, bookkeeping and search index.
    pub state: Arc<StateCell>,
    /// The Raft log.
    pub log: SegmentLog<FileDisk>,
    /// Whose folder it is.
    pub identity: Identity,
    /// The same and what else the node remembers for itself.
    pub identity_file: Arc<IdentityFile>,
    /// How often the folder was opened; tells connections and reads of this start from earlier ones.
    pub boot: u64,
    /// Set if the state must come from another node. The one that is open is empty.
    pub reseed: Option<Reseed>,
    pub(crate) folders: Folders,
}

impl Storage {
    /// Opens `folder` for `node` of `cluster_id`, beginning it if it is empty.
    pub fn open(
        folder: &Path,
        cluster_id: [u8; 16],
        node: u64,
        founding: Founding<'_>,
    ) -> Result<Self, StorageError> {
        Self::open_with(folder, cluster_id, node, founding, Options::default())
    }

    /// As [`Storage::open`], with the log's own options.
    pub fn open_with(
        folder: &Path,
        cluster_id: [u8; 16],
        node: u64,
        founding: Founding<'_>,
        log_options: Options,
    ) -> Result<Self, StorageError> {
        let in_folder = || StorageError::in_folder(folder);
        let folders = Folders::new(folder);
        fs::create_dir_all(folder).map_err(in_folder())?;
        let has_log = has_segments(&folders.log()).map_err(in_folder())?;
        // Before anything is written: two processes in one folder would destroy it.
        let disk = FileDisk::open(folders.log()).map_err(|source| match source.kind() {
            io::ErrorKind::WouldBlock => {
                StorageError::Held { folder: folder.display().to_string() }
            }
            _ => StorageError::in_folder(&folders.log())(source),
        })?;

        let wanted = Wanted { cluster_id, node, founding };
        let identity_file = own_identity(&folders, has_log, wanted)?;
        let Content { identity, log_begun, .. } = identity_file.content();
        if log_begun && !has_log {
            return Err(StorageError::LogLost);
        }
        let of_log = StoreIdentity { cluster_id, store_uuid: identity.store_uuid };
        let in_log = || StorageError::in_log(&folders.log());
        let mut log = SegmentLog::open(disk, of_log, log_options).map_err(in_log())?;
        if !identity_file.content().founders.is_empty() {
            if log_begun && log.last_index() == 0 {
                return Err(StorageError::LogLost);
            }
            catalog_replica::bootstrap(&mut log).map_err(in_log())?;
        }
        identity_file.change(|content| content.log_begun = true)?;

        let open = Arc::new(());
        let (state, reseed) = open_state(&folders, &log, identity, log_begun, &open)?;
        check_founders(&identity_file.content(), &state, wanted)?;
        let boot = identity_file.change(|content| content.boot += 1)?.boot;
        Ok(Self {
            state: Arc::new(StateCell::new(state)),
            log,
            identity,
            identity_file: Arc::new(identity_file),
            boot,
            reseed,
            folders,
        })
    }
}

/// What the configuration says.
#[derive(Clone, Copy)]
struct Wanted<'a> {
    cluster_id: [u8; 16],
    node: u64,
    founding: Founding<'a>,
}

impl Wanted<'_> {
    fn founders(self) -> Vec<u64> {
        let mut founders = match self.founding {
            Founding::Founder(members) => members.to_vec(),
            Founding::Joiner => Vec::new(),
        };
        founders.sort_unstable();
        founders
    }
}

/// The folder's identity, checked; begun if the folder is new.
fn own_identity(
    folders: &Folders,
    has_log: bool,
    wanted: Wanted<'_>,
) -> Result<IdentityFile, StorageError> {
    let folder = folders.root();
    if let Some(file) = IdentityFile::read(folder)? {
        check_identity(file.identity(), wanted)?;
        return Ok(file);
    }
    let before = if folders.state(0).exists() {
        StateStore::open(folders, 0, Arc::new(()))?.content_before()?
    } else {
        None
    };
    if let Some(content) = before {
        check_identity(content.identity, wanted)?;
        tracing::info!("Identity taken over from the state store");
        return IdentityFile::create(folder, content);
    }
    if has_log {
        return Err(StorageError::IdentityLost);
    }
    let known = match wanted.founding {
        Founding::Founder(_) => Known::founding(),
        Founding::Joiner => Known::joining(),
    };
    let identity = Identity {
        cluster_id: wanted.cluster_id,
        node: wanted.node,
        store_uuid: crate::random_bytes(),
        generation: known.speaks_for().generation,
    };
    let content = Content {
        identity,
        founders: wanted.founders(),
        log_begun: false,
        boot: 0,
        peer_stores: Default::default(),
        known,
    };
    IdentityFile::create(folder, content)
}

fn check_identity(found: Identity, wanted: Wanted<'_>) -> Result<(), StorageError> {
    if found.cluster_id != wanted.cluster_id {
        return Err(StorageError::OtherCluster {
            found: hex(&found.cluster_id),
            expected: hex(&wanted.cluster_id),
        });
    }
    if found.node != wanted.node {
        return Err(StorageError::OtherNode { found: found.node, expected: wanted.node });
    }
    Ok(())
}

/// The founding members are part of what every log of the cluster means until its state says
/// otherwise: another set would elect another majority.
fn check_founders(
    content: &Content,
    state: &StateStore,
    wanted: Wanted<'_>,
) -> Result<(), StorageError> {
    let Founding::Founder(_) = wanted.founding else { return Ok(()) };
    let expected = wanted.founders();
    if state.membership().is_none() && !content.founders.is_empty() && content.founders != expected
    {
        return Err(StorageError::MembersChanged { found: content.founders.clone(), expected });
    }
    Ok(())
}

/// Opens the state that the log names, or an empty one in its place if that cannot be trusted.
fn open_state(
    folders: &Folders,
    log: &SegmentLog<FileDisk>,
    identity: Identity,
    used_before: bool,
    open: &Arc<()>,
) -> Result<(StateStore, Option<Reseed>), StorageError> {
    let in_folder = || StorageError::in_folder(folders.root());
    let number = log.state_number();
    folders.remove_garbage(number).map_err(in_folder())?;
    let cause = match folders.suspicion(number).map_err(in_folder())? {
        Some(cause) => cause,
        None if used_before && !folders.state(number).exists() => "the state is missing".to_owned(),
        None => match sound_state(folders, log, identity, open)? {
            Ok(state) => {
                // Of a state that was replaced since.
                folders.clear_suspicion().map_err(in_folder())?;
                return Ok((state, None));
            }
            Err(cause) => cause,
        },
    };

    let begins = number == 0 && log.first_index() <= FIRST_INDEX;
    if !begins {
        // Before anything is moved: whatever comes now, the next start must not take an empty
        // state for the node's own.
        folders.mark_suspect(number, &cause).map_err(in_folder())?;
    }
    folders.set_aside(number).map_err(in_folder())?;
    let state = StateStore::open(folders, number, Arc::clone(open))?;
    if begins {
        folders.clear_suspicion().map_err(in_folder())?;
        tracing::warn!(cause, "State set aside; it is made again from the log");
        return Ok((state, None));
    }
    tracing::error!(cause, "State set aside; another node is asked for a snapshot");
    Ok((state, Some(Reseed { cause })))
}

/// The state that the log names, or why it is not to be trusted.
fn sound_state(
    folders: &Folders,
    log: &SegmentLog<FileDisk>,
    identity: Identity,
    open: &Arc<()>,
) -> Result<Result<StateStore, String>, StorageError> {
    let damaged = |error: rocksdb::Error| match error.kind() {
        rocksdb::ErrorKind::Corruption | rocksdb::ErrorKind::IOError => Ok(error.to_string()),
        _ => Err(StorageError::State {
            folder: folders.state(log.state_number()).display().to_string(),
            source: error,
        }),
    };
    let state = match StateStore::open(folders, log.state_number(), Arc::clone(open)) {
        Ok(state) => state,
        Err(StorageError::State { source, .. }) => return damaged(source).map(Err),
        Err(error) => return Err(error),
    };
    let (applied, cluster) = match state
        .try_applied()
        .and_then(|applied| Ok((applied, state.try_get(keys::meta::cluster().as_slice())?)))
    {
        Ok(read) => read,
        Err(error) => return damaged(error).map(Err),
    };
    if let Some(bytes) = cluster {
        let Ok(cluster) = codec::decode::<ClusterConfig>(&bytes) else {
            return Ok(Err("the cluster's row cannot be read".to_owned()));
        };
        let found = (cluster.cluster_id, cluster.generation);
        let expected = (identity.cluster_id, identity.generation);
        // A node that was promoted has the state of the generation before until it applied what
        // says otherwise; never that of a later one.
        if found.0 != expected.0 || found.1 > expected.1 {
            let text = |(id, generation): ([u8; 16], u64)| {
                format!("{} (generation {generation})", hex(&id))
            };
            return Err(StorageError::OtherState { found: text(found), expected: text(expected) });
        }
    }
    let (first_index, last_index) = (log.first_index(), log.last_index());
    if applied > last_index {
        return Err(StorageError::LogBehind { applied, last_index });
    }
    if applied.max(FIRST_INDEX - 1) + 1 < first_index {
        return Ok(Err(format!(
            "the state ends at entry {applied}, the log begins at {first_index}"
        )));
    }
    Ok(Ok(state))
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
