//! Timeout: how long may this call take, here and further up?
//!
//! The caller says so in `grpc-timeout`; the server has a default that the caller may shorten but
//! not lengthen. The [`CallTimeoutLayer`] ends the call when the time is over, with our own
//! status, and leaves a [`CallBudget`] in the request's extensions: whoever calls on passes on
//! what is left, less a margin, so that the answer *too late* comes from us and not from silence.
//!
//! The default bounds how long the answer may take to begin. A stream that has begun may go on,
//! unless the caller set a time: then it ends with that.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use catalog_model::{
    reason::{Lang, Reason},
    refusal::Refusal,
};
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until, timeout_at};
use tonic::{Status, body::Body};
use tower::{BoxError, Layer, Service};

use crate::{language, status};

/// The header in which a caller bounds a call.
pub const GRPC_TIMEOUT: &str = "grpc-timeout";

/// Most and least that is kept back of what is left when calling on; between them a tenth.
const MARGIN_MAX: Duration = Duration::from_millis(100);
const MARGIN_MIN: Duration = Duration::from_millis(5);

/// Longest time a call can be given; beyond it, the sum with the present might overflow.
const TIMEOUT_MAX: Duration = Duration::from_hours(24 * 365);

/// A `grpc-timeout` that is not one to eight digits and a unit (`H`, `M`, `S`, `m`, `u`, `n`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("grpc-timeout is not one to eight digits and a unit")]
pub struct MalformedTimeout;

/// Reads a `grpc-timeout` value.
pub fn parse(value: &HeaderValue) -> Result<Duration, MalformedTimeout> {
    let text = value.to_str().map_err(|_| MalformedTimeout)?;
    let unit = text.chars().next_back().ok_or(MalformedTimeout)?;
    let digits = &text[..text.len() - unit.len_utf8()];
    if !(1..=8).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(MalformedTimeout);
    }
    let count: u64 = digits.parse().map_err(|_| MalformedTimeout)?;
    let time = match unit {
        'H' => Duration::from_secs(count * 3600),
        'M' => Duration::from_secs(count * 60),
        'S' => Duration::from_secs(count),
        'm' => Duration::from_millis(count),
        'u' => Duration::from_micros(count),
        'n' => Duration::from_nanos(count),
        _ => return Err(MalformedTimeout),
    };
    Ok(time.min(TIMEOUT_MAX))
}

/// What is left of a call's time; in the extensions of every request behind the layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallBudget {
    ends: Option<Instant>,
}

/// Nothing is left of a call's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the call's time is over")]
pub struct BudgetSpent;

impl CallBudget {
    /// A call that may take as long as it likes.
    pub const UNBOUNDED: Self = Self { ends: None };

    /// A call that began now and may take `time`.
    pub fn beginning_now(time: Duration) -> Self {
        Self { ends: Some(Instant::now() + time.min(TIMEOUT_MAX)) }
    }

    /// What is left; `None` if the call is unbounded, zero if its time is over.
    pub fn remaining(&self) -> Option<Duration> {
        self.ends.map(|ends| ends.saturating_duration_since(Instant::now()))
    }

    /// What a call further up may take: what is left, less the margin. `None` if unbounded.
    pub fn for_upstream(&self) -> Result<Option<Duration>, BudgetSpent> {
        let Some(remaining) = self.remaining() else {
            return Ok(None);
        };
        let margin = (remaining / 10).clamp(MARGIN_MIN, MARGIN_MAX);
        remaining.checked_sub(margin).filter(|left| !left.is_zero()).map(Some).ok_or(BudgetSpent)
    }

    /// Sets the `grpc-timeout` of a call further up.
    pub fn pass_on<T>(&self, request: &mut tonic::Request<T>) -> Result<(), BudgetSpent> {
        if let Some(time) = self.for_upstream()? {
            request.set_timeout(time);
        }
        Ok(())
    }
}

/// Bounds every call in time.
#[derive(Debug, Clone)]
pub struct CallTimeoutLayer {
    default: Duration,
    unbounded: Arc<[&'static str]>,
}

impl CallTimeoutLayer {
    /// A call's answer must begin within `default`, or sooner if the caller says so.
    pub fn new(default: Duration) -> Self {
        Self { default, unbounded: Arc::new([]) }
    }

    /// Methods without default, as paths (`/luqiao.catalog.v1.CatalogService/ImportEntries`): a
    /// client stream is answered only when the client is done. The caller's own bound holds.
    pub fn without_default(mut self, methods: &[&'static str]) -> Self {
        self.unbounded = methods.into();
        self
    }
}

impl<S> Layer<S> for CallTimeoutLayer {
    type Service = CallTimeout<S>;

    fn layer(&self, inner: S) -> CallTimeout<S> {
        CallTimeout { inner, layer: self.clone() }
    }
}

/// The service of a [`CallTimeoutLayer`].
#[derive(Debug, Clone)]
pub struct CallTimeout<S> {
    inner: S,
    layer: CallTimeoutLayer,
}

impl<S, T, B> Service<Request<T>> for CallTimeout<S>
where
    S: Service<Request<T>, Response = Response<B>>,
    S::Future: Send + 'static,
    S::Error: Send,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<T>) -> Self::Future {
        let lang = language::of(request.headers());
        let asked = match request.headers().get(GRPC_TIMEOUT).map(parse).transpose() {
            Ok(asked) => asked,
            Err(malformed) => return Box::pin(async move { Ok(refused(malformed, lang)) }),
        };
        let has_default = !self.layer.unbounded.contains(&request.uri().path());
        let default = has_default.then_some(self.layer.default);
        let time = asked.into_iter().chain(default).min();
        let budget = time.map_or(CallBudget::UNBOUNDED, CallBudget::beginning_now);
        // The stream ends with the caller's time, which may be later than the default.
        let stream_ends = asked.map(|asked| Instant::now() + asked);
        request.extensions_mut().insert(budget);

        let answer = self.inner.call(request);
        Box::pin(async move {
            let answered = match budget.ends {
                None => answer.await,
                Some(ends) => match timeout_at(ends, answer).await {
                    Ok(answered) => answered,
                    Err(_) => return Ok(timed_out(lang).into_http()),
                },
            };
            Ok(answered?.map(|body| match stream_ends {
                None => Body::new(body),
                Some(ends) => Body::new(TimedBody {
                    inner: Some(Body::new(body)),
                    ends: Box::pin(sleep_until(ends)),
                    lang,
                }),
            }))
        })
    }
}

fn timed_out(lang: Lang) -> Status {
    status::of(&Refusal::new(Reason::TimedOut), lang)
}

fn refused(malformed: MalformedTimeout, lang: Lang) -> Response<Body> {
    let refusal = Refusal::new(Reason::FieldInvalid).field(
        GRPC_TIMEOUT,
        malformed.to_string(),
        "grpc-timeout 应为一至八位数字加单位",
    );
    status::of(&refusal, lang).into_http()
}

/// A body that ends with our status when the caller's time is over.
struct TimedBody {
    /// `None` after the end.
    inner: Option<Body>,
    ends: Pin<Box<Sleep>>,
    lang: Lang,
}

impl http_body::Body for TimedBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let Some(inner) = &mut self.inner else {
            return Poll::Ready(None);
        };
        if let Poll::Ready(frame) = Pin::new(inner).poll_frame(cx) {
            return Poll::Ready(frame);
        }
        ready!(self.ends.as_mut().poll(cx));
        // Dropping the inner body tells its producer that nobody listens any more.
        self.inner = None;
        let mut trailers = HeaderMap::new();
        timed_out(self.lang).add_header(&mut trailers)?;
        Poll::Ready(Some(Ok(Frame::trailers(trailers))))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(http_body::Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map(http_body::Body::size_hint).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
