//! Error reports: who found data wrong, who verifies, who was told?

use catalog_model::{
    ids::ReportId,
    name::{Resource, ResourceName},
    quality::{Correction, ErrorReport},
    refusal::Refusal,
};
use catalog_state::{
    command::{QualityCommand, ReportStep},
    keys::{Table, relations as key},
};
use luqiao_proto::{
    convert::{
        name::{domain_name, report_name},
        quality::{read_correction, read_desk, report_message},
    },
    quality::v1::{
        self as message, CloseReportRequest, ConfirmReportRequest, CorrectReportRequest,
        FeedBackReportRequest, FileReportRequest, GetReportRequest, HandOverReportRequest,
        ListReportsRequest, ListReportsResponse, PropagateReportRequest, RejectReportRequest,
        ReopenReportRequest, VerifyReportRequest,
    },
};

use super::{Call, Look, Reply, change, find, own, own_entry, paged, unknown};
use crate::services::{draw, version_in};

/// Steps that say nothing but which report, and those with a text.
macro_rules! steps {
    ($call:ident, $method:ident; $($path:literal $request:ident => $step:expr;)*
        with $($word_path:literal $word_request:ident $word:ident => $word_step:expr;)*
        else $other:expr) => {
        match $method {
            $($path => {
                let $request { name, etag, request_id } = $call.decode()?;
                step($call, &request_id, (&name, &etag), $step).await
            })*
            $($word_path => {
                let $word_request { name, etag, $word, request_id } = $call.decode()?;
                step($call, &request_id, (&name, &etag), $word_step).await
            })*
            _ => $other,
        }
    };
}

pub(super) async fn dispatch(call: &Call, method: &str) -> Result<Reply, Refusal> {
    steps! {
        call, method;
        "HandOverReport" HandOverReportRequest => ReportStep::HandOver;
        "VerifyReport" VerifyReportRequest => ReportStep::Verify;
        "ConfirmReport" ConfirmReportRequest => ReportStep::Confirm;
        "PropagateReport" PropagateReportRequest => ReportStep::Propagate;
        "CloseReport" CloseReportRequest => ReportStep::Close;
        with
        "RejectReport" RejectReportRequest reason => ReportStep::Reject { reason };
        "ReopenReport" ReopenReportRequest reason => ReportStep::Reopen { reason };
        "FeedBackReport" FeedBackReportRequest text => ReportStep::FeedBack { text };
        "CorrectReport" CorrectReportRequest correction => {
            let Correction { batch, before, after } =
                read_correction(correction.as_ref(), "correction")?;
            ReportStep::Correct { batch, before, after }
        };
        else match method {
            "FileReport" => file(call).await,
            "GetReport" => get(call).await,
            "ListReports" => list(call).await,
            _ => Err(unknown(call)),
        }
    }
}

async fn file(call: &Call) -> Result<Reply, Refusal> {
    let request: FileReportRequest = call.decode()?;
    let command = QualityCommand::FileReport {
        id: ReportId(draw()),
        entry: own_entry(call, &request.parent, "parent")?,
        items: request.items,
        description: request.description,
        desk: read_desk(request.desk, "desk")?,
    };
    change(call, &request.request_id, command, shown).await
}

async fn step(
    call: &Call,
    request_id: &str,
    (name, etag): (&str, &str),
    step: ReportStep,
) -> Result<Reply, Refusal> {
    let report = own(call, report_name(name, "name")?)?;
    let version = version_in(etag, "etag")?;
    let command = QualityCommand::Report { report, version, step };
    change(call, request_id, command, shown).await
}

async fn get(call: &Call) -> Result<Reply, Refusal> {
    let request: GetReportRequest = call.decode()?;
    let id = own(call, report_name(&request.name, "name")?)?;
    find(call, request.name, move |look| {
        let report = look.view().error_report(look.domain(), id)?;
        sees(look, &report).then(|| report_message(&report))
    })
    .await
}

async fn list(call: &Call) -> Result<Reply, Refusal> {
    let mut request: ListReportsRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    let entry = match request.entry.as_str() {
        "" => None,
        name => Some(own_entry(call, name, "entry")?),
    };
    let page = paged!(call, request)?;
    call.read(move |look| {
        look.own(&domain)?;
        let wanted = |report: ErrorReport| {
            let shown = sees(look, &report).then(|| report_message(&report))?;
            (request.state == 0 || request.state == shown.state).then_some(shown)
        };
        let (reports, next_page_token) = match entry {
            Some(entry) => page.list(look, |_| {
                let reports = look.view().reports_of(&domain, entry);
                reports.into_iter().filter_map(wanted).collect()
            })?,
            None => page.table(look, &key::rows(Table::ErrorReport).domain(&domain), wanted)?,
        };
        Ok(ListReportsResponse { reports, next_page_token })
    })
    .await
}

/// The reporter, the provider, the source of a reported item, and the platform.
fn sees(look: &Look<'_>, report: &ErrorReport) -> bool {
    look.is_party(&report.reporter)
        || look.is_of(report.provider)
        || report.source.is_some_and(|source| look.is_of(source))
        || look.sees_affairs_of_entry(report.entry)
}

fn shown(look: &Look<'_>, name: &ResourceName) -> Option<message::ErrorReport> {
    let Resource::ErrorReport(id) = name.resource else { return None };
    look.view().error_report(look.domain(), id).as_ref().map(report_message)
}
