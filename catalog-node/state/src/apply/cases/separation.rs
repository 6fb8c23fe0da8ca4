//! Separation of duties: may the person who submitted an item approve it? (must-refuse 29)
//!
//! The law asks for a head's consent, not for two persons: this is a switch of the house, for each
//! domain, off until the authority turns it on. With it off, or without the house rule in the
//! pack, nothing is refused.

use catalog_model::{
    ids::PersonId, reason::Reason, refusal::Refusal, rule::RuleRef, rule_pack::RuleKey,
};

use crate::{
    apply::{organizations::is_authority, text},
    event::Event,
    keys,
    ledger::{self, Fact},
    machine::{Law, not_permitted},
    outcome::Outcome,
    tx::Tx,
};

/// The authority turns the switch of its domain.
pub(crate) fn switch(
    tx: &mut Tx<'_>,
    law: &Law,
    on: bool,
    reason: &str,
) -> Result<Outcome, Refusal> {
    if !is_authority(tx) {
        return Err(not_permitted(tx, "the authority"));
    }
    let Some(rule) = law.rule_pack.separation_of_duties(tx.today()) else {
        let key = RuleKey::ControlSeparationOfDuties.name();
        return Err(Refusal::new(Reason::NoRuleInForce).fact("key", key));
    };
    text::check_reason("reason", reason)?;
    let name = tx.domain_name();
    tx.put(&keys::separation_switch(), &on);
    ledger::append(tx, &name, Fact::SeparationSwitched { on }, Some(rule), &[("reason", reason)]);
    tx.emit(Event::ResourceChanged(name.clone()));
    Ok(Outcome::Done(Some(name)))
}

/// The house rule, where the domain turned it on.
fn in_force(tx: &Tx<'_>, law: &Law) -> Option<RuleRef> {
    let on = tx.level >= super::LEVEL && tx.get(&keys::separation_switch()).unwrap_or(false);
    if on { law.rule_pack.separation_of_duties(tx.today()) } else { None }
}

/// Refuses if `approver` is the person who submitted `what`. Where a person is not known, the law's
/// consents are what there is.
pub(crate) fn check(
    tx: &Tx<'_>,
    law: &Law,
    what: (&str, &str),
    submitter: Option<PersonId>,
    approver: Option<PersonId>,
) -> Result<(), Refusal> {
    let same = submitter.is_some() && submitter == approver;
    match in_force(tx, law) {
        Some(rule) if same => Err(Refusal::new(Reason::SelfApproval)
            .under(rule)
            .fact("what", what.0)
            .fact("what_zh", what.1)),
        _ => Ok(()),
    }
}
