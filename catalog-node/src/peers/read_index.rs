//! Reads away from the leader: up to which entry must this node have applied before it may answer?
//!
//! The leader is asked, by a call of its own and not by Raft's messages, which can be lost without
//! a word. One call stands for every read that waited when it began; a read that comes later waits
//! for the next one, because what was confirmed before it came says nothing to it. Each attempt is
//! a new call: an answer to an old one is never taken for an answer to a new one.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use catalog_model::refusal::Refusal;
use luqiao_proto::peer::v1::{GetReadIndexRequest, peer_service_client::PeerServiceClient};
use luqiao_transport::{drain::Shutdown, status::Problem};
use tokio::{
    sync::{Notify, oneshot},
    time::timeout,
};

use super::Peers;
use crate::node::no_leader;

/// How long the leader may take: several heartbeats, less than what a caller waits.
const WAIT: Duration = Duration::from_secs(1);

type Waiter = oneshot::Sender<Result<u64, Refusal>>;

/// Reads that wait for the leader's word.
#[derive(Debug, Default)]
pub(crate) struct FollowerReads {
    forming: Mutex<Vec<(u64, Waiter)>>,
    come: Notify,
}

impl FollowerReads {
    /// Waits for the index that makes a read linearizable that begins now, as `leader` tells it.
    pub(crate) async fn index(&self, leader: u64) -> Result<u64, Refusal> {
        let (waiter, answer) = oneshot::channel();
        self.forming.lock().unwrap_or_else(PoisonError::into_inner).push((leader, waiter));
        self.come.notify_one();
        answer.await.unwrap_or_else(|_| Err(no_leader()))
    }

    /// Asks for those who wait, one call at a time, until the shutdown begins.
    pub(crate) async fn run(self: Arc<Self>, peers: Arc<Peers>, shutdown: Shutdown) {
        loop {
            tokio::select! {
                () = shutdown.begun() => return,
                () = self.come.notified() => {}
            }
            loop {
                // Closed before the call begins: whoever comes later is not covered by it.
                let mut batch = std::mem::take(
                    &mut *self.forming.lock().unwrap_or_else(PoisonError::into_inner),
                );
                let Some((leader, _)) = batch.last() else { break };
                let leader = *leader;
                let answer = tokio::select! {
                    () = shutdown.begun() => return,
                    answer = ask(&peers, leader) => answer,
                };
                for (asked, waiter) in batch.drain(..) {
                    // Leadership moved while they gathered; they ask again.
                    let answer = if asked == leader { answer.clone() } else { Err(no_leader()) };
                    let _ = waiter.send(answer);
                }
            }
        }
    }
}

async fn ask(peers: &Peers, leader: u64) -> Result<u64, Refusal> {
    let channel = peers.channel(leader).ok_or_else(no_leader)?;
    let request = GetReadIndexRequest { hello: Some(peers.hello_to(leader)) };
    match timeout(WAIT, PeerServiceClient::new(channel).get_read_index(request)).await {
        Ok(Ok(answer)) => Ok(answer.into_inner().index),
        Ok(Err(status)) => {
            let problem = Problem::from_status(&status);
            tracing::debug!(leader, cause = status.message(), "No read index");
            // A read has no effect: whatever went wrong, it may be tried again.
            Err(problem.reason.map_or_else(no_leader, |reason| {
                Refusal::new(reason).retry_after(crate::node::LEADER_RETRY_MS)
            }))
        }
        Err(_) => Err(no_leader()),
    }
}
