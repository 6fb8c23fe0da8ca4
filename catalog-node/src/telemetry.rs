//! Telemetry: how do the lines of this process, and of the consensus library in it, become one log?

use std::fmt::{self, Write as _};

use slog::{Drain, KV as _};
use tracing_subscriber::EnvFilter;

/// Writes log lines to stderr, as text or as one JSON object a line. `filter` is what
/// `RUST_LOG` would say, for instance `info,catalog_node=debug`.
///
/// Does nothing if the process has a log already.
pub fn init(filter: &str, json: bool) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // Colors are for people at a terminal; in a file they are noise.
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()));
    // An error means that the embedding process keeps its own log.
    let _ = if json { lines.json().try_init() } else { lines.try_init() };
}

/// The logger of the consensus library.
///
/// Its ordinary lines tell each step of an election, which are details to us; what it calls
/// critical comes right before a panic.
pub fn raft_logger(node: u64) -> slog::Logger {
    slog::Logger::root(ToTracing, slog::o!("node" => node))
}

struct ToTracing;

impl Drain for ToTracing {
    type Ok = ();
    type Err = slog::Never;

    fn log(
        &self,
        record: &slog::Record<'_>,
        values: &slog::OwnedKVList,
    ) -> Result<(), slog::Never> {
        let mut facts = Facts(String::new());
        // Writing to a string does not fail.
        let _ = record.kv().serialize(record, &mut facts);
        let _ = values.serialize(record, &mut facts);
        let (message, facts) = (record.msg(), facts.0.trim_end());
        match record.level() {
            slog::Level::Critical => tracing::error!(target: "raft", facts, "{message}"),
            slog::Level::Error => tracing::warn!(target: "raft", facts, "{message}"),
            slog::Level::Warning | slog::Level::Info => {
                tracing::debug!(target: "raft", facts, "{message}");
            }
            slog::Level::Debug | slog::Level::Trace => {
                tracing::trace!(target: "raft", facts, "{message}");
            }
        }
        Ok(())
    }
}

struct Facts(String);

impl slog::Serializer for Facts {
    fn emit_arguments(&mut self, key: slog::Key, value: &fmt::Arguments<'_>) -> slog::Result {
        write!(self.0, "{key}={value} ").map_err(|_| slog::Error::Other)
    }
}
