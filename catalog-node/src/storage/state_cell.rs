//! The state in use: how can it be replaced while others read it?
//!
//! An installed snapshot is another store in another folder. Whoever reads keeps the store that it
//! began with; whoever comes later gets the new one. The old folder goes with its last reader.

use std::sync::{Arc, Weak};

use arc_swap::ArcSwap;

use super::StateStore;

/// The store in use, replaceable.
#[derive(Debug)]
pub struct StateCell {
    current: ArcSwap<StateStore>,
    /// Held by every store opened from this folder, until it is closed.
    open: Arc<()>,
}

/// Tells whether any store of a data folder is still open. Keeps none open itself.
#[derive(Debug, Clone)]
pub struct OpenStores(Weak<()>);

impl OpenStores {
    /// Whether all are closed, so that the folder may be opened again.
    pub fn all_closed(&self) -> bool {
        self.0.strong_count() == 0
    }
}

impl StateCell {
    pub(crate) fn new(store: StateStore) -> Self {
        let open = store.open_mark();
        Self { current: ArcSwap::from_pointee(store), open }
    }

    /// The store in use now. It stays readable for as long as it is held; do not hold it for long.
    pub fn current(&self) -> Arc<StateStore> {
        self.current.load_full()
    }

    /// Puts `store` in the place of the one in use, whose folder is removed once nobody reads it
    /// any more.
    pub(crate) fn replace(&self, store: StateStore) {
        store.set_list_room(self.current.load().list_room());
        let old = self.current.swap(Arc::new(store));
        old.retire();
    }

    /// The mark that a store which will [`StateCell::replace`] the present one has to carry.
    pub(crate) fn open_mark(&self) -> Arc<()> {
        Arc::clone(&self.open)
    }

    /// Watches over the stores of this folder.
    pub fn open_stores(&self) -> OpenStores {
        OpenStores(Arc::downgrade(&self.open))
    }
}
