//! Rulings: the authority decides where the texts leave a gap or contradict each other.
//!
//! A ruling makes a new version of the law in force, so that it binds what is received from then
//! on and a case keeps what it was received under (POL-02).

use catalog_model::{
    ids::RulingId,
    name::{Resource, ResourceName},
    paper_decision::PaperDecision,
    reason::{Lang, Reason},
    refusal::Refusal,
    rule::RuleRef,
    rule_pack::{RuleKey, Ruling, RulingEffect, RulingFault},
    time::LocalDate,
};

use super::{by_authority, needed, own, packs};
use crate::{
    apply::{catalog::worklist, text},
    event::Event,
    keys,
    law::{RulingKind, RulingRow},
    ledger::{self, Fact},
    machine::Law,
    outcome::Outcome,
    tx::Tx,
};

pub(super) fn record(
    tx: &mut Tx<'_>,
    law: &Law,
    id: RulingId,
    kind: &RulingKind,
    (from, to): (Option<LocalDate>, Option<LocalDate>),
    decision: Option<&PaperDecision>,
    reason: &str,
) -> Result<Outcome, Refusal> {
    by_authority(tx)?;
    text::check_reason("reason", reason)?;
    let name = ResourceName::new(tx.domain().clone(), Resource::Ruling(id));
    if tx.has(&keys::ruling(id)) {
        return Err(Refusal::new(Reason::AlreadyExists).fact("name", name));
    }
    if let Some(decision) = decision {
        check_decision(tx, decision)?;
    }
    let from = from.unwrap_or_else(|| tx.today());
    if from < tx.today() || to.is_some_and(|to| to < from) {
        let (en, zh) =
            ("it begins today or later and ends after", "应自今日或以后起，且不早于起始日结束");
        return Err(Refusal::new(Reason::FieldInvalid).field("from", en, zh));
    }
    let rule = check(tx, law, kind, from)?;
    let ruling = Ruling {
        id: id.to_string(),
        effect: kind.effect(),
        from,
        to,
        document_number: decision.map_or_else(String::new, |d| d.document_number.clone()),
    };
    let mut rulings = law.rule_pack.rulings().to_vec();
    rulings.push(ruling);
    let pack_version = put_rulings(tx, law, &rulings);
    let row = RulingRow {
        id,
        kind: kind.clone(),
        from,
        to,
        decision: decision.cloned(),
        reason: reason.to_owned(),
        recorded_time: tx.clock,
        pack_version,
        withdrawn_time: None,
    };
    tx.put(&keys::ruling(id), &row);
    let fact = Fact::RulingRecorded {
        kind: kind.name().to_owned(),
        rule: kind.rule().to_owned(),
        over: kind.over().map(str::to_owned),
        from,
        to,
        document_number: decision.map(|decision| decision.document_number.clone()),
        document_digest: decision.map(|decision| decision.digest.to_vec().into()),
    };
    let mut texts = vec![("reason", reason)];
    if let Some(decision) = decision {
        texts.push(("recorded_for", &decision.recorded_for));
    }
    ledger::append(tx, &name, fact, rule, &texts);
    tx.emit(Event::ResourceChanged(name.clone()));
    Ok(Outcome::Done(Some(name)))
}

/// Whether the ruling can be made, and the rule of the house on which it rests.
fn check(
    tx: &Tx<'_>,
    law: &Law,
    kind: &RulingKind,
    from: LocalDate,
) -> Result<Option<RuleRef>, Refusal> {
    let pack = &law.rule_pack;
    let own = own(tx, law)?;
    let (checked, rule) = match kind {
        RulingKind::ContinueExpired { rule } => {
            let house = needed(&own, RuleKey::RulesExpiredWithoutSuccessor)?;
            (pack.check_continuation(rule, from), Some(house))
        }
        RulingKind::Adapt { rule, over } => (pack.check_preference(rule, over, true), None),
        RulingKind::Choose { rule, over } => (pack.check_preference(rule, over, false), None),
    };
    let unfit = |en: String, zh: String| {
        let refusal = Refusal::new(Reason::RulingUnfit).fact("cause", en).fact("cause_zh", zh);
        match &rule {
            Some(rule) => refusal.under(rule.clone()),
            None => refusal,
        }
    };
    checked.map_err(|fault: RulingFault| unfit(fault.text(Lang::En), fault.text(Lang::Zh)))?;
    let effect = kind.effect();
    let against = match &effect {
        RulingEffect::Prefer { rule, over } => {
            RulingEffect::Prefer { rule: over.clone(), over: rule.clone() }
        }
        same @ RulingEffect::Continue { .. } => same.clone(),
    };
    let before = pack.rulings().iter().find(|ruling| {
        ruling.to.is_none_or(|to| to >= from)
            && (ruling.effect == effect || ruling.effect == against)
    });
    if let Some(before) = before {
        let en = format!("ruling {} decides the point already", before.id);
        return Err(unfit(en, format!("裁定 {} 已就此作出决定", before.id)));
    }
    Ok(rule)
}

/// A decision on paper is known by its number, its scan, its date and who issued it (SHR-29,
/// must-refuse 48).
fn check_decision(tx: &Tx<'_>, decision: &PaperDecision) -> Result<(), Refusal> {
    let mut refusal = Refusal::new(Reason::DecisionIncomplete);
    for (field, value) in [
        ("decision.document_number", &decision.document_number),
        ("decision.issuing_body", &decision.issuing_body),
        ("decision.recorded_for", &decision.recorded_for),
    ] {
        if value.trim().is_empty() {
            refusal = refusal.field(field, "missing", "缺少");
        }
        text::check(field, value)?;
    }
    if decision.digest == [0; 32] {
        refusal = refusal.field("decision.digest", "missing", "缺少");
    }
    if decision.date > tx.today() {
        refusal = refusal.field("decision.date", "in the future", "晚于今日");
    }
    if refusal.fields.is_empty() { Ok(()) } else { Err(refusal) }
}

pub(super) fn withdraw(
    tx: &mut Tx<'_>,
    law: &Law,
    name: &ResourceName,
    reason: &str,
) -> Result<Outcome, Refusal> {
    by_authority(tx)?;
    text::check_reason("reason", reason)?;
    let Resource::Ruling(id) = name.resource else {
        return Err(Refusal::new(Reason::NameInvalid).fact("name", name));
    };
    let row: Option<RulingRow> = tx.get(&keys::ruling(id)).filter(|_| name.domain == *tx.domain());
    let Some(row) = row else { return Err(Refusal::new(Reason::NotFound).fact("name", name)) };
    if row.withdrawn_time.is_some() {
        let (en, zh) = ("it was withdrawn already", "已撤回");
        return Err(Refusal::new(Reason::RulingUnfit).fact("cause", en).fact("cause_zh", zh));
    }
    let left: Vec<Ruling> = law
        .rule_pack
        .rulings()
        .iter()
        .filter(|ruling| ruling.id != id.to_string())
        .cloned()
        .collect();
    put_rulings(tx, law, &left);
    tx.put(&keys::ruling(id), &RulingRow { withdrawn_time: Some(tx.clock), ..row });
    ledger::append(tx, name, Fact::RulingWithdrawn, None, &[("reason", reason)]);
    tx.emit(Event::ResourceChanged(name.clone()));
    Ok(Outcome::Done(Some(name.clone())))
}

/// The law with these rulings, as its next version.
fn put_rulings(tx: &mut Tx<'_>, law: &Law, rulings: &[Ruling]) -> u64 {
    let pack = law.rule_pack.with_rulings(rulings).expect("the rules of a ruling were checked");
    let version = packs::store(tx, law, pack).rule_pack_version;
    worklist::begin(tx, version, &format!("rule pack v{version}"));
    version
}
