//! Nodes: the connections to the nodes there are, and how each of them does.
//!
//! The list is replaced as a whole when the members change; a node that stays keeps its
//! connections and its standing. A call works with the list it began its round with.

use std::{
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use catalog_model::ids::DomainId;
use luqiao_proto::node::v1::node_service_client::NodeServiceClient;
use luqiao_transport::{
    dial::{DialError, Dialer, PEER_MESSAGE_BYTES_MAX, Target},
    identity::{SpiffeId, Subject},
    opening::{Opening, Telling},
    tls::Expectation,
};
use tonic::transport::Channel;

use super::{
    breaker::Breaker,
    followed::{Followed, Follows, NodeVoice},
    locked,
    roster::Place,
};

/// One node.
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) calls: NodeClient,
    /// A connection of their own, so that streams never take the calls' places.
    pub(super) streams: NodeClient,
    pub(super) breaker: Mutex<Breaker>,
    /// Whether it answered when it was last looked at.
    pub(super) answering: AtomicBool,
    /// Whether it said of itself that its answers can be relied on.
    pub(super) sound: AtomicBool,
    /// What it said last of the openings of its cluster, with whichever answer.
    pub(super) told: Arc<Mutex<Option<Opening>>>,
}

/// Calls a node, and tells it and hears from it which opening each follows.
pub(super) type NodeClient = NodeServiceClient<Telling<Channel, NodeVoice>>;

/// All nodes that are known.
#[derive(Debug, Clone)]
pub(super) struct Nodes {
    /// Those to which calls go. Invariant: not empty.
    pub(super) asked: Arc<[Arc<Node>]>,
    /// Those, and the configured ones beside them.
    pub(super) watched: Arc<[Arc<Node>]>,
}

/// How nodes of a domain are reached.
#[derive(Debug, Clone)]
pub(super) struct Reach {
    pub(super) domain: DomainId,
    pub(super) dialer: Dialer,
    /// What the gateway follows.
    pub(super) followed: Arc<Mutex<Followed>>,
}

impl Reach {
    /// A node at `place`. Its connections are made when they are first used, and only to the
    /// holder of that node's certificate.
    fn node(&self, place: Place) -> Result<Node, DialError> {
        let expected = SpiffeId {
            domain: self.domain.clone(),
            subject: Subject::Node { id: place.id.clone() },
        };
        let mut target = Target::new(&place.endpoint).expecting(Expectation::exactly(expected));
        target.server_name.clone_from(&place.server_name);
        let told = Arc::<Mutex<Option<Opening>>>::default();
        let client = || {
            let voice = NodeVoice { followed: Arc::clone(&self.followed), told: Arc::clone(&told) };
            Ok(NodeServiceClient::new(Telling::new(self.dialer.channel(&target)?, voice))
                .max_decoding_message_size(PEER_MESSAGE_BYTES_MAX)
                .max_encoding_message_size(PEER_MESSAGE_BYTES_MAX))
        };
        Ok(Node {
            calls: client()?,
            streams: client()?,
            place,
            breaker: Mutex::default(),
            answering: AtomicBool::new(false),
            sound: AtomicBool::new(true),
            told,
        })
    }
}

impl Nodes {
    /// The nodes at `places`, those of `self` with their connections. An address that cannot be
    /// understood is an error, so that it is told at the start; see [`Self::follow`].
    pub(super) fn begin(places: Vec<Place>, reach: &Reach) -> Result<Self, DialError> {
        let nodes = places.into_iter().map(|place| reach.node(place).map(Arc::new));
        Ok(Self::of(nodes.collect::<Result<_, _>>()?))
    }

    /// The same for places that the cluster told: a node that cannot be reached by its address is
    /// left out. `None` if nobody would be left to ask.
    pub(super) fn follow(&self, places: Vec<Place>, reach: &Reach) -> Option<Self> {
        let node = |place: Place| {
            if let Some(known) = self.watched.iter().find(|node| node.place.same_way(&place)) {
                if known.place.asked == place.asked {
                    return Some(Arc::clone(known));
                }
                return Some(Arc::new(known.at(place)));
            }
            match reach.node(place) {
                Ok(node) => Some(Arc::new(node)),
                Err(error) => {
                    tracing::warn!(%error, "Address of a member cannot be used");
                    None
                }
            }
        };
        let nodes = Self::of(places.into_iter().filter_map(node).collect());
        (!nodes.asked.is_empty()).then_some(nodes)
    }

    fn of(nodes: Vec<Arc<Node>>) -> Self {
        let asked = nodes.iter().filter(|node| node.place.asked).cloned().collect();
        Self { asked, watched: nodes.into() }
    }

    pub(super) fn is_watched(&self, node: &Arc<Node>) -> bool {
        self.watched.iter().any(|watched| Arc::ptr_eq(watched, node))
    }
}

impl Node {
    /// The same node with the same connections in another standing.
    fn at(&self, place: Place) -> Self {
        let flag = |flag: &AtomicBool| AtomicBool::new(flag.load(Ordering::Relaxed));
        Self {
            place,
            calls: self.calls.clone(),
            streams: self.streams.clone(),
            breaker: Mutex::new(*locked(&self.breaker)),
            answering: flag(&self.answering),
            sound: flag(&self.sound),
            told: Arc::clone(&self.told),
        }
    }

    /// Whether it is worth asking before others, by a gateway that follows `followed`.
    pub(super) fn is_well(&self, followed: &Mutex<Followed>) -> bool {
        let is = |flag: &AtomicBool| flag.load(Ordering::Relaxed);
        is(&self.answering) && is(&self.sound) && self.follows(followed) == Follows::Current
    }

    /// How it stands to what the gateway follows now.
    pub(super) fn follows(&self, followed: &Mutex<Followed>) -> Follows {
        let told = locked(&self.told).clone();
        locked(followed).judge(told.as_ref())
    }
}

impl Place {
    /// Whether the same node is meant, reached in the same way.
    fn same_way(&self, other: &Self) -> bool {
        (&self.id, &self.endpoint, &self.server_name)
            == (&other.id, &other.endpoint, &other.server_name)
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node").field("place", &self.place).finish_non_exhaustive()
    }
}
