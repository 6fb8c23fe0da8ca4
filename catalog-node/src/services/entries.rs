//! `EntryService`: what becomes of entries beside compiling and publishing them, and what is on file
//! about them.

mod file;

use catalog_model::{
    entry_file::{ChangeReport, WorklistItem},
    ids::{DomainId, EntryId},
    name::{Resource, ResourceName},
    reason::Reason,
    refusal::Refusal,
};
use catalog_state::command::{Body, catalog::CatalogCommand};
use luqiao_proto::{
    convert::{
        entry_file::{
            change_report_message, pass_message, read_ground, read_outcome, read_trigger,
            worklist_item_message,
        },
        name::{domain_name, entry_name, full_name, organization_name, resource_name},
        paper_decision::read_paper_decision,
        stated,
        time::read_date,
    },
    entry::v1::{
        self as message, ArchiveEntryRequest, CompleteUpdateRequest, ExtendUpdateRequest,
        MarkImportantRequest, ReportChangeRequest, ResumeEntryRequest, ReviewAttributeRequest,
        RuleReclassificationRequest, StartReclassificationRequest, SuspendEntryRequest,
    },
};

use super::{
    Call, Look, Reply,
    catalog::{own_entry, working},
    not_found, version_in,
};

/// One line for each method.
pub(super) async fn dispatch(call: &Call) -> Result<Reply, Refusal> {
    match call.method.path.rsplit('/').next().unwrap_or_default() {
        "ReportChange" => report_change(call).await,
        "ExtendUpdate" => extend_update(call).await,
        "CompleteUpdate" => complete_update(call).await,
        "ReviewAttribute" => review_attribute(call).await,
        "StartReclassification" => start_reclassification(call).await,
        "RuleReclassification" => rule_reclassification(call).await,
        "SuspendEntry" => suspend(call).await,
        "ResumeEntry" => resume(call).await,
        "ArchiveEntry" => archive(call).await,
        "MarkImportant" => mark_important(call).await,

        "CheckEntry" => file::check(call).await,
        "GetEntryFile" => file::get(call).await,
        "ListEntryVersions" => file::versions(call).await,
        "DiffEntry" => file::diff(call).await,
        "ListChangeReports" => file::change_reports(call).await,
        "ListWorklist" => file::worklist(call).await,
        "GetReclassificationPass" => file::pass(call).await,

        _ => Err(Refusal::new(Reason::MethodUnknown).fact("method", call.method.path)),
    }
}

fn body(command: CatalogCommand) -> Body {
    Body::Catalog(Box::new(command))
}

async fn report_change(call: &Call) -> Result<Reply, Refusal> {
    let request: ReportChangeRequest = call.decode()?;
    let subject = subject_name(call, &request.name)?;
    let command = CatalogCommand::ReportChange {
        subject: subject.clone(),
        trigger: read_trigger(request.trigger, "trigger")?,
        day: read_date(&request.day, "day")?,
        citation: request.citation,
    };
    call.write(&request.request_id, body(command), move |look, _| Ok(report_of(look, &subject)))
        .await
}

async fn extend_update(call: &Call) -> Result<Reply, Refusal> {
    let request: ExtendUpdateRequest = call.decode()?;
    let subject = subject_name(call, &request.name)?;
    let working_days = u16::try_from(request.working_days).map_err(|_| {
        Refusal::new(Reason::FieldInvalid).field("working_days", "is too large", "过大")
    })?;
    let command = CatalogCommand::ExtendUpdate {
        subject: subject.clone(),
        working_days,
        reason: request.reason,
    };
    call.write(&request.request_id, body(command), move |look, _| Ok(report_of(look, &subject)))
        .await
}

async fn complete_update(call: &Call) -> Result<Reply, Refusal> {
    let request: CompleteUpdateRequest = call.decode()?;
    let (domain, organization) = organization_name(&request.name, "name")?;
    call.look_now(|look| look.own(&domain))?;
    let entries = request.entries.iter().enumerate().map(|(place, name)| {
        let field = format!("entries[{place}]");
        let (home, id) = entry_name(name, &field)?;
        if home == domain { Ok(id) } else { Err(not_found(name)) }
    });
    let entries: Vec<EntryId> = entries.collect::<Result<_, Refusal>>()?;
    let subject = ResourceName::new(domain, Resource::Organization(organization));
    let command = CatalogCommand::CompleteUpdate { organization, entries };
    call.write(&request.request_id, body(command), move |look, _| Ok(report_of(look, &subject)))
        .await
}

async fn review_attribute(call: &Call) -> Result<Reply, Refusal> {
    let request: ReviewAttributeRequest = call.decode()?;
    let (domain, id) = own_entry(call, &request.name)?;
    let command = CatalogCommand::ReviewAttribute {
        id,
        version: version_in(&request.etag, "etag")?,
        outcome: read_outcome(request.outcome, "outcome")?,
        note: request.note,
    };
    call.write(&request.request_id, body(command), move |look, _| file::shown(look, &domain, id))
        .await
}

async fn start_reclassification(call: &Call) -> Result<Reply, Refusal> {
    let request: StartReclassificationRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    call.look_now(|look| look.own(&domain))?;
    let command = CatalogCommand::StartReclassification { cause: request.cause };
    call.write(&request.request_id, body(command), move |look, _| {
        let pass = look.view().reclassification_pass();
        pass.as_ref().map(pass_message).ok_or_else(|| not_found(&request.parent))
    })
    .await
}

async fn rule_reclassification(call: &Call) -> Result<Reply, Refusal> {
    let request: RuleReclassificationRequest = call.decode()?;
    let (domain, id) = own_entry(call, &request.name)?;
    let decision = stated(request.decision.as_ref(), "decision")?;
    let decision = read_paper_decision(decision, "decision")?;
    let command = CatalogCommand::RuleReclassification { id, decision };
    call.write(&request.request_id, body(command), move |look, _| {
        item_of(look, &domain, id).ok_or_else(|| not_found(&request.name))
    })
    .await
}

async fn suspend(call: &Call) -> Result<Reply, Refusal> {
    let request: SuspendEntryRequest = call.decode()?;
    let (_, id) = own_entry(call, &request.name)?;
    let command = CatalogCommand::SuspendEntry {
        id,
        version: version_in(&request.etag, "etag")?,
        ground: read_ground(request.ground, "ground")?,
        reason: request.reason,
    };
    call.write(&request.request_id, body(command), working).await
}

async fn resume(call: &Call) -> Result<Reply, Refusal> {
    let request: ResumeEntryRequest = call.decode()?;
    let (_, id) = own_entry(call, &request.name)?;
    let version = version_in(&request.etag, "etag")?;
    let command = CatalogCommand::ResumeEntry { id, version, reason: request.reason };
    call.write(&request.request_id, body(command), working).await
}

async fn archive(call: &Call) -> Result<Reply, Refusal> {
    let request: ArchiveEntryRequest = call.decode()?;
    let (_, id) = own_entry(call, &request.name)?;
    let version = version_in(&request.etag, "etag")?;
    let command = CatalogCommand::ArchiveEntry { id, version };
    call.write(&request.request_id, body(command), working).await
}

async fn mark_important(call: &Call) -> Result<Reply, Refusal> {
    let request: MarkImportantRequest = call.decode()?;
    let (domain, id) = own_entry(call, &request.name)?;
    let decision = stated(request.decision.as_ref(), "decision")?;
    let decision = read_paper_decision(decision, "decision")?;
    let command = CatalogCommand::MarkImportant { id, important: request.important, decision };
    call.write(&request.request_id, body(command), move |look, _| file::shown(look, &domain, id))
        .await
}

/// An entry, or an organization for all of its catalog.
fn subject_name(call: &Call, name: &str) -> Result<ResourceName, Refusal> {
    let subject = resource_name(name, "name")?;
    call.look_now(|look| look.own(&subject.domain))?;
    if matches!(subject.resource, Resource::Entry(_) | Resource::Organization(_)) {
        return Ok(subject);
    }
    Err(Refusal::new(Reason::NameInvalid).fact("name", name).field(
        "name",
        "is neither an entry nor an organization",
        "既不是目录条目，也不是单位",
    ))
}

/// What is owed for a subject; empty once nothing is.
fn report_of(look: &Look<'_>, subject: &ResourceName) -> message::ChangeReport {
    let report: Option<ChangeReport> = look.view().change_report(subject);
    if let Some(report) = report {
        return change_report_message(&report);
    }
    let provider = match &subject.resource {
        Resource::Entry(id) => look
            .view()
            .entry(&subject.domain, *id)
            .map(|entry| Resource::Organization(entry.provider)),
        other => Some(other.clone()),
    };
    message::ChangeReport {
        name: subject.to_string(),
        provider: provider.map(|provider| full_name(&subject.domain, provider)).unwrap_or_default(),
        changes: Vec::new(),
    }
}

fn item_of(look: &Look<'_>, domain: &DomainId, id: EntryId) -> Option<message::WorklistItem> {
    let item: Option<WorklistItem> = look.view().worklist_item(domain, id);
    item.map(|item| worklist_item_message(domain, &item))
}
