//! The gate: which calls come to a service at all, given the openings that both ends know?
//!
//! It stands before every service of the node, whatever the method: a method that is added
//! tomorrow is behind it. What gateways and nodes of the domain say is heard first, then judged;
//! who calls is each service's own question. Two services are asked past it, because they say how
//! the node stands, or end it: status, and the operator's fence. A call in an envelope is judged by
//! whoever opens the envelope ([`Services`](crate::services)), because status may be in it.
//!
//! Every answer tells what this node knows. An answer that is still being given when the node is
//! fenced ends with the reason as soon as there is nothing more of it ready.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use catalog_model::{
    fence::Said,
    ids::DomainId,
    reason::{Lang, Reason},
    refusal::Refusal,
};
use http::{HeaderMap, Request, Response};
use http_body::{Body as _, Frame, SizeHint};
use luqiao_transport::{
    accept::ConnectionInfo,
    identity::Subject,
    opening::{OPENING, Opening},
    status,
};
use tonic::{Status, body::Body};
use tower::Service;

use crate::fencing::{Fencing, Heard, same_cluster};

/// Paths that begin so say how the node stands, or end it.
const OPEN: [&str; 3] = [
    "/grpc.health.v1.Health/",
    "/luqiao.node.v1.NodeService/GetNodeStatus",
    "/luqiao.node.v1.FenceService/",
];

/// Judged by whoever opens the envelope.
const ENVELOPED: &str = "/luqiao.node.v1.NodeService/Call";

/// Stands before `inner`.
#[derive(Debug, Clone)]
pub(crate) struct Gate<S> {
    inner: S,
    fencing: Arc<Fencing>,
    domain: DomainId,
}

/// Who calls, as far as the gate cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Caller {
    Gateway,
    Node,
    /// A person, or somebody of whom nothing is known: heard by nobody here.
    Other,
}

impl<S> Gate<S> {
    pub(crate) fn new(inner: S, fencing: Arc<Fencing>, domain: DomainId) -> Self {
        Self { inner, fencing, domain }
    }

    fn caller<T>(&self, request: &Request<T>) -> Caller {
        let info = request.extensions().get::<ConnectionInfo>();
        let name = info.and_then(|info| info.certificate.as_ref()?.spiffe.as_ref());
        match name.filter(|name| name.domain == self.domain).map(|name| &name.subject) {
            Some(Subject::Gateway { .. }) => Caller::Gateway,
            Some(Subject::Node { .. }) => Caller::Node,
            _ => Caller::Other,
        }
    }

    /// Hears what the caller says, and judges it unless the path is open.
    fn judge<T>(&self, request: &mut Request<T>) -> Result<(), Refusal> {
        let path = request.uri().path();
        let open = OPEN.iter().any(|open| path.starts_with(open));
        let judged = !open && path != ENVELOPED;
        let caller = self.caller(request);
        if caller == Caller::Other {
            return if judged { self.fencing.refusal().map_or(Ok(()), Err) } else { Ok(()) };
        }
        let opening = Opening::in_headers(request.headers())
            .map_err(|error| Refusal::new(Reason::MessageMalformed).fact("cause", error))?;
        let said = match opening {
            Some(opening) => {
                let ours = same_cluster(self.fencing.cluster(), &opening);
                if open && ours.is_err() {
                    return Ok(());
                }
                if ours.is_err() && caller == Caller::Node {
                    let cause = format!("the sender belongs to cluster {}", opening.cluster);
                    tracing::warn!(path, cause, "Peer refused");
                }
                ours?;
                self.fencing.hear(&opening.said);
                request.extensions_mut().insert(Heard(opening.said));
                opening.said
            }
            None => Said::NOTHING,
        };
        match caller {
            _ if !judged => Ok(()),
            Caller::Gateway => self.fencing.admit_gateway(&said),
            // A program older than the header says in its handshake to what it belongs.
            Caller::Node | Caller::Other => self.fencing.admit_peer(&said),
        }
    }
}

impl<S> Service<Request<Body>> for Gate<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let fencing = Arc::clone(&self.fencing);
        if let Err(refusal) = self.judge(&mut request) {
            let mut refused = status::of(&refusal, Lang::En).into_http::<Body>();
            refused.headers_mut().insert(OPENING, fencing.header());
            return Box::pin(async move { Ok(refused) });
        }
        let open = OPEN.iter().any(|open| request.uri().path().starts_with(open));
        let answer = self.inner.call(request);
        Box::pin(async move {
            let mut answer = answer.await?;
            answer.headers_mut().insert(OPENING, fencing.header());
            // An answer without messages has said all by its headers.
            if open || answer.body().is_end_stream() {
                return Ok(answer);
            }
            let stopped = Arc::clone(&fencing);
            let stopped = Box::pin(async move { stopped.stopped().await });
            let cut = |body| Body::new(Cut { body, stopped, fencing, ended: false });
            Ok(answer.map(cut))
        })
    }
}

/// An answer that ends when the node is fenced.
struct Cut {
    body: Body,
    stopped: Pin<Box<dyn Future<Output = ()> + Send>>,
    fencing: Arc<Fencing>,
    ended: bool,
}

impl http_body::Body for Cut {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        // First what is there: an answer that was decided is given, not replaced by a refusal.
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            return Poll::Ready(frame);
        }
        if self.stopped.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        self.ended = true;
        let mut trailers = HeaderMap::new();
        let refusal = self.fencing.refusal();
        let status = refusal.map_or_else(
            || Status::unavailable("the node was fenced"),
            |refusal| status::of(&refusal, Lang::En),
        );
        match status.add_header(&mut trailers) {
            Ok(()) => Poll::Ready(Some(Ok(Frame::trailers(trailers)))),
            Err(status) => Poll::Ready(Some(Err(status))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.ended || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}
