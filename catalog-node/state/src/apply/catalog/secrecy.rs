//! Secrets: what is marked as one is refused at intake, and only the fact of the refusal is kept
//! (CAT-24).
//!
//! The edge refuses first and sends [`CatalogCommand::RefuseSecret`], so that the content reaches
//! no log; whatever comes through all the same is refused here, with no word of it in state.
//!
//! [`CatalogCommand::RefuseSecret`]: crate::command::catalog::CatalogCommand::RefuseSecret

use catalog_model::{
    catalog_entry::{EntryContent, SecrecyMark},
    ids::OrganizationId,
    name::{Resource, ResourceName},
    organization::{DataKind, PartyClass},
    policy,
    reason::Reason,
    refusal::Refusal,
    rule::RuleRef,
    rule_pack::Pair,
};

use crate::{
    apply::organizations::on_file,
    command::Body,
    ledger::{self, Fact},
    machine::{Law, not_permitted},
    outcome::Outcome,
    tx::Tx,
};

/// Refuses a content that is marked as a secret.
pub(super) fn check_intake(
    tx: &Tx<'_>,
    law: &Law,
    class: Option<PartyClass>,
    kind: DataKind,
    content: &EntryContent,
) -> Result<(), Refusal> {
    match mark_of(content).filter(|_| tx.level >= 3) {
        Some(mark) => check(tx, law, class, kind, mark),
        None => Ok(()),
    }
}

fn check(
    tx: &Tx<'_>,
    law: &Law,
    class: Option<PartyClass>,
    kind: DataKind,
    mark: SecrecyMark,
) -> Result<(), Refusal> {
    // Of a unit whose class is not known the strictest is meant.
    let class = class.unwrap_or(PartyClass::GovernmentDepartment);
    let resolution = law.resolve(tx, Pair::for_catalog(class, kind), tx.today())?;
    policy::check_secrecy(&resolution, mark)
}

fn mark_of(content: &EntryContent) -> Option<SecrecyMark> {
    content.particulars.as_ref().and_then(|particulars| particulars.secrecy)
}

/// The edge has refused a secret.
pub(super) fn refused_at_edge(
    tx: &mut Tx<'_>,
    law: &Law,
    organization: OrganizationId,
    mark: SecrecyMark,
) -> Result<Outcome, Refusal> {
    let provider = on_file(tx, organization)?;
    let own = tx.caller_organization().is_some_and(|caller| caller.id == organization);
    let edge = matches!(tx.caller.identity, catalog_model::caller::Identity::Gateway { .. });
    let own_edge = edge && tx.caller.domain == *tx.domain();
    if !own && !own_edge {
        return Err(not_permitted(tx, "the organization itself or a gateway of this domain"));
    }
    let kind = provider.capacities.first().copied().unwrap_or(DataKind::GovernmentData);
    let Err(refusal) = check(tx, law, provider.class, kind, mark) else {
        // No rule keeps it out: there is nothing to record.
        return Ok(Outcome::Done(None));
    };
    append(tx, organization, mark, refusal.rule);
    let name = ResourceName::new(tx.domain().clone(), Resource::Organization(organization));
    Ok(Outcome::Done(Some(name)))
}

/// Puts a refusal of an import's line on record.
pub(super) fn record_line(tx: &mut Tx<'_>, content: &EntryContent, refusal: &Refusal) {
    if refusal.reason != Reason::SecretEntryRefused {
        return;
    }
    if let (Some(mark), Some(organization)) = (mark_of(content), tx.caller.organization()) {
        append(tx, organization, mark, refusal.rule.clone());
    }
}

/// Puts on record that a secret was refused: by whom it was sent, which kind, by which rule.
pub(crate) fn record_refusal(tx: &mut Tx<'_>, body: &Body, refusal: &Refusal) {
    let (Body::RegisterEntry { content, .. } | Body::UpdateEntry { content, .. }) = body else {
        return;
    };
    if let (Some(mark), Some(organization)) = (mark_of(content), tx.caller.organization()) {
        append(tx, organization, mark, refusal.rule.clone());
    }
}

fn append(tx: &mut Tx<'_>, organization: OrganizationId, mark: SecrecyMark, rule: Option<RuleRef>) {
    let subject = ResourceName::new(tx.domain().clone(), Resource::Organization(organization));
    ledger::append(tx, &subject, Fact::SecretRefused { mark }, rule, &[]);
}
