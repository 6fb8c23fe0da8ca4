//! Rows: what is measured of one cluster, in which order?

use std::{
    cell::Cell,
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use bytes::{BufMut as _, Bytes, BytesMut};
use clap::ValueEnum;
use federation_tests::bench::corpus::Corpus;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::{
    cluster::{Cluster, Programs, System},
    gap::Writers,
    lawful::Entries,
    pace::{self, Arrivals, Measured},
    store::{Store, key, named, value},
};

/// Bytes of a value.
pub const VALUE_BYTES: usize = 256;
/// Keys that are written and read again and again.
pub const KEYS: u64 = 10_000;
/// Keys of a large store.
pub const MANY_KEYS: u64 = 1_000_000;
/// Connections to the leader.
pub const CONNECTIONS: usize = 8;
/// Keys that one list call reads.
pub const LISTED: u32 = 1000;
/// Clients that list.
pub const LISTERS: usize = 16;
/// Watchers, each of which hears everything.
pub const WATCHERS: usize = 64;
/// Writes a second while they watch.
pub const WATCHED_RATE: u32 = 200;
/// Commands of one new version: change, consent, submission, publication.
const COMMANDS_A_REVISION: f64 = 4.0;
/// Unanswered puts of one stream.
const AHEAD: usize = 1024;

/// A group of rows of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Row {
    /// Unary writes of 64 and 256 clients.
    Core,
    /// `UpdateEntry` of 64 and 256 clients; of etcd nothing.
    Lawful,
    /// New versions of published entries, 64 and 256 clients; of etcd nothing.
    Revise,
    /// Writes by stream; of etcd nothing.
    Stream,
    /// Linearizable reads of 64 and 256 clients.
    Read,
    /// Lists of 1,000.
    List,
    /// 64 watchers.
    Watch,
    /// The leader hands over.
    Transfer,
    /// The leader vanishes.
    Kill,
    /// A million keys: memory, restart, throughput.
    Million,
    /// A million catalog entries: the same, of `UpdateEntry`; of etcd nothing.
    Entries,
}

/// Name of a figure: calls in a second.
const RATE: &str = "per_second";

/// What a cluster showed, by the name of the row.
pub type Figures = BTreeMap<String, Value>;

/// How long and what.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The rows.
    pub rows: Vec<Row>,
    /// How long each is measured.
    pub time: Duration,
    /// How long each goes on before that.
    pub warm_up: Duration,
}

/// Measures a cluster that is made for it in `folder`.
pub async fn measure(
    system: System,
    folder: &Path,
    programs: &Programs,
    plan: &Plan,
) -> anyhow::Result<Figures> {
    let mut cluster = Cluster::begin(system, folder, programs).await?;
    let mut figures = Figures::new();
    let mut leader = cluster.until_ready().await?;
    let bench = Bench { stores: Arc::default(), plan: plan.clone() };
    bench.over(&cluster, leader)?.fill(KEYS).await?;
    for row in &plan.rows {
        cluster.check()?;
        leader = cluster.until_ready().await?;
        let bench = bench.over(&cluster, leader)?;
        let since = Cell::new((Instant::now(), cluster.cpu_seconds()?));
        let mut add = |cluster: &Cluster, name: String, mut value: Value| -> anyhow::Result<()> {
            if let Some(rate) = value[RATE].as_f64() {
                let (began, (nodes, own)) = since.get();
                let (nodes_now, own_now) = cluster.cpu_seconds()?;
                // Time that others take from us lowers the rate, and hardly this.
                let a_call = |used: f64| used / began.elapsed().as_secs_f64() / rate * 1e6;
                value["nodes_cpu_us"] = json!(a_call(nodes_now - nodes));
                value["callers_cpu_us"] = json!(a_call(own_now - own));
                since.set((Instant::now(), (nodes_now, own_now)));
            }
            eprintln!("  {system:?} {name}: {}", short(&value));
            figures.insert(name, value);
            Ok(())
        };
        match row {
            Row::Core => {
                for clients in [64, 256] {
                    let measured = bench.put(clients, KEYS).await;
                    add(&cluster, format!("core_{clients}"), measured.to_json())?;
                }
            }
            Row::Read => {
                for clients in [64, 256] {
                    let measured = bench.get(clients).await;
                    add(&cluster, format!("read_{clients}"), measured.to_json())?;
                }
            }
            Row::List => add(&cluster, "list".to_owned(), bench.list().await.to_json())?,
            Row::Lawful if system == System::Luqiao => {
                let channels = (0..CONNECTIONS).map(|_| cluster.channel(leader));
                let entries = Entries::register(channels.collect::<Result<_, _>>()?, 256).await?;
                since.set((Instant::now(), cluster.cpu_seconds()?));
                for clients in [64, 256] {
                    let measured = bench.lawful(clients, &entries).await;
                    entries.holds(clients - 1).await?;
                    add(&cluster, format!("lawful_{clients}"), measured.to_json())?;
                }
            }
            Row::Revise if system == System::Luqiao => {
                let channels = (0..CONNECTIONS).map(|_| cluster.channel(leader));
                let entries = Entries::publish(channels.collect::<Result<_, _>>()?, 256).await?;
                since.set((Instant::now(), cluster.cpu_seconds()?));
                for clients in [64, 256] {
                    let measured = bench.revise(clients, &entries).await;
                    entries.holds(clients - 1).await?;
                    let mut told = measured.to_json();
                    told["commands_per_second"] = json!(measured.rate() * COMMANDS_A_REVISION);
                    add(&cluster, format!("revise_{clients}"), told)?;
                }
            }
            Row::Stream if system == System::Luqiao => {
                let rate = bench.stream().await?;
                add(&cluster, "stream".to_owned(), json!({ RATE: rate }))?;
            }
            Row::Watch => add(&cluster, "watch".to_owned(), bench.watch().await?)?,
            Row::Transfer => {
                let told = transfer(&mut cluster).await?;
                add(&cluster, "transfer".to_owned(), told)?;
            }
            Row::Kill => {
                let told = kill(&mut cluster).await?;
                add(&cluster, "kill".to_owned(), told)?;
            }
            Row::Million => {
                let before = bench.put(64, KEYS).await;
                bench.fill(MANY_KEYS).await?;
                sleep(Duration::from_secs(3)).await;
                let after = bench.put(64, MANY_KEYS).await;
                let resident = cluster.resident_mib()?;
                let ready = restart(&mut cluster).await?;
                let told = json!({
                    "resident_mib": resident,
                    "restart_seconds": ready.as_secs_f64(),
                    "at_10k": before.to_json(),
                    "at_1m": after.to_json(),
                    "kept": after.rate() / before.rate(),
                    "resident_after_restart_mib": cluster.resident_mib()?,
                });
                add(&cluster, "million".to_owned(), told)?;
            }
            Row::Entries if system == System::Luqiao => {
                let channels = || -> anyhow::Result<Vec<_>> {
                    (0..CONNECTIONS).map(|_| cluster.channel(leader)).collect()
                };
                let corpus = Corpus::find(folder)?;
                let entries = Entries::register(channels()?, 64).await?;
                let before = bench.lawful(64, &entries).await;
                let began = Instant::now();
                Entries::import(channels()?, &corpus.texts, MANY_KEYS).await?;
                let imported = began.elapsed();
                sleep(Duration::from_secs(3)).await;
                let after = bench.lawful(64, &entries).await;
                let resident = cluster.resident_mib()?;
                let ready = restart(&mut cluster).await?;
                let told = json!({
                    "entries": MANY_KEYS,
                    "source": corpus.source,
                    "imported_per_second": MANY_KEYS as f64 / imported.as_secs_f64(),
                    "resident_mib": resident,
                    "restart_seconds": ready.as_secs_f64(),
                    "before": before.to_json(),
                    "after": after.to_json(),
                    "kept": after.rate() / before.rate(),
                    "resident_after_restart_mib": cluster.resident_mib()?,
                });
                add(&cluster, "entries".to_owned(), told)?;
            }
            Row::Lawful | Row::Revise | Row::Stream | Row::Entries => {}
        }
    }
    cluster.check()?;
    cluster.stop()?;
    Ok(figures)
}

/// Ends all nodes, starts them, and says how long it took until a read was answered.
async fn restart(cluster: &mut Cluster) -> anyhow::Result<Duration> {
    cluster.stop()?;
    let began = Instant::now();
    for node in 0..super::cluster::NODES {
        cluster.start(node)?;
    }
    cluster.until_ready().await?;
    Ok(began.elapsed())
}

fn short(value: &Value) -> String {
    let number = |name: &str| value[name].as_f64().map(|number| format!("{name} {number:.2}"));
    let names = [
        RATE,
        "p50_ms",
        "p99_ms",
        "gap_ms",
        "restart_seconds",
        "kept",
        "commands_per_second",
        "imported_per_second",
        "nodes_cpu_us",
        "callers_cpu_us",
    ];
    let mut shown: Vec<String> = names.iter().filter_map(|name| number(name)).collect();
    for name in ["failures", "failed_attempts", "resident_mib"] {
        if !value[name].is_null() && value[name] != json!({}) {
            shown.push(format!("{name} {}", value[name]));
        }
    }
    shown.join(", ")
}

/// The calls of a row, over the connections to one leader.
struct Bench {
    stores: Arc<[Store]>,
    plan: Plan,
}

impl Bench {
    fn over(&self, cluster: &Cluster, leader: usize) -> anyhow::Result<Self> {
        let stores = cluster.stores(leader, CONNECTIONS)?.into();
        Ok(Self { stores, plan: self.plan.clone() })
    }

    fn store(&self, client: usize) -> Store {
        self.stores[client % self.stores.len()].clone()
    }

    /// Writes every key below `keys` once.
    async fn fill(&self, keys: u64) -> anyhow::Result<()> {
        let streams = self.stores.len() as u64;
        let mut tasks = tokio::task::JoinSet::new();
        let done = Arc::new(Arrivals::default());
        for stream in 0..streams {
            let mut store = self.store(stream as usize);
            let done = Arc::clone(&done);
            let puts = (stream..keys)
                .step_by(streams as usize)
                .map(move |number| (key(number), value(VALUE_BYTES, number)));
            tasks.spawn(async move { store.stream(puts, AHEAD, done).await });
        }
        while let Some(ended) = tasks.join_next().await {
            ended?.map_err(|status| anyhow::anyhow!(named(&status)))?;
        }
        let found = self.store(0).get(key(keys - 1)).await?;
        ensure!(found == Some(value(VALUE_BYTES, keys - 1)), "the last key was written");
        Ok(())
    }

    async fn put(&self, clients: usize, keys: u64) -> Measured {
        let stores = Arc::clone(&self.stores);
        let value = value(VALUE_BYTES, 7);
        let call = move |client: usize, number: u64| {
            let mut store = stores[client % stores.len()].clone();
            let key = key(mixed(client, number) % keys);
            let value = value.clone();
            async move { store.put(key, value).await.map_err(|status| named(&status)) }
        };
        pace::closed(clients, self.plan.warm_up, self.plan.time, call).await
    }

    async fn get(&self, clients: usize) -> Measured {
        let stores = Arc::clone(&self.stores);
        let call = move |client: usize, number: u64| {
            let mut store = stores[client % stores.len()].clone();
            let key = key(mixed(client, number) % KEYS);
            async move {
                match store.get(key).await {
                    Ok(Some(value)) if value.len() == VALUE_BYTES => Ok(()),
                    Ok(_) => Err("another value".to_owned()),
                    Err(status) => Err(named(&status)),
                }
            }
        };
        pace::closed(clients, self.plan.warm_up, self.plan.time, call).await
    }

    async fn list(&self) -> Measured {
        let stores = Arc::clone(&self.stores);
        let call = move |client: usize, number: u64| {
            let mut store = stores[client % stores.len()].clone();
            let from = key(mixed(client, number) % (KEYS - u64::from(LISTED)));
            async move {
                match store.list(from, LISTED).await {
                    Ok(found) if found == LISTED as usize => Ok(()),
                    Ok(found) => Err(format!("{found} found")),
                    Err(status) => Err(named(&status)),
                }
            }
        };
        pace::closed(LISTERS, self.plan.warm_up, self.plan.time, call).await
    }

    async fn lawful(&self, clients: usize, entries: &Entries) -> Measured {
        let entries = entries.clone();
        let call = move |client: usize, number: u64| {
            let entries = entries.clone();
            async move { entries.update(client, number).await.map_err(|status| named(&status)) }
        };
        pace::closed(clients, self.plan.warm_up, self.plan.time, call).await
    }

    async fn revise(&self, clients: usize, entries: &Entries) -> Measured {
        let entries = entries.clone();
        let call = move |client: usize, number: u64| {
            let entries = entries.clone();
            async move { entries.revise(client, number).await.map_err(|status| named(&status)) }
        };
        pace::closed(clients, self.plan.warm_up, self.plan.time, call).await
    }

    async fn stream(&self) -> anyhow::Result<f64> {
        let done = Arc::new(Arrivals::default());
        let mut tasks = tokio::task::JoinSet::new();
        let value = value(VALUE_BYTES, 7);
        for stream in 0..self.stores.len() {
            let (mut store, done, value) = (self.store(stream), Arc::clone(&done), value.clone());
            let puts = (0..).map(move |number| (key(mixed(stream, number) % KEYS), value.clone()));
            tasks.spawn(async move { store.stream(puts, AHEAD, done).await });
        }
        let measured = done.rate(self.plan.warm_up, self.plan.time);
        tokio::select! {
            rate = measured => Ok(rate),
            Some(ended) = tasks.join_next() => {
                ended?.map_err(|status| anyhow::anyhow!(named(&status)))?;
                anyhow::bail!("a stream ended")
            }
        }
    }

    /// From the call of a write to its arrival at each watcher.
    async fn watch(&self) -> anyhow::Result<Value> {
        let base = Instant::now();
        let times: Arc<[Mutex<Measured>]> = (0..WATCHERS).map(|_| Mutex::default()).collect();
        let mut watchers = tokio::task::JoinSet::new();
        for watcher in 0..WATCHERS {
            let times = Arc::clone(&times);
            let seen = move |value: &Bytes| {
                let Some(sent) = value.first_chunk().map(|sent| u64::from_be_bytes(*sent)) else {
                    return;
                };
                let took = base.elapsed().saturating_sub(Duration::from_nanos(sent));
                times[watcher].lock().unwrap_or_else(PoisonError::into_inner).record(took, Ok(()));
            };
            self.store(watcher).watch(&mut watchers, seen).await?;
        }
        let stores = Arc::clone(&self.stores);
        let put = move |number: u64| {
            let mut store = stores[number as usize % stores.len()].clone();
            async move {
                let mut value = BytesMut::with_capacity(VALUE_BYTES);
                value.put_u64(base.elapsed().as_nanos() as u64);
                value.resize(VALUE_BYTES, 7);
                let put = store.put(key(number % KEYS), value.freeze());
                put.await.map_err(|status| named(&status))
            }
        };
        let written = pace::open(WATCHED_RATE, self.plan.time, put).await;
        let all = written.times.len() * WATCHERS as u64;
        let arrived = || -> u64 {
            let count = |one: &Mutex<Measured>| {
                one.lock().unwrap_or_else(PoisonError::into_inner).times.len()
            };
            times.iter().map(count).sum()
        };
        let everything = async {
            while arrived() < all {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(10), everything)
            .await
            .with_context(|| format!("{} of {all} events arrived", arrived()))?;
        watchers.shutdown().await;
        let mut measured = Measured { took: written.took, ..Measured::default() };
        for one in times.iter() {
            measured.merge(&one.lock().unwrap_or_else(PoisonError::into_inner));
        }
        measured.failures = written.failures;
        Ok(measured.to_json())
    }
}

/// Spreads calls over the keys, in the same way for both systems.
fn mixed(client: usize, number: u64) -> u64 {
    (client as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(number * 7919) >> 3
}

async fn transfer(cluster: &mut Cluster) -> anyhow::Result<Value> {
    const TIMES: usize = 3;
    let mut gaps = Vec::new();
    for _ in 0..TIMES {
        let leader = cluster.until_ready().await?;
        let writers = Writers::begin(cluster, leader, value(VALUE_BYTES, 7))?;
        sleep(Duration::from_millis(1500)).await;
        let from = Instant::now();
        let told = cluster.transfer(leader).await;
        let took = from.elapsed();
        sleep(Duration::from_secs(1)).await;
        let gap = writers.end(from).await;
        let mut one = gap.to_json();
        one["command_ms"] = json!(took.as_micros() as f64 / 1000.0);
        if let Err(error) = told {
            one["refused"] = json!(error.to_string());
        }
        gaps.push((gap.longest, gap.failures(), one));
    }
    gaps.sort_by_key(|(longest, ..)| *longest);
    let (median, ..) = gaps[TIMES / 2];
    let failed: u64 = gaps.iter().map(|(_, failed, _)| failed).sum();
    Ok(json!({
        "gap_ms": median.as_micros() as f64 / 1000.0,
        "failed_attempts": failed as f64 / TIMES as f64,
        "each": gaps.into_iter().map(|(.., one)| one).collect::<Vec<_>>(),
    }))
}

async fn kill(cluster: &mut Cluster) -> anyhow::Result<Value> {
    let leader = cluster.until_ready().await?;
    let writers = Writers::begin(cluster, leader, value(VALUE_BYTES, 7))?;
    sleep(Duration::from_millis(1500)).await;
    let from = Instant::now();
    cluster.kill(leader)?;
    sleep(Duration::from_secs(5)).await;
    let gap = writers.end(from).await;
    cluster.start(leader)?;
    let mut told = gap.to_json();
    told["failed_attempts"] = json!(gap.failures());
    told["failed_by_name"] = json!(gap.failed);
    Ok(told)
}
