//! Process: how is one of our programs started, killed without a word, and started again?

use std::{
    env,
    fs::{self, File, OpenOptions},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use crate::repository::program;

/// A program with its settings, running or not. Dropping it kills it.
#[derive(Debug)]
pub struct Process {
    program: PathBuf,
    arguments: Vec<String>,
    log: PathBuf,
    child: Option<Child>,
}

impl Process {
    /// `program arguments…`, not started yet; what it says goes to the end of `log`.
    pub fn new(name: &str, arguments: &[&str], log: PathBuf) -> Self {
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        Self { program: program(name), arguments, log, child: None }
    }

    /// Starts it.
    ///
    /// # Panics
    ///
    /// If it runs already or cannot be started.
    pub fn start(&mut self) {
        assert!(self.child.is_none(), "{self:?} runs already");
        let open = || -> File {
            let file = OpenOptions::new().create(true).append(true).open(&self.log);
            file.unwrap_or_else(|error| panic!("{}: {error}", self.log.display()))
        };
        let mut command = match setpriv() {
            Some(setpriv) => {
                let mut command = Command::new(setpriv);
                command.args(["--pdeathsig", "KILL", "--"]).arg(&self.program);
                command
            }
            None => Command::new(&self.program),
        };
        let child = command
            .args(&self.arguments)
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(open())
            .stderr(open())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", self.program.display()));
        self.child = Some(child);
    }

    /// Kills it as `kill -9` of its id does, and waits until it is gone.
    ///
    /// # Panics
    ///
    /// If it was not running, or had ended by itself before: that is a finding, not a kill.
    pub fn kill(&mut self) {
        let mut child = self.child.take().expect("a program that runs");
        if let Some(status) = child.try_wait().expect("the state of a child") {
            panic!("{} ended by itself ({status}):\n{}", self.program.display(), self.said());
        }
        child.kill().expect("a child can be killed");
        child.wait().expect("a killed child ends");
    }

    /// Whether it was started and has not been killed.
    pub fn is_started(&self) -> bool {
        self.child.is_some()
    }

    /// The end of what it said so far.
    pub fn said(&self) -> String {
        tail(&self.log)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended; then there is nothing to kill.
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            eprintln!("--- {}\n{}", self.log.display(), self.said());
        }
    }
}

/// The program that has the kernel end a child with the thread that started it: a test that is
/// itself killed leaves nobody behind. Under it the child keeps its process id.
fn setpriv() -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join("setpriv")).find(|file| file.is_file())
}

fn tail(log: &Path) -> String {
    const LINES: usize = 25;
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}
