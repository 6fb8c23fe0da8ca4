//! Seeded simulation of a whole cluster: does every promise hold, whatever fails?
//!
//! The replica, the state machine and the log are the product's own code. What is simulated is what
//! they stand on: time ([`clock`]), the network ([`network`]), the disks
//! ([`catalog_log::sim_disk`], [`state_disk`]) and the shell that drives them ([`node`]). Clients
//! ([`workload`]) use a catalog ([`cast`], [`call`]) while things go wrong ([`fault`]), as usual in such
//! a [`scenario`]; then all is healed, and the [`checker`] has the last word.
//!
//! Whether the checker would notice is asked by mutations: lines of the product made faulty, each of
//! which must break a promise within a few seeds.
//!
//! Clusters of two sites have a world of their own ([`two_sites`]).
//!
//! A seed is a history. [`world::run`] with the same seed does the same, bit for bit: nothing is drawn
//! but from the seed's [`prng`], and the [`trace`] proves it.

pub mod world;

pub mod call;
pub mod cast;
pub mod fault;
pub mod scenario;
pub mod workload;

pub mod clock;
pub mod network;
pub mod node;
pub mod prng;
pub mod state_disk;

pub mod two_sites;

pub mod checker;
pub mod report;
pub mod trace;

#[cfg(feature = "mutations")]
pub mod mutations;
pub mod shrink;

#[cfg(feature = "load")]
pub mod load;
