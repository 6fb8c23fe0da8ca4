//! Lists of probes: how is an answer sent that is encoded already?
//!
//! The generated server takes apart what leaves hold in one piece, only to put it together again.
//! This one stands before it and answers lists itself; everything else it passes on.

use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::BufMut as _;
use luqiao_proto::node::v1::{RangeRequest, probe_service_server::ProbeServiceServer};
use prost::Message as _;
use tonic::{
    Request, Response, Status,
    body::Body,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    codegen::{BoxFuture, Service, http},
    server::{Grpc, NamedService, UnaryService},
};

use super::{Probes, refused};
use crate::{services::Services, storage::leaves::Listed};

const RANGE: &str = "/luqiao.node.v1.ProbeService/Range";

/// `ProbeService`, lists included.
#[derive(Debug, Clone)]
pub(crate) struct ProbeLists {
    probes: Probes,
    others: ProbeServiceServer<Probes>,
}

impl ProbeLists {
    pub(crate) fn new(services: Arc<Services>) -> Self {
        let probes = Probes(services);
        Self { probes: probes.clone(), others: ProbeServiceServer::new(probes) }
    }
}

impl NamedService for ProbeLists {
    const NAME: &'static str = <ProbeServiceServer<Probes> as NamedService>::NAME;
}

impl Service<http::Request<Body>> for ProbeLists {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        if request.uri().path() != RANGE {
            return self.others.call(request);
        }
        let lister = Lister(self.probes.clone());
        Box::pin(async move { Ok(Grpc::new(Pieces).unary(lister, request).await) })
    }
}

struct Lister(Probes);

impl UnaryService<RangeRequest> for Lister {
    type Response = Listed;
    type Future = BoxFuture<Response<Listed>, Status>;

    fn call(&mut self, request: Request<RangeRequest>) -> Self::Future {
        let probes = self.0.clone();
        Box::pin(async move {
            probes.admit(&request)?;
            probes.list(request.into_inner()).await.map(Response::new).map_err(refused)
        })
    }
}

/// Writes answers of which every part is encoded.
#[derive(Debug, Clone, Copy)]
struct Pieces;

impl Codec for Pieces {
    type Encode = Listed;
    type Decode = RangeRequest;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Pieces {
    type Item = Listed;
    type Error = Status;

    fn encode(&mut self, listed: Listed, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.reserve(listed.len());
        listed.parts.iter().for_each(|part| out.put_slice(part));
        Ok(())
    }
}

impl Decoder for Pieces {
    type Item = RangeRequest;
    type Error = Status;

    fn decode(&mut self, bytes: &mut DecodeBuf<'_>) -> Result<Option<RangeRequest>, Status> {
        let request = RangeRequest::decode(bytes);
        request.map(Some).map_err(|error| Status::internal(error.to_string()))
    }
}
