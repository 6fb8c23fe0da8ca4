//! Marks: what was the state's hash at agreed entries, here and elsewhere?
//!
//! Kept for a few entries back, because nodes get there at different times. What is not known is
//! not kept as anything: a missing mark says nothing.

use std::collections::BTreeMap;

use catalog_replica::divergence::{Comparison, Mark, judge};

/// Marks that are kept of each node.
const KEPT: usize = 32;

/// Nodes of which marks are kept: more than a cluster has.
const NODES_MAX: usize = 32;

/// The marks that this node knows.
#[derive(Debug, Default)]
pub(super) struct Marks {
    own: BTreeMap<u64, [u8; 32]>,
    others: BTreeMap<u64, BTreeMap<u64, [u8; 32]>>,
}

fn keep(marks: &mut BTreeMap<u64, [u8; 32]>, index: u64, hash: [u8; 32]) {
    marks.insert(index, hash);
    while marks.len() > KEPT {
        marks.pop_first();
    }
}

impl Marks {
    /// Our own hash at `index`.
    pub(super) fn made(&mut self, index: u64, hash: [u8; 32]) {
        keep(&mut self.own, index, hash);
    }

    /// What `peer` says its hash was at `index`.
    pub(super) fn heard(&mut self, peer: u64, index: u64, hash: [u8; 32]) {
        if self.others.contains_key(&peer) || self.others.len() < NODES_MAX {
            keep(self.others.entry(peer).or_default(), index, hash);
        }
    }

    /// Our state was replaced: what was said of the old one does not count any more.
    pub(super) fn forget_own(&mut self) {
        self.own.clear();
    }

    /// What the marks at `index` say; `None` if we have none there.
    pub(super) fn judge(&self, id: u64, index: u64, voters: &[u64]) -> Option<Comparison> {
        let hash = *self.own.get(&index)?;
        let others = self
            .others
            .iter()
            .filter(|(peer, _)| **peer != id)
            .filter_map(|(peer, marks)| Some((*peer, Mark { index, hash: *marks.get(&index)? })))
            .collect();
        Some(judge(id, Mark { index, hash }, &others, voters))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VOTERS: [u64; 3] = [1, 2, 3];

    #[test]
    fn a_mark_that_was_not_heard_is_no_agreement() {
        let mut marks = Marks::default();
        assert_eq!(marks.judge(1, 1024, &VOTERS), None);
        marks.heard(2, 1024, [7; 32]);
        assert_eq!(marks.judge(1, 1024, &VOTERS), None, "we have not come so far");
        marks.made(1024, [7; 32]);
        assert_eq!(marks.judge(1, 1024, &VOTERS), Some(Comparison::Agreed));
        marks.made(2048, [7; 32]);
        assert_eq!(marks.judge(1, 2048, &VOTERS), Some(Comparison::Unknown));
    }

    #[test]
    fn late_marks_count_until_they_are_too_old() {
        let mut marks = Marks::default();
        for index in 1..=KEPT as u64 + 1 {
            marks.made(index, [0; 32]);
        }
        marks.heard(2, 1, [1; 32]);
        marks.heard(2, 5, [1; 32]);
        marks.heard(3, 5, [1; 32]);
        assert_eq!(marks.judge(1, 1, &VOTERS), None);
        assert_eq!(marks.judge(1, 5, &VOTERS), Some(Comparison::Alone));
        marks.forget_own();
        assert_eq!(marks.judge(1, 5, &VOTERS), None);
    }
}
