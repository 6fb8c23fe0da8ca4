//! `ProbeService`: a table of its own on the same path as everything else, for benchmarks, fault
//! histories and drills. Reads are answered by every node, single writes passed on to whoever leads;
//! a stream of writes ends when leadership moves.

use std::{sync::Arc, time::Duration};

use bytes::BytesMut;
use catalog_model::{
    caller::{Caller, Identity},
    reason::{Lang, Reason},
    refusal::Refusal,
};
use catalog_state::{
    codec,
    command::Body,
    event::Event,
    keys::{self, Key, Table},
    outcome::Outcome,
    rows::{ProbeRow as Stored, ProbeRowRef},
};
use luqiao_proto::node::v1::{
    CompareAndSetRequest, CompareAndSetResponse, GetRequest, GetResponse, ProbeRow, PutRequest,
    PutResponse, PutStreamRequest, PutStreamResponse, RangeRequest, RangeResponse, WatchRequest,
    WatchResponse, probe_service_client::ProbeServiceClient, probe_service_server::ProbeService,
};
use luqiao_transport::status::{self, Problem};
use prost::{
    Message,
    encoding::{WireType, encode_key, encode_varint, encoded_len_varint, key_len},
};
use sha2::{Digest, Sha256};
use tokio::{sync::mpsc, time::Instant};
use tokio_stream::{StreamExt as _, wrappers::ReceiverStream};
use tonic::{Request, Response, Status, Streaming, metadata::MetadataValue};

use super::{
    Services,
    call::{Answers, FORWARDED, passed_on},
    watch::spawn,
};
use crate::{
    handle::{Begun, Intent},
    node::{Answered, leadership_moved},
    storage::{
        StateView,
        leaves::{Facts, Listed, Listing, Wanted},
    },
};

mod lists;

pub(crate) use self::lists::ProbeLists;

/// Longest key and value, in bytes.
const KEY_BYTES_MAX: usize = 1 << 10;
const VALUE_BYTES_MAX: usize = 1 << 20;
/// Rows of one range.
const ROWS_MAX: u32 = 10_000;
/// Puts of one stream that are under way.
const PUTS_AHEAD: usize = 256;

/// How long a write waits for somebody to lead: two elections.
const LEADER_PATIENCE: Duration = Duration::from_secs(3);

/// Answers probes.
#[derive(Debug, Clone)]
pub(crate) struct Probes(pub(crate) Arc<Services>);

impl Probes {
    fn admit<T>(&self, request: &Request<T>) -> Result<(), Status> {
        self.0.admit_gateway(request).map_err(refused)
    }

    /// Hands a command in. A repeated call with the same `request_id` gets the first one's answer.
    fn begin(&self, body: Body, request_id: String, digest: [u8; 32]) -> Result<Begun, Refusal> {
        let caller = Caller {
            domain: self.0.handle.domain().clone(),
            identity: Identity::Gateway { id: "probe".to_owned() },
        };
        let idempotency = (!request_id.is_empty()).then_some((request_id, digest));
        self.0.handle.begin(Intent { caller, received_at: None, idempotency, body })
    }

    async fn put_here(&self, put: &PutRequest) -> Result<PutResponse, Refusal> {
        let PutRequest { key, value, request_id } = put;
        bounded(key, value)?;
        let body = Body::ProbePut { key: key.to_vec(), value: value.to_vec() };
        let begun = self.begin(body, request_id.clone(), digest_of(put, request_id))?;
        let answered = begun.answer().await?;
        Ok(PutResponse { index: answered_index(&answered)? })
    }

    async fn compare_and_set_here(
        &self,
        request: &CompareAndSetRequest,
    ) -> Result<CompareAndSetResponse, Refusal> {
        let CompareAndSetRequest { key, expect_found, expected, value, request_id } = request;
        bounded(key, value)?;
        let body = Body::ProbeCompareAndSet {
            key: key.to_vec(),
            expected: expect_found.then(|| expected.to_vec().into()),
            value: value.to_vec(),
        };
        let begun = self.begin(body, request_id.clone(), digest_of(request, request_id))?;
        let answered = begun.answer().await?;
        let done = matches!(answered.applied.outcome, Outcome::Probe { done: true, .. });
        Ok(CompareAndSetResponse { done, index: answered_index(&answered)? })
    }

    /// Rows as they are shown in a `RangeResponse`.
    async fn list(&self, request: RangeRequest) -> Result<Listed, Refusal> {
        let RangeRequest { from, to, limit } = request;
        let limit = if limit == 0 { ROWS_MAX } else { limit.min(ROWS_MAX) } as usize;
        let from = keys::probe(&from).into_vec();
        let to = if to.is_empty() {
            Key::table(Table::Probe).end()
        } else {
            keys::probe(&to).into_vec()
        };
        self.0.handle.read().await?;
        // What is in memory is answered on this thread.
        let wanted =
            Wanted { listing: &ROWS, from: &from, to: &to, limit, scan: ROWS_MAX as usize };
        if let Some(listed) = self.0.handle.newest().list_known(&wanted, |_, _| true) {
            return Ok(listed);
        }
        let read = move |state: &StateView<'_>| {
            let wanted =
                Wanted { listing: &ROWS, from: &from, to: &to, limit, scan: ROWS_MAX as usize };
            state.list(&wanted, |_, _| true)
        };
        Ok(self.0.handle.look(read).await)
    }
}

/// Answers a write here, or has the leader answer it; as often as leadership moves before it was
/// taken.
macro_rules! by_leader {
    ($self:ident, $request:ident, $forwarded:ident, $here:ident, $there:ident) => {{
        let patient = Instant::now() + LEADER_PATIENCE;
        loop {
            let attempt = match $self.0.way_to_leader($forwarded) {
                Ok(None) => $self.$here(&$request).await.map(Response::new).map_err(refused),
                Ok(Some(leader)) => {
                    let mut leader = ProbeServiceClient::new(leader);
                    let answer = leader.$there(passing(&$request)).await;
                    answer.map_err(|error| passed_on(error, Lang::En))
                }
                Err(refusal) => Err(refused(refusal)),
            };
            let Err(status) = attempt else { return attempt };
            let moved = Problem::from_status(&status).reason.is_some_and(leadership_moved);
            if $forwarded || !moved || !$self.0.settled(patient).await {
                return Err(status);
            }
        }
    }};
}

#[tonic::async_trait]
impl ProbeService for Probes {
    async fn put(&self, request: Request<PutRequest>) -> Result<Response<PutResponse>, Status> {
        let forwarded = self.0.admit_passed_on(&request).map_err(refused)?;
        let request = request.into_inner();
        by_leader!(self, request, forwarded, put_here, put)
    }

    async fn get(&self, request: Request<GetRequest>) -> Result<Response<GetResponse>, Status> {
        self.admit(&request)?;
        let key = request.into_inner().key;
        self.0.handle.read().await.map_err(refused)?;
        // One row of a table that is in memory for the most part: on this thread.
        let row = self.0.handle.newest().get_newest(keys::probe(&key).as_slice());
        let row = row.map(|bytes| -> Stored {
            codec::decode(&bytes).expect("rows are written by this program")
        });
        Ok(Response::new(match row {
            Some(row) => GetResponse { found: true, value: row.value.into(), index: row.index },
            None => GetResponse::default(),
        }))
    }

    async fn compare_and_set(
        &self,
        request: Request<CompareAndSetRequest>,
    ) -> Result<Response<CompareAndSetResponse>, Status> {
        let forwarded = self.0.admit_passed_on(&request).map_err(refused)?;
        let request = request.into_inner();
        by_leader!(self, request, forwarded, compare_and_set_here, compare_and_set)
    }

    async fn range(
        &self,
        request: Request<RangeRequest>,
    ) -> Result<Response<RangeResponse>, Status> {
        self.admit(&request)?;
        let listed = self.list(request.into_inner()).await.map_err(refused)?;
        let mut rows = BytesMut::with_capacity(listed.len());
        listed.parts.iter().for_each(|part| rows.extend_from_slice(part));
        let rows = RangeResponse::decode(rows.freeze());
        Ok(Response::new(rows.expect("rows are encoded by this program")))
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
                // Whoever watches asks for the same rows: the first looks, the others are told.
                let newest = handle.newest();
                let row = |key: Vec<u8>| {
                    let row = newest.get_newest(keys::probe(&key).as_slice())?;
                    let row = codec::decode(&row).expect("rows are written by this program");
                    Some(shown(row, key))
                };
                let rows = keys.into_iter().filter_map(row).collect();
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
        // Each put is begun at once and awaited in its turn: many share one sync. No answer
        // overtakes another, and the first that is a refusal ends the stream.
        let (begun, mut order) = mpsc::channel::<Result<Begun, Status>>(PUTS_AHEAD);
        let beginner = async move {
            while let Some(put) = puts.next().await {
                let put = put.and_then(|PutStreamRequest { key, value }| {
                    let put = bounded(&key, &value).and_then(|()| {
                        let body = Body::ProbePut { key: key.to_vec(), value: value.to_vec() };
                        probes.begin(body, String::new(), [0; 32])
                    });
                    put.map_err(refused)
                });
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
                    Ok(begun) => match begun.answer().await {
                        Ok(answered) => Ok(PutStreamResponse { index: answered.index }),
                        Err(refusal) => Err(refused(refusal)),
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

/// The same call, as one that another node asked of us.
fn passing<T: Clone>(message: &T) -> Request<T> {
    let mut request = Request::new(message.clone());
    request.metadata_mut().insert(FORWARDED, MetadataValue::from_static("1"));
    request
}

/// What tells a repeated call from another one under the same key; nothing is asked of a call
/// without a key.
fn digest_of(message: &impl Message, request_id: &str) -> [u8; 32] {
    if request_id.is_empty() {
        return [0; 32];
    }
    Sha256::digest(message.encode_to_vec()).into()
}

/// Where the write is that counts: a repeated call's is the first one's.
fn answered_index(answered: &Answered) -> Result<u64, Refusal> {
    match &answered.applied.outcome {
        Outcome::Refused(refusal) => Err(refusal.clone()),
        Outcome::Probe { index, .. } => Ok(*index),
        _ => Ok(answered.index),
    }
}

/// How a probe row is shown: as a row of a `RangeResponse`, tag and length included.
static ROWS: Listing = Listing { table: Table::Probe, show: show_row };

fn show_row(key: &[u8], row: &[u8], out: &mut BytesMut) -> Facts {
    let row: ProbeRowRef<'_> = codec::decode(row).expect("rows are written by this program");
    // Its key begins with the table.
    let (key, value) = (&key[1..], row.value);
    let field = |bytes: &[u8]| if bytes.is_empty() { 0 } else { key_len(1) + prefixed(bytes) };
    let index = if row.index == 0 { 0 } else { key_len(3) + encoded_len_varint(row.index) };
    encode_key(1, WireType::LengthDelimited, out);
    encode_varint((field(key) + field(value) + index) as u64, out);
    for (tag, bytes) in [(1, key), (2, value)] {
        if !bytes.is_empty() {
            encode_key(tag, WireType::LengthDelimited, out);
            encode_varint(bytes.len() as u64, out);
            out.extend_from_slice(bytes);
        }
    }
    if row.index != 0 {
        encode_key(3, WireType::Varint, out);
        encode_varint(row.index, out);
    }
    Facts::default()
}

fn prefixed(bytes: &[u8]) -> usize {
    encoded_len_varint(bytes.len() as u64) + bytes.len()
}

fn shown(row: Stored, key: Vec<u8>) -> ProbeRow {
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
