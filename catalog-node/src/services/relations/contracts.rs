//! `ContractService`: who collects for whom, and where are the data when it is over?

use catalog_model::{
    acquisition::{CollectionContract, ContractTerms},
    ids::ContractId,
    name::{Resource, ResourceName},
    refusal::Refusal,
};
use catalog_state::{
    command::{ContractStep, RelationsCommand},
    keys::relations as key,
};
use luqiao_proto::{
    convert::{
        digest::read_digest,
        name::{contract_name, domain_name},
        relations::acquisition::contract_message,
    },
    relations::v1::{
        self as message, CloseContractRequest, ConsentSubEntrustingRequest, EndContractRequest,
        GetContractRequest, ListContractsRequest, ListContractsResponse, OpenContractRequest,
        RecordProcessingRequest,
    },
};

use super::{Call, Look, Reply, change, find, own, own_organization, paged, unknown};
use crate::services::{draw, version_in};

pub(super) async fn dispatch(call: &Call, method: &str) -> Result<Reply, Refusal> {
    match method {
        "OpenContract" => open(call).await,
        "ConsentSubEntrusting" => {
            let ConsentSubEntrustingRequest { name, etag, to, request_id } = call.decode()?;
            let consent = ContractStep::ConsentSubEntrusting { to };
            step(call, &request_id, (&name, &etag), consent).await
        }
        "RecordProcessing" => {
            let RecordProcessingRequest { name, etag, by, request_id } = call.decode()?;
            step(call, &request_id, (&name, &etag), ContractStep::Process { by }).await
        }
        "EndContract" => {
            let EndContractRequest { name, etag, reason, request_id } = call.decode()?;
            step(call, &request_id, (&name, &etag), ContractStep::End { reason }).await
        }
        "CloseContract" => {
            let CloseContractRequest { name, etag, returned, proof, request_id } = call.decode()?;
            let proof = read_digest(&proof, "proof")?;
            let closed = ContractStep::Close { returned, proof };
            step(call, &request_id, (&name, &etag), closed).await
        }
        "GetContract" => get(call).await,
        "ListContracts" => list(call).await,
        _ => Err(unknown(call)),
    }
}

async fn open(call: &Call) -> Result<Reply, Refusal> {
    let request: OpenContractRequest = call.decode()?;
    let command = RelationsCommand::OpenContract {
        id: ContractId(draw()),
        organization: own_organization(call, &request.parent, "parent")?,
        contractor: request.contractor,
        terms: ContractTerms {
            matter: request.matter,
            purpose: request.purpose,
            scope: request.scope,
            manner: request.manner,
        },
    };
    change(call, &request.request_id, command, shown).await
}

async fn step(
    call: &Call,
    request_id: &str,
    (name, etag): (&str, &str),
    step: ContractStep,
) -> Result<Reply, Refusal> {
    let contract = own(call, contract_name(name, "name")?)?;
    let version = version_in(etag, "etag")?;
    let command = RelationsCommand::Contract { contract, version, step };
    change(call, request_id, command, shown).await
}

async fn get(call: &Call) -> Result<Reply, Refusal> {
    let request: GetContractRequest = call.decode()?;
    let id = own(call, contract_name(&request.name, "name")?)?;
    find(call, request.name, move |look| {
        let contract = look.view().contract(look.domain(), id)?;
        look.sees_affairs_of(contract.organization).then(|| contract_message(&contract))
    })
    .await
}

async fn list(call: &Call) -> Result<Reply, Refusal> {
    let mut request: ListContractsRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    let page = paged!(call, request)?;
    call.read(move |look| {
        look.own(&domain)?;
        let (contracts, next_page_token) =
            page.table(look, &key::contracts(&domain), |contract: CollectionContract| {
                let seen = look.sees_affairs_of(contract.organization);
                let shown = seen.then(|| contract_message(&contract))?;
                (request.state == 0 || request.state == shown.state).then_some(shown)
            })?;
        Ok(ListContractsResponse { contracts, next_page_token })
    })
    .await
}

fn shown(look: &Look<'_>, name: &ResourceName) -> Option<message::CollectionContract> {
    let Resource::Contract(id) = name.resource else { return None };
    look.view().contract(look.domain(), id).as_ref().map(contract_message)
}
