//! `DutyService`: what are the duties from which entries derive, and what is missing?

use catalog_model::name::Resource;
use catalog_model::refusal::Refusal;
use catalog_state::command::RelationsCommand;
use luqiao_proto::{
    convert::{
        name::full_name,
        relations::{dataset::duties_message, read_optional_date},
    },
    relations::v1::{DutyGaps, GetDutiesRequest, GetDutyGapsRequest, StateDutiesRequest},
};

use super::{Call, Reply, change, find, own_organization, unknown};
use crate::services::version_in;

pub(super) async fn dispatch(call: &Call, method: &str) -> Result<Reply, Refusal> {
    match method {
        "StateDuties" => state(call).await,
        "GetDuties" => get(call).await,
        "GetDutyGaps" => gaps(call).await,
        _ => Err(unknown(call)),
    }
}

async fn state(call: &Call) -> Result<Reply, Refusal> {
    let request: StateDutiesRequest = call.decode()?;
    let organization = own_organization(call, &request.name, "name")?;
    // Whoever read that there is no list has no etag to show.
    let version = match request.etag.as_str() {
        "" => 0,
        etag => version_in(etag, "etag")?,
    };
    let duties = request.duties;
    let command = RelationsCommand::StateDuties { organization, version, duties };
    change(call, &request.request_id, command, move |look, _| {
        let list = look.view().duties(look.domain(), organization);
        Some(duties_message(look.domain(), organization, list.as_ref()))
    })
    .await
}

async fn get(call: &Call) -> Result<Reply, Refusal> {
    let request: GetDutiesRequest = call.decode()?;
    let organization = own_organization(call, &request.name, "name")?;
    find(call, request.name, move |look| {
        look.view().organization(look.domain(), organization)?;
        let list = look.view().duties(look.domain(), organization);
        Some(duties_message(look.domain(), organization, list.as_ref()))
    })
    .await
}

async fn gaps(call: &Call) -> Result<Reply, Refusal> {
    let request: GetDutyGapsRequest = call.decode()?;
    let organization = own_organization(call, &request.name, "name")?;
    let day = read_optional_date(&request.day, "day")?;
    find(call, request.name, move |look| {
        look.view()
            .organization(look.domain(), organization)
            .filter(|_| look.sees_affairs_of(organization))?;
        let day = day.unwrap_or_else(|| look.today());
        let gaps = look.view().duty_gaps(look.domain(), organization, day);
        let system = |id| full_name(look.domain(), Resource::System(organization, id));
        Some(DutyGaps {
            duties: gaps.duties,
            systems: gaps.systems.into_iter().map(system).collect(),
        })
    })
    .await
}
