//! `luqiao dev`: how does a newcomer see a request travel and be answered in minutes?
//!
//! Three domains on this machine, province, city and district, each with its own cluster, gateway,
//! authority and folder; and a walk through them that does the main job and asserts every step.
//!
//! Reading order: who lives there; folders and certificates; what lies between the gateways; how
//! daemons begin and vanish; the town they make; as whom the walk calls and how it looks again; how
//! it is told; and the walk itself.

pub mod cast;

pub mod topology;

pub mod spec;

pub mod wire;

pub mod daemons;

pub mod town;

pub mod actor;

pub mod story;

pub mod walk;

mod ready;

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fs, io,
    path::{Path, PathBuf},
    sync::Mutex,
    time::Instant,
};

use catalog_node::bootstrap::LedgerHash;
use tempfile::TempDir;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::{args::Dev, both, exit::Exit, failure::Failure, output::Output};

use self::{
    cast::Level,
    daemons::Mode,
    story::{Narrator, StepEnd, Telling},
    topology::Topology,
    town::Town,
    walk::{Step, Walk},
};

/// Where the clocks of the three domains stand at the beginning, whatever this machine's says: a
/// Monday before two holidays.
pub const CLOCK_START: &str = "2026-09-21T09:00:00+08:00";
/// The same in milliseconds since 1970.
pub const CLOCK_START_MS: u64 = 1_789_952_400_000;

/// The catalog that the city takes over if no other file is named.
const SAMPLE: &str = include_str!("../data/sample_catalog.jsonl");

/// Runs `luqiao dev`. Must be driven by a thread that lives as long as it does.
pub async fn run(dev: Dev, output: Output) -> Result<Exit, Failure> {
    let broken = dev.break_step.as_deref().map(step_named).transpose()?;
    let mode = if dev.processes { Mode::processes()? } else { Mode::Here };
    let files = files_by_level(&dev.catalogs)?;
    let place = Place::take(dev.data.as_deref())?;
    let mut ends = Ends::new().map_err(no_signals)?;
    let hash = if dev.national { LedgerHash::Sm3 } else { LedgerHash::Sha256 };
    let topology = Topology::prepare_with(place.folder(), hash).await?;
    if !topology.fresh && dev.exit {
        let folder = topology.folder.display();
        return Err(Failure::usage(both!(
            "the walk in {folder} was taken already; name an empty folder, or leave out --exit",
            "{folder} 中的演示已开始过；请指定空目录，或去掉 --exit"
        )));
    }
    log_to(&topology.folder, output.verbose)?;
    let go_on = ready::how_to_go_on(&topology);
    let catalogs = catalogs(&topology.folder, files)?;
    let narrator = Narrator::new(output.lang, dev.json);

    let walked = tokio::select! {
        walked = start_and_walk(topology, mode, catalogs, broken, narrator, output) => walked,
        () = ends.asked() => return Ok(Exit::Interrupted),
    };
    let Walked { town, held } = walked;
    if let Some(town) = town {
        if !dev.exit {
            output.say(&go_on);
            ends.asked().await;
        }
        town.stop().await;
    }
    Ok(if held { Exit::Ok } else { Exit::Error })
}

/// The three domains after the walk, if they started, and whether every step held.
struct Walked {
    town: Option<Town>,
    held: bool,
}

/// Starts the domains and, if they are new, walks.
async fn start_and_walk(
    topology: Topology,
    mode: Mode,
    catalogs: BTreeMap<Level, PathBuf>,
    broken: Option<Step>,
    mut narrator: Narrator,
    output: Output,
) -> Walked {
    let fresh = topology.fresh;
    let started = Instant::now();
    let town = match Town::start(topology, mode, output.lang).await {
        Ok(town) => town,
        Err(failure) => {
            narrator.tell(&StepEnd {
                step: Step::Start.name(),
                title: Step::Start.title(),
                telling: Telling::new(false),
                failure: Some(failure.into()),
                took: started.elapsed(),
            });
            narrator.sum_up();
            return Walked { town: None, held: false };
        }
    };
    if !fresh {
        return Walked { town: Some(town), held: true };
    }
    let mut walk = Walk::new(town, catalogs);
    walk.go(&mut narrator, broken, started).await;
    Walked { held: narrator.sum_up(), town: Some(walk.town) }
}

/// The signals that ask us to end.
struct Ends {
    interrupted: Signal,
    terminated: Signal,
}

impl Ends {
    fn new() -> io::Result<Self> {
        Ok(Self {
            interrupted: signal(SignalKind::interrupt())?,
            terminated: signal(SignalKind::terminate())?,
        })
    }

    async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupted.recv() => {}
            _ = self.terminated.recv() => {}
        }
    }
}

fn step_named(name: &str) -> Result<Step, Failure> {
    Step::named(name).ok_or_else(|| {
        let names: Vec<&str> = Step::ALL.iter().map(|step| step.name()).collect();
        let names = names.join(", ");
        Failure::usage(both!(
            "no step is called `{name}`; known are {names}",
            "没有步骤“{name}”；已有 {names}"
        ))
    })
}

fn files_by_level(catalogs: &[(String, PathBuf)]) -> Result<BTreeMap<Level, PathBuf>, Failure> {
    let mut files = BTreeMap::new();
    for (domain, file) in catalogs {
        let Some(level) = Level::named(domain) else {
            return Err(Failure::usage(both!(
                "no domain `{domain}` here; known are province, city, district",
                "此处没有域“{domain}”；可用 province、city、district"
            )));
        };
        // Before anything is started for it.
        fs::metadata(file).map_err(|error| Failure::file(file, &error))?;
        if files.insert(level, file.clone()).is_some() {
            let word = level.word();
            return Err(Failure::usage(both!(
                "two catalogs are named for the {word}",
                "为 {word} 指定了两个目录"
            )));
        }
    }
    Ok(files)
}

/// The catalog of each domain; the city has the sample if no other is named.
fn catalogs(
    folder: &Path,
    mut files: BTreeMap<Level, PathBuf>,
) -> Result<BTreeMap<Level, PathBuf>, Failure> {
    if let Entry::Vacant(city) = files.entry(Level::City) {
        let file = folder.join("sample_catalog.jsonl");
        fs::write(&file, SAMPLE).map_err(|error| Failure::file(&file, &error))?;
        city.insert(file);
    }
    Ok(files)
}

/// Where everything is kept: a folder of the caller's, or one that goes when we go.
#[derive(Debug)]
enum Place {
    Named(PathBuf),
    Temporary(TempDir),
}

impl Place {
    fn take(named: Option<&Path>) -> Result<Self, Failure> {
        match named {
            Some(folder) => Ok(Self::Named(folder.to_owned())),
            None => tempfile::Builder::new()
                .prefix("luqiao-dev-")
                .tempdir()
                .map(Self::Temporary)
                .map_err(|error| Failure::file(&std::env::temp_dir(), &error)),
        }
    }

    fn folder(&self) -> &Path {
        match self {
            Self::Named(folder) => folder,
            Self::Temporary(folder) => folder.path(),
        }
    }
}

/// What nodes and gateways in this process log goes to a file; with `-v` to stderr.
fn log_to(folder: &Path, verbose: bool) -> Result<(), Failure> {
    let filter = EnvFilter::try_from_env("LUQIAO_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false);
    // A second `run` in one process keeps the first one's log.
    if verbose {
        let _ = log.with_writer(io::stderr).try_init();
    } else {
        let path = folder.join("log.txt");
        let file = fs::OpenOptions::new().create(true).append(true).open(&path);
        let file = file.map_err(|error| Failure::file(&path, &error))?;
        let _ = log.with_writer(Mutex::new(file)).try_init();
    }
    Ok(())
}

fn no_signals(error: io::Error) -> Failure {
    Failure::new(
        Exit::Error,
        "internal",
        both!("signals cannot be received: {error}", "无法接收信号：{error}"),
    )
}

#[cfg(test)]
mod tests {
    use catalog_model::time::UtcMillis;

    use super::*;

    #[test]
    fn the_walk_begins_on_the_promised_morning() {
        assert_eq!(UtcMillis(CLOCK_START_MS).local_text(), "2026-09-21 09:00:00");
        let instant: jiff::Timestamp = CLOCK_START.parse().unwrap();
        assert_eq!(instant.as_millisecond().unsigned_abs(), CLOCK_START_MS);
    }

    #[test]
    fn catalogs_are_named_by_level_or_domain_once() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let named = |names: &[&str]| {
            let catalogs: Vec<_> =
                names.iter().map(|name| ((*name).to_owned(), file.path().to_owned())).collect();
            files_by_level(&catalogs)
        };
        assert_eq!(named(&["city", "fujian"]).unwrap().len(), 2);
        assert_eq!(named(&["city", "xiamen"]).unwrap_err().exit, Exit::Usage);
        assert_eq!(named(&["county"]).unwrap_err().exit, Exit::Usage);
    }

    #[test]
    fn an_unknown_step_names_the_known_ones() {
        let failure = step_named("no-such-step").unwrap_err();
        assert!(failure.message.en.contains("leader-lost"), "{failure:?}");
        assert_eq!(step_named("overdue").unwrap(), Step::Overdue);
    }
}
