//! The real disk: a folder of the operating system, held by one process at a time.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{Disk, DiskFile, ahead::Ahead};

/// Held locked while the folder is in use; not listed.
const LOCK_NAME: &str = "LOCK";

/// How many zeros are written at once while preallocating.
const ZEROS: usize = 256 * 1024;

/// A folder of the operating system.
#[derive(Clone, Debug)]
pub struct FileDisk {
    root: Arc<Path>,
    /// Before the lock, so that nobody else has the folder while it ends.
    ahead: Arc<Ahead>,
    /// Two writers in one log would destroy it; the operating system drops the lock with the process.
    _lock: Arc<File>,
}

impl FileDisk {
    /// Opens the folder `root`, creating it if needed, and locks it for this process.
    ///
    /// [`io::ErrorKind::WouldBlock`] if another process holds it.
    pub fn open(root: impl Into<PathBuf>) -> io::Result<Self> {
        let root = root.into();
        fs::create_dir_all(&root)?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(root.join(LOCK_NAME))?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => {
                io::Error::new(io::ErrorKind::WouldBlock, "the folder is held by another process")
            }
            TryLockError::Error(error) => error,
        })?;
        // The folder's own name must survive too, else every file in it is lost with it.
        if let Some(parent) = root.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            File::open(parent)?.sync_all()?;
        }
        Ok(Self { root: root.into(), ahead: Arc::default(), _lock: Arc::new(lock) })
    }

    fn path(&self, name: &str) -> PathBuf {
        debug_assert!(!name.contains('/') && name != LOCK_NAME, "a plain file name: {name}");
        self.root.join(name)
    }
}

impl Disk for FileDisk {
    type File = File;

    fn create(&self, name: &str) -> io::Result<File> {
        OpenOptions::new().create(true).truncate(true).read(true).write(true).open(self.path(name))
    }

    fn create_allocated(&self, name: &str, length: u64) -> io::Result<File> {
        if let Some(file) = self.ahead.take(&self.path(name), length) {
            return Ok(file);
        }
        let file = self.create(name)?;
        file.allocate(length)?;
        Ok(file)
    }

    fn expect(&self, length: u64) {
        self.ahead.expect(&self.root, length);
    }

    fn take_back(&self, name: &str, length: u64) -> io::Result<()> {
        self.ahead.take_back(&self.root, &self.path(name), length)
    }

    fn open(&self, name: &str) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).open(self.path(name))
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for found in fs::read_dir(&self.root)? {
            let found = found?;
            let name = found.file_name().into_string().map_err(|name| {
                io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("unreadable name {}", name.display()),
                )
            })?;
            if found.file_type()?.is_file() && name != LOCK_NAME {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path(name))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path(from), self.path(to))
    }

    fn sync_dir(&self) -> io::Result<()> {
        File::open(&self.root)?.sync_all()
    }
}

impl DiskFile for File {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        self.read_exact_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    /// Writes zeros instead of reserving extents: a reserved extent is still converted by the first write
    /// to it, and that conversion is metadata which the next sync would wait for.
    fn allocate(&self, length: u64) -> io::Result<()> {
        let zeros = vec![0; ZEROS];
        let mut end = DiskFile::len(self)?;
        while end < length {
            let part = zeros.len().min((length - end) as usize);
            self.write_all_at(&zeros[..part], end)?;
            end += part as u64;
        }
        Ok(())
    }
}
