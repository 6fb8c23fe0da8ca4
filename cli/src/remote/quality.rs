//! `luqiao quality`.

use luqiao_proto::quality::v1::{
    CloseReportRequest, ConcernProof, ConfirmReportRequest, CorrectPersonalObjectionRequest,
    CorrectReportRequest, Correction, FeedBackReportRequest, FilePersonalObjectionRequest,
    FileReportRequest, GetPersonalObjectionRequest, GetReportRequest, HandOverReportRequest,
    ListBatchesRequest, ListPersonalObjectionsRequest, ListReportsRequest, PropagateReportRequest,
    RecordBatchRequest, RejectPersonalObjectionRequest, RejectReportRequest, ReopenReportRequest,
    TraceReportRequest, VerifyPersonalObjectionRequest, VerifyReportRequest, WindowFiling,
};

use crate::{
    args::{
        citation::{Reasoned, Step},
        document::digest_of,
        quality::{AnswerStep, Quality},
    },
    exit::Exit,
    failure::Failure,
    message::kind,
    output::{Column, column},
};

use super::{Remote, answer, dataset::day, send, version};

const BATCH_COLUMNS: [Column; 4] = [
    column("BATCH", "批次", "/batch"),
    column("ROWS", "行数", "/rows"),
    column("RECORDED", "登记时间", "/record_time"),
    column("PERSON", "责任人", "/person"),
];
const REPORT_COLUMNS: [Column; 6] = [
    column("NAME", "资源名", "/name"),
    column("STATE", "状态", "/state"),
    column("DUE", "期限", "/deadline/due_date"),
    column("OVERDUE", "逾期", "/deadline/overdue"),
    column("ENTRY", "目录条目", "/entry"),
    column("REPORTER", "申请单位", "/reporter/display_name"),
];
const OBJECTION_COLUMNS: [Column; 5] = [
    column("NAME", "资源名", "/name"),
    column("STATE", "状态", "/state"),
    column("DUE", "期限", "/deadline/due_date"),
    column("OVERDUE", "逾期", "/deadline/overdue"),
    column("RECEIVER", "办理单位", "/receiver"),
];

/// Does it.
pub async fn run(remote: &Remote, command: Quality) -> Result<Exit, Failure> {
    let session = &remote.session;
    let mut client = session.quality();
    macro_rules! version_of {
        ($name:expr, $change:expr) => {
            version!(remote, client.get_report(GetReportRequest), $name, $change)
        };
    }
    macro_rules! step {
        ($method:ident($request:ident), $step:ident) => {{
            let Step { name, change } = $step;
            let (etag, request_id) = version_of!(name, change);
            send!(remote, REPORT, client.$method($request { name, etag, request_id }));
        }};
    }
    macro_rules! reasoned {
        ($method:ident($request:ident), $step:ident) => {{
            let Reasoned { name, reason, change } = $step;
            let (etag, request_id) = version_of!(name, change);
            send!(remote, REPORT, client.$method($request { name, etag, reason, request_id }));
        }};
    }
    match command {
        Quality::Batch { entry, batch, system, person, rows, checks, change } => {
            let request = RecordBatchRequest {
                parent: entry,
                batch,
                system,
                person,
                rows,
                results: checks,
                request_id: remote.attempt(change.request_id),
            };
            send!(remote, BATCH, client.record_batch(request));
        }
        Quality::Batches { entry, page } => {
            let (page_size, page_token) = (page.page_size, page.page_token);
            let request = ListBatchesRequest { parent: entry, page_size, page_token };
            let list = answer(client.list_batches(session.call(request)).await)?;
            remote.show_page(kind::BATCH_PAGE, &list, "batches", &BATCH_COLUMNS)?;
        }
        Quality::Report { entry, items, description, desk, change } => {
            let request = FileReportRequest {
                parent: entry,
                items,
                description,
                desk: desk.map_or(0, i32::from),
                request_id: remote.attempt(change.request_id),
            };
            send!(remote, REPORT, client.file_report(request));
        }
        Quality::HandOver(asked) => step!(hand_over_report(HandOverReportRequest), asked),
        Quality::Verify(asked) => step!(verify_report(VerifyReportRequest), asked),
        Quality::Confirm(asked) => step!(confirm_report(ConfirmReportRequest), asked),
        Quality::Reject(asked) => reasoned!(reject_report(RejectReportRequest), asked),
        Quality::Correct { name, batch, before, after, change } => {
            let (before, after) = (digest_of(&before)?, digest_of(&after)?);
            let (etag, request_id) = version_of!(name, change);
            let correction = Some(Correction { batch, before, after });
            let request = CorrectReportRequest { name, etag, correction, request_id };
            send!(remote, REPORT, client.correct_report(request));
        }
        Quality::FeedBack { name, text, change } => {
            let (etag, request_id) = version_of!(name, change);
            let request = FeedBackReportRequest { name, etag, text, request_id };
            send!(remote, REPORT, client.feed_back_report(request));
        }
        Quality::Propagate(asked) => step!(propagate_report(PropagateReportRequest), asked),
        Quality::Close(asked) => step!(close_report(CloseReportRequest), asked),
        Quality::Reopen(asked) => reasoned!(reopen_report(ReopenReportRequest), asked),
        Quality::Show { name } => {
            send!(remote, REPORT, client.get_report(GetReportRequest { name }));
        }
        Quality::List { entry, state, listed } => {
            let request = ListReportsRequest {
                parent: remote.parent(listed.domain.as_deref()),
                page_size: listed.page.page_size,
                page_token: listed.page.page_token,
                entry,
                state: state.map_or(0, i32::from),
            };
            let list = answer(client.list_reports(session.call(request)).await)?;
            remote.show_page(kind::REPORT_PAGE, &list, "reports", &REPORT_COLUMNS)?;
        }
        Quality::Trace { name } => {
            send!(remote, TRACE, client.trace_report(TraceReportRequest { name }));
        }
        other => return objection(remote, other).await,
    }
    Ok(Exit::Ok)
}

/// What is done about objections of persons concerned.
async fn objection(remote: &Remote, command: Quality) -> Result<Exit, Failure> {
    let session = &remote.session;
    let mut client = session.quality();
    match command {
        Quality::Object {
            entry,
            desk,
            window,
            stamped,
            identity,
            relation,
            description,
            change,
        } => {
            let identity = digest_of(&identity)?;
            let relation =
                relation.as_ref().map_or_else(|| Ok(identity.clone()), |file| digest_of(file))?;
            let window = window.map(|number| WindowFiling { number, stamped: day(stamped) });
            let request = FilePersonalObjectionRequest {
                parent: entry,
                desk,
                window,
                proof: Some(ConcernProof { identity, relation }),
                description,
                request_id: remote.attempt(change.request_id),
            };
            send!(remote, PERSONAL_OBJECTION, client.file_personal_objection(request));
        }
        Quality::Answer { name, step, batch, reason, change } => {
            let (etag, request_id) = version!(
                remote,
                client.get_personal_objection(GetPersonalObjectionRequest),
                name,
                change
            );
            match step {
                AnswerStep::Verify => {
                    let request = VerifyPersonalObjectionRequest { name, etag, request_id };
                    send!(remote, PERSONAL_OBJECTION, client.verify_personal_objection(request));
                }
                AnswerStep::Correct => {
                    let request =
                        CorrectPersonalObjectionRequest { name, etag, batch, reason, request_id };
                    send!(remote, PERSONAL_OBJECTION, client.correct_personal_objection(request));
                }
                AnswerStep::Reject => {
                    let request = RejectPersonalObjectionRequest { name, etag, reason, request_id };
                    send!(remote, PERSONAL_OBJECTION, client.reject_personal_objection(request));
                }
            }
        }
        Quality::Objection { name } => {
            let request = GetPersonalObjectionRequest { name };
            send!(remote, PERSONAL_OBJECTION, client.get_personal_objection(request));
        }
        Quality::Objections { state, listed } => {
            let request = ListPersonalObjectionsRequest {
                parent: remote.parent(listed.domain.as_deref()),
                page_size: listed.page.page_size,
                page_token: listed.page.page_token,
                state: state.map_or(0, i32::from),
            };
            let list = answer(client.list_personal_objections(session.call(request)).await)?;
            let kind = kind::PERSONAL_OBJECTION_PAGE;
            remote.show_page(kind, &list, "objections", &OBJECTION_COLUMNS)?;
        }
        _ => unreachable!("batches and reports are done before"),
    }
    Ok(Exit::Ok)
}
