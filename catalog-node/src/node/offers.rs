//! Offers: may a snapshot that was made here be handed on?
//!
//! Whoever takes it in has this node's state from then on. Should that be silently wrong, handing it
//! on would make one wrong copy a majority. So a snapshot waits until most voters are known to have
//! had the same state at its entry or after it: the hash that is compared runs over all that was
//! ever applied, so that agreement at an entry is agreement on everything before.
//!
//! It does not wait for ever: it may take the one who needs it to have a majority at all. Then it is
//! handed on unconfirmed, and that somebody should look is said by an alarm.

use super::Built;

/// What was made and may have to wait; and what is agreed.
#[derive(Debug, Default)]
pub(super) struct Offers {
    /// The newest entry at which most voters had our state.
    agreed: u64,
    /// Not confirmed yet, with the ticks that it still waits.
    waiting: Option<(Built, usize)>,
    /// The last entry of what was handed on unconfirmed, until it is confirmed after all.
    unconfirmed: Option<u64>,
}

impl Offers {
    /// A snapshot was made; it is returned if it may be handed on at once, and waits `patience` ticks
    /// otherwise. A newer one takes the place of one that waits, and of its patience.
    pub(super) fn made(&mut self, built: Built, patience: usize) -> Option<Built> {
        if built.index <= self.agreed {
            self.waiting = None;
            return Some(built);
        }
        let left = self.waiting.take().map_or(patience, |(_, left)| left);
        self.waiting = Some((built, left));
        None
    }

    /// Most voters had our state at `index`. Returns what may be handed on now.
    pub(super) fn agreed(&mut self, index: u64) -> Option<Built> {
        self.agreed = self.agreed.max(index);
        self.unconfirmed.take_if(|handed_on| *handed_on <= index);
        self.waiting.take_if(|(built, _)| built.index <= index).map(|(built, _)| built)
    }

    /// A tick has passed. Returns what has waited long enough.
    pub(super) fn tick(&mut self) -> Option<Built> {
        let (_, left) = self.waiting.as_mut()?;
        *left = left.saturating_sub(1);
        let (built, _) = self.waiting.take_if(|(_, left)| *left == 0)?;
        self.unconfirmed = Some(built.index);
        Some(built)
    }

    /// Whether one waits: there is no use in making another meanwhile.
    pub(super) fn waits(&self) -> bool {
        self.waiting.is_some()
    }

    /// Whether the last one was handed on although nobody confirmed it.
    pub(super) fn unconfirmed(&self) -> bool {
        self.unconfirmed.is_some()
    }

    /// The state is another one, or in doubt: nothing that was made of it is handed on, and nothing
    /// that was agreed counts.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use catalog_replica::Membership;

    use super::*;

    fn built(index: u64) -> Built {
        let membership = Membership::of_voters(vec![1, 2, 3]);
        Built { index, term: 2, membership, manifest: Bytes::new() }
    }

    fn index(built: Option<Built>) -> Option<u64> {
        built.map(|built| built.index)
    }

    #[test]
    fn it_waits_for_agreement_at_its_entry_or_after_it() {
        let mut offers = Offers::default();
        assert_eq!(index(offers.agreed(256)), None);
        assert_eq!(index(offers.made(built(256), 10)), Some(256), "that much is agreed");
        assert_eq!(index(offers.made(built(300), 10)), None);
        assert!(offers.waits());
        assert_eq!(index(offers.agreed(299)), None, "not at its entry");
        assert_eq!(index(offers.agreed(512)), Some(300));
        assert!(!offers.waits() && !offers.unconfirmed());
        assert_eq!(index(offers.tick()), None);
    }

    #[test]
    fn what_nobody_confirms_is_handed_on_with_an_alarm() {
        let mut offers = Offers::default();
        assert_eq!(index(offers.made(built(300), 3)), None);
        assert_eq!(index(offers.tick()), None);
        // A newer one does not wait anew: somebody needs it.
        assert_eq!(index(offers.made(built(310), 3)), None);
        assert_eq!(index(offers.tick()), None);
        assert_eq!(index(offers.tick()), Some(310));
        assert!(offers.unconfirmed() && !offers.waits());
        assert_eq!(index(offers.agreed(309)), None);
        assert!(offers.unconfirmed(), "that says nothing of the entry after it");
        assert_eq!(index(offers.agreed(310)), None);
        assert!(!offers.unconfirmed());
    }

    #[test]
    fn nothing_of_a_state_in_doubt_is_handed_on() {
        let mut offers = Offers::default();
        assert_eq!(index(offers.agreed(256)), None);
        assert_eq!(index(offers.made(built(300), 3)), None);
        offers.forget();
        assert_eq!(index(offers.agreed(512)), None);
        offers.forget();
        assert_eq!(index(offers.made(built(256), 3)), None, "what was agreed was of another state");
    }
}
