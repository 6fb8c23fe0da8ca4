//! `NodeService`: may this gateway hand over calls, who answers them, and by when?

use std::{pin::Pin, sync::Arc, time::Duration};

use catalog_model::{
    caller::{Caller, Identity},
    reason::{Lang, Reason},
    refusal::Refusal,
};
use catalog_proofs::suite::Suite;
use luqiao_proto::{
    convert::{caller::read_caller, methods, stated, time::read_timestamp},
    node::v1::{
        AckOutboxRequest, AckOutboxResponse, ApplyFeedBatchRequest, ApplyFeedBatchResponse,
        CallRequest, CallResponse, Envelope, GetFeedCursorRequest, GetFeedCursorResponse,
        GetHeadStandingRequest, GetHeadStandingResponse, GetNodeStatusRequest,
        GetNodeStatusResponse, ListOutboxRequest, ListOutboxResponse, RunBackupRequest,
        RunBackupResponse, StreamRequest, StreamResponse, TakeCosignatureRequest,
        TakeCosignatureResponse, TakeHeadRequest, TakeHeadResponse,
        node_service_client::NodeServiceClient, node_service_server::NodeService,
    },
};
use luqiao_transport::{
    accept::ConnectionInfo,
    dial::PEER_MESSAGE_BYTES_MAX,
    identity::Subject,
    status::{self, Problem},
};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_stream::Stream;
use tonic::{Request, Response, Status, metadata::MetadataValue, transport::Channel};

use super::{
    CALL_TIMEOUT, Call, Reply, Services, cases, catalog, demands, disputes, entries, federation,
    grant, law, ledger, links, members, operations, organizations, quality, relations, rules,
    service_change, sharing, watch, work,
};
use crate::{
    bootstrap::{LedgerHash, Spec},
    node::{leadership_moved, no_leader, not_leader, quarantined},
    remote::BOOTSTRAP,
    storage::hex,
};

/// Marks a call of the internal services that another node passed on.
pub(super) const FORWARDED: &str = "x-luqiao-forwarded";

/// What can be asked of a cluster that nobody leads.
const STATUS: [&str; 2] = [
    "/luqiao.operations.v1.OperationsService/GetStatus",
    "/luqiao.operations.v1.OperationsService/ListMembers",
];

/// Pause before a call is tried again after leadership moved.
const AGAIN: Duration = Duration::from_millis(2);

/// How long a call waits for somebody to lead: two elections.
pub(crate) const LEADER_PATIENCE: Duration = Duration::from_secs(3);

/// Longest time that a call may take, whatever its envelope says.
const TIMEOUT_MAX: Duration = Duration::from_mins(10);

pub(crate) type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// Who hands a call over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum From {
    Gateway,
    Node,
}

impl Services {
    /// Only gateways of our own domain hand over calls, and other nodes pass them on.
    fn admit<T>(&self, request: &Request<T>) -> Result<From, Refusal> {
        let refused = || Refusal::new(Reason::EnvelopeRefused);
        let info = request.extensions().get::<ConnectionInfo>().ok_or_else(refused)?;
        let certificate = info.certificate.as_ref().ok_or_else(refused)?;
        match &certificate.spiffe {
            Some(name) if name.domain == *self.handle.domain() => match name.subject {
                Subject::Gateway { .. } => Ok(From::Gateway),
                Subject::Node { .. } => Ok(From::Node),
                Subject::Person { .. } | Subject::System { .. } => Err(refused()),
            },
            _ => Err(refused()),
        }
    }

    /// Admits a gateway; for services that are asked by nothing else.
    pub(crate) fn admit_gateway<T>(&self, request: &Request<T>) -> Result<(), Refusal> {
        match self.admit(request)? {
            From::Gateway => Ok(()),
            From::Node => Err(Refusal::new(Reason::EnvelopeRefused)),
        }
    }

    /// Admits a gateway, or another node that passes on what a gateway asked of it, and says
    /// whether it was that.
    pub(crate) fn admit_passed_on<T>(&self, request: &Request<T>) -> Result<bool, Refusal> {
        let forwarded = request.metadata().contains_key(FORWARDED);
        match self.admit(request)? {
            From::Gateway => Ok(false),
            From::Node if forwarded => Ok(true),
            From::Node => Err(Refusal::new(Reason::EnvelopeRefused)),
        }
    }

    /// Whether the call is from our cluster, as far as it says.
    fn check_origin(&self, envelope: &Envelope) -> Result<(), Refusal> {
        let own = &self.identity;
        let foreign = !envelope.cluster_id.is_empty()
            && envelope.cluster_id != hex(&own.cluster_id)
            || envelope.generation != 0 && envelope.generation != own.generation;
        if foreign { Err(Refusal::new(Reason::GenerationForeign)) } else { Ok(()) }
    }

    /// The way to the leader; `None` if this node leads.
    pub(crate) fn way_to_leader(&self, forwarded: bool) -> Result<Option<Channel>, Refusal> {
        if self.handle.leads() {
            return Ok(None);
        }
        let leader = self.handle.status().replica.leader;
        if forwarded {
            return Err(not_leader(leader));
        }
        leader.and_then(|leader| self.peers.channel(leader)).map(Some).ok_or_else(no_leader)
    }

    /// Waits a little for leadership to settle, after a call was refused because it had moved;
    /// `false` if there is no time for another attempt before `until`.
    pub(crate) async fn settled(&self, until: Instant) -> bool {
        let mut status = self.handle.watch_status();
        let next = async {
            sleep(AGAIN).await;
            // The status is that of a node which may end at any time.
            status.wait_for(|status| status.replica.leader.is_some()).await.is_ok()
        };
        matches!(timeout_at(until, next).await, Ok(true))
    }

    /// Persons and systems of other domains come by the gateways of both, with the calls that are
    /// meant for them and no others.
    fn check_home(&self, caller: &Caller, method: &methods::Method) -> Result<(), Refusal> {
        let home = caller.domain == *self.handle.domain();
        let of_a_domain =
            matches!(caller.identity, Identity::Gateway { .. } | Identity::Node { .. });
        if home || of_a_domain || method.is_carried() {
            return Ok(());
        }
        Err(Refusal::new(Reason::DomainForeign).fact("domain", &caller.domain))
    }

    fn call(self: &Arc<Self>, envelope: &Envelope) -> Result<Call, Refusal> {
        let caller =
            read_caller(stated(envelope.caller.as_ref(), "envelope.caller")?, "envelope.caller")?;
        let received_at = envelope
            .received_at
            .as_ref()
            .map(|at| read_timestamp(Some(at), "envelope.received_at"))
            .transpose()?;
        let method = methods::method(&envelope.method)?;
        self.check_home(&caller, method)?;
        Ok(Call {
            services: Arc::clone(self),
            caller,
            received_at,
            method,
            bytes: envelope.call.clone(),
            lang: lang_of(envelope),
        })
    }

    /// Answers a call here, or has the leader answer it.
    async fn answer(
        self: &Arc<Self>,
        envelope: Envelope,
        from: From,
    ) -> Result<CallResponse, Status> {
        let lang = lang_of(&envelope);
        let refused = |refusal: Refusal| status::of(&refusal, lang);
        // Of its own accord a node asks for one thing only: that the cluster begins.
        let begins = from == From::Node && envelope.method == BOOTSTRAP;
        if from == From::Node && envelope.forwarded == 0 && !begins {
            return Err(refused(Refusal::new(Reason::EnvelopeRefused)));
        }
        self.check_origin(&envelope).map_err(refused)?;
        let time = match envelope.timeout_ms {
            0 => CALL_TIMEOUT,
            millis => Duration::from_millis(millis).min(TIMEOUT_MAX),
        };
        let until = Instant::now() + time;
        let patient = until.min(Instant::now() + LEADER_PATIENCE);
        // What only asks is answered here; if that cannot be, whoever leads is asked.
        let asks = methods::method(&envelope.method)
            .is_ok_and(|method| method.kind == methods::MethodKind::Read);
        let mut here = asks;
        loop {
            let answer = self.attempt(&envelope, begins, here, until).await;
            let Err(refused) = answer else { return answer };
            // The first node that was called sees it through; a node that was passed a call on to
            // says what it knows.
            let again = envelope.forwarded == 0
                && Problem::from_status(&refused).reason.is_some_and(leadership_moved);
            if !again || !self.settled(patient).await {
                return Err(refused);
            }
            here = false;
        }
    }

    /// One attempt at a call: here, or by the leader. A refusal because leadership moved says that
    /// the attempt had no effect.
    async fn attempt(
        self: &Arc<Self>,
        envelope: &Envelope,
        begins: bool,
        here: bool,
        until: Instant,
    ) -> Result<CallResponse, Status> {
        let lang = lang_of(envelope);
        let refused = |refusal: Refusal| status::of(&refusal, lang);
        let way = match self.way_to_leader(envelope.forwarded > 0) {
            _ if here => None,
            // When nobody leads, how the nodes stand is just what somebody wants to know.
            Err(_) if STATUS.contains(&envelope.method.as_str()) => None,
            way => way.map_err(refused)?,
        };
        if let Some(leader) = way {
            let forwarded = envelope.forwarded + 1;
            let envelope = Envelope { forwarded, ..envelope.clone() };
            let mut request = Request::new(CallRequest { envelope: Some(envelope) });
            request.set_timeout(until.saturating_duration_since(Instant::now()));
            let answer = client(leader).call(request).await;
            return answer.map(Response::into_inner).map_err(|error| passed_on(error, lang));
        }
        if begins {
            return self.begin_cluster(envelope).await.map_err(refused);
        }
        // How it stands is what somebody wants to know of a node in quarantine, too.
        if self.handle.standing().quarantined() && !STATUS.contains(&envelope.method.as_str()) {
            return Err(refused(quarantined()));
        }
        let call = self.call(envelope).map_err(refused)?;
        let Reply { bytes, index } = match timeout_at(until, dispatch(&call)).await {
            Ok(answered) => answered.map_err(refused)?,
            // A write that has begun may yet be committed; the same key tells.
            Err(_) => return Err(refused(Refusal::new(Reason::TimedOut))),
        };
        Ok(CallResponse { response: bytes, index, node: self.handle.id().to_string() })
    }

    /// Begins the cluster with the spec in the envelope; answers it with the ids that were drawn.
    async fn begin_cluster(&self, envelope: &Envelope) -> Result<CallResponse, Refusal> {
        let malformed = |cause: String| Refusal::new(Reason::MessageMalformed).fact("cause", cause);
        let mut spec: Spec =
            serde_json::from_slice(&envelope.call).map_err(|error| malformed(error.to_string()))?;
        if spec.domain != *self.handle.domain() {
            return Err(Refusal::new(Reason::DomainForeign).fact("domain", &spec.domain));
        }
        let (wanted, found) =
            (Suite::from(spec.hash.unwrap_or(LedgerHash::Sha256)), self.head_key.suite());
        if wanted != found {
            return Err(malformed(format!(
                "the ledger is to be signed with {}, but this node's key for heads is {}",
                wanted.signature_name(),
                found.signature_name()
            )));
        }
        let bootstrap = spec
            .command(self.identity.cluster_id, self.handle.clock().wall())
            .map_err(|error| malformed(error.to_string()))?;
        self.handle.bootstrap(bootstrap).await?;
        let response = serde_json::to_vec(&spec).map_err(|error| malformed(error.to_string()))?;
        let index = self.handle.status().replica.applied;
        Ok(CallResponse { response: response.into(), index, node: self.handle.id().to_string() })
    }
}

/// One line for each method of the public API that is answered once.
async fn dispatch(call: &Call) -> Result<Reply, Refusal> {
    match call.method.path {
        "/luqiao.organization.v1.OrganizationService/CreateOrganization" => {
            organizations::create(call).await
        }
        "/luqiao.organization.v1.OrganizationService/GetOrganization" => {
            organizations::get(call).await
        }
        "/luqiao.organization.v1.OrganizationService/ListOrganizations" => {
            organizations::list(call).await
        }
        "/luqiao.organization.v1.OrganizationService/UpdateOrganization" => {
            organizations::update(call).await
        }
        "/luqiao.organization.v1.OrganizationService/CreatePerson" => {
            organizations::create_person(call).await
        }
        "/luqiao.organization.v1.OrganizationService/GetPerson" => {
            organizations::get_person(call).await
        }
        "/luqiao.organization.v1.OrganizationService/ListPersons" => {
            organizations::list_persons(call).await
        }
        "/luqiao.organization.v1.OrganizationService/UpdatePerson" => {
            organizations::update_person(call).await
        }
        "/luqiao.organization.v1.OrganizationService/CreateSystem" => {
            organizations::create_system(call).await
        }
        "/luqiao.organization.v1.OrganizationService/GetSystem" => {
            organizations::get_system(call).await
        }
        "/luqiao.organization.v1.OrganizationService/ListSystems" => {
            organizations::list_systems(call).await
        }
        "/luqiao.organization.v1.OrganizationService/DeleteSystem" => {
            relations::delete_system(call).await
        }

        "/luqiao.catalog.v1.CatalogService/RegisterEntry" => catalog::register(call).await,
        "/luqiao.catalog.v1.CatalogService/ImportEntries" => catalog::import(call).await,
        "/luqiao.catalog.v1.CatalogService/ConsentEntry" => catalog::consent(call).await,
        "/luqiao.catalog.v1.CatalogService/SubmitEntry" => catalog::submit(call).await,
        "/luqiao.catalog.v1.CatalogService/ReturnEntry" => catalog::return_entry(call).await,
        "/luqiao.catalog.v1.CatalogService/PublishEntry" => catalog::publish(call).await,
        "/luqiao.catalog.v1.CatalogService/UpdateEntry" => catalog::update(call).await,
        "/luqiao.catalog.v1.CatalogService/WithdrawEntry" => catalog::withdraw(call).await,
        "/luqiao.catalog.v1.CatalogService/GetEntry" => catalog::get(call).await,
        "/luqiao.catalog.v1.CatalogService/ListEntries" => catalog::list(call).await,
        "/luqiao.catalog.v1.CatalogService/SearchEntries" => catalog::search(call).await,

        "/luqiao.sharing.v1.SharingService/CreateRequest" => sharing::create(call).await,
        "/luqiao.sharing.v1.SharingService/GetRequest" => sharing::get(call).await,
        "/luqiao.sharing.v1.SharingService/ListRequests" => sharing::list(call).await,
        "/luqiao.sharing.v1.SharingService/CompleteRequest" => sharing::complete(call).await,
        "/luqiao.sharing.v1.SharingService/GiveConsent" => sharing::consent(call).await,
        "/luqiao.sharing.v1.SharingService/AskOpinion" => sharing::ask_opinion(call).await,
        "/luqiao.sharing.v1.SharingService/GiveOpinion" => sharing::give_opinion(call).await,
        "/luqiao.sharing.v1.SharingService/AnswerRequest" => sharing::answer(call).await,
        "/luqiao.sharing.v1.SharingService/ExtendRequest" => sharing::extend(call).await,
        "/luqiao.sharing.v1.SharingService/WithdrawRequest" => sharing::withdraw(call).await,
        "/luqiao.sharing.v1.SharingService/CreateMixedRequest" => cases::create_mixed(call).await,
        "/luqiao.sharing.v1.SharingService/ProposeExtension" => {
            cases::propose_extension(call).await
        }
        "/luqiao.sharing.v1.SharingService/AnswerExtension" => cases::answer_extension(call).await,
        "/luqiao.sharing.v1.SharingService/ClaimReason" => cases::claim_reason(call).await,
        "/luqiao.sharing.v1.SharingService/RuleOnReason" => cases::rule_on_reason(call).await,
        "/luqiao.sharing.v1.SharingService/FileOnBehalf" => cases::file_on_behalf(call).await,
        "/luqiao.sharing.v1.SharingService/GetCaseFile" => cases::get_file(call).await,
        "/luqiao.sharing.v1.SharingService/GetPunctuality" => cases::punctuality(call).await,
        "/luqiao.sharing.v1.SharingService/SwitchSeparation" => {
            cases::switch_separation(call).await
        }
        "/luqiao.sharing.v1.SharingService/GetSeparation" => cases::get_separation(call).await,
        "/luqiao.sharing.v1.SharingService/GetGrant" => sharing::get_grant(call).await,
        "/luqiao.sharing.v1.SharingService/ListGrants" => sharing::list_grants(call).await,
        "/luqiao.sharing.v1.SharingService/SuspendGrant" => sharing::suspend_grant(call).await,
        "/luqiao.sharing.v1.SharingService/TerminateGrant" => sharing::terminate_grant(call).await,

        path if path.starts_with("/luqiao.sharing.v1.GrantService/") => grant::dispatch(call).await,
        path if path.starts_with("/luqiao.sharing.v1.ServiceChangeService/") => {
            service_change::dispatch(call).await
        }

        "/luqiao.rule.v1.RuleService/GetRulePack" => rules::get_pack(call).await,
        "/luqiao.rule.v1.RuleService/ListRulePacks" => rules::list_packs(call).await,
        "/luqiao.rule.v1.RuleService/GetCalendar" => rules::get_calendar(call).await,
        "/luqiao.rule.v1.RuleService/ListCalendars" => rules::list_calendars(call).await,

        "/luqiao.federation.v1.FederationService/DescribeDomain" => {
            federation::describe(call).await
        }
        "/luqiao.federation.v1.FederationService/ForwardRequest" => federation::forward(call).await,
        "/luqiao.federation.v1.FederationService/RelayStatus" => federation::relay(call).await,
        "/luqiao.federation.v1.FederationService/ExchangeHeads" => {
            ledger::exchange::answer(call).await
        }

        path if path.starts_with("/luqiao.ledger.v1.LedgerService/") => {
            ledger::dispatch(call).await
        }

        "/luqiao.operations.v1.OperationsService/GetStatus" => operations::status(call).await,
        "/luqiao.operations.v1.OperationsService/TransferLeader" => {
            operations::transfer(call).await
        }
        "/luqiao.operations.v1.OperationsService/SetDevelopmentClock" => {
            operations::set_clock(call).await
        }
        "/luqiao.operations.v1.OperationsService/ListMembers" => members::list(call).await,
        "/luqiao.operations.v1.OperationsService/AddMember" => members::add(call).await,
        "/luqiao.operations.v1.OperationsService/PromoteMember" => members::promote(call).await,
        "/luqiao.operations.v1.OperationsService/RemoveMember" => members::remove(call).await,
        "/luqiao.operations.v1.OperationsService/ReplaceMember" => members::replace(call).await,
        "/luqiao.operations.v1.OperationsService/ListMemberChanges" => members::history(call).await,
        "/luqiao.operations.v1.OperationsService/RaiseLevel" => members::raise_level(call).await,

        path if path.starts_with("/luqiao.entry.v1.EntryService/") => entries::dispatch(call).await,
        path if path.starts_with("/luqiao.relations.v1.") => relations::dispatch(call).await,
        path if path.starts_with("/luqiao.quality.v1.QualityService/") => {
            quality::dispatch(call).await
        }

        path if path.starts_with("/luqiao.sharing.v1.DisputeService/") => {
            disputes::dispatch(call).await
        }
        path if path.starts_with("/luqiao.sharing.v1.DemandService/") => {
            demands::dispatch(call).await
        }

        path if path.starts_with("/luqiao.rule.v1.RuleService/") => rules::dispatch(call).await,
        path if path.starts_with("/luqiao.law.v1.LawService/") => law::dispatch(call).await,
        path if path.starts_with("/luqiao.work.v1.WorkService/") => work::dispatch(call).await,

        path => Err(Refusal::new(Reason::MethodUnknown).fact("method", path)),
    }
}

fn lang_of(envelope: &Envelope) -> Lang {
    if envelope.language.starts_with("zh") { Lang::Zh } else { Lang::En }
}

pub(crate) fn client(channel: Channel) -> NodeServiceClient<Channel> {
    NodeServiceClient::new(channel)
        .max_decoding_message_size(PEER_MESSAGE_BYTES_MAX)
        .max_encoding_message_size(PEER_MESSAGE_BYTES_MAX)
}

/// What the leader said stays as it is; that it could not be reached is our own finding. A
/// connection that broke under a call leaves its outcome unknown.
pub(crate) fn passed_on(error: Status, lang: Lang) -> Status {
    if Problem::from_status(&error).reason.is_some() {
        return error;
    }
    let reached = luqiao_transport::dial::DialError::find(&error).is_none();
    let refusal = if reached { crate::node::outcome_unknown() } else { no_leader() };
    status::of(&refusal, lang)
}

/// A call of the internal services: answered by the leader, by way of this node if need be.
macro_rules! by_leader {
    ($self:ident, $request:ident, $method:ident, $answer:expr) => {{
        let internal = |refusal: Refusal| status::of(&refusal, Lang::En);
        let forwarded = $self.admit_passed_on(&$request).map_err(internal)?;
        let message = $request.into_inner();
        let patient = Instant::now() + LEADER_PATIENCE;
        loop {
            let attempt = match $self.way_to_leader(forwarded) {
                Err(refusal) => Err(internal(refusal)),
                Ok(Some(leader)) => {
                    let mut passed = Request::new(message.clone());
                    passed.metadata_mut().insert(FORWARDED, MetadataValue::from_static("1"));
                    let answer = client(leader).$method(passed).await;
                    answer.map_err(|error| passed_on(error, Lang::En))
                }
                Ok(None) => {
                    $answer($self, message.clone()).await.map(Response::new).map_err(internal)
                }
            };
            let Err(refused) = attempt else { return attempt };
            let again =
                !forwarded && Problem::from_status(&refused).reason.is_some_and(leadership_moved);
            if !again || !$self.settled(patient).await {
                return Err(refused);
            }
        }
    }};
}

/// Tonic's trait is implemented for a handle, because calls outlive the borrow of their service.
#[derive(Debug, Clone)]
pub(crate) struct NodeCalls(pub(crate) Arc<Services>);

#[tonic::async_trait]
impl NodeService for NodeCalls {
    async fn call(&self, request: Request<CallRequest>) -> Result<Response<CallResponse>, Status> {
        let internal = |refusal: Refusal| status::of(&refusal, Lang::En);
        let from = self.0.admit(&request).map_err(internal)?;
        let envelope = request.into_inner().envelope;
        stated(envelope.as_ref(), "envelope").map_err(internal)?;
        let envelope = envelope.unwrap_or_default();
        self.0.answer(envelope, from).await.map(Response::new)
    }

    type StreamStream = Answers<StreamResponse>;

    async fn stream(
        &self,
        request: Request<StreamRequest>,
    ) -> Result<Response<Self::StreamStream>, Status> {
        let internal = |refusal: Refusal| status::of(&refusal, Lang::En);
        self.0.admit_gateway(&request).map_err(internal)?;
        let envelope = request.into_inner().envelope;
        let envelope = stated(envelope.as_ref(), "envelope").map_err(internal)?.clone();
        let lang = lang_of(&envelope);
        let refused = |refusal: Refusal| status::of(&refusal, lang);
        self.0.check_origin(&envelope).map_err(refused)?;
        let call = self.0.call(&envelope).map_err(refused)?;
        watch::stream(call).await.map(Response::new).map_err(refused)
    }

    async fn get_node_status(
        &self,
        request: Request<GetNodeStatusRequest>,
    ) -> Result<Response<GetNodeStatusResponse>, Status> {
        self.0.admit(&request).map_err(|refusal| status::of(&refusal, Lang::En))?;
        Ok(Response::new(operations::node_status(&self.0)))
    }

    async fn run_backup(
        &self,
        request: Request<RunBackupRequest>,
    ) -> Result<Response<RunBackupResponse>, Status> {
        let from = self.0.admit(&request).map_err(|refusal| status::of(&refusal, Lang::En))?;
        if from != From::Node {
            return Err(status::of(&Refusal::new(Reason::EnvelopeRefused), Lang::En));
        }
        operations::run_backup(&self.0).await.map(Response::new)
    }

    async fn list_outbox(
        &self,
        request: Request<ListOutboxRequest>,
    ) -> Result<Response<ListOutboxResponse>, Status> {
        let services = &self.0;
        by_leader!(services, request, list_outbox, links::list_outbox)
    }

    async fn ack_outbox(
        &self,
        request: Request<AckOutboxRequest>,
    ) -> Result<Response<AckOutboxResponse>, Status> {
        let services = &self.0;
        by_leader!(services, request, ack_outbox, links::ack_outbox)
    }

    async fn get_feed_cursor(
        &self,
        request: Request<GetFeedCursorRequest>,
    ) -> Result<Response<GetFeedCursorResponse>, Status> {
        let services = &self.0;
        by_leader!(services, request, get_feed_cursor, links::get_feed_cursor)
    }

    async fn apply_feed_batch(
        &self,
        request: Request<ApplyFeedBatchRequest>,
    ) -> Result<Response<ApplyFeedBatchResponse>, Status> {
        let services = &self.0;
        by_leader!(services, request, apply_feed_batch, links::apply_feed_batch)
    }

    async fn get_head_standing(
        &self,
        request: Request<GetHeadStandingRequest>,
    ) -> Result<Response<GetHeadStandingResponse>, Status> {
        let services = &self.0;
        by_leader!(services, request, get_head_standing, ledger::exchange::standing)
    }

    async fn take_head(
        &self,
        request: Request<TakeHeadRequest>,
    ) -> Result<Response<TakeHeadResponse>, Status> {
        let services = &self.0;
        by_leader!(services, request, take_head, ledger::exchange::take_head)
    }

    async fn take_cosignature(
        &self,
        request: Request<TakeCosignatureRequest>,
    ) -> Result<Response<TakeCosignatureResponse>, Status> {
        let services = &self.0;
        by_leader!(services, request, take_cosignature, ledger::exchange::take_cosignature)
    }
}
