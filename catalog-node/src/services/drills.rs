//! `DrillService`: who rehearses what, how far it has come, and what the prober's numbers became.
//!
//! For organizations of the platform; to everybody else there is no drill. Where it is answered makes
//! no difference: numbers are read as everything is, from a state that contains all that was
//! acknowledged before.

use catalog_model::{
    drill::DrillPhase, ids::DrillId, name::Resource, reason::Reason, refusal::Refusal,
};
use catalog_state::{
    command::{
        Body,
        drill::{DrillCommand, StepTold},
    },
    keys::drills as key,
    outcome::Outcome,
};
use luqiao_proto::{
    convert::{
        digest::read_digest,
        drill::{drill_message, probe_message, read_result, read_step},
        name::{domain_name, drill_name},
        stated,
        time::timestamp,
    },
    operations::v1::{
        self as message, AbandonDrillRequest, ApproveDrillRequest, CloseDrillRequest,
        GetDrillRequest, ListDrillsRequest, ListDrillsResponse, ListProbesRequest,
        ListProbesResponse, OpenDrillRequest, StepDrillRequest, SweepProbesRequest,
        SweepProbesResponse, WriteProbesRequest, WriteProbesResponse,
    },
};

use super::{
    Call, Look, Reply, draw, members, not_found,
    organizations::{done, next},
    paging, version_in,
};

/// Numbers of one page.
const PROBES_MAX: u32 = 5_000;

/// One line for each method.
pub(super) async fn dispatch(call: &Call) -> Result<Reply, Refusal> {
    match call.method.path {
        "/luqiao.operations.v1.DrillService/OpenDrill" => open(call).await,
        "/luqiao.operations.v1.DrillService/ApproveDrill" => {
            let ApproveDrillRequest { name, request_id } = call.decode()?;
            let drill = own_drill(call, &name)?;
            change(call, &request_id, DrillCommand::Approve { drill }).await
        }
        "/luqiao.operations.v1.DrillService/StepDrill" => step(call).await,
        "/luqiao.operations.v1.DrillService/CloseDrill" => close(call).await,
        "/luqiao.operations.v1.DrillService/AbandonDrill" => {
            let AbandonDrillRequest { name, etag, reason, request_id } = call.decode()?;
            let drill = own_drill(call, &name)?;
            let version = version_in(&etag, "etag")?;
            change(call, &request_id, DrillCommand::Abandon { drill, version, reason }).await
        }
        "/luqiao.operations.v1.DrillService/GetDrill" => get(call).await,
        "/luqiao.operations.v1.DrillService/ListDrills" => list(call).await,
        "/luqiao.operations.v1.DrillService/WriteProbes" => write_probes(call).await,
        "/luqiao.operations.v1.DrillService/ListProbes" => list_probes(call).await,
        "/luqiao.operations.v1.DrillService/SweepProbes" => sweep(call).await,
        path => Err(Refusal::new(Reason::MethodUnknown).fact("method", path)),
    }
}

/// The drill of that name, if the name is one of this domain.
fn own_drill(call: &Call, name: &str) -> Result<DrillId, Refusal> {
    let (domain, id) = drill_name(name, "name")?;
    call.look_now(|look| look.own(&domain))?;
    Ok(id)
}

async fn change(call: &Call, request_id: &str, command: DrillCommand) -> Result<Reply, Refusal> {
    call.write(request_id, Body::Drill(Box::new(command)), shown).await
}

fn shown(look: &Look<'_>, outcome: &Outcome) -> Result<message::Drill, Refusal> {
    let name = done(outcome)?;
    let Resource::Drill(id) = name.resource else { return Err(Refusal::new(Reason::Internal)) };
    look.view().drill(id).as_ref().map(drill_message).ok_or_else(|| not_found(&name))
}

async fn open(call: &Call) -> Result<Reply, Refusal> {
    let request: OpenDrillRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    call.look_now(|look| look.own(&domain))?;
    let needed = u8::try_from(request.approvals_needed).unwrap_or(u8::MAX);
    let command = DrillCommand::Open {
        id: DrillId(draw()),
        plan: request.plan,
        plan_digest: read_digest(&request.plan_digest, "plan_digest")?,
        why: request.why,
        approvals_needed: needed,
        takes_site: request.takes_site,
        confirmed: request.confirmed,
    };
    change(call, &request.request_id, command).await
}

async fn step(call: &Call) -> Result<Reply, Refusal> {
    let request: StepDrillRequest = call.decode()?;
    let drill = own_drill(call, &request.name)?;
    let version = version_in(&request.etag, "etag")?;
    let told = stated(request.step.as_ref(), "step")?;
    let read = read_step(told, "step")?;
    let phase: DrillPhase = read.phase;
    let step = StepTold {
        phase,
        name: told.step.clone(),
        began: read.began,
        ended: read.ended,
        ok: told.ok,
        note: told.note.clone(),
    };
    change(call, &request.request_id, DrillCommand::Step { drill, version, step }).await
}

async fn close(call: &Call) -> Result<Reply, Refusal> {
    let request: CloseDrillRequest = call.decode()?;
    let drill = own_drill(call, &request.name)?;
    let version = version_in(&request.etag, "etag")?;
    let result = read_result(stated(request.result.as_ref(), "result")?, "result")?;
    change(call, &request.request_id, DrillCommand::Close { drill, version, result }).await
}

async fn get(call: &Call) -> Result<Reply, Refusal> {
    let request: GetDrillRequest = call.decode()?;
    let id = own_drill(call, &request.name)?;
    call.read(move |look| {
        let drill = look.view().drill(id).filter(|_| look.is_platform());
        drill.as_ref().map(drill_message).ok_or_else(|| not_found(&request.name))
    })
    .await
}

async fn list(call: &Call) -> Result<Reply, Refusal> {
    let mut request: ListDrillsRequest = call.decode()?;
    let size = paging::size(std::mem::take(&mut request.page_size))?;
    let domain = domain_name(&request.parent, "parent")?;
    members::operator(call)?;
    let token = std::mem::take(&mut request.page_token);
    let query = paging::query_digest(call.method.path, &call.caller.to_string(), &request);
    call.read(move |look| {
        look.own(&domain)?;
        let before = paging::open(look.page_key(), &query, &token)?;
        let mut page = look.view().drills_before(before.as_deref(), size + 1);
        let more = page.len() > size;
        page.truncate(size);
        let last = page.last().filter(|_| more).map(|drill| key::drill(drill.id).into_vec());
        let next_page_token = next(look, &query, last);
        Ok(ListDrillsResponse { drills: page.iter().map(drill_message).collect(), next_page_token })
    })
    .await
}

async fn write_probes(call: &Call) -> Result<Reply, Refusal> {
    let WriteProbesRequest { name, sequences, due_after_ms, request_id } = call.decode()?;
    let drill = own_drill(call, &name)?;
    let body = Body::Drill(Box::new(DrillCommand::Probe { drill, sequences, due_after_ms }));
    let answered = call.commit(&request_id, body).await?;
    let index = answered.index;
    Ok(Reply::of(&WriteProbesResponse { index }, index))
}

async fn list_probes(call: &Call) -> Result<Reply, Refusal> {
    let ListProbesRequest { name, from, limit } = call.decode()?;
    let id = own_drill(call, &name)?;
    members::operator(call)?;
    let limit = if limit == 0 { PROBES_MAX } else { limit.min(PROBES_MAX) } as usize;
    call.read(move |look| {
        let view = look.view();
        view.drill(id).ok_or_else(|| not_found(&name))?;
        let mut rows = view.drill_probes(id, from, limit + 1);
        let next = rows.get(limit).map(|(sequence, _)| *sequence);
        rows.truncate(limit);
        Ok(ListProbesResponse {
            probes: rows.iter().map(|(sequence, row)| probe_message(*sequence, row)).collect(),
            next,
            clock: Some(timestamp(view.clock())),
        })
    })
    .await
}

async fn sweep(call: &Call) -> Result<Reply, Refusal> {
    let SweepProbesRequest { name, request_id } = call.decode()?;
    let drill = own_drill(call, &name)?;
    let body = Body::Drill(Box::new(DrillCommand::Sweep { drill }));
    call.write(&request_id, body, move |look, _| {
        Ok(SweepProbesResponse { more: !look.view().drill_probes(drill, 0, 1).is_empty() })
    })
    .await
}
