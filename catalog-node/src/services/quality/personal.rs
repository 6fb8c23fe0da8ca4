//! Objections of persons concerned: what came in, who answers, by when?

use catalog_model::{
    ids::PersonalObjectionId,
    name::{Resource, ResourceName},
    quality::PersonalObjection,
    refusal::Refusal,
};
use catalog_state::{
    command::{PersonalObjectionStep, QualityCommand},
    keys::{Key, Table},
};
use luqiao_proto::{
    convert::{
        name::{domain_name, personal_objection_name},
        quality::{personal_objection_message, read_concern, read_window},
    },
    quality::v1::{
        self as message, CorrectPersonalObjectionRequest, FilePersonalObjectionRequest,
        GetPersonalObjectionRequest, ListPersonalObjectionsRequest, ListPersonalObjectionsResponse,
        RejectPersonalObjectionRequest, VerifyPersonalObjectionRequest,
    },
};

use super::{Call, Look, Reply, change, find, own, own_entry, paged, unknown};
use crate::services::{draw, relations::own_organization, version_in};

pub(super) async fn dispatch(call: &Call, method: &str) -> Result<Reply, Refusal> {
    match method {
        "FilePersonalObjection" => file(call).await,
        "VerifyPersonalObjection" => {
            let VerifyPersonalObjectionRequest { name, etag, request_id } = call.decode()?;
            step(call, &request_id, (&name, &etag), PersonalObjectionStep::Verify).await
        }
        "CorrectPersonalObjection" => {
            let request: CorrectPersonalObjectionRequest = call.decode()?;
            let (batch, reason) = (request.batch, request.reason);
            let corrected = PersonalObjectionStep::Correct { batch, reason };
            step(call, &request.request_id, (&request.name, &request.etag), corrected).await
        }
        "RejectPersonalObjection" => {
            let RejectPersonalObjectionRequest { name, etag, reason, request_id } =
                call.decode()?;
            step(call, &request_id, (&name, &etag), PersonalObjectionStep::Reject { reason }).await
        }
        "GetPersonalObjection" => get(call).await,
        "ListPersonalObjections" => list(call).await,
        _ => Err(unknown(call)),
    }
}

async fn file(call: &Call) -> Result<Reply, Refusal> {
    let request: FilePersonalObjectionRequest = call.decode()?;
    let command = QualityCommand::FilePersonalObjection {
        id: PersonalObjectionId(draw()),
        entry: own_entry(call, &request.parent, "parent")?,
        desk: own_organization(call, &request.desk, "desk")?,
        window: read_window(request.window.as_ref(), "window")?,
        proof: read_concern(request.proof.as_ref(), "proof")?,
        description: request.description,
    };
    change(call, &request.request_id, command, shown).await
}

async fn step(
    call: &Call,
    request_id: &str,
    (name, etag): (&str, &str),
    step: PersonalObjectionStep,
) -> Result<Reply, Refusal> {
    let objection = own(call, personal_objection_name(name, "name")?)?;
    let version = version_in(etag, "etag")?;
    let command = QualityCommand::PersonalObjection { objection, version, step };
    change(call, request_id, command, shown).await
}

async fn get(call: &Call) -> Result<Reply, Refusal> {
    let request: GetPersonalObjectionRequest = call.decode()?;
    let id = own(call, personal_objection_name(&request.name, "name")?)?;
    find(call, request.name, move |look| {
        let objection = look.view().personal_objection(look.domain(), id)?;
        sees(look, &objection).then(|| personal_objection_message(&objection))
    })
    .await
}

async fn list(call: &Call) -> Result<Reply, Refusal> {
    let mut request: ListPersonalObjectionsRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    let page = paged!(call, request)?;
    call.read(move |look| {
        look.own(&domain)?;
        let prefix = Key::table(Table::PersonalObjection).domain(&domain);
        let (objections, next_page_token) =
            page.table(look, &prefix, |objection: PersonalObjection| {
                let seen = sees(look, &objection);
                let shown = seen.then(|| personal_objection_message(&objection))?;
                (request.state == 0 || request.state == shown.state).then_some(shown)
            })?;
        Ok(ListPersonalObjectionsResponse { objections, next_page_token })
    })
    .await
}

/// It is about a person: the clerk's department, the desk, the receiver, and the platform.
fn sees(look: &Look<'_>, objection: &PersonalObjection) -> bool {
    [objection.entered_by, objection.desk, objection.receiver].into_iter().any(|of| look.is_of(of))
        || look.is_platform()
}

fn shown(look: &Look<'_>, name: &ResourceName) -> Option<message::PersonalObjection> {
    let Resource::PersonalObjection(id) = name.resource else { return None };
    look.view().personal_objection(look.domain(), id).as_ref().map(personal_objection_message)
}
