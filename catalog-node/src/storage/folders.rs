//! Names in the data folder: which of the states in it counts, and what is left over?
//!
//! | name | what |
//! |---|---|
//! | `IDENTITY` | whose folder it is |
//! | `log/` | the Raft log; its `state_number` says which state counts |
//! | `state/`, `state-<n>/` | the state, number 0 or n > 0 |
//! | `state-<n>-bad/` | a state that was found damaged, kept for inspection; at most one |
//! | `state-suspect` | says that state n is not to be trusted, and why |
//! | `recv/<id>/` | a snapshot that is being received |
//!
//! A state folder that the log does not name is what a crash left of an installation. It is
//! removed at the start: nothing was promised on it.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

const SUSPECT: &str = "state-suspect";

/// The data folder, for whoever needs a name in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Folders {
    root: PathBuf,
}

impl Folders {
    pub(crate) fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.root.join("log")
    }

    /// Where state `number` is.
    pub(crate) fn state(&self, number: u64) -> PathBuf {
        match number {
            0 => self.root.join("state"),
            _ => self.root.join(format!("state-{number}")),
        }
    }

    /// Where snapshots are received.
    pub(crate) fn received(&self) -> PathBuf {
        self.root.join("recv")
    }

    fn bad(&self, number: u64) -> PathBuf {
        self.root.join(format!("state-{number}-bad"))
    }

    /// Removes every state but `number`; what was kept for inspection stays.
    pub(super) fn remove_garbage(&self, number: u64) -> io::Result<()> {
        for found in fs::read_dir(&self.root)? {
            let name = found?.file_name();
            let garbage = name.to_str().and_then(state_number).filter(|found| *found != number);
            if let Some(found) = garbage {
                tracing::info!(number = found, "State folder that is not in use removed");
                fs::remove_dir_all(self.root.join(&name))?;
            }
        }
        Ok(())
    }

    /// Takes the folder of state `number` out of use and keeps it for inspection, unless one of
    /// that number is kept already.
    pub(super) fn set_aside(&self, number: u64) -> io::Result<()> {
        let (state, bad) = (self.state(number), self.bad(number));
        if !state.exists() {
            return Ok(());
        }
        if bad.exists() {
            // What comes after the first is empty, or what was received to replace it.
            return fs::remove_dir_all(&state);
        }
        for found in fs::read_dir(&self.root)? {
            let name = found?.file_name();
            let number = name.to_str().and_then(|name| name.strip_suffix("-bad"));
            if number.and_then(state_number).is_some() || name == "state-0-bad" {
                fs::remove_dir_all(self.root.join(&name))?;
            }
        }
        fs::rename(&state, &bad)?;
        sync_folder(&self.root)
    }

    /// Notes, durably, that state `number` is not to be trusted.
    pub(crate) fn mark_suspect(&self, number: u64, cause: &str) -> io::Result<()> {
        write_durably(&self.root.join(SUSPECT), format!("{number}\n{cause}\n").as_bytes())
    }

    /// Why state `number` is not to be trusted, if that was noted.
    pub(super) fn suspicion(&self, number: u64) -> io::Result<Option<String>> {
        let text = match fs::read(self.root.join(SUSPECT)) {
            Ok(text) => String::from_utf8_lossy(&text).into_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let (of, cause) = text.split_once('\n').unwrap_or(("", &text));
        // A note that cannot be read was meant for something; the present state is the safe guess.
        let meant = of.parse().map_or(true, |of: u64| of == number);
        Ok(meant.then(|| cause.trim().to_owned()))
    }

    /// The state that is in use now is sound.
    pub(crate) fn clear_suspicion(&self) -> io::Result<()> {
        match fs::remove_file(self.root.join(SUSPECT)) {
            Ok(()) => sync_folder(&self.root),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// The number of the state in a folder of that name.
fn state_number(name: &str) -> Option<u64> {
    match name.strip_prefix("state")? {
        "" => Some(0),
        rest => rest.strip_prefix('-')?.parse().ok().filter(|number| *number > 0),
    }
}

/// Makes names in `folder` durable.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Makes every file in `folder`, and its names, durable. For folders without folders in them.
pub(crate) fn sync_files(folder: &Path) -> io::Result<()> {
    for found in fs::read_dir(folder)? {
        File::open(found?.path())?.sync_all()?;
    }
    sync_folder(folder)
}

/// Makes `bytes` the content of `file`: after a crash all of it is there, or what was before.
pub(crate) fn write_durably(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = file.with_extension("new");
    let mut written = File::create(&beside)?;
    written.write_all(bytes)?;
    written.sync_all()?;
    fs::rename(&beside, file)?;
    file.parent().map_or(Ok(()), sync_folder)
}

#[cfg(test)]
mod tests;
