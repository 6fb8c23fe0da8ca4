//! The inbox: what waits for the node's loop, what is taken first, and when is it full?
//!
//! Three lanes under one lock. What this node's own tasks report comes first and always fits: each
//! task has one thing under way. What peers send comes next and has room of its own, so that no
//! number of clients keeps a heartbeat from being heard. Clients come last; beyond a number of
//! calls or bytes they are told to slow down, and nothing they sent was done.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Parts of peers' messages that wait. Beyond it they are dropped, which Raft is made for.
const PEER_ITEMS: usize = 4096;
/// The same in bytes: what one peer may have under way, for a few peers.
const PEER_BYTES: usize = 128 << 20;
/// Calls that wait. Beyond it callers are told to slow down.
const CLIENT_ITEMS: usize = 4096;
/// The same in bytes: as much as a leader may have uncommitted.
const CLIENT_BYTES: usize = 64 << 20;
/// Calls taken in one round. A round is as long as its sync; more would make it longer.
const CLIENTS_PER_ROUND: usize = 2048;

/// Why something was not taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Full {
    /// Too much waits already; nothing of this was done.
    NotNow,
    /// The loop has ended.
    Closed,
}

/// What waits for one loop. `O` is reported by own tasks, `P` sent by peers, `C` asked by clients.
pub(crate) struct Inbox<O, P, C> {
    lanes: Mutex<Lanes<O, P, C>>,
    wake: Condvar,
}

struct Lanes<O, P, C> {
    own: VecDeque<O>,
    peers: Lane<P>,
    clients: Lane<C>,
    /// Invariant: nothing is put in any more once it is set.
    closed: bool,
}

struct Lane<T> {
    waiting: VecDeque<(T, usize)>,
    bytes: usize,
}

/// What was taken out for one round, in the order in which it is handled.
pub(crate) struct Taken<O, P, C> {
    pub(crate) own: VecDeque<O>,
    pub(crate) peers: VecDeque<(P, usize)>,
    pub(crate) clients: VecDeque<(C, usize)>,
}

impl<T> Lane<T> {
    fn put(&mut self, item: T, bytes: usize, items_max: usize, bytes_max: usize) -> bool {
        let fits = self.waiting.len() < items_max
            && (self.waiting.is_empty() || self.bytes.saturating_add(bytes) <= bytes_max);
        if fits {
            self.bytes += bytes;
            self.waiting.push_back((item, bytes));
        }
        fits
    }

    fn take(&mut self, most: usize) -> VecDeque<(T, usize)> {
        let rest = self.waiting.split_off(self.waiting.len().min(most));
        let taken = std::mem::replace(&mut self.waiting, rest);
        self.bytes = self.waiting.iter().map(|(_, bytes)| bytes).sum();
        taken
    }
}

impl<T> Default for Lane<T> {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), bytes: 0 }
    }
}

impl<O, P, C> Inbox<O, P, C> {
    /// An empty inbox.
    pub(crate) fn new() -> Self {
        let lanes = Lanes {
            own: VecDeque::new(),
            peers: Lane::default(),
            clients: Lane::default(),
            closed: false,
        };
        Self { lanes: Mutex::new(lanes), wake: Condvar::new() }
    }

    /// Takes in what an own task reports; lost only when the loop has ended.
    pub(crate) fn report(&self, own: O) {
        let mut lanes = self.lock();
        if !lanes.closed {
            lanes.own.push_back(own);
            self.wake.notify_one();
        }
    }

    /// Takes in `bytes` of a peer's messages; `false` if they were dropped.
    pub(crate) fn deliver(&self, messages: P, bytes: usize) -> bool {
        let mut lanes = self.lock();
        let taken = !lanes.closed && lanes.peers.put(messages, bytes, PEER_ITEMS, PEER_BYTES);
        if taken {
            self.wake.notify_one();
        }
        taken
    }

    /// Takes in a client's wish of `bytes`.
    pub(crate) fn ask(&self, wish: C, bytes: usize) -> Result<(), Full> {
        let mut lanes = self.lock();
        if lanes.closed {
            return Err(Full::Closed);
        }
        if !lanes.clients.put(wish, bytes, CLIENT_ITEMS, CLIENT_BYTES) {
            return Err(Full::NotNow);
        }
        self.wake.notify_one();
        Ok(())
    }

    /// Takes out one round's work; waits up to `wait` for there to be any.
    pub(crate) fn take(&self, wait: Duration) -> Taken<O, P, C> {
        let lanes = self.lock();
        let idle = |lanes: &mut Lanes<O, P, C>| {
            lanes.own.is_empty()
                && lanes.peers.waiting.is_empty()
                && lanes.clients.waiting.is_empty()
                && !lanes.closed
        };
        let (mut lanes, _) =
            self.wake.wait_timeout_while(lanes, wait, idle).unwrap_or_else(PoisonError::into_inner);
        Taken {
            own: std::mem::take(&mut lanes.own),
            peers: lanes.peers.take(usize::MAX),
            clients: lanes.clients.take(CLIENTS_PER_ROUND),
        }
    }

    /// Takes in nothing more, and drops what waits: whoever asked finds out by that.
    pub(crate) fn close(&self) {
        let mut lanes = self.lock();
        lanes.closed = true;
        let dropped = (
            std::mem::take(&mut lanes.own),
            std::mem::take(&mut lanes.peers),
            std::mem::take(&mut lanes.clients),
        );
        self.wake.notify_one();
        drop(lanes);
        drop(dropped);
    }

    fn lock(&self) -> MutexGuard<'_, Lanes<O, P, C>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<O, P, C> std::fmt::Debug for Inbox<O, P, C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let lanes = self.lock();
        f.debug_struct("Inbox")
            .field("own", &lanes.own.len())
            .field("peers", &lanes.peers.waiting.len())
            .field("clients", &lanes.clients.waiting.len())
            .field("closed", &lanes.closed)
            .finish()
    }
}

#[cfg(test)]
mod tests;
