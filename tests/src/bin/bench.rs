//! `bench`: the rows of speed and memory that issue 3 asks for, measured and written down.
//!
//! Only what an optimised build shows counts; `make bench` makes one. The domains run as processes
//! of their own on the same machine as the callers, so that callers and daemons share its cores.

use std::{
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use anyhow::Context as _;
use catalog_model::{reason::Lang, time::UtcMillis};
use clap::Parser;
use federation_tests::{
    bench::{
        corpus::Corpus,
        load::Measured,
        machine,
        measure::{self, Crowd, QUERY_KINDS, detail, told},
        recount,
        report::{self, Floor, Row},
    },
    repository::root,
};
use luqiao::dev::{daemons::Mode, topology::Topology, town::Town};
use serde_json::{Value, json};

/// Measures speed and memory of three domains on this machine.
#[derive(Debug, Parser)]
struct Arguments {
    /// Entries that are listed when search is measured.
    #[arg(long, default_value_t = 15_000)]
    entries: usize,
    /// Searches in each manner.
    #[arg(long, default_value_t = 3_000)]
    searches: usize,
    /// Requests in each manner.
    #[arg(long, default_value_t = 4_000)]
    requests: usize,
    /// Clients at the same time.
    #[arg(long, default_value_t = 16)]
    clients: usize,
    /// How often `luqiao dev` is started in each manner; 0 leaves that out.
    #[arg(long, default_value_t = 3)]
    starts: usize,
    /// Below which folder the data lie, instead of the one for temporary files.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    // On this thread, because the daemons end with the thread that started them.
    runtime.block_on(run(&arguments))
}

async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let place = match &arguments.data {
        Some(folder) => tempfile::tempdir_in(folder),
        None => tempfile::tempdir(),
    }
    .context("a folder for the data")?;
    if cfg!(debug_assertions) {
        eprintln!("This build is not optimised: its numbers say nothing.");
    }
    let machine = machine::facts(place.path())?;
    let corpus = Corpus::find(place.path())?;
    eprintln!("{machine:#}\n{}: {} different titles", corpus.source, corpus.texts.len());

    let mut rows = Vec::new();
    if arguments.starts > 0 {
        rows.extend(start(arguments, place.path())?);
    }
    rows.extend(work(arguments, place.path(), &corpus).await?);

    let record = report::record(&machine, &corpus.source, &rows);
    let file = write(&record)?;
    println!("{}", report::table(&rows));
    eprintln!("{}", file.display());
    Ok(())
}

/// Until `luqiao dev` has its domains up.
fn start(arguments: &Arguments, folder: &Path) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (processes, manner) in [(false, "in one process"), (true, "as processes")] {
        eprintln!("luqiao dev, {manner}");
        let mut found = Vec::new();
        for _ in 0..arguments.starts {
            let data = tempfile::tempdir_in(folder)?;
            found.push(measure::dev_start(&data.path().join("dev"), processes)?);
        }
        let ready = measure::median(found.iter().map(|(ready, ..)| *ready).collect());
        let what = format!("`luqiao dev` ready, {manner}");
        rows.push(Row::new(what, Floor::Below(5.0), ready, "s", measure::starts(&found)));
        let walk = measure::median(found.iter().map(|(_, walk, _)| *walk).collect());
        let what = format!("`luqiao dev --exit`, the whole walk, {manner}");
        rows.push(Row::new(what, Floor::None, walk, "s", Value::Null));
    }
    Ok(rows)
}

/// All that is done in one town of processes.
async fn work(arguments: &Arguments, folder: &Path, corpus: &Corpus) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    let topology = Topology::prepare(&folder.join("town")).await.map_err(told)?;
    let mode = Mode::processes().map_err(told)?;
    let town = Town::start(topology, mode, Lang::En).await.map_err(told)?;
    let (idle, before) = (measure::memory(&town)?, measure::usage(&town)?);

    eprintln!("import of {}", corpus.file.display());
    let (counts, took) = measure::import(&town.topology, &corpus.file)?;
    let accepted = counts["accepted"].as_f64().context("the import says how many it accepted")?;
    let told_counts = json!({ "counts": counts, "seconds": took, "from": "start to end of `luqiao catalog import`" });
    rows.push(Row::new(
        "import through the gateway",
        Floor::AtLeast(3000.0),
        accepted / took,
        "entries/s",
        told_counts,
    ));
    measure::until_level(&town, 0).await?;
    recount::drafts(&town.topology, accepted as usize).await?;
    let imported = measure::memory(&town)?;

    let texts = &corpus.texts[..arguments.entries.min(corpus.texts.len())];
    eprintln!("{} entries by the ordinary path", texts.len());
    let crowd = Crowd::gather(&town.topology, arguments.clients);
    let (put, free) = crowd.publish(texts).await;
    let listed = put.times.len();
    let behind = measure::until_level(&town, listed).await?;
    let more = json!({ "listed": listed, "followers_level_after_s": behind.as_secs_f64() });
    let what = format!("{listed} entries registered, consented, submitted, published");
    rows.push(Row::new(what, Floor::None, put.rate(), "entries/s", detail(&put, more)));
    recount::listed(&town.topology, listed as usize).await?;
    let filled = measure::memory(&town)?;

    eprintln!("search");
    let queries = measure::queries(texts, arguments.searches);
    // The first calls open connections and fill caches.
    crowd.search(&queries, arguments.clients, None).await;
    let one = crowd.search(&queries, 1, None).await;
    let many = crowd.search(&queries, arguments.clients, None).await;
    let steady = crowd.search(&queries, arguments.clients, Some(half(&many))).await;
    for measured in [one, many, steady] {
        let what = format!("search over {listed} entries, p99, {}", measured.manner);
        rows.push(Row::new(
            what,
            Floor::Below(20.0),
            measured.within_ms(0.99),
            "ms",
            measured.to_json(),
        ));
    }
    for (place, kind) in QUERY_KINDS.iter().enumerate() {
        let alike: Vec<_> =
            queries.iter().skip(place).step_by(QUERY_KINDS.len()).cloned().collect();
        let measured = crowd.search(&alike, 1, None).await;
        let what = format!("search by {kind}, p99, {}", measured.manner);
        rows.push(Row::new(what, Floor::None, measured.within_ms(0.99), "ms", measured.to_json()));
    }

    eprintln!("unconditional requests");
    let (first, mut grants) = crowd.request(&free, arguments.requests / 10, None).await?;
    let (many, given) = crowd.request(&free, arguments.requests, None).await?;
    grants.extend(given);
    let (steady, given) = crowd.request(&free, arguments.requests / 2, Some(half(&many))).await?;
    grants.extend(given);
    let unclear =
        [&first, &many, &steady].iter().map(|one| one.failures.values().sum::<usize>()).sum();
    recount::grants(&town.topology, &grants, unclear).await?;
    for (measured, floor) in [(many, Floor::Below(15.0)), (steady, Floor::None)] {
        for (share, name, floor) in [(0.5, "p50", floor), (0.99, "p99", Floor::None)] {
            let what = format!("unconditional request → grant, {name}, {}", measured.manner);
            rows.push(Row::new(what, floor, measured.within_ms(share), "ms", measured.to_json()));
        }
        let what = format!("unconditional requests granted, {}", measured.manner);
        rows.push(Row::new(what, Floor::None, measured.rate(), "/s", Value::Null));
    }

    let ended = measure::memory(&town)?;
    let record = json!({
        "idle": measure::memory_record(&idle),
        "after_import": measure::memory_record(&imported),
        "after_publishing": measure::memory_record(&filled),
        "at_the_end": measure::memory_record(&ended),
    });
    let what = format!("resident memory of the greatest node, {listed} entries listed");
    rows.push(Row::new(what, Floor::Below(300.0), measure::greatest_node(&ended), "MB", record));
    let others = measure::usage(&town)?.others_since(before);
    rows.push(Row::new(
        "processors taken by others meanwhile",
        Floor::None,
        others,
        "%",
        Value::Null,
    ));
    town.stop().await;
    Ok(rows)
}

/// Half of what a crowd that never pauses gets: busy, but not full.
fn half(measured: &Measured) -> u32 {
    (measured.rate() / 2.0).max(1.0) as u32
}

fn write(record: &Value) -> anyhow::Result<PathBuf> {
    let folder = root().join("bench-results");
    fs::create_dir_all(&folder)?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    let time: String =
        UtcMillis(now.as_millis() as u64).local_text().replace(' ', "T").replace(':', "");
    let file = folder.join(format!("issue3-{time}.json"));
    fs::write(&file, format!("{record:#}\n"))?;
    Ok(file)
}
