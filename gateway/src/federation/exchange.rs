//! Exchange: which head of the other domain's ledger do we hold, and does it hold one of ours?
//!
//! By the clock, and not on every change, because a held head is itself a record. Each side asks the
//! other: for its newest head with the proof that it extends the one held here, and for its
//! signature on the head of ours that it holds. Both are checked with the authority that is
//! configured for the other domain before the cluster is told of them; whether a head extends the
//! one held is the cluster's to decide, and one that does not is on record afterwards, with an alarm
//! (FED-15). The first head is taken on the word of the certificate alone: it pins the cluster.

use std::{fs, sync::Arc};

use bytes::Bytes;
use catalog_model::{
    ids::DomainId,
    reason::{Lang, Reason},
    refusal::Refusal,
};
use catalog_proofs::{
    head::{Cosignature, SignedHead},
    receipt::{
        Rejected,
        document::{self, TrustAnchor},
        verify_cosignature, verify_head,
    },
    suite::Suite,
};
use luqiao_proto::{
    convert::{
        name::domain_name,
        proof::{cosignature_message, read_cosignature, read_head},
    },
    federation::v1::{ExchangeHeadsRequest, ExchangeHeadsResponse},
    ledger::v1::{self as ledger, VerifyAgainstRequest},
};
use luqiao_transport::{dial::Dialer, status::Problem};
use prost::Message as _;
use tokio::time::sleep;

use super::{LinkFailed, Links, Worker, workers};
use crate::{
    config::{Config, PeerConfig},
    upstream::{CallFailed, Upstream},
};

/// The last line of a certificate in PEM.
const END: &str = "-----END CERTIFICATE-----";
const EXCHANGE_HEADS: &str = "/luqiao.federation.v1.FederationService/ExchangeHeads";
/// The method whose question the gateway completes: only it can ask the other domain.
const VERIFY_AGAINST: &str = "/luqiao.ledger.v1.LedgerService/VerifyAgainst";

/// Why what another domain said about heads was not believed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unbelieved {
    #[error("its authority cannot be read from {file}")]
    Authority { file: String, source: std::io::Error },
    #[error("its head or cosignature cannot be read: {0}")]
    Malformed(String),
    #[error("its {what} is not genuine: {}", .rejected.text(Lang::En))]
    NotGenuine { what: &'static str, rejected: Rejected },
    #[error("it answers for {0}")]
    OtherDomain(String),
}

impl Worker {
    /// Exchanges heads for ever, a while apart. A peer that fails is asked again next time.
    pub(super) async fn exchange(&self) {
        let mut told = None;
        loop {
            self.links.until_healed(&self.peer.domain).await;
            let ended = tokio::select! {
                () = self.links.until_cut(&self.peer.domain) => continue,
                ended = self.exchange_once() => ended,
            };
            let domain = &self.peer.domain;
            let pause = match &ended {
                Ok(Exchanged::Both) => self.head_exchange,
                // It is on record, or not to be had before somebody upgrades: saying it again every
                // few seconds makes it no truer.
                Err(failed) if is_fork(failed) || is_too_early(failed) => self.head_exchange,
                // The other side has not had its turn, or the link is not up yet.
                Ok(Exchanged::Theirs) | Err(_) => self.link_retry_max,
            };
            let trouble = ended.as_ref().err().map(LinkFailed::explain);
            if told != trouble {
                if let Some(error) = &trouble {
                    tracing::warn!(%domain, error, "Heads not exchanged");
                } else {
                    tracing::info!(%domain, "Heads exchanged");
                }
                told.clone_from(&trouble);
            }
            let forked = ended.as_ref().err().is_some_and(is_fork);
            self.note(|state| state.forked = trouble.filter(|_| forked));
            // Two gateways of a domain do the same work; apart, the second finds it done.
            let share = 0.9 + 0.2 * fastrand::f64();
            sleep(pause.min(self.head_exchange).mul_f64(share)).await;
        }
    }

    async fn exchange_once(&self) -> Result<Exchanged, LinkFailed> {
        let standing = self.upstream.head_standing(&self.peer.domain).await?;
        let (answer, believed) = self.ask_heads(standing.held_size).await?;
        let size = believed.head.head.tree_size;
        // Equal sizes are compared too: the same number of other records is another past.
        let news = answer.news_size > standing.held_size || size <= standing.held_size;
        let taken = if news && size > 0 {
            self.upstream.take_head(answer.head, answer.from, answer.path).await
        } else {
            Ok(())
        };
        // Their word on our past counts whatever is the matter with theirs.
        let exchanged = match &believed.cosignature {
            None => Exchanged::Theirs,
            Some(cosignature) => {
                // One that is on record is taken again now and then, because the cluster also
                // looks whether it still is of its ledger; what is known changes nothing.
                self.upstream.take_cosignature(cosignature_message(cosignature)).await?;
                Exchanged::Both
            }
        };
        taken?;
        Ok(exchanged)
    }

    /// Asks the other domain, and believes what its authority vouches for.
    async fn ask_heads(
        &self,
        held_size: u64,
    ) -> Result<(ExchangeHeadsResponse, Believed), LinkFailed> {
        let mut peer = self.dial().await?;
        let question = ExchangeHeadsRequest { held_size }.encode_to_vec().into();
        let answer = ExchangeHeadsResponse::decode(peer.call(EXCHANGE_HEADS, question).await?)?;
        let believed = believe(&self.peer, &answer)?;
        Ok((answer, believed))
    }
}

/// How far an exchange came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exchanged {
    /// We hold their head, and they hold one of ours.
    Both,
    /// We hold theirs.
    Theirs,
}

/// What the authority of the other domain vouches for.
struct Believed {
    head: SignedHead,
    cosignature: Option<Cosignature>,
}

fn believe(peer: &PeerConfig, answer: &ExchangeHeadsResponse) -> Result<Believed, Unbelieved> {
    let malformed = |refusal: Refusal| Unbelieved::Malformed(refusal.text(Lang::En));
    let head = answer.head.clone().unwrap_or_default();
    let head = read_head(&head, "head").map_err(malformed)?;
    of_peer(peer, &head.head.domain)?;
    let anchor = anchor(peer, &head.head.cluster_id, head.head.suite)?;
    let genuine = |what| move |rejected| Unbelieved::NotGenuine { what, rejected };
    verify_head(&document::TreeHead::from(&head), &anchor).map_err(genuine("head"))?;
    let cosignature = answer
        .cosignature
        .as_ref()
        .map(|cosignature| read_cosignature(cosignature, "cosignature"))
        .transpose()
        .map_err(malformed)?;
    if let Some(cosignature) = &cosignature {
        of_peer(peer, &cosignature.cosigner)?;
        verify_cosignature(&document::Cosignature::from(cosignature), &anchor)
            .map_err(genuine("cosignature"))?;
    }
    Ok(Believed { head, cosignature })
}

fn of_peer(peer: &PeerConfig, domain: &DomainId) -> Result<(), Unbelieved> {
    if *domain == peer.domain { Ok(()) } else { Err(Unbelieved::OtherDomain(domain.to_string())) }
}

/// The trust anchor of the other domain: the authority that is configured for it. Its certificates
/// name the cluster, and the first head that is held pins which.
fn anchor(
    peer: &PeerConfig,
    cluster_id: &[u8; 16],
    suite: Suite,
) -> Result<TrustAnchor, Unbelieved> {
    let file = peer.head_ca.as_ref().unwrap_or(&peer.ca);
    let text = fs::read_to_string(file)
        .map_err(|source| Unbelieved::Authority { file: file.display().to_string(), source })?;
    let certificates = text.split_inclusive(END).filter(|part| part.contains(END));
    Ok(TrustAnchor {
        domain: peer.domain.to_string(),
        cluster_id: catalog_proofs::hex(cluster_id),
        hash: suite.hash_name().to_owned(),
        algorithm: suite.signature_name().to_owned(),
        ca_certificates: certificates.map(|part| part.trim().to_owned()).collect(),
        forks: Vec::new(),
    })
}

/// Who asks other domains what they hold of this ledger, while somebody waits.
#[derive(Clone)]
pub struct Holders(Arc<Vec<Worker>>);

impl std::fmt::Debug for Holders {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|worker| &worker.peer.domain)).finish()
    }
}

impl Holders {
    /// Those to which `config` has links.
    pub fn new(config: &Config, dialer: &Dialer, upstream: &Upstream, links: &Links) -> Self {
        Self(Arc::new(workers(config, dialer, upstream, links).collect()))
    }

    /// Completes the question how the ledger stands against what a domain holds: with what it says
    /// now. Every other call stays as it is; so does this one if the domain cannot be reached or
    /// believed, and the node takes what it was told before.
    pub async fn complete(&self, method: &str, call: Bytes) -> Bytes {
        if method != VERIFY_AGAINST {
            return call;
        }
        let Ok(question) = VerifyAgainstRequest::decode(call.clone()) else { return call };
        match self.answer(question).await {
            Some(completed) => completed.encode_to_vec().into(),
            None => call,
        }
    }

    async fn answer(&self, question: VerifyAgainstRequest) -> Option<VerifyAgainstRequest> {
        if question.cosignature.is_some() {
            return None;
        }
        let holder = domain_name(&question.holder, "holder").ok()?;
        let worker = self.0.iter().find(|worker| worker.peer.domain == holder)?;
        let asked = tokio::select! {
            () = worker.links.until_cut(&holder) => return None,
            asked = worker.ask_heads(0) => asked,
        };
        match asked {
            Ok((_, Believed { cosignature, .. })) => {
                let cosignature: Option<ledger::Cosignature> =
                    cosignature.as_ref().map(cosignature_message);
                cosignature.map(|cosignature| VerifyAgainstRequest {
                    cosignature: Some(cosignature),
                    ..question
                })
            }
            Err(failed) => {
                tracing::info!(domain = %holder, error = failed.explain(), "Holder not asked");
                None
            }
        }
    }
}

/// Whether the cluster found that the other domain's past was rewritten, or ours in its eyes.
fn is_fork(failed: &LinkFailed) -> bool {
    let LinkFailed::Own(CallFailed::Refused(status)) = failed else { return false };
    matches!(
        Problem::from_status(status).reason,
        Some(Reason::HeadDoesNotExtend | Reason::HeadNotOurs)
    )
}

/// Whether one of the two clusters, or the program of the other gateway, is older than heads.
fn is_too_early(failed: &LinkFailed) -> bool {
    let (LinkFailed::Own(CallFailed::Refused(status)) | LinkFailed::Refused(status)) = failed
    else {
        return false;
    };
    matches!(Problem::from_status(status).reason, Some(Reason::LevelTooLow | Reason::MethodUnknown))
}
