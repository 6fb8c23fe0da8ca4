//! Two sites and their witness: `DisasterRecoveryService` for the domain's own people, and
//! `WitnessService` for those whose cell is kept here.
//!
//! Signatures of approvals are checked here, where a call enters: what comes out of the log has been
//! checked once, and the state machine needs neither keys nor certificates.

mod status;
pub(crate) mod trust;
mod witness;

use catalog_model::{ids::DomainId, reason::Reason, refusal::Refusal, witness::Approval};
use catalog_state::{
    command::{
        Body,
        sites::{NodeSite, SitesCommand},
    },
    rows::sites::{DrPolicyContent, SwitchoverState, SwitchoverStep},
};
use luqiao_proto::{
    convert::{digest::read_digest, dr::read_approvals, name::domain_name, stated},
    dr::v1::{
        AbortSwitchoverRequest, BeginSwitchoverRequest, CloseWindowRequest, GetStatusRequest,
        ReleaseActsRequest, SetPolicyRequest, SetSitesRequest,
    },
};

use super::{Call, Reply};

/// The pause of a switchover whose caller names none, in milliseconds.
const PAUSE_MS: u64 = 1_000;

/// One line for each method.
pub(super) async fn dispatch(call: &Call) -> Result<Reply, Refusal> {
    match call.method.path {
        "/luqiao.dr.v1.DisasterRecoveryService/GetStatus" => get_status(call).await,
        "/luqiao.dr.v1.DisasterRecoveryService/SetSites" => set_sites(call).await,
        "/luqiao.dr.v1.DisasterRecoveryService/SetPolicy" => set_policy(call).await,
        "/luqiao.dr.v1.DisasterRecoveryService/ReleaseActs" => release_acts(call).await,
        "/luqiao.dr.v1.DisasterRecoveryService/BeginSwitchover" => begin_switchover(call).await,
        "/luqiao.dr.v1.DisasterRecoveryService/AbortSwitchover" => abort_switchover(call).await,
        "/luqiao.dr.v1.DisasterRecoveryService/CloseWindow" => close_window(call).await,
        "/luqiao.dr.v1.WitnessService/GetCell" => witness::get(call).await,
        "/luqiao.dr.v1.WitnessService/WriteCell" => witness::write(call).await,
        "/luqiao.dr.v1.WitnessService/ListActsAtRisk" => witness::acts(call).await,
        path => Err(Refusal::new(Reason::MethodUnknown).fact("method", path)),
    }
}

/// The domain in a name, which must be our own.
fn own(call: &Call, name: &str) -> Result<DomainId, Refusal> {
    let domain = domain_name(name, "name")?;
    call.look_now(|look| look.own(&domain))?;
    Ok(domain)
}

/// How the sites stand is for everybody in the domain: it says what an acknowledgement is worth.
async fn get_status(call: &Call) -> Result<Reply, Refusal> {
    let request: GetStatusRequest = call.decode()?;
    own(call, &request.name)?;
    call.read(|look| Ok(status::status_message(look))).await
}

async fn write(call: &Call, request_id: &str, command: SitesCommand) -> Result<Reply, Refusal> {
    let body = Body::Sites(Box::new(command));
    call.write(request_id, body, |look, _| Ok(status::status_message(look))).await
}

/// Reads approvals of acts on our own sites, and checks who signed them.
fn approvals(
    call: &Call,
    given: &[luqiao_proto::dr::v1::Approval],
) -> Result<Vec<Approval>, Refusal> {
    let approvals = read_approvals(given, "approvals")?;
    let own = call.look_now(|look| Ok(look.domain().clone()))?;
    call.services.trust.check(&own, &approvals, call.handle().view(status::clock))?;
    Ok(approvals)
}

async fn set_sites(call: &Call) -> Result<Reply, Refusal> {
    let request: SetSitesRequest = call.decode()?;
    own(call, &request.name)?;
    let site = |text: &str, field: &str| {
        text.parse().map_err(|error: catalog_model::ids::IdError| {
            Refusal::new(Reason::FieldInvalid).field(
                field,
                format!("is not {}", error.expected),
                "取值无效",
            )
        })
    };
    let nodes = request.nodes.iter().enumerate();
    let sites = nodes
        .map(|(place, at)| {
            let site = site(&at.site, &format!("nodes[{place}].site"))?;
            Ok(NodeSite { node: at.node, site })
        })
        .collect::<Result<_, Refusal>>()?;
    let active = site(&request.active_site, "active_site")?;
    let command = SitesCommand::SetSites { version: request.version, sites, active };
    write(call, &request.request_id, command).await
}

async fn set_policy(call: &Call) -> Result<Reply, Refusal> {
    let request: SetPolicyRequest = call.decode()?;
    own(call, &request.name)?;
    let policy = stated(request.policy.as_ref(), "policy")?;
    let invalid = |field: &str| {
        Refusal::new(Reason::FieldInvalid).field(field, "is not a name", "不是有效名称")
    };
    let each = policy.approvers.iter().enumerate();
    let approvers = each
        .map(|(place, name)| {
            name.parse().map_err(|_| invalid(&format!("policy.approvers[{place}]")))
        })
        .collect::<Result<_, Refusal>>()?;
    let witness = match policy.witness.as_str() {
        "" => None,
        witness => Some(witness.parse().map_err(|_| invalid("policy.witness"))?),
    };
    let policy = DrPolicyContent {
        document_number: policy.document_number.clone(),
        digest: read_digest(&policy.digest, "policy.digest")?,
        approvers,
        witness,
    };
    write(call, &request.request_id, SitesCommand::SetPolicy { policy }).await
}

async fn release_acts(call: &Call) -> Result<Reply, Refusal> {
    let request: ReleaseActsRequest = call.decode()?;
    own(call, &request.name)?;
    let approvals = approvals(call, &request.approvals)?;
    let command = SitesCommand::ReleaseActs { approvals, reason: request.reason };
    write(call, &request.request_id, command).await
}

async fn begin_switchover(call: &Call) -> Result<Reply, Refusal> {
    let request: BeginSwitchoverRequest = call.decode()?;
    own(call, &request.name)?;
    let to = request.to.parse().map_err(|error: catalog_model::ids::IdError| {
        let what = format!("is not {}", error.expected);
        Refusal::new(Reason::FieldInvalid).field("to", what, "取值无效")
    })?;
    let approvals = approvals(call, &request.approvals)?;
    let max_pause_ms = if request.max_pause_ms == 0 { PAUSE_MS } else { request.max_pause_ms };
    let step = SwitchoverStep::Begin { to, approvals, max_pause_ms };
    write(call, &request.request_id, SitesCommand::Switchover { step }).await
}

async fn abort_switchover(call: &Call) -> Result<Reply, Refusal> {
    let request: AbortSwitchoverRequest = call.decode()?;
    own(call, &request.name)?;
    let step = SwitchoverStep::Reach { number: request.number, state: SwitchoverState::Aborted };
    write(call, &request.request_id, SitesCommand::Switchover { step }).await
}

async fn close_window(call: &Call) -> Result<Reply, Refusal> {
    let request: CloseWindowRequest = call.decode()?;
    own(call, &request.name)?;
    let (generation, reason) = (request.generation, request.reason);
    write(call, &request.request_id, SitesCommand::CloseWindow { generation, reason }).await
}
