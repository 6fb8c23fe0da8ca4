//! `check-history FILE…`: is each of these histories linearizable? Exit code 0 only if all are.

use std::{env, fs::File, io::BufReader, process::ExitCode};

use linearizability::{Finding, check, history};

/// Situations for each key; beyond it a verdict is unknown.
const LIMIT: usize = 4_000_000;

fn main() -> ExitCode {
    let mut all = true;
    let mut count = 0;
    for file in env::args().skip(1) {
        count += 1;
        let history = File::open(&file)
            .map_err(history::ReadError::Read)
            .and_then(|file| history::read(BufReader::new(file)));
        match history {
            Ok(history) => {
                let verdict = check(&history, LIMIT);
                all &= verdict == Finding::Linearizable;
                println!("{file}: {} operations: {verdict}", history.len());
            }
            Err(error) => {
                all = false;
                println!("{file}: {error}");
            }
        }
    }
    if count == 0 {
        eprintln!("usage: check-history FILE...");
    }
    if all && count > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
