//! `luqiao objection`.

use luqiao_proto::relations::v1::{
    DecideObjectionRequest, EscalateObjectionRequest, GetObjectionRequest, ListObjectionsRequest,
    RaiseObjectionRequest, SettleObjectionRequest, StatePositionRequest,
};

use crate::{
    args::{citation::Reasoned, objection::Objection},
    exit::Exit,
    failure::Failure,
    message::kind,
    output::{Column, column},
};

use super::{Remote, answer, send, version};

const COLUMNS: [Column; 6] = [
    column("NAME", "资源名", "/name"),
    column("STATE", "状态", "/state"),
    column("ENTRY", "目录条目", "/entry"),
    column("PUBLISHED", "现行属性", "/published"),
    column("WANTED", "主张属性", "/wanted"),
    column("OUTCOME", "结果", "/outcome"),
];

/// Does it.
pub async fn run(remote: &Remote, command: Objection) -> Result<Exit, Failure> {
    let session = &remote.session;
    let mut client = session.objections();
    macro_rules! version_of {
        ($name:ident, $change:ident) => {
            version!(remote, client.get_objection(GetObjectionRequest), $name, $change)
        };
    }
    match command {
        Objection::Raise { entry, wanted, reason, change } => {
            let request = RaiseObjectionRequest {
                parent: entry,
                wanted: wanted.into(),
                reason,
                request_id: remote.attempt(change.request_id),
            };
            send!(remote, OBJECTION, client.raise_objection(request));
        }
        Objection::State { name, side, text, change } => {
            let (etag, request_id) = version_of!(name, change);
            let side = side.into();
            let request = StatePositionRequest { name, etag, side, text, request_id };
            send!(remote, OBJECTION, client.state_position(request));
        }
        Objection::Settle { name, attribute, change } => {
            let (etag, request_id) = version_of!(name, change);
            let attribute = Some(attribute.message());
            let request = SettleObjectionRequest { name, etag, attribute, request_id };
            send!(remote, OBJECTION, client.settle_objection(request));
        }
        Objection::Escalate(Reasoned { name, reason, change }) => {
            let (etag, request_id) = version_of!(name, change);
            let request = EscalateObjectionRequest { name, etag, reason, request_id };
            send!(remote, OBJECTION, client.escalate_objection(request));
        }
        Objection::Decide { name, attribute, paper, change } => {
            let decision = Some(paper.message()?);
            let (etag, request_id) = version_of!(name, change);
            let attribute = Some(attribute.message());
            let request = DecideObjectionRequest { name, etag, attribute, decision, request_id };
            send!(remote, OBJECTION, client.decide_objection(request));
        }
        Objection::Show { name } => {
            send!(remote, OBJECTION, client.get_objection(GetObjectionRequest { name }));
        }
        Objection::List { state, listed } => {
            let request = ListObjectionsRequest {
                parent: remote.parent(listed.domain.as_deref()),
                page_size: listed.page.page_size,
                page_token: listed.page.page_token,
                state: state.map_or(0, i32::from),
            };
            let list = answer(client.list_objections(session.call(request)).await)?;
            remote.show_page(kind::OBJECTION_PAGE, &list, "objections", &COLUMNS)?;
        }
    }
    Ok(Exit::Ok)
}
