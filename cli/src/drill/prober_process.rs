//! The prober as a process of its own: started, heard, and ended by whoever runs the drill.

use std::{
    env, fs,
    io::{BufRead, BufReader, Write as _},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use serde_json::Value;
use tokio::{sync::mpsc, time::timeout};

use crate::{both, exit::Exit, failure::Failure};

use super::prober::Wanted;

/// How long it may take until the first number is acknowledged.
const READY_WAIT: Duration = Duration::from_mins(1);
/// How long it may take to learn what became of the last numbers.
const END_WAIT: Duration = Duration::from_mins(1);

/// A prober at work. Dropping it ends its input, and with it the prober.
#[derive(Debug)]
pub struct ProberProcess {
    child: Child,
    said: mpsc::UnboundedReceiver<String>,
}

impl ProberProcess {
    /// Starts one for the caller of `context`; what it complains of goes to `log`.
    pub fn start(
        wanted: &Wanted,
        contexts: &Path,
        context: &str,
        log: &Path,
    ) -> Result<Self, Failure> {
        let program =
            env::current_exe().map_err(|error| Failure::file("luqiao".as_ref(), &error))?;
        let complaints = fs::OpenOptions::new().create(true).append(true).open(log);
        let complaints = complaints.map_err(|error| Failure::file(log, &error))?;
        let mut child = Command::new(&program)
            .args(["drill", "probe", &wanted.drill, "--list"])
            .arg(&wanted.list)
            .args(["--rate", &wanted.rate.to_string()])
            .args(["--writers", &wanted.writers.to_string()])
            .args(["--due-every", &wanted.due_every.to_string()])
            .args(["--due-after-ms", &wanted.due_after_ms.to_string()])
            .arg("--contexts")
            .arg(contexts)
            .args(["--context", context, "--output", "json"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(complaints)
            .spawn()
            .map_err(|error| Failure::file(&program, &error))?;
        let (tell, said) = mpsc::unbounded_channel();
        let out = child.stdout.take().expect("its output is ours");
        thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if tell.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Self { child, said })
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until its first number is acknowledged.
    pub async fn ready(&mut self) -> Result<(), Failure> {
        match self.hear("ready", READY_WAIT).await {
            Some(_) => Ok(()),
            None => Err(broke_down()),
        }
    }

    /// Tells it to end, and waits until it has. Whether it knows what became of every number.
    pub async fn end(mut self) -> Result<bool, Failure> {
        if let Some(mut input) = self.child.stdin.take() {
            // One that has ended already does not listen.
            let _ = writeln!(input, "end");
        }
        let last = self.hear("ended", END_WAIT).await;
        let settled = last.is_some_and(|said| said["settled"] == true);
        let ended = self.child.try_wait().ok().flatten();
        Ok(settled && ended.is_none_or(|status| status.success()))
    }

    /// The next line in which it says `word`.
    async fn hear(&mut self, word: &str, wait: Duration) -> Option<Value> {
        let heard = async {
            while let Some(line) = self.said.recv().await {
                let said: Value = serde_json::from_str(&line).unwrap_or_default();
                if said["prober"] == word {
                    return Some(said);
                }
            }
            None
        };
        timeout(wait, heard).await.ok().flatten()
    }
}

impl Drop for ProberProcess {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // Whatever it still wanted to write: nobody asks for it any more.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn broke_down() -> Failure {
    Failure::new(
        Exit::Unavailable,
        "prober_not_ready",
        both!("the prober's writes are not acknowledged", "探测写入未得到确认"),
    )
    .advising(both!("its complaints are in prober.log", "详见 prober.log"))
}
