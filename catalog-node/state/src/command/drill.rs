//! Commands of drills: a rehearsed failure is opened, approved, gone through and closed, while a
//! prober writes numbers that stand for acts.

use catalog_model::{
    document_digest::DocumentDigest,
    drill::{DrillPhase, DrillResult},
    ids::DrillId,
    time::UtcMillis,
};
use minicbor::{Decode, Encode};

/// A command of a drill. Level 4. Append only.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum DrillCommand {
    /// A drill begins.
    #[n(0)]
    Open {
        /// Drawn by the shell.
        #[n(0)]
        id: DrillId,
        /// Name of the plan.
        #[n(1)]
        plan: String,
        /// SHA-256 of the plan as it was read.
        #[n(2)]
        plan_digest: DocumentDigest,
        /// Why it is held.
        #[n(3)]
        why: String,
        /// How many others must let it happen before the act.
        #[n(4)]
        approvals_needed: u8,
        /// Whether a site is out of service afterwards.
        #[n(5)]
        takes_site: bool,
        /// The cluster's name as it was typed, where a site goes; else empty.
        #[n(6)]
        confirmed: String,
    },
    /// The caller lets it happen.
    #[n(1)]
    Approve {
        /// Which.
        #[n(0)]
        drill: DrillId,
    },
    /// A step was carried out.
    #[n(2)]
    Step {
        /// Which.
        #[n(0)]
        drill: DrillId,
        /// Version that the caller read.
        #[n(1)]
        version: u64,
        /// What was done.
        #[n(2)]
        step: StepTold,
    },
    /// It was gone through.
    #[n(3)]
    Close {
        /// Which.
        #[n(0)]
        drill: DrillId,
        /// Version that the caller read.
        #[n(1)]
        version: u64,
        /// What it came to.
        #[n(2)]
        result: DrillResult,
    },
    /// It is given up.
    #[n(4)]
    Abandon {
        /// Which.
        #[n(0)]
        drill: DrillId,
        /// Version that the caller read.
        #[n(1)]
        version: u64,
        /// Why.
        #[n(2)]
        reason: String,
    },
    /// The prober writes numbers.
    #[n(5)]
    Probe {
        /// Which.
        #[n(0)]
        drill: DrillId,
        /// The numbers, in rising order.
        #[n(1)]
        sequences: Vec<u64>,
        /// Time from the committed clock to the due instant of each; absent = they have none.
        #[n(2)]
        due_after_ms: Option<u64>,
    },
    /// What the prober wrote for a closed drill goes, a portion at a time.
    #[n(6)]
    Sweep {
        /// Which.
        #[n(0)]
        drill: DrillId,
    },
}

impl DrillCommand {
    /// The drill that it is about.
    pub fn drill(&self) -> DrillId {
        match self {
            Self::Open { id: drill, .. }
            | Self::Approve { drill }
            | Self::Step { drill, .. }
            | Self::Close { drill, .. }
            | Self::Abandon { drill, .. }
            | Self::Probe { drill, .. }
            | Self::Sweep { drill } => *drill,
        }
    }
}

/// A step as whoever carried it out tells it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct StepTold {
    /// To which part it belongs.
    #[n(0)]
    pub phase: DrillPhase,
    /// Its name in the plan.
    #[n(1)]
    pub name: String,
    /// When it began, by the clock of whoever carried it out.
    #[n(2)]
    pub began: UtcMillis,
    /// When it ended, by the same clock.
    #[n(3)]
    pub ended: UtcMillis,
    /// Whether it came out as the plan wants it.
    #[n(4)]
    pub ok: bool,
    /// What was seen, in a line; no person.
    #[n(5)]
    pub note: String,
}

#[cfg(test)]
mod tests;
