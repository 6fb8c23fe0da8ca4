//! `luqiao service-change`.

use luqiao_proto::sharing::v1::{
    AbandonServiceChangeRequest, EffectServiceChangeRequest, FileServiceChangeRequest,
    GetServiceChangeRequest, ListServiceChangesRequest, ProposeServiceChangeRequest,
    RecordNegotiationRequest, ServiceChange as Change, StateOnServiceChangeRequest,
};
use tonic::{Response, Status};

use crate::{
    args::{VersionedChange, service_change::ServiceChange},
    both,
    exit::Exit,
    failure::Failure,
    message::kind,
    output::{Column, column},
};

use super::{Remote, answer};

const COLUMNS: [Column; 6] = [
    column("NAME", "资源名", "/name"),
    column("STATE", "状态", "/state"),
    column("KIND", "类型", "/kind"),
    column("CAUSE", "原因", "/cause"),
    column("EFFECTIVE", "生效日期", "/effective"),
    column("ITEMS", "缩减的信息项", "/items"),
];

/// Does it.
pub async fn run(remote: &Remote, command: ServiceChange) -> Result<Exit, Failure> {
    let session = &remote.session;
    let mut client = session.service_changes();
    let shown = |answered: Result<Response<Change>, Status>| {
        remote.show(kind::SERVICE_CHANGE, &answer(answered)?).map(|()| Exit::Ok)
    };
    match command {
        ServiceChange::Propose { entry, kind, items, cause, reason, effective, change } => {
            let request = ProposeServiceChangeRequest {
                parent: session.parent(),
                entry,
                kind: kind.into(),
                items,
                cause: cause.into(),
                reason,
                effective: effective.to_string(),
                request_id: remote.attempt(change.request_id),
            };
            shown(client.propose_service_change(session.call(request)).await)
        }
        ServiceChange::State { name, agrees, text, change } => {
            let (etag, request_id) = version(remote, &name, change).await?;
            let request = StateOnServiceChangeRequest { name, etag, agrees, text, request_id };
            shown(client.state_on_service_change(session.call(request)).await)
        }
        ServiceChange::Negotiated { name, minutes, change } => {
            let minutes = minutes.required()?;
            let (etag, request_id) = version(remote, &name, change).await?;
            let request = RecordNegotiationRequest { name, etag, minutes, request_id };
            shown(client.record_negotiation(session.call(request)).await)
        }
        ServiceChange::File { name, change } => {
            let (etag, request_id) = version(remote, &name, change).await?;
            let request = FileServiceChangeRequest { name, etag, request_id };
            shown(client.file_service_change(session.call(request)).await)
        }
        ServiceChange::Effect { name, change } => {
            let (etag, request_id) = version(remote, &name, change).await?;
            let request = EffectServiceChangeRequest { name, etag, request_id };
            shown(client.effect_service_change(session.call(request)).await)
        }
        ServiceChange::Abandon { name, reason, change } => {
            let (etag, request_id) = version(remote, &name, change).await?;
            let request = AbandonServiceChangeRequest { name, etag, reason, request_id };
            shown(client.abandon_service_change(session.call(request)).await)
        }
        ServiceChange::Show { name } => {
            let request = GetServiceChangeRequest { name };
            shown(client.get_service_change(session.call(request)).await)
        }
        ServiceChange::List { entry, page } => {
            let request = ListServiceChangesRequest {
                parent: domain_of(&entry)?,
                entry,
                page_size: page.page_size,
                page_token: page.page_token,
            };
            let list = answer(client.list_service_changes(session.call(request)).await)?;
            remote.show_page(kind::SERVICE_CHANGE_PAGE, &list, "service_changes", &COLUMNS)?;
            Ok(Exit::Ok)
        }
    }
}

/// The domain that owns the entry: there its changes are.
fn domain_of(entry: &str) -> Result<String, Failure> {
    let name: Result<catalog_model::name::ResourceName, _> = entry.parse();
    name.map(|name| format!("domains/{}", name.domain)).map_err(|_| {
        Failure::usage(both!(
            "--entry is not of the form domains/DOMAIN/entries/ID",
            "--entry 应为 domains/域/entries/标识"
        ))
    })
}

async fn version(
    remote: &Remote,
    name: &str,
    change: VersionedChange,
) -> Result<(String, String), Failure> {
    let etag = if let Some(etag) = change.etag {
        etag
    } else {
        let request = GetServiceChangeRequest { name: name.to_owned() };
        let mut client = remote.session.service_changes();
        answer(client.get_service_change(remote.session.call(request)).await)?.etag
    };
    Ok((etag, remote.attempt(change.change.request_id)))
}
