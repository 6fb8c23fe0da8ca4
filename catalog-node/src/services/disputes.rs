//! `DisputeService`: what asker and provider dispute about a case, and who settles it.
//!
//! Seen by the two sides, by the authority that coordinates, and by the platform's organizations.

use catalog_model::{
    dispute::{Coordinator, Dispute},
    ids::DisputeId,
    name::{Resource, ResourceName},
    reason::Reason,
    refusal::Refusal,
};
use catalog_state::{
    codec,
    command::{Body, case::CaseCommand},
    keys::{Key, Table},
    outcome::Outcome,
};
use luqiao_proto::{
    convert::{
        dispute::dispute_message,
        name::{dispute_name, domain_name, request_name},
        paper_decision::read_paper_decision,
        stated,
    },
    sharing::v1::{
        self as message, CoordinateDisputeRequest, DecideDisputeRequest, EndConsultationRequest,
        GetDisputeRequest, ListDisputesRequest, ListDisputesResponse, RaiseDisputeRequest,
        StatePositionRequest,
    },
};

use super::{
    Call, Look, Reply, draw, not_found,
    organizations::{done, next},
    paging, version_in,
};

pub(super) async fn dispatch(call: &Call) -> Result<Reply, Refusal> {
    match call.method.path {
        "/luqiao.sharing.v1.DisputeService/RaiseDispute" => raise(call).await,
        "/luqiao.sharing.v1.DisputeService/StatePosition" => state_position(call).await,
        "/luqiao.sharing.v1.DisputeService/EndConsultation" => end_consultation(call).await,
        "/luqiao.sharing.v1.DisputeService/CoordinateDispute" => coordinate(call).await,
        "/luqiao.sharing.v1.DisputeService/DecideDispute" => decide(call).await,
        "/luqiao.sharing.v1.DisputeService/GetDispute" => get(call).await,
        "/luqiao.sharing.v1.DisputeService/ListDisputes" => list(call).await,
        path => Err(Refusal::new(Reason::MethodUnknown).fact("method", path)),
    }
}

async fn raise(call: &Call) -> Result<Reply, Refusal> {
    let request: RaiseDisputeRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    call.look_now(|look| look.own(&domain))?;
    let (case_domain, case) = request_name(&request.request, "request")?;
    let raised = CaseCommand::RaiseDispute {
        id: DisputeId(draw()),
        request: ResourceName::new(case_domain, Resource::Request(case)),
        text: request.text,
    };
    write(call, &request.request_id, raised).await
}

async fn state_position(call: &Call) -> Result<Reply, Refusal> {
    let request: StatePositionRequest = call.decode()?;
    let stated = CaseCommand::StatePosition {
        dispute: named(&request.name)?,
        version: version_in(&request.etag, "etag")?,
        text: request.text,
        paper: paper(request.paper.as_ref())?,
    };
    write(call, &request.request_id, stated).await
}

async fn end_consultation(call: &Call) -> Result<Reply, Refusal> {
    let request: EndConsultationRequest = call.decode()?;
    let ended = CaseCommand::EndConsultation {
        dispute: named(&request.name)?,
        version: version_in(&request.etag, "etag")?,
        agreed: request.agreed,
        minutes: request.minutes,
    };
    write(call, &request.request_id, ended).await
}

async fn coordinate(call: &Call) -> Result<Reply, Refusal> {
    let request: CoordinateDisputeRequest = call.decode()?;
    let coordinated = CaseCommand::CoordinateDispute {
        dispute: named(&request.name)?,
        version: version_in(&request.etag, "etag")?,
        agreed: request.agreed,
        minutes: request.minutes,
        paper: paper(request.paper.as_ref())?,
    };
    write(call, &request.request_id, coordinated).await
}

async fn decide(call: &Call) -> Result<Reply, Refusal> {
    let request: DecideDisputeRequest = call.decode()?;
    let decided = CaseCommand::DecideDispute {
        dispute: named(&request.name)?,
        version: version_in(&request.etag, "etag")?,
        decision: read_paper_decision(stated(request.paper.as_ref(), "paper")?, "paper")?,
        result: request.result,
    };
    write(call, &request.request_id, decided).await
}

async fn get(call: &Call) -> Result<Reply, Refusal> {
    let request: GetDisputeRequest = call.decode()?;
    let name = named(&request.name)?;
    call.read(move |look| {
        let dispute = seen(look, &name).ok_or_else(|| not_found(&request.name))?;
        Ok(dispute_message(&dispute))
    })
    .await
}

async fn list(call: &Call) -> Result<Reply, Refusal> {
    let mut request: ListDisputesRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    if !request.request.is_empty() {
        request_name(&request.request, "request")?;
    }
    let size = paging::size(std::mem::take(&mut request.page_size))?;
    let token = std::mem::take(&mut request.page_token);
    let query = paging::query_digest(call.method.path, &call.caller.to_string(), &request);
    call.read(move |look| {
        look.own(&domain)?;
        let from = paging::open(look.page_key(), &query, &token)?;
        let prefix = Key::table(Table::Dispute);
        let page = look.view().page_of(&prefix, from.as_deref(), size, paging::SCAN, |_, bytes| {
            let dispute: Dispute = codec::decode(bytes).expect("rows are written by this program");
            let shown = sees(look, &dispute).then(|| dispute_message(&dispute))?;
            let wanted = (request.request.is_empty() || shown.request == request.request)
                && (request.state == 0 || shown.state == request.state);
            wanted.then_some(shown)
        });
        let next_page_token = next(look, &query, page.next);
        Ok(ListDisputesResponse { disputes: page.rows, next_page_token })
    })
    .await
}

/// The dispute of that name, if the caller may see it.
pub(super) fn seen(look: &Look<'_>, name: &ResourceName) -> Option<Dispute> {
    let Resource::Dispute(id) = name.resource else { return None };
    look.view().dispute(&name.domain, id).filter(|dispute| sees(look, dispute))
}

/// Whether the caller is a side, coordinates, or acts for the platform.
fn sees(look: &Look<'_>, dispute: &Dispute) -> bool {
    let coordinates = match &dispute.coordinator {
        Some(Coordinator::SameLevel(authority)) => look.is_party(authority),
        Some(Coordinator::CommonSuperior) | None => false,
    };
    let side = look.is_party(&dispute.raised_by) || look.is_party(&dispute.against);
    side || coordinates || look.is_platform()
}

fn named(name: &str) -> Result<ResourceName, Refusal> {
    dispute_name(name, "name").map(|(domain, id)| ResourceName::new(domain, Resource::Dispute(id)))
}

fn paper(
    paper: Option<&message::PaperDecision>,
) -> Result<Option<catalog_model::paper_decision::PaperDecision>, Refusal> {
    paper.map(|paper| read_paper_decision(paper, "paper")).transpose()
}

async fn write(call: &Call, request_id: &str, command: CaseCommand) -> Result<Reply, Refusal> {
    call.write(request_id, Body::Case(Box::new(command)), shown).await
}

fn shown(look: &Look<'_>, outcome: &Outcome) -> Result<message::Dispute, Refusal> {
    let name = done(outcome)?;
    let Resource::Dispute(id) = name.resource else { return Err(Refusal::new(Reason::Internal)) };
    let dispute = look.view().dispute(&name.domain, id).ok_or_else(|| not_found(&name))?;
    Ok(dispute_message(&dispute))
}
