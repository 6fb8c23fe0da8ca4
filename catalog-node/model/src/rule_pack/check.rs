//! Check: is there anything in a pack that its keeper should know, though it can be read?
//!
//! An error refuses the pack when it is loaded; a warning is shown. A text that contradicts itself
//! is a mistake of whoever typed it; two texts of one rank that contradict are a matter for the
//! authority (POL-08).

use std::collections::BTreeSet;

use super::{Operator, Pair, Rule, RulePack, RuleValue};
use crate::{
    organization::{DataKind, PartyClass},
    reason::Lang,
    rule::Rank,
    time::LocalDate,
};

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The pack is refused.
    Error,
    /// The authority should rule.
    RulingWanted,
    /// To be known.
    Note,
}

/// Something that was found in a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackFinding {
    /// How grave.
    pub severity: Severity,
    /// The rule that it is about.
    pub rule: String,
    /// What was found.
    pub what: Found,
}

/// What can be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// The document says two things on one point.
    ContradictsItself {
        /// The other rule.
        other: String,
    },
    /// Another text of the same rank says something else, and no ruling says which holds.
    Contradicts {
        /// The other rule.
        other: String,
    },
    /// It has expired and nothing governs instead.
    ExpiredWithoutSuccessor {
        /// Its last day.
        last: LocalDate,
        /// The ruling by which it goes on, if there is one.
        ruling: Option<String>,
    },
    /// A house rule that never holds, because law of the same or a wider scope speaks.
    HouseBesideLaw {
        /// The rule of law.
        law: String,
    },
    /// Its profile is in no composition: it never holds.
    InNoComposition,
}

impl PackFinding {
    /// The finding as a sentence.
    pub fn text(&self, lang: Lang) -> String {
        let rule = &self.rule;
        match (&self.what, lang) {
            (Found::ContradictsItself { other }, Lang::En) => {
                format!("{rule} and {other} of the same text contradict each other")
            }
            (Found::ContradictsItself { other }, Lang::Zh) => {
                format!("同一文件中的 {rule} 与 {other} 相互冲突")
            }
            (Found::Contradicts { other }, Lang::En) => {
                format!("{rule} and {other} contradict each other at one rank: a ruling is wanted")
            }
            (Found::Contradicts { other }, Lang::Zh) => {
                format!("同位阶的 {rule} 与 {other} 相互冲突，需裁定")
            }
            (Found::ExpiredWithoutSuccessor { last, ruling: None }, Lang::En) => {
                format!("{rule} expired on {last} and nothing governs instead")
            }
            (Found::ExpiredWithoutSuccessor { last, ruling: None }, Lang::Zh) => {
                format!("{rule} 已于 {last} 失效且无替代规定")
            }
            (Found::ExpiredWithoutSuccessor { last, ruling: Some(ruling) }, Lang::En) => {
                format!("{rule} expired on {last} and is continued by ruling {ruling}")
            }
            (Found::ExpiredWithoutSuccessor { last, ruling: Some(ruling) }, Lang::Zh) => {
                format!("{rule} 已于 {last} 失效，依裁定 {ruling} 继续执行")
            }
            (Found::HouseBesideLaw { law }, Lang::En) => {
                format!("house rule {rule} gives way wherever {law} speaks")
            }
            (Found::HouseBesideLaw { law }, Lang::Zh) => {
                format!("内部规则 {rule} 在 {law} 有规定之处让位")
            }
            (Found::InNoComposition, Lang::En) => format!("{rule} is in no composition"),
            (Found::InNoComposition, Lang::Zh) => format!("{rule} 不属于任何组合"),
        }
    }
}

/// Everything that is to be known of a pack on a day, the gravest first.
pub fn check(pack: &RulePack, date: LocalDate) -> Vec<PackFinding> {
    let mut found = Vec::new();
    contradictions(pack, date, &mut found);
    for rule in pack.rules() {
        let id = &rule.reference.id;
        let mut add = |severity, what| {
            found.push(PackFinding { severity, rule: id.clone(), what });
        };
        if !pack.0.compositions.values().any(|composition| composition.has(&rule.profile)) {
            add(Severity::Note, Found::InNoComposition);
        }
        if let Some(last) = rule.to.filter(|to| *to < date)
            && pack.check_continuation(id, date).is_ok()
        {
            let ruling = super::rulings::continued(pack, id, date).map(|ruling| ruling.id.clone());
            let severity = if ruling.is_some() { Severity::Note } else { Severity::RulingWanted };
            add(severity, Found::ExpiredWithoutSuccessor { last, ruling });
        }
        if rule.reference.rank == Rank::HouseRule {
            let law = pack.rules().iter().find(|other| {
                other.key == rule.key
                    && other.reference.rank != Rank::HouseRule
                    && other.value != RuleValue::Unnumbered
                    && other.in_force(date)
                    && meet(pack, rule, other)
            });
            if let Some(law) = law {
                add(Severity::Note, Found::HouseBesideLaw { law: law.reference.id.clone() });
            }
        }
    }
    found.sort_by_key(|finding| finding.severity);
    found
}

/// Rules of one rank on one key, of which only one can hold, with different values for one pair on
/// one day.
fn contradictions(pack: &RulePack, date: LocalDate, found: &mut Vec<PackFinding>) {
    let rules = pack.rules();
    let exclusive = |rule: &Rule| {
        let merges = matches!(
            (pack.operator(rule.key), &rule.value),
            (
                Some(Operator::Minimum | Operator::Union),
                RuleValue::Count { .. } | RuleValue::Flag(_) | RuleValue::Words(_)
            ) | (Some(Operator::Intersection), RuleValue::Words(_))
        );
        !merges && rule.value != RuleValue::Unnumbered
    };
    for (place, one) in rules.iter().enumerate().filter(|(_, rule)| exclusive(rule)) {
        for other in &rules[place + 1..] {
            let clash = other.key == one.key
                && other.reference.rank == one.reference.rank
                && other.value != one.value
                && exclusive(other)
                && overlap(one, other)
                && meet(pack, one, other);
            if !clash {
                continue;
            }
            let (rule, other_id) = (one.reference.id.clone(), other.reference.id.clone());
            let ruled = super::rulings::preferred(pack, (&rule, &other_id), date)
                .or_else(|| super::rulings::preferred(pack, (&other_id, &rule), date));
            if ruled.is_some() {
                continue;
            }
            let (severity, what) = if one.source == other.source {
                (Severity::Error, Found::ContradictsItself { other: other_id })
            } else {
                (Severity::RulingWanted, Found::Contradicts { other: other_id })
            };
            found.push(PackFinding { severity, rule, what });
        }
    }
}

/// Whether both are in force on some day.
fn overlap(one: &Rule, other: &Rule) -> bool {
    let before = |to: Option<LocalDate>, from: LocalDate| to.is_some_and(|to| to < from);
    !before(one.to, other.from) && !before(other.to, one.from)
}

/// Whether both can hold for one pair: in one scope of one profile, or where some composition has
/// the profiles of both. A scope may cover what no registered party carries yet.
fn meet(pack: &RulePack, one: &Rule, other: &Rule) -> bool {
    const CLASSES: [PartyClass; 6] = [
        PartyClass::GovernmentDepartment,
        PartyClass::LawAuthorizedOrganization,
        PartyClass::OtherStateOrgan,
        PartyClass::PublicServiceOrganization,
        PartyClass::Society,
        PartyClass::Developer,
    ];
    if one.profile == other.profile && one.scope == other.scope {
        return true;
    }
    let profiles: BTreeSet<&Vec<String>> =
        pack.0.compositions.values().flat_map(super::Composition::lists).collect();
    profiles.into_iter().any(|profiles| {
        let both = profiles.contains(&one.profile) && profiles.contains(&other.profile);
        both && CLASSES.into_iter().any(|asker| {
            CLASSES.into_iter().any(|provider| {
                [DataKind::GovernmentData, DataKind::PublicServiceData].into_iter().any(|data| {
                    let pair = Pair { asker, provider, data };
                    let covers = |rule: &Rule| pack.0.scopes[&rule.scope].covers(pair, profiles);
                    covers(one) && covers(other)
                })
            })
        })
    })
}
