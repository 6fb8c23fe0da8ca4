//! What becomes of catalog entries: the part of `luqiao catalog` beyond compiling and publishing,
//! and `luqiao worklist`.

use luqiao_proto::entry::v1::{
    ArchiveEntryRequest, CheckEntryRequest, CompleteUpdateRequest, DiffEntryRequest,
    ExtendUpdateRequest, GetEntryFileRequest, GetReclassificationPassRequest,
    ListChangeReportsRequest, ListEntryVersionsRequest, ListWorklistRequest, MarkImportantRequest,
    ReportChangeRequest, ResumeEntryRequest, ReviewAttributeRequest, RuleReclassificationRequest,
    StartReclassificationRequest, SuspendEntryRequest,
};

use crate::{
    args::entry_life::{Life, Worklist},
    both,
    exit::Exit,
    failure::Failure,
    language::Bilingual,
    message::kind,
    output::{Column, column},
};

use super::{Remote, answer, catalog::version};

const FINDING_COLUMNS: [Column; 3] = [
    column("FIELD", "字段", "/field"),
    column("REASON", "原因", "/reason"),
    column("WHAT IS MISSING", "缺少的内容", "/message"),
];
const REPORT_COLUMNS: [Column; 5] = [
    column("NAME", "资源名", "/name"),
    column("WHAT CHANGED", "变化类型", "/changes/0/trigger"),
    column("ON", "变化日期", "/changes/0/day"),
    column("UPDATE BY", "更新期限", "/changes/0/deadline/due_date"),
    column("OVERDUE", "已逾期", "/changes/0/deadline/overdue"),
];
const VERSION_COLUMNS: [Column; 4] = [
    column("VERSION", "版本", "/number"),
    column("ON FILE", "备案时间", "/file_time"),
    column("TITLE", "名称", "/entry/title"),
    column("SHARING", "共享属性", "/entry/sharing/kind"),
];
const CHANGE_COLUMNS: [Column; 4] = [
    column("FIELD", "字段", "/field"),
    column("NAME", "名称", "/label"),
    column("WAS", "原为", "/old_text"),
    column("IS", "现为", "/new_text"),
];
const ITEM_COLUMNS: [Column; 6] = [
    column("NAME", "资源名", "/name"),
    column("TITLE", "名称", "/title"),
    column("SHARING", "共享属性", "/sharing"),
    column("WHAT IS WRONG", "问题", "/reason"),
    column("BY", "期限", "/deadline/due_date"),
    column("OUTCOME", "结果", "/outcome"),
];

/// Does it.
pub async fn run(remote: &Remote, command: Life) -> Result<Exit, Failure> {
    let session = &remote.session;
    let mut client = session.entries();
    match command {
        Life::Check { name } => return check(remote, name).await,
        Life::ReportedChange { name, trigger, day, citation, change } => {
            let request = ReportChangeRequest {
                name,
                trigger: trigger.into(),
                day: day.to_string(),
                citation,
                request_id: remote.attempt(change.request_id),
            };
            let report = answer(client.report_change(session.call(request)).await)?;
            remote.show(kind::CHANGE_REPORT, &report)?;
        }
        Life::MoreTime { name, working_days, reason, change } => {
            let request_id = remote.attempt(change.request_id);
            let request = ExtendUpdateRequest { name, working_days, reason, request_id };
            let report = answer(client.extend_update(session.call(request)).await)?;
            remote.show(kind::CHANGE_REPORT, &report)?;
        }
        Life::Updated { organization, entries, change } => {
            let request_id = remote.attempt(change.request_id);
            let request = CompleteUpdateRequest { name: organization, entries, request_id };
            let report = answer(client.complete_update(session.call(request)).await)?;
            remote.show(kind::CHANGE_REPORT, &report)?;
        }
        Life::Owed { domain, page } => {
            let request = ListChangeReportsRequest {
                parent: remote.parent(domain.as_deref()),
                page_size: page.page_size,
                page_token: page.page_token,
            };
            let reports = answer(client.list_change_reports(session.call(request)).await)?;
            remote.show_page(kind::CHANGE_REPORT_PAGE, &reports, "reports", &REPORT_COLUMNS)?;
        }
        Life::Review { name, outcome, note, change } => {
            let (etag, request_id) = version(remote, &name, change).await?;
            let outcome = outcome.into();
            let request = ReviewAttributeRequest { name, etag, outcome, note, request_id };
            let file = answer(client.review_attribute(session.call(request)).await)?;
            remote.show(kind::ENTRY_FILE, &file)?;
        }
        Life::Suspend { name, ground, reason, change } => {
            let (etag, request_id) = version(remote, &name, change).await?;
            let ground = ground.into();
            let request = SuspendEntryRequest { name, etag, ground, reason, request_id };
            let entry = answer(client.suspend_entry(session.call(request)).await)?;
            remote.show(kind::CATALOG_ENTRY, &entry)?;
        }
        Life::Resume { name, reason, change } => {
            let (etag, request_id) = version(remote, &name, change).await?;
            let request = ResumeEntryRequest { name, etag, reason, request_id };
            let entry = answer(client.resume_entry(session.call(request)).await)?;
            remote.show(kind::CATALOG_ENTRY, &entry)?;
        }
        Life::Archive { name, change } => {
            let (etag, request_id) = version(remote, &name, change).await?;
            let request = ArchiveEntryRequest { name, etag, request_id };
            let entry = answer(client.archive_entry(session.call(request)).await)?;
            remote.show(kind::CATALOG_ENTRY, &entry)?;
        }
        Life::Important { name, no_longer, decision, change } => {
            let request = MarkImportantRequest {
                name,
                important: !no_longer,
                decision: Some(decision.message()?),
                request_id: remote.attempt(change.request_id),
            };
            let file = answer(client.mark_important(session.call(request)).await)?;
            remote.show(kind::ENTRY_FILE, &file)?;
        }
        Life::Versions { name, page } => {
            let request = ListEntryVersionsRequest {
                parent: name,
                page_size: page.page_size,
                page_token: page.page_token,
            };
            let versions = answer(client.list_entry_versions(session.call(request)).await)?;
            remote.show_page(kind::VERSION_PAGE, &versions, "versions", &VERSION_COLUMNS)?;
        }
        Life::Diff { name, from, to } => {
            let request = DiffEntryRequest { name, from_version: from, to_version: to };
            let diff = answer(client.diff_entry(session.call(request)).await)?;
            remote.show_page(kind::ENTRY_DIFF, &diff, "changes", &CHANGE_COLUMNS)?;
            let (from, to) = (diff.from_version, diff.to_version);
            remote.output.detail(&both!("version {from} to {to}", "版本 {from} 至 {to}"));
        }
        Life::File { name } => {
            let request = GetEntryFileRequest { name };
            let file = answer(client.get_entry_file(session.call(request)).await)?;
            remote.show(kind::ENTRY_FILE, &file)?;
        }
    }
    Ok(Exit::Ok)
}

/// What is missing is printed; a script learns of it as it would from the submission itself.
async fn check(remote: &Remote, name: String) -> Result<Exit, Failure> {
    let session = &remote.session;
    let request = CheckEntryRequest { name };
    let found = answer(session.entries().check_entry(session.call(request)).await)?;
    remote.show_page(kind::ENTRY_CHECK, &found, "findings", &FINDING_COLUMNS)?;
    for warning in &found.warnings {
        remote.output.say(&Bilingual::same(&warning.message));
    }
    if found.findings.is_empty() {
        remote.output.detail(&both!("nothing is missing", "内容齐全"));
        return Ok(Exit::Ok);
    }
    Ok(Exit::Conflict)
}

/// Does it, for the worklist.
pub async fn run_worklist(remote: &Remote, command: Worklist) -> Result<Exit, Failure> {
    let session = &remote.session;
    let mut client = session.entries();
    match command {
        Worklist::Start { cause, change } => {
            let request_id = remote.attempt(change.request_id);
            let parent = session.parent();
            let request = StartReclassificationRequest { parent, cause, request_id };
            let pass = answer(client.start_reclassification(session.call(request)).await)?;
            remote.show(kind::RECLASSIFICATION_PASS, &pass)?;
        }
        Worklist::Rule { name, decision, change } => {
            let request = RuleReclassificationRequest {
                name,
                decision: Some(decision.message()?),
                request_id: remote.attempt(change.request_id),
            };
            let item = answer(client.rule_reclassification(session.call(request)).await)?;
            remote.show(kind::WORKLIST_ITEM, &item)?;
        }
        Worklist::List { domain, all, page } => {
            let request = ListWorklistRequest {
                parent: remote.parent(domain.as_deref()),
                page_size: page.page_size,
                page_token: page.page_token,
                include_closed: all,
            };
            let items = answer(client.list_worklist(session.call(request)).await)?;
            remote.show_page(kind::WORKLIST_PAGE, &items, "items", &ITEM_COLUMNS)?;
        }
        Worklist::Pass { domain } => {
            let name = remote.parent(domain.as_deref());
            let request = GetReclassificationPassRequest { name };
            let pass = answer(client.get_reclassification_pass(session.call(request)).await)?;
            remote.show(kind::RECLASSIFICATION_PASS, &pass)?;
        }
    }
    Ok(Exit::Ok)
}
