//! The law itself: who may change it, and what follows for cases under way.
//!
//! The law in force is a text: a version of the rule pack carries the rulings, a version of the
//! calendar the closures, so that whoever reads the text decides as the state does. Nothing that
//! is loaded rewrites a case in silence: a clock that moves leaves a record of the old and the new
//! day, and no clock ends in the past by it (must-refuse 54).

mod calendars;
pub(crate) mod outage;
mod packs;
mod rulings;
mod work;

use catalog_model::{
    reason::Reason,
    refusal::Refusal,
    rule_pack::{Resolution, RuleKey},
};

use crate::{
    apply::organizations::is_authority,
    command::LawCommand,
    keys,
    law::ProposedEdit,
    ledger::{self, Fact},
    machine::{Law, not_permitted},
    outcome::Outcome,
    tx::Tx,
};

pub(crate) use self::work::{count_of, freshen, freshen_due, work};

pub(crate) fn apply(tx: &mut Tx<'_>, law: &Law, command: &LawCommand) -> Result<Outcome, Refusal> {
    match command {
        LawCommand::LoadRulePack { text, reason } => packs::load(tx, law, text, reason),
        LawCommand::LoadCalendar { text, reason } => calendars::load(tx, law, text, reason),
        LawCommand::RecordRuling { id, kind, from, to, decision, reason } => {
            let term = (*from, *to);
            rulings::record(tx, law, *id, kind, term, decision.as_ref(), reason)
        }
        LawCommand::WithdrawRuling { ruling, reason } => rulings::withdraw(tx, law, ruling, reason),
        LawCommand::DeclareClosure { document_number, days, effect } => {
            calendars::declare(tx, law, document_number, days, *effect)
        }
        LawCommand::WithdrawClosure { document_number, days } => {
            calendars::withdraw(tx, law, document_number, days)
        }
        LawCommand::RecordPlatformOutage { from, until, second_source, reason } => {
            outage::record(tx, law, (*from, *until), second_source, reason)
        }
        LawCommand::RuleOutage { case, counts, reason } => {
            outage::rule(tx, law, case, *counts, reason)
        }
    }
}

/// What holds today for the domain's own affairs.
fn own(tx: &Tx<'_>, law: &Law) -> Result<Resolution, Refusal> {
    law.rule_pack.resolve_own(&tx.cluster.composition, tx.today()).map_err(|unknown| {
        Refusal::new(Reason::NoRuleInForce).fact("key", format!("composition {}", unknown.name))
    })
}

/// The rule of `key` on which a step rests that the law does not know without it.
fn needed(resolution: &Resolution, key: RuleKey) -> Result<catalog_model::rule::RuleRef, Refusal> {
    let merged = resolution.required(key)?;
    Ok(merged.sources[0].clone())
}

fn by_authority(tx: &Tx<'_>) -> Result<(), Refusal> {
    if is_authority(tx) { Ok(()) } else { Err(not_permitted(tx, "the authority")) }
}

/// Whether a change of the law may take effect. Where the house asks for two persons, the first
/// call proposes, that of another person with the same text lets it take effect (POL-05).
fn by_two_persons(
    tx: &mut Tx<'_>,
    law: &Law,
    what: &str,
    digest: [u8; 32],
) -> Result<bool, Refusal> {
    let Some(rule) = own(tx, law)?.two_persons(what) else { return Ok(true) };
    let (Some(person), Some(organization)) = (tx.caller.person(), tx.caller.organization()) else {
        return Err(Refusal::new(Reason::PersonNeeded).under(rule).fact("what", what));
    };
    let key = keys::proposed_edit(what);
    match tx.get::<ProposedEdit>(&key) {
        Some(proposed) if proposed.digest == digest && proposed.person != person => {
            tx.delete(&key);
            Ok(true)
        }
        Some(proposed) if proposed.digest == digest => {
            let refusal = Refusal::new(Reason::SecondPersonNeeded).under(rule);
            Err(refusal.fact("what", what).fact("person", person))
        }
        _ => {
            let time = tx.clock;
            let what = what.to_owned();
            let row = ProposedEdit { what: what.clone(), digest, person, organization, time };
            tx.put(&key, &row);
            let domain = tx.domain_name();
            ledger::append(tx, &domain, Fact::LawEditProposed { what, digest }, Some(rule), &[]);
            Ok(false)
        }
    }
}

/// A refusal of a step because no rule is in force, with the expired rule named (POL-03): from
/// level 3 on, because the words are kept with the call.
pub(crate) fn named(tx: &Tx<'_>, resolution: &Resolution, refusal: Refusal) -> Refusal {
    if tx.level >= 3 { resolution.name_expired(refusal) } else { refusal }
}
