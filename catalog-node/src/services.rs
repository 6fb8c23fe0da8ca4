//! Services: how is a call answered?
//!
//! Gateways hand over public calls in an envelope ([`NodeService`](call)); one file for each public
//! service turns the call into a command or a read, and what came of it into the public answer.
//! Every node answers what only asks, once it has applied what the leader says is committed; what
//! changes something is passed on to the leader.
//!
//! Nothing here decides what may be done. A refusal with legal effect comes out of the log; what is
//! refused here could not be asked at all, or is about what the caller may see.

use std::{sync::Arc, time::Duration};

use crate::{
    backup::duty::Desk,
    config::Member,
    handle::{Intent, NodeHandle},
    node::Answered,
    peers::Peers,
    storage::{Identity, StateView},
};
use bytes::Bytes;
use catalog_model::{
    caller::Caller,
    ids::DomainId,
    name::{Resource, ResourceName},
    organization::PlatformRole,
    reason::{Lang, Reason},
    refusal::Refusal,
    share_request::{Party, ShareRequest},
    time::UtcMillis,
};
use catalog_state::{command::Body, outcome::Outcome, rows::ClusterConfig, view::View};
use luqiao_proto::convert::methods::Method;
use luqiao_transport::drain::Shutdown;
use prost::Message;
use sha2::{Digest, Sha256};

pub(crate) mod call;
pub(crate) mod probe;

mod cases;
mod catalog;
mod demands;
mod disputes;
pub(crate) mod dr;
mod drills;
mod entries;
pub(crate) mod federation;
pub(crate) mod fences;
mod grant;
mod law;
mod ledger;
mod links;
mod members;
mod operations;
mod organizations;
mod paging;
mod parsed_pack;
mod quality;
mod relations;
mod rules;
mod service_change;
mod sharing;
mod signed;
mod watch;
mod work;

#[expect(unreachable_pub, reason = "the error is part of the public `NodeError`")]
pub use self::ledger::HeadKeyError;
pub(crate) use self::{ledger::HeadKey, parsed_pack::ParsedPack};

/// Time for a call whose envelope names none.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// What all services of a node share.
#[derive(Debug)]
pub(crate) struct Services {
    pub(crate) handle: NodeHandle,
    pub(crate) identity: Identity,
    pub(crate) peers: Arc<Peers>,
    pub(crate) head_key: HeadKey,
    pub(crate) chains: federation::Chains,
    pub(crate) pack: ParsedPack,
    /// Hosts to which notices are delivered.
    pub(crate) webhook_hosts: Vec<String>,
    /// With whose authorities approvals are checked.
    pub(crate) trust: dr::trust::Trust,
    /// Where the backup archive is asked about; absent where none is configured.
    pub(crate) backup: Option<Desk>,
    /// Streams end with it.
    pub(crate) shutdown: Shutdown,
}

impl Services {
    /// The members as this node has applied them, with the addresses at which they are reached.
    pub(crate) fn members(&self) -> Vec<Member> {
        let members = self.handle.members().members.into_iter();
        members.map(|member| Member { id: member.id, address: member.address }).collect()
    }
}

/// One public call, taken out of its envelope.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    services: Arc<Services>,
    caller: Caller,
    received_at: Option<UtcMillis>,
    method: &'static Method,
    bytes: Bytes,
    lang: Lang,
}

/// A public answer and the log position at which it is true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) bytes: Bytes,
    pub(crate) index: u64,
}

impl Reply {
    fn of(message: &impl Message, index: u64) -> Self {
        Self { bytes: message.encode_to_vec().into(), index }
    }
}

/// The state at one moment, as this caller may see it.
pub(crate) struct Look<'a> {
    state: &'a StateView<'a>,
    caller: &'a Caller,
    cluster: Arc<ClusterConfig>,
}

impl Call {
    fn decode<M: Message + Default>(&self) -> Result<M, Refusal> {
        M::decode(self.bytes.clone())
            .map_err(|error| Refusal::new(Reason::MessageMalformed).fact("cause", error))
    }

    fn handle(&self) -> &NodeHandle {
        &self.services.handle
    }

    /// SHA-256 of the method and the call as the gateway received it: the same for a retry,
    /// whatever is drawn or stamped here.
    fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.method.path);
        hash.update([0]);
        hash.update(&self.bytes);
        hash.finalize().into()
    }

    /// Commits `body` under the caller's key, and returns what came of it unless it was refused.
    async fn commit(&self, request_id: &str, body: Body) -> Result<Answered, Refusal> {
        if request_id.is_empty() {
            return Err(Refusal::new(Reason::RequestIdMissing));
        }
        self.commit_as(Some((request_id.to_owned(), self.digest())), body).await
    }

    async fn commit_as(
        &self,
        idempotency: Option<(String, [u8; 32])>,
        body: Body,
    ) -> Result<Answered, Refusal> {
        let intent = Intent {
            caller: self.caller.clone(),
            received_at: self.received_at,
            idempotency,
            body,
        };
        let answered = self.handle().propose(intent).await?;
        match answered.applied.outcome {
            Outcome::Refused(refusal) => Err(refusal),
            _ => Ok(answered),
        }
    }

    /// Commits `body`, then answers with `show` of the state that contains it.
    async fn write<M, F>(&self, request_id: &str, body: Body, show: F) -> Result<Reply, Refusal>
    where
        M: Message,
        F: FnOnce(&Look<'_>, &Outcome) -> Result<M, Refusal> + Send + 'static,
    {
        let answered = self.commit(request_id, body).await?;
        // On this thread: what was just written is in memory.
        self.handle().view(|state| {
            let look = Look::new(state, &self.caller)?;
            Ok(Reply::of(&show(&look, &answered.applied.outcome)?, state.applied()))
        })
    }

    /// Answers with `show` of a state that contains everything committed by now.
    async fn read<M, F>(&self, show: F) -> Result<Reply, Refusal>
    where
        M: Message,
        F: FnOnce(&Look<'_>) -> Result<M, Refusal> + Send + 'static,
    {
        self.handle().read().await?;
        self.look(show).await
    }

    /// Answers with `show` of the state as it is applied here.
    async fn look<M, F>(&self, show: F) -> Result<Reply, Refusal>
    where
        M: Message,
        F: FnOnce(&Look<'_>) -> Result<M, Refusal> + Send + 'static,
    {
        let caller = self.caller.clone();
        self.handle()
            .look(move |state| {
                let look = Look::new(state, &caller)?;
                Ok(Reply::of(&show(&look)?, state.applied()))
            })
            .await
    }

    /// As [`Call::look`], for what is not the answer yet.
    fn look_now<T>(
        &self,
        look: impl FnOnce(&Look<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        self.handle().view(|state| look(&Look::new(state, &self.caller)?))
    }
}

impl<'a> Look<'a> {
    pub(crate) fn new(state: &'a StateView<'a>, caller: &'a Caller) -> Result<Self, Refusal> {
        let cluster = state.cluster().ok_or_else(|| Refusal::new(Reason::NotBootstrapped))?;
        Ok(Self { state, caller, cluster })
    }

    pub(crate) fn view(&self) -> View<'_> {
        View(self.state)
    }

    fn domain(&self) -> &DomainId {
        &self.cluster.domain
    }

    /// Refuses a name in another domain where only ours is held.
    fn own(&self, domain: &DomainId) -> Result<(), Refusal> {
        if domain == self.domain() {
            Ok(())
        } else {
            Err(Refusal::new(Reason::DomainUnknown).fact("domain", domain))
        }
    }

    /// Whether the caller acts for the authority or the platform manager of this domain.
    fn is_platform(&self) -> bool {
        matches!(self.office(), Some(PlatformRole::Authority | PlatformRole::PlatformManager))
    }

    /// Whether the caller acts for the organization with this part in the domain's platform.
    fn is_office(&self, role: PlatformRole) -> bool {
        self.office() == Some(role)
    }

    fn office(&self) -> Option<PlatformRole> {
        if self.caller.domain != *self.domain() {
            return None;
        }
        let own = self.view().organization(self.domain(), self.caller.organization()?)?;
        own.platform_role
    }

    fn is_party(&self, party: &Party) -> bool {
        party.domain == self.caller.domain && self.caller.organization() == Some(party.organization)
    }

    /// A case is seen by its parties and the platform's organizations, and by whoever stands above
    /// the debtor while something waits there.
    fn sees_request(&self, request: &ShareRequest) -> bool {
        self.is_party(&request.requester)
            || self.is_party(&request.provider)
            || self.is_platform()
            || self.stands_above(request)
    }

    /// Whether the case was escalated to the caller, or the authority owes the answer itself and
    /// asks the caller's government for more time.
    fn stands_above(&self, request: &ShareRequest) -> bool {
        let mark = request.overdue.as_ref();
        if mark.and_then(|mark| mark.escalated_party.as_ref()).is_some_and(|to| self.is_party(to)) {
            return true;
        }
        if !request.state.is_open() || !self.is_office(PlatformRole::Government) {
            return false;
        }
        let name = ResourceName::new(request.domain.clone(), Resource::Request(request.id));
        let proposal = self.view().case_file(&name).and_then(|file| file.proposal);
        proposal.is_some_and(|proposal| {
            let proposer = self.view().organization(&proposal.by.domain, proposal.by.organization);
            proposer.is_some_and(|own| own.platform_role == Some(PlatformRole::Authority))
        })
    }

    fn sees_grant(&self, grant: &catalog_model::grant::Grant) -> bool {
        self.is_party(&grant.consumer) || self.is_party(&grant.provider) || self.is_platform()
    }

    fn page_key(&self) -> &[u8; 32] {
        &self.cluster.page_token_key
    }
}

/// Nothing of that name, or nothing that this caller may see.
fn not_found(name: impl ToString) -> Refusal {
    Refusal::new(Reason::NotFound).fact("name", name)
}

/// The version in an etag that a change must carry.
fn version_in(etag: &str, field: &str) -> Result<u64, Refusal> {
    if etag.is_empty() {
        return Err(Refusal::new(Reason::EtagMissing));
    }
    luqiao_proto::convert::parse_etag(etag).ok_or_else(|| {
        Refusal::new(Reason::FieldInvalid).field(
            field,
            "is not an etag as it was returned",
            "不是平台返回的 etag",
        )
    })
}

/// A new id.
fn draw() -> ulid::Ulid {
    // The time in it is for people who look at ids; order and uniqueness do not rest on it.
    ulid::Ulid::from_bytes(crate::clock::ulid_bytes())
}
