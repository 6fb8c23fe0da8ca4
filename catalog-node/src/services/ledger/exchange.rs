//! Exchange: what does another domain get to hold of this ledger, and what is taken of theirs?
//!
//! Each domain asks the other, by a worker of its gateway. What the gateway hands over here it has
//! checked with the trust anchor that it has of the other domain; whether a head extends the one
//! held is decided by the state, and one that does not is on record afterwards.

use std::sync::Arc;

use catalog_model::{reason::Reason, refusal::Refusal};
use catalog_state::{
    command::{Body, proof::ProofCommand},
    ledger::{Fact, Ledger},
};
use luqiao_proto::{
    convert::{
        proof::{cosignature_message, head_message, read_cosignature, read_head, read_path},
        stated,
    },
    federation::v1::{ExchangeHeadsRequest, ExchangeHeadsResponse},
    node::v1::{
        GetHeadStandingRequest, GetHeadStandingResponse, TakeCosignatureRequest,
        TakeCosignatureResponse, TakeHeadRequest, TakeHeadResponse,
    },
};

use crate::services::{
    Call, Reply, Services,
    federation::scope_of_caller,
    links::{commit, domain_id},
};

/// Most records at the end of the ledger that are passed over as being about the exchange itself.
const BUSY_SCAN: u64 = 1_000;
/// Name of the alarm: a head of another domain contradicts the one held.
pub(in crate::services) const HEAD_FORKED: &str = "head-forked";
/// Name of the alarm: another domain holds a head that is not of this ledger.
const HEAD_NOT_OURS: &str = "head-not-ours";

pub(in crate::services) async fn answer(call: &Call) -> Result<Reply, Refusal> {
    let request: ExchangeHeadsRequest = call.decode()?;
    let services = call.services.clone();
    call.read(move |look| {
        scope_of_caller(look)?;
        let ledger = Ledger(look.state);
        let size = ledger.size();
        let from = request.held_size.min(size);
        let path =
            if request.held_size <= size { ledger.consistency_proof(from, size) } else { None };
        let held = look.view().held_head(&look.caller.domain);
        let cosignature =
            held.map(|held| services.head_key.cosignature(look, &held)).transpose()?;
        Ok(ExchangeHeadsResponse {
            head: Some(head_message(&services.head_key.head(look, size)?)),
            from,
            path: path.unwrap_or_default().iter().map(|hash| hash.to_vec().into()).collect(),
            news_size: news_size(&ledger, size),
            cosignature: cosignature.as_ref().map(cosignature_message),
        })
    })
    .await
}

/// Records up to the last one that is not about heads of others.
fn news_size(ledger: &Ledger<'_>, size: u64) -> u64 {
    let busy = |place: &u64| {
        ledger.record(*place).is_some_and(|record| {
            matches!(record.fact, Fact::HeadHeld { .. } | Fact::HeadCosigned { .. })
        })
    };
    let passed = (0..size).rev().take(BUSY_SCAN as usize).take_while(busy).count();
    size - passed as u64
}

pub(in crate::services) async fn standing(
    services: &Arc<Services>,
    request: GetHeadStandingRequest,
) -> Result<GetHeadStandingResponse, Refusal> {
    let domain = domain_id(&request.domain)?;
    services.handle.read().await?;
    Ok(services.handle.view(|state| {
        let view = catalog_state::view::View(state);
        GetHeadStandingResponse {
            held_size: view.held_head(&domain).map_or(0, |held| held.head.head.tree_size),
            cosigned_size: view
                .cosignature(&domain)
                .map_or(0, |row| row.cosignature.head.tree_size),
        }
    }))
}

pub(in crate::services) async fn take_head(
    services: &Arc<Services>,
    request: TakeHeadRequest,
) -> Result<TakeHeadResponse, Refusal> {
    let head = read_head(stated(request.head.as_ref(), "head")?, "head")?;
    let path = read_path(&request.path, "path")?;
    let domain = head.head.domain.clone();
    let body = ProofCommand::ReceiveHead {
        head,
        from: request.from,
        path: path.into_iter().map(Into::into).collect(),
    };
    let taken = commit(services, Body::Proof(Box::new(body))).await;
    if taken.as_ref().is_err_and(|refusal| refusal.reason == Reason::HeadDoesNotExtend) {
        tracing::error!(%domain, "The past of another domain was rewritten");
    }
    taken.map(|_| TakeHeadResponse {})
}

pub(in crate::services) async fn take_cosignature(
    services: &Arc<Services>,
    request: TakeCosignatureRequest,
) -> Result<TakeCosignatureResponse, Refusal> {
    let cosignature =
        read_cosignature(stated(request.cosignature.as_ref(), "cosignature")?, "cosignature")?;
    let cosigner = cosignature.cosigner.clone();
    let body = ProofCommand::ReceiveCosignature { cosignature };
    let taken = commit(services, Body::Proof(Box::new(body))).await;
    let (alarms, subject) = (services.handle.alarms(), cosigner.as_str());
    match &taken {
        Ok(_) => alarms.clear(HEAD_NOT_OURS, subject),
        Err(refusal) if refusal.reason == Reason::HeadNotOurs => {
            alarms.raise(HEAD_NOT_OURS, subject, services.handle.clock().wall());
        }
        Err(_) => {}
    }
    taken.map(|_| TakeCosignatureResponse {})
}
