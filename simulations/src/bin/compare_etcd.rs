//! `compare_etcd`: our three node processes and three of etcd, in turn on this machine.
//!
//! Prints the table of ratios with their spread and writes everything that was measured to
//! `bench-results/`. It is a measurement: no row ends it with an error.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, ensure};
use clap::Parser;
use federation_tests::{
    bench::machine,
    repository::{program, root},
};
use serde_json::{Value, json};
use simulations::load::{
    cluster::{Programs, System},
    compare::{self, Round},
    rows::{self, Figures, Plan, Row},
};

/// Compares speed and memory with etcd's.
#[derive(Debug, Parser)]
struct Arguments {
    /// Rounds; in each both systems have their turn, the order alternates.
    #[arg(long)]
    rounds: Option<usize>,
    /// Seconds for each row.
    #[arg(long)]
    seconds: Option<f64>,
    /// Two rounds of 2 seconds a row instead of five of 5.
    #[arg(long)]
    quick: bool,
    /// Only these rows; all but `million` and `entries` if none is named.
    #[arg(long, value_enum, value_delimiter = ',')]
    rows: Vec<Row>,
    /// Only one system, without a comparison.
    #[arg(long)]
    only: Option<String>,
    /// The etcd to be measured, instead of the one that `scripts/etcd.sh` builds.
    #[arg(long)]
    etcd: Option<PathBuf>,
    /// The catalog node to be measured, instead of the one beside this program.
    #[arg(long)]
    catalog_node: Option<PathBuf>,
    /// Below which folder the data lie, instead of the one for temporary files.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Keep the folder of data, and say where it is.
    #[arg(long)]
    keep: bool,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    // On this thread, because the processes end with the thread that started them.
    runtime.block_on(run(&arguments))
}

async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    if cfg!(debug_assertions) {
        eprintln!("This build is not optimised: its numbers say nothing.");
    }
    let place = match &arguments.data {
        Some(folder) => tempfile::tempdir_in(folder),
        None => tempfile::tempdir(),
    }
    .context("a folder for the data")?;
    let programs = Programs {
        catalog_node: arguments.catalog_node.clone().unwrap_or_else(|| program("catalog-node")),
        etcd: match &arguments.etcd {
            Some(etcd) => etcd.clone(),
            None if arguments.only.as_deref() == Some("luqiao") => PathBuf::new(),
            None => built_etcd()?,
        },
    };
    let facts = machine::facts(place.path())?;
    let etcd = version(&programs.etcd);
    eprintln!("{facts:#}\n{etcd}");

    let all = [
        Row::Core,
        Row::Lawful,
        Row::Revise,
        Row::Stream,
        Row::Read,
        Row::List,
        Row::Watch,
        Row::Transfer,
        Row::Kill,
    ];
    let plan = Plan {
        rows: if arguments.rows.is_empty() { all.to_vec() } else { arguments.rows.clone() },
        time: Duration::from_secs_f64(arguments.seconds.unwrap_or(if arguments.quick {
            2.0
        } else {
            5.0
        })),
        warm_up: Duration::from_secs(1),
    };
    let count = arguments.rounds.unwrap_or(if arguments.quick { 2 } else { 5 });
    let mut rounds = Vec::new();
    for number in 0..count {
        eprintln!("round {} of {count}", number + 1);
        let mut order = [System::Etcd, System::Luqiao];
        if number % 2 == 1 {
            order.reverse();
        }
        let mut round = Round { luqiao: Figures::new(), etcd: Figures::new() };
        for system in order {
            let word = if system == System::Etcd { "etcd" } else { "luqiao" };
            if arguments.only.as_ref().is_some_and(|only| only != word) {
                continue;
            }
            let folder = place.path().join(format!("{word}-{number}"));
            let found = rows::measure(system, &folder, &programs, &plan).await?;
            if !arguments.keep {
                fs::remove_dir_all(&folder)?;
            }
            match system {
                System::Luqiao => round.luqiao = found,
                System::Etcd => round.etcd = found,
            }
        }
        rounds.push(round);
    }
    let record = json!({
        "machine": facts,
        "etcd": etcd,
        "tls": "mutual TLS for callers and peers, both systems",
        "value_bytes": rows::VALUE_BYTES,
        "keys": rows::KEYS,
        "connections": rows::CONNECTIONS,
        "seconds_a_row": plan.time.as_secs_f64(),
        "summary": compare::summary(&rounds),
        "rounds": rounds
            .iter()
            .map(|round| json!({ "luqiao": round.luqiao, "etcd": round.etcd }))
            .collect::<Vec<_>>(),
    });
    let file = write(&record)?;
    println!("{}", compare::table(&rounds));
    eprintln!("{}", file.display());
    if arguments.keep {
        eprintln!("{}", place.keep().display());
    }
    Ok(())
}

/// Builds etcd, or finds the one that was built.
fn built_etcd() -> anyhow::Result<PathBuf> {
    let output =
        Command::new(root().join("scripts/etcd.sh")).output().context("scripts/etcd.sh")?;
    ensure!(
        output.status.success(),
        "no etcd could be built or found:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout)?;
    Ok(PathBuf::from(text.trim()))
}

fn version(etcd: &Path) -> String {
    let output = Command::new(etcd).arg("--version").output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    text.unwrap_or_default().lines().map(str::trim).collect::<Vec<_>>().join("; ")
}

fn write(record: &Value) -> anyhow::Result<PathBuf> {
    let folder = root().join("bench-results");
    fs::create_dir_all(&folder)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let file = folder.join(format!("compare-etcd-{now}.json"));
    fs::write(&file, format!("{record:#}\n"))?;
    Ok(file)
}
