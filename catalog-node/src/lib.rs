//! The catalog node: the replica with a disk under it, peers beside it and services above it.
//!
//! What is remembered ([`storage`]), what time it is ([`clock`]), the loop that drives the replica
//! ([`node`]), how its past is kept elsewhere ([`backup`]), how the process speaks with it ([`handle`]) and watches it ([`history`]), how nodes
//! speak with each other (`peers`), which generation they speak for (`fencing`) and whom they turn
//! away for it (`gate`), how gateways are answered (`services`), what listed entries
//! speak of (`search`); and how all of it is configured, begun and ended ([`config`], [`running`],
//! [`bootstrap`], [`shutdown`]).
//!
//! Nothing here decides what may be done to a catalog: that is `catalog-state`'s alone.

pub mod storage;

mod snapshots;

pub mod backup;

pub mod alarms;
pub mod clock;

mod handover;
mod inbox;
mod outages;
mod row_cache;
mod slow_disk;
mod standing;

pub mod handle;
pub mod history;
pub mod node;

mod duties;
mod fencing;
mod gate;
mod peers;
mod pulse;
mod search;
mod services;
mod webhooks;
mod work_index;

pub mod bootstrap;
pub mod config;
pub mod remote;
pub mod running;
pub mod shutdown;
pub mod telemetry;

pub use self::running::{CatalogNode, NodeError, RunningNode};

/// Bytes that nobody can foresee: ids, salts, nonces.
pub fn random_bytes<const N: usize>() -> [u8; N] {
    use ring::rand::{SecureRandom, SystemRandom};

    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).expect("the system has random bytes");
    bytes
}
