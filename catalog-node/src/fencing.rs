//! Fencing: what does this node know of the openings of its cluster, who is told, and what follows
//! for whoever calls it?
//!
//! The rules are [`Known`]'s and the memory is the identity file's; here the two meet callers,
//! peers and the node's loop. What is heard is durable before anything rests on it: before it is
//! said to anybody, before a seal is reported. Only the stop does not wait for the disk: a node
//! that heard of a later generation and cannot write that down stops all the same.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arc_swap::ArcSwap;
use catalog_model::{
    fence::{FailoverId, Known, PromoteRefused, Said, SealRefused, Standing, TurnedAway},
    reason::Reason,
    refusal::Refusal,
    site::Pair,
};
use http::HeaderValue;
use luqiao_transport::opening::{self, Opening};
use tokio::sync::watch;

use crate::{
    alarms::Alarms,
    clock::StampClock,
    running::chain,
    storage::{IdentityFile, StorageError, hex},
};

/// Name of the alarm of a node that heard of a later generation; its subject is the pair.
pub(crate) const FENCED: &str = "fenced";

/// Name of the alarm of a node without which a later generation opened.
pub(crate) const INVALIDATED: &str = "invalidated";

/// What this node knows, for all its tasks.
pub(crate) struct Fencing {
    file: Arc<IdentityFile>,
    /// Hexadecimal.
    cluster: String,
    now: watch::Sender<Known>,
    /// One change at a time.
    noting: Mutex<()>,
    /// What is durable, as it is told.
    header: ArcSwap<HeaderValue>,
    alarms: Arc<Alarms>,
    clock: Arc<StampClock>,
    /// Wakes the loop.
    wake: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

/// What a caller said, as the gate heard it; in the extensions of its request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Heard(pub(crate) Said);

/// What a node says with its calls, and where the answers are heard.
#[derive(Debug, Clone)]
pub(crate) struct Voice(pub(crate) Arc<Fencing>);

impl Fencing {
    pub(crate) fn new(
        file: Arc<IdentityFile>,
        alarms: Arc<Alarms>,
        clock: Arc<StampClock>,
    ) -> Arc<Self> {
        let (known, cluster) = (file.known(), hex(&file.identity().cluster_id));
        let header = ArcSwap::from_pointee(
            Opening { cluster: cluster.clone(), said: known.said() }.header(),
        );
        let now = watch::Sender::new(known);
        let wake = OnceLock::new();
        let noting = Mutex::default();
        let fencing = Self { file, cluster, now, noting, header, alarms, clock, wake };
        fencing.tell(Standing::Serving);
        Arc::new(fencing)
    }

    /// From now on `wake` is called when the replica has to end.
    pub(crate) fn wake_with(&self, wake: impl Fn() + Send + Sync + 'static) {
        // Once, by the start.
        let _ = self.wake.set(Box::new(wake));
    }

    /// What is known now.
    pub(crate) fn known(&self) -> Known {
        self.now.borrow().clone()
    }

    /// What the node may do.
    pub(crate) fn standing(&self) -> Standing {
        self.now.borrow().standing()
    }

    /// The cluster's id, hexadecimal.
    pub(crate) fn cluster(&self) -> &str {
        &self.cluster
    }

    /// What is told with every call and answer.
    pub(crate) fn header(&self) -> HeaderValue {
        HeaderValue::clone(&self.header.load())
    }

    /// Follows what is known.
    pub(crate) fn watch(&self) -> watch::Receiver<Known> {
        self.now.subscribe()
    }

    /// Completes when the replica has to end; at once if it has.
    pub(crate) async fn stopped(&self) {
        let mut now = self.now.subscribe();
        let stopped = now.wait_for(|known| known.standing().stops_raft()).await.is_ok();
        if !stopped {
            // The node is gone, and whoever waits here goes with it.
            std::future::pending::<()>().await;
        }
    }

    /// Why nothing is answered, if that is so.
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        let now = self.now.borrow();
        let stopped = now.standing().stops_raft();
        stopped.then(|| now.judge_peer(&now.said()).err()).flatten().map(TurnedAway::refusal)
    }

    /// Whether a gateway is answered that says so.
    pub(crate) fn admit_gateway(&self, said: &Said) -> Result<(), Refusal> {
        self.now.borrow().judge_gateway(said).map_err(TurnedAway::refusal)
    }

    /// Whether another node is that says so.
    pub(crate) fn admit_peer(&self, said: &Said) -> Result<(), Refusal> {
        self.now.borrow().judge_peer(said).map_err(TurnedAway::refusal)
    }

    /// Hears what another end says of the same cluster.
    pub(crate) fn hear(&self, said: &Said) {
        {
            let now = self.now.borrow();
            if said.heard_at_least() <= now.heard && said.opened <= now.opened {
                return;
            }
        }
        if let Err(error) = self.note(|known| Ok::<_, ()>(known.hear(said))) {
            tracing::error!(cause = chain(&error), "What was heard of openings cannot be kept");
            let before = self.standing();
            self.now.send_if_modified(|known| known.hear(said));
            self.tell(before);
        }
    }

    /// As [`Known::met`].
    pub(crate) fn met(&self, said: &Said) -> Result<bool, StorageError> {
        if self.now.borrow().belongs.is_some() {
            return Ok(false);
        }
        let met = self.note(|known| Ok::<_, std::convert::Infallible>(known.met(said)))?;
        Ok(met.unwrap_or_else(|never| match never {}))
    }

    /// As [`Known::seal`]; durable when it returns. The replica has ended once the node's status
    /// says so.
    pub(crate) fn seal(
        &self,
        failover: &FailoverId,
        pair: Pair,
    ) -> Result<Result<bool, SealRefused>, StorageError> {
        self.note(|known| known.seal(failover, pair))
    }

    /// As [`Known::promote`]; the node takes part in the new generation from its next start.
    pub(crate) fn promote(
        &self,
        failover: &FailoverId,
    ) -> Result<Result<bool, PromoteRefused>, StorageError> {
        self.note(|known| known.promote(failover))
    }

    /// As [`Known::switched`].
    pub(crate) fn switched(&self, pair: Pair) -> Result<bool, StorageError> {
        let done = self.note(|known| Ok::<_, std::convert::Infallible>(known.switched(pair)))?;
        Ok(done.unwrap_or_else(|never| match never {}))
    }

    /// As [`Known::opened`].
    pub(crate) fn opened(&self, pair: Pair) -> Result<bool, StorageError> {
        let done = self.note(|known| Ok::<_, std::convert::Infallible>(known.opened(pair)))?;
        Ok(done.unwrap_or_else(|never| match never {}))
    }

    fn note<T, E>(
        &self,
        step: impl FnOnce(&mut Known) -> Result<T, E>,
    ) -> Result<Result<T, E>, StorageError> {
        // What is published follows the file: of two at once the later one is shown last.
        let _one = self.noting.lock().unwrap_or_else(PoisonError::into_inner);
        let (came_of_it, mut kept) = self.file.note(step)?;
        let before = self.standing();
        let said = kept.said();
        self.header.store(Arc::new(Opening { cluster: self.cluster.clone(), said }.header()));
        self.now.send_if_modified(|known| {
            // What was heard and could not be kept is not forgotten for it.
            kept.hear(&known.said());
            let changed = *known != kept;
            *known = kept;
            changed
        });
        self.tell(before);
        Ok(came_of_it)
    }

    /// Tells operators and the loop, if the standing is another than `before`.
    fn tell(&self, before: Standing) {
        let known = self.known();
        let standing = known.standing();
        if standing == before {
            return;
        }
        let (belongs, heard, opened) = (known.speaks_for(), known.heard, known.opened);
        let now = self.clock.wall();
        self.alarms.clear(FENCED, "");
        self.alarms.clear(INVALIDATED, "");
        match standing {
            Standing::Serving => tracing::info!(%belongs, "Node serves its generation"),
            Standing::Opening => {
                tracing::info!(%belongs, "Node waits for its generation to open");
            }
            Standing::Fenced => {
                self.alarms.raise(FENCED, "", now);
                tracing::error!(
                    %belongs, %heard,
                    "Fenced: a later generation than this node's was heard of; it answers nothing \
                     but how it stands"
                );
            }
            Standing::Invalidated => {
                self.alarms.raise(INVALIDATED, "", now);
                tracing::error!(
                    %belongs, %opened,
                    "Invalidated: a later generation opened without this node; a new, empty one takes \
                     its place under a new id"
                );
            }
        }
        if standing.stops_raft()
            && let Some(wake) = self.wake.get()
        {
            wake();
        }
    }
}

/// Whether both ends are of one cluster, as far as they say.
pub(crate) fn same_cluster(own: &str, opening: &Opening) -> Result<(), Refusal> {
    if opening.cluster.is_empty() || opening.cluster == own {
        Ok(())
    } else {
        Err(Refusal::new(Reason::GenerationForeign))
    }
}

impl opening::Ledger for Voice {
    fn says(&self) -> Option<HeaderValue> {
        Some(self.0.header())
    }

    fn hears(&self, opening: Opening) {
        if opening.cluster == self.0.cluster {
            self.0.hear(&opening.said);
        }
    }
}

impl std::fmt::Debug for Fencing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fencing")
            .field("cluster", &self.cluster)
            .field("known", &self.known())
            .finish_non_exhaustive()
    }
}
