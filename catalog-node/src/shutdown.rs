//! Shutdown: when is this process asked to end?

use std::io;

use tokio::signal::unix::{SignalKind, signal};

/// Completes with the first SIGTERM or SIGINT.
pub async fn asked() -> io::Result<&'static str> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    })
}
