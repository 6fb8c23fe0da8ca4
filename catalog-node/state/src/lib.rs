//! The replicated state machine: command in, outcome and events out.
//!
//! **The contract.** [`machine::Machine::apply`] is the only function that changes replicated
//! state. The same commands in the same order give the same bytes on every replica: there is no
//! clock, no chance, no float in a decision and no iteration but in key order. Time is what the
//! command was stamped with. Whoever breaks this breaks the promise that a standby is a copy.
//!
//! Reading order: what can happen ([`command`]), what comes of it ([`outcome`], [`event`]), where
//! it is kept ([`store`], [`keys`], [`codec`]), how it happens ([`machine`], [`tx`], [`apply`]),
//! and the three histories that outlive a change ([`ledger`], [`feed`], [`outbox`]). Who keeps the
//! copies is decided in [`members`]; a new copy is made by [`snapshot`]. What must always be true is in [`invariants`]; `testdata` tells it as stories (`script`).

pub mod command;
pub mod event;
pub mod outcome;

pub mod codec;
pub mod keys;
pub mod rows;
pub mod store;

pub mod machine;
pub mod tx;

pub mod apply;
pub mod idempotency;

pub mod feed;
pub mod ledger;
pub mod notices;
pub mod outbox;

pub mod law;
pub mod what_if;

pub mod members;

pub mod view;

pub mod precedents;
pub mod statistics;
pub mod work;

pub mod snapshot;
pub use apply::restore::{Carried, CarriedAct};

pub mod stamp;

pub mod invariants;
#[cfg(any(test, feature = "script"))]
pub mod script;
