//! `luqiao dataset`, `luqiao duties`, `luqiao source`.

use luqiao_proto::relations::v1::{
    AssignSourceRequest, BindDatasetRequest, DeleteDatasetRequest, EndSourceRequest,
    FindSourceRequest, GetDatasetRequest, GetDutiesRequest, GetDutyGapsRequest,
    ListDatasetsRequest, ListOrphansRequest, ListSharersRequest, ListSourcesRequest,
    RegisterDatasetRequest, StateDutiesRequest, UnbindDatasetRequest,
};

use crate::{
    args::dataset::{Dataset, Duties, Source},
    exit::Exit,
    failure::Failure,
    message::kind,
    output::{Column, column},
};

use super::{Remote, answer, send, version};

const COLUMNS: [Column; 4] = [
    column("NAME", "资源名", "/name"),
    column("TITLE", "名称", "/title"),
    column("KIND", "类型", "/kind"),
    column("ORGANIZATION", "单位", "/organization"),
];
const ORPHAN_COLUMNS: [Column; 3] = [
    column("NAME", "资源名", "/name"),
    column("TITLE", "名称", "/title"),
    column("ORGANIZATION", "单位", "/organization"),
];
const SOURCE_COLUMNS: [Column; 5] = [
    column("DATUM", "数据项", "/element"),
    column("SOURCE", "数源部门", "/organization"),
    column("FROM", "起始日", "/from"),
    column("UNTIL", "终止日", "/until"),
    column("BASIS", "依据", "/basis/title"),
];
const SHARER_COLUMNS: [Column; 1] = [column("ENTRY", "目录条目", "")];

/// Does it.
pub async fn run(remote: &Remote, command: Dataset) -> Result<Exit, Failure> {
    let session = &remote.session;
    let mut client = session.datasets();
    match command {
        Dataset::Add { organization, kind, title, description, change } => {
            let request = RegisterDatasetRequest {
                parent: remote.organization(organization)?,
                kind: kind.into(),
                title,
                description,
                request_id: remote.attempt(change.request_id),
            };
            send!(remote, DATASET, client.register_dataset(request));
        }
        Dataset::Bind { name, to, from, until, change } => {
            let (etag, request_id) =
                version!(remote, client.get_dataset(GetDatasetRequest), name, change);
            let (from, until) = (from.to_string(), day(until));
            let request = BindDatasetRequest { name, etag, to, from, until, request_id };
            send!(remote, DATASET, client.bind_dataset(request));
        }
        Dataset::Unbind { name, to, until, change } => {
            let (etag, request_id) =
                version!(remote, client.get_dataset(GetDatasetRequest), name, change);
            let until = until.to_string();
            let request = UnbindDatasetRequest { name, etag, to, until, request_id };
            send!(remote, DATASET, client.unbind_dataset(request));
        }
        Dataset::Delete(step) => {
            let (etag, request_id) =
                version!(remote, client.get_dataset(GetDatasetRequest), step.name, step.change);
            let request = DeleteDatasetRequest { name: step.name.clone(), etag, request_id };
            answer(client.delete_dataset(session.call(request)).await)?;
            remote.deleted(&step.name)?;
        }
        Dataset::Show { name } => {
            send!(remote, DATASET, client.get_dataset(GetDatasetRequest { name }));
        }
        Dataset::List { organization, listed } => {
            let request = ListDatasetsRequest {
                parent: remote.parent(listed.domain.as_deref()),
                page_size: listed.page.page_size,
                page_token: listed.page.page_token,
                organization,
            };
            let list = answer(client.list_datasets(session.call(request)).await)?;
            remote.show_page(kind::DATASET_PAGE, &list, "datasets", &COLUMNS)?;
        }
        Dataset::Orphans { kind, day: on, listed } => {
            let request = ListOrphansRequest {
                parent: remote.parent(listed.domain.as_deref()),
                page_size: listed.page.page_size,
                page_token: listed.page.page_token,
                kind: kind.into(),
                day: day(on),
            };
            let list = answer(client.list_orphans(session.call(request)).await)?;
            remote.show_page(kind::ORPHAN_PAGE, &list, "orphans", &ORPHAN_COLUMNS)?;
        }
    }
    Ok(Exit::Ok)
}

/// Does it, for duties.
pub async fn run_duties(remote: &Remote, command: Duties) -> Result<Exit, Failure> {
    let mut client = remote.session.duties();
    match command {
        Duties::Set { whose, duties, change } => {
            let name = remote.organization(whose.organization)?;
            let (etag, request_id) =
                version!(remote, client.get_duties(GetDutiesRequest), name, change);
            let request = StateDutiesRequest { name, etag, duties, request_id };
            send!(remote, DUTIES, client.state_duties(request));
        }
        Duties::Show { whose } => {
            let name = remote.organization(whose.organization)?;
            send!(remote, DUTIES, client.get_duties(GetDutiesRequest { name }));
        }
        Duties::Gaps { whose, day: on } => {
            let name = remote.organization(whose.organization)?;
            let request = GetDutyGapsRequest { name, day: day(on) };
            send!(remote, DUTY_GAPS, client.get_duty_gaps(request));
        }
    }
    Ok(Exit::Ok)
}

/// Does it, for sources.
pub async fn run_source(remote: &Remote, command: Source) -> Result<Exit, Failure> {
    let session = &remote.session;
    let mut client = session.sources();
    let parent = session.parent();
    match command {
        Source::Assign { element, organization, from, until, basis, decision, change } => {
            let request = AssignSourceRequest {
                parent,
                element,
                organization,
                from: from.to_string(),
                until: day(until),
                basis: basis.message(),
                decision: decision.message()?,
                request_id: remote.attempt(change.request_id),
            };
            send!(remote, SOURCE, client.assign_source(request));
        }
        Source::End { element, from, until, change } => {
            let (from, until) = (from.to_string(), until.to_string());
            let request_id = remote.attempt(change.request_id);
            let request = EndSourceRequest { parent, element, from, until, request_id };
            send!(remote, SOURCE, client.end_source(request));
        }
        Source::Show { element, day: on } => {
            let request = FindSourceRequest { parent, element, day: day(on) };
            send!(remote, SOURCE, client.find_source(request));
        }
        Source::List { element, page } => {
            let (page_size, page_token) = (page.page_size, page.page_token);
            let request = ListSourcesRequest { parent, page_size, page_token, element };
            let list = answer(client.list_sources(session.call(request)).await)?;
            remote.show_page(kind::SOURCE_PAGE, &list, "sources", &SOURCE_COLUMNS)?;
        }
        Source::Sharers { item, page } => {
            let (page_size, page_token) = (page.page_size, page.page_token);
            let request = ListSharersRequest { parent, page_size, page_token, item };
            let list = answer(client.list_sharers(session.call(request)).await)?;
            remote.show_page(kind::SHARER_PAGE, &list, "entries", &SHARER_COLUMNS)?;
        }
    }
    Ok(Exit::Ok)
}

/// A day that may be absent.
pub(super) fn day(day: Option<catalog_model::time::LocalDate>) -> String {
    day.map(|day| day.to_string()).unwrap_or_default()
}
