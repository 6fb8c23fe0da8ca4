//! The network between nodes: which messages arrive, and when?
//!
//! One ordered stream for each ordered pair, with a connection number; the newest wins. A connection
//! that breaks loses a suffix of what was under way, never something out of the middle. While a
//! direction is blocked nothing can be sent that way, in this direction only. Faults make it worse:
//! directions become slow or lossy, and what was sent on a broken connection comes after all, or a
//! second time. On an unordered network all of this can happen to any message at any time.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use raft::eraftpb::Message;

use crate::prng::Prng;

/// What nodes send each other.
#[derive(Clone, Debug)]
pub enum Load {
    /// A message of the replica.
    Raft(Message),
    /// Asks for a block of a snapshot.
    BlockAsked {
        /// The snapshot.
        snapshot: [u8; 32],
        /// Which block.
        number: u32,
    },
    /// The block, or none if there is no such snapshot any more.
    Block {
        /// The snapshot.
        snapshot: [u8; 32],
        /// Which block.
        number: u32,
        /// Its bytes.
        bytes: Option<Bytes>,
    },
    /// The hash of the sender's state after an entry.
    Mark {
        /// The entry.
        index: u64,
        /// The hash.
        hash: [u8; 32],
    },
}

/// Something under way.
#[derive(Clone, Debug)]
pub struct Parcel {
    /// From which node.
    pub from: u64,
    /// To which.
    pub to: u64,
    /// Which store the sender has: the receiver knows the one that belongs to that id.
    pub store: [u8; 16],
    /// Which store the sender knows the receiver by, if it ever heard from it: a receiver that lost
    /// its disk is another node under that id.
    pub to_store: Option<[u8; 16]>,
    /// What is carried.
    pub load: Load,
    /// The connection; none for what strays outside of any.
    connection: Option<u64>,
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
    /// Until then it loses a part of what is sent.
    lossy_until: u64,
    /// Until then it is slow.
    slow_until: u64,
    /// What was sent last, if anything may come twice.
    recent: VecDeque<Parcel>,
}

/// How many of the last messages of a stream may come again.
const REMEMBERED: usize = 6;

/// All streams.
#[derive(Debug)]
pub struct Network {
    streams: BTreeMap<(u64, u64), Stream>,
    blocked: BTreeSet<(u64, u64)>,
    unordered: bool,
    remembers: bool,
    healed: bool,
    prng: Prng,
}

impl Network {
    /// A network whose delays are drawn from `prng`. `unordered` lets messages overtake each other;
    /// `remembers` is needed for [`stray`](Self::stray).
    pub fn new(unordered: bool, remembers: bool, prng: Prng) -> Self {
        let (streams, blocked) = (BTreeMap::new(), BTreeSet::new());
        Self { streams, blocked, unordered, remembers, healed: false, prng }
    }

    /// Takes something to send at time `now` and says when it arrives, perhaps never or twice;
    /// `None` if the sender learns that it cannot be sent.
    pub fn send(&mut self, now: u64, mut parcel: Parcel) -> Option<Vec<(u64, Parcel)>> {
        let way = (parcel.from, parcel.to);
        let stream = self.streams.entry(way).or_default();
        if self.blocked.contains(&way) || now < stream.open_at {
            return None;
        }
        let prng = &mut self.prng;
        if self.remembers {
            stream.recent.push_back(parcel.clone());
            if stream.recent.len() > REMEMBERED {
                stream.recent.pop_front();
            }
        }
        if self.unordered && !self.healed {
            let copies = match prng.below(50) {
                0 => 0,
                1 => 2,
                _ => 1,
            };
            let mut arrivals = Vec::new();
            for _ in 0..copies {
                let late = if prng.chance(5) { prng.between(5, 200) } else { prng.between(0, 6) };
                arrivals.push((now + late, parcel.clone()));
            }
            return Some(arrivals);
        }
        if now < stream.lossy_until && prng.chance(25) {
            return Some(Vec::new());
        }
        // Mostly a local network; now and then a queue somewhere.
        let mut delay = if prng.chance(3) { prng.between(5, 60) } else { prng.between(0, 2) };
        if now < stream.slow_until {
            delay += prng.between(20, 150);
        }
        stream.last_arrival = stream.last_arrival.max(now + delay);
        parcel.connection = Some(stream.connection);
        Some(vec![(stream.last_arrival, parcel)])
    }

    /// Whether `parcel`, which is due now, arrives.
    pub fn arrives(&mut self, now: u64, parcel: &Parcel) -> bool {
        let Some(connection) = parcel.connection else { return true };
        let stream = self.streams.entry((parcel.from, parcel.to)).or_default();
        let lost = stream.cut.get(&connection).is_some_and(|cut| now > *cut);
        if lost || connection < stream.heard {
            return false;
        }
        stream.heard = connection;
        true
    }

    /// Breaks the connection from `from` to `to`; a new one stands after a while.
    pub fn break_connection(&mut self, now: u64, from: u64, to: u64) {
        let stream = self.streams.entry((from, to)).or_default();
        let last = stream.last_arrival.max(now);
        let cut = self.prng.between(now, last);
        stream.cut.insert(stream.connection, cut);
        if stream.cut.len() > 8 {
            stream.cut.pop_first();
        }
        stream.connection += 1;
        stream.open_at = now + self.prng.between(5, 150);
        stream.last_arrival = stream.open_at;
    }

    /// What of the last messages from `from` to `to` comes later, or again, outside of any order.
    pub fn stray(&mut self, now: u64, from: u64, to: u64) -> Vec<(u64, Parcel)> {
        let stream = self.streams.entry((from, to)).or_default();
        let mut strays = Vec::new();
        for parcel in &stream.recent {
            if self.prng.chance(70) {
                strays.push((now + self.prng.between(0, 600), parcel.clone()));
            }
        }
        strays
    }

    /// Lets the direction lose a part of its messages until `until`.
    pub fn lose_until(&mut self, until: u64, from: u64, to: u64) {
        self.streams.entry((from, to)).or_default().lossy_until = until;
    }

    /// Makes the direction slow until `until`.
    pub fn delay_until(&mut self, until: u64, from: u64, to: u64) {
        self.streams.entry((from, to)).or_default().slow_until = until;
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

    /// Makes everything well.
    pub fn heal(&mut self) {
        self.blocked.clear();
        self.healed = true;
        for stream in self.streams.values_mut() {
            stream.lossy_until = 0;
            stream.slow_until = 0;
        }
    }
}

impl Parcel {
    /// Something to send.
    pub fn new(
        (from, store): (u64, [u8; 16]),
        (to, to_store): (u64, Option<[u8; 16]>),
        load: Load,
    ) -> Self {
        Self { from, to, store, to_store, load, connection: None }
    }
}
