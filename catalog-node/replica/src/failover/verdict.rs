//! What can be said of what was lost, and from what evidence?
//!
//! Three answers, and none of them better than what is known. The worst, *unknown*, names what was missing:
//! an operator who can still find it gets a better one.

use super::{Evidence, Found, Sealed, condition};
use crate::{AHEAD_MAX, SiteId};

/// What is known of what was lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing that was acknowledged.
    ProvenZero,
    /// At most what was acknowledged after the promoted log's end, up to this index.
    Bounded {
        /// The last entry of the promoted log.
        after: u64,
        /// No acknowledged entry is beyond it.
        through: u64,
    },
    /// No bound can be given.
    Unknown {
        /// What was missing, each a sentence.
        missing: Vec<Gap>,
    },
}

/// Why a verdict is not better.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Gap {
    /// No witness could be asked, or it may have forgotten.
    #[error("the witness was not there to say what had been promised")]
    Witness,
    /// A release was given, or it is not known whether.
    #[error("the old site was, or may have been, released to commit alone")]
    Release,
    /// These voted at this site in a configuration that was seen, and were not sealed.
    #[error("the voters {0:?} of this site were not sealed")]
    Unsealed(Vec<u64>),
    /// A sealed node has a greater log than the one that was promoted.
    #[error("a sealed node has more than the one that was promoted")]
    NotTheGreatest,
}

/// What can be said when `promoted`, of `site`, opens. `deposit` is the index of the last deposit that the
/// witness confirmed; 0 if there was none.
pub fn verdict(evidence: &Evidence<'_>, site: SiteId, promoted: &Sealed, deposit: u64) -> Verdict {
    let sealed = |id: &u64| evidence.sealed.iter().any(|sealed| sealed.node == *id);
    let mut unsealed: Vec<u64> = condition::every(evidence.sealed)
        .flat_map(|members| members.voters.iter().chain(&members.outgoing).copied())
        .filter(|id| evidence.sites.of(*id) == Some(site) && !sealed(id))
        .collect();
    unsealed.sort_unstable();
    unsealed.dedup();
    let end = |sealed: &Sealed| (sealed.last_term, sealed.last_index);
    let greatest = evidence.sealed.iter().all(|sealed| end(sealed) <= end(promoted));

    let mut missing = Vec::new();
    if evidence.found == Found::Unknown {
        missing.push(Gap::Witness);
    }
    if !evidence.never_released {
        missing.push(Gap::Release);
    }
    if !unsealed.is_empty() {
        missing.push(Gap::Unsealed(unsealed));
    }
    if !greatest {
        missing.push(Gap::NotTheGreatest);
    }
    match evidence.found {
        _ if !missing.is_empty() => Verdict::Unknown { missing },
        Found::Sync => Verdict::ProvenZero,
        Found::Async => Verdict::Bounded {
            after: promoted.last_index,
            through: (deposit + AHEAD_MAX).max(promoted.last_index),
        },
        Found::Unknown => unreachable!("it is among what is missing"),
    }
}
