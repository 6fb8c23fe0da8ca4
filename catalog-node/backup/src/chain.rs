//! The chain: which entries can be had after a base, and is anything missing in between?
//!
//! Pure, over names; that a segment names the hash of the one before it is seen when it is read.

use crate::{BaseName, Listing, SegmentName};

/// Segments that follow each other or overlap, without a hole, in one generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The generation.
    pub generation: u64,
    /// In order, at least one.
    pub segments: Vec<SegmentName>,
}

impl Run {
    /// The first entry.
    pub fn first(&self) -> u64 {
        self.segments.first().map_or(0, |segment| segment.first)
    }

    /// The last entry.
    pub fn last(&self) -> u64 {
        self.segments.last().map_or(0, |segment| segment.last)
    }
}

/// Entries of which there is no segment, between some that are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hole {
    /// The generation.
    pub generation: u64,
    /// The first entry that is missing.
    pub first: u64,
    /// The last.
    pub last: u64,
}

/// Why a state cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainFault {
    /// There is no base, or none early enough.
    #[error("there is no base at or before that point")]
    NoBase,
    /// Entries are missing behind the base.
    #[error("the segments between entry {after} and entry {wanted} are missing")]
    Missing {
        /// The last entry that can be had.
        after: u64,
        /// The entry that is wanted.
        wanted: u64,
    },
}

/// The segments as runs, and the holes between runs of one generation. A hole is no fault where a base
/// begins behind it: it was a time without backups, and says from when to when.
pub fn runs(segments: &[SegmentName]) -> (Vec<Run>, Vec<Hole>) {
    let (mut runs, mut holes): (Vec<Run>, Vec<Hole>) = Default::default();
    for segment in segments {
        match runs.last_mut() {
            // Sealed by two nodes in turn: the shorter says nothing new.
            Some(run) if run.generation == segment.generation && segment.last <= run.last() => {}
            Some(run)
                if run.generation == segment.generation && segment.first <= run.last() + 1 =>
            {
                run.segments.push(*segment);
            }
            last => {
                if let Some(run) = last.filter(|run| run.generation == segment.generation) {
                    let (first, last) = (run.last() + 1, segment.first.saturating_sub(1));
                    holes.push(Hole { generation: run.generation, first, last });
                }
                runs.push(Run { generation: segment.generation, segments: vec![*segment] });
            }
        }
    }
    (runs, holes)
}

impl Listing {
    /// The newest generation of which there is anything to begin from.
    pub fn newest_generation(&self) -> Option<u64> {
        self.bases.last().map(|base| base.generation)
    }

    /// The greatest entry that anything here knows of, of any generation.
    pub fn greatest_index(&self) -> u64 {
        let bases = self.bases.iter().map(|base| base.index);
        bases.chain(self.segments.iter().map(|segment| segment.last)).max().unwrap_or_default()
    }

    /// The newest base of `generation` at or before `index`.
    pub fn base_for(&self, generation: u64, index: u64) -> Option<BaseName> {
        let mut bases = self.bases.iter().rev();
        bases.find(|base| base.generation == generation && base.index <= index).copied()
    }

    /// The segments with the entries after `base` up to `index`.
    pub fn segments_for(&self, base: BaseName, index: u64) -> Result<Vec<SegmentName>, ChainFault> {
        let mut after = base.index;
        let mut found = Vec::new();
        let of = self.segments.iter().filter(|segment| segment.generation == base.generation);
        for segment in of {
            if after >= index || segment.last <= after {
                continue;
            }
            if segment.first > after + 1 {
                break;
            }
            found.push(*segment);
            after = segment.last;
        }
        if after < index { Err(ChainFault::Missing { after, wanted: index }) } else { Ok(found) }
    }

    /// The last entry up to which every entry after `base` can be had.
    pub fn reach(&self, base: BaseName) -> u64 {
        let mut after = base.index;
        let of = self.segments.iter().filter(|segment| segment.generation == base.generation);
        for segment in of {
            if segment.first <= after + 1 && segment.last > after {
                after = segment.last;
            }
        }
        after
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(first: u64, last: u64) -> SegmentName {
        SegmentName { generation: 1, first, last }
    }

    fn listing() -> Listing {
        let base = |index| BaseName { generation: 1, index };
        Listing {
            bases: vec![base(10), base(50)],
            segments: vec![segment(2, 12), segment(13, 20), segment(41, 60)],
            ..Listing::default()
        }
    }

    #[test]
    fn what_follows_a_base_is_found_and_a_hole_is_named() {
        let listing = listing();
        let base = listing.base_for(1, 20).unwrap();
        assert_eq!(base.index, 10);
        assert_eq!(listing.segments_for(base, 20), Ok(vec![segment(2, 12), segment(13, 20)]));
        assert_eq!(listing.segments_for(base, 11), Ok(vec![segment(2, 12)]));
        assert_eq!(listing.segments_for(base, 10), Ok(vec![]));
        let missing = ChainFault::Missing { after: 20, wanted: 45 };
        assert_eq!(listing.segments_for(base, 45), Err(missing));
        assert_eq!(listing.reach(base), 20);
        assert_eq!(listing.reach(listing.base_for(1, 50).unwrap()), 60);
        assert_eq!(listing.base_for(1, 9), None);
        assert_eq!(listing.base_for(2, 90), None);
        let (runs, holes) = runs(&listing.segments);
        assert_eq!(runs.len(), 2);
        assert_eq!(holes, [Hole { generation: 1, first: 21, last: 40 }]);
    }

    #[test]
    fn two_nodes_that_sealed_the_same_entries_leave_no_hole() {
        let (runs, holes) =
            runs(&[segment(2, 9), segment(2, 12), segment(10, 12), segment(13, 14)]);
        assert_eq!(holes, []);
        assert_eq!(runs.len(), 1, "{runs:?}");
        assert_eq!((runs[0].first(), runs[0].last()), (2, 14));
    }
}
