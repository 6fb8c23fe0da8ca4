//! `NodeService`: may this gateway hand over calls, who answers them, and by when?

use std::{pin::Pin, sync::Arc, time::Duration};

use catalog_model::{
    caller::{Caller, Identity},
    fence::Said,
    reason::{Lang, Reason},
    refusal::Refusal,
    site::Pair,
};
use catalog_proofs::suite::Suite;
use catalog_state::view::View;
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
    opening::Opening,
    status::{self, Problem},
};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_stream::Stream;
use tonic::{Request, Response, Status, metadata::MetadataValue};

use super::{
    CALL_TIMEOUT, Call, Reply, Services, cases, catalog, demands, disputes, dr, drills, entries,
    federation, grant, law, ledger, links, members, operations, organizations, quality, relations,
    rules, service_change, sharing, watch, work,
};
use crate::{
    bootstrap::{LedgerHash, Spec},
    fencing::{Heard, same_cluster},
    node::{leadership_moved, no_leader, not_leader, quarantined},
    peers::PeerChannel,
    remote::BOOTSTRAP,
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

    /// Whether the call is from our cluster, as far as it says, and follows the opening that
    /// counts here. What it says of openings is heard first.
    ///
    /// Judged are the gateway's word, which stays in the envelope when a node passes it on, and
    /// that of a node that does so.
    fn check_origin(
        &self,
        envelope: &Envelope,
        from: From,
        heard: Option<Heard>,
    ) -> Result<(), Refusal> {
        let fencing = self.handle.fencing();
        let named = Pair { generation: envelope.generation, epoch: envelope.epoch.max(1) };
        // Programs that say nothing here know of the first opening only; neither does a gateway
        // that met no node yet.
        let named = if envelope.generation == 0 { Pair::FIRST } else { named };
        let of_gateway = Said { heard: named, ..Said::NOTHING };
        let opening = Opening { cluster: envelope.cluster_id.clone(), said: of_gateway };
        same_cluster(fencing.cluster(), &opening)?;
        fencing.hear(&of_gateway);
        // How it stands is what somebody wants to know of a node that is fenced, too.
        if STATUS.contains(&envelope.method.as_str()) {
            return Ok(());
        }
        let heard = heard.map_or(Said::NOTHING, |heard| heard.0);
        match from {
            From::Gateway => {
                let of_gateway = Said { heard: named.max(heard.heard_at_least()), ..of_gateway };
                fencing.admit_gateway(&of_gateway)
            }
            From::Node => {
                fencing.admit_peer(&heard)?;
                // Of its own accord a node says nothing for a gateway.
                if envelope.forwarded == 0 { Ok(()) } else { fencing.admit_gateway(&of_gateway) }
            }
        }
    }

    /// The way to the leader; `None` if this node leads.
    pub(crate) fn way_to_leader(&self, forwarded: bool) -> Result<Option<PeerChannel>, Refusal> {
        if let Some(refusal) = self.handle.fencing().refusal() {
            return Err(refusal);
        }
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
    /// meant for them and no others; those of a watched domain ask its witness themselves.
    fn check_home(&self, caller: &Caller, method: &methods::Method) -> Result<(), Refusal> {
        let home = caller.domain == *self.handle.domain();
        let of_a_domain =
            matches!(caller.identity, Identity::Gateway { .. } | Identity::Node { .. });
        if home || of_a_domain || method.is_carried() || method.is_of_witness() {
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
        heard: Option<Heard>,
    ) -> Result<CallResponse, Status> {
        let lang = lang_of(&envelope);
        let refused = |refusal: Refusal| status::of(&refusal, lang);
        // Of its own accord a node asks for one thing only: that the cluster begins.
        let begins = from == From::Node && envelope.method == BOOTSTRAP;
        if from == From::Node && envelope.forwarded == 0 && !begins {
            return Err(refused(Refusal::new(Reason::EnvelopeRefused)));
        }
        self.check_origin(&envelope, from, heard).map_err(refused)?;
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
        let changes = call.method.kind != methods::MethodKind::Read;
        let one_site = changes && self.handle.view(|state| View(state).one_site(index));
        let node = self.handle.id().to_string();
        Ok(CallResponse { response: bytes, index, node, one_site })
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
        let (response, node) = (response.into(), self.handle.id().to_string());
        Ok(CallResponse { response, index, node, one_site: false })
    }
}

/// One line for each method of the public API that is answered once. Each is answered in a place of its own:
/// one that had room for any of them would be large, and is moved several times a call.
fn dispatch(call: &Call) -> Pin<Box<dyn Future<Output = Result<Reply, Refusal>> + Send + '_>> {
    match call.method.path {
        "/luqiao.organization.v1.OrganizationService/CreateOrganization" => {
            Box::pin(organizations::create(call))
        }
        "/luqiao.organization.v1.OrganizationService/GetOrganization" => {
            Box::pin(organizations::get(call))
        }
        "/luqiao.organization.v1.OrganizationService/ListOrganizations" => {
            Box::pin(organizations::list(call))
        }
        "/luqiao.organization.v1.OrganizationService/UpdateOrganization" => {
            Box::pin(organizations::update(call))
        }
        "/luqiao.organization.v1.OrganizationService/CreatePerson" => {
            Box::pin(organizations::create_person(call))
        }
        "/luqiao.organization.v1.OrganizationService/GetPerson" => {
            Box::pin(organizations::get_person(call))
        }
        "/luqiao.organization.v1.OrganizationService/ListPersons" => {
            Box::pin(organizations::list_persons(call))
        }
        "/luqiao.organization.v1.OrganizationService/UpdatePerson" => {
            Box::pin(organizations::update_person(call))
        }
        "/luqiao.organization.v1.OrganizationService/CreateSystem" => {
            Box::pin(organizations::create_system(call))
        }
        "/luqiao.organization.v1.OrganizationService/GetSystem" => {
            Box::pin(organizations::get_system(call))
        }
        "/luqiao.organization.v1.OrganizationService/ListSystems" => {
            Box::pin(organizations::list_systems(call))
        }
        "/luqiao.organization.v1.OrganizationService/DeleteSystem" => {
            Box::pin(relations::delete_system(call))
        }

        "/luqiao.catalog.v1.CatalogService/RegisterEntry" => Box::pin(catalog::register(call)),
        "/luqiao.catalog.v1.CatalogService/ImportEntries" => Box::pin(catalog::import(call)),
        "/luqiao.catalog.v1.CatalogService/ConsentEntry" => Box::pin(catalog::consent(call)),
        "/luqiao.catalog.v1.CatalogService/SubmitEntry" => Box::pin(catalog::submit(call)),
        "/luqiao.catalog.v1.CatalogService/ReturnEntry" => Box::pin(catalog::return_entry(call)),
        "/luqiao.catalog.v1.CatalogService/PublishEntry" => Box::pin(catalog::publish(call)),
        "/luqiao.catalog.v1.CatalogService/UpdateEntry" => Box::pin(catalog::update(call)),
        "/luqiao.catalog.v1.CatalogService/WithdrawEntry" => Box::pin(catalog::withdraw(call)),
        "/luqiao.catalog.v1.CatalogService/GetEntry" => Box::pin(catalog::get(call)),
        "/luqiao.catalog.v1.CatalogService/ListEntries" => Box::pin(catalog::list(call)),
        "/luqiao.catalog.v1.CatalogService/SearchEntries" => Box::pin(catalog::search(call)),

        "/luqiao.sharing.v1.SharingService/CreateRequest" => Box::pin(sharing::create(call)),
        "/luqiao.sharing.v1.SharingService/GetRequest" => Box::pin(sharing::get(call)),
        "/luqiao.sharing.v1.SharingService/ListRequests" => Box::pin(sharing::list(call)),
        "/luqiao.sharing.v1.SharingService/CompleteRequest" => Box::pin(sharing::complete(call)),
        "/luqiao.sharing.v1.SharingService/GiveConsent" => Box::pin(sharing::consent(call)),
        "/luqiao.sharing.v1.SharingService/AskOpinion" => Box::pin(sharing::ask_opinion(call)),
        "/luqiao.sharing.v1.SharingService/GiveOpinion" => Box::pin(sharing::give_opinion(call)),
        "/luqiao.sharing.v1.SharingService/AnswerRequest" => Box::pin(sharing::answer(call)),
        "/luqiao.sharing.v1.SharingService/ExtendRequest" => Box::pin(sharing::extend(call)),
        "/luqiao.sharing.v1.SharingService/WithdrawRequest" => Box::pin(sharing::withdraw(call)),
        "/luqiao.sharing.v1.SharingService/CreateMixedRequest" => {
            Box::pin(cases::create_mixed(call))
        }
        "/luqiao.sharing.v1.SharingService/ProposeExtension" => {
            Box::pin(cases::propose_extension(call))
        }
        "/luqiao.sharing.v1.SharingService/AnswerExtension" => {
            Box::pin(cases::answer_extension(call))
        }
        "/luqiao.sharing.v1.SharingService/ClaimReason" => Box::pin(cases::claim_reason(call)),
        "/luqiao.sharing.v1.SharingService/RuleOnReason" => Box::pin(cases::rule_on_reason(call)),
        "/luqiao.sharing.v1.SharingService/FileOnBehalf" => Box::pin(cases::file_on_behalf(call)),
        "/luqiao.sharing.v1.SharingService/GetCaseFile" => Box::pin(cases::get_file(call)),
        "/luqiao.sharing.v1.SharingService/GetPunctuality" => Box::pin(cases::punctuality(call)),
        "/luqiao.sharing.v1.SharingService/SwitchSeparation" => {
            Box::pin(cases::switch_separation(call))
        }
        "/luqiao.sharing.v1.SharingService/GetSeparation" => Box::pin(cases::get_separation(call)),
        "/luqiao.sharing.v1.SharingService/GetGrant" => Box::pin(sharing::get_grant(call)),
        "/luqiao.sharing.v1.SharingService/ListGrants" => Box::pin(sharing::list_grants(call)),
        "/luqiao.sharing.v1.SharingService/SuspendGrant" => Box::pin(sharing::suspend_grant(call)),
        "/luqiao.sharing.v1.SharingService/TerminateGrant" => {
            Box::pin(sharing::terminate_grant(call))
        }

        path if path.starts_with("/luqiao.sharing.v1.GrantService/") => {
            Box::pin(grant::dispatch(call))
        }
        path if path.starts_with("/luqiao.sharing.v1.ServiceChangeService/") => {
            Box::pin(service_change::dispatch(call))
        }

        "/luqiao.rule.v1.RuleService/GetRulePack" => Box::pin(rules::get_pack(call)),
        "/luqiao.rule.v1.RuleService/ListRulePacks" => Box::pin(rules::list_packs(call)),
        "/luqiao.rule.v1.RuleService/GetCalendar" => Box::pin(rules::get_calendar(call)),
        "/luqiao.rule.v1.RuleService/ListCalendars" => Box::pin(rules::list_calendars(call)),

        "/luqiao.federation.v1.FederationService/DescribeDomain" => {
            Box::pin(federation::describe(call))
        }
        "/luqiao.federation.v1.FederationService/ForwardRequest" => {
            Box::pin(federation::forward(call))
        }
        "/luqiao.federation.v1.FederationService/RelayStatus" => Box::pin(federation::relay(call)),
        "/luqiao.federation.v1.FederationService/ExchangeHeads" => {
            Box::pin(ledger::exchange::answer(call))
        }

        path if path.starts_with("/luqiao.ledger.v1.LedgerService/") => {
            Box::pin(ledger::dispatch(call))
        }

        "/luqiao.operations.v1.OperationsService/GetStatus" => Box::pin(operations::status(call)),
        "/luqiao.operations.v1.OperationsService/TransferLeader" => {
            Box::pin(operations::transfer(call))
        }
        "/luqiao.operations.v1.OperationsService/SetDevelopmentClock" => {
            Box::pin(operations::set_clock(call))
        }
        "/luqiao.operations.v1.OperationsService/ListMembers" => Box::pin(members::list(call)),
        "/luqiao.operations.v1.OperationsService/AddMember" => Box::pin(members::add(call)),
        "/luqiao.operations.v1.OperationsService/PromoteMember" => Box::pin(members::promote(call)),
        "/luqiao.operations.v1.OperationsService/RemoveMember" => Box::pin(members::remove(call)),
        "/luqiao.operations.v1.OperationsService/ReplaceMember" => Box::pin(members::replace(call)),
        "/luqiao.operations.v1.OperationsService/ListMemberChanges" => {
            Box::pin(members::history(call))
        }
        "/luqiao.operations.v1.OperationsService/RaiseLevel" => {
            Box::pin(members::raise_level(call))
        }

        path if path.starts_with("/luqiao.entry.v1.EntryService/") => {
            Box::pin(entries::dispatch(call))
        }
        path if path.starts_with("/luqiao.relations.v1.") => Box::pin(relations::dispatch(call)),
        path if path.starts_with("/luqiao.quality.v1.QualityService/") => {
            Box::pin(quality::dispatch(call))
        }

        path if path.starts_with("/luqiao.sharing.v1.DisputeService/") => {
            Box::pin(disputes::dispatch(call))
        }
        path if path.starts_with("/luqiao.sharing.v1.DemandService/") => {
            Box::pin(demands::dispatch(call))
        }

        path if path.starts_with("/luqiao.dr.v1.") => Box::pin(dr::dispatch(call)),
        path if path.starts_with("/luqiao.operations.v1.DrillService/") => {
            Box::pin(drills::dispatch(call))
        }
        path if path.starts_with("/luqiao.rule.v1.RuleService/") => Box::pin(rules::dispatch(call)),
        path if path.starts_with("/luqiao.law.v1.LawService/") => Box::pin(law::dispatch(call)),
        path if path.starts_with("/luqiao.work.v1.WorkService/") => Box::pin(work::dispatch(call)),

        path => {
            let refusal = Refusal::new(Reason::MethodUnknown).fact("method", path);
            Box::pin(std::future::ready(Err(refusal)))
        }
    }
}

fn lang_of(envelope: &Envelope) -> Lang {
    if envelope.language.starts_with("zh") { Lang::Zh } else { Lang::En }
}

pub(crate) fn client(channel: PeerChannel) -> NodeServiceClient<PeerChannel> {
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
        let heard = request.extensions().get::<Heard>().copied();
        let envelope = request.into_inner().envelope;
        stated(envelope.as_ref(), "envelope").map_err(internal)?;
        let envelope = envelope.unwrap_or_default();
        self.0.answer(envelope, from, heard).await.map(Response::new)
    }

    type StreamStream = Answers<StreamResponse>;

    async fn stream(
        &self,
        request: Request<StreamRequest>,
    ) -> Result<Response<Self::StreamStream>, Status> {
        let internal = |refusal: Refusal| status::of(&refusal, Lang::En);
        self.0.admit_gateway(&request).map_err(internal)?;
        let heard = request.extensions().get::<Heard>().copied();
        let envelope = request.into_inner().envelope;
        let envelope = stated(envelope.as_ref(), "envelope").map_err(internal)?.clone();
        let lang = lang_of(&envelope);
        let refused = |refusal: Refusal| status::of(&refusal, lang);
        self.0.check_origin(&envelope, From::Gateway, heard).map_err(refused)?;
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
