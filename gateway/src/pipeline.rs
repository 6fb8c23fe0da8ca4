//! Pipeline: the whole path of a call, in the order in which a call meets it.
//!
//! ```text
//! telemetry → rescue
//!   identity    who calls?
//!   admission   may they use this gateway now?
//!   policy      may this call go on?
//!   route       who answers it?
//!   upstream    how does it get there, and the answer back?
//! ```
//!
//! Identity and admission look at the head of the call, before a byte of its message is taken in:
//! who is not known cannot make us hold anything. Policy and all that follows are gone through
//! for every message, of which most methods have one.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Instant, SystemTime},
};

use bytes::Bytes;
use catalog_model::{
    ids::DomainId,
    reason::{Lang, Reason::NotOwner},
};
use http::{Request, Response, request::Parts};
use luqiao_proto::{federation::v1::CarryCallResponse, node::v1::StreamResponse};
use luqiao_transport::{
    dial::{MESSAGE_BYTES_MAX, PEER_MESSAGE_BYTES_MAX},
    drain::Shutdown,
    language,
    status::Problem,
};
use prost::Message as _;
use tokio_stream::StreamExt as _;
use tonic::{
    Status, Streaming, body::Body, metadata::MetadataValue, server::Grpc, service::Routes,
};
use tower::{Service, service_fn};

use crate::{
    admission::{Admission, Admitted},
    federation::{Holders, Links, carry::Carrier},
    identity::{self, Registry},
    method::{Method, Shape},
    open_services, policy,
    raw::RawCodec,
    rescue::{self, Failure},
    route::{self, Destination, Routed, Routes as RouteTable},
    stage::Received,
    upstream::{Answer, CallFailed, Upstream},
};

/// In the answer to a change that one site alone holds.
pub const ONE_SITE: &str = "x-luqiao-one-site";

mod answers;
mod severed;

use answers::Answers;
pub use severed::LinkCut;

/// The path of every call. Clones are the same path.
#[derive(Debug, Clone)]
pub struct Pipeline {
    stages: Arc<Stages>,
    open: Routes,
}

/// The stages with what each knows.
#[derive(Debug)]
pub struct Stages {
    /// Identity.
    pub registry: Registry,
    /// Admission.
    pub admission: Admission,
    /// Policy.
    pub rules: policy::Rules,
    /// Route.
    pub routes: RouteTable,
    /// Upstream.
    pub upstream: Upstream,
    /// How calls reach the domains that own what they are about.
    pub carrier: Carrier,
    /// Who is asked what other domains hold of our ledger: part of one question.
    pub holders: Holders,
    /// Which other domains' calls end when their link is cut; and part of one answer.
    pub links: Links,
    /// When streams are told to go elsewhere.
    pub shutdown: Shutdown,
}

impl Pipeline {
    /// A path through `stages`, beside which `open` is served to everybody.
    pub fn new(stages: Stages, open: Routes) -> Self {
        Self { stages: Arc::new(stages), open }
    }

    async fn serve(mut self, request: Request<Body>) -> Result<Response<Body>, LinkCut> {
        if open_services::serves(request.uri().path()) {
            let Ok(response) = self.open.call(request).await;
            return Ok(response);
        }
        let (head, body) = request.into_parts();
        let lang = language::of(&head.headers);
        let admitted = match self.stages.establish(&head) {
            Ok(admitted) => admitted,
            Err(failure) => return Ok(told(head.uri.path(), None, failure, lang).into_http()),
        };
        let link =
            admitted.received().method.is_federation().then(|| admitted.caller().domain.clone());
        let answer = self.stages.clone().answer(admitted, Request::from_parts(head, body));
        match link {
            None => Ok(answer.await),
            Some(domain) => severed::unless(|| self.stages.links.until_cut(&domain), answer).await,
        }
    }
}

impl Stages {
    /// What is established by the head of a call.
    fn establish(&self, head: &Parts) -> Result<Admitted, Failure> {
        let path = head.uri.path();
        let method = Method::find(path).ok_or_else(|| Failure::Method(path.to_owned()))?;
        let received = Received::new(method, head, SystemTime::now());
        let identified = identity::identify(&self.registry, received)?;
        Ok(self.admission.admit(identified, Instant::now())?)
    }

    /// Carries one message there and its answer back.
    async fn one(self: Arc<Self>, admitted: Admitted, call: Bytes) -> Result<Answer, Failure> {
        let call = self.holders.complete(admitted.received().method.path, call).await;
        let permitted = policy::permit(&self.rules, admitted, call)?;
        let routed = route::route(&self.routes, permitted)?;
        let permitted = routed.permitted();
        let answer = match routed.destination() {
            Destination::Owner(owner) => elsewhere(self.carrier.carry(owner, permitted).await?),
            Destination::Own | Destination::OwnCopyOf(_) => match self.upstream.call(&routed).await
            {
                Ok(answer) => answer,
                Err(failed) => match self.answered_by(&routed, &failed) {
                    Some(owner) => elsewhere(self.carrier.carry(&owner, permitted).await?),
                    None => return Err(failed.into()),
                },
            },
        };
        if permitted.is_carried() {
            let carried = CarryCallResponse { answer: answer.message };
            return Ok(Answer { message: carried.encode_to_vec().into(), ..answer });
        }
        let message = self.links.complete(permitted.method().path, answer.message);
        Ok(Answer { message, ..answer })
    }

    /// The domain that answers a question of which our own cluster said that it does not.
    fn answered_by(&self, routed: &Routed, failed: &CallFailed) -> Option<DomainId> {
        let CallFailed::Refused(status) = failed else { return None };
        let problem = Problem::from_status(status);
        let owner = problem.metadata.get("owner").filter(|_| problem.reason == Some(NotOwner))?;
        route::asked_on(&self.routes, routed, owner)
    }

    /// Carries one message there and opens the stream of its answers.
    async fn many(
        self: Arc<Self>,
        admitted: Admitted,
        call: Bytes,
    ) -> Result<Streaming<StreamResponse>, Failure> {
        let permitted = policy::permit(&self.rules, admitted, call)?;
        let routed = route::route(&self.routes, permitted)?;
        Ok(self.upstream.stream(&routed).await?)
    }
}

/// An answer of another domain says nothing of its sites here.
fn elsewhere(message: Bytes) -> Answer {
    Answer { message, one_site: false }
}

/// Frames in, frames out: how many messages go which way.
impl Stages {
    async fn answer(self: Arc<Self>, admitted: Admitted, request: Request<Body>) -> Response<Body> {
        let mut grpc = Grpc::new(RawCodec)
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(PEER_MESSAGE_BYTES_MAX);
        let lang = admitted.received().lang;
        let response = match admitted.received().method.shape {
            Shape::Unary => {
                let service = service_fn(|request: tonic::Request<Bytes>| {
                    self.clone().unary(admitted.clone(), request.into_inner())
                });
                grpc.unary(service, request).await
            }
            Shape::ServerStream => {
                let service = service_fn(|request: tonic::Request<Bytes>| {
                    self.clone().server_stream(admitted.clone(), request.into_inner())
                });
                grpc.server_streaming(service, request).await
            }
            Shape::Bidi => {
                let service = service_fn(|request: tonic::Request<Streaming<Bytes>>| {
                    std::future::ready(Ok(tonic::Response::new(
                        self.clone().bidi(admitted.clone(), request.into_inner()),
                    )))
                });
                grpc.streaming(service, request).await
            }
        };
        dressed(response, lang)
    }

    async fn unary(
        self: Arc<Self>,
        admitted: Admitted,
        call: Bytes,
    ) -> Result<tonic::Response<Bytes>, Status> {
        let answer = self.one(admitted.clone(), call).await;
        let Answer { message, one_site } = concluded(&admitted, answer)?;
        let mut response = tonic::Response::new(message);
        if one_site {
            response.metadata_mut().insert(ONE_SITE, MetadataValue::from_static("1"));
        }
        Ok(response)
    }

    async fn server_stream(
        self: Arc<Self>,
        admitted: Admitted,
        call: Bytes,
    ) -> Result<tonic::Response<Answers>, Status> {
        let shutdown = self.shutdown.clone();
        let opened = self.many(admitted.clone(), call).await;
        let answers = concluded(&admitted, opened)?;
        let last = admitted.clone();
        let answers = answers.map(move |answer| match answer {
            Ok(answer) => Ok(answer.response),
            Err(status) => Err(broken(&last, &status)),
        });
        Ok(tonic::Response::new(Answers::new(answers, &shutdown, admitted)))
    }

    fn bidi(self: Arc<Self>, admitted: Admitted, calls: Streaming<Bytes>) -> Answers {
        let shutdown = self.shutdown.clone();
        let each = admitted.clone();
        let answers = calls.then(move |call| {
            let (stages, admitted) = (self.clone(), each.clone());
            async move {
                let answer = match call {
                    Ok(call) => {
                        stages.one(admitted.clone(), call).await.map(|answer| answer.message)
                    }
                    Err(status) => Err(Failure::Frame(status.message().to_owned())),
                };
                concluded(&admitted, answer)
            }
        });
        Answers::new(answers, &shutdown, admitted)
    }
}

/// Logs how a call ended; a failure becomes the caller's status.
fn concluded<T>(admitted: &Admitted, answer: Result<T, Failure>) -> Result<T, Status> {
    let received = admitted.received();
    answer
        .inspect(|_| {
            let millis = received.received_at.elapsed().unwrap_or_default().as_millis();
            let (caller, method) = (admitted.caller(), received.method.path);
            tracing::debug!(%caller, method, millis, "Answered");
        })
        .map_err(|failure| told(received.method.path, Some(admitted), failure, received.lang))
}

/// A stream that had begun has ended with an error of its node.
fn broken(admitted: &Admitted, status: &Status) -> Status {
    let failure = Failure::CallFailed(Upstream::broken_stream(status));
    let received = admitted.received();
    told(received.method.path, Some(admitted), failure, received.lang)
}

/// Logs the failure and words it for the caller.
fn told(path: &str, admitted: Option<&Admitted>, failure: Failure, lang: Lang) -> Status {
    let caller = admitted.map_or_else(|| "unknown".to_owned(), |known| known.caller().to_string());
    let reason = rescue::reason(&failure);
    tracing::info!(caller, method = path, reason, error = %failure, "Call failed");
    rescue::status(&failure, lang)
}

/// A status that the gRPC library made (a frame that is too large, no message at all) has no
/// reason; every status of ours has one.
fn dressed(response: Response<Body>, lang: Lang) -> Response<Body> {
    match Status::from_header_map(response.headers()) {
        Some(status) if status.code() != tonic::Code::Ok && status.details().is_empty() => {
            rescue::status(&Failure::Frame(status.message().to_owned()), lang).into_http()
        }
        _ => response,
    }
}

impl Service<Request<Body>> for Pipeline {
    type Response = Response<Body>;
    type Error = LinkCut;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, LinkCut>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), LinkCut>> {
        // Admission bounds what is taken on; the connection need not wait.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(self.clone().serve(request))
    }
}
