//! The gateway as a program: arguments, settings, run, exit code.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Context as _;
use clap::Parser;
use gateway::{Gateway, RunningGateway, config::Config};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// The sharing gateway of a Luqiao domain.
#[derive(Debug, Parser)]
#[command(name = "gateway", version)]
struct Args {
    /// Settings (TOML); gateway.example.toml shows every key
    #[arg(long, env = "LUQIAO_GATEWAY_CONFIG", value_name = "FILE")]
    config: PathBuf,

    /// Read and check the settings and print them, then end
    #[arg(long)]
    check: bool,

    /// What is logged, for instance `info` or `gateway=debug,info`
    #[arg(long, env = "LUQIAO_LOG", default_value = "info", value_name = "FILTER")]
    log: String,

    /// Log one JSON object a line
    #[arg(long, env = "LUQIAO_LOG_JSON")]
    log_json: bool,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("gateway: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&args.log).context("--log cannot be understood")?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // Colors are for people at a terminal; in a file they are noise.
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()));
    if args.log_json {
        log.json().init();
    } else {
        log.init();
    }
    let config = Config::load(&args.config)
        .with_context(|| format!("settings in {}", args.config.display()))?;
    if args.check {
        println!("{config:#?}");
        return Ok(());
    }
    tracing::info!(?config, "Settings");
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(serve(config))
}

async fn serve(config: Config) -> anyhow::Result<()> {
    // Before the port is bound: a signal that comes early must not be the default one.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let running = Gateway::start(config).await?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = reload_on(&mut hangup, &running) => {}
    }
    running.shutdown().await;
    Ok(())
}

/// Reads the certificates again at each signal.
async fn reload_on(hangup: &mut Signal, running: &RunningGateway) {
    while hangup.recv().await.is_some() {
        match running.reload_certificates() {
            Ok(()) => tracing::info!("Certificates read again"),
            Err(error) => {
                tracing::error!(error = %anyhow::Error::new(error), "Certificates stay as they are");
            }
        }
    }
    std::future::pending::<()>().await;
}
