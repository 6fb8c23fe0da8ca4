//! `EmergencyService`: what is owed for data that were taken in an emergency?

use catalog_model::{
    acquisition::Emergency,
    deadline::DeadlineKind,
    ids::EmergencyId,
    name::{Resource, ResourceName},
    refusal::Refusal,
};
use catalog_state::{
    command::{EmergencyContent, EmergencyStep, RelationsCommand},
    keys::{Table, relations as key},
};
use luqiao_proto::{
    convert::{
        digest::read_digest,
        name::{domain_name, emergency_name, organization_name, system_name},
        relations::{acquisition::emergency_message, read_citation, read_entries, read_systems},
    },
    relations::v1::{
        self as message, AssessEmergencyRequest, CloseEmergencyApplicationsRequest,
        EndEmergencyRequest, GetEmergencyRequest, ListEmergenciesRequest, ListEmergenciesResponse,
        OpenEmergencyRequest, TreatEmergencyRequest, UseEmergencyDataRequest,
    },
};

use super::{Call, Look, Reply, change, find, own, paged, unknown};
use crate::services::{draw, version_in};

pub(super) async fn dispatch(call: &Call, method: &str) -> Result<Reply, Refusal> {
    match method {
        "OpenEmergency" => open(call).await,
        "UseEmergencyData" => {
            let request: UseEmergencyDataRequest = call.decode()?;
            let (domain, _, system) = system_name(&request.system, "system")?;
            call.look_now(|look| look.own(&domain))?;
            let used = EmergencyStep::Use { system, event: request.event };
            step(call, &request.request_id, (&request.name, &request.etag), used).await
        }
        "EndEmergency" => {
            let EndEmergencyRequest { name, etag, request_id } = call.decode()?;
            step(call, &request_id, (&name, &etag), EmergencyStep::End).await
        }
        "AssessEmergency" => {
            let AssessEmergencyRequest { name, etag, proof, request_id } = call.decode()?;
            let proof = read_digest(&proof, "proof")?;
            step(call, &request_id, (&name, &etag), EmergencyStep::Assess { proof }).await
        }
        "TreatEmergency" => {
            let TreatEmergencyRequest { name, etag, proof, request_id } = call.decode()?;
            let proof = read_digest(&proof, "proof")?;
            step(call, &request_id, (&name, &etag), EmergencyStep::Treat { proof }).await
        }
        "CloseEmergencyApplications" => {
            let request: CloseEmergencyApplicationsRequest = call.decode()?;
            let proof = read_digest(&request.proof, "proof")?;
            let closed = EmergencyStep::CloseApplications { proof };
            step(call, &request.request_id, (&request.name, &request.etag), closed).await
        }
        "GetEmergency" => get(call).await,
        "ListEmergencies" => list(call).await,
        _ => Err(unknown(call)),
    }
}

async fn open(call: &Call) -> Result<Reply, Refusal> {
    let request: OpenEmergencyRequest = call.decode()?;
    let (domain, organization) = organization_name(&request.parent, "parent")?;
    call.look_now(|look| look.own(&domain))?;
    let of = (&domain, organization);
    let content = EmergencyContent {
        event: request.event,
        basis: read_citation(request.basis.as_ref(), "basis")?,
        purpose: request.purpose,
        scope: request.scope,
        manner: request.manner,
        entries: read_entries(&request.entries, &domain, "entries")?,
        applications: read_systems(&request.applications, of, "applications")?,
    };
    let id = EmergencyId(draw());
    let command = RelationsCommand::OpenEmergency { id, organization, content };
    change(call, &request.request_id, command, shown).await
}

async fn step(
    call: &Call,
    request_id: &str,
    (name, etag): (&str, &str),
    step: EmergencyStep,
) -> Result<Reply, Refusal> {
    let emergency = own(call, emergency_name(name, "name")?)?;
    let version = version_in(etag, "etag")?;
    let command = RelationsCommand::Emergency { emergency, version, step };
    change(call, request_id, command, shown).await
}

async fn get(call: &Call) -> Result<Reply, Refusal> {
    let request: GetEmergencyRequest = call.decode()?;
    let id = own(call, emergency_name(&request.name, "name")?)?;
    find(call, request.name, move |look| {
        let emergency = look.view().emergency(look.domain(), id)?;
        look.sees_affairs_of(emergency.organization).then(|| seen(look, &emergency))
    })
    .await
}

async fn list(call: &Call) -> Result<Reply, Refusal> {
    let mut request: ListEmergenciesRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    let page = paged!(call, request)?;
    call.read(move |look| {
        look.own(&domain)?;
        let prefix = key::rows(Table::Emergency).domain(&domain);
        let (emergencies, next_page_token) =
            page.table(look, &prefix, |emergency: Emergency| {
                let seen_by = look.sees_affairs_of(emergency.organization);
                let shown = seen_by.then(|| seen(look, &emergency))?;
                (request.state == 0 || request.state == shown.state).then_some(shown)
            })?;
        Ok(ListEmergenciesResponse { emergencies, next_page_token })
    })
    .await
}

fn seen(look: &Look<'_>, emergency: &Emergency) -> message::Emergency {
    let due = look.due(DeadlineKind::EmergencyTreatment, Resource::Emergency(emergency.id));
    emergency_message(emergency, due)
}

fn shown(look: &Look<'_>, name: &ResourceName) -> Option<message::Emergency> {
    let Resource::Emergency(id) = name.resource else { return None };
    look.view().emergency(look.domain(), id).map(|emergency| seen(look, &emergency))
}
