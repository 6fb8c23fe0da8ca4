//! Tree: is this leaf in that tree, and does this tree extend that one? (RFC 9162 §2.1)
//!
//! The paths are made where the hashes lie, in the ledger; here they are only followed. Whoever
//! checks a proof trusts nothing of it: each function takes hashes and numbers as they came and says
//! no to everything that does not lead to the root.

use crate::{Hash, suite::Suite};

/// RFC 9162 §2.1.3.2: the root of the tree of `size` leaves in which the leaf at `index` has this
/// path; `None` if no such tree could have it.
pub fn root_of_path(
    suite: Suite,
    leaf: Hash,
    index: u64,
    size: u64,
    path: &[Hash],
) -> Option<Hash> {
    if index >= size {
        return None;
    }
    // The RFC calls these `fn` and `sn`.
    let (mut node, mut last, mut hash) = (index, size - 1, leaf);
    for sibling in path {
        if last == 0 {
            return None;
        }
        if node % 2 == 1 || node == last {
            hash = suite.node_hash(sibling, &hash);
            while node.is_multiple_of(2) && node != 0 {
                node /= 2;
                last /= 2;
            }
        } else {
            hash = suite.node_hash(&hash, sibling);
        }
        node /= 2;
        last /= 2;
    }
    (last == 0).then_some(hash)
}

/// Whether `path` leads from `leaf` at `index` to `root` over `size` leaves.
pub fn verify_inclusion(
    suite: Suite,
    leaf: Hash,
    index: u64,
    size: u64,
    path: &[Hash],
    root: &Hash,
) -> bool {
    root_of_path(suite, leaf, index, size, path).as_ref() == Some(root)
}

/// RFC 9162 §2.1.4.2: whether `path` shows that the tree with root `second_root` over `second`
/// leaves extends the tree with root `first_root` over `first`. Nothing extends the empty tree
/// provably: a head without records binds nobody.
pub fn verify_consistency(
    suite: Suite,
    first: u64,
    second: u64,
    path: &[Hash],
    first_root: &Hash,
    second_root: &Hash,
) -> bool {
    if first == 0 || first > second {
        return false;
    }
    if first == second {
        return path.is_empty() && first_root == second_root;
    }
    let with_root;
    let path = if first.is_power_of_two() {
        with_root = [&[*first_root], path].concat();
        &with_root
    } else {
        path
    };
    let Some((start, rest)) = path.split_first() else { return false };
    let (mut node, mut last) = (first - 1, second - 1);
    while node % 2 == 1 {
        node /= 2;
        last /= 2;
    }
    let (mut first_hash, mut second_hash) = (*start, *start);
    for sibling in rest {
        if last == 0 {
            return false;
        }
        if node % 2 == 1 || node == last {
            first_hash = suite.node_hash(sibling, &first_hash);
            second_hash = suite.node_hash(sibling, &second_hash);
            while node.is_multiple_of(2) && node != 0 {
                node /= 2;
                last /= 2;
            }
        } else {
            second_hash = suite.node_hash(&second_hash, sibling);
        }
        node /= 2;
        last /= 2;
    }
    last == 0 && first_hash == *first_root && second_hash == *second_root
}

/// The right edge of a tree that grows: the roots of its complete subtrees, the largest first. From
/// it and the next leaves follows every later root, without the leaves before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frontier {
    suite: Suite,
    size: u64,
    peaks: Vec<Hash>,
}

impl Frontier {
    /// The tree without leaves.
    pub fn new(suite: Suite) -> Self {
        Self { suite, size: 0, peaks: Vec::new() }
    }

    /// The tree of `size` leaves with these complete subtrees: one for each binary one of `size`.
    pub fn of_peaks(suite: Suite, size: u64, peaks: Vec<Hash>) -> Option<Self> {
        (peaks.len() == size.count_ones() as usize).then_some(Self { suite, size, peaks })
    }

    /// How many leaves it has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The roots of its complete subtrees, the largest first.
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// Adds the next leaf.
    pub fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        for _ in 0..self.size.trailing_ones() {
            let left = self.peaks.pop().expect("a complete subtree for each binary one");
            hash = self.suite.node_hash(&left, &hash);
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// The root over all leaves so far.
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else { return self.suite.empty_root() };
        peaks.fold(*last, |right, left| self.suite.node_hash(left, &right))
    }
}

#[cfg(test)]
mod tests;
