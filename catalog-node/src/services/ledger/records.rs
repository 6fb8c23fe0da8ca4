//! Records: what happened, as people read it, a page at a time or as it happens?

use std::sync::Arc;

use catalog_model::{name::ResourceName, reason::Reason, refusal::Refusal, time::UtcMillis};
use catalog_state::ledger::{Ledger, LedgerRecord};
use luqiao_proto::{
    convert::{
        name::{domain_name, organization_name, resource_name},
        time::read_timestamp,
    },
    ledger::v1::{
        QueryRecordsRequest, QueryRecordsResponse, TailRecordsRequest, TailRecordsResponse,
    },
    node::v1::StreamResponse,
};
use prost::Message as _;

use super::{
    record_json,
    seen::{Seeing, first_at, says, within},
    sentence::TEMPLATES,
};
use crate::services::{
    Call, Look, Reply, call::Answers, organizations::next, paging, watch::spawn,
};

/// Records that are looked at for one page, so that a sparse filter stays bounded.
const SCAN: usize = 5_000;
/// Records that are looked at together for a stream.
const PORTION: u64 = 500;
/// Most kinds in one question.
const KINDS_MAX: usize = 50;

/// Which records are wanted.
#[derive(Debug, Clone, Default)]
struct Filter {
    subject: Option<ResourceName>,
    kinds: Vec<String>,
    /// `domains/{domain}/organizations/{id}`
    organization: Option<String>,
    from: Option<UtcMillis>,
    until: Option<UtcMillis>,
}

impl Filter {
    fn takes(&self, record: &LedgerRecord) -> bool {
        if self.subject.as_ref().is_some_and(|subject| *subject != record.subject)
            || self.until.is_some_and(|until| record.time >= until)
            || self.from.is_some_and(|from| record.time < from)
        {
            return false;
        }
        if self.kinds.is_empty() && self.organization.is_none() {
            return true;
        }
        let json = record_json(record);
        let kind = json["fact"].as_str().unwrap_or_default();
        let of_kind = self.kinds.is_empty() || self.kinds.iter().any(|wanted| wanted == kind);
        of_kind
            && self.organization.as_ref().is_none_or(|organization| {
                let named = |text: &str| within(text, organization);
                named(&format!("domains/{}", record.actor))
                    || named(&record.subject.to_string())
                    || says(&json["details"], &named)
            })
    }
}

fn read_kinds(kinds: &[String]) -> Result<Vec<String>, Refusal> {
    let known = |kind: &str| TEMPLATES.iter().any(|(word, ..)| *word == kind);
    match kinds.iter().position(|kind| !known(kind)) {
        _ if kinds.len() > KINDS_MAX => Err(Refusal::new(Reason::TooManyItems)
            .fact("field", "kinds")
            .fact("length", kinds.len())
            .fact("limit", KINDS_MAX)),
        Some(at) => Err(Refusal::new(Reason::FieldInvalid).field(
            &format!("kinds[{at}]"),
            "is no kind of record; for instance request_answered, entry_published, granted",
            "不是记录类型；例如 request_answered、entry_published、granted",
        )),
        None => Ok(kinds.to_vec()),
    }
}

fn read_subject(subject: &str) -> Result<Option<ResourceName>, Refusal> {
    (!subject.is_empty()).then(|| resource_name(subject, "subject")).transpose()
}

fn read_filter(request: &QueryRecordsRequest) -> Result<Filter, Refusal> {
    if !request.organization.is_empty() {
        organization_name(&request.organization, "organization")?;
    }
    let instant = |time: &Option<_>, field| {
        time.as_ref().map(|time| read_timestamp(Some(time), field)).transpose()
    };
    Ok(Filter {
        subject: read_subject(&request.subject)?,
        kinds: read_kinds(&request.kinds)?,
        organization: Some(request.organization.clone()).filter(|name| !name.is_empty()),
        from: instant(&request.from_time, "from_time")?,
        until: instant(&request.until_time, "until_time")?,
    })
}

pub(super) async fn query(call: &Call) -> Result<Reply, Refusal> {
    let mut request: QueryRecordsRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    let filter = read_filter(&request)?;
    let size = paging::size(std::mem::take(&mut request.page_size))?;
    let token = std::mem::take(&mut request.page_token);
    let query = paging::query_digest(call.method.path, &call.caller.to_string(), &request);
    let lang = call.lang;
    call.read(move |look| {
        look.own(&domain)?;
        let from = paging::open(look.page_key(), &query, &token)?;
        let from =
            from.and_then(|next| next.try_into().ok().map(u64::from_be_bytes)).unwrap_or_default();
        let (ledger, seeing) = (Ledger(look.state), Seeing::new(look));
        let end = ledger.size();
        let first = filter.from.map_or(from, |time| from.max(first_at(&ledger, end, time)));
        let end = filter.until.map_or(end, |time| first_at(&ledger, end, time));
        let places: Box<dyn Iterator<Item = u64>> = match &filter.subject {
            Some(subject) => Box::new(
                ledger.of_subject(subject).into_iter().filter(move |place| *place >= first),
            ),
            None => Box::new(first..end),
        };
        let mut response = QueryRecordsResponse::default();
        for (seen, place) in places.enumerate() {
            if response.records.len() == size || seen == SCAN {
                response.next_page_token = next(look, &query, Some(place.to_be_bytes().to_vec()));
                break;
            }
            let record = ledger.record(place).filter(|record| filter.takes(record));
            response.records.extend(record.and_then(|record| seeing.record_message(&record, lang)));
        }
        Ok(response)
    })
    .await
}

/// Streams the records from where the caller wants, then each as it is committed here.
pub(in super::super) fn tail(call: Call) -> Result<Answers<StreamResponse>, Refusal> {
    let request: TailRecordsRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    let filter = Filter {
        subject: read_subject(&request.subject)?,
        kinds: read_kinds(&request.kinds)?,
        ..Filter::default()
    };
    // First the place, then the rows: what comes between is found in both.
    let mut subscription = call.handle().subscribe(None);
    let mut place = call.look_now(|look| {
        look.own(&domain)?;
        Ok(request.from.unwrap_or_else(|| Ledger(look.state).size()))
    })?;
    let services = Arc::clone(&call.services);
    let lang = call.lang;
    Ok(spawn(&services, lang, move |out| async move {
        loop {
            let (caller, filter) = (call.caller.clone(), filter.clone());
            let (shown, next, index) = call
                .handle()
                .look(move |state| {
                    let look = Look::new(state, &caller)?;
                    let (ledger, seeing) = (Ledger(state), Seeing::new(&look));
                    let end = ledger.size().min(place.saturating_add(PORTION));
                    let records = (place..end).filter_map(|place| ledger.record(place));
                    let shown: Vec<_> = records
                        .filter(|record| filter.takes(record))
                        .filter_map(|record| seeing.record_message(&record, lang))
                        .collect();
                    Ok::<_, Refusal>((shown, place.max(end), state.applied()))
                })
                .await?;
            for record in shown {
                let response = TailRecordsResponse { record: Some(record) }.encode_to_vec().into();
                if out.send(Ok(StreamResponse { response, index })).await.is_err() {
                    return Ok(());
                }
            }
            if next > place {
                place = next;
                continue;
            }
            match subscription.next().await {
                None => return Err(Refusal::new(Reason::Draining).retry_after(0)),
                Some(Ok(_)) => {}
                // The records are all there; only the wake-up call was missed.
                Some(Err(_)) => subscription = call.handle().subscribe(None),
            }
        }
    }))
}
