//! `luqiao drill approve|abandon|show|history`: what is on record of drills.

use luqiao_proto::operations::v1::{
    AbandonDrillRequest, ApproveDrillRequest, Drill as Message, GetDrillRequest, ListDrillsRequest,
};

use crate::{
    args::drill::Drill,
    both,
    exit::Exit,
    failure::Failure,
    message::kind,
    output::{Column, column},
};

use super::{Remote, answer, send};

const DRILLS: [Column; 9] = [
    column("DRILL", "演练", "/name"),
    column("PLAN", "预案", "/plan"),
    column("OPENED", "开始", "/opened_time"),
    column("STATE", "状态", "/state"),
    column("OK", "通过", "/result/ok"),
    column("RPO", "丢失判定", "/result/rpo"),
    column("ACKNOWLEDGED", "确认", "/result/acknowledged"),
    column("LOST", "丢失", "/result/lost"),
    column("RTO MS", "恢复毫秒", "/result/rto_ms"),
];

/// Does it.
pub async fn run(remote: &Remote, command: Drill) -> Result<Exit, Failure> {
    let mut client = remote.session.drills();
    match command {
        Drill::Approve { name, change } => {
            let name = named(remote, name).await?;
            let request =
                ApproveDrillRequest { name, request_id: remote.attempt(change.request_id) };
            send!(remote, DRILL, client.approve_drill(request));
        }
        Drill::Abandon { name, reason, change } => {
            let drill = found(remote, name).await?;
            let request = AbandonDrillRequest {
                name: drill.name,
                etag: change.etag.unwrap_or(drill.etag),
                reason,
                request_id: remote.attempt(change.change.request_id),
            };
            send!(remote, DRILL, client.abandon_drill(request));
        }
        Drill::Show { name } => {
            let drill = found(remote, name).await?;
            remote.show(kind::DRILL, &drill)?;
        }
        Drill::History { page } => {
            let request = ListDrillsRequest {
                parent: remote.session.parent(),
                page_size: page.page_size,
                page_token: page.page_token,
            };
            let drills = answer(client.list_drills(remote.session.call(request)).await)?;
            remote.show_page(kind::DRILL_PAGE, &drills, "drills", &DRILLS)?;
        }
        Drill::List
        | Drill::Plan { .. }
        | Drill::Run(_)
        | Drill::Verify { .. }
        | Drill::Probe(_) => unreachable!("done without this connection"),
    }
    Ok(Exit::Ok)
}

async fn named(remote: &Remote, name: Option<String>) -> Result<String, Failure> {
    match name {
        Some(name) => Ok(name),
        None => found(remote, None).await.map(|drill| drill.name),
    }
}

/// The drill of that name, or the last one: if one is open, it is that.
async fn found(remote: &Remote, name: Option<String>) -> Result<Message, Failure> {
    let mut client = remote.session.drills();
    if let Some(name) = name {
        return answer(client.get_drill(remote.session.call(GetDrillRequest { name })).await);
    }
    let request =
        ListDrillsRequest { parent: remote.session.parent(), page_size: 1, ..Default::default() };
    let page = answer(client.list_drills(remote.session.call(request)).await)?;
    page.drills.into_iter().next().ok_or_else(|| {
        Failure::new(Exit::NotFound, "no_drill", both!("there was no drill yet", "尚未进行过演练"))
    })
}
