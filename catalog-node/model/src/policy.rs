//! Policy: what becomes of a request, an entry, a text, by the rules that hold for the pair?
//!
//! Pure functions of values. The state machine decides with them; the gateway asks them first and
//! may only refuse or pass on, so the two cannot disagree. Not here: who the caller is, whether a
//! consent was given, where a case stands; those are facts of the state.
//!
//! A refusal collects every fault that can be seen, so that a caller corrects a call once. Its
//! reason and rule are those of the first fault, in the order in which a clerk would read.

mod content;
mod findings;
mod life;
mod publish;

use crate::{
    catalog_entry::{CatalogEntry, DataItem},
    deadline::WorkingDays,
    reason::{Lang, Reason},
    refusal::Refusal,
    rule::RuleRef,
    rule_pack::{RequestPart, Resolution, RuleKey},
    share_request::{CaseRules, Commitment, RequestContent},
    sharing::{SharingAttribute, SharingKind},
    time::LocalDate,
};

use self::findings::Findings;

pub use self::{
    content::{
        MAX_ABSTRACT, MAX_ITEMS, MAX_LINE, MAX_LIST, MAX_TEXT, MAX_TITLE, check_entry_content,
        check_request_content,
    },
    life::{EntryHistory, Narrowing, Warning, check_secrecy, entry_warnings, narrowings},
    publish::{
        ProviderFacts, check_basis, check_publishable, check_publishable_with, publication_findings,
    },
};

/// What policy must know of the entry that is asked for: its published version.
#[derive(Debug, Clone, Copy)]
pub struct EntryFacts<'a> {
    /// Whether it is in the catalog.
    pub listed: bool,
    /// Its attribute.
    pub sharing: Option<&'a SharingAttribute>,
    /// Its items.
    pub items: &'a [DataItem],
    /// Whether the head gave a standing answer for this version (SHR-05).
    pub standing_answer: bool,
}

impl<'a> EntryFacts<'a> {
    /// The facts of a published version.
    pub fn of(entry: &'a CatalogEntry, standing_answer: bool) -> Self {
        Self {
            listed: entry.state.is_listed(),
            sharing: entry.content.sharing.as_ref(),
            items: &entry.content.items,
            standing_answer,
        }
    }
}

/// What becomes of a request that nothing speaks against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// Everything asked is unconditional: granted without anyone's decision (SHR-05).
    GrantAtOnce {
        /// The rule of the standing answer, or that of direct access where no answer is owed.
        rule: RuleRef,
        /// The answer clock that the grant meets; it runs where the owner's domain cannot be
        /// reached.
        clock: Option<(WorkingDays, RuleRef)>,
        /// Who would have decided.
        rules: Box<CaseRules>,
    },
    /// A case: someone owes an answer (SHR-06).
    OpenCase {
        /// The strictest attribute of the items asked for.
        sharing: SharingKind,
        /// Who decides, who owes, to whom an overdue answer goes.
        rules: Box<CaseRules>,
        /// Working days for the answer, with their rule.
        answer: (WorkingDays, RuleRef),
    },
}

/// Says what becomes of a request received on `today`, or why it is refused (SHR-01, 03–06, 08,
/// 09).
pub fn decide(
    resolution: &Resolution,
    entry: &EntryFacts<'_>,
    asked: &RequestContent,
    today: LocalDate,
) -> Result<Route, Refusal> {
    check_request_content(asked)?;
    let Some(attribute) = entry.sharing.filter(|_| entry.listed) else {
        return Err(Refusal::new(Reason::EntryNotAvailable));
    };
    let kinds: Vec<(&DataItem, SharingKind)> = asked
        .items
        .iter()
        .filter_map(|name| entry.items.iter().find(|item| item.name == *name))
        .map(|item| (item, item.sharing.unwrap_or(attribute.kind())))
        .collect();
    // An item's own attribute stands above the entry's, so an entry that is not shared may still
    // have items that are.
    let none_shared = kinds.iter().all(|(_, kind)| *kind == SharingKind::NotShared);
    if let SharingAttribute::NotShared { reason, basis } = attribute
        && none_shared
    {
        let basis = basis.as_ref().map_or_else(|| reason.clone(), ToString::to_string);
        let refusal = Refusal::new(Reason::NotShared).fact("basis", basis);
        return Err(with_rule(refusal, resolution.none_basis().map(|(_, rule)| rule)));
    }

    let mut found = Findings::default();
    missing_parts(resolution, asked, today, &mut found);
    missing_commitments(resolution, asked, &mut found);
    for (place, name) in asked.items.iter().enumerate() {
        let field = format!("request.items[{place}]");
        match kinds.iter().find(|(item, _)| item.name == *name) {
            None => {
                let refusal = Refusal::new(Reason::ItemUnknown).fact("item", name);
                found.add(refusal, &field, "not an item of the entry", "不是该目录的信息项");
            }
            Some((item, SharingKind::NotShared)) => {
                let mut refusal = Refusal::new(Reason::ItemNotShared).fact("item", name);
                if let Some(basis) = &item.basis {
                    refusal = refusal.fact("basis", basis);
                }
                let rule = resolution.none_basis().map(|(_, rule)| rule);
                found.add(with_rule(refusal, rule), &field, "not shared", "不予共享");
            }
            Some(_) => {}
        }
    }
    found.into_result()?;

    let strictest = kinds.iter().map(|(_, kind)| *kind).max().unwrap_or(attribute.kind());
    let rules = Box::new(case_rules(resolution, strictest)?);
    let clock = resolution.answer_days(strictest);
    if strictest == SharingKind::Unconditional
        && let Some(rule) = grant_rule(resolution, entry.standing_answer)
    {
        return Ok(Route::GrantAtOnce { rule, clock, rules });
    }
    let answer = clock.ok_or_else(|| {
        no_rule(match strictest {
            SharingKind::Unconditional => RuleKey::SharingUnconditionalAnswer,
            _ => RuleKey::SharingConditionalAnswer,
        })
    })?;
    Ok(Route::OpenCase { sharing: strictest, rules, answer })
}

/// The part of a mixed request that is granted at once while the rest is a case: its unconditional
/// items, where a rule grants them without anyone's decision (SHR-05). None where all items or none
/// of them are unconditional.
pub fn part_at_once(
    resolution: &Resolution,
    entry: &EntryFacts<'_>,
    asked: &RequestContent,
) -> Option<(Vec<String>, RuleRef)> {
    let attribute = entry.sharing?;
    let unconditional = |name: &&String| {
        let item = entry.items.iter().find(|item| item.name == **name);
        item.and_then(|item| item.sharing).unwrap_or(attribute.kind()) == SharingKind::Unconditional
    };
    let items: Vec<String> = asked.items.iter().filter(unconditional).cloned().collect();
    if items.is_empty() || items.len() == asked.items.len() {
        return None;
    }
    Some((items, grant_rule(resolution, entry.standing_answer)?))
}

/// The rule by which an unconditional item is granted at once. Where the law asks for the head's
/// consent to every answer, only a standing answer can give it; elsewhere access is direct.
fn grant_rule(resolution: &Resolution, standing_answer: bool) -> Option<RuleRef> {
    let standing = resolution.standing_answer().filter(|_| standing_answer);
    if resolution.answer_head_consent().is_some() {
        standing
    } else {
        resolution.direct_access().or(standing)
    }
}

/// Who decides a case of this kind, who owes, to whom it goes when overdue. Refused where no rule
/// in force says (POL-03).
pub fn case_rules(resolution: &Resolution, kind: SharingKind) -> Result<CaseRules, Refusal> {
    let missing_decider = || no_rule(RuleKey::SharingConditionalDecider);
    let (decider, decider_rule) = resolution.decider().ok_or_else(missing_decider)?;
    let debtor = resolution.debtor().ok_or_else(missing_decider)?;
    let (escalation, _) =
        resolution.escalation(debtor).ok_or_else(|| no_rule(RuleKey::OverdueEscalationTarget))?;
    Ok(CaseRules {
        composition: resolution.composition().to_owned(),
        pack_version: resolution.pack_version(),
        scope: resolution.scope().to_owned(),
        debtor,
        decider,
        decider_rule,
        answer_rule: resolution.answer_days(kind).map(|(_, rule)| rule),
        answer_head_consent: resolution.answer_head_consent(),
        escalation,
    })
}

fn no_rule(key: RuleKey) -> Refusal {
    Refusal::new(Reason::NoRuleInForce).fact("key", key.name())
}

fn with_rule(refusal: Refusal, rule: Option<RuleRef>) -> Refusal {
    match rule {
        Some(rule) => refusal.under(rule),
        None => refusal,
    }
}

/// What the request does not state (SHR-09). A reason for each item is nobody's rule.
fn missing_parts(
    resolution: &Resolution,
    asked: &RequestContent,
    today: LocalDate,
    found: &mut Findings,
) {
    let mut lacks = |reason, rule: Option<&RuleRef>, field| {
        let refusal = with_rule(Refusal::new(reason), rule.cloned());
        found.add(refusal, field, "missing", "缺少");
    };
    let contents = resolution.request_contents();
    let rule_of = |wanted| contents.iter().find(|(part, _)| *part == wanted).map(|(_, rule)| rule);
    if let Some(rule) = rule_of(RequestPart::Scenario)
        && asked.scenario.trim().is_empty()
    {
        lacks(Reason::ScenarioMissing, Some(rule), "request.scenario");
    }
    if let Some(rule) = rule_of(RequestPart::Basis)
        && asked.duty_basis.trim().is_empty()
    {
        lacks(Reason::DutyBasisMissing, Some(rule), "request.duty_basis");
    }
    // A grant names its items, so a request must, whether or not a rule says "scope".
    if asked.items.is_empty() {
        let least = resolution.least_necessary();
        let rule = rule_of(RequestPart::Scope).or(least.as_ref());
        lacks(Reason::ScopeMissing, rule, "request.items");
    }
    if let Some(rule) = rule_of(RequestPart::Method)
        && asked.method.is_none()
    {
        lacks(Reason::MethodMissing, Some(rule), "request.method");
    }
    match asked.term {
        None => {
            if let Some(rule) = rule_of(RequestPart::Term) {
                lacks(Reason::TermMissing, Some(rule), "request.term");
            }
        }
        Some(term) if term.to < term.from || term.to < today => {
            let en = "it ends before it begins or before today";
            let zh = "早于起始日或早于今日";
            found.add(Refusal::new(Reason::TermInvalid), "request.term.to", en, zh);
        }
        Some(_) => {}
    }
}

fn missing_commitments(resolution: &Resolution, asked: &RequestContent, found: &mut Findings) {
    let missing: Vec<(Commitment, RuleRef)> = resolution
        .commitments()
        .into_iter()
        .filter(|(commitment, _)| !asked.commitments.contains(commitment))
        .collect();
    let list = |lang| {
        let names: Vec<&str> = missing.iter().map(|(c, _)| commitment_name(*c, lang)).collect();
        names.join(", ")
    };
    if let Some((_, rule)) = missing.first() {
        let refusal = Refusal::new(Reason::CommitmentMissing)
            .under(rule.clone())
            .fact("missing", list(Lang::En));
        found.add(refusal, "request.commitments", list(Lang::En), list(Lang::Zh));
    }
}

fn commitment_name(commitment: Commitment, lang: Lang) -> &'static str {
    match (commitment, lang) {
        (Commitment::ScenarioAuthentic, Lang::En) => "scenario_authentic",
        (Commitment::ScenarioCompliant, Lang::En) => "scenario_compliant",
        (Commitment::ScenarioSecure, Lang::En) => "scenario_secure",
        (Commitment::RequestAuthentic, Lang::En) => "request_authentic",
        (Commitment::RequestLawful, Lang::En) => "request_lawful",
        (Commitment::RequestNecessary, Lang::En) => "request_necessary",
        (Commitment::ScenarioAuthentic, Lang::Zh) => "应用场景的真实性",
        (Commitment::ScenarioCompliant, Lang::Zh) => "应用场景的合规性",
        (Commitment::ScenarioSecure, Lang::Zh) => "应用场景的安全性",
        (Commitment::RequestAuthentic, Lang::Zh) => "申请的真实性",
        (Commitment::RequestLawful, Lang::Zh) => "申请的合法性",
        (Commitment::RequestNecessary, Lang::Zh) => "申请的必要性",
    }
}

#[cfg(test)]
mod tests;
