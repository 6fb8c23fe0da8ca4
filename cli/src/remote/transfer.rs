//! `luqiao transfer`.

use luqiao_proto::relations::v1::{
    ApproveTransferRequest, CosignTransferRequest, DraftTransferRequest, FileTransferRequest,
    GetTransferRequest, ListTransfersRequest, ReturnTransferRequest,
};

use crate::{
    args::{citation::Reasoned, transfer::Transfer},
    exit::Exit,
    failure::Failure,
    message::kind,
    output::{Column, column},
};

use super::{Remote, answer, send, version};

const COLUMNS: [Column; 6] = [
    column("NAME", "资源名", "/name"),
    column("STATE", "状态", "/state"),
    column("FROM", "转出部门", "/from"),
    column("TO", "转入部门", "/to"),
    column("MOVED", "已转目录", "/moved"),
    column("DUE", "期限", "/due_time"),
];

/// Does it.
pub async fn run(remote: &Remote, command: Transfer) -> Result<Exit, Failure> {
    let session = &remote.session;
    let mut client = session.transfers();
    macro_rules! step {
        ($method:ident($request:ident), $step:ident) => {{
            let (etag, request_id) =
                version!(remote, client.get_transfer(GetTransferRequest), $step.name, $step.change);
            let request = $request { name: $step.name, etag, request_id };
            send!(remote, TRANSFER, client.$method(request));
        }};
    }
    match command {
        Transfer::Draft { to, entries, act, change_date, change } => {
            let request = DraftTransferRequest {
                parent: remote.organization(None)?,
                to,
                entries,
                act: act.message(),
                change_date: change_date.to_string(),
                request_id: remote.attempt(change.request_id),
            };
            send!(remote, TRANSFER, client.draft_transfer(request));
        }
        Transfer::Cosign(step) => step!(cosign_transfer(CosignTransferRequest), step),
        Transfer::File(step) => step!(file_transfer(FileTransferRequest), step),
        Transfer::Return(Reasoned { name, reason, change }) => {
            let (etag, request_id) =
                version!(remote, client.get_transfer(GetTransferRequest), name, change);
            let request = ReturnTransferRequest { name, etag, reason, request_id };
            send!(remote, TRANSFER, client.return_transfer(request));
        }
        Transfer::Approve(step) => step!(approve_transfer(ApproveTransferRequest), step),
        Transfer::Show { name } => {
            send!(remote, TRANSFER, client.get_transfer(GetTransferRequest { name }));
        }
        Transfer::List { state, listed } => {
            let request = ListTransfersRequest {
                parent: remote.parent(listed.domain.as_deref()),
                page_size: listed.page.page_size,
                page_token: listed.page.page_token,
                state: state.map_or(0, i32::from),
            };
            let list = answer(client.list_transfers(session.call(request)).await)?;
            remote.show_page(kind::TRANSFER_PAGE, &list, "transfers", &COLUMNS)?;
        }
    }
    Ok(Exit::Ok)
}
