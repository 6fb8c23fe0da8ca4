//! Membership: does it change one step at a time, so that every two quorums in a row have a node in
//! common?

use std::collections::BTreeSet;

use catalog_replica::Membership;

/// Every membership that was in force, with the entry that brought it about.
#[derive(Debug)]
pub struct Memberships {
    all: Vec<(u64, Membership)>,
    gone: BTreeSet<u64>,
}

impl Memberships {
    /// Begins with `first`.
    pub fn new(first: Membership) -> Self {
        Self { all: vec![(0, first)], gone: BTreeSet::new() }
    }

    /// The newest.
    pub fn last(&self) -> &Membership {
        &self.all.last().expect("there is a first one").1
    }

    /// How many changes there were.
    pub fn changes(&self) -> u64 {
        self.all.len() as u64 - 1
    }

    /// Those by which a leader may have counted about now.
    pub fn recent(&self) -> Vec<Membership> {
        self.all.iter().rev().take(3).map(|(_, membership)| membership.clone()).collect()
    }

    /// The one in force after entry `index`.
    pub fn at(&self, index: u64) -> &Membership {
        let later = self.all.partition_point(|(since, _)| *since <= index);
        &self.all[later.max(1) - 1].1
    }

    /// Entry `index` brought about `next`.
    pub fn observe(&mut self, index: u64, next: &Membership) -> Result<(), String> {
        let before = self.last().clone();
        if before == *next {
            return Ok(());
        }
        self.all.push((index, next.clone()));
        let wrong = |what: &str| Err(format!("entry {index} {what}: {before:?} to {next:?}"));
        let ids = next.ids();
        self.gone.extend(before.ids().into_iter().filter(|id| !ids.contains(id)));
        if let Some(id) = ids.iter().find(|id| self.gone.contains(id)) {
            return Err(format!("entry {index} brings node {id} back, which was gone"));
        }
        if next.voters.is_empty() {
            return wrong("leaves nobody to vote");
        }
        if next.auto_leave {
            return wrong("leaves the joint membership to chance");
        }
        if before.outgoing.is_empty() {
            let apart = |left: &[u64], right: &[u64]| {
                left.iter().filter(|id| !right.contains(id)).count()
                    + right.iter().filter(|id| !left.contains(id)).count()
            };
            if next.outgoing.is_empty() {
                if apart(&before.voters, &next.voters) > 1 {
                    return wrong("changes more than one voter at once");
                }
            } else if next.outgoing != before.voters {
                return wrong("forgets who voted before");
            }
            if apart(&before.voters, &next.voters) > 2 {
                return wrong("changes more than one member");
            }
        } else if !next.outgoing.is_empty() || next.voters != before.voters {
            return wrong("begins a change in the middle of another");
        }
        Ok(())
    }
}
