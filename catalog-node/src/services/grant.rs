//! `GrantService`: what comes after a grant.
//!
//! A grant is changed in the domain that gave it, by its user from whichever domain it comes; what
//! a user did with the data is kept where the user is at home. What does not belong here is
//! answered with the domain to which it does (`NOT_OWNER`), by which a gateway carries it on.

mod uses;

use catalog_model::{name::ResourceName, reason::Reason, refusal::Refusal};
use catalog_state::command::{Body, GrantCommand};
use luqiao_proto::{
    convert::{
        digest::{read_digest, read_optional_digest},
        grant::{
            read_disposal_manner, read_ground, read_purpose_end, read_sharing_method,
            read_wider_use,
        },
        time::read_date,
    },
    sharing::v1::{
        AcknowledgeDeliveryRequest, ConsentWiderUseRequest, EndPurposeRequest,
        JudgeRectificationRequest, OfferDeliveryRequest, ProveDisposalRequest,
        RecordAgreementRequest, RecordRetrievalRequest, ReportRectificationRequest,
        RequireDisposalRequest, SuspendForMisuseRequest,
    },
};

use super::{
    Call, Reply,
    sharing::{granted_name, shown_grant},
    version_in,
};

pub(super) async fn dispatch(call: &Call) -> Result<Reply, Refusal> {
    match call.method.path {
        "/luqiao.sharing.v1.GrantService/OfferDelivery" => offer(call).await,
        "/luqiao.sharing.v1.GrantService/RecordRetrieval" => retrieved(call).await,
        "/luqiao.sharing.v1.GrantService/AcknowledgeDelivery" => acknowledge(call).await,
        "/luqiao.sharing.v1.GrantService/SuspendForMisuse" => suspend(call).await,
        "/luqiao.sharing.v1.GrantService/ReportRectification" => report(call).await,
        "/luqiao.sharing.v1.GrantService/JudgeRectification" => judge(call).await,
        "/luqiao.sharing.v1.GrantService/EndPurpose" => end_purpose(call).await,
        "/luqiao.sharing.v1.GrantService/RequireDisposal" => require_disposal(call).await,
        "/luqiao.sharing.v1.GrantService/ProveDisposal" => prove_disposal(call).await,
        "/luqiao.sharing.v1.GrantService/ConsentWiderUse" => consent_wider_use(call).await,
        "/luqiao.sharing.v1.GrantService/RecordAgreement" => record_agreement(call).await,
        "/luqiao.sharing.v1.GrantService/RecordUse" => uses::record(call).await,
        "/luqiao.sharing.v1.GrantService/ListUseRecords" => uses::list(call).await,
        "/luqiao.sharing.v1.GrantService/PurgeUseRecords" => uses::purge(call).await,
        "/luqiao.sharing.v1.GrantService/CheckUse" => uses::check(call).await,
        path => Err(Refusal::new(Reason::MethodUnknown).fact("method", path)),
    }
}

/// Name and version of a grant that is to be changed.
fn read_at(name: &str, etag: &str) -> Result<(ResourceName, u64), Refusal> {
    Ok((granted_name(name)?, version_in(etag, "etag")?))
}

/// Commits a command about a grant and shows how the grant stands then.
async fn change(call: &Call, request_id: &str, command: GrantCommand) -> Result<Reply, Refusal> {
    call.write(request_id, Body::Grant(Box::new(command)), shown_grant).await
}

async fn offer(call: &Call) -> Result<Reply, Refusal> {
    let request: OfferDeliveryRequest = call.decode()?;
    let (grant, version) = read_at(&request.name, &request.etag)?;
    let method = read_sharing_method(request.method, "method")?;
    let command = GrantCommand::OfferDelivery { grant, version, method };
    change(call, &request.request_id, command).await
}

async fn retrieved(call: &Call) -> Result<Reply, Refusal> {
    let request: RecordRetrievalRequest = call.decode()?;
    let grant = granted_name(&request.name)?;
    let command = GrantCommand::RecordRetrieval { grant, test: request.test };
    change(call, &request.request_id, command).await
}

async fn acknowledge(call: &Call) -> Result<Reply, Refusal> {
    let request: AcknowledgeDeliveryRequest = call.decode()?;
    let (grant, version) = read_at(&request.name, &request.etag)?;
    let command = GrantCommand::AcknowledgeDelivery { grant, version };
    change(call, &request.request_id, command).await
}

async fn suspend(call: &Call) -> Result<Reply, Refusal> {
    let request: SuspendForMisuseRequest = call.decode()?;
    let (grant, version) = read_at(&request.name, &request.etag)?;
    let command = GrantCommand::SuspendForMisuse {
        grant,
        version,
        ground: read_ground(request.ground, "ground")?,
        reason: request.reason,
        evidence: read_digest(&request.evidence, "evidence")?,
        rectify_by: read_date(&request.rectify_by, "rectify_by")?,
    };
    change(call, &request.request_id, command).await
}

async fn report(call: &Call) -> Result<Reply, Refusal> {
    let request: ReportRectificationRequest = call.decode()?;
    let (grant, version) = read_at(&request.name, &request.etag)?;
    let command = GrantCommand::ReportRectification {
        grant,
        version,
        refused: request.refused,
        text: request.text,
        digest: read_optional_digest(&request.digest, "digest")?,
    };
    change(call, &request.request_id, command).await
}

async fn judge(call: &Call) -> Result<Reply, Refusal> {
    let request: JudgeRectificationRequest = call.decode()?;
    let (grant, version) = read_at(&request.name, &request.etag)?;
    let (adequate, reason) = (request.adequate, request.reason);
    let command = GrantCommand::JudgeRectification { grant, version, adequate, reason };
    change(call, &request.request_id, command).await
}

async fn end_purpose(call: &Call) -> Result<Reply, Refusal> {
    let request: EndPurposeRequest = call.decode()?;
    let (grant, version) = read_at(&request.name, &request.etag)?;
    let kind = read_purpose_end(request.kind, "kind")?;
    let command = GrantCommand::EndPurpose { grant, version, kind, note: request.note };
    change(call, &request.request_id, command).await
}

async fn require_disposal(call: &Call) -> Result<Reply, Refusal> {
    let request: RequireDisposalRequest = call.decode()?;
    let (grant, version) = read_at(&request.name, &request.etag)?;
    let manner = read_disposal_manner(request.manner, "manner")?;
    let command = GrantCommand::RequireDisposal { grant, version, manner, note: request.note };
    change(call, &request.request_id, command).await
}

async fn prove_disposal(call: &Call) -> Result<Reply, Refusal> {
    let request: ProveDisposalRequest = call.decode()?;
    let (grant, version) = read_at(&request.name, &request.etag)?;
    let command = GrantCommand::ProveDisposal {
        grant,
        version,
        manner: read_disposal_manner(request.manner, "manner")?,
        digest: read_digest(&request.digest, "digest")?,
    };
    change(call, &request.request_id, command).await
}

async fn consent_wider_use(call: &Call) -> Result<Reply, Refusal> {
    let request: ConsentWiderUseRequest = call.decode()?;
    let (grant, version) = read_at(&request.name, &request.etag)?;
    let command = GrantCommand::ConsentWiderUse {
        grant,
        version,
        kind: read_wider_use(request.kind, "kind")?,
        recipient: request.recipient,
        purpose: request.purpose,
        items: request.items,
    };
    change(call, &request.request_id, command).await
}

async fn record_agreement(call: &Call) -> Result<Reply, Refusal> {
    let request: RecordAgreementRequest = call.decode()?;
    let (grant, version) = read_at(&request.name, &request.etag)?;
    let command = GrantCommand::RecordAgreement {
        grant,
        version,
        number: request.number,
        digest: read_digest(&request.digest, "digest")?,
        signed: read_date(&request.signed, "signed")?,
    };
    change(call, &request.request_id, command).await
}
