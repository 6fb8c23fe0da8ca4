//! `catalog-node`: arguments → configuration → run → exit code.

use std::{fs, path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use anyhow::{Context as _, anyhow, bail};
use catalog_model::{reason::Lang, refusal::Refusal};
use catalog_node::{CatalogNode, bootstrap::Spec, config::Config, remote, shutdown, telemetry};
use clap::{Parser, Subcommand};
use luqiao_transport::tls::TlsMaterial;

/// Calls, entries and rows are many small pieces of memory that one thread asks for and another
/// gives back: under load glibc's allocator took a third of the processors.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long a bootstrap waits for a leader and for its own command.
const BOOTSTRAP_WAIT: Duration = Duration::from_secs(30);

/// Time beyond the configured grace after which a node that hangs is ended.
const SHUTDOWN_MARGIN: Duration = Duration::from_secs(10);

/// A node of a Luqiao catalog cluster.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the node until SIGTERM.
    Run {
        /// Its configuration.
        #[arg(long)]
        config: PathBuf,
        /// Believes this machine's clock even if it is far ahead of the committed one: after an
        /// outage of the whole cluster. Holds until the first stamp is committed.
        #[arg(long)]
        accept_clock: bool,
    },
    /// Creates the cluster's configuration, once, through any node that runs.
    Bootstrap {
        /// Configuration of one of the nodes, for its certificate and the members.
        #[arg(long)]
        config: PathBuf,
        /// What the cluster begins with, TOML or JSON.
        #[arg(long)]
        spec: PathBuf,
    },
}

fn main() -> ExitCode {
    let args = Args::parse();
    match begin(args.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("catalog-node: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn begin(command: Command) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match command {
        Command::Run { config, accept_clock } => {
            let mut config = Config::load(&config)?;
            config.accept_clock = accept_clock;
            telemetry::init(&config.log.filter, config.log.json);
            abort_on_panic();
            runtime.block_on(run(config))
        }
        Command::Bootstrap { config, spec } => {
            let config = Config::load(&config)?;
            let text = fs::read_to_string(&spec)
                .with_context(|| format!("{} cannot be read", spec.display()))?;
            let spec: Spec = if spec.extension().is_some_and(|ending| ending == "json") {
                serde_json::from_str(&text).context("the spec cannot be understood")?
            } else {
                toml::from_str(&text).context("the spec cannot be understood")?
            };
            let spec = runtime.block_on(bootstrap(config, spec))?;
            println!("{}", serde_json::to_string_pretty(&spec)?);
            Ok(())
        }
    }
}

async fn run(config: Config) -> anyhow::Result<()> {
    let bound = config.shutdown_grace + SHUTDOWN_MARGIN;
    let node = CatalogNode::start(config).await?;
    let signal = tokio::select! {
        signal = shutdown::asked() => signal?,
        cause = node.failed() => {
            // What is durable, or what is true, is unknown: nothing is tidied up.
            eprintln!("catalog-node: {cause}");
            std::process::abort();
        }
    };
    tracing::info!(signal, "Shutdown begun");
    if tokio::time::timeout(bound, node.stop()).await.is_err() {
        bail!("the node did not end within {bound:?}");
    }
    Ok(())
}

async fn bootstrap(config: Config, spec: Spec) -> anyhow::Result<Spec> {
    let tls = Arc::new(TlsMaterial::load(config.tls.clone())?);
    remote::bootstrap(&config, tls, &spec, BOOTSTRAP_WAIT)
        .await
        .map_err(|refusal: Refusal| anyhow!("{}: {}", refusal.reason, refusal.text(Lang::En)))
}

/// A broken invariant ends the process, on whichever thread it was found: half a node is worse
/// than none.
fn abort_on_panic() {
    let told = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        told(panic);
        tracing::error!(cause = %panic, "Invariant broken");
        std::process::abort();
    }));
}
