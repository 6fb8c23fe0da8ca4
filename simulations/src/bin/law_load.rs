//! `law_load`: what does the law cost a cluster of three processes?
//!
//! Prints a table of what was asked, what was measured and whether it was held, and writes
//! everything that was counted to `bench-results/`. It is a measurement: no row ends it with an
//! error because of a duration.

use std::{
    fs,
    path::PathBuf,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::Context as _;
use clap::Parser;
use federation_tests::{
    bench::machine,
    repository::{program, root},
};
use serde_json::json;
use simulations::load::{
    cluster::Programs,
    law::{self, Plan, Row},
};

/// Measures the law on real clusters.
#[derive(Debug, Parser)]
struct Arguments {
    /// Only these rows; all if none is named.
    #[arg(long, value_enum, value_delimiter = ',')]
    rows: Vec<Row>,
    /// Rounds of each row.
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// Seconds for which a rate is measured.
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// Open deadlines.
    #[arg(long, default_value_t = 1_000_000)]
    deadlines: u64,
    /// Of these, due together in each round.
    #[arg(long, default_value_t = 10_000)]
    due: u64,
    /// Records of the ledger of which receipts are asked for.
    #[arg(long, default_value_t = 10_000_000)]
    records: u64,
    /// The catalog node to be measured, instead of the one beside this program.
    #[arg(long)]
    catalog_node: Option<PathBuf>,
    /// A folder for the data that is kept, or that an earlier run left; otherwise they are thrown
    /// away.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
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
    let place = tempfile::tempdir().context("a folder for the data")?;
    let folder = match &arguments.data {
        Some(folder) => folder.clone(),
        None => place.path().join("cluster"),
    };
    fs::create_dir_all(&folder)?;
    let all = vec![Row::Cases, Row::Advance, Row::Recount, Row::Proofs];
    let plan = Plan {
        rows: if arguments.rows.is_empty() { all } else { arguments.rows.clone() },
        rounds: arguments.rounds.max(1),
        time: Duration::from_secs_f64(arguments.seconds),
        deadlines: arguments.deadlines,
        due: arguments.due,
        records: arguments.records,
    };
    let programs = Programs {
        catalog_node: arguments.catalog_node.clone().unwrap_or_else(|| program("catalog-node")),
        etcd: PathBuf::new(),
    };
    let facts = machine::facts(&folder)?;
    eprintln!("{facts:#}");
    let lines = law::measure(&folder, &programs, &plan).await?;
    println!("{}", law::table(&lines));
    let record = json!({ "machine": facts, "plan": format!("{plan:?}"), "lines": lines });
    let results = root().join("bench-results");
    fs::create_dir_all(&results)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let file = results.join(format!("law-load-{now}.json"));
    fs::write(&file, format!("{record:#}\n"))?;
    eprintln!("{}", file.display());
    Ok(())
}
