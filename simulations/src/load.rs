//! Load: how fast and how patient is a cluster, and how does etcd fare on the same machine?
//!
//! Nothing here is simulated: processes of their own, real sockets with mutual TLS, real disks. One
//! client stack calls both systems, over as many connections, with the same keys and values.
//! [`pace`] decides when calls are made and what counts as their time; [`store`] makes them;
//! [`cluster`] starts and ends processes; [`rows`] says what is measured; [`compare`] puts the two
//! systems against each other, round by round. `law` measures what etcd has nothing of: cases
//! (`town`), deadlines, calendars, proofs.

pub mod pace;

pub mod etcd;
pub mod store;

pub mod cluster;
pub mod lawful;

pub mod gap;
pub mod rows;

pub mod compare;

#[cfg(feature = "law-load")]
pub mod law;
#[cfg(feature = "law-load")]
pub mod town;
