//! `PurchaseService`: which data must be bought, and does the catalog have them already?

use catalog_model::{
    acquisition::Purchase,
    ids::PurchaseId,
    name::{Resource, ResourceName},
    refusal::Refusal,
};
use catalog_state::{
    command::{PurchaseStep, RelationsCommand},
    keys::relations as key,
};
use luqiao_proto::{
    convert::{
        digest::read_digest,
        name::{domain_name, purchase_name},
        relations::acquisition::purchase_message,
    },
    relations::v1::{
        self as message, ApprovePurchaseRequest, BuyPurchaseRequest, GetPurchaseRequest,
        ListPurchasesRequest, ListPurchasesResponse, MergePurchaseRequest, RefusePurchaseRequest,
        RequestPurchaseRequest,
    },
};

use super::{Call, Look, Reply, change, find, own, own_organization, paged, unknown};
use crate::services::{draw, version_in};

pub(super) async fn dispatch(call: &Call, method: &str) -> Result<Reply, Refusal> {
    match method {
        "RequestPurchase" => request(call).await,
        "MergePurchase" => {
            let MergePurchaseRequest { name, etag, into, request_id } = call.decode()?;
            let into = own(call, purchase_name(&into, "into")?)?;
            step(call, &request_id, (&name, &etag), PurchaseStep::Merge { into }).await
        }
        "ApprovePurchase" => {
            let ApprovePurchaseRequest { name, etag, request_id } = call.decode()?;
            step(call, &request_id, (&name, &etag), PurchaseStep::Approve).await
        }
        "RefusePurchase" => {
            let RefusePurchaseRequest { name, etag, reason, request_id } = call.decode()?;
            step(call, &request_id, (&name, &etag), PurchaseStep::Refuse { reason }).await
        }
        "BuyPurchase" => {
            let BuyPurchaseRequest { name, etag, contract, request_id } = call.decode()?;
            let contract = read_digest(&contract, "contract")?;
            step(call, &request_id, (&name, &etag), PurchaseStep::Buy { contract }).await
        }
        "GetPurchase" => get(call).await,
        "ListPurchases" => list(call).await,
        _ => Err(unknown(call)),
    }
}

async fn request(call: &Call) -> Result<Reply, Refusal> {
    let request: RequestPurchaseRequest = call.decode()?;
    let command = RelationsCommand::RequestPurchase {
        id: PurchaseId(draw()),
        organization: own_organization(call, &request.parent, "parent")?,
        need: request.need,
        items: request.items,
    };
    change(call, &request.request_id, command, shown).await
}

async fn step(
    call: &Call,
    request_id: &str,
    (name, etag): (&str, &str),
    step: PurchaseStep,
) -> Result<Reply, Refusal> {
    let purchase = own(call, purchase_name(name, "name")?)?;
    let version = version_in(etag, "etag")?;
    let command = RelationsCommand::Purchase { purchase, version, step };
    change(call, request_id, command, shown).await
}

async fn get(call: &Call) -> Result<Reply, Refusal> {
    let request: GetPurchaseRequest = call.decode()?;
    let id = own(call, purchase_name(&request.name, "name")?)?;
    find(call, request.name, move |look| {
        let purchase = look.view().purchase(look.domain(), id)?;
        look.sees_affairs_of(purchase.organization).then(|| purchase_message(&purchase))
    })
    .await
}

async fn list(call: &Call) -> Result<Reply, Refusal> {
    let mut request: ListPurchasesRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    let page = paged!(call, request)?;
    call.read(move |look| {
        look.own(&domain)?;
        let (purchases, next_page_token) =
            page.table(look, &key::purchases(&domain), |purchase: Purchase| {
                let seen = look.sees_affairs_of(purchase.organization);
                let shown = seen.then(|| purchase_message(&purchase))?;
                (request.state == 0 || request.state == shown.state).then_some(shown)
            })?;
        Ok(ListPurchasesResponse { purchases, next_page_token })
    })
    .await
}

fn shown(look: &Look<'_>, name: &ResourceName) -> Option<message::Purchase> {
    let Resource::Purchase(id) = name.resource else { return None };
    look.view().purchase(look.domain(), id).as_ref().map(purchase_message)
}
