//! The sharing gateway of a domain.
//!
//! Whoever wants something of a catalog, department or other domain, comes here. The gateway
//! establishes who calls, whether it can be taken on now, whether it may go on, and who answers
//! it; then it carries the call to the cluster, unread, and the answer back. It holds no state
//! that matters: any number of gateways serve a domain, and each can vanish at any moment. It
//! never links the state machine.
//!
//! Reading order: what the operator decides, the methods and how their messages are carried, the
//! proofs and the stages that make them in the order in which a call meets them, the table of
//! what callers are told, then the links to other domains, and how all of it begins and ends.

pub mod config;

pub mod method;
pub mod raw;

pub mod pipeline;
pub mod stage;

pub mod identity;

pub mod admission;

pub mod policy;

pub mod route;

pub mod upstream;

pub mod rescue;

pub mod federation;

pub mod open_services;

mod daemon;

pub use daemon::{Gateway, RunningGateway, StartError};
