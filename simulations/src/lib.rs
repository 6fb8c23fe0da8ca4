//! Seeded simulation of a whole cluster: does every promise hold, whatever fails?
//!
//! The replica, the state machine and the log are the product's own code. What is simulated is what
//! they stand on: time ([`clock`]), the network ([`network`]), the disks
//! ([`catalog_log::sim_disk`], [`state_store`]) and the shell that drives them ([`node`]). Clients
//! ([`workload`]) use a catalog ([`cast`], [`call`]) while things go wrong ([`fault`]); then all is
//! healed, and the [`checker`] has the last word.
//!
//! A seed is a history. [`world::run`] with the same seed does the same, bit for bit: nothing is drawn
//! but from the seed's [`prng`], and the [`trace`] proves it.

pub mod world;

pub mod call;
pub mod cast;
pub mod fault;
pub mod workload;

pub mod clock;
pub mod network;
pub mod node;
pub mod prng;
pub mod state_store;

pub mod checker;
pub mod report;
pub mod trace;
