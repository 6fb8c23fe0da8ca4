//! `simulate`: runs seeds and tells whether every promise held, tells one of them in full, or makes a
//! failure small.

use std::{
    collections::BTreeMap,
    process::ExitCode,
    sync::{Mutex, atomic::AtomicU64, atomic::Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use clap::{Args, Parser, Subcommand};
use simulations::{
    report::{Report, Summary},
    scenario::Scenario,
    shrink,
    world::{self, Options, Part},
};

/// Simulated clusters under faults, from seeds.
#[derive(Debug, Parser)]
#[command(name = "simulate")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs many seeds; exit code 0 only if all of them hold.
    Run {
        /// The seeds, both ends included: `1..200`, or a single one.
        #[arg(long, value_parser = seeds)]
        seeds: (u64, u64),
        #[command(flatten)]
        kind: KindOfRun,
        /// Shows every run, not only those that fail.
        #[arg(short, long)]
        verbose: bool,
        /// How many run at once; by default as many as there are processors.
        #[arg(long)]
        jobs: Option<usize>,
        /// Begins no seed after so many minutes, and says how many were left.
        #[arg(long)]
        minutes: Option<u64>,
    },
    /// Runs one seed; the last line is the hash over everything that happened.
    Replay {
        /// The seed.
        #[arg(long)]
        seed: u64,
        #[command(flatten)]
        kind: KindOfRun,
        #[command(flatten)]
        part: PartOfPlan,
        /// Tells everything that happens.
        #[arg(short, long)]
        verbose: bool,
    },
    /// Looks for fewer faults, clients and seconds that break the same promise.
    Shrink {
        /// The seed.
        #[arg(long)]
        seed: u64,
        #[command(flatten)]
        kind: KindOfRun,
    },
    /// Shows of every mutation what caught it; each must still be caught by its seed.
    #[cfg(feature = "mutations")]
    Mutations {
        /// Looks for new seeds instead, and rewrites the file.
        #[arg(long)]
        search: bool,
        /// Where to look.
        #[arg(long, value_parser = seeds, default_value = "1..200")]
        seeds: (u64, u64),
        /// Only these.
        #[arg(long, value_delimiter = ',')]
        only: Vec<String>,
        /// The file of seeds.
        #[arg(long, default_value = "simulations/seeds/mutations.txt")]
        file: std::path::PathBuf,
        /// How many run at once; by default as many as there are processors.
        #[arg(long)]
        jobs: Option<usize>,
    },
}

#[derive(Args, Debug)]
struct KindOfRun {
    /// The kind of world: `standard`, `harsh`, `membership` or `two-sites`.
    #[arg(long, default_value = "standard")]
    scenario: Scenario,
    /// A line of the product to make faulty, by the name of its mutation.
    #[cfg(feature = "mutations")]
    #[arg(long)]
    mutate: Option<String>,
}

impl KindOfRun {
    #[cfg_attr(not(feature = "mutations"), expect(clippy::unnecessary_wraps, reason = "see below"))]
    fn options(&self) -> anyhow::Result<Options> {
        let options = Options { scenario: self.scenario, ..Options::default() };
        #[cfg(feature = "mutations")]
        if let Some(name) = &self.mutate {
            let mutation = catalog_mutation::Mutation::named(name);
            let mutation = mutation.with_context(|| format!("there is no mutation `{name}`"))?;
            return Ok(Options { mutation: Some(mutation), ..options });
        }
        Ok(options)
    }
}

#[derive(Args, Debug)]
struct PartOfPlan {
    /// Only these faults of the plan, by their places; `none` for no fault.
    #[arg(long)]
    faults: Option<String>,
    /// So many clients.
    #[arg(long)]
    clients: Option<u64>,
    /// Faults end at this virtual millisecond.
    #[arg(long)]
    until: Option<u64>,
}

impl PartOfPlan {
    fn part(&self) -> anyhow::Result<Option<Part>> {
        match (&self.faults, self.clients, self.until) {
            (None, None, None) => Ok(None),
            (Some(faults), Some(clients), Some(until)) => {
                let places = faults.split(',').filter(|place| *place != "none");
                let faults = places
                    .map(|place| place.trim().parse().with_context(|| format!("`{place}`")))
                    .collect::<anyhow::Result<_>>()?;
                Ok(Some(Part { faults, clients, until }))
            }
            _ => bail!("a part of a plan needs --faults, --clients and --until"),
        }
    }
}

fn seeds(text: &str) -> anyhow::Result<(u64, u64)> {
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    let number = |text: &str| text.trim().parse().with_context(|| format!("`{text}` is no seed"));
    let (first, last) = (number(first)?, number(last)?);
    if first > last {
        bail!("`{text}` holds no seed");
    }
    Ok((first, last))
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    // A panic is a finding of the run it ends, and told there.
    std::panic::set_hook(Box::new(|_| {}));
    Ok(match arguments.command {
        Command::Run { seeds, kind, verbose, jobs, minutes } => {
            let jobs = jobs.unwrap_or_else(processors);
            run(seeds, &kind.options()?, verbose, jobs, minutes.map(Duration::from_mins))
        }
        Command::Replay { seed, kind, part, verbose } => {
            let options = Options { tell: verbose, part: part.part()?, ..kind.options()? };
            let report = world::run(seed, &options);
            if verbose {
                for (place, fault) in report.planned.iter().enumerate() {
                    println!("{place}: {fault}");
                }
            }
            println!("{report}");
            println!("{}", report.trace);
            exit_code(report.passed())
        }
        Command::Shrink { seed, kind } => {
            let options = kind.options()?;
            let progress = |part: &Part| eprintln!("still breaks with {part}");
            let shrunken = shrink::shrink(seed, &options, progress);
            match &shrunken {
                Some(shrunken) => println!("{shrunken}"),
                None => println!("seed {seed} breaks nothing"),
            }
            exit_code(shrunken.is_none())
        }
        #[cfg(feature = "mutations")]
        Command::Mutations { search, seeds, only, file, jobs } => {
            let jobs = jobs.unwrap_or_else(processors);
            exit_code(mutate::mutations(search, seeds, &only, &file, jobs)?)
        }
    })
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn run(
    (first, last): (u64, u64),
    options: &Options,
    verbose: bool,
    jobs: usize,
    at_most: Option<Duration>,
) -> ExitCode {
    let began = Instant::now();
    let next = AtomicU64::new(first);
    let done = Mutex::new((first, BTreeMap::new(), Summary::default()));
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                loop {
                    if at_most.is_some_and(|at_most| began.elapsed() > at_most) {
                        return;
                    }
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed > last {
                        return;
                    }
                    let report = world::run(seed, options);
                    let mut done = done.lock().expect("no holder panics");
                    let (shown, waiting, summary) = &mut *done;
                    waiting.insert(seed, report);
                    // In the order of seeds, whoever was first.
                    while let Some(report) = waiting.remove(&*shown) {
                        show(&report, verbose);
                        summary.add(&report);
                        *shown += 1;
                    }
                }
            });
        }
    });
    let (shown, _, summary) = done.into_inner().expect("no holder panics");
    if shown <= last {
        println!("the time was over before seed {shown}: {} seeds were not run", last + 1 - shown);
    }
    println!("{}", summary.speed(began.elapsed()));
    println!("{}", summary.happenings());
    if let Some(seed) = summary.failed().first() {
        println!(
            "to see the first failure: simulate replay --seed {seed} --scenario {} -v; to make it \
             small: simulate shrink --seed {seed} --scenario {}",
            options.scenario, options.scenario
        );
    }
    println!("{summary}");
    exit_code(summary.failed().is_empty())
}

fn show(report: &Report, verbose: bool) {
    if verbose || !report.passed() {
        println!("{report}");
    }
}

fn exit_code(passed: bool) -> ExitCode {
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(feature = "mutations")]
mod mutate {
    //! The table of mutations.

    use std::{
        path::Path,
        sync::{
            Mutex,
            atomic::{AtomicUsize, Ordering},
        },
    };

    use anyhow::{Context, anyhow};
    use catalog_mutation::Mutation;
    use simulations::{
        mutations::{self, Catch},
        scenario::Scenario,
    };

    pub(super) fn mutations(
        searches: bool,
        seeds: (u64, u64),
        only: &[String],
        file: &Path,
        jobs: usize,
    ) -> anyhow::Result<bool> {
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error).context("the file of seeds"),
        };
        let known = mutations::read(&text).map_err(|what| anyhow!(what))?;
        let of = |mutation: Mutation| known.iter().find(|catch| catch.mutation == mutation);
        let chosen: Vec<Mutation> = Mutation::ALL
            .iter()
            .copied()
            .filter(|mutation| only.is_empty() || only.iter().any(|name| name == mutation.name()))
            .collect();
        let next = AtomicUsize::new(0);
        let found: Mutex<Vec<(Mutation, Option<Catch>)>> = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..jobs.max(1) {
                scope.spawn(|| {
                    while let Some(mutation) = chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let catch = match of(*mutation) {
                            _ if mutations::noticed_elsewhere(*mutation).is_some() => None,
                            _ if searches => look(*mutation, seeds),
                            Some(catch) => again(catch),
                            None => None,
                        };
                        if searches {
                            let catch = catch.as_ref().map(ToString::to_string);
                            eprintln!("{}", catch.unwrap_or_else(|| mutation.name().to_owned()));
                        }
                        found.lock().expect("no holder panics").push((*mutation, catch));
                    }
                });
            }
        });
        let mut found = found.into_inner().expect("no holder panics");
        found.sort_by_key(|(mutation, _)| *mutation);
        if searches {
            let mut catches = String::from(mutations::FILE_HEAD);
            for mutation in Mutation::ALL {
                let new = found.iter().find(|(other, _)| other == mutation);
                let catch = match new {
                    Some((_, catch)) => catch.as_ref(),
                    None => of(*mutation),
                };
                if let Some(catch) = catch {
                    catches.extend([catch.to_string(), "\n".to_owned()]);
                }
            }
            std::fs::write(file, catches).context("the file of seeds")?;
        }
        println!("{}", mutations::table(&found));
        let is_caught = |(mutation, catch): &&(Mutation, Option<Catch>)| {
            catch.is_some() || mutations::noticed_elsewhere(*mutation).is_some()
        };
        let caught = found.iter().filter(is_caught).count();
        println!("{} mutations, {caught} caught", found.len());
        Ok(caught == found.len())
    }

    /// The standard world first; what it does not notice may need another one. What concerns two sites has no
    /// effect where there is one.
    fn look(mutation: Mutation, seeds: (u64, u64)) -> Option<Catch> {
        if mutation >= Mutation::RuleOnOneNode {
            return mutations::search(mutation, Scenario::TwoSites, seeds);
        }
        let mut scenarios = [Scenario::Standard, Scenario::Membership, Scenario::Harsh].into_iter();
        scenarios.find_map(|scenario| mutations::search(mutation, scenario, seeds))
    }

    fn again(catch: &Catch) -> Option<Catch> {
        let promise = mutations::breaks(catch.mutation, catch.scenario, catch.seed)?;
        Some(Catch { promise, ..catch.clone() })
    }
}
