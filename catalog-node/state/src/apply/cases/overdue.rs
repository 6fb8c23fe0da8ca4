//! After the due instant: the order to correct, the hearing of the reason, and what counts (SHR-31;
//! decree 809 arts. 39–41; CAL-21).
//!
//! Lateness counts in the debtor's record only after the reason was heard: claimed by the debtor
//! within the hearing clock, ruled on by the party to which the case was escalated, who never is
//! the debtor. Silence is no reason. An outage of the platform is ruled on first. None of it ends
//! the case or stands in the way of a late answer.

use catalog_model::{
    deadline::{DeadlineKind, WorkingDayClock},
    ids::OrganizationId,
    name::{Resource, ResourceName},
    organization::PlatformRole,
    overdue::{
        CorrectionOrder, Hearing, HearingOutcome, PunctualityCount, ReasonClaim, ReasonRuling,
    },
    reason::Reason,
    refusal::Refusal,
    rule_pack::Resolution,
    share_request::{Party, PartyRole, ShareRequest},
    time::LocalDate,
};

use super::{
    change_file, due_of, file_of, last_day, outage_gate, outage_gate::OutageGate, put_file,
    separation,
};
use crate::{
    apply::{
        organizations::{on_file, same_version},
        requests, sites, text,
    },
    keys,
    ledger::{self, Fact},
    machine::Law,
    outcome::Outcome,
    rows::DeadlineRow,
    tx::Tx,
};

/// Orders the debtors of a case that was just marked overdue to correct, and opens the hearing of
/// their reasons.
pub(crate) fn open(tx: &mut Tx<'_>, law: &Law, case: &ShareRequest) {
    let (Some(mark), Some(clock)) = (&case.overdue, &case.answer_clock) else { return };
    let resolution = requests::rules_of(tx, law, case);
    let name = requests::name(case);
    let mut file = file_of(tx, &name);
    // After a fork no order leaves before neighbours were asked what they hold of the case: it is
    // given with the ruling on the lateness.
    let held_back = sites::window_is_open(tx);
    for debtor in &mark.ordered {
        count(tx, debtor.organization, clock.due_date, |count| count.late += 1);
        if !held_back {
            order(tx, &resolution, case, debtor, &mut file);
        }
        file.hearings.push(Hearing::open(debtor.clone(), clock.due_date));
    }
    open_hearing(tx, law, &resolution, &name, &mut file);
    put_file(tx, &name, &file);
}

fn order(
    tx: &mut Tx<'_>,
    resolution: &Resolution,
    case: &ShareRequest,
    debtor: &Party,
    file: &mut catalog_model::case_file::CaseFile,
) {
    if let Some((effects, rule)) = resolution.overdue_effect(role_of(tx, case, debtor)) {
        let fact = Fact::CorrectionOrdered { debtor: party_name(debtor), effects: effects.clone() };
        ledger::append(tx, &requests::name(case), fact, Some(rule.clone()), &[]);
        let debtor = debtor.clone();
        file.orders.push(CorrectionOrder { debtor, effects, rule, ordered_time: tx.clock });
    }
}

/// Gives the orders that were held back after a fork, once the lateness was ruled to count.
fn order_late(tx: &mut Tx<'_>, law: &Law, case: &ShareRequest, name: &ResourceName) -> bool {
    let mut file = file_of(tx, name);
    let counts = outage_gate::of(tx, name) == OutageGate::Open;
    let Some(mark) = case.overdue.as_ref().filter(|_| counts && file.orders.is_empty()) else {
        return false;
    };
    let resolution = requests::rules_of(tx, law, case);
    for debtor in &mark.ordered {
        order(tx, &resolution, case, debtor, &mut file);
    }
    let given = !file.orders.is_empty();
    if given {
        put_file(tx, name, &file);
    }
    given
}

/// The hearing runs where a rule gives it time or makes lateness count only without a reason;
/// where neither is in force, lateness counts as it is.
fn open_hearing(
    tx: &mut Tx<'_>,
    law: &Law,
    resolution: &Resolution,
    name: &ResourceName,
    file: &mut catalog_model::case_file::CaseFile,
) {
    if file.hearings.is_empty() {
        return;
    }
    let days = resolution.reason_hearing();
    let heard = resolution.counts_only_without_reason();
    if let Some((days, rule)) = days {
        let kind = DeadlineKind::ReasonHearing;
        let clock = WorkingDayClock::start(kind, tx.clock, days, rule, &law.calendar);
        let fact = Fact::HearingOpened { due_date: clock.due_date };
        ledger::append(tx, name, fact, Some(clock.rule.clone()), &[]);
        tx.set_deadline(name, &clock);
        file.hearing_clock = Some(clock);
    } else if heard.is_none() {
        for hearing in &mut file.hearings {
            end(tx, name, hearing, HearingOutcome::Counted, None);
        }
    }
}

/// The part in which a debtor owed the answer.
fn role_of(tx: &Tx<'_>, case: &ShareRequest, debtor: &Party) -> PartyRole {
    let alone = case.rules.as_ref().is_none_or(|rules| rules.debtor == PartyRole::Provider);
    let authority = tx.platform_organization_id(PlatformRole::Authority);
    if !alone && authority == Some(debtor.organization) {
        PartyRole::Authority
    } else {
        PartyRole::Provider
    }
}

fn party_name(party: &Party) -> ResourceName {
    ResourceName::new(party.domain.clone(), Resource::Organization(party.organization))
}

/// A late debtor says why.
pub(crate) fn claim(
    tx: &mut Tx<'_>,
    request: &ResourceName,
    version: u64,
    text: &str,
) -> Result<Outcome, Refusal> {
    let case = requests::owned(tx, request)?;
    same_version(case.version, version)?;
    let mut file = file_of(tx, request);
    let caller = tx.caller_organization();
    let named = caller.as_ref().map_or_else(|| tx.caller.to_string(), |caller| caller.name.clone());
    let mut open = file.hearings.iter_mut().filter(|hearing| hearing.outcome.is_none());
    let own = open.find(|hearing| {
        caller.as_ref().is_some_and(|caller| caller.id == hearing.debtor.organization)
            && hearing.claim.is_none()
    });
    let Some(hearing) = own else {
        return Err(Refusal::new(Reason::HearingNotOpen).fact("debtor", named));
    };
    if let Some(clock) = &file.hearing_clock
        && tx.clock >= due_of(tx, request, clock)
    {
        let due = last_day(due_of(tx, request, clock));
        return Err(Refusal::new(Reason::HearingOver).under(clock.rule.clone()).fact("due", due));
    }
    text::check_reason("text", text)?;
    hearing.claim = Some(ReasonClaim {
        text: text.to_owned(),
        person: tx.acting_person(),
        claimed_time: tx.clock,
    });
    let fact = Fact::ReasonClaimed { debtor: party_name(&hearing.debtor) };
    let rule = file.hearing_clock.as_ref().map(|clock| clock.rule.clone());
    ledger::append(tx, request, fact, rule, &[("claim", text)]);
    Ok(change_file(tx, &case, &file))
}

/// The party above the debtor rules on the reason.
pub(crate) fn rule(
    tx: &mut Tx<'_>,
    law: &Law,
    request: &ResourceName,
    version: u64,
    debtor: OrganizationId,
    accepted: bool,
    reason: &str,
) -> Result<Outcome, Refusal> {
    let case = requests::owned(tx, request)?;
    let ruler = check_ruler(tx, &case)?;
    same_version(case.version, version)?;
    let mut file = file_of(tx, request);
    let of_debtor =
        |hearing: &&mut Hearing| hearing.outcome.is_none() && hearing.debtor.organization == debtor;
    let Some(hearing) = file.hearings.iter_mut().find(of_debtor) else {
        let debtor = on_file(tx, debtor)?.name;
        return Err(Refusal::new(Reason::HearingNotOpen).fact("debtor", debtor));
    };
    let resolution = requests::rules_of(tx, law, &case);
    let counts_only = resolution.counts_only_without_reason();
    if outage_gate::of(tx, request) == OutageGate::Waits {
        return Err(Refusal::new(Reason::OutageRulingPending));
    }
    if hearing.claim.is_none()
        && let Some(clock) = &file.hearing_clock
        && tx.clock < due_of(tx, request, clock)
    {
        let due = due_of(tx, request, clock);
        return Err(Refusal::new(Reason::ReasonNotHeard)
            .under(counts_only.unwrap_or_else(|| clock.rule.clone()))
            .fact("due", last_day(due))
            .retry_after(due.0 - tx.clock.0));
    }
    let claimant = hearing.claim.as_ref().and_then(|claim| claim.person);
    separation::check(
        tx,
        law,
        ("the reason for the lateness", "逾期理由"),
        claimant,
        tx.acting_person(),
    )?;
    text::check_reason("reason", reason)?;
    hearing.ruling =
        Some(ReasonRuling { accepted, reason: reason.to_owned(), by: ruler, ruled_time: tx.clock });
    let fact = Fact::ReasonRuled { debtor: party_name(&hearing.debtor), accepted };
    ledger::append(tx, request, fact, counts_only.clone(), &[("reason", reason)]);
    let outcome = if accepted { HearingOutcome::Excused } else { HearingOutcome::Counted };
    end(tx, request, hearing, outcome, counts_only);
    if file.hearings.iter().all(|hearing| hearing.outcome.is_some() || hearing.claim.is_some()) {
        tx.clear_deadline(DeadlineKind::ReasonHearing, request);
    }
    Ok(change_file(tx, &case, &file))
}

/// The caller, if the case was escalated to it; a debtor never is. Where nobody is on file above the
/// debtor, the authority rules unless it is a debtor itself.
fn check_ruler(tx: &Tx<'_>, case: &ShareRequest) -> Result<Party, Refusal> {
    let target = case.overdue.as_ref().and_then(|mark| {
        mark.escalated_party.clone().or_else(|| {
            let authority = tx.platform_organization(PlatformRole::Authority)?;
            let owes = mark.ordered.iter().any(|debtor| debtor.organization == authority.id);
            (!owes).then(|| tx.party(&authority))
        })
    });
    let caller = tx.caller_organization();
    match target {
        Some(target) if caller.is_some_and(|caller| caller.id == target.organization) => Ok(target),
        target => {
            let named =
                target.map_or_else(|| "the party above the debtor".to_owned(), |party| party.name);
            Err(Refusal::new(Reason::NotTheEscalation).fact("target", named))
        }
    }
}

/// The time to claim a reason is over: silence is no reason.
pub(crate) fn hearing_over(tx: &mut Tx<'_>, law: &Law, row: &DeadlineRow) {
    let case = requests::owned(tx, &row.subject).expect("a hearing is of a case of ours");
    if settle(tx, law, &case, &row.subject) {
        requests::change(tx, &case, case.clone());
    }
}

/// Ends the hearings that a ruling on an outage lets end. For whoever records that ruling.
pub(crate) fn outage_ruled(tx: &mut Tx<'_>, law: &Law, request: &ResourceName) {
    let Ok(case) = requests::owned(tx, request) else { return };
    let ordered = tx.level >= 4 && order_late(tx, law, &case, request);
    if settle(tx, law, &case, request) || ordered {
        requests::change(tx, &case, case.clone());
    }
}

/// The day on which the answer was due was counted anew and is not over: the order is taken back,
/// and what was or was to be counted for it is not.
pub(crate) fn lifted(tx: &mut Tx<'_>, name: &ResourceName, due_date: LocalDate) {
    if tx.level < super::LEVEL {
        return;
    }
    let mut file = file_of(tx, name);
    for hearing in file.hearings.iter().filter(|hearing| hearing.due_date == due_date) {
        count(tx, hearing.debtor.organization, due_date, |count| {
            count.late = count.late.saturating_sub(1);
            match hearing.outcome {
                Some(HearingOutcome::Counted) => count.counted = count.counted.saturating_sub(1),
                Some(HearingOutcome::Excused) => count.excused = count.excused.saturating_sub(1),
                None => {}
            }
        });
    }
    file.hearings.retain(|hearing| hearing.due_date != due_date);
    file.hearing_clock = None;
    file.orders.clear();
    tx.clear_deadline(DeadlineKind::ReasonHearing, name);
    put_file(tx, name, &file);
}

/// Ends each open hearing that nothing more can be said in. Whether there was one.
fn settle(tx: &mut Tx<'_>, law: &Law, case: &ShareRequest, name: &ResourceName) -> bool {
    let mut file = file_of(tx, name);
    let gate = outage_gate::of(tx, name);
    let hearing = file.hearing_clock.as_ref();
    let over = hearing.is_some_and(|clock| tx.clock >= due_of(tx, name, clock));
    let rule = requests::rules_of(tx, law, case).counts_only_without_reason();
    let rule = rule.or_else(|| file.hearing_clock.as_ref().map(|clock| clock.rule.clone()));
    let mut ended = false;
    for hearing in file.hearings.iter_mut().filter(|hearing| hearing.outcome.is_none()) {
        let outcome = match gate {
            OutageGate::Excused => HearingOutcome::Excused,
            OutageGate::Open if over && hearing.claim.is_none() => HearingOutcome::Counted,
            OutageGate::Open | OutageGate::Waits => continue,
        };
        end(tx, name, hearing, outcome, rule.clone());
        ended = true;
    }
    if ended {
        put_file(tx, name, &file);
    }
    ended
}

fn end(
    tx: &mut Tx<'_>,
    name: &ResourceName,
    hearing: &mut Hearing,
    outcome: HearingOutcome,
    rule: Option<catalog_model::rule::RuleRef>,
) {
    hearing.outcome = Some(outcome);
    let (debtor, due_date) = (party_name(&hearing.debtor), hearing.due_date);
    let fact = match outcome {
        HearingOutcome::Counted => {
            Fact::LatenessCounted { debtor, due_date, heard: hearing.claim.is_some() }
        }
        HearingOutcome::Excused => Fact::LatenessExcused { debtor, due_date },
    };
    ledger::append(tx, name, fact, rule, &[]);
    count(tx, hearing.debtor.organization, due_date, |count| match outcome {
        HearingOutcome::Counted => count.counted += 1,
        HearingOutcome::Excused => count.excused += 1,
    });
}

/// An answer came in time.
pub(crate) fn answered_in_time(tx: &mut Tx<'_>, law: &Law, case: &ShareRequest) {
    if tx.level < super::LEVEL {
        return;
    }
    if case.overdue.is_some() {
        return excuse_by_paper(tx, law, case);
    }
    let (Some(clock), Some(rules)) = (&case.answer_clock, &case.rules) else { return };
    for debtor in requests::debtors(tx, case, rules.debtor) {
        count(tx, debtor.organization, clock.due_date, |count| count.on_time += 1);
    }
}

/// The answer had been given in time, on a paper that was entered after the due instant: nobody was
/// late.
fn excuse_by_paper(tx: &mut Tx<'_>, law: &Law, case: &ShareRequest) {
    let name = requests::name(case);
    let mut file = file_of(tx, &name);
    let rule = law.rule_pack.window_receipt(tx.today());
    for hearing in file.hearings.iter_mut().filter(|hearing| hearing.outcome.is_none()) {
        end(tx, &name, hearing, HearingOutcome::Excused, rule.clone());
    }
    tx.clear_deadline(DeadlineKind::ReasonHearing, &name);
    put_file(tx, &name, &file);
}

/// Counts for an organization in the month of the day on which the answer was due.
fn count(
    tx: &mut Tx<'_>,
    organization: OrganizationId,
    due_date: LocalDate,
    change: impl FnOnce(&mut PunctualityCount),
) {
    let key = keys::punctuality(organization, month_of(due_date));
    let mut row: PunctualityCount = tx.get(&key).unwrap_or_default();
    change(&mut row);
    tx.put(&key, &row);
}

/// Year and month as one number: 202609.
fn month_of(date: LocalDate) -> u64 {
    let text = date.to_string();
    let digits: String = text.chars().filter(char::is_ascii_digit).take(6).collect();
    digits.parse().expect("a date begins with year and month")
}
