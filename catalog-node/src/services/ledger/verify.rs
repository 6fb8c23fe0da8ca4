//! Verify: is this store still the history that it claims to be, and that others were promised?

use catalog_model::{ids::DomainId, reason::Lang, refusal::Refusal};
use catalog_proofs::{against::Against, head::Cosignature};
use catalog_state::ledger::{
    Ledger,
    audit::{Finding, portion},
};
use luqiao_proto::{
    convert::{
        name::domain_name,
        proof::{cosignature_message, head_message, read_cosignature},
        time::timestamp,
    },
    ledger::v1::{
        AgainstVerdict, ConsistencyProof, HeldCosignature, HeldHead, LedgerFinding,
        ListHeadsRequest, ListHeadsResponse, VerifyAgainstRequest, VerifyAgainstResponse,
        VerifyLedgerRequest, VerifyLedgerResponse,
    },
};

use crate::services::{Call, Look, Reply, not_found};

/// Records of a portion if the caller does not say, and the most.
const PORTION: u64 = 5_000;
/// Most findings of a portion: who has as many knows enough.
const FINDINGS_MAX: usize = 100;

pub(super) async fn ledger(call: &Call) -> Result<Reply, Refusal> {
    let request: VerifyLedgerRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    let lang = call.lang;
    call.read(move |look| {
        look.own(&domain)?;
        check_platform(look)?;
        let size = Ledger(look.state).size();
        let limit = match u64::from(request.limit) {
            0 => PORTION,
            limit => limit.min(PORTION),
        };
        let from = request.from.min(size);
        let next = size.min(from + limit);
        let findings = portion(look.state, from, next, FINDINGS_MAX);
        Ok(VerifyLedgerResponse {
            findings: findings.iter().map(|finding| finding_message(finding, lang)).collect(),
            next,
            tree_size: size,
        })
    })
    .await
}

fn finding_message(finding: &Finding, lang: Lang) -> LedgerFinding {
    let (kind, record, en, zh) = match finding {
        Finding::Missing { place } => (
            "missing",
            *place,
            format!("record {place} is missing"),
            format!("第 {place} 号记录缺失"),
        ),
        Finding::Misplaced { place } => (
            "misplaced",
            *place,
            format!("what stands in place {place} is another record: reordered or replaced"),
            format!("第 {place} 号位置上是另一条记录：被调换或替换"),
        ),
        Finding::Changed { place } => (
            "changed",
            *place,
            format!("record {place} is not the one whose hash stands in the tree"),
            format!("第 {place} 号记录与树中的哈希不符"),
        ),
        Finding::TreeWrong { level, position } => (
            "tree_wrong",
            position << level,
            format!(
                "the stored hash {position} at height {level} is not that of the records below"
            ),
            format!("第 {level} 层第 {position} 个存储哈希与其下记录不符"),
        ),
        Finding::TextWrong { place } => (
            "text_wrong",
            *place,
            format!("the texts beside record {place} are not those whose digests it holds"),
            format!("第 {place} 号记录旁的文本与其摘要不符"),
        ),
        Finding::Rewritten(_) => (
            "rewritten",
            0,
            "the ledger does not extend a head that somebody keeps".to_owned(),
            "账本不延续他方所持树头".to_owned(),
        ),
        Finding::HeadOfAnother => (
            "head_of_another",
            0,
            "the head is of another ledger".to_owned(),
            "该树头属于其他账本".to_owned(),
        ),
    };
    let message = if lang == Lang::Zh { zh } else { en };
    LedgerFinding { kind: kind.to_owned(), record, message }
}

pub(super) async fn against(call: &Call) -> Result<Reply, Refusal> {
    let request: VerifyAgainstRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    let holder = domain_name(&request.holder, "holder")?;
    let brought = request
        .cosignature
        .as_ref()
        .map(|cosignature| read_cosignature(cosignature, "cosignature"))
        .transpose()?;
    let services = call.services.clone();
    call.read(move |look| {
        look.own(&domain)?;
        let fresh = brought.is_some();
        let kept = || look.view().cosignature(&holder).map(|row| row.cosignature);
        let Some(cosignature) = brought.or_else(kept) else {
            known_peer(look, &holder)?;
            return Ok(VerifyAgainstResponse {
                verdict: AgainstVerdict::Unknown.into(),
                ..VerifyAgainstResponse::default()
            });
        };
        let ledger = Ledger(look.state);
        let verdict = match ledger.verify_against(&cosignature.head) {
            // A word of somebody else about the right head is not the holder's.
            _ if cosignature.cosigner != holder => AgainstVerdict::Unknown,
            Against::Extends { .. } => AgainstVerdict::Extends,
            Against::Rewritten { .. } => AgainstVerdict::Rewritten,
            Against::Unknown => AgainstVerdict::Unknown,
        };
        let size = ledger.size();
        let head = services.head_key.head(look, size)?;
        Ok(VerifyAgainstResponse {
            verdict: verdict.into(),
            proof: Some(ConsistencyProof {
                first_size: cosignature.head.tree_size,
                second_size: size,
                path: path(&ledger, &cosignature, size),
                second_head: Some(head_message(&head)),
            }),
            cosignature: Some(cosignature_message(&cosignature)),
            fresh,
        })
    })
    .await
}

fn path(ledger: &Ledger<'_>, held: &Cosignature, size: u64) -> Vec<bytes::Bytes> {
    let path = ledger.consistency_proof(held.head.tree_size, size).unwrap_or_default();
    path.iter().map(|hash| hash.to_vec().into()).collect()
}

pub(super) async fn heads(call: &Call) -> Result<Reply, Refusal> {
    let request: ListHeadsRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    call.read(move |look| {
        look.own(&domain)?;
        let view = look.view();
        let held = view.held_heads();
        let forks = held.iter().flat_map(|held| view.forked_heads(&held.head.head.domain));
        let message = |held: &catalog_state::rows::proof::HeldHead| HeldHead {
            head: Some(head_message(&held.head)),
            received_time: Some(timestamp(held.received_time)),
            record: held.record,
        };
        Ok(ListHeadsResponse {
            forks: forks.map(|held| message(&held)).collect(),
            held: held.iter().map(message).collect(),
            cosignatures: view
                .cosignatures()
                .iter()
                .map(|row| HeldCosignature {
                    cosignature: Some(cosignature_message(&row.cosignature)),
                    received_time: Some(timestamp(row.received_time)),
                    record: row.record,
                })
                .collect(),
        })
    })
    .await
}

/// Hashing everything again is for those who run the platform, and for nobody's idle curiosity.
pub(super) fn check_platform(look: &Look<'_>) -> Result<(), Refusal> {
    if look.is_platform() {
        return Ok(());
    }
    Err(Refusal::new(catalog_model::reason::Reason::CallerNotPermitted)
        .fact("caller", look.caller)
        .fact("needed", "the authority or the platform manager"))
}

fn known_peer(look: &Look<'_>, domain: &DomainId) -> Result<(), Refusal> {
    let known = look.view().peer(domain).is_some();
    if known { Ok(()) } else { Err(not_found(format!("domains/{domain}"))) }
}
