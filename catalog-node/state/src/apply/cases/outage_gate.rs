//! Did the answer fall due during an outage of the platform, and what was ruled on it (SEC-18)?
//!
//! The mark and the ruling are rows of the outage's own; only what a hearing must know of them is
//! read here.

use catalog_model::name::ResourceName;
use minicbor::{Decode, Encode};

use crate::{keys, tx::Tx};

/// What is read of the row.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
struct OutageMark {
    /// Whether the lateness counts as any other; absent until somebody ruled.
    #[n(0)]
    ruled: Option<bool>,
}

/// What an outage means for the lateness of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OutageGate {
    /// Nothing: there was none, or the ruling is that it counts as any other.
    Open,
    /// Nothing counts until somebody ruled.
    Waits,
    /// It does not count.
    Excused,
}

/// What an outage means for the case of this name.
pub(crate) fn of(tx: &Tx<'_>, case: &ResourceName) -> OutageGate {
    match tx.get::<OutageMark>(&keys::outage_ruling(case)) {
        None | Some(OutageMark { ruled: Some(true) }) => OutageGate::Open,
        Some(OutageMark { ruled: None }) => OutageGate::Waits,
        Some(OutageMark { ruled: Some(false) }) => OutageGate::Excused,
    }
}
