//! The end of a purpose: what was received is needed no more, and becomes what the provider
//! requires (SHR-23).
//!
//! Only the user ends a purpose: a provider that could do it would have the bare revocation that
//! the law does not know. What the provider says is what is to become of the data.

use catalog_model::{
    deadline::DeadlineKind,
    document_digest::DocumentDigest,
    grant::{
        DisposalManner, DisposalProof, DisposalRequirement, Grant, GrantState, PurposeEnd,
        PurposeEndKind,
    },
    name::ResourceName,
    reason::Reason,
    refusal::Refusal,
    rule_pack::Resolution,
    share_request::{Party, RequestContent},
};

use super::{change, check_provider, check_user, conduct_rules, course, known, owned, wrong_state};
use crate::{
    apply::{organizations::same_version, text},
    ledger::{self, Fact},
    machine::Law,
    outcome::Outcome,
    tx::Tx,
};

pub(super) fn end(
    tx: &mut Tx<'_>,
    law: &Law,
    grant: &ResourceName,
    version: u64,
    kind: PurposeEndKind,
    note: &str,
) -> Result<Outcome, Refusal> {
    let old = owned(tx, grant)?;
    check_user(tx, &old)?;
    same_version(old.version, version)?;
    if old.state.has_ended() {
        return Err(wrong_state(&old, "a grant that is not over"));
    }
    text::check("note", note)?;
    let rule = conduct_rules(tx, law, &old)?.disposal();
    tx.clear_deadline(DeadlineKind::Delivery, grant);
    tx.clear_deadline(DeadlineKind::Rectification, grant);
    ledger::append(tx, grant, Fact::PurposeEnded { kind }, rule, &[("note", note)]);
    let by = old.consumer.clone();
    let mut next = Grant { state: GrantState::PurposeEnded, ..old };
    let end = PurposeEnd { kind, note: note.to_owned(), ended_time: tx.clock, by };
    course(&mut next).purpose_end = Some(end);
    Ok(change(tx, next))
}

/// The provider says what is to become of the data: before the end of the purpose or after it.
pub(super) fn require_disposal(
    tx: &mut Tx<'_>,
    law: &Law,
    grant: &ResourceName,
    version: u64,
    manner: DisposalManner,
    note: &str,
) -> Result<Outcome, Refusal> {
    let mut next = owned(tx, grant)?;
    check_provider(tx, &next)?;
    same_version(next.version, version)?;
    if next.state == GrantState::Disposed {
        return Err(wrong_state(&next, "data that are not disposed of"));
    }
    text::check("note", note)?;
    let rule = conduct_rules(tx, law, &next)?.disposal();
    ledger::append(tx, grant, Fact::DisposalRequired { manner }, rule, &[("note", note)]);
    let requirement =
        DisposalRequirement { manner, note: note.to_owned(), required_time: tx.clock };
    course(&mut next).disposal_requirement = Some(requirement);
    Ok(change(tx, next))
}

pub(super) fn prove_disposal(
    tx: &mut Tx<'_>,
    law: &Law,
    grant: &ResourceName,
    version: u64,
    manner: DisposalManner,
    digest: DocumentDigest,
) -> Result<Outcome, Refusal> {
    let old = owned(tx, grant)?;
    check_user(tx, &old)?;
    same_version(old.version, version)?;
    if old.state != GrantState::PurposeEnded {
        return Err(wrong_state(&old, "a purpose that has ended"));
    }
    let rule = conduct_rules(tx, law, &old)?.disposal();
    let required = old.course.as_ref().and_then(|course| course.disposal_requirement.as_ref());
    if let Some((rule, required)) = rule.clone().zip(required)
        && required.manner != manner
    {
        return Err(Refusal::new(Reason::DisposalNotAsRequired)
            .under(rule)
            .fact("required", required.manner.word()));
    }
    ledger::append(tx, grant, Fact::DisposalProved { manner, digest }, rule, &[]);
    let mut next = Grant { state: GrantState::Disposed, ..old };
    let proof = DisposalProof { manner, digest, proved_time: tx.clock };
    course(&mut next).disposal = Some(proof);
    Ok(change(tx, next))
}

/// What a request says of the right that it wants: a rate under which something can be called, and
/// which of the asker's own rights to the same entry it renews. One whose purpose ended is not
/// renewed: what is needed no more is disposed of, not asked for again.
pub(crate) fn check_asked(
    tx: &Tx<'_>,
    resolution: &Resolution,
    requester: &Party,
    content: &RequestContent,
) -> Result<(), Refusal> {
    if content.rate_per_day == Some(0) {
        let (en, zh) = ("at least one call a day", "每日至少一次");
        return Err(Refusal::new(Reason::FieldInvalid).field("request.rate_per_day", en, zh));
    }
    let Some(renews) = &content.renews else { return Ok(()) };
    let grant = known(tx, renews)?;
    if grant.consumer.organization != requester.organization || grant.entry != content.entry {
        let (en, zh) = ("a right of the asker to this entry", "应为申请单位对该目录的共享权限");
        return Err(Refusal::new(Reason::FieldInvalid).field("request.renews", en, zh));
    }
    let over = matches!(grant.state, GrantState::PurposeEnded | GrantState::Disposed);
    match resolution.disposal() {
        Some(rule) if over => Err(Refusal::new(Reason::PurposeHasEnded).under(rule)),
        _ => Ok(()),
    }
}
