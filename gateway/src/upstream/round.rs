//! Round: in which order are the nodes asked?
//!
//! What changes something goes to the leader first, which saves a hop. What only looks goes to
//! the nodes in turn, so that each does its share. Nodes that were not well when we last looked
//! come last, and are asked all the same: we may have looked too early.

/// One round through the nodes, each asked at most once.
#[derive(Debug)]
pub struct Round {
    asked: Vec<bool>,
    turn: usize,
}

impl Round {
    /// A round through `nodes` that begins at the `turn`-th, counted around.
    ///
    /// `nodes` is not 0.
    pub fn new(nodes: usize, turn: usize) -> Self {
        Self { asked: vec![false; nodes], turn: turn % nodes }
    }

    /// Whom to ask next: `first` if it is still to be asked, then who is `well`, then the others.
    /// Both may have become known since.
    pub fn next(&mut self, first: Option<usize>, well: impl Fn(usize) -> bool) -> Option<usize> {
        let nodes = self.asked.len();
        let in_turn = || (0..nodes).map(|step| (self.turn + step) % nodes);
        let next = first
            .into_iter()
            .chain(in_turn().filter(|index| well(*index)))
            .chain(in_turn())
            .find(|index| !self.asked[*index])?;
        self.asked[next] = true;
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(nodes: usize, turn: usize, first: Option<usize>, ill: &[usize]) -> Vec<usize> {
        let mut round = Round::new(nodes, turn);
        std::iter::from_fn(|| round.next(first, |index| !ill.contains(&index))).collect()
    }

    #[test]
    fn a_round_asks_the_first_before_all_and_everyone_once() {
        assert_eq!(order(3, 0, None, &[]), [0, 1, 2]);
        assert_eq!(order(3, 7, None, &[]), [1, 2, 0]);
        assert_eq!(order(3, 0, Some(2), &[]), [2, 0, 1]);
        assert_eq!(order(1, 5, Some(0), &[]), [0]);
        assert_eq!(order(3, usize::MAX, None, &[]).len(), 3);
    }

    #[test]
    fn who_is_not_well_comes_last_unless_it_leads() {
        assert_eq!(order(4, 1, None, &[1, 3]), [2, 0, 1, 3]);
        assert_eq!(order(3, 0, Some(1), &[1, 0]), [1, 2, 0]);
        assert_eq!(order(3, 2, None, &[0, 1, 2]), [2, 0, 1]);
    }

    #[test]
    fn a_leader_that_becomes_known_within_a_round_is_next() {
        let mut round = Round::new(5, 0);
        let mut next = |first| round.next(first, |_| true);
        assert_eq!(next(None), Some(0));
        assert_eq!(next(Some(3)), Some(3));
        assert_eq!(next(Some(3)), Some(1));
        assert_eq!(next(Some(0)), Some(2));
        assert_eq!(next(Some(0)), Some(4));
        assert_eq!(next(Some(0)), None);
    }
}
