//! `QualityService`: batches by which problem data are traced, error reports, and objections of
//! persons concerned.
//!
//! How good the data of an entry are is public among the departments; from which system a batch came
//! and who answers for it is the provider's and the platform's to know. A report is seen by those who
//! take part in it, the objection of a person by those who handle it.

mod personal;
mod reports;

use catalog_model::{
    name::{Resource, ResourceName},
    refusal::Refusal,
};
use catalog_state::command::{Body, QualityCommand};
use luqiao_proto::{
    convert::{
        name::{person_name, report_name, system_name},
        quality::{batch_message, read_results},
    },
    quality::v1::{
        ListBatchesRequest, ListBatchesResponse, RecordBatchRequest, Trace, TraceReportRequest,
    },
};
use prost::Message;

use super::{
    Call, Look, Reply, not_found,
    organizations::done,
    relations::{find, own, own_entry, paged, unknown},
};

pub(super) async fn dispatch(call: &Call) -> Result<Reply, Refusal> {
    let path = call.method.path;
    let method = path.strip_prefix("/luqiao.quality.v1.QualityService/").unwrap_or_default();
    match method {
        "RecordBatch" => record(call).await,
        "ListBatches" => batches(call).await,
        "TraceReport" => trace(call).await,
        _ if method.contains("PersonalObjection") => personal::dispatch(call, method).await,
        _ => reports::dispatch(call, method).await,
    }
}

/// Commits a command and answers with what `show` finds under the name of what changed.
async fn change<M: Message>(
    call: &Call,
    request_id: &str,
    command: QualityCommand,
    show: impl FnOnce(&Look<'_>, &ResourceName) -> Option<M> + Send + 'static,
) -> Result<Reply, Refusal> {
    call.write(request_id, Body::Quality(Box::new(command)), move |look, outcome| {
        let name = done(outcome)?;
        show(look, &name).ok_or_else(|| not_found(&name))
    })
    .await
}

async fn record(call: &Call) -> Result<Reply, Refusal> {
    let request: RecordBatchRequest = call.decode()?;
    let entry = own_entry(call, &request.parent, "parent")?;
    let (domain, _, system) = system_name(&request.system, "system")?;
    call.look_now(|look| look.own(&domain))?;
    let (domain, _, person) = person_name(&request.person, "person")?;
    call.look_now(|look| look.own(&domain))?;
    let number = request.batch.clone();
    let command = QualityCommand::RecordBatch {
        entry,
        batch: request.batch,
        system,
        person,
        rows: request.rows,
        results: read_results(&request.results)?,
    };
    change(call, &request.request_id, command, move |look, _| {
        let batch = look.view().batch(look.domain(), entry, &number)?;
        let provider = look.view().entry(look.domain(), entry)?.provider;
        Some(batch_message(look.domain(), Some(provider), &batch))
    })
    .await
}

async fn batches(call: &Call) -> Result<Reply, Refusal> {
    let mut request: ListBatchesRequest = call.decode()?;
    let entry = own_entry(call, &request.parent, "parent")?;
    let page = paged!(call, request)?;
    call.read(move |look| {
        let domain = look.domain();
        let known = look.view().entry(domain, entry).filter(|entry| {
            look.sees_affairs_of(entry.provider)
                || look.view().published_entry(domain, entry.id).is_some()
        });
        let provider = known.ok_or_else(|| not_found(&request.parent))?.provider;
        let provider = look.sees_affairs_of(provider).then_some(provider);
        let prefix = catalog_state::keys::relations::batches_of(domain, entry);
        let (batches, next_page_token) =
            page.table(look, &prefix, |batch| Some(batch_message(domain, provider, &batch)))?;
        Ok(ListBatchesResponse { batches, next_page_token })
    })
    .await
}

async fn trace(call: &Call) -> Result<Reply, Refusal> {
    let request: TraceReportRequest = call.decode()?;
    let id = own(call, report_name(&request.name, "name")?)?;
    find(call, request.name, move |look| {
        let domain = look.domain();
        let trace = look.view().trace(domain, id)?;
        let entry = look.view().entry(domain, trace.report.entry)?;
        // The trace ends at a person: reporters learn what came of it by the feedback.
        if !look.sees_affairs_of(entry.provider) {
            return None;
        }
        let of = entry.provider;
        let text = |resource| ResourceName::new(domain.clone(), resource).to_string();
        Some(Trace {
            report: text(Resource::ErrorReport(id)),
            entry: text(Resource::Entry(entry.id)),
            batch: trace.batch.as_ref().map(|batch| batch_message(domain, Some(of), batch)),
            system: trace.system.map(|id| text(Resource::System(of, id))).unwrap_or_default(),
            person: trace.person.map(|id| text(Resource::Person(of, id))).unwrap_or_default(),
        })
    })
    .await
}
