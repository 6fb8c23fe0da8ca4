//! `CatalogService`: entries, from their registration to their listing, and how they are found.
//!
//! `secrecy` keeps what is marked as a secret out of the log. What becomes of entries later is for
//! `EntryService`.

mod secrecy;

use bytes::BytesMut;
use catalog_model::{
    catalog_entry::CatalogEntry,
    ids::{DomainId, EntryId, OrganizationId, PersonId},
    name::{Resource, ResourceName},
    reason::Reason,
    refusal::Refusal,
};
use catalog_state::{
    codec,
    command::{Body, ImportedEntry},
    keys::{Key, Table},
    outcome::{ImportResult as Imported, Outcome},
    rows::ConsentKind,
    view::Page,
};
use luqiao_proto::{
    catalog::v1::{
        self as message, ConsentEntryRequest, EntryView, GetEntryRequest, ImportEntriesRequest,
        ImportEntriesResponse, ImportResult, ListEntriesRequest, ListEntriesResponse,
        PublishEntryRequest, RegisterEntryRequest, ReturnEntryRequest, SearchEntriesRequest,
        SearchEntriesResponse, SearchHit, SubmitEntryRequest, UpdateEntryRequest,
        WithdrawEntryRequest, import_result::Outcome as ImportOutcome,
    },
    convert::{
        catalog_entry::{apply_entry_mask, entry_message, read_import, read_new_entry},
        name::{domain_name, entry_name, organization_name, person_name},
        stated,
        time::timestamp,
    },
};
use prost::Message as _;

use super::{
    Call, Look, Reply, draw, not_found,
    organizations::{done, next},
    paging, version_in,
};
use crate::{
    search::{self, Cursor, Question},
    storage::leaves::{Facts, Listed, Listing, Wanted},
};

/// Most lines of one import batch.
const IMPORT_LINES_MAX: usize = 500;

/// `domains/-`
const EVERY_DOMAIN: &str = "domains/-";

pub(super) async fn register(call: &Call) -> Result<Reply, Refusal> {
    let request: RegisterEntryRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    let entry = read_new_entry(stated(request.entry.as_ref(), "entry")?, "entry")?;
    let secret = call.look_now(|look| {
        look.own(&domain).and_then(|()| look.own(&entry.domain))?;
        secrecy::registered(look, &entry)
    })?;
    secrecy::keep_out(call, &request.request_id, secret).await?;
    let body = Body::RegisterEntry {
        id: EntryId(draw()),
        provider: entry.provider,
        kind: entry.kind,
        content: entry.content,
    };
    call.write(&request.request_id, body, working).await
}

pub(super) async fn import(call: &Call) -> Result<Reply, Refusal> {
    let request: ImportEntriesRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    call.look_now(|look| look.own(&domain))?;
    let lines = request.entries.len();
    if lines > IMPORT_LINES_MAX {
        return Err(Refusal::new(Reason::TooManyItems)
            .fact("field", "entries")
            .fact("length", lines)
            .fact("limit", IMPORT_LINES_MAX));
    }
    // A line that cannot be read is refused alone; the others go on.
    let read: Vec<Result<ImportedEntry, Refusal>> = request
        .entries
        .iter()
        .enumerate()
        .map(|(number, line)| {
            let line = read_import(line, &format!("entries[{number}]"))?;
            Ok(ImportedEntry {
                id: EntryId(draw()),
                organization: OrganizationId(draw()),
                provider_name: line.provider_name,
                provider_name_en: line.provider_name_en,
                content: line.content,
                origin: line.origin,
            })
        })
        .collect();
    let (read, secret) = call.look_now(|look| Ok(secrecy::imported(look, read)))?;
    let entries = read.iter().filter_map(|line| line.as_ref().ok()).cloned().collect();
    secrecy::put_on_record(call, &request.request_id, secret).await?;
    let lang = call.lang;
    call.write(&request.request_id, Body::ImportEntries { entries }, move |_, outcome| {
        let Outcome::Imported(results) = outcome else {
            return Err(Refusal::new(Reason::Internal));
        };
        let mut results = results.iter();
        let refused = |refusal: &Refusal| ImportResult {
            outcome: ImportOutcome::Refused as i32,
            reason: refusal.reason.name().to_owned(),
            message: refusal.text(lang),
            ..Default::default()
        };
        let named = |outcome: ImportOutcome, id: EntryId| ImportResult {
            outcome: outcome as i32,
            name: ResourceName::new(domain.clone(), Resource::Entry(id)).to_string(),
            ..Default::default()
        };
        let results = read.iter().map(|line| match line {
            Err(refusal) => refused(refusal),
            Ok(_) => match results.next() {
                Some(Imported::Accepted(id)) => named(ImportOutcome::Accepted, *id),
                Some(Imported::Duplicate(id)) => named(ImportOutcome::Duplicate, *id),
                Some(Imported::Refused(refusal)) => refused(refusal),
                None => refused(&Refusal::new(Reason::Internal)),
            },
        });
        Ok(ImportEntriesResponse { results: results.collect() })
    })
    .await
}

pub(super) async fn consent(call: &Call) -> Result<Reply, Refusal> {
    let request: ConsentEntryRequest = call.decode()?;
    let (domain, id) = own_entry(call, &request.name)?;
    let version = version_in(&request.etag, "etag")?;
    let person = consenting_person(call, &request.person, "person")?;
    let subject = ResourceName::new(domain, Resource::Entry(id));
    let give =
        |kind| Body::GiveConsent { subject: subject.clone(), version, kind, person, answer: None };
    if request.standing_answer {
        // A consent of its own, under a key of its own.
        let key = match request.request_id.as_str() {
            "" => String::new(),
            key => format!("{key}/standing"),
        };
        call.commit(&key, give(ConsentKind::StandingAnswer)).await?;
    }
    let shown = subject.clone();
    call.write(&request.request_id, give(ConsentKind::Catalog), move |look, _| {
        working_row(look, &shown)
    })
    .await
}

pub(super) async fn submit(call: &Call) -> Result<Reply, Refusal> {
    let request: SubmitEntryRequest = call.decode()?;
    let (_, id) = own_entry(call, &request.name)?;
    let version = version_in(&request.etag, "etag")?;
    call.write(&request.request_id, Body::SubmitEntry { id, version }, working).await
}

pub(super) async fn return_entry(call: &Call) -> Result<Reply, Refusal> {
    let request: ReturnEntryRequest = call.decode()?;
    let (_, id) = own_entry(call, &request.name)?;
    let version = version_in(&request.etag, "etag")?;
    let body = Body::ReturnEntry { id, version, reason: request.reason };
    call.write(&request.request_id, body, working).await
}

pub(super) async fn publish(call: &Call) -> Result<Reply, Refusal> {
    let request: PublishEntryRequest = call.decode()?;
    let (_, id) = own_entry(call, &request.name)?;
    let version = version_in(&request.etag, "etag")?;
    call.write(&request.request_id, Body::PublishEntry { id, version }, working).await
}

pub(super) async fn update(call: &Call) -> Result<Reply, Refusal> {
    let request: UpdateEntryRequest = call.decode()?;
    let entry = stated(request.entry.as_ref(), "entry")?;
    let (domain, id) = entry_name(&entry.name, "entry.name")?;
    let version = version_in(&entry.etag, "entry.etag")?;
    let (content, secret) = call.look_now(|look| {
        look.own(&domain)?;
        let current = look.view().entry(&domain, id).filter(|current| sees_working(look, current));
        let current = current.ok_or_else(|| not_found(&entry.name))?;
        let (provider, kind) = (current.provider, current.kind);
        let mask = request.update_mask.as_ref();
        let content = apply_entry_mask(current.content, entry, mask, "entry")?;
        let secret = secrecy::of(look, provider, kind, &content)?;
        Ok((content, secret))
    })?;
    secrecy::keep_out(call, &request.request_id, secret).await?;
    call.write(&request.request_id, Body::UpdateEntry { id, version, content }, working).await
}

pub(super) async fn withdraw(call: &Call) -> Result<Reply, Refusal> {
    let request: WithdrawEntryRequest = call.decode()?;
    let (_, id) = own_entry(call, &request.name)?;
    let version = version_in(&request.etag, "etag")?;
    let body = Body::WithdrawEntry { id, version, reason: request.reason };
    call.write(&request.request_id, body, working).await
}

pub(super) async fn get(call: &Call) -> Result<Reply, Refusal> {
    let request: GetEntryRequest = call.decode()?;
    let (domain, id) = entry_name(&request.name, "name")?;
    let view = request.view;
    call.read(move |look| {
        let entry = if view == EntryView::Working as i32 {
            look.view().entry(&domain, id).filter(|entry| sees_working(look, entry))
        } else {
            look.view().published_entry(&domain, id)
        };
        entry.as_ref().map(entry_message).ok_or_else(|| not_found(&request.name))
    })
    .await
}

pub(super) async fn list(call: &Call) -> Result<Reply, Refusal> {
    let mut request: ListEntriesRequest = call.decode()?;
    let domain = domain_or_every(&request.parent)?;
    let provider = match request.provider.as_str() {
        "" => None,
        name => Some(organization_name(name, "provider")?),
    };
    let size = paging::size(std::mem::take(&mut request.page_size))?;
    let token = std::mem::take(&mut request.page_token);
    let query = paging::query_digest(call.method.path, &call.caller.to_string(), &request);
    let list = List { request, domain, provider, size, token, query };
    call.handle().read().await?;
    // What is in memory is answered on this thread.
    let known = call.handle().view(|state| list.known(&Look::new(state, &call.caller)?))?;
    if let Some(reply) = known {
        return Ok(reply);
    }
    let caller = call.caller.clone();
    call.handle().look(move |state| list.read(&Look::new(state, &caller)?)).await
}

/// How entries are shown: as rows of a `ListEntriesResponse`, tag and length included.
static PUBLISHED: Listing = Listing { table: Table::PublishedEntry, show: show_entry };
static WORKING: Listing = Listing { table: Table::Entry, show: show_entry };

fn show_entry(_: &[u8], row: &[u8], out: &mut BytesMut) -> Facts {
    let entry: CatalogEntry = codec::decode(row).expect("rows are written by this program");
    let shown = entry_message(&entry);
    prost::encoding::message::encode(1, &shown, out);
    Facts {
        owner: entry.provider.to_bytes(),
        sharing: shown.sharing.as_ref().map_or(0, |sharing| sharing.kind),
        state: shown.state,
    }
}

/// A call of `ListEntries`.
struct List {
    request: ListEntriesRequest,
    domain: Option<DomainId>,
    provider: Option<(DomainId, OrganizationId)>,
    size: usize,
    token: String,
    query: [u8; 32],
}

impl List {
    fn is_working(&self) -> bool {
        self.request.view == EntryView::Working as i32
    }

    fn from(&self, look: &Look<'_>) -> Result<Option<Vec<u8>>, Refusal> {
        paging::open(look.page_key(), &self.query, &self.token)
    }

    /// The answer, if all that it takes is in memory.
    fn known(&self, look: &Look<'_>) -> Result<Option<Reply>, Refusal> {
        if self.is_working() && self.provider.is_some() {
            return Ok(None);
        }
        let from = self.from(look)?;
        let listed = self.rows(look, from, |wanted, keep| look.state.list_known(wanted, keep));
        Ok(listed.map(|listed| self.reply(look, listed)))
    }

    fn read(&self, look: &Look<'_>) -> Result<Reply, Refusal> {
        let from = self.from(look)?;
        match &self.provider {
            Some((domain, id)) if self.is_working() => {
                Ok(self.of_provider(look, domain, *id, from.as_deref()))
            }
            _ => {
                let listed = self.rows(look, from, |wanted, keep| look.state.list(wanted, keep));
                Ok(self.reply(look, listed))
            }
        }
    }

    /// Hands `list` what is wanted.
    fn rows<T>(
        &self,
        look: &Look<'_>,
        from: Option<Vec<u8>>,
        list: impl FnOnce(&Wanted<'_>, &mut dyn FnMut(&[u8], &Facts) -> bool) -> T,
    ) -> T {
        let listing = if self.is_working() { &WORKING } else { &PUBLISHED };
        let table = Key::table(listing.table);
        let prefix = match &self.domain {
            Some(domain) => table.clone().domain(domain),
            None => table.clone(),
        };
        // Of whom the caller sees working versions; `None` = of everybody.
        let seen = (self.is_working() && !look.is_platform())
            .then(|| (&look.caller.domain, look.caller.organization()));
        let is_of = |key: &[u8], facts: &Facts, domain: &DomainId, owner: OrganizationId| {
            facts.owner == owner.to_bytes()
                && key.starts_with(table.clone().domain(domain).as_slice())
        };
        let mut keep = |key: &[u8], facts: &Facts| {
            let request = &self.request;
            (request.sharing == 0 || facts.sharing == request.sharing)
                && (request.state == 0 || facts.state == request.state)
                && seen.as_ref().is_none_or(|(domain, owner)| {
                    owner.is_some_and(|owner| is_of(key, facts, domain, owner))
                })
                && self.provider.as_ref().is_none_or(|(domain, id)| is_of(key, facts, domain, *id))
        };
        let from = from.filter(|from| from.as_slice() >= prefix.as_slice());
        let from = from.as_deref().unwrap_or(prefix.as_slice());
        let (limit, scan) = (self.size, paging::SCAN);
        list(&Wanted { listing, from, to: &prefix.end(), limit, scan }, &mut keep)
    }

    /// The provider's own rows stand together in an index.
    fn of_provider(
        &self,
        look: &Look<'_>,
        domain: &DomainId,
        id: OrganizationId,
        from: Option<&[u8]>,
    ) -> Reply {
        let prefix = Key::table(Table::EntryByProvider).domain(domain).id(id.to_bytes());
        let page: Page<message::CatalogEntry> =
            look.view().page_of(&prefix, from, self.size, paging::SCAN, |key, _| {
                let id = key[key.len() - 16..].try_into().expect("sixteen bytes");
                let entry = look.view().entry(domain, EntryId::from_bytes(id));
                let shown = entry_message(&entry.filter(|entry| sees_working(look, entry))?);
                let sharing = shown.sharing.as_ref().map_or(0, |sharing| sharing.kind);
                let wanted = (self.request.sharing == 0 || sharing == self.request.sharing)
                    && (self.request.state == 0 || shown.state == self.request.state);
                wanted.then_some(shown)
            });
        let next_page_token = next(look, &self.query, page.next);
        let response = ListEntriesResponse { entries: page.rows, next_page_token };
        Reply::of(&response, look.state.applied())
    }

    fn reply(&self, look: &Look<'_>, listed: Listed) -> Reply {
        // A message is the same as its fields one behind the other.
        let token = next(look, &self.query, listed.next.clone());
        let last = ListEntriesResponse { entries: Vec::new(), next_page_token: token };
        let mut bytes = BytesMut::with_capacity(listed.len() + last.encoded_len());
        listed.parts.iter().for_each(|part| bytes.extend_from_slice(part));
        bytes.extend_from_slice(&last.encode_to_vec());
        Reply { bytes: bytes.freeze(), index: look.state.applied() }
    }
}

pub(super) async fn search(call: &Call) -> Result<Reply, Refusal> {
    let mut request: SearchEntriesRequest = call.decode()?;
    let domain = domain_or_every(&request.parent)?;
    let limit = paging::size(std::mem::take(&mut request.page_size))?;
    let token = std::mem::take(&mut request.page_token);
    let min_index = std::mem::take(&mut request.min_index);
    let query = paging::query_digest(call.method.path, &call.caller.to_string(), &request);
    if search::words(&request.query).is_empty() {
        return Err(Refusal::new(Reason::FieldInvalid).field(
            "query",
            "holds nothing to search for",
            "没有可供检索的内容",
        ));
    }
    call.handle().wait_applied(min_index).await?;
    call.read(move |look| {
        let after = match paging::open(look.page_key(), &query, &token)? {
            None => None,
            Some(place) => {
                let (score, key) = place
                    .split_first_chunk()
                    .ok_or_else(|| Refusal::new(Reason::PageTokenInvalid))?;
                Some(Cursor { score: f64::from_be_bytes(*score), key: key.to_vec() })
            }
        };
        let question = Question {
            query: request.query,
            domain: domain.map(|domain| [domain.as_str().as_bytes(), &[0]].concat()),
            sharing: u8::try_from(request.sharing).unwrap_or_default(),
            kind: u8::try_from(request.kind).unwrap_or_default(),
            limit,
            after,
        };
        let found = search::search(look.state, &question);
        let last = found.hits.last().filter(|_| found.more);
        let place = last.map(|last| [last.score.to_be_bytes().as_slice(), &last.key].concat());
        let table = Key::table(Table::PublishedEntry);
        let hits = found.hits.iter().filter_map(|hit| {
            let entry: CatalogEntry = look.view().get(&table.clone().bytes(&hit.key))?;
            Some(SearchHit { entry: Some(entry_message(&entry)), score: hit.score })
        });
        Ok(SearchEntriesResponse {
            hits: hits.collect(),
            next_page_token: next(look, &query, place),
            as_of_index: found.as_of,
            as_of: Some(timestamp(look.view().clock())),
            total: found.total,
        })
    })
    .await
}

/// The working version is seen by its provider and the platform's organizations.
pub(super) fn sees_working(look: &Look<'_>, entry: &CatalogEntry) -> bool {
    let is_provider =
        look.caller.domain == entry.domain && look.caller.organization() == Some(entry.provider);
    is_provider || look.is_platform()
}

/// The head who consents: as named, or else the person who calls.
pub(super) fn consenting_person(
    call: &Call,
    person: &str,
    field: &str,
) -> Result<PersonId, Refusal> {
    match person {
        "" => call.caller.person().ok_or_else(|| {
            Refusal::new(Reason::ConsentNotByHead).fact("needed", "the head").field(
                field,
                "is needed where a system calls without naming a person",
                "由系统调用且未指明人员时必须填写",
            )
        }),
        id if !id.contains('/') => id.parse().map_err(|error| {
            Refusal::new(Reason::NameInvalid).fact("name", id).field(
                field,
                format!("{error}"),
                "不是人员名称",
            )
        }),
        name => person_name(name, field).map(|(_, _, id)| id),
    }
}

/// An entry of this domain, which alone can change it.
pub(super) fn own_entry(call: &Call, name: &str) -> Result<(DomainId, EntryId), Refusal> {
    let (domain, id) = entry_name(name, "name")?;
    call.look_now(|look| {
        if look.domain() == &domain {
            Ok(())
        } else {
            Err(Refusal::new(Reason::NotOwner).fact("owner", &domain))
        }
    })?;
    Ok((domain, id))
}

fn domain_or_every(parent: &str) -> Result<Option<DomainId>, Refusal> {
    if parent == EVERY_DOMAIN { Ok(None) } else { domain_name(parent, "parent").map(Some) }
}

pub(super) fn working(
    look: &Look<'_>,
    outcome: &Outcome,
) -> Result<message::CatalogEntry, Refusal> {
    working_row(look, &done(outcome)?)
}

fn working_row(look: &Look<'_>, name: &ResourceName) -> Result<message::CatalogEntry, Refusal> {
    let Resource::Entry(id) = name.resource else { return Err(Refusal::new(Reason::Internal)) };
    let entry = look.view().entry(&name.domain, id);
    entry.as_ref().map(entry_message).ok_or_else(|| not_found(name))
}
