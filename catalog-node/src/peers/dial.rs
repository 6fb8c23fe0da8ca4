//! Sending to one peer: connect, say hello, pass on what is queued, and begin again when it breaks.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use catalog_model::{fence::Known, reason::Reason};
use luqiao_proto::peer::v1::{
    Batch, ExchangeRequest, Hello, StateMark, exchange_request::Message as Part,
    peer_service_client::PeerServiceClient,
};
use luqiao_transport::{
    dial::{DialError, PEER_MESSAGE_BYTES_MAX},
    drain::Shutdown,
    status::Problem,
};
use tokio::{sync::mpsc, time::sleep};
use tokio_stream::wrappers::ReceiverStream;

use super::{Outbound, PeerChannel, Verdicts, hello_to};
use crate::{alarms::Alarms, clock::StampClock, fencing::Fencing, storage::IdentityFile};

/// Name of the alarm.
pub(crate) const PEER_UNREACHABLE: &str = "peer-unreachable";

/// Messages that travel together at most. The bytes of a batch stay within the peer message limit,
/// because a message is within its own limit and most are small.
const BATCH_MESSAGES: usize = 64;
const BATCH_BYTES: usize = 4 << 20;
/// Batches that wait within a connection. Beyond it, the queue fills and drops.
const BATCHES: usize = 16;

/// Pause before the next attempt; doubles up to the longest.
const PAUSE_MIN: Duration = Duration::from_millis(20);
const PAUSE_MAX: Duration = Duration::from_secs(1);
/// A connection that stood for this long was not refused: the next attempt follows at once.
const LIVED: Duration = Duration::from_secs(1);

/// One peer, and how it is told who we are.
pub(crate) struct Outgoing {
    pub(crate) peer: u64,
    pub(crate) channel: PeerChannel,
    /// Without receiver, connection, generation and epoch.
    pub(crate) hello: Hello,
    /// Knows the peer's store, once it has been met.
    pub(crate) stores: Arc<IdentityFile>,
    /// Knows for which generation this node speaks.
    pub(crate) fencing: Arc<Fencing>,
    /// The first connection number of this start.
    pub(crate) first_connection: u64,
    pub(crate) queue: mpsc::Receiver<Outbound>,
}

impl Outgoing {
    /// Runs until the queue's other end is gone or the shutdown begins. Passes on what the peer says
    /// of this node when it refuses it.
    pub(crate) async fn run(
        mut self,
        shutdown: Shutdown,
        alarms: &Alarms,
        clock: &StampClock,
        verdicts: &Verdicts,
    ) {
        let subject = self.peer.to_string();
        let mut connection = self.first_connection;
        let mut pause = PAUSE_MIN;
        loop {
            connection += 1;
            // A connection speaks for one generation; one that is fenced goes on dialing, so that its
            // peers hear of what it heard, and says nothing else.
            let mut known = self.fencing.watch();
            let spoke_for = {
                let known = known.borrow_and_update();
                (known.speaks_for().generation, known.standing().stops_raft())
            };
            let hello = hello_to(&self.hello, &self.stores, &self.fencing, self.peer);
            let hello = Hello { connection, ..hello };
            let changed = async move {
                let other = |known: &Known| {
                    (known.speaks_for().generation, known.standing().stops_raft()) != spoke_for
                };
                if known.wait_for(other).await.is_err() {
                    // The node is gone, and this task goes with it.
                    std::future::pending::<()>().await;
                }
            };
            let ended = tokio::select! {
                () = shutdown.begun() => return,
                () = changed => Ended::Broken {
                    status: tonic::Status::cancelled("this node speaks for another generation"),
                    lived: false,
                },
                ended = self.connection(hello, || alarms.clear(PEER_UNREACHABLE, &subject)) => ended,
            };
            match ended {
                Ended::QueueGone => return,
                Ended::Broken { status, lived } => {
                    if lived {
                        pause = PAUSE_MIN;
                    }
                    let cause = DialError::find(&status)
                        .map_or_else(|| status.message().to_owned(), ToString::to_string);
                    tracing::debug!(peer = self.peer, cause, "Peer connection ended");
                    let problem = Problem::from_status(&status);
                    let about_us =
                        problem.metadata.get("node") == Some(&self.hello.from.to_string());
                    match problem.reason {
                        Some(Reason::MemberUnknown) => (verdicts.removed)(),
                        Some(Reason::StoreForeign) if about_us => (verdicts.disowned)(self.peer),
                        _ => {}
                    }
                    alarms.raise(PEER_UNREACHABLE, &subject, clock.wall());
                }
            }
            // What waited is stale by the time that somebody listens again.
            while self.queue.try_recv().is_ok() {}
            tokio::select! {
                () = shutdown.begun() => return,
                () = sleep(pause) => {}
            }
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// One connection from hello to its end.
    async fn connection(&mut self, hello: Hello, reached: impl Fn()) -> Ended {
        let (batches, stream) = mpsc::channel(BATCHES);
        let first = ExchangeRequest { message: Some(Part::Hello(hello)) };
        batches.try_send(first).expect("the channel is new");
        let mut client = PeerServiceClient::new(self.channel.clone())
            .max_encoding_message_size(PEER_MESSAGE_BYTES_MAX);
        let exchange = client.exchange(ReceiverStream::new(stream));
        // Followers have little to say to each other: a quiet connection that stands is a reached
        // peer too.
        let settled = sleep(LIVED);
        tokio::pin!(exchange, settled);
        let began = Instant::now();
        let mut stands = false;
        let broken = |status| Ended::Broken { status, lived: began.elapsed() > LIVED };
        loop {
            let batch = tokio::select! {
                ended = &mut exchange => {
                    return broken(ended.err().unwrap_or_else(|| tonic::Status::cancelled("closed")));
                }
                batch = next_batch(&mut self.queue) => Some(batch),
                () = &mut settled, if !stands => {
                    settled.as_mut().reset(tokio::time::Instant::now() + LIVED);
                    None
                }
            };
            // The hello was taken: somebody is there.
            if !stands && batches.capacity() == BATCHES {
                stands = true;
                reached();
            }
            let Some(batch) = batch else { continue };
            let Some((batch, mark)) = batch else { return Ended::QueueGone };
            let batch = (!batch.messages.is_empty()).then_some(Part::Batch(batch));
            for part in batch.into_iter().chain(mark.map(Part::Mark)) {
                let part = ExchangeRequest { message: Some(part) };
                tokio::select! {
                    ended = &mut exchange => {
                        return broken(ended.err().unwrap_or_else(|| tonic::Status::cancelled("closed")));
                    }
                    sent = batches.send(part) => if sent.is_err() {
                        return broken(tonic::Status::cancelled("the stream was closed"));
                    }
                }
            }
        }
    }
}

enum Ended {
    /// The node is gone.
    QueueGone,
    /// The connection is.
    Broken { status: tonic::Status, lived: bool },
}

/// What is queued, as far as it fits into one message, and the mark that came after it, if any.
async fn next_batch(queue: &mut mpsc::Receiver<Outbound>) -> Option<(Batch, Option<StateMark>)> {
    let mut bytes = 0;
    let mut messages: Vec<Bytes> = Vec::new();
    let mut next = queue.recv().await?;
    loop {
        match next {
            Outbound::Mark(mark) => return Some((Batch { messages }, Some(mark))),
            Outbound::Raft(message) => {
                bytes += message.len();
                messages.push(message);
            }
        }
        if messages.len() >= BATCH_MESSAGES || bytes >= BATCH_BYTES {
            break;
        }
        let Ok(more) = queue.try_recv() else { break };
        next = more;
    }
    Some((Batch { messages }, None))
}
