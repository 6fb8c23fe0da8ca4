//! Machine: on what was it measured, and how much memory does a process take?

use std::{
    fs::{self, File},
    io::Write as _,
    path::Path,
    process::Command,
    thread,
    time::Instant,
};

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use crate::repository::root;

/// How often a small write is synced, to know what the disk asks for that.
const SYNCS: usize = 200;

/// What a reader needs in order to compare numbers.
pub fn facts(data: &Path) -> anyhow::Result<Value> {
    let (p50, p99) = sync_cost(data).context("the disk cannot be tried")?;
    let memory = field(&fs::read_to_string("/proc/meminfo")?, "MemTotal:");
    Ok(json!({
        "cpu": cpu(),
        "cores": thread::available_parallelism()?.get(),
        "memory_mib": memory.map(|kib| kib / 1024),
        "kernel": line("/proc/sys/kernel/osrelease"),
        "load_before": line("/proc/loadavg"),
        "file_system": file_system(data),
        "sync_4k_us": { "p50": p50, "p99": p99 },
        "rustc": said_by("rustc", &["--version"]),
        "commit": said_by("git", &["rev-parse", "HEAD"]),
        "changed_files": said_by("git", &["status", "--porcelain"]).map(|text| text.lines().count()),
        "optimised": !cfg!(debug_assertions),
    }))
}

/// Microseconds for a write of 4 KiB with `fdatasync` beside `data`: middle, and 99 of 100.
fn sync_cost(data: &Path) -> anyhow::Result<(u64, u64)> {
    let path = data.join("sync-probe");
    let mut file = File::create(&path)?;
    let mut costs = Vec::with_capacity(SYNCS);
    for _ in 0..SYNCS {
        let began = Instant::now();
        file.write_all(&[0x5a; 4096])?;
        file.sync_data()?;
        costs.push(began.elapsed().as_micros() as u64);
    }
    fs::remove_file(&path)?;
    costs.sort_unstable();
    Ok((costs[SYNCS / 2], costs[SYNCS * 99 / 100]))
}

fn cpu() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let model = text.lines().find(|line| line.starts_with("model name"))?;
    Some(model.split_once(':')?.1.trim().to_owned())
}

fn line(path: &str) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

/// The kind of file system that holds `path`: that of the longest mount point above it.
fn file_system(path: &Path) -> Option<String> {
    let mounts = fs::read_to_string("/proc/mounts").ok()?;
    let fields = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let above = fields.filter(|fields| fields.len() > 2 && path.starts_with(fields[1]));
    above.max_by_key(|fields| fields[1].len()).map(|fields| fields[2].to_owned())
}

fn said_by(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).current_dir(root()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// The first number behind `name` in a file of `/proc`.
fn field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// How much of the processors was used up to some moment, in ticks of the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// What they could have done.
    all: u64,
    /// What they did.
    busy: u64,
    /// What of it some processes of ours did.
    own: u64,
}

impl Usage {
    /// Until now, by this process and those with the ids of `daemons`.
    pub fn until_now(daemons: impl Iterator<Item = u32>) -> anyhow::Result<Self> {
        let stat = fs::read_to_string("/proc/stat")?;
        let line = stat.lines().next().unwrap_or_default();
        let ticks: Vec<u64> =
            line.split_whitespace().skip(1).take(8).flat_map(str::parse).collect();
        let &[user, nice, system, idle, wait, interrupts, deferred, stolen] = ticks.as_slice()
        else {
            bail!("unknown form of /proc/stat: {line}");
        };
        let busy = user + nice + system + interrupts + deferred + stolen;
        let mut own = 0;
        for id in daemons.chain([std::process::id()]) {
            let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
            // The name, in parentheses, may hold anything.
            let (_, fields) = stat.rsplit_once(')').context("a process has a name")?;
            own +=
                fields.split_whitespace().skip(11).take(2).flat_map(str::parse::<u64>).sum::<u64>();
        }
        Ok(Self { all: busy + idle + wait, busy, own })
    }

    /// Which share of the processors went to others since `before`, in percent. What the kernel
    /// does for nobody in particular counts as others'.
    pub fn others_since(self, before: Self) -> f64 {
        let others = (self.busy - before.busy).saturating_sub(self.own - before.own);
        others as f64 * 100.0 / (self.all - before.all).max(1) as f64
    }
}

/// Memory of a process, in KiB.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Memory {
    /// All that is resident.
    pub resident: u64,
    /// Of it, what no file backs.
    pub anonymous: u64,
    /// The most that was ever resident.
    pub peak: u64,
}

impl Memory {
    /// What process `id` takes now.
    pub fn of(id: u32) -> anyhow::Result<Self> {
        let text = fs::read_to_string(format!("/proc/{id}/status"))?;
        let name = text.lines().next().unwrap_or_default();
        // Between fork and exec it is somebody else's memory.
        if !name.ends_with("catalog-node") && !name.ends_with("gateway") {
            bail!("process {id} is no daemon of ours: {name}");
        }
        let kib =
            |name: &str| field(&text, name).with_context(|| format!("{name} of process {id}"));
        Ok(Self { resident: kib("VmRSS:")?, anonymous: kib("RssAnon:")?, peak: kib("VmHWM:")? })
    }

    /// For the record, in MiB.
    pub fn to_json(self) -> Value {
        let mib = |kib: u64| (kib as f64 / 102.4).round() / 10.0;
        json!({
            "rss_mib": mib(self.resident),
            "rss_anon_mib": mib(self.anonymous),
            "peak_rss_mib": mib(self.peak),
        })
    }
}
