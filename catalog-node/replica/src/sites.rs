//! Which sets of replicas can commit an entry, given that a site may be lost as a whole?
//!
//! The *site rule*: an entry commits only when a majority of the voters **and** a voter of each of the two
//! sites hold it durably. raft-rs calls it group commit and keeps it in memory only, so every replica derives
//! it anew (see `replica/rule.rs`). Here is the rule itself, as sets: who counts with it, whether it means
//! anything for the members as they are, and what the failover asks, which is the same question turned
//! around: *can those that were not sealed still commit without us?*
//!
//! raft-rs falls back to a plain majority, without a word, when all voters are of one site. So a rule that is
//! on is not yet a rule in effect: [`effect`] says which, and a replica whose rule has no effect commits
//! nothing rather than something that one site holds alone.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use crate::Membership;

/// A site, by the number that the cluster's own record of its sites gives it; names are data elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SiteId(pub u8);

impl SiteId {
    /// What raft-rs wants: any number but 0, which is nobody's group.
    pub(crate) fn group(self) -> u64 {
        u64::from(self.0) + 1
    }
}

impl fmt::Display for SiteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "site {}", self.0)
    }
}

/// At which site each replica stands. A replica that it does not name stands nowhere: it holds entries, but
/// speaks for no site.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sites(BTreeMap<u64, SiteId>);

impl Sites {
    /// The site of `id`, if it is known.
    pub fn of(&self, id: u64) -> Option<SiteId> {
        self.0.get(&id).copied()
    }

    /// Places `id`. Known before the replica may vote, or the rule would wait for a voter of no site.
    pub fn place(&mut self, id: u64, site: SiteId) {
        self.0.insert(id, site);
    }

    /// Everybody, in order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = (u64, SiteId)> + '_ {
        self.0.iter().map(|(id, site)| (*id, *site))
    }

    /// The different sites of `ids`.
    fn among<'a>(&self, ids: impl IntoIterator<Item = &'a u64>) -> BTreeSet<SiteId> {
        ids.into_iter().filter_map(|id| self.of(*id)).collect()
    }
}

impl FromIterator<(u64, SiteId)> for Sites {
    fn from_iter<T: IntoIterator<Item = (u64, SiteId)>>(places: T) -> Self {
        Self(places.into_iter().collect())
    }
}

/// What the rule amounts to for the members as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleEffect {
    /// It is off: a majority of the voters decides.
    Off,
    /// It is on, and two sites have voters: nothing commits that one site holds alone.
    InEffect,
    /// It is on, but all voters, at least of one half of a joint configuration, are of one site. raft-rs would
    /// let their majority decide; a replica of ours lets nobody.
    OneSite,
    /// It is on, but these voters stand nowhere; raft-rs then waits for the slowest of all.
    Unplaced(Vec<u64>),
    /// It is on, but voters stand at three sites or more: raft-rs would be content with any two of them.
    ManySites,
}

impl RuleEffect {
    /// Whether the replica may commit at all under it.
    pub fn lets_commit(&self) -> bool {
        matches!(self, Self::Off | Self::InEffect)
    }
}

/// What the rule, being `on` or off, amounts to for `membership`.
pub fn effect(on: bool, membership: &Membership, sites: &Sites) -> RuleEffect {
    if !on {
        return RuleEffect::Off;
    }
    let nowhere = |id: &&u64| sites.of(**id).is_none();
    let mut unplaced: Vec<u64> =
        membership.voters.iter().chain(&membership.outgoing).filter(nowhere).copied().collect();
    unplaced.sort_unstable();
    unplaced.dedup();
    if !unplaced.is_empty() {
        return RuleEffect::Unplaced(unplaced);
    }
    let most = halves(membership).map(|half| sites.among(half).len()).max().unwrap_or(0);
    let least = halves(membership).map(|half| sites.among(half).len()).min().unwrap_or(0);
    match (least, most) {
        (2, 2) => RuleEffect::InEffect,
        (_, 3..) => RuleEffect::ManySites,
        _ => RuleEffect::OneSite,
    }
}

/// Whether an entry that exactly `holders` have is committed in `membership`, the rule being `on` or off.
///
/// With the rule on and without effect nobody commits, see [`RuleEffect::lets_commit`]. More holders never
/// commit less, which is what makes [`every_commit_meets`] right.
pub fn commits(on: bool, membership: &Membership, sites: &Sites, holders: &BTreeSet<u64>) -> bool {
    effect(on, membership, sites).lets_commit()
        && halves(membership).all(|half| {
            let holding: Vec<u64> =
                half.iter().filter(|id| holders.contains(id)).copied().collect();
            holding.len() * 2 > half.len() && (!on || sites.among(&holding).len() == 2)
        })
}

/// Whether every set that could commit in `membership` has one of `met` in it: once those answer nobody any
/// more, nothing commits there without them.
pub fn every_commit_meets(
    on: bool,
    membership: &Membership,
    sites: &Sites,
    met: &BTreeSet<u64>,
) -> bool {
    let others = membership.ids().into_iter().filter(|id| !met.contains(id)).collect();
    !commits(on, membership, sites, &others)
}

/// The configurations that must agree: one, or two while a change is under way.
fn halves(membership: &Membership) -> impl Iterator<Item = &Vec<u64>> {
    let outgoing = Some(&membership.outgoing).filter(|outgoing| !outgoing.is_empty());
    std::iter::once(&membership.voters).chain(outgoing)
}

#[cfg(test)]
mod tests;
