//! `luqiao`: arguments → run → exit code.

use std::process::ExitCode;

use clap::Parser;
use luqiao::{args::Arguments, run};

fn main() -> ExitCode {
    ExitCode::from(run::run(Arguments::parse()).number())
}
