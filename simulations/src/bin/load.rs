//! `load`: calls on a cluster, at a fixed rate or as fast as so many clients can, with the times
//! that they took.
//!
//! Starts three processes for it, as `compare_etcd` does, and prints one JSON object.

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context as _;
use clap::{Parser, ValueEnum};
use federation_tests::repository::program;
use serde_json::json;
use simulations::load::{
    cluster::{Cluster, Programs, System},
    lawful::Entries,
    pace::{self, Measured},
    rows::CONNECTIONS,
    store::{Store, key, named, value},
};

/// What is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Operation {
    /// Writes of one key.
    Put,
    /// Linearizable reads of one key.
    Get,
    /// Linearizable reads of 1,000 keys.
    List,
    /// `UpdateEntry`; not of etcd.
    Update,
}

/// Puts load on a cluster of three processes.
#[derive(Debug, Parser)]
struct Arguments {
    /// What is called.
    #[arg(value_enum)]
    operation: Operation,
    /// etcd at this path instead of catalog nodes.
    #[arg(long)]
    etcd: Option<PathBuf>,
    /// Calls begun in each second, whatever came of those before; without it `clients` call again
    /// and again.
    #[arg(long)]
    rate: Option<u32>,
    /// Clients at the same time.
    #[arg(long, default_value_t = 64)]
    clients: usize,
    /// Seconds.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// Keys.
    #[arg(long, default_value_t = 10_000)]
    keys: u64,
    /// Bytes of a value.
    #[arg(long, default_value_t = 256)]
    bytes: usize,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    // On this thread, because the processes end with the thread that started them.
    runtime.block_on(run(&arguments))
}

async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let place = tempfile::tempdir().context("a folder for the data")?;
    let system = if arguments.etcd.is_some() { System::Etcd } else { System::Luqiao };
    let programs = Programs {
        catalog_node: match system {
            System::Luqiao => program("catalog-node"),
            System::Etcd => PathBuf::new(),
        },
        etcd: arguments.etcd.clone().unwrap_or_default(),
    };
    let mut cluster = Cluster::begin(system, &place.path().join("cluster"), &programs).await?;
    let leader = cluster.until_ready().await?;
    let stores: Arc<[Store]> = cluster.stores(leader, CONNECTIONS)?.into();
    let sent = value(arguments.bytes, 7);
    for number in 0..arguments.keys {
        let mut store = stores[number as usize % stores.len()].clone();
        store.put(key(number), sent.clone()).await?;
    }
    let entries = if arguments.operation == Operation::Update {
        let channels = (0..CONNECTIONS).map(|_| cluster.channel(leader));
        let channels = channels.collect::<Result<Vec<_>, _>>()?;
        Some(Entries::register(channels, arguments.clients).await?)
    } else {
        None
    };
    let (operation, keys, clients) = (arguments.operation, arguments.keys, arguments.clients);
    let call = move |client: usize, number: u64| {
        let mut store = stores[client % stores.len()].clone();
        let (entries, sent) = (entries.clone(), sent.clone());
        let place = number.wrapping_mul(7919).wrapping_add(client as u64 * 104_729) % keys;
        async move {
            let done = match operation {
                Operation::Put => store.put(key(place), sent).await,
                Operation::Get => store.get(key(place)).await.map(drop),
                Operation::List => store.list(key(place), 1000).await.map(drop),
                Operation::Update => match &entries {
                    Some(entries) => entries.update(client, number).await,
                    None => Ok(()),
                },
            };
            done.map_err(|status| named(&status))
        }
    };
    let time = Duration::from_secs_f64(arguments.seconds);
    let measured: Measured = match arguments.rate {
        Some(rate) => {
            let call = move |number: u64| call(number as usize % clients, number);
            pace::open(rate, time, call).await
        }
        None => pace::closed(clients, Duration::from_secs(1), time, call).await,
    };
    let mut told = measured.to_json();
    told["operation"] = json!(format!("{operation:?}").to_lowercase());
    told["system"] = json!(system);
    told["manner"] = match arguments.rate {
        Some(rate) => json!({ "open": rate }),
        None => json!({ "closed": clients }),
    };
    println!("{told:#}");
    cluster.stop()?;
    Ok(())
}
