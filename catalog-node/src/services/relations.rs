//! What ties entries, systems, sources and functions together: which file answers a call, and who may
//! see what.
//!
//! What a department holds, collects, buys and takes over is its own affair and the platform's:
//! nobody else sees it, and what is not seen is not found. Duties, sources and platforms beside the
//! city's are public among the departments of the domain.

mod collection;
mod contracts;
mod datasets;
mod duties;
mod emergencies;
mod objections;
mod platforms;
mod projects;
mod purchases;
mod sources;
mod transfers;

use catalog_model::{
    deadline::DeadlineKind,
    ids::{DomainId, EntryId, OrganizationId},
    name::{Resource, ResourceName},
    organization::PlatformRole,
    reason::Reason,
    refusal::Refusal,
    time::{LocalDate, UtcMillis},
};
use catalog_state::{
    codec,
    command::{Body, RelationsCommand},
    keys::Key,
};
use luqiao_proto::convert::name::{entry_name, organization_name};
use minicbor::Decode;
use prost::Message;

use super::{
    Call, Look, Reply, not_found,
    organizations::{done, next},
    paging,
};

pub(super) use self::datasets::delete_system;

/// Hands the call to the file of its noun.
pub(super) async fn dispatch(call: &Call) -> Result<Reply, Refusal> {
    let path = call.method.path;
    let (service, method) = path
        .strip_prefix("/luqiao.relations.v1.")
        .and_then(|rest| rest.split_once('/'))
        .unwrap_or_default();
    match service {
        "DatasetService" => datasets::dispatch(call, method).await,
        "DutyService" => duties::dispatch(call, method).await,
        "SourceService" => sources::dispatch(call, method).await,
        "CollectionService" => collection::dispatch(call, method).await,
        "TransferService" => transfers::dispatch(call, method).await,
        "ObjectionService" => objections::dispatch(call, method).await,
        "EmergencyService" => emergencies::dispatch(call, method).await,
        "PurchaseService" => purchases::dispatch(call, method).await,
        "ContractService" => contracts::dispatch(call, method).await,
        "ProjectService" => projects::dispatch(call, method).await,
        "PlatformService" => platforms::dispatch(call, method).await,
        _ => Err(unknown(call)),
    }
}

/// A method that nobody answers.
pub(super) fn unknown(call: &Call) -> Refusal {
    Refusal::new(Reason::MethodUnknown).fact("method", call.method.path)
}

/// What is named in this domain; other domains keep theirs to themselves.
pub(super) fn own<T>(call: &Call, (domain, id): (DomainId, T)) -> Result<T, Refusal> {
    call.look_now(|look| look.own(&domain))?;
    Ok(id)
}

/// The organization of this domain that a call is about.
pub(super) fn own_organization(
    call: &Call,
    name: &str,
    field: &str,
) -> Result<OrganizationId, Refusal> {
    own(call, organization_name(name, field)?)
}

/// The entry of this domain that a call is about.
pub(super) fn own_entry(call: &Call, name: &str, field: &str) -> Result<EntryId, Refusal> {
    own(call, entry_name(name, field)?)
}

/// Commits a command and answers with what `show` finds under the name of what changed.
async fn change<M: Message>(
    call: &Call,
    request_id: &str,
    command: RelationsCommand,
    show: impl FnOnce(&Look<'_>, &ResourceName) -> Option<M> + Send + 'static,
) -> Result<Reply, Refusal> {
    call.write(request_id, Body::Relations(Box::new(command)), move |look, outcome| {
        let name = done(outcome)?;
        show(look, &name).ok_or_else(|| not_found(&name))
    })
    .await
}

/// Answers with what `show` finds, if the caller may see it.
pub(super) async fn find<M: Message>(
    call: &Call,
    name: String,
    show: impl FnOnce(&Look<'_>) -> Option<M> + Send + 'static,
) -> Result<Reply, Refusal> {
    call.read(move |look| show(look).ok_or_else(|| not_found(&name))).await
}

impl Look<'_> {
    /// Whether the caller acts for this organization of this domain.
    pub(super) fn is_of(&self, organization: OrganizationId) -> bool {
        self.caller.domain == *self.domain() && self.caller.organization() == Some(organization)
    }

    /// What an organization does is seen by itself and by the platform's organizations.
    pub(super) fn sees_affairs_of(&self, organization: OrganizationId) -> bool {
        self.is_of(organization) || self.is_platform()
    }

    /// As [`Look::sees_affairs_of`], for the department that provides an entry now: it may have come
    /// to another one with its function.
    pub(super) fn sees_affairs_of_entry(&self, entry: EntryId) -> bool {
        let entry = self.view().entry(self.domain(), entry);
        self.is_platform() || entry.is_some_and(|entry| self.is_of(entry.provider))
    }

    /// Whether the caller acts for the government of this domain.
    fn is_government(&self) -> bool {
        self.caller.domain == *self.domain()
            && self
                .caller
                .organization()
                .and_then(|id| self.view().organization(self.domain(), id))
                .is_some_and(|one| one.platform_role == Some(PlatformRole::Government))
    }

    /// The day of the committed clock.
    fn today(&self) -> LocalDate {
        self.view().clock().local_date()
    }

    /// When something is due, while it is owed.
    fn due(&self, kind: DeadlineKind, subject: Resource) -> Option<UtcMillis> {
        let subject = ResourceName::new(self.domain().clone(), subject);
        self.view().deadline(kind, &subject).map(|row| row.due_time)
    }
}

/// Which page of which list is wanted.
pub(super) struct Paged {
    size: usize,
    token: String,
    query: [u8; 32],
}

impl Paged {
    /// The page that `request` wants, of which page size and token were taken.
    pub(super) fn of(
        call: &Call,
        (page_size, token): (i32, String),
        request: &impl Message,
    ) -> Result<Self, Refusal> {
        let size = paging::size(page_size)?;
        let query = paging::query_digest(call.method.path, &call.caller.to_string(), request);
        Ok(Self { size, token, query })
    }

    fn from(&self, look: &Look<'_>) -> Result<Option<Vec<u8>>, Refusal> {
        paging::open(look.page_key(), &self.query, &self.token)
    }

    /// The rows below `prefix` that `show` shows, and the token of the next page.
    pub(super) fn table<T: for<'b> Decode<'b, ()>, M>(
        &self,
        look: &Look<'_>,
        prefix: &Key,
        show: impl Fn(T) -> Option<M>,
    ) -> Result<(Vec<M>, String), Refusal> {
        let from = self.from(look)?;
        let view = look.view();
        let page = view.page_of(prefix, from.as_deref(), self.size, paging::SCAN, |_, bytes| {
            show(codec::decode(bytes).expect("rows are written by this program"))
        });
        Ok((page.rows, next(look, &self.query, page.next)))
    }

    /// A page of a short list: its token tells the place.
    pub(super) fn list<M>(
        &self,
        look: &Look<'_>,
        rows: impl FnOnce(usize) -> Vec<M>,
    ) -> Result<(Vec<M>, String), Refusal> {
        let from = match self.from(look)? {
            None => 0,
            Some(bytes) => {
                let place = bytes.as_slice().try_into().map(u64::from_be_bytes);
                place.ok().and_then(|place| usize::try_from(place).ok()).unwrap_or(usize::MAX)
            }
        };
        let end = from.saturating_add(self.size);
        let mut rows = rows(end.saturating_add(1));
        let more = rows.len() > end;
        rows.truncate(end);
        let page = rows.split_off(from.min(rows.len()));
        let token = more.then(|| (end as u64).to_be_bytes().to_vec());
        Ok((page, next(look, &self.query, token)))
    }
}

/// The page that a request for a list wants; page size and token are taken out of the request.
macro_rules! paged {
    ($call:expr, $request:ident) => {{
        let asked =
            (std::mem::take(&mut $request.page_size), std::mem::take(&mut $request.page_token));
        $crate::services::relations::Paged::of($call, asked, &$request)
    }};
}
pub(super) use paged;
