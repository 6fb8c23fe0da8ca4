//! Changes of a service: what others live on is not ended or changed without a reason, a talk with
//! them and a filing (SHR-25, CAT-30, must-refuse 47).
//!
//! Which of the three steps are needed is what the rules ask for any of the pairs concerned. A leak
//! or a secret stops the calls at once; the procedure follows.

use std::collections::BTreeMap;

use catalog_model::{
    catalog_entry::CatalogEntry,
    deadline::DeadlineKind,
    document_digest::DocumentDigest,
    grant::{Grant, GrantState, ServiceNotice},
    ids::ServiceChangeId,
    name::{Resource, ResourceName},
    reason::Reason,
    refusal::Refusal,
    rule::RuleRef,
    service_change::{
        AffectedGrant, ConsumerStatement, ServiceChange, ServiceChangeCause, ServiceChangeKind,
        ServiceChangeNeed, ServiceChangeState,
    },
    time::LocalDate,
};

use super::{acts_for, course, live::service_change_open, live_grants, under};
use crate::{
    apply::{organizations::same_version, text},
    event::Event,
    keys,
    ledger::{self, Fact},
    machine::{Law, not_permitted},
    outcome::Outcome,
    tx::Tx,
};

/// What the provider wants.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    pub(super) kind: ServiceChangeKind,
    pub(super) items: &'a [String],
    pub(super) cause: ServiceChangeCause,
    pub(super) reason: &'a str,
    pub(super) effective: LocalDate,
}

pub(super) fn propose(
    tx: &mut Tx<'_>,
    law: &Law,
    id: ServiceChangeId,
    entry: &ResourceName,
    wanted: &Wanted<'_>,
) -> Result<Outcome, Refusal> {
    let row = entry_of_ours(tx, entry)?;
    let provider = tx
        .caller_organization()
        .filter(|caller| caller.id == row.provider)
        .ok_or_else(|| not_permitted(tx, "the provider of the entry"))?;
    if let Some(open) = service_change_open(tx, entry) {
        return Err(Refusal::new(Reason::AlreadyExists).fact("name", name(&open)));
    }
    check_wanted(tx, wanted)?;
    let mut change = ServiceChange {
        id,
        domain: tx.domain().clone(),
        entry: entry.clone(),
        provider: tx.party(&provider),
        kind: wanted.kind,
        items: wanted.items.to_vec(),
        cause: wanted.cause,
        reason: wanted.reason.to_owned(),
        effective: wanted.effective,
        state: ServiceChangeState::Proposed,
        grants: Vec::new(),
        minutes: None,
        filed_time: None,
        effected_time: None,
        rule: None,
        version: 0,
        created_time: tx.clock,
        updated_time: tx.clock,
    };
    let concerned = touched(tx, &change);
    if concerned.is_empty() {
        return Err(Refusal::new(Reason::ServiceChangeStateWrong)
            .fact("state", "without users")
            .fact("needed", "a live grant; without one nothing is to be talked over"));
    }
    let needs = needs(tx, law, &concerned)?;
    if wanted.reason.trim().is_empty()
        && let Some(rule) = needs.get(&ServiceChangeNeed::ProperReason)
    {
        let refusal = Refusal::new(Reason::ReasonMissing).under(rule.clone());
        return Err(refusal.field("reason", "missing", "缺少"));
    }
    text::check("reason", wanted.reason)?;
    change.rule = needs.values().next().cloned();
    change.grants = concerned
        .iter()
        .map(|grant| AffectedGrant {
            grant: super::name(tx, grant.id),
            consumer: grant.consumer.clone(),
            statement: None,
            joined_time: None,
        })
        .collect();
    let fact = Fact::ServiceChangeProposed {
        entry: entry.clone(),
        kind: change.kind,
        cause: change.cause,
        effective: change.effective,
        grants: change.grants.iter().map(|affected| affected.grant.clone()).collect(),
    };
    let rule = change.rule.clone();
    ledger::append(tx, &name(&change), fact, rule, &[("reason", wanted.reason)]);
    let outcome = save(tx, change.clone());
    notify(tx, &change);
    Ok(outcome)
}

fn check_wanted(tx: &Tx<'_>, wanted: &Wanted<'_>) -> Result<(), Refusal> {
    if (wanted.kind == ServiceChangeKind::Narrow) == wanted.items.is_empty() {
        let (en, zh) =
            ("named where items are taken out, and only then", "缩减信息项时填写，其他情形不填");
        return Err(Refusal::new(Reason::FieldInvalid).field("items", en, zh));
    }
    text::check_list("items", wanted.items)?;
    if wanted.effective < tx.today() {
        let (en, zh) = ("not before today", "不得早于今日");
        return Err(Refusal::new(Reason::FieldInvalid).field("effective", en, zh));
    }
    Ok(())
}

/// A user says what it thinks. If all agree, nothing is left to negotiate.
pub(super) fn state(
    tx: &mut Tx<'_>,
    law: &Law,
    change: &ResourceName,
    version: u64,
    agrees: bool,
    words: &str,
) -> Result<Outcome, Refusal> {
    let mut next = known(tx, change)?;
    let (mut concerned, mut joined) = (false, false);
    let stated_time = tx.clock;
    for affected in &mut next.grants {
        if acts_for(tx, &affected.consumer) {
            concerned = true;
            joined |= affected.joined_time.is_some();
            let text = words.to_owned();
            affected.statement = Some(ConsumerStatement { agrees, text, stated_time });
        }
    }
    if !concerned {
        return Err(not_permitted(tx, "a user of the service"));
    }
    same_version(next.version, version)?;
    // With whoever came in late it may be talked over until the end.
    let talking = [ServiceChangeState::Proposed, ServiceChangeState::Negotiated];
    let open = talking.contains(&next.state) || joined && next.state.is_open();
    if !open {
        return Err(wrong_state(&next, "a talk that is not over"));
    }
    text::check("text", words)?;
    let rule = rule_of(tx, law, &next, ServiceChangeNeed::Negotiation)?;
    let fact = Fact::ServiceChangeStated { agrees };
    ledger::append(tx, change, fact, rule.clone(), &[("text", words)]);
    if next.state == ServiceChangeState::Negotiated && next.minutes.is_none() && !next.all_agree() {
        // Their agreement was all that showed a talk.
        next.state = ServiceChangeState::Proposed;
    }
    if next.state == ServiceChangeState::Proposed && next.all_agree() {
        return Ok(advance(tx, next, ServiceChangeState::Negotiated, rule));
    }
    Ok(save(tx, next))
}

/// The minutes show that it was talked over with every user, whatever they said.
pub(super) fn negotiated(
    tx: &mut Tx<'_>,
    law: &Law,
    change: &ResourceName,
    version: u64,
    minutes: DocumentDigest,
) -> Result<Outcome, Refusal> {
    let mut next = owned(tx, change, version)?;
    let talking = [ServiceChangeState::Proposed, ServiceChangeState::Negotiated];
    if !talking.contains(&next.state) {
        return Err(wrong_state(&next, "a talk that is not over"));
    }
    let rule = rule_of(tx, law, &next, ServiceChangeNeed::Negotiation)?;
    next.minutes = Some(minutes);
    for affected in &mut next.grants {
        affected.joined_time = None;
    }
    Ok(advance(tx, next, ServiceChangeState::Negotiated, rule))
}

pub(super) fn file(
    tx: &mut Tx<'_>,
    law: &Law,
    change: &ResourceName,
    version: u64,
) -> Result<Outcome, Refusal> {
    let mut next = owned(tx, change, version)?;
    match next.state {
        ServiceChangeState::Negotiated => {}
        ServiceChangeState::Proposed => check_negotiated(tx, law, &next)?,
        _ => return Err(wrong_state(&next, "a change that is not filed")),
    }
    let rule = rule_of(tx, law, &next, ServiceChangeNeed::Filing)?;
    next.filed_time = Some(tx.clock);
    Ok(advance(tx, next, ServiceChangeState::Filed, rule))
}

pub(super) fn effect(
    tx: &mut Tx<'_>,
    law: &Law,
    change: &ResourceName,
    version: u64,
) -> Result<Outcome, Refusal> {
    let mut next = owned(tx, change, version)?;
    if !next.state.is_open() {
        return Err(wrong_state(&next, "a change that is under way"));
    }
    if next.state == ServiceChangeState::Proposed {
        check_negotiated(tx, law, &next)?;
    }
    if next.state != ServiceChangeState::Filed
        && let Some(rule) = rule_of(tx, law, &next, ServiceChangeNeed::Filing)?
    {
        return Err(Refusal::new(Reason::ServiceChangeNotFiled).under(rule));
    }
    if tx.today() < next.effective {
        return Err(wrong_state(&next, &format!("its day, {}", next.effective)));
    }
    // Somebody may have come in since: with it, too, it is to be talked over.
    let concerned = touched(tx, &next);
    let told = |grant: &Grant| {
        let name = super::name(tx, grant.id);
        let affected = next.grants.iter().find(|affected| affected.grant == name);
        affected.is_some_and(|affected| affected.joined_time.is_none() || affected.agrees())
    };
    if let Some(stranger) = concerned.iter().find(|grant| !told(grant)) {
        let rules = needs(tx, law, std::slice::from_ref(stranger))?;
        if let Some(rule) = rules.get(&ServiceChangeNeed::Negotiation) {
            let refusal = Refusal::new(Reason::ServiceChangeNotNegotiated).under(rule.clone());
            return Err(refusal.fact("grant", super::name(tx, stranger.id)));
        }
    }
    let rule = rule_of(tx, law, &next, ServiceChangeNeed::Filing)?;
    next.effected_time = Some(tx.clock);
    let outcome = advance(tx, next.clone(), ServiceChangeState::Effective, rule);
    for grant in concerned {
        end_or_narrow(tx, &next, grant.id);
    }
    Ok(outcome)
}

/// The right ends with its service, or keeps the items that are left.
fn end_or_narrow(tx: &mut Tx<'_>, change: &ServiceChange, id: catalog_model::ids::GrantId) {
    let subject = super::name(tx, id);
    let grant = super::owned(tx, &subject).expect("a concerned grant is ours");
    let left: Vec<String> = match change.kind {
        ServiceChangeKind::Change => return,
        ServiceChangeKind::End => Vec::new(),
        ServiceChangeKind::Narrow => {
            let stays = |item: &&String| !change.items.contains(item);
            grant.items.iter().filter(stays).cloned().collect()
        }
    };
    let fact = Fact::GrantChangedWithService { change: name(change), items: left.clone() };
    ledger::append(tx, &subject, fact, change.rule.clone(), &[]);
    let next = if left.is_empty() {
        tx.clear_deadline(DeadlineKind::Delivery, &subject);
        tx.clear_deadline(DeadlineKind::Rectification, &subject);
        Grant { state: GrantState::Ended, ..grant }
    } else {
        Grant { items: left, ..grant }
    };
    super::change(tx, next);
}

/// The provider gives the change up: what was stopped runs again.
pub(super) fn abandon(
    tx: &mut Tx<'_>,
    change: &ResourceName,
    version: u64,
    reason: &str,
) -> Result<Outcome, Refusal> {
    let next = owned(tx, change, version)?;
    if !next.state.is_open() {
        return Err(wrong_state(&next, "a change that is under way"));
    }
    text::check_reason("reason", reason)?;
    let state = ServiceChangeState::Abandoned;
    let fact = Fact::ServiceChangeMoved { state, minutes: None };
    ledger::append(tx, change, fact, None, &[("reason", reason)]);
    let next = ServiceChange { state, ..next };
    let outcome = save(tx, next.clone());
    notify(tx, &next);
    Ok(outcome)
}

/// The next step, on record, and told to every user.
fn advance(
    tx: &mut Tx<'_>,
    change: ServiceChange,
    state: ServiceChangeState,
    rule: Option<RuleRef>,
) -> Outcome {
    let minutes = change.minutes.filter(|_| state == ServiceChangeState::Negotiated);
    let fact = Fact::ServiceChangeMoved { state, minutes };
    ledger::append(tx, &name(&change), fact, rule, &[]);
    let change = ServiceChange { state, ..change };
    let outcome = save(tx, change.clone());
    notify(tx, &change);
    outcome
}

/// Notes on each right how the change stands. A leak or a secret stops the calls while the change
/// is under way.
fn notify(tx: &mut Tx<'_>, change: &ServiceChange) {
    for affected in &change.grants {
        let Ok(mut grant) = super::owned(tx, &affected.grant) else { continue };
        if grant.state.has_ended() {
            continue;
        }
        put_notice(tx, change, &mut grant);
        super::change(tx, grant);
    }
}

fn put_notice(tx: &Tx<'_>, change: &ServiceChange, grant: &mut Grant) {
    let stops = change.cause.stops_at_once() && change.state.is_open();
    let before = grant.course.as_ref().and_then(|course| course.service.as_ref());
    let since = before.filter(|notice| notice.change == name(change));
    let since = since.and_then(|notice| notice.stopped_time).unwrap_or(tx.clock);
    course(grant).service = Some(ServiceNotice {
        change: name(change),
        kind: change.kind,
        cause: change.cause,
        state: change.state,
        effective: change.effective,
        stopped_time: stops.then_some(since),
    });
}

/// A new right to a service of which a change is under way comes in late: what stops the others
/// stops it, and the change does not take effect before its user was talked with.
pub(super) fn join(tx: &mut Tx<'_>, grant: &mut Grant) {
    let Some(mut change) = service_change_open(tx, &grant.entry) else { return };
    if !change.touches(&grant.items) {
        return;
    }
    change.grants.push(AffectedGrant {
        grant: super::name(tx, grant.id),
        consumer: grant.consumer.clone(),
        statement: None,
        joined_time: Some(tx.clock),
    });
    put_notice(tx, &change, grant);
    save(tx, change);
}

/// The live rights that the change takes something from, or that go on otherwise with it.
fn touched(tx: &Tx<'_>, change: &ServiceChange) -> Vec<Grant> {
    let mut grants = live_grants(tx, &change.entry);
    grants.retain(|grant| change.touches(&grant.items));
    grants
}

/// What the rules of today ask for any of these rights.
fn needs(
    tx: &Tx<'_>,
    law: &Law,
    grants: &[Grant],
) -> Result<BTreeMap<ServiceChangeNeed, RuleRef>, Refusal> {
    let mut needs = BTreeMap::new();
    let mut pairs = std::collections::BTreeSet::new();
    for grant in grants {
        let pair = super::pair(tx, grant)?;
        if !pairs.insert(pair) {
            continue;
        }
        for (need, rule) in law.resolve(tx, pair, tx.today())?.service_change_needs() {
            needs.entry(need).or_insert(rule);
        }
    }
    Ok(needs)
}

fn rule_of(
    tx: &Tx<'_>,
    law: &Law,
    change: &ServiceChange,
    need: ServiceChangeNeed,
) -> Result<Option<RuleRef>, Refusal> {
    let grants: Vec<Grant> = change
        .grants
        .iter()
        .filter_map(|affected| super::owned(tx, &affected.grant).ok())
        .collect();
    Ok(needs(tx, law, &grants)?.remove(&need))
}

fn check_negotiated(tx: &Tx<'_>, law: &Law, change: &ServiceChange) -> Result<(), Refusal> {
    match rule_of(tx, law, change, ServiceChangeNeed::Negotiation)? {
        Some(rule) => Err(under(Refusal::new(Reason::ServiceChangeNotNegotiated), Some(rule))),
        None => Ok(()),
    }
}

fn name(change: &ServiceChange) -> ResourceName {
    ResourceName::new(change.domain.clone(), Resource::ServiceChange(change.id))
}

fn entry_of_ours(tx: &Tx<'_>, entry: &ResourceName) -> Result<CatalogEntry, Refusal> {
    let Resource::Entry(id) = entry.resource else {
        return Err(Refusal::new(Reason::NameInvalid).fact("name", entry));
    };
    if entry.domain != *tx.domain() {
        return Err(Refusal::new(Reason::NotOwner).fact("owner", &entry.domain));
    }
    tx.get(&keys::entry(&entry.domain, id))
        .ok_or_else(|| Refusal::new(Reason::NotFound).fact("name", entry))
}

fn known(tx: &Tx<'_>, name: &ResourceName) -> Result<ServiceChange, Refusal> {
    let Resource::ServiceChange(id) = name.resource else {
        return Err(Refusal::new(Reason::NameInvalid).fact("name", name));
    };
    tx.get(&keys::service_change(&name.domain, id))
        .ok_or_else(|| Refusal::new(Reason::NotFound).fact("name", name))
}

/// The change of this name at this version, if the caller is its provider.
fn owned(tx: &Tx<'_>, name: &ResourceName, version: u64) -> Result<ServiceChange, Refusal> {
    let change = known(tx, name)?;
    if !acts_for(tx, &change.provider) {
        return Err(not_permitted(tx, "the provider"));
    }
    same_version(change.version, version)?;
    Ok(change)
}

fn save(tx: &mut Tx<'_>, change: ServiceChange) -> Outcome {
    let version = change.version + 1;
    let change = ServiceChange { version, updated_time: tx.clock, ..change };
    tx.put(&keys::service_change(&change.domain, change.id), &change);
    if let Resource::Entry(entry) = change.entry.resource {
        let of = (&change.entry.domain, entry);
        let key = keys::service_change_by_entry(of, &change.domain, change.id);
        tx.put_bytes(&key, Vec::new());
    }
    let name = name(&change);
    tx.emit(Event::ResourceChanged(name.clone()));
    Outcome::Done(Some(name))
}

fn wrong_state(change: &ServiceChange, needed: &str) -> Refusal {
    Refusal::new(Reason::ServiceChangeStateWrong)
        .fact("state", change.state.word())
        .fact("needed", needed)
}
