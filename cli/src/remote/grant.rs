//! `luqiao grant`.

mod course;

use luqiao_proto::sharing::v1::{
    GetGrantRequest, ListGrantsRequest, SuspendGrantRequest, TerminateGrantRequest,
};

use crate::{
    args::{VersionedChange, sharing::Grant},
    exit::Exit,
    failure::Failure,
    message::kind,
    output::{Column, column},
};

use super::{Remote, answer};

const COLUMNS: [Column; 6] = [
    column("NAME", "资源名", "/name"),
    column("STATE", "状态", "/state"),
    column("CONSUMER", "使用单位", "/consumer/display_name"),
    column("ITEMS", "信息项", "/items"),
    column("TO", "期限止", "/term/to"),
    column("ENTRY", "目录条目", "/entry"),
];

/// Does it.
pub async fn run(remote: &Remote, command: Grant) -> Result<Exit, Failure> {
    let session = &remote.session;
    let mut client = session.sharing();
    match command {
        Grant::List { domain, entry, state, page } => {
            let request = ListGrantsRequest {
                parent: remote.parent(domain.as_deref()),
                page_size: page.page_size,
                page_token: page.page_token,
                entry,
                state: state.map_or(0, i32::from),
            };
            let list = answer(client.list_grants(session.call(request)).await)?;
            remote.show_page(kind::GRANT_PAGE, &list, "grants", &COLUMNS)?;
        }
        Grant::Show { name } => {
            let request = GetGrantRequest { name };
            let grant = answer(client.get_grant(session.call(request)).await)?;
            remote.show(kind::GRANT, &grant)?;
        }
        Grant::Suspend { name, reason, rectify_by, change } => {
            let (etag, request_id) = version(remote, &name, change).await?;
            let rectify_by = rectify_by.to_string();
            let request = SuspendGrantRequest { name, etag, reason, rectify_by, request_id };
            let grant = answer(client.suspend_grant(session.call(request)).await)?;
            remote.show(kind::GRANT, &grant)?;
        }
        Grant::Terminate { name, reason, change } => {
            let (etag, request_id) = version(remote, &name, change).await?;
            let request = TerminateGrantRequest { name, etag, reason, request_id };
            let grant = answer(client.terminate_grant(session.call(request)).await)?;
            remote.show(kind::GRANT, &grant)?;
        }
        Grant::Course(command) => return course::run(remote, command).await,
    }
    Ok(Exit::Ok)
}

async fn version(
    remote: &Remote,
    name: &str,
    change: VersionedChange,
) -> Result<(String, String), Failure> {
    let etag = if let Some(etag) = change.etag {
        etag
    } else {
        let request = GetGrantRequest { name: name.to_owned() };
        let mut client = remote.session.sharing();
        answer(client.get_grant(remote.session.call(request)).await)?.etag
    };
    Ok((etag, remote.attempt(change.change.request_id)))
}
