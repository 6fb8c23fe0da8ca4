//! `ObjectionService`: the authority objects to a sharing attribute; who wanted what, and how did it
//! end?
//!
//! Seen by the provider, the platform, and the government that decides.

use catalog_model::{
    attribute_objection::AttributeObjection,
    ids::ObjectionId,
    name::{Resource, ResourceName},
    refusal::Refusal,
};
use catalog_state::{
    command::{ObjectionStep, RelationsCommand},
    keys::{Table, relations as key},
};
use luqiao_proto::{
    convert::{
        name::{domain_name, objection_name},
        paper_decision::read_paper_decision,
        relations::{
            objection::{objection_message, read_side},
            read_attribute, read_sharing_kind,
        },
        stated,
    },
    relations::v1::{
        self as message, DecideObjectionRequest, EscalateObjectionRequest, GetObjectionRequest,
        ListObjectionsRequest, ListObjectionsResponse, RaiseObjectionRequest,
        SettleObjectionRequest, StatePositionRequest,
    },
};

use super::{Call, Look, Reply, change, find, own, own_entry, paged, unknown};
use crate::services::{draw, version_in};

pub(super) async fn dispatch(call: &Call, method: &str) -> Result<Reply, Refusal> {
    match method {
        "RaiseObjection" => raise(call).await,
        "StatePosition" => {
            let StatePositionRequest { name, etag, side, text, request_id } = call.decode()?;
            let said = ObjectionStep::State { side: read_side(side, "side")?, text };
            step(call, &request_id, (&name, &etag), said).await
        }
        "SettleObjection" => {
            let SettleObjectionRequest { name, etag, attribute, request_id } = call.decode()?;
            let attribute = read_attribute(attribute.as_ref(), "attribute")?;
            step(call, &request_id, (&name, &etag), ObjectionStep::Settle { attribute }).await
        }
        "EscalateObjection" => {
            let EscalateObjectionRequest { name, etag, reason, request_id } = call.decode()?;
            step(call, &request_id, (&name, &etag), ObjectionStep::Escalate { reason }).await
        }
        "DecideObjection" => {
            let request: DecideObjectionRequest = call.decode()?;
            let attribute = read_attribute(request.attribute.as_ref(), "attribute")?;
            let paper = stated(request.decision.as_ref(), "decision")?;
            let decision = read_paper_decision(paper, "decision")?;
            let decided = ObjectionStep::Decide { attribute, decision };
            step(call, &request.request_id, (&request.name, &request.etag), decided).await
        }
        "GetObjection" => get(call).await,
        "ListObjections" => list(call).await,
        _ => Err(unknown(call)),
    }
}

async fn raise(call: &Call) -> Result<Reply, Refusal> {
    let request: RaiseObjectionRequest = call.decode()?;
    let command = RelationsCommand::RaiseObjection {
        id: ObjectionId(draw()),
        entry: own_entry(call, &request.parent, "parent")?,
        wanted: read_sharing_kind(request.wanted, "wanted")?,
        reason: request.reason,
    };
    change(call, &request.request_id, command, shown).await
}

async fn step(
    call: &Call,
    request_id: &str,
    (name, etag): (&str, &str),
    step: ObjectionStep,
) -> Result<Reply, Refusal> {
    let objection = own(call, objection_name(name, "name")?)?;
    let version = version_in(etag, "etag")?;
    let command = RelationsCommand::Objection { objection, version, step };
    change(call, request_id, command, shown).await
}

async fn get(call: &Call) -> Result<Reply, Refusal> {
    let request: GetObjectionRequest = call.decode()?;
    let id = own(call, objection_name(&request.name, "name")?)?;
    find(call, request.name, move |look| {
        let objection = look.view().objection(look.domain(), id)?;
        sees(look, &objection).then(|| objection_message(&objection))
    })
    .await
}

async fn list(call: &Call) -> Result<Reply, Refusal> {
    let mut request: ListObjectionsRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    let page = paged!(call, request)?;
    call.read(move |look| {
        look.own(&domain)?;
        let prefix = key::rows(Table::Objection).domain(&domain);
        let (objections, next_page_token) =
            page.table(look, &prefix, |objection: AttributeObjection| {
                let shown = sees(look, &objection).then(|| objection_message(&objection))?;
                (request.state == 0 || request.state == shown.state).then_some(shown)
            })?;
        Ok(ListObjectionsResponse { objections, next_page_token })
    })
    .await
}

fn sees(look: &Look<'_>, objection: &AttributeObjection) -> bool {
    look.is_government()
        || look.is_of(objection.provider)
        || look.sees_affairs_of_entry(objection.entry)
}

fn shown(look: &Look<'_>, name: &ResourceName) -> Option<message::AttributeObjection> {
    let Resource::Objection(id) = name.resource else { return None };
    look.view().objection(look.domain(), id).as_ref().map(objection_message)
}
