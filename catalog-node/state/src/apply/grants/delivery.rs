//! Delivery: when did the data arrive, and by what proof (SHR-07, CAL-12)?
//!
//! An offer is no delivery, and neither is a word of the provider: the clock ends with what the
//! rules count as proof (must-refuse 43). A due date that passes opens an order to the debtor and
//! goes to somebody who is not the debtor, as an answer's does; where the data had been ready and
//! the platform's own test had succeeded in time, the rest is the user's.

use catalog_model::{
    caller::Identity,
    catalog_entry::SharingMethod,
    deadline::{DeadlineKind, WorkingDayClock},
    grant::{Delivery, DeliveryOffer, DeliveryProof, Grant, GrantState},
    name::{Resource, ResourceName},
    organization::PlatformRole,
    reason::Reason,
    refusal::Refusal,
    rule::RuleRef,
    rule_pack::{Resolution, RuleKey, RuleValue, Unit},
    share_request::{OverdueMark, Party, PartyRole},
};

use super::{acts_for, change, check_provider, course, owned, under, wrong_state};
use crate::{
    apply::{organizations::same_version, requests},
    event::Event,
    keys,
    ledger::{self, Fact},
    machine::{Law, not_permitted},
    outcome::Outcome,
    rows::DeadlineRow,
    tx::Tx,
};

/// The clock that a new right starts, noted on its course where it has one. Below level 3 a
/// delivery is owed only where the law has a number for it.
pub(super) fn owed(
    tx: &Tx<'_>,
    law: &Law,
    resolution: &Resolution,
    grant: &mut Grant,
) -> Option<WorkingDayClock> {
    let kind = DeadlineKind::Delivery;
    let Some(course) = grant.course.as_mut() else {
        let merged = resolution.merged(RuleKey::SharingDelivery)?;
        let RuleValue::Count { n, unit: Unit::WorkingDay } = merged.value else { return None };
        let rule = merged.sources.into_iter().next()?;
        let days = catalog_model::deadline::WorkingDays(n);
        return Some(WorkingDayClock::start(kind, tx.clock, days, rule, &law.calendar));
    };
    let owed = resolution.delivery()?;
    let clock = WorkingDayClock::start(kind, tx.clock, owed.days, owed.rule, &law.calendar);
    course.delivery_clock = Some(clock.clone());
    course.delivery_debtor = Some(owed.debtor);
    course.delivery_escalation = resolution.escalation(owed.debtor).map(|(role, _)| role);
    Some(clock)
}

/// The provider says how the data are to be had. A second offer takes the place of the first.
pub(super) fn offer(
    tx: &mut Tx<'_>,
    grant: &ResourceName,
    version: u64,
    method: SharingMethod,
) -> Result<Outcome, Refusal> {
    let old = owned(tx, grant)?;
    check_provider(tx, &old)?;
    same_version(old.version, version)?;
    if !matches!(old.state, GrantState::Granted | GrantState::Offered) {
        return Err(wrong_state(&old, "a grant that is not delivered"));
    }
    ledger::append(tx, grant, Fact::DeliveryOffered, None, &[]);
    let mut next = Grant { state: GrantState::Offered, ..old };
    let offered_time = tx.clock;
    course(&mut next).offer = Some(DeliveryOffer { method, offered_time, tested_time: None });
    Ok(change(tx, next))
}

/// The platform saw data come: its own test, the delivery, or a use after it. It says so once for
/// each; a repeat changes nothing.
pub(super) fn retrieved(
    tx: &mut Tx<'_>,
    law: &Law,
    grant: &ResourceName,
    test: bool,
) -> Result<Outcome, Refusal> {
    let worker = matches!(tx.caller.identity, Identity::Gateway { .. } | Identity::Node { .. });
    if !worker || tx.caller.domain != *tx.domain() {
        return Err(not_permitted(tx, "the gateway or a node of this domain"));
    }
    let mut next = owned(tx, grant)?;
    let waits = matches!(next.state, GrantState::Granted | GrantState::Offered);
    if test {
        let now = tx.clock;
        let offer = next.course.as_mut().and_then(|course| course.offer.as_mut());
        let Some(offer) = offer.filter(|_| waits) else {
            return Err(wrong_state(&next, "an offer that waits"));
        };
        if offer.tested_time.is_some() {
            return Ok(Outcome::Done(Some(grant.clone())));
        }
        offer.tested_time = Some(now);
        ledger::append(tx, grant, Fact::DeliveryTested, None, &[]);
        return Ok(change(tx, next));
    }
    match next.state {
        _ if waits => deliver(tx, law, next, DeliveryProof::Retrieval),
        GrantState::Delivered => {
            next.state = GrantState::Active;
            Ok(change(tx, next))
        }
        GrantState::Active => Ok(Outcome::Done(Some(grant.clone()))),
        _ => Err(wrong_state(&next, "a grant in force")),
    }
}

/// The user says that the data arrived. Nobody says so for it.
pub(super) fn acknowledge(
    tx: &mut Tx<'_>,
    law: &Law,
    grant: &ResourceName,
    version: u64,
) -> Result<Outcome, Refusal> {
    let old = owned(tx, grant)?;
    if acts_for(tx, &old.provider) && !acts_for(tx, &old.consumer) {
        return Err(without_proof(&proofs(tx, law, &old)?));
    }
    super::check_user(tx, &old)?;
    same_version(old.version, version)?;
    if old.state != GrantState::Offered {
        return Err(wrong_state(&old, "an offer"));
    }
    deliver(tx, law, old, DeliveryProof::Acknowledgement)
}

fn deliver(
    tx: &mut Tx<'_>,
    law: &Law,
    mut grant: Grant,
    proof: DeliveryProof,
) -> Result<Outcome, Refusal> {
    let proofs = proofs(tx, law, &grant)?;
    let Some((_, rule)) = proofs.iter().find(|(counts, _)| *counts == proof).cloned() else {
        return Err(without_proof(&proofs));
    };
    let name = super::name(tx, grant.id);
    let delivered_time = tx.clock;
    // The row knows of the clock of a right that is older than its course.
    let row: Option<DeadlineRow> = tx.get(&keys::deadline(DeadlineKind::Delivery, &name));
    let late = row.is_some_and(|row| row.due_time <= delivered_time);
    let course = course(&mut grant);
    course.delivery = Some(Delivery { proof, delivered_time, late, rule: rule.clone() });
    grant.state = GrantState::Delivered;
    tx.clear_deadline(DeadlineKind::Delivery, &name);
    ledger::append(tx, &name, Fact::Delivered { proof, late }, Some(rule), &[]);
    Ok(change(tx, grant))
}

/// What counts as proof by the rules under which the case was received.
fn proofs(tx: &Tx<'_>, law: &Law, grant: &Grant) -> Result<Vec<(DeliveryProof, RuleRef)>, Refusal> {
    let case = requests::owned(tx, &grant.request)?;
    Ok(requests::rules_of(tx, law, &case).delivery_proofs())
}

fn without_proof(proofs: &[(DeliveryProof, RuleRef)]) -> Refusal {
    let words = |proof: &DeliveryProof| match proof {
        DeliveryProof::Retrieval => ("the first retrieval", "首次取得数据"),
        DeliveryProof::Acknowledgement => ("the user's acknowledgement", "使用部门确认"),
    };
    let (mut en, mut zh) = (Vec::new(), Vec::new());
    for (proof, _) in proofs {
        en.push(words(proof).0);
        zh.push(words(proof).1);
    }
    if proofs.is_empty() {
        (en, zh) = (vec!["nothing"], vec!["（无）"]);
    }
    let refusal = Refusal::new(Reason::DeliveryWithoutProof)
        .fact("proofs", en.join(" or "))
        .fact("proofs_zh", zh.join("或者"));
    under(refusal, proofs.first().map(|(_, rule)| rule.clone()))
}

/// Delivery was owed by now. The mark has the form of an answer's, so that a reason is heard and
/// lateness counted in the same way.
pub(crate) fn overdue(tx: &mut Tx<'_>, row: &DeadlineRow) {
    let mut grant = owned(tx, &row.subject).expect("a delivery's deadline belongs to our grant");
    let course = grant.course.as_deref().cloned().unwrap_or_default();
    let (Some(clock), Some(debtor)) = (course.delivery_clock, course.delivery_debtor) else {
        // A right that is older than its course: who owes and who hears of it is not on it.
        let fact = Fact::DeadlineMissed { kind: row.kind, due: row.due_time };
        ledger::append(tx, &row.subject, fact, None, &[]);
        tx.emit(Event::GrantChanged(row.subject.clone()));
        return;
    };
    let tested = course.offer.as_ref().and_then(|offer| offer.tested_time);
    if tested.is_some_and(|tested| tested < clock.due_time) {
        let fact = Fact::DeliveryAwaitsUser { due_date: clock.due_date };
        ledger::append(tx, &row.subject, fact, Some(clock.rule), &[]);
        tx.emit(Event::GrantChanged(row.subject.clone()));
        return;
    }
    let ordered = in_role(tx, debtor, &grant);
    let role = course.delivery_escalation.unwrap_or(PartyRole::GovernmentOrSuperior);
    let owes = |party: &Party| ordered.iter().any(|o| o.organization == party.organization);
    let mut escalated_to = role;
    let mut escalated_party = in_role(tx, role, &grant).into_iter().next();
    if escalated_party.as_ref().is_some_and(owes) {
        escalated_to = PartyRole::GovernmentOrSuperior;
        escalated_party = in_role(tx, escalated_to, &grant).into_iter().find(|party| !owes(party));
    }
    let named = |party: &Party| {
        let organization = Resource::Organization(party.organization);
        ResourceName::new(party.domain.clone(), organization)
    };
    let fact = Fact::DeliveryOverdue {
        due_date: clock.due_date,
        ordered: ordered.iter().map(named).collect(),
        escalated_to,
    };
    ledger::append(tx, &row.subject, fact, Some(clock.rule), &[]);
    let mark = OverdueMark {
        due_time: row.due_time,
        fired_time: tx.clock,
        ordered,
        escalated_to,
        escalated_party,
    };
    super::course(&mut grant).overdue = Some(mark);
    change(tx, grant);
}

/// Whether a delivery that did not come in time left its mark.
pub(crate) fn is_marked(tx: &Tx<'_>, grant: &ResourceName) -> bool {
    let grant = owned(tx, grant).ok();
    grant.and_then(|grant| grant.course).is_some_and(|course| course.overdue.is_some())
}

/// The calendar changed and the deadline moved: the clock on the course moves too. `lifted`: it was
/// overdue and is not, so that the mark goes; the order comes again in its time.
pub(crate) fn recounted(tx: &mut Tx<'_>, law: &Law, grant: &ResourceName, lifted: bool) {
    let Ok(mut next) = owned(tx, grant) else { return };
    let now = tx.clock;
    let Some(course) = next.course.as_mut() else { return };
    let clock = course.delivery_clock.as_mut();
    let moved = clock.is_some_and(|clock| clock.recompute(&law.calendar, now).is_some());
    let lifted = lifted && course.overdue.take().is_some();
    if moved || lifted {
        change(tx, next);
    }
}

/// The organizations that play a role for a right.
fn in_role(tx: &Tx<'_>, role: PartyRole, grant: &Grant) -> Vec<Party> {
    let platform =
        |role| tx.platform_organization(role).map(|organization| tx.party(&organization));
    let mut parties = Vec::new();
    match role {
        PartyRole::Requester => parties.push(grant.consumer.clone()),
        PartyRole::Provider => parties.push(grant.provider.clone()),
        PartyRole::Authority => parties.extend(platform(PlatformRole::Authority)),
        PartyRole::AuthorityAndProvider => {
            parties.extend(platform(PlatformRole::Authority));
            parties.push(grant.provider.clone());
        }
        PartyRole::PlatformManager => parties.extend(platform(PlatformRole::PlatformManager)),
        PartyRole::GovernmentOrSuperior => parties.extend(platform(PlatformRole::Government)),
    }
    parties
}
