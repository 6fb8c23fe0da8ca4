//! Completing a restored folder: log and identity for a state that came from an archive.
//!
//! The log begins after everything that the old generation may have had. The identity is written last: a
//! folder without one is no node's.

use std::{fs, path::Path};

use catalog_log::{FileDisk, LogStore as _, Options, SegmentLog, StoreIdentity};
use catalog_model::fence::Known;

use super::{
    Identity, StorageError,
    folders::{Folders, sync_files},
    identity::{Content, IdentityFile},
};

/// Whose folder it becomes, and where its log begins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Restored {
    pub(crate) cluster_id: [u8; 16],
    pub(crate) node: u64,
    pub(crate) generation: u64,
    /// The last entry that the state contains.
    pub(crate) index: u64,
    /// The term in which the log begins.
    pub(crate) term: u64,
}

impl Restored {
    /// Makes `folder`, in which there is a closed state and nothing else, a data folder.
    pub(crate) fn complete(self, folder: &Path) -> Result<(), StorageError> {
        let folders = Folders::new(folder);
        sync_files(&folders.state(0)).map_err(StorageError::in_folder(folder))?;
        let identity = Identity {
            cluster_id: self.cluster_id,
            node: self.node,
            store_uuid: crate::random_bytes(),
            generation: self.generation,
        };
        fs::create_dir_all(folders.log()).map_err(StorageError::in_folder(folder))?;
        let disk =
            FileDisk::open(folders.log()).map_err(StorageError::in_folder(&folders.log()))?;
        let of_log = StoreIdentity { cluster_id: self.cluster_id, store_uuid: identity.store_uuid };
        let mut log = SegmentLog::open(disk, of_log, Options::default())
            .map_err(StorageError::in_log(&folders.log()))?;
        log.bootstrap(self.index, self.term).map_err(StorageError::in_log(&folders.log()))?;
        drop(log);
        let content = Content {
            identity,
            founders: vec![self.node],
            log_begun: true,
            boot: 0,
            peer_stores: Default::default(),
            known: Known::restored(self.generation),
        };
        IdentityFile::create(folder, content).map(drop)
    }
}
