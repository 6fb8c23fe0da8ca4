//! `TransferService`: which entries go to whom with a function, and who signed?
//!
//! Seen by the two departments and the platform. After the approval the leader moves what the first
//! command left (`duties::relations`).

use catalog_model::{
    deadline::DeadlineKind,
    function_transfer::FunctionTransfer,
    ids::TransferId,
    name::{Resource, ResourceName},
    refusal::Refusal,
};
use catalog_state::{
    command::{RelationsCommand, TransferStep},
    keys::{Table, relations as key},
};
use luqiao_proto::{
    convert::{
        name::{domain_name, organization_name, transfer_name},
        relations::{read_citation, read_entries, transfer::transfer_message},
        time::read_date,
    },
    relations::v1::{
        self as message, ApproveTransferRequest, CosignTransferRequest, DraftTransferRequest,
        FileTransferRequest, GetTransferRequest, ListTransfersRequest, ListTransfersResponse,
        ReturnTransferRequest,
    },
};

use super::{Call, Look, Reply, change, find, own, own_organization, paged, unknown};
use crate::services::{draw, version_in};

pub(super) async fn dispatch(call: &Call, method: &str) -> Result<Reply, Refusal> {
    match method {
        "DraftTransfer" => draft(call).await,
        "CosignTransfer" => {
            let CosignTransferRequest { name, etag, request_id } = call.decode()?;
            step(call, &request_id, (&name, &etag), TransferStep::Cosign).await
        }
        "FileTransfer" => {
            let FileTransferRequest { name, etag, request_id } = call.decode()?;
            step(call, &request_id, (&name, &etag), TransferStep::File).await
        }
        "ReturnTransfer" => {
            let ReturnTransferRequest { name, etag, reason, request_id } = call.decode()?;
            step(call, &request_id, (&name, &etag), TransferStep::Return { reason }).await
        }
        "ApproveTransfer" => {
            let ApproveTransferRequest { name, etag, request_id } = call.decode()?;
            step(call, &request_id, (&name, &etag), TransferStep::Approve).await
        }
        "GetTransfer" => get(call).await,
        "ListTransfers" => list(call).await,
        _ => Err(unknown(call)),
    }
}

async fn draft(call: &Call) -> Result<Reply, Refusal> {
    let request: DraftTransferRequest = call.decode()?;
    let (domain, from) = organization_name(&request.parent, "parent")?;
    call.look_now(|look| look.own(&domain))?;
    let command = RelationsCommand::DraftTransfer {
        id: TransferId(draw()),
        from,
        to: own_organization(call, &request.to, "to")?,
        entries: read_entries(&request.entries, &domain, "entries")?,
        act: read_citation(request.act.as_ref(), "act")?,
        change_date: read_date(&request.change_date, "change_date")?,
    };
    change(call, &request.request_id, command, shown).await
}

async fn step(
    call: &Call,
    request_id: &str,
    (name, etag): (&str, &str),
    step: TransferStep,
) -> Result<Reply, Refusal> {
    let transfer = own(call, transfer_name(name, "name")?)?;
    let version = version_in(etag, "etag")?;
    let command = RelationsCommand::Transfer { transfer, version, step };
    change(call, request_id, command, shown).await
}

async fn get(call: &Call) -> Result<Reply, Refusal> {
    let request: GetTransferRequest = call.decode()?;
    let id = own(call, transfer_name(&request.name, "name")?)?;
    find(call, request.name, move |look| {
        let transfer = look.view().transfer(look.domain(), id)?;
        sees(look, &transfer).then(|| seen(look, &transfer))
    })
    .await
}

async fn list(call: &Call) -> Result<Reply, Refusal> {
    let mut request: ListTransfersRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    let page = paged!(call, request)?;
    call.read(move |look| {
        look.own(&domain)?;
        let prefix = key::rows(Table::FunctionTransfer).domain(&domain);
        let (transfers, next_page_token) =
            page.table(look, &prefix, |transfer: FunctionTransfer| {
                let shown = sees(look, &transfer).then(|| seen(look, &transfer))?;
                (request.state == 0 || request.state == shown.state).then_some(shown)
            })?;
        Ok(ListTransfersResponse { transfers, next_page_token })
    })
    .await
}

fn sees(look: &Look<'_>, transfer: &FunctionTransfer) -> bool {
    look.is_of(transfer.to) || look.sees_affairs_of(transfer.from)
}

fn seen(look: &Look<'_>, transfer: &FunctionTransfer) -> message::FunctionTransfer {
    let due = look.due(DeadlineKind::FunctionTransfer, Resource::FunctionTransfer(transfer.id));
    transfer_message(transfer, due)
}

fn shown(look: &Look<'_>, name: &ResourceName) -> Option<message::FunctionTransfer> {
    let Resource::FunctionTransfer(id) = name.resource else { return None };
    look.view().transfer(look.domain(), id).map(|transfer| seen(look, &transfer))
}
