//! Daemons: how do nodes and gateways begin here, and how do they vanish?
//!
//! Both operating modes read the same settings. In one process a node that is killed drops its
//! threads and sockets without a word to anyone; with `--processes` each daemon is a child that is
//! killed by its id with signal 9. Children end with their parent, however that ends: the kernel
//! kills them where `setpriv` can ask it to, and this module kills what it still holds when dropped.

use std::{
    env, fs,
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use catalog_node::{CatalogNode, RunningNode, config::Config as NodeConfig};
use gateway::{Gateway, RunningGateway, config::Config as GatewayConfig};
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, sleep};

use crate::{both, exit::Exit, failure::Failure};

/// How long a child has to end in order: longer than a node takes to hand over.
const STOP_WAIT: Duration = Duration::from_secs(20);
/// How often it is looked whether it has.
const STOP_LOOK: Duration = Duration::from_millis(10);

/// A daemon at work. Dropping it ends it at once.
#[derive(Debug)]
pub enum Daemon {
    /// A node in this process.
    Node(Box<RunningNode>),
    /// A gateway in this process.
    Gateway(Box<RunningGateway>),
    /// Either of them as a child.
    Child(ChildDaemon),
}

/// How daemons are started.
#[derive(Debug, Clone)]
pub enum Mode {
    /// In this process.
    Here,
    /// As children, with the programs in this folder.
    Processes {
        /// Where `catalog-node` and `gateway` are.
        programs: PathBuf,
        /// The program that asks the kernel to end a child with its parent, if there is one.
        setpriv: Option<PathBuf>,
    },
}

impl Mode {
    /// Children, with the programs beside the running one.
    pub fn processes() -> Result<Self, Failure> {
        let own = env::current_exe().map_err(|error| Failure::file("luqiao".as_ref(), &error))?;
        let programs = own.parent().unwrap_or(Path::new("/")).to_owned();
        for program in ["catalog-node", "gateway"] {
            let path = programs.join(program);
            if !path.is_file() {
                let path = path.display();
                return Err(Failure::new(
                    Exit::Error,
                    "program_missing",
                    both!("{path} is not there", "缺少程序 {path}"),
                )
                .advising(both!(
                    "build all programs (`cargo build`), or leave out --processes",
                    "请先构建全部程序（cargo build），或去掉 --processes"
                )));
            }
        }
        let setpriv = env::var_os("PATH").and_then(|path| {
            env::split_paths(&path).map(|folder| folder.join("setpriv")).find(|file| file.is_file())
        });
        Ok(Self::Processes { programs, setpriv })
    }

    /// Starts the node with the settings in `config`.
    ///
    /// Not from a thread that may end before the node should: a child ends with the *thread* that
    /// started it.
    pub async fn start_node(&self, config: &Path) -> Result<Daemon, Failure> {
        match self {
            Self::Here => {
                let settings =
                    NodeConfig::load(config).map_err(|e| not_started(config, e.into()))?;
                let node = CatalogNode::start(settings)
                    .await
                    .map_err(|e| not_started(config, e.into()))?;
                Ok(Daemon::Node(Box::new(node)))
            }
            Self::Processes { .. } => {
                self.spawn("catalog-node", &["run", "--config"], config).map(Daemon::Child)
            }
        }
    }

    /// Starts the gateway with the settings in `config`.
    pub async fn start_gateway(&self, config: &Path) -> Result<Daemon, Failure> {
        match self {
            Self::Here => {
                let settings =
                    GatewayConfig::load(config).map_err(|e| not_started(config, e.into()))?;
                let gateway =
                    Gateway::start(settings).await.map_err(|e| not_started(config, e.into()))?;
                Ok(Daemon::Gateway(Box::new(gateway)))
            }
            Self::Processes { .. } => {
                self.spawn("gateway", &["--config"], config).map(Daemon::Child)
            }
        }
    }

    fn spawn(
        &self,
        program: &str,
        arguments: &[&str],
        config: &Path,
    ) -> Result<ChildDaemon, Failure> {
        let Self::Processes { programs, setpriv } = self else {
            unreachable!("only called for children")
        };
        let log = config.with_file_name("log.txt");
        let failed = |error| Failure::file(&log, &error);
        let out = fs::OpenOptions::new().create(true).append(true).open(&log).map_err(failed)?;
        let err: File = out.try_clone().map_err(failed)?;
        let path = programs.join(program);
        let mut command = match setpriv {
            Some(setpriv) => {
                let mut command = Command::new(setpriv);
                command.args(["--pdeathsig", "KILL", "--"]).arg(&path);
                command
            }
            None => Command::new(&path),
        };
        command.args(arguments).arg(config).stdin(Stdio::null()).stdout(out).stderr(err);
        let child = command.spawn().map_err(|error| Failure::file(&path, &error))?;
        Ok(ChildDaemon { child, log })
    }
}

impl Daemon {
    /// The process, if it is one of its own.
    pub fn process_id(&self) -> Option<u32> {
        match self {
            Self::Child(daemon) => Some(daemon.child.id()),
            Self::Node(_) | Self::Gateway(_) => None,
        }
    }

    /// It vanishes: no farewell, no flush.
    pub async fn kill(self) {
        match self {
            Self::Node(node) => node.kill().await,
            // Dropping ends them at once.
            Self::Gateway(_) | Self::Child(_) => {}
        }
    }

    /// Ends it in order, as a service manager does: asks, waits, and ends what has not ended by then.
    pub async fn stop(self) {
        match self {
            Self::Node(node) => node.stop().await,
            Self::Gateway(gateway) => drop(gateway.shutdown().await),
            Self::Child(daemon) => daemon.stop().await,
        }
    }

    /// Why it has ended by itself, if it has: the last words in its log.
    pub fn last_words(&mut self) -> Option<String> {
        let Self::Child(daemon) = self else { return None };
        let status = daemon.child.try_wait().ok().flatten()?;
        let log = fs::read_to_string(&daemon.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().rev().take(5).collect();
        let words: Vec<&str> = lines.into_iter().rev().collect();
        Some(format!("{status}: {}", words.join(" | ")))
    }
}

/// A child process.
#[derive(Debug)]
pub struct ChildDaemon {
    child: Child,
    log: PathBuf,
}

impl ChildDaemon {
    /// Asks the child to end and waits until it has; dropping it ends one that does not.
    async fn stop(mut self) {
        let asked = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let Some(Ok(())) = asked.map(|id| kill_process(id, Signal::TERM)) else { return };
        let patience = Instant::now() + STOP_WAIT;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < patience {
            sleep(STOP_LOOK).await;
        }
    }
}

impl Drop for ChildDaemon {
    fn drop(&mut self) {
        // It may have ended already; either way it is gone afterwards.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn not_started(config: &Path, error: anyhow::Error) -> Failure {
    let config = config.display();
    Failure::new(Exit::Error, "not_started", both!("{config}: {error:#}", "{config}：{error:#}"))
}
