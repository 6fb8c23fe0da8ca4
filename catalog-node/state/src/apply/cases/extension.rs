//! An extension of the answer clock, step by step: the debtor proposes, the authority consents or
//! does not, the asker is told (SHR-06; decree 809 art. 21¶1).
//!
//! The clock runs while the consent is pending; what is consented to after the due instant is too
//! late. Each need is the rule's: without it in the pack it is not asked for.

use catalog_model::{
    case_file::{ExtensionDenied, ExtensionProposal},
    name::{Resource, ResourceName},
    organization::{Organization, PlatformRole},
    reason::Reason,
    refusal::Refusal,
    rule_pack::{ExtensionNeed, ExtensionRule},
    share_request::ShareRequest,
};

use super::{change_file, file_of, separation};
use crate::{
    apply::{organizations::same_version, requests, text},
    ledger::{self, Fact},
    machine::{Law, not_permitted},
    outcome::Outcome,
    tx::Tx,
};

/// The debtor proposes.
pub(crate) fn propose(
    tx: &mut Tx<'_>,
    law: &Law,
    request: &ResourceName,
    version: u64,
    working_days: u16,
    reason: &str,
) -> Result<Outcome, Refusal> {
    let case = requests::owned(tx, request)?;
    let debtor = requests::calling_debtor(tx, &case)
        .ok_or_else(|| not_permitted(tx, "whoever owes the answer"))?;
    same_version(case.version, version)?;
    requests::check_open(&case)?;
    let resolution = requests::rules_of(tx, law, &case);
    let extension = resolution
        .extension(case.sharing)
        .ok_or_else(|| Refusal::new(Reason::ExtensionNotAllowed))?;
    if let Some(rule) = needs(&extension, ExtensionNeed::SpecialReason)
        && reason.trim().is_empty()
    {
        return Err(Refusal::new(Reason::ReasonMissing).under(rule).field(
            "reason",
            "the special reason is missing",
            "缺少特殊原因",
        ));
    }
    text::check("reason", reason)?;
    requests::check_extension(tx, &case, &extension, working_days)?;
    let mut file = file_of(tx, request);
    if let Some(pending) = &file.proposal {
        return Err(Refusal::new(Reason::ExtensionPending).fact("days", pending.working_days));
    }
    let fact = Fact::ExtensionProposed { working_days };
    ledger::append(tx, request, fact, Some(extension.rule.clone()), &[("reason", reason)]);
    if extension.authority_consent.is_none() {
        return Ok(requests::lengthen(tx, law, &case, &extension, working_days, reason));
    }
    file.proposal = Some(ExtensionProposal {
        working_days,
        reason: reason.to_owned(),
        by: tx.party(&debtor),
        person: tx.acting_person(),
        proposed_time: tx.clock,
    });
    Ok(change_file(tx, &case, &file))
}

/// The authority at the provider's level answers the proposal.
pub(crate) fn answer(
    tx: &mut Tx<'_>,
    law: &Law,
    request: &ResourceName,
    version: u64,
    consents: bool,
    reason: &str,
) -> Result<Outcome, Refusal> {
    let case = requests::owned(tx, request)?;
    // Before the rules: a case that was refused on receipt has none.
    requests::check_open(&case)?;
    let resolution = requests::rules_of(tx, law, &case);
    let extension = resolution
        .extension(case.sharing)
        .ok_or_else(|| Refusal::new(Reason::ExtensionNotAllowed))?;
    check_consenter(tx, &case, &extension)?;
    same_version(case.version, version)?;
    let mut file = file_of(tx, request);
    let Some(proposal) = file.proposal.take() else {
        return Err(Refusal::new(Reason::ExtensionNotProposed));
    };
    separation::check(tx, law, ("the extension", "延期申请"), proposal.person, tx.acting_person())?;
    if !consents {
        text::check_reason("reason", reason)?;
        file.denied.push(ExtensionDenied {
            working_days: proposal.working_days,
            reason: reason.to_owned(),
            denied_time: tx.clock,
        });
        let fact = Fact::ExtensionDenied { working_days: proposal.working_days };
        ledger::append(tx, request, fact, extension.authority_consent, &[("reason", reason)]);
        return Ok(change_file(tx, &case, &file));
    }
    text::check("reason", reason)?;
    requests::check_extension(tx, &case, &extension, proposal.working_days)?;
    let (days, why) = (proposal.working_days, proposal.reason);
    Ok(requests::lengthen(tx, law, &case, &extension, days, &why))
}

/// Refuses a consent by anybody but the authority at the provider's level; where the authority
/// owes the answer itself, by anybody but the government above it.
pub(crate) fn check_consenter(
    tx: &Tx<'_>,
    case: &ShareRequest,
    extension: &ExtensionRule,
) -> Result<(), Refusal> {
    let consenter = consenter(tx, case);
    let calls = |organization: &Organization| {
        tx.caller_organization().is_some_and(|caller| caller.id == organization.id)
    };
    if consenter.as_ref().is_some_and(calls) {
        return Ok(());
    }
    let rule = extension.authority_consent.clone().unwrap_or_else(|| extension.rule.clone());
    Err(Refusal::new(Reason::ExtensionConsentMissing).under(rule))
}

fn consenter(tx: &Tx<'_>, case: &ShareRequest) -> Option<Organization> {
    let authority = tx.platform_organization(PlatformRole::Authority)?;
    if requests::owes(tx, case, authority.id) {
        tx.platform_organization(PlatformRole::Government)
    } else {
        Some(authority)
    }
}

/// What was proposed is settled by an extension, whoever granted it, and the asker is told, where a
/// rule says so: the notice is the fact on record and the next version of the case, which its
/// domain gets.
pub(crate) fn granted(tx: &mut Tx<'_>, case: &ShareRequest, extension: &ExtensionRule) {
    let name = requests::name(case);
    let mut file = file_of(tx, &name);
    if file.proposal.take().is_some() {
        super::put_file(tx, &name, &file);
    }
    let Some(rule) = needs(extension, ExtensionNeed::NoticeToRequester) else { return };
    let Some(clock) = &case.answer_clock else { return };
    let asker = &case.requester;
    let requester =
        ResourceName::new(asker.domain.clone(), Resource::Organization(asker.organization));
    let fact = Fact::ExtensionNoticeGiven { requester, due_date: clock.due_date };
    ledger::append(tx, &name, fact, Some(rule), &[]);
}

fn needs(extension: &ExtensionRule, wanted: ExtensionNeed) -> Option<catalog_model::rule::RuleRef> {
    let mut requires = extension.requires.iter();
    requires.find(|(need, _)| *need == wanted).map(|(_, rule)| rule.clone())
}
