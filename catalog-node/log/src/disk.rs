//! What does the log need of a disk? One flat folder of files, and honest syncs.
//!
//! The trait is small on purpose: every operation a real disk can lose, tear or refuse is one that the
//! simulated disk has to model. Not answered here: how bytes become records (`frame`).

use std::io;

/// One flat folder that belongs to one log.
///
/// Names are plain file names without separators. Clones speak of the same folder.
pub trait Disk: Clone + Send + Sync + 'static {
    /// An open file; stays readable after its name was removed.
    type File: DiskFile;

    /// Creates `name`, empty; an existing file of that name is emptied. Durable after [`Disk::sync_dir`].
    fn create(&self, name: &str) -> io::Result<Self::File>;

    /// As [`Disk::create`] followed by [`DiskFile::allocate`]; sooner, where such a file was made ahead.
    fn create_allocated(&self, name: &str, length: u64) -> io::Result<Self::File> {
        let file = self.create(name)?;
        file.allocate(length)?;
        Ok(file)
    }

    /// A file of `length` will be created soon: what takes long about that may be done meanwhile.
    fn expect(&self, length: u64) {
        let _ = length;
    }

    /// As [`Disk::remove`], of a file that may be used again for the next one of `length`.
    fn take_back(&self, name: &str, length: u64) -> io::Result<()> {
        let _ = length;
        self.remove(name)
    }

    /// Opens `name` for reading and writing; [`io::ErrorKind::NotFound`] if there is none.
    fn open(&self, name: &str) -> io::Result<Self::File>;

    /// All names in the folder, in byte order.
    fn list(&self) -> io::Result<Vec<String>>;

    /// Removes `name`. Durable after [`Disk::sync_dir`].
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Gives the file `from` the name `to`, replacing what had it. Atomic; durable after [`Disk::sync_dir`].
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Makes creations, removals and renames durable.
    fn sync_dir(&self) -> io::Result<()>;
}

/// An open file of a [`Disk`].
///
/// Takes `&self` throughout, so that a reader may read while the writer waits for a sync. There is one writer.
pub trait DiskFile: Send + Sync + 'static {
    /// Writes all of `bytes` at `offset`, growing the file if needed. Durable after [`DiskFile::sync`].
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Fills all of `bytes` from `offset`; [`io::ErrorKind::UnexpectedEof`] if the file is shorter.
    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()>;

    /// Makes content and length durable. An error means that the fate of every write since the last
    /// successful sync is unknown.
    fn sync(&self) -> io::Result<()>;

    /// Cuts the file to `length` bytes.
    fn truncate(&self, length: u64) -> io::Result<()>;

    /// Length in bytes.
    fn len(&self) -> io::Result<u64>;

    /// Whether the file holds no byte.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Grows the file to `length` bytes of zeros that take real space, so that later writes inside it change
    /// no metadata. Does nothing to a file that is long enough.
    fn allocate(&self, length: u64) -> io::Result<()>;
}
