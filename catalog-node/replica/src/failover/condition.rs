//! May a site open, given who is known to be out of the old generation?
//!
//! *Met* are nodes that cannot take part in a commit of the old generation any more: sealed, fenced (they
//! heard the new pair and stopped), or attested powerless by two persons. They must be in every set that could
//! commit, over every configuration that any of them has.
//!
//! Which sets could commit is not what the cell alone says. A leader that found *sync* in its log and no
//! witness to ask goes on under the rule although the cell may say *async* since its predecessor died between
//! the two writes of leaving. So sets under the rule are to be met **always**; the lease that was waited out
//! stands for those that the rule does not know, and for nothing else. Where a release was given, or may have
//! been, no lease bound anybody, and every majority is to be met.

use std::collections::BTreeSet;

use catalog_mutation::{Mutation, active};

use super::Sealed;
use crate::{Membership, Sites, sites};

/// What the cell said before the failover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// Both sites hold what was acknowledged.
    Sync,
    /// The active site alone may have held it, on loan.
    Async,
    /// No witness could be asked, or it may have forgotten.
    Unknown,
}

/// What is known when a site is to be opened.
#[derive(Clone, Debug)]
pub struct Evidence<'a> {
    /// The generation that ends: the last that opened.
    pub generation: u64,
    /// What the cell said.
    pub found: Found,
    /// Whether the old site surely was *not* released to commit alone without the witness.
    pub never_released: bool,
    /// Whether the lease and a quarter were waited out since the new pair was first seen.
    pub lease_waited: bool,
    /// Where each node stands.
    pub sites: &'a Sites,
    /// The nodes that were sealed.
    pub sealed: &'a [Sealed],
    /// Nodes that are fenced or attested powerless.
    pub powerless: &'a BTreeSet<u64>,
}

/// What is missing before a site may open. Named, for somebody has to find it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// Nobody was sealed.
    #[error("no node of the site is sealed")]
    Seal,
    /// These belonged to a generation that another one has replaced already: their logs say nothing of the one
    /// that ends, and must not be mixed with those that do.
    #[error("{0:?} belong to an earlier generation")]
    OfThePast(Vec<u64>),
    /// The old leader's loan may still last.
    #[error("the lease of the old leader is not waited out")]
    Lease,
    /// These could still commit without any node that is sealed, fenced or attested powerless.
    #[error("{nodes:?} could still commit{}", if *alone { " without the other site" } else { "" })]
    Quorum {
        /// Who: of them, enough must be sealed, fenced or attested.
        nodes: Vec<u64>,
        /// Whether without the site rule.
        alone: bool,
    },
}

/// Whether a site may open.
pub fn may_promote(evidence: &Evidence<'_>) -> Result<(), Missing> {
    let Evidence { found, sealed, .. } = *evidence;
    if sealed.is_empty() {
        return Err(Missing::Seal);
    }
    let past = sealed.iter().filter(|sealed| sealed.generation != evidence.generation);
    let past: Vec<u64> = past.map(|sealed| sealed.node).collect();
    if !past.is_empty() {
        return Err(Missing::OfThePast(past));
    }
    if found != Found::Sync && !evidence.lease_waited && !active(Mutation::LeaseNotWaited) {
        return Err(Missing::Lease);
    }
    let mut met: BTreeSet<u64> = sealed.iter().map(|sealed| sealed.node).collect();
    met.extend(evidence.powerless);
    let released = !evidence.never_released && !active(Mutation::ReleaseNotAsked);
    let rules: &[bool] = if released || found == Found::Unknown { &[true, false] } else { &[true] };
    for (on, configuration) in
        rules.iter().flat_map(|on| every(sealed).map(move |configuration| (*on, configuration)))
    {
        if !sites::every_commit_meets(on, configuration, evidence.sites, &met) {
            let nodes = configuration.ids().into_iter().filter(|id| !met.contains(id)).collect();
            return Err(Missing::Quorum { nodes, alone: !on });
        }
    }
    Ok(())
}

/// Every configuration of every sealed node.
pub(super) fn every(sealed: &[Sealed]) -> impl Iterator<Item = &Membership> {
    let most = if active(Mutation::ConditionOfOneConfiguration) { 1 } else { usize::MAX };
    sealed.iter().flat_map(move |sealed| sealed.configurations.iter().take(most))
}
