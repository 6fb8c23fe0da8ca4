//! The witness: cells of other domains.

use catalog_model::{ids::DomainId, reason::Reason, refusal::Refusal};
use catalog_state::{
    codec,
    command::{Body, sites::SitesCommand},
};
use luqiao_proto::{
    convert::{
        dr::{act_message, cell_message, read_write, read_writer},
        name::domain_name,
    },
    dr::v1::{
        self as message, GetCellRequest, ListActsAtRiskRequest, ListActsAtRiskResponse,
        WriteCellRequest,
    },
};

use super::status;
use crate::services::{Call, Look, Reply, not_found};

/// Acts in one answer.
const ACTS_MAX: u32 = 1_000;

/// The watched domain itself and everybody in the domain of the witness.
fn may_see(look: &Look<'_>, watched: &DomainId) -> Result<(), Refusal> {
    let caller = &look.caller.domain;
    if caller == watched || caller == look.domain() {
        Ok(())
    } else {
        Err(not_found(format!("domains/{watched}")))
    }
}

fn cell(look: &Look<'_>, watched: &DomainId) -> Result<message::Cell, Refusal> {
    let unknown = || Refusal::new(Reason::CellUnknown).fact("domain", watched);
    let row = look.view().cell(watched).ok_or_else(unknown)?;
    let confirmed = row.cell.is_confirmed(look.cluster.generation);
    Ok(cell_message(watched, &row.cell, confirmed, row.time, codec::encode(&row.cell)))
}

pub(super) async fn get(call: &Call) -> Result<Reply, Refusal> {
    let request: GetCellRequest = call.decode()?;
    let watched = domain_name(&request.watched, "watched")?;
    call.read(move |look| {
        may_see(look, &watched)?;
        cell(look, &watched)
    })
    .await
}

pub(super) async fn write(call: &Call) -> Result<Reply, Refusal> {
    let request: WriteCellRequest = call.decode()?;
    let domain = domain_name(&request.watched, "watched")?;
    let write = read_write(&request)?;
    let writer = read_writer(request.writer.as_ref())?;
    let now = call.handle().view(status::clock);
    call.services.trust.check(&domain, write.approvals(), now)?;
    let revision = request.revision;
    let watched = domain.clone();
    let command = SitesCommand::WriteCell { domain, revision, writer, write };
    call.write(&request.request_id, Body::Sites(Box::new(command)), move |look, _| {
        cell(look, &watched)
    })
    .await
}

pub(super) async fn acts(call: &Call) -> Result<Reply, Refusal> {
    let request: ListActsAtRiskRequest = call.decode()?;
    let watched = domain_name(&request.watched, "watched")?;
    let limit = match request.limit {
        0 => ACTS_MAX,
        limit => limit.min(ACTS_MAX),
    };
    call.read(move |look| {
        may_see(look, &watched)?;
        let acts = look.view().acts_at_risk(&watched, request.after, limit as usize);
        Ok(ListActsAtRiskResponse { acts: acts.iter().map(act_message).collect() })
    })
    .await
}
