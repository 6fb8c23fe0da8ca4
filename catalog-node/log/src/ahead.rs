//! Files made ahead: how does the log get its next segment without waiting for a disk full of zeros?
//!
//! Writing and syncing the zeros of a segment takes a disk as long as hundreds of commits, and everybody who
//! waits for a commit would wait for it. So a thread does it while the segment before is filled; a segment
//! that is not needed any more is taken for it, so that in the long run the same blocks are used again and
//! the file system has nothing to free. The files carry the suffix of unfinished segments: what a crash
//! leaves of them, the next start removes.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
};

use crate::segment::UNFINISHED_SUFFIX;

/// Files that are made ahead at most: one for the next segment, and one that was given back meanwhile.
const AHEAD_MAX: usize = 2;

/// So many zeros are written and synced at once: commits want the same disk in between.
const PART: usize = 256 * 1024;

/// Files of zeros that are there, or on their way.
#[derive(Debug, Default)]
pub(crate) struct Ahead {
    made: Mutex<Made>,
}

#[derive(Debug, Default)]
struct Made {
    files: Vec<Making>,
    /// Counts up, so that no name is used twice.
    number: u64,
}

#[derive(Debug)]
struct Making {
    path: PathBuf,
    length: u64,
    thread: JoinHandle<io::Result<File>>,
}

impl Ahead {
    /// Begins to make a file of `length` in `folder`, if none is there or on its way.
    pub(crate) fn expect(&self, folder: &Path, length: u64) {
        let mut made = self.lock();
        if made.files.is_empty() {
            made.begin(folder, length, |_| Ok(()));
        }
    }

    /// Takes the file at `path` away, durably, and over for later if it has `length` and is wanted.
    pub(crate) fn take_back(&self, folder: &Path, path: &Path, length: u64) -> io::Result<()> {
        let mut made = self.lock();
        let wanted = made.files.len() < AHEAD_MAX && fs::metadata(path)?.len() == length;
        if !wanted {
            drop(made);
            return fs::remove_file(path);
        }
        made.begin(folder, length, |ahead| {
            fs::rename(path, ahead)?;
            // Not before its name is gone for good may its content go.
            File::open(folder)?.sync_all()
        })
        .unwrap_or(Ok(()))
    }

    /// A file of `length` zeros under the name `path`; `None` if none was made. Waits for one that is on
    /// its way.
    pub(crate) fn take(&self, path: &Path, length: u64) -> Option<File> {
        let mut made = self.lock();
        let at = made.files.iter().position(|making| making.length == length)?;
        let Making { path: ahead, thread, .. } = made.files.remove(at);
        let file = thread.join().ok()?;
        if let Ok(file) = file.and_then(|file| fs::rename(&ahead, path).map(|()| file)) {
            Some(file)
        } else {
            // Whoever asked makes one and sees for itself; this one shall not take its room.
            let _ = fs::remove_file(&ahead);
            None
        }
    }

    fn lock(&self) -> MutexGuard<'_, Made> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Made {
    /// Begins to make a file under a new name, once `first` has done its part; `None` if no thread could
    /// be had.
    fn begin(
        &mut self,
        folder: &Path,
        length: u64,
        first: impl FnOnce(&Path) -> io::Result<()>,
    ) -> Option<io::Result<()>> {
        self.number += 1;
        let path = folder.join(format!("ahead-{}{UNFINISHED_SUFFIX}", self.number));
        if let Err(error) = first(&path) {
            return Some(Err(error));
        }
        let made_at = path.clone();
        let making = std::thread::Builder::new().name("log-ahead".to_owned());
        let thread = making.spawn(move || zeros(&made_at, length)).ok()?;
        self.files.push(Making { path, length, thread });
        Some(Ok(()))
    }
}

impl Drop for Ahead {
    /// Nobody writes to the folder any more once its disk is gone.
    fn drop(&mut self) {
        for making in self.lock().files.drain(..) {
            let _ = making.thread.join();
            let _ = fs::remove_file(&making.path);
        }
    }
}

/// Fills the file at `path` with `length` zeros, durably.
fn zeros(path: &Path, length: u64) -> io::Result<File> {
    let open = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path);
    let filled = open.and_then(|file| {
        let zeros = vec![0; PART.min(length as usize)];
        let mut at = 0;
        while at < length {
            let part = zeros.len().min((length - at) as usize);
            file.write_all_at(&zeros[..part], at)?;
            file.sync_data()?;
            at += part as u64;
        }
        Ok(file)
    });
    if filled.is_err() {
        let _ = fs::remove_file(path);
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn what_was_made_ahead_is_zeros_whatever_the_file_held_before() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (folder.path().join("old"), folder.path().join("new"));
        fs::write(&old, vec![7; 4096]).unwrap();
        let ahead = Ahead::default();
        ahead.take_back(folder.path(), &old, 4096).unwrap();
        assert!(!old.exists(), "it is gone before anything else");
        let file = ahead.take(&new, 4096).expect("one was made");
        assert_eq!(fs::read(&new).unwrap(), vec![0; 4096]);
        assert_eq!(file.metadata().unwrap().len(), 4096);
        assert_eq!(names(folder.path()), ["new"]);
        assert!(ahead.take(&new, 4096).is_none(), "there was one");
    }

    #[test]
    fn a_file_of_another_length_is_not_taken_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (folder.path().join("old"), folder.path().join("new"));
        fs::write(&old, vec![7; 5000]).unwrap();
        let ahead = Ahead::default();
        ahead.expect(folder.path(), 8192);
        ahead.take_back(folder.path(), &old, 4096).unwrap();
        assert!(ahead.take(&new, 4096).is_none());
        assert!(ahead.take(&new, 8192).is_some());
    }

    #[test]
    fn nothing_is_left_when_its_disk_goes() {
        let folder = tempfile::tempdir().unwrap();
        let ahead = Ahead::default();
        ahead.expect(folder.path(), 1 << 20);
        drop(ahead);
        assert!(names(folder.path()).is_empty());
    }
}
