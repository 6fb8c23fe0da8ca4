//! Real TLS over loopback: who gets in, what those outside are told, and how a server ends.

#![expect(clippy::disallowed_methods, reason = "a test waits for the tasks that it spawns")]

mod certificates;
mod server;

mod ending;
mod handshakes;
mod reloading;
