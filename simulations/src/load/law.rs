//! Law under load: how fast are whole cases, and what do a million open deadlines cost when the
//! clock or the calendar moves?
//!
//! One cluster of three processes with a development clock, so that ten thousand answers can fall
//! due in the same instant. It is filled through the API: a day's cases for each round of
//! [`advance`], then, three weeks later, the rest. Every open case has two deadlines, its answer and
//! its next warning. [`proofs`] lengthens the ledger while the nodes are stopped.

mod advance;
mod cases;
mod proofs;
mod recount;

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use clap::ValueEnum;
use prost_types::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::task::JoinSet;
use tonic::transport::Channel;

use super::{
    cluster::{Cluster, Programs, System},
    rows::{CONNECTIONS, VALUE_BYTES},
    store::{Store, key, named, value},
    town::Town,
};

/// A group of rows of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Row {
    /// Whole cases beside core writes.
    Cases,
    /// The clock reaches deadlines that are due together.
    Advance,
    /// The calendar changes.
    Recount,
    /// Proofs in a long ledger.
    Proofs,
}

/// What is measured, and at which size.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The rows.
    pub rows: Vec<Row>,
    /// Rounds of each.
    pub rounds: u32,
    /// How long a rate is measured.
    pub time: Duration,
    /// Open deadlines.
    pub deadlines: u64,
    /// Of these, due together in a round.
    pub due: u64,
    /// Records of the ledger.
    pub records: u64,
}

/// One line of the table.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    /// What was measured.
    pub what: String,
    /// The floor; empty where there is none.
    pub asked: String,
    /// The figure.
    pub measured: String,
    /// Whether the floor was held.
    pub held: Option<bool>,
    /// Everything that was counted.
    pub detail: Value,
}

/// The lines as a table.
pub fn table(lines: &[Line]) -> String {
    let mut text = String::from("| what | asked | measured | held |\n| --- | --- | --- | --- |\n");
    for Line { what, asked, measured, held, .. } in lines {
        let held = match held {
            None => "",
            Some(true) => "yes",
            Some(false) => "**no**",
        };
        let _ = writeln!(text, "| {what} | {asked} | {measured} | {held} |");
    }
    text
}

/// What is kept beside the nodes, so that a filled cluster can be measured again.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Kept {
    entry: String,
    /// Rounds whose answers were filed and have not fallen due.
    first_round: u32,
    rounds: u32,
    /// Cases of a round.
    due: u64,
    filled: bool,
    /// Changes of the calendar so far: a day is closed and opened in turn.
    closures: u32,
    /// The first of the records by which the ledger was made longer.
    #[serde(default)]
    grown_from: Option<u64>,
}

/// A cluster under measurement.
struct Bench {
    cluster: Cluster,
    folder: PathBuf,
    leader: usize,
    town: Town,
    stores: Arc<[Store]>,
    kept: Kept,
    plan: Plan,
}

/// Monday, 21 September 2026, 09:00 in Asia/Shanghai.
const BEGIN_S: i64 = 1_789_952_400;
const BEGIN: &str = "2026-09-21T09:00:00+08:00";
const DAY_S: i64 = 86_400;
/// Monday, 12 October 2026, 13:00: the last day for what came on 21 September, after its last
/// warning.
const LAST_DAY_S: i64 = BEGIN_S + 21 * DAY_S + 4 * 3600;

/// Clients that fill the cluster.
const FILLERS: usize = 64;

/// Measures in `folder`: new clusters, or those that a run before this one left there. Whole cases
/// have one of their own, because the rights that they give bring deadlines with them.
pub async fn measure(folder: &Path, programs: &Programs, plan: &Plan) -> anyhow::Result<Vec<Line>> {
    let mut lines = Vec::new();
    let of_cases = |row: &&Row| **row == Row::Cases;
    for (name, rows) in [
        ("cases", plan.rows.iter().filter(of_cases).collect::<Vec<_>>()),
        ("deadlines", plan.rows.iter().filter(|row| !of_cases(row)).collect()),
    ] {
        if rows.is_empty() {
            continue;
        }
        let mut bench = Bench::open(&folder.join(name), programs, plan).await?;
        for row in rows {
            bench.cluster.check()?;
            let found = match row {
                Row::Cases => cases::measure(&mut bench).await?,
                Row::Advance => advance::measure(&mut bench).await?,
                Row::Recount => recount::measure(&mut bench).await?,
                Row::Proofs => proofs::measure(&mut bench).await?,
            };
            for line in &found {
                eprintln!("  {}: {} (asked: {})", line.what, line.measured, line.asked);
            }
            lines.extend(found);
        }
        bench.cluster.check()?;
        bench.cluster.stop()?;
    }
    Ok(lines)
}

impl Bench {
    async fn open(folder: &Path, programs: &Programs, plan: &Plan) -> anyhow::Result<Self> {
        let note = folder.join("law.json");
        let kept: Option<Kept> = match fs::read_to_string(&note) {
            Ok(text) => Some(serde_json::from_str(&text)?),
            Err(_) => None,
        };
        let mut cluster = match kept {
            Some(_) => Cluster::again(folder, programs).await?,
            None => Cluster::begin_at(System::Luqiao, folder, programs, Some(BEGIN)).await?,
        };
        let leader = cluster.until_ready().await?;
        let (town, kept) = match kept {
            Some(kept) => (Town::over(channels(&cluster, leader)?, kept.entry.clone()), kept),
            None => {
                let town = Town::found(channels(&cluster, leader)?).await?;
                let entry = town.entry().to_owned();
                let kept = Kept {
                    entry,
                    first_round: 0,
                    rounds: plan.rounds,
                    due: plan.due,
                    filled: false,
                    closures: 0,
                    grown_from: None,
                };
                (town, kept)
            }
        };
        let stores = cluster.stores(leader, CONNECTIONS)?.into();
        let (folder, plan) = (folder.to_owned(), plan.clone());
        let bench = Self { cluster, folder, leader, town, stores, kept, plan };
        bench.keep()?;
        Ok(bench)
    }

    /// Notes how far it has come.
    fn keep(&self) -> anyhow::Result<()> {
        fs::write(self.folder.join("law.json"), serde_json::to_string(&self.kept)?)?;
        Ok(())
    }

    /// Connects to whoever leads now.
    async fn follow_leader(&mut self) -> anyhow::Result<()> {
        let leader = self.cluster.until_ready().await?;
        if leader != self.leader {
            self.connect(leader)?;
        }
        Ok(())
    }

    fn connect(&mut self, leader: usize) -> anyhow::Result<()> {
        self.leader = leader;
        self.town = Town::over(channels(&self.cluster, leader)?, self.kept.entry.clone());
        self.stores = self.cluster.stores(leader, CONNECTIONS)?.into();
        Ok(())
    }

    /// A core write, for [`super::pace`].
    fn put(&self) -> impl Fn(usize, u64) -> Put + Clone + Send + Sync + 'static + use<> {
        let (stores, value) = (Arc::clone(&self.stores), value(VALUE_BYTES, 7));
        move |client, number| {
            let key = key((client as u64 * 7919 + number * 104_729) % super::rows::KEYS);
            let store = stores[client % stores.len()].clone();
            Box::pin(put(store, key, value.clone()))
        }
    }

    /// Files `count` requests.
    async fn file(&self, count: u64) -> anyhow::Result<()> {
        let next = Arc::new(AtomicU64::new(0));
        let mut tasks = JoinSet::new();
        for client in 0..FILLERS {
            let (town, next) = (self.town.clone(), Arc::clone(&next));
            tasks.spawn(async move {
                let mut sent_again = 0;
                while next.fetch_add(1, Ordering::Relaxed) < count {
                    while let Err(status) = town.ask(client).await {
                        sent_again += 1;
                        ensure!(sent_again < 100, "{}", named(&status));
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                }
                Ok(())
            });
        }
        while let Some(ended) = tasks.join_next().await {
            ended??;
        }
        Ok(())
    }

    /// Makes the deadlines, unless they are there. Afterwards it is [`LAST_DAY_S`], and the answers
    /// of the first round are due at midnight, those of the next one a day later.
    async fn fill(&mut self) -> anyhow::Result<()> {
        if self.kept.filled {
            return Ok(());
        }
        let began = Instant::now();
        for round in 0..i64::from(self.plan.rounds) {
            self.clock_to(BEGIN_S + round * DAY_S).await?;
            self.file(self.plan.due).await?;
        }
        self.clock_to(LAST_DAY_S).await?;
        // Each of them has its answer left, and all but the first round's a warning; each of the
        // rest has both.
        let early = self.plan.due * u64::from(self.plan.rounds);
        let rest = self.plan.deadlines.saturating_sub(2 * early - self.plan.due) / 2;
        self.file(rest).await?;
        self.kept.filled = true;
        self.keep()?;
        let took = began.elapsed().as_secs_f64();
        let open = self.town.status().await?.open_request_count;
        ensure!(open >= early + rest, "{open} cases are open");
        eprintln!(
            "  {open} cases are open, filed at {:.0} /s, {} MiB on three disks",
            open as f64 / took,
            size_mib(&self.folder)?
        );
        Ok(())
    }

    async fn clock_to(&self, seconds: i64) -> anyhow::Result<()> {
        let moved = self.town.clock_to(Timestamp { seconds, nanos: 0 }).await;
        moved.map_err(|status| anyhow::anyhow!(named(&status)))
    }
}

type Put = std::pin::Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

async fn put(mut store: Store, key: Bytes, value: Bytes) -> Result<(), String> {
    store.put(key, value).await.map_err(|status| named(&status))
}

fn channels(cluster: &Cluster, leader: usize) -> anyhow::Result<Vec<Channel>> {
    (0..CONNECTIONS).map(|_| cluster.channel(leader)).collect()
}

/// How much all files below `folder` hold.
fn size_mib(folder: &Path) -> anyhow::Result<u64> {
    let mut bytes = 0;
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).context("a folder of data")? {
            let entry = entry?;
            match entry.metadata() {
                Ok(found) if found.is_dir() => open.push(entry.path()),
                Ok(found) => bytes += found.len(),
                // Merged meanwhile.
                Err(_) => {}
            }
        }
    }
    Ok(bytes >> 20)
}

/// The middle of some figures, with the least and the greatest.
fn spread(mut figures: Vec<f64>) -> (f64, f64, f64) {
    figures.sort_by(f64::total_cmp);
    match (figures.first(), figures.last()) {
        (Some(least), Some(greatest)) => (figures[figures.len() / 2], *least, *greatest),
        _ => (f64::NAN, f64::NAN, f64::NAN),
    }
}
