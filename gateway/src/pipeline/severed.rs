//! Severed: how does a call of another domain end when its link is cut?
//!
//! Without a status: the HTTP/2 stream is reset, answered or not, begun or not. A refusal in
//! words would be a message over a link that carries none.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::Response;
use http_body::{Frame, SizeHint};
use tonic::body::Body;
use tower::BoxError;

/// The link on which the call came has been cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the link has been cut")]
pub struct LinkCut;

/// The answer, unless the link is cut before it begins or while it lasts.
pub(super) async fn unless<C>(
    cut: impl Fn() -> C,
    answer: impl Future<Output = Response<Body>>,
) -> Result<Response<Body>, LinkCut>
where
    C: Future<Output = ()> + Send + 'static,
{
    let response = tokio::select! {
        biased;
        () = cut() => return Err(LinkCut),
        response = answer => response,
    };
    Ok(response.map(|body| Body::new(Severed { body, cut: Box::pin(cut()) })))
}

/// A body that breaks off when the link is cut.
pub(super) struct Severed {
    body: Body,
    cut: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl http_body::Body for Severed {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.cut.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Some(Err(LinkCut.into())));
        }
        Pin::new(&mut self.body).poll_frame(cx).map_err(Into::into)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
