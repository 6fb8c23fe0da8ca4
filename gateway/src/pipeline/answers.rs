//! Answers: when does a stream of answers end?
//!
//! When its source does, when it has told an error, or when the gateway is told to end: a watcher
//! then hears so at once and goes elsewhere, instead of holding up the end for the whole grace
//! period. The caller's seat is kept until then.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use luqiao_transport::drain::Shutdown;
use tokio_stream::Stream;
use tonic::Status;

use crate::{
    admission::Admitted,
    rescue::{self, Failure},
};

type Source = Pin<Box<dyn Stream<Item = Result<Bytes, Status>> + Send>>;

/// A stream of answers with an end.
pub(super) struct Answers {
    /// `None` once it has ended.
    source: Option<Source>,
    ending: Pin<Box<dyn Future<Output = ()> + Send>>,
    admitted: Admitted,
}

impl Answers {
    pub(super) fn new(
        source: impl Stream<Item = Result<Bytes, Status>> + Send + 'static,
        shutdown: &Shutdown,
        admitted: Admitted,
    ) -> Self {
        Self { source: Some(Box::pin(source)), ending: Box::pin(shutdown.begun()), admitted }
    }
}

impl Stream for Answers {
    type Item = Result<Bytes, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(source) = &mut self.source else {
            return Poll::Ready(None);
        };
        match source.as_mut().poll_next(cx) {
            Poll::Ready(Some(Ok(answer))) => Poll::Ready(Some(Ok(answer))),
            Poll::Ready(last) => {
                self.source = None;
                Poll::Ready(last)
            }
            // Asked only when there is nothing to hand on: a call under way is answered first.
            Poll::Pending => {
                if self.ending.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                self.source = None;
                let lang = self.admitted.received().lang;
                Poll::Ready(Some(Err(rescue::status(&Failure::Draining, lang))))
            }
        }
    }
}
