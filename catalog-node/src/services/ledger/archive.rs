//! Archive: how do old records leave as files, and texts that the law wants gone?

use std::io::{self, Write};

use catalog_model::{
    name::{Resource, ResourceName},
    reason::Reason,
    refusal::Refusal,
};
use catalog_state::{
    command::{Body, proof::ProofCommand},
    ledger::{Ledger, LedgerRecord, archive},
    outcome::Outcome,
};
use luqiao_proto::{
    convert::{name::domain_name, proof::segment_message},
    ledger::v1::{
        self as message, ErasePayloadRequest, ExportSegmentRequest, ExportSegmentResponse,
        ListSegmentsRequest, ListSegmentsResponse, PurgePayloadsRequest, SealSegmentRequest,
    },
    node::v1::StreamResponse,
};
use prost::Message as _;
use tokio::sync::mpsc;
use tonic::Status;

use super::{seen::Seeing, verify::check_platform};
use crate::services::{
    Call, Look, Reply,
    call::Answers,
    not_found,
    organizations::{done, next},
    paging,
    watch::spawn,
};

/// Bytes of one piece of a file.
const PIECE: usize = 256 << 10;

pub(super) async fn seal(call: &Call) -> Result<Reply, Refusal> {
    let request: SealSegmentRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    let through = call.look_now(|look| {
        look.own(&domain)?;
        Ok(match request.through {
            0 => Ledger(look.state).size(),
            through => through,
        })
    })?;
    let body = Body::Proof(Box::new(ProofCommand::SealSegment { through }));
    call.write(&request.request_id, body, move |look, _| {
        // A repeated call is answered with the segment that it sealed.
        let segments = look.view().segments(1, usize::MAX);
        let sealed = segments.iter().find(|segment| segment.through == through);
        let sealed = sealed.or(segments.last()).map(segment_message);
        sealed.ok_or_else(|| Refusal::new(Reason::Internal))
    })
    .await
}

pub(super) async fn list(call: &Call) -> Result<Reply, Refusal> {
    let mut request: ListSegmentsRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    let size = paging::size(std::mem::take(&mut request.page_size))?;
    let token = std::mem::take(&mut request.page_token);
    let query = paging::query_digest(call.method.path, &call.caller.to_string(), &request);
    call.read(move |look| {
        look.own(&domain)?;
        let from = paging::open(look.page_key(), &query, &token)?
            .and_then(|next| next.try_into().ok().map(u64::from_be_bytes))
            .unwrap_or(1);
        let mut segments = look.view().segments(from, size + 1);
        let rest = (segments.len() > size).then(|| segments.remove(size).number);
        let rest = rest.map(|number| number.to_be_bytes().to_vec());
        Ok(ListSegmentsResponse {
            segments: segments.iter().map(segment_message).collect(),
            next_page_token: next(look, &query, rest),
        })
    })
    .await
}

/// Streams a sealed segment as the file that it is. The records come out of one view of the state,
/// so that nothing has to be held but the piece that is under way.
pub(in super::super) fn export(call: Call) -> Result<Answers<StreamResponse>, Refusal> {
    let request: ExportSegmentRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    let number = request.number;
    call.look_now(|look| {
        look.own(&domain)?;
        check_platform(look)?;
        let sealed = look.view().segment(number).is_some();
        if sealed { Ok(()) } else { Err(not_found(format!("segment {number} of {domain}"))) }
    })?;
    let services = call.services.clone();
    let lang = call.lang;
    Ok(spawn(&services.clone(), lang, move |out| async move {
        let caller = call.caller.clone();
        call.handle()
            .look(move |state| {
                let look = Look::new(state, &caller)?;
                let segment = look.view().segment(number);
                let through = segment.ok_or_else(|| Refusal::new(Reason::Internal))?.through;
                let head = services.head_key.head(&look, through)?;
                let mut pieces = Pieces { out, index: state.applied(), piece: Vec::new() };
                let written = archive::write(state, number, Some(&head), &mut pieces)
                    .map_err(io::Error::other)
                    .and_then(|_| pieces.flush());
                if let Err(error) = written {
                    // Whoever asked has gone; there is nobody to tell.
                    tracing::debug!(%error, "Export ended early");
                }
                Ok(())
            })
            .await
    }))
}

/// What is written, as pieces of a stream.
struct Pieces {
    out: mpsc::Sender<Result<StreamResponse, Status>>,
    index: u64,
    piece: Vec<u8>,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let chunk = std::mem::take(&mut self.piece).into();
        let response = ExportSegmentResponse { chunk }.encode_to_vec().into();
        let answer = Ok(StreamResponse { response, index: self.index });
        self.out.blocking_send(answer).map_err(io::Error::other)
    }
}

pub(super) async fn erase(call: &Call) -> Result<Reply, Refusal> {
    let request: ErasePayloadRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    call.look_now(|look| look.own(&domain))?;
    let body = Body::Proof(Box::new(ProofCommand::ErasePayload {
        sequence: request.record,
        ground: request.ground,
    }));
    answer_record(call, &request.request_id, body, "payload_erased").await
}

pub(super) async fn purge(call: &Call) -> Result<Reply, Refusal> {
    let request: PurgePayloadsRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    call.look_now(|look| look.own(&domain))?;
    let body = Body::Proof(Box::new(ProofCommand::PurgePayloads { through: request.through }));
    answer_record(call, &request.request_id, body, "payloads_purged").await
}

/// Commits `body` and answers with the newest record of its kind about what it changed.
async fn answer_record(
    call: &Call,
    request_id: &str,
    body: Body,
    kind: &'static str,
) -> Result<Reply, Refusal> {
    let lang = call.lang;
    call.write(request_id, body, move |look, outcome| {
        let subject = subject(look, outcome)?;
        let (ledger, seeing) = (Ledger(look.state), Seeing::new(look));
        let records = ledger.of_subject(&subject);
        let mut records = records.into_iter().rev().filter_map(|place| ledger.record(place));
        let message = |record: LedgerRecord| {
            seeing.record_message(&record, lang).filter(|message| message.kind == kind)
        };
        let found: Option<message::LedgerRecord> = records.find_map(message);
        found.ok_or_else(|| Refusal::new(Reason::Internal))
    })
    .await
}

fn subject(look: &Look<'_>, outcome: &Outcome) -> Result<ResourceName, Refusal> {
    done(outcome).or_else(|_| Ok(ResourceName::new(look.domain().clone(), Resource::Domain)))
}
