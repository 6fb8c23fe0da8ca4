//! `simulate`: runs seeds and tells whether every promise held, or tells one seed in full.

use std::{
    collections::BTreeMap,
    process::ExitCode,
    sync::{Mutex, atomic::AtomicU64, atomic::Ordering},
    time::Instant,
};

use anyhow::{Context, bail};
use clap::{Parser, Subcommand, ValueEnum};
use simulations::{
    report::{Report, Summary},
    world::{self, Options},
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
        /// Shows every run, not only those that fail.
        #[arg(short, long)]
        verbose: bool,
        /// How many run at once; by default as many as there are processors.
        #[arg(long)]
        jobs: Option<usize>,
        #[arg(long, hide = true)]
        mutate: Option<Mutation>,
    },
    /// Runs one seed; the last line is the hash over everything that happened.
    Replay {
        /// The seed.
        #[arg(long)]
        seed: u64,
        /// Tells everything that happens.
        #[arg(short, long)]
        verbose: bool,
        #[arg(long, hide = true)]
        mutate: Option<Mutation>,
    },
}

/// Ways to break the product, to see that it is noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Mutation {
    /// Syncs of the log do nothing.
    NoSync,
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

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // A panic is a finding of the run it ends, and told there.
    std::panic::set_hook(Box::new(|_| {}));
    match arguments.command {
        Command::Run { seeds, verbose, jobs, mutate } => {
            let options = Options { tell: false, ignore_syncs: mutate == Some(Mutation::NoSync) };
            run(seeds, verbose, jobs, options)
        }
        Command::Replay { seed, verbose, mutate } => {
            let options = Options { tell: verbose, ignore_syncs: mutate == Some(Mutation::NoSync) };
            let report = world::run(seed, options);
            println!("{report}");
            println!("{}", report.trace);
            exit_code(report.passed())
        }
    }
}

fn run(
    (first, last): (u64, u64),
    verbose: bool,
    jobs: Option<usize>,
    options: Options,
) -> ExitCode {
    let began = Instant::now();
    let processors = || std::thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicU64::new(first);
    let done = Mutex::new((first, BTreeMap::new(), Summary::default()));
    std::thread::scope(|scope| {
        for _ in 0..jobs.unwrap_or_else(processors).max(1) {
            scope.spawn(|| {
                loop {
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
    let (_, _, summary) = done.into_inner().expect("no holder panics");
    println!("{}", summary.speed(began.elapsed()));
    if let Some(seed) = summary.failed().first() {
        println!("to see the first failure: make replay SEED={seed} ARGS=-v");
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
