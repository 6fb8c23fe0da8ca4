//! `CatalogService`: entries, from their registration to their listing, and how they are found.

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

use super::{
    Call, Look, Reply, draw, not_found,
    organizations::{done, next},
    paging, version_in,
};
use crate::search::{self, Cursor, Question};

/// Most lines of one import batch.
const IMPORT_LINES_MAX: usize = 500;

/// `domains/-`
const EVERY_DOMAIN: &str = "domains/-";

pub(super) async fn register(call: &Call) -> Result<Reply, Refusal> {
    let request: RegisterEntryRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    let entry = read_new_entry(stated(request.entry.as_ref(), "entry")?, "entry")?;
    call.look_now(|look| look.own(&domain).and_then(|()| look.own(&entry.domain)))?;
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
    let entries = read.iter().filter_map(|line| line.as_ref().ok()).cloned().collect();
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
    let content = call.look_now(|look| {
        look.own(&domain)?;
        let current = look.view().entry(&domain, id).filter(|current| sees_working(look, current));
        let current = current.ok_or_else(|| not_found(&entry.name))?;
        apply_entry_mask(current.content, entry, request.update_mask.as_ref(), "entry")
    })?;
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
    call.read(move |look| {
        let from = paging::open(look.page_key(), &query, &token)?;
        let is_working = request.view == EntryView::Working as i32;
        let table = if is_working { Table::Entry } else { Table::PublishedEntry };
        let asked = |entry: CatalogEntry| -> Option<message::CatalogEntry> {
            if is_working && !sees_working(look, &entry) {
                return None;
            }
            if let Some((domain, id)) = &provider
                && (entry.provider != *id || entry.domain != *domain)
            {
                return None;
            }
            let shown = entry_message(&entry);
            let sharing = shown.sharing.as_ref().map_or(0, |sharing| sharing.kind);
            let wanted = (request.sharing == 0 || sharing == request.sharing)
                && (request.state == 0 || shown.state == request.state);
            wanted.then_some(shown)
        };
        let page: Page<message::CatalogEntry> = match &provider {
            // The provider's own rows stand together in an index.
            Some((provider_domain, id)) if is_working => {
                let prefix =
                    Key::table(Table::EntryByProvider).domain(provider_domain).id(id.to_bytes());
                look.view().page_of(&prefix, from.as_deref(), size, paging::SCAN, |key, _| {
                    let id = key[key.len() - 16..].try_into().expect("sixteen bytes");
                    look.view().entry(provider_domain, EntryId::from_bytes(id)).and_then(asked)
                })
            }
            _ => {
                let prefix = match &domain {
                    Some(domain) => Key::table(table).domain(domain),
                    None => Key::table(table),
                };
                look.view().page_of(&prefix, from.as_deref(), size, paging::SCAN, |_, bytes| {
                    asked(codec::decode(bytes).expect("rows are written by this program"))
                })
            }
        };
        Ok(ListEntriesResponse {
            entries: page.rows,
            next_page_token: next(look, &query, page.next),
        })
    })
    .await
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

fn own_entry(call: &Call, name: &str) -> Result<(DomainId, EntryId), Refusal> {
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

fn working(look: &Look<'_>, outcome: &Outcome) -> Result<message::CatalogEntry, Refusal> {
    working_row(look, &done(outcome)?)
}

fn working_row(look: &Look<'_>, name: &ResourceName) -> Result<message::CatalogEntry, Refusal> {
    let Resource::Entry(id) = name.resource else { return Err(Refusal::new(Reason::Internal)) };
    let entry = look.view().entry(&name.domain, id);
    entry.as_ref().map(entry_message).ok_or_else(|| not_found(name))
}
