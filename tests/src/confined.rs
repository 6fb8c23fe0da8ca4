//! Confined: how does a test get a network and a disk of its own to break?
//!
//! It starts itself again, alone, in namespaces of its own: there it is root whoever it was, what it
//! does to routes and mounts is seen by nobody else, and all of it is gone when it ends. Where the
//! system does not allow that, the test says so and is skipped, unless `LUQIAO_FAULTS=required`
//! says that here it must run; `.ci/run` says that wherever it finds namespaces allowed.

use std::{
    env,
    process::{Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::skipped;

const INSIDE: &str = "LUQIAO_CONFINED";
const DEMAND: &str = "LUQIAO_FAULTS";

/// Whether the test `name` goes on here: true within its namespaces. Outside it was run there by the
/// time that this returns false, or could not be; `tools` are what it needs beside namespaces.
///
/// # Panics
///
/// If it failed there, or must run here and cannot.
pub fn confined(name: &str, tools: &[&str]) -> bool {
    if env::var(INSIDE).is_ok_and(|inside| inside == name) {
        command(&["ip", "link", "set", "lo", "up"]);
        // Network namespaces are known by files in /run, where others have theirs.
        command(&["mount", "-t", "tmpfs", "none", "/run"]);
        return true;
    }
    if let Err(reason) = possible(tools) {
        skip(name, &reason);
        return false;
    }
    let _turn = turn();
    let own = env::current_exe().expect("a program knows its own path");
    let output = unshare()
        .arg(own)
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(INSIDE, name)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .expect("unshare starts");
    if !output.status.success() {
        // Its counts are not for whoever counts the tests: it is one of them already.
        let said = String::from_utf8_lossy(&output.stdout);
        said.lines()
            .filter(|line| !line.contains("test result"))
            .for_each(|line| eprintln!("{line}"));
        panic!("{name} failed in its namespaces, see above");
    }
    false
}

/// Waits until no other test is at work that has this for itself: each wants the machine for its nodes.
pub fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    // One that failed has left nothing behind.
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Says that a test cannot run here; fails where it has to.
///
/// # Panics
///
/// Then.
pub fn skip(name: &str, reason: &str) {
    let required = env::var(DEMAND).is_ok_and(|demand| demand == "required");
    assert!(!required, "{name} has to run here, but {reason}");
    skipped(name, reason);
}

/// Namespaces of its own: network, mounts, and users for whoever is not root already.
fn unshare() -> Command {
    let mut command = Command::new("unshare");
    command.args(["--net", "--mount", "--propagation", "private"]);
    if !rustix::process::geteuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command.arg("--");
    command
}

fn possible(tools: &[&str]) -> Result<(), String> {
    for tool in ["unshare", "sh", "ip", "mount"].iter().chain(tools) {
        let found = Command::new("sh").args(["-c", "command -v \"$0\"", tool]).output();
        if !found.is_ok_and(|found| found.status.success()) {
            return Err(format!("`{tool}` is not installed"));
        }
    }
    // What the tests will do, tried once.
    let script = "mount -t tmpfs none /mnt && mount -t tmpfs none /run && ip link set lo up \
                  && ip netns add first && ip -n first link set lo up";
    match unshare().args(["sh", "-ec", script]).output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(format!("namespaces are not allowed: {}", said.trim()))
        }
        Err(error) => Err(format!("unshare cannot be started: {error}")),
    }
}

/// Runs a command of the system; what it said.
///
/// # Panics
///
/// If it fails.
pub fn command(words: &[&str]) -> String {
    let output = Command::new(words[0])
        .args(&words[1..])
        .output()
        .unwrap_or_else(|error| panic!("{words:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words:?}: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
