//! The network between nodes: which messages arrive, and when?
//!
//! One ordered stream for each ordered pair, with a connection number; the newest wins. A connection
//! that breaks loses a suffix of what was under way, never something out of the middle. While a
//! direction is blocked nothing can be sent that way, in this direction only.

use std::collections::{BTreeMap, BTreeSet};

use raft::eraftpb::Message;

use crate::prng::Prng;

/// A message under way.
#[derive(Clone, Debug)]
pub struct Parcel {
    /// The stream and its connection.
    connection: u64,
    /// What is carried.
    pub message: Message,
}

/// One direction between two nodes.
#[derive(Debug, Default)]
struct Stream {
    /// Rises with every connection.
    connection: u64,
    /// When the connection stands; messages before are refused to the sender.
    open_at: u64,
    /// Streams keep their order: nothing arrives before this.
    last_arrival: u64,
    /// Of each broken connection, the last moment at which something of it arrives.
    cut: BTreeMap<u64, u64>,
    /// The newest connection from which the receiver has heard.
    heard: u64,
}

/// All streams.
#[derive(Debug)]
pub struct Network {
    streams: BTreeMap<(u64, u64), Stream>,
    blocked: BTreeSet<(u64, u64)>,
    prng: Prng,
}

impl Network {
    /// A network whose delays are drawn from `prng`.
    pub fn new(prng: Prng) -> Self {
        Self { streams: BTreeMap::new(), blocked: BTreeSet::new(), prng }
    }

    /// Takes a message at time `now` and says when it arrives; `None` if the sender learns that it
    /// cannot be sent.
    pub fn send(&mut self, now: u64, message: Message) -> Option<(u64, Parcel)> {
        let way = (message.from, message.to);
        let stream = self.streams.entry(way).or_default();
        if self.blocked.contains(&way) || now < stream.open_at {
            return None;
        }
        // Mostly a local network; now and then a queue somewhere.
        let delay =
            if self.prng.chance(4) { self.prng.between(5, 60) } else { self.prng.between(0, 3) };
        stream.last_arrival = stream.last_arrival.max(now + delay);
        Some((stream.last_arrival, Parcel { connection: stream.connection, message }))
    }

    /// Whether `parcel`, which is due now, arrives.
    pub fn arrives(&mut self, now: u64, parcel: &Parcel) -> bool {
        let way = (parcel.message.from, parcel.message.to);
        let stream = self.streams.entry(way).or_default();
        let lost = stream.cut.get(&parcel.connection).is_some_and(|cut| now > *cut);
        if lost || parcel.connection < stream.heard {
            return false;
        }
        stream.heard = parcel.connection;
        true
    }

    /// Breaks the connection from `from` to `to`; a new one stands after a while.
    pub fn break_connection(&mut self, now: u64, from: u64, to: u64) {
        let stream = self.streams.entry((from, to)).or_default();
        let last = stream.last_arrival.max(now);
        stream.cut.insert(stream.connection, self.prng.between(now, last));
        stream.connection += 1;
        stream.open_at = now + self.prng.between(5, 150);
        stream.last_arrival = stream.open_at;
    }

    /// Breaks every connection from and to `node`.
    pub fn disconnect(&mut self, now: u64, node: u64, others: &[u64]) {
        for other in others.iter().filter(|other| **other != node) {
            self.break_connection(now, node, *other);
            self.break_connection(now, *other, node);
        }
    }

    /// Lets nothing more through from `from` to `to`.
    pub fn block(&mut self, now: u64, from: u64, to: u64) {
        self.break_connection(now, from, to);
        self.blocked.insert((from, to));
    }

    /// Lets messages from `from` to `to` through again.
    pub fn unblock(&mut self, from: u64, to: u64) {
        self.blocked.remove(&(from, to));
    }

    /// Lets everything through again.
    pub fn heal(&mut self) {
        self.blocked.clear();
    }
}
