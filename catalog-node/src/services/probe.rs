//! `ProbeService`: a table of its own on the same path as everything else, for benchmarks, fault
//! histories and drills. Asked of the leader; another node says who that is.

use std::sync::Arc;

use catalog_model::{
    caller::{Caller, Identity},
    reason::{Lang, Reason},
    refusal::Refusal,
};
use catalog_state::{
    command::Body,
    event::Event,
    keys::{self, Key, Table},
    outcome::Outcome,
    rows::ProbeRow as Stored,
    view::View,
};
use luqiao_proto::node::v1::{
    CompareAndSetRequest, CompareAndSetResponse, GetRequest, GetResponse, ProbeRow, PutRequest,
    PutResponse, PutStreamRequest, PutStreamResponse, RangeRequest, RangeResponse, WatchRequest,
    WatchResponse, probe_service_server::ProbeService,
};
use luqiao_transport::status;
use tokio::sync::mpsc;
use tokio_stream::{StreamExt as _, wrappers::ReceiverStream};
use tonic::{Request, Response, Status, Streaming};

use super::{Services, call::Answers, watch::spawn};
use crate::{handle::Intent, node::Answered, storage::StateView};

/// Longest key and value, in bytes.
const KEY_BYTES_MAX: usize = 1 << 10;
const VALUE_BYTES_MAX: usize = 1 << 20;
/// Rows of one range.
const ROWS_MAX: u32 = 10_000;
/// Puts of one stream that are under way.
const PUTS_AHEAD: usize = 256;

/// Answers probes.
#[derive(Debug, Clone)]
pub(crate) struct Probes(pub(crate) Arc<Services>);

impl Probes {
    fn admit<T>(&self, request: &Request<T>) -> Result<(), Status> {
        self.0.admit_gateway(request).map_err(refused)
    }

    async fn commit(&self, body: Body) -> Result<Answered, Refusal> {
        let caller = Caller {
            domain: self.0.handle.domain().clone(),
            identity: Identity::Gateway { id: "probe".to_owned() },
        };
        let intent = Intent { caller, received_at: None, idempotency: None, body };
        self.0.handle.propose(intent).await
    }

    async fn put_one(&self, key: Vec<u8>, value: Vec<u8>) -> Result<u64, Refusal> {
        bounded(&key, &value)?;
        Ok(self.commit(Body::ProbePut { key, value }).await?.index)
    }

    async fn read<T: Send + 'static>(
        &self,
        look: impl FnOnce(&StateView<'_>) -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        self.0.handle.read().await?;
        Ok(self.0.handle.look(look).await)
    }
}

#[tonic::async_trait]
impl ProbeService for Probes {
    async fn put(&self, request: Request<PutRequest>) -> Result<Response<PutResponse>, Status> {
        self.admit(&request)?;
        let PutRequest { key, value } = request.into_inner();
        let index = self.put_one(key.to_vec(), value.to_vec()).await.map_err(refused)?;
        Ok(Response::new(PutResponse { index }))
    }

    async fn get(&self, request: Request<GetRequest>) -> Result<Response<GetResponse>, Status> {
        self.admit(&request)?;
        let key = request.into_inner().key;
        let row = self.read(move |state| View(state).probe(&key)).await.map_err(refused)?;
        Ok(Response::new(match row {
            Some(row) => GetResponse { found: true, value: row.value.into(), index: row.index },
            None => GetResponse::default(),
        }))
    }

    async fn compare_and_set(
        &self,
        request: Request<CompareAndSetRequest>,
    ) -> Result<Response<CompareAndSetResponse>, Status> {
        self.admit(&request)?;
        let CompareAndSetRequest { key, expect_found, expected, value } = request.into_inner();
        bounded(&key, &value).map_err(refused)?;
        let body = Body::ProbeCompareAndSet {
            key: key.to_vec(),
            expected: expect_found.then(|| expected.to_vec().into()),
            value: value.to_vec(),
        };
        let answered = self.commit(body).await.map_err(refused)?;
        let done = matches!(answered.applied.outcome, Outcome::Probe { done: true });
        Ok(Response::new(CompareAndSetResponse { done, index: answered.index }))
    }

    async fn range(
        &self,
        request: Request<RangeRequest>,
    ) -> Result<Response<RangeResponse>, Status> {
        self.admit(&request)?;
        let RangeRequest { from, to, limit } = request.into_inner();
        let limit = if limit == 0 { ROWS_MAX } else { limit.min(ROWS_MAX) } as usize;
        let rows =
            self.read(move |state| range(state, &from, &to, limit)).await.map_err(refused)?;
        Ok(Response::new(RangeResponse { rows }))
    }

    type WatchStream = Answers<WatchResponse>;

    async fn watch(
        &self,
        request: Request<WatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        self.admit(&request)?;
        let WatchRequest { from, to } = request.into_inner();
        let mut subscription = self.0.handle.subscribe(None);
        let handle = self.0.handle.clone();
        let watched = spawn(&self.0, Lang::En, move |out| async move {
            loop {
                let committed = match subscription.next().await {
                    None => return Err(Refusal::new(Reason::Draining).retry_after(0)),
                    Some(Err(behind)) => return Err(behind.refusal()),
                    Some(Ok(committed)) => committed,
                };
                let within = |key: &[u8]| key >= &from[..] && (to.is_empty() || key < &to[..]);
                let events = committed.iter().flat_map(|one| &one.events);
                let keys: Vec<Vec<u8>> = events
                    .filter_map(|event| match event {
                        Event::ProbeWritten(key) if within(key) => Some(key.clone()),
                        _ => None,
                    })
                    .collect();
                if keys.is_empty() {
                    continue;
                }
                let found = move |state: &StateView<'_>| {
                    let row = |key: Vec<u8>| {
                        let row = View(state).probe(&key)?;
                        Some(shown(key, row))
                    };
                    keys.into_iter().filter_map(row).collect()
                };
                let rows = handle.look(found).await;
                if out.send(Ok(WatchResponse { rows })).await.is_err() {
                    return Ok(());
                }
            }
        });
        Ok(Response::new(watched))
    }

    type PutStreamStream = Answers<PutStreamResponse>;

    async fn put_stream(
        &self,
        request: Request<Streaming<PutStreamRequest>>,
    ) -> Result<Response<Self::PutStreamStream>, Status> {
        self.admit(&request)?;
        let mut puts = request.into_inner();
        let probes = self.clone();
        // Each put is begun at once and awaited in its turn: many share one sync.
        let (begun, mut order) = mpsc::channel(PUTS_AHEAD);
        let shutdown = self.0.shutdown.clone();
        let beginner = async move {
            while let Some(put) = puts.next().await {
                let put = match put {
                    Ok(PutStreamRequest { key, value }) => {
                        let probes = probes.clone();
                        let task =
                            async move { probes.put_one(key.to_vec(), value.to_vec()).await };
                        Ok(probes_task(&shutdown, task))
                    }
                    Err(status) => Err(status),
                };
                let last = put.is_err();
                if begun.send(put).await.is_err() || last {
                    return;
                }
            }
        };
        drop(self.0.shutdown.spawn(beginner));
        let (out, answers) = mpsc::channel(PUTS_AHEAD);
        let finisher = async move {
            while let Some(put) = order.recv().await {
                let answer = match put {
                    Err(status) => Err(status),
                    Ok(task) => match task.await {
                        Ok(Some(done)) => {
                            done.map(|index| PutStreamResponse { index }).map_err(refused)
                        }
                        _ => Err(refused(crate::node::outcome_unknown())),
                    },
                };
                let last = answer.is_err();
                if out.send(answer).await.is_err() || last {
                    return;
                }
            }
        };
        drop(self.0.shutdown.spawn(finisher));
        Ok(Response::new(Box::pin(ReceiverStream::new(answers))))
    }
}

fn probes_task<T: Send + 'static>(
    shutdown: &luqiao_transport::drain::Shutdown,
    task: impl Future<Output = T> + Send + 'static,
) -> tokio::task::JoinHandle<Option<T>> {
    shutdown.spawn(task)
}

fn range(state: &StateView<'_>, from: &[u8], to: &[u8], limit: usize) -> Vec<ProbeRow> {
    use catalog_state::store::Store as _;

    let table = Key::table(Table::Probe);
    let end = if to.is_empty() { table.end() } else { keys::probe(to).into_vec() };
    let rows = state.range(keys::probe(from).as_slice(), &end).take(limit);
    rows.map(|(key, bytes)| {
        let row = catalog_state::codec::decode(&bytes).expect("rows are written by this program");
        shown(key[1..].to_vec(), row)
    })
    .collect()
}

fn shown(key: Vec<u8>, row: Stored) -> ProbeRow {
    ProbeRow { key: key.into(), value: row.value.into(), index: row.index }
}

fn bounded(key: &[u8], value: &[u8]) -> Result<(), Refusal> {
    for (field, length, limit) in
        [("key", key.len(), KEY_BYTES_MAX), ("value", value.len(), VALUE_BYTES_MAX)]
    {
        if length > limit {
            return Err(Refusal::new(Reason::TextTooLong)
                .fact("field", field)
                .fact("length", length)
                .fact("limit", limit));
        }
    }
    Ok(())
}

fn refused(refusal: Refusal) -> Status {
    status::of(&refusal, Lang::En)
}
