//! Misuse: a right is stopped, what was wrong is to be put right by a day, and only then may the
//! right end (SHR-24, must-refuse 47). There is no bare revocation.

use catalog_model::{
    deadline::{DeadlineKind, WorkingDayClock, WorkingDays},
    document_digest::DocumentDigest,
    grant::{
        Grant, GrantState, Judgement, MisuseGround, Rectification, RectificationReport, Suspension,
    },
    name::ResourceName,
    organization::Organization,
    reason::Reason,
    refusal::Refusal,
    rule::RuleRef,
    rule_pack::MisuseOrder,
    time::LocalDate,
};

use super::{COURSE_LEVEL, change, check_user, conduct_rules, course, owned, under, wrong_state};
use crate::{
    apply::{organizations, organizations::same_version, text},
    ledger::{self, Fact},
    machine::{Law, not_permitted},
    outcome::Outcome,
    rows::DeadlineRow,
    tx::Tx,
};

pub(crate) fn suspend(
    tx: &mut Tx<'_>,
    law: &Law,
    grant: &ResourceName,
    version: u64,
    reason: &str,
    rectify_by: LocalDate,
) -> Result<Outcome, Refusal> {
    stop(tx, law, grant, version, reason, rectify_by, None)
}

/// Stops a right, with what was found where the caller names it.
pub(super) fn stop(
    tx: &mut Tx<'_>,
    law: &Law,
    grant: &ResourceName,
    version: u64,
    reason: &str,
    rectify_by: LocalDate,
    found: Option<(MisuseGround, DocumentDigest)>,
) -> Result<Outcome, Refusal> {
    let old = owned(tx, grant)?;
    let order = suspension_rule(tx, law, &old)?;
    let by = supervisor(tx, &old, order.as_ref())?;
    same_version(old.version, version)?;
    if !old.state.is_in_force() {
        return Err(wrong_state(&old, "a grant in force"));
    }
    text::check_reason("reason", reason)?;
    if rectify_by <= tx.today() {
        let (en, zh) = ("not before tomorrow", "不得早于明日");
        return Err(Refusal::new(Reason::FieldInvalid).field("rectify_by", en, zh));
    }
    let suspension =
        Suspension { reason: reason.to_owned(), since: tx.clock, rectify_by, by: tx.party(&by) };
    let before = old.state;
    let mut next = Grant { state: GrantState::Suspended, suspension: Some(suspension), ..old };
    if tx.level < COURSE_LEVEL {
        let fact = Fact::GrantSuspended { rectify_by };
        ledger::append(tx, grant, fact, None, &[("reason", reason)]);
        return Ok(change(tx, next));
    }
    let (ground, evidence) = found.unzip();
    let rule = order.map(|order| order.rule);
    let fact = Fact::GrantSuspendedForMisuse { ground, evidence, rectify_by };
    ledger::append(tx, grant, fact, rule.clone(), &[("reason", reason)]);
    tx.set_deadline(grant, &until(tx, law, rectify_by, rule));
    course(&mut next).rectification = Some(Rectification {
        ground,
        evidence,
        before,
        report: None,
        judgement: None,
        lapsed_time: None,
    });
    Ok(change(tx, next))
}

/// A clock to the end of a day that an order names, not one that is counted.
fn until(tx: &Tx<'_>, law: &Law, day: LocalDate, rule: Option<RuleRef>) -> WorkingDayClock {
    WorkingDayClock {
        kind: DeadlineKind::Rectification,
        start_time: tx.clock,
        length: WorkingDays(0),
        extended: WorkingDays(0),
        suspended: WorkingDays(0),
        due_date: day,
        due_time: day.end(),
        provisional: false,
        calendar_version: law.calendar.version(),
        rule: rule.unwrap_or_else(|| RuleRef::house("order")),
        revision: 0,
    }
}

/// The user says what it did, or that it will not. It may say so again until the right is over.
pub(super) fn report(
    tx: &mut Tx<'_>,
    law: &Law,
    grant: &ResourceName,
    version: u64,
    refused: bool,
    words: &str,
    digest: Option<DocumentDigest>,
) -> Result<Outcome, Refusal> {
    let mut next = owned(tx, grant)?;
    check_user(tx, &next)?;
    same_version(next.version, version)?;
    let rule = suspension_rule(tx, law, &next)?.map(|order| order.rule);
    let reported_time = tx.clock;
    let Some(rectification) = running(&mut next) else {
        return Err(wrong_state(&next, "an order to rectify"));
    };
    text::check_reason("text", words)?;
    rectification.report =
        Some(RectificationReport { refused, text: words.to_owned(), digest, reported_time });
    rectification.judgement = None;
    let fact = Fact::RectificationReported { refused, digest };
    ledger::append(tx, grant, fact, rule, &[("text", words)]);
    Ok(change(tx, next))
}

/// Whoever may stop the right says whether the rectification is enough: then the right holds
/// again. That it is not can be said of a report, or once the day has passed without one.
pub(super) fn judge(
    tx: &mut Tx<'_>,
    law: &Law,
    grant: &ResourceName,
    version: u64,
    adequate: bool,
    reason: &str,
) -> Result<Outcome, Refusal> {
    let mut next = owned(tx, grant)?;
    let order = suspension_rule(tx, law, &next)?;
    let by = supervisor(tx, &next, order.as_ref())?;
    same_version(next.version, version)?;
    let by = tx.party(&by);
    let (now, today) = (tx.clock, tx.today());
    let last = next.suspension.as_ref().map(|suspension| suspension.rectify_by);
    let delivered = next.course.as_ref().is_some_and(|course| course.delivery.is_some());
    let Some(rectification) = running(&mut next) else {
        return Err(wrong_state(&next, "an order to rectify"));
    };
    text::check_reason("reason", reason)?;
    if !adequate
        && rectification.report.is_none()
        && let Some(last) = last.filter(|last| today <= *last)
    {
        let refusal = Refusal::new(Reason::RectificationRunning).fact("date", last);
        return Err(under(refusal, order.map(|order| order.rule)));
    }
    rectification.judgement =
        Some(Judgement { adequate, reason: reason.to_owned(), judged_time: now, by });
    let before = rectification.before;
    if adequate {
        next.state = if delivered { GrantState::Active } else { before };
        tx.clear_deadline(DeadlineKind::Rectification, grant);
    }
    let fact = Fact::RectificationJudged { adequate };
    ledger::append(tx, grant, fact, order.map(|order| order.rule), &[("reason", reason)]);
    Ok(change(tx, next))
}

pub(crate) fn terminate(
    tx: &mut Tx<'_>,
    law: &Law,
    grant: &ResourceName,
    version: u64,
    reason: &str,
) -> Result<Outcome, Refusal> {
    let old = owned(tx, grant)?;
    let order = if tx.level < COURSE_LEVEL {
        None
    } else {
        conduct_rules(tx, law, &old)?.misuse_termination()
    };
    supervisor(tx, &old, order.as_ref())?;
    same_version(old.version, version)?;
    let rule = order.map(|order| order.rule);
    check_rectification(&old, tx.today()).map_err(|refusal| under(refusal, rule.clone()))?;
    text::check_reason("reason", reason)?;
    tx.clear_deadline(DeadlineKind::Delivery, grant);
    tx.clear_deadline(DeadlineKind::Rectification, grant);
    ledger::append(tx, grant, Fact::GrantTerminated, rule, &[("reason", reason)]);
    let next =
        Grant { state: GrantState::Terminated, termination_reason: reason.to_owned(), ..old };
    Ok(change(tx, next))
}

/// Whether the rectification failed: it was refused, judged inadequate, or its day passed without
/// a word. A report is judged before anything ends.
fn check_rectification(grant: &Grant, today: LocalDate) -> Result<(), Refusal> {
    if grant.state.has_ended() {
        return Err(wrong_state(grant, "a suspended grant"));
    }
    let suspension = grant.suspension.as_ref().filter(|_| grant.state == GrantState::Suspended);
    let Some(suspension) = suspension else {
        return Err(Refusal::new(Reason::TerminationWithoutSuspension));
    };
    let rectification = grant.course.as_ref().and_then(|course| course.rectification.as_ref());
    if let Some(rectification) = rectification {
        match (&rectification.judgement, &rectification.report) {
            (Some(judgement), _) if !judgement.adequate => return Ok(()),
            (_, Some(report)) if report.refused => return Ok(()),
            (None, Some(_)) => return Err(Refusal::new(Reason::RectificationUnjudged)),
            _ => {}
        }
    }
    let date = suspension.rectify_by;
    if today > date {
        Ok(())
    } else {
        Err(Refusal::new(Reason::RectificationRunning).fact("date", date))
    }
}

/// The day for rectification passed. The right stays suspended: whether it ends is for whoever
/// stopped it to say.
pub(crate) fn lapsed(tx: &mut Tx<'_>, row: &DeadlineRow) {
    let mut grant = owned(tx, &row.subject).expect("an order's deadline belongs to our grant");
    let now = tx.clock;
    let last = grant.suspension.as_ref().map(|suspension| suspension.rectify_by);
    let Some((rectification, rectify_by)) = running(&mut grant).zip(last) else { return };
    rectification.lapsed_time = Some(now);
    let fact = Fact::RectificationLapsed { rectify_by };
    ledger::append(tx, &row.subject, fact, None, &[]);
    change(tx, grant);
}

/// The rectification that a suspended right waits for.
fn running(grant: &mut Grant) -> Option<&mut Rectification> {
    let suspended = grant.state == GrantState::Suspended;
    grant.course.as_mut().filter(|_| suspended)?.rectification.as_mut()
}

fn suspension_rule(tx: &Tx<'_>, law: &Law, grant: &Grant) -> Result<Option<MisuseOrder>, Refusal> {
    if tx.level < COURSE_LEVEL {
        return Ok(None);
    }
    Ok(conduct_rules(tx, law, grant)?.misuse_suspension())
}

/// The caller's organization, if it may stop the right: whom the rule names, and where none
/// speaks, the provider or the authority (decree 809 art. 27¶2).
fn supervisor(
    tx: &Tx<'_>,
    grant: &Grant,
    order: Option<&MisuseOrder>,
) -> Result<Organization, Refusal> {
    let (authority, provider) =
        order.map_or((true, true), |order| (order.authority, order.provider));
    let authority = authority && organizations::is_authority(tx);
    tx.caller_organization()
        .filter(|caller| authority || provider && caller.id == grant.provider.organization)
        .ok_or_else(|| {
            let refusal = not_permitted(tx, "the provider or the authority");
            under(refusal, order.map(|order| order.rule.clone()))
        })
}
