//! `FenceService`: how does this node stand towards the openings of its cluster, and who may make it
//! hear of a later one?
//!
//! Asked of one node by itself, past the gate: a fenced node answers it, and so does one that leads
//! nobody. Anyone of the domain who has a certificate may look. To make a node hear, a forced
//! failover must have been approved: two persons signed, each with a certificate of the domain that
//! is valid now. What they approved ends the opening to which the node belongs, or a later one.

use std::{sync::Arc, time::Duration};

use catalog_model::{
    fence::{Said, TurnedAway},
    reason::{Lang, Reason},
    refusal::Refusal,
    site::Pair,
    time::UtcMillis,
    witness::{
        Act, Approval,
        approval::{self, Wanted},
    },
};
use luqiao_proto::node::v1::{
    GetStandingRequest, GetStandingResponse, HearRequest, HearResponse, NodeOpening, OpeningPair,
    fence_service_server::FenceService,
};
use luqiao_transport::{
    accept::ConnectionInfo,
    identity::{SpiffeId, Subject},
    status,
    tls::TlsMaterial,
};
use tonic::{Request, Response, Status};

use super::{Services, signed};
use crate::handle::NodeHandle;

/// Approvals that are looked at; two are needed, and few clusters have more approvers.
const APPROVALS_MAX: usize = 8;

/// Answers operators about one node.
#[derive(Debug, Clone)]
pub(crate) struct Fences {
    services: Arc<Services>,
    tls: Arc<TlsMaterial>,
}

impl Fences {
    pub(crate) fn new(services: Arc<Services>, tls: Arc<TlsMaterial>) -> Self {
        Self { services, tls }
    }

    /// Anyone of our own domain: the approvals decide, not who brings them.
    fn admit<T>(&self, request: &Request<T>) -> Result<(), Refusal> {
        let info = request.extensions().get::<ConnectionInfo>();
        let name = info.and_then(|info| info.certificate.as_ref()?.spiffe.as_ref());
        if name.is_some_and(|name| name.domain == *self.services.handle.domain()) {
            Ok(())
        } else {
            Err(Refusal::new(Reason::EnvelopeRefused))
        }
    }

    /// Whether a failover was approved that opens `pair`, from an opening that is not past here.
    fn check(&self, pair: Pair, approvals: &[Approval], now: UtcMillis) -> Result<(), Refusal> {
        let handle = &self.services.handle;
        let Some(Approval { statement: first, .. }) = approvals.first() else {
            return Err(Refusal::new(Reason::ApprovalsMissing)
                .fact("cause", "there is none")
                .fact("cause_zh", "没有批准"));
        };
        let wanted = Wanted {
            domain: handle.domain(),
            act: Act::Failover,
            from: &first.from,
            to: &first.to,
            pair: first.pair,
            now,
            approvers: &[],
        };
        approval::check(approvals, &wanted).map_err(|refusal| refusal.refusal())?;
        for approval in approvals {
            let wrong = |what: &str, what_zh: &str| {
                Refusal::new(Reason::ApprovalDiffers).fact("what", what).fact("what_zh", what_zh)
            };
            let certificate = approval.certificate.as_slice().into();
            let holder = self
                .tls
                .verify_holder(&certificate, Duration::from_millis(now.0))
                .map_err(|_| wrong("certificate", "证书"))?;
            let names_approver = holder.is_some_and(|holder| is_person(&holder, approval));
            if !names_approver {
                return Err(wrong("approver", "批准人"));
            }
            let message = approval.statement.signed_bytes();
            signed::check(&approval.certificate, &message, &approval.signature)
                .map_err(|()| wrong("signature", "签名"))?;
        }
        if first.pair.failed_over() != pair {
            return Err(Refusal::new(Reason::ApprovalDiffers)
                .fact("what", "epoch")
                .fact("what_zh", "纪元"));
        }
        // An approval dies with the epoch in which it was given.
        let own = handle.known().speaks_for();
        if first.pair < own { Err(TurnedAway::Past { pair: own }.refusal()) } else { Ok(()) }
    }
}

/// Whether the certificate is the approver's.
fn is_person(holder: &SpiffeId, approval: &Approval) -> bool {
    let Subject::Person { organization, person } = &holder.subject else { return false };
    let name = format!("domains/{}/organizations/{organization}/persons/{person}", holder.domain);
    approval.approver.to_string() == name
}

/// How the node stands, as a message.
pub(crate) fn opening(handle: &NodeHandle) -> NodeOpening {
    let (known, status) = (handle.known(), handle.status());
    let pair = |Pair { generation, epoch }| OpeningPair { generation, epoch };
    NodeOpening {
        belongs: known.belongs.map(pair),
        heard: Some(pair(known.heard)),
        opened: Some(pair(known.opened)),
        standing: known.standing().name().to_owned(),
        sealed_for: known.sealed.map(|sealed| sealed.failover.to_string()).unwrap_or_default(),
        replica_ended: status.sealed,
        term: status.replica.term,
        last_index: status.replica.last_index,
        commit_index: status.replica.commit,
    }
}

#[tonic::async_trait]
impl FenceService for Fences {
    async fn get_standing(
        &self,
        request: Request<GetStandingRequest>,
    ) -> Result<Response<GetStandingResponse>, Status> {
        self.admit(&request).map_err(refused)?;
        let handle = &self.services.handle;
        Ok(Response::new(GetStandingResponse {
            node: handle.id().to_string(),
            cluster_id: handle.fencing().cluster().to_owned(),
            opening: Some(opening(handle)),
        }))
    }

    async fn hear(&self, request: Request<HearRequest>) -> Result<Response<HearResponse>, Status> {
        self.admit(&request).map_err(refused)?;
        let HearRequest { pair, approvals } = request.into_inner();
        let handle = &self.services.handle;
        let pair = pair.map(|OpeningPair { generation, epoch }| Pair { generation, epoch });
        let Some(pair) = pair else {
            let missing = Refusal::new(Reason::FieldInvalid);
            return Err(refused(missing.field("pair", "is missing", "缺失")));
        };
        if approvals.len() > APPROVALS_MAX {
            return Err(refused(
                Refusal::new(Reason::TooManyItems)
                    .fact("field", "approvals")
                    .fact("length", approvals.len())
                    .fact("limit", APPROVALS_MAX),
            ));
        }
        let approvals: Vec<Approval> = approvals
            .iter()
            .map(|approval| minicbor::decode(approval))
            .collect::<Result<_, _>>()
            .map_err(|error| {
                refused(Refusal::new(Reason::MessageMalformed).fact("cause", error))
            })?;
        let now = handle.clock().wall();
        self.check(pair, &approvals, now).map_err(refused)?;
        let changed = handle.known().heard < pair;
        handle.fencing().hear(&Said { heard: pair, ..Said::NOTHING });
        // What the approvals were about is on record before this node says that it heard.
        for approval in &approvals {
            tracing::warn!(%pair, approver = %approval.approver, "Made to hear of an opening");
        }
        Ok(Response::new(HearResponse { changed, opening: Some(opening(handle)) }))
    }
}

fn refused(refusal: Refusal) -> Status {
    status::of(&refusal, Lang::En)
}
