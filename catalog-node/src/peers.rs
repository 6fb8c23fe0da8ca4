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

use std::collections::BTreeMap;

use bytes::Bytes;
use protobuf::Message as _;
use raft::eraftpb::Message;
use tokio::sync::mpsc;

pub(crate) mod dial;
pub(crate) mod serve;

/// Messages that wait for one peer.
const QUEUE: usize = 1024;

/// The way out: a queue for each peer.
#[derive(Debug, Default)]
pub(crate) struct PeerQueues {
    queues: BTreeMap<u64, mpsc::Sender<Bytes>>,
}

impl PeerQueues {
    /// Queues to `peers`, with their other ends.
    pub(crate) fn new(
        peers: impl Iterator<Item = u64>,
    ) -> (Self, Vec<(u64, mpsc::Receiver<Bytes>)>) {
        let mut ends = Vec::new();
        let queues = peers
            .map(|peer| {
                let (queue, end) = mpsc::channel(QUEUE);
                ends.push((peer, end));
                (peer, queue)
            })
            .collect();
        (Self { queues }, ends)
    }

    /// Whether there is nobody to send to.
    pub(crate) fn is_empty(&self) -> bool {
        self.queues.is_empty()
    }

    /// Queues `messages`, and returns those for whom some did not fit.
    pub(crate) fn send(&self, messages: Vec<Message>) -> Vec<u64> {
        let mut dropped = Vec::new();
        for message in messages {
            let Some(queue) = self.queues.get(&message.to) else { continue };
            let bytes = message.write_to_bytes().expect("a message of this process can be encoded");
            if queue.try_send(Bytes::from(bytes)).is_err() && !dropped.contains(&message.to) {
                dropped.push(message.to);
            }
        }
        dropped
    }
}
