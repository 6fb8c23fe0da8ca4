//! The opinion of a provider that does not decide: asked for, given, or a silence on record
//! (SHR-06, SHR-30; CAL-18).
//!
//! 会同 gives a hearing, not a veto: an authority that has not asked may not answer, one that has
//! asked answers when the provider has spoken or let its time run out. The clock of the opinion
//! begins when the provider was asked, so that a late question does not shorten its time.

use catalog_model::{
    case_file::OpinionAsked,
    deadline::{DeadlineKind, WorkingDayClock},
    name::ResourceName,
    organization::{Organization, PlatformRole},
    reason::Reason,
    refusal::Refusal,
    rule_pack::Resolution,
    share_request::{Decider, ShareRequest},
};

use super::{change_file, due_of, file_of, last_day, put_file};
use crate::{
    apply::{organizations::same_version, requests},
    ledger::{self, Fact},
    machine::{Law, not_permitted},
    outcome::Outcome,
    rows::DeadlineRow,
    tx::Tx,
};

/// The authority asks the provider.
pub(crate) fn ask(
    tx: &mut Tx<'_>,
    law: &Law,
    request: &ResourceName,
    version: u64,
) -> Result<Outcome, Refusal> {
    let case = requests::owned(tx, request)?;
    let asks = tx.caller_organization().is_some_and(|caller| {
        matches!(
            caller.platform_role,
            Some(PlatformRole::Authority | PlatformRole::PlatformManager)
        )
    });
    let heard = case.rules.as_ref().is_some_and(|rules| rules.decider != Decider::Provider);
    if !asks || !heard {
        return Err(not_permitted(tx, "the platform, where the provider does not decide alone"));
    }
    same_version(case.version, version)?;
    requests::check_open(&case)?;
    let mut file = file_of(tx, request);
    if file.opinion.is_some() || !case.opinions.is_empty() {
        return Err(Refusal::new(Reason::OpinionAskedAlready));
    }
    let resolution = requests::rules_of(tx, law, &case);
    let clock = resolution.opinion_clock(case.sharing).map(|(days, rule)| {
        WorkingDayClock::start(DeadlineKind::Opinion, tx.clock, days, rule, &law.calendar)
    });
    let rule = resolution.decider().map(|(_, rule)| rule);
    let due_date = clock.as_ref().map(|clock| clock.due_date);
    ledger::append(tx, request, Fact::OpinionAsked { due_date }, rule, &[]);
    if let Some(clock) = &clock {
        tx.set_deadline(request, clock);
    }
    file.opinion = Some(OpinionAsked { asked_time: tx.clock, clock, silent: false });
    Ok(change_file(tx, &case, &file))
}

/// The provider's time ran out without an opinion.
pub(crate) fn silent(tx: &mut Tx<'_>, row: &DeadlineRow) {
    let case = requests::owned(tx, &row.subject).expect("an opinion belongs to a case of ours");
    if case.state.is_open() && case.opinions.is_empty() && record_silence(tx, &row.subject) {
        requests::change(tx, &case, case.clone());
    }
}

/// Puts the silence on record, once. Whether it was new.
fn record_silence(tx: &mut Tx<'_>, name: &ResourceName) -> bool {
    let mut file = file_of(tx, name);
    let Some(asked) = file.opinion.as_mut().filter(|asked| !asked.silent) else { return false };
    let Some(clock) = asked.clock.clone() else { return false };
    asked.silent = true;
    put_file(tx, name, &file);
    let due_date = last_day(due_of(tx, name, &clock));
    let fact = Fact::OpinionSilent { due_date };
    ledger::append(tx, name, fact, Some(clock.rule), &[]);
    true
}

/// Refuses an answer of an authority that has not heard the provider.
pub(crate) fn check_heard(
    tx: &mut Tx<'_>,
    resolution: &Resolution,
    case: &ShareRequest,
    decider: &Organization,
) -> Result<(), Refusal> {
    let alone = case.rules.as_ref().is_none_or(|rules| rules.decider == Decider::Provider);
    if alone || !case.opinions.is_empty() || decider.id == case.provider.organization {
        return Ok(());
    }
    let name = requests::name(case);
    let Some(asked) = file_of(tx, &name).opinion else {
        let refusal = Refusal::new(Reason::OpinionNotAsked);
        return Err(match resolution.decider() {
            Some((_, rule)) => refusal.under(rule),
            None => refusal,
        });
    };
    // Without a rule on its length the provider's time does not run out.
    let Some(clock) = asked.clock else { return Err(Refusal::new(Reason::OpinionMissing)) };
    let due = due_of(tx, &name, &clock);
    if tx.clock < due {
        return Err(Refusal::new(Reason::OpinionMissing)
            .under(clock.rule)
            .fact("due", last_day(due))
            .retry_after(due.0 - tx.clock.0));
    }
    record_silence(tx, &name);
    Ok(())
}
