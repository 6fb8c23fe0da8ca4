//! Process: how is one of our programs started, killed without a word, paused, and started again?

use std::{
    env,
    fs::{self, File, OpenOptions},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::Instant,
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{repository::program, role::PATIENCE};

/// A program with its settings, running or not. Dropping it kills it.
#[derive(Debug)]
pub struct Process {
    program: PathBuf,
    arguments: Vec<String>,
    /// What starts it, with its own arguments; it becomes the program under the same process id.
    within: Vec<String>,
    log: PathBuf,
    child: Option<Child>,
}

impl Process {
    /// `program arguments…`, not started yet; what it says goes to the end of `log`.
    pub fn new(name: &str, arguments: &[&str], log: PathBuf) -> Self {
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        Self { program: program(name), arguments, within: Vec::new(), log, child: None }
    }

    /// It is started by this command from now on, for instance in another network namespace.
    pub fn set_within(&mut self, command: &[&str]) {
        self.within = command.iter().map(|&word| word.to_owned()).collect();
    }

    /// It is another program from its next start on, with the same arguments.
    pub fn set_program(&mut self, program: PathBuf) {
        self.program = program;
    }

    /// The program.
    pub fn program(&self) -> PathBuf {
        self.program.clone()
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
        let mut words: Vec<PathBuf> = Vec::new();
        if let Some(setpriv) = setpriv() {
            words.push(setpriv);
            words.extend(["--pdeathsig", "KILL", "--"].map(PathBuf::from));
        }
        words.extend(self.within.iter().map(PathBuf::from));
        words.push(self.program.clone());
        let mut command = Command::new(&words[0]);
        let child = command
            .args(&words[1..])
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

    /// Has it stand still as it is, as `kill -STOP` does.
    ///
    /// # Panics
    ///
    /// If it does not run.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
        let begun = Instant::now();
        // The system stops one thread after the other.
        while !self.is_paused() {
            assert!(begun.elapsed() < PATIENCE, "{self:?} goes on");
            thread::yield_now();
        }
    }

    /// Has it go on, as `kill -CONT` does.
    ///
    /// # Panics
    ///
    /// If it does not run.
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// Asks it to end, as `kill` does, and waits until it has.
    ///
    /// # Panics
    ///
    /// If it did not run.
    pub fn terminate(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        let mut child = self.child.take().expect("a program that runs");
        child.wait().expect("a child ends")
    }

    /// How it ended, if it has ended by itself; then it is not started any more.
    ///
    /// # Panics
    ///
    /// If it was not started.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        let child = self.child.as_mut().expect("a program that was started");
        let status = child.try_wait().expect("the state of a child")?;
        self.child = None;
        Some(status)
    }

    /// Whether the system says that it stands still.
    pub fn is_paused(&self) -> bool {
        let state = fs::read_to_string(format!("/proc/{}/stat", self.id())).unwrap_or_default();
        // The name before it stands in parentheses and may hold anything.
        state.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T'))
    }

    /// Its process id.
    ///
    /// # Panics
    ///
    /// If it does not run.
    pub fn id(&self) -> u32 {
        self.child.as_ref().expect("a program that runs").id()
    }

    fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.id()).ok().and_then(Pid::from_raw).expect("a process id");
        kill_process(id, signal).unwrap_or_else(|error| panic!("{self:?}: {error}"));
    }

    /// Whether it was started and has not been killed.
    pub fn is_started(&self) -> bool {
        self.child.is_some()
    }

    /// Whether it ever said this.
    pub fn has_said(&self, words: &str) -> bool {
        let text = fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&text).contains(words)
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
