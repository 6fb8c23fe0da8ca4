//! Receipts in a long ledger: how long does a node take to prove that a record is in it?
//!
//! The nodes are stopped and the ledger of the first is made longer by the code that makes every
//! ledger, in the node's own store; the other two get a copy of it. Its records are about the cases
//! that are open, in turn. Then the nodes run again, and receipts of records drawn by chance are
//! asked for by gRPC: each is a linearizable read, the path, the root and a signature. First while
//! nothing of it is in anybody's memory, as far as the files of the store go, then once more.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use catalog_model::name::ResourceName;
use catalog_node::{
    config::Config,
    storage::{Founding, Storage},
};
use catalog_proofs::{suite::Suite, tree::verify_inclusion};
use catalog_state::{
    keys::{Key, Table},
    ledger::{Ledger, grown},
    store::{Store as _, Writes},
    view::View,
    work::subject_of,
};
use luqiao_proto::ledger::v1::Receipt;
use serde_json::json;

use super::{Bench, Line};
use crate::load::{
    cluster::NODES,
    pace::{self, Measured},
    store::named,
};

/// Records of one write to the store.
const BATCH: u64 = 20_000;
/// Receipts asked for while the store is cold, one after the other.
const COLD: u64 = 2_000;
/// Clients that ask at the same time when it is warm.
const CLIENTS: usize = 4;
const FLOOR_MS: f64 = 5.0;

/// The ledger as it was made: from which record on, and about which cases in turn.
struct Grown {
    from: u64,
    size: u64,
    subjects: Arc<[ResourceName]>,
}

impl Grown {
    /// A record by chance.
    fn drawn(&self) -> (u64, String) {
        let record = fastrand::u64(self.from..self.size);
        let subject = &self.subjects[((record - self.from) % self.subjects.len() as u64) as usize];
        (record, subject.to_string())
    }
}

pub(super) async fn measure(bench: &mut Bench) -> anyhow::Result<Vec<Line>> {
    bench.fill().await?;
    bench.cluster.stop()?;
    let began = Instant::now();
    let grown = lengthen(&bench.folder, bench.plan.records, bench.kept.grown_from)?;
    let took = began.elapsed();
    eprintln!("  records {}..{} in {:.0} s", grown.from, grown.size, took.as_secs_f64());
    if bench.kept.grown_from.is_none() {
        for id in 2..=NODES {
            copy_state(&data(&bench.folder, 1), &data(&bench.folder, id))?;
        }
        bench.kept.grown_from = Some(grown.from);
        bench.keep()?;
    }
    forget(&bench.folder)?;
    for node in 0..NODES {
        bench.cluster.start(node)?;
    }
    let leader = bench.cluster.until_ready().await?;
    bench.connect(leader)?;
    let mut cold = Measured::default();
    for _ in 0..COLD {
        let (record, name) = grown.drawn();
        let began = Instant::now();
        let answer = bench.town.receipt(0, &name, record).await;
        let took = began.elapsed();
        let receipt = answer.map_err(|status| anyhow::anyhow!(named(&status)))?;
        proves(&receipt, record, grown.size)?;
        cold.record(took, Ok(()));
        cold.took += took;
    }
    let (grown, wrong) = (Arc::new(grown), Arc::new(Mutex::new(None)));
    let (town, found) = (bench.town.clone(), Arc::clone(&wrong));
    let ask = move |client: usize, _: u64| {
        let (town, grown, found) = (town.clone(), Arc::clone(&grown), Arc::clone(&found));
        async move {
            let (record, name) = grown.drawn();
            let answer = town.receipt(client, &name, record).await;
            let receipt = answer.map_err(|status| named(&status))?;
            if let Err(error) = proves(&receipt, record, grown.size) {
                *found.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            }
            Ok(())
        }
    };
    let one = pace::closed(1, Duration::from_secs(2), bench.plan.time, ask.clone()).await;
    let some = pace::closed(CLIENTS, Duration::from_secs(2), bench.plan.time, ask).await;
    if let Some(error) = wrong.lock().unwrap_or_else(PoisonError::into_inner).take() {
        return Err(error);
    }
    let line = |what: &str, measured: &Measured| Line {
        what: format!("receipt at {} records, {what}, p99", bench.plan.records),
        asked: format!("< {FLOOR_MS} ms"),
        measured: format!(
            "{:.2} ms (p50 {:.2}, longest {:.1}; {:.0} /s)",
            measured.within_ms(0.99),
            measured.within_ms(0.5),
            measured.times.max() as f64 / 1000.0,
            measured.rate()
        ),
        held: Some(measured.failures.is_empty() && measured.within_ms(0.99) < FLOOR_MS),
        detail: json!({ "calls": measured.to_json(), "grown_in_seconds": took.as_secs_f64() }),
    };
    Ok(vec![
        line("cold, one client", &cold),
        line("warm, one client", &one),
        line(&format!("warm, {CLIENTS} clients"), &some),
    ])
}

/// That a receipt proves what it says: the path leads from its record to the root of its head.
fn proves(receipt: &Receipt, record: u64, size: u64) -> anyhow::Result<()> {
    let head = receipt.tree_head.as_ref().context("a head")?;
    let suite = Suite::Sha256Ed25519;
    let path: Vec<[u8; 32]> =
        receipt.inclusion_proof.iter().map(|hash| (**hash).try_into()).collect::<Result<_, _>>()?;
    let root = (*head.root_hash).try_into()?;
    let leaf = suite.leaf_hash(&receipt.record);
    ensure!(receipt.leaf_index == record && head.tree_size >= size, "another record or ledger");
    ensure!(
        verify_inclusion(suite, leaf, record, head.tree_size, &path, &root),
        "the receipt of record {record} proves nothing"
    );
    Ok(())
}

fn data(folder: &Path, id: usize) -> PathBuf {
    folder.join(format!("node-{id}/data"))
}

/// Makes the first node's ledger `records` long, unless a run before this one did, `from` that
/// record on.
fn lengthen(folder: &Path, records: u64, from: Option<u64>) -> anyhow::Result<Grown> {
    let config = Config::load(&folder.join("node-1/catalog-node.toml"))?;
    let members: Vec<u64> = config.members.iter().map(|member| member.id).collect();
    let founders = Founding::Founder(&members);
    let storage = Storage::open(&data(folder, 1), config.cluster_id, config.id, founders)?;
    let store = storage.state.current();
    let table = Key::table(Table::Request);
    let subjects: Arc<[ResourceName]> = store
        .range(table.as_slice(), &table.end())
        .filter_map(|(key, _)| subject_of(View(&*store), &key))
        .collect();
    ensure!(!subjects.is_empty(), "there are cases");
    let mut size = Ledger(&*store).size();
    if let Some(from) = from {
        // What came after it is about something else.
        return Ok(Grown { from, size: size.min(records), subjects });
    }
    let from = size;
    while size < records {
        let count = BATCH.min(records - size);
        let about = |n: u64| {
            let place = (size - from + n) % subjects.len() as u64;
            subjects[place as usize].clone()
        };
        // Nothing of the Raft log: the store contains the same entries as before.
        store.commit(grown(&*store, count, about), Writes::new(), store.applied(), None);
        size += count;
    }
    store.make_durable();
    ensure!(Ledger(&*store).size() == size && size > from, "the ledger is as long as asked");
    Ok(Grown { from, size, subjects })
}

/// Puts the state of one node in the place of another's: what nodes have replicated is the same.
fn copy_state(from: &Path, to: &Path) -> anyhow::Result<()> {
    let (from, to) = (from.join("state"), to.join("state"));
    ensure!(from.is_dir() && to.is_dir(), "no state was ever replaced by a snapshot");
    fs::remove_dir_all(&to)?;
    fs::create_dir(&to)?;
    for entry in fs::read_dir(&from)? {
        let entry = entry?;
        fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}

/// Has the system forget what it holds of the stores' files.
fn forget(folder: &Path) -> anyhow::Result<()> {
    for id in 1..=NODES {
        for entry in fs::read_dir(data(folder, id).join("state"))? {
            let path = entry?.path();
            // Of a file that is not on the disk yet nothing can be forgotten.
            fs::File::open(&path)?.sync_all()?;
            let told = Command::new("dd")
                .arg(format!("if={}", path.display()))
                .args(["iflag=nocache", "count=0", "status=none"])
                .status()?;
            ensure!(told.success(), "dd takes iflag=nocache");
        }
    }
    Ok(())
}
