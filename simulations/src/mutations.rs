//! Mutations: is every mistake of the list noticed?
//!
//! Each mutation makes one line of production code faulty. The simulation must break on it within a
//! bounded number of seeds; the seed that breaks is kept in a file, one line a mutation, so that every
//! change of the code can be tried against the whole list in little time.

use std::{fmt, str::FromStr};

use catalog_mutation::Mutation;

use crate::{
    scenario::Scenario,
    world::{self, Options},
};

/// Seeds within which a mutation must be caught.
pub const SEEDS_MAX: u64 = 200;

/// The catch of one mutation, as kept in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Catch {
    /// What was made faulty.
    pub mutation: Mutation,
    /// In which kind of world it was noticed.
    pub scenario: Scenario,
    /// By which seed.
    pub seed: u64,
    /// Which promise broke.
    pub promise: String,
    /// How many seeds were tried until then.
    pub tried: u64,
}

/// What no scenario can see, and the test that does.
pub fn noticed_elsewhere(mutation: Mutation) -> Option<&'static str> {
    match mutation {
        // Another domain's feed: federation is not simulated.
        Mutation::FeedCursorIgnored => Some("catalog-state: the_stories_notice"),
        Mutation::LeaseFromAnswer => Some("catalog-replica: mutations_of_the_loan_are_noticed"),
        Mutation::ConditionOfOneConfiguration
        | Mutation::TailOfOwnCommit
        | Mutation::TailKeepsTerms => Some("catalog-replica: mutations_of_a_failover_are_noticed"),
        Mutation::CellBeforeLog => Some("simulations: e03_sync_written_late"),
        _ => None,
    }
}

/// Runs `seed` with `mutation` and says which promise breaks first.
pub fn breaks(mutation: Mutation, scenario: Scenario, seed: u64) -> Option<String> {
    let options = Options { scenario, mutation: Some(mutation), ..Options::default() };
    let report = world::run(seed, &options);
    report.violations.first().map(|violation| violation.promise.to_owned())
}

/// Looks for the first of the seeds that notices `mutation`.
pub fn search(mutation: Mutation, scenario: Scenario, seeds: (u64, u64)) -> Option<Catch> {
    (seeds.0..=seeds.1).zip(1..).find_map(|(seed, tried)| {
        let promise = breaks(mutation, scenario, seed)?;
        // A seed that fails by itself says nothing about the mutation.
        let sound = world::run(seed, &Options { scenario, ..Options::default() });
        sound.passed().then_some(Catch { mutation, scenario, seed, promise, tried })
    })
}

/// The catches in a file.
pub fn read(text: &str) -> Result<Vec<Catch>, String> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::parse).collect()
}

impl FromStr for Catch {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let mut words = line.split('\t');
        let mut next = || words.next().ok_or_else(|| format!("`{line}` is too short"));
        let name = next()?;
        let mutation =
            Mutation::named(name).ok_or_else(|| format!("there is no mutation `{name}`"))?;
        let scenario = next()?.parse()?;
        let number = |text: &str| text.parse().map_err(|_| format!("`{text}` is no number"));
        let (seed, tried) = (number(next()?)?, number(next()?)?);
        Ok(Self { mutation, scenario, seed, tried, promise: next()?.to_owned() })
    }
}

impl fmt::Display for Catch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { mutation, scenario, seed, tried, promise } = self;
        write!(f, "{}\t{scenario}\t{seed}\t{tried}\t{promise}", mutation.name())
    }
}

/// The head of the file.
pub const FILE_HEAD: &str = "\
# Of each mutation the seed that notices it: name, scenario, seed, seeds tried, the promise that broke.
# A seed is a history of the code that runs it: `simulate mutations --search` looks for new ones.
";

/// The table: mutation, line, mistake, and what caught it.
pub fn table(rows: &[(Mutation, Option<Catch>)]) -> String {
    let head = ["mutation", "line", "mistake", "seed", "caught by", "tried"].map(str::to_owned);
    let mut cells = vec![head];
    for (mutation, catch) in rows {
        let (seed, promise, tried) = catch.as_ref().map_or_else(
            || {
                let elsewhere = noticed_elsewhere(*mutation).unwrap_or("NOTHING");
                ("-".to_owned(), elsewhere.to_owned(), "-".to_owned())
            },
            |catch| {
                let seed = match catch.scenario {
                    Scenario::Standard => catch.seed.to_string(),
                    other => format!("{} ({other})", catch.seed),
                };
                (seed, catch.promise.clone(), catch.tried.to_string())
            },
        );
        let (name, line) = (mutation.name().to_owned(), mutation.line().to_owned());
        cells.push([name, line, mutation.mistake().to_owned(), seed, promise, tried]);
    }
    let mut widths = [0; 6];
    for row in &cells {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let lines = cells.iter().map(|row| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}
