//! `CollectionService`: can what is to be collected be had by sharing, and how were data acquired?

use catalog_model::{ids::EntryId, refusal::Refusal};
use catalog_state::command::RelationsCommand;
use luqiao_proto::{
    convert::relations::{
        acquisition::{acquisition_message, check_message, read_acquisition},
        read_optional_citation,
    },
    relations::v1::{
        Acquisition, CheckCollectionRequest, CollectionCheck, GetAcquisitionRequest,
        GetCollectionCheckRequest, StateAcquisitionRequest,
    },
};

use super::{Call, Look, Reply, change, find, own_entry, unknown};

pub(super) async fn dispatch(call: &Call, method: &str) -> Result<Reply, Refusal> {
    match method {
        "CheckCollection" => check(call).await,
        "GetCollectionCheck" => get_check(call).await,
        "StateAcquisition" => state(call).await,
        "GetAcquisition" => get_acquisition(call).await,
        _ => Err(unknown(call)),
    }
}

async fn check(call: &Call) -> Result<Reply, Refusal> {
    let request: CheckCollectionRequest = call.decode()?;
    let entry = own_entry(call, &request.name, "name")?;
    let command = RelationsCommand::CheckCollection {
        entry,
        items: request.items,
        exception: read_optional_citation(request.exception.as_ref(), "exception")?,
    };
    change(call, &request.request_id, command, move |look, _| found(look, entry)).await
}

async fn get_check(call: &Call) -> Result<Reply, Refusal> {
    let request: GetCollectionCheckRequest = call.decode()?;
    let entry = own_entry(call, &request.name, "name")?;
    find(call, request.name, move |look| {
        found(look, entry).filter(|_| look.sees_affairs_of_entry(entry))
    })
    .await
}

fn found(look: &Look<'_>, entry: EntryId) -> Option<CollectionCheck> {
    let check = look.view().collection_check(look.domain(), entry)?;
    Some(check_message(look.domain(), &check))
}

async fn state(call: &Call) -> Result<Reply, Refusal> {
    let request: StateAcquisitionRequest = call.decode()?;
    let entry = own_entry(call, &request.name, "name")?;
    let domain = call.look_now(|look| Ok(look.domain().clone()))?;
    let acquisition = read_acquisition(request.kind, &request.through, &domain)?;
    let command = RelationsCommand::StateAcquisition { entry, acquisition };
    change(call, &request.request_id, command, move |look, _| acquired(look, entry)).await
}

async fn get_acquisition(call: &Call) -> Result<Reply, Refusal> {
    let request: GetAcquisitionRequest = call.decode()?;
    let entry = own_entry(call, &request.name, "name")?;
    find(call, request.name, move |look| {
        acquired(look, entry).filter(|_| look.sees_affairs_of_entry(entry))
    })
    .await
}

fn acquired(look: &Look<'_>, entry: EntryId) -> Option<Acquisition> {
    let acquisition = look.view().acquisition(look.domain(), entry)?;
    Some(acquisition_message(look.domain(), entry, acquisition))
}
