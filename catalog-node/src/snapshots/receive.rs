//! Taking a snapshot in: what of it is here already, and is it what was promised?
//!
//! Blocks are verified before anything is written. Their rows gather in memory and become sorted
//! files; with each file goes a note of how far that is, and receiving goes on after the last one
//! noted. When all are here they become a state store, beside the one in use, with everything that
//! the node needs in it: the entry it contains, the membership, the search index. A store that was
//! read again and synced is marked as ready; raft hears of the snapshot only then.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use catalog_state::{
    codec,
    machine::state_hash,
    snapshot::{Manifest, Progress, Receiver},
    store::{Row, Writes},
};
use minicbor::{Decode, Encode};

use super::{ReceiveError, Shared, Step, remove_all};
use crate::{
    search,
    storage::{
        StateStore,
        folders::{Folders, sync_files, sync_folder, write_durably},
        hex,
    },
    work_index,
};

const MANIFEST: &str = "manifest";
const PROGRESS: &str = "progress";
const READY: &str = "ready";
const STATE: &str = "state";

/// How far receiving is.
#[derive(Debug, Clone, Default, Encode, Decode)]
struct Saved {
    /// Files that hold rows.
    #[n(0)]
    parts: u64,
    /// The receiver after them.
    #[n(1)]
    receiver: Progress,
}

/// A snapshot on its way in. One at a time: a second of the same snapshot would write the same
/// files. All of it blocks on the disk.
#[derive(Debug)]
pub(crate) struct Receiving {
    shared: Arc<Shared>,
    folder: PathBuf,
    receiver: Receiver,
    parts: u64,
    /// Rows that are in no file yet, and their bytes.
    gathered: Vec<Row>,
    gathered_bytes: usize,
}

/// Where the snapshot with this id is received.
pub(super) fn folder(folders: &Folders, id: &[u8; 32]) -> PathBuf {
    folders.received().join(hex(id))
}

/// The state store made of it.
pub(super) fn state_folder(folder: &Path) -> PathBuf {
    folder.join(STATE)
}

/// Whether the state store made of it only has to be put in its place.
pub(super) fn is_ready(folder: &Path) -> bool {
    folder.join(READY).exists() && state_folder(folder).exists()
}

impl Receiving {
    pub(super) fn begin(manifest: Manifest, shared: &Arc<Shared>) -> Result<Self, ReceiveError> {
        let disk = || ReceiveError::disk("begin");
        let folder = folder(&shared.folders, &manifest.id());
        let received = shared.folders.received();
        fs::create_dir_all(&received).map_err(disk())?;
        for found in fs::read_dir(&received).map_err(disk())? {
            let found = found.map_err(disk())?.path();
            if found != folder {
                remove_all(&found).map_err(disk())?;
            }
        }
        let bytes = manifest.encode();
        if !fs::read(folder.join(MANIFEST)).is_ok_and(|found| found == bytes) {
            remove_all(&folder).map_err(disk())?;
            fs::create_dir(&folder).map_err(disk())?;
            write_durably(&folder.join(MANIFEST), &bytes).map_err(disk())?;
            sync_folder(&received)
                .and_then(|()| sync_folder(shared.folders.root()))
                .map_err(disk())?;
        }
        shared.step(Step::Begun)?;
        // A note that cannot be read costs another transfer, nothing else.
        let saved: Saved = fs::read(folder.join(PROGRESS))
            .ok()
            .and_then(|bytes| codec::decode(&bytes).ok())
            .unwrap_or_default();
        let receiver = Receiver::resume(manifest, saved.receiver)?;
        Ok(Self {
            shared: Arc::clone(shared),
            folder,
            receiver,
            parts: saved.parts,
            gathered: Vec::new(),
            gathered_bytes: 0,
        })
    }

    /// The name under which its blocks are asked for.
    pub(crate) fn id(&self) -> [u8; 32] {
        self.receiver.manifest().id()
    }

    /// The block that is wanted next; `None` once all are here and [`Receiving::finish`] is due.
    pub(crate) fn wants(&self) -> Option<u32> {
        self.receiver.wants()
    }

    /// Bytes of the blocks that are not here yet.
    pub(crate) fn bytes_left(&self) -> u64 {
        let here = self.receiver.progress().blocks as usize;
        let left = &self.receiver.manifest().blocks[here..];
        left.iter().map(|block| u64::from(block.bytes)).sum()
    }

    /// Takes block `number`, which must be the one wanted. After [`ReceiveError::Block`] it stands
    /// where it stood: another node may be asked for the same block.
    pub(crate) fn take(&mut self, number: u32, bytes: &[u8]) -> Result<(), ReceiveError> {
        self.gathered.extend(self.receiver.take(number, bytes)?);
        self.gathered_bytes += bytes.len();
        if self.gathered_bytes >= self.shared.options.part_bytes || self.receiver.done() {
            self.write_part()?;
        }
        Ok(())
    }

    fn write_part(&mut self) -> Result<(), ReceiveError> {
        let disk = || ReceiveError::disk("write");
        StateStore::write_part(&self.part(self.parts), &self.gathered)
            .map_err(ReceiveError::rows("write"))?;
        sync_folder(&self.folder).map_err(disk())?;
        self.shared.step(Step::PartWritten)?;
        let saved = Saved { parts: self.parts + 1, receiver: self.receiver.progress().clone() };
        write_durably(&self.folder.join(PROGRESS), &codec::encode(&saved)).map_err(disk())?;
        self.shared.step(Step::ProgressSaved)?;
        self.parts += 1;
        self.gathered.clear();
        self.gathered_bytes = 0;
        Ok(())
    }

    fn part(&self, number: u64) -> PathBuf {
        self.folder.join(format!("part-{number:06}.sst"))
    }

    /// Makes a state store of what is here, complete and durable, ready to be put in its place.
    /// Takes as long as reading the whole state takes, twice.
    pub(crate) fn finish(self) -> Result<(), ReceiveError> {
        if !self.receiver.done() {
            return Err(ReceiveError::NotReady);
        }
        if is_ready(&self.folder) {
            return Ok(());
        }
        let made = self.make_store();
        if let Err(ReceiveError::Differs { .. } | ReceiveError::Rows { .. }) = &made {
            // The files are not what was written to them: whoever tries again begins anew.
            remove_all(&self.folder).map_err(ReceiveError::disk("discard"))?;
        }
        made
    }

    fn make_store(&self) -> Result<(), ReceiveError> {
        let disk = || ReceiveError::disk("complete");
        let (state, ready) = (state_folder(&self.folder), self.folder.join(READY));
        remove_if_there(&ready).map_err(disk())?;
        remove_all(&state).map_err(disk())?;
        let folders = &self.shared.folders;
        let number = self.shared.state.current().number() + 1;
        let mark = self.shared.state.open_mark();
        let store =
            StateStore::open_at(&state, folders, number, mark).map_err(ReceiveError::store)?;

        // Linked, because RocksDB takes what it ingests: until the log has decided, a restart
        // makes the store again from the same files.
        let mut links = Vec::new();
        for number in 0..self.parts {
            let (part, link) = (self.part(number), self.folder.join(format!("link-{number:06}")));
            remove_if_there(&link).map_err(disk())?;
            fs::hard_link(part, &link).map_err(disk())?;
            links.push(link);
        }
        store.ingest(links).map_err(ReceiveError::rows("ingest"))?;
        self.shared.step(Step::RowsIngested)?;

        let manifest = self.receiver.manifest();
        if store.count().map_err(ReceiveError::rows("read"))? != manifest.rows {
            return Err(ReceiveError::Differs { what: "its rows" });
        }
        if state_hash(&store) != manifest.state_hash {
            return Err(ReceiveError::Differs { what: "its hash" });
        }
        let membership = (!manifest.membership.is_empty()).then_some(&*manifest.membership);
        store.commit(Writes::new(), Writes::new(), manifest.index, membership);
        search::open(&store);
        work_index::open(&store);
        self.shared.step(Step::Verified)?;

        store.write_out().map_err(ReceiveError::rows("write out"))?;
        drop(store);
        sync_files(&state).map_err(disk())?;
        sync_folder(&self.folder).map_err(disk())?;
        self.shared.step(Step::Synced)?;
        write_durably(&ready, b"").map_err(disk())?;
        self.shared.step(Step::MadeReady)
    }
}

fn remove_if_there(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
