//! Fetching a snapshot: who sends its blocks, and what if they stop coming?
//!
//! One at a time, the newest offer first. A stream that breaks is opened again at the block that is
//! wanted next; what was received stays through a restart of this node. When nobody sends any more,
//! the offer is given up, and the leader makes another.

use std::{sync::Arc, time::Duration};

use catalog_replica::SnapshotOffer;
use luqiao_proto::peer::v1::{
    FetchSnapshotRequest, FetchSnapshotResponse, peer_service_client::PeerServiceClient,
};
use luqiao_transport::{dial::PEER_MESSAGE_BYTES_MAX, drain::Shutdown};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};
use tonic::{Status, Streaming};

use super::Peers;
use crate::{
    node::{NodeInbox, Report},
    running::chain,
    snapshots::{ReceiveError, Receiving, Snapshots},
};

/// Attempts in a row that bring no block, after which the offer is given up.
const ATTEMPTS: u32 = 8;
/// Pause between attempts.
const PAUSE: Duration = Duration::from_millis(250);
/// How long a block may take to come.
const BLOCK_WAIT: Duration = Duration::from_secs(10);

/// What fetching needs of the node.
#[derive(Debug)]
pub(crate) struct Fetcher {
    pub(crate) peers: Arc<Peers>,
    pub(crate) snapshots: Snapshots,
    pub(crate) inbox: Arc<NodeInbox>,
}

/// Why a snapshot was not fetched.
#[derive(Debug, thiserror::Error)]
enum FetchError {
    /// It cannot be taken in here.
    #[error(transparent)]
    Receive(#[from] ReceiveError),
    /// Nobody sends it.
    #[error("its blocks do not come")]
    NoBlocks(#[source] Box<Status>),
}

impl Fetcher {
    /// Fetches what is offered, until the shutdown begins.
    pub(crate) async fn run(
        self,
        mut offers: watch::Receiver<Option<SnapshotOffer>>,
        shutdown: Shutdown,
    ) {
        loop {
            let Some(offer) = offers.borrow_and_update().clone() else {
                tokio::select! {
                    () = shutdown.begun() => return,
                    changed = offers.changed() => if changed.is_err() { return },
                }
                continue;
            };
            tracing::info!(from = offer.from, index = offer.index, "Snapshot offered");
            let replaced = async {
                // The same offer again is no reason to begin anew.
                let same = |next: &Option<SnapshotOffer>| {
                    next.as_ref().is_some_and(|next| next.data == offer.data)
                };
                offers.wait_for(|next| !same(next)).await.map(drop)
            };
            let done = tokio::select! {
                () = shutdown.begun() => return,
                ended = replaced => if ended.is_err() { return } else { None },
                done = self.fetch(&offer) => Some(done),
            };
            match done {
                // Another offer replaced this one.
                None => continue,
                Some(Ok(())) => {
                    tracing::info!(index = offer.index, "Snapshot fetched");
                    self.inbox.report(Report::SnapshotFetched { index: offer.index });
                }
                Some(Err(error)) => {
                    tracing::warn!(
                        index = offer.index,
                        cause = chain(&error),
                        "Snapshot not fetched"
                    );
                    self.inbox.report(Report::SnapshotRefused { index: offer.index });
                }
            }
            tokio::select! {
                () = shutdown.begun() => return,
                changed = offers.changed() => if changed.is_err() { return },
            }
        }
    }

    async fn fetch(&self, offer: &SnapshotOffer) -> Result<(), FetchError> {
        let (snapshots, data) = (self.snapshots.clone(), offer.data.clone());
        let mut receiving = on_disk(move || snapshots.receive(&data)).await?;
        let id = receiving.id();
        let mut fruitless = 0;
        while receiving.wants().is_some() {
            let before = receiving.wants();
            let (received, ended) = self.stream(offer.from, id, receiving).await?;
            receiving = received;
            if receiving.wants().is_none() {
                break;
            }
            fruitless = if receiving.wants() == before { fruitless + 1 } else { 0 };
            if fruitless == ATTEMPTS {
                return Err(FetchError::NoBlocks(Box::new(ended)));
            }
            sleep(PAUSE).await;
        }
        on_disk(move || receiving.finish()).await?;
        Ok(())
    }

    /// One stream of blocks, and why it ended.
    async fn stream(
        &self,
        from: u64,
        id: [u8; 32],
        mut receiving: Receiving,
    ) -> Result<(Receiving, Status), FetchError> {
        let Some(first_block) = receiving.wants() else {
            return Ok((receiving, Status::ok("")));
        };
        let mut blocks = match self.open(from, id, first_block).await {
            Ok(blocks) => blocks,
            Err(status) => return Ok((receiving, status)),
        };
        loop {
            let next = match timeout(BLOCK_WAIT, blocks.message()).await {
                Err(_) => return Ok((receiving, Status::deadline_exceeded("no block came"))),
                Ok(Err(status)) => return Ok((receiving, status)),
                Ok(Ok(None)) => return Ok((receiving, Status::unavailable("the stream ended"))),
                Ok(Ok(Some(next))) => next,
            };
            let FetchSnapshotResponse { number, block } = next;
            let (returned, taken) = on_disk(move || {
                let taken = receiving.take(number, &block);
                (receiving, taken)
            })
            .await;
            receiving = returned;
            match taken {
                Ok(()) => {}
                // It stands where it stood: the block is asked for again.
                Err(ReceiveError::Block(error)) => {
                    tracing::warn!(from, number, %error, "Block of a snapshot refused");
                    return Ok((receiving, Status::data_loss("a block was refused")));
                }
                Err(error) => return Err(error.into()),
            }
            if receiving.wants().is_none() {
                return Ok((receiving, Status::ok("")));
            }
        }
    }

    async fn open(
        &self,
        from: u64,
        id: [u8; 32],
        first_block: u32,
    ) -> Result<Streaming<FetchSnapshotResponse>, Status> {
        let channel =
            self.peers.channel(from).ok_or_else(|| Status::unavailable("it is not known"))?;
        let mut client =
            PeerServiceClient::new(channel).max_decoding_message_size(PEER_MESSAGE_BYTES_MAX);
        let request = FetchSnapshotRequest {
            hello: Some(self.peers.hello_to(from)),
            manifest_id: id.to_vec().into(),
            first_block,
        };
        let opened = timeout(BLOCK_WAIT, client.fetch_snapshot(request)).await;
        Ok(opened.map_err(|_| Status::deadline_exceeded("no answer came"))??.into_inner())
    }
}

/// Work that blocks on the disk, where it holds up nobody.
async fn on_disk<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime ends, and whoever waits here ends with it.
            Err(_cancelled) => std::future::pending().await,
        },
    }
}
