//! A case under way: completion, extension, withdrawal, and the day on which the answer was due.

use catalog_model::{
    deadline::WorkingDays,
    name::ResourceName,
    organization::PlatformRole,
    reason::Reason,
    refusal::Refusal,
    rule_pack::ExtensionRule,
    share_request::{
        Completion, Decider, Extension, OverdueMark, Party, PartyRole, RequestContent,
        ShareRequest, ShareRequestState,
    },
    time::UtcMillis,
};

use super::{
    assess, calling_provider, change, check_open, create::check_system, is_asker, known, name,
    owned, rules_of, wrong_state,
};
use crate::{
    apply::{
        cases::{self, lapse, warnings},
        law as law_itself,
        organizations::{in_order, is_authority, is_platform, on_file, same_version},
        text,
    },
    ledger::{self, Fact},
    machine::{Law, not_permitted},
    outbox::{self, Message},
    outcome::Outcome,
    rows::DeadlineRow,
    tx::Tx,
};

/// The provider's one list of what is missing, or the asker's completion (SHR-22).
pub(crate) fn complete(
    tx: &mut Tx<'_>,
    law: &Law,
    request: &ResourceName,
    version: u64,
    missing: &[String],
    completed: Option<&RequestContent>,
) -> Result<Outcome, Refusal> {
    match completed {
        None => ask_for_completion(tx, law, request, version, missing),
        Some(content) => give_completion(tx, law, request, version, content),
    }
}

fn ask_for_completion(
    tx: &mut Tx<'_>,
    law: &Law,
    request: &ResourceName,
    version: u64,
    missing: &[String],
) -> Result<Outcome, Refusal> {
    let old = owned(tx, request)?;
    let decided_with_authority =
        old.rules.as_ref().is_some_and(|rules| rules.decider != Decider::Provider);
    let permitted =
        calling_provider(tx, &old).is_some() || decided_with_authority && is_platform(tx);
    if !permitted {
        return Err(not_permitted(tx, "the provider, or the platform where it decides"));
    }
    same_version(old.version, version)?;
    check_open(&old)?;
    let resolution = rules_of(tx, law, &old);
    let rules = resolution.completion();
    if old.completion.is_some() {
        let refusal = Refusal::new(Reason::CompletionSecondList);
        return Err(match rules.one_notice {
            Some(rule) => refusal.under(rule),
            None => refusal,
        });
    }
    if missing.iter().all(|line| line.trim().is_empty()) {
        return Err(Refusal::new(Reason::CompletionNothingMissing));
    }
    text::check_list("missing", missing)?;

    let received = old.received_time.expect("a received case has its receipt").local_date();
    let suspends = rules.suspension.is_some_and(|suspension| {
        let last = law.calendar.add_working_days(received, suspension.last_day_for_notice);
        let overdue = old.answer_clock.as_ref().is_none_or(|clock| clock.is_overdue(tx.clock));
        tx.clock < last.date.end() && !overdue
    });
    let mut case = old.clone();
    case.state = ShareRequestState::CompletionAsked;
    case.completion = Some(Completion {
        missing: missing.to_vec(),
        asked_time: tx.clock,
        completed_time: None,
        suspends,
    });
    let texts: Vec<(&str, &str)> = missing.iter().map(|line| ("missing", line.as_str())).collect();
    ledger::append(tx, request, Fact::CompletionAsked, rules.one_notice, &texts);
    let outcome = change(tx, &old, case);
    lapse::begin(tx, law, &old);
    Ok(outcome)
}

fn give_completion(
    tx: &mut Tx<'_>,
    law: &Law,
    request: &ResourceName,
    version: u64,
    content: &RequestContent,
) -> Result<Outcome, Refusal> {
    let old = known(tx, request)?;
    if !is_asker(tx, &old) {
        return Err(not_permitted(tx, "the asker"));
    }
    same_version(old.version, version)?;
    if old.state != ShareRequestState::CompletionAsked {
        return Err(wrong_state(&old, "a list of what is missing"));
    }
    let content = RequestContent { commitments: in_order(&content.commitments), ..content.clone() };
    let asker = on_file(tx, old.requester.organization)?;
    check_system(tx, &asker, &content)?;
    if old.owner_domain == *tx.domain() {
        return completed_by_asker(tx, law, &old, &content);
    }
    check_completion(tx, law, &old, &content)?;
    let mut case = old.clone();
    case.content = content;
    case.completion = case
        .completion
        .map(|completion| Completion { completed_time: Some(tx.clock), ..completion });
    Ok(tell_owner(tx, &old, case))
}

/// The completed request must be one that could be filed, about the same entry and no more of it:
/// the asker's head consented to what was asked, and completing explains it.
fn check_completion(
    tx: &Tx<'_>,
    law: &Law,
    case: &ShareRequest,
    content: &RequestContent,
) -> Result<(), Refusal> {
    if content.entry != case.content.entry {
        let (en, zh) = ("another entry is another request", "更换目录应另行申请");
        return Err(Refusal::new(Reason::FieldInvalid).field("request.entry", en, zh));
    }
    assess(tx, law, &case.requester, content, tx.today())?;
    if content.items.iter().any(|item| !case.content.items.contains(item)) {
        let (en, zh) = ("more items are another request", "增加信息项应另行申请");
        return Err(Refusal::new(Reason::FieldInvalid).field("request.items", en, zh));
    }
    Ok(())
}

/// The asker's completion of a case of this domain. Where the clock stood still, it goes on with
/// the days that were left.
pub(crate) fn completed_by_asker(
    tx: &mut Tx<'_>,
    law: &Law,
    old: &ShareRequest,
    content: &RequestContent,
) -> Result<Outcome, Refusal> {
    check_completion(tx, law, old, content)?;
    let mut case = old.clone();
    case.state = ShareRequestState::Submitted;
    case.content = content.clone();
    if let Some(completion) = &mut case.completion {
        completion.completed_time = Some(tx.clock);
        if completion.suspends
            && let Some(clock) = &mut case.answer_clock
        {
            let stood_still = working_days_between(law, completion.asked_time, tx.clock);
            clock.suspend(stood_still, &law.calendar);
        }
    }
    ledger::append(
        tx,
        &name(old),
        Fact::RequestCompleted,
        None,
        &[
            ("scenario", &content.scenario),
            ("duty_basis", &content.duty_basis),
            ("row_scope", &content.row_scope),
        ],
    );
    let outcome = change(tx, old, case.clone());
    warnings::follow(tx, law, &case);
    Ok(outcome)
}

/// Working days after the day of `from` up to the day of `to`.
fn working_days_between(law: &Law, from: UtcMillis, to: UtcMillis) -> WorkingDays {
    let mut day = from.local_date();
    let last = to.local_date();
    let mut days = 0;
    while day < last {
        day = day.next();
        days += u16::from(law.calendar.is_working_day(day).counts());
    }
    WorkingDays(days)
}

/// An extension of the answer clock. The call of the authority is its consent (SHR-06).
pub(crate) fn extend(
    tx: &mut Tx<'_>,
    law: &Law,
    request: &ResourceName,
    version: u64,
    working_days: u16,
    reason: &str,
) -> Result<Outcome, Refusal> {
    let old = owned(tx, request)?;
    check_open(&old)?;
    let resolution = rules_of(tx, law, &old);
    let Some(extension) = resolution.extension(old.sharing) else {
        return Err(Refusal::new(Reason::ExtensionNotAllowed));
    };
    if tx.level >= cases::LEVEL {
        cases::extension::check_consenter(tx, &old, &extension)?;
    } else if !is_authority(tx) {
        let rule = extension.authority_consent.unwrap_or(extension.rule);
        return Err(Refusal::new(Reason::ExtensionConsentMissing).under(rule));
    }
    same_version(old.version, version)?;
    text::check_reason("reason", reason)?;
    check_extension(tx, &old, &extension, working_days)?;
    Ok(lengthen(tx, law, &old, &extension, working_days, reason))
}

/// Whether the clock of a case may be lengthened by so many working days, whoever consents.
pub(crate) fn check_extension(
    tx: &Tx<'_>,
    case: &ShareRequest,
    extension: &ExtensionRule,
    working_days: u16,
) -> Result<(), Refusal> {
    if working_days == 0 {
        let refusal = Refusal::new(Reason::FieldInvalid);
        return Err(refusal.field("working_days", "at least one", "至少一个工作日"));
    }
    let clock =
        case.answer_clock.as_ref().ok_or_else(|| Refusal::new(Reason::ExtensionNotAllowed))?;
    if clock.is_overdue(tx.clock) && super::clock_runs(case) {
        return Err(Refusal::new(Reason::ExtensionTooLate).fact("due", clock.due_date));
    }
    if let Some((count, rule)) = &extension.count
        && case.extensions.len() >= usize::from(*count)
    {
        return Err(Refusal::new(Reason::ExtensionNotAllowed).under(rule.clone()));
    }
    if clock.extended.0.saturating_add(working_days) > extension.max.0 {
        return Err(Refusal::new(Reason::ExtensionTooLong)
            .under(extension.rule.clone())
            .fact("limit", extension.max.0));
    }
    Ok(())
}

/// Lengthens the clock of a case, with the consent that it takes.
pub(crate) fn lengthen(
    tx: &mut Tx<'_>,
    law: &Law,
    old: &ShareRequest,
    extension: &ExtensionRule,
    working_days: u16,
    reason: &str,
) -> Outcome {
    let mut case = old.clone();
    let clock = case.answer_clock.as_mut().expect("a clock to be lengthened was checked");
    let from = clock.due_date;
    clock.extend(WorkingDays(working_days), &law.calendar);
    let fact = Fact::RequestExtended { working_days, from, to: clock.due_date };
    case.extensions.push(Extension {
        working_days,
        reason: reason.to_owned(),
        consented_time: tx.clock,
        rule: extension.rule.clone(),
    });
    let rule = Some(extension.rule.clone());
    ledger::append(tx, &name(old), fact, rule, &[("reason", reason)]);
    if tx.level >= cases::LEVEL {
        cases::extension::granted(tx, &case, extension);
    }
    let outcome = change(tx, old, case.clone());
    warnings::follow(tx, law, &case);
    outcome
}

pub(crate) fn withdraw(
    tx: &mut Tx<'_>,
    law: &Law,
    request: &ResourceName,
    version: u64,
    reason: &str,
) -> Result<Outcome, Refusal> {
    let old = known(tx, request)?;
    if !is_asker(tx, &old) {
        return Err(not_permitted(tx, "the asker"));
    }
    same_version(old.version, version)?;
    check_open(&old)?;
    text::check("reason", reason)?;
    if old.owner_domain == *tx.domain() {
        return Ok(withdrawn_by_asker(tx, law, &old, reason));
    }
    let case = ShareRequest { state: ShareRequestState::Withdrawn, ..old.clone() };
    Ok(tell_owner(tx, &old, case))
}

/// The asker of a case of this domain takes it back.
pub(crate) fn withdrawn_by_asker(
    tx: &mut Tx<'_>,
    law: &Law,
    old: &ShareRequest,
    reason: &str,
) -> Outcome {
    let mut case = old.clone();
    mark_if_overdue(tx, law, &mut case);
    ledger::append(tx, &name(old), Fact::RequestWithdrawn, None, &[("reason", reason)]);
    case.state = ShareRequestState::Withdrawn;
    change(tx, old, case)
}

/// What the asker says to a case that another domain owns goes there first; the copy here changes
/// when the owner's word comes back.
fn tell_owner(tx: &mut Tx<'_>, old: &ShareRequest, case: ShareRequest) -> Outcome {
    let name = name(old);
    // Under the next version, so that a repeat is one message and the first forwarding another.
    outbox::owe(tx, &old.owner_domain, &name, old.version + 1, Message::Forward(Box::new(case)));
    Outcome::Done(Some(name))
}

/// The answer was not given in time: the debtor is ordered to correct, the case goes to someone
/// who is not the debtor, and stays answerable (SHR-31).
pub(crate) fn answer_overdue(tx: &mut Tx<'_>, law: &Law, row: &DeadlineRow) {
    let old = owned(tx, &row.subject).expect("an answer's deadline belongs to a case of ours");
    if !super::clock_runs(&old) || old.rules.is_none() {
        return;
    }
    let mut case = old.clone();
    mark_overdue(tx, law, &mut case);
    change(tx, &old, case);
}

/// Marks a case whose due instant has passed though no command has moved the clock beyond it yet,
/// before something ends it: an answer in that same instant is late, and there is one order.
pub(crate) fn mark_if_overdue(tx: &mut Tx<'_>, law: &Law, case: &mut ShareRequest) {
    let passed = case.answer_clock.as_ref().is_some_and(|clock| clock.is_overdue(tx.clock));
    if tx.level >= cases::LEVEL && passed && case.overdue.is_none() && super::clock_runs(case) {
        mark_overdue(tx, law, case);
    }
}

fn mark_overdue(tx: &mut Tx<'_>, law: &Law, case: &mut ShareRequest) {
    let (Some(rules), Some(clock)) = (case.rules.clone(), case.answer_clock.clone()) else {
        return;
    };
    let ordered = debtors(tx, case, rules.debtor);
    let (escalated_to, escalated_party) = escalation(tx, rules.escalation, &ordered);
    let fact = Fact::RequestOverdue {
        due_date: clock.due_date,
        ordered: ordered.iter().map(party_name).collect(),
        escalated_to,
    };
    ledger::append(tx, &name(case), fact, Some(clock.rule), &[]);
    case.overdue = Some(OverdueMark {
        due_time: clock.due_time,
        fired_time: tx.clock,
        ordered,
        escalated_to,
        escalated_party,
    });
    if tx.level >= cases::LEVEL {
        law_itself::outage::after_marking(tx, law, case);
        cases::overdue::open(tx, law, case);
    }
}

fn party_name(party: &Party) -> ResourceName {
    let organization = catalog_model::name::Resource::Organization(party.organization);
    ResourceName::new(party.domain.clone(), organization)
}

/// The organizations that owe the answer to a case.
pub(crate) fn debtors(tx: &Tx<'_>, case: &ShareRequest, debtor: PartyRole) -> Vec<Party> {
    let platform =
        |role| tx.platform_organization(role).map(|organization| tx.party(&organization));
    let mut debtors = Vec::new();
    match debtor {
        PartyRole::Requester => debtors.push(case.requester.clone()),
        PartyRole::Provider => debtors.push(case.provider.clone()),
        PartyRole::Authority => debtors.extend(platform(PlatformRole::Authority)),
        PartyRole::AuthorityAndProvider => {
            debtors.extend(platform(PlatformRole::Authority));
            debtors.push(case.provider.clone());
        }
        PartyRole::PlatformManager => debtors.extend(platform(PlatformRole::PlatformManager)),
        PartyRole::GovernmentOrSuperior => debtors.extend(platform(PlatformRole::Government)),
    }
    debtors.dedup();
    debtors
}

/// The role and organization to which an overdue case goes. Where the organization in that role
/// owes the answer itself, as an authority does that provides data, the case goes above it.
fn escalation(tx: &Tx<'_>, role: PartyRole, debtors: &[Party]) -> (PartyRole, Option<Party>) {
    let platform =
        |role| tx.platform_organization(role).map(|organization| tx.party(&organization));
    let owes =
        |party: &Party| debtors.iter().any(|debtor| debtor.organization == party.organization);
    let party = match role {
        PartyRole::Authority => platform(PlatformRole::Authority),
        PartyRole::PlatformManager => platform(PlatformRole::PlatformManager),
        _ => platform(PlatformRole::Government),
    };
    match party {
        Some(party) if owes(&party) => {
            let above = platform(PlatformRole::Government).filter(|party| !owes(party));
            (PartyRole::GovernmentOrSuperior, above)
        }
        party => (role, party),
    }
}
