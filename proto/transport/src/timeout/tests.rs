use std::{
    convert::Infallible,
    future::{pending, ready},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use catalog_model::reason::Reason;
use http::{HeaderValue, Request, Response};
use http_body::Frame;
use http_body_util::BodyExt;
use tokio::sync::mpsc;
use tonic::{Code, Status, body::Body};
use tower::{Layer, ServiceExt, service_fn};

use super::{BudgetSpent, CallBudget, CallTimeoutLayer, parse};
use crate::status::Problem;

const DEFAULT: Duration = Duration::from_secs(30);

#[test]
fn only_digits_and_a_unit_are_a_timeout() {
    let table = [
        ("1H", Some(Duration::from_hours(1))),
        ("2M", Some(Duration::from_mins(2))),
        ("3S", Some(Duration::from_secs(3))),
        ("4m", Some(Duration::from_millis(4))),
        ("5u", Some(Duration::from_micros(5))),
        ("6n", Some(Duration::from_nanos(6))),
        ("0S", Some(Duration::ZERO)),
        ("99999999n", Some(Duration::from_nanos(99_999_999))),
        ("99999999H", Some(Duration::from_hours(24 * 365))),
        ("123456789n", None),
        ("", None),
        ("S", None),
        ("1", None),
        ("1s", None),
        ("+1S", None),
        ("-1S", None),
        ("1.5S", None),
        (" 1S", None),
        ("1S ", None),
        ("1SS", None),
    ];
    for (text, expected) in table {
        assert_eq!(parse(&HeaderValue::from_static(text)).ok(), expected, "{text:?}");
    }
    assert!(parse(&HeaderValue::from_bytes(b"1\xffS").unwrap()).is_err());
}

#[tokio::test(start_paused = true)]
async fn what_is_left_is_passed_on_less_a_margin() {
    assert_eq!(CallBudget::UNBOUNDED.for_upstream(), Ok(None));

    let millis = Duration::from_millis;
    for (left, upstream) in [(10_000, 9_900), (1_000, 900), (500, 450), (50, 45), (20, 15)] {
        let budget = CallBudget::beginning_now(millis(left));
        assert_eq!(budget.for_upstream(), Ok(Some(millis(upstream))), "{left}");
    }
    let budget = CallBudget::beginning_now(millis(5));
    assert_eq!(budget.for_upstream(), Err(BudgetSpent));

    let budget = CallBudget::beginning_now(millis(1_000));
    tokio::time::advance(millis(800)).await;
    assert_eq!(budget.remaining(), Some(millis(200)));
    let mut request = tonic::Request::new(());
    budget.pass_on(&mut request).unwrap();
    let header = request.metadata().get("grpc-timeout").unwrap().to_str().unwrap();
    assert_eq!(parse(&header.parse().unwrap()), Ok(millis(180)));

    tokio::time::advance(millis(800)).await;
    assert_eq!(budget.remaining(), Some(Duration::ZERO));
    assert_eq!(budget.pass_on(&mut request), Err(BudgetSpent));
}

fn request(timeout: Option<&'static str>) -> Request<()> {
    let mut request = Request::new(());
    *request.uri_mut() = "/a.B/C".parse().unwrap();
    request.headers_mut().insert("accept-language", HeaderValue::from_static("zh"));
    if let Some(timeout) = timeout {
        request.headers_mut().insert("grpc-timeout", HeaderValue::from_static(timeout));
    }
    request
}

/// The time that the inner service was given.
async fn budget_of(layer: CallTimeoutLayer, timeout: Option<&'static str>) -> Option<Duration> {
    let (tell, mut told) = mpsc::unbounded_channel();
    let service = layer.layer(service_fn(move |request: Request<()>| {
        let budget = request.extensions().get::<CallBudget>().unwrap().remaining();
        tell.send(budget).unwrap();
        ready(Ok::<_, Infallible>(Response::new(Body::empty())))
    }));
    service.oneshot(request(timeout)).await.unwrap();
    told.recv().await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_caller_may_shorten_the_default_but_not_lengthen_it() {
    let layer = CallTimeoutLayer::new(DEFAULT);
    assert_eq!(budget_of(layer.clone(), None).await, Some(DEFAULT));
    assert_eq!(budget_of(layer.clone(), Some("5S")).await, Some(Duration::from_secs(5)));
    assert_eq!(budget_of(layer.clone(), Some("5H")).await, Some(DEFAULT));

    let exempt = layer.without_default(&["/a.B/C"]);
    assert_eq!(budget_of(exempt.clone(), None).await, None);
    assert_eq!(budget_of(exempt, Some("5H")).await, Some(Duration::from_hours(5)));
}

fn problem(response: &Response<Body>) -> Problem {
    Problem::from_status(&Status::from_header_map(response.headers()).unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_call_without_answer_is_ended_with_our_status() {
    let never = service_fn(|_: Request<()>| pending::<Result<Response<Body>, Infallible>>());
    let service = CallTimeoutLayer::new(DEFAULT).layer(never);
    for timeout in [None, Some("1S")] {
        let response = service.clone().oneshot(request(timeout)).await.unwrap();
        let problem = problem(&response);
        assert_eq!(
            (problem.code, problem.reason),
            (Code::DeadlineExceeded, Some(Reason::TimedOut))
        );
        assert_eq!(problem.message, "调用未在时限内完成");
    }
}

#[tokio::test]
async fn a_malformed_timeout_is_refused_before_the_service_is_asked() {
    let never = service_fn(|_: Request<()>| async {
        panic!("the service was asked");
        #[expect(unreachable_code, reason = "gives the block its type")]
        Ok::<_, Infallible>(Response::new(Body::empty()))
    });
    let service = CallTimeoutLayer::new(DEFAULT).layer(never);
    let problem = problem(&service.oneshot(request(Some("soon"))).await.unwrap());
    assert_eq!((problem.code, problem.reason), (Code::InvalidArgument, Some(Reason::FieldInvalid)));
    assert_eq!(problem.fields[0].0, "grpc-timeout");
}

/// Yields what is sent, and never ends by itself.
struct Endless(mpsc::UnboundedReceiver<Bytes>);

impl http_body::Body for Endless {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        match self.0.poll_recv(cx) {
            Poll::Ready(Some(bytes)) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            _ => Poll::Pending,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_with_the_callers_time_and_no_sooner() {
    let (send, receive) = mpsc::unbounded_channel();
    let mut receive = Some(receive);
    let streaming = service_fn(move |_: Request<()>| {
        let body = Endless(receive.take().unwrap());
        ready(Ok::<_, Infallible>(Response::new(body)))
    });
    // The stream outlives the default, because it began within it.
    let service = CallTimeoutLayer::new(Duration::from_secs(1)).layer(streaming);
    let mut body = service.oneshot(request(Some("10S"))).await.unwrap().into_body();

    tokio::time::advance(Duration::from_secs(9)).await;
    send.send(Bytes::from_static(b"late")).unwrap();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "late");

    let trailers = body.frame().await.unwrap().unwrap().into_trailers().unwrap();
    let problem = Problem::from_status(&Status::from_header_map(&trailers).unwrap());
    assert_eq!(problem.reason, Some(Reason::TimedOut));
    assert!(body.frame().await.is_none());
    assert!(send.is_closed(), "the producer learns that nobody listens");
}
