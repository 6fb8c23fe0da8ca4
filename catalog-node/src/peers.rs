//! Peers: how do messages travel between the nodes of a cluster?
//!
//! One ordered stream for each pair and direction, over mutual TLS, opened by the sender. A stream
//! begins with a [`Hello`](luqiao_proto::peer::v1::Hello) that says who sends, from which store of
//! which cluster and generation, and the how many-th connection this is; the newest wins. Messages
//! are the consensus library's own bytes; nothing here reads them but for the address.
//!
//! Queues are short and drop what does not fit: Raft repeats what matters, and a message that
//! waited for long is worth less than none. What was dropped is reported, so that the leader slows
//! down.
//!
//! Who the peers are changes while the node runs: the members that the state names count, and
//! before there are any, those of the configuration.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::ArcSwap;
use bytes::Bytes;
use catalog_model::{ids::DomainId, site::Pair};
use luqiao_proto::peer::v1::{Hello, StateMark};
use luqiao_transport::{
    dial::{DialError, Dialer, Target},
    drain::Shutdown,
    identity::{SpiffeId, Subject},
    opening::Telling,
    tls::Expectation,
};
use protobuf::Message as _;
use raft::eraftpb::Message;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

use self::{dial::Outgoing, portions::portions};
use crate::{
    alarms::Alarms,
    clock::StampClock,
    fencing::{Fencing, Voice},
    pulse::Pulse,
    storage::{IdentityFile, hex},
};

pub(crate) mod dial;
pub(crate) mod fetch;
mod portions;
pub(crate) mod read_index;
pub(crate) mod serve;

/// Messages that wait for one peer.
const QUEUE: usize = 1024;

/// The first level at which a program knows what a [`StateMark`] is.
const MARKS_LEVEL: u32 = 2;

/// The way of calls to a peer: each tells what this node knows of openings, and hears the answer.
pub(crate) type PeerChannel = Telling<Channel, Voice>;

/// What travels to a peer.
#[derive(Debug, Clone)]
pub(crate) enum Outbound {
    /// A message of the consensus library.
    Raft(Bytes),
    /// Our state hash at an agreed entry.
    Mark(StateMark),
}

/// What a node needs to speak with any other of its cluster.
pub(crate) struct Introduction {
    pub(crate) dialer: Dialer,
    pub(crate) domain: DomainId,
    /// Without receiver and connection, and without generation and epoch: those may change.
    pub(crate) hello: Hello,
    /// Knows the store of each node that was met.
    pub(crate) stores: Arc<IdentityFile>,
    /// Knows for which generation this node speaks.
    pub(crate) fencing: Arc<Fencing>,
    /// The first connection number of this start.
    pub(crate) first_connection: u64,
    pub(crate) shutdown: Shutdown,
    pub(crate) alarms: Arc<Alarms>,
    pub(crate) clock: Arc<StampClock>,
    pub(crate) verdicts: Verdicts,
}

/// Told what peers say of this node.
#[derive(Clone)]
pub(crate) struct Verdicts {
    /// The cluster let it go.
    pub(crate) removed: Arc<dyn Fn() + Send + Sync>,
    /// This peer knows it with another store.
    pub(crate) disowned: Arc<dyn Fn(u64) + Send + Sync>,
}

/// The other nodes, and the ways to them.
pub(crate) struct Peers {
    introduction: Introduction,
    links: ArcSwap<BTreeMap<u64, Link>>,
    /// One change at a time.
    changing: Mutex<()>,
    /// The highest command level that each said it can apply.
    levels: Mutex<BTreeMap<u64, u32>>,
    /// What this node says while its loop is busy.
    pub(crate) pulse: Pulse,
}

/// The way to one node.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    /// `host:port`
    pub(crate) address: String,
    /// For calls.
    pub(crate) channel: PeerChannel,
    queue: mpsc::Sender<Outbound>,
    ended: CancellationToken,
}

impl Peers {
    /// Nobody yet.
    pub(crate) fn new(introduction: Introduction) -> Self {
        Self {
            introduction,
            links: ArcSwap::default(),
            changing: Mutex::default(),
            levels: Mutex::default(),
            pulse: Pulse::default(),
        }
    }

    /// This node's id.
    pub(crate) fn own(&self) -> u64 {
        self.introduction.hello.from
    }

    /// From now on `members` are the peers, by id with their addresses; this node among them does
    /// not matter. Connections to those who stay are kept. Runs on a thread of the runtime.
    pub(crate) fn set(&self, members: &BTreeMap<u64, String>) -> Result<(), (u64, DialError)> {
        let _one = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let current = self.links.load_full();
        let mut links = BTreeMap::new();
        for (id, address) in members.iter().filter(|(id, _)| **id != self.own()) {
            let link = match current.get(id).filter(|link| link.address == *address) {
                Some(link) => link.clone(),
                None => self.link(*id, address).map_err(|error| (*id, error))?,
            };
            links.insert(*id, link);
        }
        for (id, link) in current.iter() {
            if links.get(id).is_none_or(|kept| kept.address != link.address) {
                link.ended.cancel();
            }
        }
        self.links.store(Arc::new(links));
        Ok(())
    }

    /// As [`Peers::set`], for those who are not known yet.
    pub(crate) fn add(&self, more: &BTreeMap<u64, String>) -> Result<(), (u64, DialError)> {
        let mut members = self.addresses();
        let before = members.len();
        for (id, address) in more {
            members.entry(*id).or_insert_with(|| address.clone());
        }
        if members.len() == before { Ok(()) } else { self.set(&members) }
    }

    fn link(&self, id: u64, address: &str) -> Result<Link, DialError> {
        let own = &self.introduction;
        let name = id.to_string().parse().expect("a number is a name");
        let name = SpiffeId { domain: own.domain.clone(), subject: Subject::Node { id: name } };
        let target = Target::new(address).expecting(Expectation::exactly(name));
        let channel = Telling::new(own.dialer.channel(&target)?, Voice(Arc::clone(&own.fencing)));
        let (queue, end) = mpsc::channel(QUEUE);
        let ended = CancellationToken::new();
        let outgoing = Outgoing {
            peer: id,
            channel: channel.clone(),
            hello: own.hello.clone(),
            stores: Arc::clone(&own.stores),
            fencing: Arc::clone(&own.fencing),
            first_connection: own.first_connection,
            queue: end,
        };
        let (alarms, clock) = (Arc::clone(&own.alarms), Arc::clone(&own.clock));
        let (shutdown, cut) = (own.shutdown.clone(), ended.clone());
        let verdicts = own.verdicts.clone();
        drop(own.shutdown.spawn(async move {
            tokio::select! {
                () = cut.cancelled() => {}
                () = outgoing.run(shutdown, &alarms, &clock, &verdicts) => {}
            }
            alarms.clear(dial::PEER_UNREACHABLE, &id.to_string());
        }));
        Ok(Link { address: address.to_owned(), channel, queue, ended })
    }

    /// How this node introduces itself to `peer` in a call.
    pub(crate) fn hello_to(&self, peer: u64) -> Hello {
        let own = &self.introduction;
        hello_to(&own.hello, &own.stores, &own.fencing, peer)
    }

    /// `peer` says that the cluster knows this node with another store.
    pub(crate) fn disowned_by(&self, peer: u64) {
        (self.introduction.verdicts.disowned)(peer);
    }

    /// The other nodes' addresses.
    pub(crate) fn addresses(&self) -> BTreeMap<u64, String> {
        self.links.load().iter().map(|(id, link)| (*id, link.address.clone())).collect()
    }

    /// Whether `id` is one of them.
    pub(crate) fn contains(&self, id: u64) -> bool {
        self.links.load().contains_key(&id)
    }

    /// The way to `id`.
    pub(crate) fn channel(&self, id: u64) -> Option<PeerChannel> {
        self.links.load().get(&id).map(|link| link.channel.clone())
    }

    /// Whether there is nobody to send to.
    pub(crate) fn is_empty(&self) -> bool {
        self.links.load().is_empty()
    }

    /// `peer` said that it can apply commands up to `level`.
    pub(crate) fn says_level(&self, peer: u64, level: u32) {
        let mut levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        // Programs older than the field say nothing, and can apply the first level.
        levels.insert(peer, level.max(1));
    }

    /// The level that `peer` said it can apply; `None` if it has said nothing since we started.
    pub(crate) fn level(&self, peer: u64) -> Option<u32> {
        self.levels.lock().unwrap_or_else(PoisonError::into_inner).get(&peer).copied()
    }

    /// Queues `messages`, and returns those for whom some did not fit.
    pub(crate) fn send(&self, messages: Vec<Message>) -> Vec<u64> {
        let links = self.links.load();
        let mut dropped = Vec::new();
        for message in messages.into_iter().flat_map(portions) {
            let Some(link) = links.get(&message.to) else { continue };
            self.pulse.sends(&message);
            let bytes = message.write_to_bytes().expect("a message of this process can be encoded");
            let sent = link.queue.try_send(Outbound::Raft(Bytes::from(bytes)));
            if sent.is_err() && !dropped.contains(&message.to) {
                dropped.push(message.to);
            }
        }
        dropped
    }

    /// Tells those who understand it what our state hash was at an entry. Losing some is allowed.
    pub(crate) fn mark(&self, mark: &StateMark) {
        for (id, link) in self.links.load().iter() {
            if self.level(*id).is_some_and(|level| level >= MARKS_LEVEL) {
                let _ = link.queue.try_send(Outbound::Mark(mark.clone()));
            }
        }
    }
}

/// `own` for `peer`, whose store may have become known since the last time, in the name of the
/// generation to which this node belongs now: never of one that it merely heard of.
fn hello_to(own: &Hello, stores: &IdentityFile, fencing: &Fencing, peer: u64) -> Hello {
    let store = stores.known_store(peer);
    let to_store_uuid = store.map(|store| hex(&store)).unwrap_or_default();
    let Pair { generation, epoch } = fencing.known().speaks_for();
    Hello { to: peer, to_store_uuid, generation, epoch, ..own.clone() }
}

impl std::fmt::Debug for Peers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Peers").field("addresses", &self.addresses()).finish_non_exhaustive()
    }
}
